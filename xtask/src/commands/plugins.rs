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
    // What is here is installed, whether or not the rest can be built.
    let foreign = Step::run(
        "Build the plugins in other languages",
        |_| guests::build_foreign(&house),
        |built| match built.len() {
            0 => "nothing has changed".to_owned(),
            count => format!("{count} built"),
        },
    );
    let changed = guests::install(&house)?;
    for place in &changed {
        anstream::eprintln!("  put {} in place", house.show(place));
    }
    if changed.is_empty() {
        anstream::eprintln!("  the hotlines have them already");
    }
    foreign.map(|_| ExitCode::SUCCESS)
}
