//! The result of a run: applied changes and failures.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use scim_types::{ExternalId, ResourceId};
use serde::Serialize;

use super::{
    changes::{UserNames, kept_removals},
    plan::{Counts, Skipped, SyncPlan},
};
use crate::{
    error::{Error, ErrorKind, Result, ServiceResponse},
    plan::{Change, count},
    text::{Shown, abbreviated},
    token_age::TokenAge,
};

/// The result of a run: applied changes and failures.
///
/// `Display` writes it for an operator, on several lines; serde writes it as data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct SyncReport {
    /// Counts of the applied changes.
    pub done: Counts,
    /// The changes that the guard held back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<Change>,
    /// The removals that the plan did not make, because source or target could not be read completely, or because records of
    /// the source contradict each other. The notes have the reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Change>,
    /// The items of source and target that could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// The failed changes, each with the target's response.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Failed>,
    /// The memberships that were not changed: the target has refused them, or the user could not be written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_memberships: Vec<FailedMembership>,
    /// The attributes that the target has accepted and not kept, each with the number of users or groups. An attribute that an
    /// earlier run has reported is not reported again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_kept: BTreeMap<String, usize>,
    /// Number of changes that were not attempted, because the run stopped early.
    pub not_attempted: usize,
    /// The reason why the run stopped early, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_early: Option<String>,
    /// The users that the run left out, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Skipped>,
    /// The notes of the plan, and the attributes that the target does not keep.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The age of the access token of AWS's SCIM endpoint, if the run has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenAge>,
}

/// A change that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Failed {
    /// The change, such as `create user ada@example.com`.
    pub change: String,
    /// The target's response, including its request id.
    pub response: ServiceResponse,
    /// Advice for the operator, if there is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// A membership that was not added or not removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct FailedMembership {
    /// The group's name.
    pub group: String,
    /// The user's name, or an id if the name is unknown.
    pub user: String,
    /// The source's id of the user, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub external_id: Option<ExternalId>,
    /// Whether the membership should have been removed. Otherwise it should have been added.
    pub removal: bool,
    /// The target's response; `None` if the user could not be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<ServiceResponse>,
    /// The target's ids of the group and of the user, if the target has refused the change.
    #[serde(skip)]
    pub(super) ids: Option<(ResourceId, ResourceId)>,
}

impl SyncReport {
    /// Returns the report of a run that has not changed anything yet.
    pub(super) fn of(plan: &SyncPlan) -> Self {
        Self {
            kept: kept_removals(plan, &UserNames::default())
                .map(|(change, _)| change)
                .collect(),
            unread: plan.unread.clone(),
            left_out: plan.skipped.clone(),
            notes: plan.all_notes().map(|note| note.text).collect(),
            token: plan.token.clone(),
            ..Self::default()
        }
    }

    /// Returns whether source and target were read completely, and the target has every change: none failed, and no removal was
    /// held back.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty()
            && self.not_attempted == 0
            && self.failed_memberships.is_empty()
            && self.withheld.is_empty()
            && self.kept.is_empty()
            && self.unread.is_empty()
            && !self.not_kept.contains_key(ACTIVE)
    }

    /// Returns the removals of members that the target has refused, by the target's ids of group and user.
    pub(crate) fn refused_removals(
        &self,
    ) -> impl Iterator<Item = (&(ResourceId, ResourceId), &FailedMembership)> {
        let failed = self
            .failed_memberships
            .iter()
            .filter(|failed| failed.removal);
        failed.filter_map(|failed| Some((failed.ids.as_ref()?, failed)))
    }

    /// Adds a note for each attribute that the target does not keep.
    pub(super) fn note_not_kept(&mut self) {
        let notes = self.not_kept.iter().map(|(attribute, number)| {
            let noun = if attribute.ends_with("groups") {
                "group"
            } else {
                "user"
            };
            let number = count(*number, noun);
            format!("the target does not keep {attribute} ({number})")
        });
        self.notes.extend(notes);
    }

    /// Returns the report if every change was applied.
    ///
    /// # Errors
    ///
    /// Fails if a change was not applied. The error lists the first changes that failed. Changes that were applied stay
    /// applied.
    pub fn complete(self) -> Result<Self> {
        if self.is_complete() {
            return Ok(self);
        }
        let mut failures: Vec<String> = self
            .failed
            .iter()
            .map(|failed| format!("{} ({})", failed.change, failed.response))
            .take(MAX_SHOWN)
            .collect();
        if self.failed.len() > MAX_SHOWN {
            failures.push(format!("{} more", self.failed.len() - MAX_SHOWN));
        }
        let memberships = self.failed_memberships.iter().take(MAX_SHOWN);
        failures.extend(memberships.map(ToString::to_string));
        if self.failed_memberships.len() > MAX_SHOWN {
            let more = self.failed_memberships.len() - MAX_SHOWN;
            failures.push(format!("{more} more memberships"));
        }
        if !self.withheld.is_empty() {
            let names: Vec<String> = self.withheld.iter().map(ToString::to_string).collect();
            let number = count(names.len(), "change");
            let names = abbreviated(&names, MAX_SHOWN);
            failures.push(format!("the guard withheld {number}: {names}"));
        }
        if !self.unread.is_empty() {
            failures.push(abbreviated(&self.unread, MAX_SHOWN));
        }
        if !self.kept.is_empty() {
            let names: Vec<String> = self.kept.iter().map(ToString::to_string).collect();
            let number = count(names.len(), "removal");
            let names = abbreviated(&names, MAX_SHOWN);
            failures.push(format!("{number} not made: {names}"));
        }
        if let Some(number) = self.not_kept.get(ACTIVE) {
            let users = count(*number, "user");
            failures.push(format!("the target has not (de)activated {users}"));
        }
        if let Some(reason) = &self.stopped_early {
            failures.push(format!(
                "{} not attempted: {reason}",
                count(self.not_attempted, "change")
            ));
        }
        let help = self.failed.iter().find_map(|failed| failed.help.clone());
        let mut error = Error::new(
            ErrorKind::Service,
            format!(
                "not all changes were applied to the target: {}",
                failures.join("; ")
            ),
        )
        .with_help(help.unwrap_or_else(|| {
            if !(self.unread.is_empty() && self.kept.is_empty()) {
                "correct what could not be read or contradicts itself, then run again: removals wait until then".to_owned()
            } else if self.withheld.is_empty() {
                "fix the causes, then run again: applied changes are kept".to_owned()
            } else {
                "review the withheld changes; if they are meant, approve the removals by the id in the next plan, and allow its hazards by name".to_owned()
            }
        }));
        let mut responses = self.failed.into_iter().map(|failed| Some(failed.response));
        let memberships = self.failed_memberships.into_iter();
        let mut memberships = memberships.map(|failed| failed.response);
        let response = responses
            .next()
            .or_else(|| memberships.find(Option::is_some));
        if let Some(response) = response.flatten() {
            error = error.with_response(response);
        }
        Err(error)
    }
}

/// The attribute whose value every run reports if the target does not keep it.
pub(super) const ACTIVE: &str = "active";

/// Maximum number of failed changes in an error message, and maximum number of memberships in it.
const MAX_SHOWN: usize = 20;

impl Failed {
    /// Returns the failure as the error of a change of the pipeline.
    pub(crate) fn to_error(&self) -> Error {
        let error = Error::new(
            ErrorKind::Service,
            format!("AWS refused to {}", self.change),
        )
        .with_response(self.response.clone());
        match &self.help {
            Some(help) => error.with_help(help),
            None => error.with_help("fix the cause, then run again: applied changes are kept"),
        }
    }
}

impl fmt::Display for SyncReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Done: {}", self.done.done())?;
        for change in &self.withheld {
            writeln!(f, "  -- {change}: withheld by the guard")?;
        }
        for change in &self.kept {
            writeln!(f, "  -- {change}: not made yet")?;
        }
        if !self.unread.is_empty() {
            let items = count(self.unread.len(), "item");
            writeln!(f, "  -- not complete: {items} could not be read")?;
        }
        for failed in &self.failed {
            writeln!(f, "  NO {failed}")?;
        }
        for failed in &self.failed_memberships {
            writeln!(f, "  NO {failed}")?;
        }
        if let Some(reason) = &self.stopped_early {
            let changes = count(self.not_attempted, "change");
            writeln!(f, "  -- {changes} not attempted: {}", Shown(reason))?;
        }
        for skipped in &self.left_out {
            writeln!(f, "  ! {skipped}")?;
        }
        for note in &self.notes {
            writeln!(f, "  ! {}", Shown(note))?;
        }
        Ok(())
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let response = self.response.to_string();
        write!(f, "{}: {}", Shown(&self.change), Shown(&response))
    }
}

impl FailedMembership {
    /// Returns the failure as the error of a change of the pipeline.
    pub(crate) fn to_error(&self) -> Error {
        let error = Error::new(ErrorKind::Service, self.to_string());
        let error = match &self.response {
            Some(response) => error.with_response(response.clone()),
            None => error,
        };
        error.with_help("run again: the next run creates a user that the target no longer has")
    }
}

impl fmt::Display for FailedMembership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let change = if self.removal {
            "was not removed from"
        } else {
            "was not added to"
        };
        let (user, group) = (Shown(&self.user), Shown(&self.group));
        write!(f, "user {user} {change} group {group}")?;
        match &self.response {
            Some(response) => write!(f, ": {}", Shown(&response.to_string())),
            None => f.write_str(", because the user could not be written"),
        }
    }
}
