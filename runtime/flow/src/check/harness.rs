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
    types::{Case, Enum, Range},
};

use crate::{
    Sources, check, parse,
    source::{Files, is_recording},
};

const HOTLINE: &str = "hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { \"12345\": { flow: main } }
plugins:
  crm: { component: plugins/crm.wasm, department: civil }
  sentiment: { component: plugins/sentiment.wasm, department: centre }
  nlu: { component: plugins/nlu.wasm, department: centre }
  twice: { component: plugins/twice.wasm, department: centre }
";

/// The interfaces of the plugins in tests.
pub(crate) fn interfaces() -> BTreeMap<PluginName, Arc<Interface>> {
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
            }),
        ),
        (
            "twice".into(),
            Arc::new(Interface {
                functions: vec![
                    function("left", "ping", &[], Type::Bool, Errors::None),
                    function("right", "ping", &[], Type::Bool, Errors::None),
                ],
                types: BTreeMap::new(),
            }),
        ),
    ])
}

/// Splits a test into its files, and adds those it does not give.
pub(crate) fn files(text: &str) -> Sources {
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
    files
        .entry("hotline.yaml".into())
        .or_insert_with(|| HOTLINE.into());
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
pub(crate) fn assert_findings(text: &str) {
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
fn expected(sources: &Sources) -> Vec<(String, String)> {
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

/// The examples of a page of docs/errors under a heading, as files. A block's lines like
/// `# flows/main.yaml` begin a file; `# steps of flows/main.yaml` begins steps that are put
/// into a small flow; `# audio/welcome.wav is 6.5 seconds long` tells of a recording.
fn example(page: &str, heading: &str) -> Option<String> {
    let (_, after) = page.split_once(&format!("## {heading}\n"))?;
    let (_, block) = after.split_once("```yaml\n")?;
    let (block, _) = block.split_once("\n```")?;
    let mut text = String::new();
    let mut in_steps = false;
    let mut close = String::new();
    for line in block.lines() {
        if line == "# steps of flows/main.yaml" {
            in_steps = true;
            text.push_str(
                "--- flows/main.yaml\nflow: main\nvars: { citizen: crm.citizen?, words: string?, count: u32?, attempts: { type: int, is: 0 }, gauge: string?, mood: sentiment.mood? }\nstart: begin\nsteps:\n",
            );
            close = "  human: { say: hello, next: done }\n  done: { end: completed }\n".to_owned();
        } else if let Some((path, seconds)) = line
            .strip_prefix("# ")
            .and_then(|line| line.strip_suffix(" seconds long")?.split_once(" is "))
        {
            text.push_str(&format!("--- {path}\n{seconds}\n"));
        } else if let Some(path) = line
            .strip_prefix("# ")
            .filter(|path| [".yaml", ".yml", ".ics"].iter().any(|end| path.ends_with(end)))
        {
            text.push_str(&std::mem::take(&mut close));
            in_steps = false;
            text.push_str(&format!("--- {path}\n"));
        } else {
            text.push_str(if in_steps { "  " } else { "" });
            text.push_str(line);
            text.push('\n');
        }
    }
    text.push_str(&close);
    Some(text)
}

#[test]
fn the_examples_of_the_pages_are_true() {
    for code in crate::Code::ALL {
        let found = |text: &str| {
            let sources = files(text);
            let mut report = check(&parse(&sources), &interfaces());
            if let Some(checked) = &report.checked {
                let scenarios = crate::scenario::read(&sources, checked, &interfaces());
                report.diagnostics.extend(scenarios.diagnostics);
            }
            let shown =
                crate::diagnostics::render(&report.diagnostics, &sources, crate::diagnostics::Color::Never);
            (report, shown)
        };
        if let Some(wrong) = example(code.page(), "Wrong") {
            let (report, shown) = found(&wrong);
            assert!(
                report.diagnostics.iter().any(|finding| finding.code == *code),
                "{code}, wrong, does not show it:\n{shown}"
            );
        }
        if let Some(right) = example(code.page(), "Right") {
            let (report, shown) = found(&right);
            assert!(
                report.checked.is_some() && report.diagnostics.iter().all(|finding| finding.code != *code),
                "{code}, right, is not:\n{shown}"
            );
        }
    }
}

/// The reference's examples are a hotline that works: whole files make one, and blocks of
/// steps are put into a small flow with what they lead to.
#[test]
fn the_examples_of_the_reference_work() {
    let reference = include_str!("../../../../docs/reference/flow-language.md");
    let blocks = || {
        reference
            .split("```yaml\n")
            .skip(1)
            .filter_map(|rest| rest.split_once("\n```"))
            .map(|(block, _)| block)
    };
    let mut files = BTreeMap::new();
    // What the whole hotline does without, and the steps lead to.
    let mut centre = BTreeMap::new();
    let mut settings = String::new();
    for block in blocks() {
        let (name, text) = block.split_once('\n').unwrap();
        let path = name.strip_prefix("# ").unwrap();
        let services = ["agents.yaml", "surveys/", "tickets/"];
        if path.starts_with("part of ") {
            settings.push_str(&format!("{text}\n"));
        } else if services.iter().any(|place| path.starts_with(place)) {
            centre.insert(path.to_owned(), format!("{text}\n"));
        } else if path != "steps" && path != "flows/variables.yaml" {
            files.insert(path.to_owned(), format!("{text}\n"));
        }
    }
    let sources = Sources::new(files.clone());
    let report = check(&parse(&sources), &interfaces());
    let shown = crate::diagnostics::render(&report.diagnostics, &sources, crate::diagnostics::Color::Never);
    assert!(
        report.checked.is_some() && report.diagnostics.is_empty(),
        "{shown}"
    );

    let steps: String = blocks()
        .filter_map(|block| block.strip_prefix("# steps\n"))
        .flat_map(str::lines)
        .map(|line| format!("  {line}\n"))
        .collect();
    let prompts: String = [
        "main-topics",
        "k-housing",
        "k-desk",
        "which-gauge",
        "one-moment",
        "desk",
        "what-is-it",
        "your-pin",
        "please-wait",
        "your-place",
        "offer-ring-back",
        "offer-text",
        "your-ticket",
        "may-we-record",
        "after-the-tone",
        "thanks",
        "how-was-it",
        "what-was-it",
    ]
    .map(|key| format!("{key}: text\n"))
    .concat();
    let flow = format!(
        "flow: main\nvars: {{ citizen: crm.citizen?, count: u32?, gauge: string?, mood: sentiment.mood?, attempts: {{ type: int, is: 0 }}, pin: string?, ticket_number: string?, last_ticket: ticket?, message: string? }}\nstart: find\nsteps:\n{steps}  housing: {{ run: variables, with: {{ district: a }}, next: gauge }}\n  desk: {{ say: desk, next: done }}\n  done: {{ end: completed }}\n"
    );
    let flow = flow.replace("\"#\": main-topics", "\"#\": by-mood");
    let variables = blocks()
        .find(|block| block.starts_with("# flows/variables.yaml"))
        .unwrap();
    let prompts = prompts.replace("your-place: text", "your-place: \"{position} {wait}\"");
    // The steps are put together to be typed, not to be a hotline that holds to rules.
    let settings: String = settings
        .lines()
        .filter(|line| !line.starts_with("checks:"))
        .map(|line| format!("{line}\n"))
        .collect();
    centre.extend([
        ("hotline.yaml".to_owned(), format!("{HOTLINE}{settings}")),
        ("flows/main.yaml".to_owned(), flow),
        ("flows/variables.yaml".to_owned(), variables.to_owned()),
        (
            "calendars/office.yaml".to_owned(),
            files["calendars/office.yaml"].clone(),
        ),
        ("prompts/zh-CN.yaml".to_owned(), prompts.clone()),
        ("prompts/en.yaml".to_owned(), prompts),
    ]);
    let sources = Sources::new(centre);
    let report = check(&parse(&sources), &interfaces());
    let shown = crate::diagnostics::render(&report.diagnostics, &sources, crate::diagnostics::Color::Never);
    assert!(report.checked.is_some(), "{shown}");
}

/// So are those of the page on prompts: whole files make one hotline without findings.
#[test]
fn the_examples_of_the_page_on_prompts_work() {
    let page = include_str!("../../../../docs/reference/prompts.md");
    let blocks = page
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("\n```"))
        .filter(|(block, _)| block.starts_with("# "));
    let whole: Vec<&str> = blocks.map(|(block, _)| block).collect();
    let example = format!("## Example\n```yaml\n{}\n```\n", whole.join("\n"));
    let sources = files(&self::example(&example, "Example").unwrap());
    assert!(sources.files.len() >= 5 && sources.recordings.len() == 1);
    let report = check(&parse(&sources), &interfaces());
    let shown = crate::diagnostics::render(&report.diagnostics, &sources, crate::diagnostics::Color::Never);
    assert!(
        report.checked.is_some() && report.diagnostics.is_empty(),
        "{shown}"
    );
}
