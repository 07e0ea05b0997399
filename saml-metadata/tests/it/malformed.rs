//! Malformed documents that an XML tokenizer might accept, and the expected error for each.

use saml_metadata::{ReadErrorKind, read};

use ReadErrorKind::{Doctype, Encoding, Malformed, Namespace, NotXml};

/// The name of a case, the document, the kind of the error, and the full message.
type Case = (&'static str, &'static [u8], ReadErrorKind, &'static str);

const CASES: &[Case] = &[
    (
        "an empty file",
        b"",
        NotXml,
        "not XML at all: the file is empty",
    ),
    (
        "only white space",
        b" \n\t",
        NotXml,
        "not XML at all: the file is empty",
    ),
    (
        "only text",
        b"entityID",
        NotXml,
        "not XML at all: starts with 'e' and has no tag",
    ),
    (
        "only a comment",
        b"<!-- a -->",
        Malformed,
        "line 1, column 11: the document has no element",
    ),
    (
        "only an XML declaration",
        b"<?xml version=\"1.0\"?>",
        Malformed,
        "line 1, column 22: the document has no element",
    ),
    (
        "text before the root",
        b"a<r/>",
        Malformed,
        "line 1, column 1: text before the root element is not allowed",
    ),
    (
        "text after the root",
        b"<r/>\n a",
        Malformed,
        "line 2, column 2: text after the root element is not allowed",
    ),
    (
        "a reference before the root",
        b"&#32;<r/>",
        Malformed,
        "line 1, column 1: a reference outside the root element is not allowed",
    ),
    (
        "a reference after the root",
        b"<r/>&amp;",
        Malformed,
        "line 1, column 5: a reference outside the root element is not allowed",
    ),
    (
        "CDATA before the root",
        b"<![CDATA[ ]]><r/>",
        Malformed,
        "line 1, column 1: a CDATA section outside the root element is not allowed",
    ),
    (
        "CDATA after the root",
        b"<r/><![CDATA[]]>",
        Malformed,
        "line 1, column 5: a CDATA section outside the root element is not allowed",
    ),
    (
        "two roots",
        b"<r/><s/>",
        Malformed,
        "line 1, column 5: the document has a second root element",
    ),
    (
        "two roots of one name",
        b"<r></r><r></r>",
        Malformed,
        "line 1, column 8: the document has a second root element",
    ),
    (
        "an unclosed root",
        b"<r><a></a>",
        Malformed,
        "line 1, column 11: the document ends before `</r>`",
    ),
    (
        "an unclosed child",
        b"<r><a></r>",
        Malformed,
        "line 1, column 7: expected `</a>`, found `</r>`",
    ),
    (
        "overlapping elements",
        b"<r><a><b></a></b></r>",
        Malformed,
        "line 1, column 10: expected `</b>`, found `</a>`",
    ),
    (
        "an end tag without a start tag",
        b"</r>",
        Malformed,
        "line 1, column 1: `</r>` has no start tag",
    ),
    (
        "an extra end tag",
        b"<r></r></r>",
        Malformed,
        "line 1, column 8: `</r>` has no start tag",
    ),
    (
        "an end tag in another case",
        b"<r></R>",
        Malformed,
        "line 1, column 4: expected `</r>`, found `</R>`",
    ),
    (
        "an end tag with an attribute",
        b"<r></r a='b'>",
        Malformed,
        "line 1, column 4: expected `</r>`, found `</r a='b'>`",
    ),
    (
        "a tag without an end",
        b"<r><a",
        Malformed,
        "line 1, column 4: a tag has no end",
    ),
    (
        "a tag that consists of its bracket",
        b"<r><",
        Malformed,
        "line 1, column 4: a tag has no end",
    ),
    (
        "a tag without a name",
        b"<r>< a/></r>",
        Malformed,
        "line 1, column 5: the element name `` is not a name",
    ),
    (
        "an empty tag",
        b"<r><></></r>",
        Malformed,
        "line 1, column 5: the element name `` is not a name",
    ),
    (
        "a space between slash and bracket",
        b"<r/ >",
        Malformed,
        "line 1, column 2: the element name `r/` is not a name",
    ),
    (
        "a name that starts with a digit",
        b"<1r/>",
        Malformed,
        "line 1, column 2: the element name `1r` is not a name",
    ),
    (
        "a name that starts with a hyphen",
        b"<-r/>",
        Malformed,
        "line 1, column 2: the element name `-r` is not a name",
    ),
    (
        "a name with a forbidden character",
        b"<r!/>",
        Malformed,
        "line 1, column 2: the element name `r!` is not a name",
    ),
    (
        "an attribute name that starts with a digit",
        b"<r 1a='b'/>",
        Malformed,
        "line 1, column 4: the attribute name `1a` is not a name",
    ),
    (
        "an attribute without a name",
        b"<r ='b'/>",
        Malformed,
        "line 1, column 4: the attribute name `` is not a name",
    ),
    (
        "an attribute without a value",
        b"<r a/>",
        Malformed,
        "line 1, column 4: the attribute `a` has no value",
    ),
    (
        "an attribute without an equals sign",
        b"<r a 'b'/>",
        Malformed,
        "line 1, column 4: the attribute `a` has no value",
    ),
    (
        "an attribute without quotes",
        b"<r a=b/>",
        Malformed,
        "line 1, column 4: the value of the attribute `a` has no quotes",
    ),
    (
        "an attribute that never ends",
        b"<r a='b></r>",
        Malformed,
        "line 1, column 1: a tag has no end",
    ),
    (
        "an attribute with mixed quotes",
        b"<r a='b\" c=\"d'e\"/>",
        Malformed,
        "line 1, column 1: a tag has no end",
    ),
    (
        "no space between attributes",
        b"<r a='b'c='d'/>",
        Malformed,
        "line 1, column 9: a space is missing before an attribute",
    ),
    (
        "a repeated attribute",
        b"<r a='b' a='c'/>",
        Malformed,
        "line 1, column 10: the attribute `a` appears twice",
    ),
    (
        "a bracket in an attribute",
        b"<r a='<'/>",
        Malformed,
        "line 1, column 7: the value of the attribute `a` contains `<`",
    ),
    (
        "a bare ampersand in an attribute",
        b"<r a='b & c'/>",
        Malformed,
        "line 1, column 9: `&` starts a reference that has no `;`",
    ),
    (
        "an unknown entity in an attribute",
        b"<r a='&nbsp;'/>",
        Malformed,
        "line 1, column 7: the entity `&nbsp;` is not declared",
    ),
    (
        "a bare ampersand in text",
        b"<r>b & c</r>",
        Malformed,
        "line 1, column 6: `&` starts a reference that has no `;`",
    ),
    (
        "an ampersand at the end",
        b"<r>&",
        Malformed,
        "line 1, column 4: `&` starts a reference that has no `;`",
    ),
    (
        "an unknown entity in text",
        b"<r>&copy;</r>",
        Malformed,
        "line 1, column 4: the entity `&copy;` is not declared",
    ),
    (
        "an empty reference",
        b"<r>&;</r>",
        Malformed,
        "line 1, column 4: `&;` is not a reference",
    ),
    (
        "a character reference that is not a number",
        b"<r>&#xZ;</r>",
        Malformed,
        "line 1, column 4: `&#xZ;` is not a character reference",
    ),
    (
        "a character reference with an upper-case X",
        b"<r>&#X41;</r>",
        Malformed,
        "line 1, column 4: `&#X41;` is not a character reference",
    ),
    (
        "a reference to NUL",
        b"<r>&#0;</r>",
        Malformed,
        "line 1, column 4: `&#0;` refers to a character that XML does not allow",
    ),
    (
        "a reference to a control character",
        b"<r a='&#1;'/>",
        Malformed,
        "line 1, column 7: `&#1;` refers to a character that XML does not allow",
    ),
    (
        "a reference to a surrogate",
        b"<r>&#xD800;</r>",
        Malformed,
        "line 1, column 4: `&#xD800;` refers to a character that XML does not allow",
    ),
    (
        "a reference beyond U+10FFFF",
        b"<r>&#x110000;</r>",
        Malformed,
        "line 1, column 4: `&#x110000;` refers to a character that XML does not allow",
    ),
    (
        "a NUL",
        b"<r>a\0</r>",
        Malformed,
        "line 1, column 5: the character U+0000 is not allowed in XML",
    ),
    (
        "a control character",
        b"<r a='\x01'/>",
        Malformed,
        "line 1, column 7: the character U+0001 is not allowed in XML",
    ),
    (
        "a noncharacter",
        b"<r>\xef\xbf\xbe</r>",
        Malformed,
        "line 1, column 4: the character U+FFFE is not allowed in XML",
    ),
    (
        "a control character in a comment",
        b"<r><!--\x08--></r>",
        Malformed,
        "line 1, column 8: the character U+0008 is not allowed in XML",
    ),
    (
        "bytes that are not UTF-8",
        b"<r>\xff</r>",
        Encoding,
        "line 1, column 4: the document declares no encoding, so it must be UTF-8, but the byte 0xff is not UTF-8; if it is Windows-1252, convert it: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW",
    ),
    (
        "an overlong UTF-8 sequence",
        b"<r>\xc0\xaf</r>",
        Encoding,
        "line 1, column 4: the document declares no encoding, so it must be UTF-8, but the byte 0xc0 is not UTF-8; if it is Windows-1252, convert it: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW",
    ),
    (
        "a surrogate encoded as UTF-8",
        b"<r>\xed\xa0\x80</r>",
        Encoding,
        "line 1, column 4: the document declares no encoding, so it must be UTF-8, but the byte 0xed is not UTF-8; if it is Windows-1252, convert it: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW",
    ),
    (
        "ISO-8859-1",
        b"<r>M\xfcller</r>",
        Encoding,
        "line 1, column 5: the document declares no encoding, so it must be UTF-8, but the byte 0xfc is not UTF-8; if it is Windows-1252, convert it: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW",
    ),
    (
        "the end of a CDATA section in text",
        b"<r>a]]>b</r>",
        Malformed,
        "line 1, column 5: `]]>` is not allowed in text",
    ),
    (
        "a CDATA section without an end",
        b"<r><![CDATA[a</r>",
        Malformed,
        "line 1, column 4: a CDATA section has no end",
    ),
    (
        "a CDATA section in lower case",
        b"<r><![cdata[a]]></r>",
        Malformed,
        "line 1, column 4: a CDATA section has no end",
    ),
    (
        "two hyphens in a comment",
        b"<r><!-- a -- b --></r>",
        Malformed,
        "line 1, column 11: `--` is not allowed in a comment",
    ),
    (
        "three hyphens at the end of a comment",
        b"<r><!-- a ---></r>",
        Malformed,
        "line 1, column 11: `--` is not allowed in a comment",
    ),
    (
        "a comment without an end",
        b"<r><!-- a </r>",
        Malformed,
        "line 1, column 4: a comment has no end",
    ),
    (
        "a comment with one hyphen too few",
        b"<r><!-- a -></r>",
        Malformed,
        "line 1, column 4: a comment has no end",
    ),
    (
        "an unknown markup declaration",
        b"<r><!a></r>",
        Malformed,
        "line 1, column 4: `<!` starts neither a comment nor a CDATA section",
    ),
    (
        "a processing instruction without an end",
        b"<r><?a </r>",
        Malformed,
        "line 1, column 4: a processing instruction has no end",
    ),
    (
        "a processing instruction without a name",
        b"<r><? a?></r>",
        Malformed,
        "line 1, column 4: the processing instruction name `` is not a name",
    ),
    (
        "a processing instruction with a colon in its name",
        b"<?a:b c?><r/>",
        Malformed,
        "line 1, column 1: the processing instruction name `a:b` is not a name",
    ),
    (
        "a processing instruction named XML",
        b"<r><?XML a?></r>",
        Malformed,
        "line 1, column 4: `<?xml …?>` is allowed only at the start of the document",
    ),
    (
        "a space before the XML declaration",
        b" <?xml version='1.0'?><r/>",
        Malformed,
        "line 1, column 2: `<?xml …?>` is allowed only at the start of the document",
    ),
    (
        "an XML declaration inside the root",
        b"<r><?xml version='1.0'?></r>",
        Malformed,
        "line 1, column 4: `<?xml …?>` is allowed only at the start of the document",
    ),
    (
        "two XML declarations",
        b"<?xml version='1.0'?><?xml version='1.0'?><r/>",
        Malformed,
        "line 1, column 22: `<?xml …?>` is allowed only at the start of the document",
    ),
    (
        "an XML declaration without a version",
        b"<?xml encoding='UTF-8'?><r/>",
        Malformed,
        "line 1, column 7: the parts of the XML declaration must be version, encoding and standalone, each at most once and in this order",
    ),
    (
        "an empty XML declaration",
        b"<?xml?><r/>",
        Malformed,
        "line 1, column 1: the XML declaration has no version",
    ),
    (
        "an unknown XML version",
        b"<?xml version='9.9'?><r/>",
        Malformed,
        "line 1, column 7: XML version \"9.9\" is not supported, only 1.0",
    ),
    (
        "XML version 1.1",
        b"<?xml version='1.1'?><r/>",
        Malformed,
        "line 1, column 7: XML version \"1.1\" is not supported, only 1.0",
    ),
    (
        "an XML declaration in the wrong order",
        b"<?xml version='1.0' standalone='yes' encoding='UTF-8'?><r/>",
        Malformed,
        "line 1, column 38: the parts of the XML declaration must be version, encoding and standalone, each at most once and in this order",
    ),
    (
        "an XML declaration with a repeated part",
        b"<?xml version='1.0' version='1.0'?><r/>",
        Malformed,
        "line 1, column 21: the parts of the XML declaration must be version, encoding and standalone, each at most once and in this order",
    ),
    (
        "an XML declaration with an unknown part",
        b"<?xml version='1.0' a='b'?><r/>",
        Malformed,
        "line 1, column 21: the XML declaration has an unknown part `a`",
    ),
    (
        "an XML declaration without spaces",
        b"<?xml version='1.0'encoding='UTF-8'?><r/>",
        Malformed,
        "line 1, column 20: the XML declaration has no space between two parts",
    ),
    (
        "an XML declaration without quotes",
        b"<?xml version=1.0?><r/>",
        Malformed,
        "line 1, column 7: the XML declaration is not of the form `name=\"value\"`",
    ),
    (
        "a standalone value other than yes and no",
        b"<?xml version='1.0' standalone='maybe'?><r/>",
        Malformed,
        "line 1, column 21: standalone must be yes or no, not \"maybe\"",
    ),
    (
        "an XML declaration with the wrong encoding",
        b"<?xml version='1.0' encoding='UTF-16'?><r/>",
        Encoding,
        "line 1, column 21: the document declares the encoding \"UTF-16\", but its bytes are UTF-8; declare UTF-8 if the text is readable",
    ),
    (
        "an unknown encoding",
        b"<?xml version='1.0' encoding='KOI-9'?><r/>",
        Encoding,
        "line 1, column 21: the document declares the encoding \"KOI-9\", but its bytes are UTF-8; declare UTF-8 if the text is readable",
    ),
    (
        "a second byte order mark",
        b"\xef\xbb\xbf\xef\xbb\xbf<r/>",
        Malformed,
        "line 1, column 1: a second byte order mark follows the first",
    ),
    (
        "a DOCTYPE",
        b"<!DOCTYPE r><r/>",
        Doctype,
        "line 1, column 1: the document has a DOCTYPE, which is not allowed in metadata",
    ),
    (
        "a DOCTYPE with entities",
        b"<!DOCTYPE r [<!ENTITY a 'b'>]>\n<r>&a;</r>",
        Doctype,
        "line 1, column 1: the document has a DOCTYPE, which is not allowed in metadata",
    ),
    (
        "an external DOCTYPE",
        b"<?xml version='1.0'?>\n<!DOCTYPE r SYSTEM 'http://a/b'><r/>",
        Doctype,
        "line 2, column 1: the document has a DOCTYPE, which is not allowed in metadata",
    ),
    (
        "a DOCTYPE without an end",
        b"<!DOCTYPE r [",
        Doctype,
        "line 1, column 1: the document has a DOCTYPE, which is not allowed in metadata",
    ),
    (
        "a DOCTYPE without a name",
        b"<!DOCTYPE><r/>",
        Doctype,
        "line 1, column 1: the document has a DOCTYPE, which is not allowed in metadata",
    ),
    (
        "a DOCTYPE in lower case",
        b"<!doctype r><r/>",
        Doctype,
        "line 1, column 1: the document has a DOCTYPE, which is not allowed in metadata",
    ),
    (
        "a DOCTYPE inside the root",
        b"<r><!DOCTYPE r></r>",
        Doctype,
        "line 1, column 4: the document has a DOCTYPE, which is not allowed in metadata",
    ),
    (
        "two colons in an element name",
        b"<a:b:c xmlns:a='u'/>",
        Malformed,
        "line 1, column 2: the element name `a:b:c` has more than one colon",
    ),
    (
        "a leading colon",
        b"<:r/>",
        Malformed,
        "line 1, column 2: the element name `:r` starts with a colon",
    ),
    (
        "a trailing colon",
        b"<r: xmlns:r='u'/>",
        Malformed,
        "line 1, column 2: the element name `r:` ends with a colon",
    ),
    (
        "two colons in an attribute name",
        b"<r xmlns:a='u' a:b:c='d'/>",
        Malformed,
        "line 1, column 16: the attribute name `a:b:c` has more than one colon",
    ),
    (
        "an unknown element prefix",
        b"<a:r/>",
        Namespace,
        "line 1, column 2: the prefix `a` is not declared",
    ),
    (
        "an element prefix declared elsewhere",
        b"<r><a xmlns:p='u'/><p:b/></r>",
        Namespace,
        "line 1, column 21: the prefix `p` is not declared",
    ),
    (
        "an unknown attribute prefix",
        b"<r a:b='c'/>",
        Namespace,
        "line 1, column 4: the prefix `a` is not declared",
    ),
    (
        "a repeated attribute under two prefixes",
        b"<r xmlns:a='u' xmlns:b='u' a:c='1' b:c='2'/>",
        Namespace,
        "line 1, column 36: the attribute `b:c` appears twice, with two prefixes of one namespace",
    ),
    (
        "a prefix for an empty namespace",
        b"<r xmlns:p=''/>",
        Namespace,
        "line 1, column 10: the prefix `p` is bound to an empty namespace",
    ),
    (
        "the prefix xml bound to another namespace",
        b"<r xmlns:xml='u'/>",
        Namespace,
        "line 1, column 10: the prefix `xml` must not be bound to another namespace",
    ),
    (
        "another prefix for the namespace of xml",
        b"<r xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
        Namespace,
        "line 1, column 10: `http://www.w3.org/XML/1998/namespace` is reserved for the prefix `xml`",
    ),
    (
        "a declaration of the prefix xmlns",
        b"<r xmlns:xmlns='u'/>",
        Namespace,
        "line 1, column 10: the prefix `xmlns` must not be declared",
    ),
    (
        "a prefix for the namespace of xmlns",
        b"<r xmlns:p='http://www.w3.org/2000/xmlns/'/>",
        Namespace,
        "line 1, column 10: `http://www.w3.org/2000/xmlns/` is reserved for the prefix `xmlns`",
    ),
    (
        "xmlns as an element prefix",
        b"<xmlns:r/>",
        Namespace,
        "line 1, column 2: an element must not have the prefix `xmlns`",
    ),
];

#[test]
fn every_malformed_document_is_refused_with_its_error_and_position() {
    let mut wrong = Vec::new();
    for (name, bytes, kind, message) in CASES {
        match read(bytes) {
            Ok(_) => wrong.push(format!("{name}: was read")),
            Err(error) if error.to_string() != *message || error.kind() != *kind => {
                wrong.push(format!("{name}: {:?} {error}", error.kind()));
            }
            Err(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_case_is_listed_twice() {
    for (at, (name, bytes, ..)) in CASES.iter().enumerate() {
        let twice = CASES[..at]
            .iter()
            .any(|(other, same, ..)| name == other || bytes == same);
        assert!(!twice, "{name}");
    }
}

#[test]
fn every_read_error_belongs_to_a_rule() {
    let rule = |bytes: &[u8]| read(bytes).expect_err("refused").rule().to_string();
    assert_eq!(rule(b"<r>"), "MD-XML-01");
    assert_eq!(rule(b"<p:r/>"), "MD-XML-01");
    assert_eq!(rule(b"{}"), "MD-XML-01");
    assert_eq!(rule(b"<!DOCTYPE r><r/>"), "MD-XML-02");
    assert_eq!(rule(b"<r>\xff</r>"), "MD-XML-03");
}

/// These well-formed documents resemble the malformed ones.
#[test]
fn well_formed_documents_are_read() {
    for xml in [
        "<r/>",
        "<r />",
        "<r></r >",
        "<r\n a = 'b'\tc=\"d\"\n/>",
        "<r>a]]b]>c</r>",
        "<r>]]&gt;</r>",
        "<r a='>'>></r>",
        "<r a=']]>'/>",
        "<r><![CDATA[<a>&b;]]]]></r>",
        "<r><!-- a - b - --></r>",
        "<r><!----><!-- - --></r>",
        "<?a?><r/><?b c?><!-- d -->\n",
        "<?xml-stylesheet href='a'?><r/>",
        "<?xml version='1.0'?><r/>",
        "<?xml  version = \"1.0\"\n encoding='utf-8' standalone='no' ?><r/>",
        "\u{feff}<?xml version='1.0' encoding='UTF-8'?><r/>",
        "<_r-1.\u{b7} \u{e9}='a'/>",
        "<r xmlns=''/>",
        "<r xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='en'/>",
        "<r xmlns:a='u' xmlns:b='v' a:c='1' b:c='2' c='3'/>",
        "<r>\u{7f}\u{85}\u{fffd}\u{10ffff}</r>",
        "<r>&#x10FFFF;&#9;&#38;</r>",
    ] {
        if let Err(error) = read(xml.as_bytes()) {
            panic!("{xml}: {error}");
        }
    }
}
