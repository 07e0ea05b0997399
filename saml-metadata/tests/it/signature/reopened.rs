//! The second pass over a signed stream returns only content that the first pass verified.

use std::{
    cell::Cell,
    io::{self, Read},
};

use saml_metadata::{
    StreamError,
    signature::{SignedStreamError, Signer, SigningKey, VerifiedStream},
};

use super::{fixture, stream::signed_aggregate, verifier};
use crate::support::{AGGREGATE, change, document};

/// Returns a signed aggregate that spans several blocks.
fn large() -> Vec<u8> {
    let start = AGGREGATE
        .find("    <md:EntityDescriptor")
        .expect("an entity");
    let end = AGGREGATE.find("  <md:EntitiesDescriptor").expect("a group");
    let mut text = AGGREGATE[..end].to_owned();
    for number in 0..2_000 {
        text += &AGGREGATE[start..end].replace("a.example.com", &format!("a{number}.example.com"));
    }
    text += &AGGREGATE[end..];
    let key = SigningKey::from_pkcs8_pem(&fixture("rsa.key.pem")).expect("a key");
    let signed = Signer::new(&key).sign(&document(&text)).expect("signed");
    signed.bytes().to_vec()
}

/// Returns a source that opens `first` the first time and `second` afterwards.
fn swapped<'a>(first: &'a [u8], second: &'a [u8]) -> impl FnMut() -> io::Result<&'a [u8]> {
    let is_first = Cell::new(true);
    move || {
        Ok(if is_first.replace(false) {
            first
        } else {
            second
        })
    }
}

/// Returns the ids of the streamed entities, and the final error if there is one.
fn drain<R: Read>(stream: VerifiedStream<R>) -> (Vec<String>, Option<String>) {
    let mut ids = Vec::new();
    for entity in stream {
        match entity {
            Ok(entity) => ids.push(entity.entity().entity_id().to_owned()),
            Err(error) => return (ids, Some(error.to_string())),
        }
    }
    (ids, None)
}

#[test]
fn unverified_bytes_never_yield_an_entity() {
    let signed = large();
    assert!(signed.len() > 1 << 19, "{} bytes", signed.len());
    let text = String::from_utf8(signed.clone()).expect("UTF-8");
    let all: Vec<String> = document(&text)
        .entities()
        .map(|entity| entity.entity_id().to_owned())
        .collect();
    let (ids, error) = drain(
        verifier()
            .verify_stream(swapped(&signed, &signed))
            .expect("verified"),
    );
    assert_eq!((ids.len(), error), (all.len(), None));

    let evil = |from: &str, to: &str| change(&text, &[(from, to)]).into_bytes();
    let mut longer = signed.clone();
    longer.extend_from_slice(b"\n");
    for (case, second) in [
        ("first", evil("a.example.com", "b.example.org")),
        (
            "in the middle",
            evil("a1200.example.com", "e1200.example.com"),
        ),
        ("last", evil("d.example.com", "e.example.com")),
        (
            "longer inside",
            evil("a1200.example.com", "a1200.evil.example.com"),
        ),
        ("comment", evil("inner\" ", "inner\"\n")),
        ("shorter", signed[..signed.len() - 1].to_vec()),
        ("cut at a block", signed[..1 << 16].to_vec()),
        ("empty", Vec::new()),
        ("longer", longer),
    ] {
        let stream = verifier().verify_stream(swapped(&signed, &second));
        let stream = stream.expect("the first pass verifies");
        let (ids, error) = drain(stream);
        assert!(all.starts_with(&ids), "{case}");
        assert!(
            error
                .as_ref()
                .is_some_and(|error| error
                    .starts_with("the metadata was changed after verification, from byte")),
            "{case}: {error:?}"
        );
    }
}

#[test]
fn a_verified_stream_buffers_little() {
    let signed = large();
    let mut stream = verifier()
        .verify_stream(|| Ok(&signed[..]))
        .expect("verified");
    let mut most = 0;
    while let Some(entity) = stream.next() {
        entity.expect("an entity");
        most = most.max(stream.memory_bytes());
    }
    assert!(most < 1 << 20, "{most} bytes were buffered");
}

/// A reader that fails after its last byte instead of reporting the end.
struct FailsAtEnd<'a>(&'a [u8]);

impl Read for FailsAtEnd<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self.0.read(to)? {
            0 => Err(io::Error::other("the disk failed")),
            count => Ok(count),
        }
    }
}

#[test]
fn a_stream_that_cannot_be_read_to_its_end_is_refused() {
    let signed = signed_aggregate();
    let error = verifier()
        .verify_stream(|| Ok(FailsAtEnd(signed.as_bytes())))
        .expect_err("the reader fails");
    assert!(matches!(
        error,
        SignedStreamError::Read(StreamError::Io { .. })
    ));
    let error = verifier()
        .verify_stream(|| Err::<&[u8], _>(io::ErrorKind::NotFound.into()))
        .expect_err("the source does not exist");
    assert_eq!(error.to_string(), "the signed metadata cannot be read");
}
