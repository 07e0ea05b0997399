//! Hand-offs: what only a person at a vendor's console can do, asked for exactly and proved afterwards.

mod sandbox;
mod scripted;
mod terminal;

use std::{collections::BTreeMap, fmt};

use futures::future::BoxFuture;
use rest_core::Secret;

pub use sandbox::SandboxOperator;
pub use scripted::ScriptedOperator;
pub use terminal::TerminalOperator;

/// The person, or what stands in for one, who does what no public API can.
pub trait Operator: Send + Sync {
    /// Shows the hand-off and returns what the person hands back.
    ///
    /// It may take as long as a person takes. Whoever calls proves what comes back, and may ask again with
    /// [`ManualStep::refused`] set if [`Operator::may_ask_again`] says so.
    fn ask<'a>(
        &'a self,
        manual_step: &'a ManualStep,
    ) -> BoxFuture<'a, Result<Answers, OperatorError>>;

    /// Whether a wrong answer is worth asking again for.
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

/// Something that a person is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManualStep {
    /// What kind of hand-off it is.
    pub kind: ManualStepKind,
    /// What is to be done, in a few words.
    pub title: String,
    /// Where to go.
    pub place: String,
    /// What to do there, click by click.
    pub instructions: Vec<String>,
    /// What to know before doing it.
    pub warnings: Vec<String>,
    /// Values to type or paste there.
    pub values: Vec<(String, String)>,
    /// A file to upload there.
    pub file: Option<Attachment>,
    /// What is wanted back.
    pub asks: Vec<Ask>,
    /// Why the answers of before were not taken.
    pub refused: Option<String>,
}

/// The kinds of hand-offs that the steps of this crate ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ManualStepKind {
    /// Publish DNS records.
    DnsRecords,
    /// Enable IAM Identity Center for the organization.
    EnableIdentityCenter,
    /// Read or choose the address of the access portal.
    AccessPortal,
    /// Make the external identity provider the identity source.
    IdentitySource,
    /// Enable automatic provisioning.
    AutomaticProvisioning,
    /// Configure provisioning of the Okta app.
    OktaProvisioning,
    /// Sign in as a user.
    SignIn,
}

/// A file that a hand-off gives to the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Something that a hand-off wants back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The name of the answer in [`Answers`].
    pub key: &'static str,
    /// What to answer, in words.
    pub prompt: String,
    /// How the answer is to be treated.
    pub kind: AskKind,
    /// Whether nothing is an answer too.
    pub optional: bool,
}

/// How an answer is to be treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AskKind {
    /// A line of text.
    Text,
    /// A line that must not be shown or kept.
    Secret,
    /// The contents of a file.
    File,
}

/// What a person handed back.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    texts: BTreeMap<&'static str, String>,
    files: BTreeMap<&'static str, Vec<u8>>,
    secrets: BTreeMap<&'static str, Secret>,
}

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// Nobody is there to be asked.
    #[error("nobody is there to do it")]
    Absent,
    /// The person did not want to, or could not.
    #[error("it was not done: {0}")]
    Declined(String),
    /// The person could not be reached.
    #[error("the person could not be asked")]
    Unreachable(#[from] std::io::Error),
}

/// An operator that is never there: a run stops at the first hand-off, says what to do, and can be resumed.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoOperator;

impl Operator for NoOperator {
    fn ask<'a>(&'a self, _: &'a ManualStep) -> BoxFuture<'a, Result<Answers, OperatorError>> {
        Box::pin(std::future::ready(Err(OperatorError::Absent)))
    }
}

impl Answers {
    /// Adds a text.
    #[must_use]
    pub fn text(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.texts.insert(key, value.into());
        self
    }

    /// Adds the contents of a file.
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

    /// A text that was handed back, trimmed; `None` if it is missing or empty.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.texts
            .get(key)
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
    }

    /// The contents of a file that was handed back.
    #[must_use]
    pub fn get_file(&self, key: &str) -> Option<&[u8]> {
        self.files.get(key).map(Vec::as_slice)
    }

    /// A secret that was handed back.
    #[must_use]
    pub fn get_secret(&self, key: &str) -> Option<&Secret> {
        self.secrets.get(key)
    }
}

impl ManualStep {
    /// A hand-off without anything to type, upload or hand back.
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
            refused: None,
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

    /// Adds a value to type or paste.
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

    /// Asks for something back.
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

    /// Asks for something back that may be left out.
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
        if let Some(refused) = &self.refused {
            writeln!(f, "  not taken: {}", refused.replace('\n', "\n    "))?;
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
