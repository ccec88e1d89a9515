//! The bounds that every store keeps to. Past one, a request is refused with
//! [`Error::TooLarge`](crate::Error::TooLarge) or waits.

/// Bytes of one frame of a stream.
pub const FRAME_BYTES_MAX: usize = 8 << 20;

/// Frames of one append.
pub const FRAMES_PER_APPEND_MAX: usize = 4_096;

/// Bytes of a stream's name.
pub const STREAM_NAME_BYTES_MAX: usize = 128;

/// Bytes of a stream's wrapped key.
pub const WRAPPED_KEY_BYTES_MAX: usize = 512;

/// Bytes of a space's name.
pub const SPACE_NAME_BYTES_MAX: usize = 128;

/// Bytes of an entry's key.
pub const ENTRY_KEY_BYTES_MAX: usize = 1_024;

/// Bytes of an entry's value.
pub const ENTRY_BYTES_MAX: usize = 8 << 20;

/// Bytes of a blob.
pub const BLOB_BYTES_MAX: usize = 256 << 20;

/// Things that one page of a list holds at most, whatever limit the caller names.
pub const PAGE_MAX: usize = 10_000;

/// Bytes of frames or entries after which a page is cut short.
pub const PAGE_BYTES_MAX: usize = 32 << 20;

/// Requests that wait for a store's committer to take them in, and as many that it has taken in
/// and not yet carried out; whoever asks beyond that waits to be let in.
pub const WAITING_REQUESTS_MAX: usize = 8_192;

/// Requests that one commit takes together.
pub const COMMIT_REQUESTS_MAX: usize = 4_096;

/// Bytes after which a commit takes no further request.
pub const COMMIT_BYTES_MAX: usize = 8 << 20;

/// Streams whose head the committer remembers; past it, all are forgotten and read again.
pub const HEADS_REMEMBERED_MAX: usize = 131_072;

/// Spaces whose usage the committer remembers; past it, all are forgotten and read again.
pub const SPACES_REMEMBERED_MAX: usize = 1_024;

/// Entries that one sweep looks at; the next sweep of the space goes on behind them.
pub const SWEEP_ENTRIES_MAX: usize = 10_000;

/// Bytes of entries after which a sweep looks no further, as above.
pub const SWEEP_BYTES_MAX: usize = 32 << 20;
