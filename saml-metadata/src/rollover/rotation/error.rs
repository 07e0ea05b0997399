//! The reasons why a rotation cannot be planned.

use jiff::Timestamp;

use crate::{EditError, EntityError};

/// The reason why a rotation cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RotationError {
    /// The document does not describe one entity.
    #[error("the rotation needs the metadata of one entity")]
    Entity(#[from] EntityError),
    /// The entity is neither an identity provider nor a service provider.
    #[error("the entity is neither an identity provider nor a service provider")]
    NoRole,
    /// The role has no signing certificate that can be read.
    #[error("{role} has no signing certificate that can be read")]
    #[non_exhaustive]
    NoCertificate {
        /// The element name of the role.
        role: String,
    },
    /// The role has a signing key that cannot be compared with the new one.
    #[error(
        "{role} has {unknown}: correct or remove this signing key first, because the plan cannot tell \
         whether it signs"
    )]
    #[non_exhaustive]
    UnknownKey {
        /// The element name of the role.
        role: String,
        /// The key: a certificate that cannot be read, or a key without a certificate.
        unknown: String,
    },
    /// The new certificate is the only signing certificate already.
    #[error("{role} already has the new certificate as its only signing certificate")]
    #[non_exhaustive]
    AlreadyRotated {
        /// The element name of the role.
        role: String,
    },
    /// The consumer cannot keep the old and the new certificate at the same time.
    #[error(
        "{consumer} keeps at most {max} signing certificate{}, but {needed} are needed at the same \
         time: sign-in would fail between the change there and the change of the key", plural(*.max)
    )]
    #[non_exhaustive]
    NoOverlap {
        /// The consumer's name.
        consumer: String,
        /// The maximum number of certificates.
        max: usize,
        /// The number of old certificates and the new one.
        needed: usize,
    },
    /// The certificate file is too long for the consumer.
    #[error(
        "{consumer} takes a certificate file of at most {max} characters, but it has {characters}"
    )]
    #[non_exhaustive]
    TooLong {
        /// The consumer's name.
        consumer: String,
        /// The number of characters of the PEM file.
        characters: usize,
        /// The maximum.
        max: usize,
    },
    /// The new key would sign before the consumer has its certificate.
    #[error(
        "the new key would sign at {activate}, but {consumer} has its certificate only at {earliest} \
         and rejects signatures before: publish both first, and sign with the new key then"
    )]
    #[non_exhaustive]
    ActivatedBeforePublished {
        /// The consumer's name.
        consumer: String,
        /// The requested time.
        activate: Timestamp,
        /// The earliest safe time.
        earliest: Timestamp,
    },
    /// The new certificate is not valid during the whole rotation.
    #[error(
        "the new certificate is valid from {from} to {until}, but the new key would sign at \
         {activate} and the old certificate would be removed at {retire}"
    )]
    #[non_exhaustive]
    NewNotValid {
        /// The time at which the new key begins to sign.
        activate: Timestamp,
        /// The time at which the old certificate is removed.
        retire: Timestamp,
        /// The start of the validity.
        from: Timestamp,
        /// The end of the validity.
        until: Timestamp,
    },
    /// The old certificate expires before the new key signs.
    #[error(
        "the old certificate expires at {end}, before the new key signs at {activate}: sign with the \
         new key earlier"
    )]
    #[non_exhaustive]
    OldExpiresFirst {
        /// The end of the validity of the old certificate.
        end: Timestamp,
        /// The time at which the new key begins to sign.
        activate: Timestamp,
    },
    /// The old certificate would be removed while its key still signs.
    #[error(
        "the old certificate would be removed at {retire}, but its key signs until {activate}: \
         {consumer} would reject signatures in between"
    )]
    #[non_exhaustive]
    RetiredBeforeActivated {
        /// The consumer's name.
        consumer: String,
        /// The requested time.
        retire: Timestamp,
        /// The time at which the new key begins to sign.
        activate: Timestamp,
    },
    /// A file of a step could not be written.
    #[error("the metadata of a step cannot be written")]
    Edit(#[from] EditError),
}

fn plural(number: usize) -> &'static str {
    if number == 1 { "" } else { "s" }
}
