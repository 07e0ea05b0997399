//! The bytes of a document, their encoding, and the positions in them.

use crate::{
    Limit, Limits, Position, ReadErrorKind,
    error::Fault,
    reader::{
        chars::{is_space, starts_with_ignoring_case},
        declaration::{Declared, conversion, declared_encoding},
        escape::shorten,
    },
};

/// Number of bytes in which a declaration of the encoding is expected.
pub(crate) const LONGEST_DECLARATION: usize = 256;

/// Character encoding of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

/// A document's bytes, and its text in UTF-8.
///
/// The text keeps a byte order mark, so that in a UTF-8 document an offset into the text is also an
/// offset into the file.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) text: String,
    pub(crate) encoding: Encoding,
    /// The bytes as read, if they differ from the bytes of `text`.
    original: Option<Vec<u8>>,
}

pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

impl Source {
    /// Decodes the bytes of a document; UTF-16 needs a byte order mark.
    ///
    /// The error includes the text before the failure, for counting lines.
    pub(crate) fn decode(bytes: Vec<u8>, limits: &Limits) -> Result<Self, (Self, Fault)> {
        let max = limits.bytes.min(Limits::MAX_BYTES);
        if bytes.len() > max {
            let fault = Fault::limit(Limit::Bytes, max, 0);
            return Err((Self::empty(), fault));
        }
        match detect(&bytes) {
            Ok(Encoding::Utf8) => Self::decode_utf8(bytes),
            Ok(encoding) => Self::decode_utf16(bytes, encoding, max),
            Err(fault) => Err((Self::empty(), fault)),
        }
    }

    /// Creates a source from a UTF-8 text.
    pub(crate) fn plain(text: String) -> Self {
        Self {
            text,
            ..Self::empty()
        }
    }

    fn empty() -> Self {
        Self {
            text: String::new(),
            encoding: Encoding::Utf8,
            original: None,
        }
    }

    fn decode_utf8(bytes: Vec<u8>) -> Result<Self, (Self, Fault)> {
        match String::from_utf8(bytes) {
            Ok(text) => {
                let source = Self {
                    text,
                    encoding: Encoding::Utf8,
                    original: None,
                };
                match text_format(source.content()) {
                    Some(what) => Err((source, not_xml(&what))),
                    None => Ok(source),
                }
            }
            Err(error) => {
                let offset = error.utf8_error().valid_up_to();
                let byte = error.as_bytes()[offset];
                let mut bytes = error.into_bytes();
                bytes.truncate(offset);
                // The part before the invalid byte is kept for counting lines.
                let before = Self {
                    text: String::from_utf8(bytes).unwrap_or_default(),
                    ..Self::empty()
                };
                let fault = not_utf8(offset, byte, declared_encoding(before.content()));
                Err((before, fault))
            }
        }
    }

    fn decode_utf16(bytes: Vec<u8>, encoding: Encoding, max: usize) -> Result<Self, (Self, Fault)> {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let unit = |pair: &[u8; 2]| match encoding {
            Encoding::Utf16Be => u16::from_be_bytes(*pair),
            _ => u16::from_le_bytes(*pair),
        };
        let mut source = Self {
            text: String::with_capacity(bytes.len()),
            encoding,
            original: None,
        };
        for character in char::decode_utf16(pairs.iter().map(unit)) {
            match character {
                Ok(character) => source.text.push(character),
                Err(error) => {
                    let fault = unpaired_surrogate(source.text.len(), error.unpaired_surrogate());
                    return Err((source, fault));
                }
            }
        }
        let offset = source.text.len();
        if !rest.is_empty() {
            return Err((source, incomplete_unit(offset)));
        }
        if offset > max {
            return Err((source, Fault::limit(Limit::Bytes, max, 0)));
        }
        if let Some(what) = text_format(source.content()) {
            return Err((source, not_xml(&what)));
        }
        source.original = Some(bytes);
        Ok(source)
    }

    /// Encodes a text in the encoding of this document, for writing an edited document.
    pub(crate) fn encode(&self, text: String) -> Vec<u8> {
        match self.encoding {
            Encoding::Utf8 => text.into_bytes(),
            Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Encoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    }

    /// Returns the bytes as read.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.original.as_deref().unwrap_or(self.text.as_bytes())
    }

    /// Returns the offset after a byte order mark.
    pub(crate) fn start(&self) -> usize {
        start(&self.text)
    }

    fn content(&self) -> &str {
        &self.text[self.start()..]
    }

    /// Returns the position of an offset into the text.
    pub(crate) fn position(&self, offset: usize) -> Position {
        position(&self.text, self.encoding, offset)
    }

    /// Returns the position of the offset `to`, counting from the known position of the offset
    /// `from` before it.
    pub(crate) fn position_from(&self, known: Position, from: usize, to: usize) -> Position {
        let start = if from == 0 { self.start().min(to) } else { 0 };
        let mut position = advance(known, &self.text[from + start..to], self.encoding);
        position.offset += match self.encoding {
            Encoding::Utf8 => start,
            _ => start.min(2),
        };
        position
    }
}

/// Returns the bytes as text if they are UTF-8, within the limit and not another file format.
pub(crate) fn borrow<'a>(bytes: &'a [u8], limits: &Limits) -> Option<&'a str> {
    let is_usual = bytes.len() <= limits.bytes.min(Limits::MAX_BYTES)
        && matches!(detect(bytes), Ok(Encoding::Utf8));
    let text = is_usual.then(|| std::str::from_utf8(bytes).ok())??;
    text_format(&text[start(text)..]).is_none().then_some(text)
}

/// Returns the offset after a byte order mark.
pub(crate) fn start(text: &str) -> usize {
    if text.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len_utf8()
    } else {
        0
    }
}

/// Returns the position of an offset into a whole text.
pub(crate) fn position(text: &str, encoding: Encoding, offset: usize) -> Position {
    let before = &text[..text.floor_char_boundary(offset)];
    let shown = before.strip_prefix(BYTE_ORDER_MARK).unwrap_or(before);
    let line_start = shown.rfind('\n').map_or(0, |at| at + 1);
    Position {
        offset: match encoding {
            Encoding::Utf8 => before.len(),
            _ => before.chars().map(char::len_utf16).sum::<usize>() * 2,
        },
        line: line_feeds(shown) + 1,
        column: shown[line_start..].chars().count() + 1,
    }
}

/// Returns the position after a text that begins at a known position.
pub(crate) fn advance(known: Position, text: &str, encoding: Encoding) -> Position {
    let (line, column) = match memchr::memrchr(b'\n', text.as_bytes()) {
        Some(at) => (
            known.line + line_feeds(text),
            text[at + 1..].chars().count() + 1,
        ),
        None => (known.line, known.column + text.chars().count()),
    };
    Position {
        offset: known.offset + length(text, encoding),
        line,
        column,
    }
}

/// Returns the number of bytes of a text in an encoding.
pub(crate) fn length(text: &str, encoding: Encoding) -> usize {
    match encoding {
        Encoding::Utf8 => text.len(),
        _ => text.chars().map(char::len_utf16).sum::<usize>() * 2,
    }
}

/// Returns the number of line feeds; searches many bytes at once.
fn line_feeds(text: &str) -> usize {
    memchr::memchr_iter(b'\n', text.as_bytes()).count()
}

/// Detects the encoding from the first bytes; four bytes are enough.
pub(crate) fn detect(bytes: &[u8]) -> Result<Encoding, Fault> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Err(encoding_fault(
            0,
            "the document is UTF-32, but only UTF-8 and UTF-16 are read; convert it and declare UTF-8: iconv -f UTF-32 -t UTF-8 FILE > NEW",
        )),
        [0xff, 0xfe, ..] => Ok(Encoding::Utf16Le),
        [0xfe, 0xff, ..] => Ok(Encoding::Utf16Be),
        [b'<', 0, ..] => Err(without_mark(bytes, "UTF-16LE", u16::from_le_bytes)),
        [0, b'<', ..] => Err(without_mark(bytes, "UTF-16BE", u16::from_be_bytes)),
        _ => match binary_format(bytes) {
            Some(what) => Err(not_xml(what)),
            None => Ok(Encoding::Utf8),
        },
    }
}

/// Returns the error for UTF-16 without a byte order mark. It names the declared encoding.
fn without_mark(bytes: &[u8], name: &str, unit: fn([u8; 2]) -> u16) -> Fault {
    let start = &bytes[..bytes.len().min(LONGEST_DECLARATION)];
    let units: Vec<u16> = start
        .as_chunks::<2>()
        .0
        .iter()
        .map(|pair| unit(*pair))
        .collect();
    let text = String::from_utf16_lossy(&units);
    let declared = match declared_encoding(&text) {
        Some(declared) => format!("declares the encoding {:?}", shorten(declared)),
        None => "declares no encoding".to_owned(),
    };
    encoding_fault(
        0,
        format!(
            "the document {declared}, and its bytes are {name} without the required byte order mark; convert it and declare UTF-8: iconv -f {name} -t UTF-8 FILE > NEW"
        ),
    )
}

/// Returns the error for a byte that is not UTF-8, given the encoding that the document declares.
pub(crate) fn not_utf8(offset: usize, byte: u8, declared: Option<&str>) -> Fault {
    let kind = declared.map(Declared::of);
    let message = if let (Some(name), Some(kind @ (Declared::Ascii | Declared::Unknown))) =
        (declared, kind)
    {
        let read = match kind {
            Declared::Ascii => "which is read only if all characters are ASCII,",
            _ => "which is not read,",
        };
        let advice = conversion(name, name)
            .map_or_else(String::new, |command| format!("; convert it: {command}"));
        format!(
            "the document declares the encoding {:?}, {read} and has the byte 0x{byte:02x}{advice}",
            shorten(name)
        )
    } else {
        let (start, name) = match (declared, kind) {
            (Some(name), Some(Declared::Utf16)) => (
                format!(
                    "declares the encoding {:?}, but its bytes are not UTF-16, and",
                    shorten(name)
                ),
                Some(name),
            ),
            (Some(name), _) => (
                format!("declares the encoding {:?}, but", shorten(name)),
                None,
            ),
            (None, _) => (
                "declares no encoding, so it must be UTF-8, but".to_owned(),
                None,
            ),
        };
        let command = name.and_then(|name| conversion("WINDOWS-1252", name));
        let command =
            command.unwrap_or_else(|| "iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW".to_owned());
        format!(
            "the document {start} the byte 0x{byte:02x} is not UTF-8; if it is Windows-1252, convert it: {command}"
        )
    };
    encoding_fault(offset, message)
}

pub(crate) fn unpaired_surrogate(offset: usize, unit: u16) -> Fault {
    encoding_fault(
        offset,
        format!("the UTF-16 unit 0x{unit:04x} is an unpaired surrogate"),
    )
}

pub(crate) fn incomplete_unit(offset: usize) -> Fault {
    encoding_fault(offset, "UTF-16 text ends in the middle of a unit")
}

fn encoding_fault(offset: usize, message: impl Into<String>) -> Fault {
    Fault::new(ReadErrorKind::Encoding, offset, message)
}

pub(crate) fn not_xml(what: &str) -> Fault {
    Fault::new(ReadErrorKind::NotXml, 0, format!("not XML at all: {what}"))
}

/// Detects, from the first bytes, a binary format that is often confused with a metadata file.
fn binary_format(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x1f, 0x8b, ..] => Some("a gzip archive"),
        [b'P', b'K', 3, 4, ..] => Some("a ZIP archive or an Office file"),
        [b'%', b'P', b'D', b'F', ..] => Some("a PDF file"),
        [0x30, 0x82, ..] => Some("binary DER, probably a certificate"),
        _ => None,
    }
}

/// Detects, from its start, a text that cannot be metadata, and returns a description.
pub(crate) fn text_format(text: &str) -> Option<String> {
    let trimmed = text.trim_start_matches(|c: char| c.is_ascii() && is_space(c as u8));
    let Some(first) = trimmed.chars().next() else {
        return Some("the file is empty".to_owned());
    };
    if first == '<' {
        let html = ["<!doctype html", "<html", "<head", "<body"];
        return html
            .iter()
            .any(|start| starts_with_ignoring_case(trimmed, start))
            .then(|| "an HTML page, perhaps a login page or an error page".to_owned());
    }
    if trimmed.starts_with("-----BEGIN CERTIFICATE") {
        return Some("a PEM certificate, not a metadata document".to_owned());
    }
    if trimmed.starts_with("-----BEGIN ") {
        return Some("a PEM file".to_owned());
    }
    if trimmed.starts_with("http://") || trimmed.starts_with("https://") {
        return Some("a URL, not the document at this URL".to_owned());
    }
    if matches!(first, '{' | '[') {
        return Some(format!("starts with `{first}`, which looks like JSON"));
    }
    // If a tag follows, the reader reports the text before it.
    if trimmed.contains('<') || first == BYTE_ORDER_MARK {
        return None;
    }
    Some(format!("starts with {first:?} and has no tag"))
}
