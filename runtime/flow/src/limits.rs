//! Bounds of a hotline's files and of what is reported about them, and what holds where a step
//! says nothing.

use trunkline_model::Duration;

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

/// Bytes of a SIP address behind its scheme.
pub const SIP_BYTES_MAX: usize = 255;

/// Branches of one `together`.
pub const TOGETHER_BRANCHES_MAX: usize = 8;

/// Callers that may wait in a queue that does not say.
pub const QUEUE_WAITING_DEFAULT: u32 = 500;

/// The most callers that a queue may let wait.
pub const QUEUE_WAITING_MAX: u32 = 100_000;

/// The longest wait in a queue when the step gives none.
pub const QUEUE_TIME_DEFAULT: Duration = Duration::from_secs(600);

/// How long a `transfer` rings when it does not say.
pub const TRANSFER_TIME_DEFAULT: Duration = Duration::from_secs(30);

/// How often a ring-back is tried when it does not say.
pub const CALLBACK_ATTEMPTS_DEFAULT: u32 = 3;

/// How often a ring-back may be tried.
pub const CALLBACK_ATTEMPTS_MAX: u32 = 20;

/// The pause between two tries of a ring-back that does not say.
pub const CALLBACK_EVERY_DEFAULT: Duration = Duration::from_secs(600);

/// Questions of one survey.
pub const SURVEY_QUESTIONS_MAX: usize = 20;

/// Working days that a ticket's deadline may give.
pub const WORKING_DAYS_MAX: u32 = 366;

/// Presses that a service may have taken before its number was merged.
pub const PRESSES_BEFORE_MAX: u32 = 100;

/// The longest message when its step gives none.
pub const MESSAGE_TIME_DEFAULT: Duration = Duration::from_secs(120);

/// The longest message that a step may take.
pub const MESSAGE_TIME_MAX: Duration = Duration::from_secs(1_800);
/// The longest pause within a prompt.
pub const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Seconds of one recording.
pub const RECORDING_SECONDS_MAX: f64 = 3_600.0;

/// Recordings of a hotline.
pub const RECORDINGS_MAX: usize = 5_000;
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

/// The shortest time between two runs of a feed.
pub const FEED_EVERY_MIN: Duration = Duration::from_secs(1);

/// The longest time between two runs of a feed.
pub const FEED_EVERY_MAX: Duration = Duration::from_secs(7 * 86_400);

/// How long a feed's function may take when the feed does not say.
pub const FEED_TIME_DEFAULT: Duration = Duration::from_secs(30);

/// The part of `every` by which runs of a feed are put off when it does not say.
pub const FEED_JITTER_PART: u64 = 10;

/// Contacts that a rate may allow in its period.
pub const RATE_MAX: u32 = 10_000;

/// Changes or events that may wait when a feed or a webhook does not say.
pub const STARTS_WAITING_DEFAULT: u32 = 10_000;

/// Changes or events that may wait, whatever it says.
pub const STARTS_WAITING_MAX: u32 = 100_000;

/// The longest time over which the success of an interface is looked at.
pub const SUCCESS_WINDOW_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The most calls that a rate of success may wait for before it says anything.
pub const SUCCESS_LEAST_MAX: u32 = 1_000_000;

/// Trunks of a hotline.
pub const TRUNKS_MAX: usize = 64;

/// Addresses and networks of one trunk.
pub const NETWORKS_MAX: usize = 64;

/// Calls at once of a trunk that does not say.
pub const TRUNK_CALLS_DEFAULT: u32 = 200;

/// Calls at once that a trunk may allow.
pub const TRUNK_CALLS_MAX: u32 = 100_000;

/// Carriers of a hotline.
pub const CARRIERS_MAX: usize = 64;

/// Characters of a user's name, of an engine's voice, and of what is taken off a called number.
pub const LINE_CHARS_MAX: usize = 100;

/// The slowest that a voice may speak.
pub const VOICE_SPEED_MIN: f64 = 0.5;

/// The fastest that a voice may speak.
pub const VOICE_SPEED_MAX: f64 = 2.0;
