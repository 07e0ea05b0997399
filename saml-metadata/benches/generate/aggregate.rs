//! Generates schema-valid aggregates of any size with mixed entities, like those of a federation.
//!
//! The entities are copies of the crate's fixtures, in turn, with unique names: identity providers
//! and service providers with all elements that a federation requires, metadata of Okta, and
//! metadata of IAM Identity Center. Some entities declare their namespaces themselves, others use
//! the declarations of the group. There are elliptic-curve keys and RSA keys, and texts with
//! references and in several scripts.

use std::io::{self, Write};

const IDP: &str = include_str!("../../tests/fixtures/idp.xml");
const SP: &str = include_str!("../../tests/fixtures/sp.xml");
const OKTA: &str = include_str!("../../tests/fixtures/okta.xml");
const AWS_SP: &str = include_str!("../../tests/fixtures/aws-sp.xml");
const RSA_2048: &str = include_str!("../../tests/fixtures/certificates/rsa2048.pem");
const RSA_3072: &str = include_str!("../../tests/fixtures/certificates/rsa3072.pem");

/// Placeholder in a template for the number of the entity.
const NUMBER: char = '\u{1}';

const START: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"
    xmlns:ds="http://www.w3.org/2000/09/xmldsig#"
    xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"
    xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui"
    xmlns:mdrpi="urn:oasis:names:tc:SAML:metadata:rpi"
    xmlns:mdattr="urn:oasis:names:tc:SAML:metadata:attribute"
    xmlns:alg="urn:oasis:names:tc:SAML:metadata:algsupport"
    xmlns:shibmd="urn:mace:shibboleth:metadata:1.0"
    xmlns:idpdisc="urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol"
    Name="https://federation.example.org/all" validUntil="2026-12-01T00:00:00Z">
"#;
const END: &str = "</md:EntitiesDescriptor>\n";

/// Writes an aggregate of at least `bytes` bytes, in whole entities, and returns their number.
pub(crate) fn write(bytes: usize, to: &mut impl Write) -> io::Result<usize> {
    let templates = templates();
    to.write_all(START.as_bytes())?;
    let mut written = START.len() + END.len();
    let mut entities = 0;
    // A group without entities would be invalid.
    while entities == 0 || written < bytes {
        let number = format!("{entities:08}");
        for part in templates[entities % templates.len()].split_inclusive(NUMBER) {
            let fixed = part.trim_end_matches(NUMBER);
            to.write_all(fixed.as_bytes())?;
            written += fixed.len();
            if part.len() > fixed.len() {
                to.write_all(number.as_bytes())?;
                written += number.len();
            }
        }
        entities += 1;
    }
    to.write_all(END.as_bytes())?;
    Ok(entities)
}

fn templates() -> Vec<String> {
    let number = NUMBER.to_string();
    let host = format!("n{number}.example.com");
    let entity = |text: &str| {
        let start = text.find("<md:EntityDescriptor").expect("an entity");
        let mut text = text[start..].trim_end().to_owned() + "\n";
        text = text.replace("example.com", &host);
        text.replace("\"_idp\"", &format!("\"_{number}\""))
    };
    let idp = entity(IDP).replace(
        "Example login</mdui:DisplayName>",
        &format!(
            "Example login {number}</mdui:DisplayName>\n        \
             <mdui:DisplayName xml:lang=\"ja\">大学のログイン {number}</mdui:DisplayName>\n        \
             <mdui:DisplayName xml:lang=\"de\">Anmeldung f&#xfc;r Forschung &amp; Lehre</mdui:DisplayName>"
        ),
    );
    let sp = entity(SP);
    let okta = entity(OKTA).replace("exk4uqa1b2C3", &format!("exk{number}"));
    let aws = entity(AWS_SP).replace("d-9067012345", &format!("d-90{number}"));
    let comment = "<!-- Registered by the federation -->\n";
    vec![
        idp.clone(),
        with_key(&without_declarations(&sp), RSA_2048),
        with_key(&sp, RSA_3072),
        okta,
        format!(
            "{comment}{}",
            with_key(&without_declarations(&idp), RSA_2048)
        ),
        without_declarations(&sp),
        with_key(&idp, RSA_3072),
        format!("{comment}{aws}"),
        with_key(&sp, RSA_2048),
        with_key(&without_declarations(&idp), RSA_2048),
    ]
}

/// Removes the namespace declarations from an entity's start tag; the group has the same ones.
fn without_declarations(entity: &str) -> String {
    let (start, rest) = entity.split_at(entity.find('>').expect("a start tag"));
    let parts = start.split_inclusive(char::is_whitespace);
    let kept: String = parts.filter(|part| !part.starts_with("xmlns:")).collect();
    kept + rest
}

/// Replaces the first certificate of an entity.
fn with_key(entity: &str, pem: &str) -> String {
    const TAG: &str = "<ds:X509Certificate>";
    let start = entity.find(TAG).expect("a certificate") + TAG.len();
    let end = start + entity[start..].find('<').expect("an end tag");
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    let key: String = lines.flat_map(|line| ["\n", line]).collect();
    format!("{}{key}\n          {}", &entity[..start], &entity[end..])
}
