//! Key rollover: the validity periods of certificates, and a check whether a change of keys is
//! safe.

use std::fmt;

use jiff::Timestamp;
use sha1_smol::Sha1;
use sha2::{Digest as _, Sha256};

use crate::{Certificate, EntityDescriptor, KeyUse, RoleDescriptor, model::certificate::colon_hex};

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
    /// The start of the validity period.
    pub not_before: Timestamp,
    /// The end of the validity period, inclusive.
    pub not_after: Timestamp,
    /// The state at the requested time.
    pub state: CertificateState,
}

impl fmt::Display for CertificateValidity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uses = match (self.signing, self.encryption) {
            (true, true) => "signing and encryption",
            (true, false) => "signing",
            (false, true) => "encryption",
            (false, false) => "no known use",
        };
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
/// Unreadable certificates are left out; [`validate`](crate::validate()) reports them.
#[must_use]
pub fn timeline(entity: EntityDescriptor<'_>, now: Timestamp) -> Vec<CertificateValidity> {
    let mut spans: Vec<CertificateValidity> = Vec::new();
    for role in entity.roles().map(crate::Role::descriptor) {
        for key in role.key_descriptors() {
            for certificate in key.certificates().filter_map(Result::ok) {
                spans.push(CertificateValidity {
                    role: role.element().local_name().to_owned(),
                    signing: key.allows_use(KeyUse::Signing),
                    encryption: key.allows_use(KeyUse::Encryption),
                    subject: certificate.subject().to_owned(),
                    fingerprint_sha256: certificate.fingerprint_sha256(),
                    fingerprint_sha1: fingerprint_sha1(certificate.der()),
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
    /// The steps of the change, in order. If the change is safe, every partner accepts the signing
    /// key during all steps (make before break).
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
    let roles: Vec<RoleDescriptor<'_>> = new.roles().map(crate::Role::descriptor).collect();
    let mut unmatched = vec![true; roles.len()];
    for role in old.roles().map(crate::Role::descriptor) {
        let name = role.element().local_name();
        let found =
            (0..roles.len()).find(|at| unmatched[*at] && roles[*at].element().local_name() == name);
        let Some(at) = found else {
            verdict
                .reasons
                .push(format!("{name} is missing in the new document"));
            continue;
        };
        unmatched[at] = false;
        check_signing(&mut verdict, name, role, roles[at], now);
        check_encryption(&mut verdict, name, role, roles[at], now);
    }
    verdict.safe = verdict.reasons.is_empty();
    verdict
}

fn check_signing(
    verdict: &mut Verdict,
    name: &str,
    old: RoleDescriptor<'_>,
    new: RoleDescriptor<'_>,
    now: Timestamp,
) {
    let (before, after) = (old.signing_certificates(), new.signing_certificates());
    let (added, removed) = (only_in(&after, &before), only_in(&before, &after));
    if added.is_empty() && removed.is_empty() {
        return;
    }
    // Compares the keys, not their certificates.
    let shared: Vec<&Certificate> = after
        .iter()
        .filter(|a| {
            before
                .iter()
                .any(|b| a.public_key_der() == b.public_key_der())
        })
        .collect();
    if after.is_empty() {
        verdict
            .reasons
            .push(format!("{name} has no signing key in the new document"));
    } else if !before.is_empty() && shared.is_empty() {
        verdict.reasons.push(format!(
            "{name}: the documents share no signing key, so partners with the old document reject \
             signatures by the new keys, and partners with the new document reject signatures by \
             the old keys"
        ));
    } else if !before.is_empty()
        && !shared
            .iter()
            .any(|c| CertificateState::of(c, now) == CertificateState::Valid)
    {
        verdict.reasons.push(format!(
            "{name}: no signing key that is in both documents has a certificate that is valid now"
        ));
    }
    let usable = after
        .iter()
        .any(|c| CertificateState::of(c, now) == CertificateState::Valid);
    if !after.is_empty() && !usable {
        verdict.reasons.push(format!(
            "{name}: no signing certificate of the new document is valid now"
        ));
    }
    for certificate in &removed {
        let key = fingerprint_sha256(certificate.der());
        // If no key was added, the entity must already sign with one of the remaining keys.
        verdict.steps.push(format!(
            "{name}: {key} must stop signing before the first partner loads the new document"
        ));
    }
    if !added.is_empty() && !removed.is_empty() && !shared.is_empty() {
        verdict.steps.push(format!(
            "{name}: sign with {}, which is in both documents, until all partners have loaded the new one",
            fingerprint_sha256(shared[0].der())
        ));
    }
    for certificate in &added {
        let key = fingerprint_sha256(certificate.der());
        verdict.steps.push(format!(
            "{name}: let all partners load the new document, which contains {key}"
        ));
        let wait = match CertificateState::of(certificate, now) {
            CertificateState::Future => format!(", not before {}", certificate.not_before()),
            _ => String::new(),
        };
        verdict.steps.push(format!(
            "{name}: when all partners have loaded the new document, sign with {key}{wait}"
        ));
    }
}

fn check_encryption(
    verdict: &mut Verdict,
    name: &str,
    old: RoleDescriptor<'_>,
    new: RoleDescriptor<'_>,
    now: Timestamp,
) {
    let (before, after) = (old.encryption_certificates(), new.encryption_certificates());
    for certificate in only_in(&after, &before) {
        let key = fingerprint_sha256(certificate.der());
        if CertificateState::of(certificate, now) != CertificateState::Valid
            && !is_signing_key_of_idp(certificate, new)
        {
            let state = CertificateState::of(certificate, now);
            verdict.reasons.push(format!(
                "{name}: the new encryption certificate {key} is {state}"
            ));
        }
        if !is_signing_key_of_idp(certificate, new) {
            verdict.steps.push(format!(
                "{name}: enable decryption with {key} before the first partner loads the new document"
            ));
        }
    }
    for certificate in only_in(&before, &after) {
        if is_signing_key_of_idp(certificate, old) {
            continue;
        }
        let key = fingerprint_sha256(certificate.der());
        verdict.steps.push(format!(
            "{name}: keep decrypting with {key} until all partners have loaded the new document"
        ));
    }
}

/// Returns whether an identity provider also signs with the certificate. If so, `check_signing` has
/// already checked the certificate.
fn is_signing_key_of_idp(certificate: &Certificate, role: RoleDescriptor<'_>) -> bool {
    // An identity provider uses a key without the attribute `use` for signatures: no partner
    // encrypts for the identity provider during sign-in.
    role.element().local_name() == "IDPSSODescriptor"
        && role.signing_certificates().contains(certificate)
}

/// Returns the certificates whose key is not in the other list.
fn only_in<'c>(these: &'c [Certificate], others: &[Certificate]) -> Vec<&'c Certificate> {
    let is_other = |c: &&Certificate| {
        others
            .iter()
            .all(|o| o.public_key_der() != c.public_key_der())
    };
    these.iter().filter(is_other).collect()
}
