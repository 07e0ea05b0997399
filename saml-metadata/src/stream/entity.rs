//! One entity of a stream, with what it inherits.

use std::{borrow::Cow, ops::Range};

use jiff::Timestamp;

use crate::{
    Document, EntityDescriptor, Finding, Limits, Policy, Position,
    element::Element,
    reader::State,
    source::{Encoding, Source, advance, length},
    tree::{NodeId, Slice, Tree},
    validate::validate_part,
};

/// An entity that was met in a stream.
///
/// The [`document`](Self::document) is complete in itself: the start tags of the groups around the
/// entity as written, with their `Extensions`, then the entity, then the end tags. It can be looked
/// at, validated, edited and written like any other. Places in it are turned into places in the
/// stream by [`position_of`](Self::position_of).
#[derive(Debug, Clone)]
pub struct StreamedEntity {
    document: Document,
    entity: NodeId,
    encoding: Encoding,
    pieces: Vec<Piece>,
    first_news: usize,
    group_is_signed: bool,
    lacks_extensions: bool,
}

/// A part of the document, and where in the stream it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) start: usize,
    pub(super) at: Position,
}

/// What the stream knows about an entity beside its text.
pub(super) struct Context<'a> {
    pub(super) limits: &'a Limits,
    pub(super) encoding: Encoding,
    pub(super) pieces: Vec<Piece>,
    pub(super) first_news: usize,
    pub(super) group_is_signed: bool,
    pub(super) lacks_extensions: bool,
}

impl StreamedEntity {
    /// Makes a document of what has been read of the groups around an entity, and the entity.
    pub(super) fn new(state: &State, window: &str, entity: NodeId, context: Context<'_>) -> Self {
        let mut text = String::with_capacity(window.len() + 32 * state.open.len());
        text.push_str(window);
        let mut nodes = state.nodes.clone();
        for open in state.open.iter().rev() {
            let node = &mut nodes[open.node.0 as usize];
            let (start, inside) = (node.span.range().start, node.content.range().start);
            let content_end = text.len();
            if open.node != NodeId::DOCUMENT {
                text.push_str("</");
                text.push_str(&window[node.name.range()]);
                text.push('>');
            }
            node.span = Slice::new(start..text.len());
            node.content = Slice::new(inside..content_end);
        }
        let tree = Tree {
            nodes,
            attributes: state.attributes.clone(),
            namespaces: state.scope.namespaces.clone(),
            decoded: state.decoded.clone(),
            root: state.root.expect("an entity is in the root or is it"),
        };
        Self {
            document: Document::from_parts(Source::plain(text), tree, context.limits.clone()),
            entity,
            encoding: context.encoding,
            pieces: context.pieces,
            first_news: context.first_news,
            group_is_signed: context.group_is_signed,
            lacks_extensions: context.lacks_extensions,
        }
    }

    /// Returns the entity.
    #[must_use]
    pub fn entity(&self) -> EntityDescriptor<'_> {
        EntityDescriptor::new(Element::new(&self.document, self.entity))
    }

    /// Returns the small document around the entity, in UTF-8 whatever the stream was in.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Returns the small document around the entity.
    #[must_use]
    pub fn into_document(self) -> Document {
        self.document
    }

    /// Returns where the entity begins in the stream.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position_of(self.entity().element().span().start)
    }

    /// Returns where the entity stands among the bytes of the stream.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span_of(self.entity().element().span())
    }

    /// Returns where an offset into the [`document`](Self::document)'s text is in the stream.
    ///
    /// The end tags of groups, which the stream has not reached, count as the entity's end.
    #[must_use]
    pub fn position_of(&self, offset: usize) -> Position {
        let text = self.document.text();
        let end = self.entity().element().span().end;
        place(&self.pieces, text, self.encoding, offset.min(end))
    }

    /// Returns where a span of the [`document`](Self::document)'s text is among the bytes of the
    /// stream.
    #[must_use]
    pub fn span_of(&self, span: Range<usize>) -> Range<usize> {
        self.span_from(self.position_of(span.start).offset, span)
    }

    /// Returns where a span is among the bytes of the stream that begins at `start` of them.
    fn span_from(&self, start: usize, span: Range<usize>) -> Range<usize> {
        let Some(before_end) = span.end.checked_sub(1).filter(|end| *end >= span.start) else {
            return start..start;
        };
        // The end belongs to the part that its last character is in.
        let text = self.document.text();
        let last = text.floor_char_boundary(before_end);
        let end = self.entity().element().span().end;
        let (piece, before) = piece_before(&self.pieces, text, last.min(end));
        let until = length(before, self.encoding) + length(&text[last..span.end], self.encoding);
        start..(piece.at.offset + until).max(start)
    }

    /// Returns whether a group around the entity has a signature, which nothing has verified.
    #[must_use]
    pub fn group_is_signed(&self) -> bool {
        self.group_is_signed
    }

    /// Returns whether the `Extensions` of a group were left out because they have more than
    /// 16 KiB, which would be copied for each entity.
    #[must_use]
    pub fn lacks_group_extensions(&self) -> bool {
        self.lacks_extensions
    }

    /// Checks the entity against a profile or policy, like [`validate`](crate::validate()).
    ///
    /// Spans and positions are those in the stream; paths are those in the small document. What is
    /// found in the tags of groups is reported with the first entity behind them only.
    #[must_use]
    pub fn validate<'p>(&self, policy: impl Into<Cow<'p, Policy>>, now: Timestamp) -> Vec<Finding> {
        let start = self.entity().element().span().start;
        let is_root = self.entity().element().parent().is_none();
        let first = if is_root {
            0
        } else {
            start.min(self.first_news)
        };
        let mut findings = validate_part(
            &self.document,
            &policy.into(),
            now,
            |offset| offset >= first,
            |offset| self.position_of(offset),
        );
        for finding in &mut findings {
            finding.span = self.span_from(finding.position.offset, finding.span.clone());
        }
        findings
    }
}

/// Finds a place in a text that was put together from pieces.
pub(super) fn place(pieces: &[Piece], text: &str, encoding: Encoding, offset: usize) -> Position {
    let (piece, before) = piece_before(pieces, text, offset);
    advance(piece.at, before, encoding)
}

/// Returns the piece that a place is in, and the text of the piece before the place.
fn piece_before<'a>(pieces: &[Piece], text: &'a str, offset: usize) -> (Piece, &'a str) {
    let offset = text.floor_char_boundary(offset);
    let number = pieces.partition_point(|piece| piece.start <= offset);
    let piece = pieces[number.saturating_sub(1)];
    (piece, &text[piece.start..offset])
}
