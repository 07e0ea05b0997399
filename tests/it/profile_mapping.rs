//! The step `profile-mapping`, and the users without a display name, which AWS refuses.

use std::{sync::Arc, time::Duration};

use okta_aws_sso::{
    Applied, Blueprint, Cause, Context, Outcome, Plan, Secret, State, Step as _, SystemClock,
    okta::{self, Edit, Id, ListProfileMappings, PropertyPush},
    operator::NoOperator,
    plan::StepId,
    steps,
};
use sandbox::{Fault, Person, Sandbox, SandboxBuilder, Service};
use serde_json::json;

use crate::fixture::{Fixture, SEED, TEAM, company, direct, lines, unindented};

const LOGIN: &str = "hypatia@example.com";
const STEP: &str = "profile-mapping";
const EXPRESSION: &str = r#"user.displayName != null AND user.displayName != "" ? user.displayName : user.firstName + " " + user.lastName"#;

/// A company with a user who has no display name.
fn org() -> SandboxBuilder {
    let person = Person::new(LOGIN, "Hypatia", "Theon").without_display_name();
    Sandbox::builder().company(company().person(person))
}

/// Returns [`SEED`] with the user, with or without the mapping of display names.
fn blueprint(is_mapped: bool) -> String {
    format!("[provisioning]\nassign_users = [\"{LOGIN}\"]\ndisplay_name = {is_mapped}\n{SEED}")
}

async fn mapping(fixture: &Fixture) -> okta::ProfileMapping {
    let to_app = ListProfileMappings {
        target: Some(fixture.app().await.into()),
        ..ListProfileMappings::default()
    };
    let mappings = fixture.okta.profile_mappings();
    let found = mappings.list(to_app).try_collect().await.expect("mappings");
    mappings.get(&found[0].id).await.expect("a mapping")
}

/// Sets or removes the expression for the display name, as an operator does.
async fn map(fixture: &Fixture, expression: Option<&str>, push: &PropertyPush) {
    let mut edit = Edit::new();
    match expression {
        Some(expression) => edit.set_property("displayName", expression, push),
        None => edit.remove_property("displayName"),
    }
    let id = mapping(fixture).await.id;
    let updated = fixture.okta.profile_mappings().update(&id, &edit).await;
    updated.expect("another expression");
}

fn display_name(fixture: &Fixture, login: &str) -> Option<String> {
    let users = fixture.sandbox.identity_users().into_iter();
    let mut users = users.filter(|user| user.user_name == login);
    users.next()?.display_name
}

fn problems(plan: &Plan) -> Vec<String> {
    plan.problems()
        .map(okta_aws_sso::Problem::explain)
        .collect()
}

/// Returns the notes with a code.
fn notes(plan: &Plan, code: &str) -> Vec<String> {
    let notes = plan.steps.iter().flat_map(|step| &step.notes);
    let notes = notes.filter(|note| note.code.as_str() == code);
    notes.map(|note| note.text.clone()).collect()
}

#[tokio::test]
async fn a_user_without_a_display_name_is_refused_by_name_and_arrives_once_it_is_mapped() {
    let mut fixture = Fixture::with_sandbox(org(), &blueprint(false)).await;
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    insta::assert_snapshot!(problems(&plan).join("\n"), @r"
    AWS refuses user `hypatia@example.com`: the user has no display name in Okta, and the app's profile mapping gives none
      while:  planning step app-access
      to do:  fill in displayName in Okta (Directory > People > the user > Profile), or set provisioning.display_name = true in the blueprint, which maps the first and the last name
    ");
    insta::assert_snapshot!(notes(&plan, "display-name").join("\n"), @"AWS requires a display name, and 1 user has none in Okta: hypatia@example.com (AWS refuses hypatia@example.com)");
    let report = pipeline.apply(&plan).await.expect("a report");
    assert!(!report.is_complete());
    assert_eq!(
        fixture.assignments().len(),
        1,
        "the other user has the access"
    );
    let before = mapping(&fixture).await.properties().clone();
    fixture.blueprint = Blueprint::from_toml(&blueprint(true)).expect("a blueprint");
    let (plan, _) = fixture.run().await.expect("a run");
    let step = plan.step(&StepId::new(STEP)).expect("the step");
    insta::assert_snapshot!(unindented(step), @r#"
    ~ profile mapping of the app
    displayName  user.displayName -> user.displayName != null AND user.displayName != "" ? user.displayName : user.firstName + " " + user.lastName
    "#);
    assert_eq!(notes(&plan, "display-name").len(), 1);
    assert_eq!(
        display_name(&fixture, LOGIN).as_deref(),
        Some("Hypatia Theon")
    );
    let ada = display_name(&fixture, "ada.lovelace@example.com");
    assert_eq!(
        ada.as_deref(),
        Some("Ada Lovelace"),
        "a display name is kept"
    );

    let mut after = mapping(&fixture).await.properties().clone();
    let changed = after.remove("displayName").expect("the property");
    assert_eq!(
        (changed.expression.as_str(), changed.push_status),
        (EXPRESSION, PropertyPush::Push)
    );
    let mut untouched = before;
    untouched.remove("displayName");
    assert_eq!(after, untouched);
    let again = fixture.run().await.expect("a second run").0;
    assert!(again.is_empty(), "{again}");
    assert_eq!(fixture.failed_checks().await, [""; 0]);
}

#[tokio::test]
async fn a_user_that_an_operator_assigns_without_a_display_name_is_refused_by_aws_and_by_the_plan()
{
    let fixture = Fixture::with_sandbox(org(), &blueprint(false)).await;
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let _incomplete = pipeline.apply(&plan).await.expect("a report");
    let user = fixture.sandbox.user_id(LOGIN).expect("the user");
    let user = Id::parse(&user).expect("an id");
    let app = fixture.app().await;
    let assigned = fixture.okta.apps().assign_user(&app, &user).await;
    assigned.expect("an assignment");
    fixture.sandbox.advance(Duration::from_mins(5));
    assert_eq!(display_name(&fixture, LOGIN), None);
    assert_eq!(problems(&pipeline.plan().await.expect("a plan")).len(), 1);
}

#[tokio::test]
async fn the_first_run_maps_the_name_before_it_assigns_the_user() {
    let fixture = Fixture::with_sandbox(org(), &blueprint(true)).await;
    let (plan, _) = fixture.run().await.expect("a run");
    assert_eq!(problems(&plan), [""; 0]);
    let step = plan.step(&StepId::new("app-access")).expect("the step");
    insta::assert_snapshot!(unindented(step), @r"
    + user ada.lovelace@example.com assigned to the app
    + user hypatia@example.com assigned to the app
    displayName  (known after profile-mapping)
    ! AWS requires a display name, and 1 user has none in Okta: hypatia@example.com (step profile-mapping maps their first and last name)
    ");
    assert_eq!(
        display_name(&fixture, LOGIN).as_deref(),
        Some("Hypatia Theon")
    );
}

#[tokio::test]
async fn a_member_of_an_assigned_group_is_refused_by_name_too() {
    let sandbox = org();
    let fixture = Fixture::with_sandbox(sandbox, TEAM).await;
    fixture.sandbox.set_group_member("aws-users", LOGIN, true);
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    assert_eq!(problems(&plan).len(), 1, "{plan}");
    let report = pipeline.apply(&plan).await.expect("a report");
    let failed = report
        .results
        .iter()
        .filter(|result| result.outcome.problem().is_some());
    assert_eq!(failed.count(), 0, "{:?}", report.results);
    let waits = report
        .results
        .iter()
        .filter(|result| result.subject.to_string().contains(LOGIN));
    let waits: Vec<_> = waits.map(|result| &result.outcome).collect();
    assert!(
        matches!(waits.as_slice(), [Outcome::Skipped { .. }]),
        "{waits:?}"
    );
}

#[tokio::test]
async fn an_expression_of_an_operator_is_kept_and_trusted() {
    for is_mapped in [false, true] {
        let org = org().display_name_mapping(r#"user.lastName + ", " + user.firstName"#);
        let fixture = Fixture::with_sandbox(org, &blueprint(is_mapped)).await;
        // Before the app exists, its mapping is not known.
        let report = fixture.pipeline().plan().await.expect("a plan");
        assert_eq!(problems(&report).len(), usize::from(!is_mapped));
        let report = fixture.pipeline().apply(&report).await.expect("a report");
        assert_eq!(report.is_complete(), is_mapped);
        let (plan, _) = fixture.run().await.expect("the next run");
        assert_eq!(problems(&plan), [""; 0]);
        assert_eq!(
            notes(&plan, "other-display-name").len(),
            usize::from(is_mapped)
        );
        let name = display_name(&fixture, LOGIN);
        assert_eq!(name.as_deref(), Some("Theon, Hypatia"));
        assert!(fixture.run().await.expect("another run").0.is_empty());
    }
}

#[tokio::test]
async fn users_of_an_app_without_the_attribute_are_not_assigned() {
    let org = org().without_app_display_name();
    let fixture = Fixture::with_sandbox(org, &blueprint(true)).await;
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let report = pipeline.apply(&plan).await.expect("a report");
    let results = report.results.iter();
    let results = results.filter(|result| [STEP, "app-access"].contains(&result.step.as_str()));
    let results: Vec<String> = results
        .map(|result| match &result.outcome {
            Outcome::Failed { problem } => problem.to_string(),
            Outcome::Skipped {
                because: Cause::Subject(subject),
            } => format!("{}: needs {subject}", result.subject),
            _ => result.subject.to_string(),
        })
        .collect();
    let app = fixture.app().await;
    assert_eq!(
        results,
        [
            format!(
                "the users of app {app} have no attribute `displayName`, so no mapping can give them one"
            ),
            "user ada.lovelace@example.com assigned to the app".to_owned(),
            format!("user {LOGIN} assigned to the app: needs profile mapping of the app"),
        ]
    );
}

#[tokio::test]
async fn a_mapping_that_may_not_be_read_stops_nothing() {
    let scopes = [
        "okta.apps.manage",
        "okta.apps.read",
        "okta.groups.manage",
        "okta.groups.read",
        "okta.users.read",
    ];
    let org = org()
        .okta_token_role(scopes)
        .display_name_mapping("user.firstName");
    let fixture = Fixture::with_sandbox(org, &blueprint(false)).await;
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let _report = pipeline.apply(&plan).await.expect("a report");
    let (plan, _) = fixture.run().await.expect("the next run");
    insta::assert_snapshot!(notes(&plan, "display-name").join("\n"), @"AWS requires a display name, and 1 user has none in Okta: hypatia@example.com (the app's profile mapping, which may give them one, could not be read: grant okta.profileMappings.read, or fill in displayName in Okta)");
    assert_eq!(display_name(&fixture, LOGIN).as_deref(), Some("Hypatia"));
}

#[tokio::test]
async fn in_direct_mode_the_run_sends_the_names_itself() {
    let fixture = Fixture::with_sandbox(org(), &direct(&blueprint(true))).await;
    let (plan, _) = fixture.run().await.expect("a run");
    assert!(plan.step(&StepId::new(STEP)).is_none());
    assert_eq!(notes(&plan, "display-name"), [""; 0]);
    assert_eq!(
        display_name(&fixture, LOGIN).as_deref(),
        Some("Hypatia Theon")
    );
    let requests = fixture.sandbox.requests();
    assert!(
        requests
            .iter()
            .all(|request| !request.path.starts_with("/api/v1/mappings"))
    );
}

/// Each kind of expression with and without a name: the plan refuses exactly the users that AWS refuses.
#[tokio::test]
async fn a_user_is_a_problem_exactly_if_aws_refuses_it() {
    let expressions = [
        None,
        Some("user.displayName"),
        Some("source.displayName"),
        Some("user.firstName"),
        Some(EXPRESSION),
    ];
    let names = [None, Some("Hypatia of Alexandria")];
    for is_mapped in [false, true] {
        let mut fixture = Fixture::with_sandbox(org(), SEED).await;
        fixture.run().await.expect("a run without the users");
        for (number, expression) in expressions.into_iter().enumerate() {
            for name in names {
                // Without an expression, users with a display name are refused too. Only the step finds this out: a look at
                // the mapping needs a right, and Okta creates the mapping with an expression.
                if !is_mapped && expression.is_none() && name.is_some() {
                    continue;
                }
                let case = format!("{is_mapped} {expression:?} {name:?}");
                let login = format!("user{number}.{}@example.com", name.is_some());
                let person = Person::new(&login, "Hypatia", "Theon").without_display_name();
                let user = fixture.sandbox.add_user(&person);
                if let Some(name) = name {
                    fixture
                        .sandbox
                        .set_user_attribute(&login, "displayName", name);
                }
                map(&fixture, expression, &PropertyPush::Push).await;
                let text = blueprint(is_mapped).replace(LOGIN, &login);
                fixture.blueprint = Blueprint::from_toml(&text).expect("a blueprint");
                let pipeline = fixture.pipeline();
                let plan = pipeline.plan().await.expect("a plan");
                let report = pipeline.apply(&plan).await.expect("a report");
                assert_eq!(report.is_complete(), problems(&plan).is_empty(), "{case}");

                let (app, user) = (fixture.app().await, Id::parse(&user).expect("an id"));
                let assigned = fixture.okta.apps().assign_user(&app, &user).await;
                assigned.expect("an assignment");
                fixture.sandbox.advance(Duration::from_mins(5));
                let arrived = display_name(&fixture, &login).is_some();
                assert_eq!(problems(&plan).is_empty(), arrived, "{case}: {plan}");
            }
        }
    }
}

/// An org with two types of users has two mappings. The item of a list has no properties.
#[tokio::test]
async fn each_type_of_users_has_a_mapping_and_a_push_status_is_kept() {
    let mut server = mockito::Server::new_async().await;
    let document = |id: &str, property: serde_json::Value| {
        json!({
            "id": id,
            "source": { "id": format!("oty{id}"), "type": "user" },
            "target": { "id": "0oa1", "type": "appuser" },
            "properties": { "displayName": property, "title": { "expression": "user.title", "pushStatus": "PUSH" } },
        })
        .to_string()
    };
    let property =
        |expression: &str, push: &str| json!({ "expression": expression, "pushStatus": push });
    let mut mocks = Vec::new();
    let mut mock =
        |method: &str, path: &str, body: String| server.mock(method, path).with_body(body);
    let list = json!([{ "id": "prm1" }, { "id": "prm2" }, { "id": "prm3" }]).to_string();
    let schema = json!({ "definitions": { "custom": { "properties": { "displayName": { "type": "string" } } } } });
    mocks.push(mock("GET", "/api/v1/mappings?limit=200&targetId=0oa1", list).expect(1));
    mocks.push(mock(
        "GET",
        "/api/v1/meta/schemas/apps/0oa1/default",
        schema.to_string(),
    ));
    for (id, current) in [
        ("prm1", property("user.displayName", "DONT_PUSH")),
        ("prm2", json!(null)),
        ("prm3", property("user.nickName", "PUSH")),
    ] {
        mocks.push(mock(
            "GET",
            &format!("/api/v1/mappings/{id}"),
            document(id, current),
        ));
    }
    for (id, push) in [("prm1", "DONT_PUSH"), ("prm2", "PUSH")] {
        let new = property(EXPRESSION, push);
        let body = mockito::Matcher::Json(json!({ "properties": { "displayName": new } }));
        let path = format!("/api/v1/mappings/{id}");
        mocks.push(
            mock("POST", &path, document(id, new))
                .match_body(body)
                .expect(1),
        );
    }
    let mut created = Vec::new();
    for mock in mocks {
        created.push(mock.create_async().await);
    }
    let okta = okta::Client::builder(&server.url(), Secret::new("token")).build();
    let step = steps::ProfileMapping::new(&okta.expect("a client"));
    let mut facts = State::new().facts;
    facts.app = Some(Id::parse("0oa1").expect("an id"));
    let cx = Context::new(facts, Arc::new(NoOperator), Arc::new(SystemClock));
    let planned = step.plan(&cx).await.expect("a plan");
    let [change] = planned.changes.as_slice() else {
        panic!("{planned:?}");
    };
    assert_eq!(
        change.fields[0].to_string(),
        format!("no expression or user.displayName -> {EXPRESSION}")
    );
    assert_eq!(planned.notes.len(), 1, "{planned:?}");
    assert_eq!(
        step.apply(change, &cx).await.expect("a change"),
        Applied::Done
    );
    for mock in created {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_property_without_an_expression_is_added() {
    let mut fixture = Fixture::with_sandbox(org(), SEED).await;
    fixture.run().await.expect("a run");
    map(&fixture, None, &PropertyPush::Push).await;
    fixture.blueprint = Blueprint::from_toml(&blueprint(true)).expect("a blueprint");
    let plan = fixture.run().await.expect("a run").0;
    assert_eq!(lines(&plan, STEP), ["update profile mapping of the app"]);
    let step = plan.step(&StepId::new(STEP)).expect("the step");
    assert_eq!(step.changes[0].fields[0].to_string(), EXPRESSION);
    assert_eq!(
        display_name(&fixture, LOGIN).as_deref(),
        Some("Hypatia Theon")
    );
}

#[tokio::test]
async fn an_expression_that_okta_accepts_and_does_not_set_is_a_failure() {
    let mut fixture = Fixture::with_sandbox(org(), SEED).await;
    fixture.run().await.expect("a run");
    let unchanged = mapping(&fixture).await.raw().as_str().to_owned();
    let ignored = Fault::answer(Service::Okta, 200, &[], unchanged, false);
    fixture.sandbox.inject(ignored.on("/mappings/").on_writes());
    fixture.blueprint = Blueprint::from_toml(&blueprint(true)).expect("a blueprint");
    let error = fixture.run().await.expect_err("the expression is not set");
    let text = error.to_string();
    assert!(
        text.starts_with("Okta accepted the expression for displayName of profile mapping prm")
            && text.ends_with(" but returns user.displayName"),
        "{text}"
    );
    assert_eq!(display_name(&fixture, LOGIN), None);
}

#[tokio::test]
async fn a_user_that_aws_has_already_needs_no_display_name_in_okta() {
    let mut fixture = Fixture::with_sandbox(org(), &blueprint(true)).await;
    fixture.run().await.expect("a run");
    map(&fixture, Some("user.displayName"), &PropertyPush::Push).await;
    fixture.blueprint = Blueprint::from_toml(&blueprint(false)).expect("a blueprint");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(problems(&plan), [""; 0]);
    assert_eq!(notes(&plan, "display-name"), [""; 0]);
}
