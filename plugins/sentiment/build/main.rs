//! Turns `lexicon.txt` and the sentences of `development.tsv` into tables, so that an instance,
//! which lives for one call, reads nothing at its start. A fault in either fails the build and
//! names the line.

#[path = "../src/wording/grams.rs"]
mod grams;
mod lexicon;
mod wording;

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    for input in [
        lexicon::LEXICON,
        wording::SENTENCES,
        "build",
        "src/wording/grams.rs",
    ] {
        println!("cargo::rerun-if-changed={input}");
    }
    let out = env::var("OUT_DIR")?;
    let out = Path::new(&out);
    let entries = lexicon::read(&fs::read_to_string(lexicon::LEXICON)?)?;
    fs::write(out.join("lexicon.rs"), lexicon::table(&entries)?)?;
    let counts = wording::read(&fs::read_to_string(wording::SENTENCES)?)?;
    fs::write(out.join("wording.rs"), counts.table()?)?;
    Ok(())
}
