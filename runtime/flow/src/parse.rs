//! From text to a syntax tree. Parsing never fails: it gives what it could read and all
//! that is wrong with it.

mod calendars;
mod centre;
mod feeds;
mod fields;
mod flow;
mod hotline;
mod packs;
mod phone;
pub(crate) mod scenario;
mod step;
mod tables;
mod value;

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use trunkline_model::PluginName;

#[cfg(test)]
pub(crate) use self::fields::asked_for;
use self::fields::{Reader, stem};
use crate::{
    diagnostics::{Code, Diagnostic, Edit, Finding, Findings, edit, findings_diagnostic},
    limits::FILES_MAX,
    source::{File, Files, Sources, Span, Spanned, Word},
    syntax::{AgentsSyntax, Syntax},
    yaml::{self, Kind, Node},
};

/// A hotline as it is written, and what is wrong with it.
#[derive(Debug)]
pub struct Parsed {
    pub(crate) files: Files,
    /// The recordings beside the files, and their lengths in seconds where they are known.
    pub(crate) recordings: BTreeMap<Arc<str>, Option<f64>>,
    pub(crate) syntax: Syntax,
    pub(crate) findings: Findings,
}

/// A plugin as hotline.yaml declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredPlugin {
    /// Its name.
    pub name: Spanned<PluginName>,
    /// Where its component comes from: a path relative to the hotline's folder, or `oci://…`.
    pub component: Word,
    /// Whose it is.
    pub department: Arc<str>,
    /// Its settings.
    pub config: BTreeMap<String, String>,
}

/// What grants.yaml gives to one plugin, as it is written: the plugin host knows what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// The plugin.
    pub plugin: Spanned<PluginName>,
    /// Whose the plugin is, where that is said here.
    pub department: Option<Word>,
    /// The rest of the entry as JSON: whole numbers and `true` and `false` that stand without quotes as
    /// such, all else as text.
    pub entry: serde_json::Value,
    /// The kinds of personal data that flows may pass to the plugin: flows are checked for them.
    pub data: Vec<Word>,
    /// Where each part of it is written, by its path: `http`, `http[0]`, `limits.memory`.
    pub spans: BTreeMap<String, Span>,
}

/// Which keys may sign the packages of a department, as grants.yaml names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signers {
    /// The department.
    pub department: Word,
    /// Paths of public keys in the hotline's folder; one of them has to have signed.
    pub keys: Vec<Word>,
}

impl Grant {
    /// Where a part is written, by its path; the plugin's name when there is no such part.
    pub fn span(&self, path: &str) -> Span {
        self.spans.get(path).copied().unwrap_or(self.plugin.span)
    }
}

/// Parses a hotline's files.
pub fn parse(sources: &Sources) -> Parsed {
    let files = Files::new(sources);
    let mut findings = Findings::default();
    let mut syntax = Syntax::default();
    if files.0.len() > FILES_MAX {
        let message = format!("the hotline has {} files; it may have {FILES_MAX}", files.0.len());
        findings.push(Finding::new(Code::TooLarge, Span::new(0, 0..0), message));
    }
    for (index, file) in files.0.iter().enumerate().take(FILES_MAX) {
        if !sources.files.contains_key(&file.path) {
            continue;
        }
        read_file(index, file, &mut syntax, &mut findings);
    }
    if !sources.files.contains_key("hotline.yaml") {
        findings.push(
            Finding::new(
                Code::MissingFile,
                files.beginning("hotline.yaml"),
                "the folder has no hotline.yaml",
            )
            .help("write one with `hotline`, `languages`, `time-zone` and `numbers`"),
        );
    }
    Parsed {
        files,
        recordings: sources.recordings.clone(),
        syntax,
        findings,
    }
}

fn read_file(index: usize, file: &File, syntax: &mut Syntax, findings: &mut Findings) {
    let Some(kind) = FileKind::of(&file.path) else {
        return;
    };
    let start = Span::new(index, 0..0);
    if let FileKind::ICalendar = kind {
        let reader = Reader {
            findings: RefCell::new(findings),
        };
        let (name, icalendar) = calendars::icalendar(&reader, index, file);
        syntax.icalendars.insert(name, icalendar);
        return;
    }
    let document = yaml::read(index, file, findings);
    // What was read of a broken file says too little to judge it by.
    let mut unheard = Findings::default();
    let reader = Reader {
        findings: RefCell::new(if document.whole { findings } else { &mut unheard }),
    };
    let empty = Node {
        span: start,
        kind: Kind::Mapping(Arc::default()),
    };
    let root = document.root.as_ref().unwrap_or(&empty);
    match kind {
        FileKind::Hotline => {
            let hotline = hotline::hotline(&reader, root, start);
            if document.whole {
                syntax.hotline = Some(hotline);
            }
        }
        FileKind::Grants => {
            syntax.grants = hotline::grants(&reader, root);
            syntax.signers = hotline::signers(&reader, root);
        }
        FileKind::Flow => {
            let flow = flow::flow(&reader, root, start);
            match flow {
                Some(flow) if document.whole => syntax.flows.push(flow),
                flow => {
                    let name = flow.map_or_else(|| stem(&file.path), |flow| flow.name.value);
                    syntax.broken_flows.insert(name);
                }
            }
        }
        FileKind::Prompts => {
            let table = tables::prompts(&reader, stem(&file.path), &document, start);
            syntax.prompts.push(table);
        }
        FileKind::Calendar => match calendars::calendar(&reader, root, start) {
            Some(calendar) if document.whole => syntax.calendars.push(calendar),
            calendar => {
                let name = calendar.map_or_else(|| stem(&file.path), |calendar| calendar.name.value);
                syntax.broken_calendars.insert(name);
            }
        },
        FileKind::Agents => {
            let agents = centre::agents(&reader, root);
            syntax.agents = if document.whole {
                AgentsSyntax::Given(agents)
            } else {
                AgentsSyntax::Broken
            };
        }
        FileKind::Survey => match centre::survey(&reader, root, start) {
            Some(survey) if document.whole => syntax.surveys.push(survey),
            survey => {
                let name = survey.map_or_else(|| stem(&file.path), |survey| survey.name.value);
                syntax.broken_surveys.insert(name);
            }
        },
        FileKind::Ticket => match centre::ticket(&reader, root, start) {
            Some(ticket) if document.whole => syntax.tickets.push(ticket),
            ticket => {
                let name = ticket.map_or_else(|| stem(&file.path), |ticket| ticket.name.value);
                syntax.broken_tickets.insert(name);
            }
        },
        FileKind::Stray => findings_of(&reader, start, &file.path),
        FileKind::Later | FileKind::ICalendar => {}
    }
}

fn findings_of(reader: &Reader<'_>, start: Span, path: &str) {
    reader.report(
        Finding::new(Code::StrayFile, start, format!("nothing reads {path}")).help(
            "a hotline has hotline.yaml, grants.yaml, agents.yaml, YAML files in flows/, prompts/, calendars/, surveys/ and tickets/, and iCalendar files in calendars/",
        ),
    );
}

/// What a file of a hotline is, by its path.
enum FileKind {
    Hotline,
    Grants,
    Flow,
    Prompts,
    Calendar,
    Agents,
    Survey,
    Ticket,
    ICalendar,
    /// Of a part that others read.
    Later,
    /// YAML or iCalendar that nothing reads.
    Stray,
}

impl FileKind {
    /// The kind of a file; none for what is neither YAML nor iCalendar.
    fn of(path: &str) -> Option<Self> {
        let (folder, name) = path.split_once('/').unwrap_or(("", path));
        let yaml = name.ends_with(".yaml") && !name.contains('/');
        Some(match (folder, name) {
            ("", "hotline.yaml") => Self::Hotline,
            ("", "grants.yaml") => Self::Grants,
            ("flows", _) if yaml => Self::Flow,
            ("prompts", _) if yaml => Self::Prompts,
            ("calendars", _) if yaml => Self::Calendar,
            ("surveys", _) if yaml => Self::Survey,
            ("tickets", _) if yaml => Self::Ticket,
            ("", "agents.yaml") => Self::Agents,
            ("calendars", name) if name.ends_with(".ics") && !name.contains('/') => Self::ICalendar,
            ("" | "flows" | "prompts" | "calendars" | "surveys" | "tickets", name)
                if name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".ics") =>
            {
                Self::Stray
            }
            ("tests", _) => Self::Later,
            _ => return None,
        })
    }
}

impl Parsed {
    /// What is wrong with the files as far as parsing tells; [`check`](crate::check())
    /// reports it again with all the rest.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        self.findings.clone().into_diagnostics(&self.files)
    }

    /// The plugins that hotline.yaml declares completely.
    pub fn plugins(&self) -> Vec<DeclaredPlugin> {
        let plugins = self.syntax.hotline.iter().flat_map(|hotline| &hotline.plugins);
        plugins
            .filter_map(|plugin| {
                Some(DeclaredPlugin {
                    name: Spanned::new(PluginName::new(plugin.name.value.clone()), plugin.name.span),
                    component: plugin.component.clone()?,
                    department: plugin.department.clone()?.value,
                    config: plugin
                        .config
                        .iter()
                        .map(|(name, value)| (name.value.to_string(), value.value.to_string()))
                        .collect(),
                })
            })
            .collect()
    }

    /// The paths of the recordings that prompts name, each as often as it is named.
    pub fn recordings(&self) -> impl Iterator<Item = &Arc<str>> {
        let tables = self.syntax.prompts.iter();
        tables.flat_map(|table| table.recordings.values().map(|recording| &recording.path.value))
    }

    /// What grants.yaml gives.
    pub fn grants(&self) -> Vec<Grant> {
        self.syntax.grants.clone()
    }

    /// The departments whose plugins are taken only signed.
    pub fn signers(&self) -> Vec<Signers> {
        self.syntax.signers.clone()
    }

    /// The edit that writes a text in place of a span.
    pub fn edit(&self, span: Span, text: &str) -> Edit {
        edit(&self.files, span, text)
    }

    /// A finding at a place in these files, for what only the caller can find: a component
    /// that does not load, a grant that means nothing.
    pub fn diagnostic(
        &self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: impl IntoIterator<Item = String>,
    ) -> Diagnostic {
        let mut finding = Finding::new(code, span, message);
        finding.help.extend(help);
        findings_diagnostic(finding, &self.files)
    }
}
