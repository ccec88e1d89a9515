//! Descriptions of what a hotline has, in Markdown.

use std::{fmt::Write as _, sync::Arc};

use trunkline_model::{Signature, Type, VariableName};

use super::{Editor, names::Name, step_in_words, word_of};
use crate::{
    language::{Field, Kind, Shape, Subject},
    yaml,
};

/// Characters of a text that a description shows.
const SHOWN_CHARS_MAX: usize = 300;

impl Editor {
    /// The functions that a name of a plugin may mean: `find-citizen`, `citizens.find-citizen`.
    fn functions(&self, plugin: &str, function: &str) -> impl Iterator<Item = &Signature> {
        let interface = self.interfaces.get(plugin);
        let functions = interface.into_iter().flat_map(|interface| &interface.functions);
        functions.filter(move |signature| {
            &*signature.name == function
                || signature.path() == function
                || signature.function.as_str() == function
        })
    }

    /// The function that a step or a branch calls.
    pub(super) fn called(&self, owner: &[yaml::Entry]) -> Option<&Signature> {
        let word = word_of(owner, "call")?;
        let (plugin, function) = word.value.split_once('.')?;
        self.functions(plugin, function).next()
    }

    /// The type of a variable of a flow, where it is known.
    pub(super) fn variable_type(&self, flow: &str, variable: &str) -> Option<&Type> {
        let types = self.types.get(flow)?;
        types.variables.get(variable)?.as_ref()
    }

    pub(super) fn output_type(&self, flow: &str, output: &str) -> Option<&Type> {
        let types = self.types.get(flow)?;
        types.outputs.get(output)?.as_ref()
    }

    /// What there is to say of a name; nothing when it is not known.
    pub(super) fn describe(&self, name: &Name) -> Option<String> {
        let heading = format!("{} `{}`", name.subject.as_str(), name.name);
        match name.subject {
            Subject::Step => {
                let step = self.step(&name.within, &name.name)?;
                let mut text = format!("{heading}: `{}`", step_in_words(step));
                if let yaml::Kind::Mapping(entries) = &step.value.kind {
                    if let Some(title) = word_of(entries, "title") {
                        let _ = write!(text, "\n\n{}", title.value);
                    }
                    let said = ["say", "menu", "ask"]
                        .iter()
                        .find_map(|verb| word_of(entries, verb));
                    if let Some(prompt) = said {
                        text.push_str(&self.prompt_lines(&prompt.value));
                    }
                }
                Some(text)
            }
            Subject::Prompt => {
                let lines = self.prompt_lines(&name.name);
                (!lines.is_empty()).then(|| format!("{heading}{lines}"))
            }
            Subject::Variable => {
                let ty = self.variable_type(&name.within, &name.name)?;
                Some(format!("{heading}: `{ty}`{}", parts(ty)))
            }
            Subject::Output => {
                let ty = self.output_type(&name.within, &name.name)?;
                Some(format!(
                    "{heading} of the flow `{}`: `{ty}`{}",
                    name.within,
                    parts(ty)
                ))
            }
            Subject::Function => {
                let functions = self.functions(&name.within, &name.name);
                let texts: Vec<String> = functions.map(function).collect();
                (!texts.is_empty()).then(|| texts.join("\n\n---\n\n"))
            }
            Subject::Plugin => {
                let interface = self.interfaces.get(&*name.name);
                let mut text = heading;
                match interface {
                    Some(interface) => {
                        for signature in &interface.functions {
                            let _ = write!(text, "\n- `{signature}`");
                        }
                    }
                    None => text.push_str("\n\nIts component is not loaded."),
                }
                Some(text)
            }
            Subject::Flow => {
                let types = self.types.get(&*name.name)?;
                let mut text = heading;
                for (what, types) in [("variables", &types.variables), ("outputs", &types.outputs)] {
                    if !types.is_empty() {
                        let _ = write!(text, "\n\n{what}: {}", declared(types));
                    }
                }
                if !types.outcomes.is_empty() {
                    let outcomes: Vec<String> =
                        types.outcomes.iter().map(|name| format!("`{name}`")).collect();
                    let _ = write!(text, "\n\nends {}", outcomes.join(", "));
                }
                Some(text)
            }
            Subject::Calendar | Subject::Queue | Subject::Survey | Subject::Ticket | Subject::Agent => {
                let occurrence = self.names.of(name).find(|occurrence| occurrence.declares)?;
                let file = self.parsed.files.of(occurrence.span);
                Some(format!("{heading}, declared in {}", file.path))
            }
            Subject::Language | Subject::Skill | Subject::Service => Some(heading),
        }
    }

    /// The texts of a prompt, a line for each language.
    pub(super) fn prompt_lines(&self, key: &str) -> String {
        let mut lines = String::new();
        for (language, text) in self.prompt_texts(key) {
            let _ = write!(lines, "\n\n{language}: {}", shortened(&text));
        }
        lines
    }
}

fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn declared(types: &indexmap::IndexMap<VariableName, Option<Type>>) -> String {
    let parts: Vec<String> = types
        .iter()
        .map(|(name, ty)| match ty {
            Some(ty) => format!("`{name}: {ty}`"),
            None => format!("`{name}`"),
        })
        .collect();
    parts.join(", ")
}

/// A function's signature and what its department wrote about it.
pub(super) fn function(signature: &Signature) -> String {
    let mut text = format!("```\n{signature}\n```");
    if let Some(docs) = &signature.docs {
        let _ = write!(text, "\n\n{docs}");
    }
    let cases = signature.error_cases();
    if !cases.is_empty() {
        text.push_str("\n\nways out:");
        for (name, payload) in cases {
            match payload {
                Some(ty) => {
                    let _ = write!(text, " `{name}` (carries `{ty}`)");
                }
                None => {
                    let _ = write!(text, " `{name}`");
                }
            }
        }
    }
    text
}

/// What a type is made of, where it has a name of its own.
pub(super) fn parts(ty: &Type) -> String {
    match ty.required() {
        Type::Record(record) => {
            let mut text = "\n".to_owned();
            for field in &record.fields {
                let _ = write!(text, "\n- `{}: {}`", field.name, field.ty);
            }
            text
        }
        Type::Enum(names) | Type::Flags(names) => {
            let cases: Vec<String> = names.cases.iter().map(|case| format!("`{case}`")).collect();
            format!("\n\none of {}", cases.join(", "))
        }
        Type::Variant(variant) => {
            let cases: Vec<String> = variant.cases.iter().map(|case| format!("`{case}`")).collect();
            format!("\n\none of {}", cases.join(", "))
        }
        _ => String::new(),
    }
}

/// A field of the language, and what it takes.
pub(super) fn field(field: &'static Field) -> String {
    let mut text = format!("`{}`", field.name);
    if field.needed {
        text.push_str(" (needed)");
    }
    let _ = write!(text, "\n\n{}", field.doc);
    let choices = choices(&field.shape);
    for choice in choices {
        let _ = write!(text, "\n- `{}`: {}", choice.word, choice.doc);
    }
    let _ = write!(text, "\n\n`{}: {}`", field.name, field.example);
    text
}

/// The words that a place takes, where they are known.
pub(super) fn choices(shape: &'static Shape) -> Vec<&'static crate::language::Choice> {
    match shape {
        Shape::Word(Kind::Choice(choices)) => choices.iter().collect(),
        Shape::Either(several) => several.iter().flat_map(choices_of).collect(),
        Shape::Word(_)
        | Shape::Mapping(_)
        | Shape::Entries { .. }
        | Shape::Besides { .. }
        | Shape::List(_)
        | Shape::Value => Vec::new(),
    }
}

fn choices_of(shape: &'static Shape) -> Vec<&'static crate::language::Choice> {
    choices(shape)
}

/// What a kind of value is, in words.
pub(super) fn kind(kind: Kind) -> Option<String> {
    Some(match kind {
        Kind::Names(subject) => format!("the name of a {}", subject.as_str()),
        Kind::Declares(subject) => format!("a name for a {}", subject.as_str()),
        Kind::Argument => "a parameter".to_owned(),
        Kind::Exit => "a way out".to_owned(),
        Kind::Outcome => "an outcome".to_owned(),
        Kind::Condition => "a condition: `\"${…}\"`".to_owned(),
        Kind::Value | Kind::Template => return None,
        Kind::Type => "a type".to_owned(),
        Kind::Duration => "a length of time: `800ms`, `30s`, `10m`, `2h`, `7d`".to_owned(),
        Kind::Whole => "a whole number".to_owned(),
        Kind::Decimal => "a number".to_owned(),
        Kind::Bool => "`true` or `false`".to_owned(),
        Kind::Choice(choices) => {
            let words: Vec<String> = choices
                .iter()
                .map(|choice| format!("`{}`", choice.word))
                .collect();
            format!("one of {}", words.join(", "))
        }
        Kind::Key => "a key of the keypad: 0 to 9, `\"*\"`, `\"#\"`".to_owned(),
        Kind::Text(what) => what.to_owned(),
    })
}

/// The name of something that belongs to no flow.
pub(super) fn global(subject: Subject, name: Arc<str>) -> Name {
    Name {
        subject,
        within: "".into(),
        name,
    }
}
