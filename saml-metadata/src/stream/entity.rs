//! One entity of a stream, with the start tags of the groups around it.

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

/// An entity of a stream.
///
/// The [`document`](Self::document) is complete: it contains the start tags of the groups around the
/// entity as written, with their `Extensions`, then the entity, then the end tags. It can be
/// inspected, validated, edited and written like any other document.
/// [`position_of`](Self::position_of) converts an offset in this document into a position in the
/// stream.
#[derive(Debug, Clone)]
pub struct StreamedEntity {
    document: Document,
    entity: NodeId,
    encoding: Encoding,
    segments: Vec<Segment>,
    /// Offset of the first text that no earlier entity had in its document.
    first_new: usize,
    group_is_signed: bool,
    lacks_extensions: bool,
}

/// A segment of the document that was contiguous in the stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    /// Offset of the segment in the document's text.
    pub(super) start: usize,
    /// Position of the segment in the stream.
    pub(super) at: Position,
}

/// The properties of an entity that the stream supplies in addition to its text.
pub(super) struct Context<'a> {
    pub(super) limits: &'a Limits,
    pub(super) encoding: Encoding,
    pub(super) segments: Vec<Segment>,
    pub(super) first_new: usize,
    pub(super) group_is_signed: bool,
    pub(super) lacks_extensions: bool,
}

impl StreamedEntity {
    /// Creates a document from an entity and the parts of its groups that have been read.
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
            root: state
                .root
                .expect("an entity is the root element or inside it"),
        };
        Self {
            document: Document::from_parts(Source::plain(text), tree, context.limits.clone()),
            entity,
            encoding: context.encoding,
            segments: context.segments,
            first_new: context.first_new,
            group_is_signed: context.group_is_signed,
            lacks_extensions: context.lacks_extensions,
        }
    }

    /// Returns the entity.
    #[must_use]
    pub fn entity(&self) -> EntityDescriptor<'_> {
        EntityDescriptor::new(Element::new(&self.document, self.entity))
    }

    /// Returns the small document around the entity, in UTF-8 for any encoding of the stream.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Converts the entity into the small document around it.
    #[must_use]
    pub fn into_document(self) -> Document {
        self.document
    }

    /// Returns the position of the entity's start in the stream.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position_of(self.entity().element().span().start)
    }

    /// Returns the byte range of the entity in the stream.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span_of(self.entity().element().span())
    }

    /// Returns the position in the stream of an offset into the [`document`](Self::document)'s text.
    ///
    /// The stream has not reached the end tags of the groups yet, so an offset in these end tags
    /// returns the position of the entity's end.
    #[must_use]
    pub fn position_of(&self, offset: usize) -> Position {
        self.positions()(offset)
    }

    /// Returns a function like [`position_of`](Self::position_of) for increasing offsets, which reads the
    /// text only once.
    fn positions(&self) -> impl FnMut(usize) -> Position {
        let text = self.document.text();
        let end = self.entity().element().span().end;
        let mut last: Option<Segment> = None;
        move |offset| {
            let offset = text.floor_char_boundary(offset.min(end));
            let (segment, _) = segment_before(&self.segments, text, offset);
            let from = last
                .filter(|last| (segment.start..=offset).contains(&last.start))
                .unwrap_or(segment);
            let at = advance(from.at, &text[from.start..offset], self.encoding);
            last = Some(Segment { start: offset, at });
            at
        }
    }

    /// Returns the byte range in the stream of a span of the [`document`](Self::document)'s text.
    #[must_use]
    pub fn span_of(&self, span: Range<usize>) -> Range<usize> {
        self.span_from(self.position_of(span.start).offset, span)
    }

    /// Returns the byte range in the stream of a span, given the offset `start` of its first byte.
    fn span_from(&self, start: usize, span: Range<usize>) -> Range<usize> {
        let Some(before_end) = span.end.checked_sub(1).filter(|end| *end >= span.start) else {
            return start..start;
        };
        // The end is in the same segment as the last character of the span.
        let text = self.document.text();
        let last = text.floor_char_boundary(before_end);
        let end = self.entity().element().span().end;
        let (segment, before) = segment_before(&self.segments, text, last.min(end));
        let until = length(before, self.encoding) + length(&text[last..span.end], self.encoding);
        start..(segment.at.offset + until).max(start)
    }

    /// Returns whether a group around the entity has a signature, which is not verified.
    #[must_use]
    pub fn group_is_signed(&self) -> bool {
        self.group_is_signed
    }

    /// Returns whether the `Extensions` of a group were left out because of their size.
    ///
    /// `Extensions` larger than 16 KiB are left out, because they would be copied for each entity.
    #[must_use]
    pub fn lacks_group_extensions(&self) -> bool {
        self.lacks_extensions
    }

    /// Validates the entity against a profile or policy, like [`validate`](crate::validate()).
    ///
    /// Spans and positions are positions in the stream; paths are paths in the small document. A
    /// finding in the start tag of a group is reported only with the first entity after that tag.
    #[must_use]
    pub fn validate<'p>(&self, policy: impl Into<Cow<'p, Policy>>, now: Timestamp) -> Vec<Finding> {
        let start = self.entity().element().span().start;
        let is_root = self.entity().element().parent().is_none();
        let first = if is_root {
            0
        } else {
            start.min(self.first_new)
        };
        let mut findings = validate_part(
            &self.document,
            &policy.into(),
            now,
            |offset| offset >= first,
            self.positions(),
        );
        for finding in &mut findings {
            finding.span = self.span_from(finding.position.offset, finding.span.clone());
        }
        findings
    }
}

/// Returns the position in the stream of an offset into a text that consists of segments.
pub(super) fn position(
    segments: &[Segment],
    text: &str,
    encoding: Encoding,
    offset: usize,
) -> Position {
    let (segment, before) = segment_before(segments, text, offset);
    advance(segment.at, before, encoding)
}

/// Returns the segment that contains an offset, and the text of the segment before the offset.
fn segment_before<'a>(segments: &[Segment], text: &'a str, offset: usize) -> (Segment, &'a str) {
    let offset = text.floor_char_boundary(offset);
    let number = segments.partition_point(|segment| segment.start <= offset);
    let segment = segments[number.saturating_sub(1)];
    (segment, &text[segment.start..offset])
}
