//! The number of operations that may run at the same time.

use std::time::Duration;

/// Learns how many operations the instance accepts at a time.
///
/// Versions of the page "IAM Identity Center quotas" say 10 and 15. The limit belongs to the
/// instance, so it also counts operations of other tools.
#[derive(Debug)]
pub(super) struct Window {
    limit: u32,
    max: u32,
    /// Whether AWS has accepted as many operations as the limit allows.
    reached: bool,
    grow_at: Duration,
    /// The time until the next growth after a refusal.
    grow_pause: Duration,
    refused_at: Option<Duration>,
    /// The foreign operations that were known at the last refusal, until a list corrects the
    /// number.
    foreign_at_refusal: Option<u32>,
    conflict_at: Option<Duration>,
}

impl Window {
    pub(super) fn new(start: u32, max: u32) -> Self {
        let max = max.max(1);
        Self {
            limit: start.clamp(1, max),
            max,
            reached: false,
            grow_at: Duration::ZERO,
            grow_pause: FIRST_PAUSE,
            refused_at: None,
            foreign_at_refusal: None,
            conflict_at: None,
        }
    }

    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    /// Returns how many own operations may be outstanding. At least 1: otherwise another tool that
    /// always fills the instance would keep this one from starting anything.
    pub(super) fn own(&self, foreign: u32) -> u32 {
        self.limit.saturating_sub(foreign).max(1)
    }

    /// Records that an operation was accepted while `total` were outstanding, including this one.
    pub(super) fn accepted(&mut self, total: u32) {
        self.reached |= total >= self.limit;
    }

    /// Returns when the limit grows, if AWS has accepted as many operations as the limit allows.
    pub(super) fn grows_at(&self) -> Option<Duration> {
        (self.reached && self.limit < self.max).then_some(self.grow_at)
    }

    pub(super) fn grow(&mut self, now: Duration) {
        if self.grows_at().is_some_and(|at| at <= now) {
            self.limit += 1;
            self.reached = false;
            self.grow_at = now + GROW_INTERVAL;
        }
    }

    /// Records a refusal while `total` other operations were outstanding, `foreign` of them of
    /// other tools.
    pub(super) fn refused(&mut self, now: Duration, sent_at: Duration, total: u32, foreign: u32) {
        self.limit = total.clamp(1, self.max);
        self.reached = false;
        self.foreign_at_refusal = Some(foreign);
        // Requests that were sent before the last refusal belong to the same burst.
        if self
            .refused_at
            .is_none_or(|refused_at| sent_at > refused_at)
        {
            self.grow_at = now + self.grow_pause;
            self.grow_pause = (self.grow_pause * 2).min(LONGEST_PAUSE);
        }
        self.refused_at = Some(now);
    }

    /// Records a conflict in an idle account. Returns whether it counts as a refusal of the limit:
    /// AWS may report the limit as a conflict, and two such conflicts are rarely a coincidence.
    pub(super) fn conflict(&mut self, now: Duration, total: u32) -> bool {
        let before = self.conflict_at.replace(now);
        let repeated = before.is_some_and(|before| now < before + CONFLICT_SPAN);
        let counts = repeated && total >= SMALLEST_QUOTA;
        if counts {
            self.conflict_at = None;
        }
        counts
    }

    /// Records the number of foreign operations in a new list.
    ///
    /// If foreign operations caused the last refusal and were not known then, they are part of the
    /// limit.
    pub(super) fn listed(&mut self, foreign: u32) {
        if let Some(before) = self.foreign_at_refusal.take() {
            self.limit = (self.limit + foreign.saturating_sub(before)).min(self.max);
        }
    }
}

const GROW_INTERVAL: Duration = Duration::from_millis(250);
const FIRST_PAUSE: Duration = Duration::from_mins(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);
const CONFLICT_SPAN: Duration = Duration::from_secs(5);
/// The smaller of the documented quotas (IAM Identity Center quotas).
const SMALLEST_QUOTA: u32 = 10;
