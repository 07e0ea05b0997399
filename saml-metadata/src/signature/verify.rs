//! The verifier of signatures, and the view of a verified element.

use std::{borrow::Cow, fmt};

use aws_lc_rs::signature::UnparsedPublicKey;
use jiff::Timestamp;

use super::{
    algorithm::{KeyKind, SignatureAlgorithm},
    error::{SignatureError, SignatureErrorKind},
    key::VerifyingKey,
    profile::{self, Form, Policy, fail},
};
use crate::{
    Document, Element, EntitiesDescriptor, EntityDescriptor, EntityError, Finding,
    document::{entities_of, entity_of},
    tree::{NamespaceId, NodeId},
};

/// Verifies signatures with keys that the caller trusts.
///
/// A signature must verify with one of the keys; several keys allow a key rollover.
#[derive(Debug, Clone)]
pub struct Verifier {
    keys: Vec<VerifyingKey>,
    pub(super) policy: Policy,
}

impl Verifier {
    /// Creates a verifier that trusts these keys.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = VerifyingKey>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            policy: Policy::default(),
        }
    }

    /// Also accepts RSA signatures and digests with SHA-1.
    ///
    /// SHA-1 is not collision-resistant: an attacker with enough money can create two documents
    /// with the same digest. Use this only if the publisher cannot change the algorithm, and if
    /// only the publisher controls the content of the document.
    #[must_use]
    pub fn allow_sha1(mut self) -> Self {
        self.policy.sha1 = true;
        self
    }

    /// Accepts a signature at any position among the children of the signed element, instead of only
    /// where the schema requires it: as the first child or, in an assertion or protocol message,
    /// after the `Issuer`.
    #[must_use]
    pub fn allow_any_position(mut self) -> Self {
        self.policy.any_position = true;
        self
    }

    /// Verifies the signature of a document's root element.
    ///
    /// # Errors
    ///
    /// Fails if the root element is not signed, even if another element is signed. Also fails if
    /// the signature does not have the form that SAML allows, uses an algorithm that is not
    /// allowed, or does not verify with any of the keys, or if the signed content was changed.
    pub fn verify<'a>(&self, document: &'a Document) -> Result<Verified<'a>, SignatureError> {
        self.verify_element(document.root())
    }

    /// Verifies the signature of an element, for example of one entity in a group, or of the
    /// assertion in a response.
    ///
    /// ```
    /// # use saml_metadata::signature::{Signer, SigningKey, Verifier, VerifyingKey};
    /// # let key = SigningKey::from_pkcs8_pem(include_str!("../../tests/fixtures/signature/p256.key.pem"))?;
    /// # let certificate = include_str!("../../tests/fixtures/signature/p256.cert.pem");
    /// let response = saml_metadata::read(
    ///     br#"<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol"
    ///             xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" ID="r">
    ///         <a:Assertion ID="a"><a:Issuer>urn:idp</a:Issuer></a:Assertion>
    ///     </p:Response>"#,
    /// )?;
    /// # let unsigned = response.root().children().next().expect("an assertion");
    /// # let response = Signer::new(&key).sign_element(unsigned)?;
    /// let assertion = response.root().children().next().expect("an assertion");
    /// let verifier = Verifier::new([VerifyingKey::from_pem(certificate)?]);
    /// let verified = verifier.verify_element(assertion)?;
    /// assert_eq!(verified.element().children().count(), 1);
    /// assert!(verifier.verify_element(response.root()).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails as [`verify`](Self::verify) does.
    pub fn verify_element<'a>(&self, element: Element<'a>) -> Result<Verified<'a>, SignatureError> {
        // An element from a `Verified` hides its signature, so the check needs a new view of the
        // element.
        let element = Element::new(element.document(), element.id());
        let form = profile::check(element, self.policy)?;
        let key = self.check_signature(&form)?;
        check_digest(element, &form)?;
        Ok(Verified {
            element: element.as_fragment_root(),
            algorithm: form.algorithm,
            key,
        })
    }

    /// Verifies the signature of each entity of a document, in order.
    ///
    /// Use this for groups that are not signed as a whole. The caller decides how to handle entities
    /// whose verification fails; Shibboleth leaves them out.
    pub fn verify_entities<'a>(
        &self,
        document: &'a Document,
    ) -> impl Iterator<Item = Result<Verified<'a>, SignatureError>> {
        document
            .entities()
            .map(|entity| self.verify_element(entity.element()))
    }

    /// Validates a document against the rules for signatures, MD-SIG-01 to 09.
    ///
    /// [`validate`](crate::validate()) checks all other rules. This method checks the signature of
    /// the root element, the separate signatures of groups, entities and roles inside it, and the
    /// dates of the certificates of the given keys. An empty result means that the document is
    /// signed and that every signature was verified; [`verify`](Self::verify) returns the signed
    /// element.
    ///
    /// ```
    /// use saml_metadata::{Profile, signature::Verifier};
    ///
    /// let document = saml_metadata::read(
    ///     br#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:a"/>"#,
    /// )?;
    /// let now = "2026-11-24T12:00:00Z".parse()?;
    /// let findings = Verifier::new([]).validate(&document, Profile::SamlCore, now);
    /// assert_eq!(
    ///     findings[0].to_string(),
    ///     "line 1, column 1: error MD-SIG-01: the element is not signed",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn validate<'p>(
        &self,
        document: &Document,
        policy: impl Into<Cow<'p, crate::Policy>>,
        now: Timestamp,
    ) -> Vec<Finding> {
        crate::validate::signature::check(document, self, &policy.into(), now)
    }

    /// Returns the key that verified a signature.
    pub(crate) fn key_of(&self, verified: Verified<'_>) -> &VerifyingKey {
        &self.keys[verified.key]
    }

    /// Verifies the signature value, and returns the index of the key.
    pub(super) fn check_signature(&self, form: &Form<'_>) -> Result<usize, SignatureError> {
        let algorithm = form.algorithm;
        let kind = algorithm.key_kind();
        let of_kind = || self.keys.iter().filter(|key| key.kind() == kind);
        let is_strong = |key: &VerifyingKey| kind != KeyKind::Rsa || key.bits() >= MIN_RSA_BITS;
        if !of_kind().any(is_strong) {
            return match of_kind().next() {
                Some(weak) => fail(
                    form.signature,
                    SignatureErrorKind::WeakKey { bits: weak.bits() },
                ),
                None => fail(form.signature, SignatureErrorKind::NoKey { algorithm }),
            };
        }
        let message = form
            .canonicalization
            .element(form.signed_info)
            .or_else(|source| {
                fail(
                    form.signed_info,
                    SignatureErrorKind::NoCanonicalForm { source },
                )
            })?;
        let verifies = |key: &VerifyingKey| {
            key.kind() == kind
                && is_strong(key)
                && UnparsedPublicKey::new(algorithm.verification(), key.der())
                    .verify(&message, &form.value)
                    .is_ok()
        };
        match self.keys.iter().position(verifies) {
            Some(index) => Ok(index),
            None => fail(form.signature, SignatureErrorKind::OtherKey),
        }
    }
}

/// Minimum length of an RSA key in bits. An attacker with enough money can break shorter keys.
const MIN_RSA_BITS: usize = 2048;

fn check_digest(element: Element<'_>, form: &Form<'_>) -> Result<(), SignatureError> {
    let digest = digest(element, form.signature.id(), form)
        .or_else(|source| fail(element, SignatureErrorKind::NoCanonicalForm { source }))?;
    if digest.len() != form.digest_value.len() {
        return fail(form.reference, SignatureErrorKind::DIGEST_LENGTH);
    }
    if digest != form.digest_value {
        return fail(element, SignatureErrorKind::Changed);
    }
    Ok(())
}

fn digest(
    element: Element<'_>,
    without: NodeId,
    form: &Form<'_>,
) -> Result<Vec<u8>, crate::c14n::C14nError> {
    let context = form.digest.context();
    let context = if form.is_whole {
        let document = element.document();
        form.transform.write_document(document, without, context)?
    } else {
        form.transform.write_element(element, without, context)?
    };
    Ok(context.finish().as_ref().to_vec())
}

/// An element whose signature was verified.
///
/// The view gives access to the element and its content, except for the signature, which does not
/// cover itself. The view gives no access to anything outside the element: it shows neither the
/// parent of the element nor the groups around it.
///
/// The view also returns some data that is not signed. Spans and source text refer to the document,
/// including comments, which are not signed. With exclusive canonicalization, the declaration of a
/// prefix is signed only if the name of an element or attribute uses the prefix. So do not trust
/// the namespace of a prefix in a value, such as an `xsi:type`.
#[derive(Clone, Copy)]
pub struct Verified<'a> {
    element: Element<'a>,
    algorithm: SignatureAlgorithm,
    key: usize,
}

impl<'a> Verified<'a> {
    /// Returns the signed element.
    #[must_use]
    pub fn element(self) -> Element<'a> {
        self.element
    }

    /// Returns the signed entity, if the signed element contains exactly one.
    ///
    /// # Errors
    ///
    /// Fails if the signed element is not metadata, or describes no entity or more than one.
    pub fn entity(self) -> Result<EntityDescriptor<'a>, EntityError> {
        entity_of(self.element)
    }

    /// Returns all signed entities, including those in nested groups, in order.
    pub fn entities(self) -> impl Iterator<Item = EntityDescriptor<'a>> {
        entities_of(self.element)
    }

    /// Returns the signed element as a group of entities, if it is a group.
    #[must_use]
    pub fn group(self) -> Option<EntitiesDescriptor<'a>> {
        self.element
            .is_in(NamespaceId::METADATA, name!("EntitiesDescriptor"))
            .then(|| EntitiesDescriptor::new(self.element))
    }

    /// Returns the index of the key that verified the signature, among the keys given to
    /// [`Verifier::new`].
    #[must_use]
    pub fn key(self) -> usize {
        self.key
    }

    /// Returns the algorithm of the signature.
    #[must_use]
    pub fn algorithm(self) -> SignatureAlgorithm {
        self.algorithm
    }
}

impl fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("element", &self.element)
            .field("algorithm", &self.algorithm)
            .field("key", &self.key)
            .finish()
    }
}
