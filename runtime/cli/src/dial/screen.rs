//! What the caller sees: lines on standard output, above the line that is being typed.

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};

use anstyle::{AnsiColor, Style};
use rustyline::ExternalPrinter;
use trunkline_channel::chat::Turn;

const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const KEYS: Style = AnsiColor::Cyan.on_default();
const TROUBLE: Style = AnsiColor::Yellow.on_default();

/// The caller's screen. Clones write to the same.
#[derive(Clone)]
pub(crate) struct Screen(Arc<Mutex<Place>>);

enum Place {
    /// Standard output, for itself.
    Plain,
    /// A terminal on which somebody types.
    Shared(Box<dyn ExternalPrinter + Send>),
}

impl Screen {
    /// A screen of its own.
    pub(crate) fn plain() -> Self {
        Self(Arc::new(Mutex::new(Place::Plain)))
    }

    /// A screen shared with the line that is being typed.
    pub(crate) fn shared(printer: impl ExternalPrinter + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Place::Shared(Box::new(printer)))))
    }

    /// Shows a turn.
    pub(crate) fn turn(&self, turn: &Turn) {
        if let Some(text) = told(turn) {
            self.line(&text);
        }
    }

    /// Shows what a script gives.
    pub(crate) fn echo(&self, line: &str) {
        self.line(&format!("{BOLD}> {line}{BOLD:#}"));
    }

    /// Shows a remark of the program's own.
    pub(crate) fn remark(&self, text: &str) {
        self.line(&format!("{DIM}-- {text}{DIM:#}"));
    }

    /// Shows that something is wrong.
    pub(crate) fn trouble(&self, text: &str) {
        self.line(&format!("{TROUBLE}!! {text}{TROUBLE:#}"));
    }

    fn line(&self, text: &str) {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let printed = match &mut *place {
            Place::Plain => {
                let mut out = anstream::stdout().lock();
                writeln!(out, "{text}").and_then(|()| out.flush()).is_ok()
            }
            Place::Shared(printer) => {
                let colored =
                    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
                let text = if colored {
                    text.to_owned()
                } else {
                    anstream::adapter::strip_str(text).to_string()
                };
                printer.print(format!("{text}\n")).is_ok()
            }
        };
        if !printed {
            // Nobody reads any more (a closed pipe): the conversation ends by its input.
            tracing::debug!("a line could not be shown");
        }
    }
}

/// A turn as a caller reads it.
fn told(turn: &Turn) -> Option<String> {
    match turn {
        Turn::Say { text, language, .. } => {
            let mut lines = text.trim_end().lines();
            let first = lines.next().unwrap_or_default();
            let indent = " ".repeat(language.chars().count());
            Some(
                lines.fold(format!("{DIM}{language}{DIM:#}  {first}"), |told, line| {
                    format!("{told}\n{indent}  {line}")
                }),
            )
        }
        Turn::Ask {
            question, keys, text, ..
        } => {
            let mut ways = Vec::new();
            if !keys.is_empty() {
                ways.push(format!("keys {}", spread(keys)));
            }
            if *text {
                ways.push("words".to_owned());
            }
            let ways = if ways.is_empty() {
                "nothing".to_owned()
            } else {
                ways.join(" or ")
            };
            Some(format!("{KEYS}   [{question}: {ways}]{KEYS:#}"))
        }
        Turn::Ended { outcome, .. } => Some(format!("{BOLD}-- ended: {outcome}{BOLD:#}")),
    }
}

/// A class of keys like `[1-49*]` as a caller reads it: `1-4 9 *`.
fn spread(class: &str) -> String {
    let inside = class.trim_start_matches('[').trim_end_matches(']');
    let mut told: Vec<String> = Vec::new();
    let mut keys = inside.chars().peekable();
    while let Some(first) = keys.next() {
        match (keys.next_if_eq(&'-'), keys.peek()) {
            (Some(_), Some(&last)) => {
                keys.next();
                told.push(format!("{first}-{last}"));
            }
            _ => told.push(first.to_string()),
        }
    }
    told.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(turn: &Turn) -> String {
        anstream::adapter::strip_str(&told(turn).unwrap()).to_string()
    }

    #[test]
    fn keys_are_told_one_by_one() {
        for (class, told) in [
            ("[1]", "1"),
            ("[1-49]", "1-4 9"),
            ("[0-9*#]", "0-9 * #"),
            ("[12]", "1 2"),
        ] {
            assert_eq!(spread(class), told);
        }
    }

    #[test]
    fn turns_read_well_without_colour() {
        let say = Turn::Say {
            seq: 1,
            prompt: None,
            text: "您好\n请讲".into(),
            language: "zh-CN".into(),
        };
        assert_eq!(plain(&say), "zh-CN  您好\n       请讲");
        let ask = Turn::Ask {
            seq: 2,
            question: "menu".into(),
            keys: "[1-49]".into(),
            text: true,
            until: String::new(),
        };
        assert_eq!(plain(&ask), "   [menu: keys 1-4 9 or words]");
        let ended = Turn::Ended {
            seq: 3,
            outcome: "completed".into(),
        };
        assert_eq!(plain(&ended), "-- ended: completed");
    }
}
