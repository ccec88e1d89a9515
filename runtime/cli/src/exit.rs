//! How the program ends: five codes that scripts can rely on.

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked for was done.
    Done = 0,
    /// Something was found that has to be mended, or what was asked for could not be done.
    Findings = 1,
    /// The command line, or what it names, is wrong.
    Usage = 2,
    /// No server answers where one should.
    Unreachable = 3,
    /// A server, or this machine, said no.
    Refused = 4,
}

/// The codes, for `--help`.
pub(crate) const EXIT_HELP: &str = "\
Exit codes:
  0  done
  1  findings, or it could not be done
  2  the command line, or what it names, is wrong
  3  no server answers
  4  refused";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended early, and with which code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
}

impl Failure {
    /// The command line, or what it names, is wrong.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::Usage,
            error: error.into(),
        }
    }

    /// A server, or this machine, said no.
    pub(crate) fn refused(error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::Refused,
            error: error.into(),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self {
            exit: Exit::Findings,
            error,
        }
    }
}

/// What a command gives.
pub(crate) type Outcome = Result<Exit, Failure>;
