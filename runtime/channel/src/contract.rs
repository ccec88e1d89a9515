//! What a channel can carry, and what every channel owes a contact.
//!
//! A flow means the same on every channel that can carry it. A channel brings three things
//! across and nothing else: inputs to the contact, turns to the caller, in order, and the news
//! that the caller left. What a channel owes:
//!
//! - Every input has an id that stays the same when it is sent again.
//! - Turns are shown in the order of their numbers, each once, whatever connection drops.
//! - A channel decides nothing: which keys count, how long the caller is heard and what
//!   silence means stand in the turns and in the flow.

use trunkline_engine::Channel;

/// What a channel can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carries {
    /// Keys of the keypad.
    pub keys: bool,
    /// Words, typed or recognised.
    pub text: bool,
    /// Keys pressed before the question, kept for it.
    pub keys_ahead: bool,
    /// Whether a message is complete when it arrives, so that no key has to be waited for.
    pub whole_messages: bool,
    /// Whether what was said stays to be read.
    pub stays: bool,
}

/// What contacts of a kind of channel can be offered.
pub const fn carries(channel: Channel) -> Carries {
    match channel {
        Channel::Chat => Carries {
            keys: true,
            text: true,
            keys_ahead: true,
            whole_messages: true,
            stays: true,
        },
        Channel::Voice => Carries {
            keys: true,
            text: false,
            keys_ahead: true,
            whole_messages: false,
            stays: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chat_carries_all_that_a_flow_can_ask_for() {
        let chat = carries(Channel::Chat);
        assert!(chat.keys && chat.text && chat.keys_ahead);
        assert!(
            !carries(Channel::Voice).whole_messages,
            "a phone's keys come one by one"
        );
    }
}
