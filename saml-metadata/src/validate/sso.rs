//! Checks the rules MD-IDP and MD-SP: the requirements of the two single sign-on roles.

use super::{report::Report, rules::role as rules, seen::Seen, uri::is_absolute};
use crate::{
    AttributeConsumingService, Element, IdpSsoDescriptor, KeyDescriptor, KeyUse, Role,
    SamlAttribute, SpSsoDescriptor,
    model::values::{boolean, parse_index, uri},
    names::{attribute_name_format, binding, namespace},
    reader::{chars::is_blank, escape::shorten},
    tree::NamespaceId,
};

pub(super) fn check(report: &mut Report<'_>, role: Role<'_>) {
    match role {
        Role::IdentityProvider(idp) => check_idp(report, idp),
        Role::ServiceProvider(sp) => check_sp(report, sp),
        Role::AttributeAuthority(authority) => {
            check_attributes(report, authority.attributes());
        }
        _ => {}
    }
}

fn check_idp(report: &mut Report<'_>, idp: IdpSsoDescriptor<'_>) {
    let element = idp.element();
    if idp.single_sign_on_services().next().is_none() {
        let message = "the identity provider has no SingleSignOnService";
        report.add(&rules::IDP_01, element, message);
    } else if idp.supports_saml2() {
        for wanted in [binding::HTTP_REDIRECT, binding::HTTP_POST] {
            if idp
                .single_sign_on_services()
                .all(|service| service.binding() != wanted)
            {
                let short = wanted.rsplit(':').next().unwrap_or(wanted);
                let message = format!("there is no SingleSignOnService with {short}");
                report.add(&rules::IDP_02, element, message);
            }
        }
    }
    if !has_key(idp.key_descriptors(), KeyUse::Signing) {
        let message = "the identity provider has no signing key";
        report.add(&rules::IDP_03, element, message);
    }
    if idp.single_logout_services().next().is_none() {
        let message = "the identity provider has no SingleLogoutService";
        report.add(&rules::IDP_04, element, message);
    }
    check_attributes(report, idp.attributes());
}

fn check_attributes<'a>(
    report: &mut Report<'_>,
    attributes: impl Iterator<Item = SamlAttribute<'a>>,
) {
    for attribute in attributes.filter(|attribute| attribute.name_format().is_none()) {
        let message = format!(
            "the attribute {:?} has no NameFormat",
            shorten(attribute.name())
        );
        report.add(&rules::IDP_05, attribute.element(), message);
    }
}

fn check_sp(report: &mut Report<'_>, sp: SpSsoDescriptor<'_>) {
    let element = sp.element();
    if sp.assertion_consumer_services().next().is_none() {
        let message = "the service provider has no AssertionConsumerService";
        report.add(&rules::SP_01, element, message);
    } else if sp.supports_saml2()
        && sp
            .assertion_consumer_services()
            .all(|acs| acs.binding() != binding::HTTP_POST)
    {
        let message = "there is no AssertionConsumerService with HTTP-POST";
        report.add(&rules::SP_02, element, message);
    }
    if !has_key(sp.key_descriptors(), KeyUse::Encryption) {
        let message = "the service provider has no encryption key";
        report.add(&rules::SP_03, element, message);
    }
    if sp.authn_requests_signed() && !has_key(sp.key_descriptors(), KeyUse::Signing) {
        let message = "the service provider signs its requests, but has no signing key";
        report.add(&rules::SP_04, (element, "AuthnRequestsSigned"), message);
    }
    if !sp.want_assertions_signed() {
        let message = "the service provider does not ask for signed assertions";
        report.add(&rules::SP_05, (element, "WantAssertionsSigned"), message);
    }
    check_attribute_services(report, sp);
    check_discovery(report, sp);
}

fn has_key<'a>(mut keys: impl Iterator<Item = KeyDescriptor<'a>>, wanted: KeyUse) -> bool {
    keys.any(|key| {
        key.allows_use(wanted)
            && (key.certificate_elements().next().is_some() || key.has_bare_key())
    })
}

fn check_attribute_services(report: &mut Report<'_>, sp: SpSsoDescriptor<'_>) {
    let mut indexes = Seen::new();
    let mut has_default = false;
    for service in sp.attribute_consuming_services() {
        let element = service.element();
        match service.index() {
            None => {
                let message = "AttributeConsumingService has no index from 0 to 65535";
                report.add(&rules::SP_06, (element, "index"), message);
            }
            Some(index) if !indexes.insert(index) => {
                let message =
                    format!("two AttributeConsumingService elements have the index {index}");
                report.add(&rules::SP_06, (element, "index"), message);
            }
            Some(_) => {}
        }
        if service.is_default() == Some(true) {
            if has_default {
                let message = "two AttributeConsumingService elements are the default";
                report.add(&rules::SP_06, (element, "isDefault"), message);
            }
            has_default = true;
        }
        check_attribute_service(report, service);
    }
}

fn check_attribute_service(report: &mut Report<'_>, service: AttributeConsumingService<'_>) {
    let element = service.element();
    if service.names().all(|name| is_blank(name.text())) {
        report.add(
            &rules::SP_06,
            element,
            "AttributeConsumingService has no ServiceName",
        );
    }
    if service.requested_attributes().next().is_none() {
        let message = "AttributeConsumingService has no RequestedAttribute";
        report.add(&rules::SP_06, element, message);
    }
    for requested in service.requested_attributes() {
        let attribute = requested.attribute();
        let name = attribute.name();
        if name.is_empty() {
            report.add(
                &rules::SP_06,
                requested.element(),
                "RequestedAttribute has no Name",
            );
            continue;
        }
        match attribute.name_format() {
            None => {
                let message = format!("the attribute {:?} has no NameFormat", shorten(name));
                report.add(&rules::SP_07, requested.element(), message);
            }
            Some(format) => {
                let is_uri = format == attribute_name_format::URI;
                let looks_like_uri = name.starts_with("urn:") || name.starts_with("http");
                let problem = if is_uri && !is_absolute(name) {
                    "is not a URI, but has the NameFormat uri"
                } else if !is_uri && looks_like_uri && is_absolute(name) {
                    "is a URI, but does not have the NameFormat uri"
                } else {
                    continue;
                };
                let message = format!("the attribute {:?} {problem}", shorten(name));
                report.add(&rules::SP_07, (requested.element(), "NameFormat"), message);
            }
        }
    }
}

fn check_discovery(report: &mut Report<'_>, sp: SpSsoDescriptor<'_>) {
    let responses: Vec<Element<'_>> = sp
        .extensions()
        .into_iter()
        .flat_map(|extensions| {
            extensions
                .element()
                .children_in(NamespaceId::DISCOVERY, "DiscoveryResponse")
        })
        .collect();
    let mut indexes = Seen::new();
    let mut has_default = false;
    for response in responses {
        if uri(response, "Binding") != namespace::DISCOVERY {
            let message = "DiscoveryResponse does not have the discovery binding";
            report.add(&rules::SP_08, (response, "Binding"), message);
        }
        match response.attribute("index").and_then(parse_index) {
            None => {
                let message = "DiscoveryResponse has no index from 0 to 65535";
                report.add(&rules::SP_08, (response, "index"), message);
            }
            Some(index) if !indexes.insert(index) => {
                let message = format!("two DiscoveryResponse elements have the index {index}");
                report.add(&rules::SP_08, (response, "index"), message);
            }
            Some(_) => {}
        }
        if boolean(response, "isDefault") == Some(true) {
            if has_default {
                let message = "two DiscoveryResponse elements are the default";
                report.add(&rules::SP_08, (response, "isDefault"), message);
            }
            has_default = true;
        }
    }
}
