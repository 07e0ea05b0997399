//! Checks the rules MD-EP: the endpoints that receive messages.

use super::{
    report::Report,
    rules::role as rules,
    seen::Seen,
    uri::{is_absolute, is_usual, oddities, scheme, url_problem},
};
use crate::{
    Element, Endpoint, IndexedEndpoint,
    local_name::LocalName,
    names::{
        binding::{self, short_name},
        namespace,
    },
    reader::escape::shorten,
    tree::NamespaceId,
};

/// Endpoints of the specification, and the SAML 2.0 bindings that fit each of them.
const FITTING: [(LocalName, &[&str]); 10] = [
    (name!("ArtifactResolutionService"), &[binding::SOAP]),
    (name!("SingleLogoutService"), LOGOUT),
    (name!("ManageNameIDService"), LOGOUT),
    (
        name!("SingleSignOnService"),
        &[
            binding::HTTP_REDIRECT,
            binding::HTTP_POST,
            binding::HTTP_POST_SIMPLE_SIGN,
            binding::HTTP_ARTIFACT,
            // Enhanced clients send requests by SOAP (saml-profiles-2.0-os 4.2).
            binding::SOAP,
        ],
    ),
    (name!("NameIDMappingService"), &[binding::SOAP]),
    (
        name!("AssertionIDRequestService"),
        &[binding::SOAP, binding::URI],
    ),
    (
        name!("AssertionConsumerService"),
        &[
            binding::HTTP_POST,
            binding::HTTP_POST_SIMPLE_SIGN,
            binding::HTTP_ARTIFACT,
            binding::PAOS,
        ],
    ),
    (name!("AuthnQueryService"), &[binding::SOAP]),
    (name!("AuthzService"), &[binding::SOAP]),
    (name!("AttributeService"), &[binding::SOAP]),
];

const LOGOUT: &[&str] = &[
    binding::HTTP_REDIRECT,
    binding::HTTP_POST,
    binding::HTTP_POST_SIMPLE_SIGN,
    binding::HTTP_ARTIFACT,
    binding::SOAP,
];

/// Bindings that other specifications than SAML 2.0 define.
const OTHER_BINDINGS: [&str; 6] = [
    namespace::HOLDER_OF_KEY,
    "urn:oasis:names:tc:SAML:1.0:bindings:SOAP-binding",
    "urn:oasis:names:tc:SAML:1.0:profiles:browser-post",
    "urn:oasis:names:tc:SAML:1.0:profiles:artifact-01",
    "urn:mace:shibboleth:1.0:profiles:AuthnRequest",
    "urn:mace:shibboleth:2.0:profiles:AuthnRequest",
];

pub(super) fn check(report: &mut Report<'_>, role: Element<'_>) {
    let (mut artifacts, mut consumers) = (Vec::new(), Vec::new());
    for element in role.children() {
        if element.namespace_id() != NamespaceId::METADATA {
            continue;
        }
        let name = element.local_name_number();
        let Some((_, fitting)) = FITTING.iter().find(|(known, _)| *known == name) else {
            continue;
        };
        check_addresses(report, element);
        check_binding(report, element, fitting);
        if name == name!("ArtifactResolutionService") {
            artifacts.push(IndexedEndpoint::new(element));
        } else if name == name!("AssertionConsumerService") {
            consumers.push(IndexedEndpoint::new(element));
        }
    }
    check_set(report, &artifacts);
    check_set(report, &consumers);
    check_sso_bindings(report, role);
}

/// Checks the URLs of an element with the type of an endpoint.
pub(super) fn check_addresses(report: &mut Report<'_>, element: Element<'_>) {
    let name = element.local_name();
    for attribute in [name!("Location"), name!("ResponseLocation")] {
        let address = element.own_attribute(attribute);
        let attribute = attribute.as_str();
        let target = (element, attribute);
        let Some(address) = address.map(crate::reader::chars::collapse) else {
            // The check of the schema reports a missing Location of an extension.
            if attribute == "Location" && element.namespace_id() == NamespaceId::METADATA {
                let message = (
                    format!("{name} has no Location"),
                    "Add the URL of the endpoint.",
                );
                report.add(&rules::EP_01, element, message);
            }
            continue;
        };
        if is_usual(address) {
            continue;
        }
        // A wrong address of an endpoint that only programs use does not stop a browser.
        let is_minor = is_for_programs(element);
        if !is_absolute(address) {
            let message = format!("{attribute} {:?} is not an absolute URI", shorten(address));
            report.add_as(is_minor, &rules::EP_01, target, message);
            continue;
        }
        match scheme(address).as_ref() {
            "https" => {}
            "http" => {
                report.add(
                    &rules::EP_03,
                    target,
                    format!("{attribute} of {name} is not https"),
                );
            }
            other => {
                let message = format!("{attribute} of {name} has the scheme {}", shorten(other));
                report.add(&rules::EP_02, target, message);
                continue;
            }
        }
        if let Some(problem) = url_problem(address) {
            let message = format!(
                "{attribute} {:?} of {name} {}",
                shorten(address),
                problem.message()
            );
            report.add_as(is_minor, &rules::EP_11, target, (message, problem.help()));
            continue;
        }
        for odd in oddities(address) {
            report.add(
                &rules::EP_04,
                target,
                format!("{attribute} of {name} {odd}"),
            );
        }
    }
    let has_responses = matches!(name, "SingleLogoutService" | "ManageNameIDService");
    if !has_responses && element.own_attribute(name!("ResponseLocation")).is_some() {
        let message = format!("{name} must not have a ResponseLocation");
        report.add(&rules::EP_09, (element, "ResponseLocation"), message);
    }
}

/// Returns whether only programs, and no browsers, use an endpoint.
fn is_for_programs(element: Element<'_>) -> bool {
    matches!(
        Endpoint::new(element).binding(),
        binding::SOAP
            | binding::URI
            | binding::PAOS
            | "urn:oasis:names:tc:SAML:1.0:bindings:SOAP-binding"
    )
}

fn check_binding(report: &mut Report<'_>, element: Element<'_>, fitting: &[&str]) {
    let name = element.local_name();
    let target = (element, "Binding");
    let binding = Endpoint::new(element).binding();
    if element.own_attribute(name!("Binding")).is_none() {
        let help =
            "Add the URI of the binding, such as urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST.";
        report.add(
            &rules::EP_01,
            element,
            (format!("{name} has no Binding"), help),
        );
    } else if !is_absolute(binding) {
        let message = format!("Binding {:?} is not an absolute URI", shorten(binding));
        let help =
            "Write the URI of the binding, such as urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST.";
        report.add(&rules::EP_01, target, (message, help));
    } else if fitting.contains(&binding) || OTHER_BINDINGS.contains(&binding) {
        // The binding fits.
    } else if is_saml2(binding) {
        let short = short_name(binding);
        let message = format!("the binding {short} does not fit {name}");
        report.add(&rules::EP_05, target, message);
    } else {
        let message = format!("the binding {:?} is unknown", shorten(binding));
        report.add(&rules::EP_06, target, message);
    }
}

fn is_saml2(binding: &str) -> bool {
    [
        binding::HTTP_REDIRECT,
        binding::HTTP_POST,
        binding::HTTP_POST_SIMPLE_SIGN,
        binding::HTTP_ARTIFACT,
        binding::SOAP,
        binding::PAOS,
        binding::URI,
    ]
    .contains(&binding)
}

/// Checks the indexes and the default of the indexed endpoints of one type.
fn check_set(report: &mut Report<'_>, set: &[IndexedEndpoint<'_>]) {
    let mut indexes = Seen::new();
    let mut has_default = false;
    for endpoint in set {
        let element = endpoint.element();
        let name = element.local_name();
        match (endpoint.index(), element.own_attribute(name!("index"))) {
            (None, None) => {
                let message = (
                    format!("{name} has no index"),
                    "Add an index from 0 to 65535.",
                );
                report.add(&rules::EP_07, element, message);
            }
            (None, Some(text)) => {
                let message = format!("index {:?} is not a number from 0 to 65535", shorten(text));
                let help = "Write a number from 0 to 65535.";
                report.add(&rules::EP_07, (element, "index"), (message, help));
            }
            (Some(index), _) if !indexes.insert(index) => {
                let message = format!("two {name} elements have the index {index}");
                report.add(&rules::EP_07, (element, "index"), message);
            }
            _ => {}
        }
        if endpoint.is_default() == Some(true) {
            if has_default {
                let message = format!("two {name} elements are the default");
                report.add(&rules::EP_08, (element, "isDefault"), message);
            }
            has_default = true;
        }
    }
}

fn check_sso_bindings(report: &mut Report<'_>, role: Element<'_>) {
    let mut seen = Seen::new();
    for service in role.children_in(NamespaceId::METADATA, name!("SingleSignOnService")) {
        let binding = Endpoint::new(service).binding();
        let is_front_channel = matches!(
            binding,
            binding::HTTP_POST | binding::HTTP_REDIRECT | binding::HTTP_POST_SIMPLE_SIGN
        );
        if is_front_channel && !seen.insert(binding) {
            let short = short_name(binding);
            let message = format!("two SingleSignOnService elements use {short}");
            report.add(&rules::EP_10, (service, "Binding"), message);
        }
    }
}
