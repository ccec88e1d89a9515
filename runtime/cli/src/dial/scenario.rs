//! A scenario's file as the script of a call: what plugins and services answer stands in it.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use trunkline_flow::{
    Sources,
    diagnostics::{Color, render_in},
    scenario::{self, FOLDER},
};
use trunkline_scenario::{Mocks, play, seconds_at, told};

use crate::{
    check,
    exit::{Exit, Failure, Outcome},
    test::run::Cast,
    tongue::tongue,
};

/// Whether a script is a scenario, by its name.
pub(super) fn is_scenario(script: &Path) -> bool {
    script.extension().is_some_and(|extension| extension == "yaml")
}

/// Plays a scenario and tells all that happens, with the seconds since the answer: of the virtual clock,
/// and of what is said, as long as that takes on a telephone.
pub(super) async fn run(folder: &Path, script: &Path) -> Outcome {
    let text = std::fs::read_to_string(script)
        .with_context(|| format!("failed to read {}", script.display()))
        .map_err(Failure::usage)?;
    let name = script.file_name().unwrap_or_default().to_string_lossy();
    let sources = Sources::new([(format!("{FOLDER}/{name}"), text)]);
    let cast = Cast::of(&check::load(folder).await?);
    let read = scenario::read(&sources, &cast.hotline, &cast.interfaces);
    anstream::eprint!(
        "{}",
        render_in(&read.diagnostics, &sources, Color::Always, tongue())
    );
    let Some(scenario) = read.scenarios.first() else {
        return Err(anyhow!("{} cannot be played; mend the findings first", script.display()).into());
    };
    let dim = anstyle::Style::new().dimmed();
    anstream::println!("{dim}-- {}{dim:#}", scenario.name);
    let played = play(&cast.hotline, scenario, Mocks::new(scenario, &cast.interfaces));
    for (event, seconds) in played.events.iter().zip(seconds_at(&played.events)) {
        if let Some(line) = told(event) {
            anstream::println!("{dim}{seconds:5.0} s{dim:#}  {line}");
        }
    }
    match &played.mismatch {
        None => Ok(Exit::Done),
        Some(mismatch) => {
            let place = mismatch
                .place
                .map_or_else(String::new, |place| format!(":{}", place.line));
            anstream::eprintln!("{}{place}: {}", script.display(), mismatch.why);
            Ok(Exit::Findings)
        }
    }
}
