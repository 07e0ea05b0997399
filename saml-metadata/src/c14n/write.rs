//! The output: escaped as Canonical XML 1.0 section 2.3 requires, in chunks of bounded size.

use crate::reader::escape::reference;

/// Receiver of the bytes of a canonical form.
pub(crate) trait Sink {
    /// Receives the next chunk. The chunks of a large form are large.
    fn receive(&mut self, chunk: &[u8]);
}

impl Sink for Vec<u8> {
    fn receive(&mut self, chunk: &[u8]) {
        self.extend_from_slice(chunk);
    }
}

impl<S: Sink> Sink for &mut S {
    fn receive(&mut self, chunk: &[u8]) {
        (**self).receive(chunk);
    }
}

impl Sink for aws_lc_rs::digest::Context {
    fn receive(&mut self, chunk: &[u8]) {
        self.update(chunk);
    }
}

/// Buffer that passes the output to a sink in large chunks.
#[derive(Debug)]
pub(super) struct Output<S> {
    buffer: Vec<u8>,
    sink: S,
}

/// Size of a chunk: large enough for a digest to run at full speed, small enough for the CPU cache.
const CHUNK: usize = 32 << 10;

impl<S: Sink> Output<S> {
    pub(super) fn new(sink: S) -> Self {
        Self {
            buffer: Vec::with_capacity(CHUNK),
            sink,
        }
    }

    pub(super) fn raw(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        if self.buffer.len() + bytes.len() > CHUNK {
            self.flush();
            if bytes.len() > CHUNK {
                self.sink.receive(bytes);
                return;
            }
        }
        self.buffer.extend_from_slice(bytes);
    }

    pub(super) fn flush(&mut self) {
        self.sink.receive(&self.buffer);
        self.buffer.clear();
    }

    /// Writes the rest to the sink and returns it.
    pub(super) fn finish(mut self) -> S {
        self.flush();
        self.sink
    }

    /// Writes the source text between two tags; the reader has already checked its references.
    pub(super) fn text(&mut self, source: &str) {
        let mut rest = source;
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

    /// Writes the content of a CDATA section, which becomes plain text.
    pub(super) fn cdata(&mut self, source: &str) {
        let mut rest = source;
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

    /// Writes the content of a comment or a processing instruction.
    pub(super) fn verbatim(&mut self, source: &str) {
        let mut rest = source;
        while let Some(at) = rest.find('\r') {
            self.raw(&rest[..at]);
            rest = self.line_end(&rest[at + 1..]);
        }
        self.raw(rest);
    }

    /// Escapes and writes a decoded attribute value.
    pub(super) fn value(&mut self, value: &str) {
        let mut rest = value;
        let special = |b: u8| {
            // XML allows only three control characters, all of them white space.
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

    /// Writes a line end as one line feed (XML 1.0 section 2.11) and returns the text after it.
    ///
    /// `rest` is the text after a carriage return.
    fn line_end<'t>(&mut self, rest: &'t str) -> &'t str {
        self.raw("\n");
        rest.strip_prefix('\n').unwrap_or(rest)
    }
}

fn is_special_in_text(byte: u8) -> bool {
    byte == b'&' || byte == b'>' || byte == b'\r'
}

/// Returns whether text between tags is already canonical.
pub(super) fn is_canonical_text(source: &str) -> bool {
    find(source, is_special_in_text).is_none()
}

/// Returns the offset of the first special byte.
fn find(text: &str, is_special: impl Fn(u8) -> bool) -> Option<usize> {
    const CHUNK: usize = 32;

    let bytes = text.as_bytes();
    let mut start = 0;
    // Without a branch per byte, the CPU checks many bytes at once.
    while let Some(chunk) = bytes.get(start..start + CHUNK) {
        if chunk.iter().fold(false, |found, b| found | is_special(*b)) {
            break;
        }
        start += CHUNK;
    }
    let rest = &bytes[start..];
    let at = rest.iter().position(|b| is_special(*b))?;
    Some(start + at)
}
