//! Planner for the rotation of a signing key without an outage.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::{
    Certificate, Document, Edit, EditError, EntityError, KeyUse, RoleDescriptor, tree::NamespaceId,
};

/// The longest certificate file that IAM Identity Center takes, in characters (AWS quotas page).
const AWS_MAX_PEM: usize = 2_500;
/// AWS's procedure for IAM Identity Center.
const AWS_SOURCE: &str =
    "https://docs.aws.amazon.com/singlesignon/latest/userguide/rotatesamlcert.html";

/// A request for a plan that replaces the signing key of an entity.
///
/// The consumer gets the new certificate first, then the provider signs with the new key, and the old
/// certificate is removed last. So the consumer accepts each signature at any time.
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

/// The software that signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Provider {
    /// An app of an Okta org.
    Okta,
    /// Any other software.
    Other,
}

/// The partner that verifies the signatures, and what it allows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Consumer {
    /// The name, for the instructions.
    pub name: String,
    /// The form in which it takes a certificate.
    pub delivery: Delivery,
    /// The maximum number of signing certificates that it keeps; `None` if there is no known limit.
    pub max_certificates: Option<usize>,
    /// The time after which it certainly has a new document or certificate.
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_text"))]
    pub reload: SignedDuration,
}

/// The form in which a consumer takes a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Delivery {
    /// It loads the metadata document.
    Metadata,
    /// An operator imports the certificate alone, as PEM, into the console of IAM Identity Center.
    AwsConsole,
}

impl Consumer {
    /// Returns IAM Identity Center, which takes certificates one by one and accepts signatures by all
    /// of them at once. AWS documents no maximum number.
    #[must_use]
    pub fn aws_identity_center() -> Self {
        Self {
            name: "IAM Identity Center".to_owned(),
            delivery: Delivery::AwsConsole,
            max_certificates: None,
            reload: SignedDuration::ZERO,
        }
    }

    /// Returns a consumer that loads the metadata document within a day and keeps any number of
    /// certificates.
    #[must_use]
    pub fn metadata(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            delivery: Delivery::Metadata,
            max_certificates: None,
            reload: SignedDuration::from_hours(24),
        }
    }

    /// Sets the maximum number of signing certificates that the consumer keeps.
    #[must_use]
    pub fn max_certificates(mut self, max: usize) -> Self {
        self.max_certificates = Some(max);
        self
    }

    /// Sets the time after which the consumer certainly has a new document or certificate.
    #[must_use]
    pub fn reload(mut self, duration: SignedDuration) -> Self {
        self.reload = duration;
        self
    }
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
    /// # Errors
    ///
    /// Fails if the document does not describe one entity with a signing certificate, if the consumer
    /// cannot keep the old and the new certificate at the same time, or if the dates are in an order
    /// in which the consumer would reject a signature.
    pub fn plan(self) -> Result<RotationPlan, RotationError> {
        let role = role_of(self.metadata)?;
        let (mut old, key_use) = signing_certificates(role);
        let is_published = old.contains(&self.new);
        old.retain(|certificate| *certificate != self.new);
        if old.is_empty() {
            let role = role.element().local_name().to_owned();
            return Err(if is_published {
                RotationError::AlreadyRotated { role }
            } else {
                RotationError::NoCertificate { role }
            });
        }
        self.check_consumer(old.len() + 1)?;
        let earliest = self
            .start
            .saturating_add(self.consumer.reload)
            .unwrap_or(Timestamp::MAX);
        let activate = self
            .activate_at
            .unwrap_or_else(|| earliest.max(self.new.not_before()));
        let day = SignedDuration::from_hours(24);
        let retire = self
            .retire_at
            .unwrap_or_else(|| activate.saturating_add(day).unwrap_or(Timestamp::MAX));
        self.check_order(&old, earliest, activate, retire)?;

        let both = if is_published {
            (self.metadata.clone(), false)
        } else {
            edit(self.metadata, |edit, role| {
                edit.add_certificate(role, key_use, &self.new)
            })?
        };
        let new_only = edit(&both.0, |edit, role| {
            old.iter().fold(edit, |edit, certificate| {
                edit.remove_certificate(role, certificate)
            })
        })?;
        let mut plan = Draft {
            old: old.iter().map(Certificate::fingerprint_sha256).collect(),
            new: self.new.fingerprint_sha256(),
            steps: Vec::new(),
        };
        match self.consumer.delivery {
            Delivery::AwsConsole => plan.step(
                RotationAction::ImportCertificate,
                (self.start, Some(activate)),
                self.import_instructions(),
                vec![
                    RotationFile::new("new-certificate.pem", self.new.pem().into_bytes(), false),
                    RotationFile::new("both.xml", both.0.bytes().to_vec(), both.1),
                ],
            ),
            Delivery::Metadata if is_published => {}
            Delivery::Metadata => plan.step(
                RotationAction::PublishBoth,
                (self.start, Some(earliest)),
                self.publish_instructions(),
                vec![RotationFile::new(
                    "both.xml",
                    both.0.bytes().to_vec(),
                    both.1,
                )],
            ),
        }
        let latest = old.iter().map(Certificate::not_after).max();
        let deadline = latest.filter(|end| *end >= activate);
        let text = self.activate_instructions();
        plan.step(RotationAction::Activate, (activate, deadline), text, vec![]);
        let text = self.verify_instructions(&plan.new);
        plan.step(
            RotationAction::Verify,
            (activate, Some(retire)),
            text,
            vec![],
        );
        let text = self.retire_instructions(&plan.old);
        let is_unsigned = both.1 || new_only.1;
        let file = RotationFile::new("new.xml", new_only.0.bytes().to_vec(), is_unsigned);
        plan.step(RotationAction::Retire, (retire, None), text, vec![file]);
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

    fn check_consumer(&self, needed: usize) -> Result<(), RotationError> {
        let consumer = &self.consumer.name;
        if let Some(max) = self.consumer.max_certificates.filter(|max| *max < needed) {
            return Err(RotationError::NoOverlap {
                consumer: consumer.clone(),
                max,
                needed,
            });
        }
        let characters = self.new.pem().chars().count();
        if self.consumer.delivery == Delivery::AwsConsole && characters > AWS_MAX_PEM {
            return Err(RotationError::TooLong {
                consumer: consumer.clone(),
                characters,
                max: AWS_MAX_PEM,
            });
        }
        Ok(())
    }

    /// Refuses an order of dates in which the consumer rejects a signature.
    fn check_order(
        &self,
        old: &[Certificate],
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
        // If the old certificate has expired before the start, a later step loses nothing.
        let end = old.iter().map(Certificate::not_after).max();
        if let Some(end) = end.filter(|end| (self.start..activate).contains(end)) {
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

    fn import_instructions(&self) -> String {
        format!(
            "In the IAM Identity Center console, choose Settings, Identity source, Actions, Manage \
             authentication, and import {{file}}. All imported certificates are active: AWS then \
             accepts signatures by the old and by the new key. Do not delete the old certificate. \
             {}See {AWS_SOURCE}",
            match self.provider {
                Provider::Okta => "In Okta, the new certificate stays inactive. ",
                Provider::Other => "Nothing signs with the new key yet. ",
            }
        )
    }

    fn publish_instructions(&self) -> String {
        let okta = match self.provider {
            Provider::Okta => {
                " The metadata URL of Okta has one certificate per key, so the partner needs this file."
            }
            Provider::Other => "",
        };
        format!(
            "Publish {{file}}, which has the old and the new certificate, and let {} load it. Nothing \
             signs with the new key yet.{okta}",
            self.consumer.name
        )
    }

    fn activate_instructions(&self) -> String {
        match self.provider {
            Provider::Okta => "In Okta, activate the new certificate in the app's Sign On tab, or \
                               send PUT /api/v1/apps/{id} with the new credentials.signing.kid."
                .to_owned(),
            Provider::Other => "Sign with the new key.".to_owned(),
        }
    }

    fn verify_instructions(&self, new: &str) -> String {
        let aws = match self.consumer.delivery {
            Delivery::AwsConsole => " CloudTrail has an event ExternalIdPDirectoryLogin.",
            Delivery::Metadata => "",
        };
        format!(
            "Sign in, and verify that the response is signed with {new}.{aws} If the sign-in fails, \
             sign with the old key again: {} still accepts it.",
            self.consumer.name
        )
    }

    fn retire_instructions(&self, old: &[String]) -> String {
        let old = old.join(", ");
        match self.consumer.delivery {
            Delivery::AwsConsole => format!(
                "In the same page of the IAM Identity Center console, delete the certificate {old}. \
                 At least one certificate must stay. {{file}} is the metadata from now on."
            ),
            Delivery::Metadata => format!("Publish {{file}}, which no longer has {old}."),
        }
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

/// Returns the signing certificates, each once, and the `use` of the first signing key.
fn signing_certificates(role: RoleDescriptor<'_>) -> (Vec<Certificate>, Option<KeyUse>) {
    let mut certificates: Vec<Certificate> = Vec::new();
    let is_signing = |key: &crate::KeyDescriptor<'_>| key.allows_use(KeyUse::Signing);
    let mut keys = role.key_descriptors().filter(is_signing);
    let key_use = keys
        .next()
        .map_or(Some(KeyUse::Signing), crate::KeyDescriptor::key_use);
    for certificate in role.signing_certificates() {
        if !certificates.contains(&certificate) {
            certificates.push(certificate);
        }
    }
    (certificates, key_use)
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
        if element
            .child_in(NamespaceId::SIGNATURE, "Signature")
            .is_some()
        {
            edit = edit.remove_signature(element);
            was_signed = true;
        }
    }
    Ok((edit.apply()?, was_signed))
}

/// The steps of a plan that are complete so far.
struct Draft {
    old: Vec<String>,
    new: String,
    steps: Vec<RotationStep>,
}

impl Draft {
    fn step(
        &mut self,
        action: RotationAction,
        (at, before): (Timestamp, Option<Timestamp>),
        instructions: String,
        mut files: Vec<RotationFile>,
    ) {
        let number = self.steps.len() + 1;
        for file in &mut files {
            file.name = format!("{number}-{}", file.name);
        }
        let instructions = match files.first() {
            Some(file) => instructions.replace("{file}", &file.name),
            None => instructions,
        };
        let signs_with = if action < RotationAction::Activate {
            self.old.clone()
        } else {
            vec![self.new.clone()]
        };
        let mut accepted = if action < RotationAction::Retire {
            self.old.clone()
        } else {
            Vec::new()
        };
        accepted.push(self.new.clone());
        self.steps.push(RotationStep {
            action,
            at,
            before,
            instructions,
            signs_with,
            accepted,
            files,
        });
    }
}

/// The steps that replace a signing key without an outage.
///
/// The `Display` text is a numbered list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct RotationPlan {
    /// The entityID.
    pub entity_id: String,
    /// The element name of the role.
    pub role: String,
    /// The software that signs.
    pub provider: Provider,
    /// The partner that verifies the signatures.
    pub consumer: Consumer,
    /// The SHA-256 fingerprints of the old certificates.
    pub old: Vec<String>,
    /// The SHA-256 fingerprint of the new certificate.
    pub new: String,
    /// The steps, in order.
    pub steps: Vec<RotationStep>,
}

/// A step of a [`RotationPlan`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct RotationStep {
    /// The action.
    pub action: RotationAction,
    /// The earliest time for the step.
    pub at: Timestamp,
    /// The time at which the step must be done; `None` if the step can wait.
    pub before: Option<Timestamp>,
    /// The instructions for the operator.
    pub instructions: String,
    /// The SHA-256 fingerprints of the certificates whose keys may sign after the step.
    pub signs_with: Vec<String>,
    /// The SHA-256 fingerprints of the certificates that the consumer accepts after the step.
    pub accepted: Vec<String>,
    /// The files of the step; the instructions name the first one.
    pub files: Vec<RotationFile>,
}

/// The action of a [`RotationStep`], in the order of the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum RotationAction {
    /// Publish metadata with the old and the new certificate.
    PublishBoth,
    /// Import the new certificate beside the old one.
    ImportCertificate,
    /// Sign with the new key.
    Activate,
    /// Verify a sign-in.
    Verify,
    /// Remove the old certificate.
    Retire,
}

impl fmt::Display for RotationAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PublishBoth => "publish both certificates",
            Self::ImportCertificate => "import the new certificate",
            Self::Activate => "sign with the new key",
            Self::Verify => "verify a sign-in",
            Self::Retire => "remove the old certificate",
        })
    }
}

/// A file of a [`RotationStep`]: metadata, or a certificate as PEM.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct RotationFile {
    /// The file name, which begins with the number of the step.
    pub name: String,
    /// The bytes; not part of the serialized form.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub bytes: Vec<u8>,
    /// Whether the metadata was signed and must be signed again before it is published.
    pub needs_signature: bool,
}

impl RotationFile {
    fn new(name: &str, bytes: Vec<u8>, needs_signature: bool) -> Self {
        Self {
            name: name.to_owned(),
            bytes,
            needs_signature,
        }
    }
}

impl fmt::Debug for RotationFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RotationFile")
            .field("name", &self.name)
            .field("bytes", &self.bytes.len())
            .field("needs_signature", &self.needs_signature)
            .finish()
    }
}

impl fmt::Display for RotationPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            entity_id,
            consumer,
            old,
            new,
            ..
        } = self;
        writeln!(
            f,
            "rotation of the signing key of {entity_id}, for {}",
            consumer.name
        )?;
        writeln!(f, "  from {}\n  to   {new}", old.join(", "))?;
        for (number, step) in self.steps.iter().enumerate() {
            write!(f, "{}. {step}", number + 1)?;
        }
        Ok(())
    }
}

impl fmt::Display for RotationStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, from {}", self.action, self.at)?;
        if let Some(before) = self.before.filter(|before| *before > self.at) {
            write!(f, " until {before}")?;
        }
        writeln!(f, "\n   {}", self.instructions)?;
        for file in &self.files {
            let sign = if file.needs_signature {
                " (sign it before it is published)"
            } else {
                ""
            };
            writeln!(f, "   file {}{sign}", file.name)?;
        }
        Ok(())
    }
}

/// The reason why a rotation cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RotationError {
    /// The document does not describe one entity.
    #[error("the rotation needs the metadata of one entity")]
    Entity(#[from] EntityError),
    /// The entity is neither an identity provider nor a service provider.
    #[error("the entity is neither an identity provider nor a service provider")]
    NoRole,
    /// The role has no signing certificate that can be read.
    #[error("{role} has no signing certificate that can be read")]
    #[non_exhaustive]
    NoCertificate {
        /// The element name of the role.
        role: String,
    },
    /// The new certificate is the only signing certificate already.
    #[error("{role} already has the new certificate as its only signing certificate")]
    #[non_exhaustive]
    AlreadyRotated {
        /// The element name of the role.
        role: String,
    },
    /// The consumer cannot keep the old and the new certificate at the same time.
    #[error(
        "{consumer} keeps at most {max} signing certificate{}, but {needed} are needed at the same \
         time: sign-in would fail between the change there and the change of the key", plural(*.max)
    )]
    #[non_exhaustive]
    NoOverlap {
        /// The consumer's name.
        consumer: String,
        /// The maximum number of certificates.
        max: usize,
        /// The number of old certificates and the new one.
        needed: usize,
    },
    /// The certificate file is too long for the consumer.
    #[error(
        "{consumer} takes a certificate file of at most {max} characters, but it has {characters}"
    )]
    #[non_exhaustive]
    TooLong {
        /// The consumer's name.
        consumer: String,
        /// The number of characters of the PEM file.
        characters: usize,
        /// The maximum.
        max: usize,
    },
    /// The new key would sign before the consumer has its certificate.
    #[error(
        "the new key would sign at {activate}, but {consumer} has its certificate only at {earliest} \
         and rejects signatures before: publish both first, and sign with the new key then"
    )]
    #[non_exhaustive]
    ActivatedBeforePublished {
        /// The consumer's name.
        consumer: String,
        /// The requested time.
        activate: Timestamp,
        /// The earliest safe time.
        earliest: Timestamp,
    },
    /// The new certificate is not valid during the whole rotation.
    #[error(
        "the new certificate is valid from {from} to {until}, but the new key would sign at \
         {activate} and the old certificate would be removed at {retire}"
    )]
    #[non_exhaustive]
    NewNotValid {
        /// The time at which the new key begins to sign.
        activate: Timestamp,
        /// The time at which the old certificate is removed.
        retire: Timestamp,
        /// The start of the validity.
        from: Timestamp,
        /// The end of the validity.
        until: Timestamp,
    },
    /// The old certificate expires before the new key signs.
    #[error(
        "the old certificate expires at {end}, before the new key signs at {activate}: sign with the \
         new key earlier"
    )]
    #[non_exhaustive]
    OldExpiresFirst {
        /// The end of the validity of the old certificate.
        end: Timestamp,
        /// The time at which the new key begins to sign.
        activate: Timestamp,
    },
    /// The old certificate would be removed while its key still signs.
    #[error(
        "the old certificate would be removed at {retire}, but its key signs until {activate}: \
         {consumer} would reject signatures in between"
    )]
    #[non_exhaustive]
    RetiredBeforeActivated {
        /// The consumer's name.
        consumer: String,
        /// The requested time.
        retire: Timestamp,
        /// The time at which the new key begins to sign.
        activate: Timestamp,
    },
    /// A file of a step could not be written.
    #[error("the metadata of a step cannot be written")]
    Edit(#[from] EditError),
}

fn plural(number: usize) -> &'static str {
    if number == 1 { "" } else { "s" }
}

#[cfg(feature = "serde")]
fn as_text<S: serde::Serializer>(
    duration: &SignedDuration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(duration)
}
