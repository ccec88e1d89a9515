//! Ways through a graph, from its start to a place and on to what becomes of the contact there.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use crate::step::Verb;

use super::{
    game::{Game, Values},
    graph::{By, Chooser, Graph, Way},
};

/// Steps of a way that goes in a circle: enough to see it go round.
const CIRCLE_STEPS_MAX: usize = 40;

/// A way: states, each with the one of its ways that is taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Path(pub(crate) Vec<(usize, usize)>);

/// Ways that turned out not to be taken together, and how much they are avoided.
pub(crate) type Avoided = HashMap<(usize, usize), u32>;

/// What a way adds to how far something is: least happens on few inputs, and where nothing goes
/// wrong.
fn distance(graph: &Graph<'_>, state: usize, way: &Way) -> u32 {
    const INPUT: u32 = 4;
    const TROUBLE: u32 = 8;
    1 + way.inputs * INPUT + graph.trouble(state, way).map_or(0, |_| TROUBLE)
}

/// How far each state is from where contacts begin, in the first language rather than in another.
///
/// And by which state and way each is come to on the shortest way.
pub(crate) fn distances(graph: &Graph<'_>) -> (Vec<u32>, Vec<Option<(usize, usize)>>) {
    let mut near = vec![u32::MAX; graph.states.len()];
    let mut tree = vec![None; graph.states.len()];
    let mut open = BinaryHeap::new();
    for (place, (_, start)) in graph.starts.iter().enumerate() {
        let begins = u32::try_from(place).unwrap_or(u32::MAX);
        near[*start] = near[*start].min(begins);
        open.push(Reverse((begins, *start)));
    }
    while let Some(Reverse((cost, state))) = open.pop() {
        if cost > near[state] {
            continue;
        }
        for (index, way) in graph.states[state].ways.iter().enumerate() {
            let through = cost + distance(graph, state, way);
            if through < near[way.to] {
                near[way.to] = through;
                tree[way.to] = Some((state, index));
                open.push(Reverse((through, way.to)));
            }
        }
    }
    (near, tree)
}

/// The shortest way to a state from where contacts begin, and where that is.
pub(crate) fn shortest(graph: &Graph<'_>, state: usize) -> (usize, Path) {
    let mut path = Path::default();
    let mut at = state;
    while let Some((from, index)) = graph.tree[at] {
        path.0.push((from, index));
        at = from;
    }
    path.0.reverse();
    (at, path)
}

/// The way from a state to another on which least happens, of those whose parts `open_to` lets through.
pub(crate) fn to(
    graph: &Graph<'_>,
    start: usize,
    goal: usize,
    avoided: &Avoided,
    open_to: &dyn Fn(usize, &Way) -> bool,
) -> Option<Path> {
    let mut least: HashMap<usize, (u32, Option<(usize, usize)>)> = HashMap::new();
    let mut open = BinaryHeap::new();
    least.insert(start, (0, None));
    open.push(Reverse((0, start)));
    while let Some(Reverse((cost, state))) = open.pop() {
        if state == goal {
            break;
        }
        if least.get(&state).is_none_or(|(known, _)| cost > *known) {
            continue;
        }
        for (index, way) in graph.states[state].ways.iter().enumerate() {
            if !open_to(state, way) {
                continue;
            }
            let avoid = avoided.get(&(state, index)).copied().unwrap_or_default();
            let through = cost + distance(graph, state, way) + avoid;
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
///
/// `values` are what the game costs when ways cost what `cost` says.
pub(crate) fn onward(
    game: &Game<'_, '_>,
    values: &Values,
    cost: fn(&Way) -> f64,
    from: usize,
    avoided: &Avoided,
) -> Path {
    if values.at(from).is_finite() {
        played(game, values, cost, from)
    } else {
        doomed(game, values, from, avoided)
    }
}

fn played(game: &Game<'_, '_>, values: &Values, cost: fn(&Way) -> f64, from: usize) -> Path {
    let mut path = Path::default();
    let mut at = from;
    while !game.is_goal(at) && path.0.len() < game.graph.states.len() {
        let by_caller = game.graph.asks(at);
        let choices = game.graph.states[at]
            .ways
            .iter()
            .enumerate()
            .filter(|(index, _)| game.can_choose(at, *index));
        let worth = |way: &Way| values.at(way.to) + cost(way);
        let chosen = if by_caller {
            choices.min_by(|(_, a), (_, b)| worth(a).total_cmp(&worth(b)))
        } else {
            // Of ways that may take as long one that surely does.
            let lasts = |way: &Way| matches!(&way.by, By::Exit(name) if name.ends_with("fault.timed-out"));
            choices.max_by(|(_, a), (_, b)| {
                worth(a)
                    .total_cmp(&worth(b))
                    .then_with(|| lasts(a).cmp(&lasts(b)))
            })
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
            // Who was put through to somebody shows nothing.
            let put_through = way.by == By::Next && matches!(graph.step(state).verb, Verb::Transfer(_));
            if put_through
                || game.is_goal(way.to)
                || values.at(way.to).is_finite()
                || !game.is_open(state, index)
            {
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

/// The way that costs least to the goal, whoever chooses: `values` are the least costs. Empty where
/// it is never reached.
pub(crate) fn along(game: &Game<'_, '_>, values: &Values, cost: fn(&Way) -> f64, from: usize) -> Path {
    let mut path = Path::default();
    let mut at = from;
    while !game.is_goal(at) && values.at(at).is_finite() && path.0.len() < game.graph.states.len() {
        let ways = game.graph.states[at].ways.iter().enumerate();
        let open = ways.filter(|(index, _)| game.is_open(at, *index));
        let worth = |way: &Way| values.at(way.to) + cost(way);
        // Of ways that cost the same, the one that leads on furthest, not back into a loop.
        let next = open.min_by(|(_, a), (_, b)| {
            let near = |way: &Way| game.graph.near[way.to];
            worth(a).total_cmp(&worth(b)).then_with(|| near(b).cmp(&near(a)))
        });
        let Some((index, way)) = next else { break };
        path.0.push((at, index));
        at = way.to;
    }
    path
}

impl Path {
    /// This way and then another.
    pub(crate) fn then(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    /// This way after a step of another.
    pub(crate) fn after(mut self, step: (usize, usize)) -> Self {
        self.0.insert(0, step);
        self
    }

    /// The state it leads to.
    pub(crate) fn target(&self, graph: &Graph<'_>) -> Option<usize> {
        let (state, index) = self.0.last()?;
        Some(graph.states[*state].ways[*index].to)
    }
}
