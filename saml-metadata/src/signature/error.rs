use std::{fmt, ops::Range};

use super::profile;
use crate::{
    Element, Position, RuleId, c14n::C14nError, reader::escape::shorten,
    validate::rules::signature as rules,
};

/// Why a document is not taken for what its signature says.
///
/// `Display` is one clause with the place in front:
/// `line 1, column 240: the signature was not made with any of the given keys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureError {
    refusal: Refusal,
    span: Range<usize>,
    position: Position,
}

impl SignatureError {
    pub(super) fn new(at: Element<'_>, refusal: Refusal) -> Self {
        Self {
            refusal,
            span: at.span(),
            position: at.document().position(at.span().start),
        }
    }

    /// Says another thing of the same place.
    pub(super) fn with(self, refusal: Refusal) -> Self {
        Self { refusal, ..self }
    }

    /// Says the same of a place in a stream, given where offsets into the text are in it.
    pub(super) fn placed(self, place: impl Fn(usize) -> Position) -> Self {
        let position = place(self.span.start);
        Self {
            refusal: match self.refusal {
                Refusal::NoCanonicalForm { source } => Refusal::NoCanonicalForm {
                    source: source.map_offset(|offset| place(offset).offset),
                },
                refusal => refusal,
            },
            span: position.offset..place(self.span.end).offset.max(position.offset),
            position,
        }
    }

    /// Returns what is wrong.
    #[must_use]
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// Returns the rule that is broken.
    #[must_use]
    pub fn rule(&self) -> RuleId {
        self.refusal.rule()
    }

    /// Returns where, in [`Document::text`](crate::Document::text), or among the bytes of a stream.
    ///
    /// Of a root element too large to be held, it is the start tag.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Returns where, as line and column.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.position, self.refusal)
    }
}

impl std::error::Error for SignatureError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.refusal {
            Refusal::NoCanonicalForm { source } => Some(source),
            _ => None,
        }
    }
}

/// The reasons to refuse a signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The element has no signature right inside.
    #[error("the element is not signed")]
    NotSigned,
    /// The element has several signatures right inside.
    #[error("the element has {count} signatures where one is expected")]
    #[non_exhaustive]
    SeveralSignatures {
        /// How many.
        count: usize,
    },
    /// The signature does not stand where the schema has it.
    #[error("the signature is not the first element inside of what it signs")]
    Misplaced,
    /// A part of the signature is missing, or there more often than once.
    #[error("the signature has {count} `{name}` where one is expected")]
    #[non_exhaustive]
    Count {
        /// The element's name.
        name: &'static str,
        /// How many there are.
        count: usize,
    },
    /// The reference is not to the element that the signature stands in.
    #[error("the signature is about {uri:?}, not about the element it stands in")]
    #[non_exhaustive]
    OtherReference {
        /// The reference's URI, cut after 60 characters.
        uri: String,
    },
    /// The reference has no URI, so that it is about whatever the two sides agree upon.
    #[error("the reference has no URI")]
    NoUri,
    /// Another element has the ID as well, so that it is not clear what is signed.
    #[error("the ID {id:?} of the signed element stands in the document more than once")]
    #[non_exhaustive]
    DuplicateId {
        /// The ID, cut after 60 characters.
        id: String,
    },
    /// There are no transforms, or more than two.
    #[error("the reference has {count} transforms where one or two are expected")]
    #[non_exhaustive]
    TransformCount {
        /// How many.
        count: usize,
    },
    /// The first transform is not the one that leaves the signature itself out.
    #[error("the first transform is not the enveloped signature transform")]
    NotEnveloped,
    /// The second transform, or the canonicalization, is not an allowed one.
    #[error("{uri:?} is not an allowed canonicalization")]
    #[non_exhaustive]
    Canonicalization {
        /// The algorithm's URI, cut after 60 characters.
        uri: String,
    },
    /// The contents have no canonical form.
    #[error("what is signed has no canonical form")]
    #[non_exhaustive]
    NoCanonicalForm {
        /// Why not.
        source: C14nError,
    },
    /// The signature is an HMAC.
    #[error("the signature is an HMAC, which anybody who can verify it can make")]
    Hmac,
    /// The signature or digest uses SHA-1, which was not allowed.
    #[error("the signature uses SHA-1")]
    Sha1,
    /// The algorithm is not in the list of allowed ones.
    #[error("{uri:?} is not an allowed algorithm")]
    #[non_exhaustive]
    Algorithm {
        /// The algorithm's URI, cut after 60 characters.
        uri: String,
    },
    /// None of the given keys is for the signature's algorithm.
    #[error("none of the given keys is for the algorithm {}", .algorithm.uri())]
    #[non_exhaustive]
    NoKey {
        /// The signature's algorithm.
        algorithm: super::SignatureAlgorithm,
    },
    /// The only keys that fit are RSA keys that are too short.
    #[error("the RSA key has {bits} bits, fewer than 2048")]
    #[non_exhaustive]
    WeakKey {
        /// Bits of the key's modulus.
        bits: usize,
    },
    /// The signature was made with another key, or `SignedInfo` was changed.
    #[error("the signature was not made with any of the given keys")]
    OtherKey,
    /// The contents were changed after they were signed.
    #[error("the contents are not the ones that were signed")]
    Changed,
    /// Something stands in the signature that the profile has no place for.
    #[error("`{name}` may not stand in a signature of metadata")]
    #[non_exhaustive]
    Unexpected {
        /// The element's name, cut after 60 characters.
        name: String,
    },
    /// The reference says that it is about a list of other references, or an object.
    #[error("the reference has the type {uri:?}")]
    #[non_exhaustive]
    ReferenceType {
        /// The type, cut after 60 characters.
        uri: String,
    },
    /// A comment, processing instruction or CDATA section stands in the part that counts.
    #[error("`{name}` holds a comment, a processing instruction or a CDATA section")]
    #[non_exhaustive]
    NotPlain {
        /// The element's name.
        name: &'static str,
    },
    /// A value is not base64, or not as long as it must be.
    #[error("`{name}` is not base64 of the right length")]
    #[non_exhaustive]
    Base64 {
        /// The element's name.
        name: &'static str,
    },
}

impl Refusal {
    /// Returns the rule that is broken.
    #[must_use]
    pub fn rule(&self) -> RuleId {
        match self {
            Self::NotSigned => rules::SIG_01.id,
            Self::SeveralSignatures { .. } | Self::Misplaced => rules::SIG_02.id,
            Self::Count { .. }
            | Self::OtherReference { .. }
            | Self::NoUri
            | Self::DuplicateId { .. } => rules::SIG_03.id,
            Self::TransformCount { .. }
            | Self::NotEnveloped
            | Self::Canonicalization { .. }
            | Self::NoCanonicalForm { .. } => rules::SIG_04.id,
            Self::Hmac | Self::Sha1 | Self::Algorithm { .. } => rules::SIG_05.id,
            Self::NoKey { .. } | Self::OtherKey | Self::Changed => rules::SIG_06.id,
            Self::Unexpected { .. }
            | Self::ReferenceType { .. }
            | Self::NotPlain { .. }
            | Self::Base64 { .. } => rules::SIG_07.id,
            Self::WeakKey { .. } => rules::SIG_09.id,
        }
    }

    pub(super) const DIGEST_LENGTH: Self = Self::Base64 {
        name: "DigestValue",
    };

    /// Says that an algorithm is not allowed, with its own reason if it has one.
    pub(super) fn algorithm(uri: &str) -> Self {
        if uri.contains("#hmac-") {
            Self::Hmac
        } else if profile::SHA1.contains(&uri) {
            Self::Sha1
        } else {
            Self::Algorithm { uri: shorten(uri) }
        }
    }
}
