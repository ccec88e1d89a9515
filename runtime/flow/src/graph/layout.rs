//! A layout: a flow as boxes and lines on a plane.

use std::sync::Arc;

use serde::Serialize;
use trunkline_model::{FlowName, StepId};

use super::{
    order::{Item, Rows, Segment},
    place::{Body, Tie, place, straighten},
    rank::Ranks,
    show,
    ways::{EdgeKind, Graph, Place, Way, entrance},
};
use crate::{
    hotline::{Flow, Hotline},
    width::{cut, pixels},
};

/// Columns that a step's own line may take: what it says, calls or does.
const ABOUT_COLUMNS_MAX: usize = 30;

/// Columns that a jump may take.
const JUMP_COLUMNS_MAX: usize = 38;

/// Size of type of a step's name, of its line, and of labels and jumps, in pixels.
pub(super) const NAME_SIZE: f64 = 13.0;
pub(super) const ABOUT_SIZE: f64 = 11.5;
pub(super) const SMALL_SIZE: f64 = 10.5;

/// Heights within a box, in pixels: to its name's baseline, from line to line, and below.
pub(super) const TOP: f64 = 18.0;
pub(super) const LINE: f64 = 17.0;
pub(super) const JUMP_LINE: f64 = 15.0;
pub(super) const BOTTOM: f64 = 9.0;
/// From a box's side to its text.
pub(super) const SIDE: f64 = 12.0;

/// The height of a row of labels.
const LABEL_HEIGHT: f64 = 16.0;
/// The least height between a row and its labels.
const GAP_MIN: f64 = 14.0;
/// The greatest, where lines go far to the side.
const GAP_MAX: f64 = 64.0;
/// Around the whole.
const MARGIN: f64 = 24.0;
/// Between two lines that leave a box.
const PORT: f64 = 22.0;

/// A flow laid out. Lengths are in pixels at a scale of 1; x grows to the right, y down. The
/// same flow in the same language has the same layout, byte for byte.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Layout {
    /// The flow.
    pub flow: FlowName,
    /// The language of what is shown of prompts.
    pub language: Arc<str>,
    /// How wide the whole is.
    pub width: f64,
    /// How high.
    pub height: f64,
    /// Boxes: the start, what holds anywhere and hanging up where the flow has them, then the
    /// steps in written order.
    pub nodes: Vec<Node>,
    /// Lines, and jumps, which have no points. Those out of a node are in the order in which its ways stand.
    pub edges: Vec<Edge>,
}

/// A box.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Node {
    /// Its id, unique in the layout: `step:NAME` for a step, else `start`, `anywhere` or `hang-up`.
    pub id: String,
    /// What it stands for.
    pub kind: NodeKind,
    /// The step.
    pub step: Option<StepId>,
    /// The step's verb.
    pub verb: Option<&'static str>,
    /// The first line: the step's name, or the numbers that lead in.
    pub name: String,
    /// The step's title, if it has one.
    pub title: Option<Arc<str>>,
    /// The service that callers reach here.
    pub service: Option<Arc<str>>,
    /// The second line: what is said, called or done, cut. May be empty.
    pub about: String,
    /// The same in full, for a tooltip.
    pub full: String,
    /// Whether a condition lets contacts pass it over.
    pub conditional: bool,
    /// Lines for the ways out that are jumps, each an index into the layout's edges.
    pub jumps: Vec<usize>,
    /// The row, from 0.
    pub row: usize,
    /// Whether it stands on the main line.
    pub main: bool,
    /// Left.
    pub x: f64,
    /// Top.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

/// What a box stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// Where contacts come in.
    Start,
    /// What holds at every step that hears.
    Anywhere,
    /// Where contacts go whose caller left.
    HangUp,
    /// A step.
    Step,
}

/// All ways from one box to another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Edge {
    /// The id of the box it leaves.
    pub from: String,
    /// The id of the box it leads to.
    pub to: String,
    /// The kind of the first of its ways.
    pub kind: EdgeKind,
    /// Its ways.
    pub ways: Vec<Way>,
    /// What is written on it; empty for a plain `next`.
    pub label: String,
    /// The middle of the label, for lines that have one.
    pub label_at: Option<Point>,
    /// The line from end to end, the head at the last point; empty for a jump. Between the
    /// points of different height lines are drawn upright at both ends.
    pub points: Vec<Point>,
    /// Whether it is a part of the main line.
    pub main: bool,
    /// Whether it leads up.
    pub back: bool,
}

/// A point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

impl Edge {
    /// Whether it is written into its box instead of drawn.
    pub const fn is_jump(&self) -> bool {
        self.points.is_empty()
    }
}

/// Lays a flow out; none when the hotline has no flow of that name. `language` is the one in
/// which prompts are shown.
pub fn layout(hotline: &Hotline, name: &FlowName, language: &str) -> Option<Layout> {
    let flow = hotline.flows.get(name)?;
    let graph = Graph::new(flow, language);
    let ranks = Ranks::new(&graph);
    let mut nodes: Vec<Node> = (0..graph.places.len())
        .map(|place| node(&graph, &ranks, place, hotline, flow, language))
        .collect();
    let mut edges = edges(&graph, &ranks, &nodes);
    for (index, link) in graph.links.iter().enumerate() {
        if !ranks.line[index] {
            nodes[link.from].jumps.push(index);
        }
    }
    for node in &mut nodes {
        size(node, &edges);
    }
    let (width, height) = draw(&graph, &ranks, &mut nodes, &mut edges);
    Some(Layout {
        flow: name.clone(),
        language: language.into(),
        width,
        height,
        nodes,
        edges,
    })
}

fn node(graph: &Graph, ranks: &Ranks, place: usize, hotline: &Hotline, flow: &Flow, language: &str) -> Node {
    let mut node = Node {
        id: String::new(),
        kind: NodeKind::Step,
        step: None,
        verb: None,
        name: String::new(),
        title: None,
        service: None,
        about: String::new(),
        full: String::new(),
        conditional: false,
        jumps: Vec::new(),
        row: ranks.rank[place],
        main: ranks.on_main[place],
        x: 0.0,
        y: 0.0,
        w: 0.0,
        h: 0.0,
    };
    match graph.places[place] {
        Place::Start => {
            node.id = "start".to_owned();
            node.kind = NodeKind::Start;
            node.name = entrance(hotline, &flow.name);
        }
        Place::Anywhere => {
            node.id = "anywhere".to_owned();
            node.kind = NodeKind::Anywhere;
            node.name = "anywhere".to_owned();
        }
        Place::HangUp => {
            node.id = "hang-up".to_owned();
            node.kind = NodeKind::HangUp;
            node.name = "caller hangs up".to_owned();
        }
        Place::Step(index) => {
            if let Some((id, step)) = flow.steps.get_index(index) {
                node.id = format!("step:{id}");
                node.step = Some(id.clone());
                node.verb = Some(step.verb.name());
                node.name = id.to_string();
                node.title.clone_from(&step.title);
                node.service.clone_from(&step.service);
                node.full = show::about(step, language);
                node.about = cut(&node.full, ABOUT_COLUMNS_MAX);
                node.conditional = step.when.is_some();
            }
        }
    }
    node
}

fn edges(graph: &Graph, ranks: &Ranks, nodes: &[Node]) -> Vec<Edge> {
    graph
        .links
        .iter()
        .enumerate()
        .map(|(index, link)| Edge {
            from: nodes[link.from].id.clone(),
            to: nodes[link.to].id.clone(),
            kind: link.kind,
            ways: link.ways.clone(),
            label: link.label.clone(),
            label_at: None,
            points: Vec::new(),
            main: ranks.main[index],
            back: ranks.back[index],
        })
        .collect()
}

/// The text of a jump: its words and where it leads.
pub(super) fn jump_text(edge: &Edge) -> String {
    let to = edge.to.strip_prefix("step:").unwrap_or(&edge.to);
    let label = if edge.label.is_empty() {
        "next"
    } else {
        &edge.label
    };
    cut(&format!("{label} → {to}"), JUMP_COLUMNS_MAX)
}

fn size(node: &mut Node, edges: &[Edge]) {
    // The verb stands in the upper right corner.
    let verb = node.verb.map_or(0.0, |verb| pixels(verb, SMALL_SIZE) + 14.0);
    let mut width = pixels(&node.name, NAME_SIZE) * 1.06 + verb;
    width = width.max(pixels(&node.about, ABOUT_SIZE));
    if let Some(title) = &node.title {
        width = width.max(pixels(title, ABOUT_SIZE));
    }
    for jump in &node.jumps {
        width = width.max(pixels(&jump_text(&edges[*jump]), SMALL_SIZE));
    }
    let lines = usize::from(!node.about.is_empty()) + usize::from(node.title.is_some());
    node.w = (width + 2.0 * SIDE).max(96.0).ceil();
    node.h = TOP + LINE * count(lines) + JUMP_LINE * count(node.jumps.len()) + BOTTOM;
}

/// A small number of things as a length.
fn count(things: usize) -> f64 {
    f64::from(u32::try_from(things).unwrap_or(u32::MAX))
}

/// Gives boxes and lines their places; the width and height of the whole.
fn draw(graph: &Graph, ranks: &Ranks, nodes: &mut [Node], edges: &mut [Edge]) -> (f64, f64) {
    let rows = Rows::new(graph, ranks);
    // Bodies: the items, then the room of each segment's label.
    let mut bodies: Vec<Body> = rows
        .items
        .iter()
        .map(|item| match item {
            Item::Place(place) => Body {
                width: nodes[*place].w,
                main: ranks.on_main[*place],
                thin: false,
            },
            Item::Bend(link) => Body {
                width: 2.0,
                main: ranks.main[*link],
                thin: true,
            },
        })
        .collect();
    let labels = rooms(graph, ranks, &rows, &mut bodies, edges);
    let mut ordered = Vec::with_capacity(rows.rows.len() * 2);
    for (row, items) in rows.rows.iter().enumerate() {
        ordered.push(items.clone());
        if let Some(order) = labels.order.get(row) {
            ordered.push(order.iter().map(|segment| labels.room[row][*segment]).collect());
        }
    }
    let ports = ports(graph, ranks, &rows, &labels, nodes);
    let mut ties = Vec::new();
    for (row, segments) in rows.segments.iter().enumerate() {
        for (index, segment) in segments.iter().enumerate() {
            let room = labels.room[row][index];
            let (above, below) = ports[row][index];
            ties.push(Tie {
                upper: segment.upper,
                upper_offset: above,
                lower: room,
                lower_offset: 0.0,
            });
            ties.push(Tie {
                upper: room,
                upper_offset: 0.0,
                lower: segment.lower,
                lower_offset: below,
            });
        }
    }
    let mut x = place(&bodies, &ordered, &ties);
    let mut lanes = threads(graph, ranks, &rows, &labels);
    lanes.extend(links(&rows, &labels));
    straighten(&bodies, &ordered, &lanes, &mut x);
    let left = |body: usize, x: &[f64]| x[body] - bodies[body].width / 2.0;
    let least = (0..bodies.len())
        .map(|body| left(body, &x))
        .fold(f64::INFINITY, f64::min);
    for place in &mut x {
        // Whole pixels are sharp.
        *place = (*place - least + MARGIN).round();
    }
    let width = (0..bodies.len())
        .map(|body| x[body] + bodies[body].width / 2.0)
        .fold(0.0, f64::max)
        + MARGIN;
    let heights = Heights::new(&rows, &labels, &ports, nodes, &x);
    for (item, what) in rows.items.iter().enumerate() {
        if let Item::Place(place) = what {
            let node = &mut nodes[*place];
            node.x = x[item] - node.w / 2.0;
            node.y = heights.top[node.row];
        }
    }
    for (index, edge) in edges.iter_mut().enumerate() {
        route(edge, &rows, &labels, &ports, &heights, nodes, &x, index);
    }
    let bottom = heights.bottom.last().copied().unwrap_or(MARGIN);
    (width.ceil(), (bottom + MARGIN).ceil())
}

/// Steps in a row of which each has one line to the next, which has no other: they stand under
/// each other, with the rooms and bends between them.
fn threads(graph: &Graph, ranks: &Ranks, rows: &Rows, labels: &Labels) -> Vec<Vec<usize>> {
    let mut entering = vec![0_usize; graph.places.len()];
    let mut leaving = vec![0_usize; graph.places.len()];
    for (index, link) in graph
        .links
        .iter()
        .enumerate()
        .filter(|(index, _)| ranks.line[*index])
    {
        let (upper, lower) = if ranks.back[index] {
            (link.to, link.from)
        } else {
            (link.from, link.to)
        };
        leaving[upper] += 1;
        entering[lower] += 1;
    }
    let alone = |index: usize| {
        let link = &graph.links[index];
        ranks.line[index] && !ranks.back[index] && leaving[link.from] == 1 && entering[link.to] == 1
    };
    let mut follows: Vec<Option<usize>> = vec![None; graph.places.len()];
    let mut led = vec![false; graph.places.len()];
    for index in (0..graph.links.len()).filter(|index| alone(*index)) {
        follows[graph.links[index].from] = Some(index);
        led[graph.links[index].to] = true;
    }
    let between = links(rows, labels);
    let mut threads = Vec::new();
    for first in (0..graph.places.len()).filter(|place| !led[*place] && follows[*place].is_some()) {
        // Places are the first items, so their numbers are the same.
        let mut thread = vec![first];
        let mut place = first;
        while let Some(link) = follows[place] {
            thread.extend(&between[link]);
            place = graph.links[link].to;
            thread.push(place);
        }
        threads.push(thread);
    }
    threads
}

/// The bends and rooms that each line passes, top to bottom.
fn links(rows: &Rows, labels: &Labels) -> Vec<Vec<usize>> {
    let lane = |chain: &Vec<(usize, usize)>| {
        let mut lane = Vec::with_capacity(chain.len() * 2);
        for (place, (row, segment)) in chain.iter().enumerate() {
            lane.push(labels.room[*row][*segment]);
            if place + 1 < chain.len() {
                lane.push(rows.segments[*row][*segment].lower);
            }
        }
        lane
    };
    rows.chains.iter().map(lane).collect()
}

/// The rows of labels.
struct Labels {
    /// The body of each segment's room, by row and segment.
    room: Vec<Vec<usize>>,
    /// Segments of each row from left to right where they pass the labels.
    order: Vec<Vec<usize>>,
    /// The row in which a link's label stands.
    row: Vec<Option<usize>>,
}

fn rooms(graph: &Graph, ranks: &Ranks, rows: &Rows, bodies: &mut Vec<Body>, edges: &[Edge]) -> Labels {
    let row_of = |link: usize| {
        let chain = &rows.chains[link];
        // A label stands near the step whose way it is.
        let segment = if ranks.back[link] {
            chain.last()
        } else {
            chain.first()
        };
        segment
            .map(|(row, _)| *row)
            .filter(|_| !edges[link].label.is_empty())
    };
    let mut labels = Labels {
        room: Vec::new(),
        order: Vec::new(),
        row: (0..graph.links.len()).map(row_of).collect(),
    };
    for (row, segments) in rows.segments.iter().enumerate() {
        // Where the keys of each menu lead first, from the left.
        let is_key =
            |segment: &Segment| graph.links[segment.link].kind == EdgeKind::Key && !ranks.back[segment.link];
        let mut first_key = vec![usize::MAX; rows.items.len()];
        for segment in segments.iter().filter(|segment| is_key(segment)) {
            let first = &mut first_key[segment.upper];
            *first = (*first).min(rows.at[segment.lower]);
        }
        let mut order: Vec<usize> = (0..segments.len()).collect();
        order.sort_by_key(|index| {
            let segment = &segments[*index];
            let lower = rows.at[segment.lower];
            // The keys of a menu stand as on a keypad, all else as it stands below.
            let among = if is_key(segment) {
                (1, graph.links[segment.link].position)
            } else if lower < first_key[segment.upper] {
                (0, lower)
            } else {
                (2, lower)
            };
            (rows.at[segment.upper], among, *index)
        });
        labels.room.push(
            segments
                .iter()
                .map(|segment| {
                    let labelled = labels.row[segment.link] == Some(row);
                    bodies.push(Body {
                        width: if labelled {
                            pixels(&edges[segment.link].label, SMALL_SIZE) + 8.0
                        } else {
                            2.0
                        },
                        main: ranks.main[segment.link],
                        thin: true,
                    });
                    bodies.len() - 1
                })
                .collect(),
        );
        labels.order.push(order);
    }
    labels
}

/// Where each segment leaves what is above it and meets what is below, from the middle.
fn ports(graph: &Graph, ranks: &Ranks, rows: &Rows, labels: &Labels, nodes: &[Node]) -> Vec<Vec<(f64, f64)>> {
    let mut ports: Vec<Vec<(f64, f64)>> = rows
        .segments
        .iter()
        .map(|segments| vec![(0.0, 0.0); segments.len()])
        .collect();
    for (row, order) in labels.order.iter().enumerate() {
        let segments = &rows.segments[row];
        for group in order.chunk_by(|a, b| segments[*a].upper == segments[*b].upper) {
            let Item::Place(place) = rows.items[segments[group[0]].upper] else {
                continue;
            };
            let main = group
                .iter()
                .position(|segment| ranks.main[segments[*segment].link]);
            let middle = main.map_or(count(group.len() - 1) / 2.0, count);
            let reach = middle.max(count(group.len() - 1) - middle).max(1.0);
            let step = PORT.min((nodes[place].w / 2.0 - 14.0) / reach);
            for (index, segment) in group.iter().enumerate() {
                ports[row][*segment].0 = (count(index) - middle) * step;
            }
        }
        // What leads up leaves its box at the top, beside what comes in there.
        for (index, segment) in segments.iter().enumerate() {
            let link = &graph.links[segment.link];
            if ranks.back[segment.link] && rows.items[segment.lower] == Item::Place(link.from) {
                let side = if rows.at[segment.upper] < rows.at[segment.lower] {
                    -1.0
                } else {
                    1.0
                };
                ports[row][index].1 = side * (nodes[link.from].w / 2.0 - 18.0);
            }
        }
    }
    ports
}

/// The heights of rows.
struct Heights {
    top: Vec<f64>,
    bottom: Vec<f64>,
    /// The middle of the row of labels under each row.
    label: Vec<f64>,
}

impl Heights {
    fn new(rows: &Rows, labels: &Labels, ports: &[Vec<(f64, f64)>], nodes: &[Node], x: &[f64]) -> Self {
        let mut heights = Self {
            top: Vec::new(),
            bottom: Vec::new(),
            label: Vec::new(),
        };
        let mut y = MARGIN;
        for (row, items) in rows.rows.iter().enumerate() {
            let height = items
                .iter()
                .filter_map(|item| match rows.items[*item] {
                    Item::Place(place) => Some(nodes[place].h),
                    Item::Bend(_) => None,
                })
                .fold(0.0, f64::max);
            heights.top.push(y);
            y += height;
            heights.bottom.push(y);
            let Some(segments) = rows.segments.get(row) else {
                break;
            };
            // Lines that go far to the side need height, or they lie flat on each other.
            let (mut above, mut below) = (0.0_f64, 0.0_f64);
            for (index, segment) in segments.iter().enumerate() {
                let room = x[labels.room[row][index]];
                above = above.max((room - x[segment.upper] - ports[row][index].0).abs());
                below = below.max((room - x[segment.lower] - ports[row][index].1).abs());
            }
            let labelled = segments
                .iter()
                .any(|segment| labels.row[segment.link] == Some(row));
            let gap = |aside: f64| (GAP_MIN + aside / 9.0).min(GAP_MAX);
            y += gap(above);
            let room = if labelled { LABEL_HEIGHT } else { 0.0 };
            heights.label.push(y + room / 2.0);
            // Heads of lines are to be seen.
            y += room + gap(below) + 6.0;
        }
        heights
    }
}

/// Draws a line through its rooms and bends.
#[expect(
    clippy::too_many_arguments,
    reason = "all of a drawing takes part in one line of it"
)]
fn route(
    edge: &mut Edge,
    rows: &Rows,
    labels: &Labels,
    ports: &[Vec<(f64, f64)>],
    heights: &Heights,
    nodes: &[Node],
    x: &[f64],
    index: usize,
) {
    let mut points: Vec<Point> = Vec::new();
    for (row, at) in &rows.chains[index] {
        let segment = &rows.segments[*row][*at];
        let (above, below) = ports[*row][*at];
        let room = x[labels.room[*row][*at]];
        let half = LABEL_HEIGHT / 2.0;
        let upper = x[segment.upper] + above;
        if let Item::Place(place) = rows.items[segment.upper] {
            points.push(Point {
                x: upper,
                y: nodes[place].y + nodes[place].h,
            });
        }
        points.push(Point {
            x: upper,
            y: heights.bottom[*row],
        });
        let labelled = labels.row[index] == Some(*row);
        let (over, under) = if labelled { (half, half) } else { (0.0, 0.0) };
        points.push(Point {
            x: room,
            y: heights.label[*row] - over,
        });
        points.push(Point {
            x: room,
            y: heights.label[*row] + under,
        });
        if labelled {
            edge.label_at = Some(Point {
                x: room,
                y: heights.label[*row],
            });
        }
        points.push(Point {
            x: x[segment.lower] + below,
            y: heights.top[*row + 1],
        });
    }
    points.dedup();
    if edge.back {
        points.reverse();
    }
    edge.points = straightened(points);
}

/// Leaves out what lies on a straight way between its neighbours.
fn straightened(points: Vec<Point>) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::with_capacity(points.len());
    for point in points {
        while let [.., before, last] = kept.as_slice()
            && (before.x - last.x).abs() < 0.01
            && (last.x - point.x).abs() < 0.01
        {
            kept.pop();
        }
        kept.push(point);
    }
    kept
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{Checked, check, check::harness, parse};

    /// A checked hotline of one flow, `main`, over the harness's plugins.
    pub(in crate::graph) fn flow(text: &str) -> Checked {
        let sources = harness::files(&format!("--- flows/main.yaml\n{text}"));
        let report = check(&parse(&sources), &harness::interfaces());
        report
            .checked
            .unwrap_or_else(|| panic!("{:#?}", report.diagnostics))
    }

    fn overlap(a: (f64, f64, f64, f64), b: (f64, f64, f64, f64)) -> bool {
        a.0 < b.0 + b.2 && b.0 < a.0 + a.2 && a.1 < b.1 + b.3 && b.1 < a.1 + a.3
    }

    /// Nothing covers anything, and the main line is straight.
    fn sound(layout: &Layout) {
        let label = |edge: &Edge| {
            let width = pixels(&edge.label, SMALL_SIZE);
            edge.label_at
                .map(|at| (at.x - width / 2.0, at.y - 7.0, width, 14.0))
        };
        let boxes: Vec<_> = layout
            .nodes
            .iter()
            .map(|node| (node.x, node.y, node.w, node.h))
            .chain(layout.edges.iter().filter_map(label))
            .collect();
        for (index, a) in boxes.iter().enumerate() {
            assert!(a.0 >= 0.0 && a.0 + a.2 <= layout.width, "{a:?} is outside");
            assert!(a.1 >= 0.0 && a.1 + a.3 <= layout.height, "{a:?} is outside");
            for b in &boxes[index + 1..] {
                assert!(!overlap(*a, *b), "{a:?} and {b:?} overlap");
            }
        }
        for edge in layout.edges.iter().filter(|edge| edge.main) {
            assert!(
                edge.points
                    .windows(2)
                    .all(|pair| (pair[0].x - pair[1].x).abs() <= 1.0),
                "{edge:?} is not straight"
            );
        }
        for node in &layout.nodes {
            let keys: Vec<f64> = layout
                .edges
                .iter()
                .filter(|edge| edge.from == node.id && edge.kind == EdgeKind::Key && !edge.back)
                .filter_map(|edge| edge.label_at.map(|at| at.x))
                .collect();
            assert!(keys.is_sorted(), "keys of {} stand at {keys:?}", node.id);
        }
    }

    #[test]
    fn keys_stand_left_to_right_as_on_a_keypad() {
        let checked = flow(
            "flow: main\nanywhere: { keys: { \"9\": f } }\nstart: m\nsteps:\n  \
             m: { menu: hello, keys: { \"#\": e, 0: d, 3: c, 1: a, 2: b }, words: { 二: b }, on: { else: f } }\n  \
             a: { say: hello, next: f }\n  b: { say: hello, next: f }\n  c: { say: hello, next: m }\n  \
             d: { say: hello, next: f }\n  e: { say: hello, next: f }\n  f: { end: completed }\n",
        );
        let layout = layout(&checked, &"main".into(), "en").unwrap();
        sound(&layout);
        let x = |id: &str| layout.nodes.iter().find(|node| node.id == id).unwrap().x;
        let steps = ["step:a", "step:b", "step:c", "step:d", "step:e"].map(x);
        assert!(steps.is_sorted(), "{steps:?}");
        let two = layout.edges.iter().find(|edge| edge.to == "step:b").unwrap();
        assert_eq!(two.label, "2, 二");
        assert_eq!(two.ways.len(), 2);
    }

    /// A flow of menus, failures and ways back, made of a small generator.
    fn tangle(steps: usize, seed: u64) -> String {
        use std::fmt::Write as _;
        let mut state = seed;
        let mut draw = |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        let mut text = String::from("flow: main\non-hangup: gone\nstart: s0\nsteps:\n");
        for step in 0..steps {
            // Only what hears may lead back: a circle has to wait somewhere.
            let ahead = (step + 1 + draw(12)).min(steps);
            let back = step.saturating_sub(draw(5));
            let next = (step + 1).min(steps);
            let to = [next, ahead, back, (step + 1 + draw(4)).min(steps)];
            // Writing to a string does not fail.
            let _ = match draw(4) {
                0 => writeln!(text, "  s{step}: {{ say: hello, next: s{} }}", to[0]),
                1 => writeln!(
                    text,
                    "  s{step}: {{ menu: hello, keys: {{ 1: s{}, 2: s{}, 3: s{} }}, on: {{ else: s{steps} }} }}",
                    to[1], to[0], to[2]
                ),
                2 => writeln!(
                    text,
                    "  s{step}: {{ ask: hello, answer: text, on: {{ no-input: s{}, invalid: s{steps} }}, next: s{} }}",
                    to[3], to[0]
                ),
                _ => writeln!(
                    text,
                    "  s{step}: {{ choose: [ {{ when: \"${{contact.language == 'en'}}\", next: s{} }}, {{ else: s{} }} ] }}",
                    to[1], to[0]
                ),
            };
        }
        let _ = write!(
            text,
            "  s{steps}: {{ end: completed }}\n  gone: {{ end: abandoned }}\n"
        );
        text
    }

    #[test]
    fn tangled_flows_are_laid_out_soundly() {
        for seed in 0..40 {
            let checked = flow(&tangle(30 + usize::try_from(seed).unwrap(), seed));
            let first = layout(&checked, &"main".into(), "en").unwrap();
            sound(&first);
            assert_eq!(first, layout(&checked, &"main".into(), "en").unwrap());
        }
    }

    #[test]
    fn two_thousand_steps_are_laid_out() {
        let checked = flow(&tangle(2_000, 7));
        let layout = layout(&checked, &"main".into(), "en").unwrap();
        assert_eq!(layout.nodes.len(), 2_004);
        let bends: usize = layout.edges.iter().map(|edge| edge.points.len()).sum();
        assert!(bends < 40 * layout.edges.len(), "{bends}");
    }
}
