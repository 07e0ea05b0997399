use super::{core, expect, of};
use crate::support::{IDP, OKTA, SP, certificate, change};
use saml_metadata::Profile::{AwsIdentityCenter, SamlCore};

/// Returns the service provider with another certificate.
fn with(text: &str) -> String {
    let (start, end) = ("<ds:X509Certificate>", "</ds:X509Certificate>");
    let from = SP.find(start).expect("it") + start.len();
    let to = SP.find(end).expect("it");
    format!("{}{text}{}", &SP[..from], &SP[to..])
}

#[track_caller]
fn key(rule: &str, name: &str, expected: &[&str]) {
    expect(SamlCore, &with(&certificate(name)), rule, expected);
}

#[test]
fn a_key_is_for_signing_or_encryption_or_says_nothing() {
    core(
        "MD-KEY-01",
        SP,
        &[(
            &[("<md:KeyDescriptor>", "<md:KeyDescriptor use='both'>")],
            &["error: a key is for \"both\", which is neither signing nor encryption"],
        )],
    );
}

#[test]
fn a_key_descriptor_holds_a_key() {
    let data = &SP[SP.find("<ds:X509Data>").expect("it")..SP.find("</ds:KeyInfo>").expect("it")];
    let info =
        &SP[SP.find("<ds:KeyInfo>").expect("it")..SP.find("</md:KeyDescriptor>").expect("it")];
    core(
        "MD-KEY-02",
        SP,
        &[
            (
                &[(data, "")],
                &["error: a KeyDescriptor has no key in its KeyInfo"],
            ),
            (&[(info, "")], &["error: a KeyDescriptor has no ds:KeyInfo"]),
            (
                &[(data, "<ds:KeyName>a</ds:KeyName>")],
                &["warning: a KeyDescriptor has only the name of a key"],
            ),
            (&[(data, "<ds:KeyValue/>")], &[]),
            (
                &[(
                    data,
                    "<d:DEREncodedKeyValue xmlns:d='http://www.w3.org/2009/xmldsig11#'/>",
                )],
                &[],
            ),
        ],
    );
}

#[test]
fn a_key_descriptor_holds_one_certificate() {
    let other = format!(
        "<ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data>",
        certificate("rsa3072")
    );
    core(
        "MD-KEY-03",
        SP,
        &[(
            &[("<ds:X509Data>", &format!("{other}<ds:X509Data>"))],
            &["error: a KeyDescriptor has 2 certificates"],
        )],
    );
}

#[test]
fn a_certificate_is_base64_of_der() {
    let base64 = certificate("p256");
    for (text, message) in [
        ("", "the certificate is empty"),
        ("MII*", "the certificate is not base64"),
        ("MIIB", "the bytes are not an X.509 certificate"),
        (
            &format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----"),
            "the certificate is wrapped as PEM",
        ),
    ] {
        expect(
            SamlCore,
            &with(text),
            "MD-KEY-04",
            &[&format!("error: {message}")],
        );
    }
    key("MD-KEY-04", "p256", &[]);
    key(
        "MD-KEY-04",
        "version1",
        &["warning: the certificate is of version 1, not 3"],
    );
}

#[test]
fn a_certificate_is_valid_today_and_for_a_month() {
    key("MD-KEY-05", "p256", &[]);
    key(
        "MD-KEY-05",
        "expired",
        &["warning: the certificate expired at 2026-01-01T00:00:00Z"],
    );
    key(
        "MD-KEY-05",
        "future",
        &["warning: the certificate is not valid before 2027-01-01T00:00:00Z"],
    );
    key(
        "MD-KEY-05",
        "soon",
        &["warning: the certificate expires soon, at 2026-12-10T00:00:00Z"],
    );
}

#[test]
fn aws_does_not_take_a_certificate_that_is_not_valid() {
    let (from, to) = (
        OKTA.find("<ds:X509Cert").expect("it"),
        OKTA.find("</ds:X509Cert").expect("it"),
    );
    let with = |name: &str| format!("<ds:X509Certificate>{}", certificate(name));
    of(
        AwsIdentityCenter,
        "MD-KEY-05",
        OKTA,
        &[
            (
                &[(&OKTA[from..to], &with("expired"))],
                &["error: the certificate expired at 2026-01-01T00:00:00Z"],
            ),
            (
                &[(&OKTA[from..to], &with("soon"))],
                &["warning: the certificate expires soon, at 2026-12-10T00:00:00Z"],
            ),
        ],
    );
}

#[test]
fn keys_are_strong() {
    key("MD-KEY-06", "p256", &[]);
    key("MD-KEY-06", "rsa3072", &[]);
    key(
        "MD-KEY-06",
        "rsa2048",
        &["warning: the key is RSA of 2048 bits"],
    );
    key(
        "MD-KEY-06",
        "rsa1024",
        &["error: the key is RSA of 1024 bits"],
    );
    key(
        "MD-KEY-06",
        "rsa-exponent-3",
        &["warning: the key has the RSA exponent 3"],
    );
    key(
        "MD-KEY-06",
        "p192",
        &["error: the key is of an elliptic curve of 192 bits"],
    );
    key("MD-KEY-06", "dsa", &["error: the key is DSA"]);
}

#[test]
fn keys_are_not_of_a_broken_generator() {
    key("MD-KEY-07", "rsa2048", &[]);
    key(
        "MD-KEY-07",
        "roca",
        &["warning: the key was made by a broken generator (ROCA)"],
    );
}

#[test]
fn certificates_signed_with_old_hashes_are_noted() {
    key("MD-KEY-08", "p256", &[]);
    key(
        "MD-KEY-08",
        "sha1",
        &["info: the certificate is signed with SHA-1"],
    );
}

#[test]
fn a_key_is_listed_once_for_a_use() {
    let key = |use_: &str| {
        format!(
            "<md:KeyDescriptor{use_}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:KeyDescriptor",
            // Another certificate of the same key.
            certificate("expired")
        )
    };
    core(
        "MD-KEY-09",
        IDP,
        &[
            (
                &[("<md:KeyDescriptor", &key(" use='signing'"))],
                &["warning: the same key is listed twice for the same use"],
            ),
            (&[("<md:KeyDescriptor", &key(" use='encryption'"))], &[]),
        ],
    );
}

#[test]
fn certificates_for_other_purposes_are_noted() {
    key("MD-KEY-10", "p256", &[]);
    key(
        "MD-KEY-10",
        "authority",
        &["info: the certificate is one to issue others"],
    );
    key(
        "MD-KEY-10",
        "wrapping",
        &["info: the certificate's key usage does not include signatures"],
    );
}

#[test]
fn encryption_methods_stand_with_keys_to_encrypt_with() {
    core(
        "MD-KEY-11",
        IDP,
        &[(
            &[("use=\"encryption\"", "use=\"signing\"")],
            &["error: EncryptionMethod stands with a key to sign with"],
        )],
    );
}

#[test]
fn algorithms_are_not_outdated() {
    core(
        "MD-ALG-01",
        IDP,
        &[
            (
                &[(
                    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
                    "http://www.w3.org/2001/04/xmlenc#tripledes-cbc",
                )],
                &["warning: Triple DES is offered, which is weak"],
            ),
            (
                &[(
                    "http://www.w3.org/2001/04/xmlenc#sha256",
                    "http://www.w3.org/2000/09/xmldsig#sha1",
                )],
                &["warning: SHA-1 is offered, which is weak"],
            ),
            (
                &[("\"http://www.w3.org/2001/04/xmlenc#sha256\"", "\"SHA256\"")],
                &["warning: the algorithm \"SHA256\" is not a URI"],
            ),
        ],
    );
    let misplaced = change(
        IDP,
        &[(
            "<ds:X509Data>",
            "<alg:DigestMethod Algorithm='urn:a'/><ds:X509Data>",
        )],
    );
    expect(
        SamlCore,
        &misplaced,
        "MD-ALG-01",
        &["warning: DigestMethod stands outside of Extensions"],
    );
}
