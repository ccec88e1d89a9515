//! A contact with a hotline that runs in this process: checked as a server would, with nothing
//! kept and nothing listening.

use std::path::Path;

use anyhow::anyhow;
use trunkline_channel::chat::Turn;
use trunkline_engine::{Channel, Input, Utterance, input::Refused, input::Reply as EngineReply};
use trunkline_model::{ContactId, Duration, InputId};
use trunkline_node::{Call, Node, StartError};

use super::{
    line::{Called, LISTEN_FOR, Line, Reply},
    screen::Screen,
    typed::Given,
};
use crate::{
    check::{self, findings},
    exit::Failure,
};

/// A contact in this process.
pub(crate) struct Here {
    node: Node,
    contact: ContactId,
}

impl Here {
    /// Builds the hotline and begins a contact.
    ///
    /// # Errors
    /// The hotline does not load, or has no such number.
    pub(crate) async fn call(folder: &Path, called: &Called, screen: &Screen) -> Result<Self, Failure> {
        let node = check::start(folder).await.map_err(|error| match error {
            StartError::Check { report, .. } => {
                anstream::eprint!("{}", findings(&report, folder));
                Failure::from(anyhow!(
                    "{} does not load; mend the findings and dial again",
                    folder.display()
                ))
            }
            error => anyhow!(error).into(),
        })?;
        let number = number(&node, called)?;
        let arrived = node
            .arrive(Call {
                id: None,
                channel: Channel::Chat,
                number,
                language: called.language.clone(),
                // Whoever runs the hotline may say who calls.
                caller: called.from.clone(),
                claimed: None,
            })
            .await
            .map_err(|error| Failure::usage(anyhow!(error)))?;
        screen.remark(&format!(
            "contact {} on release {}, in this process",
            arrived.contact,
            arrived.release.short()
        ));
        Ok(Self {
            node,
            contact: arrived.contact,
        })
    }
}

/// The number to call: the hotline's only one when none is given.
fn number(node: &Node, called: &Called) -> Result<String, Failure> {
    if let Some(number) = &called.number {
        return Ok(number.clone());
    }
    let release = node.releases().current();
    let numbers: Vec<String> = release
        .iter()
        .flat_map(|release| release.hotline().numbers.keys())
        .map(ToString::to_string)
        .collect();
    match numbers.as_slice() {
        [only] => Ok(only.clone()),
        _ => Err(Failure::usage(anyhow!(
            "say which number to call: {}",
            numbers.join(", ")
        ))),
    }
}

impl Line for Here {
    async fn give(&self, id: &str, given: &Given) -> Result<Reply, Failure> {
        let id = InputId::new(id);
        let input = match given {
            Given::Keys(keys) => Input::Utterance {
                id,
                utterance: Utterance::Keys(keys.as_str().into()),
            },
            Given::Text(text) => Input::Utterance {
                id,
                utterance: Utterance::Text(text.as_str().into()),
            },
            Given::HangUp => Input::HangUp { id: Some(id) },
        };
        let delivered = self
            .node
            .deliver(&self.contact, input)
            .await
            .map_err(|error| Failure::from(anyhow!(error)))?;
        Ok(match delivered.reply {
            EngineReply::Accepted => Reply::Taken,
            EngineReply::Refused(Refused::Ended) => Reply::Ended,
            EngineReply::Refused(why) => Reply::Refused(why.to_string()),
        })
    }

    async fn turns(&self, after: u64) -> Result<Vec<Turn>, Failure> {
        let wait = Duration::from_millis(u64::try_from(LISTEN_FOR.as_millis()).unwrap_or(u64::MAX));
        let until = self.node.clock().now() + wait;
        let turns = self
            .node
            .turns(&self.contact, after, Some(until))
            .await
            .map_err(|error| Failure::from(anyhow!(error)))?;
        Ok(turns.iter().map(Turn::from).collect())
    }

    /// Moves the clock from one deadline of the contact to the next, so that each comes in its
    /// time and what it decides is there before the clock goes on.
    async fn advance(&self, by: Duration) -> Result<(), String> {
        let clock = self.node.clock();
        let end = clock.now() + by;
        loop {
            let session = self
                .node
                .session(&self.contact)
                .await
                .map_err(|error| error.to_string())?;
            let Some(wake) = session.pending().wake.filter(|wake| *wake <= end) else {
                break;
            };
            clock.advance(wake.since(clock.now()));
            let delivered = self
                .node
                .deliver(&self.contact, Input::TimeUp)
                .await
                .map_err(|error| error.to_string())?;
            if delivered.seq == session.seq {
                break;
            }
        }
        clock.advance(end.since(clock.now()));
        Ok(())
    }

    async fn close(self) {
        self.node.shutdown().await;
    }
}
