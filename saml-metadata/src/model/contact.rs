//! Views of organizations, contacts and additional metadata locations.

use super::{values::Localized, view};
use crate::{
    Element, Extensions, local_name::LocalName, reader::chars::collapse, tree::NamespaceId,
};

view! {
    /// `Organization`: the organization responsible for an entity (MD 2.3.2.1).
    Organization
}

impl<'a> Organization<'a> {
    /// Returns the `OrganizationName`s, which need not be suitable for display.
    pub fn names(self) -> impl Iterator<Item = Localized<'a>> {
        localized(self.0, name!("OrganizationName"))
    }

    /// Returns the `OrganizationDisplayName`s, which are suitable for display.
    pub fn display_names(self) -> impl Iterator<Item = Localized<'a>> {
        localized(self.0, name!("OrganizationDisplayName"))
    }

    /// Returns the `OrganizationURL`s, with more information for users.
    pub fn urls(self) -> impl Iterator<Item = Localized<'a>> {
        localized(self.0, name!("OrganizationURL"))
    }

    /// Returns the `Extensions`.
    #[must_use]
    pub fn extensions(self) -> Option<Extensions<'a>> {
        Extensions::of(self.0)
    }
}

view! {
    /// `ContactPerson`: a contact for an entity or a role (MD 2.3.2.2).
    ContactPerson
}

impl<'a> ContactPerson<'a> {
    /// Returns the `contactType`.
    #[must_use]
    pub fn kind(self) -> ContactType<'a> {
        ContactType::new(
            self.0
                .own_attribute(name!("contactType"))
                .unwrap_or_default(),
        )
    }

    /// Returns the `Company`.
    #[must_use]
    pub fn company(self) -> Option<&'a str> {
        self.text(name!("Company"))
    }

    /// Returns the `GivenName`.
    #[must_use]
    pub fn given_name(self) -> Option<&'a str> {
        self.text(name!("GivenName"))
    }

    /// Returns the `SurName`.
    #[must_use]
    pub fn surname(self) -> Option<&'a str> {
        self.text(name!("SurName"))
    }

    /// Returns the `EmailAddress`es as written, including `mailto:`.
    pub fn email_addresses(self) -> impl Iterator<Item = &'a str> {
        self.0
            .children_in(NamespaceId::METADATA, name!("EmailAddress"))
            .map(|element| collapse(element.text()))
    }

    /// Returns the `TelephoneNumber`s.
    pub fn telephone_numbers(self) -> impl Iterator<Item = &'a str> {
        self.0
            .children_in(NamespaceId::METADATA, name!("TelephoneNumber"))
            .map(Element::text)
    }

    /// Returns the `Extensions`.
    #[must_use]
    pub fn extensions(self) -> Option<Extensions<'a>> {
        Extensions::of(self.0)
    }

    fn text(self, local_name: LocalName) -> Option<&'a str> {
        let element = self.0.child_in(NamespaceId::METADATA, local_name)?;
        Some(element.text())
    }
}

/// The purpose of a contact: `ContactTypeType` (MD 2.3.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContactType<'a> {
    /// Technical questions about the entity.
    Technical,
    /// Support for users.
    Support,
    /// Administration of the entity.
    Administrative,
    /// Billing.
    Billing,
    /// Another purpose, such as REFEDS' security contact, which an extra attribute identifies.
    Other,
    /// A value that the specification does not define.
    Unknown(&'a str),
}

impl<'a> ContactType<'a> {
    fn new(text: &'a str) -> Self {
        match text {
            "technical" => Self::Technical,
            "support" => Self::Support,
            "administrative" => Self::Administrative,
            "billing" => Self::Billing,
            "other" => Self::Other,
            _ => Self::Unknown(text),
        }
    }
}

view! {
    /// `AdditionalMetadataLocation`: the location of metadata in another format (MD 2.3.2.3).
    AdditionalMetadataLocation
}

impl<'a> AdditionalMetadataLocation<'a> {
    /// Returns the namespace of the document at the location.
    #[must_use]
    pub fn namespace(self) -> &'a str {
        super::values::uri(self.0, name!("namespace"))
    }

    /// Returns the URL of the document. This crate never sends a request to it.
    #[must_use]
    pub fn location(self) -> &'a str {
        collapse(self.0.text())
    }
}

pub(crate) fn localized(
    parent: Element<'_>,
    local_name: LocalName,
) -> impl Iterator<Item = Localized<'_>> {
    parent
        .children_in(NamespaceId::METADATA, local_name)
        .map(Localized::new)
}
