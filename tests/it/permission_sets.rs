//! Permission sets: the edits of a full set, one provisioning for all edits, failed accounts, a new name, and other owners.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use okta_aws_sso::{
    Blueprint, Cause, EventKind, Guard, Outcome, Pipeline, Plan, Report,
    plan::{Action, StepId, Subject},
    steps::{self, ids},
};
use sandbox::{
    AccountSeed, AccountState, Company, Fault, OperationDurations, OperationFault, OperationKind,
    PermissionSetSeed, PrincipalSeed, Sandbox, Service, Stage,
};

use crate::fixture::{Fixture, apply, lines, note};

const RETIRED: &str = "retired-permission-sets";
const STEP: &str = "permission-sets";
const TEAM: &str = "deployers";
const MINUTE: Duration = Duration::from_mins(1);

/// Policies of AWS. The first ten are those of a full set, the others replace them.
const POLICIES: [&str; 20] = [
    "ReadOnlyAccess",
    "PowerUserAccess",
    "SecurityAudit",
    "IAMFullAccess",
    "AmazonS3FullAccess",
    "AmazonEC2FullAccess",
    "AmazonVPCFullAccess",
    "AmazonRDSFullAccess",
    "AmazonSNSFullAccess",
    "AmazonSQSFullAccess",
    "AmazonDynamoDBFullAccess",
    "CloudWatchFullAccess",
    "AmazonS3ReadOnlyAccess",
    "AmazonEC2ReadOnlyAccess",
    "AmazonVPCReadOnlyAccess",
    "AmazonRDSReadOnlyAccess",
    "AmazonSNSReadOnlyAccess",
    "AmazonSQSReadOnlyAccess",
    "AmazonDynamoDBReadOnlyAccess",
    "CloudWatchReadOnlyAccess",
];

fn account(number: usize) -> String {
    format!("3000000{number:05}")
}

/// A company with this number of accounts, in which a group has the sets of the estate, and with the policies `/teams/Old…` and
/// `/teams/New…` in all of them.
fn company(accounts: usize, sets: &[PermissionSetSeed]) -> Company {
    let mut company = Company::small(1, 0);
    for number in 0..accounts {
        let seed = AccountSeed::new(&account(number), &format!("web-{number}"), "Web");
        company = company.account(seed);
    }
    for number in 0..10 {
        company = company
            .policy_in_accounts(&format!("/teams/Old{number}"))
            .policy_in_accounts(&format!("/teams/New{number}"));
    }
    company.estate(|estate| {
        let mut estate = estate.group(TEAM, [""; 0]);
        for set in sets {
            estate = estate.set(set.clone());
            for number in 0..accounts {
                estate = estate.assign(PrincipalSeed::Group(TEAM), &account(number), &set.name);
            }
        }
        estate
    })
}

/// Returns a blueprint with these descriptions of sets, each of which the group has in all accounts of the unit.
fn blueprint(sets: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, description) in sets {
        let _infallible = write!(
            text,
            "[permission_sets.{name}]\n{description}\n[[access]]\ngroup = \"{TEAM}\"\naccounts = {{ ou = [\"Web\"] }}\npermission_set = \"{name}\"\n"
        );
    }
    text
}

async fn fixture(company: Company, blueprint: &str) -> Fixture {
    let sandbox = Sandbox::builder()
        .company(company)
        .stage(Stage::IdentityCenter)
        .page_size(None);
    Fixture::with_sandbox(sandbox, blueprint).await
}

impl Fixture {
    /// Returns the pipeline of the steps that write to AWS, in which every removal of the plan is approved.
    async fn planned(&self) -> (Pipeline, Plan) {
        let mut all = steps::default_steps(&self.blueprint, &self.okta, &self.aws);
        let needed = [
            ids::ORGANIZATION,
            ids::IDENTITY_CENTER,
            ids::PERMISSION_SETS,
            ids::ACCOUNT_ASSIGNMENTS,
            ids::RETIRED_PERMISSION_SETS,
        ];
        let others: Vec<StepId> = all.ids().filter(|id| !needed.contains(id)).collect();
        for other in others {
            all = all.without(&other);
        }
        let pipeline = self.pipeline_of(all);
        let plan = pipeline.plan().await.expect("a plan");
        let guard = Guard {
            approved: plan.removals_id().into_iter().collect(),
            allowed: plan
                .hazards()
                .filter_map(okta_aws_sso::plan::Hazard::id)
                .collect(),
            ..Guard::default()
        };
        (pipeline.guard(guard), plan)
    }

    /// Plans and applies, with every removal approved.
    async fn applied(&self) -> Report {
        let (pipeline, plan) = self.planned().await;
        pipeline.apply(&plan).await.expect("a report")
    }

    /// Returns the operations of AWS that write, since the last look, with the status of their responses.
    fn writes(&self) -> Vec<(String, Option<u16>)> {
        let writes = self.sandbox.writes().into_iter();
        let writes = writes.filter_map(|request| Some((request.target?, request.status)));
        let writes = writes.collect();
        self.sandbox.clear_requests();
        writes
    }

    fn number_of(&self, operation: &str) -> usize {
        let requests = self.sandbox.requests().into_iter();
        requests
            .filter(|request| request.target.as_deref() == Some(operation))
            .count()
    }
}

/// Returns the outcome of the change of a subject.
fn outcome(report: &Report, subject: &str) -> Outcome {
    let mut results = report.results.iter();
    let result = results.find(|result| result.subject.to_string() == subject);
    let result = result.unwrap_or_else(|| panic!("{subject}: {report:?}"));
    result.outcome.clone()
}

/// A set with 20 policies, and the text of another 20.
fn full_set() -> (PermissionSetSeed, String) {
    let mut set = PermissionSetSeed::new("Deploy");
    let mut customer = Vec::new();
    for (number, policy) in POLICIES[..10].iter().enumerate() {
        set = set
            .with_managed_policy(policy)
            .with_customer_managed_policy(&format!("/teams/Old{number}"));
        customer.push(format!("/teams/New{number}"));
    }
    let text = format!(
        "managed_policies = {:?}\ncustomer_managed_policies = {customer:?}",
        &POLICIES[10..]
    );
    (set, text)
}

/// Returns the policies of the role in AWS's form, sorted.
fn role(managed: &[&str], customer: &str) -> Vec<String> {
    let managed = managed
        .iter()
        .map(|policy| format!("arn:aws:iam::aws:policy/{policy}"));
    let customer = (0..10).map(|number| format!("/teams/{customer}{number}"));
    let mut policies: Vec<String> = managed.chain(customer).collect();
    policies.sort();
    policies
}

#[tokio::test]
async fn ten_edited_policies_of_a_set_in_500_accounts_are_one_provisioning() {
    let mut set = PermissionSetSeed::new("Deploy");
    for policy in &POLICIES[..5] {
        set = set.with_managed_policy(policy);
    }
    let text = format!("managed_policies = {:?}", &POLICIES[5..10]);
    let fixture = fixture(company(500, &[set]), &blueprint(&[("Deploy", &text)])).await;
    let (pipeline, plan) = fixture.planned().await;
    let changes = lines(&plan, STEP);
    let policies = changes.iter().filter(|change| change.contains("policy "));
    assert_eq!(policies.count(), 10, "{changes:?}");
    assert_eq!(
        changes.last().map(String::as_str),
        Some("update provisioning of permission set Deploy")
    );
    fixture.sandbox.clear_requests();
    apply(&pipeline, &plan).await.expect("a run");
    assert_eq!(fixture.number_of("ProvisionPermissionSet"), 1);
    let new: Vec<String> = POLICIES[5..10]
        .iter()
        .map(|policy| format!("arn:aws:iam::aws:policy/{policy}"))
        .collect();
    for number in [0, 250, 499] {
        let mut found = fixture
            .sandbox
            .role_policies(&account(number), "Deploy")
            .expect("a role");
        found.sort_by_key(|policy| new.iter().position(|known| known == policy));
        assert_eq!(found, new);
    }
    assert!(fixture.planned().await.1.is_empty());
}

#[tokio::test]
async fn twenty_policies_are_swapped_one_for_one() {
    let (set, text) = full_set();
    let fixture = fixture(company(1, &[set]), &blueprint(&[("Deploy", &text)])).await;
    let (pipeline, plan) = fixture.planned().await;
    assert_eq!(plan.removals().count(), 20, "{plan}");
    fixture.sandbox.clear_requests();
    apply(&pipeline, &plan).await.expect("a run");
    let writes = fixture.writes();
    assert_eq!(writes.len(), 41, "{writes:?}");
    for (number, (operation, status)) in writes[..40].iter().enumerate() {
        let is_detach = operation.starts_with("Detach");
        assert_eq!(is_detach, number % 2 == 0, "{writes:?}");
        assert_eq!(*status, Some(200), "{operation}");
    }
    assert_eq!(writes[40].0, "ProvisionPermissionSet");
    assert_eq!(
        fixture.sandbox.role_policies(&account(0), "Deploy"),
        Some(role(&POLICIES[10..], "New"))
    );
}

#[tokio::test]
async fn a_failure_at_any_edit_leaves_every_account_as_it_was_and_the_next_run_completes() {
    let (set, text) = full_set();
    for edit in 0..40 {
        // Whether AWS has acted before the error.
        for acts in [false, true] {
            let case = format!("edit {edit}, AWS acts: {acts}");
            let company = company(2, std::slice::from_ref(&set));
            // The group gets the set in one account more, which would provision it there.
            let mut third = AccountSeed::new(&account(2), "web-2", "Web");
            third.policies.clone_from(&company.accounts[1].policies);
            let company = company.account(third);
            let fixture = fixture(company, &blueprint(&[("Deploy", &text)])).await;
            let (pipeline, plan) = fixture.planned().await;
            let json = [("content-type", "application/x-amz-json-1.1")];
            let body = r#"{"__type":"ServiceQuotaExceededException","message":"no room"}"#;
            let fault = Fault::answer(Service::Aws, 400, &json, body, acts);
            fixture.sandbox.inject(fault.on_writes().after(edit));
            fixture.sandbox.clear_requests();
            let report = pipeline.apply(&plan).await.expect("a report");
            assert!(!report.is_complete(), "{case}");
            let old = Some(role(&POLICIES[..10], "Old"));
            for number in 0..2 {
                let role = fixture.sandbox.role_policies(&account(number), "Deploy");
                assert_eq!(role, old, "{case}");
            }
            // A new assignment would provision the edited set.
            assert_eq!(fixture.sandbox.role_policies(&account(2), "Deploy"), None);
            assert_eq!(fixture.number_of("ProvisionPermissionSet"), 0, "{case}");
            let assignment = format!("group deployers: Deploy in {}", account(2));
            let skipped = outcome(&report, &assignment);
            assert!(matches!(skipped, Outcome::Skipped { .. }), "{case}");
            if !acts {
                let made = fixture
                    .writes()
                    .into_iter()
                    .filter(|(_, status)| *status == Some(200));
                let (attached, detached): (Vec<_>, Vec<_>) =
                    made.partition(|(operation, _)| operation.starts_with("Attach"));
                assert_eq!(
                    attached.len(),
                    detached.len(),
                    "{case}: the set has 20 policies"
                );
            }

            let report = fixture.applied().await;
            assert!(report.is_complete(), "{case}: {report:?}");
            let new = Some(role(&POLICIES[10..], "New"));
            for number in 0..3 {
                let role = fixture.sandbox.role_policies(&account(number), "Deploy");
                assert_eq!(role, new, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_policy_that_made_room_is_attached_again_or_reported() {
    let (set, text) = full_set();
    for (faults, expected) in [(1, "skipped"), (2, "failed")] {
        let company = company(1, std::slice::from_ref(&set));
        let fixture = fixture(company, &blueprint(&[("Deploy", &text)])).await;
        let (pipeline, plan) = fixture.planned().await;
        for _ in 0..faults {
            let json = [("content-type", "application/x-amz-json-1.1")];
            let body = r#"{"__type":"ServiceQuotaExceededException","message":"no room"}"#;
            let fault = Fault::answer(Service::Aws, 400, &json, body, false);
            fixture.sandbox.inject(fault.on("Attach"));
        }
        let report = pipeline.apply(&plan).await.expect("a report");
        let first = |action| {
            let mut results = report.results.iter();
            let first = results.find(|result| result.action == action);
            first.expect("a result").subject.to_string()
        };
        let (removed, attached) = (first(Action::Remove), first(Action::Create));
        let failed = outcome(&report, &attached);
        let message = failed.problem().expect("a problem");
        let message = format!("{message:?}");
        assert!(message.contains("no room"), "{message}");
        match outcome(&report, &removed) {
            Outcome::Skipped {
                because: Cause::Subject(because),
            } if expected == "skipped" => assert_eq!(because.to_string(), attached),
            Outcome::Failed { problem } if expected == "failed" => {
                let text = format!("{problem:?}");
                assert!(text.contains("it was detached to make room"), "{text}");
                assert!(text.contains("no account has lost it"), "{text}");
            }
            other => panic!("{expected}: {other:?}"),
        }
        // Nothing else of the set was tried.
        let tried = report.results.iter().filter(|result| {
            matches!(result.outcome, Outcome::Done)
                && matches!(result.subject, Subject::Policy { .. })
        });
        assert_eq!(tried.count(), 0);
        assert!(fixture.applied().await.is_complete());
    }
}

/// A set of which these accounts are behind.
async fn outdated(accounts: usize, behind: usize) -> Fixture {
    let set = PermissionSetSeed::new("Deploy").with_managed_policy("ReadOnlyAccess");
    let company = company(accounts, &[set]).estate(|mut estate| {
        for number in 0..behind {
            estate = estate.outdated(&account(number), "Deploy");
        }
        estate
    });
    let text = "managed_policies = [\"ReadOnlyAccess\"]";
    fixture(company, &blueprint(&[("Deploy", text)])).await
}

#[tokio::test]
async fn up_to_five_accounts_have_a_call_each_and_more_accounts_one_for_all() {
    for (behind, calls) in [(1, 1), (5, 5), (6, 1)] {
        let fixture = outdated(9, behind).await;
        let report = fixture.applied().await;
        assert!(report.is_complete(), "{report:?}");
        let accepted = fixture.sandbox.requests().into_iter().filter(|request| {
            request.target.as_deref() == Some("ProvisionPermissionSet")
                && request.status == Some(200)
        });
        assert_eq!(accepted.count(), calls, "{behind}");
        assert!(fixture.planned().await.1.is_empty());
    }
}

#[tokio::test]
async fn at_most_three_provisionings_run_at_once_with_those_of_others() {
    let names = ["One", "Two", "Three", "Four"];
    let sets = names.map(|name| PermissionSetSeed::new(name).with_managed_policy("ReadOnlyAccess"));
    // One account each, so that AWS carries them out side by side.
    let mut company = company(4, &[]).estate(|mut estate| {
        for (number, set) in sets.into_iter().enumerate() {
            let name = set.name.clone();
            estate = estate.set(set);
            estate = estate.assign(PrincipalSeed::Group(TEAM), &account(number), &name);
        }
        estate
    });
    company = company.account(AccountSeed::new(&account(9), "other", ""));
    company = company.estate(|estate| estate.set(PermissionSetSeed::new("Foreign")));
    let mut text = String::new();
    for (number, name) in names.iter().enumerate() {
        let _infallible = write!(
            text,
            "[permission_sets.{name}]\nmanaged_policies = [\"PowerUserAccess\"]\n[[access]]\ngroup = \"{TEAM}\"\naccount = \"web-{number}\"\npermission_set = \"{name}\"\n"
        );
    }
    let fixture = fixture(company, &text).await;
    let (pipeline, plan) = fixture.planned().await;
    let kind = OperationKind::Provision;
    fixture
        .sandbox
        .start_foreign_operations(kind, &account(9), "Foreign", 2, 10 * MINUTE);
    fixture.sandbox.clear_requests();
    let report = pipeline.apply(&plan).await.expect("a report");
    assert!(report.is_complete(), "{report:?}");
    // AWS has refused none, because the run has asked before.
    let refused = fixture.sandbox.requests().into_iter().filter(|request| {
        request.target.as_deref() == Some("ProvisionPermissionSet") && request.status != Some(200)
    });
    assert_eq!(
        refused.map(|one| one.to_string()).collect::<Vec<_>>(),
        [""; 0]
    );
    assert_eq!(fixture.number_of("ProvisionPermissionSet"), 4);
}

#[tokio::test]
async fn a_provisioning_waits_for_a_conflict_as_long_as_it_takes() {
    let fixture = outdated(9, 6).await;
    let (pipeline, plan) = fixture.planned().await;
    let fault = OperationFault::conflict().of(OperationKind::Provision);
    fixture.sandbox.inject_operation_fault(fault.times(5));
    let throttled = OperationFault::too_many_requests().of(OperationKind::Provision);
    fixture.sandbox.inject_operation_fault(throttled.times(30));
    let report = pipeline.apply(&plan).await.expect("a report");
    assert!(report.is_complete(), "{report:?}");
}

/// Returns the texts of the progress of a run.
fn progress(pipeline: Pipeline) -> (Pipeline, Arc<Mutex<Vec<String>>>) {
    let texts = Arc::<Mutex<Vec<String>>>::default();
    let seen = texts.clone();
    let pipeline = pipeline.on_event(move |event| {
        if let EventKind::ChangeWaiting { waiting, .. } = &event.kind {
            seen.lock().expect("a lock").push(waiting.on.clone());
        }
    });
    (pipeline, texts)
}

#[tokio::test]
async fn a_long_provisioning_does_not_end_the_run_while_accounts_are_done() {
    let fixture = outdated(40, 40).await;
    let durations = OperationDurations::constant(120 * MINUTE);
    fixture.sandbox.set_operation_durations(durations);
    let (pipeline, plan) = fixture.planned().await;
    let (pipeline, texts) = progress(pipeline);
    apply(&pipeline, &plan).await.expect("a run of two hours");
    let texts = texts.lock().expect("a lock");
    let left = |number: usize| {
        let text = format!(
            "AWS to provision permission sets: {number} accounts are left for 1 permission set"
        );
        texts.contains(&text)
    };
    assert!(left(40) && left(20) && left(2), "{texts:?}");
    // AWS is asked about every 10 s.
    assert!(texts.len() > 600, "{}", texts.len());
    let reads = fixture.number_of("ListAccountsForProvisionedPermissionSet");
    assert!((600..800).contains(&reads), "{reads}");
}

#[tokio::test]
async fn a_provisioning_in_which_no_account_is_done_ends_after_the_stall_timeout() {
    let fixture = outdated(9, 9).await;
    let hold = OperationFault::hold().of(OperationKind::Provision);
    fixture.sandbox.inject_operation_fault(hold);
    let before = rest_core::Clock::elapsed(&fixture.clock);
    let report = fixture.applied().await;
    let waited = rest_core::Clock::elapsed(&fixture.clock).saturating_sub(before);
    let ended = outcome(&report, "provisioning of permission set Deploy");
    assert!(matches!(ended, Outcome::TimedOut { .. }), "{ended:?}");
    assert!((15 * MINUTE..17 * MINUTE).contains(&waited), "{waited:?}");
    fixture.sandbox.release_operations();
}

#[tokio::test]
async fn a_failed_account_does_not_block_the_others() {
    let sets = ["Deploy", "Other"]
        .map(|name| PermissionSetSeed::new(name).with_managed_policy("ReadOnlyAccess"));
    let company = company(7, &sets);
    // One account lacks the policy that the set gets.
    let company = Company {
        accounts: company
            .accounts
            .into_iter()
            .map(|mut seed| {
                if seed.id != account(3) {
                    seed.policies.push("/ops/Everywhere".to_owned());
                }
                seed
            })
            .collect(),
        ..company
    };
    let text = blueprint(&[
        (
            "Deploy",
            "managed_policies = [\"ReadOnlyAccess\"]\ncustomer_managed_policies = [\"/ops/Everywhere\"]",
        ),
        (
            "Other",
            "managed_policies = [\"ReadOnlyAccess\", \"SecurityAudit\"]",
        ),
    ]);
    let company = company.account({
        let mut seed = AccountSeed::new(&account(7), "web-7", "Web");
        seed.policies.push("/ops/Everywhere".to_owned());
        seed
    });
    let fixture = fixture(company, &text).await;
    let report = fixture.applied().await;
    let failed = outcome(&report, "provisioning of permission set Deploy");
    let problem = failed.problem().expect("a problem").to_string();
    let reason = format!(
        "AWS could not provision permission set Deploy in web-3 ({id}): Received a 404 status error: Policy arn:aws:iam::{id}:policy/ops/Everywhere does not exist",
        id = account(3)
    );
    assert!(problem.contains(&reason), "{problem}");
    // All others: the accounts, the other set, the new assignment.
    let not_made = report
        .results
        .iter()
        .filter(|one| !one.outcome.is_success());
    assert_eq!(not_made.count(), 1, "{report:?}");
    for number in [0, 1, 2, 4, 5, 6, 7] {
        let role = fixture.sandbox.role_policies(&account(number), "Deploy");
        assert_eq!(role.expect("a role").len(), 2, "{number}");
    }
    // One call for each set, and one for the account that was left.
    assert_eq!(fixture.number_of("ProvisionPermissionSet"), 3);
    // The account is behind, and the next plan has it alone.
    let (_, plan) = fixture.planned().await;
    let change = &plan.step(&ids::PERMISSION_SETS).expect("the step").changes[0];
    assert_eq!(change.known("accounts"), Some(&*account(3)));
}

#[tokio::test]
async fn an_account_that_is_not_active_is_named_and_left() {
    let fixture = outdated(3, 3).await;
    let state = AccountState::Suspended;
    fixture.sandbox.set_account_state(&account(1), state);
    let (pipeline, plan) = fixture.planned().await;
    let change = &plan.step(&ids::PERMISSION_SETS).expect("the step").changes;
    let planned = change.last().and_then(|change| change.known("accounts"));
    assert_eq!(planned, Some(&*format!("{}, {}", account(0), account(2))));
    let text = note(&plan, "not-active").expect("a note");
    assert!(text.contains(&format!("web-1 ({})", account(1))), "{text}");
    let report = pipeline.apply(&plan).await.expect("a report");
    let provisioned = outcome(&report, "provisioning of permission set Deploy");
    assert_eq!(provisioned, Outcome::Done);
    let (_, plan) = fixture.planned().await;
    assert_eq!(lines(&plan, STEP), [""; 0]);
    assert!(note(&plan, "not-active").is_some());
}

/// The blueprint of a set `Old`, and of the set that replaces it.
fn renamed(mode: &str, accounts: &str) -> [String; 2] {
    ["Old", "New"].map(|name| {
        let from = if name == "New" {
            "renamed_from = \"Old\"\n"
        } else {
            ""
        };
        format!(
            "[ownership]\naccess = \"{mode}\"\n[permission_sets.{name}]\n{from}managed_policies = [\"ReadOnlyAccess\"]\n[[access]]\ngroup = \"{TEAM}\"\naccounts = {accounts}\npermission_set = \"{name}\"\n"
        )
    })
}

#[tokio::test]
async fn a_renamed_set_replaces_the_old_one_in_two_runs_in_every_mode() {
    for mode in ["add", "managed", "exclusive"] {
        let [old, new] = renamed(mode, "{ ou = [\"Web\"] }");
        let mut fixture = fixture(company(3, &[]), &old).await;
        assert!(fixture.applied().await.is_complete(), "{mode}");

        fixture.blueprint = Blueprint::from_toml(&new).expect("a blueprint");
        let (pipeline, plan) = fixture.planned().await;
        assert_eq!(plan.removals().count(), 0, "{mode}: {plan}");
        let text = note(&plan, "renamed-set").expect("a note");
        assert!(
            text.contains("role ARNs AWSReservedSSO_Old_… in 3 accounts change: EKS access entries, aws-auth, bucket, key and trust policies that name them stop matching"),
            "{text}"
        );
        // An assignment that is missing keeps the old ones.
        let fault = OperationFault::fail("no").of(OperationKind::Assign);
        fixture
            .sandbox
            .inject_operation_fault(fault.in_account(account(1)));
        let report = pipeline.apply(&plan).await.expect("a report");
        assert!(!report.is_complete(), "{mode}");
        let (pipeline, plan) = fixture.planned().await;
        assert_eq!(plan.removals().count(), 0, "{mode}: {plan}");
        assert!(
            note(&plan, "assignments-of-a-renamed-set").is_some(),
            "{plan}"
        );
        apply(&pipeline, &plan).await.expect("a run");

        let (pipeline, plan) = fixture.planned().await;
        let removed =
            [0, 1, 2].map(|number| format!("remove group deployers: Old in {}", account(number)));
        assert_eq!(lines(&plan, "account-assignments"), removed, "{mode}");
        assert_eq!(lines(&plan, RETIRED), ["remove permission set Old"]);
        assert!(
            plan.to_string()
                .contains("permission set Old is now New, whose assignment is there"),
            "{plan}"
        );
        assert!(note(&plan, "renamed-set").is_some(), "{plan}");
        apply(&pipeline, &plan).await.expect("a run");
        assert_eq!(fixture.assignments().len(), 3, "{mode}");
        let (_, plan) = fixture.planned().await;
        assert_eq!(lines(&plan, "account-assignments"), [""; 0]);
        assert_eq!(note(&plan, "renamed-set"), None);
        let sets = fixture.sandbox.permission_sets();
        assert!(!sets.iter().any(|set| set.name == "Old"), "{mode}");
        assert_eq!(lines(&plan, RETIRED), [""; 0]);
    }
}

#[tokio::test]
async fn the_removals_of_a_renamed_set_need_an_approval() {
    let [old, new] = renamed("add", "{ ou = [\"Web\"] }");
    let mut fixture = fixture(company(2, &[]), &old).await;
    let _report = fixture.applied().await;
    fixture.blueprint = Blueprint::from_toml(&new).expect("a blueprint");
    let _report = fixture.applied().await;
    let (pipeline, plan) = fixture.planned().await;
    let error = pipeline.guard(Guard::default()).apply(&plan).await;
    let error = error.expect_err("removals without an approval");
    assert_eq!(error.kind(), okta_aws_sso::ErrorKind::GuardRejected);
}

#[tokio::test]
async fn an_assignment_of_a_renamed_set_that_nothing_replaces_is_kept() {
    let [old, _] = renamed("add", "{ ou = [\"Web\"] }");
    let [_, new] = renamed("add", "[\"web-0\"]");
    let mut fixture = fixture(company(2, &[]), &old).await;
    let _report = fixture.applied().await;
    fixture.blueprint = Blueprint::from_toml(&new).expect("a blueprint");
    let _report = fixture.applied().await;
    let (_, plan) = fixture.planned().await;
    assert_eq!(
        lines(&plan, "account-assignments"),
        [format!("remove group deployers: Old in {}", account(0))]
    );
    let kept = note(&plan, "other-assignments").expect("a note");
    assert!(kept.contains("deployers has Old in web-1"), "{kept}");
    assert_eq!(lines(&plan, RETIRED), [""; 0]);
}

#[test]
fn an_old_name_that_is_in_use_is_a_fault_of_the_blueprint() {
    let set = |text: &str| format!("[permission_sets.New]\nrenamed_from = \"{text}\"\n");
    for (text, message) in [
        (
            set("New"),
            "permission set `New` is renamed from its own name",
        ),
        (set("a b"), "`a b` is not a valid name of a permission set"),
        (
            format!("{}[permission_sets.Old]\n", set("Old")),
            "permission set `Old`, the old name of `New`, is described",
        ),
        (
            format!(
                "{}[[access]]\nuser = \"a@b.c\"\naccount = \"x\"\npermission_set = \"Billing\"\n",
                set("Billing")
            ),
            "`access` still gives permission set `Billing`, the old name of `New`",
        ),
        (
            format!(
                "{}[permission_sets.Other]\nrenamed_from = \"Old\"\n",
                set("Old")
            ),
            "permission sets `Other` and `New` have the same old name `Old`",
        ),
        (
            format!("{}existing = true\n", set("Old")),
            "a permission set with `existing = true` is described",
        ),
        (
            "[permission_sets.New.tags]\n\"okta-aws-sso:blueprint\" = \"x\"\n".to_owned(),
            "`okta-aws-sso:blueprint` is not a valid tag",
        ),
        (
            "[permission_sets.New]\ndescription = \"more – or less\"\n".to_owned(),
            "the description has the character U+2013, which AWS does not accept",
        ),
    ] {
        let error = Blueprint::from_toml(&text).expect_err(message);
        assert!(error.to_string().contains(message), "{text}: {error}");
    }
}

/// Returns the tags of the permission set of this name.
async fn tags(fixture: &Fixture, name: &str) -> Vec<(String, String)> {
    let center = fixture.center().await;
    let sets = center.permission_sets();
    let set = sets.find(name).await.expect("a response").expect("a set");
    let tags = sets.tags(&set.arn).try_collect().await;
    tags.expect("tags")
}

#[tokio::test]
async fn a_created_set_has_the_tag_of_its_blueprint_and_keeps_it() {
    let text = |description: &str| {
        let sets = blueprint(&[("Deploy", description)]);
        format!("name = \"web\"\n{sets}")
    };
    let mut fixture = fixture(company(1, &[]), &text("")).await;
    let (pipeline, plan) = fixture.planned().await;
    assert!(
        plan.to_string().contains("tag okta-aws-sso:blueprint  web"),
        "{plan}"
    );
    apply(&pipeline, &plan).await.expect("a run");
    let owner = ("okta-aws-sso:blueprint".to_owned(), "web".to_owned());
    assert_eq!(tags(&fixture, "Deploy").await, std::slice::from_ref(&owner));
    // Neither a plan nor the drift has something to say about it.
    assert!(fixture.planned().await.1.is_empty());
    let drift = fixture
        .pipeline()
        .drift(&okta_aws_sso::AccessQuery::full())
        .await;
    let drift = drift.expect("a drift");
    assert!(!format!("{drift:?}").contains("okta-aws-sso:blueprint"));
    let with_tags = text("session_duration = \"2h\"\ntags = { team = \"web\" }");
    fixture.blueprint = Blueprint::from_toml(&with_tags).expect("a blueprint");
    assert!(fixture.applied().await.is_complete());
    let team = ("team".to_owned(), "web".to_owned());
    assert_eq!(tags(&fixture, "Deploy").await, [owner, team]);
}

#[tokio::test]
async fn a_set_of_another_owner_is_used_and_not_edited() {
    for (key, value, reason) in [
        (
            "okta-aws-sso:blueprint",
            "platform",
            "blueprint platform has created it (tag okta-aws-sso:blueprint = platform)",
        ),
        (
            "managedBy",
            "ControlTower",
            "it belongs to AWS Control Tower (tag managedBy = ControlTower)",
        ),
    ] {
        let set = PermissionSetSeed::new("Deploy")
            .with_managed_policy("ReadOnlyAccess")
            .with_tag(key, value);
        let described = blueprint(&[("Deploy", "managed_policies = [\"PowerUserAccess\"]")]);
        let mut fixture = fixture(company(1, &[set]), &described).await;
        let (pipeline, plan) = fixture.planned().await;
        let problem = format!("problem: permission set Deploy is not edited: {reason}");
        let found = lines(&plan, STEP);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains(&problem["problem: ".len()..]),
            "{found:?}"
        );
        let _report = pipeline.apply(&plan).await.expect("a report");
        assert_eq!(fixture.writes(), []);
        // As it is, it can be given.
        let used = blueprint(&[("Deploy", "existing = true")]);
        fixture.blueprint = Blueprint::from_toml(&used).expect("a blueprint");
        let report = fixture.applied().await;
        assert!(report.is_complete(), "{report:?}");
        let set = &fixture.sandbox.permission_sets()[0];
        assert_eq!(
            set.managed_policies,
            ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
        );
    }
}

#[tokio::test]
async fn the_own_tag_lets_a_run_edit_the_set() {
    let set = PermissionSetSeed::new("Deploy").with_tag("okta-aws-sso:blueprint", "default");
    let text = blueprint(&[("Deploy", "managed_policies = [\"PowerUserAccess\"]")]);
    let fixture = fixture(company(1, &[set]), &text).await;
    assert!(fixture.applied().await.is_complete());
    let role = fixture.sandbox.role_policies(&account(0), "Deploy");
    assert_eq!(role.expect("a role").len(), 1);
}
