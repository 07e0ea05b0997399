//! The verdict of each consumer on a file, with its source.

use saml_metadata::{
    Finding,
    Profile::{AwsIam, AwsIdentityCenter, GoogleWorkforce, OpenSearch},
    Severity, read, validate,
};

use crate::support::{AGGREGATE, AWS_SP, OKTA, certificate, change};

/// A file, the verdict of each consumer and the source of the verdict.
struct Row {
    name: &'static str,
    file: Vec<u8>,
    /// One letter for each of [`CONSUMERS`]: `E` if the consumer refuses the file or no user can
    /// sign in, `w` if there is a warning, `.` if there is none.
    verdicts: &'static str,
    source: &'static str,
}

const CONSUMERS: [saml_metadata::Profile; 4] =
    [AwsIdentityCenter, AwsIam, OpenSearch, GoogleWorkforce];

const IIC: &str =
    "IAM Identity Center user guide, external identity providers and rotation of certificates";
const GCP: &str = "Google Cloud IAM API v1, Saml.idpMetadataXml; IAM Identity Center user guide";
const OS: &str = "Amazon OpenSearch Service API reference, SAMLIdp";
const BROWSER: &str =
    "saml-profiles-2.0-os 4.1.3: sign-in starts with a request by HTTP-Redirect or HTTP-POST";
const URL: &str = "RFC 3986, RFC 9110: no browser opens the URL; aws-samples/appmod-blueprints#777";
const UNREAD: &str =
    "the part belongs to another role or to people; consumers of AD FS files take them";
const SCHEMA: &str = "saml-schema-metadata-2.0.xsd: not metadata in this form";
const UNVERIFIED: &str = "docs/UNVERIFIED.md: no document says that the consumer refuses it";

const POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";

fn row(
    name: &'static str,
    verdicts: &'static str,
    source: &'static str,
    file: impl Into<Vec<u8>>,
) -> Row {
    Row {
        name,
        file: file.into(),
        verdicts,
        source,
    }
}

/// Returns the file of Okta with changes.
fn okta(changes: &[(&str, &str)]) -> String {
    change(OKTA, changes)
}

/// Returns a part of the file of Okta.
fn part(from: &str, to: &str) -> &'static str {
    let start = OKTA.find(from).expect("a match");
    &OKTA[start..start + OKTA[start..].find(to).expect("a match")]
}

/// Returns the file of Okta with other keys, given as their uses and the names of their files.
fn keys(keys: &[(&str, &str)]) -> String {
    let texts: Vec<(String, String)> = keys
        .iter()
        .map(|(use_, name)| ((*use_).to_owned(), certificate(name)))
        .collect();
    texts_of_keys(&texts)
}

fn texts_of_keys(keys: &[(String, String)]) -> String {
    let keys: Vec<String> = keys
        .iter()
        .map(|(use_, text)| {
            format!(
                "<md:KeyDescriptor use='{use_}'><ds:KeyInfo xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:X509Data><ds:X509Certificate>{text}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
            )
        })
        .collect();
    okta(&[(
        part("<md:KeyDescriptor", "<md:NameIDFormat"),
        &keys.concat(),
    )])
}

/// Returns the file of Okta with this text as its certificate.
fn with_certificate(text: String) -> String {
    texts_of_keys(&[("signing".to_owned(), text)])
}

/// Returns the file of Okta with all sign-in URLs replaced.
fn at(url: &str) -> String {
    let services = part("<md:SingleSignOnService", "</md:IDPSSO");
    let new: String = [POST, REDIRECT]
        .map(|binding| format!("<md:SingleSignOnService Binding='{binding}' Location='{url}'/>"))
        .concat();
    okta(&[(services, &new)])
}

fn padded(characters: usize) -> String {
    format!(
        "{OKTA}<!--{}-->",
        "x".repeat(characters - 7 - OKTA.chars().count())
    )
}

/// Returns the file of Okta with more elements behind its identity provider.
fn behind(elements: &str) -> String {
    okta(&[(
        "</md:IDPSSODescriptor>",
        &format!("</md:IDPSSODescriptor>{elements}"),
    )])
}

fn in_group(start: &str, entities: &str) -> String {
    format!(
        "<md:EntitiesDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata'{start}>{entities}</md:EntitiesDescriptor>"
    )
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

const AD_FS: &str = "<md:SPSSODescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol' WantAssertionsSigned='true'><md:AssertionConsumerService index='0' isDefault='true' Binding='urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST' Location='https://adfs.example.com/adfs/ls/'/><md:AssertionConsumerService index='1' Binding='urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect' Location='https://adfs.example.com/adfs/ls/'/></md:SPSSODescriptor><md:ContactPerson contactType='support'><md:GivenName/></md:ContactPerson>";

fn endpoints(rows: &mut Vec<Row>) {
    let services = part("<md:SingleSignOnService", "</md:IDPSSO");
    let first = part("<md:SingleSignOnService", "/>").len() + 2;
    let (one, other) = services.split_at(first);
    let logout = "<md:SingleLogoutService Binding='urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST' Location='https://{tenant}/slo'/><md:NameIDFormat>";
    let artifact = "<md:ArtifactResolutionService index='0' Binding='urn:oasis:names:tc:SAML:2.0:bindings:SOAP' Location='https://'/><md:NameIDFormat>";
    let old = "<md:SingleSignOnService Binding='urn:mace:shibboleth:1.0:profiles:AuthnRequest' Location='https://acme.okta.com/old'/></md:IDPSSODescriptor>";
    rows.extend([
        row("only HTTP-POST", "....", BROWSER, okta(&[(other, "")])),
        row("only HTTP-Redirect", "....", BROWSER, okta(&[(one, "")])),
        row(
            "only SOAP",
            "EwEE",
            BROWSER,
            okta(&[(other, ""), ("bindings:HTTP-POST", "bindings:SOAP")]),
        ),
        row(
            "only HTTP-Artifact",
            "EwEE",
            BROWSER,
            okta(&[
                (other, ""),
                ("bindings:HTTP-POST", "bindings:HTTP-Artifact"),
            ]),
        ),
        row(
            "no SingleSignOnService",
            "EwEE",
            BROWSER,
            okta(&[(services, "")]),
        ),
        row(
            "a placeholder as host",
            "EEEE",
            URL,
            at("https://{tenant}.okta.com/sso"),
        ),
        row(
            "a placeholder in the path",
            "EEEE",
            URL,
            at("https://acme.okta.com/app/{app}/sso"),
        ),
        row(
            "a host in angle brackets",
            "EEEE",
            URL,
            at("https://&lt;host>/sso"),
        ),
        row("no host", "EEEE", URL, at("https://")),
        row("no slashes", "EEEE", URL, at("https:acme.okta.com/sso")),
        row(
            "one slash, as from Keycloak without a host",
            "EEEE",
            URL,
            at("https:/keycloak/realms/a"),
        ),
        row(
            "port 99999",
            "EEEE",
            URL,
            at("https://acme.okta.com:99999/sso"),
        ),
        row("a relative URL", "EEEE", URL, at("/sso")),
        row(
            "the scheme javascript",
            "EEEE",
            "CVE-2023-45683",
            at("javascript:alert(1)"),
        ),
        row(
            "the scheme in upper case",
            "....",
            "RFC 3986 3.1",
            at("HTTPS://acme.okta.com/sso"),
        ),
        row("http", "w...", UNVERIFIED, at("http://acme.okta.com/sso")),
        row(
            "a placeholder for logout",
            "EEEE",
            URL,
            okta(&[("<md:NameIDFormat>", logout)]),
        ),
        row(
            "no host for artifacts, which only programs resolve",
            "wwww",
            BROWSER,
            okta(&[("<md:NameIDFormat>", artifact)]),
        ),
        row(
            "an endpoint of an older protocol",
            "wwww",
            BROWSER,
            okta(&[("</md:IDPSSODescriptor>", old)]),
        ),
    ]);
}

fn certificates(rows: &mut Vec<Row>) {
    let signing = |name| ("signing", name);
    rows.extend([
        row(
            "an expired certificate",
            "EwwE",
            GCP,
            keys(&[signing("expired")]),
        ),
        row(
            "an expired certificate beside a valid one",
            "wwww",
            GCP,
            keys(&[signing("rsa2048"), signing("expired")]),
        ),
        row(
            "a valid certificate behind an expired one",
            "wwww",
            GCP,
            keys(&[signing("expired"), signing("rsa2048")]),
        ),
        row(
            "a certificate that starts in five weeks",
            "EwwE",
            GCP,
            keys(&[signing("future")]),
        ),
        row(
            "the same beside a valid one",
            "wwwE",
            GCP,
            keys(&[signing("rsa2048"), signing("future")]),
        ),
        row("no certificate", "EEEE", IIC, keys(&[])),
        row(
            "only an encryption key",
            "EEEE",
            IIC,
            keys(&[("encryption", "rsa2048")]),
        ),
        row(
            "an encryption key beside the signing key",
            "w...",
            UNVERIFIED,
            keys(&[signing("rsa2048"), ("encryption", "p256-encryption")]),
        ),
        row(
            "an encryption key without its algorithm, whose certificate cannot be read",
            "wwww",
            UNREAD,
            keys(&[signing("rsa2048"), ("encryption", "p256-encryption")]).replacen(
                "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:NameIDFormat",
                "*</ds:X509Certificate></ds:X509Data></ds:KeyInfo><md:EncryptionMethod/></md:KeyDescriptor><md:NameIDFormat",
                1,
            ),
        ),
        row(
            "an expired encryption key",
            "wwww",
            GCP,
            keys(&[signing("rsa2048"), ("encryption", "expired")]),
        ),
        row(
            "four signing keys",
            "...E",
            GCP,
            keys(&["rsa2048", "rsa2048-next", "rsa3072", "p256"].map(signing)),
        ),
        row(
            "RSA with 1024 bits",
            "wwww",
            UNVERIFIED,
            keys(&[signing("rsa1024")]),
        ),
        row(
            "a key usage without signatures",
            "wwww",
            UNVERIFIED,
            keys(&[signing("wrapping")]),
        ),
        ]);
}

fn texts_of_certificates(rows: &mut Vec<Row>) {
    let base64 = certificate("rsa2048");
    rows.extend([
        row(
            "PEM armour",
            "EEEE",
            SCHEMA,
            with_certificate(format!(
                "-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----"
            )),
        ),
        row(
            "a zero width space",
            "EEEE",
            SCHEMA,
            with_certificate(format!("\u{200b}{base64}")),
        ),
        row(
            "two certificates in one element",
            "EEEE",
            SCHEMA,
            with_certificate(base64.clone() + &base64),
        ),
        row(
            "the text of OpenSSL",
            "EEEE",
            SCHEMA,
            with_certificate(format!("subject=CN = a\n{base64}")),
        ),
    ]);
}

fn documents(rows: &mut Vec<Row>) {
    let entity = &OKTA[OKTA.find("<md:EntityDescriptor").expect("a match")..];
    let id = "entityID=\"http://www.okta.com/exk4uqa1b2C3d4E5f6g7\"";
    let untyped = "<md:RoleDescriptor protocolSupportEnumeration='urn:x'/>";
    let logo = "><md:Extensions><mdui:UIInfo xmlns:mdui='urn:oasis:names:tc:SAML:metadata:ui'><mdui:Logo>logo.png</mdui:Logo></mdui:UIInfo></md:Extensions><md:KeyDescriptor use=\"signing\">";
    let role = part("<md:IDPSSODescriptor", "><md:KeyDescriptor");
    let email = "nameid-format:emailAddress";
    let bom = "hashicorp/terraform-provider-aws#36052 and #40152; MicrosoftDocs/azure-docs#65434";
    let latin1 = OKTA.replace("UTF-8", "ISO-8859-1");
    rows.extend([
        row("the file of Okta", "....", "Okta's and AWS's guides", OKTA),
        row("a byte order mark", "wwEw", bom, format!("\u{feff}{OKTA}")),
        row("UTF-16", "wwww", UNVERIFIED, utf16(&OKTA.replace("UTF-8", "UTF-16"))),
        row("UTF-16 that says UTF-8", "EEEE", "XML 1.0 4.3.3", utf16(OKTA)),
        row("the encoding utf8", "wwww", "XML 1.0 4.3.3; IANA character sets", OKTA.replace("UTF-8", "utf8")),
        row("ISO-8859-1 with ASCII characters only", "wwww", "XML 1.0 4.3.3", latin1),
        row("a DOCTYPE", "EEEE", "Kantara IIP-G03", okta(&[("<md:EntityDescriptor", "<!DOCTYPE a><md:EntityDescriptor")])),
        row("no namespace", "EEEE", SCHEMA, okta(&[("urn:oasis:names:tc:SAML:2.0:metadata", "urn:x")])),
        row("text between elements, as copied from a browser", "EEEE", SCHEMA, okta(&[("<md:IDPSSO", "-<md:IDPSSO")])),
        row("no entityID", "EEEE", IIC, okta(&[(id, "")])),
        row("an entityID that is no URI", "wwww", UNVERIFIED, okta(&[(id, "entityID='acme-idp'")])),
        row("an entityID of 7 characters", "..E.", OS, okta(&[(id, "entityID='urn:abc'")])),
        row("an ID that starts with a digit, as from authentik", "wwww", UNVERIFIED, okta(&[(id, &format!("ID='1a' {id}"))])),
        row("expired metadata", "EEEE", "saml-metadata-2.0-os 2.3.2", okta(&[(id, &format!("validUntil='2026-01-01T00:00:00Z' {id}"))])),
        row("one entity inside a group, as from Keycloak", "E...", IIC, in_group(" Name='urn:keycloak'", entity)),
        row("two entities", "EEEE", IIC, in_group(" Name='a'", &(entity.to_owned() + &entity.replacen("exk4", "exk5", 1)))),
        row("a federation", "EEEE", IIC, AGGREGATE),
        row("service provider metadata", "EEEE", IIC, AWS_SP),
        row("75,001 characters", "E...", IIC, padded(75_001)),
        row("131,073 characters", "E..E", GCP, padded(131_073)),
        row("1,048,577 characters", "E.EE", OS, padded(1_048_577)),
        row("no NameID format emailAddress", "w...", UNVERIFIED, okta(&[(email, "nameid-format:X509SubjectName")])),
        row("the roles of AD FS", "wwww", UNREAD, behind(AD_FS)),
        row("a role without a type", "wwww", UNREAD, behind(untyped)),
        row("an organization without a URL", "wwww", UNREAD, behind("<md:Organization><md:OrganizationName xml:lang='en'>A</md:OrganizationName></md:Organization>")),
        row("a logo without a size", "wwww", UNREAD, okta(&[(&format!("{role}><md:KeyDescriptor use=\"signing\">"), &format!("{role}{logo}"))])),
    ]);
}

#[test]
fn an_error_means_that_the_consumer_refuses_the_file_or_that_no_user_can_sign_in() {
    let mut rows = Vec::new();
    documents(&mut rows);
    endpoints(&mut rows);
    certificates(&mut rows);
    texts_of_certificates(&mut rows);
    assert!(rows.len() >= 60, "{} rows", rows.len());
    let mut wrong = Vec::new();
    for row in rows {
        let found = CONSUMERS.map(|consumer| match read(&row.file) {
            Err(error) => vec![(Severity::Error, error.to_string())],
            Ok(document) => validate(&document, consumer, crate::support::now())
                .iter()
                .map(|finding: &Finding| (finding.severity, finding.to_string()))
                .collect(),
        });
        let verdicts: String = found
            .iter()
            .map(
                |findings| match findings.iter().map(|(severity, _)| *severity).max() {
                    Some(Severity::Error) => 'E',
                    Some(Severity::Warning) => 'w',
                    _ => '.',
                },
            )
            .collect();
        if verdicts != row.verdicts {
            let (name, expected, source) = (row.name, row.verdicts, row.source);
            wrong.push(format!(
                "{name}: {verdicts}, not {expected} ({source}): {found:#?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn google_accepts_a_certificate_that_starts_within_seven_days() {
    let document = read(keys(&[("signing", "future")]).as_bytes()).expect("a document");
    for (now, is_accepted) in [
        ("2026-12-26T00:00:00Z", true),
        ("2026-12-24T00:00:00Z", false),
    ] {
        let findings = validate(&document, GoogleWorkforce, now.parse().expect("a time"));
        assert_eq!(
            !findings.iter().any(Finding::is_error),
            is_accepted,
            "{findings:#?}"
        );
    }
}
