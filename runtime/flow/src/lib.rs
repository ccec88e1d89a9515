//! The flow language: what a hotline's folder means, and whether it is right.
//!
//! Files go in as text, a checked [`Hotline`] or findings come out:
//!
//! ```text
//! Sources --parse--> syntax tree with spans --check(+ plugin interfaces)--> Checked | diagnostics
//! ```
//!
//! Parsing never fails: it returns what it could read and all that is wrong with it. The
//! engine takes only a [`Checked`] hotline, which nothing but [`check`] makes. This crate
//! performs no I/O and reads no clock; it knows signatures of plugins, never WIT.

pub mod address;
pub mod calendar;
pub mod check;
pub mod diagnostics;
pub mod diff;
pub mod document;
pub mod editor;
pub mod expression;
pub mod format;
pub mod graph;
pub mod hotline;
pub mod inventory;
pub mod keypad;
mod language;
pub mod length;
pub mod limits;
pub mod parse;
pub mod prove;
pub mod scenario;
pub mod source;
pub mod speech;
pub mod start;
pub mod step;
mod syntax;
pub mod template;
mod tongue;
pub mod width;
pub mod words;
mod yaml;

pub use calendar::Calendar;
pub use check::{Checked, Report, Rules, check, check_with};
pub use diagnostics::{Code, Diagnostic, Severity};
pub use editor::Editor;
pub use expression::{ContactField, EvaluationError, Expression, QueueField, Scope};
pub use hotline::Hotline;
pub use parse::{Parsed, parse};
pub use source::Sources;
pub use tongue::Tongue;
