//! Pauses that grow and differ.

use std::time::Duration;

/// A source of random pauses (`SplitMix64`). The same seed gives the same pauses.
#[derive(Debug)]
pub(super) struct Jitter(u64);

impl Jitter {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the pause after `repeats` earlier ones: twice as long each time, at most 16 seconds,
    /// times a random factor from 0.75 to 1.25.
    pub(super) fn pause(&mut self, first: Duration, repeats: u32) -> Duration {
        let pause = first.saturating_mul(1 << repeats.min(16)).min(LONGEST);
        pause.mul_f64(0.75 + 0.5 * self.next())
    }

    /// Returns a number from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "the number has 32 bits")]
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 32) as f64 / 2_f64.powi(32)
    }
}

const LONGEST: Duration = Duration::from_secs(16);
