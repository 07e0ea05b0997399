//! Views of the roles of an entity, and of affiliations.

use jiff::Timestamp;

use super::{
    attribute_service::{AttributeConsumingService, SamlAttribute},
    certificate::Certificate,
    contact::{ContactPerson, Organization},
    endpoint::{Endpoint, IndexedEndpoint, default_endpoint, endpoints, indexed_endpoints},
    entity::lifetime_methods,
    key::{KeyDescriptor, KeyUse},
    time::{self, CacheDuration, ParseTimeError},
    values::{boolean, default_of, optional_uri, uri},
    view,
};
use crate::{
    Element, Extensions,
    local_name::LocalName,
    names::protocol,
    reader::chars::{collapse, is_space},
    tree::NamespaceId,
};

/// A role of an entity (MD 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role<'a> {
    /// An identity provider, which authenticates users.
    IdentityProvider(IdpSsoDescriptor<'a>),
    /// A service provider, which relies on an identity provider.
    ServiceProvider(SpSsoDescriptor<'a>),
    /// An authentication authority, which answers queries about the authentication of users.
    AuthnAuthority(AuthnAuthorityDescriptor<'a>),
    /// An attribute authority, which answers queries about the attributes of users.
    AttributeAuthority(AttributeAuthorityDescriptor<'a>),
    /// A policy decision point, which answers queries about the authorization of users.
    Pdp(PdpDescriptor<'a>),
    /// A role whose type an extension defines, such as the WS-Federation roles of AD FS.
    Other(RoleDescriptor<'a>),
}

impl<'a> Role<'a> {
    /// Returns the element as a role, if it is a role.
    pub(crate) fn of(element: Element<'a>) -> Option<Self> {
        const IDP: LocalName = name!("IDPSSODescriptor");
        const SP: LocalName = name!("SPSSODescriptor");
        const AUTHN: LocalName = name!("AuthnAuthorityDescriptor");
        const ATTRIBUTE: LocalName = name!("AttributeAuthorityDescriptor");
        const PDP: LocalName = name!("PDPDescriptor");
        const ROLE: LocalName = name!("RoleDescriptor");

        if element.namespace_id() != NamespaceId::METADATA {
            return None;
        }
        Some(match element.local_name_number() {
            IDP => Self::IdentityProvider(IdpSsoDescriptor::new(element)),
            SP => Self::ServiceProvider(SpSsoDescriptor::new(element)),
            AUTHN => Self::AuthnAuthority(AuthnAuthorityDescriptor::new(element)),
            ATTRIBUTE => Self::AttributeAuthority(AttributeAuthorityDescriptor::new(element)),
            PDP => Self::Pdp(PdpDescriptor::new(element)),
            ROLE => Self::Other(RoleDescriptor::new(element)),
            _ => return None,
        })
    }

    /// Returns the view with the properties that all roles share.
    #[must_use]
    pub fn descriptor(self) -> RoleDescriptor<'a> {
        RoleDescriptor::new(match self {
            Self::IdentityProvider(role) => role.element(),
            Self::ServiceProvider(role) => role.element(),
            Self::AuthnAuthority(role) => role.element(),
            Self::AttributeAuthority(role) => role.element(),
            Self::Pdp(role) => role.element(),
            Self::Other(role) => role.element(),
        })
    }
}

/// The methods of `RoleDescriptorType`, which all roles extend (MD 2.4.1).
macro_rules! role_methods {
    () => {
        lifetime_methods!();

        /// Returns the `protocolSupportEnumeration` as a list.
        pub fn protocols(self) -> impl Iterator<Item = &'a str> {
            self.0
                .own_attribute(name!("protocolSupportEnumeration"))
                .unwrap_or_default()
                .split(|c: char| u8::try_from(c).is_ok_and(is_space))
                .filter(|protocol| !protocol.is_empty())
        }

        /// Returns whether the role supports SAML 2.0.
        #[must_use]
        pub fn supports_saml2(self) -> bool {
            self.protocols()
                .any(|protocol| protocol == protocol::SAML_2_0)
        }

        /// Returns the `errorURL`, to which a peer can send users after an error.
        #[must_use]
        pub fn error_url(self) -> Option<&'a str> {
            optional_uri(self.0, name!("errorURL"))
        }

        /// Returns the `KeyDescriptor`s.
        pub fn key_descriptors(self) -> impl Iterator<Item = KeyDescriptor<'a>> {
            self.0
                .children_in(NamespaceId::METADATA, name!("KeyDescriptor"))
                .map(KeyDescriptor::new)
        }

        /// Returns the certificates of the signing keys, in order.
        ///
        /// A key without `use` is both a signing key and an encryption key. Unreadable certificates
        /// are left out; [`KeyDescriptor::certificates`] returns the reason.
        #[must_use]
        pub fn signing_certificates(self) -> Vec<Certificate> {
            certificates(self.key_descriptors(), KeyUse::Signing)
        }

        /// Returns the certificates of the encryption keys, with the same rules as
        /// `signing_certificates`.
        #[must_use]
        pub fn encryption_certificates(self) -> Vec<Certificate> {
            certificates(self.key_descriptors(), KeyUse::Encryption)
        }

        /// Returns the role's own `Organization`.
        #[must_use]
        pub fn organization(self) -> Option<Organization<'a>> {
            self.0
                .child_in(NamespaceId::METADATA, name!("Organization"))
                .map(Organization::new)
        }

        /// Returns the role's own `ContactPerson`s.
        pub fn contacts(self) -> impl Iterator<Item = ContactPerson<'a>> {
            self.0
                .children_in(NamespaceId::METADATA, name!("ContactPerson"))
                .map(ContactPerson::new)
        }
    };
}

/// The methods of `SSODescriptorType`, which both single sign-on roles extend (MD 2.4.2).
macro_rules! sso_methods {
    () => {
        role_methods!();

        /// Returns the `ArtifactResolutionService`s.
        pub fn artifact_resolution_services(self) -> impl Iterator<Item = IndexedEndpoint<'a>> {
            indexed_endpoints(self.0, name!("ArtifactResolutionService"))
        }

        /// Returns the `SingleLogoutService`s.
        pub fn single_logout_services(self) -> impl Iterator<Item = Endpoint<'a>> {
            endpoints(self.0, name!("SingleLogoutService"))
        }

        /// Returns the `ManageNameIDService`s.
        pub fn manage_name_id_services(self) -> impl Iterator<Item = Endpoint<'a>> {
            endpoints(self.0, name!("ManageNameIDService"))
        }

        /// Returns the `NameIDFormat`s.
        pub fn name_id_formats(self) -> impl Iterator<Item = &'a str> {
            texts(self.0, name!("NameIDFormat"))
        }
    };
}

view! {
    /// `RoleDescriptor`: the properties that all roles share (MD 2.4.1).
    RoleDescriptor
}

impl<'a> RoleDescriptor<'a> {
    role_methods!();

    /// Returns the `xsi:type` of a role whose type an extension defines, as namespace and local name.
    #[must_use]
    pub fn extension_type(self) -> Option<(&'a str, &'a str)> {
        let name = self
            .0
            .find_attribute(NamespaceId::SCHEMA_INSTANCE, name!("type"))?
            .value();
        let name = collapse(name);
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        Some((self.0.namespace_of_prefix(prefix)?, local))
    }
}

view! {
    /// `IDPSSODescriptor`: an identity provider (MD 2.4.3).
    IdpSsoDescriptor
}

impl<'a> IdpSsoDescriptor<'a> {
    sso_methods!();

    /// Returns `WantAuthnRequestsSigned` (default: `false`).
    #[must_use]
    pub fn want_authn_requests_signed(self) -> bool {
        boolean(self.0, name!("WantAuthnRequestsSigned")) == Some(true)
    }

    /// Returns the `SingleSignOnService`s.
    pub fn single_sign_on_services(self) -> impl Iterator<Item = Endpoint<'a>> {
        endpoints(self.0, name!("SingleSignOnService"))
    }

    /// Returns the `NameIDMappingService`s.
    pub fn name_id_mapping_services(self) -> impl Iterator<Item = Endpoint<'a>> {
        endpoints(self.0, name!("NameIDMappingService"))
    }

    /// Returns the `AssertionIDRequestService`s.
    pub fn assertion_id_request_services(self) -> impl Iterator<Item = Endpoint<'a>> {
        endpoints(self.0, name!("AssertionIDRequestService"))
    }

    /// Returns the `AttributeProfile`s.
    pub fn attribute_profiles(self) -> impl Iterator<Item = &'a str> {
        texts(self.0, name!("AttributeProfile"))
    }

    /// Returns the `saml:Attribute`s that the provider may send.
    pub fn attributes(self) -> impl Iterator<Item = SamlAttribute<'a>> {
        attributes(self.0)
    }
}

view! {
    /// `SPSSODescriptor`: a service provider (MD 2.4.4).
    SpSsoDescriptor
}

impl<'a> SpSsoDescriptor<'a> {
    sso_methods!();

    /// Returns `AuthnRequestsSigned` (default: `false`).
    #[must_use]
    pub fn authn_requests_signed(self) -> bool {
        boolean(self.0, name!("AuthnRequestsSigned")) == Some(true)
    }

    /// Returns `WantAssertionsSigned` (default: `false`).
    #[must_use]
    pub fn want_assertions_signed(self) -> bool {
        boolean(self.0, name!("WantAssertionsSigned")) == Some(true)
    }

    /// Returns the `AssertionConsumerService`s.
    pub fn assertion_consumer_services(self) -> impl Iterator<Item = IndexedEndpoint<'a>> {
        indexed_endpoints(self.0, name!("AssertionConsumerService"))
    }

    /// Returns the default `AssertionConsumerService`.
    ///
    /// The default is the first service with `isDefault="true"`, otherwise the first without the
    /// attribute, otherwise the first (MD 2.2.3).
    #[must_use]
    pub fn default_assertion_consumer_service(self) -> Option<IndexedEndpoint<'a>> {
        default_endpoint(self.assertion_consumer_services())
    }

    /// Returns the `AttributeConsumingService`s.
    pub fn attribute_consuming_services(
        self,
    ) -> impl Iterator<Item = AttributeConsumingService<'a>> {
        self.0
            .children_in(NamespaceId::METADATA, name!("AttributeConsumingService"))
            .map(AttributeConsumingService::new)
    }

    /// Returns the default `AttributeConsumingService`, with the same rules as
    /// [`default_assertion_consumer_service`](Self::default_assertion_consumer_service).
    #[must_use]
    pub fn default_attribute_consuming_service(self) -> Option<AttributeConsumingService<'a>> {
        default_of(
            self.attribute_consuming_services(),
            AttributeConsumingService::is_default,
        )
    }
}

view! {
    /// `AuthnAuthorityDescriptor`: answers queries about the authentication of users (MD 2.4.5).
    AuthnAuthorityDescriptor
}

impl<'a> AuthnAuthorityDescriptor<'a> {
    role_methods!();

    /// Returns the `AuthnQueryService`s.
    pub fn authn_query_services(self) -> impl Iterator<Item = Endpoint<'a>> {
        endpoints(self.0, name!("AuthnQueryService"))
    }

    /// Returns the `AssertionIDRequestService`s.
    pub fn assertion_id_request_services(self) -> impl Iterator<Item = Endpoint<'a>> {
        endpoints(self.0, name!("AssertionIDRequestService"))
    }

    /// Returns the `NameIDFormat`s.
    pub fn name_id_formats(self) -> impl Iterator<Item = &'a str> {
        texts(self.0, name!("NameIDFormat"))
    }
}

view! {
    /// `PDPDescriptor`: answers queries about the authorization of users (MD 2.4.6).
    PdpDescriptor
}

impl<'a> PdpDescriptor<'a> {
    role_methods!();

    /// Returns the `AuthzService`s.
    pub fn authz_services(self) -> impl Iterator<Item = Endpoint<'a>> {
        endpoints(self.0, name!("AuthzService"))
    }

    /// Returns the `AssertionIDRequestService`s.
    pub fn assertion_id_request_services(self) -> impl Iterator<Item = Endpoint<'a>> {
        endpoints(self.0, name!("AssertionIDRequestService"))
    }

    /// Returns the `NameIDFormat`s.
    pub fn name_id_formats(self) -> impl Iterator<Item = &'a str> {
        texts(self.0, name!("NameIDFormat"))
    }
}

view! {
    /// `AttributeAuthorityDescriptor`: answers queries about the attributes of users (MD 2.4.7).
    AttributeAuthorityDescriptor
}

impl<'a> AttributeAuthorityDescriptor<'a> {
    role_methods!();

    /// Returns the `AttributeService`s.
    pub fn attribute_services(self) -> impl Iterator<Item = Endpoint<'a>> {
        endpoints(self.0, name!("AttributeService"))
    }

    /// Returns the `AssertionIDRequestService`s.
    pub fn assertion_id_request_services(self) -> impl Iterator<Item = Endpoint<'a>> {
        endpoints(self.0, name!("AssertionIDRequestService"))
    }

    /// Returns the `NameIDFormat`s.
    pub fn name_id_formats(self) -> impl Iterator<Item = &'a str> {
        texts(self.0, name!("NameIDFormat"))
    }

    /// Returns the `AttributeProfile`s.
    pub fn attribute_profiles(self) -> impl Iterator<Item = &'a str> {
        texts(self.0, name!("AttributeProfile"))
    }

    /// Returns the `saml:Attribute`s that the authority may send.
    pub fn attributes(self) -> impl Iterator<Item = SamlAttribute<'a>> {
        attributes(self.0)
    }
}

view! {
    /// `AffiliationDescriptor`: a group of providers that share name identifiers (MD 2.5).
    AffiliationDescriptor
}

impl<'a> AffiliationDescriptor<'a> {
    lifetime_methods!();

    /// Returns the `affiliationOwnerID`.
    #[must_use]
    pub fn owner_id(self) -> &'a str {
        uri(self.0, name!("affiliationOwnerID"))
    }

    /// Returns the entityIDs of the `AffiliateMember`s.
    pub fn members(self) -> impl Iterator<Item = &'a str> {
        texts(self.0, name!("AffiliateMember"))
    }

    /// Returns the `KeyDescriptor`s.
    pub fn key_descriptors(self) -> impl Iterator<Item = KeyDescriptor<'a>> {
        self.0
            .children_in(NamespaceId::METADATA, name!("KeyDescriptor"))
            .map(KeyDescriptor::new)
    }
}

fn texts(role: Element<'_>, local_name: LocalName) -> impl Iterator<Item = &str> {
    role.children_in(NamespaceId::METADATA, local_name)
        .map(|element| collapse(element.text()))
}

fn attributes(role: Element<'_>) -> impl Iterator<Item = SamlAttribute<'_>> {
    role.children_in(NamespaceId::ASSERTION, name!("Attribute"))
        .map(SamlAttribute::new)
}

fn certificates<'a>(
    keys: impl Iterator<Item = KeyDescriptor<'a>>,
    wanted: KeyUse,
) -> Vec<Certificate> {
    keys.filter(|key| key.allows_use(wanted))
        .flat_map(KeyDescriptor::certificates)
        .filter_map(Result::ok)
        .collect()
}
