use jiff::Timestamp;
use saml_metadata::Element;

use super::{
    Expectations, LintReport, LintRule, rule,
    values::{quoted, short},
};

/// Which side of a moment is good.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// `NotBefore`: from it on.
    From,
    /// `NotOnOrAfter`: before it.
    Before,
}

/// Returns a time of an attribute; SAML's times are in UTC and say so (core 1.3.3).
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

/// Holds the moment of the sign-in to a limit, allowing for clocks that differ.
pub(super) fn check(
    element: Element<'_>,
    name: &'static str,
    side: Side,
    rule: &'static LintRule,
    expectations: &Expectations,
    report: &mut LintReport,
) {
    let Some(limit) = read(element, name, report) else {
        return;
    };
    let now = expectations.now;
    let is_within = |now: Timestamp| match side {
        Side::From => now >= limit,
        Side::Before => now < limit,
    };
    if is_within(now) {
        return;
    }
    let shifted = match side {
        Side::From => now.checked_add(expectations.skew).unwrap_or(Timestamp::MAX),
        Side::Before => now.checked_sub(expectations.skew).unwrap_or(Timestamp::MIN),
    };
    let found = format!("{name} is {}", quoted(element.attribute(name)));
    let relation = match side {
        Side::From => "at or before",
        Side::Before => "after",
    };
    let expected = format!("{relation} the moment of the sign-in, {now}");
    if is_within(shifted) {
        let expected = format!(
            "{expected}; it is within the {:#} that clocks may differ",
            expectations.skew
        );
        report.warn(rule, element, found, expected);
    } else {
        report.add(rule, element, found, expected);
    }
}
