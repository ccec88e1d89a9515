//! How streams and entries lie in an ordered table of rows, the same for every store on disk.
//!
//! | table | key | value |
//! |---|---|---|
//! | events | stream, 0, count of the frame as 8 bytes | the frame |
//! | streams | `s` stream | layout, standing, wrapped key |
//! | streams | `o` or `e` stream | nothing: the index of open and of ended streams |
//! | entries | `k` space, 0, key | layout, version, expiry, value |
//! | entries | `u` space | keys and bytes that the space holds |
//! | entries | `r` | the version given last to any entry |
//!
//! Numbers are big-endian, so that rows sort by them. A stream's version is the count of its
//! frames: its last row tells it, and no append has to write it anywhere else.

use std::{ops::Range, sync::Arc};

use trunkline_model::{ContactId, Timestamp};

use crate::{Entry, Error, Standing, Usage, Version};

/// The layout of rows, kept in the marker of a store's directory.
pub(crate) const LAYOUT: u32 = 1;

/// The first byte of rows that may one day have another form.
const ROW_LAYOUT: u8 = 1;

/// The layout, a version and an expiry.
const ENTRY_HEADER_BYTES: usize = 17;

/// Expiry of what does not expire.
const NEVER: i64 = i64::MAX;

/// Rows of one engine: an ordered map from bytes to bytes for each table.
pub(crate) trait Rows: Send + Sync + 'static {
    /// One row's value.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// The key of the last row in a range.
    fn last_key(&self, table: Table, range: Range<Vec<u8>>) -> Result<Option<Vec<u8>>, Error>;

    /// The rows of a range in order of their keys, as of one moment, as long as `take` says so.
    fn scan(&self, table: Table, range: Range<Vec<u8>>, take: &mut Take<'_>) -> Result<(), Error>;

    /// Writes all changes at once, and returns when they are durable. No two of them are about
    /// the same row. Called by one thread only.
    fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError>;
}

/// What a scan does with each row's key and value.
pub(crate) type Take<'a> = dyn FnMut(&[u8], &[u8]) -> Result<Scan, Error> + 'a;

/// The tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Table {
    /// Frames of streams.
    Events,
    /// Streams and their index.
    Streams,
    /// Entries and what counts them.
    Entries,
}

/// Whether a scan goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// To the next row.
    On,
    /// No further.
    Enough,
}

/// One row's change.
#[derive(Debug)]
pub(crate) struct Change {
    /// The table.
    pub(crate) table: Table,
    /// The row.
    pub(crate) key: Vec<u8>,
    /// Its new value; none to remove it.
    pub(crate) value: Option<Vec<u8>>,
}

/// A commit that failed.
#[derive(Debug)]
pub(crate) enum CommitError {
    /// Nothing was written; later commits may succeed.
    #[cfg_attr(
        not(any(test, feature = "sled")),
        expect(
            dead_code,
            reason = "fjall cannot tell what it wrote, sled's large values can"
        )
    )]
    Refused(String),
    /// Some of it may be on disk, and the engine can no longer be trusted to write.
    Broken(String),
}

/// A stream's own row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StreamRow {
    pub(crate) standing: Standing,
    pub(crate) key: Option<Vec<u8>>,
}

pub(crate) fn event_key(stream: &ContactId, count: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(stream.as_str().len() + 9);
    key.extend_from_slice(stream.as_str().as_bytes());
    key.push(0);
    key.extend_from_slice(&count.to_be_bytes());
    key
}

/// The rows of a stream's frames after a version.
pub(crate) fn events_after(stream: &ContactId, after: Version) -> Range<Vec<u8>> {
    let end = [stream.as_str().as_bytes(), &[1]].concat();
    match after.as_u64().checked_add(1) {
        Some(first) => event_key(stream, first)..end,
        None => end.clone()..end,
    }
}

/// The version that an event's key stands for.
pub(crate) fn event_version(key: &[u8]) -> Result<Version, Error> {
    key.last_chunk()
        .map(|count| Version::from_u64(u64::from_be_bytes(*count)))
        .ok_or_else(|| corrupt("a row of the events", "its key is too short"))
}

pub(crate) fn stream_key(stream: &ContactId) -> Vec<u8> {
    [b"s", stream.as_str().as_bytes()].concat()
}

pub(crate) fn index_key(standing: Standing, stream: &ContactId) -> Vec<u8> {
    [&[index_prefix(standing)], stream.as_str().as_bytes()].concat()
}

const fn index_prefix(standing: Standing) -> u8 {
    match standing {
        Standing::Open => b'o',
        Standing::Ended => b'e',
    }
}

/// The rows that name streams, of one standing or of all, after a name.
pub(crate) fn names_after(standing: Option<Standing>, after: Option<&ContactId>) -> Range<Vec<u8>> {
    let prefix = standing.map_or(b's', index_prefix);
    let start = match after {
        Some(after) => [&[prefix], after.as_str().as_bytes(), &[0]].concat(),
        None => vec![prefix],
    };
    start..vec![prefix + 1]
}

/// The name in a row that names a stream.
pub(crate) fn stream_name(key: &[u8]) -> Result<ContactId, Error> {
    std::str::from_utf8(key.get(1..).unwrap_or_default())
        .map(ContactId::from)
        .map_err(|_| corrupt("a row of the streams", "its name is no text"))
}

impl StreamRow {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![ROW_LAYOUT, index_prefix(self.standing)];
        if let Some(key) = &self.key {
            bytes.push(1);
            bytes.extend_from_slice(key);
        }
        bytes
    }

    pub(crate) fn from_bytes(stream: &ContactId, bytes: &[u8]) -> Result<Self, Error> {
        let (standing, key) = match bytes {
            [ROW_LAYOUT, b'o', key @ ..] => (Standing::Open, key),
            [ROW_LAYOUT, b'e', key @ ..] => (Standing::Ended, key),
            _ => {
                return Err(corrupt(
                    &format!("the row of contact {stream}"),
                    "it has an unknown form",
                ));
            }
        };
        Ok(Self {
            standing,
            key: key.split_first().map(|(_, key)| key.to_vec()),
        })
    }
}

pub(crate) fn entry_key(space: &str, key: &str) -> Vec<u8> {
    [b"k", space.as_bytes(), &[0], key.as_bytes()].concat()
}

/// The rows of a space's entries whose keys begin with `prefix`, after a key.
pub(crate) fn entries_after(space: &str, prefix: &str, after: Option<&str>) -> Range<Vec<u8>> {
    let mut start = entry_key(space, prefix);
    // No key holds the byte 0xff, which is not UTF-8.
    let end = [start.as_slice(), &[0xff]].concat();
    if let Some(after) = after {
        let after = [entry_key(space, after).as_slice(), &[0]].concat();
        start = start.max(after);
    }
    let start = start.min(end.clone());
    start..end
}

/// The key of an entry in a row of a space.
pub(crate) fn entry_name(space: &str, key: &[u8]) -> Result<String, Error> {
    key.get(space.len() + 2..)
        .and_then(|name| std::str::from_utf8(name).ok())
        .map(str::to_owned)
        .ok_or_else(|| corrupt(&format!("a key of space {space}"), "it is no text"))
}

pub(crate) fn entry_to_bytes(version: Version, expires: Option<Timestamp>, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ENTRY_HEADER_BYTES + value.len());
    bytes.push(ROW_LAYOUT);
    bytes.extend_from_slice(&version.as_u64().to_be_bytes());
    bytes.extend_from_slice(&expires.map_or(NEVER, Timestamp::as_millis).to_be_bytes());
    bytes.extend_from_slice(value);
    bytes
}

pub(crate) fn entry_from_bytes(space: &str, bytes: &[u8]) -> Result<Entry, Error> {
    let wrong = || corrupt(&format!("an entry of space {space}"), "it has an unknown form");
    let (header, value) = bytes
        .split_first_chunk::<ENTRY_HEADER_BYTES>()
        .ok_or_else(wrong)?;
    let (&[layout], numbers) = header.split_first_chunk::<1>().ok_or_else(wrong)?;
    if layout != ROW_LAYOUT {
        return Err(wrong());
    }
    let (version, expires) = two_numbers(numbers).ok_or_else(wrong)?;
    let expires = expires.cast_signed();
    Ok(Entry {
        value: value.to_vec(),
        version: Version::from_u64(version),
        expires: (expires != NEVER).then(|| Timestamp::from_millis(expires)),
    })
}

pub(crate) fn usage_key(space: &str) -> Vec<u8> {
    [b"u", space.as_bytes()].concat()
}

pub(crate) fn usage_to_bytes(usage: Usage) -> Vec<u8> {
    [usage.keys.to_be_bytes(), usage.bytes.to_be_bytes()].concat()
}

pub(crate) fn usage_from_bytes(space: &str, bytes: &[u8]) -> Result<Usage, Error> {
    let (keys, bytes) = two_numbers(bytes)
        .ok_or_else(|| corrupt(&format!("the usage of space {space}"), "it has an unknown form"))?;
    Ok(Usage { keys, bytes })
}

pub(crate) fn revision_key() -> Vec<u8> {
    b"r".to_vec()
}

pub(crate) fn revision_from_bytes(bytes: &[u8]) -> Result<u64, Error> {
    bytes
        .try_into()
        .map(u64::from_be_bytes)
        .map_err(|_| corrupt("the version of entries", "it has an unknown form"))
}

fn two_numbers(bytes: &[u8]) -> Option<(u64, u64)> {
    let (first, rest) = bytes.split_first_chunk()?;
    Some((
        u64::from_be_bytes(*first),
        u64::from_be_bytes(rest.try_into().ok()?),
    ))
}

pub(crate) fn corrupt(place: &str, what: &str) -> Error {
    Error::Corrupt {
        place: Arc::from(place),
        what: Arc::from(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_events_sort_by_stream_and_count() {
        let (short, long) = (ContactId::from("a"), ContactId::from("ab"));
        let range = events_after(&short, Version::from_u64(255));
        assert!(range.contains(&event_key(&short, 256)));
        assert!(range.contains(&event_key(&short, u64::MAX)));
        assert!(!range.contains(&event_key(&short, 255)));
        assert!(!range.contains(&event_key(&long, 300)));
        assert!(events_after(&short, Version::from_u64(u64::MAX)).is_empty());
        assert_eq!(
            event_version(&event_key(&long, 300)).unwrap(),
            Version::from_u64(300)
        );
    }

    #[test]
    fn rows_of_entries_keep_to_their_space_and_prefix() {
        let range = entries_after("crm", "be", None);
        assert!(range.contains(&entry_key("crm", "be")));
        assert!(range.contains(&entry_key("crm", "beijing")));
        assert!(range.contains(&entry_key("crm", "be北京")));
        assert!(!range.contains(&entry_key("crm", "bf")));
        assert!(!range.contains(&entry_key("crm2", "be")));
        let range = entries_after("crm", "be", Some("beijing"));
        assert!(!range.contains(&entry_key("crm", "beijing")));
        assert!(range.contains(&entry_key("crm", "beijing2")));
        assert!(entries_after("crm", "be", Some("c")).is_empty());
        assert!(entries_after("crm", "be", Some("a")).contains(&entry_key("crm", "be")));
    }

    #[test]
    fn rows_read_back() {
        let stream = ContactId::from("a");
        for row in [
            StreamRow {
                standing: Standing::Open,
                key: None,
            },
            StreamRow {
                standing: Standing::Ended,
                key: Some(vec![1, 2]),
            },
            StreamRow {
                standing: Standing::Ended,
                key: Some(Vec::new()),
            },
        ] {
            assert_eq!(StreamRow::from_bytes(&stream, &row.to_bytes()).unwrap(), row);
        }
        assert!(StreamRow::from_bytes(&stream, &[9, b'o']).is_err());
        let version = Version::from_u64(7);
        for expires in [None, Some(Timestamp::from_millis(-5))] {
            let entry = entry_from_bytes("crm", &entry_to_bytes(version, expires, b"value")).unwrap();
            assert_eq!(
                (entry.version, entry.expires, entry.value.as_slice()),
                (version, expires, &b"value"[..])
            );
        }
        assert!(entry_from_bytes("crm", b"short").is_err());
        assert_eq!(entry_name("crm", &entry_key("crm", "北京")).unwrap(), "北京");
    }
}
