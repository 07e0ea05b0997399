//! Ownership: what a run removes of the access that the blueprint does not give, in each mode.

use std::sync::Arc;

use object_store::{ObjectStoreExt as _, memory::InMemory, path::Path};
use okta_aws_sso::{
    AccessQuery, Blueprint, DriftFinding, ErrorKind, Guard, Plan, StateStore,
    aws::{Assignment, Principal},
    blueprint::PrincipalSpec,
    drift::DriftCode,
    plan::Hazard,
};

use sandbox::{AccountState, Fault, Sandbox, Service};

use crate::fixture::{Fixture, TEAM, apply, lines, note};

const STEP: &str = "account-assignments";

/// Returns [`TEAM`] with this section `ownership`.
fn team(ownership: &str) -> String {
    format!("[ownership]\n{ownership}\n{TEAM}")
}

/// Returns a fixture whose blueprint was applied.
async fn applied(ownership: &str) -> Fixture {
    // One account more than the blueprint names.
    let company = sandbox::Company::small(3, 4).team("deployers", &["person.00002@example.com"]);
    let sandbox = Sandbox::builder().company(company);
    let fixture = Fixture::with_sandbox(sandbox, &team(ownership)).await;
    fixture.run().await.expect("a run");
    fixture
}

/// The line of the deployers in one account.
const DEPLOYERS: &str = "accounts = [\"Sandbox\", \"Workload 0003\"]";

impl Fixture {
    pub(crate) fn set_blueprint(&mut self, text: &str) {
        self.blueprint = Blueprint::from_toml(text).expect("a blueprint");
    }

    pub(crate) async fn plan(&self) -> Plan {
        self.pipeline().plan().await.expect("a plan")
    }

    /// Applies a plan with its removals approved.
    pub(crate) async fn approve(&self, plan: &Plan) {
        let error = apply(&self.pipeline(), plan).await.expect_err("removals");
        assert_eq!(error.kind(), ErrorKind::GuardRejected, "{error}");
        let approved = Guard {
            approved: plan.removals_id().into_iter().collect(),
            ..Guard::default()
        };
        apply(&self.pipeline().guard(approved), plan)
            .await
            .expect("approved removals");
        let plan = self.plan().await;
        assert!(plan.is_empty(), "{plan}");
    }

    /// Gives a group or user a set by hand.
    pub(crate) async fn give(&self, name: &str, set: &str, account: &str) -> Assignment {
        let assignment = self.assignment(name, set, account).await;
        self.change_assignment(&assignment, true).await;
        assignment
    }
}

#[tokio::test]
async fn managed_removes_what_it_made_and_nothing_else() {
    let mut fixture = applied("access = \"managed\"").await;
    fixture.create_aws_group("night-shift", &[]).await;
    fixture.give("night-shift", "Deploy", "Sandbox").await;
    let without = team("access = \"managed\"").replace(DEPLOYERS, "accounts = [\"Sandbox\"]");
    fixture.set_blueprint(&without);
    let plan = fixture.plan().await;
    let account = fixture.account("Workload 0003").await;
    assert_eq!(
        lines(&plan, STEP),
        [format!("remove group deployers: Deploy in {account}")]
    );
    assert!(
        plan.to_string()
            .contains("an earlier run has made it, and the blueprint no longer gives it"),
        "{plan}"
    );
    assert_eq!(
        note(&plan, "other-assignments").expect("a note"),
        format!(
            "1 assignment is not in the blueprint and is kept: group night-shift has Deploy in Sandbox ({}) (the assignments of all groups were read, and not the direct assignments of 2 users)",
            fixture.account("Sandbox").await
        )
    );
    fixture.approve(&plan).await;
    assert_eq!(fixture.assignments().len(), 3);
}

#[tokio::test]
async fn add_removes_nothing_that_the_blueprint_loses() {
    let mut fixture = applied("access = \"add\"").await;
    fixture.set_blueprint(&team("access = \"add\"").replace(DEPLOYERS, "accounts = [\"Sandbox\"]"));
    let plan = fixture.plan().await;
    assert!(plan.is_empty(), "{plan}");
    // A later run that owns the access knows what the earlier one has made.
    let managed = team("access = \"managed\"").replace(DEPLOYERS, "accounts = [\"Sandbox\"]");
    fixture.set_blueprint(&managed);
    assert_eq!(lines(&fixture.plan().await, STEP).len(), 1);
}

#[tokio::test]
async fn an_assignment_that_was_found_is_removed_only_after_its_adoption() {
    let mut fixture = applied("access = \"managed\"").await;
    fixture.give("deployers", "Deploy", "Workload 0004").await;
    let with = TEAM.replace(DEPLOYERS, "accounts = [\"Sandbox\", \"Workload 000*\"]");
    let managed = format!("[ownership]\naccess = \"managed\"\n{with}");
    fixture.set_blueprint(&managed);
    fixture.run().await.expect("a run");
    // Found, and not made.
    fixture.set_blueprint(&team("access = \"managed\""));
    let plan = fixture.plan().await;
    let removed = plan.removals().count();
    assert_eq!(removed, 0, "the run has made none: {plan}");
    // Adopted, and then lost.
    fixture.set_blueprint(&format!(
        "[ownership]\naccess = \"managed\"\nadopt = true\n{with}"
    ));
    let (plan, _) = fixture.run().await.expect("a run");
    let account = fixture.account("Workload 0004").await;
    assert_eq!(
        lines(&plan, STEP),
        [format!("adopt group deployers: Deploy in {account}")]
    );
    fixture.set_blueprint(&team("access = \"managed\""));
    let plan = fixture.plan().await;
    assert_eq!(plan.removals().count(), 1, "{plan}");
    fixture.approve(&plan).await;
}

#[tokio::test]
async fn a_lost_ledger_removes_less() {
    let store = Arc::new(InMemory::new());
    let mut fixture = Fixture::new(&team("access = \"managed\"")).await;
    fixture.store = StateStore::on(store.clone(), Path::default());
    fixture.run().await.expect("a run");
    let ledger = Path::from("ledger/default.json");
    store.delete(&ledger).await.expect("a ledger");
    fixture.set_blueprint(
        &team("access = \"managed\"").replace(DEPLOYERS, "accounts = [\"Sandbox\"]"),
    );
    let plan = fixture.plan().await;
    assert!(plan.is_empty(), "{plan}");
    let text = note(&plan, "no-ledger").expect("a note");
    assert!(text.contains("adopt = true"), "{text}");
}

#[tokio::test]
async fn exclusive_removes_what_others_gave_in_its_scope() {
    let mut fixture = applied("access = \"exclusive\"").await;
    fixture.create_aws_group("night-shift", &[]).await;
    fixture.give("night-shift", "Deploy", "Sandbox").await;
    fixture
        .give("night-shift", "AdministratorAccess", "Workload 0003")
        .await;
    fixture
        .give("person.00002@example.com", "Deploy", "Workload 0003")
        .await;
    let (sandbox, workload) = (
        fixture.account("Sandbox").await,
        fixture.account("Workload 0003").await,
    );
    let plan = fixture.plan().await;
    let [admin, group, direct] = [
        format!("remove group night-shift: AdministratorAccess in {workload}"),
        format!("remove group night-shift: Deploy in {sandbox}"),
        format!("remove user person.00002@example.com: Deploy in {workload}"),
    ];
    let mut found = lines(&plan, STEP);
    found.sort();
    assert_eq!(found, [admin.clone(), group.clone(), direct.clone()]);
    let limited = |section: &str| format!("{}\n{section}\n", team("access = \"exclusive\""));
    for (section, expected) in [
        ("[scope]\naccounts = [\"Sandbox\"]", vec![&group]),
        (
            "[scope]\npermission_sets = [\"Dep*\"]",
            vec![&group, &direct],
        ),
        ("[scope]\naccounts = { ou = [\"Wrong\"] }", vec![]),
        ("[protect]\ngroups = [\"NIGHT-*\"]", vec![&direct]),
        (
            "[protect]\nusers = [\"person.00002@*\"]",
            vec![&admin, &group],
        ),
        ("[protect]\npermission_sets = [\"Deploy\"]", vec![&admin]),
        ("[protect]\naccounts = [\"Workload*\"]", vec![&group]),
    ] {
        fixture.set_blueprint(&limited(section));
        let plan = fixture.plan().await;
        let mut found = lines(&plan, STEP);
        found.retain(|line| !line.starts_with("problem"));
        found.sort();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{section}");
    }
    fixture.set_blueprint(&team("access = \"exclusive\""));
    let plan = fixture.plan().await;
    fixture.approve(&plan).await;
    assert_eq!(fixture.assignments().len(), 3);
}

#[tokio::test]
async fn an_assignment_of_another_blueprint_is_not_removed() {
    let mut fixture = applied("access = \"managed\"").await;
    let other = format!(
        "name = \"other\"\n[ownership]\naccess = \"exclusive\"\n{}",
        TEAM.replace(DEPLOYERS, "accounts = [\"Sandbox\"]")
    );
    fixture.set_blueprint(&other);
    let plan = fixture.plan().await;
    assert!(plan.is_empty(), "{plan}");
    let text = note(&plan, "assignments-of-another-blueprint").expect("a note");
    assert!(text.contains("blueprint default has made them"), "{text}");
}

#[tokio::test]
async fn the_assignments_of_a_deleted_group_are_removed_and_given_to_its_successor() {
    let fixture = applied("access = \"managed\"").await;
    let before = fixture.assignment("deployers", "Deploy", "Sandbox").await;
    fixture.delete_aws_group("deployers").await;
    fixture
        .create_aws_group("deployers", &["person.00002@example.com"])
        .await;
    let plan = fixture.plan().await;
    let changes = lines(&plan, STEP);
    let creates = changes.iter().filter(|line| line.starts_with("create"));
    let removes = changes.iter().filter(|line| line.starts_with("remove"));
    assert_eq!((creates.count(), removes.count()), (2, 2), "{plan}");
    assert!(
        plan.to_string()
            .contains("group deployers was deleted, and AWS keeps its assignments"),
        "{plan}"
    );
    fixture.approve(&plan).await;
    assert_eq!(fixture.assignments().len(), 3);
    let after = fixture.assignment("deployers", "Deploy", "Sandbox").await;
    assert_ne!(after, before);
}

#[tokio::test]
async fn access_that_an_entry_with_a_problem_may_give_is_kept_and_named() {
    let fixture = applied("access = \"managed\"").await;
    let account = fixture.account("Workload 0003").await;
    fixture
        .sandbox
        .set_account_state(&account, AccountState::Suspended);
    let plan = fixture.plan().await;
    assert_eq!(plan.removals().count(), 0, "{plan}");
    let text = note(&plan, "assignments-that-may-be-given").expect("a note");
    let name = format!("group deployers has Deploy in Workload 0003 ({account})");
    assert!(text.contains(&name), "{text}");
}

#[tokio::test]
async fn the_last_administrator_of_an_account_stays() {
    let mut fixture = applied("access = \"managed\"").await;
    let ada = "[[access]]\nuser = \"ada.lovelace@example.com\"\naccount = \"Sandbox\"\npermission_set = \"AdministratorAccess\"\n";
    let without = team("access = \"managed\"").replace(ada, "");
    fixture.set_blueprint(&format!("{without}\n[sign_in]\nskip = true\n"));
    let plan = fixture.plan().await;
    let hazards: Vec<&Hazard> = plan.hazards().collect();
    let account = fixture.account("Sandbox").await;
    assert_eq!(
        hazards,
        [&Hazard::LastAdministrator {
            account: account.as_str().into()
        }]
    );
    let approved = Guard {
        approved: plan.removals_id().into_iter().collect(),
        ..Guard::default()
    };
    let refused = apply(&fixture.pipeline().guard(approved), &plan).await;
    assert_eq!(
        refused.expect_err("a hazard").kind(),
        ErrorKind::GuardRejected
    );
}

#[tokio::test]
async fn exclusive_removes_the_assignments_of_deleted_groups_of_others() {
    let fixture = applied("access = \"exclusive\"").await;
    fixture.create_aws_group("night-shift", &[]).await;
    fixture.give("night-shift", "Deploy", "Sandbox").await;
    fixture.delete_aws_group("night-shift").await;
    let plan = fixture.plan().await;
    let removals: Vec<String> = plan
        .removals()
        .map(|(_, change)| change.to_string())
        .collect();
    assert_eq!(removals.len(), 1, "{plan}");
    assert!(
        removals[0].starts_with("remove deleted group "),
        "{removals:?}"
    );
    fixture.approve(&plan).await;
    assert_eq!(fixture.assignments().len(), 3);
}

#[tokio::test]
async fn a_refused_removal_of_an_orphan_is_a_problem_of_this_assignment() {
    let company = sandbox::Company::small(3, 4).team("deployers", &["person.00002@example.com"]);
    let sandbox = Sandbox::builder()
        .company(company)
        .orphan_deletion_fails(true);
    let text = team("access = \"managed\"");
    let fixture = Fixture::with_sandbox(sandbox, &text).await;
    fixture.run().await.expect("a run");
    fixture.delete_aws_group("deployers").await;
    fixture
        .create_aws_group("deployers", &["person.00002@example.com"])
        .await;
    let plan = fixture.plan().await;
    let approved = Guard {
        approved: plan.removals_id().into_iter().collect(),
        ..Guard::default()
    };
    let report = fixture.pipeline().guard(approved).apply(&plan).await;
    let report = report.expect("a report");
    let problems: Vec<String> = report.all_problems().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    for problem in problems {
        assert!(
            problem.contains("AWS could not remove deleted group"),
            "{problem}"
        );
    }
    assert_eq!(
        fixture.assignments().len(),
        5,
        "the successor has its access"
    );
}

#[tokio::test]
async fn a_group_with_another_name_in_aws_keeps_its_access() {
    let fixture = applied("access = \"exclusive\"").await;
    fixture.delete_aws_group("deployers").await;
    let id = fixture.create_aws_group("releasers", &[]).await;
    fixture.give("releasers", "Deploy", "Sandbox").await;
    fixture.give("releasers", "Deploy", "Workload 0003").await;
    let removals = |plan: &Plan| {
        let lines = plan.removals().map(|(_, change)| change.to_string());
        let of_group = lines.filter(|line| line.contains("group releasers"));
        of_group.count()
    };
    assert_eq!(removals(&fixture.plan().await), 2);
    // An earlier run knows the group under the name of the blueprint.
    fixture
        .edit_facts(|facts| {
            let spec = PrincipalSpec::Group("deployers".to_owned());
            facts.principals.insert(id, spec);
        })
        .await;
    let plan = fixture.plan().await;
    assert_eq!(removals(&plan), 0, "{plan}");
    // It is no foreign access for the drift either.
    let drift = fixture.pipeline().drift(&AccessQuery::full()).await;
    let drift = drift.expect("a drift");
    let unmanaged = |one: &&DriftFinding| one.code == DriftCode::UnmanagedAssignment;
    assert_eq!(
        drift.findings.iter().filter(unmanaged).count(),
        0,
        "{drift:?}"
    );
    // Once AWS has another group of the name, the renamed group is no longer the group of the blueprint.
    fixture.create_aws_group("deployers", &[]).await;
    assert_eq!(removals(&fixture.plan().await), 2);
}

#[tokio::test]
async fn a_deleted_group_without_a_list_is_read_by_the_pairs_of_the_ledger() {
    let fixture = applied("access = \"managed\"").await;
    fixture.delete_aws_group("deployers").await;
    let json = [("content-type", "application/x-amz-json-1.1")];
    let missing = r#"{"__type":"ResourceNotFoundException","message":"no such principal"}"#;
    let fault = Fault::answer(Service::Aws, 404, &json, missing, false);
    // The first list is that of the user of the blueprint.
    let fault = fault.on("ListAccountAssignmentsForPrincipal").after(1);
    fixture.sandbox.inject(fault);
    let plan = fixture.plan().await;
    assert_eq!(plan.removals().count(), 2, "{plan}");
}

#[tokio::test]
async fn exclusive_removes_nothing_while_a_list_of_assignments_cannot_be_read() {
    let fixture = applied("access = \"exclusive\"").await;
    fixture.create_aws_group("night-shift", &[]).await;
    fixture.give("night-shift", "Deploy", "Sandbox").await;
    let json = [("content-type", "application/x-amz-json-1.1")];
    let odd = r#"{"AccountAssignments":[{"AccountId":"no id","PrincipalType":"GROUP"}]}"#;
    let fault = Fault::answer(Service::Aws, 200, &json, odd, false);
    fixture.sandbox.inject(fault.on("ListAccountAssignments"));
    let plan = fixture.plan().await;
    assert_eq!(plan.removals().count(), 0, "{plan}");
    let problems: Vec<String> = plan.problems().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].starts_with("no assignment is removed as exclusive"),
        "{problems:?}"
    );
}

#[tokio::test]
async fn the_fix_of_foreign_access_says_what_the_next_run_does() {
    let delete = "delete the assignment in AWS, or add it to `access` in the blueprint";
    for (ownership, section, fix) in [
        ("add", "", delete.to_owned()),
        (
            "managed",
            "",
            format!("no run removes it, because none has made it: {delete}"),
        ),
        (
            "exclusive",
            "",
            "apply a plan of the blueprint: it removes the assignment; to keep the assignment, add it to `access` in the blueprint"
                .to_owned(),
        ),
        (
            "exclusive",
            "[scope]\naccounts = [\"Workload 0003\"]",
            format!("no run removes it, because it is outside of `scope`: {delete}"),
        ),
        (
            "exclusive",
            "[protect]\ngroups = [\"night-*\"]",
            "no run removes it, because it is protected: delete it in AWS, or add it to `access` in the blueprint"
                .to_owned(),
        ),
    ] {
        let text = format!("{}\n{section}\n", team(&format!("access = \"{ownership}\"")));
        let fixture = Fixture::new(&text).await;
        fixture.run().await.expect("a run");
        fixture.create_aws_group("night-shift", &[]).await;
        fixture.give("night-shift", "Deploy", "Sandbox").await;
        let drift = fixture.pipeline().drift(&AccessQuery::full()).await;
        let drift = drift.expect("a drift");
        let mut findings = drift.findings.iter();
        let found = findings.find(|one| one.code == DriftCode::UnmanagedAssignment);
        assert_eq!(found.expect("a finding").fix, fix, "{ownership} {section}");
    }
}

/// Deletes the user Ada in AWS, and creates her again with the external id of Okta and another name.
async fn recreate_ada(fixture: &Fixture) -> String {
    let scim = fixture.scim();
    let users = fixture.sandbox.identity_users().into_iter();
    let mut users = users.filter(|user| user.user_name == ADA);
    let old = users.next().expect("Ada").id;
    scim.users()
        .delete(&old.parse().expect("an id"))
        .await
        .expect("a deletion");
    let new: scim_types::User = serde_json::from_value(serde_json::json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada.byron@example.com", "externalId": fixture.sandbox.user_id(ADA),
        "displayName": "Ada", "name": {"givenName": "Ada", "familyName": "Byron"},
        "emails": [{"value": "ada.byron@example.com", "type": "work", "primary": true}],
    }))
    .expect("a user");
    let new = scim.users().create(&new).await.expect("a user");
    new.id.expect("an id").to_string()
}

const ADA: &str = "ada.lovelace@example.com";

#[tokio::test]
async fn the_assignments_of_a_user_who_was_recreated_go_to_the_user_with_the_same_external_id() {
    let fixture = applied("access = \"managed\"").await;
    let old = fixture
        .assignment(ADA, "AdministratorAccess", "Sandbox")
        .await;
    let Principal::User(old) = old.principal else {
        panic!("not a user: {:?}", old.principal);
    };
    let new = recreate_ada(&fixture).await;
    let plan = fixture.plan().await;
    let account = fixture.account("Sandbox").await;
    assert_eq!(
        lines(&plan, STEP),
        [
            format!("create user {ADA}: AdministratorAccess in {account}"),
            format!("remove deleted user {old}: AdministratorAccess in {account}"),
        ],
        "{plan}"
    );
    let created = plan.to_string();
    assert!(created.contains(&new), "the id of the new user: {plan}");
    let note = note(&plan, "found-by-external-id").expect("a note");
    assert!(
        note.contains("user ada.lovelace@example.com has the name ada.byron@example.com"),
        "{note}"
    );
}
