//! A flow as an outline for a terminal: the story straight down, what branches off it indented
//! under the step that it leaves, every step once.

use std::{collections::HashMap, fmt::Write as _};

use super::layout::{Layout, Node};
use crate::width::{columns, columns_of, pad};

/// Columns that an outline needs at least to say something.
const COLUMNS_MIN: usize = 40;

/// Columns of names of steps after which verbs are lined up.
const NAME_COLUMNS_MAX: usize = 22;

/// How deep an outline is indented. What branches off deeper has an outline of its own below.
const DEPTH_MAX: usize = 8;

/// Writes a flow as an outline, so many columns wide at most.
pub fn text(layout: &Layout, columns_max: usize) -> String {
    let mut outline = Outline::new(layout, columns_max.max(COLUMNS_MIN));
    for root in outline.stand() {
        if !outline.text.is_empty() {
            outline.text.push('\n');
        }
        outline.write(root);
    }
    outline.text
}

struct Outline<'a> {
    layout: &'a Layout,
    width: usize,
    /// Columns of the longest name.
    names: usize,
    /// The edges out of each node, and the node that each leads to.
    out: Vec<Vec<(usize, usize)>>,
    /// Whether what the edge leads to stands under it; else it is only named there.
    holds: Vec<bool>,
    text: String,
}

/// What is still to be written.
enum Open {
    /// A line.
    Line(String),
    /// A node and what stands before its lines.
    Node(usize, String),
}

impl<'a> Outline<'a> {
    fn new(layout: &'a Layout, width: usize) -> Self {
        let by_id: HashMap<&str, usize> = layout
            .nodes
            .iter()
            .enumerate()
            .map(|(index, node)| (&*node.id, index))
            .collect();
        let mut out = vec![Vec::new(); layout.nodes.len()];
        for (edge, ends) in layout.edges.iter().enumerate() {
            if let (Some(from), Some(to)) = (by_id.get(&*ends.from), by_id.get(&*ends.to)) {
                out[*from].push((edge, *to));
            }
        }
        let steps = layout.nodes.iter().filter(|node| node.step.is_some());
        Self {
            layout,
            width,
            names: steps
                .map(|node| columns(&node.name))
                .max()
                .unwrap_or(0)
                .min(NAME_COLUMNS_MAX),
            out,
            holds: vec![false; layout.edges.len()],
            text: String::new(),
        }
    }

    /// Says where each step stands: under the edge by which a walk depth first, the story's
    /// way first, comes to it. Gives the nodes that stand under none.
    fn stand(&mut self) -> Vec<usize> {
        let mut stands = vec![false; self.layout.nodes.len()];
        let mut roots = Vec::new();
        for root in 0..self.layout.nodes.len() {
            if std::mem::replace(&mut stands[root], true) {
                continue;
            }
            roots.push(root);
            let mut open = Vec::new();
            self.push_ways(root, 0, &mut open);
            while let Some((edge, to, depth)) = open.pop() {
                if depth <= DEPTH_MAX && !std::mem::replace(&mut stands[to], true) {
                    self.holds[edge] = true;
                    self.push_ways(to, depth, &mut open);
                }
            }
        }
        roots
    }

    /// Ways out of a node with their depths, the one that goes on last.
    fn push_ways(&self, node: usize, depth: usize, open: &mut Vec<(usize, usize, usize)>) {
        let goes_on = self.goes_on(node);
        let aside = self.out[node].iter().rev().filter(|way| Some(**way) != goes_on);
        open.extend(aside.map(|(edge, to)| (*edge, *to, depth + 1)));
        open.extend(goes_on.map(|(edge, to)| (edge, to, depth)));
    }

    /// The way by which the story goes on at the same depth: the main line's, or `next`, or the
    /// only one. The keys of a menu stand side by side.
    fn goes_on(&self, node: usize) -> Option<(usize, usize)> {
        if self.layout.nodes[node].verb == Some("menu") {
            return None;
        }
        let out = &self.out[node];
        let edge = |way: &&(usize, usize)| &self.layout.edges[way.0];
        out.iter()
            .find(|way| edge(way).main)
            .or_else(|| {
                out.iter()
                    .find(|way| edge(way).ways.iter().any(|way| &*way.name == "next"))
            })
            .or_else(|| out.first().filter(|_| out.len() == 1))
            .copied()
    }

    fn write(&mut self, root: usize) {
        // The last one pushed is written first.
        let mut open = vec![Open::Node(root, String::new())];
        while let Some(next) = open.pop() {
            match next {
                Open::Line(line) => self.line(&line),
                Open::Node(node, before) => {
                    let shown = self.shown(&self.layout.nodes[node]);
                    self.line(&format!("{before}{shown}"));
                    self.push_lines(node, &before, &mut open);
                }
            }
        }
    }

    fn push_lines(&self, node: usize, before: &str, open: &mut Vec<Open>) {
        let goes_on = self.goes_on(node);
        if let Some((edge, to)) = goes_on {
            let label = &self.layout.edges[edge].label;
            if self.holds[edge] {
                open.push(Open::Node(to, before.to_owned()));
                if !label.is_empty() {
                    open.push(Open::Line(format!("{before}│ {label}")));
                }
            } else {
                open.push(Open::Line(format!("{before}└ {}", self.leads(edge, to))));
            }
        }
        let goes_on_below = goes_on.is_some();
        let aside: Vec<_> = self.out[node]
            .iter()
            .filter(|way| Some(**way) != goes_on)
            .collect();
        for (place, (edge, to)) in aside.iter().enumerate().rev() {
            let last = !goes_on_below && place + 1 == aside.len();
            let (corner, under) = if last { ('└', "  ") } else { ('├', "│ ") };
            if self.holds[*edge] {
                open.push(Open::Node(*to, format!("{before}{under}")));
                open.push(Open::Line(format!("{before}{corner} {}", self.label(*edge))));
            } else {
                open.push(Open::Line(format!("{before}{corner} {}", self.leads(*edge, *to))));
            }
        }
    }

    fn label(&self, edge: usize) -> &str {
        match &*self.layout.edges[edge].label {
            "" => "next",
            label => label,
        }
    }

    /// A way to a step that stands elsewhere.
    fn leads(&self, edge: usize, to: usize) -> String {
        let name = &self.layout.nodes[to].name;
        match &*self.layout.edges[edge].label {
            "" => format!("→ {name}"),
            label => format!("{label} → {name}"),
        }
    }

    /// A node in a line: its name, its verb, what it is about.
    fn shown(&self, node: &Node) -> String {
        let Some(verb) = node.verb else {
            return format!("({})", node.name);
        };
        let about = node.title.as_deref().unwrap_or(&node.full);
        let name = pad(&node.name, self.names);
        format!("{name}  {verb:<8}  {about}")
    }

    fn line(&mut self, line: &str) {
        let one_line = line.replace(['\n', '\r', '\t'], " ");
        let shown = one_line.trim_end();
        if columns(shown) <= self.width {
            // Writing to a string does not fail.
            let _ = writeln!(self.text, "{shown}");
            return;
        }
        let mut taken = 0;
        let kept: String = shown
            .chars()
            .take_while(|character| {
                taken += columns_of(*character);
                taken < self.width
            })
            .collect();
        let _ = writeln!(self.text, "{}…", kept.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::layout::{layout, tests::flow},
        *,
    };

    #[test]
    fn the_story_goes_straight_down() {
        let checked = flow(
            "flow: main\nanywhere: { keys: { \"9\": out } }\nstart: a\nvars: { found: crm.citizen? }\nsteps:\n  \
             a: { say: hello, next: find }\n  \
             find: { call: crm.find-citizen, with: { phone: \"1\" }, save: found, on: { not-found: m, fault: away, else: away }, next: m }\n  \
             away: { say: hello, next: m }\n  \
             m: { menu: hello, keys: { 1: one, 2: a }, on: { else: out } }\n  \
             one: { say: hello, next: out }\n  \
             out: { end: completed }\n",
        );
        let layout = layout(&checked, &"main".into(), "en").unwrap();
        assert_eq!(
            text(&layout, 60),
            "(12345)\n\
             a     say       Hello\n\
             find  call      crm.find-citizen\n\
             ├ ambiguous, unreachable, fault\n\
             │ away  say       Hello\n\
             │ └ → m\n\
             │ not-found\n\
             m     menu      Hello\n\
             ├ 1\n\
             │ one   say       Hello\n\
             │ out   end       completed\n\
             ├ 2 → a\n\
             └ no-input, no-match → out\n\
             \n\
             (anywhere)\n\
             └ 9 → out\n"
        );
        let narrow = text(&layout, 10);
        assert!(
            narrow.lines().all(|line| columns(line) <= COLUMNS_MIN),
            "{narrow}"
        );
    }
}
