//! Every bound of the signalling, with its reason.

use std::time::Duration;

/// The longest message taken from a stream, and the longest datagram.
pub const MESSAGE_BYTES_MAX: usize = 65_535;
/// Headers of one message: the widest real INVITE has about forty.
pub const HEADERS_MAX: usize = 256;
/// One header line.
pub const HEADER_BYTES_MAX: usize = 8_192;
/// A Request-URI; a number and a few parameters need a tenth of it.
pub const URI_BYTES_MAX: usize = 2_048;
/// A session description.
pub const SDP_BYTES_MAX: usize = 16_384;
/// Lines of a session description.
pub const SDP_LINES_MAX: usize = 512;
/// Media lines of a session description; each must be answered.
pub const SDP_MEDIA_MAX: usize = 16;
/// Formats of one media line.
pub const SDP_FORMATS_MAX: usize = 64;
/// Digits in one INFO; a phone sends one.
pub const KEYS_PER_INFO_MAX: usize = 32;
/// What a call may hold ready for its reader before it is ended as stuck.
pub const EVENTS_PER_CALL_MAX: usize = 64;
/// Commands waiting for one call.
pub const COMMANDS_PER_CALL_MAX: usize = 32;
/// Arrivals waiting for the phone.
pub const ARRIVING_MAX: usize = 256;
/// Calls at once, whatever the trunks allow, unless the settings say less.
pub const CALLS_MAX: usize = 10_000;
/// Requests being looked at at once.
pub const REQUESTS_MAX: usize = 4_096;
/// Bindings of one account: a desk phone, a mobile, a browser and spares.
pub const BINDINGS_PER_ACCOUNT_MAX: usize = 8;
/// A diversion list longer than this is a loop.
pub const DIVERSIONS_MAX: usize = 8;
/// The shortest binding granted.
pub const REGISTER_SECONDS_MIN: u32 = 60;
/// The longest binding granted.
pub const REGISTER_SECONDS_MAX: u32 = 3_600;
/// The binding granted when the phone names no time.
pub const REGISTER_SECONDS_DEFAULT: u32 = 600;
/// How long a nonce may be used.
pub const NONCE_LIFE: Duration = Duration::from_secs(300);
/// Nonces whose counters are remembered while they may be used: as many phones may log in within
/// [`NONCE_LIFE`].
pub const NONCES_MAX: usize = 100_000;
/// Wrong passwords in a row from one host before it is not listened to.
pub const GUESSES_MAX: u32 = 30;
/// After this long one wrong password is forgiven.
pub const GUESS_PAUSE: Duration = Duration::from_secs(2);
/// Hosts whose wrong passwords are counted apart.
pub const GUESSING_HOSTS_MAX: usize = 16_384;
/// Answers to strangers that are on their way at once.
pub const ANSWERS_MAX: usize = 1_024;
/// Session timer offered (RFC 4028).
pub const SESSION_SECONDS: u32 = 1_800;
/// The shortest session timer taken.
pub const SESSION_SECONDS_MIN: u32 = 90;
/// The longest session timer granted to a peer that asks for one.
pub const SESSION_SECONDS_MAX: u32 = 7_200;
/// What a caller is told to wait when there is no room.
pub const RETRY_AFTER_SECONDS: u32 = 5;
/// How long an offer of the peer waits for the phone's answer.
pub const OFFER_WAIT: Duration = Duration::from_secs(10);
/// How long a transfer's progress is awaited.
pub const REFERRAL_WAIT: Duration = Duration::from_secs(120);
/// How long an unanswered incoming call may stand before it is ended.
pub const RING_MAX: Duration = Duration::from_secs(300);
/// How often a glare is tried again.
pub const GLARE_ATTEMPTS_MAX: usize = 4;
/// How long `stop` waits for calls to end.
pub const STOP_WAIT: Duration = Duration::from_secs(5);
/// First wait after a failed registration at a carrier.
pub const REGISTER_RETRY_MIN: Duration = Duration::from_secs(5);
/// Longest wait after failed registrations at a carrier.
pub const REGISTER_RETRY_MAX: Duration = Duration::from_secs(300);
/// A stream that says nothing for this long is closed; phones keep alive more often.
pub const STREAM_IDLE: Duration = Duration::from_secs(1_900);
/// Headers an outgoing call may add.
pub const EXTRA_HEADERS_MAX: usize = 32;
