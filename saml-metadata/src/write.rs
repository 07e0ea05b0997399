//! Builders for new metadata, with elements in the order that the schema requires.
//!
//! The result is a [`Document`], read back by the crate's own reader, so it can be inspected,
//! validated and edited like a received document.
//!
//! ```
//! use saml_metadata::{names::binding, write::SpMetadata};
//!
//! let document = SpMetadata::new("https://sp.example.com/metadata")
//!     .assertion_consumer_service(binding::HTTP_POST, "https://sp.example.com/acs?a=1&b=2")
//!     .build()?;
//! let role = document.entity()?.service_provider().expect("just built");
//! let acs = role.default_assertion_consumer_service().expect("just built");
//! assert_eq!(acs.location(), "https://sp.example.com/acs?a=1&b=2");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod idp;
mod sp;
pub(crate) mod xml;

pub use self::{idp::IdpMetadata, sp::SpMetadata};

use jiff::Timestamp;

use self::xml::Xml;
use crate::{
    Document, ReadError,
    document::read_with,
    names::{namespace, protocol},
};

/// The reason why metadata could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The role has no endpoint of the kind that the schema requires.
    #[error("the role has no {element}")]
    #[non_exhaustive]
    NoEndpoint {
        /// Name of the missing element.
        element: &'static str,
    },
    /// A value has a character that XML cannot represent, or exceeds a limit.
    #[error("a value cannot be written as XML")]
    #[non_exhaustive]
    Unreadable {
        /// The error of the reader.
        source: ReadError,
    },
}

/// The properties that both kinds of entity and their roles share.
#[derive(Debug, Clone)]
struct Entity {
    id: String,
    certificates: Vec<(&'static str, Vec<u8>)>,
    single_logout_services: Vec<(String, String)>,
    name_id_formats: Vec<String>,
    valid_until: Option<Timestamp>,
    organization: Option<Organization>,
    technical_contact: Option<String>,
}

#[derive(Debug, Clone)]
struct Organization {
    language: String,
    name: String,
    url: String,
}

impl Entity {
    fn new(id: String) -> Self {
        Self {
            id,
            certificates: Vec::new(),
            single_logout_services: Vec::new(),
            name_id_formats: Vec::new(),
            valid_until: None,
            organization: None,
            technical_contact: None,
        }
    }

    /// Writes the whole document with one role. `services` writes the endpoints that only this role has.
    fn build(
        self,
        role: &str,
        attributes: &[(&str, bool)],
        services: impl FnOnce(&mut Xml),
    ) -> Result<Document, BuildError> {
        let mut xml = Xml::new();
        xml.open("md:EntityDescriptor");
        xml.attribute("entityID", &self.id);
        xml.attribute("xmlns:md", namespace::METADATA);
        if let Some(until) = self.valid_until {
            xml.attribute("validUntil", &until.to_string());
        }
        xml.open(role);
        for (name, value) in attributes {
            xml.attribute(name, &value.to_string());
        }
        xml.attribute("protocolSupportEnumeration", protocol::SAML_2_0);
        keys(&mut xml, &self.certificates);
        let logout = &self.single_logout_services;
        endpoints(&mut xml, "md:SingleLogoutService", logout);
        texts(&mut xml, "md:NameIDFormat", &self.name_id_formats);
        services(&mut xml);
        xml.close(role);
        if let Some(organization) = &self.organization {
            xml.open("md:Organization");
            for (element, text) in [
                ("md:OrganizationName", &organization.name),
                ("md:OrganizationDisplayName", &organization.name),
                ("md:OrganizationURL", &organization.url),
            ] {
                xml.open(element);
                xml.attribute("xml:lang", &organization.language);
                xml.text(text);
                xml.close(element);
            }
            xml.close("md:Organization");
        }
        if let Some(email) = &self.technical_contact {
            xml.open("md:ContactPerson");
            xml.attribute("contactType", "technical");
            xml.open("md:EmailAddress");
            xml.text(&format!("mailto:{email}"));
            xml.close("md:EmailAddress");
            xml.close("md:ContactPerson");
        }
        xml.close("md:EntityDescriptor");
        read_with(xml.finish(), &crate::Limits::default())
            .map_err(|source| BuildError::Unreadable { source })
    }
}

/// The setters that both builders share.
macro_rules! entity_setters {
    () => {
        /// Adds a `SingleLogoutService`.
        pub fn single_logout_service(
            mut self,
            binding: impl Into<String>,
            location: impl Into<String>,
        ) -> Self {
            let service = (binding.into(), location.into());
            self.entity.single_logout_services.push(service);
            self
        }

        /// Adds the certificate of a signing key, as DER.
        pub fn signing_certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
            self.entity.certificates.push(("signing", der.into()));
            self
        }

        /// Adds the certificate of an encryption key, as DER; peers encrypt for the provider with it.
        pub fn encryption_certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
            self.entity.certificates.push(("encryption", der.into()));
            self
        }

        /// Adds a `NameIDFormat`.
        pub fn name_id_format(mut self, format: impl Into<String>) -> Self {
            self.entity.name_id_formats.push(format.into());
            self
        }

        /// Sets `validUntil`.
        pub fn valid_until(mut self, until: Timestamp) -> Self {
            self.entity.valid_until = Some(until);
            self
        }

        /// Sets the `Organization`, in one language; the name is also the display name.
        pub fn organization(
            mut self,
            language: impl Into<String>,
            name: impl Into<String>,
            url: impl Into<String>,
        ) -> Self {
            self.entity.organization = Some(Organization {
                language: language.into(),
                name: name.into(),
                url: url.into(),
            });
            self
        }

        /// Sets the technical contact's email address, without `mailto:`.
        pub fn technical_contact(mut self, email: impl Into<String>) -> Self {
            self.entity.technical_contact = Some(email.into());
            self
        }
    };
}

use entity_setters;

/// Writes `KeyDescriptor`s with their certificates.
fn keys(xml: &mut Xml, certificates: &[(&'static str, Vec<u8>)]) {
    for (key_use, der) in certificates {
        xml.open("md:KeyDescriptor");
        xml.attribute("use", key_use);
        xml.open("ds:KeyInfo");
        xml.attribute("xmlns:ds", namespace::SIGNATURE);
        xml.open("ds:X509Data");
        xml.open("ds:X509Certificate");
        // Okta breaks lines at 76 columns; AWS accepts lines of any length.
        xml.text(&crate::model::certificate::wrapped_base64(der, 76));
        xml.close("ds:X509Certificate");
        xml.close("ds:X509Data");
        xml.close("ds:KeyInfo");
        xml.close("md:KeyDescriptor");
    }
}

fn texts(xml: &mut Xml, element: &'static str, texts: &[String]) {
    for text in texts {
        xml.open(element);
        xml.text(text);
        xml.close(element);
    }
}

fn endpoints(xml: &mut Xml, element: &'static str, endpoints: &[(String, String)]) {
    for (binding, location) in endpoints {
        xml.open(element);
        xml.attribute("Binding", binding);
        xml.attribute("Location", location);
        xml.close(element);
    }
}
