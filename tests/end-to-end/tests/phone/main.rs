//! The phone, as carriers, agents and strangers meet it: a real server, and peers that others wrote.
//!
//! sipp signals, after the scenarios in `scenarios`; its sound is that of a [`line`]. baresip is an
//! agent's phone, and calls. What is asserted is what the contact's journal says, besides what the peers
//! saw themselves. Everything is on loopback: the hotline and its callers at 127.0.0.1, which is the
//! trunk; agents' phones at 127.0.0.2; strangers at 127.0.0.3.

mod baresip;
mod exchange;
mod g711;
mod journal;
mod line;
mod login;
mod ports;
mod programs;
mod sipp;
mod sound;

mod agents;
mod dialogs;
mod hostile;
mod keys;
mod refusals;
mod reload;
