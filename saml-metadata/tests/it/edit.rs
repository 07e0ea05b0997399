//! Edits change only the elements and attributes that they name.

use saml_metadata::{Certificate, Document, Edit, EditError, KeyUse, NewElement};

use crate::support::{IDP, SP, change, der, document};

#[track_caller]
fn edited(xml: &str, edit: impl for<'a> FnOnce(Edit<'a>, &'a Document) -> Edit<'a>) -> String {
    let document = document(xml);
    let edited = edit(document.edit(), &document).apply().expect("an edit");
    edited.text().to_owned()
}

#[track_caller]
fn error(xml: &str, edit: impl for<'a> FnOnce(Edit<'a>, &'a Document) -> Edit<'a>) -> EditError {
    let document = document(xml);
    edit(document.edit(), &document)
        .apply()
        .expect_err("refused")
}

#[test]
fn an_attribute_keeps_its_quotes_when_its_value_is_set() {
    let set = |xml: &str, value: &str| {
        edited(xml, |edit, document| {
            edit.set_attribute(document.root(), "b", value)
        })
    };
    assert_eq!(set("<a  b = 'x'\n/>", "y"), "<a  b = 'y'\n/>");
    assert_eq!(
        set("<a b='x'/>", "y'\"&<>"),
        "<a b='y&#39;&quot;&amp;&lt;&gt;'/>"
    );
    assert_eq!(
        set("<a b='x'/>", "1\t2\n3\r4"),
        "<a b='1&#9;2&#10;3&#13;4'/>"
    );
}

#[test]
fn a_missing_attribute_is_added_after_the_element_name() {
    let set = |xml: &str| {
        edited(xml, |edit, document| {
            edit.set_attribute(document.root(), "b", "c")
        })
    };
    assert_eq!(set("<a/>"), "<a b=\"c\"/>");
    assert_eq!(set("<a x='y'></a>"), "<a b=\"c\" x='y'></a>");
    assert_eq!(
        set("<p:a xmlns:p='u' p:b='y'/>"),
        "<p:a b=\"c\" xmlns:p='u' p:b='y'/>"
    );
}

#[test]
fn removing_an_attribute_removes_the_white_space_before_it() {
    let removed = edited("<a x='y'\n  b='c' z='z'/>", |edit, document| {
        edit.remove_attribute(document.root(), "b")
            .remove_attribute(document.root(), "none")
    });
    assert_eq!(removed, "<a x='y' z='z'/>");
}

#[test]
fn a_text_is_set_and_escaped() {
    let set = |xml: &str, value: &str| {
        edited(xml, |edit, document| edit.set_text(document.root(), value))
    };
    assert_eq!(set("<a>x</a>", "y"), "<a>y</a>");
    assert_eq!(set("<a></a>", "<b>&]]>"), "<a>&lt;b&gt;&amp;]]&gt;</a>");
    assert_eq!(set("<a b='c' />", "y"), "<a b='c' >y</a>");
    assert_eq!(set("<p:a xmlns:p='u'/>", "y"), "<p:a xmlns:p='u'>y</p:a>");
    assert_eq!(
        set("<a>x<!-- c --><![CDATA[z]]></a>", "1\r\n2"),
        "<a>1&#13;\n2</a>"
    );
}

#[test]
fn an_element_is_removed_with_its_contents() {
    let removed = edited("<a> <b><c/></b> <d/></a>", |edit, document| {
        edit.remove(document.root().children().next().expect("b"))
    });
    assert_eq!(removed, "<a>  <d/></a>");
}

#[test]
fn one_edit_applies_several_changes() {
    let result = edited("<a b='1'><c>2</c><d/></a>", |edit, document| {
        let children: Vec<_> = document.root().children().collect();
        edit.remove(children[1])
            .set_text(children[0], "two")
            .set_attribute(document.root(), "x", "0")
            .set_attribute(document.root(), "b", "one")
    });
    assert_eq!(result, "<a x=\"0\" b='one'><c>two</c></a>");
}

#[test]
fn an_edit_leaves_the_rest_of_the_document_unchanged() {
    let result = edited(IDP, |edit, document| {
        let idp = document
            .entity()
            .expect("an entity")
            .identity_provider()
            .expect("a role");
        let service = idp.single_sign_on_services().next().expect("a service");
        edit.set_attribute(
            service.element(),
            "Location",
            "https://new.example.com/?a=1&b=2",
        )
    });
    let expected = change(
        IDP,
        &[(
            "https://idp.example.com/sso?tenant=1&amp;mode=redirect",
            "https://new.example.com/?a=1&amp;b=2",
        )],
    );
    assert_eq!(result, expected);
}

#[test]
fn an_impossible_edit_is_refused_with_the_reason() {
    let text = |error: EditError| error.to_string();
    assert_eq!(
        text(error("<a/>", |edit, d| edit.set_attribute(
            d.root(),
            "x:b",
            "c"
        ))),
        "\"x:b\" is not a valid name for an attribute without a namespace"
    );
    assert_eq!(
        text(error("<a/>", |edit, d| edit.set_attribute(
            d.root(),
            "xmlns",
            "c"
        ))),
        "\"xmlns\" is not a valid name for an attribute without a namespace"
    );
    assert_eq!(
        text(error("<a/>", |edit, d| edit.set_text(d.root(), "\0"))),
        "the character '\\0' is not allowed in XML"
    );
    assert_eq!(
        text(error("<a><b/></a>", |edit, d| edit.set_text(d.root(), "c"))),
        "the element `a` has child elements, so its text cannot be set"
    );
    assert_eq!(
        text(error("<a/>", |edit, d| edit.remove(d.root()))),
        "the root element cannot be removed"
    );
    assert_eq!(
        text(error("<a><b/></a>", |edit, d| {
            let b = d.root().children().next().expect("b");
            edit.set_text(b, "x").remove(b)
        })),
        "two changes overlap"
    );
}

#[test]
fn the_first_of_several_errors_is_reported() {
    let error = error("<a/>", |edit, d| {
        edit.set_text(d.root(), "\u{1}")
            .remove(d.root())
            .set_text(d.root(), "fine")
    });
    assert_eq!(
        error.to_string(),
        "the character '\\u{1}' is not allowed in XML"
    );
}

#[test]
fn an_element_of_another_document_is_refused() {
    let (one, other) = (document("<a/>"), document("<a/>"));
    let error = one
        .edit()
        .set_text(other.root(), "b")
        .apply()
        .expect_err("refused");
    assert_eq!(error.to_string(), "the element belongs to another document");
}

#[test]
fn an_edit_that_exceeds_a_limit_is_refused() {
    let error = error("<a b=''/>", |edit, d| {
        edit.set_attribute(d.root(), "b", &"x".repeat(100_000))
    });
    assert_eq!(error.to_string(), "the edited document cannot be read");
    let source = std::error::Error::source(&error).expect("a source");
    assert_eq!(
        source.to_string(),
        "line 1, column 7: an attribute value is longer than 65536 bytes"
    );
}

#[test]
fn an_element_is_inserted_after_its_siblings_of_the_same_name() {
    let result = edited(SP, |edit, document| {
        let role = document.root().children().next().expect("a role");
        edit.insert(
            role,
            &NewElement::indexed_endpoint(
                "AssertionConsumerService",
                "urn:b",
                "https://sp.example.com/?a=1&b=\"2\"",
                9,
            ),
        )
    });
    let last = "Location=\"https://sp.example.com/acs/3\" index=\"3\"/>";
    let new = "\n    <md:AssertionConsumerService Binding=\"urn:b\" \
               Location=\"https://sp.example.com/?a=1&amp;b=&quot;2&quot;\" index=\"9\"/>";
    assert_eq!(result, change(SP, &[(last, &format!("{last}{new}"))]));
}

#[test]
fn an_element_without_siblings_of_its_name_is_inserted_in_schema_order() {
    let inserted = |xml: &str, name: &str| {
        edited(xml, |edit, document| {
            edit.insert(document.root(), &NewElement::metadata(name))
        })
    };
    let role = |inside: &str| {
        format!("<m:SPSSODescriptor xmlns:m='urn:oasis:names:tc:SAML:2.0:metadata'{inside}")
    };
    assert_eq!(
        inserted(
            &role("> <m:NameIDFormat/></m:SPSSODescriptor>"),
            "KeyDescriptor"
        ),
        role("> <m:KeyDescriptor/> <m:NameIDFormat/></m:SPSSODescriptor>")
    );
    assert_eq!(
        inserted(&role(" />"), "Extensions"),
        role(" ><m:Extensions/></m:SPSSODescriptor>")
    );
    assert_eq!(
        inserted(
            &role(">\n<m:KeyDescriptor/>\n</m:SPSSODescriptor>"),
            "NameIDFormat"
        ),
        role(">\n<m:KeyDescriptor/>\n<m:NameIDFormat/>\n</m:SPSSODescriptor>")
    );
    assert_eq!(
        inserted("<a><b/></a>", "X"),
        "<a><b/><md:X xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\"/></a>"
    );
}

#[test]
fn a_new_element_uses_prefixes_in_scope_or_declares_them() {
    let inserted = |xml: &str, new: NewElement| {
        edited(xml, |edit, document| edit.insert(document.root(), &new))
    };
    let plain = || {
        NewElement::new("", "x")
            .child(NewElement::new("urn:y", "y").attribute_in("urn:y", "z", "1"))
    };
    assert_eq!(
        inserted("<a/>", plain()),
        "<a><x><ns1:y xmlns:ns1=\"urn:y\" ns1:z=\"1\"/></x></a>"
    );
    assert_eq!(
        inserted("<a xmlns='urn:y'/>", plain()),
        "<a xmlns='urn:y'><x xmlns=\"\"><ns1:y xmlns:ns1=\"urn:y\" ns1:z=\"1\"/></x></a>"
    );
    assert_eq!(
        inserted("<p:a xmlns:p='urn:y' xmlns:ns1='u'/>", plain()),
        "<p:a xmlns:p='urn:y' xmlns:ns1='u'><x><p:y p:z=\"1\"/></x></p:a>"
    );
    let language =
        NewElement::new("", "x").attribute_in("http://www.w3.org/XML/1998/namespace", "lang", "en");
    assert_eq!(inserted("<a/>", language), "<a><x xml:lang=\"en\"/></a>");
}

#[test]
fn replacing_a_key_changes_nothing_else() {
    let certificate = Certificate::from_der(der("rsa2048")).expect("a certificate");
    let document = document(SP);
    let role = document
        .entity()
        .expect("an entity")
        .service_provider()
        .expect("a role");
    let key = role.key_descriptors().next().expect("a key").element();
    let new = NewElement::key_descriptor(Some(KeyUse::Signing), &certificate);
    let edited = document.edit().replace(key, &new).apply().expect("an edit");
    let role = edited
        .entity()
        .expect("an entity")
        .service_provider()
        .expect("a role");
    assert_eq!(role.signing_certificates(), [certificate]);
    assert!(role.encryption_certificates().is_empty());
    let span = role
        .key_descriptors()
        .next()
        .expect("a key")
        .element()
        .span();
    assert_eq!(edited.text()[..span.start], SP[..key.span().start]);
    assert_eq!(edited.text()[span.end..], SP[key.span().end..]);
}

#[test]
fn an_element_that_does_not_fit_is_refused_with_the_reason() {
    let refused = |new: NewElement| error(SP, |edit, d| edit.insert(d.root(), &new)).to_string();
    assert_eq!(
        refused(NewElement::metadata("NameIDFormat")),
        "the schema does not allow NameIDFormat in EntityDescriptor"
    );
    assert_eq!(
        refused(NewElement::metadata("md:X")),
        "\"md:X\" is not a valid name without a prefix"
    );
    assert_eq!(
        refused(NewElement::metadata("Organization").text("\0")),
        "the character '\\0' is not allowed in XML"
    );
}
