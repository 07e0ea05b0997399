//! What AWS has against a SAML response, refusal by refusal.

mod attacks;
mod forge;
mod program;

use std::sync::LazyLock;

use insta::{Settings, assert_snapshot};
use okta_aws_sso::{
    saml::EntityDescriptor,
    saml_response::{Report, lint, rules},
};
use proptest::prelude::*;

use forge::{
    ACS_URL, ASSERTION, ISSUER_URL, RESPONSE, SHA1, WHOLE, base64, change, changed, expectations,
    expectations_at, metadata, sign,
};

/// The good response, signed once.
static SIGNED: LazyLock<String> = LazyLock::new(|| sign(RESPONSE, ASSERTION));

/// Holds a report to its snapshot; keys are made anew in each run.
pub(crate) fn snapshot(name: &str, report: &Report) {
    let mut settings = Settings::clone_current();
    settings.add_filter("(?:[0-9A-F]{2}:){31}[0-9A-F]{2}", "[fingerprint]");
    settings.bind(|| assert_snapshot!(name, report.to_string()));
}

/// Lints a response and holds the rules of its errors, and the whole text, to what is expected.
#[track_caller]
fn refused(name: &str, pasted: &str, errors: &[&str]) {
    let report = lint(pasted, &metadata(), &expectations());
    assert_eq!(errors_of(&report), errors, "{report}");
    assert!(!report.is_accepted());
    snapshot(name, &report);
}

fn errors_of(report: &Report) -> Vec<&'static str> {
    let errors = report
        .findings()
        .iter()
        .filter(|finding| finding.is_error());
    errors.map(|finding| finding.rule.id).collect()
}

/// Names a test, what is changed in the good response before it is signed, and the rules broken.
macro_rules! refusals {
    ($($name:ident: [$(($from:expr, $to:expr)),+ $(,)?] => $errors:expr;)+) => {$(
        #[test]
        fn $name() {
            refused(stringify!($name), &base64(&changed(&[$(($from, $to)),+])), &$errors);
        }
    )+};
}

const AUDIENCE: &str = "https://eu-central-1.signin.aws.amazon.com/platform/saml/d-9067000000";
const COST_CENTER: &str = "AccessControl:CostCenter";
const AUTHN: (&str, &str) = ("<saml2:AuthnStatement ", "</saml2:AuthnStatement>");

refusals! {
    another_audience: [(AUDIENCE, "https://example.com")] => ["RESP-AUD-01"];
    no_audience: [("AudienceRestriction>", "OneTimeUse>"), (AUDIENCE, "x")] => ["RESP-AUD-01"];
    another_recipient: [("Recipient=\"https://eu-central-1.signin.aws/", "Recipient=\"https://signin.aws.amazon.com/")] => ["RESP-REC-01"];
    another_destination: [("Destination=\"https://eu-central-1.signin.aws/", "Destination=\"https://signin.aws.amazon.com/")] => ["RESP-DEST-01"];
    another_issuer: [("http://www.okta.com/exk1", "http://www.okta.com/exk2")] => ["RESP-ISS-01", "RESP-ISS-01"];
    no_confirmation_by_bearer: [("cm:bearer", "cm:holder-of-key")] => ["RESP-CONF-01"];
    no_time_to_deliver: [("InResponseTo=\"_req1\" NotOnOrAfter=\"2026-11-24T12:05:00.000Z\"", "InResponseTo=\"_req1\"")] => ["RESP-TIME-03"];
    a_time_that_is_none: [("NotBefore=\"2026-11-24T11:55:00.000Z\"", "NotBefore=\"yesterday\"")] => ["RESP-TIME-05"];
    a_session_that_is_over: [("SessionIndex", "SessionNotOnOrAfter=\"2026-11-24T11:00:00Z\" SessionIndex")] => ["RESP-TIME-04"];
    another_request: [("<saml2:SubjectConfirmationData InResponseTo=\"_req1\"", "<saml2:SubjectConfirmationData InResponseTo=\"_req2\"")] => ["RESP-IRT-02"];
    no_conditions: [("saml2:Conditions", "saml2:Advice")] => ["RESP-COND-01"];
    no_statement_of_authentication: [(AUTHN.0, "<saml2:AuthzDecisionStatement "), (AUTHN.1, "</saml2:AuthzDecisionStatement>")] => ["RESP-AUTHN-01"];
    no_name_id: [("saml2:NameID", "saml2:BaseID")] => ["RESP-NID-01"];
    a_name_id_of_another_format: [("1.1:nameid-format:emailAddress", "1.1:nameid-format:unspecified")] => ["RESP-NID-02"];
    a_name_id_that_is_no_address: [("ada.lovelace@example.com", "ada.lovelace")] => ["RESP-NID-03", "RESP-NID-04"];
    a_name_id_of_somebody_else: [("ada.lovelace@example.com", "ada@example.com")] => ["RESP-NID-04"];
    a_name_id_in_another_case: [("ada.lovelace@example.com", "Ada.Lovelace@example.com")] => ["RESP-NID-04"];
    a_key_that_is_no_tag: [(COST_CENTER, "AccessControl:Cost!Center")] => ["RESP-ATTR-02"];
    a_key_that_is_empty: [(COST_CENTER, "AccessControl:")] => ["RESP-ATTR-02"];
    a_value_that_is_no_tag: [("engines", "engines; and more")] => ["RESP-ATTR-03"];
    a_value_that_is_too_long: [("engines", "long".repeat(65).as_str())] => ["RESP-ATTR-03"];
    two_values: [("engines</saml2:AttributeValue>", "engines</saml2:AttributeValue><saml2:AttributeValue>looms</saml2:AttributeValue>")] => ["RESP-ATTR-03"];
    another_version: [("IssueInstant=\"2026-11-24T12:00:00.000Z\" Version=\"2.0\"><saml2:Issuer xmlns", "IssueInstant=\"2026-11-24T12:00:00.000Z\" Version=\"1.1\"><saml2:Issuer xmlns")] => ["RESP-VERSION-01"];
}

#[test]
fn a_good_response_is_taken_however_it_is_pasted() {
    let xml = sign(RESPONSE, ASSERTION);
    let base64 = base64(&xml);
    let lines: Vec<String> = base64
        .as_bytes()
        .chunks(76)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    let encoded = base64
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    for pasted in [
        xml.clone(),
        base64.clone(),
        format!("\n\t {base64} \r\n"),
        lines.join("\r\n"),
        encoded.clone(),
        format!("SAMLResponse={encoded}&RelayState=x"),
        base64.trim_end_matches('=').to_owned(),
    ] {
        let report = lint(&pasted, &metadata(), &expectations());
        assert_eq!(errors_of(&report), [""; 0], "{report}");
        assert!(report.is_accepted() && report.signer().is_some());
    }
    snapshot(
        "a_good_response",
        &lint(&base64, &metadata(), &expectations()),
    );
}

#[test]
fn a_signature_of_the_response_covers_the_assertion_too() {
    let whole = sign(RESPONSE, WHOLE);
    let report = lint(&base64(&whole), &metadata(), &expectations());
    assert_eq!(errors_of(&report), [""; 0], "{report}");
    assert!(report.signer().is_some());
}

#[test]
fn which_of_two_keys_signed_is_said() {
    let document = forge::metadata_with_two_keys();
    let report = lint(
        &base64(&sign(RESPONSE, ASSERTION)),
        &document,
        &expectations(),
    );
    assert!(report.is_accepted(), "{report}");
    let provider = document
        .entity()
        .ok()
        .and_then(EntityDescriptor::identity_provider);
    let second = &provider.expect("a role").signing_certificates()[1];
    assert_eq!(report.signer(), Some(second.fingerprint_sha256().as_str()));
}

#[test]
fn a_sign_in_from_oktas_dashboard_is_taken() {
    let response = changed(&[(" InResponseTo=\"_req1\"", "")]);
    let report = lint(&base64(&response), &metadata(), &expectations());
    assert!(report.is_accepted(), "{report}");
    snapshot("from_oktas_dashboard", &report);
}

#[test]
fn clocks_may_differ_and_it_is_said() {
    let pasted = base64(&sign(RESPONSE, ASSERTION));
    let at = |now| lint(&pasted, &metadata(), &expectations_at(now));
    let late = at("2026-11-24T12:07:00Z");
    assert!(late.is_accepted(), "{late}");
    snapshot("late_within_the_skew", &late);
    let strict = expectations_at("2026-11-24T12:07:00Z").skew(jiff::SignedDuration::ZERO);
    let strict = lint(&pasted, &metadata(), &strict);
    assert_eq!(errors_of(&strict), ["RESP-TIME-03", "RESP-TIME-02"]);
    let too_late = at("2026-11-24T12:10:00Z");
    assert_eq!(errors_of(&too_late), ["RESP-TIME-03", "RESP-TIME-02"]);
    snapshot("too_late", &too_late);
    let too_early = at("2026-11-24T11:49:59Z");
    assert_eq!(errors_of(&too_early), ["RESP-TIME-01"]);
    snapshot("too_early", &too_early);
}

#[test]
fn what_is_no_response_is_unreadable() {
    let doctype = change(RESPONSE, &[("?><", "?><!DOCTYPE a [<!ENTITY b \"c\">]><")]);
    let request = RESPONSE.replace("saml2p:Response", "saml2p:AuthnRequest");
    for (name, pasted, rule) in [
        ("unreadable_empty", String::new(), "RESP-XML-01"),
        (
            "unreadable_text",
            "It's not you, it's us".to_owned(),
            "RESP-XML-01",
        ),
        ("unreadable_base64", base64("not XML"), "RESP-XML-01"),
        ("unreadable_cut", base64(&RESPONSE[..900]), "RESP-XML-01"),
        ("unreadable_doctype", base64(&doctype), "RESP-XML-02"),
        ("unreadable_request", base64(&request), "RESP-XML-03"),
        ("unreadable_too_long", "A".repeat(2_000_001), "RESP-XML-04"),
    ] {
        let report = lint(&pasted, &metadata(), &expectations());
        assert!(!report.is_readable() && !report.is_accepted(), "{name}");
        assert_eq!(errors_of(&report), [rule], "{report}");
        snapshot(name, &report);
    }
}

#[test]
fn a_status_is_put_in_words() {
    let status = "<saml2p:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Responder\">\
        <saml2p:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:AuthnFailed\"/></saml2p:StatusCode>\
        <saml2p:StatusMessage>User is not assigned to this application</saml2p:StatusMessage>";
    let from = "<saml2p:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>";
    let start = RESPONSE.find("<saml2:Assertion").expect("the assertion");
    let response = format!("{}</saml2p:Response>", &RESPONSE[..start]);
    refused(
        "a_failed_sign_in",
        &base64(&change(&response, &[(from, status)])),
        &["RESP-STATUS-01", "RESP-ASSERT-01", "RESP-SIG-01"],
    );
}

#[test]
fn an_unsigned_response_is_refused() {
    refused("unsigned", &base64(RESPONSE), &["RESP-SIG-01"]);
}

#[test]
fn a_sha_1_signature_is_refused() {
    let pasted = base64(&sign(RESPONSE, SHA1));
    refused("sha1", &pasted, &["RESP-ALG-01", "RESP-ALG-01"]);
}

#[test]
fn an_encrypted_assertion_is_refused() {
    let start = RESPONSE.find("<saml2:Assertion").expect("the assertion");
    let response = format!(
        "{}<saml2:EncryptedAssertion xmlns:saml2=\"urn:oasis:names:tc:SAML:2.0:assertion\"/></saml2p:Response>",
        &RESPONSE[..start]
    );
    let pasted = base64(&sign(&response, WHOLE));
    refused("encrypted", &pasted, &["RESP-ASSERT-03"]);
}

#[test]
fn the_attributes_of_the_other_application_are_recognized() {
    let report = lint(
        &base64(&changed(&[(
            "Attributes/AccessControl:CostCenter",
            "Attributes/RoleSessionName",
        )])),
        &metadata(),
        &expectations(),
    );
    assert!(report.is_accepted());
    snapshot("the_other_application", &report);
}

#[test]
fn more_tags_than_a_session_has_are_refused() {
    let start = RESPONSE.find("<saml2:Attribute ").expect("an attribute");
    let end = RESPONSE
        .find("</saml2:AttributeStatement>")
        .expect("the end");
    let one = &RESPONSE[start..end];
    let many: String = (0..51)
        .map(|n| one.replace("CostCenter", &format!("Tag{n}")))
        .collect();
    let pasted = base64(&changed(&[(one, &many)]));
    refused("too_many_tags", &pasted, &["RESP-ATTR-04"]);
}

#[test]
fn an_assertion_over_the_quota_is_refused() {
    let pasted = base64(&changed(&[(
        "AuthnContextClassRef>urn",
        &format!("AuthnContextClassRef>{}urn", " ".repeat(50_000)),
    )]));
    let report = lint(&pasted, &metadata(), &expectations());
    assert_eq!(errors_of(&report), ["RESP-XML-04"], "{report}");
}

#[test]
fn rules_have_names_of_their_own_and_say_everything() {
    let mut ids: Vec<&str> = rules().map(|rule| rule.id).collect();
    ids.sort_unstable();
    let mut once = ids.clone();
    once.dedup();
    assert_eq!(ids, once);
    for rule in rules() {
        assert!(rule.id.starts_with("RESP-"), "{}", rule.id);
        assert!(
            ![rule.clause, rule.reason, rule.help].contains(&""),
            "{}",
            rule.id
        );
    }
}

#[tokio::test]
async fn the_sandbox_and_the_linter_agree_about_whose_metadata_counts() {
    let sandbox = sandbox::Sandbox::builder()
        .company(crate::fixture::company())
        .start()
        .await
        .expect("a sandbox");
    let console = sandbox.console();
    console.enable_identity_center().expect("an instance");
    let document = metadata();
    let shown = console
        .change_identity_source(document.bytes())
        .expect("an identity source");
    let response = change(
        RESPONSE,
        &[(ACS_URL, &shown.acs_url), (ISSUER_URL, &shown.issuer_url)],
    );
    let expectations = okta_aws_sso::saml_response::Expectations::new(
        &shown.acs_url,
        &shown.issuer_url,
        forge::NOW.parse().expect("a time"),
    );
    let report = lint(
        &base64(&sign(&response, ASSERTION)),
        &document,
        &expectations,
    );
    assert!(report.is_accepted(), "{report}");
    // Metadata without a certificate is of no use to either.
    let keyless = forge::metadata_without_keys();
    let refused = console.change_identity_source(keyless.bytes());
    assert!(refused.is_err(), "{refused:?}");
    let report = lint(
        &base64(&sign(&response, ASSERTION)),
        &keyless,
        &expectations,
    );
    assert_eq!(errors_of(&report), ["RESP-SIG-07"], "{report}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever is changed in a signed response, the linter says something and does not fall over; and
    /// as long as it says that a signature covers the assertion, that is the assertion as it was signed.
    #[test]
    fn a_mutated_response_never_panics_and_what_is_signed_is_what_was_signed(
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), 0_usize..40, "[ -~<>&\"é]{0,12}"), 1..6,
        ),
    ) {
        let mut text = SIGNED.clone();
        for (at, length, new) in edits {
            let mut start = at.index(text.len());
            while !text.is_char_boundary(start) { start -= 1; }
            let mut end = (start + length).min(text.len());
            while !text.is_char_boundary(end) { end += 1; }
            text.replace_range(start..end, &new);
        }
        let report = lint(&text, &metadata(), &expectations());
        prop_assert!(!report.to_string().is_empty());
        if report.signer().is_some() {
            let of_assertion = ["RESP-NID", "RESP-REC", "RESP-AUD", "RESP-TIME", "RESP-ATTR", "RESP-AUTHN"];
            let wrong = report.findings().iter().find(|finding| {
                of_assertion.iter().any(|start| finding.rule.id.starts_with(start))
            });
            prop_assert!(wrong.is_none(), "{}", report);
        }
    }

    #[test]
    fn what_is_no_response_at_all_never_panics(pasted in "\\PC{0,200}") {
        prop_assert!(!lint(&pasted, &metadata(), &expectations()).is_accepted());
    }
}
