use std::{fmt, ops::Range};

use super::RuleId;
use crate::Position;

/// Something that a rule has against a document.
///
/// `Display` is one line: `line 1, column 240: error MD-AWS-03: the file has an encryption key`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// How much it matters, in the profile checked for.
    pub severity: Severity,
    /// What is wrong here.
    pub message: String,
    /// Where, as an `XPath` with the usual prefixes: `/md:EntityDescriptor/@entityID`.
    pub path: String,
    /// Where, in [`Document::text`](crate::Document::text).
    pub span: Range<usize>,
    /// Where the span begins, as line and column.
    pub position: Position,
    /// What to do about it.
    pub help: &'static str,
    /// The document and section that the rule comes from.
    pub clause: &'static str,
}

impl Finding {
    /// Returns whether the document is not fit for use because of this.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Returns the line, counted from 1.
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

/// How much a finding matters. There will be no other levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Works, but may not work well or everywhere.
    Warning,
    /// The document breaks a rule that its consumer holds to.
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
