//! Limits: input at a limit is read, and input over it is refused with the error of that limit.

use saml_metadata::{Limit, Limits, ReadErrorKind, read, read_with};

/// Checks that `within` is read and that `over` is refused because of `limit`.
#[track_caller]
fn check(limits: &Limits, within: &str, over: &str, limit: Limit, message: &str) {
    if let Err(error) = read_with(within, limits) {
        panic!("{error}");
    }
    let error = read_with(over, limits).expect_err("over the limit");
    assert_eq!(error.kind(), ReadErrorKind::Limit(limit));
    assert_eq!(error.to_string(), message);
    assert_eq!(error.rule().as_str(), "MD-XML-04");
}

#[test]
fn the_size_is_limited() {
    let limits = Limits {
        bytes: 5,
        ..Limits::default()
    };
    check(
        &limits,
        "<rr/>",
        "<rrr/>",
        Limit::Bytes,
        "the document is larger than 5 bytes",
    );
}

#[test]
fn the_size_after_conversion_to_utf8_is_limited() {
    let limits = Limits {
        bytes: 40,
        ..Limits::default()
    };
    let utf16 =
        |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    assert!(read_with(utf16("\u{feff}<r>€€€€</r>"), &limits).is_ok());
    // 38 bytes as UTF-16, 43 as UTF-8.
    let error = read_with(utf16("\u{feff}<r>€€€€€€€€€€€</r>"), &limits).expect_err("over");
    assert_eq!(error.kind(), ReadErrorKind::Limit(Limit::Bytes));
}

#[test]
fn the_depth_is_limited() {
    let limits = Limits {
        depth: 3,
        ..Limits::default()
    };
    check(
        &limits,
        "<a><b><c/><c/></b></a>",
        "<a><b><c><d/></c></b></a>",
        Limit::Depth,
        "line 1, column 10: elements are nested deeper than 3 levels",
    );
}

#[test]
fn the_attributes_and_namespace_declarations_of_an_element_are_limited() {
    let limits = Limits {
        attributes: 2,
        ..Limits::default()
    };
    check(
        &limits,
        "<a b='' c=''><d e='' f=''/></a>",
        "<a b='' xmlns:c='u' d=''/>",
        Limit::Attributes,
        "line 1, column 21: an element has more than 2 attributes",
    );
}

#[test]
fn the_length_of_an_attribute_is_limited() {
    let limits = Limits {
        attribute_length: 4,
        ..Limits::default()
    };
    check(
        &limits,
        "<a b='1234'/>",
        "<a b='12345'/>",
        Limit::AttributeLength,
        "line 1, column 7: an attribute value is longer than 4 bytes",
    );
}

#[test]
fn the_length_of_a_text_is_limited_across_all_its_parts() {
    let limits = Limits {
        text_length: 10,
        ..Limits::default()
    };
    let message = |column: usize| {
        format!("line 1, column {column}: the text of an element is longer than 10 bytes")
    };
    check(
        &limits,
        "<a>1234567890</a>",
        "<a>12345678901</a>",
        Limit::TextLength,
        &message(4),
    );
    check(
        &limits,
        "<a>12345&amp;</a>",
        "<a>123456&amp;</a>",
        Limit::TextLength,
        &message(10),
    );
    check(
        &limits,
        "<a/>",
        "<a><![CDATA[]]></a>",
        Limit::TextLength,
        &message(4),
    );
    check(
        &limits,
        "<a>1<!---->9</a>",
        "<a>1<!---->90123</a>",
        Limit::TextLength,
        &message(12),
    );
    check(
        &limits,
        "<a>12345678<b/>12345678<b/></a>",
        "<a>1<b/>12345678901</a>",
        Limit::TextLength,
        &message(9),
    );
}

#[test]
fn the_namespace_declarations_in_scope_are_limited() {
    let limits = Limits {
        namespace_bindings: 2,
        ..Limits::default()
    };
    check(
        &limits,
        "<a xmlns='u'><b xmlns:p='v'/><b xmlns:p='v'/></a>",
        "<a xmlns='u'><b xmlns:p='v'><c xmlns:q='w'/></b></a>",
        Limit::NamespaceBindings,
        "line 1, column 38: more than 2 namespace declarations are in scope",
    );
}

#[test]
fn the_number_of_nodes_is_limited() {
    let limits = Limits {
        nodes: 4,
        ..Limits::default()
    };
    check(
        &limits,
        "<a><!--b--><c/><?d?></a>",
        "<a><!--b--><c/><?d?><![CDATA[]]></a>",
        Limit::Nodes,
        "line 1, column 21: the document has more than 4 elements and other nodes",
    );
}

#[test]
fn the_number_of_entities_is_limited() {
    let limits = Limits {
        entities: 1,
        ..Limits::default()
    };
    check(
        &limits,
        "<g xmlns='urn:oasis:names:tc:SAML:2.0:metadata'><EntityDescriptor/></g>",
        "<g xmlns='urn:oasis:names:tc:SAML:2.0:metadata'><EntityDescriptor/><EntityDescriptor/></g>",
        Limit::Entities,
        "line 1, column 68: the document has more than 1 entities",
    );
}

/// Returns `count` pieces, each after a space.
fn many(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count)
        .flat_map(|number| [" ".to_owned(), one(number)])
        .collect()
}

/// The inputs are large enough to reveal quadratic run time: seconds instead of milliseconds.
#[test]
fn oversized_input_is_refused_at_a_limit() {
    let attributes = format!("<a{}/>", many(40_000, |n| format!("a{n}=''")));
    let namespaces = format!("<a{}/>", many(40_000, |n| format!("xmlns:a{n}='u{n}'")));
    let depth = "<a>".repeat(100_000);
    let value = format!("<a b='{}'/>", "x".repeat(20 << 20));
    let text = format!("<a>{}</a>", "x".repeat(20 << 20));
    for (xml, limit) in [
        (attributes, Limit::Attributes),
        (namespaces, Limit::Attributes),
        (depth, Limit::Depth),
        (value, Limit::AttributeLength),
        (text, Limit::TextLength),
    ] {
        let error = read(xml.as_bytes()).expect_err("over a limit");
        assert_eq!(error.kind(), ReadErrorKind::Limit(limit));
    }
}

#[test]
fn large_documents_are_read_in_linear_time_without_limits() {
    let limits = Limits {
        depth: usize::MAX,
        attributes: usize::MAX,
        attribute_length: usize::MAX,
        text_length: usize::MAX,
        ..Limits::default()
    };
    let attributes = many(40_000, |n| format!("a{n}=''"));
    assert!(read_with(format!("<a{attributes}/>"), &limits).is_ok());
    // quick-xml itself has no depth limit. Neither reading nor dropping a document is recursive.
    let deep = "<a>".repeat(100_000) + &"</a>".repeat(100_000);
    let document = read_with(deep, &limits).expect("a deep document");
    assert_eq!(document.root().descendants().count(), 100_000);
}
