//! Tests with forged responses: the linter never reports an unsigned element as signed.

use okta_aws_sso::saml_response::{LintReport, lint};

use super::{
    errors_of,
    forge::{self, ASSERTION, RESPONSE, base64, change, expectations, metadata, sign},
    snapshot,
};

fn signed() -> String {
    sign(RESPONSE, ASSERTION)
}

/// Returns the text of the assertion in a response.
fn assertion(response: &str) -> &str {
    let start = response.find("<saml2:Assertion").expect("an assertion");
    let end = "</saml2:Assertion>";
    let stop = response.rfind(end).expect("an end tag") + end.len();
    &response[start..stop]
}

/// Returns an unsigned assertion for another user, Eve.
fn forged_assertion() -> String {
    let names = [
        ("ada.lovelace@example.com", "eve@example.com"),
        ("ID=\"id2\"", "ID=\"id3\""),
    ];
    change(assertion(RESPONSE), &names)
}

/// Lints a response as a sign-in of Eve, who would get in if AWS accepted the forgery.
fn lint_as_eve(response: &str) -> LintReport {
    lint(
        &base64(response),
        &metadata(),
        &expectations().user_name("eve@example.com"),
    )
}

#[test]
fn an_assertion_changed_after_signing_is_refused() {
    let report = lint_as_eve(&change(&signed(), &[("ada.lovelace@", "eve@")]));
    assert_eq!(errors_of(&report), ["RESP-SIG-09"], "{report}");
    assert!(report.signer().is_none());
    snapshot("changed_after_signing", &report);
}

#[test]
fn a_signed_assertion_in_the_extensions_does_not_cover_the_other_assertion() {
    let signed = signed();
    let original = assertion(&signed);
    let hidden = format!("<saml2p:Extensions>{original}</saml2p:Extensions><saml2p:Status>");
    let without = signed.replace(original, &forged_assertion());
    let report = lint_as_eve(&change(&without, &[("<saml2p:Status>", &hidden)]));
    assert_eq!(errors_of(&report), ["RESP-SIG-03"], "{report}");
    assert!(report.signer().is_none());
    snapshot("signed_assertion_among_extensions", &report);
}

#[test]
fn the_signed_one_of_two_assertions_is_read() {
    let signed = signed();
    let original = assertion(&signed);
    let two = signed.replace(original, &format!("{}{original}", forged_assertion()));
    let report = lint_as_eve(&two);
    // The finding is about the NameID of the signed assertion.
    assert_eq!(
        errors_of(&report),
        ["RESP-ASSERT-02", "RESP-NID-04"],
        "{report}"
    );
    snapshot("two_assertions", &report);
}

#[test]
fn a_signature_moved_into_another_assertion_does_not_sign_it() {
    let signed = signed();
    let original = assertion(&signed);
    let start = original.find("<ds:Signature").expect("a signature");
    let end = original.find("</ds:Signature>").expect("an end tag") + "</ds:Signature>".len();
    let signature = &original[start..end];
    let bare = original.replace(signature, "");
    let forged = change(
        &forged_assertion(),
        &[(
            "</saml2:Issuer><saml2:Subject>",
            &format!("</saml2:Issuer>{signature}<saml2:Subject>"),
        )],
    );
    let advice = format!("<saml2:Advice>{bare}</saml2:Advice><saml2:AuthnStatement ");
    let forged = forged.replacen("<saml2:AuthnStatement ", &advice, 1);
    let report = lint_as_eve(&signed.replace(original, &forged));
    assert!(
        !report.is_accepted() && report.signer().is_none(),
        "{report}"
    );
    snapshot("moved_signature", &report);
}

#[test]
fn two_elements_with_the_same_id_are_refused() {
    let signed = signed();
    let original = assertion(&signed);
    let twin = forged_assertion().replace("ID=\"id3\"", "ID=\"id2\"");
    let report = lint_as_eve(&signed.replace(original, &format!("{twin}{original}")));
    assert!(
        !report.is_accepted() && report.signer().is_none(),
        "{report}"
    );
    snapshot("duplicate_id", &report);
}

#[test]
fn a_reference_to_a_file_is_not_followed() {
    let report = lint_as_eve(&change(
        &signed(),
        &[("URI=\"#id2\"", "URI=\"file:///etc/passwd\"")],
    ));
    assert_eq!(
        errors_of(&report),
        ["RESP-SIG-04", "RESP-NID-04"],
        "{report}"
    );
    snapshot("reference_to_a_file", &report);
}

#[test]
fn a_transform_that_saml_does_not_allow_is_not_run() {
    let xslt = "http://www.w3.org/TR/1999/REC-xslt-19991116";
    let enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
    let report = lint_as_eve(&change(&signed(), &[(enveloped, xslt)]));
    assert_eq!(
        errors_of(&report),
        ["RESP-SIG-04", "RESP-NID-04"],
        "{report}"
    );
    snapshot("unknown_transform", &report);
}

#[test]
fn an_hmac_signature_is_refused() {
    let method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    let hmac = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
    let report = lint_as_eve(&change(&signed(), &[(method, hmac)]));
    assert_eq!(
        errors_of(&report),
        ["RESP-SIG-04", "RESP-NID-04"],
        "{report}"
    );
    snapshot("hmac", &report);
}

#[test]
fn a_key_that_is_not_in_the_metadata_is_refused() {
    let pasted = base64(&signed());
    let report = lint(
        &pasted,
        &forge::metadata_with_another_key(),
        &expectations(),
    );
    assert_eq!(errors_of(&report), ["RESP-SIG-02"], "{report}");
    snapshot("unknown_key", &report);
    let report = lint(&pasted, &forge::metadata_without_keys(), &expectations());
    assert_eq!(errors_of(&report), ["RESP-SIG-07"], "{report}");
    snapshot("metadata_without_keys", &report);
}

#[test]
fn a_valid_certificate_beside_an_expired_one_of_the_same_key_is_enough() {
    let document = forge::metadata_with_a_renewed_certificate();
    let report = lint(&base64(&signed()), &document, &expectations());
    assert_eq!(errors_of(&report), Vec::<&str>::new(), "{report}");
}

#[test]
fn an_expired_certificate_is_refused() {
    let document = forge::metadata_with_an_expired_certificate();
    let report = lint(&base64(&signed()), &document, &expectations());
    assert_eq!(errors_of(&report), ["RESP-SIG-06"], "{report}");
    snapshot("expired_certificate", &report);
}
