use super::{core, expect};
use crate::support::{AGGREGATE, AWS_SP, IDP, OKTA, SP, change};
use saml_metadata::{Profile, Profile::SamlCore, validate};

#[test]
fn processing_instructions_and_carriage_returns_in_values_are_reported() {
    core(
        "MD-XML-05",
        IDP,
        &[
            (
                &[("<md:Extensions>", "<?a b?><md:Extensions>")],
                &["warning: the document has a processing instruction"],
            ),
            (
                &[("<md:Company>Example", "<md:Company>&#13;Example")],
                &["warning: the text of Company contains a carriage return"],
            ),
        ],
    );
    // The carriage return of a Windows line ending is not part of the value.
    expect(SamlCore, &IDP.replace('\n', "\r\n"), "MD-XML-05", &[]);
}

#[test]
fn no_value_contains_a_comment() {
    core(
        "MD-XML-06",
        IDP,
        &[(
            &[(
                "mailto:ada@example.com",
                "mailto:ada@example.com<!-- -->.evil.org",
            )],
            &["warning: the text of EmailAddress contains a comment"],
        )],
    );
    expect(
        SamlCore,
        &change(IDP, &[("<mdui:UIInfo>", "<!-- a --><mdui:UIInfo>")]),
        "MD-XML-06",
        &[],
    );
}

#[test]
fn the_root_element_is_saml_metadata() {
    core(
        "MD-ROOT-01",
        SP,
        &[
            (
                &[(
                    "urn:oasis:names:tc:SAML:2.0:metadata",
                    "urn:oasis:names:tc:SAML:1.0:metadata",
                )],
                &[
                    "error: the root element is EntityDescriptor in the namespace urn:oasis:names:tc:SAML:1.0:metadata",
                ],
            ),
            (
                &[
                    ("<md:EntityDescriptor", "<md:Other"),
                    ("</md:EntityDescriptor", "</md:Other"),
                ],
                &[
                    "error: the root element is Other in the namespace urn:oasis:names:tc:SAML:2.0:metadata",
                ],
            ),
        ],
    );
    expect(
        SamlCore,
        "<r/>",
        "MD-ROOT-01",
        &["error: the root element is r without a namespace"],
    );
}

#[test]
fn every_id_is_a_valid_name_and_unique() {
    core(
        "MD-ROOT-02",
        IDP,
        &[
            (
                &[("ID=\"_idp\"", "ID=\"1234\"")],
                &["error: the ID \"1234\" is not a valid XML name"],
            ),
            (
                &[(
                    "<md:IDPSSODescriptor ",
                    "<md:IDPSSODescriptor ID=\" _idp \" ",
                )],
                &["error: the ID \"_idp\" appears twice"],
            ),
            (
                &[("<ds:KeyInfo>", "<ds:KeyInfo Id='_idp'>")],
                &["error: the ID \"_idp\" appears twice"],
            ),
        ],
    );
}

#[test]
fn elements_and_attributes_follow_the_schema() {
    core(
        "MD-ROOT-03",
        IDP,
        &[
            (
                &[("<md:Organization>", "<md:Bogus/><md:Organization>")],
                &["error: SAML metadata has no element Bogus"],
            ),
            (
                &[(
                    "<md:Organization>",
                    "<md:NameIDFormat>a:b</md:NameIDFormat><md:Organization>",
                )],
                &["error: NameIDFormat is not allowed in EntityDescriptor"],
            ),
            (
                &[(
                    "<md:Organization>",
                    "<md:ContactPerson contactType='other'/><md:Organization>",
                )],
                &["error: Organization must come before ContactPerson"],
            ),
            (
                &[("<md:Organization>", "<md:Organization/><md:Organization>")],
                &["error: EntityDescriptor may have only one Organization"],
            ),
            (
                &[("cacheDuration", "Name=\"a\" cacheDuration")],
                &["error: EntityDescriptor must not have the attribute Name"],
            ),
            (
                &[("isDefault=\"true\"", "isDefault=\"yes\"")],
                &["error: isDefault is \"yes\", not true or false"],
            ),
            (
                &[("<md:Organization>", "<md:Organization>text")],
                &["error: Organization has text between its elements: \"text\""],
            ),
            (
                &[("<md:Organization>", "<md:Organization>&#65;")],
                &["error: Organization has text between its elements: \"&#65;\""],
            ),
            (
                &[("<md:Organization>", "<md:Organization><![CDATA[]]>")],
                &["error: Organization has a CDATA section between its elements"],
            ),
            (
                &[(
                    "<md:GivenName>Ada",
                    "<md:GivenName>A<x:b xmlns:x='urn:x'/>da",
                )],
                &["error: GivenName must contain only text, but contains the element x:b"],
            ),
            (
                &[(
                    "<md:AttributeService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:SOAP\" Location=\"https://idp.example.com/attributes\"/>",
                    "",
                )],
                &["error: AttributeAuthorityDescriptor has no AttributeService"],
            ),
        ],
    );
    // A `RoleDescriptor` with an extension type may have the elements of that type.
    core("MD-ROOT-03", AGGREGATE, &[]);
}

#[test]
fn foreign_elements_are_inside_extensions() {
    let x = "<x:y xmlns:x='urn:x'/>";
    core(
        "MD-ROOT-04",
        IDP,
        &[
            (
                &[("<md:Organization>", &format!("{x}<md:Organization>"))],
                &["error: x:y is not allowed in EntityDescriptor"],
            ),
            (
                &[("<md:NameIDFormat>", "<y/><md:NameIDFormat>")],
                &["error: y in IDPSSODescriptor has no namespace"],
            ),
        ],
    );
    // An endpoint or a key may contain any foreign element.
    let anywhere = change(
        IDP,
        &[
            ("<ds:X509Data>", &format!("{x}<ds:X509Data>")),
            (
                "Location=\"https://idp.example.com/sso\"/>",
                &format!("Location=\"https://idp.example.com/sso\">{x}</md:SingleSignOnService>"),
            ),
        ],
    );
    expect(SamlCore, &anywhere, "MD-ROOT-04", &[]);
}

#[test]
fn extensions_contain_only_extension_elements() {
    core(
        "MD-ROOT-05",
        IDP,
        &[
            (
                &[("<md:Extensions>", "<md:Extensions><md:Organization/>")],
                &["error: Organization is not an extension"],
            ),
            (
                &[("<md:Extensions>", "<md:Extensions><a/>")],
                &["error: the extension a has no namespace"],
            ),
            (
                &[(
                    "<md:AttributeService",
                    "<md:Extensions> <!-- a --> </md:Extensions><md:AttributeService",
                )],
                &["error: Extensions is empty"],
            ),
        ],
    );
}

#[test]
fn groups_are_not_nested_and_have_unique_names() {
    let flat = "<EntitiesDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata' Name='a'/>";
    core(
        "MD-ROOT-06",
        flat,
        &[
            (&[(" Name='a'", "")], &["warning: the group has no Name"]),
            (
                &[(
                    "'a'/>",
                    "'a'><EntitiesDescriptor Name='a'/></EntitiesDescriptor>",
                )],
                &[
                    "warning: the group is inside another group",
                    "warning: two groups have the Name \"a\"",
                ],
            ),
        ],
    );
}

#[test]
fn groups_are_not_empty() {
    core(
        "MD-ROOT-07",
        AGGREGATE,
        &[(
            &[(
                "<md:EntitiesDescriptor Name=",
                "<md:EntitiesDescriptor/><md:EntitiesDescriptor Name=",
            )],
            &["error: the group is empty"],
        )],
    );
}

#[test]
fn namespaces_are_known() {
    let with = |uri: &str| format!("<md:Extensions><x:y xmlns:x='{uri}'><x:z/></x:y>");
    core(
        "MD-ROOT-08",
        IDP,
        &[
            (
                &[("<md:Extensions>", &with("urn:x"))],
                &["warning: the namespace urn:x is unknown"],
            ),
            (
                &[("<md:Extensions>", &with("x"))],
                &["warning: the namespace x is not an absolute URI"],
            ),
            (
                &[(
                    "<md:Extensions>",
                    &with("urn:oasis:names:tc:saml:metadata:ui"),
                )],
                &["warning: the namespace urn:oasis:names:tc:saml:metadata:ui is misspelled"],
            ),
        ],
    );
}

#[test]
fn an_entity_id_appears_once() {
    core(
        "MD-ROOT-09",
        AGGREGATE,
        &[(
            &[(
                "entityID=\"https://c.example.com\"",
                "entityID=\"https://a.example.com\"",
            )],
            &["error: the entityID \"https://a.example.com\" appears twice"],
        )],
    );
}

#[test]
fn times_are_valid_and_in_utc() {
    core(
        "MD-TIME-01",
        IDP,
        &[
            (
                &[("2026-12-01T00:00:00Z", "2026-12-01")],
                &["error: validUntil \"2026-12-01\" is not a time like 2026-01-31T12:00:00Z"],
            ),
            (
                &[("2026-12-01T00:00:00Z", "2026-12-01T00:00:00+01:00")],
                &["warning: validUntil is not in UTC (it must end with Z)"],
            ),
            (
                &[("PT4H", "P1DT")],
                &["error: cacheDuration \"P1DT\" is not a duration like PT6H or P1D"],
            ),
        ],
    );
}

#[test]
fn metadata_has_not_expired_at_any_level() {
    core(
        "MD-TIME-02",
        IDP,
        &[
            (
                &[("2026-12-01T00:00:00Z", "2026-11-24T11:54:59Z")],
                &["error: EntityDescriptor expired at 2026-11-24T11:54:59Z"],
            ),
            // The rule allows a clock skew of a few minutes.
            (&[("2026-12-01T00:00:00Z", "2026-11-24T11:55:01Z")], &[]),
            (
                &[(
                    "<md:IDPSSODescriptor",
                    "<md:IDPSSODescriptor validUntil='2020-01-01T00:00:00Z'",
                )],
                &["error: IDPSSODescriptor expired at 2020-01-01T00:00:00Z"],
            ),
        ],
    );
}

#[test]
fn the_root_has_a_valid_until() {
    core(
        "MD-TIME-03",
        IDP,
        &[(
            &[
                (" cacheDuration=\"PT4H\"", ""),
                ("validUntil=\"2026-12-01T00:00:00Z\"", ""),
            ],
            &["warning: the root element has no validUntil"],
        )],
    );
}

#[test]
fn the_root_is_not_valid_for_too_long() {
    core(
        "MD-TIME-04",
        IDP,
        &[(
            &[("2026-12-01T00:00:00Z", "2026-12-08T12:00:01Z")],
            &["warning: the metadata is valid for more than 14 days from now"],
        )],
    );
}

#[test]
fn a_cache_duration_is_a_few_hours() {
    core(
        "MD-TIME-05",
        IDP,
        &[
            (
                &[("PT4H", "PT0S")],
                &["warning: cacheDuration is not positive"],
            ),
            (
                &[("PT4H", "-PT4H")],
                &["warning: cacheDuration is not positive"],
            ),
            (
                &[("PT4H", "P7D")],
                &["warning: cacheDuration, counted from now, ends after validUntil"],
            ),
            (
                &[("PT4H", "PT59M")],
                &["info: cacheDuration is not between one and six hours"],
            ),
            (
                &[("PT4H", "PT7H")],
                &["info: cacheDuration is not between one and six hours"],
            ),
        ],
    );
}

#[test]
fn the_root_has_a_valid_until_or_a_cache_duration() {
    let neither = [
        (" cacheDuration=\"PT4H\"", ""),
        (" validUntil=\"2026-12-01T00:00:00Z\"", ""),
    ];
    core(
        "MD-TIME-06",
        &IDP.replace("\n    validUntil", " validUntil"),
        &[
            (
                &neither,
                &["warning: the root element has neither validUntil nor cacheDuration"],
            ),
            (&neither[1..], &[]),
        ],
    );
}

#[test]
fn attributes_of_other_namespaces_are_where_the_schema_allows_them() {
    const FOREIGN: &str = " x:a='b' xmlns:x='urn:x'";
    for (xml, name) in [
        (AGGREGATE, "EntitiesDescriptor"),
        (IDP, "KeyDescriptor"),
        (IDP, "NameIDFormat"),
        (IDP, "OrganizationName"),
        (IDP, "EncryptionMethod"),
        (IDP, "AdditionalMetadataLocation"),
        (SP, "AttributeConsumingService"),
    ] {
        let tag = format!("<md:{name}");
        expect(
            SamlCore,
            &change(xml, &[(&tag, &format!("{tag}{FOREIGN}"))]),
            "MD-ROOT-03",
            &[&format!("error: {name} must not have the attribute x:a")],
        );
    }
    expect(
        SamlCore,
        &change(IDP, &[("<ds:KeyInfo", &format!("<ds:KeyInfo{FOREIGN}"))]),
        "MD-ROOT-03",
        &["error: KeyInfo must not have the attribute x:a"],
    );
    for name in [
        "EntityDescriptor",
        "IDPSSODescriptor",
        "SingleSignOnService",
        "Organization",
        "ContactPerson",
    ] {
        let tag = format!("<md:{name}");
        let legal = change(IDP, &[(&tag, &format!("{tag}{FOREIGN}"))]);
        expect(SamlCore, &legal, "MD-ROOT-03", &[]);
    }
}

#[test]
fn an_algorithm_has_its_uri() {
    let gcm = " Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\"";
    core(
        "MD-ROOT-03",
        IDP,
        &[(&[(gcm, "")], &["error: EncryptionMethod has no Algorithm"])],
    );
    let sha256 = " Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"";
    core(
        "MD-EXT-02",
        IDP,
        &[
            (&[(sha256, "")], &["error: DigestMethod has no Algorithm"]),
            (
                &[("<mdui:IPHint>", "-<mdui:IPHint>")],
                &["error: DiscoHints has text between its elements: \"-\""],
            ),
            (
                &[(
                    "<mdui:Keywords xml:lang=\"en\"",
                    "<mdui:Keywords xml:lang=\"en_US\"",
                )],
                &["error: xml:lang is \"en_US\", not a language tag"],
            ),
        ],
    );
}

#[test]
fn each_cause_of_a_finding_has_its_own_help() {
    let help = |profile: Profile, xml: &str, rule: &str| {
        let found = validate(
            &crate::support::document(xml),
            profile,
            crate::support::now(),
        );
        let finding = found
            .into_iter()
            .find(|finding| finding.rule.as_str() == rule);
        finding.expect(rule).help
    };
    let root = [
        change(IDP, &[("<md:Organization>", "-<md:Organization>")]),
        change(
            IDP,
            &[("<md:Organization>", "<md:Bogus/><md:Organization>")],
        ),
        change(IDP, &[("cacheDuration", "Name=\"a\" cacheDuration")]),
        change(IDP, &[("isDefault=\"true\"", "isDefault=\"yes\"")]),
        change(
            IDP,
            &[(
                "<md:Organization>",
                "<md:ContactPerson contactType='other'/><md:Organization>",
            )],
        ),
    ]
    .map(|xml| help(SamlCore, &xml, "MD-ROOT-03"));
    let aws = [
        change(OKTA, &[("entityID=\"http://www.okta.com/exk4uqa1b2C3d4E5f6g7\"", "")]),
        change(OKTA, &[("use=\"signing\"", "use=\"encryption\"")]),
        AWS_SP.to_owned(),
        format!(
            "<md:EntitiesDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata'>{}</md:EntitiesDescriptor>",
            &OKTA[OKTA.find("<md:EntityDescriptor").expect("a match")..]
        ),
    ]
    .map(|xml| help(Profile::AwsIdentityCenter, &xml, "MD-AWS-02"));
    for texts in [&root[..], &aws[..]] {
        let different: std::collections::BTreeSet<_> = texts.iter().collect();
        assert_eq!(different.len(), texts.len(), "{texts:#?}");
    }
    assert!(root[0].contains("copied from a browser"), "{}", root[0]);
    assert!(
        aws[3].contains("Make the EntityDescriptor the root"),
        "{}",
        aws[3]
    );
}

#[test]
fn the_file_is_utf_8_without_a_byte_order_mark() {
    expect(
        SamlCore,
        &format!("\u{feff}{IDP}"),
        "MD-XML-07",
        &["warning: the file starts with a byte order mark"],
    );
    core("MD-XML-07", IDP, &[]);
}
