//! Bounds. Each has a name; hitting one is an error that says so.

use std::time::Duration;

/// Characters of one utterance: a longer text is said in several, cut where sentences end.
pub const UTTERANCE_CHARS_MAX: usize = 500;

/// Utterances, pauses and recordings of one prompt. A prompt of more is cut off.
pub(crate) const UTTERANCES_MAX: usize = 200;

/// The longest silence of one pause.
pub(crate) const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Digits of a number that is read as a quantity; a longer one is read digit by digit.
pub(crate) const QUANTITY_DIGITS_MAX: usize = 16;

/// How long an engine may take for one utterance when its settings say nothing.
pub(crate) const ENGINE_TIME_DEFAULT: Duration = Duration::from_secs(5);

/// The longest time that settings may give.
pub(crate) const TIME_MAX: Duration = Duration::from_secs(120);

/// How long an utterance waits for its turn at a busy engine.
pub(crate) const TURN_WITHIN: Duration = Duration::from_secs(3);

/// Utterances that an engine says at once when its settings say nothing.
pub(crate) const AT_ONCE_DEFAULT: usize = 4;

/// The most that settings may ask for.
pub(crate) const AT_ONCE_MAX: usize = 256;

/// Bytes of sound that an engine may answer one utterance with: three minutes at 44,100 Hz.
pub(crate) const SOUND_BYTES_MAX: usize = 16 << 20;

/// Bytes of a program's error output that are kept, from its end.
pub(crate) const STDERR_BYTES_KEPT: usize = 4_096;

/// Characters of an engine's own words in an error.
pub(crate) const REASON_CHARS_MAX: usize = 200;

/// Failures in a row after which an engine is left alone.
pub(crate) const FAILURES_MAX: u32 = 5;
/// Voices of one engine whose failures are counted apart.
pub(crate) const FAILING_VOICES_MAX: usize = 64;

/// For how long it is left alone.
pub(crate) const REST: Duration = Duration::from_secs(30);

/// Sound kept in memory, in bytes.
pub(crate) const MEMORY_BYTES_DEFAULT: u64 = 64 << 20;

/// Sound kept on disk, in bytes.
pub(crate) const DISK_BYTES_DEFAULT: u64 = 512 << 20;

/// A folder that is over its bound is emptied to this share of it, in percent, so that it is not
/// looked through for each file.
pub(crate) const DISK_EMPTIED_TO: u64 = 90;

/// An unfinished file of the cache that is older than this is from a process that stopped.
pub(crate) const UNFINISHED_AGE_MAX: Duration = Duration::from_secs(3_600);

/// Utterances that are prepared ahead at once: less than an engine's own bound, for calls go first.
pub(crate) const WARM_AT_ONCE: usize = 2;

/// Words that a provider is told to expect.
pub const HINTS_MAX: usize = 200;

/// Characters of one of them.
pub(crate) const HINT_CHARS_MAX: usize = 64;

/// How long connecting to a provider may take, with the handshake.
pub(crate) const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// How long a provider may be silent after it heard somebody speak.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// How long it may take to answer after all was sent.
pub(crate) const FINAL_WITHIN: Duration = Duration::from_secs(3);

/// How long one listening may last.
pub(crate) const LISTENING_MAX: Duration = Duration::from_secs(300);

/// Bytes of one message of a provider.
pub(crate) const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// Messages that a provider may send in a second.
pub(crate) const MESSAGES_PER_SECOND_MAX: u32 = 100;

/// Partial texts that are passed on in a second; the others are not.
pub(crate) const PARTIALS_PER_SECOND_MAX: u32 = 10;

/// Samples in a message to a provider: 20 ms.
pub(crate) const FRAME_SAMPLES: usize = 160;

/// Frames that wait for a provider that does not take them: 5 s. The oldest are dropped.
pub(crate) const FRAMES_WAITING_MAX: usize = 250;

/// Frames that are sent again after a connection broke: 10 s.
pub(crate) const FRAMES_KEPT: usize = 500;

/// Bytes that the system may hold for a provider: two seconds.
pub(crate) const SEND_BUFFER_BYTES: usize = 32 << 10;

/// What was understood and not yet taken by whoever asked.
pub(crate) const UNDERSTOOD_WAITING_MAX: usize = 32;
