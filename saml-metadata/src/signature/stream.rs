//! Signed aggregates of any size: verification first, then streaming, in constant memory.

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
    element::Element, stream::stream_limits,
};

impl Verifier {
    /// Verifies the signature of metadata of any size, and returns a stream of the signed entities.
    ///
    /// The metadata is read twice, so the argument is a function that opens it. The first pass runs
    /// inside this call and verifies the whole input; the second pass is the returned stream.
    ///
    /// The file may change between the passes. Therefore the first pass computes an authentication
    /// tag of each 64 KiB block, with a random key. The second pass returns the bytes of a block
    /// only if the tag at this position is the same. So each entity of the stream was signed, and
    /// is available immediately, before the end of the second pass.
    ///
    /// The checks of the signature, their order and the [`SignatureErrorKind`](super::SignatureErrorKind)s are the same as
    /// in [`verify`](Self::verify). The [limits](EntityStream#limits) are the limits of a stream.
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
    /// // Bytes in memory can be read any number of times.
    /// let bytes = std::fs::read(&path)?;
    /// assert_eq!(verifier.verify_stream(|| Ok(&bytes[..]))?.count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the metadata cannot be opened or read to its end, or for the same reasons as
    /// [`verify`](Self::verify). The stream fails if the second pass reads different bytes.
    pub fn verify_stream<R: Read>(
        &self,
        open: impl FnMut() -> io::Result<R>,
    ) -> Result<VerifiedStream<R>, SignedStreamError> {
        self.verify_stream_with(&stream_limits(), open)
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
        let input = Blocks::recording(open()?).map_err(|source| StreamError::Io { source })?;
        let blocks = EntityStream::with_limits(input, limits).visit(&mut scan)?;
        let mut tags = blocks.into_tags();
        let form = match scan.finish()? {
            Outcome::Verified(form) => form,
            Outcome::NeedsSecondScan { form, .. } => {
                let mut scan = Scan::with_form(self, &form);
                let input = Blocks::verifying(open()?, tags);
                let blocks = EntityStream::with_limits(input, limits).visit(&mut scan)?;
                tags = blocks.into_tags();
                match scan.finish()? {
                    Outcome::Verified(form) => form,
                    Outcome::NeedsSecondScan { misplaced, .. } => return Err(misplaced.into()),
                }
            }
        };
        let input = Blocks::verifying(open()?, tags);
        Ok(VerifiedStream {
            stream: EntityStream::with_limits(input, limits),
            key: form.key,
            algorithm: form.algorithm,
        })
    }
}

/// Iterator over the entities of metadata whose signature was verified.
///
/// Every returned entity was signed. If the second pass reads bytes other than the verified bytes,
/// the stream ends with an error. In this case entities are missing, perhaps because of an attack.
/// The stream ends after an error.
pub struct VerifiedStream<R> {
    stream: EntityStream<Blocks<R>>,
    key: usize,
    algorithm: SignatureAlgorithm,
}

impl<R: Read> VerifiedStream<R> {
    /// Returns the index of the key that verified the signature, among the keys given to
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

    /// Returns the approximate number of bytes of memory in use, for monitoring.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.stream.memory_bytes() + self.stream.source().memory_bytes()
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
/// As with [`Verified`](super::Verified), the view gives access only to signed content: the entity,
/// and the attributes and `Extensions` of the groups around it. Parts of the source text without
/// meaning, such as comments, are not signed.
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
        // The verified signature is a child of the root element and does not cover itself. A view
        // that starts at the root element hides it.
        EntityDescriptor::new(
            Element::new(document, document.tree.root)
                .as_fragment_root()
                .at(element.id()),
        )
    }

    /// Returns the position of the entity's start in the stream.
    #[must_use]
    pub fn position(&self) -> Position {
        self.streamed.position()
    }

    /// Returns the byte range of the entity in the stream.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.streamed.span()
    }

    /// Returns whether the `Extensions` of a group were left out because of their size.
    ///
    /// `Extensions` larger than 16 KiB are left out, because they would be copied for each entity.
    #[must_use]
    pub fn lacks_group_extensions(&self) -> bool {
        self.streamed.lacks_group_extensions()
    }

    /// Validates the entity against a profile or policy, like [`StreamedEntity::validate`].
    #[must_use]
    pub fn validate<'p>(&self, policy: impl Into<Cow<'p, Policy>>, now: Timestamp) -> Vec<Finding> {
        self.streamed.validate(policy, now)
    }
}
