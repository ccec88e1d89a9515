//! The operators' side of the centre: queues and who waits in them, agents and what they do.

use axum::{
    Json,
    extract::{Path, State as Shared},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use trunkline_channel::problem::Problem;
use trunkline_engine::services::{AgentError, AgentState, AgentView, QueueView};
use trunkline_model::{ContactId, Duration, Timestamp, json::rfc3339};
use utoipa::ToSchema;

use super::{
    State,
    auth::Operator,
    body::{Body, JsonBody},
    callers::sentence,
    problem::Refusal,
};
use crate::{contacts::Deed, limits::AGENT_NAME_CHARS_MAX};

/// The queues and the agents as they are now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Centre {
    queues: Vec<Queue>,
    agents: Vec<Agent>,
}

/// A queue.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Queue {
    /// Its name.
    queue: String,
    /// Whether it takes callers.
    open: bool,
    /// How many wait.
    waiting: u32,
    /// How long the next caller is likely to wait, in seconds.
    wait_s: u64,
    /// How many agents are there who have its skills, whatever they do now.
    agents: u32,
    /// Within how many seconds callers should be answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    target_s: Option<u64>,
    /// Those who wait, the next first.
    callers: Vec<Caller>,
}

/// A caller who waits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Caller {
    /// The contact.
    contact: String,
    /// Since when, RFC 3339.
    since: String,
}

/// An agent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Agent {
    /// The agent's name.
    agent: String,
    /// `away`, `available`, `ringing`, `talking` or `wrap-up`.
    state: &'static str,
    /// Since when, RFC 3339; absent for one who has not been here.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// The contact that is offered or talked to.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<String>,
    /// Until when the offer or the wrap-up lasts, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

impl From<&QueueView> for Queue {
    fn from(queue: &QueueView) -> Self {
        let seconds = |time: Duration| time.as_millis() / 1_000;
        Self {
            queue: queue.name.to_string(),
            open: queue.reading.open,
            waiting: queue.reading.waiting,
            wait_s: seconds(queue.reading.wait),
            agents: queue.reading.agents,
            target_s: queue.target.map(seconds),
            callers: queue
                .callers
                .iter()
                .map(|(contact, since)| Caller {
                    contact: contact.to_string(),
                    since: rfc3339(*since),
                })
                .collect(),
        }
    }
}

impl From<&AgentView> for Agent {
    fn from(agent: &AgentView) -> Self {
        let (contact, until) = match &agent.state {
            AgentState::Away | AgentState::Available => (None, None),
            AgentState::Ringing { contact, until } => (Some(contact), Some(*until)),
            AgentState::Talking { contact } => (Some(contact), None),
            AgentState::WrapUp { until } => (None, Some(*until)),
        };
        let was_here = agent.since != Timestamp::default();
        Self {
            agent: agent.name.to_string(),
            state: agent.state.as_str(),
            since: was_here.then(|| rfc3339(agent.since)),
            contact: contact.map(ToString::to_string),
            until: until.map(rfc3339),
        }
    }
}

/// The queues and who waits in them, and the agents and what each does.
#[utoipa::path(
    get,
    path = "/api/v1/queues",
    tag = "operators",
    responses(
        (status = 200, description = "The queues and the agents.", body = Centre),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
    )
)]
pub(crate) async fn queues(Shared(state): Shared<State>, _: Operator) -> Json<Centre> {
    Json(centre(&state))
}

fn centre(state: &State) -> Centre {
    let (queues, agents) = state.contacts().queues_and_agents();
    Centre {
        queues: queues.iter().map(Queue::from).collect(),
        agents: agents.iter().map(Agent::from).collect(),
    }
}

/// What an agent wants to be.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Presence {
    /// `available` to be offered callers, `away` not to be.
    state: String,
}

impl Body for Presence {
    const FIELDS: &'static [&'static str] = &["state"];
}

/// An agent is there and takes callers, or goes away. An agent who is available is offered
/// callers, and has 20 seconds to answer each.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{name}",
    tag = "operators",
    params(("name" = String, Path, description = "The agent, as agents.yaml names it.")),
    request_body = Presence,
    responses(
        (status = 200, description = "How the agent stands.", body = Agent),
        (status = 400, description = "The request cannot be understood.", body = Problem),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
        (status = 404, description = "The hotline has no such agent.", body = Problem),
        (status = 409, description = "The agent is in a call.", body = Problem),
    )
)]
pub(crate) async fn presence(
    Shared(state): Shared<State>,
    _: Operator,
    Path(name): Path<String>,
    JsonBody(wish): JsonBody<Presence>,
) -> Result<Json<Agent>, Refusal> {
    let name = agent_name(&name)?;
    let available = match wish.state.as_str() {
        "available" => true,
        "away" => false,
        _ => {
            return Err(Refusal::bad_request(
                "bad-agent-state",
                "This is nothing that an agent can be told to be.",
                "Write available or away.",
            ));
        }
    };
    state.contacts().agent_is(name, available)?;
    stands(&state, name)
}

/// What an agent does with a caller.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct CallDeed {
    /// `answer` the caller who is offered, or `end` the call.
    #[serde(rename = "do")]
    does: String,
}

impl Body for CallDeed {
    const FIELDS: &'static [&'static str] = &["do"];
}

/// An agent answers a caller who is offered, or ends the call. The flow goes on for a caller
/// who stays.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{name}/calls/{contact}",
    tag = "operators",
    params(
        ("name" = String, Path, description = "The agent."),
        ("contact" = String, Path, description = "The caller's contact.")
    ),
    request_body = CallDeed,
    responses(
        (status = 200, description = "How the agent stands.", body = Agent),
        (status = 400, description = "The request cannot be understood.", body = Problem),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
        (status = 404, description = "The hotline has no such agent.", body = Problem),
        (status = 409, description = "The agent does not have that caller.", body = Problem),
    )
)]
pub(crate) async fn call(
    Shared(state): Shared<State>,
    _: Operator,
    Path((name, contact)): Path<(String, String)>,
    JsonBody(deed): JsonBody<CallDeed>,
) -> Result<Json<Agent>, Refusal> {
    let name = agent_name(&name)?;
    let contact = ContactId::parse(&contact).ok_or_else(|| {
        Refusal::bad_request(
            "bad-contact-id",
            "This is no contact's id.",
            "Send the `contact` that GET /api/v1/queues shows with the agent.",
        )
    })?;
    let deed = match deed.does.as_str() {
        "answer" => Deed::Answer,
        "end" => Deed::End,
        _ => {
            return Err(Refusal::bad_request(
                "bad-deed",
                "This is nothing that an agent does with a call.",
                "Write answer or end.",
            ));
        }
    };
    state.contacts().agent_does(name, &contact, deed)?;
    stands(&state, name)
}

fn agent_name(name: &str) -> Result<&str, Refusal> {
    let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if fits && (1..=AGENT_NAME_CHARS_MAX).contains(&name.len()) {
        return Ok(name);
    }
    Err(Refusal::bad_request(
        "bad-agent-name",
        format!("An agent's name has 1 to {AGENT_NAME_CHARS_MAX} letters, digits and hyphens."),
        "Send the name as it stands in agents.yaml.",
    ))
}

fn stands(state: &State, name: &str) -> Result<Json<Agent>, Refusal> {
    let found = centre(state).agents.into_iter().find(|agent| agent.agent == name);
    found
        .map(Json)
        .ok_or_else(|| AgentError::Unknown(name.to_owned()).into())
}

impl From<AgentError> for Refusal {
    fn from(error: AgentError) -> Self {
        let said = error.to_string();
        let (detail, mend) = said
            .split_once("; ")
            .unwrap_or((&said, "Ask GET /api/v1/queues how it stands"));
        let (detail, mend) = (sentence(detail), sentence(mend));
        let conflict = |code| {
            Self::new(
                StatusCode::CONFLICT,
                code,
                "Not possible now",
                detail.clone(),
                mend.clone(),
            )
        };
        match error {
            AgentError::Unknown(_) => Self::not_found("no-such-agent", detail, mend),
            AgentError::Talking { .. } => conflict("agent-in-call"),
            AgentError::NotOffered { .. } => conflict("not-offered"),
            AgentError::NotTalking { .. } => conflict("not-in-call"),
            AgentError::TooMany(_) => conflict("too-many-agents"),
        }
    }
}

#[cfg(test)]
mod tests;
