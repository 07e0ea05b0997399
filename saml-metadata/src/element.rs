use std::{
    fmt::{self, Write as _},
    ops::Range,
};

use crate::{
    document::Document,
    reader::escape::shortened,
    tree::{AttributeRecord, NamespaceId, Node, NodeId, NodeKind, Slice},
};

/// An element of a document, of any namespace.
///
/// This is the untyped view under all typed ones: what the crate has no type for is read with it.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    document: &'a Document,
    id: NodeId,
    /// The element whose signature was verified and outside of which nothing may be reached.
    top: NodeId,
}

impl<'a> Element<'a> {
    pub(crate) fn new(document: &'a Document, id: NodeId) -> Self {
        Self {
            document,
            id,
            top: NodeId::NONE,
        }
    }

    /// Returns the element as one from which nothing around it, and not its signature, is reached.
    #[cfg(feature = "signature")]
    pub(crate) fn as_fragment_root(self) -> Self {
        Self {
            top: self.id,
            ..self
        }
    }

    /// Returns another element under the same top.
    pub(crate) fn at(self, id: NodeId) -> Self {
        Self { id, ..self }
    }

    /// Returns whether a node is the signature over the verified element, which does not sign itself.
    #[inline]
    fn hides(document: &'a Document, top: NodeId, id: NodeId) -> bool {
        top != NodeId::NONE
            && document.tree.node(id).parent == top
            && Self::new(document, id).is_in(NamespaceId::SIGNATURE, "Signature")
    }

    pub(crate) fn id(self) -> NodeId {
        self.id
    }

    pub(crate) fn document(self) -> &'a Document {
        self.document
    }

    fn node(self) -> &'a Node {
        self.document.tree.node(self.id)
    }

    pub(crate) fn namespace_id(self) -> NamespaceId {
        self.node().namespace
    }

    /// Returns whether this is an element of that name; faster than [`Element::is`].
    #[inline]
    pub(crate) fn is_in(self, namespace: NamespaceId, local_name: &str) -> bool {
        let node = self.node();
        node.namespace == namespace
            && is_named(self.document, node.name, node.prefix_len, local_name)
    }

    /// Returns whether the element has this namespace and local name.
    #[must_use]
    pub fn is(self, namespace: &str, local_name: &str) -> bool {
        self.local_name() == local_name && self.namespace() == namespace
    }

    /// Returns the namespace URI, empty for an element without one.
    #[must_use]
    pub fn namespace(self) -> &'a str {
        self.document.tree.namespace(self.node().namespace)
    }

    /// Returns the name without its prefix.
    #[must_use]
    pub fn local_name(self) -> &'a str {
        let node = self.node();
        let name = node.name.range();
        &self.document.text()[name.start + node.prefix_len as usize..name.end]
    }

    /// Returns the name as written, with its prefix if it has one.
    #[must_use]
    pub fn qualified_name(self) -> &'a str {
        &self.document.text()[self.node().name.range()]
    }

    /// Returns the value of an attribute without a namespace, decoded.
    #[must_use]
    pub fn attribute(self, name: &str) -> Option<&'a str> {
        self.find_attribute(NamespaceId::NONE, name)
            .map(Attribute::value)
    }

    /// Returns the value of an attribute of a namespace, decoded.
    #[must_use]
    pub fn attribute_in(self, namespace: &str, local_name: &str) -> Option<&'a str> {
        self.attributes()
            .find(|attribute| {
                attribute.local_name() == local_name && attribute.namespace() == namespace
            })
            .map(Attribute::value)
    }

    pub(crate) fn find_attribute(
        self,
        namespace: NamespaceId,
        local_name: &str,
    ) -> Option<Attribute<'a>> {
        self.records().find(|attribute| {
            let record = attribute.record;
            record.namespace == namespace
                && is_named(self.document, record.name, record.prefix_len, local_name)
        })
    }

    /// Returns `xml:lang`, on the element itself.
    #[must_use]
    pub fn language(self) -> Option<&'a str> {
        self.find_attribute(NamespaceId::XML, "lang")
            .map(Attribute::value)
    }

    /// Returns the attributes, without namespace declarations, in the order written.
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'a>> {
        self.records()
            .filter(|attribute| attribute.record.namespace != NamespaceId::XMLNS)
    }

    /// Returns the namespace declarations made here, as prefix and URI.
    ///
    /// The prefix is empty for the default namespace.
    pub fn namespace_declarations(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.records()
            .filter(|attribute| attribute.record.namespace == NamespaceId::XMLNS)
            .map(|attribute| {
                let name = attribute.qualified_name();
                let prefix = name.strip_prefix("xmlns:").unwrap_or_default();
                (prefix, attribute.value())
            })
    }

    /// Returns the namespace that a prefix stands for here, such as in an `xsi:type`.
    #[must_use]
    pub fn namespace_of_prefix(self, prefix: &str) -> Option<&'a str> {
        if prefix == "xml" {
            return Some(crate::names::namespace::XML);
        }
        self.ancestors()
            .flat_map(Self::namespace_declarations)
            .find(|(declared, _)| *declared == prefix)
            .map(|(_, uri)| uri)
    }

    fn records(self) -> impl Iterator<Item = Attribute<'a>> {
        let document = self.document;
        document
            .tree
            .attributes_of(self.id)
            .iter()
            .map(move |record| Attribute { document, record })
    }

    /// Returns the text inside, decoded; comments do not cut it.
    ///
    /// The text of an element that has child elements is empty: metadata has no mixed content, and
    /// reading a part of one would let a document mean different things to different readers.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.document
            .tree
            .str(self.document.text(), self.node().value)
    }

    /// Returns the element around this one.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        if self.id == self.top {
            return None;
        }
        let parent = self.node().parent.some()?;
        Some(self.at(parent))
    }

    /// Returns this element, the one around it, and so on to the root.
    pub fn ancestors(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), |element| element.parent())
    }

    /// Returns the elements right inside, in order.
    #[must_use]
    pub fn children(self) -> Children<'a> {
        Children {
            of: self,
            next: self.node().first_child,
        }
    }

    /// Returns the elements of one name right inside, in order.
    pub fn children_named<'n>(
        self,
        namespace: &'n str,
        local_name: &'n str,
    ) -> impl Iterator<Item = Self> + use<'a, 'n> {
        self.children()
            .filter(move |child| child.is(namespace, local_name))
    }

    /// Returns the children of one name; faster than [`Element::children_named`].
    pub(crate) fn children_in(
        self,
        namespace: NamespaceId,
        local_name: &'static str,
    ) -> impl Iterator<Item = Self> {
        self.children()
            .filter(move |child| child.is_in(namespace, local_name))
    }

    pub(crate) fn child_in(self, namespace: NamespaceId, local_name: &'static str) -> Option<Self> {
        self.children_in(namespace, local_name).next()
    }

    pub(crate) fn next_sibling(self) -> Option<Self> {
        if self.id == self.top {
            return None;
        }
        Children {
            of: self,
            next: self.node().next,
        }
        .next()
    }

    /// Returns this element and all inside, in document order, without recursion.
    pub fn descendants(self) -> impl Iterator<Item = Self> {
        let end = self.node().span.range().end;
        let document = self.document;
        let hidden = (self.id == self.top)
            .then(|| document.nodes_below(self.id))
            .into_iter()
            .flatten()
            .find(|id| Self::hides(document, self.top, *id))
            .map_or(0..0, |id| document.tree.node(id).span.range());
        // Nodes are numbered in document order.
        (self.id.0..crate::tree::number(document.tree.nodes.len()))
            .map(move |number| self.at(NodeId(number)))
            .take_while(move |element| element.span().start < end)
            .filter(move |element| {
                element.node().kind == NodeKind::Element && !hidden.contains(&element.span().start)
            })
    }

    /// Returns where the element stands in [`Document::text`], from `<` to behind its last `>`.
    #[must_use]
    pub fn span(self) -> Range<usize> {
        self.node().span.range()
    }

    /// Returns where the inside of the element stands in [`Document::text`].
    #[must_use]
    pub fn content_span(self) -> Range<usize> {
        self.node().content.range()
    }

    /// Returns the element as written.
    #[must_use]
    pub fn source(self) -> &'a str {
        &self.document.text()[self.span()]
    }

    /// Returns where the name in the start tag ends.
    pub(crate) fn name_end(self) -> usize {
        self.node().name.range().end
    }

    /// Returns the `XPath` of the element, with the usual prefixes: `/md:EntityDescriptor[1]/…`.
    ///
    /// A number stands only where several siblings have the name. Names are cut after 60
    /// characters.
    #[must_use]
    pub fn path(self) -> String {
        let steps: Vec<Self> = self.ancestors().collect();
        let mut path = String::new();
        for element in steps.into_iter().rev() {
            element.push_step(element.number(), &mut path);
        }
        path
    }

    /// Appends one step of a path; `number` counts the siblings of the name, 0 if there are none.
    pub(crate) fn push_step(self, number: usize, to: &mut String) {
        // A name may be as long as a document, and a path stands in every finding.
        let local = shortened(self.local_name());
        let (before, colon, behind) = match self.node().namespace.usual_prefix() {
            Some("") => ("", "", ""),
            Some(prefix) => (prefix, ":", ""),
            None => ("*[local-name()='", "", "']"),
        };
        for part in ["/", before, colon, &local, behind] {
            to.push_str(part);
        }
        if number > 0 {
            // Writing to a string does not fail.
            let _ = write!(to, "[{number}]");
        }
    }

    /// Returns the number of the element among its siblings of the name, 0 if it is the only one.
    pub(crate) fn number(self) -> usize {
        let (namespace, local_name) = (self.namespace_id(), self.local_name());
        let same = |other: &Self| other.is_in(namespace, local_name);
        let siblings = self.parent().map(|parent| parent.children().filter(same));
        let (mut all, mut before) = (0, 0);
        for sibling in siblings.into_iter().flatten() {
            all += 1;
            before += usize::from(sibling.id < self.id);
        }
        if all > 1 { before + 1 } else { 0 }
    }
}

/// Returns whether a name has this local part.
#[inline]
fn is_named(document: &Document, name: Slice, prefix_len: u32, local_name: &str) -> bool {
    // Most names differ in length already, and the text need not be looked at.
    (name.len - prefix_len) as usize == local_name.len() && {
        let name = &document.text().as_bytes()[name.range()];
        name.ends_with(local_name.as_bytes())
    }
}

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.document, other.document) && self.id == other.id
    }
}

impl Eq for Element<'_> {}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Range { start, end } = self.span();
        write!(f, "<{}> at {start}..{end}", self.qualified_name())
    }
}

#[cfg(test)]
thread_local! {
    /// How many children this thread has looked at, by which tests count work.
    pub(crate) static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// The elements right inside of an element, made by [`Element::children`].
#[derive(Debug, Clone)]
pub struct Children<'a> {
    /// An element of the same document and under the same top.
    of: Element<'a>,
    next: NodeId,
}

impl<'a> Iterator for Children<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let id = self.next.some()?;
            #[cfg(test)]
            STEPS.set(STEPS.get() + 1);
            let node = self.of.document.tree.node(id);
            self.next = node.next;
            let hidden = Element::hides(self.of.document, self.of.top, id);
            if node.kind == NodeKind::Element && !hidden {
                return Some(self.of.at(id));
            }
        }
    }
}

/// An attribute of an element.
#[derive(Clone, Copy)]
pub struct Attribute<'a> {
    document: &'a Document,
    record: &'a AttributeRecord,
}

impl<'a> Attribute<'a> {
    /// Returns the name as written.
    #[must_use]
    pub fn qualified_name(self) -> &'a str {
        &self.document.text()[self.record.name.range()]
    }

    /// Returns the name without its prefix.
    #[must_use]
    pub fn local_name(self) -> &'a str {
        let name = self.record.name.range();
        &self.document.text()[name.start + self.record.prefix_len as usize..name.end]
    }

    /// Returns the namespace URI, empty for the usual attribute without a prefix.
    #[must_use]
    pub fn namespace(self) -> &'a str {
        self.document.tree.namespace(self.record.namespace)
    }

    /// Returns the value with references resolved and white space normalized.
    #[must_use]
    pub fn value(self) -> &'a str {
        self.document
            .tree
            .str(self.document.text(), self.record.value)
    }

    /// Returns where the attribute stands in [`Document::text`], its name and quotes included.
    #[must_use]
    pub fn span(self) -> Range<usize> {
        self.record.name.range().start..self.value_span().end + 1
    }

    /// Returns where the value between the quotes stands in [`Document::text`].
    #[must_use]
    pub fn value_span(self) -> Range<usize> {
        self.record.raw.range()
    }
}

impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={:?}", self.qualified_name(), self.value())
    }
}
