//! Completion inside expressions: names, fields of values, functions, cases of enums.

use std::sync::Arc;

use trunkline_model::Type;

use super::{super::paths::expressions, Candidate, CompletionKind, Editor, Place, describe, word_of};
use crate::{
    expression::{CalendarField, ContactField, FUNCTIONS, QueueField},
    language::{Kind, Role, Subject},
};

/// Names that the language itself gives, and what they are.
const GIVEN: [(&str, &str); 5] = [
    (
        "contact",
        "the contact: `contact.caller`, `contact.language` and others",
    ),
    ("calendar", "a calendar: `calendar.office.open`"),
    ("queue", "a queue: `queue.general.waiting`"),
    (
        "now",
        "the time, by the hotline's clocks: `now.hour`, `now.weekday`",
    ),
    ("number", "the number that was called"),
];

impl Editor {
    /// What may stand in the expression at the cursor; nothing where the cursor is in none.
    pub(super) fn expression_at(&self, place: &Place) -> Option<Vec<Candidate>> {
        let template = match place.role {
            Role::Word(Kind::Template) => true,
            Role::Word(Kind::Value | Kind::Condition) => false,
            _ => return None,
        };
        let before = &place.before;
        let range = expressions(before, template).into_iter().next_back()?;
        // One that is closed before the cursor ends before the text does.
        if range.end < before.len() || before.len() < range.start {
            return None;
        }
        let text = &before[range];
        let flow = self.flow_here(place);
        if let Some(quote) = open_quote(text) {
            return Some(self.cases(&flow, &text[..quote]));
        }
        let start = text
            .rfind(|c: char| !c.is_alphanumeric() && c != '_' && c != '.')
            .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
        let path: Vec<&str> = text[start..].split('.').collect();
        let (_, owners) = path.split_last()?;
        if owners.is_empty() {
            // A dot after a bracket: a method of a value without a name.
            Some(self.roots(place, &flow))
        } else {
            Some(self.members(&flow, owners))
        }
    }

    /// The flow whose variables an expression here has.
    fn flow_here(&self, place: &Place) -> Arc<str> {
        if !place.flow.is_empty() {
            return place.flow.clone();
        }
        let key = place.prompt.as_ref();
        let flows = key.and_then(|key| self.names.said_by.get(key));
        flows
            .and_then(|flows| flows.iter().next().cloned())
            .unwrap_or_default()
    }

    fn roots(&self, place: &Place, flow: &str) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        if let Some(types) = self.types.get(flow) {
            for (name, ty) in &types.variables {
                let candidate = Candidate::new(name.as_str(), CompletionKind::Name(Subject::Variable));
                candidates.push(match ty {
                    Some(ty) => candidate.detail(ty.to_string()).docs(describe::parts(ty)),
                    None => candidate,
                });
            }
        }
        let under = place.under.as_deref();
        let mut given: Vec<(&str, &str)> = GIVEN.to_vec();
        if under == Some("confirm") {
            given.push(("answer", "the answer that is confirmed"));
        }
        if under == Some("save") && word_of(&place.owner, "run").is_some() {
            given.push(("result", "what the flow that was run gives back"));
        }
        if word_of(&place.owner, "every").is_some() {
            given.push(("position", "the caller's place in the queue, from 1"));
            given.push(("wait", "how long the caller is likely to wait"));
        }
        candidates.extend(
            given
                .into_iter()
                .map(|(name, docs)| Candidate::new(name, CompletionKind::Word).docs(docs.to_owned())),
        );
        let docs = "Whether a value is there: `has(citizen)`.".to_owned();
        candidates.push(
            Candidate::new("has", CompletionKind::Function)
                .detail("has(citizen)")
                .docs(docs),
        );
        candidates.extend(
            FUNCTIONS
                .iter()
                .filter(|usage| !usage.method)
                .map(|usage| Candidate::new(usage.name, CompletionKind::Function).detail(usage.example)),
        );
        candidates
    }

    fn members(&self, flow: &str, owners: &[&str]) -> Vec<Candidate> {
        let member = |name: &str, ty: &Type| {
            Candidate::new(name, CompletionKind::Member)
                .detail(ty.to_string())
                .docs(describe::parts(ty))
        };
        let underscored = |subject: Subject| -> Vec<Candidate> {
            let mut names = self.names.declared(subject, "");
            if subject == Subject::Calendar {
                names.push(crate::calendar::ALWAYS.into());
            }
            names
                .iter()
                .map(|name| Candidate::new(name.replace('-', "_"), CompletionKind::Name(subject)))
                .collect()
        };
        match owners {
            ["contact"] => ContactField::ALL
                .iter()
                .map(|field| member(field.as_str(), &field.ty()))
                .collect(),
            ["calendar"] => underscored(Subject::Calendar),
            ["queue"] => underscored(Subject::Queue),
            ["calendar", _] => vec![member("open", &Type::Bool)],
            ["queue", _] => QueueField::ALL
                .iter()
                .map(|field| member(field.as_str(), &field.ty()))
                .collect(),
            owners => {
                let Some(ty) = self.path_type(flow, owners) else {
                    return methods(None);
                };
                match ty.required() {
                    Type::Record(record) => record
                        .fields
                        .iter()
                        .map(|field| member(&field.name, &field.ty))
                        .collect(),
                    Type::Date | Type::Time => CalendarField::ALL
                        .iter()
                        .filter(|(_, field)| *ty.required() == Type::Time || field.of_dates())
                        .map(|(name, field)| member(name, &field.ty()))
                        .collect(),
                    Type::Variant(variant) => std::iter::once(member("case", &Type::String))
                        .chain(variant.cases.iter().filter_map(|case| {
                            let payload = case.payload.clone()?.optional();
                            Some(member(&case.name.replace('-', "_"), &payload))
                        }))
                        .collect(),
                    other => methods(Some(other)),
                }
            }
        }
    }

    /// The cases of the enum that a text in quotes is compared with.
    fn cases(&self, flow: &str, before: &str) -> Vec<Candidate> {
        let mut left = before.trim_end();
        // Inside a list: what stands before the list, and before `in`.
        if left.ends_with([',', '[']) {
            let Some(open) = left.rfind('[') else {
                return Vec::new();
            };
            left = left[..open].trim_end();
            let Some(rest) = left.strip_suffix("in") else {
                return Vec::new();
            };
            left = rest.trim_end();
        } else {
            let Some(rest) = left.strip_suffix("==").or_else(|| left.strip_suffix("!=")) else {
                return Vec::new();
            };
            left = rest.trim_end();
        }
        let start = left
            .rfind(|c: char| !c.is_alphanumeric() && c != '_' && c != '.')
            .map_or(0, |at| at + left[at..].chars().next().map_or(1, char::len_utf8));
        let path: Vec<&str> = left[start..].split('.').collect();
        match self.path_type(flow, &path).as_ref().map(Type::required) {
            Some(Type::Enum(names) | Type::Flags(names)) => names
                .cases
                .iter()
                .map(|case| Candidate::new(&**case, CompletionKind::Word))
                .collect(),
            _ if path == ["contact", "language"] => {
                let languages = self.names.declared(Subject::Language, "");
                languages
                    .iter()
                    .map(|name| Candidate::new(&**name, CompletionKind::Name(Subject::Language)))
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The functions that are written after a value of a type; of any type when that is unknown.
fn methods(ty: Option<&Type>) -> Vec<Candidate> {
    FUNCTIONS
        .iter()
        .filter(|usage| usage.method && ty.is_none_or(|ty| usage.function.result(ty).is_some()))
        .map(|usage| Candidate::new(usage.name, CompletionKind::Function).detail(usage.example))
        .collect()
}

/// Where the quote begins that is open at the end of an expression.
fn open_quote(text: &str) -> Option<usize> {
    let mut open = None;
    for (at, c) in text.char_indices() {
        match open {
            Some((_, quote)) if c == quote => open = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => open = Some((at, c)),
            None => {}
        }
    }
    open.map(|(at, _)| at)
}
