use super::core;
use crate::support::{IDP, SP};

const SSO: &str = "Location=\"https://idp.example.com/sso\"";
const ACS: &str = "Location=\"https://sp.example.com/acs/2\"";

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
fn an_endpoint_url_has_no_script_or_file_scheme() {
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
                    "error: Location of AssertionConsumerService has the scheme {scheme}"
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
fn an_endpoint_url_has_no_unusual_parts() {
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
                    "warning: Location of AssertionConsumerService contains the default port",
                ],
            ),
            (
                &[(ACS, "Location='https://192.168.0.1/acs'")],
                &["warning: Location of AssertionConsumerService has an IP address as its host"],
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
fn bindings_are_known() {
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
                    "warning: the binding \"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Post\" is unknown",
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
fn indexed_endpoints_have_unique_indexes() {
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
                &["error: index \"65536\" is not a number from 0 to 65535"],
            ),
            (
                &[("index=\"2\"", "index=\"-1\"")],
                &["error: index \"-1\" is not a number from 0 to 65535"],
            ),
            (
                &[("index=\"2\"", "index=\"3\"")],
                &["error: two AssertionConsumerService elements have the index 3"],
            ),
            (&[("index=\"2\"", "index=\"65535\"")], &[]),
        ],
    );
}

#[test]
fn at_most_one_endpoint_of_a_kind_is_the_default() {
    core(
        "MD-EP-08",
        SP,
        &[(
            &[
                ("isDefault=\"false\"", "isDefault=\"true\""),
                ("index=\"3\"", "index=\"3\" isDefault=\"1\""),
            ],
            &["error: two AssertionConsumerService elements are the default"],
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
            &["warning: two SingleSignOnService elements use HTTP-Redirect"],
        )],
    );
}
