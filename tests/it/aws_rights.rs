//! The IAM policy of a plan: a run passes with exactly these rights, and no action can be left out without a trace.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

use futures::future::LocalBoxFuture;
use okta_aws_sso::{
    Blueprint, Guard, Pipeline, Plan,
    aws::{AccountId, Aws, ConnectOptions, Credentials},
    plan::{Hazard, StepId},
    rights::{AwsPolicy, AwsRights, AwsTarget, StepAction, aws_actions, aws_rights},
    steps::{self, ids},
};
use rest_core::Secret;
use sandbox::{AccountSeed, Company, IamPolicy, Person, Sandbox, SandboxBuilder, Service, Stage};

use crate::fixture::{Fixture, SEED, TEAM, apply, aws_options, company, direct, lines, note};

const MANAGEMENT: &str = "111122223333";
const DELEGATED: &str = "200000000003";
const ADA: &str = "ada.lovelace@example.com";

/// The rights of a plan with what the saved state knows.
async fn rights_of(fixture: &Fixture, plan: &Plan) -> AwsRights {
    let mut target = AwsTarget::in_region(fixture.sandbox.aws_region());
    if let Some(state) = fixture.store.load().await.expect("a store") {
        target = target.facts(&state.facts);
    }
    aws_rights(plan, &fixture.blueprint, &target)
}

fn limit(fixture: &Fixture, policy: &AwsPolicy) {
    let document = serde_json::to_string(policy).expect("JSON");
    let policy: IamPolicy = document.parse().expect("a policy of IAM");
    fixture.sandbox.limit_aws_caller(policy);
}

/// Returns the policy without an action.
fn without(policy: &AwsPolicy, action: &str) -> AwsPolicy {
    let mut policy = policy.clone();
    for statement in &mut policy.statements {
        statement.actions.retain(|known| *known != action);
    }
    policy.statements.retain(|one| !one.actions.is_empty());
    policy
}

/// A plan, its run and the check after the run, as the user sees them.
struct Outcome {
    complete: bool,
    text: String,
}

impl Fixture {
    /// Returns the pipeline of the steps that write to AWS.
    fn aws_pipeline(&self) -> Pipeline {
        let mut all = steps::default_steps(&self.blueprint, &self.okta, &self.aws);
        let others: Vec<StepId> = all.ids().filter(|id| !AWS_STEPS.contains(id)).collect();
        for other in others {
            all = all.without(&other);
        }
        self.pipeline_of(all)
    }
}

const AWS_STEPS: [StepId; 5] = [
    ids::ORGANIZATION,
    ids::IDENTITY_CENTER,
    ids::PERMISSION_SETS,
    ids::ACCOUNT_ASSIGNMENTS,
    ids::RETIRED_PERMISSION_SETS,
];

/// Plans, applies with all removals and hazards approved, and verifies. Stops early if the text `is_enough`.
async fn exercise(pipeline: Pipeline, is_enough: impl Fn(&str) -> bool) -> Outcome {
    let mut outcome = Outcome {
        complete: false,
        text: String::new(),
    };
    let plan = match pipeline.plan().await {
        Ok(plan) => plan,
        Err(error) => {
            outcome.text = format!("{error:?}");
            return outcome;
        }
    };
    outcome.text = plan.to_string();
    let planned = plan.problems().next().is_none();
    let approved = Guard {
        approved: plan.removals_id().into_iter().collect(),
        allowed: plan.hazards().filter_map(Hazard::id).collect(),
        ..Guard::default()
    };
    if is_enough(&outcome.text) {
        return outcome;
    }
    let pipeline = pipeline.guard(approved);
    let applied = match pipeline.apply(&plan).await {
        Ok(report) => {
            let _infallible = write!(outcome.text, "{:?}", report.results);
            report.is_complete() && planned
        }
        Err(error) => {
            let _infallible = write!(outcome.text, "{error:?}");
            false
        }
    };
    if is_enough(&outcome.text) {
        return outcome;
    }
    match pipeline.verify().await {
        Ok(found) => {
            let _infallible = write!(outcome.text, "{:?}", found.checks);
            outcome.complete = applied && found.passed();
        }
        Err(error) => _ = write!(outcome.text, "{error:?}"),
    }
    outcome
}

/// Returns the operations that AWS has got since the request with this number.
fn used(fixture: &Fixture, since: usize) -> BTreeSet<String> {
    let requests = fixture.sandbox.requests().into_iter().skip(since);
    let requests = requests.filter(|request| request.service == Service::Aws);
    requests.filter_map(|request| request.target).collect()
}

/// Returns the names of operations without their services.
fn operations(actions: impl IntoIterator<Item = &'static str>) -> BTreeSet<String> {
    let actions = actions.into_iter();
    let actions = actions.filter(|action| !action.starts_with("iam:"));
    actions
        .filter_map(|action| Some(action.split_once(':')?.1.to_owned()))
        .collect()
}

/// A situation before a run.
struct Scenario {
    name: &'static str,
    fixture: fn() -> LocalBoxFuture<'static, Fixture>,
    pipeline: fn(&Fixture) -> Pipeline,
    /// Required actions that this run does not call, each with the reason.
    unused: &'static [&'static str],
}

/// Checks that the run passes with the policy of its plan, with and without the optional actions, and that each other action
/// that is not in `covered` is named by the run without it.
async fn check(scenario: &Scenario, covered: &mut BTreeSet<&'static str>) {
    let name = scenario.name;
    let fixture = (scenario.fixture)().await;
    let before = fixture.sandbox.requests().len();
    let plan = (scenario.pipeline)(&fixture).plan().await.expect("a plan");
    let rights = rights_of(&fixture, &plan).await;
    let policy = rights.required_policy();
    limit(&fixture, &policy);
    let outcome = exercise((scenario.pipeline)(&fixture), |_| false).await;
    assert!(outcome.complete, "{name}: {}\n{policy}", outcome.text);

    let called = used(&fixture, before);

    // The reading part is sufficient to plan and to verify.
    limit(&fixture, &rights.read_policy());
    let pipeline = (scenario.pipeline)(&fixture);
    let next = pipeline.plan().await.expect("a plan");
    assert!(
        next.is_empty() && next.problems().next().is_none(),
        "{name}: {next}"
    );
    let found = pipeline.verify().await.expect("a verification");
    assert!(found.passed(), "{name}: {:?}", found.checks);

    // Neither more nor less than the run calls.
    let optional: BTreeSet<&str> = rights.optional.iter().map(|one| one.action).collect();
    let all = rights.policy().actions();
    let required = all
        .iter()
        .copied()
        .filter(|action| !optional.contains(action));
    let is_unused = |action: &&str| scenario.unused.contains(action) || IF_FAILED.contains(action);
    let unused = operations(all.iter().copied().filter(is_unused));
    let mut expected = operations(required.clone());
    expected.retain(|operation| !unused.contains(operation));
    let of_optional = operations(optional.iter().copied());
    let mut called_besides = called.clone();
    called_besides.retain(|operation| {
        !of_optional.contains(operation)
            && operation != "GetCallerIdentity"
            && !SIGN_IN.contains(&&**operation)
    });
    assert_eq!(called_besides, expected, "{name}");

    let reads = rights.read_policy().actions();
    for action in required.filter(|action| !is_unused(action)) {
        if covered.contains(action) {
            continue;
        }
        let limited = without(&policy, action);
        // Nothing is left to do here, so that a reading action is missed at once.
        let read = if reads.contains(action) {
            limit(&fixture, &limited);
            match (scenario.pipeline)(&fixture).plan().await {
                Ok(plan) => plan.to_string(),
                Err(error) => format!("{error:?}"),
            }
        } else {
            String::new()
        };
        if !names(&read, action) {
            let fresh = (scenario.fixture)().await;
            limit(&fresh, &limited);
            let pipeline = (scenario.pipeline)(&fresh);
            let outcome = exercise(pipeline, |text| names(text, action)).await;
            assert!(!outcome.complete, "{name}: {action} is not needed");
            assert!(
                names(&outcome.text, action),
                "{name}: {action} is not named: {}",
                outcome.text
            );
        }
        covered.insert(action);
    }
}

/// Returns whether a text says that an action is not allowed.
fn names(text: &str, action: &str) -> bool {
    text.contains(&format!("is not authorized to perform: {action} on"))
}

/// The actions that a run calls only if AWS reports an operation as failed, as in the runs without an `iam` action.
const IF_FAILED: [&str; 2] = [
    "sso:DescribeAccountAssignmentCreationStatus",
    "sso:DescribeAccountAssignmentDeletionStatus",
];

/// AWS takes the tags of a new permission set with `CreatePermissionSet`. UNVERIFIED: it checks this right too.
const TAGS_A_NEW_SET: &str = "sso:TagResource";

/// The operations of the access portal, which need no AWS credentials.
const SIGN_IN: [&str; 6] = [
    "RegisterClient",
    "StartDeviceAuthorization",
    "CreateToken",
    "ListAccountRoles",
    "GetRoleCredentials",
    "Logout",
];

/// A set of each kind of policy, with roles in the management account.
const BEFORE: &str = r#"
[permission_sets.Deploy]
description = "Deploys"
managed_policies = ["PowerUserAccess"]
inline_policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
customer_managed_policies = ["/teams/Old"]
permissions_boundary = { managed_policy = "PowerUserAccess" }

[permission_sets.Audit]
managed_policies = ["SecurityAudit"]
tags = { team = "a" }

[[access]]
group = "deployers"
accounts = ["Sandbox", "Management"]
permission_set = "Deploy"

[[access]]
user = "ada.lovelace@example.com"
account = "Sandbox"
permission_set = "Audit"
"#;

/// [`BEFORE`] with a change of each kind.
const AFTER: &str = r#"
[permission_sets.Deploy]
description = "Deploys more"
managed_policies = ["ReadOnlyAccess"]
customer_managed_policies = ["/teams/New"]

[permission_sets.Audit]
managed_policies = ["SecurityAudit"]
inline_policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
permissions_boundary = { managed_policy = "ReadOnlyAccess" }
tags = { team = "b" }

[[access]]
group = "deployers"
accounts = ["Sandbox", "Management"]
permission_set = "Deploy"

[[access]]
user = "ada.lovelace@example.com"
accounts = ["Sandbox", "Management"]
permission_set = "Audit"
"#;

/// Access of a group of administrators, also in the management account.
const GIVEN: &str = r#"
[[access]]
group = "deployers"
accounts = ["Management", "Sandbox"]
permission_set = "AdministratorAccess"
"#;

/// Access in accounts of a unit and of a tag.
const SELECTED: &str = r#"
[[access]]
user = "ada.lovelace@example.com"
accounts = { ou = ["Workloads/Production"] }
permission_set = "ReadOnlyAccess"

[[access]]
user = "ada.lovelace@example.com"
accounts = { tag = { team = "web" } }
permission_set = "PowerUserAccess"
"#;

/// Returns a fixture in which the first blueprint was applied and the second one is next.
async fn changed(before: &str, after: &str) -> Fixture {
    let company = company()
        .policy_in_accounts("/teams/Old")
        .policy_in_accounts("/teams/New");
    let sandbox = Sandbox::builder().delegated_administrator(DELEGATED);
    changed_in(sandbox, company, before, after).await
}

async fn changed_in(
    sandbox: SandboxBuilder,
    company: Company,
    before: &str,
    after: &str,
) -> Fixture {
    // AWS has the users and groups, so that the steps that write to AWS are sufficient.
    let company = company.estate(|estate| {
        let ada = Person::new("ada.lovelace@example.com", "Ada", "Lovelace");
        estate.user(ada).group("deployers", [ADA])
    });
    let sandbox = sandbox.company(company).stage(Stage::IdentityCenter);
    let mut fixture = Fixture::with_sandbox(sandbox, before).await;
    let pipeline = fixture.aws_pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    apply(&pipeline, &plan).await.expect("the first run");
    fixture.blueprint = Blueprint::from_toml(after).expect("a blueprint");
    fixture
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "a first run",
        pipeline: Fixture::pipeline,
        fixture: || Box::pin(Fixture::new(TEAM)),
        unused: &["identitystore:DescribeUser", TAGS_A_NEW_SET],
    },
    Scenario {
        name: "changed permission sets",
        pipeline: Fixture::aws_pipeline,
        fixture: || Box::pin(changed(BEFORE, AFTER)),
        // No administrator loses access.
        unused: &["identitystore:ListGroupMemberships"],
    },
    Scenario {
        name: "removed access",
        pipeline: Fixture::aws_pipeline,
        fixture: || {
            Box::pin(async {
                let managed = |text: &str| format!("[ownership]\naccess = \"managed\"\n{text}");
                let less = GIVEN.replace("\"Management\", ", "");
                changed(&managed(GIVEN), &managed(&less)).await
            })
        },
        unused: &[],
    },
    Scenario {
        name: "a removed permission set",
        pipeline: Fixture::aws_pipeline,
        fixture: || {
            Box::pin(async {
                let owned = |text: &str| {
                    let modes = "access = \"managed\"\npermission_sets = \"managed\"";
                    format!("[ownership]\n{modes}\n{text}{GIVEN}")
                };
                let set = r#"
[permission_sets.Release]
managed_policies = ["ReadOnlyAccess"]

[[access]]
group = "deployers"
accounts = ["Sandbox"]
permission_set = "Release"
"#;
                changed(&owned(set), &owned("")).await
            })
        },
        unused: &[],
    },
    Scenario {
        name: "accounts of units and tags",
        pipeline: Fixture::pipeline,
        fixture: || {
            Box::pin(async {
                let tagged = AccountSeed::new("200000000801", "web", "Workloads/Production");
                let company = company().account(tagged.with_tag("team", "web"));
                Fixture::with_sandbox(Sandbox::builder().company(company), SELECTED).await
            })
        },
        unused: &["identitystore:DescribeUser", TAGS_A_NEW_SET],
    },
    Scenario {
        name: "users and groups that AWS has",
        pipeline: Fixture::pipeline,
        fixture: || {
            Box::pin(async {
                let person = Person::new("person.00002@example.com", "Person", "Two");
                let company = company().estate(|estate| {
                    let estate = estate.user(person);
                    estate.group("operators", ["person.00002@example.com"])
                });
                let sandbox = Sandbox::builder().company(company);
                Fixture::with_sandbox(sandbox.stage(Stage::IdentityCenter), TEAM).await
            })
        },
        unused: &[TAGS_A_NEW_SET],
    },
    Scenario {
        name: "mode direct",
        pipeline: Fixture::pipeline,
        fixture: || Box::pin(async { Fixture::new(&direct(SEED)).await }),
        unused: &["identitystore:DescribeUser", TAGS_A_NEW_SET],
    },
    Scenario {
        name: "GovCloud",
        pipeline: Fixture::pipeline,
        fixture: || {
            Box::pin(async {
                let company = Company {
                    region: "us-gov-west-1".to_owned(),
                    ..company()
                };
                Fixture::with_sandbox(Sandbox::builder().company(company), SEED).await
            })
        },
        unused: &["identitystore:DescribeUser", TAGS_A_NEW_SET],
    },
    Scenario {
        name: "permission sets that are off",
        pipeline: Fixture::pipeline,
        fixture: || {
            Box::pin(async {
                let sandbox = Sandbox::builder().company(company());
                let sandbox = sandbox.stage(Stage::IdentityCenter).permission_sets(false);
                Fixture::with_sandbox(sandbox, SEED).await
            })
        },
        unused: &["identitystore:DescribeUser", TAGS_A_NEW_SET],
    },
];

#[tokio::test]
async fn a_run_passes_with_the_policy_of_its_plan_and_names_each_action_that_it_lacks() {
    let mut covered = BTreeSet::new();
    for scenario in SCENARIOS {
        check(scenario, &mut covered).await;
    }
    let required = aws_actions()
        .into_iter()
        .filter(|row| row.optional.is_none());
    let mut left: BTreeSet<&str> = required.map(|row| row.action).collect();
    left.retain(|action| !covered.contains(action));
    // A test of its own has the delegated administrator.
    assert_eq!(
        left.into_iter().collect::<Vec<_>>(),
        [
            "organizations:ListDelegatedAdministrators",
            IF_FAILED[0],
            IF_FAILED[1],
        ]
    );
    assert_eq!(covered.len(), 56);
}

/// Returns the rows of the page's tables, without their headings.
fn rows_of_actions() -> Vec<String> {
    let listed = |actions: &[&str]| {
        let actions: Vec<String> = actions.iter().map(|one| format!("`{one}`")).collect();
        actions.join(", ")
    };
    let all = aws_actions();
    let is_same = |one: &StepAction, other: &StepAction| {
        (&one.step, one.part, one.when, one.optional)
            == (&other.step, other.part, other.when, other.optional)
    };
    let rows = all.chunk_by(is_same).map(|rows| {
        let actions: Vec<&str> = rows.iter().map(|row| row.action).collect();
        let row = format!(
            "| `{}` | {} | {} | {} | {} |",
            rows[0].step,
            rows[0].part,
            listed(&actions),
            rows[0].when,
            rows[0].optional.unwrap_or_default()
        );
        row.replace("|  |", "| |")
    });
    let mut by_resources: BTreeMap<&[&str], BTreeSet<&str>> = BTreeMap::new();
    for row in &all {
        let actions = by_resources.entry(&row.resources).or_default();
        actions.insert(row.action);
    }
    let resources = by_resources.iter().map(|(resources, actions)| {
        let actions: Vec<&str> = actions.iter().copied().collect();
        format!("| {} | {} |", resources.join(", "), listed(&actions))
    });
    rows.chain(resources).collect()
}

#[tokio::test]
async fn the_page_about_rights_lists_the_actions_and_an_example() {
    let page = include_str!("../../docs/AWS_RIGHTS.md");
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains('`') && line.contains(':'))
        .collect();
    assert_eq!(rows, rows_of_actions());
    let fixture = Fixture::new(TEAM).await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let rights = rights_of(&fixture, &plan).await;
    let example = format!("```json\n{}\n```", rights.policy());
    assert!(page.contains(&example), "{example}");
}

/// Two hundred accounts do not fit into a policy.
#[tokio::test]
async fn a_large_plan_has_a_policy_that_fits_and_its_run_passes() {
    let mut company = company();
    for number in 0..200 {
        let id = format!("3000000{number:05}");
        company = company.account(AccountSeed::new(&id, &format!("web-{number}"), "Web"));
    }
    let entry = |accounts: &str, set: &str| {
        format!(
            "[[access]]\ngroup = \"deployers\"\naccounts = {accounts}\npermission_set = \"{set}\"\n"
        )
    };
    let sets = ["ReadOnlyAccess", "SecurityAudit", "Billing"];
    let before = sets.map(|set| entry("[\"Sandbox\"]", set)).concat();
    let of_unit = "{ ou = [\"Web\"] }";
    let after = [of_unit, "[\"web-1?\"]", "[\"web-2?\"]"];
    let after = [0, 1, 2]
        .map(|number| entry(after[number], sets[number]))
        .concat();
    let sandbox = Sandbox::builder().page_size(None);
    let fixture = changed_in(sandbox, company, &before, &after).await;
    let plan = fixture.aws_pipeline().plan().await.expect("a plan");
    assert_eq!(plan.changes().count(), 220, "{}", plan.summary());
    let rights = rights_of(&fixture, &plan).await;
    let policy = rights.policy();
    assert!(policy.characters() <= AwsPolicy::MAX_CHARACTERS);
    let collapsed: Vec<String> = rights.collapsed.iter().map(ToString::to_string).collect();
    assert_eq!(
        collapsed,
        ["200 accounts: arn:aws:sso:::account/* allows all of this kind"]
    );
    limit(&fixture, &policy);
    let outcome = exercise(fixture.aws_pipeline(), |_| false).await;
    assert!(outcome.complete);
    assert_eq!(fixture.assignments().len(), 223);
}

/// A policy for one account and one set allows no others.
#[tokio::test]
async fn a_policy_allows_the_accounts_and_the_sets_of_its_plan_only() {
    let mut fixture = changed(GIVEN, BEFORE).await;
    let plan = fixture.aws_pipeline().plan().await.expect("a plan");
    apply(&fixture.aws_pipeline(), &plan).await.expect("a run");
    let in_workload = |set: &str| {
        format!(
            "{BEFORE}\n[[access]]\ngroup = \"deployers\"\naccount = \"Workload 0003\"\npermission_set = \"{set}\"\n"
        )
    };
    fixture.blueprint = Blueprint::from_toml(&in_workload("Audit")).expect("a blueprint");
    let plan = fixture.aws_pipeline().plan().await.expect("a plan");
    let policy = rights_of(&fixture, &plan).await.policy();
    limit(&fixture, &policy);
    for (other, resource) in [
        (in_workload("Deploy"), "permissionSet/"),
        (
            in_workload("Audit").replace("\"Workload 0003\"", "\"Management\""),
            "account/111122223333",
        ),
    ] {
        fixture.blueprint = Blueprint::from_toml(&other).expect("a blueprint");
        let outcome = exercise(fixture.aws_pipeline(), |_| false).await;
        let refused = format!(
            "is not authorized to perform: sso:CreateAccountAssignment on resource: arn:aws:sso:::{resource}"
        );
        assert!(outcome.text.contains(&refused), "{}", outcome.text);
    }
    fixture.blueprint = Blueprint::from_toml(&in_workload("Audit")).expect("a blueprint");
    let outcome = exercise(fixture.aws_pipeline(), |_| false).await;
    assert!(outcome.complete, "{}", outcome.text);
}

#[tokio::test]
async fn a_delegated_administrator_needs_two_more_lists_and_no_role() {
    let more = BEFORE.replacen("\"Sandbox\", ", "\"Sandbox\", \"Workload 0003\", ", 1);
    let audit = more.replace(
        "account = \"Sandbox\"",
        "accounts = [\"Sandbox\", \"Workload 0003\"]",
    );
    let mut fixture = changed(BEFORE, &audit).await;
    let secret = fixture.sandbox.aws_secret_access_key();
    let options = aws_options(&fixture.sandbox, secret, Arc::new(fixture.clock.clone()));
    let credentials = Credentials {
        access_key_id: fixture.sandbox.delegated_access_key(DELEGATED),
        secret_access_key: Secret::new(secret),
        session_token: None,
    };
    let options = ConnectOptions {
        credentials: Some(credentials.into()),
        ..options
    };
    fixture.aws = Aws::connect(options).await.expect("a connection");
    let plan = fixture.aws_pipeline().plan().await.expect("a plan");
    // The set Deploy is provisioned in the management account.
    assert_eq!(plan.changes().count(), 1, "{plan}");
    let state = fixture.store.load().await.expect("a store");
    let facts = state.expect("a state").facts;
    let caller = AccountId::parse(DELEGATED).expect("an id");
    let target = AwsTarget::in_region("us-east-1")
        .facts(&facts)
        .caller(caller);
    let rights = aws_rights(&plan, &fixture.blueprint, &target);
    let (policy, actions) = (rights.policy(), rights.policy().actions());
    assert!(!actions.contains("sso:ListAccountAssignmentsForPrincipal"));
    assert!(!actions.iter().any(|action| action.starts_with("iam:")));
    let [list, sets] = [
        "organizations:ListDelegatedAdministrators",
        "sso:ListPermissionSetsProvisionedToAccount",
    ];
    let statement = policy
        .statements
        .iter()
        .find(|one| one.actions.contains(&sets));
    let account = format!("arn:aws:sso:::account/{MANAGEMENT}");
    assert!(statement.expect("a statement").resources.contains(&account));

    limit(&fixture, &without(&policy, list));
    let blind = fixture.aws_pipeline().plan().await.expect("a plan");
    assert!(names(&blind.to_string(), list), "{blind}");
    limit(&fixture, &rights.required_policy());
    let blind = fixture.aws_pipeline().plan().await.expect("a plan");
    let unknown = note(&blind, "management-sets-unknown").expect("a note");
    assert!(unknown.contains(sets), "{unknown}");
    limit(&fixture, &policy);
    let plan = fixture.aws_pipeline().plan().await.expect("a plan");
    let report = fixture.aws_pipeline().apply(&plan).await.expect("a report");
    assert!(
        report.results.iter().all(|one| one.outcome.is_success()),
        "{report:?}"
    );
    assert_eq!(fixture.assignments().len(), 4);
}

/// The other optional actions: AWS's user guide lists them, or no step calls them yet.
#[tokio::test]
async fn the_effect_without_an_optional_action_is_visible() {
    let unknown = GIVEN.replace("\"Sandbox\"", "\"Sandbox\", \"999999999999\"");
    let fixture = changed(GIVEN, &unknown).await;
    let plan = fixture.aws_pipeline().plan().await.expect("a plan");
    let rights = rights_of(&fixture, &plan).await;
    let optional: Vec<&str> = rights.optional.iter().map(|one| one.action).collect();
    let [account, list] = [
        "organizations:DescribeAccount",
        "sso:ListAccountAssignmentsForPrincipal",
    ];
    assert_eq!(optional, [account, list]);
    limit(&fixture, &rights.policy());
    let plan = fixture.aws_pipeline().plan().await.expect("a plan");
    assert_eq!(note(&plan, "read-by-pair"), None);
    let problem = lines(&plan, "account-assignments").concat();
    assert!(!names(&plan.to_string(), account), "{plan}");
    limit(&fixture, &rights.required_policy());
    let plan = fixture.aws_pipeline().plan().await.expect("a plan");
    let by_pair = note(&plan, "read-by-pair").expect("a note");
    assert!(
        by_pair.ends_with(&format!("the credentials lack {list}")),
        "{by_pair}"
    );
    assert_eq!(lines(&plan, "account-assignments").concat(), problem);
    assert!(names(&plan.to_string(), account), "{plan}");
}
