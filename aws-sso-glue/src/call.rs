//! Sends calls and reads lists. All calls of this crate to AWS pass through [`Service::call`].

use std::{error::Error as StdError, fmt, future::Future};

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use rest_core::{ItemError, Page, Pager, Reachability};
use tracing::{Instrument, instrument::WithSubscriber};

use crate::{
    Error, ParseIdError, noop_subscriber::NOOP_DISPATCH, service::Service, transport::Attempts,
};

impl Service {
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
        let (result, attempts) = Attempts::observe(Box::pin(call).instrument(span)).await;
        result.map_err(|error| {
            let error = Error::from_sdk(self, operation, error);
            // An error code is an answer of AWS itself, and not of a gateway in front of it.
            if let Some(origin) = attempts.without_answer()
                && error.code().is_none()
            {
                Reachability::record(origin, &error);
            }
            error
        })
    }

    /// Sends one call and reads its response with `read`. An error of `read` has the request id of
    /// the response.
    pub(crate) async fn call_and_read<T, E, R>(
        self,
        operation: &'static str,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        read: impl FnOnce(T) -> Result<R, Error>,
    ) -> Result<R, Error>
    where
        T: RequestId,
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let response = self.call(operation, call).await?;
        let request_id = response.request_id().map(rest_core::to_single_line);
        read(response).map_err(|error| error.with_request_id(request_id))
    }

    /// Returns the pager of a list.
    ///
    /// `send` requests the page with a token, `rows` takes the rows and the next token out of a
    /// response, and `read` converts a row. A row that cannot be converted is the error of an item.
    /// Its raw text is the SDK's `Debug` output, in which the SDK omits what is sensitive.
    pub(crate) fn list<T, R, E, Row, F>(
        self,
        operation: &'static str,
        send: impl Fn(Option<String>) -> F + Send + Sync + 'static,
        rows: impl Fn(R) -> (Vec<Row>, Option<String>) + Clone + Send + Sync + 'static,
        read: impl Fn(Row) -> Result<T, Error> + Clone + Send + Sync + 'static,
    ) -> Pager<T, Error>
    where
        F: Future<Output = Result<R, SdkError<E, HttpResponse>>> + Send + 'static,
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
        R: Send + 'static,
        Row: Clone + fmt::Debug,
    {
        Pager::new(self.operation(operation), move |token| {
            let (call, rows, read) = (send(token), rows.clone(), read.clone());
            Box::pin(async move {
                let (rows, next) = rows(self.call(operation, call).await?);
                Ok(Page {
                    items: rows.into_iter().map(|row| read_row(row, &read)).collect(),
                    // Some services end a list with an empty token.
                    next: next.filter(|token| !token.is_empty()),
                })
            })
        })
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

/// Converts a row of a list.
pub(crate) fn read_row<Row: Clone + fmt::Debug, T>(
    row: Row,
    read: impl Fn(Row) -> Result<T, Error>,
) -> Result<T, ItemError> {
    read(row.clone()).map_err(|error| ItemError::new(format!("{row:?}"), error.into_cause()))
}
