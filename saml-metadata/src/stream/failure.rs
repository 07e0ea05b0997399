//! The errors that stop a stream, and their positions.

use std::io::{self, BufRead};

use super::{EntityStream, StreamError, entity};
use crate::{
    Position, ReadError,
    error::Fault,
    reader::{chars::starts_with_ignoring_case, doctype, token_fault},
    source::advance,
};

/// The error that stops a stream.
#[derive(Debug)]
pub(super) enum Failure {
    Io(io::Error),
    /// A fault with an offset from the start of the whole text.
    InStream(Fault),
    /// A fault with an offset into the window.
    InWindow(Fault),
}

impl<R: BufRead> EntityStream<R> {
    /// Converts an error of the tokenizer for the token at offset `start` of the window; the error
    /// is at offset `at`.
    #[cold]
    pub(super) fn malformed_token(
        &mut self,
        error: &quick_xml::Error,
        start: usize,
        at: usize,
    ) -> Failure {
        self.input.extend_window();
        // An error in a pending token comes first in the text.
        if let Err(failure) = self.flush() {
            return failure;
        }
        let text = &self.window()[start..];
        Failure::InWindow(token_fault(text, error, start, at))
    }

    /// Returns the reason why the token at offset `start` of the window is incomplete.
    #[cold]
    pub(super) fn incomplete_token(&mut self, start: usize) -> Failure {
        if let Err(failure) = self.flush() {
            return failure;
        }
        // A DOCTYPE is an error, whatever follows.
        if starts_with_ignoring_case(&self.window()[start..], "<!doctype") {
            return Failure::InWindow(doctype(start));
        }
        let failure = self.input.failure.take();
        failure.unwrap_or_else(|| Failure::Io(io::ErrorKind::UnexpectedEof.into()))
    }

    pub(super) fn report(&mut self, failure: Failure) -> StreamError {
        match failure {
            Failure::Io(source) => StreamError::Io { source },
            Failure::InWindow(fault) => {
                let position = self.stream_position(fault.offset);
                StreamError::Read {
                    source: ReadError::new(fault, position),
                }
            }
            // All text before the fault is in the window, so the fault is at its end.
            Failure::InStream(fault) => {
                let position = self.stream_position(self.window().len());
                StreamError::Read {
                    source: ReadError::new(fault, position),
                }
            }
        }
    }

    /// Returns the position in the stream of an offset into the window.
    pub(super) fn stream_position(&self, offset: usize) -> Position {
        let window = self.window();
        let offset = window.floor_char_boundary(offset);
        let encoding = self.input.encoding;
        let kept = self.kept().text;
        if offset < kept {
            return entity::position(&self.segments, window, encoding, offset);
        }
        let rest_position = self.rest_position.unwrap_or(self.input.start);
        advance(rest_position, &window[kept..offset], encoding)
    }
}
