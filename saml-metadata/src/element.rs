//! Untyped views of elements and attributes.

use std::{
    fmt::{self, Write as _},
    ops::Range,
};

use crate::{
    document::Document,
    local_name::LocalName,
    reader::escape::shortened,
    tree::{AttributeRecord, NamespaceId, Node, NodeId, NodeKind},
};

/// An element of a document, in any namespace.
///
/// This is the untyped view on which all typed views are built. Use it to read elements for which
/// the crate has no type.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    document: &'a Document,
    id: NodeId,
    node: &'a Node,
    /// The element whose signature was verified. Navigation must not leave this element. `NONE` for
    /// an unrestricted view.
    fragment_root: NodeId,
}

impl<'a> Element<'a> {
    pub(crate) fn new(document: &'a Document, id: NodeId) -> Self {
        Self {
            document,
            id,
            node: document.tree.node(id),
            fragment_root: NodeId::NONE,
        }
    }

    /// Returns a view of the element that cannot reach its ancestors, its siblings and its signature.
    #[cfg(feature = "signature")]
    pub(crate) fn as_fragment_root(self) -> Self {
        Self {
            fragment_root: self.id,
            ..self
        }
    }

    /// Returns another element with the same fragment root.
    pub(crate) fn at(self, id: NodeId) -> Self {
        let node = self.document.tree.node(id);
        Self { id, node, ..self }
    }

    /// Returns whether the element is the signature of the verified element.
    ///
    /// A signature does not cover itself, so the verified view hides it.
    #[inline]
    fn is_hidden(self) -> bool {
        self.fragment_root != NodeId::NONE
            && self.node.parent == self.fragment_root
            && self.is_in(NamespaceId::SIGNATURE, name!("Signature"))
    }

    pub(crate) fn id(self) -> NodeId {
        self.id
    }

    pub(crate) fn document(self) -> &'a Document {
        self.document
    }

    pub(crate) fn namespace_id(self) -> NamespaceId {
        self.node.namespace
    }

    /// Returns whether the element has this namespace and local name; faster than [`Element::is`].
    #[inline]
    pub(crate) fn is_in(self, namespace: NamespaceId, local_name: LocalName) -> bool {
        self.node.namespace == namespace && self.node.local_name == local_name
    }

    /// Returns the number of the local name.
    pub(crate) fn local_name_number(self) -> LocalName {
        self.node.local_name
    }

    /// Returns whether the element has this namespace and local name.
    #[must_use]
    pub fn is(self, namespace: &str, local_name: &str) -> bool {
        self.local_name() == local_name && self.namespace() == namespace
    }

    /// Returns the namespace URI; empty for an element without a namespace.
    #[must_use]
    pub fn namespace(self) -> &'a str {
        self.document.tree.namespace(self.node.namespace)
    }

    /// Returns the name without its prefix.
    #[must_use]
    pub fn local_name(self) -> &'a str {
        if self.node.local_name != LocalName::OTHER {
            return self.node.local_name.as_str();
        }
        let name = self.node.name.range();
        &self.document.text()[name.start + self.node.prefix_len as usize..name.end]
    }

    /// Returns the name as written, with its prefix if it has one.
    #[must_use]
    pub fn qualified_name(self) -> &'a str {
        &self.document.text()[self.node.name.range()]
    }

    /// Returns the decoded value of an attribute without a namespace.
    #[must_use]
    pub fn attribute(self, name: &str) -> Option<&'a str> {
        let number = LocalName::of(name);
        let is_named = |attribute: &Attribute<'a>| {
            let record = attribute.record;
            record.namespace == NamespaceId::NONE
                && record.local_name == number
                && (number != LocalName::OTHER || attribute.local_name() == name)
        };
        self.records().find(is_named).map(Attribute::value)
    }

    /// Returns the decoded value of an attribute without a namespace; faster than [`Element::attribute`].
    pub(crate) fn own_attribute(self, name: LocalName) -> Option<&'a str> {
        self.find_attribute(NamespaceId::NONE, name)
            .map(Attribute::value)
    }

    /// Returns the decoded value of an attribute with a namespace.
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
        local_name: LocalName,
    ) -> Option<Attribute<'a>> {
        self.records().find(|attribute| {
            let record = attribute.record;
            record.namespace == namespace && record.local_name == local_name
        })
    }

    /// Returns the `ds:Signature` of the element.
    pub(crate) fn signature(self) -> Option<Self> {
        self.child_in(NamespaceId::SIGNATURE, name!("Signature"))
    }

    /// Returns the `xml:lang` attribute of the element itself.
    #[must_use]
    pub fn language(self) -> Option<&'a str> {
        self.find_attribute(NamespaceId::XML, name!("lang"))
            .map(Attribute::value)
    }

    /// Returns the attributes in document order, without namespace declarations.
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'a>> {
        self.records()
            .filter(|attribute| attribute.record.namespace != NamespaceId::XMLNS)
    }

    /// Returns the namespace declarations on the element, as prefix and URI.
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

    /// Returns the namespace to which a prefix is bound here, for example in an `xsi:type`.
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
            .attributes_of(self.node)
            .iter()
            .map(move |record| Attribute { document, record })
    }

    /// Returns the decoded text of the element; a comment does not cut the text.
    ///
    /// The text of an element with child elements is empty. Metadata has no mixed content, and
    /// different readers could take different parts of a mixed text as its value.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.document
            .tree
            .str(self.document.text(), self.node.value)
    }

    /// Returns whether the element itself may have text that is not white space, besides its children.
    pub(crate) fn may_have_text(self) -> bool {
        self.node.may_have_text
    }

    /// Returns the byte ranges in [`Document::text`] of the comments and processing instructions among
    /// the element's children, in order.
    ///
    /// [`text`](Self::text) ignores them. Some other readers end a text at the first one
    /// (CVE-2017-11427 and similar), and no signature of SAML's profile covers a comment.
    pub fn interruptions(self) -> impl Iterator<Item = Range<usize>> {
        let document = self.document;
        document
            .nodes_below(self.id)
            .map(|id| document.tree.node(id))
            .filter(|node| {
                matches!(
                    node.kind,
                    NodeKind::Comment | NodeKind::ProcessingInstruction
                )
            })
            .map(|node| node.span.range())
    }

    /// Returns the parent element.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        if self.id == self.fragment_root {
            return None;
        }
        let parent = self.node.parent.some()?;
        Some(self.at(parent))
    }

    /// Returns this element, its parent, and so on to the root.
    pub fn ancestors(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), |element| element.parent())
    }

    /// Returns the child elements, in order.
    #[must_use]
    pub fn children(self) -> Children<'a> {
        Children {
            of: self,
            next: self.node.first_child,
        }
    }

    /// Returns the child elements with one name, in order.
    pub fn children_named<'n>(
        self,
        namespace: &'n str,
        local_name: &'n str,
    ) -> impl Iterator<Item = Self> + use<'a, 'n> {
        self.children()
            .filter(move |child| child.is(namespace, local_name))
    }

    /// Returns the child elements with one name; faster than [`Element::children_named`].
    pub(crate) fn children_in(
        self,
        namespace: NamespaceId,
        local_name: LocalName,
    ) -> impl Iterator<Item = Self> {
        self.children()
            .filter(move |child| child.is_in(namespace, local_name))
    }

    pub(crate) fn child_in(self, namespace: NamespaceId, local_name: LocalName) -> Option<Self> {
        self.children_in(namespace, local_name).next()
    }

    pub(crate) fn next_sibling(self) -> Option<Self> {
        if self.id == self.fragment_root {
            return None;
        }
        Children {
            of: self,
            next: self.node.next,
        }
        .next()
    }

    /// Returns this element and all elements inside it, in document order, without recursion.
    pub fn descendants(self) -> impl Iterator<Item = Self> {
        let end = self.node.span.range().end;
        let document = self.document;
        let hidden = (self.id == self.fragment_root)
            .then(|| document.nodes_below(self.id))
            .into_iter()
            .flatten()
            .map(|id| self.at(id))
            .find(|child| child.is_hidden())
            .map_or(0..0, Self::span);
        // Nodes are numbered in document order.
        let nodes = &document.tree.nodes[self.id.0 as usize..];
        (self.id.0..)
            .map(NodeId)
            .zip(nodes)
            .map(move |(id, node)| Self { id, node, ..self })
            .take_while(move |element| element.span().start < end)
            .filter(move |element| {
                element.node.kind == NodeKind::Element && !hidden.contains(&element.span().start)
            })
    }

    /// Returns the byte range of the element in [`Document::text`], including both tags.
    #[must_use]
    pub fn span(self) -> Range<usize> {
        self.node.span.range()
    }

    /// Returns the byte range of the element's content in [`Document::text`].
    #[must_use]
    pub fn content_span(self) -> Range<usize> {
        self.node.content.range()
    }

    /// Returns the source text of the element.
    #[must_use]
    pub fn source(self) -> &'a str {
        &self.document.text()[self.span()]
    }

    /// Returns the byte offset of the end of the name in the start tag.
    pub(crate) fn name_end(self) -> usize {
        self.node.name.range().end
    }

    /// Returns the `XPath` of the element, with the usual prefixes: `/md:EntityDescriptor[1]/…`.
    ///
    /// A step has a number only if several siblings have the same name. Names are cut after 60
    /// characters.
    #[must_use]
    pub fn path(self) -> String {
        let steps: Vec<Self> = self.ancestors().collect();
        let mut path = String::new();
        for element in steps.into_iter().rev() {
            element.push_step(element.sibling_number(), &mut path);
        }
        path
    }

    /// Appends one step of a path; `number` is the result of
    /// [`sibling_number`](Self::sibling_number).
    pub(crate) fn push_step(self, number: usize, to: &mut String) {
        // A name can be as long as a document, and every finding contains a path.
        let local = shortened(self.local_name());
        let (before, colon, after) = match self.node.namespace.usual_prefix() {
            Some("") => ("", "", ""),
            Some(prefix) => (prefix, ":", ""),
            None => ("*[local-name()='", "", "']"),
        };
        for part in ["/", before, colon, &local, after] {
            to.push_str(part);
        }
        if number > 0 {
            // Writing to a `String` never fails.
            let _ = write!(to, "[{number}]");
        }
    }

    /// Returns the number of the element among the siblings with the same name, counted from 1.
    ///
    /// Returns 0 if no sibling has the same name.
    pub(crate) fn sibling_number(self) -> usize {
        let (namespace, number) = (self.namespace_id(), self.local_name_number());
        let same = |other: &Self| {
            other.is_in(namespace, number)
                && (number != LocalName::OTHER || other.local_name() == self.local_name())
        };
        let siblings = self.parent().map(|parent| parent.children().filter(same));
        let (mut all, mut before) = (0, 0);
        for sibling in siblings.into_iter().flatten() {
            all += 1;
            before += usize::from(sibling.id < self.id);
        }
        if all > 1 { before + 1 } else { 0 }
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
    /// Number of child nodes that this thread has visited; tests measure work with it.
    pub(crate) static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Iterator over the child elements of an element, created by [`Element::children`].
#[derive(Debug, Clone)]
pub struct Children<'a> {
    /// An element of the same document with the same fragment root.
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
            let child = self.of.at(id);
            self.next = child.node.next;
            if child.node.kind == NodeKind::Element && !child.is_hidden() {
                return Some(child);
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
    /// Returns the name as written, with its prefix if it has one.
    #[must_use]
    pub fn qualified_name(self) -> &'a str {
        &self.document.text()[self.record.name.range()]
    }

    /// Returns the number of the local name.
    pub(crate) fn local_name_number(self) -> LocalName {
        self.record.local_name
    }

    /// Returns the name without its prefix.
    #[must_use]
    pub fn local_name(self) -> &'a str {
        if self.record.local_name != LocalName::OTHER {
            return self.record.local_name.as_str();
        }
        let name = self.record.name.range();
        &self.document.text()[name.start + self.record.prefix_len as usize..name.end]
    }

    /// Returns the namespace URI, which is empty for an attribute without a prefix.
    #[must_use]
    pub fn namespace(self) -> &'a str {
        self.document.tree.namespace(self.record.namespace)
    }

    pub(crate) fn namespace_id(self) -> NamespaceId {
        self.record.namespace
    }

    /// Returns the decoded value: references are resolved and white space is normalized.
    #[must_use]
    pub fn value(self) -> &'a str {
        self.document
            .tree
            .str(self.document.text(), self.record.value)
    }

    /// Returns the byte range of the attribute in [`Document::text`], including name and quotes.
    #[must_use]
    pub fn span(self) -> Range<usize> {
        self.record.name.range().start..self.value_span().end + 1
    }

    /// Returns the byte range of the value between the quotes in [`Document::text`].
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
