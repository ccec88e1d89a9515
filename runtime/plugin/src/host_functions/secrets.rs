//! `trunkline:host/secrets`: secrets that a guest uses and never sees.

use ring::{hmac, signature::Ed25519KeyPair};

use super::bindings::trunkline::host::secrets::{Algorithm, Error, Host};
use crate::{grants::SecretName, guest::Guest, secrets::SecretValue};

/// Bytes of the private key of Ed25519.
const ED25519_KEY_BYTES: usize = 32;

impl Guest {
    /// A secret that the plugin may use: its name and its present value.
    fn secret(&self, name: &str) -> Result<(SecretName, SecretValue), Error> {
        let plugin = &self.plugin;
        let (name, _) = plugin
            .grants
            .secrets
            .get_key_value(name)
            .ok_or(Error::NotGranted)?;
        let secrets = plugin.host.secrets.as_deref();
        let value = secrets.and_then(|secrets| secrets.value(name));
        value.map(|value| (name.clone(), value)).ok_or_else(|| {
            if plugin.may_log() {
                tracing::warn!(plugin = %plugin.name, secret = %name, "a granted secret has no value on this server");
            }
            Error::Missing
        })
    }
}

impl Host for Guest {
    fn placeholder(&mut self, name: String) -> Result<String, Error> {
        let (name, _) = self.secret(&name)?;
        Ok(self.requests.placeholder(&name))
    }

    fn sign(&mut self, name: String, algorithm: Algorithm, bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
        let (_, key) = self.secret(&name)?;
        sign(key.bytes(), algorithm, &bytes).map_err(Error::Unusable)
    }
}

fn sign(key: &[u8], algorithm: Algorithm, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let hmac = |algorithm| {
        let key = hmac::Key::new(algorithm, key);
        hmac::sign(&key, bytes).as_ref().to_vec()
    };
    match algorithm {
        Algorithm::HmacSha256 => Ok(hmac(hmac::HMAC_SHA256)),
        Algorithm::HmacSha512 => Ok(hmac(hmac::HMAC_SHA512)),
        Algorithm::Ed25519 => {
            if key.len() != ED25519_KEY_BYTES {
                return Err(format!(
                    "a private key of Ed25519 has {ED25519_KEY_BYTES} bytes, and this value has {}",
                    key.len()
                ));
            }
            let pair = Ed25519KeyPair::from_seed_unchecked(key)
                .map_err(|_| "the value is no private key of Ed25519".to_owned())?;
            Ok(pair.sign(bytes).as_ref().to_vec())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    }

    /// RFC 4231, test case 1.
    #[test]
    fn hmac_is_that_of_the_standard() {
        let key = [0x0b; 20];
        assert_eq!(
            hex(&sign(&key, Algorithm::HmacSha256, b"Hi There").unwrap()),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert!(
            hex(&sign(&key, Algorithm::HmacSha512, b"Hi There").unwrap())
                .starts_with("87aa7cdea5ef619d4ff0b424")
        );
    }

    /// RFC 8032, section 7.1, test 2.
    #[test]
    fn ed25519_is_that_of_the_standard() {
        let key = unhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let signature = sign(&key, Algorithm::Ed25519, &[0x72]).unwrap();
        assert!(
            hex(&signature).starts_with("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da")
        );
        let wrong = sign(b"too short", Algorithm::Ed25519, &[]).unwrap_err();
        assert!(wrong.contains("32 bytes") && wrong.contains('9'), "{wrong}");
    }
}
