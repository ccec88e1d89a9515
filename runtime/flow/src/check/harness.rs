//! Rules are tested by a hotline with the findings written under what they are about.
//!
//! `--- path` begins a file. A line `#   ^^^^ TL0101: the beginning of the message` is a
//! finding under the line before it that is no such line; carets count characters.
//! `# ^1:1 TL…` gives line and column, and `# TL…` stands for a finding at the beginning of
//! the line. Files that are not given are those of a small hotline without findings. Of a
//! recording, `--- audio/welcome.wav`, the text is its length in seconds, or nothing when its
//! header does not tell.

use std::{collections::BTreeMap, sync::Arc};

use trunkline_model::{
    PluginName, Type,
    json::record_type,
    signature::{Errors, Interface, Parameter, Signature},
    types::{Case, Enum, Range, Variant},
};

use crate::{
    Sources, check, parse,
    source::{Files, is_recording},
};

pub(super) const HOTLINE: &str = "hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { \"12345\": { flow: main } }
plugins:
  crm: { component: plugins/crm.wasm, department: civil }
  sentiment: { component: plugins/sentiment.wasm, department: centre }
  nlu: { component: plugins/nlu.wasm, department: centre }
  twice: { component: plugins/twice.wasm, department: centre }
";

/// What goes with it: callers are looked up by their numbers.
pub(super) const GRANTS: &str = "crm: { data: [phone] }\n";

/// The interfaces of the plugins in tests.
pub fn interfaces() -> BTreeMap<PluginName, Arc<Interface>> {
    let function =
        |interface: &str, name: &str, parameters: &[(&str, Type)], ok: Type, errors: Errors| Signature {
            function: format!("test:pkg/{interface}@1.0.0#{name}").into(),
            interface: Some(interface.into()),
            name: name.into(),
            parameters: parameters
                .iter()
                .map(|(name, ty)| Parameter {
                    name: (*name).into(),
                    ty: ty.clone(),
                })
                .collect(),
            ok: Some(ok),
            errors,
            docs: None,
        };
    let citizen = record_type(
        Some("citizen"),
        [
            ("id", Type::String),
            ("name", Type::String),
            ("district", Type::String.optional()),
        ],
    );
    let case = |name: &str, payload: Option<Type>| Case {
        name: name.into(),
        payload,
    };
    let lookup = Errors::Cases(vec![
        case("not-found", None),
        case("ambiguous", Some(Type::Int(Range::of_bits(32, false)))),
        case("unreachable", Some(Type::String)),
    ]);
    let level = Type::Enum(Arc::new(Enum {
        name: Some("level".into()),
        cases: ["calm", "anxious", "angry"].map(Into::into).to_vec(),
    }));
    let topic = Type::Enum(Arc::new(Enum {
        name: Some("topic".into()),
        cases: ["housing", "social", "other"].map(Into::into).to_vec(),
    }));
    let mood = record_type(Some("mood"), [("level", level.clone()), ("score", Type::Decimal)]);
    BTreeMap::from([
        (
            "crm".into(),
            Arc::new(Interface {
                functions: vec![function(
                    "citizens",
                    "find-citizen",
                    &[("phone", Type::String)],
                    citizen.clone(),
                    lookup,
                )],
                types: BTreeMap::from([("citizen".into(), citizen)]),
                data: None,
            }),
        ),
        (
            "sentiment".into(),
            Arc::new(Interface {
                functions: vec![function(
                    "moods",
                    "score",
                    &[("text", Type::String), ("weight", Type::Decimal.optional())],
                    mood.clone(),
                    Errors::None,
                )],
                types: BTreeMap::from([("mood".into(), mood), ("level".into(), level)]),
                data: None,
            }),
        ),
        (
            "nlu".into(),
            Arc::new(Interface {
                functions: vec![
                    function(
                        "intents",
                        "classify",
                        &[("text", Type::String)],
                        topic.clone(),
                        Errors::None,
                    ),
                    function(
                        "intents",
                        "guess",
                        &[("text", Type::String), ("hints", Type::String.optional())],
                        topic.clone(),
                        Errors::Refused(None),
                    ),
                ],
                types: BTreeMap::from([("topic".into(), topic)]),
                data: None,
            }),
        ),
        ("shop".into(), Arc::new(shop(&function))),
        ("bots".into(), Arc::new(bots(&function))),
        ("hooks".into(), Arc::new(hooks(&function))),
        ("works".into(), Arc::new(works(&function))),
        ("registry".into(), Arc::new(registry(&function))),
        (
            "twice".into(),
            Arc::new(Interface {
                functions: vec![
                    function("left", "ping", &[], Type::Bool, Errors::None),
                    function("right", "ping", &[], Type::Bool, Errors::None),
                ],
                types: BTreeMap::new(),
                data: None,
            }),
        ),
    ])
}

/// Makes a signature: of what interface, by what name, with what parameters, result and errors.
type Function<'f> = &'f dyn Fn(&str, &str, &[(&str, Type)], Type, Errors) -> Signature;

/// A shop's customers.
fn shop(function: Function<'_>) -> Interface {
    let customer = record_type(
        Some("customer"),
        [
            ("id", Type::String),
            ("name", Type::String),
            ("tier", Type::String),
            ("birth_year", Type::Int(Range::of_bits(16, false)).optional()),
            ("language", Type::String.optional()),
        ],
    );
    let case = |name: &str, payload: Option<Type>| Case {
        name: name.into(),
        payload,
    };
    let errors = || {
        Errors::Cases(vec![
            case("not-found", None),
            case("locked", None),
            case("unavailable", Some(Type::String)),
        ])
    };
    let one = |name: &str, parameters: &[(&str, Type)], ok, errors| {
        function("customers", name, parameters, ok, errors)
    };
    let text = Type::String;
    Interface {
        functions: vec![
            one("find", &[("phone", text.clone())], customer.clone(), errors()),
            one(
                "verify-pin",
                &[("account", text.clone()), ("pin", text.clone())],
                Type::Bool,
                errors(),
            ),
            one("balance", &[("account", text.clone())], text.clone(), errors()),
            one("holiday", &[], Type::Bool, Errors::Refused(Some(text.clone()))),
            one("vip", &[("phone", text)], Type::Bool, Errors::None),
        ],
        types: BTreeMap::from([("customer".into(), customer)]),
        data: None,
    }
}

/// A bot that says what something is about, and answers.
fn bots(function: Function<'_>) -> Interface {
    let topic = Type::Enum(Arc::new(Enum {
        name: Some("topic".into()),
        cases: ["orders", "billing", "technical", "human", "other"]
            .map(Into::into)
            .to_vec(),
    }));
    let text = [("text", Type::String)];
    let answers = Errors::Refused(Some(Type::String));
    Interface {
        functions: vec![
            function("nlu", "classify", &text, topic.clone(), Errors::None),
            function("nlu", "answer", &text, Type::String, answers),
        ],
        types: BTreeMap::from([("topic".into(), topic)]),
        data: None,
    }
}

/// What other systems call by web hooks.
fn hooks(function: Function<'_>) -> Interface {
    let text = || Type::String;
    let refused = || Errors::Refused(Some(Type::String));
    let one = |name: &str, parameters: &[(&str, Type)]| Signature {
        ok: None,
        ..function("hooks", name, parameters, Type::Bool, refused())
    };
    Interface {
        functions: vec![
            one("started", &[("caller", text())]),
            one("no-input", &[("call", text())]),
            one("voicemail", &[("caller", text()), ("kind", text())]),
            one("log", &[("text", text())]),
        ],
        types: BTreeMap::new(),
        data: None,
    }
}

/// An office that publishes road works.
fn works(function: Function<'_>) -> Interface {
    let change = record_type(
        Some("change"),
        [
            ("id", Type::String),
            ("text", Type::String),
            ("until", Type::Date.optional()),
        ],
    );
    let one = |name: &str, parameters: &[(&str, Type)], ok| {
        function("feed", name, parameters, ok, Errors::Refused(Some(Type::String)))
    };
    Interface {
        functions: vec![
            one("changes", &[], change.clone().list()),
            one("latest", &[], change.clone()),
            one("affected", &[("change", change.clone())], Type::String.list()),
        ],
        types: BTreeMap::from([("change".into(), change)]),
        data: None,
    }
}

/// An office that knows who lives where. Its residents have the shape of the `crm`'s
/// citizens, its notices that of changes of `works`.
fn registry(function: Function<'_>) -> Interface {
    let text = || Type::String;
    let resident = record_type(
        Some("resident"),
        [("id", text()), ("name", text()), ("district", text().optional())],
    );
    let address = record_type(
        Some("address"),
        [("street", text()), ("district", text().optional())],
    );
    let household = record_type(
        Some("household"),
        [
            ("number", text()),
            ("home", address.clone()),
            ("head", resident.clone()),
        ],
    );
    let notice = record_type(
        Some("notice"),
        [("id", text()), ("text", text()), ("until", Type::Date.optional())],
    );
    let visit = record_type(Some("visit"), [("who", resident.clone()), ("place", text())]);
    let case = |name: &str, payload: Option<Type>| Case {
        name: name.into(),
        payload,
    };
    let found = Type::Variant(Arc::new(Variant {
        name: Some("found".into()),
        cases: vec![
            case("one", Some(resident.clone())),
            case("several", Some(resident.clone().list())),
            case("nobody", None),
        ],
    }));
    let one = |name: &str, parameters: &[(&str, Type)], ok, errors| {
        function("residents", name, parameters, ok, errors)
    };
    let phone = [("phone", text())];
    let moved = Errors::Cases(vec![
        case("not-found", None),
        case("moved", Some(resident.clone())),
    ]);
    Interface {
        functions: vec![
            one("household", &phone, household.clone(), moved),
            one("residents", &phone, resident.clone().list(), Errors::None),
            one("search", &phone, found.clone(), Errors::None),
            one("greet", &[("who", resident.clone())], text(), Errors::None),
            one("visit", &[("visit", visit.clone())], text(), Errors::None),
            one("count", &[("household", household.clone())], text(), Errors::None),
            one("moves", &[], household.clone().list(), Errors::None),
            one(
                "neighbours",
                &[("household", household.clone())],
                text().list(),
                Errors::None,
            ),
            one(
                "invite",
                &[("all", resident.clone().list())],
                text(),
                Errors::None,
            ),
        ],
        types: BTreeMap::from([
            ("resident".into(), resident.clone()),
            ("residents".into(), resident.list()),
            ("address".into(), address),
            ("household".into(), household),
            ("visit".into(), visit),
            ("found".into(), found),
            ("house-number".into(), text()),
            ("notice".into(), notice),
        ]),
        data: None,
    }
}

/// Splits a test into its files, and adds those it does not give.
pub fn files(text: &str) -> Sources {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut path = None;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("--- ") {
            path = Some(name.trim().to_owned());
            files.insert(name.trim().to_owned(), String::new());
        } else if let Some(file) = path.as_ref().and_then(|path| files.get_mut(path)) {
            file.push_str(line);
            file.push('\n');
        }
    }
    if !files.contains_key("hotline.yaml") {
        files.insert("hotline.yaml".into(), HOTLINE.into());
        files.entry("grants.yaml".into()).or_insert_with(|| GRANTS.into());
    }
    if !files.keys().any(|path| path.starts_with("prompts/")) {
        // Said by most tests, and by none of those that are about prompts.
        if files.values().any(|text| text.contains("hello")) {
            files.insert("prompts/zh-CN.yaml".into(), "hello: 您好\n".into());
            files.insert("prompts/en.yaml".into(), "hello: Hello\n".into());
        }
    }
    let (recordings, texts): (BTreeMap<_, _>, BTreeMap<_, _>) =
        files.into_iter().partition(|(path, _)| is_recording(path));
    let mut sources = Sources::new(texts);
    sources.recordings = recordings
        .into_iter()
        .map(|(path, seconds)| (path.into(), seconds.trim().parse().ok()))
        .collect();
    sources
}

/// Checks that a hotline has exactly the findings written in it.
///
/// # Panics
/// It has others, or lacks some.
pub fn assert_findings(text: &str) {
    let sources = files(text);
    let report = check(&parse(&sources), &interfaces());
    let mut found: Vec<String> = report
        .diagnostics
        .iter()
        .map(|finding| {
            format!(
                "{}:{}:{} +{} {}: {}",
                finding.file,
                finding.line,
                finding.column,
                Files::new(&sources)
                    .0
                    .iter()
                    .find(|file| file.path == finding.file)
                    .and_then(|file| file.text.get(finding.span.clone()))
                    .map_or(0, |text| text.chars().count().max(1)),
                finding.code,
                finding.message
            )
        })
        .collect();
    let mut missing = Vec::new();
    for expected in expected(&sources) {
        // Most tests have plugins and prompts that they do not use.
        match found.iter().position(|finding| {
            finding.starts_with(&expected.0) && finding[expected.0.len()..].contains(&expected.1)
        }) {
            Some(index) => {
                found.remove(index);
            }
            None => missing.push(format!("{} {}", expected.0, expected.1)),
        }
    }
    assert!(
        found.is_empty() && missing.is_empty(),
        "\nnot expected:\n  {}\nmissing:\n  {}\n",
        found.join("\n  "),
        missing.join("\n  ")
    );
    let errors = report
        .diagnostics
        .iter()
        .any(|finding| finding.severity == crate::Severity::Error);
    assert_eq!(report.checked.is_none(), errors, "{:#?}", report.diagnostics);
}

/// The findings written under the lines of the files: where, and the rest.
pub fn expected(sources: &Sources) -> Vec<(String, String)> {
    let mut expected = Vec::new();
    for (path, text) in &sources.files {
        let mut subject = 0;
        for (index, line) in text.lines().enumerate() {
            let comment = line.strip_prefix('#').map(str::trim_start);
            match comment {
                Some(rest) if rest.starts_with('^') => {
                    let carets = rest.chars().take_while(|c| *c == '^').count();
                    let after = rest.trim_start_matches('^');
                    if let Some((place, message)) =
                        after.split_once(" TL").filter(|(place, _)| place.contains(':'))
                    {
                        expected.push((format!("{path}:{place} +1 "), format!("TL{message}")));
                    } else {
                        let column = line.chars().position(|c| c == '^').unwrap_or_default() + 1;
                        expected.push((
                            format!("{path}:{subject}:{column} +{carets} "),
                            after.trim().to_owned(),
                        ));
                    }
                }
                Some(rest) if rest.starts_with("TL") => {
                    expected.push((format!("{path}:{subject}:1 +"), rest.to_owned()));
                }
                _ => subject = index + 1,
            }
        }
    }
    expected
}
