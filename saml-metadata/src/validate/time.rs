//! Checks the rules MD-TIME: `validUntil` and `cacheDuration` of the metadata.

use jiff::{SignedDuration, Timestamp};

use super::{report::Report, rules::document as rules};
use crate::{
    Element,
    model::time::{CacheDuration, parse_date_time, parse_duration},
    tree::NamespaceId,
};

/// The limits of `cacheDuration` in eduGAIN's practice statement (rule MD-TIME-05).
const MIN_CACHE_DURATION: SignedDuration = SignedDuration::from_hours(1);
const MAX_CACHE_DURATION: SignedDuration = SignedDuration::from_hours(6);

pub(super) fn check(report: &mut Report<'_>, element: Element<'_>) {
    if !has_lifetime(element) {
        return;
    }
    let until = check_until(report, element);
    let cache = check_cache(report, element, until);
    if element == report.document.root() {
        check_root(report, element, until, cache);
    }
}

/// Returns whether the rules check `validUntil` and `cacheDuration` of the element: the descriptors
/// of the schema, and `KeyDescriptor`, on which the schema does not allow these attributes.
fn has_lifetime(element: Element<'_>) -> bool {
    let descriptors = names![
        "EntitiesDescriptor",
        "EntityDescriptor",
        "RoleDescriptor",
        "IDPSSODescriptor",
        "SPSSODescriptor",
        "AuthnAuthorityDescriptor",
        "AttributeAuthorityDescriptor",
        "PDPDescriptor",
        "AffiliationDescriptor",
        "KeyDescriptor",
    ];
    element.namespace_id() == NamespaceId::METADATA
        && descriptors.contains(element.local_name_number())
}

fn check_until(report: &mut Report<'_>, element: Element<'_>) -> Option<Timestamp> {
    let target = (element, "validUntil");
    let date_time = match parse_date_time(element.own_attribute(name!("validUntil"))?) {
        Ok(date_time) => date_time,
        Err(error) => {
            report.add(&rules::TIME_01, target, format!("validUntil {error}"));
            return None;
        }
    };
    if !date_time.is_utc {
        report.add_minor(
            &rules::TIME_01,
            target,
            "validUntil is not in UTC (it must end with Z)",
        );
    }
    let until = date_time.timestamp;
    if report.now.duration_since(until) > report.policy.clock_skew {
        let message = format!("{} expired at {until}", element.local_name());
        report.add(&rules::TIME_02, target, message);
    }
    Some(until)
}

fn check_cache(
    report: &mut Report<'_>,
    element: Element<'_>,
    until: Option<Timestamp>,
) -> Option<CacheDuration> {
    let text = element.own_attribute(name!("cacheDuration"))?;
    let target = (element, "cacheDuration");
    let cache = match parse_duration(text) {
        Ok(cache) => cache,
        Err(error) => {
            report.add(&rules::TIME_01, target, format!("cacheDuration {error}"));
            return None;
        }
    };
    let length = cache.estimate();
    let end = report.now.saturating_add(length).unwrap_or(Timestamp::MAX);
    if !length.is_positive() {
        report.add(&rules::TIME_05, target, "cacheDuration is not positive");
    } else if until.is_some_and(|until| end > until && until > report.now) {
        report.add(
            &rules::TIME_05,
            target,
            "cacheDuration, counted from now, ends after validUntil",
        );
    } else if length < MIN_CACHE_DURATION || length > MAX_CACHE_DURATION {
        report.add_minor(
            &rules::TIME_05,
            target,
            "cacheDuration is not between one and six hours",
        );
    }
    Some(cache)
}

fn check_root(
    report: &mut Report<'_>,
    root: Element<'_>,
    until: Option<Timestamp>,
    cache: Option<CacheDuration>,
) {
    let has_until = root.own_attribute(name!("validUntil")).is_some();
    if !has_until {
        report.add(&rules::TIME_03, root, "the root element has no validUntil");
    }
    if !has_until && cache.is_none() && root.own_attribute(name!("cacheDuration")).is_none() {
        report.add(
            &rules::TIME_06,
            root,
            "the root element has neither validUntil nor cacheDuration",
        );
    }
    let longest = report.policy.max_validity;
    if until.is_some_and(|until| until.duration_since(report.now) > longest) {
        let days = longest.as_hours() / 24;
        let message = format!("the metadata is valid for more than {days} days from now");
        report.add(&rules::TIME_04, (root, "validUntil"), message);
    }
}
