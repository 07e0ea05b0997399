//! Checks the rules MD-KEY: keys and certificates.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{
    report::{Message, Report, Target},
    rules::key as rules,
    seen::Seen,
    weak_keys,
};
use crate::{
    Certificate, CertificateError, Document, Element, KeyDescriptor, KeyUse, PublicKey,
    error::with_causes,
    reader::{chars::is_space, escape::shorten},
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

/// Certificates outside their validity period, of the signing keys or of the other keys of a role.
#[derive(Default)]
struct Dates<'a> {
    has_valid: bool,
    wrong: Vec<(Element<'a>, Message)>,
}

pub(super) fn check<'a>(report: &mut Report<'a>, keys: impl Iterator<Item = KeyDescriptor<'a>>) {
    let mut seen = Seen::new();
    let (mut signing, mut others) = (Dates::default(), Dates::default());
    for key in keys {
        check_key(report, key);
        let signs = key.allows_use(KeyUse::Signing);
        for element in key.certificate_elements() {
            match &*report.certificates.of(element) {
                Err(error) => {
                    let (target, message) = unreadable(report.document, element, error);
                    report.add(&rules::KEY_04, target, message);
                }
                Ok(certificate) => {
                    check_certificate(report, element, certificate);
                    if signs && !certificate.may_sign() {
                        let message = "the certificate's key usage does not include signatures";
                        report.add(&rules::KEY_10, element, message);
                    }
                    let dates = if signs { &mut signing } else { &mut others };
                    check_dates(report, element, certificate, dates);
                    let key_use = key.key_use().map(|key_use| key_use == KeyUse::Signing);
                    let use_and_key = (key_use, certificate.public_key_der().to_vec());
                    if !seen.insert(use_and_key) {
                        let message = "the same key is listed twice for the same use";
                        report.add(&rules::KEY_09, element, message);
                    }
                }
            }
        }
    }
    // Signatures are verified with each signing key, so one valid certificate is enough. No
    // sign-in needs another key.
    let is_minor = signing.has_valid;
    for (element, message) in signing.wrong {
        report.add_as(is_minor, &rules::KEY_05, element, message);
    }
    for (element, message) in others.wrong {
        report.add_minor(&rules::KEY_05, element, message);
    }
}

/// Returns the part of a certificate that cannot be read, why, and what to do.
#[cold]
fn unreadable<'a>(
    document: &Document,
    element: Element<'a>,
    error: &CertificateError,
) -> (Target<'a>, Message) {
    let help = match error {
        CertificateError::Pem => {
            "Remove the lines -----BEGIN CERTIFICATE----- and -----END CERTIFICATE-----."
        }
        CertificateError::PemInside => {
            "Decode the text once: the result is the PEM file, whose lines of base64 belong here."
        }
        CertificateError::Empty => {
            "Write the certificate's DER bytes in base64, or remove the KeyDescriptor."
        }
        CertificateError::TrailingBytes { .. } => {
            "Write each certificate into its own KeyDescriptor, without anything after it."
        }
        _ => "Download the metadata or the certificate again: the text was cut or changed.",
    };
    let found = match error {
        CertificateError::Base64 { .. } => not_base64(element.text()),
        _ => None,
    };
    let Some((at, length, problem, help)) = found else {
        let message = (with_causes(error), help);
        return (Target::Element(element), message.into());
    };
    let content = element.content_span();
    let message = format!("the certificate is not base64: {problem}");
    // The text has another length than its source if the source has references.
    if document.text()[content.clone()] == *element.text() {
        let target = Target::Text(element, content.start + at, length);
        return (target, (message, help).into());
    }
    let number = element.text()[..at].chars().count() + 1;
    let message = format!("{message} (character {number} of the text)");
    (Target::Element(element), (message, help).into())
}

/// Finds the first part of a text that is not base64 of one certificate.
///
/// Returns its offset, its length, a description and what to do.
fn not_base64(text: &str) -> Option<(usize, usize, String, &'static str)> {
    // OpenSSL writes the names of the certificate before it.
    for word in ["subject", "issuer"] {
        let found = text
            .find(word)
            .filter(|at| text[at + word.len()..].trim_start().starts_with('='));
        if let Some(at) = found {
            let line = text[at..].lines().next().unwrap_or_default();
            let problem = format!("it has the text {:?}", shorten(line));
            let help = "Remove the text that OpenSSL writes before the certificate.";
            return Some((at, line.len(), problem, help));
        }
    }
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let is_white = |c: char| c.is_ascii() && is_space(c as u8);
    let wrong = text
        .char_indices()
        .find(|(_, c)| !is_base64(*c) && !is_white(*c));
    if let Some((at, c)) = wrong {
        let name = INVISIBLE.iter().find(|(invisible, _)| *invisible == c);
        let shown = match name {
            Some((_, name)) => format!("U+{:04X} ({name})", u32::from(c)),
            None if c.is_ascii_graphic() => format!("{c:?}"),
            None => format!("{c:?} (U+{:04X})", u32::from(c)),
        };
        let problem = format!("it has the character {shown}");
        let help = "Remove the character, or copy the certificate again from its source.";
        return Some((at, c.len_utf8(), problem, help));
    }
    let padding = text.find('=')?;
    let after = text[padding..].find(|c| c != '=' && !is_white(c))? + padding;
    let problem = "more text follows its end; it may be a second certificate".to_owned();
    let help = "Write each certificate into its own KeyDescriptor.";
    Some((after, text.len() - after, problem, help))
}

/// Characters that a text editor does not show, and their names.
const INVISIBLE: [(char, &str); 9] = [
    ('\u{200b}', "zero width space"),
    ('\u{feff}', "byte order mark"),
    ('\u{a0}', "no-break space"),
    ('\u{ad}', "soft hyphen"),
    ('\u{200c}', "zero width non-joiner"),
    ('\u{200d}', "zero width joiner"),
    ('\u{2060}', "word joiner"),
    ('\u{2028}', "line separator"),
    ('\u{3000}', "ideographic space"),
];

fn check_key(report: &mut Report<'_>, key: KeyDescriptor<'_>) {
    let element = key.element();
    if let Some(text) = element.own_attribute(name!("use"))
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
            let message = "a KeyDescriptor has no key in its KeyInfo";
            report.add(&rules::KEY_02, element, message);
        } else {
            let help = "Add ds:KeyInfo with the certificate, or remove the KeyDescriptor.";
            let message = ("a KeyDescriptor has no ds:KeyInfo", help);
            report.add(&rules::KEY_02, element, message);
        }
    }
    if certificates > 1 {
        let message = format!("a KeyDescriptor has {certificates} certificates");
        report.add(&rules::KEY_03, element, message);
    }
    if key.key_use() == Some(KeyUse::Signing)
        && let Some(method) = element.child_in(NamespaceId::METADATA, name!("EncryptionMethod"))
    {
        let message = "a signing key has an EncryptionMethod";
        report.add(&rules::KEY_11, method, message);
    }
}

fn check_certificate(report: &mut Report<'_>, element: Element<'_>, certificate: &Certificate) {
    let version = certificate.version();
    if version != 3 {
        let message = format!("the certificate has X.509 version {version}, not 3");
        let help = "Create a certificate of version 3: some consumers read no other.";
        report.add_minor(&rules::KEY_04, element, (message, help));
    }
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
        let message = "the certificate is a CA certificate";
        let help = "No change is needed, unless a consumer rejects the certificate.";
        report.add_minor(&rules::KEY_10, element, (message, help));
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

fn check_dates<'a>(
    report: &mut Report<'_>,
    element: Element<'a>,
    certificate: &Certificate,
    dates: &mut Dates<'a>,
) {
    let (from, until) = (certificate.not_before(), certificate.not_after());
    if report.now > until {
        let message = format!("the certificate expired at {until}");
        let help =
            "Remove the certificate, or replace it by the certificate of the key that is used now.";
        dates.wrong.push((element, (message, help).into()));
    } else if report.now < from {
        let message = format!("the certificate is not valid before {from}");
        let help = "Keep the certificate of the current key beside it until then.";
        dates.wrong.push((element, (message, help).into()));
    } else {
        dates.has_valid = true;
        if until.duration_since(report.now) < report.policy.certificate_notice {
            let message = format!("the certificate expires soon, at {until}");
            report.add_minor(&rules::KEY_05, element, message);
        }
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
