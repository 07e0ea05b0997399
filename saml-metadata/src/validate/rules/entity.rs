//! Rules about entities, their organizations and their contacts.

use super::table;

table! {
    ENT_01 "MD-ENT-01" [E E E E] minor [W W W W]
        "the entity has an entityID of at most 1024 characters",
        "saml-metadata-2.0-os 2.2.1 and 2.3.2; saml2int SDP-G04",
        "Use an entityID of at most 256 characters: not every consumer accepts a longer one.";
    ENT_02 "MD-ENT-02" [E W W E] minor [W W W W]
        "the entityID is an absolute URI, preferably with the scheme https, http or urn",
        "saml-core-2.0-os 8.3.6; eduGAIN Metadata Aggregation Practice Statement E1",
        "Use an https URL in a domain that you own.";
    ENT_03 "MD-ENT-03" [E E E E]
        "an entity has roles or is an affiliation, but not both",
        "saml-metadata-2.0-os 2.3.2",
        "Add the missing role, or move the affiliation to a separate entity.";
    ENT_04 "MD-ENT-04" [W W W W]
        "an entity has at most one role of each type per protocol",
        "saml-metadata-2.0-os 2.3.2",
        "Merge the roles: a consumer uses one of them, and you cannot control which.";
    ENT_05 "MD-ENT-05" [E E E E] minor [W W W W]
        "an Organization has a name, a display name and a URL",
        "saml-metadata-2.0-os 2.3.2.1; eduGAIN Metadata Aggregation Practice Statement E4, E5",
        "Add OrganizationName, OrganizationDisplayName and OrganizationURL in at least one language, or remove Organization.";
    ENT_06 "MD-ENT-06" [E E E E] minor [W O O O]
        "the entity has a technical or support contact, and every contactType is known",
        "saml-metadata-2.0-os 2.3.2.2; saml2int SDP-MD11",
        "Add a ContactPerson with the contactType technical or support and an EmailAddress.";
    ENT_07 "MD-ENT-07" [W W W W]
        "an EmailAddress is a mailto: URI with one address",
        "saml-metadata-2.0-os 2.3.2.2",
        "Write mailto: and one address, for example mailto:ada@example.com.";
    ENT_08 "MD-ENT-08" [E E E E]
        "text elements, such as the details of a contact, are not empty",
        "saml-core-2.0-os 1.3.1; eduGAIN Metadata Aggregation Practice Statement E3",
        "Fill the element or remove it.";
    ENT_09 "MD-ENT-09" [E E E E] minor [W W W W]
        "texts in a human language have an xml:lang, and each language appears only once",
        "saml-metadata-2.0-os 2.2.4 and 2.2.5",
        "Add xml:lang, for example xml:lang=\"en\", and keep one text per language.";
    ENT_10 "MD-ENT-10" [W W W W]
        "values have no leading or trailing whitespace",
        "eduGAIN validator w9; Shibboleth MDA SAMLStringElementCheckingStage",
        "Remove the whitespace: some consumers compare the value including its whitespace.";
    ENT_11 "MD-ENT-11" [E E E E] minor [I I I I]
        "an AdditionalMetadataLocation has a namespace and an absolute URI",
        "saml-metadata-2.0-os 2.3.2.3",
        "Add the namespace and the absolute URI of the other document.";
    AFF_01 "MD-AFF-01" [E E E E]
        "an affiliation has an owner and at least one member",
        "saml-metadata-2.0-os 2.5",
        "Add affiliationOwnerID and at least one AffiliateMember.";
}
