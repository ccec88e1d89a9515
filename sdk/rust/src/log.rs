//! Lines for the operator's log, under the plugin's name.
//!
//! ```no_run
//! use trunkline_sdk::log;
//! let status = 503;
//! log::warn!("the feed answered {status}");
//! ```
//!
//! The host bounds the rate and masks nothing: personal data does not belong here.

use crate::host;
#[doc(inline)]
pub use crate::{log_debug as debug, log_error as error, log_info as info, log_warn as warn};

/// How much a line asks to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Helps the department alone.
    Debug,
    /// The normal course of things.
    Info,
    /// Should be looked at.
    Warn,
    /// Something failed.
    Error,
}

/// Writes one line.
pub fn write(level: Level, message: &str) {
    host::log(level, message);
}

/// Writes a line that helps the department alone.
#[macro_export]
#[doc(hidden)]
macro_rules! log_debug {
    ($($text:tt)*) => { $crate::log::write($crate::log::Level::Debug, &::std::format!($($text)*)) };
}

/// Writes a line about the normal course of things.
#[macro_export]
#[doc(hidden)]
macro_rules! log_info {
    ($($text:tt)*) => { $crate::log::write($crate::log::Level::Info, &::std::format!($($text)*)) };
}

/// Writes a line about something that should be looked at.
#[macro_export]
#[doc(hidden)]
macro_rules! log_warn {
    ($($text:tt)*) => { $crate::log::write($crate::log::Level::Warn, &::std::format!($($text)*)) };
}

/// Writes a line about something that failed.
#[macro_export]
#[doc(hidden)]
macro_rules! log_error {
    ($($text:tt)*) => { $crate::log::write($crate::log::Level::Error, &::std::format!($($text)*)) };
}
