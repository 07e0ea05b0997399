//! Timestamps in Okta's formats.

use jiff::Timestamp;
use serde_json::Value;

/// Formats a timestamp as `2026-03-25T06:09:58.123Z`, as most of the API does.
pub(super) fn millis(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// Formats a timestamp as `2026-03-25T06:09:58Z`, as the group push mappings do.
pub(super) fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Returns [`millis`], or null for an event that has not happened.
pub(super) fn millis_or_null(time: Option<Timestamp>) -> Value {
    time.map(millis).into()
}
