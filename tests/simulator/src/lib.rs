//! A simulator: random contacts over real hotlines, decided by the real engine and kept in the
//! real journal, on one thread and a fake clock.
//!
//! A seed makes a [`Run`](run::run): some contacts of one hotline with its services, whose
//! callers press, say and leave at random, whose plugins answer late, twice, wrongly or never,
//! whose journal fails before or after a write has landed, and whose node is killed between any
//! two events. After each step, what must hold is looked at ([`invariants`]); in the end
//! everybody is left alone, and every contact must come to its end.
//!
//! The same seed gives the same run. A failure says its seed and the fewest steps that show it;
//! seeds that failed once are kept in `seeds.txt` and run always.

pub mod chance;
pub mod faults;
pub mod hotlines;
pub mod invariants;
pub mod run;
mod values;

/// The seeds that are kept, with why.
pub fn kept_seeds() -> Vec<u64> {
    include_str!("../seeds.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next())
        .map(|seed| seed.parse().expect("a line of seeds.txt begins with a number"))
        .collect()
}
