//! The form of a form is the form, and a stream has that of the whole document.
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
                // Places in UTF-16 are counted in bytes by the stream only.
                assert_eq!(error.to_string(), source.to_string());
            }
            // A stream is of metadata only.
            (_, Err(C14nStreamError::Read(_))) => {}
            (form, streamed) => panic!("{form:?}, {streamed:?} of a stream"),
        }
        let Ok(form) = form else { continue };
        let again = read(&form).expect("a canonical form is well-formed");
        assert_eq!(method.document(&again).as_ref(), Ok(&form), "{method:?}");
    }
});
