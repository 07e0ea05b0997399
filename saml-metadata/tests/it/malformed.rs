//! Every way to be malformed that an XML tokenizer may let pass, and what is said about it.

use saml_metadata::{ReadErrorKind, read};

use ReadErrorKind::{Doctype, Encoding, Malformed, Namespace, NotXml};

/// What is wrong, the document, the class of the error, and the whole message.
type Case = (&'static str, &'static [u8], ReadErrorKind, &'static str);

const CASES: &[Case] = &[
    ("nothing", b"", NotXml, "not XML at all: the file is empty"),
    (
        "only blanks",
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
        "only a declaration",
        b"<?xml version=\"1.0\"?>",
        Malformed,
        "line 1, column 22: the document has no element",
    ),
    (
        "text before the root",
        b"a<r/>",
        Malformed,
        "line 1, column 1: text stands before the root element",
    ),
    (
        "text after the root",
        b"<r/>\n a",
        Malformed,
        "line 2, column 2: text stands behind the root element",
    ),
    (
        "a reference before the root",
        b"&#32;<r/>",
        Malformed,
        "line 1, column 1: a reference stands outside of the root element",
    ),
    (
        "a reference after the root",
        b"<r/>&amp;",
        Malformed,
        "line 1, column 5: a reference stands outside of the root element",
    ),
    (
        "CDATA before the root",
        b"<![CDATA[ ]]><r/>",
        Malformed,
        "line 1, column 1: a CDATA section stands outside of the root element",
    ),
    (
        "CDATA after the root",
        b"<r/><![CDATA[]]>",
        Malformed,
        "line 1, column 5: a CDATA section stands outside of the root element",
    ),
    (
        "two roots",
        b"<r/><s/>",
        Malformed,
        "line 1, column 5: a second element stands beside the root element",
    ),
    (
        "two roots of one name",
        b"<r></r><r></r>",
        Malformed,
        "line 1, column 8: a second element stands beside the root element",
    ),
    (
        "an open root",
        b"<r><a></a>",
        Malformed,
        "line 1, column 11: the document ends before `</r>`",
    ),
    (
        "an open child",
        b"<r><a></r>",
        Malformed,
        "line 1, column 7: `</r>` stands where `</a>` is expected",
    ),
    (
        "crossed tags",
        b"<r><a><b></a></b></r>",
        Malformed,
        "line 1, column 10: `</a>` stands where `</b>` is expected",
    ),
    (
        "an end without a start",
        b"</r>",
        Malformed,
        "line 1, column 1: `</r>` has no start tag",
    ),
    (
        "an end too many",
        b"<r></r></r>",
        Malformed,
        "line 1, column 8: `</r>` has no start tag",
    ),
    (
        "an end tag in another case",
        b"<r></R>",
        Malformed,
        "line 1, column 4: `</R>` stands where `</r>` is expected",
    ),
    (
        "an end tag with an attribute",
        b"<r></r a='b'>",
        Malformed,
        "line 1, column 4: `</r a='b'>` stands where `</r>` is expected",
    ),
    (
        "a tag without an end",
        b"<r><a",
        Malformed,
        "line 1, column 4: a tag has no end",
    ),
    (
        "a tag that is only a bracket",
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
        "a slash apart from its bracket",
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
        "a name with a character that names lack",
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
        "an attribute in two kinds of quotes",
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
        "an attribute twice",
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
        "a character reference that is no number",
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
        "a reference to half a character",
        b"<r>&#xD800;</r>",
        Malformed,
        "line 1, column 4: `&#xD800;` refers to a character that XML does not allow",
    ),
    (
        "a reference beyond all characters",
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
        "a character that is none",
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
        "line 1, column 4: the byte 0xff is not UTF-8",
    ),
    (
        "an overlong form",
        b"<r>\xc0\xaf</r>",
        Encoding,
        "line 1, column 4: the byte 0xc0 is not UTF-8",
    ),
    (
        "half a character as UTF-8",
        b"<r>\xed\xa0\x80</r>",
        Encoding,
        "line 1, column 4: the byte 0xed is not UTF-8",
    ),
    (
        "ISO-8859-1",
        b"<r>M\xfcller</r>",
        Encoding,
        "line 1, column 5: the byte 0xfc is not UTF-8",
    ),
    (
        "the end of a section in text",
        b"<r>a]]>b</r>",
        Malformed,
        "line 1, column 5: `]]>` must not stand in text",
    ),
    (
        "a section without an end",
        b"<r><![CDATA[a</r>",
        Malformed,
        "line 1, column 4: a CDATA section has no end",
    ),
    (
        "a section in lower case",
        b"<r><![cdata[a]]></r>",
        Malformed,
        "line 1, column 4: a CDATA section has no end",
    ),
    (
        "two hyphens in a comment",
        b"<r><!-- a -- b --></r>",
        Malformed,
        "line 1, column 11: `--` must not stand in a comment",
    ),
    (
        "three hyphens at the end of a comment",
        b"<r><!-- a ---></r>",
        Malformed,
        "line 1, column 11: `--` must not stand in a comment",
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
        "markup of no kind",
        b"<r><!a></r>",
        Malformed,
        "line 1, column 4: `<!` starts neither a comment nor a CDATA section",
    ),
    (
        "an instruction without an end",
        b"<r><?a </r>",
        Malformed,
        "line 1, column 4: a processing instruction has no end",
    ),
    (
        "an instruction without a name",
        b"<r><? a?></r>",
        Malformed,
        "line 1, column 4: the processing instruction name `` is not a name",
    ),
    (
        "an instruction with a colon in its name",
        b"<?a:b c?><r/>",
        Malformed,
        "line 1, column 1: the processing instruction name `a:b` is not a name",
    ),
    (
        "an instruction named XML",
        b"<r><?XML a?></r>",
        Malformed,
        "line 1, column 4: `<?xml …?>` may stand only at the very start of the document",
    ),
    (
        "a blank before the declaration",
        b" <?xml version='1.0'?><r/>",
        Malformed,
        "line 1, column 2: `<?xml …?>` may stand only at the very start of the document",
    ),
    (
        "a declaration in the middle",
        b"<r><?xml version='1.0'?></r>",
        Malformed,
        "line 1, column 4: `<?xml …?>` may stand only at the very start of the document",
    ),
    (
        "two declarations",
        b"<?xml version='1.0'?><?xml version='1.0'?><r/>",
        Malformed,
        "line 1, column 22: `<?xml …?>` may stand only at the very start of the document",
    ),
    (
        "a declaration without a version",
        b"<?xml encoding='UTF-8'?><r/>",
        Malformed,
        "line 1, column 7: the XML declaration says version, encoding, standalone, each once and in this order",
    ),
    (
        "an empty declaration",
        b"<?xml?><r/>",
        Malformed,
        "line 1, column 1: the XML declaration has no version",
    ),
    (
        "an unknown version",
        b"<?xml version='9.9'?><r/>",
        Malformed,
        "line 1, column 7: XML version \"9.9\" is not supported, only 1.0",
    ),
    (
        "version 1.1",
        b"<?xml version='1.1'?><r/>",
        Malformed,
        "line 1, column 7: XML version \"1.1\" is not supported, only 1.0",
    ),
    (
        "a declaration in the wrong order",
        b"<?xml version='1.0' standalone='yes' encoding='UTF-8'?><r/>",
        Malformed,
        "line 1, column 38: the XML declaration says version, encoding, standalone, each once and in this order",
    ),
    (
        "a declaration with a part twice",
        b"<?xml version='1.0' version='1.0'?><r/>",
        Malformed,
        "line 1, column 21: the XML declaration says version, encoding, standalone, each once and in this order",
    ),
    (
        "a declaration with an unknown part",
        b"<?xml version='1.0' a='b'?><r/>",
        Malformed,
        "line 1, column 21: the XML declaration has an unknown part `a`",
    ),
    (
        "a declaration without spaces",
        b"<?xml version='1.0'encoding='UTF-8'?><r/>",
        Malformed,
        "line 1, column 20: the XML declaration lacks a space between its parts",
    ),
    (
        "a declaration without quotes",
        b"<?xml version=1.0?><r/>",
        Malformed,
        "line 1, column 7: the XML declaration is not of the form `name=\"value\"`",
    ),
    (
        "a standalone that is no yes or no",
        b"<?xml version='1.0' standalone='maybe'?><r/>",
        Malformed,
        "line 1, column 21: standalone is \"maybe\", not yes or no",
    ),
    (
        "a lie about the encoding",
        b"<?xml version='1.0' encoding='UTF-16'?><r/>",
        Encoding,
        "line 1, column 21: the document says its encoding is \"UTF-16\", but it must be UTF-8 or UTF-16 and was read as UTF-8",
    ),
    (
        "an unknown encoding",
        b"<?xml version='1.0' encoding='KOI-9'?><r/>",
        Encoding,
        "line 1, column 21: the document says its encoding is \"KOI-9\", but it must be UTF-8 or UTF-16 and was read as UTF-8",
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
        "line 1, column 1: the document has a DOCTYPE, which metadata may not have",
    ),
    (
        "a DOCTYPE with entities",
        b"<!DOCTYPE r [<!ENTITY a 'b'>]>\n<r>&a;</r>",
        Doctype,
        "line 1, column 1: the document has a DOCTYPE, which metadata may not have",
    ),
    (
        "an external DOCTYPE",
        b"<?xml version='1.0'?>\n<!DOCTYPE r SYSTEM 'http://a/b'><r/>",
        Doctype,
        "line 2, column 1: the document has a DOCTYPE, which metadata may not have",
    ),
    (
        "a DOCTYPE without an end",
        b"<!DOCTYPE r [",
        Doctype,
        "line 1, column 1: the document has a DOCTYPE, which metadata may not have",
    ),
    (
        "a DOCTYPE without a name",
        b"<!DOCTYPE><r/>",
        Doctype,
        "line 1, column 1: the document has a DOCTYPE, which metadata may not have",
    ),
    (
        "a DOCTYPE in lower case",
        b"<!doctype r><r/>",
        Doctype,
        "line 1, column 1: the document has a DOCTYPE, which metadata may not have",
    ),
    (
        "a DOCTYPE inside",
        b"<r><!DOCTYPE r></r>",
        Doctype,
        "line 1, column 4: the document has a DOCTYPE, which metadata may not have",
    ),
    (
        "two colons",
        b"<a:b:c xmlns:a='u'/>",
        Malformed,
        "line 1, column 2: the element name `a:b:c` has more than one colon",
    ),
    (
        "a colon in front",
        b"<:r/>",
        Malformed,
        "line 1, column 2: the element name `:r` starts with a colon",
    ),
    (
        "a colon at the end",
        b"<r: xmlns:r='u'/>",
        Malformed,
        "line 1, column 2: the element name `r:` ends with a colon",
    ),
    (
        "two colons in an attribute",
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
        "an attribute twice under two prefixes",
        b"<r xmlns:a='u' xmlns:b='u' a:c='1' b:c='2'/>",
        Namespace,
        "line 1, column 36: the attribute `b:c` appears twice, under two prefixes of one namespace",
    ),
    (
        "a prefix of nothing",
        b"<r xmlns:p=''/>",
        Namespace,
        "line 1, column 10: the prefix `p` is bound to an empty namespace",
    ),
    (
        "xml bound to something else",
        b"<r xmlns:xml='u'/>",
        Namespace,
        "line 1, column 10: the prefix `xml` may not be bound to another namespace",
    ),
    (
        "another prefix for xml",
        b"<r xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
        Namespace,
        "line 1, column 10: `http://www.w3.org/XML/1998/namespace` belongs to the prefix `xml`",
    ),
    (
        "xmlns declared",
        b"<r xmlns:xmlns='u'/>",
        Namespace,
        "line 1, column 10: the prefix `xmlns` may not be declared",
    ),
    (
        "a prefix for xmlns",
        b"<r xmlns:p='http://www.w3.org/2000/xmlns/'/>",
        Namespace,
        "line 1, column 10: `http://www.w3.org/2000/xmlns/` belongs to the prefix `xmlns`",
    ),
    (
        "xmlns as an element prefix",
        b"<xmlns:r/>",
        Namespace,
        "line 1, column 2: an element must not have the prefix `xmlns`",
    ),
];

#[test]
fn every_malformed_document_is_refused_with_what_is_wrong_and_where() {
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
fn no_case_stands_twice() {
    for (at, (name, bytes, ..)) in CASES.iter().enumerate() {
        let twice = CASES[..at]
            .iter()
            .any(|(other, same, ..)| name == other || bytes == same);
        assert!(!twice, "{name}");
    }
}

#[test]
fn every_refusal_belongs_to_a_rule() {
    let rule = |bytes: &[u8]| read(bytes).expect_err("refused").rule().to_string();
    assert_eq!(rule(b"<r>"), "MD-XML-01");
    assert_eq!(rule(b"<p:r/>"), "MD-XML-01");
    assert_eq!(rule(b"{}"), "MD-XML-01");
    assert_eq!(rule(b"<!DOCTYPE r><r/>"), "MD-XML-02");
    assert_eq!(rule(b"<r>\xff</r>"), "MD-XML-03");
}

/// The neighbours of malformed documents, which are fine.
#[test]
fn what_xml_allows_is_read() {
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
