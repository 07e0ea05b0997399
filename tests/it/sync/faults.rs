//! Every kind of failure in every kind of write: the directory ends right, and nothing is there twice.

use std::{sync::Arc, time::Duration};

use okta_aws_sso::sync::{Directory, DirectorySync, GroupRemoval, Removal, RemovalLimits};
use rest_core::{HttpOptions, HttpTransport};
use sandbox::{Fault, Service};

use super::rig::{Rig, directory};

/// One kind of write: the request that meets the fault, and the change of the source that brings it about.
struct Write {
    on: &'static str,
    change: fn(&mut Directory),
    /// What is to be in the target in the end.
    deletes: bool,
}

const WRITES: [Write; 8] = [
    Write {
        on: "POST /",
        change: |all| all.users.extend(directory(7, 0, 0).users.pop()),
        deletes: false,
    },
    Write {
        on: "PUT /",
        change: |all| all.users[2].profile.display_name = "Another".into(),
        deletes: false,
    },
    Write {
        on: "PATCH /",
        change: |all| drop(all.users.pop()),
        deletes: false,
    },
    Write {
        on: "DELETE /",
        change: |all| drop(all.users.pop()),
        deletes: true,
    },
    Write {
        on: "POST /",
        change: |all| *all = directory(6, 3, 3),
        deletes: false,
    },
    Write {
        on: "PATCH /",
        change: |all| {
            all.groups[0].members.pop_first();
            let newcomer = all.users[4].id.clone();
            all.groups[0].members.insert(newcomer);
        },
        deletes: false,
    },
    Write {
        on: "PATCH /",
        change: |all| all.groups[0].name = "renamed".into(),
        deletes: false,
    },
    Write {
        on: "DELETE /",
        change: |all| drop(all.groups.pop()),
        deletes: true,
    },
];

fn faults() -> Vec<(String, Fault)> {
    let scim = Service::Scim;
    let mut faults = Vec::new();
    for status in [429, 500, 503] {
        for retry_after in [None, Some(3)] {
            faults.push((
                format!("{status}, Retry-After {retry_after:?}"),
                Fault::refuse(scim, status, retry_after),
            ));
        }
    }
    let others = [
        ("no answer, not done", Fault::stall(scim, false)),
        ("no answer, done", Fault::stall(scim, true)),
        ("hung up, not done", Fault::hang_up_before_acting(scim)),
        ("hung up, done", Fault::hang_up_after_acting(scim)),
        ("half an answer", Fault::truncated_response(scim)),
        (
            "a page and 502",
            Fault::fail(scim, 502, "<html>Bad gateway"),
        ),
        ("a page and 200", Fault::fail(scim, 200, "<html>Welcome")),
    ];
    faults.extend(others.map(|(name, fault)| (name.to_owned(), fault)));
    faults
}

impl Rig {
    /// The same with a client that does not wait long for an answer.
    async fn impatient() -> Self {
        let mut rig = Self::new().await;
        let transport = HttpTransport::new(HttpOptions {
            total_timeout: Duration::from_millis(300),
            ..HttpOptions::default()
        });
        rig.scim = rig.client(|client| client.transport(Arc::new(transport)));
        rig
    }
}

fn eager(rig: &Rig, all: &Directory) -> DirectorySync {
    rig.sync(all)
        .removal(Removal::Delete {
            after: Duration::ZERO,
        })
        .group_removal(GroupRemoval::Delete)
        .removal_limits(RemovalLimits::at_most(5))
}

#[tokio::test]
async fn no_failure_of_any_write_leaves_the_directory_wrong_or_anything_there_twice() {
    for (name, fault) in faults() {
        for write in &WRITES {
            let what = format!("{} with {name}", write.on);
            let rig = Rig::impatient().await;
            let mut all = directory(6, 2, 3);
            rig.run(&rig.sync(&all)).await;
            (write.change)(&mut all);
            if write.deletes {
                // Deactivated by a run without faults; what is deleted then meets the fault.
                rig.run(&rig.sync(&all).removal_limits(RemovalLimits::at_most(5)))
                    .await;
            }
            rig.sandbox.inject(fault.clone().on(write.on));
            let sync = eager(&rig, &all);
            let plan = sync.plan().await.expect("a plan");
            assert_eq!(plan.users.len() + plan.groups.len(), 1, "{what}: {plan}");
            let report = sync.apply(&plan).await.expect("a run");
            if let Err(error) = report.complete() {
                panic!("{what}: {}", error.explain());
            }
            rig.assert_in_sync(&all);
            if write.deletes {
                assert_eq!(
                    rig.sandbox.identity_users().len(),
                    all.users.len(),
                    "{what}"
                );
            }
            // What is remembered is what is there.
            for sync in [rig.sync(&all), rig.forgetful(&all)] {
                let left = sync.plan().await.expect("a plan");
                assert!(left.is_empty(), "{what}: {left}");
            }
        }
    }
}

#[tokio::test]
async fn a_target_that_fails_for_good_ends_the_run_and_the_next_one_goes_on() {
    let rig = Rig::new().await;
    let all = directory(80, 2, 3);
    let sync = rig.sync(&all);
    let plan = sync.plan().await.expect("a plan");
    // Five users are written before it begins.
    for _ in 0..2000 {
        let fault = Fault::refuse(Service::Scim, 503, None);
        rig.sandbox.inject(fault.after(5));
    }
    let report = sync.apply(&plan).await.expect("a run");
    assert!(report.given_up.is_some());
    assert!(report.not_tried > 20, "{}", report.not_tried);
    rig.sandbox.clear_faults();
    rig.run(&sync).await;
    rig.assert_in_sync(&all);
}

#[tokio::test]
async fn a_run_that_was_dropped_anywhere_is_run_again_and_makes_nothing_twice() {
    for requests in [1, 5, 12, 21, 23, 26] {
        let rig = Rig::new().await;
        let all = directory(20, 5, 5);
        let sync = rig.sync(&all);
        // The run stands still at some request and is dropped there, as if the process had ended.
        for _ in 0..20 {
            rig.sandbox
                .inject(Fault::stall(Service::Scim, true).after(requests));
        }
        let run = async {
            let plan = sync.plan().await?;
            sync.apply(&plan).await
        };
        let ended = tokio::time::timeout(Duration::from_millis(400), run).await;
        assert!(ended.is_err(), "it went past request {requests}");
        rig.sandbox.clear_faults();
        rig.run(&rig.sync(&all)).await;
        rig.assert_in_sync(&all);
    }
}
