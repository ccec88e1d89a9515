//! The caller against the world: what it costs at most to reach a goal.
//!
//! Where the caller is asked, the caller chooses the way that costs least; everywhere else the
//! world chooses the one that costs most. Costs are never negative, so the values are found in
//! the order of their size, as Dijkstra finds shortest paths: a state of the caller's is settled by
//! the first of its ways that is, one of the world's by the last (Khachiyan et al., "On short paths
//! interdiction problems", 2008). One pass is near-linear in the ways.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

use super::graph::{By, Chooser, Graph, Way};

/// A goal that is never reached costs this.
pub(crate) const NEVER: f64 = f64::INFINITY;

/// A game: what is to be reached, which ways there are, and what they cost.
pub(crate) struct Game<'g, 'h> {
    pub(crate) graph: &'g Graph<'h>,
    /// Who leads to a state, as its place and the way's.
    before: Vec<Vec<(usize, usize)>>,
    /// States that are reached at no further cost.
    goal: Vec<bool>,
    /// Ways that nobody takes.
    closed: Vec<Vec<bool>>,
    /// Ways that the one who chooses there can choose.
    choosable: Vec<Vec<bool>>,
}

/// What a game costs from each state.
#[derive(Clone)]
pub(crate) struct Values(pub(crate) Vec<f64>);

impl Values {
    pub(crate) fn at(&self, state: usize) -> f64 {
        self.0[state]
    }
}

#[derive(PartialEq)]
struct Cost(f64);

impl Eq for Cost {}

impl PartialOrd for Cost {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cost {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl<'g, 'h> Game<'g, 'h> {
    /// A game for the states that `goal` names.
    pub(crate) fn new(graph: &'g Graph<'h>, goal: impl Fn(usize) -> bool) -> Self {
        let mut before = vec![Vec::new(); graph.states.len()];
        for (state, from) in graph.states.iter().enumerate() {
            for (index, way) in from.ways.iter().enumerate() {
                before[way.to].push((state, index));
            }
        }
        let choosable = graph
            .states
            .iter()
            .enumerate()
            .map(|(state, of)| of.ways.iter().map(|way| can_choose(graph, state, way)).collect())
            .collect();
        Self {
            goal: (0..graph.states.len()).map(goal).collect(),
            closed: graph
                .states
                .iter()
                .map(|state| vec![false; state.ways.len()])
                .collect(),
            choosable,
            graph,
            before,
        }
    }

    /// The same game with other goals.
    pub(crate) fn with_goal(&self, goal: impl Fn(usize) -> bool) -> Self {
        Self {
            graph: self.graph,
            before: self.before.clone(),
            goal: (0..self.graph.states.len()).map(goal).collect(),
            closed: self.closed.clone(),
            choosable: self.choosable.clone(),
        }
    }

    /// Closes the ways that `closed` names.
    pub(crate) fn closing(mut self, closed: impl Fn(usize, &Way) -> bool) -> Self {
        for (state, from) in self.graph.states.iter().enumerate() {
            for (index, way) in from.ways.iter().enumerate() {
                self.closed[state][index] |= closed(state, way);
            }
        }
        self
    }

    pub(crate) fn is_goal(&self, state: usize) -> bool {
        self.goal[state]
    }

    /// Whether somebody takes a way.
    pub(crate) fn is_open(&self, state: usize, way: usize) -> bool {
        !self.closed[state][way]
    }

    /// Whether a state is the caller's: the caller chooses what comes of it.
    fn is_callers(&self, state: usize) -> bool {
        self.graph.asks(state)
    }

    /// Whether the one who chooses at a state can choose a way.
    pub(crate) fn can_choose(&self, state: usize, index: usize) -> bool {
        self.is_open(state, index) && self.choosable[state][index]
    }

    /// What reaching the goal costs from every state, at most.
    pub(crate) fn costs(&self, cost: impl Fn(&Way) -> f64) -> Values {
        self.solve(|_, way| Some(cost(way)), |_| None)
    }

    /// What it costs with no more than some inputs; the last of the result is that with all.
    pub(crate) fn costs_within(&self, inputs_max: u32, cost: impl Fn(&Way) -> f64) -> Vec<Values> {
        let mut layers: Vec<Values> = Vec::new();
        for inputs in 0..=inputs_max {
            let below = |way: &Way| {
                let left = inputs.checked_sub(way.inputs).filter(|_| way.inputs > 0)?;
                Some(layers[left as usize].at(way.to) + cost(way))
            };
            let values = self.solve(
                |_, way| (way.inputs == 0).then(|| cost(way)),
                |way| (way.inputs > 0).then(|| below(way).unwrap_or(NEVER)),
            );
            layers.push(values);
        }
        layers
    }

    /// `within` is what a way costs within this pass, `fixed` what it is worth when it leads out of it.
    fn solve(
        &self,
        within: impl Fn(usize, &Way) -> Option<f64>,
        fixed: impl Fn(&Way) -> Option<f64>,
    ) -> Values {
        let count = self.graph.states.len();
        let mut values = vec![NEVER; count];
        let mut settled = vec![false; count];
        let mut worst = vec![0.0_f64; count];
        let mut left = vec![0_usize; count];
        let mut open = BinaryHeap::new();
        for state in 0..count {
            if self.goal[state] {
                open.push(Reverse((Cost(0.0), state)));
                continue;
            }
            let ways = &self.graph.states[state].ways;
            let mut choices = 0;
            for (index, way) in ways.iter().enumerate() {
                if !self.can_choose(state, index) {
                    continue;
                }
                choices += 1;
                if let Some(worth) = fixed(way) {
                    if self.is_callers(state) {
                        if worth.is_finite() {
                            open.push(Reverse((Cost(worth), state)));
                        }
                    } else if worth.is_finite() {
                        worst[state] = worst[state].max(worth);
                    } else {
                        left[state] += 1;
                    }
                } else {
                    left[state] += 1;
                }
            }
            let is_end = self.graph.outcome(state).is_some();
            // Where all the world's ways are closed nothing bad is left to happen.
            if !self.is_callers(state) && !is_end && left[state] == 0 && (choices > 0 || !ways.is_empty()) {
                open.push(Reverse((Cost(worst[state]), state)));
            }
        }
        while let Some(Reverse((Cost(value), state))) = open.pop() {
            if std::mem::replace(&mut settled[state], true) {
                continue;
            }
            values[state] = value;
            for &(from, index) in &self.before[state] {
                if settled[from] || self.goal[from] || !self.can_choose(from, index) {
                    continue;
                }
                let Some(cost) = within(from, &self.graph.states[from].ways[index]) else {
                    continue;
                };
                if self.is_callers(from) {
                    open.push(Reverse((Cost(value + cost), from)));
                } else {
                    worst[from] = worst[from].max(value + cost);
                    left[from] -= 1;
                    if left[from] == 0 {
                        open.push(Reverse((Cost(worst[from]), from)));
                    }
                }
            }
        }
        Values(values)
    }

    /// What reaching the goal costs from every state at best, whoever chooses.
    pub(crate) fn least(&self, cost: impl Fn(&Way) -> f64) -> Values {
        let mut values = vec![NEVER; self.graph.states.len()];
        let mut open = BinaryHeap::new();
        for (state, goal) in self.goal.iter().enumerate() {
            if *goal {
                values[state] = 0.0;
                open.push(Reverse((Cost(0.0), state)));
            }
        }
        while let Some(Reverse((Cost(value), state))) = open.pop() {
            if value > values[state] {
                continue;
            }
            for &(from, index) in &self.before[state] {
                let through = value + cost(&self.graph.states[from].ways[index]);
                if through < values[from] && self.is_open(from, index) {
                    values[from] = through;
                    open.push(Reverse((Cost(through), from)));
                }
            }
        }
        Values(values)
    }

    /// What it costs at worst to reach the goal, when everybody chooses what costs most: never,
    /// where a circle or an end comes first.
    pub(crate) fn most(&self, cost: impl Fn(&Way) -> f64) -> Values {
        let count = self.graph.states.len();
        let mut values = vec![NEVER; count];
        let mut worst = vec![0.0_f64; count];
        let mut left: Vec<usize> = self
            .graph
            .states
            .iter()
            .enumerate()
            .map(|(state, from)| {
                (0..from.ways.len())
                    .filter(|way| self.is_open(state, *way))
                    .count()
            })
            .collect();
        let mut open: Vec<usize> = (0..count).filter(|state| self.goal[*state]).collect();
        for state in &open {
            values[*state] = 0.0;
        }
        while let Some(state) = open.pop() {
            for &(from, index) in &self.before[state] {
                if self.goal[from] || !self.is_open(from, index) {
                    continue;
                }
                worst[from] = worst[from].max(values[state] + cost(&self.graph.states[from].ways[index]));
                left[from] -= 1;
                if left[from] == 0 {
                    values[from] = worst[from];
                    open.push(from);
                }
            }
        }
        Values(values)
    }
}

/// Whether the one who chooses at a state can choose a way, if it is open. What the caller may press or say
/// beside it, in a queue or a survey, the world does not choose.
fn can_choose(graph: &Graph<'_>, state: usize, way: &Way) -> bool {
    if graph.asks(state) {
        way.sure && graph.chooser(state, way) == Chooser::Caller
    } else {
        !matches!(way.by, By::Key(_) | By::Word(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_ordered() {
        let mut costs = [Cost(3.0), Cost(NEVER), Cost(0.5)];
        costs.sort();
        assert!(costs[0].0 < 1.0 && costs[2].0.is_infinite());
    }
}
