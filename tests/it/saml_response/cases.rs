//! A table of responses, each with the findings that explain it.
//!
//! Without the feature `samael`, this project's verifier alone decides. With it, xmlsec1 is the second opinion, and a
//! case names the finding that shows a difference.

use okta_aws_sso::{
    saml::{Document, Severity, signature::SignatureAlgorithm},
    saml_response::{Expectations, LintReport, lint},
};

use super::forge::{
    self, ACS_URL, ASSERTION, ISSUER_URL, RESPONSE, WHOLE, base64, change, change_and_sign,
    expectations, metadata, sign, sign_with, sign_with_another_key, sign_without_key_info,
    signature_of,
};

struct Case {
    name: &'static str,
    response: String,
    metadata: Document,
    expectations: Expectations,
    errors: Vec<&'static str>,
    warnings: Vec<&'static str>,
    /// The findings about a difference between the verifiers.
    differences: Vec<&'static str>,
    is_signed: bool,
    /// Texts that the report contains.
    says: Vec<String>,
}

fn case(name: &'static str, response: String) -> Case {
    Case {
        name,
        response,
        metadata: metadata(),
        expectations: expectations(),
        errors: Vec::new(),
        warnings: Vec::new(),
        differences: Vec::new(),
        is_signed: true,
        says: Vec::new(),
    }
}

impl Case {
    fn errors(mut self, rules: &[&'static str]) -> Self {
        self.errors = rules.to_vec();
        self
    }

    fn warnings(mut self, rules: &[&'static str]) -> Self {
        self.warnings = rules.to_vec();
        self
    }

    fn differences(mut self, rules: &[&'static str]) -> Self {
        self.differences = rules.to_vec();
        self
    }

    fn unverified(mut self) -> Self {
        self.is_signed = false;
        self
    }

    fn metadata(mut self, metadata: Document) -> Self {
        self.metadata = metadata;
        self
    }

    fn expectations(mut self, expectations: Expectations) -> Self {
        self.expectations = expectations;
        self
    }

    fn says(mut self, text: impl Into<String>) -> Self {
        self.says.push(text.into());
        self
    }

    #[track_caller]
    fn check(&self) {
        let name = self.name;
        let report = lint(&base64(&self.response), &self.metadata, &self.expectations);
        let of = |severity| {
            let findings = report.findings().iter();
            let mut ids: Vec<_> = findings
                .filter(|finding| finding.severity == severity)
                .map(|finding| finding.rule.id)
                .collect();
            ids.sort_unstable();
            ids
        };
        let mut errors = self.errors.clone();
        errors.sort_unstable();
        assert_eq!(of(Severity::Error), errors, "{name}\n{report}");
        let mut warnings = self.warnings.clone();
        if cfg!(feature = "samael") {
            warnings.extend(&self.differences);
        }
        warnings.sort_unstable();
        assert_eq!(of(Severity::Warning), warnings, "{name}\n{report}");
        assert_eq!(
            report.signer().is_some(),
            self.is_signed,
            "{name}\n{report}"
        );
        for text in &self.says {
            assert!(
                report.to_string().contains(text),
                "{name}: no {text:?}\n{report}"
            );
        }
    }
}

fn check_all(cases: &[Case]) {
    for case in cases {
        case.check();
    }
}

fn signed() -> String {
    sign(RESPONSE, ASSERTION)
}

fn signed_twice() -> String {
    sign(&signed(), WHOLE)
}

/// Formats XML as viewers do: each tag on a line of its own, with indentation.
fn pretty(xml: &str, breaks_text: bool) -> String {
    let spread = xml.replace("><", ">\n    <");
    if !breaks_text {
        return spread;
    }
    change(
        &spread,
        &[(
            "ada.lovelace@example.com",
            "\n      ada.lovelace@example.com\n    ",
        )],
    )
}

fn tag(text: &str, start: &str, end: &str) -> String {
    let from = text.find(start).expect("a start");
    let to = from + text[from..].find(end).expect("an end") + end.len();
    text[from..to].to_owned()
}

fn assertion_of(text: &str) -> String {
    tag(text, "<saml2:Assertion", "</saml2:Assertion>")
}

const SHA1: [&str; 2] = [
    include_str!("signed/sha1.xml"),
    include_str!("signed/sha1.cert.pem"),
];
const WEAK_KEY: [&str; 2] = [
    include_str!("signed/weak-key.xml"),
    include_str!("signed/weak-key.cert.pem"),
];

#[test]
fn every_usual_signature_is_verified() {
    let algorithm = |algorithm| sign_with(RESPONSE, ASSERTION, algorithm);
    check_all(&[
        case("assertion", signed()),
        case("response", sign(RESPONSE, WHOLE)),
        case("response and assertion", signed_twice()),
        case("no KeyInfo", sign_without_key_info(RESPONSE, ASSERTION)),
        case("SHA-384", algorithm(SignatureAlgorithm::RsaSha384)),
        case("SHA-512", algorithm(SignatureAlgorithm::RsaSha512)),
        case("RSA-PSS", algorithm(SignatureAlgorithm::RsaPssSha256)),
        case(
            "P-256",
            forge::sign_with_an_elliptic_curve(RESPONSE, ASSERTION),
        )
        .metadata(forge::metadata_with_an_elliptic_curve()),
        case("the second of two keys", signed()).metadata(forge::metadata_with_two_keys()),
        case(
            "a certificate that AWS has besides the metadata",
            sign_with_another_key(RESPONSE, ASSERTION, true),
        )
        .expectations(expectations().certificate(forge::another_certificate()))
        .says(forge::another_certificate().fingerprint_sha256()),
        case("line breaks in the signature value", {
            let signed = signed();
            let value = tag(&signed, "<ds:SignatureValue>", "</ds:SignatureValue>");
            let (head, tail) = value.split_at(60);
            signed.replace(&value, &format!("{head}\r\n  {tail}"))
        }),
        case("a signature as the last child", {
            let signed = signed();
            let signature = signature_of(&signed).to_owned();
            let end = format!("{signature}</saml2:Assertion>");
            signed
                .replacen(&signature, "", 1)
                .replace("</saml2:Assertion>", &end)
        })
        .warnings(&["RESP-SIG-04"])
        .says("does not follow the `Issuer`"),
    ]);
}

#[test]
fn a_signature_by_another_key_names_both_keys() {
    let other = forge::another_certificate().fingerprint_sha256();
    let ours = forge::signing_certificate().fingerprint_sha256();
    let by_other = |names_it| sign_with_another_key(RESPONSE, ASSERTION, names_it);
    check_all(&[
        case("another key", by_other(true))
            .errors(&["RESP-SIG-02"])
            .unverified()
            .says(format!(
                "a valid signature by another key, the one of the certificate {other}"
            ))
            .says(format!(
                "expected  a signature by the key of the certificate {ours}"
            )),
        case("another key that KeyInfo does not name", by_other(false))
            .errors(&["RESP-SIG-02"])
            .unverified()
            .says("its KeyInfo has no certificate"),
        case(
            "another key and changed content",
            change(&by_other(true), &[("ada.lovelace@", "ada@")]),
        )
        .errors(&["RESP-SIG-02", "RESP-NID-04"])
        .unverified()
        .says(format!("names another certificate, {other}"))
        .says("with its key: the content was changed after signing"),
        case(
            "an elliptic curve where the metadata has RSA",
            forge::sign_with_an_elliptic_curve(RESPONSE, ASSERTION),
        )
        .errors(&["RESP-SIG-02"])
        .unverified()
        .says("none of the given keys fits the algorithm"),
        case("an expired certificate", signed())
            .metadata(forge::metadata_with_an_expired_certificate())
            .errors(&["RESP-SIG-06"]),
        case("metadata without keys", signed())
            .metadata(forge::metadata_without_keys())
            .errors(&["RESP-SIG-07"])
            .unverified(),
        case("a key of 1024 bits", WEAK_KEY[0].to_owned())
            .metadata(forge::metadata_with(WEAK_KEY[1]))
            .errors(&["RESP-ALG-02"])
            .differences(&["RESP-SIG-05"])
            .unverified(),
        case("SHA-1", SHA1[0].to_owned())
            .metadata(forge::metadata_with(SHA1[1]))
            .errors(&["RESP-ALG-01", "RESP-ALG-01"]),
    ]);
}

#[test]
fn content_that_was_changed_after_signing_is_not_blamed_on_the_key() {
    let eve = expectations().user_name("eve@example.com");
    let to_eve = |text: &str| change(text, &[("ada.lovelace@", "eve@")]);
    check_all(&[
        case("a changed assertion", to_eve(&signed()))
            .expectations(eve.clone())
            .errors(&["RESP-SIG-09"])
            .unverified(),
        case(
            "a changed assertion in a signed response",
            to_eve(&sign(RESPONSE, WHOLE)),
        )
        .expectations(eve.clone())
        .errors(&["RESP-SIG-09"])
        .unverified(),
        case("both signatures broken", to_eve(&signed_twice()))
            .expectations(eve)
            .errors(&["RESP-SIG-09", "RESP-SIG-09"])
            .unverified(),
        case(
            "a changed response around a signed assertion",
            change(
                &signed_twice(),
                &[(
                    "ID=\"id1\" InResponseTo",
                    "ID=\"id1\" Consent=\"urn:x\" InResponseTo",
                )],
            ),
        )
        .errors(&["RESP-SIG-09"])
        .differences(&["RESP-SIG-05"]),
        case("a changed signature value", {
            let signed = signed();
            let value = tag(&signed, "<ds:SignatureValue>", "</ds:SignatureValue>");
            let reversed = value.replace("<ds:SignatureValue>", "<ds:SignatureValue>AAAA");
            signed.replace(&value, &reversed)
        })
        .errors(&["RESP-SIG-09"])
        .unverified()
        .says("the signature itself was changed"),
    ]);
}

#[test]
fn a_response_that_was_formatted_after_signing_is_told_as_such() {
    let ours = forge::signing_certificate().fingerprint_sha256();
    let signed_by =
        format!("without the white space between elements: signed by the certificate {ours}");
    let formatted = |name, response: String| {
        case(name, response)
            .errors(&["RESP-SIG-08"])
            .unverified()
            .says(signed_by.clone())
            .says("copy the original")
    };
    check_all(&[
        formatted("a formatted assertion", pretty(&signed(), false)),
        formatted(
            "a formatted response",
            pretty(&sign(RESPONSE, WHOLE), false),
        ),
        formatted("both signatures formatted", pretty(&signed_twice(), false)),
        formatted(
            "Windows line ends",
            pretty(&signed(), false).replace('\n', "\r\n"),
        ),
        case("formatted texts", pretty(&signed(), true))
            .errors(&["RESP-SIG-08", "RESP-NID-03", "RESP-NID-04"])
            .unverified()
            .says(signed_by.clone()),
        case(
            "formatted and changed",
            change(&pretty(&signed(), false), &[("engines", "looms")]),
        )
        .errors(&["RESP-SIG-09"])
        .unverified(),
        case(
            "a changed response around a signed assertion",
            change(
                &signed_twice(),
                &[("<saml2p:Status>", "\n<saml2p:Status Extra=\"1\">")],
            ),
        )
        .errors(&["RESP-SIG-09"])
        .differences(&["RESP-SIG-05"]),
        case(
            "white space that was signed",
            sign(&pretty(RESPONSE, false), ASSERTION),
        ),
    ]);
}

#[test]
fn a_comment_in_a_text_is_ignored_and_reported() {
    let comment = "<!-- x -->";
    let inside = |text: &str| {
        change(
            text,
            &[("ada.lovelace@", &format!("ada.{comment}lovelace@"))],
        )
    };
    let name = "ada.lovelace@example.com.evil.example";
    let longer = change_and_sign(&[("ada.lovelace@example.com", name)]);
    check_all(&[
        case("a comment in a signed NameID", inside(&signed()))
            .warnings(&["RESP-TEXT-01"])
            .differences(&["RESP-READ-01"])
            .says("SAML's value is \"ada.lovelace@example.com\", a reader with the flaw takes \"ada.\""),
        case("a comment in the NameID of a signed response", inside(&sign(RESPONSE, WHOLE)))
            .warnings(&["RESP-TEXT-01"])
            .differences(&["RESP-READ-01"]),
        case(
            "CVE-2017-11427",
            change(&longer, &[("@example.com.evil", &format!("@example.com{comment}.evil"))]),
        )
        .errors(&["RESP-NID-04"])
        .warnings(&["RESP-TEXT-01"])
        .differences(&["RESP-READ-01"])
        .says(format!("SAML's value is {name:?}, a reader with the flaw takes \"ada.lovelace@example.com\"")),
        case(
            "a processing instruction in a signed NameID",
            change_and_sign(&[("ada.lovelace@", "ada.<?x?>lovelace@")]),
        )
        .warnings(&["RESP-TEXT-01"]),
        case("a comment between elements", change(&signed(), &[("<saml2:Subject>", "<!-- x --><saml2:Subject>")])),
        case(
            "a comment in the audience",
            change(&signed(), &[("d-9067000000<", &format!("d-90670{comment}00000<"))]),
        )
        .warnings(&["RESP-TEXT-01"])
        .differences(&["RESP-READ-01"]),
    ]);
}

/// An unsigned response or assertion for Eve.
fn forged(text: &str) -> String {
    change(text, &[("ada.lovelace@", "eve@"), ("ID=\"id", "ID=\"evil")])
}

/// Tests signature wrapping: "On Breaking SAML: Be Whoever You Want to Be" (USENIX Security 2012), XSW1 to XSW8.
///
/// Each is linted as a sign-in of Eve, who would get in if AWS accepted the forgery.
#[test]
fn signature_wrapping_fails() {
    let (whole, part) = (sign(RESPONSE, WHOLE), signed());
    let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    let response_of = |text: &str| text.replacen(declaration, "", 1);
    let signature = signature_of(&whole).to_owned();
    let original = response_of(&whole);
    let bare_original = response_of(RESPONSE);
    let evil_response = forged(&response_of(RESPONSE));
    let into_evil = |inside: &str| {
        change(
            &evil_response,
            &[("<saml2p:Status>", &format!("{inside}<saml2p:Status>"))],
        )
    };
    let into_signature =
        |inside: &str| signature.replace("</ds:Signature>", &format!("{inside}</ds:Signature>"));

    let assertion = assertion_of(&part);
    let assertion_signature = signature_of(&part).to_owned();
    let bare = assertion_of(RESPONSE);
    let evil = forged(&bare);
    let evil_with =
        |inside: &str| evil.replacen("</saml2:Issuer>", &format!("</saml2:Issuer>{inside}"), 1);
    let with_object = |object: &str| {
        assertion_signature.replace("</ds:Signature>", &format!("{object}</ds:Signature>"))
    };
    let instead = |assertions: &str| part.replace(&assertion, assertions);
    let extensions = |inside: &str| {
        let to = format!("<saml2p:Extensions>{inside}</saml2p:Extensions><saml2p:Status>");
        change(&part, &[("<saml2p:Status>", &to)])
    };

    let cases = [
        case("XSW1", into_evil(&into_signature(&bare_original))).errors(&["RESP-SIG-04"]),
        case("XSW2", into_evil(&format!("{signature}{bare_original}"))).errors(&["RESP-SIG-03"]),
        case("XSW2 with the signed response inside", into_evil(&original)).errors(&["RESP-SIG-03"]),
        case("XSW3", instead(&format!("{evil}{assertion}")))
            .errors(&["RESP-ASSERT-02", "RESP-NID-04"]),
        case("XSW4", instead(&evil_with(&assertion))).errors(&["RESP-SIG-03"]),
        case(
            "XSW5",
            instead(&format!("{}{bare}", evil_with(&assertion_signature))),
        )
        .errors(&["RESP-ASSERT-02", "RESP-SIG-03"]),
        case("XSW6", instead(&evil_with(&with_object(&bare)))).errors(&["RESP-SIG-04"]),
        case("XSW7", extensions(&evil)).errors(&["RESP-NID-04"]),
        case(
            "XSW8",
            instead(&evil_with(&with_object(&format!(
                "<ds:Object>{bare}</ds:Object>"
            )))),
        )
        .errors(&["RESP-SIG-04"]),
        case(
            "a twin with the same ID",
            instead(&format!("{}{assertion}", evil.replace("evil2", "id2"))),
        )
        .errors(&["RESP-ASSERT-02", "RESP-SIG-03"]),
        case("the signed assertion among extensions", {
            extensions(&assertion).replacen(
                &format!("</saml2p:Status>{assertion}"),
                &format!("</saml2p:Status>{evil}"),
                1,
            )
        })
        .errors(&["RESP-SIG-03"]),
    ];
    for mut case in cases {
        case.expectations = expectations().user_name("eve@example.com");
        let report = lint(&base64(&case.response), &case.metadata, &case.expectations);
        assert!(!report.is_accepted(), "{}\n{report}", case.name);
        // The original is read in these two; its signature covers Ada.
        case.is_signed = case.errors.contains(&"RESP-NID-04");
        case.check_errors(&report);
    }
}

impl Case {
    /// Checks the errors and the signer; what xmlsec1 thinks of a forgery varies.
    #[track_caller]
    fn check_errors(&self, report: &LintReport) {
        let mut errors = super::errors_of(report);
        errors.sort_unstable();
        let mut expected = self.errors.clone();
        expected.sort_unstable();
        assert_eq!(errors, expected, "{}\n{report}", self.name);
        assert_eq!(
            report.signer().is_some(),
            self.is_signed,
            "{}\n{report}",
            self.name
        );
    }
}

#[test]
fn the_forms_of_an_acs_url_are_told_apart() {
    let classic = "https://eu-central-1.signin.aws.amazon.com/platform/saml/acs/0a1b2c3d";
    let dual = "https://eu-central-1.sso.signin.aws/platform/saml/acs/0a1b2c3d";
    let with = |url: &str| change_and_sign(&[(ACS_URL, url)]);
    let both = ["RESP-DEST-01", "RESP-REC-01"];
    check_all(&[
        case("classic host", with(classic))
            .errors(&both)
            .says("the same tenant at the classic host, which instances enabled from February 2026 do not have"),
        case("dual-stack host", with(dual))
            .errors(&both)
            .says("the same tenant at another host"),
        case("dual-stack host that is expected", with(dual))
            .expectations(expectations().acs_url(dual)),
        case("another Region", with("https://us-east-1.signin.aws/platform/saml/acs/0a1b2c3d"))
            .errors(&both)
            .says("an ACS URL of another instance or Region (us-east-1)"),
        case("another tenant", with("https://eu-central-1.signin.aws/platform/saml/acs/ffff"))
            .errors(&both)
            .says("an ACS URL of another instance or Region (eu-central-1)"),
        case("an empty ACS URL in Okta", with("https://signin.aws.amazon.com/saml"))
            .errors(&both)
            .says("to which Okta sends if the ACS URL of the application is empty"),
        case("a slash at the end", with(&format!("{ACS_URL}/")))
            .errors(&both)
            .says("which differs only in upper and lower case, white space or a slash at the end"),
        case("no Destination in a response whose assertion is signed", change_and_sign(&[(&format!(" Destination=\"{ACS_URL}\""), "")])),
    ]);
}

#[test]
fn conditions_subject_and_status_are_explained() {
    let audience = format!("<saml2:Audience>{ISSUER_URL}</saml2:Audience>");
    let restriction = format!("<saml2:AudienceRestriction>{audience}</saml2:AudienceRestriction>");
    let other = "<saml2:Audience>https://example.com</saml2:Audience>";
    let format_of_name = "1.1:nameid-format:emailAddress";
    let name_format = |to: &str| change_and_sign(&[(format_of_name, to)]);
    let failed = "<saml2p:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Responder\"/>\
        <saml2p:StatusMessage>User is not assigned to the client application.</saml2p:StatusMessage>";
    let success = "<saml2p:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>";
    let encrypted =
        "<saml2:EncryptedAssertion xmlns:saml2=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>";
    let with_encrypted = RESPONSE.replace(&assertion_of(RESPONSE), encrypted);
    let issuer = "http://www.okta.com/exk1</saml2:Issuer><saml2:Subject>";
    check_all(&[
        case(
            "one of two audiences",
            change_and_sign(&[(&audience, &format!("{other}{audience}"))]),
        ),
        case(
            "one of two restrictions",
            change_and_sign(&[(
                &restriction,
                &format!("{restriction}{}", restriction.replace(&audience, other)),
            )]),
        )
        .errors(&["RESP-AUD-01"]),
        case(
            "a persistent NameID",
            name_format("2.0:nameid-format:persistent"),
        )
        .errors(&["RESP-NID-02"]),
        case(
            "no NameID format",
            change_and_sign(&[(
                " Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\"",
                "",
            )]),
        )
        .errors(&["RESP-NID-02"]),
        case(
            "started at Okta",
            change_and_sign(&[(" InResponseTo=\"_req1\"", "")]),
        )
        .says("no InResponseTo: the sign-in started at Okta's dashboard"),
        case(
            "started at Okta, with a request in the assertion",
            change_and_sign(&[("ID=\"id1\" InResponseTo=\"_req1\"", "ID=\"id1\"")]),
        )
        .errors(&["RESP-IRT-02"]),
        case("no success", change_and_sign(&[(success, failed)]))
            .errors(&["RESP-STATUS-01"])
            .says("the identity provider says \"User is not assigned to the client application.\""),
        case(
            "another issuer in the assertion",
            change_and_sign(&[(issuer, &issuer.replace("exk1", "exk2"))]),
        )
        .errors(&["RESP-ISS-01"]),
        case(
            "encrypted in a signed response",
            sign(&with_encrypted, WHOLE),
        )
        .errors(&["RESP-ASSERT-03"])
        .says("only the owner of the encryption key can read it"),
        case(
            "encrypted, so that a signature inside is not seen",
            with_encrypted.clone(),
        )
        .errors(&["RESP-ASSERT-03"])
        .unverified(),
        case(
            "a signature deeper in the assertion",
            forge::sign_inside(RESPONSE, ASSERTION, "<saml2:Advice>", "</saml2:Advice>"),
        )
        .errors(&["RESP-SIG-03"])
        .differences(&["RESP-SIG-05"])
        .unverified(),
        case("five signatures", {
            let signed = signed();
            let signature = signature_of(&signed);
            change(
                &signed,
                &[(
                    "</saml2p:Response>",
                    &format!("{}</saml2p:Response>", signature.repeat(4)),
                )],
            )
        })
        .errors(&["RESP-SIG-04"])
        .unverified(),
    ]);
}
