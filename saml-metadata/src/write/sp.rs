//! Builder for the metadata of a service provider.

use jiff::{SignedDuration, Timestamp};

use super::{BuildError, Entity, Organization, Role, UserInterface, entity_setters, xml::Xml};
use crate::{Certificate, Document};

/// Builder for the metadata of a service provider, with the same structure as the metadata of IAM
/// Identity Center.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct SpMetadata {
    entity: Entity,
    authn_requests_signed: bool,
    want_assertions_signed: bool,
    assertion_consumer_services: Vec<(String, String)>,
}

impl SpMetadata {
    /// Creates a builder with an entityID.
    pub fn new(entity_id: impl Into<String>) -> Self {
        Self {
            entity: Entity::new(entity_id.into()),
            authn_requests_signed: false,
            want_assertions_signed: true,
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
        self.check()?;
        let Self {
            entity,
            authn_requests_signed,
            want_assertions_signed,
            assertion_consumer_services: services,
        } = self;
        let attributes = attributes(authn_requests_signed, want_assertions_signed);
        entity.build(|xml, role| write_role(xml, role, attributes, &services))
    }

    pub(super) fn check(&self) -> Result<(), BuildError> {
        if self.assertion_consumer_services.is_empty() {
            return Err(BuildError::NoEndpoint {
                element: "AssertionConsumerService",
            });
        }
        Ok(())
    }

    pub(super) fn entity_id(&self) -> &str {
        &self.entity.id
    }

    /// Writes only the role.
    pub(super) fn write(&self, xml: &mut Xml) {
        let attributes = attributes(self.authn_requests_signed, self.want_assertions_signed);
        let services = &self.assertion_consumer_services;
        write_role(xml, &self.entity.role, attributes, services);
    }
}

type Attributes = [(&'static str, bool); 2];

fn attributes(authn_requests_signed: bool, want_assertions_signed: bool) -> Attributes {
    [
        ("AuthnRequestsSigned", authn_requests_signed),
        ("WantAssertionsSigned", want_assertions_signed),
    ]
}

fn write_role(xml: &mut Xml, role: &Role, attributes: Attributes, services: &[(String, String)]) {
    role.write(xml, "md:SPSSODescriptor", &attributes, |xml| {
        let element = "md:AssertionConsumerService";
        for (index, (binding, location)) in services.iter().enumerate() {
            xml.open(element);
            xml.attribute("Binding", binding);
            xml.attribute("Location", location);
            xml.attribute("index", &index.to_string());
            if index == 0 {
                xml.attribute("isDefault", "true");
            }
            xml.close(element);
        }
    });
}
