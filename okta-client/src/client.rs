//! The client, and how every call is sent and read.

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

/// One Okta org, seen with one API token.
///
/// Cloning is cheap, and clones share connections and what is known of the rate limits. Each
/// resource has a handler: [`users`](Self::users), [`groups`](Self::groups),
/// [`apps`](Self::apps), [`push_mappings`](Self::push_mappings), [`domains`](Self::domains).
#[derive(Clone)]
pub struct Client {
    service: Service,
}

impl Client {
    /// Returns a builder for the org at `org_url`, such as `https://acme.okta.com`.
    pub fn builder(org_url: &str, token: Secret) -> ClientBuilder {
        ClientBuilder::new(org_url, token)
    }

    /// Returns the address of the org, with a slash at the end.
    #[must_use]
    pub fn org_url(&self) -> &Url {
        self.service.base()
    }

    /// Returns the calls about people.
    #[must_use]
    pub fn users(&self) -> Users<'_> {
        Users::new(self)
    }

    /// Returns the calls about groups of people.
    #[must_use]
    pub fn groups(&self) -> Groups<'_> {
        Groups::new(self)
    }

    /// Returns the calls about apps, and about who and what is assigned to them.
    #[must_use]
    pub fn apps(&self) -> Apps<'_> {
        Apps::new(self)
    }

    /// Returns the calls about the groups that `app` is kept supplied with.
    #[must_use]
    pub fn push_mappings(&self, app: &Id<App>) -> PushMappings<'_> {
        PushMappings::new(self, app.clone())
    }

    /// Returns the calls about custom domains of the org.
    #[must_use]
    pub fn domains(&self) -> Domains<'_> {
        Domains::new(self)
    }

    /// Sends `call` and returns the answer, which is a success.
    pub(crate) async fn send(&self, call: Call) -> Result<Reply, Error> {
        let operation = call.operation();
        match self.service.send(call).await {
            Ok(answer) => Ok(Reply { operation, answer }),
            Err(error) => Err(Error::from_rest(operation, error)),
        }
    }

    /// Sends `call` and reads the answer.
    pub(crate) async fn read<T: FromJson>(&self, call: Call) -> Result<T, Error> {
        self.send(call).await?.read()
    }

    /// As [`read`](Self::read), with `None` for what does not exist.
    pub(crate) async fn read_opt<T: FromJson>(&self, call: Call) -> Result<Option<T>, Error> {
        match self.read(call).await {
            Err(error) if error.is_not_found() => Ok(None),
            result => result.map(Some),
        }
    }

    /// Sends `call`, of whose answer only the success matters.
    pub(crate) async fn send_discard(&self, call: Call) -> Result<(), Error> {
        self.send(call).await.map(drop)
    }

    /// Sends the deletion `call`.
    ///
    /// If an attempt got no answer and the next finds nothing to delete, the first one has done it.
    pub(crate) async fn delete_idempotent(&self, call: Call) -> Result<(), Error> {
        let operation = call.operation();
        match self.service.send(call).await {
            Ok(_) => Ok(()),
            Err(rest_core::Error::Refused(answer))
                if answer.attempts() > 1
                    && answer.status() == StatusCode::NOT_FOUND
                    && Error::refused(String::new(), &answer).is_not_found() =>
            {
                Ok(())
            }
            Err(error) => Err(Error::from_rest(operation, error)),
        }
    }

    /// Returns the list that begins with the answer to `first`; nothing is sent yet.
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

/// A success of Okta's, and the call it answers.
pub(crate) struct Reply {
    operation: String,
    pub(crate) answer: Response,
}

impl Reply {
    /// Reads the body as one thing.
    pub(crate) fn read<T: FromJson>(self) -> Result<T, Error> {
        let value = self.answer.json().map_err(|error| self.unreadable(error))?;
        T::from_json(value).map_err(|missing| self.unreadable(missing))
    }

    /// Reads the body as one page of a list.
    fn page<T: FromJson>(self) -> Result<Page<T>, Error> {
        let value: Value = self.answer.json().map_err(|error| self.unreadable(error))?;
        let Value::Array(list) = value else {
            return Err(self.unreadable(Reason::NotAList));
        };
        let items = list.into_iter().map(T::from_json).collect::<Result<_, _>>();
        let items = items.map_err(|missing| self.unreadable(missing))?;
        let next = self
            .answer
            .next_link()
            .map_err(|error| self.unreadable(error))?;
        Ok(Page { items, next })
    }

    fn unreadable(&self, reason: impl Into<Reason>) -> Error {
        Error::body(self.operation.clone(), &self.answer, reason)
    }
}
