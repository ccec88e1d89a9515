//! Scripts as verbs of jambonz.
//!
//! A `gather` holds one `say` or one `play`: texts of one language are joined into one, and what
//! stands before them is said before the gather, without being talked over.

use serde_json::{Map, Value as Json, json};

use super::{
    Gather, Said, Script, Target, Then, language, parted, seconds,
    sentences::{SAY_BYTES_MAX, cut},
    ssml::spoken,
    xml::Writer,
};

/// The verbs.
pub fn render(script: &Script) -> String {
    let mut verbs = Vec::new();
    match &script.then {
        Then::Gather(wanted) => {
            let (firm, free) = parted(&script.said);
            // The last of those that become one verb stands in the gather.
            let mut free = joined(free);
            let last = free.pop();
            verbs.extend(joined(firm));
            verbs.extend(free);
            verbs.push(gather(wanted, last));
        }
        // It keeps no message: whoever renders for it asks for none, and goes on as with silence.
        Then::Record { silent, .. } => {
            verbs.extend(joined(&script.said));
            verbs.push(redirect(silent));
        }
        Then::Dial {
            target,
            ring,
            action,
            answered,
        } => {
            verbs.extend(joined(&script.said));
            let target = match target {
                Target::Number(number) => json!({ "type": "phone", "number": number }),
                Target::Sip(address) => json!({ "type": "sip", "sipUri": address }),
            };
            verbs.push(json!({
                "verb": "dial",
                "actionHook": hook(action),
                "confirmHook": hook(answered),
                "timeout": seconds(*ring),
                "target": [target],
            }));
        }
        Then::Poll { pause, again } => {
            verbs.extend(joined(&script.said));
            verbs.push(json!({ "verb": "pause", "length": seconds(*pause) }));
            verbs.push(redirect(again));
        }
        Then::HangUp => {
            verbs.extend(joined(&script.said));
            verbs.push(json!({ "verb": "hangup" }));
        }
        Then::Reject => verbs.push(json!({ "verb": "sip:decline", "status": 480 })),
    }
    Json::Array(verbs).to_string()
}

fn gather(wanted: &Gather, prompt: Option<Json>) -> Json {
    let mut input = Vec::new();
    if wanted.keys_max > 0 || !wanted.words {
        input.push("digits");
    }
    if wanted.words {
        input.push("speech");
    }
    let mut gather = Map::new();
    let mut set = |name: &str, value: Json| gather.insert(name.to_owned(), value);
    set("verb", json!("gather"));
    set("input", json!(input));
    set("actionHook", hook(&wanted.action));
    set("timeout", json!(seconds(wanted.first)));
    set("bargein", json!(wanted.words));
    set("dtmfBargein", json!(true));
    set("listenDuringPrompt", json!(true));
    if wanted.keys_max > 0 {
        set("maxDigits", json!(wanted.keys_max));
        set("interDigitTimeout", json!(seconds(wanted.next)));
        if let Some(finish) = wanted.finish {
            set("finishOnKey", json!(finish));
        }
    }
    if wanted.words {
        let language = language::common(&wanted.language);
        set("recognizer", json!({ "vendor": "default", "language": language }));
    }
    if let Some(Json::Object(mut prompt)) = prompt {
        let kind = match prompt.remove("verb") {
            Some(Json::String(verb)) => verb,
            _ => "say".to_owned(),
        };
        set(&kind, Json::Object(prompt));
    }
    Json::Object(gather)
}

fn hook(url: &str) -> Json {
    json!({ "url": url, "method": "POST" })
}

fn redirect(to: &str) -> Json {
    json!({ "verb": "redirect", "actionHook": hook(to) })
}

/// What is said as verbs; texts of one language that follow one another are one.
fn joined(said: &[Said]) -> Vec<Json> {
    let mut verbs = Vec::new();
    let mut rest = said;
    while let Some(first) = rest.first() {
        if let Some(recording) = &first.recording {
            verbs.push(json!({ "verb": "play", "url": recording }));
            rest = &rest[1..];
            continue;
        }
        let same = rest
            .iter()
            .take_while(|said| said.recording.is_none() && said.language == first.language)
            .count();
        let (one, after) = rest.split_at(same);
        let language = language::common(&first.language);
        verbs.extend(texts(one).into_iter().map(|text| {
            json!({
                "verb": "say",
                "text": text,
                "synthesizer": { "vendor": "default", "language": language },
            })
        }));
        rest = after;
    }
    verbs
}

/// Plain, and in parts that are not too long, where a voice only reads it, else SSML.
fn texts(said: &[Said]) -> Vec<String> {
    if said.iter().all(|said| said.speech.is_empty()) {
        let texts: Vec<&str> = said.iter().map(|said| &*said.text).collect();
        let text = texts.join("\n");
        // A text that looks like SSML would be read as such.
        if !text.trim_start().starts_with('<') {
            return cut(&text, SAY_BYTES_MAX).into_iter().map(str::to_owned).collect();
        }
    }
    let mut xml = Writer::inside();
    xml.element("speak", &[], |xml| {
        for (index, said) in said.iter().enumerate() {
            if index > 0 {
                xml.text(" ");
            }
            if said.speech.is_empty() {
                xml.text(&said.text);
            }
            for part in &said.speech {
                spoken(xml, part, &said.text);
            }
        }
    });
    vec![xml.done()]
}
