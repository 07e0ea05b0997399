use super::{core, expect};
use crate::support::{AGGREGATE, IDP, SP, change};
use saml_metadata::Profile::SamlCore;

const ID: &str = "entityID=\"https://idp.example.com/metadata\"";

#[test]
fn an_entity_id_has_a_limited_length() {
    let id = |length: usize| format!("entityID=\"urn:{}\"", "x".repeat(length - 4));
    core(
        "MD-ENT-01",
        IDP,
        &[
            (&[(ID, "")], &["error: the entity has no entityID"]),
            (&[(ID, "entityID=\" \"")], &["error: the entityID is empty"]),
            (&[(ID, &id(256))], &[]),
            (
                &[(ID, &id(257))],
                &["warning: the entityID has 257 characters, more than 256"],
            ),
            (
                &[(ID, &id(1024))],
                &["warning: the entityID has 1024 characters, more than 256"],
            ),
            (
                &[(ID, &id(1025))],
                &["error: the entityID has 1025 characters, more than 1024"],
            ),
        ],
    );
}

#[test]
fn an_entity_id_is_an_absolute_uri() {
    core(
        "MD-ENT-02",
        IDP,
        &[
            (
                &[(ID, "entityID='exk1'")],
                &["error: the entityID \"exk1\" is not an absolute URI"],
            ),
            (
                &[(ID, "entityID='https://a b/'")],
                &["error: the entityID \"https://a b/\" is not an absolute URI"],
            ),
            (
                &[(ID, "entityID='ftp://a/'")],
                &["warning: the entityID has the unusual scheme ftp"],
            ),
            (&[(ID, "entityID='urn:a'")], &[]),
        ],
    );
}

#[test]
fn an_entity_has_roles_or_is_an_affiliation() {
    let affiliation = "<md:AffiliationDescriptor affiliationOwnerID='urn:a'><md:AffiliateMember>urn:b</md:AffiliateMember></md:AffiliationDescriptor>";
    let role = &SP
        [SP.find("<md:SPSSO").expect("a match")..SP.find("  <md:Organization>").expect("a match")];
    core(
        "MD-ENT-03",
        SP,
        &[
            (&[(role, "")], &["error: the entity has no role"]),
            (&[(role, affiliation)], &[]),
            (
                &[(role, &format!("{affiliation}{affiliation}"))],
                &["error: the entity has two AffiliationDescriptor elements"],
            ),
            (
                &[
                    ("  <md:Organization>", affiliation),
                    (
                        "<md:OrganizationName xml:lang=\"en\">Example Ltd</md:OrganizationName>",
                        "<md:Organization><md:OrganizationName xml:lang=\"en\">Example Ltd</md:OrganizationName>",
                    ),
                ],
                &["error: the entity has roles and is also an affiliation"],
            ),
        ],
    );
}

#[test]
fn an_entity_has_one_role_per_type_and_protocol() {
    let authority = "<md:AttributeAuthorityDescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol'/>";
    let other = authority.replace("2.0", "1.1");
    core(
        "MD-ENT-04",
        IDP,
        &[
            (
                &[(
                    "  <md:Organization>",
                    &format!("{authority}<md:Organization>"),
                )],
                &[
                    "warning: two AttributeAuthorityDescriptor elements support the protocol urn:oasis:names:tc:SAML:2.0:protocol",
                ],
            ),
            (
                &[("  <md:Organization>", &format!("{other}<md:Organization>"))],
                &[],
            ),
        ],
    );
}

#[test]
fn an_organization_is_complete() {
    core(
        "MD-ENT-05",
        IDP,
        &[
            (
                &[(
                    "<md:OrganizationURL xml:lang=\"en\">https://www.example.com/</md:OrganizationURL>",
                    "",
                )],
                &["error: the organization has no OrganizationURL"],
            ),
            (
                &[(">Beispiel GmbH<", "> <")],
                &["error: OrganizationName is empty"],
            ),
            (
                &[(">https://www.example.com/<", ">www.example.com<")],
                &["warning: OrganizationURL \"www.example.com\" is not an http or https URL"],
            ),
            (
                &[(">Beispiel GmbH<", ">Beispiel\nGmbH<")],
                &["warning: OrganizationName has a line break"],
            ),
        ],
    );
}

#[test]
fn an_entity_has_a_technical_or_support_contact_and_contact_types_are_known() {
    let kind = "contactType=\"technical\"";
    core(
        "MD-ENT-06",
        IDP,
        &[
            (
                &[(kind, "contactType='billing'")],
                &["warning: there is no technical or support contact"],
            ),
            (&[(kind, "contactType='support'")], &[]),
            (
                &[(kind, "contactType='security'")],
                &[
                    "warning: there is no technical or support contact",
                    "error: the contactType \"security\" is unknown",
                ],
            ),
            (
                &[(kind, "")],
                &[
                    "warning: there is no technical or support contact",
                    "error: the contact has no contactType",
                ],
            ),
        ],
    );
}

#[test]
fn an_email_address_is_one_mailto_address() {
    let wrong = |address: &str| {
        format!("warning: EmailAddress {address:?} is not a mailto: URI with one address")
    };
    for address in [
        "ada@example.com",
        "mailto:ada",
        "mailto:@b",
        "mailto:a@b,c@d",
        "mailto:a b@c",
        "mailto:mailto:a@b",
    ] {
        core(
            "MD-ENT-07",
            IDP,
            &[(&[("mailto:ada@example.com", address)], &[&wrong(address)])],
        );
    }
}

#[test]
fn details_of_contacts_are_not_empty() {
    core(
        "MD-ENT-08",
        IDP,
        &[
            (
                &[("<md:SurName>Lovelace", "<md:SurName>")],
                &["error: SurName is empty"],
            ),
            (
                &[(">mailto:ada@example.com<", "> \n<")],
                &["error: EmailAddress is empty"],
            ),
        ],
    );
}

#[test]
fn localized_texts_have_one_value_per_language() {
    core(
        "MD-ENT-09",
        IDP,
        &[
            (
                &[(
                    "<md:OrganizationName xml:lang=\"de\">",
                    "<md:OrganizationName>",
                )],
                &["error: OrganizationName has no xml:lang"],
            ),
            (
                &[("xml:lang=\"de\"", "xml:lang=\"\"")],
                &["error: the xml:lang of OrganizationName is empty"],
            ),
            (
                &[("xml:lang=\"de\"", "xml:lang=\"EN\"")],
                &["warning: OrganizationName appears twice in the language \"EN\""],
            ),
            (
                &[("<mdui:DisplayName xml:lang=\"en\">", "<mdui:DisplayName>")],
                &["error: DisplayName has no xml:lang"],
            ),
            (
                &[(
                    "<mdrpi:RegistrationPolicy xml:lang=\"en\">",
                    "<mdrpi:RegistrationPolicy>",
                )],
                &["error: RegistrationPolicy has no xml:lang"],
            ),
        ],
    );
    core(
        "MD-ENT-09",
        SP,
        &[(
            &[("<md:ServiceName xml:lang=\"en\">", "<md:ServiceName>")],
            &["error: ServiceName has no xml:lang"],
        )],
    );
}

#[test]
fn values_have_no_surrounding_white_space() {
    core(
        "MD-ENT-10",
        IDP,
        &[
            (
                &[("<md:Company>Example", "<md:Company> Example")],
                &["warning: Company has leading or trailing whitespace"],
            ),
            (
                &[(
                    "emailAddress</md:NameIDFormat>",
                    "emailAddress\n    </md:NameIDFormat>",
                )],
                &["warning: NameIDFormat has leading or trailing whitespace"],
            ),
            (
                &[(
                    "\"https://idp.example.com/sso\"",
                    "\"https://idp.example.com/sso \"",
                )],
                &["warning: Location has leading or trailing whitespace"],
            ),
            (
                &[(
                    "\"https://idp.example.com/metadata\"",
                    "\" https://idp.example.com/metadata\"",
                )],
                &["warning: entityID has leading or trailing whitespace"],
            ),
            // An attribute of another namespace is no URI of SAML.
            (
                &[(
                    "<md:Organization>",
                    "<md:Organization xmlns:x=\"urn:x\" x:ID=\" a\">",
                )],
                &[],
            ),
        ],
    );
}

#[test]
fn an_additional_metadata_location_has_a_namespace_and_a_uri() {
    core(
        "MD-ENT-11",
        IDP,
        &[
            (
                &[(" namespace=\"urn:oasis:names:tc:SAML:2.0:metadata\"", "")],
                &["error: AdditionalMetadataLocation has no namespace"],
            ),
            (
                &[(">https://idp.example.com/more<", ">/more<")],
                &["info: AdditionalMetadataLocation is not an absolute URI"],
            ),
        ],
    );
}

#[test]
fn an_affiliation_has_an_owner_and_members() {
    core(
        "MD-AFF-01",
        AGGREGATE,
        &[
            (
                &[(" affiliationOwnerID=\"https://a.example.com\"", "")],
                &["error: the affiliation has no affiliationOwnerID"],
            ),
            (
                &[
                    (
                        "<md:AffiliateMember>https://b.example.com</md:AffiliateMember>",
                        "",
                    ),
                    (
                        "<md:AffiliateMember>https://c.example.com</md:AffiliateMember>",
                        "",
                    ),
                ],
                &["error: the affiliation has no AffiliateMember"],
            ),
        ],
    );
}

#[test]
fn contacts_of_a_role_count_as_contacts_of_the_entity() {
    let moved = change(
        IDP,
        &[
            ("<md:Organization>", "<!--"),
            ("</md:ContactPerson>", "-->"),
        ],
    );
    expect(
        SamlCore,
        &moved,
        "MD-ENT-06",
        &["warning: there is no technical or support contact"],
    );
    let in_role = change(
        &moved,
        &[(
            "<md:ArtifactResolutionService",
            "<md:ContactPerson contactType='support'/><md:ArtifactResolutionService",
        )],
    );
    expect(SamlCore, &in_role, "MD-ENT-06", &[]);
}
