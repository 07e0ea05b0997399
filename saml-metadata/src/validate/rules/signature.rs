//! Rules about signatures, which `signature::Verifier` checks.

use super::table;

table! {
    SIG_01 "MD-SIG-01" [E E E E]
        "the element is signed",
        "Kantara IIP-MD03; saml2int SDP-MD02",
        "Ask the publisher for the signed document. Accept an unsigned document only from a source that you trust without a signature.";
    SIG_02 "MD-SIG-02" [E E E E]
        "the element has only one signature, as its first child",
        "saml-schema-metadata-2.0.xsd; saml-metadata-2.0-os 3.1.1",
        "Do not use the document: an attacker may have put a signed document inside another one (signature wrapping).";
    SIG_03 "MD-SIG-03" [E E E E]
        "the signature has one reference, to the unique ID of its parent element",
        "saml-core-2.0-os 5.4.2; saml-metadata-2.0-os 3.1.2",
        "Do not use the document: its signature covers different content.";
    SIG_04 "MD-SIG-04" [E E E E]
        "the transforms are the enveloped signature transform and a canonicalization",
        "saml-core-2.0-os 5.4.3 and 5.4.4",
        "Ask the publisher to sign with the enveloped signature transform and exclusive canonicalization.";
    SIG_05 "MD-SIG-05" [E E E E]
        "the algorithm is RSA or ECDSA, with SHA-256 or a longer digest",
        "saml2int SDP-ALG01; RFC 9231",
        "Ask the publisher to sign with RSA or ECDSA and SHA-256.";
    SIG_06 "MD-SIG-06" [E E E E]
        "the signature was made with one of the given keys, and matches the content",
        "Kantara IIP-MD03",
        "Get the document and the publisher's key again. Do not take the key from the document.";
    SIG_07 "MD-SIG-07" [E E E E]
        "the signature contains only what it needs: no Object, no Manifest, no comment",
        "saml-core-2.0-os 5.4; OpenSAML SAMLSignatureProfileValidator",
        "Do not use the document: different consumers can interpret such a signature in different ways.";
    SIG_08 "MD-SIG-08" [E E E E]
        "every signature of a group, entity or role inside the document is valid",
        "OpenSAML SignatureValidationFilter; saml-metadata-2.0-os 3",
        "Leave the element out, or ask the publisher of the aggregate to remove the signatures of its members.";
    SIG_09 "MD-SIG-09" [E E E E] minor [W W W W]
        "an RSA signing key has at least 2048 bits, and a key that is given as a certificate has a valid certificate",
        "eduGAIN joining checklist; NIST SP 800-131A; Metadata Interoperability Profile 2.6.1",
        "Ask the publisher to use a longer key, or ask for a newer certificate of the same key.";
}
