//! Checks the rules MD-GCP: the requirements of Google's Workforce Identity Federation.

use jiff::SignedDuration;

use super::{
    report::{ONE_ENTITY, Report},
    rules::consumer as rules,
};
use crate::{IdpSsoDescriptor, KeyUse};

/// Google Cloud IAM API v1, `Saml.idpMetadataXml`: 128 kB.
const MAX_CHARACTERS: usize = 128 * 1024;
const MAX_KEYS: usize = 3;
const MAX_TIME_TO_START: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The limit is 25 years in the current API reference.
const MAX_TIME_TO_END: SignedDuration = SignedDuration::from_hours(25 * 365 * 24 + 7 * 24);
/// The limit was 15 years in an earlier API reference.
const OLD_MAX_TIME_TO_END: SignedDuration = SignedDuration::from_hours(15 * 365 * 24 + 4 * 24);

const SHORTER: &str = "Create a certificate that is valid for at most 15 years.";

pub(super) fn check(report: &mut Report<'_>) {
    if !report.wants(&[&rules::GCP_01]) {
        return;
    }
    let document = report.document;
    let root = document.root();
    let characters = document.text().chars().count();
    if characters > MAX_CHARACTERS {
        let message = format!("the file has {characters} characters, more than 131072");
        let help = "Use the metadata of this one app: Google accepts no larger file.";
        report.add(&rules::GCP_01, root, (message, help));
    }
    if let Some(idp) = report.one_identity_provider(&[&rules::GCP_01], ONE_ENTITY) {
        check_keys(report, idp);
    }
}

fn check_keys<'a>(report: &mut Report<'a>, idp: IdpSsoDescriptor<'a>) {
    let signing = || {
        idp.key_descriptors()
            .filter(|key| key.allows_use(KeyUse::Signing))
    };
    let keys = signing().count();
    if keys > MAX_KEYS {
        let message = format!("the file has {keys} signing keys, more than 3");
        let help = "Remove the signing keys that are no longer used.";
        report.add(&rules::GCP_01, idp.element(), (message, help));
    }
    let now = report.now;
    let mut is_usable = false;
    for element in signing().flat_map(crate::KeyDescriptor::certificate_elements) {
        // Another rule reports unreadable certificates.
        let certificate = report.certificates.of(element);
        let Ok(certificate) = &*certificate else {
            continue;
        };
        let (from, until) = (certificate.not_before(), certificate.not_after());
        is_usable |= until >= now;
        let time_to_end = until.duration_since(now);
        if from.duration_since(now) > MAX_TIME_TO_START {
            let message = format!("the certificate starts more than 7 days from now, at {from}");
            let help = "Upload the certificate at most 7 days before it starts, or create one that is valid now.";
            report.add(&rules::GCP_01, element, (message, help));
        }
        if time_to_end > MAX_TIME_TO_END {
            let message = format!("the certificate ends more than 25 years from now, at {until}");
            report.add(&rules::GCP_01, element, (message, SHORTER));
        } else if time_to_end > OLD_MAX_TIME_TO_END {
            let message = format!("the certificate ends more than 15 years from now, at {until}");
            report.add_minor(&rules::GCP_01, element, (message, SHORTER));
        }
    }
    if !is_usable {
        let message = "the file has no unexpired signing certificate";
        let help =
            "Add the certificate of the key that signs now: Google accepts no file without one.";
        report.add(&rules::GCP_01, idp.element(), (message, help));
    }
}
