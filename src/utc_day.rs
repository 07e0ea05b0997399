//! The day of a time in UTC, in which limits and ages are counted.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Returns the day of a time in UTC.
pub(crate) fn utc_day(time: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(time).date()
}
