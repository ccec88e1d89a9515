//! `trunkline schema`: JSON Schema of a hotline's files, for editors that know YAML.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, builder::PossibleValuesParser};
use trunkline_flow::editor::schema;

use crate::{
    exit::{Exit, Failure, Outcome},
    files,
};

/// Where `--write` puts schemas, under the folder it is given.
const FOLDER: &str = ".trunkline/schema";

/// Print the JSON Schema (draft-07) of one kind of file, or write all
///
/// A line at the top of a file tells an editor which one it follows:
///
/// # yaml-language-server: $schema=../.trunkline/schema/flow.json
#[derive(Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:\n  \
    trunkline schema flow\n  \
    trunkline schema --write flows/city-hotline   writes flows/city-hotline/.trunkline/schema/*.json"
)]
pub(crate) struct Schema {
    /// The kind of file
    #[arg(value_parser = PossibleValuesParser::new(schema::names()), required_unless_present = "write")]
    kind: Option<String>,
    /// Write all schemas to FOLDER/.trunkline/schema
    #[arg(long, value_name = "FOLDER", conflicts_with = "kind")]
    write: Option<PathBuf>,
}

impl Schema {
    /// Runs the command.
    pub(crate) fn run(&self) -> Outcome {
        if let Some(folder) = &self.write {
            if !folder.is_dir() {
                return Err(Failure::usage(anyhow!(
                    "there is no folder {}; name a hotline's",
                    folder.display()
                )));
            }
            let folder = folder.join(FOLDER);
            let failed = |error: std::io::Error, path: &PathBuf| {
                Failure::from(anyhow!(error).context(format!("failed to write {}", path.display())))
            };
            std::fs::create_dir_all(&folder).map_err(|error| failed(error, &folder))?;
            for name in schema::names() {
                let path = folder.join(format!("{name}.json"));
                files::replace(&path, written(name)).map_err(|error| failed(error, &path))?;
                anstream::println!("{}", path.display());
            }
            return Ok(Exit::Done);
        }
        let name = self.kind.as_deref().unwrap_or_default();
        anstream::print!("{}", written(name));
        Ok(Exit::Done)
    }
}

fn written(name: &str) -> String {
    let schema = schema::schema(name).expect("clap takes only names of schemas");
    format!("{schema:#}\n")
}
