//! Whether a request is the carrier's: its signature, over what it asked for and what it sent.
//!
//! What is signed begins with the address that the carrier was given, which a proxy may have changed
//! on the way: it is put together from the settings, never from the request's own `Host`.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::HeaderMap;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::hmac;
use trunkline_channel::cpaas::{Dialect, pairs};
use trunkline_model::{Digest, Timestamp};

use crate::{limits::CARRIER_CLOCK_SKEW_MAX, signature};

/// The header of TwiML carriers.
const TWIML: &str = "x-twilio-signature";

/// The header of jambonz.
const JAMBONZ: &str = "jambonz-signature";

/// The parameter that holds the digest of a body that is no form.
const BODY_DIGEST: &str = "bodySHA256";

/// Why a request is not taken for the carrier's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsigned {
    /// There is no signature.
    Missing,
    /// It does not hold.
    Wrong,
    /// It is of another time.
    Stale,
}

impl Unsigned {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Wrong => "wrong",
            Self::Stale => "stale",
        }
    }
}

/// Holds a request against its signature. `url` is the whole address as the carrier knows it.
pub(super) fn verify(
    dialect: Dialect,
    secret: &[u8],
    url: &str,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Unsigned> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match dialect {
        Dialect::Twiml => {
            let shown = header(TWIML).ok_or(Unsigned::Missing)?;
            twiml(secret, url, shown, body)
        }
        Dialect::Jambonz => {
            let at = signature::verify(secret, header(JAMBONZ), body).map_err(|bad| match bad {
                signature::Bad::Missing => Unsigned::Missing,
                signature::Bad::Wrong => Unsigned::Wrong,
            })?;
            let apart = now.since(at).max(at.since(now));
            if apart > CARRIER_CLOCK_SKEW_MAX {
                return Err(Unsigned::Stale);
            }
            Ok(())
        }
    }
}

/// HMAC-SHA1 over the address and, of a form, its fields by name; of any other body the address
/// holds the digest.
fn twiml(secret: &[u8], url: &str, shown: &str, body: &[u8]) -> Result<(), Unsigned> {
    let shown = STANDARD.decode(shown.trim()).map_err(|_| Unsigned::Wrong)?;
    let mut signed = String::new();
    if let Some(digest) = parameter(url, BODY_DIGEST) {
        let is = Digest::of(body).to_string();
        if !digest.eq_ignore_ascii_case(&is) {
            return Err(Unsigned::Wrong);
        }
    } else {
        // A field that comes several times is signed once for each of its values.
        let mut fields: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, value) in pairs(body).ok_or(Unsigned::Wrong)? {
            fields.entry(name).or_default().insert(value);
        }
        for (name, values) in fields {
            for value in values {
                signed.push_str(&name);
                signed.push_str(&value);
            }
        }
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    // Carriers sign the address with its port and without, and their own validators try both.
    let holds = addresses(url)
        .iter()
        .any(|url| hmac::verify(&key, format!("{url}{signed}").as_bytes(), &shown).is_ok());
    if holds { Ok(()) } else { Err(Unsigned::Wrong) }
}

fn parameter<'u>(url: &'u str, name: &str) -> Option<&'u str> {
    let (_, query) = url.split_once('?')?;
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(field, _)| *field == name)
        .map(|(_, value)| value)
}

/// An address as it is written; without its port; and, of one without, with that of its scheme.
fn addresses(url: &str) -> Vec<String> {
    let mut all = vec![url.to_owned()];
    let parts = url.split_once("://").map(|(scheme, rest)| {
        let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        (scheme, host, path)
    });
    let Some((scheme, host, path)) = parts else {
        return all;
    };
    let bare = host
        .rsplit_once(':')
        .filter(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
        .map(|(bare, _)| bare);
    match bare {
        Some(bare) => all.push(format!("{scheme}://{bare}{path}")),
        None => {
            let port = if scheme == "https" { 443 } else { 80 };
            all.push(format!("{scheme}://{host}:{port}{path}"));
        }
    }
    all
}

/// The signature that a TwiML carrier makes of a form.
#[cfg(test)]
pub(super) fn sign_form(secret: &[u8], url: &str, fields: &[(&str, &str)]) -> String {
    let mut fields = fields.to_vec();
    fields.sort_unstable();
    let mut signed = url.to_owned();
    for (name, value) in fields {
        signed.push_str(name);
        signed.push_str(value);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    STANDARD.encode(hmac::sign(&key, signed.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the carrier's documentation: its token, address and form.
    const TOKEN: &[u8] = b"12345";
    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
    const FORM: &[u8] =
        b"Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309&CallSid=CA1234567890ABCDE";
    const SIGNATURE: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";

    #[test]
    fn the_documented_signature_holds_and_no_other() {
        assert_eq!(twiml(TOKEN, URL, SIGNATURE, FORM), Ok(()));
        // As the carrier's own validators have it, the port may be left out of what is signed.
        for port in [":443", ":8443"] {
            let ported = URL.replace(".com", &format!(".com{port}"));
            assert_eq!(twiml(TOKEN, &ported, SIGNATURE, FORM), Ok(()), "{port}");
        }
        let plain = sign_form(TOKEN, "http://h.example:80/a", &[]);
        assert_eq!(twiml(TOKEN, "http://h.example/a", &plain, b""), Ok(()));
        let other = sign_form(TOKEN, "https://h.example:8443/a", &[]);
        assert_eq!(
            twiml(TOKEN, "https://h.example/a", &other, b""),
            Err(Unsigned::Wrong)
        );
        for (token, url, form) in [
            (&b"12346"[..], URL, FORM),
            (TOKEN, "https://mycompany.com/myapp.php?foo=1&bar=3", FORM),
            (TOKEN, "http://mycompany.com/myapp.php?foo=1&bar=2", FORM),
            (TOKEN, URL, b"Digits=1234"),
            (TOKEN, URL, b"%zz"),
        ] {
            assert_eq!(twiml(token, url, SIGNATURE, form), Err(Unsigned::Wrong), "{url}");
        }
        for shown in ["", "x", "AAAA", "RSOYDt4T1cUTdK1PDd93/VVr8B8"] {
            assert_eq!(twiml(TOKEN, URL, shown, FORM), Err(Unsigned::Wrong), "{shown}");
        }
    }

    #[test]
    fn a_body_that_is_no_form_is_held_against_its_digest() {
        let digest = Digest::of(b"{}").to_string();
        let url = format!("https://h.example/a?bodySHA256={digest}");
        let signature = sign_form(TOKEN, &url, &[]);
        assert_eq!(twiml(TOKEN, &url, &signature, b"{}"), Ok(()));
        assert_eq!(twiml(TOKEN, &url, &signature, b"{ }"), Err(Unsigned::Wrong));
    }

    #[test]
    fn what_jambonz_signs_holds_for_a_while() {
        let at = Timestamp::from_millis(1_795_262_700_000);
        let body = br#"{"call_sid":"c"}"#;
        let mut headers = HeaderMap::new();
        let check =
            |headers: &HeaderMap, body: &[u8], now| verify(Dialect::Jambonz, TOKEN, "", headers, body, now);
        assert_eq!(check(&headers, body, at), Err(Unsigned::Missing));
        headers.insert(JAMBONZ, signature::sign(TOKEN, body, at).parse().unwrap());
        assert_eq!(check(&headers, body, at + CARRIER_CLOCK_SKEW_MAX), Ok(()));
        let late = at + CARRIER_CLOCK_SKEW_MAX + trunkline_model::Duration::from_secs(1);
        assert_eq!(check(&headers, body, late), Err(Unsigned::Stale));
        assert_eq!(check(&headers, b"{}", at), Err(Unsigned::Wrong));
    }
}
