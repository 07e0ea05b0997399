//! Attacks on signatures, derived from a document that xmlsec1 signed.

use saml_metadata::{Limits, ReadErrorKind, read, read_with, signature::SignatureErrorKind};

use super::{SIGNED, check, check_changed, stream::verify_both, verifier};
use crate::support::{change, document};

/// Returns the signed entity without the nodes around it.
fn entity() -> &'static str {
    let start = SIGNED.find("<md:EntityDescriptor").expect("an entity");
    SIGNED[start..].trim_end()
}

/// Returns the signature element.
fn signature() -> &'static str {
    let start = SIGNED.find("<ds:Signature ").expect("a signature");
    let end = SIGNED.find("</ds:Signature>").expect("a signature");
    &SIGNED[start..end + "</ds:Signature>".len()]
}

fn unsigned() -> String {
    entity().replacen(signature(), "", 1)
}

fn evil(inside: &str) -> String {
    format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
         ID=\"_evil\" entityID=\"https://evil.example.net/\">{inside}</md:EntityDescriptor>"
    )
}

const NOT_SIGNED: &str = "the element is not signed";

#[test]
fn changed_contents_are_refused() {
    let message = "the content was changed after signing";
    let change = |from, to| check_changed(&[(from, to)], "MD-SIG-06", message);
    change("idp.example.com/metadata", "evil.example.net");
    change(" cacheDuration=\"PT4H\"", "");
    change("</md:EntityDescriptor>", "<?pi?></md:EntityDescriptor>");
    change("<md:Extensions>", "\n<md:Extensions>");
    change(
        "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"",
        "xmlns:saml=\"urn:evil\"",
    );
}

#[test]
fn a_changed_signed_info_or_signature_value_is_refused() {
    check_changed(
        &[("<ds:DigestValue>J", "<ds:DigestValue>K")],
        "MD-SIG-06",
        "the signature does not verify with any of the given keys",
    );
    check_changed(
        &[("<ds:SignatureValue>tQ", "<ds:SignatureValue>tR")],
        "MD-SIG-06",
        "the signature does not verify with any of the given keys",
    );
}

#[test]
fn an_unsigned_document_is_refused() {
    check(&verifier(), &document(&unsigned()), "MD-SIG-01", NOT_SIGNED);
}

#[test]
fn a_signed_entity_inside_an_evil_one_is_refused() {
    let wrapped = evil(&format!("<md:Extensions>{}</md:Extensions>", entity()));
    check(&verifier(), &document(&wrapped), "MD-SIG-01", NOT_SIGNED);
}

#[test]
fn a_signature_moved_to_an_evil_entity_is_refused() {
    let inside = format!(
        "{}<md:Extensions>{}</md:Extensions>",
        signature(),
        unsigned()
    );
    check(
        &verifier(),
        &document(&evil(&inside)),
        "MD-SIG-03",
        "the signature references \"#_idp\", not the element that contains it",
    );
}

#[test]
fn an_evil_entity_with_the_same_id_is_refused() {
    let message = "the ID \"_idp\" of the signed element is not unique in the document";
    let inside = format!(
        "{}<md:Extensions>{}</md:Extensions>",
        signature(),
        unsigned()
    );
    let evil = evil(&inside).replacen("_evil", "_idp", 1);
    check(&verifier(), &document(&evil), "MD-SIG-03", message);
    for name in ["Id", "id", "xml:id", "saml:ID"] {
        let to = format!("<md:Extensions {name}=\"_idp\">");
        check_changed(&[("<md:Extensions>", &to)], "MD-SIG-03", message);
    }
}

#[test]
fn a_signed_entity_inside_the_signature_is_refused() {
    let object = format!("<ds:Object>{}</ds:Object></ds:Signature>", unsigned());
    let inside = signature().replacen("</ds:Signature>", &object, 1);
    check(
        &verifier(),
        &document(&evil(&inside)),
        "MD-SIG-07",
        "`ds:Object` is not allowed in a SAML signature",
    );
}

#[test]
fn an_evil_entity_beside_the_signed_one_is_refused() {
    let group = format!(
        "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{}{}</md:EntitiesDescriptor>",
        evil(""),
        entity()
    );
    let group = document(&group);
    check(&verifier(), &group, "MD-SIG-01", NOT_SIGNED);
    let outcomes: Vec<bool> = group
        .entities()
        .map(|entity| verifier().verify_element(entity.element()).is_ok())
        .collect();
    assert_eq!(outcomes, [false, true]);
}

#[test]
fn a_comment_in_a_value_does_not_truncate_it() {
    let text = change(SIGNED, &[("Example login", "Example<!-- evil --> login")]);
    let document = document(&text);
    let verified = verify_both(&verifier(), &document).expect("comments are not signed");
    let entity = verified.entity().expect("an entity");
    let idp = entity.identity_provider().expect("an identity provider");
    let names: Vec<&str> = idp
        .element()
        .descendants()
        .filter(|element| element.local_name() == "DisplayName")
        .map(saml_metadata::Element::text)
        .collect();
    assert_eq!(names, ["Example login"]);
}

#[test]
fn another_spelling_of_the_same_xml_is_verified() {
    for (from, to) in [
        ("Example login", "Example<![CDATA[ ]]>login"),
        ("Example login", "&#69;xample login"),
        ("ID=\"_idp\" entityID", "entityID"),
    ] {
        let mut text = change(SIGNED, &[(from, to)]);
        if to == "entityID" {
            text = change(&text, &[(" validUntil=", " ID='_idp' validUntil=")]);
        }
        verify_both(&verifier(), &document(&text)).expect(to);
    }
    let lines = SIGNED.replace('\n', "\r\n");
    verify_both(&verifier(), &document(&lines)).expect("line endings");
}

#[test]
fn a_doctype_is_refused() {
    for doctype in [
        "<!DOCTYPE md:EntityDescriptor>",
        "<!DOCTYPE a [<!ATTLIST md:EntityDescriptor ID CDATA \"_idp\">]>",
        "<!DOCTYPE a [<!ENTITY id \"_idp\">]>",
    ] {
        let text = change(
            SIGNED,
            &[(
                "<md:EntityDescriptor",
                &format!("{doctype}<md:EntityDescriptor"),
            )],
        );
        let error = read(text.as_bytes()).expect_err(doctype);
        assert_eq!(error.kind(), ReadErrorKind::Doctype);
    }
}

#[test]
fn algorithms_outside_the_allow_list_are_refused() {
    let method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    let check_method =
        |algorithm, message: &str| check_changed(&[(method, algorithm)], "MD-SIG-05", message);
    let hmac = "the signature is an HMAC, so every verifier could create it";
    check_method("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", hmac);
    check_method("http://www.w3.org/2000/09/xmldsig#hmac-sha1", hmac);
    let sha1 = "the signature uses SHA-1";
    check_method("http://www.w3.org/2000/09/xmldsig#rsa-sha1", sha1);
    check_method("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1", sha1);
    check_method("http://www.w3.org/2000/09/xmldsig#dsa-sha1", sha1);
    check_method(
        "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
        "\"http://www.w3.org/2001/04/xmldsig-more#rsa-md5\" is not an allowed algorithm",
    );
    check_changed(
        &[(
            "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"",
            "<ds:DigestMethod Algorithm=\"http://www.w3.org/2000/09/xmldsig#sha1\"",
        )],
        "MD-SIG-05",
        sha1,
    );
    check_changed(
        &[(
            "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"",
            "<ds:DigestMethod",
        )],
        "MD-SIG-05",
        "\"\" is not an allowed algorithm",
    );
}

#[test]
fn parameters_of_an_algorithm_are_refused() {
    let method =
        "<ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"";
    let to = format!("{method}><ds:HMACOutputLength>0</ds:HMACOutputLength></ds:SignatureMethod>");
    check_changed(
        &[(&format!("{method}/>"), &to)],
        "MD-SIG-07",
        "`ds:HMACOutputLength` is not allowed in a SAML signature",
    );
}

#[test]
fn an_algorithm_for_another_kind_of_key_is_refused() {
    check_changed(
        &[("xmldsig-more#rsa-sha256", "xmldsig-more#ecdsa-sha256")],
        "MD-SIG-06",
        "the signature does not verify with any of the given keys",
    );
}

#[test]
fn a_reference_to_another_target_is_refused() {
    for uri in [
        "#_evil",
        "#",
        "_idp",
        "#xpointer(id('_idp'))",
        "#xpointer(/)",
        "#%5Fidp",
        " #_idp",
        "http://evil.example.net/",
    ] {
        let message = format!("the signature references {uri:?}, not the element that contains it");
        let to = format!("<ds:Reference URI=\"{uri}\"");
        check_changed(
            &[("<ds:Reference URI=\"#_idp\"", &to)],
            "MD-SIG-03",
            &message,
        );
    }
    check_changed(
        &[("<ds:Reference URI=\"#_idp\"", "<ds:Reference")],
        "MD-SIG-03",
        "the reference has no URI",
    );
    check_changed(
        &[(
            "<ds:Reference URI",
            "<ds:Reference Type=\"http://www.w3.org/2000/09/xmldsig#Manifest\" URI",
        )],
        "MD-SIG-07",
        "the reference has the type \"http://www.w3.org/2000/09/xmldsig#Manifest\", but a type is not allowed",
    );
}

#[test]
fn a_reference_to_an_empty_id_is_refused() {
    let text = change(
        SIGNED,
        &[("ID=\"_idp\"", "ID=\"\""), ("URI=\"#_idp\"", "URI=\"#\"")],
    );
    let message = "the signature references \"#\", not the element that contains it";
    check(&verifier(), &document(&text), "MD-SIG-03", message);
}

#[test]
fn an_entity_signature_that_refers_to_the_whole_document_is_refused() {
    let entity = entity().replacen("URI=\"#_idp\"", "URI=\"\"", 1);
    let group = format!(
        "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{entity}</md:EntitiesDescriptor>"
    );
    let group = document(&group);
    let entity = group.entities().next().expect("an entity");
    let error = verifier()
        .verify_element(entity.element())
        .expect_err("refused");
    assert!(
        matches!(error.kind(), SignatureErrorKind::OtherReference { .. }),
        "{error}"
    );
}

const SIGNED_INFO: &str = "<ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/></ds:SignedInfo>";

#[test]
fn repeated_parts_of_a_signature_are_refused() {
    let twice = |name: &str| {
        let (start, end) = (format!("<ds:{name}"), format!("</ds:{name}>"));
        let from = SIGNED.find(&start).expect("a start");
        let to = SIGNED.find(&end).expect("an end") + end.len();
        let part = &SIGNED[from..to];
        let message = format!("the signature has 2 `{name}` where one is expected");
        check_changed(&[(part, &format!("{part}{part}"))], "MD-SIG-03", &message);
    };
    for name in [
        "SignedInfo",
        "SignatureValue",
        "Reference",
        "Transforms",
        "DigestValue",
    ] {
        twice(name);
    }
    let message = "the signature has 2 `SignedInfo` where one is expected";
    for (from, to) in [
        ("<ds:SignedInfo>", format!("{SIGNED_INFO}<ds:SignedInfo>")),
        ("<ds:KeyInfo>", format!("{SIGNED_INFO}<ds:KeyInfo>")),
    ] {
        check_changed(&[(from, &to)], "MD-SIG-03", message);
    }
    check_changed(
        &[(
            "<ds:KeyInfo>",
            &format!("<ds:Object>{SIGNED_INFO}</ds:Object><ds:KeyInfo>"),
        )],
        "MD-SIG-07",
        "`ds:Object` is not allowed in a SAML signature",
    );
    let second = format!("{}\n  <md:Extensions>", signature());
    check_changed(
        &[("\n  <md:Extensions>", &second)],
        "MD-SIG-02",
        "the element has 2 signatures where one is expected",
    );
}

#[test]
fn a_signature_without_signed_info_is_refused() {
    check_changed(
        &[
            ("<ds:SignedInfo>", "<ds:KeyInfo>"),
            ("</ds:SignedInfo>", "</ds:KeyInfo>"),
        ],
        "MD-SIG-03",
        "the signature has 0 `SignedInfo` where one is expected",
    );
}

#[test]
fn signature_parts_of_another_namespace_are_refused() {
    let text = change(
        SIGNED,
        &[("<ds:SignedInfo>", "<ds:SignedInfo xmlns:ds=\"urn:evil\">")],
    );
    let message = "the signature has 0 `SignedInfo` where one is expected";
    check(&verifier(), &document(&text), "MD-SIG-03", message);
}

#[test]
fn comments_instructions_and_cdata_in_signature_parts_are_refused() {
    let in_info = "`SignedInfo` contains a comment, a processing instruction or a CDATA section";
    for inside in ["<!---->", "<?pi?>", "<![CDATA[A]]>"] {
        let to = format!("<ds:DigestValue>{inside}");
        check_changed(&[("<ds:DigestValue>", &to)], "MD-SIG-07", in_info);
    }
    check_changed(
        &[("<ds:Reference ", "<!----><ds:Reference ")],
        "MD-SIG-07",
        in_info,
    );
    check_changed(
        &[("<ds:SignatureValue>", "<ds:SignatureValue><!--A-->")],
        "MD-SIG-07",
        "`SignatureValue` contains a comment, a processing instruction or a CDATA section",
    );
}

#[test]
fn values_that_are_not_base64_are_refused() {
    for (name, from, to) in [
        ("DigestValue", "<ds:DigestValue>J", "<ds:DigestValue>*"),
        (
            "DigestValue",
            "w2lU=</ds:DigestValue>",
            "w2lU</ds:DigestValue>",
        ),
        (
            "SignatureValue",
            "<ds:SignatureValue>t",
            "<ds:SignatureValue>",
        ),
    ] {
        let message = format!("`{name}` is not base64 of the right length");
        check_changed(&[(from, to)], "MD-SIG-07", &message);
    }
    check_changed(
        &[("<ds:DigestValue>", "<ds:DigestValue><a/>")],
        "MD-SIG-07",
        "`a` is not allowed in a SAML signature",
    );
}

const EXCLUSIVE: &str = "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>";
const ENVELOPED: &str =
    "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>";

#[test]
fn transforms_outside_the_allow_list_are_refused() {
    for uri in [
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/2002/06/xmldsig-filter2",
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/2000/09/xmldsig#base64",
        "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        "http://www.w3.org/2006/12/xml-c14n11",
    ] {
        let to = format!("<ds:Transform Algorithm=\"{uri}\"/>");
        let message = format!("{uri:?} is not an allowed canonicalization");
        check_changed(&[(EXCLUSIVE, &to)], "MD-SIG-04", &message);
    }
    check_changed(
        &[(
            "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"",
            "<ds:CanonicalizationMethod Algorithm=\"urn:evil\"",
        )],
        "MD-SIG-04",
        "\"urn:evil\" is not an allowed canonicalization",
    );
}

#[test]
fn transforms_in_another_number_or_order_are_refused() {
    let first = "the first transform is not the enveloped signature transform";
    check_changed(&[(ENVELOPED, "")], "MD-SIG-04", first);
    check_changed(
        &[(
            &format!("{ENVELOPED}{EXCLUSIVE}"),
            &format!("{EXCLUSIVE}{ENVELOPED}"),
        )],
        "MD-SIG-04",
        first,
    );
    check_changed(&[(ENVELOPED, ""), (EXCLUSIVE, "")], "MD-SIG-04", first);
    check_changed(
        &[(EXCLUSIVE, &format!("{EXCLUSIVE}{EXCLUSIVE}"))],
        "MD-SIG-04",
        "the reference has 3 transforms where one or two are expected",
    );
}

#[test]
fn an_element_inside_a_transform_is_refused() {
    let xpath = "<ds:XPath>not(ancestor-or-self::ds:Signature)</ds:XPath>";
    let inside = |transform: &str| transform.replace("/>", &format!(">{xpath}</ds:Transform>"));
    let message = "`ds:XPath` is not allowed in a SAML signature";
    check_changed(&[(ENVELOPED, &inside(ENVELOPED))], "MD-SIG-07", message);
    check_changed(&[(EXCLUSIVE, &inside(EXCLUSIVE))], "MD-SIG-07", message);
}

#[test]
fn a_misplaced_signature_is_refused() {
    let text = SIGNED.replacen(signature(), "", 1);
    let end = format!("{}</md:EntityDescriptor>", signature());
    let moved = document(&change(&text, &[("</md:EntityDescriptor>", &end)]));
    check(
        &verifier(),
        &moved,
        "MD-SIG-02",
        "the signature is not the first child of the signed element",
    );
    verify_both(&verifier().allow_any_position(), &moved).expect("allowed");
    let deeper = format!("<md:Extensions>{}", signature());
    let deeper = document(&change(&text, &[("<md:Extensions>", &deeper)]));
    check(
        &verifier().allow_any_position(),
        &deeper,
        "MD-SIG-01",
        NOT_SIGNED,
    );
}

#[test]
fn a_document_without_a_canonical_form_is_refused() {
    check_changed(
        &[("<md:Extensions>", "<md:Extensions xmlns:a=\"relative\">")],
        "MD-SIG-04",
        "the signed content has no canonical form",
    );
}

#[test]
fn a_deep_document_does_not_overflow_the_stack() {
    let depth = 20_000;
    let deep = format!(
        "<md:Extensions>{}{}",
        "<a>".repeat(depth),
        "</a>".repeat(depth)
    );
    let text = change(SIGNED, &[("<md:Extensions>", &deep)]);
    let limits = Limits {
        depth: depth * 2,
        ..Limits::default()
    };
    let document = read_with(text, &limits).expect("within the limits");
    let message = "the content was changed after signing";
    check(&verifier(), &document, "MD-SIG-06", message);
}
