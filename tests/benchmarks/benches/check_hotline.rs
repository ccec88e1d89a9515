//! The check of a hotline: every rule of the language and of the rule packs, by the number of steps.
//!
//! The floor is reading the same files with the YAML scanner alone, in the same run. Printed besides:
//! how the time grows from one size to the next, which shows whether the proofs stay near-linear.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "benchmarks print, and measure by the clock"
)]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use benchmarks::print_machine;
use trunkline_flow::{Severity, Sources, check, parse};
use trunkline_model::{
    PluginName, Type,
    json::record_type,
    signature::{Errors, Interface, Parameter, Signature},
    types::Case,
};

/// Steps of the hotlines that are checked.
const SIZES: [usize; 4] = [100, 1_000, 2_000, 10_000];

/// Runs of each; the median counts.
const RUNS: usize = 9;

/// Steps of one flow below the first.
const FLOW_STEPS: usize = 50;

fn main() {
    print_machine("check-hotline");
    println!("check with cn-12345 and accessibility, against the YAML scanner alone ({RUNS} runs, median)");
    println!(
        "{:>7}  {:>10}  {:>10}  {:>7}  {:>12}",
        "steps", "check", "scan", "ratio", "us per step"
    );
    let mut before: Option<(usize, Duration)> = None;
    for steps in SIZES {
        let sources = hotline(steps);
        let interfaces = interfaces();
        let checked = median(|| {
            let report = check(&parse(&sources), &interfaces);
            let errors: Vec<_> = report
                .diagnostics
                .iter()
                .filter(|finding| finding.severity == Severity::Error)
                .collect();
            assert!(errors.is_empty(), "{errors:#?}");
        });
        let scanned = median(|| {
            for text in sources.files.values() {
                let events = saphyr_parser::Parser::new_from_str(text);
                assert!(events.into_iter().all(|event| event.is_ok()));
            }
        });
        println!(
            "{steps:>7}  {:>7.2} ms  {:>7.2} ms  {:>6.1}x  {:>12.1}",
            millis(checked),
            millis(scanned),
            checked.as_secs_f64() / scanned.as_secs_f64(),
            checked.as_secs_f64() * 1e6 / steps as f64,
        );
        if let Some((smaller, time)) = before {
            let exponent =
                (checked.as_secs_f64() / time.as_secs_f64()).ln() / (steps as f64 / smaller as f64).ln();
            println!("         from {smaller} to {steps} steps it grows as steps^{exponent:.2}");
        }
        before = Some((steps, checked));
    }
}

fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[RUNS / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A hotline of about so many steps: a first menu that leads to flows of menus, questions, calls,
/// conditions and prompts, all with a human within reach.
fn hotline(steps: usize) -> Sources {
    let flows = (steps / FLOW_STEPS).max(1);
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    files.insert(
        "hotline.yaml".to_owned(),
        "hotline: large\nlanguages: [zh-CN, en]\ntime-zone: Asia/Shanghai\nnumbers: { \"12345\": { flow: main } }\n\
         plugins: { crm: { component: plugins/crm.wasm, department: civil } }\nqueues: { general: {} }\n\
         checks: [cn-12345, accessibility]\n"
            .to_owned(),
    );
    files.insert(
        "calendars/office.yaml".to_owned(),
        "calendar: office\nopen:\n  monday: [08:30-17:30]\n  tuesday: [08:30-17:30]\n  wednesday: [08:30-17:30]\n  \
         thursday: [08:30-17:30]\n  friday: [08:30-17:30]\n  saturday: []\n  sunday: []\n"
            .to_owned(),
    );
    files.insert("grants.yaml".to_owned(), "crm: { data: [phone] }\n".to_owned());
    let anywhere = "anywhere: { keys: { \"*\": human }, words: { 人工: human, 救命: urgent, 报警: urgent, 着火了: urgent, emergency: urgent } }\n";
    let mut main = format!(
        "flow: main\n{anywhere}otherwise: human\nstart: welcome\nsteps:\n  \
         welcome: {{ say: welcome, notice: synthetic-voice, next: privacy }}\n  \
         privacy: {{ say: privacy, notice: privacy, next: group-0 }}\n"
    );
    let groups = flows.div_ceil(8);
    for group in 0..groups {
        let keys: Vec<String> = (0..8.min(flows - group * 8))
            .map(|key| format!("{}: run-{}", key + 1, group * 8 + key))
            .collect();
        let more = if group + 1 < groups {
            format!(", 0: group-{}", group + 1)
        } else {
            String::new()
        };
        let _ = writeln!(
            main,
            "  group-{group}: {{ menu: topics, keys: {{ {}{more} }}, on: {{ else: human }} }}",
            keys.join(", ")
        );
    }
    for flow in 0..flows {
        let _ = writeln!(
            main,
            "  run-{flow}: {{ run: part-{flow}, on: {{ refused: human }}, next: more }}"
        );
        files.insert(format!("flows/part-{flow}.yaml"), part(flow));
    }
    main.push_str(
        "  more: { menu: topics, keys: { 1: group-0, 2: goodbye }, on: { else: goodbye } }\n  \
         goodbye: { say: goodbye, next: done }\n  \
         human: { queue: general, on: { else: ring-back }, next: done }\n  \
         ring-back: { callback: { within: 30m, queue: general, window: office }, on: { duplicate: goodbye, refused: desk }, next: goodbye }\n  \
         desk: { transfer: \"057100001234\", staffed: true, on: { else: sorry }, next: done }\n  \
         sorry: { say: goodbye, next: done }\n  \
         urgent: { transfer: \"110\", on: { else: human }, next: done }\n  \
         done: { end: completed }\n",
    );
    files.insert("flows/main.yaml".to_owned(), main);
    for language in ["zh-CN", "en"] {
        let mut prompts = String::new();
        for key in ["welcome", "privacy", "topics", "goodbye", "question", "told"] {
            let _ = writeln!(prompts, "{key}: 请按键选择您需要的服务 {key}");
        }
        files.insert(format!("prompts/{language}.yaml"), prompts);
    }
    Sources::new(files)
}

fn part(flow: usize) -> String {
    let mut text = format!(
        "flow: part-{flow}\nvars: {{ citizen: crm.citizen?, n: {{ type: int, is: 0 }}, words: string? }}\notherwise: refused\nstart: s0\nsteps:\n"
    );
    let count = FLOW_STEPS - 3;
    for step in 0..count {
        let next = if step + 1 < count {
            format!("s{}", step + 1)
        } else {
            "done".to_owned()
        };
        let line = match step % 6 {
            0 => format!(
                "{{ menu: topics, keys: {{ 1: {next}, 2: refused, 3: done }}, on: {{ else: refused }} }}"
            ),
            1 => format!(
                "{{ ask: question, answer: text, save: words, on: {{ else: refused }}, next: {next} }}"
            ),
            2 => format!(
                "{{ call: crm.find-citizen, with: {{ phone: \"${{words}}\" }}, save: citizen, time: 2s, on: {{ not-found: {next}, else: refused }}, next: {next} }}"
            ),
            3 => format!(
                "{{ choose: [{{ when: \"${{has(citizen) && n < 3}}\", next: {next} }}, {{ else: {next} }}] }}"
            ),
            4 => format!("{{ set: {{ n: \"${{n + 1}}\" }}, next: {next} }}"),
            _ => format!("{{ say: told, next: {next} }}"),
        };
        let _ = writeln!(text, "  s{step}: {line}");
    }
    text.push_str("  refused: { end: refused }\n  done: { end: completed }\n");
    text
}

fn interfaces() -> BTreeMap<PluginName, Arc<Interface>> {
    let citizen = record_type(Some("citizen"), [("id", Type::String), ("name", Type::String)]);
    let function = Signature {
        function: "civil:crm/citizens@1.0.0#find-citizen".into(),
        interface: Some("citizens".into()),
        name: "find-citizen".into(),
        parameters: vec![Parameter {
            name: "phone".into(),
            ty: Type::String,
        }],
        ok: Some(citizen.clone()),
        errors: Errors::Cases(vec![Case {
            name: "not-found".into(),
            payload: None,
        }]),
        docs: None,
    };
    let interface = Interface {
        functions: vec![function],
        types: BTreeMap::from([("citizen".into(), citizen)]),
        data: None,
    };
    BTreeMap::from([("crm".into(), Arc::new(interface))])
}
