//! The document, and the functions that read it from bytes.

use std::{fmt, sync::OnceLock};

use crate::{
    EntitiesDescriptor, EntityDescriptor, Limits, Position, ReadError,
    edit::Edit,
    element::Element,
    names::namespace,
    reader::{self, escape::shorten},
    source::{self, Encoding, Source},
    tree::{NamespaceId, NodeId, Tree},
};

/// Reads a document within the default [`Limits`].
///
/// The input is bytes, because only the bytes show the encoding: UTF-8 with or without a byte order
/// mark, or UTF-16 with a byte order mark. Do not first decode an HTTP response by its `charset`:
/// Okta's servers declare ISO-8859-1 for UTF-8.
///
/// ```
/// let xml = br#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"
///     entityID="http://www.okta.com/exk1"/>"#;
/// let document = saml_metadata::read(xml)?;
/// assert_eq!(document.entity()?.entity_id(), "http://www.okta.com/exk1");
///
/// let error = saml_metadata::read(br#"{"errorCode":"E0000007"}"#).unwrap_err();
/// assert_eq!(error.to_string(), "not XML at all: starts with `{`, which looks like JSON");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Fails if the bytes are not well-formed, namespace-well-formed XML 1.0, have a DOCTYPE, or exceed
/// a limit. [`validate`](crate::validate()) checks whether the XML is valid *metadata*.
pub fn read(bytes: &[u8]) -> Result<Document, ReadError> {
    let limits = Limits::default();
    let Some(text) = source::borrow(bytes, &limits) else {
        return read_with(bytes, &limits);
    };
    // The text is copied only after it has been parsed successfully.
    match reader::parse_text(text, Encoding::Utf8, &limits) {
        Ok(tree) => {
            let source = Source::plain(text.to_owned());
            Ok(Document::from_parts(source, tree, limits))
        }
        Err(fault) => {
            let position = source::position(text, Encoding::Utf8, fault.offset);
            Err(ReadError::new(fault, position))
        }
    }
}

/// Reads a document within given [`Limits`]; a `Vec` of bytes is not copied.
///
/// # Errors
///
/// Fails as [`read`] does.
pub fn read_with(bytes: impl Into<Vec<u8>>, limits: &Limits) -> Result<Document, ReadError> {
    let source = match Source::decode(bytes.into(), limits) {
        Ok(source) => source,
        Err((source, fault)) => {
            let position = source.position(fault.offset);
            return Err(ReadError::new(fault, position));
        }
    };
    match reader::parse(&source, limits) {
        Ok(tree) => Ok(Document::from_parts(source, tree, limits.clone())),
        Err(fault) => {
            let position = source.position(fault.offset);
            Err(ReadError::new(fault, position))
        }
    }
}

/// A well-formed document with its bytes and the position of each element and attribute in them.
///
/// All views ([`EntityDescriptor`] and below) borrow from the document and cost nothing to create.
/// The views never fail: if the document lacks an item that the schema requires, the view returns
/// an empty value, and [`validate`](crate::validate()) reports the missing item.
#[derive(Clone)]
pub struct Document {
    pub(crate) source: Source,
    pub(crate) tree: Tree,
    limits: Limits,
    /// The entities in the order of their entityIDs; created by the first search.
    by_id: OnceLock<Box<[NodeId]>>,
}

impl Document {
    pub(crate) fn from_parts(source: Source, tree: Tree, limits: Limits) -> Self {
        Self {
            source,
            tree,
            limits,
            by_id: OnceLock::new(),
        }
    }

    /// Returns the bytes exactly as they were read or built.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.source.bytes()
    }

    /// Returns the text, including a byte order mark if present. Spans are byte ranges of this text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.source.text
    }

    /// Returns the root element, which can have any name.
    #[must_use]
    pub fn root(&self) -> Element<'_> {
        Element::new(self, self.tree.root)
    }

    /// Returns the one entity that the document describes.
    ///
    /// # Errors
    ///
    /// Fails if the document is not SAML metadata, or describes no entity or more than one.
    pub fn entity(&self) -> Result<EntityDescriptor<'_>, EntityError> {
        entity_of(self.root())
    }

    /// Returns all entities that the document describes, including those in nested groups, in order.
    pub fn entities(&self) -> impl Iterator<Item = EntityDescriptor<'_>> {
        entities_of(self.root())
    }

    /// Returns the entity with an entityID, at any depth; if there are several, the first one.
    ///
    /// The first call sorts the entities; each further call is a binary search.
    #[must_use]
    pub fn entity_by_id(&self, entity_id: &str) -> Option<EntityDescriptor<'_>> {
        let entity = |node: &NodeId| EntityDescriptor::new(Element::new(self, *node));
        let sorted = self.by_id.get_or_init(|| {
            let mut nodes: Vec<NodeId> = self.entities().map(|e| e.element().id()).collect();
            // The sort is stable, so that the first of several entities stays the first.
            nodes.sort_by_key(|node| entity(node).entity_id());
            nodes.into_boxed_slice()
        });
        let at = sorted.partition_point(|node| entity(node).entity_id() < entity_id);
        let found = entity(sorted.get(at)?);
        (found.entity_id() == entity_id).then_some(found)
    }

    /// Returns the root element as a group of entities, if it is a group.
    #[must_use]
    pub fn group(&self) -> Option<EntitiesDescriptor<'_>> {
        let root = self.root();
        root.is_in(NamespaceId::METADATA, name!("EntitiesDescriptor"))
            .then(|| EntitiesDescriptor::new(root))
    }

    /// Starts an edit that keeps the unchanged parts byte for byte.
    pub fn edit(&self) -> Edit<'_> {
        Edit::new(self)
    }

    /// Returns the line and column of a byte offset in the text.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        self.source.position(offset)
    }

    /// Returns the limits that applied when the document was read.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns the child nodes of a node: comments, processing instructions and elements.
    pub(crate) fn nodes_below(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let mut next = self.tree.node(id).first_child.some();
        std::iter::from_fn(move || {
            let this = next?;
            next = self.tree.node(this).next.some();
            Some(this)
        })
    }
}

/// Returns the only entity that a root element describes.
pub(crate) fn entity_of(root: Element<'_>) -> Result<EntityDescriptor<'_>, EntityError> {
    let is_metadata = root.is_in(NamespaceId::METADATA, name!("EntityDescriptor"))
        || root.is_in(NamespaceId::METADATA, name!("EntitiesDescriptor"));
    if !is_metadata {
        return Err(EntityError::NotMetadata {
            root: root.qualified_name().to_owned(),
            namespace: root.namespace().to_owned(),
        });
    }
    let mut entities = entities_of(root);
    let first = entities.next().ok_or(EntityError::NoEntity)?;
    match entities.count() {
        0 => Ok(first),
        others => Err(EntityError::SeveralEntities { count: others + 1 }),
    }
}

/// Returns all entities that a root element describes, including those in nested groups, in order.
pub(crate) fn entities_of(root: Element<'_>) -> impl Iterator<Item = EntityDescriptor<'_>> {
    let mut next = Some(root);
    std::iter::from_fn(move || {
        while let Some(element) = next {
            let is_group = element.is_in(NamespaceId::METADATA, name!("EntitiesDescriptor"));
            // Only groups contain entities. The walk does not descend into an entity, so it never
            // returns an entity of another document that is embedded in an `Extensions` element.
            next = is_group
                .then(|| element.children().next())
                .flatten()
                .or_else(|| following(element));
            if element.is_in(NamespaceId::METADATA, name!("EntityDescriptor")) {
                return Some(EntityDescriptor::new(element));
            }
        }
        None
    })
}

/// Returns the next element in document order that is not inside this element.
fn following(element: Element<'_>) -> Option<Element<'_>> {
    let mut at = element;
    loop {
        if let Some(next) = at.next_sibling() {
            return Some(next);
        }
        at = at.parent()?;
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("root", &self.root().qualified_name())
            .field("bytes", &self.bytes().len())
            .field("nodes", &self.tree.nodes.len())
            .finish_non_exhaustive()
    }
}

/// The reason why a document is not the metadata of one entity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntityError {
    /// The root element is not an element of SAML metadata.
    #[error("the document is not SAML metadata: its root element is `{root}`{}", of_wrong_namespace(.root, .namespace))]
    #[non_exhaustive]
    NotMetadata {
        /// The name of the root element as written.
        root: String,
        /// The namespace of the root element; empty if it has none.
        namespace: String,
    },
    /// The document is a group without entities.
    #[error("the document describes no entity")]
    NoEntity,
    /// The document is a group of several entities.
    #[error("the document describes {count} entities where one is expected")]
    #[non_exhaustive]
    SeveralEntities {
        /// Number of entities.
        count: usize,
    },
}

/// Returns the namespace of a root element that has the right name in the wrong namespace.
fn of_wrong_namespace(root: &str, wrong: &str) -> String {
    let local = root.rsplit_once(':').map_or(root, |(_, local)| local);
    if !matches!(local, "EntityDescriptor" | "EntitiesDescriptor") {
        return String::new();
    }
    let wrong = if wrong.is_empty() {
        "without a namespace".to_owned()
    } else {
        format!("in the namespace {}", shorten(wrong))
    };
    format!(" {wrong}, not in {}", namespace::METADATA)
}
