//! Counts of items, and the rate at which they end.

use std::{collections::VecDeque, time::Duration};

use super::{End, State};

#[derive(Debug)]
pub(super) struct Counts {
    pub(super) total: u32,
    pub(super) done: u32,
    pub(super) failed: u32,
    pub(super) skipped: u32,
    /// Items in the queues of their accounts.
    pub(super) waiting: u32,
    /// Deletes that wait for creates.
    pub(super) held: u32,
    /// When the latest operations left the list of operations in progress.
    left_at: VecDeque<Duration>,
}

impl Counts {
    /// Creates the counts of `total` items that are all held.
    pub(super) fn new(total: usize) -> Self {
        let total = u32::try_from(total).unwrap_or(u32::MAX);
        Self {
            total,
            done: 0,
            failed: 0,
            skipped: 0,
            waiting: 0,
            held: total,
            left_at: VecDeque::new(),
        }
    }

    pub(super) fn unfinished(&self) -> u32 {
        self.total - self.done - self.failed - self.skipped
    }

    pub(super) fn change(&mut self, old: State, new: State) {
        self.waiting -= u32::from(old == State::Waiting);
        self.waiting += u32::from(new == State::Waiting);
        self.held -= u32::from(old == State::Held);
        self.held += u32::from(new == State::Held);
    }

    pub(super) fn end<R>(&mut self, end: &End<R>) {
        match end {
            End::Succeeded | End::AlreadyDone => self.done += 1,
            End::Failed(_) | End::TimedOut => self.failed += 1,
            End::Skipped(_) => self.skipped += 1,
        }
    }

    pub(super) fn left(&mut self, now: Duration) {
        self.left_at.push_back(now);
        if self.left_at.len() > RATE_SAMPLES {
            self.left_at.pop_front();
        }
    }

    /// Returns the mean time between two ends of operations, in seconds.
    pub(super) fn interval(&self) -> Option<f64> {
        let (first, last) = (self.left_at.front()?, self.left_at.back()?);
        let span = last.saturating_sub(*first).as_secs_f64();
        let intervals = u32::try_from(self.left_at.len() - 1).ok()?;
        (span > 0.0).then(|| span / f64::from(intervals))
    }
}

/// The number of operations from whose ends the rate is computed.
const RATE_SAMPLES: usize = 60;
