//! Manual steps: actions that need a vendor's console. The operator does them, and the steps verify the answers.

mod sandbox;
mod scripted;
mod terminal;

use std::{collections::BTreeMap, fmt};

use futures::future::BoxFuture;
use rest_core::Secret;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::text::hex;

pub use sandbox::SandboxOperator;
pub use scripted::ScriptedOperator;
pub use terminal::TerminalOperator;

/// Does the manual steps, which no public API can do: the operator, or a program in place of the operator.
pub trait Operator: Send + Sync {
    /// Shows the manual step and returns the operator's answers.
    ///
    /// The call may take minutes or hours. The caller verifies the answers. If [`Operator::may_ask_again`] returns
    /// `true`, the caller may ask again with [`ManualStep::rejected`] set.
    fn ask<'a>(
        &'a self,
        manual_step: &'a ManualStep,
    ) -> BoxFuture<'a, Result<Answers, OperatorError>>;

    /// Returns whether the caller may ask again after a wrong answer (default: no).
    fn may_ask_again(&self) -> bool {
        false
    }
}

impl<T: Operator + ?Sized> Operator for std::sync::Arc<T> {
    fn ask<'a>(
        &'a self,
        manual_step: &'a ManualStep,
    ) -> BoxFuture<'a, Result<Answers, OperatorError>> {
        (**self).ask(manual_step)
    }

    fn may_ask_again(&self) -> bool {
        (**self).may_ask_again()
    }
}

/// An action that the operator is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ManualStep {
    /// The kind of manual step.
    pub kind: ManualStepKind,
    /// The goal, in a few words.
    pub title: String,
    /// The page of the console where the operator does the manual step.
    pub place: String,
    /// The instructions, one console action per line.
    pub instructions: Vec<String>,
    /// Consequences that the operator must know before the action.
    pub warnings: Vec<String>,
    /// Values to enter in the console.
    pub values: Vec<(String, String)>,
    /// A file to upload in the console.
    pub file: Option<Attachment>,
    /// The answers that the run needs.
    pub asks: Vec<Ask>,
    /// The reason why the previous answers were rejected, if the manual step is asked again.
    pub rejected: Option<String>,
}

/// The kinds of manual steps that the steps of this crate ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ManualStepKind {
    /// Publish DNS records.
    DnsRecords,
    /// Upload the certificate of a custom domain.
    DomainCertificate,
    /// Add the app from Okta's catalog.
    CatalogApp,
    /// Enable IAM Identity Center for the organization.
    EnableIdentityCenter,
    /// Read or choose the URL of the access portal.
    AccessPortal,
    /// Make the external identity provider the identity source.
    IdentitySource,
    /// Enable automatic provisioning.
    AutomaticProvisioning,
    /// Configure provisioning of the Okta app.
    OktaProvisioning,
    /// Sign in as a user.
    SignIn,
    /// A manual step of another crate, with a name that is unique in its pipeline.
    Custom(&'static str),
}

/// A file that the operator uploads in a manual step. As data, it has a digest in place of the content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Attachment {
    /// The file name.
    pub name: String,
    /// The content.
    #[serde(rename = "sha256", serialize_with = "serialize_digest")]
    #[schemars(with = "String")]
    pub bytes: Vec<u8>,
}

fn serialize_digest<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex(&Sha256::digest(bytes)))
}

/// An answer that a manual step asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ask {
    /// The key of the answer in [`Answers`].
    pub key: &'static str,
    /// The prompt for the operator.
    pub prompt: String,
    /// The kind of answer.
    pub kind: AskKind,
    /// Whether the operator may omit the answer.
    pub optional: bool,
}

/// The kind of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AskKind {
    /// A line of text.
    Text,
    /// A line that must not be shown or saved.
    Secret,
    /// The content of a file.
    File,
}

/// The operator's answers to a manual step.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    texts: BTreeMap<&'static str, String>,
    files: BTreeMap<&'static str, Vec<u8>>,
    secrets: BTreeMap<&'static str, Secret>,
}

/// The reason why a manual step has no answers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// The run has no operator.
    #[error("the run has no operator")]
    Absent,
    /// The operator declined the manual step or failed to do it.
    #[error("the operator did not do the manual step: {0}")]
    Declined(String),
    /// The operator could not be asked.
    #[error("the operator could not be asked")]
    Unreachable(#[from] std::io::Error),
}

/// The operator of an unattended run: the run stops at the first manual step, with an error that says what to do. It can
/// be resumed.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoOperator;

impl Operator for NoOperator {
    fn ask<'a>(&'a self, _: &'a ManualStep) -> BoxFuture<'a, Result<Answers, OperatorError>> {
        Box::pin(std::future::ready(Err(OperatorError::Absent)))
    }
}

impl Answers {
    /// Adds a text answer.
    #[must_use]
    pub fn text(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.texts.insert(key, value.into());
        self
    }

    /// Adds the content of a file.
    #[must_use]
    pub fn file(mut self, key: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.insert(key, bytes.into());
        self
    }

    /// Adds a secret.
    #[must_use]
    pub fn secret(mut self, key: &'static str, secret: Secret) -> Self {
        self.secrets.insert(key, secret);
        self
    }

    /// Returns a text without surrounding white space; `None` if it is missing or empty.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.texts
            .get(key)
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
    }

    /// Returns the content of a file.
    #[must_use]
    pub fn get_file(&self, key: &str) -> Option<&[u8]> {
        self.files.get(key).map(Vec::as_slice)
    }

    /// Returns a secret.
    #[must_use]
    pub fn get_secret(&self, key: &str) -> Option<&Secret> {
        self.secrets.get(key)
    }
}

impl ManualStep {
    /// Creates a manual step without values, files and questions.
    pub fn new(kind: ManualStepKind, title: impl Into<String>, place: impl Into<String>) -> Self {
        Self {
            kind,
            title: title.into(),
            place: place.into(),
            instructions: Vec::new(),
            warnings: Vec::new(),
            values: Vec::new(),
            file: None,
            asks: Vec::new(),
            rejected: None,
        }
    }

    /// Adds instructions.
    #[must_use]
    pub fn instructions<T: Into<String>>(mut self, lines: impl IntoIterator<Item = T>) -> Self {
        self.instructions.extend(lines.into_iter().map(Into::into));
        self
    }

    /// Adds a warning.
    #[must_use]
    pub fn warning(mut self, text: impl Into<String>) -> Self {
        self.warnings.push(text.into());
        self
    }

    /// Adds the warnings of a list.
    pub(crate) fn warnings(mut self, texts: impl IntoIterator<Item = String>) -> Self {
        self.warnings.extend(texts);
        self
    }

    /// Adds a value to enter.
    #[must_use]
    pub fn value(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.push((name.to_owned(), value.into()));
        self
    }

    /// Adds the file to upload.
    #[must_use]
    pub fn file(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.file = Some(Attachment {
            name: name.to_owned(),
            bytes: bytes.into(),
        });
        self
    }

    /// Asks for an answer.
    #[must_use]
    pub fn ask(mut self, key: &'static str, kind: AskKind, prompt: impl Into<String>) -> Self {
        self.asks.push(Ask {
            key,
            prompt: prompt.into(),
            kind,
            optional: false,
        });
        self
    }

    /// Asks for an answer that the operator may omit.
    #[must_use]
    pub fn ask_optional(
        mut self,
        key: &'static str,
        kind: AskKind,
        prompt: impl Into<String>,
    ) -> Self {
        self.asks.push(Ask {
            key,
            prompt: prompt.into(),
            kind,
            optional: true,
        });
        self
    }
}

impl fmt::Display for ManualStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        writeln!(f, "  at {}", self.place)?;
        if let Some(reason) = &self.rejected {
            writeln!(f, "  rejected: {}", reason.replace('\n', "\n    "))?;
        }
        for warning in &self.warnings {
            writeln!(f, "  ! {warning}")?;
        }
        for (number, line) in self.instructions.iter().enumerate() {
            writeln!(f, "  {}. {line}", number + 1)?;
        }
        let width = self
            .values
            .iter()
            .map(|(name, _)| name.chars().count())
            .max()
            .unwrap_or(0);
        for (name, value) in &self.values {
            writeln!(f, "     {name:width$}  {value}")?;
        }
        if let Some(file) = &self.file {
            writeln!(f, "     file to upload: {}", file.name)?;
        }
        for ask in &self.asks {
            let optional = if ask.optional { " (optional)" } else { "" };
            writeln!(f, "  < {}{optional}", ask.prompt)?;
        }
        Ok(())
    }
}
