//! A signed stream returns the same entities as the signed document, or fails for the same reason. Each
//! element of any SAML document is verified by itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saml_metadata::{
    Limits, read,
    signature::{SignedStreamError, Verifier, VerifyingKey},
};

const KEY: &str = include_str!("../../tests/fixtures/signature/rsa.cert.pem");

fuzz_target!(|input: (bool, &[u8])| {
    let (any_place, bytes) = input;
    let mut verifier = Verifier::new([VerifyingKey::from_pem(KEY).expect("a key")]);
    if any_place {
        verifier = verifier.allow_any_position();
    }
    let streamed = verifier.verify_stream_with(&Limits::default(), || Ok(bytes));
    let Ok(document) = read(bytes) else {
        assert!(matches!(streamed, Err(SignedStreamError::Read(_))));
        return;
    };
    for element in document.root().descendants().take(100) {
        if let Ok(verified) = verifier.verify_element(element) {
            assert_eq!(verified.element().span(), element.span());
        }
    }
    match (verifier.verify(&document), streamed) {
        (Ok(found), Ok(stream)) => {
            let streamed: Vec<_> = stream.map(|entity| entity.expect("verified")).collect();
            let whole = found.entities().map(|entity| entity.element().source());
            assert!(whole.eq(streamed.iter().map(|e| e.entity().element().source())));
        }
        (Err(whole), Err(SignedStreamError::Rejected(streamed))) => {
            assert_eq!(whole.kind().to_string(), streamed.kind().to_string());
            assert_eq!(whole.position(), streamed.position());
        }
        // A stream accepts only metadata.
        (_, Err(SignedStreamError::Read(_))) => {}
        (whole, streamed) => panic!("document: {whole:?}, stream: {streamed:?}"),
    }
});
