//! Bytes that are read several times, and are the same each time.

use std::{
    fmt,
    io::{self, BufRead, Read},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, Tag, UnboundKey},
    constant_time::verify_slices_are_equal,
    error::Unspecified,
};

/// Bytes that one tag is about. Of 100 MB, 25 KB of tags are kept.
const BLOCK: usize = 64 << 10;

/// Reads in blocks, and hands a block out only when it is the one that was there before.
#[derive(Debug)]
pub(super) struct Blocks<R> {
    inner: R,
    block: Vec<u8>,
    at: usize,
    /// Blocks read.
    count: usize,
    is_ended: bool,
    tags: Tags,
    /// Whether all tags are known, rather than being taken now.
    is_known: bool,
}

/// What the first reading keeps of each block, for the next ones.
///
/// It is a message authentication code (GMAC, NIST SP 800-38D) under a key that is made for the one
/// verification and never leaves it: whoever can change the bytes does not know it, and so cannot
/// make a block with the tag of another. A digest would do the same in four times the time.
#[derive(Debug)]
pub(super) struct Tags {
    key: LessSafeKey,
    tags: Vec<Tag>,
}

impl Tags {
    fn new() -> io::Result<Self> {
        // From the system: that of aws-lc gathers entropy for a tenth of a second when it is first used.
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        let key = UnboundKey::new(&AES_256_GCM, &key).map_err(io::Error::other)?;
        Ok(Self {
            key: LessSafeKey::new(key),
            tags: Vec::new(),
        })
    }

    /// Returns the tag of a block, for which no other block stands in its place.
    fn tag(&self, number: usize, block: &[u8]) -> Result<Tag, Unspecified> {
        let mut nonce = [0; NONCE_LEN];
        nonce[..size_of::<usize>()].copy_from_slice(&number.to_le_bytes());
        // A number comes again only for a block that is compared, whose tag nobody sees.
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_separate_tag(nonce, Aad::from(block), &mut [])
    }
}

impl<R: Read> Blocks<R> {
    /// Reads for the first time.
    pub(super) fn first(inner: R) -> io::Result<Self> {
        Ok(Self::new(inner, Tags::new()?, false))
    }

    /// Reads what must be the same bytes again.
    pub(super) fn again(inner: R, tags: Tags) -> Self {
        Self::new(inner, tags, true)
    }

    fn new(inner: R, tags: Tags, is_known: bool) -> Self {
        Self {
            inner,
            block: Vec::with_capacity(BLOCK),
            at: 0,
            count: 0,
            is_ended: false,
            tags,
            is_known,
        }
    }

    /// Returns the tags of everything; the reading has to have come to the end.
    pub(super) fn into_tags(self) -> Tags {
        debug_assert!(self.is_ended);
        self.tags
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.block.capacity() + self.tags.tags.capacity() * size_of::<Tag>()
    }

    /// Reads the next block, which is empty at the end.
    fn next(&mut self) -> io::Result<()> {
        self.at = 0;
        self.block.clear();
        let room = u64::try_from(BLOCK).unwrap_or(u64::MAX);
        (&mut self.inner).take(room).read_to_end(&mut self.block)?;
        if self.block.is_empty() {
            self.is_ended = true;
            let is_all = !self.is_known || self.count == self.tags.tags.len();
            return if is_all { Ok(()) } else { Err(self.changed()) };
        }
        let tag = self.tags.tag(self.count, &self.block);
        let tag = tag.map_err(io::Error::other)?;
        let known = self.tags.tags.get(self.count);
        let is_same = |known: &Tag| verify_slices_are_equal(known.as_ref(), tag.as_ref()).is_ok();
        if !self.is_known {
            self.tags.tags.push(tag);
        } else if !known.is_some_and(is_same) {
            // None of it may get out, not even to somebody who asks again.
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

/// What a reading says about a block that is not the one of the first reading.
#[derive(Debug)]
pub(super) struct Changed {
    /// Bytes before the block.
    pub(super) offset: usize,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the bytes from {} on have changed", self.offset)
    }
}

impl std::error::Error for Changed {}
