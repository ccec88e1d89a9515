//! The contract that every store keeps: the same tests for each, and one history given to all.

#[cfg(test)]
mod blobs;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod entries;
#[cfg(test)]
mod events;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod place;
#[cfg(any(feature = "fjall", feature = "sled"))]
#[cfg(test)]
mod reopening;
#[cfg(test)]
mod upgrade;
