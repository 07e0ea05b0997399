use std::{borrow::Cow, fmt};

use aws_lc_rs::signature::UnparsedPublicKey;
use jiff::Timestamp;

use super::{
    algorithm::{KeyKind, SignatureAlgorithm},
    error::{Refusal, SignatureError},
    key::VerifyingKey,
    profile::{self, Form, Policy, refuse},
};
use crate::{
    Document, Element, EntitiesDescriptor, EntityDescriptor, EntityError, Finding,
    document::{entities_of, entity_of},
    tree::{NamespaceId, NodeId},
};

/// Verifies signatures with keys that the caller trusts.
///
/// Several keys are for a change of keys: one of them has to fit.
#[derive(Debug, Clone)]
pub struct Verifier {
    keys: Vec<VerifyingKey>,
    pub(super) policy: Policy,
}

impl Verifier {
    /// Returns a verifier that trusts these keys.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = VerifyingKey>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            policy: Policy::default(),
        }
    }

    /// Takes RSA signatures and digests with SHA-1 too.
    ///
    /// Two documents of one SHA-1 can be made by whoever can pay for it, so this is for documents
    /// whose publisher cannot be moved, and whose contents nobody else has a hand in.
    #[must_use]
    pub fn allow_sha1(mut self) -> Self {
        self.policy.sha1 = true;
        self
    }

    /// Takes signatures that are not the first element in the signed one, where the schema has
    /// them, but anywhere right inside of it.
    #[must_use]
    pub fn allow_any_place(mut self) -> Self {
        self.policy.any_place = true;
        self
    }

    /// Verifies the signature of a document's root element.
    ///
    /// # Errors
    ///
    /// Fails when the root element is not signed, whatever else in the document is, when the
    /// signature is not of the form that SAML allows, uses an algorithm that is not allowed, or
    /// is not one of the root element, as it is, by one of the keys.
    pub fn verify<'a>(&self, document: &'a Document) -> Result<Verified<'a>, SignatureError> {
        self.verify_element(document.root())
    }

    /// Verifies the signature that an element has of its own, such as one entity of a group.
    ///
    /// # Errors
    ///
    /// Fails as [`verify`](Self::verify) does.
    pub fn verify_element<'a>(&self, element: Element<'a>) -> Result<Verified<'a>, SignatureError> {
        // An element out of a `Verified` would hide the signature.
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

    /// Verifies each entity of a document by the signature that it has of its own, in order.
    ///
    /// This is for groups that nobody signed as a whole. What to do about entities that fail is the
    /// caller's to say; Shibboleth leaves them out.
    pub fn verify_entities<'a>(
        &self,
        document: &'a Document,
    ) -> impl Iterator<Item = Result<Verified<'a>, SignatureError>> {
        document
            .entities()
            .map(|entity| self.verify_element(entity.element()))
    }

    /// Holds a document to the rules about signatures, as [`validate`](crate::validate()) does to
    /// those about all else: MD-SIG-01 to 09.
    ///
    /// Beside the signature of the root element, those that groups, entities and roles inside of it
    /// have of their own are looked at, and the dates of the certificates that keys came in. An empty
    /// result says that the document is signed; what exactly is, [`verify`](Self::verify) returns.
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

    /// Returns the key that made a signature.
    pub(crate) fn key_of(&self, verified: Verified<'_>) -> &VerifyingKey {
        &self.keys[verified.key]
    }

    /// Returns the number of the key that made the signature.
    pub(super) fn check_signature(&self, form: &Form<'_>) -> Result<usize, SignatureError> {
        let algorithm = form.algorithm;
        let kind = algorithm.key_kind();
        let of_kind = || self.keys.iter().filter(|key| key.kind() == kind);
        let is_strong = |key: &VerifyingKey| kind != KeyKind::Rsa || key.bits() >= SHORTEST_RSA;
        if !of_kind().any(is_strong) {
            return match of_kind().next() {
                Some(weak) => refuse(form.signature, Refusal::WeakKey { bits: weak.bits() }),
                None => refuse(form.signature, Refusal::NoKey { algorithm }),
            };
        }
        let message = form
            .canonicalization
            .element(form.signed_info)
            .or_else(|source| refuse(form.signed_info, Refusal::NoCanonicalForm { source }))?;
        let fits = |key: &VerifyingKey| {
            key.kind() == kind
                && is_strong(key)
                && UnparsedPublicKey::new(algorithm.verification(), key.der())
                    .verify(&message, &form.value)
                    .is_ok()
        };
        match self.keys.iter().position(fits) {
            Some(number) => Ok(number),
            None => refuse(form.signature, Refusal::OtherKey),
        }
    }
}

/// Shorter keys are within reach of people with money.
const SHORTEST_RSA: usize = 2048;

fn check_digest(element: Element<'_>, form: &Form<'_>) -> Result<(), SignatureError> {
    let digest = digest(element, form.signature.id(), form)
        .or_else(|source| refuse(element, Refusal::NoCanonicalForm { source }))?;
    if digest.len() != form.digest_value.len() {
        return refuse(form.reference, Refusal::DIGEST_LENGTH);
    }
    if digest != form.digest_value {
        return refuse(element, Refusal::Changed);
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
/// From here one gets to the element and all inside of it, save for the signature itself, which
/// does not sign itself. Nothing leads out: the element has no parent, and an entity of it no group
/// outside of it. The methods that return spans or the source as written return what stands in the
/// document, with its comments, which are not signed. Neither are prefixes that no name uses under
/// exclusive canonicalization: do not trust what one in a value, such as an `xsi:type`, stands for.
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

    /// Returns the one entity that was signed.
    ///
    /// # Errors
    ///
    /// Fails when the signed element is not metadata, or describes no entity or several.
    pub fn entity(self) -> Result<EntityDescriptor<'a>, EntityError> {
        entity_of(self.element)
    }

    /// Returns all entities that were signed, through all groups, in order.
    pub fn entities(self) -> impl Iterator<Item = EntityDescriptor<'a>> {
        entities_of(self.element)
    }

    /// Returns the signed element as a group of entities, if it is one.
    #[must_use]
    pub fn group(self) -> Option<EntitiesDescriptor<'a>> {
        self.element
            .is_in(NamespaceId::METADATA, "EntitiesDescriptor")
            .then(|| EntitiesDescriptor::new(self.element))
    }

    /// Returns the number, from 0, of the key that made the signature, among those given to
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
