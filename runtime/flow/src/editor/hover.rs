//! What there is to say of what stands under the cursor.

use std::ops::Range;

use trunkline_model::{FaultKind, Type};

use super::{Editor, describe, paths, place::unquoted};
use crate::{
    expression::{CalendarField, ContactField, QueueField},
    language::{Kind, Role, Visit},
};

/// A description of what stands somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// The bytes it is about.
    pub span: Range<usize>,
    /// The description, in Markdown.
    pub markdown: String,
}

impl Editor {
    /// What stands at a byte of a file, described; nothing where there is nothing to say.
    pub fn hover(&self, path: &str, byte: usize) -> Option<Hover> {
        let file = self.file(path)?;
        let mut found = None;
        self.visit(path, &mut |visit| {
            let bytes = unquoted(file, &visit.word).bytes();
            let inside = visit.word.span.file as usize == self.index(path).unwrap_or(usize::MAX);
            if inside && !visit.empty && bytes.start <= byte && byte <= bytes.end && found.is_none() {
                found = Some((visit.clone(), bytes));
            }
        });
        let (visit, bytes) = found?;
        if let Some(hover) = self.in_expression(path, byte, &visit, &bytes) {
            return Some(hover);
        }
        if let Some(occurrence) = self.name_at(path, byte)
            && let Some(markdown) = self.describe(&occurrence.name)
        {
            return Some(Hover {
                span: occurrence.span.bytes(),
                markdown,
            });
        }
        let markdown = match visit.role {
            Role::Field { mapping, verb } => describe::field(mapping.field(visit.word.as_str(), verb)?),
            Role::Key(Kind::Argument) => {
                let signature = self.called(visit.owner)?;
                let parameter = signature
                    .parameters
                    .iter()
                    .find(|parameter| *parameter.name == *visit.word.value)?;
                format!(
                    "parameter `{}: {}` of `{}`{}",
                    parameter.name,
                    parameter.ty,
                    signature.path(),
                    describe::parts(&parameter.ty)
                )
            }
            Role::Key(Kind::Exit) => exit(visit.word.as_str()),
            Role::Key(kind) | Role::Word(kind) => match kind {
                Kind::Choice(choices) => {
                    let choice = choices.iter().find(|choice| choice.word == visit.word.as_str())?;
                    format!("`{}`\n\n{}", choice.word, choice.doc)
                }
                kind => describe::kind(kind)?,
            },
            Role::Stub(_) => return None,
        };
        Some(Hover {
            span: bytes,
            markdown,
        })
    }

    /// A name in an expression: the part of the path that the cursor is on, with its type.
    fn in_expression(
        &self,
        path: &str,
        byte: usize,
        visit: &Visit<'_>,
        bytes: &Range<usize>,
    ) -> Option<Hover> {
        let template = match visit.role {
            Role::Word(Kind::Template) => true,
            Role::Word(Kind::Value | Kind::Condition) => false,
            _ => return None,
        };
        // Texts with escapes in them have no bytes in common with their source.
        let source = self.file(path)?.text.get(bytes.clone())?;
        let at = byte - bytes.start;
        let range = paths::expressions(source, template)
            .into_iter()
            .find(|range| range.start <= at && at <= range.end)?;
        let found = paths::paths(source, range);
        let (found, part) = found.iter().find_map(|path| {
            let part = path
                .parts
                .iter()
                .position(|(_, part)| part.start <= at && at <= part.end)?;
            Some((path, part))
        })?;
        let flow = match self.flow_of(path) {
            Some(flow) => flow,
            // A prompt's names are those of a flow that says it.
            None => {
                let key = visit
                    .siblings
                    .iter()
                    .find(|entry| entry.value.span == visit.word.span)?;
                self.names.said_by.get(key.key.as_str())?.iter().next()?.clone()
            }
        };
        let words: Vec<&str> = found.parts[..=part].iter().map(|(word, _)| *word).collect();
        let ty = self.path_type(&flow, &words)?;
        let span = &found.parts[part].1;
        Some(Hover {
            span: bytes.start + span.start..bytes.start + span.end,
            markdown: format!("`{}: {ty}`{}", words.join("."), describe::parts(&ty)),
        })
    }

    /// The type of a path in an expression, as far as declarations tell.
    pub(super) fn path_type(&self, flow: &str, path: &[&str]) -> Option<Type> {
        let (first, rest) = path.split_first()?;
        let (mut ty, rest) = match (*first, rest) {
            ("now", rest) => (Type::Time, rest),
            ("number", rest) => (Type::String, rest),
            ("contact", [field, rest @ ..]) => {
                let field = ContactField::ALL
                    .into_iter()
                    .find(|known| known.as_str() == *field)?;
                (field.ty(), rest)
            }
            ("calendar", [_, "open", rest @ ..]) => (Type::Bool, rest),
            ("queue", [_, field, rest @ ..]) => {
                let field = QueueField::ALL
                    .into_iter()
                    .find(|known| known.as_str() == *field)?;
                (field.ty(), rest)
            }
            (variable, rest) => (self.variable_type(flow, variable)?.clone(), rest),
        };
        for name in rest {
            ty = field_type(&ty, name)?;
        }
        Some(ty)
    }
}

/// The type of a field of a value.
fn field_type(ty: &Type, name: &str) -> Option<Type> {
    match ty.required() {
        Type::Record(_) => ty.required().field(name).cloned(),
        Type::Date | Type::Time => CalendarField::ALL
            .iter()
            .find(|(known, field)| *known == name && (*ty.required() == Type::Time || field.of_dates()))
            .map(|(_, field)| field.ty()),
        Type::Variant(variant) if name == "case" => {
            Some(Type::Enum(std::sync::Arc::new(trunkline_model::types::Enum {
                name: variant.name.clone(),
                cases: variant.cases.iter().map(|case| case.name.clone()).collect(),
            })))
        }
        Type::Variant(variant) => variant
            .cases
            .iter()
            .find(|case| case.name.replace('-', "_") == name)
            .and_then(|case| case.payload.clone())
            .map(Type::optional),
        _ => None,
    }
}

/// What a way out means.
pub(super) fn exit(name: &str) -> String {
    let meaning = match name {
        "no-input" => "Nothing was heard, as often as the step asks.",
        "no-match" => "What was heard fits no key and no word, as often as the step asks.",
        "invalid" => "What was heard is no answer, as often as the step asks.",
        "else" => "All ways out that are not named.",
        "fault" => "All faults that are not named.",
        "timeout" => "The longest wait is over.",
        "full" => "As many wait as may.",
        "closed" => "The queue's calendar is closed.",
        "no-agents" => "No agent who could answer is there.",
        "failed" => "It could not be done.",
        "busy" => "The line is busy.",
        "no-answer" => "Nobody answers.",
        "duplicate" => "There is one already.",
        "refused" => "It was refused.",
        "declined" => "The caller would not.",
        name => {
            let fault = name.rsplit("fault.").next().filter(|_| name.contains("fault."));
            let known =
                fault.is_some_and(|kind| FaultKind::ALL.iter().any(|known| known.to_string() == kind));
            return if known {
                format!("`{name}`\n\nThe call failed in this way, without an answer.")
            } else {
                format!("`{name}`\n\nAn error case of the function, or an outcome of the flow.")
            };
        }
    };
    format!("`{name}`\n\n{meaning}")
}

#[cfg(test)]
mod tests {
    use super::super::testing::at_cursor;

    fn hover(step: &str) -> String {
        let flow = format!(
            "--- flows/main.yaml\nflow: main\nvars: {{ citizen: crm.citizen?, mood: sentiment.mood? }}\nstart: welcome\nsteps:\n  welcome: {{ say: hello, next: sorry }}\n  sorry: {{ end: completed }}\n{step}"
        );
        let (editor, path, byte) = at_cursor(&flow);
        let hover = editor.hover(&path, byte);
        hover.map(|hover| hover.markdown).unwrap_or_default()
    }

    #[test]
    fn whatever_stands_there_is_described() {
        for (step, told) in [
            ("  a: { say: hel⟦⟧lo, next: sorry }\n", "您好"),
            ("  a: { s⟦⟧ay: hello, next: sorry }\n", "Says a prompt"),
            (
                "  a: { say: hello, next: wel⟦⟧come }\n",
                "step `welcome`: `say hello`",
            ),
            (
                "  a: { call: crm.find⟦⟧-citizen }\n",
                "find-citizen(phone: string)",
            ),
            ("  a: { call: cr⟦⟧m.find-citizen }\n", "plugin `crm`"),
            (
                "  a: { call: crm.find-citizen, with: { ph⟦⟧one: x } }\n",
                "parameter `phone: string`",
            ),
            (
                "  a: { call: crm.find-citizen, save: citi⟦⟧zen }\n",
                "`district: string?`",
            ),
            (
                "  a: { call: crm.find-citizen, on: { fau⟦⟧lt: sorry } }\n",
                "All faults",
            ),
            ("  a: { call: crm.find-citizen, time: 3⟦⟧s }\n", "length of time"),
            (
                "  a: { when: \"${mood.le⟦⟧vel == 'calm'}\" }\n",
                "`mood.level: level`",
            ),
            ("  a: { when: \"${now.ho⟦⟧ur > 3}\" }\n", "`now.hour: int`"),
            ("  a: { ask: hello, answer: yes⟦⟧-no }\n", "Yes or no"),
        ] {
            let markdown = hover(step);
            assert!(markdown.contains(told), "{step}: {markdown}");
        }
        assert_eq!(hover("  # a com⟦⟧ment\n"), "");
    }
}
