//! Reads the stream token by token, up to the end of the next entity.

use std::{io::BufRead, ops::Range};

use super::{
    EntityStream, StreamVisitor, StreamedEntity,
    entity::{self, Segment},
    failure::Failure,
    groups::{GroupExtensions, MAX_EXTENSIONS},
};
use crate::{
    error::Fault,
    reader::{NoToken, Reader, Token, escape::shorten, next_token},
    tree::{NamespaceId, NodeId, NodeKind},
};

/// Maximum length of text, comments and instructions between entities before they are checked.
const MAX_PENDING_TEXT: usize = 64 << 10;
/// Maximum number of tokens before they are checked.
const MAX_PENDING: usize = 1024;

impl<R: BufRead> EntityStream<R> {
    /// Reads up to the end of the next entity.
    pub(super) fn advance<W: StreamVisitor>(
        &mut self,
        visitor: &mut W,
    ) -> Result<Option<StreamedEntity>, Failure> {
        while let Some((token, range)) = self.next_token()? {
            if let Some(entity) = self.token(token, range, visitor)? {
                return Ok(Some(entity));
            }
        }
        self.flush()?;
        self.with_reader(|reader| reader.finish().map(|_| ()))?;
        self.emit_content(self.window().len(), visitor);
        Ok(None)
    }

    /// Reads up to the next token that is outside an entity or ends an entity. The tokens before it
    /// become pending.
    fn next_token(&mut self) -> Result<Option<(Token, Range<usize>)>, Failure> {
        loop {
            match self.scan() {
                Scanned::Token(token, range) => {
                    self.input.extend_window();
                    return Ok(Some((token, range)));
                }
                Scanned::End => {
                    self.input.extend_window();
                    return Ok(None);
                }
                Scanned::Malformed { error, start, at } => {
                    return Err(self.malformed_token(&error, start, at));
                }
                Scanned::Incomplete => {
                    let start = self.input.window_offset(self.input.tokenized);
                    if !self.input.feed() {
                        return Err(self.incomplete_token(start));
                    }
                }
            }
        }
    }

    /// Scans the complete tokens in the decoded text.
    fn scan(&mut self) -> Scanned {
        let groups = self.groups.len();
        let is_last = self.input.is_last();
        loop {
            if !self.input.has_space() {
                return Scanned::Incomplete;
            }
            let start = self.input.tokenized;
            let text = &self.input.decoded[start..];
            let (token, length) = match next_token(text, is_last) {
                Ok(found) => found,
                Err(NoToken::Incomplete) => return Scanned::Incomplete,
                Err(NoToken::End) => return Scanned::End,
                Err(NoToken::Malformed { error, end, at }) => {
                    self.input.tokenized = start + end;
                    return Scanned::Malformed {
                        error,
                        start: self.input.window_offset(start),
                        at: self.input.window_offset(start + at),
                    };
                }
            };
            let end = start + length;
            let range = self.input.window_offset(start)..self.input.window_offset(end);
            self.input.tokenized = end;
            let ends = token == Token::End && self.depth <= groups + 1;
            if self.depth <= groups || ends || self.pending.len() + 1 >= MAX_PENDING {
                return Scanned::Token(token, range);
            }
            self.pending.push((token, range));
            match token {
                Token::Start => self.depth += 1,
                Token::End => self.depth -= 1,
                _ => {}
            }
        }
    }

    /// Handles a token: opens and closes groups, and returns the entity that the token ends.
    pub(super) fn token<W: StreamVisitor>(
        &mut self,
        token: Token,
        range: Range<usize>,
        visitor: &mut W,
    ) -> Result<Option<StreamedEntity>, Failure> {
        if token == Token::End && self.depth == 0 {
            // An end tag without a start tag, which the reader reports.
            self.pending.push((token, range));
            self.flush()?;
            return Ok(None);
        }
        let mut range = range;
        let starts = matches!(token, Token::Start | Token::Empty);
        let is_child = starts && self.depth == self.groups.len();
        if is_child {
            // The text before the child is checked and dropped.
            self.flush()?;
            self.emit_content(range.start, visitor);
            let dropped = range.start - self.kept().text;
            self.drop_until(range.start);
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
                self.open_group(range.start, visitor);
                return Ok(None);
            }
        }
        if self.depth < self.groups.len() {
            self.flush()?;
            self.emit_end(visitor);
            self.close_group();
        } else if self.depth == self.groups.len() && matches!(token, Token::End | Token::Empty) {
            self.flush()?;
            return self.end_child(visitor);
        } else if self.depth == self.groups.len() && range.end - self.kept().text > MAX_PENDING_TEXT
        {
            self.flush()?;
            // The text before the first child element must stay: it counts towards the limit of
            // one text.
            if self.state.open.last().is_some_and(|open| open.has_elements) {
                self.emit_content(range.end, visitor);
                self.drop_until(range.end);
            }
        } else if self.pending.len() >= MAX_PENDING {
            self.flush()?;
        }
        Ok(None)
    }

    /// Fails if the root element is neither a group nor an entity.
    pub(super) fn check_root(&mut self, range: &Range<usize>) -> Result<(), Failure> {
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
        Err(Failure::InWindow(Fault::new(kind, range.start, message)))
    }

    /// Returns whether the element just opened is a group, given that its local name is the name of
    /// a group.
    pub(super) fn is_group(&self) -> bool {
        let open = self.state.open.last().expect("the document is always open");
        let node = &self.state.nodes[open.node.0 as usize];
        node.namespace == NamespaceId::METADATA
    }

    /// Handles the end of a child of a group, or of the root element.
    pub(super) fn end_child<W: StreamVisitor>(
        &mut self,
        visitor: &mut W,
    ) -> Result<Option<StreamedEntity>, Failure> {
        self.input.check_window().map_err(Failure::InWindow)?;
        let end = self.window().len();
        self.emit_content(end, visitor);
        let last = self.state.open.last().map(|open| open.last_child);
        let id = last.unwrap_or(NodeId::NONE);
        let node = self.state.nodes[id.0 as usize];
        let local = &self.window()[node.name.range()][node.prefix_len as usize..];
        let is = |namespace, name| {
            node.kind == NodeKind::Element && node.namespace == namespace && local == name
        };
        if is(NamespaceId::METADATA, "EntityDescriptor") && !W::ENABLED {
            let entity = self.entity(id);
            self.drop_until(end);
            return Ok(Some(entity));
        }
        let is_extensions = is(NamespaceId::METADATA, "Extensions");
        let is_signature = is(NamespaceId::SIGNATURE, "Signature");
        if let Some(group) = self.groups.last_mut() {
            group.is_signed |= is_signature;
            if is_extensions && group.extensions == GroupExtensions::NotSeen {
                let is_small = node.span.range().len() <= MAX_EXTENSIONS;
                group.extensions = GroupExtensions::TooLarge;
                if is_small {
                    group.extensions = GroupExtensions::Kept;
                    self.keep_extensions(node.span.range().start);
                    return Ok(None);
                }
            }
        }
        self.drop_until(end);
        Ok(None)
    }

    /// Creates the entity from an element that has just ended.
    pub(super) fn entity(&mut self, id: NodeId) -> StreamedEntity {
        let start = self.state.nodes[id.0 as usize].span.range().start;
        let mut segments = self.segments.clone();
        segments.push(Segment {
            start,
            at: self.stream_position(start),
        });
        // Findings in the tags of a group are reported with the first entity of the group.
        let known = self
            .groups
            .iter()
            .take_while(|group| group.has_entity)
            .count();
        let first_new = match self.groups.get(known) {
            None => start,
            Some(_) if known == 0 => 0,
            Some(_) => self.groups[known - 1].kept.text,
        };
        let entity = StreamedEntity::new(
            &self.state,
            self.window(),
            id,
            entity::Context {
                limits: &self.limits,
                encoding: self.input.encoding,
                segments,
                first_new,
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

    /// Passes the pending tokens to the reader.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut pending = std::mem::take(&mut self.pending);
        let result = self.with_reader(|reader| {
            pending
                .drain(..)
                .try_for_each(|(token, range)| reader.token(token, range))
        });
        self.pending = pending;
        result
    }

    /// Calls `work` with a reader for the window.
    pub(super) fn with_reader(
        &mut self,
        work: impl FnOnce(&mut Reader<'_>) -> Result<(), Fault>,
    ) -> Result<(), Failure> {
        let input = &self.input;
        let mut reader = Reader {
            text: &input.window,
            // The declaration is allowed only at the start of the stream.
            base: if self.has_dropped { usize::MAX } else { 0 },
            encoding: input.encoding,
            limits: &self.limits,
            carriage_return: input.carriage_return,
            state: &mut self.state,
        };
        work(&mut reader).map_err(Failure::InWindow)
    }
}

/// The result of scanning the decoded text.
enum Scanned {
    Token(Token, Range<usize>),
    /// The next token is incomplete, or the window is full.
    Incomplete,
    /// The tokenizer reports an error for the token at offset `start` of the window; the error is at
    /// offset `at`.
    Malformed {
        error: quick_xml::Error,
        start: usize,
        at: usize,
    },
    End,
}

/// Returns whether a start tag, given without its brackets, has the local name of a group.
fn begins_group(tag: &str) -> bool {
    let end = tag
        .find(|c: char| c.is_ascii_whitespace())
        .unwrap_or(tag.len());
    let name = &tag[..end];
    let local = name.rsplit_once(':').map_or(name, |(_, local)| local);
    local == "EntitiesDescriptor"
}
