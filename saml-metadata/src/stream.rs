//! Aggregates of any size, one entity at a time.

mod entity;
mod error;
mod input;
#[cfg_attr(
    not(feature = "signature"),
    expect(dead_code, reason = "only signatures look at a stream")
)]
mod watch;

use std::{
    fmt,
    io::{self, BufRead},
    ops::Range,
};

use quick_xml::Reader as Tokenizer;

#[cfg(not(feature = "signature"))]
use self::watch::Watch;
#[cfg(feature = "signature")]
pub(crate) use self::watch::{Part, Watch};
use self::{entity::Piece, input::Input, watch::Nobody};
pub use self::{entity::StreamedEntity, error::StreamError};
use crate::{
    Limits, Position, ReadError,
    error::Fault,
    reader::{Reader, State, Token, escape::shorten, token_fault},
    source::advance,
    tree::{NamespaceId, NodeId, NodeKind},
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
    tokens: Tokenizer<Input<R>>,
    buffer: Vec<u8>,
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

/// A group whose end has not been met.
#[derive(Debug)]
struct Group {
    node: NodeId,
    keep: Checkpoint,
    /// Pieces that are kept for the groups around it.
    pieces_before: usize,
    extensions: GroupExtensions,
    is_signed: bool,
    has_entity: bool,
}

/// Whether the `Extensions` of a group are handed out with its entities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GroupExtensions {
    NotMet,
    Kept,
    TooLarge,
}

/// How much of everything is kept for the entities to come.
#[derive(Debug, Clone, Copy, Default)]
struct Checkpoint {
    text: usize,
    nodes: usize,
    attributes: usize,
    decoded: usize,
    namespaces: usize,
    last_child: Option<NodeId>,
}

/// What stops a stream.
#[derive(Debug)]
enum Failure {
    Io(io::Error),
    /// A fault whose offset counts from the beginning of the text.
    Fault(Fault),
    /// A fault whose offset is one into the window.
    Held(Fault),
}

/// The largest `Extensions` of a group that each of its entities gets a copy of.
const LARGEST_EXTENSIONS: usize = 16 << 10;
/// Text, comments and instructions between entities that are held before they are checked.
const LONGEST_WAIT: usize = 64 << 10;
/// Tokens that are held before they are checked.
const MOST_PENDING: usize = 1024;

impl<R: BufRead> EntityStream<R> {
    /// Starts to read, with limits fit for a stream.
    pub fn new(input: R) -> Self {
        Self::with_limits(input, &fit_limits())
    }

    /// Starts to read within given limits.
    pub fn with_limits(input: R, limits: &Limits) -> Self {
        let mut tokens = Tokenizer::from_reader(Input::new(input, limits));
        // Comments are checked by the reader, in its words.
        tokens.config_mut().check_comments = false;
        Self {
            tokens,
            buffer: Vec::new(),
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
        self.input().held_bytes()
            + self.buffer.capacity()
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

    /// Reads on to the end of the next entity.
    fn advance<W: Watch>(&mut self, watch: &mut W) -> Result<Option<StreamedEntity>, Failure> {
        loop {
            let start = self.window().len();
            self.buffer.clear();
            let token = match self.tokens.read_event_into(&mut self.buffer) {
                Ok(event) => Token::of(&event),
                Err(error) => return Err(self.failure(&error, start)),
            };
            let range = start..self.window().len();
            let Some(token) = token else {
                self.flush()?;
                self.reader(|reader| reader.finish().map(|_| ()))?;
                self.pass(self.window().len(), watch);
                return Ok(None);
            };
            if let Some(entity) = self.token(token, range, watch)? {
                return Ok(Some(entity));
            }
        }
    }

    fn token<W: Watch>(
        &mut self,
        token: Token,
        range: Range<usize>,
        watch: &mut W,
    ) -> Result<Option<StreamedEntity>, Failure> {
        let mut range = range;
        let starts = matches!(token, Token::Start | Token::Empty);
        let is_child = starts && self.depth == self.groups.len();
        if is_child {
            // What stands between the entities is checked and forgotten.
            self.flush()?;
            self.pass(range.start, watch);
            let dropped = range.start - self.keep().text;
            self.restore(range.start);
            range = range.start - dropped..range.end - dropped;
        }
        self.pending.push((token, range.clone()));
        match token {
            Token::Start => self.depth += 1,
            Token::End => self.depth -= 1,
            _ => {}
        }
        if is_child {
            let name = &self.window()[range.start + 1..range.end - 1];
            let may_be_group = token == Token::Start && begins_group(name);
            if may_be_group || self.groups.is_empty() {
                self.flush()?;
                self.check_root(&range)?;
            }
            if may_be_group && self.is_group() {
                self.open_group(range.start, watch);
                return Ok(None);
            }
        }
        if self.depth < self.groups.len() {
            self.flush()?;
            self.pass_end(watch);
            self.close_group();
        } else if self.depth == self.groups.len() && matches!(token, Token::End | Token::Empty) {
            self.flush()?;
            return self.child(watch);
        } else if self.depth == self.groups.len() && range.end - self.keep().text > LONGEST_WAIT {
            self.flush()?;
            // Text before the first element still counts for the limit of one text.
            if self.state.open.last().is_some_and(|open| open.has_elements) {
                self.pass(range.end, watch);
                self.restore(range.end);
            }
        } else if self.pending.len() >= MOST_PENDING {
            self.flush()?;
        }
        Ok(None)
    }

    /// Refuses a root element that is neither a group nor an entity.
    fn check_root(&mut self, range: &Range<usize>) -> Result<(), Failure> {
        if !self.groups.is_empty() {
            return Ok(());
        }
        let Some(root) = self.state.root else {
            return Ok(());
        };
        let node = &self.state.nodes[root.0 as usize];
        let local = &self.window()[node.name.range()][node.prefix_len as usize..];
        if node.namespace == NamespaceId::METADATA
            && matches!(local, "EntityDescriptor" | "EntitiesDescriptor")
        {
            return Ok(());
        }
        let name = shorten(&self.window()[node.name.range()]);
        let message = format!("the stream is not SAML metadata: its root element is `{name}`");
        let kind = crate::ReadErrorKind::NotMetadata;
        Err(Failure::Held(Fault::new(kind, range.start, message)))
    }

    /// Returns whether the element just opened is a group in a group, or at the root.
    fn is_group(&self) -> bool {
        let open = self.state.open.last().expect("the document is always open");
        let node = &self.state.nodes[open.node.0 as usize];
        // Its name has been looked at.
        node.namespace == NamespaceId::METADATA
    }

    fn open_group<W: Watch>(&mut self, start: usize, watch: &mut W) {
        let node = self.state.open.last().map(|open| open.node);
        let node = node.unwrap_or(NodeId::DOCUMENT);
        self.pass_start(node, start, watch);
        let at = self.place(start);
        let pieces_before = self.pieces.len();
        self.pieces.push(Piece { start, at });
        let group = Group {
            node,
            keep: self.checkpoint(),
            pieces_before,
            extensions: GroupExtensions::NotMet,
            is_signed: false,
            has_entity: false,
        };
        self.mark = Some(self.place(self.window().len()));
        self.groups.push(group);
    }

    fn close_group(&mut self) {
        let end = self.window().len();
        let at = self.place(end);
        let group = self.groups.pop().expect("a group is open");
        self.pieces.truncate(group.pieces_before);
        self.restore(end);
        self.mark = Some(at);
    }

    /// Looks at a child of a group, or at a root entity, that has just ended.
    fn child<W: Watch>(&mut self, watch: &mut W) -> Result<Option<StreamedEntity>, Failure> {
        self.input().check_room().map_err(Failure::Held)?;
        let end = self.window().len();
        self.pass(end, watch);
        let last = self.state.open.last().map(|open| open.last_child);
        let id = last.unwrap_or(NodeId::NONE);
        let node = self.state.nodes[id.0 as usize];
        let local = &self.window()[node.name.range()][node.prefix_len as usize..];
        let is = |namespace, name| {
            node.kind == NodeKind::Element && node.namespace == namespace && local == name
        };
        if is(NamespaceId::METADATA, "EntityDescriptor") && !W::LOOKS {
            let entity = self.entity(id);
            self.restore(end);
            return Ok(Some(entity));
        }
        let is_extensions = is(NamespaceId::METADATA, "Extensions");
        let is_signature = is(NamespaceId::SIGNATURE, "Signature");
        if let Some(group) = self.groups.last_mut() {
            group.is_signed |= is_signature;
            if is_extensions && group.extensions == GroupExtensions::NotMet {
                let is_small = node.span.range().len() <= LARGEST_EXTENSIONS;
                group.extensions = GroupExtensions::TooLarge;
                if is_small {
                    group.extensions = GroupExtensions::Kept;
                    self.keep_extensions(node.span.range().start);
                    return Ok(None);
                }
            }
        }
        self.restore(end);
        Ok(None)
    }

    fn keep_extensions(&mut self, start: usize) {
        let at = self.place(start);
        self.pieces.push(Piece { start, at });
        let after = self.place(self.window().len());
        let keep = self.checkpoint();
        self.mark = Some(after);
        if let Some(group) = self.groups.last_mut() {
            group.keep = Checkpoint {
                last_child: self.state.open.last().map(|open| open.last_child),
                ..keep
            };
        }
    }

    fn entity(&mut self, id: NodeId) -> StreamedEntity {
        let start = self.state.nodes[id.0 as usize].span.range().start;
        let mut pieces = self.pieces.clone();
        pieces.push(Piece {
            start,
            at: self.place(start),
        });
        // The tags of groups that no entity has had before are this one's to answer for.
        let known = self
            .groups
            .iter()
            .take_while(|group| group.has_entity)
            .count();
        let first_news = match self.groups.get(known) {
            None => start,
            Some(_) if known == 0 => 0,
            Some(_) => self.groups[known - 1].keep.text,
        };
        let entity = StreamedEntity::new(
            &self.state,
            self.window(),
            id,
            entity::Context {
                limits: &self.limits,
                encoding: self.input().encoding,
                pieces,
                first_news,
                group_is_signed: self.groups.iter().any(|group| group.is_signed),
                lacks_extensions: self
                    .groups
                    .iter()
                    .any(|group| group.extensions == GroupExtensions::TooLarge),
            },
        );
        for group in &mut self.groups {
            group.has_entity = true;
        }
        entity
    }

    fn keep(&self) -> Checkpoint {
        self.groups.last().map_or(
            Checkpoint {
                nodes: 1,
                ..Checkpoint::default()
            },
            |group| group.keep,
        )
    }

    /// Returns how much there is now.
    fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            text: self.window().len(),
            nodes: self.state.nodes.len(),
            attributes: self.state.attributes.len(),
            decoded: self.state.decoded.len(),
            namespaces: self.state.scope.namespaces.len(),
            last_child: None,
        }
    }

    /// Forgets everything up to `end` but what is kept.
    fn restore(&mut self, end: usize) {
        let keep = self.keep();
        if end == keep.text {
            return;
        }
        self.mark = Some(self.place(end));
        self.has_dropped = true;
        self.tokens.get_mut().window.drain(keep.text..end);
        self.state.nodes.truncate(keep.nodes);
        self.state.attributes.truncate(keep.attributes);
        self.state.decoded.truncate(keep.decoded);
        self.state.scope.forget_namespaces(keep.namespaces);
        let open = self
            .state
            .open
            .last_mut()
            .expect("the document is always open");
        open.last_child = keep.last_child.unwrap_or(NodeId::NONE);
        match keep.last_child {
            Some(last) => self.state.nodes[last.0 as usize].next = NodeId::NONE,
            None => self.state.nodes[open.node.0 as usize].first_child = NodeId::NONE,
        }
    }

    /// Gives the pending tokens to the reader.
    fn flush(&mut self) -> Result<(), Failure> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut pending = std::mem::take(&mut self.pending);
        let result = self.reader(|reader| {
            pending
                .drain(..)
                .try_for_each(|(token, range)| reader.token(token, range))
        });
        self.pending = pending;
        result
    }

    fn reader(
        &mut self,
        work: impl FnOnce(&mut Reader<'_>) -> Result<(), Fault>,
    ) -> Result<(), Failure> {
        let input = self.tokens.get_ref();
        let mut reader = Reader {
            text: &input.window,
            // A declaration may stand only where nothing stood before.
            base: if self.has_dropped { usize::MAX } else { 0 },
            encoding: input.encoding,
            limits: &self.limits,
            carriage_return: input.carriage_return,
            state: &mut self.state,
        };
        work(&mut reader).map_err(Failure::Held)
    }

    /// Finds what stopped the tokenizer in the token at `start` of the window.
    fn failure(&mut self, error: &quick_xml::Error, start: usize) -> Failure {
        // What the pending tokens have wrong comes first in the text.
        if let Err(failure) = self.flush() {
            return failure;
        }
        let window = self.window();
        let is_doctype =
            crate::reader::chars::starts_with_ignoring_case(&window[start..], "<!doctype");
        if let Some(failure) = self.tokens.get_mut().failure.take()
            && !is_doctype
        {
            return failure;
        }
        // The tokenizer counts from the beginning of the text.
        let window = self.window();
        let error_at = usize::try_from(self.tokens.error_position()).unwrap_or(usize::MAX);
        let behind = self.input().taken().saturating_sub(error_at);
        let at = window.len().saturating_sub(behind).max(start);
        Failure::Held(token_fault(&window[start..], error, start, at))
    }

    fn report(&mut self, failure: Failure) -> StreamError {
        match failure {
            Failure::Io(source) => StreamError::Io { source },
            Failure::Held(fault) => {
                let position = self.place(fault.offset);
                StreamError::Read {
                    source: ReadError::new(fault, position),
                }
            }
            // The text up to there has been taken, so it is the end of the window.
            Failure::Fault(fault) => {
                let position = self.place(self.window().len());
                StreamError::Read {
                    source: ReadError::new(fault, position),
                }
            }
        }
    }

    /// Returns where an offset into the window is in the stream.
    fn place(&self, offset: usize) -> Position {
        let window = self.window();
        let offset = window.floor_char_boundary(offset);
        let encoding = self.input().encoding;
        let kept = self.keep().text;
        if offset < kept {
            return entity::place(&self.pieces, window, encoding, offset);
        }
        let mark = self.mark.unwrap_or(self.input().start);
        advance(mark, &window[kept..offset], encoding)
    }

    fn input(&self) -> &Input<R> {
        self.tokens.get_ref()
    }

    fn window(&self) -> &str {
        &self.tokens.get_ref().window
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

/// Returns whether a start tag, without its brackets, may be that of a group.
fn begins_group(tag: &str) -> bool {
    let end = tag
        .find(|c: char| c.is_ascii_whitespace())
        .unwrap_or(tag.len());
    let name = &tag[..end];
    let local = name.rsplit_once(':').map_or(name, |(_, local)| local);
    local == "EntitiesDescriptor"
}

impl<R: BufRead> Iterator for EntityStream<R> {
    type Item = Result<StreamedEntity, StreamError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        match self.advance(&mut Nobody) {
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
            .field("held", &self.tokens.get_ref().window.len())
            .field("is_done", &self.is_done)
            .finish_non_exhaustive()
    }
}
