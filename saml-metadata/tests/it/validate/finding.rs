use saml_metadata::{Finding, Profile, Severity, read, rules, validate};

use crate::support::{
    ALL, AWS_SP, AWS_SP_CLASSIC, AWS_SP_REGIONS, IDP, OKTA, SP, change, document, now,
};

fn findings(xml: &str, profile: Profile) -> Vec<String> {
    validate(&document(xml), profile, now())
        .iter()
        .map(Finding::to_string)
        .collect()
}

#[test]
fn valid_documents_have_no_findings() {
    assert_eq!(findings(IDP, Profile::SamlCore), [""; 0]);
    assert_eq!(findings(SP, Profile::SamlCore), [""; 0]);
    assert_eq!(findings(AWS_SP, Profile::AwsIdentityCenterSp), [""; 0]);
    assert_eq!(
        findings(AWS_SP_REGIONS, Profile::AwsIdentityCenterSp),
        [""; 0]
    );
}

#[test]
fn okta_metadata_has_no_errors_for_aws() {
    let size = "line 1, column 382: info MD-KEY-06: the key is RSA with 2048 bits";
    assert_eq!(findings(OKTA, Profile::Okta), [size]);
    assert_eq!(findings(OKTA, Profile::AwsIdentityCenter), [size]);
}

#[test]
fn metadata_of_older_instances_gets_only_a_warning() {
    assert_eq!(
        findings(AWS_SP_CLASSIC, Profile::AwsIdentityCenterSp),
        ["line 1, column 186: warning MD-AWSSP-02: every ACS URL has the classic form"]
    );
}

#[test]
fn swapped_idp_and_sp_files_are_errors() {
    let errors = |xml: &str, profile| {
        let findings = validate(&document(xml), profile, now());
        findings
            .iter()
            .filter(|finding| finding.is_error())
            .map(|finding| finding.message.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        errors(AWS_SP, Profile::AwsIdentityCenter),
        ["the file describes a service provider, not an identity provider"]
    );
    assert_eq!(
        errors(AWS_SP, Profile::Okta),
        ["the file describes no identity provider"]
    );
    assert_eq!(
        errors(OKTA, Profile::AwsIdentityCenterSp),
        [
            "the file describes an identity provider, not a service provider",
            "the entityID is not https"
        ]
    );
}

#[test]
fn a_finding_has_a_position_a_message_a_clause_and_help() {
    let xml = change(
        SP,
        &[(
            "\n    <md:AssertionConsumerService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"https://sp.example.com/acs/2\"",
            "\n    <md:AssertionConsumerService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"javascript:alert(1)\"",
        )],
    );
    let document = document(&xml);
    let findings = validate(&document, Profile::SamlCore, now());
    let [finding] = &findings[..] else {
        panic!("{findings:?}");
    };
    assert_eq!(finding.rule.as_str(), "MD-EP-02");
    assert_eq!(finding.severity, Severity::Error);
    assert!(finding.is_error());
    assert_eq!(
        finding.path,
        "/md:EntityDescriptor/md:SPSSODescriptor/md:AssertionConsumerService[2]/@Location"
    );
    assert_eq!(
        &document.text()[finding.span.clone()],
        "Location=\"javascript:alert(1)\""
    );
    assert_eq!(finding.line(), 29);
    assert_eq!(finding.clause, "saml-bindings-2.0-os 3; CVE-2023-45683");
    assert_eq!(
        finding.help,
        "Do not use this metadata: a browser that is sent to such a URL may run a script or read a file."
    );
    assert_eq!(
        finding.to_string(),
        "line 29, column 91: error MD-EP-02: Location of AssertionConsumerService has the scheme javascript"
    );
}

#[test]
fn findings_are_in_document_order() {
    for (name, xml) in ALL {
        for original in [
            "urn:oasis:names:tc:SAML:2.0:bindings:",
            "https://",
            "xml:lang",
            "index=",
        ] {
            let Ok(document) = read(xml.replace(original, "x").as_bytes()) else {
                continue;
            };
            let findings = validate(&document, Profile::SamlCore, now());
            assert!(
                findings.is_sorted_by_key(|finding| finding.span.start),
                "{name}"
            );
        }
    }
}

#[test]
fn the_caller_sets_the_current_time() {
    let document = document(IDP);
    let later = "2040-01-01T00:00:00Z".parse().expect("a time");
    let rules: Vec<&str> = validate(&document, Profile::SamlCore, later)
        .iter()
        .map(|finding| finding.rule.as_str())
        .collect();
    assert_eq!(rules, ["MD-TIME-02", "MD-KEY-05", "MD-KEY-05"]);
}

#[test]
fn the_severity_of_a_rule_depends_on_the_profile() {
    let rule = |id: &str| rules().find(|rule| rule.id.as_str() == id).expect("a rule");
    let expired = rule("MD-KEY-05");
    assert_eq!(expired.severity(Profile::SamlCore), Some(Severity::Warning));
    assert_eq!(
        expired.severity(Profile::AwsIdentityCenter),
        Some(Severity::Error)
    );
    assert_eq!(
        expired.minor_severity(Profile::AwsIdentityCenter),
        Some(Severity::Warning)
    );
    assert_eq!(rule("MD-AWS-03").severity(Profile::SamlCore), None);
    assert!(Severity::Error > Severity::Warning && Severity::Warning > Severity::Info);
}
