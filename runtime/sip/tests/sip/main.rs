//! The signalling from outside: whole exchanges on loopback, and raw sockets that say what no exchange would.

mod calls;
mod common;
mod door;
mod raw;
mod wire;
