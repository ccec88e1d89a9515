//! XML and HTML: texts of elements and values of attributes, by their names and by their form.

use super::{Kind, Mask, keys::kind_of};

/// Elements in one another; what lies deeper is taken by its form alone.
const DEPTH_MAX: usize = 200;

impl Mask {
    /// Masks a text with elements. What does not read as such is masked by its form.
    pub(super) fn markup(&mut self, text: &str) -> String {
        // In a page `name` is what a field is called, and no person's.
        let is_page = text.to_ascii_lowercase().contains("<html");
        let mut masked = String::with_capacity(text.len());
        let mut open: Vec<(&str, Option<Kind>)> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let inside = open.last().and_then(|(_, kind)| *kind);
            if let Some(data) = rest.strip_prefix("<![CDATA[") {
                let (data, after) = data.split_once("]]>").unwrap_or((data, ""));
                masked.push_str("<![CDATA[");
                masked.push_str(&self.inner(data, inside));
                masked.push_str("]]>");
                rest = after;
            } else if rest.starts_with('<') {
                let end = rest.find('>').map_or(rest.len(), |at| at + 1);
                let (tag, after) = rest.split_at(end);
                let is_said = tag.starts_with("<!") || tag.starts_with("<?");
                masked.push_str(&if is_said {
                    self.text(tag)
                } else {
                    self.tag(tag, is_page)
                });
                rest = after;
                let name = tag_name(tag);
                if tag.starts_with("</") {
                    if let Some(at) = open.iter().rposition(|(known, _)| *known == name) {
                        open.truncate(at);
                    }
                } else if !name.is_empty() && !tag.ends_with("/>") && open.len() < DEPTH_MAX {
                    let local = name.rsplit(':').next().unwrap_or(name);
                    open.push((name, kind_of(local).or(inside)));
                }
            } else {
                let (inner, after) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
                masked.push_str(&self.inner(inner, inside));
                rest = after;
            }
        }
        masked
    }

    fn inner(&mut self, text: &str, kind: Option<Kind>) -> String {
        let plain = text.trim();
        match kind {
            Some(kind) if !plain.is_empty() => text.replacen(plain, &self.placeholder(kind, plain), 1),
            _ => self.text(text),
        }
    }

    /// A tag, with the values of its attributes masked.
    fn tag(&mut self, tag: &str, is_page: bool) -> String {
        let mut masked = String::with_capacity(tag.len());
        let mut rest = tag;
        while let Some(at) = rest.find(['"', '\'']) {
            let (before, value) = rest.split_at(at);
            let quote = &value[..1];
            let (value, after) = value[1..].split_once(quote).unwrap_or((&value[1..], ""));
            let name = before.trim_end().trim_end_matches('=').trim_end();
            let name = name
                .rsplit([' ', '\t', '\n', ':', '<'])
                .next()
                .unwrap_or_default();
            let kind = if is_page { None } else { kind_of(name) };
            masked.push_str(&self.text(before));
            masked.push_str(quote);
            masked.push_str(&match kind {
                Some(kind) => self.placeholder(kind, value),
                None => self.text(value),
            });
            masked.push_str(quote);
            rest = after;
        }
        masked.push_str(&self.text(rest));
        masked
    }
}

fn tag_name(tag: &str) -> &str {
    let name = tag.trim_start_matches(['<', '/']);
    let end = name
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, ':' | '_' | '-' | '.')))
        .unwrap_or(name.len());
    &name[..end]
}
