//! Converts samael's type to a document.

use ::samael::{
    attribute::{Attribute, AttributeValue},
    metadata::{
        AffiliationDescriptor, AttributeConsumingService, ContactPerson, Endpoint,
        EntityDescriptor as SamaelEntity, IdpSsoDescriptor, IndexedEndpoint, KeyDescriptor,
        LocalizedName, Organization, SpSsoDescriptor,
    },
};
use chrono::{DateTime, SecondsFormat, Utc};

use super::{Converted, Loss, PREFIX};
use crate::{
    Document, Limits,
    names::namespace::{ASSERTION, METADATA, SCHEMA, SCHEMA_INSTANCE, SIGNATURE},
    read_with,
    write::{BuildError, xml::Xml},
};

const SIGNED: &str = "samael's type does not contain the signed bytes";
const NUMBER: &str = "samael's type is a number, not a duration";

/// Converts an entity of samael to a document.
///
/// # Errors
///
/// Fails if a value has a character that XML cannot represent, or exceeds the default limits.
pub fn from_samael(entity: &SamaelEntity) -> Result<Converted<Document>, BuildError> {
    let mut out = Out::new();
    out.entity(entity);
    out.document()
}

/// Writes a document and collects the losses.
pub(super) struct Out {
    xml: Xml,
    path: Vec<&'static str>,
    losses: Vec<Loss>,
}

/// Writes the attributes that all roles of samael have.
///
/// This is a macro because the fields have the same names, but the roles have no common type.
macro_rules! role_attributes {
    ($out:ident, $role:ident) => {
        $out.optional("ID", $role.id.as_deref());
        $out.time($role.valid_until);
        if $role.cache_duration.is_some() {
            $out.lose("/@cacheDuration", NUMBER);
        }
        let protocols = $role.protocol_support_enumeration.as_deref();
        $out.optional("protocolSupportEnumeration", protocols);
        $out.optional("errorURL", $role.error_url.as_deref());
    };
}

/// Writes a role that answers queries. Such roles differ in one list of services in samael.
macro_rules! authority {
    ($out:ident, $role:ident, $name:literal, $service:literal, $services:ident) => {
        $out.open($name);
        role_attributes!($out, $role);
        $out.signature($role.signature.is_some());
        $out.role_elements(
            &$role.key_descriptors,
            $role.organization.as_ref(),
            &$role.contact_people,
        );
        $out.endpoints($service, &$role.$services);
        $out.endpoints(
            "md:AssertionIDRequestService",
            &$role.assertion_id_request_services,
        );
        $out.texts("md:NameIDFormat", &$role.name_id_formats);
    };
}

impl Out {
    pub(super) fn new() -> Self {
        Self {
            xml: Xml::new(),
            path: Vec::new(),
            losses: Vec::new(),
        }
    }

    pub(super) fn document(self) -> Result<Converted<Document>, BuildError> {
        let value = read_with(self.xml.finish(), &Limits::default())
            .map_err(|source| BuildError::Unreadable { source })?;
        Ok(Converted {
            value,
            losses: self.losses,
        })
    }

    /// Declares the prefix `md` if the current element is the root element.
    pub(super) fn declare(&mut self) {
        if self.path.len() == 1 {
            self.xml.attribute("xmlns:md", METADATA);
        }
    }

    pub(super) fn open(&mut self, name: &'static str) {
        self.xml.open(name);
        self.path.push(name);
    }

    pub(super) fn close(&mut self) {
        if let Some(name) = self.path.pop() {
            self.xml.close(name);
        }
    }

    fn lose(&mut self, below: &str, what: &'static str) {
        let path = format!("/{}{below}", self.path.join("/"));
        self.losses.push(Loss { path, what });
    }

    pub(super) fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.xml.attribute(name, value);
        }
    }

    fn flag(&mut self, name: &str, value: Option<bool>) {
        self.optional(name, value.map(|value| value.to_string()).as_deref());
    }

    pub(super) fn time(&mut self, time: Option<DateTime<Utc>>) {
        let time = time.map(|time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        self.optional("validUntil", time.as_deref());
    }

    pub(super) fn signature(&mut self, is_present: bool) {
        if is_present {
            self.lose("/ds:Signature", SIGNED);
        }
    }

    fn text(&mut self, name: &'static str, value: &str) {
        self.open(name);
        self.xml.text(value);
        self.close();
    }

    fn texts(&mut self, name: &'static str, values: &[String]) {
        for value in values {
            self.text(name, value);
        }
    }

    pub(super) fn entity(&mut self, entity: &SamaelEntity) {
        self.open("md:EntityDescriptor");
        self.declare();
        self.optional("entityID", entity.entity_id.as_deref());
        self.optional("ID", entity.id.as_deref());
        self.time(entity.valid_until);
        self.optional("cacheDuration", entity.cache_duration.as_deref());
        self.signature(entity.signature.is_some());
        for role in entity.role_descriptors.iter().flatten() {
            self.open("md:RoleDescriptor");
            role_attributes!(self, role);
            self.signature(role.signature.is_some());
            self.role_elements(
                &role.key_descriptors,
                role.organization.as_ref(),
                &role.contact_people,
            );
            self.close();
        }
        for role in entity.idp_sso_descriptors.iter().flatten() {
            self.idp(role);
        }
        for role in entity.sp_sso_descriptors.iter().flatten() {
            self.sp(role);
        }
        for role in entity.authn_authority_descriptors.iter().flatten() {
            authority!(
                self,
                role,
                "md:AuthnAuthorityDescriptor",
                "md:AuthnQueryService",
                authn_query_services
            );
            self.close();
        }
        for role in entity.attribute_authority_descriptors.iter().flatten() {
            authority!(
                self,
                role,
                "md:AttributeAuthorityDescriptor",
                "md:AttributeService",
                attribute_services
            );
            self.texts("md:AttributeProfile", &role.attribute_profiles);
            self.attributes(&role.attributes);
            self.close();
        }
        for role in entity.pdp_descriptors.iter().flatten() {
            authority!(
                self,
                role,
                "md:PDPDescriptor",
                "md:AuthzService",
                authz_services
            );
            self.close();
        }
        if let Some(affiliation) = &entity.affiliation_descriptors {
            self.affiliation(affiliation);
        }
        if let Some(organization) = &entity.organization {
            self.organization(organization);
        }
        self.contacts(entity.contact_person.as_deref().unwrap_or_default());
        self.close();
    }

    fn role_elements(
        &mut self,
        keys: &[KeyDescriptor],
        organization: Option<&Organization>,
        contacts: &[ContactPerson],
    ) {
        for key in keys {
            self.key(key);
        }
        if let Some(organization) = organization {
            self.organization(organization);
        }
        self.contacts(contacts);
    }

    fn idp(&mut self, role: &IdpSsoDescriptor) {
        self.open("md:IDPSSODescriptor");
        role_attributes!(self, role);
        self.flag("WantAuthnRequestsSigned", role.want_authn_requests_signed);
        self.signature(role.signature.is_some());
        self.role_elements(
            &role.key_descriptors,
            role.organization.as_ref(),
            &role.contact_people,
        );
        self.indexed(
            "md:ArtifactResolutionService",
            &role.artifact_resolution_service,
        );
        self.endpoints("md:SingleLogoutService", &role.single_logout_services);
        self.endpoints("md:ManageNameIDService", &role.manage_name_id_services);
        self.texts("md:NameIDFormat", &role.name_id_formats);
        self.endpoints("md:SingleSignOnService", &role.single_sign_on_services);
        self.endpoints("md:NameIDMappingService", &role.name_id_mapping_services);
        self.endpoints(
            "md:AssertionIDRequestService",
            &role.assertion_id_request_services,
        );
        self.texts("md:AttributeProfile", &role.attribute_profiles);
        self.attributes(&role.attributes);
        self.close();
    }

    fn sp(&mut self, role: &SpSsoDescriptor) {
        self.open("md:SPSSODescriptor");
        role_attributes!(self, role);
        self.flag("AuthnRequestsSigned", role.authn_requests_signed);
        self.flag("WantAssertionsSigned", role.want_assertions_signed);
        self.role_elements(
            role.key_descriptors.as_deref().unwrap_or_default(),
            role.organization.as_ref(),
            role.contact_people.as_deref().unwrap_or_default(),
        );
        let artifact = role.artifact_resolution_service.as_deref();
        self.indexed("md:ArtifactResolutionService", artifact.unwrap_or_default());
        let logout = role.single_logout_services.as_deref();
        self.endpoints("md:SingleLogoutService", logout.unwrap_or_default());
        let manage = role.manage_name_id_services.as_deref();
        self.endpoints("md:ManageNameIDService", manage.unwrap_or_default());
        let formats = role.name_id_formats.as_deref();
        self.texts("md:NameIDFormat", formats.unwrap_or_default());
        self.indexed(
            "md:AssertionConsumerService",
            &role.assertion_consumer_services,
        );
        for service in role.attribute_consuming_services.iter().flatten() {
            self.attribute_service(service);
        }
        self.close();
    }

    fn affiliation(&mut self, affiliation: &AffiliationDescriptor) {
        self.open("md:AffiliationDescriptor");
        // In samael's type, an empty text is the only way to represent a missing value.
        let present = |text: &'_ str| !text.is_empty();
        self.xml
            .attribute("affiliationOwnerID", &affiliation.affiliation_descriptors);
        self.time(affiliation.valid_until);
        if present(&affiliation.cache_duration) {
            self.xml
                .attribute("cacheDuration", &affiliation.cache_duration);
        }
        if present(&affiliation.id) {
            self.xml.attribute("ID", &affiliation.id);
        }
        self.texts("md:AffiliateMember", &affiliation.affiliate_members);
        for key in &affiliation.key_descriptors {
            self.key(key);
        }
        self.close();
    }

    fn key(&mut self, key: &KeyDescriptor) {
        self.open("md:KeyDescriptor");
        self.optional("use", key.key_use.as_deref());
        self.open("ds:KeyInfo");
        self.xml.attribute("xmlns:ds", SIGNATURE);
        self.optional("Id", key.key_info.id.as_deref());
        if let Some(data) = &key.key_info.x509_data {
            self.open("ds:X509Data");
            self.texts("ds:X509Certificate", &data.certificates);
            self.close();
        }
        self.close();
        for method in key.encryption_methods.iter().flatten() {
            self.open("md:EncryptionMethod");
            self.xml.attribute("Algorithm", &method.algorithm);
            self.close();
        }
        self.close();
    }

    fn endpoints(&mut self, name: &'static str, endpoints: &[Endpoint]) {
        for endpoint in endpoints {
            self.open(name);
            self.xml.attribute("Binding", &endpoint.binding);
            self.xml.attribute("Location", &endpoint.location);
            self.optional("ResponseLocation", endpoint.response_location.as_deref());
            self.close();
        }
    }

    fn indexed(&mut self, name: &'static str, endpoints: &[IndexedEndpoint]) {
        for endpoint in endpoints {
            self.open(name);
            self.xml.attribute("Binding", &endpoint.binding);
            self.xml.attribute("Location", &endpoint.location);
            self.optional("ResponseLocation", endpoint.response_location.as_deref());
            self.xml.attribute("index", &endpoint.index.to_string());
            self.flag("isDefault", endpoint.is_default);
            self.close();
        }
    }

    fn organization(&mut self, organization: &Organization) {
        self.open("md:Organization");
        self.localized(
            "md:OrganizationName",
            organization
                .organization_names
                .as_deref()
                .unwrap_or_default(),
        );
        let names = organization.organization_display_names.as_deref();
        self.localized("md:OrganizationDisplayName", names.unwrap_or_default());
        for url in organization.organization_urls.iter().flatten() {
            self.one_localized("md:OrganizationURL", url.lang.as_deref(), &url.value);
        }
        self.close();
    }

    fn localized(&mut self, name: &'static str, texts: &[LocalizedName]) {
        for text in texts {
            self.one_localized(name, text.lang.as_deref(), &text.value);
        }
    }

    fn one_localized(&mut self, name: &'static str, language: Option<&str>, text: &str) {
        self.open(name);
        self.optional("xml:lang", language);
        self.xml.text(text);
        self.close();
    }

    fn contacts(&mut self, contacts: &[ContactPerson]) {
        for contact in contacts {
            self.open("md:ContactPerson");
            self.optional("contactType", contact.contact_type.as_deref());
            for (name, value) in [
                ("md:Company", &contact.company),
                ("md:GivenName", &contact.given_name),
                ("md:SurName", &contact.sur_name),
            ] {
                if let Some(value) = value {
                    self.text(name, value);
                }
            }
            self.texts(
                "md:EmailAddress",
                contact.email_addresses.as_deref().unwrap_or_default(),
            );
            self.texts(
                "md:TelephoneNumber",
                contact.telephone_numbers.as_deref().unwrap_or_default(),
            );
            self.close();
        }
    }

    fn attribute_service(&mut self, service: &AttributeConsumingService) {
        self.open("md:AttributeConsumingService");
        self.xml.attribute("index", &service.index.to_string());
        self.flag("isDefault", service.is_default);
        self.localized("md:ServiceName", &service.service_names);
        let descriptions = service.service_descriptions.as_deref();
        self.localized("md:ServiceDescription", descriptions.unwrap_or_default());
        for attribute in &service.request_attributes {
            self.open("md:RequestedAttribute");
            self.xml.attribute("Name", &attribute.name);
            self.optional("NameFormat", attribute.name_format.as_deref());
            self.optional("FriendlyName", attribute.friendly_name.as_deref());
            self.flag("isRequired", attribute.is_required);
            self.values(attribute.values.as_deref().unwrap_or_default());
            self.close();
        }
        self.close();
    }

    fn attributes(&mut self, attributes: &[Attribute]) {
        for attribute in attributes {
            self.open("saml:Attribute");
            self.xml.attribute("xmlns:saml", ASSERTION);
            self.optional("Name", attribute.name.as_deref());
            self.optional("NameFormat", attribute.name_format.as_deref());
            self.optional("FriendlyName", attribute.friendly_name.as_deref());
            self.values(&attribute.values);
            self.close();
        }
    }

    fn values(&mut self, values: &[AttributeValue]) {
        for value in values {
            self.open("saml:AttributeValue");
            self.xml.attribute("xmlns:saml", ASSERTION);
            if let Some(name) = &value.attribute_type {
                self.xml.attribute("xmlns:xsi", SCHEMA_INSTANCE);
                self.xml.attribute("xmlns:xs", SCHEMA);
                self.xml.attribute("xsi:type", name);
                if !name.starts_with("xs:") {
                    self.lose("/@xsi:type", PREFIX);
                }
            }
            self.xml.text(value.value.as_deref().unwrap_or_default());
            self.close();
        }
    }
}
