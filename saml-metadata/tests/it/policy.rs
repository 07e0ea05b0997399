use jiff::SignedDuration;
use saml_metadata::{Policy, Profile, Rule, RuleId, Severity, rules, validate};

use crate::support::{IDP, OKTA, SP, certificate, change, document, now};

fn rule(name: &str) -> &'static Rule {
    rules().find(|rule| rule.id.as_str() == name).expect(name)
}

fn id(name: &str) -> RuleId {
    RuleId::parse(name).expect(name)
}

/// Returns the findings of one rule, each as `severity: message`.
fn found(xml: &str, policy: &Policy, name: &str) -> Vec<String> {
    validate(&document(xml), policy, now())
        .into_iter()
        .filter(|finding| finding.rule.as_str() == name)
        .map(|finding| format!("{}: {}", finding.severity, finding.message))
        .collect()
}

#[test]
fn profiles_and_rules_are_parsed_from_their_names() {
    for profile in Profile::ALL {
        assert_eq!(profile.to_string().parse(), Ok(profile));
    }
    let error = "aws".parse::<Profile>().expect_err("no profile");
    assert_eq!(error.to_string(), "unknown profile name");
    assert_eq!(id("md-aws-01").as_str(), "MD-AWS-01");
    assert_eq!(RuleId::parse("MD-AWS-99"), None);
}

#[test]
fn a_policy_without_changes_equals_its_profile() {
    for profile in Profile::ALL {
        let policy = Policy::new(profile);
        assert_eq!(policy.profile(), profile);
        for rule in rules() {
            assert_eq!(policy.severity_of(rule), rule.severity(profile));
            assert_eq!(policy.minor_severity_of(rule), rule.minor_severity(profile));
        }
        let document = document(IDP);
        assert_eq!(
            validate(&document, profile, now()),
            validate(&document, policy, now())
        );
    }
}

#[test]
fn stricter_profiles_raise_severities() {
    let severity = |name, profile| rule(name).severity(profile);
    for name in ["MD-TIME-03", "MD-EP-03", "MD-SP-02", "MD-SP-03", "MD-UI-02"] {
        assert_eq!(severity(name, Profile::SamlCore), Some(Severity::Warning));
        assert_eq!(severity(name, Profile::Saml2int), Some(Severity::Error));
    }
    for name in ["MD-TIME-03", "MD-TIME-04", "MD-ENT-07", "MD-SP-08"] {
        assert_eq!(severity(name, Profile::SamlCore), Some(Severity::Warning));
        assert_eq!(severity(name, Profile::Edugain), Some(Severity::Error));
    }
    for (name, only) in [
        ("MD-AWS-01", Profile::AwsIdentityCenter),
        ("MD-GCP-01", Profile::GoogleWorkforce),
        ("MD-IAM-01", Profile::AwsIam),
        ("MD-OS-01", Profile::OpenSearch),
    ] {
        for profile in Profile::ALL {
            assert_eq!(severity(name, profile).is_some(), profile == only, "{name}");
        }
    }
    let unregistered = "error: neither the entity nor an enclosing group has a RegistrationInfo";
    let edugain = Policy::new(Profile::Edugain);
    assert_eq!(found(SP, &edugain, "MD-RPI-02"), [unregistered]);
    let no_ui_info = "warning: the role has no UIInfo";
    let saml2int = Policy::new(Profile::Saml2int);
    assert_eq!(found(SP, &saml2int, "MD-UI-02"), [no_ui_info]);
}

#[test]
fn okta_metadata_has_no_errors_in_the_profiles_of_consumers() {
    for profile in [
        Profile::Okta,
        Profile::AwsIdentityCenter,
        Profile::GoogleWorkforce,
        Profile::AwsIam,
        Profile::OpenSearch,
    ] {
        let errors: Vec<String> = validate(&document(OKTA), profile, now())
            .iter()
            .filter(|finding| finding.is_error())
            .map(ToString::to_string)
            .collect();
        assert_eq!(errors, [""; 0], "{profile}");
    }
}

#[test]
fn a_policy_sets_the_severity_of_a_rule_or_turns_it_off() {
    let xml = change(OKTA, &[("use=\"signing\"", "use=\"encryption\"")]);
    let policy = Policy::new(Profile::AwsIdentityCenter);
    let message = "the file has an encryption key";
    assert_eq!(
        found(&xml, &policy, "MD-AWS-03"),
        [format!("warning: {message}")]
    );
    let milder = policy.clone().severity(id("MD-AWS-03"), Severity::Info);
    assert_eq!(
        found(&xml, &milder, "MD-AWS-03"),
        [format!("info: {message}")]
    );
    let off = policy.without(id("MD-AWS-03"));
    assert_eq!(found(&xml, &off, "MD-AWS-03"), [""; 0]);
    // A policy can turn on a consumer's rule in another profile.
    let on = Policy::new(Profile::SamlCore).severity(id("MD-AWS-03"), Severity::Error);
    assert_eq!(found(&xml, &on, "MD-AWS-03"), [format!("error: {message}")]);
}

#[test]
fn a_policy_never_raises_the_severity_of_a_minor_finding() {
    let soon = rule("MD-KEY-05");
    let policy = Policy::new(Profile::AwsIdentityCenter);
    let with = |severity| {
        policy
            .clone()
            .severity(soon.id, severity)
            .minor_severity_of(soon)
    };
    assert_eq!(with(Severity::Error), Some(Severity::Warning));
    assert_eq!(with(Severity::Info), Some(Severity::Info));
    assert_eq!(policy.without(soon.id).minor_severity_of(soon), None);
}

#[test]
fn only_named_registrars_are_accepted() {
    let policy = Policy::new(Profile::Edugain);
    let ours = "https://federation.example.org/";
    let other = policy
        .clone()
        .registration_authority("https://other.example.org/");
    assert_eq!(found(IDP, &policy, "MD-RPI-02"), [""; 0]);
    assert_eq!(
        found(IDP, &other, "MD-RPI-02"),
        [
            "error: the policy does not expect the registrationAuthority \"https://federation.example.org/\""
        ]
    );
    let both = other.registration_authority(ours);
    assert_eq!(found(IDP, &both, "MD-RPI-02"), [""; 0]);
}

#[test]
fn a_policy_sets_periods() {
    let policy = Policy::new(Profile::SamlCore);
    let days = |days: i64| SignedDuration::from_hours(days * 24);
    assert_eq!(found(IDP, &policy, "MD-TIME-04"), [""; 0]);
    let short = policy.clone().max_validity(days(2));
    assert_eq!(
        found(IDP, &short, "MD-TIME-04"),
        ["warning: the metadata is valid for more than 2 days from now"]
    );
    let early = policy.clone().certificate_notice(days(365 * 20));
    assert_eq!(
        found(SP, &early, "MD-KEY-05"),
        ["warning: the certificate expires soon, at 2036-01-01T00:00:00Z"]
    );
    let expired = change(IDP, &[("2026-12-01T00:00:00Z", "2026-11-24T11:00:00Z")]);
    assert_eq!(found(&expired, &policy, "MD-TIME-02").len(), 1);
    let patient = policy.clock_skew(SignedDuration::from_hours(2));
    assert_eq!(found(&expired, &patient, "MD-TIME-02"), [""; 0]);
}

#[test]
fn edugain_allows_a_validity_of_four_weeks() {
    let four_weeks = change(IDP, &[("2026-12-01T00:00:00Z", "2026-12-22T11:00:00Z")]);
    let core = Policy::new(Profile::SamlCore);
    let edugain = Policy::new(Profile::Edugain);
    assert_eq!(found(&four_weeks, &core, "MD-TIME-04").len(), 1);
    assert_eq!(found(&four_weeks, &edugain, "MD-TIME-04"), [""; 0]);
}

#[test]
fn a_policy_adds_known_namespaces() {
    let xml = change(
        IDP,
        &[("<md:Extensions>", "<md:Extensions><x:y xmlns:x='urn:x'/>")],
    );
    let policy = Policy::new(Profile::SamlCore);
    assert_eq!(found(&xml, &policy, "MD-ROOT-08").len(), 1);
    assert_eq!(
        found(&xml, &policy.namespace("urn:x"), "MD-ROOT-08"),
        [""; 0]
    );
}

#[test]
fn a_published_private_key_is_reported() {
    let first = &key_digest();
    let policy = Policy::new(Profile::SamlCore);
    assert_eq!(found(SP, &policy, "MD-KEY-07"), [""; 0]);
    assert_eq!(
        found(SP, &policy.published_key(first), "MD-KEY-07"),
        ["warning: the private key is publicly known"]
    );
}

/// Returns the digest of the service provider's key in the format of admin consoles.
fn key_digest() -> String {
    use sha2::{Digest as _, Sha256};

    let certificate =
        saml_metadata::Certificate::from_base64(&certificate("p256")).expect("a certificate");
    let digest = Sha256::digest(certificate.public_key_der());
    let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

#[test]
fn findings_over_the_limit_per_rule_are_only_counted() {
    let attribute = "<md:RequestedAttribute Name=\"urn:oid:2.5.4.42\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\"/>";
    let many = "<md:RequestedAttribute Name=\"urn:oid:2.5.4.42\"/>".repeat(150);
    let xml = change(SP, &[(attribute, &many)]);
    let policy = Policy::new(Profile::SamlCore);
    let all = found(&xml, &policy, "MD-SP-07");
    assert_eq!(all.len(), 101);
    assert_eq!(
        all[100],
        "warning: 50 more findings of this rule, starting here"
    );
    let few = policy.clone().findings_per_rule(1);
    assert_eq!(
        found(&xml, &few, "MD-SP-07"),
        [
            "warning: the attribute \"urn:oid:2.5.4.42\" has no NameFormat",
            "warning: 149 more findings of this rule, starting here",
        ]
    );
    let unlimited = policy.findings_per_rule(usize::MAX);
    assert_eq!(found(&xml, &unlimited, "MD-SP-07").len(), 150);
}

#[test]
fn a_count_keeps_the_severity_of_unlisted_errors() {
    // The minor finding comes first, so that the error is only counted.
    let xml = change(
        IDP,
        &[
            ("2026-12-01T00:00:00Z", "2026-12-01T00:00:00+00:00"),
            ("PT4H", "P1DT"),
        ],
    );
    let policy = Policy::new(Profile::SamlCore).findings_per_rule(1);
    assert_eq!(
        found(&xml, &policy, "MD-TIME-01"),
        [
            "warning: validUntil is not in UTC (it must end with Z)",
            "error: 1 more finding of this rule, starting here",
        ]
    );
    // Neither finding is listed. The count has the severity of the more severe one.
    let none = policy.findings_per_rule(0);
    assert_eq!(
        found(&xml, &none, "MD-TIME-01"),
        ["error: 2 more findings of this rule, starting here"]
    );
}
