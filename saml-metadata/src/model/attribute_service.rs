//! Views of attributes, and of the services that request them.

use super::{
    contact::localized,
    values::{Localized, boolean, parse_index, uri},
    view,
};
use crate::{Element, tree::NamespaceId};

view! {
    /// `AttributeConsumingService`: the attributes that a service requests (MD 2.4.4.1).
    AttributeConsumingService
}

impl<'a> AttributeConsumingService<'a> {
    /// Returns the `index`; `None` if it is missing or not a number up to 65535.
    #[must_use]
    pub fn index(self) -> Option<u16> {
        self.0.own_attribute(name!("index")).and_then(parse_index)
    }

    /// Returns `isDefault`; a missing attribute (`None`) differs from `false`.
    #[must_use]
    pub fn is_default(self) -> Option<bool> {
        boolean(self.0, name!("isDefault"))
    }

    /// Returns the `ServiceName`s.
    pub fn names(self) -> impl Iterator<Item = Localized<'a>> {
        localized(self.0, name!("ServiceName"))
    }

    /// Returns the `ServiceDescription`s.
    pub fn descriptions(self) -> impl Iterator<Item = Localized<'a>> {
        localized(self.0, name!("ServiceDescription"))
    }

    /// Returns the `RequestedAttribute`s.
    pub fn requested_attributes(self) -> impl Iterator<Item = RequestedAttribute<'a>> {
        self.0
            .children_in(NamespaceId::METADATA, name!("RequestedAttribute"))
            .map(RequestedAttribute::new)
    }
}

view! {
    /// `RequestedAttribute`: one attribute that a service requests (MD 2.4.4.2).
    RequestedAttribute
}

impl<'a> RequestedAttribute<'a> {
    /// Returns `isRequired`: whether the service needs the attribute (default: `false`).
    #[must_use]
    pub fn is_required(self) -> bool {
        boolean(self.0, name!("isRequired")) == Some(true)
    }

    /// Returns the requested attribute.
    #[must_use]
    pub fn attribute(self) -> SamlAttribute<'a> {
        SamlAttribute::new(self.0)
    }
}

view! {
    /// `saml:Attribute`: a name, with optional values (saml-core-2.0-os 2.7.3.1).
    SamlAttribute
}

impl<'a> SamlAttribute<'a> {
    /// Returns the `Name`.
    #[must_use]
    pub fn name(self) -> &'a str {
        self.0.own_attribute(name!("Name")).unwrap_or_default()
    }

    /// Returns the `NameFormat`; `None` means the unspecified format.
    #[must_use]
    pub fn name_format(self) -> Option<&'a str> {
        self.0
            .own_attribute(name!("NameFormat"))
            .map(|_| uri(self.0, name!("NameFormat")))
    }

    /// Returns the `FriendlyName`, which is for display only.
    #[must_use]
    pub fn friendly_name(self) -> Option<&'a str> {
        self.0.own_attribute(name!("FriendlyName"))
    }

    /// Returns the `saml:AttributeValue`s as elements, because each attribute defines the type of
    /// its values.
    pub fn values(self) -> impl Iterator<Item = Element<'a>> {
        self.0
            .children_in(NamespaceId::ASSERTION, name!("AttributeValue"))
    }
}
