//! Verifies signatures with [`saml_metadata::signature`], and selects the assertion that a signature covers.

use saml_metadata::{
    Certificate, Document, Element, EntityDescriptor, IdpSsoDescriptor,
    names::namespace,
    signature::{SignatureError, SignatureErrorKind, Verifier, VerifyingKey},
};

use super::{
    Expectations, LintReport, assertion_child, assertion_children,
    reformatted::{WAYS, without_formatting},
    rule,
    values::{path, short},
};

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
        let found = "an EncryptedAssertion: only the owner of the encryption key can read it, so \
             the linter checks neither its user nor its conditions nor a signature inside it";
        let expected = "an Assertion".to_owned();
        report.add(&rule::ASSERT_03, encrypted, found.to_owned(), expected);
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
        more => {
            let found = format!("{more} assertions");
            report.add(
                &rule::ASSERT_02,
                response,
                found,
                "one Assertion".to_owned(),
            );
        }
    }
    match find_signed(response, &assertions, metadata, expectations, report) {
        Some(signed) if signed != response => Some(signed),
        _ => assertions.first().copied(),
    }
}

/// Returns the outermost of the response and its assertions whose signature is valid.
fn find_signed<'a>(
    response: Element<'a>,
    assertions: &[Element<'a>],
    metadata: &Document,
    expectations: &Expectations,
    report: &mut LintReport,
) -> Option<Element<'a>> {
    let signatures: Vec<Element<'a>> = response
        .descendants()
        .filter(|element| element.is(namespace::SIGNATURE, "Signature"))
        .collect();
    let Some(first) = signatures.first() else {
        // An encrypted assertion can contain the only signature.
        if assertion_child(response, "EncryptedAssertion").is_none() {
            let expected = "a signature of the response or the assertion".to_owned();
            report.add(&rule::SIG_01, response, "no signature".to_owned(), expected);
        }
        return None;
    };
    if signatures.len() > MAX_SIGNATURES {
        let found = format!("{} signatures", signatures.len());
        let expected = format!("at most {MAX_SIGNATURES}");
        report.add(&rule::SIG_04, *first, found, expected);
        return None;
    }
    for signature in &signatures {
        check_algorithms(*signature, report);
    }
    let trusted = Trusted::new(metadata, expectations);
    if trusted.certificates.is_empty() {
        let expected = "a certificate to verify the signature".to_owned();
        let found = "no signing certificate with a usable key in the metadata".to_owned();
        report.add(&rule::SIG_07, response, found, expected);
        return None;
    }
    let candidates: Vec<Element<'a>> = std::iter::once(response)
        .chain(assertions.iter().copied())
        .collect();
    let own = trusted.verify_all(response, &candidates, report);
    if let Some((_, key)) = own.valid {
        let first = &trusted.certificates[key];
        // The metadata can have several certificates of the key; one valid certificate is enough.
        let is_valid = |certificate: &&Certificate| {
            certificate.public_key_der() == first.public_key_der()
                && certificate.is_valid_at(expectations.now)
        };
        let valid = trusted.certificates.iter().find(is_valid);
        signed_by(valid.unwrap_or(first), response, expectations, report);
    }
    #[cfg(feature = "samael")]
    super::second_opinion::check(
        response,
        &candidates,
        &trusted.certificates,
        own.valid.map(|(signed, _)| signed).ok_or(own.failure),
        report,
    );
    own.valid.map(|(signed, _)| signed)
}

/// The keys that AWS has, in two verifiers.
struct Trusted {
    /// The certificates with the keys of the verifiers, in the same order.
    certificates: Vec<Certificate>,
    strict: Verifier,
    /// Accepts a signature that is not at the position of the schema.
    lax: Verifier,
}

/// The result of this project's verifier.
struct Own<'a> {
    /// The outermost signed element, and the index of the key.
    valid: Option<(Element<'a>, usize)>,
    /// The first reason against a signature.
    #[cfg_attr(
        not(feature = "samael"),
        expect(dead_code, reason = "only the second opinion is compared with it")
    )]
    failure: String,
}

impl Trusted {
    /// Takes the identity provider's signing certificates from the metadata, and those of the caller; at
    /// most 16.
    fn new(metadata: &Document, expectations: &Expectations) -> Self {
        let entity = metadata.entity().ok();
        let provider = entity.and_then(EntityDescriptor::identity_provider);
        let certificates = provider.map_or_else(Vec::new, IdpSsoDescriptor::signing_certificates);
        let (certificates, keys): (Vec<_>, Vec<_>) = certificates
            .into_iter()
            .chain(expectations.certificates.iter().cloned())
            .filter_map(|certificate| {
                let key = VerifyingKey::from_certificate(&certificate).ok()?;
                Some((certificate, key))
            })
            .take(16)
            .unzip();
        let strict = Verifier::new(keys).allow_sha1();
        let lax = strict.clone().allow_any_position();
        Self {
            certificates,
            strict,
            lax,
        }
    }

    /// Verifies the signatures of the response and of its assertions, and reports those that are not valid.
    fn verify_all<'a>(
        &self,
        response: Element<'a>,
        candidates: &[Element<'a>],
        report: &mut LintReport,
    ) -> Own<'a> {
        let mut valid = None;
        let mut failures = Vec::new();
        for (index, candidate) in candidates.iter().enumerate() {
            match self.verify(*candidate, report) {
                Ok(key) => valid = valid.or(Some((*candidate, key))),
                Err(error) if matches!(error.kind(), SignatureErrorKind::NotSigned) => {}
                Err(error) => failures.push((index, error)),
            }
        }
        if valid.is_none() && failures.is_empty() {
            report_other_element(response, report);
        }
        let is_content = |error: &SignatureError| {
            matches!(
                error.kind(),
                SignatureErrorKind::OtherKey | SignatureErrorKind::Changed
            )
        };
        let mut is_formatted = false;
        for (index, error) in &failures {
            let candidate = candidates[*index];
            let signer = Some(error).filter(|error| is_content(error));
            let signer = signer.and_then(|_| self.signer_before_formatting(response, *index));
            let Some(certificate) = signer else {
                self.report_failure(candidate, error, report);
                continue;
            };
            // One finding for all signatures of the response.
            if std::mem::replace(&mut is_formatted, true) {
                continue;
            }
            let found = format!(
                "an invalid signature, which is valid without the white space between elements: signed by the \
                 certificate {}",
                certificate.fingerprint_sha256()
            );
            let expected = "the response as Okta wrote it".to_owned();
            report.add(&rule::SIG_08, response, found, expected);
        }
        let failure = failures.first().map(|(_, error)| error.kind().to_string());
        Own {
            valid,
            failure: failure
                .unwrap_or_else(|| "it does not cover the response or an assertion".to_owned()),
        }
    }

    /// Verifies a signature, and returns the index of the key.
    fn verify(
        &self,
        element: Element<'_>,
        report: &mut LintReport,
    ) -> Result<usize, SignatureError> {
        let misplaced = match self.strict.verify_element(element) {
            Ok(verified) => return Ok(verified.key()),
            Err(error) => error,
        };
        if !matches!(
            misplaced.kind(),
            SignatureErrorKind::Misplaced | SignatureErrorKind::NotAfterIssuer
        ) {
            return Err(misplaced);
        }
        let key = self.lax.verify_element(element)?.key();
        let expected = "the signature after the Issuer, where the schema has it".to_owned();
        report.warn(
            &rule::SIG_04,
            element,
            misplaced.kind().to_string(),
            expected,
        );
        Ok(key)
    }

    /// Returns the certificate that verifies the signature of a candidate without formatting: the response (0), or one of its
    /// assertions.
    fn signer_before_formatting(
        &self,
        response: Element<'_>,
        candidate: usize,
    ) -> Option<&Certificate> {
        WAYS.into_iter().find_map(|text| {
            let document = without_formatting(response, text)?;
            let root = document.root();
            let mut candidates = std::iter::once(root).chain(assertion_children(root, "Assertion"));
            let verified = self.lax.verify_element(candidates.nth(candidate)?);
            Some(&self.certificates[verified.ok()?.key()])
        })
    }

    fn report_failure(&self, signed: Element<'_>, error: &SignatureError, report: &mut LintReport) {
        let reason = error.kind().to_string();
        let ours = || format!("a signature by the key of {}", self.fingerprints());
        match error.kind() {
            SignatureErrorKind::OtherReference { uri, .. } if uri.starts_with('#') => {
                report.add(&rule::SIG_03, signed, reason, OWN_SIGNATURE.to_owned());
            }
            SignatureErrorKind::DuplicateId { .. }
            | SignatureErrorKind::SeveralSignatures { .. } => {
                report.add(&rule::SIG_03, signed, reason, OWN_SIGNATURE.to_owned());
            }
            SignatureErrorKind::WeakKey { .. } => {
                let expected = "an RSA key of at least 2048 bits".to_owned();
                report.add(&rule::ALG_02, signed, reason, expected);
            }
            SignatureErrorKind::NoKey { .. } => {
                report.add(&rule::SIG_02, signed, reason, ours());
            }
            SignatureErrorKind::OtherKey => {
                let (rule, found) = self.explain_other_key(signed);
                report.add(rule, signed, found, ours());
            }
            SignatureErrorKind::Changed => {
                let expected = "the content that was signed".to_owned();
                report.add(&rule::SIG_09, signed, reason, expected);
            }
            _ => {
                let expected = "one reference to the signed element, SAML's two transforms, RSA or ECDSA with SHA-2";
                report.add(&rule::SIG_04, signed, reason, expected.to_owned());
            }
        }
    }

    /// Explains a signature that no trusted key verifies, by the certificate in its `KeyInfo`.
    ///
    /// The sender controls `KeyInfo`, so the certificate is only named, and never trusted.
    fn explain_other_key(&self, signed: Element<'_>) -> (&'static rule::LintRule, String) {
        let named = signed
            .children_named(namespace::SIGNATURE, "Signature")
            .flat_map(Element::descendants)
            .find(|element| element.is(namespace::SIGNATURE, "X509Certificate"))
            .and_then(|element| Certificate::from_base64(element.text()).ok());
        let Some(named) = named else {
            let found = "a signature by another key; its KeyInfo has no certificate";
            return (&rule::SIG_02, found.to_owned());
        };
        let fingerprint = named.fingerprint_sha256();
        if self.certificates.iter().any(|own| own.der() == named.der()) {
            let found = format!(
                "a signature that names the certificate {fingerprint}, which the metadata has, but which does not \
                 verify it: the signature itself was changed"
            );
            return (&rule::SIG_09, found);
        }
        let (from, until) = (named.not_before(), named.not_after());
        let of = format!("{fingerprint} (valid from {from} to {until})");
        let result = VerifyingKey::from_certificate(&named).map(|key| {
            let verifier = Verifier::new([key]).allow_sha1().allow_any_position();
            verifier
                .verify_element(signed)
                .map_err(|error| error.kind().to_string())
                .map(|_| ())
        });
        let found = match result {
            Ok(Ok(())) => {
                format!("a valid signature by another key, the one of the certificate {of}")
            }
            Ok(Err(reason)) => {
                format!("a signature that names another certificate, {of}; with its key: {reason}")
            }
            Err(_) => format!(
                "a signature that names another certificate, {of}, with an unknown kind of key"
            ),
        };
        (&rule::SIG_02, found)
    }

    /// Returns the fingerprints of the trusted certificates.
    fn fingerprints(&self) -> String {
        let list: Vec<String> = self
            .certificates
            .iter()
            .map(Certificate::fingerprint_sha256)
            .collect();
        format!("the certificate {}", list.join(" or "))
    }
}

/// The expectation of findings about a signature of another element.
const OWN_SIGNATURE: &str = "a signature of the element that contains it, which alone has its ID";

/// Reports signatures of which none belongs to the response or to an assertion of it.
fn report_other_element(response: Element<'_>, report: &mut LintReport) {
    let signature = response
        .descendants()
        .find(|element| element.is(namespace::SIGNATURE, "Signature"));
    let at = signature.unwrap_or(response);
    let parent = at.parent().map(path).unwrap_or_default();
    let found = format!(
        "a signature in {}, and none of the response or its assertion",
        short(&parent)
    );
    let expected = "a signature of the assertion that AWS would read".to_owned();
    report.add(&rule::SIG_03, at, found, expected);
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
    if !certificate.is_valid_at(expectations.now) {
        let (from, until) = (certificate.not_before(), certificate.not_after());
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
