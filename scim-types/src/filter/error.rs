//! The error of a filter or path that cannot be parsed.

use std::fmt;

/// The error of [`Filter::parse`](super::Filter::parse): the text is not a filter, or exceeds the limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseFilterError {
    kind: Kind,
    position: usize,
    column: usize,
    /// The kind of the parsed text, for the message: `filter`, or `path` for the path of a patch.
    subject: &'static str,
}

impl ParseFilterError {
    /// Returns the error for an unexpected token at a position in the text.
    pub(crate) fn expected(expected: &'static str, text: &str, position: usize) -> Self {
        let rest = &text[position..];
        // The first character always belongs to the token, even if it is a delimiter.
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(_, found)| ends_token(*found));
        let token = end.map_or(rest, |(end, _)| &rest[..end]);
        let found = match token.char_indices().nth(MAX_FOUND) {
            Some((end, _)) => format!("{}…", &token[..end]),
            None => token.to_owned(),
        };
        Self::new(Kind::Expected { expected, found }, text, position)
    }

    pub(crate) fn too_long(limit: usize, text: &str) -> Self {
        Self::new(
            Kind::TooLong {
                limit,
                length: text.len(),
            },
            text,
            0,
        )
    }

    pub(super) fn too_deep(limit: u8, text: &str, position: usize) -> Self {
        Self::new(Kind::TooDeep { limit }, text, position)
    }

    fn new(kind: Kind, text: &str, position: usize) -> Self {
        Self {
            kind,
            position,
            column: text[..position].chars().count() + 1,
            subject: "filter",
        }
    }

    /// Changes the message to an error in the path of a patch.
    pub(crate) fn in_path(self) -> Self {
        Self {
            subject: "path",
            ..self
        }
    }

    /// Returns the position of the error, in bytes from the start of the text.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// Returns the column of the error, in characters; the first column is 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// Returns the unexpected token; `None` at the end of the text, or if a limit was exceeded.
    #[must_use]
    pub fn found(&self) -> Option<&str> {
        match &self.kind {
            Kind::Expected { found, .. } if !found.is_empty() => Some(found),
            _ => None,
        }
    }

    /// Returns whether the text has more bytes than [`Limits::bytes`](super::Limits::bytes).
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        matches!(self.kind, Kind::TooLong { .. })
    }

    /// Returns whether the filter is nested deeper than [`Limits::depth`](super::Limits::depth).
    #[must_use]
    pub fn is_too_deep(&self) -> bool {
        matches!(self.kind, Kind::TooDeep { .. })
    }
}

impl fmt::Display for ParseFilterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            column, subject, ..
        } = self;
        match &self.kind {
            Kind::Expected { expected, found } if found.is_empty() => {
                write!(formatter, "expected {expected}, but the {subject} ends")
            }
            Kind::Expected { expected, found } => {
                write!(
                    formatter,
                    "expected {expected} at column {column} of the {subject}, found {found:?}"
                )
            }
            Kind::TooLong { limit, length } => {
                write!(
                    formatter,
                    "the {subject} has {length} bytes, more than the limit of {limit}"
                )
            }
            Kind::TooDeep { limit } => write!(
                formatter,
                "the {subject} is nested more than {limit} levels deep at column {column}"
            ),
        }
    }
}

impl std::error::Error for ParseFilterError {}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Expected {
        expected: &'static str,
        found: String,
    },
    TooLong {
        limit: usize,
        length: usize,
    },
    TooDeep {
        limit: u8,
    },
}

fn ends_token(character: char) -> bool {
    character.is_whitespace() || matches!(character, '(' | ')' | '[' | ']')
}

/// Maximum number of characters of an unexpected token in a message.
const MAX_FOUND: usize = 24;
