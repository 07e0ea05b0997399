//! From token to token, and to the end of the next entity.

use std::{io::BufRead, ops::Range};

use super::{
    EntityStream, StreamVisitor, StreamedEntity,
    entity::{self, Piece},
    failure::Failure,
    groups::{GroupExtensions, LARGEST_EXTENSIONS},
};
use crate::{
    error::Fault,
    reader::{NoToken, Reader, Token, escape::shorten, next_token},
    tree::{NamespaceId, NodeId, NodeKind},
};

/// Text, comments and instructions between entities that are held before they are checked.
const LONGEST_WAIT: usize = 64 << 10;
/// Tokens that are held before they are checked.
const MOST_PENDING: usize = 1024;

impl<R: BufRead> EntityStream<R> {
    /// Reads on to the end of the next entity.
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
        self.reader(|reader| reader.finish().map(|_| ()))?;
        self.pass(self.window().len(), visitor);
        Ok(None)
    }

    /// Reads on to the next token that does not stand inside of an entity, or ends it; those
    /// before it are pending.
    fn next_token(&mut self) -> Result<Option<(Token, Range<usize>)>, Failure> {
        loop {
            match self.scan() {
                Scanned::Token(token, range) => {
                    self.input.take();
                    return Ok(Some((token, range)));
                }
                Scanned::End => {
                    self.input.take();
                    return Ok(None);
                }
                Scanned::Wrong { error, start, at } => return Err(self.wrong(&error, start, at)),
                Scanned::Part => {
                    let start = self.input.offset(self.input.at);
                    if !self.input.feed() {
                        return Err(self.cut(start));
                    }
                }
            }
        }
    }

    /// Takes the tokens apart that are there as a whole.
    fn scan(&mut self) -> Scanned {
        let groups = self.groups.len();
        let is_last = self.input.is_last();
        loop {
            if !self.input.has_room() {
                return Scanned::Part;
            }
            let start = self.input.at;
            let text = &self.input.piece[start..];
            let (token, length) = match next_token(text, is_last) {
                Ok(found) => found,
                Err(NoToken::Part) => return Scanned::Part,
                Err(NoToken::End) => return Scanned::End,
                Err(NoToken::Wrong { error, end, at }) => {
                    self.input.at = start + end;
                    return Scanned::Wrong {
                        error,
                        start: self.input.offset(start),
                        at: self.input.offset(start + at),
                    };
                }
            };
            let end = start + length;
            let range = self.input.offset(start)..self.input.offset(end);
            self.input.at = end;
            let ends = token == Token::End && self.depth <= groups + 1;
            if self.depth <= groups || ends || self.pending.len() + 1 >= MOST_PENDING {
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
            // What stands between the entities is checked and forgotten.
            self.flush()?;
            self.pass(range.start, visitor);
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
                self.open_group(range.start, visitor);
                return Ok(None);
            }
        }
        if self.depth < self.groups.len() {
            self.flush()?;
            self.pass_end(visitor);
            self.close_group();
        } else if self.depth == self.groups.len() && matches!(token, Token::End | Token::Empty) {
            self.flush()?;
            return self.child(visitor);
        } else if self.depth == self.groups.len() && range.end - self.keep().text > LONGEST_WAIT {
            self.flush()?;
            // Text before the first element still counts for the limit of one text.
            if self.state.open.last().is_some_and(|open| open.has_elements) {
                self.pass(range.end, visitor);
                self.restore(range.end);
            }
        } else if self.pending.len() >= MOST_PENDING {
            self.flush()?;
        }
        Ok(None)
    }

    /// Refuses a root element that is neither a group nor an entity.
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
        Err(Failure::Held(Fault::new(kind, range.start, message)))
    }

    /// Returns whether the element just opened is a group in a group, or at the root.
    pub(super) fn is_group(&self) -> bool {
        let open = self.state.open.last().expect("the document is always open");
        let node = &self.state.nodes[open.node.0 as usize];
        // Its name has been looked at.
        node.namespace == NamespaceId::METADATA
    }

    /// Looks at a child of a group, or at a root entity, that has just ended.
    pub(super) fn child<W: StreamVisitor>(
        &mut self,
        visitor: &mut W,
    ) -> Result<Option<StreamedEntity>, Failure> {
        self.input.check_room().map_err(Failure::Held)?;
        let end = self.window().len();
        self.pass(end, visitor);
        let last = self.state.open.last().map(|open| open.last_child);
        let id = last.unwrap_or(NodeId::NONE);
        let node = self.state.nodes[id.0 as usize];
        let local = &self.window()[node.name.range()][node.prefix_len as usize..];
        let is = |namespace, name| {
            node.kind == NodeKind::Element && node.namespace == namespace && local == name
        };
        if is(NamespaceId::METADATA, "EntityDescriptor") && !W::ENABLED {
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

    pub(super) fn entity(&mut self, id: NodeId) -> StreamedEntity {
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
                encoding: self.input.encoding,
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

    /// Gives the pending tokens to the reader.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
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

    pub(super) fn reader(
        &mut self,
        work: impl FnOnce(&mut Reader<'_>) -> Result<(), Fault>,
    ) -> Result<(), Failure> {
        let input = &self.input;
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
}

/// What a look at the text that is there comes to.
enum Scanned {
    Token(Token, Range<usize>),
    /// The next token is not there as a whole, or may not be taken any more.
    Part,
    /// The tokenizer refuses the token at `start` of the window, for something at `at` of it.
    Wrong {
        error: quick_xml::Error,
        start: usize,
        at: usize,
    },
    End,
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
