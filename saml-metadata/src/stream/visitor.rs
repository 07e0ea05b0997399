//! What somebody else wants to see of a stream before it forgets it.

use std::{io::BufRead, mem::take, ops::Range};

#[cfg(feature = "signature")]
use super::StreamError;
use super::{EntityStream, Piece, entity};
use crate::{
    Document, Position,
    source::{Encoding, Source, advance},
    tree::{NodeId, Tree},
};

/// Sees all of a stream, each part once and in order.
pub(crate) trait StreamVisitor {
    /// Whether it looks at all; then there are no entities made.
    const ENABLED: bool = true;

    /// Sees the start tag of a group.
    fn open(&mut self, part: &Part<'_>);

    /// Sees whole nodes, and the text between them, of the inside of a group or of the document.
    fn content(&mut self, part: &Part<'_>);

    /// Sees the end tag of a group.
    fn close(&mut self, part: &Part<'_>);
}

/// The visitor of whoever wants the entities alone.
pub(super) struct NoVisitor;

impl StreamVisitor for NoVisitor {
    const ENABLED: bool = false;

    fn open(&mut self, _: &Part<'_>) {}

    fn content(&mut self, _: &Part<'_>) {}

    fn close(&mut self, _: &Part<'_>) {}
}

/// A part of the stream that has been read and is about to be forgotten.
pub(crate) struct Part<'a> {
    /// What is held: the open groups, without what has been seen of them, and this part.
    pub(crate) document: &'a Document,
    /// The group that is opened or closed, or that the part is in; the document around the root.
    pub(crate) group: NodeId,
    /// The first node of the part, below the group.
    pub(crate) first: NodeId,
    pub(crate) text: Range<usize>,
    /// Where the attributes of the part begin.
    pub(crate) attributes: usize,
    places: Places<'a>,
}

impl Part<'_> {
    /// Returns where an offset into the document's text is in the stream.
    pub(crate) fn position(&self, offset: usize) -> Position {
        self.places.position(self.document.text(), offset)
    }
}

/// What is known about the places of the text that is held.
struct Places<'a> {
    pieces: &'a [Piece],
    /// Text up to here is in pieces, and what follows begins at the mark.
    kept: usize,
    mark: Position,
    encoding: Encoding,
}

impl Places<'_> {
    fn position(&self, text: &str, offset: usize) -> Position {
        let offset = text.floor_char_boundary(offset);
        if offset < self.kept {
            return entity::place(self.pieces, text, self.encoding, offset);
        }
        advance(self.mark, &text[self.kept..offset], self.encoding)
    }
}

impl<R: BufRead> EntityStream<R> {
    /// Reads all of the stream for somebody who sees it, and returns what it was read from.
    #[cfg(feature = "signature")]
    pub(crate) fn show<W: StreamVisitor>(mut self, visitor: &mut W) -> Result<R, StreamError> {
        match self.advance(visitor) {
            Ok(_) => Ok(self.input.into_inner()),
            Err(failure) => Err(self.report(failure)),
        }
    }

    /// Returns what is read from.
    #[cfg(feature = "signature")]
    pub(crate) fn source(&self) -> &R {
        self.input.source()
    }

    /// Shows what has been read of the innermost group and was not shown before.
    pub(super) fn pass<W: StreamVisitor>(&mut self, end: usize, visitor: &mut W) {
        let keep = self.keep();
        let group = self.groups.last().map_or(NodeId::DOCUMENT, |g| g.node);
        if W::ENABLED && end > keep.text {
            let first = match keep.last_child {
                Some(last) => self.state.nodes[last.0 as usize].next,
                None => self.state.nodes[group.0 as usize].first_child,
            };
            self.part(group, first, keep.text..end, keep.attributes, |part| {
                visitor.content(part);
            });
        }
    }

    /// Shows the start tag of a group, before it is one of the groups.
    pub(super) fn pass_start<W: StreamVisitor>(
        &mut self,
        group: NodeId,
        start: usize,
        visitor: &mut W,
    ) {
        if W::ENABLED {
            let attributes = self.keep().attributes;
            let range = start..self.window().len();
            self.part(group, NodeId::NONE, range, attributes, |part| {
                visitor.open(part);
            });
        }
    }

    /// Shows the rest of the innermost group and its end tag.
    pub(super) fn pass_end<W: StreamVisitor>(&mut self, visitor: &mut W) {
        let Some(group) = self.groups.last().filter(|_| W::ENABLED).map(|g| g.node) else {
            return;
        };
        let content = self.state.nodes[group.0 as usize].content.range();
        let end = content.end.max(self.keep().text);
        self.pass(end, visitor);
        let attributes = self.state.attributes.len();
        let range = end..self.window().len();
        self.part(group, NodeId::NONE, range, attributes, |part| {
            visitor.close(part);
        });
    }

    /// Makes a document of all that is held for as long as it takes to look at it.
    fn part(
        &mut self,
        group: NodeId,
        first: NodeId,
        text: Range<usize>,
        attributes: usize,
        look: impl FnOnce(&Part<'_>),
    ) {
        let places = Places {
            kept: self.keep().text,
            mark: self.mark.unwrap_or(self.input.start),
            encoding: self.input.encoding,
            pieces: &self.pieces,
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
        look(&Part {
            document: &document,
            group,
            first,
            text,
            attributes,
            places,
        });
        let Document { source, tree, .. } = document;
        self.input.window = source.text;
        state.nodes = tree.nodes;
        state.attributes = tree.attributes;
        state.scope.namespaces = tree.namespaces;
        state.decoded = tree.decoded;
    }
}
