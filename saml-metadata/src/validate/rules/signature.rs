//! Rules about signatures, which `signature::Verifier` holds documents to.

use super::table;

table! {
    SIG_01 "MD-SIG-01" [E E E E]
        "the element is signed",
        "Kantara IIP-MD03; saml2int SDP-MD02",
        "Ask the publisher for the signed document; take an unsigned one only from a source you trust as it is.";
    SIG_02 "MD-SIG-02" [E E E E]
        "the signature is the first element inside what it signs",
        "saml-schema-metadata-2.0.xsd; saml-metadata-2.0-os 3.1.1",
        "Do not use the document: somebody may have put a signed document inside another.";
    SIG_03 "MD-SIG-03" [E E E E]
        "the signature has one reference, to the element it stands in, by an ID of its own",
        "saml-core-2.0-os 5.4.2; saml-metadata-2.0-os 3.1.2",
        "Do not use the document: its signature is about something else.";
    SIG_04 "MD-SIG-04" [E E E E]
        "the transforms are enveloped signature and canonicalization",
        "saml-core-2.0-os 5.4.3 and 5.4.4",
        "Have the publisher sign with the enveloped signature transform and exclusive canonicalization.";
    SIG_05 "MD-SIG-05" [E E E E]
        "the algorithms are RSA or ECDSA, with SHA-256 or longer",
        "saml2int SDP-ALG01; RFC 9231",
        "Have the publisher sign with RSA or ECDSA and SHA-256.";
    SIG_06 "MD-SIG-06" [E E E E]
        "the signature was made with one of the given keys, over these contents",
        "Kantara IIP-MD03",
        "Get the document and the publisher's key again; do not take the key from the document.";
    SIG_07 "MD-SIG-07" [E E E E]
        "the signature holds nothing but what it needs: no Object, no Manifest, no comment",
        "saml-core-2.0-os 5.4; OpenSAML SAMLSignatureProfileValidator",
        "Do not use the document: such signatures are made to mean different things to different readers.";
    SIG_08 "MD-SIG-08" [E E E E]
        "groups, entities and roles with a signature of their own are what that says",
        "OpenSAML SignatureValidationFilter; saml-metadata-2.0-os 3",
        "Leave the element out, or have whoever collects the metadata take signatures away that are not the collection's.";
    SIG_09 "MD-SIG-09" [E E E E] mild [W W W W]
        "an RSA key that signs has 2048 bits or more, and its certificate, if it is known by one, is valid",
        "eduGAIN joining checklist; NIST SP 800-131A; Metadata Interoperability Profile 2.6.1",
        "Have the publisher use a longer key; ask whether there is a newer certificate of a key that is used on.";
}
