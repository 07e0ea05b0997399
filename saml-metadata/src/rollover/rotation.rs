//! Planner for the rotation of a signing key without an outage.

mod consumer;
mod error;
mod instructions;
mod plan;

use jiff::{SignedDuration, Timestamp};

use self::plan::Draft;
pub use self::{
    consumer::{Consumer, Delivery, Provider},
    error::RotationError,
    plan::{RotationAction, RotationFile, RotationPlan, RotationStep},
};
use crate::{
    Certificate, Document, Edit, KeyUse, RoleDescriptor, aws::MAX_CERTIFICATE_CHARACTERS,
    matching::Keys,
};

/// AWS's procedure for IAM Identity Center.
const AWS_SOURCE: &str =
    "https://docs.aws.amazon.com/singlesignon/latest/userguide/rotatesamlcert.html";

/// The default time from the first signature by the new key to the removal of the old certificate. The
/// project's choice: a working day in which the sign-in can be verified.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// A request for a plan that replaces the signing key of an entity.
///
/// The consumer gets the new certificate first, then the provider signs with the new key, and the old
/// certificate is removed last. So the consumer accepts each signature at any time.
///
/// The plan is for the signing keys of one role: of the first `IDPSSODescriptor`, or else of the first
/// `SPSSODescriptor`. Other roles of the same entity keep their keys. Keys for encryption stay: if a
/// service provider has the old certificate for both uses, partners can still encrypt with it. Dates
/// are checked against the validity periods of the certificates only, not against the `validUntil` of
/// the metadata. [`set_valid_until`](crate::Edit::set_valid_until) extends it.
///
/// ```
/// use saml_metadata::{
///     Certificate,
///     names::binding,
///     rollover::{Consumer, Provider, RotationRequest},
///     write::IdpMetadata,
/// };
///
/// # let old = Certificate::from_pem(include_str!("../../tests/fixtures/certificates/rsa2048.pem"))?;
/// # let new = Certificate::from_pem(include_str!("../../tests/fixtures/certificates/rsa3072.pem"))?;
/// let metadata = IdpMetadata::new("http://www.okta.com/exk1")
///     .signing_certificate(&old)
///     .single_sign_on_service(binding::HTTP_POST, "https://acme.okta.com/sso")
///     .build()?;
/// let plan = RotationRequest::new(&metadata, &new, "2026-11-24T12:00:00Z".parse()?)
///     .provider(Provider::Okta)
///     .consumer(Consumer::aws_identity_center())
///     .plan()?;
/// let actions: Vec<String> = plan.steps.iter().map(|step| step.action.to_string()).collect();
/// assert_eq!(
///     actions,
///     [
///         "import the new certificate",
///         "sign with the new key",
///         "verify a sign-in",
///         "remove the old certificate",
///     ],
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until `plan` is called"]
pub struct RotationRequest<'d> {
    metadata: &'d Document,
    new: Certificate,
    start: Timestamp,
    activate_at: Option<Timestamp>,
    retire_at: Option<Timestamp>,
    provider: Provider,
    consumer: Consumer,
}

impl<'d> RotationRequest<'d> {
    /// Creates a request to replace the signing key in `metadata` with the key of `new`. The first
    /// step is due at `start`.
    ///
    /// By default, any software signs, and the consumer is [`Consumer::metadata`].
    pub fn new(metadata: &'d Document, new: &Certificate, start: Timestamp) -> Self {
        Self {
            metadata,
            new: new.clone(),
            start,
            activate_at: None,
            retire_at: None,
            provider: Provider::Other,
            consumer: Consumer::metadata("the partner"),
        }
    }

    /// Sets the software that signs.
    pub fn provider(mut self, provider: Provider) -> Self {
        self.provider = provider;
        self
    }

    /// Sets the partner that verifies the signatures.
    pub fn consumer(mut self, consumer: Consumer) -> Self {
        self.consumer = consumer;
        self
    }

    /// Sets the time at which the provider begins to sign with the new key. Default: as soon as the
    /// consumer has the new certificate and the certificate is valid.
    pub fn activate_at(mut self, time: Timestamp) -> Self {
        self.activate_at = Some(time);
        self
    }

    /// Sets the time at which the old certificate is removed. Default: a day after the new key begins
    /// to sign.
    pub fn retire_at(mut self, time: Timestamp) -> Self {
        self.retire_at = Some(time);
        self
    }

    /// Returns the steps with their dates and files.
    ///
    /// If the old certificates have the same public key as the new one, the key does not change. The
    /// plan then replaces the certificate only, without the steps [`RotationAction::Activate`] and
    /// [`RotationAction::Verify`], and ignores [`activate_at`](Self::activate_at).
    ///
    /// # Errors
    ///
    /// Fails if
    ///
    /// - the document does not describe one entity ([`RotationError::Entity`]) that is an identity
    ///   provider or a service provider ([`RotationError::NoRole`]),
    /// - the role has no signing certificate ([`RotationError::NoCertificate`]), only the new one
    ///   ([`RotationError::AlreadyRotated`]), or a signing key that cannot be compared with the new
    ///   one ([`RotationError::UnknownKey`]),
    /// - the consumer cannot keep all certificates at the same time ([`RotationError::NoOverlap`]) or
    ///   does not take the new one ([`RotationError::TooLong`]),
    /// - the dates are in an order in which the consumer would reject a signature, or
    /// - the metadata of a step cannot be written ([`RotationError::Edit`]).
    pub fn plan(self) -> Result<RotationPlan, RotationError> {
        let role = role_of(self.metadata)?;
        let mut old = signing_certificates(role)?;
        let is_published = old.contains(&self.new);
        old.retain(|certificate| *certificate != self.new);
        if old.is_empty() {
            let role = role.element().local_name().to_owned();
            return Err(RotationError::AlreadyRotated { role });
        }
        self.check_consumer(old.len() + 1)?;
        let keeps_key = old
            .iter()
            .all(|certificate| certificate.public_key_der() == self.new.public_key_der());
        let dates = self.dates(&old, keeps_key)?;
        let both = if is_published {
            (self.metadata.clone(), false)
        } else {
            // Without `use`, partners would encrypt with a key that the entity cannot use yet.
            edit(self.metadata, |edit, role| {
                edit.add_certificate(role, Some(KeyUse::Signing), &self.new)
            })?
        };
        let new_only = edit(&both.0, |edit, role| {
            edit.remove_signing_certificates(role, &old)
        })?;
        let mut plan = Draft {
            old: old.iter().map(Certificate::fingerprint_sha256).collect(),
            new: self.new.fingerprint_sha256(),
            steps: Vec::new(),
        };
        let both_file = RotationFile::new("both.xml", both.0.bytes().to_vec(), both.1);
        let first = (self.start, Some(dates.publish_before));
        match self.consumer.delivery {
            Delivery::AwsConsole => plan.step(
                RotationAction::ImportCertificate,
                first,
                self.import_instructions(keeps_key),
                vec![
                    RotationFile::new("new-certificate.pem", self.new.pem().into_bytes(), false),
                    both_file,
                ],
            ),
            Delivery::Metadata if is_published => {}
            Delivery::Metadata => plan.step(
                RotationAction::PublishBoth,
                first,
                self.publish_instructions(keeps_key),
                vec![both_file],
            ),
        }
        if !keeps_key {
            plan.step(
                RotationAction::Activate,
                (dates.activate, Some(dates.activate_before)),
                self.activate_instructions(),
                vec![],
            );
            let text = self.verify_instructions(&plan.new);
            let verify = (dates.activate, Some(dates.retire));
            plan.step(RotationAction::Verify, verify, text, vec![]);
        }
        let encrypts = !old_encryption(role_of(&new_only.0)?, &old).is_empty();
        let text = self.retire_instructions(&plan.old, keeps_key, encrypts);
        let is_unsigned = both.1 || new_only.1;
        let file = RotationFile::new("new.xml", new_only.0.bytes().to_vec(), is_unsigned);
        let retire = (dates.retire, None);
        plan.step(RotationAction::Retire, retire, text, vec![file]);
        Ok(RotationPlan {
            entity_id: self.metadata.entity()?.entity_id().to_owned(),
            role: role.element().local_name().to_owned(),
            provider: self.provider,
            consumer: self.consumer,
            old: plan.old,
            new: plan.new,
            steps: plan.steps,
        })
    }

    /// Returns the dates, each of which is safe if the steps before are done at their last allowed time.
    fn dates(&self, old: &[Certificate], keeps_key: bool) -> Result<Dates, RotationError> {
        let earliest = self
            .start
            .saturating_add(self.consumer.reload)
            .unwrap_or(Timestamp::MAX);
        let activate = self
            .activate_at
            .filter(|_| !keeps_key)
            .unwrap_or_else(|| earliest.max(self.new.not_before()));
        let retire = self
            .retire_at
            .unwrap_or_else(|| activate.saturating_add(OVERLAP).unwrap_or(Timestamp::MAX));
        let end = first_end(old, self.start);
        self.check_order(end, earliest, activate, retire)?;
        // With the same key, the consumer accepts the signatures until the old certificate ends or
        // is removed.
        let needed = if keeps_key {
            end.map_or(retire, |end| end.min(retire))
        } else {
            activate
        };
        Ok(Dates {
            publish_before: needed
                .saturating_sub(self.consumer.reload)
                .unwrap_or(self.start)
                .max(self.start),
            activate,
            activate_before: end.map_or(retire, |end| end.min(retire)),
            retire,
        })
    }

    fn check_consumer(&self, needed: usize) -> Result<(), RotationError> {
        let consumer = &self.consumer.name;
        if let Some(max) = self.consumer.max_certificates.filter(|max| *max < needed) {
            return Err(RotationError::NoOverlap {
                consumer: consumer.clone(),
                max,
                needed,
            });
        }
        let characters = self.new.pem_len();
        let is_console = self.consumer.delivery == Delivery::AwsConsole;
        if is_console && characters > MAX_CERTIFICATE_CHARACTERS {
            return Err(RotationError::TooLong {
                consumer: consumer.clone(),
                characters,
                max: MAX_CERTIFICATE_CHARACTERS,
            });
        }
        Ok(())
    }

    /// Refuses an order of dates in which the consumer rejects a signature.
    fn check_order(
        &self,
        end: Option<Timestamp>,
        earliest: Timestamp,
        activate: Timestamp,
        retire: Timestamp,
    ) -> Result<(), RotationError> {
        let consumer = self.consumer.name.clone();
        if activate < earliest {
            return Err(RotationError::ActivatedBeforePublished {
                consumer,
                activate,
                earliest,
            });
        }
        let (from, until) = (self.new.not_before(), self.new.not_after());
        if activate < from || retire > until {
            return Err(RotationError::NewNotValid {
                activate,
                retire,
                from,
                until,
            });
        }
        if let Some(end) = end.filter(|end| *end < activate) {
            return Err(RotationError::OldExpiresFirst { end, activate });
        }
        if retire <= activate {
            return Err(RotationError::RetiredBeforeActivated {
                consumer,
                retire,
                activate,
            });
        }
        Ok(())
    }
}

/// Returns the role whose signing key is rotated: the identity provider, or else the service provider.
fn role_of(document: &Document) -> Result<RoleDescriptor<'_>, RotationError> {
    let entity = document.entity()?;
    let element = match (entity.identity_provider(), entity.service_provider()) {
        (Some(idp), _) => idp.element(),
        (None, Some(sp)) => sp.element(),
        (None, None) => return Err(RotationError::NoRole),
    };
    Ok(RoleDescriptor::new(element))
}

/// Returns the signing certificates, each once.
fn signing_certificates(role: RoleDescriptor<'_>) -> Result<Vec<Certificate>, RotationError> {
    let name = || role.element().local_name().to_owned();
    let keys = Keys::of(role, KeyUse::Signing);
    let certificates = keys.list.iter().flat_map(|key| key.certificates.clone());
    let certificates: Vec<Certificate> = certificates.collect();
    if certificates.is_empty() {
        return Err(RotationError::NoCertificate { role: name() });
    }
    let bare = keys.list.iter().find(|key| key.certificates.is_empty());
    let unknown = match (keys.unreadable.first(), bare) {
        (Some(certificate), _) => {
            format!("a certificate that cannot be read: {}", certificate.reason)
        }
        (None, Some(key)) => format!("the key {} without a certificate", key.name()),
        (None, None) => return Ok(certificates),
    };
    let role = name();
    Err(RotationError::UnknownKey { role, unknown })
}

/// Returns the old certificates with which partners may still encrypt.
fn old_encryption(role: RoleDescriptor<'_>, old: &[Certificate]) -> Vec<Certificate> {
    let mut certificates = role.encryption_certificates();
    certificates.retain(|certificate| old.contains(certificate));
    certificates
}

/// Returns the time at which the first of the old certificates that are valid at the start ends.
///
/// Any of them may be the certificate that signs. A certificate that has expired before the start
/// loses nothing by a later step.
fn first_end(old: &[Certificate], start: Timestamp) -> Option<Timestamp> {
    let valid = old.iter().filter(|c| c.is_valid_at(start));
    valid.map(Certificate::not_after).min()
}

/// The dates of the steps.
struct Dates {
    publish_before: Timestamp,
    activate: Timestamp,
    activate_before: Timestamp,
    retire: Timestamp,
}

/// Edits the role, without the signatures that the edit makes invalid. Returns whether there were any.
fn edit(
    document: &Document,
    change: impl for<'a> FnOnce(Edit<'a>, RoleDescriptor<'a>) -> Edit<'a>,
) -> Result<(Document, bool), RotationError> {
    let role = role_of(document)?;
    let mut edit = change(document.edit(), role);
    let mut was_signed = false;
    for element in role.element().ancestors() {
        if element.signature().is_some() {
            edit = edit.remove_signature(element);
            was_signed = true;
        }
    }
    Ok((edit.apply()?, was_signed))
}
