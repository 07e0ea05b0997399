//! Checks the rules MD-ROOT: the structure of the document, compared with the schema.

use super::{
    report::{Report, Target},
    rules::{Rule, document as rules, extension},
    schema::{self, Content, ElementNumber, Model, Slot, Value},
    seen::Seen,
    uri::is_absolute,
};
use crate::{
    Attribute, Element, base64,
    model::values::{parse_boolean, parse_index},
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
                shorten(root.local_name())
            ),
            uri => format!(
                "the root element is {} in the namespace {}",
                shorten(root.local_name()),
                shorten(uri)
            ),
        };
        let help = if root.namespace().is_empty() {
            "Declare the namespace of metadata on the root element: xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\"."
        } else {
            rules::ROOT_01.help
        };
        report.add(&rules::ROOT_01, root, (message, help));
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
        check_element(report, element);
        return;
    }
    let parent_is_metadata = element.parent().is_none_or(|parent| {
        parent.namespace_id() == NamespaceId::METADATA
            && !parent.is_in(NamespaceId::METADATA, name!("Extensions"))
    });
    if parent_is_metadata {
        check_element(report, element);
    }
    if element.is_in(NamespaceId::METADATA, name!("EntitiesDescriptor")) {
        check_group(report, element, &mut before.group_names);
    }
}

fn check_element(report: &mut Report<'_>, element: Element<'_>) {
    // The check of the parent's children reports an unknown element.
    let Some(model) = schema::model_of(element) else {
        return;
    };
    let has_attributes = element.attributes().next().is_some();
    let extension_type = has_attributes
        && element
            .find_attribute(NamespaceId::SCHEMA_INSTANCE, name!("type"))
            .is_some_and(|kind| !is_blank(kind.value()));
    if !extension_type && (has_attributes || !model.attributes.is_empty()) {
        check_attributes(report, element, &model);
    }
    match model.content {
        Content::Text | Content::Uri | Content::Base64 | Content::Integer => {
            check_text_only(report, element, model.content);
            return;
        }
        Content::Any => return,
        Content::Elements | Content::NotEmpty | Content::AnyElements => {
            check_no_text(report, element);
        }
        Content::Mixed | Content::MixedNotEmpty => {}
    }
    if matches!(model.content, Content::NotEmpty | Content::MixedNotEmpty)
        && element.children().next().is_none()
    {
        let message = format!("{} has no child element", element.local_name());
        report.add(rule_of(element), element, (message, ADD));
    }
    if element.is_in(NamespaceId::METADATA, name!("Extensions")) {
        check_extensions(report, element);
    } else if model.content != Content::AnyElements {
        check_children(report, element, &model, extension_type);
    }
}

/// Returns the rule for an element that does not match its schema.
fn rule_of(element: Element<'_>) -> &'static Rule {
    match element.namespace_id() {
        NamespaceId::METADATA
        | NamespaceId::SIGNATURE
        | NamespaceId::ASSERTION
        | NamespaceId::ENCRYPTION => &rules::ROOT_03,
        _ => &extension::EXT_02,
    }
}

const ADD: &str = "Add what is missing, or download the metadata again from its publisher.";
const MOVE: &str = "Move the element to its position in the schema.";
const REMOVE: &str =
    "Remove the element, or correct its spelling: the schema does not have it in this place.";
const REMOVE_ATTRIBUTE: &str =
    "Remove the attribute, or correct its spelling: the schema does not have it on this element.";
const REMOVE_TEXT: &str =
    "Remove the text. A page copied from a browser has such characters: download the file instead.";
const CORRECT: &str = "Correct the value: the schema has a type for it.";
const KEEP_ONE: &str = "Keep one of the elements.";

fn check_text_only(report: &mut Report<'_>, element: Element<'_>, content: Content) {
    for child in element.children() {
        let message = format!(
            "{} must contain only text, but contains the element {}",
            element.local_name(),
            shorten(child.qualified_name())
        );
        report.add(rule_of(element), child, (message, REMOVE));
    }
    let text = element.text();
    let problem = match content {
        Content::Integer if !is_integer(collapse(text)) => "an integer",
        // The check of the keys decodes their certificates.
        Content::Base64 if !is_in_key(element) && base64::decode(text).is_err() => "base64",
        Content::Uri if !is_uri_reference(collapse(text)) => "a URI",
        _ => return,
    };
    let name = element.local_name();
    let message = format!("{name} is {:?}, not {problem}", shorten(text));
    report.add(rule_of(element), element, (message, CORRECT));
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Returns whether the part of a text that has the place of a scheme is a scheme (RFC 3986 4.1).
fn is_uri_reference(text: &str) -> bool {
    let Some(colon) = memchr::memchr(b':', text.as_bytes()) else {
        return true;
    };
    let scheme = &text[..colon];
    scheme.contains(['/', '?', '#'])
        || scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// Returns whether the element is a certificate of a `KeyDescriptor`.
fn is_in_key(element: Element<'_>) -> bool {
    element.local_name_number() == name!("X509Certificate")
        && element
            .ancestors()
            .nth(3)
            .is_some_and(|key| key.is_in(NamespaceId::METADATA, name!("KeyDescriptor")))
}

fn check_attributes(report: &mut Report<'_>, element: Element<'_>, model: &Model) {
    let rule = rule_of(element);
    for attribute in element.attributes() {
        match attribute.namespace_id() {
            NamespaceId::NONE => {
                let known = model
                    .attributes
                    .iter()
                    .find(|(known, _)| *known == attribute.local_name_number());
                if let Some((known, kind)) = known {
                    if let Some(expected) = mismatch(*kind, attribute) {
                        let target = (element, attribute.qualified_name());
                        let message = format!(
                            "{} is {:?}, not {expected}",
                            known.as_str(),
                            shorten(attribute.value())
                        );
                        report.add(rule, target, (message, CORRECT));
                    }
                    continue;
                }
            }
            // The schema allows the attributes of XML Schema instance on every element.
            NamespaceId::SCHEMA_INSTANCE => continue,
            NamespaceId::XML
                if attribute.local_name_number() == name!("lang") && has_language(element) =>
            {
                // Another rule reports an empty language of a text.
                let language = collapse(attribute.value());
                let is_reported = language.is_empty() && super::texts::is_localized(element);
                if !is_reported && !is_language(language) {
                    let target = (element, attribute.qualified_name());
                    let message =
                        format!("xml:lang is {:?}, not a language tag", shorten(language));
                    report.add(rule, target, (message, LANGUAGE));
                }
                continue;
            }
            _ if model.foreign_attributes => continue,
            _ => {}
        }
        let target = (element, attribute.qualified_name());
        let message = format!(
            "{} must not have the attribute {}",
            element.local_name(),
            shorten(attribute.qualified_name())
        );
        report.add(rule, target, (message, REMOVE_ATTRIBUTE));
    }
    for (known, kind) in model.attributes {
        let is_required = matches!(kind, Value::Required | Value::Short);
        if is_required && element.own_attribute(*known).is_none() {
            let message = format!("{} has no {}", element.local_name(), known.as_str());
            report.add(rule, element, (message, ADD));
        }
    }
    if element.is_in(NamespaceId::METADATA, name!("RoleDescriptor")) {
        let message = "RoleDescriptor has no xsi:type, but its type is abstract";
        report.add(rule, element, (message, ROLE_TYPE));
    }
}

const LANGUAGE: &str = "Write a language tag such as en or en-US.";
const ROLE_TYPE: &str = "Remove the RoleDescriptor, or add the xsi:type of the protocol that it describes: a consumer that checks the schema rejects the file.";

/// Returns the expected value if the value of an attribute does not have its type.
fn mismatch(kind: Value, attribute: Attribute<'_>) -> Option<&'static str> {
    let value = || attribute.value();
    let number = || collapse(value()).trim_start_matches('+');
    match kind {
        Value::Text | Value::Required => None,
        Value::Boolean => parse_boolean(value()).is_none().then_some("true or false"),
        Value::Short => parse_index(value())
            .is_none()
            .then_some("a number from 0 to 65535"),
        Value::Byte => number()
            .parse::<u8>()
            .is_err()
            .then_some("a number from 0 to 255"),
        Value::Positive => {
            let digits = number();
            let is_positive =
                digits.bytes().all(|b| b.is_ascii_digit()) && digits.bytes().any(|b| b != b'0');
            (!is_positive).then_some("a positive number")
        }
    }
}

/// Returns whether the schema allows `xml:lang` on an element.
fn has_language(element: Element<'_>) -> bool {
    let is_localized = super::texts::is_localized(element);
    match element.namespace_id() {
        NamespaceId::UI => is_localized || element.local_name_number() == name!("Logo"),
        NamespaceId::METADATA | NamespaceId::REGISTRATION => is_localized,
        _ => false,
    }
}

/// Returns whether a text is an `xs:language` (RFC 3066).
fn is_language(text: &str) -> bool {
    text.split('-').enumerate().all(|(number, part)| {
        (1..=8).contains(&part.len())
            && part
                .bytes()
                .all(|b| b.is_ascii_alphabetic() || number > 0 && b.is_ascii_digit())
    })
}

/// Compares the children with the slots of the model.
fn check_children(report: &mut Report<'_>, element: Element<'_>, model: &Model, extended: bool) {
    let rule = rule_of(element);
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
            report.add(rule, child, (message, MOVE));
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
            report.add(rule, child, (message, KEEP_ONE));
        }
    }
    for (slot, count) in model.slots.iter().zip(counts) {
        if slot.required && count == 0 {
            let message = format!("{} has no {}", element.local_name(), slot.names[0]);
            report.add(rule, element, (message, ADD));
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
    let own = element.namespace_id();
    // The wildcard of an algorithm does not exclude the namespace of metadata, but its own.
    let own = if element.is_in(NamespaceId::METADATA, name!("EncryptionMethod")) {
        NamespaceId::ENCRYPTION
    } else {
        own
    };
    if child.namespace_id() == own {
        let message = if schema::model(own, child.local_name()).is_none() {
            match own {
                NamespaceId::METADATA => format!("SAML metadata has no element {name}"),
                _ => format!(
                    "{} is not allowed in {parent}",
                    shorten(child.qualified_name())
                ),
            }
        } else {
            format!("{name} is not allowed in {parent}")
        };
        report.add(rule_of(element), child, (message, REMOVE));
    } else if child.namespace_id() == NamespaceId::NONE {
        // An endpoint may contain elements of other namespaces, but no elements without a
        // namespace.
        let message = format!("{name} in {parent} has no namespace");
        report.add(&rules::ROOT_04, child, (message, NO_NAMESPACE));
    } else if !model.open && !extended {
        let message = format!(
            "{} is not allowed in {parent}",
            shorten(child.qualified_name())
        );
        report.add(&rules::ROOT_04, child, message);
    }
}

const NO_NAMESPACE: &str = "Declare the namespace of the element, or remove the element.";

/// Returns the index of the slot for a child. The search starts at the most likely slot, `at`.
fn slot_of(child: Element<'_>, slots: &[Slot], at: usize) -> Option<usize> {
    let number = ElementNumber::of(child)?;
    let forward = slots[at..].iter().position(|slot| slot.takes(number));
    let before = || slots[..at].iter().position(|slot| slot.takes(number));
    forward.map(|slot| at + slot).or_else(before)
}

/// Checks that there is no text between the child elements.
fn check_no_text(report: &mut Report<'_>, element: Element<'_>) {
    if !element.may_have_text() {
        return;
    }
    let document = report.document;
    let content = element.content_span();
    let mut at = content.start;
    let mut found = None;
    let mut has_section = false;
    let mut check_range = |range: std::ops::Range<usize>| {
        if range.is_empty() || found.is_some() {
            return;
        }
        let text = &document.text()[range.clone()];
        if !is_blank(text) {
            let shown = text.trim();
            found = Some((shown, range.start + text.find(shown).unwrap_or_default()));
        }
    };
    for id in document.nodes_below(element.id()) {
        let node = document.tree.node(id);
        let span = node.span.range();
        check_range(at..span.start);
        has_section |= node.kind == NodeKind::CData;
        at = span.end;
    }
    check_range(at..content.end);
    let name = element.local_name();
    let (target, message) = match found {
        Some((text, at)) => (
            Target::Text(element, at, text.len()),
            format!("{name} has text between its elements: {:?}", shorten(text)),
        ),
        None if has_section => (
            Target::Element(element),
            format!("{name} has a CDATA section between its elements"),
        ),
        None => return,
    };
    report.add(rule_of(element), target, (message, REMOVE_TEXT));
}

fn check_extensions(report: &mut Report<'_>, element: Element<'_>) {
    let mut is_empty = true;
    for child in element.children() {
        is_empty = false;
        match child.namespace_id() {
            NamespaceId::METADATA => {
                let message = format!("{} is not an extension", shorten(child.local_name()));
                let help = "Move the element out of Extensions.";
                report.add(&rules::ROOT_05, child, (message, help));
            }
            NamespaceId::NONE => {
                let message = format!(
                    "the extension {} has no namespace",
                    shorten(child.local_name())
                );
                report.add(&rules::ROOT_05, child, (message, NO_NAMESPACE));
            }
            _ => {}
        }
    }
    if is_empty {
        let message = ("Extensions is empty", "Remove the empty Extensions.");
        report.add(&rules::ROOT_05, element, message);
    }
}

fn check_id<'a>(report: &mut Report<'a>, element: Element<'a>, ids: &mut Seen<&'a str>) {
    let name = match element.namespace_id() {
        NamespaceId::METADATA | NamespaceId::ASSERTION => name!("ID"),
        NamespaceId::SIGNATURE => name!("Id"),
        _ => return,
    };
    let Some(id) = element.own_attribute(name).map(collapse) else {
        return;
    };
    let name = name.as_str();
    if !is_ncname(id) {
        let message = format!("the ID {:?} is not a valid XML name", shorten(id));
        let help = "Start the ID with a letter or an underscore.";
        report.add(&rules::ROOT_02, (element, name), (message, help));
    }
    if !ids.insert(id) {
        let message = format!("the ID {:?} appears twice", shorten(id));
        let help = "Give each element its own ID.";
        report.add(&rules::ROOT_02, (element, name), (message, help));
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
        let message = ("the group is inside another group", "Flatten the groups.");
        report.add(&rules::ROOT_06, group, message);
    }
    match group.own_attribute(name!("Name")) {
        None => {
            let message = ("the group has no Name", "Give the group a Name of its own.");
            report.add(&rules::ROOT_06, group, message);
        }
        Some(name) if !names.insert(name) => {
            let message = format!("two groups have the Name {:?}", shorten(name));
            let help = "Give each group its own Name.";
            report.add(&rules::ROOT_06, (group, "Name"), (message, help));
        }
        Some(_) => {}
    }
    let is_empty = group
        .children_in(NamespaceId::METADATA, name!("EntityDescriptor"))
        .next()
        .is_none()
        && group
            .children_in(NamespaceId::METADATA, name!("EntitiesDescriptor"))
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
