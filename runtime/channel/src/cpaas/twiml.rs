//! Scripts as TwiML.
//!
//! What the caller may talk over stands inside `Gather`; a notice stands before it. One time holds to
//! the first key and between keys. `actionOnEmptyResult` has silence posted as well.

use super::{
    Gather, Said, Script, Target, Then, language, parted, seconds,
    sentences::{SAY_BYTES_MAX, cut},
    ssml::spoken,
    xml::Writer,
};

/// The longest that a carrier rings.
const RING_SECONDS_MAX: u64 = 600;

/// The document.
pub fn render(script: &Script) -> String {
    let mut xml = Writer::new();
    xml.element("Response", &[], |xml| response(xml, script));
    xml.done()
}

fn response(xml: &mut Writer, script: &Script) {
    match &script.then {
        Then::Gather(wanted) => {
            let (firm, free) = parted(&script.said);
            all(xml, firm);
            gather(xml, wanted, free);
        }
        Then::Record {
            action,
            silent,
            max,
            finish,
        } => {
            all(xml, &script.said);
            let finish = finish.map(String::from).unwrap_or_default();
            let max = seconds(*max).to_string();
            let attributes = [
                ("action", action.as_str()),
                ("method", "POST"),
                ("maxLength", &max),
                ("finishOnKey", &finish),
                ("playBeep", "true"),
            ];
            xml.empty("Record", &attributes);
            // Reached when nothing was recorded: then the action is not asked.
            redirect(xml, silent);
        }
        Then::Dial {
            target,
            ring,
            action,
            answered,
        } => {
            all(xml, &script.said);
            let ring = seconds(*ring).min(RING_SECONDS_MAX).to_string();
            let attributes = [
                ("action", action.as_str()),
                ("method", "POST"),
                ("timeout", &ring),
            ];
            let told = [
                ("statusCallback", answered.as_str()),
                ("statusCallbackEvent", "answered"),
                ("statusCallbackMethod", "POST"),
            ];
            let (name, whom) = match target {
                Target::Number(number) => ("Number", number),
                Target::Sip(address) => ("Sip", address),
            };
            xml.element("Dial", &attributes, |xml| {
                xml.element(name, &told, |xml| xml.text(whom));
            });
        }
        Then::Poll { pause, again } => {
            all(xml, &script.said);
            let length = seconds(*pause).to_string();
            xml.empty("Pause", &[("length", &length)]);
            redirect(xml, again);
        }
        Then::HangUp => {
            all(xml, &script.said);
            xml.empty("Hangup", &[]);
        }
        Then::Reject => xml.empty("Reject", &[]),
    }
}

fn gather(xml: &mut Writer, wanted: &Gather, free: &[Said]) {
    let input = match (wanted.keys_max > 0, wanted.words) {
        (true, true) => "dtmf speech",
        (false, true) => "speech",
        (_, false) => "dtmf",
    };
    let timeout = seconds(wanted.first).to_string();
    let keys = wanted.keys_max.to_string();
    // An empty value means that every key is an input.
    let finish = wanted.finish.map(String::from).unwrap_or_default();
    let language = language::heard(&wanted.language);
    let mut attributes = vec![
        ("input", input),
        ("action", wanted.action.as_str()),
        ("method", "POST"),
        ("actionOnEmptyResult", "true"),
        ("timeout", &timeout),
    ];
    if wanted.keys_max > 0 {
        attributes.extend([("numDigits", keys.as_str()), ("finishOnKey", &finish)]);
    }
    if wanted.words {
        attributes.extend([("speechTimeout", "auto"), ("language", language.as_str())]);
    }
    xml.element("Gather", &attributes, |xml| all(xml, free));
}

fn redirect(xml: &mut Writer, to: &str) {
    xml.element("Redirect", &[("method", "POST")], |xml| xml.text(to));
}

fn all(xml: &mut Writer, said: &[Said]) {
    for said in said {
        if let Some(recording) = &said.recording {
            xml.element("Play", &[], |xml| xml.text(recording));
        } else {
            let language = language::said(&said.language);
            let attributes = [("language", language.as_str())];
            if said.speech.is_empty() {
                for part in cut(&said.text, SAY_BYTES_MAX) {
                    xml.element("Say", &attributes, |xml| xml.text(part));
                }
                continue;
            }
            xml.element("Say", &attributes, |xml| {
                for part in &said.speech {
                    spoken(xml, part, &said.text);
                }
            });
        }
    }
}
