//! Character encodings: decoding a document and writing it back.

use saml_metadata::{ReadErrorKind, read};

use crate::support::{ALL, OKTA};

fn utf16(text: &str, little_endian: bool) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units
        .flat_map(|unit| {
            if little_endian {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        })
        .collect()
}

#[test]
fn a_document_is_written_back_byte_for_byte() {
    for (name, xml) in ALL {
        let document = read(xml.as_bytes()).expect(name);
        assert_eq!(document.bytes(), xml.as_bytes(), "{name}");
        let unchanged = document.edit().apply().expect(name);
        assert_eq!(unchanged.bytes(), xml.as_bytes(), "{name}");
    }
}

#[test]
fn a_utf8_byte_order_mark_is_kept_and_is_not_a_column() {
    let bytes = ["\u{feff}".as_bytes(), OKTA.as_bytes()].concat();
    let document = read(&bytes).expect("a document");
    assert_eq!(document.bytes(), bytes);
    assert_eq!(document.edit().apply().expect("unchanged").bytes(), bytes);
    let position = read("\u{feff}<r>&</r>".as_bytes())
        .expect_err("refused")
        .position();
    assert_eq!((position.offset, position.line, position.column), (6, 1, 4));
}

#[test]
fn utf16_of_both_byte_orders_is_read_and_written_back() {
    for little_endian in [true, false] {
        let xml = OKTA.replace("UTF-8", "UTF-16").replace("acme", "acmé😀");
        let bytes = utf16(&xml, little_endian);
        let document = read(&bytes).expect("a document");
        let idp = document
            .entity()
            .expect("an entity")
            .identity_provider()
            .expect("a role");
        let location = idp
            .single_sign_on_services()
            .next()
            .expect("a service")
            .location();
        assert!(
            location.starts_with("https://acmé😀.okta.com/"),
            "{location}"
        );
        assert_eq!(document.bytes(), bytes);
        assert_eq!(document.edit().apply().expect("unchanged").bytes(), bytes);
    }
}

#[test]
fn an_edit_of_utf16_stays_utf16() {
    let document = read(&utf16("<r a='b'/>", true)).expect("a document");
    let edited = document
        .edit()
        .set_attribute(document.root(), "a", "ü")
        .apply();
    assert_eq!(edited.expect("edited").bytes(), utf16("<r a='ü'/>", true));
}

#[test]
fn offsets_in_utf16_count_utf16_bytes() {
    let error = read(&utf16("<r>😀\n é &</r>", false)).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "line 2, column 4: `&` starts a reference that has no `;`"
    );
    assert_eq!(error.position().offset, 2 + 2 * 9);
}

#[test]
fn invalid_utf16_and_utf32_are_refused() {
    let cases: [(Vec<u8>, &str); 6] = [
        (
            utf16("<?xml version='1.0' encoding='UTF-8'?><r/>", true),
            "line 1, column 21: the document declares the encoding \"UTF-8\", but was read as UTF-16; only UTF-8 and UTF-16 are supported",
        ),
        (
            utf16("<?xml version='1.0' encoding='UTF-16BE'?><r/>", true),
            "line 1, column 21: the document declares the encoding \"UTF-16BE\", but was read as UTF-16; only UTF-8 and UTF-16 are supported",
        ),
        (
            utf16("<r/>", true)[2..].to_vec(),
            "line 1, column 1: the document is UTF-16 without the required byte order mark",
        ),
        (
            [utf16("<r/>", true), vec![0x20]].concat(),
            "line 1, column 5: UTF-16 text ends in the middle of a unit",
        ),
        (
            [
                utf16("<r>", false),
                vec![0xd8, 0x00],
                utf16("</r>", false)[2..].to_vec(),
            ]
            .concat(),
            "line 1, column 4: the UTF-16 unit 0xd800 is an unpaired surrogate",
        ),
        (
            b"\xff\xfe\0\0<\0\0\0r\0\0\0/\0\0\0>\0\0\0".to_vec(),
            "line 1, column 1: the document is UTF-32, but only UTF-8 and UTF-16 are read",
        ),
    ];
    for (bytes, message) in cases {
        let error = read(&bytes).expect_err(message);
        assert_eq!(error.to_string(), message);
        assert_eq!(error.kind(), ReadErrorKind::Encoding);
    }
}

#[test]
fn windows_line_endings_change_no_value() {
    for (name, unix) in ALL {
        let windows = unix.replace('\n', "\r\n");
        let (unix, windows) = (
            read(unix.as_bytes()).expect(name),
            read(windows.as_bytes()).expect(name),
        );
        let pairs = unix.root().descendants().zip(windows.root().descendants());
        for (one, other) in pairs {
            assert_eq!(one.text(), other.text(), "{name}");
            let values = |element: saml_metadata::Element<'_>| -> Vec<String> {
                element.attributes().map(|a| a.value().to_owned()).collect()
            };
            assert_eq!(values(one), values(other), "{name}");
        }
    }
}
