//! Checks the rules MD-OKTA: the form of the identity provider file of an Okta app.

use super::{report::Report, rules::consumer as rules};
use crate::{EntityDescriptor, IdpSsoDescriptor, KeyUse, names::binding, reader::escape::shorten};

pub(super) fn check(report: &mut Report<'_>) {
    if !report.wants(&[&rules::OKTA_01, &rules::OKTA_02]) {
        return;
    }
    check_decoding(report);
    let document = report.document;
    let root = document.root();
    let entity = match document.entity() {
        Ok(entity) => entity,
        Err(error) => {
            report.add(&rules::OKTA_01, root, error.to_string());
            return;
        }
    };
    check_entity(report, entity);
    let Some(idp) = entity.identity_provider() else {
        let message = "the file describes no identity provider";
        report.add(&rules::OKTA_01, entity.element(), message);
        return;
    };
    check_idp(report, idp);
}

fn check_entity(report: &mut Report<'_>, entity: EntityDescriptor<'_>) {
    let element = entity.element();
    let id = entity.entity_id();
    // The entityID of a SAML 1.1 app is the key without the prefix.
    let key = id.strip_prefix("http://www.okta.com/").unwrap_or(id);
    let is_key = key.starts_with("exk") && key.bytes().all(|b| b.is_ascii_alphanumeric());
    if !is_key {
        let message = "the entityID does not have the form http://www.okta.com/exk…";
        report.add_minor(&rules::OKTA_01, (element, "entityID"), message);
    }
    if element.own_attribute(name!("validUntil")).is_some() {
        let message = "the file has a validUntil, unlike Okta's files";
        report.add_minor(&rules::OKTA_01, (element, "validUntil"), message);
    }
    if let Some(signature) = element.signature() {
        let message = "the file is signed, unlike Okta's files";
        report.add_minor(&rules::OKTA_01, signature, message);
    }
}

fn check_idp(report: &mut Report<'_>, idp: IdpSsoDescriptor<'_>) {
    let element = idp.element();
    if idp
        .element()
        .own_attribute(name!("WantAuthnRequestsSigned"))
        .is_none()
    {
        let message = "the identity provider has no WantAuthnRequestsSigned";
        report.add_minor(&rules::OKTA_01, element, message);
    }
    let signing: Vec<_> = idp
        .key_descriptors()
        .filter(|key| key.key_use() == Some(KeyUse::Signing))
        .flat_map(crate::KeyDescriptor::certificate_elements)
        .collect();
    if signing.len() != 1 {
        let message = format!(
            "the file has {} signing certificates; Okta's files have one",
            signing.len()
        );
        report.add_minor(&rules::OKTA_01, element, message);
    }
    for certificate in signing {
        let longest = certificate.text().lines().map(str::len).max();
        if longest.is_some_and(|longest| longest > 76) {
            let message = "the certificate has lines of more than 76 characters";
            report.add_minor(&rules::OKTA_01, certificate, message);
        }
    }
    let other_use = idp
        .key_descriptors()
        .find(|key| key.key_use() != Some(KeyUse::Signing));
    if let Some(key) = other_use {
        let message = "the file has a key that is not for signing, unlike Okta's files";
        report.add_minor(&rules::OKTA_01, key.element(), message);
    }
    check_services(report, idp);
}

fn check_services(report: &mut Report<'_>, idp: IdpSsoDescriptor<'_>) {
    let location = |wanted: &str| {
        idp.single_sign_on_services()
            .find(|service| service.binding() == wanted)
            .map(crate::Endpoint::location)
    };
    match (
        location(binding::HTTP_POST),
        location(binding::HTTP_REDIRECT),
    ) {
        (Some(post), Some(redirect)) if post == redirect => {}
        (Some(_), Some(_)) => {
            let message = "HTTP-POST and HTTP-Redirect have different URLs";
            report.add_minor(&rules::OKTA_01, idp.element(), message);
        }
        _ => {
            let message = "the file does not have both HTTP-POST and HTTP-Redirect";
            report.add_minor(&rules::OKTA_01, idp.element(), message);
        }
    }
}

/// Looks for the character pairs of UTF-8 that was decoded as ISO-8859-1 and encoded again.
fn check_decoding(report: &mut Report<'_>) {
    let root = report.document.root();
    for element in root.descendants() {
        let text = element.text();
        if text.is_ascii() {
            continue;
        }
        let pairs = text.chars().zip(text.chars().skip(1));
        let mut traces = pairs.filter(|(first, second)| {
            matches!(first, '\u{c2}'..='\u{f4}') && matches!(second, '\u{80}'..='\u{bf}')
        });
        if traces.next().is_some() {
            let message = format!(
                "{} looks like UTF-8 that was decoded as ISO-8859-1",
                shorten(element.local_name())
            );
            report.add(&rules::OKTA_02, element, message);
        }
    }
}
