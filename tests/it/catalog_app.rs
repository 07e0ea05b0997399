//! Tests of the Okta app: its creation, what Okta refuses about it, its status, and several apps of one label.

use std::sync::Arc;

use okta_aws_sso::{
    ErrorKind, Outcome, Plan, okta,
    operator::{ManualStepKind, NoOperator},
    plan::{StepId, Value},
};
use sandbox::{AppCreation, Sandbox, SandboxBuilder};

use crate::fixture::{Fixture, SEED, company};

fn org() -> SandboxBuilder {
    Sandbox::builder().company(company())
}

/// Returns the number of requests that have created an app.
fn creations(fixture: &Fixture) -> usize {
    let writes = fixture.sandbox.writes();
    let creations = writes.iter().filter(|write| {
        write.method == "POST" && write.path == "/api/v1/apps" && write.status == Some(200)
    });
    creations.count()
}

fn step<'a>(plan: &'a Plan, step: &'static str) -> &'a okta_aws_sso::plan::StepPlan {
    plan.step(&StepId::new(step)).expect("the step")
}

#[tokio::test]
async fn a_new_app_has_placeholders_until_the_urls_of_aws_are_known() {
    for creation in [AppCreation::Accepted, AppCreation::NeedsSettings] {
        let fixture = Fixture::with_sandbox(org().app_creation(creation), SEED).await;
        let (plan, _) = fixture.run().await.expect("the first run");
        assert_eq!(creations(&fixture), 1);
        let [create] = step(&plan, "catalog-app").changes.as_slice() else {
            panic!("{plan}");
        };
        assert_eq!(
            create.known("acsURL"),
            Some("https://unset.invalid/acs (until saml-settings)")
        );
        let [settings] = step(&plan, "saml-settings").changes.as_slice() else {
            panic!("{plan}");
        };
        for field in &settings.fields {
            assert_eq!(field.before, Value::Absent, "a placeholder is no value");
        }
        let app = fixture.okta.apps().get(&fixture.app().await).await;
        let app = app.expect("the app");
        for key in ["acsURL", "entityID"] {
            assert!(
                app.setting(key).expect(key).contains(".signin.aws"),
                "{app:?}"
            );
        }
        assert!(fixture.run().await.expect("a second run").0.is_empty());
    }
}

#[tokio::test]
async fn an_app_that_the_api_refuses_is_added_in_the_console_and_adopted() {
    let sandbox = org().app_creation(AppCreation::Refused);
    let mut fixture = Fixture::with_sandbox(sandbox, SEED).await;
    let asked = fixture.watch_operator(|_| false);
    fixture.run().await.expect("the first run");
    assert_eq!(creations(&fixture), 0);
    assert_eq!(fixture.sandbox.app_count("amazon_aws_sso"), 1);
    assert_eq!(fixture.assignments().len(), 1);
    let asked = asked.lock().expect("a lock");
    assert_eq!(asked[0].kind, ManualStepKind::CatalogApp);
    let warning = &asked[0].warnings[0];
    assert!(
        warning.contains("POST /api/v1/apps: 400 E0000001"),
        "{warning}"
    );
}

#[tokio::test]
async fn without_an_operator_the_run_says_how_to_add_the_refused_app_and_the_next_run_adopts_it() {
    let sandbox = org().app_creation(AppCreation::Refused);
    let mut fixture = Fixture::with_sandbox(sandbox, SEED).await;
    let operator = std::mem::replace(&mut fixture.operator, Arc::new(NoOperator));
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let report = pipeline.apply(&plan).await.expect("a report");
    let Outcome::WaitsForOperator { problem } = &report.results[0].outcome else {
        panic!("{:?}", report.results[0]);
    };
    let help = &problem.help;
    assert!(
        help.contains("choose Add Integration") && help.contains("400 E0000001"),
        "{help}"
    );
    let console = fixture.sandbox.console();
    console
        .add_application("AWS IAM Identity Center")
        .expect("an app");
    fixture.operator = operator;
    let (plan, _) = fixture.run().await.expect("the rest");
    assert_eq!(
        step(&plan, "catalog-app").changes[0].to_string(),
        "adopt app \"AWS IAM Identity Center\""
    );
}

#[tokio::test]
async fn an_app_that_the_operator_has_not_added_is_asked_for_by_its_label() {
    let sandbox = org().app_creation(AppCreation::Refused);
    let mut fixture = Fixture::with_sandbox(sandbox, SEED).await;
    let _asked =
        fixture.watch_operator(|manual_step| manual_step.kind == ManualStepKind::CatalogApp);
    let error = fixture.run().await.expect_err("no app");
    assert_eq!(error.kind(), ErrorKind::InvalidAnswer);
    assert_eq!(
        error.to_string(),
        "Okta still has no app \"AWS IAM Identity Center\""
    );
}

#[tokio::test]
async fn defaults_that_okta_adds_to_the_app_do_not_stop_the_run() {
    let fixture = Fixture::with_sandbox(org().app_defaults(true), SEED).await;
    fixture.run().await.expect("the first run");
    let app = fixture.okta.apps().get(&fixture.app().await).await;
    let app = app.expect("the app");
    let seats = app
        .raw()
        .get("/licensing/seatCount")
        .expect("a default of Okta");
    assert_eq!(seats.as_str(), "0");
    assert!(fixture.run().await.expect("a second run").0.is_empty());
}

#[tokio::test]
async fn several_apps_of_one_label_are_a_problem_with_their_ids_and_the_id_selects_one() {
    let mut fixture = Fixture::with_sandbox(org(), SEED).await;
    let console = fixture.sandbox.console();
    let label = "AWS IAM Identity Center";
    let [first, second] = [0, 1].map(|_| console.add_application(label).expect("an app"));
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let [problem] = step(&plan, "catalog-app").problems.as_slice() else {
        panic!("{plan}");
    };
    assert_eq!(
        problem.message,
        format!("Okta has 2 apps amazon_aws_sso with the label `{label}`: {first}, {second}")
    );
    let help = &problem.help;
    assert!(help.contains(&format!("app_id = \"{first}\"")), "{help}");
    for id in [first, second] {
        fixture.blueprint.okta.app_id = Some(id.clone());
        let plan = fixture.pipeline().plan().await.expect("a plan");
        let [adopt] = step(&plan, "catalog-app").changes.as_slice() else {
            panic!("{plan}");
        };
        assert_eq!(adopt.known("id"), Some(&*id));
    }
}

#[tokio::test]
async fn the_id_of_an_app_of_another_catalog_entry_is_a_problem() {
    let mut fixture = Fixture::with_sandbox(org(), SEED).await;
    let bookmark = okta::NewApp {
        name: "bookmark".to_owned(),
        label: "Wiki".to_owned(),
        sign_on_mode: "BOOKMARK".to_owned(),
        ..okta::NewApp::default()
    };
    let app = fixture.okta.apps().create(&bookmark).await;
    let id = app.expect("an app").id().to_string();
    fixture.blueprint.okta.app_id = Some(id.clone());
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let [problem] = step(&plan, "catalog-app").problems.as_slice() else {
        panic!("{plan}");
    };
    assert_eq!(
        problem.message,
        format!(
            "okta.app_id {id} of the blueprint: the app is of the catalog entry bookmark, not amazon_aws_sso"
        )
    );
}

#[tokio::test]
async fn an_inactive_app_is_activated_by_the_plan_and_its_metadata_is_known_afterwards() {
    let fixture = Fixture::with_sandbox(org(), SEED).await;
    let console = fixture.sandbox.console();
    let id = console.add_application("AWS IAM Identity Center");
    let id = okta::Id::parse(id.expect("an app")).expect("an id");
    fixture
        .okta
        .apps()
        .deactivate(&id)
        .await
        .expect("an inactive app");
    let (plan, _) = fixture.run().await.expect("the first run");
    let changes: Vec<String> = step(&plan, "catalog-app")
        .changes
        .iter()
        .map(ToString::to_string)
        .collect();
    let app = "app \"AWS IAM Identity Center\"";
    assert_eq!(changes, [format!("adopt {app}"), format!("update {app}")]);
    let [metadata] = step(&plan, "idp-metadata").changes.as_slice() else {
        panic!("{plan}");
    };
    let after: Vec<&Value> = metadata.fields.iter().map(|field| &field.after).collect();
    assert_eq!(after, [&Value::AfterApply(StepId::new("catalog-app")); 3]);
    assert!(fixture.run().await.expect("a second run").0.is_empty());
}

#[tokio::test]
async fn a_name_id_that_is_not_the_user_name_of_the_assignment_is_a_problem() {
    let fixture = Fixture::with_sandbox(org(), SEED).await;
    fixture.run().await.expect("the first run");
    let id = fixture.app().await;
    let app = fixture.okta.apps().get(&id).await.expect("the app");
    let mut document = app.raw().to_value().expect("JSON");
    document["settings"]["signOn"]["subjectNameIdTemplate"] = "${user.email}".into();
    let answer = sandbox::Fault::fail(sandbox::Service::Okta, 200, document.to_string());
    fixture
        .sandbox
        .inject(answer.on(format!("GET /api/v1/apps/{id}")));
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let problems = &step(&plan, "catalog-app").problems;
    assert!(
        problems[0]
            .message
            .contains("sends `${user.email}` as NameID"),
        "{problems:?}"
    );
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert!(plan.is_empty(), "{plan}");
}
