//! Types of what stands between operators.

use trunkline_model::{Type, Value};

use super::{
    super::{
        Node, Op,
        functions::is_text,
        literal,
        print::printable,
        syntax::{Kind, Operator, Tree},
    },
    Typed, Typist, article, takes_literals,
};
use crate::diagnostics::Code;

impl Typist<'_> {
    pub(super) fn binary(
        &mut self,
        operator: Operator,
        a: &Tree,
        b: &Tree,
        tree: &Tree,
    ) -> (Op, Option<Type>) {
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
