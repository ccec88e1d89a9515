//! Prompt tables.

use std::{collections::BTreeMap, sync::Arc};

use super::fields::{Reader, Style};
use crate::{
    diagnostics::{Code, Finding, one_of},
    limits::RECORDING_SECONDS_MAX,
    source::{RECORDING_ENDINGS, Span, Spanned, Word, is_recording},
    syntax::{PromptTable, RecordingSyntax},
    yaml::{Document, Entry, Kind, Node},
};

pub(super) fn prompts(
    reader: &Reader<'_>,
    language: Arc<str>,
    document: &Document,
    start: Span,
) -> PromptTable {
    let entries = document
        .root
        .as_ref()
        .map(|root| reader.entries(root, "a table of prompts"))
        .unwrap_or_default();
    let mut prompts = Vec::new();
    let mut recordings = BTreeMap::new();
    for Entry { key, value } in entries {
        let text = if let Kind::Mapping(_) = value.kind {
            let (text, recording) = recorded(reader, key, value);
            recordings.extend(recording.map(|recording| (key.value.clone(), recording)));
            text
        } else {
            reader.word(value, &format!("`{}`", key.as_str()))
        };
        prompts.extend(text.map(|text| (key.clone(), text)));
    }
    if document.whole {
        for (key, _) in &prompts {
            reader.name(key, "a prompt", Style::Kebab);
        }
    }
    PromptTable {
        language,
        span: start,
        prompts,
        recordings,
        whole: document.whole,
    }
}

/// `{ recording: audio/welcome.wav, text: 您好, seconds: 6.5 }`
fn recorded(reader: &Reader<'_>, key: &Word, node: &Node) -> (Option<Word>, Option<RecordingSyntax>) {
    let mut fields = reader.fields(node, "a prompt", key.span);
    let path = fields.need_word(reader, "recording", "audio/welcome.wav");
    let text = fields.need_word(reader, "text", "您好，欢迎致电");
    let seconds = fields.word(reader, "seconds").and_then(|word| {
        let seconds = reader.read::<f64>(&word, "`seconds`")?;
        if seconds > 0.0 && seconds <= RECORDING_SECONDS_MAX {
            return Some(Spanned::new(seconds, word.span));
        }
        reader.report(Finding::new(
            Code::WrongValue,
            word.span,
            format!("`seconds` should be more than 0 and at most {RECORDING_SECONDS_MAX}, not {seconds}"),
        ));
        None
    });
    fields.finish(reader);
    let path = path.filter(|path| is_recording_path(reader, path));
    (text, path.map(|path| RecordingSyntax { path, seconds }))
}

fn is_recording_path(reader: &Reader<'_>, word: &Word) -> bool {
    let path = word.as_str();
    let finding = |message: String| Finding::new(Code::WrongValue, word.span, message);
    let problem = if path.starts_with(['/', '~']) || path.contains([':', '\\']) {
        finding(format!("`{path}` is not relative to the hotline's folder"))
            .help("copy the recording into the folder: `recording: audio/welcome.wav`")
    } else if path.split('/').any(|part| matches!(part, ".." | "." | "")) {
        finding(format!("`{path}` is no plain path in the hotline's folder"))
            .help("write it as `audio/welcome.wav`: folders and a name, with `/` between")
    } else if !is_recording(path) {
        finding(format!("`{path}` is no recording by its ending"))
            .help(format!("recordings end in {}", one_of(RECORDING_ENDINGS)))
    } else {
        return true;
    };
    reader.report(problem);
    false
}
