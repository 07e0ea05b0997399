/// What a document may cost before it is refused.
///
/// Metadata is downloaded and uploaded by strangers, so every quantity that a document can grow is
/// bounded here. Reaching a limit is an error of its own ([`Limit`]), raised before the cost is
/// paid. The defaults leave room above everything seen in real federations; the reason for each
/// number is given with its field.
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
    /// Size of the document, in bytes as read. Default 256 MiB.
    ///
    /// The largest documents in use, eduGAIN's aggregates, are below 100 MB (Jisc reported 70 MB
    /// in 2022). Values above 2 GiB − 1 count as that: places in the text are 32-bit numbers.
    pub bytes: usize,
    /// Levels of elements inside each other. Default 100.
    ///
    /// Metadata with all its extensions stays below 15; deep nesting is a stack-overflow attack.
    pub depth: usize,
    /// Attributes of one element, namespace declarations included. Default 256.
    ///
    /// Real aggregates declare up to 20 namespaces on their root and use few attributes beside.
    /// Parsers that compare each attribute with each other die of one tag with 40,000 of them.
    pub attributes: usize,
    /// Length of one attribute value, in bytes as written. Default 64 KiB.
    ///
    /// The longest legitimate values are URLs; an entityID may have 1,024 characters.
    pub attribute_length: usize,
    /// Length of one element's text, in bytes as written. Default 1 MiB.
    ///
    /// The longest texts are logos embedded as `data:` URIs; 95 kB was the largest met.
    pub text_length: usize,
    /// Namespace declarations in force at one place, over all ancestors. Default 128.
    ///
    /// Each prefix is looked up in the declarations in force, so without a bound a document could
    /// make every lookup slow (the class of RUSTSEC-2026-0195). Real documents stay below 30.
    pub namespace_bindings: usize,
    /// Elements, comments, processing instructions and CDATA sections. Default 10 million.
    ///
    /// `<a/>` takes 4 bytes in a file and some 60 in memory, so bytes alone do not bound memory. A
    /// 100 MB aggregate has about 700,000 elements.
    pub nodes: usize,
    /// `EntityDescriptor` elements. Default 100,000.
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
    /// The largest document whose places fit the 32-bit numbers of the tree.
    ///
    /// Decoded text, which is never longer, has the other half of the numbers, hence the 31 bits.
    pub(crate) const MOST_BYTES: usize = 0x7fff_ffff;
}

/// Which of the [`Limits`] a document went over.
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
    /// Says in words what was too much, given the limit.
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
                format!("more than {limit} namespace declarations are in force at once")
            }
            Self::Nodes => format!("the document has more than {limit} elements and other nodes"),
            Self::Entities => format!("the document has more than {limit} entities"),
        }
    }
}
