//! Writes Okta's users and groups to AWS without Okta's provisioning, and counts the requests of each run on a sandbox.

mod args;
mod environment;

use okta_aws_sso::{
    Document, Guard,
    guard::Excess,
    plan::Note,
    sync::{DirectorySync, ReadMode, SyncReport},
};

pub use args::Arguments;

use crate::{Failure, Status, output::Output, terminal};
use environment::Environment;

impl Arguments {
    /// Runs the sync, prints its result, and returns the exit status.
    pub async fn run(self) -> Status {
        let result = self.sync().await;
        Output::new(self.json, true).end(result.map(|(status, _)| status))
    }

    /// Runs the sync and prints its result. Returns the report if the plan was applied.
    pub(crate) async fn sync(&self) -> Result<(Status, Option<SyncReport>), Failure> {
        let guard = self.guard()?;
        let environment = Environment::connect(self).await?;
        let source = &environment.source;
        let store = self.connection.store().await?;
        let mut sync = DirectorySync::new(source.clone(), &environment.scim)
            .store(store.clone())
            .guard(guard)
            .mode(self.mode());
        if let Some(runs) = self.verify_every {
            sync = sync.verify_every(runs);
        }

        let prepared = sync.prepare().await?;
        let is_empty = prepared.plan().is_empty();
        let notes_of_plan: Vec<Note> = prepared.plan().all_notes().collect();
        if self.json {
            Output::document(&Document::Plan(&prepared.plan().to_plan()));
        } else {
            terminal::print(prepared.plan().to_string().trim_end());
            environment.print_requests("planned");
        }
        sync.check(&prepared)?;
        if self.plan_only {
            if !self.json {
                terminal::print("Nothing was written.");
            }
            let plan = prepared.plan();
            let is_complete = plan.unread.is_empty() && plan.kept.is_empty();
            let status = match (is_complete, is_empty) {
                (false, _) => Status::Failed,
                (true, false) => Status::Changes,
                (true, true) => Status::Done,
            };
            return Ok((status, None));
        }
        if !is_empty && !self.is_confirmed().await? {
            return Ok((Status::Changes, None));
        }
        let report = sync.apply(prepared).await?;
        if self.json {
            Output::document(&Document::sync_report(&report));
        } else {
            // The plan, which has the notes and the users left out, stands above.
            let mut shown = report.clone();
            shown.left_out.clear();
            let is_new = |note: &String| notes_of_plan.iter().all(|shown| shown.text != *note);
            shown.notes.retain(is_new);
            terminal::print(shown.to_string().trim_end());
            environment.print_requests("written");
        }
        if !report.is_complete() {
            return Ok((Status::Failed, Some(report)));
        }
        if self.uses_own_sandbox() && !self.json {
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
        Ok((Status::Done, Some(report)))
    }

    /// Returns the guard of the options and of the blueprint.
    fn guard(&self) -> Result<Guard, Failure> {
        let guard = self
            .guard
            .guard()
            .protect(&self.connection.blueprint()?.protect);
        Ok(if self.yes {
            // A schedule has no operator who could approve the removals, and the other changes need not wait for one.
            Guard {
                excess: Excess::WithholdRemovals,
                ..guard
            }
        } else {
            guard
        })
    }

    /// Returns whether the plan may be applied: asks the operator, unless an option or the sandbox says so.
    async fn is_confirmed(&self) -> Result<bool, Failure> {
        if self.yes || self.uses_own_sandbox() || self.connection.target.is_some() {
            return Ok(true);
        }
        terminal::confirm().await
    }
}
