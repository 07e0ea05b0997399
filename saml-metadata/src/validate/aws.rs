//! Checks the rules MD-AWS: the requirements of IAM Identity Center for an identity provider file.

use super::{report::Report, rules::consumer as rules, uri::is_web};
use crate::{
    Certificate, EntityDescriptor, IdpSsoDescriptor, KeyDescriptor, KeyUse,
    names::{binding, name_id_format},
};

/// AWS IAM Identity Center user guide, Using SAML and SCIM identity federation with external
/// identity providers.
const MAX_CHARACTERS: usize = 75_000;
/// AWS IAM Identity Center quotas, "`IdP` certificate file".
const MAX_CERTIFICATE_CHARACTERS: usize = 2_500;

pub(super) fn check(report: &mut Report<'_>) {
    if !report.wants(&[
        &rules::AWS_01,
        &rules::AWS_02,
        &rules::AWS_03,
        &rules::AWS_04,
        &rules::AWS_05,
        &rules::AWS_06,
        &rules::AWS_07,
    ]) {
        return;
    }
    let document = report.document;
    let root = document.root();
    let characters = document.text().chars().count();
    if characters > MAX_CHARACTERS {
        let message = format!("the file has {characters} characters, more than 75000");
        report.add(&rules::AWS_01, root, message);
    }
    let entity = match document.entity() {
        Ok(entity) => entity,
        Err(error) => {
            report.add(&rules::AWS_02, root, error.to_string());
            return;
        }
    };
    check_entity(report, entity);
    let Some(idp) = entity.identity_provider() else {
        let message = if entity.service_provider().is_some() {
            "the file describes a service provider, not an identity provider"
        } else {
            "the file describes no identity provider"
        };
        report.add(&rules::AWS_02, entity.element(), message);
        return;
    };
    check_keys(report, idp);
    check_name_id(report, idp);
    check_services(report, idp);
}

fn check_entity(report: &mut Report<'_>, entity: EntityDescriptor<'_>) {
    let document = report.document;
    if document.root() != entity.element() {
        let message = "the entity is inside an EntitiesDescriptor";
        report.add(&rules::AWS_02, document.root(), message);
    }
    if entity.entity_id().is_empty() {
        report.add(&rules::AWS_02, entity.element(), "the file has no entityID");
    }
}

fn check_keys(report: &mut Report<'_>, idp: IdpSsoDescriptor<'_>) {
    let element = idp.element();
    let mut signing = 0;
    for key in idp.key_descriptors() {
        match key.key_use() {
            Some(KeyUse::Encryption) => {
                report.add(
                    &rules::AWS_03,
                    key.element(),
                    "the file has an encryption key",
                );
            }
            None => {
                let message = "a key is not limited to signing";
                report.add_minor(&rules::AWS_03, key.element(), message);
            }
            Some(KeyUse::Signing) => {}
        }
        let certificates = check_certificates(report, key);
        if key.allows_use(KeyUse::Signing) {
            signing += certificates;
        }
    }
    match signing {
        0 => report.add(
            &rules::AWS_02,
            element,
            "the file has no signing certificate",
        ),
        1 => {}
        several => {
            let message = format!("the file has {several} signing certificates");
            report.add(&rules::AWS_07, element, message);
        }
    }
}

/// Checks the sizes of a key's certificates, and returns the number of readable certificates.
fn check_certificates(report: &mut Report<'_>, key: KeyDescriptor<'_>) -> usize {
    let mut readable = 0;
    for element in key.certificate_elements() {
        let Ok(certificate) = Certificate::from_base64(element.text()) else {
            continue;
        };
        readable += 1;
        let characters = certificate.pem().len();
        if characters > MAX_CERTIFICATE_CHARACTERS {
            let message = format!(
                "a certificate has {characters} characters as PEM, more than {MAX_CERTIFICATE_CHARACTERS}"
            );
            report.add(&rules::AWS_05, element, message);
        }
    }
    readable
}

fn check_name_id(report: &mut Report<'_>, idp: IdpSsoDescriptor<'_>) {
    let mut formats = idp.name_id_formats().peekable();
    if formats.peek().is_some() && formats.all(|format| format != name_id_format::EMAIL_ADDRESS) {
        let message = "the NameID formats do not include emailAddress";
        report.add(&rules::AWS_04, idp.element(), message);
    }
}

fn check_services(report: &mut Report<'_>, idp: IdpSsoDescriptor<'_>) {
    let element = idp.element();
    if idp.single_sign_on_services().next().is_none() {
        let message = "the file has no SingleSignOnService";
        report.add(&rules::AWS_02, element, message);
        return;
    }
    let mut fit = idp.single_sign_on_services().filter(|service| {
        matches!(
            service.binding(),
            binding::HTTP_POST | binding::HTTP_REDIRECT
        )
    });
    if fit.next().is_none() {
        let message = "there is no SingleSignOnService with HTTP-POST or HTTP-Redirect";
        report.add(&rules::AWS_06, element, message);
    }
    for service in idp.single_sign_on_services() {
        let location = service.location();
        if !(is_web(location) && location.starts_with("https:")) {
            let message = "the Location of a SingleSignOnService is not an https URL";
            report.add(&rules::AWS_06, (service.element(), "Location"), message);
        }
    }
}
