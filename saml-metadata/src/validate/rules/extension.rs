//! Rules about extensions of metadata.

use super::table;

table! {
    UI_01 "MD-UI-01" [E E E E]
        "UIInfo appears once in the Extensions of a single sign-on role, and DiscoHints once in the Extensions of an identity provider",
        "sstc-saml-metadata-ui-v1.0 2.1 and 2.2; UK federation ukf-meta check_mdui",
        "Move the element into the Extensions of the IDPSSODescriptor or (UIInfo only) the SPSSODescriptor, and keep one.";
    UI_02 "MD-UI-02" [W W O O] minor [O O O O]
        "a role has a display name and a logo, and a service provider also has a description and a privacy statement",
        "saml2int SDP-MD09; eduGAIN Metadata Aggregation Practice Statement w9 to w13",
        "Add mdui:UIInfo with Logo and an English DisplayName; for a service provider, also add an English Description and PrivacyStatementURL.";
    UI_03 "MD-UI-03" [E E E E] minor [W W W W]
        "a Logo has a size in pixels, and is an https URL or a data: URL of at most 50,000 characters",
        "sstc-saml-metadata-ui-v1.0 2.1.5; saml2int SDP-MD10; eduGAIN Metadata Aggregation Practice Statement R4",
        "Set width and height to positive numbers, and use an https URL.";
    UI_04 "MD-UI-04" [E E E E] minor [W W W W]
        "Keywords and discovery hints have the format that discovery services read",
        "sstc-saml-metadata-ui-v1.0 2.1.4, 2.2.1 to 2.2.3; RFC 4632; RFC 5870",
        "Write networks like 192.0.2.0/24, domains like example.com and locations like geo:47.37,8.53. Separate keywords with spaces.";
    UI_05 "MD-UI-05" [E E E E]
        "each text of UIInfo appears only once per language",
        "sstc-saml-metadata-ui-v1.0 2.1; UK federation ukf-meta check_mdui",
        "Keep one text of each kind per language.";

    UI_06 "MD-UI-06" [W W W W]
        "the InformationURL and the PrivacyStatementURL of UIInfo are pages that can be opened",
        "sstc-saml-metadata-ui-v1.0 2.1.6 and 2.1.7",
        "Write the URL of the page: https://host/path.";

    RPI_01 "MD-RPI-01" [E E E E] minor [W W W W]
        "RegistrationInfo appears once, on the entity or on its group, and PublicationInfo once, on the root element",
        "saml-metadata-rpi-v1.0 2.1 and 2.2; eduGAIN Metadata Aggregation Practice Statement E8",
        "Keep one RegistrationInfo in the Extensions of the entity or of its group, but not of both, and one PublicationInfo in the Extensions of the root element.";
    RPI_02 "MD-RPI-02" [E E E E] minor [O O O O]
        "the registrationAuthority is present and expected, the publisher is present, and times are in UTC and in the past",
        "saml-metadata-rpi-v1.0 2.1; eduGAIN Metadata Aggregation Practice Statement E2, A3, A4",
        "Add registrationAuthority or publisher, and write times like 2026-01-31T12:00:00Z.";
    RPI_03 "MD-RPI-03" [W I I I]
        "a RegistrationInfo has a RegistrationPolicy, at least in English",
        "eduGAIN Metadata Aggregation Practice Statement w3",
        "Add mdrpi:RegistrationPolicy with xml:lang=\"en\".";

    ATTR_01 "MD-ATTR-01" [E E E E]
        "EntityAttributes appears once in the Extensions of an entity or group, and contains no Assertion in a group",
        "sstc-metadata-attr 2.2 and 2.3; eduGAIN Metadata Aggregation Practice Statement E9",
        "Merge the EntityAttributes into one, in the Extensions of the EntityDescriptor.";
    ATTR_02 "MD-ATTR-02" [W W W W]
        "entity attributes have the exact values that consumers compare, and the entity meets the requirements of its categories",
        "REFEDS and GEANT entity category definitions; saml-subject-id-attr-v1.0 4.1; UK federation ukf-meta mdattr_ec",
        "Correct the value, add what the category requires, or remove the category.";

    SHIB_01 "MD-SHIB-01" [E E E E] minor [W W W W]
        "a Scope is a domain, or a regular expression that starts with ^ and ends with $",
        "Shibboleth metadata extension 1.0; UK federation ukf-meta check_shib_regscope, check_shib_noregscope",
        "Write the domain in lower case with regexp=\"false\", or a regular expression like ^[a-z]+\\.example\\.com$.";

    EXT_01 "MD-EXT-01" [W W W W]
        "extensions are spelled as in their specification, and are in an element where consumers read them",
        "UK federation ukf-meta check_mdui, check_mdrpi, check_algsupport",
        "Check the spelling, or move the element: consumers ignore an extension that they do not expect.";
    EXT_02 "MD-EXT-02" [E E E E]
        "an extension matches its schema",
        "sstc-saml-metadata-ui-v1.0; saml-metadata-rpi-v1.0; sstc-saml-metadata-algsupport-v1.0; sstc-metadata-attr; sstc-saml-idp-discovery; sstc-request-initiation; shibboleth-metadata-1.0",
        "Correct the extension, or remove it: a consumer that checks the schema rejects the file.";
}
