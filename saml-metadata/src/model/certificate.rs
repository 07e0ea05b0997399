//! X.509 certificates and their public keys.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
    sync::OnceLock,
};

use jiff::Timestamp;
use x509_parser::{
    asn1_rs::Oid,
    certificate::{X509Certificate, X509CertificateParser},
    extensions::{BasicConstraints, KeyUsage},
    nom::Parser as _,
    oid_registry::{
        OID_EC_P256, OID_NIST_EC_P384, OID_NIST_EC_P521, OID_PKCS1_SHA1WITHRSA,
        OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA,
        OID_SIG_ECDSA_WITH_SHA256, OID_SIG_ECDSA_WITH_SHA384, OID_X509_EXT_BASIC_CONSTRAINTS,
        OID_X509_EXT_KEY_USAGE,
    },
    pem::Pem,
    prelude::FromDer as _,
    public_key::PublicKey as Parsed,
    time::ASN1Time,
    x509::SubjectPublicKeyInfo,
};

use crate::{base64, reader::chars::is_blank, rollover::fingerprint_sha256};

/// An X.509 certificate, parsed but not verified.
///
/// In metadata a certificate only carries a public key: consumers do not check its issuer (Metadata
/// Interoperability Profile 2.6.1). Only some consumers check its dates.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    version: u32,
    /// Created on first access; validation never needs the names.
    names: OnceLock<Names>,
    not_before: Timestamp,
    not_after: Timestamp,
    signature_algorithm: Cow<'static, str>,
    key: PublicKey,
    /// The key with its algorithm, `SubjectPublicKeyInfo`, as DER.
    key_der: Vec<u8>,
    modulus: Vec<u8>,
    is_authority: bool,
    may_sign: bool,
}

/// The names of a certificate as text.
#[derive(Clone)]
struct Names {
    subject: String,
    issuer: String,
    serial: String,
}

impl Certificate {
    /// Reads a certificate from DER.
    ///
    /// # Errors
    ///
    /// Fails if the bytes are not exactly one X.509 certificate.
    pub fn from_der(der: impl Into<Vec<u8>>) -> Result<Self, CertificateError> {
        let der = der.into();
        // Only the two extensions below are parsed.
        let mut parser = X509CertificateParser::new().with_deep_parse_extensions(false);
        let (rest, certificate) =
            parser
                .parse(&der)
                .map_err(|source| CertificateError::NotACertificate {
                    source: Box::new(source),
                })?;
        if !rest.is_empty() {
            return Err(CertificateError::TrailingBytes { count: rest.len() });
        }
        let (key, modulus) = public_key(certificate.public_key());
        let constraints = extension(&certificate, &OID_X509_EXT_BASIC_CONSTRAINTS)
            .and_then(|value| BasicConstraints::from_der(value).ok());
        let usage = extension(&certificate, &OID_X509_EXT_KEY_USAGE)
            .and_then(|value| KeyUsage::from_der(value).ok());
        let read = Self {
            version: certificate.version().0.saturating_add(1),
            names: OnceLock::new(),
            not_before: timestamp(certificate.validity().not_before),
            not_after: timestamp(certificate.validity().not_after),
            signature_algorithm: identifier(&certificate.signature_algorithm.algorithm),
            key,
            key_der: certificate.public_key().raw.to_vec(),
            modulus,
            is_authority: constraints.is_some_and(|(_, constraints)| constraints.ca),
            may_sign: usage.is_none_or(|(_, usage)| usage.digital_signature()),
            der: Vec::new(),
        };
        Ok(Self { der, ..read })
    }

    /// Reads a certificate in the form used in XML: base64 of DER, with any line breaks.
    ///
    /// # Errors
    ///
    /// Fails if the text is not base64, if it is PEM or base64 of PEM, or if it is not exactly one
    /// X.509 certificate.
    pub fn from_base64(text: &str) -> Result<Self, CertificateError> {
        // Base64 has no dash, and the search for a single byte is fast.
        if memchr::memchr(b'-', text.as_bytes()).is_some() && text.contains("-----") {
            return Err(CertificateError::Pem);
        }
        if is_blank(text) {
            return Err(CertificateError::Empty);
        }
        let der = base64::decode(text).map_err(|source| CertificateError::Base64 {
            source: Box::new(source),
        })?;
        if der.starts_with(b"-----BEGIN") {
            return Err(CertificateError::PemInside);
        }
        Self::from_der(der)
    }

    /// Reads the only `CERTIFICATE` section of a PEM file, the download format of consoles.
    ///
    /// # Errors
    ///
    /// Fails if there is no such section or more than one ([`all_from_pem`](Self::all_from_pem) reads
    /// all of them), or if its content is not exactly one X.509 certificate.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        let mut certificates = Self::all_from_pem(text)?;
        match certificates.pop() {
            Some(only) if certificates.is_empty() => Ok(only),
            _ => Err(CertificateError::SeveralInPem {
                count: certificates.len() + 1,
            }),
        }
    }

    /// Reads all `CERTIFICATE` sections of a PEM file, in order; at least one.
    ///
    /// # Errors
    ///
    /// Fails if there is no such section, or if one of them is not exactly one X.509 certificate.
    pub fn all_from_pem(text: &str) -> Result<Vec<Self>, CertificateError> {
        let mut certificates = Vec::new();
        for section in Pem::iter_from_buffer(text.as_bytes()) {
            let section = section.map_err(|source| CertificateError::NotPem {
                source: Some(Box::new(source)),
            })?;
            if section.label == "CERTIFICATE" {
                certificates.push(Self::from_der(section.contents)?);
            }
        }
        if certificates.is_empty() {
            return Err(CertificateError::NotPem { source: None });
        }
        Ok(certificates)
    }

    /// Reads the only certificate of a file in DER, PEM or plain base64.
    ///
    /// # Errors
    ///
    /// Fails if the file has none of these formats, or more than one certificate.
    pub fn from_file(bytes: &[u8]) -> Result<Self, CertificateError> {
        match file_text(bytes) {
            None => Self::from_der(bytes),
            Some(text) if text.contains("-----BEGIN") => Self::from_pem(text),
            Some(text) => Self::from_base64(text),
        }
    }

    /// Returns the certificate as DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Returns the DER as base64 without line breaks.
    #[must_use]
    pub fn base64(&self) -> String {
        base64::encode(&self.der)
    }

    /// Returns the certificate as PEM, in lines of 64 characters.
    #[must_use]
    pub fn pem(&self) -> String {
        let body = base64::encode_lines(&self.der, 64);
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    }

    /// Returns the number of characters of [`pem`](Self::pem).
    pub(crate) fn pem_len(&self) -> usize {
        let base64 = self.der.len().div_ceil(3) * 4;
        let lines = base64.div_ceil(64);
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".len() + base64 + lines
    }

    /// Returns the version: 3, except for old or self-made certificates.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Returns the subject's name, such as `C=US, O=Okta, CN=acme`.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.names().subject
    }

    /// Returns the issuer's name.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.names().issuer
    }

    /// Returns the serial number as upper-case hexadecimal bytes, separated by colons.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.names().serial
    }

    /// Returns the start of the validity period.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Returns the end of the validity period; the certificate is still valid at this time.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Returns whether the validity period contains a time; both ends belong to it.
    #[must_use]
    pub fn is_valid_at(&self, time: Timestamp) -> bool {
        (self.not_before..=self.not_after).contains(&time)
    }

    /// Returns the type and the strength of the public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Returns the key with its algorithm, `SubjectPublicKeyInfo`, as DER.
    ///
    /// Two certificates for the same key have the same value here; all other values can differ.
    #[must_use]
    pub fn public_key_der(&self) -> &[u8] {
        &self.key_der
    }

    /// Returns the object identifier of the certificate's signature algorithm.
    #[must_use]
    pub fn signature_algorithm(&self) -> &str {
        &self.signature_algorithm
    }

    /// Returns whether the certificate may issue other certificates (basic constraints).
    #[must_use]
    pub fn is_authority(&self) -> bool {
        self.is_authority
    }

    /// Returns whether the key may create signatures; true if there is no key usage extension.
    #[must_use]
    pub fn may_sign(&self) -> bool {
        self.may_sign
    }

    /// Returns the SHA-256 fingerprint in the format of consoles: `AB:CD:…`.
    #[must_use]
    pub fn fingerprint_sha256(&self) -> String {
        fingerprint_sha256(&self.der)
    }

    /// Returns the modulus of an RSA key, big-endian, without leading zeros; empty for other keys.
    pub(crate) fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    fn names(&self) -> &Names {
        self.names.get_or_init(|| {
            let (_, certificate) =
                X509Certificate::from_der(&self.der).expect("the same bytes were parsed before");
            Names {
                subject: certificate.subject().to_string(),
                issuer: certificate.issuer().to_string(),
                serial: colon_hex(certificate.raw_serial()),
            }
        })
    }
}

/// Compares only the DER bytes, which determine all other fields.
impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.subject())
            .field("serial", &self.serial())
            .field("not_after", &self.not_after)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// The type and the strength of a public key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicKey {
    /// RSA.
    #[non_exhaustive]
    Rsa {
        /// Length of the modulus in bits.
        bits: usize,
        /// The public exponent; `None` if it does not fit in 64 bits.
        exponent: Option<u64>,
    },
    /// An elliptic curve.
    #[non_exhaustive]
    EllipticCurve {
        /// The curve's object identifier, such as `1.2.840.10045.3.1.7` for P-256.
        curve: String,
        /// Length of a coordinate in bits.
        bits: usize,
    },
    /// DSA, which is obsolete.
    Dsa,
    /// Another algorithm.
    #[non_exhaustive]
    Other {
        /// The algorithm's object identifier.
        algorithm: String,
    },
}

/// The reason why a certificate could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The text is empty.
    #[error("the certificate is empty")]
    Empty,
    /// The text has PEM lines such as `-----BEGIN CERTIFICATE-----`, which XML does not allow.
    #[error("the certificate is PEM, not plain base64")]
    Pem,
    /// The text has no valid PEM section `CERTIFICATE`.
    #[error("the text has no valid PEM section CERTIFICATE")]
    #[non_exhaustive]
    NotPem {
        /// The error in a section, if a section was found.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The text has several PEM sections `CERTIFICATE` where one is expected.
    #[error("the text has {count} PEM sections CERTIFICATE where one is expected")]
    #[non_exhaustive]
    SeveralInPem {
        /// Number of sections.
        count: usize,
    },
    /// The text is base64 of PEM, so it is base64-encoded twice.
    #[error("the certificate is base64 of PEM, not base64 of DER")]
    PemInside,
    /// The text is not base64.
    #[error("the certificate is not base64")]
    #[non_exhaustive]
    Base64 {
        /// The error of the decoder.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The bytes are not a certificate.
    #[error("the bytes are not an X.509 certificate")]
    #[non_exhaustive]
    NotACertificate {
        /// The error of the parser.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Extra bytes follow the certificate.
    #[error("extra bytes after the certificate: {count}")]
    #[non_exhaustive]
    TrailingBytes {
        /// Number of extra bytes.
        count: usize,
    },
}

/// Returns the text of a file with a key or a certificate; `None` if the file is DER.
pub(crate) fn file_text(bytes: &[u8]) -> Option<&str> {
    // DER of a certificate or key begins with the tag SEQUENCE, which is also the character `0`.
    let text = std::str::from_utf8(bytes).ok()?;
    (!bytes.starts_with(&[0x30])).then_some(text)
}

pub(crate) fn public_key(info: &SubjectPublicKeyInfo<'_>) -> (PublicKey, Vec<u8>) {
    match info.parsed() {
        Ok(Parsed::RSA(rsa)) => {
            let zeros = rsa.modulus.iter().take_while(|b| **b == 0).count();
            let modulus = rsa.modulus[zeros..].to_vec();
            let unused = modulus.first().map_or(0, |b| b.leading_zeros() as usize);
            let key = PublicKey::Rsa {
                bits: modulus.len() * 8 - unused,
                exponent: rsa.try_exponent().ok(),
            };
            (key, modulus)
        }
        Ok(Parsed::EC(point)) => {
            let curve = info
                .algorithm
                .parameters
                .as_ref()
                .and_then(|parameters| parameters.as_oid().ok())
                .map_or_else(
                    || "explicit parameters".to_owned(),
                    |oid| identifier(&oid).into_owned(),
                );
            let bits = point.key_size();
            (PublicKey::EllipticCurve { curve, bits }, Vec::new())
        }
        Ok(Parsed::DSA(_)) => (PublicKey::Dsa, Vec::new()),
        _ => {
            let algorithm = info.algorithm.algorithm.to_id_string();
            (PublicKey::Other { algorithm }, Vec::new())
        }
    }
}

/// Returns the value of an extension if the certificate has it exactly once.
fn extension<'a>(certificate: &X509Certificate<'a>, oid: &Oid<'_>) -> Option<&'a [u8]> {
    let extension = certificate.get_extension_unique(oid).ok().flatten()?;
    Some(extension.value)
}

/// The most common object identifiers, with their text form.
const COMMON: [(Oid<'static>, &str); 9] = [
    (OID_PKCS1_SHA256WITHRSA, "1.2.840.113549.1.1.11"),
    (OID_PKCS1_SHA1WITHRSA, "1.2.840.113549.1.1.5"),
    (OID_PKCS1_SHA384WITHRSA, "1.2.840.113549.1.1.12"),
    (OID_PKCS1_SHA512WITHRSA, "1.2.840.113549.1.1.13"),
    (OID_SIG_ECDSA_WITH_SHA256, "1.2.840.10045.4.3.2"),
    (OID_SIG_ECDSA_WITH_SHA384, "1.2.840.10045.4.3.3"),
    (OID_EC_P256, "1.2.840.10045.3.1.7"),
    (OID_NIST_EC_P384, "1.3.132.0.34"),
    (OID_NIST_EC_P521, "1.3.132.0.35"),
];

/// Returns the text form of an object identifier. The text of a common identifier is looked up in a
/// table instead of computed.
fn identifier(oid: &Oid<'_>) -> Cow<'static, str> {
    match COMMON.iter().find(|(common, _)| common == oid) {
        Some((_, text)) => Cow::Borrowed(text),
        None => Cow::Owned(oid.to_id_string()),
    }
}

/// Converts a certificate's date into a timestamp; a year after 9999 becomes the maximum.
fn timestamp(time: ASN1Time) -> Timestamp {
    let seconds = time.timestamp();
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

pub(crate) fn colon_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for (number, byte) in bytes.iter().enumerate() {
        if number > 0 {
            text.push(':');
        }
        // Writing to a `String` never fails.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_common_identifiers_matches_their_computed_text() {
        for (oid, text) in COMMON {
            assert_eq!(oid.to_id_string(), text);
        }
    }
}
