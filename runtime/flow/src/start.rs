//! What starts contacts that nobody called for: feeds and webhooks.
//!
//! A feed asks a plugin's function on a schedule what is new; a webhook is told by another system.
//! Either starts one flow, as often as its rate and within the hours that its window allow. Who
//! asks, remembers and waits is the node; here stands what a hotline says of it.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use trunkline_model::{Duration, FlowName, FunctionName, PluginName, Type, Value, VariableName};

use crate::limits::RATE_MAX;

/// A function that is asked on a schedule what has changed.
#[derive(Debug, Clone)]
pub struct Feed {
    /// The plugin that is asked.
    pub plugin: PluginName,
    /// Its function, which takes nothing and gives a list.
    pub function: FunctionName,
    /// What one change is.
    pub change: Type,
    /// How often it is asked: the least time between the beginnings of two runs.
    pub every: Duration,
    /// Up to how much later than that a run begins, so that feeds do not all run at once.
    pub jitter: Duration,
    /// How long the function may take.
    pub time: Duration,
    /// The field that tells changes apart; without one the whole change does.
    pub key: Option<Arc<str>>,
    /// Whom a change concerns; without, each change is one contact that is with nobody.
    pub to: Option<Affected>,
    /// What a change starts.
    pub starts: Starts,
}

/// The function that says whom a change concerns.
#[derive(Debug, Clone)]
pub struct Affected {
    /// The plugin that is asked.
    pub plugin: PluginName,
    /// Its function, which takes a change and gives a list of telephone numbers.
    pub function: FunctionName,
}

/// A door for events of another system.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The name of the secret that events are signed with; its value is the server's.
    pub secret: Arc<str>,
    /// The input of the flow that tells events apart; without one the whole event does.
    pub key: Option<VariableName>,
    /// The input of the flow that holds whom an event concerns: a telephone number, or a list.
    pub to: Option<VariableName>,
    /// What an event starts.
    pub starts: Starts,
}

impl Webhook {
    /// Whom an event concerns, as its input holds them.
    pub fn people(&self, inputs: &BTreeMap<VariableName, Value>) -> Vec<Arc<str>> {
        let one = |value: &Value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        match self.to.as_ref().and_then(|to| inputs.get(to)) {
            Some(Value::List(values)) => values.iter().filter_map(one).collect(),
            Some(value) => one(value).into_iter().collect(),
            None => Vec::new(),
        }
    }
}

/// The contacts that a feed or a webhook starts.
#[derive(Debug, Clone)]
pub struct Starts {
    /// The flow; none while no flow starts on it.
    pub flow: Option<FlowName>,
    /// The input of the flow that is given the change; an event of a webhook gives them all.
    pub input: Option<VariableName>,
    /// How many it may start.
    pub rate: Rate,
    /// The calendar within whose hours it starts them; any time without.
    pub window: Option<Arc<str>>,
    /// How many changes or events may wait to start theirs.
    pub waiting_max: u32,
    /// Whether people hear of it: they are named, or the flow writes to somebody or has somebody rung.
    pub reaches_people: bool,
}

/// How many in what time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In what time.
    pub per: Duration,
}

/// What is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a rate is like `60 per minute`: 1 to {RATE_MAX}, per second, minute, hour or day")]
pub struct RateError;

const PERIODS: [(&str, Duration); 4] = [
    ("second", Duration::from_secs(1)),
    ("minute", Duration::from_secs(60)),
    ("hour", Duration::from_secs(3_600)),
    ("day", Duration::from_secs(86_400)),
];

impl Rate {
    /// The least time between two: they are spread over the period, never all at its beginning.
    pub fn spacing(self) -> Duration {
        Duration::from_millis(self.per.as_millis().div_ceil(u64::from(self.count.max(1))))
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let mut words = text.split_whitespace();
        let (Some(count), Some("per"), Some(period), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(RateError);
        };
        let count: u32 = count.parse().map_err(|_| RateError)?;
        let per = PERIODS.iter().find(|(name, _)| *name == period);
        match per {
            Some((_, per)) if (1..=RATE_MAX).contains(&count) => Ok(Self { count, per: *per }),
            _ => Err(RateError),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = PERIODS.iter().find(|(_, per)| *per == self.per);
        match period {
            Some((name, _)) => write!(f, "{} per {name}", self.count),
            None => write!(f, "{} per {}", self.count, self.per),
        }
    }
}

/// What a flow starts on: `feed.road-works`, `webhook.sensor`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StartsOn {
    /// A change of a feed.
    Feed(Arc<str>),
    /// An event of a webhook.
    Webhook(Arc<str>),
}

impl StartsOn {
    /// Reads one as it is written; none for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('.')? {
            ("feed", name) => Some(Self::Feed(name.into())),
            ("webhook", name) => Some(Self::Webhook(name.into())),
            _ => None,
        }
    }

    /// The feed's or the webhook's name.
    pub const fn name(&self) -> &Arc<str> {
        match self {
            Self::Feed(name) | Self::Webhook(name) => name,
        }
    }
}

impl fmt::Display for StartsOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Feed(name) => write!(f, "feed.{name}"),
            Self::Webhook(name) => write!(f, "webhook.{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_spread_over_their_period() {
        let rate: Rate = "60 per minute".parse().unwrap();
        assert_eq!(rate.spacing(), Duration::from_secs(1));
        assert_eq!(rate.to_string(), "60 per minute");
        let rate: Rate = "7 per second".parse().unwrap();
        // Rounded up, so that never more than seven fit into a second.
        assert_eq!(rate.spacing(), Duration::from_millis(143));
        for bad in [
            "",
            "60",
            "60 a minute",
            "0 per minute",
            "-1 per day",
            "60 per minute ",
            "60 per week",
            "1 per day each",
        ] {
            assert_eq!(bad.parse::<Rate>().is_ok(), bad == "60 per minute ", "{bad:?}");
        }
    }

    #[test]
    fn what_starts_a_flow_reads_back_as_written() {
        for text in ["feed.road-works", "webhook.sensor"] {
            assert_eq!(StartsOn::parse(text).unwrap().to_string(), text);
        }
        for text in ["feed", "ticket.overdue", "schedule", ""] {
            assert_eq!(StartsOn::parse(text), None);
        }
    }
}
