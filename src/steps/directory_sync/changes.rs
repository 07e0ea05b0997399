//! Converts a sync plan to changes of a pipeline plan.

use super::super::ids;
use crate::{
    plan::{Action, Change, Value},
    sync::{GroupChange, SyncPlan, UserChange},
};

/// The target of the change that writes users and groups.
pub(super) const WRITE: &str = "users and groups of AWS, as in Okta";
/// The target of the manual step that provides the SCIM token.
pub(super) const TOKEN: &str = "SCIM access token";

/// Lists names in one field. A long list is truncated and gets a digest of all names, so that two different lists never
/// look equal.
fn name_list(names: &[String]) -> String {
    const MAX_SHOWN: usize = 20;
    let shown = names
        .iter()
        .take(MAX_SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().checked_sub(MAX_SHOWN) {
        None | Some(0) => shown,
        Some(more) => {
            let digest = crate::sync::digest(names.join("\n").as_bytes());
            format!("{shown} and {more} more (digest of all: {digest})")
        }
    }
}

/// Returns the change that writes all creations and updates of the plan, if there are any.
pub(super) fn write_change(plan: &SyncPlan) -> Option<Change> {
    let (mut fields, mut change) = (Vec::new(), Change::new(Action::Update, WRITE));
    let users = |matches: fn(&UserChange) -> bool| {
        let users = plan.users.iter();
        let users = users.filter(move |change| !change.removes() && matches(change));
        users.map(UserChange::name).collect::<Vec<_>>()
    };
    fields.push((
        "create users",
        users(|change| matches!(change, UserChange::Create { .. })),
    ));
    fields.push((
        "update users",
        users(|change| matches!(change, UserChange::Update { .. })),
    ));
    let groups = |matches: fn(&GroupChange) -> bool| {
        let groups = plan.groups.iter().filter(move |change| matches(change));
        groups
            .map(|change| {
                let text = change.to_string();
                text.split_once("group ")
                    .map_or(text.clone(), |(_, rest)| rest.to_owned())
            })
            .collect::<Vec<_>>()
    };
    fields.push((
        "create groups",
        groups(|change| matches!(change, GroupChange::Create { .. })),
    ));
    fields.push((
        "update groups",
        groups(|change| matches!(change, GroupChange::Update { .. })),
    ));
    for (name, names) in fields.into_iter().filter(|(_, names)| !names.is_empty()) {
        change = change.with(name, name_list(&names));
    }
    // The first run must save the cached state even if there is nothing to write.
    let is_first_run = plan.serial == 0;
    (!change.fields.is_empty() || is_first_run).then_some(change)
}

/// Returns the write change for a plan that cannot be computed until the SCIM endpoint is known.
pub(super) fn undetermined_write_change() -> Change {
    let after = |_| Value::AfterApply(ids::SCIM_ENDPOINT);
    [
        "create users",
        "update users",
        "create groups",
        "update groups",
    ]
    .into_iter()
    .fold(Change::new(Action::Update, WRITE), |change, name| {
        change.with_value(name, after(name))
    })
}

/// Returns the target of the change that deactivates or deletes a user.
pub(super) fn removal_target(change: &UserChange) -> String {
    match change {
        UserChange::Delete(removed) => format!("user {removed}"),
        change => format!("sign-in of user {}", change.name()),
    }
}

/// Returns the target of the change that deletes a group.
pub(super) fn group_target(change: &GroupChange) -> String {
    format!("group {}", change.name())
}
