//! Types of expressions, found before a flow runs.

mod calls;
mod names;
mod operators;

use std::{ops::Range, sync::Arc};

use indexmap::IndexMap;
use trunkline_model::{Type, Value, VariableName};

use super::{
    Node, Op,
    functions::is_text,
    literal,
    print::printable,
    syntax::{Kind, Operator, Tree},
};
use crate::diagnostics::{Code, one_of};

/// What names mean where an expression stands.
pub(crate) struct Names<'a> {
    /// The flow's variables; a type of none is one that could not be read.
    pub(crate) variables: &'a IndexMap<VariableName, Option<Type>>,
    /// The names of all calendars.
    pub(crate) calendars: &'a [Arc<str>],
    /// The names of all queues.
    pub(crate) queues: &'a [Arc<str>],
    /// Whether `position` and `wait` are known: in announcements of a queue.
    pub(crate) announcing: bool,
    /// Whether this is a survey's question, which reads no variables.
    pub(crate) survey: bool,
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
