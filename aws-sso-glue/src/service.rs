//! One place through which every call goes.

use std::{error::Error as StdError, future::Future};

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tracing::{Instrument, instrument::WithSubscriber};

use crate::{Error, ParseIdError, noop_subscriber::NOOP_DISPATCH};

/// A service of AWS, as its command line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// No service: what is needed to call one.
    Configuration,
    IdentityStore,
    Organizations,
    Portal,
    SignIn,
    SsoAdmin,
    Sts,
}

impl Service {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::IdentityStore => "identitystore",
            Self::Organizations => "organizations",
            Self::Portal => "sso",
            Self::SignIn => "sso-oidc",
            Self::SsoAdmin => "sso-admin",
            Self::Sts => "sts",
        }
    }

    /// What stands before the operation in an IAM policy; the services for people have none.
    pub(crate) fn iam_prefix(self) -> Option<&'static str> {
        match self {
            Self::IdentityStore => Some("identitystore"),
            Self::Organizations => Some("organizations"),
            Self::SsoAdmin => Some("sso"),
            Self::Sts => Some("sts"),
            Self::Configuration | Self::Portal | Self::SignIn => None,
        }
    }

    /// Carries out one call, and makes its failure ours.
    pub(crate) async fn call<T, E>(
        self,
        operation: &'static str,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    ) -> Result<T, Error>
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        // The SDK logs whole requests and answers at trace, tokens included.
        let call = call.with_subscriber(NOOP_DISPATCH.clone());
        let span = tracing::debug_span!("aws", service = self.name(), operation);
        // On the heap: the SDK's futures are tens of kilobytes, and would add up in every caller.
        Box::pin(call)
            .instrument(span)
            .await
            .map_err(|error| Error::from_sdk(self, operation, error))
    }

    /// Takes a member of an answer that the service model promises.
    pub(crate) fn require_field<T>(
        self,
        operation: &'static str,
        member: &'static str,
        value: Option<T>,
    ) -> Result<T, Error> {
        value.ok_or_else(|| {
            Error::unreadable(self, operation, format!("the answer has no {member}"))
        })
    }

    /// Takes an id out of an answer.
    pub(crate) fn id<T>(
        self,
        operation: &'static str,
        member: &'static str,
        value: Option<String>,
    ) -> Result<T, Error>
    where
        T: TryFrom<String, Error = ParseIdError>,
    {
        T::try_from(self.require_field(operation, member, value)?)
            .map_err(|error| Error::unreadable(self, operation, error))
    }
}
