//! What stops a stream, and where.

use std::io::{self, BufRead};

use super::{EntityStream, StreamError, entity};
use crate::{Position, ReadError, error::Fault, reader::token_fault, source::advance};

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
    /// Finds what stopped the tokenizer in the token at `start` of the window.
    pub(super) fn failure(&mut self, error: &quick_xml::Error, start: usize) -> Failure {
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
        let encoding = self.input().encoding;
        let kept = self.keep().text;
        if offset < kept {
            return entity::place(&self.pieces, window, encoding, offset);
        }
        let mark = self.mark.unwrap_or(self.input().start);
        advance(mark, &window[kept..offset], encoding)
    }
}
