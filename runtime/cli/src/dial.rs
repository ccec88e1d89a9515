//! `trunkline dial`: a caller in the terminal, with the keyboard as keypad.

mod conversation;
mod here;
mod keeping;
mod line;
mod scenario;
mod screen;
mod there;
mod typed;
mod typing;

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use jiff::civil::DateTime;

use self::{
    here::Here,
    line::{Called, Line},
    screen::Screen,
    there::There,
    typed::TYPED_HELP,
};
use crate::{
    api::Api,
    exit::{Exit, Failure, Outcome},
    place,
};

/// Random bytes in the name of a conversation.
const NAME_BYTES: usize = 16;

/// Call a hotline: one in this process, or one on a server
///
/// A folder is built and checked and then rehearsed in this process, with nothing kept but what
/// `@save` keeps: its clock moves, its plugins can be slowed and broken. An address is
/// called over its public API; when the server restarts in mid-contact, the call goes on.
#[derive(Args)]
#[command(after_help = examples())]
pub(crate) struct Dial {
    /// A hotline's folder, or a server's address
    hotline: String,
    /// The number to call; a folder that has only one needs none
    number: Option<String>,
    /// The caller's number, like +8613800138000; on a server a client key has to vouch for it
    #[arg(long, value_name = "NUMBER")]
    from: Option<String>,
    /// The language to ask for, like en
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// When the call begins, by the hotline's clocks, like 2026-11-21T20:05; of a folder only
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<DateTime>,
    /// The key by which a server trusts this client
    #[arg(
        long,
        value_name = "KEY",
        env = "TRUNKLINE_CLIENT_KEY",
        hide_env_values = true
    )]
    client_key: Option<String>,
    /// What to type, line by line, each when the contact waits for it; `-` is standard input,
    /// which is also read this way wherever it is no terminal. A scenario's file, by its ending
    /// `.yaml`, is played as it stands: who calls, and what plugins and services answer
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
}

fn examples() -> String {
    format!(
        "What to type:\n{}\n\nExamples:\n  \
         trunkline dial flows/city-hotline 12345\n  \
         trunkline dial flows/city-hotline 12345 --language en --from +8613800138000\n  \
         trunkline dial flows/city-hotline 12345 --at 2026-11-21T20:05\n  \
         trunkline dial http://127.0.0.1:8080 12345\n  \
         printf '1\\n@hangup\\n' | trunkline dial flows/city-hotline 12345\n  \
         trunkline dial flows/city-hotline --script broken/tl1001-city-12.yaml",
        TYPED_HELP
            .lines()
            .map(|line| format!("  {line}"))
            .collect::<Vec<_>>()
            .join("\n")
    )
}

impl Dial {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let called = Called {
            number: self.number.clone(),
            from: self.from.clone(),
            language: self.language.clone(),
            at: self.at,
        };
        let is_address = self.hotline.starts_with("http://") || self.hotline.starts_with("https://");
        if is_address {
            if self.script.as_deref().is_some_and(scenario::is_scenario) {
                return Err(Failure::usage(anyhow!(
                    "a scenario says what plugins answer, which no server lets a caller say; play it against the hotline's folder"
                )));
            }
            if self.at.is_some() {
                return Err(Failure::usage(anyhow!(
                    "a server has its own clock; name the hotline's folder to call at another time"
                )));
            }
            let api = Api::at(&self.hotline)?;
            let (mut typing, screen) = typing::Typing::begin(self.script.as_deref()).await?;
            let line = There::call(api, self.client_key.as_deref(), &called, screen.clone()).await?;
            lead(line, &mut typing, &screen).await
        } else {
            let folder = place::hotline(Path::new(&self.hotline))?;
            if let Some(script) = self
                .script
                .as_deref()
                .filter(|script| scenario::is_scenario(script))
            {
                return scenario::run(&folder, script).await;
            }
            let (mut typing, screen) = typing::Typing::begin(self.script.as_deref()).await?;
            let line = Here::call(&folder, &called, &screen).await?;
            lead(line, &mut typing, &screen).await
        }
    }
}

async fn lead<L: Line>(line: L, typing: &mut typing::Typing, screen: &Screen) -> Outcome {
    let ended = conversation::lead(&line, typing, screen).await;
    line.close().await;
    match ended?.as_deref() {
        // The flow or the runtime failed the caller.
        Some("failed") | None => Ok(Exit::Findings),
        Some(_) => Ok(Exit::Done),
    }
}

/// A time by some clock.
fn time(text: &str) -> Result<DateTime, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is no time; write it like 2026-11-21T20:05"))
}

/// A name that no other conversation has.
fn draw_name() -> Result<String, Failure> {
    let mut random = [0; NAME_BYTES];
    getrandom::fill(&mut random)
        .map_err(|error| anyhow!(error))
        .context("the system gave no random bytes to name the conversation")?;
    Ok(trunkline_model::hex::write(&random))
}
