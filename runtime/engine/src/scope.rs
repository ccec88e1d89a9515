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

use crate::{Place, QueueReading, Readings, Session, input::Channel, secrets::Origin};

/// The names an expression may use, bound to a contact at a time.
pub(crate) struct View<'a> {
    pub(crate) hotline: &'a Hotline,
    pub(crate) session: &'a Session,
    pub(crate) variables: &'a BTreeMap<VariableName, Value>,
    pub(crate) given: Given<'a>,
    pub(crate) readings: &'a Readings,
    pub(crate) at: Timestamp,
    /// Whether secrets are kept from whoever reads: then they are as if they were not set.
    pub(crate) hides_secrets: bool,
    /// What was read of the world, once each.
    pub(crate) reads: RefCell<BTreeSet<Reading>>,
    /// Where the first secret came from that was read.
    pub(crate) secret: RefCell<Option<Origin>>,
}

/// What an expression may use besides variables.
#[derive(Clone, Copy, Default)]
pub(crate) struct Given<'v> {
    /// `answer`
    pub(crate) answer: Option<&'v Value>,
    /// `result`
    pub(crate) result: Option<&'v Value>,
    /// Where `answer` or `result` came from, when it is secret.
    pub(crate) secret: Option<&'v Origin>,
    /// `position` and `wait`
    pub(crate) place: Option<Place>,
}

/// Something of the world that an expression read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reading {
    CalendarOpen(Arc<str>, bool),
    CalendarOpens(Arc<str>, Option<Timestamp>),
    CalendarCloses(Arc<str>, Option<Timestamp>),
    Now(Timestamp),
    QueueOpen(Arc<str>, bool),
    QueueWaiting(Arc<str>, u32),
    QueueWait(Arc<str>, Duration),
    QueueAgents(Arc<str>, u32),
    Position(u32),
    Wait(Duration),
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
            Self::QueueOpen(name, open) => (format!("queue.{name}.open").into(), Value::Bool(open)),
            Self::QueueWaiting(name, count) => {
                (format!("queue.{name}.waiting").into(), Value::Int(count.into()))
            }
            Self::QueueWait(name, wait) => (format!("queue.{name}.wait").into(), Value::Duration(wait)),
            Self::QueueAgents(name, count) => {
                (format!("queue.{name}.agents").into(), Value::Int(count.into()))
            }
            Self::Position(position) => ("position".into(), Value::Int(position.into())),
            Self::Wait(wait) => ("wait".into(), Value::Duration(wait)),
        }
    }
}

impl View<'_> {
    fn secret_read(&self, origin: &Origin) {
        self.secret.borrow_mut().get_or_insert_with(|| origin.clone());
    }

    fn given_value(&self, value: Option<&Value>) -> Option<Value> {
        if let Some(origin) = self.given.secret {
            self.secret_read(origin);
            if self.hides_secrets {
                return None;
            }
        }
        value.cloned()
    }

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
        if let Some(value) = self.variables.get(name) {
            return Some(value.clone());
        }
        let frame = self.session.frames.last()?;
        let (name, origin) = frame.secrets.get_key_value(name)?;
        let depth = self.session.frames.len() - 1;
        let value = self.session.secrets.variables.get(&(depth, name.clone()))?;
        self.secret_read(origin);
        (!self.hides_secrets).then(|| value.clone())
    }

    fn answer(&self) -> Option<Value> {
        self.given_value(self.given.answer)
    }

    fn result(&self) -> Option<Value> {
        self.given_value(self.given.result)
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
                Channel::Voice | Channel::Phone | Channel::Twiml | Channel::Jambonz => "voice",
                Channel::Outbound => "outbound",
            })),
        }
    }

    fn calendar_open(&self, name: &str) -> bool {
        let (name, calendar) = self.calendar(name);
        let open = calendar.is_some_and(|calendar| calendar.is_open(self.at, &self.hotline.time_zone));
        self.read(Reading::CalendarOpen(name, open));
        open
    }

    fn queue(&self, name: &str, field: QueueField) -> Value {
        let spec = self.hotline.queues.get_key_value(name);
        let name = spec.map_or_else(|| name.into(), |(name, _)| name.clone());
        // Unless somebody knows better, a queue is as its calendar says, with nobody in it.
        let queue = self.readings.queues.get(&name).copied().unwrap_or_else(|| {
            let calendar = spec.and_then(|(_, spec)| self.hotline.calendars.get(&spec.calendar));
            QueueReading {
                open: calendar.is_some_and(|calendar| calendar.is_open(self.at, &self.hotline.time_zone)),
                waiting: 0,
                wait: Duration::default(),
                agents: 0,
            }
        });
        let reading = match field {
            QueueField::Open => Reading::QueueOpen(name, queue.open),
            QueueField::Waiting => Reading::QueueWaiting(name, queue.waiting),
            QueueField::Wait => Reading::QueueWait(name, queue.wait),
            QueueField::Agents => Reading::QueueAgents(name, queue.agents),
        };
        let (_, value) = reading.clone().into_parts();
        self.read(reading);
        value
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

    fn position(&self) -> Option<Value> {
        let place = self.given.place?;
        self.reads.borrow_mut().insert(Reading::Position(place.position));
        Some(Value::Int(place.position.into()))
    }

    fn wait(&self) -> Option<Value> {
        let place = self.given.place?;
        self.reads.borrow_mut().insert(Reading::Wait(place.wait));
        Some(Value::Duration(place.wait))
    }

    fn now(&self) -> Timestamp {
        self.read(Reading::Now(self.at));
        self.at
    }

    fn time_zone(&self) -> &TimeZone {
        &self.hotline.time_zone
    }
}
