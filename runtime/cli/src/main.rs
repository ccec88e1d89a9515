//! The `trunkline` binary: hotlines served, checked and called from a terminal.
//!
//! Each command is a module. What they share: [`exit`] how the program ends, [`place`] where
//! things are, [`logging`] what is logged, [`api`] the HTTP API that everybody else uses too.
//!
//! Invariant: a server is known by its public HTTP API alone; only `serve`, `check`, `lsp`, `test`,
//! `plugin` and a `dial` of a folder run anything in this process.

mod api;
mod arguments;
mod calendar;
mod check;
mod contacts;
mod dial;
mod diff;
mod drain;
mod exit;
mod explain;
mod feeds;
mod files;
mod fmt;
mod graph;

mod logging;
mod lsp;
mod mend;
mod new;
mod place;
mod plugin;
mod plugins;
#[cfg(test)]
mod reference;
mod releases;
mod report;
mod schema;
mod serve;
mod table;
mod test;
mod tongue;
mod xml;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    arguments::{Arguments, Command},
    exit::{Exit, Failure, Outcome},
};

fn main() -> ExitCode {
    // A component that is not in the cache is compiled by this program, started anew.
    if let Some(code) = trunkline_plugin::compiler::serve_if_asked() {
        return code;
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors; clap knows which stream each belongs to.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            return match error.print() {
                Ok(()) => exit.into(),
                Err(_) => Exit::Findings.into(),
            };
        }
    };
    arguments.color.apply();
    tongue::choose(arguments.lang);
    match run(&arguments) {
        Ok(exit) => exit.into(),
        Err(Failure { exit, error }) => {
            let red = anstyle::AnsiColor::Red.on_default().bold();
            anstream::eprintln!("{red}{}{red:#}: {error:#}", tongue::told("错误", "error"));
            exit.into()
        }
    }
}

fn run(arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::Serve(serve) => serve.logging.begin(logging::SERVER).map_err(Failure::usage)?,
        _ => logging::begin_quietly(),
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| anyhow::anyhow!(error).context("failed to start threads"))?;
    let outcome = runtime.block_on(async {
        match &arguments.command {
            Command::Serve(serve) => serve.run().await,
            Command::Check(check) => check.run().await,
            Command::Calendar(calendar) => calendar.run(),
            Command::Explain(explain) => explain.run(),
            Command::Fmt(fmt) => fmt.run(),
            Command::Schema(schema) => schema.run(),
            Command::Lsp(lsp) => lsp.run().await,
            Command::Dial(dial) => dial.run().await,
            Command::Test(test) => test.run().await,
            Command::Graph(graph) => graph.run().await,
            Command::Diff(diff) => diff.run().await,
            Command::New(new) => new.run(),
            Command::Plugin(plugin) => plugin.run().await,
            Command::Contacts(contacts) => contacts.run().await,
            Command::Releases(releases) => releases.run().await,
            Command::Drain(drain) => drain.run().await,
            Command::Feeds(feeds) => feeds.run().await,
            Command::Completions(completions) => Ok(completions.run()),
        }
    });
    // A read of standard input that nobody answers any more must not keep the program.
    runtime.shutdown_background();
    outcome
}
