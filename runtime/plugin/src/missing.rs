//! What a plugin wants and is not granted, and the lines of grants.yaml that mend it, all at once.
//!
//! A component with a manifest wants what that says; one without wants what it imports, of which
//! only the kind is known.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use trunkline_model::PluginName;

use crate::{
    Capability, Grants, Wants,
    grants::{KvGrant, Limits, SettingError},
};

/// What is missing of one plugin's grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    plugin: PluginName,
    /// What it wants that it does not have, in words.
    wanted: Vec<String>,
    capabilities: Vec<Capability>,
    /// Whole lines of the plugin's entry: what is granted already stands in them, too.
    lines: Vec<String>,
}

impl Missing {
    /// The capabilities that have no grant at all.
    pub fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    /// The lines of the plugin's entry in grants.yaml, with what is granted already.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// What a component without a manifest imports and is not granted.
    pub(crate) fn of_imports(plugin: &PluginName, wants: &Wants, grants: &Grants) -> Option<Self> {
        let capabilities: Vec<Capability> = wants
            .capabilities()
            .into_iter()
            .filter(|capability| !has(grants, *capability))
            .collect();
        let wanted = capabilities
            .iter()
            .map(|capability| {
                let import = wants.import(*capability).unwrap_or_default();
                format!("{capability} (it imports `{import}`)")
            })
            .collect();
        let lines = capabilities
            .iter()
            .map(|capability| capability.grant_line().to_owned())
            .collect();
        (!capabilities.is_empty()).then(|| Self {
            plugin: plugin.clone(),
            wanted,
            capabilities,
            lines,
        })
    }

    /// What a manifest wants and is not granted.
    pub(crate) fn of_manifest(plugin: &PluginName, wants: &Grants, grants: &Grants) -> Option<Self> {
        let mut missing = Self {
            plugin: plugin.clone(),
            wanted: Vec::new(),
            capabilities: Vec::new(),
            lines: Vec::new(),
        };
        missing.http(wants, grants);
        missing.networks(wants, grants);
        if let Some(kv) = wants.kv.filter(|_| grants.kv.is_none()) {
            missing.wants(Capability::KeyValues.to_string(), kv_line(kv));
            missing.capabilities.push(Capability::KeyValues);
        }
        missing.secrets(wants, grants);
        missing.data(wants, grants);
        missing.limits(&wants.limits, &grants.limits);
        (!missing.lines.is_empty()).then_some(missing)
    }

    fn wants(&mut self, wanted: String, line: String) {
        self.wanted.push(wanted);
        self.lines.push(line);
    }

    fn http(&mut self, wants: &Grants, grants: &Grants) {
        let uncovered: Vec<_> = wants
            .http
            .iter()
            .filter(|want| !grants.http.iter().any(|grant| grant.covers(want)))
            .collect();
        if uncovered.is_empty() {
            return;
        }
        if grants.http.is_empty() {
            self.capabilities.push(Capability::Http);
        }
        let requests: Vec<String> = uncovered.iter().map(|want| format!("`{want}`")).collect();
        let all: Vec<String> = grants
            .http
            .iter()
            .chain(uncovered)
            .map(|grant| format!("\"{grant}\""))
            .collect();
        self.wants(
            format!("requests ({})", requests.join(", ")),
            format!("http: [{}]", all.join(", ")),
        );
    }

    fn networks(&mut self, wants: &Grants, grants: &Grants) {
        let uncovered: Vec<_> = wants
            .networks
            .iter()
            .filter(|want| !grants.networks.iter().any(|grant| grant.covers(want)))
            .collect();
        if uncovered.is_empty() {
            return;
        }
        let all: Vec<String> = grants
            .networks
            .iter()
            .chain(uncovered)
            .map(|network| format!("\"{network}\""))
            .collect();
        self.wants(
            "private networks".to_owned(),
            format!("networks: [{}]", all.join(", ")),
        );
    }

    fn secrets(&mut self, wants: &Grants, grants: &Grants) {
        let ungranted: Vec<_> = wants
            .secrets
            .iter()
            .filter(|(name, place)| grants.secrets.get(*name) != Some(place))
            .collect();
        if ungranted.is_empty() {
            return;
        }
        if grants.secrets.is_empty() {
            self.capabilities.push(Capability::Secrets);
        }
        let names: Vec<String> = ungranted.iter().map(|(name, _)| format!("`{name}`")).collect();
        let all: BTreeMap<_, _> = grants.secrets.iter().chain(ungranted).collect();
        let all: Vec<String> = all
            .iter()
            .map(|(name, place)| format!("{name}: \"{place}\""))
            .collect();
        self.wants(
            format!("secrets ({})", names.join(", ")),
            format!("secrets: {{ {} }}", all.join(", ")),
        );
    }

    fn data(&mut self, wants: &Grants, grants: &Grants) {
        let granted: BTreeSet<&String> = grants.data.iter().collect();
        let ungranted: Vec<&String> = wants
            .data
            .iter()
            .filter(|label| !granted.contains(label))
            .collect();
        if ungranted.is_empty() {
            return;
        }
        let labels: Vec<String> = ungranted.iter().map(|label| format!("`{label}`")).collect();
        let all: Vec<&str> = grants.data.iter().chain(ungranted).map(String::as_str).collect();
        self.wants(
            format!("data labelled {}", labels.join(", ")),
            format!("data: [{}]", all.join(", ")),
        );
    }

    /// Limits that the manifest sets above what is granted. One that it does not set is its
    /// operator's alone.
    fn limits(&mut self, wants: &Limits, grants: &Limits) {
        let usual = Limits::default();
        let mut short = Vec::new();
        let mut compare = |name: &str, [want, usual, grant]: [u64; 3], written: String| {
            if want != usual && want > grant {
                short.push(format!("{name}: {written}"));
            }
        };
        let three = |of: fn(&Limits) -> u64| [of(wants), of(&usual), of(grants)];
        compare(
            "time",
            three(|limits| limits.time.as_millis()),
            wants.time.to_string(),
        );
        compare(
            "memory",
            three(|limits| limits.memory.0),
            wants.memory.to_string(),
        );
        compare(
            "concurrent",
            three(|limits| limits.concurrent.into()),
            wants.concurrent.to_string(),
        );
        compare(
            "argument-bytes",
            three(|limits| limits.argument_bytes.0),
            wants.argument_bytes.to_string(),
        );
        compare(
            "reply-bytes",
            three(|limits| limits.reply_bytes.0),
            wants.reply_bytes.to_string(),
        );
        compare(
            "log-lines-per-s",
            three(|limits| limits.log_lines_per_s.into()),
            wants.log_lines_per_s.to_string(),
        );
        for (name, count) in [
            ("waiting", (|limits| limits.waiting.into()) as fn(&Limits) -> u64),
            ("kv-operations-per-s", |limits| limits.kv_operations_per_s.into()),
            ("http-requests", |limits| limits.http_requests.into()),
            ("http-connections", |limits| limits.http_connections.into()),
        ] {
            compare(name, three(count), count(wants).to_string());
        }
        compare(
            "http-request-bytes",
            three(|limits| limits.http_request_bytes.0),
            wants.http_request_bytes.to_string(),
        );
        compare(
            "http-response-bytes",
            three(|limits| limits.http_response_bytes.0),
            wants.http_response_bytes.to_string(),
        );
        if !short.is_empty() {
            self.wants(
                format!("more than its limits ({})", short.join(", ")),
                format!("limits: {{ {} }}", short.join(", ")),
            );
        }
    }
}

/// The plugin's wants in words, and its entry in grants.yaml.
impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plugin = &self.plugin;
        write!(
            f,
            "plugin `{plugin}` wants {} and has no grant for it: add to grants.yaml\n\n{plugin}:\n",
            self.wanted.join(", ")
        )?;
        for line in &self.lines {
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }
}

/// Whether a capability is granted at all.
fn has(grants: &Grants, capability: Capability) -> bool {
    match capability {
        Capability::Call | Capability::Log | Capability::Config => true,
        Capability::KeyValues => grants.kv.is_some(),
        Capability::Http => !grants.http.is_empty(),
        Capability::Secrets => !grants.secrets.is_empty(),
    }
}

/// The first import that a manifest does not want, with its capability.
pub(crate) fn unwanted<'w>(imports: &'w Wants, manifest: &Grants) -> Option<(Capability, &'w str)> {
    let capabilities = imports.capabilities().into_iter();
    capabilities
        .filter(|capability| !has(manifest, *capability))
        .find_map(|capability| Some((capability, imports.import(capability)?)))
}

/// A manifest's wants with the settings of hotline.yaml in the place of their names.
pub(crate) fn settled(wants: &Grants, settings: &BTreeMap<String, String>) -> Result<Grants, SettingError> {
    let http = wants.http.iter().map(|want| want.with_settings(settings));
    let secrets = wants
        .secrets
        .iter()
        .map(|(name, place)| Ok((name.clone(), place.with_settings(settings)?)));
    Ok(Grants {
        http: http.collect::<Result<_, _>>()?,
        secrets: secrets.collect::<Result<_, _>>()?,
        ..wants.clone()
    })
}

fn kv_line(kv: KvGrant) -> String {
    if kv == KvGrant::default() {
        return "kv: true".to_owned();
    }
    format!(
        "kv: {{ bytes: {}, keys: {}, value-bytes: {} }}",
        kv.bytes, kv.keys, kv.value_bytes
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn missing(wants: Json, grants: Json) -> Option<Missing> {
        let read = |json| serde_json::from_value::<Grants>(json).unwrap();
        Missing::of_manifest(&"crm".into(), &read(wants), &read(grants))
    }

    #[test]
    fn everything_is_told_at_once_as_an_entry_to_paste() {
        let wants = json!({
            "http": ["POST https://crm.civil.example/v1/*"],
            "networks": ["10.1.0.0/16"],
            "kv": true,
            "secrets": { "crm-token": "https://crm.civil.example" },
            "data": ["phone"],
            "limits": { "memory": "64MiB", "time": "800ms" },
        });
        let missing = missing(wants.clone(), json!({})).unwrap();
        let said = missing.to_string();
        let entry = said.split_once("\n\n").unwrap().1;
        assert_eq!(
            entry,
            "crm:\n  http: [\"POST https://crm.civil.example/v1/*\"]\n  networks: [\"10.1.0.0/16\"]\n  \
             kv: true\n  secrets: { crm-token: \"https://crm.civil.example\" }\n  data: [phone]\n  \
             limits: { memory: 64MiB }\n"
        );
        assert_eq!(
            missing.capabilities(),
            [Capability::Http, Capability::KeyValues, Capability::Secrets]
        );
        assert_eq!(self::missing(wants.clone(), wants), None);
    }

    #[test]
    fn lines_hold_what_is_granted_already() {
        let said = missing(
            json!({
                "http": ["POST https://a.example/v1/*", "GET https://a.example/v1/x"],
                "secrets": { "a": "https://a.example" },
                "data": ["phone"],
            }),
            json!({
                "http": ["GET https://a.example/*"],
                "secrets": { "a": "https://other.example", "b": "https://b.example" },
                "data": ["name"],
            }),
        )
        .unwrap()
        .to_string();
        for line in [
            "  http: [\"GET https://a.example/*\", \"POST https://a.example/v1/*\"]\n",
            "  secrets: { a: \"https://a.example\", b: \"https://b.example\" }\n",
            "  data: [name, phone]\n",
        ] {
            assert!(said.contains(line), "{said}");
        }
    }

    #[test]
    fn what_is_covered_is_not_missing() {
        let wants = json!({
            "http": ["POST https://a.example/v1/find"],
            "networks": ["10.1.0.0/16"],
            "kv": { "bytes": "8MiB" },
            "limits": { "memory": "16MiB" },
        });
        let grants = json!({
            "http": ["* https://a.example/*"],
            "networks": ["10.0.0.0/8"],
            "kv": true,
            // Less than the usual, which the manifest does not ask to exceed.
            "limits": { "time": "1s", "memory": "16MiB" },
        });
        assert_eq!(missing(wants, grants), None);
    }

    #[test]
    fn settings_stand_in_wants() {
        let wants: Grants = serde_json::from_value(json!({
            "http": ["GET ${url}"],
            "secrets": { "t": "${url}" },
        }))
        .unwrap();
        let settings = BTreeMap::from([("url".to_owned(), "http://127.0.0.1:7002/v1/notices".to_owned())]);
        let settled = settled(&wants, &settings).unwrap();
        assert_eq!(
            settled.http[0].to_string(),
            "GET http://127.0.0.1:7002/v1/notices"
        );
        assert_eq!(
            settled.secrets.values().next().unwrap().to_string(),
            "http://127.0.0.1:7002"
        );
        assert!(super::settled(&wants, &BTreeMap::new()).is_err());
    }
}
