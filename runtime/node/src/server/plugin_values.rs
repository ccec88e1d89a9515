//! What plugins keep, for operators: the keys and values of one plugin's own store.

use axum::{
    Json,
    extract::{Path, State as Shared},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use trunkline_channel::problem::Problem;
use trunkline_model::{PluginName, json::rfc3339};
use utoipa::ToSchema;

use super::{State, auth::Operator, body::Parameters, operators::limit, problem::Refusal};
use crate::{key_values::space, limits::VALUE_SHOWN_BYTES_MAX};

/// Which values are asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ValuesQuery {
    /// Only keys that begin with this.
    #[serde(default)]
    prefix: String,
    /// Only keys after this one: the `next` of the page before.
    after: Option<String>,
    /// At most so many; 100 when left out, at most 1,000.
    limit: Option<usize>,
}

/// A page of what a plugin keeps.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Values {
    /// The plugin.
    plugin: String,
    /// Its values in order of their keys. They may be personal.
    values: Vec<Kept>,
    /// The last key of the page, when there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A value that a plugin keeps.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Kept {
    /// Its key.
    key: String,
    /// Its bytes, when they are text.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Its bytes in base64, when they are no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    /// How many bytes it has. Only the first 4,096 are shown.
    bytes: usize,
    /// Its version.
    version: u64,
    /// When it expires, RFC 3339, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

/// What a plugin keeps of its own. It may be personal; reading it is logged.
#[utoipa::path(
    get,
    path = "/api/v1/plugins/{name}/kv",
    tag = "operators",
    params(("name" = String, Path, description = "The plugin, by its name in the hotline."), ValuesQuery),
    responses(
        (status = 200, description = "A page of values.", body = Values),
        (status = 400, description = "The request cannot be understood.", body = Problem),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
        (status = 404, description = "The live release has no such plugin.", body = Problem),
        (status = 503, description = "The store cannot be read now.", body = Problem),
    )
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Operator,
    Path(name): Path<String>,
    Parameters(query): Parameters<ValuesQuery>,
) -> Result<Json<Values>, Refusal> {
    let most = limit(query.limit)?;
    let plugin = PluginName::new(name.clone());
    let is_known = state
        .releases()
        .current()
        .is_some_and(|release| release.plugins().contains_key(&plugin));
    if !is_known {
        return Err(Refusal::not_found(
            "no-such-plugin",
            format!(
                "The live release has no plugin {:?}.",
                name.chars().take(64).collect::<String>()
            ),
            "GET /api/v1/plugins lists them.",
        ));
    }
    tracing::info!(%plugin, "an operator read what a plugin keeps");
    let contacts = state.contacts();
    let now = contacts.clock.now();
    let after = query.after.as_deref();
    // One more than is shown tells whether there are more.
    let space = space(&plugin);
    let store = contacts.journal.store();
    let listed = store.list(&space, &query.prefix, after, most + 1, now);
    let mut listed = listed.await.map_err(|error| {
        tracing::error!(%error, "what a plugin keeps cannot be read");
        Refusal::unavailable(
            "store-unavailable",
            "What the plugin keeps cannot be read now.",
            2,
        )
    })?;
    let more = listed.len() > most;
    listed.truncate(most);
    let next = listed.last().filter(|_| more).map(|(key, _)| key.clone());
    let values = listed
        .into_iter()
        .map(|(key, entry)| {
            let bytes = entry.value.len();
            let (text, base64) = shown(&entry.value);
            Kept {
                key,
                text,
                base64,
                bytes,
                version: entry.version.as_u64(),
                expires: entry.expires.map(rfc3339),
            }
        })
        .collect();
    Ok(Json(Values {
        plugin: name,
        values,
        next,
    }))
}

/// The beginning of a value, as text or in base64.
fn shown(value: &[u8]) -> (Option<String>, Option<String>) {
    let most = value.len().min(VALUE_SHOWN_BYTES_MAX);
    // A character that the bound cuts is left out, and makes no text of what is none.
    let text = (0..4).find_map(|cut| std::str::from_utf8(&value[..most.saturating_sub(cut)]).ok());
    let is_whole = most == value.len();
    match text {
        Some(text) if !is_whole || text.len() == most => (Some(text.to_owned()), None),
        _ => (None, Some(STANDARD.encode(&value[..most]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_as_what_they_are() {
        assert_eq!(shown("路况".as_bytes()), (Some("路况".to_owned()), None));
        assert_eq!(shown(&[0xff, 0xfe]), (None, Some("//4=".to_owned())));
        assert_eq!(shown(&"路".as_bytes()[..2]), (None, Some("6Lc=".to_owned())));
        let long = "路".repeat(VALUE_SHOWN_BYTES_MAX);
        let (text, _) = shown(long.as_bytes());
        let text = text.unwrap();
        assert!(text.len() <= VALUE_SHOWN_BYTES_MAX && text.chars().all(|c| c == '路'));
    }
}
