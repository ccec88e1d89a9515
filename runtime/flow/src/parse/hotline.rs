//! hotline.yaml and grants.yaml.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use trunkline_model::PluginName;

use super::{
    Grant,
    fields::{Reader, Style},
};
use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    source::{Span, Spanned, Word},
    syntax::{HotlineSyntax, NumberSyntax, PluginSyntax},
    yaml::{Kind, Node},
};

/// How an old number was merged into this one (whole, beside it, or as a sub-centre).
const MERGES: [&str; 3] = ["whole", "dual-number", "sub-centre"];

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
    fields.ignored(reader, "queues", "no verb leads to a queue yet");
    fields.ignored(reader, "checks", "rule packs are not checked yet");
    fields.ignored(reader, "agents", "there are no agents yet");
    fields.finish(reader);
    HotlineSyntax {
        name,
        languages,
        dialects,
        time_zone,
        numbers,
        plugins,
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
        if let Some(merge) = fields.word(reader, "merge")
            && !MERGES.contains(&merge.as_str())
        {
            reader.report(
                Finding::new(
                    Code::WrongValue,
                    merge.span,
                    format!("`{}` is no way of merging numbers", merge.as_str()),
                )
                .help_if(did_you_mean("there are", merge.as_str(), MERGES)),
            );
        }
        fields.finish(reader);
        numbers.push(NumberSyntax {
            number: entry.key.clone(),
            flow,
            language,
            department,
        });
    }
    numbers
}

fn plugins(reader: &Reader<'_>, node: &Node) -> Vec<PluginSyntax> {
    let mut plugins = Vec::new();
    for entry in reader.entries(node, "`plugins`") {
        reader.name(&entry.key, "a plugin", Style::Kebab);
        let mut fields = reader.fields(&entry.value, "a plugin", entry.key.span);
        let component = fields
            .need_word(reader, "component", "plugins/crm_lookup.wasm")
            .filter(|component| is_component_path(reader, component));
        let department = fields.need_word(reader, "department", "civil-affairs");
        let config = fields
            .take("config")
            .map(|node| reader.words(node, "`config`"))
            .unwrap_or_default();
        fields.finish(reader);
        plugins.push(PluginSyntax {
            name: entry.key.clone(),
            component,
            department,
            config,
        });
    }
    plugins
}

fn is_component_path(reader: &Reader<'_>, component: &Word) -> bool {
    let path = component.as_str();
    let finding = |message: String| Finding::new(Code::BadComponentPath, component.span, message);
    let problem = if path.contains("://") {
        Some(
            finding(format!("components are not fetched in this version: `{path}`"))
                .help("copy the component into the hotline's folder: `component: plugins/crm_lookup.wasm`"),
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
const LIMITS: [&str; 8] = [
    "time",
    "memory",
    "concurrent",
    "argument-bytes",
    "reply-bytes",
    "log-lines-per-s",
    "http-request-bytes",
    "http-response-bytes",
];

pub(super) fn grants(reader: &Reader<'_>, root: &Node) -> Vec<Grant> {
    let mut grants = Vec::new();
    for entry in reader.entries(root, "grants.yaml") {
        let mut fields = reader.fields(&entry.value, "a grant", entry.key.span);
        let http = fields.take("http").map(|node| reader.list(node, "`http`"));
        for node in http.into_iter().flatten() {
            reader.word(node, "a part of `http`");
        }
        fields.take("networks");
        fields.take("kv");
        fields.ignored(reader, "secrets", "plugins get no secrets yet");
        fields.ignored(reader, "data", "what flows pass to a plugin is not labelled yet");
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
        if let Json::Object(object) = &mut json {
            object.remove("secrets");
            object.remove("data");
        }
        grants.push(Grant {
            plugin: Spanned::new(PluginName::new(entry.key.value.clone()), entry.key.span),
            entry: json,
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
