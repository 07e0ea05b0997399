//! Tests of failed, interrupted and rejected writes: the target ends in sync and without duplicates.

use std::{sync::Arc, time::Duration};

use okta_aws_sso::sync::{Directory, DirectorySync, GroupRemoval, ReadMode, Removal};
use rest_core::{HttpOptions, HttpTransport};
use sandbox::{Fault, Service};
use scim_types::ExternalId;

use super::fixture::{SyncFixture, allowing, directory, user_id};

/// A kind of write: the request that gets the fault, and the change of the source that causes the request.
struct Write {
    on: &'static str,
    change: fn(&mut Directory),
    /// Whether the write is a deletion.
    deletes: bool,
}

const WRITES: [Write; 8] = [
    Write {
        on: "POST /",
        change: |source| source.users.extend(directory(7, 0, 0).users.pop()),
        deletes: false,
    },
    Write {
        on: "PUT /",
        change: |source| source.users[2].profile.display_name = "Another".into(),
        deletes: false,
    },
    Write {
        on: "PATCH /",
        change: |source| drop(source.users.pop()),
        deletes: false,
    },
    Write {
        on: "DELETE /",
        change: |source| drop(source.users.pop()),
        deletes: true,
    },
    Write {
        on: "POST /",
        change: |source| *source = directory(6, 3, 3),
        deletes: false,
    },
    Write {
        on: "PATCH /",
        change: |source| {
            source.groups[0].members.pop_first();
            let new_member = source.users[4].id.clone();
            source.groups[0].members.insert(new_member);
        },
        deletes: false,
    },
    Write {
        on: "PATCH /",
        change: |source| source.groups[0].name = "renamed".into(),
        deletes: false,
    },
    Write {
        on: "DELETE /",
        change: |source| drop(source.groups.pop()),
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
        ("no response, not applied", Fault::stall(scim, false)),
        ("no response, applied", Fault::stall(scim, true)),
        (
            "connection closed, not applied",
            Fault::close_before_processing(scim),
        ),
        (
            "connection closed, applied",
            Fault::close_after_processing(scim),
        ),
        ("truncated response", Fault::truncated_response(scim)),
        (
            "HTML page with 502",
            Fault::fail(scim, 502, "<html>Bad gateway"),
        ),
        (
            "HTML page with 200",
            Fault::fail(scim, 200, "<html>Welcome"),
        ),
    ];
    faults.extend(others.map(|(name, fault)| (name.to_owned(), fault)));
    faults
}

impl SyncFixture {
    /// Creates a fixture whose client has a short timeout.
    async fn with_short_timeout() -> Self {
        let mut fixture = Self::new().await;
        let transport = HttpTransport::new(HttpOptions {
            total_timeout: Duration::from_millis(300),
            ..HttpOptions::default()
        });
        fixture.scim = fixture.client_with(|client| client.transport(Arc::new(transport)));
        fixture
    }
}

/// Creates a sync that deletes removed users and groups.
fn deleting_sync(fixture: &SyncFixture, source: &Directory) -> DirectorySync {
    fixture
        .sync(source)
        .removal(Removal::Delete {
            after: Duration::ZERO,
        })
        .group_removal(GroupRemoval::Delete)
}

#[tokio::test]
async fn every_fault_in_every_kind_of_write_ends_in_sync_without_duplicates() {
    for (name, fault) in faults() {
        for write in &WRITES {
            let what = format!("{} with {name}", write.on);
            let fixture = SyncFixture::with_short_timeout().await;
            let mut source = directory(6, 2, 3);
            fixture.run(&fixture.sync(&source)).await;
            (write.change)(&mut source);
            if write.deletes {
                // A run without faults deactivates the user; the next run deletes it and gets the fault.
                fixture.run(&fixture.sync(&source)).await;
            }
            fixture.sandbox.inject(fault.clone().on(write.on));
            let sync = deleting_sync(&fixture, &source);
            let prepared = sync.prepare().await.expect("a plan");
            let plan = prepared.plan().clone();
            assert_eq!(plan.users.len() + plan.groups.len(), 1, "{what}: {plan}");
            let report = sync.apply(prepared).await.expect("a run");
            if let Err(error) = report.complete() {
                panic!("{what}: {}", error.explain());
            }
            fixture.assert_in_sync(&source);
            if write.deletes {
                assert_eq!(
                    fixture.sandbox.identity_users().len(),
                    source.users.len(),
                    "{what}"
                );
            }
            // The cached state matches the target.
            for sync in [fixture.sync(&source), fixture.stateless_sync(&source)] {
                let plan = sync.plan().await.expect("a plan");
                assert!(plan.is_empty(), "{what}: {plan}");
            }
        }
    }
}

#[tokio::test]
async fn a_persistent_failure_ends_the_run_and_the_next_run_continues() {
    let fixture = SyncFixture::new().await;
    let source = directory(80, 2, 3);
    let sync = fixture.sync(&source);
    let prepared = sync.prepare().await.expect("a plan");
    // The target fails after five requests.
    for _ in 0..2000 {
        let fault = Fault::refuse(Service::Scim, 503, None);
        fixture.sandbox.inject(fault.after(5));
    }
    let report = sync.apply(prepared).await.expect("a run");
    assert!(report.stopped_early.is_some());
    assert!(report.not_attempted > 20, "{}", report.not_attempted);
    fixture.sandbox.clear_faults();
    fixture.run(&sync).await;
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn a_run_killed_at_any_request_is_continued_without_duplicates() {
    for requests in [1, 5, 12, 21, 23, 26] {
        let fixture = SyncFixture::new().await;
        let source = directory(20, 5, 5);
        let sync = fixture.sync(&source);
        // The run hangs at a request and is dropped there, as if the process had been killed.
        for _ in 0..20 {
            fixture
                .sandbox
                .inject(Fault::stall(Service::Scim, true).after(requests));
        }
        let run = async {
            let prepared = sync.prepare().await?;
            sync.apply(prepared).await
        };
        let result = tokio::time::timeout(Duration::from_millis(400), run).await;
        assert!(
            result.is_err(),
            "the run did not stop at request {requests}"
        );
        fixture.sandbox.clear_faults();
        fixture.run(&fixture.sync(&source)).await;
        fixture.assert_in_sync(&source);
    }
}

#[tokio::test]
async fn one_rejected_user_does_not_stop_the_others() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(20, 1, 20);
    // The cached state does not have the user with the name and another id, so the plan cannot know of the conflict.
    let nothing = directory(0, 0, 0);
    let first = fixture.sync(&nothing).guard(allowing(["empty-source"]));
    fixture.run(&first).await;
    let id = fixture
        .create_unmanaged_user("person.00003@example.com")
        .await;
    let mut user = fixture.scim.users().get(&id).await.expect("the user");
    user.external_id = Some(ExternalId::new("another"));
    user.meta = None;
    let replaced = fixture.scim.users().replace(&id, &user).await;
    replaced.expect("the user");
    source.users[8].profile.display_name = "R&D; all of it".to_owned();
    let sync = fixture.sync(&source);
    let prepared = sync.prepare().await.expect("a plan");
    let plan = prepared.plan();
    assert_eq!(plan.skipped.len(), 1, "{plan}");
    let report = sync.apply(prepared).await.expect("a run");
    assert_eq!(report.done.users_created, 18);
    assert_eq!(report.done.members_added, 18);
    assert_eq!(report.failed.len(), 1);
    assert_eq!(report.failed_memberships.len(), 1);
    let response = &report.failed[0].response;
    assert_eq!(response.status, Some(409));
    assert!(response.request_id.is_some());
    let error = report.complete().expect_err("an incomplete run");
    assert!(
        error.to_string().contains("create user person.00003"),
        "{error}"
    );
    // After the correction, the next run writes the rest.
    fixture.scim.users().delete(&id).await.expect("a deletion");
    source.users[8].profile.display_name = "Research".to_owned();
    fixture.run(&fixture.sync(&source)).await;
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn a_rejected_token_ends_the_run() {
    let fixture = SyncFixture::new().await;
    let source = directory(50, 5, 5);
    let sync = fixture.sync(&source);
    let prepared = sync.prepare().await.expect("a plan");
    assert_eq!(fixture.sandbox.console().delete_scim_tokens(), 1);
    fixture.sandbox.clear_requests();
    let report = sync.apply(prepared).await.expect("a run");
    assert!(report.failed.len() < 25, "{}", report.failed.len());
    assert_eq!(report.failed.len() + report.not_attempted, 55);
    let error = report.complete().expect_err("an incomplete run");
    assert!(
        error
            .to_string()
            .contains("no longer accepts the SCIM token"),
        "{error}"
    );
}

#[tokio::test]
async fn a_membership_written_by_an_interrupted_run_is_reverted_with_the_source() {
    for mode in [ReadMode::Cached, ReadMode::Verify] {
        let fixture = SyncFixture::new().await;
        let before = directory(6, 1, 4);
        fixture.run(&fixture.sync(&before)).await;
        let mut source = before.clone();
        source.groups[0].members.insert(ExternalId::new(user_id(5)));
        for _ in 0..20 {
            let fault = Fault::stall(Service::Scim, true).on("PATCH /");
            fixture.sandbox.inject(fault);
        }
        let sync = fixture.sync(&source);
        let run = async {
            let prepared = sync.prepare().await?;
            sync.apply(prepared).await
        };
        let result = tokio::time::timeout(Duration::from_millis(300), run).await;
        assert!(result.is_err());
        fixture.sandbox.clear_faults();
        fixture.run(&fixture.sync(&before).mode(mode)).await;
        fixture.assert_in_sync(&before);
    }
}

#[tokio::test]
async fn a_membership_with_a_lost_response_is_reverted_with_the_source() {
    for mode in [ReadMode::Cached, ReadMode::Verify] {
        let fixture = SyncFixture::new().await;
        let before = directory(6, 1, 4);
        fixture.run(&fixture.sync(&before)).await;
        let mut source = before.clone();
        source.groups[0].members.insert(ExternalId::new(user_id(5)));
        for _ in 0..50 {
            let fault = Fault::close_after_processing(Service::Scim).on("PATCH /");
            fixture.sandbox.inject(fault);
        }
        let sync = fixture.sync(&source);
        let prepared = sync.prepare().await.expect("a plan");
        let report = sync.apply(prepared).await.expect("a run");
        assert_eq!(report.failed.len(), 1, "{report:?}");
        fixture.sandbox.clear_faults();
        fixture.run(&fixture.sync(&before).mode(mode)).await;
        fixture.assert_in_sync(&before);
    }
}
