use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use percent_encoding::percent_decode_str;
use saml_metadata::{Document, Element, Limits, ReadError, ReadErrorKind, read_with};

use super::{LintReport, MOST_BYTES, assertion_children, rule, values::short};

/// Base64 as people paste it: with padding or without, and with bits left over.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// "SAML assertion: 50,000 characters" (IAM Identity Center user guide, quotas).
const MOST_CHARACTERS: usize = 50_000;

/// Why a pasted text could not be read as XML.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("nothing was pasted")]
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

/// Reads what was pasted.
pub(super) fn read(pasted: &str) -> Result<Document, Unreadable> {
    let pasted = pasted.trim().trim_start_matches('\u{feff}');
    // Base64 is a third longer, URL-encoding of it up to three times that.
    if pasted.len() > MOST_BYTES * 4 {
        let bytes = pasted.len();
        return Err(Unreadable::TooLong { bytes });
    }
    let bytes = decode(pasted)?;
    if bytes.len() > MOST_BYTES {
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
    // Lines are wrapped by terminals and mail programs.
    let compact: String = decoded
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    let start = || Unreadable::Encoding {
        start: short(pasted),
    };
    let bytes = LENIENT.decode(compact).map_err(|_not_base64| start())?;
    if bytes.is_empty() {
        Err(start())
    } else {
        Ok(bytes)
    }
}

/// Holds the assertions to AWS's quota.
pub(super) fn check_length(response: Element<'_>, report: &mut LintReport) {
    for assertion in assertion_children(response, "Assertion") {
        let characters = assertion.source().chars().count();
        if characters > MOST_CHARACTERS {
            report.add(
                &rule::XML_04,
                assertion,
                format!("{characters} characters"),
                format!("at most {MOST_CHARACTERS}"),
            );
        }
    }
}
