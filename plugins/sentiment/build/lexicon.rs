//! `lexicon.txt` as a table: its entries by their first character, the longest first.

use std::{collections::BTreeMap, fmt::Write};

pub(crate) const LEXICON: &str = "lexicon.txt";

/// Stand in an entry for how often and how long, and for the gap between two parts.
const OFTEN: char = '#';
const LONG: char = '@';
const GAP: &str = "..";

/// The classes of the entries, and the line where each stands.
pub(crate) type Entries = BTreeMap<String, (String, usize)>;

/// Entries by their first two characters. Thousands of them are one text, since a table of texts
/// would take more memory than an instance begins with.
pub(crate) fn table(entries: &Entries) -> Result<String, std::fmt::Error> {
    let mut classes: Vec<&str> = Vec::new();
    let mut pairs = String::new();
    let mut text = String::new();
    let mut before = None;
    let mut count = 0;
    for (words, (class, _)) in entries {
        let mut rest = words.chars();
        // An entry of one character has no second.
        let pair = (rest.next(), rest.next());
        if before.replace(pair) != Some(pair) {
            let (first, second) = (pair.0.unwrap_or_default(), pair.1.unwrap_or_default());
            writeln!(pairs, "    ({first:?}, {second:?}, {}),", text.len())?;
            count += 1;
        }
        let code = classes
            .iter()
            .position(|known| known == class)
            .unwrap_or_else(|| {
                classes.push(class);
                classes.len() - 1
            });
        let (code, length) = (letter(code, b'A'), letter(rest.as_str().len(), b' '));
        write!(text, "{code}{length}{}", rest.as_str())?;
    }
    let mut table = String::new();
    writeln!(
        table,
        "/// The classes, in the order of their letters, from `A` on."
    )?;
    writeln!(
        table,
        "static CLASSES: [Class; {}] = [{}];",
        classes.len(),
        classes.join(", ")
    )?;
    writeln!(
        table,
        "/// First and second characters, sorted, and where in the text their entries begin."
    )?;
    writeln!(table, "static PAIRS: [(char, char, u32); {count}] = [\n{pairs}];")?;
    writeln!(
        table,
        "/// The entries: the letter of the class, the bytes of what comes after the pair, from the"
    )?;
    writeln!(table, "/// space on, and what comes after it.")?;
    writeln!(table, "static ENTRIES: &str = {text:?};")?;
    Ok(table)
}

/// A small number as a letter.
fn letter(number: usize, from: u8) -> char {
    let letter = u8::try_from(number)
        .ok()
        .and_then(|number| from.checked_add(number));
    letter
        .filter(u8::is_ascii)
        .map_or(char::REPLACEMENT_CHARACTER, char::from)
}

/// The entries by their words, each with its class as Rust source and its line.
pub(crate) fn read(lexicon: &str) -> Result<Entries, String> {
    let mut entries = Entries::new();
    let mut class = None;
    for (index, line) in lexicon.lines().enumerate() {
        let (number, line) = (index + 1, line.trim());
        if line.is_empty() || line.starts_with("# ") || line == "#" {
            continue;
        }
        if let Some(head) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            class = Some(read_class(head).ok_or_else(|| format!("{LEXICON}:{number}: no class `{head}`"))?);
            continue;
        }
        let class = class
            .as_ref()
            .ok_or_else(|| format!("{LEXICON}:{number}: an entry before the first class"))?;
        for written in line.split(" | ").map(str::trim) {
            for words in spelled_out(written) {
                if let Some(fault) = fault(&words) {
                    return Err(format!("{LEXICON}:{number}: `{words}` {fault}"));
                }
                if let Some((_, before)) = entries.insert(words.clone(), (class.clone(), number)) {
                    return Err(format!(
                        "{LEXICON}:{number}: `{words}` stands in line {before} already"
                    ));
                }
            }
        }
    }
    Ok(entries)
}

fn fault(words: &str) -> Option<&'static str> {
    let (head, tail) = words.split_once(GAP).unwrap_or((words, "-"));
    if words.contains(['|', '{', '}']) || words.to_lowercase() != words {
        Some("is no entry in lower case")
    } else if head.is_empty() || tail.is_empty() || tail.contains([OFTEN, LONG]) || tail.contains(GAP) {
        Some("has words before its one gap, and words without a number after it")
    } else if [OFTEN, LONG].map(String::from).contains(&head.to_owned()) {
        Some("is any number")
    } else {
        None
    }
}

/// All that an entry with `{a,b}` in it stands for.
fn spelled_out(written: &str) -> Vec<String> {
    let Some((before, rest)) = written.split_once('{') else {
        return vec![written.to_owned()];
    };
    let Some((choices, after)) = rest.split_once('}') else {
        return vec![written.to_owned()];
    };
    let afters = spelled_out(after);
    choices
        .split(',')
        .flat_map(|choice| afters.iter().map(move |after| format!("{before}{choice}{after}")))
        .collect()
}

fn read_class(head: &str) -> Option<String> {
    let mut parts = head.split_whitespace();
    let name = parts.next()?;
    let number: Option<f32> = match parts.next() {
        Some(text) => Some(text.parse().ok().filter(|number| (0.0..=3.0).contains(number))?),
        None => None,
    };
    if parts.next().is_some() {
        return None;
    }
    let variant = match (name, number) {
        ("anger", Some(number)) => format!("Anger({number:?})"),
        ("accuse", Some(number)) => format!("Accuse({number:?})"),
        ("anxiety", Some(number)) => format!("Anxiety({number:?})"),
        ("wrong", Some(number)) => format!("Wrong({number:?})"),
        ("calm", Some(number)) => format!("Calm({number:?})"),
        ("praise", Some(number)) => format!("Praise({number:?})"),
        ("ease", Some(number)) => format!("Ease({number:?})"),
        ("degree", Some(number)) => format!("Degree({number:?})"),
        ("degree-after", Some(number)) => format!("DegreeAfter({number:?})"),
        ("blame", None) => "Blame".to_owned(),
        ("negate", None) => "Negate".to_owned(),
        ("prohibit", None) => "Prohibit".to_owned(),
        ("contrast", None) => "Contrast".to_owned(),
        ("neutral", None) => "Neutral".to_owned(),
        _ => return None,
    };
    Some(format!("Class::{variant}"))
}
