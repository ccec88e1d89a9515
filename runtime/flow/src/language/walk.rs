//! A file's tree beside the table: what each key and each value of it means.

use super::{FileShape, Kind, Mapping, Shape, Subject, Verb};
use crate::{
    source::Word,
    yaml::{self, Entry, Node},
};

/// What something in a file means.
#[derive(Clone, Copy)]
pub(crate) enum Role {
    /// A field's name; what is known of it, if it is known.
    Field {
        mapping: &'static Mapping,
        verb: Option<&'static Verb>,
    },
    /// A key of `name: value` lines.
    Key(Kind),
    /// A plain value.
    Word(Kind),
    /// A plain value, or nothing, where something else is wanted.
    Stub(&'static Shape),
}

/// A key or a plain value of a file.
#[derive(Clone)]
pub(crate) struct Visit<'a> {
    pub(crate) word: Word,
    /// Whether nothing stands there; its place is then that of its key.
    pub(crate) empty: bool,
    pub(crate) role: Role,
    /// The mapping that it is a key or a value of: all of its entries.
    pub(crate) siblings: &'a [Entry],
    /// The innermost mapping with known fields around it.
    pub(crate) owner: &'a [Entry],
    /// The field, key or list of the owner that it stands under.
    pub(crate) under: Option<&'a Word>,
    /// The step that it belongs to.
    pub(crate) step: Option<&'a Entry>,
}

/// The verb of a mapping: the one of its keys that is a verb, and no other's field.
pub(super) fn mapping_verb(mapping: &'static Mapping, entries: &[Entry]) -> Option<&'static Verb> {
    let present = |name: &str| entries.iter().any(|entry| entry.key.as_str() == name);
    let verbs = || mapping.verbs.iter().filter(|verb| present(verb.field.name));
    verbs()
        .find(|verb| !verbs().any(|other| other.fields.iter().any(|field| field.name == verb.field.name)))
        .or_else(|| verbs().next())
}

/// Goes through a file in written order.
pub(crate) fn walk<'a>(shape: FileShape, root: &'a Node, see: &mut dyn FnMut(Visit<'a>)) {
    let at = At {
        siblings: &[],
        owner: &[],
        under: None,
        step: None,
    };
    node(shape.shape(), root, at, see);
}

#[derive(Clone, Copy)]
struct At<'a> {
    siblings: &'a [Entry],
    owner: &'a [Entry],
    under: Option<&'a Word>,
    step: Option<&'a Entry>,
}

impl<'a> At<'a> {
    fn visit(self, word: Word, role: Role) -> Visit<'a> {
        Visit {
            word,
            empty: false,
            role,
            siblings: self.siblings,
            owner: self.owner,
            under: self.under,
            step: self.step,
        }
    }

    fn see(self, node: &Node, role: Role, see: &mut dyn FnMut(Visit<'a>)) {
        let text = node.word().map_or_else(|| "".into(), |word| word.value);
        see(Visit {
            empty: node.is_empty(),
            ..self.visit(Word::new(text, node.span), role)
        });
    }
}

fn node<'a>(shape: &'static Shape, here: &'a Node, at: At<'a>, see: &mut dyn FnMut(Visit<'a>)) {
    match (shape, &here.kind) {
        (Shape::Either(several), kind) => {
            let fits = several.iter().find(|shape| {
                matches!(
                    (shape, kind),
                    (Shape::Value, _)
                        | (Shape::Word(_), yaml::Kind::Scalar { .. })
                        | (Shape::List(_), yaml::Kind::Sequence(_))
                        | (
                            Shape::Mapping(_) | Shape::Entries { .. } | Shape::Besides { .. },
                            yaml::Kind::Mapping(_)
                        )
                )
            });
            match fits {
                Some(shape) => node(shape, here, at, see),
                None => at.see(here, Role::Stub(shape), see),
            }
        }
        (Shape::Word(kind), yaml::Kind::Scalar { .. }) => at.see(here, Role::Word(*kind), see),
        (Shape::Value, _) => value(here, at, see),
        (Shape::List(inside), yaml::Kind::Sequence(nodes)) => {
            for here in nodes.iter() {
                node(inside, here, at, see);
            }
        }
        (Shape::Mapping(mapping), yaml::Kind::Mapping(entries)) => {
            let verb = mapping_verb(mapping, entries);
            for entry in entries.iter() {
                let at = At {
                    siblings: entries,
                    owner: entries,
                    under: Some(&entry.key),
                    step: at.step,
                };
                see(at.visit(entry.key.clone(), Role::Field { mapping, verb }));
                match mapping.field(entry.key.as_str(), verb) {
                    Some(field) => node(&field.shape, &entry.value, at, see),
                    None => value(&entry.value, at, see),
                }
            }
        }
        (Shape::Besides { fields, key, value }, yaml::Kind::Mapping(entries)) => {
            for entry in entries.iter() {
                let at = At {
                    siblings: entries,
                    ..at
                };
                match fields.field(entry.key.as_str(), None) {
                    Some(field) => {
                        let role = Role::Field {
                            mapping: fields,
                            verb: None,
                        };
                        see(at.visit(entry.key.clone(), role));
                        node(&field.shape, &entry.value, at, see);
                    }
                    None => {
                        see(at.visit(entry.key.clone(), Role::Key(*key)));
                        node(value, &entry.value, at, see);
                    }
                }
            }
        }
        (Shape::Entries { key, value }, yaml::Kind::Mapping(entries)) => {
            for entry in entries.iter() {
                let at = At {
                    siblings: entries,
                    step: match key {
                        Kind::Declares(Subject::Step) => Some(entry),
                        _ => at.step,
                    },
                    ..at
                };
                see(at.visit(entry.key.clone(), Role::Key(*key)));
                node(value, &entry.value, at, see);
            }
        }
        (shape, yaml::Kind::Scalar { .. }) => at.see(here, Role::Stub(shape), see),
        // Another shape than is wanted, which the checker reports.
        (_, yaml::Kind::Sequence(_) | yaml::Kind::Mapping(_)) => value(here, at, see),
    }
}

/// A value of a flow: all plain parts of it.
fn value<'a>(here: &'a Node, at: At<'a>, see: &mut dyn FnMut(Visit<'a>)) {
    match &here.kind {
        yaml::Kind::Scalar { .. } => at.see(here, Role::Word(Kind::Value), see),
        yaml::Kind::Sequence(nodes) => nodes.iter().for_each(|here| value(here, at, see)),
        yaml::Kind::Mapping(entries) => {
            for entry in entries.iter() {
                value(&entry.value, at, see);
            }
        }
    }
}
