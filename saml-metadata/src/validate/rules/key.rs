//! Rules about keys, certificates and algorithms.

use super::table;

table! {
    KEY_01 "MD-KEY-01" [E E E E]
        "the use of a key is signing, encryption or absent",
        "saml-metadata-2.0-os 2.4.1.1; SAML 2.0 errata E62",
        "Set use to signing or encryption, or remove it.";
    KEY_02 "MD-KEY-02" [E E E E] minor [W W W W]
        "a KeyDescriptor contains a key",
        "Metadata Interoperability Profile 2.6.1",
        "Add the certificate as ds:X509Certificate.";
    KEY_03 "MD-KEY-03" [E E W E]
        "a KeyDescriptor contains at most one certificate",
        "Metadata Interoperability Profile 2.6.1",
        "Write a separate KeyDescriptor for each certificate.";
    KEY_04 "MD-KEY-04" [E E E E] minor [W W W W]
        "a certificate element contains one X.509 version 3 certificate in base64",
        "XML Signature 4.4.4",
        "Write the DER bytes in base64, without PEM header and footer lines and without anything after them.";
    KEY_05 "MD-KEY-05" [W W E W] minor [W W W W]
        "certificates are valid now and for the next 30 days",
        "Kantara IIP-MD12; AWS IAM Identity Center user guide, Rotate a SAML 2.0 certificate",
        "Create a new signing key, give its certificate to the partner, then switch to the new key.";
    KEY_06 "MD-KEY-06" [E E W E] minor [W I I I]
        "keys are strong: RSA with at least 2048 bits and an exponent of at least 65537, or an elliptic curve with at least 256 bits",
        "saml2int SDP-MD06 and SDP-MD07",
        "Create a new key: RSA with 3072 bits, or an elliptic curve with 256 bits.";
    KEY_07 "MD-KEY-07" [W W W W]
        "keys do not come from a generator that is known to be broken, and their private keys are not public",
        "CVE-2017-15361; Shibboleth MDA X509ROCAValidator",
        "Create a new key with other software or hardware: an attacker may have the private key of the old key.";
    KEY_08 "MD-KEY-08" [I I I I]
        "certificates are not signed with MD2, MD5 or SHA-1",
        "Kantara IIP-MD12",
        "No change is needed for trust: consumers do not verify this signature. But a few consumers reject such certificates.";
    KEY_09 "MD-KEY-09" [W W W W]
        "a role lists each key only once per use",
        "a recommendation of this crate",
        "Remove all but one of the duplicates.";
    KEY_10 "MD-KEY-10" [W W W W] minor [I I I I]
        "certificates are for signatures, and are not CA certificates",
        "a recommendation of this crate",
        "Create a certificate whose key usage includes digitalSignature: a consumer that checks the key usage rejects the signatures.";
    KEY_11 "MD-KEY-11" [E E W E]
        "a signing key has no EncryptionMethod",
        "UK federation ukf-meta check_algsupport",
        "Remove the EncryptionMethod from the signing key.";
    ALG_01 "MD-ALG-01" [W W W W]
        "algorithms are not broken or outdated",
        "saml2int SDP-ALG01; XML Encryption 1.1 section 5",
        "Offer SHA-256 for signatures, and AES-GCM and RSA-OAEP for encryption.";
}
