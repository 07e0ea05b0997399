//! Checks the rules MD-AWS: the requirements of IAM Identity Center for an identity provider file.

use super::{
    report::Report,
    rules::consumer as rules,
    uri::{is_web, scheme},
};
use crate::{
    EntityDescriptor, IdpSsoDescriptor, KeyDescriptor, KeyUse, aws::MAX_CERTIFICATE_CHARACTERS,
    names::name_id_format,
};

/// AWS IAM Identity Center user guide, Using SAML and SCIM identity federation with external
/// identity providers.
const MAX_CHARACTERS: usize = 75_000;

const ONE_ENTITY: &str = "Download the identity provider metadata of this one app: IAM Identity Center needs a file with one identity provider.";

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
            report.add(&rules::AWS_02, root, (error.to_string(), ONE_ENTITY));
            return;
        }
    };
    check_entity(report, entity);
    let Some(idp) = entity.identity_provider() else {
        let message = if entity.service_provider().is_some() {
            (
                "the file describes a service provider, not an identity provider",
                "Upload the metadata of the identity provider here: this file belongs into the identity provider.",
            )
        } else {
            ("the file describes no identity provider", ONE_ENTITY)
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
        let help = "Make the EntityDescriptor the root element: remove the EntitiesDescriptor around it, and copy the namespace declarations that the EntityDescriptor needs.";
        report.add(&rules::AWS_02, document.root(), (message, help));
    }
    if entity.entity_id().is_empty() {
        let help =
            "Add the issuer of the identity provider as the entityID of the EntityDescriptor.";
        let message = ("the file has no entityID", help);
        report.add(&rules::AWS_02, entity.element(), message);
    }
}

fn check_keys<'a>(report: &mut Report<'a>, idp: IdpSsoDescriptor<'a>) {
    let element = idp.element();
    let mut signing = 0;
    for key in idp.key_descriptors() {
        match key.key_use() {
            Some(KeyUse::Encryption) => {
                let help = "Remove the encryption key: IAM Identity Center does not encrypt.";
                let message = ("the file has an encryption key", help);
                report.add(&rules::AWS_03, key.element(), message);
            }
            None => {
                let help = "Mark the key with use=\"signing\".";
                let message = ("a key is not limited to signing", help);
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
            (
                "the file has no signing certificate",
                "Add a KeyDescriptor with use=\"signing\" and the certificate of the key that signs the assertions.",
            ),
        ),
        1 => {}
        several => {
            let message = format!("the file has {several} signing certificates");
            report.add(&rules::AWS_07, element, message);
        }
    }
}

/// Checks the sizes of a key's certificates, and returns the number of readable certificates.
fn check_certificates<'a>(report: &mut Report<'a>, key: KeyDescriptor<'a>) -> usize {
    let mut readable = 0;
    for element in key.certificate_elements() {
        let certificate = report.certificates.of(element);
        let Ok(certificate) = &*certificate else {
            continue;
        };
        readable += 1;
        let characters = certificate.pem_len();
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
        let help = "Add a SingleSignOnService with the sign-in URL of the identity provider.";
        report.add(&rules::AWS_02, element, (message, help));
        return;
    }
    for service in idp.single_sign_on_services() {
        let location = service.location();
        // Another rule reports a URL that cannot be opened.
        if is_web(location) && scheme(location) != "https" {
            let message = "the Location of a SingleSignOnService is not an https URL";
            report.add(&rules::AWS_06, (service.element(), "Location"), message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Certificate;

    #[test]
    fn the_length_of_a_certificate_is_that_of_its_pem() {
        let document = crate::read(&include_bytes!("../../tests/fixtures/okta.xml")[..]);
        let document = document.expect("a document");
        let entity = document.entity().expect("one entity");
        let idp = entity.identity_provider().expect("an identity provider");
        let certificates = idp.key_descriptors().flat_map(KeyDescriptor::certificates);
        let certificates: Vec<Certificate> = certificates
            .map(|read| read.expect("a certificate"))
            .collect();
        assert!(!certificates.is_empty());
        for certificate in certificates {
            assert_eq!(certificate.pem_len(), certificate.pem().len());
        }
    }
}
