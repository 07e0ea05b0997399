//! Checks the rules MD-ATTR: entity attributes, and the requirements of entity categories.

use super::{extended, is_second, registration::is_english};
use crate::{
    Element, EntityDescriptor, SamlAttribute, SpSsoDescriptor, UiInfo,
    names::{attribute_name_format, entity_attribute as names, entity_category as category},
    reader::{chars::collapse, escape::shorten},
    tree::NamespaceId,
    validate::{report::Report, rules::extension as rules},
};

pub(super) fn check(report: &mut Report<'_>, element: Element<'_>) {
    const NAME: &str = "EntityAttributes";
    if element.local_name() != NAME {
        return;
    }
    let around = extended(element).filter(|around| {
        matches!(
            around.local_name(),
            "EntityDescriptor" | "EntitiesDescriptor"
        )
    });
    match around {
        None => {
            let message = "EntityAttributes must be in the Extensions of an entity or group";
            report.add(&rules::ATTR_01, element, message);
        }
        Some(_) if is_second(element) => {
            report.add(&rules::ATTR_01, element, "EntityAttributes appears twice");
        }
        Some(_) => {}
    }
    let is_group = around.is_some_and(|around| around.local_name() == "EntitiesDescriptor");
    for child in element.children() {
        if child.is_in(NamespaceId::ASSERTION, name!("Attribute")) {
            check_attribute(report, SamlAttribute::new(child));
        } else if !child.is_in(NamespaceId::ASSERTION, name!("Assertion")) {
            let name = shorten(child.qualified_name());
            let message = format!("EntityAttributes must not contain {name}");
            report.add(&rules::ATTR_01, child, message);
        } else if is_group {
            let message = "the EntityAttributes of a group must not contain an Assertion";
            report.add(&rules::ATTR_01, child, message);
        }
    }
}

fn check_attribute(report: &mut Report<'_>, attribute: SamlAttribute<'_>) {
    let element = attribute.element();
    let name = shorten(attribute.name());
    if attribute.name_format() != Some(attribute_name_format::URI) {
        let message = format!("the NameFormat of {name:?} is not uri");
        report.add(&rules::ATTR_02, (element, "NameFormat"), message);
    }
    if attribute.values().next().is_none() {
        let message = format!("the attribute {name:?} has no value");
        report.add(&rules::ATTR_02, element, message);
    }
    for value in attribute.values() {
        if collapse(value.text()) != value.text() {
            let message = format!("a value of {name:?} has leading or trailing whitespace");
            report.add(&rules::ATTR_02, value, message);
        }
    }
}

pub(super) fn check_entity(report: &mut Report<'_>, entity: EntityDescriptor<'_>) {
    let Some(extensions) = entity.extensions() else {
        return;
    };
    for attribute in extensions.entity_attributes() {
        for value in attribute.values() {
            check_value(report, entity, attribute.name(), value);
        }
    }
}

fn check_value(
    report: &mut Report<'_>,
    entity: EntityDescriptor<'_>,
    name: &str,
    value: Element<'_>,
) {
    let text = collapse(value.text());
    match name {
        names::CATEGORY => check_category(report, entity, value, text),
        names::CATEGORY_SUPPORT
            if entity.identity_provider().is_none()
                && entity.attribute_authorities().next().is_none() =>
        {
            let message = "only an identity provider or attribute authority can support a category";
            report.add(&rules::ATTR_02, value, message);
        }
        names::ASSURANCE_CERTIFICATION if is_sirtfi(text) && !has_security_contact(entity) => {
            let message = "Sirtfi requires a security contact";
            report.add(&rules::ATTR_02, value, message);
        }
        names::SUBJECT_ID_REQUIREMENT => {
            if !matches!(text, "subject-id" | "pairwise-id" | "none" | "any") {
                let message = format!(
                    "{:?} is not a subject identifier requirement",
                    shorten(text)
                );
                report.add(&rules::ATTR_02, value, message);
            }
            if entity.service_provider().is_none() {
                let message = "only a service provider can have a subject identifier requirement";
                report.add(&rules::ATTR_02, value, message);
            }
        }
        _ => {}
    }
}

fn is_sirtfi(text: &str) -> bool {
    matches!(text, category::SIRTFI | category::SIRTFI_2)
}

/// Returns whether a contact has the REFEDS `contactType` for security contacts.
fn has_security_contact(entity: EntityDescriptor<'_>) -> bool {
    entity.contacts().any(|contact| {
        contact.element().attributes().any(|attribute| {
            attribute.local_name() == "contactType"
                && attribute.namespace() == crate::names::namespace::REFEDS
                && collapse(attribute.value()) == "http://refeds.org/metadata/contactType/security"
        })
    })
}

fn check_category(
    report: &mut Report<'_>,
    entity: EntityDescriptor<'_>,
    value: Element<'_>,
    text: &str,
) {
    if is_sirtfi(text) {
        let message = "Sirtfi is an assurance certification, not an entity category";
        report.add(&rules::ATTR_02, value, message);
        return;
    }
    if text == category::HIDE_FROM_DISCOVERY {
        if entity.identity_provider().is_none() {
            let message = "only an identity provider can be hidden from discovery";
            report.add(&rules::ATTR_02, value, message);
        }
        return;
    }
    let Some((_, label, requirements)) = CATEGORIES.iter().find(|(uri, ..)| *uri == text) else {
        return;
    };
    let Some(sp) = entity.service_provider() else {
        let message = format!("{label} is a category for service providers");
        report.add(&rules::ATTR_02, value, message);
        return;
    };
    for requirement in *requirements {
        if !requirement.is_met(entity, sp) {
            let message = format!("{label} requires {}", requirement.label());
            report.add(&rules::ATTR_02, value, message);
        }
    }
}

/// Entity categories for service providers: URI, name for messages, and requirements.
const CATEGORIES: [(&str, &str, &[Requirement]); 6] = [
    (
        category::RESEARCH_AND_SCHOLARSHIP,
        "Research and Scholarship",
        &[
            Requirement::DisplayName,
            Requirement::InformationUrl,
            Requirement::TechnicalContact,
        ],
    ),
    (
        category::CODE_OF_CONDUCT_1,
        "the Code of Conduct",
        &[
            Requirement::PrivacyStatement,
            Requirement::RequestedAttributes,
        ],
    ),
    (
        category::CODE_OF_CONDUCT_2,
        "the Code of Conduct",
        &[Requirement::PrivacyStatement],
    ),
    (category::ANONYMOUS, "Anonymous Access", &[]),
    (category::PSEUDONYMOUS, "Pseudonymous Access", &[]),
    (category::PERSONALIZED, "Personalized Access", &[]),
];

/// A requirement for the metadata of an entity in a category.
#[derive(Clone, Copy)]
enum Requirement {
    DisplayName,
    InformationUrl,
    PrivacyStatement,
    TechnicalContact,
    RequestedAttributes,
}

impl Requirement {
    fn label(self) -> &'static str {
        match self {
            Self::DisplayName => "a DisplayName in English",
            Self::InformationUrl => "an InformationURL in English",
            Self::PrivacyStatement => "a PrivacyStatementURL in English",
            Self::TechnicalContact => "a technical contact",
            Self::RequestedAttributes => "RequestedAttributes",
        }
    }

    fn is_met(self, entity: EntityDescriptor<'_>, sp: SpSsoDescriptor<'_>) -> bool {
        let info = || sp.extensions().and_then(crate::Extensions::ui_info);
        let english = |info: UiInfo<'_>, name| {
            info.element()
                .children_in(NamespaceId::UI, name)
                .any(|text| text.language().is_some_and(is_english))
        };
        match self {
            Self::DisplayName => info().is_some_and(|info| english(info, name!("DisplayName"))),
            Self::InformationUrl => {
                info().is_some_and(|info| english(info, name!("InformationURL")))
            }
            Self::PrivacyStatement => {
                info().is_some_and(|info| english(info, name!("PrivacyStatementURL")))
            }
            Self::TechnicalContact => entity
                .contacts()
                .any(|contact| contact.kind() == crate::ContactType::Technical),
            Self::RequestedAttributes => sp
                .attribute_consuming_services()
                .any(|service| service.requested_attributes().next().is_some()),
        }
    }
}
