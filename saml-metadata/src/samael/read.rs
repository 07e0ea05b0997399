//! Converts an entity to samael's type.

use ::samael::{
    attribute::{Attribute, AttributeValue},
    key_info::{KeyInfo, X509Data},
    metadata::{
        AffiliationDescriptor, AttributeAuthorityDescriptors, AttributeConsumingService,
        AuthnAuthorityDescriptors, ContactPerson, EncryptionMethod, Endpoint,
        EntityDescriptor as SamaelEntity, IdpSsoDescriptor, IndexedEndpoint, KeyDescriptor,
        LocalizedName, LocalizedUri, Organization, PdpDescriptors, RequestedAttribute,
        RoleDescriptor, SpSsoDescriptor,
    },
};
use chrono::{DateTime, Utc};

use super::{Converted, Loss, PREFIX};
use crate::{
    Element, EntityDescriptor,
    model::{time::valid_until, values::parse_boolean},
    names::namespace::{ASSERTION, METADATA, SCHEMA, SCHEMA_INSTANCE, SIGNATURE, XML},
};

const UNSUPPORTED: &str = "is not supported by samael";
const REQUIRED: &str = "is missing but required by samael, so it became an empty string";

/// Converts an entity to samael's type.
#[must_use]
pub fn to_samael(entity: EntityDescriptor<'_>) -> Converted<SamaelEntity> {
    let mut walk = Walk::default();
    let value = walk.entity(entity.element());
    walk.converted(value)
}

/// The attributes that all roles have.
const ROLE: [&str; 4] = ["ID", "validUntil", "protocolSupportEnumeration", "errorURL"];
/// The elements that all roles have.
const ROLE_ELEMENTS: [&str; 3] = ["KeyDescriptor", "Organization", "ContactPerson"];
/// The elements that both single sign-on roles have.
const SSO_ELEMENTS: [&str; 4] = [
    "ArtifactResolutionService",
    "SingleLogoutService",
    "ManageNameIDService",
    "NameIDFormat",
];

/// Converts elements and collects the losses.
#[derive(Default)]
pub(super) struct Walk {
    losses: Vec<Loss>,
}

/// Creates a role of samael: fills the fields that all roles have, and the given fields.
macro_rules! role {
    ($walk:ident, $element:ident, $type:ident { $($field:ident: $value:expr,)* } $($rest:tt)*) => {
        $type {
            id: text_of($element, "ID"),
            valid_until: $walk.time($element),
            cache_duration: None,
            protocol_support_enumeration: text_of($element, "protocolSupportEnumeration"),
            error_url: text_of($element, "errorURL"),
            organization: $walk.one($element, METADATA, "Organization").map(|element| $walk.organization(element)),
            $($field: $value,)*
            $($rest)*
        }
    };
}

impl Walk {
    pub(super) fn converted<T>(self, value: T) -> Converted<T> {
        Converted {
            value,
            losses: self.losses,
        }
    }

    fn lose(&mut self, path: String, what: &'static str) {
        self.losses.push(Loss { path, what });
    }

    /// Reports all attributes and children of an element except the given ones.
    pub(super) fn report_others(
        &mut self,
        element: Element<'_>,
        attributes: &[&str],
        children: &[&[&str]],
    ) {
        let namespace = if element.namespace() == SIGNATURE {
            SIGNATURE
        } else {
            METADATA
        };
        self.report_others_of(element, namespace, attributes, children);
    }

    fn report_others_of(
        &mut self,
        element: Element<'_>,
        namespace: &str,
        attributes: &[&str],
        children: &[&[&str]],
    ) {
        for attribute in element.attributes() {
            let name = match attribute.namespace() {
                "" => attribute.local_name().to_owned(),
                XML => format!("xml:{}", attribute.local_name()),
                SCHEMA_INSTANCE => format!("xsi:{}", attribute.local_name()),
                _ => attribute.qualified_name().to_owned(),
            };
            if !attributes.contains(&name.as_str()) {
                self.lose(format!("{}/@{name}", element.path()), UNSUPPORTED);
            }
        }
        for child in element.children() {
            let is_supported = child.namespace() == namespace
                && children
                    .iter()
                    .any(|names| names.contains(&child.local_name()));
            if !is_supported {
                self.lose(child.path(), UNSUPPORTED);
            }
        }
        if element.children().next().is_some() && !element.text().trim().is_empty() {
            self.lose(format!("{}/text()", element.path()), UNSUPPORTED);
        }
    }

    /// Returns the text of an element, and reports its children and its other attributes.
    fn leaf<'a>(&mut self, element: Element<'a>, attributes: &[&str]) -> &'a str {
        self.report_others_of(element, "", attributes, &[]);
        element.text()
    }

    /// Returns the first child with a name, and reports further children with this name.
    fn one<'a>(
        &mut self,
        element: Element<'a>,
        namespace: &str,
        name: &str,
    ) -> Option<Element<'a>> {
        let mut found = element.children().filter(|child| child.is(namespace, name));
        let first = found.next();
        for more in found {
            self.lose(
                more.path(),
                "samael supports only one element with this name",
            );
        }
        first
    }

    fn required(&mut self, element: Element<'_>, name: &str) -> String {
        element.attribute(name).map_or_else(
            || {
                self.lose(format!("{}/@{name}", element.path()), REQUIRED);
                String::new()
            },
            str::to_owned,
        )
    }

    pub(super) fn time(&mut self, element: Element<'_>) -> Option<DateTime<Utc>> {
        let time = match valid_until(element) {
            Ok(time) => time?,
            Err(_unreadable) => {
                self.lose(format!("{}/@validUntil", element.path()), "is not a time");
                return None;
            }
        };
        let nanoseconds = time.subsec_nanosecond();
        // Before 1970, both the seconds and the nanoseconds are negative.
        let seconds = time.as_second() - i64::from(nanoseconds < 0);
        let nanoseconds = if nanoseconds < 0 {
            nanoseconds + 1_000_000_000
        } else {
            nanoseconds
        };
        let converted =
            DateTime::from_timestamp(seconds, u32::try_from(nanoseconds).unwrap_or_default());
        if converted.is_none() {
            self.lose(format!("{}/@validUntil", element.path()), UNSUPPORTED);
        }
        converted
    }

    fn flag(&mut self, element: Element<'_>, name: &str) -> Option<bool> {
        let flag = parse_boolean(element.attribute(name)?);
        if flag.is_none() {
            self.lose(format!("{}/@{name}", element.path()), "is not a boolean");
        }
        flag
    }

    fn index(&mut self, element: Element<'_>) -> Option<usize> {
        let index = element
            .attribute("index")
            .and_then(|index| index.trim().parse().ok());
        if index.is_none() {
            self.lose(
                element.path(),
                "has no numeric index, which samael requires",
            );
        }
        index
    }

    pub(super) fn entity(&mut self, element: Element<'_>) -> SamaelEntity {
        let roles = [
            "RoleDescriptor",
            "IDPSSODescriptor",
            "SPSSODescriptor",
            "AuthnAuthorityDescriptor",
            "AttributeAuthorityDescriptor",
            "PDPDescriptor",
        ];
        let rest = ["AffiliationDescriptor", "Organization", "ContactPerson"];
        self.report_others(
            element,
            &["entityID", "ID", "validUntil", "cacheDuration"],
            &[&roles, &rest],
        );
        let ranks: Vec<usize> = element
            .children()
            .filter(|child| child.namespace() == METADATA)
            .filter_map(|child| roles.iter().position(|name| *name == child.local_name()))
            .collect();
        if !ranks.is_sorted() {
            self.lose(
                element.path(),
                "samael does not keep the order of roles of different kinds",
            );
        }
        SamaelEntity {
            entity_id: text_of(element, "entityID"),
            id: text_of(element, "ID"),
            signature: None,
            valid_until: self.time(element),
            cache_duration: text_of(element, "cacheDuration"),
            role_descriptors: self.list(element, roles[0], Self::role),
            idp_sso_descriptors: self.list(element, roles[1], Self::idp),
            sp_sso_descriptors: self.list(element, roles[2], Self::sp),
            authn_authority_descriptors: self.list(element, roles[3], Self::authn_authority),
            attribute_authority_descriptors: self.list(
                element,
                roles[4],
                Self::attribute_authority,
            ),
            pdp_descriptors: self.list(element, roles[5], Self::pdp),
            affiliation_descriptors: self
                .one(element, METADATA, rest[0])
                .map(|element| self.affiliation(element)),
            contact_person: self.list(element, "ContactPerson", Self::contact),
            organization: self
                .one(element, METADATA, "Organization")
                .map(|element| self.organization(element)),
        }
    }

    fn role(&mut self, element: Element<'_>) -> RoleDescriptor {
        self.report_others(element, &ROLE, &[&ROLE_ELEMENTS]);
        role!(
            self,
            element,
            RoleDescriptor {
                signature: None,
                key_descriptors: self.all(element, "KeyDescriptor", Self::key),
                contact_people: self.all(element, "ContactPerson", Self::contact),
            }
        )
    }

    fn idp(&mut self, element: Element<'_>) -> IdpSsoDescriptor {
        let attributes = [
            ROLE[0],
            ROLE[1],
            ROLE[2],
            ROLE[3],
            "WantAuthnRequestsSigned",
        ];
        let own = [
            "SingleSignOnService",
            "NameIDMappingService",
            "AssertionIDRequestService",
            "AttributeProfile",
        ];
        self.report_others(element, &attributes, &[&ROLE_ELEMENTS, &SSO_ELEMENTS, &own]);
        self.keep_attributes(element);
        role!(
            self,
            element,
            IdpSsoDescriptor {
                signature: None,
                key_descriptors: self.all(element, "KeyDescriptor", Self::key),
                contact_people: self.all(element, "ContactPerson", Self::contact),
                artifact_resolution_service: self.indexed(element, SSO_ELEMENTS[0]),
                single_logout_services: self.all(element, SSO_ELEMENTS[1], Self::endpoint),
                manage_name_id_services: self.all(element, SSO_ELEMENTS[2], Self::endpoint),
                name_id_formats: self.all(element, SSO_ELEMENTS[3], Self::text),
                want_authn_requests_signed: self.flag(element, "WantAuthnRequestsSigned"),
                single_sign_on_services: self.all(element, own[0], Self::endpoint),
                name_id_mapping_services: self.all(element, own[1], Self::endpoint),
                assertion_id_request_services: self.all(element, own[2], Self::endpoint),
                attribute_profiles: self.all(element, own[3], Self::text),
                attributes: self.attributes(element),
            }
        )
    }

    fn sp(&mut self, element: Element<'_>) -> SpSsoDescriptor {
        let signed = ["AuthnRequestsSigned", "WantAssertionsSigned"];
        let attributes = [ROLE[0], ROLE[1], ROLE[2], ROLE[3], signed[0], signed[1]];
        let own = ["AssertionConsumerService", "AttributeConsumingService"];
        self.report_others(element, &attributes, &[&ROLE_ELEMENTS, &SSO_ELEMENTS, &own]);
        let services = element
            .children()
            .filter(|child| child.is(METADATA, own[1]));
        let services: Vec<_> = services
            .filter_map(|service| self.attribute_service(service))
            .collect();
        role!(
            self,
            element,
            SpSsoDescriptor {
                key_descriptors: self.list(element, "KeyDescriptor", Self::key),
                contact_people: self.list(element, "ContactPerson", Self::contact),
                artifact_resolution_service: some(self.indexed(element, SSO_ELEMENTS[0])),
                single_logout_services: self.list(element, SSO_ELEMENTS[1], Self::endpoint),
                manage_name_id_services: self.list(element, SSO_ELEMENTS[2], Self::endpoint),
                name_id_formats: self.list(element, SSO_ELEMENTS[3], Self::text),
                authn_requests_signed: self.flag(element, signed[0]),
                want_assertions_signed: self.flag(element, signed[1]),
                assertion_consumer_services: self.indexed(element, own[0]),
                attribute_consuming_services: some(services),
            }
        )
    }

    fn authn_authority(&mut self, element: Element<'_>) -> AuthnAuthorityDescriptors {
        let own = [
            "AuthnQueryService",
            "AssertionIDRequestService",
            "NameIDFormat",
        ];
        self.report_others(element, &ROLE, &[&ROLE_ELEMENTS, &own]);
        role!(
            self,
            element,
            AuthnAuthorityDescriptors {
                signature: None,
                key_descriptors: self.all(element, "KeyDescriptor", Self::key),
                contact_people: self.all(element, "ContactPerson", Self::contact),
                authn_query_services: self.all(element, own[0], Self::endpoint),
                assertion_id_request_services: self.all(element, own[1], Self::endpoint),
                name_id_formats: self.all(element, own[2], Self::text),
            }
        )
    }

    fn attribute_authority(&mut self, element: Element<'_>) -> AttributeAuthorityDescriptors {
        let own = [
            "AttributeService",
            "AssertionIDRequestService",
            "NameIDFormat",
            "AttributeProfile",
        ];
        self.report_others(element, &ROLE, &[&ROLE_ELEMENTS, &own]);
        self.keep_attributes(element);
        role!(
            self,
            element,
            AttributeAuthorityDescriptors {
                signature: None,
                key_descriptors: self.all(element, "KeyDescriptor", Self::key),
                contact_people: self.all(element, "ContactPerson", Self::contact),
                attribute_services: self.all(element, own[0], Self::endpoint),
                assertion_id_request_services: self.all(element, own[1], Self::endpoint),
                name_id_formats: self.all(element, own[2], Self::text),
                attribute_profiles: self.all(element, own[3], Self::text),
                attributes: self.attributes(element),
            }
        )
    }

    fn pdp(&mut self, element: Element<'_>) -> PdpDescriptors {
        let own = ["AuthzService", "AssertionIDRequestService", "NameIDFormat"];
        self.report_others(element, &ROLE, &[&ROLE_ELEMENTS, &own]);
        role!(
            self,
            element,
            PdpDescriptors {
                signature: None,
                key_descriptors: self.all(element, "KeyDescriptor", Self::key),
                contact_people: self.all(element, "ContactPerson", Self::contact),
                authz_services: self.all(element, own[0], Self::endpoint),
                assertion_id_request_services: self.all(element, own[1], Self::endpoint),
                name_id_formats: self.all(element, own[2], Self::text),
            }
        )
    }

    fn affiliation(&mut self, element: Element<'_>) -> AffiliationDescriptor {
        let attributes = ["affiliationOwnerID", "ID", "validUntil", "cacheDuration"];
        self.report_others(
            element,
            &attributes,
            &[&["AffiliateMember", "KeyDescriptor"]],
        );
        AffiliationDescriptor {
            affiliation_descriptors: self.required(element, attributes[0]),
            id: self.required(element, attributes[1]),
            valid_until: self.time(element),
            cache_duration: self.required(element, attributes[3]),
            affiliate_members: self.all(element, "AffiliateMember", Self::text),
            key_descriptors: self.all(element, "KeyDescriptor", Self::key),
        }
    }

    fn key(&mut self, element: Element<'_>) -> KeyDescriptor {
        self.report_others_of_key(element);
        let info = self.one(element, SIGNATURE, "KeyInfo");
        KeyDescriptor {
            key_use: text_of(element, "use"),
            key_info: KeyInfo {
                id: info.and_then(|info| text_of(info, "Id")),
                x509_data: info.and_then(|info| self.x509_data(info)),
            },
            encryption_methods: self.list(element, "EncryptionMethod", |walk, method| {
                walk.report_others(method, &["Algorithm"], &[]);
                EncryptionMethod {
                    algorithm: walk.required(method, "Algorithm"),
                }
            }),
        }
    }

    /// Reports the unsupported children of a `KeyDescriptor`, in which `ds:KeyInfo` is supported.
    fn report_others_of_key(&mut self, element: Element<'_>) {
        let at = self.losses.len();
        self.report_others(element, &["use"], &[&["EncryptionMethod"]]);
        let paths: Vec<String> = element
            .children()
            .filter(|child| child.is(SIGNATURE, "KeyInfo"))
            .map(Element::path)
            .collect();
        let mut number = 0;
        self.losses.retain(|loss| {
            number += 1;
            number <= at || !paths.contains(&loss.path)
        });
        if paths.is_empty() {
            self.lose(
                format!("{}/ds:KeyInfo", element.path()),
                "is missing but required by samael, so it became an empty element",
            );
        }
    }

    fn x509_data(&mut self, info: Element<'_>) -> Option<X509Data> {
        self.report_others(info, &["Id"], &[&["X509Data"]]);
        let mut certificates = Vec::new();
        let mut count = 0;
        for data in info
            .children()
            .filter(|child| child.is(SIGNATURE, "X509Data"))
        {
            count += 1;
            self.report_others(data, &[], &[&["X509Certificate"]]);
            if count > 1 {
                self.lose(
                    data.path(),
                    "samael supports only one X509Data, so the certificates moved to the first",
                );
            }
            for certificate in data
                .children()
                .filter(|child| child.is(SIGNATURE, "X509Certificate"))
            {
                certificates.push(self.text(certificate));
            }
        }
        (count > 0).then_some(X509Data { certificates })
    }

    fn endpoint(&mut self, element: Element<'_>) -> Endpoint {
        self.report_others(element, &["Binding", "Location", "ResponseLocation"], &[]);
        Endpoint {
            binding: self.required(element, "Binding"),
            location: self.required(element, "Location"),
            response_location: text_of(element, "ResponseLocation"),
        }
    }

    fn indexed(&mut self, element: Element<'_>, name: &str) -> Vec<IndexedEndpoint> {
        let endpoints = element.children().filter(|child| child.is(METADATA, name));
        endpoints
            .filter_map(|endpoint| self.indexed_endpoint(endpoint))
            .collect()
    }

    fn indexed_endpoint(&mut self, element: Element<'_>) -> Option<IndexedEndpoint> {
        let index = self.index(element)?;
        let attributes = [
            "Binding",
            "Location",
            "ResponseLocation",
            "index",
            "isDefault",
        ];
        self.report_others(element, &attributes, &[]);
        Some(IndexedEndpoint {
            binding: self.required(element, attributes[0]),
            location: self.required(element, attributes[1]),
            response_location: text_of(element, attributes[2]),
            index,
            is_default: self.flag(element, attributes[4]),
        })
    }

    fn organization(&mut self, element: Element<'_>) -> Organization {
        let own = [
            "OrganizationName",
            "OrganizationDisplayName",
            "OrganizationURL",
        ];
        self.report_others(element, &[], &[&own]);
        Organization {
            organization_names: self.list(element, own[0], Self::localized),
            organization_display_names: self.list(element, own[1], Self::localized),
            organization_urls: self.list(element, own[2], |walk, element| {
                let LocalizedName { lang, value } = walk.localized(element);
                LocalizedUri { lang, value }
            }),
        }
    }

    fn localized(&mut self, element: Element<'_>) -> LocalizedName {
        let value = self.leaf(element, &["xml:lang"]).to_owned();
        let lang = element.attribute_in(XML, "lang").map(str::to_owned);
        LocalizedName { lang, value }
    }

    fn contact(&mut self, element: Element<'_>) -> ContactPerson {
        let own = [
            "Company",
            "GivenName",
            "SurName",
            "EmailAddress",
            "TelephoneNumber",
        ];
        self.report_others(element, &["contactType"], &[&own]);
        ContactPerson {
            contact_type: text_of(element, "contactType"),
            company: self
                .one(element, METADATA, own[0])
                .map(|element| self.text(element)),
            given_name: self
                .one(element, METADATA, own[1])
                .map(|element| self.text(element)),
            sur_name: self
                .one(element, METADATA, own[2])
                .map(|element| self.text(element)),
            email_addresses: self.list(element, own[3], Self::text),
            telephone_numbers: self.list(element, own[4], Self::text),
        }
    }

    fn attribute_service(&mut self, element: Element<'_>) -> Option<AttributeConsumingService> {
        let index = self.index(element)?;
        let own = ["ServiceName", "ServiceDescription", "RequestedAttribute"];
        self.report_others(element, &["index", "isDefault"], &[&own]);
        Some(AttributeConsumingService {
            index,
            is_default: self.flag(element, "isDefault"),
            service_names: self.all(element, own[0], Self::localized),
            service_descriptions: self.list(element, own[1], Self::localized),
            request_attributes: self.all(element, own[2], |walk, element| {
                let attributes = ["FriendlyName", "Name", "NameFormat", "isRequired"];
                walk.report_others_of(element, ASSERTION, &attributes, &[&["AttributeValue"]]);
                RequestedAttribute {
                    friendly_name: text_of(element, attributes[0]),
                    name: walk.required(element, attributes[1]),
                    name_format: text_of(element, attributes[2]),
                    values: some(walk.values(element)),
                    is_required: walk.flag(element, attributes[3]),
                }
            }),
        })
    }

    /// Removes the losses for `saml:Attribute` children, which
    /// [`report_others`](Self::report_others) does not expect among `md:` elements.
    fn keep_attributes(&mut self, element: Element<'_>) {
        let paths: Vec<String> = element
            .children()
            .filter(|child| child.is(ASSERTION, "Attribute"))
            .map(Element::path)
            .collect();
        self.losses.retain(|loss| !paths.contains(&loss.path));
    }

    fn attributes(&mut self, element: Element<'_>) -> Vec<Attribute> {
        let attributes = element
            .children()
            .filter(|child| child.is(ASSERTION, "Attribute"));
        attributes
            .map(|element| {
                let attributes = ["FriendlyName", "Name", "NameFormat"];
                self.report_others_of(element, ASSERTION, &attributes, &[&["AttributeValue"]]);
                Attribute {
                    friendly_name: text_of(element, attributes[0]),
                    name: text_of(element, attributes[1]),
                    name_format: text_of(element, attributes[2]),
                    values: self.values(element),
                }
            })
            .collect()
    }

    fn values(&mut self, element: Element<'_>) -> Vec<AttributeValue> {
        let values = element
            .children()
            .filter(|child| child.is(ASSERTION, "AttributeValue"));
        values.map(|value| self.value(value)).collect()
    }

    fn value(&mut self, element: Element<'_>) -> AttributeValue {
        let value = self.leaf(element, &["xsi:type"]);
        let name = element.attribute_in(SCHEMA_INSTANCE, "type");
        let prefix = name.map(|name| name.split_once(':').map_or("", |(prefix, _)| prefix));
        if prefix.is_some_and(|prefix| {
            prefix != "xs" || element.namespace_of_prefix(prefix) != Some(SCHEMA)
        }) {
            self.lose(format!("{}/@xsi:type", element.path()), PREFIX);
        }
        AttributeValue {
            attribute_type: name.map(str::to_owned),
            value: (!value.is_empty()).then(|| value.to_owned()),
        }
    }

    fn text(&mut self, element: Element<'_>) -> String {
        self.leaf(element, &[]).to_owned()
    }

    /// Converts the metadata children with a name.
    fn all<T>(
        &mut self,
        element: Element<'_>,
        name: &str,
        mut convert: impl FnMut(&mut Self, Element<'_>) -> T,
    ) -> Vec<T> {
        let children = element.children().filter(|child| child.is(METADATA, name));
        children.map(|child| convert(self, child)).collect()
    }

    fn list<T>(
        &mut self,
        element: Element<'_>,
        name: &str,
        convert: impl FnMut(&mut Self, Element<'_>) -> T,
    ) -> Option<Vec<T>> {
        some(self.all(element, name, convert))
    }
}

pub(super) fn text_of(element: Element<'_>, name: &str) -> Option<String> {
    element.attribute(name).map(str::to_owned)
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}
