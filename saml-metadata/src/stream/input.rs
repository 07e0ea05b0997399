//! Decodes the bytes of a stream to text in chunks, and checks the characters.

use std::io::{self, BufRead};

use super::Failure;
use crate::{
    Limit, Limits, Position,
    error::Fault,
    reader::{chars::scan, declaration::declared_encoding, second_byte_order_mark},
    source::{self, BYTE_ORDER_MARK, Encoding, LONGEST_DECLARATION},
};

/// Maximum number of bytes decoded at once.
const CHUNK: usize = 64 << 10;

/// Decodes a stream and keeps the text that is still needed.
#[derive(Debug)]
pub(super) struct Input<R> {
    inner: R,
    pub(super) encoding: Encoding,
    /// Bytes that are read but not decoded, because the last character is incomplete.
    raw: Vec<u8>,
    /// Decoded text: `..copied` is also in the window, `copied..tokenized` has been split into
    /// tokens, and the rest is new.
    pub(super) decoded: String,
    copied: usize,
    pub(super) tokenized: usize,
    /// Length of the text before `decoded`, in bytes of UTF-8 and without the byte order mark.
    before: usize,
    /// Text that has been split into tokens and that the stream still needs.
    pub(super) window: String,
    /// Maximum length of the window.
    max_window: usize,
    stage: Stage,
    /// Whether the text so far contains a carriage return, which the reader must normalize.
    pub(super) carriage_return: bool,
    /// The failure that stops the stream after `decoded`. The offset of an `InStream` failure
    /// counts bytes in the same way as `before`.
    pub(super) failure: Option<Failure>,
    /// The encoding that the document declares, for errors.
    declared: Option<String>,
    /// The position of the first character.
    pub(super) start: Position,
}

/// The progress of reading from `inner`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was read.
    New,
    /// Some bytes were read, and more may follow.
    Started,
    /// The stream ended or failed.
    Ended,
}

impl<R: BufRead> Input<R> {
    pub(super) fn new(inner: R, limits: &Limits) -> Self {
        Self {
            inner,
            encoding: Encoding::Utf8,
            raw: Vec::new(),
            decoded: String::new(),
            copied: 0,
            tokenized: 0,
            before: 0,
            window: String::new(),
            max_window: limits.bytes.min(Limits::MAX_BYTES),
            stage: Stage::New,
            carriage_return: false,
            failure: None,
            declared: None,
            start: Position {
                offset: 0,
                line: 1,
                column: 1,
            },
        }
    }

    /// Returns the underlying reader.
    #[cfg(feature = "signature")]
    pub(super) fn into_inner(self) -> R {
        self.inner
    }

    #[cfg(feature = "signature")]
    pub(super) fn source(&self) -> &R {
        &self.inner
    }

    /// Fails if the window exceeds the limit.
    pub(super) fn check_window(&self) -> Result<(), Fault> {
        if self.window.len() > self.max_window {
            let message = format!(
                "an entity, including the start tags of the groups around it, is larger than {} bytes",
                self.max_window
            );
            let kind = crate::ReadErrorKind::Limit(Limit::Bytes);
            return Err(Fault::new(kind, self.window.len(), message));
        }
        Ok(())
    }

    /// Returns whether the window has space for another token.
    pub(super) fn has_space(&self) -> bool {
        self.window_offset(self.tokenized) <= self.max_window
    }

    /// Converts an offset into `decoded` to the offset that the text has, or will have, in the
    /// window.
    pub(super) fn window_offset(&self, at: usize) -> usize {
        self.window.len() + (at - self.copied)
    }

    /// Copies the text that has been split into tokens to the window.
    pub(super) fn extend_window(&mut self) {
        self.window
            .push_str(&self.decoded[self.copied..self.tokenized]);
        self.copied = self.tokenized;
    }

    /// Returns whether the text ends with `decoded`, without a failure, and `decoded` fits into the
    /// window.
    pub(super) fn is_last(&self) -> bool {
        self.stage == Stage::Ended
            && self.failure.is_none()
            && self.window_offset(self.decoded.len()) <= self.max_window
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.raw.capacity() + self.decoded.capacity() + self.window.capacity()
    }

    /// Decodes more text, to complete the token that begins at `tokenized`.
    ///
    /// Returns false if there is no more text, because the stream has ended or failed. In this
    /// case, all the text before the end or the failure is in the window.
    pub(super) fn feed(&mut self) -> bool {
        let held = self.decoded.len() - self.tokenized;
        // An incomplete token is scanned again only after the available text has doubled, so that
        // all scans of one token together take linear time.
        let wanted = held * 2;
        if self.window_offset(self.decoded.len()) > self.max_window {
            if self.has_space() {
                self.tokenized = self.decoded.len();
            }
            self.extend_window();
            self.failure = self.check_window().err().map(Failure::InWindow);
            return false;
        }
        while self.failure.is_none() && self.stage != Stage::Ended {
            self.refill();
            let now = self.decoded.len() - self.tokenized;
            let is_full = self.window_offset(self.decoded.len()) > self.max_window;
            if now > held && (now >= wanted || is_full) {
                return true;
            }
        }
        let has_more = self.decoded.len() - self.tokenized > held || self.failure.is_none();
        if !has_more {
            self.tokenized = self.decoded.len();
            self.extend_window();
        }
        has_more
    }

    /// Decodes the next bytes and appends the text to `decoded`. Appends nothing if no character is
    /// complete.
    fn refill(&mut self) {
        self.extend_window();
        self.before += self.tokenized;
        self.decoded.drain(..self.tokenized);
        (self.tokenized, self.copied) = (0, 0);
        let old = self.decoded.len();
        match self.stage {
            Stage::New => self.read_first_chunk(),
            Stage::Started => {
                self.read_more(self.encoding == Encoding::Utf8 && self.raw.is_empty());
                self.decode();
            }
            Stage::Ended => {}
        }
        // The text before the offset `old` has already been scanned.
        let found = scan(self.decoded.get(old..).unwrap_or_default());
        self.carriage_return |= found.carriage_return;
        if let Some((at, c)) = found.forbidden {
            let at = old + at;
            self.decoded.truncate(at);
            let message = format!("the character U+{:04X} is not allowed in XML", u32::from(c));
            self.fail(Fault::malformed(self.before + at, message));
        }
    }

    /// Reads the first bytes, detects the encoding and the format, and decodes them.
    fn read_first_chunk(&mut self) {
        while self.raw.len() < CHUNK && self.stage != Stage::Ended && self.failure.is_none() {
            self.stage = Stage::Started;
            self.read_more(false);
        }
        match source::detect(&self.raw) {
            Ok(encoding) => self.encoding = encoding,
            Err(fault) => {
                self.raw.clear();
                return self.fail(fault);
            }
        }
        let start = &self.raw[..self.raw.len().min(LONGEST_DECLARATION)];
        let start = String::from_utf8_lossy(start);
        let start = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&start);
        self.declared = declared_encoding(start).map(str::to_owned);
        self.decode();
        if self.decoded.starts_with(BYTE_ORDER_MARK) {
            self.decoded.drain(..BYTE_ORDER_MARK.len_utf8());
            self.start.offset = match self.encoding {
                Encoding::Utf8 => BYTE_ORDER_MARK.len_utf8(),
                _ => 2,
            };
        }
        // If the first chunk is only white space, XML may still follow.
        let is_whole = self.stage == Stage::Ended;
        let is_blank = crate::reader::chars::is_blank(&self.decoded);
        let has_failed = self.failure.is_some();
        if let Some(what) = source::text_format(&self.decoded)
            && (is_whole || !is_blank)
            && !has_failed
        {
            self.decoded.clear();
            return self.fail(source::not_xml(&what));
        }
        if self.decoded.starts_with(BYTE_ORDER_MARK) {
            self.decoded.clear();
            self.fail(second_byte_order_mark(0));
        }
    }

    /// Reads the available bytes into `raw`, or directly into `decoded` if `may_decode` is true and
    /// the bytes are complete UTF-8 characters.
    fn read_more(&mut self, may_decode: bool) {
        loop {
            match self.inner.fill_buf() {
                Ok([]) => self.stage = Stage::Ended,
                Ok(bytes) => {
                    let taken = bytes.len().min(CHUNK);
                    let bytes = &bytes[..taken];
                    match may_decode.then(|| std::str::from_utf8(bytes)) {
                        Some(Ok(text)) => self.decoded.push_str(text),
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

    /// Decodes the complete characters of `raw` and moves them to `decoded`.
    fn decode(&mut self) {
        match self.encoding {
            Encoding::Utf8 => self.decode_utf8(),
            _ => self.decode_utf16(),
        }
    }

    fn decode_utf8(&mut self) {
        let (valid_len, is_invalid) = match std::str::from_utf8(&self.raw) {
            Ok(text) => {
                self.decoded.push_str(text);
                self.raw.clear();
                return;
            }
            Err(error) => {
                let is_cut = error.error_len().is_none() && self.stage != Stage::Ended;
                (error.valid_up_to(), !is_cut)
            }
        };
        let text = std::str::from_utf8(&self.raw[..valid_len]).unwrap_or_default();
        self.decoded.push_str(text);
        self.raw.drain(..valid_len);
        if is_invalid {
            self.fail(source::not_utf8(
                self.before + self.decoded.len(),
                self.raw[0],
                self.declared.as_deref(),
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
        // A leading surrogate at the end stays in `raw` until the trailing surrogate has been read.
        let ends_in_surrogate = !is_last
            && pairs
                .last()
                .is_some_and(|pair| (0xd800..0xdc00).contains(&unit(pair)));
        let whole = pairs.len() - usize::from(ends_in_surrogate);
        let mut unpaired = None;
        for character in char::decode_utf16(pairs[..whole].iter().map(unit)) {
            match character {
                Ok(character) => self.decoded.push(character),
                Err(error) => {
                    unpaired = Some(error.unpaired_surrogate());
                    break;
                }
            }
        }
        let offset = self.before + self.decoded.len();
        let cut = is_last && !rest.is_empty();
        self.raw.drain(..whole * 2);
        match unpaired {
            Some(unit) => self.fail(source::unpaired_surrogate(offset, unit)),
            None if cut => self.fail(source::incomplete_unit(offset)),
            None => {}
        }
    }

    /// Records a failure after the decoded text and stops reading.
    fn fail(&mut self, fault: Fault) {
        self.failure = Some(Failure::InStream(fault));
        self.stage = Stage::Ended;
        self.raw.clear();
    }
}
