//! The metadata of an identity provider, limited to the parts that Identity Center reads.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

/// The external identity provider.
#[derive(Clone, Debug)]
pub(crate) struct IdentityProvider {
    /// The entity id, which is the issuer of the assertions.
    pub(crate) entity_id: String,
    /// The certificates that may sign its assertions, in DER format.
    pub(crate) certificates: Vec<Vec<u8>>,
}

/// "The metadata can be at most 75,000 characters" (user guide, other identity providers).
const MAX_CHARACTERS: usize = 75_000;

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURES: &str = "http://www.w3.org/2000/09/xmldsig#";
const EMAIL: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";

impl IdentityProvider {
    /// Reads a metadata file.
    ///
    /// # Errors
    ///
    /// Returns a message that names the wrong or missing part of the file.
    pub(crate) fn read(file: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(file).map_err(|error| {
            format!(
                "the file is not UTF-8 text: invalid byte at offset {}",
                error.valid_up_to()
            )
        })?;
        let text = text.trim_start_matches('\u{feff}');
        if text.chars().count() > MAX_CHARACTERS {
            return Err(format!(
                "the file is longer than {MAX_CHARACTERS} characters"
            ));
        }
        match text.trim_start().chars().next() {
            None => return Err("the file is empty".to_owned()),
            Some('<') => {}
            Some(other) => return Err(format!("the file is not XML: it starts with `{other}`")),
        }
        Document::read(text)?.identity_provider()
    }
}

/// The parts of a metadata file that decide whether Identity Center accepts it.
#[derive(Debug, Default)]
struct Document {
    root: Option<String>,
    entity_id: Option<String>,
    roles: Vec<String>,
    sign_on: bool,
    formats: Vec<String>,
    encrypts: bool,
    certificates: Vec<String>,
}

impl Document {
    fn read(text: &str) -> Result<Self, String> {
        let mut document = Self::default();
        let mut open: Vec<String> = Vec::new();
        let mut signing = true;
        let mut reader = NsReader::from_str(text);
        loop {
            let (namespace, event) = reader
                .read_resolved_event()
                .map_err(|error| format!("the file is not well-formed XML: {error}"))?;
            let bound = match namespace {
                ResolveResult::Bound(namespace) => namespace.as_ref().to_owned(),
                _ => String::new(),
            };
            match event {
                Event::DocType(_) => {
                    return Err("the file has a DOCTYPE, which is not allowed".to_owned());
                }
                Event::Start(start) => {
                    let name = document.element(&bound, &start, &open, &mut signing)?;
                    open.push(name);
                }
                Event::Empty(start) => {
                    document.element(&bound, &start, &open, &mut signing)?;
                }
                Event::End(_) => {
                    open.pop();
                }
                Event::Text(text) => {
                    let text = text.xml_content(XmlVersion::Implicit1_0);
                    document.text(&text, &open, signing);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        Ok(document)
    }

    /// Records an element; returns its local name, or an empty name if its namespace is neither SAML
    /// metadata nor XML Signature.
    fn element(
        &mut self,
        namespace: &str,
        start: &BytesStart<'_>,
        open: &[String],
        signing: &mut bool,
    ) -> Result<String, String> {
        let local = start.local_name().as_ref().to_owned();
        let name = match namespace {
            METADATA | SIGNATURES => local.clone(),
            _ => String::new(),
        };
        let attribute = |wanted: &str| -> Result<Option<String>, String> {
            for attribute in start.attributes() {
                let attribute = attribute
                    .map_err(|error| format!("the file is not well-formed XML: {error}"))?;
                if attribute.key.as_ref() == wanted {
                    let value = attribute
                        .normalized_value(XmlVersion::Implicit1_0)
                        .map_err(|error| format!("the file is not well-formed XML: {error}"))?;
                    return Ok(Some(value.into_owned()));
                }
            }
            Ok(None)
        };
        if open.is_empty() {
            self.root = Some(if namespace == METADATA {
                local
            } else {
                format!("{{{namespace}}}{local}")
            });
            self.entity_id = attribute("entityID")?;
        }
        match (name.as_str(), open.len()) {
            ("IDPSSODescriptor" | "SPSSODescriptor", 1) => self.roles.push(name.clone()),
            ("SingleSignOnService", 2) => self.sign_on = true,
            ("KeyDescriptor", 2) => {
                let usage = attribute("use")?;
                *signing = usage.as_deref() != Some("encryption");
                self.encrypts |= !*signing;
            }
            ("X509Certificate", _) if *signing && is_key(open) => {
                self.certificates.push(String::new());
            }
            _ => {}
        }
        Ok(name)
    }

    fn text(&mut self, text: &str, open: &[String], signing: bool) {
        if !is_provider(open) {
            return;
        }
        match open.last().map(String::as_str) {
            Some("X509Certificate") if signing && is_key(open) => {
                if let Some(certificate) = self.certificates.last_mut() {
                    certificate.extend(text.split_whitespace());
                }
            }
            Some("NameIDFormat") => self.formats.push(text.trim().to_owned()),
            _ => {}
        }
    }

    fn identity_provider(self) -> Result<IdentityProvider, String> {
        let root = self.root.unwrap_or_default();
        if root != "EntityDescriptor" {
            return Err(format!(
                "the file is not SAML metadata of one entity: its root element is {root}, not EntityDescriptor"
            ));
        }
        let entity_id = self
            .entity_id
            .filter(|id| !id.is_empty())
            .ok_or("the metadata has no entityID")?;
        if !self.roles.iter().any(|role| role == "IDPSSODescriptor") {
            let found = match self.roles.first() {
                Some(role) => format!("it has {role}, so it describes a service provider"),
                None => "it has no IDPSSODescriptor".to_owned(),
            };
            return Err(format!(
                "the metadata does not describe an identity provider: {found}"
            ));
        }
        if !self.sign_on {
            return Err("the metadata has no SingleSignOnService".to_owned());
        }
        if self.encrypts {
            return Err("the metadata has an encryption key, which is not supported".to_owned());
        }
        if !self.formats.is_empty() && !self.formats.iter().any(|format| format == EMAIL) {
            return Err(format!(
                "the metadata does not offer the NameIDFormat {EMAIL}"
            ));
        }
        if self.certificates.is_empty() {
            return Err(
                "the metadata has no X509Certificate for signature verification".to_owned(),
            );
        }
        let certificates = self
            .certificates
            .iter()
            .map(|text| certificate(text))
            .collect::<Result<_, _>>()?;
        Ok(IdentityProvider {
            entity_id,
            certificates,
        })
    }
}

fn is_provider(open: &[String]) -> bool {
    open.get(1).map(String::as_str) == Some("IDPSSODescriptor")
}

/// Returns whether the open elements belong to a key of the identity provider, not to a signature.
fn is_key(open: &[String]) -> bool {
    is_provider(open) && open.get(2).map(String::as_str) == Some("KeyDescriptor")
}

fn certificate(text: &str) -> Result<Vec<u8>, String> {
    let message = "an X509Certificate of the metadata is not a certificate";
    let der = STANDARD
        .decode(text)
        .map_err(|error| format!("{message}: {error}"))?;
    match x509_parser::parse_x509_certificate(&der) {
        Ok(_) => Ok(der),
        Err(error) => Err(format!("{message}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROVIDER: &str = r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="http://www.okta.com/exk1"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>CERTIFICATE</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://example.okta.com/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>"#;

    fn der() -> Vec<u8> {
        let key = rcgen::KeyPair::generate().expect("a key");
        let params = rcgen::CertificateParams::new(vec!["okta".to_owned()]).expect("parameters");
        params
            .self_signed(&key)
            .expect("a certificate")
            .der()
            .to_vec()
    }

    fn provider(certificate: &[u8]) -> String {
        PROVIDER.replace("CERTIFICATE", &STANDARD.encode(certificate))
    }

    #[track_caller]
    fn assert_rejected(file: &str, expected: &str) {
        let error = IdentityProvider::read(file.as_bytes()).expect_err("the file must be rejected");
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn the_entity_id_and_the_certificates_are_kept() {
        let certificate = der();
        let provider =
            IdentityProvider::read(provider(&certificate).as_bytes()).expect("valid metadata");
        assert_eq!(provider.entity_id, "http://www.okta.com/exk1");
        assert_eq!(provider.certificates, [certificate]);
    }

    #[test]
    fn a_certificate_may_have_line_breaks_and_the_file_may_start_with_a_byte_order_mark() {
        let certificate = der();
        let text = STANDARD.encode(&certificate);
        let wrapped = format!(
            "\u{feff}{}",
            PROVIDER.replace(
                "CERTIFICATE",
                &format!("\n{}\n{}\n", &text[..64], &text[64..])
            )
        );
        let provider = IdentityProvider::read(wrapped.as_bytes()).expect("valid metadata");
        assert_eq!(provider.certificates, [certificate]);
    }

    #[test]
    fn a_file_that_is_not_metadata_is_rejected_with_the_reason() {
        assert_rejected("", "the file is empty");
        assert_rejected(
            "{\"errorCode\":\"E0000011\"}",
            "the file is not XML: it starts with `{`",
        );
        assert_rejected(
            "<html><body>Sign in</body></html>",
            "the file is not SAML metadata of one entity: its root element is {}html, not EntityDescriptor",
        );
        assert_rejected("<a><b></a>", "the file is not well-formed XML: ");
        assert_rejected(
            &format!("<!DOCTYPE a>{}", provider(&der())),
            "the file has a DOCTYPE",
        );
        let error = IdentityProvider::read(b"<a>\xff</a>").expect_err("the file must be rejected");
        assert_eq!(
            error,
            "the file is not UTF-8 text: invalid byte at offset 3"
        );
    }

    #[test]
    fn incomplete_metadata_is_rejected_with_the_name_of_the_missing_part() {
        let good = provider(&der());
        assert_rejected(
            &good.replace(" entityID=\"http://www.okta.com/exk1\"", ""),
            "the metadata has no entityID",
        );
        assert_rejected(
            &good.replace("IDPSSODescriptor", "SPSSODescriptor"),
            "the metadata does not describe an identity provider: it has SPSSODescriptor",
        );
        assert_rejected(
            &good.replace("md:SingleSignOnService", "md:SingleLogoutService"),
            "the metadata has no SingleSignOnService",
        );
        assert_rejected(
            &good.replace("X509Certificate", "X509SKI"),
            "the metadata has no X509Certificate",
        );
        assert_rejected(
            &good.replace("emailAddress", "unspecified"),
            "the metadata does not offer the NameIDFormat",
        );
        assert_rejected(
            &good.replace("use=\"signing\"", "use=\"encryption\""),
            "the metadata has an encryption key",
        );
        assert_rejected(
            PROVIDER,
            "an X509Certificate of the metadata is not a certificate",
        );
    }

    #[test]
    fn metadata_may_have_75_000_characters() {
        let good = provider(&der());
        let padding = " ".repeat(75_001 - good.chars().count());
        assert_rejected(
            &format!("{good}{padding}"),
            "the file is longer than 75000 characters",
        );
        IdentityProvider::read(format!("{good}{}", &padding[1..]).as_bytes())
            .expect("valid metadata");
    }
}
