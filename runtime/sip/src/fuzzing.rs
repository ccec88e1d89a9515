//! What reads strangers' Authorization headers, for the fuzz target in `tests/fuzz` alone: no part of this crate's interface.
//!
//! It is always compiled, behind no feature, so that it cannot rot unseen.

use crate::digest::{Algorithm, Digester, Verdict, read};

const REALM: &str = "trunkline";
const PASSWORD: &str = "correct horse battery staple";

/// Asks who comes, and knows one password, which every user has.
pub struct Door(Digester);

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Door")
    }
}

impl Door {
    /// A door; none where the system gives no random numbers.
    #[must_use]
    pub fn new() -> Option<Door> {
        Digester::new(REALM, true).ok().map(Door)
    }

    /// Whether a header lets its sender in.
    #[must_use]
    pub fn lets_in(&self, header: &str, method: &str) -> bool {
        let verdict = self.0.verify(header, method, |_| Some(PASSWORD.to_owned()));
        matches!(verdict, Verdict::Known(_))
    }

    /// The header as one who knows the password would complete it: with a nonce of ours and the right response. None where it cannot be read, or asks
    /// for an algorithm that is not known.
    #[must_use]
    pub fn completed(&self, header: &str, method: &str) -> Option<String> {
        let header = format!("{header}, realm=\"{REALM}\", nonce=\"{}\"", self.0.nonce());
        let answer = read(&header)?;
        let response = Algorithm::named(answer.algorithm)?.response(&answer, method, PASSWORD);
        Some(format!("{header}, response=\"{response}\""))
    }
}

/// A carrier's challenge in words that the stack can answer; see the digest's own function.
#[must_use]
pub fn simple_challenge(header: &str) -> Option<String> {
    crate::digest::simple_challenge(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_completed_header_lets_in_once() {
        let door = Door::new().expect("random numbers");
        let header = "Digest username=\"anna\", uri=\"sip:x\", qop=auth, nc=00000001, cnonce=\"c\"";
        assert!(!door.lets_in(header, "REGISTER"));
        let completed = door.completed(header, "REGISTER").expect("readable");
        assert!(door.lets_in(&completed, "REGISTER"));
        assert!(!door.lets_in(&completed, "REGISTER"));
    }
}
