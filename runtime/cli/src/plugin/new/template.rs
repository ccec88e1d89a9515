//! Templates: texts with `{{placeholders}}`, and parts between `{{#http}}` and `{{/http}}` that stand only where
//! the plugin wants HTTP, or between `{{^http}}` and `{{/http}}` where it does not. A line that holds nothing but such a mark is left out.

/// What a template is written for.
pub(super) struct Values<'a> {
    pub(super) name: &'a str,
    pub(super) department: &'a str,
    pub(super) version: &'a str,
    /// The SDK, as the language's own files refer to it.
    pub(super) sdk: &'a str,
    /// The folder that holds `sdk/`, for what people read: `PATH/TO/trunkline` in templates.
    pub(super) sdk_root: &'a str,
    /// Parts, and whether they stand.
    pub(super) blocks: [(&'static str, bool); 3],
}

/// Writes a template for a plugin.
pub(super) fn render(text: &str, values: &Values<'_>) -> String {
    let mut written = String::with_capacity(text.len());
    // Parts that are open, and whether each stands.
    let mut open: Vec<bool> = Vec::new();
    for line in text.split_inclusive('\n') {
        let alone = values.mark(line.trim()).is_some();
        let mut rest = line;
        while let Some(at) = rest.find("{{") {
            // Of three, the first is the language's own.
            let at = at + usize::from(rest[at..].starts_with("{{{"));
            let (before, mark) = rest.split_at(at);
            let Some(end) = mark.find("}}").map(|end| end + 2) else {
                break;
            };
            let Some(opens) = values.mark(&mark[..end]) else {
                // A sign of the language's own.
                push(&mut written, &open, &rest[..at + 2]);
                rest = &rest[at + 2..];
                continue;
            };
            if !alone {
                push(&mut written, &open, before);
            }
            match opens {
                Some(stands) => open.push(stands),
                None => {
                    open.pop();
                }
            }
            rest = &mark[end..];
        }
        if !alone {
            push(&mut written, &open, rest);
        }
    }
    values.placed(&written)
}

fn push(written: &mut String, open: &[bool], text: &str) {
    if open.iter().all(|stands| *stands) {
        written.push_str(text);
    }
}

impl Values<'_> {
    /// What a mark does: opens a part that stands or does not, or closes one. None for what is no mark.
    fn mark(&self, text: &str) -> Option<Option<bool>> {
        let inside = text.strip_prefix("{{")?.strip_suffix("}}")?;
        let known = |name: &str| self.blocks.iter().find(|(block, _)| *block == name);
        if let Some(name) = inside.strip_prefix('#') {
            return known(name).map(|(_, stands)| Some(*stands));
        }
        if let Some(name) = inside.strip_prefix('^') {
            return known(name).map(|(_, stands)| Some(!stands));
        }
        known(inside.strip_prefix('/')?).map(|_| None)
    }

    fn placed(&self, text: &str) -> String {
        text.replace("{{name}}", self.name)
            .replace("{{snake_name}}", &self.name.replace('-', "_"))
            .replace("{{department}}", self.department)
            .replace("{{version}}", self.version)
            .replace("{{sdk}}", self.sdk)
            .replace("PATH/TO/trunkline", self.sdk_root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, http: bool, kv: bool) -> String {
        render(
            text,
            &Values {
                name: "water-level",
                department: "water-works",
                version: "0.1.0",
                sdk: "trunkline/sdk/js",
                sdk_root: "trunkline",
                blocks: [("http", http), ("kv", kv), ("secrets", false)],
            },
        )
    }

    #[test]
    fn parts_stand_where_they_are_wanted() {
        let text =
            "a\n{{#http}}\nb\n  {{#kv}}\nc\n  {{/kv}}\n{{/http}}\nd{{#http}}, e{{/http}}{{#kv}}, f{{/kv}};\n";
        assert_eq!(written(text, true, true), "a\nb\nc\nd, e, f;\n");
        assert_eq!(written(text, true, false), "a\nb\nd, e;\n");
        assert_eq!(written(text, false, true), "a\nd, f;\n");
        let text = "{{#http}}a{{/http}}{{^http}}b{{/http}}";
        assert_eq!(
            (written(text, true, true), written(text, false, true)),
            ("a".to_owned(), "b".to_owned())
        );
    }

    #[test]
    fn names_are_put_in_and_a_languages_own_signs_stay() {
        assert_eq!(
            written(
                "{{name}} {{snake_name}}@{{version}} of {{department}}: ${{ x }} {{ {{sdk}}",
                true,
                true
            ),
            "water-level water_level@0.1.0 of water-works: ${{ x }} {{ trunkline/sdk/js"
        );
        assert_eq!(written("{{#http}}x", false, false), "");
        assert_eq!(written("f({{{#http}}1, {{/http}}2})", true, false), "f({1, 2})");
    }
}
