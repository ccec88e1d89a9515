//! Whether what came is what was wanted: `*` at a text's end stands for any rest, texts that mask
//! personal data for anything, and of objects only the fields that are written count. As
//! `trunkline plugin test` takes the same recording.

use serde_json::Value;

pub(super) fn text(wanted: &str, text: &str, masked: &[String]) -> bool {
    let (wanted, open) = match wanted.strip_suffix('*') {
        Some(wanted) => (wanted, true),
        None => (wanted, false),
    };
    let parts = around(wanted, masked);
    let [first, rest @ ..] = &parts[..] else {
        return open || text.is_empty();
    };
    let Some(mut left) = text.strip_prefix(first) else {
        return false;
    };
    for (index, part) in rest.iter().enumerate() {
        let found = if index + 1 == rest.len() && !open {
            left.ends_with(part).then(|| left.len() - part.len())
        } else {
            left.find(part)
        };
        let Some(at) = found else { return false };
        left = &left[at + part.len()..];
    }
    open || left.is_empty()
}

pub(super) fn json(wanted: &Value, value: &Value, masked: &[String]) -> bool {
    match (wanted, value) {
        (Value::Object(wanted), Value::Object(value)) => wanted
            .iter()
            .all(|(name, wanted)| value.get(name).is_some_and(|value| json(wanted, value, masked))),
        (Value::Array(wanted), Value::Array(value)) => {
            wanted.len() == value.len()
                && wanted
                    .iter()
                    .zip(value)
                    .all(|(wanted, value)| json(wanted, value, masked))
        }
        (Value::String(wanted), Value::String(value)) => whole(wanted, value, masked),
        // A placeholder of a number, which JSON may have held as one.
        (Value::Number(wanted), Value::Number(_)) if masked.contains(&wanted.to_string()) => true,
        _ => wanted == value,
    }
}

/// Like [`text`] without the `*`: a text in a body may end in one.
fn whole(wanted: &str, value: &str, masked: &[String]) -> bool {
    wanted == value || (!masked.is_empty() && !wanted.ends_with('*') && text(wanted, value, masked))
}

/// The parts of a text between what is masked.
fn around<'t>(text: &'t str, masked: &[String]) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let mut rest = text;
    let next = |rest: &str| {
        masked
            .iter()
            .filter_map(|mask| Some((rest.find(mask.as_str())?, mask.len())))
            // The longest, where one begins as another does.
            .min_by_key(|(at, length)| (*at, usize::MAX - *length))
    };
    while let Some((at, length)) = next(rest) {
        parts.push(&rest[..at]);
        rest = &rest[at + length..];
    }
    parts.push(rest);
    parts
}
