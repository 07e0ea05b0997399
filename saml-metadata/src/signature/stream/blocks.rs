//! Reader that makes sure that several passes over the input read the same bytes.

use std::{
    fmt,
    io::{self, BufRead, Read},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, Tag, UnboundKey},
    constant_time::verify_slices_are_equal,
    error::Unspecified,
};

/// Size of a block. Each block has one tag, so an input of 100 MB has 25 KB of tags.
const BLOCK: usize = 64 << 10;

/// Reads in blocks. The first pass records a tag per block, later passes verify the tags.
#[derive(Debug)]
pub(super) struct Blocks<R> {
    inner: R,
    block: Vec<u8>,
    at: usize,
    /// Number of blocks read.
    count: usize,
    is_ended: bool,
    tags: Tags,
    /// Whether the pass verifies the tags instead of recording them.
    verifies: bool,
}

/// The tags of all blocks.
///
/// A tag is a message authentication code (GMAC, NIST SP 800-38D). Its key is created for one
/// verification and stays in memory. An attacker who can change the bytes does not know the key, and
/// so cannot create another block with the same tag. A digest would give the same protection, but
/// takes four times as long.
#[derive(Debug)]
pub(super) struct Tags {
    key: LessSafeKey,
    tags: Vec<Tag>,
}

impl Tags {
    fn new() -> io::Result<Self> {
        // The random number generator of aws-lc would gather entropy for a tenth of a second at its
        // first use, so the system's generator is used.
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        let key = UnboundKey::new(&AES_256_GCM, &key).map_err(io::Error::other)?;
        Ok(Self {
            key: LessSafeKey::new(key),
            tags: Vec::new(),
        })
    }

    /// Returns the tag of a block, which depends on its number and its bytes.
    fn tag(&self, number: usize, block: &[u8]) -> Result<Tag, Unspecified> {
        let mut nonce = [0; NONCE_LEN];
        nonce[..size_of::<usize>()].copy_from_slice(&number.to_le_bytes());
        // A later pass uses the same nonce again, but the tag is only compared and never disclosed.
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_separate_tag(nonce, Aad::from(block), &mut [])
    }
}

impl<R: Read> Blocks<R> {
    /// Creates the reader for the first pass, which records the tags.
    pub(super) fn recording(inner: R) -> io::Result<Self> {
        Ok(Self::new(inner, Tags::new()?, false))
    }

    /// Creates the reader for a later pass, which fails if the bytes differ from the first pass.
    pub(super) fn verifying(inner: R, tags: Tags) -> Self {
        Self::new(inner, tags, true)
    }

    fn new(inner: R, tags: Tags, verifies: bool) -> Self {
        Self {
            inner,
            block: Vec::with_capacity(BLOCK),
            at: 0,
            count: 0,
            is_ended: false,
            tags,
            verifies,
        }
    }

    /// Returns the tags of all blocks; must be called after the end of the input.
    pub(super) fn into_tags(self) -> Tags {
        debug_assert!(self.is_ended);
        self.tags
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.block.capacity() + self.tags.tags.capacity() * size_of::<Tag>()
    }

    /// Reads the next block; the block is empty at the end of the input.
    fn next(&mut self) -> io::Result<()> {
        self.at = 0;
        self.block.clear();
        let length = u64::try_from(BLOCK).unwrap_or(u64::MAX);
        (&mut self.inner)
            .take(length)
            .read_to_end(&mut self.block)?;
        if self.block.is_empty() {
            self.is_ended = true;
            let is_all = !self.verifies || self.count == self.tags.tags.len();
            return if is_all { Ok(()) } else { Err(self.changed()) };
        }
        let tag = self.tags.tag(self.count, &self.block);
        let tag = tag.map_err(io::Error::other)?;
        let known = self.tags.tags.get(self.count);
        let is_same = |known: &Tag| verify_slices_are_equal(known.as_ref(), tag.as_ref()).is_ok();
        if !self.verifies {
            self.tags.tags.push(tag);
        } else if !known.is_some_and(is_same) {
            // The caller must not get these bytes, not even from another read.
            self.block.clear();
            return Err(self.changed());
        }
        self.count += 1;
        Ok(())
    }

    fn changed(&self) -> io::Error {
        let offset = self.count * BLOCK;
        io::Error::other(Changed { offset })
    }
}

impl<R: Read> Read for Blocks<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(to)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Blocks<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.block.len() && !self.is_ended {
            self.next()?;
        }
        Ok(&self.block[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

/// The error for a block that differs from the first pass.
#[derive(Debug)]
pub(super) struct Changed {
    /// Offset of the block.
    pub(super) offset: usize,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the bytes have changed from offset {} on", self.offset)
    }
}

impl std::error::Error for Changed {}
