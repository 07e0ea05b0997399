//! Mistakes that could take away the access of many: one row each, with what the plan removes and whether the guard lets it
//! pass. docs/GUARD.md has the same table.

use std::collections::BTreeMap;

use okta_aws_sso::{
    Blueprint, ErrorKind, Guard, Plan, Report,
    aws::sdk::organizations::types::Tag,
    guard::{Excess, KindLimit, RemovalHistory, Removed},
    plan::{Hazard, Kind},
};
use sandbox::{AccountSeed, AccountState, Company, Sandbox};

use crate::fixture::Fixture;

const ACCESS: &str = r#"
[sign_in]
skip = true

[permission_sets.Deploy]
managed_policies = ["PowerUserAccess"]

[[access]]
user = "ada.lovelace@example.com"
account = "Sandbox"
permission_set = "AdministratorAccess"

[[access]]
group = "deployers"
permission_set = "Deploy"
accounts = { ou = ["Web"] }

[[access]]
group = "auditors"
permission_set = "ReadOnlyAccess"
accounts = { tag = { team = "web" } }
"#;

/// The accounts of the unit `Web`, all with the tag.
const ACCOUNTS: usize = 10;
/// The assignments of the blueprint.
const ALL: u64 = 2 * ACCOUNTS as u64 + 1;

const DEPLOYERS: &str = "accounts = { ou = [\"Web\"] }";
const AUDITORS: &str = "accounts = { tag = { team = \"web\" } }";

fn account(number: usize) -> String {
    format!("4000000000{number:02}")
}

fn managed(text: &str) -> String {
    format!("[ownership]\naccess = \"managed\"\n{text}")
}

/// Returns the blueprint without the entry that has this line.
fn without(line: &str) -> String {
    let entries: Vec<&str> = ACCESS.split("[[access]]").collect();
    let kept = entries.into_iter().filter(|entry| !entry.contains(line));
    kept.collect::<Vec<_>>().join("[[access]]")
}

/// Returns a fixture whose blueprint was applied.
async fn applied() -> Fixture {
    let mut company = Company::small(3, 3)
        .team("deployers", &["person.00002@example.com"])
        .team("auditors", &["person.00003@example.com"]);
    let web = (1..=ACCOUNTS).map(|number| {
        let seed = AccountSeed::new(
            &account(number),
            &format!("web-{number:02}"),
            "Workloads/Web",
        );
        seed.with_tag("team", "web")
    });
    company.accounts.extend(web);
    let sandbox = Sandbox::builder().company(company);
    let fixture = Fixture::with_sandbox(sandbox, &managed(ACCESS)).await;
    fixture.run().await.expect("a run");
    fixture
}

impl Fixture {
    /// Plans another text of the blueprint.
    async fn plan_of(&mut self, text: &str) -> Plan {
        self.blueprint = Blueprint::from_toml(text).expect("a blueprint");
        self.pipeline().plan().await.expect("a plan")
    }

    async fn tag(&self, account: &str, value: &str) {
        let tag = Tag::builder().key("team").value(value).build();
        let sdk = self.aws.sdk().organizations().tag_resource();
        let tagged = sdk.resource_id(account).tags(tag.expect("a tag")).send();
        tagged.await.expect("a tag");
    }

    /// Moves an account between the unit `Web` and the root.
    async fn move_account(&self, account: &str, to_root: bool) {
        let organizations = self.aws.organizations();
        let root = organizations.roots().try_collect().await.expect("roots")[0]
            .id
            .clone();
        let above = organizations
            .units_in(&root)
            .try_collect()
            .await
            .expect("units");
        let above = above.into_iter().find(|unit| unit.name == "Workloads");
        let units = organizations.units_in(&above.expect("a unit").id);
        let units = units.try_collect().await.expect("units");
        let web = units
            .into_iter()
            .find(|unit| unit.name == "Web")
            .expect("a unit");
        let (from, to) = if to_root {
            (web.id, root)
        } else {
            (root, web.id)
        };
        let sdk = self.aws.sdk().organizations().move_account();
        let moved = sdk
            .account_id(account)
            .source_parent_id(from.as_str())
            .destination_parent_id(to.as_str());
        moved.send().await.expect("a moved account");
    }
}

fn removals(plan: &Plan) -> u64 {
    plan.removals().count() as u64
}

fn today() -> jiff::civil::Date {
    "2026-11-24".parse().expect("a date")
}

/// Returns a history of a week that has these removals of assignments, as a share of all.
fn history(removals: u64) -> RemovalHistory {
    let mut history = RemovalHistory::default();
    history.since = Some("2026-01-01".parse().expect("a date"));
    let mut removed = Removed::default();
    removed.removals = removals;
    removed.parts_per_million = (removals * 1_000_000).div_ceil(ALL);
    let kinds = BTreeMap::from([(Kind::Assignment, removed)]);
    history
        .days
        .insert("2026-11-22".parse().expect("a date"), kinds);
    history
}

fn is_allowed(guard: &Guard, plan: &Plan, history: &RemovalHistory) -> bool {
    match guard.check(plan, history, today()) {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::GuardRejected, "{error}");
            false
        }
    }
}

/// A guard that allows up to this share of the assignments in a run, and 15 % in a week.
fn share(percent: u8) -> Guard {
    let limit = KindLimit {
        per_run: u32::MAX,
        per_run_percent: percent,
        per_window: u32::MAX,
        per_window_percent: 15,
    };
    Guard {
        limits: BTreeMap::from([(Kind::Assignment, limit)]),
        ..Guard::default()
    }
}

/// Mistakes in the blueprint, each with the number of assignments that the plan then removes.
fn mistakes() -> Vec<(&'static str, String, u64)> {
    let three = "accounts = { ou = [\"Web\"], except = [\"web-01\", \"web-02\", \"web-03\"] }";
    let n = ACCOUNTS as u64;
    vec![
        ("an entry is deleted", managed(&without(DEPLOYERS)), n),
        (
            "two entries are deleted",
            managed(&without("group = ")),
            2 * n,
        ),
        (
            "the group of an entry is renamed",
            managed(&ACCESS.replace("\"deployers\"", "\"aws-users\"")),
            n,
        ),
        (
            "the permission set of an entry is renamed",
            managed(&ACCESS.replace("Deploy", "Release")),
            n,
        ),
        (
            "the exceptions grow",
            managed(&ACCESS.replace(DEPLOYERS, three)),
            3,
        ),
        (
            "an entry has expired",
            managed(&ACCESS.replace(DEPLOYERS, &format!("{DEPLOYERS}\nuntil = \"2026-11-01\""))),
            n,
        ),
        (
            "a filter becomes a list",
            managed(&ACCESS.replace(DEPLOYERS, "accounts = [\"web-01\"]")),
            n - 1,
        ),
        (
            "a unit is misspelt",
            managed(&ACCESS.replace("\"Web\"", "\"Wep\"")),
            0,
        ),
        (
            "a tag is misspelt",
            managed(&ACCESS.replace("team = \"web\"", "team = \"wep\"")),
            0,
        ),
        (
            "an exception is misspelt",
            managed(&ACCESS.replace(
                DEPLOYERS,
                "accounts = { ou = [\"Web\"], except = [\"wep-01\"] }",
            )),
            0,
        ),
        (
            "a pattern matches nothing",
            managed(&ACCESS.replace(DEPLOYERS, "accounts = [\"wep-*\"]")),
            0,
        ),
        (
            "the mode is add",
            ACCESS.replace(DEPLOYERS, "accounts = [\"web-01\"]"),
            0,
        ),
        (
            "the scope of exclusive is misspelt",
            format!(
                "[ownership]\naccess = \"exclusive\"\n[scope]\naccounts = {{ ou = [\"Wep\"] }}\n{}",
                without(DEPLOYERS)
            ),
            n,
        ),
        (
            "the group is protected",
            format!(
                "[protect]\ngroups = [\"deploy*\"]\n{}",
                managed(&without(DEPLOYERS))
            ),
            0,
        ),
        (
            "the accounts are protected",
            format!(
                "[protect]\naccounts = [\"web-*\"]\n{}",
                managed(&without("group = "))
            ),
            0,
        ),
        (
            "the blueprint has another name",
            format!("name = \"other\"\n{}", managed(&without(DEPLOYERS))),
            0,
        ),
    ]
}

#[tokio::test]
async fn a_mistake_in_the_blueprint_is_refused_or_removes_nothing() {
    let mut fixture = applied().await;
    for (situation, text, expected) in mistakes() {
        let plan = fixture.plan_of(&text).await;
        assert_eq!(removals(&plan), expected, "{situation}: {plan}");
        let passes = is_allowed(&Guard::default(), &plan, &history(0));
        assert_eq!(passes, expected == 0, "{situation}");
        if expected > 0 {
            // Nothing but the approval of exactly these removals, or a limit, leads out.
            let approved = Guard {
                approved: plan.removals_id().into_iter().collect(),
                ..Guard::default()
            };
            assert!(is_allowed(&approved, &plan, &history(0)), "{situation}");
            let other = Guard {
                approved: ["0000000000".to_owned()].into(),
                ..Guard::default()
            };
            assert!(!is_allowed(&other, &plan, &history(0)), "{situation}");
        }
    }
}

#[tokio::test]
async fn a_change_of_the_organization_is_refused_or_removes_nothing() {
    let mut fixture = applied().await;
    let text = managed(ACCESS);
    let first = account(1);
    fixture.tag(&first, "none").await;
    assert_eq!(
        removals(&fixture.plan_of(&text).await),
        1,
        "one tag is dropped"
    );
    for number in 2..=ACCOUNTS {
        fixture.tag(&account(number), "none").await;
    }
    assert_eq!(
        removals(&fixture.plan_of(&text).await),
        0,
        "all tags are dropped"
    );
    for number in 1..=ACCOUNTS {
        fixture.tag(&account(number), "web").await;
    }
    fixture.move_account(&first, true).await;
    let plan = fixture.plan_of(&text).await;
    assert_eq!(removals(&plan), 1, "an account is moved: {plan}");
    assert!(!is_allowed(&Guard::default(), &plan, &history(0)));
    fixture.move_account(&first, false).await;
    for state in [
        AccountState::Suspended,
        AccountState::PendingClosure,
        AccountState::Closed,
    ] {
        fixture.sandbox.set_account_state(&first, state);
        let plan = fixture.plan_of(&text).await;
        assert_eq!(removals(&plan), 0, "an account is {state:?}: {plan}");
    }
    fixture
        .sandbox
        .set_account_state(&first, AccountState::Active);
    fixture.delete_aws_group("deployers").await;
    let plan = fixture.plan_of(&text).await;
    assert_eq!(
        removals(&plan),
        ACCOUNTS as u64,
        "a group is deleted in AWS: {plan}"
    );
    assert!(!is_allowed(&Guard::default(), &plan, &history(0)));
}

#[tokio::test]
async fn shares_count_what_was_removed_before() {
    let mut fixture = applied().await;
    let one = ACCESS.replace(
        DEPLOYERS,
        "accounts = { ou = [\"Web\"], except = [\"web-01\"] }",
    );
    let one = fixture.plan_of(&managed(&one)).await;
    let two = ACCESS
        .replace(
            DEPLOYERS,
            "accounts = { ou = [\"Web\"], except = [\"web-01\"] }",
        )
        .replace(
            AUDITORS,
            "accounts = { tag = { team = \"web\" }, except = [\"web-01\"] }",
        );
    let two = fixture.plan_of(&managed(&two)).await;
    assert_eq!((removals(&one), removals(&two)), (1, 2));
    // 1 of 21 is 4.8 %, 2 of 21 are 9.5 %.
    for (plan, percent, expected) in [
        (&one, 4, false),
        (&one, 5, true),
        (&two, 9, false),
        (&two, 10, true),
    ] {
        assert_eq!(
            is_allowed(&share(percent), plan, &history(0)),
            expected,
            "{percent} %"
        );
    }
    // 9 % a run, week after week: the second run of a week is refused.
    assert!(!is_allowed(&share(10), &two, &history(2)), "19 % in a week");
    assert!(
        is_allowed(&share(10), &one, &history(2)),
        "14.3 % in a week"
    );
    // A lost state has no history, which uses up the week.
    assert!(!is_allowed(&share(10), &one, &RemovalHistory::default()));
    let per_run = |removals| Guard {
        limits: BTreeMap::from([(Kind::Assignment, KindLimit::per_run(removals))]),
        ..Guard::default()
    };
    assert!(is_allowed(&per_run(2), &two, &RemovalHistory::default()));
    assert!(!is_allowed(&per_run(1), &two, &RemovalHistory::default()));
    // A limit of another kind does not help.
    let other = Guard {
        limits: BTreeMap::from([(Kind::Membership, KindLimit::per_run(9))]),
        ..Guard::default()
    };
    assert!(!is_allowed(&other, &one, &history(0)));
}

#[tokio::test]
async fn two_kinds_at_once_and_the_last_administrator() {
    let mut fixture = applied().await;
    let text = without("ada.lovelace").replace("[\"PowerUserAccess\"]", "[\"ReadOnlyAccess\"]");
    let plan = fixture.plan_of(&managed(&text)).await;
    assert_eq!(removals(&plan), 2, "an assignment and a policy: {plan}");
    let limits = |assignments, policies| Guard {
        limits: BTreeMap::from([
            (Kind::Assignment, KindLimit::per_run(assignments)),
            (Kind::Policy, KindLimit::per_run(policies)),
        ]),
        allowed: [format!("last-administrator:{}", "200000000002")].into(),
        ..Guard::default()
    };
    for (guard, expected) in [
        (limits(1, 1), true),
        (limits(1, 0), false),
        (limits(0, 1), false),
    ] {
        assert_eq!(
            is_allowed(&guard, &plan, &history(0)),
            expected,
            "{guard:?}"
        );
    }
    let hazards: Vec<&Hazard> = plan.hazards().collect();
    assert!(
        matches!(hazards[..], [Hazard::LastAdministrator { .. }]),
        "{hazards:?}"
    );
    let approved = Guard {
        approved: plan.removals_id().into_iter().collect(),
        ..Guard::default()
    };
    assert!(
        !is_allowed(&approved, &plan, &history(0)),
        "the approval lifts no hazard"
    );
    // Without its removals, the rest of the plan is made.
    let withhold = Guard {
        excess: Excess::WithholdRemovals,
        ..Guard::default()
    };
    let pipeline = fixture.pipeline().guard(withhold);
    let report: Report = pipeline.apply(&plan).await.expect("a report");
    // The removals, the policy that replaces another one, and its provisioning.
    assert_eq!(report.skipped(), 4, "{report:?}");
    assert_eq!(fixture.assignments().len() as u64, ALL);
}

/// The sources of the tests that the table names.
const TESTS: &[&str] = &[
    include_str!("mass_removals.rs"),
    include_str!("by_hand.rs"),
    include_str!("owned_app.rs"),
    include_str!("owned_sets.rs"),
    include_str!("ownership.rs"),
    include_str!("removals.rs"),
    include_str!("sync/incomplete.rs"),
    include_str!("sync/guard.rs"),
];

#[test]
fn each_situation_of_the_guard_has_a_test() {
    let page = include_str!("../../docs/GUARD.md");
    let (_, table) = page
        .split_once("## Mistakes that could take away the access of many")
        .expect("the table");
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let rows: Vec<&str> = rows
        .skip(1)
        .filter(|line| !line.starts_with("| ---"))
        .collect();
    assert!(rows.len() >= 30, "{} situations", rows.len());
    let situations: std::collections::BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| row.split(" | ").next())
        .collect();
    assert_eq!(situations.len(), rows.len(), "each situation once");
    for row in rows {
        let tests = row.trim_end_matches(" |").rsplit(" | ").next();
        let tests = tests.expect("a cell").split(", ");
        for test in tests {
            let name = test.trim_matches('`');
            let function = format!("async fn {name}(");
            let is_known = TESTS.iter().any(|source| source.contains(&function));
            assert!(is_known, "no test {name}: {row}");
        }
    }
}
