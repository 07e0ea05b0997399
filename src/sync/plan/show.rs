//! `Display` of a plan and its changes, for review.

use std::{collections::BTreeSet, fmt};

use super::{Counts, GroupChange, RemovedPrincipal, SyncPlan, UserChange};
use crate::plan::count;

impl fmt::Display for RemovedPrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, &self.external_id) {
            (Some(name), _) => f.write_str(name),
            (None, Some(id)) => write!(f, "{id} (target id {})", self.id),
            (None, None) => write!(f, "{}", self.id),
        }
    }
}

impl fmt::Display for UserChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} user {}", self.mark(), self.name())?;
        match self {
            Self::Update {
                before,
                profile,
                adopts,
                deactivates,
                ..
            } => {
                if let Some(before) = before {
                    if before.user_name != profile.user_name {
                        write!(f, " (was {})", before.user_name)?;
                    }
                    let changed: BTreeSet<&str> = before.differences(profile).into_iter().collect();
                    if !changed.is_empty() {
                        let changed: Vec<&str> = changed.into_iter().collect();
                        write!(f, ": {}", changed.join(", "))?;
                    }
                }
                if *adopts {
                    f.write_str(" (already exists, adopted)")?;
                }
                if *deactivates {
                    f.write_str(" (deactivated: inactive in the source)")?;
                }
                Ok(())
            }
            Self::Deactivate(_) => f.write_str(" (deactivated: missing or inactive in the source)"),
            Self::Delete(_) => f.write_str(" (deleted: not in the source)"),
            Self::Create { .. } => Ok(()),
        }
    }
}

impl fmt::Display for GroupChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { name, members, .. } => {
                write!(f, "+ group {name} with {}", count(members.len(), "member"))
            }
            Self::Update {
                name,
                renamed_from,
                adopts,
                add,
                remove,
                ..
            } => {
                write!(f, "~ group {name}")?;
                if let Some(before) = renamed_from {
                    write!(f, " (was {before})")?;
                }
                if *adopts {
                    f.write_str(" (already exists, adopted)")?;
                }
                if !add.is_empty() || !remove.is_empty() {
                    write!(f, ": +{} -{} members", add.len(), remove.len())?;
                }
                Ok(())
            }
            Self::Delete(removed) => write!(f, "- group {removed} (deleted: not in the source)"),
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.users_created, "user", "create"),
            (self.users_updated, "user", "update"),
            (self.users_deactivated, "user", "deactivate"),
            (self.users_deleted, "user", "delete"),
            (self.groups_created, "group", "create"),
            (self.groups_updated, "group", "update"),
            (self.groups_deleted, "group", "delete"),
            (self.members_added, "member", "add"),
            (self.members_removed, "member", "remove"),
        ];
        let phrases: Vec<String> = parts
            .iter()
            .filter(|(number, ..)| *number > 0)
            .map(|(number, noun, verb)| format!("{} to {verb}", count(*number, noun)))
            .collect();
        if phrases.is_empty() {
            f.write_str("No changes")
        } else {
            f.write_str(&phrases.join(", "))
        }
    }
}

impl fmt::Display for SyncPlan {
    /// Lists at most 100 changes of each kind; the summary counts all changes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Sync: {}", self.summary())?;
        show(f, &self.users)?;
        show(f, &self.groups)?;
        for skipped in self.skipped.iter().take(MAX_SHOWN) {
            writeln!(f, "  ! {} is skipped: {}", skipped.name, skipped.reason)?;
        }
        for note in self.notes.iter().take(MAX_SHOWN) {
            writeln!(f, "  ! {note}")?;
        }
        Ok(())
    }
}

fn show(f: &mut fmt::Formatter<'_>, changes: &[impl fmt::Display]) -> fmt::Result {
    for change in changes.iter().take(MAX_SHOWN) {
        writeln!(f, "  {change}")?;
    }
    match changes.len().checked_sub(MAX_SHOWN) {
        None | Some(0) => Ok(()),
        Some(more) => writeln!(f, "  … and {more} more"),
    }
}

/// Maximum number of lines per kind in a displayed plan. The plan itself holds all changes.
const MAX_SHOWN: usize = 100;
