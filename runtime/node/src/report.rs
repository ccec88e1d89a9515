//! What became of each build, for people: in the log, in the terminal, in the API.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::broadcast;
use trunkline_flow::diagnostics::Diagnostic;
use trunkline_model::{Digest, Duration, Timestamp};

use crate::limits::{REPORT_CHARS_MAX, REPORTS_KEPT};

/// What a build came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The node started.
    Start,
    /// The watched folder changed.
    Saved,
    /// Somebody sent an archive.
    Sent,
    /// Somebody asked for a release that was there.
    Asked,
}

/// What became of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// New contacts begin on it.
    Live,
    /// It is what new contacts begin on already.
    Unchanged,
    /// It is built and checked, and waits.
    Built,
    /// It does not check; nothing changed.
    Refused,
    /// It could not be read or kept; nothing changed.
    Failed,
}

impl Verdict {
    /// The verdict's name, also in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Unchanged => "unchanged",
            Self::Built => "built",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// Whether what was asked for is there.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Live | Self::Unchanged | Self::Built)
    }
}

/// A report of a build.
#[derive(Clone, Debug)]
pub struct Report {
    /// Counted from 1 since the node started.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// What it came from.
    pub cause: Cause,
    /// What became of it.
    pub verdict: Verdict,
    /// The release, when there is one.
    pub release: Option<Digest>,
    /// How long it took, from the settled folder or the received archive.
    pub took: Duration,
    /// What was found, errors and warnings.
    pub findings: Vec<Diagnostic>,
    /// All of it for people, without colours; cut at a bound.
    pub text: String,
}

impl Report {
    /// How many of its findings keep the hotline from loading.
    pub fn errors(&self) -> usize {
        let is_error =
            |finding: &&Diagnostic| finding.severity == trunkline_flow::diagnostics::Severity::Error;
        self.findings.iter().filter(is_error).count()
    }
}

/// The last reports, and those to come.
#[derive(Debug)]
pub(crate) struct Reports {
    kept: Mutex<(u64, VecDeque<Arc<Report>>)>,
    sender: broadcast::Sender<Arc<Report>>,
}

impl Reports {
    pub(crate) fn new() -> Self {
        Self {
            kept: Mutex::default(),
            sender: broadcast::channel(REPORTS_KEPT).0,
        }
    }

    /// Keeps a report, tells it to the log and to whoever listens.
    pub(crate) fn add(&self, mut report: Report) -> Arc<Report> {
        if let Some((end, _)) = report.text.char_indices().nth(REPORT_CHARS_MAX) {
            report.text.truncate(end);
            report.text.push_str("\n… cut here\n");
        }
        let report = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let (count, reports) = &mut *kept;
            *count += 1;
            report.number = *count;
            let report = Arc::new(report);
            if reports.len() == REPORTS_KEPT {
                reports.pop_front();
            }
            reports.push_back(report.clone());
            report
        };
        let release = report.release.map(|release| release.short());
        let (verdict, took) = (report.verdict.as_str(), report.took);
        match report.verdict {
            Verdict::Unchanged => {
                tracing::info!(verdict, release, %took, "release checks; it is what new contacts get already");
            }
            Verdict::Live | Verdict::Built => {
                tracing::info!(verdict, release, %took, warnings = report.findings.len(), "release");
            }
            Verdict::Refused | Verdict::Failed => {
                tracing::warn!(verdict, release, %took, "release not taken; nothing changed");
                tracing::warn!("what was found:\n{}", report.text);
            }
        }
        // Nobody has to listen.
        let _ = self.sender.send(report.clone());
        report
    }

    /// The reports that are kept, oldest first.
    pub(crate) fn kept(&self) -> Vec<Arc<Report>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.1.iter().cloned().collect()
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<Report>> {
        self.sender.subscribe()
    }
}
