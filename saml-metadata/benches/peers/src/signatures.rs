//! Signs and verifies metadata for the measurement.

use std::{
    fs::{self, File},
    hint::black_box,
    io::{BufReader, Write as _},
};

use saml_metadata::c14n::Method;

use crate::{Result, ours};

#[path = "../../generate/signed.rs"]
mod signed;

/// Signs a document and writes it to standard output.
pub(crate) fn sign(file: &str) -> Result<()> {
    let signed = signed::sign(&fs::read(file)?);
    Ok(std::io::stdout().lock().write_all(&signed)?)
}

/// Verifies a stream, then reads its entities.
pub(crate) fn verify_stream(file: &str) -> Result<usize> {
    let mut stream = signed::verifier().verify_stream(|| File::open(file))?;
    stream.try_fold(0, |count, verified| {
        black_box(verified?.entity().entity_id());
        Ok(count + 1)
    })
}

/// Reads a document, verifies it, and counts its entities.
pub(crate) fn verify(owned: Vec<u8>) -> Result<usize> {
    let document = ours(owned)?;
    let verified = signed::verifier().verify(&document)?;
    Ok(verified.entities().count())
}

/// Canonicalizes a stream and discards the output.
pub(crate) fn canonicalize_stream(file: &str) -> Result<usize> {
    let input = BufReader::with_capacity(64 << 10, File::open(file)?);
    Method::exclusive().stream(input, std::io::sink())?;
    Ok(1)
}
