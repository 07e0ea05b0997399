//! Views of entities and of groups of entities.

use jiff::Timestamp;

use super::{
    contact::{AdditionalMetadataLocation, ContactPerson, Organization},
    role::{
        AffiliationDescriptor, AttributeAuthorityDescriptor, IdpSsoDescriptor, Role,
        SpSsoDescriptor,
    },
    time::{self, CacheDuration, ParseTimeError},
    values::uri,
    view,
};
use crate::{Extensions, tree::NamespaceId};

/// The methods of all views whose element has an `ID`, `validUntil` and `cacheDuration`.
macro_rules! lifetime_methods {
    () => {
        /// Returns the `ID`, which a signature references.
        #[must_use]
        pub fn id(self) -> Option<&'a str> {
            self.0.own_attribute(name!("ID"))
        }

        /// Returns the element's own `validUntil`.
        ///
        /// # Errors
        ///
        /// Fails if the value is not a time. This differs from a missing value: metadata with an
        /// unreadable expiry must not be treated as metadata without an expiry.
        pub fn valid_until(self) -> Result<Option<Timestamp>, ParseTimeError> {
            time::valid_until(self.0)
        }

        /// Returns the element's own `cacheDuration`.
        ///
        /// # Errors
        ///
        /// Fails if the value is not a duration.
        pub fn cache_duration(self) -> Result<Option<CacheDuration>, ParseTimeError> {
            time::cache_duration(self.0)
        }

        /// Returns the earliest `validUntil` of the element and its ancestors, which is the
        /// effective expiry (MD 4.3).
        ///
        /// # Errors
        ///
        /// Fails if one of the values is not a time.
        pub fn effective_valid_until(self) -> Result<Option<Timestamp>, ParseTimeError> {
            time::effective_valid_until(self.0)
        }

        /// Returns the shortest `cacheDuration` of the element and its ancestors.
        ///
        /// # Errors
        ///
        /// Fails if one of the values is not a duration.
        pub fn effective_cache_duration(self) -> Result<Option<CacheDuration>, ParseTimeError> {
            time::effective_cache_duration(self.0)
        }

        /// Returns the `Extensions`.
        #[must_use]
        pub fn extensions(self) -> Option<Extensions<'a>> {
            Extensions::of(self.0)
        }
    };
}

pub(crate) use lifetime_methods;

view! {
    /// `EntitiesDescriptor`: a group of entities and groups (MD 2.3.1).
    EntitiesDescriptor
}

impl<'a> EntitiesDescriptor<'a> {
    lifetime_methods!();

    /// Returns the group's `Name`.
    #[must_use]
    pub fn name(self) -> Option<&'a str> {
        self.0.own_attribute(name!("Name"))
    }

    /// Returns the entities that are direct children of the group.
    ///
    /// [`Document::entities`](crate::Document::entities) also returns the entities of nested groups.
    pub fn entities(self) -> impl Iterator<Item = EntityDescriptor<'a>> {
        self.0
            .children_in(NamespaceId::METADATA, name!("EntityDescriptor"))
            .map(EntityDescriptor::new)
    }

    /// Returns the groups that are direct children of the group.
    pub fn groups(self) -> impl Iterator<Item = Self> {
        self.0
            .children_in(NamespaceId::METADATA, name!("EntitiesDescriptor"))
            .map(Self::new)
    }
}

view! {
    /// `EntityDescriptor`: the metadata of one provider (MD 2.3.2).
    EntityDescriptor
}

impl<'a> EntityDescriptor<'a> {
    lifetime_methods!();

    /// Returns the `entityID`, the provider's unique identifier.
    #[must_use]
    pub fn entity_id(self) -> &'a str {
        uri(self.0, name!("entityID"))
    }

    /// Returns the group that contains the entity.
    #[must_use]
    pub fn group(self) -> Option<EntitiesDescriptor<'a>> {
        let parent = self.0.parent()?;
        parent
            .is_in(NamespaceId::METADATA, name!("EntitiesDescriptor"))
            .then(|| EntitiesDescriptor::new(parent))
    }

    /// Returns the roles of all kinds, in order, including unknown kinds.
    pub fn roles(self) -> impl Iterator<Item = Role<'a>> {
        self.0.children().filter_map(Role::of)
    }

    /// Returns the identity provider role for SAML 2.0.
    ///
    /// An entity can have several of these roles, for different protocols (MD 2.3.2). Returns the
    /// first role that supports SAML 2.0; if no role does, returns the first role.
    #[must_use]
    pub fn identity_provider(self) -> Option<IdpSsoDescriptor<'a>> {
        self.identity_providers()
            .find(|role| role.supports_saml2())
            .or_else(|| self.identity_providers().next())
    }

    /// Returns all identity provider roles.
    pub fn identity_providers(self) -> impl Iterator<Item = IdpSsoDescriptor<'a>> {
        self.0
            .children_in(NamespaceId::METADATA, name!("IDPSSODescriptor"))
            .map(IdpSsoDescriptor::new)
    }

    /// Returns the service provider role for SAML 2.0.
    ///
    /// The choice is the same as in [`identity_provider`](Self::identity_provider).
    #[must_use]
    pub fn service_provider(self) -> Option<SpSsoDescriptor<'a>> {
        self.service_providers()
            .find(|role| role.supports_saml2())
            .or_else(|| self.service_providers().next())
    }

    /// Returns all service provider roles.
    pub fn service_providers(self) -> impl Iterator<Item = SpSsoDescriptor<'a>> {
        self.0
            .children_in(NamespaceId::METADATA, name!("SPSSODescriptor"))
            .map(SpSsoDescriptor::new)
    }

    /// Returns all attribute authority roles.
    pub fn attribute_authorities(self) -> impl Iterator<Item = AttributeAuthorityDescriptor<'a>> {
        self.0
            .children_in(NamespaceId::METADATA, name!("AttributeAuthorityDescriptor"))
            .map(AttributeAuthorityDescriptor::new)
    }

    /// Returns the affiliation; an entity has either an affiliation or roles.
    #[must_use]
    pub fn affiliation(self) -> Option<AffiliationDescriptor<'a>> {
        self.0
            .child_in(NamespaceId::METADATA, name!("AffiliationDescriptor"))
            .map(AffiliationDescriptor::new)
    }

    /// Returns the `Organization`.
    #[must_use]
    pub fn organization(self) -> Option<Organization<'a>> {
        self.0
            .child_in(NamespaceId::METADATA, name!("Organization"))
            .map(Organization::new)
    }

    /// Returns the `ContactPerson`s.
    pub fn contacts(self) -> impl Iterator<Item = ContactPerson<'a>> {
        self.0
            .children_in(NamespaceId::METADATA, name!("ContactPerson"))
            .map(ContactPerson::new)
    }

    /// Returns the `AdditionalMetadataLocation`s.
    pub fn additional_locations(self) -> impl Iterator<Item = AdditionalMetadataLocation<'a>> {
        self.0
            .children_in(NamespaceId::METADATA, name!("AdditionalMetadataLocation"))
            .map(AdditionalMetadataLocation::new)
    }
}
