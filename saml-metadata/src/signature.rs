//! Verification and creation of signatures over metadata, assertions and protocol messages.
//!
//! Signatures are verified over the same tree as the rest of the crate uses. A valid signature
//! somewhere in a document does not protect the rest of the document. Therefore
//! [`Verifier::verify`] requires exactly SAML's signature profile (saml-core-2.0-os 5.4,
//! saml-metadata-2.0-os 3.1): the signature is a child of the signed element, has one reference, to
//! that element, and only the transforms of the profile. The result, [`Verified`], gives access only
//! to the signed element.
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
//! [`Verifier::verify_stream`] verifies and then reads aggregates that are too large for memory.
//! The signature profile is the same for all SAML elements, so [`Verifier::verify_element`] also
//! verifies the signature of a response or an assertion.
//!
//! # Keys
//!
//! The caller supplies the keys from a source other than the document, for example a file from a
//! contract or an administration console. The sender of a document controls its `KeyInfo`, so the
//! crate can write `KeyInfo`, but never reads it.

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
    error::{SignatureError, SignatureErrorKind},
    key::{KeyError, VerifyingKey},
    secret::SigningKey,
    sign::{SignError, Signer},
    stream::{SignedStreamError, VerifiedEntity, VerifiedStream},
    verify::{Verified, Verifier},
};

use crate::{Rule, validate::rules};

/// Returns the rules for signatures, in the order of their ids.
///
/// [`rules()`](crate::rules()) does not contain these rules: [`validate`](crate::validate()) has no
/// keys, and a signature cannot be verified without keys.
pub fn signature_rules() -> impl Iterator<Item = &'static Rule> {
    rules::signature_rules()
}
