//! How a caller reaches a contact.
//!
//! [`contract`] says what a channel can carry and what the runtime asks of it. [`chat`] is the
//! first channel: its JSON on the wire, shared by the server, the terminal caller and the page.
//! [`page`] is the chat page itself. [`cpaas`] is the telephone behind a carrier that is answered with
//! documents: what they say, and what is read of its requests. This crate performs no I/O: the server carries the bytes.

pub mod chat;
pub mod contract;
pub mod cpaas;
pub mod page;
pub mod problem;
