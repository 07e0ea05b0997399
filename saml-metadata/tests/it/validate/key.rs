use super::{core, expect, in_profile};
use crate::support::{IDP, OKTA, SP, certificate, change};
use saml_metadata::Profile::{AwsIdentityCenter, SamlCore};

/// Returns the service provider with another certificate.
fn with(text: &str) -> String {
    let (start, end) = ("<ds:X509Certificate>", "</ds:X509Certificate>");
    let from = SP.find(start).expect("a match") + start.len();
    let to = SP.find(end).expect("a match");
    format!("{}{text}{}", &SP[..from], &SP[to..])
}

#[track_caller]
fn key(rule: &str, name: &str, expected: &[&str]) {
    expect(SamlCore, &with(&certificate(name)), rule, expected);
}

#[test]
fn the_use_of_a_key_is_signing_encryption_or_absent() {
    core(
        "MD-KEY-01",
        SP,
        &[(
            &[("<md:KeyDescriptor>", "<md:KeyDescriptor use='both'>")],
            &["error: the use of a key is \"both\", not signing or encryption"],
        )],
    );
}

#[test]
fn a_key_descriptor_contains_a_key() {
    let data =
        &SP[SP.find("<ds:X509Data>").expect("a match")..SP.find("</ds:KeyInfo>").expect("a match")];
    let info = &SP[SP.find("<ds:KeyInfo>").expect("a match")
        ..SP.find("</md:KeyDescriptor>").expect("a match")];
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
                &["warning: a KeyDescriptor has a key name, but no key"],
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
fn a_key_descriptor_contains_at_most_one_certificate() {
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
fn a_certificate_is_der_in_base64() {
    let base64 = certificate("p256");
    for (text, message) in [
        ("", "the certificate is empty"),
        (
            "MIIB",
            "the bytes are not an X.509 certificate: Parsing requires 1 bytes/chars",
        ),
        (
            &format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----"),
            "the certificate is PEM, not plain base64",
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
        &["warning: the certificate has X.509 version 1, not 3"],
    );
}

#[test]
fn a_certificate_is_valid_now_and_for_another_month() {
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
fn an_expired_certificate_is_an_error_for_aws() {
    let (from, to) = (
        OKTA.find("<ds:X509Cert").expect("a match"),
        OKTA.find("</ds:X509Cert").expect("a match"),
    );
    let with = |name: &str| format!("<ds:X509Certificate>{}", certificate(name));
    in_profile(
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
fn a_certificate_that_is_not_base64_is_reported_with_the_character_and_its_place() {
    let one = certificate("p256");
    let second = one.replacen("MII", "\nMII", 1);
    for (text, message) in [
        ("MII*", "line 13, column 34: it has the character '*'"),
        (
            &format!("\n\u{200b}{one}"),
            "line 14, column 1: it has the character U+200B (zero width space)",
        ),
        (
            &format!("&#x200b;{one}"),
            "line 13, column 11: it has the character U+200B (zero width space) (character 1 of the text)",
        ),
        (
            &format!("\nsubject=CN = idp.example.com\n{one}"),
            "line 14, column 1: it has the text \"subject=CN = idp.example.com\"",
        ),
        (
            &format!("{}==\n{second}", &one[..8]),
            "line 15, column 1: more text follows its end; it may be a second certificate",
        ),
        (
            "MIIé",
            "line 13, column 34: it has the character 'é' (U+00E9)",
        ),
        ("MII", "line 13, column 11: Invalid padding"),
    ] {
        let document = crate::support::document(&with(text));
        let found: Vec<String> =
            saml_metadata::validate(&document, SamlCore, crate::support::now())
                .into_iter()
                .filter(|finding| finding.rule.as_str() == "MD-KEY-04")
                .map(|finding| format!("{}: {}", finding.position, finding.message))
                .collect();
        let message = message.replacen(": ", ": the certificate is not base64: ", 1);
        assert_eq!(found, [message]);
    }
}

#[test]
fn a_certificate_that_is_not_valid_beside_a_valid_one_is_a_warning() {
    let descriptor = |use_: &str, name: &str| {
        format!(
            "<md:KeyDescriptor use='{use_}'><ds:KeyInfo xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>",
            certificate(name)
        )
    };
    let from = OKTA.find("<md:KeyDescriptor").expect("a match");
    let keys = &OKTA[from..OKTA.find("<md:NameIDFormat").expect("a match")];
    let expired = "the certificate expired at 2026-01-01T00:00:00Z";
    let future = "the certificate is not valid before 2027-01-01T00:00:00Z";
    for (names, severity, messages) in [
        (
            ["signing expired", "signing rsa2048"],
            "warning",
            vec![expired],
        ),
        (
            ["signing rsa2048", "signing future"],
            "warning",
            vec![future],
        ),
        (
            ["signing rsa2048", "encryption expired"],
            "warning",
            vec![expired],
        ),
        (
            ["signing expired", "signing future"],
            "error",
            vec![expired, future],
        ),
    ] {
        let text: String = names
            .iter()
            .map(|name| name.split_once(' ').expect("use and name"))
            .map(|(use_, name)| descriptor(use_, name))
            .collect();
        let expected: Vec<String> = messages
            .iter()
            .map(|message| format!("{severity}: {message}"))
            .collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        expect(
            AwsIdentityCenter,
            &change(OKTA, &[(keys, &text)]),
            "MD-KEY-05",
            &expected,
        );
    }
}

#[test]
fn keys_are_strong() {
    key("MD-KEY-06", "p256", &[]);
    key("MD-KEY-06", "rsa3072", &[]);
    key(
        "MD-KEY-06",
        "rsa2048",
        &["warning: the key is RSA with 2048 bits"],
    );
    key(
        "MD-KEY-06",
        "rsa1024",
        &["error: the key is RSA with 1024 bits"],
    );
    key(
        "MD-KEY-06",
        "rsa-exponent-3",
        &["warning: the key has the RSA exponent 3"],
    );
    key(
        "MD-KEY-06",
        "p192",
        &["error: the elliptic curve of the key has 192 bits"],
    );
    key("MD-KEY-06", "dsa", &["error: the key is a DSA key"]);
}

#[test]
fn keys_do_not_come_from_a_broken_generator() {
    key("MD-KEY-07", "rsa2048", &[]);
    key(
        "MD-KEY-07",
        "roca",
        &["warning: the key was made by a broken generator (ROCA)"],
    );
}

#[test]
fn certificates_signed_with_old_hashes_are_reported() {
    key("MD-KEY-08", "p256", &[]);
    key(
        "MD-KEY-08",
        "sha1",
        &["info: the certificate is signed with SHA-1"],
    );
}

#[test]
fn a_key_is_listed_once_per_use() {
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
fn certificates_for_other_purposes_are_reported() {
    key("MD-KEY-10", "p256", &[]);
    key(
        "MD-KEY-10",
        "authority",
        &["info: the certificate is a CA certificate"],
    );
    key(
        "MD-KEY-10",
        "wrapping",
        &["warning: the certificate's key usage does not include signatures"],
    );
    let encryption = with(&certificate("wrapping"))
        .replace("<md:KeyDescriptor>", "<md:KeyDescriptor use='encryption'>");
    expect(SamlCore, &encryption, "MD-KEY-10", &[]);
}

#[test]
fn encryption_methods_belong_to_encryption_keys() {
    core(
        "MD-KEY-11",
        IDP,
        &[(
            &[("use=\"encryption\"", "use=\"signing\"")],
            &["error: a signing key has an EncryptionMethod"],
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
                &["warning: Triple DES is a weak algorithm"],
            ),
            (
                &[(
                    "http://www.w3.org/2001/04/xmlenc#sha256",
                    "http://www.w3.org/2000/09/xmldsig#sha1",
                )],
                &["warning: SHA-1 is a weak algorithm"],
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
        &["warning: DigestMethod is outside Extensions"],
    );
}
