//! Tests of the users and groups of a blueprint as Okta has them: each status of a user, and groups of one name.

use okta_aws_sso::{
    Blueprint, Plan,
    plan::{Problem, StepId},
};
use sandbox::{Person, PersonStatus, Sandbox};

use crate::fixture::{Fixture, SEED, TEAM, company, direct};

/// The statuses, and whether Okta provisions a user with the status.
const STATUSES: [(PersonStatus, bool); 9] = [
    (PersonStatus::Active, true),
    (PersonStatus::Staged, false),
    (PersonStatus::Provisioned, true),
    (PersonStatus::Recovery, true),
    (PersonStatus::PasswordExpired, true),
    (PersonStatus::LockedOut, true),
    (PersonStatus::Suspended, false),
    (PersonStatus::Deprovisioned, false),
    (PersonStatus::Other("ARCHIVED"), false),
];

fn login(status: PersonStatus) -> String {
    format!("{}@example.com", status.name().to_lowercase())
}

/// Returns [`SEED`] with one user of each status.
fn blueprint() -> String {
    let logins = STATUSES.map(|(status, _)| format!("\"{}\"", login(status)));
    format!(
        "[provisioning]\nassign_users = [{}]\n{SEED}",
        logins.join(", ")
    )
}

fn problems(plan: &Plan) -> Vec<&Problem> {
    plan.steps.iter().flat_map(|step| &step.problems).collect()
}

fn problem_of<'a>(plan: &'a Plan, name: &str) -> &'a Problem {
    let mut found = problems(plan).into_iter();
    let problem = found.find(|problem| problem.message.contains(name));
    problem.unwrap_or_else(|| panic!("no problem of {name} in\n{plan}"))
}

#[tokio::test]
async fn an_account_is_created_only_for_a_status_that_okta_provisions_and_each_other_is_a_problem()
{
    for blueprint in [blueprint(), direct(&blueprint())] {
        let company = STATUSES.iter().fold(company(), |company, (status, _)| {
            let person = Person::new(&login(*status), "First", status.name());
            company.person(person.with_status(*status))
        });
        let sandbox = Sandbox::builder().company(company).page_size(None);
        let fixture = Fixture::with_sandbox(sandbox, &blueprint).await;
        let pipeline = fixture.pipeline();
        let plan = pipeline.plan().await.expect("a plan");
        for (status, help) in [
            (PersonStatus::Staged, "activate the user in Okta"),
            (PersonStatus::Suspended, "unsuspend the user"),
            (PersonStatus::Deprovisioned, "the user was deactivated"),
            (PersonStatus::Other("ARCHIVED"), "look at the user in Okta"),
        ] {
            let problem = problem_of(&plan, &login(status));
            assert!(problem.message.contains(status.name()), "{problem:?}");
            assert!(problem.help.starts_with(help), "{problem:?}");
        }
        let report = pipeline.apply(&plan).await.expect("a report");
        let accounts = fixture.sandbox.identity_users();
        for (status, is_provisioned) in STATUSES {
            let name = login(status);
            let account = accounts.iter().find(|account| account.user_name == name);
            assert_eq!(
                account.map(|account| account.active),
                is_provisioned.then_some(true),
                "{name}: {report:?}"
            );
        }
        assert_eq!(fixture.assignments().len(), 1, "{report:?}");
    }
}

#[tokio::test]
async fn the_account_of_a_user_with_an_unknown_status_stays_as_it_is() {
    let fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the first run");
    let [unknown, gone] = ["person.00002@example.com", "person.00003@example.com"];
    fixture
        .sandbox
        .set_user_status(unknown, PersonStatus::Other("ARCHIVED"));
    fixture
        .sandbox
        .set_user_status(gone, PersonStatus::Suspended);
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let message = &problem_of(&plan, unknown).message;
    assert!(message.contains("the unknown status ARCHIVED"), "{message}");
    let sync = plan.step(&StepId::new("directory-sync")).expect("the step");
    let changed: Vec<String> = sync
        .changes
        .iter()
        .map(|change| change.subject.to_string())
        .collect();
    assert!(changed.contains(&format!("user {gone}")), "{plan}");
    assert!(!changed.contains(&format!("user {unknown}")), "{plan}");
}

#[tokio::test]
async fn two_groups_of_one_name_are_a_problem_with_their_ids_and_an_id_names_one_of_them() {
    for blueprint in [TEAM.to_owned(), direct(TEAM)] {
        let mut fixture = Fixture::new(&blueprint).await;
        let twin = fixture.sandbox.import_group(
            "ad.example.com",
            "deployers",
            &["ada.lovelace@example.com"],
        );
        let own = fixture.sandbox.group_id("deployers").expect("a group");
        let plan = fixture.pipeline().plan().await.expect("a plan");
        let problem = problem_of(&plan, "Okta has 2 groups `deployers`");
        assert!(
            problem.message.contains(&own) && problem.message.contains(&twin),
            "{problem:?}"
        );
        assert!(problem.help.contains("[okta.group_ids]"), "{problem:?}");
        let with_id = format!("[okta.group_ids]\ndeployers = \"{own}\"\n{blueprint}");
        fixture.blueprint = Blueprint::from_toml(&with_id).expect("a blueprint");
        fixture.run().await.expect("a run with the id");
        assert_eq!(
            fixture.sandbox.identity_groups()[0].members,
            ["person.00002@example.com", "person.00003@example.com"]
        );
        // Okta has imported AWS's side of the group, which is no ambiguity.
        fixture.blueprint = Blueprint::from_toml(&with_id).expect("a blueprint");
        assert!(fixture.run().await.expect("a second run").0.is_empty());
    }
}

#[tokio::test]
async fn the_id_of_a_group_with_another_name_is_a_problem() {
    let mut fixture = Fixture::new(TEAM).await;
    let other = fixture.sandbox.group_id("aws-users").expect("a group");
    let with_id = format!("[okta.group_ids]\ndeployers = \"{other}\"\n{TEAM}");
    fixture.blueprint = Blueprint::from_toml(&with_id).expect("a blueprint");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let problem = problem_of(&plan, "has the name `aws-users`");
    assert!(problem.message.contains(&other), "{problem:?}");
}

#[tokio::test]
async fn the_counterpart_that_okta_imports_from_aws_is_no_second_group_of_the_name() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    let groups = fixture.okta.groups().named("deployers").await;
    assert_eq!(
        groups.expect("groups").len(),
        2,
        "the group and its counterpart"
    );
    assert!(fixture.run().await.expect("a second run").0.is_empty());
}

#[tokio::test]
async fn a_member_whose_profile_aws_refuses_is_named_and_not_waited_for() {
    let login = "ada.semicolon@example.com";
    let company = company().person(Person::new(login, "Ada;", "Lovelace"));
    let sandbox = Sandbox::builder().company(company);
    let fixture = Fixture::with_sandbox(sandbox, TEAM).await;
    fixture.sandbox.set_group_member("aws-users", login, true);
    let (plan, report) = fixture.run().await.expect("a run");
    let notes = plan.steps.iter().flat_map(|step| &step.notes);
    let mut notes = notes.filter(|note| note.code.as_str() == "user-profile");
    let note = &notes.next().expect("a note").text;
    assert!(
        note.contains("firstName: name.givenName contains `;`"),
        "{note}"
    );
    assert!(report.is_complete(), "{report:?}");
    let accounts = fixture.sandbox.identity_users();
    assert!(accounts.iter().all(|account| account.user_name != login));
}

/// AWS gets the name in the app, so this name must be valid.
#[tokio::test]
async fn the_name_in_the_app_is_validated_and_not_the_login() {
    let [odd, fine] = ["eve;admin@example.com", "eve@example.com"];
    for (login, in_app, is_provisioned) in [(odd, fine, true), (fine, odd, false)] {
        let company = company().person(Person::new(login, "Eve", "Lovelace"));
        let sandbox = Sandbox::builder().company(company);
        let fixture = Fixture::with_sandbox(sandbox, &direct(TEAM)).await;
        fixture.run().await.expect("a run");
        let email = "eve@example.com";
        fixture.sandbox.set_user_attribute(login, "email", email);
        fixture.sandbox.set_group_member("aws-users", login, true);
        let app = fixture.app().await;
        let id = fixture.sandbox.user_id(login).expect("the user");
        let id = okta_aws_sso::okta::Id::parse(&id).expect("an id");
        let mut edit = okta_aws_sso::okta::Edit::new();
        edit.set_user_name(in_app);
        let updated = fixture.okta.apps().update_user(&app, &id, &edit).await;
        updated.expect("another name");
        let (plan, report) = fixture.run().await.expect("a run");
        assert!(report.is_complete(), "{report:?}");
        let accounts = fixture.sandbox.identity_users();
        let is_created = accounts.iter().any(|account| account.user_name == in_app);
        assert_eq!(is_created, is_provisioned, "{plan}");
        let note = crate::fixture::note(&plan, "user-profile");
        assert_eq!(note.is_none(), is_provisioned, "{plan}");
        if let Some(note) = note {
            let text = "user name in the app: userName contains `;`";
            assert!(note.contains(text), "{note}");
        }
    }
}

#[tokio::test]
async fn a_rename_that_okta_has_not_sent_says_who_cannot_sign_in() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("a run");
    assert_eq!(fixture.failed_checks().await, [""; 0]);
    let login = "person.00002@example.com";
    let id = fixture.sandbox.user_id(login).expect("the user");
    let id = okta_aws_sso::okta::Id::parse(&id).expect("an id");
    let mut edit = okta_aws_sso::okta::Edit::new();
    edit.set_user_name("new@example.com");
    let app = fixture.app().await;
    let updated = fixture.okta.apps().update_user(&app, &id, &edit).await;
    updated.expect("another name");
    let failed = fixture.failed_checks().await;
    let text = "AWS has the user as `person.00002@example.com`, so a sign-in as `new@example.com` (NameID) fails until Okta sends the new name";
    assert!(
        failed.iter().any(|check| check.contains(text)),
        "{failed:?}"
    );
}
