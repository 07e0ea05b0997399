use jiff::Timestamp;

use super::{
    algorithm::SigningMethod,
    attribute_service::SamlAttribute,
    endpoint::{Endpoint, IndexedEndpoint},
    subject_id::SubjectIdRequirement,
    time::{ParseTimeError, parse_moment},
    ui::{DiscoHints, UiInfo},
    values::{Localized, boolean, uri},
    view,
};
use crate::{Element, names::entity_attribute, reader::chars::collapse, tree::NamespaceId};

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

    /// Returns the `mdrpi:Publication`s of `mdrpi:PublicationPath`: who published the document
    /// before, the first one first (MDRPI 2.3).
    pub fn publication_path(self) -> impl Iterator<Item = PublicationInfo<'a>> {
        self.0
            .children_in(NamespaceId::REGISTRATION, "PublicationPath")
            .flat_map(|path| path.children_in(NamespaceId::REGISTRATION, "Publication"))
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

    /// Returns the `saml:Assertion`s of `mdattr:EntityAttributes`, by which others say something
    /// about the entity (Metadata Extension for Entity Attributes 2.2).
    pub fn entity_assertions(self) -> impl Iterator<Item = Element<'a>> {
        self.0
            .children_in(NamespaceId::ENTITY_ATTRIBUTES, "EntityAttributes")
            .flat_map(|attributes| attributes.children_in(NamespaceId::ASSERTION, "Assertion"))
    }

    /// Returns the values of an entity attribute, such as those of
    /// [`entity_attribute::CATEGORY`].
    pub fn entity_attribute_values<'n>(
        self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.entity_attributes()
            .filter(move |attribute| attribute.name() == name)
            .flat_map(SamlAttribute::values)
            .map(|value| collapse(value.text()))
    }

    /// Returns which identifier of a subject a service needs (saml-subject-id-attr-v1.0 4.1);
    /// `None` when it does not say, or not in a way that the specification has.
    #[must_use]
    pub fn subject_id_requirement(self) -> Option<SubjectIdRequirement> {
        let mut values = self.entity_attribute_values(entity_attribute::SUBJECT_ID_REQUIREMENT);
        SubjectIdRequirement::parse(values.next()?)
    }

    /// Returns `idpdisc:DiscoveryResponse`: where a discovery service sends users back to
    /// (sstc-saml-idp-discovery 2.5).
    pub fn discovery_responses(self) -> impl Iterator<Item = IndexedEndpoint<'a>> {
        self.0
            .children_in(NamespaceId::DISCOVERY, "DiscoveryResponse")
            .map(IndexedEndpoint::new)
    }

    /// Returns `init:RequestInitiator`: where a service can be asked to start a login
    /// (sstc-request-initiation 2.3).
    pub fn request_initiators(self) -> impl Iterator<Item = Endpoint<'a>> {
        self.0
            .children_in(NamespaceId::REQUEST_INITIATION, "RequestInitiator")
            .map(Endpoint::new)
    }

    /// Returns the `Algorithm`s of `alg:DigestMethod` (Algorithm Support Profile 2.3).
    pub fn digest_methods(self) -> impl Iterator<Item = &'a str> {
        self.algorithms("DigestMethod")
    }

    /// Returns the `Algorithm`s of `alg:SigningMethod` (Algorithm Support Profile 2.4).
    pub fn signing_methods(self) -> impl Iterator<Item = &'a str> {
        self.algorithms("SigningMethod")
    }

    /// Returns `alg:SigningMethod`s with the sizes of keys that they are for (Algorithm Support
    /// Profile 2.4).
    pub fn signing_method_details(self) -> impl Iterator<Item = SigningMethod<'a>> {
        self.0
            .children_in(NamespaceId::ALGORITHM, "SigningMethod")
            .map(SigningMethod::new)
    }

    /// Returns `shibmd:KeyAuthority`: the authorities that certificates of the entities are issued
    /// by.
    pub fn key_authorities(self) -> impl Iterator<Item = KeyAuthority<'a>> {
        self.0
            .children_in(NamespaceId::SHIBBOLETH, "KeyAuthority")
            .map(KeyAuthority::new)
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
    /// `mdrpi:PublicationInfo` or `mdrpi:Publication`: who published a document, and when (MDRPI
    /// 2.2 and 2.3).
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

    /// Returns the addresses of the `UsagePolicy` in its languages.
    pub fn usage_policies(self) -> impl Iterator<Item = Localized<'a>> {
        self.0
            .children_in(NamespaceId::REGISTRATION, "UsagePolicy")
            .map(Localized::new)
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

view! {
    /// `shibmd:KeyAuthority`: who issues the certificates of entities.
    KeyAuthority
}

impl<'a> KeyAuthority<'a> {
    /// Returns how many certificates may stand between; 1 is the default.
    #[must_use]
    pub fn verify_depth(self) -> u8 {
        let depth = self.0.attribute("VerifyDepth").map(collapse);
        depth.and_then(|depth| depth.parse().ok()).unwrap_or(1)
    }

    /// Returns the `ds:KeyInfo`s of the authorities.
    pub fn key_infos(self) -> impl Iterator<Item = Element<'a>> {
        self.0.children_in(NamespaceId::SIGNATURE, "KeyInfo")
    }
}

fn instant(element: Element<'_>, name: &str) -> Result<Option<Timestamp>, ParseTimeError> {
    let text = element.attribute(name);
    text.map(|text| parse_moment(text).map(|moment| moment.timestamp))
        .transpose()
}
