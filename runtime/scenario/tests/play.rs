//! Scenarios of a small hotline that uses every service, played.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;

use trunkline_flow::{Checked, Sources, check, diagnostics, parse, scenario};
use trunkline_scenario::{Coverage, Mocks, Played, Scenario, keep, play};

/// The files of `tests/desk`.
const HOTLINE: [(&str, &str); 5] = [
    ("hotline.yaml", include_str!("desk/hotline.yaml")),
    ("flows/desk.yaml", include_str!("desk/flows/desk.yaml")),
    ("prompts/en.yaml", include_str!("desk/prompts/en.yaml")),
    ("surveys/csat.yaml", include_str!("desk/surveys/csat.yaml")),
    ("tickets/noise.yaml", include_str!("desk/tickets/noise.yaml")),
];

fn hotline() -> Checked {
    let sources = Sources::new(HOTLINE);
    let report = check(&parse(&sources), &BTreeMap::new());
    report.checked.unwrap_or_else(|| {
        panic!(
            "{}",
            diagnostics::render(&report.diagnostics, &sources, diagnostics::Color::Never)
        )
    })
}

fn read(hotline: &Checked, text: &str) -> Scenario {
    let sources = Sources::new([("tests/a.yaml", text)]);
    let mut read = scenario::read(&sources, hotline, &BTreeMap::new());
    read.scenarios
        .pop()
        .unwrap_or_else(|| panic!("{:#?}", read.diagnostics))
}

fn played(script: &str) -> (Checked, Scenario, Played) {
    let hotline = hotline();
    let text = format!("scenario: a test\ncall: {{ number: \"100\", from: \"+8613800138000\" }}\n{script}");
    let scenario = read(&hotline, &text);
    let interfaces = BTreeMap::new();
    let played = play(&hotline, &scenario, Mocks::new(&scenario, &interfaces));
    (hotline, scenario, played)
}

/// Plays a script that passes, and again as it is kept.
fn passes(script: &str) {
    let (hotline, _, played) = played(script);
    assert_eq!(played.mismatch, None, "{:#?}", played.rows);
    let kept = keep(&hotline, &BTreeMap::new(), "kept", None, &played.events).unwrap();
    assert_eq!(
        kept.differs,
        None,
        "{}",
        kept.scenario.to_yaml(&hotline.time_zone)
    );
    let again = read(&hotline, &kept.scenario.to_yaml(&hotline.time_zone));
    let interfaces = BTreeMap::new();
    let again = play(&hotline, &again, Mocks::new(&again, &interfaces));
    assert_eq!(again.mismatch, None, "what is kept passes as it is read");
}

/// Plays a script that fails, and gives why.
fn fails(script: &str) -> String {
    let (_, _, played) = played(script);
    played.mismatch.expect("the script does not fit").why
}

#[test]
fn an_agent_who_answers_by_themselves_serves_the_caller() {
    passes(
        "agents: { zhang-wei: { state: available, answers-after: 5s } }
script:
  - hears: topics
  - presses: 1
  - agent: { ends: zhang-wei }
  - hears: score
  - presses: 5
  - hears: bye
  - expect: { ended: completed, not-heard: offer }
",
    );
}

#[test]
fn an_agent_answers_when_the_script_says_so() {
    passes(
        "agents: { li-na: { state: away } }
script:
  - presses: 1
  - hears: music
  - wait: 30s
  - hears: { prompt: place, text: number 1 }
  - agent: { comes: li-na }
  - agent: { answers: li-na }
  - agent: { ends: li-na }
  - hears: score
  - wait: 20s
  - expect: { ended: completed }
",
    );
}

#[test]
fn who_will_not_wait_is_rung_back() {
    passes(
        "script:
  - presses: 1
  - hears: music
  - wait: 60s
  - hears: offer
  - presses: 1
  - hears: bye
  - expect: { callback: { within: 30m, queue: general }, ended: completed, notified: false }
",
    );
}

#[test]
fn a_place_in_the_queue_survives_a_restart() {
    passes(
        "script:
  - presses: 1
  - hears: music
  - wait: 10s
  - restarts: 2s
  - wait: 60s
  - hears: offer
  - hangs-up: true
  - expect: { ended: abandoned }
",
    );
}

#[test]
fn tickets_messages_and_events_are_played() {
    passes(
        "script:
  - presses: 2
  - expect: { ticket: { class: noise }, notified: true, step: wait-for-it }
  - wait: 1h
  - happens: ticket.closed
  - hears: bye
  - expect: { ended: completed }
",
    );
}

#[test]
fn transfers_come_to_what_the_script_says() {
    passes(
        "script:\n  - presses: 9\n  - transfer: answered\n  - wait: 60s\n  - transfer: ended\n  - hears: bye\n  - expect: { ended: completed }\n",
    );
    passes(
        "script:\n  - presses: 9\n  - transfer: busy\n  - hears: sorry\n  - expect: { ended: unserved }\n",
    );
}

#[test]
fn a_failure_says_what_happened_instead() {
    for (script, part) in [
        (
            "script: [{ hears: bye }]",
            "`topics`, and in `topics` it waits for keys 129",
        ),
        (
            "script: [{ presses: 2 }, { expect: { callback: true } }]",
            "no callback",
        ),
        (
            "script: [{ presses: 2 }, { expect: { ended: completed } }]",
            "has not ended",
        ),
        (
            "script: [{ presses: 1 }, { agent: { answers: li-na } }, { hears: bye }]",
            "li-na",
        ),
        (
            "script: [{ presses: 2 }, { says: hello }, { hears: bye }]",
            "was not taken",
        ),
        (
            "script: [{ presses: 2 }, { expect: { vars: { ticket_number: x } } }]",
            "`ticket_number` is \"",
        ),
        (
            "script: [{ presses: 9 }, { transfer: busy }, { expect: { not-heard: sorry } }]",
            "sorry was heard",
        ),
    ] {
        let why = fails(&format!("{script}\n"));
        assert!(why.contains(part), "{script}: {why}");
    }
}

#[test]
fn coverage_tells_what_no_scenario_met() {
    let (hotline, _, played) =
        played("script: [{ presses: 2 }, { happens: ticket.closed }, { hears: bye }]\n");
    let mut coverage = Coverage::default();
    coverage.add(&hotline, &played.events);
    let report = coverage.report(&hotline);
    let flow = &report.flows[0];
    assert_eq!((flow.steps.met, flow.steps.all), (6, 13), "{flow:#?}");
    assert_eq!(flow.keys_never_pressed, [("topics".into(), '1')]);
    let missed = |step: &str, way: &str| {
        flow.ways_never_taken
            .iter()
            .any(|(of, missed)| of.as_str() == step && missed == way)
    };
    assert!(missed("report", "duplicate") && missed("wait-for-it", "timeout"));
    assert!(
        !missed("human", "full"),
        "a step that nobody entered is missed as a whole"
    );
    let heard: Vec<_> = report
        .prompts_never_heard
        .iter()
        .map(trunkline_model::PromptKey::as_str)
        .collect();
    assert!(
        heard.contains(&"music") && !heard.contains(&"topics"),
        "{heard:?}"
    );
}

/// A hotline whose flow begins because of a change, and tells whom it concerns.
const OUTBOUND: &str = "--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { \"12345\": { flow: main } }
plugins:
  works: { component: plugins/works.wasm, department: roads }
feeds: { road-works: { call: works.changes, every: 5m, key: id, to: works.affected } }
--- flows/main.yaml
flow: main
start: done
steps: { done: { end: completed } }
--- flows/works.yaml
flow: works
starts-on: feed.road-works
inputs: { change: works.change }
start: pause
steps:
  pause: { when: \"${change.id == 'later'}\", wait: 1h, next: tell }
  tell:
    notify: { say: { zh-CN: \"施工：{change.text}\", en: \"Works: {change.text}\" } }
    on: { failed: untold }
    next: done
  untold: { end: untold }
  done: { end: completed }
";

#[test]
fn a_change_begins_a_contact_that_nobody_called_for() {
    use trunkline_flow::{check, check::harness, parse, scenario};
    let sources = harness::files(&format!(
        "{OUTBOUND}--- tests/a-told.yaml
scenario: whom it concerns is told, after a while
starts-on: feed.road-works
change: {{ id: later, text: 一号路 }}
to: \"+8613800138000\"
script:
  - expect: {{ notified: true, ended: completed }}
--- tests/b-nobody.yaml
scenario: a change that concerns nobody is told to nobody
starts-on: feed.road-works
change: {{ id: w-1, text: 一号路 }}
script:
  - expect: {{ notified: false, ended: untold }}
"
    ));
    let interfaces = harness::interfaces();
    let report = check(&parse(&sources), &interfaces);
    let hotline = report
        .checked
        .unwrap_or_else(|| panic!("{:#?}", report.diagnostics));
    let read = scenario::read(&sources, &hotline, &interfaces);
    assert!(read.diagnostics.is_empty(), "{:#?}", read.diagnostics);
    for scenario in &read.scenarios {
        let played = play(&hotline, scenario, Mocks::new(scenario, &interfaces));
        assert!(played.passed(), "{}: {:?}", scenario.name, played.mismatch);
        // What is kept of it begins in the same way.
        let kept = keep(&hotline, &interfaces, "kept", None, &played.events).unwrap();
        assert_eq!(kept.differs, None);
        assert_eq!(kept.scenario.starts, scenario.starts);
        assert_eq!(kept.scenario.call.from, scenario.call.from);
    }
    let waited = play(
        &hotline,
        &read.scenarios[0],
        Mocks::new(&read.scenarios[0], &interfaces),
    );
    assert_eq!(waited.lasted.as_millis(), 3_600_000);
}
