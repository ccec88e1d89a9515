//! `checks` of hotline.yaml: the rule packs that a hotline holds to.

use super::fields::{Reader, Style};
use crate::{
    diagnostics::{Code, Finding},
    source::Word,
    syntax::PackSyntax,
    yaml::{Kind, Node},
};

pub(super) fn packs(reader: &Reader<'_>, node: &Node) -> Vec<PackSyntax> {
    reader
        .list(node, "`checks`")
        .iter()
        .filter_map(|node| pack(reader, node))
        .collect()
}

/// `cn-12345`, or `{ pack: cn-12345, inputs: 2, emergency: [救命], assume: ["${…}"] }`.
fn pack(reader: &Reader<'_>, node: &Node) -> Option<PackSyntax> {
    let Kind::Mapping(_) = node.kind else {
        let pack = reader.word(node, "a rule pack")?;
        reader.name(&pack, "a rule pack", Style::Kebab);
        return Some(PackSyntax {
            pack,
            settings: Vec::new(),
            assume: Vec::new(),
            words: Vec::new(),
        });
    };
    let mut pack: Option<Word> = None;
    let (mut settings, mut assume, mut words) = (Vec::new(), Vec::new(), Vec::new());
    // A pack's settings are its own affair: here each is a number or a list of words.
    for entry in reader.entries(node, "a rule pack") {
        let name = &entry.key;
        let what = format!("`{}`", name.as_str());
        match (name.as_str(), &entry.value.kind) {
            ("pack", _) => pack = reader.word(&entry.value, &what),
            ("assume", _) => assume = reader.plain_list(&entry.value, &what),
            (_, Kind::Sequence(_)) => {
                words.push((name.clone(), reader.plain_list(&entry.value, &what)));
            }
            (_, Kind::Scalar { .. } | Kind::Mapping(_)) => {
                let number = reader
                    .word(&entry.value, &what)
                    .and_then(|word| reader.read::<u64>(&word, &what));
                settings.extend(number.map(|number| (name.clone(), number)));
            }
        }
    }
    if !reader
        .entries(node, "a rule pack")
        .iter()
        .any(|entry| entry.key.as_str() == "pack")
    {
        reader.report(
            Finding::new(
                Code::MissingField,
                node.span,
                "a rule pack needs `pack`, its name",
            )
            .help("add `pack: cn-12345`"),
        );
    }
    if let Some(pack) = &pack {
        reader.name(pack, "a rule pack", Style::Kebab);
    }
    Some(PackSyntax {
        pack: pack?,
        settings,
        assume,
        words,
    })
}
