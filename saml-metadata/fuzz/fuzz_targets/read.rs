//! Reading never panics, all positions of a document are consistent, and its text can be read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saml_metadata::{Element, read};

fuzz_target!(|bytes: &[u8]| {
    let document = match read(bytes) {
        Ok(document) => document,
        Err(error) => {
            assert!(error.position().offset <= bytes.len(), "{error}");
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert_eq!(document.bytes(), bytes);
    for element in document.root().descendants() {
        check_element(element);
    }
    for entity in document.entities() {
        let _ = (
            entity.effective_valid_until(),
            entity.effective_cache_duration(),
        );
        for role in entity.roles() {
            for key in role.descriptor().key_descriptors() {
                for certificate in key.certificates() {
                    let _ = certificate.map(|certificate| certificate.fingerprint_sha256());
                }
            }
        }
    }
    let again = read(document.text().as_bytes());
    // A text that was decoded from UTF-16 can declare UTF-16, but is UTF-8 now.
    if document.text().as_bytes() == bytes {
        assert!(again.is_ok());
    }
});

fn check_element(element: Element<'_>) {
    let source = element.source();
    assert!(source.starts_with('<') && source.ends_with('>'));
    assert!(element.qualified_name().ends_with(element.local_name()));
    let span = element.span();
    let inside = element.content_span();
    assert!(span.start <= inside.start && inside.end <= span.end);
    for attribute in element.attributes() {
        assert!(span.start < attribute.span().start && attribute.span().end <= span.end);
        assert!(!attribute.local_name().is_empty());
    }
    assert_eq!(
        element.children().next().is_some() && !element.text().is_empty(),
        false
    );
}
