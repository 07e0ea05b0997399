//! The output: escaping as Canonical XML 1.0 section 2.3 asks, in pieces of bounded size.

use crate::reader::escape::reference;

/// Gathers output, and hands it on in large pieces.
pub(super) struct Output<'s> {
    buffer: String,
    sink: &'s mut dyn FnMut(&[u8]),
}

/// Pieces are large enough for a digest to run at full speed, and small enough for the cache.
const PIECE: usize = 32 << 10;

impl<'s> Output<'s> {
    pub(super) fn new(sink: &'s mut dyn FnMut(&[u8])) -> Self {
        Self {
            buffer: String::with_capacity(PIECE * 2),
            sink,
        }
    }

    pub(super) fn raw(&mut self, text: &str) {
        if self.buffer.len() + text.len() > PIECE {
            self.flush();
            if text.len() > PIECE {
                (self.sink)(text.as_bytes());
                return;
            }
        }
        self.buffer.push_str(text);
    }

    pub(super) fn flush(&mut self) {
        (self.sink)(self.buffer.as_bytes());
        self.buffer.clear();
    }

    /// Writes text as it stands between tags; references in it have been checked.
    pub(super) fn text(&mut self, written: &str) {
        let mut rest = written;
        while let Some(at) = rest.bytes().position(|b| matches!(b, b'&' | b'>' | b'\r')) {
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
        let special = |b: u8| matches!(b, b'&' | b'<' | b'"' | b'\t' | b'\n' | b'\r');
        while let Some(at) = rest.bytes().position(special) {
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
