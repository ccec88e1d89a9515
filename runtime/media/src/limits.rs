//! The bounds of everything that a far end, a file or a caller of this crate could make large.

use std::time::Duration;

/// Samples a second: all sound in this crate has this rate.
pub const RATE: u32 = 8_000;
/// Samples in one frame of 20 ms.
pub const FRAME: usize = 160;
/// How long a frame lasts.
pub const TICK: Duration = Duration::from_millis(20);

/// Bytes of a WAV file that are read.
pub const WAV_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Chunks of a WAV file that are walked before it is refused.
pub const WAV_CHUNKS_MAX: usize = 256;
/// Channels of a WAV file that are mixed.
pub const WAV_CHANNELS_MAX: u16 = 32;
/// The lowest and highest rate of a sound that is resampled.
pub const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;
/// How long one sound may be.
pub const SOUND_SECONDS_MAX: u64 = 1_800;
/// Samples of one sound at the rate of the wire.
pub const SOUND_SAMPLES_MAX: usize = (SOUND_SECONDS_MAX as usize) * (RATE as usize);

/// Bytes of a datagram that are looked at; what is longer is dropped.
pub const DATAGRAM_BYTES_MAX: usize = 2_048;
/// How long a worker that has looked at its sockets leaves them alone: what comes meanwhile is read together.
/// Packets come one by one from each far end, and to wake for each cost an eighth of a worker's time with 500 callers
/// who talk. What is relayed, and when a packet is taken to have come, is later by about so much, a fifth of a frame.
pub const LOOK_EVERY: Duration = Duration::from_millis(4);
/// Samples in one packet of sound (200 ms); what is longer is dropped.
pub const PACKET_SAMPLES_MAX: usize = 1_600;
/// Datagrams that one stream may cost a worker in one tick. The rest waits in the kernel's buffer, which
/// overflows.
pub const DATAGRAMS_PER_TICK_MAX: u32 = 32;
/// Blocks of a compound RTCP datagram that are walked.
pub const RTCP_BLOCKS_MAX: usize = 16;
/// Keys that one stream reports in a second; a finger presses ten at most.
pub const KEYS_PER_SECOND_MAX: u32 = 25;
/// How far a sequence number may jump ahead and still be the same run (RFC 3550, A.1).
pub const SEQUENCE_AHEAD_MAX: u16 = 3_000;
/// How many sequence numbers back a late packet is still told from a repeated one.
pub const SEQUENCE_BEHIND_MAX: u16 = 64;

/// Streams of one [`Media`](crate::Media).
pub const STREAMS_MAX: usize = 16_384;
/// Threads of one [`Media`](crate::Media).
pub const WORKERS_MAX: usize = 64;
/// Ports that are tried before a stream is refused.
pub const PORTS_TRIED_MAX: usize = 256;
/// Pieces that are queued on one stream; more are refused at once, as played incompletely.
pub const QUEUE_MAX: usize = 256;
/// Keys that are queued to be sent on one stream.
pub const KEYS_QUEUED_MAX: usize = 128;
/// Events that wait in a stream's channel.
pub const HEARD_MAX: usize = 64;
/// Events that wait in the worker when the channel is full; of more, keys and speech are dropped.
pub const HEARD_WAITING_MAX: usize = 256;
/// Commands that one pass of a worker carries out before it looks at its sockets again.
pub const COMMANDS_PER_PASS_MAX: usize = 4_096;
/// Addresses from which a stream behind a translator may be latched.
pub const LATCH_ADDRESSES_MAX: usize = 8;
/// Members of a room.
pub const ROOM_MEMBERS_MAX: usize = 16;

/// Ticks that are made up for after a stall; what was missed beyond is skipped.
pub const CATCH_UP_TICKS_MAX: u64 = 5;
/// A packet that leaves this much after it was due is late.
pub const LATE_AFTER: Duration = Duration::from_millis(20);
/// No packet for so long is reported as [`Heard::Silent`](crate::Heard::Silent).
pub const SILENT_AFTER: Duration = Duration::from_secs(10);
/// A relayed stream that brings nothing for so many ticks is filled with silence.
pub const RELAY_GAP_TICKS: u32 = 3;
/// As [`RELAY_GAP_TICKS`], while a relayed key is down: long enough for what comes late, short enough for a
/// key whose end was lost.
pub const RELAY_KEY_GAP_TICKS: u32 = 50;
/// The mean time between two RTCP reports.
pub const REPORT_EVERY: Duration = Duration::from_secs(5);

/// How long a key is sent.
pub const KEY_SENT_TICKS: u32 = 5;
/// How often the end of a key is sent (RFC 4733, 2.5.1.4).
pub const KEY_ENDS: u32 = 3;
/// The pause between two keys that are sent.
pub const KEY_GAP_TICKS: u32 = 3;

/// How long a speaker in a room is delayed so that late packets still fit: 60 ms.
pub const ROOM_DELAY_SAMPLES: u64 = 480;
/// How long a recording waits for late packets: 240 ms.
pub const RECORDING_DELAY_SAMPLES: u64 = 1_920;
/// The window in which packets are put in place: 1 s.
pub const WINDOW_SAMPLES: usize = 8_192;
/// Late packets in a row after which a window believes the new time.
pub const WINDOW_LATE_MAX: u32 = 5;
/// Frames after which a window that runs ahead is moved back.
pub const WINDOW_AHEAD_FRAMES: u32 = 100;

/// Seconds of one recording; it is closed then.
pub const RECORDING_SECONDS_MAX: u64 = 12 * 3_600;
/// Frames that are handed to the writer at once: half a second.
pub const RECORDING_CHUNK_FRAMES: usize = 25;
/// Pieces that wait for the writer; more are lost, and counted.
pub const RECORDING_QUEUE_MAX: usize = 4_096;
/// How long the far end stays silent in a recording after keys are no longer hidden: what was in flight is
/// hidden too.
pub const HIDDEN_TAIL_TICKS: u32 = 25;
/// Packets that a test's [`Peer`](crate::peer::Peer) keeps.
pub const PEER_PACKETS_MAX: usize = 100_000;
