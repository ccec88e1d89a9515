//! What expressions see of a contact, and a record of what they read of the world.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::tz::TimeZone;
use trunkline_flow::{
    Calendar,
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
    CalendarOpens(Arc<str>, Option<Timestamp>),
    CalendarCloses(Arc<str>, Option<Timestamp>),
    Now(Timestamp),
}

impl Reading {
    /// Its name and value as they stand in the event.
    pub(crate) fn into_parts(self) -> (Arc<str>, Value) {
        let time = |at: Option<Timestamp>| at.map_or(Value::None, Value::Time);
        match self {
            Self::CalendarOpen(name, open) => (format!("calendar.{name}.open").into(), Value::Bool(open)),
            Self::CalendarOpens(name, at) => (format!("calendar.{name}.opens").into(), time(at)),
            Self::CalendarCloses(name, at) => (format!("calendar.{name}.closes").into(), time(at)),
            Self::Now(at) => ("now".into(), Value::Time(at)),
        }
    }
}

impl View<'_> {
    /// A calendar, with its name as it is shared.
    fn calendar(&self, name: &str) -> (Arc<str>, Option<&Calendar>) {
        match self.hotline.calendars.get_key_value(name) {
            Some((name, calendar)) => (name.clone(), Some(calendar)),
            None => (name.into(), None),
        }
    }

    fn read(&self, reading: Reading) {
        self.reads.borrow_mut().insert(reading);
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
                Channel::Voice => "voice",
            })),
        }
    }

    fn calendar_open(&self, name: &str) -> bool {
        let (name, calendar) = self.calendar(name);
        let open = calendar.is_some_and(|calendar| calendar.is_open(self.at, &self.hotline.time_zone));
        self.read(Reading::CalendarOpen(name, open));
        open
    }

    fn calendar_opens(&self, name: &str) -> Option<Timestamp> {
        let (name, calendar) = self.calendar(name);
        let opens = calendar.and_then(|calendar| calendar.next_opening(self.at, &self.hotline.time_zone));
        self.read(Reading::CalendarOpens(name, opens));
        opens
    }

    fn calendar_closes(&self, name: &str) -> Option<Timestamp> {
        let (name, calendar) = self.calendar(name);
        let closes = calendar.and_then(|calendar| calendar.next_closing(self.at, &self.hotline.time_zone));
        self.read(Reading::CalendarCloses(name, closes));
        closes
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
        self.read(Reading::Now(self.at));
        self.at
    }

    fn time_zone(&self) -> &TimeZone {
        &self.hotline.time_zone
    }
}
