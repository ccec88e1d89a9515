//! What survives: the death of the process, and a loss of power.
//!
//! Each round starts this test binary again as a child that writes with many tasks and prints
//! what was acknowledged, kills it at a random moment, opens what it left behind, and looks for
//! everything that it printed.
//!
//! `TRUNKLINE_CRASH_ROUNDS` and `TRUNKLINE_POWER_ROUNDS` set how many rounds each test runs, and
//! `TRUNKLINE_ROUND_MILLIS_MAX` how long one may write. Short rounds stay in a store's log; rounds
//! of seconds, built with `--release`, also reach its sorted tables and their merging.

#![cfg(any(feature = "fjall", feature = "sled"))]

#[cfg(test)]
mod crash;
#[cfg(test)]
mod load;
#[cfg(target_os = "linux")]
#[cfg(test)]
mod power;
