//! Rules about the whole document, and about validity times.

use super::table;

table! {
    XML_01 "MD-XML-01" [E E E E]
        "the document is well-formed XML, and declares its namespace prefixes",
        "XML 1.0 (fifth edition) 2.1; Namespaces in XML 1.0 section 7",
        "Download the file again from its source; do not copy and paste it.";
    XML_02 "MD-XML-02" [E E E E]
        "the document has no DOCTYPE",
        "Kantara SAML V2.0 Implementation Profile IIP-G03; saml2int SDP-G03",
        "Remove the DOCTYPE: metadata never needs one, and many consumers reject it.";
    XML_03 "MD-XML-03" [E E E E] minor [W W W W]
        "the encoding is UTF-8 or UTF-16, and matches the XML declaration",
        "XML 1.0 (fifth edition) 4.3.3",
        "Save the file as UTF-8, and declare UTF-8 in the XML declaration or remove the declaration.";
    XML_04 "MD-XML-04" [E E E E]
        "the document stays within the limits of the reader",
        "this crate's limits",
        "Raise the limit if you trust the source of the document.";
    XML_05 "MD-XML-05" [W W W W]
        "the document has no processing instructions, and its values have no carriage returns",
        "UK federation ukf-meta, CRDetectionStage",
        "Remove the processing instruction or the carriage return: some consumers cannot handle it.";
    XML_06 "MD-XML-06" [W W W W]
        "no value contains a comment",
        "UK federation ukf-meta check_shibboleth; CVE-2017-11427",
        "Move the comment out of the value: a consumer that stops reading at the comment sees a different value.";

    XML_07 "MD-XML-07" [W W W W] minor [W W W W]
        "the file is UTF-8 without a byte order mark",
        "hashicorp/terraform-provider-aws#36052 and #40152; MicrosoftDocs/azure-docs#65434",
        "Save the file as UTF-8 without a byte order mark: some programs send the mark, or refuse it.";

    ROOT_01 "MD-ROOT-01" [E E E E]
        "the root element is EntityDescriptor or EntitiesDescriptor of SAML 2.0 metadata",
        "saml-metadata-2.0-os 2.3",
        "Check that this is a SAML 2.0 metadata file: its namespace must be urn:oasis:names:tc:SAML:2.0:metadata.";
    ROOT_02 "MD-ROOT-02" [E E W E]
        "every ID is a valid XML name, and unique in the document",
        "saml-metadata-2.0-os 2.3; XML Schema Part 2, 3.3.8",
        "Give each element its own ID, which starts with a letter or an underscore.";
    ROOT_03 "MD-ROOT-03" [E E E E]
        "all elements and attributes are in the schema, and the elements have its order",
        "saml-schema-metadata-2.0.xsd",
        "Move the element to its position in the schema, or remove it.";
    ROOT_04 "MD-ROOT-04" [E E E E]
        "elements of other namespaces are inside Extensions",
        "saml-schema-metadata-2.0.xsd; saml-metadata-2.0-os 2.2.1",
        "Move the element into the Extensions of its parent element.";
    ROOT_05 "MD-ROOT-05" [E E E E]
        "Extensions is not empty, and contains no elements of the metadata namespace",
        "saml-schema-metadata-2.0.xsd, ExtensionsType",
        "Remove the empty Extensions, or move the elements that are not extensions out of it.";
    ROOT_06 "MD-ROOT-06" [W W W W]
        "groups (EntitiesDescriptor) are not nested, and each has its own Name",
        "saml-metadata-2.0-os 2.3.1",
        "Flatten the groups, and give each one its own Name.";
    ROOT_07 "MD-ROOT-07" [E E E E]
        "a group (EntitiesDescriptor) contains at least one entity or group",
        "saml-schema-metadata-2.0.xsd, EntitiesDescriptorType",
        "Remove the empty group.";
    ROOT_08 "MD-ROOT-08" [W I I I]
        "all namespaces are known",
        "UK federation ukf-meta check_namespaces",
        "Check the spelling of the namespace: consumers ignore elements of a namespace that they do not know.";
    ROOT_09 "MD-ROOT-09" [E E E E]
        "each entityID appears only once in the document",
        "eduGAIN Metadata Aggregation Practice Statement E1",
        "Remove all but one of the entities: a consumer uses one of them, and you cannot control which.";

    TIME_01 "MD-TIME-01" [E E E E] minor [W W W W]
        "validUntil is a time in UTC, and cacheDuration is a duration",
        "saml-core-2.0-os 1.3.3; XML Schema Part 2, 3.2.6 and 3.2.7",
        "Write times like 2026-01-31T12:00:00Z and durations like PT6H or P1D.";
    TIME_02 "MD-TIME-02" [E E E E]
        "the metadata has not expired",
        "saml-metadata-2.0-os 2.3.2 and 4.3; Kantara IIP-MD04",
        "Consumers must not use expired metadata. Get the current metadata from its publisher.";
    TIME_03 "MD-TIME-03" [W O O O]
        "the root element has a validUntil",
        "Kantara IIP-MD04; saml2int SDP-MD03",
        "Add validUntil, unless you know that no consumer requires it.";
    TIME_04 "MD-TIME-04" [W O O O]
        "the validUntil of the root element is at most two weeks ahead (eduGAIN: four weeks)",
        "Kantara IIP-MD04; OpenSAML RequiredValidUntilFilter",
        "Publish more often, with an earlier validUntil: consumers trust a stolen key until that time.";
    TIME_05 "MD-TIME-05" [W O O O] minor [I O O O]
        "cacheDuration is 1 to 6 hours and, counted from now, ends before validUntil",
        "eduGAIN Metadata Aggregation Practice Statement",
        "Use a cacheDuration between PT1H and PT6H.";
    TIME_06 "MD-TIME-06" [W O O O]
        "the root element has a validUntil or a cacheDuration",
        "saml-metadata-2.0-os 2.3.1 and 2.3.2",
        "Add validUntil or cacheDuration to the root element.";
}
