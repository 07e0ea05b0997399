//! MD-EXT, and the modules for extensions that have their own rules.

mod attributes;
mod registration;
mod scope;
mod ui;

use super::{report::Report, rules::extension as rules};
use crate::{Element, EntityDescriptor, reader::escape::shorten, tree::NamespaceId};

/// The place that the specification of an extension allows for it.
struct AllowedPlace {
    namespace: NamespaceId,
    local_name: &'static str,
    /// Local names of the elements whose `Extensions` may contain it; empty for any element.
    parents: &'static [&'static str],
}

const fn allowed(
    namespace: NamespaceId,
    local_name: &'static str,
    parents: &'static [&'static str],
) -> AllowedPlace {
    AllowedPlace {
        namespace,
        local_name,
        parents,
    }
}

const ENTITIES: &[&str] = &["EntityDescriptor", "EntitiesDescriptor"];

/// The extensions that the crate knows. An extension with its own rule about its place has no
/// parents here.
const ALLOWED: [AllowedPlace; 12] = [
    allowed(NamespaceId::UI, "UIInfo", &[]),
    allowed(NamespaceId::UI, "DiscoHints", &[]),
    allowed(NamespaceId::REGISTRATION, "RegistrationInfo", &[]),
    allowed(NamespaceId::REGISTRATION, "PublicationInfo", &[]),
    allowed(NamespaceId::REGISTRATION, "PublicationPath", ENTITIES),
    allowed(NamespaceId::ENTITY_ATTRIBUTES, "EntityAttributes", &[]),
    allowed(NamespaceId::ALGORITHM, "DigestMethod", &[]),
    allowed(NamespaceId::ALGORITHM, "SigningMethod", &[]),
    allowed(
        NamespaceId::SHIBBOLETH,
        "Scope",
        &[
            "EntityDescriptor",
            "IDPSSODescriptor",
            "AttributeAuthorityDescriptor",
        ],
    ),
    allowed(NamespaceId::SHIBBOLETH, "KeyAuthority", ENTITIES),
    allowed(
        NamespaceId::DISCOVERY,
        "DiscoveryResponse",
        &["SPSSODescriptor"],
    ),
    allowed(
        NamespaceId::REQUEST_INITIATION,
        "RequestInitiator",
        &["SPSSODescriptor"],
    ),
];

/// The child elements that extensions of these two namespaces may contain.
const INSIDE: [(NamespaceId, &str, &[&str]); 4] = [
    (
        NamespaceId::UI,
        "UIInfo",
        &[
            "DisplayName",
            "Description",
            "Keywords",
            "Logo",
            "InformationURL",
            "PrivacyStatementURL",
        ],
    ),
    (
        NamespaceId::UI,
        "DiscoHints",
        &["IPHint", "DomainHint", "GeolocationHint"],
    ),
    (
        NamespaceId::REGISTRATION,
        "RegistrationInfo",
        &["RegistrationPolicy"],
    ),
    (
        NamespaceId::REGISTRATION,
        "PublicationInfo",
        &["UsagePolicy"],
    ),
];

/// Checks one element. The caller passes all elements in document order.
pub(super) fn check(report: &mut Report<'_>, element: Element<'_>) {
    match element.namespace_id() {
        NamespaceId::METADATA if element.local_name() == "Extensions" => {
            check_children(report, element);
        }
        NamespaceId::UI => {
            ui::check(report, element);
            check_inside(report, element);
        }
        NamespaceId::REGISTRATION => {
            registration::check(report, element);
            check_inside(report, element);
        }
        NamespaceId::ENTITY_ATTRIBUTES => attributes::check(report, element),
        NamespaceId::SHIBBOLETH => scope::check(report, element),
        _ => {}
    }
}

pub(super) fn check_entity(report: &mut Report<'_>, entity: EntityDescriptor<'_>) {
    ui::check_entity(report, entity);
    registration::check_entity(report, entity);
    attributes::check_entity(report, entity);
}

/// Returns the element whose `Extensions` contains this element.
fn extended(element: Element<'_>) -> Option<Element<'_>> {
    let extensions = element.parent()?;
    if !extensions.is_in(NamespaceId::METADATA, "Extensions") {
        return None;
    }
    let parent = extensions.parent()?;
    (parent.namespace_id() == NamespaceId::METADATA).then_some(parent)
}

/// Returns whether an earlier sibling has the same name.
fn is_second(element: Element<'_>, local_name: &'static str) -> bool {
    let first = element
        .parent()
        .and_then(|parent| parent.child_in(element.namespace_id(), local_name));
    first.is_some_and(|first| first != element)
}

/// Checks that extensions of known namespaces are known, and are in a place where consumers read
/// them.
fn check_children(report: &mut Report<'_>, extensions: Element<'_>) {
    let around = extensions.parent().map_or("", Element::local_name);
    for child in extensions.children() {
        let namespace = child.namespace_id();
        let mut family = ALLOWED
            .iter()
            .filter(|place| place.namespace == namespace)
            .peekable();
        if family.peek().is_none() {
            continue;
        }
        let name = child.local_name();
        match family.find(|place| place.local_name == name) {
            Some(place) if place.parents.is_empty() || place.parents.contains(&around) => {}
            Some(_) => {
                let message = format!("consumers do not read {name} in the Extensions of {around}");
                report.add(&rules::EXT_01, child, message);
            }
            None => {
                let names = ALLOWED
                    .iter()
                    .filter(|place| place.namespace == namespace)
                    .map(|place| place.local_name);
                report_unknown(report, child, names);
            }
        }
    }
}

fn check_inside(report: &mut Report<'_>, element: Element<'_>) {
    let known = INSIDE
        .iter()
        .find(|(namespace, name, _)| element.is_in(*namespace, name));
    let Some((namespace, _, names)) = known else {
        return;
    };
    for child in element.children() {
        // UIInfo and DiscoHints may also contain elements of other namespaces.
        if child.namespace_id() == *namespace && !names.contains(&child.local_name()) {
            report_unknown(report, child, names.iter().copied());
        }
    }
}

fn report_unknown(
    report: &mut Report<'_>,
    element: Element<'_>,
    mut names: impl Iterator<Item = &'static str>,
) {
    let name = element.local_name();
    let message = match names.find(|known| known.eq_ignore_ascii_case(name)) {
        Some(known) => format!("{} must be spelled {known}", shorten(name)),
        None => format!("{} is not defined in its namespace", shorten(name)),
    };
    report.add(&rules::EXT_01, element, message);
}
