//! The error of the reader, and the position of an error.

use std::fmt;

use crate::{
    Limit,
    reader::escape::one_line,
    validate::{RuleId, rules::document},
};

/// The reason why bytes could not be read as an XML document.
///
/// The `Display` text is one line that starts with the position:
/// ``line 3, column 7: the attribute `entityID` appears twice``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    kind: ReadErrorKind,
    message: String,
    position: Position,
}

impl ReadError {
    pub(crate) fn new(fault: Fault, position: Position) -> Self {
        Self {
            kind: fault.kind,
            message: one_line(fault.message),
            position,
        }
    }

    /// Returns the class of the error.
    #[must_use]
    pub fn kind(&self) -> ReadErrorKind {
        self.kind
    }

    /// Returns the position at which the error was detected.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Returns the validation rule that corresponds to the error.
    #[must_use]
    pub fn rule(&self) -> RuleId {
        match self.kind {
            ReadErrorKind::NotXml | ReadErrorKind::Malformed | ReadErrorKind::Namespace => {
                document::XML_01.id
            }
            ReadErrorKind::Doctype => document::XML_02.id,
            ReadErrorKind::Encoding => document::XML_03.id,
            ReadErrorKind::Limit(_) => document::XML_04.id,
            ReadErrorKind::NotMetadata => document::ROOT_01.id,
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // If the whole file is wrong or too large, a line number does not help.
        if self.kind != ReadErrorKind::NotXml && self.kind != ReadErrorKind::Limit(Limit::Bytes) {
            write!(f, "{}: ", self.position)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReadError {}

/// The class of a [`ReadError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The bytes are not XML: for example JSON, an HTML page, a certificate, an archive or no bytes.
    NotXml,
    /// The bytes are not UTF-8 or UTF-16, or do not have the declared encoding.
    Encoding,
    /// The text is not well-formed XML 1.0.
    Malformed,
    /// The text is well-formed, but violates Namespaces in XML 1.0.
    Namespace,
    /// The document has a DOCTYPE. SAML metadata never needs one, but attacks do.
    Doctype,
    /// The document exceeds one of the [`Limits`](crate::Limits).
    Limit(Limit),
    /// The root element is not an element of SAML metadata; only a stream returns this error.
    NotMetadata,
}

/// A position in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Position {
    /// Offset in the original bytes.
    pub offset: usize,
    /// Line number, from 1.
    pub line: usize,
    /// Column number in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Returns the text of an error with all its causes.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// A [`ReadError`] whose position is still an offset into the text.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: ReadErrorKind,
    pub(crate) message: String,
    pub(crate) offset: usize,
}

impl Fault {
    // With the attribute `cold`, the code for error messages does not slow down the reading of valid
    // documents.
    #[cold]
    pub(crate) fn new(kind: ReadErrorKind, offset: usize, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            offset,
        }
    }

    #[cold]
    pub(crate) fn malformed(offset: usize, message: impl Into<String>) -> Self {
        Self::new(ReadErrorKind::Malformed, offset, message)
    }

    #[cold]
    pub(crate) fn namespace(offset: usize, message: impl Into<String>) -> Self {
        Self::new(ReadErrorKind::Namespace, offset, message)
    }

    #[cold]
    pub(crate) fn limit(which: Limit, limit: usize, offset: usize) -> Self {
        Self::new(ReadErrorKind::Limit(which), offset, which.exceeded(limit))
    }
}
