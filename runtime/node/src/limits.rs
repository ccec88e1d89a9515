//! The node's bounds. Each has a name; hitting one is a problem, a report or a metric.

use trunkline_model::Duration;

/// Time without another write after which a hotline's folder counts as settled.
pub const SETTLE: Duration = Duration::from_millis(150);

/// How long a build waits for a folder that does not settle.
pub const SETTLE_MAX: Duration = Duration::from_secs(3);

/// How often a watched folder is looked at although nothing was reported of it: some file
/// systems report nothing.
pub const RESCAN_EVERY: Duration = Duration::from_secs(5);

/// Time without an input after which a contact leaves memory; its deadline stays.
pub const PARK_AFTER: Duration = Duration::from_secs(60);

/// Time after which a contact that has ended leaves memory; its journal stays.
pub const FORGET_AFTER: Duration = Duration::from_secs(60);

/// Expired requests for contacts that are removed in one sweep; the next goes on from there.
pub const REQUESTS_SWEPT_MAX: usize = 10_000;

/// How often contacts to be parked or forgotten are looked for.
pub const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// Turns of a contact that stay in memory; older ones are read from its journal.
pub const TURNS_KEPT: usize = 32;

/// Contacts under way on one node.
pub const CONTACTS_MAX: usize = 250_000;

/// How often a contact is read again at start when its journal does not answer.
pub const READ_AGAIN_MAX: u32 = 20;

/// Contacts that are taken up at once when a node starts.
pub const RECOVERY_CONCURRENT: usize = 128;

/// Contacts whose deadline is acted upon at once.
pub const DUE_CONCURRENT: usize = 256;

/// Attempts of one input against a journal that somebody else writes to.
pub const CONFLICTS_MAX: u32 = 5;

/// The first pause before a journal that is unavailable is tried again for work that may not be lost.
pub const RETRY_PAUSE_MIN: Duration = Duration::from_millis(100);

/// The longest such pause.
pub const RETRY_PAUSE_MAX: Duration = Duration::from_secs(5);

/// Bytes of a plugin's answer as a contact's events keep it: a quarter of what the journal takes of one
/// event, since a later event may hold several. What feeds are answered is kept in no event.
pub const KEPT_ANSWER_BYTES_MAX: usize = 2 << 20;

/// How long calls under way are waited for when a node stops.
pub const STOP_CALLS_WITHIN: Duration = Duration::from_secs(5);

/// How long all else is waited for when a node stops.
pub const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Releases that are kept although no contact is on them, the current one included.
pub const RELEASES_KEPT: usize = 8;

/// Bytes of one recording: an hour of a telephone's sound, eight thousand samples of two bytes a
/// second.
pub const RECORDING_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Reports of builds that are kept.
pub const REPORTS_KEPT: usize = 20;

/// Characters of one report's text.
pub const REPORT_CHARS_MAX: usize = 64 * 1024;

/// Plugins that are loaded at once when a release is built.
pub const LOADS_AT_ONCE: usize = 4;

/// How long the same request for a new contact is answered as before.
pub const BEGIN_AGAIN_WITHIN: Duration = Duration::from_secs(86_400);

/// The fewest characters of a client's id of a request for a new contact: it guards the answer.
pub const BEGIN_ID_CHARS_MIN: usize = 16;

/// The fewest characters of a key.
pub const KEY_CHARS_MIN: usize = 16;

/// Bytes of the body of an ordinary request.
pub const BODY_BYTES_MAX: usize = 64 << 10;

/// Bytes of a hotline sent as an archive.
pub const BUNDLE_BYTES_MAX: usize = 128 << 20;

/// Files of a hotline sent as an archive.
pub const BUNDLE_FILES_MAX: usize = 4_096;

/// The longest that a request for turns may wait.
pub const POLL_WAIT_MAX: Duration = Duration::from_secs(60);

/// Turns in one answer.
pub const TURNS_PER_ANSWER_MAX: usize = 500;

/// How often a stream of turns shows that it is alive.
pub const STREAM_KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Contacts or events in one answer.
pub const PAGE_MAX: usize = 1_000;

/// Contacts or events in one answer when the request names no number.
pub const PAGE_DEFAULT: usize = 100;

/// Bytes of a file of secrets.
pub const SECRETS_FILE_BYTES_MAX: u64 = 256 << 10;

/// How long a client may take to send a request's body.
pub const BODY_WITHIN: Duration = Duration::from_secs(30);

/// Connections at once; more wait to be taken.
pub const CONNECTIONS_MAX: usize = 8_192;

/// How long a client may take to send a request's head, and how long a connection may idle.
pub const HEAD_WITHIN: Duration = Duration::from_secs(75);

/// The pause after a connection that could not be taken.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Characters of an agent's name.
pub const AGENT_NAME_CHARS_MAX: usize = 64;

/// How long a change or an event is remembered after it was listed last.
pub const SEEN_FOR: Duration = Duration::from_secs(90 * 86_400);

/// How long it is remembered at least, by a feed or a webhook that has much to remember: longer than
/// the longest time between two runs of a feed, with its jitter.
pub const SEEN_FOR_MIN: Duration = Duration::from_secs(15 * 86_400);

/// How long a change or an event waits for a source that the live release does not have before it is
/// given up.
pub const WAITING_UNDECLARED_MAX: Duration = Duration::from_secs(90 * 86_400);

/// Changes and events that are given up in one sweep of a source.
pub const GIVEN_UP_PER_SWEEP_MAX: usize = 100;

/// What is still being listed is remembered anew when it is this old.
pub const SEEN_RENEWED_AFTER: Duration = Duration::from_secs(86_400);

/// Changes and events that one feed or webhook remembers; past it no new ones of it are taken, and
/// operators see it.
pub const SEEN_PER_SOURCE_MAX: u64 = 2_000_000;

/// Bytes of one change as JSON, as of an event: past it a change is given up.
pub const CHANGE_BYTES_MAX: usize = HOOK_BYTES_MAX;

/// Changes that one run of a feed takes; what else is new counts as over.
pub const FEED_CHANGES_MAX: usize = 10_000;

/// People whom one change may concern; the rest counts as failed.
pub const PEOPLE_PER_CHANGE_MAX: usize = 100_000;

/// The pause before a run that failed, or a question whom a change concerns, is tried again first.
pub const FEED_RETRY_MIN: Duration = Duration::from_secs(10);

/// The longest such pause.
pub const FEED_RETRY_MAX: Duration = Duration::from_secs(600);

/// How often it is asked whom a change concerns before the change is given up.
pub const AFFECTED_TRIES_MAX: u32 = 20;

/// Contacts that a feed or a webhook starts before others have their turn.
pub const STARTS_PER_TURN_MAX: usize = 100;

/// Characters of what a feed said when it failed.
pub const FEED_MESSAGE_CHARS_MAX: usize = 500;

/// How far the time of a signed event may be from the node's.
pub const HOOK_CLOCK_SKEW_MAX: Duration = Duration::from_secs(300);

/// How often at most it is logged that a webhook's secret has no value: anybody may send it events.
pub const NO_SECRET_TOLD_EVERY: Duration = Duration::from_secs(60);

/// Bytes of an event's body.
pub const HOOK_BYTES_MAX: usize = 64 << 10;

/// Bytes of one of a plugin's values that are shown to operators.
pub const VALUE_SHOWN_BYTES_MAX: usize = 4 << 10;

/// Changes of interfaces' success that are kept for the API.
pub const SUCCESS_CHANGES_KEPT: usize = 100;

/// Messages that wait for the operator's webhook.
pub const WEBHOOK_WAITING_MAX: usize = 256;

/// Attempts to deliver one message to the operator's webhook.
pub const WEBHOOK_ATTEMPTS_MAX: u32 = 12;

/// The first pause before a message is sent again to a webhook that did not take it.
pub const WEBHOOK_PAUSE_MIN: Duration = Duration::from_secs(1);

/// The longest such pause.
pub const WEBHOOK_PAUSE_MAX: Duration = Duration::from_secs(300);

/// Digits of a number that is brought into a call (E.164 has 15, and prefixes of exchanges come before).
pub const DIALLED_CHARS_MAX: usize = 24;

/// How long a webhook may take to answer.
pub const WEBHOOK_REPLY_WITHIN: Duration = Duration::from_secs(10);

/// After how many seconds a client that was refused by a node that drains may ask again.
pub const DRAINING_RETRY_S: u32 = 30;

/// Bytes of a carrier's request: one that tells of a call of jambonz holds the whole INVITE.
pub const CARRIER_BYTES_MAX: usize = 64 << 10;

/// How far the time of a carrier's signature may be from the node's.
pub const CARRIER_CLOCK_SKEW_MAX: Duration = Duration::from_secs(300);

/// How long a carrier's request waits for what a contact says next. Carriers give up after 15 s, and
/// some after 10.
pub const CARRIER_ANSWER_WITHIN: Duration = Duration::from_secs(8);

/// How long what a contact said waits for what it asks, so that a quick step tears nothing apart; then it
/// is said, and the rest is asked for again.
pub const CARRIER_SAID_WITHIN: Duration = Duration::from_millis(1_500);

/// The pause before a carrier asks again what comes next.
pub const CARRIER_PAUSE: Duration = Duration::from_secs(1);

/// How often a carrier asks again while its caller waits in a queue.
pub const CARRIER_QUEUE_PAUSE: Duration = Duration::from_secs(5);

/// How long a carrier rings an agent who took the call already.
pub const CARRIER_AGENT_RING: Duration = Duration::from_secs(30);

/// How long it is known how a carrier's request was answered, so that it is answered the same again.
pub const CARRIER_AGAIN_WITHIN: Duration = Duration::from_secs(3_600);

/// Steps of one request that need no answer of the carrier's: a message that it cannot record, a
/// transfer that it cannot make.
pub const CARRIER_STEPS_MAX: usize = 16;

/// Messages of a chat's WebSocket, as bytes.
pub const SOCKET_MESSAGE_BYTES_MAX: usize = 16 << 10;

/// Inputs that come by one WebSocket at once; then one each [`SOCKET_INPUT_EVERY`].
pub const SOCKET_INPUTS_AT_ONCE: u32 = 20;

/// How often an input may come by one WebSocket in the long run.
pub const SOCKET_INPUT_EVERY: Duration = Duration::from_millis(200);

/// WebSockets at once.
pub const SOCKETS_MAX: usize = 8_192;

/// WebSockets of one contact at once; one more closes the oldest.
pub const SOCKETS_PER_CONTACT_MAX: usize = 4;

/// How often the server sends a ping.
pub const SOCKET_PING_EVERY: Duration = Duration::from_secs(20);

/// How long a WebSocket may be silent; a client that lives answers pings.
pub const SOCKET_SILENT_MAX: Duration = Duration::from_secs(60);

/// How long a client may take to accept what is sent to it.
pub const SOCKET_SEND_WITHIN: Duration = Duration::from_secs(15);
