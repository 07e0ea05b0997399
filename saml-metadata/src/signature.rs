//! Signatures over metadata: verified and made over the tree that everything else is read from.
//!
//! Metadata is worth what its signature is worth, and a valid signature somewhere in a document
//! says nothing about the rest of it. [`Verifier::verify`] asks for SAML's signature profile to the
//! letter (saml-core-2.0-os 5.4, saml-metadata-2.0-os 3.1): the signature stands in the element
//! that it signs, has one reference, to that element, and no transforms but the ones the profile
//! names. What it returns, [`Verified`], leads to the signed element and to nothing else.
//!
//! ```
//! use saml_metadata::signature::{Signer, SigningKey, Verifier, VerifyingKey};
//!
//! # let pem = include_str!("../tests/fixtures/signature/p256.key.pem");
//! # let certificate = include_str!("../tests/fixtures/signature/p256.cert.pem");
//! let key = SigningKey::from_pkcs8_pem(pem)?;
//! let document = saml_metadata::read(
//!     br#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:a"/>"#,
//! )?;
//! let signed = Signer::new(&key).sign(&document)?;
//!
//! let verifier = Verifier::new([VerifyingKey::from_pem(certificate)?]);
//! let verified = verifier.verify(&signed)?;
//! assert_eq!(verified.entity()?.entity_id(), "urn:a");
//!
//! let error = verifier.verify(&document).unwrap_err();
//! assert_eq!(error.to_string(), "line 1, column 1: the element is not signed");
//! assert_eq!(error.rule().as_str(), "MD-SIG-01");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Aggregates too large to be held are verified and then read by [`Verifier::verify_stream`].
//!
//! # Keys
//!
//! Keys are given by the caller, who has them from somewhere else than the document: a file that
//! came with a contract, the console of an administrator. `KeyInfo` is whatever the sender put
//! there; it is written when asked for, and never read.

mod algorithm;
mod error;
mod key;
mod profile;
mod secret;
mod sign;
mod stream;
mod verify;

pub use self::{
    algorithm::SignatureAlgorithm,
    error::{Refusal, SignatureError},
    key::{KeyError, VerifyingKey},
    secret::SigningKey,
    sign::{SignError, Signer},
    stream::{SignedStreamError, VerifiedEntity, VerifiedStream},
    verify::{Verified, Verifier},
};

use crate::{Rule, validate::rules};

/// Returns the rules that signatures are held to, in the order of their names.
///
/// They are apart from [`rules()`](crate::rules()): [`validate`](crate::validate()) has no keys, and
/// without keys there is nothing to say about a signature.
pub fn signature_rules() -> impl Iterator<Item = &'static Rule> {
    rules::signature_rules()
}
