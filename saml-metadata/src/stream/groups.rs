//! The groups around the entities, and what is kept of them.

use std::io::BufRead;

use super::{EntityStream, StreamVisitor, entity::Piece};
use crate::tree::NodeId;

/// A group whose end has not been met.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) node: NodeId,
    pub(super) keep: Checkpoint,
    /// Pieces that are kept for the groups around it.
    pub(super) pieces_before: usize,
    pub(super) extensions: GroupExtensions,
    pub(super) is_signed: bool,
    pub(super) has_entity: bool,
}

/// Whether the `Extensions` of a group are handed out with its entities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GroupExtensions {
    NotMet,
    Kept,
    TooLarge,
}

/// How much of everything is kept for the entities to come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Checkpoint {
    pub(super) text: usize,
    pub(super) nodes: usize,
    pub(super) attributes: usize,
    pub(super) decoded: usize,
    pub(super) namespaces: usize,
    pub(super) last_child: Option<NodeId>,
}

/// The largest `Extensions` of a group that each of its entities gets a copy of.
pub(super) const LARGEST_EXTENSIONS: usize = 16 << 10;

impl<R: BufRead> EntityStream<R> {
    pub(super) fn open_group<W: StreamVisitor>(&mut self, start: usize, visitor: &mut W) {
        let node = self.state.open.last().map(|open| open.node);
        let node = node.unwrap_or(NodeId::DOCUMENT);
        self.pass_start(node, start, visitor);
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

    pub(super) fn close_group(&mut self) {
        let end = self.window().len();
        let at = self.place(end);
        let group = self.groups.pop().expect("a group is open");
        self.pieces.truncate(group.pieces_before);
        self.restore(end);
        self.mark = Some(at);
    }

    pub(super) fn keep_extensions(&mut self, start: usize) {
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

    pub(super) fn keep(&self) -> Checkpoint {
        self.groups.last().map_or(
            Checkpoint {
                nodes: 1,
                ..Checkpoint::default()
            },
            |group| group.keep,
        )
    }

    /// Returns how much there is now.
    pub(super) fn checkpoint(&self) -> Checkpoint {
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
    pub(super) fn restore(&mut self, end: usize) {
        let keep = self.keep();
        if end == keep.text {
            return;
        }
        self.mark = Some(self.place(end));
        self.has_dropped = true;
        self.input.window.drain(keep.text..end);
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
}
