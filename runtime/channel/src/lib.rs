//! How a caller reaches a contact: the channel contract and chat.
