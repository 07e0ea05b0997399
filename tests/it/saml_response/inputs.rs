//! The forms in which people paste a response.

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::DeflateEncoder};
use okta_aws_sso::saml_response::{LintReport, lint};
use proptest::prelude::*;

use super::{
    SIGNED, errors_of,
    forge::{RESPONSE, base64, expectations, metadata},
};

fn lint_text(pasted: &str) -> LintReport {
    lint(pasted, &metadata(), &expectations())
}

fn url_encoded(text: &str) -> String {
    text.replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}

fn deflated(text: &str) -> String {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("memory");
    STANDARD.encode(encoder.finish().expect("memory"))
}

/// The page with which Okta posts a response, around the value of the field.
fn page(value: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><title>Signing in…</title><script>if (1 < 2) {{ go() }}</script></head>\
         <body>&nbsp;<form id=\"appForm\" action=\"https&#x3a;&#x2f;&#x2f;eu-central-1.signin.aws&#x2f;saml\" method=\"POST\">\
         <input name=\"SAMLResponse\" type=\"hidden\" value=\"{value}\"/>\
         <input name=\"RelayState\" type=\"hidden\" value=\"\"/></form></body></html>"
    )
}

/// The XML of a signed response, whose Base64 has every kind of character.
fn xml() -> String {
    let xml = format!("{}<!-- >>>>>>?????? -->", *SIGNED);
    // A length that needs padding.
    format!("{xml}{}", " ".repeat(4 - xml.len() % 3))
}

/// Returns forms of the value alone, each with its name.
fn values() -> Vec<(&'static str, String)> {
    let xml = xml();
    let plain = base64(&xml);
    assert!(plain.contains('+') && plain.contains('/') && plain.ends_with('='));
    let lines = |end: &str| {
        let lines: Vec<_> = plain.as_bytes().chunks(76).collect();
        let lines = lines.iter().map(|line| String::from_utf8_lossy(line));
        lines.collect::<Vec<_>>().join(end)
    };
    let references = |plus, slash, equals| {
        let text = plain.replace('+', plus).replace('=', equals);
        text.replace('/', slash)
    };
    let hexadecimal = references("&#x2b;", "/", "&#x3d;");
    let encoded = url_encoded(&plain);
    vec![
        ("XML", xml.clone()),
        ("XML", format!("\u{feff}{xml}")),
        ("XML", format!("\n  {xml}\n")),
        ("Base64", plain.clone()),
        ("Base64", format!("\u{feff}\n\t {plain} \r\n")),
        ("Base64", lines("\r\n")),
        ("Base64", lines("\n  ")),
        ("Base64", lines(" \u{200b}")),
        ("Base64", plain.trim_end_matches('=').to_owned()),
        ("Base64", plain.replace('+', "-").replace('/', "_")),
        ("Base64", format!("\"{plain}\"")),
        ("Base64", base64(&format!("\u{feff}{xml}"))),
        ("Base64, DEFLATE", deflated(&xml)),
        ("character references, Base64", hexadecimal.clone()),
        (
            "character references, Base64",
            references("&#43;", "&#47;", "&#61;"),
        ),
        (
            "character references, Base64",
            references("&plus;", "&sol;", "&equals;"),
        ),
        (
            "character references, character references, Base64",
            hexadecimal.replace('&', "&amp;"),
        ),
        (
            "character references, XML",
            xml.replace('<', "&lt;").replace('"', "&quot;"),
        ),
        ("URL encoding, Base64", encoded.clone()),
        (
            "URL encoding, URL encoding, Base64",
            encoded.replace('%', "%25"),
        ),
        (
            "URL encoding, XML",
            xml.replace('<', "%3C").replace('"', "%22"),
        ),
    ]
}

/// Returns texts that contain the value, each with its name.
fn texts_around_the_value() -> Vec<(&'static str, String)> {
    const FIELD: &str = "form field or URL parameter, Base64";
    const ENCODED: &str = "form field or URL parameter, URL encoding, Base64";
    let xml = xml();
    let plain = base64(&xml);
    let encoded = url_encoded(&plain);
    let squeezed = url_encoded(&deflated(&xml));
    let hexadecimal = plain.replace('+', "&#x2b;").replace('=', "&#x3d;");
    let input = format!("<input name=\"SAMLResponse\" value=\"{plain}\">");
    vec![
        (ENCODED, format!("SAMLResponse={encoded}&RelayState=x")),
        (ENCODED, format!("RelayState=x&SAMLResponse={encoded}")),
        (
            ENCODED,
            format!("curl -d 'SAMLResponse={encoded}' https://a.example"),
        ),
        (FIELD, format!("SAMLResponse={plain}")),
        (FIELD, format!("SAMLResponse: {plain}")),
        (FIELD, format!("SAMLResponse: {plain}\nRelayState: x")),
        (FIELD, format!("SAMLResponse\n{plain}\nRelayState=x")),
        (
            FIELD,
            format!(
                "{}{{\"name\": \"SAMLResponse\", \"value\": \"{plain}\"}}",
                " {}".repeat(1 << 20)
            ),
        ),
        (
            FIELD,
            format!("SAMLResponse\t\"{plain}\"\nRelayState\t\"x\""),
        ),
        (
            FIELD,
            format!("{{\"name\": \"SAMLResponse\", \"value\": \"{plain}\"}}"),
        ),
        (
            "form field or URL parameter, character references, Base64",
            format!("SAMLResponse={hexadecimal}&amp;RelayState=x"),
        ),
        (
            "form field or URL parameter, URL encoding, Base64, DEFLATE",
            format!("https://a.example/acs?SAMLResponse={squeezed}&RelayState=x"),
        ),
        ("HTML form, Base64", page(&plain)),
        (
            "HTML form, character references, Base64",
            page(&hexadecimal),
        ),
        (
            "HTML form, Base64",
            format!("<INPUT value='{plain}' TYPE=hidden name=SAMLResponse>"),
        ),
        (
            "character references, HTML form, Base64",
            input
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;"),
        ),
    ]
}

#[test]
fn every_form_of_a_response_is_recognized_and_named() {
    for (form, pasted) in values().into_iter().chain(texts_around_the_value()) {
        let report = lint_text(&pasted);
        assert_eq!(report.form(), Some(form), "{report}");
        assert!(
            report.is_accepted() && report.signer().is_some(),
            "{form}\n{report}"
        );
        assert!(report.to_string().contains("\nread as: "), "{report}");
    }
}

#[test]
fn a_text_that_is_not_a_response_is_named_without_its_content() {
    let secret = "hunter2-and-more";
    for (pasted, expected) in [
        (
            format!("It's {secret}"),
            "begins with the bytes 49 74 27 73; tried XML (no \"<\" at the start), a form field or URL parameter SAMLResponse, and Base64 ('\\'' as character 3 without white space)",
        ),
        (
            format!("SAMLResponse={secret}!"),
            "('!' as character 17 without white space)",
        ),
        ("PHNh=PHNh".to_owned(), "Base64 (\"=\" as character 5)"),
        (
            "PHNhb".to_owned(),
            "Base64 (5 characters: some are missing or extra)",
        ),
        (
            base64(secret),
            "Base64, which decodes to 16 bytes that begin with 68 75 6e 74; tried XML (no \"<\" at the start) and DEFLATE",
        ),
        (
            format!("<html><body>{secret}</body></html>"),
            "an HTML page without a form field SAMLResponse",
        ),
        (
            format!("<!DOCTYPE html><p>{secret}"),
            "an HTML page without a form field SAMLResponse",
        ),
        (
            page("").replace("SAMLResponse", secret),
            "an HTML page without a form field SAMLResponse",
        ),
        (page(""), "no text"),
    ] {
        let report = lint_text(&pasted);
        assert_eq!(errors_of(&report), ["RESP-XML-01"], "{report}");
        assert_eq!(report.form(), None);
        let text = report.to_string();
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("hunter"), "{text}");
    }
}

#[test]
fn a_request_is_named_as_such_in_every_form() {
    let request = RESPONSE.replace("saml2p:Response", "saml2p:AuthnRequest");
    for pasted in [
        base64(&request),
        format!(
            "https://a.example/sso?SAMLRequest={}",
            url_encoded(&deflated(&request))
        ),
        page(&base64(&request)).replace("SAMLResponse", "SAMLRequest"),
    ] {
        let report = lint_text(&pasted);
        assert_eq!(errors_of(&report), ["RESP-XML-03"], "{report}");
    }
}

#[test]
fn a_compressed_response_is_decompressed_up_to_a_limit() {
    let padded = |spaces: usize| deflated(&format!("{RESPONSE}{}", " ".repeat(spaces)));
    let report = lint_text(&padded(400_000));
    assert_eq!(errors_of(&report), ["RESP-SIG-01"], "{report}");
    let bomb = padded(100_000_000);
    assert!(bomb.len() < 200_000);
    let report = lint_text(&bomb);
    assert_eq!(errors_of(&report), ["RESP-XML-04"], "{report}");
    assert!(
        report
            .to_string()
            .contains("more than 500000 bytes after decompression"),
        "{report}"
    );
}

#[test]
fn the_debug_output_of_a_report_names_no_user() {
    let report = lint_text(&base64(&RESPONSE.replace("ada.lovelace@", "eve@")));
    assert!(report.to_string().contains("eve@"));
    let debug = format!("{report:?}");
    assert!(debug.contains("RESP-NID-04"), "{debug}");
    assert!(
        !debug.contains("eve@") && !debug.contains("lovelace"),
        "{debug}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Markup, separators and encodings in any order never panic, and no finding quotes more than a character.
    #[test]
    fn an_arbitrary_mix_of_forms_never_panics(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "SAMLResponse", "SAMLRequest", "=", ":", "\"", "'", "&", "&#", "&#x2b;", "&lt;", "&amp;", "%3D", "%", "<input ", "<INPUT", "name=",
                "value=", "value\"", ">", "/>", "<", "<html>", "<!DOCTYPE html>", " ", "\n", "PHNhbWw", "é", "\u{feff}", "\u{200b}", "-_", "https://a?",
            ]),
            0..30,
        ),
    ) {
        let report = lint_text(&parts.concat());
        prop_assert!(!report.is_accepted());
        prop_assert!(!report.to_string().is_empty());
    }
}
