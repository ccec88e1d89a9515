//! The bounds of a call.

use std::time::Duration;

/// How long a caller may stay in the line after the contact has ended, for what is still played: the longest
/// recording that is taken is not cut off, and nothing keeps a line for ever.
pub(crate) const FAREWELL_MAX: Duration =
    Duration::from_secs(trunkline_media::limits::SOUND_SECONDS_MAX + 60);

/// How long a call that is over is kept for what is still to be written of it.
pub(crate) const WIND_UP_WITHIN: Duration = Duration::from_secs(10);

/// How long one prompt may take to become sound before the next step goes on without.
pub(crate) const VOICE_WITHIN: Duration = Duration::from_secs(8);

/// Prompts of one contact that wait to be played.
pub(crate) const PROMPTS_WAITING_MAX: usize = 64;

/// How long a line may be without any packet of the caller's, while it should send, before the
/// caller counts as gone: a phone that has lost its network says no goodbye.
pub(crate) const DEAD_AFTER_S: u64 = 120;

/// How long a leg that is called out may ring, whatever a flow says.
pub(crate) const RING_MAX: Duration = Duration::from_secs(120);

/// How long an agent's phone rings for a caller who is offered.
pub(crate) const AGENT_RING: Duration = Duration::from_secs(25);

/// How long a node that stops waits for farewells of calls.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(3);

/// How often it is looked whether the node drains.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Bytes of an operator's phone.toml.
pub(crate) const SETTINGS_BYTES_MAX: u64 = 256 << 10;

/// Sounds of recordings that are kept decoded, in samples of all together: half an hour.
pub(crate) const SOUNDS_KEPT_SAMPLES_MAX: usize = 30 * 60 * 8_000;

/// Legs of one call besides the caller's.
pub(crate) const LEGS_MAX: usize = 8;

/// What a caller who is refused for want of room is told to wait, in seconds.
pub(crate) const RETRY_AFTER_S: u32 = 10;

/// How long an agent whose phone was busy, or declined, is offered nobody.
pub(crate) const DECLINED_PAUSE: trunkline_model::Duration = trunkline_model::Duration::from_secs(30);

/// How long an agent is offered nobody whose phone could not be called for a reason that is ours.
pub(crate) const NOT_CALLED_PAUSE: trunkline_model::Duration = trunkline_model::Duration::from_secs(10);

/// Seconds for which a phone's registration is granted at most: after a restart of the server each agent
/// is there again within that time.
pub(crate) const REGISTER_SECONDS_MAX: u32 = 120;

/// How long an answer may wait for being seen before its call is ended.
pub(crate) const ANSWER_SEEN_WITHIN: Duration = Duration::from_secs(2);
