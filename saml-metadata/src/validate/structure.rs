//! Checks the rules MD-ROOT: the structure of the document, compared with the schema.

use super::{
    report::Report,
    rules::document as rules,
    schema::{self, Model, Slot},
    seen::Seen,
    uri::is_absolute,
};
use crate::{
    Element,
    names::namespace,
    reader::{
        chars::{collapse, is_blank, is_ncname},
        escape::shorten,
    },
    tree::{NamespaceId, NodeKind},
};

/// Checks that the root element is SAML metadata, and returns whether it is.
pub(super) fn check_root(report: &mut Report<'_>) -> bool {
    let root = report.document.root();
    let is_metadata = root.namespace_id() == NamespaceId::METADATA
        && matches!(root.local_name(), "EntityDescriptor" | "EntitiesDescriptor");
    if !is_metadata {
        let message = match root.namespace() {
            "" => format!(
                "the root element is {} without a namespace",
                root.local_name()
            ),
            uri => format!(
                "the root element is {} in the namespace {}",
                shorten(root.local_name()),
                shorten(uri)
            ),
        };
        report.add(&rules::ROOT_01, root, message);
    }
    is_metadata
}

/// The IDs, namespaces and group names of the elements before the current one.
pub(super) struct Before<'a> {
    ids: Seen<&'a str>,
    namespaces: Seen<NamespaceId>,
    group_names: Seen<&'a str>,
}

impl Before<'_> {
    /// Returns the state before the root element.
    pub(super) fn new() -> Self {
        Self {
            ids: Seen::new(),
            namespaces: Seen::new(),
            group_names: Seen::new(),
        }
    }
}

/// Checks one element. The caller passes all elements in document order.
pub(super) fn check<'a>(report: &mut Report<'a>, element: Element<'a>, before: &mut Before<'a>) {
    check_id(report, element, &mut before.ids);
    check_namespaces(report, element, &mut before.namespaces);
    if element.namespace_id() != NamespaceId::METADATA {
        return;
    }
    let parent_is_metadata = element.parent().is_none_or(|parent| {
        parent.namespace_id() == NamespaceId::METADATA
            && !parent.is_in(NamespaceId::METADATA, "Extensions")
    });
    if parent_is_metadata {
        check_element(report, element);
    }
    if element.is_in(NamespaceId::METADATA, "EntitiesDescriptor") {
        check_group(report, element, &mut before.group_names);
    }
}

fn check_element(report: &mut Report<'_>, element: Element<'_>) {
    // The check of the parent's children reports an unknown element.
    let Some(model) = schema::of(element.local_name()) else {
        return;
    };
    let has_extension_type = element
        .find_attribute(NamespaceId::SCHEMA_INSTANCE, "type")
        .is_some();
    check_attributes(report, element, &model, has_extension_type);
    if model.text {
        for child in element.children() {
            let message = format!(
                "{} must contain only text, but contains the element {}",
                element.local_name(),
                shorten(child.qualified_name())
            );
            report.add(&rules::ROOT_03, child, message);
        }
        return;
    }
    check_no_text(report, element);
    if element.local_name() == "Extensions" {
        check_extensions(report, element);
    } else {
        check_children(report, element, &model, has_extension_type);
    }
}

fn check_attributes(report: &mut Report<'_>, element: Element<'_>, model: &Model, extended: bool) {
    if extended {
        return;
    }
    for attribute in element.attributes() {
        let is_known =
            !attribute.namespace().is_empty() || model.attributes.contains(&attribute.local_name());
        if !is_known {
            let message = format!(
                "{} must not have the attribute {}",
                element.local_name(),
                shorten(attribute.local_name())
            );
            report.add(
                &rules::ROOT_03,
                (element, attribute.qualified_name()),
                message,
            );
        }
    }
    // This is a quick check, because few elements have one of these attributes.
    let has_boolean = element
        .attributes()
        .any(|attribute| BOOLEANS.contains(&attribute.local_name()));
    if !has_boolean {
        return;
    }
    for name in BOOLEANS {
        let value = element
            .attribute(name)
            .filter(|_| model.attributes.contains(&name));
        if let Some(value) = value
            && crate::model::values::parse_boolean(value).is_none()
        {
            let message = format!("{name} is {:?}, not true or false", shorten(value));
            report.add(&rules::ROOT_03, (element, name), message);
        }
    }
}

/// The boolean attributes of the schema.
const BOOLEANS: [&str; 5] = [
    "isDefault",
    "isRequired",
    "WantAuthnRequestsSigned",
    "AuthnRequestsSigned",
    "WantAssertionsSigned",
];

/// Compares the children with the slots of the model.
fn check_children(report: &mut Report<'_>, element: Element<'_>, model: &Model, extended: bool) {
    let mut at = 0;
    let mut counts = [0_usize; schema::MAX_SLOTS];
    let mut last: Option<Element<'_>> = None;
    for child in element.children() {
        let Some(slot) = slot_of(child, model.slots, at) else {
            check_unexpected(report, element, child, model, extended);
            continue;
        };
        if slot < at {
            let before = last.map_or("", Element::local_name);
            let message = format!("{} must come before {before}", child.local_name());
            report.add(&rules::ROOT_03, child, message);
        } else {
            at = slot;
            last = Some(child);
        }
        counts[slot] += 1;
        if counts[slot] == 2 && !model.slots[slot].repeats {
            let message = format!(
                "{} may have only one {}",
                element.local_name(),
                child.local_name()
            );
            report.add(&rules::ROOT_03, child, message);
        }
    }
    for (slot, count) in model.slots.iter().zip(counts) {
        if slot.required && count == 0 {
            let message = format!("{} has no {}", element.local_name(), slot.names[0]);
            report.add(&rules::ROOT_03, element, message);
        }
    }
}

fn check_unexpected(
    report: &mut Report<'_>,
    element: Element<'_>,
    child: Element<'_>,
    model: &Model,
    extended: bool,
) {
    let parent = element.local_name();
    let name = shorten(child.local_name());
    if child.namespace_id() == NamespaceId::METADATA {
        let message = if schema::of(child.local_name()).is_none() {
            format!("SAML metadata has no element {name}")
        } else {
            format!("{name} is not allowed in {parent}")
        };
        report.add(&rules::ROOT_03, child, message);
    } else if child.namespace_id() == NamespaceId::NONE {
        // An endpoint may contain elements of other namespaces, but no elements without a
        // namespace.
        let message = format!("{name} in {parent} has no namespace");
        report.add(&rules::ROOT_04, child, message);
    } else if !model.open && !extended {
        let message = format!(
            "{} is not allowed in {parent}",
            shorten(child.qualified_name())
        );
        report.add(&rules::ROOT_04, child, message);
    }
}

/// Returns the index of the slot for a child. The search starts at the most likely slot, `at`.
fn slot_of(child: Element<'_>, slots: &[Slot], at: usize) -> Option<usize> {
    let prefix = match child.namespace_id() {
        NamespaceId::METADATA => "",
        NamespaceId::SIGNATURE => "ds:",
        NamespaceId::ASSERTION => "saml:",
        _ => return None,
    };
    let local = child.local_name();
    let is_child = |slot: &Slot| {
        slot.names.iter().any(|name| {
            // A local name has no colon, so it never equals a name with a prefix.
            name.len() == prefix.len() + local.len()
                && name.strip_prefix(prefix).is_some_and(|name| name == local)
        })
    };
    let forward = slots[at..].iter().position(is_child);
    forward
        .map(|slot| at + slot)
        .or_else(|| slots[..at].iter().position(is_child))
}

/// Checks that there is no text between the child elements.
fn check_no_text(report: &mut Report<'_>, element: Element<'_>) {
    let document = report.document;
    let content = element.content_span();
    let mut at = content.start;
    let mut has_text = false;
    for id in document.nodes_below(element.id()) {
        let node = document.tree.node(id);
        let span = node.span.range();
        has_text |= !is_blank(&document.text()[at..span.start]) || node.kind == NodeKind::CData;
        at = span.end;
    }
    has_text |= !is_blank(&document.text()[at..content.end]);
    if has_text {
        let message = format!("{} has text between its elements", element.local_name());
        report.add(&rules::ROOT_03, element, message);
    }
}

fn check_extensions(report: &mut Report<'_>, element: Element<'_>) {
    let mut is_empty = true;
    for child in element.children() {
        is_empty = false;
        match child.namespace_id() {
            NamespaceId::METADATA => {
                let message = format!("{} is not an extension", shorten(child.local_name()));
                report.add(&rules::ROOT_05, child, message);
            }
            NamespaceId::NONE => {
                let message = format!(
                    "the extension {} has no namespace",
                    shorten(child.local_name())
                );
                report.add(&rules::ROOT_05, child, message);
            }
            _ => {}
        }
    }
    if is_empty {
        report.add(&rules::ROOT_05, element, "Extensions is empty");
    }
}

fn check_id<'a>(report: &mut Report<'a>, element: Element<'a>, ids: &mut Seen<&'a str>) {
    let name = match element.namespace_id() {
        NamespaceId::METADATA | NamespaceId::ASSERTION => "ID",
        NamespaceId::SIGNATURE => "Id",
        _ => return,
    };
    let Some(id) = element.attribute(name).map(collapse) else {
        return;
    };
    if !is_ncname(id) {
        let message = format!("the ID {:?} is not a valid XML name", shorten(id));
        report.add(&rules::ROOT_02, (element, name), message);
    }
    if !ids.insert(id) {
        let message = format!("the ID {:?} appears twice", shorten(id));
        report.add(&rules::ROOT_02, (element, name), message);
    }
}

fn check_namespaces(report: &mut Report<'_>, element: Element<'_>, seen: &mut Seen<NamespaceId>) {
    /// Namespaces that federations use, in addition to the namespaces that the crate knows.
    const ALLOWED: [&str; 6] = [
        "http://ukfederation.org.uk/2006/11/label",
        "urn:oasis:names:tc:SAML:protocol:ext:req-attr",
        "http://eidas.europa.eu/saml-extensions",
        "http://eidas.europa.eu/metadata/servicelist",
        "https://seamlessaccess.org/NS/trustinfo",
        "http://id.swedenconnect.se/authn/1.0/principal-selection/ns",
    ];
    let namespace = element.namespace_id();
    if namespace.usual_prefix().is_some() || !seen.insert(namespace) {
        return;
    }
    let uri = element.namespace();
    if ALLOWED.contains(&uri) || report.policy.namespaces.iter().any(|known| known == uri) {
        return;
    }
    let near = [namespace::METADATA, namespace::ASSERTION, namespace::UI];
    let message = if near.iter().any(|near| near.eq_ignore_ascii_case(uri)) {
        format!("the namespace {} is misspelled", shorten(uri))
    } else if is_absolute(uri) {
        format!("the namespace {} is unknown", shorten(uri))
    } else {
        format!("the namespace {} is not an absolute URI", shorten(uri))
    };
    report.add(&rules::ROOT_08, element, message);
}

fn check_group<'a>(report: &mut Report<'a>, group: Element<'a>, names: &mut Seen<&'a str>) {
    if group.parent().is_some() {
        report.add(&rules::ROOT_06, group, "the group is inside another group");
    }
    match group.attribute("Name") {
        None => report.add(&rules::ROOT_06, group, "the group has no Name"),
        Some(name) if !names.insert(name) => {
            let message = format!("two groups have the Name {:?}", shorten(name));
            report.add(&rules::ROOT_06, (group, "Name"), message);
        }
        Some(_) => {}
    }
    let is_empty = group
        .children_in(NamespaceId::METADATA, "EntityDescriptor")
        .next()
        .is_none()
        && group
            .children_in(NamespaceId::METADATA, "EntitiesDescriptor")
            .next()
            .is_none();
    if is_empty {
        report.add(&rules::ROOT_07, group, "the group is empty");
    }
}

pub(super) fn check_duplicate_entities(report: &mut Report<'_>) {
    let mut seen = Seen::new();
    for entity in report.document.entities() {
        if !entity.entity_id().is_empty() && !seen.insert(entity.entity_id()) {
            let message = format!(
                "the entityID {:?} appears twice",
                shorten(entity.entity_id())
            );
            report.add(&rules::ROOT_09, (entity.element(), "entityID"), message);
        }
    }
}
