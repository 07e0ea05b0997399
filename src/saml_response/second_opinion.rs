//! The second opinion about signatures: xmlsec1, through `samael`.
//!
//! The result of this project's verifier stands. Each difference is a finding.

use std::error::Error as _;

use samael::crypto::{CertificateDer, Crypto, CryptoProvider as _, ReduceMode};
use saml_metadata::{Certificate, Element, names::namespace, read};

use super::{
    LintReport,
    compare::compare,
    rule,
    values::{path, quoted},
};

/// The transforms that SAML allows (core 5.4.4), and its canonicalization methods (core 5.4.3).
const TRANSFORMS: [&str; 5] = [
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
    "http://www.w3.org/2001/10/xml-exc-c14n#",
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
];

/// The signature and digest algorithms that xmlsec1 may verify. SHA-1 is included, because SHA-1 has its own rule.
/// RSA-PSS is not, because xmlsec1 1.2 does not know it.
const METHODS: [&str; 11] = [
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    "http://www.w3.org/2000/09/xmldsig#sha1",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmlenc#sha512",
];

/// Verifies the signatures with xmlsec1, and reports each difference to this project's verifier.
///
/// `own` is the outermost element that this project verified, or the reason against the signature.
pub(super) fn check<'a>(
    response: Element<'a>,
    candidates: &[Element<'a>],
    certificates: &[Certificate],
    own: Result<Element<'a>, String>,
    report: &mut LintReport,
) {
    if is_unsafe_for_xmlsec(response) {
        return;
    }
    let theirs = verify_with_xmlsec(response, certificates);
    let mut differ = |found: String| {
        let expected = "the same result from both verifiers".to_owned();
        report.add(&rule::SIG_05, response, found, expected);
    };
    match (own, theirs) {
        (Ok(ours), Ok(theirs)) => {
            let signed = candidates
                .iter()
                .find(|candidate| candidate.attribute("ID") == Some(&theirs.id));
            if signed == Some(&ours) {
                compare(ours, &candidates[1..], &theirs.xml, report);
            } else {
                differ(format!(
                    "xmlsec1 verifies the element with the ID {}, this project's verifier {}",
                    quoted(Some(&theirs.id)),
                    path(ours)
                ));
            }
        }
        (Ok(ours), Err(Refusal::Reduction(reason))) => {
            let found = format!(
                "xmlsec1 accepts the signature, but samael does not return what it covers: {reason}"
            );
            let expected = "the signed element from both".to_owned();
            report.add(&rule::READ_01, ours, found, expected);
        }
        (Ok(_), Err(Refusal::Signature(reason))) => differ(format!(
            "this project's verifier accepts the signature, xmlsec1 does not: {reason}"
        )),
        (Err(reason), Ok(theirs)) => differ(format!(
            "xmlsec1 accepts the signature of the element with the ID {}, this project's verifier does not: {reason}",
            quoted(Some(&theirs.id))
        )),
        (Err(_), Err(_)) => {}
    }
}

/// The signed element according to xmlsec1.
struct Verified {
    /// The ID of the signed element.
    id: String,
    /// The response, reduced to its signed part.
    xml: String,
}

/// The reason why xmlsec1, or samael on top of it, gives no signed element.
enum Refusal {
    /// xmlsec1 accepts no signature.
    Signature(String),
    /// xmlsec1 accepts the signature, and samael fails afterwards.
    Reduction(String),
}

/// Returns whether xmlsec1 must not process the signatures of a response.
///
/// xmlsec1 follows references and runs transforms, so only known forms are safe.
fn is_unsafe_for_xmlsec(response: Element<'_>) -> bool {
    let mut elements = response
        .descendants()
        .filter(|element| element.namespace() == namespace::SIGNATURE);
    elements.any(|element| {
        let algorithm = element.attribute("Algorithm").unwrap_or_default();
        match element.local_name() {
            "Reference" => {
                let uri = element.attribute("URI");
                !uri.and_then(|uri| uri.strip_prefix('#'))
                    .is_some_and(is_plain_id)
            }
            "Transform" | "CanonicalizationMethod" => !TRANSFORMS.contains(&algorithm),
            "SignatureMethod" | "DigestMethod" => !METHODS.contains(&algorithm),
            "RetrievalMethod" | "Manifest" | "Object" => true,
            _ => false,
        }
    })
}

fn is_plain_id(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c))
}

/// Verifies with each certificate, and returns the signed element.
fn verify_with_xmlsec(
    response: Element<'_>,
    certificates: &[Certificate],
) -> Result<Verified, Refusal> {
    let xml = response.source();
    let certificates: Vec<CertificateDer> = certificates
        .iter()
        .map(|certificate| CertificateDer::from(certificate.der().to_vec()))
        .collect();
    let mode = ReduceMode::ValidateAndMarkNoAncestors;
    let reason = match Crypto::reduce_xml_to_signed(xml, &certificates, mode) {
        Ok(xml) => {
            let document = read(xml.as_bytes());
            let id = document
                .as_ref()
                .ok()
                .and_then(|d| d.root().attribute("ID"));
            match id {
                Some(id) => {
                    return Ok(Verified {
                        id: id.to_owned(),
                        xml,
                    });
                }
                None => "the signed part that it returns is no XML with an ID".to_owned(),
            }
        }
        Err(error) => match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    };
    let accepts = |certificate| Crypto::verify_signed_xml(xml, certificate, Some("ID")).is_ok();
    if certificates.iter().any(accepts) {
        Err(Refusal::Reduction(reason))
    } else {
        Err(Refusal::Signature(reason))
    }
}
