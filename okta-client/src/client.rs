//! The client: sends calls and decodes responses.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{StatusCode, header::CONTENT_TYPE};
use rest_core::{Call, Idempotency, Page, Pager, Response, Service, headers};
use url::Url;

use crate::{Credential, Error, body, error::Reason, json::FromJson};

mod builder;

pub use builder::{BuildError, ClientBuilder};

/// A client for one Okta org with one credential.
///
/// Cloning is cheap; clones share the connections, the access token and the known rate limits. Each kind of resource
/// has its own methods: [`users`](Self::users), [`groups`](Self::groups), [`apps`](Self::apps),
/// [`push_mappings`](Self::push_mappings), [`domains`](Self::domains). [`send`](Self::send) sends
/// any other call.
#[derive(Clone)]
pub struct Client {
    service: Service,
}

impl Client {
    /// Returns a builder for the org at `org_url`, such as `https://acme.okta.com`.
    ///
    /// `credential` is an API token as a [`Secret`](rest_core::Secret), a
    /// [`ServiceApp`](crate::ServiceApp), a [`TokenSource`](crate::TokenSource) in an `Arc`, or any other
    /// [`Credential`].
    pub fn builder(org_url: &str, credential: impl Into<Credential>) -> ClientBuilder {
        ClientBuilder::new(org_url, credential.into())
    }

    /// Returns the URL of the org, with a trailing slash.
    #[must_use]
    pub fn org_url(&self) -> &Url {
        self.service.base()
    }

    /// Sends a call that this crate does not model, and returns the successful response.
    ///
    /// The call is authorized, rate-limited, retried and checked like every other call. Its path is
    /// below the org URL.
    ///
    /// ```
    /// # use okta_client::{Call, Client};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = sandbox::Sandbox::start().await;
    /// # let token = okta_client::Secret::new(sandbox.okta_token());
    /// # let okta = Client::builder(&sandbox.okta_url(), token).build()?;
    /// let org: serde_json::Value = okta.send(Call::get(["api", "v1", "org"])).await?.json()?;
    /// assert_eq!(org["status"], "ACTIVE");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request cannot be sent or if the response has another status than 2xx.
    pub async fn send(&self, call: Call) -> Result<Response, Error> {
        self.request(call).await.map(|reply| reply.response)
    }

    /// Sends `call` and returns the successful response.
    pub(crate) async fn request(&self, call: Call) -> Result<Reply, Error> {
        let (operation, idempotency) = (call.operation(), call.idempotency());
        match self.service.send(call).await {
            Ok(response) => Ok(Reply {
                operation,
                idempotency,
                response,
            }),
            Err(error) => Err(Error::from_rest(operation, idempotency, error)),
        }
    }

    /// Waits on the clock of this client.
    pub(crate) async fn sleep(&self, pause: Duration) {
        self.service.clock().sleep(pause).await;
    }

    /// Sends `call` and decodes the response.
    pub(crate) async fn read<T: FromJson>(&self, call: Call) -> Result<T, Error> {
        self.request(call).await?.read()
    }

    /// Like [`read`](Self::read), but returns `None` if the resource does not exist.
    pub(crate) async fn read_opt<T: FromJson>(&self, call: Call) -> Result<Option<T>, Error> {
        found(self.read(call).await)
    }

    /// Sends `call` and discards the response body.
    pub(crate) async fn send_discard(&self, call: Call) -> Result<(), Error> {
        self.request(call).await.map(drop)
    }

    /// Sends a call that deletes a resource.
    ///
    /// A retry may find nothing to delete, because an earlier attempt whose response was lost has
    /// deleted the resource. This counts as success.
    pub(crate) async fn delete_idempotent(&self, call: Call) -> Result<(), Error> {
        let (operation, idempotency) = (call.operation(), call.idempotency());
        match self.service.send(call).await {
            Ok(_) => Ok(()),
            Err(rest_core::Error::Refused(response))
                if response.attempts() > 1
                    && response.status() == StatusCode::NOT_FOUND
                    && Error::refused(String::new(), &response, false).is_not_found() =>
            {
                Ok(())
            }
            Err(error) => Err(Error::from_rest(operation, idempotency, error)),
        }
    }

    /// Returns a pager over the list whose first page is `first`. Nothing is sent yet.
    pub(crate) fn list<T, F>(&self, first: F) -> Pager<T, Error>
    where
        T: FromJson + Send + 'static,
        F: Fn() -> Call + Send + Sync + 'static,
    {
        self.list_in(None, first)
    }

    /// Like [`list`](Self::list), for pages that are objects with the list in `field`.
    pub(crate) fn list_in<T, F>(&self, field: Option<&'static str>, first: F) -> Pager<T, Error>
    where
        T: FromJson + Send + 'static,
        F: Fn() -> Call + Send + Sync + 'static,
    {
        let client = self.clone();
        let operation = first().operation();
        let first = Arc::new(first);
        Pager::new(operation, move |cursor| {
            let (client, first) = (client.clone(), Arc::clone(&first));
            Box::pin(async move {
                let call = cursor.map_or_else(|| first(), Call::get_link);
                client.request(call).await?.page(field)
            })
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("org_url", &self.org_url().as_str())
            .finish_non_exhaustive()
    }
}

/// Returns the segments of a path as one list.
pub(crate) fn join(parts: &[&[&str]]) -> Vec<String> {
    parts.concat().into_iter().map(String::from).collect()
}

/// Returns `None` instead of the error that the resource does not exist.
pub(crate) fn found<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Err(error) if error.is_not_found() => Ok(None),
        result => result.map(Some),
    }
}

/// The root element of SAML metadata, or of a list of them (`EntitiesDescriptor` contains them).
const ROOT: &[u8] = b"EntityDescriptor";

/// A successful response with the call that it belongs to.
pub(crate) struct Reply {
    operation: String,
    idempotency: Idempotency,
    pub(crate) response: Response,
}

impl Reply {
    /// Returns whether the response has no body.
    pub(crate) fn is_empty(&self) -> bool {
        self.response.body().is_empty()
    }

    /// Returns a header of the response.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        headers::text(self.response.headers(), name).map(str::to_owned)
    }

    /// Returns the body if it is an XML document of SAML metadata, without changing a byte.
    pub(crate) fn metadata(self) -> Result<Bytes, Error> {
        let body = self.response.body();
        let is_html = headers::text(self.response.headers(), CONTENT_TYPE.as_str())
            .is_some_and(|kind| kind.trim_start().starts_with("text/html"));
        if is_html || !body.windows(ROOT.len()).any(|window| window == ROOT) {
            return Err(self.body_error(Reason::NotMetadata));
        }
        Ok(self.response.into_body())
    }

    /// Decodes the body as one resource.
    pub(crate) fn read<T: FromJson>(self) -> Result<T, Error> {
        body::document(self.response.body()).map_err(|reason| self.body_error(reason))
    }

    /// Decodes the body as one page of a list, or as an object with the only page in `field`.
    pub(crate) fn page<T: FromJson>(self, field: Option<&'static str>) -> Result<Page<T>, Error> {
        let items =
            body::list(self.response.body(), field).map_err(|reason| self.body_error(reason))?;
        let next = self
            .response
            .next_link()
            .map_err(|error| self.body_error(error))?;
        Ok(Page { items, next })
    }

    fn body_error(&self, reason: impl Into<Reason>) -> Error {
        let may_have_acted = self.idempotency == Idempotency::NotIdempotent;
        Error::body(
            self.operation.clone(),
            &self.response,
            may_have_acted,
            reason,
        )
    }
}
