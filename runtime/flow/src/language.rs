//! The language as one table: every mapping of every file, its fields, what stands in each,
//! and what it is for.
//!
//! JSON Schema, completion, hover, "go to" and renaming all come from this table, so that
//! they cannot tell different stories; a test compares it with what the parser takes. The
//! table says where names stand and what they name, never whether they are right: that is
//! the checker's.

mod calendar;
mod files;
mod flow;
mod grants;
mod hotline;
mod scenario;
mod survey;
mod telephony;
mod ticket;
mod verbs;
mod walk;

use crate::yaml::Entry;

pub(crate) use self::{
    files::FileShape,
    walk::{Role, Visit, walk},
};

/// A mapping whose fields are known.
pub(crate) struct Mapping {
    /// What it is, as findings call it: "a number".
    pub(crate) what: &'static str,
    /// What it is for.
    pub(crate) doc: &'static str,
    /// Its fields, in the order in which people write them.
    pub(crate) fields: &'static [Field],
    /// Fields of which exactly one stands there, each with further fields of its own.
    pub(crate) verbs: &'static [Verb],
}

/// A field that says what its mapping is, such as `menu` of a step.
pub(crate) struct Verb {
    pub(crate) field: Field,
    /// The fields that only this verb has.
    pub(crate) fields: &'static [Field],
    /// Ways out that are always there besides `next`.
    pub(crate) exits: &'static [&'static str],
}

/// A field of a mapping.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// A value as it stands in YAML, which parses where the field is.
    pub(crate) example: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) needed: bool,
}

/// What stands somewhere.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    /// A plain value.
    Word(Kind),
    /// A mapping with known fields.
    Mapping(&'static Mapping),
    /// `name: value` lines with names of one kind.
    Entries { key: Kind, value: &'static Shape },
    /// The same, and beside them fields that are known.
    Besides {
        fields: &'static Mapping,
        key: Kind,
        value: &'static Shape,
    },
    /// A list.
    List(&'static Shape),
    /// A value of the flow: plain, an expression, a list or a mapping of such.
    Value,
    /// One of several, told apart by whether it is plain, a list or a mapping.
    Either(&'static [Shape]),
}

/// What a plain value, or a key, means.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// The name of something that is declared elsewhere.
    Names(Subject),
    /// The name that this place gives to something.
    Declares(Subject),
    /// A parameter of the function that is called, or an input of the flow that is run.
    Argument,
    /// A way out of a step.
    Exit,
    /// The outcome of an `end` step.
    Outcome,
    /// An expression that is true or false: `"${…}"`.
    Condition,
    /// A plain value or text with `${…}` in it.
    Value,
    /// Text with `{…}` in it, as prompts are.
    Template,
    /// A type of a variable.
    Type,
    /// A length of time: `30s`.
    Duration,
    /// A whole number.
    Whole,
    /// A number.
    Decimal,
    /// `true` or `false`.
    Bool,
    /// One of some words.
    Choice(&'static [Choice]),
    /// A key of the keypad.
    Key,
    /// Anything else, named for people.
    Text(&'static str),
}

/// A word that a field takes, and what it means.
pub(crate) struct Choice {
    pub(crate) word: &'static str,
    pub(crate) doc: &'static str,
}

/// What has names in a hotline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A flow.
    Flow,
    /// A step of a flow.
    Step,
    /// A variable of a flow; inputs are variables.
    Variable,
    /// An output of a flow.
    Output,
    /// A prompt.
    Prompt,
    /// A language.
    Language,
    /// A plugin.
    Plugin,
    /// A plugin's function.
    Function,
    /// A calendar.
    Calendar,
    /// A queue.
    Queue,
    /// A survey.
    Survey,
    /// A class of tickets.
    Ticket,
    /// An agent.
    Agent,
    /// A skill of agents.
    Skill,
    /// A service that callers reach.
    Service,
}

impl Subject {
    /// What it is, in a word or two.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Step => "step",
            Self::Variable => "variable",
            Self::Output => "output",
            Self::Prompt => "prompt",
            Self::Language => "language",
            Self::Plugin => "plugin",
            Self::Function => "function",
            Self::Calendar => "calendar",
            Self::Queue => "queue",
            Self::Survey => "survey",
            Self::Ticket => "ticket class",
            Self::Agent => "agent",
            Self::Skill => "skill",
            Self::Service => "service",
        }
    }
}

const fn field(name: &'static str, shape: Shape, example: &'static str, doc: &'static str) -> Field {
    Field {
        name,
        shape,
        example,
        doc,
        needed: false,
    }
}

const fn needed(name: &'static str, shape: Shape, example: &'static str, doc: &'static str) -> Field {
    Field {
        name,
        shape,
        example,
        doc,
        needed: true,
    }
}

const fn choice(word: &'static str, doc: &'static str) -> Choice {
    Choice { word, doc }
}

/// A text for people.
const TITLE: Shape = Shape::Word(Kind::Text("a title for people"));
const STEP: Shape = Shape::Word(Kind::Names(Subject::Step));
const VARIABLE: Shape = Shape::Word(Kind::Names(Subject::Variable));
const DURATION: Shape = Shape::Word(Kind::Duration);
const WHOLE: Shape = Shape::Word(Kind::Whole);
const BOOL: Shape = Shape::Word(Kind::Bool);
const KEY: Shape = Shape::Word(Kind::Key);
const CONDITION: Shape = Shape::Word(Kind::Condition);
const EXPRESSION: Shape = Shape::Word(Kind::Value);

/// What is said: a prompt's key, or texts by language.
const PROMPT: Shape = Shape::Either(&[
    Shape::Word(Kind::Names(Subject::Prompt)),
    Shape::Entries {
        key: Kind::Names(Subject::Language),
        value: &Shape::Word(Kind::Template),
    },
]);

/// Words of callers and the steps they lead to.
const WORDS: Shape = Shape::Entries {
    key: Kind::Text("what callers say or type"),
    value: &STEP,
};

/// The verb of a step, by its entries.
pub(crate) fn step_verb(entries: &[Entry]) -> Option<&'static Verb> {
    walk::mapping_verb(&flow::STEP_MAPPING, entries)
}

impl Mapping {
    /// The fields that a mapping with this verb may have, the verb's own among them; with no
    /// verb those of all mappings of the kind.
    pub(crate) fn fields_with(&self, verb: Option<&'static Verb>) -> impl Iterator<Item = &'static Field> {
        let own = verb.map(|verb| &verb.field).into_iter();
        own.chain(verb.map_or(&[][..], |verb| verb.fields))
            .chain(self.fields)
    }

    /// A field by its name.
    pub(crate) fn field(&self, name: &str, verb: Option<&'static Verb>) -> Option<&'static Field> {
        let verbs = self.verbs.iter().map(|verb| &verb.field);
        self.fields_with(verb)
            .chain(verbs)
            .find(|field| field.name == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::{Sources, parse};

    /// Parts of the language that stand in the table and that other rooms read or will read.
    const READ_ELSEWHERE: &[(&str, &str)] = &[];

    /// Fields that are read only to say where they belong, or that there are none yet.
    const MISPLACED: &[(&str, &str)] = &[("a branch of `together`", "meanwhile"), ("a hotline", "agents")];

    /// Fields with their examples as YAML in braces.
    fn written(fields: &[&Field]) -> String {
        let parts: Vec<String> = fields
            .iter()
            .map(|field| format!("{}: {}", field.name, field.example))
            .collect();
        format!("{{ {} }}", parts.join(", "))
    }

    fn mappings(mapping: &'static Mapping, seen: &mut Vec<&'static Mapping>) {
        if seen.iter().any(|known| std::ptr::eq(*known, mapping)) {
            return;
        }
        seen.push(mapping);
        let verbs = mapping
            .verbs
            .iter()
            .flat_map(|verb| std::iter::once(&verb.field).chain(verb.fields));
        for field in mapping.fields.iter().chain(verbs) {
            shapes(&field.shape, seen);
        }
    }

    fn shapes(shape: &'static Shape, seen: &mut Vec<&'static Mapping>) {
        match shape {
            Shape::Mapping(mapping) => mappings(mapping, seen),
            Shape::Entries { value, .. } => shapes(value, seen),
            Shape::Besides { fields, value, .. } => {
                mappings(fields, seen);
                shapes(value, seen);
            }
            Shape::List(inside) => shapes(inside, seen),
            Shape::Either(several) => several.iter().for_each(|shape| shapes(shape, seen)),
            Shape::Word(_) | Shape::Value => {}
        }
    }

    /// Parses a file of every kind in which every field of the table stands once, and
    /// compares the fields that the parser asked for with those of the table.
    #[test]
    fn the_parser_takes_what_the_table_says() {
        use crate::parse::asked_for;

        asked_for::begin();
        for shape in FileShape::ALL {
            let Some(path) = shape.example_path() else {
                continue;
            };
            let mapping = match shape.shape() {
                Shape::Mapping(mapping) => mapping,
                Shape::Entries {
                    value: Shape::Mapping(mapping),
                    ..
                }
                | Shape::Besides {
                    value: Shape::Mapping(mapping),
                    ..
                } => mapping,
                _ => continue,
            };
            let mut all = Vec::new();
            mappings(mapping, &mut all);
            // Each verb of each mapping in a file of its own.
            let texts: Vec<String> = match shape {
                FileShape::Flow => {
                    let step = all.iter().find(|mapping| mapping.what == "a step").unwrap();
                    step.verbs
                        .iter()
                        .map(|verb| {
                            let fields: Vec<&Field> = step.fields_with(Some(verb)).collect();
                            let flow: Vec<&Field> = mapping
                                .fields
                                .iter()
                                .filter(|field| field.name != "steps")
                                .collect();
                            let flow = written(&flow);
                            format!(
                                "{}, steps: {{ a: {} }} }}\n",
                                flow.trim_end_matches(" }"),
                                written(&fields)
                            )
                        })
                        .collect()
                }
                _ => {
                    let fields: Vec<&Field> = mapping.fields.iter().collect();
                    let inner = written(&fields);
                    match shape.shape() {
                        Shape::Mapping(_) => vec![format!("{inner}\n")],
                        Shape::Besides { fields, .. } => {
                            let beside: Vec<&Field> = fields.fields.iter().collect();
                            vec![format!("some: {inner}\n"), format!("{}\n", written(&beside))]
                        }
                        _ => vec![format!("some: {inner}\n")],
                    }
                }
            };
            for text in texts {
                let parsed = parse(&Sources::new([(path, text.as_str())]));
                for finding in parsed.diagnostics() {
                    let code = finding.code.as_str();
                    let skipped = finding.message.contains("belongs to")
                        || READ_ELSEWHERE
                            .iter()
                            .any(|(_, field)| finding.message.contains(&format!("`{field}`")));
                    assert!(
                        skipped || !matches!(code, "TL0001" | "TL0005" | "TL0006" | "TL0010"),
                        "{path}: {code} {} in {text}",
                        finding.message
                    );
                }
            }
        }
        let mut asked: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
        for (what, fields) in asked_for::end() {
            let what = match &*what {
                what if what.starts_with("the branch `") => "a branch of `together`",
                "`offer-callback`" | "`offer-channel`" => "an offer",
                what => what,
            };
            asked.entry(what.to_owned()).or_default().extend(fields);
        }
        let mut all = Vec::new();
        for shape in FileShape::ALL {
            shapes(shape.shape(), &mut all);
        }
        for (what, asked) in asked {
            let described: Vec<BTreeSet<&str>> = match what
                .strip_prefix("a `")
                .and_then(|rest| rest.strip_suffix("` step"))
            {
                Some(verb) => {
                    let step = all.iter().find(|mapping| mapping.what == "a step").unwrap();
                    let verb = step.verbs.iter().find(|known| known.field.name == verb);
                    verb.iter()
                        .map(|verb| step.fields_with(Some(verb)).map(|field| field.name).collect())
                        .collect()
                }
                None => all
                    .iter()
                    .filter(|mapping| mapping.what == what)
                    .map(|mapping| mapping.fields.iter().map(|field| field.name).collect())
                    .collect(),
            };
            if what == "a step" {
                continue;
            }
            let elsewhere: BTreeSet<&str> = READ_ELSEWHERE
                .iter()
                .filter(|(known, _)| *known == what)
                .map(|(_, field)| *field)
                .collect();
            let union: BTreeSet<&str> = described.iter().flatten().copied().collect();
            let missing: Vec<_> = asked
                .difference(&union)
                .filter(|field| !MISPLACED.contains(&(&*what, *field)))
                .collect();
            let extra: Vec<_> = union
                .iter()
                .filter(|name| !asked.contains(*name) && !elsewhere.contains(*name))
                .collect();
            assert!(
                missing.is_empty() && extra.is_empty(),
                "{what}: the parser also takes {missing:?}, and does not take {extra:?}"
            );
        }
    }
}
