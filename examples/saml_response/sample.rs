//! Sample responses with a fixed time, signed with a new key.

use std::error::Error;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use okta_aws_sso::{
    saml::{
        Certificate, Document, read,
        signature::{Signer, SigningKey},
        write::IdpMetadata,
    },
    saml_response::Expectations,
};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};

/// A response as Okta posts it, without the signature.
const RESPONSE: &str = include_str!("response.xml");
const ACS_URL: &str = "https://eu-central-1.signin.aws/platform/saml/acs/0a1b2c3d";
const ISSUER_URL: &str = "https://eu-central-1.signin.aws.amazon.com/platform/saml/d-9067000000";
/// The issuer URL of another instance. An app that was copied may still have such a URL.
const OTHER_ISSUER_URL: &str = "https://us-east-1.signin.aws.amazon.com/platform/saml/d-9067999999";

/// A response with the metadata of its identity provider and AWS's expectations.
pub(crate) struct Sample {
    /// The response as the value of the form field `SAMLResponse`.
    pub(crate) form_value: String,
    pub(crate) metadata: Document,
    pub(crate) expectations: Expectations,
}

impl Sample {
    /// Returns a response that AWS accepts.
    pub(crate) fn valid() -> Result<Self, Box<dyn Error>> {
        Self::sign(RESPONSE)
    }

    /// Returns a response for another instance of Identity Center.
    pub(crate) fn for_another_instance() -> Result<Self, Box<dyn Error>> {
        Self::sign(&RESPONSE.replace(ISSUER_URL, OTHER_ISSUER_URL))
    }

    fn sign(response: &str) -> Result<Self, Box<dyn Error>> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        let certificate = CertificateParams::new([])?.self_signed(&key)?;
        let metadata = IdpMetadata::new("http://www.okta.com/exk1")
            .single_sign_on_service(
                "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
                "https://acme.okta.com/app/amazon_aws_sso/exk1/sso/saml",
            )
            .signing_certificate(&Certificate::from_der(certificate.der().to_vec())?)
            .build()?;
        let expectations = Expectations::new(ACS_URL, ISSUER_URL, "2026-11-24T12:00:05Z".parse()?)
            .user_name("ada.lovelace@example.com");
        let certificate = Certificate::from_der(certificate.der().to_vec())?;
        let signing_key = SigningKey::from_pkcs8_der(&key.serialize_der())?;
        let response = read(response.as_bytes())?;
        let assertion = response.root().children().last();
        let signed = Signer::new(&signing_key)
            .certificate(&certificate)
            .sign_element(assertion.ok_or("the sample has no assertion")?)?;
        Ok(Self {
            form_value: STANDARD.encode(signed.bytes()),
            metadata,
            expectations,
        })
    }
}
