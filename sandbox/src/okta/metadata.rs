//! The SAML metadata of an application, in Okta's format.

use super::{
    Org,
    apps::App,
    keys::Key,
    query::Call,
    reply::{Refusal, Reply},
};

impl Org {
    pub(super) fn saml_metadata(&self, call: &Call<'_>, app: &str) -> Result<Reply, Refusal> {
        call.allow_only(&["kid"])?;
        if !call.accepts("application/xml") && !call.accepts("text/xml") {
            return Err(Refusal::media_type());
        }
        let app = self.app(app)?;
        let kid = call.parameter("kid").or(app.signing_kid());
        let key = kid.and_then(|kid| app.key(kid));
        let key = key.ok_or_else(|| Refusal::not_found(kid.unwrap_or_default(), "SamlMetadata"))?;
        let host = self.sign_on_host(&call.host);
        Ok(Reply::xml(document(&host, app.name, &app.exk, key)))
    }

    /// Returns the metadata that an administrator downloads from the application's sign-on tab.
    pub(crate) fn metadata_file(&self, app: &App) -> Option<String> {
        let host = self.sign_on_host(&self.authority);
        Some(document(&host, app.name, &app.exk, app.active_key()?))
    }

    /// Returns the sign-in host: the custom domain that received the request, or the org's own domain.
    fn sign_on_host(&self, request_host: &str) -> String {
        let custom = self
            .domains
            .values()
            .find(|domain| domain.is_in_use() && domain.name == request_host);
        match custom {
            Some(domain) => domain.name.clone(),
            None => format!("{}.okta.com", self.subdomain),
        }
    }
}

/// Returns the issuer of an application's assertions.
pub(crate) fn entity_id(exk: &str) -> String {
    format!("http://www.okta.com/{exk}")
}

fn document(host: &str, app: &str, exk: &str, key: &Key) -> String {
    let entity_id = entity_id(exk);
    let certificate = wrap_lines(&key.base64());
    let sso_url = format!("https://{host}/app/{app}/{exk}/sso/saml");
    [
        r#"<?xml version="1.0" encoding="UTF-8"?>"#,
        &format!(r#"<md:EntityDescriptor entityID="{entity_id}" xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">"#),
        r#"<md:IDPSSODescriptor WantAuthnRequestsSigned="false" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">"#,
        r#"<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>"#,
        &format!("<ds:X509Certificate>{certificate}</ds:X509Certificate>"),
        "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>",
        "<md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified</md:NameIDFormat>",
        "<md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>",
        &format!(r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{sso_url}"/>"#),
        &format!(r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{sso_url}"/>"#),
        "</md:IDPSSODescriptor></md:EntityDescriptor>",
    ]
    .concat()
}

/// Wraps base64 at 76 characters, as Okta does for certificates in metadata.
fn wrap_lines(base64: &str) -> String {
    let mut text = String::with_capacity(base64.len() + base64.len() / 76 + 1);
    for (index, character) in base64.chars().enumerate() {
        if index > 0 && index % 76 == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_wrapped_at_76_columns_without_a_trailing_line_feed() {
        let text = wrap_lines(&"A".repeat(152));
        let lines: Vec<usize> = text.split('\n').map(str::len).collect();
        assert_eq!(lines, [76, 76]);
    }
}
