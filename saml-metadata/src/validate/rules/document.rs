//! Rules about the document as a whole, and about time.

use super::table;

table! {
    XML_01 "MD-XML-01" [E E E E]
        "the document is well-formed XML, namespaces included",
        "XML 1.0 (fifth edition) 2.1; Namespaces in XML 1.0 section 7",
        "Get the file again from where it was made, as a download rather than by copy and paste.";
    XML_02 "MD-XML-02" [E E E E]
        "the document has no DOCTYPE",
        "Kantara SAML V2.0 Implementation Profile IIP-G03; saml2int SDP-G03",
        "Remove the DOCTYPE; metadata never needs one, and many consumers refuse it.";
    XML_03 "MD-XML-03" [E E E E]
        "the encoding is UTF-8 or UTF-16, as declared",
        "XML 1.0 (fifth edition) 4.3.3",
        "Save the file as UTF-8 and let its XML declaration say so, or leave the declaration out.";
    XML_04 "MD-XML-04" [E E E E]
        "the document stays within the limits",
        "this crate's limits",
        "Raise the limit if the document is from somebody you trust.";
    XML_05 "MD-XML-05" [W W W W]
        "there are no processing instructions and no carriage returns in values",
        "UK federation ukf-meta, CRDetectionStage",
        "Remove it; some consumers stumble over it.";
    XML_06 "MD-XML-06" [W W W W]
        "no comment stands inside of a value",
        "UK federation ukf-meta check_shibboleth; CVE-2017-11427",
        "Move the comment out: consumers that stop reading at it see another value than you do.";

    ROOT_01 "MD-ROOT-01" [E E E E]
        "the root element is EntityDescriptor or EntitiesDescriptor of SAML 2.0 metadata",
        "saml-metadata-2.0-os 2.3",
        "Check that this is the metadata file: its namespace is urn:oasis:names:tc:SAML:2.0:metadata.";
    ROOT_02 "MD-ROOT-02" [E E E E]
        "every ID is a name and unique in the document",
        "saml-metadata-2.0-os 2.3; XML Schema Part 2, 3.3.8",
        "Give each element its own ID, starting with a letter or an underscore.";
    ROOT_03 "MD-ROOT-03" [E E E E]
        "elements and attributes are those of the schema, in its order",
        "saml-schema-metadata-2.0.xsd",
        "Bring the element into the order of the schema, or remove it.";
    ROOT_04 "MD-ROOT-04" [E E E E]
        "elements of other namespaces stand in Extensions",
        "saml-schema-metadata-2.0.xsd; saml-metadata-2.0-os 2.2.1",
        "Move the element into the Extensions of the element it stands in.";
    ROOT_05 "MD-ROOT-05" [E E E E]
        "Extensions is not empty and holds nothing of the metadata namespace",
        "saml-schema-metadata-2.0.xsd, ExtensionsType",
        "Remove the empty Extensions, or move what is not an extension out of it.";
    ROOT_06 "MD-ROOT-06" [W W W W]
        "groups are not nested, and have names of their own",
        "saml-metadata-2.0-os 2.3.1",
        "Flatten the groups, and name each one.";
    ROOT_07 "MD-ROOT-07" [E E E E]
        "a group has at least one entity or group",
        "saml-schema-metadata-2.0.xsd, EntitiesDescriptorType",
        "Remove the empty group.";
    ROOT_08 "MD-ROOT-08" [W I I I]
        "namespaces are known ones",
        "UK federation ukf-meta check_namespaces",
        "Check the namespace for a spelling mistake; consumers ignore what they do not know.";
    ROOT_09 "MD-ROOT-09" [E E E E]
        "each entityID appears once in a document",
        "eduGAIN Metadata Aggregation Practice Statement E1",
        "Remove all but one of the entities; consumers take one of them, you cannot say which.";

    TIME_01 "MD-TIME-01" [E E E E] mild [W W W W]
        "validUntil is a time in UTC, cacheDuration is a duration",
        "saml-core-2.0-os 1.3.3; XML Schema Part 2, 3.2.6 and 3.2.7",
        "Write times like 2026-01-31T12:00:00Z and durations like PT6H or P1D.";
    TIME_02 "MD-TIME-02" [E E E E]
        "the metadata has not expired",
        "saml-metadata-2.0-os 2.3.2 and 4.3; Kantara IIP-MD04",
        "Get the current metadata from its publisher.";
    TIME_03 "MD-TIME-03" [W O O O]
        "the root element says how long it is valid",
        "Kantara IIP-MD04; saml2int SDP-MD03",
        "Add validUntil, unless the consumers are known to go without.";
    TIME_04 "MD-TIME-04" [W O O O]
        "the root element is not valid for much longer than two weeks",
        "Kantara IIP-MD04; OpenSAML RequiredValidUntilFilter",
        "Publish again more often, with a nearer validUntil: a stolen key stays in use until then.";
    TIME_05 "MD-TIME-05" [W O O O] mild [I O O O]
        "cacheDuration is some hours, and ends before validUntil",
        "eduGAIN Metadata Aggregation Practice Statement",
        "Use a cacheDuration between PT1H and PT6H.";
    TIME_06 "MD-TIME-06" [W O O O]
        "the root element has validUntil or cacheDuration",
        "saml-metadata-2.0-os 2.3.1 and 2.3.2",
        "Add validUntil or cacheDuration to the root element.";
}
