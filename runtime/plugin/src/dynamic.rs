//! `trunkline:dynamic`: components that learn their functions when they run, such as interpreters
//! of scripts.
//!
//! Such a component is asked once, when it is deployed and with its settings, what it offers; it
//! answers in WIT. From then on a call of one of these functions is a call of `run`, with values as
//! JSON, and the host holds both sides to what was claimed: flows cannot tell such a function from
//! one that the component exports itself.

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use tokio::time::Instant;
use tracing::Instrument as _;
use trunkline_model::{
    CallId, FaultKind, Outcome, Refusal, Signature, Type, Value,
    json::{BoundedError, VALUE_BYTES, from_json, from_json_within, to_json},
    signature::{Errors, Interface, REFUSED},
};
use wasmtime::component::Val;

use crate::{
    Bytes, LoadError, call, faults,
    guest::CallContext,
    introspect::{self, Export},
    limits::{DESCRIBE_TIME_MAX, DESCRIBED_BYTES_MAX},
    plugin::Loaded,
    slots::Slot,
    turns::InTurns,
};

/// What a component exports to be described and called by.
pub(crate) struct Dynamic {
    pub(crate) describe: Export,
    pub(crate) run: Export,
}

/// What a component says that it offers.
///
/// # Errors
/// It does not come to an answer, says something else the second time, or says what cannot be.
pub(crate) async fn claims(plugin: &Arc<Loaded>) -> Result<Interface, LoadError> {
    let first = describe(plugin).await?;
    if describe(plugin).await? != first {
        return Err(LoadError::Claim {
            reason: "it describes them differently each time; what it describes may depend on its settings, \
                     and on nothing else"
                .to_owned(),
        });
    }
    if first.len() > DESCRIBED_BYTES_MAX {
        return Err(LoadError::Claim {
            reason: format!(
                "the description has {} bytes, and the most is {DESCRIBED_BYTES_MAX}",
                first.len()
            ),
        });
    }
    plugin.host.aside(move |_| introspect::claimed(&first)).await
}

/// Asks a component in a sandbox of its own, within the plugin's limits.
async fn describe(plugin: &Arc<Loaded>) -> Result<String, LoadError> {
    let failed = |reason: String| LoadError::Undescribed {
        plugin: plugin.name.clone(),
        reason,
    };
    let time = DESCRIBE_TIME_MAX.min(plugin.grants.limits.time);
    let deadline = Instant::now() + time.to_std();
    // None of the plugin's own calls at once: a version that hangs in them all must not keep its mend from
    // being loaded.
    let slot = call::pool_slot(plugin, deadline)
        .await
        .map_err(|no_room| failed(no_room.sentence(plugin, time)))?;
    let guest = Box::pin(described(plugin.clone(), deadline, slot));
    let turns = InTurns::new(
        guest,
        plugin.host.turns.clone(),
        plugin.department.turns,
        plugin.meter.clone(),
    );
    let span = tracing::info_span!("plugin describes itself", plugin = %plugin.name);
    let task = async move { tokio::time::timeout_at(deadline, turns).await }.instrument(span);
    match plugin.host.guests.spawn(task).await {
        Ok(Ok(ran)) => ran.output.map_err(failed),
        Ok(Err(_)) => Err(failed(format!("it took longer than {time}"))),
        Err(error) => Err(failed(error.to_string())),
    }
}

async fn described(plugin: Arc<Loaded>, deadline: Instant, _slot: Slot) -> Result<String, String> {
    let Some(dynamic) = &plugin.compiled.dynamic else {
        return Err("it exports no trunkline:dynamic/functions".to_owned());
    };
    let _running = plugin.host.ticker.run();
    let context = CallContext {
        id: CallId::new("describe"),
        attempt: 1,
        locale: String::new(),
        deadline,
        time: plugin.grants.limits.time.min(DESCRIBE_TIME_MAX),
        probe: None,
    };
    let mut store = call::store(&plugin, context);
    match call::run(&plugin, &dynamic.describe, &mut store, &[]).await {
        Ok(Some(Val::String(text))) => Ok(text),
        Ok(_) => Err("it gave no text".to_owned()),
        Err(error) => {
            let said = store.data().said();
            Err(faults::fault(&error, plugin.grants.limits.reply_bytes, said).message)
        }
    }
}

/// The arguments of `run` for a call of a claimed function.
pub(crate) fn arguments(
    signature: &Signature,
    values: &[Value],
    bytes_max: usize,
) -> Result<Vec<Val>, Outcome> {
    let mut arguments = Map::new();
    for (index, parameter) in signature.parameters.iter().enumerate() {
        let value = values.get(index).unwrap_or(&Value::None);
        let json = to_json(value);
        from_json(&json, &parameter.ty).map_err(|error| {
            Outcome::fault(
                FaultKind::Host,
                format!(
                    "argument `{}` of `{}` does not fit: {error}",
                    parameter.name,
                    signature.path()
                ),
            )
        })?;
        arguments.insert(parameter.name.to_string(), json);
    }
    let arguments = Json::Object(arguments).to_string();
    if arguments.len() > bytes_max {
        return Err(Outcome::fault(
            FaultKind::TooLarge,
            format!(
                "the arguments of `{}` are past the {bytes_max} bytes that a call's arguments may have",
                signature.path()
            ),
        ));
    }
    Ok(vec![Val::String(signature.path()), Val::String(arguments)])
}

/// The outcome of a call of a claimed function: what `run` gave, if it is what was claimed, and as the
/// host reads it within the bytes that an answer may have. The text was held to them when it was
/// copied; what it says may be many times as much.
pub(crate) fn answer(signature: &Signature, result: Option<Val>, bytes_max: Bytes) -> Outcome {
    let mut left = bytes_max.as_usize();
    let read = match result {
        Some(Val::Result(Ok(Some(text)))) => match *text {
            Val::String(text) => ok(signature, &text, &mut left).map(Outcome::Ok),
            _ => Err(Broken::claim("it is no text")),
        },
        Some(Val::Result(Err(Some(refusal)))) => {
            refused(signature, *refusal, &mut left).map(Outcome::Refusal)
        }
        _ => Err(Broken::claim("it is no result")),
    };
    let path = signature.path();
    read.unwrap_or_else(|broken| match broken {
        Broken::Claim(what) => Outcome::fault(
            FaultKind::Host,
            format!("the answer of `{path}` is not what it claimed: {what}"),
        ),
        Broken::TooLarge => Outcome::fault(
            FaultKind::TooLarge,
            format!(
                "the answer of `{path}` is more than {bytes_max} as the host reads it \
                 (`limits: reply-bytes` in grants.yaml)"
            ),
        ),
    })
}

/// What is wrong with an answer.
enum Broken {
    /// It is not what was claimed.
    Claim(String),
    /// It is past the bytes that an answer may have.
    TooLarge,
}

impl Broken {
    fn claim(what: impl Into<String>) -> Self {
        Self::Claim(what.into())
    }
}

impl From<BoundedError> for Broken {
    fn from(error: BoundedError) -> Self {
        match error {
            BoundedError::Unfit(error) => Self::Claim(error.to_string()),
            BoundedError::TooLarge => Self::TooLarge,
        }
    }
}

fn ok(signature: &Signature, text: &str, left: &mut usize) -> Result<Value, Broken> {
    match &signature.ok {
        Some(ty) => value(text, ty, left),
        None if matches!(text.trim(), "" | "null") => Ok(Value::None),
        None => Err(Broken::claim(
            "it answers something, and claimed to answer nothing",
        )),
    }
}

fn refused(signature: &Signature, refusal: Val, left: &mut usize) -> Result<Refusal, Broken> {
    let (case, payload) = case_of(refusal).ok_or_else(|| Broken::claim("it is no refusal"))?;
    let claimed = match &signature.errors {
        Errors::None => {
            return Err(Broken::Claim(format!(
                "it refuses with `{case}`, and claimed to answer always"
            )));
        }
        Errors::Refused(payload) if case == REFUSED => payload.as_ref(),
        Errors::Refused(_) => {
            return Err(Broken::Claim(format!(
                "it refuses with `{case}`, and claimed no cases; write `{REFUSED}`"
            )));
        }
        Errors::Cases(cases) => cases
            .iter()
            .find(|claimed| *claimed.name == *case)
            .ok_or_else(|| {
                Broken::Claim(format!(
                    "it refuses with `{case}`, which is none of the cases that it claimed"
                ))
            })?
            .payload
            .as_ref(),
    };
    let payload = match (claimed, payload) {
        (Some(ty), Some(text)) => value(&text, ty, left)?,
        (None, None) => Value::None,
        (Some(_), None) => {
            return Err(Broken::Claim(format!(
                "it refuses with `{case}` without its payload"
            )));
        }
        (None, Some(_)) => {
            return Err(Broken::Claim(format!(
                "it refuses with `{case}` and a payload, and claimed none"
            )));
        }
    };
    Ok(Refusal {
        case: case.into(),
        payload,
    })
}

/// The case and the payload's text of the record `refusal`.
fn case_of(refusal: Val) -> Option<(String, Option<String>)> {
    let Val::Record(fields) = refusal else { return None };
    let mut values = fields.into_iter().map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(Val::String(case)), Some(Val::Option(payload))) => match payload.map(|payload| *payload) {
            None => Some((case, None)),
            Some(Val::String(payload)) => Some((case, Some(payload))),
            Some(_) => None,
        },
        _ => None,
    }
}

/// The value that a text of JSON says. Each value in the text is at least one of what it becomes, so
/// they are counted before even the JSON is made of them.
fn value(text: &str, ty: &Type, left: &mut usize) -> Result<Value, Broken> {
    let within = values_in(text).saturating_sub(1);
    if within.saturating_mul(VALUE_BYTES) > *left {
        return Err(Broken::TooLarge);
    }
    let json: Json =
        serde_json::from_str(text).map_err(|error| Broken::Claim(format!("it is no JSON ({error})")))?;
    Ok(from_json_within(&json, ty, left)?)
}

/// How many values a text of JSON holds, itself included.
fn values_in(text: &str) -> usize {
    let mut values: usize = 0;
    // A string before a colon is a name, and a word is one value however long it is.
    let (mut after_string, mut in_word) = (false, false);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => in_word = false,
            b'"' => {
                values += 1;
                loop {
                    match bytes.next() {
                        Some(b'\\') => drop(bytes.next()),
                        Some(b'"') | None => break,
                        Some(_) => {}
                    }
                }
                (after_string, in_word) = (true, false);
            }
            b':' => {
                values -= usize::from(after_string);
                (after_string, in_word) = (false, false);
            }
            b'{' | b'[' => {
                values += 1;
                (after_string, in_word) = (false, false);
            }
            b'}' | b']' | b',' => (after_string, in_word) = (false, false),
            _ => {
                values += usize::from(!in_word);
                (after_string, in_word) = (false, true);
            }
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use trunkline_model::Fault;

    use super::*;

    const MOST: Bytes = Bytes(1 << 20);

    fn signature(result: &str) -> Signature {
        let text = format!(
            "package a:b; interface rules {{ record office {{ name: string, floor: option<u8> }} \
             variant no {{ unknown, ask-again(string) }} decide: func(district: string, at: option<u8>) {result}; }}"
        );
        introspect::claimed(&text).unwrap().functions.remove(0)
    }

    fn fault(outcome: Outcome) -> Fault {
        match outcome {
            Outcome::Fault(fault) => fault,
            other => panic!("{other:?}"),
        }
    }

    fn said(text: &str) -> Option<Val> {
        Some(Val::Result(Ok(Some(Box::new(Val::String(text.to_owned()))))))
    }

    fn refusal(case: &str, payload: Option<&str>) -> Option<Val> {
        let payload = payload.map(|text| Box::new(Val::String(text.to_owned())));
        Some(Val::Result(Err(Some(Box::new(Val::Record(vec![
            ("case".to_owned(), Val::String(case.to_owned())),
            ("payload".to_owned(), Val::Option(payload)),
        ]))))))
    }

    #[test]
    fn arguments_travel_by_name_and_are_held_to_the_claim() {
        let signature = signature("-> string");
        let vals = arguments(&signature, &["xihu".into()], 1_000).unwrap();
        assert_eq!(
            vals,
            [
                Val::String("rules.decide".to_owned()),
                Val::String(r#"{"at":null,"district":"xihu"}"#.to_owned())
            ]
        );
        let wrong = fault(arguments(&signature, &[Value::Int(3)], 1_000).unwrap_err());
        assert!(wrong.message.contains("argument `district`"), "{wrong:?}");
        let large = fault(arguments(&signature, &["x".repeat(1_000).into()], 1_000).unwrap_err());
        assert_eq!(large.kind, FaultKind::TooLarge);
    }

    #[test]
    fn answers_are_held_to_the_claim() {
        let office = signature("-> result<office, no>");
        let Outcome::Ok(value) = answer(&office, said(r#"{"name":"west"}"#), MOST) else {
            panic!()
        };
        assert_eq!(value.field("floor"), Some(&Value::None));
        let Outcome::Refusal(no) = answer(&office, refusal("ask-again", Some("\"tomorrow\"")), MOST) else {
            panic!()
        };
        assert_eq!((&*no.case, no.payload.as_text()), ("ask-again", Some("tomorrow")));
        assert!(matches!(
            answer(&office, refusal("unknown", None), MOST),
            Outcome::Refusal(_)
        ));
        for (given, message) in [
            (said("{}"), "name should be string"),
            (said(r#"{"name":"west","flor":1}"#), "an unknown field"),
            (said(r#"{"name":"west","floor":300}"#), "floor should be"),
            (said("west"), "no JSON"),
            (refusal("gone", None), "none of the cases"),
            (refusal("unknown", Some("1")), "claimed none"),
            (refusal("ask-again", None), "without its payload"),
        ] {
            let fault = fault(answer(&office, given, MOST));
            assert!(
                fault.kind == FaultKind::Host && fault.message.contains(message),
                "{fault:?}"
            );
        }
        let nothing = signature("");
        assert_eq!(answer(&nothing, said("null"), MOST), Outcome::Ok(Value::None));
        assert!(
            fault(answer(&nothing, said("1"), MOST))
                .message
                .contains("answer nothing")
        );
        assert!(
            fault(answer(&nothing, refusal("refused", None), MOST))
                .message
                .contains("answer always")
        );
        let in_words = signature("-> result<_, string>");
        assert!(matches!(
            answer(&in_words, refusal("refused", Some("\"no\"")), MOST),
            Outcome::Refusal(_)
        ));
        assert!(
            fault(answer(&in_words, refusal("else", None), MOST))
                .message
                .contains("`refused`")
        );
    }

    #[test]
    fn an_answer_is_bounded_by_what_it_becomes() {
        let fields: String = (0..100).map(|at| format!("x{at}: option<u8>, ")).collect();
        let text = format!(
            "package a:b; interface i {{ record r {{ {fields} }} f: func() -> list<r>; n: func() -> list<u8>; }}"
        );
        let functions = introspect::claimed(&text).unwrap().functions;
        let records = |count| said(&format!("[{}]", vec!["{}"; count].join(",")));
        assert!(matches!(
            answer(&functions[0], records(200), MOST),
            Outcome::Ok(_)
        ));
        let fault = fault(answer(&functions[0], records(100_000), MOST));
        assert_eq!(fault.kind, FaultKind::TooLarge);
        assert_eq!(
            fault.message,
            "the answer of `i.f` is more than 1MiB as the host reads it (`limits: reply-bytes` in grants.yaml)"
        );
        // What is no JSON further on is not read so far.
        let numbers = format!("[{}", "7,".repeat(100_000));
        let fault = self::fault(answer(&functions[1], said(&numbers), MOST));
        assert_eq!(fault.kind, FaultKind::TooLarge);
    }

    #[test]
    fn values_in_a_text_are_counted_as_they_are_read() {
        fn within(json: &Json) -> usize {
            match json {
                Json::Array(items) => 1 + items.iter().map(within).sum::<usize>(),
                Json::Object(fields) => 1 + fields.values().map(within).sum::<usize>(),
                _ => 1,
            }
        }
        for text in [
            "7",
            "null",
            " [ ] ",
            "{}",
            r#"[1,-2.5e3 , true,"a,b:[{\"\\",[],{}]"#,
            r#"{"a" : 1, "b":{"c":[null,"x"]},"d":"\\"}"#,
        ] {
            assert_eq!(
                values_in(text),
                within(&serde_json::from_str(text).unwrap()),
                "{text}"
            );
        }
        // Colons without names hide nothing.
        assert_eq!(values_in("[1,2,3]::::"), 4);
    }
}
