//! Headers that calls are told by, and what those of the peer say.

use rsipstack::sip::{HasHeaders, Header, Response};

use crate::desk::SUPPORTED;
use crate::session::Refresher;

/// Headers with that of a session description.
pub(super) fn described(mut headers: Vec<Header>) -> Vec<Header> {
    headers.push(Header::ContentType("application/sdp".into()));
    headers
}

/// The headers that grant a session timer in a 2xx of ours.
pub(super) fn granted(seconds: u32, refresher: Refresher, peer_knows: bool) -> Vec<Header> {
    let who = match refresher {
        Refresher::Client => "uac",
        Refresher::Server => "uas",
    };
    let mut headers = vec![Header::SessionExpires(
        format!("{seconds};refresher={who}").into(),
    )];
    if refresher == Refresher::Client && peer_knows {
        headers.push(Header::Require("timer".into()));
    }
    headers
}

/// The headers of a request of ours inside a call.
pub(super) fn inside(extra: Vec<Header>) -> Vec<Header> {
    let mut headers = vec![
        Header::Supported(SUPPORTED.into()),
        Header::Allow(crate::desk::ALLOW.into()),
    ];
    headers.extend(extra);
    headers
}

/// The headers that ask for a session timer, among others.
pub(crate) fn with_timer(mut headers: Vec<Header>, seconds: u32) -> Vec<Header> {
    headers.retain(|header| !matches!(header, Header::SessionExpires(_) | Header::MinSE(_)));
    headers.push(Header::SessionExpires(seconds.to_string().into()));
    headers.push(Header::MinSE(seconds.to_string().into()));
    headers
}

/// Whether a message says that its sender takes UPDATE.
pub(crate) fn allows_update(message: &impl HasHeaders) -> bool {
    message.headers().iter().any(|header| {
        matches!(header, Header::Allow(_))
            && header
                .value()
                .split(',')
                .any(|method| method.trim().eq_ignore_ascii_case("UPDATE"))
    })
}

/// Whether a message says that its sender knows session timers.
pub(crate) fn knows_timer(message: &impl HasHeaders) -> bool {
    message.headers().iter().any(|header| {
        matches!(header, Header::Supported(_) | Header::Require(_))
            && header
                .value()
                .split(',')
                .any(|name| name.trim().eq_ignore_ascii_case("timer"))
    })
}

pub(super) fn retry_after(response: &Response) -> Option<u32> {
    response.headers().iter().find_map(|header| match header {
        Header::RetryAfter(value) => value
            .value()
            .split([';', '(', ' '])
            .next()
            .and_then(|seconds| seconds.trim().parse().ok()),
        _ => None,
    })
}

pub(super) fn min_se(response: &Response) -> Option<u32> {
    response.headers().iter().find_map(|header| match header {
        Header::MinSE(value) => value.value().split(';').next()?.trim().parse().ok(),
        _ => None,
    })
}
