//! Tests of the selectors of users and groups in `provisioning`: names, patterns, search expressions and exceptions.

use std::{collections::BTreeSet, time::Duration};

use okta_aws_sso::{
    Blueprint, Problem, ResolvedScope,
    sync::{OktaSource, Source as _},
};
use rest_core::Clock as _;
use sandbox::{Company, Person, PersonStatus, Sandbox};

use crate::fixture::{Fixture, SEED, direct};

const ADA: &str = "ada.lovelace@example.com";
const GRACE: &str = "grace.hopper@example.com";
const LEAVER: &str = "grace.leaver@example.com";

fn company() -> Company {
    let engineer = |login, first, last| {
        Person::new(login, first, last).with_attribute("department", "Engineering")
    };
    Company::small(3, 3)
        .person(engineer(GRACE, "Grace", "Hopper"))
        .person(engineer(LEAVER, "Grace", "Leaver").with_status(PersonStatus::Deprovisioned))
        .team("aws-dev", &[GRACE])
        .team("aws-ops", &[])
        .team("aws-legacy-a", &[])
        .team("AWS-upper", &[])
        .team("other", &[])
        .team("twin", &[])
        .imported_team("directory", "twin", &[])
}

async fn fixture(provisioning: &str) -> Fixture {
    let blueprint = direct(&format!("[provisioning]\n{provisioning}\n{SEED}"));
    let sandbox = Sandbox::builder().company(company()).page_size(Some(2));
    Fixture::with_sandbox(sandbox, &blueprint).await
}

async fn scope(fixture: &Fixture) -> ResolvedScope {
    let scope = ResolvedScope::read(&fixture.okta, &fixture.blueprint, None).await;
    scope.expect("a scope")
}

/// Returns the names of the pushed groups, and the problems.
async fn pushed(fixture: &Fixture, push_groups: &str) -> (Vec<String>, Vec<Problem>) {
    let text = format!("[provisioning]\nmode = \"direct\"\npush_groups = {push_groups}\n{SEED}");
    let blueprint = Blueprint::from_toml(&text).expect("a blueprint");
    let scope = ResolvedScope::read(&fixture.okta, &blueprint, None).await;
    let scope = scope.expect("a scope");
    let names: BTreeSet<String> = { scope.pushed.iter() }
        .map(|members| members.group.name.clone())
        .collect();
    (names.into_iter().collect(), scope.problems)
}

fn logins(scope: &ResolvedScope) -> Vec<&str> {
    let users = scope.users.iter();
    let mut logins: Vec<&str> = users.map(|user| &*user.profile.login).collect();
    logins.sort_unstable();
    logins
}

#[tokio::test]
async fn groups_are_selected_by_name_pattern_and_search_expression_without_the_exceptions() {
    let fixture = fixture("").await;
    for (selector, expected) in [
        (
            r#"["aws-*"]"#,
            &["aws-dev", "aws-legacy-a", "aws-ops", "aws-users"][..],
        ),
        (r#"["aws-???"]"#, &["aws-dev", "aws-ops"]),
        (r#"["*-dev", "other", "aws-d*"]"#, &["aws-dev", "other"]),
        (
            r#"{ name = ["aws-*"], except = ["aws-legacy-*", "aws-users"] }"#,
            &["aws-dev", "aws-ops"],
        ),
        (
            r#"{ name = ["other", "aws-dev"], except = ["aws-*"] }"#,
            &["other"],
        ),
        // Okta ignores the letter case, and the patterns do not.
        (r#"{ search = 'profile.name sw "aws-o"' }"#, &["aws-ops"]),
        (
            r#"{ search = 'profile.name sw "aws-u"' }"#,
            &["AWS-upper", "aws-users"],
        ),
        (
            r#"{ search = 'profile.name sw "aws-"', name = ["aws-*"], except = ["aws-legacy-a"] }"#,
            &["aws-dev", "aws-ops", "aws-users"],
        ),
    ] {
        let (found, problems) = pushed(&fixture, selector).await;
        assert_eq!(found, expected, "{selector}");
        assert_eq!(problems, [], "{selector}");
    }
}

#[tokio::test]
async fn users_are_selected_in_the_same_way_and_deactivated_ones_never() {
    for (selector, expected) in [
        (r#"["grace.*"]"#, &[ADA, GRACE][..]),
        (
            r#"{ search = 'profile.department eq "Engineering"' }"#,
            &[ADA, GRACE],
        ),
        (
            r#"{ name = ["*@example.com"], except = ["person.*"] }"#,
            &[ADA, GRACE],
        ),
        // The user of `access` is in the scope in any case.
        (
            r#"{ name = ["*a*@example.com"], except = ["grace.*", "person.*", "ada.*"] }"#,
            &[ADA],
        ),
    ] {
        let fixture = fixture(&format!("assign_users = {selector}")).await;
        let scope = scope(&fixture).await;
        assert_eq!(logins(&scope), expected, "{selector}");
    }
}

#[tokio::test]
async fn a_selector_that_matches_nothing_is_a_problem_by_name() {
    let fixture = fixture("").await;
    for (selector, message) in [
        (
            r#"["nothing-*", "aws-o*"]"#,
            "`nothing-*` matches no group of Okta",
        ),
        (
            r#"{ search = 'profile.name eq "nothing"' }"#,
            "`search profile.name eq \"nothing\"` matches no group of Okta",
        ),
        (
            r#"{ name = ["aws-o*"], except = ["*"] }"#,
            "`name aws-o*, except *` matches no group of Okta",
        ),
        (
            r#"{ name = ["aws-o*"], except = ["aws-legacy-2"] }"#,
            "`aws-legacy-2` of `except` is no group that the filter matches",
        ),
    ] {
        let (found, problems) = pushed(&fixture, selector).await;
        let [problem] = problems.as_slice() else {
            panic!("{selector}: {problems:?}");
        };
        assert_eq!(problem.message, message);
        let subject = problem.subject.as_ref().expect("a subject").to_string();
        assert_eq!(subject, "`provisioning.push_groups` of the blueprint");
        // The other pattern of a list still holds; a wrong exception matches nothing.
        let others: &[&str] = if selector.starts_with('[') {
            &["aws-ops"]
        } else {
            &[]
        };
        assert_eq!(found, others, "{selector}");
    }
}

#[tokio::test]
async fn a_search_expression_that_okta_refuses_is_a_problem_with_the_answer_of_okta() {
    let fixture = fixture("").await;
    let (found, problems) = pushed(&fixture, "{ search = 'profile.name is \"a\"' }").await;
    assert_eq!(found, [""; 0]);
    let [problem] = problems.as_slice() else {
        panic!("{problems:?}");
    };
    let subject = problem.subject.as_ref().expect("a subject").to_string();
    assert_eq!(
        subject,
        "`provisioning.push_groups.search` of the blueprint"
    );
    let response = problem.response.as_ref().expect("an answer").to_string();
    assert!(response.contains("400"), "{response}");
    assert!(response.contains("Invalid search criteria"), "{response}");
}

#[tokio::test]
async fn a_selector_with_a_problem_keeps_the_sync_from_removing() {
    let fixture = fixture(r#"push_groups = ["aws-o*"]"#).await;
    let source = OktaSource::new(&fixture.okta, &fixture.blueprint);
    assert_eq!(source.read().await.expect("a directory").incomplete, []);
    let text = format!("[provisioning]\npush_groups = [\"nothing-*\"]\n{SEED}");
    let blueprint = Blueprint::from_toml(&text).expect("a blueprint");
    let directory = OktaSource::new(&fixture.okta, &blueprint).read().await;
    let incomplete = directory.expect("a directory").incomplete;
    assert_eq!(incomplete.len(), 1);
    assert_eq!(
        incomplete[0].item,
        "`provisioning.push_groups` of the blueprint"
    );
    assert_eq!(incomplete[0].reason, "`nothing-*` matches no group of Okta");
}

#[tokio::test]
async fn a_selected_name_of_two_groups_is_a_problem_unless_the_blueprint_has_the_id() {
    let fixture = fixture("").await;
    let (found, problems) = pushed(&fixture, r#"["twi*", "aws-o*"]"#).await;
    assert_eq!(found, ["aws-ops"]);
    assert!(
        problems[0].message.starts_with("Okta has 2 groups `twin`"),
        "{problems:?}"
    );
    let id = &fixture.okta.groups().named("twin").await.expect("groups")[0].id;
    let selector = format!("[\"twi*\"]\n[okta.group_ids]\ntwin = \"{id}\"");
    let (found, problems) = pushed(&fixture, &selector).await;
    assert_eq!((found, problems.len()), (vec!["twin".to_owned()], 0));
}

#[tokio::test]
async fn a_group_that_is_selected_for_both_assignment_and_push_is_a_problem_and_neither() {
    let text =
        format!("[provisioning]\nassign_groups = [\"aws-*\"]\npush_groups = [\"*-ops\"]\n{SEED}");
    let sandbox = Sandbox::builder().company(company());
    let fixture = Fixture::with_sandbox(sandbox, &text).await;
    let scope = scope(&fixture).await;
    assert!(scope.pushed.is_empty(), "{scope:?}");
    assert_eq!(scope.assigned.len(), 3, "{scope:?}");
    let [problem] = scope.problems.as_slice() else {
        panic!("{scope:?}");
    };
    assert_eq!(
        problem.message,
        "group `aws-ops` would be assigned to the app and pushed to AWS"
    );
}

#[tokio::test]
async fn a_group_that_the_search_still_has_after_its_deletion_is_left_out() {
    let sandbox = Sandbox::builder().company(company());
    let sandbox = sandbox.search_delay(Duration::from_secs(30));
    let text = format!("[provisioning]\npush_groups = [\"aws-*\"]\n{SEED}");
    let fixture = Fixture::with_sandbox(sandbox, &text).await;
    fixture.clock.sleep(Duration::from_mins(1)).await;
    let group = fixture
        .okta
        .groups()
        .named("aws-ops")
        .await
        .expect("a group");
    let deleted = fixture.okta.groups().delete(&group[0].id).await;
    deleted.expect("a deletion");
    let scope = scope(&fixture).await;
    assert_eq!(scope.problems, []);
    assert_eq!(scope.pushed.len(), 3, "{scope:?}");
}

#[tokio::test]
async fn a_run_provisions_what_the_selectors_match_and_what_joins_later() {
    for mode in ["okta", "direct"] {
        let text = format!(
            "[provisioning]\nmode = \"{mode}\"\nassign_groups = [\"aws-user*\"]\nassign_users = {{ search = 'profile.department eq \"Engineering\"' }}\npush_groups = {{ search = 'profile.name sw \"aws-\"', except = [\"aws-users\", \"*legacy*\", \"AWS*\"] }}\n{SEED}"
        );
        let fixture = Fixture::with_sandbox(Sandbox::builder().company(company()), &text).await;
        let apply = async || {
            let pipeline = fixture.pipeline();
            let plan = pipeline.plan().await.expect("a plan");
            let report = pipeline.apply(&plan).await.expect("a report");
            report
                .complete()
                .unwrap_or_else(|error| panic!("{}", error.explain()));
            let mut groups: Vec<(String, Vec<String>)> =
                { fixture.sandbox.identity_groups().into_iter() }
                    .map(|group| (group.display_name, group.members))
                    .collect();
            groups.sort();
            groups
        };
        let dev = ("aws-dev".to_owned(), vec![GRACE.to_owned()]);
        let ops = ("aws-ops".to_owned(), vec![]);
        assert_eq!(apply().await, [dev.clone(), ops.clone()], "{mode}");
        let _id = fixture.sandbox.add_group("aws-net", &[GRACE]);
        let net = ("aws-net".to_owned(), vec![GRACE.to_owned()]);
        assert_eq!(apply().await, [dev, net, ops], "{mode}");
        let plan = fixture.pipeline().plan().await.expect("a plan");
        assert!(plan.is_empty(), "{mode}: {plan}");
    }
}

/// Every example of the document is a blueprint.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test may block its thread")]
fn the_examples_of_the_document_are_blueprints() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/BLUEPRINT.md");
    let document = std::fs::read_to_string(path).expect("the document");
    let mut examples = document.split("```toml\n").skip(1);
    let mut number = 0;
    for example in &mut examples {
        let text = example.split("```").next().unwrap_or_default();
        if let Err(error) = Blueprint::from_toml(text) {
            panic!("{}", error.render("docs/BLUEPRINT.md", text));
        }
        number += 1;
    }
    assert!(number >= 7, "{number} examples");
}
