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
fn of_a_long_line_only_the_part_around_is_shown() {
    let xml = change(AWS_SP, &[("HTTP-POST", "HTTP-Artifact")]);
    insta::assert_snapshot!(render(&xml, Profile::AwsIdentityCenterSp));
}

#[test]
fn of_a_line_of_megabytes_the_column_is_still_right() {
    let comment = format!("<!--{}--><md:SPSSO", "x".repeat(100_000));
    let xml = change(
        AWS_SP,
        &[("HTTP-POST", "HTTP-Artifact"), ("<md:SPSSO", &comment)],
    );
    insta::assert_snapshot!(render(&xml, Profile::AwsIdentityCenterSp));
}

#[test]
fn colours_change_nothing_but_the_colour() {
    let document = document(&change(IDP, &[("PT4H", "P1DT")]));
    let findings = validate(&document, Profile::SamlCore, now());
    let plain = Renderer::plain().render(&document, "a.xml", &findings);
    let coloured = Renderer::coloured().render(&document, "a.xml", &findings);
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, behind)) = rest.split_once("\u{1b}[") {
        stripped += before;
        rest = behind.split_once('m').map_or("", |(_, after)| after);
    }
    stripped += rest;
    assert!(coloured.contains('\u{1b}'));
    assert_eq!(stripped, plain);
}

#[test]
fn every_finding_can_be_shown() {
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
