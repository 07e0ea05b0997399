//! Builder for the metadata of an identity provider.

use jiff::Timestamp;

use super::{BuildError, Entity, Organization, endpoints, entity_setters, keys, texts};
use crate::{Document, names::protocol};

/// Builder for the metadata of an identity provider, with the same structure as Okta's metadata.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct IdpMetadata {
    entity: Entity,
    want_authn_requests_signed: bool,
    certificates: Vec<(&'static str, Vec<u8>)>,
    single_logout_services: Vec<(String, String)>,
    name_id_formats: Vec<String>,
    single_sign_on_services: Vec<(String, String)>,
}

impl IdpMetadata {
    /// Creates a builder with an entityID.
    pub fn new(entity_id: impl Into<String>) -> Self {
        Self {
            entity: Entity::new(entity_id.into()),
            want_authn_requests_signed: false,
            certificates: Vec::new(),
            single_logout_services: Vec::new(),
            name_id_formats: Vec::new(),
            single_sign_on_services: Vec::new(),
        }
    }

    /// Adds a `SingleSignOnService`; at least one is required.
    pub fn single_sign_on_service(
        mut self,
        binding: impl Into<String>,
        location: impl Into<String>,
    ) -> Self {
        let service = (binding.into(), location.into());
        self.single_sign_on_services.push(service);
        self
    }

    /// Adds a `SingleLogoutService`.
    pub fn single_logout_service(
        mut self,
        binding: impl Into<String>,
        location: impl Into<String>,
    ) -> Self {
        let service = (binding.into(), location.into());
        self.single_logout_services.push(service);
        self
    }

    /// Adds the certificate of a signing key, as DER.
    pub fn signing_certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.certificates.push(("signing", der.into()));
        self
    }

    /// Adds the certificate of an encryption key, as DER; peers encrypt for the provider with it.
    pub fn encryption_certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.certificates.push(("encryption", der.into()));
        self
    }

    /// Adds a `NameIDFormat`.
    pub fn name_id_format(mut self, format: impl Into<String>) -> Self {
        self.name_id_formats.push(format.into());
        self
    }

    /// Sets `WantAuthnRequestsSigned` (default: `false`).
    pub fn want_authn_requests_signed(mut self, wanted: bool) -> Self {
        self.want_authn_requests_signed = wanted;
        self
    }

    entity_setters!();

    /// Builds the document.
    ///
    /// # Errors
    ///
    /// Fails if there is no single sign-on service, or if a value has a character that XML cannot
    /// represent or exceeds a limit.
    pub fn build(self) -> Result<Document, BuildError> {
        if self.single_sign_on_services.is_empty() {
            return Err(BuildError::NoEndpoint {
                element: "SingleSignOnService",
            });
        }
        self.entity.build(|xml| {
            xml.open("md:IDPSSODescriptor");
            let wanted = self.want_authn_requests_signed.to_string();
            xml.attribute("WantAuthnRequestsSigned", &wanted);
            xml.attribute("protocolSupportEnumeration", protocol::SAML_2_0);
            keys(xml, &self.certificates);
            endpoints(xml, "md:SingleLogoutService", &self.single_logout_services);
            texts(xml, "md:NameIDFormat", &self.name_id_formats);
            endpoints(xml, "md:SingleSignOnService", &self.single_sign_on_services);
            xml.close("md:IDPSSODescriptor");
        })
    }
}
