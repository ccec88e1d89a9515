//! The commands, one file each.

pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod fuzz;
pub(crate) mod plugins;
pub(crate) mod sim;
pub(crate) mod test;
