//! The client: sends calls and decodes responses.

use std::{collections::BTreeMap, fmt, sync::Arc};

use http::StatusCode;
use rest_core::{Call, Idempotency, ItemError, Page, Pager, Response, Secret, Service};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use url::Url;

use crate::{Error, error::Reason, json::FromJson};

mod builder;

pub use builder::{BuildError, ClientBuilder};

/// A client for one Okta org with one API token.
///
/// Cloning is cheap; clones share the connections and the known rate limits. Each kind of resource
/// has its own methods: [`users`](Self::users), [`groups`](Self::groups), [`apps`](Self::apps),
/// [`push_mappings`](Self::push_mappings), [`domains`](Self::domains). [`send`](Self::send) sends
/// any other call.
#[derive(Clone)]
pub struct Client {
    service: Service,
}

impl Client {
    /// Returns a builder for the org at `org_url`, such as `https://acme.okta.com`.
    pub fn builder(org_url: &str, token: Secret) -> ClientBuilder {
        ClientBuilder::new(org_url, token)
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

    /// Sends `call` and decodes the response.
    pub(crate) async fn read<T: FromJson>(&self, call: Call) -> Result<T, Error> {
        self.request(call).await?.read()
    }

    /// Like [`read`](Self::read), but returns `None` if the resource does not exist.
    pub(crate) async fn read_opt<T: FromJson>(&self, call: Call) -> Result<Option<T>, Error> {
        match self.read(call).await {
            Err(error) if error.is_not_found() => Ok(None),
            result => result.map(Some),
        }
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
        let client = self.clone();
        let operation = first().operation();
        let first = Arc::new(first);
        Pager::new(operation, move |cursor| {
            let (client, first) = (client.clone(), Arc::clone(&first));
            Box::pin(async move {
                let call = cursor.map_or_else(|| first(), Call::get_link);
                client.request(call).await?.page()
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

/// A successful response with the call that it belongs to.
pub(crate) struct Reply {
    operation: String,
    idempotency: Idempotency,
    pub(crate) response: Response,
}

impl Reply {
    /// Decodes the body as one resource.
    pub(crate) fn read<T: FromJson>(self) -> Result<T, Error> {
        let value = self
            .response
            .json()
            .map_err(|error| self.body_error(error))?;
        T::from_json(value).map_err(|missing| self.body_error(missing))
    }

    /// Decodes the body as one page of a list.
    fn page<T: FromJson>(self) -> Result<Page<T>, Error> {
        let list: Vec<&RawValue> =
            serde_json::from_slice(self.response.body()).map_err(|error| {
                let is_json = self.response.json::<IgnoredAny>().is_ok();
                self.body_error(if is_json {
                    Reason::NotAList
                } else {
                    Reason::from(error)
                })
            })?;
        let items = list.into_iter().map(read_item).collect();
        let next = self
            .response
            .next_link()
            .map_err(|error| self.body_error(error))?;
        Ok(Page { items, next })
    }

    /// Decodes the body as an object with the only page of a list in `field`.
    pub(crate) fn wrapped_page<T: FromJson>(self, field: &'static str) -> Result<Page<T>, Error> {
        let mut object: BTreeMap<String, &RawValue> =
            serde_json::from_slice(self.response.body()).map_err(|error| self.body_error(error))?;
        let list: Vec<&RawValue> = match object.remove(field) {
            Some(list) => serde_json::from_str(list.get()),
            None => return Err(self.body_error(Reason::NotAList)),
        }
        .map_err(|error| self.body_error(error))?;
        Ok(Page {
            items: list.into_iter().map(read_item).collect(),
            next: None,
        })
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

/// Decodes one item of a list.
fn read_item<T: FromJson>(item: &RawValue) -> Result<T, ItemError> {
    let read = || -> Result<T, Reason> {
        let value = serde_json::from_str(item.get())?;
        Ok(T::from_json(value)?)
    };
    read().map_err(|reason| ItemError::new(item.get(), reason))
}
