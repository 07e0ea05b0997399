//! The complete AWS side of the sandbox.

use std::time::Duration;

use jiff::Timestamp;

use super::center::Center;
use super::directory::Directory;
use super::ids::{Ids, uuid_of};
use super::organizations::Organization;
use super::page::Pages;
use super::seed::{AccessKey, BaseUrls, Seed};

/// An AWS organization and, once enabled, its IAM Identity Center.
#[derive(Debug)]
pub(crate) struct Cloud {
    pub(super) organization: Organization,
    pub(super) center: Option<Center>,
    pub(super) keys: Vec<AccessKey>,
    pub(super) pages: Pages,
    pub(super) ids: Ids,
    pub(super) operation_delay: Duration,
    pub(super) permission_sets_at_start: bool,
    base_urls: BaseUrls,
    requests: u64,
}

impl Cloud {
    /// Returns an organization built from a seed, without Identity Center.
    pub(crate) fn new(seed: Seed) -> Self {
        let mut ids = Ids::default();
        Self {
            organization: Organization::new(&seed, &mut ids),
            center: None,
            keys: seed.keys,
            pages: Pages::new(seed.page_size),
            ids,
            operation_delay: seed.operation_delay,
            permission_sets_at_start: seed.permission_sets,
            base_urls: seed.base_urls,
            requests: 0,
        }
    }

    /// Completes the asynchronous operations that are due.
    pub(crate) fn complete_due_operations(&mut self, now: Timestamp) {
        if let Some(center) = &mut self.center {
            center.complete_due_operations(&self.organization, now);
        }
    }

    /// Returns the identity store, if Identity Center is enabled.
    pub(crate) fn directory(&self) -> Option<&Directory> {
        Some(&self.center.as_ref()?.directory)
    }

    /// Returns the identity store for changes; use [`delete_user`](Self::delete_user) and
    /// [`delete_group`](Self::delete_group) to delete.
    pub(crate) fn directory_mut(&mut self) -> Option<&mut Directory> {
        Some(&mut self.center.as_mut()?.directory)
    }

    /// Deletes a user and all of the user's assignments; returns whether the user existed.
    pub(crate) fn delete_user(&mut self, id: &str) -> bool {
        self.center.as_mut().is_some_and(|center| {
            let deleted = center.directory.delete_user(id);
            center.drop_principal(id);
            deleted
        })
    }

    /// Deletes a group and all of its assignments; returns whether the group existed.
    pub(crate) fn delete_group(&mut self, id: &str) -> bool {
        self.center.as_mut().is_some_and(|center| {
            let deleted = center.directory.delete_group(id);
            center.drop_principal(id);
            deleted
        })
    }

    /// Returns the request id for the next response.
    pub(crate) fn next_request_id(&mut self) -> String {
        self.requests += 1;
        uuid_of(&format!("request/{}", self.requests))
    }

    /// Returns the URL of the SCIM listener, with a slash at the end.
    pub(super) fn scim_url(&self) -> Option<String> {
        let url = self.base_urls.scim.as_ref()?.as_str();
        Some(format!("{}/", url.trim_end_matches('/')))
    }
}
