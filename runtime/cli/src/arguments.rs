//! The command line as a whole; each command's own part stands with the command.

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::{
    calendar::Calendar, check::Check, contacts::Contacts, dial::Dial, diff::Diff, drain::Drain,
    exit::EXIT_HELP, exit::Exit, explain::Explain, feeds::Feeds, fmt::Fmt, graph::Graph, lsp::Lsp, new::New,
    plugin::Plugin, releases::Releases, schema::Schema, serve::Serve, test::Test, tongue::Lang,
};

/// Answers hotlines: flows that analysts write, plugins that departments write, one runtime
#[derive(Parser)]
#[command(name = "trunkline", version, arg_required_else_help = true, after_help = examples())]
pub(crate) struct Arguments {
    /// The language to be told things in [default: that of the locale, by LC_ALL, LC_MESSAGES or LANG]
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "LANGUAGE",
        env = "TRUNKLINE_LANG",
        hide_env_values = true
    )]
    pub(crate) lang: Option<Lang>,
    /// When to colour; `auto` asks whether somebody looks, and NO_COLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When what is printed is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// Where somebody looks
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

impl Color {
    /// Sees to it for all that is printed from now on.
    pub(crate) fn apply(self) {
        let choice = match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
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
    Feeds(Feeds),
    Drain(Drain),
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
