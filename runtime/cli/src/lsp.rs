//! `trunkline lsp`: help in editors, by the language server protocol.
//!
//! What is said about a hotline comes from the flow crate; here it is only translated, and
//! kept in step with what is typed. Requests are answered on the hotline as it stands in the
//! editor: files on disk, with open ones as they are typed laid over them.

mod hotlines;
mod places;
mod server;
mod translate;

use clap::Args;
use tower_lsp_server::{LspService, Server};

use crate::exit::{Exit, Outcome};

/// Help an editor: speak the language server protocol on standard input and output
///
/// Findings as you type, completion, hover, "go to", references, renaming, outlines, quick
/// fixes and formatting, for every hotline whose files are opened.
#[derive(Args)]
#[command(after_help = "An editor starts this: see docs/guide/editor.md for VS Code, Neovim and Helix.")]
pub(crate) struct Lsp {
    /// Speak on standard input and output, which is the only way; editors may say so
    #[arg(long, hide = true)]
    stdio: bool,
}

impl Lsp {
    /// Runs the command until the editor ends it.
    pub(crate) async fn run(&self) -> Outcome {
        let (service, socket) = LspService::new(server::Helper::new);
        Server::new(tokio::io::stdin(), tokio::io::stdout(), socket)
            .serve(service)
            .await;
        Ok(Exit::Done)
    }
}
