//! Bounds of a hotline's files and of what is reported about them.

/// Bytes of one file.
pub const FILE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Files of a hotline.
pub const FILES_MAX: usize = 2_000;

/// Nodes of one YAML file, every use of an anchor counted in full.
pub const YAML_NODES_MAX: usize = 100_000;

/// How deep YAML may nest.
pub const YAML_DEPTH_MAX: usize = 32;

/// Findings that are reported of one hotline.
pub const FINDINGS_MAX: usize = 500;

/// Bytes of one expression.
pub const EXPRESSION_BYTES_MAX: usize = 4_000;

/// How deep an expression may nest.
pub const EXPRESSION_DEPTH_MAX: usize = 48;

/// Characters of a text that an expression makes.
pub const TEXT_CHARS_MAX: usize = 16_000;

/// How deep a type may nest.
pub const TYPE_DEPTH_MAX: usize = 16;

/// How often a step may ask again.
pub const RETRIES_MAX: u32 = 20;

/// Keys that one answer may have.
pub const ANSWER_KEYS_MAX: usize = 64;

/// Digits of a number that callers call.
pub const NUMBER_CHARS_MAX: usize = 32;

/// Days that are looked through for the next opening or closing, for working days, and for the
/// open time between two times: ten years.
pub const CALENDAR_DAYS_MAX: i32 = 3_660;

/// How many calendars may include each other in a row.
pub const CALENDAR_DEPTH_MAX: usize = 16;

/// Days that one event of an iCalendar file, or one range of holidays, may take.
pub const EVENT_DAYS_MAX: u32 = 366;

/// Days that the events of one iCalendar file may take together.
pub const ICALENDAR_DAYS_MAX: usize = 100_000;

/// The last year up to which a yearly event of an iCalendar file recurs when it has no end.
pub const RECURRENCE_YEAR_LAST: i16 = 2_100;
