//! The hotlines that others begin as. Each is a real one: it is checked and its scenarios are
//! run like any other. What several have in common is written once.

use clap::ValueEnum;

/// What a hotline begins as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Template {
    /// A city: 12345 in two languages, merged numbers, queues, tickets, ring-back
    CityHotline,
    /// A company: a bot that answers, and hands over to a human when the caller is not content
    SupportDesk,
    /// Straight to a human: a greeting, the notice, a queue
    ZeroMenu,
}

/// A file of a template: its path in the hotline, and its text.
type File = (&'static str, &'static str);

macro_rules! files {
    ($($from:literal: [$($path:literal),+ $(,)?]),+ $(,)?) => {
        &[$($(($path, include_str!(concat!("../../../../", $from, "/", $path)))),+),+]
    };
}

impl Template {
    /// What it is, in a few words.
    pub(crate) const fn about(self) -> &'static str {
        match self {
            Self::CityHotline => "a city's hotline with merged numbers, queues and tickets",
            Self::SupportDesk => "a support desk with a bot and humans behind it",
            Self::ZeroMenu => "a hotline that goes straight to a human",
        }
    }

    /// The number to dial first.
    pub(crate) const fn number(self) -> &'static str {
        match self {
            Self::CityHotline | Self::ZeroMenu => "12345",
            Self::SupportDesk => "4000001234",
        }
    }

    /// The components that its plugins are, which no text can hold.
    pub(crate) const fn components(self) -> &'static [&'static str] {
        match self {
            Self::SupportDesk => &["plugins/question_answer.wasm"],
            Self::CityHotline | Self::ZeroMenu => &[],
        }
    }

    /// Where its own files lie in the repository.
    #[cfg(test)]
    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::CityHotline => "runtime/cli/templates/city-hotline",
            Self::SupportDesk => "flows/support-desk",
            Self::ZeroMenu => "runtime/cli/templates/zero-menu",
        }
    }

    /// Its files.
    pub(crate) const fn files(self) -> &'static [File] {
        match self {
            Self::CityHotline => files! {
                "runtime/cli/templates/city-hotline": [
                    "README.md",
                    "agents.yaml",
                    "flows/city.yaml",
                    "flows/housing-fund.yaml",
                    "flows/human.yaml",
                    "flows/tax.yaml",
                    "hotline.yaml",
                    "prompts/en.yaml",
                    "prompts/zh-CN.yaml",
                    "tests/emergency.yaml",
                    "tests/old-number.yaml",
                    "tests/reaches-a-human.yaml",
                    "tests/reports-a-matter.yaml",
                    "tests/tax-closed.yaml",
                    "tickets/matter.yaml",
                    "tickets/urgent.yaml",
                ],
                "runtime/cli/templates/zero-menu": ["calendars/calling-hours.yaml"],
                "flows/city-hotline": ["calendars/office.yaml"],
                "flows/support-desk": ["surveys/csat.yaml"],
            },
            Self::SupportDesk => files! {
                "flows/support-desk": [
                    "README.md",
                    "agents.yaml",
                    "calendars/desk.yaml",
                    "flows/support.yaml",
                    "grants.yaml",
                    "hotline.yaml",
                    "prompts/en.yaml",
                    "prompts/zh-CN.yaml",
                    "surveys/csat.yaml",
                    "tests/at-night.yaml",
                    "tests/bot-answers.yaml",
                    "tests/complaint.yaml",
                    "tests/not-content.yaml",
                    "tests/plugin-away.yaml",
                    "tickets/complaint.yaml",
                ],
            },
            Self::ZeroMenu => files! {
                "runtime/cli/templates/zero-menu": [
                    "README.md",
                    "agents.yaml",
                    "calendars/calling-hours.yaml",
                    "flows/answer.yaml",
                    "hotline.yaml",
                    "prompts/en.yaml",
                    "prompts/zh-CN.yaml",
                    "tests/answered.yaml",
                    "tests/hidden-number.yaml",
                    "tests/nobody-there.yaml",
                    "tests/rung-back.yaml",
                ],
                "flows/support-desk": ["surveys/csat.yaml"],
            },
        }
    }
}
