//! The reference of the command line, docs/reference/cli.md: made of the same words as
//! `--help`, and compared with them here.

use std::{fmt::Write as _, path::Path};

use clap::CommandFactory;

use crate::arguments::Arguments;

/// Set to write the page anew instead of comparing it.
const WRITE: &str = "TRUNKLINE_BLESS";

/// Columns of the page's help texts.
const COLUMNS: usize = 100;

fn page() -> String {
    let mut page = String::from(
        "# The command line\n\n\
         This page is `--help` of every command. It is written by\n\
         `TRUNKLINE_BLESS=1 cargo test -p trunkline-cli reference`.\n",
    );
    let mut root = Arguments::command().term_width(COLUMNS);
    root.build();
    section(&mut page, &root, &[]);
    page
}

fn section(page: &mut String, command: &clap::Command, above: &[&str]) {
    let mut path = above.to_vec();
    path.push(command.get_name());
    let level = "#".repeat(path.len() + 1);
    let help = command.clone().render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    // Writing to a string does not fail.
    let _ = write!(
        page,
        "\n{level} `{}`\n\n```text\n{}\n```\n",
        path.join(" "),
        help.join("\n").trim()
    );
    for inner in command
        .get_subcommands()
        .filter(|inner| inner.get_name() != "help")
    {
        section(page, inner, &path);
    }
}

#[test]
fn the_reference_says_what_help_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli.md");
    let page = page();
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/reference/cli.md is not what `--help` says; write it with {WRITE}=1 cargo test -p trunkline-cli reference"
    );
}
