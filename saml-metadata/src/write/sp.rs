//! Builder for the metadata of a service provider.

use jiff::Timestamp;

use super::{BuildError, Entity, Organization, endpoints, entity_setters, keys, texts};
use crate::{Document, names::protocol};

/// Builder for the metadata of a service provider, with the same structure as the metadata of IAM
/// Identity Center.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct SpMetadata {
    entity: Entity,
    authn_requests_signed: bool,
    want_assertions_signed: bool,
    certificates: Vec<(&'static str, Vec<u8>)>,
    single_logout_services: Vec<(String, String)>,
    name_id_formats: Vec<String>,
    assertion_consumer_services: Vec<(String, String)>,
}

impl SpMetadata {
    /// Creates a builder with an entityID.
    pub fn new(entity_id: impl Into<String>) -> Self {
        Self {
            entity: Entity::new(entity_id.into()),
            authn_requests_signed: false,
            want_assertions_signed: true,
            certificates: Vec::new(),
            single_logout_services: Vec::new(),
            name_id_formats: Vec::new(),
            assertion_consumer_services: Vec::new(),
        }
    }

    /// Adds an `AssertionConsumerService`; at least one is required.
    ///
    /// The services are numbered from 0 in the order in which they are added. The first service is
    /// the default.
    pub fn assertion_consumer_service(
        mut self,
        binding: impl Into<String>,
        location: impl Into<String>,
    ) -> Self {
        let service = (binding.into(), location.into());
        self.assertion_consumer_services.push(service);
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

    /// Sets `AuthnRequestsSigned` (default: `false`).
    pub fn authn_requests_signed(mut self, signed: bool) -> Self {
        self.authn_requests_signed = signed;
        self
    }

    /// Sets `WantAssertionsSigned` (default: `true`).
    pub fn want_assertions_signed(mut self, wanted: bool) -> Self {
        self.want_assertions_signed = wanted;
        self
    }

    entity_setters!();

    /// Builds the document.
    ///
    /// # Errors
    ///
    /// Fails if there is no assertion consumer service, or if a value has a character that XML
    /// cannot represent or exceeds a limit.
    pub fn build(self) -> Result<Document, BuildError> {
        if self.assertion_consumer_services.is_empty() {
            return Err(BuildError::NoEndpoint {
                element: "AssertionConsumerService",
            });
        }
        self.entity.build(|xml| {
            xml.open("md:SPSSODescriptor");
            let signed = self.authn_requests_signed.to_string();
            xml.attribute("AuthnRequestsSigned", &signed);
            let wanted = self.want_assertions_signed.to_string();
            xml.attribute("WantAssertionsSigned", &wanted);
            xml.attribute("protocolSupportEnumeration", protocol::SAML_2_0);
            keys(xml, &self.certificates);
            endpoints(xml, "md:SingleLogoutService", &self.single_logout_services);
            texts(xml, "md:NameIDFormat", &self.name_id_formats);
            let element = "md:AssertionConsumerService";
            for (index, (binding, location)) in self.assertion_consumer_services.iter().enumerate()
            {
                xml.open(element);
                xml.attribute("Binding", binding);
                xml.attribute("Location", location);
                xml.attribute("index", &index.to_string());
                if index == 0 {
                    xml.attribute("isDefault", "true");
                }
                xml.close(element);
            }
            xml.close("md:SPSSODescriptor");
        })
    }
}
