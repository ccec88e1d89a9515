//! The addresses that a document names, each for one step of one call, and proof that it is ours.
//!
//! A signature shows that the carrier asks; the proof in the address shows what for. Some carriers
//! sign the body only, so that an address could be exchanged for another.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use trunkline_model::{ContactId, Digest, hex};

/// Bytes of a proof: enough that none is guessed.
const PROOF_BYTES: usize = 16;

/// What a carrier is asked to come back with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// What was given, or that nothing was.
    Gather,
    /// All was said; what comes next?
    Poll,
    /// A message was recorded.
    Record,
    /// Nothing was recorded.
    Silent,
    /// What came of a dialled leg.
    Dial,
    /// The dialled leg is answered.
    Answered,
}

impl Step {
    const ALL: [Self; 6] = [
        Self::Gather,
        Self::Poll,
        Self::Record,
        Self::Silent,
        Self::Dial,
        Self::Answered,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Gather => "gather",
            Self::Poll => "poll",
            Self::Record => "record",
            Self::Silent => "silent",
            Self::Dial => "dial",
            Self::Answered => "answered",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == name)
    }
}

/// Recordings that carriers play. Others are said by their text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Played {
    Wav,
    Mp3,
}

impl Played {
    const ALL: [Self; 2] = [Self::Wav, Self::Mp3];

    const fn ending(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Mp3 => "mp3",
        }
    }

    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Wav => "audio/wav",
            Self::Mp3 => "audio/mpeg",
        }
    }

    /// What a recording is by the ending of its path; none where carriers do not play it.
    pub(super) fn of(path: &str) -> Option<Self> {
        let (_, ending) = path.rsplit_once('.')?;
        Self::ALL
            .into_iter()
            .find(|played| played.ending().eq_ignore_ascii_case(ending))
    }
}

/// Where in a call a step is: after how many events, and how often that was answered before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) after: u64,
    pub(super) again: u32,
}

/// Makes the addresses of one carrier.
pub(super) struct Links<'a> {
    /// The address that the carrier knows the server by.
    pub(super) url: &'a str,
    pub(super) carrier: &'a str,
    /// The server's own key.
    pub(super) key: &'a [u8],
}

impl Links<'_> {
    /// The address of a step of a call.
    pub(super) fn step(&self, contact: &ContactId, call: &str, step: Step, at: At) -> String {
        let proof = hex::write(&self.proof(contact, call, step, at).finalize().into_bytes()[..PROOF_BYTES]);
        let At { after, again } = at;
        format!(
            "{}/carriers/{}/calls/{contact}/{}?after={after}&again={again}&proof={proof}",
            self.url,
            self.carrier,
            step.as_str()
        )
    }

    /// Whether an address is one that was made for a call.
    pub(super) fn proves(&self, contact: &ContactId, call: &str, step: Step, at: At, proof: &str) -> bool {
        hex::read::<PROOF_BYTES>(proof).is_some_and(|shown| {
            self.proof(contact, call, step, at)
                .verify_truncated_left(&shown)
                .is_ok()
        })
    }

    /// The address of a recording, by its content.
    pub(super) fn recording(&self, content: &Digest, played: Played) -> String {
        let proof = hex::write(&self.recorded(content, played).finalize().into_bytes()[..PROOF_BYTES]);
        let (carrier, ending) = (self.carrier, played.ending());
        format!(
            "{}/carriers/{carrier}/recordings/{content}/{proof}.{ending}",
            self.url
        )
    }

    /// What the recording of an address is, if its file's name proves that the address is ours.
    pub(super) fn proves_recording(&self, content: &Digest, file: &str) -> Option<Played> {
        let (proof, ending) = file.rsplit_once('.')?;
        let played = Played::ALL.into_iter().find(|played| played.ending() == ending)?;
        let proves = self
            .recorded(content, played)
            .verify_truncated_left(&hex::read::<PROOF_BYTES>(proof)?)
            .is_ok();
        proves.then_some(played)
    }

    fn proof(&self, contact: &ContactId, call: &str, step: Step, at: At) -> Hmac<Sha256> {
        let (after, again) = (at.after.to_string(), at.again.to_string());
        self.mac(&["step", contact.as_str(), call, step.as_str(), &after, &again])
    }

    fn recorded(&self, content: &Digest, played: Played) -> Hmac<Sha256> {
        self.mac(&["recording", &content.to_string(), played.ending()])
    }

    fn mac(&self, parts: &[&str]) -> Hmac<Sha256> {
        let mut mac: Hmac<Sha256> = Hmac::new_from_slice(self.key).expect("HMAC takes keys of any length");
        for part in [self.carrier].iter().chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use trunkline_model::Timestamp;

    use super::*;

    #[test]
    fn an_address_proves_itself_and_nothing_else() {
        let links = Links {
            url: "https://h.example",
            carrier: "main",
            key: b"a key of some length",
        };
        let contact = ContactId::generate(Timestamp::from_millis(1), [7; 10]);
        let at = At { after: 7, again: 0 };
        let address = links.step(&contact, "CA1", Step::Gather, at);
        let (_, proof) = address.rsplit_once("proof=").unwrap();
        assert!(links.proves(&contact, "CA1", Step::Gather, at, proof));
        assert!(!links.proves(&contact, "CA2", Step::Gather, at, proof));
        assert!(!links.proves(&contact, "CA1", Step::Poll, at, proof));
        assert!(!links.proves(&contact, "CA1", Step::Gather, At { after: 8, again: 0 }, proof));
        for bad in ["", "zz", &proof[1..], "ääääääääääääääää"] {
            assert!(!links.proves(&contact, "CA1", Step::Gather, at, bad));
        }
        let content = Digest::of(b"RIFF");
        let address = links.recording(&content, Played::Mp3);
        let (_, file) = address.rsplit_once('/').unwrap();
        assert_eq!(links.proves_recording(&content, file), Some(Played::Mp3));
        assert_eq!(links.proves_recording(&Digest::of(b"ID3"), file), None);
        assert_eq!(
            links.proves_recording(&content, &file.replace("mp3", "wav")),
            None
        );
        assert_eq!(
            links.proves_recording(&content, &file.replace("mp3", "exe")),
            None
        );
        for (path, played) in [
            ("audio/a.WAV", Some(Played::Wav)),
            ("audio/a.mp3", Some(Played::Mp3)),
            ("audio/a.opus", None),
            ("wav", None),
        ] {
            assert_eq!(Played::of(path), played, "{path}");
        }
        for step in Step::ALL {
            assert_eq!(Step::parse(step.as_str()), Some(step));
        }
    }
}
