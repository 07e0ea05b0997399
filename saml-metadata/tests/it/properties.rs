//! Properties that hold for every document, tested with random documents.

use std::fmt::Write as _;

use proptest::prelude::*;
use saml_metadata::{Profile, read, validate};

use crate::support::{ALL, now};

/// Texts with characters that XML allows and that are hard to parse.
fn value() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        "&",
        "<",
        ">",
        "\"",
        "'",
        "\t",
        "\n",
        "\r",
        "]]>",
        "--",
        " ",
        "é",
        "\u{1f600}",
        "&amp;",
    ]);
    prop::collection::vec(
        prop_oneof![special.prop_map(str::to_owned), "[a-z]{1,4}"],
        0..8,
    )
    .prop_map(|parts| parts.concat())
}

/// Pieces of documents, well-formed and malformed.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "<",
            ">",
            "</",
            "/>",
            "<a",
            "<a>",
            "</a>",
            "<a/>",
            "<b:c",
            " xmlns:b='u'",
            " xmlns='v'",
            " d='e'",
            "='",
            "\"",
            "'",
            "&",
            ";",
            "&amp;",
            "&#10;",
            "&#x0;",
            "<!--",
            "-->",
            "--",
            "<![CDATA[",
            "]]>",
            "<?",
            "?>",
            "<?xml version='1.0'?>",
            "<!DOCTYPE",
            " ",
            "\n",
            "\r",
            "text",
            "é",
            "\u{feff}",
            "\u{0}",
            "md:",
            ":",
            "=",
            "<md:EntityDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata'>",
            "</md:EntityDescriptor>",
            "<md:IDPSSODescriptor>",
            "</md:IDPSSODescriptor>",
        ])
        .prop_map(str::to_owned),
        "[a-z<>&;='\" /!?\\[\\]-]{0,5}",
    ]
}

#[derive(Debug, Clone)]
struct Tree {
    name: String,
    attributes: Vec<(String, String)>,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Text(String),
    Elements(Vec<Tree>),
}

fn attributes() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::btree_map("[a-w][a-z0-9]{0,5}", value(), 0..15)
        .prop_map(|map| map.into_iter().collect())
}

fn tree() -> impl Strategy<Value = Tree> {
    const NAME: &str = "[A-Za-zé_][A-Za-z0-9_.-]{0,6}";

    let leaf = (NAME, attributes(), value()).prop_map(|(name, attributes, text)| Tree {
        name,
        attributes,
        content: Content::Text(text),
    });
    leaf.prop_recursive(4, 30, 5, |inner| {
        let elements = prop::collection::vec(inner, 1..5);
        (NAME, attributes(), elements).prop_map(|(name, attributes, elements)| Tree {
            name,
            attributes,
            content: Content::Elements(elements),
        })
    })
}

/// Writes a tree with the simplest escaping. The crate escapes in another way.
fn write(tree: &Tree, to: &mut String) {
    let escape = |text: &str| -> String {
        let numbered = |c: char| format!("&#{};", u32::from(c));
        text.chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c > '\u{7f}' {
                    c.to_string()
                } else {
                    numbered(c)
                }
            })
            .collect()
    };
    let _ = write!(to, "<{}", tree.name);
    for (name, value) in &tree.attributes {
        let _ = write!(to, " {name}='{}'", escape(value));
    }
    to.push('>');
    match &tree.content {
        Content::Text(text) => to.push_str(&escape(text)),
        Content::Elements(elements) => {
            for element in elements {
                write(element, to);
                to.push_str("\n<!-- between -->");
            }
        }
    }
    let _ = write!(to, "</{}>", tree.name);
}

fn compare(tree: &Tree, element: saml_metadata::Element<'_>) {
    assert_eq!(element.local_name(), tree.name);
    let attributes: Vec<(String, String)> = element
        .attributes()
        .map(|a| (a.qualified_name().to_owned(), a.value().to_owned()))
        .collect();
    assert_eq!(attributes, tree.attributes);
    match &tree.content {
        Content::Text(text) => assert_eq!(element.text(), text),
        Content::Elements(elements) => {
            assert_eq!(element.children().count(), elements.len());
            for (tree, element) in elements.iter().zip(element.children()) {
                compare(tree, element);
            }
        }
    }
}

/// Checks all guarantees about a document that was read.
fn inspect(bytes: &[u8]) {
    let Ok(document) = read(bytes) else { return };
    assert_eq!(document.bytes(), bytes);
    assert_eq!(
        document.edit().apply().expect("nothing changed").bytes(),
        bytes
    );
    for element in document.root().descendants() {
        let source = element.source();
        assert!(
            source.starts_with('<') && source.ends_with('>'),
            "{source:?}"
        );
        let (span, content) = (element.span(), element.content_span());
        assert!(span.start < content.start && content.end <= span.end);
        assert!(
            element
                .children()
                .all(|child| child.parent() == Some(element))
        );
        for attribute in element.attributes() {
            assert!(document.text()[attribute.span()].starts_with(attribute.qualified_name()));
        }
    }
    for profile in [
        Profile::SamlCore,
        Profile::Okta,
        Profile::AwsIdentityCenter,
        Profile::AwsIdentityCenterSp,
    ] {
        for finding in validate(&document, profile, now()) {
            assert!(
                document.text().get(finding.span.clone()).is_some(),
                "{finding:?}"
            );
            let position = document.position(finding.span.start);
            assert_eq!(finding.position, position, "{finding:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_any_bytes_does_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        inspect(&bytes);
    }

    #[test]
    fn reading_any_pieces_of_xml_does_not_panic(pieces in prop::collection::vec(piece(), 0..30)) {
        inspect(pieces.concat().as_bytes());
    }

    #[test]
    fn any_written_tree_is_read_back(tree in tree()) {
        let mut xml = String::new();
        write(&tree, &mut xml);
        let document = read(xml.as_bytes()).expect("a document");
        prop_assert_eq!(document.bytes(), xml.as_bytes());
        compare(&tree, document.root());
    }

    #[test]
    fn a_value_that_was_set_reads_back_unchanged(tree in tree(), value in value()) {
        let mut xml = String::new();
        write(&tree, &mut xml);
        let document = read(xml.as_bytes()).expect("a document");
        let last = document.root().descendants().last().expect("an element");
        let edited = document
            .edit()
            .set_attribute(last, "zzz", &value)
            .set_attribute(document.root(), "xxx", &value)
            .set_text(last, &value)
            .apply()
            .expect("an edit");
        let element = edited.root().descendants().last().expect("an element");
        prop_assert_eq!(element.attribute("zzz"), Some(value.as_str()));
        prop_assert_eq!(element.text(), &value);
        prop_assert_eq!(edited.root().attribute("xxx"), Some(value.as_str()));
    }

    #[test]
    fn a_damaged_document_does_not_panic(
        which in 0..ALL.len(),
        start in any::<prop::sample::Index>(),
        length in 0..40_usize,
        replacement in prop::collection::vec(piece(), 0..3),
    ) {
        let bytes = ALL[which].1.as_bytes();
        let start = start.index(bytes.len());
        let end = (start + length).min(bytes.len());
        inspect(&[&bytes[..start], replacement.concat().as_bytes(), &bytes[end..]].concat());
    }
}
