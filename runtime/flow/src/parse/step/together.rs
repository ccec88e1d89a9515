//! `together`: several calls at once.

use super::{Fields, Reader, Style, call_fields, prompt_field};
use crate::{
    diagnostics::{Code, Finding},
    limits::TOGETHER_BRANCHES_MAX,
    syntax::{TogetherSyntax, VerbSyntax},
    yaml::Node,
};

/// Names of ways out that no branch may have.
const TAKEN: [&str; 2] = ["fault", "else"];

pub(super) fn together(reader: &Reader<'_>, node: &Node, fields: &mut Fields<'_>) -> Option<VerbSyntax> {
    let meanwhile = prompt_field(reader, fields, "meanwhile");
    let entries = reader.entries(node, "`together`");
    if !(2..=TOGETHER_BRANCHES_MAX).contains(&entries.len()) {
        let place = fields.entry("together").map_or(node.span, |entry| entry.key.span);
        reader.report(
            Finding::new(
                Code::WrongValue,
                place,
                format!(
                    "`together` makes two to {TOGETHER_BRANCHES_MAX} calls at once, not {}",
                    entries.len()
                ),
            )
            .help(if entries.len() < 2 {
                "one call alone is a `call` step"
            } else {
                "make two steps of it"
            }),
        );
    }
    let mut branches = Vec::new();
    let mut whole = true;
    for entry in entries {
        let name = entry.key.clone();
        reader.name(&name, "a branch", Style::Kebab);
        if TAKEN.contains(&name.as_str()) {
            reader.report(
                Finding::new(
                    Code::BadName,
                    name.span,
                    format!(
                        "`{}` stands for ways out and cannot be the name of a branch",
                        name.as_str()
                    ),
                )
                .help("name the branch after what it asks for"),
            );
        }
        let what = format!("the branch `{}`", name.as_str());
        let mut part = reader.fields(&entry.value, &what, name.span);
        part.belongs(reader, "meanwhile", "the step: it is said once for all branches");
        let call = part
            .need(reader, "call", "crm.find-citizen")
            .and_then(|node| call_fields(reader, node, &mut part));
        // Without its call nothing is known of a branch's other fields.
        if call.is_some() {
            part.finish(reader);
        }
        whole &= call.is_some();
        branches.extend(call.map(|call| (name, call)));
    }
    whole.then_some(VerbSyntax::Together(TogetherSyntax { branches, meanwhile }))
}
