//! Values without expressions, as scenarios write them, read as the type that is wanted.

use std::sync::Arc;

use trunkline_model::{Type, Value};

use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    expression::literal::{self, Problem},
    parse::fields::Reader,
    source::Span,
    yaml::{Entry, Kind, Node},
};

/// Whether a record must have all its fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fields {
    /// All that are not optional: a value.
    All,
    /// Only those that matter: what a value is compared with.
    Some,
}

/// A finding for what is no value of a type.
pub(super) fn finding(span: Span, problem: Problem) -> Finding {
    Finding::new(problem.code, span, problem.message).help_if(problem.help)
}

/// Reads a value of a type; reports what is none.
pub(super) fn read(reader: &Reader<'_>, node: &Node, ty: &Type, fields: Fields) -> Option<Value> {
    match (ty, &node.kind) {
        (Type::Option(_), _) if is_null(node) => Some(Value::None),
        (Type::Option(inner), Kind::Mapping(entries)) if inner.is_optional() => match entries.as_slice() {
            [only] if only.key.as_str() == "some" => Some(Value::Variant {
                case: "some".into(),
                payload: Some(Arc::new(read(reader, &only.value, inner, fields)?)),
            }),
            _ => mismatch(reader, node, ty),
        },
        (Type::Option(inner), _) => read(reader, node, inner, fields),
        (Type::List(inner), Kind::Sequence(nodes)) => {
            let values = nodes.iter().map(|node| read(reader, node, inner, fields));
            Some(Value::list(all(values)?))
        }
        (Type::Tuple(types), Kind::Sequence(nodes)) if types.len() == nodes.len() => {
            let values = nodes
                .iter()
                .zip(types.iter())
                .map(|(node, ty)| read(reader, node, ty, fields));
            Some(Value::list(all(values)?))
        }
        (Type::Flags(names), Kind::Sequence(nodes)) => {
            let values = nodes.iter().map(|node| {
                let word = reader.word(node, "a flag")?;
                match literal::case(word.as_str(), &names.cases, ty) {
                    Ok(()) => Some(Value::text(word.value)),
                    Err(problem) => {
                        reader.report(finding(node.span, problem));
                        None
                    }
                }
            });
            Some(Value::list(all(values)?))
        }
        (Type::Record(_), Kind::Mapping(entries)) => record(reader, node, entries, ty, fields),
        (Type::Variant(variant), Kind::Mapping(entries)) => {
            let cases: Vec<_> = variant
                .cases
                .iter()
                .map(|case| (case.name.clone(), case.payload.as_ref()))
                .collect();
            case(reader, node, entries, ty, &cases, fields)
        }
        (Type::Result { ok, error }, Kind::Mapping(entries)) => {
            let cases = [("ok".into(), ok.as_deref()), ("error".into(), error.as_deref())];
            case(reader, node, entries, ty, &cases, fields)
        }
        (_, Kind::Scalar { .. }) => {
            let word = reader.word(node, "the value")?;
            match literal::read(word.as_str(), ty) {
                Ok(value) => Some(value),
                Err(problem) => {
                    reader.report(finding(node.span, without_expressions(problem)));
                    None
                }
            }
        }
        _ => mismatch(reader, node, ty),
    }
}

/// Whether nothing is meant: `null` or `~` without quotes.
pub(super) fn is_null(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar { text, plain: true } if matches!(&**text, "null" | "~"))
}

fn mismatch(reader: &Reader<'_>, node: &Node, ty: &Type) -> Option<Value> {
    reader.report(Finding::new(
        Code::TypeMismatch,
        node.span,
        format!("{} stands where {ty} is wanted", node.describe()),
    ));
    None
}

/// A scenario computes nothing: what mends a value in a flow may not mend it here.
fn without_expressions(mut problem: Problem) -> Problem {
    if let Some(help) = &mut problem.help
        && let Some((plain, _)) = help.split_once(", or an expression")
    {
        *help = plain.to_owned();
    }
    problem
}

/// All values, after every one has been read, so that each finding is reported.
fn all(values: impl Iterator<Item = Option<Value>>) -> Option<Vec<Value>> {
    let values: Vec<_> = values.collect();
    values.into_iter().collect()
}

fn record(reader: &Reader<'_>, node: &Node, entries: &[Entry], ty: &Type, fields: Fields) -> Option<Value> {
    let Type::Record(record) = ty else {
        return mismatch(reader, node, ty);
    };
    let mut values = Vec::new();
    let mut whole = true;
    for entry in entries {
        let name = entry.key.as_str();
        let Some(field) = record.fields.iter().find(|field| &*field.name == name) else {
            let names = record.fields.iter().map(|field| &*field.name);
            reader.report(
                Finding::new(
                    Code::UnknownRecordField,
                    entry.key.span,
                    format!("{ty} has no field `{name}`"),
                )
                .help_if(did_you_mean("its fields are", name, names)),
            );
            whole = false;
            continue;
        };
        match read(reader, &entry.value, &field.ty, fields) {
            Some(value) => values.push((field.name.clone(), value)),
            None => whole = false,
        }
    }
    if fields == Fields::All {
        for field in &record.fields {
            if entries.iter().any(|entry| entry.key.as_str() == &*field.name) {
                continue;
            }
            if field.ty.is_optional() {
                values.push((field.name.clone(), Value::None));
            } else {
                whole = false;
                reader.report(
                    Finding::new(
                        Code::MissingField,
                        node.span,
                        format!("{ty} needs its field `{}`", field.name),
                    )
                    .help(format!("add `{}: …`, {}", field.name, an(&field.ty))),
                );
            }
        }
    }
    whole.then(|| Value::record(values))
}

fn an(ty: &Type) -> String {
    let name = ty.to_string();
    let article = if name.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {name}")
}

fn case(
    reader: &Reader<'_>,
    node: &Node,
    entries: &[Entry],
    ty: &Type,
    cases: &[(Arc<str>, Option<&Type>)],
    fields: Fields,
) -> Option<Value> {
    let [only] = entries else {
        return mismatch(reader, node, ty);
    };
    let names: Vec<_> = cases.iter().map(|(name, _)| name.clone()).collect();
    if let Err(problem) = literal::case(only.key.as_str(), &names, ty) {
        reader.report(finding(only.key.span, problem));
        return None;
    }
    let (name, payload) = cases.iter().find(|(name, _)| **name == *only.key.value)?;
    let Some(payload) = payload else {
        reader.report(
            Finding::new(
                Code::TypeMismatch,
                only.value.span,
                format!("the case `{name}` carries nothing"),
            )
            .help(format!("write `{name}` alone")),
        );
        return None;
    };
    Some(Value::Variant {
        case: name.clone(),
        payload: Some(Arc::new(read(reader, &only.value, payload, fields)?)),
    })
}
