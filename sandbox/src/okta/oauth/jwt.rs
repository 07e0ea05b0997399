//! Signed JSON Web Tokens (RFC 7519), as client assertions and DPoP proofs use them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, dangerous, jwk::Jwk};
use serde_json::Value;

/// The algorithms that Okta documents for assertions and proofs, except ES512, which the JOSE crate does not know.
const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::ES256,
    Algorithm::ES384,
];

/// A parsed token. Its signature is not verified yet.
pub(super) struct Jwt<'a> {
    text: &'a str,
    pub(super) header: Header,
    claims: Value,
}

impl<'a> Jwt<'a> {
    /// Parses a token in compact form. Returns `None` if it is none or has an algorithm that Okta does not accept.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let token = dangerous::insecure_decode::<Value>(text).ok()?;
        ALGORITHMS.contains(&token.header.alg).then_some(Self {
            text,
            header: token.header,
            claims: token.claims,
        })
    }

    /// Returns whether the owner of this key signed the token.
    pub(super) fn is_signed_by(&self, key: &Jwk) -> bool {
        let mut validation = Validation::new(self.header.alg);
        // The claims are compared with the sandbox's clock, and with errors of Okta.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        DecodingKey::from_jwk(key)
            .and_then(|key| jsonwebtoken::decode::<Value>(self.text, &key, &validation))
            .is_ok()
    }

    /// Returns a claim that is a text.
    pub(super) fn text(&self, claim: &str) -> Option<&str> {
        self.claims[claim].as_str()
    }

    /// Returns a claim that is a time in seconds.
    pub(super) fn time(&self, claim: &str) -> Option<Timestamp> {
        Timestamp::from_second(self.claims[claim].as_i64()?).ok()
    }

    /// Returns whether a claim that is a text or a list of texts contains this text.
    pub(super) fn contains(&self, claim: &str, text: &str) -> bool {
        match &self.claims[claim] {
            Value::Array(texts) => texts.iter().any(|each| each == text),
            other => other == text,
        }
    }

    /// Returns the member `jwk` of the header as sent, with the members that the parsed header drops.
    pub(super) fn raw_jwk(&self) -> Value {
        let header = self.text.split('.').next().unwrap_or_default();
        let header = URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
        let header: Value = serde_json::from_slice(&header).unwrap_or_default();
        header["jwk"].clone()
    }
}
