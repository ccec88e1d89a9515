//! Bounds that every part keeps to. Each has a name; hitting one is an event, a fault or a
//! finding that somebody can see.

use crate::Duration;

/// Steps a contact may pass in one turn without waiting for anything.
pub const STEPS_PER_TURN_MAX: usize = 1_000;

/// Events that one turn may make, besides those of its last step: past it the contact ends
/// with cause `limit`. A store takes more in one append.
pub const EVENTS_PER_TURN_MAX: usize = 3_000;

/// Flows that may be entered by `run` within each other.
pub const FRAMES_MAX: usize = 16;

/// Keys a caller may press ahead of the question.
pub const KEYS_AHEAD_MAX: usize = 32;

/// Characters of one typed or spoken input.
pub const INPUT_CHARS_MAX: usize = 4_000;

/// Bytes of a client's identifier of an input.
pub const INPUT_ID_BYTES_MAX: usize = 128;

/// Inputs of a contact whose identifiers are remembered, to answer a duplicate as before.
pub const INPUT_IDS_REMEMBERED: usize = 64;

/// Events of one contact: past it the contact ends with cause `limit`.
pub const EVENTS_PER_CONTACT_MAX: u64 = 20_000;

/// How often a call is asked again because the node stopped before its answer was recorded.
pub const CALL_RESTARTS_MAX: u32 = 3;

/// Characters of one value as it is printed in a prompt.
pub const PRINTED_CHARS_MAX: usize = 2_000;

/// Time a call may take when its step gives none.
pub const CALL_TIME_DEFAULT: Duration = Duration::from_secs(3);

/// The longest time a step may give to a call.
pub const CALL_TIME_MAX: Duration = Duration::from_secs(60);

/// How long a call may take before the filler prompt of `meanwhile` is said.
pub const MEANWHILE_AFTER: Duration = Duration::from_millis(500);

/// Time to the first key or word of a caller on a text channel.
pub const TEXT_FIRST_INPUT: Duration = Duration::from_secs(600);

/// Time to the first key or word of a caller on a voice channel.
pub const VOICE_FIRST_INPUT: Duration = Duration::from_secs(8);

/// Time between two keys of a caller on a voice channel.
pub const VOICE_NEXT_KEY: Duration = Duration::from_secs(3);

/// Time after which prompts count as played though the channel never said so.
pub const PLAYED_WITHIN_MAX: Duration = Duration::from_secs(300);

/// The longest `wait`.
pub const WAIT_MAX: Duration = Duration::from_secs(366 * 86_400);

/// How long a service may take for what it answers at once: a ticket, a callback, a message, a
/// survey, a mark in a recording, and a queue's word that the caller has a place in it.
pub const SERVICE_TIME_MAX: Duration = Duration::from_secs(10);

/// The longest that a caller talks to an agent or to whom the call was transferred; past it the
/// flow goes on as if the other had left.
pub const TALK_MAX: Duration = Duration::from_secs(8 * 3_600);

/// The longest wait in a queue, whatever its step says.
pub const QUEUE_TIME_MAX: Duration = Duration::from_secs(24 * 3_600);

/// How long after a transfer rang out the carrier that dialled has for saying what came of it.
pub const DIALED_WITHIN: Duration = Duration::from_secs(15);

/// The priority of a caller in a queue when the step gives none.
pub const PRIORITY_DEFAULT: i64 = 5;

/// How often a question of a survey is put again.
pub const SURVEY_RETRIES: u32 = 1;

/// Characters of a personal value that a contact gives to a service as text.
pub const SERVICE_TEXT_CHARS_MAX: usize = 16_000;

/// The least time between two announcements to a caller in a queue.
pub const ANNOUNCE_EVERY_MIN: Duration = Duration::from_secs(5);

/// The longest message that a caller may leave.
pub const MESSAGE_TIME_MAX: Duration = Duration::from_secs(600);
