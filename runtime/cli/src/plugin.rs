//! `trunkline plugin`: a department's own loop with its component.

mod add;
mod build;
mod dev;
mod inspect;
mod key;
pub(crate) mod kv;
mod new;
mod package;
mod publish;
mod pull;
mod test;
mod verify;
mod wants;

use clap::{Args, Subcommand, ValueEnum};
use trunkline_plugin::HostLimits;

use crate::exit::Outcome;

/// Make, build, test, publish and look at plugins
#[derive(Args)]
pub(crate) struct Plugin {
    #[command(subcommand)]
    command: PluginCommand,
}

#[derive(Subcommand)]
enum PluginCommand {
    New(new::New),
    Build(build::Build),
    Test(test::Test),
    Dev(dev::Dev),
    Inspect(inspect::Inspect),
    Publish(publish::Publish),
    Add(add::Add),
    Pull(pull::Pull),
    Verify(verify::Verify),
    Key(key::Key),
    Kv(kv::Kv),
}

impl Plugin {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        match &self.command {
            PluginCommand::New(new) => new.run(),
            PluginCommand::Build(build) => build.run().await,
            PluginCommand::Test(test) => test.run().await,
            PluginCommand::Dev(dev) => dev.run().await,
            PluginCommand::Inspect(inspect) => inspect.run().await,
            PluginCommand::Publish(publish) => publish.run().await,
            PluginCommand::Add(add) => add.run().await,
            PluginCommand::Pull(pull) => pull.run().await,
            PluginCommand::Verify(verify) => verify.run().await,
            PluginCommand::Key(key) => key.run(),
            PluginCommand::Kv(kv) => kv.run().await,
        }
    }
}

/// How something is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Bounds of a host that only looks: every component that a server takes, one at a time, and no calls
/// but those that ask a component what it exports.
pub(crate) fn narrow() -> HostLimits {
    let mut limits = HostLimits {
        guest_threads: 1,
        ..HostLimits::default()
    };
    limits.small.instances = 1;
    limits.large.instances = 1;
    limits
}
