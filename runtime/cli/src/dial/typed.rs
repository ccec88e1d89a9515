//! What a line that the caller types means.

use trunkline_model::Duration;

/// What the caller types, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// Something for the contact.
    Give(Given),
    /// Says what can be typed.
    Help,
    /// Waits, in a script.
    Wait(Duration),
    /// Moves the clock of a rehearsal.
    Advance(Duration),
    /// Nothing: an empty line or, in a script, a comment.
    Nothing,
}

/// Something that the caller gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// Keys of the keypad.
    Keys(String),
    /// Words.
    Text(String),
    /// The caller leaves.
    HangUp,
}

/// What can be typed, for `@help` and for `--help`.
pub(crate) const TYPED_HELP: &str = "\
1            a key of the keypad: 0 to 9, * or #
some words   what you say
@keys 12#    several keys at once
@text 1      words that look like a key
@hangup      leaves (so do ctrl-D and ctrl-C)
@wait 3s     waits before the next line is given (for scripts)
@advance 1h  moves the clock, when the hotline runs in this process
# a remark   says nothing (in scripts)
@help        this";

/// Reads a line. `words_count` is whether the open question takes words: where it does not,
/// digits typed together are keys.
///
/// # Errors
/// A command that is none: what to write.
pub(crate) fn read(line: &str, words_count: bool, scripted: bool) -> Result<Typed, String> {
    let line = line.trim();
    let keypad = !line.is_empty() && line.chars().all(is_key);
    if line.is_empty() || (scripted && line.starts_with("# ")) {
        return Ok(Typed::Nothing);
    }
    if keypad && (line.chars().count() == 1 || !words_count) {
        return Ok(Typed::Give(Given::Keys(line.to_owned())));
    }
    let Some(command) = line.strip_prefix('@') else {
        return Ok(Typed::Give(Given::Text(line.to_owned())));
    };
    let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let rest = rest.trim();
    match (name, rest) {
        ("hangup" | "hang-up", "") => Ok(Typed::Give(Given::HangUp)),
        ("keys", keys) if !keys.is_empty() && keys.chars().all(is_key) => {
            Ok(Typed::Give(Given::Keys(keys.to_owned())))
        }
        ("keys", _) => Err("keys are 0 to 9, * and #, like `@keys 12#`".to_owned()),
        ("text", "") => Err("write the words after it, like `@text 1`".to_owned()),
        ("text", words) => Ok(Typed::Give(Given::Text(words.to_owned()))),
        ("wait", time) => time.parse().map(Typed::Wait).map_err(|error| error.to_string()),
        ("advance", time) => time
            .parse()
            .map(Typed::Advance)
            .map_err(|error| error.to_string()),
        ("help", _) => Ok(Typed::Help),
        _ => Err(format!(
            "there is no @{name}; @help says what there is, and `@text @{command}` says it as words"
        )),
    }
}

const fn is_key(key: char) -> bool {
    matches!(key, '0'..='9' | '*' | '#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn give(given: Given) -> Result<Typed, String> {
        Ok(Typed::Give(given))
    }

    #[test]
    fn lines_mean_keys_words_or_commands() {
        for (line, words_count, meant) in [
            ("1", true, give(Given::Keys("1".into()))),
            ("#", true, give(Given::Keys("#".into()))),
            ("12", true, give(Given::Text("12".into()))),
            ("12", false, give(Given::Keys("12".into()))),
            (" 社保 ", true, give(Given::Text("社保".into()))),
            ("@keys 12#", true, give(Given::Keys("12#".into()))),
            ("@text 1", true, give(Given::Text("1".into()))),
            ("@hangup", true, give(Given::HangUp)),
            ("@wait 3s", true, Ok(Typed::Wait(Duration::from_secs(3)))),
            ("@advance 10m", true, Ok(Typed::Advance(Duration::from_secs(600)))),
            ("@help", true, Ok(Typed::Help)),
            ("", true, Ok(Typed::Nothing)),
            ("# then the menu", true, Ok(Typed::Nothing)),
        ] {
            assert_eq!(read(line, words_count, true), meant, "{line:?}");
        }
    }

    #[test]
    fn a_wrong_command_is_told_what_to_write() {
        for (line, mend) in [
            ("@keys 1a", "@keys 12#"),
            ("@text", "@text 1"),
            ("@wait soon", "800ms"),
            ("@transfer", "@help"),
        ] {
            assert!(read(line, true, false).unwrap_err().contains(mend), "{line}");
        }
    }

    #[test]
    fn a_remark_is_words_where_nobody_scripts() {
        assert_eq!(read("# hm", true, false), give(Given::Text("# hm".into())));
    }
}
