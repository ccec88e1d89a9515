//! What a contact's journal says.

use serde_json::Value;

/// A contact's events, with what is personal.
#[derive(Debug)]
pub(crate) struct Journal(pub(crate) Vec<Value>);

impl Journal {
    /// The facts of a kind.
    pub(crate) fn facts(&self, kind: &str) -> Vec<&Value> {
        self.0
            .iter()
            .map(|event| &event["fact"][kind])
            .filter(|fact| !fact.is_null())
            .collect()
    }

    /// The number that was called.
    pub(crate) fn number(&self) -> String {
        self.facts("arrived")
            .first()
            .and_then(|arrived| arrived["number"].as_str())
            .unwrap_or_default()
            .to_owned()
    }

    /// The release that the contact is on.
    pub(crate) fn release(&self) -> String {
        let arrived = self.facts("arrived");
        let release = arrived.first().and_then(|arrived| arrived["release"].as_str());
        release.unwrap_or_default().to_owned()
    }

    /// The keys that were heard, in their order.
    pub(crate) fn keys(&self) -> String {
        self.0
            .iter()
            .filter(|event| !event["fact"]["heard"].is_null())
            .filter_map(|event| find(&event["personal"], "keys"))
            .collect()
    }

    /// Who called, as far as the trunk vouches for it.
    pub(crate) fn caller(&self) -> Option<String> {
        let arrived = self.0.iter().find(|event| !event["fact"]["arrived"].is_null())?;
        find(&arrived["personal"], "caller")
    }

    /// Each step that was finished, with the way out.
    pub(crate) fn exits(&self) -> Vec<(String, String)> {
        let exits = self.facts("step-finished").into_iter();
        exits
            .filter_map(|finished| {
                let exit = finished["exit"].as_str()?.to_owned();
                Some((finished["step"].as_str()?.to_owned(), exit))
            })
            .collect()
    }

    /// How a step came out, the last time.
    pub(crate) fn exit(&self, step: &str) -> Option<String> {
        let exits = self.exits().into_iter().rev();
        exits
            .filter(|(finished, _)| finished == step)
            .map(|(_, exit)| exit)
            .next()
    }

    /// How it ended, if it has.
    pub(crate) fn outcome(&self) -> Option<String> {
        let ended = self.facts("ended");
        Some(ended.first()?["outcome"].as_str()?.to_owned())
    }

    /// How many prompts were heard to their end.
    pub(crate) fn played(&self) -> usize {
        self.facts("played").len()
    }
}

/// A text under a name, however deep.
fn find(value: &Value, name: &str) -> Option<String> {
    match value {
        Value::Object(fields) => fields
            .get(name)
            .and_then(Value::as_str)
            .map(ToOwned::to_owned)
            .or_else(|| fields.values().find_map(|field| find(field, name))),
        _ => None,
    }
}
