//! Values as steps write them: plain ones, expressions, texts with expressions in them, lists
//! and fields.

use std::sync::Arc;

use trunkline_model::{Type, Value};

use super::{Scribe, Valued, constant, nested};
use crate::{
    diagnostics::{Code, Finding, did_you_mean, one_of},
    expression::{Expression, Node, Op, formula::Piece, literal, typing::article},
    source::{Span, Word},
    syntax::{ValueKind, ValueSyntax},
};

impl Scribe<'_, '_, '_, '_> {
    /// A value where a type is wanted; with none, one of whatever type it is.
    pub(in crate::check) fn value(&self, value: &ValueSyntax, wanted: Option<&Type>) -> Option<Valued> {
        match &value.kind {
            ValueKind::Scalar(text) => self.scalar(&Word::new(text.clone(), value.span), wanted),
            ValueKind::List(parts) => {
                let wanted = wanted?;
                self.list(value, parts, wanted)
            }
            ValueKind::Map(entries) => {
                let wanted = wanted?;
                self.map(value, entries, wanted)
            }
        }
    }

    fn scalar(&self, word: &Word, wanted: Option<&Type>) -> Option<Valued> {
        let formula = self.formula(word)?;
        if let Some(tree) = formula.sole() {
            let (typed, complaints) = self.typed(|typist| match wanted {
                Some(wanted) => typist.expected(tree, wanted),
                None => typist.infer(tree),
            });
            if !self.complain(word, complaints, None) {
                return None;
            }
            let given = typed.ty?;
            let ty = wanted.unwrap_or(&given).clone();
            return Some(Valued {
                expression: Expression::compiled(word.value.clone(), ty, typed.node),
                given,
            });
        }
        if let Some(text) = formula.plain() {
            return self.literal(word, text, wanted?);
        }
        let (parts, complaints) = self.typed(|typist| {
            formula
                .pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text_node(text),
                    Piece::Tree(tree) => typist.printed(tree).node,
                })
                .collect::<Vec<_>>()
        });
        if !self.complain(word, complaints, None) {
            return None;
        }
        if let Some(wanted) = wanted
            && !wanted.accepts(&Type::String)
        {
            self.report(
                Finding::new(
                    Code::TypeMismatch,
                    word.span,
                    format!(
                        "this should be {}, but text with expressions in it is a string",
                        article(wanted)
                    ),
                )
                .help("put the whole into one expression: \"${…}\""),
            );
            return None;
        }
        let node = Node {
            op: Op::Interpolate(parts),
            range: 0..word.value.len(),
        };
        Some(Valued {
            expression: Expression::compiled(word.value.clone(), Type::String, node),
            given: Type::String,
        })
    }

    /// A value of whatever type can be written out: what a ticket or a message takes.
    pub(in crate::check) fn written_out(&self, value: &ValueSyntax) -> Option<Valued> {
        let ValueKind::Scalar(text) = &value.kind else {
            // Says what is wrong with it.
            return self.value(value, Some(&Type::String));
        };
        let word = Word::new(text.clone(), value.span);
        let formula = self.formula(&word)?;
        let Some(tree) = formula.sole() else {
            return self.scalar(&word, Some(&Type::String));
        };
        let (typed, complaints) = self.typed(|typist| typist.printed(tree));
        if !self.complain(&word, complaints, None) {
            return None;
        }
        let ty = typed.ty?;
        Some(Valued {
            expression: Expression::compiled(word.value.clone(), ty.clone(), typed.node),
            given: ty,
        })
    }

    fn literal(&self, word: &Word, text: &str, wanted: &Type) -> Option<Valued> {
        match literal::read(text, wanted) {
            Ok(value) => Some(Valued {
                expression: constant(word.value.clone(), wanted, value),
                given: wanted.required().clone(),
            }),
            Err(problem) => {
                // A variable's name without its braces is the likely slip.
                let variable = self.view.head.variables.contains_key(text);
                let mut finding = Finding::new(problem.code, word.span, problem.message);
                finding = if variable {
                    finding.help(format!("for the variable write \"${{{text}}}\""))
                } else {
                    finding.help_if(problem.help)
                };
                self.report(finding);
                None
            }
        }
    }

    fn list(&self, value: &ValueSyntax, parts: &[ValueSyntax], wanted: &Type) -> Option<Valued> {
        let inner = wanted.required();
        let types: Vec<&Type> = match inner {
            Type::List(of) => vec![&**of; parts.len()],
            Type::Tuple(types) if types.len() == parts.len() => types.iter().collect(),
            Type::Flags(_) => vec![&Type::String; parts.len()],
            _ => {
                self.report(Finding::new(
                    Code::TypeMismatch,
                    value.span,
                    format!(
                        "this should be {}, not a list of {} values",
                        article(wanted),
                        parts.len()
                    ),
                ));
                return None;
            }
        };
        let mut nodes = Vec::new();
        let mut fine = true;
        for (part, ty) in parts.iter().zip(types) {
            match self.value(part, Some(ty)) {
                Some(valued) => nodes.push(nested(valued.expression)),
                None => fine = false,
            }
            if let (Type::Flags(names), ValueKind::Scalar(text)) = (inner, &part.kind)
                && let Err(problem) = literal::case(text, &names.cases, inner)
            {
                self.report(Finding::new(problem.code, part.span, problem.message).help_if(problem.help));
                fine = false;
            }
        }
        fine.then(|| self.composed(value, Op::List(nodes), wanted))
    }

    fn map(&self, value: &ValueSyntax, entries: &[(Word, ValueSyntax)], wanted: &Type) -> Option<Valued> {
        let cases: Vec<(Arc<str>, Option<Type>)> = match wanted.required() {
            Type::Record(record) => {
                let fields: Vec<(&str, &Type)> = record
                    .fields
                    .iter()
                    .map(|field| (&*field.name, &field.ty))
                    .collect();
                let named = self.named(entries, &fields, value.span, "the value")?;
                let fields = named
                    .into_iter()
                    .map(|(name, node)| (name.into(), node))
                    .collect();
                return Some(self.composed(value, Op::Record(fields), wanted));
            }
            Type::Variant(variant) => variant
                .cases
                .iter()
                .map(|case| (case.name.clone(), case.payload.clone()))
                .collect(),
            Type::Result { ok, error } => vec![
                ("ok".into(), ok.as_deref().cloned()),
                ("error".into(), error.as_deref().cloned()),
            ],
            _ => {
                self.report(
                    Finding::new(
                        Code::TypeMismatch,
                        value.span,
                        format!("this should be {}, not fields", article(wanted)),
                    )
                    .help("an expression in braces has to be quoted: \"${…}\""),
                );
                return None;
            }
        };
        let [(case, payload)] = entries else {
            self.report(Finding::new(
                Code::TypeMismatch,
                value.span,
                format!("{} is one of its cases: `{{ case: … }}`", article(wanted)),
            ));
            return None;
        };
        let Some((name, ty)) = cases.iter().find(|(name, _)| *name == case.value) else {
            let names = cases.iter().map(|(name, _)| &**name);
            self.report(
                Finding::new(
                    Code::UnknownCase,
                    case.span,
                    format!("{wanted} has no case `{}`", case.as_str()),
                )
                .help_if(did_you_mean("its cases are", case.as_str(), names)),
            );
            return None;
        };
        let Some(ty) = ty else {
            self.report(
                Finding::new(
                    Code::TypeMismatch,
                    payload.span,
                    format!("the case `{name}` carries nothing"),
                )
                .help(format!("write `{name}` alone")),
            );
            return None;
        };
        let payload = self.value(payload, Some(ty))?;
        let op = Op::Variant(name.clone(), Some(Box::new(nested(payload.expression))));
        Some(self.composed(value, op, wanted))
    }

    /// Values by name: every one that has to be there is, and none that is not known.
    pub(in crate::check) fn named(
        &self,
        entries: &[(Word, ValueSyntax)],
        wanted: &[(&str, &Type)],
        span: Span,
        what: &str,
    ) -> Option<Vec<(String, Node)>> {
        let mut nodes = Vec::new();
        let mut fine = true;
        for (name, value) in entries {
            if !wanted.iter().any(|(known, _)| *known == name.as_str()) {
                fine = false;
                self.report(
                    Finding::new(
                        Code::UnknownArgument,
                        name.span,
                        format!("{what} has no `{}`", name.as_str()),
                    )
                    .help_if(
                        did_you_mean("it has", name.as_str(), wanted.iter().map(|(name, _)| *name))
                            .or_else(|| Some("it takes nothing".to_owned())),
                    ),
                );
                // What is wrong inside is said all the same.
                self.value(value, None);
            }
        }
        let mut missing = Vec::new();
        for (name, ty) in wanted {
            match entries.iter().find(|(given, _)| given.as_str() == *name) {
                Some((_, value)) => match self.value(value, Some(ty)) {
                    Some(valued) => nodes.push(((*name).to_owned(), nested(valued.expression))),
                    None => fine = false,
                },
                None if ty.is_optional() => {
                    nodes.push(((*name).to_owned(), nested(constant("".into(), ty, Value::None))));
                }
                None => missing.push((*name, *ty)),
            }
        }
        if !missing.is_empty() {
            let names = one_of(missing.iter().map(|(name, _)| *name));
            let lines: Vec<String> = missing
                .iter()
                .map(|(name, ty)| format!("{name}: … ({ty})"))
                .collect();
            self.report(
                Finding::new(Code::MissingArgument, span, format!("{what} needs {names}"))
                    .help(format!("add {}", lines.join(", "))),
            );
            return None;
        }
        fine.then_some(nodes)
    }

    fn composed(&self, value: &ValueSyntax, op: Op, wanted: &Type) -> Valued {
        let source: Arc<str> = self.view.world.files.text(value.span).into();
        let node = Node {
            op,
            range: 0..source.len(),
        };
        Valued {
            expression: Expression::compiled(source, wanted.clone(), node),
            given: wanted.required().clone(),
        }
    }
}

fn text_node(text: &Arc<str>) -> Node {
    Node {
        op: Op::Constant(Value::Text(text.clone())),
        range: 0..0,
    }
}
