//! What is around the assertion.

use saml_metadata::{Document, Element, EntityDescriptor, names::namespace};

use super::{
    Expectations, LintReport, PROTOCOL, assertion_child, rule,
    values::{quoted, short},
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
    let is_ours = |url: &str| expectations.acs_urls.iter().any(|acs| acs == url);
    match destination {
        Some(url) if is_ours(url) => {}
        // It has to be there only if the response itself is signed.
        None if !has_signature(response) => {}
        _ => {
            let expected = expectations.acs_urls.join(" or ");
            report.add(
                &rule::DEST_01,
                response,
                format!("Destination is {}", quoted(destination)),
                expected,
            );
        }
    }
    let found = match response.attribute("InResponseTo") {
        Some(_) => "InResponseTo: the sign-in began at AWS's portal or a program",
        None => "no InResponseTo: the sign-in began at Okta's dashboard",
    };
    report.add(&rule::IRT_01, response, found.to_owned(), String::new());
}

/// Holds an `Issuer` to the entityID that AWS was given.
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

/// What a status code means (saml-core-2.0-os 3.2.2.2).
fn meaning(value: Option<&str>) -> &'static str {
    let name = value.and_then(|value| value.strip_prefix("urn:oasis:names:tc:SAML:2.0:status:"));
    match name {
        Some("Success") => "the request succeeded",
        Some("Requester") => "the fault is in the request",
        Some("Responder") => "the fault is on the identity provider's side",
        Some("VersionMismatch") => "the versions of SAML differ",
        Some("AuthnFailed") => "the person could not be authenticated",
        Some("InvalidAttrNameOrValue") => "an attribute of the request was not understood",
        Some("InvalidNameIDPolicy") => "the NameID format that was asked for cannot be given",
        Some("NoAuthnContext") => "the way of authenticating that was asked for is not possible",
        Some("NoAvailableIDP" | "NoSupportedIDP") => "no identity provider was found",
        Some("NoPassive") => "the person would have to be asked, which the request forbids",
        Some("PartialLogout") => "not every session was ended",
        Some("ProxyCountExceeded") => "the request went through too many providers",
        Some("RequestDenied") => "the identity provider does not want to answer",
        Some("RequestUnsupported") => "the identity provider does not know such requests",
        Some("RequestVersionDeprecated" | "RequestVersionTooHigh" | "RequestVersionTooLow") => {
            "the request's version of SAML is not taken"
        }
        Some("ResourceNotRecognized") => "what was asked for is not known",
        Some("TooManyResponses") => "there would be too many answers",
        Some("UnknownAttrProfile") => "the attribute profile is not known",
        Some("UnknownPrincipal") => "the identity provider does not know the person",
        Some("UnsupportedBinding") => {
            "the identity provider cannot answer by the binding asked for"
        }
        _ if value.is_none() => "there is no status code",
        _ => "a status code that SAML does not define",
    }
}
