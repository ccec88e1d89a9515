//! Wants and grants as the lines of grants.yaml that people paste.

use std::fmt::Write as _;

use serde_json::Value as Json;
use trunkline_plugin::{Grants, Limits, grants::KvGrant};

/// What a plugin wants, as its entry in grants.yaml. What stands at its default is left out.
pub(crate) fn entry(name: &str, wants: &Grants) -> String {
    let lines = lines(wants);
    if lines.is_empty() {
        return format!("{name}: {{}}\n");
    }
    let mut text = format!("{name}:\n");
    for line in lines {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// The parts of an entry in the order in which people write them.
const ORDER: [&str; 6] = ["http", "networks", "kv", "secrets", "data", "limits"];

/// The lines of an entry, without its name.
pub(crate) fn lines(wants: &Grants) -> Vec<String> {
    let Ok(Json::Object(parts)) = serde_json::to_value(wants) else {
        return Vec::new();
    };
    let place = |key: &str| {
        ORDER
            .iter()
            .position(|known| *known == key)
            .unwrap_or(ORDER.len())
    };
    let mut parts: Vec<(&String, &Json)> = parts.iter().collect();
    parts.sort_by_key(|(key, _)| place(key));
    parts.into_iter().map(|(key, value)| line(key, value)).collect()
}

/// One part of an entry. What is granted by a word stands as one, and only what was set is told.
fn line(key: &str, value: &Json) -> String {
    let default = match key {
        "kv" => serde_json::to_value(KvGrant::default()),
        "limits" => serde_json::to_value(Limits::default()),
        _ => Ok(Json::Null),
    }
    .unwrap_or_default();
    match value {
        value if key == "kv" && *value == default => "kv: true".to_owned(),
        Json::Object(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .filter(|(name, value)| default.get(name) != Some(value))
                .map(|(name, value)| format!("{name}: {}", word(value)))
                .collect();
            format!("{key}: {{ {} }}", fields.join(", "))
        }
        value => format!("{key}: {}", word(value)),
    }
}

/// A value on one line of YAML: JSON, but words that need no quotes have none.
fn word(value: &Json) -> String {
    match value {
        Json::String(text) if plain(text) => text.clone(),
        Json::Array(items) => {
            let items: Vec<_> = items.iter().map(word).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

fn plain(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let made_of = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':'));
    begins && made_of && !text.ends_with(':') && !matches!(text, "true" | "false" | "null" | "yes" | "no")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_reads_back_as_what_it_was() {
        let wants: Grants = serde_json::from_value(json!({
            "http": ["POST https://crm.civil.example/v1/*", "GET https://a.example/"],
            "kv": true,
            "data": ["phone"],
            "limits": { "time": "800ms", "memory": "32MiB" },
        }))
        .unwrap();
        let text = entry("crm", &wants);
        assert_eq!(
            text,
            "crm:\n  http: [\"POST https://crm.civil.example/v1/*\", \"GET https://a.example/\"]\n  \
             kv: true\n  data: [phone]\n  limits: { time: 800ms }\n"
        );
        let wants: Grants = serde_json::from_value(json!({ "kv": { "bytes": "2MiB" } })).unwrap();
        assert_eq!(lines(&wants), ["kv: { bytes: 2MiB }"]);
        assert_eq!(entry("crm", &Grants::default()), "crm: {}\n");
    }
}
