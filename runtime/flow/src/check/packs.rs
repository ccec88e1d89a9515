//! `checks` of hotline.yaml: each pack once, and conditions that are conditions. What a pack
//! is called and what can be set for it is the affair of whoever holds the packs.

use std::collections::BTreeMap;

use super::{prompts::place, world::World};
use crate::{
    diagnostics::{Code, Finding},
    expression::formula::{Formula, FormulaError},
    hotline::PackUse,
    source::Word,
};

pub(super) fn check(world: &World<'_>) -> Vec<PackUse> {
    let mut seen: BTreeMap<&str, &Word> = BTreeMap::new();
    let mut packs = Vec::new();
    for written in &world.hotline.checks {
        if let Some(first) = seen.insert(written.pack.as_str(), &written.pack) {
            world.report(
                Finding::new(
                    Code::DuplicateName,
                    written.pack.span,
                    format!("the pack `{}` stands here twice", written.pack.as_str()),
                )
                .label(first.span, "the first time")
                .help("join what is set for it"),
            );
        }
        packs.push(PackUse {
            pack: written.pack.value.clone(),
            settings: written
                .settings
                .iter()
                .map(|(name, number)| (name.value.clone(), *number))
                .collect(),
            assume: written
                .assume
                .iter()
                .filter_map(|word| condition(world, word))
                .collect(),
            words: written
                .words
                .iter()
                .map(|(name, words)| {
                    let words = words.iter().map(|word| word.value.clone());
                    (name.value.clone(), words.collect())
                })
                .collect(),
        });
    }
    packs
}

/// What stands between `${` and `}`.
fn condition(world: &World<'_>, word: &Word) -> Option<std::sync::Arc<str>> {
    let text = word.as_str();
    match Formula::value(text) {
        Ok(formula) if formula.sole().is_some() => {
            let inside = text.trim().strip_prefix("${")?.strip_suffix('}')?;
            Some(inside.trim().into())
        }
        Ok(_) => {
            world.report(
                Finding::new(
                    Code::ExpressionSyntax,
                    word.span,
                    "a condition is an expression in `${…}` and nothing else",
                )
                .help("write it as \"${has(contact.caller)}\""),
            );
            None
        }
        Err(FormulaError::Unbalanced(error) | FormulaError::Expression(error)) => {
            let span = place(world, word, error.range);
            world.report(Finding::new(Code::ExpressionSyntax, span, error.message).help_if(error.help));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::harness::{assert_findings, files, interfaces};
    use crate::{check, parse};

    const FLOW: &str = "--- flows/main.yaml\nflow: main\nstart: done\nsteps: { done: { end: completed } }\n";

    #[test]
    fn packs_are_read_as_they_are_written() {
        let text = [r##"
--- hotline.yaml
hotline: test
languages: [zh-CN]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
checks: [cn-12345, { pack: cn-voice, inputs: 2, seconds: 60, emergency: [救命, 着火], assume: ["${ has(contact.caller) }"] }]
"##, FLOW].concat();
        let report = check(&parse(&files(&text)), &interfaces());
        let checked = report.checked.expect("no findings");
        let [bare, full] = checked.checks.as_slice() else {
            panic!("two packs")
        };
        assert_eq!(&*bare.pack, "cn-12345");
        assert!(bare.settings.is_empty() && bare.words.is_empty() && bare.assume.is_empty());
        assert_eq!(full.settings["inputs"], 2);
        assert_eq!(full.settings["seconds"], 60);
        assert_eq!(full.words["emergency"], ["救命".into(), "着火".into()]);
        assert_eq!(full.assume, ["has(contact.caller)".into()]);
    }

    #[test]
    fn packs_are_named_once_and_assume_conditions() {
        assert_findings(
            &[
                r##"
--- hotline.yaml
hotline: test
languages: [zh-CN]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
checks:
  - cn-12345
  - { pack: cn-12345, inputs: two, assume: ["${has(}", adult] }
#           ^^^^^^^^ TL0109: the pack `cn-12345` stands here twice
#                             ^^^ TL0010: `inputs` cannot be `two`
#                                                      ^^^^^ TL0201: a condition is an expression
#                                                  ^ TL0201: a value should stand here
  - { inputs: 2 }
#   ^^^^^^^^^^^^^ TL0007: a rule pack needs `pack`
"##,
                FLOW,
            ]
            .concat(),
        );
    }
}
