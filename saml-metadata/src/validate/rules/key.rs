//! Rules about keys, certificates and algorithms.

use super::table;

table! {
    KEY_01 "MD-KEY-01" [E E E E]
        "a key is for signing, for encryption, or does not say",
        "saml-metadata-2.0-os 2.4.1.1; SAML 2.0 errata E62",
        "Set use to signing or encryption, or remove it.";
    KEY_02 "MD-KEY-02" [E E E E] mild [W W W W]
        "a KeyDescriptor holds a key",
        "Metadata Interoperability Profile 2.6.1",
        "Add the certificate as ds:X509Certificate.";
    KEY_03 "MD-KEY-03" [E E E E]
        "a KeyDescriptor holds one certificate",
        "Metadata Interoperability Profile 2.6.1",
        "Write a KeyDescriptor of its own for each certificate.";
    KEY_04 "MD-KEY-04" [E E E E] mild [W W W W]
        "a certificate is base64 of one X.509 version 3 certificate",
        "XML Signature 4.4.4",
        "Write the DER bytes in base64, without PEM lines, and nothing behind them.";
    KEY_05 "MD-KEY-05" [W W E W] mild [W W W W]
        "certificates are valid today and for a month to come",
        "Kantara IIP-MD12; AWS IAM Identity Center user guide, Rotate a SAML 2.0 certificate",
        "Make a new signing key, give its certificate to the other side, then switch over.";
    KEY_06 "MD-KEY-06" [E E E E] mild [W I I I]
        "keys are strong: RSA of 2048 bits and exponent 65537 or more, or an elliptic curve of 256 bits or more",
        "saml2int SDP-MD06 and SDP-MD07",
        "Make a new key: RSA of 3072 bits, or an elliptic curve of 256 bits.";
    KEY_07 "MD-KEY-07" [W W W W]
        "keys were not made by a generator known to be broken, and their private halves are not public",
        "CVE-2017-15361; Shibboleth MDA X509ROCAValidator",
        "Make a new key with other software or hardware; others can have the private half of this one.";
    KEY_08 "MD-KEY-08" [I I I I]
        "certificates are not signed with MD5 or SHA-1",
        "Kantara IIP-MD12",
        "Nothing for trust, as nobody checks this signature; a few consumers refuse such certificates.";
    KEY_09 "MD-KEY-09" [W W W W]
        "a role lists a key for one use once",
        "this crate's hygiene",
        "Remove all but one of them.";
    KEY_10 "MD-KEY-10" [I I I I]
        "certificates are for signatures, not for issuing other certificates",
        "this crate's hygiene",
        "Nothing, unless a consumer refuses the certificate.";
    KEY_11 "MD-KEY-11" [E E E E]
        "EncryptionMethod stands with keys to encrypt with",
        "UK federation ukf-meta check_algsupport",
        "Remove the EncryptionMethod from the signing key.";
    ALG_01 "MD-ALG-01" [W W W W]
        "algorithms are not broken or outdated ones",
        "saml2int SDP-ALG01; XML Encryption 1.1 section 5",
        "Offer SHA-256 for signatures, AES-GCM and RSA-OAEP for encryption.";
}
