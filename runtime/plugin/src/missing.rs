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
    Bytes, Capability, Grants, Wants,
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
    /// Secrets that are granted for another place than the one they are wanted for, in sentences:
    /// where a secret may go is decided anew and not pasted.
    elsewhere: Vec<String>,
}

/// One limit of a plugin.
struct Limit {
    /// Its name in grants.yaml.
    name: &'static str,
    amount: fn(&Limits) -> u64,
    /// The amount as it is written in grants.yaml.
    written: fn(&Limits) -> String,
}

/// All limits, in the order in which they are written.
const LIMITS: [Limit; 13] = [
    limit(
        "time",
        |limits| limits.time.as_millis(),
        |limits| limits.time.to_string(),
    ),
    limit(
        "memory",
        |limits| limits.memory.0,
        |limits| limits.memory.to_string(),
    ),
    limit(
        "concurrent",
        |limits| limits.concurrent.into(),
        |limits| limits.concurrent.to_string(),
    ),
    limit(
        "waiting",
        |limits| limits.waiting.into(),
        |limits| limits.waiting.to_string(),
    ),
    limit(
        "reserve",
        |limits| limits.reserve.into(),
        |limits| limits.reserve.to_string(),
    ),
    limit(
        "argument-bytes",
        |limits| limits.argument_bytes.0,
        |limits| limits.argument_bytes.to_string(),
    ),
    limit(
        "reply-bytes",
        |limits| limits.reply_bytes.0,
        |limits| limits.reply_bytes.to_string(),
    ),
    limit(
        "log-lines-per-s",
        |limits| limits.log_lines_per_s.into(),
        |limits| limits.log_lines_per_s.to_string(),
    ),
    limit(
        "kv-operations-per-s",
        |limits| limits.kv_operations_per_s.into(),
        |limits| limits.kv_operations_per_s.to_string(),
    ),
    limit(
        "http-requests",
        |limits| limits.http_requests.into(),
        |limits| limits.http_requests.to_string(),
    ),
    limit(
        "http-connections",
        |limits| limits.http_connections.into(),
        |limits| limits.http_connections.to_string(),
    ),
    limit(
        "http-request-bytes",
        |limits| limits.http_request_bytes.0,
        |limits| limits.http_request_bytes.to_string(),
    ),
    limit(
        "http-response-bytes",
        |limits| limits.http_response_bytes.0,
        |limits| limits.http_response_bytes.to_string(),
    ),
];

const fn limit(name: &'static str, amount: fn(&Limits) -> u64, written: fn(&Limits) -> String) -> Limit {
    Limit {
        name,
        amount,
        written,
    }
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
            elsewhere: Vec::new(),
        })
    }

    /// What a manifest wants and is not granted.
    pub(crate) fn of_manifest(plugin: &PluginName, wants: &Grants, grants: &Grants) -> Option<Self> {
        let mut missing = Self {
            plugin: plugin.clone(),
            wanted: Vec::new(),
            capabilities: Vec::new(),
            lines: Vec::new(),
            elsewhere: Vec::new(),
        };
        missing.http(wants, grants);
        missing.networks(wants, grants);
        missing.key_values(wants, grants);
        missing.secrets(wants, grants);
        missing.data(wants, grants);
        missing.limits(&wants.limits, &grants.limits);
        (!missing.lines.is_empty() || !missing.elsewhere.is_empty()).then_some(missing)
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
            .filter(|want| !grants.networks.iter().any(|grant| grant.covers(**want)))
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

    /// What a manifest sets above what is granted. A size that it does not set is its operator's
    /// alone.
    fn key_values(&mut self, wants: &Grants, grants: &Grants) {
        let Some(want) = wants.kv else { return };
        let Some(grant) = grants.kv else {
            self.wants(Capability::KeyValues.to_string(), kv_line(want));
            self.capabilities.push(Capability::KeyValues);
            return;
        };
        let usual = KvGrant::default();
        let bytes = |of: fn(&KvGrant) -> Bytes| {
            let [want, usual, grant] = [&want, &usual, &grant].map(of);
            if want != usual && want.0 > grant.0 {
                want
            } else {
                grant
            }
        };
        let raised = KvGrant {
            bytes: bytes(|kv| kv.bytes),
            keys: if want.keys == usual.keys {
                grant.keys
            } else {
                grant.keys.max(want.keys)
            },
            value_bytes: bytes(|kv| kv.value_bytes),
        };
        if raised != grant {
            self.wants("more in its key-value store".to_owned(), kv_line(raised));
        }
    }

    fn secrets(&mut self, wants: &Grants, grants: &Grants) {
        let mut ungranted = Vec::new();
        for (name, place) in &wants.secrets {
            match grants.secrets.get(name) {
                None => ungranted.push((name, place)),
                Some(granted) if granted == place => {}
                Some(granted) => self.elsewhere.push(format!(
                    "plugin `{}` wants the secret `{name}` for {place}, and it is granted for {granted}: if it may go to the \
                     other place, name that in grants.yaml",
                    self.plugin
                )),
            }
        }
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
        let (mut short, mut all) = (Vec::new(), Vec::new());
        for Limit {
            name,
            amount,
            written,
        } in LIMITS
        {
            let [want, usual, grant] = [wants, &usual, grants].map(amount);
            if want != usual && want > grant {
                short.push(format!("{name}: {}", written(wants)));
                all.push(format!("{name}: {}", written(wants)));
            } else if grant != usual {
                all.push(format!("{name}: {}", written(grants)));
            }
        }
        if !short.is_empty() {
            self.wants(
                format!("more than its limits ({})", short.join(", ")),
                format!("limits: {{ {} }}", all.join(", ")),
            );
        }
    }
}

/// The plugin's wants in words, and its entry in grants.yaml.
impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plugin = &self.plugin;
        f.write_str(&self.elsewhere.join("\n"))?;
        if self.lines.is_empty() {
            return Ok(());
        }
        if !self.elsewhere.is_empty() {
            f.write_str("\n")?;
        }
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
                "kv": { "bytes": "8MiB" },
                "secrets": { "a": "https://a.example" },
                "data": ["phone"],
                "limits": { "memory": "64MiB" },
            }),
            json!({
                "http": ["GET https://a.example/*"],
                "kv": { "keys": 5 },
                "secrets": { "b": "https://b.example" },
                "data": ["name"],
                // Tighter than the usual, and to stay so.
                "limits": { "time": "1s", "concurrent": 4 },
            }),
        )
        .unwrap()
        .to_string();
        for line in [
            "  http: [\"GET https://a.example/*\", \"POST https://a.example/v1/*\"]\n",
            "  secrets: { a: \"https://a.example\", b: \"https://b.example\" }\n",
            "  limits: { time: 1s, memory: 64MiB, concurrent: 4 }\n",
            "  kv: { bytes: 8MiB, keys: 5, value-bytes: 64KiB }\n",
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
            // Of what it does not set it may have less than the usual.
            "kv": { "bytes": "8MiB", "keys": 5 },
            // Less than the usual, which the manifest does not ask to exceed.
            "limits": { "time": "1s", "memory": "16MiB" },
        });
        assert_eq!(missing(wants, grants), None);
    }

    #[test]
    fn a_secret_that_may_go_elsewhere_is_not_bound_anew() {
        let said = |granted: Json| {
            let wants = json!({
                "http": ["GET https://a.example/"],
                "secrets": { "a": "https://a.example", "c": "https://a.example" },
            });
            let granted = json!({ "http": ["GET https://a.example/"], "secrets": granted });
            missing(wants, granted)
                .map(|missing| missing.to_string())
                .unwrap()
        };
        let elsewhere = "plugin `crm` wants the secret `a` for https://a.example, and it is granted for \
                         https://other.example: if it may go to the other place, name that in grants.yaml";
        assert_eq!(
            said(json!({ "a": "https://other.example", "c": "https://a.example" })),
            elsewhere
        );
        assert_eq!(
            said(json!({ "a": "https://other.example" })),
            format!(
                "{elsewhere}\nplugin `crm` wants secrets (`c`) and has no grant for it: add to grants.yaml\n\ncrm:\n  \
                 secrets: {{ a: \"https://other.example\", c: \"https://a.example\" }}\n"
            )
        );
    }

    #[test]
    fn every_limit_is_compared() {
        let written = serde_json::to_value(Limits::default()).unwrap();
        for (name, value) in written.as_object().unwrap() {
            let more = match value {
                Json::Number(_) => json!(1_000_000),
                _ if name == "time" => json!("10m"),
                _ => json!("1GiB"),
            };
            let missing = missing(json!({ "limits": { name.as_str(): more } }), json!({})).unwrap();
            assert_eq!(missing.lines().len(), 1, "{name}");
            assert!(
                missing.lines()[0].starts_with(&format!("limits: {{ {name}: ")),
                "{missing}"
            );
        }
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
