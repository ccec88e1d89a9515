//! Sound in memory, bounded in bytes. What was not asked for longest goes first.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use super::Key;
use trunkline_media::Sound;

/// Bytes of one entry besides its samples.
const ENTRY_BYTES: u64 = 256;

/// Bytes of a millisecond: eight samples of two bytes, and of one in each of the two codecs that
/// calls have.
const MILLISECOND_BYTES: u64 = 8 * 2 + 8 + 8;

#[derive(Debug)]
pub(crate) struct Memory {
    bytes_max: u64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    sounds: HashMap<Key, Entry>,
    /// Keys by when they were last asked for.
    order: BTreeMap<u64, Key>,
    next: u64,
    bytes: u64,
}

#[derive(Debug)]
struct Entry {
    sound: Sound,
    bytes: u64,
    asked: u64,
}

impl Memory {
    pub(crate) fn new(bytes_max: u64) -> Self {
        Self {
            bytes_max,
            kept: Mutex::default(),
        }
    }

    pub(crate) fn get(&self, key: Key) -> Option<Sound> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut *kept;
        let entry = kept.sounds.get_mut(&key)?;
        kept.order.remove(&entry.asked);
        entry.asked = kept.next;
        kept.order.insert(kept.next, key);
        kept.next += 1;
        Some(entry.sound.clone())
    }

    pub(crate) fn put(&self, key: Key, sound: Sound) {
        let milliseconds = u64::try_from(sound.length().as_millis()).unwrap_or(u64::MAX);
        let bytes = milliseconds
            .saturating_mul(MILLISECOND_BYTES)
            .saturating_add(ENTRY_BYTES);
        if bytes > self.bytes_max {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = kept.next;
        kept.next += 1;
        let entry = Entry { sound, bytes, asked };
        if let Some(before) = kept.sounds.insert(key, entry) {
            kept.order.remove(&before.asked);
            kept.bytes -= before.bytes;
        }
        kept.order.insert(asked, key);
        kept.bytes += bytes;
        while kept.bytes > self.bytes_max {
            let Some((_, oldest)) = kept.order.pop_first() else {
                break;
            };
            if let Some(entry) = kept.sounds.remove(&oldest) {
                kept.bytes -= entry.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_not_asked_for_longest_goes_first() {
        let second = Sound::silence(Duration::from_secs(1));
        let memory = Memory::new(3 * (1_000 * MILLISECOND_BYTES + ENTRY_BYTES));
        let key = |name: &str| Key::of(&[name]);
        for name in ["a", "b", "c"] {
            memory.put(key(name), second.clone());
        }
        assert!(memory.get(key("a")).is_some());
        memory.put(key("d"), second.clone());
        memory.put(key("d"), second);
        for (name, there) in [("a", true), ("b", false), ("c", true), ("d", true)] {
            assert_eq!(memory.get(key(name)).is_some(), there, "{name}");
        }
        memory.put(key("long"), Sound::silence(Duration::from_secs(4)));
        assert!(memory.get(key("long")).is_none() && memory.get(key("a")).is_some());
    }
}
