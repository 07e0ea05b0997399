//! Predicts when running operations end.

use std::time::Duration;

/// How long the operations of one kind take, learned from the lists of running operations.
///
/// The lists show only that an operation ended between two reads. Each operation therefore adds one
/// unit of mass to that interval, divided in proportion to the mass that is already there.
#[derive(Debug)]
pub(super) struct Durations {
    /// The mass of each bin. The last bin also holds all longer durations.
    mass: Vec<f64>,
    /// The share of operations that run longer than the start of each bin, times a constant.
    survival: Vec<f64>,
    mean: f64,
    similar: bool,
}

/// A running operation, in seconds of elapsed time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Running {
    pub(super) started: f64,
    /// The last time at which the operation was known to run.
    pub(super) seen: f64,
}

impl Durations {
    pub(super) fn new() -> Self {
        let mut durations = Self {
            mass: vec![0.0; BINS],
            survival: Vec::new(),
            mean: USUAL,
            similar: true,
        };
        durations.refresh();
        durations
    }

    /// Returns the mean duration, in seconds.
    pub(super) fn mean(&self) -> f64 {
        self.mean
    }

    /// Adds an operation that took between `low` and `high`. Call [`refresh`](Self::refresh) after
    /// the last one.
    pub(super) fn add(&mut self, low: Duration, high: Duration) {
        let [low, high] = [low, high].map(|time| bin(time.as_secs_f64()).0.min(BINS - 1));
        let bins = &mut self.mass[low..=high.max(low)];
        let total: f64 = bins.iter().map(|mass| mass + EMPTY).sum();
        for mass in bins {
            *mass += (*mass + EMPTY) / total;
        }
    }

    /// Forgets old operations and updates everything that is derived from the masses.
    pub(super) fn refresh(&mut self) {
        let total: f64 = self.mass.iter().sum();
        if total > MEMORY {
            self.mass
                .iter_mut()
                .for_each(|mass| *mass *= MEMORY / total);
        }
        let total = total.min(MEMORY);
        self.survival.clear();
        let (mut above, mut sum, mut squares) = (total, 0.0, 0.0);
        for (start, mass) in edges().zip(&self.mass) {
            self.survival.push(above + tail(start));
            above = (above - mass).max(0.0);
            let middle = start + BIN / 2.0;
            sum += mass * middle;
            squares += mass * middle * middle;
        }
        self.survival.push(tail(LONGEST));
        self.mean = (sum + USUAL) / (total + 1.0);
        // The standard deviation, compared in squares and without divisions by zero.
        self.similar = squares * total - sum * sum <= (SIMILAR * sum).powi(2);
    }

    /// Returns when to list the running operations again, in seconds of elapsed time.
    ///
    /// A slot whose operation has ended is wasted until a list shows the end. The best time is when
    /// the expected waste reaches a fixed share of the slot time that the operations use.
    pub(super) fn next_list(&self, running: &[Running]) -> Option<f64> {
        let start = running.iter().map(|run| run.seen).reduce(f64::min)?;
        let runs: Vec<_> = running
            .iter()
            .map(|run| (run.started, 1.0 / self.survival(run.seen - run.started)))
            .collect();
        let limit = self.accepted_waste(runs.len());
        let (mut time, mut waste) = (start, 0.0);
        while waste < limit && time < start + LONGEST_PAUSE {
            time += BIN;
            let ended = |(started, scale): &(f64, f64)| {
                (1.0 - self.survival(time - started) * scale).max(0.0)
            };
            waste += BIN * runs.iter().map(ended).sum::<f64>();
        }
        Some(time)
    }

    /// Returns the accepted waste, in slot-seconds.
    ///
    /// If ends are spread evenly and are seen with a mean delay of `LAG` durations, the waste
    /// between two lists is `2 · slots · mean · LAG²`. If the durations are similar, the operations
    /// end in groups, and one list that waits for a whole group is better than several lists.
    fn accepted_waste(&self, running: usize) -> f64 {
        let slots = f64::from(u32::try_from(running).unwrap_or(u32::MAX));
        let factor = if self.similar { GROUP } else { 1.0 };
        2.0 * slots * self.mean * LAG * LAG * factor
    }

    fn survival(&self, age: f64) -> f64 {
        let (index, part) = bin(age);
        let edges = (self.survival.get(index), self.survival.get(index + 1));
        let (Some(left), Some(right)) = edges else {
            return tail(age);
        };
        left + (right - left) * part
    }
}

/// The prior: before anything is known, and for an operation that runs longer than all others, the
/// chance of an end within the next second is one divided by the age.
fn tail(age: f64) -> f64 {
    PRIOR * (SHORTEST / age.max(SHORTEST))
}

fn edges() -> impl Iterator<Item = f64> {
    (0..).take(BINS).map(|index: u16| f64::from(index) * BIN)
}

/// Returns the bin of an age and the part of the bin that is below the age.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a negative age counts as 0, and the number of bins is small"
)]
fn bin(age: f64) -> (usize, f64) {
    let place = age * BINS_PER_SECOND;
    let index = place as u32;
    (index as usize, place.max(0.0) - f64::from(index))
}

/// The width of a bin, in seconds.
const BIN: f64 = 1.0 / BINS_PER_SECOND;
const BINS_PER_SECOND: f64 = 10.0;
const BINS: usize = 600;
const LONGEST: f64 = 60.0;
/// The mean duration before any operation has ended, in seconds. AWS documents no duration.
const USUAL: f64 = 10.0;
/// No list is worth reading before an operation of unknown duration has run this long, in seconds.
const SHORTEST: f64 = 2.0;
/// The weight of the prior, in operations.
const PRIOR: f64 = 0.5;
/// The number of operations after which old ones are forgotten.
const MEMORY: f64 = 50.0;
/// Lets mass into an empty bin.
const EMPTY: f64 = 1e-3;
/// The accepted mean delay until an end is seen, in mean durations.
const LAG: f64 = 0.035;
/// The factor of the accepted waste while durations are similar.
const GROUP: f64 = 5.0;
/// Durations are similar if their standard deviation is at most this share of the mean.
const SIMILAR: f64 = 0.05;
/// The longest time between two lists while operations run, in seconds.
const LONGEST_PAUSE: f64 = 30.0;
