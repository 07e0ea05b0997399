//! Key rollover: the validity periods of certificates, a check whether a change of keys is safe, and
//! a planner for the rotation of a signing key ([`RotationRequest`]).

mod rotation;

use std::fmt;

use jiff::Timestamp;
use sha1_smol::Sha1;
use sha2::{Digest as _, Sha256};

pub use self::rotation::{
    Consumer, Delivery, Provider, RotationAction, RotationError, RotationFile, RotationPlan,
    RotationRequest, RotationStep,
};
use crate::{
    Certificate, EntityDescriptor, KeyUse, RoleDescriptor,
    error::with_causes,
    matching::{self, Key, Keys},
    model::certificate::colon_hex,
    validate::Paths,
};

/// Returns the SHA-256 fingerprint of bytes in the format that admin consoles show: `AB:CD:…`.
#[must_use]
pub fn fingerprint_sha256(der: &[u8]) -> String {
    colon_hex(&Sha256::digest(der))
}

/// Returns the SHA-1 fingerprint of bytes in the format that admin consoles show: `AB:CD:…`.
///
/// Operators use the fingerprint to compare a certificate in two consoles. The comparison is not a
/// security check.
#[must_use]
pub fn fingerprint_sha1(der: &[u8]) -> String {
    colon_hex(&Sha1::from(der).digest().bytes())
}

/// A certificate of an entity, and its validity period.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CertificateValidity {
    /// The element name of the role that has the certificate.
    pub role: String,
    /// Whether the key is for signatures. A key without the attribute `use` is for signatures and
    /// encryption.
    pub signing: bool,
    /// Whether partners may encrypt with the key.
    pub encryption: bool,
    /// The certificate's subject.
    pub subject: String,
    /// The SHA-256 fingerprint, in hexadecimal with colons.
    pub fingerprint_sha256: String,
    /// The SHA-1 fingerprint, in hexadecimal with colons.
    pub fingerprint_sha1: String,
    /// The SHA-256 fingerprint of the public key. Certificates of the same key have the same value.
    pub public_key_sha256: String,
    /// The certificate as PEM.
    pub pem: String,
    /// The start of the validity period.
    pub not_before: Timestamp,
    /// The end of the validity period, inclusive.
    pub not_after: Timestamp,
    /// The state at the requested time.
    pub state: CertificateState,
}

impl fmt::Display for CertificateValidity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uses = uses(self.signing, self.encryption);
        let Self {
            role,
            subject,
            not_before,
            not_after,
            state,
            ..
        } = self;
        write!(
            f,
            "{role}: {uses}: {subject}, {not_before} to {not_after}, {state}"
        )
    }
}

/// The state of a certificate at a point in time. The enum is exhaustive: later versions will not
/// add states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
pub enum CertificateState {
    /// The certificate is not valid yet.
    Future,
    /// The certificate is valid.
    Valid,
    /// The certificate is no longer valid.
    Expired,
}

impl CertificateState {
    fn of(certificate: &Certificate, now: Timestamp) -> Self {
        if now < certificate.not_before() {
            Self::Future
        } else if now > certificate.not_after() {
            Self::Expired
        } else {
            Self::Valid
        }
    }
}

impl fmt::Display for CertificateState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Future => "not valid yet",
            Self::Valid => "valid",
            Self::Expired => "expired",
        })
    }
}

/// Returns the certificates of all roles of an entity, sorted by the end of their validity.
///
/// Unreadable certificates are left out; [`unreadable`] returns them.
#[must_use]
pub fn timeline(entity: EntityDescriptor<'_>, now: Timestamp) -> Vec<CertificateValidity> {
    timeline_of(entity.roles().map(crate::Role::descriptor), now)
}

pub(crate) fn timeline_of<'a>(
    roles: impl IntoIterator<Item = RoleDescriptor<'a>>,
    now: Timestamp,
) -> Vec<CertificateValidity> {
    let mut spans: Vec<CertificateValidity> = Vec::new();
    for role in roles {
        for key in role.key_descriptors() {
            for certificate in key.certificates().filter_map(Result::ok) {
                spans.push(CertificateValidity {
                    role: role.element().local_name().to_owned(),
                    signing: key.allows_use(KeyUse::Signing),
                    encryption: key.allows_use(KeyUse::Encryption),
                    subject: certificate.subject().to_owned(),
                    fingerprint_sha256: certificate.fingerprint_sha256(),
                    fingerprint_sha1: fingerprint_sha1(certificate.der()),
                    public_key_sha256: fingerprint_sha256(certificate.public_key_der()),
                    pem: certificate.pem(),
                    not_before: certificate.not_before(),
                    not_after: certificate.not_after(),
                    state: CertificateState::of(&certificate, now),
                });
            }
        }
    }
    spans.sort_by_key(|span| (span.not_after, span.not_before));
    spans
}

/// A certificate of an entity that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct UnreadableCertificate {
    /// The element name of the role that has the certificate.
    pub role: String,
    /// Whether the key is for signatures.
    pub signing: bool,
    /// Whether partners may encrypt with the key.
    pub encryption: bool,
    /// The path of the element.
    pub path: String,
    /// The reason why the certificate cannot be read.
    pub reason: String,
}

impl fmt::Display for UnreadableCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uses = uses(self.signing, self.encryption);
        write!(
            f,
            "{}: {uses}: unreadable certificate: {}",
            self.role, self.reason
        )
    }
}

/// Returns the certificates of all roles of an entity that cannot be read, in order.
#[must_use]
pub fn unreadable(entity: EntityDescriptor<'_>) -> Vec<UnreadableCertificate> {
    unreadable_of(entity.roles().map(crate::Role::descriptor))
}

pub(crate) fn unreadable_of<'a>(
    roles: impl IntoIterator<Item = RoleDescriptor<'a>>,
) -> Vec<UnreadableCertificate> {
    let mut list = Vec::new();
    let mut paths = Paths::default();
    for role in roles {
        for key in role.key_descriptors() {
            for (element, certificate) in key.certificate_elements().zip(key.certificates()) {
                let Err(error) = certificate else { continue };
                list.push(UnreadableCertificate {
                    role: role.element().local_name().to_owned(),
                    signing: key.allows_use(KeyUse::Signing),
                    encryption: key.allows_use(KeyUse::Encryption),
                    path: paths.element(element),
                    reason: with_causes(&error),
                });
            }
        }
    }
    list
}

fn uses(signing: bool, encryption: bool) -> &'static str {
    match (signing, encryption) {
        (true, true) => "signing and encryption",
        (true, false) => "signing",
        (false, true) => "encryption",
        (false, false) => "no known use",
    }
}

/// The result of [`rollover`]: whether sign-in keeps working although partners load the new
/// metadata at different times.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Verdict {
    /// Whether sign-in keeps working for all partners if the steps are done in order.
    pub safe: bool,
    /// The reasons why the change is not safe; empty if it is safe.
    pub reasons: Vec<String>,
    /// The steps of the change, in order. Every partner accepts the signing key during all steps (make
    /// before break). If the change is not safe because no key is in both documents, the first step
    /// is to publish a document with both keys.
    pub steps: Vec<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.safe {
            "the rollover is safe"
        } else {
            "the rollover is not safe"
        })?;
        for (number, reason) in self.reasons.iter().enumerate() {
            write!(f, "{} {reason}", if number == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

/// Checks a change of keys from the old to the new metadata of an entity, at the time `now`.
///
/// Partners must have a signing key before the entity signs with it, and they must keep it until
/// the entity has stopped signing with it. So the two documents must share a valid signing key.
/// Partners encrypt with an encryption key. So the entity must be able to decrypt with that key
/// before the first partner gets the key, and until the last partner has dropped the key. Two
/// certificates of the same key count as one key.
///
/// ```
/// use saml_metadata::{names::binding, rollover::rollover, write::IdpMetadata};
///
/// let idp = IdpMetadata::new("urn:a")
///     .single_sign_on_service(binding::HTTP_POST, "https://a.example.com/")
///     .build()?;
/// let verdict = rollover(idp.entity()?, idp.entity()?, "2026-11-24T12:00:00Z".parse()?);
/// assert!(verdict.safe && verdict.steps.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn rollover(old: EntityDescriptor<'_>, new: EntityDescriptor<'_>, now: Timestamp) -> Verdict {
    let mut verdict = Verdict {
        safe: true,
        reasons: Vec::new(),
        steps: Vec::new(),
    };
    if old.entity_id() != new.entity_id() {
        verdict
            .reasons
            .push("the entityID changes, so partners see a different entity".to_owned());
    }
    for pair in matching::roles(old, new) {
        let (Some(before), after) = pair else {
            continue;
        };
        let name = before.element().local_name();
        let Some(after) = after else {
            verdict
                .reasons
                .push(format!("{name} is missing in the new document"));
            continue;
        };
        let signing = (
            Keys::of(before, KeyUse::Signing),
            Keys::of(after, KeyUse::Signing),
        );
        check_signing(&mut verdict, name, &signing, now);
        check_encryption(&mut verdict, name, (before, after), &signing, now);
    }
    verdict.safe = verdict.reasons.is_empty();
    verdict
}

fn check_signing(
    verdict: &mut Verdict,
    name: &str,
    (before, after): &(Keys, Keys),
    now: Timestamp,
) {
    for certificate in after.unreadable_missing_in(before) {
        verdict.steps.push(format!(
            "{name}: correct the signing certificate that cannot be read ({}) before the first \
             partner loads the new document",
            certificate.reason
        ));
    }
    let (added, removed) = (after.missing_in(before), before.missing_in(after));
    let shared = after.shared_with(before);
    let known = || {
        shared
            .iter()
            .filter_map(|key| Some((*key, before.find(key)?)))
    };
    let renewed: Vec<String> = known()
        .flat_map(|(key, old)| key.certificates_missing_in(old))
        .collect();
    let loses_certificate = known().any(|(key, old)| !old.certificates_missing_in(key).is_empty());
    let is_same = added.is_empty() && removed.is_empty();
    if is_same && renewed.is_empty() && !loses_certificate {
        return;
    }
    let is_replaced = !before.list.is_empty() && !after.list.is_empty() && shared.is_empty();
    if after.list.is_empty() {
        verdict
            .reasons
            .push(format!("{name} has no signing key in the new document"));
    } else if is_replaced {
        verdict.reasons.push(format!(
            "{name}: the documents share no signing key, so partners with the old document reject \
             signatures by the new keys, and partners with the new document reject signatures by \
             the old keys"
        ));
    } else if !before.list.is_empty() && !shared.iter().any(|key| is_valid(key, now)) {
        verdict.reasons.push(format!(
            "{name}: no signing key that is in both documents has a certificate that is valid now"
        ));
    }
    if !after.list.is_empty() && !after.list.iter().any(|key| is_valid(key, now)) {
        verdict.reasons.push(format!(
            "{name}: no signing certificate of the new document is valid now"
        ));
    }
    if after.list.is_empty() {
        verdict.steps.push(format!(
            "{name}: publish another signing key first, together with {}",
            names(&removed)
        ));
    } else if is_replaced {
        publish_both(verdict, name, &removed, &added, now);
    } else {
        make_before_break(verdict, name, (&removed, &added), &shared, now);
        for certificate in renewed {
            verdict.steps.push(format!(
                "{name}: let all partners load the new document, which contains {certificate} for \
                 the same key"
            ));
        }
    }
}

/// Adds the steps of a safe change.
fn make_before_break(
    verdict: &mut Verdict,
    name: &str,
    (removed, added): (&[&Key], &[&Key]),
    shared: &[&Key],
    now: Timestamp,
) {
    for key in removed {
        // If no key was added, the entity must already sign with one of the remaining keys.
        verdict.steps.push(format!(
            "{name}: {} must stop signing before the first partner loads the new document",
            key.name()
        ));
    }
    if let ([shared, ..], false, false) = (shared, added.is_empty(), removed.is_empty()) {
        verdict.steps.push(format!(
            "{name}: sign with {}, which is in both documents, until all partners have loaded the new one",
            shared.name()
        ));
    }
    for key in added {
        verdict.steps.push(format!(
            "{name}: let all partners load the new document, which contains {}",
            key.name()
        ));
        verdict.steps.push(format!(
            "{name}: when all partners have loaded the new document, sign with {}{}",
            key.name(),
            start(key, now)
        ));
    }
}

/// Adds the steps that replace all signing keys without an outage.
fn publish_both(
    verdict: &mut Verdict,
    name: &str,
    removed: &[&Key],
    added: &[&Key],
    now: Timestamp,
) {
    let (old, new) = (names(removed), names(added));
    let start = added.first().map_or(String::new(), |key| start(key, now));
    verdict.steps.extend([
        format!("{name}: publish both first: a document with {old} and {new}"),
        format!("{name}: when all partners have loaded that document, sign with {new}{start}"),
        format!(
            "{name}: when {old} signs nothing any more, let all partners load the new document"
        ),
    ]);
}

fn names(keys: &[&Key]) -> String {
    let names: Vec<&str> = keys.iter().map(|key| key.name()).collect();
    names.join(", ")
}

/// Returns whether a certificate of the key is valid; a key without a certificate has no dates.
fn is_valid(key: &Key, now: Timestamp) -> bool {
    key.certificates.is_empty()
        || key
            .certificates
            .iter()
            .any(|c| CertificateState::of(c, now) == CertificateState::Valid)
}

/// Returns the earliest time at which a key may sign, as the end of a step; empty if it may sign now.
fn start(key: &Key, now: Timestamp) -> String {
    let first = key.certificates.iter().map(Certificate::not_before).min();
    first
        .filter(|first| *first > now)
        .map_or_else(String::new, |first| format!(", not before {first}"))
}

fn check_encryption(
    verdict: &mut Verdict,
    name: &str,
    (old, new): (RoleDescriptor<'_>, RoleDescriptor<'_>),
    (old_signing, new_signing): &(Keys, Keys),
    now: Timestamp,
) {
    // An identity provider uses a key without the attribute `use` for signatures: no partner
    // encrypts for the identity provider during sign-in. `check_signing` has checked these keys.
    let is_idp = name == "IDPSSODescriptor";
    let before = Keys::of(old, KeyUse::Encryption);
    let after = Keys::of(new, KeyUse::Encryption);
    for key in after.missing_in(&before) {
        if is_idp && new_signing.find(key).is_some() {
            continue;
        }
        if !is_valid(key, now) {
            let state = key
                .certificates
                .first()
                .map(|c| CertificateState::of(c, now));
            verdict.reasons.push(format!(
                "{name}: the new encryption certificate {} is {}",
                key.name(),
                state.unwrap_or(CertificateState::Expired)
            ));
        }
        verdict.steps.push(format!(
            "{name}: enable decryption with {} before the first partner loads the new document",
            key.name()
        ));
    }
    for key in before.missing_in(&after) {
        if is_idp && old_signing.find(key).is_some() {
            continue;
        }
        verdict.steps.push(format!(
            "{name}: keep decrypting with {} until all partners have loaded the new document",
            key.name()
        ));
    }
}
