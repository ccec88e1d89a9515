//! hotline.yaml and grants.yaml.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use trunkline_model::PluginName;

use super::{
    Grant, Signers, centre, feeds,
    fields::{Fields, Reader, Style},
    packs, phone,
};
use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    hotline::{Merge, Success},
    limits::{PRESSES_BEFORE_MAX, SUCCESS_LEAST_MAX, SUCCESS_WINDOW_MAX},
    source::{Span, Spanned, Word},
    syntax::{HotlineSyntax, NumberSyntax, PluginSyntax},
    yaml::{Kind, Node},
};

/// How an old number was merged into this one.
const MERGES: [(&str, Merge); 3] = [
    ("whole", Merge::Whole),
    ("dual-number", Merge::DualNumber),
    ("sub-centre", Merge::SubCentre),
];

pub(super) fn hotline(reader: &Reader<'_>, root: &Node, start: Span) -> HotlineSyntax {
    let mut fields = reader.fields(root, "a hotline", start);
    let name = fields.need_word(reader, "hotline", "city-hotline");
    if let Some(name) = &name {
        reader.name(name, "a hotline", Style::Kebab);
    }
    let _title = fields.word(reader, "title");
    let languages = fields
        .need(reader, "languages", "[zh-CN, en]")
        .map(|node| reader.plain_list(node, "`languages`"))
        .unwrap_or_default();
    let dialects = fields
        .take("dialects")
        .map(|node| reader.words(node, "`dialects`"))
        .unwrap_or_default();
    let time_zone = fields.need_word(reader, "time-zone", "Asia/Shanghai");
    let numbers = fields
        .need(reader, "numbers", "{ \"12345\": { flow: main } }")
        .map(|node| numbers(reader, node))
        .unwrap_or_default();
    let plugins = fields
        .take("plugins")
        .map(|node| plugins(reader, node))
        .unwrap_or_default();
    let queues = fields
        .take("queues")
        .map(|node| centre::queues(reader, node))
        .unwrap_or_default();
    let calling_window = fields.word(reader, "calling-window");
    let trunks = fields
        .take("trunks")
        .map(|node| phone::trunks(reader, node))
        .unwrap_or_default();
    let voices = fields
        .take("voices")
        .map(|node| phone::voices(reader, node))
        .unwrap_or_default();
    let ears = fields.take("ears").map(|node| {
        let place = fields.entry("ears").map_or(start, |entry| entry.key.span);
        phone::ears(reader, node, place)
    });
    let carriers = fields
        .take("carriers")
        .map(|node| phone::carriers(reader, node))
        .unwrap_or_default();
    let feeds = fields
        .take("feeds")
        .map(|node| feeds::feeds(reader, node))
        .unwrap_or_default();
    let webhooks = fields
        .take("webhooks")
        .map(|node| feeds::webhooks(reader, node))
        .unwrap_or_default();
    let success = fields
        .take("success")
        .map(|node| success(reader, node, start))
        .unwrap_or_default();
    let checks = fields
        .take("checks")
        .map(|node| packs::packs(reader, node))
        .unwrap_or_default();
    fields.belongs(reader, "agents", "a file of its own, agents.yaml");
    fields.finish(reader);
    HotlineSyntax {
        name,
        languages,
        dialects,
        time_zone,
        numbers,
        plugins,
        queues,
        calling_window,
        trunks,
        voices,
        ears,
        carriers,
        feeds,
        webhooks,
        success,
        checks,
    }
}

fn numbers(reader: &Reader<'_>, node: &Node) -> Vec<NumberSyntax> {
    let mut numbers = Vec::new();
    for entry in reader.entries(node, "`numbers`") {
        let mut fields = reader.fields(&entry.value, "a number", entry.key.span);
        let flow = fields.need_word(reader, "flow", "main");
        let language = fields.word(reader, "language");
        let department = fields.word(reader, "department");
        let _title = fields.word(reader, "title");
        let merge = fields.word(reader, "merge").and_then(|word| merge(reader, &word));
        let before = before(reader, &mut fields);
        let trunks = fields
            .take("trunks")
            .map(|node| reader.plain_list(node, "`trunks`"));
        let early = fields.bool(reader, "early");
        if let Some(entry) = fields.entry("before").filter(|_| fields.entry("merge").is_none()) {
            reader.report(
                Finding::new(
                    Code::MissingField,
                    entry.key.span,
                    "`before` counts presses from before a merger, and this number was not merged",
                )
                .help("say how it was: `merge: dual-number`; or leave `before` out"),
            );
        }
        fields.finish(reader);
        numbers.push(NumberSyntax {
            number: entry.key.clone(),
            flow,
            language,
            department,
            merge,
            before,
            trunks,
            early,
        });
    }
    numbers
}

fn merge(reader: &Reader<'_>, word: &Word) -> Option<Merge> {
    let found = MERGES.iter().find(|(name, _)| *name == word.as_str());
    if found.is_none() {
        let names = MERGES.iter().map(|(name, _)| *name);
        reader.report(
            Finding::new(
                Code::WrongValue,
                word.span,
                format!("`{}` is no way of merging numbers", word.as_str()),
            )
            .help_if(did_you_mean("there are", word.as_str(), names)),
        );
    }
    found.map(|(_, merge)| *merge)
}

/// `before: { SERVICE: presses }`
fn before(reader: &Reader<'_>, fields: &mut Fields<'_>) -> Vec<(Word, u32)> {
    let written = fields
        .take("before")
        .map(|node| reader.words(node, "`before`"))
        .unwrap_or_default();
    written
        .into_iter()
        .filter_map(|(service, presses)| {
            let what = format!("the presses to `{}`", service.as_str());
            let presses = reader.count(&presses, &what, 0..=PRESSES_BEFORE_MAX)?;
            Some((service, presses))
        })
        .collect()
}

fn plugins(reader: &Reader<'_>, node: &Node) -> Vec<PluginSyntax> {
    let mut plugins = Vec::new();
    for entry in reader.entries(node, "`plugins`") {
        reader.name(&entry.key, "a plugin", Style::Kebab);
        if entry.key.as_str() == DEPARTMENTS {
            reader.report(
                Finding::new(
                    Code::BadName,
                    entry.key.span,
                    format!("a plugin cannot be called `{DEPARTMENTS}`: grants.yaml has an entry of that name for all plugins"),
                )
                .help("call it otherwise, here and in the flows that call it"),
            );
        }
        let mut fields = reader.fields(&entry.value, "a plugin", entry.key.span);
        let component = fields
            .need_word(reader, "component", "plugins/crm_lookup.wasm")
            .filter(|component| is_component_path(reader, component));
        let department = fields.need_word(reader, "department", "civil-affairs");
        let config = fields
            .take("config")
            .map(|node| reader.words(node, "`config`"))
            .unwrap_or_default();
        let labels = fields
            .take("labels")
            .map(|node| reader.words(node, "`labels`"))
            .unwrap_or_default();
        for (_, label) in &labels {
            reader.name(label, "a kind of personal data", Style::Kebab);
        }
        let success = fields
            .word(reader, "success")
            .and_then(|word| reader.read(&word, "the rate of success"));
        fields.finish(reader);
        plugins.push(PluginSyntax {
            name: entry.key.clone(),
            component,
            department,
            config,
            labels,
            success,
        });
    }
    plugins
}

/// `success: { rate: 99.9%, window: 15m, least: 100 }`
fn success(reader: &Reader<'_>, node: &Node, start: Span) -> Success {
    let mut fields = reader.fields(node, "`success`", start);
    let usual = Success::default();
    let rate = fields
        .word(reader, "rate")
        .and_then(|word| reader.read(&word, "the rate of success"));
    let window = fields
        .take("window")
        .and_then(|node| reader.duration(node, "`window`", SUCCESS_WINDOW_MAX));
    let least = fields.count_within(reader, "least", usual.least, 1..=SUCCESS_LEAST_MAX);
    fields.finish(reader);
    Success {
        rate: rate.unwrap_or(usual.rate),
        window: window.unwrap_or(usual.window),
        least,
    }
}

/// How references to registries begin.
const REGISTRY: &str = "oci://";

fn is_component_path(reader: &Reader<'_>, component: &Word) -> bool {
    let path = component.as_str();
    let finding = |message: String| Finding::new(Code::BadComponentPath, component.span, message);
    let problem = if let Some(rest) = path.strip_prefix(REGISTRY) {
        let named = rest.split_once('/').filter(|(host, _)| !host.is_empty());
        let versioned = named.is_some_and(|(_, rest)| rest.contains(['@', ':']));
        (!versioned).then(|| {
            finding(format!("`{path}` does not say which package: it lacks a repository or a version"))
                .help("write the registry, the repository and the version: `component: oci://registry.example/civil/crm@1.4.2`")
        })
    } else if path.contains("://") {
        Some(
            finding(format!("packages are fetched from registries of OCI only: `{path}`"))
                .help("write `component: oci://registry.example/civil/crm@1.4.2`, or copy the component into the hotline's folder: `component: plugins/crm_lookup.wasm`"),
        )
    } else if path.starts_with(['/', '~']) || path.contains([':', '\\']) {
        Some(
            finding(format!("`{path}` is not relative to the hotline's folder"))
                .help("copy the component into the folder: `component: plugins/crm_lookup.wasm`"),
        )
    } else if path.split('/').any(|part| part == "..") {
        Some(
            finding(format!("`{path}` leaves the hotline's folder"))
                .help("copy the component into the folder: a release holds all that it needs"),
        )
    } else {
        None
    };
    let fits = problem.is_none();
    if let Some(problem) = problem {
        reader.report(problem);
    }
    fits
}

/// Limits that the plugin host knows.
const LIMITS: [&str; 13] = [
    "time",
    "memory",
    "concurrent",
    "waiting",
    "reserve",
    "argument-bytes",
    "reply-bytes",
    "log-lines-per-s",
    "kv-operations-per-s",
    "http-request-bytes",
    "http-response-bytes",
    "http-requests",
    "http-connections",
];

/// The entry of grants.yaml that is of no plugin.
const DEPARTMENTS: &str = "departments";

/// The part of a plugin's entry that says whose it is.
const DEPARTMENT: &str = "department";

/// `departments: { DEPARTMENT: { signed-by: KEY } }`
pub(super) fn signers(reader: &Reader<'_>, root: &Node) -> Vec<Signers> {
    let mut signers = Vec::new();
    // What is wrong with the file as a whole, `grants` has said.
    let Kind::Mapping(entries) = &root.kind else {
        return signers;
    };
    let Some(departments) = entries.iter().find(|entry| entry.key.as_str() == DEPARTMENTS) else {
        return signers;
    };
    for entry in reader.entries(&departments.value, "`departments`") {
        let mut fields = reader.fields(&entry.value, "a department", entry.key.span);
        let keys = fields.need(reader, "signed-by", "keys/civil-affairs.pub");
        let keys = match keys {
            Some(node) if matches!(node.kind, Kind::Sequence(_)) => reader.plain_list(node, "`signed-by`"),
            Some(node) => reader.word(node, "`signed-by`").into_iter().collect(),
            None => Vec::new(),
        };
        fields.finish(reader);
        for key in &keys {
            is_in_folder(reader, key);
        }
        signers.push(Signers {
            department: entry.key.clone(),
            keys,
        });
    }
    signers
}

fn is_in_folder(reader: &Reader<'_>, path: &Word) {
    let written = path.as_str();
    if written.starts_with(['/', '~'])
        || written.contains([':', '\\'])
        || written.split('/').any(|part| part == "..")
    {
        reader.report(
            Finding::new(
                Code::BadGrant,
                path.span,
                format!("`{written}` is no path in the hotline's folder"),
            )
            .help("copy the public key into the folder: `signed-by: keys/civil-affairs.pub`"),
        );
    }
}

pub(super) fn grants(reader: &Reader<'_>, root: &Node) -> Vec<Grant> {
    let mut grants = Vec::new();
    let entries = reader.entries(root, "grants.yaml");
    for entry in entries.iter().filter(|entry| entry.key.as_str() != DEPARTMENTS) {
        let mut fields = reader.fields(&entry.value, "a grant", entry.key.span);
        let department = fields.word(reader, DEPARTMENT);
        let http = fields.take("http").map(|node| reader.list(node, "`http`"));
        for node in http.into_iter().flatten() {
            reader.word(node, "a part of `http`");
        }
        fields.take("networks");
        fields.take("kv");
        if let Some(secrets) = fields.take("secrets") {
            for secret in reader.entries(secrets, "`secrets`") {
                reader.name(&secret.key, "a secret", Style::Kebab);
                reader.word(&secret.value, "the address that a secret is bound to");
            }
        }
        let data = fields
            .take("data")
            .map(|node| reader.plain_list(node, "`data`"))
            .unwrap_or_default();
        for label in &data {
            reader.name(label, "a kind of personal data", Style::Kebab);
        }
        if let Some(limits) = fields.take("limits") {
            let mut limits = reader.fields(limits, "`limits`", entry.key.span);
            for limit in LIMITS {
                limits.word(reader, limit);
            }
            limits.finish(reader);
        }
        fields.finish(reader);
        let mut spans = BTreeMap::new();
        let mut json = json(&entry.value, &mut String::new(), &mut spans);
        // Whose it is is nothing that the plugin host grants.
        if let Some(entry) = json.as_object_mut() {
            entry.remove(DEPARTMENT);
        }
        grants.push(Grant {
            plugin: Spanned::new(PluginName::new(entry.key.value.clone()), entry.key.span),
            department,
            entry: json,
            data,
            spans,
        });
    }
    grants
}

fn json(node: &Node, at: &mut String, spans: &mut BTreeMap<String, Span>) -> Json {
    spans.insert(at.clone(), node.span);
    let mut inside = |part: &str, node: &Node| {
        let length = at.len();
        at.push_str(if length == 0 {
            part.trim_start_matches('.')
        } else {
            part
        });
        let value = json(node, at, spans);
        at.truncate(length);
        value
    };
    match &node.kind {
        Kind::Scalar { text, plain } => match (&**text, plain) {
            ("", true) => Json::Null,
            ("true", true) => Json::Bool(true),
            ("false", true) => Json::Bool(false),
            (text, true) => text
                .parse::<u64>()
                .map_or_else(|_| Json::String(text.to_owned()), Json::from),
            (text, false) => Json::String(text.to_owned()),
        },
        Kind::Sequence(nodes) => Json::Array(
            nodes
                .iter()
                .enumerate()
                .map(|(index, node)| inside(&format!("[{index}]"), node))
                .collect(),
        ),
        Kind::Mapping(entries) => Json::Object(
            entries
                .iter()
                .map(|entry| {
                    let name = entry.key.as_str();
                    (name.to_owned(), inside(&format!(".{name}"), &entry.value))
                })
                .collect::<Map<_, _>>(),
        ),
    }
}
