//! Turns `lexicon.txt` into a sorted table, so that an instance, which lives for one call,
//! reads nothing at its start. A fault in the lexicon fails the build and names the line.

use std::{collections::BTreeMap, env, error::Error, fmt::Write, fs, path::Path};

const LEXICON: &str = "lexicon.txt";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={LEXICON}");
    println!("cargo::rerun-if-changed=build.rs");
    let entries = read(&fs::read_to_string(LEXICON)?)?;
    let chars_max = entries.keys().map(|words| words.chars().count()).max();
    let mut table = String::new();
    writeln!(table, "/// Characters of the longest entry.")?;
    writeln!(
        table,
        "const ENTRY_CHARS_MAX: usize = {};",
        chars_max.unwrap_or(0)
    )?;
    writeln!(table, "/// The entries, sorted by their words.")?;
    writeln!(table, "static ENTRIES: [(&str, Class); {}] = [", entries.len())?;
    for (words, (class, _)) in &entries {
        writeln!(table, "    ({words:?}, {class}),")?;
    }
    writeln!(table, "];")?;
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("lexicon.rs"), table)?;
    Ok(())
}

/// The entries by their words, each with its class as Rust source and its line.
fn read(lexicon: &str) -> Result<BTreeMap<String, (String, usize)>, String> {
    let mut entries: BTreeMap<String, (String, usize)> = BTreeMap::new();
    let mut class = None;
    for (index, line) in lexicon.lines().enumerate() {
        let (number, line) = (index + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(head) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            class = Some(read_class(head).ok_or_else(|| format!("{LEXICON}:{number}: no class `{head}`"))?);
            continue;
        }
        let class = class
            .as_ref()
            .ok_or_else(|| format!("{LEXICON}:{number}: an entry before the first class"))?;
        for words in line.split(" | ").map(str::trim) {
            if words.is_empty() || words.contains('|') || words.to_lowercase() != words {
                return Err(format!("{LEXICON}:{number}: `{words}` is no entry in lower case"));
            }
            if let Some((_, before)) = entries.insert(words.to_owned(), (class.clone(), number)) {
                return Err(format!(
                    "{LEXICON}:{number}: `{words}` stands in line {before} already"
                ));
            }
        }
    }
    Ok(entries)
}

fn read_class(head: &str) -> Option<String> {
    let mut parts = head.split_whitespace();
    let name = parts.next()?;
    let number: Option<f64> = match parts.next() {
        Some(text) => Some(text.parse().ok().filter(|number| (0.0..=3.0).contains(number))?),
        None => None,
    };
    if parts.next().is_some() {
        return None;
    }
    let variant = match (name, number) {
        ("anger", Some(number)) => format!("Anger({number:?})"),
        ("anxiety", Some(number)) => format!("Anxiety({number:?})"),
        ("calm", Some(number)) => format!("Calm({number:?})"),
        ("degree", Some(number)) => format!("Degree({number:?})"),
        ("degree-after", Some(number)) => format!("DegreeAfter({number:?})"),
        ("negate", None) => "Negate".to_owned(),
        ("contrast", None) => "Contrast".to_owned(),
        ("neutral", None) => "Neutral".to_owned(),
        _ => return None,
    };
    Some(format!("Class::{variant}"))
}
