//! RTP packets (RFC 3550, 5.1): read from hostile bytes, written without allocating.

/// Bytes of a header without contributors or extension.
pub const HEADER_BYTES: usize = 12;
/// Comfort noise (RFC 3389): understood, and not rendered.
pub const COMFORT_NOISE: u8 = 13;

/// A packet, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The first of a talk-spurt, or of a key.
    pub marker: bool,
    /// What the payload is.
    pub payload_type: u8,
    /// Counts packets.
    pub sequence: u16,
    /// Counts samples.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
    /// Without padding.
    pub payload: &'a [u8],
}

/// Why bytes are no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Fewer bytes than the header says.
    #[error("the packet is shorter than its header says")]
    Short,
    /// Not version 2.
    #[error("the packet is not of RTP version 2")]
    Version,
    /// More padding than payload, or none where some was announced.
    #[error("the packet's padding is longer than its payload")]
    Padding,
}

/// Whether a datagram is RTCP, where both come on one port (RFC 5761, 4).
#[must_use]
pub fn is_rtcp(bytes: &[u8]) -> bool {
    matches!(bytes, [first, second, ..] if first >> 6 == 2 && (192..=223).contains(second))
}

/// Reads a packet.
///
/// # Errors
/// When the bytes are none.
pub fn parse(bytes: &[u8]) -> Result<Packet<'_>, Error> {
    let (header, mut rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(Error::Short)?;
    let [first, second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3] = *header;
    if first >> 6 != 2 {
        return Err(Error::Version);
    }
    let contributors = usize::from(first & 0x0f) * 4;
    rest = rest.get(contributors..).ok_or(Error::Short)?;
    if first & 0x10 != 0 {
        let (extension, after) = rest.split_first_chunk::<4>().ok_or(Error::Short)?;
        let words = usize::from(u16::from_be_bytes([extension[2], extension[3]]));
        rest = after.get(words * 4..).ok_or(Error::Short)?;
    }
    if first & 0x20 != 0 {
        let padding = usize::from(*rest.last().ok_or(Error::Padding)?);
        let length = rest.len().checked_sub(padding).ok_or(Error::Padding)?;
        if padding == 0 {
            return Err(Error::Padding);
        }
        rest = &rest[..length];
    }
    Ok(Packet {
        marker: second & 0x80 != 0,
        payload_type: second & 0x7f,
        sequence: u16::from_be_bytes([s0, s1]),
        timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
        ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
        payload: rest,
    })
}

/// Writes a packet; says how long it is, or 0 when there is no room.
pub fn write(packet: &Packet<'_>, into: &mut [u8]) -> usize {
    let length = HEADER_BYTES + packet.payload.len();
    let Some(into) = into.get_mut(..length) else {
        return 0;
    };
    into[0] = 0x80;
    into[1] = (u8::from(packet.marker) << 7) | (packet.payload_type & 0x7f);
    into[2..4].copy_from_slice(&packet.sequence.to_be_bytes());
    into[4..8].copy_from_slice(&packet.timestamp.to_be_bytes());
    into[8..12].copy_from_slice(&packet.ssrc.to_be_bytes());
    into[HEADER_BYTES..].copy_from_slice(packet.payload);
    length
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn contributors_extension_and_padding_are_stepped_over() {
        let bytes = [
            0xb1, 0x88, 0, 7, 0, 0, 0, 160, 1, 2, 3, 4, // one contributor, extension, padding
            9, 9, 9, 9, // the contributor
            0xbe, 0xde, 0, 1, 5, 5, 5, 5, // an extension of one word
            0xaa, 0xbb, 0, 2, // two bytes, two of padding
        ];
        let packet = parse(&bytes).expect("a packet");
        assert_eq!(
            (packet.marker, packet.payload_type, packet.sequence),
            (true, 8, 7)
        );
        assert_eq!(
            (packet.timestamp, packet.ssrc, packet.payload),
            (160, 0x0102_0304, &[0xaa, 0xbb][..])
        );
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        assert_eq!(parse(&[0x80; 11]), Err(Error::Short));
        assert_eq!(parse(&[0x40; 12]), Err(Error::Version));
        assert_eq!(parse(&[0x8f; 12]), Err(Error::Short));
        assert_eq!(parse(&[0x90; 16]), Err(Error::Short));
        let mut padded = [0xa0; 14];
        padded[13] = 3;
        assert_eq!(parse(&padded), Err(Error::Padding));
        padded[13] = 0;
        assert_eq!(parse(&padded), Err(Error::Padding));
        assert_eq!(parse(&padded[..12]), Err(Error::Padding));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..64), first in any::<u8>()) {
            let _ = parse(&bytes);
            let mut versioned = bytes;
            if let Some(byte) = versioned.first_mut() {
                *byte = 0x80 | (first & 0x3f);
            }
            let _ = parse(&versioned);
        }

        #[test]
        fn what_is_written_is_read(
            marker: bool, payload_type in 0u8..128, sequence: u16, timestamp: u32, ssrc: u32,
            payload in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let packet = Packet { marker, payload_type, sequence, timestamp, ssrc, payload: &payload };
            let mut bytes = [0; 256];
            let length = write(&packet, &mut bytes);
            prop_assert_eq!(parse(&bytes[..length]), Ok(packet));
        }
    }
}
