//! `trunkline new`: a hotline to begin with.

mod templates;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use clap::Args;

use self::templates::Template;
use crate::exit::{Exit, Failure, Outcome};

/// Characters of a hotline's name.
const NAME_CHARS_MAX: usize = 64;

/// Make a hotline to begin with
///
/// Writes a folder with flows, prompts, calendars and scenarios that check clean. Everything in it
/// is yours to change.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline new my-city --template city-hotline\n  \
    trunkline new my-desk --template support-desk --plugins flows/support-desk/plugins\n  \
    trunkline new my-line --template zero-menu --folder /srv/hotlines/my-line")]
pub(crate) struct New {
    /// The hotline's name, kebab-case: my-city
    name: String,
    /// What it begins as
    #[arg(long, value_enum)]
    template: Template,
    /// Where to put it, instead of a folder of its name
    #[arg(long)]
    folder: Option<PathBuf>,
    /// A folder with the components that the template names, to be copied
    #[arg(long)]
    plugins: Option<PathBuf>,
}

impl New {
    /// Runs the command.
    pub(crate) fn run(&self) -> Outcome {
        check_name(&self.name, "a hotline").map_err(Failure::usage)?;
        let folder = self.folder.clone().unwrap_or_else(|| PathBuf::from(&self.name));
        let mut files: Vec<(String, Vec<u8>)> = self
            .template
            .files()
            .iter()
            .map(|(path, text)| ((*path).to_owned(), written(path, text, &self.name).into_bytes()))
            .collect();
        let mut missing = Vec::new();
        for component in self.template.components() {
            match &self.plugins {
                Some(from) => files.push(component_of(from, component)?),
                None => missing.push(*component),
            }
        }
        check_free(&folder).map_err(Failure::usage)?;
        put(&folder, &files).map_err(Failure::from)?;
        anstream::print!("{}", self.told(&folder, files.len(), &missing));
        Ok(Exit::Done)
    }

    /// What was made, and what to do next.
    fn told(&self, folder: &Path, files: usize, missing: &[&str]) -> String {
        use std::fmt::Write as _;

        let bold = anstyle::Style::new().bold();
        let shown = folder.display();
        let mut text = format!(
            "made {bold}{shown}{bold:#}: {files} files, {}\n",
            self.template.about()
        );
        // Writing to a string does not fail.
        let _ = writeln!(text, "\nnext:");
        for component in missing {
            let _ = writeln!(
                text,
                "  put {component} in place    README.md says how it is built; `--plugins DIR` would have copied it"
            );
        }
        let _ = write!(
            text,
            "  trunkline check {shown}\n  trunkline graph {shown}\n  trunkline dial {shown} {}\n  \
             trunkline serve {shown} --watch\n",
            self.template.number()
        );
        text
    }
}

/// Makes sure that a name is kebab-case; `whose` says of what.
pub(crate) fn check_name(name: &str, whose: &str) -> anyhow::Result<()> {
    let word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let kebab = name.split('-').all(word) && name.starts_with(|c: char| c.is_ascii_lowercase());
    if kebab && name.len() <= NAME_CHARS_MAX {
        return Ok(());
    }
    // The nearest name that would do.
    let mut meant = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            meant.push(c.to_ascii_lowercase());
        } else if !meant.is_empty() && !meant.ends_with('-') {
            meant.push('-');
        }
    }
    let meant: String = meant
        .trim_start_matches(|c: char| !c.is_ascii_lowercase())
        .chars()
        .take(NAME_CHARS_MAX)
        .collect();
    let meant = meant.trim_end_matches('-');
    let help = if meant.is_empty() {
        "take one like my-city".to_owned()
    } else {
        format!("did you mean {meant}?")
    };
    Err(anyhow!(
        "{name:?} cannot be the name of {whose}: it is lower-case letters, digits and single hyphens, begins with a \
         letter and has at most {NAME_CHARS_MAX} characters; {help} The folder may have any name: --folder"
    ))
}

/// Makes sure that nothing is overwritten.
pub(crate) fn check_free(folder: &Path) -> anyhow::Result<()> {
    let shown = folder.display();
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(anyhow!(
                "{shown} is there already and not empty; take another name, or --folder"
            )),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(anyhow!(error).context(format!("failed to look into {shown}"))),
    }
}

/// A component that is copied into the hotline.
fn component_of(from: &Path, component: &str) -> Result<(String, Vec<u8>), Failure> {
    let name = component.rsplit('/').next().unwrap_or(component);
    let path = from.join(name);
    let bytes = fs::read(&path)
        .with_context(|| {
            format!(
                "failed to read {}; `cargo xtask plugins` builds it",
                path.display()
            )
        })
        .map_err(Failure::usage)?;
    Ok((component.to_owned(), bytes))
}

/// A template's file as it is written: under the hotline's own name, and with the line by which
/// editors find its schema.
fn written(path: &str, text: &str, name: &str) -> String {
    let mut written = String::with_capacity(text.len() + 100);
    if path.ends_with(".yaml") && !text.starts_with(MODELINE) {
        written.push_str(&modeline(path));
    }
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if path == "hotline.yaml" && line.starts_with("hotline: ") {
            written.push_str(&format!("hotline: {name}\n"));
        } else if path == "README.md" && index == 0 {
            written.push_str(&format!("# {name}\n"));
        } else {
            written.push_str(line);
        }
    }
    written
}

/// How the line begins by which editors find a file's schema.
const MODELINE: &str = "# yaml-language-server: $schema=";

/// The line by which editors find a file's schema, which lies in the hotline's folder.
fn modeline(path: &str) -> String {
    let (up, kind) = match path.split_once('/') {
        None => ("", path.trim_end_matches(".yaml")),
        Some((folder, _)) => (
            "../",
            match folder {
                "flows" => "flow",
                "calendars" => "calendar",
                "surveys" => "survey",
                "tickets" => "ticket",
                "tests" => "scenario",
                other => other,
            },
        ),
    };
    format!("{MODELINE}{up}.trunkline/schema/{kind}.json\n")
}

/// Writes a folder whole or not at all: beside its place first, and then into it.
pub(crate) fn put(folder: &Path, files: &[(String, Vec<u8>)]) -> anyhow::Result<()> {
    let shown = folder.display();
    let name = folder
        .file_name()
        .with_context(|| format!("{shown} names no folder"))?
        .to_string_lossy();
    let beside = folder.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let result = write_all(&beside, files).and_then(|()| {
        // An empty folder may stand in its place.
        match fs::remove_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::rename(&beside, folder),
        }
    });
    if result.is_err() {
        // What is left of it is of no use; that it cannot be taken away matters less than why.
        let _ = fs::remove_dir_all(&beside);
    }
    result.with_context(|| format!("failed to write {shown}"))
}

fn write_all(folder: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    for (path, bytes) in files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::ValueEnum;

    use trunkline_flow::scenario;
    use trunkline_scenario::{Mocks, play};

    use super::*;
    use crate::{
        check,
        test::{read_scenarios, run::interfaces},
    };

    fn make(template: Template, name: &str, folder: &Path, plugins: Option<PathBuf>) -> Result<(), Failure> {
        let new = New {
            name: name.to_owned(),
            template,
            folder: Some(folder.to_owned()),
            plugins,
        };
        new.run().map(|_| ())
    }

    fn repository() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// Templates with plugins are checked where those are built: in the tests of the whole.
    #[tokio::test(flavor = "multi_thread")]
    async fn templates_without_plugins_load_without_a_finding_and_their_scenarios_pass() {
        let alone = |template: &&Template| template.components().is_empty();
        for template in Template::value_variants().iter().filter(alone) {
            let place = tempfile::tempdir().unwrap();
            let folder = place.path().join("mine");
            make(*template, "my-line", &folder, None).unwrap();
            let release = check::load(&folder).await.unwrap();
            let warnings: Vec<_> = release
                .warnings()
                .iter()
                .map(|warning| &warning.message)
                .collect();
            assert!(warnings.is_empty(), "{template:?}: {warnings:?}");
            assert_eq!(&*release.hotline().name, "my-line");
            assert!(
                release.hotline().numbers.contains_key(template.number()),
                "{template:?}"
            );
            let (scenarios, offered) = (read_scenarios(&folder).unwrap(), interfaces(&release));
            let read = scenario::read(&scenarios, release.hotline(), &offered);
            assert!(
                read.diagnostics.is_empty(),
                "{template:?}: {:#?}",
                read.diagnostics
            );
            assert_eq!(read.scenarios.len(), scenarios.files.len());
            for scenario in &read.scenarios {
                let played = play(release.hotline(), scenario, Mocks::new(scenario, &offered));
                assert!(
                    played.passed(),
                    "{template:?} {}: {:?}",
                    scenario.file,
                    played.mismatch
                );
            }
            // Nothing is left beside it.
            assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn templates_have_all_files_of_their_folders() {
        for template in Template::value_variants() {
            let listed: BTreeSet<String> = template
                .files()
                .iter()
                .map(|(path, _)| (*path).to_owned())
                .collect();
            assert_eq!(
                listed.len(),
                template.files().len(),
                "{template:?} lists a file twice"
            );
            let folder = repository().join(template.folder());
            let mut there = BTreeSet::new();
            let mut open = vec![folder.clone()];
            while let Some(next) = open.pop() {
                for entry in fs::read_dir(next).unwrap() {
                    let path = entry.unwrap().path();
                    if path.is_dir() {
                        open.push(path);
                    } else if path.extension().is_some_and(|extension| extension != "wasm") {
                        there.insert(path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned());
                    }
                }
            }
            let forgotten: Vec<_> = there.difference(&listed).collect();
            assert!(forgotten.is_empty(), "{template:?} leaves out {forgotten:?}");
            assert!(
                listed.iter().any(|path| path.starts_with("tests/")),
                "{template:?} has no scenario"
            );
        }
    }

    #[test]
    fn every_file_names_its_schema_and_the_hotline_its_name() {
        assert_eq!(
            written("hotline.yaml", "hotline: zero-menu\nlanguages: [en]\n", "a-b"),
            "# yaml-language-server: $schema=.trunkline/schema/hotline.json\nhotline: a-b\nlanguages: [en]\n"
        );
        assert_eq!(
            written("README.md", "# zero-menu\n\ntext\n", "a-b"),
            "# a-b\n\ntext\n"
        );
        for template in Template::value_variants() {
            for (path, text) in template.files() {
                let text = written(path, text, "a");
                assert!(
                    !path.ends_with(".yaml") || text.starts_with(&modeline(path)),
                    "{path}"
                );
            }
        }
    }

    #[test]
    fn what_is_there_is_not_overwritten() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("mine");
        fs::create_dir(&folder).unwrap();
        make(Template::ZeroMenu, "mine", &folder, None).unwrap();
        let failure = make(Template::ZeroMenu, "mine", &folder, None).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(
            failure.error.to_string().contains("not empty"),
            "{}",
            failure.error
        );
        let failure = make(
            Template::SupportDesk,
            "other",
            &place.path().join("other"),
            Some(folder),
        )
        .unwrap_err();
        assert!(
            failure.error.to_string().contains("cargo xtask plugins"),
            "{}",
            failure.error
        );
        assert!(!place.path().join("other").exists());
    }

    #[test]
    fn names_are_kebab_case() {
        for name in ["my-city", "a", "line-2"] {
            check_name(name, "a hotline").unwrap();
        }
        for (name, meant) in [
            ("My City", "did you mean my-city?"),
            ("a--b", "did you mean a-b?"),
            ("2-lines", "did you mean lines?"),
            ("a-", "did you mean a?"),
            ("热线", "take one like my-city"),
        ] {
            let error = check_name(name, "a hotline").unwrap_err().to_string();
            assert!(error.contains(meant), "{error}");
        }
        check_name(&"a".repeat(NAME_CHARS_MAX + 1), "a hotline").unwrap_err();
    }
}
