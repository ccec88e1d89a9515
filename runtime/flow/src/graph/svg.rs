//! A layout as SVG: one file without scripts, fonts or anything else from elsewhere, in the
//! light and the dark as the reader's system is.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    sync::Arc,
};

use trunkline_model::StepId;

use super::{
    color::{self, FAMILIES},
    layout::{
        ABOUT_SIZE, Edge, JUMP_LINE, LINE, Layout, NAME_SIZE, Node, NodeKind, Point, SIDE, SMALL_SIZE, TOP,
        jump_text,
    },
    ways::EdgeKind,
};
use crate::width::pixels;

/// What is painted over a layout: how often contacts were somewhere.
#[derive(Debug, Clone, Default)]
pub struct Paint {
    /// How often each step was entered; none when nothing is to be painted.
    pub steps: Option<BTreeMap<StepId, u64>>,
    /// How often each way was gone, by the step that it leaves and the way's name
    /// ([`super::Way::name`]).
    pub ways: BTreeMap<(StepId, Arc<str>), u64>,
}

impl Paint {
    /// How often a step was entered; none when nothing is painted, or it is no step.
    fn of_node(&self, node: &Node) -> Option<u64> {
        let steps = self.steps.as_ref()?;
        let step = node.step.as_ref()?;
        Some(steps.get(step).copied().unwrap_or(0))
    }

    /// How often an edge was gone by any of its ways.
    fn of_edge(&self, edge: &Edge) -> Option<u64> {
        self.steps.as_ref()?;
        let step = StepId::from(edge.from.strip_prefix("step:")?);
        let ways = edge.ways.iter();
        Some(
            ways.filter_map(|way| self.ways.get(&(step.clone(), way.name.clone())))
                .sum(),
        )
    }

    fn most(&self) -> u64 {
        let steps = self.steps.iter().flat_map(BTreeMap::values);
        steps.copied().max().unwrap_or(0).max(1)
    }
}

/// Draws a layout.
pub fn svg(layout: &Layout, paint: &Paint) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, layout, paint);
    out
}

fn write(out: &mut String, layout: &Layout, paint: &Paint) -> fmt::Result {
    let (width, height) = (layout.width, layout.height);
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" class=\"flow\" aria-labelledby=\"flow-{flow}-title\">",
        flow = layout.flow
    )?;
    writeln!(
        out,
        "<title id=\"flow-{flow}-title\">flow {flow}: {} steps</title>",
        layout.nodes.iter().filter(|node| node.step.is_some()).count(),
        flow = layout.flow
    )?;
    style(out)?;
    writeln!(
        out,
        "<rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>"
    )?;
    // The main line lies over the others, boxes over lines, labels over both.
    let lines = || layout.edges.iter().filter(|edge| !edge.is_jump());
    for edge in lines()
        .filter(|edge| !edge.main)
        .chain(lines().filter(|edge| edge.main))
    {
        line(out, edge, paint)?;
    }
    for node in &layout.nodes {
        body(out, layout, node, paint)?;
    }
    for edge in lines() {
        label(out, edge)?;
    }
    writeln!(out, "</svg>")
}

fn style(out: &mut String) -> fmt::Result {
    let grounds = [
        ("#ffffff", "#1f2937", "#5b6472", "#9aa3b2", "#475569", "#b42318"),
        ("#0f1318", "#e7eaf0", "#a3acba", "#5d6776", "#aeb8c8", "#ff8a7a"),
    ];
    writeln!(
        out,
        "<style>\n\
         .flow text {{ font-family: system-ui, -apple-system, \"Segoe UI\", \"PingFang SC\", \"Microsoft YaHei\", \
         \"Noto Sans CJK SC\", \"Noto Sans\", sans-serif; }}\n\
         .flow .name {{ font-size: {NAME_SIZE}px; font-weight: 600; }}\n\
         .flow .about {{ font-size: {ABOUT_SIZE}px; }}\n\
         .flow .verb, .flow .jump, .flow .label {{ font-size: {SMALL_SIZE}px; }}\n\
         .flow .verb {{ text-anchor: end; }}\n\
         .flow .label {{ text-anchor: middle; stroke-width: 4px; paint-order: stroke; stroke-linejoin: round; }}\n\
         .flow .box {{ stroke-width: 1.2px; }}\n\
         .flow .main .box {{ stroke-width: 2.2px; }}\n\
         .flow .conditional .box {{ stroke-dasharray: 5 3; }}\n\
         .flow .line {{ fill: none; stroke-width: 1.2px; }}\n\
         .flow .line.main {{ stroke-width: 2.6px; }}\n\
         .flow .line.exit {{ stroke-dasharray: 4 3; }}\n\
         .flow .line.back {{ stroke-dasharray: 1.5 3; stroke-linecap: round; stroke-width: 1.6px; }}\n\
         .flow .never {{ opacity: .42; }}\n\
         .flow .head {{ stroke: none; }}\n\
         .flow a:hover text {{ text-decoration: underline; }}"
    )?;
    for (dark, (ground, ink, soft, wire, main, exit)) in [false, true].into_iter().zip(grounds) {
        if dark {
            writeln!(out, "@media (prefers-color-scheme: dark) {{")?;
        }
        writeln!(
            out,
            ".flow .ground {{ fill: {ground}; }}\n\
             .flow .name {{ fill: {ink}; }}\n\
             .flow .about, .flow .jump {{ fill: {soft}; }}\n\
             .flow .label {{ fill: {ink}; stroke: {ground}; }}\n\
             .flow .line {{ stroke: {wire}; }} .flow .head {{ fill: {wire}; }}\n\
             .flow .line.main {{ stroke: {main}; }} .flow .head.main {{ fill: {main}; }}\n\
             .flow .line.exit {{ stroke: {exit}; }} .flow .head.exit {{ fill: {exit}; }}\n\
             .flow .entrance .box {{ fill: {ink}; stroke: {ink}; }} .flow .entrance .name {{ fill: {ground}; }}\n\
             .flow .entrance .jump {{ fill: {ground}; }}\n\
             .flow .count {{ fill: {ground}; stroke: none; }} .flow .count-ground {{ fill: {main}; }}"
        )?;
        for family in FAMILIES {
            let (strong, tint) = if dark { family.dark } else { family.light };
            writeln!(
                out,
                ".flow .{name} .box {{ fill: {tint}; stroke: {strong}; }} .flow .{name} .verb {{ fill: {strong}; }}",
                name = family.name
            )?;
        }
        if dark {
            writeln!(out, "}}")?;
        }
    }
    writeln!(out, "</style>")
}

/// A line and its head.
fn line(out: &mut String, edge: &Edge, paint: &Paint) -> fmt::Result {
    let mut class = String::from(match edge.kind {
        EdgeKind::Exit | EdgeKind::Anywhere | EdgeKind::HangUp => "exit",
        EdgeKind::Start
        | EdgeKind::Key
        | EdgeKind::Next
        | EdgeKind::Branch
        | EdgeKind::Intent
        | EdgeKind::Offer
        | EdgeKind::Word => "way",
    });
    if edge.main {
        class.push_str(" main");
    }
    if edge.back {
        class.push_str(" back");
    }
    let gone = paint.of_edge(edge);
    if gone == Some(0) {
        class.push_str(" never");
    }
    let mut tooltip = format!("{} → {}", short(&edge.from), short(&edge.to));
    for way in &edge.ways {
        tooltip.push('\n');
        tooltip.push_str(&way.name);
    }
    if let Some(count) = gone {
        let _ = write!(tooltip, "\ngone {count} times");
    }
    let strength = match gone {
        Some(count) if count > 0 => format!(
            " style=\"stroke-width:{:.1}px\"",
            1.4 + 3.0 * share(count, paint.most())
        ),
        _ => String::new(),
    };
    let Some((tip, path)) = path(&edge.points) else {
        return Ok(());
    };
    writeln!(
        out,
        "<g><title>{}</title><path class=\"line {class}\"{strength} d=\"{path}\"/><path class=\"head {class}\" d=\"{}\"/></g>",
        Escaped(&tooltip),
        head(tip, edge.back)
    )
}

/// How much of the most a count is, on the scale of the eye.
fn share(count: u64, most: u64) -> f64 {
    let size = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX)).ln_1p();
    size(count) / size(most).max(0.1)
}

/// How long the head of a line is.
const HEAD: f64 = 7.0;

/// A path through points, upright at each of them, and its tip.
fn path(points: &[Point]) -> Option<(Point, String)> {
    let (tip, _) = points.split_last()?;
    let mut path = String::new();
    let mut at: Option<Point> = None;
    for (index, point) in points.iter().enumerate() {
        let mut point = *point;
        let before = at;
        if index + 1 == points.len()
            && let Some(before) = before
        {
            // The line ends where its head begins.
            point.y -= HEAD * 0.8 * (point.y - before.y).signum();
        }
        // Writing to a string does not fail.
        let _ = match before {
            None => write!(path, "M{:.1} {:.1}", point.x, point.y),
            Some(before) if (before.x - point.x).abs() < 0.1 => write!(path, "V{:.1}", point.y),
            Some(before) => {
                let middle = f64::midpoint(before.y, point.y);
                write!(
                    path,
                    "C{:.1} {middle:.1} {:.1} {middle:.1} {:.1} {:.1}",
                    before.x, point.x, point.x, point.y
                )
            }
        };
        at = Some(point);
    }
    Some((*tip, path))
}

fn head(tip: Point, up: bool) -> String {
    let y = if up { tip.y + HEAD } else { tip.y - HEAD };
    format!(
        "M{:.1} {:.1}L{:.1} {y:.1}L{:.1} {y:.1}Z",
        tip.x,
        tip.y,
        tip.x - HEAD * 0.5,
        tip.x + HEAD * 0.5
    )
}

fn short(id: &str) -> &str {
    id.strip_prefix("step:").unwrap_or(id)
}

/// A box and what is written in it.
fn body(out: &mut String, layout: &Layout, node: &Node, paint: &Paint) -> fmt::Result {
    let mut class = match node.kind {
        NodeKind::Step => color::of(node.verb.unwrap_or_default()).name.to_owned(),
        NodeKind::Start | NodeKind::Anywhere | NodeKind::HangUp => "entrance".to_owned(),
    };
    if node.main {
        class.push_str(" main");
    }
    if node.conditional {
        class.push_str(" conditional");
    }
    let entered = paint.of_node(node);
    if entered == Some(0) {
        class.push_str(" never");
    }
    let mut tooltip = match node.verb {
        Some(verb) => format!("{}: {verb}", node.name),
        None => node.name.clone(),
    };
    for more in [node.title.as_deref().unwrap_or_default(), &node.full] {
        if !more.is_empty() {
            tooltip.push('\n');
            tooltip.push_str(more);
        }
    }
    if let Some(service) = &node.service {
        let _ = write!(tooltip, "\nservice {service}");
    }
    if let Some(count) = entered {
        let _ = write!(tooltip, "\nentered {count} times");
    }
    let (x, y, w, h) = (node.x, node.y, node.w, node.h);
    writeln!(
        out,
        "<g class=\"{class}\" id=\"{}\"><title>{}</title>",
        anchor(layout, &node.id),
        Escaped(&tooltip)
    )?;
    let round = if node.kind == NodeKind::Step && node.verb != Some("end") {
        7.0
    } else {
        (h / 2.0).min(16.0)
    };
    writeln!(
        out,
        "<rect class=\"box\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"{round}\"/>"
    )?;
    let left = x + SIDE;
    let mut line = y + TOP;
    writeln!(
        out,
        "<text class=\"name\" x=\"{left:.1}\" y=\"{line:.1}\">{}</text>",
        Escaped(&node.name)
    )?;
    if let Some(verb) = node.verb {
        let right = x + w - SIDE;
        writeln!(
            out,
            "<text class=\"verb\" x=\"{right:.1}\" y=\"{line:.1}\">{verb}</text>"
        )?;
    }
    for text in [node.title.as_deref().unwrap_or_default(), &node.about] {
        if !text.is_empty() {
            line += LINE;
            writeln!(
                out,
                "<text class=\"about\" x=\"{left:.1}\" y=\"{line:.1}\">{}</text>",
                Escaped(text)
            )?;
        }
    }
    for jump in &node.jumps {
        let edge = &layout.edges[*jump];
        line += JUMP_LINE;
        let never = if paint.of_edge(edge) == Some(0) {
            " never"
        } else {
            ""
        };
        writeln!(
            out,
            "<a href=\"#{}\"><text class=\"jump{never}\" x=\"{left:.1}\" y=\"{line:.1}\">{}</text></a>",
            anchor(layout, &edge.to),
            Escaped(&jump_text(edge))
        )?;
    }
    if let Some(count) = entered.filter(|count| *count > 0) {
        let text = count.to_string();
        let width = pixels(&text, SMALL_SIZE) + 10.0;
        let (right, middle) = (x + w + 4.0, y);
        writeln!(
            out,
            "<rect class=\"count-ground\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"15\" rx=\"7.5\"/>\
             <text class=\"label count\" x=\"{:.1}\" y=\"{:.1}\">{text}</text>",
            right - width,
            middle - 8.0,
            right - width / 2.0,
            middle + 3.5
        )?;
    }
    writeln!(out, "</g>")
}

fn label(out: &mut String, edge: &Edge) -> fmt::Result {
    let Some(at) = edge.label_at else {
        return Ok(());
    };
    // The line is not to be seen between the letters.
    let width = pixels(&edge.label, SMALL_SIZE) + 4.0;
    writeln!(
        out,
        "<rect class=\"ground\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"14\" rx=\"3\"/>",
        at.x - width / 2.0,
        at.y - 7.0
    )?;
    writeln!(
        out,
        "<text class=\"label\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        at.x,
        at.y + 3.8,
        Escaped(&edge.label)
    )
}

/// The id of a box in the picture: of the flow too, so that several pictures fit on one page.
fn anchor(layout: &Layout, id: &str) -> String {
    format!("{}-{}", layout.flow, id.replace(':', "-"))
}

/// A text as XML has it.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                // XML has no other control characters.
                character if character.is_control() && !matches!(character, '\n' | '\t') => {
                    f.write_char('\u{FFFD}')?;
                }
                character => f.write_char(character)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::layout::{layout, tests::flow},
        *,
    };

    const TEXT: &str = "flow: main\nstart: m\nsteps:\n  \
        m: { menu: { zh-CN: \"1 < 2 & \\\"3\\\"\", en: \"1 < 2 & \\\"3\\\"\" }, keys: { 1: a, 2: done }, on: { else: done } }\n  \
        a: { say: hello, next: done }\n  done: { end: completed }\n";

    #[test]
    fn what_authors_write_is_escaped() {
        let checked = flow(TEXT);
        let layout = layout(&checked, &"main".into(), "en").unwrap();
        let picture = svg(&layout, &Paint::default());
        assert!(picture.contains("1 &lt; 2 &amp; &quot;3&quot;"), "{picture}");
        assert!(!picture.contains("<script"));
        assert_eq!(picture.matches("<g").count(), picture.matches("</g>").count());
        assert!(picture.contains("prefers-color-scheme: dark"));
        assert!(picture.contains("id=\"main-step-done\""));
    }

    #[test]
    fn what_was_never_reached_is_pale() {
        let checked = flow(TEXT);
        let layout = layout(&checked, &"main".into(), "en").unwrap();
        let paint = Paint {
            steps: Some(BTreeMap::from([("m".into(), 3), ("done".into(), 3)])),
            ways: BTreeMap::from([(("m".into(), "key:2".into()), 3)]),
        };
        let picture = svg(&layout, &paint);
        let of = |id: &str| {
            let at = picture.find(&format!("id=\"main-step-{id}\"")).unwrap();
            picture[..at].rsplit('<').next().unwrap().contains("never")
        };
        assert!(of("a") && !of("m") && !of("done"));
        assert!(picture.contains("entered 3 times") && picture.contains("gone 3 times"));
        assert!(svg(&layout, &Paint::default()).find("entered").is_none());
    }
}
