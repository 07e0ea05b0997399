//! Service apps: OAuth clients with a key pair, which get access tokens for themselves.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};
use serde::Deserialize as _;
use serde_json::{Value, json};
use x509_parser::asn1_rs::{Any, FromDer as _, Sequence};

use super::Rights;
use crate::{okta::id_generator::IdGenerator, secret::Hidden};

/// A service app of the Okta org: an API Services integration in the Admin Console.
///
/// The app gets its access tokens with `private_key_jwt`. By default it has a generated ES256 key and requires
/// DPoP, as Okta's new apps do.
///
/// ```
/// use okta_aws_sandbox::ServiceApp;
///
/// let app = ServiceApp::new("Automation", ["okta.users.read", "okta.groups.read"]).dpop(false);
/// ```
#[derive(Clone, Debug)]
#[must_use = "an app does nothing until it is added to a builder"]
pub struct ServiceApp {
    name: String,
    scopes: BTreeSet<String>,
    requires_dpop: bool,
    rights: Rights,
    key: KeyType,
    public_keys: Vec<Jwk>,
}

/// The type of the key that the sandbox generates for an app.
#[derive(Clone, Copy, Debug)]
enum KeyType {
    Es256,
    Rs256,
}

impl ServiceApp {
    /// Describes an app that is granted these scopes, such as `okta.users.read`.
    pub fn new<S: Into<String>>(
        name: impl Into<String>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        Self {
            name: name.into(),
            scopes: scopes.into_iter().map(Into::into).collect(),
            requires_dpop: true,
            rights: Rights::default(),
            key: KeyType::Es256,
            public_keys: Vec::new(),
        }
    }

    /// Describes an app that is granted the scopes of all operations that the sandbox knows.
    pub fn with_all_scopes(name: impl Into<String>) -> Self {
        Self::new(name, super::scopes::all())
    }

    /// Sets whether token requests need a DPoP proof; default: true.
    pub fn dpop(mut self, required: bool) -> Self {
        self.requires_dpop = required;
        self
    }

    /// Limits the admin role of the app to the operations of these scopes; default: all rights.
    ///
    /// A call needs both a scope and the role. Okta refuses a call without the role with `E0000006`.
    pub fn admin_role<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.rights = Rights::of(scopes);
        self
    }

    /// Generates an RSA key of 2,048 bits for RS256 instead of an ES256 key.
    pub fn rsa_key(mut self) -> Self {
        self.key = KeyType::Rs256;
        self
    }

    /// Registers one more public key, as a JWK in JSON.
    ///
    /// The client assertions of an app with several keys must have a `kid`.
    ///
    /// # Panics
    ///
    /// Panics if the text is not an RSA or EC key as a JWK.
    pub fn public_key(mut self, jwk: &str) -> Self {
        let jwk = serde_json::from_str(jwk).expect("an RSA or EC key as a JWK");
        self.public_keys.push(jwk);
        self
    }
}

/// The credentials of a service app.
#[derive(Clone, Debug)]
pub struct ServiceAppCredentials {
    client_id: String,
    private_key: Hidden,
    scopes: Vec<String>,
}

impl ServiceAppCredentials {
    /// Returns the client id of the app.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Returns the generated private key, as a JWK in JSON with a `kid`.
    #[must_use]
    pub fn private_key(&self) -> &str {
        &self.private_key
    }

    /// Returns the scopes that are granted to the app.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }
}

/// A registered service app.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) name: String,
    private_key: Hidden,
    pub(super) scopes: BTreeSet<String>,
    pub(super) requires_dpop: bool,
    pub(super) rights: Rights,
    pub(super) keys: Vec<Jwk>,
}

impl Client {
    pub(super) fn new(app: ServiceApp, ids: &mut IdGenerator) -> Self {
        let (private, public) = app.key.jwks(&app.key.generate());
        let mut keys = app.public_keys;
        keys.push(public);
        Self {
            id: ids.id("0oa"),
            name: app.name,
            private_key: private.to_string().into(),
            scopes: app.scopes,
            requires_dpop: app.requires_dpop,
            rights: app.rights,
            keys,
        }
    }

    pub(super) fn credentials(&self) -> ServiceAppCredentials {
        ServiceAppCredentials {
            client_id: self.id.clone(),
            private_key: self.private_key.clone(),
            scopes: self.scopes.iter().cloned().collect(),
        }
    }
}

impl KeyType {
    fn generate(self) -> KeyPair {
        let algorithm = match self {
            Self::Es256 => &PKCS_ECDSA_P256_SHA256,
            Self::Rs256 => &PKCS_RSA_SHA256,
        };
        KeyPair::generate_for(algorithm).expect("a key can be generated")
    }

    /// Returns a key of this type as a private and as a public JWK. The thumbprint is the `kid`.
    fn jwks(self, pair: &KeyPair) -> (Value, Jwk) {
        let (algorithm, members) = match self {
            Self::Es256 => ("ES256", ec_members(pair)),
            Self::Rs256 => ("RS256", rsa_members(pair)),
        };
        let mut private = members.expect("the generated key is PKCS #8");
        let public = |jwk: &Value| Jwk::deserialize(jwk).expect("the members of a JWK");
        let kid = public(&private).thumbprint(ThumbprintHash::SHA256);
        private["kid"] = kid.into();
        private["alg"] = algorithm.into();
        private["use"] = "sig".into();
        let public = public(&private);
        (private, public)
    }
}

/// Returns the members of a P-256 key (RFC 7518 6.2).
fn ec_members(pair: &KeyPair) -> Option<Value> {
    // The public key is an uncompressed point: a byte 4, then both coordinates (SEC 1, 2.3.3).
    let (x, y) = pair.public_key_raw().get(1..)?.split_at_checked(32)?;
    let fields = sequence(&private_key_info(pair)?)?;
    let secret = fields.get(1)?;
    Some(json!({ "kty": "EC", "crv": "P-256", "x": b64(x), "y": b64(y), "d": b64(secret) }))
}

/// Returns the members of an RSA key (RFC 7518 6.3): the numbers of `RSAPrivateKey` after its version (RFC 8017 A.1.2).
fn rsa_members(pair: &KeyPair) -> Option<Value> {
    const NAMES: [&str; 8] = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];
    let fields = sequence(&private_key_info(pair)?)?;
    let mut members = json!({ "kty": "RSA" });
    for (name, number) in NAMES.iter().zip(fields.get(1..)?) {
        let start = number.iter().position(|byte| *byte != 0)?;
        members[*name] = b64(&number[start..]).into();
    }
    Some(members)
}

/// Returns the key inside of PKCS #8 (RFC 5958 2): the octets after the version and the algorithm.
fn private_key_info(pair: &KeyPair) -> Option<Vec<u8>> {
    sequence(pair.serialized_der())?.into_iter().nth(2)
}

/// Returns the contents of the elements of a DER sequence.
fn sequence(der: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (_, sequence) = Sequence::from_der(der).ok()?;
    let mut rest: &[u8] = &sequence.content;
    let mut elements = Vec::new();
    while !rest.is_empty() {
        let (after, element) = Any::from_der(rest).ok()?;
        elements.push(element.data.to_vec());
        rest = after;
    }
    Some(elements)
}

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use rcgen::SigningKey as _;

    use super::{super::jwt::Jwt, *};

    #[test]
    fn a_generated_rsa_key_has_all_members_and_verifies_its_signatures() {
        let pair = KeyType::Rs256.generate();
        let (private, public) = KeyType::Rs256.jwks(&pair);
        let lengths = ["n", "e", "d", "p", "q", "dp", "dq", "qi"].map(|name| {
            let member = private[name].as_str().expect("a member");
            URL_SAFE_NO_PAD.decode(member).expect("base64url").len()
        });
        assert_eq!((lengths[0], lengths[1]), (256, 3));
        assert!(
            lengths[2..]
                .iter()
                .all(|length| (120..=256).contains(length))
        );
        let message = format!("{}.{}", b64(br#"{"alg":"RS256"}"#), b64(b"{}"));
        let signature = pair.sign(message.as_bytes()).expect("a signature");
        let token = format!("{message}.{}", b64(&signature));
        let other = KeyType::Rs256.jwks(&KeyType::Rs256.generate()).1;
        let jwt = Jwt::parse(&token).expect("a token");
        assert!(jwt.is_signed_by(&public));
        assert!(!jwt.is_signed_by(&other));
    }
}
