//! A flow as a Mermaid flowchart, for pages that draw those: reviews, wikis, READMEs.

use std::fmt::{self, Write as _};

use super::{
    color::{self, FAMILIES},
    layout::{Layout, Node, NodeKind},
    ways::EdgeKind,
};

/// Writes a flow as a Mermaid flowchart. Mermaid lays it out by itself; of the layout only what
/// it says of boxes and ways is used, jumps drawn as lines.
pub fn mermaid(layout: &Layout) -> String {
    let mut out = String::from("flowchart TD\n");
    // Writing to a string does not fail.
    let _ = write(&mut out, layout);
    out
}

fn write(out: &mut String, layout: &Layout) -> fmt::Result {
    let index = |id: &str| {
        layout
            .nodes
            .iter()
            .position(|node| node.id == id)
            .unwrap_or_default()
    };
    for (place, node) in layout.nodes.iter().enumerate() {
        let (open, close) = shape(node);
        let mut text = format!("<b>{}</b>", Escaped(&node.name));
        if let Some(verb) = node.verb {
            let _ = write!(text, " {verb}");
        }
        for more in [node.title.as_deref().unwrap_or_default(), &node.about] {
            if !more.is_empty() {
                let _ = write!(text, "<br>{}", Escaped(more));
            }
        }
        let class = match node.kind {
            NodeKind::Step => color::of(node.verb.unwrap_or_default()).name,
            NodeKind::Start | NodeKind::Anywhere | NodeKind::HangUp => "ends",
        };
        writeln!(out, "  n{place}{open}\"{text}\"{close}:::{class}")?;
    }
    for edge in &layout.edges {
        let arrow = match edge.kind {
            _ if edge.main => "==>",
            EdgeKind::Exit | EdgeKind::Anywhere | EdgeKind::HangUp => "-.->",
            EdgeKind::Start
            | EdgeKind::Key
            | EdgeKind::Next
            | EdgeKind::Branch
            | EdgeKind::Intent
            | EdgeKind::Offer
            | EdgeKind::Word => "-->",
        };
        let label = if edge.label.is_empty() {
            String::new()
        } else {
            format!("|\"{}\"|", Escaped(&edge.label))
        };
        writeln!(
            out,
            "  n{} {arrow}{label} n{}",
            index(&edge.from),
            index(&edge.to)
        )?;
    }
    for family in FAMILIES {
        let (strong, tint) = family.light;
        writeln!(
            out,
            "  classDef {} fill:{tint},stroke:{strong},color:#1f2937",
            family.name
        )?;
    }
    Ok(())
}

/// The brackets that give a box its shape.
fn shape(node: &Node) -> (&'static str, &'static str) {
    match node.verb {
        Some("menu" | "ask") => ("{{", "}}"),
        Some("choose") => ("{", "}"),
        Some("call" | "together" | "run") => ("[[", "]]"),
        Some("end") | None => ("([", "])"),
        Some(_) => ("[", "]"),
    }
}

/// A text within Mermaid's quotes: what means something to it or to HTML goes by number.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '"' | '<' | '>' | '&' | '#' | ';' | '`' | '|' | '*' | '_' | '\\' | '{' | '}' | '[' | ']' => {
                    write!(f, "#{};", u32::from(character))?;
                }
                character if character.is_control() => f.write_char(' ')?,
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

    #[test]
    fn what_authors_write_cannot_leave_its_quotes() {
        let checked = flow(
            "flow: main\nstart: m\nsteps:\n  \
             m: { menu: { zh-CN: 'a\"]] --> x', en: 'a\"]] --> x' }, keys: { 1: done, \"#\": done }, on: { else: done } }\n  \
             done: { end: completed }\n",
        );
        let layout = layout(&checked, &"main".into(), "en").unwrap();
        assert_eq!(
            mermaid(&layout).lines().take(5).collect::<Vec<_>>(),
            [
                "flowchart TD",
                "  n0([\"<b>12345</b>\"]):::ends",
                "  n1{{\"<b>m</b> menu<br>a#34;#93; --#62; x\"}}:::asks",
                "  n2([\"<b>done</b> end<br>completed\"]):::ends",
                "  n0 ==> n1",
            ]
        );
        assert!(mermaid(&layout).contains("n1 ==>|\"1, #35;, no-input, no-match\"| n2"));
    }
}
