//! The steps of a flow and the ways between them.

use trunkline_model::Type;

use crate::source::Word;

/// The ways out of each step.
pub(super) struct Graph<'a> {
    ways: Vec<Vec<Way<'a>>>,
}

/// A way from one step to another.
pub(super) struct Way<'a> {
    pub(super) to: usize,
    pub(super) effect: Effect<'a>,
}

/// What is known on a way besides what was known when the step was entered.
pub(super) enum Effect<'a> {
    /// Nothing.
    Nothing,
    /// Nothing, and the step was left at once, though it waits on its other ways: a queue that
    /// is closed, a line that is busy.
    Refused,
    /// The step's condition does not hold.
    Passed,
    /// The step is done, and what it sets is set.
    Done,
    /// An error's payload is saved.
    Payload(&'a Word, Option<Type>),
    /// A key was pressed whose condition holds.
    Key(Option<&'a Word>),
    /// The branch of `choose` with this place was taken, the last one being `else`.
    Branch(usize),
    /// The step is not understood: anything may be set.
    Unknown,
}

impl<'a> Graph<'a> {
    pub(super) fn new(steps: usize) -> Self {
        Self {
            ways: (0..steps).map(|_| Vec::new()).collect(),
        }
    }

    pub(super) fn add(&mut self, from: usize, way: Way<'a>) {
        self.ways[from].push(way);
    }

    pub(super) fn ways(&self, from: usize) -> &[Way<'a>] {
        &self.ways[from]
    }

    pub(super) const fn len(&self) -> usize {
        self.ways.len()
    }

    /// The steps that can be reached.
    pub(super) fn reached(&self, roots: &[usize]) -> Vec<bool> {
        let mut reached = vec![false; self.len()];
        let mut open: Vec<usize> = roots.to_vec();
        while let Some(step) = open.pop() {
            if !std::mem::replace(&mut reached[step], true) {
                open.extend(self.ways(step).iter().map(|way| way.to));
            }
        }
        reached
    }

    /// The strongly connected parts among some steps, each with its steps in written order.
    pub(super) fn circles(&self, among: &[bool]) -> Vec<Vec<usize>> {
        self.circles_by(|from, way| among[from] && among[way.to])
    }

    /// The strongly connected parts by some ways, each with its steps in written order.
    pub(super) fn circles_by(&self, takes: impl Fn(usize, &Way<'a>) -> bool) -> Vec<Vec<usize>> {
        let next = |step: usize| {
            let ways = self.ways(step).iter();
            let taken: Vec<usize> = ways.filter(|way| takes(step, way)).map(|way| way.to).collect();
            taken.into_iter()
        };
        components(self.len(), next)
            .into_iter()
            .filter(|part| part.len() > 1 || next(part[0]).any(|to| to == part[0]))
            .collect()
    }
}

/// Strongly connected parts, without recursion (Tarjan).
pub(crate) fn components<I: Iterator<Item = usize>>(
    count: usize,
    next: impl Fn(usize) -> I,
) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let mut order = vec![UNSEEN; count];
    let mut low = vec![UNSEEN; count];
    let mut on_stack = vec![false; count];
    let mut stack = Vec::new();
    let mut parts = Vec::new();
    let mut seen = 0;
    for root in 0..count {
        if order[root] != UNSEEN {
            continue;
        }
        let mut open = vec![(root, next(root))];
        order[root] = seen;
        low[root] = seen;
        seen += 1;
        stack.push(root);
        on_stack[root] = true;
        while let Some((step, ways)) = open.last_mut() {
            let step = *step;
            if let Some(to) = ways.next() {
                if order[to] == UNSEEN {
                    order[to] = seen;
                    low[to] = seen;
                    seen += 1;
                    stack.push(to);
                    on_stack[to] = true;
                    open.push((to, next(to)));
                } else if on_stack[to] {
                    low[step] = low[step].min(order[to]);
                }
                continue;
            }
            open.pop();
            if let Some((before, _)) = open.last() {
                low[*before] = low[*before].min(low[step]);
            }
            if low[step] == order[step] {
                let mut part = Vec::new();
                while let Some(member) = stack.pop() {
                    on_stack[member] = false;
                    part.push(member);
                    if member == step {
                        break;
                    }
                }
                part.sort_unstable();
                parts.push(part);
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connected_parts_are_found() {
        let ways = [vec![1], vec![2], vec![0, 3], vec![4], vec![4], vec![]];
        let mut parts = components(ways.len(), |step| ways[step].iter().copied());
        parts.sort();
        assert_eq!(parts, [vec![0, 1, 2], vec![3], vec![4], vec![5]]);
    }

    #[test]
    fn long_chains_do_not_recurse() {
        const COUNT: usize = 200_000;
        let parts = components(COUNT, |step| (step + 1 < COUNT).then_some(step + 1).into_iter());
        assert_eq!(parts.len(), COUNT);
    }
}
