//! The scopes that a plan needs, compared with the requests of its run.

use std::collections::BTreeSet;

use okta_aws_sso::{okta::rights::operation, rights};
use sandbox::{Person, Sandbox, Service};

use crate::{
    contract,
    fixture::{Fixture, SEED, TEAM, WITH_DOMAIN, company},
};

/// Returns the scopes of the requests that Okta got since the request with this number.
fn used(fixture: &Fixture, since: usize) -> BTreeSet<&'static str> {
    let requests = fixture.sandbox.requests().into_iter().skip(since);
    requests
        .filter(|request| request.service == Service::Okta)
        .flat_map(|request| {
            let known = operation(&request.method, &request.path);
            let known = known.unwrap_or_else(|| panic!("{} {}", request.method, request.path));
            known.scopes().iter().copied()
        })
        .collect()
}

#[tokio::test]
async fn a_plan_names_the_scopes_of_all_requests_of_its_run_and_no_others() {
    let unnamed = Person::new("new@example.com", "New", "User").without_display_name();
    let org = || Sandbox::builder().company(company().person(unnamed.clone()));
    let with_unnamed = format!("[provisioning]\nassign_users = [\"new@example.com\"]\n{SEED}");
    let mapped = with_unnamed.replace("[provisioning]", "[provisioning]\ndisplay_name = true");
    for blueprint in [
        SEED.to_owned(),
        TEAM.to_owned(),
        format!("{WITH_DOMAIN}{TEAM}"),
        contract::blueprint(false),
        mapped,
    ] {
        let fixture = Fixture::with_sandbox(org(), &blueprint).await;
        let (plan, _) = fixture.run().await.expect("a run");
        fixture.pipeline().verify().await.expect("a verification");
        // All arrive, so the run makes no use of the optional scopes.
        assert_eq!(
            used(&fixture, 0),
            rights::required_scopes(&plan),
            "{blueprint}"
        );

        let before = fixture.sandbox.requests().len();
        let plan = fixture.pipeline().plan().await.expect("a plan");
        assert!(plan.is_empty(), "{plan}");
        let scopes = rights::required_scopes(&plan);
        assert_eq!(used(&fixture, before), scopes, "{blueprint}");
        assert!(
            scopes
                .iter()
                .all(|scope| scope.strip_suffix(".read").is_some()),
            "{scopes:?}"
        );
    }
}

/// A run without the mapping of display names reads the mapping only to find out whether AWS refuses a user.
#[tokio::test]
async fn the_profile_mapping_is_read_only_for_users_without_a_display_name() {
    let unnamed = Person::new("new@example.com", "New", "User").without_display_name();
    let blueprint = format!("[provisioning]\nassign_users = [\"new@example.com\"]\n{SEED}");
    let org = Sandbox::builder().company(company().person(unnamed));
    let fixture = Fixture::with_sandbox(org, &blueprint).await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let _report = fixture.pipeline().apply(&plan).await.expect("a report");
    let scopes = rights::required_scopes(&plan);
    assert_eq!(used(&fixture, 0), scopes);
    assert!(scopes.contains("okta.profileMappings.read"), "{scopes:?}");
}

#[test]
fn the_page_about_rights_lists_the_scopes_of_each_step() {
    let page = include_str!("../../docs/OKTA_RIGHTS.md");
    let listed = |scopes: &BTreeSet<&str>| -> String {
        let scopes: Vec<String> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
        scopes.join(", ")
    };
    let rows: Vec<String> = rights::steps()
        .iter()
        .map(|step| {
            let row = format!(
                "| `{}` | {} | {} | {} |",
                step.step,
                listed(&step.plan),
                listed(&step.apply),
                listed(&step.optional)
            );
            row.replace("|  |", "| |").replace("|  |", "| |")
        })
        .collect();
    let table: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    assert_eq!(table, rows);
    let all: BTreeSet<&str> = rights::steps()
        .iter()
        .flat_map(|step| step.plan.iter().chain(&step.apply).copied())
        .collect();
    let all = all.into_iter().collect::<Vec<_>>().join(" ");
    assert!(page.contains(&format!("```text\n{all}\n```")), "{all}");
}
