//! A directory of numbered people and groups, a sandbox's SCIM endpoint, and a count of what reaches it.

use std::{collections::BTreeMap, sync::Arc};

use okta_aws_sso::{
    StateStore,
    scim::{Client, ClientBuilder, Dialect, Endpoint},
    sync::{Directory, DirectorySync, SyncReport},
};
use rest_core::{ManualClock, Secret};
use sandbox::{Recorded, Sandbox, SandboxBuilder, Stage};

use crate::fixture::{START, company};

pub(super) struct Rig {
    endpoint: Endpoint,
    token: Secret,
    pub(super) sandbox: Sandbox,
    pub(super) scim: Client,
    pub(super) clock: ManualClock,
    pub(super) store: StateStore,
}

/// `users` people, and `groups` groups of `members` each.
///
/// Ids have Okta's form, so that the sync knows them again without a memory.
pub(super) fn directory(users: usize, groups: usize, members: usize) -> Directory {
    let people = (0..users).map(|number| {
        serde_json::json!({
            "id": user_id(number),
            "profile": {
                "user_name": format!("person.{number:05}@example.com"),
                "given_name": "Person", "family_name": format!("Number{number:05}"),
                "display_name": format!("Person Number{number:05}"),
                "email": format!("person.{number:05}@example.com"),
                "active": true,
                "more": { "department": "Engines" },
            },
        })
    });
    let groups = (0..groups).map(|group| {
        let members: Vec<String> = (0..members.min(users))
            .map(|place| user_id((group * 37 + place) % users))
            .collect();
        serde_json::json!({
            "id": format!("00g{group:017}"), "name": format!("group-{group:05}"), "members": members,
        })
    });
    let directory = serde_json::json!({
        "users": people.collect::<Vec<_>>(), "groups": groups.collect::<Vec<_>>(),
    });
    serde_json::from_value(directory).expect("a directory")
}

pub(super) fn user_id(number: usize) -> String {
    format!("00u{number:017}")
}

impl Rig {
    pub(super) async fn new() -> Self {
        Self::of(Sandbox::builder().company(company()).page_size(None)).await
    }

    pub(super) async fn of(sandbox: SandboxBuilder) -> Self {
        let start: jiff::Timestamp = START.parse().expect("a moment");
        let sandbox = sandbox
            .clock(sandbox::Clock::Manual(start))
            .stage(Stage::Federated)
            .start()
            .await
            .expect("a sandbox");
        let clock = ManualClock::new(start.try_into().expect("a moment after 1970"));
        clock.on_sleep(sandbox.advancer());
        let shown = sandbox
            .console()
            .enable_automatic_provisioning()
            .expect("the endpoint");
        let endpoint = Endpoint::parse(&shown.scim_endpoint).expect("an endpoint");
        let token = Secret::new(shown.access_token);
        let scim = client(&endpoint, &token, &clock, |client| client);
        Self {
            endpoint,
            token,
            sandbox,
            scim,
            clock,
            store: StateStore::memory(),
        }
    }

    /// Another client of the same endpoint.
    pub(super) fn client(&self, with: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
        client(&self.endpoint, &self.token, &self.clock, with)
    }

    /// A sync of a directory that remembers.
    pub(super) fn sync(&self, directory: &Directory) -> DirectorySync {
        self.forgetful(directory).store(self.store.clone())
    }

    /// A sync of a directory that remembers nothing and reads everything.
    pub(super) fn forgetful(&self, source: &Directory) -> DirectorySync {
        DirectorySync::new(OktaLike(source.clone()), &self.scim).clock(Arc::new(self.clock.clone()))
    }

    /// Plans and applies, and takes nothing less than everything.
    pub(super) async fn run(&self, sync: &DirectorySync) -> SyncReport {
        let plan = sync.plan().await.expect("a plan");
        let report = sync.apply(&plan).await.expect("a run");
        report
            .complete()
            .unwrap_or_else(|error| panic!("{}", error.explain()))
    }

    /// The requests since the last time they were counted.
    pub(super) fn requests(&self) -> Vec<Recorded> {
        let requests = self.sandbox.requests();
        self.sandbox.forget_requests();
        requests
    }

    /// How many requests there were since the last time, reads and writes.
    pub(super) fn calls(&self) -> (usize, usize) {
        let requests = self.requests();
        let writes = requests.iter().filter(|request| request.write).count();
        (requests.len() - writes, writes)
    }

    /// Asserts that the target has a directory and nothing else, nothing of it twice.
    #[track_caller]
    pub(super) fn assert_in_sync(&self, directory: &Directory) {
        let names: BTreeMap<&str, &str> = directory
            .users
            .iter()
            .map(|user| (user.id.as_str(), user.profile.user_name.as_str()))
            .collect();
        let mut wanted: Vec<String> = directory
            .users
            .iter()
            .map(|user| {
                let profile = &user.profile;
                format!("{} {} {}", profile.user_name, user.id, profile.display_name)
            })
            .collect();
        let users = self.sandbox.identity_users();
        let mut found: Vec<String> = users
            .iter()
            .filter(|user| user.active)
            .map(|user| {
                format!(
                    "{} {} {}",
                    user.user_name,
                    user.external_id.as_deref().unwrap_or_default(),
                    user.display_name.as_deref().unwrap_or_default()
                )
            })
            .collect();
        wanted.sort();
        found.sort();
        assert_eq!(found, wanted);
        let mut wanted: Vec<String> = directory
            .groups
            .iter()
            .map(|group| {
                let mut members: Vec<&str> = group
                    .members
                    .iter()
                    .map(|member| names[member.as_str()])
                    .collect();
                members.sort_unstable();
                format!("{} {} {}", group.name, group.id, members.join(","))
            })
            .collect();
        let mut found: Vec<String> = self
            .sandbox
            .identity_groups()
            .into_iter()
            .map(|mut group| {
                group.members.sort();
                let id = group.external_id.unwrap_or_default();
                format!("{} {id} {}", group.display_name, group.members.join(","))
            })
            .collect();
        wanted.sort();
        found.sort();
        assert_eq!(found, wanted);
    }
}

fn client(
    endpoint: &Endpoint,
    token: &Secret,
    clock: &ManualClock,
    with: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Client {
    let client = Client::builder(endpoint, token.clone())
        .dialect(Dialect::AwsIdentityCenter)
        .clock(Arc::new(clock.clone()));
    with(client).build().expect("a client")
}

/// A directory whose ids are known by their form, as Okta's are.
pub(super) struct OktaLike(pub(super) Directory);

impl okta_aws_sso::sync::Source for OktaLike {
    fn name(&self) -> String {
        "a directory like Okta's".to_owned()
    }

    fn read(&self) -> futures::future::BoxFuture<'_, okta_aws_sso::Result<Directory>> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn may_have_issued(&self, id: &scim_types::ExternalId) -> bool {
        id.as_str().starts_with("00u") || id.as_str().starts_with("00g")
    }
}
