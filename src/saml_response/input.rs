//! Decodes and parses a pasted SAML response, and checks the length of its assertions.

use std::{borrow::Cow, io::Read as _};

use base64::{
    DecodeError, Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use flate2::bufread::DeflateDecoder;
use percent_encoding::percent_decode_str;
use quick_xml::{
    escape::{resolve_predefined_entity, unescape_with},
    events::attributes::Attributes,
};
use saml_metadata::{Document, Element, Limits, ReadError, ReadErrorKind, read_with};

use super::{LintReport, MAX_BYTES, assertion_children, rule};

/// A lenient Base64 decoder for pasted input: padding is optional, and trailing bits are allowed.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// "SAML assertion: 50,000 characters" (IAM Identity Center user guide, quotas).
const MAX_CHARACTERS: usize = 50_000;

/// Maximum length of the pasted text, in bytes. A HAR file of a sign-in has several million.
const MAX_PASTED: usize = 64 << 20;

/// The form fields of SAML's bindings HTTP-POST and HTTP-Redirect. A request is read too, so that the
/// report can say that it is no response.
const FIELDS: [&str; 2] = ["SAMLResponse", "SAMLRequest"];

/// The reason why a pasted text could not be parsed as XML.
///
/// No message quotes a text of the response, because it names a user: only the first four bytes, and names of elements.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("no text: nothing was pasted, or the form field is empty")]
    Empty,
    #[error("the text has {bytes} bytes")]
    TooLong { bytes: usize },
    #[error("the response has more than {MAX_BYTES} bytes after decompression")]
    Inflated,
    #[error("an HTML page without a form field SAMLResponse")]
    NoField,
    #[error(
        "an unknown form that begins with the bytes {start}; tried XML (no \"<\" at the start), a form field or URL parameter \
         SAMLResponse, and Base64 ({base64})"
    )]
    Encoding { start: String, base64: String },
    #[error(
        "{form}, which decodes to {length} bytes that begin with {start}; tried XML (no \"<\" at the start) and DEFLATE"
    )]
    Decoded {
        form: String,
        length: usize,
        start: String,
    },
    #[error("the XML has a DOCTYPE")]
    Doctype,
    #[error("malformed XML: {source}")]
    Xml {
        #[from]
        source: ReadError,
    },
}

/// A response that was read, and the form of the pasted text, such as `HTML form, Base64`.
pub(super) struct Input {
    pub(super) document: Document,
    pub(super) form: String,
}

/// Decodes and parses the pasted text.
pub(super) fn read(pasted: &str) -> Result<Input, Unreadable> {
    let (bytes, form) = decode(pasted)?;
    if bytes.len() > MAX_BYTES {
        let bytes = bytes.len();
        return Err(Unreadable::TooLong { bytes });
    }
    let limits = Limits {
        depth: 64,
        ..Limits::default()
    };
    match read_with(bytes, &limits) {
        Ok(document) => Ok(Input { document, form }),
        Err(source) if matches!(source.kind(), ReadErrorKind::Doctype) => Err(Unreadable::Doctype),
        Err(source) => Err(Unreadable::Xml { source }),
    }
}

/// Returns the bytes of the XML, and the form of the pasted text.
fn decode(pasted: &str) -> Result<(Vec<u8>, String), Unreadable> {
    if pasted.len() > MAX_PASTED {
        let bytes = pasted.len();
        return Err(Unreadable::TooLong { bytes });
    }
    let mut steps = Vec::new();
    let mut text = Cow::Borrowed(trim(pasted));
    // The source of a page, copied from a page that shows it.
    if text.starts_with("&lt;")
        && let Some(page) = unescape(&text)
    {
        steps.push("character references");
        text = Cow::Owned(page);
    }
    if let Some(value) = html_field(&text) {
        steps.push("HTML form");
        text = Cow::Owned(value);
    } else if is_html(&text) {
        return Err(Unreadable::NoField);
    } else if !text.starts_with('<')
        && let Some(value) = parameter(&text)
    {
        steps.push("form field or URL parameter");
        text = Cow::Owned(value.to_owned());
    }
    // Base64 adds a third to the length, and URL-encoding can triple the result.
    if text.len() > MAX_BYTES * 4 {
        let bytes = text.len();
        return Err(Unreadable::TooLong { bytes });
    }
    // A page that shows a value may have escaped it again.
    for _ in 0..2 {
        if text.starts_with('<') {
            break;
        }
        if let Some(value) = unescape(&text) {
            steps.push("character references");
            text = Cow::Owned(value);
        }
        if text.contains('%') {
            steps.push("URL encoding");
            text = Cow::Owned(percent_decode_str(&text).decode_utf8_lossy().into_owned());
        }
    }
    let text = trim(&text);
    if text.is_empty() {
        return Err(Unreadable::Empty);
    }
    if text.starts_with('<') {
        steps.push("XML");
        return Ok((text.as_bytes().to_vec(), steps.join(", ")));
    }
    let bytes = from_base64(text).map_err(|base64| Unreadable::Encoding {
        start: first_bytes(pasted.as_bytes()),
        base64,
    })?;
    steps.push("Base64");
    if is_xml(&bytes) {
        return Ok((bytes, steps.join(", ")));
    }
    match inflate(&bytes)? {
        Some(inflated) if is_xml(&inflated) => {
            steps.push("DEFLATE");
            Ok((inflated, steps.join(", ")))
        }
        _ => Err(Unreadable::Decoded {
            form: steps.join(", "),
            length: bytes.len(),
            start: first_bytes(&bytes),
        }),
    }
}

/// Removes white space, byte order marks, zero-width characters and quotes around a text.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c) || matches!(c, '"' | '\''))
}

/// Returns whether a character is a byte order mark or has no width. Web pages and mail programs add such characters.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{200b}'..='\u{200d}' | '\u{2060}')
}

/// Returns whether a text begins like an HTML page or a part of it.
fn is_html(text: &str) -> bool {
    [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<form",
        "<input",
    ]
    .iter()
    .any(|tag| {
        text.get(..tag.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(tag))
    })
}

/// Returns the value of the hidden input of an auto-submitted form.
fn html_field(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    FIELDS.iter().find_map(|field| {
        let mut at = 0;
        // Each tag is read once, so that a text with many unfinished tags takes linear time.
        while let Some(start) = lower[at..].find(INPUT).map(|start| at + start) {
            let end = start + lower[start..].find('>')?;
            let inside = text[start + 1..end].trim_end_matches('/');
            let attributes: Vec<_> = Attributes::html(inside, INPUT.len() - 1)
                .with_checks(false)
                .filter_map(Result::ok)
                .collect();
            let value = |name: &str| {
                let mut attributes = attributes.iter();
                let found = attributes
                    .find(|attribute| attribute.key.as_ref().eq_ignore_ascii_case(name))?;
                Some(found.value.as_ref())
            };
            if value("name") == Some(field) {
                return Some(value("value").unwrap_or_default().to_owned());
            }
            at = end;
        }
        None
    })
}

/// The start tag of a form field.
const INPUT: &str = "<input";

/// Returns whether a line is another parameter, such as `RelayState: x`, and no Base64.
fn is_parameter(line: &str) -> bool {
    let name = line.find(|c: char| !c.is_ascii_alphanumeric());
    let rest = &line[name.unwrap_or(line.len())..];
    let mut rest = rest.chars();
    match rest.next() {
        Some(':' | '\t') => true,
        // Base64 ends with `=`.
        Some('=') => rest.next().is_some_and(|c| c != '=' && !c.is_whitespace()),
        _ => false,
    }
}

/// Returns the value of a form field or URL parameter: from a request body, a URL, the network log of a
/// browser, or a HAR file.
fn parameter(text: &str) -> Option<&str> {
    const SEPARATORS: [char; 9] = ['=', ':', '"', '\'', ',', ' ', '\t', '\r', '\n'];
    FIELDS.iter().find_map(|field| {
        text.match_indices(field).find_map(|(at, _)| {
            let rest = &text[at + field.len()..];
            let value = rest.trim_start_matches(SEPARATORS);
            if value.len() == rest.len() {
                return None;
            }
            // HAR: {"name": "SAMLResponse", "value": "…"}
            let value = match value.strip_prefix("value\"") {
                Some(value) => value.trim_start_matches(SEPARATORS),
                None => value,
            };
            let ends = |(at, c): (usize, char)| match c {
                '"' | '\'' | '<' => true,
                '\n' => is_parameter(&value[at + 1..]),
                // `&#x2b;` is a part of the value.
                '&' => !value[at..].starts_with("&#"),
                _ => false,
            };
            let end = value.char_indices().find(|next| ends(*next));
            let value = &value[..end.map_or(value.len(), |(at, _)| at)];
            (!value.is_empty()).then_some(value)
        })
    })
}

/// Resolves character references, or returns `None` if there are none.
fn unescape(text: &str) -> Option<String> {
    // The names that HTML has for the characters of Base64 besides letters and digits.
    let named = |name: &str| match name {
        "plus" => Some("+"),
        "sol" => Some("/"),
        "equals" => Some("="),
        "NewLine" => Some("\n"),
        name => resolve_predefined_entity(name),
    };
    match unescape_with(text, named) {
        Ok(Cow::Owned(unescaped)) => Some(unescaped),
        _ => None,
    }
}

/// Decodes Base64 with line breaks, of either alphabet, with or without padding. The error says why the text is not Base64.
fn from_base64(text: &str) -> Result<Vec<u8>, String> {
    let compact: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !is_invisible(*c))
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            c => c,
        })
        .collect();
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    if let Some((at, c)) = compact.chars().enumerate().find(|(_, c)| !is_allowed(*c)) {
        let at = at + 1;
        return Err(format!("{c:?} as character {at} without white space"));
    }
    match LENIENT.decode(&compact) {
        Ok(bytes) if bytes.is_empty() => Err("no characters".to_owned()),
        Ok(bytes) => Ok(bytes),
        Err(DecodeError::InvalidByte(at, _)) => Err(format!("\"=\" as character {}", at + 1)),
        Err(_) => {
            let length = compact.len();
            Err(format!("{length} characters: some are missing or extra"))
        }
    }
}

/// Decompresses raw DEFLATE (RFC 1951), which the binding HTTP-Redirect uses (saml-bindings-2.0-os 3.4.4.1).
///
/// Returns `None` if the bytes are not DEFLATE.
fn inflate(bytes: &[u8]) -> Result<Option<Vec<u8>>, Unreadable> {
    let mut inflated = Vec::new();
    let limit = MAX_BYTES as u64 + 1;
    let mut reader = DeflateDecoder::new(bytes).take(limit);
    if reader.read_to_end(&mut inflated).is_err() {
        return Ok(None);
    }
    if inflated.len() > MAX_BYTES {
        return Err(Unreadable::Inflated);
    }
    Ok(Some(inflated))
}

/// Returns whether bytes begin like XML in UTF-8 or UTF-16.
fn is_xml(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let is_utf16 = [b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<"]
        .iter()
        .any(|start| bytes.starts_with(*start));
    bytes.trim_ascii_start().starts_with(b"<") || is_utf16
}

/// Returns the first four bytes in hexadecimal. More could be a part of a name or a secret.
fn first_bytes(bytes: &[u8]) -> String {
    let hex: Vec<String> = bytes
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    hex.join(" ")
}

/// Checks the length of each assertion against AWS's quota.
pub(super) fn check_length(response: Element<'_>, report: &mut LintReport) {
    for assertion in assertion_children(response, "Assertion") {
        let characters = assertion.source().chars().count();
        if characters > MAX_CHARACTERS {
            report.add(
                &rule::XML_04,
                assertion,
                format!("{characters} characters"),
                format!("at most {MAX_CHARACTERS}"),
            );
        }
    }
}
