//! Tests of the linter of SAML responses: one test for each reason to refuse a response.

mod attacks;
mod cases;
mod forge;
mod inputs;
mod program;

use std::sync::LazyLock;

use insta::{Settings, assert_snapshot};
use okta_aws_sso::{
    saml::EntityDescriptor,
    saml_response::{LintReport, lint, rules},
};
use proptest::prelude::*;

use forge::{
    ACS_URL, ASSERTION, ISSUER_URL, RESPONSE, WHOLE, base64, change, change_and_sign, expectations,
    expectations_at, metadata, sign,
};

/// The valid response, signed once.
static SIGNED: LazyLock<String> = LazyLock::new(|| sign(RESPONSE, ASSERTION));

/// Compares a report with its snapshot, without fingerprints, because each run creates new keys.
pub(crate) fn snapshot(name: &str, report: &LintReport) {
    // With the feature `samael`, the report can have a finding more.
    let is_different = report
        .findings()
        .iter()
        .any(|finding| ["RESP-SIG-05", "RESP-READ-01"].contains(&finding.rule.id));
    let name = if is_different {
        format!("{name}_with_a_second_opinion")
    } else {
        name.to_owned()
    };
    let mut settings = Settings::clone_current();
    settings.add_filter("(?:[0-9A-F]{2}:){31}[0-9A-F]{2}", "[fingerprint]");
    settings.bind(|| assert_snapshot!(name, report.to_string()));
}

/// Lints a response; asserts the rules of its errors, and compares the report with its snapshot.
#[track_caller]
fn assert_refused(name: &str, pasted: &str, errors: &[&str]) {
    let report = lint(pasted, &metadata(), &expectations());
    assert_eq!(errors_of(&report), errors, "{report}");
    assert!(!report.is_accepted());
    snapshot(name, &report);
}

fn errors_of(report: &LintReport) -> Vec<&'static str> {
    let errors = report
        .findings()
        .iter()
        .filter(|finding| finding.is_error());
    errors.map(|finding| finding.rule.id).collect()
}

/// Each line is a test of a refused response.
///
/// A line contains the name of the test, the changes to the valid response before signing, and the broken rules.
macro_rules! refused_responses {
    ($($name:ident: [$(($from:expr, $to:expr)),+ $(,)?] => $errors:expr;)+) => {$(
        #[test]
        fn $name() {
            assert_refused(stringify!($name), &base64(&change_and_sign(&[$(($from, $to)),+])), &$errors);
        }
    )+};
}

const AUDIENCE: &str = "https://eu-central-1.signin.aws.amazon.com/platform/saml/d-9067000000";
const COST_CENTER: &str = "AccessControl:CostCenter";
const AUTHN: (&str, &str) = ("<saml2:AuthnStatement ", "</saml2:AuthnStatement>");

refused_responses! {
    wrong_audience: [(AUDIENCE, "https://example.com")] => ["RESP-AUD-01"];
    no_audience: [("AudienceRestriction>", "OneTimeUse>"), (AUDIENCE, "x")] => ["RESP-AUD-01"];
    wrong_recipient: [("Recipient=\"https://eu-central-1.signin.aws/", "Recipient=\"https://signin.aws.amazon.com/")] => ["RESP-REC-01"];
    wrong_destination: [("Destination=\"https://eu-central-1.signin.aws/", "Destination=\"https://signin.aws.amazon.com/")] => ["RESP-DEST-01"];
    wrong_issuer: [("http://www.okta.com/exk1", "http://www.okta.com/exk2")] => ["RESP-ISS-01", "RESP-ISS-01"];
    no_bearer_confirmation: [("cm:bearer", "cm:holder-of-key")] => ["RESP-CONF-01"];
    no_delivery_deadline: [("InResponseTo=\"_req1\" NotOnOrAfter=\"2026-11-24T12:05:00.000Z\"", "InResponseTo=\"_req1\"")] => ["RESP-TIME-03"];
    unparsable_time: [("NotBefore=\"2026-11-24T11:55:00.000Z\"", "NotBefore=\"yesterday\"")] => ["RESP-TIME-05"];
    expired_session: [("SessionIndex", "SessionNotOnOrAfter=\"2026-11-24T11:00:00Z\" SessionIndex")] => ["RESP-TIME-04"];
    mismatched_in_response_to: [("<saml2:SubjectConfirmationData InResponseTo=\"_req1\"", "<saml2:SubjectConfirmationData InResponseTo=\"_req2\"")] => ["RESP-IRT-02"];
    no_conditions: [("saml2:Conditions", "saml2:Advice")] => ["RESP-COND-01"];
    no_authn_statement: [(AUTHN.0, "<saml2:AuthzDecisionStatement "), (AUTHN.1, "</saml2:AuthzDecisionStatement>")] => ["RESP-AUTHN-01"];
    no_name_id: [("saml2:NameID", "saml2:BaseID")] => ["RESP-NID-01"];
    wrong_name_id_format: [("1.1:nameid-format:emailAddress", "1.1:nameid-format:unspecified")] => ["RESP-NID-02"];
    name_id_is_not_an_email_address: [("ada.lovelace@example.com", "ada.lovelace")] => ["RESP-NID-03", "RESP-NID-04"];
    name_id_of_another_user: [("ada.lovelace@example.com", "ada@example.com")] => ["RESP-NID-04"];
    name_id_in_another_case: [("ada.lovelace@example.com", "Ada.Lovelace@example.com")] => ["RESP-NID-04"];
    invalid_tag_key: [(COST_CENTER, "AccessControl:Cost!Center")] => ["RESP-ATTR-02"];
    empty_tag_key: [(COST_CENTER, "AccessControl:")] => ["RESP-ATTR-02"];
    invalid_tag_value: [("engines", "engines; and more")] => ["RESP-ATTR-03"];
    tag_value_too_long: [("engines", "long".repeat(65).as_str())] => ["RESP-ATTR-03"];
    two_tag_values: [("engines</saml2:AttributeValue>", "engines</saml2:AttributeValue><saml2:AttributeValue>looms</saml2:AttributeValue>")] => ["RESP-ATTR-03"];
    wrong_version: [("IssueInstant=\"2026-11-24T12:00:00.000Z\" Version=\"2.0\"><saml2:Issuer xmlns", "IssueInstant=\"2026-11-24T12:00:00.000Z\" Version=\"1.1\"><saml2:Issuer xmlns")] => ["RESP-VERSION-01"];
}

#[test]
fn a_valid_response_is_accepted() {
    let report = lint(&base64(&SIGNED), &metadata(), &expectations());
    assert!(report.is_accepted() && report.signer().is_some());
    snapshot("valid_response", &report);
}

#[test]
fn a_signature_of_the_response_covers_the_assertion_too() {
    let whole = sign(RESPONSE, WHOLE);
    let report = lint(&base64(&whole), &metadata(), &expectations());
    assert_eq!(errors_of(&report), [""; 0], "{report}");
    assert!(report.signer().is_some());
}

#[test]
fn the_report_names_which_of_two_keys_signed() {
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
    let second = &provider.expect("an IdP role").signing_certificates()[1];
    assert_eq!(report.signer(), Some(second.fingerprint_sha256().as_str()));
}

#[test]
fn a_sign_in_from_oktas_dashboard_is_accepted() {
    let response = change_and_sign(&[(" InResponseTo=\"_req1\"", "")]);
    let report = lint(&base64(&response), &metadata(), &expectations());
    assert!(report.is_accepted(), "{report}");
    snapshot("from_oktas_dashboard", &report);
}

#[test]
fn a_time_limit_missed_within_the_clock_skew_is_a_warning() {
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
fn a_text_that_is_not_a_response_is_unreadable() {
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
        (
            "unreadable_truncated",
            base64(&RESPONSE[..900]),
            "RESP-XML-01",
        ),
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
fn a_status_code_is_explained() {
    let status = "<saml2p:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Responder\">\
        <saml2p:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:AuthnFailed\"/></saml2p:StatusCode>\
        <saml2p:StatusMessage>User is not assigned to this application</saml2p:StatusMessage>";
    let from = "<saml2p:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>";
    let start = RESPONSE.find("<saml2:Assertion").expect("the assertion");
    let response = format!("{}</saml2p:Response>", &RESPONSE[..start]);
    assert_refused(
        "failed_sign_in",
        &base64(&change(&response, &[(from, status)])),
        &["RESP-STATUS-01", "RESP-ASSERT-01", "RESP-SIG-01"],
    );
}

#[test]
fn an_unsigned_response_is_refused() {
    assert_refused("unsigned", &base64(RESPONSE), &["RESP-SIG-01"]);
}

#[test]
fn an_encrypted_assertion_is_refused() {
    let start = RESPONSE.find("<saml2:Assertion").expect("the assertion");
    let response = format!(
        "{}<saml2:EncryptedAssertion xmlns:saml2=\"urn:oasis:names:tc:SAML:2.0:assertion\"/></saml2p:Response>",
        &RESPONSE[..start]
    );
    let pasted = base64(&sign(&response, WHOLE));
    assert_refused("encrypted", &pasted, &["RESP-ASSERT-03"]);
}

#[test]
fn attributes_for_aws_account_federation_are_a_warning() {
    let report = lint(
        &base64(&change_and_sign(&[(
            "Attributes/AccessControl:CostCenter",
            "Attributes/RoleSessionName",
        )])),
        &metadata(),
        &expectations(),
    );
    assert!(report.is_accepted());
    snapshot("attributes_of_account_federation", &report);
}

#[test]
fn more_session_tags_than_allowed_are_refused() {
    let start = RESPONSE.find("<saml2:Attribute ").expect("an attribute");
    let end = RESPONSE
        .find("</saml2:AttributeStatement>")
        .expect("the end");
    let one = &RESPONSE[start..end];
    let many: String = (0..51)
        .map(|n| one.replace("CostCenter", &format!("Tag{n}")))
        .collect();
    let pasted = base64(&change_and_sign(&[(one, &many)]));
    assert_refused("too_many_tags", &pasted, &["RESP-ATTR-04"]);
}

#[test]
fn an_assertion_over_the_quota_is_refused() {
    let pasted = base64(&change_and_sign(&[(
        "AuthnContextClassRef>urn",
        &format!("AuthnContextClassRef>{}urn", " ".repeat(50_000)),
    )]));
    let report = lint(&pasted, &metadata(), &expectations());
    assert_eq!(errors_of(&report), ["RESP-XML-04"], "{report}");
}

#[test]
fn rule_ids_are_unique_and_every_rule_has_all_texts() {
    let mut ids: Vec<&str> = rules().map(|rule| rule.id).collect();
    ids.sort_unstable();
    let mut unique = ids.clone();
    unique.dedup();
    assert_eq!(ids, unique);
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
async fn the_sandbox_and_the_linter_accept_the_same_metadata() {
    let sandbox = sandbox::Sandbox::builder()
        .company(crate::fixture::company())
        .start()
        .await
        .expect("the sandbox starts");
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
    // The sandbox and the linter both reject metadata without a certificate.
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

    /// Random edits of a signed response never panic. If the linter still reports a signer, the
    /// assertion is unchanged.
    #[test]
    fn a_mutated_response_never_panics_and_a_signed_assertion_is_unchanged(
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
            let assertion_rules = ["RESP-NID", "RESP-REC", "RESP-AUD", "RESP-TIME", "RESP-ATTR", "RESP-AUTHN"];
            let wrong = report.findings().iter().find(|finding| {
                assertion_rules.iter().any(|start| finding.rule.id.starts_with(start))
            });
            prop_assert!(wrong.is_none(), "{}", report);
        }
    }

    #[test]
    fn random_text_never_panics(pasted in "\\PC{0,200}") {
        prop_assert!(!lint(&pasted, &metadata(), &expectations()).is_accepted());
    }
}
