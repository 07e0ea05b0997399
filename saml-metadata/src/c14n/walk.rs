//! The walk over the tree, without recursion: documents may be as deep as their limits allow.

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
    walk.around_root(document.tree.node(NodeId::DOCUMENT).first_child, &mut false)?;
    walk.settle();
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
    walk.settle();
    Ok(output.finish())
}

pub(super) struct Walk<'a, 's, S> {
    method: &'s Method,
    document: &'a Document,
    without: NodeId,
    namespaces: Namespaces<'a>,
    output: &'s mut Output<S>,
    /// A range of the text that is canonical as it is, and not written yet. Most of what comes next
    /// adds to it, so that little is written in small pieces.
    unwritten: Range<usize>,
    /// The attributes of the current element, kept for its allocation.
    attributes: Vec<&'a AttributeRecord>,
}

/// An element whose end has not been written.
pub(super) struct Open {
    id: NodeId,
    /// The child to go on with.
    next: NodeId,
    /// Up to where its content has been written.
    at: usize,
    /// Declarations in force around it.
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
            unwritten: 0..0,
            attributes: Vec::new(),
        }
    }

    /// Takes up a walk inside of elements whose start tags were written by an earlier one.
    pub(super) fn below(self, namespaces: Namespaces<'a>) -> Self {
        Self { namespaces, ..self }
    }

    /// Returns the declarations written on the elements that are open.
    pub(super) fn namespaces(&self) -> &Namespaces<'a> {
        &self.namespaces
    }

    /// Writes what stands beside the root element from a node on, and that element itself.
    pub(super) fn around_root(
        &mut self,
        first: NodeId,
        is_behind: &mut bool,
    ) -> Result<(), C14nError> {
        let mut next = first.some();
        while let Some(id) = next {
            let node = self.document.tree.node(id);
            next = node.next.some();
            if node.kind == NodeKind::Element {
                self.tree(id, true)?;
                *is_behind = true;
            } else if self.is_written(id) {
                // Canonical XML 1.0 section 2.3: what stands around the root has lines of its own.
                if *is_behind {
                    self.raw("\n");
                }
                self.leaf(id);
                if !*is_behind {
                    self.raw("\n");
                }
            }
        }
        Ok(())
    }

    /// Writes a range of the inside of an element, given the first child in it.
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

    /// Writes an element and all inside.
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
                // `<a/>` has its content behind its end, and nothing in it.
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
            // What `settle` does, which may not touch the declarations.
            self.output.raw(&document.text()[take(&mut self.unwritten)]);
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
        let records = tree.attributes_of(id);
        self.attributes.clear();
        self.attributes
            .extend(records.iter().filter(|r| r.namespace != NamespaceId::XMLNS));
        if is_apex && !self.method.exclusive {
            self.inherit(element);
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
        // A value that means what is written has nothing to escape but the quotes it does not stand in.
        let is_canonical = record.value == record.raw
            && raw.start == name.end + "=\"".len()
            && text.as_bytes()[raw.end] == b'"';
        if is_canonical {
            let is_behind_blank = text.as_bytes()[name.start - 1] == b' ';
            if !is_behind_blank {
                self.raw(" ");
            }
            return self.source(name.start - usize::from(is_behind_blank)..raw.end + 1);
        }
        self.raw(" ");
        self.source(name);
        self.raw("=\"");
        self.output
            .value(self.document.tree.str(text, record.value));
        self.raw("\"");
    }

    /// Writes a range of the text that is canonical as it is.
    fn source(&mut self, range: Range<usize>) {
        if self.unwritten.end == range.start {
            self.unwritten.end = range.end;
        } else {
            self.settle();
            self.unwritten = range;
        }
    }

    /// Writes a range of the text between tags.
    fn text(&mut self, range: Range<usize>) {
        let text = &self.document.text()[range.clone()];
        if is_canonical_text(text) {
            self.source(range);
        } else {
            self.settle();
            self.output.text(text);
        }
    }

    fn raw(&mut self, text: &str) {
        self.settle();
        self.output.raw(text);
    }

    /// Writes what has been put off; has to be done before the walk is over.
    pub(super) fn settle(&mut self) {
        let range = take(&mut self.unwritten);
        self.output.raw(&self.document.text()[range]);
    }

    /// Adds the attributes such as `xml:lang` that the surroundings give to the outermost element
    /// (Canonical XML 1.0 section 2.4).
    fn inherit(&mut self, element: Element<'a>) {
        let (document, tree) = (self.document, &self.document.tree);
        let local = |record: &AttributeRecord| {
            &document.text()[record.name.range()][record.prefix_len as usize..]
        };
        let mut around = tree.node(element.id()).parent.some();
        while let Some(id) = around {
            for record in tree.attributes_of(id) {
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

    /// Writes a comment, processing instruction or CDATA section.
    fn leaf(&mut self, id: NodeId) {
        let node = self.document.tree.node(id);
        let written = &self.document.text()[node.span.range()];
        self.settle();
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
