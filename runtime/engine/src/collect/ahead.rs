//! Keys pressed ahead of the question: kept, taken, dropped.

use std::sync::Arc;

use crate::{
    course::Course,
    event::{Fact, Personal},
};

/// Keeps keys for questions to come, as far as there is room and the channel carries them.
pub(crate) fn keep_ahead(course: &mut Course<'_>, keys: &str) {
    let kept = joined(
        &course.session.keys_ahead,
        keys,
        course.session.channel.carries().keys_ahead_max,
    );
    if *kept != *course.session.keys_ahead {
        course.emit_with(Fact::KeysAhead, Personal::Text(kept.into()));
    }
}

/// Takes the keys that were kept.
pub(crate) fn take_ahead(course: &mut Course<'_>) -> Option<Arc<str>> {
    let keys = course.session.keys_ahead.clone();
    drop_ahead(course);
    (!keys.is_empty()).then_some(keys)
}

/// Forgets the keys that were kept.
pub(crate) fn drop_ahead(course: &mut Course<'_>) {
    if !course.session.keys_ahead.is_empty() {
        course.emit_with(Fact::KeysAhead, Personal::Text("".into()));
    }
}

fn joined(kept: &str, more: &str, max: usize) -> String {
    kept.chars().chain(more.chars()).take(max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_kept_than_the_channel_carries() {
        assert_eq!(joined("12", "345", 4), "1234");
        assert_eq!(joined("", "1", 0), "");
    }
}
