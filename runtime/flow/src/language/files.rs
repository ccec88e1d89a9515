//! The files of a hotline, and what each holds.

use super::{Kind, Shape, Subject, calendar, flow, grants, hotline, scenario, survey, telephony, ticket};

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileShape {
    Hotline,
    Grants,
    Agents,
    Flow,
    Prompts,
    Calendar,
    Survey,
    Ticket,
    Scenario,
}

static HOTLINE: Shape = Shape::Mapping(&hotline::HOTLINE);
static GRANTS: Shape = Shape::Besides {
    fields: &grants::GRANTS_FILE,
    key: Kind::Names(Subject::Plugin),
    value: &Shape::Mapping(&grants::GRANT),
};
static AGENTS: Shape = Shape::Entries {
    key: Kind::Declares(Subject::Agent),
    value: &Shape::Mapping(&telephony::AGENT),
};
static FLOW: Shape = Shape::Mapping(&flow::FLOW);
static PROMPTS: Shape = Shape::Entries {
    key: Kind::Declares(Subject::Prompt),
    value: &Shape::Either(&[Shape::Word(Kind::Template), Shape::Mapping(&hotline::RECORDING)]),
};
static CALENDAR: Shape = Shape::Mapping(&calendar::CALENDAR);
static SURVEY: Shape = Shape::Mapping(&survey::SURVEY);
static TICKET: Shape = Shape::Mapping(&ticket::TICKET);
static SCENARIO: Shape = Shape::Mapping(&scenario::SCENARIO);

impl FileShape {
    pub(crate) const ALL: [Self; 9] = [
        Self::Flow,
        Self::Hotline,
        Self::Prompts,
        Self::Calendar,
        Self::Grants,
        Self::Agents,
        Self::Survey,
        Self::Ticket,
        Self::Scenario,
    ];

    /// The kind of a file, by its path in the hotline's folder.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let (folder, name) = path.split_once('/').unwrap_or(("", path));
        if !name.ends_with(".yaml") || name.contains('/') && folder != "tests" {
            return None;
        }
        Some(match (folder, name) {
            ("", "hotline.yaml") => Self::Hotline,
            ("", "grants.yaml") => Self::Grants,
            ("", "agents.yaml") => Self::Agents,
            ("flows", _) => Self::Flow,
            ("prompts", _) => Self::Prompts,
            ("calendars", _) => Self::Calendar,
            ("surveys", _) => Self::Survey,
            ("tickets", _) => Self::Ticket,
            ("tests", _) => Self::Scenario,
            _ => return None,
        })
    }

    /// What such files are called, as in `trunkline schema NAME`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Hotline => "hotline",
            Self::Grants => "grants",
            Self::Agents => "agents",
            Self::Flow => "flow",
            Self::Prompts => "prompts",
            Self::Calendar => "calendar",
            Self::Survey => "survey",
            Self::Ticket => "ticket",
            Self::Scenario => "scenario",
        }
    }

    /// What stands in such a file.
    pub(crate) fn shape(self) -> &'static Shape {
        match self {
            Self::Hotline => &HOTLINE,
            Self::Grants => &GRANTS,
            Self::Agents => &AGENTS,
            Self::Flow => &FLOW,
            Self::Prompts => &PROMPTS,
            Self::Calendar => &CALENDAR,
            Self::Survey => &SURVEY,
            Self::Ticket => &TICKET,
            Self::Scenario => &SCENARIO,
        }
    }

    /// A path of such a file; none for files that the parser of flows does not read.
    #[cfg(test)]
    pub(super) const fn example_path(self) -> Option<&'static str> {
        Some(match self {
            Self::Hotline => "hotline.yaml",
            Self::Grants => "grants.yaml",
            Self::Agents => "agents.yaml",
            Self::Flow => "flows/main.yaml",
            Self::Prompts => "prompts/en.yaml",
            Self::Calendar => "calendars/office.yaml",
            Self::Survey => "surveys/csat.yaml",
            Self::Ticket => "tickets/noise.yaml",
            Self::Scenario => return None,
        })
    }
}
