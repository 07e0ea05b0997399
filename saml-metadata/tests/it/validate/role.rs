use super::{core, expect};
use crate::support::{AGGREGATE, IDP, OKTA, SP, change};
use saml_metadata::Profile::{AwsIdentityCenter, SamlCore};

const PROTOCOL: &str = "protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"";
const SSO: &str = "Location=\"https://idp.example.com/sso\"";
const ACS: &str = "Location=\"https://sp.example.com/acs/2\"";

#[test]
fn a_role_lists_its_protocols() {
    core(
        "MD-ROLE-01",
        IDP,
        &[
            (
                &[(PROTOCOL, "")],
                &["error: IDPSSODescriptor lists no protocol"],
            ),
            (
                &[(PROTOCOL, "protocolSupportEnumeration=' '")],
                &["error: IDPSSODescriptor lists no protocol"],
            ),
            (
                &[(
                    PROTOCOL,
                    "protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol SAML2'",
                )],
                &["error: the protocol \"SAML2\" is not a URI"],
            ),
        ],
    );
}

#[test]
fn bindings_belong_to_a_protocol_of_the_role() {
    core(
        "MD-ROLE-02",
        SP,
        &[
            (
                &[(
                    PROTOCOL,
                    "protocolSupportEnumeration='urn:oasis:names:tc:SAML:1.1:protocol'",
                )],
                &[
                    "error: SingleLogoutService has a binding of SAML 2.0, which the role does not list",
                    "error: AssertionConsumerService has a binding of SAML 2.0, which the role does not list",
                    "error: AssertionConsumerService has a binding of SAML 2.0, which the role does not list",
                    "error: AssertionConsumerService has a binding of SAML 2.0, which the role does not list",
                ],
            ),
            (
                &[(
                    "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact",
                    "urn:oasis:names:tc:SAML:1.0:profiles:browser-post",
                )],
                &[
                    "error: AssertionConsumerService has a binding of SAML 1.x, which the role does not list",
                ],
            ),
            (
                &[(
                    "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact",
                    "urn:mace:shibboleth:1.0:profiles:AuthnRequest",
                )],
                &[
                    "error: AssertionConsumerService has a binding of Shibboleth, which the role does not list",
                ],
            ),
        ],
    );
}

#[test]
fn an_identity_provider_has_an_https_error_url() {
    core(
        "MD-ROLE-03",
        IDP,
        &[
            (
                &[(" errorURL=\"https://idp.example.com/help\"", "")],
                &["info: the identity provider has no errorURL"],
            ),
            (
                &[(
                    "\"https://idp.example.com/help\"",
                    "\"http://idp.example.com/help\"",
                )],
                &["warning: errorURL \"http://idp.example.com/help\" is not an https address"],
            ),
        ],
    );
}

#[test]
fn roles_of_other_protocols_are_noted() {
    core("MD-ROLE-04", IDP, &[]);
    expect(
        SamlCore,
        AGGREGATE,
        "MD-ROLE-04",
        &[
            "info: a role of the type SecurityTokenServiceType in http://docs.oasis-open.org/wsfed/federation/200706",
        ],
    );
    let untyped = change(
        AGGREGATE,
        &[(" xsi:type=\"fed:SecurityTokenServiceType\"", "")],
    );
    expect(
        SamlCore,
        &untyped,
        "MD-ROLE-04",
        &["info: a role without a type"],
    );
}

#[test]
fn an_endpoint_has_a_binding_and_a_location() {
    core(
        "MD-EP-01",
        IDP,
        &[
            (
                &[(SSO, "")],
                &["error: SingleSignOnService has no Location"],
            ),
            (
                &[(SSO, "Location='/sso'")],
                &["error: Location \"/sso\" is not an absolute URI"],
            ),
            (
                &[(SSO, "Location=''")],
                &["error: Location \"\" is not an absolute URI"],
            ),
            (
                &[("\"https://idp.example.com/logout/done\"", "'done'")],
                &["error: ResponseLocation \"done\" is not an absolute URI"],
            ),
            (
                &[(
                    "Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\"",
                    "",
                )],
                &["error: SingleSignOnService has no Binding"],
            ),
            (
                &[("urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST", "POST")],
                &["error: Binding \"POST\" is not an absolute URI"],
            ),
        ],
    );
}

#[test]
fn an_endpoint_is_of_the_web() {
    for (location, scheme) in [
        ("javascript:alert(1)", "javascript"),
        ("DATA:text/html,x", "data"),
        ("file:///etc/passwd", "file"),
    ] {
        core(
            "MD-EP-02",
            SP,
            &[(
                &[(ACS, &format!("Location='{location}'"))],
                &[&format!(
                    "error: Location of AssertionConsumerService is of the scheme {scheme}"
                )],
            )],
        );
    }
}

#[test]
fn an_endpoint_is_https() {
    core(
        "MD-EP-03",
        SP,
        &[(
            &[(ACS, "Location='http://sp.example.com/acs/2'")],
            &["warning: Location of AssertionConsumerService is not https"],
        )],
    );
}

#[test]
fn an_endpoint_has_a_plain_address() {
    core(
        "MD-EP-04",
        SP,
        &[
            (
                &[(ACS, "Location='https://a@SP.example.com:443/acs#2'")],
                &[
                    "warning: Location of AssertionConsumerService has a fragment",
                    "warning: Location of AssertionConsumerService has a user name",
                    "warning: Location of AssertionConsumerService has upper-case letters in its host",
                    "warning: Location of AssertionConsumerService names the default port",
                ],
            ),
            (
                &[(ACS, "Location='https://192.168.0.1/acs'")],
                &["warning: Location of AssertionConsumerService has a number for a host"],
            ),
        ],
    );
}

#[test]
fn the_binding_fits_the_endpoint() {
    let binding = |name: &str| format!("urn:oasis:names:tc:SAML:2.0:bindings:{name}");
    core(
        "MD-EP-05",
        SP,
        &[
            (
                &[(&binding("HTTP-Artifact"), &binding("HTTP-Redirect"))],
                &["error: the binding HTTP-Redirect does not fit AssertionConsumerService"],
            ),
            (&[(&binding("HTTP-Artifact"), &binding("PAOS"))], &[]),
        ],
    );
    core(
        "MD-EP-05",
        IDP,
        &[(
            &[(&binding("SOAP"), &binding("HTTP-POST"))],
            &["error: the binding HTTP-POST does not fit ArtifactResolutionService"],
        )],
    );
}

#[test]
fn bindings_are_known_ones() {
    core(
        "MD-EP-06",
        IDP,
        &[
            (
                &[(
                    "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
                    "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Post",
                )],
                &[
                    "warning: the binding \"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Post\" is not a known one",
                ],
            ),
            (
                &[(
                    "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
                    "urn:mace:shibboleth:1.0:profiles:AuthnRequest",
                )],
                &[],
            ),
        ],
    );
}

#[test]
fn indexed_endpoints_have_their_own_index() {
    core(
        "MD-EP-07",
        SP,
        &[
            (
                &[(" index=\"2\"", "")],
                &["error: AssertionConsumerService has no index"],
            ),
            (
                &[("index=\"2\"", "index=\"65536\"")],
                &["error: index \"65536\" is not a number up to 65535"],
            ),
            (
                &[("index=\"2\"", "index=\"-1\"")],
                &["error: index \"-1\" is not a number up to 65535"],
            ),
            (
                &[("index=\"2\"", "index=\"3\"")],
                &["error: two AssertionConsumerService have the index 3"],
            ),
            (&[("index=\"2\"", "index=\"65535\"")], &[]),
        ],
    );
}

#[test]
fn one_of_a_set_is_the_default() {
    core(
        "MD-EP-08",
        SP,
        &[(
            &[
                ("isDefault=\"false\"", "isDefault=\"true\""),
                ("index=\"3\"", "index=\"3\" isDefault=\"1\""),
            ],
            &["error: two AssertionConsumerService are the default"],
        )],
    );
}

#[test]
fn only_logout_and_name_management_have_a_response_location() {
    core(
        "MD-EP-09",
        IDP,
        &[(
            &[(
                SSO,
                &format!("{SSO} ResponseLocation='https://idp.example.com/r'"),
            )],
            &["error: SingleSignOnService must not have a ResponseLocation"],
        )],
    );
}

#[test]
fn each_binding_has_one_single_sign_on_service() {
    core(
        "MD-EP-10",
        IDP,
        &[(
            &[("bindings:HTTP-POST", "bindings:HTTP-Redirect")],
            &["warning: there are two SingleSignOnService with HTTP-Redirect"],
        )],
    );
}

#[test]
fn an_identity_provider_has_a_single_sign_on_service() {
    let from = IDP.find("<md:SingleSignOnService").expect("it");
    let services = &IDP[from..IDP.find("<saml:Attribute Name=\"urn:oid").expect("it")];
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
fn an_identity_provider_takes_redirect_and_post() {
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
fn an_identity_provider_has_a_key_to_sign_with() {
    core(
        "MD-IDP-03",
        IDP,
        &[
            (
                &[("use=\"signing\"", "use=\"encryption\"")],
                &["error: the identity provider has no key to sign with"],
            ),
            (&[(" use=\"signing\"", "")], &[]),
        ],
    );
}

#[test]
fn an_identity_provider_can_log_out() {
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
fn an_attribute_says_its_name_format() {
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
    let services = &SP[SP.find("<md:AssertionConsumer").expect("it")
        ..SP.find("<md:AttributeConsuming").expect("it")];
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
fn a_service_provider_takes_post() {
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
fn a_service_provider_has_a_key_to_encrypt_for_it() {
    core(
        "MD-SP-03",
        SP,
        &[(
            &[("<md:KeyDescriptor>", "<md:KeyDescriptor use='signing'>")],
            &["warning: the service provider has no key to encrypt for it"],
        )],
    );
}

#[test]
fn a_service_provider_that_signs_has_a_key() {
    core(
        "MD-SP-04",
        SP,
        &[
            (
                &[("<md:KeyDescriptor>", "<md:KeyDescriptor use='encryption'>")],
                &["error: the service provider signs its requests but has no key to sign with"],
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
fn a_service_that_wants_attributes_says_which() {
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
                &["error: AttributeConsumingService has no index up to 65535"],
            ),
            (
                &[("Name=\"urn:oid:2.5.4.42\"", "")],
                &["error: RequestedAttribute has no Name"],
            ),
            (
                &[(service, &format!("{other}{service}"))],
                &[
                    "error: AttributeConsumingService has no RequestedAttribute",
                    "error: two AttributeConsumingService have the index 1",
                    "error: two AttributeConsumingService are the default",
                ],
            ),
        ],
    );
}

#[test]
fn a_requested_attribute_has_the_format_of_its_name() {
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
                &["warning: the attribute \"urn:oid:2.5.4.42\" is a URI but not of the format uri"],
            ),
            (
                &[("Name=\"urn:oid:2.5.4.42\"", "Name='givenName'")],
                &["warning: the attribute \"givenName\" is not a URI but of the format uri"],
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
fn a_discovery_response_is_numbered_and_bound() {
    let binding = "Binding=\"urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol\"";
    let other = "<idpdisc:DiscoveryResponse Binding='urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol' Location='https://sp.example.com/d' index='1' isDefault='true'/>";
    core(
        "MD-SP-08",
        SP,
        &[
            (
                &[(binding, "")],
                &["warning: DiscoveryResponse has not the discovery binding"],
            ),
            (
                &[(
                    "Location=\"https://sp.example.com/disco\" index=\"1\"",
                    "Location=\"https://sp.example.com/disco\"",
                )],
                &["warning: DiscoveryResponse has no index up to 65535"],
            ),
            (
                &[(
                    "<idpdisc:DiscoveryResponse",
                    &format!("{other}<idpdisc:DiscoveryResponse"),
                )],
                &[
                    "warning: two DiscoveryResponse have the index 1",
                    "warning: two DiscoveryResponse are the default",
                ],
            ),
        ],
    );
}

#[test]
fn name_id_formats_are_known_and_listed_once() {
    let email = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
    let unspecified =
        "<md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified</md:NameIDFormat>";
    core(
        "MD-NID-01",
        IDP,
        &[
            (
                &[(
                    email,
                    "urn:oasis:names:tc:SAML:2.0:nameid-format:emailAddress",
                )],
                &[
                    "warning: the NameIDFormat \"urn:oasis:names:tc:SAML:2.0:nameid-format:emailAddress\" is not a known one",
                ],
            ),
            (
                &[(
                    email,
                    "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
                )],
                &[
                    "warning: the NameIDFormat \"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\" is listed twice",
                ],
            ),
        ],
    );
    core(
        "MD-NID-01",
        SP,
        &[(
            &[(
                "<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</md:NameIDFormat>",
                unspecified,
            )],
            &["warning: the only NameIDFormat is unspecified"],
        )],
    );
}
