//! One step of a command, shown while it runs: what is done, how far it is, how long it took.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

use crate::stopwatch::{Stopwatch, in_words};

/// How often a running step is drawn again.
const REDRAW_EVERY: Duration = Duration::from_millis(120);

/// A step under way. On a terminal it is a line that moves; else it is a line when it begins
/// and one when it ends.
pub(crate) struct Step {
    title: String,
    watch: Stopwatch,
    bar: Option<ProgressBar>,
}

impl Step {
    /// Begins a step.
    pub(crate) fn begin(title: impl Into<String>) -> Self {
        let title = title.into();
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            bar.set_style(style("{spinner:.cyan} {prefix}  {elapsed:.dim}  {wide_msg:.dim}"));
            bar.set_prefix(title.clone());
            bar.enable_steady_tick(REDRAW_EVERY);
            bar
        });
        if bar.is_none() {
            anstream::eprintln!("- {title} ...");
        }
        Self {
            title,
            watch: Stopwatch::start(),
            bar,
        }
    }

    /// Whether the step is drawn on a terminal.
    pub(crate) const fn is_live(&self) -> bool {
        self.bar.is_some()
    }

    /// Shows what the step is busy with.
    pub(crate) fn detail(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(what.to_owned());
        }
    }

    /// Shows how far the step is.
    pub(crate) fn count(&self, done: u64, of: u64) {
        let Some(bar) = &self.bar else { return };
        if bar.length() != Some(of) {
            bar.set_length(of);
            bar.set_style(style(
                "{spinner:.cyan} {prefix}  {elapsed:.dim}  {bar:24.cyan/dim} {pos}/{len}  {wide_msg:.dim}",
            ));
        }
        bar.set_position(done);
    }

    /// Prints something above the step.
    pub(crate) fn print(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| anstream::eprintln!("{text}")),
            None => anstream::eprintln!("{text}"),
        }
    }

    /// Ends the step well, with a word on the result.
    pub(crate) fn done(self, result: &str) {
        let green = anstyle::AnsiColor::Green.on_default();
        self.end(&format!("{green}✓{green:#}"), result);
    }

    /// Ends the step badly.
    pub(crate) fn failed(self) {
        let red = anstyle::AnsiColor::Red.on_default();
        self.end(&format!("{red}✗{red:#}"), "failed");
    }

    fn end(self, mark: &str, result: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let dim = anstyle::Style::new().dimmed();
        let time = in_words(self.watch.elapsed());
        let result = if result.is_empty() {
            String::new()
        } else {
            format!(": {result}")
        };
        anstream::eprintln!("{mark} {}{result} {dim}({time}){dim:#}", self.title);
    }

    /// Runs something as a step, which ends well or badly with it.
    pub(crate) fn run<T>(
        title: impl Into<String>,
        work: impl FnOnce(&Self) -> anyhow::Result<T>,
        result: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<T> {
        let step = Self::begin(title);
        match work(&step) {
            Ok(value) => {
                step.done(&result(&value));
                Ok(value)
            }
            Err(error) => {
                step.failed();
                Err(error)
            }
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .progress_chars("━╸─")
}
