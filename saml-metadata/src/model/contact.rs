use super::{values::Localized, view};
use crate::{Element, Extensions, reader::chars::collapse, tree::NamespaceId};

view! {
    /// `Organization`: who is responsible for an entity (MD 2.3.2.1).
    Organization
}

impl<'a> Organization<'a> {
    /// Returns the `OrganizationName`s, which need not be fit for people.
    pub fn names(self) -> impl Iterator<Item = Localized<'a>> {
        localized(self.0, "OrganizationName")
    }

    /// Returns the `OrganizationDisplayName`s, which are fit for people.
    pub fn display_names(self) -> impl Iterator<Item = Localized<'a>> {
        localized(self.0, "OrganizationDisplayName")
    }

    /// Returns the `OrganizationURL`s, where a person finds more.
    pub fn urls(self) -> impl Iterator<Item = Localized<'a>> {
        localized(self.0, "OrganizationURL")
    }

    /// Returns the `Extensions`.
    #[must_use]
    pub fn extensions(self) -> Option<Extensions<'a>> {
        Extensions::of(self.0)
    }
}

view! {
    /// `ContactPerson`: somebody to ask about an entity or a role (MD 2.3.2.2).
    ContactPerson
}

impl<'a> ContactPerson<'a> {
    /// Returns the `contactType`.
    #[must_use]
    pub fn kind(self) -> ContactType<'a> {
        ContactType::new(self.0.attribute("contactType").unwrap_or_default())
    }

    /// Returns the `Company`.
    #[must_use]
    pub fn company(self) -> Option<&'a str> {
        self.text("Company")
    }

    /// Returns the `GivenName`.
    #[must_use]
    pub fn given_name(self) -> Option<&'a str> {
        self.text("GivenName")
    }

    /// Returns the `SurName`.
    #[must_use]
    pub fn surname(self) -> Option<&'a str> {
        self.text("SurName")
    }

    /// Returns the `EmailAddress`es as written, `mailto:` included.
    pub fn email_addresses(self) -> impl Iterator<Item = &'a str> {
        self.0
            .children_in(NamespaceId::METADATA, "EmailAddress")
            .map(|element| collapse(element.text()))
    }

    /// Returns the `TelephoneNumber`s.
    pub fn telephone_numbers(self) -> impl Iterator<Item = &'a str> {
        self.0
            .children_in(NamespaceId::METADATA, "TelephoneNumber")
            .map(Element::text)
    }

    /// Returns the `Extensions`.
    #[must_use]
    pub fn extensions(self) -> Option<Extensions<'a>> {
        Extensions::of(self.0)
    }

    fn text(self, local_name: &'static str) -> Option<&'a str> {
        let element = self.0.child_in(NamespaceId::METADATA, local_name)?;
        Some(element.text())
    }
}

/// What a contact is for: `ContactTypeType` (MD 2.3.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContactType<'a> {
    /// Technical matters of the entity.
    Technical,
    /// Users' problems.
    Support,
    /// Administration of the entity.
    Administrative,
    /// Money.
    Billing,
    /// Anything else, such as REFEDS' security contact, which is told apart by an attribute.
    Other,
    /// A text that the specification does not know.
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
    /// `AdditionalMetadataLocation`: where metadata of another kind is found (MD 2.3.2.3).
    AdditionalMetadataLocation
}

impl<'a> AdditionalMetadataLocation<'a> {
    /// Returns the namespace of the document that is found there.
    #[must_use]
    pub fn namespace(self) -> &'a str {
        super::values::uri(self.0, "namespace")
    }

    /// Returns the place. Nothing in this crate ever asks there.
    #[must_use]
    pub fn location(self) -> &'a str {
        collapse(self.0.text())
    }
}

pub(crate) fn localized<'a>(
    parent: Element<'a>,
    local_name: &'static str,
) -> impl Iterator<Item = Localized<'a>> {
    parent
        .children_in(NamespaceId::METADATA, local_name)
        .map(Localized::new)
}
