//! Where log lines go and how they look: to standard error, as text for people or as JSON.

use std::io::IsTerminal;

use clap::{Args, ValueEnum};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// What a server logs when nobody says otherwise: what happens, but for the stores' own diaries.
pub(crate) const SERVER: &str = "info,fjall=warn,lsm_tree=warn,sled=warn";

/// What is logged, and how.
#[derive(Args, Clone, Debug)]
pub(crate) struct Logging {
    /// How log lines look; they go to standard error
    #[arg(long, value_enum, default_value_t = Format::Pretty, env = "TRUNKLINE_LOG")]
    pub(crate) log: Format,
    /// What is logged: error, warn, info, debug, trace, or per part as in RUST_LOG, which counts
    /// when this is left out
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One line of text each
    Pretty,
    /// One JSON object each
    Json,
}

impl Logging {
    /// Begins to log. `default` is what is logged when nobody says otherwise.
    ///
    /// # Errors
    /// The level is none.
    pub(crate) fn begin(&self, default: &str) -> anyhow::Result<()> {
        let written = match &self.log_level {
            Some(level) => level.clone(),
            None => std::env::var("RUST_LOG")
                .ok()
                .filter(|level| !level.is_empty())
                .unwrap_or_else(|| default.to_owned()),
        };
        let filter = EnvFilter::builder()
            .parse(without_messages(&written))
            .map_err(|error| {
                anyhow::anyhow!(
                    "{written:?} says not what to log ({error}); write --log-level info, or like \
                 --log-level warn,trunkline_node=debug"
                )
            })?;
        let registry = tracing_subscriber::registry().with(filter);
        match self.log {
            Format::Json => registry
                .with(
                    fmt::layer()
                        .json()
                        .flatten_event(true)
                        .with_writer(std::io::stderr),
                )
                .init(),
            Format::Pretty => {
                let colored = std::io::stderr().is_terminal()
                    && anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
                registry
                    .with(
                        fmt::layer()
                            .compact()
                            .with_ansi(colored)
                            .with_writer(std::io::stderr),
                    )
                    .init();
            }
        }
        Ok(())
    }
}

/// With the directive that silences the SIP stack, unless it is named.
fn without_messages(written: &str) -> String {
    let stack = trunkline_phone::LOG_DIRECTIVE;
    let target = |directive: &str| directive.trim().split(['=', ':', '[']).next().map(str::to_owned);
    if written
        .split(',')
        .any(|directive| target(directive) == target(stack))
    {
        return written.to_owned();
    }
    format!("{written},{stack}")
}

/// Begins to log for a command that has no options for it: warnings only, unless RUST_LOG says
/// otherwise.
pub(crate) fn begin_quietly() {
    let logging = Logging {
        log: Format::Pretty,
        log_level: None,
    };
    if let Err(error) = logging.begin("error") {
        anstream::eprintln!("{error}; nothing is logged");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_logged_only_where_somebody_asks_for_them() {
        for written in [SERVER, "debug", "warn,trunkline_sip=trace"] {
            let filter = EnvFilter::builder().parse(without_messages(written)).unwrap();
            assert!(filter.to_string().contains("rsipstack=off"), "{filter}");
        }
        assert_eq!(without_messages("info,rsipstack=debug"), "info,rsipstack=debug");
    }
}
