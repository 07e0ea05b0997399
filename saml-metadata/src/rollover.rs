//! Certificates over time, and whether a change of keys leaves nobody outside.

use std::fmt;

use jiff::Timestamp;
use sha1_smol::Sha1;
use sha2::{Digest as _, Sha256};

use crate::{Certificate, EntityDescriptor, KeyUse, RoleDescriptor, model::certificate::colon_hex};

/// Returns the SHA-256 fingerprint of bytes as consoles show it: `AB:CD:…`.
#[must_use]
pub fn fingerprint_sha256(der: &[u8]) -> String {
    colon_hex(&Sha256::digest(der))
}

/// Returns the SHA-1 fingerprint of bytes as consoles show it: `AB:CD:…`.
///
/// It names a certificate to a person who compares two screens, and proves nothing.
#[must_use]
pub fn fingerprint_sha1(der: &[u8]) -> String {
    colon_hex(&Sha1::from(der).digest().bytes())
}

/// A certificate of an entity, and when it is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Span {
    /// The element of the role that has it.
    pub role: String,
    /// Whether it is for signatures; one without a use is for both.
    pub signing: bool,
    /// Whether it is to encrypt for the entity.
    pub encryption: bool,
    /// The certificate's subject.
    pub subject: String,
    /// The SHA-256 fingerprint in colon hex.
    pub fingerprint_sha256: String,
    /// The SHA-1 fingerprint in colon hex.
    pub fingerprint_sha1: String,
    /// The moment before which it is not valid.
    pub not_before: Timestamp,
    /// The last moment at which it is valid.
    pub not_after: Timestamp,
    /// Where it is at the moment asked for.
    pub state: State,
}

impl fmt::Display for Span {
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

/// Where a certificate is in its life. There will be no other states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
pub enum State {
    /// Not valid yet.
    Future,
    /// Valid.
    Valid,
    /// Not valid any more.
    Expired,
}

impl State {
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

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Future => "not valid yet",
            Self::Valid => "valid",
            Self::Expired => "expired",
        })
    }
}

/// Returns the certificates of all roles of an entity, by when they end.
///
/// Certificates that cannot be read are left out; [`validate`](crate::validate()) reports them.
#[must_use]
pub fn timeline(entity: EntityDescriptor<'_>, now: Timestamp) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for role in entity.roles().map(crate::Role::descriptor) {
        for key in role.key_descriptors() {
            for certificate in key.certificates().filter_map(Result::ok) {
                spans.push(Span {
                    role: role.element().local_name().to_owned(),
                    signing: key.serves(KeyUse::Signing),
                    encryption: key.serves(KeyUse::Encryption),
                    subject: certificate.subject().to_owned(),
                    fingerprint_sha256: certificate.fingerprint_sha256(),
                    fingerprint_sha1: fingerprint_sha1(certificate.der()),
                    not_before: certificate.not_before(),
                    not_after: certificate.not_after(),
                    state: State::of(&certificate, now),
                });
            }
        }
    }
    spans.sort_by_key(|span| (span.not_after, span.not_before));
    spans
}

/// Whether partners may go from the old metadata of an entity to the new at their own pace.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Verdict {
    /// Nobody is left outside if the steps are taken in order.
    pub safe: bool,
    /// What speaks against it; empty if it is safe.
    pub reasons: Vec<String>,
    /// Who must hold which key when: make before break.
    pub steps: Vec<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.safe {
            "the overlap is safe"
        } else {
            "the overlap is not safe"
        })?;
        for (number, reason) in self.reasons.iter().enumerate() {
            write!(f, "{} {reason}", if number == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

/// Judges a change of keys from the old to the new metadata of an entity, at a moment.
///
/// A signing key is held by the partners before it signs, and taken from them after it has ceased
/// to: so the two documents must share a valid signing key. A key to encrypt for is used by the
/// partners, so the entity must be able to decrypt with it before they have it, and until the last
/// of them has let go of it. Two certificates of one key count as that key.
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
            .push("the entityID changes, so partners take it for another entity".to_owned());
    }
    let roles: Vec<RoleDescriptor<'_>> = new.roles().map(crate::Role::descriptor).collect();
    let mut free = vec![true; roles.len()];
    for role in old.roles().map(crate::Role::descriptor) {
        let name = role.element().local_name();
        let found =
            (0..roles.len()).find(|at| free[*at] && roles[*at].element().local_name() == name);
        let Some(at) = found else {
            verdict.reasons.push(format!("{name} is gone"));
            continue;
        };
        free[at] = false;
        signing(&mut verdict, name, role, roles[at], now);
        encryption(&mut verdict, name, role, roles[at], now);
    }
    verdict.safe = verdict.reasons.is_empty();
    verdict
}

fn signing(
    verdict: &mut Verdict,
    name: &str,
    old: RoleDescriptor<'_>,
    new: RoleDescriptor<'_>,
    now: Timestamp,
) {
    let (before, after) = (old.signing_certificates(), new.signing_certificates());
    let (added, removed) = (only(&after, &before), only(&before, &after));
    if added.is_empty() && removed.is_empty() {
        return;
    }
    // The key counts, not the certificate around it.
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
            .push(format!("{name} has no signing key any more"));
    } else if !before.is_empty() && shared.is_empty() {
        verdict.reasons.push(format!(
            "{name}: no signing key is in both documents, so partners with the old one refuse \
             signatures by the new keys, and partners with the new one those by the old keys"
        ));
    } else if !before.is_empty() && !shared.iter().any(|c| State::of(c, now) == State::Valid) {
        verdict.reasons.push(format!(
            "{name}: no certificate of a signing key in both documents is valid now"
        ));
    }
    let usable = after.iter().any(|c| State::of(c, now) == State::Valid);
    if !after.is_empty() && !usable {
        verdict.reasons.push(format!(
            "{name}: no signing certificate of the new document is valid now"
        ));
    }
    for certificate in &removed {
        let key = fingerprint_sha256(certificate.der());
        // Without an added key it is one that stays that must be signing already.
        verdict.steps.push(format!(
            "{name}: {key} must have ceased to sign before the first partner takes the new document"
        ));
    }
    if !added.is_empty() && !removed.is_empty() && !shared.is_empty() {
        verdict.steps.push(format!(
            "{name}: sign with {}, which is in both documents, until all partners have the new one",
            fingerprint_sha256(shared[0].der())
        ));
    }
    for certificate in &added {
        let key = fingerprint_sha256(certificate.der());
        verdict.steps.push(format!(
            "{name}: partners take the new document, which has {key}"
        ));
        let wait = match State::of(certificate, now) {
            State::Future => format!(", not before {}", certificate.not_before()),
            _ => String::new(),
        };
        verdict.steps.push(format!(
            "{name}: once all partners have it, sign with {key}{wait}"
        ));
    }
}

fn encryption(
    verdict: &mut Verdict,
    name: &str,
    old: RoleDescriptor<'_>,
    new: RoleDescriptor<'_>,
    now: Timestamp,
) {
    let (before, after) = (old.encryption_certificates(), new.encryption_certificates());
    for certificate in only(&after, &before) {
        let key = fingerprint_sha256(certificate.der());
        if State::of(certificate, now) != State::Valid && !certificate_of_both(certificate, new) {
            let state = State::of(certificate, now);
            verdict.reasons.push(format!(
                "{name}: the new encryption certificate {key} is {state}"
            ));
        }
        if !certificate_of_both(certificate, new) {
            verdict.steps.push(format!(
                "{name}: be able to decrypt with {key} before the first partner takes the new document"
            ));
        }
    }
    for certificate in only(&before, &after) {
        if certificate_of_both(certificate, old) {
            continue;
        }
        let key = fingerprint_sha256(certificate.der());
        verdict.steps.push(format!(
            "{name}: go on decrypting with {key} until all partners have taken the new document"
        ));
    }
}

/// Returns whether the role has the certificate for signatures too, where it has been judged.
fn certificate_of_both(certificate: &Certificate, role: RoleDescriptor<'_>) -> bool {
    // An identity provider's key without a use signs; nobody encrypts for it in sign-in.
    role.element().local_name() == "IDPSSODescriptor"
        && role.signing_certificates().contains(certificate)
}

/// Returns the certificates whose key the other list does not have.
fn only<'c>(these: &'c [Certificate], others: &[Certificate]) -> Vec<&'c Certificate> {
    let is_other = |c: &&Certificate| {
        others
            .iter()
            .all(|o| o.public_key_der() != c.public_key_der())
    };
    these.iter().filter(is_other).collect()
}
