//! The output: escaping as Canonical XML 1.0 section 2.3 asks, in pieces of bounded size.

use crate::reader::escape::reference;

/// Where the bytes of a canonical form go.
pub(crate) trait Sink {
    /// Takes the next piece; pieces are large where the form is.
    fn take(&mut self, piece: &[u8]);
}

impl Sink for Vec<u8> {
    fn take(&mut self, piece: &[u8]) {
        self.extend_from_slice(piece);
    }
}

impl<S: Sink> Sink for &mut S {
    fn take(&mut self, piece: &[u8]) {
        (**self).take(piece);
    }
}

impl Sink for aws_lc_rs::digest::Context {
    fn take(&mut self, piece: &[u8]) {
        self.update(piece);
    }
}

/// Gathers output, and hands it on in large pieces.
#[derive(Debug)]
pub(super) struct Output<S> {
    buffer: Vec<u8>,
    sink: S,
}

/// Pieces are large enough for a digest to run at full speed, and small enough for the cache.
const PIECE: usize = 32 << 10;

impl<S: Sink> Output<S> {
    pub(super) fn new(sink: S) -> Self {
        Self {
            buffer: Vec::with_capacity(PIECE),
            sink,
        }
    }

    pub(super) fn raw(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        if self.buffer.len() + bytes.len() > PIECE {
            self.flush();
            if bytes.len() > PIECE {
                self.sink.take(bytes);
                return;
            }
        }
        self.buffer.extend_from_slice(bytes);
    }

    pub(super) fn flush(&mut self) {
        self.sink.take(&self.buffer);
        self.buffer.clear();
    }

    /// Returns the sink, once it has everything.
    pub(super) fn finish(mut self) -> S {
        self.flush();
        self.sink
    }

    /// Writes text as it stands between tags; references in it have been checked.
    pub(super) fn text(&mut self, written: &str) {
        let mut rest = written;
        while let Some(at) = find(rest, is_special_in_text) {
            self.raw(&rest[..at]);
            let found = rest.as_bytes()[at];
            rest = &rest[at + 1..];
            match found {
                b'&' => {
                    let end = rest.find(';').expect("references were checked");
                    let character = reference(&rest[..end]).expect("references were checked");
                    self.character(character);
                    rest = &rest[end + 1..];
                }
                b'>' => self.raw("&gt;"),
                _ => rest = self.line_end(rest),
            }
        }
        self.raw(rest);
    }

    /// Writes the inside of a CDATA section, which becomes plain text.
    pub(super) fn cdata(&mut self, written: &str) {
        let mut rest = written;
        while let Some(at) = rest.find(['&', '<', '>', '\r']) {
            self.raw(&rest[..at]);
            let found = rest.as_bytes()[at];
            rest = &rest[at + 1..];
            match found {
                b'\r' => rest = self.line_end(rest),
                other => self.character(char::from(other)),
            }
        }
        self.raw(rest);
    }

    /// Writes the inside of a comment or processing instruction.
    pub(super) fn verbatim(&mut self, written: &str) {
        let mut rest = written;
        while let Some(at) = rest.find('\r') {
            self.raw(&rest[..at]);
            rest = self.line_end(&rest[at + 1..]);
        }
        self.raw(rest);
    }

    /// Writes an attribute value, given its meaning.
    pub(super) fn value(&mut self, value: &str) {
        let mut rest = value;
        let special = |b: u8| {
            // The three kinds of white space are all control characters that XML has.
            b == b'&' || b == b'<' || b == b'"' || b < b' '
        };
        while let Some(at) = find(rest, special) {
            self.raw(&rest[..at]);
            self.raw(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'"' => "&quot;",
                b'\t' => "&#x9;",
                b'\n' => "&#xA;",
                _ => "&#xD;",
            });
            rest = &rest[at + 1..];
        }
        self.raw(rest);
    }

    /// Writes one character of text.
    fn character(&mut self, character: char) {
        match character {
            '&' => self.raw("&amp;"),
            '<' => self.raw("&lt;"),
            '>' => self.raw("&gt;"),
            '\r' => self.raw("&#xD;"),
            _ => self.raw(character.encode_utf8(&mut [0; 4])),
        }
    }

    /// Writes the one line feed that every line end is (XML 1.0 section 2.11).
    fn line_end<'t>(&mut self, behind: &'t str) -> &'t str {
        self.raw("\n");
        behind.strip_prefix('\n').unwrap_or(behind)
    }
}

fn is_special_in_text(byte: u8) -> bool {
    byte == b'&' || byte == b'>' || byte == b'\r'
}

/// Returns whether text between tags is written as it stands.
pub(super) fn is_canonical_text(written: &str) -> bool {
    find(written, is_special_in_text).is_none()
}

/// Returns where the first such byte is.
fn find(text: &str, is_special: impl Fn(u8) -> bool) -> Option<usize> {
    const MANY: usize = 32;

    let bytes = text.as_bytes();
    let mut start = 0;
    // Without a branch for each byte, many are looked at at once.
    while let Some(chunk) = bytes.get(start..start + MANY) {
        if chunk.iter().fold(false, |found, b| found | is_special(*b)) {
            break;
        }
        start += MANY;
    }
    let rest = &bytes[start..];
    let at = rest.iter().position(|b| is_special(*b))?;
    Some(start + at)
}
