//! Checks the rules MD-EXT, and calls the checks of extensions that have separate rules.

mod attributes;
mod registration;
mod scope;
mod ui;

use super::{report::Report, rules::extension as rules};
use crate::{
    Element, EntityDescriptor, local_name::LocalName, reader::escape::shorten, tree::NamespaceId,
};

/// An extension that the crate knows, and the elements that may contain it.
struct KnownExtension {
    namespace: NamespaceId,
    local_name: LocalName,
    /// Local names of the elements whose `Extensions` may contain it; empty for any element.
    parents: &'static [LocalName],
}

const fn known(
    namespace: NamespaceId,
    local_name: LocalName,
    parents: &'static [LocalName],
) -> KnownExtension {
    KnownExtension {
        namespace,
        local_name,
        parents,
    }
}

const ENTITIES: &[LocalName] = &[name!("EntityDescriptor"), name!("EntitiesDescriptor")];

/// The extensions that the crate knows. If a separate rule checks the parent of an extension, the
/// list of parents is empty here.
const KNOWN: [KnownExtension; 12] = [
    known(NamespaceId::UI, name!("UIInfo"), &[]),
    known(NamespaceId::UI, name!("DiscoHints"), &[]),
    known(NamespaceId::REGISTRATION, name!("RegistrationInfo"), &[]),
    known(NamespaceId::REGISTRATION, name!("PublicationInfo"), &[]),
    known(
        NamespaceId::REGISTRATION,
        name!("PublicationPath"),
        ENTITIES,
    ),
    known(
        NamespaceId::ENTITY_ATTRIBUTES,
        name!("EntityAttributes"),
        &[],
    ),
    known(NamespaceId::ALGORITHM, name!("DigestMethod"), &[]),
    known(NamespaceId::ALGORITHM, name!("SigningMethod"), &[]),
    known(
        NamespaceId::SHIBBOLETH,
        name!("Scope"),
        &[
            name!("EntityDescriptor"),
            name!("IDPSSODescriptor"),
            name!("AttributeAuthorityDescriptor"),
        ],
    ),
    known(NamespaceId::SHIBBOLETH, name!("KeyAuthority"), ENTITIES),
    known(
        NamespaceId::DISCOVERY,
        name!("DiscoveryResponse"),
        &[name!("SPSSODescriptor")],
    ),
    known(
        NamespaceId::REQUEST_INITIATION,
        name!("RequestInitiator"),
        &[name!("SPSSODescriptor")],
    ),
];

/// The child elements that extensions of these two namespaces may contain.
const INSIDE: [(NamespaceId, LocalName, &[LocalName]); 4] = [
    (
        NamespaceId::UI,
        name!("UIInfo"),
        &[
            name!("DisplayName"),
            name!("Description"),
            name!("Keywords"),
            name!("Logo"),
            name!("InformationURL"),
            name!("PrivacyStatementURL"),
        ],
    ),
    (
        NamespaceId::UI,
        name!("DiscoHints"),
        &[
            name!("IPHint"),
            name!("DomainHint"),
            name!("GeolocationHint"),
        ],
    ),
    (
        NamespaceId::REGISTRATION,
        name!("RegistrationInfo"),
        &[name!("RegistrationPolicy")],
    ),
    (
        NamespaceId::REGISTRATION,
        name!("PublicationInfo"),
        &[name!("UsagePolicy")],
    ),
];

/// Checks one element. The caller passes all elements in document order.
pub(super) fn check(report: &mut Report<'_>, element: Element<'_>) {
    match element.namespace_id() {
        NamespaceId::METADATA if element.local_name_number() == name!("Extensions") => {
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
    let around = extensions.parent();
    for child in extensions.children() {
        let namespace = child.namespace_id();
        let mut family = KNOWN
            .iter()
            .filter(|known| known.namespace == namespace)
            .peekable();
        if family.peek().is_none() {
            continue;
        }
        let may_be_in = |parents: &[LocalName]| {
            parents.is_empty()
                || around.is_some_and(|around| parents.contains(&around.local_name_number()))
        };
        match family.find(|known| known.local_name == child.local_name_number()) {
            Some(known) if may_be_in(known.parents) => {}
            Some(_) => {
                let name = child.local_name();
                let around = around.map_or("", Element::local_name);
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
    let known = INSIDE
        .iter()
        .find(|(namespace, name, _)| element.is_in(*namespace, *name));
    let Some((namespace, _, names)) = known else {
        return;
    };
    for child in element.children() {
        // UIInfo and DiscoHints may also contain elements of other namespaces.
        if child.namespace_id() == *namespace && !names.contains(&child.local_name_number()) {
            report_unknown(report, child, names.iter().copied());
        }
    }
}

fn report_unknown(
    report: &mut Report<'_>,
    element: Element<'_>,
    names: impl Iterator<Item = LocalName>,
) {
    let name = element.local_name();
    let found = names
        .map(LocalName::as_str)
        .find(|known| known.eq_ignore_ascii_case(name));
    let message = match found {
        Some(known) => format!("{} must be spelled {known}", shorten(name)),
        None => format!("{} is not defined in its namespace", shorten(name)),
    };
    report.add(&rules::EXT_01, element, message);
}
