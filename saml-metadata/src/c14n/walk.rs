//! The walk over the tree, without recursion: a document can be as deep as its limits allow.

use std::{
    cmp::Ordering,
    mem::{replace, take},
    ops::Range,
};

use super::{
    C14nError, Method,
    namespaces::Namespaces,
    write::{Output, Sink, is_canonical_text},
};
use crate::{
    Document, Element,
    reader::chars::is_space,
    tree::{AttributeRecord, NamespaceId, NodeId, NodeKind},
};

pub(super) fn document<S: Sink>(
    method: &Method,
    document: &Document,
    without: NodeId,
    sink: S,
) -> Result<S, C14nError> {
    let mut output = Output::new(sink);
    let mut walk = Walk::new(method, document, without, &mut output);
    walk.document_content(document.tree.node(NodeId::DOCUMENT).first_child, &mut false)?;
    walk.flush();
    Ok(output.finish())
}

pub(super) fn element<S: Sink>(
    method: &Method,
    element: Element<'_>,
    without: NodeId,
    sink: S,
) -> Result<S, C14nError> {
    let mut output = Output::new(sink);
    let mut walk = Walk::new(method, element.document(), without, &mut output);
    walk.tree(element.id(), true)?;
    walk.flush();
    Ok(output.finish())
}

pub(super) struct Walk<'a, 's, S> {
    method: &'s Method,
    document: &'a Document,
    without: NodeId,
    namespaces: Namespaces<'a>,
    output: &'s mut Output<S>,
    /// A range of the text that is already canonical and not written yet. The next range usually
    /// follows it directly, so both are written together as one large piece.
    pending: Range<usize>,
    /// The attributes of the current element. The vector is reused to save allocations.
    attributes: Vec<&'a AttributeRecord>,
}

/// An element whose end tag has not been written.
pub(super) struct Open {
    id: NodeId,
    /// The next child to write.
    next: NodeId,
    /// The offset up to which the content has been written.
    at: usize,
    /// Number of declarations written on the elements around it.
    depth: usize,
}

impl<'a, 's, S: Sink> Walk<'a, 's, S> {
    pub(super) fn new(
        method: &'s Method,
        document: &'a Document,
        without: NodeId,
        output: &'s mut Output<S>,
    ) -> Self {
        Self {
            method,
            document,
            without,
            namespaces: Namespaces::new(),
            output,
            pending: 0..0,
            attributes: Vec::new(),
        }
    }

    /// Continues inside open elements whose start tags an earlier walk has written.
    pub(super) fn with_namespaces(self, namespaces: Namespaces<'a>) -> Self {
        Self { namespaces, ..self }
    }

    /// Returns the declarations written on the open elements.
    pub(super) fn namespaces(&self) -> &Namespaces<'a> {
        &self.namespaces
    }

    /// Writes the children of the document, starting with a node: the root element and the comments
    /// and processing instructions around it.
    pub(super) fn document_content(
        &mut self,
        first: NodeId,
        is_after: &mut bool,
    ) -> Result<(), C14nError> {
        let mut next = first.some();
        while let Some(id) = next {
            let node = self.document.tree.node(id);
            next = node.next.some();
            if node.kind == NodeKind::Element {
                self.tree(id, true)?;
                *is_after = true;
            } else if self.is_written(id) {
                // Canonical XML 1.0 section 2.3: each node before or after the root element is on
                // a separate line.
                if *is_after {
                    self.raw("\n");
                }
                self.leaf(id);
                if !*is_after {
                    self.raw("\n");
                }
            }
        }
        Ok(())
    }

    /// Writes a range of the content of an element, given the first child in the range.
    pub(super) fn content(&mut self, text: Range<usize>, first: NodeId) -> Result<(), C14nError> {
        let mut at = text.start;
        let mut next = first.some();
        while let Some(id) = next {
            let node = self.document.tree.node(id);
            let span = node.span.range();
            if span.start >= text.end {
                break;
            }
            self.text(at..span.start);
            at = span.end;
            next = node.next.some();
            if id == self.without {
                continue;
            }
            if node.kind == NodeKind::Element {
                self.tree(id, false)?;
            } else if self.is_written(id) {
                self.leaf(id);
            }
        }
        self.text(at..text.end);
        Ok(())
    }

    /// Writes an element and its content.
    fn tree(&mut self, top: NodeId, is_apex: bool) -> Result<(), C14nError> {
        let tree = &self.document.tree;
        let mut open = vec![self.start(top, is_apex)?];
        while let Some(top) = open.last_mut() {
            if let Some(child) = top.next.some() {
                let child_node = tree.node(child);
                let span = child_node.span.range();
                let at = replace(&mut top.at, span.end);
                top.next = child_node.next;
                self.text(at..span.start);
                if child == self.without {
                    continue;
                }
                if child_node.kind == NodeKind::Element {
                    let inner = self.start(child, false)?;
                    open.push(inner);
                } else if self.is_written(child) {
                    self.leaf(child);
                }
            } else {
                // The content of `<a/>` is an empty range after its end.
                let end = tree.node(top.id).content.range().end.max(top.at);
                let (id, at, depth) = (top.id, top.at, top.depth);
                self.text(at..end);
                self.end(id);
                self.namespaces.leave(depth);
                open.pop();
            }
        }
        Ok(())
    }

    /// Writes an end tag.
    pub(super) fn end(&mut self, id: NodeId) {
        let node = self.document.tree.node(id);
        let tag = node.content.range().end..node.span.range().end;
        let name = node.name.range();
        if tag.len() == "</".len() + name.len() + ">".len() {
            return self.source(tag);
        }
        self.raw("</");
        self.source(name);
        self.raw(">");
    }

    /// Writes a start tag.
    pub(super) fn start(&mut self, id: NodeId, is_apex: bool) -> Result<Open, C14nError> {
        let (document, tree) = (self.document, &self.document.tree);
        let element = Element::new(document, id);
        let depth = self.namespaces.depth();
        let node = tree.node(id);
        self.source(node.span.range().start..node.name.range().end);
        let declarations = self.namespaces.enter(self.method, element, is_apex)?;
        if !declarations.is_empty() {
            // Does the same as `flush`, which cannot be called here: `declarations` borrows `self`.
            self.output.raw(&document.text()[take(&mut self.pending)]);
        }
        for (prefix, uri) in declarations {
            self.output.raw(if prefix.is_empty() {
                " xmlns"
            } else {
                " xmlns:"
            });
            self.output.raw(prefix);
            self.output.raw("=\"");
            self.output.value(uri);
            self.output.raw("\"");
        }
        let records = tree.attributes_of(tree.node(id));
        self.attributes.clear();
        self.attributes
            .extend(records.iter().filter(|r| r.namespace != NamespaceId::XMLNS));
        if is_apex && !self.method.exclusive {
            self.inherit_xml_attributes(element);
        }
        let text = document.text();
        let name = |record: &AttributeRecord| &text[record.name.range()];
        self.attributes.sort_by(|a, b| {
            let local = |record: &AttributeRecord| &name(record)[record.prefix_len as usize..];
            let by_namespace = if a.namespace == b.namespace {
                Ordering::Equal
            } else {
                tree.namespace(a.namespace).cmp(tree.namespace(b.namespace))
            };
            by_namespace.then_with(|| local(a).cmp(local(b)))
        });
        for at in 0..self.attributes.len() {
            self.attribute(self.attributes[at]);
        }
        let at = node.content.range().start;
        self.source(at - ">".len()..at);
        Ok(Open {
            id,
            next: node.first_child,
            at,
            depth,
        })
    }

    fn attribute(&mut self, record: &AttributeRecord) {
        let text = self.document.text();
        let (name, raw) = (record.name.range(), record.raw.range());
        // A value that is equal to its source text needs no escaping, except for double quotes in a
        // value that is written in single quotes.
        let is_canonical = record.value == record.raw
            && raw.start == name.end + "=\"".len()
            && text.as_bytes()[raw.end] == b'"';
        if is_canonical {
            let has_space_before = text.as_bytes()[name.start - 1] == b' ';
            if !has_space_before {
                self.raw(" ");
            }
            return self.source(name.start - usize::from(has_space_before)..raw.end + 1);
        }
        self.raw(" ");
        self.source(name);
        self.raw("=\"");
        self.output
            .value(self.document.tree.str(text, record.value));
        self.raw("\"");
    }

    /// Writes a range of the text that is already canonical.
    fn source(&mut self, range: Range<usize>) {
        if self.pending.end == range.start {
            self.pending.end = range.end;
        } else {
            self.flush();
            self.pending = range;
        }
    }

    /// Writes a range of the text between tags.
    fn text(&mut self, range: Range<usize>) {
        let text = &self.document.text()[range.clone()];
        if is_canonical_text(text) {
            self.source(range);
        } else {
            self.flush();
            self.output.text(text);
        }
    }

    fn raw(&mut self, text: &str) {
        self.flush();
        self.output.raw(text);
    }

    /// Writes the pending range; must be called before the walk is dropped.
    pub(super) fn flush(&mut self) {
        let range = take(&mut self.pending);
        self.output.raw(&self.document.text()[range]);
    }

    /// Adds the `xml:` attributes, such as `xml:lang`, that the outermost element inherits from its
    /// ancestors (Canonical XML 1.0 section 2.4).
    fn inherit_xml_attributes(&mut self, element: Element<'a>) {
        let (document, tree) = (self.document, &self.document.tree);
        let local = |record: &AttributeRecord| {
            &document.text()[record.name.range()][record.prefix_len as usize..]
        };
        let mut around = tree.node(element.id()).parent.some();
        while let Some(id) = around {
            for record in tree.attributes_of(tree.node(id)) {
                let is_set = self.attributes.iter().any(|known| {
                    known.namespace == NamespaceId::XML && local(known) == local(record)
                });
                if record.namespace == NamespaceId::XML && !is_set {
                    self.attributes.push(record);
                }
            }
            around = tree.node(id).parent.some();
        }
    }

    fn is_written(&self, id: NodeId) -> bool {
        id != self.without
            && (self.method.comments || self.document.tree.node(id).kind != NodeKind::Comment)
    }

    /// Writes a comment, a processing instruction or a CDATA section.
    fn leaf(&mut self, id: NodeId) {
        let node = self.document.tree.node(id);
        let written = &self.document.text()[node.span.range()];
        self.flush();
        match node.kind {
            NodeKind::Comment => {
                self.output.verbatim(written);
            }
            NodeKind::ProcessingInstruction => {
                let inner = &written["<?".len()..written.len() - "?>".len()];
                let end = inner.bytes().position(is_space).unwrap_or(inner.len());
                let (target, data) = inner.split_at(end);
                let data = data.trim_start_matches([' ', '\t', '\r', '\n']);
                self.raw("<?");
                self.raw(target);
                if !data.is_empty() {
                    self.raw(" ");
                    self.output.verbatim(data);
                }
                self.raw("?>");
            }
            NodeKind::CData => {
                let content = &self.document.text()[node.content.range()];
                self.output.cdata(content);
            }
            NodeKind::Document | NodeKind::Element => {}
        }
    }
}
