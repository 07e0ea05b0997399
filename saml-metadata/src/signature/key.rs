use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use x509_parser::{prelude::FromDer as _, x509::SubjectPublicKeyInfo};
use zeroize::Zeroizing;

use super::algorithm::KeyKind;
use crate::{Certificate, CertificateError, PublicKey, model::certificate::public_key};

/// A public key to verify signatures with, from somewhere else than the document.
///
/// Two of them are equal if it is the same key, whatever certificates they came with.
#[derive(Clone)]
pub struct VerifyingKey {
    /// `SubjectPublicKeyInfo`.
    der: Vec<u8>,
    kind: KeyKind,
    bits: usize,
    /// From when and until when the certificate is valid that the key came with.
    validity: Option<(Timestamp, Timestamp)>,
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for VerifyingKey {}

impl VerifyingKey {
    /// Takes the key out of a certificate; its issuer does not matter, nor do its dates (Metadata
    /// Interoperability Profile 2.6.1), which [`Verifier::validate`](super::Verifier::validate)
    /// remarks upon.
    ///
    /// # Errors
    ///
    /// Fails when the key is neither RSA nor on P-256, P-384 or P-521.
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
    /// Fails when it is not exactly that, or when the key is neither RSA nor on P-256, P-384 or P-521.
    pub fn from_public_key_der(der: &[u8]) -> Result<Self, KeyError> {
        let (rest, info) = SubjectPublicKeyInfo::from_der(der)
            .map_err(|source| KeyError::NotAKey(Box::new(source)))?;
        if !rest.is_empty() {
            return Err(KeyError::NotAKey("bytes follow the key".into()));
        }
        Self::new(&public_key(&info).0, der)
    }

    /// Reads a `CERTIFICATE` or `PUBLIC KEY` from PEM.
    ///
    /// # Errors
    ///
    /// Fails when there is neither, and as the other two do.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
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

    /// Returns from when and until when the certificate is valid that the key came with.
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

/// Why a key could not be taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text has no PEM section of the right kind.
    #[error("there is no PEM section {expected}")]
    #[non_exhaustive]
    Pem {
        /// The names of the sections that would do.
        expected: &'static str,
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
    /// The key is of a kind that signatures of metadata do not use.
    #[error("the key is neither RSA of 2048 to 8192 bits nor on the curve P-256, P-384 or P-521")]
    Kind,
    /// A private key is encrypted or in an older format.
    #[error(
        "the private key is not PKCS #8 without a password; `openssl pkcs8 -topk8 -nodes` makes it so"
    )]
    NotPkcs8,
}

/// Returns what a PEM section holds, wiped when dropped, as it may be a private key.
pub(super) fn pem_section(pem: &str, name: &str) -> Option<Result<Zeroizing<Vec<u8>>, KeyError>> {
    let behind = pem.split_once(&format!("-----BEGIN {name}-----"))?.1;
    let (body, _) = behind.split_once(&format!("-----END {name}-----"))?;
    let mut compact = Zeroizing::new(String::with_capacity(body.len()));
    compact.extend(body.chars().filter(|c| !c.is_ascii_whitespace()));
    // The decoder's error would repeat a character of the key.
    let der = STANDARD.decode(compact.as_bytes()).ok();
    Some(der.map(Zeroizing::new).ok_or(KeyError::Base64))
}
