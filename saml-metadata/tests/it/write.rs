//! Metadata that is built from scratch.

use jiff::SignedDuration;
use saml_metadata::{
    Profile, Severity,
    names::{binding, name_id_format},
    read, validate,
    write::{BuildError, IdpMetadata, SpMetadata, UserInterface},
};

use crate::support::{AWS_SP, OKTA, document, now, read_certificate};

const SSO: &str = "https://acme.okta.com/app/amazon_aws_sso/exk4uqa1b2C3d4E5f6g7/sso/saml";

#[test]
fn a_built_identity_provider_can_equal_okta_metadata() {
    let built = IdpMetadata::new("http://www.okta.com/exk4uqa1b2C3d4E5f6g7")
        .signing_certificate(&read_certificate("rsa2048"))
        .name_id_format(name_id_format::UNSPECIFIED)
        .name_id_format(name_id_format::EMAIL_ADDRESS)
        .single_sign_on_service(binding::HTTP_POST, SSO)
        .single_sign_on_service(binding::HTTP_REDIRECT, SSO)
        .build()
        .expect("metadata");
    assert_eq!(built.text(), OKTA);
}

#[test]
fn a_built_service_provider_can_equal_identity_center_metadata() {
    let tenant = "4f1d2c3b4a596877-8c1e-4d2f-9a3b-0123456789ab";
    let built =
        SpMetadata::new("https://us-east-1.signin.aws.amazon.com/platform/saml/d-9067012345")
            .name_id_format(name_id_format::EMAIL_ADDRESS)
            .assertion_consumer_service(
                binding::HTTP_POST,
                format!("https://us-east-1.signin.aws/platform/saml/acs/{tenant}"),
            )
            .assertion_consumer_service(
                binding::HTTP_POST,
                format!("https://us-east-1.sso.signin.aws/platform/saml/acs/{tenant}"),
            )
            .build()
            .expect("metadata");
    // The attributes of the root element have another order, so the test compares the roles.
    let entity = built.entity().expect("an entity");
    let expected = document(AWS_SP);
    let expected = expected.entity().expect("an entity");
    assert_eq!(entity.entity_id(), expected.entity_id());
    assert_eq!(
        entity
            .service_provider()
            .expect("a role")
            .element()
            .source(),
        expected
            .service_provider()
            .expect("a role")
            .element()
            .source()
    );
}

#[test]
fn built_elements_are_in_schema_order() {
    let idp = IdpMetadata::new("https://idp.example.com/")
        .single_sign_on_service(
            binding::HTTP_REDIRECT,
            "https://idp.example.com/sso?a=1&b=2",
        )
        .single_sign_on_service(binding::HTTP_POST, "https://idp.example.com/sso")
        .name_id_format(name_id_format::PERSISTENT)
        .single_logout_service(binding::HTTP_POST, "https://idp.example.com/slo")
        .encryption_certificate(&read_certificate("p256-encryption"))
        .signing_certificate(&read_certificate("p256"))
        .want_authn_requests_signed(true)
        .valid_until("2026-12-01T00:00:00Z".parse().expect("a time"))
        .technical_contact("ada@example.com")
        .organization("en", "A & B <C>", "https://www.example.com/")
        .build()
        .expect("metadata");
    let sp = SpMetadata::new("https://sp.example.com/")
        .assertion_consumer_service(binding::HTTP_POST, "https://sp.example.com/acs")
        .name_id_format(name_id_format::PERSISTENT)
        .single_logout_service(binding::HTTP_POST, "https://sp.example.com/slo")
        .encryption_certificate(&read_certificate("p256-encryption"))
        .signing_certificate(&read_certificate("p256"))
        .authn_requests_signed(true)
        .want_assertions_signed(true)
        .valid_until("2026-12-01T00:00:00Z".parse().expect("a time"))
        .technical_contact("ada@example.com")
        .organization("en", "A & B <C>", "https://www.example.com/")
        .build()
        .expect("metadata");
    for built in [idp, sp] {
        let findings = validate(&built, Profile::SamlCore, now());
        let above_info: Vec<String> = findings
            .iter()
            .filter(|finding| finding.severity > Severity::Info)
            .map(ToString::to_string)
            .collect();
        assert!(above_info.is_empty(), "{above_info:?}");
        let entity = built.entity().expect("an entity");
        let names = entity.organization().expect("an organization").names();
        assert_eq!(
            names
                .map(saml_metadata::Localized::text)
                .collect::<Vec<_>>(),
            ["A & B <C>"]
        );
    }
}

#[test]
fn built_metadata_reads_back_unchanged() {
    let built = SpMetadata::new("urn:a\"b'c<d>&\te")
        .assertion_consumer_service(binding::HTTP_POST, "https://a/\n")
        .build()
        .expect("metadata");
    let again = read(built.bytes()).expect("a document");
    assert_eq!(
        again.entity().expect("an entity").entity_id(),
        "urn:a\"b'c<d>&\te"
    );
}

#[test]
fn a_role_without_an_endpoint_is_refused() {
    let error = IdpMetadata::new("urn:a").build().expect_err("refused");
    assert_eq!(error.to_string(), "the role has no SingleSignOnService");
    let error = SpMetadata::new("urn:a").build().expect_err("refused");
    assert_eq!(
        error.to_string(),
        "the role has no AssertionConsumerService"
    );
}

#[test]
fn a_value_that_is_not_allowed_in_xml_is_refused() {
    let error = SpMetadata::new("urn:a\u{0}")
        .assertion_consumer_service(binding::HTTP_POST, "https://a/")
        .build()
        .expect_err("refused");
    let BuildError::Unreadable { source, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(
        source.to_string(),
        "line 1, column 75: the character U+0000 is not allowed in XML"
    );
}

#[test]
fn an_entity_can_be_identity_provider_and_service_provider() {
    let key = read_certificate("rsa2048");
    let sp = |id: &str| {
        SpMetadata::new(id)
            .assertion_consumer_service(binding::HTTP_POST, "https://a.example.com/acs")
            .encryption_certificate(&key)
    };
    let idp = || {
        IdpMetadata::new("https://a.example.com/")
            .single_sign_on_service(binding::HTTP_POST, "https://a.example.com/sso")
            .signing_certificate(&key)
            .valid_until("2026-12-01T00:00:00Z".parse().expect("a time"))
            .cache_duration(SignedDuration::from_hours(6))
            .technical_contact("admin@example.com")
            .error_url("https://a.example.com/error")
            .user_interface(UserInterface::new().display_name("en", "A & B").logo(
                "https://a.example.com/logo.png",
                80,
                60,
            ))
    };
    let built = idp()
        .service_provider(sp("https://a.example.com/"))
        .build()
        .expect("metadata");
    let entity = built.entity().expect("one entity");
    let cache = entity
        .cache_duration()
        .expect("a duration")
        .expect("a duration");
    assert_eq!(cache.estimate(), SignedDuration::from_hours(6));
    let role = entity.identity_provider().expect("a role");
    assert_eq!(role.error_url(), Some("https://a.example.com/error"));
    let ui = role
        .extensions()
        .expect("extensions")
        .ui_info()
        .expect("a user interface");
    let names: Vec<_> = ui
        .display_names()
        .map(|name| (name.language(), name.text()))
        .collect();
    assert_eq!(names, [("en", "A & B")]);
    assert_eq!(ui.logos().next().expect("a logo").width(), Some(80));
    let other = entity.service_provider().expect("a role");
    assert_eq!(other.encryption_certificates(), std::slice::from_ref(&key));
    assert!(other.error_url().is_none());
    let findings = validate(&built, Profile::SamlCore, now());
    let errors: Vec<_> = findings
        .iter()
        .filter(|finding| finding.is_error())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");

    let error = idp()
        .service_provider(sp("urn:other"))
        .build()
        .expect_err("two entities");
    assert!(matches!(error, BuildError::OtherEntity { .. }), "{error}");
    let empty = SpMetadata::new("https://a.example.com/");
    let error = idp()
        .service_provider(empty)
        .build()
        .expect_err("no endpoint");
    assert!(matches!(error, BuildError::NoEndpoint { .. }), "{error}");
}
