//! Random numbers that are the same for the same seed, on every machine and in every version.

/// SplitMix64: small, and good enough to choose inputs by.
#[derive(Clone, Debug)]
pub(in super::super) struct Random(u64);

impl Random {
    pub(in super::super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The numbers of one input of one function.
    pub(super) fn of(seed: u64, function: &str, input: u32) -> Self {
        let mut random = Self::new(seed);
        for byte in function.bytes() {
            random.0 = random.0.wrapping_mul(31).wrapping_add(byte.into());
        }
        random.0 ^= u64::from(input) << 32;
        random.next();
        random
    }

    pub(in super::super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a bound; 0 when the bound is.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        match u64::try_from(bound) {
            Ok(0) | Err(_) => 0,
            Ok(bound) => usize::try_from(self.next() % bound).unwrap_or(0),
        }
    }

    /// True once in so many times.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of some.
    pub(super) fn one<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }
}
