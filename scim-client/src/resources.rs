//! Calls that read, create, change and delete users and groups.

use std::{fmt, marker::PhantomData};

use futures::FutureExt;
use rest_core::{Call, Idempotency, Pager};
use scim_types::{
    Group, PatchOp, PatchOperation, Resource, ResourceId, User,
    filter::{AttributePath, Filter},
};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::{
    Client, Error, UnsupportedRequest,
    client::{SCIM_JSON, decode, has_body},
    dialect::check_group_patch,
    paging::List,
    text::single_line,
};

/// Calls for one type of resource: users or groups.
pub struct Resources<'a, R> {
    client: &'a Client,
    kind: PhantomData<fn() -> R>,
}

impl Client {
    /// Returns the calls for users.
    #[must_use]
    pub fn users(&self) -> Resources<'_, User> {
        Resources {
            client: self,
            kind: PhantomData,
        }
    }

    /// Returns the calls for groups.
    #[must_use]
    pub fn groups(&self) -> Resources<'_, Group> {
        Resources {
            client: self,
            kind: PhantomData,
        }
    }
}

impl<R: Resource> Resources<'_, R> {
    /// Returns a resource. Use [`get_opt`](Self::get_opt) if the resource may not exist.
    ///
    /// AWS does not return the members of a group: list the users by `groups.value` instead.
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the resource does not exist.
    pub async fn get(&self, id: &ResourceId) -> Result<R, Error> {
        self.client
            .read(Call::get([R::ENDPOINT, id.as_str()]))
            .await
    }

    /// Returns a resource with only these attributes and those that are always returned, such as the
    /// id.
    ///
    /// All other attributes are absent. Do not use the result to
    /// [`replace`](Resources::<User>::replace) the resource: `replace` would delete the absent
    /// attributes.
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the resource does not exist. Fails with [`Error::Unsupported`], without
    /// sending a request, if the dialect does not support the selection of attributes (AWS).
    pub async fn get_attributes(
        &self,
        id: &ResourceId,
        attributes: &[AttributePath],
    ) -> Result<R, Error> {
        let rules = self.client.dialect().rules();
        if !rules.selects_attributes {
            let operation = format!("GET /{}/{id}", R::ENDPOINT);
            let problem = format!(
                "{} does not support the selection of attributes; get the whole resource",
                rules.name
            );
            return Err(UnsupportedRequest { operation, problem }.into());
        }
        let names: Vec<String> = attributes.iter().map(ToString::to_string).collect();
        let call = Call::get([R::ENDPOINT, id.as_str()]).query("attributes", names.join(","));
        self.client.read(call).await
    }

    /// Returns a resource, or `None` if the resource does not exist.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub async fn get_opt(&self, id: &ResourceId) -> Result<Option<R>, Error> {
        none_if_not_found(self.get(id).await)
    }

    /// Lists all resources, or those that match a filter.
    ///
    /// A resource that cannot be read is an error of its own, [`Error::item`], and the pager continues
    /// after it. If the dialect does not support the filter, the pager returns [`Error::Unsupported`] without
    /// sending a request.
    pub fn list(&self, filter: impl Into<Option<Filter>>) -> Pager<R, Error> {
        let client = self.client.clone();
        let list = List::new(client.dialect(), client.pages(), R::ENDPOINT, filter.into());
        Pager::new(format!("GET /{}", R::ENDPOINT), move |position| {
            let (client, list) = (client.clone(), list.clone());
            async move { client.page(&list, position.as_deref()).await }.boxed()
        })
    }

    /// Returns the only resource that matches a filter, or `None` if no resource matches.
    ///
    /// # Errors
    ///
    /// Fails if a request fails or a matching resource cannot be read. Fails with
    /// [`Error::Ambiguous`] if several resources match.
    pub async fn find(&self, filter: Filter) -> Result<Option<R>, Error> {
        let mut matches = self.list(filter.clone());
        let Some(first) = matches.try_next().await? else {
            return Ok(None);
        };
        match matches.try_next().await? {
            None => Ok(Some(first)),
            Some(_) => Err(Error::Ambiguous {
                operation: format!("GET /{}", R::ENDPOINT),
                filter: Box::new(filter),
            }),
        }
    }

    /// Creates a resource, and returns it with its new id.
    ///
    /// The request is not retried if the server may have processed it. In this case,
    /// [`Error::may_have_acted`] is true; use [`create_or_adopt`](Self::create_or_adopt) to look the
    /// resource up.
    ///
    /// # Errors
    ///
    /// Fails if the request fails. [`Error::is_conflict`] means that another resource already has a
    /// value that must be unique.
    pub async fn create(&self, resource: &R) -> Result<R, Error> {
        let call = Call::post([R::ENDPOINT]).json_as(SCIM_JSON, resource);
        self.write(call, Idempotency::NotIdempotent, resource).await
    }

    /// Creates a resource, or adopts an existing one.
    ///
    /// If the server reports a conflict, or may have processed a request whose response was lost, the
    /// resource is looked up by its external id, then by its name. A resource with another external
    /// id is never adopted.
    ///
    /// # Errors
    ///
    /// Returns the error of [`create`](Self::create) if no resource can be adopted. If the lookup
    /// fails after a conflict, returns the error of the lookup.
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
            match self.find(filter).await {
                Ok(Some(found)) if may_adopt(&found, resource) => {
                    return Ok(Created::Adopted(found));
                }
                Ok(_) => {}
                // The resource may exist now, and only the first error says so.
                Err(_) if error.may_have_acted() => return Err(error),
                Err(lookup) => return Err(lookup),
            }
        }
        Err(error)
    }

    /// Deletes a resource.
    ///
    /// A retry may find that the resource does not exist, because an earlier attempt whose response
    /// was lost has deleted the resource. Such a retry counts as success.
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the resource does not exist.
    pub async fn delete(&self, id: &ResourceId) -> Result<(), Error> {
        let call = Call::delete([R::ENDPOINT, id.as_str()]);
        match self.client.exchange(call, Idempotency::Idempotent).await {
            Err(Error::Api(refusal)) if refusal.status() == 404 && refusal.attempts() > 1 => Ok(()),
            Err(error) => Err(error),
            // A success has "204, no body" (RFC 7644 section 3.6). A body that is not JSON means that
            // a proxy in front of the server has answered.
            Ok(response) if has_body(&response) => {
                let operation = single_line(&format!("DELETE /{}/{id}", R::ENDPOINT));
                decode::<IgnoredAny>(&response, operation, Idempotency::Idempotent).map(|_| ())
            }
            Ok(_) => Ok(()),
        }
    }

    /// Sends a call with a document, and decodes the returned resource.
    async fn write(&self, call: Call, idempotency: Idempotency, document: &R) -> Result<R, Error> {
        let operation = single_line(&call.operation());
        let result = self.client.exchange(call, idempotency).await;
        let response = result.map_err(|error| {
            error.with_violations(|| self.client.dialect().violations(document))
        })?;
        decode(&response, operation, idempotency)
    }

    /// Sends a patch, and decodes the resource if the server returns it.
    async fn send_patch(&self, id: &ResourceId, patch: &PatchOp) -> Result<Option<R>, Error> {
        let call = Call::patch([R::ENDPOINT, id.as_str()]).json_as(SCIM_JSON, patch);
        let operation = single_line(&call.operation());
        // Patches are idempotent: adding or removing the same value twice has the same effect as once
        // (RFC 7644 section 3.5.2).
        let result = self.client.exchange(call, Idempotency::Idempotent).await;
        let response = result.map_err(|error| {
            error.with_violations(|| self.client.dialect().patch_violations::<R>(patch))
        })?;
        has_body(&response)
            .then(|| decode(&response, operation, Idempotency::Idempotent))
            .transpose()
    }
}

impl Resources<'_, User> {
    /// Replaces a whole user. Attributes that `user` does not have are deleted.
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the user does not exist.
    pub async fn replace(&self, id: &ResourceId, user: &User) -> Result<User, Error> {
        let call = Call::put([User::ENDPOINT, id.as_str()]).json_as(SCIM_JSON, user);
        self.write(call, Idempotency::Idempotent, user).await
    }

    /// Changes parts of a user, and returns the user if the server returns it.
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the user does not exist.
    pub async fn patch(&self, id: &ResourceId, patch: &PatchOp) -> Result<Option<User>, Error> {
        self.send_patch(id, patch).await
    }
}

impl Resources<'_, Group> {
    /// Replaces a whole group, including its members. Attributes and members that `group` does not
    /// have are deleted.
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the group does not exist. Fails with [`Error::Unsupported`], without
    /// sending a request, if the dialect does not support the replacement of groups (AWS).
    pub async fn replace(&self, id: &ResourceId, group: &Group) -> Result<Group, Error> {
        let rules = self.client.dialect().rules();
        if !rules.replaces_groups {
            let operation = format!("PUT /{}/{id}", Group::ENDPOINT);
            let problem = format!("{} cannot replace groups; patch the group", rules.name);
            return Err(UnsupportedRequest { operation, problem }.into());
        }
        let call = Call::put([Group::ENDPOINT, id.as_str()]).json_as(SCIM_JSON, group);
        self.write(call, Idempotency::Idempotent, group).await
    }

    /// Changes parts of a group, and returns the group if the server returns it. AWS does not return it.
    ///
    /// [`add_members`](Self::add_members) and [`remove_members`](Self::remove_members) respect the
    /// dialect's limit and form of membership changes.
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the group does not exist. Fails with [`Error::Unsupported`], without
    /// sending a request, if the server would refuse or misread the membership changes.
    pub async fn patch(&self, id: &ResourceId, patch: &PatchOp) -> Result<Option<Group>, Error> {
        if let Some(problem) = check_group_patch(self.client.dialect().rules(), patch) {
            let operation = format!("PATCH /{}/{id}", Group::ENDPOINT);
            return Err(UnsupportedRequest { operation, problem }.into());
        }
        self.send_patch(id, patch).await
    }

    /// Adds users to a group, in as many requests as the dialect needs.
    ///
    /// The call is idempotent: existing members stay members, so a retry after an error is safe.
    ///
    /// # Errors
    ///
    /// Fails if a request fails. The changes of earlier requests remain.
    pub async fn add_members(&self, id: &ResourceId, users: &[ResourceId]) -> Result<(), Error> {
        for users in users.chunks(self.max_member_changes()) {
            self.patch(id, &PatchOperation::add_members(users).into())
                .await?;
        }
        Ok(())
    }

    /// Removes users from a group, in as many requests and in the form that the dialect needs.
    ///
    /// # Errors
    ///
    /// Fails if a request fails. The changes of earlier requests remain.
    pub async fn remove_members(&self, id: &ResourceId, users: &[ResourceId]) -> Result<(), Error> {
        let removal = self.client.dialect().rules().member_removal;
        for users in users.chunks(self.max_member_changes()) {
            self.patch(id, &PatchOp::new(removal.operations(users)))
                .await?;
        }
        Ok(())
    }

    fn max_member_changes(&self) -> usize {
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

/// Result of [`Resources::create_or_adopt`].
#[derive(Clone, Debug, PartialEq)]
pub enum Created<R> {
    /// The resource was created.
    New(R),
    /// The resource already existed. It may differ from the resource that the caller wanted to create.
    Adopted(R),
}

impl<R> Created<R> {
    /// Returns the resource, as the server returned it.
    pub fn resource(&self) -> &R {
        match self {
            Self::New(resource) | Self::Adopted(resource) => resource,
        }
    }

    /// Consumes this value and returns the resource, as the server returned it.
    pub fn into_resource(self) -> R {
        match self {
            Self::New(resource) | Self::Adopted(resource) => resource,
        }
    }
}

/// Returns whether a found resource may be adopted instead of creating the wanted one.
fn may_adopt<R: Resource>(found: &R, wanted: &R) -> bool {
    match (found.external_id(), wanted.external_id()) {
        (Some(found), Some(wanted)) => found == wanted,
        _ => true,
    }
}

fn none_if_not_found<T: DeserializeOwned>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
