//! The leaver story: a user who leaves a group in the source leaves it in AWS, or a refusal of the guard names the user. The tests
//! read the groups from the sandbox, not from a report.

use std::collections::{BTreeMap, BTreeSet};

use okta_aws_sso::{
    Guard,
    guard::Excess,
    plan::Hazard,
    sync::{Directory, DirectorySync, GroupRemoval, ReadMode, Removal},
};
use sandbox::{Fault, Person, Sandbox, Service, UnknownMembers};
use scim_types::ExternalId;

use super::{
    fixture::{SyncFixture, allowing},
    random_changes::RandomSource,
};
use crate::fixture::company;

/// A membership: the name of the group, and the source's id of the user.
type Membership = (String, String);

/// Returns the members of groups in AWS that the sync manages and that the source does not have in the group. A user who is
/// inactive in the source cannot sign in, and may stay in the groups that the source has for it.
fn stayers(fixture: &SyncFixture, source: &Directory) -> BTreeSet<Membership> {
    let managed: BTreeMap<String, String> = fixture
        .sandbox
        .identity_users()
        .into_iter()
        .filter_map(|user| Some((user.user_name, user.external_id?)))
        .collect();
    let wanted: BTreeMap<&str, BTreeSet<&str>> = source
        .groups
        .iter()
        .map(|group| {
            let members = group.members.iter().map(ExternalId::as_str);
            (group.id.as_str(), members.collect())
        })
        .collect();
    let mut stayers = BTreeSet::new();
    for group in fixture.sandbox.identity_groups() {
        let id = group.external_id.unwrap_or_default();
        for member in &group.members {
            let Some(user) = managed.get(member) else {
                continue;
            };
            let is_wanted = wanted.get(id.as_str());
            if !is_wanted.is_some_and(|members| members.contains(user.as_str())) {
                stayers.insert((group.display_name.clone(), user.clone()));
            }
        }
    }
    stayers
}

/// Returns all names that each user has or had, by the source's id.
fn add_names(
    names: &mut BTreeMap<String, BTreeSet<String>>,
    fixture: &SyncFixture,
    source: &Directory,
) {
    let users = fixture.sandbox.identity_users().into_iter();
    let in_aws = users.filter_map(|user| Some((user.external_id?, user.user_name)));
    let users = source.users.iter();
    let in_source = users.map(|user| (user.id.to_string(), user.profile.user_name.clone()));
    for (id, name) in in_aws.chain(in_source) {
        names.entry(id).or_default().insert(name);
    }
}

/// A story: a source that changes at random, and a target in which people change things by hand.
struct Story {
    fixture: SyncFixture,
    random: RandomSource,
    by_hand: usize,
}

impl Story {
    async fn begin(seed: u64) -> Self {
        let mut random = RandomSource::new(seed);
        let answers = [UnknownMembers::NotFound, UnknownMembers::Invalid];
        let answer = answers[random.below(2)];
        let sandbox = Sandbox::builder().company(company()).page_size(None);
        let fixture = SyncFixture::with_sandbox(sandbox.unknown_members(answer)).await;
        fixture.run(&fixture.sync(&random.directory)).await;
        Self {
            fixture,
            random,
            by_hand: 0,
        }
    }

    fn sync(&mut self) -> DirectorySync {
        let mode = [ReadMode::Cached, ReadMode::Verify, ReadMode::Full][self.random.below(3)];
        let removals = [
            Removal::Deactivate,
            Removal::Delete {
                after: std::time::Duration::ZERO,
            },
        ];
        let removal = removals[self.random.below(2)];
        let sync = self.fixture.sync(&self.random.directory);
        sync.mode(mode)
            .removal(removal)
            .group_removal(GroupRemoval::Delete)
    }

    /// Changes the source, and the target by hand, and injects faults.
    fn change(&mut self) {
        for change in 0..=self.random.below(5) {
            self.random.change_once(change == 0);
        }
        // One user leaves a group in each round.
        let groups = &self.random.directory.groups;
        let with_members = groups.iter().position(|group| !group.members.is_empty());
        if let Some(index) = with_members {
            let members = &mut self.random.directory.groups[index].members;
            members.pop_last();
        }
        let sandbox = &self.fixture.sandbox;
        let (users, groups) = (sandbox.identity_users(), sandbox.identity_groups());
        for _ in 0..self.random.below(3) {
            let user = &users[self.random.below(users.len())].user_name;
            let is_there = |name: &String| {
                let mut left = sandbox.identity_users().into_iter();
                left.any(|user| user.user_name == *name)
            };
            if is_there(user) {
                sandbox.delete_identity_user(user);
            }
        }
        if self.random.below(4) == 0 && !groups.is_empty() {
            let group = &groups[self.random.below(groups.len())].display_name;
            sandbox.delete_identity_group(group);
        }
        // Someone makes an account by hand, with the email address of a user of the source.
        if self.random.below(3) == 0 {
            self.by_hand += 1;
            let index = self.random.below(self.random.directory.users.len());
            let email = self.random.directory.users[index].profile.email.clone();
            let email = email.expect("an email address");
            let mut taken = sandbox.identity_users().into_iter();
            if !taken.any(|user| user.email.as_ref() == Some(&email)) {
                let name = format!("by.hand.{}@example.com", self.by_hand);
                let person = Person::new(&name, "By", "Hand").with_attribute("email", &email);
                let _ = sandbox.add_identity_user(&person);
            }
        }
        for _ in 0..self.random.below(3) {
            let fault = match self.random.below(3) {
                0 => Fault::fail(Service::Scim, 400, "{}").on("POST /"),
                1 => Fault::fail(Service::Scim, 400, "{}").on("PUT /"),
                _ => Fault::throttle(Service::Scim, 1),
            };
            let after = self.random.below(4);
            sandbox.inject(fault.after(after));
        }
    }
}

/// Returns the number of seeds of each test. Set `LEAVER_SEEDS=1000` for a longer test.
fn seeds() -> u64 {
    let configured = std::env::var("LEAVER_SEEDS").ok();
    configured
        .and_then(|seeds| seeds.parse().ok())
        .unwrap_or(100)
}

#[tokio::test]
async fn a_user_that_left_a_group_in_the_source_is_not_in_it_after_a_run() {
    let mut stayed_before: u64 = 0;
    for seed in 0..seeds() {
        let mut story = Story::begin(seed).await;
        for round in 0..3 {
            story.change();
            stayed_before += stayers(&story.fixture, &story.random.directory).len() as u64;
            let sync = story.sync();
            let what = format!("seed {seed}, round {round}: {sync:?}");
            let prepared = match sync.prepare().await {
                Ok(prepared) => prepared,
                Err(error) => panic!("{what}: {}", error.explain()),
            };
            let plan = prepared.plan().clone();
            let hazards: Vec<String> = plan.hazards.iter().filter_map(Hazard::id).collect();
            let sync = sync.guard(allowing(hazards.iter().map(String::as_str)));
            let report = match sync.apply(prepared).await {
                Ok(report) => report,
                Err(error) => panic!("{what}: {}", error.explain()),
            };
            assert_eq!(report.stopped_early, None, "{what}: {report}");
            let stayed = stayers(&story.fixture, &story.random.directory);
            assert!(
                stayed.is_empty(),
                "{what}: {stayed:?} after\n{plan}\n{report}"
            );
            story.fixture.sandbox.clear_faults();
        }
    }
    assert!(stayed_before > seeds(), "{stayed_before} leavers");
}

#[tokio::test]
async fn with_the_default_limits_a_refusal_of_the_guard_names_each_leaver_who_stays() {
    let mut refused: u64 = 0;
    for seed in 0..seeds() {
        let mut story = Story::begin(1_000_000 + seed).await;
        let mut names = BTreeMap::new();
        for round in 0..3 {
            story.change();
            add_names(&mut names, &story.fixture, &story.random.directory);
            let guard = Guard {
                excess: [Excess::RefusePlan, Excess::WithholdRemovals][story.random.below(2)],
                ..Guard::default()
            };
            let sync = story.sync().guard(guard);
            let what = format!("seed {seed}, round {round}: {sync:?}");
            let prepared = sync.prepare().await.expect("a plan");
            let plan = prepared.plan().clone();
            let refusal = match sync.apply(prepared).await {
                Ok(report) => report.to_string(),
                Err(error) => error.to_string(),
            };
            add_names(&mut names, &story.fixture, &story.random.directory);
            for (group, user) in stayers(&story.fixture, &story.random.directory) {
                let of_user = &names[&user];
                let is_named = of_user
                    .iter()
                    .any(|name| refusal.contains(&format!("membership of {name} in group ")));
                assert!(
                    is_named,
                    "{what}: {of_user:?} of group {group} is not in:\n{refusal}\n{plan}"
                );
                refused += 1;
            }
            story.fixture.sandbox.clear_faults();
        }
    }
    assert!(refused > seeds(), "{refused} leavers");
}
