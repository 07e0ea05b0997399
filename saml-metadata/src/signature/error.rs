//! The error of signature verification, and the reasons for it.

use std::{fmt, ops::Range};

use super::profile;
use crate::{
    Element, Position, RuleId, c14n::C14nError, reader::escape::shorten,
    validate::rules::signature as rules,
};

/// The reason why a signature is rejected.
///
/// The `Display` text is one line that starts with the position:
/// `line 1, column 240: the signature does not verify with any of the given keys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureError {
    kind: SignatureErrorKind,
    span: Range<usize>,
    position: Position,
}

impl SignatureError {
    pub(super) fn new(at: Element<'_>, kind: SignatureErrorKind) -> Self {
        Self {
            kind,
            span: at.span(),
            position: at.document().position(at.span().start),
        }
    }

    /// Returns an error with the same position and another reason.
    pub(super) fn with(self, kind: SignatureErrorKind) -> Self {
        Self { kind, ..self }
    }

    /// Converts the positions to positions in a stream, with a function from an offset into the text
    /// to a position.
    pub(super) fn map_position(self, convert: impl Fn(usize) -> Position) -> Self {
        let position = convert(self.span.start);
        Self {
            kind: match self.kind {
                SignatureErrorKind::NoCanonicalForm { source } => {
                    SignatureErrorKind::NoCanonicalForm {
                        source: source.map_offset(|offset| convert(offset).offset),
                    }
                }
                kind => kind,
            },
            span: position.offset..convert(self.span.end).offset.max(position.offset),
            position,
        }
    }

    /// Returns the reason.
    #[must_use]
    pub fn kind(&self) -> &SignatureErrorKind {
        &self.kind
    }

    /// Returns the violated rule.
    #[must_use]
    pub fn rule(&self) -> RuleId {
        self.kind.rule()
    }

    /// Returns the byte range in [`Document::text`](crate::Document::text), or in the stream.
    ///
    /// If the root element is too large for memory, the range is its start tag.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Returns the position as line and column.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.position, self.kind)
    }
}

impl std::error::Error for SignatureError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            SignatureErrorKind::NoCanonicalForm { source } => Some(source),
            _ => None,
        }
    }
}

/// A reason to reject a signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureErrorKind {
    /// The element has no signature as a child.
    #[error("the element is not signed")]
    NotSigned,
    /// The element has several signatures as children.
    #[error("the element has {count} signatures where one is expected")]
    #[non_exhaustive]
    SeveralSignatures {
        /// Number of signatures.
        count: usize,
    },
    /// The signature is not at the position that the schema defines.
    #[error("the signature is not the first child of the signed element")]
    Misplaced,
    /// The signature of an assertion or protocol message is not at the position that the schema
    /// defines.
    #[error("the signature does not follow the `Issuer` of the signed element")]
    NotAfterIssuer,
    /// A part of the signature is missing or occurs more than once.
    #[error("the signature has {count} `{name}` where one is expected")]
    #[non_exhaustive]
    Count {
        /// The element's name.
        name: &'static str,
        /// Number of these elements.
        count: usize,
    },
    /// The signature references another element than its parent.
    #[error("the signature references {uri:?}, not the element that contains it")]
    #[non_exhaustive]
    OtherReference {
        /// The reference's URI, cut after 60 characters.
        uri: String,
    },
    /// The reference has no URI, so the signed content is undefined without a separate agreement.
    #[error("the reference has no URI")]
    NoUri,
    /// Another element has the same ID, so the reference is ambiguous.
    #[error("the ID {id:?} of the signed element is not unique in the document")]
    #[non_exhaustive]
    DuplicateId {
        /// The ID, cut after 60 characters.
        id: String,
    },
    /// There are no transforms, or more than two.
    #[error("the reference has {count} transforms where one or two are expected")]
    #[non_exhaustive]
    TransformCount {
        /// Number of transforms.
        count: usize,
    },
    /// The first transform is not the one that excludes the signature from the signed content.
    #[error("the first transform is not the enveloped signature transform")]
    NotEnveloped,
    /// The second transform, or the canonicalization method, is not allowed.
    #[error("{uri:?} is not an allowed canonicalization")]
    #[non_exhaustive]
    Canonicalization {
        /// The algorithm's URI, cut after 60 characters.
        uri: String,
    },
    /// The signed content has no canonical form.
    #[error("the signed content has no canonical form")]
    #[non_exhaustive]
    NoCanonicalForm {
        /// The reason.
        source: C14nError,
    },
    /// The signature is an HMAC.
    #[error("the signature is an HMAC, so every verifier could create it")]
    Hmac,
    /// The signature or the digest uses SHA-1, which was not allowed.
    #[error("the signature uses SHA-1")]
    Sha1,
    /// The algorithm is not in the list of allowed algorithms.
    #[error("{uri:?} is not an allowed algorithm")]
    #[non_exhaustive]
    Algorithm {
        /// The algorithm's URI, cut after 60 characters.
        uri: String,
    },
    /// None of the given keys fits the signature's algorithm.
    #[error("none of the given keys fits the algorithm {}", .algorithm.uri())]
    #[non_exhaustive]
    NoKey {
        /// The signature's algorithm.
        algorithm: super::SignatureAlgorithm,
    },
    /// All keys that fit the algorithm are RSA keys that are too short.
    #[error("the RSA key has {bits} bits, fewer than 2048")]
    #[non_exhaustive]
    WeakKey {
        /// Length of the key's modulus in bits.
        bits: usize,
    },
    /// The signature was created with another key, or `SignedInfo` was changed.
    #[error("the signature does not verify with any of the given keys")]
    OtherKey,
    /// The content was changed after signing.
    #[error("the content was changed after signing")]
    Changed,
    /// The signature contains an element that the profile does not allow.
    #[error("`{name}` is not allowed in a SAML signature")]
    #[non_exhaustive]
    Unexpected {
        /// The element's name, cut after 60 characters.
        name: String,
    },
    /// The reference has a `Type`, for example for a list of other references or an object.
    #[error("the reference has the type {uri:?}, but a type is not allowed")]
    #[non_exhaustive]
    ReferenceType {
        /// The type, cut after 60 characters.
        uri: String,
    },
    /// `SignedInfo` or `SignatureValue` contains a comment, a processing instruction or a CDATA
    /// section.
    #[error("`{name}` contains a comment, a processing instruction or a CDATA section")]
    #[non_exhaustive]
    NotPlain {
        /// The element's name.
        name: &'static str,
    },
    /// A value is not base64, or does not have the required length.
    #[error("`{name}` is not base64 of the right length")]
    #[non_exhaustive]
    Base64 {
        /// The element's name.
        name: &'static str,
    },
}

impl SignatureErrorKind {
    /// Returns the violated rule.
    #[must_use]
    pub fn rule(&self) -> RuleId {
        match self {
            Self::NotSigned => rules::SIG_01.id,
            Self::SeveralSignatures { .. } | Self::Misplaced | Self::NotAfterIssuer => {
                rules::SIG_02.id
            }
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

    /// Returns the reason for an algorithm that is not allowed; HMAC and SHA-1 have separate reasons.
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
