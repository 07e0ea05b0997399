//! A sync's plan in the words of a pipeline's plan.

use crate::{
    plan::{Action, Change, StepId, Value},
    sync::{GroupChange, SyncPlan, UserChange},
};

/// Takes out of a plan what was never shown to anybody.
pub(super) fn leave_everybody(plan: &mut SyncPlan) {
    let later: Vec<String> = plan.removals().collect();
    if later.is_empty() {
        return;
    }
    plan.users.retain(|change| !change.removes());
    plan.groups
        .retain(|change| !matches!(change, GroupChange::Delete(_)));
    plan.notes.push(format!(
        "left to the next run, because this one remembers nothing: {}",
        later.join(", ")
    ));
}

pub(super) const WRITE: &str = "users and groups of AWS, as in Okta";
pub(super) const TOKEN: &str = "SCIM access token";

/// The names of many in one field: the first ones, and a digest of all, so that another set is seen to be another.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown = names
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => shown,
        Some(more) => {
            let all = crate::sync::digest(names.join("\n").as_bytes());
            format!("{shown} and {more} more (in all {all})")
        }
    }
}

pub(super) fn written(plan: &SyncPlan) -> Option<Change> {
    let (mut fields, mut change) = (Vec::new(), Change::new(Action::Update, WRITE));
    let users = |wanted: fn(&UserChange) -> bool| {
        let users = plan.users.iter();
        let users = users.filter(move |change| !change.removes() && wanted(change));
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
    let groups = |wanted: fn(&GroupChange) -> bool| {
        let groups = plan.groups.iter().filter(move |change| wanted(change));
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
        change = change.with(name, listed(&names));
    }
    // What is remembered for the first time has to be kept, even if all of it is there.
    let begins = plan.serial == 0;
    (!change.fields.is_empty() || begins).then_some(change)
}

/// What nobody can say before the endpoint can be asked.
pub(super) fn unknown() -> Change {
    let after = |_| Value::AfterApply(StepId::new("scim-endpoint"));
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

pub(super) fn removed_user(change: &UserChange) -> String {
    match change {
        UserChange::Delete(gone) => format!("user {gone}"),
        change => format!("sign-in of user {}", change.name()),
    }
}
