//! Canonicalization, tested with the examples and rules of the specifications.

use proptest::prelude::*;
use saml_metadata::{
    c14n::{C14nStreamError, Method},
    read,
};

use crate::support::{ALL, document};

#[track_caller]
fn check(method: &Method, xml: &str, expected: &str) {
    let bytes = method.document(&document(xml)).expect("a canonical form");
    assert_eq!(String::from_utf8_lossy(&bytes), expected);
}

/// Canonicalizes the first element with this name and compares the result.
#[track_caller]
fn check_inside(method: &Method, xml: &str, name: &str, expected: &str) {
    let document = document(xml);
    let element = document
        .root()
        .descendants()
        .find(|element| element.local_name() == name);
    let bytes = method
        .element(element.expect(name))
        .expect("a canonical form");
    assert_eq!(String::from_utf8_lossy(&bytes), expected);
}

/// Canonical XML 1.0 section 3.1, without its DOCTYPE.
const SURROUNDINGS: &str = "<?xml version=\"1.0\"?>

<?xml-stylesheet   href=\"doc.xsl\"
   type=\"text/xsl\"   ?>

<doc>Hello, world!<!-- Comment 1 --></doc>

<?pi-without-data     ?>

<!-- Comment 2 -->

<!-- Comment 3 -->
";

#[test]
fn nodes_around_the_root_are_on_separate_lines() {
    let without = "<?xml-stylesheet href=\"doc.xsl\"
   type=\"text/xsl\"   ?>
<doc>Hello, world!</doc>
<?pi-without-data?>";
    check(&Method::inclusive(), SURROUNDINGS, without);
    check(&Method::exclusive(), SURROUNDINGS, without);
    check(
        &Method::inclusive().comments(true),
        SURROUNDINGS,
        "<?xml-stylesheet href=\"doc.xsl\"
   type=\"text/xsl\"   ?>
<doc>Hello, world!<!-- Comment 1 --></doc>
<?pi-without-data?>
<!-- Comment 2 -->
<!-- Comment 3 -->",
    );
}

#[test]
fn namespaces_and_attributes_are_sorted_and_not_repeated() {
    // Canonical XML 1.0 section 3.3, without its DOCTYPE.
    check(
        &Method::inclusive(),
        r#"<doc><e5 a:attr="out" b:attr="sorted" attr2="all" attr="I'm"
      xmlns:b="http://www.ietf.org"
      xmlns:a="http://www.w3.org"
      xmlns="http://example.org"/><e6 xmlns="" xmlns:a="http://www.w3.org"><e7 xmlns="http://www.ietf.org"><e8 xmlns="" xmlns:a="http://www.w3.org"><e9 xmlns="" xmlns:a="http://www.ietf.org"/></e8></e7></e6></doc>"#,
        r#"<doc><e5 xmlns="http://example.org" xmlns:a="http://www.w3.org" xmlns:b="http://www.ietf.org" attr="I'm" attr2="all" b:attr="sorted" a:attr="out"></e5><e6 xmlns:a="http://www.w3.org"><e7 xmlns="http://www.ietf.org"><e8 xmlns=""><e9 xmlns:a="http://www.ietf.org"></e9></e8></e7></e6></doc>"#,
    );
}

#[test]
fn characters_are_escaped_as_specified() {
    // Based on Canonical XML 1.0 section 3.4.
    check(
        &Method::exclusive(),
        "<doc><text>First line&#x0d;&#10;Second line</text><value>&#x32;</value>\
         <compute><![CDATA[value>\"0\" && value<\"10\" ?\"valid\":\"error\"]]></compute>\
         <compute expr='value>\"0\" &amp;&amp; value&lt;\"10\" ?\"valid\":\"error\"'>valid</compute>\
         <norm attr=' &apos;   &#x20;&#13;&#xa;&#9;   &apos; '/><gt>a > b &gt; c &quot;'</gt></doc>",
        "<doc><text>First line&#xD;\nSecond line</text><value>2</value>\
         <compute>value&gt;\"0\" &amp;&amp; value&lt;\"10\" ?\"valid\":\"error\"</compute>\
         <compute expr=\"value>&quot;0&quot; &amp;&amp; value&lt;&quot;10&quot; ?&quot;valid&quot;:&quot;error&quot;\">valid</compute>\
         <norm attr=\" '    &#xD;&#xA;&#x9;   ' \"></norm><gt>a &gt; b &gt; c \"'</gt></doc>",
    );
}

#[test]
fn line_endings_become_line_feeds_everywhere() {
    check(
        &Method::exclusive().comments(true),
        "<a b='1\r\n2'>x\r\ny\rz<![CDATA[\r\n\r]]><!--c\r\nd--><?p q\rr?></a>",
        "<a b=\"1 2\">x\ny\nz\n\n<!--c\nd--><?p q\nr?></a>",
    );
}

/// Exclusive XML Canonicalization 1.0 section 2.2.
const ENVELOPED: &str = r#"<n0:pdu xmlns:n0="http://a.example" xmlns:n1="http://b.example" xmlns:n2="http://c.example" xml:lang="fr" xml:space="retain"><n1:elem2 xmlns:n1="http://example.net" xml:lang="en"><n3:stuff xmlns:n3="ftp://example.org"/></n1:elem2></n0:pdu>"#;

#[test]
fn the_exclusive_form_does_not_depend_on_the_ancestors() {
    check_inside(
        &Method::exclusive(),
        ENVELOPED,
        "elem2",
        r#"<n1:elem2 xmlns:n1="http://example.net" xml:lang="en"><n3:stuff xmlns:n3="ftp://example.org"></n3:stuff></n1:elem2>"#,
    );
}

#[test]
fn the_inclusive_form_includes_inherited_namespaces_and_xml_attributes() {
    check_inside(
        &Method::inclusive(),
        ENVELOPED,
        "elem2",
        r#"<n1:elem2 xmlns:n0="http://a.example" xmlns:n1="http://example.net" xmlns:n2="http://c.example" xml:lang="en" xml:space="retain"><n3:stuff xmlns:n3="ftp://example.org"></n3:stuff></n1:elem2>"#,
    );
}

#[test]
fn the_exclusive_form_includes_listed_prefixes() {
    check_inside(
        &Method::exclusive().prefixes(["n2", "unknown"]),
        ENVELOPED,
        "elem2",
        r#"<n1:elem2 xmlns:n1="http://example.net" xmlns:n2="http://c.example" xml:lang="en"><n3:stuff xmlns:n3="ftp://example.org"></n3:stuff></n1:elem2>"#,
    );
    check_inside(
        &Method::exclusive().prefixes(["#default"]),
        "<a xmlns='urn:d' xmlns:p='urn:p'><p:b><c xmlns=''/></p:b></a>",
        "b",
        r#"<p:b xmlns="urn:d" xmlns:p="urn:p"><c xmlns=""></c></p:b>"#,
    );
}

#[test]
fn the_exclusive_form_declares_a_namespace_where_it_is_used() {
    check(
        &Method::exclusive(),
        "<a xmlns='urn:d' xmlns:p='urn:p'><p:b/><p:b><p:c p:d=''/></p:b><e xmlns=''><f xmlns='urn:d'/></e></a>",
        "<a xmlns=\"urn:d\"><p:b xmlns:p=\"urn:p\"></p:b><p:b xmlns:p=\"urn:p\"><p:c p:d=\"\"></p:c></p:b><e xmlns=\"\"><f xmlns=\"urn:d\"></f></e></a>",
    );
}

#[test]
fn a_redeclared_prefix_is_declared_again() {
    check(
        &Method::exclusive(),
        "<p:a xmlns:p='urn:1'><p:b xmlns:p='urn:2'><p:c xmlns:p='urn:1'/></p:b><p:d/></p:a>",
        "<p:a xmlns:p=\"urn:1\"><p:b xmlns:p=\"urn:2\"><p:c xmlns:p=\"urn:1\"></p:c></p:b><p:d></p:d></p:a>",
    );
}

#[test]
fn the_prefix_xml_is_never_declared() {
    for method in [Method::exclusive(), Method::inclusive()] {
        check(
            &method,
            "<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='en'/>",
            "<a xml:lang=\"en\"></a>",
        );
    }
}

#[test]
fn a_relative_namespace_has_no_canonical_form() {
    let document = document("<a xmlns:p='relative'/>");
    for method in [Method::exclusive(), Method::inclusive()] {
        let error = method.document(&document).expect_err("refused");
        assert_eq!(
            error.to_string(),
            "the namespace URI \"relative\" is relative, so there is no canonical form"
        );
    }
}

fn methods() -> [Method; 5] {
    [
        Method::exclusive(),
        Method::exclusive().comments(true),
        Method::exclusive().prefixes(["p", "#default"]),
        Method::inclusive(),
        Method::inclusive().comments(true),
    ]
}

/// Expects that canonicalization is idempotent, for the document and for each element.
fn check_stable(bytes: &[u8]) {
    let Ok(document) = read(bytes) else { return };
    for method in methods() {
        let Ok(form) = method.document(&document) else {
            continue;
        };
        let again = read(&form).expect("a canonical form is well-formed");
        let second = method
            .document(&again)
            .expect("a canonical form can be canonicalized");
        assert_eq!(
            String::from_utf8_lossy(&second),
            String::from_utf8_lossy(&form),
            "{method:?}"
        );
        for element in document.root().descendants() {
            let form = method
                .element(element)
                .expect("an element has a form if its document has one");
            let again = read(&form).expect("a canonical form is well-formed");
            assert_eq!(
                method.document(&again).expect("a canonical form"),
                form,
                "{method:?}"
            );
        }
    }
}

/// Expects that a stream gives the canonical form of the whole document.
#[track_caller]
fn check_streamed(bytes: &[u8]) {
    let Ok(document) = read(bytes) else { return };
    for method in methods() {
        let mut form = Vec::new();
        let streamed = method.stream(bytes, &mut form);
        match (streamed, method.document(&document)) {
            (Ok(()), Ok(expected)) => assert_eq!(
                String::from_utf8_lossy(&form),
                String::from_utf8_lossy(&expected),
                "{method:?}"
            ),
            (Err(C14nStreamError::NoCanonicalForm { source, .. }), Err(expected)) => {
                assert_eq!(source, expected);
            }
            // A stream accepts only metadata and buffers less at a time.
            (Err(C14nStreamError::Read(_)), _) if !is_small_metadata(&document) => {}
            (streamed, expected) => {
                panic!("the stream gives {streamed:?}, but the document gives {expected:?}")
            }
        }
    }
}

fn is_small_metadata(document: &saml_metadata::Document) -> bool {
    let is_metadata = document.group().is_some() || document.entity().is_ok();
    is_metadata && document.text().len() < 4 << 20
}

#[test]
fn a_stream_has_the_canonical_form_of_the_whole_document() {
    for (_, text) in ALL {
        check_streamed(text.as_bytes());
        check_streamed(
            format!(
                "<?p  q ?><!--c-->{}<!--c--><?p?>",
                without_declaration(text)
            )
            .as_bytes(),
        );
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus/saml");
    let Ok(files) = std::fs::read_dir(folder) else {
        return skip(folder);
    };
    for file in files {
        let bytes = std::fs::read(file.expect("an entry").path()).expect("a file");
        check_streamed(&bytes);
    }
}

#[expect(clippy::print_stdout, reason = "a skipped test prints why")]
fn skip(folder: &str) {
    println!("skipped: there is no corpus at {folder}");
}

fn without_declaration(text: &str) -> &str {
    text.strip_prefix("<?xml")
        .and_then(|rest| rest.split_once("?>"))
        .map_or(text, |(_, rest)| rest)
}

#[test]
fn a_stream_without_a_canonical_form_is_refused() {
    let xml = "<md:EntitiesDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata'>\
               <md:EntityDescriptor/><md:EntityDescriptor xmlns:a='b'/></md:EntitiesDescriptor>";
    check_streamed(xml.as_bytes());
    let error = Method::exclusive().stream(xml.as_bytes(), std::io::sink());
    let error = error.expect_err("relative");
    assert_eq!(error.to_string(), "the metadata has no canonical form");
}

#[test]
fn a_write_error_is_returned() {
    let error = Method::exclusive().stream(ALL[0].1.as_bytes(), &mut [0; 10][..]);
    assert!(matches!(error, Err(C14nStreamError::Write { .. })));
}

#[test]
fn canonicalization_is_idempotent() {
    for (_, text) in ALL {
        check_stable(text.as_bytes());
    }
    check_stable(SURROUNDINGS.as_bytes());
    check_stable(ENVELOPED.as_bytes());
}

fn attribute() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "a", "b", "p:a", "q:a", "xml:lang", "xmlns", "xmlns:p", "xmlns:q",
    ]);
    let value = prop::sample::select(vec![
        "",
        "urn:1",
        "urn:2",
        "http://x/&amp;",
        "x",
        " &#9;&#10;\t\n&lt;&quot;>'",
        "é",
    ]);
    (name, value).prop_map(|(name, value)| format!(" {name}=\"{value}\""))
}

fn element() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "text",
        "&amp;&lt;&gt;>&#13;",
        "\r\n\r",
        "<![CDATA[<&>\r\n]]>",
        "<!--c-->",
        "<?p d?>",
        "<?p?>",
        "<x/>",
        "é",
    ]);
    leaf.prop_map(str::to_owned)
        .prop_recursive(5, 40, 4, |inner| {
            let name = prop::sample::select(vec!["a", "p:a", "q:b"]);
            let attributes = prop::collection::vec(attribute(), 0..4);
            (name, attributes, prop::collection::vec(inner, 0..4)).prop_map(
                |(name, attributes, inside)| {
                    format!(
                        "<{name}{}>{}</{name}>",
                        attributes.concat(),
                        inside.concat()
                    )
                },
            )
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn canonicalization_of_any_document_is_idempotent(
        inside in prop::collection::vec(element(), 0..5),
        before in "(<!--c-->|<\\?p d\\?>|\n){0,3}",
    ) {
        // The prefixes are declared, so that most of the generated texts are well-formed.
        let text = format!("{before}<r xmlns:p=\"urn:p\" xmlns:q=\"urn:q\">{}</r>{before}", inside.concat());
        check_stable(text.as_bytes());
    }

    #[test]
    fn a_stream_has_the_canonical_form_of_any_document(
        inside in prop::collection::vec((element(), 0..4_u8), 0..6),
        before in "(<!--c-->|<\\?p d\\?>|\n){0,3}",
    ) {
        const MD: &str = "urn:oasis:names:tc:SAML:2.0:metadata";

        let inside: String = inside.iter().map(|(inner, kind)| match kind {
            0 => inner.clone(),
            1 => format!("<m:EntityDescriptor entityID='a' xmlns:m='{MD}'>{inner}</m:EntityDescriptor>"),
            2 => format!("<EntitiesDescriptor xmlns:p='urn:2' xmlns='{MD}'>{inner}<EntityDescriptor/>{inner}</EntitiesDescriptor>"),
            _ => format!("<EntitiesDescriptor xmlns='{MD}'><Extensions>{inner}</Extensions><EntityDescriptor/></EntitiesDescriptor>"),
        }).collect();
        let text = format!("{before}<md:EntitiesDescriptor xmlns:md=\"{MD}\" xmlns:p=\"urn:p\" xmlns:q=\"urn:q\">{inside}</md:EntitiesDescriptor>{before}");
        check_streamed(text.as_bytes());
    }

    #[test]
    fn any_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check_stable(&bytes);
    }
}
