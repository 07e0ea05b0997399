//! Builder for the metadata of an identity provider.

use jiff::Timestamp;

use super::{BuildError, Entity, Organization, endpoints, entity_setters};
use crate::Document;

/// Builder for the metadata of an identity provider, with the same structure as Okta's metadata.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct IdpMetadata {
    entity: Entity,
    want_authn_requests_signed: bool,
    single_sign_on_services: Vec<(String, String)>,
}

impl IdpMetadata {
    /// Creates a builder with an entityID.
    pub fn new(entity_id: impl Into<String>) -> Self {
        Self {
            entity: Entity::new(entity_id.into()),
            want_authn_requests_signed: false,
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
        let attributes = [("WantAuthnRequestsSigned", self.want_authn_requests_signed)];
        self.entity
            .build("md:IDPSSODescriptor", &attributes, |xml| {
                endpoints(xml, "md:SingleSignOnService", &self.single_sign_on_services);
            })
    }
}
