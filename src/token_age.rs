//! The age of the access token of AWS's SCIM endpoint.

use jiff::{Timestamp, ToSpan as _, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    plan::{Note, count},
    text::Shown,
    utc_day::utc_day,
};

/// The age of the access token of AWS's SCIM endpoint, as far as the runs know it.
///
/// AWS does not tell when a token expires. A token is valid for one year, so it expires 365 days after the run that used it
/// first, or before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct TokenAge {
    /// The [fingerprint](rest_core::Secret::fingerprint) of the token.
    pub fingerprint: String,
    /// The day (UTC) on which a run used the token first.
    #[schemars(with = "String")]
    pub first_used: Date,
}

impl TokenAge {
    /// Returns the age of a token. `known` is the age that an earlier run has saved, which counts if it is the same token.
    pub(crate) fn of(fingerprint: &str, known: Option<&Self>, now: Timestamp) -> Self {
        match known {
            Some(known) if known.fingerprint == fingerprint => known.clone(),
            _ => Self {
                fingerprint: fingerprint.to_owned(),
                first_used: utc_day(now),
            },
        }
    }

    /// Returns the day on which the token expires at the latest.
    #[must_use]
    pub fn expires(&self) -> Date {
        self.first_used.saturating_add(VALID_DAYS.days())
    }

    /// Returns the number of days until the token expires at the latest. It is negative after that day.
    #[must_use]
    pub fn days_left(&self, today: Date) -> i32 {
        today
            .until(self.expires())
            .map_or(0, |span| span.get_days())
    }

    /// Returns a warning if the token expires in at most 90 days. Its code tells which limit of 90, 30 and 7 days is reached.
    pub(crate) fn warning(&self, now: Timestamp) -> Option<Note> {
        let left = self.days_left(utc_day(now));
        let code = match left {
            ..=7 => "scim-token-expires-7-days",
            8..=30 => "scim-token-expires-30-days",
            31..=90 => "scim-token-expires-90-days",
            _ => return None,
        };
        let (expires, first_used) = (self.expires(), self.first_used);
        let expires = match usize::try_from(left) {
            Ok(0) => format!("expires today ({expires}) at the latest"),
            Ok(days) => format!(
                "expires on {expires} at the latest, in {}",
                count(days, "day")
            ),
            Err(_past) => format!("expired on {expires} at the latest, unless AWS has extended it"),
        };
        let token = Shown(&self.fingerprint);
        Some(Note::new(
            code,
            format!(
                "the SCIM access token {token}, first used on {first_used}, {expires}: generate a second one in IAM Identity Center > Settings > Automatic provisioning > Manage provisioning, replace it where it is used, then delete the old one"
            ),
        ))
    }
}

/// The number of days that AWS's token is valid, from its creation.
const VALID_DAYS: i32 = 365;

#[cfg(test)]
mod tests {
    use super::*;

    fn age(first_used: &str) -> TokenAge {
        TokenAge {
            fingerprint: "0a1b2c3d".to_owned(),
            first_used: first_used.parse().expect("a date"),
        }
    }

    fn at(day: &str) -> Timestamp {
        format!("{day}T12:00:00Z").parse().expect("a time")
    }

    #[test]
    fn a_token_is_warned_about_90_30_and_7_days_before_its_latest_end() {
        let token = age("2026-01-10");
        let code = |day| token.warning(at(day)).map(|note| note.code.to_string());
        assert_eq!(token.expires(), "2027-01-10".parse().expect("a date"));
        for (day, expected) in [
            ("2026-10-11", None),
            ("2026-10-12", Some("scim-token-expires-90-days")),
            ("2026-12-10", Some("scim-token-expires-90-days")),
            ("2026-12-11", Some("scim-token-expires-30-days")),
            ("2027-01-02", Some("scim-token-expires-30-days")),
            ("2027-01-03", Some("scim-token-expires-7-days")),
            ("2027-01-10", Some("scim-token-expires-7-days")),
            ("2027-03-01", Some("scim-token-expires-7-days")),
        ] {
            assert_eq!(code(day).as_deref(), expected, "{day}");
        }
        let text = |day| {
            token
                .warning(at(day))
                .map_or_else(String::new, |note| note.text)
        };
        assert!(text("2027-01-09").contains("expires on 2027-01-10 at the latest, in 1 day:"));
        assert!(text("2027-01-10").contains("expires today"));
        assert!(text("2027-01-11").contains("expired on 2027-01-10"));
    }

    #[test]
    fn another_token_starts_a_new_year() {
        let known = age("2026-01-10");
        let now = at("2026-12-01");
        assert_eq!(TokenAge::of("0a1b2c3d", Some(&known), now), known);
        let other = TokenAge::of("ffffffff", Some(&known), now);
        assert_eq!(other.first_used, "2026-12-01".parse().expect("a date"));
        assert_eq!(TokenAge::of("ffffffff", None, now), other);
    }
}
