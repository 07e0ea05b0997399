//! The SAML metadata of an application, in the shape of Okta's.

use super::{
    Org,
    answer::{Refusal, Reply},
    apps::App,
    keys::Key,
    query::Call,
};

impl Org {
    pub(super) fn saml_metadata(&self, call: &Call<'_>, app: &str) -> Result<Reply, Refusal> {
        call.only(&["kid"])?;
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

    /// The metadata an administrator downloads from the sign-on tab of an application.
    pub(crate) fn metadata_file(&self, app: &App) -> Option<String> {
        let host = self.sign_on_host(&self.authority);
        Some(document(&host, app.name, &app.exk, app.active_key()?))
    }

    /// The host people sign in at: the custom domain the request was sent to, or the org's own.
    fn sign_on_host(&self, asked: &str) -> String {
        let custom = self
            .domains
            .values()
            .find(|domain| domain.is_in_use() && domain.name == asked);
        match custom {
            Some(domain) => domain.name.clone(),
            None => format!("{}.okta.com", self.subdomain),
        }
    }
}

/// The issuer of the assertions of an application.
pub(crate) fn entity_id(exk: &str) -> String {
    format!("http://www.okta.com/{exk}")
}

fn document(host: &str, app: &str, exk: &str, key: &Key) -> String {
    let entity_id = entity_id(exk);
    let certificate = wrapped(&key.base64());
    let address = format!("https://{host}/app/{app}/{exk}/sso/saml");
    [
        r#"<?xml version="1.0" encoding="UTF-8"?>"#,
        &format!(r#"<md:EntityDescriptor entityID="{entity_id}" xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">"#),
        r#"<md:IDPSSODescriptor WantAuthnRequestsSigned="false" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">"#,
        r#"<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>"#,
        &format!("<ds:X509Certificate>{certificate}</ds:X509Certificate>"),
        "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>",
        "<md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified</md:NameIDFormat>",
        "<md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>",
        &format!(r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{address}"/>"#),
        &format!(r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{address}"/>"#),
        "</md:IDPSSODescriptor></md:EntityDescriptor>",
    ]
    .concat()
}

/// Base 64 in lines of 76 characters, as Okta writes certificates into metadata.
fn wrapped(base64: &str) -> String {
    let mut text = String::with_capacity(base64.len() + base64.len() / 76 + 1);
    for (place, character) in base64.chars().enumerate() {
        if place > 0 && place % 76 == 0 {
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
    fn a_certificate_is_wrapped_at_76_columns_without_a_line_feed_at_the_end() {
        let text = wrapped(&"A".repeat(152));
        let lines: Vec<usize> = text.split('\n').map(str::len).collect();
        assert_eq!(lines, [76, 76]);
    }
}
