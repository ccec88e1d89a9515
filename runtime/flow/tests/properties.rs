//! What must hold for any input: no file panics the parser or the checker, and a checked
//! expression has a value of its type, or none for a reason that data can have.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use trunkline_flow::{
    ContactField, QueueField, Scope, Sources, Tongue, check,
    diagnostics::{Color, render, render_in},
    expression::EvaluationErrorKind,
    parse,
    step::Verb,
};
use trunkline_model::{
    Duration, Timestamp, Value,
    json::{from_json, to_json},
};

const HOTLINE: &str = "hotline: test\nlanguages: [zh-CN]\ntime-zone: Asia/Shanghai\nnumbers: { \"12345\": { flow: main } }\nplugins: { crm: { component: a.wasm, department: b } }\nqueues: { general: { skills: [mandarin], target: 30s, max-waiting: 500, calendar: always } }\n";

/// A hotline's section of everything that flows do not name.
const SETTINGS: &str = r##"hotline: test
languages: [zh-CN]
time-zone: Asia/Shanghai
calling-window: always
numbers: { "12345": { flow: main }, "12329": { flow: main, merge: dual-number, before: { housing: 3 } } }
plugins: { crm: { component: a.wasm, department: b, labels: { citizen.id: id-number } } }
queues: { general: { skills: [mandarin], target: 30s, max-waiting: 500, calendar: always } }
checks: [cn-12345, { pack: cn-voice, inputs: 2, emergency: [救命], assume: ["${has(contact.caller)}"] }]
"##;

const AGENTS: &str = "zhang-wei: { title: 张伟, skills: [mandarin] }\nli-na: { skills: [mandarin, law] }\n";

const SURVEY: &str = "survey: csat\nkind: csat\nquestions:\n  - { name: score, ask: hello, answer: number, min: 1, max: 5 }\n  - { name: why, ask: { zh-CN: 为什么 }, answer: { one-of: [慢, { value: 差, key: 2, words: [不好] }] } }\n";

const TICKET: &str =
    "ticket: noise\ndepartment: environment\ndeadline: { working-days: 5, calendar: always }\n";

/// Every verb that asks a service or several plugins.
const SERVICES: &str = r##"flow: main
vars: { n: { type: int, is: 0 }, who: string?, words: string?, ticket: ticket?, pin: string? }
anywhere: { keys: { "*": human }, words: { 人工: human } }
on-hangup: log
start: top
steps:
  log: { ticket: open, class: noise, on: { else: done }, next: done }
  top: { menu: hello, intent: crm.classify, intents: { housing: pin, else: human }, intent-time: 2s, on: { else: human }, service: housing }
  pin: { ask: hello, answer: id-number, secret: true, label: id-number, save: pin, on: { else: human }, next: both }
  both: { together: { a: { call: crm.find, with: { phone: "1" }, save: who }, b: { call: crm.score, time: 2s, retries: 1 } }, meanwhile: hello, on: { a.not-found: human, b.fault: human, a.fault.trap: human, fault: human, else: human }, next: human }
  human:
    queue: general
    skills: [law]
    agent: "zhang-wei"
    priority: "${n > 3 ? 10 : queue.general.waiting}"
    music: hello
    announce: { every: 60s, say: { zh-CN: "{position} {wait}" } }
    offer-callback: { after: 60s, say: hello, key: 1, next: ring }
    offer-channel: { after: 90s, say: hello, key: 2, next: tell }
    max: 10m
    on: { timeout: ring, else: hand-over }
    next: rate
  hand-over: { transfer: { agent: "${has(who) ? who : 'zhang-wei'}" }, three-way: true, staffed: true, time: 30s, on: { busy: police, else: ring }, next: rate }
  police: { transfer: "110", on: { else: ring }, next: rate }
  ring: { callback: { within: 30m, queue: general, number: "${has(contact.caller) ? contact.caller : number}", attempts: 3, every: 10m, window: always }, on: { duplicate: rate, refused: rate }, next: rate }
  rate: { survey: csat, on: { else: may }, next: may }
  may: { ask: hello, answer: yes-no, consent: recording, on: { else: message }, next: record }
  record: { record: start, consent: recording, on: { declined: message }, next: message }
  message: { record: { message: hello, max: 2m, finish: "#", save: words }, on: { declined: note }, next: note }
  note: { ticket: open, class: noise, with: { summary: "${n} 次", who: "${has(who) ? who : ''}" }, save: words, on: { duplicate: look, else: tell }, next: update }
  update: { ticket: update, number: "${words}", with: { note: x }, on: { else: tell }, next: look }
  look: { ticket: look-up, save: ticket, on: { else: tell }, next: tell }
  tell: { notify: { say: hello, to: "1", channel: sms }, on: { failed: done }, next: wait }
  wait: { wait: { for: ticket.closed, max: 7d }, on: { timeout: done }, next: done }
  done: { end: completed }
"##;

const FLOW: &str = r##"flow: main
title: 主流程
vars: { n: { type: int, is: 0 }, who: crm.citizen?, words: "list<string>", ok: bool? }
otherwise: human
anywhere: { keys: { "*": human }, words: { 人工: human } }
on-hangup: gone
start: top
steps:
  top:
    menu: { zh-CN: "您好 {n}" }
    keys: { 1: { say: hello, next: find, when: "${n < 3 && has(who)}" }, "#": human }
    words: { 查询: find }
    on: { no-input: human, else: find }
  find: { call: crm.find, with: { phone: "${contact.caller}" }, save: who, time: 2s, on: { fault.timed-out: human, ambiguous: { next: human, save: n } }, next: ask }
  ask: { ask: hello, answer: digits, length: 4-8, finish: "#", confirm: read-back, save: words, next: set }
  set: { set: { n: "${n + 1 > 3 ? 0 : n}", ok: true }, next: choose }
  choose:
    choose:
      - { when: "${calendar.always.open && now.weekday in ['sunday']}", next: top }
      - { else: human }
  human: { say: hello, next: done }
  gone: { end: abandoned }
  done: { end: completed }
"##;

fn checked_text(files: &[(&str, &str)]) -> (usize, String) {
    let sources = Sources::new(files.iter().map(|(path, text)| (*path, *text)));
    let parsed = parse(&sources);
    let report = check(&parsed, &BTreeMap::new());
    let shown = render(&report.diagnostics, &sources, Color::Never);
    let _ = render_in(&report.diagnostics, &sources, Color::Never, Tongue::Chinese);
    let _ = (parsed.plugins(), parsed.grants(), parsed.diagnostics());
    for finding in &report.diagnostics {
        assert!(finding.span.start <= finding.span.end);
        if let Some(text) = sources.files.get(&finding.file) {
            assert!(text.get(finding.span.clone()).is_some(), "{finding:?}");
        }
    }
    (report.diagnostics.len(), shown)
}

/// A text with a few stretches of it removed, repeated or replaced.
fn mutated(text: &'static str) -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ": ",
        "\n",
        "\n  ",
        "\"",
        "'",
        "${",
        "}",
        "#",
        " #",
        "&a ",
        "*a",
        "<<",
        "!t ",
        "- ",
        ",",
        "?",
        "|",
        ">",
        "热线",
        "\t",
        "\r\n",
        "next",
        "else",
        "1",
        "has(",
        "\u{feff}",
        "0x1f600 😀",
    ]);
    let edit = (any::<prop::sample::Index>(), 0_usize..12, pieces);
    prop::collection::vec(edit, 1..6).prop_map(move |edits| {
        let mut text = text.to_owned();
        for (at, length, piece) in edits {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            if places.is_empty() {
                text.push_str(piece);
                continue;
            }
            let first = at.index(places.len());
            let end = places.get(first + length).copied().unwrap_or(text.len());
            text.replace_range(places[first]..end, piece);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_flow_panics(flow in mutated(FLOW)) {
        checked_text(&[("hotline.yaml", HOTLINE), ("flows/main.yaml", &flow), ("prompts/zh-CN.yaml", "hello: 您好 {n}\n")]);
    }

    #[test]
    fn no_hotline_panics(hotline in mutated(HOTLINE), prompts in mutated("hello: 您好 {n}\nbye: \"再见 {{}}\"\n")) {
        checked_text(&[("hotline.yaml", &hotline), ("flows/main.yaml", FLOW), ("prompts/zh-CN.yaml", &prompts)]);
    }

    #[test]
    fn no_icalendar_file_panics(
        days in mutated("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20261001\nDTEND;VALUE=DATE:20261008\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=1TH;COUNT=3\nEXDATE;VALUE=DATE:20271001\nSUMMARY;LANGUAGE=zh:国庆\n 节\nCATEGORIES:放假,假日\nEND:VEVENT\nEND:VCALENDAR\n"),
    ) {
        let office = "calendar: office\ninclude: cn-2026\nimport: { file: days.ics, workdays-if: 班 }\nopen: { monday: [\"08:30-12:00\"] }\n";
        checked_text(&[("hotline.yaml", HOTLINE), ("flows/main.yaml", FLOW), ("calendars/office.yaml", office), ("calendars/days.ics", &days)]);
    }

    #[test]
    fn no_calendar_or_grant_panics(
        calendar in mutated("calendar: office\nopen: { monday: [\"08:30-12:00\"], friday: [\"22:00-06:00\"] }\nholidays: [\"2026-10-01\"]\nworkdays: { \"2026-10-10\": friday }\n"),
        grants in mutated("crm: { http: [\"GET https://a/*\"], data: [phone, id-number], kv: true, limits: { time: 1s, concurrent: 3 } }\n"),
    ) {
        checked_text(&[("hotline.yaml", HOTLINE), ("flows/main.yaml", FLOW), ("calendars/office.yaml", &calendar), ("grants.yaml", &grants)]);
    }

    #[test]
    fn no_service_panics(flow in mutated(SERVICES)) {
        checked_text(&[
            ("hotline.yaml", HOTLINE),
            ("flows/main.yaml", &flow),
            ("prompts/zh-CN.yaml", "hello: 您好\n"),
            ("agents.yaml", AGENTS),
            ("surveys/csat.yaml", SURVEY),
            ("tickets/noise.yaml", TICKET),
        ]);
    }

    #[test]
    fn no_setting_panics(
        settings in mutated(SETTINGS),
        agents in mutated(AGENTS),
        survey in mutated(SURVEY),
        ticket in mutated(TICKET),
    ) {
        checked_text(&[
            ("hotline.yaml", &settings),
            ("flows/main.yaml", SERVICES),
            ("prompts/zh-CN.yaml", "hello: 您好\n"),
            ("agents.yaml", &agents),
            ("surveys/csat.yaml", &survey),
            ("tickets/noise.yaml", &ticket),
        ]);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        checked_text(&[("hotline.yaml", &text), ("flows/a.yaml", &text), ("prompts/a.yaml", &text), ("calendars/a.yaml", &text), ("grants.yaml", &text), ("agents.yaml", &text), ("surveys/a.yaml", &text), ("tickets/a.yaml", &text), ("calendars/a.ics", &text)]);
    }
}

/// Inputs of the flow that holds a generated expression: their types and values.
fn inputs() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("n", "int", Value::Int(7)),
        ("big", "int", Value::Int(i64::MAX.into())),
        ("maybe", "int?", Value::None),
        ("there", "int?", Value::Int(3)),
        ("d", "decimal", Value::Decimal(0.5)),
        ("s", "string", "您好 hello".into()),
        ("t", "string?", Value::None),
        ("b", "bool", Value::Bool(true)),
        ("l", "list<int>", Value::list([Value::Int(1), Value::Int(2)])),
        (
            "at",
            "time",
            Value::Time(Timestamp::from_millis(1_795_262_700_000)),
        ),
        ("span", "duration", Value::Duration(Duration::from_secs(90))),
    ]
}

struct World(BTreeMap<&'static str, Value>);

impl Scope for World {
    fn variable(&self, name: &str) -> Option<Value> {
        self.0.get(name).cloned()
    }
    fn answer(&self) -> Option<Value> {
        None
    }
    fn result(&self) -> Option<Value> {
        None
    }
    fn contact(&self, field: ContactField) -> Option<Value> {
        match field {
            ContactField::Caller | ContactField::Claimed => None,
            ContactField::Language => Some("zh-CN".into()),
            ContactField::Number | ContactField::Channel | ContactField::Id => Some("12345".into()),
        }
    }
    fn calendar_open(&self, _: &str) -> bool {
        true
    }
    fn calendar_opens(&self, _: &str) -> Option<Timestamp> {
        None
    }
    fn calendar_closes(&self, _: &str) -> Option<Timestamp> {
        Some(Timestamp::from_millis(1_795_266_300_000))
    }
    fn queue(&self, _: &str, field: QueueField) -> Value {
        match field {
            QueueField::Open => Value::Bool(true),
            QueueField::Waiting | QueueField::Agents => Value::from(3),
            QueueField::Wait => Value::Duration(Duration::from_secs(30)),
        }
    }
    fn position(&self) -> Option<Value> {
        None
    }
    fn wait(&self) -> Option<Value> {
        None
    }
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_795_262_700_000)
    }
    fn time_zone(&self) -> &TimeZone {
        const UTC: &TimeZone = &TimeZone::UTC;
        UTC
    }
}

fn pick(choices: &'static [&'static str]) -> BoxedStrategy<String> {
    prop::sample::select(choices).prop_map(str::to_owned).boxed()
}

/// Expressions of one type each, so that all of them should pass the check.
fn expression(ty: &'static str, depth: u32) -> BoxedStrategy<String> {
    let leaf = match ty {
        "int" => pick(&[
            "n",
            "big",
            "0",
            "1",
            "-3",
            "now.hour",
            "l[1]",
            "l[9]",
            "size(s)",
            "queue.general.waiting",
            "queue.general.agents",
        ]),
        "decimal" => pick(&["d", "2.5", "decimal(n)", "decimal('x' + s)"]),
        "string" => pick(&[
            "s",
            "'水'",
            "contact.number",
            "number",
            "contact.language",
            "string(at)",
            "string(now.weekday)",
        ]),
        "bool" => pick(&[
            "b",
            "true",
            "has(maybe)",
            "maybe == 1",
            "there > n",
            "t != 'a'",
            "calendar.always.open",
            "queue.general.open",
            "has(calendar.always.opens)",
            "calendar.always.closes > at",
            "has(t) && t == 'x'",
            "!has(maybe) || maybe > 3",
            "now.weekday == 'sunday'",
            "n in l",
            "n in [1, 2]",
        ]),
        "duration" => pick(&["span", "duration('30s')", "now - at", "queue.general.wait"]),
        "time" => pick(&["now", "at"]),
        _ => pick(&["now.date", "date('2026-10-01')", "date(at)", "date(s)"]),
    };
    if depth == 0 {
        return leaf;
    }
    let of = move |ty| expression(ty, depth - 1);
    let two = move |a, b, join: &'static [&'static str]| {
        (of(a), prop::sample::select(join), of(b)).prop_map(|(a, join, b)| format!("(({a}) {join} ({b}))"))
    };
    let conditional = (of("bool"), of(ty), of(ty))
        .prop_map(|(condition, yes, no)| format!("(({condition}) ? {yes} : {no})"));
    let more = match ty {
        "int" => prop_oneof![
            two("int", "int", &["+", "-", "*", "/", "%"]),
            of("decimal").prop_map(|of| format!("int({of})")),
            of("string").prop_map(|of| format!("{of}.size()")),
            of("int").prop_map(|of| format!("-{of}")),
            of("bool").prop_map(|of| format!("(has(there) && ({of}) ? there : 0)")),
        ]
        .boxed(),
        "decimal" => prop_oneof![
            two("decimal", "int", &["+", "-", "*", "/"]),
            two("decimal", "decimal", &["+", "-", "*", "/"]),
        ]
        .boxed(),
        "string" => prop_oneof![
            two("string", "string", &["+"]),
            of("int").prop_map(|of| format!("string({of})")),
            (of("string"), of("int")).prop_map(|(of, at)| format!("{of}.substring({at})")),
            of("string").prop_map(|of| format!("{of}.trim().upperAscii()")),
        ]
        .boxed(),
        "bool" => prop_oneof![
            two("bool", "bool", &["&&", "||", "==", "!="]),
            two("int", "decimal", &["<", "<=", ">", ">=", "==", "!="]),
            two("string", "string", &["<", "==", "!="]),
            two("date", "date", &["<", ">=", "=="]),
            of("bool").prop_map(|of| format!("!({of})")),
            (of("string"), of("string")).prop_map(|(a, b)| format!("{a}.contains({b})")),
        ]
        .boxed(),
        "duration" => two("duration", "duration", &["+", "-"]).boxed(),
        "time" => two("time", "duration", &["+", "-"]).boxed(),
        _ => of("time").prop_map(|of| format!("{of}.date")).boxed(),
    };
    prop_oneof![2 => leaf, 3 => more, 1 => conditional].boxed()
}

fn any_expression() -> impl Strategy<Value = (&'static str, String)> {
    prop::sample::select(vec![
        "int", "decimal", "string", "bool", "duration", "time", "date",
    ])
    .prop_flat_map(|ty| expression(ty, 3).prop_map(move |text| (ty, text)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_checked_expression_has_a_value_of_its_type((ty, text) in any_expression()) {
        let declared: Vec<String> = inputs().iter().map(|(name, ty, _)| format!("{name}: \"{ty}\"")).collect();
        let flow = format!(
            "flow: main\ninputs: {{ {} }}\nvars: {{ out: {ty}? }}\nstart: set\nsteps:\n  set:\n    set:\n      out: \"${{{text}}}\"\n    next: done\n  done: {{ end: completed }}\n",
            declared.join(", ")
        );
        let front = "flow: front\nstart: done\nsteps: { done: { end: completed } }\n";
        let hotline = HOTLINE.replace("flow: main", "flow: front").replace("plugins: { crm: { component: a.wasm, department: b } }\n", "");
        let sources = Sources::new([("hotline.yaml", hotline.as_str()), ("flows/main.yaml", &flow), ("flows/front.yaml", front)]);
        let report = check(&parse(&sources), &BTreeMap::new());
        let Some(checked) = report.checked else {
            // A literal inside may not be readable, which the check finds before it runs.
            let shown = render(&report.diagnostics, &sources, Color::Never);
            prop_assert!(shown.contains("TL0212") || shown.contains("operators in a row"), "{text}\n{shown}");
            return Ok(());
        };
        let Verb::Set(set) = &checked.flows["main"].steps["set"].verb else { panic!("a set step") };
        let expression = &set.assignments[0].1;
        let world = World(inputs().into_iter().map(|(name, _, value)| (name, value)).collect());
        match expression.evaluate(&world) {
            Ok(value) => {
                let json = to_json(&value);
                let again = from_json(&json, expression.ty());
                prop_assert!(again.is_ok(), "{text} gave {value:?}, no {}: {again:?}", expression.ty());
                prop_assert!(!value.is_none());
            }
            Err(error) => prop_assert!(
                !matches!(error.kind, EvaluationErrorKind::WrongType | EvaluationErrorKind::NotSet),
                "{text}: {error}"
            ),
        }
    }
}

/// What the mutations begin with is right but for the plugin, which is not there, and the key
/// that an identity number takes for itself; else they would try little.
#[test]
fn the_texts_that_are_mutated_are_nearly_right() {
    let sources = Sources::new([
        ("hotline.yaml", SETTINGS),
        ("flows/main.yaml", SERVICES),
        ("prompts/zh-CN.yaml", "hello: 您好\n"),
        ("agents.yaml", AGENTS),
        ("surveys/csat.yaml", SURVEY),
        ("tickets/noise.yaml", TICKET),
    ]);
    let report = check(&parse(&sources), &BTreeMap::new());
    let codes: Vec<&str> = report
        .diagnostics
        .iter()
        .map(|finding| finding.code.as_str())
        .collect();
    let shown = render(&report.diagnostics, &sources, Color::Never);
    assert_eq!(codes, ["TL0504", "TL0701"], "{shown}");
}

#[test]
fn bombs_are_refused_in_no_time() {
    let alias_bomb: String = std::iter::once("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned())
        .chain((1..12).map(|level| {
            format!(
                "a{level}: &a{level} [{}]\n",
                format!("*a{},", level - 1).repeat(10)
            )
        }))
        .chain(["# ".to_owned(), "x".repeat(1 << 20)])
        .collect();
    for bomb in [
        alias_bomb,
        "[".repeat(1 << 20),
        "{a: ".repeat(1 << 18),
        "- ".repeat(1 << 19),
        "? ".repeat(1 << 19),
        "x: \"${".to_owned() + &"(".repeat(1 << 20) + "}\"",
        "x".repeat(3 << 20),
    ] {
        let (found, shown) = checked_text(&[("hotline.yaml", HOTLINE), ("flows/main.yaml", &bomb)]);
        assert!(found > 0);
        assert!(shown.contains("error["));
    }
}
