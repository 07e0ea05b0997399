//! From the bytes of a stream to checked text, a piece at a time.

use std::io::{self, BufRead};

use super::Failure;
use crate::{
    Limit, Limits, Position,
    error::Fault,
    reader::{chars::scan, second_mark},
    source::{self, Encoding, MARK},
};

/// Bytes decoded at once.
const PIECE: usize = 64 << 10;

/// Decodes a stream and remembers what has been taken of it.
#[derive(Debug)]
pub(super) struct Input<R> {
    inner: R,
    pub(super) encoding: Encoding,
    /// Bytes that begin a character which the next bytes end.
    raw: Vec<u8>,
    /// Text that has been decoded: up to `moved` it is in the window too, from there to `at` it has
    /// been taken apart.
    pub(super) piece: String,
    moved: usize,
    pub(super) at: usize,
    /// Text before `piece`, in bytes of UTF-8 and without the mark.
    before: usize,
    /// Text that has been taken apart and that the stream has not dropped.
    pub(super) window: String,
    /// The longest window.
    room: usize,
    stage: Stage,
    pub(super) carriage_return: bool,
    /// What stops the stream once `piece` has been taken; its place counts like `before`.
    pub(super) failure: Option<Failure>,
    /// The place of the first character.
    pub(super) start: Position,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    Begun,
    Ended,
}

impl<R: BufRead> Input<R> {
    pub(super) fn new(inner: R, limits: &Limits) -> Self {
        Self {
            inner,
            encoding: Encoding::Utf8,
            raw: Vec::new(),
            piece: String::new(),
            moved: 0,
            at: 0,
            before: 0,
            window: String::new(),
            room: limits.bytes.min(Limits::MOST_BYTES),
            stage: Stage::New,
            carriage_return: false,
            failure: None,
            start: Position {
                offset: 0,
                line: 1,
                column: 1,
            },
        }
    }

    /// Returns what the bytes came from.
    #[cfg(feature = "signature")]
    pub(super) fn into_inner(self) -> R {
        self.inner
    }

    #[cfg(feature = "signature")]
    pub(super) fn source(&self) -> &R {
        &self.inner
    }

    /// Returns whether what is held is more than the limit allows.
    pub(super) fn check_room(&self) -> Result<(), Fault> {
        if self.window.len() > self.room {
            let message = format!(
                "an entity, with the groups around it, is larger than {} bytes",
                self.room
            );
            let kind = crate::ReadErrorKind::Limit(Limit::Bytes);
            return Err(Fault::new(kind, self.window.len(), message));
        }
        Ok(())
    }

    /// Returns whether what is held leaves room for another token.
    pub(super) fn has_room(&self) -> bool {
        self.offset(self.at) <= self.room
    }

    /// Returns where a place of the piece is in the window, or will be.
    pub(super) fn offset(&self, at: usize) -> usize {
        self.window.len() + (at - self.moved)
    }

    /// Puts what has been taken apart into the window.
    pub(super) fn take(&mut self) {
        self.window.push_str(&self.piece[self.moved..self.at]);
        self.moved = self.at;
    }

    /// Returns whether nothing follows the piece, nothing went wrong, and all of it has room.
    pub(super) fn is_last(&self) -> bool {
        self.stage == Stage::Ended
            && self.failure.is_none()
            && self.offset(self.piece.len()) <= self.room
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.raw.capacity() + self.piece.capacity() + self.window.capacity()
    }

    /// Decodes more, so that the token that begins at `at` has an end.
    ///
    /// Returns false if there is no more, for whatever reason; then all that there is before the
    /// failure is in the window.
    pub(super) fn feed(&mut self) -> bool {
        let held = self.piece.len() - self.at;
        // A token that is longer than the piece is looked at again only once it has doubled, so
        // that all looks together cost no more than it is long.
        let wanted = held * 2;
        if self.offset(self.piece.len()) > self.room {
            if self.has_room() {
                self.at = self.piece.len();
            }
            self.take();
            self.failure = self.check_room().err().map(Failure::Held);
            return false;
        }
        while self.failure.is_none() && self.stage != Stage::Ended {
            self.refill();
            let now = self.piece.len() - self.at;
            let is_full = self.offset(self.piece.len()) > self.room;
            if now > held && (now >= wanted || is_full) {
                return true;
            }
        }
        let has_more = self.piece.len() - self.at > held || self.failure.is_none();
        if !has_more {
            self.at = self.piece.len();
            self.take();
        }
        has_more
    }

    /// Decodes the next bytes to the end of `piece`, which may stay as it is.
    fn refill(&mut self) {
        self.take();
        self.before += self.at;
        self.piece.drain(..self.at);
        (self.at, self.moved) = (0, 0);
        let old = self.piece.len();
        match self.stage {
            Stage::New => self.begin(),
            Stage::Begun => {
                self.read_more(self.encoding == Encoding::Utf8 && self.raw.is_empty());
                self.decode();
            }
            Stage::Ended => {}
        }
        // What was there before has been looked through.
        let found = scan(self.piece.get(old..).unwrap_or_default());
        self.carriage_return |= found.carriage_return;
        if let Some((at, c)) = found.forbidden {
            let at = old + at;
            self.piece.truncate(at);
            let message = format!("the character U+{:04X} is not allowed in XML", u32::from(c));
            self.fail(Fault::malformed(self.before + at, message));
        }
    }

    /// Reads so much that encoding and format can be told, and decodes it.
    fn begin(&mut self) {
        while self.raw.len() < PIECE && self.stage != Stage::Ended && self.failure.is_none() {
            self.stage = Stage::Begun;
            self.read_more(false);
        }
        match source::detect(&self.raw) {
            Ok(encoding) => self.encoding = encoding,
            Err(fault) => {
                self.raw.clear();
                return self.fail(fault);
            }
        }
        self.decode();
        if self.piece.starts_with(MARK) {
            self.piece.drain(..MARK.len_utf8());
            self.start.offset = match self.encoding {
                Encoding::Utf8 => MARK.len_utf8(),
                _ => 2,
            };
        }
        // A stream that begins with nothing but blanks may still go on with XML.
        let is_whole = self.stage == Stage::Ended;
        let is_blank = crate::reader::chars::is_blank(&self.piece);
        let wrong_encoding = self.failure.is_some();
        if let Some(what) = source::text_format(&self.piece)
            && (is_whole || !is_blank)
            && !wrong_encoding
        {
            self.piece.clear();
            return self.fail(source::not_xml(&what));
        }
        if self.piece.starts_with(MARK) {
            self.piece.clear();
            self.fail(second_mark(0));
        }
    }

    /// Reads what is there to `raw`, or to `piece` if that is wanted and no character is cut.
    fn read_more(&mut self, may_decode: bool) {
        loop {
            match self.inner.fill_buf() {
                Ok([]) => self.stage = Stage::Ended,
                Ok(bytes) => {
                    let taken = bytes.len().min(PIECE);
                    let bytes = &bytes[..taken];
                    match may_decode.then(|| std::str::from_utf8(bytes)) {
                        Some(Ok(text)) => self.piece.push_str(text),
                        _ => self.raw.extend_from_slice(bytes),
                    }
                    self.inner.consume(taken);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => self.failure = Some(Failure::Io(error)),
            }
            return;
        }
    }

    /// Moves the whole characters of `raw` to `piece`.
    fn decode(&mut self) {
        match self.encoding {
            Encoding::Utf8 => self.decode_utf8(),
            _ => self.decode_utf16(),
        }
    }

    fn decode_utf8(&mut self) {
        let (valid, wrong) = match std::str::from_utf8(&self.raw) {
            Ok(text) => {
                self.piece.push_str(text);
                self.raw.clear();
                return;
            }
            Err(error) => {
                let is_cut = error.error_len().is_none() && self.stage != Stage::Ended;
                (error.valid_up_to(), !is_cut)
            }
        };
        let text = std::str::from_utf8(&self.raw[..valid]).unwrap_or_default();
        self.piece.push_str(text);
        self.raw.drain(..valid);
        if wrong {
            self.fail(source::not_utf8(
                self.before + self.piece.len(),
                self.raw[0],
            ));
        }
    }

    fn decode_utf16(&mut self) {
        let big_endian = self.encoding == Encoding::Utf16Be;
        let (pairs, rest) = self.raw.as_chunks::<2>();
        let unit = |pair: &[u8; 2]| {
            if big_endian {
                u16::from_be_bytes(*pair)
            } else {
                u16::from_le_bytes(*pair)
            }
        };
        let is_last = self.stage == Stage::Ended;
        // The first half of a pair of surrogates waits for the second.
        let waits = !is_last
            && pairs
                .last()
                .is_some_and(|pair| (0xd800..0xdc00).contains(&unit(pair)));
        let whole = pairs.len() - usize::from(waits);
        let mut wrong = None;
        for character in char::decode_utf16(pairs[..whole].iter().map(unit)) {
            match character {
                Ok(character) => self.piece.push(character),
                Err(error) => {
                    wrong = Some(error.unpaired_surrogate());
                    break;
                }
            }
        }
        let place = self.before + self.piece.len();
        let cut = is_last && !rest.is_empty();
        self.raw.drain(..whole * 2);
        match wrong {
            Some(unit) => self.fail(source::half_character(place, unit)),
            None if cut => self.fail(source::half_unit(place)),
            None => {}
        }
    }

    /// Keeps the first failure in the order of the text.
    fn fail(&mut self, fault: Fault) {
        self.failure = Some(Failure::Fault(fault));
        self.stage = Stage::Ended;
        self.raw.clear();
    }
}
