//! Rule packs: which rules a hotline holds to, by which clause, within which bounds. They are data:
//! one file each under `runtime/flow/packs`, versioned.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, LazyLock},
};

use crate::{
    Tongue,
    diagnostics::{Code, Findings, chinese},
    source::{Files, Sources},
    yaml::{self, Kind, Node},
};

/// The files of the packs.
const FILES: [&str; 4] = [
    include_str!("../../packs/cn-12345.yaml"),
    include_str!("../../packs/zero-menu.yaml"),
    include_str!("../../packs/elderly.yaml"),
    include_str!("../../packs/accessibility.yaml"),
];

/// A rule that is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A human or a ring-back is within reach.
    R1,
    /// The first thing that waits for the caller is a human.
    R2,
    /// How long it takes to a human at worst.
    R3,
    /// Emergencies leave at once.
    R4,
    /// Who is over 65 presses no key.
    R5,
    /// The notice comes before personal data is used.
    R6,
    /// Personal data goes only where it was granted.
    R7,
    /// A synthetic voice is announced.
    R8,
    /// Ring-backs keep to calling hours.
    R9,
    /// There is time enough to answer.
    R10,
    /// Nobody is let go in silence.
    R11,
    /// A merged number costs no more presses.
    R14,
}

impl Rule {
    /// All rules.
    pub const ALL: [Self; 12] = [
        Self::R1,
        Self::R2,
        Self::R3,
        Self::R4,
        Self::R5,
        Self::R6,
        Self::R7,
        Self::R8,
        Self::R9,
        Self::R10,
        Self::R11,
        Self::R14,
    ];

    /// Its name, such as `R1`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::R1 => "R1",
            Self::R2 => "R2",
            Self::R3 => "R3",
            Self::R4 => "R4",
            Self::R5 => "R5",
            Self::R6 => "R6",
            Self::R7 => "R7",
            Self::R8 => "R8",
            Self::R9 => "R9",
            Self::R10 => "R10",
            Self::R11 => "R11",
            Self::R14 => "R14",
        }
    }

    /// The code of its findings.
    pub const fn code(self) -> Code {
        match self {
            Self::R1 => Code::HumanOutOfReach,
            Self::R2 => Code::MenuBeforeHuman,
            Self::R3 => Code::HumanTooLate,
            Self::R4 => Code::EmergencyUnheard,
            Self::R5 => Code::ElderlyMustPress,
            Self::R6 => Code::NoNotice,
            Self::R7 => Code::DataNotGranted,
            Self::R8 => Code::SyntheticVoice,
            Self::R9 => Code::NoCallingWindow,
            Self::R10 => Code::TooLittleTime,
            Self::R11 => Code::SilentEnd,
            Self::R14 => Code::MorePresses,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A rule pack.
#[derive(Clone, Debug)]
pub struct Pack {
    /// Its name, as `checks` of hotline.yaml writes it.
    pub name: Arc<str>,
    /// Its version: year and number.
    pub version: Arc<str>,
    /// What it is, in the languages of those who use it.
    pub title: Arc<str>,
    /// Its rules.
    pub rules: BTreeMap<Rule, Clause>,
    /// The file as it stands.
    pub text: &'static str,
}

/// A rule as a pack has it.
#[derive(Clone, Debug, Default)]
pub struct Clause {
    /// Where the rule comes from.
    pub source: Arc<str>,
    /// Its bounds by name.
    pub settings: BTreeMap<Arc<str>, u64>,
    /// Its lists of words by name.
    pub words: BTreeMap<Arc<str>, Words>,
}

impl Clause {
    /// Where the rule comes from, in a language.
    pub fn source_in(&self, tongue: Tongue) -> String {
        match tongue {
            Tongue::English => self.source.to_string(),
            Tongue::Chinese => chinese::sentence(&self.source),
        }
    }
}

/// Words by the primary language that they are of.
pub type Words = BTreeMap<Arc<str>, Vec<Arc<str>>>;

/// All packs there are.
pub static PACKS: LazyLock<Vec<Pack>> = LazyLock::new(|| FILES.iter().map(|text| read(text)).collect());

/// The pack of a name.
pub fn pack(name: &str) -> Option<&'static Pack> {
    PACKS.iter().find(|pack| &*pack.name == name)
}

fn read(text: &'static str) -> Pack {
    let files = Files::new(&Sources::new([("hotline.yaml", text)]));
    let mut findings = Findings::default();
    let document = yaml::read(0, &files.0[0], &mut findings);
    let root = document.root.expect("the packs' files are YAML, as a test shows");
    let word = |name: &str| text_of(field(&root, name));
    Pack {
        name: word("pack"),
        version: word("version"),
        title: word("title"),
        rules: entries(field(&root, "rules"))
            .filter_map(|(name, node)| {
                let rule = Rule::ALL.into_iter().find(|rule| rule.as_str() == &*name)?;
                Some((rule, clause(node)))
            })
            .collect(),
        text,
    }
}

fn clause(node: &Node) -> Clause {
    let settings = entries(Some(node))
        .filter_map(|(name, node)| Some((name, node.word()?.as_str().parse().ok()?)))
        .collect();
    let words = entries(field(node, "words"))
        .map(|(list, node)| {
            let by_language = entries(Some(node)).map(|(language, node)| {
                let words = match &node.kind {
                    Kind::Sequence(words) => words.iter().map(|word| text_of(Some(word))).collect(),
                    Kind::Scalar { .. } | Kind::Mapping(_) => Vec::new(),
                };
                (language, words)
            });
            (list, by_language.collect())
        })
        .collect();
    Clause {
        source: text_of(field(node, "clause")),
        settings,
        words,
    }
}

fn entries(node: Option<&Node>) -> impl Iterator<Item = (Arc<str>, &Node)> {
    let entries = match node.map(|node| &node.kind) {
        Some(Kind::Mapping(entries)) => entries.as_slice(),
        _ => &[],
    };
    entries
        .iter()
        .map(|entry| (entry.key.value.clone(), &entry.value))
}

fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let found = entries(Some(node)).find(|(key, _)| &**key == name)?;
    Some(found.1)
}

fn text_of(node: Option<&Node>) -> Arc<str> {
    node.and_then(Node::word)
        .map(|word| word.value)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_are_whole() {
        for text in FILES {
            let files = Files::new(&Sources::new([("hotline.yaml", text)]));
            let mut findings = Findings::default();
            assert!(yaml::read(0, &files.0[0], &mut findings).whole, "{text}");
            let pack = read(text);
            assert!(!pack.name.is_empty() && !pack.version.is_empty() && !pack.title.is_empty());
            let written = text.lines().filter(|line| line.starts_with("  R")).count();
            assert_eq!(pack.rules.len(), written, "{}", pack.name);
            assert!(pack.rules.values().all(|clause| !clause.source.is_empty()));
        }
        let names: Vec<&str> = PACKS.iter().map(|pack| &*pack.name).collect();
        assert_eq!(names, ["cn-12345", "zero-menu", "elderly", "accessibility"]);
        let r1 = &pack("cn-12345").unwrap().rules[&Rule::R1];
        assert_eq!(r1.settings["inputs"], 2);
        assert_eq!(
            pack("cn-12345").unwrap().rules[&Rule::R4].words["emergency"]["zh"].len(),
            3
        );
    }
}
