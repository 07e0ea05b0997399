//! Rules about entities and the people behind them.

use super::table;

table! {
    ENT_01 "MD-ENT-01" [E E E E] mild [W W W W]
        "the entityID is there and has at most 1024 characters",
        "saml-metadata-2.0-os 2.2.1 and 2.3.2; saml2int SDP-G04",
        "Give the entity an entityID of up to 256 characters.";
    ENT_02 "MD-ENT-02" [E W E E] mild [W W W W]
        "the entityID is an absolute URI, best of the scheme https, http or urn",
        "saml-core-2.0-os 8.3.6; eduGAIN Metadata Aggregation Practice Statement E1",
        "Use an https address under a domain of your own.";
    ENT_03 "MD-ENT-03" [E E E E]
        "an entity has roles, or is an affiliation, but not both",
        "saml-metadata-2.0-os 2.3.2",
        "Add the role that the entity plays, or split the affiliation off.";
    ENT_04 "MD-ENT-04" [W W W W]
        "an entity has one role of each type for a protocol",
        "saml-metadata-2.0-os 2.3.2",
        "Merge the roles; consumers use one of them, you cannot say which.";
    ENT_05 "MD-ENT-05" [E E E E] mild [W W W W]
        "an Organization has names, display names and web addresses",
        "saml-metadata-2.0-os 2.3.2.1; eduGAIN Metadata Aggregation Practice Statement E4, E5",
        "Give name, display name and URL in at least one language, or leave Organization out.";
    ENT_06 "MD-ENT-06" [E E E E] mild [W O O O]
        "there is a technical or support contact, and contacts are of a known type",
        "saml-metadata-2.0-os 2.3.2.2; saml2int SDP-MD11",
        "Add a ContactPerson of contactType technical or support, with an EmailAddress.";
    ENT_07 "MD-ENT-07" [W W W W]
        "an EmailAddress is one mailto: address",
        "saml-metadata-2.0-os 2.3.2.2",
        "Write mailto: and one address.";
    ENT_08 "MD-ENT-08" [E E E E]
        "details of a contact are not empty",
        "saml-core-2.0-os 1.3.1; eduGAIN Metadata Aggregation Practice Statement E3",
        "Fill the element or leave it out.";
    ENT_09 "MD-ENT-09" [E E E E] mild [W W W W]
        "texts for people have xml:lang, each language once",
        "saml-metadata-2.0-os 2.2.4 and 2.2.5",
        "Add xml:lang, such as xml:lang=\"en\".";
    ENT_10 "MD-ENT-10" [W W W W]
        "values have no blanks at their ends",
        "eduGAIN validator w9; Shibboleth MDA SAMLStringElementCheckingStage",
        "Remove the blanks: some consumers compare the value with them.";
    ENT_11 "MD-ENT-11" [E E E E] mild [I I I I]
        "AdditionalMetadataLocation has a namespace and an absolute address",
        "saml-metadata-2.0-os 2.3.2.3",
        "Give the namespace of the other document and its whole address.";
    AFF_01 "MD-AFF-01" [E E E E]
        "an affiliation has an owner and members",
        "saml-metadata-2.0-os 2.5",
        "Add affiliationOwnerID and at least one AffiliateMember.";
}
