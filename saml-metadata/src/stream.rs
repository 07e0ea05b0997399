//! Aggregates of any size, one entity at a time.

mod entity;
mod error;
mod failure;
mod groups;
mod input;
mod tokens;
#[cfg_attr(
    not(feature = "signature"),
    expect(dead_code, reason = "only the feature `signature` visits a stream")
)]
mod visitor;

use std::{fmt, io::BufRead, ops::Range};

#[cfg(not(feature = "signature"))]
use self::visitor::StreamVisitor;
#[cfg(feature = "signature")]
pub(crate) use self::visitor::{Part, StreamVisitor};
use self::{entity::Segment, failure::Failure, groups::Group, input::Input, visitor::NoVisitor};
pub use self::{entity::StreamedEntity, error::StreamError};
use crate::{
    Limits, Position,
    reader::{State, Token},
};

/// Iterator over the entities of an aggregate, in constant memory.
///
/// The stream checks the text as strictly as [`read`](crate::read()), in one pass. It returns an
/// entity as soon as the end tag is read, so the text after the entity can still be invalid. The
/// first error, in the order of the text, is the last item.
///
/// Each item is a [`StreamedEntity`]: a small separate document that also contains the start tags of
/// the groups around the entity. So the entity inherits `validUntil`, `cacheDuration`, namespaces and
/// names of groups, as in the whole document.
///
/// The stream does not verify signatures; `signature::Verifier::verify_stream` verifies first and
/// then streams.
///
/// # Limits
///
/// [`Limits::bytes`] and [`Limits::nodes`] limit the part that is in memory at one time: an entity or
/// another child of a group, together with the start tags of the groups. Only [`Limits::entities`]
/// limits the length of the stream. [`EntityStream::new`] uses 4 MiB (the default limit of one text
/// is 1 MiB), 200,000 nodes, no limit on entities, and the default of all other limits.
///
/// # Limitations
///
/// An entity does not contain group `Extensions` that follow the entity; the schema does not allow
/// this order. Rules that compare entities with each other, such as two entities with the same
/// entityID, need the whole document.
///
/// ```
/// use saml_metadata::EntityStream;
///
/// let aggregate = br#"<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"
///     Name="urn:all" validUntil="2026-12-01T00:00:00Z">
///   <md:EntityDescriptor entityID="urn:a"/>
///   <md:EntityDescriptor entityID="urn:b"/>
/// </md:EntitiesDescriptor>"#;
/// for streamed in EntityStream::new(&aggregate[..]) {
///     let streamed = streamed?;
///     let entity = streamed.entity();
///     println!("{}: {}", streamed.position(), entity.entity_id());
///     assert_eq!(entity.group().and_then(|group| group.name()), Some("urn:all"));
///     assert!(entity.effective_valid_until()?.is_some());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EntityStream<R> {
    input: Input<R>,
    limits: Limits,
    state: State,
    /// Tokens of the window that the reader has not checked yet.
    pending: Vec<(Token, Range<usize>)>,
    /// Number of open elements, including elements of pending tokens.
    depth: usize,
    groups: Vec<Group>,
    /// The segments of the window that are kept for the next entity, with their stream positions.
    segments: Vec<Segment>,
    /// The stream position of the text after these segments.
    rest_position: Option<Position>,
    has_dropped: bool,
    is_done: bool,
}

impl<R: BufRead> EntityStream<R> {
    /// Creates a stream with the default limits of a stream.
    pub fn new(input: R) -> Self {
        Self::with_limits(input, &stream_limits())
    }

    /// Creates a stream with given limits.
    pub fn with_limits(input: R, limits: &Limits) -> Self {
        Self {
            input: Input::new(input, limits),
            limits: limits.clone(),
            state: State::new(0),
            pending: Vec::new(),
            depth: 0,
            groups: Vec::new(),
            segments: Vec::new(),
            rest_position: None,
            has_dropped: false,
            is_done: false,
        }
    }

    /// Returns the approximate number of bytes of memory in use, for monitoring.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let state = &self.state;
        self.input.memory_bytes()
            + self.pending.capacity() * size_of::<(Token, Range<usize>)>()
            + state.nodes.capacity() * size_of::<crate::tree::Node>()
            + state.attributes.capacity() * size_of::<crate::tree::AttributeRecord>()
            + state.decoded.capacity()
            + state
                .scope
                .namespaces
                .iter()
                .map(|uri| uri.len() * 2)
                .sum::<usize>()
    }

    fn window(&self) -> &str {
        &self.input.window
    }
}

/// Returns the default limits of a stream.
pub(crate) fn stream_limits() -> Limits {
    Limits {
        bytes: 4 << 20,
        nodes: 200_000,
        entities: usize::MAX,
        ..Limits::default()
    }
}

impl<R: BufRead> Iterator for EntityStream<R> {
    type Item = Result<StreamedEntity, StreamError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        match self.advance(&mut NoVisitor) {
            Ok(Some(entity)) => Some(Ok(entity)),
            Ok(None) => {
                self.is_done = true;
                None
            }
            Err(failure) => {
                self.is_done = true;
                Some(Err(self.report(failure)))
            }
        }
    }
}

impl<R: BufRead> std::iter::FusedIterator for EntityStream<R> {}

impl<R> fmt::Debug for EntityStream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntityStream")
            .field("groups", &self.groups.len())
            .field("held", &self.input.window.len())
            .field("is_done", &self.is_done)
            .finish_non_exhaustive()
    }
}
