//! How a plan is shown to a reviewer.

use std::{collections::BTreeSet, fmt};

use super::{Counts, GroupChange, RemovedPrincipal, SyncPlan, UserChange};

impl fmt::Display for RemovedPrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, &self.external_id) {
            (Some(name), _) => f.write_str(name),
            (None, Some(id)) => write!(f, "{id} (now {})", self.id),
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
                    f.write_str(" (is there already, gets its id)")?;
                }
                if *deactivates {
                    f.write_str(" (deactivated: may not sign in to the source)")?;
                }
                Ok(())
            }
            Self::Deactivate(_) => f.write_str(" (deactivated: gone from the source)"),
            Self::Delete(_) => f.write_str(" (deleted: gone from the source)"),
            Self::Create { .. } => Ok(()),
        }
    }
}

impl fmt::Display for GroupChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { name, members, .. } => {
                write!(f, "+ group {name} with {} members", members.len())
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
                    f.write_str(" (is there already, gets its id)")?;
                }
                if !add.is_empty() || !remove.is_empty() {
                    write!(f, ": +{} -{} members", add.len(), remove.len())?;
                }
                Ok(())
            }
            Self::Delete(gone) => write!(f, "- group {gone} (deleted: gone from the source)"),
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
        let words: Vec<String> = parts
            .iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, noun, verb)| {
                let s = if *count == 1 { "" } else { "s" };
                format!("{count} {noun}{s} to {verb}")
            })
            .collect();
        if words.is_empty() {
            f.write_str("No changes")
        } else {
            f.write_str(&words.join(", "))
        }
    }
}

impl fmt::Display for SyncPlan {
    /// At most a hundred changes of each kind are shown one by one; the summary counts all.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Sync: {}", self.summary())?;
        show(f, &self.users)?;
        show(f, &self.groups)?;
        for skipped in self.skipped.iter().take(SHOWN) {
            writeln!(f, "  ! {} is left as it is: {}", skipped.name, skipped.why)?;
        }
        for note in self.notes.iter().take(SHOWN) {
            writeln!(f, "  ! {note}")?;
        }
        Ok(())
    }
}

fn show(f: &mut fmt::Formatter<'_>, changes: &[impl fmt::Display]) -> fmt::Result {
    for change in changes.iter().take(SHOWN) {
        writeln!(f, "  {change}")?;
    }
    match changes.len().checked_sub(SHOWN) {
        None | Some(0) => Ok(()),
        Some(more) => writeln!(f, "  … and {more} more"),
    }
}

/// Nobody reads more lines than this; the plan itself has them all.
const SHOWN: usize = 100;
