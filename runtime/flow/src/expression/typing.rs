//! Types of expressions, found before a flow runs.

use std::{ops::Range, sync::Arc};

use indexmap::IndexMap;
use trunkline_model::{Type, Value, VariableName, types};

use super::{
    CalendarField, ContactField, Node, Op,
    functions::{FUNCTIONS, Function, is_text},
    literal,
    print::printable,
    syntax::{Kind, Name, Operator, Tree},
};
use crate::diagnostics::{Code, did_you_mean, one_of};

/// What names mean where an expression stands.
pub(crate) struct Names<'a> {
    /// The flow's variables; a type of none is one that could not be read.
    pub(crate) variables: &'a IndexMap<VariableName, Option<Type>>,
    /// The names of all calendars.
    pub(crate) calendars: &'a [Arc<str>],
    /// The type of `answer`, where there is one.
    pub(crate) answer: Option<Type>,
    /// The type of `result`, where there is one; its own type may be unknown.
    pub(crate) result: Option<Option<Type>>,
    /// Whether a variable or a path of fields is known to be there.
    pub(crate) present: &'a dyn Fn(&str) -> bool,
}

/// Something wrong with an expression.
#[derive(Debug, Clone)]
pub(crate) struct Complaint {
    pub(crate) code: Code,
    pub(crate) range: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// A part with its type; without a type something is wrong with it, and that has been said.
#[derive(Debug)]
pub(crate) struct Typed {
    pub(crate) node: Node,
    pub(crate) ty: Option<Type>,
}

/// Finds the types of one expression's parts.
pub(crate) struct Typist<'a> {
    names: &'a Names<'a>,
    /// What conditions further out in the same expression have shown to be there.
    shown: Vec<String>,
    /// Whether the path is only tested: then nothing in it has to be there.
    testing: bool,
    pub(crate) complaints: Vec<Complaint>,
}

/// The paths that are there when a condition is `truth`.
pub(crate) fn shown_by(tree: &Tree, truth: bool) -> Vec<String> {
    match &tree.kind {
        Kind::Not(of) => shown_by(of, !truth),
        Kind::Call(name, parts) if &*name.text == "has" && truth => {
            let mut paths = Vec::new();
            let mut part = parts.first();
            while let Some(tree) = part {
                paths.extend(tree.path());
                part = match &tree.kind {
                    Kind::Field(of, _) => Some(of),
                    _ => None,
                };
            }
            paths
        }
        Kind::Binary(Operator::And, a, b) | Kind::Binary(Operator::Or, a, b) => {
            let (mut first, second) = (shown_by(a, truth), shown_by(b, truth));
            let both = matches!(tree.kind, Kind::Binary(Operator::And, ..)) == truth;
            if both {
                first.extend(second);
            } else {
                first.retain(|path| second.contains(path));
            }
            first
        }
        // A comparison with something absent is false.
        Kind::Binary(operator, a, b) if operator.compares() && truth => {
            let right = (*operator != Operator::In).then(|| b.path()).flatten();
            a.path().into_iter().chain(right).collect()
        }
        _ => Vec::new(),
    }
}

impl<'a> Typist<'a> {
    pub(crate) const fn new(names: &'a Names<'a>) -> Self {
        Self {
            names,
            shown: Vec::new(),
            testing: false,
            complaints: Vec::new(),
        }
    }

    fn complain(&mut self, code: Code, range: &Range<usize>, message: String, help: Option<String>) {
        self.complaints.push(Complaint {
            code,
            range: range.clone(),
            message,
            help,
        });
    }

    fn problem(&mut self, range: &Range<usize>, problem: literal::Problem) {
        self.complain(problem.code, range, problem.message, problem.help);
    }

    fn is_present(&self, path: &str) -> bool {
        self.shown.iter().any(|shown| shown == path) || (self.names.present)(path)
    }

    /// The type of an expression on its own.
    pub(crate) fn infer(&mut self, tree: &Tree) -> Typed {
        let (op, ty) = match &tree.kind {
            Kind::Text(text) => (Op::Constant(Value::Text(text.clone())), Some(Type::String)),
            Kind::Int(int) => (Op::Constant(Value::Int(*int)), Some(Type::INT)),
            Kind::Decimal(decimal) => (Op::Constant(Value::Decimal(*decimal)), Some(Type::Decimal)),
            Kind::Bool(bool) => (Op::Constant(Value::Bool(*bool)), Some(Type::Bool)),
            Kind::Name(name) => self.name(name, tree),
            Kind::Field(of, field) => self.field(of, field, tree),
            Kind::Index(of, index) => self.index(of, index),
            Kind::Call(name, parts) => self.call(name, None, parts, tree),
            Kind::Method(of, name, parts) => self.call(name, Some(of), parts, tree),
            Kind::Not(of) => (Op::Not(Box::new(self.expect(of, &Type::Bool))), Some(Type::Bool)),
            Kind::Negate(of) => {
                let of_typed = self.required(of);
                let ty = match of_typed.ty {
                    Some(Type::Int(_)) => Some(Type::INT),
                    Some(Type::Decimal) => Some(Type::Decimal),
                    None => None,
                    Some(other) => {
                        let message = format!("`-` wants a number, not {other}");
                        self.complain(Code::TypeMismatch, &of.range, message, None);
                        None
                    }
                };
                (Op::Negate(Box::new(of_typed.node)), ty)
            }
            Kind::Binary(operator, a, b) => self.binary(*operator, a, b, tree),
            Kind::Conditional(condition, yes, no) => {
                let test = self.expect(condition, &Type::Bool);
                let yes_typed = self.knowing(condition, true, |typist| typist.infer(yes));
                let no_typed = self.knowing(condition, false, |typist| typist.infer(no));
                let ty = match (&yes_typed.ty, &no_typed.ty) {
                    (Some(a), Some(b)) => self.join(a, b, tree),
                    _ => None,
                };
                let fit = |node: Node, from: &Option<Type>| match (&ty, from) {
                    (Some(to), Some(from)) => converted(node, from, to),
                    _ => node,
                };
                let yes_node = fit(yes_typed.node, &yes_typed.ty);
                let no_node = fit(no_typed.node, &no_typed.ty);
                let op = Op::Conditional(Box::new(test), Box::new(yes_node), Box::new(no_node));
                (op, ty)
            }
            Kind::List(parts) => {
                let typed: Vec<Typed> = parts.iter().map(|part| self.infer(part)).collect();
                let mut ty = None;
                let mut known = true;
                for part in &typed {
                    match (&ty, &part.ty) {
                        (_, None) => known = false,
                        (None, Some(first)) => ty = Some(first.clone()),
                        (Some(a), Some(b)) => {
                            let joined = self.join(a, b, tree);
                            known &= joined.is_some();
                            ty = joined.or(ty);
                        }
                    }
                }
                let inner = ty.unwrap_or(Type::String);
                let nodes = typed
                    .into_iter()
                    .map(|part| match part.ty {
                        Some(from) => converted(part.node, &from, &inner),
                        None => part.node,
                    })
                    .collect();
                (Op::List(nodes), known.then(|| inner.list()))
            }
        };
        Typed {
            node: Node {
                op,
                range: tree.range.clone(),
            },
            ty,
        }
    }

    /// A type that holds the values of both branches.
    fn join(&mut self, a: &Type, b: &Type, tree: &Tree) -> Option<Type> {
        let (x, y) = (a.required(), b.required());
        let inner = if x.accepts(y) {
            x.clone()
        } else if y.accepts(x) {
            y.clone()
        } else if is_text(x) && is_text(y) {
            Type::String
        } else {
            self.complain(
                Code::TypeMismatch,
                &tree.range,
                format!("the parts have different types: {a} and {b}"),
                Some("make them the same, for example with string(…)".to_owned()),
            );
            return None;
        };
        Some(if a.is_optional() || b.is_optional() {
            inner.optional()
        } else {
            inner
        })
    }

    /// Looks at a part, knowing that a condition is `truth`.
    fn knowing<T>(&mut self, condition: &Tree, truth: bool, look: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.shown.len();
        self.shown.extend(shown_by(condition, truth));
        let seen = look(self);
        self.shown.truncate(before);
        seen
    }

    /// An expression where a type is wanted; complains when its type does not fit.
    pub(crate) fn expect(&mut self, tree: &Tree, wanted: &Type) -> Node {
        self.expected(tree, wanted).node
    }

    /// The same, with the type that it has of itself.
    pub(crate) fn expected(&mut self, tree: &Tree, wanted: &Type) -> Typed {
        let inner = wanted.required();
        let node = |op| Node {
            op,
            range: tree.range.clone(),
        };
        match &tree.kind {
            Kind::Text(text) if takes_literals(inner) => match literal::read(text, inner) {
                Ok(value) => Typed {
                    node: node(Op::Constant(value)),
                    ty: Some(inner.clone()),
                },
                Err(problem) => {
                    self.problem(&tree.range, problem);
                    Typed {
                        node: node(Op::Constant(Value::None)),
                        ty: None,
                    }
                }
            },
            Kind::Conditional(condition, yes, no) => {
                let test = self.expect(condition, &Type::Bool);
                let yes = self.knowing(condition, true, |typist| typist.expected(yes, wanted));
                let no = self.knowing(condition, false, |typist| typist.expected(no, wanted));
                let absent = |typed: &Typed| typed.ty.as_ref().is_some_and(Type::is_optional);
                let known = yes.ty.is_some() && no.ty.is_some();
                let ty = if absent(&yes) || absent(&no) {
                    wanted
                } else {
                    inner
                };
                Typed {
                    node: node(Op::Conditional(
                        Box::new(test),
                        Box::new(yes.node),
                        Box::new(no.node),
                    )),
                    ty: known.then(|| ty.clone()),
                }
            }
            Kind::List(parts) => match inner {
                Type::List(of) => {
                    let nodes = parts.iter().map(|part| self.expect(part, of)).collect();
                    Typed {
                        node: node(Op::List(nodes)),
                        ty: Some(inner.clone()),
                    }
                }
                _ => self.fitted(tree, wanted),
            },
            _ => self.fitted(tree, wanted),
        }
    }

    fn fitted(&mut self, tree: &Tree, wanted: &Type) -> Typed {
        let typed = self.infer(tree);
        let Some(given) = typed.ty else { return typed };
        if wanted.accepts(&given) {
            return Typed {
                node: converted(typed.node, &given, wanted),
                ty: Some(given),
            };
        }
        if wanted.accepts(given.required()) {
            self.absent(tree);
        } else {
            self.mismatch(tree, wanted, &given);
        }
        Typed {
            node: typed.node,
            ty: None,
        }
    }

    fn mismatch(&mut self, tree: &Tree, wanted: &Type, given: &Type) {
        let written = tree.path().unwrap_or_else(|| "…".to_owned());
        let help = match (wanted.required(), given.required()) {
            (Type::String, given) if printable(given) => Some(format!("write string({written})")),
            (Type::Int(_), Type::String | Type::Decimal) => Some(format!("write int({written})")),
            (Type::Decimal, Type::String) => Some(format!("write decimal({written})")),
            (Type::Date, Type::Time | Type::String) => Some(format!("write date({written})")),
            (Type::Duration, Type::String) => Some(format!("write duration({written})")),
            (Type::Phone, Type::String) => {
                Some("take it from contact.caller, or ask for it with `answer: phone`".to_owned())
            }
            (Type::Bool, given) if given != &Type::Bool => {
                Some("compare it with something, or test it with has(…)".to_owned())
            }
            _ => None,
        };
        self.complain(
            Code::TypeMismatch,
            &tree.range,
            format!("this should be {}, not {}", article(wanted), article(given)),
            help,
        );
    }

    fn absent(&mut self, tree: &Tree) {
        let (what, test) = match tree.path() {
            Some(path) => (format!("`{path}`"), format!("has({path})")),
            None => ("this value".to_owned(), "has(…)".to_owned()),
        };
        self.complain(
            Code::MayBeAbsent,
            &tree.range,
            format!("{what} may be absent here"),
            Some(format!(
                "test it first: `when: \"${{{test}}}\"` on this step, a `choose` before it, or `{test} ? … : …`"
            )),
        );
    }

    /// An expression whose value has to be there.
    fn required(&mut self, tree: &Tree) -> Typed {
        let typed = self.infer(tree);
        self.opened(tree, typed)
    }

    fn opened(&mut self, tree: &Tree, typed: Typed) -> Typed {
        match typed.ty {
            Some(Type::Option(inner)) => {
                if !self.testing {
                    self.absent(tree);
                }
                Typed {
                    node: present_node(typed.node, &inner),
                    ty: Some((*inner).clone()),
                }
            }
            _ => typed,
        }
    }

    /// A part of an optional type, or its type alone when a condition showed it to be there.
    fn narrowed(&self, op: Op, ty: Type, tree: &Tree) -> (Op, Option<Type>) {
        if let Type::Option(inner) = &ty
            && tree.path().is_some_and(|path| self.is_present(&path))
        {
            let node = Node {
                op,
                range: tree.range.clone(),
            };
            return (present_node(node, inner).op, Some((**inner).clone()));
        }
        (op, Some(ty))
    }

    fn name(&mut self, name: &Arc<str>, tree: &Tree) -> (Op, Option<Type>) {
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
            "contact" => {
                let message = "the contact itself is no value".to_owned();
                let fields = ContactField::ALL.iter().map(|field| field.as_str());
                let help = Some(format!("use one of its fields: {}", one_of(fields)));
                self.complain(Code::UnknownName, &tree.range, message, help);
                return nothing;
            }
            "calendar" | "queue" => {
                let message = format!("`{name}` itself is no value");
                let help = Some("ask whether one is open: calendar.office.open".to_owned());
                self.complain(Code::UnknownName, &tree.range, message, help);
                return nothing;
            }
            _ => {}
        }
        let Some(ty) = self.names.variables.get(&**name) else {
            let known = self.names.variables.keys().map(VariableName::as_str);
            let mut help = did_you_mean(
                "there are",
                name,
                known.chain(["contact", "calendar", "now", "number"]),
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

    fn field(&mut self, of: &Tree, field: &Name, tree: &Tree) -> (Op, Option<Type>) {
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
            Kind::Name(name) if matches!(&**name, "queue" | "feed") => {
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
        let found = self
            .names
            .calendars
            .iter()
            .find(|calendar| calendar.replace('-', "_") == *name.text);
        if found.is_none() {
            let names: Vec<String> = self
                .names
                .calendars
                .iter()
                .map(|name| name.replace('-', "_"))
                .collect();
            let help = did_you_mean("there are", &name.text, names.iter().map(String::as_str));
            let message = format!("there is no calendar `{}`", name.text);
            self.complain(Code::UnknownCalendar, &name.range, message, help);
        }
        found.cloned()
    }

    fn index(&mut self, of: &Tree, index: &Tree) -> (Op, Option<Type>) {
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

    fn call(&mut self, name: &Name, of: Option<&Tree>, parts: &[Tree], tree: &Tree) -> (Op, Option<Type>) {
        let nothing = (Op::Constant(Value::None), None);
        if &*name.text == "has" && of.is_none() {
            return self.has(parts, tree);
        }
        let usage = FUNCTIONS
            .iter()
            .find(|usage| usage.name == &*name.text && usage.method == of.is_some());
        let Some(usage) = usage else {
            let other = FUNCTIONS.iter().find(|usage| usage.name == &*name.text);
            let help = match other {
                Some(other) => Some(format!("write {}", other.example)),
                None => {
                    let names = FUNCTIONS.iter().map(|usage| usage.name).chain(["has"]);
                    did_you_mean("there are", &name.text, names)
                }
            };
            let message = format!("there is no function `{}` that is used like this", name.text);
            self.complain(Code::WrongFunctionUse, &name.range, message, help);
            return nothing;
        };
        let given = parts.len() + usize::from(of.is_some());
        let arguments = if of.is_some() {
            parts
        } else {
            parts.get(1..).unwrap_or_default()
        };
        if given == 0 || arguments.len() < usage.required || arguments.len() > usage.arguments.len() {
            let message = format!("`{}` is used like {}", usage.name, usage.example);
            self.complain(Code::WrongFunctionUse, &tree.range, message, None);
            return nothing;
        }
        let subject = of.unwrap_or_else(|| &parts[0]);
        let typed = self.required(subject);
        let mut nodes = vec![typed.node];
        for (part, wanted) in arguments.iter().zip(usage.arguments) {
            nodes.push(self.expect(part, wanted));
        }
        let ty = typed.ty.and_then(|ty| {
            let result = usage.function.result(&ty);
            if result.is_none() {
                let message = format!(
                    "`{}` takes {}, not {}",
                    usage.name,
                    usage.function.takes(),
                    article(&ty)
                );
                let help = Some(format!("it is used like {}", usage.example));
                self.complain(Code::WrongFunctionUse, &subject.range, message, help);
            }
            result
        });
        if let (
            Kind::Text(text),
            Function::Date | Function::Duration | Function::Int | Function::Decimal,
            Some(ty),
        ) = (&subject.kind, usage.function, &ty)
            && let Err(problem) = literal::read(text.trim(), ty)
        {
            self.problem(&subject.range, problem);
        }
        (Op::Function(usage.function, nodes), ty)
    }

    fn has(&mut self, parts: &[Tree], tree: &Tree) -> (Op, Option<Type>) {
        let [path] = parts else {
            let message = "`has` tests one value: has(citizen)".to_owned();
            self.complain(Code::WrongFunctionUse, &tree.range, message, None);
            return (Op::Constant(Value::None), None);
        };
        if !matches!(path.kind, Kind::Name(_) | Kind::Field(..) | Kind::Index(..)) {
            let message = "`has` tests a variable or a field".to_owned();
            let help = Some("write has(citizen) or has(citizen.district)".to_owned());
            self.complain(Code::WrongFunctionUse, &path.range, message, help);
        }
        let testing = std::mem::replace(&mut self.testing, true);
        let typed = self.infer(path);
        self.testing = testing;
        (Op::Has(Box::new(typed.node)), Some(Type::Bool))
    }

    fn binary(&mut self, operator: Operator, a: &Tree, b: &Tree, tree: &Tree) -> (Op, Option<Type>) {
        match operator {
            Operator::And | Operator::Or => {
                let left = self.expect(a, &Type::Bool);
                let right = self.knowing(a, operator == Operator::And, |typist| {
                    typist.expect(b, &Type::Bool)
                });
                (
                    Op::Binary(operator, Box::new(left), Box::new(right)),
                    Some(Type::Bool),
                )
            }
            Operator::In => self.contained(a, b),
            _ if operator.compares() => self.comparison(operator, a, b, tree),
            _ => self.arithmetic(operator, a, b, tree),
        }
    }

    fn contained(&mut self, a: &Tree, b: &Tree) -> (Op, Option<Type>) {
        let left = self.infer(a);
        let op = |left: Node, right: Node| Op::Binary(Operator::In, Box::new(left), Box::new(right));
        if let (Kind::List(parts), Some(ty)) = (&b.kind, &left.ty) {
            let wanted = ty.required().clone();
            let mut nodes = Vec::new();
            for part in parts {
                nodes.push(self.compared(part, &wanted));
            }
            let right = Node {
                op: Op::List(nodes),
                range: b.range.clone(),
            };
            return (op(left.node, right), Some(Type::Bool));
        }
        let right = self.required(b);
        if let (Some(ty), Some(list)) = (&left.ty, &right.ty) {
            let fits = match list {
                Type::List(inner) => comparable(ty.required(), inner.required(), false),
                Type::Flags(names) => {
                    if let Kind::Text(text) = &a.kind
                        && let Err(problem) = literal::case(text, &names.cases, list)
                    {
                        self.problem(&a.range, problem);
                    }
                    is_text(ty.required())
                }
                _ => false,
            };
            if !fits {
                let message = format!(
                    "`in` looks for {} in a list of such, not in {}",
                    article(ty),
                    article(list)
                );
                let help = is_text(list).then(|| "look for a part of a text with contains(…)".to_owned());
                self.complain(Code::TypeMismatch, &b.range, message, help);
            }
        }
        (op(left.node, right.node), Some(Type::Bool))
    }

    /// An operand that is compared with a value of a type.
    fn compared(&mut self, tree: &Tree, with: &Type) -> Node {
        if let Kind::Text(text) = &tree.kind
            && takes_literals(with)
            && !matches!(with, Type::Phone)
        {
            return match literal::read(text, with) {
                Ok(value) => Node {
                    op: Op::Constant(value),
                    range: tree.range.clone(),
                },
                Err(problem) => {
                    self.problem(&tree.range, problem);
                    Node {
                        op: Op::Constant(Value::None),
                        range: tree.range.clone(),
                    }
                }
            };
        }
        let typed = self.infer(tree);
        if let Some(ty) = &typed.ty
            && !comparable(ty.required(), with.required(), false)
        {
            self.incomparable(tree, with, ty);
        }
        typed.node
    }

    fn incomparable(&mut self, tree: &Tree, a: &Type, b: &Type) {
        let help = match (a.required(), b.required()) {
            (Type::Int(_) | Type::Decimal, text) | (text, Type::Int(_) | Type::Decimal) if is_text(text) => {
                Some("make one like the other: a number without quotes, int(…) or string(…)")
            }
            (Type::Time, Type::Date) | (Type::Date, Type::Time) => Some("take the day of a time: now.date"),
            (Type::Bool, _) | (_, Type::Bool) => Some("a bool is a condition of its own; negate it with !"),
            (Type::Variant(_), _) | (_, Type::Variant(_)) => Some("compare its case: ….case == 'not-found'"),
            _ => None,
        };
        self.complain(
            Code::TypeMismatch,
            &tree.range,
            format!("{} and {} cannot be compared like this", article(a), article(b)),
            help.map(str::to_owned),
        );
    }

    fn comparison(&mut self, operator: Operator, a: &Tree, b: &Tree, tree: &Tree) -> (Op, Option<Type>) {
        // A literal takes the type of what it is compared with.
        let (left, right) = if matches!(a.kind, Kind::Text(_)) && !matches!(b.kind, Kind::Text(_)) {
            let right = self.infer(b);
            let node = match &right.ty {
                Some(ty) => self.compared(a, &ty.required().clone()),
                None => self.infer(a).node,
            };
            let left = Typed {
                node,
                ty: right.ty.clone(),
            };
            (left, right)
        } else {
            let left = self.infer(a);
            let literal = left.ty.as_ref().filter(|ty| {
                matches!(b.kind, Kind::Text(_))
                    && takes_literals(ty.required())
                    && !matches!(ty.required(), Type::Phone)
            });
            let right = match literal {
                Some(ty) => Typed {
                    node: self.compared(b, &ty.required().clone()),
                    ty: left.ty.clone(),
                },
                None => self.infer(b),
            };
            (left, right)
        };
        if let (Some(x), Some(y)) = (&left.ty, &right.ty) {
            let ordered = !matches!(operator, Operator::Equal | Operator::NotEqual);
            if !comparable(x.required(), y.required(), ordered) {
                self.incomparable(tree, x, y);
            }
        }
        (
            Op::Binary(operator, Box::new(left.node), Box::new(right.node)),
            Some(Type::Bool),
        )
    }

    fn arithmetic(&mut self, operator: Operator, a: &Tree, b: &Tree, tree: &Tree) -> (Op, Option<Type>) {
        let (left, right) = (self.required(a), self.required(b));
        let op = Op::Binary(operator, Box::new(left.node), Box::new(right.node));
        let (Some(x), Some(y)) = (left.ty, right.ty) else {
            return (op, None);
        };
        let ty = match (operator, &x, &y) {
            (_, Type::Int(_), Type::Int(_)) => Some(Type::INT),
            (Operator::Remainder, ..) => None,
            (_, Type::Int(_) | Type::Decimal, Type::Int(_) | Type::Decimal) => Some(Type::Decimal),
            (Operator::Add, x, y) if is_text(x) && is_text(y) => Some(Type::String),
            (Operator::Add | Operator::Subtract, Type::Time, Type::Duration) => Some(Type::Time),
            (Operator::Add | Operator::Subtract, Type::Duration, Type::Duration) => Some(Type::Duration),
            (Operator::Subtract, Type::Time, Type::Time) => Some(Type::Duration),
            _ => None,
        };
        if ty.is_none() {
            let help = match (&x, &y) {
                (text, other) | (other, text) if is_text(text) && printable(other) => {
                    Some("join texts with +, others by string(…), or write \"a ${b} c\"".to_owned())
                }
                _ => None,
            };
            let message = format!(
                "`{}` cannot stand between {} and {}",
                operator.as_str(),
                article(&x),
                article(&y)
            );
            self.complain(Code::TypeMismatch, &tree.range, message, help);
        }
        (op, ty)
    }

    /// An expression that is printed.
    pub(crate) fn printed(&mut self, tree: &Tree) -> Typed {
        let typed = self.required(tree);
        if let Some(ty) = &typed.ty
            && !printable(ty)
        {
            let message = format!("{} cannot be said", article(ty));
            let help = match ty {
                Type::Record(record) => {
                    let names = record.fields.iter().map(|field| &*field.name);
                    Some(format!("say one of its fields: {}", one_of(names)))
                }
                Type::Variant(_) | Type::Result { .. } => Some("say its case: ….case".to_owned()),
                _ => None,
            };
            self.complain(Code::NotPrintable, &tree.range, message, help);
        }
        typed
    }
}

/// Whether a text between quotes may stand for a value of a type.
const fn takes_literals(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Enum(_)
            | Type::Date
            | Type::Time
            | Type::Duration
            | Type::Phone
            | Type::Char
            | Type::Variant(_)
    )
}

fn comparable(a: &Type, b: &Type, ordered: bool) -> bool {
    let number = |ty: &Type| matches!(ty, Type::Int(_) | Type::Decimal);
    match (a, b) {
        _ if number(a) && number(b) => true,
        (Type::Enum(_), _) | (_, Type::Enum(_)) if ordered => false,
        _ if is_text(a) && is_text(b) => true,
        (Type::Date, Type::Date) | (Type::Time, Type::Time) | (Type::Duration, Type::Duration) => true,
        _ => !ordered && (a.accepts(b) || b.accepts(a)),
    }
}

/// The value inside an optional one.
fn present_node(node: Node, inner: &Type) -> Node {
    Node {
        range: node.range.clone(),
        op: Op::Present {
            of: Box::new(node),
            nested: inner.is_optional(),
        },
    }
}

/// A value as one of a type that accepts it.
fn converted(node: Node, from: &Type, to: &Type) -> Node {
    if !needs_conversion(from, to) {
        return node;
    }
    Node {
        range: node.range.clone(),
        op: Op::Convert(Box::new(node), to.clone()),
    }
}

fn needs_conversion(from: &Type, to: &Type) -> bool {
    if from == to {
        return false;
    }
    match (to, from) {
        (Type::Int(to), Type::Int(from)) => from.min < to.min || from.max > to.max,
        (Type::Decimal, Type::Int(_)) => true,
        (Type::Option(to), from) if to.is_optional() => from != &Type::Option(to.clone()),
        (Type::Option(to), Type::Option(from)) => needs_conversion(from, to),
        (Type::Option(to), from) => needs_conversion(from, to),
        (Type::List(_) | Type::Tuple(_) | Type::Record(_), _) => true,
        _ => false,
    }
}

/// A type with its article, for messages.
pub(crate) fn article(ty: &Type) -> String {
    let text = ty.to_string();
    let vowel = text.starts_with(['a', 'e', 'i', 'o']) && !text.starts_with("one");
    format!("{} {text}", if vowel { "an" } else { "a" })
}
