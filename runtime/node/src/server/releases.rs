//! The operators' side of releases and plugins.

use axum::{
    Json,
    extract::{Path, Request, State as Shared},
    http::{StatusCode, header},
};
use serde::Deserialize;
use trunkline_channel::problem::Problem;
use trunkline_model::Digest;

use super::{
    State,
    auth::Operator,
    body::{self, Parameters},
    callers::sentence,
    problem::Refusal,
    wire,
};
use crate::{
    limits::BUNDLE_BYTES_MAX,
    report::{Report, Verdict},
};

/// The releases there are, with the current one first, and the last builds.
#[utoipa::path(
    get,
    path = "/api/v1/releases",
    tag = "operators",
    responses(
        (status = 200, description = "The releases.", body = wire::Releases),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
    )
)]
pub(crate) async fn list(Shared(state): Shared<State>, _: Operator) -> Json<wire::Releases> {
    Json(wire::Releases {
        releases: state
            .releases()
            .overview()
            .iter()
            .map(wire::ReleaseState::from)
            .collect(),
        reports: state
            .releases()
            .reports()
            .iter()
            .map(|report| wire::BuildReport::from(&**report))
            .collect(),
    })
}

/// The release that new contacts begin on.
#[utoipa::path(
    get,
    path = "/api/v1/releases/current",
    tag = "operators",
    responses(
        (status = 200, description = "The current release.", body = wire::ReleaseState),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
        (status = 404, description = "No release is current.", body = Problem),
    )
)]
pub(crate) async fn current(
    Shared(state): Shared<State>,
    _: Operator,
) -> Result<Json<wire::ReleaseState>, Refusal> {
    let overview = state.releases().overview();
    let current = overview
        .iter()
        .find(|overview| wire::ReleaseState::is_current(overview));
    current
        .map(|current| Json(wire::ReleaseState::from(current)))
        .ok_or_else(|| {
            Refusal::not_found(
                "no-release",
                "No release is current.",
                "Send one with POST /api/v1/releases.",
            )
        })
}

/// What is to be done with a hotline that checks.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SendQuery {
    /// Whether new contacts begin on it at once; true when left out.
    #[serde(default = "yes")]
    activate: bool,
}

const fn yes() -> bool {
    true
}

/// Builds and checks a hotline sent as a tar archive of its folder, components included.
///
/// What does not check is answered with its findings and changes nothing.
#[utoipa::path(
    post,
    path = "/api/v1/releases",
    tag = "operators",
    params(SendQuery),
    request_body(content = Vec<u8>, content_type = "application/x-tar", description = "`tar -C HOTLINE -cf - .`"),
    responses(
        (status = 200, description = "It is what was current already.", body = wire::BuildReport),
        (status = 201, description = "It is built, and live if that was wanted.", body = wire::BuildReport),
        (status = 400, description = "The archive cannot be read.", body = Problem),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
        (status = 413, description = "The archive is too large.", body = Problem),
        (status = 422, description = "The hotline does not check; the findings say why.", body = Problem),
    )
)]
pub(crate) async fn send(
    Shared(state): Shared<State>,
    _: Operator,
    Parameters(query): Parameters<SendQuery>,
    request: Request,
) -> Result<(StatusCode, Json<wire::BuildReport>), Refusal> {
    let is_tar = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("application/x-tar"));
    if !is_tar {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "The request's body has the wrong type",
            "The body must be a tar archive of the hotline's folder.",
            "Send the header `Content-Type: application/x-tar` and the output of `tar -C HOTLINE -cf - .`.",
        ));
    }
    let bytes = body::bytes(request, &state, BUNDLE_BYTES_MAX).await?;
    // In a task of its own: a client that goes away stops no build half-way.
    let releases = state.releases().clone();
    let building = tokio::spawn(async move { releases.take_archive(&bytes, query.activate).await });
    let built = building
        .await
        .map_err(|_| Refusal::unavailable("stopping", "The server is stopping.", 5))?;
    let report = built.map_err(|error| {
        Refusal::bad_request(
            "bad-archive",
            sentence(&error.to_string()),
            "Send an uncompressed tar archive of the hotline's folder: `tar -C HOTLINE -cf - .`.",
        )
    })?;
    answer(&report)
}

/// Makes a release that is there the current one: going back.
#[utoipa::path(
    post,
    path = "/api/v1/releases/{id}/activate",
    tag = "operators",
    params(("id" = String, Path, description = "The release.")),
    responses(
        (status = 200, description = "It was current already.", body = wire::BuildReport),
        (status = 201, description = "It is live.", body = wire::BuildReport),
        (status = 400, description = "This is no release's id.", body = Problem),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
        (status = 404, description = "There is no such release.", body = Problem),
    )
)]
pub(crate) async fn activate(
    Shared(state): Shared<State>,
    _: Operator,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<wire::BuildReport>), Refusal> {
    let id: Digest = id.parse().map_err(|_| {
        Refusal::bad_request(
            "bad-release-id",
            "This is no release's id.",
            "An id has 64 hexadecimal digits; GET /api/v1/releases lists them.",
        )
    })?;
    let report = state.releases().activate(&id).await.map_err(|why| {
        Refusal::not_found(
            "no-such-release",
            format!("Release {} is not there: {why}.", id.short()),
            "GET /api/v1/releases lists those that are.",
        )
    })?;
    answer(&report)
}

fn answer(report: &Report) -> Result<(StatusCode, Json<wire::BuildReport>), Refusal> {
    let status = match report.verdict {
        Verdict::Live | Verdict::Built => StatusCode::CREATED,
        Verdict::Unchanged => StatusCode::OK,
        Verdict::Refused => {
            let detail = format!(
                "The hotline does not check: {} of its findings are errors.",
                report.errors()
            );
            return Err(Refusal::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "hotline-refused",
                "The hotline does not check",
                detail,
                "Mend what `findings` name, and send it again. Nothing was changed.",
            )
            .with_findings(report.findings.iter().map(wire::finding).collect()));
        }
        Verdict::Failed => {
            return Err(Refusal::unavailable("build-failed", sentence(&report.text), 5));
        }
    };
    Ok((status, Json(wire::BuildReport::from(report))))
}

/// The plugins of the current release: signatures, grants, and what came of their calls.
#[utoipa::path(
    get,
    path = "/api/v1/plugins",
    tag = "operators",
    responses(
        (status = 200, description = "The plugins.", body = wire::Plugins),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
    )
)]
pub(crate) async fn plugins(Shared(state): Shared<State>, _: Operator) -> Json<wire::Plugins> {
    let current = state.releases().current();
    let plugins = current
        .iter()
        .flat_map(|release| release.plugins())
        .map(|(name, loaded)| {
            let interfaces = state.contacts().success.of_plugin(name);
            wire::PluginState::new(name.as_str(), loaded, &interfaces)
        })
        .collect();
    Json(wire::Plugins { plugins })
}

/// The last times that an interface of a plugin fell below the success that hotline.yaml expects
/// of it, or came back.
#[utoipa::path(
    get,
    path = "/api/v1/plugins/success",
    tag = "operators",
    responses(
        (status = 200, description = "The last hundred, the newest last.", body = wire::SuccessChanges),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
    )
)]
pub(crate) async fn success(Shared(state): Shared<State>, _: Operator) -> Json<wire::SuccessChanges> {
    let changes = state.contacts().success.changes();
    Json(wire::SuccessChanges {
        changes: changes.iter().map(wire::SuccessChange::from).collect(),
    })
}
