//! Findings: what is wrong with a hotline, where, and what to write instead.

pub(crate) mod chinese;
pub mod code;
mod findings;
mod fix;
mod render;
mod suggest;

use std::{ops::Range, sync::Arc};

use serde::Serialize;

pub use self::code::Code;
pub(crate) use self::{
    findings::{Finding, Findings, diagnostic as findings_diagnostic},
    fix::{Mend, edit},
    suggest::{did_you_mean, one_of},
};
pub use self::{
    fix::{Edit, Fix, apply},
    render::{Color, render, render_in},
    suggest::nearest,
};
pub use crate::source::Position;
use crate::{prove::Witness, tongue::Tongue};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The hotline does not load.
    Error,
    /// It loads, but something is likely not what was meant.
    Warning,
}

impl Severity {
    /// Its name, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }

    /// Its name as people are told it.
    pub const fn name_in(self, tongue: Tongue) -> &'static str {
        match self {
            Self::Error => tongue.pick("错误", "error"),
            Self::Warning => tongue.pick("警告", "warning"),
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Where it is explained.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in a sentence.
    pub message: String,
    /// The file, relative to the hotline's folder.
    pub file: Arc<str>,
    /// The bytes of the file that it is about.
    #[serde(skip)]
    pub span: Range<usize>,
    /// The line where it begins, from 1.
    pub line: usize,
    /// The column where it begins, in characters from 1.
    pub column: usize,
    /// Where it ends, not included.
    pub end: Position,
    /// Other places that have to do with it.
    pub labels: Vec<Label>,
    /// What to write instead, a sentence each.
    pub help: Vec<String>,
    /// The rule of a rule pack that it breaks, and where that comes from.
    pub clause: Option<String>,
    /// The shortest script that shows it, for rules that are proved.
    pub witness: Option<Box<Witness>>,
    /// Mends that a program can make, the likeliest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<Fix>,
}

/// Another place that has to do with a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// What there is.
    pub message: String,
    /// The file.
    pub file: Arc<str>,
    /// The bytes of the file.
    #[serde(skip)]
    pub span: Range<usize>,
    /// The line where it begins, from 1.
    pub line: usize,
    /// The column where it begins, in characters from 1.
    pub column: usize,
    /// Where it ends, not included.
    pub end: Position,
}

impl Diagnostic {
    /// The finding as people are told it: what is wrong, what else has to do with it, what to
    /// write and what its fixes do, in a language. Places and names are the same in each.
    pub fn in_tongue(&self, tongue: Tongue) -> Self {
        match tongue {
            Tongue::English => self.clone(),
            Tongue::Chinese => chinese::diagnostic(self),
        }
    }
}
