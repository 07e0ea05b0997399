//! Signer for documents.

use super::{
    algorithm::SignatureAlgorithm,
    error::SignatureError,
    profile::{ENVELOPED, EXCLUSIVE, is_duplicate_id},
    secret::SigningKey,
    verify::Verifier,
};
use crate::{
    Certificate, Document, EditError, Element, ReadError, base64,
    c14n::{C14nError, Method},
    document::read_with,
    names::namespace,
    tree::{NamespaceId, NodeId},
};

/// Signs documents: inserts a signature into the root element, without other changes.
///
/// The signature is enveloped, uses the exclusive canonical form, and is the first child of the root
/// element, as the schema requires. A root element without an `ID` gets one, derived from the
/// content.
#[derive(Debug, Clone)]
#[must_use = "a signer does nothing until `sign` is called"]
pub struct Signer<'k> {
    key: &'k SigningKey,
    algorithm: SignatureAlgorithm,
    certificates: Vec<Certificate>,
}

impl<'k> Signer<'k> {
    /// Creates a signer with a key.
    ///
    /// The default algorithm is RSA with SHA-256, or ECDSA with the digest of the curve's length.
    pub fn new(key: &'k SigningKey) -> Self {
        Self {
            key,
            algorithm: key.default_algorithm(),
            certificates: Vec::new(),
        }
    }

    /// Sets the algorithm.
    pub fn algorithm(mut self, algorithm: SignatureAlgorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Adds a certificate of the key to `KeyInfo`, as information for readers.
    pub fn certificate(mut self, certificate: &Certificate) -> Self {
        self.certificates.push(certificate.clone());
        self
    }

    /// Returns the document with a signature in its root element.
    ///
    /// The new signature is verified with the public key before it is returned.
    ///
    /// # Errors
    ///
    /// Fails if the root element is not `EntityDescriptor` or `EntitiesDescriptor`, already has a
    /// signature, or has an `ID` that another element also has. Also fails if a certificate belongs
    /// to another key, if the key does not fit the algorithm, if there is no canonical form, or if the
    /// result exceeds a limit.
    pub fn sign(&self, document: &Document) -> Result<Document, SignError> {
        let root = document.root();
        if !root.is_in(NamespaceId::METADATA, name!("EntityDescriptor"))
            && !root.is_in(NamespaceId::METADATA, name!("EntitiesDescriptor"))
        {
            return Err(SignError::NotMetadata);
        }
        if root.signature().is_some() {
            return Err(SignError::Signed);
        }
        if root
            .own_attribute(name!("ID"))
            .is_some_and(|id| !id.is_empty())
        {
            return self.insert(document);
        }
        let id = id_of(document)?;
        let edit = document.edit().set_attribute(root, "ID", &id);
        self.insert(&edit.apply()?)
    }

    /// Returns the document with a signature in one of its elements, such as the assertion of a
    /// response.
    ///
    /// In an assertion or a protocol message, the signature follows the `Issuer`, as the schema
    /// requires. A signature of an element around this one must be made later, because it covers
    /// this signature too.
    ///
    /// # Errors
    ///
    /// Fails if the element has no `ID` or already has a signature, and as [`sign`](Self::sign) does.
    pub fn sign_element(&self, element: Element<'_>) -> Result<Document, SignError> {
        if element.signature().is_some() {
            return Err(SignError::Signed);
        }
        if element.own_attribute(name!("ID")).is_none_or(str::is_empty) {
            return Err(SignError::NoId);
        }
        self.insert_into(element)
    }

    /// Returns the document with a new signature in its root element, in place of the old one.
    ///
    /// A document without a signature is signed. The `ID` stays.
    ///
    /// # Errors
    ///
    /// Fails as [`sign`](Self::sign) does, except that the document may already be signed.
    pub fn renew(&self, document: &Document) -> Result<Document, SignError> {
        let root = document.root();
        if root.signature().is_none() {
            return self.sign(document);
        }
        self.sign(&document.edit().remove_signature(root).apply()?)
    }

    fn insert(&self, document: &Document) -> Result<Document, SignError> {
        self.insert_into(document.root())
    }

    fn insert_into(&self, root: Element<'_>) -> Result<Document, SignError> {
        let key = self.key.verifying_key().der();
        if let Some(other) = self.certificates.iter().find(|c| c.public_key_der() != key) {
            return Err(SignError::OtherKey {
                fingerprint: other.fingerprint_sha256(),
            });
        }
        let document = root.document();
        let id = root.own_attribute(name!("ID")).unwrap_or_default();
        if is_duplicate_id(root, id) {
            return Err(SignError::DuplicateId { id: id.to_owned() });
        }
        let signature = self.signature(root, id)?;
        let (span, content) = (root.span(), root.content_span());
        let text = document.text();
        let mut signed = String::with_capacity(text.len() + signature.len());
        if content.end == span.end {
            // `<a/>` has no content.
            let name = root.qualified_name();
            signed.push_str(&text[..span.end - "/>".len()]);
            signed.push('>');
            signed.push_str(&signature);
            signed.push_str("</");
            signed.push_str(name);
            signed.push('>');
            signed.push_str(&text[span.end..]);
        } else {
            let issuer = root.children().next().filter(|child| {
                root.namespace_id() != NamespaceId::METADATA
                    && child.is_in(NamespaceId::ASSERTION, name!("Issuer"))
            });
            let at = issuer.map_or(content.start, |issuer| issuer.span().end);
            signed.push_str(&text[..at]);
            signed.push_str(&signature);
            signed.push_str(&text[at..]);
        }
        let bytes = document.source.encode(signed);
        let signed = read_with(bytes, document.limits())?;
        let verifier = Verifier::new([self.key.verifying_key().clone()]);
        // The signature is inserted after the start of the element, which keeps its place.
        let start = span.start;
        let element = signed
            .root()
            .descendants()
            .find(|element| element.span().start == start)
            .unwrap_or(signed.root());
        verifier.verify_element(element)?;
        Ok(signed)
    }

    /// Returns the `Signature` element as text.
    fn signature(&self, root: Element<'_>, id: &str) -> Result<String, SignError> {
        let digest_method = self.algorithm.digest();
        let context = digest_method.context();
        let context = Method::exclusive().write_element(root, NodeId::NONE, context)?;
        let digest = base64::encode(context.finish().as_ref());
        let mut escaped = String::new();
        crate::reader::escape::escape_attribute(id, &mut escaped);
        let head = format!("<ds:Signature xmlns:ds=\"{}\">", namespace::SIGNATURE);
        let signed_info = format!(
            "<ds:SignedInfo>\
             <ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/>\
             <ds:SignatureMethod Algorithm=\"{}\"/>\
             <ds:Reference URI=\"#{escaped}\">\
             <ds:Transforms>\
             <ds:Transform Algorithm=\"{ENVELOPED}\"/>\
             <ds:Transform Algorithm=\"{EXCLUSIVE}\"/>\
             </ds:Transforms>\
             <ds:DigestMethod Algorithm=\"{}\"/>\
             <ds:DigestValue>{digest}</ds:DigestValue>\
             </ds:Reference>\
             </ds:SignedInfo>",
            self.algorithm.uri(),
            digest_method.uri(),
        );
        let value = self.value(&format!("{head}{signed_info}</ds:Signature>"))?;
        Ok(format!(
            "{head}{signed_info}<ds:SignatureValue>{}</ds:SignatureValue>{}</ds:Signature>",
            base64::encode(&value),
            self.key_info(),
        ))
    }

    /// Returns the signature value, given a `Signature` element that contains only `SignedInfo`.
    fn value(&self, signature: &str) -> Result<Vec<u8>, SignError> {
        let document = crate::read(signature.as_bytes())?;
        // The exclusive form does not depend on the elements around `Signature`.
        let signed_info = document.root().children().next().unwrap_or(document.root());
        let message = Method::exclusive().element(signed_info)?;
        self.key
            .sign(self.algorithm, &message)
            .ok_or(SignError::Algorithm {
                algorithm: self.algorithm,
            })
    }

    fn key_info(&self) -> String {
        if self.certificates.is_empty() {
            return String::new();
        }
        let mut certificates = String::new();
        for certificate in &self.certificates {
            certificates.push_str("<ds:X509Certificate>");
            certificates.push_str(&base64::encode_lines(certificate.der(), 76));
            certificates.push_str("</ds:X509Certificate>");
        }
        format!("<ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo>")
    }
}

/// Returns an ID for a root element without one; equal content gets an equal ID.
fn id_of(document: &Document) -> Result<String, SignError> {
    use std::fmt::Write as _;

    let context = SignatureAlgorithm::RsaSha256.digest().context();
    let context = Method::exclusive().write_element(document.root(), NodeId::NONE, context)?;
    // A name must not begin with a digit. With 128 bits, an accidental duplicate is practically
    // impossible (required by MD 3.1.2).
    let mut id = "_".to_owned();
    for byte in &context.finish().as_ref()[..16] {
        let _ = write!(id, "{byte:02x}");
    }
    Ok(id)
}

/// The reason why a document could not be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The root element is not `EntityDescriptor` or `EntitiesDescriptor`.
    #[error("the root element is not `EntityDescriptor` or `EntitiesDescriptor` of SAML metadata")]
    NotMetadata,
    /// The document already has a signature.
    #[error("the document is already signed")]
    Signed,
    /// The element to sign has no ID for the signature to refer to.
    #[error("the element has no ID")]
    NoId,
    /// A certificate belongs to another key than the signing key.
    #[error("the certificate {fingerprint} belongs to another key than the one that signs")]
    #[non_exhaustive]
    OtherKey {
        /// The SHA-256 fingerprint of the certificate.
        fingerprint: String,
    },
    /// Another element has the ID of the element to sign.
    #[error("the ID {id:?} of the element is not unique in the document")]
    #[non_exhaustive]
    DuplicateId {
        /// The ID.
        id: String,
    },
    /// The key does not fit the algorithm.
    #[error("the key cannot sign with {}", .algorithm.uri())]
    #[non_exhaustive]
    Algorithm {
        /// The algorithm.
        algorithm: SignatureAlgorithm,
    },
    /// The document has no canonical form.
    #[error("the document has no canonical form")]
    NoCanonicalForm(#[from] C14nError),
    /// An `ID` could not be added to the root element, or an old signature could not be removed.
    #[error("the document cannot be prepared for the signature")]
    Edit(#[from] EditError),
    /// The signed document cannot be read, for example because it exceeds a limit.
    #[error("the signed document cannot be read")]
    Unreadable(#[from] ReadError),
    /// The new signature could not be verified.
    #[error("the new signature does not verify")]
    Unverifiable(#[from] SignatureError),
}
