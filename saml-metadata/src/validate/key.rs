//! Checks the rules MD-KEY: keys and certificates.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{report::Report, rules::key as rules, seen::Seen, weak_keys};
use crate::{
    Certificate, Element, KeyDescriptor, KeyUse, PublicKey, reader::escape::shorten,
    tree::NamespaceId,
};

/// Object identifiers of signature algorithms that use MD2, MD5 or SHA-1, with the digest's name.
const OLD_SIGNATURES: [(&str, &str); 5] = [
    ("1.2.840.113549.1.1.2", "MD2"),
    ("1.2.840.113549.1.1.4", "MD5"),
    ("1.2.840.113549.1.1.5", "SHA-1"),
    ("1.2.840.10040.4.3", "SHA-1"),
    ("1.2.840.10045.4.1", "SHA-1"),
];

pub(super) fn check<'a>(report: &mut Report<'_>, keys: impl Iterator<Item = KeyDescriptor<'a>>) {
    let mut seen = Seen::new();
    for key in keys {
        check_key(report, key);
        for element in key.certificate_elements() {
            match Certificate::from_base64(element.text()) {
                Err(error) => report.add(&rules::KEY_04, element, error.to_string()),
                Ok(certificate) => {
                    check_certificate(report, element, &certificate);
                    let use_and_key = (
                        key.key_use().map(|key_use| key_use == KeyUse::Signing),
                        certificate.into_public_key_der(),
                    );
                    if !seen.insert(use_and_key) {
                        let message = "the same key is listed twice for the same use";
                        report.add(&rules::KEY_09, element, message);
                    }
                }
            }
        }
    }
}

fn check_key(report: &mut Report<'_>, key: KeyDescriptor<'_>) {
    let element = key.element();
    if let Some(text) = element.attribute("use")
        && key.key_use().is_none()
    {
        let message = format!(
            "the use of a key is {:?}, not signing or encryption",
            shorten(text)
        );
        report.add(&rules::KEY_01, (element, "use"), message);
    }
    let certificates = key.certificate_elements().count();
    if certificates == 0 && !key.has_bare_key() {
        if key.key_names().next().is_some() {
            let message = "a KeyDescriptor has a key name, but no key";
            report.add_minor(&rules::KEY_02, element, message);
        } else if key.key_info().is_some() {
            report.add(
                &rules::KEY_02,
                element,
                "a KeyDescriptor has no key in its KeyInfo",
            );
        } else {
            report.add(&rules::KEY_02, element, "a KeyDescriptor has no ds:KeyInfo");
        }
    }
    if certificates > 1 {
        let message = format!("a KeyDescriptor has {certificates} certificates");
        report.add(&rules::KEY_03, element, message);
    }
    if key.key_use() == Some(KeyUse::Signing)
        && let Some(method) = element.child_in(NamespaceId::METADATA, "EncryptionMethod")
    {
        let message = "a signing key has an EncryptionMethod";
        report.add(&rules::KEY_11, method, message);
    }
}

fn check_certificate(report: &mut Report<'_>, element: Element<'_>, certificate: &Certificate) {
    let version = certificate.version();
    if version != 3 {
        let message = format!("the certificate has X.509 version {version}, not 3");
        report.add_minor(&rules::KEY_04, element, message);
    }
    check_dates(report, element, certificate);
    check_strength(report, element, certificate);
    if weak_keys::is_roca(certificate.modulus()) {
        let message = "the key was made by a broken generator (ROCA)";
        report.add(&rules::KEY_07, element, message);
    }
    if is_published(report, certificate) {
        let message = "the private key is publicly known";
        report.add(&rules::KEY_07, element, message);
    }
    let algorithm = certificate.signature_algorithm();
    if let Some((_, hash)) = OLD_SIGNATURES.iter().find(|(oid, _)| *oid == algorithm) {
        let message = format!("the certificate is signed with {hash}");
        report.add(&rules::KEY_08, element, message);
    }
    if certificate.is_authority() {
        report.add(
            &rules::KEY_10,
            element,
            "the certificate is a CA certificate",
        );
    }
    if !certificate.may_sign() {
        let message = "the certificate's key usage does not include signatures";
        report.add(&rules::KEY_10, element, message);
    }
}

fn is_published(report: &Report<'_>, certificate: &Certificate) -> bool {
    let published = &report.policy.published_keys;
    if published.is_empty() {
        return false;
    }
    let mut digits = String::new();
    for byte in Sha256::digest(certificate.public_key_der()) {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    published.contains(&digits)
}

fn check_dates(report: &mut Report<'_>, element: Element<'_>, certificate: &Certificate) {
    let (from, until) = (certificate.not_before(), certificate.not_after());
    if report.now > until {
        let message = format!("the certificate expired at {until}");
        report.add(&rules::KEY_05, element, message);
    } else if report.now < from {
        let message = format!("the certificate is not valid before {from}");
        report.add(&rules::KEY_05, element, message);
    } else if until.duration_since(report.now) < report.policy.certificate_notice {
        let message = format!("the certificate expires soon, at {until}");
        report.add_minor(&rules::KEY_05, element, message);
    }
}

fn check_strength(report: &mut Report<'_>, element: Element<'_>, certificate: &Certificate) {
    match certificate.public_key() {
        PublicKey::Rsa { bits, exponent } => {
            let message = || format!("the key is RSA with {bits} bits");
            if *bits < 2048 {
                report.add(&rules::KEY_06, element, message());
            } else if *bits < 3072 {
                report.add_minor(&rules::KEY_06, element, message());
            }
            if let Some(exponent) = exponent
                && (*exponent < 65_537 || exponent % 2 == 0)
            {
                let message = format!("the key has the RSA exponent {exponent}");
                report.add_minor(&rules::KEY_06, element, message);
            }
        }
        PublicKey::EllipticCurve { bits, .. } if *bits < 256 => {
            let message = format!("the elliptic curve of the key has {bits} bits");
            report.add(&rules::KEY_06, element, message);
        }
        PublicKey::Dsa => report.add(&rules::KEY_06, element, "the key is a DSA key"),
        _ => {}
    }
}
