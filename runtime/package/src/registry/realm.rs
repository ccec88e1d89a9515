//! Where a registry sends those who want in: to itself, or to a service that gives out tokens. Credentials
//! would go there, so it is looked at before anybody has any.

use http::Uri;
use oci_client::errors::OciDistributionError;
use reqwest::{header::WWW_AUTHENTICATE, redirect::Policy};

use super::{CONNECT_WITHIN, Line, RegistryError, SILENT_AT_MOST};

impl Line<'_> {
    /// Asks the registry where credentials are to go, and makes sure that they may.
    ///
    /// # Errors
    /// They would go over the network for all to read, or to a host that nobody named.
    pub(super) async fn realm(&self) -> Result<(), RegistryError> {
        if !self.has_login {
            return Ok(());
        }
        let scheme = if self.is_plain { "http" } else { "https" };
        let image = self.image(self.reference.version());
        let url = format!("{scheme}://{}/v2/", image.resolve_registry());
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .read_timeout(SILENT_AT_MOST)
            .build()
            .map_err(|error| self.failed(error.into()))?;
        let answer = self
            .attempt(|| async { client.get(&url).send().await.map_err(OciDistributionError::from) })
            .await?;
        for challenge in answer.headers().get_all(WWW_AUTHENTICATE) {
            let challenge = String::from_utf8_lossy(challenge.as_bytes());
            if let Some(realm) = bearer_realm(&challenge).filter(|realm| !self.may_learn(realm)) {
                return Err(RegistryError::Realm {
                    registry: self.reference.registry().to_owned(),
                    realm: realm.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Whether credentials may go to where tokens are given out.
    fn may_learn(&self, realm: &str) -> bool {
        let Ok(realm) = realm.parse::<Uri>() else {
            return false;
        };
        let Some(host) = realm.host() else { return false };
        let image = self.image(self.reference.version());
        let own = image.resolve_registry().parse::<http::uri::Authority>();
        let is_own = own.is_ok_and(|own| own.host().eq_ignore_ascii_case(host));
        let is_named = self
            .tokens_of
            .is_some_and(|named| named.eq_ignore_ascii_case(host));
        let has_user = realm
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'));
        let encrypted = realm.scheme_str() == Some("https");
        // What does not leave this machine needs no TLS.
        (encrypted || self.reference.is_loopback() && is_loopback(host)) && (is_own || is_named) && !has_user
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Where a challenge sends those who want a token; what it says there, whatever that is.
fn bearer_realm(challenge: &str) -> Option<&str> {
    const SCHEME: &str = "bearer";
    const REALM: &str = "realm=";
    let lower = challenge.to_ascii_lowercase();
    let (_, after) = challenge.split_at(lower.find(SCHEME)? + SCHEME.len());
    let Some(at) = after.to_ascii_lowercase().find(REALM) else {
        return Some("");
    };
    let realm = &after[at + REALM.len()..];
    Some(match realm.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default(),
        None => realm.split([',', ' ']).next().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_tells_where_tokens_are() {
        for (challenge, realm) in [
            (
                r#"Bearer realm="https://a.example/token",service="a""#,
                Some("https://a.example/token"),
            ),
            (
                r#"bearer service="a", Realm=https://a.example/token, x=y"#,
                Some("https://a.example/token"),
            ),
            (
                r#"Basic realm="a", Bearer realm="https://b.example""#,
                Some("https://b.example"),
            ),
            (r#"Basic realm="https://a.example""#, None),
            ("Bearer", Some("")),
        ] {
            assert_eq!(bearer_realm(challenge), realm, "{challenge}");
        }
    }
}
