use std::fmt;

use crate::{
    Limit,
    reader::escape::one_line,
    validate::{RuleId, rules::document},
};

/// Why bytes could not be read as an XML document.
///
/// `Display` is one clause fit for a person, with the place in front:
/// `line 3, column 7: the attribute "entityID" appears twice`.
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

    /// Returns what is wrong, by class.
    #[must_use]
    pub fn kind(&self) -> ReadErrorKind {
        self.kind
    }

    /// Returns where in the bytes it was noticed.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Returns the validation rule that the document breaks by being unreadable.
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
        // A file of another kind is wrong as a whole: a line number would only distract.
        if self.kind != ReadErrorKind::NotXml && self.kind != ReadErrorKind::Limit(Limit::Bytes) {
            write!(f, "{}: ", self.position)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReadError {}

/// The classes of things that stop a document from being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The bytes are something else: JSON, an HTML page, a certificate, an archive, nothing.
    NotXml,
    /// The bytes are not UTF-8 or UTF-16, or not what their declaration says.
    Encoding,
    /// The text is not well-formed XML 1.0.
    Malformed,
    /// The text is well-formed, but breaks Namespaces in XML 1.0.
    Namespace,
    /// The document has a DOCTYPE, which SAML metadata never needs and attacks do.
    Doctype,
    /// The document goes over one of the [`Limits`](crate::Limits).
    Limit(Limit),
    /// The root element is not one of SAML metadata; only a stream asks for that.
    NotMetadata,
}

/// A place in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Position {
    /// Bytes before the place, in the bytes as they were read.
    pub offset: usize,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A [`ReadError`] whose place is still an offset into the text.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: ReadErrorKind,
    pub(crate) message: String,
    pub(crate) offset: usize,
}

impl Fault {
    // Cold, so that what makes messages stays out of the way of reading what is right.
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
