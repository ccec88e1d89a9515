//! Secrets on their way out, and kept from coming back.
//!
//! A guest holds a placeholder, drawn for its call. In the values of a request's headers it becomes
//! the secret if, and only if, the request goes to the place that the secret is bound to: its own
//! scheme, host and port, after the grants have allowed it. In a `Basic` value, which is base64, it
//! is looked for behind the encoding. Addresses, bodies and trailers are left alone.
//!
//! A reply from a place to which secrets are bound is read through a [`Mask`] for all of them.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, IF_RANGE, RANGE, TE, TRANSFER_ENCODING},
};
use zeroize::Zeroizing;

use super::mask::{Mask, Patterns};
use crate::{
    grants::{Grants, SecretName, Target},
    secrets::Secrets,
};

/// What a placeholder begins with, so that one that went astray tells what it is.
const PREFIX: &str = "trunkline-secret-";

/// Random bytes of a placeholder.
const RANDOM_BYTES: usize = 16;

/// The placeholders that one call holds.
#[derive(Clone, Default)]
pub(crate) struct Placeholders(Vec<(String, SecretName)>);

/// A request that cannot be sent with its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unsendable;

impl Placeholders {
    /// The placeholder of a secret, the same throughout the call.
    pub(crate) fn of(&mut self, name: &SecretName) -> String {
        if let Some((known, _)) = self.0.iter().find(|(_, known)| known == name) {
            return known.clone();
        }
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).expect("the operating system has random bytes to give");
        let drawn = format!("{PREFIX}{}", trunkline_model::hex::write(&random));
        self.0.push((drawn.clone(), name.clone()));
        drawn
    }

    /// Puts secrets in the place of their placeholders, for a request to `target`. Gives what
    /// their replies have to be read through, if any secret is bound to the place.
    pub(super) fn swap(
        &self,
        headers: &mut HeaderMap,
        target: &Target,
        grants: &Grants,
        secrets: Option<&dyn Secrets>,
    ) -> Result<Option<Mask>, Unsendable> {
        let bound: Vec<_> = grants
            .secrets
            .iter()
            .filter(|(_, place)| place.target() == Some(target))
            .filter_map(|(name, _)| Some((name, secrets?.value(name)?)))
            .collect();
        if bound.is_empty() {
            return Ok(None);
        }
        // Compressed, a value that comes back could not be seen.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        // Cut into ranges, or encoded on the way, neither could it.
        for header in [RANGE, IF_RANGE, TE] {
            headers.remove(header);
        }
        let mut patterns = Patterns::default();
        for (name, value) in &bound {
            patterns.add(value.bytes());
            let Some((placeholder, _)) = self.0.iter().find(|(_, known)| known == *name) else {
                continue;
            };
            for header in headers.values_mut() {
                let Some(swapped) = swapped(header.as_bytes(), placeholder.as_bytes(), value.bytes()) else {
                    continue;
                };
                *header = HeaderValue::from_bytes(&swapped).map_err(|_| Unsendable)?;
                header.set_sensitive(true);
            }
        }
        Ok(Some(Mask::of(patterns)))
    }
}

/// Whether a reply that is to be masked can be read: it is whole, and nothing is hidden in an
/// encoding.
pub(super) fn is_legible(status: StatusCode, headers: &HeaderMap) -> bool {
    let only = |header, encoding: &[u8]| {
        let mut encodings = headers.get_all(header).iter();
        encodings.all(|named| named.as_bytes().eq_ignore_ascii_case(encoding))
    };
    status != StatusCode::PARTIAL_CONTENT
        && only(CONTENT_ENCODING, b"identity")
        && only(TRANSFER_ENCODING, b"chunked")
}

const BASIC: &str = "basic ";

/// A header's value with the secret in it, if the placeholder was.
fn swapped(header: &[u8], placeholder: &[u8], secret: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if let Some(plain) = replaced(header, placeholder, secret) {
        return Some(plain);
    }
    let (scheme, encoded) = header.split_at_checked(BASIC.len())?;
    if !scheme.eq_ignore_ascii_case(BASIC.as_bytes()) {
        return None;
    }
    let unpadded = encoded.trim_ascii();
    let unpadded = &unpadded[..unpadded
        .iter()
        .rposition(|byte| *byte != b'=')
        .map_or(0, |at| at + 1)];
    let credentials = replaced(&STANDARD_NO_PAD.decode(unpadded).ok()?, placeholder, secret)?;
    let mut value = Zeroizing::new(scheme.to_vec());
    value.extend_from_slice(Zeroizing::new(STANDARD.encode(&*credentials)).as_bytes());
    Some(value)
}

/// A text with each occurrence of a part replaced, if there is one.
fn replaced(text: &[u8], part: &[u8], by: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut out: Option<Zeroizing<Vec<u8>>> = None;
    let mut from = 0;
    while let Some(at) = text[from..].windows(part.len()).position(|window| window == part) {
        let out = out.get_or_insert_default();
        out.extend_from_slice(&text[from..from + at]);
        out.extend_from_slice(by);
        from += at + part.len();
    }
    out.map(|mut out| {
        out.extend_from_slice(&text[from..]);
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::{SecretTable, SecretValue};

    const SECRET: &str = "s3cr3t/token+value";

    fn grants() -> Grants {
        serde_json::from_value(serde_json::json!({
            "http": ["GET https://crm.example/*"],
            "secrets": { "crm-token": "https://crm.example", "other": "https://other.example" },
        }))
        .unwrap()
    }

    fn table() -> SecretTable {
        let mut table = SecretTable::default();
        for (name, value) in [("crm-token", SECRET), ("other", "another-value")] {
            table.insert(name.parse().unwrap(), SecretValue::new(value).unwrap());
        }
        table
    }

    fn target(address: &str) -> Target {
        Target::of(&address.parse().unwrap()).unwrap()
    }

    fn sent(header: impl Fn(&str, &str) -> String, address: &str) -> (String, String, bool) {
        let mut placeholders = Placeholders::default();
        let token = placeholders.of(&"crm-token".parse().unwrap());
        let other = placeholders.of(&"other".parse().unwrap());
        let written = header(&token, &other);
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_str(&written).unwrap());
        let table = table();
        let mask = placeholders
            .swap(&mut headers, &target(address), &grants(), Some(&table))
            .unwrap();
        let sent = headers["authorization"].to_str().unwrap().to_owned();
        (written, sent, mask.is_some())
    }

    #[test]
    fn a_placeholder_becomes_its_secret_on_the_way_to_its_own_place() {
        let (_, sent_as, masked) = sent(|token, _| format!("Bearer {token}"), "https://crm.example/v1");
        assert_eq!((sent_as.as_str(), masked), ("Bearer s3cr3t/token+value", true));
        let (_, sent_as, _) = sent(
            |token, _| format!("{token},{token};x"),
            "https://crm.example:443/",
        );
        assert_eq!(sent_as, format!("{SECRET},{SECRET};x"));
        let basic = |token: &str, _: &str| format!("BASIC {}", STANDARD.encode(format!("city:{token}")));
        let (_, sent_as, _) = sent(basic, "https://crm.example/v1");
        assert_eq!(
            sent_as,
            format!("BASIC {}", STANDARD.encode(format!("city:{SECRET}")))
        );
    }

    #[test]
    fn anywhere_else_it_stays_what_it_is() {
        for address in [
            "https://other.example/",
            "http://crm.example/",
            "https://crm.example:8443/",
            "https://crm.example.evil.example/",
        ] {
            let (written, sent_as, _) = sent(|token, _| format!("Bearer {token}"), address);
            assert_eq!(written, sent_as, "{address}");
        }
        // Another secret's placeholder, at a place that is not its own.
        let (written, sent_as, _) = sent(|_, other| other.to_owned(), "https://crm.example/");
        assert_eq!(written, sent_as);
    }

    #[test]
    fn placeholders_are_drawn_for_each_call() {
        let name: SecretName = "crm-token".parse().unwrap();
        let (mut one, mut two) = (Placeholders::default(), Placeholders::default());
        assert_eq!(one.of(&name), one.of(&name));
        assert_ne!(one.of(&name), two.of(&name));
    }

    #[test]
    fn a_reply_in_an_encoding_cannot_be_read() {
        let whole = StatusCode::OK;
        let mut headers = HeaderMap::new();
        assert!(is_legible(whole, &headers));
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("Identity"));
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("Chunked"));
        assert!(is_legible(whole, &headers));
        assert!(!is_legible(StatusCode::PARTIAL_CONTENT, &headers));
        headers.append(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(!is_legible(whole, &headers));
        headers.remove(CONTENT_ENCODING);
        for encoding in ["gzip", "gzip, chunked"] {
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static(encoding));
            assert!(!is_legible(whole, &headers), "{encoding}");
        }
    }
}
