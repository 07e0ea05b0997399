//! The tree of a document, in one arena.

use std::ops::Range;

use crate::{local_name::LocalName, names::namespace};

/// Index of a node in [`Tree::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(pub(crate) u32);

impl NodeId {
    /// The document node. Its children are the root element and the comments and processing
    /// instructions around it.
    pub(crate) const DOCUMENT: Self = Self(0);
    /// The value for a missing node. The document node is never a child or a sibling, so its index
    /// can have this second meaning.
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn some(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }
}

/// Index of a namespace: first the table of known namespaces, then [`Tree::namespaces`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct NamespaceId(pub(crate) u32);

impl NamespaceId {
    pub(crate) const NONE: Self = Self::known("");
    pub(crate) const XML: Self = Self::known(namespace::XML);
    pub(crate) const XMLNS: Self = Self::known(namespace::XMLNS);
    pub(crate) const METADATA: Self = Self::known(namespace::METADATA);
    pub(crate) const ASSERTION: Self = Self::known(namespace::ASSERTION);
    pub(crate) const SIGNATURE: Self = Self::known(namespace::SIGNATURE);
    pub(crate) const SIGNATURE_11: Self = Self::known(namespace::SIGNATURE_11);
    pub(crate) const ENCRYPTION: Self = Self::known(namespace::ENCRYPTION);
    pub(crate) const UI: Self = Self::known(namespace::UI);
    pub(crate) const REGISTRATION: Self = Self::known(namespace::REGISTRATION);
    pub(crate) const ENTITY_ATTRIBUTES: Self = Self::known(namespace::ENTITY_ATTRIBUTES);
    pub(crate) const ALGORITHM: Self = Self::known(namespace::ALGORITHM);
    pub(crate) const SHIBBOLETH: Self = Self::known(namespace::SHIBBOLETH);
    pub(crate) const DISCOVERY: Self = Self::known(namespace::DISCOVERY);
    pub(crate) const REQUEST_INITIATION: Self = Self::known(namespace::REQUEST_INITIATION);
    pub(crate) const WS_FEDERATION: Self = Self::known(namespace::WS_FEDERATION);
    pub(crate) const WS_ADDRESSING: Self = Self::known(namespace::WS_ADDRESSING);
    pub(crate) const SCHEMA_INSTANCE: Self = Self::known(namespace::SCHEMA_INSTANCE);

    /// Returns the id of a known namespace at compile time.
    const fn known(uri: &str) -> Self {
        let mut number = 0;
        while number < namespace::KNOWN.len() {
            if same(namespace::KNOWN[number].0.as_bytes(), uri.as_bytes()) {
                #[expect(clippy::cast_possible_truncation, reason = "the table is short")]
                return Self(number as u32);
            }
            number += 1;
        }
        panic!("a namespace constant is missing from the table of known namespaces");
    }

    /// Returns the usual prefix of a known namespace.
    pub(crate) fn usual_prefix(self) -> Option<&'static str> {
        namespace::KNOWN
            .get(self.0 as usize)
            .map(|(_, prefix)| *prefix)
    }
}

pub(crate) const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// A range of the document's text; a range that starts at [`DECODED`] or above is a range of
/// [`Tree::decoded`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Slice {
    pub(crate) fn new(range: Range<usize>) -> Self {
        Self {
            start: to_u32(range.start),
            len: to_u32(range.len()),
        }
    }

    pub(crate) fn range(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.len as usize
    }
}

/// The first offset of [`Tree::decoded`]: larger than every offset of a document.
pub(crate) const DECODED: usize = 0x8000_0000;

/// Converts an offset, or an index of the tree, into the 32 bits in which the tree stores it.
pub(crate) fn to_u32(offset: usize) -> u32 {
    u32::try_from(offset).expect("`Limits::MAX_BYTES` keeps every offset below 2^32")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeKind {
    Document,
    Element,
    Comment,
    ProcessingInstruction,
    CData,
}

/// A node and its range in the text.
///
/// Plain text has no nodes: it is the text between the children of an element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) parent: NodeId,
    pub(crate) next: NodeId,
    pub(crate) first_child: NodeId,
    /// The whole node, from its first `<` to its last `>`.
    pub(crate) span: Slice,
    /// For elements: the text between the start tag and the end tag.
    pub(crate) content: Slice,
    /// For elements: the name as written.
    pub(crate) name: Slice,
    /// For elements: length of the prefix in the name, including the colon.
    pub(crate) prefix_len: u32,
    pub(crate) namespace: NamespaceId,
    /// For elements: the number of the local name.
    pub(crate) local_name: LocalName,
    pub(crate) first_attribute: u32,
    pub(crate) attributes: u32,
    /// For elements without child elements: the decoded text.
    pub(crate) value: Slice,
    /// Whether the reader found text that is not white space, a reference or a CDATA section
    /// directly inside the element. A stream drops such text between the children of a group.
    pub(crate) may_have_text: bool,
}

/// An attribute or a namespace declaration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttributeRecord {
    pub(crate) name: Slice,
    /// Length of the prefix in the name, including the colon.
    pub(crate) prefix_len: u32,
    pub(crate) namespace: NamespaceId,
    /// The number of the local name.
    pub(crate) local_name: LocalName,
    /// The value between the quotes, as written.
    pub(crate) raw: Slice,
    /// The decoded value.
    pub(crate) value: Slice,
}

/// A whole document in one arena.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    pub(crate) attributes: Vec<AttributeRecord>,
    pub(crate) namespaces: Vec<Box<str>>,
    /// The decoded values that differ from their source text, concatenated.
    pub(crate) decoded: String,
    pub(crate) root: NodeId,
}

impl Tree {
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// Returns the text of a slice, given the document's text.
    pub(crate) fn str<'a>(&'a self, text: &'a str, slice: Slice) -> &'a str {
        let range = slice.range();
        match range.start.checked_sub(DECODED) {
            Some(start) => &self.decoded[start..start + range.len()],
            None => &text[range],
        }
    }

    pub(crate) fn namespace(&self, id: NamespaceId) -> &str {
        match namespace::KNOWN.get(id.0 as usize) {
            Some((uri, _)) => uri,
            None => &self.namespaces[id.0 as usize - namespace::KNOWN.len()],
        }
    }

    pub(crate) fn attributes_of(&self, node: &Node) -> &[AttributeRecord] {
        let first = node.first_attribute as usize;
        &self.attributes[first..first + node.attributes as usize]
    }
}
