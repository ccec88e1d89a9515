//! Types as flows write them: `string`, `int?`, `list<phone>`, `crm.citizen`.
//!
//! Beside the language's own there are all that a component's functions may use, so that
//! whatever a function gives can be kept: `u8` to `s64`, `char`, `tuple<…>`, `result<…, …>`,
//! `option<…>`.

use std::sync::Arc;

use trunkline_model::{Type, types::Range};

use super::world::World;
use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    hotline::ticket_type,
    limits::TYPE_DEPTH_MAX,
    source::Word,
};

const NAMES: [&str; 10] = [
    "string",
    "int",
    "decimal",
    "bool",
    "date",
    "time",
    "duration",
    "phone",
    "ticket",
    "list<…>",
];

/// What other languages call a type, and what it is called here.
const HABITS: [(&str, &str); 14] = [
    ("text", "string"),
    ("str", "string"),
    ("integer", "int"),
    ("number", "int or decimal"),
    ("float", "decimal"),
    ("double", "decimal"),
    ("boolean", "bool"),
    ("datetime", "time"),
    ("timestamp", "time"),
    ("telephone", "phone"),
    ("list", "list<string>"),
    ("array", "list<string>"),
    ("object", "a type of a plugin, like crm.citizen"),
    ("any", "the type of the values it takes"),
];

/// Reads a type; reports one that does not exist. None as well when a plugin is not loaded.
pub(super) fn read(world: &World<'_>, word: &Word) -> Option<Type> {
    let mut reader = Reader {
        world,
        word,
        rest: word.as_str(),
        depth: 0,
    };
    let ty = reader.read()?;
    if !reader.rest.trim().is_empty() {
        reader.report(
            format!(
                "`{}` is no type: after `{ty}` comes `{}`",
                word.as_str(),
                reader.rest.trim()
            ),
            None,
        );
        return None;
    }
    Some(ty)
}

struct Reader<'a> {
    world: &'a World<'a>,
    word: &'a Word,
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn report(&self, message: String, help: Option<String>) {
        self.world
            .report(Finding::new(Code::UnknownType, self.word.span, message).help_if(help));
    }

    fn sign(&mut self, sign: char) -> bool {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn read(&mut self) -> Option<Type> {
        self.depth += 1;
        if self.depth > TYPE_DEPTH_MAX {
            self.report(format!("the type nests deeper than {TYPE_DEPTH_MAX}"), None);
            return None;
        }
        self.rest = self.rest.trim_start();
        let length = self
            .rest
            .find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.'))
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(length);
        self.rest = rest;
        let mut ty = if self.sign('<') {
            let mut parts = Vec::new();
            loop {
                parts.push(self.read()?);
                if self.sign('>') {
                    break;
                }
                if !self.sign(',') {
                    self.report(format!("in `{}` a `>` is missing", self.word.as_str()), None);
                    return None;
                }
            }
            self.with_parts(name, parts)?
        } else {
            self.named(name)?
        };
        while self.sign('?') {
            ty = ty.optional();
        }
        self.depth -= 1;
        Some(ty)
    }

    fn with_parts(&self, name: &str, mut parts: Vec<Type>) -> Option<Type> {
        match (name, parts.len()) {
            ("list", 1) => parts.pop().map(Type::list),
            ("option", 1) => parts.pop().map(Type::optional),
            ("tuple", _) => Some(Type::Tuple(Arc::new(parts))),
            ("result", 2) => {
                let error = parts.pop().map(Arc::new);
                Some(Type::Result {
                    ok: parts.pop().map(Arc::new),
                    error,
                })
            }
            _ => {
                self.report(
                    format!("`{}` is no type", self.word.as_str()),
                    Some("types with parts are list<…>, tuple<…> and result<…, …>".to_owned()),
                );
                None
            }
        }
    }

    fn named(&self, name: &str) -> Option<Type> {
        let bits = |bits, signed| Some(Type::Int(Range::of_bits(bits, signed)));
        match name {
            "string" => Some(Type::String),
            "int" => Some(Type::INT),
            "decimal" => Some(Type::Decimal),
            "bool" => Some(Type::Bool),
            "date" => Some(Type::Date),
            "time" => Some(Type::Time),
            "duration" => Some(Type::Duration),
            "phone" => Some(Type::Phone),
            "ticket" => Some(ticket_type()),
            "char" => Some(Type::Char),
            "u8" => bits(8, false),
            "u16" => bits(16, false),
            "u32" => bits(32, false),
            "u64" => bits(64, false),
            "s8" => bits(8, true),
            "s16" => bits(16, true),
            "s32" => bits(32, true),
            "s64" => bits(64, true),
            _ => match name.split_once('.') {
                Some((plugin, ty)) => self.of_plugin(plugin, ty),
                None => {
                    let habit = HABITS
                        .iter()
                        .find(|(theirs, _)| *theirs == name.to_ascii_lowercase());
                    let help = match habit {
                        Some((_, ours)) => Some(format!("write {ours}")),
                        None => did_you_mean("types are", name, NAMES)
                            .map(|help| format!("{help}; types of plugins are written plugin.type")),
                    };
                    self.report(format!("`{name}` is no type"), help);
                    None
                }
            },
        }
    }

    fn of_plugin(&self, plugin: &str, ty: &str) -> Option<Type> {
        let Some(known) = self.world.plugins.get(plugin) else {
            let names = self.world.plugins.keys().map(|name| &**name);
            self.world.report(
                Finding::new(
                    Code::UnknownPlugin,
                    self.word.span,
                    format!("hotline.yaml declares no plugin `{plugin}`"),
                )
                .help_if(did_you_mean("there are", plugin, names)),
            );
            return None;
        };
        let interface = known.as_ref()?;
        let found = interface.types.get(ty).cloned();
        if found.is_none() {
            let names = interface.types.keys().map(|name| &**name);
            self.report(
                format!("the plugin `{plugin}` has no type `{ty}`"),
                did_you_mean("it has", ty, names),
            );
        }
        found
    }
}
