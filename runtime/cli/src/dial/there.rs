//! A contact on a server, over its public API. A server that restarts in mid-contact is waited
//! for, and what is sent again has the same id, so that nothing counts twice.

use std::time::Duration;

use trunkline_channel::chat::{self, Begun, NewContact, Taken, Turn, Turns};

use super::{
    line::{Called, LISTEN_FOR, Line, Rehearsed, Reply},
    screen::Screen,
    typed::{Given, Rehearsal},
};
use crate::{
    api::{Api, ApiError},
    exit::Failure,
};

/// The first pause before a server that does not answer is asked again.
const PAUSE_MIN: Duration = Duration::from_millis(200);
/// The longest such pause.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How often a server is asked again before the contact is given up: about three minutes.
const ATTEMPTS_MAX: u32 = 40;

/// A contact on a server.
pub(crate) struct There {
    api: Api,
    path: String,
    token: String,
    screen: Screen,
}

impl There {
    /// Begins a contact.
    ///
    /// # Errors
    /// No server answers, or it refuses.
    pub(crate) async fn call(
        api: Api,
        client_key: Option<&str>,
        called: &Called,
        screen: Screen,
    ) -> Result<Self, Failure> {
        let number = called.number.clone().ok_or_else(|| {
            Failure::usage(anyhow::anyhow!(
                "say which number to call on {0}: `trunkline dial {0} 12345`",
                api.base()
            ))
        })?;
        let request = NewContact {
            id: Some(super::draw_name()?),
            channel: Some("chat".to_owned()),
            number,
            from: called.from.clone(),
            language: called.language.clone(),
        };
        let begun: Begun = api.post("/api/v1/contacts", client_key, &request).await?;
        screen.remark(&format!(
            "contact {} on release {}",
            begun.contact,
            begun.release.get(..12).unwrap_or(&begun.release)
        ));
        Ok(Self {
            path: format!("/api/v1/contacts/{}", begun.contact),
            token: begun.token,
            api,
            screen,
        })
    }

    /// Asks until the server answers.
    async fn persist<T, F: Future<Output = Result<T, ApiError>>>(
        &self,
        ask: impl Fn() -> F,
    ) -> Result<T, ApiError> {
        let mut pause = PAUSE_MIN;
        for attempt in 1.. {
            match ask().await {
                Ok(answer) => {
                    if attempt > 1 {
                        self.screen.remark("the server is back");
                    }
                    return Ok(answer);
                }
                Err(error) if error.may_pass() && attempt < ATTEMPTS_MAX => {
                    if attempt == 1 {
                        self.screen
                            .trouble("the server does not answer; the contact is safe there, trying again");
                    }
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        unreachable!("the last attempt returns")
    }
}

impl Line for There {
    async fn give(&self, id: &str, given: &Given) -> Result<Reply, Failure> {
        let mut body = chat::Given {
            id: id.to_owned(),
            ..chat::Given::default()
        };
        match given {
            Given::Keys(keys) => body.keys = Some(keys.clone()),
            Given::Text(text) => body.text = Some(text.clone()),
            Given::HangUp => body.hang_up = Some(true),
        }
        let path = format!("{}/inputs", self.path);
        let sent: Result<Taken, ApiError> = self
            .persist(|| self.api.post(&path, Some(&self.token), &body))
            .await;
        match sent {
            Ok(_) => Ok(Reply::Taken),
            Err(ApiError::Refused(problem)) if problem.code == "ended" => Ok(Reply::Ended),
            Err(ApiError::Refused(problem)) if matches!(problem.status, 400 | 409 | 413 | 422) => {
                Ok(Reply::Refused(format!("{} {}", problem.detail, problem.mend)))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn turns(&self, after: u64) -> Result<Vec<Turn>, Failure> {
        let path = format!("{}/turns?after={after}&wait={}", self.path, LISTEN_FOR.as_secs());
        let turns: Turns = self
            .persist(|| self.api.get(&path, Some(&self.token), LISTEN_FOR))
            .await?;
        Ok(turns.turns)
    }

    async fn rehearse(&self, _rehearsal: &Rehearsal) -> Result<Rehearsed, String> {
        Err("a server serves real callers; dial the hotline's folder for that".to_owned())
    }

    fn goes_on(&self) -> bool {
        false
    }

    async fn close(self) {}
}
