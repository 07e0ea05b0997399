//! The groups around the entities, and the parts of them that are kept in memory.

use std::io::BufRead;

use super::{EntityStream, StreamVisitor, entity::Segment};
use crate::tree::NodeId;

/// A group whose end tag has not been read yet.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) node: NodeId,
    /// The part that is kept for the entities of the group.
    pub(super) kept: Checkpoint,
    /// Number of segments that are kept for the groups around this group.
    pub(super) segments_before: usize,
    pub(super) extensions: GroupExtensions,
    pub(super) is_signed: bool,
    pub(super) has_entity: bool,
}

/// Whether the entities of a group contain the `Extensions` of the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GroupExtensions {
    NotSeen,
    Kept,
    TooLarge,
}

/// The sizes of the window and the tree at one point of the text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Checkpoint {
    pub(super) text: usize,
    pub(super) nodes: usize,
    pub(super) attributes: usize,
    pub(super) decoded: usize,
    pub(super) namespaces: usize,
    pub(super) last_child: Option<NodeId>,
}

/// The largest `Extensions` of a group, in bytes, that are copied for each of its entities.
pub(super) const MAX_EXTENSIONS: usize = 16 << 10;

impl<R: BufRead> EntityStream<R> {
    pub(super) fn open_group<W: StreamVisitor>(&mut self, start: usize, visitor: &mut W) {
        let node = self.state.open.last().map(|open| open.node);
        let node = node.unwrap_or(NodeId::DOCUMENT);
        self.emit_start(node, start, visitor);
        let at = self.stream_position(start);
        let segments_before = self.segments.len();
        self.segments.push(Segment { start, at });
        let group = Group {
            node,
            kept: self.checkpoint(),
            segments_before,
            extensions: GroupExtensions::NotSeen,
            is_signed: false,
            has_entity: false,
        };
        self.rest_position = Some(self.stream_position(self.window().len()));
        self.groups.push(group);
    }

    pub(super) fn close_group(&mut self) {
        let end = self.window().len();
        let at = self.stream_position(end);
        let group = self.groups.pop().expect("a group is open");
        self.segments.truncate(group.segments_before);
        self.drop_until(end);
        self.rest_position = Some(at);
    }

    pub(super) fn keep_extensions(&mut self, start: usize) {
        let at = self.stream_position(start);
        self.segments.push(Segment { start, at });
        let after = self.stream_position(self.window().len());
        let kept = self.checkpoint();
        self.rest_position = Some(after);
        if let Some(group) = self.groups.last_mut() {
            group.kept = Checkpoint {
                last_child: self.state.open.last().map(|open| open.last_child),
                ..kept
            };
        }
    }

    /// Returns the part that is kept for the next entities.
    pub(super) fn kept(&self) -> Checkpoint {
        self.groups.last().map_or(
            Checkpoint {
                nodes: 1,
                ..Checkpoint::default()
            },
            |group| group.kept,
        )
    }

    /// Returns the current sizes.
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

    /// Drops everything between the kept part and `end`.
    pub(super) fn drop_until(&mut self, end: usize) {
        let kept = self.kept();
        if end == kept.text {
            return;
        }
        self.rest_position = Some(self.stream_position(end));
        self.has_dropped = true;
        self.input.window.drain(kept.text..end);
        self.state.nodes.truncate(kept.nodes);
        self.state.attributes.truncate(kept.attributes);
        self.state.decoded.truncate(kept.decoded);
        self.state.scope.forget_namespaces(kept.namespaces);
        let open = self
            .state
            .open
            .last_mut()
            .expect("the document is always open");
        open.last_child = kept.last_child.unwrap_or(NodeId::NONE);
        match kept.last_child {
            Some(last) => self.state.nodes[last.0 as usize].next = NodeId::NONE,
            None => self.state.nodes[open.node.0 as usize].first_child = NodeId::NONE,
        }
    }
}
