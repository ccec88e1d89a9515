//! The corpus of `tests/corpus`: hotlines without findings, and hotlines with one defect each that is
//! found where it stands. The script that comes with a finding is played, and shows it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stderr, reason = "a failing hotline is named")]

use std::{fs, path::PathBuf};

use trunkline_engine::{Event, Fact, service::Demand};
use trunkline_flow::{
    Code, Diagnostic, Rules, Sources, check,
    check::harness,
    check_with, diagnostics, parse,
    prove::{Witness, witness::Move},
    scenario,
};
use trunkline_scenario::{Mocks, Played, play, seconds_at};

/// The hotlines in a folder of the corpus: their names and texts.
fn hotlines(folder: &str) -> Vec<(String, String)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus");
    let mut found: Vec<(String, String)> = fs::read_dir(root.join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "hotline"))
        .map(|path| {
            (
                path.file_stem().unwrap().to_string_lossy().into_owned(),
                fs::read_to_string(path).unwrap(),
            )
        })
        .collect();
    found.sort();
    found
}

/// Runs a test on each hotline of a folder, and reports all that fail.
fn each(folder: &str, least: usize, test: impl Fn(&str, &str) + std::panic::RefUnwindSafe) {
    let hotlines = hotlines(folder);
    assert!(
        hotlines.len() >= least,
        "{folder} has {} hotlines",
        hotlines.len()
    );
    let failed: Vec<&str> = hotlines
        .iter()
        .filter(|(name, text)| {
            let result = std::panic::catch_unwind(|| test(name, text));
            result
                .inspect_err(|_| eprintln!("^ {folder}/{name}.hotline\n"))
                .is_err()
        })
        .map(|(name, _)| name.as_str())
        .collect();
    assert!(failed.is_empty(), "{} failed: {failed:?}", failed.len());
}

#[test]
fn clean_hotlines_have_no_findings() {
    each("clean", 20, |_, text| {
        assert_eq!(harness::expected(&harness::files(text)), []);
        harness::assert_findings(text);
    });
}

#[test]
fn the_defect_of_each_hotline_is_found_where_it_stands() {
    each("defects", 60, |_, text| {
        assert_eq!(harness::expected(&harness::files(text)).len(), 1);
        harness::assert_findings(text);
    });
}

#[test]
fn foreign_hotlines_have_the_findings_that_a_reader_makes() {
    each("foreign", 12, |_, text| harness::assert_findings(text));
}

#[test]
fn the_scripts_of_findings_show_them() {
    each("defects", 60, |_, text| assert_scripts(text));
    each("foreign", 12, |_, text| assert_scripts(text));
}

/// Plays the script of every finding of a hotline.
fn assert_scripts(text: &str) {
    let sources = harness::files(text);
    let interfaces = harness::interfaces();
    let report = check(&parse(&sources), &interfaces);
    let proved: Vec<&Diagnostic> = report
        .diagnostics
        .iter()
        .filter(|finding| finding.clause.is_some())
        .collect();
    for finding in proved {
        let Some(witness) = &finding.witness else {
            assert!(
                finding.code == Code::ElderlyMustPress,
                "{} has no script",
                finding.code
            );
            continue;
        };
        let played = played(&sources, finding, witness);
        shows(finding, witness, &played);
    }
}

/// Plays a finding's script on the hotline that has it.
fn played(sources: &Sources, finding: &Diagnostic, witness: &Witness) -> Played {
    let interfaces = harness::interfaces();
    let text = witness.to_scenario(&finding.message);
    let checked = check_with(&parse(sources), &interfaces, Rules::Reported)
        .checked
        .unwrap();
    let script = Sources::new([("tests/broken.yaml", text.clone())]);
    let read = scenario::read(&script, &checked, &interfaces);
    let shown = diagnostics::render(&read.diagnostics, &script, diagnostics::Color::Never);
    assert!(read.diagnostics.is_empty(), "{text}\n{shown}");
    let scenario = &read.scenarios[0];
    let played = play(&checked, scenario, Mocks::new(scenario, &interfaces));
    let rows: Vec<String> = trunkline_scenario::sheet::lines(&played.rows, 120)
        .into_iter()
        .map(|(_, line)| line)
        .collect();
    assert!(
        played.passed(),
        "{text}\n{}\n{:?}",
        rows.join("\n"),
        played.mismatch
    );
    played
}

/// Whether an event asks for people, or for the promise of a ring-back.
fn is_for_people(event: &Event) -> bool {
    match &event.fact {
        Fact::ServiceAsked { demand, .. } => {
            matches!(demand, Demand::Queue { .. } | Demand::Callback { .. })
        }
        _ => false,
    }
}

/// The names between backticks in a message, in order.
fn names(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

/// The events from when a step was entered last.
fn since<'e>(events: &'e [Event], name: &str) -> &'e [Event] {
    let entered = events
        .iter()
        .rposition(|event| matches!(&event.fact, Fact::StepEntered { step } if step.as_str() == name));
    &events[entered.unwrap_or_else(|| panic!("{name} was not entered"))..]
}

/// What a finding says is what came of its script.
fn shows(finding: &Diagnostic, witness: &Witness, played: &Played) {
    let events = &played.events;
    let message = &finding.message;
    let inputs = |events: &[Event]| {
        events
            .iter()
            .filter(|event| matches!(event.fact, Fact::Heard { .. }))
            .count()
    };
    let said = |events: &[Event]| events.iter().any(|event| matches!(event.fact, Fact::Said { .. }));
    let number = |before: &str| -> f64 {
        let words = message.split(before).next().unwrap().split(' ');
        words.rev().find_map(|word| word.parse().ok()).unwrap()
    };
    // The name is the flow's then.
    let of_flow = message.starts_with("from the beginning");
    match finding.code {
        Code::HumanOutOfReach if message.contains("cannot be reached") && !of_flow => {
            let step = *names(message).last().unwrap();
            // What is asked of the step itself may be people who then were not there.
            let after = since(events, step)
                .iter()
                .filter(|event| is_for_people(event))
                .count();
            let itself = usize::from(is_for_people(
                since(events, step)
                    .iter()
                    .find(|event| matches!(event.fact, Fact::ServiceAsked { .. } | Fact::StepFinished { .. }))
                    .unwrap(),
            ));
            assert_eq!(after, itself, "people were reached");
        }
        Code::HumanOutOfReach if message.contains("leads to a human") || of_flow => {
            assert!(!events.iter().any(is_for_people), "people were reached");
        }
        Code::HumanOutOfReach if message.contains("input") => {
            let here = since(events, names(message)[0]);
            let until = here.iter().position(is_for_people).unwrap();
            assert!(inputs(&here[..until]) >= number(" input") as usize, "{message}");
        }
        // How long it takes is said as it is on a telephone.
        Code::HumanOutOfReach | Code::HumanTooLate => {
            let people = events.iter().position(is_for_people).unwrap();
            let began = names(message)
                .first()
                .copied()
                .filter(|_| finding.code == Code::HumanOutOfReach);
            let from = began.map_or(0, |step| events.len() - since(events, step).len());
            let at = seconds_at(events);
            let allowed = number(" s are allowed");
            assert!(
                at[people] - at[from] > allowed,
                "{} s, {message}",
                at[people] - at[from]
            );
        }
        Code::MenuBeforeHuman | Code::ElderlyMustPress => {
            assert!(!events.iter().any(is_for_people), "people were reached");
        }
        Code::EmergencyUnheard => {
            let heard = events
                .iter()
                .rposition(|event| matches!(event.fact, Fact::Heard { .. }))
                .unwrap();
            // The first that happens is neither people nor a transfer, if anything does.
            let first = events[heard..].iter().find(|event| {
                matches!(
                    &event.fact,
                    Fact::ServiceAsked { .. } | Fact::CallRequested { .. } | Fact::Asked { .. }
                )
            });
            let out = first.is_some_and(|event| {
                let transfer = matches!(
                    &event.fact,
                    Fact::ServiceAsked {
                        demand: Demand::Transfer { .. },
                        ..
                    }
                );
                transfer || is_for_people(event)
            });
            assert!(!out, "the caller got out");
        }
        Code::NoNotice if message.contains("consent") => {
            let given = |event: &Event| matches!(event.fact, Fact::Consent { .. });
            assert!(!events.iter().any(given), "the caller agreed");
        }
        Code::NoNotice => {
            let before = events.len() - since(events, names(message)[0]).len();
            let told = events[..before].iter().any(|event| {
                matches!(&event.fact, Fact::Said { notice: Some(notice), .. } if **notice != *"synthetic-voice")
            });
            assert!(!told, "the caller was told");
        }
        Code::DataNotGranted => {
            let plugin = names(message)[0];
            let called = events.iter().any(|event| {
                matches!(&event.fact, Fact::CallRequested { plugin: of, .. } if of.as_str() == plugin)
            });
            assert!(called, "{plugin} was not called");
        }
        Code::SyntheticVoice => {
            let synthetic = |event: &&Event| matches!(&event.fact, Fact::Said { .. });
            let first = events.iter().find(synthetic).unwrap();
            let announced = matches!(&first.fact, Fact::Said { notice: Some(notice), .. } if **notice == *"synthetic-voice");
            assert!(!announced, "it was announced");
        }
        Code::NoCallingWindow => assert!(events.iter().any(|event| {
            matches!(
                &event.fact,
                Fact::ServiceAsked {
                    demand: Demand::Callback { window: None, .. },
                    ..
                }
            )
        })),
        Code::SilentEnd => {
            let step = names(message)[1];
            let here = since(events, step);
            let left = here.iter().position(
                |event| matches!(&event.fact, Fact::StepFinished { step: of, .. } if of.as_str() == step),
            );
            assert!(!said(&here[left.unwrap()..]), "something was said");
            assert!(witness.ended.is_some());
        }
        Code::TooLittleTime => drop(since(events, names(message)[0])),
        Code::MorePresses => {
            let pressed: usize = witness
                .script
                .iter()
                .map(|step| match step {
                    Move::Presses(keys) => keys.chars().count(),
                    _ => 0,
                })
                .sum();
            let taken = number(" press");
            assert_eq!(pressed, taken as usize, "{message}");
        }
        code => panic!("nothing is said of how {code} is shown"),
    }
}
