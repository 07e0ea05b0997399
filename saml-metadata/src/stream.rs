//! Aggregates of any size, one entity at a time.

mod entity;
mod error;
mod failure;
mod groups;
mod input;
mod tokens;
#[cfg_attr(
    not(feature = "signature"),
    expect(dead_code, reason = "only signatures look at a stream")
)]
mod visitor;

use std::{fmt, io::BufRead, ops::Range};

#[cfg(not(feature = "signature"))]
use self::visitor::StreamVisitor;
#[cfg(feature = "signature")]
pub(crate) use self::visitor::{Part, StreamVisitor};
use self::{entity::Piece, failure::Failure, groups::Group, input::Input, visitor::NoVisitor};
pub use self::{entity::StreamedEntity, error::StreamError};
use crate::{
    Limits, Position,
    reader::{State, Token},
};

/// Reads the entities of an aggregate one after the other, in constant memory.
///
/// The text is read by the same strict layers as by [`read`](crate::read()), and in one pass: an
/// entity is handed out as soon as its end tag is there, so what follows it may still turn out to
/// be wrong. The first error, in the order of the text, is the last item.
///
/// Each entity comes as a [`StreamedEntity`]: a small document of its own that has the start tags
/// of the groups around it, so `validUntil`, `cacheDuration`, namespaces and names of groups are
/// inherited as in the whole document.
///
/// Signatures are not looked at; `signature::Verifier::verify_stream` verifies first and then streams.
///
/// # Limits
///
/// [`Limits::bytes`] and [`Limits::nodes`] bound what is held at one time: an entity, or anything
/// else that stands in a group, together with the groups' start tags. Nothing bounds the length of
/// the stream but [`Limits::entities`]. [`EntityStream::new`] takes 4 MiB (the default of one text
/// is 1 MiB), 200,000 nodes and no bound on entities; all other limits mean what they always mean.
///
/// # What one entity cannot show
///
/// `Extensions` of a group that follow an entity, against the schema, are not known to it.
/// Rules that compare entities with each other, such as two with the same entityID, need the
/// whole document.
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
    /// Tokens of the window that the reader has not taken.
    pending: Vec<(Token, Range<usize>)>,
    /// Elements that are open, pending ones included.
    depth: usize,
    groups: Vec<Group>,
    /// Where the parts of the window come from that are kept for the next entity.
    pieces: Vec<Piece>,
    /// The place of what follows those parts.
    mark: Option<Position>,
    has_dropped: bool,
    is_done: bool,
}

impl<R: BufRead> EntityStream<R> {
    /// Starts to read, with limits fit for a stream.
    pub fn new(input: R) -> Self {
        Self::with_limits(input, &fit_limits())
    }

    /// Starts to read within given limits.
    pub fn with_limits(input: R, limits: &Limits) -> Self {
        Self {
            input: Input::new(input, limits),
            limits: limits.clone(),
            state: State::new(0),
            pending: Vec::new(),
            depth: 0,
            groups: Vec::new(),
            pieces: Vec::new(),
            mark: None,
            has_dropped: false,
            is_done: false,
        }
    }

    /// Returns about how many bytes of memory the stream holds, for watching that it stays small.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let state = &self.state;
        self.input.held_bytes()
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

/// Returns limits fit for a stream.
pub(crate) fn fit_limits() -> Limits {
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
