use jiff::Timestamp;

use super::{
    attribute_service::SamlAttribute,
    time::{ParseTimeError, parse_moment},
    ui::{DiscoHints, UiInfo},
    values::{Localized, boolean, uri},
    view,
};
use crate::{Element, reader::chars::collapse, tree::NamespaceId};

view! {
    /// `Extensions`: what others than the specification have to say (MD 2.2.1).
    Extensions
}

impl<'a> Extensions<'a> {
    /// Returns the `Extensions` of an element.
    pub(crate) fn of(parent: Element<'a>) -> Option<Self> {
        parent
            .child_in(NamespaceId::METADATA, "Extensions")
            .map(Self::new)
    }

    /// Returns all extensions as elements, known and unknown.
    pub fn elements(self) -> impl Iterator<Item = Element<'a>> {
        self.0.children()
    }

    /// Returns `mdui:UIInfo`: how to show a role to people (MDUI 2.1).
    #[must_use]
    pub fn ui_info(self) -> Option<UiInfo<'a>> {
        self.0.child_in(NamespaceId::UI, "UIInfo").map(UiInfo::new)
    }

    /// Returns `mdui:DiscoHints`: how to guess that a user belongs there (MDUI 2.2).
    #[must_use]
    pub fn disco_hints(self) -> Option<DiscoHints<'a>> {
        self.0
            .child_in(NamespaceId::UI, "DiscoHints")
            .map(DiscoHints::new)
    }

    /// Returns `mdrpi:RegistrationInfo`: who registered the entity (MDRPI 2.1).
    #[must_use]
    pub fn registration_info(self) -> Option<RegistrationInfo<'a>> {
        self.0
            .child_in(NamespaceId::REGISTRATION, "RegistrationInfo")
            .map(RegistrationInfo::new)
    }

    /// Returns `mdrpi:PublicationInfo`: who published the document (MDRPI 2.2).
    #[must_use]
    pub fn publication_info(self) -> Option<PublicationInfo<'a>> {
        self.0
            .child_in(NamespaceId::REGISTRATION, "PublicationInfo")
            .map(PublicationInfo::new)
    }

    /// Returns the `saml:Attribute`s of `mdattr:EntityAttributes`, such as entity categories
    /// (Metadata Extension for Entity Attributes 2.2).
    pub fn entity_attributes(self) -> impl Iterator<Item = SamlAttribute<'a>> {
        self.0
            .children_in(NamespaceId::ENTITY_ATTRIBUTES, "EntityAttributes")
            .flat_map(|attributes| attributes.children_in(NamespaceId::ASSERTION, "Attribute"))
            .map(SamlAttribute::new)
    }

    /// Returns the `Algorithm`s of `alg:DigestMethod` (Algorithm Support Profile 2.3).
    pub fn digest_methods(self) -> impl Iterator<Item = &'a str> {
        self.algorithms("DigestMethod")
    }

    /// Returns the `Algorithm`s of `alg:SigningMethod` (Algorithm Support Profile 2.4).
    pub fn signing_methods(self) -> impl Iterator<Item = &'a str> {
        self.algorithms("SigningMethod")
    }

    /// Returns `shibmd:Scope`: the domains that an identity provider may speak for.
    pub fn scopes(self) -> impl Iterator<Item = Scope<'a>> {
        self.0
            .children_in(NamespaceId::SHIBBOLETH, "Scope")
            .map(Scope::new)
    }

    fn algorithms(self, local_name: &'static str) -> impl Iterator<Item = &'a str> {
        self.0
            .children_in(NamespaceId::ALGORITHM, local_name)
            .map(|element| uri(element, "Algorithm"))
    }
}

view! {
    /// `mdrpi:RegistrationInfo`: who registered an entity, and when (MDRPI 2.1).
    RegistrationInfo
}

impl<'a> RegistrationInfo<'a> {
    /// Returns the `registrationAuthority`.
    #[must_use]
    pub fn authority(self) -> &'a str {
        uri(self.0, "registrationAuthority")
    }

    /// Returns the `registrationInstant`.
    ///
    /// # Errors
    ///
    /// Fails when it is not a time.
    pub fn instant(self) -> Result<Option<Timestamp>, ParseTimeError> {
        instant(self.0, "registrationInstant")
    }

    /// Returns the addresses of the `RegistrationPolicy` in its languages.
    pub fn policies(self) -> impl Iterator<Item = Localized<'a>> {
        self.0
            .children_in(NamespaceId::REGISTRATION, "RegistrationPolicy")
            .map(Localized::new)
    }
}

view! {
    /// `mdrpi:PublicationInfo`: who published a document, and when (MDRPI 2.2).
    PublicationInfo
}

impl<'a> PublicationInfo<'a> {
    /// Returns the `publisher`.
    #[must_use]
    pub fn publisher(self) -> &'a str {
        self.0.attribute("publisher").unwrap_or_default()
    }

    /// Returns the `creationInstant`.
    ///
    /// # Errors
    ///
    /// Fails when it is not a time.
    pub fn creation_instant(self) -> Result<Option<Timestamp>, ParseTimeError> {
        instant(self.0, "creationInstant")
    }

    /// Returns the `publicationId`.
    #[must_use]
    pub fn publication_id(self) -> Option<&'a str> {
        self.0.attribute("publicationId")
    }
}

view! {
    /// `shibmd:Scope`: a domain that an identity provider may speak for.
    Scope
}

impl<'a> Scope<'a> {
    /// Returns the domain, or the regular expression that domains must match.
    #[must_use]
    pub fn text(self) -> &'a str {
        collapse(self.0.text())
    }

    /// Returns whether the text is a regular expression; no is the default.
    #[must_use]
    pub fn is_regexp(self) -> bool {
        boolean(self.0, "regexp") == Some(true)
    }
}

fn instant(element: Element<'_>, name: &str) -> Result<Option<Timestamp>, ParseTimeError> {
    let text = element.attribute(name);
    text.map(|text| parse_moment(text).map(|moment| moment.timestamp))
        .transpose()
}
