//! The contents of metadata as a summary: entities, endpoints and certificates.

use std::fmt;

use jiff::Timestamp;

use crate::{
    Document, EntityDescriptor, EntityError, Role,
    reader::chars::collapse,
    rollover::{CertificateValidity, UnreadableCertificate, timeline_of, unreadable_of},
    tree::NamespaceId,
};

/// Returns a summary of each entity of a document, with the state of the certificates at `now`.
///
/// ```
/// use saml_metadata::{explain, names::binding, write::IdpMetadata};
///
/// let document = IdpMetadata::new("urn:a")
///     .single_sign_on_service(binding::HTTP_POST, "https://a.example.com/")
///     .build()?;
/// let entities = explain(&document, "2026-11-24T12:00:00Z".parse()?)?;
/// assert_eq!(
///     entities[0].to_string(),
///     "entity urn:a\n  sign-in   https://a.example.com/ (urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST)\n",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Fails if the document is not SAML metadata or describes no entity.
pub fn explain(document: &Document, now: Timestamp) -> Result<Vec<EntitySummary>, EntityError> {
    match document.entity() {
        Ok(_) | Err(EntityError::SeveralEntities { .. }) => Ok(document
            .entities()
            .map(|entity| EntitySummary::new(entity, now))
            .collect()),
        Err(error) => Err(error),
    }
}

/// A summary of an entity.
///
/// The `Display` text has a line for each endpoint, name identifier format and certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct EntitySummary {
    /// The entityID.
    pub entity_id: String,
    /// The entity's own `validUntil`, as written.
    pub valid_until: Option<String>,
    /// The entity's own `cacheDuration`, as written.
    pub cache_duration: Option<String>,
    /// Whether the entity has a signature of its own; the signature is not verified.
    pub has_signature: bool,
    /// The roles, in order.
    pub roles: Vec<RoleSummary>,
}

/// A summary of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct RoleSummary {
    /// The element name, such as `IDPSSODescriptor`.
    pub role: String,
    /// The supported protocols.
    pub protocols: Vec<String>,
    /// Whether an identity provider requires signed authentication requests.
    pub want_authn_requests_signed: bool,
    /// The endpoints, in order.
    pub endpoints: Vec<EndpointSummary>,
    /// The name identifier formats.
    pub name_id_formats: Vec<String>,
    /// The certificates, sorted by the end of their validity.
    pub certificates: Vec<CertificateValidity>,
    /// The certificates that cannot be read.
    pub unreadable_certificates: Vec<UnreadableCertificate>,
}

/// A summary of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct EndpointSummary {
    /// The element name, such as `SingleSignOnService`.
    pub service: String,
    /// The binding URI.
    pub binding: String,
    /// The URL.
    pub location: String,
    /// The index, as written.
    pub index: Option<String>,
}

impl EntitySummary {
    /// Returns the summary of one entity.
    #[must_use]
    pub fn new(entity: EntityDescriptor<'_>, now: Timestamp) -> Self {
        let element = entity.element();
        let attribute = |name| element.attribute(name).map(str::to_owned);
        Self {
            entity_id: entity.entity_id().to_owned(),
            valid_until: attribute("validUntil"),
            cache_duration: attribute("cacheDuration"),
            has_signature: element.signature().is_some(),
            roles: entity
                .roles()
                .map(|role| RoleSummary::new(role, now))
                .collect(),
        }
    }
}

impl RoleSummary {
    fn new(role: Role<'_>, now: Timestamp) -> Self {
        let descriptor = role.descriptor();
        let element = descriptor.element();
        let endpoints = element.children().filter(|child| {
            child.namespace_id() == NamespaceId::METADATA
                && child.own_attribute(name!("Location")).is_some()
        });
        let value = |text: Option<&str>| collapse(text.unwrap_or_default()).to_owned();
        Self {
            role: element.local_name().to_owned(),
            protocols: descriptor.protocols().map(str::to_owned).collect(),
            want_authn_requests_signed: matches!(
                role,
                Role::IdentityProvider(idp) if idp.want_authn_requests_signed()
            ),
            endpoints: endpoints
                .map(|endpoint| EndpointSummary {
                    service: endpoint.local_name().to_owned(),
                    binding: value(endpoint.own_attribute(name!("Binding"))),
                    location: value(endpoint.own_attribute(name!("Location"))),
                    index: endpoint.own_attribute(name!("index")).map(str::to_owned),
                })
                .collect(),
            name_id_formats: element
                .children_in(NamespaceId::METADATA, name!("NameIDFormat"))
                .map(|format| collapse(format.text()).to_owned())
                .collect(),
            certificates: timeline_of([descriptor], now),
            unreadable_certificates: unreadable_of([descriptor]),
        }
    }
}

impl fmt::Display for EntitySummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "entity {}", self.entity_id)?;
        if let Some(until) = &self.valid_until {
            writeln!(f, "  valid     until {until}")?;
        }
        self.roles.iter().try_for_each(|role| write!(f, "{role}"))
    }
}

impl fmt::Display for RoleSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for endpoint in &self.endpoints {
            let name = match endpoint.service.as_str() {
                "SingleSignOnService" => "sign-in",
                "AssertionConsumerService" => "ACS",
                "SingleLogoutService" => "logout",
                _ => continue,
            };
            writeln!(
                f,
                "  {name:<9} {} ({})",
                endpoint.location, endpoint.binding
            )?;
        }
        for format in &self.name_id_formats {
            writeln!(f, "  NameID    {format}")?;
        }
        if self.want_authn_requests_signed {
            writeln!(f, "  requires signed authentication requests")?;
        }
        for validity in &self.certificates {
            writeln!(f, "  {validity}")?;
            writeln!(f, "            SHA-256 {}", validity.fingerprint_sha256)?;
            writeln!(f, "            SHA-1   {}", validity.fingerprint_sha1)?;
        }
        for unreadable in &self.unreadable_certificates {
            writeln!(f, "  {unreadable}")?;
        }
        Ok(())
    }
}
