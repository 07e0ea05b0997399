//! Checks the form of a signature before any cryptography (saml-core-2.0-os 5.4).

use super::{
    algorithm::{DigestAlgorithm, SignatureAlgorithm},
    error::{SignatureError, SignatureErrorKind},
};
use crate::{
    Document, Element, base64,
    c14n::Method,
    names::namespace,
    reader::escape::shorten,
    tree::{AttributeRecord, NamespaceId, NodeKind},
};

pub(super) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
pub(super) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const EXCLUSIVE_COMMENTS: &str = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments";
const INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const INCLUSIVE_COMMENTS: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments";

/// The algorithms that use SHA-1.
pub(super) const SHA1: [&str; 4] = [
    "http://www.w3.org/2000/09/xmldsig#sha1",
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1",
];

/// A signature whose form is valid, but which is not verified yet.
pub(super) struct Form<'a> {
    pub(super) signature: Element<'a>,
    pub(super) signed_info: Element<'a>,
    pub(super) canonicalization: Method,
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) value: Vec<u8>,
    pub(super) reference: Element<'a>,
    /// Whether the reference is to the whole document instead of the element.
    pub(super) is_whole: bool,
    pub(super) transform: Method,
    pub(super) digest: DigestAlgorithm,
    pub(super) digest_value: Vec<u8>,
}

/// The exceptions from the profile that the caller allows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Policy {
    pub(super) sha1: bool,
    pub(super) any_position: bool,
}

type Result<T> = std::result::Result<T, SignatureError>;

/// Checks the form of the signature of an element.
pub(super) fn check(element: Element<'_>, policy: Policy) -> Result<Form<'_>> {
    let signature = signature_of(element, policy)?;
    check_form(element, signature, policy, |id| {
        is_duplicate_id(element, id)
    })
}

/// Checks the form of a signature of an element, at any position among the children.
pub(super) fn check_form<'a>(
    element: Element<'a>,
    signature: Element<'a>,
    policy: Policy,
    is_duplicate_id: impl FnOnce(&str) -> bool,
) -> Result<Form<'a>> {
    let signed_info = only_child(signature, "SignedInfo")?;
    let value = only_child(signature, "SignatureValue")?;
    check_children(signature, &["SignedInfo", "SignatureValue", "KeyInfo"])?;
    check_plain(signed_info, "SignedInfo")?;
    check_plain(value, "SignatureValue")?;

    let reference = only_child(signed_info, "Reference")?;
    let method = only_child(signed_info, "CanonicalizationMethod")?;
    let algorithm = only_child(signed_info, "SignatureMethod")?;
    check_children(
        signed_info,
        &["CanonicalizationMethod", "SignatureMethod", "Reference"],
    )?;
    // A child would be a length for HMAC, or a parameter of an algorithm that is not allowed.
    check_children(algorithm, &[])?;

    let is_whole = check_uri(element, reference, is_duplicate_id)?;
    let digest = only_child(reference, "DigestMethod")?;
    let digest_value = only_child(reference, "DigestValue")?;
    let transform = transform(reference)?;
    check_children(reference, &["Transforms", "DigestMethod", "DigestValue"])?;
    check_children(digest, &[])?;

    Ok(Form {
        signature,
        signed_info,
        canonicalization: canonicalization(method)?,
        algorithm: signature_algorithm(algorithm, policy)?,
        value: base64_of(value, "SignatureValue")?,
        reference,
        is_whole,
        // A same-document reference never includes comments, even if the method includes them (XML
        // Signature 4.4.3.3).
        transform: transform.comments(false),
        digest: digest_algorithm(digest, policy)?,
        digest_value: base64_of(digest_value, "DigestValue")?,
    })
}

fn signature_of(element: Element<'_>, policy: Policy) -> Result<Element<'_>> {
    let mut signatures = element.children_in(NamespaceId::SIGNATURE, name!("Signature"));
    let Some(signature) = signatures.next() else {
        return fail(element, SignatureErrorKind::NotSigned);
    };
    let others = signatures.count();
    if others > 0 {
        let count = others + 1;
        return fail(element, SignatureErrorKind::SeveralSignatures { count });
    }
    if !policy.any_position {
        check_position(element, signature)?;
    }
    Ok(signature)
}

/// Checks the position that the schema defines: the first child in metadata, and the child after
/// the optional `Issuer` in assertions and protocol messages.
fn check_position(element: Element<'_>, signature: Element<'_>) -> Result<()> {
    let is_metadata = element.namespace_id() == NamespaceId::METADATA;
    let issuer = element
        .child_in(NamespaceId::ASSERTION, name!("Issuer"))
        .filter(|_| !is_metadata);
    let mut children = element.children();
    let is_in_place = match issuer {
        Some(_) => children.next() == issuer && children.next() == Some(signature),
        None => children.next() == Some(signature),
    };
    if is_in_place {
        return Ok(());
    }
    let kind = match issuer {
        Some(_) => SignatureErrorKind::NotAfterIssuer,
        None => SignatureErrorKind::Misplaced,
    };
    fail(signature, kind)
}

/// Checks that the reference is to the element or to the whole document, and returns whether it is
/// the whole document.
fn check_uri(
    element: Element<'_>,
    reference: Element<'_>,
    is_duplicate_id: impl FnOnce(&str) -> bool,
) -> Result<bool> {
    if let Some(uri) = reference.own_attribute(name!("Type")) {
        let uri = shorten(uri);
        return fail(reference, SignatureErrorKind::ReferenceType { uri });
    }
    let Some(uri) = reference.own_attribute(name!("URI")) else {
        return fail(reference, SignatureErrorKind::NoUri);
    };
    let is_root = element.document().root().id() == element.id();
    if uri.is_empty() && is_root {
        return Ok(true);
    }
    let id = element
        .own_attribute(name!("ID"))
        .filter(|id| !id.is_empty());
    match id {
        Some(id) if uri.strip_prefix('#') == Some(id) => {
            if is_duplicate_id(id) {
                let id = shorten(id);
                return fail(element, SignatureErrorKind::DuplicateId { id });
            }
            Ok(false)
        }
        _ => {
            let uri = shorten(uri);
            fail(reference, SignatureErrorKind::OtherReference { uri })
        }
    }
}

/// Returns whether several attributes of the document that could be an ID have this value.
pub(super) fn is_duplicate_id(element: Element<'_>, id: &str) -> bool {
    let document = element.document();
    ids(document, 0)
        .filter(|other| *other == id)
        .nth(1)
        .is_some()
}

/// Returns the values of all attributes that a reader could treat as an ID (`ID`, `Id`, `id`, with
/// any prefix), starting with the attribute at index `first`.
pub(super) fn ids(document: &Document, first: usize) -> impl Iterator<Item = &str> {
    let (tree, text) = (&document.tree, document.text());
    let is_id = |record: &&AttributeRecord| {
        record.name.len - record.prefix_len == 2
            && text[record.name.range()][record.prefix_len as usize..].eq_ignore_ascii_case("id")
    };
    let records = tree.attributes[first..].iter();
    records
        .filter(is_id)
        .map(|record| tree.str(text, record.value))
}

/// Returns the canonicalization method of the transforms.
fn transform(reference: Element<'_>) -> Result<Method> {
    let list = only_child(reference, "Transforms")?;
    check_children(list, &["Transform", "Transform"])
        .or_else(|_| check_children(list, &["Transform"]))
        .or_else(|_| {
            let count = list.children().count();
            fail(list, SignatureErrorKind::TransformCount { count })
        })?;
    let mut transforms = list.children();
    let first = transforms.next();
    let Some(enveloped) = first.filter(|t| algorithm_of(*t) == ENVELOPED) else {
        return fail(list, SignatureErrorKind::NotEnveloped);
    };
    check_children(enveloped, &[])?;
    match transforms.next() {
        Some(transform) => canonicalization(transform),
        // XML Signature 4.4.3.2: without a canonicalization transform, the method is inclusive.
        None => Ok(Method::inclusive()),
    }
}

fn canonicalization(element: Element<'_>) -> Result<Method> {
    let uri = algorithm_of(element);
    let method = match uri {
        EXCLUSIVE => Method::exclusive(),
        EXCLUSIVE_COMMENTS => Method::exclusive().comments(true),
        INCLUSIVE => Method::inclusive(),
        INCLUSIVE_COMMENTS => Method::inclusive().comments(true),
        _ => {
            let uri = shorten(uri);
            return fail(element, SignatureErrorKind::Canonicalization { uri });
        }
    };
    let is_exclusive = matches!(uri, EXCLUSIVE | EXCLUSIVE_COMMENTS);
    let mut children = element.children();
    let Some(list) = children.next() else {
        return Ok(method);
    };
    let is_list = is_exclusive && list.is(EXCLUSIVE, "InclusiveNamespaces");
    if !is_list || children.next().is_some() {
        return fail(list, unexpected(list));
    }
    check_children(list, &[])?;
    let prefixes = list.own_attribute(name!("PrefixList")).unwrap_or_default();
    Ok(method.prefixes(prefixes.split_ascii_whitespace()))
}

fn signature_algorithm(element: Element<'_>, policy: Policy) -> Result<SignatureAlgorithm> {
    let uri = algorithm_of(element);
    match SignatureAlgorithm::from_uri(uri) {
        Some(SignatureAlgorithm::RsaSha1) if !policy.sha1 => {
            fail(element, SignatureErrorKind::Sha1)
        }
        Some(algorithm) => Ok(algorithm),
        None => fail(element, SignatureErrorKind::algorithm(uri)),
    }
}

fn digest_algorithm(element: Element<'_>, policy: Policy) -> Result<DigestAlgorithm> {
    let uri = algorithm_of(element);
    match DigestAlgorithm::from_uri(uri) {
        Some(DigestAlgorithm::Sha1) if !policy.sha1 => fail(element, SignatureErrorKind::Sha1),
        Some(algorithm) => Ok(algorithm),
        None => fail(element, SignatureErrorKind::algorithm(uri)),
    }
}

fn algorithm_of(element: Element<'_>) -> &str {
    element
        .own_attribute(name!("Algorithm"))
        .unwrap_or_default()
}

/// Returns the only child with a name.
fn only_child<'a>(element: Element<'a>, name: &'static str) -> Result<Element<'a>> {
    let mut found = element.children_named(namespace::SIGNATURE, name);
    match (found.next(), found.count()) {
        (Some(child), 0) => Ok(child),
        (first, others) => {
            let count = others + usize::from(first.is_some());
            fail(element, SignatureErrorKind::Count { name, count })
        }
    }
}

/// Checks that the children have these names, in this order. The last names may be missing.
fn check_children(element: Element<'_>, names: &[&str]) -> Result<()> {
    let mut names = names.iter();
    for child in element.children() {
        let name = names.next();
        let is_expected = name.is_some_and(|name| child.local_name() == *name);
        if !is_expected || child.namespace_id() != NamespaceId::SIGNATURE {
            return fail(child, unexpected(child));
        }
    }
    Ok(())
}

fn unexpected(element: Element<'_>) -> SignatureErrorKind {
    SignatureErrorKind::Unexpected {
        name: shorten(element.qualified_name()),
    }
}

/// Checks that an element contains only elements and text, because readers could interpret other
/// nodes differently.
fn check_plain(element: Element<'_>, name: &'static str) -> Result<()> {
    let nodes = &element.document().tree.nodes;
    let first = element.id().0 as usize;
    let end = element.span().end;
    let inside = nodes[first..]
        .iter()
        .take_while(|node| node.span.range().start < end);
    if inside
        .into_iter()
        .any(|node| node.kind != NodeKind::Element)
    {
        return fail(element, SignatureErrorKind::NotPlain { name });
    }
    Ok(())
}

fn base64_of(element: Element<'_>, name: &'static str) -> Result<Vec<u8>> {
    check_children(element, &[])?;
    match base64::decode(element.text()) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => fail(element, SignatureErrorKind::Base64 { name }),
    }
}

pub(super) fn fail<T>(at: Element<'_>, kind: SignatureErrorKind) -> Result<T> {
    Err(SignatureError::new(at, kind))
}
