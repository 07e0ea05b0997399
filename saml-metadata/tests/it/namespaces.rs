//! Elements and attributes are matched by namespace, never by prefix.

use saml_metadata::names::namespace;

use crate::support::document;

#[test]
fn prefixes_do_not_matter() {
    for xml in [
        "<EntityDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata' entityID='urn:a'/>",
        "<x:EntityDescriptor xmlns:x='urn:oasis:names:tc:SAML:2.0:metadata' entityID='urn:a'/>",
        "<md:EntityDescriptor xmlns:md='urn:oasis:names:&#116;c:SAML:2.0:metadata' entityID='urn:a'/>",
    ] {
        assert_eq!(
            document(xml).entity().expect("an entity").entity_id(),
            "urn:a"
        );
    }
}

#[test]
fn an_element_of_the_same_name_in_another_namespace_does_not_match() {
    let xml = "<EntityDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata' entityID='urn:a'>
        <IDPSSODescriptor xmlns='urn:evil'/></EntityDescriptor>";
    assert!(
        document(xml)
            .entity()
            .expect("an entity")
            .identity_provider()
            .is_none()
    );
}

#[test]
fn the_default_namespace_does_not_apply_to_attributes() {
    let document = document("<a xmlns='u' xmlns:p='u' b='1' p:b='2'/>");
    let root = document.root();
    assert_eq!(root.attribute("b"), Some("1"));
    assert_eq!(root.attribute_in("u", "b"), Some("2"));
    assert_eq!(root.attribute_in("", "b"), Some("1"));
}

#[test]
fn a_declaration_ends_with_its_element() {
    let document = document("<a xmlns='u'><b xmlns='v'><c/></b><d/><e xmlns=''/></a>");
    let names: Vec<(&str, &str)> = document
        .root()
        .descendants()
        .map(|element| (element.local_name(), element.namespace()))
        .collect();
    assert_eq!(
        names,
        [("a", "u"), ("b", "v"), ("c", "v"), ("d", "u"), ("e", "")]
    );
}

#[test]
fn namespace_declarations_are_not_listed_as_attributes() {
    let document = document("<a xmlns='u' xmlns:p='v' b='c' xml:lang='en'/>");
    let root = document.root();
    assert_eq!(
        root.namespace_declarations().collect::<Vec<_>>(),
        [("", "u"), ("p", "v")]
    );
    let names: Vec<&str> = root
        .attributes()
        .map(saml_metadata::Attribute::qualified_name)
        .collect();
    assert_eq!(names, ["b", "xml:lang"]);
    assert_eq!(root.language(), Some("en"));
    assert_eq!(root.namespace_of_prefix("p"), Some("v"));
    assert_eq!(root.namespace_of_prefix(""), Some("u"));
    assert_eq!(root.namespace_of_prefix("xml"), Some(namespace::XML));
    assert_eq!(root.namespace_of_prefix("q"), None);
}

#[test]
fn comments_cdata_and_references_do_not_split_a_text() {
    let document = document(
        "<r><a>x<!-- y -->z</a><a>x<![CDATA[<&>]]>z</a><a>x&amp;&#122;</a><a>x\r\nz</a><a><?p?></a></r>",
    );
    let texts: Vec<&str> = document
        .root()
        .children()
        .map(saml_metadata::Element::text)
        .collect();
    assert_eq!(texts, ["xz", "x<&>z", "x&z", "x\nz", ""]);
}

#[test]
fn an_element_with_child_elements_has_no_text() {
    let document = document("<a>x<b/>y</a>");
    assert_eq!(document.root().text(), "");
}

#[test]
fn a_path_counts_siblings_of_the_same_name_only() {
    let document = document(
        "<m:a xmlns:m='urn:oasis:names:tc:SAML:2.0:metadata'><b/><m:b/><b/><c xmlns='urn:x'/></m:a>",
    );
    let paths: Vec<String> = document
        .root()
        .descendants()
        .map(saml_metadata::Element::path)
        .collect();
    assert_eq!(
        paths,
        [
            "/md:a",
            "/md:a/b[1]",
            "/md:a/md:b",
            "/md:a/b[2]",
            "/md:a/*[local-name()='c']"
        ]
    );
}

#[test]
fn spans_are_byte_ranges_of_the_text() {
    let document = document("<a>\n <b c='d&amp;'>e</b></a>");
    let b = document.root().children().next().expect("b");
    assert_eq!(b.source(), "<b c='d&amp;'>e</b>");
    assert_eq!(&document.text()[b.content_span()], "e");
    let c = b.attributes().next().expect("c");
    assert_eq!(&document.text()[c.span()], "c='d&amp;'");
    assert_eq!(&document.text()[c.value_span()], "d&amp;");
    assert_eq!(c.value(), "d&");
    let position = document.position(b.span().start);
    assert_eq!((position.line, position.column), (2, 2));
}
