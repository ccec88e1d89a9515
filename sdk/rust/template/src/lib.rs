//! Answers what callers say.

{{#http}}
use std::time::Duration;

{{/http}}
use bindings::exports::{{snake_name}}::plugin::steps::{AnswerError, Guest};
{{#kv}}
use trunkline_sdk::kv;
{{/kv}}
use trunkline_sdk::{call, log};
{{#http}}
use trunkline_sdk::{config, http{{#secrets}}, secrets{{/secrets}}};
{{/http}}

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "plugin" });
}
bindings::export!(Plugin with_types_in bindings);

struct Plugin;

impl Guest for Plugin {
    fn answer(words: String) -> Result<String, AnswerError> {
        let words = words.trim();
        if words.is_empty() {
            log::debug!("a caller who said nothing");
            return Err(AnswerError::NothingSaid);
        }
{{#kv}}
        count();
{{/kv}}
        let answer = in_language(call::current().language(), words);
{{#http}}
        let answer = ask(&answer)?;
{{/http}}
        Ok(answer)
    }
}

/// Pure logic like this needs no host to be tested.
fn in_language(language: &str, words: &str) -> String {
    match language {
        "zh" => format!("您说的是：{words}"),
        _ => format!("You said: {words}"),
    }
}
{{#http}}

/// Time kept back from the call's own, to answer `unreachable` rather than be stopped.
const ANSWER_MARGIN: Duration = Duration::from_millis(50);

#[derive(serde::Serialize)]
struct Question<'a> {
    text: &'a str,
}

#[derive(serde::Deserialize)]
struct Answer {
    text: String,
}

/// Asks the service that the setting `url` names.
fn ask(text: &str) -> Result<String, AnswerError> {
    let unreachable = |why: String| {
        log::warn!("the service gave no answer: {why}");
        AnswerError::Unreachable(why)
    };
    let url = config::require("url").map_err(|error| unreachable(error.to_string()))?;
{{#secrets}}
    // What stands for the token: the host puts the token itself in on the way to the service.
    let token =
        secrets::placeholder("service-token").map_err(|error| unreachable(error.to_string()))?;
{{/secrets}}
    let call = call::current();
    let reply = http::post(format!("{url}/v1/answers"))
{{#secrets}}
        .bearer(&token)
{{/secrets}}
        // The same for every attempt of this call, so that the service may count it once.
        .header("idempotency-key", call.id.as_str())
        .timeout(call.remaining_less(ANSWER_MARGIN))
        .json(&Question { text })
        .and_then(http::Request::send)
        .map_err(|error| unreachable(error.to_string()))?;
    if !reply.is_success() {
        return Err(unreachable(format!("it answered {}", reply.status())));
    }
    let answer: Answer = reply
        .json()
        .map_err(|error| unreachable(error.to_string()))?;
    Ok(answer.text)
}
{{/http}}
{{#kv}}

/// Where the count is kept. Nothing in memory outlives a call.
const COUNT_KEY: &str = "count";

/// Counts the questions. Other calls count at the same time, so a write expects what was read.
fn count() {
    let counted = kv::get(COUNT_KEY).and_then(|entry| {
        let before = entry.as_ref().map_or(0, |entry| number(&entry.value));
        let version = entry.map(|entry| entry.version);
        let after = (before + 1).to_string();
        kv::set_if(COUNT_KEY, after.as_bytes(), version, None)
    });
    if let Err(error) = counted {
        log::warn!("a question was not counted: {error}");
    }
}

fn number(text: &[u8]) -> u64 {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}
{{/kv}}

#[cfg(test)]
mod tests;
