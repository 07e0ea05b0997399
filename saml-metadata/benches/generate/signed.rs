//! Signs metadata with RSA-SHA256, and creates the corresponding verifier.

use saml_metadata::{
    read,
    signature::{Signer, SigningKey, Verifier, VerifyingKey},
};

const KEY: &str = include_str!("../../tests/fixtures/signature/rsa.key.pem");
const CERTIFICATE: &str = include_str!("../../tests/fixtures/signature/rsa.cert.pem");

/// Signs a document.
pub(crate) fn sign(bytes: &[u8]) -> Vec<u8> {
    let key = SigningKey::from_pkcs8_pem(KEY).expect("a key");
    let document = read(bytes).expect("a document");
    let signed = Signer::new(&key).sign(&document).expect("signed");
    signed.bytes().to_vec()
}

/// Returns a verifier that trusts the key.
pub(crate) fn verifier() -> Verifier {
    Verifier::new([VerifyingKey::from_pem(CERTIFICATE).expect("a key")])
}
