//! Visitor of all parts of a stream, before the stream drops them.

use std::{io::BufRead, mem::take, ops::Range};

#[cfg(feature = "signature")]
use super::StreamError;
use super::{EntityStream, Segment, entity};
use crate::{
    Document, Position,
    source::{Encoding, Source, advance},
    tree::{NodeId, Tree},
};

/// Visits all parts of a stream, each part once and in order.
pub(crate) trait StreamVisitor {
    /// Whether the stream calls the visitor. If true, the stream creates no entities.
    const ENABLED: bool = true;

    /// Visits the start tag of a group.
    fn open(&mut self, part: &Part<'_>);

    /// Visits whole nodes, and the text between them, in the content of a group or of the document.
    fn content(&mut self, part: &Part<'_>);

    /// Visits the end tag of a group.
    fn close(&mut self, part: &Part<'_>);
}

/// Visitor that is never called, for iterating over the entities.
pub(super) struct NoVisitor;

impl StreamVisitor for NoVisitor {
    const ENABLED: bool = false;

    fn open(&mut self, _: &Part<'_>) {}

    fn content(&mut self, _: &Part<'_>) {}

    fn close(&mut self, _: &Part<'_>) {}
}

/// A part of the stream that has been read and is about to be dropped.
pub(crate) struct Part<'a> {
    /// The text in memory: this part, and the open groups without the content visited before.
    pub(crate) document: &'a Document,
    /// The group that is opened or closed, or that contains the part; the document node for a part
    /// outside the root element.
    pub(crate) group: NodeId,
    /// The first node of the part, a child of the group.
    pub(crate) first: NodeId,
    /// The range of the part in the document's text.
    pub(crate) text: Range<usize>,
    /// Index of the first attribute of the part.
    pub(crate) attributes: usize,
    positions: Positions<'a>,
}

impl Part<'_> {
    /// Returns the position in the stream of an offset into the document's text.
    pub(crate) fn position(&self, offset: usize) -> Position {
        self.positions.position(self.document.text(), offset)
    }
}

/// Maps offsets into the text in memory to positions in the stream.
struct Positions<'a> {
    segments: &'a [Segment],
    /// Offset at which the segments end and the rest begins.
    kept: usize,
    /// Position of the rest in the stream.
    rest: Position,
    encoding: Encoding,
}

impl Positions<'_> {
    fn position(&self, text: &str, offset: usize) -> Position {
        let offset = text.floor_char_boundary(offset);
        if offset < self.kept {
            return entity::position(self.segments, text, self.encoding, offset);
        }
        advance(self.rest, &text[self.kept..offset], self.encoding)
    }
}

impl<R: BufRead> EntityStream<R> {
    /// Reads the whole stream with a visitor, and returns the input.
    #[cfg(feature = "signature")]
    pub(crate) fn visit<W: StreamVisitor>(mut self, visitor: &mut W) -> Result<R, StreamError> {
        match self.advance(visitor) {
            Ok(_) => Ok(self.input.into_inner()),
            Err(failure) => Err(self.report(failure)),
        }
    }

    /// Returns the input.
    #[cfg(feature = "signature")]
    pub(crate) fn source(&self) -> &R {
        self.input.source()
    }

    /// Passes the new content of the innermost group, up to `end`, to the visitor.
    pub(super) fn emit_content<W: StreamVisitor>(&mut self, end: usize, visitor: &mut W) {
        let kept = self.kept();
        let group = self.groups.last().map_or(NodeId::DOCUMENT, |g| g.node);
        if W::ENABLED && end > kept.text {
            let first = match kept.last_child {
                Some(last) => self.state.nodes[last.0 as usize].next,
                None => self.state.nodes[group.0 as usize].first_child,
            };
            self.with_part(group, first, kept.text..end, kept.attributes, |part| {
                visitor.content(part);
            });
        }
    }

    /// Passes the start tag of a group to the visitor, before the group is added to the groups.
    pub(super) fn emit_start<W: StreamVisitor>(
        &mut self,
        group: NodeId,
        start: usize,
        visitor: &mut W,
    ) {
        if W::ENABLED {
            let attributes = self.kept().attributes;
            let range = start..self.window().len();
            self.with_part(group, NodeId::NONE, range, attributes, |part| {
                visitor.open(part);
            });
        }
    }

    /// Passes the rest of the innermost group and its end tag to the visitor.
    pub(super) fn emit_end<W: StreamVisitor>(&mut self, visitor: &mut W) {
        let Some(group) = self.groups.last().filter(|_| W::ENABLED).map(|g| g.node) else {
            return;
        };
        let content = self.state.nodes[group.0 as usize].content.range();
        let end = content.end.max(self.kept().text);
        self.emit_content(end, visitor);
        let attributes = self.state.attributes.len();
        let range = end..self.window().len();
        self.with_part(group, NodeId::NONE, range, attributes, |part| {
            visitor.close(part);
        });
    }

    /// Moves the text in memory into a temporary document, calls `visit` with a part of it, and
    /// moves the text back.
    fn with_part(
        &mut self,
        group: NodeId,
        first: NodeId,
        text: Range<usize>,
        attributes: usize,
        visit: impl FnOnce(&Part<'_>),
    ) {
        let positions = Positions {
            kept: self.kept().text,
            rest: self.rest_position.unwrap_or(self.input.start),
            encoding: self.input.encoding,
            segments: &self.segments,
        };
        let state = &mut self.state;
        let window = take(&mut self.input.window);
        let tree = Tree {
            nodes: take(&mut state.nodes),
            attributes: take(&mut state.attributes),
            namespaces: take(&mut state.scope.namespaces),
            decoded: take(&mut state.decoded),
            root: state.root.unwrap_or(NodeId::NONE),
        };
        let document = Document::from_parts(Source::plain(window), tree, self.limits.clone());
        visit(&Part {
            document: &document,
            group,
            first,
            text,
            attributes,
            positions,
        });
        let Document { source, tree, .. } = document;
        self.input.window = source.text;
        state.nodes = tree.nodes;
        state.attributes = tree.attributes;
        state.scope.namespaces = tree.namespaces;
        state.decoded = tree.decoded;
    }
}
