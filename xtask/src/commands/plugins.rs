//! `cargo xtask plugins`: the plugins, built from source.

use std::process::ExitCode;

use anyhow::Result;

use crate::{cargo, guests, house::House, progress::Step, toolchain};

/// Runs the command.
pub(crate) fn run() -> Result<ExitCode> {
    let house = House::find()?;
    toolchain::ensure_guest_target(&house)?;
    Step::run(
        "Build the plugins from source",
        |step| cargo::build(guests::build(&house), step),
        |()| house.show(&house.components()),
    )?;
    let changed = guests::install(&house)?;
    for place in &changed {
        anstream::eprintln!("  put {} in place", house.show(place));
    }
    if changed.is_empty() {
        anstream::eprintln!("  the hotlines have them already");
    }
    Ok(ExitCode::SUCCESS)
}
