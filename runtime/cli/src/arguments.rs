//! The command line as a whole; each command's own part stands with the command.

use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::{
    calendar::Calendar, check::Check, contacts::Contacts, dial::Dial, diff::Diff, exit::EXIT_HELP,
    exit::Exit, explain::Explain, fmt::Fmt, graph::Graph, inspect::Plugin, lsp::Lsp, new::New,
    releases::Releases, schema::Schema, serve::Serve, test::Test,
};

/// Answers hotlines: flows that analysts write, plugins that departments write, one runtime
#[derive(Parser)]
#[command(name = "trunkline", version, arg_required_else_help = true, after_help = examples())]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

fn examples() -> String {
    format!(
        "Examples:\n  \
         trunkline check flows/city-hotline          find what is wrong with a hotline\n  \
         trunkline dial flows/city-hotline 12345     call it in this terminal\n  \
         trunkline serve flows/city-hotline --watch  answer it; edits are live on save\n  \
         trunkline explain TL0301                    what a finding means\n\n{EXIT_HELP}"
    )
}

#[derive(Subcommand)]
pub(crate) enum Command {
    New(New),
    Serve(Serve),
    Check(Check),
    Calendar(Calendar),
    Explain(Explain),
    Fmt(Fmt),
    Schema(Schema),
    Lsp(Lsp),
    Dial(Dial),
    Test(Test),
    Graph(Graph),
    Diff(Diff),
    Plugin(Plugin),
    Contacts(Contacts),
    Releases(Releases),
    Completions(Completions),
}

/// Print completions for a shell
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline completions bash > ~/.local/share/bash-completion/completions/trunkline\n  \
    trunkline completions zsh > \"${fpath[1]}/_trunkline\"\n  \
    trunkline completions fish > ~/.config/fish/completions/trunkline.fish")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Runs the command.
    pub(crate) fn run(&self) -> Exit {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "trunkline", &mut script);
        anstream::print!("{}", String::from_utf8_lossy(&script));
        Exit::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
