//! Builder for the metadata of an identity provider.

use jiff::{SignedDuration, Timestamp};

use super::{
    BuildError, Entity, Organization, Role, SpMetadata, UserInterface, endpoints, entity_setters,
    xml::Xml,
};
use crate::{Certificate, Document};

/// Builder for the metadata of an identity provider, with the same structure as Okta's metadata.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct IdpMetadata {
    entity: Entity,
    want_authn_requests_signed: bool,
    single_sign_on_services: Vec<(String, String)>,
    service_provider: Option<Box<SpMetadata>>,
}

impl IdpMetadata {
    /// Creates a builder with an entityID.
    pub fn new(entity_id: impl Into<String>) -> Self {
        Self {
            entity: Entity::new(entity_id.into()),
            want_authn_requests_signed: false,
            single_sign_on_services: Vec::new(),
            service_provider: None,
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

    /// Sets `WantAuthnRequestsSigned` (default: `false`).
    pub fn want_authn_requests_signed(mut self, wanted: bool) -> Self {
        self.want_authn_requests_signed = wanted;
        self
    }

    /// Adds the role of a service provider to the same entity.
    ///
    /// The document has the role of `sp`. The validity, the organization and the contact are those
    /// of the identity provider.
    pub fn service_provider(mut self, sp: SpMetadata) -> Self {
        self.service_provider = Some(Box::new(sp));
        self
    }

    entity_setters!();

    /// Builds the document.
    ///
    /// # Errors
    ///
    /// Fails if there is no single sign-on service, if the service provider has no assertion consumer
    /// service or another entityID, or if a value has a character that XML cannot represent or
    /// exceeds a limit.
    pub fn build(self) -> Result<Document, BuildError> {
        if self.single_sign_on_services.is_empty() {
            return Err(BuildError::NoEndpoint {
                element: "SingleSignOnService",
            });
        }
        if let Some(sp) = &self.service_provider {
            sp.check()?;
            if sp.entity_id() != self.entity.id {
                return Err(BuildError::OtherEntity {
                    idp: self.entity.id,
                    sp: sp.entity_id().to_owned(),
                });
            }
        }
        let attributes = [("WantAuthnRequestsSigned", self.want_authn_requests_signed)];
        self.entity.build(|xml: &mut Xml, role: &Role| {
            role.write(xml, "md:IDPSSODescriptor", &attributes, |xml| {
                endpoints(xml, "md:SingleSignOnService", &self.single_sign_on_services);
            });
            if let Some(sp) = &self.service_provider {
                sp.write(xml);
            }
        })
    }
}
