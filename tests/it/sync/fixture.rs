//! The fixture of the sync tests: a source of numbered users and groups, and a sandbox as the target.

use std::{collections::BTreeMap, sync::Arc};

use okta_aws_sso::{
    Guard, StateStore,
    guard::KindLimit,
    okta,
    plan::Kind,
    scim::{Client, ClientBuilder, Dialect, Endpoint},
    sync::{Directory, DirectorySync, ReadMode, SyncReport},
};
use rest_core::{ManualClock, Secret};
use sandbox::{RecordedRequest, Sandbox, SandboxBuilder, Stage};
use scim_types::{ResourceId, User};

use crate::fixture::{START, company};

/// A sandbox as the target, with a SCIM client, a manual clock, and a store for the cached state.
pub(super) struct SyncFixture {
    endpoint: Endpoint,
    token: Secret,
    pub(super) sandbox: Sandbox,
    pub(super) scim: Client,
    pub(super) clock: ManualClock,
    pub(super) store: StateStore,
}

/// Returns a source with `users` users, and with `groups` groups of `members` members each.
///
/// The ids have Okta's form, so the sync recognizes managed users without a cached state.
pub(super) fn directory(users: usize, groups: usize, members: usize) -> Directory {
    let users_json = (0..users).map(|number| {
        serde_json::json!({
            "id": user_id(number),
            "profile": {
                "user_name": format!("person.{number:05}@example.com"),
                "given_name": "Person", "family_name": format!("Number{number:05}"),
                "display_name": format!("Person Number{number:05}"),
                "email": format!("person.{number:05}@example.com"),
                "active": true,
                "optional": { "department": "Engines" },
            },
        })
    });
    let groups_json = (0..groups).map(|group| {
        let members: Vec<String> = (0..members.min(users))
            .map(|offset| user_id((group * 37 + offset) % users))
            .collect();
        serde_json::json!({
            "id": format!("00g{group:017}"), "name": format!("group-{group:05}"), "members": members,
        })
    });
    let directory = serde_json::json!({
        "users": users_json.collect::<Vec<_>>(), "groups": groups_json.collect::<Vec<_>>(),
    });
    serde_json::from_value(directory).expect("a valid directory")
}

/// Returns the source id of a user.
pub(super) fn user_id(number: usize) -> String {
    format!("00u{number:017}")
}

/// Changes the user name and the email address of a user.
pub(super) fn rename_user(source: &mut Directory, index: usize, name: &str) {
    let profile = &mut source.users[index].profile;
    name.clone_into(&mut profile.user_name);
    profile.email = Some(name.to_owned());
}

/// Returns a guard that allows all removals, and no hazard.
pub(super) fn lifted() -> Guard {
    let kinds = [Kind::User, Kind::Group, Kind::Membership];
    Guard {
        limits: kinds
            .map(|kind| (kind, KindLimit::per_run(u32::MAX)))
            .into(),
        ..Guard::default()
    }
}

/// Returns a guard that allows all removals, and these hazards.
pub(super) fn allowing<'a>(hazards: impl IntoIterator<Item = &'a str>) -> Guard {
    Guard {
        allowed: hazards.into_iter().map(str::to_owned).collect(),
        ..lifted()
    }
}

impl SyncFixture {
    /// Returns a client of the sandbox's Okta org.
    pub(super) fn okta(&self) -> okta::Client {
        let (url, token) = (self.sandbox.okta_url(), self.sandbox.okta_token());
        let client = okta::Client::builder(&url, Secret::new(token));
        let client = client.clock(Arc::new(self.clock.clone()));
        client.build().expect("a client of Okta")
    }

    /// Creates a fixture with an empty target.
    pub(super) async fn new() -> Self {
        Self::with_sandbox(Sandbox::builder().company(company()).page_size(None)).await
    }

    /// Creates a fixture with a configured sandbox.
    pub(super) async fn with_sandbox(sandbox: SandboxBuilder) -> Self {
        let start: jiff::Timestamp = START.parse().expect("a timestamp");
        let sandbox = sandbox
            .clock(sandbox::Clock::Manual(start))
            .stage(Stage::Federated)
            .start()
            .await
            .expect("the sandbox starts");
        let clock = ManualClock::new(start.try_into().expect("a timestamp after 1970"));
        clock.on_sleep(sandbox.advance_fn());
        let shown = sandbox
            .console()
            .enable_automatic_provisioning()
            .expect("the SCIM endpoint");
        let endpoint = Endpoint::parse(&shown.scim_endpoint).expect("a valid endpoint");
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

    /// Uses another token from now on.
    pub(super) fn set_token(&mut self, token: Secret) {
        self.token = token;
        self.scim = self.client_with(|client| client);
    }

    /// Returns the token.
    pub(super) fn token(&self) -> &str {
        self.token.expose()
    }

    /// Creates another client of the same endpoint.
    pub(super) fn client_with(
        &self,
        configure: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Client {
        client(&self.endpoint, &self.token, &self.clock, configure)
    }

    /// Creates a sync with a cached state.
    pub(super) fn sync(&self, source: &Directory) -> DirectorySync {
        self.stateless_sync(source).store(self.store.clone())
    }

    /// Creates a sync without a cached state, which reads the whole target.
    pub(super) fn stateless_sync(&self, source: &Directory) -> DirectorySync {
        DirectorySync::new(OktaIdSource(source.clone()), &self.scim)
            .guard(lifted())
            .clock(Arc::new(self.clock.clone()))
    }

    /// Plans and applies a run.
    pub(super) async fn apply(&self, sync: &DirectorySync) -> SyncReport {
        let prepared = sync.prepare().await.expect("a plan");
        sync.apply(prepared).await.expect("a run")
    }

    /// Plans and applies a run, and requires that every change is applied.
    pub(super) async fn run(&self, sync: &DirectorySync) -> SyncReport {
        let report = self.apply(sync).await;
        report
            .complete()
            .unwrap_or_else(|error| panic!("{}", error.explain()))
    }

    /// Returns the requests since the last call, and clears them.
    pub(super) fn take_requests(&self) -> Vec<RecordedRequest> {
        let requests = self.sandbox.requests();
        self.sandbox.clear_requests();
        requests
    }

    /// Returns the number of reads and of writes since the last call, and clears them.
    pub(super) fn take_request_counts(&self) -> (usize, usize) {
        let requests = self.take_requests();
        let writes = requests.iter().filter(|request| request.write).count();
        (requests.len() - writes, writes)
    }

    /// Creates a user that the sync does not manage: without an external id.
    pub(super) async fn create_unmanaged_user(&self, name: &str) -> ResourceId {
        let user: User = serde_json::from_value(serde_json::json!({
            "userName": name, "displayName": "An Unmanaged User", "active": true,
            "emails": [{"value": format!("mail.{name}"), "type": "work", "primary": true}],
            "name": {"givenName": "Unmanaged", "familyName": "User"},
        }))
        .expect("a valid user");
        let created = self.scim.users().create(&user).await;
        created.expect("a user").id.expect("an id")
    }

    /// Removes the external id of a user in the target.
    pub(super) async fn clear_user_external_id(&self, name: &str) {
        let users = self.sandbox.identity_users();
        let user = users.iter().find(|user| user.user_name == name);
        let id = ResourceId::parse(&user.expect("the user exists").id).expect("an id");
        let mut user = self.scim.users().get(&id).await.expect("the user");
        user.external_id = None;
        user.meta = None;
        let replaced = self.scim.users().replace(&id, &user).await;
        replaced.expect("the user");
    }

    /// Returns the target id of a group.
    pub(super) fn group_id(&self, name: &str) -> ResourceId {
        let groups = self.sandbox.identity_groups();
        let group = groups.iter().find(|group| group.display_name == name);
        ResourceId::parse(&group.expect("the group exists").id).expect("an id")
    }

    /// Asserts that the plan is empty in every read mode.
    pub(super) async fn assert_no_changes(&self, source: &Directory) {
        for mode in [ReadMode::Cached, ReadMode::Verify, ReadMode::Full] {
            let plan = self.sync(source).mode(mode).plan().await.expect("a plan");
            assert!(plan.is_empty(), "{mode:?}: {plan}");
        }
    }

    /// Asserts that the target has exactly the users and groups of the source, without duplicates.
    #[track_caller]
    pub(super) fn assert_in_sync(&self, source: &Directory) {
        let names: BTreeMap<&str, &str> = source
            .users
            .iter()
            .map(|user| (user.id.as_str(), user.profile.user_name.as_str()))
            .collect();
        let mut expected: Vec<String> = source
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
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
        let mut expected: Vec<String> = source
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
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
    }
}

fn client(
    endpoint: &Endpoint,
    token: &Secret,
    clock: &ManualClock,
    configure: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Client {
    let client = Client::builder(endpoint, token.clone())
        .dialect(Dialect::AwsIdentityCenter)
        .clock(Arc::new(clock.clone()));
    configure(client).build().expect("a client")
}

/// A source that recognizes its ids by their form, as [`OktaSource`](okta_aws_sso::sync::OktaSource) does.
pub(super) struct OktaIdSource(pub(super) Directory);

impl okta_aws_sso::sync::Source for OktaIdSource {
    fn name(&self) -> String {
        "a directory with Okta ids".to_owned()
    }

    fn read(&self) -> futures::future::BoxFuture<'_, okta_aws_sso::Result<Directory>> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn may_have_issued(&self, id: &scim_types::ExternalId) -> bool {
        id.as_str().starts_with("00u") || id.as_str().starts_with("00g")
    }
}
