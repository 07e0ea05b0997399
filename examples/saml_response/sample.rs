//! Sample responses with a fixed time, signed with a new key.

use std::error::Error;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use okta_aws_sso::{
    saml::{Certificate, Document, write::IdpMetadata},
    saml_response::Expectations,
};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use samael::crypto::{Crypto, CryptoProvider as _};

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
        let signed = Crypto::sign_xml(with_signature_template(response), &key.serialize_der())?;
        Ok(Self {
            form_value: STANDARD.encode(signed),
            metadata,
            expectations,
        })
    }
}

/// Inserts a signature template after the issuer of the assertion. xmlsec1 fills it in.
fn with_signature_template(response: &str) -> String {
    const ISSUER_END: &str = "</saml2:Issuer><saml2:Subject>";
    const SIGNATURE: &str = "</saml2:Issuer>\
        <ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>\
        <ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>\
        <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>\
        <ds:Reference URI=\"#id2\"><ds:Transforms>\
        <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>\
        <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/></ds:Transforms>\
        <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestValue/>\
        </ds:Reference></ds:SignedInfo><ds:SignatureValue/></ds:Signature><saml2:Subject>";
    response.replace(ISSUER_END, SIGNATURE)
}
