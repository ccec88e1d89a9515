//! What is known of a flow's values on one way through it, and what conditions are worth by it.
//!
//! A fact is about a path such as `citizen` or `mood.level`, or about a whole condition such as
//! `calendar.office.open`: it is set, it is not set, or it has one value. What is not known is
//! unknown: conditions over it go both ways, and on each way it is remembered how they went, so
//! that the same condition does not hold here and fail there.

use std::{collections::BTreeMap, sync::Arc};

use jiff::tz::TimeZone;
use trunkline_model::{Timestamp, Value};

use crate::{
    expression::{ContactField, Expression, Node, Op, QueueField, Scope, evaluate_node, syntax::Operator},
    hotline::Hotline,
};

/// What is known of one path or condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fact {
    /// Nothing is there.
    Unset,
    /// Something is there.
    Set,
    /// This is there.
    Is(Value),
}

/// What an expression is worth as far as the facts tell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Worth {
    /// One value; an absent one is [`Worth::Unset`].
    Is(Value),
    /// Nothing.
    Unset,
    /// Something, but not what.
    Set,
    /// Perhaps something.
    Unknown,
}

/// The facts that hold at one place, by path or condition.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Facts(pub(crate) BTreeMap<Arc<str>, Fact>);

/// What does not change on a way: the number that was called, and the language now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'a> {
    pub(crate) number: Option<&'a Arc<str>>,
    pub(crate) language: &'a Arc<str>,
    /// Conditions that are taken as true, by their [`key`].
    pub(crate) assumed: &'a [String],
    pub(crate) hotline: &'a Hotline,
}

impl Given<'_> {
    /// Whether a queue takes callers at any hour.
    fn always_open(&self, queue: &str) -> bool {
        let settings = self.hotline.queues.get(queue);
        settings.is_some_and(|settings| &*settings.calendar == crate::calendar::ALWAYS)
    }
}

impl Facts {
    /// Sets what is known of a variable, and forgets all that was known of its parts and of
    /// conditions over it.
    pub(crate) fn set(&mut self, variable: &str, worth: &Worth) {
        self.forget(variable);
        let fact = match worth {
            Worth::Is(Value::None) | Worth::Unset => Fact::Unset,
            Worth::Is(value) => Fact::Is(value.clone()),
            Worth::Set => Fact::Set,
            Worth::Unknown => return,
        };
        self.0.insert(variable.into(), fact);
    }

    /// Forgets all about a variable.
    pub(crate) fn forget(&mut self, variable: &str) {
        self.0.retain(|about, _| !mentions(about, variable));
    }

    /// What an expression is worth.
    pub(crate) fn worth(&self, node: &Node, given: Given<'_>) -> Worth {
        if !given.assumed.is_empty() && given.assumed.contains(&key(node)) {
            return Worth::Is(Value::Bool(true));
        }
        let worth = self.look(node, given);
        if matches!(worth, Worth::Unknown | Worth::Set) {
            let key = key(node);
            if let Some(Fact::Is(value)) = self.0.get(key.as_str()) {
                return Worth::Is(value.clone());
            }
        }
        worth
    }

    /// Whether a calendar is open, where that is known.
    pub(crate) fn open(&self, calendar: &str) -> Option<bool> {
        if calendar == crate::calendar::ALWAYS {
            return Some(true);
        }
        match self.0.get(open_key(calendar).as_str()) {
            Some(Fact::Is(Value::Bool(open))) => Some(*open),
            _ => None,
        }
    }

    /// Whether it is known that the caller's number is.
    pub(crate) fn caller_is_known(&self) -> bool {
        matches!(self.0.get("contact.caller"), Some(Fact::Set | Fact::Is(_)))
    }

    /// Forgets what may be otherwise after a while: calendars, queues, the time.
    pub(crate) fn let_time_pass(&mut self) {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
        let passing = |about: &str| {
            about.split(|c| !is_name(c)).any(|name| {
                let root = name.split('.').next();
                matches!(root, Some("calendar" | "queue" | "now"))
            })
        };
        self.0.retain(|about, _| !passing(about));
    }

    /// Whether a condition holds, if the facts tell. One without a value does not hold.
    pub(crate) fn holds(&self, condition: &Expression, given: Given<'_>) -> Option<bool> {
        match self.worth(condition.root(), given) {
            Worth::Is(Value::Bool(truth)) => Some(truth),
            Worth::Unset => Some(false),
            Worth::Is(_) | Worth::Set | Worth::Unknown => None,
        }
    }

    fn look(&self, node: &Node, given: Given<'_>) -> Worth {
        let of = |fact: Option<&Fact>| match fact {
            Some(Fact::Unset) => Worth::Unset,
            Some(Fact::Set) => Worth::Set,
            Some(Fact::Is(value)) => Worth::Is(value.clone()),
            None => Worth::Unknown,
        };
        match &node.op {
            Op::Constant(Value::None) => Worth::Unset,
            Op::Constant(value) => Worth::Is(value.clone()),
            Op::Nested(expression) => self.worth(expression.root(), given),
            Op::Present { of, .. } | Op::Convert(of, _) => self.worth(of, given),
            Op::Variable { optional, .. } => {
                let known = of(path(node).and_then(|path| self.0.get(path.as_str())));
                match known {
                    Worth::Unknown if !optional => Worth::Set,
                    known => known,
                }
            }
            Op::Contact {
                field: ContactField::Number,
                ..
            } => given
                .number
                .map_or(Worth::Set, |number| Worth::Is(Value::Text(number.clone()))),
            Op::Contact {
                field: ContactField::Language,
                ..
            } => Worth::Is(Value::Text(given.language.clone())),
            Op::Contact { .. } => of(path(node).and_then(|path| self.0.get(path.as_str()))),
            Op::CalendarOpen(name) if &**name == crate::calendar::ALWAYS => Worth::Is(Value::Bool(true)),
            Op::Queue(name, QueueField::Open) if given.always_open(name) => Worth::Is(Value::Bool(true)),
            Op::Field(inside, name) => match self.worth(inside, given) {
                Worth::Unset => Worth::Unset,
                Worth::Is(Value::Record(fields)) => {
                    fields.get(name).map_or(Worth::Unknown, |value| match value {
                        Value::None => Worth::Unset,
                        value => Worth::Is(value.clone()),
                    })
                }
                Worth::Is(_) | Worth::Set | Worth::Unknown => {
                    of(path(node).and_then(|path| self.0.get(path.as_str())))
                }
            },
            Op::Has(inside) => match self.worth(inside, given) {
                Worth::Unset => Worth::Is(Value::Bool(false)),
                Worth::Is(_) | Worth::Set => Worth::Is(Value::Bool(true)),
                Worth::Unknown => Worth::Unknown,
            },
            Op::Not(inside) => match self.worth(inside, given) {
                Worth::Is(Value::Bool(truth)) => Worth::Is(Value::Bool(!truth)),
                worth => worth,
            },
            Op::Binary(operator @ (Operator::And | Operator::Or), a, b) => {
                let decides = *operator == Operator::Or;
                let truth = |worth: Worth| match worth {
                    Worth::Is(Value::Bool(truth)) => Some(truth),
                    _ => None,
                };
                match (truth(self.worth(a, given)), truth(self.worth(b, given))) {
                    (Some(a), _) if a == decides => Worth::Is(Value::Bool(decides)),
                    (_, Some(b)) if b == decides => Worth::Is(Value::Bool(decides)),
                    (Some(_), Some(_)) => Worth::Is(Value::Bool(!decides)),
                    _ => Worth::Unknown,
                }
            }
            Op::Conditional(condition, yes, no) => match self.worth(condition, given) {
                Worth::Is(Value::Bool(true)) => self.worth(yes, given),
                Worth::Is(Value::Bool(false)) => self.worth(no, given),
                _ => Worth::Unknown,
            },
            // A comparison with something absent does not hold.
            Op::Binary(operator, a, b) if operator.compares() => {
                match (self.worth(a, given), self.worth(b, given)) {
                    (Worth::Unset, _) | (_, Worth::Unset) => Worth::Is(Value::Bool(false)),
                    (Worth::Is(a), Worth::Is(b)) => {
                        computed(&Op::Binary(*operator, constant(a), constant(b)))
                    }
                    _ => Worth::Unknown,
                }
            }
            Op::Binary(operator, a, b) => match (self.worth(a, given), self.worth(b, given)) {
                (Worth::Is(a), Worth::Is(b)) => computed(&Op::Binary(*operator, constant(a), constant(b))),
                _ => Worth::Set,
            },
            Op::List(parts) => {
                let worths = parts.iter().map(|part| match self.worth(part, given) {
                    Worth::Is(value) => Some(value),
                    _ => None,
                });
                worths
                    .collect::<Option<Vec<Value>>>()
                    .map_or(Worth::Set, |values| Worth::Is(Value::list(values)))
            }
            Op::Negate(inside) => match self.worth(inside, given) {
                Worth::Is(value) => computed(&Op::Negate(constant(value))),
                _ => Worth::Set,
            },
            Op::Record(_) | Op::Variant(..) | Op::Interpolate(_) | Op::Now | Op::Answer => Worth::Set,
            _ => Worth::Unknown,
        }
    }

    /// The facts when a condition is taken to be `truth`; none when that cannot be.
    pub(crate) fn assume(&self, condition: &Expression, truth: bool, given: Given<'_>) -> Option<Self> {
        let mut facts = self.clone();
        facts.suppose(condition.root(), truth, given).then_some(facts)
    }

    fn suppose(&mut self, node: &Node, truth: bool, given: Given<'_>) -> bool {
        match self.worth(node, given) {
            Worth::Is(Value::Bool(known)) => return known == truth,
            Worth::Unset => return !truth,
            Worth::Is(_) | Worth::Set | Worth::Unknown => {}
        }
        match &node.op {
            Op::Nested(expression) => self.suppose(expression.root(), truth, given),
            Op::Present { of, .. } => self.suppose(of, truth, given),
            Op::Not(inside) => self.suppose(inside, !truth, given),
            Op::Binary(operator @ (Operator::And | Operator::Or), a, b) => {
                let both = (*operator == Operator::And) == truth;
                if both {
                    return self.suppose(a, truth, given) && self.suppose(b, truth, given);
                }
                // One of the two decides; which, is known only if the other cannot.
                let other = |worth: Worth| matches!(worth, Worth::Is(Value::Bool(known)) if known != truth);
                if other(self.worth(a, given)) {
                    return self.suppose(b, truth, given);
                }
                if other(self.worth(b, given)) {
                    return self.suppose(a, truth, given);
                }
                self.note(node, truth);
                true
            }
            Op::Has(inside) => {
                match path(inside) {
                    Some(path) => {
                        let fact = if truth { Fact::Set } else { Fact::Unset };
                        self.0.insert(path.into(), fact);
                    }
                    None => self.note(node, truth),
                }
                true
            }
            Op::Variable { .. } => {
                if let Some(path) = path(node) {
                    self.0.insert(path.into(), Fact::Is(Value::Bool(truth)));
                }
                true
            }
            Op::Binary(Operator::Equal, a, b) if truth => {
                for (one, other) in [(a, b), (b, a)] {
                    if let Worth::Is(value) = self.worth(other, given)
                        && let Some(path) = path(one)
                    {
                        self.0.insert(path.into(), Fact::Is(value));
                        return true;
                    }
                }
                self.note(node, truth);
                true
            }
            Op::Binary(Operator::NotEqual, a, b) if !truth => {
                // Not different is the same, or absent.
                let set =
                    |facts: &Self, node: &Node| matches!(facts.worth(node, given), Worth::Set | Worth::Is(_));
                for (one, other) in [(a, b), (b, a)] {
                    if let Worth::Is(value) = self.worth(other, given)
                        && set(self, one)
                        && let Some(path) = path(one)
                    {
                        self.0.insert(path.into(), Fact::Is(value));
                        return true;
                    }
                }
                self.note(node, truth);
                true
            }
            _ => {
                self.note(node, truth);
                true
            }
        }
    }

    fn note(&mut self, node: &Node, truth: bool) {
        self.0.insert(key(node).into(), Fact::Is(Value::Bool(truth)));
    }
}

/// Whether a fact is about a variable: its own path, a part of it, or a condition over it.
pub(crate) fn mentions(about: &str, variable: &str) -> bool {
    about.match_indices(variable).any(|(at, _)| {
        let before = about[..at].chars().next_back();
        let after = about[at + variable.len()..].chars().next();
        let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        // `.name` is a field of something else.
        !joins(before) && before != Some('.') && !joins(after)
    })
}

/// The path of a variable, a field of one, or of the contact.
pub(crate) fn path(node: &Node) -> Option<String> {
    match &node.op {
        Op::Variable { name, .. } => Some(name.to_string()),
        Op::Contact { field, .. } => Some(format!("contact.{}", field.as_str())),
        Op::Field(inside, name) => Some(format!("{}.{name}", path(inside)?)),
        Op::Present { of, .. } | Op::Convert(of, _) => path(of),
        Op::Nested(expression) => path(expression.root()),
        _ => None,
    }
}

/// Whether a condition depends on what the clock or the queues say.
pub(crate) fn reads_the_world(node: &Node) -> bool {
    let mut reads = false;
    walk(node, &mut |node| {
        reads |= matches!(&node.op, Op::CalendarOpen(name) if &**name != crate::calendar::ALWAYS)
            || matches!(&node.op, Op::Queue(..) | Op::CalendarTurn(..));
    });
    reads
}

/// Looks at a node and all within it.
pub(crate) fn walk<'n>(node: &'n Node, look: &mut impl FnMut(&'n Node)) {
    look(node);
    match &node.op {
        Op::Nested(expression) => walk(expression.root(), look),
        Op::Present { of, .. }
        | Op::Convert(of, _)
        | Op::Field(of, _)
        | Op::Case(of)
        | Op::Payload(of, _)
        | Op::Calendar(of, _)
        | Op::Has(of)
        | Op::Not(of)
        | Op::Negate(of) => walk(of, look),
        Op::Index(a, b) | Op::Binary(_, a, b) => {
            walk(a, look);
            walk(b, look);
        }
        Op::Conditional(a, b, c) => {
            walk(a, look);
            walk(b, look);
            walk(c, look);
        }
        Op::List(parts) | Op::Function(_, parts) | Op::Interpolate(parts) => {
            for part in parts {
                walk(part, look);
            }
        }
        Op::Record(fields) => {
            for (_, field) in fields {
                walk(field, look);
            }
        }
        Op::Variant(_, Some(payload)) => walk(payload, look),
        _ => {}
    }
}

/// Whether a condition holds when all is as it should be: calendars and queues open, nobody waiting before,
/// agents there. None where that does not decide it.
pub(crate) fn holds_when_fine(node: &Node) -> Option<bool> {
    match &node.op {
        Op::Nested(expression) => holds_when_fine(expression.root()),
        Op::Present { of, .. } | Op::Convert(of, _) => holds_when_fine(of),
        Op::Constant(Value::Bool(truth)) => Some(*truth),
        Op::CalendarOpen(_) | Op::Queue(_, QueueField::Open) => Some(true),
        Op::Not(inside) => holds_when_fine(inside).map(|truth| !truth),
        Op::Binary(operator @ (Operator::And | Operator::Or), a, b) => {
            let decides = *operator == Operator::Or;
            match (holds_when_fine(a), holds_when_fine(b)) {
                (Some(a), Some(b)) => Some(if decides { a || b } else { a && b }),
                (Some(truth), None) | (None, Some(truth)) if truth == decides => Some(decides),
                _ => None,
            }
        }
        Op::Binary(operator, a, b) if operator.compares() => {
            let (a, b) = (fine(a)?, fine(b)?);
            match computed(&Op::Binary(*operator, constant(a), constant(b))) {
                Worth::Is(Value::Bool(truth)) => Some(truth),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What a reading of a queue is when all is as it should be, or a constant.
fn fine(node: &Node) -> Option<Value> {
    /// Agents enough for any flow that asks.
    const AGENTS: i128 = 1_000;
    match &node.op {
        Op::Nested(expression) => fine(expression.root()),
        Op::Present { of, .. } | Op::Convert(of, _) => fine(of),
        Op::Constant(value) => Some(value.clone()),
        Op::Queue(_, QueueField::Waiting) => Some(Value::Int(0)),
        Op::Queue(_, QueueField::Wait) => Some(Value::Duration(trunkline_model::Duration::default())),
        Op::Queue(_, QueueField::Agents) => Some(Value::Int(AGENTS)),
        _ => None,
    }
}

/// Whether a condition is about the world and the contact alone, and not about one flow's variables.
pub(crate) fn is_of_the_world(node: &Node) -> bool {
    let (mut reads, mut varies) = (false, false);
    walk(node, &mut |node| match &node.op {
        Op::Variable { .. } | Op::Answer | Op::Result => varies = true,
        Op::Contact { .. } | Op::CalendarOpen(_) | Op::CalendarTurn(..) | Op::Queue(..) | Op::Now => {
            reads = true;
        }
        _ => {}
    });
    reads && !varies
}

/// How it is known by that a calendar is open.
pub(crate) fn open_key(calendar: &str) -> String {
    format!("calendar.{calendar}.open")
}

/// A condition in one spelling: the same for the same condition, wherever it stands.
pub(crate) fn key(node: &Node) -> String {
    if let Some(path) = path(node) {
        return path;
    }
    let all = |nodes: &[Node]| nodes.iter().map(key).collect::<Vec<_>>().join(", ");
    match &node.op {
        Op::Nested(expression) => key(expression.root()),
        Op::Present { of, .. } | Op::Convert(of, _) => key(of),
        Op::Constant(value) => format!("{value:?}"),
        Op::CalendarOpen(name) => open_key(name),
        Op::CalendarTurn(name, turn) => format!("calendar.{name}.{turn:?}"),
        Op::Queue(name, field) => format!("queue.{name}.{}", field.as_str()),
        Op::Now => "now".to_owned(),
        Op::Field(of, name) => format!("{}.{name}", key(of)),
        Op::Case(of) => format!("{}.case", key(of)),
        Op::Payload(of, case) => format!("{}.{case}", key(of)),
        Op::Calendar(of, field) => format!("{}.{field:?}", key(of)),
        Op::Index(of, index) => format!("{}[{}]", key(of), key(index)),
        Op::Has(of) => format!("has({})", key(of)),
        Op::Not(of) => format!("!({})", key(of)),
        Op::Negate(of) => format!("-({})", key(of)),
        Op::Binary(operator, a, b) => format!("({} {} {})", key(a), operator.as_str(), key(b)),
        Op::Conditional(a, b, c) => format!("({} ? {} : {})", key(a), key(b), key(c)),
        Op::List(parts) => format!("[{}]", all(parts)),
        Op::Function(function, parts) => format!("{function:?}({})", all(parts)),
        Op::Interpolate(parts) => format!("text({})", all(parts)),
        other => format!("{other:?}"),
    }
}

fn constant(value: Value) -> Box<Node> {
    Box::new(Node {
        op: Op::Constant(value),
        range: 0..0,
    })
}

fn computed(op: &Op) -> Worth {
    let node = Node {
        op: op.clone(),
        range: 0..0,
    };
    match evaluate_node(&node, &Nowhere) {
        Some(Value::None) | None => Worth::Unset,
        Some(value) => Worth::Is(value),
    }
}

/// Where nothing can be read: what is computed there depends on nothing.
struct Nowhere;

impl Scope for Nowhere {
    fn variable(&self, _: &str) -> Option<Value> {
        None
    }
    fn answer(&self) -> Option<Value> {
        None
    }
    fn result(&self) -> Option<Value> {
        None
    }
    fn contact(&self, _: ContactField) -> Option<Value> {
        None
    }
    fn calendar_open(&self, _: &str) -> bool {
        false
    }
    fn calendar_opens(&self, _: &str) -> Option<Timestamp> {
        None
    }
    fn calendar_closes(&self, _: &str) -> Option<Timestamp> {
        None
    }
    fn queue(&self, _: &str, _: QueueField) -> Value {
        Value::None
    }
    fn position(&self) -> Option<Value> {
        None
    }
    fn wait(&self) -> Option<Value> {
        None
    }
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }
    fn time_zone(&self) -> &TimeZone {
        const UTC: &TimeZone = &TimeZone::UTC;
        UTC
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_about_variables_by_whole_names() {
        for (about, variable, does) in [
            ("mood", "mood", true),
            ("mood.level", "mood", true),
            ("(mood.score > 3)", "mood", true),
            ("mood_two", "mood", false),
            ("citizen.mood", "mood", false),
            ("has(mood)", "mood", true),
        ] {
            assert_eq!(mentions(about, variable), does, "{about} {variable}");
        }
    }
}
