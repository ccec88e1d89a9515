//! Tickets: opened by class, with the deadline that the class's table gives.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::civil::Date;
use trunkline_flow::{
    calendar::Calendar,
    hotline::{Deadline, Hotline, TicketClass},
};
use trunkline_model::{ContactId, Duration, Timestamp, Value};

use super::{Hours, KEPT_MAX, Told, happened};
use crate::service::{Particulars, TicketAnswer, TicketState};

/// The state of a ticket that was just opened.
const ACCEPTED: &str = "accepted";
const ANSWERED: &str = "answered";
const CLOSED: &str = "closed";

/// How far a deadline in working days is looked for.
const DEADLINE_DAYS_MAX: u32 = 800;

/// A ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// How it stands.
    pub state: TicketState,
    /// The contact that opened it.
    pub contact: ContactId,
    /// Who called, if that was vouched for.
    pub caller: Option<Arc<str>>,
    /// What is written in it.
    pub fields: BTreeMap<Arc<str>, Value>,
    /// When it was opened.
    pub opened: Timestamp,
}

impl Ticket {
    /// Whether it is still to be closed.
    pub fn is_open(&self) -> bool {
        &*self.state.state != CLOSED
    }
}

/// Something that cannot be done with a ticket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// There is none.
    #[error("there is no ticket {0:?}")]
    Unknown(String),
    /// It is closed.
    #[error("ticket {0:?} is closed")]
    Closed(String),
}

/// All tickets.
#[derive(Clone, Debug, Default)]
pub(super) struct Tickets {
    classes: BTreeMap<Arc<str>, TicketClass>,
    by_number: BTreeMap<Arc<str>, Ticket>,
    /// Deadlines of open tickets that have not passed.
    due: BTreeSet<(Timestamp, Arc<str>)>,
}

impl Tickets {
    pub(super) fn configure(&mut self, hotline: &Hotline) {
        self.classes.clone_from(&hotline.tickets);
    }

    pub(super) fn open(
        &mut self,
        contact: &ContactId,
        class: &Arc<str>,
        particulars: &Particulars,
        hours: &Hours,
        at: Timestamp,
    ) -> TicketAnswer {
        let Some(spec) = self.classes.get(class) else {
            return TicketAnswer::Refused;
        };
        if let Some(caller) = &particulars.party {
            let same = |ticket: &&Ticket| {
                ticket.is_open() && ticket.state.class == *class && ticket.caller.as_ref() == Some(caller)
            };
            if let Some(other) = self.by_number.values().find(same) {
                return TicketAnswer::Duplicate {
                    number: other.state.number.clone(),
                };
            }
        }
        if self.by_number.len() >= KEPT_MAX {
            return TicketAnswer::Refused;
        }
        let due = due(&spec.deadline, hours, at);
        let state = TicketState {
            number: self.number(hours, at),
            class: class.clone(),
            department: spec.department.clone(),
            state: ACCEPTED.into(),
            due,
        };
        self.due.insert((due, state.number.clone()));
        let ticket = Ticket {
            state: state.clone(),
            contact: contact.clone(),
            caller: particulars.party.clone(),
            fields: particulars.fields.clone(),
            opened: at,
        };
        self.by_number.insert(state.number.clone(), ticket);
        TicketAnswer::Opened(state)
    }

    /// A number that can be said: day and time of the hotline's clocks, which no restart gives
    /// again, and a count where several are opened in one second.
    fn number(&self, hours: &Hours, at: Timestamp) -> Arc<str> {
        let clock = jiff::Timestamp::from_millisecond(at.as_millis())
            .map(|at| hours.zone.to_datetime(at).strftime("%Y%m%d-%H%M%S").to_string())
            .unwrap_or_default();
        let count = |count: u32| {
            if count == 1 {
                clock.clone()
            } else {
                format!("{clock}-{count}")
            }
        };
        (1..)
            .map(count)
            .find(|number| !self.by_number.contains_key(number.as_str()))
            .unwrap_or(clock.clone())
            .into()
    }

    pub(super) fn update(&mut self, particulars: &Particulars) -> TicketAnswer {
        let number = particulars.reference.as_deref().unwrap_or_default();
        match self.by_number.get_mut(number) {
            Some(ticket) if ticket.is_open() => {
                let fields = particulars.fields.iter();
                ticket
                    .fields
                    .extend(fields.map(|(name, value)| (name.clone(), value.clone())));
                TicketAnswer::Updated {
                    number: ticket.state.number.clone(),
                }
            }
            _ => TicketAnswer::Refused,
        }
    }

    pub(super) fn look_up(&self, particulars: &Particulars) -> TicketAnswer {
        let found = match (&particulars.reference, &particulars.party) {
            (Some(number), _) => self.by_number.get(number),
            (None, Some(caller)) => self
                .by_number
                .values()
                .filter(|ticket| ticket.caller.as_ref() == Some(caller))
                .max_by_key(|ticket| (ticket.opened, ticket.state.number.clone())),
            (None, None) => None,
        };
        found.map_or(TicketAnswer::Refused, |ticket| {
            TicketAnswer::Found(ticket.state.clone())
        })
    }

    pub(super) fn goes_on(&mut self, number: &str, state: &str) -> Result<Vec<Told>, TicketError> {
        let ticket = self
            .by_number
            .get_mut(number)
            .ok_or_else(|| TicketError::Unknown(number.to_owned()))?;
        if !ticket.is_open() {
            return Err(TicketError::Closed(number.to_owned()));
        }
        ticket.state.state = state.into();
        let event = match state {
            ANSWERED => "ticket.answered",
            CLOSED => "ticket.closed",
            _ => return Ok(Vec::new()),
        };
        self.due.remove(&(ticket.state.due, ticket.state.number.clone()));
        Ok(vec![happened(&ticket.contact, event, number)])
    }

    pub(super) fn advance(&mut self, at: Timestamp) -> Vec<Told> {
        let mut told = Vec::new();
        while self.due.first().is_some_and(|(due, _)| *due <= at) {
            if let Some((_, number)) = self.due.pop_first()
                && let Some(ticket) = self.by_number.get(&number)
            {
                told.push(happened(&ticket.contact, "ticket.overdue", &number));
            }
        }
        told
    }

    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Ticket> {
        self.by_number.values()
    }
}

/// Until when a ticket of a class is to be answered.
fn due(deadline: &Deadline, hours: &Hours, at: Timestamp) -> Timestamp {
    match deadline {
        Deadline::Within(time) => at + *time,
        Deadline::WorkingDays { days, calendar } => {
            let calendar = hours.calendars.get(calendar).cloned();
            let calendar = calendar.unwrap_or_else(Calendar::always);
            end_of_working_day(&calendar, *days, at, &hours.zone)
        }
    }
}

/// When the last of so many working days closes. The day on which it begins is not counted
/// (Civil Code of the People's Republic of China, art. 201).
fn end_of_working_day(calendar: &Calendar, days: u32, at: Timestamp, zone: &jiff::tz::TimeZone) -> Timestamp {
    let Ok(now) = jiff::Timestamp::from_millisecond(at.as_millis()) else {
        return at;
    };
    let mut day = zone.to_datetime(now).date();
    let mut left = days;
    for _ in 0..DEADLINE_DAYS_MAX {
        if left == 0 {
            break;
        }
        let Ok(next) = day.tomorrow() else { break };
        day = next;
        if closing(calendar, day, zone).is_some() {
            left -= 1;
        }
    }
    closing(calendar, day, zone).unwrap_or(at + Duration::from_secs(86_400 * u64::from(days)))
}

/// When a day closes; none for one that does not open.
fn closing(calendar: &Calendar, day: Date, zone: &jiff::tz::TimeZone) -> Option<Timestamp> {
    const MINUTE: i64 = 60_000;
    let midnight = |day: Date| {
        let midnight = day.to_zoned(zone.clone()).ok()?;
        Some(midnight.timestamp().as_millisecond())
    };
    let (begin, end) = (midnight(day)?, midnight(day.tomorrow().ok()?)?);
    let minutes = (end - begin) / MINUTE;
    (0..minutes)
        .rev()
        .map(|minute| Timestamp::from_millis(begin + minute * MINUTE))
        .find(|at| calendar.is_open(*at, zone))
        .map(|last| last + Duration::from_secs(60))
}
