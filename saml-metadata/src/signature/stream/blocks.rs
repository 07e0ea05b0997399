//! Bytes that are read several times, and are the same each time.

use std::{
    fmt,
    io::{self, BufRead, Read},
};

use aws_lc_rs::digest::{Digest, SHA256, digest};

/// Bytes that one digest is about. Of 100 MB, 12 KB of digests are kept.
const BLOCK: usize = 256 << 10;

/// Reads in blocks, and hands a block out only when it is the one that was there before.
#[derive(Debug)]
pub(super) struct Blocks<R> {
    inner: R,
    block: Vec<u8>,
    at: usize,
    /// Blocks read.
    count: usize,
    is_ended: bool,
    digests: Vec<Digest>,
    /// Whether all digests are known, rather than being taken now.
    is_known: bool,
}

/// The digests of all blocks, for the next reading.
#[derive(Debug)]
pub(super) struct Digests(Vec<Digest>);

impl<R: Read> Blocks<R> {
    /// Reads for the first time.
    pub(super) fn first(inner: R) -> Self {
        Self::new(inner, Vec::new(), false)
    }

    /// Reads what must be the same bytes again.
    pub(super) fn again(inner: R, digests: Digests) -> Self {
        Self::new(inner, digests.0, true)
    }

    fn new(inner: R, digests: Vec<Digest>, is_known: bool) -> Self {
        Self {
            inner,
            block: Vec::with_capacity(BLOCK),
            at: 0,
            count: 0,
            is_ended: false,
            digests,
            is_known,
        }
    }

    /// Returns the digests of everything; the reading has to have come to the end.
    pub(super) fn into_digests(self) -> Digests {
        debug_assert!(self.is_ended);
        Digests(self.digests)
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.block.capacity() + self.digests.capacity() * size_of::<Digest>()
    }

    /// Reads the next block, which is empty at the end.
    fn next(&mut self) -> io::Result<()> {
        self.at = 0;
        self.block.clear();
        let room = u64::try_from(BLOCK).unwrap_or(u64::MAX);
        (&mut self.inner).take(room).read_to_end(&mut self.block)?;
        if self.block.is_empty() {
            self.is_ended = true;
            let is_all = !self.is_known || self.count == self.digests.len();
            return if is_all { Ok(()) } else { Err(self.changed()) };
        }
        let found = digest(&SHA256, &self.block);
        if !self.is_known {
            self.digests.push(found);
        } else if self
            .digests
            .get(self.count)
            .is_none_or(|known| known.as_ref() != found.as_ref())
        {
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
