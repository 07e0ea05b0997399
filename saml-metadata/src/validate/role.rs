//! Checks the rules MD-ROLE and MD-NID, which apply to all roles.

use super::{
    report::Report,
    rules::role as rules,
    seen::Seen,
    uri::{is_absolute, is_https, web_problem},
};
use crate::{
    Element, Role,
    names::{name_id_format, protocol},
    reader::{chars::collapse, escape::shorten},
    tree::NamespaceId,
};

pub(super) fn check(report: &mut Report<'_>, role: Role<'_>) {
    let descriptor = role.descriptor();
    let element = descriptor.element();
    check_protocols(report, role);
    check_bindings(report, role);
    match descriptor.error_url() {
        None if matches!(role, Role::IdentityProvider(_)) => {
            let message = "the identity provider has no errorURL";
            report.add_minor(&rules::ROLE_03, element, message);
        }
        Some(url) if !is_https(url) => {
            let (problem, help) = web_problem(url).unwrap_or_else(|| {
                (
                    "is not an https URL".to_owned(),
                    "Serve the page over https.",
                )
            });
            let message = (format!("errorURL {:?} {problem}", shorten(url)), help);
            report.add(&rules::ROLE_03, (element, "errorURL"), message);
        }
        _ => {}
    }
    // The check of the structure reports a role without a type.
    if let Role::Other(other) = role
        && let Some((namespace, name)) = other.extension_type()
    {
        let message = format!(
            "the role has the unknown type {} in {}",
            shorten(name),
            shorten(namespace)
        );
        report.add(&rules::ROLE_04, element, message);
    }
    check_name_id_formats(report, element);
}

fn check_protocols(report: &mut Report<'_>, role: Role<'_>) {
    let element = role.descriptor().element();
    let target = (element, "protocolSupportEnumeration");
    let mut protocols = role.descriptor().protocols().peekable();
    if protocols.peek().is_none() {
        let message = format!("{} lists no protocol", element.local_name());
        report.add(&rules::ROLE_01, target, message);
    }
    for protocol in protocols.filter(|protocol| !is_absolute(protocol)) {
        let message = format!("the protocol {:?} is not a URI", shorten(protocol));
        report.add(&rules::ROLE_01, target, message);
    }
}

/// Checks that the role lists the protocol of each binding.
fn check_bindings(report: &mut Report<'_>, role: Role<'_>) {
    let descriptor = role.descriptor();
    let (mut saml2, mut saml1, mut shibboleth) = (false, false, false);
    for protocol in descriptor.protocols() {
        saml2 |= protocol == protocol::SAML_2_0;
        saml1 |= matches!(protocol, protocol::SAML_1_0 | protocol::SAML_1_1);
        shibboleth |= protocol == protocol::SHIBBOLETH;
    }
    for endpoint in descriptor.element().children() {
        let Some(binding) = endpoint.own_attribute(name!("Binding")).map(collapse) else {
            continue;
        };
        if endpoint.namespace_id() != NamespaceId::METADATA {
            continue;
        }
        let missing = if binding.starts_with("urn:oasis:names:tc:SAML:2.0:bindings:") {
            (!saml2).then_some("SAML 2.0")
        } else if binding.starts_with("urn:oasis:names:tc:SAML:1.0:") {
            (!saml1).then_some("SAML 1.x")
        } else if binding.starts_with("urn:mace:shibboleth:1.0:") {
            (!shibboleth).then_some("Shibboleth")
        } else {
            None
        };
        if let Some(missing) = missing {
            let message = format!(
                "{} has a {missing} binding, but the role does not list this protocol",
                endpoint.local_name()
            );
            // A consumer needs SAML 2.0; an endpoint of an older protocol does not stop it.
            let is_minor = missing != "SAML 2.0";
            report.add_as(is_minor, &rules::ROLE_02, (endpoint, "Binding"), message);
        }
    }
}

fn check_name_id_formats(report: &mut Report<'_>, role: Element<'_>) {
    /// A format of SAML 1 that federations still list.
    const SHIBBOLETH: &str = "urn:mace:shibboleth:1.0:nameIdentifier";

    let mut seen = Seen::new();
    let mut first = None;
    let mut has_specific_format = false;
    for format in role.children_in(NamespaceId::METADATA, name!("NameIDFormat")) {
        first = first.or(Some(format));
        let name = collapse(format.text());
        if !name_id_format::KNOWN.contains(&name) && name != SHIBBOLETH {
            let message = format!("the NameIDFormat {:?} is unknown", shorten(name));
            report.add(&rules::NID_01, format, message);
        }
        has_specific_format |= name != name_id_format::UNSPECIFIED;
        if !seen.insert(name) {
            let message = format!("the NameIDFormat {:?} is listed twice", shorten(name));
            report.add(&rules::NID_01, format, message);
        }
    }
    if let Some(first) = first
        && !has_specific_format
    {
        report.add(
            &rules::NID_01,
            first,
            "the only NameIDFormat is unspecified",
        );
    }
}
