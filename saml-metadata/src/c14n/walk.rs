//! The walk over the tree, without recursion: documents may be as deep as their limits allow.

use super::{C14nError, Method, namespaces::Namespaces, write::Output};
use crate::{
    Document, Element,
    reader::chars::is_space,
    tree::{AttributeRecord, NamespaceId, NodeId, NodeKind},
};

pub(super) fn document(
    method: &Method,
    document: &Document,
    without: NodeId,
    sink: &mut dyn FnMut(&[u8]),
) -> Result<(), C14nError> {
    let mut walk = Walk::new(method, document, without, sink);
    let mut is_behind = false;
    for id in document.nodes_below(NodeId::DOCUMENT) {
        if document.tree.node(id).kind == NodeKind::Element {
            walk.tree(id)?;
            is_behind = true;
        } else if walk.is_written(id) {
            // Canonical XML 1.0 section 2.3: what stands around the root has lines of its own.
            if is_behind {
                walk.output.raw("\n");
            }
            walk.leaf(id);
            if !is_behind {
                walk.output.raw("\n");
            }
        }
    }
    walk.output.flush();
    Ok(())
}

pub(super) fn element(
    method: &Method,
    element: Element<'_>,
    without: NodeId,
    sink: &mut dyn FnMut(&[u8]),
) -> Result<(), C14nError> {
    let mut walk = Walk::new(method, element.document(), without, sink);
    walk.tree(element.id())?;
    walk.output.flush();
    Ok(())
}

struct Walk<'a, 's> {
    method: &'s Method,
    document: &'a Document,
    without: NodeId,
    namespaces: Namespaces<'a>,
    output: Output<'s>,
    /// The attributes of the current element, kept for its allocation.
    attributes: Vec<&'a AttributeRecord>,
}

/// An element whose end has not been written.
struct Open {
    id: NodeId,
    /// The child to go on with.
    next: NodeId,
    /// Up to where its content has been written.
    at: usize,
    /// Declarations in force around it.
    depth: usize,
}

impl<'a, 's> Walk<'a, 's> {
    fn new(
        method: &'s Method,
        document: &'a Document,
        without: NodeId,
        sink: &'s mut dyn FnMut(&[u8]),
    ) -> Self {
        Self {
            method,
            document,
            without,
            namespaces: Namespaces::new(),
            output: Output::new(sink),
            attributes: Vec::new(),
        }
    }

    fn tree(&mut self, apex: NodeId) -> Result<(), C14nError> {
        let (document, tree) = (self.document, &self.document.tree);
        let mut open = vec![self.start(apex, true)?];
        while let Some(top) = open.last_mut() {
            let node = tree.node(top.id);
            if let Some(child) = top.next.some() {
                let child_node = tree.node(child);
                let span = child_node.span.range();
                self.output.text(&document.text()[top.at..span.start]);
                top.at = span.end;
                top.next = child_node.next;
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
                let end = (node.content.range().end).max(top.at);
                self.output.text(&document.text()[top.at..end]);
                self.output.raw("</");
                self.output.raw(&document.text()[node.name.range()]);
                self.output.raw(">");
                self.namespaces.leave(top.depth);
                open.pop();
            }
        }
        Ok(())
    }

    /// Writes a start tag.
    fn start(&mut self, id: NodeId, is_apex: bool) -> Result<Open, C14nError> {
        let (document, tree) = (self.document, &self.document.tree);
        let element = Element::new(document, id);
        let depth = self.namespaces.depth();
        self.output.raw("<");
        self.output.raw(element.qualified_name());
        for (prefix, uri) in self.namespaces.enter(self.method, element, is_apex)? {
            if prefix.is_empty() {
                self.output.raw(" xmlns");
            } else {
                self.output.raw(" xmlns:");
                self.output.raw(prefix);
            }
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
            tree.namespace(a.namespace)
                .cmp(tree.namespace(b.namespace))
                .then_with(|| local(a).cmp(local(b)))
        });
        for record in &self.attributes {
            self.output.raw(" ");
            self.output.raw(name(record));
            self.output.raw("=\"");
            self.output.value(tree.str(text, record.value));
            self.output.raw("\"");
        }
        self.output.raw(">");
        let node = tree.node(id);
        Ok(Open {
            id,
            next: node.first_child,
            at: node.content.range().start,
            depth,
        })
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
        match node.kind {
            NodeKind::Comment => {
                self.output.verbatim(written);
            }
            NodeKind::ProcessingInstruction => {
                let inner = &written["<?".len()..written.len() - "?>".len()];
                let end = inner.bytes().position(is_space).unwrap_or(inner.len());
                let (target, data) = inner.split_at(end);
                let data = data.trim_start_matches([' ', '\t', '\r', '\n']);
                self.output.raw("<?");
                self.output.raw(target);
                if !data.is_empty() {
                    self.output.raw(" ");
                    self.output.verbatim(data);
                }
                self.output.raw("?>");
            }
            NodeKind::CData => {
                let content = &self.document.text()[node.content.range()];
                self.output.cdata(content);
            }
            NodeKind::Document | NodeKind::Element => {}
        }
    }
}
