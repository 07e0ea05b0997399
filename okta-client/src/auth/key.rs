//! Private keys that sign assertions and proofs.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    rand::{self, SystemRandom},
    rsa,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _,
        RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaEncoding,
    },
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rest_core::Secret;
use rustls_pki_types::{PrivateKeyDer, pem::PemObject as _};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::jwk::PrivateJwk;

/// The private key of a service app.
///
/// It holds an RSA key of 2048 bits or more, or an EC key on the curve P-256, P-384 or P-521. The key
/// stays inside the cryptographic library, which overwrites its memory, and `Debug` output does not
/// contain it. Clones share the key.
///
/// ```no_run
/// # use okta_client::{PrivateKey, Secret};
/// # fn f(pem: String) -> Result<(), okta_client::KeyError> {
/// let key = PrivateKey::parse(&Secret::new(pem))?.with_key_id("kid-of-the-public-key");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct PrivateKey {
    pair: Arc<Pair>,
    algorithm: SigningAlgorithm,
    key_id: Option<String>,
}

enum Pair {
    Rsa(rsa::KeyPair),
    Ec(EcdsaKeyPair),
}

impl PrivateKey {
    /// Reads a key from its text: PEM (PKCS#8, PKCS#1 or SEC 1, not encrypted) or a JWK.
    ///
    /// Line breaks of a PEM text may be written as `\n`, as in an environment variable. The algorithm
    /// is derived from the key: `RS256` for RSA, `ES256`, `ES384` or `ES512` for EC. The members `kid`
    /// and `alg` of a JWK are used.
    ///
    /// # Errors
    ///
    /// Fails if the text is no private key, or one that Okta does not accept. The error never contains
    /// the text.
    pub fn parse(text: &Secret) -> Result<Self, KeyError> {
        let text = text.expose().trim();
        if text.starts_with('{') {
            return PrivateJwk::parse(text)?.into_key();
        }
        if !text.starts_with("-----BEGIN ") {
            return Err(KeyError::Format);
        }
        let text = Zeroizing::new(text.replace("\\n", "\n"));
        for (marker, error) in [
            ("ENCRYPTED", KeyError::Encrypted),
            ("-----BEGIN PUBLIC KEY", KeyError::Public),
            ("-----BEGIN CERTIFICATE", KeyError::Public),
        ] {
            if text.contains(marker) {
                return Err(error);
            }
        }
        // The parser's error could repeat a part of the text.
        let der =
            PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_pem| KeyError::Format)?;
        Self::from_der(&der)
    }

    fn from_der(der: &PrivateKeyDer<'_>) -> Result<Self, KeyError> {
        let der = der.secret_der();
        let rsa = rsa::KeyPair::from_pkcs8(der).or_else(|_| rsa::KeyPair::from_der(der));
        if let Ok(pair) = rsa {
            return Ok(Self::rsa(pair));
        }
        let curves = [
            SigningAlgorithm::Es256,
            SigningAlgorithm::Es384,
            SigningAlgorithm::Es512,
        ];
        curves
            .into_iter()
            .find_map(|algorithm| {
                let curve = algorithm.curve()?;
                let pair = EcdsaKeyPair::from_private_key_der(curve, der).ok()?;
                Some(Self::ec(pair, algorithm))
            })
            .ok_or(KeyError::Unsupported)
    }

    pub(super) fn rsa(pair: rsa::KeyPair) -> Self {
        Self {
            pair: Arc::new(Pair::Rsa(pair)),
            algorithm: SigningAlgorithm::Rs256,
            key_id: None,
        }
    }

    pub(super) fn ec(pair: EcdsaKeyPair, algorithm: SigningAlgorithm) -> Self {
        Self {
            pair: Arc::new(Pair::Ec(pair)),
            algorithm,
            key_id: None,
        }
    }

    /// Returns a new key on the curve P-256, from the random numbers of the operating system.
    pub(super) fn generate() -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_unspecified| KeyError::Unsupported)?;
        Ok(Self::ec(pair, SigningAlgorithm::Es256))
    }

    /// Sets the id of the key in Okta (`kid`; default: the one of the JWK, or none). Okta needs it if
    /// the service app has more than one key.
    #[must_use]
    pub fn with_key_id(mut self, key_id: impl Into<String>) -> Self {
        self.key_id = Some(key_id.into());
        self
    }

    /// Sets the algorithm of the signatures.
    ///
    /// # Errors
    ///
    /// Fails if the key cannot sign with `algorithm`: an RSA key signs with `RS256`, `RS384` and
    /// `RS512`, and an EC key only with the algorithm of its curve.
    pub fn with_algorithm(mut self, algorithm: SigningAlgorithm) -> Result<Self, KeyError> {
        let fits = match &*self.pair {
            Pair::Rsa(_) => algorithm.rsa().is_some(),
            Pair::Ec(_) => algorithm == self.algorithm,
        };
        if !fits {
            return Err(KeyError::Algorithm {
                algorithm,
                default: self.algorithm,
            });
        }
        self.algorithm = algorithm;
        Ok(self)
    }

    /// Returns the algorithm of the signatures.
    #[must_use]
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// Returns the id of the key in Okta, if it is known.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Returns the public key as a JWK, or `None` for an RSA key.
    pub(super) fn public_ec_jwk(&self) -> Option<Value> {
        let Pair::Ec(pair) = &*self.pair else {
            return None;
        };
        // SEC 1, section 2.3.3: 0x04, then two coordinates of one length.
        let (_, point) = pair.public_key().as_ref().split_first()?;
        let (x, y) = point.split_at(point.len() / 2);
        let crv = match self.algorithm {
            SigningAlgorithm::Es384 => "P-384",
            SigningAlgorithm::Es512 => "P-521",
            _ => "P-256",
        };
        Some(json!({ "kty": "EC", "crv": crv, "x": base64(x), "y": base64(y) }))
    }

    /// Returns a JWT in the compact serialization of a JWS (RFC 7515, section 7.1).
    ///
    /// `jsonwebtoken` signs with a provider that each program chooses once for all its crates. A
    /// library cannot rely on it: signing panics if another crate enables a second provider.
    pub(super) fn sign(&self, header: &Value, claims: &Value) -> Result<Secret, KeyError> {
        let message = format!(
            "{}.{}",
            base64(header.to_string().as_bytes()),
            base64(claims.to_string().as_bytes())
        );
        let rng = SystemRandom::new();
        let signature = match &*self.pair {
            Pair::Rsa(pair) => {
                let encoding = self.algorithm.rsa().ok_or(KeyError::Unsupported)?;
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &rng, message.as_bytes(), &mut signature)
                    .map(|()| signature)
            }
            Pair::Ec(pair) => pair
                .sign(&rng, message.as_bytes())
                .map(|signature| signature.as_ref().to_vec()),
        };
        let signature = signature.map_err(|_unspecified| KeyError::Unsupported)?;
        Ok(Secret::new(format!("{message}.{}", base64(&signature))))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// An algorithm for the signatures of a service app (RFC 7518, section 3.1), as Okta supports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SigningAlgorithm {
    /// RSA with SHA-256, the default of an RSA key.
    Rs256,
    /// RSA with SHA-384.
    Rs384,
    /// RSA with SHA-512.
    Rs512,
    /// ECDSA on the curve P-256 with SHA-256.
    Es256,
    /// ECDSA on the curve P-384 with SHA-384.
    Es384,
    /// ECDSA on the curve P-521 with SHA-512.
    Es512,
}

impl SigningAlgorithm {
    /// Returns the name in a JWT, such as `RS256`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
        }
    }

    /// Returns the algorithm with this name in a JWT.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        [
            Self::Rs256,
            Self::Rs384,
            Self::Rs512,
            Self::Es256,
            Self::Es384,
            Self::Es512,
        ]
        .into_iter()
        .find(|algorithm| algorithm.as_str() == name)
    }

    pub(super) fn curve(self) -> Option<&'static EcdsaSigningAlgorithm> {
        Some(match self {
            Self::Es256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
            Self::Es384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
            Self::Es512 => &ECDSA_P521_SHA512_FIXED_SIGNING,
            Self::Rs256 | Self::Rs384 | Self::Rs512 => return None,
        })
    }

    fn rsa(self) -> Option<&'static dyn RsaEncoding> {
        Some(match self {
            Self::Rs256 => &RSA_PKCS1_SHA256,
            Self::Rs384 => &RSA_PKCS1_SHA384,
            Self::Rs512 => &RSA_PKCS1_SHA512,
            Self::Es256 | Self::Es384 | Self::Es512 => return None,
        })
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error of a text that is no usable private key. It never contains a part of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is neither PEM nor a JWK.
    #[error(
        "the private key is neither PEM (`-----BEGIN PRIVATE KEY-----`) nor a JWK (`{{\"kty\": …}}`)"
    )]
    Format,
    /// The key is encrypted with a password.
    #[error(
        "the private key is encrypted: decrypt it first, for example with `openssl pkcs8 -in KEY.pem`"
    )]
    Encrypted,
    /// The text is a public key or a certificate.
    #[error("the key is public: pass the private key that belongs to it")]
    Public,
    /// A JWK lacks a member, or has one that is not valid.
    #[error("the JWK has no valid `{member}`: export the private key again with all its members")]
    #[non_exhaustive]
    Jwk {
        /// The name of the member.
        member: &'static str,
    },
    /// The key is damaged, or is none that Okta accepts.
    #[error(
        "the private key is damaged or of another kind: Okta accepts RSA keys of at least 2048 bits, and EC keys on P-256, P-384 and P-521"
    )]
    Unsupported,
    /// The key cannot sign with the algorithm.
    #[error("the private key cannot sign with {algorithm}: its default is {default}")]
    #[non_exhaustive]
    Algorithm {
        /// The algorithm that was asked for.
        algorithm: SigningAlgorithm,
        /// The algorithm that is derived from the key.
        default: SigningAlgorithm,
    },
}

pub(super) fn base64(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns a new value for the claim `jti`, with 128 random bits.
pub(super) fn new_jti() -> Result<String, KeyError> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_unspecified| KeyError::Unsupported)?;
    Ok(base64(&bytes))
}
