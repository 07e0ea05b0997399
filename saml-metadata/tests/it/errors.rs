//! Errors for files that are not XML, and for documents without exactly one entity.

use saml_metadata::{EntityError, ReadErrorKind, read};

use crate::support::{AGGREGATE, OKTA, SP, document};

#[test]
fn the_error_names_the_kind_of_a_file_that_is_not_xml() {
    let cases: [(&[u8], &str); 12] = [
        (
            br#"{"errorCode":"E0000007"}"#,
            "starts with `{`, which looks like JSON",
        ),
        (b"\n [1]", "starts with `[`, which looks like JSON"),
        (
            b"<!DOCTYPE html><html></html>",
            "an HTML page, perhaps a login page or an error page",
        ),
        (
            b"\xef\xbb\xbf<HTML><body>",
            "an HTML page, perhaps a login page or an error page",
        ),
        (
            b"-----BEGIN CERTIFICATE-----\nMIIB",
            "a PEM certificate, not a metadata document",
        ),
        (b"-----BEGIN PRIVATE KEY-----\nMIIB", "a PEM file"),
        (
            b"https://acme.okta.com/app/exk1/sso/saml/metadata",
            "a URL, not the document at this URL",
        ),
        (b"PK\x03\x04", "a ZIP archive or an Office file"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        (b"%PDF-1.7", "a PDF file"),
        (
            b"\x30\x82\x01\x0a\xff",
            "binary DER, probably a certificate",
        ),
        (b"hello", "starts with 'h' and has no tag"),
    ];
    for (bytes, kind) in cases {
        let error = read(bytes).expect_err(kind);
        assert_eq!(error.to_string(), format!("not XML at all: {kind}"));
        assert_eq!(error.kind(), ReadErrorKind::NotXml);
    }
}

#[test]
fn html_in_utf16_is_recognized() {
    let bytes: Vec<u8> = "\u{feff}<html>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let error = read(&bytes).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "not XML at all: an HTML page, perhaps a login page or an error page"
    );
}

#[test]
fn a_long_name_is_shortened_in_the_message() {
    let error = read(format!("<{}>", "a".repeat(10_000)).as_bytes()).expect_err("refused");
    assert_eq!(
        error.to_string(),
        format!(
            "line 1, column 10003: the document ends before `</{}…>`",
            "a".repeat(60)
        )
    );
}

#[test]
fn the_only_entity_is_found_with_or_without_a_group() {
    assert_eq!(
        document(OKTA).entity().expect("one entity").entity_id(),
        "http://www.okta.com/exk4uqa1b2C3d4E5f6g7"
    );
    let group = format!(
        "<EntitiesDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata'>{}</EntitiesDescriptor>",
        &SP[SP.find("<md:").expect("a root")..]
    );
    assert_eq!(
        document(&group).entity().expect("one entity").entity_id(),
        "https://sp.example.com/metadata"
    );
}

#[test]
fn an_error_says_why_a_document_has_no_single_entity() {
    let error = |xml: &str| document(xml).entity().expect_err("not one entity");
    let cases = [
        (
            "<r/>",
            "the document is not SAML metadata: its root element is `r`",
        ),
        (
            "<EntityDescriptor xmlns='urn:oasis:names:tc:SAML:1.0:metadata'/>",
            "the document is not SAML metadata: its root element is `EntityDescriptor` in the \
             namespace urn:oasis:names:tc:SAML:1.0:metadata, not in \
             urn:oasis:names:tc:SAML:2.0:metadata",
        ),
        (
            "<EntityDescriptor/>",
            "the document is not SAML metadata: its root element is `EntityDescriptor` without a \
             namespace, not in urn:oasis:names:tc:SAML:2.0:metadata",
        ),
        (
            "<EntitiesDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata'/>",
            "the document describes no entity",
        ),
        (
            AGGREGATE,
            "the document describes 5 entities where one is expected",
        ),
    ];
    for (xml, message) in cases {
        assert_eq!(error(xml).to_string(), message);
    }
    assert!(matches!(
        error(AGGREGATE),
        EntityError::SeveralEntities { count: 5, .. }
    ));
}

#[test]
fn line_breaks_from_the_document_are_escaped_in_messages() {
    let error = read(b"<a>&b\nc\td;</a>").expect_err("no such entity");
    assert_eq!(
        error.to_string(),
        "line 1, column 4: the entity `&b\\nc\\td;` is not declared"
    );
    let document = crate::support::document("<r xmlns='u&#10;v&#13;'/>");
    let findings = saml_metadata::validate(
        &document,
        saml_metadata::Profile::SamlCore,
        crate::support::now(),
    );
    assert_eq!(
        findings[0].to_string(),
        "line 1, column 1: error MD-ROOT-01: the root element is r in the namespace u\\nv\\r"
    );
}
