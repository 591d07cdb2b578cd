//! Numbers that are the same in every run.

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): one multiplication chain per number, and any two starts
/// give unrelated sequences.
pub struct Random(u64);

impl Random {
    /// The sequence that belongs to a path of numbers, such as series, event, attribute.
    pub fn of(path: &[u64]) -> Self {
        let mut random = Self(0x5049_5341_5800_0001);
        for part in path {
            random.0 = random.number() ^ part.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        random
    }

    /// The next 64 bits.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, but not including, `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.number()) * u128::from(limit)) >> 64) as u64
    }

    /// One of a list.
    pub fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_path_gives_the_same_numbers_and_another_gives_others() {
        let first = |path: &[u64]| Random::of(path).number();
        assert_eq!(first(&[1, 2]), first(&[1, 2]));
        assert_ne!(first(&[1, 2]), first(&[2, 1]));
        let mut random = Random::of(&[7]);
        assert!((0..10_000).all(|_| random.below(10) < 10));
    }
}
