//! Private keys as JWKs (RFC 7517, RFC 7518 section 6).

use aws_lc_rs::{
    rsa::{self, KeyPairComponents},
    signature::{EcdsaKeyPair, RsaPublicKeyComponents},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{KeyError, PrivateKey, SigningAlgorithm};

/// The members of a JWK. Their texts are overwritten when it is dropped.
pub(super) struct PrivateJwk(Vec<(String, Zeroizing<String>)>);

impl PrivateJwk {
    /// Reads the members of a JWK that are strings.
    pub(super) fn parse(text: &str) -> Result<Self, KeyError> {
        // The parser's error could repeat a part of the text.
        let Ok(Value::Object(members)) = serde_json::from_str(text) else {
            return Err(KeyError::Format);
        };
        let texts = members.into_iter().filter_map(|(name, value)| match value {
            Value::String(text) => Some((name, Zeroizing::new(text))),
            _ => None,
        });
        Ok(Self(texts.collect()))
    }

    pub(super) fn into_key(self) -> Result<PrivateKey, KeyError> {
        let mut key = match self.text("kty") {
            Some("RSA") => self.rsa()?,
            Some("EC") => self.ec()?,
            _ => return Err(KeyError::Jwk { member: "kty" }),
        };
        if let Some(name) = self.text("alg") {
            let algorithm =
                SigningAlgorithm::from_name(name).ok_or(KeyError::Jwk { member: "alg" })?;
            key = key.with_algorithm(algorithm)?;
        }
        Ok(match self.text("kid") {
            Some(key_id) => key.with_key_id(key_id),
            None => key,
        })
    }

    #[expect(
        clippy::many_single_char_names,
        reason = "the names of RFC 7518, section 6.3"
    )]
    fn rsa(&self) -> Result<PrivateKey, KeyError> {
        if self.text("d").is_none() {
            return Err(KeyError::Public);
        }
        let (n, e) = (self.number("n")?, self.number("e")?);
        let (d, p, q) = (self.number("d")?, self.number("p")?, self.number("q")?);
        let (dp, dq, qi) = (self.number("dp")?, self.number("dq")?, self.number("qi")?);
        let components = KeyPairComponents {
            public_key: RsaPublicKeyComponents { n: &*n, e: &*e },
            d: &*d,
            p: &*p,
            q: &*q,
            dP: &*dp,
            dQ: &*dq,
            qInv: &*qi,
        };
        rsa::KeyPair::from_components(&components)
            .map(PrivateKey::rsa)
            .map_err(|_rejected| KeyError::Unsupported)
    }

    fn ec(&self) -> Result<PrivateKey, KeyError> {
        if self.text("d").is_none() {
            return Err(KeyError::Public);
        }
        let (algorithm, length) = match self.text("crv") {
            Some("P-256") => (SigningAlgorithm::Es256, 32),
            Some("P-384") => (SigningAlgorithm::Es384, 48),
            Some("P-521") => (SigningAlgorithm::Es512, 66),
            _ => return Err(KeyError::Jwk { member: "crv" }),
        };
        let [d, x, y] = [
            ("d", self.number("d")?),
            ("x", self.number("x")?),
            ("y", self.number("y")?),
        ]
        .map(|(member, number)| padded(member, &number, length));
        let point = [&[4][..], &x?, &y?].concat();
        let curve = algorithm.curve().ok_or(KeyError::Unsupported)?;
        EcdsaKeyPair::from_private_key_and_public_key(curve, &d?, &point)
            .map(|pair| PrivateKey::ec(pair, algorithm))
            .map_err(|_rejected| KeyError::Unsupported)
    }

    fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, text)| text.as_str())
    }

    /// Returns a number in base64url, without leading zero bytes.
    fn number(&self, member: &'static str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let invalid = KeyError::Jwk { member };
        // People break long lines when they paste a key.
        let text: Zeroizing<String> = Zeroizing::new(
            self.text(member)
                .ok_or_else(|| invalid.clone())?
                .split_whitespace()
                .collect(),
        );
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
        let bytes = Zeroizing::new(bytes.map_err(|_not_base64| invalid.clone())?);
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        if zeros == bytes.len() {
            return Err(invalid);
        }
        Ok(Zeroizing::new(bytes[zeros..].to_vec()))
    }
}

/// Returns a number as big-endian bytes of the length that its curve has.
fn padded(
    member: &'static str,
    number: &[u8],
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let zeros = length
        .checked_sub(number.len())
        .ok_or(KeyError::Jwk { member })?;
    let mut bytes = Zeroizing::new(vec![0; length]);
    bytes[zeros..].copy_from_slice(number);
    Ok(bytes)
}
