//! `trunkline fmt`: one way to write a hotline's files.

use std::{
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use clap::Args;
use trunkline_flow::format::{FormatError, format};

use crate::{
    exit::{Exit, Failure, Outcome},
    files,
};

/// How deep folders are looked into.
const DEPTH_MAX: usize = 6;

/// Format a hotline's YAML files in house style
///
/// Comments, order and quotes are kept, and so is the meaning of every file; a file that
/// cannot be read is left alone, and said.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline fmt flows/city-hotline            all files of a hotline\n  \
    trunkline fmt --check flows/city-hotline    say which would change, change nothing\n  \
    trunkline fmt flows/city-hotline/flows/city.yaml\n  \
    trunkline fmt - < flows/city.yaml           from standard input to standard output\n\n\
    Exit codes: 0 when all is well, 1 when `--check` finds a file that would change, or a file\n\
    cannot be formatted.")]
pub(crate) struct Fmt {
    /// Files, or folders with YAML files in them; `-` is standard input
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Write nothing; say which files would change
    #[arg(long)]
    check: bool,
    /// Write nothing; show what would change
    #[arg(long, conflicts_with = "check")]
    diff: bool,
}

impl Fmt {
    /// Runs the command.
    pub(crate) fn run(&self) -> Outcome {
        if self.paths.iter().any(|path| path.as_os_str() == "-") {
            return self.standard_input();
        }
        let mut files = Vec::new();
        for path in &self.paths {
            if path.is_dir() {
                gather(path, 0, &mut files);
            } else if path.is_file() {
                files.push(path.clone());
            } else {
                return Err(Failure::usage(anyhow!(
                    "there is no {}; name a hotline's folder, or one of its files",
                    path.display()
                )));
            }
        }
        files.sort();
        files.dedup();
        let (mut changed, mut left) = (0, 0);
        for path in &files {
            let shown = path.display();
            let failed = |error: std::io::Error, what: &str| {
                Failure::from(anyhow!(error).context(format!("failed to {what} {shown}")))
            };
            let text = std::fs::read_to_string(path).map_err(|error| failed(error, "read"))?;
            match format(&text) {
                Ok(formatted) if formatted == text => {}
                Ok(formatted) => {
                    changed += 1;
                    if self.diff {
                        anstream::print!("{}", files::difference(&shown.to_string(), &text, &formatted));
                    } else if self.check {
                        anstream::println!("{shown} would change");
                    } else {
                        files::replace(path, &formatted).map_err(|error| failed(error, "write"))?;
                        anstream::println!("{shown} formatted");
                    }
                }
                Err(error) => {
                    left += 1;
                    anstream::eprintln!("{}", left_alone(&shown.to_string(), &error));
                }
            }
        }
        if files.is_empty() {
            return Err(Failure::usage(anyhow!("there are no YAML files there")));
        }
        Ok(if left > 0 || self.check && changed > 0 {
            Exit::Findings
        } else {
            Exit::Done
        })
    }

    fn standard_input(&self) -> Outcome {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| Failure::from(anyhow!(error).context("failed to read standard input")))?;
        match format(&text) {
            Ok(formatted) if self.check => Ok(if formatted == text {
                Exit::Done
            } else {
                Exit::Findings
            }),
            Ok(formatted) => {
                let shown = if self.diff {
                    files::difference("standard input", &text, &formatted)
                } else {
                    formatted
                };
                let mut out = anstream::stdout();
                out.write_all(shown.as_bytes())
                    .map_err(|error| Failure::from(anyhow!(error)))?;
                Ok(Exit::Done)
            }
            Err(error) => {
                anstream::eprintln!("{}", left_alone("standard input", &error));
                Ok(Exit::Findings)
            }
        }
    }
}

fn left_alone(shown: &str, error: &FormatError) -> String {
    format!("{shown} is left as it is: {error}")
}

/// All YAML files under a folder, hidden ones and what build tools leave behind passed over.
fn gather(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || matches!(&*name, "target" | "node_modules") {
            continue;
        }
        if path.is_dir() {
            if depth < DEPTH_MAX {
                gather(&path, depth + 1, files);
            }
        } else if name.ends_with(".yaml") {
            files.push(path);
        }
    }
}
