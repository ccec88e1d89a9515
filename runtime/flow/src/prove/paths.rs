//! Ways through a graph, from its start to a place and on to what becomes of the contact there.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use super::{
    game::{Game, Values},
    graph::{Chooser, Graph, Way},
};

/// Steps of a way that goes in a circle: enough to see it go round.
const CIRCLE_STEPS_MAX: usize = 40;

/// A way: states, each with the one of its ways that is taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Path(pub(crate) Vec<(usize, usize)>);

/// Ways that turned out not to be taken together, and how much they are avoided.
pub(crate) type Avoided = HashMap<(usize, usize), u32>;

/// The way from one of some states to another on which least happens: few inputs, and nothing
/// that goes wrong if that can be.
pub(crate) fn to(graph: &Graph<'_>, starts: &[usize], goal: usize, avoided: &Avoided) -> Option<Path> {
    const INPUT: u32 = 4;
    const TROUBLE: u32 = 8;
    let mut least: HashMap<usize, (u32, Option<(usize, usize)>)> = HashMap::new();
    let mut open = BinaryHeap::new();
    for start in starts {
        least.insert(*start, (0, None));
        open.push(Reverse((0, *start)));
    }
    while let Some(Reverse((cost, state))) = open.pop() {
        if state == goal {
            break;
        }
        if least.get(&state).is_none_or(|(known, _)| cost > *known) {
            continue;
        }
        for (index, way) in graph.states[state].ways.iter().enumerate() {
            let trouble = graph.trouble(state, way).map_or(0, |_| TROUBLE);
            let avoid = avoided.get(&(state, index)).copied().unwrap_or_default();
            let through = cost + 1 + way.inputs * INPUT + trouble + avoid;
            if least.get(&way.to).is_none_or(|(known, _)| through < *known) {
                least.insert(way.to, (through, Some((state, index))));
                open.push(Reverse((through, way.to)));
            }
        }
    }
    let mut path = Vec::new();
    let mut at = goal;
    while let Some((state, index)) = least.get(&at)?.1 {
        path.push((state, index));
        at = state;
    }
    path.reverse();
    Some(Path(path))
}

/// What becomes of a contact from a state on when the caller does the best and the world the
/// worst: to the goal where it is reached, else to an end, or round a circle.
pub(crate) fn onward(game: &Game<'_, '_>, values: &Values, from: usize, avoided: &Avoided) -> Path {
    if values.at(from).is_finite() {
        played(game, values, from)
    } else {
        doomed(game, values, from, avoided)
    }
}

fn played(game: &Game<'_, '_>, values: &Values, from: usize) -> Path {
    let mut path = Path::default();
    let mut at = from;
    while !game.is_goal(at) && path.0.len() < game.graph.states.len() {
        let by_caller = game.graph.asks(at);
        let choices = game.graph.states[at]
            .ways
            .iter()
            .enumerate()
            .filter(|(index, _)| game.can_choose(at, *index));
        let worth = |way: &Way| values.at(way.to) + f64::from(way.inputs);
        let chosen = if by_caller {
            choices.min_by(|(_, a), (_, b)| worth(a).total_cmp(&worth(b)))
        } else {
            choices.max_by(|(_, a), (_, b)| worth(a).total_cmp(&worth(b)))
        };
        let Some((index, way)) = chosen else { break };
        path.0.push((at, index));
        at = way.to;
    }
    path
}

/// The shortest way to an end on which the goal cannot be reached any more; a caller who can
/// do nothing keeps silent.
fn doomed(game: &Game<'_, '_>, values: &Values, from: usize, avoided: &Avoided) -> Path {
    let graph = game.graph;
    let mut least: HashMap<usize, (u32, Option<(usize, usize)>)> = HashMap::from([(from, (0, None))]);
    let mut open = BinaryHeap::from([Reverse((0, from))]);
    let mut end = None;
    while let Some(Reverse((cost, state))) = open.pop() {
        if graph.outcome(state).is_some() {
            end = Some(state);
            break;
        }
        if least.get(&state).is_none_or(|(known, _)| cost > *known) {
            continue;
        }
        for (index, way) in graph.states[state].ways.iter().enumerate() {
            if game.is_goal(way.to) || values.at(way.to).is_finite() || !game.is_open(state, index) {
                continue;
            }
            let speaks = graph.chooser(state, way) == Chooser::Caller && way.inputs > 0;
            let avoid = avoided.get(&(state, index)).copied().unwrap_or_default();
            let through = cost + 1 + if speaks { 6 } else { 0 } + avoid;
            if least.get(&way.to).is_none_or(|(known, _)| through < *known) {
                least.insert(way.to, (through, Some((state, index))));
                open.push(Reverse((through, way.to)));
            }
        }
    }
    let mut path = Vec::new();
    match end {
        Some(end) => {
            let mut at = end;
            while let Some((state, index)) = least.get(&at).and_then(|(_, from)| *from) {
                path.push((state, index));
                at = state;
            }
            path.reverse();
        }
        None => {
            let mut at = from;
            while path.len() < CIRCLE_STEPS_MAX {
                let ways = graph.states[at].ways.iter().enumerate();
                let stuck = ways.filter(|(index, way)| {
                    game.is_open(at, *index) && values.at(way.to).is_infinite() && !game.is_goal(way.to)
                });
                let Some((index, way)) = stuck.min_by_key(|(_, way)| way.inputs) else {
                    break;
                };
                path.push((at, index));
                at = way.to;
            }
        }
    }
    Path(path)
}

impl Path {
    /// This way and then another.
    pub(crate) fn then(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    /// The state it leads to.
    pub(crate) fn target(&self, graph: &Graph<'_>) -> Option<usize> {
        let (state, index) = self.0.last()?;
        Some(graph.states[*state].ways[*index].to)
    }
}
