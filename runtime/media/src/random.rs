//! Random numbers for what must not be guessed (SSRC, sequence numbers) or not be alike (the time of
//! reports).

/// Four random bytes.
pub(crate) fn number() -> u32 {
    let mut bytes = [0; 4];
    // Without a source of randomness a stream still works; it is only easier to guess.
    if getrandom::fill(&mut bytes).is_err() {
        tracing::warn!("the system gives no random numbers; streams can be guessed");
    }
    u32::from_le_bytes(bytes)
}
