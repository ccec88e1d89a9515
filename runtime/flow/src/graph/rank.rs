//! Rows: where circles are cut, which ways are written as jumps, the main line, and how far
//! down each place stands.

use super::ways::{EdgeKind, Graph, Place};

/// From how many ways of failure on a step is a gathering place, whose ways of failure are
/// written as jumps.
const GATHERING: usize = 4;

/// Rows that a line may cross. What leads farther is a jump: lines across a whole picture
/// tell nobody anything, and this bounds how many bends a layout has.
pub(super) const SPAN_MAX: usize = 10;

/// How the places stand in rows.
pub(super) struct Ranks {
    /// The row of each place.
    pub(super) rank: Vec<usize>,
    /// Whether a link leads up.
    pub(super) back: Vec<bool>,
    /// Whether a link is drawn as a line; else it is a jump.
    pub(super) line: Vec<bool>,
    /// Whether a link is part of the main line.
    pub(super) main: Vec<bool>,
    /// Whether a place stands on the main line.
    pub(super) on_main: Vec<bool>,
}

impl Ranks {
    pub(super) fn new(graph: &Graph) -> Self {
        let (back, finished) = cut_circles(graph);
        let main = main_line(graph, &back, &finished);
        let mut on_main = vec![false; graph.places.len()];
        on_main[0] = true;
        for (link, _) in main.iter().enumerate().filter(|(_, main)| **main) {
            on_main[graph.links[link].to] = true;
        }
        let mut ranks = Self {
            rank: vec![0; graph.places.len()],
            line: lines(graph, &main, &back),
            back,
            main,
            on_main,
        };
        ranks.stand(graph, &finished);
        // What is too far becomes a jump, and what hung on it alone moves up: one more time is enough,
        // since a place that moves up only shortens the ways to it and is checked again below.
        ranks.shorten(graph);
        ranks.stand(graph, &finished);
        ranks.shorten(graph);
        for (index, link) in graph.links.iter().enumerate() {
            ranks.back[index] = ranks.rank[link.from] > ranks.rank[link.to];
        }
        ranks
    }

    /// Longest ways from the start, over lines that do not lead back.
    fn stand(&mut self, graph: &Graph, finished: &[usize]) {
        self.rank.fill(0);
        // Places in reverse of the order in which the walk left them are in topological order.
        for place in finished.iter().rev() {
            for link in &graph.out[*place] {
                if self.line[*link] && !self.back[*link] {
                    let to = graph.links[*link].to;
                    self.rank[to] = self.rank[to].max(self.rank[*place] + 1);
                }
            }
        }
        // A place that nothing leads to stands right above what it leads to.
        let mut entered = vec![false; graph.places.len()];
        for (index, link) in graph.links.iter().enumerate() {
            entered[link.to] |= self.line[index] && !self.back[index];
        }
        for place in finished.iter().filter(|place| **place != 0 && !entered[**place]) {
            let below = graph.out[*place]
                .iter()
                .filter(|link| self.line[**link] && !self.back[**link])
                .map(|link| self.rank[graph.links[*link].to])
                .min();
            self.rank[*place] = below.map_or(0, |rank| rank.saturating_sub(1));
        }
    }

    fn shorten(&mut self, graph: &Graph) {
        for (index, link) in graph.links.iter().enumerate() {
            let span = self.rank[link.from].abs_diff(self.rank[link.to]);
            // A line needs at least one row of its own: what leads to its own row is a jump too.
            if self.line[index] && (span == 0 || span > SPAN_MAX && !self.main[index]) {
                self.line[index] = false;
            }
        }
    }
}

/// Walks depth first, the start first and the ways in their order. Gives which links lead back
/// to a place under way, and the places in the order in which the walk left them.
fn cut_circles(graph: &Graph) -> (Vec<bool>, Vec<usize>) {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        Open,
        Done,
    }
    let mut seen = vec![Seen::No; graph.places.len()];
    let mut back = vec![false; graph.links.len()];
    let mut finished = Vec::with_capacity(graph.places.len());
    let entrances = (0..graph.places.len()).filter(|place| !matches!(graph.places[*place], Place::Step(_)));
    for root in entrances.chain(0..graph.places.len()) {
        if seen[root] != Seen::No {
            continue;
        }
        seen[root] = Seen::Open;
        let mut open = vec![(root, 0)];
        while let Some((place, next)) = open.last_mut() {
            let place = *place;
            let Some(link) = graph.out[place].get(*next) else {
                seen[place] = Seen::Done;
                finished.push(place);
                open.pop();
                continue;
            };
            *next += 1;
            let to = graph.links[*link].to;
            match seen[to] {
                Seen::Open => back[*link] = true,
                Seen::No => {
                    seen[to] = Seen::Open;
                    open.push((to, 0));
                }
                Seen::Done => {}
            }
        }
    }
    (back, finished)
}

/// The main line: by `next`; by the first key of a menu; by the branch of a `choose` from which
/// the story is longest.
fn main_line(graph: &Graph, back: &[bool], finished: &[usize]) -> Vec<bool> {
    // How long the story is from each place on.
    let mut length = vec![0_usize; graph.places.len()];
    for place in finished {
        for link in graph.out[*place].iter().filter(|link| !back[**link]) {
            length[*place] = length[*place].max(length[graph.links[*link].to] + 1);
        }
    }
    let mut main = vec![false; graph.links.len()];
    let mut visited = vec![false; graph.places.len()];
    let mut place = 0;
    loop {
        visited[place] = true;
        let ways = || {
            graph.out[place]
                .iter()
                .copied()
                .filter(|link| !back[*link] && !visited[graph.links[*link].to])
        };
        let of = |kind: EdgeKind| ways().find(|link| graph.links[*link].kind == kind);
        let branch = ways()
            .filter(|link| graph.links[*link].kind == EdgeKind::Branch)
            .max_by_key(|link| (length[graph.links[*link].to], std::cmp::Reverse(*link)));
        let next = of(EdgeKind::Start)
            .or_else(|| of(EdgeKind::Key))
            .or_else(|| of(EdgeKind::Next))
            .or(branch)
            .or_else(|| of(EdgeKind::Intent))
            .or_else(|| of(EdgeKind::Word));
        let Some(link) = next else {
            return main;
        };
        main[link] = true;
        place = graph.links[link].to;
    }
}

/// Which links are lines. Ways of failure to where many gather, and what holds anywhere, are
/// jumps, as long as something else leads there.
fn lines(graph: &Graph, main: &[bool], back: &[bool]) -> Vec<bool> {
    let fails = |link: usize| matches!(graph.links[link].kind, EdgeKind::Exit | EdgeKind::Word);
    let mut failing = vec![0_usize; graph.places.len()];
    for (index, link) in graph.links.iter().enumerate() {
        failing[link.to] += usize::from(fails(index));
    }
    let jump = |index: usize| {
        let link = &graph.links[index];
        !main[index] && (link.kind == EdgeKind::Anywhere || fails(index) && failing[link.to] >= GATHERING)
    };
    let mut line: Vec<bool> = (0..graph.links.len()).map(|index| !jump(index)).collect();
    let mut entered = vec![false; graph.places.len()];
    for (index, link) in graph.links.iter().enumerate() {
        entered[link.to] |= line[index] && !back[index];
    }
    for (index, link) in graph.links.iter().enumerate() {
        if !entered[link.to] && !back[index] {
            line[index] = true;
            entered[link.to] = true;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{super::layout::tests::flow, *};

    fn named(graph: &Graph, flow: &crate::hotline::Flow, name: &str) -> usize {
        let step = flow.steps.get_index_of(name).unwrap();
        let place = graph.places.iter().position(|place| *place == Place::Step(step));
        place.unwrap()
    }

    #[test]
    fn rows_go_down_and_circles_are_cut_where_they_come_back() {
        let checked = flow(
            "flow: main\nstart: a\nsteps:\n  \
             a: { say: hello, next: b }\n  \
             b: { menu: hello, keys: { 1: c, 2: a }, on: { else: d } }\n  \
             c: { say: hello, next: d }\n  d: { end: completed }\n",
        );
        let flow = &checked.flows["main"];
        let graph = Graph::new(flow, "en");
        let ranks = Ranks::new(&graph);
        let rank = |name| ranks.rank[named(&graph, flow, name)];
        assert_eq!([rank("a"), rank("b"), rank("c"), rank("d")], [1, 2, 3, 4]);
        let backs: Vec<_> = graph
            .links
            .iter()
            .enumerate()
            .filter(|(index, _)| ranks.back[*index])
            .collect();
        assert_eq!(backs.len(), 1);
        assert_eq!(backs[0].1.label, "2");
        for (index, link) in graph.links.iter().enumerate() {
            if ranks.line[index] {
                let down = ranks.rank[link.from] < ranks.rank[link.to];
                assert_eq!(down, !ranks.back[index], "{link:?}");
            }
        }
    }

    #[test]
    fn the_main_line_takes_the_longest_branch_and_the_first_key() {
        let checked = flow(
            "flow: main\nstart: which\nsteps:\n  \
             which: { choose: [ { when: \"${contact.language == 'en'}\", next: bye }, { else: ask } ] }\n  \
             ask: { menu: hello, keys: { 0: bye, 2: two, 1: one }, on: { else: bye } }\n  \
             one: { say: hello, next: bye }\n  two: { say: hello, next: bye }\n  bye: { end: completed }\n",
        );
        let flow = &checked.flows["main"];
        let graph = Graph::new(flow, "en");
        let ranks = Ranks::new(&graph);
        let on = |name| ranks.on_main[named(&graph, flow, name)];
        assert!(on("ask") && on("one") && on("bye") && !on("two"));
    }

    #[test]
    fn failures_that_gather_are_jumps() {
        let mut text = String::from("flow: main\nstart: s0\nsteps:\n");
        for step in 0..5 {
            text += &format!(
                "  s{step}: {{ ask: hello, answer: text, on: {{ else: out }}, next: s{} }}\n",
                step + 1
            );
        }
        text += "  s5: { say: hello, next: out }\n  out: { end: completed }\n";
        let checked = flow(&text);
        let flow = &checked.flows["main"];
        let graph = Graph::new(flow, "en");
        let ranks = Ranks::new(&graph);
        let out = named(&graph, flow, "out");
        let into: Vec<bool> = (0..graph.links.len())
            .filter(|index| graph.links[*index].to == out)
            .map(|index| ranks.line[index])
            .collect();
        assert_eq!(into.iter().filter(|line| **line).count(), 1, "{into:?}");
        assert_eq!(ranks.rank[out], 7);
    }
}
