//! Who signed what.

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

/// The methods of signing and digesting that xmlsec1 is asked about; SHA-1 has a rule of its own.
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

/// The most signatures that are verified: one of the response and one of an assertion, and room for
/// a forgery, as each costs a verification with each key.
const MOST_SIGNATURES: usize = 4;

/// Returns the assertion to read: the one that a signature covers or, if none is covered, the one
/// that stands there, after adding why.
pub(super) fn assertion<'a>(
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
    let covered = covered(response, &assertions, metadata, expectations, report);
    let Some(covered) = covered else {
        return assertions.first().copied();
    };
    if covered == response {
        return assertions.first().copied();
    }
    Some(covered)
}

/// Returns the response or the assertion, whichever a signature covers; the outer one if both.
fn covered<'a>(
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
        let expected = "a certificate to verify with".to_owned();
        report.add(
            &rule::SIG_07,
            response,
            "no signing certificate in the metadata".to_owned(),
            expected,
        );
        return None;
    }
    if let Some((at, found)) = unfit(&signatures) {
        let expected =
            "references to elements of the response, SAML's transforms, RSA or ECDSA with SHA"
                .to_owned();
        report.add(&rule::SIG_04, at, found, expected);
        return None;
    }
    let candidates: Vec<Element<'a>> = std::iter::once(response)
        .chain(assertions.iter().copied())
        .collect();
    let judged = Judged {
        response,
        assertions,
        candidates: &candidates,
        certificates: &certificates,
        signature: signatures[0],
        expectations,
    };
    judged.verify(report)
}

/// What the two verifiers are asked about.
struct Judged<'r, 'a> {
    response: Element<'a>,
    assertions: &'r [Element<'a>],
    /// The response and its assertions.
    candidates: &'r [Element<'a>],
    certificates: &'r [Certificate],
    /// The first signature of all.
    signature: Element<'a>,
    expectations: &'r Expectations,
}

impl<'a> Judged<'_, 'a> {
    /// Returns the outermost candidate that a signature covers.
    fn verify(&self, report: &mut LintReport) -> Option<Element<'a>> {
        let ours = by_us(self.candidates, self.certificates);
        let theirs = by_xmlsec(self.response, self.certificates);
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => self.agree(&ours, &theirs, report),
            (Err(ours), Err(theirs)) => {
                let found = format!("no key of the metadata fits ({ours}; xmlsec1: {theirs})");
                let expected = fingerprints(self.certificates);
                report.add(&rule::SIG_02, self.signature, found, expected);
                None
            }
            (Ok(ours), Err(theirs)) => {
                let found = format!(
                    "this project's verifier takes the signature, xmlsec1 does not: {theirs}"
                );
                self.disagree(found, &ours, report);
                self.outer(&ours)
            }
            (Err(ours), Ok(theirs)) => {
                let Some(covered) = self.outer(&theirs) else {
                    self.elsewhere(report);
                    return None;
                };
                let found = format!(
                    "xmlsec1 takes the signature, this project's verifier does not: {ours}"
                );
                self.disagree(found, &theirs, report);
                compare(covered, self.assertions, &theirs.xml, report);
                Some(covered)
            }
        }
    }

    fn outer(&self, signed: &Signed) -> Option<Element<'a>> {
        let is_signed = |candidate: &Element<'a>| {
            candidate
                .attribute("ID")
                .is_some_and(|id| signed.ids.contains(id))
        };
        self.candidates.iter().copied().find(is_signed)
    }

    fn agree(
        &self,
        ours: &Signed,
        theirs: &Signed,
        report: &mut LintReport,
    ) -> Option<Element<'a>> {
        let covered = self.outer(ours);
        if self.outer(theirs) != covered {
            let found = "xmlsec1 verifies one element, this project's verifier another";
            let expected = "the assertion that would be read".to_owned();
            report.add(&rule::SIG_03, self.response, found.to_owned(), expected);
            return None;
        }
        self.signed_by(ours, report);
        if let Some(covered) = covered {
            compare(covered, self.assertions, &theirs.xml, report);
        }
        covered
    }

    fn disagree(&self, found: String, signed: &Signed, report: &mut LintReport) {
        let expected = "one answer".to_owned();
        report.add(&rule::SIG_05, self.response, found, expected);
        self.signed_by(signed, report);
    }

    fn elsewhere(&self, report: &mut LintReport) {
        let found =
            "a good signature, of an element that is neither the response nor its assertion";
        let expected = "a signature of the assertion that would be read".to_owned();
        report.add(&rule::SIG_03, self.signature, found.to_owned(), expected);
    }

    fn signed_by(&self, signed: &Signed, report: &mut LintReport) {
        let certificate = &self.certificates[signed.certificate];
        signed_by(certificate, self.response, self.expectations, report);
    }
}

/// What was verified.
struct Signed {
    /// The IDs of the signed elements.
    ids: BTreeSet<String>,
    /// The number of the certificate.
    certificate: usize,
    /// What is left of the response when all that is not signed is taken out.
    xml: String,
}

/// Returns the certificates of the keys that the identity provider signs with.
fn signing_certificates(metadata: &Document) -> Vec<Certificate> {
    let entity = metadata.entity().ok();
    let provider = entity.and_then(EntityDescriptor::identity_provider);
    let mut certificates = provider.map_or_else(Vec::new, IdpSsoDescriptor::signing_certificates);
    certificates.truncate(16);
    certificates
}

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

/// Says which certificate it was, and whether its time is over.
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
            format!("one valid at {}", expectations.now),
        );
    }
}

/// SHA-1 is not refused here, so that the report can say that it is SHA-1 and what else there is.
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

/// Returns what keeps xmlsec1 from being asked: it follows references and runs transforms.
fn unfit<'a>(signatures: &[Element<'a>]) -> Option<(Element<'a>, String)> {
    if signatures.len() > MOST_SIGNATURES {
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

/// Verifies with this project's own verifier: every candidate that has a signature.
fn by_us(candidates: &[Element<'_>], certificates: &[Certificate]) -> Result<Signed, String> {
    let mut numbers = Vec::new();
    let mut keys = Vec::new();
    for (number, certificate) in certificates.iter().enumerate() {
        if let Ok(key) = VerifyingKey::from_certificate(certificate) {
            numbers.push(number);
            keys.push(key);
        }
    }
    let verifier = Verifier::new(keys).allow_sha1().allow_any_position();
    let mut signed = Signed {
        ids: BTreeSet::new(),
        certificate: 0,
        xml: String::new(),
    };
    let mut last = "no candidate is signed".to_owned();
    let is_signed = |candidate: &&Element<'_>| {
        candidate
            .children()
            .any(|child| child.is(namespace::SIGNATURE, "Signature"))
    };
    let candidates: Vec<&Element<'_>> = candidates.iter().filter(is_signed).collect();
    for candidate in &candidates {
        match verifier.verify_element(**candidate) {
            Ok(good) => {
                signed.certificate = numbers[good.key()];
                signed
                    .ids
                    .extend(candidate.attribute("ID").map(str::to_owned));
            }
            Err(error) => last = error.kind().to_string(),
        }
    }
    if signed.ids.is_empty() || candidates.len() != signed.ids.len() {
        return Err(last);
    }
    Ok(signed)
}

/// Verifies with xmlsec1, each certificate by itself to know which one it was.
fn by_xmlsec(response: Element<'_>, certificates: &[Certificate]) -> Result<Signed, String> {
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
            "what it says is signed is not XML".clone_into(&mut last);
            continue;
        };
        let ids = document
            .root()
            .attribute("ID")
            .map(str::to_owned)
            .into_iter()
            .collect();
        return Ok(Signed {
            ids,
            certificate: number,
            xml,
        });
    }
    Err(last)
}
