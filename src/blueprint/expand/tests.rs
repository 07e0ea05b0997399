use std::{collections::BTreeSet, env, fs, path::PathBuf, sync::Arc};

use aws_sso_glue::{AccountId, estate::Organization};
use jiff::civil::date;

use super::{EarlierMatches, Expansion, Row};
use crate::{
    Blueprint,
    blueprint::select::tests::{account_id, organization},
};

mod property;

const ACTIVE: &str = "ACTIVE";

fn company() -> Arc<Organization> {
    organization(
        &["Production", "Development"],
        &[
            (1, "Management", "", ACTIVE, &[]),
            (2, "web-prod", "Production", ACTIVE, &[("team", "web")]),
            (3, "web-dev", "Development", ACTIVE, &[("team", "web")]),
            (4, "app-prod", "Production", ACTIVE, &[("team", "app")]),
            (5, "app-dev", "Development", ACTIVE, &[("team", "app")]),
            (6, "old", "Production", "SUSPENDED", &[]),
        ],
    )
}

fn today() -> jiff::civil::Date {
    date(2026, 11, 28)
}

#[track_caller]
fn blueprint(text: &str) -> Blueprint {
    Blueprint::from_toml(text).expect(text)
}

#[track_caller]
fn expand(text: &str) -> Expansion {
    blueprint(text).expand(&company(), today(), &EarlierMatches::new())
}

/// Returns rows as `principal set account [entries]`.
fn texts<'a>(rows: impl Iterator<Item = Row<'a>>) -> Vec<String> {
    let text = |row: Row<'_>| {
        format!(
            "{} {} {} {:?}{}",
            row.principal,
            row.permission_set,
            row.account.name.as_deref().unwrap_or_default(),
            row.entries,
            if row.protected { " protected" } else { "" }
        )
    };
    rows.map(text).collect()
}

#[test]
fn rows_are_sorted_and_merged_with_the_entries_that_give_them() {
    let access = expand(
        "
        [[access]]
        groups = { b = 'ReadOnlyAccess', a = ['ReadOnlyAccess', 'Billing'] }
        accounts = { ou = ['Production'] }
        [[access]]
        user = 'u'
        account = 'web-dev'
        permission_set = 'Billing'
        [[access]]
        group = 'a'
        accounts = ['web-prod', 'web-prod*']
        permission_set = 'Billing'
        protected = true",
    );
    assert_eq!(
        texts(access.rows()),
        [
            "user u Billing web-dev [1]",
            "group a Billing web-prod [0, 2] protected",
            "group a Billing app-prod [0]",
            "group a ReadOnlyAccess web-prod [0]",
            "group a ReadOnlyAccess app-prod [0]",
            "group b ReadOnlyAccess web-prod [0]",
            "group b ReadOnlyAccess app-prod [0]",
        ]
    );
    let group = crate::blueprint::PrincipalSpec::Group("a".to_owned());
    assert!(access.row(&group, "Billing", &account_id(4)).is_some());
    assert!(access.row(&group, "Billing", &account_id(3)).is_none());
    assert!(access.row(&group, "Other", &account_id(4)).is_none());
}

fn earlier(text: &str, numbers: &[u32]) -> EarlierMatches {
    let access = expand(text);
    let keys = access.matches.keys().cloned();
    let ids: BTreeSet<AccountId> = numbers.iter().map(|number| account_id(*number)).collect();
    keys.map(|key| (key, ids.clone())).collect()
}

const PRODUCTION: &str = "
    [[access]]
    group = 'a'
    accounts = { ou = ['Production'] }
    permission_set = 'Billing'";

#[test]
fn a_selection_has_the_new_and_the_skipped_accounts_by_name() {
    let first = expand(PRODUCTION);
    assert_eq!(
        first.selections[0].to_string(),
        "ou Production: 2 accounts, 1 skipped (old is suspended)"
    );
    let earlier = earlier(PRODUCTION, &[2]);
    let second = blueprint(PRODUCTION).expand(&company(), today(), &earlier);
    assert_eq!(
        second.selections[0].to_string(),
        "ou Production: 2 accounts, 1 new (app-prod), 1 skipped (old is suspended)"
    );
    assert_eq!(second.selections[0].entries, ["access[0] (line 2)"]);
    assert!(!second.selections[0].grown);
    let third = blueprint(PRODUCTION).expand(&company(), today(), &second.matches);
    assert_eq!(third.selections[0].new, []);
}

#[test]
fn an_account_that_is_no_longer_active_keeps_its_access() {
    let earlier = earlier(PRODUCTION, &[2, 4, 5, 6]);
    let access = blueprint(PRODUCTION).expand(&company(), today(), &earlier);
    assert_eq!(texts(access.kept()), ["group a Billing old [0]"]);
    // The account that was moved to another unit loses it.
    assert_eq!(access.rows().len(), 2);
    assert!(
        access
            .matches
            .values()
            .all(|ids| ids.contains(&account_id(6)))
    );
    assert_eq!(access.problems, []);
}

#[test]
fn a_selector_that_matches_nothing_is_a_problem_and_removes_nothing() {
    let text = "
        [[access]]
        group = 'a'
        accounts = { ou = ['Prod'] }
        permission_set = 'Billing'
        [[access]]
        group = 'b'
        account = 'web-dev'
        permission_set = 'Billing'
        [[access]]
        group = 'a'
        account = 'web-prod'
        permission_set = 'Billing'
        until = 2026-11-01";
    let access = blueprint(text).expand(&company(), today(), &earlier(text, &[2, 4]));
    assert_eq!(texts(access.rows()), ["group b Billing web-dev [1]"]);
    assert_eq!(
        texts(access.kept()),
        [
            "group a Billing web-prod [0]",
            "group a Billing app-prod [0]"
        ]
    );
    // The selector with the problem may give what has expired.
    assert_eq!(access.expired().len(), 0);
    let group = |name: &str| crate::blueprint::PrincipalSpec::Group(name.to_owned());
    assert!(access.is_unresolved(&group("a"), "Billing"));
    assert!(!access.is_unresolved(&group("b"), "Billing"));
    let problem = &access.problems[0];
    assert_eq!(problem.message, "organizational unit `Prod` does not exist");
    assert_eq!(
        problem.help,
        "did you mean Production? Correct the blueprint"
    );
    assert_eq!(
        serde_json::to_value(&problem.subject).expect("JSON")["path"],
        "access[0] (line 2)"
    );
}

#[test]
fn a_named_account_with_a_problem_does_not_stop_the_others() {
    let access = expand(
        "
        [[access]]
        groups = { a = 'Billing', b = 'Billing' }
        accounts = ['old', 'web-prod']
        [[access]]
        group = 'c'
        account = 'old'
        permission_set = 'Billing'",
    );
    assert_eq!(access.rows().len(), 2);
    // Two entries name the account.
    assert_eq!(access.problems.len(), 1);
}

#[test]
fn growth_by_more_than_half_and_ten_accounts_is_reported() {
    let names: Vec<String> = (0..40).map(|number| format!("a-{number}")).collect();
    let accounts: Vec<_> = names
        .iter()
        .zip(2..)
        .map(|(name, number)| (number, name.as_str(), "", ACTIVE, &[][..]))
        .collect();
    let organization = organization(&[], &accounts);
    let text = "
        [[access]]
        group = 'a'
        accounts = { all = true }
        permission_set = 'Billing'";
    let key = expand(text).matches.keys().next().cloned().expect("a key");
    for (before, grown) in [
        (0, true),
        (26, true),
        (27, false),
        (30, false),
        (31, false),
        (40, false),
    ] {
        let ids: BTreeSet<AccountId> = (2..2 + before).map(account_id).collect();
        let earlier = EarlierMatches::from([(key.clone(), ids)]);
        let access = blueprint(text).expand(&organization, today(), &earlier);
        assert_eq!(access.selections[0].grown, grown, "{before}");
    }
    let first = blueprint(text).expand(&organization, today(), &EarlierMatches::new());
    assert!(!first.selections[0].grown);
}

#[test]
fn an_entry_is_valid_on_its_last_day_and_then_gives_nothing() {
    let text = "
        [[access]]
        group = 'a'
        accounts = { ou = ['Production'] }
        permission_set = 'Billing'
        until = '2026-12-31'
        [[access]]
        group = 'a'
        account = 'web-prod'
        permission_set = 'Billing'";
    let blueprint = blueprint(text);
    let on = |day| blueprint.expand(&company(), day, &EarlierMatches::new());
    let codes = |access: &Expansion| -> Vec<String> {
        access
            .notes
            .iter()
            .map(|note| note.code.to_string())
            .collect()
    };
    let long_before = on(date(2026, 12, 16));
    assert_eq!(
        (long_before.rows().len(), long_before.expired().len()),
        (2, 0)
    );
    assert_eq!(codes(&long_before), [""; 0]);
    let before = on(date(2026, 12, 17));
    assert_eq!(codes(&before), ["expires-soon"]);
    let last_day = on(date(2026, 12, 31));
    assert_eq!((last_day.rows().len(), last_day.expired().len()), (2, 0));
    let after = on(date(2027, 1, 1));
    assert_eq!(texts(after.rows()), ["group a Billing web-prod [1]"]);
    assert_eq!(texts(after.expired()), ["group a Billing app-prod [0]"]);
    assert_eq!(codes(&after), ["expired"]);
    assert_eq!(after.selections, []);
}

#[test]
fn the_management_account_is_noted_once() {
    let text = "
        [[access]]
        group = 'a'
        accounts = { all = true }
        permission_set = 'Billing'
        [[access]]
        group = 'b'
        accounts = ['*']
        permission_set = 'Billing'
        [[access]]
        group = 'c'
        account = 'Management'
        permission_set = 'Billing'";
    let access = expand(text);
    assert_eq!(access.notes.len(), 1, "{:?}", access.notes);
    assert!(
        access.notes[0]
            .text
            .starts_with("management account not included")
    );
    let management = access.rows().filter(|row| row.account.id == account_id(1));
    assert_eq!(texts(management), ["group c Billing Management [2]"]);
}

#[test]
fn a_blueprint_says_what_its_selectors_need() {
    let organization = company();
    let needs = |text: &str| {
        let blueprint = blueprint(text);
        (
            blueprint.needs_units(),
            blueprint.needs_tags(&organization).len(),
        )
    };
    let with = |accounts: &str| {
        format!("[[access]]\ngroup = 'a'\naccounts = {accounts}\npermission_set = 'Billing'")
    };
    assert_eq!(needs(&with("['web-*']")), (false, 0));
    assert_eq!(needs(&with("{ all = true }")), (false, 0));
    assert_eq!(
        needs(&with("{ all = true, except = { ou = ['Production'] } }")),
        (true, 0)
    );
    assert_eq!(
        needs(&with("{ tag = { team = 'web' }, ou = ['Development'] }")),
        (true, 2)
    );
}

/// The organization of the blueprints `proposed.toml` and `company.toml`: 300 accounts, 40 teams.
fn large_organization() -> Arc<Organization> {
    let mut accounts = Vec::new();
    for (kind, unit, count) in [
        ("prod", "Workloads/Production", 120),
        ("dev", "Workloads/Development", 120),
        ("sandbox", "Sandbox", 58),
    ] {
        for number in 0..count {
            let team = if kind == "sandbox" {
                number
            } else {
                number / 3
            };
            let team = (team < 40).then(|| ("team", format!("team-{team:02}")));
            accounts.push((format!("{kind}-{number:03}"), unit, team));
        }
    }
    accounts.extend([
        ("Audit".to_owned(), "Security", None),
        ("Log Archive".to_owned(), "Security", None),
        ("Quarantine 1".to_owned(), "Suspended", None),
    ]);
    let tags: Vec<Vec<(&str, &str)>> = accounts
        .iter()
        .map(|(_, _, team)| {
            team.iter()
                .map(|(key, value)| (*key, value.as_str()))
                .collect()
        })
        .collect();
    let mut seeds: Vec<_> = accounts
        .iter()
        .zip(&tags)
        .zip(2..)
        .map(|(((name, unit, _), tags), number)| {
            (number, name.as_str(), *unit, ACTIVE, tags.as_slice())
        })
        .collect();
    seeds.push((1, "Management", "", ACTIVE, &[]));
    organization(
        &[
            "Workloads",
            "Workloads/Production",
            "Workloads/Development",
            "Sandbox",
            "Security",
            "Suspended",
        ],
        &seeds,
    )
}

/// Checks that a blueprint of selectors gives the assignments of one that names each account, and the number of removals after
/// the last day of an entry.
fn check_equal(selectors: &str, names: &str, assignments: usize, expired: usize) {
    let organization = large_organization();
    let on = |text: &str, day| blueprint(text).expand(&organization, day, &EarlierMatches::new());
    let rows = |access: &Expansion| -> Vec<String> {
        let rows = access.rows();
        rows.map(|row| {
            format!(
                "{} {} {}",
                row.principal, row.permission_set, row.account.id
            )
        })
        .collect()
    };
    let selected = on(selectors, today());
    assert_eq!(selected.problems, []);
    assert_eq!(selected.rows().len(), assignments);
    assert_eq!(rows(&selected), rows(&on(names, today())));
    let after = on(selectors, date(2027, 4, 1));
    assert_eq!(after.expired().len(), expired);
    assert_eq!(after.rows().len(), assignments - expired);
}

#[test]
fn selectors_give_the_assignments_of_the_list_of_names() {
    check_equal(
        include_str!("tests/selectors.toml"),
        include_str!("tests/names.toml"),
        28,
        6,
    );
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test may block its thread")]
fn the_collected_blueprint_of_selectors_gives_the_assignments_of_the_one_of_names() {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/cases/blueprint");
    let folder = env::var_os("BLUEPRINT_CASES").map_or_else(beside, PathBuf::from);
    let read = |name: &str| fs::read_to_string(folder.join(name));
    let (Ok(selectors), Ok(names)) = (read("proposed.toml"), read("company.toml")) else {
        eprintln!(
            "skipped: the collected blueprints are missing; set BLUEPRINT_CASES to their folder"
        );
        return;
    };
    check_equal(&selectors, &names, 1656, 36);
}
