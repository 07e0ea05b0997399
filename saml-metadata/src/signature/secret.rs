//! Private keys for signing.

use std::fmt;

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    rsa::KeyPair as RsaKeyPair,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _,
        RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
        RSA_PSS_SHA512, RsaEncoding,
    },
};
use zeroize::Zeroizing;

use super::{
    algorithm::{KeyKind, SignatureAlgorithm},
    key::{KeyError, VerifyingKey, pem_section},
};
use crate::model::certificate::file_text;

/// A private key for signing.
///
/// The bytes are wiped from memory when the key is dropped and are never printed; `Debug` prints the
/// kind of key.
pub struct SigningKey {
    pkcs8: Zeroizing<Vec<u8>>,
    public: VerifyingKey,
}

impl SigningKey {
    /// Reads a private key from PKCS #8 in PEM, `PRIVATE KEY`.
    ///
    /// # Errors
    ///
    /// Fails if there is no such section, if the key is encrypted or in an older format, or if
    /// [`from_pkcs8_der`](Self::from_pkcs8_der) does not accept the key.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, KeyError> {
        match pem_section(pem, "PRIVATE KEY") {
            Some(der) => Self::from_pkcs8_der(&der?),
            None if pem.contains("PRIVATE KEY-----") => Err(KeyError::NotPkcs8),
            None => Err(KeyError::Pem {
                expected: "PRIVATE KEY",
            }),
        }
    }

    /// Reads a private key from a file with PKCS #8 in PEM or DER.
    ///
    /// # Errors
    ///
    /// Fails as [`from_pkcs8_pem`](Self::from_pkcs8_pem) and
    /// [`from_pkcs8_der`](Self::from_pkcs8_der) do.
    pub fn from_file(bytes: &[u8]) -> Result<Self, KeyError> {
        match file_text(bytes) {
            Some(text) => Self::from_pkcs8_pem(text),
            None => Self::from_pkcs8_der(bytes),
        }
    }

    /// Reads a private key from PKCS #8 in DER.
    ///
    /// # Errors
    ///
    /// Fails if the key is neither RSA of 2048 to 8192 bits nor on P-256, P-384 or P-521, or if an RSA
    /// key is in the older format PKCS #1.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        let pkcs8 = Zeroizing::new(der.to_vec());
        let public = if let Ok(pair) = RsaKeyPair::from_pkcs8(&pkcs8) {
            pair.public_key()
                .as_der()
                .ok()
                .map(|der| der.as_ref().to_vec())
        } else {
            [
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                &ECDSA_P384_SHA384_FIXED_SIGNING,
                &ECDSA_P521_SHA512_FIXED_SIGNING,
            ]
            .into_iter()
            .find_map(|curve| EcdsaKeyPair::from_pkcs8(curve, &pkcs8).ok())
            .and_then(|pair| pair.public_key().as_der().ok())
            .map(|der| der.as_ref().to_vec())
        };
        let Some(public) = public else {
            let is_pkcs1 = RsaKeyPair::from_der(&pkcs8).is_ok();
            return Err(if is_pkcs1 {
                KeyError::NotPkcs8
            } else {
                KeyError::Kind
            });
        };
        let public = VerifyingKey::from_public_key_der(&public)?;
        Ok(Self { pkcs8, public })
    }

    /// Returns the corresponding public key.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    /// Returns the default algorithm: the algorithm with the shortest digest.
    pub(super) fn default_algorithm(&self) -> SignatureAlgorithm {
        match self.public.kind() {
            KeyKind::Rsa => SignatureAlgorithm::RsaSha256,
            KeyKind::P256 => SignatureAlgorithm::EcdsaP256Sha256,
            KeyKind::P384 => SignatureAlgorithm::EcdsaP384Sha384,
            KeyKind::P521 => SignatureAlgorithm::EcdsaP521Sha512,
        }
    }

    /// Signs a message; returns `None` if the key does not fit the algorithm.
    pub(super) fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        let rsa = |encoding: &'static dyn RsaEncoding| {
            let pair = RsaKeyPair::from_pkcs8(&self.pkcs8).ok()?;
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(encoding, &random, message, &mut signature).ok()?;
            Some(signature)
        };
        let ecdsa = |curve: &'static EcdsaSigningAlgorithm| {
            let pair = EcdsaKeyPair::from_pkcs8(curve, &self.pkcs8).ok()?;
            let signature = pair.sign(&random, message).ok()?;
            Some(signature.as_ref().to_vec())
        };
        match algorithm {
            SignatureAlgorithm::RsaSha256 => rsa(&RSA_PKCS1_SHA256),
            SignatureAlgorithm::RsaSha384 => rsa(&RSA_PKCS1_SHA384),
            SignatureAlgorithm::RsaSha512 => rsa(&RSA_PKCS1_SHA512),
            SignatureAlgorithm::RsaPssSha256 => rsa(&RSA_PSS_SHA256),
            SignatureAlgorithm::RsaPssSha384 => rsa(&RSA_PSS_SHA384),
            SignatureAlgorithm::RsaPssSha512 => rsa(&RSA_PSS_SHA512),
            SignatureAlgorithm::EcdsaP256Sha256 => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
            SignatureAlgorithm::EcdsaP384Sha384 => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING),
            SignatureAlgorithm::EcdsaP521Sha512 => ecdsa(&ECDSA_P521_SHA512_FIXED_SIGNING),
            SignatureAlgorithm::RsaSha1 => None,
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?}, ..)", self.public.kind())
    }
}
