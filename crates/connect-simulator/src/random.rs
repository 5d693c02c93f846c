//! Generates random numbers from a seed, so that the same share of the same calls fails in every run.

/// The xorshift64* generator. The numbers must be repeatable; they need not be unpredictable.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        // The generator never leaves zero. The odd constant also separates seeds that differ in only a bit or two.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Returns the next number, at least 0 and less than 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_repeats_its_numbers_over_the_whole_range() {
        let (mut one, mut other) = (Random::new(7), Random::new(7));
        let drawn: Vec<f64> = (0..1000).map(|_| one.fraction()).collect();
        assert!(drawn.iter().all(|number| (0.0..1.0).contains(number) && *number == other.fraction()));
        let low = drawn.iter().filter(|number| **number < 0.25).count();
        assert!((200..300).contains(&low), "{low} of 1000 below a quarter");
    }
}
