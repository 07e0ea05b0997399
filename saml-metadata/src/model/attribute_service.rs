use super::{
    contact::localized,
    values::{Localized, boolean, parse_index, uri},
    view,
};
use crate::{Element, tree::NamespaceId};

view! {
    /// `AttributeConsumingService`: which attributes a service wants (MD 2.4.4.1).
    AttributeConsumingService
}

impl<'a> AttributeConsumingService<'a> {
    /// Returns the `index`; `None` when it is missing or not a number up to 65535.
    #[must_use]
    pub fn index(self) -> Option<u16> {
        self.0.attribute("index").and_then(parse_index)
    }

    /// Returns `isDefault`; not saying it and saying `false` are different things.
    #[must_use]
    pub fn is_default(self) -> Option<bool> {
        boolean(self.0, "isDefault")
    }

    /// Returns the `ServiceName`s.
    pub fn names(self) -> impl Iterator<Item = Localized<'a>> {
        localized(self.0, "ServiceName")
    }

    /// Returns the `ServiceDescription`s.
    pub fn descriptions(self) -> impl Iterator<Item = Localized<'a>> {
        localized(self.0, "ServiceDescription")
    }

    /// Returns the `RequestedAttribute`s.
    pub fn requested_attributes(self) -> impl Iterator<Item = RequestedAttribute<'a>> {
        self.0
            .children_in(NamespaceId::METADATA, "RequestedAttribute")
            .map(RequestedAttribute::new)
    }
}

view! {
    /// `RequestedAttribute`: one attribute that a service wants (MD 2.4.4.2).
    RequestedAttribute
}

impl<'a> RequestedAttribute<'a> {
    /// Returns whether the service cannot do without it; no is the default.
    #[must_use]
    pub fn is_required(self) -> bool {
        boolean(self.0, "isRequired") == Some(true)
    }

    /// Returns the attribute that is wanted.
    #[must_use]
    pub fn attribute(self) -> SamlAttribute<'a> {
        SamlAttribute::new(self.0)
    }
}

view! {
    /// `saml:Attribute`: a name, and perhaps values (saml-core-2.0-os 2.7.3.1).
    SamlAttribute
}

impl<'a> SamlAttribute<'a> {
    /// Returns the `Name`.
    #[must_use]
    pub fn name(self) -> &'a str {
        self.0.attribute("Name").unwrap_or_default()
    }

    /// Returns the `NameFormat`; without one, the name is of the unspecified format.
    #[must_use]
    pub fn name_format(self) -> Option<&'a str> {
        self.0
            .attribute("NameFormat")
            .map(|_| uri(self.0, "NameFormat"))
    }

    /// Returns the `FriendlyName`, which is for people only.
    #[must_use]
    pub fn friendly_name(self) -> Option<&'a str> {
        self.0.attribute("FriendlyName")
    }

    /// Returns the `saml:AttributeValue`s as elements; their types are the attribute's business.
    pub fn values(self) -> impl Iterator<Item = Element<'a>> {
        self.0.children_in(NamespaceId::ASSERTION, "AttributeValue")
    }
}
