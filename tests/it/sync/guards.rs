//! What must never be taken away, whatever the source says: the sandbox's list of writes stays empty.

use okta_aws_sso::{
    Blueprint, ErrorKind, okta,
    sync::{Directory, DirectorySync, GroupRemoval, OktaSource, Removal, RemovalLimits},
};
use rest_core::Secret;
use sandbox::{Fault, Sandbox, Service};

use super::rig::{Rig, directory};

/// A target that has everybody, a source that has changed, and the guard that must see it.
#[track_caller]
fn refused(error: &okta_aws_sso::Error, kind: ErrorKind, words: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(words), "{error}");
    assert!(error.help().is_some(), "{error}");
}

async fn check(change: impl Fn(&mut Directory), words: &str) {
    for remembers in [true, false] {
        let rig = Rig::new().await;
        let mut all = directory(40, 4, 20);
        rig.run(&rig.sync(&all)).await;
        rig.sandbox.forget_requests();
        change(&mut all);
        let sync = if remembers {
            rig.sync(&all)
        } else {
            rig.forgetful(&all)
        };
        let sync = sync
            .removal(Removal::Delete {
                after: std::time::Duration::ZERO,
            })
            .group_removal(GroupRemoval::Delete);
        let plan = sync.plan().await.expect("a plan");
        let error = sync.apply(&plan).await.expect_err("a refusal");
        refused(&error, ErrorKind::GuardRejected, words);
        assert_eq!(rig.sandbox.writes().len(), 0, "{words}");
    }
}

#[tokio::test]
async fn an_empty_source() {
    let words = "the source has nobody who may sign in, and the target has 40 managed users";
    check(|all| *all = Directory::default(), words).await;
    check(
        |all| {
            for user in &mut all.users {
                user.profile.active = false;
            }
        },
        words,
    )
    .await;
}

#[tokio::test]
async fn a_source_of_which_a_third_is_gone() {
    check(
        |all| {
            let gone = all.users.split_off(28);
            for group in &mut all.groups {
                group
                    .members
                    .retain(|member| gone.iter().all(|gone| gone.id != *member));
            }
        },
        "the plan takes away 12 of 44 managed users and groups, and the guard allows 4",
    )
    .await;
}

#[tokio::test]
async fn a_source_that_says_that_a_third_may_not_sign_in() {
    check(
        |all| {
            for user in &mut all.users[28..] {
                user.profile.active = false;
            }
        },
        "the plan takes away 12 of 44 managed users and groups, and the guard allows 4",
    )
    .await;
}

#[tokio::test]
async fn a_source_whose_groups_have_nobody_in_them() {
    check(
        |all| {
            for group in &mut all.groups {
                group.members.clear();
            }
        },
        "the plan removes 80 of 80 memberships, and the guard allows 24",
    )
    .await;
}

#[tokio::test]
async fn a_source_that_has_given_everybody_another_id() {
    let another = |all: &mut Directory| {
        for user in &mut all.users {
            let id = user.id.as_str().replacen("00u0", "00u9", 1);
            user.id = scim_types::ExternalId::new(id);
        }
        all.groups.clear();
    };
    let words = "the source does not know the ids of 40 of 40 managed users any more, and has 40 who are new";
    check(another, words).await;
    // Not even a name is the same.
    check(
        |all| {
            another(all);
            for user in &mut all.users {
                user.profile.user_name.insert(0, 'x');
                user.profile.email = None;
            }
        },
        words,
    )
    .await;
}

#[tokio::test]
async fn a_protected_group() {
    check(
        |all| all.groups[0].name = "AWSControlTowerAdmins".to_owned(),
        "the plan changes what is protected: group AWSControlTowerAdmins",
    )
    .await;
}

#[tokio::test]
async fn a_protected_group_that_is_gone_from_the_source() {
    let rig = Rig::new().await;
    let mut all = directory(20, 2, 5);
    rig.run(&rig.sync(&all)).await;
    rig.sandbox.forget_requests();
    let gone = all.groups.pop().expect("a group");
    let guard = RemovalLimits {
        protected_groups: [gone.name].into(),
        ..RemovalLimits::default()
    };
    let sync = rig
        .sync(&all)
        .group_removal(GroupRemoval::Delete)
        .removal_limits(guard);
    let plan = sync.plan().await.expect("a plan");
    let error = sync.apply(&plan).await.expect_err("a refusal");
    refused(&error, ErrorKind::GuardRejected, "group group-00001");
    assert_eq!(rig.sandbox.writes().len(), 0);
}

#[tokio::test]
async fn a_source_that_breaks_off_half_way() {
    let company = sandbox::Company::small(20, 2).team("deployers", &["person.00002@example.com"]);
    let rig = Rig::of(Sandbox::builder().company(company).page_size(Some(2))).await;
    let okta = okta::Client::builder(
        &rig.sandbox.okta_url(),
        Secret::new(rig.sandbox.okta_token()),
    )
    .clock(std::sync::Arc::new(rig.clock.clone()))
    .build()
    .expect("a client of Okta");
    let blueprint =
        "[provisioning]\nassign_groups = [\"aws-users\"]\npush_groups = [\"deployers\"]";
    let blueprint = Blueprint::from_toml(blueprint).expect("a blueprint");
    let sync = DirectorySync::new(OktaSource::new(&okta, &blueprint), &rig.scim)
        .store(rig.store.clone())
        .removal_limits(RemovalLimits::at_most(1000))
        .clock(std::sync::Arc::new(rig.clock.clone()));
    let report = rig.run(&sync).await;
    assert_eq!(report.done.users_created, 20);
    assert_eq!(rig.sandbox.identity_groups()[0].members.len(), 1);

    // The first half of the members has come by then; a page in between is refused for good.
    rig.sandbox.forget_requests();
    let asked: Vec<String> = {
        sync.plan().await.expect("a plan");
        rig.requests()
            .iter()
            .filter(|request| request.path.ends_with("/users"))
            .map(|request| request.path.clone())
            .collect()
    };
    assert!(asked.len() > 5, "{asked:?}");
    for status in [403, 500, 503] {
        let tries = if status == 403 { 1 } else { 5 };
        for _ in 0..tries {
            rig.sandbox.inject(
                Fault::fail(Service::Okta, status, "<html>")
                    .on("/users")
                    .after(3),
            );
        }
        let error = sync.plan().await.expect_err("half a source");
        refused(
            &error,
            ErrorKind::Service,
            "the members of group `aws-users` could not be read from Okta",
        );
        assert_eq!(rig.sandbox.writes().len(), 0);
    }
    // And a group that has vanished from Okta is no empty group.
    let blueprint = Blueprint::from_toml("[provisioning]\npush_groups = [\"vanished\"]");
    let source = OktaSource::new(&okta, &blueprint.expect("a blueprint"));
    let error = DirectorySync::new(source, &rig.scim)
        .plan()
        .await
        .expect_err("no such group");
    refused(
        &error,
        ErrorKind::UnusableSubject,
        "Okta has no group `vanished`",
    );
}
