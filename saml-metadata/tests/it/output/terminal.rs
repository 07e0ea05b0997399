use saml_metadata::{Profile, Renderer, validate};

use crate::support::{ALL, AWS_SP, IDP, change, document, now};

fn render(xml: &str, profile: Profile) -> String {
    let document = document(xml);
    let findings = validate(&document, profile, now());
    Renderer::plain().render(&document, "metadata.xml", &findings)
}

#[test]
fn a_finding_points_into_the_source() {
    let xml = change(
        IDP,
        &[("<md:GivenName>Ada</md:GivenName>", "<md:GivenName/>")],
    );
    insta::assert_snapshot!(render(&xml, Profile::SamlCore));
}

#[test]
fn a_long_line_is_shortened_around_the_finding() {
    let xml = change(AWS_SP, &[("HTTP-POST", "HTTP-Artifact")]);
    insta::assert_snapshot!(render(&xml, Profile::AwsIdentityCenterSp));
}

#[test]
fn the_column_is_correct_in_a_very_long_line() {
    let comment = format!("<!--{}--><md:SPSSO", "x".repeat(100_000));
    let xml = change(
        AWS_SP,
        &[("HTTP-POST", "HTTP-Artifact"), ("<md:SPSSO", &comment)],
    );
    insta::assert_snapshot!(render(&xml, Profile::AwsIdentityCenterSp));
}

#[test]
fn colours_do_not_change_the_text() {
    let document = document(&change(IDP, &[("PT4H", "P1DT")]));
    let findings = validate(&document, Profile::SamlCore, now());
    let plain = Renderer::plain().render(&document, "a.xml", &findings);
    let colored = Renderer::colored().render(&document, "a.xml", &findings);
    let mut stripped = String::new();
    let mut rest = colored.as_str();
    while let Some((before, escape)) = rest.split_once("\u{1b}[") {
        stripped += before;
        rest = escape.split_once('m').map_or("", |(_, after)| after);
    }
    stripped += rest;
    assert!(colored.contains('\u{1b}'));
    assert_eq!(stripped, plain);
}

#[test]
fn every_finding_is_rendered() {
    for (_, xml) in ALL {
        for profile in Profile::ALL {
            for changed in [xml.to_owned(), xml.replace('\n', "é")] {
                let Ok(document) = saml_metadata::read(changed.as_bytes()) else {
                    continue;
                };
                for finding in &validate(&document, profile, now()) {
                    let text = Renderer::plain()
                        .width(80)
                        .render(&document, "a.xml", [finding]);
                    let title = format!("[{}]: {}", finding.rule, finding.message);
                    assert!(text.contains(&title), "{text}");
                    assert!(text.contains(finding.help.split(' ').next().unwrap_or_default()));
                }
            }
        }
    }
}
