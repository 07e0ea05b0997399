//! Every readable document can be validated with every profile, and findings point into its text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saml_metadata::{Profile, read, validate};

const PROFILES: [Profile; 4] = [
    Profile::SamlCore,
    Profile::Okta,
    Profile::AwsIdentityCenter,
    Profile::AwsIdentityCenterSp,
];

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = read(bytes) else { return };
    let now = "2026-11-24T12:00:00Z".parse().expect("a time");
    for profile in PROFILES {
        let findings = validate(&document, profile, now);
        let mut last = 0;
        for finding in &findings {
            assert!(finding.span.end <= document.text().len());
            assert!(document.text().get(finding.span.clone()).is_some());
            assert!(last <= finding.span.start, "findings are in document order");
            last = finding.span.start;
            assert_eq!(finding.position, document.position(finding.span.start));
            assert!(finding.path.starts_with('/'));
            assert!(!finding.to_string().contains('\n'));
        }
    }
});
