use super::{core, expect, in_profile};
use crate::support::{AGGREGATE, IDP, SP, change};
use saml_metadata::Profile::{Edugain, Saml2int, SamlCore};

const UI: &str = "xmlns:mdui='urn:oasis:names:tc:SAML:metadata:ui'";
const LOGO: &str = "<mdui:Logo width=\"80\" height=\"60\" xml:lang=\"en\">https://idp.example.com/logo.png</mdui:Logo>";

/// Returns the service provider with one more extension in its role.
fn sp_with(extension: &str) -> String {
    change(
        SP,
        &[("<md:Extensions>", &format!("<md:Extensions>{extension}"))],
    )
}

/// Returns the service provider with an entity attribute.
fn sp_in(name: &str, value: &str) -> String {
    let extensions = format!(
        "<md:Extensions><mdattr:EntityAttributes xmlns:mdattr='urn:oasis:names:tc:SAML:metadata:attribute'><saml:Attribute xmlns:saml='urn:oasis:names:tc:SAML:2.0:assertion' Name='{name}' NameFormat='urn:oasis:names:tc:SAML:2.0:attrname-format:uri'><saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute></mdattr:EntityAttributes></md:Extensions><md:SPSSO"
    );
    change(SP, &[("<md:SPSSO", &extensions)])
}

#[test]
fn ui_info_and_disco_hints_appear_once_in_their_roles() {
    core(
        "MD-UI-01",
        IDP,
        &[
            (
                &[("<mdui:UIInfo>", "<mdui:UIInfo/><mdui:UIInfo>")],
                &["error: UIInfo appears twice"],
            ),
            (
                &[("<mdui:DiscoHints>", "<mdui:DiscoHints/><mdui:DiscoHints>")],
                &["error: DiscoHints appears twice"],
            ),
            (
                &[(
                    "<mdrpi:RegistrationInfo",
                    "<mdui:UIInfo/><mdrpi:RegistrationInfo",
                )],
                &["error: UIInfo must be in the Extensions of IDPSSODescriptor or SPSSODescriptor"],
            ),
        ],
    );
    expect(
        SamlCore,
        &sp_with(&format!("<mdui:DiscoHints {UI}/>")),
        "MD-UI-01",
        &["error: DiscoHints must be in the Extensions of IDPSSODescriptor"],
    );
    expect(
        SamlCore,
        &sp_with(&format!("<mdui:UIInfo {UI}/>")),
        "MD-UI-01",
        &[],
    );
}

#[test]
fn ui_info_has_a_name_a_logo_a_description_and_a_privacy_url() {
    core(
        "MD-UI-02",
        IDP,
        &[
            (&[(LOGO, "")], &["warning: UIInfo has no Logo"]),
            (
                &[(
                    "<mdui:DisplayName xml:lang=\"en\">",
                    "<mdui:DisplayName xml:lang=\"de\">",
                )],
                &["warning: UIInfo has no DisplayName in English"],
            ),
            (
                &[(
                    "<mdui:DisplayName xml:lang=\"en\">",
                    "<mdui:DisplayName xml:lang=\"en-GB\">",
                )],
                &[],
            ),
        ],
    );
    let empty = sp_with(&format!("<mdui:UIInfo {UI}/>"));
    let parts = [
        "UIInfo has no DisplayName in English",
        "UIInfo has no Logo",
        "UIInfo has no Description in English",
        "UIInfo has no PrivacyStatementURL in English",
    ];
    let all = |level: &str| parts.map(|part| format!("{level}: {part}"));
    for (profile, level) in [
        (SamlCore, "warning"),
        (Edugain, "warning"),
        (Saml2int, "error"),
    ] {
        let all = all(level);
        let expected: Vec<&str> = all.iter().map(String::as_str).collect();
        expect(profile, &empty, "MD-UI-02", &expected);
    }
    expect(SamlCore, SP, "MD-UI-02", &[]);
    expect(
        Edugain,
        SP,
        "MD-UI-02",
        &["warning: the role has no UIInfo"],
    );
}

#[test]
fn a_logo_has_a_size_and_a_url() {
    let long = format!("data:image/png;base64,{}", "A".repeat(50_000));
    let url = "https://idp.example.com/logo.png";
    core(
        "MD-UI-03",
        IDP,
        &[
            (
                &[("width=\"80\"", "width=\"80px\"")],
                &["error: the width of the Logo is not a positive number"],
            ),
            (
                &[("height=\"60\"", "height=\"0\"")],
                &["error: the height of the Logo is not a positive number"],
            ),
            (
                &[(url, "logo.png")],
                &["error: the Logo \"logo.png\" is not an http, https or data: URL"],
            ),
            (
                &[(url, "http://idp.example.com/logo.png")],
                &["warning: the Logo is not an https URL"],
            ),
            (&[(url, "data:image/png;base64,AAAA")], &[]),
            (
                &[(url, &long)],
                &["warning: the Logo is a data: URL of 50022 characters"],
            ),
        ],
    );
    in_profile(
        Saml2int,
        "MD-UI-03",
        IDP,
        &[(
            &[(url, "http://idp.example.com/logo.png")],
            &["error: the Logo is not an https URL"],
        )],
    );
}

#[test]
fn keywords_and_hints_have_a_valid_form() {
    core(
        "MD-UI-04",
        IDP,
        &[
            (
                &[("example login+page", "example ++page")],
                &["error: the keyword \"++page\" has a + that does not join two words"],
            ),
            (
                &[("example login+page", "example, login")],
                &["warning: Keywords are separated by commas instead of spaces"],
            ),
            (
                &[("example login+page", " ")],
                &["error: Keywords is empty"],
            ),
            (
                &[("192.0.2.0/24", "192.0.2.0")],
                &["error: the IPHint \"192.0.2.0\" is not a network in CIDR notation"],
            ),
            (
                &[(
                    "<mdui:DomainHint>example.com",
                    "<mdui:DomainHint>ada@example.com",
                )],
                &["error: the DomainHint \"ada@example.com\" is not a domain"],
            ),
            (
                &[("geo:47.37328,8.531126", "47.37328,8.531126")],
                &["error: the GeolocationHint \"47.37328,8.531126\" is not a geo: URI"],
            ),
        ],
    );
}

#[test]
fn a_text_of_ui_info_has_one_value_per_language() {
    let name = "<mdui:DisplayName xml:lang=\"en\">Example login</mdui:DisplayName>";
    let twice = |language: &str| format!("{name}{}", name.replace("\"en\"", language));
    core(
        "MD-UI-05",
        IDP,
        &[
            (
                &[(name, &twice("'EN'"))],
                &["error: DisplayName appears twice in the language \"EN\""],
            ),
            (&[(name, &twice("'de'"))], &[]),
            // Several logos are allowed, because they differ in size.
            (&[(LOGO, &format!("{LOGO}{LOGO}"))], &[]),
        ],
    );
}

#[test]
fn a_registration_appears_once_and_in_the_right_place() {
    let info = "<mdrpi:RegistrationInfo registrationAuthority='https://other.example.org/'/>";
    core(
        "MD-RPI-01",
        IDP,
        &[
            (
                &[(
                    "<mdrpi:RegistrationInfo",
                    &format!("{info}<mdrpi:RegistrationInfo"),
                )],
                &["error: RegistrationInfo appears twice"],
            ),
            (
                &[("<mdui:UIInfo>", &format!("{info}<mdui:UIInfo>"))],
                &["error: RegistrationInfo must be in the Extensions of an entity or group"],
            ),
        ],
    );
    let entity = "<md:EntityDescriptor entityID=\"https://a.example.com\">";
    let registered = format!("{entity}<md:Extensions>{info}</md:Extensions>");
    let published =
        format!("{entity}<md:Extensions><mdrpi:PublicationInfo publisher='a'/></md:Extensions>");
    core(
        "MD-RPI-01",
        AGGREGATE,
        &[
            (&[(entity, &registered)], &[]),
            (
                &[
                    (entity, &registered),
                    (
                        "<mdrpi:PublicationInfo",
                        &format!("{info}<mdrpi:PublicationInfo"),
                    ),
                ],
                &["error: an enclosing group also has a RegistrationInfo"],
            ),
            (
                &[(entity, &published)],
                &["warning: PublicationInfo is not in the Extensions of the root element"],
            ),
        ],
    );
}

#[test]
fn registrars_are_named_and_instants_are_in_the_past() {
    core(
        "MD-RPI-02",
        IDP,
        &[
            (
                &[(
                    " registrationAuthority=\"https://federation.example.org/\"",
                    "",
                )],
                &["error: RegistrationInfo has no registrationAuthority"],
            ),
            (
                &[("2020-05-01T08:00:00Z", "2020-05-01T08:00:00")],
                &["error: registrationInstant is not in UTC (it must end with Z)"],
            ),
            (
                &[("2020-05-01T08:00:00Z", "2026-11-24T12:05:01Z")],
                &["error: registrationInstant is in the future"],
            ),
            (&[("2020-05-01T08:00:00Z", "2026-11-24T12:05:00Z")], &[]),
        ],
    );
    core(
        "MD-RPI-02",
        AGGREGATE,
        &[
            (
                &[(" publisher=\"https://federation.example.org/\"", "")],
                &["error: PublicationInfo has no publisher"],
            ),
            (
                &[("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z")],
                &["error: creationInstant is in the future"],
            ),
        ],
    );
    let unregistered = "error: neither the entity nor an enclosing group has a RegistrationInfo";
    expect(Edugain, IDP, "MD-RPI-02", &[]);
    expect(Edugain, SP, "MD-RPI-02", &[unregistered]);
    // The registration of a group applies to its members.
    let group = change(
        AGGREGATE,
        &[(
            "<mdrpi:PublicationInfo",
            "<mdrpi:RegistrationInfo registrationAuthority='https://federation.example.org/'/><mdrpi:PublicationInfo",
        )],
    );
    expect(Edugain, &group, "MD-RPI-02", &[]);
}

#[test]
fn a_registration_names_its_policy() {
    let policy = "<mdrpi:RegistrationPolicy xml:lang=\"en\">https://federation.example.org/policy</mdrpi:RegistrationPolicy>";
    core(
        "MD-RPI-03",
        IDP,
        &[
            (
                &[(policy, "")],
                &["warning: RegistrationInfo has no RegistrationPolicy"],
            ),
            (
                &[(policy, &policy.replace("\"en\"", "'de'"))],
                &["warning: RegistrationInfo has no RegistrationPolicy in English"],
            ),
        ],
    );
}

#[test]
fn entity_attributes_appear_once_and_in_the_right_place() {
    core(
        "MD-ATTR-01",
        IDP,
        &[
            (
                &[(
                    "<mdattr:EntityAttributes>",
                    "<mdattr:EntityAttributes/><mdattr:EntityAttributes>",
                )],
                &["error: EntityAttributes appears twice"],
            ),
            (
                &[("<mdui:UIInfo>", "<mdattr:EntityAttributes/><mdui:UIInfo>")],
                &["error: EntityAttributes must be in the Extensions of an entity or group"],
            ),
            (
                &[(
                    "<mdattr:EntityAttributes>",
                    "<mdattr:EntityAttributes><saml:NameID/>",
                )],
                &["error: EntityAttributes must not contain saml:NameID"],
            ),
            (
                &[(
                    "<mdattr:EntityAttributes>",
                    "<mdattr:EntityAttributes><saml:Assertion/>",
                )],
                &[],
            ),
        ],
    );
    let asserted = "<mdattr:EntityAttributes xmlns:mdattr='urn:oasis:names:tc:SAML:metadata:attribute'><saml:Assertion xmlns:saml='urn:oasis:names:tc:SAML:2.0:assertion'/></mdattr:EntityAttributes><mdrpi:PublicationInfo";
    core(
        "MD-ATTR-01",
        AGGREGATE,
        &[(
            &[("<mdrpi:PublicationInfo", asserted)],
            &["error: the EntityAttributes of a group must not contain an Assertion"],
        )],
    );
}

#[test]
fn entity_attributes_are_well_formed() {
    let value = "<saml:AttributeValue>http://refeds.org/category/research-and-scholarship</saml:AttributeValue>";
    core(
        "MD-ATTR-02",
        IDP,
        &[
            (
                &[("research-and-scholarship</", "research-and-scholarship </")],
                &[
                    "warning: a value of \"http://macedir.org/entity-category-support\" has leading or trailing whitespace",
                ],
            ),
            (
                &[(value, "")],
                &[
                    "warning: the attribute \"http://macedir.org/entity-category-support\" has no value",
                ],
            ),
            (
                &[(
                    "entity-category-support\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\"",
                    "entity-category-support\"",
                )],
                &[
                    "warning: the NameFormat of \"http://macedir.org/entity-category-support\" is not uri",
                ],
            ),
            (
                &[("entity-category-support\"", "entity-category\"")],
                &["warning: Research and Scholarship is a category for service providers"],
            ),
        ],
    );
}

#[test]
fn a_category_requires_what_its_definition_says() {
    let category = "http://macedir.org/entity-category";
    let warn = |name: &str, value: &str, expected: &[&str]| {
        let expected: Vec<String> = expected
            .iter()
            .map(|text| format!("warning: {text}"))
            .collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        expect(SamlCore, &sp_in(name, value), "MD-ATTR-02", &expected);
    };
    warn(
        category,
        "http://refeds.org/category/research-and-scholarship",
        &[
            "Research and Scholarship requires a DisplayName in English",
            "Research and Scholarship requires an InformationURL in English",
        ],
    );
    warn(
        category,
        "https://refeds.org/category/code-of-conduct/v2",
        &["the Code of Conduct requires a PrivacyStatementURL in English"],
    );
    warn(category, "https://refeds.org/category/personalized", &[]);
    warn(category, "urn:example:ours", &[]);
    warn(
        category,
        "http://refeds.org/category/hide-from-discovery",
        &["only an identity provider can be hidden from discovery"],
    );
    warn(
        category,
        "https://refeds.org/sirtfi",
        &["Sirtfi is an assurance certification, not an entity category"],
    );
    warn(
        "http://macedir.org/entity-category-support",
        "https://refeds.org/category/personalized",
        &["only an identity provider or attribute authority can support a category"],
    );
    let certified = "urn:oasis:names:tc:SAML:attribute:assurance-certification";
    warn(
        certified,
        "https://refeds.org/sirtfi2",
        &["Sirtfi requires a security contact"],
    );
    let contact = "<md:ContactPerson xmlns:remd='http://refeds.org/metadata' contactType='other' remd:contactType='http://refeds.org/metadata/contactType/security'><md:EmailAddress>mailto:s@example.com</md:EmailAddress></md:ContactPerson></md:EntityDescriptor>";
    let with_contact = change(
        &sp_in(certified, "https://refeds.org/sirtfi2"),
        &[("</md:EntityDescriptor>", contact)],
    );
    expect(SamlCore, &with_contact, "MD-ATTR-02", &[]);
    let required = "urn:oasis:names:tc:SAML:profiles:subject-id:req";
    warn(required, "pairwise-id", &[]);
    warn(
        required,
        "both",
        &["\"both\" is not a subject identifier requirement"],
    );
}

#[test]
fn a_scope_is_a_domain_or_a_regular_expression() {
    let scope = "<shibmd:Scope regexp=\"false\">example.com</shibmd:Scope>";
    let with =
        |attribute: &str, text: &str| format!("<shibmd:Scope{attribute}>{text}</shibmd:Scope>");
    for (other, expected) in [
        (with(" regexp='0'", "example.com"), None),
        (with(" regexp='true'", "^.+\\.example\\.com$"), None),
        (
            with("", "example.com"),
            Some("warning: the Scope has no regexp attribute"),
        ),
        (
            with(" regexp='no'", "example.com"),
            Some("error: regexp is \"no\", not true or false"),
        ),
        (
            with(" regexp='false'", ""),
            Some("error: the Scope is empty"),
        ),
        (
            with(" regexp='false'", "\nexample.com"),
            Some("error: the Scope \"example.com\" contains whitespace"),
        ),
        (
            with(" regexp='false'", "@example.com"),
            Some("error: the Scope \"@example.com\" is not a domain"),
        ),
        (
            with(" regexp='false'", "*.example.com"),
            Some("error: the Scope \"*.example.com\" is not a domain"),
        ),
        (
            with(" regexp='false'", "com"),
            Some("error: the Scope \"com\" is a whole top-level domain"),
        ),
        (
            with(" regexp='false'", "Example.com"),
            Some("warning: the Scope \"Example.com\" is not in lower case"),
        ),
        (
            with(" regexp='true'", "example\\.com$"),
            Some(
                "error: the regular expression \"example\\\\.com$\" does not start with ^ and end with $",
            ),
        ),
    ] {
        let expected: Vec<&str> = expected.into_iter().collect();
        core("MD-SHIB-01", IDP, &[(&[(scope, &other)], &expected)]);
    }
}

#[test]
fn extensions_are_spelled_right_and_placed_where_consumers_read_them() {
    let initiator = "<init:RequestInitiator xmlns:init='urn:oasis:names:tc:SAML:profiles:SSO:request-init' Binding='urn:oasis:names:tc:SAML:profiles:SSO:request-init' Location='https://sp.example.com/login'/>";
    core(
        "MD-EXT-01",
        IDP,
        &[
            (
                &[("<mdui:UIInfo>", "<mdui:UiInfo/><mdui:UIInfo>")],
                &["warning: UiInfo must be spelled UIInfo"],
            ),
            (
                &[("<mdui:UIInfo>", "<mdui:UIInfo><mdui:Displayname/>")],
                &["warning: Displayname must be spelled DisplayName"],
            ),
            (
                &[("<alg:DigestMethod", "<alg:HashMethod/><alg:DigestMethod")],
                &["warning: HashMethod is not defined in its namespace"],
            ),
            (
                &[("<mdui:UIInfo>", &format!("{initiator}<mdui:UIInfo>"))],
                &[
                    "warning: consumers do not read RequestInitiator in the Extensions of IDPSSODescriptor",
                ],
            ),
        ],
    );
    expect(SamlCore, &sp_with(initiator), "MD-EXT-01", &[]);
    expect(SamlCore, AGGREGATE, "MD-EXT-01", &[]);
}
