//! Signed aggregates of any size: verified first, then read, in constant memory.

mod blocks;
mod error;
mod scan;

use std::{
    borrow::Cow,
    fmt,
    io::{self, Read},
    ops::Range,
};

use jiff::Timestamp;

pub use self::error::SignedStreamError;
use self::{
    blocks::Blocks,
    scan::{Outcome, Scan},
};
use super::{SignatureAlgorithm, Verifier};
use crate::{
    EntityDescriptor, EntityStream, Finding, Limits, Policy, Position, StreamError, StreamedEntity,
    element::Element, stream::fit_limits,
};

impl Verifier {
    /// Verifies the signature of metadata of any size, and returns a stream of the entities that
    /// were signed.
    ///
    /// The metadata is read twice, so it is given by what opens it. The first reading, here and
    /// now, checks all of it; the second is the stream. No trust is put into the file
    /// staying what it was: the first reading keeps a tag of each 64 KiB, under a key of its own, and
    /// the second hands no byte to the reader that is not in a block with the same tag at the same
    /// place. So each entity that comes out was signed, at once and without waiting for the end.
    ///
    /// The same is asked of the signature, in the same order and with the same
    /// [`Refusal`](super::Refusal)s, as by [`verify`](Self::verify). The
    /// [limits](EntityStream#limits) are those of a stream.
    ///
    /// ```
    /// use std::fs::File;
    /// use saml_metadata::signature::{Verifier, VerifyingKey};
    ///
    /// # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/signature");
    /// # let path = format!("{folder}/xmlsec1-rsa-sha256.xml");
    /// # let key = VerifyingKey::from_pem(&std::fs::read_to_string(format!("{folder}/rsa.cert.pem"))?)?;
    /// let verifier = Verifier::new([key]);
    /// for verified in verifier.verify_stream(|| File::open(&path))? {
    ///     let verified = verified?;
    ///     println!("{}", verified.entity().entity_id());
    /// }
    ///
    /// // Bytes in memory can be read as often as one likes.
    /// let bytes = std::fs::read(&path)?;
    /// assert_eq!(verifier.verify_stream(|| Ok(&bytes[..]))?.count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails when the metadata cannot be opened or read to its end, and as
    /// [`verify`](Self::verify) does. The stream fails when what is opened the second time is not
    /// the same.
    pub fn verify_stream<R: Read>(
        &self,
        open: impl FnMut() -> io::Result<R>,
    ) -> Result<VerifiedStream<R>, SignedStreamError> {
        self.verify_stream_with(&fit_limits(), open)
    }

    /// Verifies the signature of metadata of any size within given limits.
    ///
    /// # Errors
    ///
    /// Fails as [`verify_stream`](Self::verify_stream) does.
    pub fn verify_stream_with<R: Read>(
        &self,
        limits: &Limits,
        mut open: impl FnMut() -> io::Result<R>,
    ) -> Result<VerifiedStream<R>, SignedStreamError> {
        let mut open = || open().map_err(|source| StreamError::Io { source });
        let mut scan = Scan::new(self);
        let input = Blocks::first(open()?).map_err(|source| StreamError::Io { source })?;
        let blocks = EntityStream::with_limits(input, limits).show(&mut scan)?;
        let mut tags = blocks.into_tags();
        let form = match scan.finish()? {
            Outcome::Verified(form) => form,
            Outcome::Again { form, .. } => {
                let mut scan = Scan::again(self, &form);
                let input = Blocks::again(open()?, tags);
                let blocks = EntityStream::with_limits(input, limits).show(&mut scan)?;
                tags = blocks.into_tags();
                match scan.finish()? {
                    Outcome::Verified(form) => form,
                    Outcome::Again { misplaced, .. } => return Err(misplaced.into()),
                }
            }
        };
        let input = Blocks::again(open()?, tags);
        Ok(VerifiedStream {
            stream: EntityStream::with_limits(input, limits),
            key: form.key,
            algorithm: form.algorithm,
        })
    }
}

/// The entities of metadata whose signature was verified, one after the other.
///
/// Every entity that it gives was signed. It ends early, with an error, when what is read is not
/// what was verified: then it lacks entities, and that may be somebody's intent. The stream is over
/// after an error.
pub struct VerifiedStream<R> {
    stream: EntityStream<Blocks<R>>,
    key: usize,
    algorithm: SignatureAlgorithm,
}

impl<R: Read> VerifiedStream<R> {
    /// Returns the number, from 0, of the key that made the signature, among those given to
    /// [`Verifier::new`].
    #[must_use]
    pub fn key(&self) -> usize {
        self.key
    }

    /// Returns the algorithm of the signature.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// Returns about how many bytes of memory the stream holds, for watching that it stays small.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.stream.held_bytes() + self.stream.source().held_bytes()
    }
}

impl<R: Read> Iterator for VerifiedStream<R> {
    type Item = Result<VerifiedEntity, SignedStreamError>;

    fn next(&mut self) -> Option<Self::Item> {
        let streamed = self.stream.next()?;
        Some(
            streamed
                .map(|streamed| VerifiedEntity { streamed })
                .map_err(SignedStreamError::from),
        )
    }
}

impl<R: Read> std::iter::FusedIterator for VerifiedStream<R> {}

impl<R> fmt::Debug for VerifiedStream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedStream")
            .field("key", &self.key)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// An entity of a stream whose signature was verified.
///
/// As with [`Verified`](super::Verified), all that is reached from here was signed: the entity, and
/// of the groups around it their attributes and `Extensions`. What stands in the source as written
/// and has no meaning, such as comments, was not.
#[derive(Debug, Clone)]
pub struct VerifiedEntity {
    streamed: StreamedEntity,
}

impl VerifiedEntity {
    /// Returns the entity.
    #[must_use]
    pub fn entity(&self) -> EntityDescriptor<'_> {
        let document = self.streamed.document();
        let element = self.streamed.entity().element();
        // The root element alone has the signature, which does not sign itself.
        EntityDescriptor::new(
            Element::new(document, document.tree.root)
                .as_fragment_root()
                .at(element.id()),
        )
    }

    /// Returns where the entity begins in the stream.
    #[must_use]
    pub fn position(&self) -> Position {
        self.streamed.position()
    }

    /// Returns where the entity stands among the bytes of the stream.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.streamed.span()
    }

    /// Returns whether the `Extensions` of a group were left out because they have more than
    /// 16 KiB, which would be copied for each entity.
    #[must_use]
    pub fn lacks_group_extensions(&self) -> bool {
        self.streamed.lacks_group_extensions()
    }

    /// Checks the entity against a profile or policy, as
    /// [`StreamedEntity::validate`] does.
    #[must_use]
    pub fn validate<'p>(&self, policy: impl Into<Cow<'p, Policy>>, now: Timestamp) -> Vec<Finding> {
        self.streamed.validate(policy, now)
    }
}
