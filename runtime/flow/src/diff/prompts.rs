//! What is said: each prompt in each language.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    change::{Change, Noun},
    facts, text,
};
use crate::{
    hotline::Hotline,
    step::{Part, Prompt, Template},
};

pub(super) fn compare(old: &Hotline, new: &Hotline, changes: &mut Vec<Change>) {
    let (before, after) = (all(old), all(new));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        match (before.get(name), after.get(name)) {
            (Some(old), Some(new)) => compare_one(name, old, new, changes),
            // One written in a flow comes and goes with its step, which is said there.
            (None, Some(prompt)) if prompt.key.is_some() => changes.push(Change::Added {
                what: Noun::Prompt,
                name: name.clone(),
                flow: None,
                detail: first_text(prompt),
            }),
            (Some(prompt), None) if prompt.key.is_some() => changes.push(Change::Removed {
                what: Noun::Prompt,
                name: name.clone(),
                flow: None,
            }),
            _ => {}
        }
    }
}

fn compare_one(name: &str, old: &Prompt, new: &Prompt, changes: &mut Vec<Change>) {
    let languages: BTreeSet<_> = old.texts.keys().chain(new.texts.keys()).collect();
    for language in languages {
        let text = |prompt: &Prompt| prompt.texts.get(language).map(written).unwrap_or_default();
        let (before, after) = (text(old), text(new));
        let pieces = if before != after {
            text::compare(&before, &after)
        } else if format!("{:?}", old.texts.get(language)) != format!("{:?}", new.texts.get(language)) {
            // The words are the same; a pause, a format or the recording is not.
            Vec::new()
        } else {
            continue;
        };
        changes.push(Change::PromptChanged {
            prompt: name.to_owned(),
            language: language.clone(),
            pieces,
        });
    }
}

fn first_text(prompt: &Prompt) -> String {
    prompt.texts.values().next().map(written).unwrap_or_default()
}

/// A text as an author wrote it, but for pauses and formats.
pub(super) fn written(template: &Template) -> String {
    let mut text = String::new();
    for part in &template.parts {
        if let Part::Text(part) = part {
            text.push_str(part);
        } else if let Part::Value(expression, ..) = part {
            text.push('{');
            text.push_str(expression.source());
            text.push('}');
        }
    }
    text
}

/// The prompts that a hotline uses: by key, or by the step and field that one is written in.
fn all(hotline: &Hotline) -> BTreeMap<String, &Prompt> {
    let mut prompts = BTreeMap::new();
    for (flow_name, flow) in &hotline.flows {
        for (step_name, step) in &flow.steps {
            facts::prompts(&step.verb, &mut |field, prompt| {
                let name = match &prompt.key {
                    Some(key) => key.to_string(),
                    None => format!("{flow_name}/{step_name} {field}"),
                };
                prompts.insert(name, prompt);
            });
        }
    }
    for (survey_name, survey) in &hotline.surveys {
        for question in &survey.questions {
            let name = match &question.prompt.key {
                Some(key) => key.to_string(),
                None => format!("{survey_name}/{}", question.name),
            };
            prompts.insert(name, &*question.prompt);
        }
    }
    prompts
}
