//! The removals of the last days, by kind.

use std::collections::BTreeMap;

use jiff::{ToSpan as _, civil::Date};
use serde::{Deserialize, Serialize};

use super::WINDOW_DAYS;
use crate::plan::Kind;

/// The removals of the last 7 days, in the state of the integration.
///
/// A run adds its removals before its first change, so that a run that is killed counts too. At its end, it takes back the
/// removals that were not made. Without a history, as after a loss of the state, the limits of the window are used up for 7
/// days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RemovalHistory {
    /// The day on which the history begins (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Date>,
    /// The removals by day (UTC) and kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub days: BTreeMap<Date, BTreeMap<Kind, Removed>>,
}

/// Removals of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Removed {
    /// The number of removals.
    pub removals: u64,
    /// The sum of the shares of all objects of this kind, in parts per million.
    pub parts_per_million: u64,
}

impl RemovalHistory {
    /// Returns the removals of a kind in the window that ends today, or `None` if the history is shorter than the window.
    pub(super) fn in_window(&self, kind: Kind, today: Date) -> Option<Removed> {
        let first = first_day(today);
        // Of its first day, the history may lack the removals before the loss of an earlier state.
        if self.since.is_none_or(|since| since >= first) {
            return None;
        }
        // A day in the future counts: the system clock was set back.
        let days = self.days.range(first..);
        let mut sum = Removed::default();
        for removed in days.filter_map(|(_, kinds)| kinds.get(&kind)) {
            sum.removals += removed.removals;
            sum.parts_per_million += removed.parts_per_million;
        }
        Some(sum)
    }

    /// Adds the removals of a run, and forgets the days before the window.
    pub(crate) fn add(
        &mut self,
        today: Date,
        removals: &BTreeMap<Kind, u64>,
        totals: &BTreeMap<Kind, u64>,
    ) {
        self.since.get_or_insert(today);
        self.days = self.days.split_off(&first_day(today));
        for (kind, number) in removals {
            let removed = self
                .days
                .entry(today)
                .or_default()
                .entry(*kind)
                .or_default();
            removed.removals += number;
            removed.parts_per_million += share(*number, totals.get(kind).copied());
        }
    }

    /// Takes back what [`add`](Self::add) has added for removals that were not made.
    pub(crate) fn refund(
        &mut self,
        day: Date,
        planned: &BTreeMap<Kind, u64>,
        made: &BTreeMap<Kind, u64>,
        totals: &BTreeMap<Kind, u64>,
    ) {
        let Some(kinds) = self.days.get_mut(&day) else {
            return;
        };
        for (kind, planned) in planned {
            let Some(removed) = kinds.get_mut(kind) else {
                continue;
            };
            let (made, total) = (
                made.get(kind).copied().unwrap_or(0),
                totals.get(kind).copied(),
            );
            let not_made = planned.saturating_sub(made);
            let unused = share(*planned, total).saturating_sub(share(made, total));
            removed.removals = removed.removals.saturating_sub(not_made);
            removed.parts_per_million = removed.parts_per_million.saturating_sub(unused);
        }
        kinds.retain(|_, removed| removed.removals > 0);
        self.days.retain(|_, kinds| !kinds.is_empty());
    }
}

/// Returns a share in parts per million, rounded up. Without a total, the share is the whole.
fn share(number: u64, total: Option<u64>) -> u64 {
    match total {
        Some(total) if total > 0 => (number * WHOLE).div_ceil(total),
        _ if number == 0 => 0,
        _ => WHOLE,
    }
}

/// Returns the first day of the window that ends today.
fn first_day(today: Date) -> Date {
    today.saturating_sub((WINDOW_DAYS - 1).days())
}

const WHOLE: u64 = 1_000_000;
