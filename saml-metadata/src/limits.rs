//! The limits of the reader, and the errors for exceeded limits.

/// The limits on the size and complexity of a document.
///
/// Metadata comes from untrusted sources, so every quantity that a document controls has a limit.
/// A document that exceeds a limit fails with a separate kind of error ([`Limit`]), before the
/// resource is used. The defaults are above all values seen in real federations; each field gives
/// the reason for its default.
///
/// ```
/// use saml_metadata::{Limits, read_with};
///
/// let strict = Limits { depth: 2, ..Limits::default() };
/// let error = read_with(b"<a><b><c/></b></a>", &strict).unwrap_err();
/// assert_eq!(error.to_string(), "line 1, column 7: elements are nested deeper than 2 levels");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Size of the document in bytes (default: 256 MiB).
    ///
    /// The largest documents in use, eduGAIN's aggregates, are below 100 MB (Jisc reported 70 MB
    /// in 2022). Values above 2 GiB − 1 are treated as 2 GiB − 1, because offsets into the text are
    /// 32-bit numbers.
    pub bytes: usize,
    /// Nesting depth of elements (default: 100).
    ///
    /// Metadata with all its extensions stays below 15; deep nesting is a stack-overflow attack.
    pub depth: usize,
    /// Number of attributes of one element, including namespace declarations (default: 256).
    ///
    /// Real aggregates declare up to 20 namespaces on their root element and use few other
    /// attributes. A parser that compares each attribute with each other attribute hangs on one tag
    /// with 40,000 attributes.
    pub attributes: usize,
    /// Length of one attribute value in bytes, as written (default: 64 KiB).
    ///
    /// The longest legitimate values are URLs; an entityID may have 1,024 characters.
    pub attribute_length: usize,
    /// Length of the text of one element in bytes, as written (default: 1 MiB).
    ///
    /// The longest texts are logos embedded as `data:` URIs; the largest seen has 95 kB.
    pub text_length: usize,
    /// Number of namespace declarations in scope, over all ancestors (default: 128).
    ///
    /// The reader searches the declarations in scope for each prefix, so without a limit a document
    /// could make every search slow (the class of RUSTSEC-2026-0195). Real documents stay below 30.
    pub namespace_bindings: usize,
    /// Number of elements, comments, processing instructions and CDATA sections (default: 10
    /// million).
    ///
    /// `<a/>` takes 4 bytes in a file and some 60 in memory, so a limit on bytes alone does not
    /// limit memory. A 100 MB aggregate has about 700,000 elements.
    pub nodes: usize,
    /// Number of `EntityDescriptor` elements (default: 100,000).
    ///
    /// All of eduGAIN has fewer than 20,000 entities.
    pub entities: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 256 << 20,
            depth: 100,
            attributes: 256,
            attribute_length: 64 << 10,
            text_length: 1 << 20,
            namespace_bindings: 128,
            nodes: 10_000_000,
            entities: 100_000,
        }
    }
}

impl Limits {
    /// The largest document whose offsets fit the 32-bit numbers of the tree.
    ///
    /// The lower half of the numbers (31 bits) is for the document. The upper half is for decoded
    /// text, which is never longer than the document.
    pub(crate) const MAX_BYTES: usize = 0x7fff_ffff;
}

/// The limit of [`Limits`] that a document exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::bytes`].
    Bytes,
    /// [`Limits::depth`].
    Depth,
    /// [`Limits::attributes`].
    Attributes,
    /// [`Limits::attribute_length`].
    AttributeLength,
    /// [`Limits::text_length`].
    TextLength,
    /// [`Limits::namespace_bindings`].
    NamespaceBindings,
    /// [`Limits::nodes`].
    Nodes,
    /// [`Limits::entities`].
    Entities,
}

impl Limit {
    /// Returns the error message, given the value of the limit.
    pub(crate) fn exceeded(self, limit: usize) -> String {
        match self {
            Self::Bytes => format!("the document is larger than {limit} bytes"),
            Self::Depth => format!("elements are nested deeper than {limit} levels"),
            Self::Attributes => format!("an element has more than {limit} attributes"),
            Self::AttributeLength => {
                format!("an attribute value is longer than {limit} bytes")
            }
            Self::TextLength => format!("the text of an element is longer than {limit} bytes"),
            Self::NamespaceBindings => {
                format!("more than {limit} namespace declarations are in scope")
            }
            Self::Nodes => format!("the document has more than {limit} elements and other nodes"),
            Self::Entities => format!("the document has more than {limit} entities"),
        }
    }
}
