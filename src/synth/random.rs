//! Randomness without a state: every value can be had on its own, in any order.

/// What a random value is for, so that no two uses share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Town = 1,
    Place,
    Family,
    Product,
    Range,
    National,
    Zone,
    Store,
    Offer,
    Scrape,
    Link,
    Dirt,
}

/// The values of one use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64, what: Use) -> Dice {
        Dice(mix(mix(seed) ^ what as u64))
    }

    /// Returns the value of one thing.
    #[inline]
    pub(super) fn roll(self, of: u64) -> u64 {
        mix(self.0.wrapping_add(of.wrapping_mul(GOLDEN)))
    }

    /// Returns the value of a pair.
    #[inline]
    pub(super) fn roll_two(self, a: u32, b: u32) -> u64 {
        self.roll(u64::from(a) << 32 | u64::from(b))
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
#[inline]
fn mix(of: u64) -> u64 {
    let z = of.wrapping_add(GOLDEN);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Returns a part of a value as a number below `below`.
#[inline]
pub(super) fn below(roll: u64, below: u32) -> u32 {
    ((u64::from(roll as u32) * u64::from(below)) >> 32) as u32
}
