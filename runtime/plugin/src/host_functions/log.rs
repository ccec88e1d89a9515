//! `trunkline:host/log`: lines for the operator, bounded by rate.

use super::bindings::trunkline::host::log::{Host, Level};
use crate::{guest::Guest, limits::LOG_LINE_BYTES_MAX};

impl Host for Guest {
    fn write(&mut self, level: Level, message: String) {
        if let Some(probe) = &self.call.probe {
            probe.log_line(name(level), cut(&message));
        }
        let plugin = &self.plugin;
        if !plugin.may_log() {
            return;
        }
        let line = cut(&message);
        let (plugin, call) = (&plugin.name, &self.call.id);
        match level {
            Level::Debug => tracing::debug!(target: TARGET, %plugin, %call, "{line}"),
            Level::Info => tracing::info!(target: TARGET, %plugin, %call, "{line}"),
            Level::Warn => tracing::warn!(target: TARGET, %plugin, %call, "{line}"),
            Level::Error => tracing::error!(target: TARGET, %plugin, %call, "{line}"),
        }
    }
}

/// Where plugins' own lines go, to be told from the host's.
pub(crate) const TARGET: &str = "trunkline::plugin";

const fn name(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

/// What of a message stands in a line.
pub(crate) fn cut(message: &str) -> &str {
    let mut end = message.len().min(LOG_LINE_BYTES_MAX);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    &message[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let line = "好".repeat(LOG_LINE_BYTES_MAX);
        let kept = cut(&line);
        assert!(kept.len() > LOG_LINE_BYTES_MAX - 3 && kept.len() <= LOG_LINE_BYTES_MAX);
        assert!(kept.chars().all(|char| char == '好'));
    }
}
