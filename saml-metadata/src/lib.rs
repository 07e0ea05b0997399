//! SAML 2.0 metadata: read, inspect, edit, validate, write.
//!
//! A [`Document`] keeps its bytes and the position of each element and attribute in them. Views
//! named after the specification ([`EntityDescriptor`], [`IdpSsoDescriptor`], …) borrow from the
//! document. Reading is lossless, and an edit leaves the unchanged parts byte for byte as they were.
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
//! # Guarantees of the reader
//!
//! Metadata is untrusted input. The reader accepts well-formed, namespace-well-formed XML 1.0
//! without a DOCTYPE, in UTF-8 or UTF-16, within [`Limits`]. Its time and memory grow only with the
//! size of the document. Names are compared by namespace, not by prefix. A comment never cuts a
//! text. The crate has one parser, and never parses the same bytes a second time.
//!
//! # Validation
//!
//! [`validate()`] checks a document against the rules of a [`Profile`], or of a [`Policy`] that
//! starts from a profile. [`rules()`] lists all rules; each has a page in `docs/rules`. The feature
//! `serde` writes findings as JSON and as a SARIF log, the feature `report` renders them for a
//! terminal.
//!
//! # Out of scope
//!
//! The crate uses no network, no clock and no files: the caller passes the bytes and the current
//! time. Reading does not establish trust either: only a verified signature shows who wrote a
//! document (module `signature`, with the feature of that name).
//!
//! References such as "MD 2.4.3" are to saml-metadata-2.0-os. References for an extension are to
//! the specification of that extension.

#[macro_use]
mod local_name;

mod base64;
mod diff;
mod document;
mod edit;
mod element;
mod error;
mod explain;
mod limits;
mod matching;
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

/// The crate of the types for times and durations in this crate's signatures.
pub use jiff;

pub use self::explain::{EndpointSummary, EntitySummary, RoleSummary, explain};
#[cfg(feature = "report")]
pub use self::report::Renderer;
pub use self::{
    diff::{
        Change, ChangeKind, Comparison, DiffError, EntityRollover, Impact, Side, compare, diff,
    },
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

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
