//! The kinds of subject identifier that a service can require.

use std::fmt;

/// The kind of subject identifier that a service requires (saml-subject-id-attr-v1.0 4.1).
///
/// The enum is complete: the specification will not add other values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubjectIdRequirement {
    /// The general-purpose `subject-id`.
    SubjectId,
    /// The `pairwise-id`, which differs for each service.
    PairwiseId,
    /// The service requires no identifier.
    None,
    /// Either of the two identifiers.
    Any,
}

impl SubjectIdRequirement {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::SubjectId, Self::PairwiseId, Self::None, Self::Any]
            .into_iter()
            .find(|requirement| requirement.as_str() == text)
    }

    /// Returns the value of the entity attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SubjectId => "subject-id",
            Self::PairwiseId => "pairwise-id",
            Self::None => "none",
            Self::Any => "any",
        }
    }
}

impl fmt::Display for SubjectIdRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
