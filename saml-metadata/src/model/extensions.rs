//! Views of `Extensions` and of the extensions in it.

use jiff::Timestamp;

use super::{
    algorithm::SigningMethod,
    attribute_service::SamlAttribute,
    endpoint::{Endpoint, IndexedEndpoint},
    subject_id::SubjectIdRequirement,
    time::{ParseTimeError, parse_date_time},
    ui::{DiscoHints, UiInfo},
    values::{Localized, boolean, uri},
    view,
};
use crate::{
    Element, local_name::LocalName, names::entity_attribute, reader::chars::collapse,
    tree::NamespaceId,
};

view! {
    /// `Extensions`: elements that the SAML specification does not define (MD 2.2.1).
    Extensions
}

impl<'a> Extensions<'a> {
    /// Returns the `Extensions` of an element.
    pub(crate) fn of(parent: Element<'a>) -> Option<Self> {
        parent
            .child_in(NamespaceId::METADATA, name!("Extensions"))
            .map(Self::new)
    }

    /// Returns all extensions as elements, known and unknown.
    pub fn elements(self) -> impl Iterator<Item = Element<'a>> {
        self.0.children()
    }

    /// Returns `mdui:UIInfo`: display information for users (MDUI 2.1).
    #[must_use]
    pub fn ui_info(self) -> Option<UiInfo<'a>> {
        self.0
            .child_in(NamespaceId::UI, name!("UIInfo"))
            .map(UiInfo::new)
    }

    /// Returns `mdui:DiscoHints`: hints for guessing the identity provider of a user (MDUI 2.2).
    #[must_use]
    pub fn disco_hints(self) -> Option<DiscoHints<'a>> {
        self.0
            .child_in(NamespaceId::UI, name!("DiscoHints"))
            .map(DiscoHints::new)
    }

    /// Returns `mdrpi:RegistrationInfo`: the registrar of the entity (MDRPI 2.1).
    #[must_use]
    pub fn registration_info(self) -> Option<RegistrationInfo<'a>> {
        self.0
            .child_in(NamespaceId::REGISTRATION, name!("RegistrationInfo"))
            .map(RegistrationInfo::new)
    }

    /// Returns `mdrpi:PublicationInfo`: the publisher of the document (MDRPI 2.2).
    #[must_use]
    pub fn publication_info(self) -> Option<PublicationInfo<'a>> {
        self.0
            .child_in(NamespaceId::REGISTRATION, name!("PublicationInfo"))
            .map(PublicationInfo::new)
    }

    /// Returns the `mdrpi:Publication`s of `mdrpi:PublicationPath`: the earlier publishers of the
    /// document, oldest first (MDRPI 2.3).
    pub fn publication_path(self) -> impl Iterator<Item = PublicationInfo<'a>> {
        self.0
            .children_in(NamespaceId::REGISTRATION, name!("PublicationPath"))
            .flat_map(|path| path.children_in(NamespaceId::REGISTRATION, name!("Publication")))
            .map(PublicationInfo::new)
    }

    /// Returns the `saml:Attribute`s of `mdattr:EntityAttributes`, such as entity categories
    /// (Metadata Extension for Entity Attributes 2.2).
    pub fn entity_attributes(self) -> impl Iterator<Item = SamlAttribute<'a>> {
        self.0
            .children_in(NamespaceId::ENTITY_ATTRIBUTES, name!("EntityAttributes"))
            .flat_map(|attributes| {
                attributes.children_in(NamespaceId::ASSERTION, name!("Attribute"))
            })
            .map(SamlAttribute::new)
    }

    /// Returns the `saml:Assertion`s of `mdattr:EntityAttributes`: statements of third parties about
    /// the entity (Metadata Extension for Entity Attributes 2.2).
    pub fn entity_assertions(self) -> impl Iterator<Item = Element<'a>> {
        self.0
            .children_in(NamespaceId::ENTITY_ATTRIBUTES, name!("EntityAttributes"))
            .flat_map(|attributes| {
                attributes.children_in(NamespaceId::ASSERTION, name!("Assertion"))
            })
    }

    /// Returns the values of an entity attribute, for example [`entity_attribute::CATEGORY`].
    pub fn entity_attribute_values<'n>(
        self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.entity_attributes()
            .filter(move |attribute| attribute.name() == name)
            .flat_map(SamlAttribute::values)
            .map(|value| collapse(value.text()))
    }

    /// Returns the kind of subject identifier that a service requires (saml-subject-id-attr-v1.0
    /// 4.1).
    ///
    /// Returns `None` if the value is missing or not defined by the specification.
    #[must_use]
    pub fn subject_id_requirement(self) -> Option<SubjectIdRequirement> {
        let mut values = self.entity_attribute_values(entity_attribute::SUBJECT_ID_REQUIREMENT);
        SubjectIdRequirement::parse(values.next()?)
    }

    /// Returns `idpdisc:DiscoveryResponse`: the endpoints to which a discovery service returns users
    /// (sstc-saml-idp-discovery 2.5).
    pub fn discovery_responses(self) -> impl Iterator<Item = IndexedEndpoint<'a>> {
        self.0
            .children_in(NamespaceId::DISCOVERY, name!("DiscoveryResponse"))
            .map(IndexedEndpoint::new)
    }

    /// Returns `init:RequestInitiator`: the endpoints at which a service starts a login on request
    /// (sstc-request-initiation 2.3).
    pub fn request_initiators(self) -> impl Iterator<Item = Endpoint<'a>> {
        self.0
            .children_in(NamespaceId::REQUEST_INITIATION, name!("RequestInitiator"))
            .map(Endpoint::new)
    }

    /// Returns the `Algorithm`s of `alg:DigestMethod` (Algorithm Support Profile 2.3).
    pub fn digest_methods(self) -> impl Iterator<Item = &'a str> {
        self.algorithms(name!("DigestMethod"))
    }

    /// Returns the `Algorithm`s of `alg:SigningMethod` (Algorithm Support Profile 2.4).
    pub fn signing_methods(self) -> impl Iterator<Item = &'a str> {
        self.algorithms(name!("SigningMethod"))
    }

    /// Returns the `alg:SigningMethod`s with their key sizes (Algorithm Support Profile 2.4).
    pub fn signing_method_details(self) -> impl Iterator<Item = SigningMethod<'a>> {
        self.0
            .children_in(NamespaceId::ALGORITHM, name!("SigningMethod"))
            .map(SigningMethod::new)
    }

    /// Returns `shibmd:KeyAuthority`: the certificate authorities that issue certificates for the
    /// entities.
    pub fn key_authorities(self) -> impl Iterator<Item = KeyAuthority<'a>> {
        self.0
            .children_in(NamespaceId::SHIBBOLETH, name!("KeyAuthority"))
            .map(KeyAuthority::new)
    }

    /// Returns `shibmd:Scope`: the domains for which an identity provider may make assertions.
    pub fn scopes(self) -> impl Iterator<Item = Scope<'a>> {
        self.0
            .children_in(NamespaceId::SHIBBOLETH, name!("Scope"))
            .map(Scope::new)
    }

    fn algorithms(self, local_name: LocalName) -> impl Iterator<Item = &'a str> {
        self.0
            .children_in(NamespaceId::ALGORITHM, local_name)
            .map(|element| uri(element, name!("Algorithm")))
    }
}

view! {
    /// `mdrpi:RegistrationInfo`: the registrar and the time of registration (MDRPI 2.1).
    RegistrationInfo
}

impl<'a> RegistrationInfo<'a> {
    /// Returns the `registrationAuthority`.
    #[must_use]
    pub fn authority(self) -> &'a str {
        uri(self.0, name!("registrationAuthority"))
    }

    /// Returns the `registrationInstant`.
    ///
    /// # Errors
    ///
    /// Fails if the value is not a time.
    pub fn instant(self) -> Result<Option<Timestamp>, ParseTimeError> {
        instant(self.0, "registrationInstant")
    }

    /// Returns the URLs of the `RegistrationPolicy`, one per language.
    pub fn policies(self) -> impl Iterator<Item = Localized<'a>> {
        self.0
            .children_in(NamespaceId::REGISTRATION, name!("RegistrationPolicy"))
            .map(Localized::new)
    }
}

view! {
    /// `mdrpi:PublicationInfo` or `mdrpi:Publication`: the publisher and the time of publication
    /// (MDRPI 2.2 and 2.3).
    PublicationInfo
}

impl<'a> PublicationInfo<'a> {
    /// Returns the `publisher`.
    #[must_use]
    pub fn publisher(self) -> &'a str {
        self.0.own_attribute(name!("publisher")).unwrap_or_default()
    }

    /// Returns the `creationInstant`.
    ///
    /// # Errors
    ///
    /// Fails if the value is not a time.
    pub fn creation_instant(self) -> Result<Option<Timestamp>, ParseTimeError> {
        instant(self.0, "creationInstant")
    }

    /// Returns the `publicationId`.
    #[must_use]
    pub fn publication_id(self) -> Option<&'a str> {
        self.0.own_attribute(name!("publicationId"))
    }

    /// Returns the URLs of the `UsagePolicy`, one per language.
    pub fn usage_policies(self) -> impl Iterator<Item = Localized<'a>> {
        self.0
            .children_in(NamespaceId::REGISTRATION, name!("UsagePolicy"))
            .map(Localized::new)
    }
}

view! {
    /// `shibmd:Scope`: a domain for which an identity provider may make assertions.
    Scope
}

impl<'a> Scope<'a> {
    /// Returns the domain, or a regular expression that the domain must match.
    #[must_use]
    pub fn text(self) -> &'a str {
        collapse(self.0.text())
    }

    /// Returns whether the text is a regular expression (default: `false`).
    #[must_use]
    pub fn is_regexp(self) -> bool {
        boolean(self.0, name!("regexp")) == Some(true)
    }
}

view! {
    /// `shibmd:KeyAuthority`: the certificate authorities that issue certificates for entities.
    KeyAuthority
}

impl<'a> KeyAuthority<'a> {
    /// Returns the maximum number of intermediate certificates (default: 1).
    #[must_use]
    pub fn verify_depth(self) -> u8 {
        let depth = self.0.own_attribute(name!("VerifyDepth")).map(collapse);
        depth.and_then(|depth| depth.parse().ok()).unwrap_or(1)
    }

    /// Returns the `ds:KeyInfo`s of the authorities.
    pub fn key_infos(self) -> impl Iterator<Item = Element<'a>> {
        self.0.children_in(NamespaceId::SIGNATURE, name!("KeyInfo"))
    }
}

fn instant(element: Element<'_>, name: &str) -> Result<Option<Timestamp>, ParseTimeError> {
    let text = element.attribute(name);
    text.map(|text| parse_date_time(text).map(|time| time.timestamp))
        .transpose()
}
