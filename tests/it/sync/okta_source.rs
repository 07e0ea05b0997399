//! Tests of Okta as the source: the mapping of attributes, and the names that users sign in with.

use std::sync::Arc;

use okta_aws_sso::{
    Blueprint, ResolvedScope,
    okta::{App, Client, Id, User},
    sync::{DirectorySync, OktaSource},
};
use sandbox::{Company, IdentityUser, Person, Sandbox};

use super::{attributes::full_person, fixture::SyncFixture};
use crate::fixture::{ALL_ATTRIBUTES, set_user_name_template};

const LOGIN: &str = "full@example.com";

struct Org {
    fixture: SyncFixture,
    okta: Client,
}

impl Org {
    async fn new(person: Person) -> Self {
        let company = Company::small(3, 3).person(person);
        let fixture = SyncFixture::with_sandbox(Sandbox::builder().company(company)).await;
        let okta = fixture.okta();
        Self { fixture, okta }
    }

    fn sync(&self, provisioning: &str) -> DirectorySync {
        self.sync_user(LOGIN, provisioning)
    }

    fn sync_user(&self, login: &str, provisioning: &str) -> DirectorySync {
        let blueprint = blueprint(login, provisioning);
        DirectorySync::new(OktaSource::new(&self.okta, &blueprint), &self.fixture.scim)
            .store(self.fixture.store.clone())
            .clock(Arc::new(self.fixture.clock.clone()))
    }

    async fn app(&self) -> App {
        let apps = self.okta.apps().by_label("AWS IAM Identity Center").await;
        apps.expect("apps").remove(0)
    }

    async fn set_template(&self, template: &str) {
        set_user_name_template(&self.okta, self.app().await.id(), template).await;
    }

    async fn assign(&self) {
        let user: Id<User> = self.user_id();
        let app = self.app().await;
        let assigned = self.okta.apps().assign_user(app.id(), &user).await;
        assigned.expect("an assignment");
    }

    fn user_id(&self) -> Id<User> {
        let id = self.fixture.sandbox.user_id(LOGIN).expect("the user");
        Id::parse(&id).expect("an id")
    }

    fn account(&self) -> Option<IdentityUser> {
        let external_id = self.fixture.sandbox.user_id(LOGIN);
        let mut users = self.fixture.sandbox.identity_users().into_iter();
        users.find(|user| user.external_id == external_id)
    }
}

fn blueprint(login: &str, provisioning: &str) -> Blueprint {
    let text = format!("[provisioning]\nassign_users = [\"{login}\"]\n{provisioning}");
    Blueprint::from_toml(&text).expect("a blueprint")
}

/// The paths in SCIM of the attributes of Okta's default profile.
const PATHS: [(&str, &str); ALL_ATTRIBUTES.len()] = [
    ("streetAddress", "addresses.streetAddress"),
    ("city", "addresses.locality"),
    ("state", "addresses.region"),
    ("zipCode", "addresses.postalCode"),
    ("countryCode", "addresses.country"),
    ("postalAddress", "addresses.formatted"),
    ("costCenter", "enterprise.costCenter"),
    ("department", "enterprise.department"),
    ("division", "enterprise.division"),
    ("employeeNumber", "enterprise.employeeNumber"),
    ("managerId", "enterprise.manager.value"),
    ("organization", "enterprise.organization"),
    ("locale", "locale"),
    ("honorificPrefix", "name.honorificPrefix"),
    ("honorificSuffix", "name.honorificSuffix"),
    ("middleName", "name.middleName"),
    ("nickName", "nickName"),
    ("primaryPhone", "phoneNumbers.value"),
    ("preferredLanguage", "preferredLanguage"),
    ("profileUrl", "profileUrl"),
    ("timezone", "timezone"),
    ("title", "title"),
    ("userType", "userType"),
];

#[tokio::test]
async fn all_attributes_of_oktas_default_profile_are_written_and_the_blueprint_can_map_others() {
    let person = full_person(LOGIN).with_attribute("mobilePhone", "+44 7700 900000");
    let org = Org::new(person).await;
    org.assign().await;
    org.fixture.run(&org.sync("")).await;
    let account = org.account().expect("the account");
    for ((name, path), (_, value)) in PATHS.into_iter().zip(ALL_ATTRIBUTES) {
        assert_eq!(account.attribute(path), Some(value), "{name}");
    }
    let mapped = org.sync(
        "attributes = { phone = \"mobilePhone\", manager = \"\", role = \"costCenter\", nick_name = \"nickname\" }",
    );
    let plan = mapped.plan().await.expect("a plan");
    assert_eq!(
        plan.notes,
        [
            "no user has the attribute nickname in Okta, which provisioning.attributes.nick_name names"
        ]
    );
    org.fixture.run(&mapped).await;
    let account = org.account().expect("the account");
    for (path, value) in [
        ("phoneNumbers.value", Some("+44 7700 900000")),
        ("enterprise.manager.value", None),
        ("roles.value", Some("1815")),
        ("nickName", None),
        ("title", Some("Countess")),
    ] {
        assert_eq!(account.attribute(path), value, "{path}");
    }
    assert!(mapped.plan().await.expect("a plan").is_empty());
}

#[tokio::test]
async fn a_user_gets_the_name_that_okta_will_send_and_no_account_while_it_is_unknown() {
    let person = Person::new(LOGIN, "Full", "Person");
    let org = Org::new(person).await;
    let email = "mail@example.com";
    org.fixture
        .sandbox
        .set_user_attribute(LOGIN, "email", email);
    org.set_template("${fn:substringBefore(source.email, \"@\")}")
        .await;
    let plan = org.sync("").plan().await.expect("a plan");
    assert!(plan.is_empty(), "{plan}");
    let skipped = &plan.skipped[0];
    assert_eq!(skipped.name, LOGIN);
    assert!(
        skipped
            .reason
            .contains("assign the user to the app, then run again"),
        "{}",
        skipped.reason
    );
    org.set_template("${source.email}").await;
    let plan = org.sync("").plan().await.expect("a plan");
    assert_eq!(
        plan.notes,
        [
            "not assigned to the app: full@example.com (1 user); they cannot sign in, and their user names are those of a new assignment: assign them"
        ]
    );
    org.fixture.run(&org.sync("")).await;
    assert_eq!(org.account().expect("the account").user_name, email);
    org.assign().await;
    let plan = org.sync("").plan().await.expect("a plan");
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(plan.notes, [""; 0]);
}

#[tokio::test]
async fn a_login_that_aws_refuses_is_no_problem_where_the_app_sends_another_name() {
    const WITH_SPACE: &str = "full person@example.com";
    const EMAIL: &str = "mail@example.com";
    let org = Org::new(Person::new(WITH_SPACE, "Full", "Person")).await;
    let sandbox = &org.fixture.sandbox;
    sandbox.set_user_attribute(WITH_SPACE, "email", EMAIL);
    let app = org.app().await;
    let blueprint = blueprint(WITH_SPACE, "");
    for (template, is_problem) in [
        ("${source.login}", true),
        ("${source.email}", false),
        // Only Okta knows what it will send.
        ("${fn:substringBefore(source.email, \"@\")}", false),
    ] {
        org.set_template(template).await;
        let scope = ResolvedScope::read(&org.okta, &blueprint, Some(app.id())).await;
        let problems = scope.expect("a scope").problems;
        assert_eq!(!problems.is_empty(), is_problem, "{template}: {problems:?}");
    }
    org.set_template("${source.email}").await;
    org.fixture.run(&org.sync_user(WITH_SPACE, "")).await;
    let users = sandbox.identity_users();
    let names: Vec<&str> = users.iter().map(|user| &*user.user_name).collect();
    assert!(names.contains(&EMAIL), "{names:?}");
}

#[tokio::test]
async fn without_an_app_the_plan_says_that_the_names_are_the_logins() {
    let org = Org::new(Person::new(LOGIN, "Full", "Person")).await;
    let sync = org.sync("[okta]\napp_label = \"Another\"\n");
    let plan = sync.plan().await.expect("a plan");
    assert!(
        plan.notes[0].starts_with("Okta has no app `Another`, so the user names are the logins"),
        "{plan}"
    );
}
