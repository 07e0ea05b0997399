//! Writes Okta's users and groups to AWS without Okta's provisioning, and counts the requests of each run on a sandbox.

mod args;
mod environment;

use okta_aws_sso::{
    Error,
    sync::{Counts, DirectorySync, ReadMode, RemovalLimits},
};
use serde::Serialize;

pub use args::Arguments;

use crate::{Failure, Status, output::Output, terminal};
use environment::Environment;

impl Arguments {
    /// Runs the sync, prints its result, and returns the exit status.
    pub async fn run(self) -> Status {
        let result = self.sync().await;
        Output::new(false, true).end(result.map(|result| result.status))
    }

    /// Runs the sync, and prints its result.
    pub(crate) async fn sync(&self) -> Result<SyncResult, Failure> {
        let environment = Environment::connect(self).await?;
        let source = &environment.source;
        let store = self.connection.store().await?;
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
        let mut result = SyncResult {
            status: if is_empty {
                Status::Done
            } else {
                Status::Changes
            },
            planned: prepared.plan().counts(),
            done: Counts::default(),
            notes: prepared.plan().notes.clone(),
        };
        if self.plan_only {
            terminal::print("Nothing was written.");
            return Ok(result);
        }
        if !is_empty && !self.is_confirmed().await? {
            return Ok(result);
        }
        let report = sync.apply(prepared).await?.complete()?;
        let done = past_tense(&report.done.to_string());
        terminal::print(&format!("Done: {done}"));
        for note in report.notes() {
            terminal::print(&format!("Note: {note}"));
            result.notes.push(note);
        }
        result.done = report.done;
        result.status = Status::Done;
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
        Ok(result)
    }

    /// Returns whether the plan may be applied: asks the operator, unless an option or the sandbox says so.
    async fn is_confirmed(&self) -> Result<bool, Failure> {
        if self.yes || self.uses_own_sandbox() || self.connection.target.is_some() {
            return Ok(true);
        }
        terminal::confirm().await
    }
}

/// The result of a sync without failures.
#[derive(Serialize)]
pub(crate) struct SyncResult {
    #[serde(skip)]
    status: Status,
    /// Counts of the planned changes.
    planned: Counts,
    /// Counts of the applied changes.
    done: Counts,
    /// Notes of the plan and of the run.
    notes: Vec<String>,
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
