//! Step `idp-metadata`: Okta's SAML metadata is validated and saved.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use jiff::Timestamp;
use okta_client::{App, AppStatus, Client as Okta};
use saml_metadata::{
    Certificate, Finding, IdpSsoDescriptor, Profile, Severity, rollover::fingerprint_sha256,
};
use sha2::{Digest as _, Sha256};

use super::{ids, lookup};
use crate::{
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, Kind, Note, StepId, Subject, Value},
    state::IdpFact,
    step::{Applied, Planned, Step},
    text::hex,
};

/// Reads Okta's metadata for the app's active signing key, validates it for AWS, and saves it as `metadata.xml`.
#[derive(Clone, Debug)]
pub struct IdpMetadata {
    okta: Okta,
}

/// The file name of the saved metadata.
pub(super) const FILE: &str = "metadata.xml";

/// Validated metadata.
struct ValidatedMetadata {
    bytes: Vec<u8>,
    fact: IdpFact,
    notes: Vec<Note>,
}

impl IdpMetadata {
    /// Creates the step. It uses the app of an earlier step.
    #[must_use]
    pub fn new(okta: &Okta) -> Self {
        Self { okta: okta.clone() }
    }

    async fn read(&self, app: &App, cx: &Context) -> Result<ValidatedMetadata> {
        let kid = app.signing_kid().ok_or_else(|| {
            Error::new(
                ErrorKind::UnusableSubject,
                format!("app {} has no signing key", app.id()),
            )
            .with_help("open the app's Sign On tab in Okta and generate a signing certificate")
        })?;
        let bytes = self
            .okta
            .apps()
            .saml_metadata(app.id(), kid)
            .await
            .map_err(|error| {
                Error::service(
                    format!(
                        "the metadata of app {} could not be read from Okta",
                        app.id()
                    ),
                    error,
                )
            })?
            .to_vec();
        validate(bytes, kid.as_str(), cx.now())
    }
}

/// Parses the metadata and validates it against AWS's rules.
fn validate(bytes: Vec<u8>, kid: &str, now: Timestamp) -> Result<ValidatedMetadata> {
    let rejected = |why: String| {
        Error::new(
            ErrorKind::InvalidAnswer,
            format!("AWS would reject Okta's metadata: {why}"),
        )
        .with_help("check the signing certificate in the app's Sign On tab in Okta")
    };
    let document = saml_metadata::read(&bytes)
        .map_err(|error| rejected(error.to_string()).with_source(error))?;
    let findings = saml_metadata::validate(&document, Profile::AwsIdentityCenter, now);
    let (errors, others): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(Finding::is_error);
    if !errors.is_empty() {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        return Err(rejected(errors.join("; ")));
    }
    let entity = document
        .entity()
        .map_err(|error| rejected(error.to_string()))?;
    let certificates = entity
        .identity_provider()
        .map(IdpSsoDescriptor::signing_certificates)
        .unwrap_or_default();
    // Another certificate may have expired, or may not have started.
    let is_valid = |certificate: &&Certificate| certificate.is_valid_at(now);
    let certificate = certificates
        .iter()
        .find(is_valid)
        .ok_or_else(|| rejected("it has no valid signing certificate".to_owned()))?;
    let fact = IdpFact {
        entity_id: entity.entity_id().to_owned(),
        kid: kid.to_owned(),
        sha256: hex(&Sha256::digest(&bytes)),
        certificate: certificate.fingerprint_sha256(),
        public_key: Some(fingerprint_sha256(certificate.public_key_der())),
        not_after: certificate.not_after(),
    };
    let notes = others
        .iter()
        .filter(|finding| finding.severity == Severity::Warning)
        .map(|finding| Note::new("metadata-warning", finding.to_string()))
        .collect();
    Ok(ValidatedMetadata { bytes, fact, notes })
}

fn entity_id(fact: &IdpFact) -> String {
    fact.entity_id.clone()
}

fn certificate(fact: &IdpFact) -> String {
    fact.certificate.clone()
}

fn not_after(fact: &IdpFact) -> String {
    fact.not_after.to_string()
}

impl Step for IdpMetadata {
    fn id(&self) -> StepId {
        ids::IDP_METADATA
    }

    fn title(&self) -> String {
        "Okta's SAML metadata".to_owned()
    }

    fn gives(&self) -> &'static [Kind] {
        &[Kind::IdpMetadata]
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let known = cx.facts(|facts| facts.idp.clone());
            let action = if known.is_some() {
                Action::Update
            } else {
                Action::Create
            };
            let before = |field: fn(&IdpFact) -> String| known.as_ref().map(field);
            let change = |after: &dyn Fn(fn(&IdpFact) -> String) -> Value| {
                Change::new(action, Subject::IdpMetadata {})
                    .field("entityID", before(entity_id).into(), after(entity_id))
                    .field(
                        "certificate",
                        before(certificate).into(),
                        after(certificate),
                    )
                    .field("valid until", before(not_after).into(), after(not_after))
            };
            // Okta has no metadata of an inactive app, which the step `catalog-app` activates.
            let app = lookup::app(&self.okta, cx).await?;
            let Some(app) = app.filter(|app| app.status() != AppStatus::Inactive) else {
                plan_with(cx, None);
                return Ok(Planned::one(change(&|_| {
                    Value::AfterApply(ids::CATALOG_APP)
                })));
            };
            let read = self.read(&app, cx).await?;
            plan_with(cx, Some(read.fact.clone()));
            // A state of an earlier version does not have the public key.
            let is_unchanged = known.as_ref().is_some_and(|known| {
                let public_key = read.fact.public_key.clone();
                let known = known.clone();
                IdpFact {
                    public_key,
                    ..known
                } == read.fact
            });
            let changes = if is_unchanged {
                Vec::new()
            } else {
                vec![change(&|field| Value::Known(field(&read.fact)))]
            };
            Ok(Planned {
                changes,
                notes: read.notes,
                ..Planned::default()
            })
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let app = lookup::require_app(&self.okta, cx).await?;
            let read = self.read(&app, cx).await?;
            cx.put_file(FILE, read.bytes);
            plan_with(cx, Some(read.fact.clone()));
            cx.update_facts(|facts| facts.idp = Some(read.fact));
            Ok(Applied::Done)
        })
    }
}

/// Sets the identity provider metadata that the planned changes will produce; `None` if it is not known yet.
fn plan_with(cx: &Context, idp: Option<IdpFact>) {
    *cx.run_memory::<PlannedIdp>().lock() =
        idp.map_or(Expected::Later, |idp| Expected::Known(Box::new(idp)));
}

/// Returns the identity provider metadata that later steps plan with.
pub(super) fn planned(cx: &Context) -> Option<IdpFact> {
    match &*cx.run_memory::<PlannedIdp>().lock() {
        Expected::Unchanged => cx.facts(|facts| facts.idp.clone()),
        Expected::Later => None,
        Expected::Known(idp) => Some((**idp).clone()),
    }
}

/// The identity provider metadata that later steps plan with.
#[derive(Default)]
struct PlannedIdp(Mutex<Expected>);

#[derive(Default)]
enum Expected {
    /// No step has planned a change: the saved fact applies.
    #[default]
    Unchanged,
    /// The metadata is known after the app is created.
    Later,
    /// The metadata is known.
    Known(Box<IdpFact>),
}

impl PlannedIdp {
    fn lock(&self) -> MutexGuard<'_, Expected> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the validated metadata for the upload to AWS: as saved in this run, or read again from Okta.
pub(super) async fn current(okta: &Okta, cx: &Context) -> Result<Vec<u8>> {
    if let Some(saved) = cx.file(FILE) {
        return Ok(saved.to_vec());
    }
    let app = lookup::require_app(okta, cx).await?;
    Ok(IdpMetadata::new(okta).read(&app, cx).await?.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OKTA: &str = include_str!("../../saml-metadata/tests/fixtures/okta.xml");
    const EXPIRED: &str =
        include_str!("../../saml-metadata/tests/fixtures/certificates/expired.pem");

    #[test]
    fn an_expired_certificate_beside_a_valid_one_is_a_note_and_no_refusal() {
        let now = "2026-11-24T12:00:00Z".parse().expect("a time");
        let only = validate(OKTA.into(), "kid", now).expect("Okta's metadata");
        let base64: String = EXPIRED
            .lines()
            .filter(|line| !line.starts_with('-'))
            .collect();
        let expired = format!(
            "<md:KeyDescriptor use='signing'><ds:KeyInfo xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:X509Data><ds:X509Certificate>{base64}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        );
        let both = OKTA.replacen(
            "<md:KeyDescriptor",
            &format!("{expired}<md:KeyDescriptor"),
            1,
        );
        let both = validate(both.into(), "kid", now).expect("one certificate is valid");
        assert_eq!(both.fact.certificate, only.fact.certificate);
        let notes = format!("{:?}", both.notes);
        assert!(
            notes.contains("the certificate expired at 2026-01-01"),
            "{notes}"
        );
        let later = "2046-01-01T00:00:00Z".parse().expect("a time");
        let error = validate(OKTA.into(), "kid", later)
            .err()
            .expect("no certificate is valid");
        assert!(error.to_string().contains("MD-KEY-05"), "{error}");
    }
}
