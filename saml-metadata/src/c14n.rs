//! The canonical form of a document or an element: the bytes that a signature covers.
//!
//! SAML signs with Exclusive XML Canonicalization 1.0 (saml-core-2.0-os 5.4.3). Canonical XML 1.0
//! is supported for documents that use it nevertheless. Both methods read the same tree as the rest
//! of the crate, so the digested content is the content that the caller sees.
//!
//! ```
//! use saml_metadata::c14n::Method;
//!
//! let document = saml_metadata::read(b"<a b='2'  a='1' xmlns:unused='urn:x'><!-- no --><c/></a>")?;
//! let bytes = Method::exclusive().document(&document)?;
//! assert_eq!(bytes, br#"<a a="1" b="2"><c></c></a>"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod namespaces;
mod stream;
mod walk;
mod write;

pub use self::stream::C14nStreamError;
pub(crate) use self::stream::Canonicalizer;
use self::write::Sink;
use crate::{Document, Element, tree::NodeId};

/// A canonicalization method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    exclusive: bool,
    comments: bool,
    prefixes: Vec<String>,
}

impl Method {
    /// Returns Exclusive XML Canonicalization 1.0, which writes only the namespaces in use.
    #[must_use]
    pub fn exclusive() -> Self {
        Self {
            exclusive: true,
            comments: false,
            prefixes: Vec::new(),
        }
    }

    /// Returns Canonical XML 1.0, which writes all namespaces in scope.
    #[must_use]
    pub fn inclusive() -> Self {
        Self {
            exclusive: false,
            ..Self::exclusive()
        }
    }

    /// Sets whether comments are kept (default: no).
    #[must_use]
    pub fn comments(self, comments: bool) -> Self {
        Self { comments, ..self }
    }

    /// Sets the prefixes that exclusive canonicalization treats as inclusive canonicalization does.
    ///
    /// These are the `PrefixList` of `InclusiveNamespaces`, where `#default` means no prefix.
    #[must_use]
    pub fn prefixes<P: Into<String>>(self, prefixes: impl IntoIterator<Item = P>) -> Self {
        let prefix = |prefix: P| {
            let prefix = prefix.into();
            match prefix.as_str() {
                "#default" => String::new(),
                _ => prefix,
            }
        };
        Self {
            prefixes: prefixes.into_iter().map(prefix).collect(),
            ..self
        }
    }

    /// Returns the canonical form of a whole document, including the nodes around its root element.
    ///
    /// # Errors
    ///
    /// Fails if a namespace URI is relative.
    pub fn document(&self, document: &Document) -> Result<Vec<u8>, C14nError> {
        let bytes = Vec::with_capacity(document.text().len());
        self.write_document(document, NodeId::NONE, bytes)
    }

    /// Returns the canonical form of an element and its content.
    ///
    /// # Errors
    ///
    /// Fails if a namespace URI is relative.
    pub fn element(&self, element: Element<'_>) -> Result<Vec<u8>, C14nError> {
        let bytes = Vec::with_capacity(element.span().len());
        self.write_element(element, NodeId::NONE, bytes)
    }

    /// Writes the canonical form of a document, without one node, to a sink in chunks.
    pub(crate) fn write_document<S: Sink>(
        &self,
        document: &Document,
        without: NodeId,
        sink: S,
    ) -> Result<S, C14nError> {
        walk::document(self, document, without, sink)
    }

    /// Writes the canonical form of an element, without one node, to a sink in chunks.
    pub(crate) fn write_element<S: Sink>(
        &self,
        element: Element<'_>,
        without: NodeId,
        sink: S,
    ) -> Result<S, C14nError> {
        walk::element(self, element, without, sink)
    }
}

/// The reason why there is no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum C14nError {
    /// A namespace URI is relative without a defined base; Canonical XML 1.0 section 1.3 requires an
    /// error.
    #[error("the namespace URI {uri:?} is relative, so there is no canonical form")]
    #[non_exhaustive]
    RelativeNamespace {
        /// The URI, cut after 60 characters.
        uri: String,
        /// Byte offset of the declaration in [`Document::text`].
        offset: usize,
    },
}

impl C14nError {
    /// Converts the offset, for example to an offset in a stream.
    pub(crate) fn map_offset(self, convert: impl FnOnce(usize) -> usize) -> Self {
        match self {
            Self::RelativeNamespace { uri, offset } => Self::RelativeNamespace {
                uri,
                offset: convert(offset),
            },
        }
    }
}
