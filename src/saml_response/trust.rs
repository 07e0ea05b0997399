//! Verifies signatures, and selects the assertion that a signature covers.

use std::{collections::BTreeSet, error::Error as _};

use samael::crypto::{CertificateDer, Crypto, CryptoProvider as _, ReduceMode};
use saml_metadata::{
    Certificate, Document, Element, EntityDescriptor, IdpSsoDescriptor,
    names::namespace,
    read,
    signature::{Verifier, VerifyingKey},
};

use super::{
    Expectations, LintReport, assertion_child, assertion_children,
    compare::compare,
    rule,
    values::{quoted, short},
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
const METHODS: [&str; 14] = [
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
    "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
    "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1",
    "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1",
];

/// The maximum number of signatures that are verified.
///
/// A response needs two: its own signature and the signature of an assertion. The other two leave room
/// for a forgery. The number is limited because each signature is verified with each key.
const MAX_SIGNATURES: usize = 4;

/// Returns the assertion to check: the signed assertion or, if no assertion is signed, the first one.
///
/// Adds findings if no signature covers the assertion, or if there is not exactly one assertion.
pub(super) fn select_assertion<'a>(
    response: Element<'a>,
    metadata: &Document,
    expectations: &Expectations,
    report: &mut LintReport,
) -> Option<Element<'a>> {
    let assertions = assertion_children(response, "Assertion");
    let encrypted = assertion_child(response, "EncryptedAssertion");
    if let Some(encrypted) = encrypted {
        let expected = "an Assertion".to_owned();
        report.add(
            &rule::ASSERT_03,
            encrypted,
            "an EncryptedAssertion".to_owned(),
            expected,
        );
    }
    match assertions.len() {
        0 if encrypted.is_none() => {
            let expected = "one Assertion".to_owned();
            report.add(
                &rule::ASSERT_01,
                response,
                "no Assertion".to_owned(),
                expected,
            );
        }
        0 | 1 => {}
        more => report.add(
            &rule::ASSERT_02,
            response,
            format!("{more} assertions"),
            "one Assertion".to_owned(),
        ),
    }
    let signed = signed_element(response, &assertions, metadata, expectations, report);
    let Some(signed) = signed else {
        return assertions.first().copied();
    };
    if signed == response {
        return assertions.first().copied();
    }
    Some(signed)
}

/// Returns the signed element: the response, or else an assertion.
fn signed_element<'a>(
    response: Element<'a>,
    assertions: &[Element<'a>],
    metadata: &Document,
    expectations: &Expectations,
    report: &mut LintReport,
) -> Option<Element<'a>> {
    let signatures: Vec<Element<'_>> = response
        .descendants()
        .filter(|element| element.is(namespace::SIGNATURE, "Signature"))
        .collect();
    if signatures.is_empty() {
        let expected = "a signature of the response or the assertion".to_owned();
        report.add(&rule::SIG_01, response, "no Signature".to_owned(), expected);
        return None;
    }
    for signature in &signatures {
        check_algorithms(*signature, report);
    }
    let certificates = signing_certificates(metadata);
    if certificates.is_empty() {
        let expected = "a certificate to verify the signature".to_owned();
        report.add(
            &rule::SIG_07,
            response,
            "no signing certificate in the metadata".to_owned(),
            expected,
        );
        return None;
    }
    if let Some((at, found)) = unsafe_for_xmlsec(&signatures) {
        let expected =
            "references to elements of the response, SAML's transforms, RSA or ECDSA with SHA"
                .to_owned();
        report.add(&rule::SIG_04, at, found, expected);
        return None;
    }
    let candidates: Vec<Element<'a>> = std::iter::once(response)
        .chain(assertions.iter().copied())
        .collect();
    let verification = Verification {
        response,
        assertions,
        candidates: &candidates,
        certificates: &certificates,
        signature: signatures[0],
        expectations,
    };
    verification.run(report)
}

/// The input of the two verifiers.
struct Verification<'r, 'a> {
    response: Element<'a>,
    assertions: &'r [Element<'a>],
    /// The response and its assertions.
    candidates: &'r [Element<'a>],
    certificates: &'r [Certificate],
    /// The first signature of the response, the location of findings.
    signature: Element<'a>,
    expectations: &'r Expectations,
}

impl<'a> Verification<'_, 'a> {
    /// Verifies with both verifiers, and returns the outermost signed candidate.
    fn run(&self, report: &mut LintReport) -> Option<Element<'a>> {
        let ours = verify_natively(self.candidates, self.certificates);
        let theirs = verify_with_xmlsec(self.response, self.certificates);
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => self.both_valid(&ours, &theirs, report),
            (Err(ours), Err(theirs)) => {
                let found = format!(
                    "no key of the metadata verifies the signature ({ours}; xmlsec1: {theirs})"
                );
                let expected = fingerprints(self.certificates);
                report.add(&rule::SIG_02, self.signature, found, expected);
                None
            }
            (Ok(ours), Err(theirs)) => {
                let found = format!(
                    "this project's verifier accepts the signature, xmlsec1 does not: {theirs}"
                );
                self.report_disagreement(found, &ours, report);
                self.outermost(&ours)
            }
            (Err(ours), Ok(theirs)) => {
                let Some(signed) = self.outermost(&theirs) else {
                    self.report_other_element(report);
                    return None;
                };
                let found = format!(
                    "xmlsec1 accepts the signature, this project's verifier does not: {ours}"
                );
                self.report_disagreement(found, &theirs, report);
                compare(signed, self.assertions, &theirs.xml, report);
                Some(signed)
            }
        }
    }

    /// Returns the outermost candidate whose id is among the verified ids.
    fn outermost(&self, verified: &Verified) -> Option<Element<'a>> {
        let is_signed = |candidate: &Element<'a>| {
            candidate
                .attribute("ID")
                .is_some_and(|id| verified.ids.contains(id))
        };
        self.candidates.iter().copied().find(is_signed)
    }

    fn both_valid(
        &self,
        ours: &Verified,
        theirs: &Verified,
        report: &mut LintReport,
    ) -> Option<Element<'a>> {
        let signed = self.outermost(ours);
        if self.outermost(theirs) != signed {
            let found = "xmlsec1 and this project's verifier verify different elements";
            let expected = "a signature of the assertion that AWS would read".to_owned();
            report.add(&rule::SIG_03, self.response, found.to_owned(), expected);
            return None;
        }
        self.signed_by(ours, report);
        if let Some(signed) = signed {
            compare(signed, self.assertions, &theirs.xml, report);
        }
        signed
    }

    fn report_disagreement(&self, found: String, verified: &Verified, report: &mut LintReport) {
        let expected = "the same result from both verifiers".to_owned();
        report.add(&rule::SIG_05, self.response, found, expected);
        self.signed_by(verified, report);
    }

    fn report_other_element(&self, report: &mut LintReport) {
        let found =
            "a valid signature of an element that is neither the response nor its assertion";
        let expected = "a signature of the assertion that AWS would read".to_owned();
        report.add(&rule::SIG_03, self.signature, found.to_owned(), expected);
    }

    fn signed_by(&self, verified: &Verified, report: &mut LintReport) {
        let first = &self.certificates[verified.certificate];
        // The metadata can have several certificates of the key; one valid certificate is enough.
        let is_valid = |certificate: &&Certificate| {
            let validity = certificate.not_before()..=certificate.not_after();
            certificate.public_key_der() == first.public_key_der()
                && validity.contains(&self.expectations.now)
        };
        let certificate = self.certificates.iter().find(is_valid).unwrap_or(first);
        signed_by(certificate, self.response, self.expectations, report);
    }
}

/// The result of a successful verification.
struct Verified {
    /// The IDs of the signed elements.
    ids: BTreeSet<String>,
    /// The index of the certificate that verifies the signature.
    certificate: usize,
    /// The response, reduced to its signed part by xmlsec1; empty for this project's verifier.
    xml: String,
}

/// Returns the identity provider's signing certificates from the metadata, at most 16.
fn signing_certificates(metadata: &Document) -> Vec<Certificate> {
    let entity = metadata.entity().ok();
    let provider = entity.and_then(EntityDescriptor::identity_provider);
    let mut certificates = provider.map_or_else(Vec::new, IdpSsoDescriptor::signing_certificates);
    certificates.truncate(16);
    certificates
}

/// Returns the expected value of a finding: a signature by one of the keys.
fn fingerprints(certificates: &[Certificate]) -> String {
    let list: Vec<String> = certificates
        .iter()
        .map(Certificate::fingerprint_sha256)
        .collect();
    format!(
        "a signature by the key of the certificate {}",
        list.join(" or ")
    )
}

/// Records the certificate that verifies the signature.
///
/// Adds a finding if the certificate is not valid at the time of the sign-in.
fn signed_by(
    certificate: &Certificate,
    response: Element<'_>,
    expectations: &Expectations,
    report: &mut LintReport,
) {
    report.signed_by(certificate.fingerprint_sha256());
    let (from, until) = (certificate.not_before(), certificate.not_after());
    if !(from..=until).contains(&expectations.now) {
        let found = format!("a certificate valid from {from} to {until}");
        report.add(
            &rule::SIG_06,
            response,
            found,
            format!("a certificate valid at {}", expectations.now),
        );
    }
}

/// Adds a finding for each weak algorithm.
///
/// SHA-1 signatures are still verified, so the report can name SHA-1 and the other problems of the
/// response.
fn check_algorithms(signature: Element<'_>, report: &mut LintReport) {
    for element in signature.descendants() {
        let is_method = element.is(namespace::SIGNATURE, "SignatureMethod")
            || element.is(namespace::SIGNATURE, "DigestMethod");
        let algorithm = element.attribute("Algorithm").unwrap_or_default();
        let weak = [
            "#rsa-sha1",
            "#dsa-sha1",
            "#ecdsa-sha1",
            "#sha1",
            "#md5",
            "#rsa-md5",
        ];
        if is_method && weak.iter().any(|end| algorithm.ends_with(end)) {
            report.add(
                &rule::ALG_01,
                element,
                format!("{:?}", short(algorithm)),
                "SHA-256".to_owned(),
            );
        }
    }
}

/// Returns the first element that xmlsec1 must not process, with a description.
///
/// xmlsec1 follows references and runs transforms, so only known forms are safe.
fn unsafe_for_xmlsec<'a>(signatures: &[Element<'a>]) -> Option<(Element<'a>, String)> {
    if signatures.len() > MAX_SIGNATURES {
        return Some((signatures[0], format!("{} signatures", signatures.len())));
    }
    signatures
        .iter()
        .flat_map(|signature| signature.descendants())
        .find_map(|element| {
            if element.namespace() != namespace::SIGNATURE {
                return None;
            }
            let algorithm = element.attribute("Algorithm");
            match element.local_name() {
                "Reference" => {
                    let uri = element.attribute("URI");
                    let is_id = uri
                        .and_then(|uri| uri.strip_prefix('#'))
                        .is_some_and(is_plain_id);
                    (!is_id).then(|| (element, format!("a reference to {}", quoted(uri))))
                }
                "Transform" | "CanonicalizationMethod" => {
                    let is_known =
                        algorithm.is_some_and(|algorithm| TRANSFORMS.contains(&algorithm));
                    (!is_known).then(|| (element, format!("the transform {}", quoted(algorithm))))
                }
                "SignatureMethod" | "DigestMethod" => {
                    let is_known = algorithm.is_some_and(|algorithm| METHODS.contains(&algorithm));
                    (!is_known).then(|| (element, format!("the method {}", quoted(algorithm))))
                }
                "RetrievalMethod" | "Manifest" | "Object" => {
                    Some((element, format!("a {}", element.local_name())))
                }
                _ => None,
            }
        })
}

fn is_plain_id(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c))
}

/// Verifies every signed candidate with this project's verifier.
fn verify_natively(
    candidates: &[Element<'_>],
    certificates: &[Certificate],
) -> Result<Verified, String> {
    let mut numbers = Vec::new();
    let mut keys = Vec::new();
    for (number, certificate) in certificates.iter().enumerate() {
        if let Ok(key) = VerifyingKey::from_certificate(certificate) {
            numbers.push(number);
            keys.push(key);
        }
    }
    let native = Verifier::new(keys).allow_sha1().allow_any_position();
    let mut verified = Verified {
        ids: BTreeSet::new(),
        certificate: 0,
        xml: String::new(),
    };
    let mut last = "neither the response nor an assertion has its own signature".to_owned();
    let is_signed = |candidate: &&Element<'_>| {
        candidate
            .children()
            .any(|child| child.is(namespace::SIGNATURE, "Signature"))
    };
    let candidates: Vec<&Element<'_>> = candidates.iter().filter(is_signed).collect();
    for candidate in &candidates {
        match native.verify_element(**candidate) {
            Ok(good) => {
                verified.certificate = numbers[good.key()];
                verified
                    .ids
                    .extend(candidate.attribute("ID").map(str::to_owned));
            }
            Err(error) => last = error.kind().to_string(),
        }
    }
    if verified.ids.is_empty() || candidates.len() != verified.ids.len() {
        return Err(last);
    }
    Ok(verified)
}

/// Verifies with xmlsec1, one certificate at a time, so the result names the certificate.
fn verify_with_xmlsec(
    response: Element<'_>,
    certificates: &[Certificate],
) -> Result<Verified, String> {
    let mut last = String::new();
    for (number, certificate) in certificates.iter().enumerate() {
        let der = CertificateDer::from(certificate.der().to_vec());
        let reduced = Crypto::reduce_xml_to_signed(
            response.source(),
            &[der],
            ReduceMode::ValidateAndMarkNoAncestors,
        );
        let xml = match reduced {
            Ok(xml) => xml,
            Err(error) => {
                last = match error.source() {
                    Some(source) => format!("{error}: {source}"),
                    None => error.to_string(),
                };
                continue;
            }
        };
        let Ok(document) = read(xml.as_bytes()) else {
            "the signed part that it returns is not XML".clone_into(&mut last);
            continue;
        };
        let ids = document
            .root()
            .attribute("ID")
            .map(str::to_owned)
            .into_iter()
            .collect();
        return Ok(Verified {
            ids,
            certificate: number,
            xml,
        });
    }
    Err(last)
}
