//! Tests with random changes of the source over several runs, including runs that fail or are interrupted.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use okta_aws_sso::sync::{Directory, DirectorySync, GroupRemoval, ReadMode, Removal};
use sandbox::{Fault, Service};
use scim_types::ExternalId;

use super::fixture::{SyncFixture, allowing, directory, rename_user};

/// A source that changes at random.
pub(super) struct RandomSource {
    /// The state of the random number generator.
    random: u64,
    /// The number of the last new name or id.
    next: usize,
    pub(super) directory: Directory,
    /// The users that were removed from the source.
    removed: Vec<okta_aws_sso::sync::User>,
}

impl RandomSource {
    /// Returns a random number from 0 to `limit` − 1.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        // The linear congruential generator of Numerical Recipes is random enough here.
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.random >> 33).expect("31 bits") % limit.max(1)
    }

    /// Applies one random change. `first` is true for the first change of a round.
    pub(super) fn change_once(&mut self, first: bool) {
        let (users, groups) = (self.directory.users.len(), self.directory.groups.len());
        let (one, other) = (self.below(users), self.below(users));
        match self.below(13) {
            0 => {
                self.next += 1;
                let name = format!("name.{}@example.com", self.next);
                rename_user(&mut self.directory, one, &name);
            }
            1 | 2 if one != other => {
                let (a, b) = (self.name(one), self.name(other));
                rename_user(&mut self.directory, one, &b);
                rename_user(&mut self.directory, other, &a);
            }
            3 => {
                // A user gets a new name, and another user gets the old one.
                let name = self.name(one);
                self.next += 1;
                let new = format!("name.{}@example.com", self.next);
                rename_user(&mut self.directory, one, &new);
                if one != other {
                    rename_user(&mut self.directory, other, &name);
                }
            }
            // This change is made only as the first one of a round. A removed account keeps its name, so no earlier
            // change of the round may have given that name to another user.
            4 if first && users > 8 => {
                let removed = self.directory.users.remove(one);
                for group in &mut self.directory.groups {
                    group.members.remove(&removed.id);
                }
                self.removed.push(removed);
            }
            5 => {
                self.next += 1;
                let mut user = directory(1, 0, 0).users.remove(0);
                user.id = ExternalId::new(format!("00u7{:016}", self.next));
                self.directory.users.insert(one, user);
                let name = format!("name.{}@example.com", self.next);
                rename_user(&mut self.directory, one, &name);
            }
            6 if !self.removed.is_empty() => {
                let back = self.removed.swap_remove(0);
                self.directory.users.push(back);
            }
            7 => {
                let (a, b) = (self.below(groups), self.below(groups));
                let name = self.directory.groups[a].name.clone();
                self.directory.groups[a].name =
                    std::mem::replace(&mut self.directory.groups[b].name, name);
            }
            8 => {
                let a = self.below(groups);
                self.next += 1;
                self.directory.groups[a].name = format!("team-{}", self.next);
            }
            9 => self.directory.users[one].profile.display_name = format!("Person {other}"),
            10 => {
                let active = &mut self.directory.users[one].profile.active;
                *active = !*active;
            }
            _ => {
                let a = self.below(groups);
                let id = self.directory.users[one].id.clone();
                if !self.directory.groups[a].members.remove(&id) {
                    self.directory.groups[a].members.insert(id);
                }
            }
        }
    }

    /// Recreates a user and a group under new ids.
    fn recreate(&mut self) {
        let is_active = |user: &okta_aws_sso::sync::User| user.profile.active;
        let start = self.below(self.directory.users.len());
        let indexes = (start..self.directory.users.len()).chain(0..start);
        let one = indexes
            .into_iter()
            .find(|index| is_active(&self.directory.users[*index]))
            .expect("an active user");
        self.next += 1;
        let id = ExternalId::new(format!("00u8{:016}", self.next));
        let old_id = std::mem::replace(&mut self.directory.users[one].id, id.clone());
        for group in &mut self.directory.groups {
            if group.members.remove(&old_id) {
                group.members.insert(id.clone());
            }
        }
        let one = self.below(self.directory.groups.len());
        self.directory.groups[one].id = ExternalId::new(format!("00g8{:016}", self.next));
    }

    fn name(&self, index: usize) -> String {
        self.directory.users[index].profile.user_name.clone()
    }
}

/// Returns the number of seeds. Set `SYNC_SEEDS=500` for a longer test.
fn seeds() -> u64 {
    let configured = std::env::var("SYNC_SEEDS").ok();
    configured
        .and_then(|seeds| seeds.parse().ok())
        .unwrap_or(12)
}

impl RandomSource {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: seed,
            next: 0,
            directory: directory(12, 4, 4),
            removed: Vec::new(),
        }
    }

    /// Applies the random changes of a round.
    fn change(&mut self, round: usize) {
        if round % 4 == 3 {
            return self.recreate();
        }
        for change in 0..=self.below(5) {
            self.change_once(change == 0);
        }
    }

    /// Creates a sync with random settings.
    fn sync(&mut self, fixture: &SyncFixture) -> DirectorySync {
        let mode = [ReadMode::Cached, ReadMode::Verify, ReadMode::Full][self.below(3)];
        let delete = Removal::Delete {
            after: Duration::ZERO,
        };
        let removal = [Removal::Deactivate, delete][self.below(2)];
        let groups = fixture.sandbox.identity_groups().into_iter();
        let groups = groups.map(|group| group.display_name);
        let groups = groups.chain(self.directory.groups.iter().map(|group| group.name.clone()));
        let allowed = groups.flat_map(|name| {
            ["emptied-group", "gives-access-to"].map(|hazard| format!("{hazard}:{name}"))
        });
        let allowed: Vec<String> = allowed.chain(["new-ids".to_owned()]).collect();
        fixture
            .sync(&self.directory)
            .mode(mode)
            .removal(removal)
            .group_removal(GroupRemoval::Delete)
            .guard(allowing(allowed.iter().map(String::as_str)))
    }
}

/// A user of the target: id, name and active flag.
type Account = (String, String, bool);

/// Returns the users of the target by external id.
fn accounts_by_external_id(fixture: &SyncFixture) -> BTreeMap<String, Account> {
    let users = fixture.sandbox.identity_users().into_iter();
    users
        .filter_map(|user| Some((user.external_id?, (user.id, user.user_name, user.active))))
        .collect()
}

/// Asserts that the target has exactly the active users of the source, and the same groups and members, apart from
/// unmanaged users.
#[track_caller]
fn assert_matches_source(
    fixture: &SyncFixture,
    source: &Directory,
    unmanaged: &[String],
    what: &str,
) {
    let accounts = accounts_by_external_id(fixture);
    let mut active: BTreeMap<&str, &str> = BTreeMap::new();
    for user in &source.users {
        let found = accounts.get(user.id.as_str());
        if user.profile.active {
            active.insert(user.id.as_str(), &user.profile.user_name);
        }
        let expected = (user.profile.user_name.as_str(), user.profile.active);
        let found = found.map_or(("", false), |(_, name, active)| (name.as_str(), *active));
        assert!(
            found == expected || (found == ("", false) && !expected.1),
            "{what}: found {found:?}, expected {expected:?}"
        );
    }
    let active_in_target: BTreeMap<&str, &str> = accounts
        .iter()
        .filter(|(_, account)| account.2)
        .map(|(id, account)| (id.as_str(), account.1.as_str()))
        .collect();
    assert_eq!(active_in_target, active, "{what}");
    let groups = fixture.sandbox.identity_groups();
    assert_eq!(groups.len(), source.groups.len(), "{what}");
    for group in &source.groups {
        let found = groups
            .iter()
            .find(|found| found.external_id.as_deref() == Some(group.id.as_str()))
            .unwrap_or_else(|| panic!("{what}: no group {}", group.name));
        assert_eq!(found.display_name, group.name, "{what}");
        let members: BTreeSet<&str> = found
            .members
            .iter()
            .map(String::as_str)
            .filter(|name| unmanaged.iter().all(|unmanaged| unmanaged != name))
            .collect();
        let expected: BTreeSet<&str> = group
            .members
            .iter()
            .filter_map(|member| Some(accounts.get(member.as_str())?.1.as_str()))
            .collect();
        assert_eq!(members, expected, "{what}: {}", group.name);
    }
}

#[tokio::test]
async fn random_changes_over_several_runs_end_in_sync() {
    for seed in 0..seeds() {
        let fixture = SyncFixture::new().await;
        let mut random_source = RandomSource::new(seed);
        fixture.run(&fixture.sync(&random_source.directory)).await;
        let name = "unmanaged@example.com";
        let id = fixture.create_unmanaged_user(name).await;
        let group = fixture.group_id("group-00001");
        let added = fixture.scim.groups().add_members(&group, &[id]).await;
        added.expect("a member");
        let unmanaged = [name.to_owned()];
        for round in 0..12 {
            let before = accounts_by_external_id(&fixture);
            random_source.change(round);
            let sync = random_source.sync(&fixture);
            let what = format!("seed {seed}, round {round}: {sync:?}");
            let prepared = sync.prepare().await.expect("a plan");
            let plan = prepared.plan().clone();
            let report = sync.apply(prepared).await.expect("a run");
            if let Err(error) = report.complete() {
                panic!("{what}: {}\n{plan}", error.explain());
            }
            assert_matches_source(&fixture, &random_source.directory, &unmanaged, &what);
            fixture.assert_no_changes(&random_source.directory).await;
            // Every external id keeps its account.
            for (external_id, account) in accounts_by_external_id(&fixture) {
                if let Some(previous) = before.get(&external_id) {
                    assert_eq!(account.0, previous.0, "{what}: {external_id}");
                }
            }
        }
    }
}

#[tokio::test]
async fn failed_and_interrupted_runs_are_corrected_even_if_the_source_changes_again() {
    for seed in 0..seeds() {
        let fixture = SyncFixture::new().await;
        let mut random_source = RandomSource::new(seed);
        fixture.run(&fixture.sync(&random_source.directory)).await;
        for round in 0..6 {
            let before = accounts_by_external_id(&fixture);
            random_source.change(round);
            let after = random_source.below(6);
            let fault = match random_source.below(4) {
                0 => Fault::stall(Service::Scim, true),
                1 => Fault::stall(Service::Scim, false),
                2 => Fault::fail(Service::Scim, 400, "{}"),
                _ => Fault::refuse(Service::Scim, 500, None),
            };
            let on = ["POST /", "PUT /", "PATCH /", "/"][random_source.below(4)];
            let sync = random_source.sync(&fixture);
            let prepared = sync.prepare().await.expect("a plan");
            let plan = prepared.plan().clone();
            for _ in 0..30 {
                fixture.sandbox.inject(fault.clone().on(on).after(after));
            }
            let run = tokio::time::timeout(Duration::from_millis(100), sync.apply(prepared));
            let result = run.await;
            fixture.sandbox.clear_faults();
            let changes_again = random_source.below(2) == 0;
            let changed = random_source.directory.clone();
            if changes_again {
                random_source.change(0);
            }
            let sync = random_source.sync(&fixture);
            let what = format!(
                "seed {seed}, round {round}: {fault:?} {on} {after} {result:?}\n{plan}\n{changed:?}\n{sync:?}"
            );
            // The names that blocked the interrupted run may also block the next run, so a second run follows.
            for _ in 0..2 {
                let prepared = sync.prepare().await.expect("a plan");
                let plan = prepared.plan().clone();
                let report = sync.apply(prepared).await.expect("a run");
                if let Err(error) = report.complete() {
                    panic!("{what}: {}\n{plan}", error.explain());
                }
            }
            assert_matches_source(&fixture, &random_source.directory, &[], &what);
            fixture.assert_no_changes(&random_source.directory).await;
            for (external_id, account) in accounts_by_external_id(&fixture) {
                if let Some(previous) = before.get(&external_id) {
                    assert_eq!(account.0, previous.0, "{what}: {external_id}");
                }
            }
        }
    }
}
