//! The tables of tests in a plugin's folder: `tests/*.yaml`, each about one function.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
    time::Duration as StdDuration,
};

use trunkline_flow::document::{self, Kind, Node};
use trunkline_model::{
    Duration, FaultKind, Signature, Value,
    signature::{Errors, Interface, REFUSED},
};
use trunkline_plugin::{Bytes, SecretName, SecretValue};

use super::{
    recording::{self, Recording},
    values::{self, Extent, shown},
};

/// The folder of tables in a plugin's folder.
pub(super) const FOLDER: &str = "tests";

/// Tables in one folder.
const TABLES_MAX: usize = 1_000;

/// Cases in one table.
const CASES_MAX: usize = 10_000;

/// Bytes of the largest table.
pub(super) const FILE_BYTES_MAX: u64 = 4 << 20;

/// A table: cases of one function.
#[derive(Debug)]
pub(super) struct Table {
    /// Its file, relative to the plugin's folder.
    pub(super) file: String,
    /// The settings of its cases.
    pub(super) config: BTreeMap<String, String>,
    /// Values of secrets that its cases use.
    pub(super) secrets: BTreeMap<SecretName, SecretValue>,
    pub(super) cases: Vec<Case>,
}

/// A case: one call and what is to come of it.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) name: String,
    /// The line where it begins.
    pub(super) line: usize,
    pub(super) function: Signature,
    pub(super) arguments: Vec<Value>,
    pub(super) locale: String,
    pub(super) attempt: u32,
    /// What answers its requests.
    pub(super) http: Http,
    /// What is in the key-value store before.
    pub(super) kv: BTreeMap<String, String>,
    /// What is to be in it afterwards; none for a key that is to be gone.
    pub(super) kv_after: BTreeMap<String, Option<String>>,
    pub(super) expected: Expected,
    pub(super) within: Within,
}

/// What answers the requests of a case.
#[derive(Clone, Debug)]
pub(super) enum Http {
    /// Replies written in the case: each is to be asked for.
    Inline(Recording),
    /// Replies in a file of their own, relative to the plugin's folder.
    File(String, Recording),
}

/// What is to come of a call.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expected {
    /// An answer; any, or one of which this is a part.
    Ok(Option<Value>),
    /// A refusal, with any payload or this one.
    Refusal(Arc<str>, Option<Value>),
    /// A fault.
    Fault(FaultKind),
}

/// Limits of one case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Within {
    pub(super) time: Option<StdDuration>,
    pub(super) memory: Option<Bytes>,
    pub(super) instructions: Option<u64>,
}

/// Something wrong in a file of tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The line, from 1.
    pub(super) line: usize,
    /// What is wrong, and what mends it.
    pub(super) message: String,
}

impl Wrong {
    pub(super) fn at(node: &Node, message: impl Into<String>) -> Self {
        Self {
            line: node.line,
            message: message.into(),
        }
    }
}

/// What was read of a folder: tables, and all that is wrong, as lines `file:line: what`.
pub(super) struct Read {
    pub(super) tables: Vec<Table>,
    pub(super) wrong: Vec<String>,
}

/// Whether a recording that a case names has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recordings {
    /// It answers the case's requests.
    Read,
    /// It is about to be made.
    Made,
}

/// Reads the tables of a plugin's folder.
pub(super) fn read_all(folder: &Path, interface: &Interface, recordings: Recordings) -> Read {
    let mut read = Read {
        tables: Vec::new(),
        wrong: Vec::new(),
    };
    let Ok(entries) = fs::read_dir(folder.join(FOLDER)) else {
        return read;
    };
    let files: BTreeSet<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".yaml") && !name.starts_with('.'))
        .collect();
    for name in files.iter().take(TABLES_MAX) {
        let file = format!("{FOLDER}/{name}");
        match read_node(folder, &file) {
            Ok(Some(root)) => match table((folder, recordings), &file, &root, interface) {
                Ok(table) => read.tables.push(table),
                Err(wrong) => read.wrong.extend(
                    wrong
                        .into_iter()
                        .map(|wrong| format!("{file}:{}: {}", wrong.line, wrong.message)),
                ),
            },
            Ok(None) => read.wrong.push(format!("{file}: the file is empty")),
            Err(wrong) => read.wrong.extend(wrong),
        }
    }
    if files.len() > TABLES_MAX {
        read.wrong
            .push(format!("{FOLDER}/ has more than {TABLES_MAX} tables"));
    }
    read
}

/// Reads a file of the plugin's folder as YAML.
pub(super) fn read_node(folder: &Path, file: &str) -> Result<Option<Node>, Vec<String>> {
    let path = folder.join(file);
    let failed = |error: std::io::Error| vec![format!("{file}: failed to read it: {error}")];
    if fs::metadata(&path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(vec![format!(
            "{file}: it is larger than {FILE_BYTES_MAX} bytes; split it"
        )]);
    }
    let text = fs::read_to_string(&path).map_err(failed)?;
    document::read(file, &text).map_err(|findings| {
        findings
            .iter()
            .map(|finding| format!("{file}:{}:{}: {}", finding.line, finding.column, finding.message))
            .collect()
    })
}

/// The entries of a mapping, each known and taken once.
pub(super) struct Fields<'n> {
    node: &'n Node,
    entries: Vec<(&'n str, &'n Node)>,
    known: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    pub(super) fn of(node: &'n Node, what: &str) -> Result<Self, Wrong> {
        match &node.kind {
            Kind::Mapping(entries) => Ok(Self {
                node,
                entries: entries.iter().map(|(key, value)| (&**key, value)).collect(),
                known: Vec::new(),
            }),
            Kind::Scalar { .. } | Kind::List(_) => Err(Wrong::at(
                node,
                format!("{what} is a mapping, not {}", node.describe()),
            )),
        }
    }

    pub(super) fn take(&mut self, key: &'static str) -> Option<&'n Node> {
        self.known.push(key);
        let at = self.entries.iter().position(|(name, _)| *name == key)?;
        Some(self.entries.remove(at).1)
    }

    pub(super) fn need(&mut self, key: &'static str) -> Result<&'n Node, Wrong> {
        self.take(key)
            .ok_or_else(|| Wrong::at(self.node, format!("this lacks `{key}:`")))
    }

    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<&'n str>, Wrong> {
        self.take(key)
            .map(|node| {
                node.text()
                    .ok_or_else(|| Wrong::at(node, format!("`{key}` is a text, not {}", node.describe())))
            })
            .transpose()
    }

    /// A mapping of texts.
    pub(super) fn texts(&mut self, key: &'static str) -> Result<BTreeMap<String, String>, Wrong> {
        let Some(node) = self.take(key) else {
            return Ok(BTreeMap::new());
        };
        let Kind::Mapping(entries) = &node.kind else {
            return Err(Wrong::at(
                node,
                format!("`{key}` is a mapping of texts, not {}", node.describe()),
            ));
        };
        entries
            .iter()
            .map(|(name, value)| match value.text() {
                Some(text) => Ok((name.to_string(), text.to_owned())),
                None => Err(Wrong::at(
                    value,
                    format!("`{name}` is a text here, not {}", value.describe()),
                )),
            })
            .collect()
    }

    /// Refuses what was not asked for.
    pub(super) fn finish(self) -> Result<(), Wrong> {
        match self.entries.first() {
            None => Ok(()),
            Some((key, node)) => Err(Wrong::at(
                node,
                format!("`{key}` is not known here; known are {}", self.known.join(", ")),
            )),
        }
    }
}

fn table(
    from: (&Path, Recordings),
    file: &str,
    root: &Node,
    interface: &Interface,
) -> Result<Table, Vec<Wrong>> {
    let one = |wrong: Wrong| vec![wrong];
    let mut fields = Fields::of(root, "a table of tests").map_err(one)?;
    let named = fields.need("function").map_err(one)?;
    let function = function(named, interface).map_err(one)?;
    let config = fields.texts("config").map_err(one)?;
    let secrets = secrets(fields.take("secrets")).map_err(one)?;
    let cases = fields.need("cases").map_err(one)?;
    fields.finish().map_err(one)?;
    let Kind::List(nodes) = &cases.kind else {
        return Err(one(Wrong::at(cases, "`cases` is a list of calls")));
    };
    if nodes.len() > CASES_MAX {
        return Err(one(Wrong::at(
            cases,
            format!("a table has at most {CASES_MAX} cases"),
        )));
    }
    let mut read = Vec::new();
    let mut wrong = Vec::new();
    for node in nodes {
        match case(from, node, &function) {
            Ok(case) => read.push(case),
            Err(error) => wrong.push(error),
        }
    }
    if wrong.is_empty() {
        Ok(Table {
            file: file.to_owned(),
            config,
            secrets,
            cases: read,
        })
    } else {
        Err(wrong)
    }
}

/// Secrets by name. Where what is wrong is told, their values are not.
fn secrets(node: Option<&Node>) -> Result<BTreeMap<SecretName, SecretValue>, Wrong> {
    let Some(node) = node else {
        return Ok(BTreeMap::new());
    };
    let Kind::Mapping(entries) = &node.kind else {
        return Err(Wrong::at(
            node,
            format!(
                "`secrets` is a mapping of names and values, not {}",
                node.describe()
            ),
        ));
    };
    entries
        .iter()
        .map(|(name, value)| {
            let wrong = |why: String| Wrong::at(value, format!("the secret `{name}`: {why}"));
            let known = name
                .parse::<SecretName>()
                .map_err(|error| wrong(error.to_string()))?;
            let text = value
                .text()
                .ok_or_else(|| wrong(format!("its value is a text, not {}", value.describe())))?;
            let value = SecretValue::new(text).map_err(|error| wrong(error.to_string()))?;
            Ok((known, value))
        })
        .collect()
}

/// The function that a table is about.
fn function(node: &Node, interface: &Interface) -> Result<Signature, Wrong> {
    let name = node.text().ok_or_else(|| {
        Wrong::at(
            node,
            "`function` is the name of one, such as citizens.find-citizen",
        )
    })?;
    let mut found = interface.find(name);
    let all = || {
        let paths: Vec<_> = interface.functions.iter().map(Signature::path).collect();
        paths.join(", ")
    };
    match (found.next(), found.next()) {
        (Some(function), None) => Ok(function.clone()),
        (None, _) => Err(Wrong::at(
            node,
            format!("the component exports no function `{name}`; it exports {}", all()),
        )),
        (Some(_), Some(_)) => Err(Wrong::at(
            node,
            format!("several interfaces export `{name}`; name one of {}", all()),
        )),
    }
}

fn case((folder, recordings): (&Path, Recordings), node: &Node, function: &Signature) -> Result<Case, Wrong> {
    let mut fields = Fields::of(node, "a case")?;
    let name = fields.text("name")?.map(str::to_owned);
    let arguments = arguments(node, fields.take("with"), function)?;
    let locale = fields.text("locale")?.unwrap_or("zh-CN").to_owned();
    let attempt = number(fields.take("attempt"), "attempt")?.unwrap_or(1);
    let http = match fields.take("http") {
        None => Http::Inline(Recording::default()),
        Some(node) => match &node.kind {
            Kind::Scalar { text, .. } => {
                let recording = match recordings {
                    Recordings::Read => {
                        recording::read_file(folder, text).map_err(|error| Wrong::at(node, error))?
                    }
                    Recordings::Made => recording::check_inside(text)
                        .map(|()| Recording::default())
                        .map_err(|error| Wrong::at(node, error))?,
                };
                Http::File(text.to_string(), recording)
            }
            Kind::List(_) | Kind::Mapping(_) => Http::Inline(recording::read(node)?),
        },
    };
    let kv = fields.texts("kv")?;
    let kv_after = after(fields.take("kv-after"))?;
    let expected = expected(node, &mut fields, function)?;
    let within = within(fields.take("within"))?;
    fields.finish()?;
    Ok(Case {
        name: name.unwrap_or_else(|| format!("line {}", node.line)),
        line: node.line,
        function: function.clone(),
        arguments,
        locale,
        attempt,
        http,
        kv,
        kv_after,
        expected,
        within,
    })
}

fn arguments(case: &Node, node: Option<&Node>, function: &Signature) -> Result<Vec<Value>, Wrong> {
    let entries: &[(Arc<str>, Node)] = match node.map(|node| (node, &node.kind)) {
        None => &[],
        Some((_, Kind::Mapping(entries))) => entries,
        Some((node, _)) => {
            return Err(Wrong::at(
                node,
                "`with` is a mapping: each parameter and its argument",
            ));
        }
    };
    if let Some((name, node)) = entries.iter().find(|(name, _)| {
        !function
            .parameters
            .iter()
            .any(|parameter| parameter.name == *name)
    }) {
        return Err(Wrong::at(node, format!("`{name}` is no parameter of {function}")));
    }
    function
        .parameters
        .iter()
        .map(
            |parameter| match entries.iter().find(|(name, _)| *name == parameter.name) {
                Some((_, node)) => values::read(node, &parameter.ty, Extent::Whole),
                None if parameter.ty.is_optional() => Ok(Value::None),
                None => Err(Wrong::at(
                    case,
                    format!(
                        "`with` lacks `{}: {}` of {function}",
                        parameter.name, parameter.ty
                    ),
                )),
            },
        )
        .collect()
}

fn after(node: Option<&Node>) -> Result<BTreeMap<String, Option<String>>, Wrong> {
    let Some(node) = node else {
        return Ok(BTreeMap::new());
    };
    let Kind::Mapping(entries) = &node.kind else {
        return Err(Wrong::at(
            node,
            "`kv-after` is a mapping of texts, or `null` for a key that is gone",
        ));
    };
    entries
        .iter()
        .map(|(name, value)| match &value.kind {
            Kind::Scalar { text, plain: true } if matches!(&**text, "null" | "~" | "") => {
                Ok((name.to_string(), None))
            }
            Kind::Scalar { text, .. } => Ok((name.to_string(), Some(text.to_string()))),
            Kind::List(_) | Kind::Mapping(_) => Err(Wrong::at(value, format!("`{name}` is a text here"))),
        })
        .collect()
}

fn expected(case: &Node, fields: &mut Fields<'_>, function: &Signature) -> Result<Expected, Wrong> {
    let (ok, refusal, fault) = (fields.take("ok"), fields.take("refusal"), fields.take("fault"));
    match (ok, refusal, fault) {
        (Some(node), None, None) => {
            let any = matches!(&node.kind, Kind::Scalar { text, plain: true } if text.is_empty());
            match &function.ok {
                _ if any => Ok(Expected::Ok(None)),
                Some(ty) => values::read(node, ty, Extent::Part).map(|value| Expected::Ok(Some(value))),
                None => Err(Wrong::at(
                    node,
                    format!("{function} answers nothing: write `ok:` alone"),
                )),
            }
        }
        (None, Some(node), None) => refusal_of(node, function),
        (None, None, Some(node)) => {
            let name = node.text().unwrap_or_default();
            let kinds: Vec<_> = FaultKind::ALL.iter().map(|kind| kind.as_str()).collect();
            FaultKind::ALL
                .into_iter()
                .find(|kind| kind.as_str() == name)
                .map(Expected::Fault)
                .ok_or_else(|| {
                    Wrong::at(
                        node,
                        format!(
                            "{} is no kind of fault; they are {}",
                            shown(node),
                            kinds.join(", ")
                        ),
                    )
                })
        }
        _ => Err(Wrong::at(
            case,
            "a case expects one of `ok:`, `refusal:` and `fault:`",
        )),
    }
}

fn refusal_of(node: &Node, function: &Signature) -> Result<Expected, Wrong> {
    let (name, inside) = match &node.kind {
        Kind::Scalar { text, .. } => (text.clone(), None),
        Kind::Mapping(entries) if entries.len() == 1 => (entries[0].0.clone(), Some(&entries[0].1)),
        Kind::Mapping(_) | Kind::List(_) => {
            return Err(Wrong::at(
                node,
                "`refusal` is the name of an error's case, or `{ case: what it carries }`",
            ));
        }
    };
    let cases = function.error_cases();
    let Some((_, payload)) = cases.iter().find(|(case, _)| *case == name) else {
        let names: Vec<_> = cases.iter().map(|(case, _)| &**case).collect();
        let has = if names.is_empty() {
            "it never refuses".to_owned()
        } else {
            format!("it has {}", names.join(", "))
        };
        let hint = match function.errors {
            Errors::Refused(_) => format!(" (`{REFUSED}` is the name of an error without cases)"),
            Errors::None | Errors::Cases(_) => String::new(),
        };
        return Err(Wrong::at(
            node,
            format!("{function} has no error `{name}`: {has}{hint}"),
        ));
    };
    match (payload, inside) {
        (_, None) => Ok(Expected::Refusal(name, None)),
        (Some(ty), Some(node)) => {
            values::read(node, ty, Extent::Part).map(|value| Expected::Refusal(name, Some(value)))
        }
        (None, Some(_)) => Err(Wrong::at(
            node,
            format!("`{name}` carries nothing: write `refusal: {name}`"),
        )),
    }
}

fn within(node: Option<&Node>) -> Result<Within, Wrong> {
    let Some(node) = node else {
        return Ok(Within::default());
    };
    let mut fields = Fields::of(node, "`within`")?;
    let time = fields
        .take("time")
        .map(|node| {
            node.text()
                .and_then(|text| text.parse::<Duration>().ok())
                .map(Duration::to_std)
                .ok_or_else(|| Wrong::at(node, "`time` is written like 50ms or 2s"))
        })
        .transpose()?;
    let memory = fields
        .take("memory")
        .map(|node| {
            node.text()
                .and_then(|text| text.parse::<Bytes>().ok())
                .ok_or_else(|| Wrong::at(node, "`memory` is written like 512KiB or 8MiB"))
        })
        .transpose()?;
    let instructions = fields
        .take("instructions")
        .map(|node| {
            node.text()
                .and_then(count)
                .ok_or_else(|| Wrong::at(node, "`instructions` is a number, such as 200000, 500k or 20M"))
        })
        .transpose()?;
    fields.finish()?;
    Ok(Within {
        time,
        memory,
        instructions,
    })
}

/// A count as people write it: `200000`, `500k`, `20M`, `1G`.
fn count(text: &str) -> Option<u64> {
    let (digits, factor) = match text.strip_suffix(['k', 'M', 'G']) {
        Some(digits) => match text.as_bytes().last() {
            Some(b'k') => (digits, 1_000),
            Some(b'M') => (digits, 1_000_000),
            _ => (digits, 1_000_000_000),
        },
        None => (text, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

fn number(node: Option<&Node>, key: &str) -> Result<Option<u32>, Wrong> {
    node.map(|node| {
        node.text()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Wrong::at(node, format!("`{key}` is a number, not {}", shown(node))))
    })
    .transpose()
}
