//! Values that make the conditions of a way come out as it says.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::{ToSpan, civil::DateTime};
use trunkline_model::{Timestamp, Type, Value};

use super::{
    Last, Witness,
    samples::{local, number_like, queue_values, same_kind, sample, with},
    walk::Walk,
};
use crate::{
    expression::{ContactField, Expression, Op, QueueField},
    prove::{
        facts::{path, walk},
        graph::Graph,
        paths::Path,
    },
};

/// A Monday from which on times are looked for at which calendars are open or closed.
const MONDAY: &str = "2026-11-16T00:15";

/// Times of a week that are tried, half an hour apart.
const TIMES_OF_A_WEEK: i64 = 7 * 48;

/// Holidays and make-up workdays that are tried.
const EXCEPTIONS_MAX: usize = 400;

/// Walks of one way that are tried.
const WALKS_MAX: usize = 4_000;

/// Who calls, where the caller's number is known.
pub(super) const CALLER: &str = "+8613800138000";

/// Finds the script of a way.
///
/// # Errors
/// No values were found that lead along it: the place in the way that could not be taken.
pub(crate) fn find(graph: &Graph<'_>, start: usize, path: &Path, last: &Last) -> Result<Witness, usize> {
    // Best is a time at which queues are open or closed by themselves; a queue may also close while the
    // contact is under way, and then the script has to say so.
    find_by(graph, start, path, last, true).or_else(|_| find_by(graph, start, path, last, false))
}

fn find_by(
    graph: &Graph<'_>,
    start: usize,
    path: &Path,
    last: &Last,
    by_hours: bool,
) -> Result<Witness, usize> {
    // Most callers are known; what comes of those who are not has to say so.
    let mut chosen = Chosen::default();
    chosen.0.insert("caller".to_owned(), Value::from(CALLER));
    let mut left = WALKS_MAX;
    loop {
        let stuck = match Walk::begin(graph, &chosen, by_hours).along(start, path, last) {
            Ok(witness) => return Ok(witness),
            Err(stuck) => stuck,
        };
        let mut better = None;
        let fixed = |what: &str| what == "caller" && matches!(last, Last::IsRung);
        for change in stuck.changes(graph).into_iter().filter(|(what, _)| !fixed(what)) {
            left = left.checked_sub(1).ok_or(stuck.place)?;
            let mut tried = chosen.clone();
            tried.0.insert(change.0, change.1);
            let further = match Walk::begin(graph, &tried, by_hours).along(start, path, last) {
                Ok(_) => true,
                Err(next) => {
                    (next.place, next.part, next.parts_met) > (stuck.place, stuck.part, stuck.parts_met)
                }
            };
            if further {
                better = Some(tried);
                break;
            }
        }
        chosen = better.ok_or(stuck.place)?;
    }
}

/// Values that were chosen, by what they are for: `at`, `caller`, `call 3`, `ask 1`, `queue.general.waiting`.
#[derive(Clone, Default)]
pub(super) struct Chosen(pub(super) BTreeMap<String, Value>);

/// A condition that came out differently.
pub(super) struct Stuck {
    pub(super) place: usize,
    /// Which of the conditions at this place.
    pub(super) part: usize,
    /// How much of the condition came out as it should.
    pub(super) parts_met: usize,
    pub(super) wants: Wanted,
    /// The variables it is about: where their values come from, and their types.
    pub(super) sources: HashMap<String, (String, Type)>,
    pub(super) values: HashMap<String, Value>,
    pub(super) year: i64,
}

/// What would have to be otherwise.
pub(super) enum Wanted {
    /// A condition.
    Condition(Expression),
    /// The caller is to be known.
    Caller,
    /// It is to be another time.
    Time,
}

impl Stuck {
    /// Values to try instead, by what they are for.
    fn changes(&self, graph: &Graph<'_>) -> Vec<(String, Value)> {
        let condition = match &self.wants {
            Wanted::Condition(condition) => condition,
            Wanted::Caller => return vec![("caller".to_owned(), Value::from(CALLER))],
            Wanted::Time => return times(graph),
        };
        let mut constants: Vec<Value> = Vec::new();
        walk(condition.root(), &mut |node| {
            if let Op::Constant(value) = &node.op {
                match value {
                    Value::List(values) => constants.extend(values.iter().cloned()),
                    value => constants.push(value.clone()),
                }
            }
        });
        let mut changes: Vec<(String, Value)> = Vec::new();
        let mut reads_clock = false;
        walk(condition.root(), &mut |node| match &node.op {
            Op::Contact {
                field: ContactField::Caller,
                ..
            } => {
                changes.push(("caller".to_owned(), Value::from(CALLER)));
                changes.push(("caller".to_owned(), Value::None));
                let numbers = constants.iter().filter_map(number_like);
                changes.extend(numbers.map(|number| ("caller".to_owned(), number)));
            }
            Op::Contact {
                field: ContactField::Channel,
                ..
            } => {
                let channels = ["voice", "chat"].map(Value::from);
                changes.extend(channels.map(|channel| ("channel".to_owned(), channel)));
            }
            Op::CalendarOpen(_) | Op::CalendarTurn(..) | Op::Now | Op::Queue(_, QueueField::Open) => {
                reads_clock = true;
            }
            Op::Queue(name, field) => {
                for value in queue_values(*field, &constants) {
                    changes.push((format!("queue.{name}.{}", field.as_str()), value));
                }
            }
            _ => {
                if let Some(path) = path(node) {
                    self.changes_of(&path, &constants, &mut changes);
                }
            }
        });
        if reads_clock {
            changes.extend(times(graph));
        }
        changes
    }

    fn changes_of(&self, path: &str, constants: &[Value], changes: &mut Vec<(String, Value)>) {
        let mut parts = path.split('.');
        let Some((source, ty)) = parts.next().and_then(|root| self.sources.get(root)) else {
            return;
        };
        let fields: Vec<&str> = parts.collect();
        let mut leaf = ty;
        for field in &fields {
            let Some(inner) = leaf.required().field(field) else {
                return;
            };
            leaf = inner;
        }
        let Some(whole) = self.values.get(source) else {
            return;
        };
        for value in self.candidates(leaf, constants) {
            changes.push((source.clone(), with(whole, &fields, ty, value)));
        }
    }

    fn candidates(&self, ty: &Type, constants: &[Value]) -> Vec<Value> {
        let at = Timestamp::from_millis(0);
        let mut found = Vec::new();
        match ty {
            Type::Option(inner) => {
                found.push(sample(inner, at));
                found.extend(self.candidates(inner, constants));
                found.push(Value::None);
            }
            Type::Bool => found.extend([Value::Bool(true), Value::Bool(false)]),
            Type::Int(range) => {
                let mut numbers: Vec<i128> = vec![0, 1, -1];
                for constant in constants {
                    if let Value::Int(number) = constant {
                        for near in [*number, number - 1, number + 1] {
                            numbers.extend([
                                near,
                                i128::from(self.year) - near,
                                near - i128::from(self.year),
                            ]);
                        }
                    }
                }
                numbers.retain(|number| range.holds(*number));
                found.extend(numbers.into_iter().map(Value::Int));
            }
            Type::Decimal => {
                found.extend([0.0, 1.0, -1.0].map(Value::Decimal));
                for constant in constants {
                    let number = match constant {
                        Value::Decimal(number) => *number,
                        Value::Int(number) => *number as f64,
                        _ => continue,
                    };
                    found.extend([number, number - 0.5, number + 0.5].map(Value::Decimal));
                }
            }
            Type::Enum(names) => found.extend(names.cases.iter().cloned().map(Value::Text)),
            Type::Variant(variant) => found.extend(variant.cases.iter().map(|case| Value::Variant {
                case: case.name.clone(),
                payload: case.payload.as_ref().map(|ty| Arc::new(sample(ty, at))),
            })),
            Type::List(inner) => {
                found.push(Value::list([sample(inner, at)]));
                found.extend(constants.iter().map(|value| Value::list([value.clone()])));
                found.push(Value::list([]));
            }
            Type::Phone => {
                found.extend(constants.iter().filter_map(number_like));
                found.push(sample(ty, at));
            }
            _ => {
                found.extend(constants.iter().filter(|value| same_kind(value, ty)).cloned());
                if matches!(ty, Type::String) {
                    found.extend(["", "1", "a"].map(Value::from));
                }
                found.push(sample(ty, at));
            }
        }
        found
    }
}

/// Times at which contacts may begin: days that are not like others of their weekday, and all of a week.
fn times(graph: &Graph<'_>) -> Vec<(String, Value)> {
    let zone = &graph.hotline.time_zone;
    let calendars = graph.hotline.calendars.values();
    let days = calendars
        .flat_map(crate::Calendar::exceptions)
        .take(EXCEPTIONS_MAX)
        .map(|day| format!("{day}T10:00"));
    let monday: Option<DateTime> = MONDAY.parse().ok();
    let week = (0..TIMES_OF_A_WEEK)
        .filter_map(|half_hours| monday?.checked_add((30 * half_hours).minutes()).ok())
        .map(|at| at.to_string());
    days.chain(week)
        .map(|at| ("at".to_owned(), Value::Time(local(&at, zone))))
        .collect()
}
