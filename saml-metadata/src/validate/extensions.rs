//! MD-EXT, and the families of extensions that have rules of their own.

mod attributes;
mod registration;
mod scope;
mod ui;

use super::{report::Report, rules::extension as rules};
use crate::{Element, EntityDescriptor, reader::escape::shorten, tree::NamespaceId};

/// Where the specification of an extension lets it stand.
struct Home {
    namespace: NamespaceId,
    local_name: &'static str,
    /// The local names of the elements around its `Extensions`; empty for any.
    parents: &'static [&'static str],
}

const fn home(
    namespace: NamespaceId,
    local_name: &'static str,
    parents: &'static [&'static str],
) -> Home {
    Home {
        namespace,
        local_name,
        parents,
    }
}

const ENTITIES: &[&str] = &["EntityDescriptor", "EntitiesDescriptor"];

/// The extensions that the crate knows. Those with a rule of their own about where they stand have
/// no parents here.
const HOMES: [Home; 12] = [
    home(NamespaceId::UI, "UIInfo", &[]),
    home(NamespaceId::UI, "DiscoHints", &[]),
    home(NamespaceId::REGISTRATION, "RegistrationInfo", &[]),
    home(NamespaceId::REGISTRATION, "PublicationInfo", &[]),
    home(NamespaceId::REGISTRATION, "PublicationPath", ENTITIES),
    home(NamespaceId::ENTITY_ATTRIBUTES, "EntityAttributes", &[]),
    home(NamespaceId::ALGORITHM, "DigestMethod", &[]),
    home(NamespaceId::ALGORITHM, "SigningMethod", &[]),
    home(
        NamespaceId::SHIBBOLETH,
        "Scope",
        &[
            "EntityDescriptor",
            "IDPSSODescriptor",
            "AttributeAuthorityDescriptor",
        ],
    ),
    home(NamespaceId::SHIBBOLETH, "KeyAuthority", ENTITIES),
    home(
        NamespaceId::DISCOVERY,
        "DiscoveryResponse",
        &["SPSSODescriptor"],
    ),
    home(
        NamespaceId::REQUEST_INITIATION,
        "RequestInitiator",
        &["SPSSODescriptor"],
    ),
];

/// What stands inside of extensions of these two namespaces.
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

/// Checks one element after the other.
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

/// Returns the element whose `Extensions` an element stands in.
fn extended(element: Element<'_>) -> Option<Element<'_>> {
    let extensions = element.parent()?;
    if !extensions.is_in(NamespaceId::METADATA, "Extensions") {
        return None;
    }
    let parent = extensions.parent()?;
    (parent.namespace_id() == NamespaceId::METADATA).then_some(parent)
}

/// Returns whether an element of the name stands before this one among its siblings.
fn is_second(element: Element<'_>, local_name: &'static str) -> bool {
    let first = element
        .parent()
        .and_then(|parent| parent.child_in(element.namespace_id(), local_name));
    first.is_some_and(|first| first != element)
}

/// Checks that extensions of known namespaces are known ones, and stand where they are read.
fn check_children(report: &mut Report<'_>, extensions: Element<'_>) {
    let around = extensions.parent().map_or("", Element::local_name);
    for child in extensions.children() {
        let namespace = child.namespace_id();
        let mut family = HOMES
            .iter()
            .filter(|home| home.namespace == namespace)
            .peekable();
        if family.peek().is_none() {
            continue;
        }
        let name = child.local_name();
        match family.find(|home| home.local_name == name) {
            Some(home) if home.parents.is_empty() || home.parents.contains(&around) => {}
            Some(_) => {
                let message = format!("{name} is not looked for in the Extensions of {around}");
                report.add(&rules::EXT_01, child, message);
            }
            None => {
                let names = HOMES
                    .iter()
                    .filter(|home| home.namespace == namespace)
                    .map(|home| home.local_name);
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
        // UIInfo and DiscoHints are open to other namespaces.
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
        Some(known) => format!("{} is spelled {known}", shorten(name)),
        None => format!("{} is not an extension of its namespace", shorten(name)),
    };
    report.add(&rules::EXT_01, element, message);
}
