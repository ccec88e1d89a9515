//! What the wording of sentences tells, counted: naive Bayes over the pieces of `grams`. The
//! sentences are the model, so whoever wants it otherwise adds sentences.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use crate::grams::grams;

pub(crate) const SENTENCES: &str = "development.tsv";

const LEVELS: [&str; 3] = ["calm", "anxious", "angry"];

/// In how many sentences a piece must stand to tell anything.
const SENTENCES_MIN: u32 = 2;

/// What is added to each count, so that what was not seen is not impossible.
const SMOOTHING: f64 = 0.3;

/// In how many sentences of each level each piece stands.
#[derive(Default)]
pub(crate) struct Counts(BTreeMap<u32, [u32; 3]>);

/// Counts sentences: level, language, kind and text in each line, with tabs between.
pub(crate) fn read(sentences: &str) -> Result<Counts, String> {
    let mut counts = Counts::default();
    for (index, line) in sentences.lines().enumerate() {
        if line.starts_with('#') {
            continue;
        }
        let fields: Vec<_> = line.split('\t').collect();
        let &[level, _, _, text] = &fields[..] else {
            return Err(format!(
                "{SENTENCES}:{}: not four fields with tabs between",
                index + 1
            ));
        };
        let level = LEVELS
            .iter()
            .position(|name| *name == level)
            .ok_or_else(|| format!("{SENTENCES}:{}: no level `{level}`", index + 1))?;
        let mut found = BTreeSet::new();
        grams(&plain(text), |gram| {
            found.insert(gram);
        });
        for gram in found {
            counts.0.entry(gram).or_default()[level] += 1;
        }
    }
    Ok(counts)
}

impl Counts {
    /// The pieces, sorted, and how strongly each speaks for each level: logarithms of how often
    /// it is said there, less their mean.
    pub(crate) fn table(mut self) -> Result<String, std::fmt::Error> {
        self.0
            .retain(|_, counts| counts.iter().sum::<u32>() >= SENTENCES_MIN);
        let pieces = self.0.len() as f64;
        let totals: [f64; 3] = std::array::from_fn(|level| {
            let counted: u32 = self.0.values().map(|counts| counts[level]).sum();
            f64::from(counted) + SMOOTHING * pieces
        });
        let mut table = String::new();
        writeln!(
            table,
            "/// Pieces of wording, sorted, and what each tells of calm, worry and anger, in thousandths."
        )?;
        writeln!(table, "static PIECES: [(u32, [i16; 3]); {}] = [", self.0.len())?;
        for (gram, counts) in &self.0 {
            let logs: [f64; 3] =
                std::array::from_fn(|level| ((f64::from(counts[level]) + SMOOTHING) / totals[level]).ln());
            let mean = logs.iter().sum::<f64>() / 3.0;
            let [calm, anxious, angry] = logs.map(|log| ((log - mean) * 1_000.0).round());
            writeln!(table, "    ({gram}, [{calm}, {anxious}, {angry}]),")?;
        }
        writeln!(table, "];")?;
        Ok(table)
    }
}

/// A text in lower case and half-width, as the component reads it.
fn plain(text: &str) -> Vec<char> {
    text.chars()
        .map(|char| match char {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(char) - 0xfee0).unwrap_or(char),
            '’' | '‘' | '`' => '\'',
            char => char,
        })
        .map(|char| char.to_ascii_lowercase())
        .collect()
}
