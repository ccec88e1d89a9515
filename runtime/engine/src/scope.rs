//! What expressions see of a contact, and a record of what they read of the world.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::tz::TimeZone;
use trunkline_flow::{
    expression::{ContactField, QueueField, Scope},
    hotline::Hotline,
};
use trunkline_model::{Duration, Timestamp, Value, VariableName};

use crate::{Session, input::Channel};

/// The names an expression may use, bound to a contact at a time.
pub(crate) struct View<'a> {
    pub(crate) hotline: &'a Hotline,
    pub(crate) session: &'a Session,
    pub(crate) variables: &'a BTreeMap<VariableName, Value>,
    pub(crate) answer: Option<&'a Value>,
    pub(crate) result: Option<&'a Value>,
    pub(crate) at: Timestamp,
    /// What was read of the world, once each.
    pub(crate) reads: RefCell<BTreeSet<Reading>>,
}

/// Something of the world that an expression read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reading {
    CalendarOpen(Arc<str>, bool),
    Now(Timestamp),
}

impl Reading {
    /// Its name and value as they stand in the event.
    pub(crate) fn into_parts(self) -> (Arc<str>, Value) {
        match self {
            Self::CalendarOpen(name, open) => (format!("calendar.{name}.open").into(), Value::Bool(open)),
            Self::Now(at) => ("now".into(), Value::Time(at)),
        }
    }
}

impl Scope for View<'_> {
    fn variable(&self, name: &str) -> Option<Value> {
        self.variables.get(name).cloned()
    }

    fn answer(&self) -> Option<Value> {
        self.answer.cloned()
    }

    fn result(&self) -> Option<Value> {
        self.result.cloned()
    }

    fn contact(&self, field: ContactField) -> Option<Value> {
        let session = self.session;
        match field {
            ContactField::Caller => session.caller.clone().map(Value::Text),
            ContactField::Claimed => session.claimed.clone().map(Value::Text),
            ContactField::Number => Some(Value::Text(session.number.clone())),
            ContactField::Language => Some(Value::Text(session.language.clone())),
            ContactField::Id => Some(Value::text(session.contact.as_str())),
            ContactField::Channel => Some(Value::from(match session.channel {
                Channel::Chat => "chat",
                Channel::Voice | Channel::Phone => "voice",
            })),
        }
    }

    fn calendar_open(&self, name: &str) -> bool {
        let calendar = self.hotline.calendars.get_key_value(name);
        let open = calendar.is_some_and(|(_, calendar)| calendar.is_open(self.at, &self.hotline.time_zone));
        let name = calendar.map_or_else(|| name.into(), |(name, _)| name.clone());
        self.reads.borrow_mut().insert(Reading::CalendarOpen(name, open));
        open
    }

    fn queue(&self, _name: &str, field: QueueField) -> Value {
        match field {
            QueueField::Open => Value::Bool(false),
            QueueField::Waiting | QueueField::Agents => Value::from(0),
            QueueField::Wait => Value::Duration(Duration::default()),
        }
    }

    fn position(&self) -> Option<Value> {
        None
    }

    fn wait(&self) -> Option<Value> {
        None
    }

    fn now(&self) -> Timestamp {
        self.reads.borrow_mut().insert(Reading::Now(self.at));
        self.at
    }

    fn time_zone(&self) -> &TimeZone {
        &self.hotline.time_zone
    }
}
