//! What a line that the caller types means.

use trunkline_engine::service::TransferAnswer;
use trunkline_model::{Duration, FaultKind};
use trunkline_scenario::AgentDeed;

/// What the caller types, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// Something for the contact.
    Give(Given),
    /// Says what can be typed.
    Help,
    /// Waits, in a script.
    Wait(Duration),
    /// Something that only a rehearsal can do.
    Rehearse(Rehearsal),
    /// Nothing: an empty line or, in a script, a comment.
    Nothing,
}

/// What a rehearsal can do: a hotline that runs in this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rehearsal {
    /// Moves the clock.
    Advance(Duration),
    /// Moves the clock to the next time that it is so late in the day.
    AdvanceTo(jiff::civil::Time),
    /// Makes a plugin slow: all its answers take so much longer.
    Slow(String, Duration),
    /// Breaks a plugin: all its calls come to this fault.
    Break(String, FaultKind),
    /// Makes a plugin as it is again.
    Mend(String),
    /// Says what the variables hold.
    Vars,
    /// Says where the contact is and what it waits for.
    Where,
    /// Begins anew at a step, with the variables of now.
    From(String),
    /// An agent comes, goes, answers a call or ends it.
    Agent(String, AgentDeed),
    /// Something comes of a transfer.
    Transfer(TransferAnswer),
    /// Stops the node and takes the contact up again.
    Restart,
    /// Keeps the contact as a scenario, in a file and under a name.
    Save(String, String),
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
1              a key of the keypad: 0 to 9, * or #
some words     what you say
@keys 12#      several keys at once
@text 1        words that look like a key
@hangup        leaves (so do ctrl-D and ctrl-C)
@wait 3s       waits before the next line is given (for scripts)
# a remark     says nothing (in scripts)
@help          this
When the hotline runs in this process:
@advance 1h    moves the clock; @advance 20:05 moves it to that time of day
@slow crm 8s   makes a plugin's answers take so much longer
@break crm     makes a plugin's calls fail; @break crm timed-out says how
@mend crm      makes a plugin as it is again
@vars          what the variables hold
@where         which step the contact is in, and what it waits for
@from STEP     begins anew at a step, with the variables of now
@agent comes zhang-wei
               an agent comes, answers, ends the call, or goes
@transfer busy what comes of a transfer: answered, ended, busy, no-answer, failed
@restart       stops the node and takes the contact up again
@save tests/x.yaml A NAME
               keeps the contact as a scenario, which `trunkline test` plays";

/// All commands, for whoever mistypes one.
const COMMANDS: [&str; 17] = [
    "hangup", "keys", "text", "wait", "advance", "help", "slow", "break", "mend", "vars", "where", "from",
    "restart", "save", "hang-up", "agent", "transfer",
];

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
        ("help", _) => Ok(Typed::Help),
        _ => match rehearsal(name, rest) {
            Some(rehearsal) => rehearsal.map(Typed::Rehearse),
            None => Err(unknown(name, command)),
        },
    }
}

fn unknown(name: &str, command: &str) -> String {
    let near = COMMANDS.into_iter().find(|known| is_near(name, known));
    let near = near.map_or_else(String::new, |near| format!("did you mean @{near}? "));
    format!("there is no @{name}; {near}@help says what there is, and `@text @{command}` says it as words")
}

/// Whether one word is the other with one letter left out, put in, replaced, or swapped with
/// its neighbour.
fn is_near(written: &str, known: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (written.chars().collect(), known.chars().collect());
    let same_before = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (rest_a, rest_b) = (&a[same_before..], &b[same_before..]);
    let same_after = rest_a
        .iter()
        .rev()
        .zip(rest_b.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let (left_a, left_b) = (
        &rest_a[..rest_a.len() - same_after],
        &rest_b[..rest_b.len() - same_after],
    );
    match (left_a, left_b) {
        ([first, second], [third, fourth]) => first == fourth && second == third,
        (left_a, left_b) => left_a.len() <= 1 && left_b.len() <= 1,
    }
}

/// A command of a rehearsal; none when it is no such command.
fn rehearsal(name: &str, rest: &str) -> Option<Result<Rehearsal, String>> {
    let (first, second) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let second = second.trim();
    Some(match (name, first) {
        ("advance", time) => advance(time),
        ("slow", "") => Err("name a plugin and how long its answers take, like `@slow crm 8s`".to_owned()),
        ("slow", plugin) => match second.parse() {
            Ok(time) => Ok(Rehearsal::Slow(plugin.to_owned(), time)),
            Err(_) => Err(format!("say how long, like `@slow {plugin} 8s`")),
        },
        ("break", "") => Err("name a plugin, like `@break crm` or `@break crm timed-out`".to_owned()),
        ("break", plugin) => fault(second).map(|kind| Rehearsal::Break(plugin.to_owned(), kind)),
        ("mend", "") => Err("name a plugin, like `@mend crm`".to_owned()),
        ("mend", plugin) => Ok(Rehearsal::Mend(plugin.to_owned())),
        ("vars", "") => Ok(Rehearsal::Vars),
        ("where", "") => Ok(Rehearsal::Where),
        ("from", "") => Err("name a step of the flow, like `@from topics`".to_owned()),
        ("from", step) => Ok(Rehearsal::From(step.to_owned())),
        ("agent", deed) => agent(deed, second),
        ("transfer", came) => transfer(came),
        ("restart", "") => Ok(Rehearsal::Restart),
        ("save", "") => Err("name a file, like `@save tests/anxious-caller.yaml`".to_owned()),
        ("save", file) => Ok(Rehearsal::Save(file.to_owned(), second.to_owned())),
        _ => return None,
    })
}

fn agent(deed: &str, name: &str) -> Result<Rehearsal, String> {
    let deed = match deed {
        "comes" => AgentDeed::Comes,
        "answers" => AgentDeed::Answers,
        "ends" => AgentDeed::Ends,
        "goes" => AgentDeed::Goes,
        _ => return Err("an agent comes, answers, ends or goes, like `@agent answers zhang-wei`".to_owned()),
    };
    if name.is_empty() {
        return Err("name the agent, like `@agent answers zhang-wei`".to_owned());
    }
    Ok(Rehearsal::Agent(name.to_owned(), deed))
}

fn transfer(came: &str) -> Result<Rehearsal, String> {
    Ok(Rehearsal::Transfer(match came {
        "answered" => TransferAnswer::Answered,
        "ended" => TransferAnswer::OtherLegEnded,
        "busy" => TransferAnswer::Busy,
        "no-answer" => TransferAnswer::NoAnswer,
        "failed" => TransferAnswer::Failed,
        _ => return Err("of a transfer comes answered, ended, busy, no-answer or failed".to_owned()),
    }))
}

fn advance(time: &str) -> Result<Rehearsal, String> {
    if time.contains(':') {
        return match time.parse() {
            Ok(time) => Ok(Rehearsal::AdvanceTo(time)),
            Err(_) => Err(format!(
                "`{time}` is no time of day; write it like `@advance 20:05`"
            )),
        };
    }
    match time.parse() {
        Ok(time) => Ok(Rehearsal::Advance(time)),
        Err(error) => Err(format!("{error}, or a time of day like 20:05")),
    }
}

fn fault(kind: &str) -> Result<FaultKind, String> {
    if kind.is_empty() {
        return Ok(FaultKind::Trap);
    }
    let mut kinds = FaultKind::ALL.into_iter();
    kinds.find(|known| known.as_str() == kind).ok_or_else(|| {
        let kinds = FaultKind::ALL.map(FaultKind::as_str).join(", ");
        format!("`{kind}` is no kind of fault; there are {kinds}")
    })
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
            (
                "@advance 10m",
                true,
                Ok(Typed::Rehearse(Rehearsal::Advance(Duration::from_secs(600)))),
            ),
            (
                "@advance 20:05",
                true,
                Ok(Typed::Rehearse(Rehearsal::AdvanceTo(jiff::civil::time(
                    20, 5, 0, 0,
                )))),
            ),
            (
                "@slow crm 8s",
                true,
                Ok(Typed::Rehearse(Rehearsal::Slow(
                    "crm".into(),
                    Duration::from_secs(8),
                ))),
            ),
            (
                "@break crm timed-out",
                true,
                Ok(Typed::Rehearse(Rehearsal::Break(
                    "crm".into(),
                    FaultKind::TimedOut,
                ))),
            ),
            (
                "@from topics",
                true,
                Ok(Typed::Rehearse(Rehearsal::From("topics".into()))),
            ),
            (
                "@save tests/x.yaml an anxious caller",
                true,
                Ok(Typed::Rehearse(Rehearsal::Save(
                    "tests/x.yaml".into(),
                    "an anxious caller".into(),
                ))),
            ),
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
            ("@transfer", "no-answer"),
            ("@agent sleeps li", "@agent answers"),
            ("@nonsense", "@help"),
            ("@slwo crm 8s", "did you mean @slow?"),
            ("@var", "did you mean @vars?"),
            ("@slow crm", "@slow crm 8s"),
            ("@break crm badly", "timed-out"),
            ("@advance 25:00", "@advance 20:05"),
            ("@from", "@from topics"),
        ] {
            assert!(read(line, true, false).unwrap_err().contains(mend), "{line}");
        }
    }

    #[test]
    fn a_remark_is_words_where_nobody_scripts() {
        assert_eq!(read("# hm", true, false), give(Given::Text("# hm".into())));
    }
}
