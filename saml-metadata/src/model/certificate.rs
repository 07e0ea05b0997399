use std::{
    borrow::Cow,
    fmt::{self, Write as _},
    sync::OnceLock,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
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

use crate::reader::chars::is_space;

/// An X.509 certificate of a key, read but not verified.
///
/// In metadata a certificate is an envelope for a public key: nobody checks who signed it
/// (Metadata Interoperability Profile 2.6.1). Its dates matter to the consumers that say so.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    version: u32,
    /// Written out when first asked for, which checks never do.
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

/// What a certificate says for people to read.
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
    /// Fails when the bytes are not exactly one X.509 certificate.
    pub fn from_der(der: impl Into<Vec<u8>>) -> Result<Self, CertificateError> {
        let der = der.into();
        // Of the extensions only the two below are looked into.
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

    /// Reads a certificate as XML has it: base64 of DER, broken into lines anyhow.
    ///
    /// # Errors
    ///
    /// Fails when the text is not base64, is PEM outside or inside of it, or is not one X.509
    /// certificate.
    pub fn from_base64(text: &str) -> Result<Self, CertificateError> {
        // Base64 has no dash, and looking for one byte goes through many at once.
        if memchr::memchr(b'-', text.as_bytes()).is_some() && text.contains("-----") {
            return Err(CertificateError::Pem);
        }
        let mut compact = Vec::with_capacity(text.len());
        // Lines are long, so finding their ends many bytes at a time beats looking at each.
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let end = memchr::memchr3(b'\n', b' ', b'\r', rest).unwrap_or(rest.len());
            let line = &rest[..end];
            if memchr::memchr(b'\t', line).is_none() {
                compact.extend_from_slice(line);
            } else {
                compact.extend(line.iter().filter(|byte| !is_space(**byte)));
            }
            let behind = &rest[end..];
            let next = behind.iter().position(|byte| !is_space(*byte));
            rest = &behind[next.unwrap_or(behind.len())..];
        }
        if compact.is_empty() {
            return Err(CertificateError::Empty);
        }
        let der = STANDARD
            .decode(compact)
            .map_err(|source| CertificateError::Base64 {
                source: Box::new(source),
            })?;
        if der.starts_with(b"-----BEGIN") {
            return Err(CertificateError::PemInside);
        }
        Self::from_der(der)
    }

    /// Reads the first `CERTIFICATE` of a PEM file, which is what consoles let people download.
    ///
    /// # Errors
    ///
    /// Fails when there is none, or what is in it is not one X.509 certificate.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        for section in Pem::iter_from_buffer(text.as_bytes()) {
            let section = section.map_err(|source| CertificateError::NotPem {
                source: Some(Box::new(source)),
            })?;
            if section.label == "CERTIFICATE" {
                return Self::from_der(section.contents);
            }
        }
        Err(CertificateError::NotPem { source: None })
    }

    /// Returns the certificate as DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Returns the certificate as PEM, in lines of 64 characters.
    #[must_use]
    pub fn pem(&self) -> String {
        let body = wrapped_base64(&self.der, 64);
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    }

    /// Returns the version: 3 for all but old or home-made certificates.
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

    /// Returns the serial number in upper-case hexadecimal, bytes apart by colons.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.names().serial
    }

    /// Returns the moment before which the certificate is not valid.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Returns the last moment at which the certificate is valid.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Returns the public key's kind and strength.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Returns the key with its algorithm, `SubjectPublicKeyInfo`, as DER.
    ///
    /// Two certificates of one key are equal in this and in nothing else.
    #[must_use]
    pub fn public_key_der(&self) -> &[u8] {
        &self.key_der
    }

    /// Gives the key with its algorithm away.
    pub(crate) fn into_public_key_der(self) -> Vec<u8> {
        self.key_der
    }

    /// Returns the object identifier of the algorithm that the certificate is signed with.
    #[must_use]
    pub fn signature_algorithm(&self) -> &str {
        &self.signature_algorithm
    }

    /// Returns whether the certificate may issue others (basic constraints).
    #[must_use]
    pub fn is_authority(&self) -> bool {
        self.is_authority
    }

    /// Returns whether the key may make signatures; a certificate without key usage allows it.
    #[must_use]
    pub fn may_sign(&self) -> bool {
        self.may_sign
    }

    /// Returns the SHA-256 fingerprint as consoles show it: `AB:CD:…`.
    #[must_use]
    pub fn fingerprint_sha256(&self) -> String {
        colon_hex(&Sha256::digest(&self.der))
    }

    /// Returns an RSA key's modulus, big-endian without leading zeros.
    pub(crate) fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    fn names(&self) -> &Names {
        self.names.get_or_init(|| {
            let (_, certificate) =
                X509Certificate::from_der(&self.der).expect("the same bytes were read before");
            Names {
                subject: certificate.subject().to_string(),
                issuer: certificate.issuer().to_string(),
                serial: colon_hex(certificate.raw_serial()),
            }
        })
    }
}

/// Everything else follows from the bytes.
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

/// The kind of a public key and how strong it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicKey {
    /// RSA.
    #[non_exhaustive]
    Rsa {
        /// Length of the modulus.
        bits: usize,
        /// The public exponent; `None` when it does not fit 64 bits.
        exponent: Option<u64>,
    },
    /// An elliptic curve.
    #[non_exhaustive]
    EllipticCurve {
        /// The curve's object identifier, such as `1.2.840.10045.3.1.7` for P-256.
        curve: String,
        /// Length of a coordinate.
        bits: usize,
    },
    /// DSA, which nothing should use any more.
    Dsa,
    /// Something else.
    #[non_exhaustive]
    Other {
        /// The algorithm's object identifier.
        algorithm: String,
    },
}

/// Why a certificate could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// There is no text.
    #[error("the certificate is empty")]
    Empty,
    /// The text has `-----BEGIN CERTIFICATE-----` around it, which XML may not have.
    #[error("the certificate is wrapped as PEM")]
    Pem,
    /// The text has no PEM section called `CERTIFICATE`, or it is broken.
    #[error("there is no certificate in PEM")]
    #[non_exhaustive]
    NotPem {
        /// What is wrong with a section, if there is one.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The text is base64 of PEM, which is base64 itself.
    #[error("the certificate is PEM encoded in base64 once more")]
    PemInside,
    /// The text is not base64.
    #[error("the certificate is not base64")]
    #[non_exhaustive]
    Base64 {
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The bytes are not a certificate.
    #[error("the bytes are not an X.509 certificate")]
    #[non_exhaustive]
    NotACertificate {
        /// What is wrong with them.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something follows the certificate.
    #[error("{count} bytes follow the certificate")]
    #[non_exhaustive]
    TrailingBytes {
        /// How many bytes.
        count: usize,
    },
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

/// Returns what an extension holds, if the certificate has it once.
fn extension<'a>(certificate: &X509Certificate<'a>, oid: &Oid<'_>) -> Option<&'a [u8]> {
    let extension = certificate.get_extension_unique(oid).ok().flatten()?;
    Some(extension.value)
}

/// The identifiers that nearly all certificates have, and how they are written.
const USUAL: [(Oid<'static>, &str); 9] = [
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

/// Writes an object identifier, without doing sums for the usual ones.
fn identifier(oid: &Oid<'_>) -> Cow<'static, str> {
    match USUAL.iter().find(|(usual, _)| usual == oid) {
        Some((_, text)) => Cow::Borrowed(text),
        None => Cow::Owned(oid.to_id_string()),
    }
}

/// Turns a certificate's date into a timestamp; years beyond 9999 become the last moment.
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
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

/// Writes base64 in lines, without a line end behind the last.
pub(crate) fn wrapped_base64(bytes: &[u8], width: usize) -> String {
    let text = STANDARD.encode(bytes);
    let mut lines = String::with_capacity(text.len() + text.len() / width);
    let mut rest = text.as_str();
    while rest.len() > width {
        let (line, behind) = rest.split_at(width);
        lines.push_str(line);
        lines.push('\n');
        rest = behind;
    }
    lines + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_identifiers_are_written_as_the_sums_would_write_them() {
        for (oid, text) in USUAL {
            assert_eq!(oid.to_id_string(), text);
        }
    }
}
