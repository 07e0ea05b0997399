//! Character encodings: decoding a document and writing it back.

use saml_metadata::{EntityStream, Profile, ReadErrorKind, Severity, read, validate};

use crate::support::{ALL, OKTA, now};

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
    let cases: [(Vec<u8>, &str); 7] = [
        (
            utf16("<?xml version='1.0' encoding='UTF-8'?><r/>", false)[2..].to_vec(),
            "line 1, column 1: the document declares the encoding \"UTF-8\", and its bytes are UTF-16BE without the required byte order mark; convert it and declare UTF-8: iconv -f UTF-16BE -t UTF-8 FILE > NEW",
        ),
        (
            utf16("<?xml version='1.0' encoding='UTF-8'?><r/>", true),
            "line 1, column 21: the document declares the encoding \"UTF-8\", but its bytes are UTF-16 (little-endian, with a byte order mark); convert it and declare UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW",
        ),
        (
            utf16("<?xml version='1.0' encoding='UTF-16BE'?><r/>", true),
            "line 1, column 21: the document declares the encoding \"UTF-16BE\", but its bytes are UTF-16 (little-endian, with a byte order mark); convert it and declare UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW",
        ),
        (
            utf16("<r/>", true)[2..].to_vec(),
            "line 1, column 1: the document declares no encoding, and its bytes are UTF-16LE without the required byte order mark; convert it and declare UTF-8: iconv -f UTF-16LE -t UTF-8 FILE > NEW",
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
            "line 1, column 1: the document is UTF-32, but only UTF-8 and UTF-16 are read; convert it and declare UTF-8: iconv -f UTF-32 -t UTF-8 FILE > NEW",
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

/// Returns the findings about the encoding of a file.
fn findings(bytes: &[u8], profile: Profile) -> Vec<String> {
    let document = read(bytes).expect("a document");
    validate(&document, profile, now())
        .into_iter()
        .filter(|finding| matches!(finding.rule.as_str(), "MD-XML-03" | "MD-XML-07"))
        .map(|finding| format!("{}: {}", finding.severity, finding.message))
        .collect()
}

#[test]
fn a_byte_order_mark_is_a_warning_and_an_error_only_for_the_api_that_refuses_it() {
    let with_mark = ["\u{feff}".as_bytes(), OKTA.as_bytes()].concat();
    let wide = utf16(&OKTA.replace("UTF-8", "UTF-16"), true);
    for profile in Profile::ALL {
        assert_eq!(findings(OKTA.as_bytes(), profile), [""; 0]);
        let severity = if profile == Profile::OpenSearch {
            Severity::Error
        } else {
            Severity::Warning
        };
        let message = format!("{severity}: the file starts with a byte order mark");
        assert_eq!(findings(&with_mark, profile), [message], "{profile}");
        assert_eq!(
            findings(&wide, profile),
            ["warning: the file is UTF-16"],
            "{profile}"
        );
    }
}

#[test]
fn another_name_of_the_encoding_is_read_with_a_warning_that_has_the_registered_name() {
    for (declared, registered) in [
        ("utf8", "whose registered name is UTF-8"),
        (
            "us-ascii",
            "(registered name: US-ASCII), and was read as UTF-8, because it has only ASCII characters",
        ),
        (
            "ISO-8859-1",
            "(registered name: ISO-8859-1), and was read as UTF-8, because it has only ASCII characters",
        ),
        (
            "latin1",
            "(registered name: ISO-8859-1), and was read as UTF-8, because it has only ASCII characters",
        ),
    ] {
        let xml = OKTA.replace("encoding=\"UTF-8\"", &format!("encoding=\"{declared}\""));
        let separator = if registered.starts_with('(') {
            " "
        } else {
            ", "
        };
        assert_eq!(
            findings(xml.as_bytes(), Profile::AwsIdentityCenter),
            [format!(
                "warning: the document declares the encoding {declared:?}{separator}{registered}"
            )],
        );
        assert_eq!(EntityStream::new(xml.as_bytes()).count(), 1, "{declared}");
    }
    let utf_8 = OKTA.replace("UTF-8", "utf-8");
    assert_eq!(findings(utf_8.as_bytes(), Profile::SamlCore), [""; 0]);
    let wide = utf16(&OKTA.replace("UTF-8", "utf16"), true);
    assert_eq!(
        findings(&wide, Profile::SamlCore),
        [
            "warning: the document declares the encoding \"utf16\", whose registered name is UTF-16",
            "warning: the file is UTF-16",
        ]
    );
}

#[test]
fn an_encoding_that_is_not_read_is_named_with_the_command_that_converts_it() {
    let declared = |name: &str, text: &[u8]| {
        let start = format!(
            "<?xml version='1.0' encoding='{name}'?><e:EntityDescriptor xmlns:e='urn:oasis:names:tc:SAML:2.0:metadata'>\n<r>"
        );
        [start.as_bytes(), text, b"</r></e:EntityDescriptor>"].concat()
    };
    for (bytes, message) in [
        (
            declared("ISO-8859-1", b"M\xfcller"),
            "line 2, column 5: the document declares the encoding \"ISO-8859-1\", which is read only if all characters are ASCII, and has the byte 0xfc; convert it: iconv -f ISO-8859-1 -t UTF-8 FILE | sed '1s/ISO-8859-1/UTF-8/' > NEW",
        ),
        (
            declared("csUTF8", b"M\xfcller"),
            "line 2, column 5: the document declares the encoding \"csUTF8\", but the byte 0xfc is not UTF-8; if it is Windows-1252, convert it: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW",
        ),
        (
            declared("us-ascii", "Müller".as_bytes()),
            "line 2, column 5: the document declares the encoding \"us-ascii\", but the bytes of U+00FC are UTF-8; declare UTF-8 if the text is readable",
        ),
    ] {
        let error = read(&bytes).expect_err(message);
        assert_eq!(error.to_string(), message);
        assert_eq!(error.kind(), ReadErrorKind::Encoding);
        let mut stream = EntityStream::new(bytes.as_slice());
        let error = stream.next().expect("an error").expect_err(message);
        let cause = std::error::Error::source(&error).expect("a cause");
        assert_eq!(cause.to_string(), message);
    }
    for (bytes, message) in [
        (
            declared("UTF-16", b"M\xfcller"),
            "line 2, column 5: the document declares the encoding \"UTF-16\", but its bytes are not UTF-16, and the byte 0xfc is not UTF-8; if it is Windows-1252, convert it: iconv -f WINDOWS-1252 -t UTF-8 FILE | sed '1s/UTF-16/UTF-8/' > NEW",
        ),
        (
            declared("Shift_JIS", b"M\xfcller"),
            "line 2, column 5: the document declares the encoding \"Shift_JIS\", which is not read, and has the byte 0xfc; convert it: iconv -f Shift_JIS -t UTF-8 FILE | sed '1s/Shift_JIS/UTF-8/' > NEW",
        ),
    ] {
        assert_eq!(read(&bytes).expect_err(message).to_string(), message);
    }
    // A name that is not the name of an encoding is in no command.
    let error = read(&declared("a\"; rm b", b"\xfc")).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "line 2, column 4: the document declares the encoding \"a\\\"; rm b\", which is not read, and has the byte 0xfc"
    );
}
