//! The number of calls to AWS when there is nothing to do, and the events about long reads.

use std::{
    fmt::Write as _,
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};

use okta_aws_sso::{
    Event, EventKind, Guard, Pipeline, ReadPart,
    aws::{Aws, ConnectOptions, NewPermissionSet, UpdatePermissionSet},
};
use sandbox::{AccountSeed, Company, Fault, PermissionSetSeed, PrincipalSeed, Sandbox, Service};
use tokio::sync::Notify;

use crate::fixture::{Fixture, apply, aws_options, company, lines, note};

/// The number of groups with access, of their permission sets, and of their accounts.
struct Size {
    groups: usize,
    sets: usize,
    accounts: usize,
}

const SMALL: Size = Size {
    groups: 4,
    sets: 2,
    accounts: 5,
};
const LARGER: Size = Size {
    groups: 8,
    sets: 4,
    accounts: 18,
};

impl Size {
    fn company(&self) -> Company {
        let mut company = company();
        for group in 0..self.groups {
            company = company.team(&format!("team-{group}"), &["person.00002@example.com"]);
        }
        for account in 0..self.accounts {
            let id = format!("3000000{account:05}");
            let seed = AccountSeed::new(&id, &format!("web-{account}"), "Web");
            company = company.account(seed);
        }
        company
    }

    fn blueprint(&self) -> String {
        let mut text =
            "[provisioning]\nassign_groups = [\"aws-users\"]\n[sign_in]\nskip = true\n".to_owned();
        for set in 0..self.sets {
            let _infallible = writeln!(
                text,
                "[permission_sets.Set{set}]\nsession_duration = \"PT2H\""
            );
        }
        for group in 0..self.groups {
            let _infallible = writeln!(
                text,
                "[[access]]\ngroup = \"team-{group}\"\naccounts = {{ ou = [\"Web\"] }}\npermission_set = \"Set{}\"",
                group % self.sets
            );
        }
        text
    }

    /// Returns the least number of calls of a plan.
    fn least(&self) -> usize {
        // The caller, the organization, the instances, and the details of the instance.
        let beginning = 4;
        let accounts = (self.accounts + company().accounts.len()).div_ceil(20);
        // The list of roots; the units in the root, Sandboxes, Workloads and Web.
        let units = 1 + 4;
        // One page each of users, groups and permission sets.
        let lists = 3;
        beginning + accounts + units + lists + 6 * self.sets + self.groups
    }

    /// Returns a fixture in which nothing is to do.
    async fn fixture(&self) -> Fixture {
        let sandbox = Sandbox::builder().company(self.company()).page_size(None);
        let fixture = Fixture::with_sandbox(sandbox, &self.blueprint()).await;
        fixture.run().await.expect("a run");
        fixture.sandbox.clear_requests();
        fixture
    }
}

/// Returns the operations of AWS that were called since the last look, without the lists of members.
fn calls(fixture: &Fixture) -> Vec<String> {
    let requests = fixture.sandbox.requests().into_iter();
    let operations = requests
        .filter(|request| request.service == Service::Aws)
        .filter_map(|request| request.target)
        .filter(|operation| operation != "ListGroupMemberships")
        .collect();
    fixture.sandbox.clear_requests();
    operations
}

fn number_of(calls: &[String], operation: &str) -> usize {
    calls.iter().filter(|call| *call == operation).count()
}

/// Returns the kinds of the events that the pipeline emits from now on.
fn watch(pipeline: Pipeline) -> (Pipeline, Arc<Mutex<Vec<Event>>>) {
    let events = Arc::<Mutex<Vec<Event>>>::default();
    let seen = events.clone();
    let pipeline = pipeline.on_event(move |event| {
        seen.lock().expect("a lock").push(event.clone());
    });
    (pipeline, events)
}

fn take(events: &Mutex<Vec<Event>>) -> Vec<Event> {
    std::mem::take(&mut *events.lock().expect("a lock"))
}

#[tokio::test]
async fn a_plan_sends_few_calls_more_than_the_least_and_its_run_and_check_send_none_again() {
    for size in [SMALL, LARGER] {
        let fixture = size.fixture().await;
        let pipeline = fixture.pipeline();
        let plan = pipeline.plan().await.expect("a plan");
        assert!(plan.is_empty(), "{plan}");
        let (planned, least) = (calls(&fixture), size.least());
        assert!(planned.len() * 10 <= least * 11, "{least}: {planned:?}");

        apply(&pipeline, &plan).await.expect("a run");
        assert!(pipeline.verify().await.expect("a check").passed());
        let mut again = calls(&fixture);
        again.retain(|operation| !CONTENTS.contains(&operation.as_str()));
        assert_eq!(again, [""; 0]);
    }
}

#[tokio::test]
async fn a_plan_and_a_run_with_removals_each_read_users_and_groups_once() {
    let fixture = Fixture::new(EXPIRES).await;
    fixture.run().await.expect("a run");
    let days = Duration::from_hours(24 * 10);
    fixture.pass(days);
    fixture.sandbox.clear_requests();
    let pipeline = fixture.pipeline().guard(one_removal());
    let plan = pipeline.plan().await.expect("a plan");
    assert_eq!(plan.removals().count(), 1, "{plan}");
    // A page has one item.
    let users = fixture.sandbox.identity_users().len();
    let groups = fixture.sandbox.identity_groups().len();
    let planned = calls(&fixture);
    let lists = ["ListUsers", "ListGroups"];
    let numbers = |calls: &[String]| lists.map(|list| number_of(calls, list));
    assert_eq!(numbers(&planned), [users, groups]);
    let by_name = ["GetGroupId", "GetUserId"].map(|get| number_of(&planned, get));
    assert_eq!(by_name, [0, 0]);
    // A removal is checked against the users and groups that AWS has at that time, here a second after the plan.
    fixture.pass(Duration::from_secs(1));
    apply(&pipeline, &plan).await.expect("a run");
    assert_eq!(numbers(&calls(&fixture)), [users, groups]);
}

#[tokio::test]
async fn the_name_of_a_set_that_the_blueprint_does_not_name_is_read_once() {
    let fixture = SMALL.fixture().await;
    let instances = fixture.aws.instances().try_collect().await;
    let center = fixture
        .aws
        .identity_center(&instances.expect("instances")[0]);
    let new = NewPermissionSet {
        name: "Handmade".to_owned(),
        ..NewPermissionSet::default()
    };
    let set = center.permission_sets().create(&new).await.expect("a set");
    fixture.sandbox.clear_requests();
    for described in [SMALL.sets + 1, SMALL.sets] {
        fixture.run().await.expect("a run");
        let calls = calls(&fixture);
        assert_eq!(number_of(&calls, "DescribePermissionSet"), described);
    }
    let state = fixture.store.load().await.expect("a store");
    let names = state.expect("a state").facts.set_names;
    assert_eq!(names.into_iter().collect::<Vec<_>>(), [(set.arn, set.name)]);
}

#[tokio::test]
async fn a_plan_and_a_check_tell_the_calls_before_they_send_them() {
    let fixture = LARGER.fixture().await;
    let (pipeline, events) = watch(fixture.pipeline());
    pipeline.plan().await.expect("a plan");
    let calls = calls(&fixture);
    let sent = number_of(&calls, "ListAccountAssignmentsForPrincipal") + 1;
    let planned = take(&events);
    pipeline.verify().await.expect("a check");
    for events in [&planned, &take(&events)] {
        let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
        assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
        let is_progress = |event: &Event| matches!(event.kind, EventKind::ReadProgress { .. });
        assert!(events[1..].iter().all(is_progress), "{events:?}");
        let EventKind::ReadForecast {
            calls, duration, ..
        } = &events[0].kind
        else {
            panic!("{events:?}");
        };
        assert_eq!(*calls, sent + 6 * LARGER.sets);
        // The connection sends 18 to 20 calls per second.
        let seconds = calls.div_ceil(20) as u64..=calls.div_ceil(18) as u64;
        assert!(seconds.contains(&duration.as_secs()), "{duration:?}");
        let first = |part| {
            events.iter().find_map(|event| match event.kind {
                EventKind::ReadProgress {
                    part: of,
                    done,
                    total,
                } if of == part => Some((done, total)),
                _ => None,
            })
        };
        assert_eq!(first(ReadPart::PermissionSets), Some((1, LARGER.sets)));
        assert_eq!(first(ReadPart::Assignments), Some((1, LARGER.groups)));
        assert_eq!(events[0].run, events[1].run);
    }
    assert_ne!(*planned[0].run, *events_run(&pipeline, &events).await);
}

/// Number of groups that only AWS has, each with an assignment.
const OTHERS: usize = 150;

/// Number of groups with assignments.
const ALL: usize = OTHERS + SMALL.groups;

#[tokio::test]
async fn a_long_plan_goes_on_with_what_a_plan_that_was_ended_has_read() {
    let fixture = slow_fixture().await;
    // A list with an assignment that cannot be read is not kept.
    let json = [("content-type", "application/x-amz-json-1.1")];
    let odd = r#"{"AccountAssignments":[{"PrincipalType":"GROUP"}]}"#;
    let fault = Fault::answer(Service::Aws, 200, &json, odd, false);
    let fault = fault.on("ListAccountAssignmentsForPrincipal").after(30);
    fixture.sandbox.inject(fault);
    end_plan(&fixture, 120).await;
    // A file has 100 parts. Two of them are the sets of the blueprint.
    let text = plan_with_calls(&fixture, ALL - 98, 0).await;
    let part = "98 users and groups by an earlier read that was ended";
    assert!(text.contains(part), "{text}");
    let text = plan_with_calls(&fixture, ALL, SMALL.sets).await;
    assert!(!text.contains("earlier"), "{text}");
}

#[tokio::test]
async fn a_long_plan_reads_again_what_was_read_half_an_hour_ago() {
    let fixture = slow_fixture().await;
    end_plan(&fixture, 120).await;
    fixture.clock.advance(Duration::from_mins(30));
    fixture.sandbox.advance(Duration::from_mins(30));
    plan_with_calls(&fixture, ALL, SMALL.sets).await;
}

#[tokio::test]
async fn a_set_that_has_changed_since_a_plan_that_was_ended_is_read_again() {
    let fixture = slow_fixture().await;
    end_plan(&fixture, 120).await;
    let center = fixture.center().await;
    let sets = center.permission_sets();
    let set = sets.find("Set0").await.expect("a response").expect("a set");
    let change = UpdatePermissionSet {
        session_duration: Some("PT9H".to_owned()),
        ..UpdatePermissionSet::default()
    };
    sets.update(&set.arn, &change).await.expect("an update");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let changes = lines(&plan, "permission-sets");
    assert!(changes[0].contains("Set0"), "{changes:?}");
}

/// Returns a fixture in which nothing is to do, with a connection that sends one call per second.
async fn slow_fixture() -> Fixture {
    // There are more pairs of set and account than groups, so the assignments are read by principal.
    let mut company = SMALL.company();
    for account in 0..15 {
        let seed = AccountSeed::new(&other_account(account), &format!("other-{account}"), "");
        company = company.account(seed);
    }
    let company = company.estate(|mut estate| {
        for set in 0..10 {
            estate = estate.set(PermissionSetSeed::new(&format!("Other{set}")));
        }
        for group in 0..OTHERS {
            let name = format!("other-{group}");
            let principal = PrincipalSeed::Group(&name);
            let account = other_account(group / 10);
            let set = format!("Other{}", group % 10);
            estate = estate.group(&name, [""; 0]);
            estate = estate.assign(principal, &account, &set);
        }
        estate
    });
    let sandbox = Sandbox::builder().company(company).page_size(None);
    let mut fixture = Fixture::with_sandbox(sandbox, &SMALL.blueprint()).await;
    // AWS has the groups from an earlier identity source.
    let pipeline = fixture.pipeline().guard(one_removal());
    let plan = pipeline.plan().await.expect("a plan");
    apply(&pipeline, &plan).await.expect("a run");
    let secret = fixture.sandbox.aws_secret_access_key();
    let options = ConnectOptions {
        sso_admin_calls_per_second: NonZeroU32::new(1),
        ..aws_options(&fixture.sandbox, secret, Arc::new(fixture.clock.clone()))
    };
    fixture.aws = Aws::connect(options).await.expect("a connection");
    fixture
}

fn one_removal() -> Guard {
    Guard {
        max_removals: 1,
        ..Guard::default()
    }
}

fn other_account(number: usize) -> String {
    format!("4000000{number:05}")
}

/// Ends a plan when it has read the assignments of this number of principals.
async fn end_plan(fixture: &Fixture, principals: usize) {
    let ended = Arc::new(Notify::new());
    let end = ended.clone();
    let pipeline = fixture.pipeline().on_event(move |event| {
        if let EventKind::ReadProgress {
            part: ReadPart::Assignments,
            done,
            ..
        } = event.kind
            && done >= principals
        {
            end.notify_one();
        }
    });
    tokio::select! {
        () = ended.notified() => {}
        _ = pipeline.plan() => panic!("the plan has ended by itself"),
    }
    fixture.sandbox.clear_requests();
}

/// Plans, checks how many lists of assignments and how many inline policies were read, and returns the note about the others
/// with access.
async fn plan_with_calls(fixture: &Fixture, lists: usize, sets: usize) -> String {
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert!(plan.is_empty(), "{plan}");
    let calls = calls(fixture);
    let number = |operation| number_of(&calls, operation);
    let found = [
        "ListAccountAssignmentsForPrincipal",
        "GetInlinePolicyForPermissionSet",
    ]
    .map(number);
    assert_eq!(found, [lists, sets]);
    let text = note(&plan, "other-assignments").expect("a note");
    assert!(text.starts_with(&format!("{OTHERS} ")), "{text}");
    assert!(
        text.contains(&format!("and {} more", OTHERS - 10)),
        "{text}"
    );
    assert_eq!(text.matches(" has ").count(), 10, "{text}");
    text
}

/// Returns the id of the events of another plan.
async fn events_run(pipeline: &Pipeline, events: &Mutex<Vec<Event>>) -> String {
    pipeline.plan().await.expect("a plan");
    take(events)[0].run.to_string()
}

/// The calls that read the contents of a permission set.
const CONTENTS: [&str; 5] = [
    "ListManagedPoliciesInPermissionSet",
    "ListCustomerManagedPolicyReferencesInPermissionSet",
    "GetInlinePolicyForPermissionSet",
    "GetPermissionsBoundaryForPermissionSet",
    "ListAccountsForProvisionedPermissionSet",
];

/// A blueprint with access that ends.
const EXPIRES: &str = r#"
[provisioning]
assign_groups = ["aws-users"]

[sign_in]
skip = true

[[access]]
group = "deployers"
account = "Sandbox"
permission_set = "ReadOnlyAccess"
until = 2026-11-30

[[access]]
group = "deployers"
account = "Sandbox"
permission_set = "AdministratorAccess"
"#;
