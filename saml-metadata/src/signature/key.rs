//! Public keys for verifying signatures.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use x509_parser::{prelude::FromDer as _, x509::SubjectPublicKeyInfo};
use zeroize::Zeroizing;

use super::algorithm::KeyKind;
use crate::{
    Certificate, CertificateError, PublicKey,
    model::certificate::{file_text, public_key},
};

/// A trusted public key for verifying signatures.
///
/// The key must not come from the document itself.
///
/// Two values are equal if they have the same key, even if their certificates differ.
#[derive(Clone)]
pub struct VerifyingKey {
    /// `SubjectPublicKeyInfo`.
    der: Vec<u8>,
    kind: KeyKind,
    bits: usize,
    /// Validity period of the key's certificate, if the key came with one.
    validity: Option<(Timestamp, Timestamp)>,
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for VerifyingKey {}

impl VerifyingKey {
    /// Returns the key of a certificate.
    ///
    /// The issuer and the dates of the certificate are ignored (Metadata Interoperability Profile
    /// 2.6.1); [`Verifier::validate`](super::Verifier::validate) reports findings about the dates.
    ///
    /// # Errors
    ///
    /// Fails if the key is neither RSA nor on P-256, P-384 or P-521.
    pub fn from_certificate(certificate: &Certificate) -> Result<Self, KeyError> {
        let key = Self::new(certificate.public_key(), certificate.public_key_der())?;
        Ok(Self {
            validity: Some((certificate.not_before(), certificate.not_after())),
            ..key
        })
    }

    /// Reads a public key from DER, `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    ///
    /// Fails if the bytes are not exactly one `SubjectPublicKeyInfo`, or if the key is neither RSA
    /// nor on P-256, P-384 or P-521.
    pub fn from_public_key_der(der: &[u8]) -> Result<Self, KeyError> {
        let (rest, info) = SubjectPublicKeyInfo::from_der(der)
            .map_err(|source| KeyError::NotAKey(Box::new(source)))?;
        if !rest.is_empty() {
            return Err(KeyError::NotAKey("extra bytes follow the key".into()));
        }
        Self::new(&public_key(&info).0, der)
    }

    /// Reads a `CERTIFICATE` or `PUBLIC KEY` from PEM.
    ///
    /// # Errors
    ///
    /// Fails if the text has neither section or more than one, if the certificate cannot be read, or if
    /// the key is neither RSA nor on P-256, P-384 or P-521.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let begins = |name: &str| pem.matches(&format!("-----BEGIN {name}-----")).count();
        let count = begins("CERTIFICATE") + begins("PUBLIC KEY");
        if count > 1 {
            return Err(KeyError::Several { count });
        }
        if let Some(der) = pem_section(pem, "CERTIFICATE") {
            let certificate = Certificate::from_der(der?.to_vec())?;
            return Self::from_certificate(&certificate);
        }
        match pem_section(pem, "PUBLIC KEY") {
            Some(der) => Self::from_public_key_der(&der?),
            None => Err(KeyError::Pem {
                expected: "CERTIFICATE or PUBLIC KEY",
            }),
        }
    }

    /// Reads a certificate or public key from a file in PEM or DER.
    ///
    /// # Errors
    ///
    /// Fails as [`from_pem`](Self::from_pem) does.
    pub fn from_file(bytes: &[u8]) -> Result<Self, KeyError> {
        if let Some(text) = file_text(bytes) {
            return Self::from_pem(text);
        }
        match Certificate::from_der(bytes) {
            Ok(certificate) => Self::from_certificate(&certificate),
            Err(_) => Self::from_public_key_der(bytes),
        }
    }

    fn new(key: &PublicKey, der: &[u8]) -> Result<Self, KeyError> {
        let (kind, bits) = match key {
            PublicKey::Rsa { bits, .. } => (KeyKind::Rsa, *bits),
            PublicKey::EllipticCurve { curve, .. } if curve == "1.2.840.10045.3.1.7" => {
                (KeyKind::P256, 256)
            }
            PublicKey::EllipticCurve { curve, .. } if curve == "1.3.132.0.34" => {
                (KeyKind::P384, 384)
            }
            PublicKey::EllipticCurve { curve, .. } if curve == "1.3.132.0.35" => {
                (KeyKind::P521, 521)
            }
            _ => return Err(KeyError::Kind),
        };
        Ok(Self {
            der: der.to_vec(),
            kind,
            bits,
            validity: None,
        })
    }

    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    pub(super) fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Returns the validity period of the key's certificate, if the key came with one.
    pub(crate) fn validity(&self) -> Option<(Timestamp, Timestamp)> {
        self.validity
    }

    pub(super) fn bits(&self) -> usize {
        self.bits
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({:?}, {} bits)", self.kind, self.bits)
    }
}

/// The reason why a key could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text has no PEM section of the right kind.
    #[error("there is no PEM section {expected}")]
    #[non_exhaustive]
    Pem {
        /// The names of the accepted sections.
        expected: &'static str,
    },
    /// The text has several certificates or public keys.
    #[error(
        "the text has {count} certificates or public keys where one is expected; put each into a \
         file of its own"
    )]
    #[non_exhaustive]
    Several {
        /// Number of sections.
        count: usize,
    },
    /// A PEM section is not base64.
    #[error("the PEM section is not base64")]
    Base64,
    /// The certificate cannot be read.
    #[error("the certificate cannot be read")]
    Certificate(#[from] CertificateError),
    /// The bytes are not a key.
    #[error("the bytes are not a key")]
    NotAKey(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Signatures of metadata do not use this kind of key.
    #[error("the key is neither RSA of 2048 to 8192 bits nor on the curve P-256, P-384 or P-521")]
    Kind,
    /// The private key is encrypted or in an older format.
    #[error(
        "the private key is not unencrypted PKCS #8; convert it with `openssl pkcs8 -topk8 -nodes`"
    )]
    NotPkcs8,
}

/// Returns the content of a PEM section.
///
/// The content can be a private key, so it is wiped from memory when it is dropped.
pub(super) fn pem_section(pem: &str, name: &str) -> Option<Result<Zeroizing<Vec<u8>>, KeyError>> {
    let after = pem.split_once(&format!("-----BEGIN {name}-----"))?.1;
    let (body, _) = after.split_once(&format!("-----END {name}-----"))?;
    let mut compact = Zeroizing::new(String::with_capacity(body.len()));
    compact.extend(body.chars().filter(|c| !c.is_ascii_whitespace()));
    // The decoder's error is dropped, because it would contain a character of the key.
    let der = STANDARD.decode(compact.as_bytes()).ok();
    Some(der.map(Zeroizing::new).ok_or(KeyError::Base64))
}
