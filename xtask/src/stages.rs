//! Several stages, one after the other, and what became of each.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;

use crate::stopwatch::{Stopwatch, in_words};

/// What stages there were and how they ended.
pub(crate) struct Stages {
    watch: Stopwatch,
    ended: Vec<Stage>,
}

struct Stage {
    title: String,
    time: Duration,
    error: Option<anyhow::Error>,
}

impl Stages {
    /// Begins.
    pub(crate) fn begin() -> Self {
        Self {
            watch: Stopwatch::start(),
            ended: Vec::new(),
        }
    }

    /// Runs a stage with its output shown as it comes. Whether it went well.
    pub(crate) fn run(&mut self, title: &str, work: impl FnOnce() -> Result<()>) -> bool {
        let bold = anstyle::Style::new().bold();
        anstream::eprintln!("\n{bold}== {title}{bold:#}");
        let watch = Stopwatch::start();
        let error = work().err();
        if let Some(error) = &error {
            anstream::eprintln!("{error:#}");
        }
        let well = error.is_none();
        self.ended.push(Stage {
            title: title.to_owned(),
            time: watch.elapsed(),
            error,
        });
        well
    }

    /// Prints what became of each stage; fails if one did.
    pub(crate) fn sum_up(self) -> ExitCode {
        let bold = anstyle::Style::new().bold();
        let green = anstyle::AnsiColor::Green.on_default();
        let red = anstyle::AnsiColor::Red.on_default();
        anstream::eprintln!("\n{bold}== summary{bold:#}");
        for stage in &self.ended {
            let time = in_words(stage.time);
            match &stage.error {
                None => anstream::eprintln!("{green}✓{green:#} {:<44} {time:>12}", stage.title),
                Some(error) => {
                    anstream::eprintln!("{red}✗{red:#} {:<44} {time:>12}  {error:#}", stage.title);
                }
            }
        }
        let failed = self.ended.iter().filter(|stage| stage.error.is_some()).count();
        let time = in_words(self.watch.elapsed());
        if failed == 0 {
            anstream::eprintln!("{green}all {} stages passed{green:#} in {time}", self.ended.len());
            ExitCode::SUCCESS
        } else {
            anstream::eprintln!(
                "{red}{failed} of {} stages failed{red:#} in {time}",
                self.ended.len()
            );
            ExitCode::FAILURE
        }
    }
}
