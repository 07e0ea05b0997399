use super::{core, expect};
use crate::support::{AGGREGATE, IDP, SP, change};
use saml_metadata::Profile::SamlCore;

const PROTOCOL: &str = "protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"";

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
                    "error: SingleLogoutService has a SAML 2.0 binding, but the role does not list this protocol",
                    "error: AssertionConsumerService has a SAML 2.0 binding, but the role does not list this protocol",
                    "error: AssertionConsumerService has a SAML 2.0 binding, but the role does not list this protocol",
                    "error: AssertionConsumerService has a SAML 2.0 binding, but the role does not list this protocol",
                ],
            ),
            (
                &[(
                    "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact",
                    "urn:oasis:names:tc:SAML:1.0:profiles:browser-post",
                )],
                &[
                    "error: AssertionConsumerService has a SAML 1.x binding, but the role does not list this protocol",
                ],
            ),
            (
                &[(
                    "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact",
                    "urn:mace:shibboleth:1.0:profiles:AuthnRequest",
                )],
                &[
                    "error: AssertionConsumerService has a Shibboleth binding, but the role does not list this protocol",
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
                &["warning: errorURL \"http://idp.example.com/help\" is not an https URL"],
            ),
        ],
    );
}

#[test]
fn roles_of_other_protocols_are_reported() {
    core("MD-ROLE-04", IDP, &[]);
    expect(
        SamlCore,
        AGGREGATE,
        "MD-ROLE-04",
        &[
            "info: the role has the unknown type SecurityTokenServiceType in http://docs.oasis-open.org/wsfed/federation/200706",
        ],
    );
    for untyped in ["", " xsi:type=''"] {
        let untyped = change(
            AGGREGATE,
            &[(" xsi:type=\"fed:SecurityTokenServiceType\"", untyped)],
        );
        expect(
            SamlCore,
            &untyped,
            "MD-ROOT-03",
            &["error: RoleDescriptor has no xsi:type, but its type is abstract"],
        );
    }
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
                    "warning: the NameIDFormat \"urn:oasis:names:tc:SAML:2.0:nameid-format:emailAddress\" is unknown",
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
