//! Decodes and parses a pasted SAML response, and checks the length of its assertions.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use percent_encoding::percent_decode_str;
use saml_metadata::{Document, Element, Limits, ReadError, ReadErrorKind, read_with};

use super::{LintReport, MAX_BYTES, assertion_children, rule, values::short};

/// A lenient Base64 decoder for pasted input: padding is optional, and trailing bits are allowed.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// "SAML assertion: 50,000 characters" (IAM Identity Center user guide, quotas).
const MAX_CHARACTERS: usize = 50_000;

/// The reason why a pasted text could not be parsed as XML.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("no text was pasted")]
    Empty,
    #[error("the text has {bytes} bytes")]
    TooLong { bytes: usize },
    #[error("neither XML nor Base64: it begins with {start:?}")]
    Encoding { start: String },
    #[error("the XML has a DOCTYPE")]
    Doctype,
    #[error("malformed XML: {source}")]
    Xml {
        #[from]
        source: ReadError,
    },
}

/// Decodes and parses the pasted text.
pub(super) fn read(pasted: &str) -> Result<Document, Unreadable> {
    let pasted = pasted.trim().trim_start_matches('\u{feff}');
    // Base64 adds a third to the length, and URL-encoding can triple the result.
    if pasted.len() > MAX_BYTES * 4 {
        let bytes = pasted.len();
        return Err(Unreadable::TooLong { bytes });
    }
    let bytes = decode(pasted)?;
    if bytes.len() > MAX_BYTES {
        let bytes = bytes.len();
        return Err(Unreadable::TooLong { bytes });
    }
    let limits = Limits {
        depth: 64,
        ..Limits::default()
    };
    read_with(bytes, &limits).map_err(|source| match source.kind() {
        ReadErrorKind::Doctype => Unreadable::Doctype,
        _ => Unreadable::Xml { source },
    })
}

fn decode(pasted: &str) -> Result<Vec<u8>, Unreadable> {
    if pasted.is_empty() {
        return Err(Unreadable::Empty);
    }
    if pasted.starts_with('<') {
        return Ok(pasted.as_bytes().to_vec());
    }
    let value = pasted
        .strip_prefix("SAMLResponse=")
        .and_then(|form| form.split('&').next())
        .unwrap_or(pasted);
    let decoded = percent_decode_str(value).decode_utf8_lossy();
    if decoded.trim_start().starts_with('<') {
        return Ok(decoded.trim().as_bytes().to_vec());
    }
    // Terminals and mail programs wrap lines.
    let compact: String = decoded
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    let encoding_error = || Unreadable::Encoding {
        start: short(pasted),
    };
    let bytes = LENIENT
        .decode(compact)
        .map_err(|_not_base64| encoding_error())?;
    if bytes.is_empty() {
        Err(encoding_error())
    } else {
        Ok(bytes)
    }
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
