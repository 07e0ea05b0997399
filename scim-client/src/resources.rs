use std::{fmt, marker::PhantomData};

use futures::FutureExt;
use http::StatusCode;
use rest_core::{Call, Idempotency, Pager};
use scim_types::{
    Group, PatchOp, PatchOperation, Resource, ResourceId, User,
    filter::{AttributePath, Filter},
};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::{
    Client, Error, RefusedRequest,
    client::{SCIM_JSON, decode, has_body},
    dialect::check_group_patch,
    paging::List,
};

/// The calls on the resources of one kind, users or groups.
pub struct Resources<'a, R> {
    client: &'a Client,
    kind: PhantomData<fn() -> R>,
}

impl<'a, R: Resource> Resources<'a, R> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self {
            client,
            kind: PhantomData,
        }
    }

    /// Returns one resource; [`get_opt`](Self::get_opt) is for one that may not exist.
    ///
    /// AWS never says the members of a group here: list users by `groups.value` instead.
    ///
    /// # Errors
    ///
    /// [`Error`], as every call.
    pub async fn get(&self, id: &ResourceId) -> Result<R, Error> {
        self.client
            .read(Call::get([R::ENDPOINT, id.as_str()]))
            .await
    }

    /// Returns one resource with only these attributes, and those that are always returned, its id first of all.
    ///
    /// What was not asked for is absent, as if it had no value: do not [`replace`](Resources::<User>::replace) by it.
    ///
    /// # Errors
    ///
    /// [`Error`], as every call; [`Error::Refused`], and nothing is sent, if the dialect overlooks `attributes`, as AWS does.
    pub async fn get_attributes(
        &self,
        id: &ResourceId,
        attributes: &[AttributePath],
    ) -> Result<R, Error> {
        let rules = self.client.dialect().rules();
        if !rules.selects_attributes {
            let operation = format!("GET /{}/{id}", R::ENDPOINT);
            let problem = format!(
                "{} takes no selection of attributes; get the whole resource",
                rules.name
            );
            return Err(RefusedRequest { operation, problem }.into());
        }
        let names: Vec<String> = attributes.iter().map(ToString::to_string).collect();
        let call = Call::get([R::ENDPOINT, id.as_str()]).query("attributes", names.join(","));
        self.client.read(call).await
    }

    /// Returns one resource, or `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// [`Error`], as every call.
    pub async fn get_opt(&self, id: &ResourceId) -> Result<Option<R>, Error> {
        absent_is_none(self.get(id).await)
    }

    /// Returns all resources, or those a filter finds, page by page.
    ///
    /// A filter the dialect does not take is the first error of the pager, and nothing is sent.
    pub fn list(&self, filter: impl Into<Option<Filter>>) -> Pager<R, Error> {
        let client = self.client.clone();
        let list = List::new(client.dialect(), client.pages(), R::ENDPOINT, filter.into());
        Pager::new(move |place| {
            let (client, list) = (client.clone(), list.clone());
            async move { client.page(&list, place.as_deref()).await }.boxed()
        })
    }

    /// Returns the one resource a filter finds, or `None`.
    ///
    /// # Errors
    ///
    /// [`Error`], as every call, and [`Error::Ambiguous`] if there are several.
    pub async fn find(&self, filter: Filter) -> Result<Option<R>, Error> {
        let mut found = self.list(filter.clone());
        let Some(first) = found.try_next().await? else {
            return Ok(None);
        };
        match found.try_next().await? {
            None => Ok(Some(first)),
            Some(_) => Err(Error::Ambiguous {
                operation: format!("GET /{}", R::ENDPOINT),
                filter: Box::new(filter),
            }),
        }
    }

    /// Creates a resource, and returns it with the id it was given.
    ///
    /// It is never sent twice if the server may have acted on the first; then
    /// [`Error::may_have_acted`] is true, and [`create_or_adopt`](Self::create_or_adopt) would look.
    ///
    /// # Errors
    ///
    /// [`Error`], as every call; [`is_conflict`](Error::is_conflict) if a unique value is taken.
    pub async fn create(&self, resource: &R) -> Result<R, Error> {
        let call = Call::post([R::ENDPOINT]).json_as(SCIM_JSON, resource);
        self.write(call, Idempotency::NotIdempotent, resource).await
    }

    /// Creates a resource, or takes the one that is already there for it.
    ///
    /// If the server says that it exists, or the answer was lost, the resource is looked up by its
    /// external id, then by its name. One that another external id belongs to is never taken.
    ///
    /// # Errors
    ///
    /// The error of [`create`](Self::create), if there is nothing to take; any error of looking.
    pub async fn create_or_adopt(&self, resource: &R) -> Result<Created<R>, Error> {
        let error = match self.create(resource).await {
            Ok(created) => return Ok(Created::New(created)),
            Err(error) if error.is_conflict() || error.may_have_acted() => error,
            Err(error) => return Err(error),
        };
        let by_external_id = resource
            .external_id()
            .map(|id| Filter::eq(AttributePath::EXTERNAL_ID, id));
        let by_name = resource.name().map(|name| Filter::eq(R::NAME, name));
        for filter in by_external_id.into_iter().chain(by_name) {
            if let Some(found) = self.find(filter).await?
                && is_for(&found, resource)
            {
                return Ok(Created::Adopted(found));
            }
        }
        Err(error)
    }

    /// Deletes a resource.
    ///
    /// One that is gone when the request is repeated, because an answer was lost, counts as deleted.
    ///
    /// # Errors
    ///
    /// [`Error`], as every call.
    pub async fn delete(&self, id: &ResourceId) -> Result<(), Error> {
        let call = Call::delete([R::ENDPOINT, id.as_str()]);
        match self.client.send(call, Idempotency::Idempotent).await {
            Err(Error::Api(refusal))
                if refusal.status() == StatusCode::NOT_FOUND && refusal.attempts() > 1 =>
            {
                Ok(())
            }
            Err(error) => Err(error),
            // "204, no body" (RFC 7644 section 3.6): a page says that something in front of the server has answered.
            Ok(answer) if has_body(&answer) => {
                let operation = format!("DELETE /{}/{id}", R::ENDPOINT);
                decode::<IgnoredAny>(&answer, operation, Idempotency::Idempotent).map(|_| ())
            }
            Ok(_) => Ok(()),
        }
    }

    /// Sends a call with a document, and reads the resource that comes back.
    async fn write(&self, call: Call, idempotency: Idempotency, document: &R) -> Result<R, Error> {
        let operation = call.operation();
        let answer = self.client.send(call, idempotency).await;
        let explained =
            answer.map_err(|error| error.explain(|| self.client.dialect().violations(document)))?;
        decode(&explained, operation, idempotency)
    }

    /// Sends a patch, and reads the resource if it comes back.
    async fn change(&self, id: &ResourceId, patch: &PatchOp) -> Result<Option<R>, Error> {
        let call = Call::patch([R::ENDPOINT, id.as_str()]).json_as(SCIM_JSON, patch);
        let operation = call.operation();
        // What is added twice is there once, what is removed twice is gone (RFC 7644 section 3.5.2).
        let answer = self.client.send(call, Idempotency::Idempotent).await?;
        has_body(&answer)
            .then(|| decode(&answer, operation, Idempotency::Idempotent))
            .transpose()
    }
}

impl Resources<'_, User> {
    /// Replaces a user as a whole; what the new one does not say is gone.
    ///
    /// # Errors
    ///
    /// [`Error`], as every call.
    pub async fn replace(&self, id: &ResourceId, user: &User) -> Result<User, Error> {
        let call = Call::put([User::ENDPOINT, id.as_str()]).json_as(SCIM_JSON, user);
        self.write(call, Idempotency::Idempotent, user).await
    }

    /// Changes parts of a user, and returns the user if the server does.
    ///
    /// # Errors
    ///
    /// [`Error`], as every call.
    pub async fn patch(&self, id: &ResourceId, patch: &PatchOp) -> Result<Option<User>, Error> {
        self.change(id, patch).await
    }
}

impl Resources<'_, Group> {
    /// Replaces a group as a whole, its members too; what the new one does not say is gone.
    ///
    /// # Errors
    ///
    /// [`Error`], as every call; [`Error::Refused`], and nothing is sent, if the dialect has no such request: AWS has not.
    pub async fn replace(&self, id: &ResourceId, group: &Group) -> Result<Group, Error> {
        let rules = self.client.dialect().rules();
        if !rules.replaces_groups {
            let operation = format!("PUT /{}/{id}", Group::ENDPOINT);
            let problem = format!("{} replaces no groups; patch it", rules.name);
            return Err(RefusedRequest { operation, problem }.into());
        }
        let call = Call::put([Group::ENDPOINT, id.as_str()]).json_as(SCIM_JSON, group);
        self.write(call, Idempotency::Idempotent, group).await
    }

    /// Changes parts of a group, and returns the group if the server does; AWS does not.
    ///
    /// [`add_members`](Self::add_members) and [`remove_members`](Self::remove_members) know how many
    /// the server takes at once, and in which form.
    ///
    /// # Errors
    ///
    /// [`Error`], as every call; [`Error::Refused`], and nothing is sent, if the dialect does not take
    /// what the patch does to the members, or would take it for something else.
    pub async fn patch(&self, id: &ResourceId, patch: &PatchOp) -> Result<Option<Group>, Error> {
        if let Some(problem) = check_group_patch(self.client.dialect().rules(), patch) {
            let operation = format!("PATCH /{}/{id}", Group::ENDPOINT);
            return Err(RefusedRequest { operation, problem }.into());
        }
        self.change(id, patch).await
    }

    /// Adds users to a group, in as many requests as the dialect needs.
    ///
    /// Users who are in it already stay in it, so it may be done again after an error.
    ///
    /// # Errors
    ///
    /// [`Error`], as every call; the requests before it have been done.
    pub async fn add_members(&self, id: &ResourceId, users: &[ResourceId]) -> Result<(), Error> {
        for users in users.chunks(self.members_at_once()) {
            self.patch(id, &PatchOperation::add_members(users).into())
                .await?;
        }
        Ok(())
    }

    /// Removes users from a group, in as many requests and in the form the dialect needs.
    ///
    /// # Errors
    ///
    /// [`Error`], as every call; the requests before it have been done.
    pub async fn remove_members(&self, id: &ResourceId, users: &[ResourceId]) -> Result<(), Error> {
        let removal = self.client.dialect().rules().member_removal;
        for users in users.chunks(self.members_at_once()) {
            self.patch(id, &PatchOp::new(removal.operations(users)))
                .await?;
        }
        Ok(())
    }

    fn members_at_once(&self) -> usize {
        self.client
            .dialect()
            .rules()
            .max_member_changes
            .unwrap_or(usize::MAX)
    }
}

impl<R> fmt::Debug for Resources<'_, R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Resources")
            .field(self.client)
            .finish()
    }
}

/// What came of [`Resources::create_or_adopt`].
#[derive(Clone, Debug, PartialEq)]
pub enum Created<R> {
    /// The resource was created.
    New(R),
    /// The resource was there; it may differ from the one that was to be created.
    Adopted(R),
}

impl<R> Created<R> {
    /// Returns the resource, as the server has it.
    pub fn resource(&self) -> &R {
        match self {
            Self::New(resource) | Self::Adopted(resource) => resource,
        }
    }

    /// Returns the resource, as the server has it.
    pub fn into_resource(self) -> R {
        match self {
            Self::New(resource) | Self::Adopted(resource) => resource,
        }
    }
}

/// Says whether a resource that was found may be taken for one that was to be created.
fn is_for<R: Resource>(found: &R, wanted: &R) -> bool {
    match (found.external_id(), wanted.external_id()) {
        (Some(found), Some(wanted)) => found == wanted,
        _ => true,
    }
}

fn absent_is_none<T: DeserializeOwned>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
