//! `trunkline plugin kv`: what a server's plugin keeps of its own, as the API lists it.

use std::time::Duration;

use clap::Args;
use serde::Deserialize;

use crate::{
    api::Api,
    contacts::Of,
    exit::{Exit, Failure, Outcome},
    plugin::Format,
    table,
};

/// Values that one request asks for.
const PAGE: usize = 500;

/// Characters of a value in a list.
const CHARS_SHOWN: usize = 80;

/// Show what a plugin of a server keeps: its keys and the beginnings of its values
///
/// Values may be personal data; that an operator read them stands in the server's log.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline plugin kv health\n  \
    trunkline plugin kv health --prefix copy- --output-format json")]
pub(crate) struct Kv {
    /// The plugin, by its name in the hotline
    plugin: String,
    /// Only keys that begin with this
    #[arg(long, value_name = "TEXT", default_value = "")]
    prefix: String,
    #[command(flatten)]
    of: Of,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    output_format: Format,
}

#[derive(Deserialize)]
struct Page {
    values: Vec<serde_json::Value>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Kept {
    key: String,
    text: Option<String>,
    base64: Option<String>,
    bytes: u64,
    version: u64,
    expires: Option<String>,
}

impl Kv {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let api = Api::at(&self.of.server)?;
        let values = kept(&api, self.of.api_key.as_deref(), &self.plugin, &self.prefix).await?;
        match self.output_format {
            Format::Json => anstream::println!("{:#}", serde_json::Value::Array(values)),
            Format::Text if values.is_empty() => {
                anstream::eprintln!("the plugin {} keeps nothing at {}", self.plugin, api.base());
            }
            Format::Text => anstream::print!("{}", told(values)?),
        }
        Ok(Exit::Done)
    }
}

/// What a plugin of a server keeps, as the API says it, in the order of its keys.
///
/// # Errors
/// The server has no such plugin, or cannot be asked.
pub(super) async fn kept(
    api: &Api,
    key: Option<&str>,
    plugin: &str,
    prefix: &str,
) -> Result<Vec<serde_json::Value>, Failure> {
    let mut values = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!(
            "/api/v1/plugins/{}/kv?limit={PAGE}&prefix={}{after}",
            encoded(plugin),
            encoded(prefix)
        );
        let page: Page = api.get(&path, key, Duration::ZERO).await?;
        values.extend(page.values);
        match page.next {
            Some(next) => after = format!("&after={}", encoded(&next)),
            None => return Ok(values),
        }
    }
}

/// The same as a table for people.
///
/// # Errors
/// The server says it in a way that this version does not know.
pub(super) fn told(values: Vec<serde_json::Value>) -> Result<String, Failure> {
    serde_json::from_value(serde_json::Value::Array(values))
        .map(laid_out)
        .map_err(|error| Failure::from(anyhow::anyhow!("the server's answer cannot be read: {error}")))
}

fn laid_out(values: Vec<Kept>) -> String {
    let mut rows = vec![
        ["KEY", "VERSION", "BYTES", "EXPIRES", "VALUE"]
            .map(ToOwned::to_owned)
            .to_vec(),
    ];
    rows.extend(values.into_iter().map(|kept| {
        let value = match (kept.text, kept.base64) {
            (Some(text), _) => shortened(&text),
            (None, Some(base64)) => format!("base64:{}", shortened(&base64)),
            (None, None) => String::new(),
        };
        vec![
            kept.key,
            kept.version.to_string(),
            kept.bytes.to_string(),
            kept.expires.unwrap_or_else(|| "-".to_owned()),
            value,
        ]
    }));
    table::lay_out(&rows)
}

/// The beginning of a text, on one line.
fn shortened(text: &str) -> String {
    let mut chars = text.chars();
    let mut shown = table::plain(&chars.by_ref().take(CHARS_SHOWN).collect::<String>());
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

/// A text as it stands in an address.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_listed_on_one_line_each() {
        let values = vec![
            serde_json::json!({ "key": "copy", "text": "a\nb", "bytes": 3, "version": 2 }),
            serde_json::json!({ "key": "raw", "base64": "//4=", "bytes": 2, "version": 1, "expires": "2026-11-22T08:00:00Z" }),
        ];
        let text = told(values).map_err(|failure| failure.error).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.contains("a b") && text.contains("base64://4="), "{text}");
        assert_eq!(encoded("seen/路"), "seen%2F%E8%B7%AF");
    }
}
