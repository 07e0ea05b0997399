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
mod ui;
pub(crate) mod xml;

pub use self::{idp::IdpMetadata, sp::SpMetadata, ui::UserInterface};

use jiff::{SignedDuration, Timestamp};

use self::xml::Xml;
use crate::{
    Certificate, Document, ReadError,
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
    /// The two roles of one entity were given different entityIDs.
    #[error(
        "the identity provider is {idp:?} and the service provider is {sp:?}: one entity has one entityID"
    )]
    #[non_exhaustive]
    OtherEntity {
        /// The entityID of the identity provider.
        idp: String,
        /// The entityID of the service provider.
        sp: String,
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
    valid_until: Option<Timestamp>,
    cache_duration: Option<SignedDuration>,
    organization: Option<Organization>,
    technical_contact: Option<String>,
    role: Role,
}

/// The properties that both kinds of role share.
#[derive(Debug, Clone, Default)]
struct Role {
    certificates: Vec<(&'static str, Certificate)>,
    single_logout_services: Vec<(String, String)>,
    name_id_formats: Vec<String>,
    error_url: Option<String>,
    user_interface: Option<UserInterface>,
}

#[derive(Debug, Clone)]
struct Organization {
    language: String,
    name: String,
    url: String,
}

impl Role {
    /// Writes the role. `services` writes the endpoints that only this kind of role has.
    fn write(
        &self,
        xml: &mut Xml,
        element: &str,
        attributes: &[(&str, bool)],
        services: impl FnOnce(&mut Xml),
    ) {
        xml.open(element);
        for (name, value) in attributes {
            xml.attribute(name, &value.to_string());
        }
        if let Some(url) = &self.error_url {
            xml.attribute("errorURL", url);
        }
        xml.attribute("protocolSupportEnumeration", protocol::SAML_2_0);
        if let Some(user_interface) = &self.user_interface {
            xml.open("md:Extensions");
            user_interface.write(xml);
            xml.close("md:Extensions");
        }
        keys(xml, &self.certificates);
        endpoints(xml, "md:SingleLogoutService", &self.single_logout_services);
        texts(xml, "md:NameIDFormat", &self.name_id_formats);
        services(xml);
        xml.close(element);
    }
}

impl Entity {
    fn new(id: String) -> Self {
        Self {
            id,
            valid_until: None,
            cache_duration: None,
            organization: None,
            technical_contact: None,
            role: Role::default(),
        }
    }

    /// Writes the whole document. `roles` writes the roles.
    fn build(self, roles: impl FnOnce(&mut Xml, &Role)) -> Result<Document, BuildError> {
        let mut xml = Xml::new();
        xml.open("md:EntityDescriptor");
        xml.attribute("entityID", &self.id);
        xml.attribute("xmlns:md", namespace::METADATA);
        if let Some(until) = self.valid_until {
            xml.attribute("validUntil", &until.to_string());
        }
        if let Some(duration) = self.cache_duration {
            xml.attribute("cacheDuration", &duration.to_string());
        }
        roles(&mut xml, &self.role);
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
            self.entity.role.single_logout_services.push(service);
            self
        }

        /// Adds the certificate of a signing key.
        pub fn signing_certificate(mut self, certificate: &Certificate) -> Self {
            let key = ("signing", certificate.clone());
            self.entity.role.certificates.push(key);
            self
        }

        /// Adds the certificate of an encryption key; peers encrypt for the provider with it.
        pub fn encryption_certificate(mut self, certificate: &Certificate) -> Self {
            let key = ("encryption", certificate.clone());
            self.entity.role.certificates.push(key);
            self
        }

        /// Adds a `NameIDFormat`.
        pub fn name_id_format(mut self, format: impl Into<String>) -> Self {
            self.entity.role.name_id_formats.push(format.into());
            self
        }

        /// Sets `validUntil`.
        pub fn valid_until(mut self, until: Timestamp) -> Self {
            self.entity.valid_until = Some(until);
            self
        }

        /// Sets `cacheDuration`: the longest time after which consumers reload the metadata.
        pub fn cache_duration(mut self, duration: SignedDuration) -> Self {
            self.entity.cache_duration = Some(duration);
            self
        }

        /// Sets the role's `errorURL`, to which a peer can send users after an error.
        pub fn error_url(mut self, url: impl Into<String>) -> Self {
            self.entity.role.error_url = Some(url.into());
            self
        }

        /// Sets the role's `mdui:UIInfo`, the texts and logos for user interfaces.
        pub fn user_interface(mut self, user_interface: UserInterface) -> Self {
            self.entity.role.user_interface = Some(user_interface);
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
fn keys(xml: &mut Xml, certificates: &[(&'static str, Certificate)]) {
    for (key_use, certificate) in certificates {
        xml.open("md:KeyDescriptor");
        xml.attribute("use", key_use);
        xml.open("ds:KeyInfo");
        xml.attribute("xmlns:ds", namespace::SIGNATURE);
        xml.open("ds:X509Data");
        xml.open("ds:X509Certificate");
        // Okta breaks lines at 76 columns; AWS accepts lines of any length.
        xml.text(&crate::base64::encode_lines(certificate.der(), 76));
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
