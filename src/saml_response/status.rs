//! Checks of the response element: version, status, issuer, destination and request.

use saml_metadata::{Document, Element, EntityDescriptor, names::namespace};

use super::{
    Expectations, LintReport, PROTOCOL, assertion_child, rule,
    values::{quoted, quoted_acs, short},
};

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

pub(super) fn check(
    response: Element<'_>,
    metadata: &Document,
    expectations: &Expectations,
    report: &mut LintReport,
) {
    if response.attribute("Version") != Some("2.0") {
        let found = format!("Version is {}", quoted(response.attribute("Version")));
        report.add(&rule::VERSION_01, response, found, "\"2.0\"".to_owned());
    }
    check_status(response, report);
    if let Some(issuer) = assertion_child(response, "Issuer") {
        check_issuer(issuer, metadata, report);
    }
    let destination = response.attribute("Destination");
    let is_acs_url = |url: &str| expectations.acs_urls.iter().any(|acs| acs == url);
    match destination {
        Some(url) if is_acs_url(url) => {}
        // Only a signed response must have a Destination.
        None if !has_signature(response) => {}
        _ => {
            let expected = expectations.acs_urls.join(" or ");
            report.add(
                &rule::DEST_01,
                response,
                format!(
                    "Destination is {}",
                    quoted_acs(destination, &expectations.acs_urls)
                ),
                expected,
            );
        }
    }
    let found = match response.attribute("InResponseTo") {
        Some(_) => "InResponseTo: the sign-in started at the AWS access portal or in a program",
        None => "no InResponseTo: the sign-in started at Okta's dashboard",
    };
    report.add(&rule::IRT_01, response, found.to_owned(), String::new());
}

/// Checks that an `Issuer` equals the entityID of the metadata.
pub(super) fn check_issuer(issuer: Element<'_>, metadata: &Document, report: &mut LintReport) {
    let entity_id = metadata.entity().ok().map(EntityDescriptor::entity_id);
    let found = issuer.text().trim();
    if Some(found) != entity_id {
        let expected = format!("the entityID of the metadata, {}", quoted(entity_id));
        report.add(
            &rule::ISS_01,
            issuer,
            format!("{:?}", short(found)),
            expected,
        );
    }
}

fn has_signature(element: Element<'_>) -> bool {
    element
        .children()
        .any(|child| child.is(namespace::SIGNATURE, "Signature"))
}

fn check_status(response: Element<'_>, report: &mut LintReport) {
    let protocol = |element: Element<'_>, name: &str| element.is(PROTOCOL, name);
    let status = response.children().find(|child| protocol(*child, "Status"));
    let code = status.and_then(|status| {
        status
            .children()
            .find(|child| protocol(*child, "StatusCode"))
    });
    let value = code.and_then(|code| code.attribute("Value"));
    if value == Some(SUCCESS) {
        return;
    }
    let inner = code
        .and_then(|code| code.children().find(|child| protocol(*child, "StatusCode")))
        .and_then(|code| code.attribute("Value"));
    let message = status
        .and_then(|status| {
            status
                .children()
                .find(|child| protocol(*child, "StatusMessage"))
        })
        .map(|message| message.text().trim());
    let mut found = format!("{}: {}", quoted(value), meaning(value));
    if inner.is_some() {
        found = format!("{found}; {}: {}", quoted(inner), meaning(inner));
    }
    if message.is_some() {
        found = format!("{found}; the identity provider says {}", quoted(message));
    }
    report.add(
        &rule::STATUS_01,
        code.unwrap_or(response),
        found,
        format!("{SUCCESS:?}"),
    );
}

/// Returns the meaning of a status code (saml-core-2.0-os 3.2.2.2).
fn meaning(value: Option<&str>) -> &'static str {
    let name = value.and_then(|value| value.strip_prefix("urn:oasis:names:tc:SAML:2.0:status:"));
    match name {
        Some("Success") => "the request succeeded",
        Some("Requester") => "the request caused the error",
        Some("Responder") => "the identity provider caused the error",
        Some("VersionMismatch") => "the SAML versions differ",
        Some("AuthnFailed") => "the user could not be authenticated",
        Some("InvalidAttrNameOrValue") => {
            "the identity provider did not understand an attribute of the request"
        }
        Some("InvalidNameIDPolicy") => {
            "the identity provider does not support the requested NameID format"
        }
        Some("NoAuthnContext") => "the requested authentication context is not available",
        Some("NoAvailableIDP" | "NoSupportedIDP") => "no identity provider was found",
        Some("NoPassive") => "the user would have to interact, but the request forbids it",
        Some("PartialLogout") => "some sessions were not ended",
        Some("ProxyCountExceeded") => "the request went through too many providers",
        Some("RequestDenied") => "the identity provider denied the request",
        Some("RequestUnsupported") => "the identity provider does not support this request",
        Some("RequestVersionDeprecated" | "RequestVersionTooHigh" | "RequestVersionTooLow") => {
            "the SAML version of the request is not supported"
        }
        Some("ResourceNotRecognized") => "the requested resource is unknown",
        Some("TooManyResponses") => "the result would have too many responses",
        Some("UnknownAttrProfile") => "the attribute profile is unknown",
        Some("UnknownPrincipal") => "the identity provider does not know the user",
        Some("UnsupportedBinding") => {
            "the identity provider does not support the requested binding"
        }
        _ if value.is_none() => "the response has no status code",
        _ => "SAML does not define this status code",
    }
}
