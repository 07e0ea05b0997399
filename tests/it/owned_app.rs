//! Ownership of the app's assignments and pushed groups: what a run removes of them, and what stays.

use std::time::Duration;

use okta_aws_sso::{
    ErrorKind, Guard, Outcome, Plan, Report,
    plan::{Action, Hazard},
};
use rest_core::Clock as _;
use sandbox::{Company, Fault, Sandbox};

use crate::fixture::{Fixture, TEAM, direct, lines, note};

const STEP: &str = "app-access";

/// [`TEAM`] with one more group and one more user of the app, and one more pushed group.
fn with_more() -> String {
    TEAM.replace(
        "assign_groups = [\"aws-users\"]",
        "assign_groups = [\"aws-users\", \"guests\"]\nassign_users = [\"person.00003@example.com\"]\npush_groups = [\"readers\"]",
    )
}

fn owned(mode: &str, text: &str) -> String {
    format!("[ownership]\napp_assignments = \"{mode}\"\npushed_groups = \"{mode}\"\n{text}")
}

async fn with(text: &str) -> Fixture {
    let company = Company::small(4, 3)
        .team("deployers", &["person.00002@example.com"])
        .team("guests", &["guest@example.com"])
        .team("others", &["other@example.com"])
        .team("readers", &["person.00002@example.com"])
        .person(sandbox::Person::new("guest@example.com", "Gil", "Guest"))
        .person(sandbox::Person::new("other@example.com", "Ola", "Other"))
        .person(sandbox::Person::new("extra@example.com", "Eva", "Extra"));
    let sandbox = Sandbox::builder().company(company);
    Fixture::with_sandbox(sandbox, text).await
}

async fn applied(mode: &str) -> Fixture {
    let fixture = with(&owned(mode, &with_more())).await;
    fixture.run().await.expect("a run");
    fixture
}

impl Fixture {
    /// Assigns a user to the app by hand.
    async fn assign_by_hand(&self, login: &str) {
        let user = self.sandbox.user_id(login).expect("a user");
        let user = okta_aws_sso::okta::Id::parse(user).expect("an id");
        let assigned = self.okta.apps().assign_user(&self.app().await, &user).await;
        assigned.expect("an assignment");
    }

    /// Assigns a group to the app by hand.
    async fn assign_group_by_hand(&self, name: &str) {
        let group = self.sandbox.group_id(name).expect("a group");
        let group = okta_aws_sso::okta::Id::parse(group).expect("an id");
        let assigned = self
            .okta
            .apps()
            .assign_group(&self.app().await, &group)
            .await;
        assigned.expect("an assignment");
    }

    async fn report_of_approved(&self, plan: &Plan) -> Report {
        let approved = Guard {
            approved: plan.removals_id().into_iter().collect(),
            ..Guard::default()
        };
        let report = self.pipeline().guard(approved).apply(plan).await;
        report.expect("a report")
    }

    async fn assigned_users(&self) -> usize {
        let users = self
            .okta
            .apps()
            .users(&self.app().await)
            .try_collect()
            .await;
        users.expect("users").len()
    }
}

fn removals(plan: &Plan) -> Vec<String> {
    let mut removals: Vec<String> = plan
        .removals()
        .map(|(_, change)| change.to_string())
        .collect();
    removals.sort();
    removals
}

const OF_RUN: [&str; 3] = [
    "remove group guests assigned to the app",
    "remove group readers pushed to AWS",
    "remove user person.00003@example.com assigned to the app",
];

#[tokio::test]
async fn managed_removes_what_it_made_in_the_app_and_keeps_the_group_in_aws() {
    let mut fixture = applied("managed").await;
    fixture.assign_by_hand("extra@example.com").await;
    fixture.assign_group_by_hand("others").await;
    fixture.set_blueprint(&owned("managed", TEAM));
    let plan = fixture.plan().await;
    // The user is also in the group `aws-users`, so Okta keeps the app for them.
    let (users, kept) = (&OF_RUN[..2], note(&plan, "assigned-twice"));
    assert_eq!(removals(&plan), users, "{plan}");
    assert!(kept.expect("a note").contains("aws-users"), "{plan}");
    let text = plan.to_string();
    assert!(
        text.contains("1 user can lose the app with it: Okta then deactivates them in AWS"),
        "{text}"
    );
    assert!(text.contains("the group in AWS stays"), "{text}");
    let report = fixture.report_of_approved(&plan).await;
    assert!(report.is_complete(), "{report:?}");
    fixture.clock.sleep(Duration::from_mins(1)).await;
    let groups = fixture.sandbox.identity_groups();
    assert!(groups.iter().any(|group| group.display_name == "readers"));
    let users = fixture.sandbox.identity_users();
    let guest = users
        .iter()
        .find(|user| user.user_name == "guest@example.com");
    assert!(
        !guest.expect("a user").active,
        "Okta has deactivated the user"
    );
    let plan = fixture.plan().await;
    assert!(plan.is_empty(), "{plan}");
}

#[tokio::test]
async fn add_removes_nothing_of_the_app() {
    let mut fixture = applied("add").await;
    fixture.set_blueprint(&owned("add", TEAM));
    let plan = fixture.plan().await;
    assert!(plan.is_empty(), "{plan}");
    // A later run that owns the app knows what the earlier one has made.
    fixture.set_blueprint(&owned("managed", TEAM));
    assert_eq!(removals(&fixture.plan().await), OF_RUN[..2]);
}

#[tokio::test]
async fn exclusive_removes_what_others_made_and_never_a_user_of_a_group() {
    let mut fixture = applied("exclusive").await;
    fixture.assign_by_hand("extra@example.com").await;
    fixture.assign_group_by_hand("others").await;
    let [extra, others] = [
        "remove user extra@example.com assigned to the app",
        "remove group others assigned to the app",
    ];
    let plan = fixture.plan().await;
    assert_eq!(removals(&plan), [others, extra], "{plan}");
    for (protect, expected) in [
        ("users = [\"extra@*\"]", others),
        ("groups = [\"OTHERS\"]", extra),
    ] {
        let text = owned("exclusive", &with_more());
        fixture.set_blueprint(&format!("{text}\n[protect]\n{protect}\n"));
        let plan = fixture.plan().await;
        assert_eq!(removals(&plan), [expected], "{protect}");
        assert!(note(&plan, "protected-in-app").is_some(), "{plan}");
    }
    let before = fixture.assigned_users().await;
    fixture.set_blueprint(&owned("exclusive", &with_more()));
    let plan = fixture.plan().await;
    let report = fixture.report_of_approved(&plan).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(fixture.assigned_users().await, before - 2);
}

#[tokio::test]
async fn nothing_is_removed_from_the_app_while_a_name_of_the_blueprint_is_unknown_in_okta() {
    let mut fixture = applied("managed").await;
    let misspelt = with_more().replace("\"guests\"", "\"gusets\"");
    fixture.set_blueprint(&owned("managed", &misspelt));
    let plan = fixture.plan().await;
    assert_eq!(removals(&plan), [""; 0], "{plan}");
    let text = note(&plan, "app-removals-held").expect("a note");
    assert!(
        text.ends_with("Okta does not have what it names: group gusets"),
        "{text}"
    );
}

#[tokio::test]
async fn a_removal_is_skipped_if_the_assignment_that_may_replace_it_fails() {
    let mut fixture = applied("managed").await;
    let other = with_more().replace("\"guests\"", "\"others\"");
    fixture.set_blueprint(&owned("managed", &other));
    let plan = fixture.plan().await;
    assert_eq!(removals(&plan), OF_RUN[..1], "{plan}");
    let refused = Fault::okta_error(403, "E0000006", "You do not have permission");
    fixture.sandbox.inject(refused.on("/groups/").on_writes());
    let report = fixture.report_of_approved(&plan).await;
    let skipped = report.results.iter().filter(|result| {
        result.action == Action::Remove && matches!(result.outcome, Outcome::Skipped { .. })
    });
    assert_eq!(skipped.count(), 1, "{report:?}");
    // The ledger does not have the assignment that failed, and the next run makes both changes.
    let (plan, report) = {
        let plan = fixture.plan().await;
        let report = fixture.report_of_approved(&plan).await;
        (plan, report)
    };
    assert!(report.is_complete(), "{plan} {report:?}");
}

#[tokio::test]
async fn no_removal_is_planned_while_the_lists_of_the_app_cannot_be_read() {
    let fixture = applied("exclusive").await;
    fixture.assign_by_hand("extra@example.com").await;
    for list in ["/users ", "/groups ", "/group-push/mappings "] {
        let refused = Fault::okta_error(403, "E0000006", "You do not have permission");
        fixture
            .sandbox
            .inject(refused.on(format!("{}{list}", fixture.app().await)));
        let plan = fixture.plan().await;
        assert_eq!(removals(&plan), [""; 0], "{list}: {plan}");
        assert!(plan.problems().count() > 0, "{list}: {plan}");
        assert!(!plan.complete, "{list}");
    }
}

#[tokio::test]
async fn the_last_administrator_of_an_account_keeps_the_app() {
    // One user is the administrator of the account, and has the app through the group `aws-users` alone.
    let admins = "\n[[access]]\ngroup = \"readers\"\naccount = \"Workload 0003\"\npermission_set = \"AdministratorAccess\"\n";
    let text = owned("managed", &format!("{TEAM}{admins}"));
    let mut fixture = with(&text).await;
    fixture.run().await.expect("a run");
    fixture.set_blueprint(&text.replace("assign_groups = [\"aws-users\"]", ""));
    let plan = fixture.plan().await;
    assert_eq!(
        removals(&plan),
        ["remove group aws-users assigned to the app"],
        "{plan}"
    );
    let account = fixture.account("Workload 0003").await;
    let hazards: Vec<&Hazard> = plan.hazards().collect();
    let expected = Hazard::LastAdministrator {
        account: account.as_str().into(),
    };
    assert_eq!(hazards, [&expected], "{plan}");
    let approved = Guard {
        approved: plan.removals_id().into_iter().collect(),
        ..Guard::default()
    };
    let refused = fixture.pipeline().guard(approved).apply(&plan).await;
    assert_eq!(
        refused.expect_err("a hazard").kind(),
        ErrorKind::GuardRejected
    );
}

#[tokio::test]
async fn an_empty_list_of_the_app_is_refused() {
    let mut fixture = applied("exclusive").await;
    let nobody = "[sign_in]\nskip = true\n";
    fixture.set_blueprint(&owned("exclusive", nobody));
    let plan = fixture.plan().await;
    let all = [
        "remove group aws-users assigned to the app",
        "remove group deployers pushed to AWS",
        "remove group guests assigned to the app",
        "remove group readers pushed to AWS",
        "remove user ada.lovelace@example.com assigned to the app",
        "remove user person.00003@example.com assigned to the app",
    ];
    assert_eq!(removals(&plan), all, "{plan}");
    let refused = fixture.pipeline().apply(&plan).await;
    assert_eq!(
        refused.expect_err("removals").kind(),
        ErrorKind::GuardRejected
    );
    let before = fixture.assigned_users().await;
    assert_eq!(before, 5);
}

#[tokio::test]
async fn direct_mode_owns_the_assignments_too() {
    let text = direct(&owned("managed", &with_more()));
    let mut fixture = with(&text).await;
    fixture.run().await.expect("a run");
    fixture.set_blueprint(&direct(&owned("managed", TEAM)));
    let plan = fixture.plan().await;
    let of_app: Vec<String> = lines(&plan, STEP);
    assert_eq!(of_app, [OF_RUN[0]], "{plan}");
    assert!(
        plan.to_string()
            .contains("they can then not sign in to AWS"),
        "{plan}"
    );
}

#[tokio::test]
async fn what_was_found_in_the_app_is_removed_only_after_its_adoption() {
    let mut fixture = applied("managed").await;
    fixture.assign_by_hand("extra@example.com").await;
    let with_extra = TEAM.replace(
        "assign_groups",
        "assign_users = [\"extra@example.com\"]\nassign_groups",
    );
    fixture.set_blueprint(&owned("add", &with_extra));
    fixture.run().await.expect("a run");
    fixture.set_blueprint(&owned("managed", &with_more()));
    assert_eq!(
        removals(&fixture.plan().await),
        [""; 0],
        "found, and not made"
    );
    let adopt = owned("managed", &with_extra).replace("[ownership]", "[ownership]\nadopt = true");
    fixture.set_blueprint(&adopt);
    let plan = fixture.plan().await;
    let adopted = "adopt user extra@example.com assigned to the app".to_owned();
    assert!(lines(&plan, STEP).contains(&adopted), "{plan}");
    let report = fixture.report_of_approved(&plan).await;
    assert!(report.is_complete(), "{report:?}");
    fixture.set_blueprint(&owned("managed", TEAM));
    let removed = "remove user extra@example.com assigned to the app".to_owned();
    assert!(removals(&fixture.plan().await).contains(&removed));
}
