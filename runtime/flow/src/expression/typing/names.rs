//! Types of names: variables, fields, places, and what the language itself names.

use std::sync::Arc;

use trunkline_model::{Type, Value, VariableName, types};

use super::{
    super::{
        CalendarField, ContactField, Node, Op, QueueField,
        functions::is_text,
        syntax::{Kind, Name, Tree},
    },
    Typist, article, present_node,
};
use crate::diagnostics::{Code, did_you_mean, one_of};

impl Typist<'_> {
    pub(super) fn name(&mut self, name: &Arc<str>, tree: &Tree) -> (Op, Option<Type>) {
        let nothing = (Op::Constant(Value::None), None);
        match &**name {
            "now" => return (Op::Now, Some(Type::Time)),
            "number" => {
                let op = Op::Contact {
                    field: ContactField::Number,
                    optional: false,
                };
                return (op, Some(Type::String));
            }
            "answer" => {
                if let Some(ty) = &self.names.answer {
                    return (Op::Answer, Some(ty.clone()));
                }
                let message = "`answer` is known in the prompt of `confirm` only".to_owned();
                let help = Some("save the answer in a variable and use that".to_owned());
                self.complain(Code::UnknownName, &tree.range, message, help);
                return nothing;
            }
            "result" => {
                if let Some(ty) = &self.names.result {
                    return (Op::Result, ty.clone());
                }
                let message = "`result` is known in `save` of a `run` step only".to_owned();
                self.complain(Code::UnknownName, &tree.range, message, None);
                return nothing;
            }
            "position" | "wait" => {
                if self.names.announcing {
                    return match &**name {
                        "position" => (Op::Position, Some(Type::INT)),
                        _ => (Op::Wait, Some(Type::Duration)),
                    };
                }
                let message = format!("`{name}` is known in the prompt of a queue's `announce` only");
                let help = Some(format!(
                    "ask a queue itself: queue.general.{}",
                    QueueField::Wait.as_str()
                ));
                self.complain(
                    Code::UnknownName,
                    &tree.range,
                    message,
                    help.filter(|_| &**name == "wait"),
                );
                return nothing;
            }
            "contact" => {
                let message = "the contact itself is no value".to_owned();
                let fields = ContactField::ALL.iter().map(|field| field.as_str());
                let help = Some(format!("use one of its fields: {}", one_of(fields)));
                self.complain(Code::UnknownName, &tree.range, message, help);
                return nothing;
            }
            "calendar" | "queue" => {
                let message = format!("`{name}` itself is no value");
                let help = Some(match &**name {
                    "calendar" => "ask whether one is open: calendar.office.open".to_owned(),
                    _ => "ask how one is: queue.general.waiting".to_owned(),
                });
                self.complain(Code::UnknownName, &tree.range, message, help);
                return nothing;
            }
            _ => {}
        }
        let Some(ty) = self.names.variables.get(&**name) else {
            if self.names.survey {
                let message = "a survey reads no variables of flows".to_owned();
                let help = "it may read contact, number, now, calendars and queues".to_owned();
                self.complain(Code::UnknownVariable, &tree.range, message, Some(help));
                return nothing;
            }
            let known = self.names.variables.keys().map(VariableName::as_str);
            let mut help = did_you_mean(
                "there are",
                name,
                known.chain(["contact", "calendar", "queue", "now", "number"]),
            );
            if self.names.variables.is_empty() {
                help = Some(format!("declare it: `vars: {{ {name}: string? }}`"));
            }
            let message = format!("the flow has no variable `{name}`");
            self.complain(Code::UnknownVariable, &tree.range, message, help);
            return nothing;
        };
        let Some(ty) = ty else { return nothing };
        let op = |optional| Op::Variable {
            name: name.clone(),
            optional,
        };
        if ty.is_optional() {
            if self.is_present(name) {
                let inner = ty.required().clone();
                let node = Node {
                    op: op(inner.is_optional()),
                    range: tree.range.clone(),
                };
                let op = if inner.is_optional() {
                    present_node(node, &inner).op
                } else {
                    node.op
                };
                return (op, Some(inner));
            }
            return (op(true), Some(ty.clone()));
        }
        if !self.testing && !self.is_present(name) {
            self.complain(
                Code::NotSet,
                &tree.range,
                format!("`{name}` is not set on every way here"),
                Some(format!(
                    "give it a first value (`{name}: {{ type: {ty}, is: … }}`), set it on every way, or make it `{ty}?`"
                )),
            );
        }
        (op(false), Some(ty.clone()))
    }

    pub(super) fn field(&mut self, of: &Tree, field: &Name, tree: &Tree) -> (Op, Option<Type>) {
        let nothing = (Op::Constant(Value::None), None);
        match &of.kind {
            Kind::Name(name) if &**name == "contact" => {
                let found = ContactField::ALL
                    .into_iter()
                    .find(|known| known.as_str() == &*field.text);
                let Some(found) = found else {
                    let fields = ContactField::ALL.iter().map(|field| field.as_str());
                    let help = did_you_mean("there are", &field.text, fields);
                    let message = format!("a contact has no `{}`", field.text);
                    self.complain(Code::UnknownName, &field.range, message, help);
                    return nothing;
                };
                let ty = found.ty();
                let op = Op::Contact {
                    field: found,
                    optional: ty.is_optional(),
                };
                return self.narrowed(op, ty, tree);
            }
            Kind::Name(name) if &**name == "queue" => {
                if self.queue(field).is_some() {
                    let message = "the queue itself is no value".to_owned();
                    let fields = QueueField::ALL.iter().map(|field| field.as_str());
                    let help = Some(format!("use one of its fields: {}", one_of(fields)));
                    self.complain(Code::UnknownName, &tree.range, message, help);
                }
                return nothing;
            }
            Kind::Name(name) if &**name == "feed" => {
                let message = format!("`{name}` is not in this version");
                self.complain(Code::FieldNotYet, &of.range, message, None);
                return nothing;
            }
            Kind::Name(name) if &**name == "calendar" => {
                if self.calendar(field).is_some() {
                    let message = "the calendar itself is no value".to_owned();
                    let help = Some(format!("ask whether it is open: calendar.{}.open", field.text));
                    self.complain(Code::UnknownName, &tree.range, message, help);
                }
                return nothing;
            }
            Kind::Field(root, calendar) if matches!(&root.kind, Kind::Name(name) if &**name == "calendar") => {
                let Some(name) = self.calendar(calendar) else {
                    return nothing;
                };
                if &*field.text != "open" {
                    let message = format!("a calendar has no `{}`", field.text);
                    let help = Some(format!("write calendar.{}.open", calendar.text));
                    self.complain(Code::UnknownName, &field.range, message, help);
                    return nothing;
                }
                return (Op::CalendarOpen(name), Some(Type::Bool));
            }
            Kind::Field(root, queue) if matches!(&root.kind, Kind::Name(name) if &**name == "queue") => {
                let Some(name) = self.queue(queue) else {
                    return nothing;
                };
                let known = QueueField::ALL;
                let Some(found) = known.into_iter().find(|known| known.as_str() == &*field.text) else {
                    let message = format!("a queue has no `{}`", field.text);
                    let fields = known.iter().map(|field| field.as_str());
                    let help = did_you_mean("it has", &field.text, fields);
                    self.complain(Code::UnknownName, &field.range, message, help);
                    return nothing;
                };
                return (Op::Queue(name, found), Some(found.ty()));
            }
            _ => {}
        }
        let typed = self.required(of);
        let Some(ty) = typed.ty else { return nothing };
        let inside = Box::new(typed.node);
        let cases: Vec<(Arc<str>, Option<Type>)> = match &ty {
            Type::Record(record) => {
                if let Some(found) = record.fields.iter().find(|known| known.name == field.text) {
                    let op = Op::Field(inside, found.name.clone());
                    return self.narrowed(op, found.ty.clone(), tree);
                }
                let names = record.fields.iter().map(|field| &*field.name);
                return self.no_field(&ty, field, names);
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
            Type::Date | Type::Time => {
                let known = CalendarField::ALL
                    .iter()
                    .filter(|(_, field)| ty == Type::Time || field.of_dates());
                if let Some((_, found)) = known.clone().find(|(name, _)| *name == &*field.text) {
                    return (Op::Calendar(inside, *found), Some(found.ty()));
                }
                return self.no_field(&ty, field, known.map(|(name, _)| *name));
            }
            _ => return self.no_field(&ty, field, []),
        };
        if &*field.text == "case" {
            let names = types::Enum {
                name: ty.name().map(Into::into),
                cases: cases.into_iter().map(|(name, _)| name).collect(),
            };
            return (Op::Case(inside), Some(Type::Enum(Arc::new(names))));
        }
        let wanted = field.text.replace('_', "-");
        match cases.iter().find(|(name, _)| **name == wanted) {
            Some((name, Some(payload))) => {
                let op = Op::Payload(inside, name.clone());
                self.narrowed(op, payload.clone().optional(), tree)
            }
            Some((name, None)) => {
                let path = of.path().unwrap_or_else(|| "…".to_owned());
                let message = format!("the case `{name}` carries nothing");
                let help = Some(format!("ask for the case: {path}.case == '{name}'"));
                self.complain(Code::UnknownRecordField, &field.range, message, help);
                nothing
            }
            None => {
                let names: Vec<String> = cases
                    .iter()
                    .filter(|(_, payload)| payload.is_some())
                    .map(|(name, _)| name.replace('-', "_"))
                    .chain(["case".to_owned()])
                    .collect();
                self.no_field(&ty, field, names.iter().map(String::as_str))
            }
        }
    }

    fn no_field<'n>(
        &mut self,
        ty: &Type,
        field: &Name,
        names: impl IntoIterator<Item = &'n str>,
    ) -> (Op, Option<Type>) {
        let help = did_you_mean("it has", &field.text, names);
        let message = format!("{} has no field `{}`", article(ty), field.text);
        self.complain(Code::UnknownRecordField, &field.range, message, help);
        (Op::Constant(Value::None), None)
    }

    /// The calendar that a name in an expression means.
    fn calendar(&mut self, name: &Name) -> Option<Arc<str>> {
        self.place(name, self.names.calendars, "calendar", Code::UnknownCalendar)
    }

    /// The queue that a name in an expression means.
    fn queue(&mut self, name: &Name) -> Option<Arc<str>> {
        self.place(name, self.names.queues, "queue", Code::UnknownQueue)
    }

    /// One of the hotline's own names, whose hyphens are underscores in expressions.
    fn place(&mut self, name: &Name, names: &[Arc<str>], what: &str, code: Code) -> Option<Arc<str>> {
        let found = names.iter().find(|known| known.replace('-', "_") == *name.text);
        if found.is_none() {
            let names: Vec<String> = names.iter().map(|name| name.replace('-', "_")).collect();
            let help = did_you_mean("there are", &name.text, names.iter().map(String::as_str));
            let message = format!("there is no {what} `{}`", name.text);
            self.complain(code, &name.range, message, help);
        }
        found.cloned()
    }

    pub(super) fn index(&mut self, of: &Tree, index: &Tree) -> (Op, Option<Type>) {
        let typed = self.required(of);
        let testing = std::mem::replace(&mut self.testing, false);
        let place = self.expect(index, &Type::INT);
        self.testing = testing;
        let ty = match &typed.ty {
            None => None,
            Some(Type::List(inner)) => Some((**inner).clone()),
            Some(Type::Tuple(types)) => match &index.kind {
                Kind::Int(place) => {
                    let found = usize::try_from(*place)
                        .ok()
                        .and_then(|place| types.get(place))
                        .cloned();
                    if found.is_none() {
                        let message = format!("there are {} parts, counted from 0", types.len());
                        self.complain(Code::UnknownRecordField, &index.range, message, None);
                    }
                    found
                }
                _ => {
                    let message = "the place in a tuple has to be a plain number".to_owned();
                    self.complain(Code::TypeMismatch, &index.range, message, None);
                    None
                }
            },
            Some(other) => {
                let message = format!("{} has no places to count", article(other));
                let help = is_text(other).then(|| "take a part of a text with substring(0, 1)".to_owned());
                self.complain(Code::TypeMismatch, &of.range, message, help);
                None
            }
        };
        (Op::Index(Box::new(typed.node), Box::new(place)), ty)
    }
}
