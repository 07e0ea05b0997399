//! Canonicalization is idempotent, and a stream has the same canonical form as the whole document.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saml_metadata::{
    c14n::{C14nStreamError, Method},
    read,
};

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = read(bytes) else { return };
    for method in [
        Method::exclusive(),
        Method::exclusive().comments(true),
        Method::exclusive().prefixes(["md", "#default"]),
        Method::inclusive(),
        Method::inclusive().comments(true),
    ] {
        let form = method.document(&document);
        let mut streamed = Vec::new();
        match (&form, method.stream(bytes, &mut streamed)) {
            (Ok(form), Ok(())) => assert_eq!(*form, streamed, "{method:?}"),
            (Err(error), Err(C14nStreamError::NoCanonicalForm { source, .. })) => {
                // The offsets differ for UTF-16: the stream counts bytes of the input.
                assert_eq!(error.to_string(), source.to_string());
            }
            // A stream accepts only metadata.
            (_, Err(C14nStreamError::Read(_))) => {}
            (form, streamed) => panic!("document: {form:?}, stream: {streamed:?}"),
        }
        let Ok(form) = form else { continue };
        let again = read(&form).expect("a canonical form is well-formed");
        assert_eq!(method.document(&again).as_ref(), Ok(&form), "{method:?}");
    }
});
