//! The findings of a validation, and their severities.

use std::{fmt, ops::Range};

use super::RuleId;
use crate::Position;

/// A violation of a rule in a document.
///
/// `Display` is one line: `line 1, column 240: error MD-AWS-02: the file has no entityID`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// The severity in the profile of the check.
    pub severity: Severity,
    /// The description of the problem.
    pub message: String,
    /// The `XPath` of the element or attribute, with the usual prefixes:
    /// `/md:EntityDescriptor/@entityID`.
    pub path: String,
    /// The byte range in [`Document::text`](crate::Document::text).
    pub span: Range<usize>,
    /// The start of the span, as line and column.
    pub position: Position,
    /// Advice for fixing the document.
    pub help: &'static str,
    /// The source of the rule: a document and a section of it.
    pub clause: &'static str,
}

impl Finding {
    /// Returns whether the finding makes the document unusable.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Returns the line number, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.position.line
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rule,
            severity,
            message,
            position,
            ..
        } = self;
        write!(f, "{position}: {severity} {rule}: {message}")
    }
}

/// The severity of a finding. Later versions will not add levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// For information only.
    Info,
    /// The document works, but perhaps not well or not with every consumer.
    Warning,
    /// The document breaks a rule that its consumer enforces.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}
