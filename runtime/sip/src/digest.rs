//! Digest authentication of those who call us (RFC 7616, RFC 2617): challenges and their verification.
//!
//! A nonce is stateless: the time it was made and a signature, so that challenges to strangers cost no
//! memory. Only the counters of nonces that were answered with a right password are kept, so that no answer
//! is taken twice. Whether a user exists cannot be told from the outside.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use trunkline_model::hex;

use crate::limits::{NONCE_LIFE, NONCES_MAX};

/// Bytes of a nonce before its signature: seconds, then randomness.
const STAMP_BYTES: usize = 8;
const RANDOM_BYTES: usize = 8;
const SIGNATURE_BYTES: usize = 16;

/// What came of an Authorization header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The user is who it says.
    Known(String),
    /// The password is right and the nonce too old: challenge again with `stale=true`.
    Stale,
    /// Anything else: challenge again.
    Wrong,
}

/// Makes and checks challenges.
pub(crate) struct Digester {
    realm: String,
    /// Whether SHA-256 is offered beside MD5.
    sha_256: bool,
    key: [u8; 32],
    begun: Instant,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    /// The counts seen of each nonce: the highest, and which of the 64 below it.
    counts: HashMap<String, (u64, u64)>,
    order: VecDeque<String>,
}

/// The parts of an Authorization header that matter.
#[derive(Default)]
pub(crate) struct Answer<'a> {
    username: String,
    realm: String,
    nonce: String,
    uri: &'a str,
    response: &'a str,
    pub(crate) algorithm: &'a str,
    cnonce: String,
    nc: &'a str,
    qop: &'a str,
}

#[derive(Clone, Copy)]
pub(crate) enum Algorithm {
    Md5,
    Sha256,
}

impl Digester {
    pub(crate) fn new(realm: &str, sha_256: bool) -> Result<Digester, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        let realm = realm.replace(['"', '\\', '\r', '\n'], "");
        Ok(Digester {
            realm,
            sha_256,
            key,
            begun: Instant::now(),
            used: Mutex::default(),
        })
    }

    /// The values of challenge headers, the strongest first. MD5 alone is what every phone knows: some give up at a header that offers anything
    /// else, whatever stands in the next one, so that SHA-256 is offered only where the operator wants it. An answer by it counts either way.
    pub(crate) fn challenge(&self, stale: bool) -> Vec<String> {
        let nonce = self.nonce();
        let stale = if stale { ", stale=true" } else { "" };
        let stronger = self.sha_256.then_some("SHA-256");
        let algorithms = stronger.into_iter().chain(["MD5"]);
        algorithms
            .map(|algorithm| {
                let Digester { realm, .. } = self;
                format!(
                    "Digest realm=\"{realm}\", nonce=\"{nonce}\", opaque=\"trunkline\", algorithm={algorithm}, qop=\"auth\"{stale}"
                )
            })
            .collect()
    }

    /// Checks an Authorization header for a method, and takes its count: each is good once. `password` tells
    /// that of a user.
    pub(crate) fn verify(
        &self,
        header: &str,
        method: &str,
        password: impl FnOnce(&str) -> Option<String>,
    ) -> Verdict {
        let Some(answer) = read(header) else {
            return Verdict::Wrong;
        };
        match self.right(&answer, method, password) {
            Verdict::Known(user) => match count(&answer) {
                Some(count) if self.first_use(&answer.nonce, count) => Verdict::Known(user),
                Some(_) => Verdict::Stale,
                None => Verdict::Wrong,
            },
            other => other,
        }
    }

    /// Checks an Authorization header without taking its count.
    pub(crate) fn check(
        &self,
        header: &str,
        method: &str,
        password: impl FnOnce(&str) -> Option<String>,
    ) -> Verdict {
        read(header).map_or(Verdict::Wrong, |answer| self.right(&answer, method, password))
    }

    fn right(
        &self,
        answer: &Answer<'_>,
        method: &str,
        password: impl FnOnce(&str) -> Option<String>,
    ) -> Verdict {
        let Some(algorithm) = Algorithm::named(answer.algorithm) else {
            return Verdict::Wrong;
        };
        let password = password(&answer.username);
        // An unknown user costs the same work as a wrong password.
        let expected = algorithm.response(answer, method, password.as_deref().unwrap_or_default());
        let right = same(
            expected.as_bytes(),
            answer.response.to_ascii_lowercase().as_bytes(),
        ) && password.is_some();
        let age = self.age(&answer.nonce);
        if !right || answer.realm != self.realm || !(answer.qop.is_empty() || answer.qop == "auth") {
            return Verdict::Wrong;
        }
        match age {
            None => Verdict::Stale,
            Some(age) if age > NONCE_LIFE.as_secs() => Verdict::Stale,
            Some(_) if count(answer).is_none() => Verdict::Wrong,
            Some(_) => Verdict::Known(answer.username.clone()),
        }
    }

    /// A tag that says nothing and is the same for a message and its repetitions.
    pub(crate) fn tag(&self, text: &str) -> String {
        hex::write(&self.sign(text.as_bytes())[..8])
    }

    pub(crate) fn nonce(&self) -> String {
        let mut bytes = [0; STAMP_BYTES + RANDOM_BYTES];
        bytes[..STAMP_BYTES].copy_from_slice(&self.begun.elapsed().as_secs().to_be_bytes());
        if getrandom::fill(&mut bytes[STAMP_BYTES..]).is_err() {
            // Without randomness nonces of one second are the same; each of their counters is still good
            // once.
            tracing::debug!("the system gave no random numbers for a challenge");
        }
        let signature = self.sign(&bytes);
        hex::write(&bytes) + &hex::write(&signature[..SIGNATURE_BYTES])
    }

    /// Seconds since a nonce of ours was made; none for any other text.
    fn age(&self, nonce: &str) -> Option<u64> {
        let bytes: [u8; STAMP_BYTES + RANDOM_BYTES + SIGNATURE_BYTES] = hex::read(nonce)?;
        let (stamp, signature) = bytes.split_at(STAMP_BYTES + RANDOM_BYTES);
        if !same(&self.sign(stamp)[..SIGNATURE_BYTES], signature) {
            return None;
        }
        let made = u64::from_be_bytes(stamp[..STAMP_BYTES].try_into().ok()?);
        Some(self.begun.elapsed().as_secs().saturating_sub(made))
    }

    fn sign(&self, bytes: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }

    /// Whether a counter of a nonce comes for the first time. Datagrams may overtake each other, so a window
    /// below the highest is kept.
    fn first_use(&self, nonce: &str, count: u64) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if count == 0 {
            return false;
        }
        if !used.counts.contains_key(nonce) {
            // Only what is too old to be used again is forgotten: anything else could be answered with once
            // more.
            while let Some(oldest) = used.order.front()
                && self.age(oldest).is_none_or(|age| age > NONCE_LIFE.as_secs())
            {
                if let Some(oldest) = used.order.pop_front() {
                    used.counts.remove(&oldest);
                }
            }
            if used.order.len() >= NONCES_MAX {
                return false;
            }
            used.order.push_back(nonce.to_owned());
            used.counts.insert(nonce.to_owned(), (count, 1));
            return true;
        }
        let Some((highest, seen)) = used.counts.get_mut(nonce) else {
            return false;
        };
        if count > *highest {
            let ahead = count - *highest;
            *seen = if ahead < 64 { (*seen << ahead) | 1 } else { 1 };
            *highest = count;
            return true;
        }
        let behind = *highest - count;
        if behind >= 64 || *seen & (1 << behind) != 0 {
            return false;
        }
        *seen |= 1 << behind;
        true
    }
}

impl Algorithm {
    /// That of a name; without one it is the oldest.
    pub(crate) fn named(name: &str) -> Option<Algorithm> {
        match name {
            "" => Some(Algorithm::Md5),
            name if name.eq_ignore_ascii_case("MD5") => Some(Algorithm::Md5),
            name if name.eq_ignore_ascii_case("SHA-256") => Some(Algorithm::Sha256),
            _ => None,
        }
    }

    fn hash(self, text: &str) -> String {
        match self {
            Algorithm::Md5 => hex::write(&Md5::digest(text.as_bytes())),
            Algorithm::Sha256 => hex::write(&Sha256::digest(text.as_bytes())),
        }
    }

    pub(crate) fn response(self, answer: &Answer<'_>, method: &str, password: &str) -> String {
        let Answer {
            username,
            realm,
            nonce,
            uri,
            nc,
            cnonce,
            qop,
            ..
        } = answer;
        let who = self.hash(&format!("{username}:{realm}:{password}"));
        let what = self.hash(&format!("{method}:{uri}"));
        if qop.is_empty() {
            return self.hash(&format!("{who}:{nonce}:{what}"));
        }
        self.hash(&format!("{who}:{nonce}:{nc}:{cnonce}:{qop}:{what}"))
    }
}

/// How often a nonce was used, as the user counts. Without qop there is no counter: such a nonce is good
/// once.
fn count(answer: &Answer<'_>) -> Option<u64> {
    if answer.qop.is_empty() {
        return Some(1);
    }
    u64::from_str_radix(answer.nc, 16).ok()
}

/// The user that an Authorization header names, whether it is who it says or not.
pub(crate) fn user(header: &str) -> Option<String> {
    Some(read(header)?.username)
}

/// Reads the answer in an Authorization header.
pub(crate) fn read(header: &str) -> Option<Answer<'_>> {
    let mut answer = Answer::default();
    for (name, value) in parameters(header)? {
        match name.as_str() {
            "username" => answer.username = unescape(value),
            "realm" => answer.realm = unescape(value),
            "nonce" => answer.nonce = unescape(value),
            "cnonce" => answer.cnonce = unescape(value),
            "uri" => answer.uri = value,
            "response" => answer.response = value,
            "algorithm" => answer.algorithm = value,
            "nc" => answer.nc = value,
            "qop" => answer.qop = value,
            _ => {}
        }
    }
    Some(answer)
}

/// The parameters of a Digest header, names in small letters; quoted strings may hold commas and escaped
/// quotes.
fn parameters(header: &str) -> Option<Vec<(String, &str)>> {
    let (scheme, mut rest) = header.trim().split_once(char::is_whitespace)?;
    if !scheme.eq_ignore_ascii_case("Digest") {
        return None;
    }
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Some(found);
        }
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => {
                let end = end_of_quoted(quoted)?;
                (&quoted[..end], &quoted[end + 1..])
            }
            None => {
                let end = after.find([',', ' ', '\t']).unwrap_or(after.len());
                after.split_at(end)
            }
        };
        rest = left;
        found.push((name.trim().to_ascii_lowercase(), value));
    }
}

/// A challenge to us in words that the stack can answer: one `qop`, and no hyphen in SHA-256. None when it
/// asks for what it cannot.
pub(crate) fn simple_challenge(header: &str) -> Option<String> {
    let mut simple = String::from("Digest ");
    let mut first = true;
    for (name, value) in parameters(header)? {
        let value = match name.as_str() {
            "algorithm" if value.eq_ignore_ascii_case("MD5") => "MD5",
            "algorithm" if value.eq_ignore_ascii_case("SHA-256") || value.eq_ignore_ascii_case("SHA256") => {
                "sha256"
            }
            "algorithm" => return None,
            "qop"
                if value
                    .split(',')
                    .any(|qop| qop.trim().eq_ignore_ascii_case("auth")) =>
            {
                "auth"
            }
            "qop" => return None,
            _ => value,
        };
        if !first {
            simple.push_str(", ");
        }
        first = false;
        let bare = ["algorithm", "stale"].contains(&name.as_str());
        let quote = if bare { "" } else { "\"" };
        simple.push_str(&format!("{name}={quote}{value}{quote}"));
    }
    Some(simple)
}

/// Where a quoted string that has begun ends.
fn end_of_quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })
}

fn unescape(text: &str) -> String {
    let mut escaped = false;
    text.chars()
        .filter(|c| {
            escaped = *c == '\\' && !escaped;
            !escaped
        })
        .collect()
}

/// Compares in a time that depends on the length alone.
fn same(ours: &[u8], theirs: &[u8]) -> bool {
    ours.len() == theirs.len()
        && ours
            .iter()
            .zip(theirs)
            .fold(0, |differ, (ours, theirs)| differ | (ours ^ theirs))
            == 0
}

#[cfg(test)]
mod tests;
