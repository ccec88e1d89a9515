//! Proofs over a hotline: what callers can reach, within how many inputs and seconds, whatever
//! plugins, clocks and callers do.
//!
//! ```text
//! Hotline --plan, facts--> graph of states --game--> what a human costs at worst
//!                                          --paths--> the shortest way that breaks a rule
//!                                          --witness--> that way with values, to be played
//! ```
//!
//! The rules themselves stand with the other checks (`check/rules`), one a file; [`packs`] says which
//! of them a hotline holds to. [`budget`] is what `check --budget` prints.

pub mod budget;
pub(crate) mod facts;
pub(crate) mod game;
pub(crate) mod graph;
pub mod packs;
pub(crate) mod paths;
mod plan;
mod tell;
pub mod witness;

pub use self::{
    budget::{HUMAN, Reach, budget},
    packs::{PACKS, Pack, Rule, pack},
    witness::Witness,
};
