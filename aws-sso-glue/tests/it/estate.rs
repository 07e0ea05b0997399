//! The estate of an instance: which calls read it, and what it says about what was not read.

use aws_sso_glue::{
    Assignment, GroupId, IdentityCenter, NewPermissionSet, OperationStatus, Principal,
    estate::{CoverageLevel, Strategy},
};
use sandbox::{Fault, Service, Stage};

use super::{ADA, Fixture, admin};

/// The assignments of the tests: a group in two accounts, and a user in one.
struct Given {
    center: IdentityCenter,
    assignments: Vec<Assignment>,
}

async fn given(fixture: &Fixture) -> Given {
    fixture.provision().await;
    let center = fixture.center().await;
    let store = center.identity_store();
    let ada = store.user_by_name(ADA).await.expect("a response");
    let ada = Principal::User(ada.expect("a user").id);
    let admins = store.group_by_name("admins").await.expect("a response");
    let admins = Principal::Group(admins.expect("a group").id);
    let sets = center.permission_sets();
    let first = sets.create(&admin()).await.expect("a set").arn;
    let reader = NewPermissionSet {
        name: "Reader".to_owned(),
        ..NewPermissionSet::default()
    };
    let second = sets.create(&reader).await.expect("a set").arn;
    let mut assignments = Vec::new();
    for (account, permission_set, principal) in [
        ("111122223333", &first, &admins),
        ("222233334444", &first, &admins),
        ("222233334444", &second, &ada),
    ] {
        let assignment = Assignment {
            account: account.parse().expect("an account"),
            permission_set: permission_set.clone(),
            principal: principal.clone(),
        };
        let operation = center.assignments().start_create(&assignment).await;
        let operation = operation.expect("an operation");
        let status = fixture.wait_until_done(&center, &operation).await;
        assert_eq!(status, OperationStatus::Succeeded);
        assignments.push(assignment);
    }
    fixture.sandbox.clear_requests();
    Given {
        center,
        assignments,
    }
}

/// The number of attempts of a call, by default.
const ATTEMPTS: usize = 6;

/// Returns how often an operation was called.
fn calls(fixture: &Fixture, operation: &str) -> usize {
    let requests = fixture.sandbox.requests();
    let called = requests.iter().filter(|request| {
        request
            .target
            .as_deref()
            .is_some_and(|called| called == operation)
    });
    called.count()
}

#[tokio::test]
async fn the_groups_are_read_by_principal_and_the_users_that_were_not_read_are_counted() {
    let fixture = Fixture::at(Stage::Provisioned).await;
    let Given {
        center,
        assignments,
    } = given(&fixture).await;
    let estate = center
        .estate()
        .wanted_sets(["Admin"])
        .wanted_pairs(10)
        .read()
        .await;
    let estate = estate.expect("an estate");
    let table = &estate.assignments;
    let coverage = table.coverage();
    assert_eq!(coverage.strategy, Strategy::ByPrincipal);
    assert_eq!(
        (coverage.level, coverage.users_read),
        (CoverageLevel::Groups, 0)
    );
    assert_eq!(coverage.users_not_read, estate.principals.users().len());
    assert_eq!(
        coverage.to_string(),
        "the assignments of all groups were read, and not the direct assignments of 1 user"
    );
    let known: Vec<_> = assignments.iter().map(|one| table.contains(one)).collect();
    assert_eq!(known, [Some(true), Some(true), None]);
    assert_eq!(table.len(), 2);
    // The sandbox has one assignment on a page.
    assert_eq!(calls(&fixture, "ListAccountAssignmentsForPrincipal"), 2);
    assert_eq!(calls(&fixture, "ListAccountAssignments"), 0);

    // The names of both sets are known, and only the wanted one is described again.
    assert_eq!(calls(&fixture, "DescribePermissionSet"), 1);
    let described = |name: &str| {
        let set = estate.permission_sets.by_name(name).expect("a set");
        set.details.is_some()
    };
    assert!(described("Admin") && !described("Reader"));

    let mut table = (**table).clone();
    let refreshed = center.estate().refresh(&mut table, &assignments[2..]).await;
    refreshed.expect("a refreshed table");
    assert_eq!(table.contains(&assignments[2]), Some(true));
    assert_eq!(table.coverage().level, CoverageLevel::Full);
    assert!(table.coverage().is_complete());
}

#[tokio::test]
async fn a_caller_who_may_not_list_by_principal_reads_by_pair_and_sees_all() {
    let fixture = Fixture::at(Stage::Provisioned).await;
    let Given {
        center,
        assignments,
    } = given(&fixture).await;
    let denied = r#"{"__type":"AccessDeniedException","message":"not authorized"}"#;
    let json = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amzn-requestid", "request-1"),
    ];
    // The SDK repeats a refusal that is not dated by the sandbox's clock, because its own clock may be wrong.
    for _ in 0..ATTEMPTS {
        let denied = Fault::answer(Service::Aws, 400, &json, denied, false);
        let denied = denied.on("ListAccountAssignmentsForPrincipal");
        fixture.sandbox.inject(denied);
    }
    let estate = center.estate().wanted_pairs(10).read().await;
    let estate = estate.expect("an estate");
    let table = &estate.assignments;
    assert_eq!(table.coverage().strategy, Strategy::ByPair);
    assert!(table.coverage().denied_by_principal && table.coverage().is_complete());
    assert!(
        assignments
            .iter()
            .all(|one| table.contains(one) == Some(true))
    );
    assert_eq!(table.len(), 3);
    let pairs = table.provisioned().expect("pairs").len();
    assert_eq!(calls(&fixture, "ListAccountAssignments"), pairs);

    // Another estate does not try again, and its refresh reads pairs.
    let mut table = (**table).clone();
    let operation = center.assignments().start_delete(&assignments[0]).await;
    let operation = operation.expect("an operation");
    let done = fixture.wait_until_done(&center, &operation).await;
    assert_eq!(done, OperationStatus::Succeeded);
    let before = calls(&fixture, "ListAccountAssignments");
    let refreshed = center.estate().refresh(&mut table, &assignments[..1]).await;
    refreshed.expect("a refreshed table");
    assert_eq!(table.contains(&assignments[0]), Some(false));
    assert_eq!(table.len(), 2);
    assert_eq!(calls(&fixture, "ListAccountAssignments"), before + 1);
}

#[tokio::test]
async fn a_user_that_the_caller_names_is_read_and_a_full_read_leaves_out_the_rows_of_groups() {
    let fixture = Fixture::at(Stage::Provisioned).await;
    let Given { center, .. } = given(&fixture).await;
    for reader in [
        center.estate().users([ADA.to_uppercase()]),
        center.estate().level(CoverageLevel::Full),
    ] {
        let estate = reader.wanted_pairs(10).read().await.expect("an estate");
        let table = &estate.assignments;
        assert_eq!(table.coverage().strategy, Strategy::ByPrincipal);
        assert_eq!(table.coverage().users_not_read, 0);
        assert_eq!(
            table.len(),
            3,
            "ada is a member of admins: {:?}",
            table.iter().collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn reading_by_pair_is_chosen_where_it_costs_fewer_calls() {
    let fixture = Fixture::at(Stage::Provisioned).await;
    let Given { center, .. } = given(&fixture).await;
    let sets = center.permission_sets();
    let reader = sets
        .find("Reader")
        .await
        .expect("a response")
        .expect("a set");
    let unknown = Assignment {
        account: "222233334444".parse().expect("an account"),
        permission_set: reader.arn,
        principal: Principal::Group(
            GroupId::parse("00000000-0000-0000-0000-000000000000").expect("an id"),
        ),
    };
    // One pair, and one principal for each group: by pair costs the call per set too.
    let estate = center
        .estate()
        .provisioned_pairs()
        .read()
        .await
        .expect("an estate");
    let pairs = estate.assignments.provisioned().expect("pairs").len();
    assert_eq!(pairs, 3);
    assert_eq!(
        estate.assignments.contains(&unknown),
        match estate.assignments.coverage().strategy {
            Strategy::ByPair => Some(false),
            _ => None,
        }
    );
}
