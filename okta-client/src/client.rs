//! The client: sends calls and decodes responses.

use std::{fmt, sync::Arc};

use http::StatusCode;
use rest_core::{Call, Page, Pager, Response, Secret, Service};
use serde_json::Value;
use url::Url;

use crate::{
    App, Apps, Domains, Error, Groups, Id, PushMappings, Users, error::Reason, json::FromJson,
};

mod builder;

pub use builder::{BuildError, ClientBuilder};

/// A client for one Okta org with one API token.
///
/// Cloning is cheap; clones share the connections and the known rate limits. Each kind of resource
/// has its own methods: [`users`](Self::users), [`groups`](Self::groups), [`apps`](Self::apps),
/// [`push_mappings`](Self::push_mappings), [`domains`](Self::domains).
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

    /// Returns the calls for users.
    #[must_use]
    pub fn users(&self) -> Users<'_> {
        Users::new(self)
    }

    /// Returns the calls for groups.
    #[must_use]
    pub fn groups(&self) -> Groups<'_> {
        Groups::new(self)
    }

    /// Returns the calls for apps and their assignments.
    #[must_use]
    pub fn apps(&self) -> Apps<'_> {
        Apps::new(self)
    }

    /// Returns the calls for the groups that Okta pushes to `app`.
    #[must_use]
    pub fn push_mappings(&self, app: &Id<App>) -> PushMappings<'_> {
        PushMappings::new(self, app.clone())
    }

    /// Returns the calls for the org's custom domains.
    #[must_use]
    pub fn domains(&self) -> Domains<'_> {
        Domains::new(self)
    }

    /// Sends `call` and returns the successful response.
    pub(crate) async fn send(&self, call: Call) -> Result<Reply, Error> {
        let operation = call.operation();
        match self.service.send(call).await {
            Ok(response) => Ok(Reply {
                operation,
                response,
            }),
            Err(error) => Err(Error::from_rest(operation, error)),
        }
    }

    /// Sends `call` and decodes the response.
    pub(crate) async fn read<T: FromJson>(&self, call: Call) -> Result<T, Error> {
        self.send(call).await?.read()
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
        self.send(call).await.map(drop)
    }

    /// Sends a call that deletes a resource.
    ///
    /// A retry may find nothing to delete, because an earlier attempt whose response was lost has
    /// deleted the resource. This counts as success.
    pub(crate) async fn delete_idempotent(&self, call: Call) -> Result<(), Error> {
        let operation = call.operation();
        match self.service.send(call).await {
            Ok(_) => Ok(()),
            Err(rest_core::Error::Refused(response))
                if response.attempts() > 1
                    && response.status() == StatusCode::NOT_FOUND
                    && Error::refused(String::new(), &response).is_not_found() =>
            {
                Ok(())
            }
            Err(error) => Err(Error::from_rest(operation, error)),
        }
    }

    /// Returns a pager over the list whose first page is `first`. Nothing is sent yet.
    pub(crate) fn list<T, F>(&self, first: F) -> Pager<T, Error>
    where
        T: FromJson + Send + 'static,
        F: Fn() -> Call + Send + Sync + 'static,
    {
        let client = self.clone();
        let first = Arc::new(first);
        Pager::new(move |cursor| {
            let (client, first) = (client.clone(), Arc::clone(&first));
            Box::pin(async move {
                let call = cursor.map_or_else(|| first(), Call::get_link);
                client.send(call).await?.page()
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
        let value: Value = self
            .response
            .json()
            .map_err(|error| self.body_error(error))?;
        let Value::Array(list) = value else {
            return Err(self.body_error(Reason::NotAList));
        };
        let items = list.into_iter().map(T::from_json).collect::<Result<_, _>>();
        let items = items.map_err(|missing| self.body_error(missing))?;
        let next = self
            .response
            .next_link()
            .map_err(|error| self.body_error(error))?;
        Ok(Page { items, next })
    }

    fn body_error(&self, reason: impl Into<Reason>) -> Error {
        Error::body(self.operation.clone(), &self.response, reason)
    }
}
