//! Moments as Okta writes them.

use jiff::Timestamp;
use serde_json::Value;

/// `2026-03-25T06:09:58.000Z`, the form of most of the API.
pub(super) fn millis(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// `2026-03-25T06:09:58Z`, the form of the group push mappings.
pub(super) fn seconds(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// [`millis`], or null if it has never happened.
pub(super) fn millis_or_null(moment: Option<Timestamp>) -> Value {
    moment.map(millis).into()
}
