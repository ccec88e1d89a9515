//! plugin.toml: what a plugin's author says of the plugin, and how it is built.
//!
//! [`Project::parse`] reads all of a file and reports all that is wrong with it, each with its
//! line and column. What it gives is the [`Manifest`] that goes into the component, and the
//! [`Build`] that makes the component.

mod fields;
mod keys;
mod place;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use trunkline_model::PluginName;
use trunkline_plugin::{Grants, Limits, Manifest};

use self::{fields::Fields, place::Places};

/// The file's name, in the folder of the plugin.
pub const FILE: &str = "plugin.toml";

/// Bytes of the largest plugin.toml.
pub const FILE_BYTES_MAX: u64 = 256 << 10;

/// Where builds look for WIT unless plugin.toml says otherwise.
const WIT_FOLDER: &str = "wit";

/// Characters of a plugin's or a department's name.
const NAME_CHARS_MAX: usize = 100;

/// A plugin's project: its manifest, and how it is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// What goes into the component. Its language is that of the build.
    pub manifest: Manifest,
    /// How the component is made.
    pub build: Build,
}

/// How a component is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// What the plugin is written in.
    pub language: Language,
    /// The command that makes the component, for a shell in the plugin's folder.
    pub command: String,
    /// Where the command leaves the component, relative to the plugin's folder.
    pub component: PathBuf,
    /// The folder of the WIT that it is written against, relative to the plugin's folder.
    pub wit: PathBuf,
}

/// What a plugin is written in, as far as that decides how it is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// Rust, built by cargo for wasm32-wasip2.
    Rust,
    /// JavaScript or TypeScript, built by the project's own `build` script.
    JavaScript,
    /// Python, built by the SDK with componentize-py.
    Python,
    /// Anything else that makes components; plugin.toml says how.
    Other,
}

/// Languages by their names in plugin.toml.
const LANGUAGES: [(&str, Language); 4] = [
    ("rust", Language::Rust),
    ("javascript", Language::JavaScript),
    ("python", Language::Python),
    ("other", Language::Other),
];

impl Language {
    /// Its name in plugin.toml.
    pub fn name(self) -> &'static str {
        let named = LANGUAGES.iter().find(|(_, language)| *language == self);
        named.map_or("other", |(name, _)| name)
    }

    /// The command that builds a plugin, when plugin.toml does not say.
    fn command(self) -> Option<String> {
        match self {
            Self::Rust => Some("cargo build --release --target wasm32-wasip2".to_owned()),
            Self::JavaScript => Some("npm run build".to_owned()),
            Self::Python => Some("python3 -m trunkline_sdk.build".to_owned()),
            Self::Other => None,
        }
    }

    /// Where that command leaves the component.
    fn component(self, name: &str) -> Option<PathBuf> {
        match self {
            Self::Rust => {
                let file = format!("{}.wasm", name.replace('-', "_"));
                Some(Path::new("target/wasm32-wasip2/release").join(file))
            }
            Self::JavaScript | Self::Python => Some(Path::new("dist").join(format!("{name}.wasm"))),
            Self::Other => None,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A plugin.toml that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// It is not there.
    #[error(
        "there is no {}; write one, or name the folder that has it (`trunkline plugin new` makes one)",
        path.display()
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("failed to read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is over its bound.
    #[error("{} has {bytes} bytes, and the most is {FILE_BYTES_MAX}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// How many it has.
        bytes: u64,
    },
    /// Something is wrong in it; all that is wrong.
    #[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Wrong {
        /// What, in the order of the file.
        problems: Vec<Problem>,
    },
}

/// One thing that is wrong in a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what mends it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            message,
        } = self;
        write!(f, "{file}:{line}:{column}: {message}")
    }
}

impl Project {
    /// Reads the plugin.toml of a folder.
    ///
    /// # Errors
    /// It is not there, cannot be read, or something is wrong in it.
    pub fn read(folder: &Path) -> Result<Self, ProjectError> {
        let path = folder.join(FILE);
        let io = |source| ProjectError::Io {
            path: path.clone(),
            source,
        };
        let bytes = match std::fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(ProjectError::Missing { path });
            }
            Err(error) => return Err(io(error)),
        };
        if bytes > FILE_BYTES_MAX {
            return Err(ProjectError::TooLarge { path, bytes });
        }
        let text = std::fs::read_to_string(&path).map_err(io)?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Reads the text of a plugin.toml; `file` is how errors name it.
    ///
    /// # Errors
    /// All that is wrong in it.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProjectError> {
        let mut places = Places::new(file, text);
        let root = match toml::de::DeTable::parse(text) {
            Ok(root) => root.into_inner(),
            Err(error) => {
                places.report(error.span().map_or(0, |span| span.start), error.message());
                return Err(places.wrong());
            }
        };
        let project = read(&mut places, root);
        match project {
            Some(project) if places.is_clean() => Ok(project),
            _ => Err(places.wrong()),
        }
    }
}

fn read(places: &mut Places<'_>, root: toml::de::DeTable<'_>) -> Option<Project> {
    let mut root = Fields::root(root);
    let plugin = root.need_table(places, "plugin");
    let build = root.need_table(places, "build");
    let wants = root.table(places, "wants");
    let limits = root.table(places, "limits");
    root.finish(places);

    let limits = limits.map(|limits| {
        let at = limits.at();
        let limits = limits.typed::<Limits>(places, &[]);
        if let Some(Err(problem)) = limits.as_ref().map(Limits::check) {
            places.report(at, problem);
        }
        limits
    });
    let wants =
        wants.map(|wants| wants.typed::<Grants>(places, &[("limits", "a table of its own, `[limits]`")]));
    let manifest = plugin.and_then(|plugin| manifest(places, plugin));
    let name = manifest.as_ref().map(|manifest| manifest.name.clone());
    let build = build.and_then(|fields| self::build(places, fields, name.as_ref()));

    let (mut manifest, build) = (manifest?, build?);
    manifest.wants = wants.unwrap_or_else(|| Some(Grants::default()))?;
    manifest.wants.limits = limits.unwrap_or_else(|| Some(Limits::default()))?;
    if build.language != Language::Other {
        manifest.language = Some(build.language.to_string());
    }
    Some(Project { manifest, build })
}

fn manifest(places: &mut Places<'_>, mut fields: Fields<'_>) -> Option<Manifest> {
    let name = fields.need_text(places, "name", "crm-lookup");
    let version = fields.need_text(places, "version", "1.4.0");
    let department = fields.need_text(places, "department", "civil-affairs");
    let description = fields.text(places, "description").map(|(_, text)| text);
    let license = fields.text(places, "license").map(|(_, text)| text);
    let authors = fields.texts(places, "authors");
    let source = fields.text(places, "source").map(|(_, text)| text);
    fields.finish(places);

    let name = name.filter(|(at, name)| kebab(places, *at, name, "a plugin"));
    let department = department.filter(|(at, name)| kebab(places, *at, name, "a department"));
    let version = version.and_then(|(at, text)| match text.parse::<semver::Version>() {
        Ok(version) => Some(version),
        Err(error) => {
            places.report(
                at,
                format!("`{text}` is no version: {error}; write three numbers, `version = \"1.4.0\"`"),
            );
            None
        }
    });
    Some(Manifest {
        name: PluginName::new(name?.1),
        version: version?,
        department: department?.1,
        description,
        language: None,
        license,
        authors,
        source,
        wants: Grants::default(),
    })
}

fn build(places: &mut Places<'_>, mut fields: Fields<'_>, name: Option<&PluginName>) -> Option<Build> {
    let at = fields.at();
    let written = fields.need_text(places, "language", "rust");
    let command = fields.text(places, "command").map(|(_, text)| text);
    let component = fields.path(places, "component");
    let wit = fields.path(places, "wit");
    fields.finish(places);

    let (language_at, written) = written?;
    let known = LANGUAGES.iter().find(|(name, _)| *name == written);
    let Some((_, language)) = known else {
        let names = LANGUAGES.map(|(name, _)| name);
        let meant = keys::did_you_mean(&written, &names);
        places.report(
            language_at,
            format!("`{written}` is no language that builds are known for; {meant}; for any other write `language = \"other\"` with `command` and `component`"),
        );
        return None;
    };
    let name = name.map_or("", PluginName::as_str);
    let command = command.or_else(|| language.command());
    let component = component.or_else(|| language.component(name));
    for (key, missing, example) in [
        ("command", command.is_none(), "make"),
        ("component", component.is_none(), "build/plugin.wasm"),
    ] {
        if missing {
            places.report(
                at,
                format!(
                    "[build] lacks `{key}`, which `language = \"other\"` needs; write `{key} = \"{example}\"`"
                ),
            );
        }
    }
    Some(Build {
        language: *language,
        command: command?,
        component: component?,
        wit: wit.unwrap_or_else(|| PathBuf::from(WIT_FOLDER)),
    })
}

/// Reports a name that is not written as names are.
fn kebab(places: &mut Places<'_>, at: usize, name: &str, of: &str) -> bool {
    let fits = name.starts_with(char::is_alphabetic)
        && name.chars().count() <= NAME_CHARS_MAX
        && name
            .chars()
            .all(|c| (c.is_alphanumeric() && !c.is_uppercase()) || c == '-');
    if !fits {
        let mended: String = name
            .chars()
            .map(|c| if matches!(c, '_' | ' ' | '.') { '-' } else { c })
            .flat_map(char::to_lowercase)
            .collect();
        let help = if mended != name && mended.starts_with(char::is_alphabetic) {
            format!("write `{mended}`")
        } else {
            "begin with a letter, as in `crm-lookup`".to_owned()
        };
        places.report(
            at,
            format!("`{name}` cannot be the name of {of}: such names have small letters, digits and hyphens; {help}"),
        );
    }
    fits
}

#[cfg(test)]
mod tests;
