//! A stream returns the entities of the whole document, and fails if reading the document fails.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saml_metadata::{EntityStream, read};

fuzz_target!(|bytes: &[u8]| {
    let streamed: Result<Vec<_>, _> = EntityStream::new(bytes).collect();
    let Ok(document) = read(bytes) else {
        assert!(
            streamed.is_err(),
            "the stream accepted an unreadable document"
        );
        return;
    };
    let Ok(streamed) = streamed else { return };
    let whole: Vec<_> = document
        .entities()
        .map(|e| e.entity_id().to_owned())
        .collect();
    let one_by_one: Vec<_> = streamed
        .iter()
        .map(|e| e.entity().entity_id().to_owned())
        .collect();
    assert_eq!(whole, one_by_one);
});
