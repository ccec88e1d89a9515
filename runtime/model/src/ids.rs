//! Names and identifiers, each a type of its own so that none is passed for another.
//!
//! All are cheap to clone. Names come from an author's files and keep their spelling;
//! [`ContactId`] is made at the edge from a time and random bits.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::Timestamp;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a name as it is written.
            pub fn new(name: impl Into<Arc<str>>) -> Self {
                Self(name.into())
            }

            /// The name as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self::new(name)
            }
        }

        impl From<String> for $name {
            fn from(name: String) -> Self {
                Self::new(name)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// A flow's name, kebab-case, unique in its hotline.
    FlowName
);
name!(
    /// A step's name, unique in its flow.
    StepId
);
name!(
    /// A plugin's name in its hotline.
    PluginName
);
name!(
    /// A function as a component exports it: its interface and its own name, or its own
    /// name alone for one exported by the world itself.
    FunctionName
);
name!(
    /// A variable of a flow, snake_case.
    VariableName
);
name!(
    /// A prompt's key in the tables of prompts.
    PromptKey
);
name!(
    /// A client's name for one input; the same id again is the same input.
    InputId
);
name!(
    /// One conversation. 26 characters of Crockford's base 32 in lower case, which sort by
    /// time of arrival and need no escaping in a path, a key or a NATS subject.
    ContactId
);
name!(
    /// One plugin call of a contact, the same for all its attempts: the plugin's
    /// idempotency key.
    CallId
);
name!(
    /// One piece of work that a contact has asked a service for: a place in a queue, a
    /// transfer, a ticket. The same for all its attempts: the service's idempotency key.
    WorkId
);

impl ContactId {
    /// Makes an identifier of a time and 80 random bits (the layout of a ULID, in lower case).
    pub fn generate(at: Timestamp, random: [u8; 10]) -> Self {
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let millis = u128::from(at.as_millis().max(0).unsigned_abs() & 0xffff_ffff_ffff);
        let mut bits = millis << 80;
        for (index, byte) in random.iter().enumerate() {
            bits |= u128::from(*byte) << (72 - 8 * index);
        }
        let text: String = (0..26)
            .rev()
            .map(|group| char::from(ALPHABET[(bits >> (5 * group)) as usize & 31]))
            .collect();
        Self::new(text)
    }

    /// Reads an identifier from outside; none when it has another form.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = text.len() == 26
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z') && !b"ilou".contains(&byte));
        well_formed.then(|| Self::new(text))
    }

    /// The identifier of this contact's call number `count`, counted from 1.
    pub fn call(&self, count: u32) -> CallId {
        CallId::new(format!("{self}-{count}"))
    }

    /// The identifier of this contact's piece of work number `count`, counted from 1.
    pub fn work(&self, count: u32) -> WorkId {
        WorkId::new(format!("{self}-w{count}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contact_ids_sort_by_time_and_read_back() {
        let early = ContactId::generate(Timestamp::from_millis(1_000), [0xff; 10]);
        let late = ContactId::generate(Timestamp::from_millis(1_001), [0; 10]);
        assert!(early < late);
        assert_eq!(early.as_str().len(), 26);
        assert_eq!(ContactId::parse(early.as_str()), Some(early));
    }

    #[test]
    fn what_is_no_contact_id_is_refused() {
        for text in [
            "",
            "01",
            "0123456789ABCDEFGHJKMNPQRS",
            "../../../etc/passwd.......",
            "i1234567890123456789012345",
        ] {
            assert_eq!(ContactId::parse(text), None, "{text}");
        }
    }
}
