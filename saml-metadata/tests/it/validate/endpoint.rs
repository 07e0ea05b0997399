use super::{core, expect, in_profile};
use crate::support::{IDP, SP, change};
use saml_metadata::Profile;

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

#[test]
fn a_url_that_no_browser_can_open_is_an_error_in_every_profile() {
    let cases = [
        (
            "https://{tenant}.okta.com/sso",
            "contains the placeholder {tenant}",
        ),
        (
            "https://idp.example.com/&lt;app>/sso",
            "contains the placeholder <app>",
        ),
        ("https://", "has no host"),
        (
            "https://idp.example.com:99999/sso",
            "has the port 99999, which cannot exist",
        ),
        ("https:idp.example.com/sso", "has no // after its scheme"),
        (
            "https://idp..example.com/sso",
            "has the host \"idp..example.com\", which cannot exist",
        ),
    ];
    for (url, problem) in cases {
        let broken = format!("Location='{url}'");
        let shown = url.replace("&lt;", "<");
        let message = format!("error: Location {shown:?} of SingleSignOnService {problem}");
        for profile in Profile::ALL {
            in_profile(
                profile,
                "MD-EP-11",
                IDP,
                &[(&[(SSO, &broken)], &[&message])],
            );
        }
        let message = format!("error: Location {shown:?} of AssertionConsumerService {problem}");
        core("MD-EP-11", SP, &[(&[(ACS, &broken)], &[&message])]);
    }
    for url in [
        "HTTPS://idp.example.com/sso",
        "https://idp.example.com:8443/sso",
    ] {
        let other = change(IDP, &[(SSO, &format!("Location='{url}'"))]);
        for rule in ["MD-EP-01", "MD-EP-02", "MD-EP-03", "MD-EP-11"] {
            expect(Profile::SamlCore, &other, rule, &[]);
        }
    }
}

#[test]
fn every_address_is_checked_for_use() {
    core(
        "MD-EP-11",
        IDP,
        &[
            (
                &[("https://idp.example.com/logout\"", "https://\"")],
                &["error: Location \"https://\" of SingleLogoutService has no host"],
            ),
            (
                &[("https://idp.example.com/logout/done", "https:done")],
                &[
                    "error: ResponseLocation \"https:done\" of SingleLogoutService has no // after its scheme",
                ],
            ),
        ],
    );
    core(
        "MD-EP-11",
        SP,
        &[(
            &[("https://sp.example.com/disco", "https://{sp}/disco")],
            &[
                "error: Location \"https://{sp}/disco\" of DiscoveryResponse contains the placeholder {sp}",
            ],
        )],
    );
    let initiator = "<init:RequestInitiator xmlns:init='urn:oasis:names:tc:SAML:profiles:SSO:request-init' Binding='urn:oasis:names:tc:SAML:profiles:SSO:request-init' Location='https://'/><idpdisc:DiscoveryResponse";
    core(
        "MD-EP-11",
        SP,
        &[(
            &[("<idpdisc:DiscoveryResponse", initiator)],
            &["error: Location \"https://\" of RequestInitiator has no host"],
        )],
    );
    core(
        "MD-ROLE-03",
        IDP,
        &[(
            &[("https://idp.example.com/help", "https://{idp}/help")],
            &["warning: errorURL \"https://{idp}/help\" contains the placeholder {idp}"],
        )],
    );
    core(
        "MD-ENT-05",
        IDP,
        &[(
            &[("https://www.example.com/", "https:///about")],
            &["warning: OrganizationURL \"https:///about\" has no host"],
        )],
    );
    core(
        "MD-ENT-11",
        IDP,
        &[(
            &[("https://idp.example.com/more", "https://")],
            &["info: AdditionalMetadataLocation is a URL that cannot be opened"],
        )],
    );
    core(
        "MD-ENT-02",
        IDP,
        &[(
            &[("https://idp.example.com/metadata", "https:/realms/platform")],
            &["warning: the entityID \"https:/realms/platform\" has no // after its scheme"],
        )],
    );
    core(
        "MD-UI-03",
        IDP,
        &[(
            &[(
                "https://idp.example.com/logo.png",
                "https://logos/a.png:x{0}",
            )],
            &["error: the Logo \"https://logos/a.png:x{0}\" contains the placeholder {0}"],
        )],
    );
    core(
        "MD-UI-06",
        IDP,
        &[
            (
                &[("https://idp.example.com/about", "https://a.example:99999/")],
                &[
                    "warning: InformationURL \"https://a.example:99999/\" has the port 99999, which cannot exist",
                ],
            ),
            (
                &[("https://idp.example.com/privacy", "/privacy")],
                &["warning: PrivacyStatementURL \"/privacy\" is not an http or https URL"],
            ),
        ],
    );
}

#[test]
fn an_endpoint_that_only_programs_use_does_not_stop_a_consumer() {
    let artifact = "https://idp.example.com/artifact";
    let message = "Location \"https://\" of ArtifactResolutionService has no host";
    for (profile, severity) in [
        (Profile::SamlCore, "error"),
        (Profile::AwsIam, "warning"),
        (Profile::GoogleWorkforce, "warning"),
    ] {
        let finding = format!("{severity}: {message}");
        in_profile(
            profile,
            "MD-EP-11",
            IDP,
            &[(&[(artifact, "https://")], &[&finding])],
        );
    }
}
