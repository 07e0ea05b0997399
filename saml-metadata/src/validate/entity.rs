//! Checks the rules MD-ENT and MD-AFF: entities, organizations, contacts and affiliations.

use super::{
    report::Report,
    rules::entity as rules,
    seen::Seen,
    uri::{is_absolute, scheme, url_problem, web_problem},
};
use crate::{
    ContactPerson, ContactType, EntityDescriptor, Organization,
    reader::{chars::is_blank, escape::shorten},
    tree::NamespaceId,
};

const LOCATION: &str = "Write the complete URL of the other document.";

const MAX_ENTITY_ID: usize = 1024;
/// The limit of saml2int SDP-G04. Not every consumer accepts a longer entityID.
const MAX_PORTABLE_ENTITY_ID: usize = 256;

pub(super) fn check(report: &mut Report<'_>, entity: EntityDescriptor<'_>) {
    check_id(report, entity);
    check_roles(report, entity);
    check_contacts(report, entity);
    for organization in entity.organization().into_iter().chain(
        entity
            .roles()
            .filter_map(|role| role.descriptor().organization()),
    ) {
        check_organization(report, organization);
    }
    for location in entity.additional_locations() {
        let element = location.element();
        if location.namespace().is_empty() {
            let message = "AdditionalMetadataLocation has no namespace";
            let help = "Add the namespace of the other document's root element.";
            report.add(&rules::ENT_11, element, (message, help));
        }
        let url = location.location();
        let is_http = matches!(scheme(url).as_ref(), "http" | "https");
        if is_http && url_problem(url).is_some() {
            let message = "AdditionalMetadataLocation is a URL that cannot be opened";
            report.add_minor(&rules::ENT_11, element, (message, LOCATION));
        }
        if !is_absolute(url) {
            let message = "AdditionalMetadataLocation is not an absolute URI";
            report.add_minor(&rules::ENT_11, element, (message, LOCATION));
        }
    }
    if let Some(affiliation) = entity.affiliation() {
        let element = affiliation.element();
        if affiliation.owner_id().is_empty() {
            let message = "the affiliation has no affiliationOwnerID";
            let help = "Add the entityID of the owner as affiliationOwnerID.";
            report.add(&rules::AFF_01, element, (message, help));
        }
        if affiliation.members().next().is_none() {
            let message = "the affiliation has no AffiliateMember";
            let help = "Add an AffiliateMember with the entityID of each member.";
            report.add(&rules::AFF_01, element, (message, help));
        }
    }
}

fn check_id(report: &mut Report<'_>, entity: EntityDescriptor<'_>) {
    let id = entity.entity_id();
    let element = entity.element();
    let target = (element, "entityID");
    if id.is_empty() {
        let message = match element.own_attribute(name!("entityID")) {
            None => "the entity has no entityID",
            Some(_) => "the entityID is empty",
        };
        let help = "Add the entityID: the name, usually an https URL, that the entity has in its messages.";
        report.add(&rules::ENT_01, target, (message, help));
        return;
    }
    let length = id.chars().count();
    if length > MAX_ENTITY_ID {
        let message = format!("the entityID has {length} characters, more than {MAX_ENTITY_ID}");
        report.add(&rules::ENT_01, target, message);
    } else if length > MAX_PORTABLE_ENTITY_ID {
        let message =
            format!("the entityID has {length} characters, more than {MAX_PORTABLE_ENTITY_ID}");
        report.add_minor(&rules::ENT_01, target, message);
    }
    if !is_absolute(id) {
        let message = format!("the entityID {:?} is not an absolute URI", shorten(id));
        report.add(&rules::ENT_02, target, message);
    } else if matches!(scheme(id).as_ref(), "http" | "https")
        && let Some(problem) = url_problem(id)
    {
        let message = format!("the entityID {:?} {}", shorten(id), problem.message());
        report.add_minor(&rules::ENT_02, target, (message, problem.help()));
    } else if !matches!(scheme(id).as_ref(), "http" | "https" | "urn") {
        let message = format!(
            "the entityID has the unusual scheme {}",
            shorten(&scheme(id))
        );
        report.add_minor(&rules::ENT_02, target, message);
    }
}

fn check_roles(report: &mut Report<'_>, entity: EntityDescriptor<'_>) {
    let element = entity.element();
    let has_roles = entity.roles().next().is_some();
    match entity.affiliation() {
        None if !has_roles => {
            let help = "Add the role, for example an IDPSSODescriptor.";
            report.add(&rules::ENT_03, element, ("the entity has no role", help));
        }
        Some(affiliation) if has_roles => {
            let message = "the entity has roles and is also an affiliation";
            let help = "Move the affiliation to a separate entity.";
            report.add(&rules::ENT_03, affiliation.element(), (message, help));
        }
        _ => {}
    }
    let affiliations = element.children_in(NamespaceId::METADATA, name!("AffiliationDescriptor"));
    for affiliation in affiliations.skip(1) {
        let message = "the entity has two AffiliationDescriptor elements";
        let help = "Move the second affiliation to a separate entity.";
        report.add(&rules::ENT_03, affiliation, (message, help));
    }
    let mut seen = Seen::new();
    for role in entity.roles() {
        let descriptor = role.descriptor();
        let name = descriptor.element().local_name();
        // The xsi:type distinguishes the roles that extensions define.
        let kind = (name, descriptor.extension_type());
        let mut duplicate = None;
        for protocol in descriptor.protocols() {
            if !seen.insert((kind, protocol)) {
                duplicate = duplicate.or(Some(protocol));
            }
        }
        if let Some(protocol) = duplicate {
            let message = format!(
                "two {name} elements support the protocol {}",
                shorten(protocol)
            );
            report.add(&rules::ENT_04, descriptor.element(), message);
        }
    }
}

fn check_organization(report: &mut Report<'_>, organization: Organization<'_>) {
    let element = organization.element();
    for name in [
        name!("OrganizationName"),
        name!("OrganizationDisplayName"),
        name!("OrganizationURL"),
    ] {
        let mut is_missing = true;
        let texts = element.children_in(NamespaceId::METADATA, name);
        let name = name.as_str();
        for text in texts {
            is_missing = false;
            let value = text.text();
            if is_blank(value) {
                let help = "Fill the element or remove Organization.";
                report.add(&rules::ENT_05, text, (format!("{name} is empty"), help));
            } else if name == "OrganizationURL"
                && let Some((problem, help)) = web_problem(value.trim())
            {
                let message = format!("OrganizationURL {:?} {problem}", shorten(value));
                report.add_minor(&rules::ENT_05, text, (message, help));
            } else if value.trim().contains('\n') {
                let help = "Write the text in one line.";
                report.add_minor(
                    &rules::ENT_05,
                    text,
                    (format!("{name} has a line break"), help),
                );
            }
        }
        if is_missing {
            let message = format!("the organization has no {name}");
            report.add(&rules::ENT_05, element, message);
        }
    }
}

fn check_contacts(report: &mut Report<'_>, entity: EntityDescriptor<'_>) {
    let of_roles = entity.roles().flat_map(|role| role.descriptor().contacts());
    let contacts: Vec<ContactPerson<'_>> = entity.contacts().chain(of_roles).collect();
    let has_technical_contact = contacts.iter().any(|contact| {
        matches!(
            contact.kind(),
            ContactType::Technical | ContactType::Support
        )
    });
    if !has_technical_contact {
        let message = "there is no technical or support contact";
        report.add_minor(&rules::ENT_06, entity.element(), message);
    }
    for contact in contacts {
        let element = contact.element();
        if let ContactType::Unknown(kind) = contact.kind() {
            let help = "Use one of technical, support, administrative, billing and other.";
            let message = match element.own_attribute(name!("contactType")) {
                None => "the contact has no contactType".to_owned(),
                Some(_) => format!("the contactType {:?} is unknown", shorten(kind)),
            };
            report.add(&rules::ENT_06, (element, "contactType"), (message, help));
        }
        let emails = element.children_in(NamespaceId::METADATA, name!("EmailAddress"));
        for (address, element) in contact.email_addresses().zip(emails) {
            if !address.is_empty() && !is_mailto(address) {
                let message = format!(
                    "EmailAddress {:?} is not a mailto: URI with one address",
                    shorten(address)
                );
                report.add(&rules::ENT_07, element, message);
            }
        }
    }
}

fn is_mailto(text: &str) -> bool {
    let Some(address) = text.strip_prefix("mailto:") else {
        return false;
    };
    let Some((name, domain)) = address.split_once('@') else {
        return false;
    };
    let is_plain = |c: char| !c.is_whitespace() && !matches!(c, ',' | ';' | ':' | '<' | '>' | '@');
    !name.is_empty()
        && !domain.is_empty()
        && name.chars().all(is_plain)
        && domain.chars().all(is_plain)
}
