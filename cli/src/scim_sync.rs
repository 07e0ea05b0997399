//! Writes Okta's users and groups to AWS without Okta's provisioning, and counts the requests of each run on a sandbox.

mod args;
mod environment;

use okta_aws_sso::{
    Error,
    sync::{DirectorySync, ReadMode, RemovalLimits},
};

pub use args::Arguments;

use crate::{Failure, Status, output::Output, terminal};
use environment::Environment;

impl Arguments {
    /// Runs the sync, prints its result, and returns the exit status.
    pub async fn run(self) -> Status {
        Output::new(false, true).end(self.sync().await)
    }

    async fn sync(&self) -> Result<Status, Failure> {
        let environment = Environment::connect(self).await?;
        let source = &environment.source;
        let store = self.connection.store()?;
        let limits = RemovalLimits {
            empty_source: self.allow_empty_source,
            new_ids: self.allow_new_ids,
            ..self
                .max_removals
                .map_or_else(RemovalLimits::default, RemovalLimits::at_most)
        };
        let sync = DirectorySync::new(source.clone(), &environment.scim)
            .store(store.clone())
            .removal_limits(limits)
            .mode(self.mode());

        let prepared = sync.prepare().await?;
        terminal::print(prepared.plan().to_string().trim_end());
        environment.print_requests("planned");
        sync.check(prepared.plan()).map_err(Error::from)?;
        let is_empty = prepared.plan().is_empty();
        if self.plan_only {
            terminal::print("Nothing was written.");
            return Ok(if is_empty {
                Status::Done
            } else {
                Status::Changes
            });
        }
        if !is_empty && !self.is_confirmed().await? {
            return Ok(Status::Changes);
        }
        let report = sync.apply(prepared).await?.complete()?;
        let done = past_tense(&report.done.to_string());
        terminal::print(&format!("Done: {done}"));
        for note in report.notes() {
            terminal::print(&format!("Note: {note}"));
        }
        environment.print_requests("written");
        if self.uses_own_sandbox() {
            for (mode, phase) in [
                (ReadMode::Cached, "again"),
                (ReadMode::Verify, "again, with all users and groups read"),
                (ReadMode::Full, "again, with memberships read too"),
            ] {
                let again = DirectorySync::new(source.clone(), &environment.scim)
                    .store(store.clone())
                    .mode(mode);
                terminal::print(&format!("Sync: {}", again.plan().await?.summary()));
                environment.print_requests(phase);
            }
        }
        Ok(Status::Done)
    }

    /// Returns whether the plan may be applied: asks the operator, unless an option or the sandbox says so.
    async fn is_confirmed(&self) -> Result<bool, Failure> {
        if self.yes || self.uses_own_sandbox() || self.connection.target.is_some() {
            return Ok(true);
        }
        terminal::confirm().await
    }
}

/// Converts the summary of planned changes to a summary of applied changes.
#[must_use]
pub fn past_tense(counts: &str) -> String {
    counts
        .replace(" to create", " created")
        .replace(" to update", " updated")
        .replace(" to deactivate", " deactivated")
        .replace(" to delete", " deleted")
        .replace(" to add", " added")
        .replace(" to remove", " removed")
}
