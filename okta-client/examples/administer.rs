//! Administers an org: makes users, groups, a rule and an app with assignments, and reads them again.
//!
//! ```sh
//! cargo run -p okta-client --example administer write PREFIX COUNT   # makes COUNT active users, and one in each other state
//! cargo run -p okta-client --example administer inventory PREFIX...  # prints all that has a prefix, one line of JSON for each
//! cargo run -p okta-client --example administer probe                # tries one call of each kind, prints which work
//! ```
//!
//! The org and the credential come from the environment or from `okta.yaml`: see `Config`.

#![expect(clippy::print_stdout, reason = "the output of the program")]

use std::{collections::BTreeMap, error::Error};

use okta_client::{
    Client, CreateUser, Edit, Group, Id, ListApps, ListGroupRules, ListGroups, ListLogs, ListUsers,
    LogEvent, NewApp, NewGroupRule, NewUser, Secret, SendEmail, UpdateUser, User, UserRef,
};
use serde_json::{Map, Value, json};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let okta = Client::from_env()?;
    match arguments.as_slice() {
        ["write", prefix, count] => write(&okta, prefix, count.parse()?).await?,
        ["inventory", prefixes @ ..] => {
            let events = list_events(&okta).await?;
            for prefix in prefixes {
                println!("{}", inventory(&okta, prefix, &events).await?);
            }
        }
        ["probe"] => println!("{}", probe(&okta).await),
        _ => return Err("usage: write PREFIX COUNT | inventory PREFIX... | probe".into()),
    }
    Ok(())
}

async fn create_user(okta: &Client, prefix: &str, name: &str, activate: bool) -> Result<Id<User>> {
    let login = format!("{prefix}-{name}@example.com");
    let user = NewUser {
        login: login.clone(),
        email: login,
        first_name: prefix.to_owned(),
        last_name: name.to_owned(),
        attributes: Map::from_iter([("department".to_owned(), prefix.into())]),
        // Without a password, an activated user is `PROVISIONED`.
        password: Some(Secret::new("Correct-horse-7-battery")),
        ..NewUser::default()
    };
    let options = CreateUser {
        activate,
        ..CreateUser::default()
    };
    Ok(okta.users().create(&user, &options).await?.id)
}

async fn write(okta: &Client, prefix: &str, count: usize) -> Result<()> {
    let users = okta.users();
    let mut active = Vec::new();
    for number in 0..count {
        active.push(create_user(okta, prefix, &format!("{number:04}"), true).await?);
    }
    create_user(okta, prefix, "staged", false).await?;
    let suspended = create_user(okta, prefix, "suspended", false).await?;
    users.activate(&suspended, SendEmail::No).await?;
    users.suspend(&suspended).await?;
    let returned = create_user(okta, prefix, "returned", true).await?;
    users.suspend(&returned).await?;
    users.unsuspend(&returned).await?;
    let renamed = create_user(okta, prefix, "renamed", true).await?;
    let mut edit = Edit::new();
    edit.set_attribute("lastName", "Renamed")?;
    users
        .update(&renamed, &edit, &UpdateUser::default())
        .await?;
    let deactivated = create_user(okta, prefix, "deactivated", true).await?;
    users.deactivate(&deactivated, SendEmail::No).await?;
    let deleted = create_user(okta, prefix, "deleted", true).await?;
    users.deactivate(&deleted, SendEmail::No).await?;
    users.delete(&deleted).await?;

    let groups = okta.groups();
    let old = format!("{prefix}-old");
    let team = groups.create(&old, Some("A team")).await?;
    let mut edit = team.edit();
    edit.set_name(&format!("{prefix}-team"));
    groups.replace(&team.id, &edit).await?;
    for user in active.iter().take(3) {
        groups.add_member(&team.id, user).await?;
    }
    let ruled = groups.create(&format!("{prefix}-ruled"), None).await?;
    let rule = NewGroupRule {
        name: format!("{prefix}-rule"),
        expression: format!("user.lastName==\"Renamed\" && user.department==\"{prefix}\""),
        groups: vec![ruled.id],
        ..NewGroupRule::default()
    };
    let rule = okta.group_rules().create(&rule).await?;
    okta.group_rules().activate(&rule.id).await?;

    let settings = json!({ "requestIntegration": false, "url": "https://example.com" });
    let app = NewApp {
        name: "bookmark".to_owned(),
        label: format!("{prefix}-app"),
        sign_on_mode: "BOOKMARK".to_owned(),
        settings: settings.as_object().cloned().unwrap_or_default(),
        ..NewApp::default()
    };
    let app = okta.apps().create(&app).await?;
    okta.apps().assign_user(app.id(), &renamed).await?;
    okta.apps().assign_group(app.id(), &team.id).await?;
    Ok(())
}

async fn list_events(okta: &Client) -> Result<Vec<LogEvent>> {
    let list = okta.logs().list(ListLogs {
        filter: Some("eventType sw \"user.lifecycle.\"".to_owned()),
        ..ListLogs::default()
    });
    Ok(list.try_collect().await?)
}

async fn inventory(okta: &Client, prefix: &str, all_events: &[LogEvent]) -> Result<Value> {
    let mut logins: BTreeMap<Id<User>, String> = BTreeMap::new();
    let mut users = Map::new();
    let mut list = okta.users().list(ListUsers {
        search: Some(format!("profile.department eq \"{prefix}\"")),
        ..ListUsers::default()
    });
    while let Some(user) = list.try_next().await? {
        let login = user.profile.login;
        users.insert(
            login.clone(),
            json!([user.status.as_str(), user.profile.last_name]),
        );
        logins.insert(user.id, login);
    }

    let mut names: BTreeMap<Id<Group>, String> = BTreeMap::new();
    let mut groups = Map::new();
    let mut list = okta.groups().list(ListGroups {
        name_prefix: Some(prefix.to_owned()),
        ..ListGroups::default()
    });
    while let Some(group) = list.try_next().await? {
        let members = okta.groups().members(&group.id).try_collect().await?;
        let mut members: Vec<String> = members.into_iter().map(|user| user.profile.login).collect();
        members.sort();
        groups.insert(group.name.clone(), members.into());
        names.insert(group.id, group.name);
    }

    let mut rules = Map::new();
    let mut list = okta.group_rules().list(ListGroupRules::default());
    while let Some(rule) = list.try_next().await? {
        if rule.name.starts_with(prefix) {
            let groups: Vec<_> = rule.groups.iter().map(|id| names.get(id)).collect();
            let found = json!([rule.status.as_str(), rule.expression, groups]);
            rules.insert(rule.name, found);
        }
    }

    let mut apps = Map::new();
    let mut list = okta.apps().list(ListApps {
        query: Some(prefix.to_owned()),
        ..ListApps::default()
    });
    while let Some(app) = list.try_next().await? {
        let users = okta.apps().users(app.id()).try_collect().await?;
        let users: BTreeMap<_, _> = users
            .iter()
            .filter_map(|user| Some((logins.get(&user.id)?, user.scope.as_str())))
            .collect();
        let groups = okta.apps().groups(app.id()).try_collect().await?;
        let groups: Vec<_> = groups.iter().map(|group| names.get(&group.id)).collect();
        let found = json!({ "name": app.name(), "users": users, "groups": groups });
        apps.insert(app.label().to_owned(), found);
    }

    let mut events: BTreeMap<String, u64> = BTreeMap::new();
    for event in all_events {
        if event.user_id().is_some_and(|id| logins.contains_key(&id)) {
            *events.entry(event.event_type.to_string()).or_default() += 1;
        }
    }
    Ok(json!({ "users": users, "groups": groups, "rules": rules, "apps": apps, "events": events }))
}

/// Tries one call of each kind, and returns `ok` or the status and the code of the error for each of them.
async fn probe(okta: &Client) -> Value {
    let mut results = Map::new();
    let mut note = |name: &str, error: Option<okta_client::Error>| {
        let result = error.map_or_else(
            || "ok".to_owned(),
            |error| match error.api() {
                Some(api) => format!("{} {}", api.status(), api.code().unwrap_or("-")),
                None => error.to_string(),
            },
        );
        results.insert(name.to_owned(), result.into());
    };
    let users = okta.users();
    let user = create_user(okta, "probe", "one", true).await;
    let user = match user {
        Ok(id) => {
            note("users.create", None);
            id
        }
        Err(error) => return json!({ "users.create": error.to_string() }),
    };
    note("users.me", users.me().await.err());
    note("users.get", users.get(&UserRef::from(&user)).await.err());
    note("users.list", first(users.list(ListUsers::default())).await);
    let mut edit = Edit::new();
    edit.set_attribute("lastName", "Two").expect("a string");
    let updated = users.update(&user, &edit, &UpdateUser::default()).await;
    note("users.update", updated.err());
    note("users.groups", first(users.groups(&user)).await);
    note("users.suspend", users.suspend(&user).await.err());
    note("users.unsuspend", users.unsuspend(&user).await.err());
    let groups = okta.groups();
    match groups.create("probe", Some("A group")).await {
        Err(error) => note("groups.create", Some(error)),
        Ok(group) => {
            note("groups.create", None);
            let mut edit = group.edit();
            edit.set_name("probe two");
            note(
                "groups.replace",
                groups.replace(&group.id, &edit).await.err(),
            );
            note("groups.get", groups.get(&group.id).await.err());
            note(
                "groups.list",
                first(groups.list(ListGroups::default())).await,
            );
            note(
                "groups.add_member",
                groups.add_member(&group.id, &user).await.err(),
            );
            note("groups.members", first(groups.members(&group.id)).await);
            note(
                "groups.remove_member",
                groups.remove_member(&group.id, &user).await.err(),
            );
            note("groups.delete", groups.delete(&group.id).await.err());
        }
    }
    let rules = okta.group_rules().list(ListGroupRules::default());
    note("group_rules.list", first(rules).await);
    let app = NewApp {
        name: "bookmark".to_owned(),
        label: "Probe".to_owned(),
        sign_on_mode: "BOOKMARK".to_owned(),
        ..NewApp::default()
    };
    let apps = okta.apps();
    match apps.create(&app).await {
        Err(error) => note("apps.create", Some(error)),
        Ok(app) => {
            note("apps.create", None);
            let id = app.id();
            note("apps.get", apps.get(id).await.err());
            note("apps.list", first(apps.list(ListApps::default())).await);
            note("apps.replace", apps.replace(id, &app.edit()).await.err());
            note("apps.assign_user", apps.assign_user(id, &user).await.err());
            note("apps.users", first(apps.users(id)).await);
            note("apps.groups", first(apps.groups(id)).await);
            note("apps.keys", first(apps.keys(id)).await);
            note("apps.connection", apps.connection(id).await.err());
            note(
                "push_mappings.list",
                first(okta.push_mappings(id).list()).await,
            );
            note("apps.deactivate", apps.deactivate(id).await.err());
            note("apps.delete", apps.delete(id).await.err());
        }
    }
    note("domains.list", first(okta.domains().list()).await);
    note(
        "logs.list",
        first(okta.logs().list(ListLogs::default())).await,
    );
    let deactivated = users.deactivate(&user, SendEmail::No).await;
    note("users.deactivate", deactivated.err());
    note("users.delete", users.delete(&user).await.err());
    results.into()
}

/// Reads the first item of a list, and returns the error if that fails.
async fn first<T: Send + 'static>(
    mut list: okta_client::Pager<T, okta_client::Error>,
) -> Option<okta_client::Error> {
    list.try_next().await.err()
}
