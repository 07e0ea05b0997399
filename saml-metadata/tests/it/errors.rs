//! Files that are something else, named as what they are.

use saml_metadata::{EntityError, ReadErrorKind, read};

use crate::support::{AGGREGATE, OKTA, SP, document};

#[test]
fn a_file_of_another_kind_is_named() {
    let cases: [(&[u8], &str); 12] = [
        (
            br#"{"errorCode":"E0000007"}"#,
            "starts with `{`, which looks like JSON",
        ),
        (b"\n [1]", "starts with `[`, which looks like JSON"),
        (
            b"<!DOCTYPE html><html></html>",
            "an HTML page, perhaps of a login or an error",
        ),
        (
            b"\xef\xbb\xbf<HTML><body>",
            "an HTML page, perhaps of a login or an error",
        ),
        (
            b"-----BEGIN CERTIFICATE-----\nMIIB",
            "a PEM certificate alone, not the metadata around it",
        ),
        (b"-----BEGIN PRIVATE KEY-----\nMIIB", "a PEM file"),
        (
            b"https://acme.okta.com/app/exk1/sso/saml/metadata",
            "a web address, not the document behind it",
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
    for (bytes, what) in cases {
        let error = read(bytes).expect_err(what);
        assert_eq!(error.to_string(), format!("not XML at all: {what}"));
        assert_eq!(error.kind(), ReadErrorKind::NotXml);
    }
}

#[test]
fn html_in_utf16_is_named_too() {
    let bytes: Vec<u8> = "\u{feff}<html>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let error = read(&bytes).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "not XML at all: an HTML page, perhaps of a login or an error"
    );
}

#[test]
fn a_long_name_does_not_flood_the_message() {
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
fn a_document_of_one_entity_has_it() {
    assert_eq!(
        document(OKTA).entity().expect("one").entity_id(),
        "http://www.okta.com/exk4uqa1b2C3d4E5f6g7"
    );
    let group = format!(
        "<EntitiesDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata'>{}</EntitiesDescriptor>",
        &SP[SP.find("<md:").expect("a root")..]
    );
    assert_eq!(
        document(&group).entity().expect("one").entity_id(),
        "https://sp.example.com/metadata"
    );
}

#[test]
fn what_is_not_one_entity_says_why() {
    let error = |xml: &str| document(xml).entity().expect_err("not one entity");
    let cases = [
        (
            "<r/>",
            "the document is not SAML metadata: its root element is `r`",
        ),
        (
            "<EntityDescriptor xmlns='urn:oasis:names:tc:SAML:1.0:metadata'/>",
            "the document is not SAML metadata: its root element is `EntityDescriptor`",
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
fn what_a_document_says_cannot_break_the_line_of_a_message() {
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
        "line 1, column 1: error MD-ROOT-01: the root element is r of the namespace u\\nv\\r"
    );
}
