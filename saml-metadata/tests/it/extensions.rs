//! Typed views of extensions.

use saml_metadata::{
    Document, Extensions, SubjectIdRequirement,
    names::{entity_attribute, entity_category},
};

use crate::support::{IDP, SP, change, document};

/// Returns the service provider with the given extensions of the entity.
fn with(extensions: &str) -> Document {
    let extensions = format!("<md:Extensions>{extensions}</md:Extensions><md:SPSSO");
    document(&change(SP, &[("<md:SPSSO", &extensions)]))
}

#[track_caller]
fn entity_extensions(document: &Document) -> Extensions<'_> {
    let entity = document.entity().expect("an entity");
    entity.extensions().expect("extensions")
}

fn attributes(name: &str, value: &str) -> String {
    format!(
        "<mdattr:EntityAttributes xmlns:mdattr='urn:oasis:names:tc:SAML:metadata:attribute' xmlns:saml='urn:oasis:names:tc:SAML:2.0:assertion'><saml:Attribute Name='{name}'><saml:AttributeValue> {value} </saml:AttributeValue></saml:Attribute><saml:Assertion/></mdattr:EntityAttributes>"
    )
}

#[test]
fn a_role_has_discovery_responses_and_request_initiators() {
    let initiator = "<init:RequestInitiator xmlns:init='urn:oasis:names:tc:SAML:profiles:SSO:request-init' Binding='urn:oasis:names:tc:SAML:profiles:SSO:request-init' Location='https://sp.example.com/login'/></md:Extensions>";
    let document = document(&change(SP, &[("</md:Extensions>", initiator)]));
    let entity = document.entity().expect("an entity");
    let sp = entity.service_provider().expect("a service provider");
    let extensions = sp.extensions().expect("extensions");
    let responses: Vec<_> = extensions.discovery_responses().collect();
    assert_eq!(responses.len(), 1);
    assert_eq!(responses[0].location(), "https://sp.example.com/disco");
    assert_eq!(responses[0].index(), Some(1));
    assert_eq!(responses[0].is_default(), Some(true));
    let initiators: Vec<_> = extensions.request_initiators().collect();
    assert_eq!(initiators.len(), 1);
    assert_eq!(initiators[0].location(), "https://sp.example.com/login");
}

#[test]
fn an_entity_declares_its_subject_id_requirement() {
    for (text, expected) in [
        ("subject-id", Some(SubjectIdRequirement::SubjectId)),
        ("pairwise-id", Some(SubjectIdRequirement::PairwiseId)),
        ("none", Some(SubjectIdRequirement::None)),
        ("any", Some(SubjectIdRequirement::Any)),
        ("both", None),
    ] {
        let document = with(&attributes(entity_attribute::SUBJECT_ID_REQUIREMENT, text));
        let requirement = entity_extensions(&document).subject_id_requirement();
        assert_eq!(requirement, expected);
        let written = requirement.map(|requirement| requirement.to_string());
        assert_eq!(written, expected.map(|_| text.to_owned()));
    }
    assert_eq!(
        entity_extensions(&document(IDP)).subject_id_requirement(),
        None
    );
}

#[test]
fn the_values_of_an_entity_attribute_are_found_by_its_name() {
    let document = with(&attributes(
        entity_attribute::CATEGORY,
        entity_category::PERSONALIZED,
    ));
    let extensions = entity_extensions(&document);
    let values = |name| extensions.entity_attribute_values(name).collect::<Vec<_>>();
    assert_eq!(
        values(entity_attribute::CATEGORY),
        [entity_category::PERSONALIZED]
    );
    assert_eq!(values(entity_attribute::CATEGORY_SUPPORT), [""; 0]);
    assert_eq!(extensions.entity_assertions().count(), 1);
}

#[test]
fn a_publication_has_policies_and_a_path() {
    let document = with(
        "<mdrpi:PublicationInfo xmlns:mdrpi='urn:oasis:names:tc:SAML:metadata:rpi' publisher='urn:b'><mdrpi:UsagePolicy xml:lang='en'>https://b.example.com/policy</mdrpi:UsagePolicy></mdrpi:PublicationInfo><mdrpi:PublicationPath xmlns:mdrpi='urn:oasis:names:tc:SAML:metadata:rpi'><mdrpi:Publication publisher='urn:a' publicationId='1'/></mdrpi:PublicationPath>",
    );
    let extensions = entity_extensions(&document);
    let info = extensions.publication_info().expect("a publication");
    let policies: Vec<_> = info
        .usage_policies()
        .map(|policy| (policy.language(), policy.text()))
        .collect();
    assert_eq!(policies, [("en", "https://b.example.com/policy")]);
    let path: Vec<_> = extensions
        .publication_path()
        .map(|step| (step.publisher(), step.publication_id()))
        .collect();
    assert_eq!(path, [("urn:a", Some("1"))]);
}

#[test]
fn a_signing_method_has_a_range_of_key_sizes() {
    let document = with(
        "<alg:SigningMethod xmlns:alg='urn:oasis:names:tc:SAML:metadata:algsupport' Algorithm='urn:a' MinKeySize='2048' MaxKeySize='4096'/><alg:SigningMethod xmlns:alg='urn:oasis:names:tc:SAML:metadata:algsupport' Algorithm='urn:b' MinKeySize='many'/>",
    );
    let methods: Vec<_> = entity_extensions(&document)
        .signing_method_details()
        .map(|method| {
            (
                method.algorithm(),
                method.min_key_size(),
                method.max_key_size(),
            )
        })
        .collect();
    assert_eq!(
        methods,
        [("urn:a", Some(2048), Some(4096)), ("urn:b", None, None)]
    );
}

#[test]
fn a_key_authority_has_a_depth_and_keys() {
    let document = with(
        "<shibmd:KeyAuthority xmlns:shibmd='urn:mace:shibboleth:metadata:1.0' VerifyDepth='5'><ds:KeyInfo><ds:KeyName>a</ds:KeyName></ds:KeyInfo></shibmd:KeyAuthority><shibmd:KeyAuthority xmlns:shibmd='urn:mace:shibboleth:metadata:1.0'/>",
    );
    let authorities: Vec<_> = entity_extensions(&document)
        .key_authorities()
        .map(|authority| (authority.verify_depth(), authority.key_infos().count()))
        .collect();
    assert_eq!(authorities, [(5, 1), (1, 0)]);
}
