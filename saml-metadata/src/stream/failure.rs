//! What stops a stream, and where.

use std::io::{self, BufRead};

use super::{EntityStream, StreamError, entity};
use crate::{
    Position, ReadError,
    error::Fault,
    reader::{chars::starts_with_ignoring_case, doctype, token_fault},
    source::advance,
};

/// What stops a stream.
#[derive(Debug)]
pub(super) enum Failure {
    Io(io::Error),
    /// A fault whose offset counts from the beginning of the text.
    Fault(Fault),
    /// A fault whose offset is one into the window.
    Held(Fault),
}

impl<R: BufRead> EntityStream<R> {
    /// Says what the tokenizer has against the token at `start` of the window, at `at` of it.
    #[cold]
    pub(super) fn wrong(&mut self, error: &quick_xml::Error, start: usize, at: usize) -> Failure {
        self.input.take();
        // What the pending tokens have wrong comes first in the text.
        if let Err(failure) = self.flush() {
            return failure;
        }
        let text = &self.window()[start..];
        Failure::Held(token_fault(text, error, start, at))
    }

    /// Says why the token at `start` of the window is not there as a whole.
    #[cold]
    pub(super) fn cut(&mut self, start: usize) -> Failure {
        if let Err(failure) = self.flush() {
            return failure;
        }
        // A DOCTYPE is refused however it goes on.
        if starts_with_ignoring_case(&self.window()[start..], "<!doctype") {
            return Failure::Held(doctype(start));
        }
        let failure = self.input.failure.take();
        failure.unwrap_or_else(|| Failure::Io(io::ErrorKind::UnexpectedEof.into()))
    }

    pub(super) fn report(&mut self, failure: Failure) -> StreamError {
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
    pub(super) fn place(&self, offset: usize) -> Position {
        let window = self.window();
        let offset = window.floor_char_boundary(offset);
        let encoding = self.input.encoding;
        let kept = self.keep().text;
        if offset < kept {
            return entity::place(&self.pieces, window, encoding, offset);
        }
        let mark = self.mark.unwrap_or(self.input.start);
        advance(mark, &window[kept..offset], encoding)
    }
}
