//! Checks the rules MD-EXT, and calls the checks of extensions that have separate rules.

mod attributes;
mod registration;
mod scope;
mod ui;

use super::{report::Report, rules::extension as rules};
use crate::{Element, EntityDescriptor, reader::escape::shorten, tree::NamespaceId};

/// An extension that the crate knows, and the elements that may contain it.
struct KnownExtension {
    namespace: NamespaceId,
    local_name: &'static str,
    /// Local names of the elements whose `Extensions` may contain it; empty for any element.
    parents: &'static [&'static str],
}

const fn known(
    namespace: NamespaceId,
    local_name: &'static str,
    parents: &'static [&'static str],
) -> KnownExtension {
    KnownExtension {
        namespace,
        local_name,
        parents,
    }
}

const ENTITIES: &[&str] = &["EntityDescriptor", "EntitiesDescriptor"];

/// The extensions that the crate knows. If a separate rule checks the parent of an extension, the
/// list of parents is empty here.
const KNOWN: [KnownExtension; 12] = [
    known(NamespaceId::UI, "UIInfo", &[]),
    known(NamespaceId::UI, "DiscoHints", &[]),
    known(NamespaceId::REGISTRATION, "RegistrationInfo", &[]),
    known(NamespaceId::REGISTRATION, "PublicationInfo", &[]),
    known(NamespaceId::REGISTRATION, "PublicationPath", ENTITIES),
    known(NamespaceId::ENTITY_ATTRIBUTES, "EntityAttributes", &[]),
    known(NamespaceId::ALGORITHM, "DigestMethod", &[]),
    known(NamespaceId::ALGORITHM, "SigningMethod", &[]),
    known(
        NamespaceId::SHIBBOLETH,
        "Scope",
        &[
            "EntityDescriptor",
            "IDPSSODescriptor",
            "AttributeAuthorityDescriptor",
        ],
    ),
    known(NamespaceId::SHIBBOLETH, "KeyAuthority", ENTITIES),
    known(
        NamespaceId::DISCOVERY,
        "DiscoveryResponse",
        &["SPSSODescriptor"],
    ),
    known(
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
    if !extensions.is_in(NamespaceId::METADATA, name!("Extensions")) {
        return None;
    }
    let parent = extensions.parent()?;
    (parent.namespace_id() == NamespaceId::METADATA).then_some(parent)
}

/// Returns whether an earlier sibling has the same name.
fn is_second(element: Element<'_>) -> bool {
    let first = element
        .parent()
        .and_then(|parent| parent.child_in(element.namespace_id(), element.local_name_number()));
    first.is_some_and(|first| first != element)
}

/// Checks that extensions of known namespaces are known, and that consumers read them in this
/// element.
fn check_children(report: &mut Report<'_>, extensions: Element<'_>) {
    let around = extensions.parent().map_or("", Element::local_name);
    for child in extensions.children() {
        let namespace = child.namespace_id();
        let mut family = KNOWN
            .iter()
            .filter(|known| known.namespace == namespace)
            .peekable();
        if family.peek().is_none() {
            continue;
        }
        let name = child.local_name();
        match family.find(|known| known.local_name == name) {
            Some(known) if known.parents.is_empty() || known.parents.contains(&around) => {}
            Some(_) => {
                let message = format!("consumers do not read {name} in the Extensions of {around}");
                report.add(&rules::EXT_01, child, message);
            }
            None => {
                let names = KNOWN
                    .iter()
                    .filter(|known| known.namespace == namespace)
                    .map(|known| known.local_name);
                report_unknown(report, child, names);
            }
        }
    }
}

fn check_inside(report: &mut Report<'_>, element: Element<'_>) {
    let known = INSIDE.iter().find(|(namespace, name, _)| {
        element.namespace_id() == *namespace && element.local_name() == *name
    });
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
