//! Signatures of what is sent over HTTP, one way as the other: `t=SECONDS,v1=HEX`, where HEX is the
//! HMAC-SHA256 under a secret of SECONDS, a dot, and the body as it is sent.
//!
//! When it was signed, and how long ago that may be, is for whoever reads it to judge.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use trunkline_model::{Timestamp, hex};

/// A signature that proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bad {
    /// There is none, or it does not say when it was made.
    Missing,
    /// It is not that of this body under this secret.
    Wrong,
}

/// The signature of a body.
pub(crate) fn sign(secret: &[u8], body: &[u8], at: Timestamp) -> String {
    let seconds = at.as_millis().div_euclid(1_000).to_string();
    let signature = mac(secret, &seconds, body).finalize().into_bytes();
    format!("t={seconds},v1={}", hex::write(&signature))
}

/// When a body was signed. Of several `v1` one must hold, so that a secret can be changed without losing
/// what is sent meanwhile.
///
/// # Errors
/// See [`Bad`].
pub(crate) fn verify(secret: &[u8], signature: Option<&str>, body: &[u8]) -> Result<Timestamp, Bad> {
    let signature = signature.ok_or(Bad::Missing)?;
    let parts = || {
        signature
            .split(',')
            .filter_map(|part| part.trim().split_once('='))
    };
    let time = parts().find(|(name, _)| *name == "t").map(|(_, time)| time);
    let time = time.ok_or(Bad::Missing)?;
    let expected = mac(secret, time, body);
    let holds = parts()
        .filter(|(name, _)| *name == "v1")
        .filter_map(|(_, digits)| hex::read::<32>(digits))
        // The comparison takes as long whatever is wrong.
        .any(|shown| expected.clone().verify_slice(&shown).is_ok());
    if !holds {
        return Err(Bad::Wrong);
    }
    let seconds: i64 = time.parse().map_err(|_| Bad::Wrong)?;
    Ok(Timestamp::from_millis(seconds.saturating_mul(1_000)))
}

fn mac(secret: &[u8], time: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac: Hmac<Sha256> = Hmac::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"a key of some length";

    #[test]
    fn a_signature_is_that_of_others() {
        // As `printf '1795262700.{}' | openssl dgst -sha256 -hmac 'a key of some length'` has it.
        let expected = "13f2808d66eb16a43eeb098cc33611cb7e39b0830af74b05892851898dd8a617";
        let at = Timestamp::from_millis(1_795_262_700_999);
        assert_eq!(sign(KEY, b"{}", at), format!("t=1795262700,v1={expected}"));
    }

    #[test]
    fn only_what_is_signed_with_the_secret_holds() {
        let at = Timestamp::from_millis(1_795_262_700_000);
        let header = sign(KEY, b"{}", at);
        assert_eq!(verify(KEY, Some(&header), b"{}"), Ok(at));
        // Another signature beside it changes nothing.
        let (time, own) = header.split_once(',').unwrap();
        let both = format!("{time}, v1={}, {own}", "0".repeat(64));
        assert_eq!(verify(KEY, Some(&both), b"{}"), Ok(at));
        for (key, header, body) in [
            (b"another key".as_slice(), header.clone(), b"{}".as_slice()),
            (KEY, header.clone(), b"{ }"),
            (KEY, header.replace("t=1", "t=2"), b"{}"),
            (KEY, "t=1795262700,v1=zz".to_owned(), b"{}"),
            (KEY, "t=1795262700".to_owned(), b"{}"),
        ] {
            assert_eq!(verify(key, Some(&header), body), Err(Bad::Wrong), "{header}");
        }
        for header in [None, Some(""), Some("v1=00"), Some("t")] {
            assert_eq!(verify(KEY, header, b"{}"), Err(Bad::Missing), "{header:?}");
        }
    }
}
