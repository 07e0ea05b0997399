//! Checks the rules MD-RPI: registration and publication of an entity.

use jiff::Timestamp;

use super::{extended, is_second};
use crate::{
    Element, EntityDescriptor,
    model::{extensions::RegistrationInfo, time::parse_date_time, values::uri},
    reader::{chars::is_blank, escape::shorten},
    tree::NamespaceId,
    validate::{report::Report, rules::extension as rules},
};

pub(super) fn check(report: &mut Report<'_>, element: Element<'_>) {
    let (name, instant) = match element.local_name() {
        "RegistrationInfo" => ("RegistrationInfo", "registrationInstant"),
        "PublicationInfo" => ("PublicationInfo", "creationInstant"),
        _ => return,
    };
    check_place(report, element, name);
    check_instant(report, element, instant);
    if name == "RegistrationInfo" {
        check_authority(report, element);
        check_policy(report, RegistrationInfo::new(element));
    } else if element
        .own_attribute(name!("publisher"))
        .is_none_or(is_blank)
    {
        report.add(&rules::RPI_02, element, "PublicationInfo has no publisher");
    }
}

fn check_place(report: &mut Report<'_>, element: Element<'_>, name: &'static str) {
    let around = extended(element).filter(|around| {
        matches!(
            around.local_name(),
            "EntityDescriptor" | "EntitiesDescriptor"
        )
    });
    let Some(around) = around else {
        let message = format!("{name} must be in the Extensions of an entity or group");
        report.add(&rules::RPI_01, element, message);
        return;
    };
    if is_second(element) {
        report.add(&rules::RPI_01, element, format!("{name} appears twice"));
    } else if name == "PublicationInfo" {
        if around.parent().is_some() {
            let message = "PublicationInfo is not in the Extensions of the root element";
            report.add_minor(&rules::RPI_01, element, message);
        }
    } else if of_groups(around).next().is_some() {
        let message = "an enclosing group also has a RegistrationInfo";
        report.add(&rules::RPI_01, element, message);
    }
}

/// Returns the `RegistrationInfo` elements of the groups around an entity or group.
fn of_groups(element: Element<'_>) -> impl Iterator<Item = Element<'_>> {
    element.ancestors().skip(1).filter_map(registration_of)
}

fn registration_of(element: Element<'_>) -> Option<Element<'_>> {
    // The search stops at the first entity. It runs for every entity, and a group may have
    // thousands of entities and no Extensions.
    element
        .children()
        .take_while(|child| {
            !child.is_in(NamespaceId::METADATA, name!("EntityDescriptor"))
                && !child.is_in(NamespaceId::METADATA, name!("EntitiesDescriptor"))
        })
        .find(|child| child.is_in(NamespaceId::METADATA, name!("Extensions")))?
        .child_in(NamespaceId::REGISTRATION, name!("RegistrationInfo"))
}

fn check_instant(report: &mut Report<'_>, element: Element<'_>, name: &'static str) {
    let Some(text) = element.attribute(name) else {
        return;
    };
    let target = (element, name);
    match parse_date_time(text) {
        Err(error) => report.add(&rules::RPI_02, target, format!("{name} {error}")),
        Ok(time) if !time.is_utc => {
            let message = format!("{name} is not in UTC (it must end with Z)");
            report.add(&rules::RPI_02, target, message);
        }
        Ok(time) if is_future(report, time.timestamp) => {
            let message = format!("{name} is in the future");
            report.add(&rules::RPI_02, target, message);
        }
        Ok(_) => {}
    }
}

fn is_future(report: &Report<'_>, time: Timestamp) -> bool {
    time.duration_since(report.now) > report.policy.clock_skew
}

fn check_authority(report: &mut Report<'_>, element: Element<'_>) {
    let authority = uri(element, name!("registrationAuthority"));
    let expected = &report.policy.registration_authorities;
    if authority.is_empty() {
        let message = "RegistrationInfo has no registrationAuthority";
        report.add(&rules::RPI_02, element, message);
    } else if !expected.is_empty() && expected.iter().all(|expected| expected != authority) {
        let message = format!(
            "the policy does not expect the registrationAuthority {:?}",
            shorten(authority)
        );
        report.add(&rules::RPI_02, (element, "registrationAuthority"), message);
    }
}

fn check_policy(report: &mut Report<'_>, info: RegistrationInfo<'_>) {
    let mut policies = info.policies().peekable();
    let element = info.element();
    if policies.peek().is_none() {
        let message = "RegistrationInfo has no RegistrationPolicy";
        report.add(&rules::RPI_03, element, message);
    } else if !policies.any(|policy| is_english(policy.language())) {
        let message = "RegistrationInfo has no RegistrationPolicy in English";
        report.add(&rules::RPI_03, element, message);
    }
}

/// Returns whether a language tag is a tag for English.
pub(super) fn is_english(language: &str) -> bool {
    let primary = language.split('-').next().unwrap_or(language);
    primary.eq_ignore_ascii_case("en")
}

pub(super) fn check_entity(report: &mut Report<'_>, entity: EntityDescriptor<'_>) {
    let element = entity.element();
    if element
        .ancestors()
        .all(|around| registration_of(around).is_none())
    {
        let message = "neither the entity nor an enclosing group has a RegistrationInfo";
        report.add_minor(&rules::RPI_02, element, message);
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use crate::{Profile, element::STEPS, read, validate};

    /// Returns the number of children that the checks visit in a group of this many entities.
    fn steps(entities: usize) -> usize {
        let mut text =
            r#"<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">"#.to_owned();
        for number in 0..entities {
            write!(text, r#"<md:EntityDescriptor entityID="urn:{number}"/>"#).expect("a string");
        }
        text.push_str("</md:EntitiesDescriptor>");
        let document = read(text.as_bytes()).expect("a document");
        let now = "2026-11-24T12:00:00Z".parse().expect("a time");
        let before = STEPS.get();
        // The entities have no RegistrationInfo and are reported, so the whole rule runs.
        assert!(!validate(&document, Profile::Edugain, now).is_empty());
        STEPS.get() - before
    }

    #[test]
    fn the_work_grows_linearly_with_the_number_of_entities() {
        let (few, many) = (steps(200), steps(1600));
        assert!(many < few * 10, "{few} and {many} steps");
    }
}
