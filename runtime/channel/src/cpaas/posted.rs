//! What a carrier's request says: a form or JSON, read into one shape.

use serde::Deserialize;

use super::Dialect;

/// Fields of a form; a request with more is none of a carrier's.
pub const POSTED_FIELDS_MAX: usize = 256;

/// Bytes of one field that is used; a longer one is as if it were not there.
pub const POSTED_FIELD_BYTES_MAX: usize = 16 << 10;

/// What carriers post in place of a caller's number that is withheld or unknown: words spelt on the keys of
/// a telephone, which look like numbers.
pub const WITHHELD: [(&str, &str); 5] = [
    ("+266696687", "ANONYMOUS"),
    ("+7378742833", "RESTRICTED"),
    ("+2562533", "BLOCKED"),
    ("+8656696", "UNKNOWN"),
    ("+86282452253", "UNAVAILABLE"),
];

/// Whether a number stands for a caller who shows none.
pub fn is_withheld(number: &str) -> bool {
    WITHHELD.iter().any(|(withheld, _)| *withheld == number)
}

/// A body that is not what a carrier posts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPost {
    /// It is no form.
    #[error("the body is not a form of at most {POSTED_FIELDS_MAX} fields in UTF-8")]
    NotForm,
    /// It is no JSON.
    #[error("the body is not a JSON object as jambonz posts it")]
    NotJson,
    /// It names no call.
    #[error("the body names no call")]
    NoCall,
}

/// What was posted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Posted {
    /// The carrier's name for the call.
    pub call: String,
    /// The call that a dialled leg belongs to.
    pub parent: Option<String>,
    /// Who calls; none when that is withheld.
    pub from: Option<String>,
    /// What is called.
    pub to: Option<String>,
    /// How far the call has come.
    pub phase: Option<Phase>,
    /// Whether the request is about the caller's own leg.
    pub inbound: bool,
    /// Keys that were collected.
    pub digits: Option<String>,
    /// Words that were recognised.
    pub words: Option<String>,
    /// What came of a dialled leg.
    pub dialled: Option<Dialled>,
    /// The carrier's name for a recording.
    pub recording: Option<String>,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It is under way.
    UnderWay,
    /// It is over.
    Over,
}

/// What came of a dialled leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialled {
    /// Somebody answered, and the leg is over.
    Completed,
    /// Somebody answers.
    Answered,
    /// It is busy.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// There is no connection.
    Failed,
}

impl Posted {
    /// Reads a body.
    ///
    /// # Errors
    /// See [`BadPost`].
    pub fn read(dialect: Dialect, body: &[u8]) -> Result<Self, BadPost> {
        let posted = match dialect {
            Dialect::Twiml => Self::form(body)?,
            Dialect::Jambonz => Self::json(body)?,
        };
        if posted.call.is_empty() || posted.call.len() > 128 {
            return Err(BadPost::NoCall);
        }
        Ok(posted)
    }

    fn form(body: &[u8]) -> Result<Self, BadPost> {
        let pairs = pairs(body).ok_or(BadPost::NotForm)?;
        let field = |name: &str| {
            pairs
                .iter()
                .find(|(field, value)| field == name && value.len() <= POSTED_FIELD_BYTES_MAX)
                .map(|(_, value)| value.clone())
                .filter(|value| !value.is_empty())
        };
        Ok(Self {
            call: field("CallSid").unwrap_or_default(),
            parent: field("ParentCallSid"),
            from: field("From").filter(|from| !is_withheld(from)),
            to: field("To").or_else(|| field("Called")),
            phase: field("CallStatus").as_deref().map(phase),
            inbound: field("Direction").is_none_or(|direction| direction == "inbound"),
            digits: field("Digits"),
            words: field("SpeechResult"),
            dialled: field("DialCallStatus").as_deref().and_then(dialled),
            recording: field("RecordingSid").or_else(|| field("RecordingUrl")),
        })
    }

    fn json(body: &[u8]) -> Result<Self, BadPost> {
        let hook: Hook = serde_json::from_slice(body).map_err(|_| BadPost::NotJson)?;
        let short = |text: Option<String>| {
            text.filter(|text| !text.is_empty() && text.len() <= POSTED_FIELD_BYTES_MAX)
        };
        let words = hook.speech.and_then(|speech| {
            let first = speech.alternatives.into_iter().next()?;
            short(first.transcript)
        });
        Ok(Self {
            call: hook.call_sid.unwrap_or_default(),
            parent: short(hook.parent_call_sid),
            from: short(hook.from).filter(|from| !is_withheld(from)),
            to: short(hook.to),
            phase: hook.call_status.as_deref().map(phase),
            inbound: hook
                .direction
                .as_deref()
                .is_none_or(|direction| direction == "inbound"),
            digits: short(hook.digits),
            words,
            dialled: hook.dial_call_status.as_deref().and_then(dialled),
            recording: None,
        })
    }
}

/// What is used of what jambonz posts; the rest of it is left aside.
#[derive(Deserialize)]
struct Hook {
    call_sid: Option<String>,
    parent_call_sid: Option<String>,
    from: Option<String>,
    to: Option<String>,
    call_status: Option<String>,
    direction: Option<String>,
    digits: Option<String>,
    speech: Option<Recognised>,
    dial_call_status: Option<String>,
}

#[derive(Deserialize)]
struct Recognised {
    #[serde(default)]
    alternatives: Vec<Alternative>,
}

#[derive(Deserialize)]
struct Alternative {
    transcript: Option<String>,
}

fn phase(status: &str) -> Phase {
    match status {
        "completed" | "failed" | "busy" | "no-answer" | "canceled" => Phase::Over,
        _ => Phase::UnderWay,
    }
}

fn dialled(status: &str) -> Option<Dialled> {
    Some(match status {
        "completed" => Dialled::Completed,
        "answered" | "in-progress" => Dialled::Answered,
        "busy" => Dialled::Busy,
        "no-answer" | "canceled" => Dialled::NoAnswer,
        "failed" => Dialled::Failed,
        _ => return None,
    })
}

/// The fields of a form in their order; none when it is no form of bounded size in UTF-8.
pub fn pairs(body: &[u8]) -> Option<Vec<(String, String)>> {
    if body.is_empty() {
        return Some(Vec::new());
    }
    let mut pairs = Vec::new();
    for pair in body.split(|byte| *byte == b'&') {
        if pairs.len() == POSTED_FIELDS_MAX {
            return None;
        }
        if pair.is_empty() {
            continue;
        }
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let value = pair.get(at + 1..).unwrap_or_default();
        pairs.push((decoded(&pair[..at])?, decoded(value)?));
    }
    Some(pairs)
}

fn decoded(bytes: &[u8]) -> Option<String> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                out.push(u8::try_from(digit(high)? << 4 | digit(low)?).ok()?);
                rest = after;
            }
            (b'%', _) => return None,
            (byte, _) => out.push(*byte),
        }
    }
    String::from_utf8(out).ok()
}
