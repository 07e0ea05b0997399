//! Rules about extensions.

use super::table;

table! {
    UI_01 "MD-UI-01" [E E E E]
        "UIInfo stands once in the Extensions of a single sign-on role, DiscoHints once in those of an identity provider",
        "sstc-saml-metadata-ui-v1.0 2.1 and 2.2; UK federation ukf-meta check_mdui",
        "Move the element into the Extensions of the IDPSSODescriptor or SPSSODescriptor, and keep one.";
    UI_02 "MD-UI-02" [W W O O] mild [O O O O]
        "a role can be shown to people: name, logo, and for a service description and privacy statement",
        "saml2int SDP-MD09; eduGAIN Metadata Aggregation Practice Statement w9 to w13",
        "Add mdui:UIInfo with DisplayName and Logo, for a service also Description and PrivacyStatementURL, in English at least.";
    UI_03 "MD-UI-03" [E E E E] mild [W W W W]
        "a Logo has a size in pixels, and is an https or data address of bearable length",
        "sstc-saml-metadata-ui-v1.0 2.1.5; saml2int SDP-MD10; eduGAIN Metadata Aggregation Practice Statement R4",
        "Give width and height as numbers, and an https address.";
    UI_04 "MD-UI-04" [E E E E] mild [W W W W]
        "Keywords and hints are of the form that discovery reads",
        "sstc-saml-metadata-ui-v1.0 2.1.4, 2.2.1 to 2.2.3; RFC 4632; RFC 5870",
        "Write networks like 192.0.2.0/24, domains like example.com, places like geo:47.37,8.53, and keywords apart by blanks.";
    UI_05 "MD-UI-05" [E E E E]
        "a text of UIInfo has each language once",
        "sstc-saml-metadata-ui-v1.0 2.1; UK federation ukf-meta check_mdui",
        "Keep one text of the kind for each language.";

    RPI_01 "MD-RPI-01" [E E E E] mild [W W W W]
        "registration and publication are told once, by the entity or its group",
        "saml-metadata-rpi-v1.0 2.1 and 2.2; eduGAIN Metadata Aggregation Practice Statement E8",
        "Keep one of each in the Extensions of the entity, or of the group, but not of both.";
    RPI_02 "MD-RPI-02" [E E E E] mild [O O O O]
        "the registrar is named and an expected one, and times are UTC and past",
        "saml-metadata-rpi-v1.0 2.1; eduGAIN Metadata Aggregation Practice Statement E2, A3, A4",
        "Give registrationAuthority, and times like 2026-01-31T12:00:00Z.";
    RPI_03 "MD-RPI-03" [W I I I]
        "a registration names its policy, in English at least",
        "eduGAIN Metadata Aggregation Practice Statement w3",
        "Add mdrpi:RegistrationPolicy with xml:lang=\"en\".";

    ATTR_01 "MD-ATTR-01" [E E E E]
        "EntityAttributes stands once in the Extensions of an entity or group, and a group's holds no Assertion",
        "sstc-metadata-attr 2.2 and 2.3; eduGAIN Metadata Aggregation Practice Statement E9",
        "Merge the EntityAttributes, in the Extensions of the EntityDescriptor.";
    ATTR_02 "MD-ATTR-02" [W W W W]
        "entity attributes are spelled as consumers compare them, and what a category demands is there",
        "REFEDS and GEANT entity category definitions; saml-subject-id-attr-v1.0 4.1; UK federation ukf-meta mdattr_ec",
        "Add what is missing, or remove the category.";

    SHIB_01 "MD-SHIB-01" [E E E E] mild [W W W W]
        "a Scope is a domain, or a regular expression with both ends fixed",
        "Shibboleth metadata extension 1.0; UK federation ukf-meta check_shib_regscope, check_shib_noregscope",
        "Write the domain in lower case with regexp=\"false\", or an expression like ^[a-z]+\\.example\\.com$.";

    EXT_01 "MD-EXT-01" [W W W W]
        "extensions are spelled as in their specification, and stand where they are looked for",
        "UK federation ukf-meta check_mdui, check_mdrpi, check_algsupport",
        "Check the spelling, or move the element; consumers ignore what they do not expect.";
}
