//! Everything AWS knows.

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
    /// An organization as a seed describes it, without Identity Center.
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

    /// Moves the asynchronous operations that are due to their end.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        if let Some(center) = &mut self.center {
            center.settle(&self.organization, now);
        }
    }

    /// The identity store, if Identity Center is enabled.
    pub(crate) fn directory(&self) -> Option<&Directory> {
        Some(&self.center.as_ref()?.directory)
    }

    /// The identity store to change; deleting goes through [`delete_user`](Self::delete_user) and
    /// [`delete_group`](Self::delete_group).
    pub(crate) fn directory_mut(&mut self) -> Option<&mut Directory> {
        Some(&mut self.center.as_mut()?.directory)
    }

    /// Deletes a user and everything assigned to the user; returns whether there was one.
    pub(crate) fn delete_user(&mut self, id: &str) -> bool {
        self.center.as_mut().is_some_and(|center| {
            let deleted = center.directory.delete_user(id);
            center.drop_principal(id);
            deleted
        })
    }

    /// Deletes a group and everything assigned to it; returns whether there was one.
    pub(crate) fn delete_group(&mut self, id: &str) -> bool {
        self.center.as_mut().is_some_and(|center| {
            let deleted = center.directory.delete_group(id);
            center.drop_principal(id);
            deleted
        })
    }

    /// The pages that lists are cut into.
    pub(crate) fn pages(&self) -> Pages {
        self.pages
    }

    /// An id for the next answer.
    pub(crate) fn next_request_id(&mut self) -> String {
        self.requests += 1;
        uuid_of(&format!("request/{}", self.requests))
    }

    /// The address of the SCIM listener, with a slash at the end.
    pub(super) fn scim_url(&self) -> Option<String> {
        let url = self.base_urls.scim.as_ref()?.as_str();
        Some(format!("{}/", url.trim_end_matches('/')))
    }
}
