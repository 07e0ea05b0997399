//! The AWS services that this crate calls. All calls to AWS pass through [`Service::call`].

use std::{error::Error as StdError, future::Future};

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tracing::{Instrument, instrument::WithSubscriber};

use crate::{Error, ParseIdError, noop_subscriber::NOOP_DISPATCH};

/// An AWS service, with its name in the AWS CLI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// The configuration of a connection, which calls no service.
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

    /// Returns the prefix of the service's actions in IAM policies. The sign-in services have no
    /// prefix.
    pub(crate) fn iam_prefix(self) -> Option<&'static str> {
        match self {
            Self::IdentityStore => Some("identitystore"),
            Self::Organizations => Some("organizations"),
            Self::SsoAdmin => Some("sso"),
            Self::Sts => Some("sts"),
            Self::Configuration | Self::Portal | Self::SignIn => None,
        }
    }

    /// Sends one call and converts the SDK's error.
    pub(crate) async fn call<T, E>(
        self,
        operation: &'static str,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    ) -> Result<T, Error>
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        // The SDK logs whole requests and responses, tokens included, at level trace.
        let call = call.with_subscriber(NOOP_DISPATCH.clone());
        let span = tracing::debug_span!("aws", service = self.name(), operation);
        // The SDK's futures are tens of kilobytes. Without a box, they would add up in every caller.
        Box::pin(call)
            .instrument(span)
            .await
            .map_err(|error| Error::from_sdk(self, operation, error))
    }

    /// Returns a field of a response that the service model requires, or an error if it is missing.
    pub(crate) fn require_field<T>(
        self,
        operation: &'static str,
        field: &'static str,
        value: Option<T>,
    ) -> Result<T, Error> {
        value.ok_or_else(|| {
            Error::invalid_response(self, operation, format!("the response has no {field}"))
        })
    }

    /// Parses an id of a response.
    pub(crate) fn id<T>(
        self,
        operation: &'static str,
        field: &'static str,
        value: Option<String>,
    ) -> Result<T, Error>
    where
        T: TryFrom<String, Error = ParseIdError>,
    {
        T::try_from(self.require_field(operation, field, value)?)
            .map_err(|error| Error::invalid_response(self, operation, error))
    }
}
