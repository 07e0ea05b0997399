//! `Display` of a plan and its changes, for review.

use std::{collections::BTreeSet, fmt};

use scim_types::ExternalId;

use super::{
    Counts, GroupChange, Kept, RemovedMember, RemovedPrincipal, Skipped, SyncPlan, UserChange, Why,
};
use crate::{
    plan::count,
    text::{Shown, abbreviated},
};

impl fmt::Display for RemovedPrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, &self.external_id) {
            (Some(name), _) => write!(f, "{}", Shown(name)),
            (None, Some(id)) => {
                let (id, target) = (Shown(id.as_str()), Shown(self.id.as_str()));
                write!(f, "{id} (target id {target})")
            }
            (None, None) => write!(f, "{}", Shown(self.id.as_str())),
        }
    }
}

impl fmt::Display for RemovedMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.external_id.as_ref().map(ExternalId::as_str);
        let name = self.name.as_deref().or(id);
        let name = name.unwrap_or(self.id.as_str());
        write!(f, "{} ({})", Shown(name), self.why)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing in the source"),
            Self::Inactive => f.write_str("inactive in the source"),
            Self::ProfileRefused { problems } => {
                let problems = problems.join("; ");
                write!(f, "inactive in the source; {}", Shown(&problems))
            }
            Self::NotMember => f.write_str("not a member in the source"),
        }
    }
}

impl fmt::Display for UserChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} user {}", self.mark(), Shown(&self.name()))?;
        match self {
            Self::Update {
                before,
                profile,
                removes,
                adopts,
                deactivates,
                ..
            } => {
                if let Some(before) = before {
                    if before.user_name != profile.user_name {
                        write!(f, " (was {})", Shown(&before.user_name))?;
                    }
                    let changed: BTreeSet<&str> = before.differences(profile).into_iter().collect();
                    if !changed.is_empty() {
                        let changed: Vec<&str> = changed.into_iter().collect();
                        write!(f, ": {}", changed.join(", "))?;
                    }
                }
                if !removes.is_empty() {
                    let removed: Vec<&str> = removes.iter().map(|removed| removed.name()).collect();
                    write!(f, " (removes {})", removed.join(", "))?;
                }
                if *adopts {
                    f.write_str(" (already exists, adopted)")?;
                }
                if *deactivates {
                    f.write_str(" (deactivated: inactive in the source)")?;
                }
                Ok(())
            }
            Self::Deactivate(removed) | Self::Delete(removed) => {
                let verb = if matches!(self, Self::Delete(_)) {
                    "deleted"
                } else {
                    "deactivated"
                };
                let adopted = if removed.adopted {
                    "; the account existed before the sync adopted it"
                } else {
                    ""
                };
                write!(f, " ({verb}: {}{adopted})", removed.why)
            }
            Self::Create { .. } => Ok(()),
        }
    }
}

impl fmt::Display for GroupChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { name, members, .. } => {
                let members = count(members.len(), "member");
                write!(f, "+ group {} with {members}", Shown(name))
            }
            Self::Update {
                name,
                renamed_from,
                adopts,
                add,
                remove,
                ..
            } => {
                write!(f, "~ group {}", Shown(name))?;
                if let Some(before) = renamed_from {
                    write!(f, " (was {})", Shown(before))?;
                }
                if *adopts {
                    f.write_str(" (already exists, adopted)")?;
                }
                if !add.is_empty() || !remove.is_empty() {
                    write!(f, ": +{} -{} members", add.len(), remove.len())?;
                }
                if !remove.is_empty() {
                    let names: Vec<String> = remove.iter().map(ToString::to_string).collect();
                    write!(f, "; removes {}", abbreviated(&names, MAX_SHOWN))?;
                }
                Ok(())
            }
            Self::Delete(removed) => {
                write!(f, "- group {removed} (deleted: {})", removed.why)
            }
        }
    }
}

impl Counts {
    /// Describes planned changes, such as `1 user to create, 2 members to add`.
    #[must_use]
    pub fn planned(&self) -> String {
        self.described(|number, verb| format!("{number} to {verb}"))
    }

    /// Describes changes that were made, such as `1 user created, 2 members added`.
    #[must_use]
    pub fn done(&self) -> String {
        // All verbs of the counts are regular.
        self.described(|number, verb| match verb.strip_suffix('e') {
            Some(stem) => format!("{number} {stem}ed"),
            None => format!("{number} {verb}ed"),
        })
    }

    fn described(&self, phrase: impl Fn(&str, &str) -> String) -> String {
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
            .map(|(number, noun, verb)| phrase(&count(*number, noun), verb))
            .collect();
        if phrases.is_empty() {
            "No changes".to_owned()
        } else {
            phrases.join(", ")
        }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, reason) = (Shown(&self.name), Shown(&self.reason));
        write!(f, "{name} is skipped")?;
        if let Some(since) = self.since {
            let days = usize::try_from(self.days).unwrap_or(usize::MAX);
            write!(f, " (for {}, since {since})", count(days, "day"))?;
        }
        write!(f, ": {reason}")
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let users = self
            .users
            .iter()
            .map(|change| format!("user {}", change.name()));
        let groups = self.groups.iter().map(|change| match change {
            GroupChange::Update { name, remove, .. } => {
                let names: Vec<String> = remove.iter().map(ToString::to_string).collect();
                let members = count(remove.len(), "member");
                let names = abbreviated(&names, MAX_MEMBERS);
                format!("{members} of group {} ({names})", Shown(name))
            }
            change => format!("group {}", change.name()),
        });
        let removals: Vec<String> = users.chain(groups).collect();
        write!(f, "{}: {}", self.reason, abbreviated(&removals, MAX_SHOWN))
    }
}

impl fmt::Display for SyncPlan {
    /// Lists at most 100 changes of each kind; the summary counts all changes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Sync: {}", self.summary())?;
        show(f, &self.users)?;
        show(f, &self.groups)?;
        for skipped in self.skipped.iter().take(MAX_SHOWN) {
            writeln!(f, "  ! {skipped}")?;
        }
        for hazard in &self.hazards {
            writeln!(f, "  ! {}", hazard.with_option())?;
        }
        for note in self.all_notes().take(MAX_SHOWN) {
            writeln!(f, "  ! {}", Shown(&note.text))?;
        }
        match self.to_plan().approval() {
            Some(approval) => writeln!(f, "{approval}"),
            None => Ok(()),
        }
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
/// Maximum number of members of one group in the line of the removals that the plan does not make.
const MAX_MEMBERS: usize = 20;

#[cfg(test)]
mod tests;
