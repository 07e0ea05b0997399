//! Ownership of permission sets: which sets a run deletes as a whole, and when.

use okta_aws_sso::{Guard, Plan, Report, aws::NewPermissionSet, plan::Kind};
use sandbox::{Company, Fault, Sandbox, Service};

use crate::fixture::{Fixture, TEAM, lines, note};

const STEP: &str = "retired-permission-sets";

/// [`TEAM`] without the set `Deploy`, which the deployers have.
const WITHOUT: &str = r#"
[provisioning]
assign_groups = ["aws-users"]
push_groups = ["deployers"]

[[access]]
user = "ada.lovelace@example.com"
account = "Sandbox"
permission_set = "AdministratorAccess"
"#;

fn owned(sets: &str, access: &str, text: &str) -> String {
    format!("[ownership]\naccess = \"{access}\"\npermission_sets = \"{sets}\"\n{text}")
}

/// Returns a fixture whose blueprint was applied, with the set `Deploy` in the ledger.
async fn applied(sets: &str, access: &str) -> Fixture {
    let company = Company::small(3, 4).team("deployers", &["person.00002@example.com"]);
    let sandbox = Sandbox::builder().company(company);
    let fixture = Fixture::with_sandbox(sandbox, &owned(sets, access, TEAM)).await;
    fixture.run().await.expect("a run");
    fixture
}

impl Fixture {
    /// Creates a permission set by hand.
    async fn create_set(&self, name: &str) {
        self.create_tagged_set(name, []).await;
    }

    async fn create_tagged_set<const N: usize>(&self, name: &str, tags: [(&str, &str); N]) {
        let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let new = NewPermissionSet {
            name: name.to_owned(),
            tags: tags.into(),
            ..NewPermissionSet::default()
        };
        let center = self.center().await;
        center.permission_sets().create(&new).await.expect("a set");
    }

    fn sets(&self) -> Vec<String> {
        let sets = self.sandbox.permission_sets();
        let mut names: Vec<String> = sets.into_iter().map(|set| set.name).collect();
        names.sort();
        names
    }

    async fn apply_approved(&self, plan: &Plan) -> Report {
        let approved = Guard {
            approved: plan.removals_id().into_iter().collect(),
            ..Guard::default()
        };
        let report = self.pipeline().guard(approved).apply(plan).await;
        report.expect("a report")
    }
}

fn problems(report: &Report) -> Vec<String> {
    report.all_problems().map(ToString::to_string).collect()
}

#[tokio::test]
async fn managed_deletes_a_set_that_it_created_after_its_assignments() {
    let mut fixture = applied("managed", "managed").await;
    fixture.create_set("Handmade").await;
    fixture.set_blueprint(&owned("managed", "managed", WITHOUT));
    let plan = fixture.plan().await;
    assert_eq!(lines(&plan, STEP), ["remove permission set Deploy"]);
    assert_eq!(
        plan.removals().count(),
        3,
        "two assignments and the set: {plan}"
    );
    assert_eq!(plan.totals().get(&Kind::PermissionSet), Some(&3));
    let text = plan.to_string();
    let why = "an earlier run has created it, and the blueprint no longer names it";
    assert!(text.contains(why), "{text}");
    fixture.approve(&plan).await;
    assert_eq!(fixture.sets(), ["AdministratorAccess", "Handmade"]);
    assert_eq!(fixture.assignments().len(), 1);
    // A later set of this name is not the one that was deleted.
    fixture.create_set("Deploy").await;
    let plan = fixture.plan().await;
    assert!(plan.is_empty(), "{plan}");
}

#[tokio::test]
async fn add_deletes_no_set() {
    let mut fixture = applied("add", "managed").await;
    fixture.set_blueprint(&owned("add", "managed", WITHOUT));
    let plan = fixture.plan().await;
    assert_eq!(plan.removals().count(), 2, "the assignments: {plan}");
    fixture.approve(&plan).await;
    assert_eq!(fixture.sets(), ["AdministratorAccess", "Deploy"]);
    // A later run that owns the sets knows what the earlier one has created.
    fixture.set_blueprint(&owned("managed", "managed", WITHOUT));
    let plan = fixture.plan().await;
    assert_eq!(lines(&plan, STEP), ["remove permission set Deploy"]);
}

#[tokio::test]
async fn a_set_with_an_assignment_that_the_plan_keeps_stays_and_the_note_names_it() {
    let mut fixture = applied("managed", "managed").await;
    let user = "person.00002@example.com";
    fixture.give(user, "Deploy", "Workload 0004").await;
    fixture.set_blueprint(&owned("managed", "managed", WITHOUT));
    let plan = fixture.plan().await;
    assert_eq!(lines(&plan, STEP), [""; 0]);
    let account = fixture.account("Workload 0004").await;
    let expected = format!(
        "permission set Deploy is not in the blueprint and is kept, because the plan keeps its assignments: user {user} in Workload 0004 ({account})"
    );
    assert_eq!(
        note(&plan, "permission-set-in-use").expect("a note"),
        expected
    );
    // In mode `add`, the plan keeps all assignments.
    fixture.set_blueprint(&owned("managed", "add", WITHOUT));
    let plan = fixture.plan().await;
    assert_eq!(plan.removals().count(), 0, "{plan}");
    assert!(note(&plan, "permission-set-in-use").is_some(), "{plan}");
}

#[tokio::test]
async fn exclusive_deletes_the_sets_of_others_in_its_scope() {
    let mut fixture = applied("exclusive", "exclusive").await;
    for name in ["Handmade", "Unused", "WebAdmin", "AWSReadOnlyAccess"] {
        fixture.create_set(name).await;
    }
    fixture.give("deployers", "Handmade", "Sandbox").await;
    let (handmade, unused, web, tower) = (
        "remove permission set Handmade",
        "remove permission set Unused",
        "remove permission set WebAdmin",
        "remove permission set AWSReadOnlyAccess",
    );
    for (section, expected) in [
        ("", vec![handmade, unused, web]),
        ("[scope]\npermission_sets = [\"Web*\"]", vec![web]),
        (
            "[protect]\npermission_sets = [\"web*\"]",
            vec![handmade, unused],
        ),
        (
            "[protect]\ncontrol_tower = false",
            vec![tower, handmade, unused, web],
        ),
        // Its assignment in this account stays, and so does the set.
        ("[protect]\naccounts = [\"Sandbox\"]", vec![unused, web]),
    ] {
        let text = owned("exclusive", "exclusive", TEAM);
        fixture.set_blueprint(&format!("{text}\n{section}\n"));
        let plan = fixture.plan().await;
        assert_eq!(lines(&plan, STEP), expected, "{section}: {plan}");
    }
    fixture.set_blueprint(&owned("exclusive", "exclusive", TEAM));
    let plan = fixture.plan().await;
    assert!(note(&plan, "protected-set").is_some(), "{plan}");
    fixture.approve(&plan).await;
    let left = ["AWSReadOnlyAccess", "AdministratorAccess", "Deploy"];
    assert_eq!(fixture.sets(), left);
}

#[tokio::test]
async fn a_set_with_the_tag_of_another_owner_stays() {
    let mut fixture = applied("exclusive", "exclusive").await;
    let far = ("okta-aws-sso:blueprint", "far");
    fixture.create_tagged_set("Far", [far]).await;
    let tower = ("managedBy", "ControlTower");
    fixture.create_tagged_set("Tower", [tower]).await;
    let plan = fixture.plan().await;
    assert_eq!(lines(&plan, STEP), [""; 0]);
    let text = plan.to_string();
    assert!(text.contains("blueprint far has created it"), "{text}");
    assert!(text.contains("it belongs to AWS Control Tower"), "{text}");
    let unprotected = owned("exclusive", "exclusive", TEAM);
    fixture.set_blueprint(&format!(
        "{unprotected}\n[protect]\ncontrol_tower = false\n"
    ));
    let plan = fixture.plan().await;
    assert_eq!(lines(&plan, STEP), ["remove permission set Tower"]);
}

#[tokio::test]
async fn a_set_of_another_blueprint_stays() {
    let mut fixture = applied("managed", "managed").await;
    let other = owned("exclusive", "exclusive", WITHOUT);
    fixture.set_blueprint(&format!("name = \"other\"\n{other}"));
    let plan = fixture.plan().await;
    assert_eq!(lines(&plan, STEP), [""; 0]);
    let text = note(&plan, "set-of-another-blueprint").expect("a note");
    assert!(text.contains("blueprint default has created it"), "{text}");
}

#[tokio::test]
async fn a_set_that_gets_an_assignment_before_the_run_is_a_problem_of_this_set_alone() {
    let mut fixture = applied("managed", "managed").await;
    fixture.set_blueprint(&owned("managed", "managed", WITHOUT));
    let plan = fixture.plan().await;
    let user = "person.00003@example.com";
    fixture.give(user, "Deploy", "Workload 0004").await;
    let report = fixture.apply_approved(&plan).await;
    let account = fixture.account("Workload 0004").await;
    let expected = format!(
        "Okta or AWS has changed since the plan was made: remove permission set Deploy: permission set Deploy is not in the blueprint and is kept, because the plan keeps its assignments: user {user} in Workload 0004 ({account})"
    );
    assert_eq!(problems(&report), [expected]);
    assert_eq!(fixture.sets(), ["AdministratorAccess", "Deploy"]);
    assert_eq!(fixture.assignments().len(), 2, "the removals are made");
}

#[tokio::test]
async fn a_set_with_an_assignment_that_cannot_be_removed_is_a_problem_at_once() {
    let company = Company::small(3, 4).team("deployers", &["person.00002@example.com"]);
    let sandbox = Sandbox::builder()
        .company(company)
        .orphan_deletion_fails(true);
    let mut fixture = Fixture::with_sandbox(sandbox, &owned("managed", "managed", TEAM)).await;
    fixture.run().await.expect("a run");
    fixture.delete_aws_group("deployers").await;
    fixture
        .create_aws_group("deployers", &["person.00002@example.com"])
        .await;
    fixture.set_blueprint(&owned("managed", "managed", WITHOUT));
    let plan = fixture.plan().await;
    assert_eq!(plan.removals().count(), 3, "{plan}");
    let report = fixture.apply_approved(&plan).await;
    let found = problems(&report);
    assert_eq!(found.len(), 3, "{found:?}");
    let of_set =
        "permission set Deploy cannot be deleted, because it still has assignments: deleted group ";
    assert!(
        found.iter().any(|problem| problem.starts_with(of_set)),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_refused_deletion_is_a_problem_of_the_set() {
    for (code, help) in [
        ("ValidationException", "permission set"),
        (
            "ConflictException",
            "AWS still uses the set, and lists no account that has it: run again",
        ),
    ] {
        let mut fixture = applied("managed", "managed").await;
        fixture.set_blueprint(&owned("managed", "managed", WITHOUT));
        let plan = fixture.plan().await;
        let json = [("content-type", "application/x-amz-json-1.1")];
        let refused = format!(r#"{{"__type":"{code}","message":"the set cannot be deleted"}}"#);
        // The client repeats conflicts.
        for _ in 0..20 {
            let fault = Fault::answer(Service::Aws, 400, &json, refused.clone(), false);
            fixture.sandbox.inject(fault.on("DeletePermissionSet"));
        }
        let report = fixture.apply_approved(&plan).await;
        fixture.sandbox.clear_faults();
        assert_eq!(
            problems(&report),
            ["AWS did not delete permission set Deploy"]
        );
        let error = report.complete().expect_err("a problem").explain();
        assert!(error.contains(help), "{error}");
        assert_eq!(fixture.assignments().len(), 1, "the rest is made");
        // The next run goes on.
        let plan = fixture.plan().await;
        assert_eq!(lines(&plan, STEP), ["remove permission set Deploy"]);
        fixture.approve(&plan).await;
    }
}

#[tokio::test]
async fn no_set_is_deleted_while_the_sets_cannot_be_listed() {
    let fixture = applied("exclusive", "exclusive").await;
    fixture.create_set("Handmade").await;
    let json = [("content-type", "application/x-amz-json-1.1")];
    let odd = r#"{"PermissionSets":["no arn"]}"#;
    for _ in 0..3 {
        let fault = Fault::answer(Service::Aws, 200, &json, odd, false);
        fixture.sandbox.inject(fault.on("ListPermissionSets"));
    }
    let plan = fixture.plan().await;
    assert_eq!(plan.removals().count(), 0, "{plan}");
    assert!(!plan.complete, "{plan}");
    let step = okta_aws_sso::steps::ids::RETIRED_PERMISSION_SETS;
    let problems = &plan.step(&step).expect("the step").problems;
    assert_eq!(problems.len(), 1, "{plan}");
    fixture.sandbox.clear_faults();
}

#[tokio::test]
async fn a_set_that_was_found_is_deleted_only_after_its_adoption() {
    let mut fixture = applied("managed", "managed").await;
    fixture.create_set("Handmade").await;
    let described = "[permission_sets.Handmade]\nmanaged_policies = [\"ReadOnlyAccess\"]\n";
    let with = format!("{TEAM}\n{described}");
    fixture.set_blueprint(&owned("managed", "managed", &with));
    fixture.run().await.expect("a run");
    fixture.set_blueprint(&owned("managed", "managed", TEAM));
    assert_eq!(
        fixture.plan().await.removals().count(),
        0,
        "found, and not made"
    );
    let adopted = owned("managed", "managed", &with).replace("access =", "adopt = true\naccess =");
    fixture.set_blueprint(&adopted);
    let (plan, _) = fixture.run().await.expect("a run");
    assert_eq!(
        lines(&plan, "permission-sets"),
        ["adopt permission set Handmade"]
    );
    fixture.set_blueprint(&owned("managed", "managed", TEAM));
    let plan = fixture.plan().await;
    assert_eq!(lines(&plan, STEP), ["remove permission set Handmade"]);
    fixture.approve(&plan).await;
}

#[tokio::test]
async fn the_drift_says_whether_the_next_run_deletes_a_set() {
    for (mode, expected) in [
        ("managed", "delete the set in AWS"),
        ("exclusive", "the next run deletes the set"),
    ] {
        let fixture = applied(mode, "managed").await;
        fixture.create_set("Handmade").await;
        let drift = fixture
            .pipeline()
            .drift(&okta_aws_sso::AccessQuery::full())
            .await;
        let drift = drift.expect("a drift");
        let of_set = |one: &&okta_aws_sso::DriftFinding| {
            one.code == okta_aws_sso::drift::DriftCode::UnmanagedSet
        };
        let found: Vec<_> = drift.findings.iter().filter(of_set).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].fix.starts_with(expected), "{found:?}");
    }
}
