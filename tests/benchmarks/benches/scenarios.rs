//! Promise: 1,000 scenarios are read, typed and played in at most 3 seconds. Compared with the
//! floor of the engine alone deciding the same inputs of the same contacts.

#![expect(clippy::print_stdout, reason = "benchmarks print")]

use std::{collections::BTreeMap, fs, hint::black_box, sync::Arc};

use anyhow::{Context as _, bail};
use benchmarks::{measure, project};
use trunkline_engine::{Event, Fact, Input, Personal, Readings, arrive, decide};
use trunkline_flow::{Checked, Sources, check, parse, scenario};
use trunkline_model::{PluginName, Timestamp, signature::Interface};
use trunkline_plugin::{Host, HostLimits, MemoryKeyValues, Settings};
use trunkline_scenario::{Mocks, arrival, play};

/// How many scenarios are played.
const SCENARIOS: usize = 1_000;

/// In how many seconds.
const SECONDS_MAX: f64 = 3.0;

type Interfaces = BTreeMap<PluginName, Arc<Interface>>;

fn main() -> anyhow::Result<()> {
    benchmarks::print_machine("scenarios");
    let runtime = tokio::runtime::Runtime::new()?;
    let (hotline, interfaces) = runtime.block_on(city())?;
    let texts = copies()?;
    let sources = Sources::new(texts);

    let mut failed = 0;
    let mut histories: Vec<Vec<Event>> = Vec::new();
    let ours = measure(|| {
        let read = scenario::read(&sources, &hotline, &interfaces);
        for scenario in &read.scenarios {
            let played = play(&hotline, scenario, Mocks::new(scenario, &interfaces));
            failed += usize::from(!played.passed());
            histories.push(played.events);
        }
        read.scenarios.len() as u64
    });
    if ours.count as usize != SCENARIOS || failed > 0 {
        bail!(
            "{} of {SCENARIOS} scenarios were played, and {failed} failed",
            ours.count
        );
    }

    // The same inputs at the same times, given to the engine with nothing around it.
    let read = scenario::read(&sources, &hotline, &interfaces);
    let inputs: Vec<Vec<(Timestamp, Input)>> = histories.iter().map(|events| inputs_of(events)).collect();
    let floor = measure(|| {
        for (scenario, inputs) in read.scenarios.iter().zip(&inputs) {
            let readings = Readings::default();
            let decision = arrive(&hotline, arrival(scenario), scenario.call.at, &readings);
            let mut session = decision.expect("the scenario was played").session;
            for (at, input) in inputs {
                session = decide(&hotline, &session, input, *at, &readings).session;
            }
            black_box(session);
        }
        SCENARIOS as u64
    });
    let seconds = ours.wall.as_secs_f64();
    println!(
        "{SCENARIOS} scenarios read, typed and played on one thread in {seconds:.3} s (promised <= {SECONDS_MAX}): {:.0} a second",
        ours.per_second()
    );
    println!(
        "the engine alone: {:.0} a second; a scenario takes {:.2} times as long",
        floor.per_second(),
        ours.wall.as_secs_f64() / floor.wall.as_secs_f64()
    );
    Ok(())
}

/// What was given to a contact, by its events.
fn inputs_of(events: &[Event]) -> Vec<(Timestamp, Input)> {
    let mut inputs = Vec::new();
    let mut last = events.first().map(|event| event.at);
    for event in events {
        let input = match (&event.fact, &event.personal) {
            (Fact::Heard { input }, Some(Personal::Utterance(utterance))) => Some(Input::Utterance {
                id: input.clone(),
                utterance: utterance.clone(),
            }),
            (Fact::HungUp { input }, _) => Some(Input::HangUp { id: input.clone() }),
            (Fact::CallAnswered { call, attempt, .. }, Some(Personal::Answer(outcome))) => {
                Some(Input::Answer {
                    call: call.clone(),
                    attempt: *attempt,
                    outcome: outcome.clone(),
                })
            }
            (Fact::Resumed { .. }, _) => Some(Input::Recovered),
            _ if Some(event.at) != last => Some(Input::TimeUp),
            _ => None,
        };
        last = Some(event.at);
        inputs.extend(input.map(|input| (event.at, input)));
    }
    inputs
}

/// The scenarios of the city's hotline, as often as it takes, each in a file of its own.
fn copies() -> anyhow::Result<Vec<(String, String)>> {
    let folder = project().join("flows/city-hotline/tests");
    let mut texts = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("failed to list {}", folder.display()))? {
        texts.push(fs::read_to_string(entry?.path())?);
    }
    texts.sort();
    Ok(texts
        .iter()
        .cycle()
        .take(SCENARIOS)
        .enumerate()
        .map(|(index, text)| (format!("tests/{index:04}.yaml"), text.clone()))
        .collect())
}

async fn city() -> anyhow::Result<(Checked, Interfaces)> {
    let folder = project().join("flows/city-hotline");
    let sources = trunkline_node::read_folder(&folder)?;
    let parsed = parse(&sources);
    let limits = HostLimits {
        guest_threads: 1,
        ..HostLimits::default()
    };
    let settings = Settings {
        limits,
        ..Settings::default()
    };
    let host = Host::start(settings, Arc::new(MemoryKeyValues::new()))?;
    let mut interfaces = Interfaces::new();
    for plugin in parsed.plugins() {
        let bytes = fs::read(folder.join(plugin.component.as_str()))?;
        let inspection = host.inspect(bytes.into()).await?;
        interfaces.insert(plugin.name.value.clone(), inspection.interface.clone());
    }
    let report = check(&parsed, &interfaces);
    let hotline = report
        .checked
        .with_context(|| format!("the city's hotline does not load: {:#?}", report.diagnostics))?;
    Ok((hotline, interfaces))
}
