//! `trunkline plugin new`: a plugin to begin with.
//!
//! The SDK comes along: it is written into the folder `trunkline/` of the new plugin, laid out as in
//! Trunkline's own repository. A department has the program and no checkout, its builds must not depend on
//! a package somewhere that may be another version than the server, and a site without a network builds too.
//! `--sdk` names one that lies elsewhere.

mod sdk;
mod template;

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use clap::{Args, ValueEnum};

use self::template::{Values, render};
use crate::{
    exit::{Exit, Failure, Outcome},
    new::{check_free, check_name, put},
};

/// Where the SDK is put, in a new plugin's folder.
const SDK_FOLDER: &str = "trunkline";

/// A new plugin's version.
const VERSION: &str = "0.1.0";

/// Make a plugin to begin with
///
/// Writes a folder with an interface, code, tests and plugin.toml that builds and tests at once. Everything in it
/// is yours to change. What is not given on the command line is asked for, where somebody is there to answer.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline plugin new crm-lookup --department civil-affairs --wants http\n  \
    trunkline plugin new matter --language python --department hotline-centre --wants http,kv,secrets\n  \
    trunkline plugin new mood --department centre --folder plugins/mood --sdk ../trunkline/sdk/rust")]
pub(crate) struct New {
    /// The plugin's name, kebab-case: crm-lookup
    name: String,
    /// What to write it in [default: rust]
    #[arg(long, value_enum)]
    language: Option<Language>,
    /// The department whose it is: civil-affairs
    #[arg(long)]
    department: Option<String>,
    /// What it wants of its host; secrets go out with requests, so they bring http along [default: nothing]
    #[arg(long, value_enum, value_delimiter = ',')]
    wants: Option<Vec<Want>>,
    /// Where to put it, instead of a folder of its name
    #[arg(long)]
    folder: Option<PathBuf>,
    /// The language's SDK where it lies already, instead of a copy in the folder
    #[arg(long, value_name = "FOLDER")]
    sdk: Option<PathBuf>,
}

/// What a plugin is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// Rust
    Rust,
    /// JavaScript or TypeScript
    Javascript,
    /// Python
    Python,
}

/// What a plugin may want of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Want {
    /// Requests over HTTP
    Http,
    /// A key-value store
    Kv,
    /// Secrets, such as tokens that services ask for
    Secrets,
}

impl Language {
    /// The folder of its SDK.
    const fn folder(self) -> &'static str {
        match self {
            Self::Rust => "sdk/rust",
            Self::Javascript => "sdk/js",
            Self::Python => "sdk/python",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Javascript => "javascript",
            Self::Python => "python",
        }
    }

    /// What has to be done once before it builds.
    fn prepared(self, sdk: &str) -> Vec<String> {
        match self {
            Self::Rust => vec!["rustup target add wasm32-wasip2    once".to_owned()],
            Self::Javascript => vec![
                format!(
                    "npm pack --pack-destination . {}    once: the SDK as a package",
                    below(sdk)
                ),
                "npm install    once".to_owned(),
            ],
            Self::Python => vec![
                "python3 -m venv .venv && . .venv/bin/activate    once".to_owned(),
                format!("pip install -r requirements.txt {}    once", below(sdk)),
            ],
        }
    }
}

/// A folder as npm and pip take it for one.
fn below(path: &str) -> String {
    if path.starts_with(['/', '.']) {
        path.to_owned()
    } else {
        format!("./{path}")
    }
}

impl New {
    /// Runs the command.
    pub(crate) fn run(&self) -> Outcome {
        check_name(&self.name, "a plugin").map_err(Failure::usage)?;
        let language = self.language()?;
        let department = self.department()?;
        check_name(&department, "a department").map_err(Failure::usage)?;
        let folder = self.folder.clone().unwrap_or_else(|| PathBuf::from(&self.name));
        check_free(&folder).map_err(Failure::usage)?;
        let (sdk, mut files) = match &self.sdk {
            Some(sdk) => (self.given(sdk)?, Vec::new()),
            None => (
                format!("{SDK_FOLDER}/{}", language.folder()),
                sdk::files(language.folder(), SDK_FOLDER)?,
            ),
        };
        let wanted = self.wants()?;
        let wants = |want| wanted.contains(&want);
        let values = Values {
            name: &self.name,
            department: &department,
            version: VERSION,
            sdk: &match language {
                Language::Rust => format!("{{ path = {} }}", toml::Value::from(sdk.as_str())),
                Language::Javascript | Language::Python => sdk.clone(),
            },
            sdk_root: sdk
                .strip_suffix(&format!("/{}", language.folder()))
                .unwrap_or(&sdk),
            blocks: [
                // A secret is of use in a request only.
                ("http", wants(Want::Http) || wants(Want::Secrets)),
                ("kv", wants(Want::Kv)),
                ("secrets", wants(Want::Secrets)),
            ],
        };
        let written = template_files(language, &values);
        if written.is_empty() {
            return Err(Failure::from(anyhow!(
                "this build of trunkline has no template in {}",
                language.name()
            )));
        }
        files.extend(written);
        if language == Language::Rust {
            files.extend(sdk::lock().map(|lock| ("Cargo.lock".to_owned(), lock.to_vec())));
        }
        put(&folder, &files).map_err(Failure::from)?;
        anstream::print!("{}", told(&folder, language, &sdk, files.len()));
        Ok(Exit::Done)
    }

    fn language(&self) -> Result<Language, Failure> {
        if let Some(language) = self.language {
            return Ok(language);
        }
        if !asks() {
            return Ok(Language::Rust);
        }
        let answer = ask("language (rust, javascript, python) [rust]: ")?;
        if answer.is_empty() {
            return Ok(Language::Rust);
        }
        Language::from_str(&answer, true)
            .map_err(|_| Failure::usage(anyhow!("{answer:?} is none of rust, javascript and python")))
    }

    fn department(&self) -> Result<String, Failure> {
        if let Some(department) = &self.department {
            return Ok(department.clone());
        }
        if !asks() {
            return Err(Failure::usage(anyhow!(
                "whose is it? Name the department: --department civil-affairs"
            )));
        }
        ask("department (like civil-affairs): ")
    }

    fn wants(&self) -> Result<Vec<Want>, Failure> {
        if let Some(wants) = &self.wants {
            return Ok(wants.clone());
        }
        if !asks() {
            return Ok(Vec::new());
        }
        let answer = ask("what it wants of its host (http, kv, secrets, or several: http,kv) [nothing]: ")?;
        answer
            .split([',', ' '])
            .filter(|word| !word.is_empty())
            .map(|word| {
                Want::from_str(word, true)
                    .map_err(|_| Failure::usage(anyhow!("{word:?} is none of http, kv and secrets")))
            })
            .collect()
    }

    /// The SDK that was named, as the new plugin's folder refers to it.
    fn given(&self, sdk: &Path) -> Result<String, Failure> {
        let full = sdk
            .canonicalize()
            .with_context(|| format!("there is no SDK at {}", sdk.display()))
            .map_err(Failure::usage)?;
        Ok(full.to_string_lossy().into_owned())
    }
}

/// Whether somebody is there to be asked.
fn asks() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

fn ask(prompt: &str) -> Result<String, Failure> {
    let mut editor = rustyline::DefaultEditor::new().context("failed to set up the terminal")?;
    let answer = editor.readline(prompt).context("nothing was answered")?;
    Ok(answer.trim().to_owned())
}

/// The files of a language's template, written for one plugin.
fn template_files(language: Language, values: &Values<'_>) -> Vec<(String, Vec<u8>)> {
    let folder = format!("{}/template/", language.folder());
    sdk::FILES
        .iter()
        .filter_map(|(path, bytes)| {
            let path = path.strip_prefix(folder.as_str())?.replace("NAME", values.name);
            let written = match std::str::from_utf8(bytes) {
                Ok(text) => render(text, values).into_bytes(),
                Err(_) => bytes.to_vec(),
            };
            Some((path, written))
        })
        // A file of which nothing is left is for what this plugin does not want.
        .filter(|(path, written)| !written.is_empty() || path.ends_with("__init__.py"))
        .collect()
}

/// What was made, and what to do next.
fn told(folder: &Path, language: Language, sdk: &str, files: usize) -> String {
    let bold = anstyle::Style::new().bold();
    let shown = folder.display();
    let mut text = format!(
        "made {bold}{shown}{bold:#}: {files} files, a plugin in {}\n\nnext:\n",
        language.name()
    );
    text.push_str(&format!("  cd {shown}\n"));
    for line in language.prepared(sdk) {
        text.push_str(&format!("  {line}\n"));
    }
    text.push_str(
        "  trunkline plugin build\n  trunkline plugin test\n  trunkline plugin dev --hotline FOLDER    live on save\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use trunkline_package::project::Project;

    use super::*;

    fn make(language: Language, wants: &[Want], folder: &Path) -> Result<(), Failure> {
        let new = New {
            name: "water-level".to_owned(),
            language: Some(language),
            department: Some("water-works".to_owned()),
            wants: Some(wants.to_vec()),
            folder: Some(folder.to_owned()),
            sdk: None,
        };
        new.run().map(|_| ())
    }

    /// Languages whose templates this checkout has.
    fn languages() -> impl Iterator<Item = Language> {
        Language::value_variants().iter().copied().filter(|language| {
            let folder = format!("{}/template/", language.folder());
            sdk::FILES.iter().any(|(path, _)| path.starts_with(&folder))
        })
    }

    #[test]
    fn every_template_gives_a_plugin_with_every_want() {
        assert!(languages().any(|language| language == Language::Rust));
        let all = [Want::Http, Want::Kv, Want::Secrets];
        for language in languages() {
            for mask in 0..8_u8 {
                let wants: Vec<Want> = all
                    .into_iter()
                    .enumerate()
                    .filter(|(index, _)| mask & (1 << index) != 0)
                    .map(|(_, want)| want)
                    .collect();
                let place = tempfile::tempdir().unwrap();
                let folder = place.path().join("mine");
                make(language, &wants, &folder).unwrap();
                let project = Project::read(&folder).unwrap();
                assert_eq!(project.manifest.name.as_str(), "water-level");
                assert_eq!(project.manifest.department, "water-works");
                assert_eq!(
                    project.manifest.wants.kv.is_some(),
                    wants.contains(&Want::Kv),
                    "{language:?} {wants:?}"
                );
                assert_eq!(
                    !project.manifest.wants.http.is_empty(),
                    wants.contains(&Want::Http) || wants.contains(&Want::Secrets),
                    "{language:?} {wants:?}"
                );
                assert_eq!(
                    !project.manifest.wants.secrets.is_empty(),
                    wants.contains(&Want::Secrets),
                    "{language:?} {wants:?}"
                );
                let code: Vec<String> = read(&folder.join("src"))
                    .into_iter()
                    .map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned())
                    .collect();
                assert_eq!(
                    code.iter().any(|code| code.contains("secrets")),
                    wants.contains(&Want::Secrets),
                    "{language:?} {wants:?}: the code uses what it wants"
                );
                for (path, bytes) in read(&folder.join("tests")) {
                    if path.ends_with(".yaml") {
                        let text = String::from_utf8(bytes).unwrap();
                        let read = trunkline_flow::document::read("a.yaml", &text);
                        assert!(matches!(read, Ok(Some(_))), "{language:?} {wants:?}: {read:?}");
                    }
                }
                for (path, bytes) in read(&folder) {
                    let text = String::from_utf8_lossy(&bytes);
                    for left in [
                        "{{^",
                        "{{#",
                        "{{/",
                        "{{name}}",
                        "{{snake_name}}",
                        "{{department}}",
                        "{{version}}",
                        "{{sdk}}",
                    ] {
                        assert!(
                            !text.contains(left),
                            "{language:?} {wants:?}: {path} holds {left}"
                        );
                    }
                }
            }
        }
    }

    /// Files of a new plugin, the SDK left out.
    fn read(folder: &Path) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        let mut open = vec![folder.to_owned()];
        while let Some(next) = open.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    if path.file_name().is_none_or(|name| name != SDK_FOLDER) {
                        open.push(path);
                    }
                } else {
                    found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
                }
            }
        }
        found
    }

    #[test]
    fn what_is_there_is_not_overwritten_and_names_are_checked() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("mine");
        make(Language::Rust, &[], &folder).unwrap();
        assert_eq!(make(Language::Rust, &[], &folder).unwrap_err().exit, Exit::Usage);
        let new = New {
            name: "Water Level".to_owned(),
            language: Some(Language::Rust),
            department: Some("water-works".to_owned()),
            wants: None,
            folder: None,
            sdk: None,
        };
        let failure = new.run().unwrap_err();
        assert!(
            failure.error.to_string().contains("did you mean water-level?"),
            "{}",
            failure.error
        );
    }
}
