//! The plan of a rotation, and its text.

use std::fmt;

use jiff::Timestamp;

use super::{Consumer, Provider};

/// The steps of a plan that are complete so far.
pub(super) struct Draft {
    pub(super) old: Vec<String>,
    pub(super) new: String,
    pub(super) steps: Vec<RotationStep>,
}

impl Draft {
    pub(super) fn step(
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
    /// The time at which the step must be done; `None` if the step can wait. If it equals
    /// [`at`](Self::at), a delay of the step delays the later steps by the same time.
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
    pub(super) fn new(name: &str, bytes: Vec<u8>, needs_signature: bool) -> Self {
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
        let Self { action, at, .. } = self;
        match self.before {
            Some(before) if before > *at => write!(f, "{action}, from {at} until {before}")?,
            Some(_) => write!(f, "{action}, at {at}")?,
            None => write!(f, "{action}, from {at}")?,
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
