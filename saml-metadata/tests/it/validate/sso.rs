use super::{core, expect, in_profile};
use crate::support::{IDP, OKTA, SP, change};
use saml_metadata::Profile::{self, AwsIdentityCenter, SamlCore};

#[test]
fn an_identity_provider_has_a_single_sign_on_service() {
    let from = IDP.find("<md:SingleSignOnService").expect("a match");
    let services = &IDP[from..IDP.find("<saml:Attribute Name=\"urn:oid").expect("a match")];
    core(
        "MD-IDP-01",
        IDP,
        &[(
            &[(services, "")],
            &["error: the identity provider has no SingleSignOnService"],
        )],
    );
}

#[test]
fn an_identity_provider_supports_redirect_and_post() {
    core(
        "MD-IDP-02",
        IDP,
        &[
            (
                &[("bindings:HTTP-POST", "bindings:HTTP-Artifact")],
                &["warning: there is no SingleSignOnService with HTTP-POST"],
            ),
            (
                &[(
                    "bindings:HTTP-Redirect\" Location=\"https://idp.example.com/sso?",
                    "bindings:SOAP\" Location=\"https://idp.example.com/sso?",
                )],
                &["warning: there is no SingleSignOnService with HTTP-Redirect"],
            ),
        ],
    );
}

#[test]
fn an_identity_provider_has_a_signing_key() {
    core(
        "MD-IDP-03",
        IDP,
        &[
            (
                &[("use=\"signing\"", "use=\"encryption\"")],
                &["error: the identity provider has no signing key"],
            ),
            (&[(" use=\"signing\"", "")], &[]),
        ],
    );
}

#[test]
fn an_identity_provider_has_a_logout_service() {
    core("MD-IDP-04", IDP, &[]);
    expect(
        SamlCore,
        OKTA,
        "MD-IDP-04",
        &["warning: the identity provider has no SingleLogoutService"],
    );
    expect(AwsIdentityCenter, OKTA, "MD-IDP-04", &[]);
}

#[test]
fn an_attribute_has_a_name_format() {
    core(
        "MD-IDP-05",
        IDP,
        &[(
            &[(
                " NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\" FriendlyName",
                " FriendlyName",
            )],
            &["warning: the attribute \"urn:oid:0.9.2342.19200300.100.1.3\" has no NameFormat"],
        )],
    );
}

#[test]
fn a_service_provider_has_an_assertion_consumer_service() {
    let services = &SP[SP.find("<md:AssertionConsumer").expect("a match")
        ..SP.find("<md:AttributeConsuming").expect("a match")];
    core(
        "MD-SP-01",
        SP,
        &[(
            &[(services, "")],
            &["error: the service provider has no AssertionConsumerService"],
        )],
    );
}

#[test]
fn a_service_provider_supports_post() {
    let soap = SP.replace(
        "HTTP-POST\" Location=\"https://sp.example.com/acs",
        "HTTP-Artifact\" Location=\"https://sp.example.com/acs",
    );
    core("MD-SP-02", SP, &[]);
    expect(
        SamlCore,
        &soap,
        "MD-SP-02",
        &["warning: there is no AssertionConsumerService with HTTP-POST"],
    );
}

#[test]
fn a_service_provider_has_an_encryption_key() {
    core(
        "MD-SP-03",
        SP,
        &[(
            &[("<md:KeyDescriptor>", "<md:KeyDescriptor use='signing'>")],
            &["warning: the service provider has no encryption key"],
        )],
    );
}

#[test]
fn a_service_provider_that_signs_has_a_signing_key() {
    core(
        "MD-SP-04",
        SP,
        &[
            (
                &[("<md:KeyDescriptor>", "<md:KeyDescriptor use='encryption'>")],
                &["error: the service provider signs its requests, but has no signing key"],
            ),
            (
                &[
                    ("<md:KeyDescriptor>", "<md:KeyDescriptor use='encryption'>"),
                    (
                        "AuthnRequestsSigned=\"true\"",
                        "AuthnRequestsSigned=\"false\"",
                    ),
                ],
                &[],
            ),
        ],
    );
}

#[test]
fn a_service_provider_wants_signed_assertions() {
    core(
        "MD-SP-05",
        SP,
        &[
            (
                &[(" WantAssertionsSigned=\"true\"", "")],
                &["warning: the service provider does not ask for signed assertions"],
            ),
            (
                &[(
                    "WantAssertionsSigned=\"true\"",
                    "WantAssertionsSigned=\"0\"",
                )],
                &["warning: the service provider does not ask for signed assertions"],
            ),
        ],
    );
}

#[test]
fn an_attribute_consuming_service_lists_its_attributes() {
    let service = "<md:AttributeConsumingService index=\"1\" isDefault=\"true\">";
    let other = "<md:AttributeConsumingService index='1' isDefault='1'><md:ServiceName xml:lang='en'>x</md:ServiceName></md:AttributeConsumingService>";
    core(
        "MD-SP-06",
        SP,
        &[
            (
                &[(
                    "<md:ServiceName xml:lang=\"en\">Example service</md:ServiceName>",
                    "",
                )],
                &["error: AttributeConsumingService has no ServiceName"],
            ),
            (
                &[(service, "<md:AttributeConsumingService>")],
                &["error: AttributeConsumingService has no index from 0 to 65535"],
            ),
            (
                &[("Name=\"urn:oid:2.5.4.42\"", "")],
                &["error: RequestedAttribute has no Name"],
            ),
            (
                &[(service, &format!("{other}{service}"))],
                &[
                    "error: AttributeConsumingService has no RequestedAttribute",
                    "error: two AttributeConsumingService elements have the index 1",
                    "error: two AttributeConsumingService elements are the default",
                ],
            ),
        ],
    );
}

#[test]
fn the_name_format_of_a_requested_attribute_fits_its_name() {
    let format = " NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\"/>";
    core(
        "MD-SP-07",
        SP,
        &[
            (
                &[(format, "/>")],
                &["warning: the attribute \"urn:oid:2.5.4.42\" has no NameFormat"],
            ),
            (
                &[(
                    format,
                    " NameFormat='urn:oasis:names:tc:SAML:2.0:attrname-format:basic'/>",
                )],
                &[
                    "warning: the attribute \"urn:oid:2.5.4.42\" is a URI, but does not have the NameFormat uri",
                ],
            ),
            (
                &[("Name=\"urn:oid:2.5.4.42\"", "Name='givenName'")],
                &["warning: the attribute \"givenName\" is not a URI, but has the NameFormat uri"],
            ),
            (
                &[
                    ("Name=\"urn:oid:2.5.4.42\"", "Name='givenName'"),
                    (
                        format,
                        " NameFormat='urn:oasis:names:tc:SAML:2.0:attrname-format:basic'/>",
                    ),
                ],
                &[],
            ),
        ],
    );
}

#[test]
fn a_discovery_response_has_an_index_and_the_discovery_binding() {
    let binding = "Binding=\"urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol\"";
    let other = "<idpdisc:DiscoveryResponse Binding='urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol' Location='https://sp.example.com/d' index='1' isDefault='true'/>";
    for (from, message) in [
        (binding, "DiscoveryResponse has no Binding"),
        (
            " index=\"1\" isDefault=\"true\"/>",
            "DiscoveryResponse has no index",
        ),
        (
            "Location=\"https://sp.example.com/disco\"",
            "DiscoveryResponse has no Location",
        ),
    ] {
        let to = if from.ends_with("/>") { "/>" } else { "" };
        expect(
            SamlCore,
            &change(SP, &[(from, to)]),
            "MD-EXT-02",
            &[&format!("error: {message}")],
        );
    }
    core(
        "MD-SP-08",
        SP,
        &[
            (
                &[(binding, "Binding='urn:a'")],
                &["warning: DiscoveryResponse does not have the discovery binding"],
            ),
            (
                &[(
                    "<idpdisc:DiscoveryResponse",
                    &format!("{other}<idpdisc:DiscoveryResponse"),
                )],
                &[
                    "warning: two DiscoveryResponse elements have the index 1",
                    "warning: two DiscoveryResponse elements are the default",
                ],
            ),
        ],
    );
}

#[test]
fn a_browser_can_use_the_identity_provider_of_a_consumer() {
    let none = &[
        ("bindings:HTTP-POST", "bindings:SOAP"),
        ("bindings:HTTP-Redirect", "bindings:HTTP-Artifact"),
    ];
    let message = "there is no SingleSignOnService with HTTP-Redirect or HTTP-POST";
    for (profile, severity) in [
        (Profile::AwsIdentityCenter, "error"),
        (Profile::OpenSearch, "error"),
        (Profile::GoogleWorkforce, "error"),
        // Its providers also serve programs.
        (Profile::AwsIam, "warning"),
    ] {
        let finding = format!("{severity}: {message}");
        in_profile(profile, "MD-IDP-06", OKTA, &[(none, &[&finding])]);
        let one = change(OKTA, &none[..1]);
        expect(profile, &one, "MD-IDP-06", &[]);
    }
}
