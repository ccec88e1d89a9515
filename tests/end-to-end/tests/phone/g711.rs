//! G.711, of our own here: what is under test does not judge itself.

/// A codec of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    /// μ-law, payload type 0.
    Pcmu,
    /// A-law, payload type 8.
    Pcma,
}

impl Codec {
    /// The payload type of RFC 3551.
    pub(crate) const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    /// The codec of a payload type.
    pub(crate) const fn of(payload_type: u8) -> Option<Self> {
        match payload_type {
            0 => Some(Self::Pcmu),
            8 => Some(Self::Pcma),
            _ => None,
        }
    }

    /// One octet's sample.
    pub(crate) fn decode(self, octet: u8) -> i16 {
        match self {
            Self::Pcmu => {
                let octet = !octet;
                let exponent = (octet >> 4) & 7;
                let mantissa = i16::from(octet & 15);
                let magnitude = (((mantissa << 3) + 132) << exponent) - 132;
                if octet & 0x80 == 0 { magnitude } else { -magnitude }
            }
            Self::Pcma => {
                let octet = octet ^ 0x55;
                let exponent = (octet >> 4) & 7;
                let mantissa = i16::from(octet & 15) << 4;
                let magnitude = match exponent {
                    0 => mantissa + 8,
                    exponent => (mantissa + 264) << (exponent - 1),
                };
                if octet & 0x80 == 0 { -magnitude } else { magnitude }
            }
        }
    }

    /// The octet whose sample is nearest. Found by looking: nobody can get that wrong.
    pub(crate) fn encode(self, sample: i16) -> u8 {
        (0..=u8::MAX)
            .min_by_key(|octet| (i32::from(self.decode(*octet)) - i32::from(sample)).abs())
            .expect("there are octets")
    }
}
