//! Checks of time limits, with the allowed clock skew.

use jiff::Timestamp;
use saml_metadata::Element;

use super::{
    Expectations, LintReport, LintRule, rule,
    values::{quoted, short},
};

/// The kind of a time limit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// The earliest valid time.
    NotBefore,
    /// The end of the validity. This time itself is no longer valid.
    NotOnOrAfter,
}

/// Parses the time in an attribute. A SAML time is in UTC and has a time zone (core 1.3.3).
pub(super) fn read(element: Element<'_>, name: &str, report: &mut LintReport) -> Option<Timestamp> {
    let text = element.attribute(name)?;
    if let Ok(time) = text.trim().parse::<Timestamp>() {
        return Some(time);
    }
    let expected = "a time in UTC, such as 2026-11-24T12:00:00Z";
    report.add(
        &rule::TIME_05,
        element,
        format!("{name} is {:?}", short(text)),
        expected.to_owned(),
    );
    None
}

/// Checks the time of the sign-in against a limit. A violation within the clock skew is only a warning.
pub(super) fn check(
    element: Element<'_>,
    name: &'static str,
    bound: Bound,
    rule: &'static LintRule,
    expectations: &Expectations,
    report: &mut LintReport,
) {
    let Some(limit) = read(element, name, report) else {
        return;
    };
    let now = expectations.now;
    let is_within = |now: Timestamp| match bound {
        Bound::NotBefore => now >= limit,
        Bound::NotOnOrAfter => now < limit,
    };
    if is_within(now) {
        return;
    }
    let shifted = match bound {
        Bound::NotBefore => now.checked_add(expectations.skew).unwrap_or(Timestamp::MAX),
        Bound::NotOnOrAfter => now.checked_sub(expectations.skew).unwrap_or(Timestamp::MIN),
    };
    let found = format!("{name} is {}", quoted(element.attribute(name)));
    let relation = match bound {
        Bound::NotBefore => "at or before",
        Bound::NotOnOrAfter => "after",
    };
    let expected = format!("{relation} the sign-in time {now}");
    if is_within(shifted) {
        let expected = format!(
            "{expected}; the difference is within the allowed clock skew of {:#}",
            expectations.skew
        );
        report.warn(rule, element, found, expected);
    } else {
        report.add(rule, element, found, expected);
    }
}
