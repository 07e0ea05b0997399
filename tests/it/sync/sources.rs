//! Sources beside Okta: a SCIM server.

use std::{collections::BTreeMap, sync::Arc};

use okta_aws_sso::{
    StateStore,
    sync::{DirectorySync, ScimSource},
};
use serde_json::Value;

use super::{
    fixture::{OktaIdSource, directory},
    generic::Server,
};

/// Returns the user names of the members of each group of a server.
fn groups(server: &Server) -> BTreeMap<String, Vec<String>> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let users = server.resources("Users").into_iter();
    let names: BTreeMap<String, String> = users
        .map(|user| (text(&user["id"]), text(&user["userName"])))
        .collect();
    let groups = server.resources("Groups").into_iter();
    groups
        .map(|group| {
            let members = group["members"].as_array().expect("members");
            let members = members
                .iter()
                .map(|member| names[&text(&member["value"])].clone());
            let mut members: Vec<String> = members.collect();
            members.sort();
            (text(&group["displayName"]), members)
        })
        .collect()
}

#[tokio::test]
async fn a_scim_server_is_a_source_and_a_user_that_it_cannot_list_removes_no_user() {
    let (from, to) = (Arc::<Server>::default(), Arc::<Server>::default());
    let fill = DirectorySync::new(OktaIdSource(directory(5, 2, 3)), &from.client());
    let filled = fill.apply(fill.prepare().await.expect("a plan")).await;
    filled.expect("a run").complete().expect("no failure");

    let sync = DirectorySync::new(ScimSource::new(&from.client()), &to.client())
        .store(StateStore::memory());
    let prepared = sync.prepare().await.expect("a plan");
    let report = sync.apply(prepared).await.expect("a run");
    report.complete().expect("no failure");
    assert_eq!(groups(&to), groups(&from));
    assert_eq!(to.resources("Users").len(), 5);
    let department = |user: &Value| user.to_string().contains("Engines");
    assert!(to.resources("Users").iter().all(department));
    let plan = sync.plan().await.expect("a plan");
    assert!(plan.is_empty(), "{plan}");

    // A source with unread users removes no user.
    from.edit("Users", "users-1", |_| None);
    from.edit("Users", "users-2", |mut user| {
        user["userName"] = 7.into();
        Some(user)
    });
    let plan = sync.plan().await.expect("a plan");
    assert!(plan.is_empty(), "{plan}");
    assert!(
        plan.to_string()
            .contains("item 1 of page 1 of the source's users"),
        "{plan}"
    );
    from.edit("Users", "users-2", |mut user| {
        user["userName"] = "person.00001@example.com".into();
        Some(user)
    });
    let plan = sync.plan().await.expect("a plan");
    let removed = "deactivated: missing in the source";
    assert_eq!(plan.to_string().matches(removed).count(), 1, "{plan}");
}

#[tokio::test]
async fn a_source_without_members_is_an_error() {
    let fixture = super::fixture::SyncFixture::new().await;
    let sync = DirectorySync::new(ScimSource::new(&fixture.scim), &fixture.scim);
    let error = sync.plan().await.expect_err("no members").to_string();
    assert!(
        error.contains("does not list the members of groups"),
        "{error}"
    );
}
