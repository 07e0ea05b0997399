//! The software that signs, and the partner that verifies the signatures.

use jiff::SignedDuration;

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

    /// Returns a consumer that loads the metadata document within 24 hours and keeps any number of
    /// certificates.
    ///
    /// The 24 hours are the project's choice for a consumer without a known interval. A consumer may
    /// use a document until its `cacheDuration` has passed; [`reload`](Self::reload) sets that time.
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

    /// Sets the time after which the consumer certainly has a new document or certificate. A negative
    /// duration counts as zero.
    #[must_use]
    pub fn reload(mut self, duration: SignedDuration) -> Self {
        self.reload = duration.max(SignedDuration::ZERO);
        self
    }
}

#[cfg(feature = "serde")]
fn as_text<S: serde::Serializer>(
    duration: &SignedDuration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(duration)
}
