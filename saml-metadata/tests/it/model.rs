//! Typed views, tested with documents that use every view.

use saml_metadata::{
    ContactType, Endpoint, EntityDescriptor, Localized, Role,
    names::{binding, name_id_format, protocol},
};

use crate::support::{AGGREGATE, IDP, SP, change, document};

fn pairs<'a>(texts: impl Iterator<Item = Localized<'a>>) -> Vec<(&'a str, &'a str)> {
    texts.map(|text| (text.language(), text.text())).collect()
}

#[test]
fn all_parts_of_an_identity_provider_are_read() {
    let document = document(IDP);
    let entity = document.entity().expect("an entity");
    assert_eq!(entity.id(), Some("_idp"));
    assert_eq!(entity.entity_id(), "https://idp.example.com/metadata");
    let idp = entity.identity_provider().expect("a role");
    assert!(idp.want_authn_requests_signed());
    assert!(idp.supports_saml2());
    assert_eq!(idp.protocols().collect::<Vec<_>>(), [protocol::SAML_2_0]);
    assert_eq!(idp.error_url(), Some("https://idp.example.com/help"));
    assert_eq!(
        idp.name_id_formats().collect::<Vec<_>>(),
        [name_id_format::EMAIL_ADDRESS, name_id_format::PERSISTENT]
    );
    let services: Vec<(&str, &str)> = idp
        .single_sign_on_services()
        .map(|service| (service.binding(), service.location()))
        .collect();
    assert_eq!(
        services,
        [
            (
                binding::HTTP_REDIRECT,
                "https://idp.example.com/sso?tenant=1&mode=redirect"
            ),
            (binding::HTTP_POST, "https://idp.example.com/sso"),
        ]
    );
    let logout = idp.single_logout_services().next().expect("a service");
    assert_eq!(
        logout.response_location(),
        Some("https://idp.example.com/logout/done")
    );
    let artifact = idp
        .artifact_resolution_services()
        .next()
        .expect("a service");
    assert_eq!(
        (artifact.index(), artifact.is_default()),
        (Some(0), Some(true))
    );
    assert_eq!(artifact.location(), "https://idp.example.com/artifact");
    assert!(idp.manage_name_id_services().next().is_none());
    assert!(idp.name_id_mapping_services().next().is_none());
    let attribute = idp.attributes().next().expect("an attribute");
    assert_eq!(attribute.name(), "urn:oid:0.9.2342.19200300.100.1.3");
    assert_eq!(attribute.friendly_name(), Some("mail"));
    let authority = entity.attribute_authorities().next().expect("a role");
    assert_eq!(
        authority
            .attribute_services()
            .map(Endpoint::location)
            .collect::<Vec<_>>(),
        ["https://idp.example.com/attributes"]
    );
}

#[test]
fn the_organization_and_contacts_of_an_entity_are_read() {
    let document = document(IDP);
    let entity = document.entity().expect("an entity");
    let organization = entity.organization().expect("an organization");
    assert_eq!(
        pairs(organization.names()),
        [("en", "Example Ltd"), ("de", "Beispiel GmbH")]
    );
    assert_eq!(
        pairs(organization.display_names()),
        [("en", "Example & Sons")]
    );
    assert_eq!(
        pairs(organization.urls()),
        [("en", "https://www.example.com/")]
    );
    let contact = entity.contacts().next().expect("a contact");
    assert_eq!(contact.kind(), ContactType::Technical);
    assert_eq!(contact.company(), Some("Example Ltd"));
    assert_eq!(contact.given_name(), Some("Ada"));
    assert_eq!(contact.surname(), Some("Lovelace"));
    assert_eq!(
        contact.email_addresses().collect::<Vec<_>>(),
        ["mailto:ada@example.com"]
    );
    assert_eq!(
        contact.telephone_numbers().collect::<Vec<_>>(),
        ["+1 555 0100"]
    );
    let more = entity.additional_locations().next().expect("a location");
    assert_eq!(more.namespace(), "urn:oasis:names:tc:SAML:2.0:metadata");
    assert_eq!(more.location(), "https://idp.example.com/more");
}

#[test]
fn known_extensions_are_typed_and_unknown_ones_are_elements() {
    let xml = change(
        IDP,
        &[(
            "<alg:DigestMethod",
            "<x:New xmlns:x='urn:x'/><alg:DigestMethod",
        )],
    );
    let document = document(&xml);
    let entity = document.entity().expect("an entity");
    let extensions = entity.extensions().expect("extensions");
    let registration = extensions.registration_info().expect("a registration");
    assert_eq!(registration.authority(), "https://federation.example.org/");
    assert_eq!(
        registration
            .instant()
            .expect("a time")
            .expect("a time")
            .to_string(),
        "2020-05-01T08:00:00Z"
    );
    assert_eq!(
        pairs(registration.policies()),
        [("en", "https://federation.example.org/policy")]
    );
    let category = extensions.entity_attributes().next().expect("an attribute");
    let values: Vec<&str> = category
        .values()
        .map(saml_metadata::Element::text)
        .collect();
    assert_eq!(
        values,
        ["http://refeds.org/category/research-and-scholarship"]
    );
    assert_eq!(
        extensions.digest_methods().collect::<Vec<_>>(),
        ["http://www.w3.org/2001/04/xmlenc#sha256"]
    );
    assert_eq!(
        extensions.signing_methods().collect::<Vec<_>>(),
        ["http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"]
    );
    assert!(
        extensions
            .elements()
            .any(|element| element.is("urn:x", "New"))
    );

    let role = entity
        .identity_provider()
        .expect("a role")
        .extensions()
        .expect("extensions");
    let scope = role.scopes().next().expect("a scope");
    assert_eq!((scope.text(), scope.is_regexp()), ("example.com", false));
    let ui = role.ui_info().expect("UI info");
    assert_eq!(pairs(ui.display_names()), [("en", "Example login")]);
    assert_eq!(
        pairs(ui.descriptions()),
        [("en", "Where people of Example log in")]
    );
    assert_eq!(pairs(ui.keywords()), [("en", "example login+page")]);
    assert_eq!(
        pairs(ui.information_urls()),
        [("en", "https://idp.example.com/about")]
    );
    assert_eq!(
        pairs(ui.privacy_statement_urls()),
        [("en", "https://idp.example.com/privacy")]
    );
    let logo = ui.logos().next().expect("a logo");
    assert_eq!(
        (logo.width(), logo.height(), logo.language()),
        (Some(80), Some(60), Some("en"))
    );
    assert_eq!(logo.url(), "https://idp.example.com/logo.png");
    let hints = role.disco_hints().expect("hints");
    assert_eq!(hints.ip_hints().collect::<Vec<_>>(), ["192.0.2.0/24"]);
    assert_eq!(hints.domain_hints().collect::<Vec<_>>(), ["example.com"]);
    assert_eq!(
        hints.geolocation_hints().collect::<Vec<_>>(),
        ["geo:47.37328,8.531126"]
    );
}

#[test]
fn the_default_endpoint_is_the_first_true_then_the_first_unmarked_then_the_first() {
    let default = |xml: &str| {
        let document = document(xml);
        let sp = document
            .entity()
            .expect("an entity")
            .service_provider()
            .expect("a role");
        let acs = sp.default_assertion_consumer_service().expect("a service");
        acs.location().to_owned()
    };
    // The first endpoint has `isDefault="false"`, the second has no `isDefault`.
    assert_eq!(default(SP), "https://sp.example.com/acs/2");
    let third_is_true = change(SP, &[("index=\"3\"", "index=\"3\" isDefault=\" 1 \"")]);
    assert_eq!(default(&third_is_true), "https://sp.example.com/acs/3");
    let all_false = change(
        SP,
        &[
            ("index=\"2\"", "index=\"2\" isDefault=\"false\""),
            ("index=\"3\"", "index=\"3\" isDefault=\"0\""),
        ],
    );
    assert_eq!(default(&all_false), "https://sp.example.com/acs/1");
}

#[test]
fn all_parts_of_a_service_provider_are_read() {
    let document = document(SP);
    let sp = document
        .entity()
        .expect("an entity")
        .service_provider()
        .expect("a role");
    assert!(sp.authn_requests_signed());
    assert!(sp.want_assertions_signed());
    let indexes: Vec<Option<u16>> = sp
        .assertion_consumer_services()
        .map(saml_metadata::IndexedEndpoint::index)
        .collect();
    assert_eq!(indexes, [Some(1), Some(2), Some(3)]);
    let service = sp.default_attribute_consuming_service().expect("a service");
    assert_eq!(
        (service.index(), service.is_default()),
        (Some(1), Some(true))
    );
    assert_eq!(pairs(service.names()), [("en", "Example service")]);
    assert_eq!(
        pairs(service.descriptions()),
        [("en", "A service for examples")]
    );
    let requested: Vec<(&str, bool)> = service
        .requested_attributes()
        .map(|requested| (requested.attribute().name(), requested.is_required()))
        .collect();
    assert_eq!(
        requested,
        [
            ("urn:oid:0.9.2342.19200300.100.1.3", true),
            ("urn:oid:2.5.4.42", false)
        ]
    );
}

#[test]
fn the_earliest_valid_until_of_an_entity_and_its_groups_applies() {
    let document = document(AGGREGATE);
    let until = |entity: EntityDescriptor<'_>| {
        let until = entity
            .effective_valid_until()
            .expect("times")
            .expect("a time");
        until.to_string()
    };
    let all: Vec<String> = document.entities().map(until).collect();
    assert_eq!(
        all,
        [
            "2026-12-05T00:00:00Z",
            "2026-11-30T00:00:00Z",
            "2026-11-28T00:00:00Z",
            "2026-12-05T00:00:00Z",
            "2026-12-05T00:00:00Z",
        ]
    );
    let b = document.entities().nth(1).expect("b");
    assert_eq!(
        b.valid_until()
            .expect("a time")
            .expect("a time")
            .to_string(),
        "2026-12-31T00:00:00Z"
    );
    let cache = b
        .effective_cache_duration()
        .expect("durations")
        .expect("a duration");
    assert_eq!(cache.estimate().as_secs(), 2 * 3_600);
    assert_eq!(b.cache_duration(), Ok(None));
}

#[test]
fn an_unreadable_valid_until_is_an_error() {
    let document = document(&change(IDP, &[("2026-12-01T00:00:00Z", "tomorrow")]));
    let entity = document.entity().expect("an entity");
    let message = "\"tomorrow\" is not a time like 2026-01-31T12:00:00Z";
    assert_eq!(
        entity.valid_until().expect_err("no time").to_string(),
        message
    );
    let idp = entity.identity_provider().expect("a role");
    assert_eq!(idp.valid_until(), Ok(None));
    assert_eq!(
        idp.effective_valid_until()
            .expect_err("no time")
            .to_string(),
        message
    );
}

#[test]
fn groups_and_all_kinds_of_roles_are_read() {
    let document = document(AGGREGATE);
    let group = document.group().expect("a group");
    assert_eq!(group.name(), Some("https://federation.example.org/all"));
    assert_eq!(group.entities().count(), 3);
    let inner = group.groups().next().expect("a group");
    assert_eq!(inner.name(), Some("https://federation.example.org/inner"));
    let ids: Vec<&str> = document
        .entities()
        .map(EntityDescriptor::entity_id)
        .collect();
    assert_eq!(
        ids,
        [
            "https://a.example.com",
            "https://b.example.com",
            "https://c.example.com",
            "https://d.example.com",
            "https://e.example.com"
        ]
    );
    let published = group
        .extensions()
        .expect("extensions")
        .publication_info()
        .expect("publication info");
    assert_eq!(published.publisher(), "https://federation.example.org/");
    assert_eq!(published.publication_id(), Some("20261124"));

    let d = document.entities().nth(3).expect("d");
    let roles: Vec<Role<'_>> = d.roles().collect();
    let [
        Role::Other(other),
        Role::AuthnAuthority(authn),
        Role::Pdp(pdp),
    ] = roles[..]
    else {
        panic!("{roles:?}");
    };
    assert_eq!(
        other.extension_type(),
        Some((
            "http://docs.oasis-open.org/wsfed/federation/200706",
            "SecurityTokenServiceType"
        ))
    );
    assert_eq!(other.element().children().count(), 1);
    assert!(!other.supports_saml2());
    assert_eq!(
        authn
            .assertion_id_request_services()
            .map(Endpoint::binding)
            .collect::<Vec<_>>(),
        [binding::URI]
    );
    assert_eq!(authn.authn_query_services().count(), 1);
    assert_eq!(pdp.authz_services().count(), 1);

    let affiliation = document
        .entities()
        .nth(4)
        .expect("e")
        .affiliation()
        .expect("an affiliation");
    assert_eq!(affiliation.owner_id(), "https://a.example.com");
    assert_eq!(
        affiliation.members().collect::<Vec<_>>(),
        ["https://b.example.com", "https://c.example.com"]
    );
}

#[test]
fn entities_inside_an_entity_do_not_count_as_entities_of_the_document() {
    let inner = &SP[SP.find("<md:").expect("a root")..];
    let xml = change(
        IDP,
        &[(
            "<md:Extensions>",
            &format!("<md:Extensions><x:x xmlns:x='urn:x'>{inner}</x:x>"),
        )],
    );
    let document = document(&xml);
    assert_eq!(document.entities().count(), 1);
    assert_eq!(
        document.entity().expect("one entity").entity_id(),
        "https://idp.example.com/metadata"
    );
}

#[test]
fn an_identity_provider_for_saml2_is_preferred() {
    let xml = "<EntityDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata' entityID='urn:a'>
        <IDPSSODescriptor ID='a' protocolSupportEnumeration='urn:oasis:names:tc:SAML:1.1:protocol'/>
        <IDPSSODescriptor ID='b' protocolSupportEnumeration='urn:x&#10;urn:oasis:names:tc:SAML:2.0:protocol '/>
        </EntityDescriptor>";
    let document = document(xml);
    let entity = document.entity().expect("an entity");
    assert_eq!(entity.identity_provider().expect("a role").id(), Some("b"));
    assert_eq!(entity.identity_providers().count(), 2);
}

#[test]
fn missing_attributes_read_as_empty() {
    let xml = "<EntityDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata'>
        <SPSSODescriptor><AssertionConsumerService index='70000'/></SPSSODescriptor></EntityDescriptor>";
    let document = document(xml);
    let entity = document.entity().expect("an entity");
    assert_eq!(entity.entity_id(), "");
    let sp = entity.service_provider().expect("a role");
    let acs = sp.default_assertion_consumer_service().expect("a service");
    assert_eq!((acs.binding(), acs.location(), acs.index()), ("", "", None));
    assert!(sp.signing_certificates().is_empty());
}
