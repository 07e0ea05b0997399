//! Checks the rules MD-ALG: weak, invalid and misplaced algorithms.

use super::{report::Report, rules::key as rules, uri::is_absolute};
use crate::{Element, model::values::uri, reader::escape::shorten, tree::NamespaceId};

/// URIs of algorithms that are broken or outdated, and their names for messages.
const WEAK: [(&str, &str); 11] = [
    ("http://www.w3.org/2001/04/xmldsig-more#md5", "MD5"),
    (
        "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
        "RSA with MD5",
    ),
    (
        "http://www.w3.org/2001/04/xmldsig-more#hmac-md5",
        "HMAC with MD5",
    ),
    ("http://www.w3.org/2000/09/xmldsig#sha1", "SHA-1"),
    (
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        "RSA with SHA-1",
    ),
    (
        "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
        "DSA with SHA-1",
    ),
    (
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1",
        "ECDSA with SHA-1",
    ),
    (
        "http://www.w3.org/2001/04/xmlenc#rsa-1_5",
        "RSA with PKCS #1 padding",
    ),
    (
        "http://www.w3.org/2001/04/xmlenc#tripledes-cbc",
        "Triple DES",
    ),
    (
        "http://www.w3.org/2001/04/xmlenc#kw-tripledes",
        "Triple DES key wrap",
    ),
    ("http://www.w3.org/2001/04/xmldsig-more#arcfour", "RC4"),
];

pub(super) fn check(report: &mut Report<'_>, element: Element<'_>) {
    let is_algorithm = element.is_in(NamespaceId::METADATA, name!("EncryptionMethod"))
        || element.is_in(NamespaceId::ALGORITHM, name!("SigningMethod"))
        || element.is_in(NamespaceId::ALGORITHM, name!("DigestMethod"));
    if !is_algorithm {
        return;
    }
    let algorithm = uri(element, name!("Algorithm"));
    if let Some((_, name)) = WEAK.iter().find(|(weak, _)| *weak == algorithm) {
        let message = format!("{name} is a weak algorithm");
        report.add(&rules::ALG_01, (element, "Algorithm"), message);
    } else if !is_absolute(algorithm) {
        let message = format!("the algorithm {:?} is not a URI", shorten(algorithm));
        report.add(&rules::ALG_01, (element, "Algorithm"), message);
    }
    let misplaced = element.namespace_id() == NamespaceId::ALGORITHM
        && !element
            .parent()
            .is_some_and(|parent| parent.is_in(NamespaceId::METADATA, name!("Extensions")));
    if misplaced {
        let message = format!("{} is outside Extensions", element.local_name());
        report.add(&rules::ALG_01, element, message);
    }
}
