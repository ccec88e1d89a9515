//! The phone over real sockets: callers, agents' phones and a carrier are exchanges of their own,
//! with sound of their own.

mod bridging;
mod calls;
mod common;
mod contract;
