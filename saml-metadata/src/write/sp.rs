use jiff::Timestamp;

use super::{BuildError, Entity, Organization, endpoints, entity_setters, keys, texts};
use crate::{Document, names::protocol};

/// Builds the metadata of a service provider, in the shape that IAM Identity Center hands out.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing before `build`"]
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
    /// Starts with an entityID.
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
    /// They are numbered from 0 in the order added, and the first one is the default.
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

    /// Adds a certificate, as DER, of a key to sign with.
    pub fn signing_certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.certificates.push(("signing", der.into()));
        self
    }

    /// Adds a certificate, as DER, of a key to encrypt for the provider.
    pub fn encryption_certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.certificates.push(("encryption", der.into()));
        self
    }

    /// Adds a `NameIDFormat`.
    pub fn name_id_format(mut self, format: impl Into<String>) -> Self {
        self.name_id_formats.push(format.into());
        self
    }

    /// Sets `AuthnRequestsSigned`; the default is no.
    pub fn authn_requests_signed(mut self, signed: bool) -> Self {
        self.authn_requests_signed = signed;
        self
    }

    /// Sets `WantAssertionsSigned`; the default is yes.
    pub fn want_assertions_signed(mut self, wanted: bool) -> Self {
        self.want_assertions_signed = wanted;
        self
    }

    entity_setters!();

    /// Returns the document.
    ///
    /// # Errors
    ///
    /// Fails when there is no assertion consumer service, or a value has a character that XML
    /// cannot express.
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
