//! SAML 2.0 metadata: read, look at, edit, validate, write.
//!
//! A [`Document`] keeps its bytes and knows where everything stands in them. Views named after the
//! specification ([`EntityDescriptor`], [`IdpSsoDescriptor`], …) borrow from it; nothing that a
//! document holds is lost, and what is not touched is written back byte for byte.
//!
//! ```
//! use saml_metadata::{Profile, validate};
//!
//! # let bytes = saml_metadata::write::IdpMetadata::new("http://www.okta.com/exk1")
//! #     .single_sign_on_service(saml_metadata::names::binding::HTTP_POST, "https://acme.okta.com/sso")
//! #     .build()?.bytes().to_vec();
//! # let now = "2026-11-24T12:00:00Z".parse()?;
//! let document = saml_metadata::read(&bytes)?;
//! let entity = document.entity()?;
//! let idp = entity.identity_provider().expect("an identity provider");
//! for service in idp.single_sign_on_services() {
//!     println!("{} {}", service.binding(), service.location());
//! }
//! for finding in validate(&document, Profile::AwsIdentityCenter, now) {
//!     println!("{finding}\n  {}", finding.help);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What reading promises
//!
//! Metadata comes from strangers. The reader takes well-formed, namespace-well-formed XML 1.0
//! without a DOCTYPE, in UTF-8 or UTF-16, within [`Limits`], in time and memory that grow with the
//! size of the document and nothing else. Everything is compared by namespace, not by prefix;
//! comments never cut a text; there is one parser, and no second reading of the same bytes.
//!
//! # What is checked
//!
//! [`validate()`] holds a document to the rules of a [`Profile`], or of a [`Policy`] that starts from
//! one. [`rules()`] is the table of them; each has a page in `docs/rules`. With the feature `serde`
//! findings can be written as JSON and as a SARIF log, with the feature `report` for a terminal.
//!
//! # What is not here
//!
//! No network, no clock, no files: bytes and the moment come in as arguments. No trust either:
//! reading a document says nothing about who wrote it, unless its signature is verified (module
//! `signature`, with the feature of that name).
//!
//! References like "MD 2.4.3" are to saml-metadata-2.0-os, those of extensions to the
//! specification of that name.

mod diff;
mod document;
mod edit;
mod element;
mod error;
mod limits;
mod model;
mod reader;
#[cfg(feature = "report")]
mod report;
#[cfg(feature = "serde")]
mod serialize;
mod source;
mod stream;
mod tree;
mod validate;

pub mod aws;
#[cfg(feature = "signature")]
pub mod c14n;
pub mod names;
pub mod rollover;
#[cfg(feature = "samael")]
pub mod samael;
#[cfg(feature = "serde")]
pub mod sarif;
#[cfg(feature = "signature")]
pub mod signature;
pub mod write;

#[cfg(feature = "report")]
pub use self::report::Renderer;
pub use self::{
    diff::{Change, ChangeKind, Impact, diff},
    document::{Document, EntityError, read, read_with},
    edit::{Edit, EditError, NewElement},
    element::{Attribute, Children, Element},
    error::{Position, ReadError, ReadErrorKind},
    limits::{Limit, Limits},
    model::{
        algorithm::SigningMethod,
        attribute_service::{AttributeConsumingService, RequestedAttribute, SamlAttribute},
        certificate::{Certificate, CertificateError, PublicKey},
        contact::{AdditionalMetadataLocation, ContactPerson, ContactType, Organization},
        endpoint::{Endpoint, IndexedEndpoint},
        entity::{EntitiesDescriptor, EntityDescriptor},
        extensions::{Extensions, KeyAuthority, PublicationInfo, RegistrationInfo, Scope},
        key::{EncryptionMethod, KeyDescriptor, KeyUse},
        role::{
            AffiliationDescriptor, AttributeAuthorityDescriptor, AuthnAuthorityDescriptor,
            IdpSsoDescriptor, PdpDescriptor, Role, RoleDescriptor, SpSsoDescriptor,
        },
        subject_id::SubjectIdRequirement,
        time::{CacheDuration, ParseTimeError},
        ui::{DiscoHints, Logo, UiInfo},
        values::Localized,
    },
    stream::{EntityStream, StreamError, StreamedEntity},
    validate::{
        Finding, ParseProfileError, Policy, Profile, Rule, RuleId, Severity, rules, validate,
    },
};
