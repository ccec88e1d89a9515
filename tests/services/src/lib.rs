//! Small real services of a city's departments, for the demo and the tests: a citizens'
//! register ([`crm`]), a feed of public notices ([`feed`]) and one of road works ([`roads`]).
//!
//! They speak HTTP over a listener that they are given and hold their data in memory. A
//! [`Service`] can be made to misbehave ([`Conduct`]) and tells what it was asked, so that
//! a test sees what a plugin makes of a slow, broken or vanished department.

mod conduct;
pub mod crm;
pub mod feed;
mod problem;
pub mod roads;
mod service;

pub use conduct::{Conduct, Failure};
pub use service::{Service, loopback};
