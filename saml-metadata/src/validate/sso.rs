//! Checks the rules MD-IDP and MD-SP: the requirements of the two single sign-on roles.

use super::{
    endpoint::check_addresses, report::Report, rules::role as rules, seen::Seen, uri::is_absolute,
};
use crate::{
    AttributeConsumingService, IdpSsoDescriptor, KeyDescriptor, KeyUse, Role, SamlAttribute,
    SpSsoDescriptor,
    model::values::{boolean, optional_uri, parse_index},
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
    let (mut has_service, mut has_redirect, mut has_post) = (false, false, false);
    for service in idp.single_sign_on_services() {
        has_service = true;
        has_redirect |= service.binding() == binding::HTTP_REDIRECT;
        has_post |= service.binding() == binding::HTTP_POST;
    }
    if !has_service {
        let message = "the identity provider has no SingleSignOnService";
        report.add(&rules::IDP_01, element, message);
    } else if !has_redirect && !has_post {
        let message = "there is no SingleSignOnService with HTTP-Redirect or HTTP-POST";
        report.add(&rules::IDP_06, element, message);
    }
    let wanted = [
        (has_redirect, binding::HTTP_REDIRECT),
        (has_post, binding::HTTP_POST),
    ];
    for (has_binding, wanted) in wanted {
        if has_service && !has_binding && idp.supports_saml2() {
            let short = binding::short_name(wanted);
            let message = format!("there is no SingleSignOnService with {short}");
            report.add(&rules::IDP_02, element, message);
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
                let help = "Add an index from 0 to 65535.";
                report.add(&rules::SP_06, (element, "index"), (message, help));
            }
            Some(index) if !indexes.insert(index) => {
                let message =
                    format!("two AttributeConsumingService elements have the index {index}");
                let help = "Give each service its own index.";
                report.add(&rules::SP_06, (element, "index"), (message, help));
            }
            Some(_) => {}
        }
        if service.is_default() == Some(true) {
            if has_default {
                let message = "two AttributeConsumingService elements are the default";
                let help = "Keep isDefault=\"true\" on one of the services.";
                report.add(&rules::SP_06, (element, "isDefault"), (message, help));
            }
            has_default = true;
        }
        check_attribute_service(report, service);
    }
}

fn check_attribute_service(report: &mut Report<'_>, service: AttributeConsumingService<'_>) {
    let element = service.element();
    if service.names().all(|name| is_blank(name.text())) {
        let help = "Add ServiceName with the name of the service.";
        let message = ("AttributeConsumingService has no ServiceName", help);
        report.add(&rules::SP_06, element, message);
    }
    if service.requested_attributes().next().is_none() {
        let message = "AttributeConsumingService has no RequestedAttribute";
        let help = "Add a RequestedAttribute, or remove the AttributeConsumingService.";
        report.add(&rules::SP_06, element, (message, help));
    }
    for requested in service.requested_attributes() {
        let attribute = requested.attribute();
        let name = attribute.name();
        if name.is_empty() {
            let message = (
                "RequestedAttribute has no Name",
                "Add the Name of the attribute.",
            );
            report.add(&rules::SP_06, requested.element(), message);
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
    let Some(extensions) = sp.extensions() else {
        return;
    };
    let extensions = extensions.element();
    for initiator in
        extensions.children_in(NamespaceId::REQUEST_INITIATION, name!("RequestInitiator"))
    {
        check_addresses(report, initiator);
    }
    let responses = extensions.children_in(NamespaceId::DISCOVERY, name!("DiscoveryResponse"));
    let mut indexes = Seen::new();
    let mut has_default = false;
    for response in responses {
        check_addresses(report, response);
        // The check of the schema reports a missing Binding.
        let binding = optional_uri(response, name!("Binding"));
        if binding.is_some_and(|binding| binding != namespace::DISCOVERY) {
            let message = "DiscoveryResponse does not have the discovery binding";
            let help =
                "Set Binding to urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol.";
            report.add(&rules::SP_08, (response, "Binding"), (message, help));
        }
        // The check of the schema reports an index that is missing or wrong.
        if let Some(index) = response.own_attribute(name!("index")).and_then(parse_index)
            && !indexes.insert(index)
        {
            let message = format!("two DiscoveryResponse elements have the index {index}");
            let help = "Give each DiscoveryResponse its own index.";
            report.add(&rules::SP_08, (response, "index"), (message, help));
        }
        if boolean(response, name!("isDefault")) == Some(true) {
            if has_default {
                let message = "two DiscoveryResponse elements are the default";
                let help = "Keep isDefault=\"true\" on one of them.";
                report.add(&rules::SP_08, (response, "isDefault"), (message, help));
            }
            has_default = true;
        }
    }
}
