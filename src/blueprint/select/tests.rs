use std::sync::Arc;

use aws_sso_glue::{Account, AccountState, OrganizationalUnit, estate::Organization};

use super::{needs_tags, select};
use crate::blueprint::{Access, Accounts};

/// An account: number, name, unit, state and tags.
pub(crate) type Seed<'a> = (u32, &'a str, &'a str, &'a str, &'a [(&'a str, &'a str)]);

/// Returns an organization of units, as paths, and of accounts. The id of an account ends in
/// its number, that of a unit in its position.
pub(crate) fn organization(units: &[&str], accounts: &[Seed<'_>]) -> Arc<Organization> {
    let root = "r-ab12".parse().expect("an id");
    let id = |path: &str| {
        let position = units.iter().position(|unit| *unit == path);
        let position = position.expect("a unit of the list") + 1;
        format!("ou-ab12-{position:08}").parse().expect("an id")
    };
    let mut all = vec![OrganizationalUnit::new(
        "r-ab12".parse().expect("an id"),
        "Root",
        None,
    )];
    for unit in units {
        let (parent, name) = match unit.rsplit_once('/') {
            Some((parent, name)) => (id(parent), name),
            None => ("r-ab12".parse().expect("an id"), *unit),
        };
        all.push(OrganizationalUnit::new(id(unit), name, Some(parent)));
    }
    let accounts = accounts.iter().map(|(number, name, unit, state, tags)| {
        let mut account = Account::new(account_id(*number), *name);
        account.state = AccountState::from((*state).to_owned());
        let ends = unit
            .match_indices('/')
            .map(|(end, _)| end)
            .chain([unit.len()]);
        let above = ends.filter(|end| *end > 0).map(|end| id(&unit[..end]));
        account.path = Some(std::iter::once(Clone::clone(&root)).chain(above).collect());
        let tags = tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        account.tags = Some(tags.collect());
        account
    });
    Arc::new(Organization::new(account_id(1), accounts.collect(), all))
}

pub(crate) fn account_id(number: u32) -> aws_sso_glue::AccountId {
    let id = format!("1000000{number:05}");
    id.parse().expect("an id")
}

const ACTIVE: &str = "ACTIVE";

fn company() -> Arc<Organization> {
    organization(
        &[
            "Workloads",
            "Workloads/Production",
            "Workloads/Development",
            "Sandbox",
            "Security",
            "Suspended",
            "Legacy",
            "Legacy/Production",
            "Empty",
        ],
        &[
            (1, "Management", "", ACTIVE, &[]),
            (
                2,
                "web-prod",
                "Workloads/Production",
                ACTIVE,
                &[("team", "web")],
            ),
            (
                3,
                "web-dev",
                "Workloads/Development",
                ACTIVE,
                &[("team", "web"), ("stage", "dev")],
            ),
            (
                4,
                "app-prod",
                "Workloads/Production",
                ACTIVE,
                &[("team", "app")],
            ),
            (
                5,
                "app-dev",
                "Workloads/Development",
                ACTIVE,
                &[("team", "app")],
            ),
            (6, "sandbox-1", "Sandbox", ACTIVE, &[("team", "web")]),
            (7, "Audit", "Security", ACTIVE, &[]),
            (8, "Log Archive", "Security", ACTIVE, &[]),
            (
                9,
                "old-prod",
                "Legacy/Production",
                "SUSPENDED",
                &[("team", "web")],
            ),
            (
                10,
                "new-dev",
                "Workloads/Development",
                "PENDING_ACTIVATION",
                &[("team", "app")],
            ),
            (11, "gone", "Workloads/Development", "CLOSED", &[]),
            (12, "twin", "Sandbox", ACTIVE, &[]),
            (13, "twin", "Security", ACTIVE, &[]),
            (14, "phoenix", "Sandbox", ACTIVE, &[]),
            (15, "phoenix", "Suspended", "CLOSED", &[]),
            (16, "odd", "Sandbox", "HIBERNATING", &[]),
            (17, "star*", "Sandbox", ACTIVE, &[]),
            (18, "leaving", "Sandbox", "PENDING_CLOSURE", &[]),
        ],
    )
}

fn selector(toml: &str) -> Accounts {
    let access: Access = toml::from_str(&format!("accounts = {toml}")).expect(toml);
    access.accounts
}

/// Returns the numbers of the matched accounts, the skipped ones after `~`, `no-management` if the management account would
/// match, and the messages of the faults after `!`.
fn outcome(toml: &str, organization: &Organization) -> String {
    let found = select(&selector(toml), organization);
    let number = |position: &usize| {
        organization.accounts()[*position].id.as_str()[7..]
            .trim_start_matches('0')
            .to_owned()
    };
    let matched = found.accounts.iter().map(number);
    let skipped = found
        .skipped
        .iter()
        .map(|position| format!("~{}", number(position)));
    let without = found
        .without_management_account
        .then(|| "no-management".to_owned());
    let faults = found
        .faults
        .iter()
        .map(|fault| format!("! {}", fault.message));
    let all: Vec<String> = matched
        .chain(skipped)
        .chain(without)
        .chain(faults)
        .collect();
    all.join(" ")
}

const EVERYTHING: &str = "2 3 4 5 6 7 8 12 13 14 17 ~9 ~10 ~11 ~15 ~16 ~18";

#[test]
fn lists_match_ids_exact_names_and_patterns() {
    let company = company();
    for (selector, expected) in [
        ("['web-prod']", "2"),
        ("['100000000002']", "2"),
        ("['web-prod', '100000000002']", "2"),
        ("['Management']", "1"),
        ("['100000000001']", "1"),
        ("['Log Archive']", "8"),
        ("['web-*']", "2 3"),
        ("['?eb-prod']", "2"),
        ("['*-prod']", "2 4 ~9"),
        ("['*']", &format!("{EVERYTHING} no-management")),
        // Patterns are case-sensitive, and match whole names.
        ("['WEB-*']", "! `WEB-*` matches no account"),
        ("['eb-*']", "! `eb-*` matches no account"),
        ("['old-*']", "~9 ! `old-*` matches no active account"),
        // A pattern matches names, and an id is never one.
        ("['10000000000?']", "! `10000000000?` matches no account"),
        (
            "['Manage*']",
            "no-management ! `Manage*` matches no account",
        ),
        // An exact name has priority over a pattern.
        ("['star*']", "17"),
        ("['phoenix']", "14"),
        (
            "['web']",
            "! account `web` does not exist in the organization",
        ),
        (
            "['999999999999']",
            "! account `999999999999` does not exist in the organization",
        ),
        (
            "['web-prod', 'nope']",
            "2 ! account `nope` does not exist in the organization",
        ),
        (
            "['twin']",
            "! `twin` is the name of 2 accounts: 100000000012, 100000000013",
        ),
        ("['100000000012']", "12"),
        (
            "['old-prod']",
            "! account old-prod (100000000009) is SUSPENDED: AWS does not accept assignments to it",
        ),
        (
            "['100000000009']",
            "! account old-prod (100000000009) is SUSPENDED: AWS does not accept assignments to it",
        ),
        (
            "['new-dev']",
            "! account new-dev (100000000010) is PENDING_ACTIVATION: AWS does not accept assignments to it",
        ),
        (
            "['gone']",
            "! account gone (100000000011) is CLOSED: AWS does not accept assignments to it",
        ),
        (
            "['odd']",
            "! account odd (100000000016) is HIBERNATING: AWS does not accept assignments to it",
        ),
        (
            "['leaving']",
            "! account leaving (100000000018) is PENDING_CLOSURE: AWS does not accept assignments to it",
        ),
    ] {
        assert_eq!(outcome(selector, &company), expected, "{selector}");
    }
}

#[test]
fn filters_match_active_accounts_with_all_keys() {
    let company = company();
    let everything = format!("{EVERYTHING} no-management");
    for (selector, expected) in [
        ("{ all = true }", &*everything),
        ("{ ou = ['r-ab12'] }", &everything),
        ("{ ou = ['Root'] }", &everything),
        ("{ ou = ['Sandbox'] }", "6 12 14 17 ~16 ~18"),
        ("{ ou = ['Workloads'] }", "2 3 4 5 ~10 ~11"),
        ("{ ou = ['Workloads/Production'] }", "2 4"),
        ("{ ou = ['/Workloads/Production/'] }", "2 4"),
        ("{ ou = ['ou-ab12-00000002'] }", "2 4"),
        (
            "{ ou = ['Development', 'Sandbox'] }",
            "3 5 6 12 14 17 ~10 ~11 ~16 ~18",
        ),
        (
            "{ ou = ['Production'] }",
            "! `Production` is the name of 2 organizational units: Workloads/Production (ou-ab12-00000002), Legacy/Production (ou-ab12-00000008)",
        ),
        (
            "{ ou = ['production'] }",
            "! organizational unit `production` does not exist",
        ),
        (
            "{ ou = ['Production/Workloads'] }",
            "! organizational unit `Production/Workloads` does not exist",
        ),
        (
            "{ ou = ['ou-ab12-99999999'] }",
            "! organizational unit `ou-ab12-99999999` does not exist",
        ),
        (
            "{ ou = ['Development', 'Typo'] }",
            "3 5 ~10 ~11 ! organizational unit `Typo` does not exist",
        ),
        ("{ ou = ['Empty'] }", "! `ou Empty` matches no account"),
        (
            "{ ou = ['Suspended'] }",
            "~15 ! `ou Suspended` matches no account that is active: it matches phoenix (100000000015)",
        ),
        ("{ tag = { team = 'web' } }", "2 3 6 ~9"),
        ("{ tag = { team = ['web', 'app'] } }", "2 3 4 5 6 ~9 ~10"),
        ("{ tag = { team = 'w?b' } }", "2 3 6 ~9"),
        ("{ tag = { team = '*' } }", "2 3 4 5 6 ~9 ~10"),
        ("{ tag = { team = 'web', stage = 'dev' } }", "3"),
        (
            "{ tag = { team = 'Web' } }",
            "! `tag team = Web` matches no account",
        ),
        (
            "{ tag = { Team = 'web' } }",
            "! `tag Team = web` matches no account",
        ),
        ("{ tag = { team = 'web' }, ou = ['Development'] }", "3"),
        (
            "{ tag = { team = 'web' }, ou = ['Security'] }",
            "! `ou Security, tag team = web` matches no account",
        ),
        ("{ name = ['*-dev'] }", "3 5 ~10"),
        ("{ name = ['web-*', 'Audit'] }", "2 3 7"),
        (
            "{ name = ['nope'] }",
            "! account `nope` does not exist in the organization",
        ),
        (
            "{ name = ['twin'] }",
            "! `twin` is the name of 2 accounts: 100000000012, 100000000013",
        ),
        (
            "{ name = ['Management'] }",
            "no-management ! `name Management` matches no account, because a filter never matches the management account",
        ),
        (
            "{ ou = ['Workloads'], name = ['web-*'], tag = { team = 'web' } }",
            "2 3",
        ),
    ] {
        assert_eq!(outcome(selector, &company), expected, "{selector}");
    }
}

#[test]
fn exceptions_are_left_out_last_and_a_wrong_one_matches_nothing() {
    let company = company();
    for (except, expected) in [
        ("['web-prod']", "3 4 5 ~10 ~11"),
        ("['100000000002']", "3 4 5 ~10 ~11"),
        ("['web-*']", "4 5 ~10 ~11"),
        ("['none-*']", "2 3 4 5 ~10 ~11"),
        ("['gone']", "2 3 4 5 ~10"),
        ("['Management']", "2 3 4 5 ~10 ~11"),
        ("{ ou = ['Workloads/Production'] }", "3 5 ~10 ~11"),
        ("{ tag = { team = 'web' } }", "4 5 ~10 ~11"),
        ("{ tag = { team = 'none' } }", "2 3 4 5 ~10 ~11"),
        ("{ name = ['*-dev'], tag = { team = 'app' } }", "2 3 4 ~11"),
        (
            "['web-prd']",
            "! `except`: account `web-prd` does not exist in the organization",
        ),
        (
            "['999999999999']",
            "! `except`: account `999999999999` does not exist in the organization",
        ),
        (
            "['twin']",
            "! `except`: `twin` is the name of 2 accounts: 100000000012, 100000000013",
        ),
        (
            "{ ou = ['Typo'] }",
            "! `except`: organizational unit `Typo` does not exist",
        ),
        (
            "{ name = ['web-prd'] }",
            "! `except`: account `web-prd` does not exist in the organization",
        ),
        ("['*']", "! `ou Workloads, except *` matches no account"),
    ] {
        let selector = format!("{{ ou = ['Workloads'], except = {except} }}");
        assert_eq!(outcome(&selector, &company), expected, "{selector}");
    }
    // The closed account of the same name is left out too.
    assert_eq!(
        outcome(
            "{ ou = ['Sandbox', 'Suspended'], except = ['phoenix'] }",
            &company
        ),
        "6 12 17 ~16 ~18"
    );
    assert_eq!(
        outcome("{ all = true, except = ['Management'] }", &company),
        EVERYTHING
    );
}

#[test]
fn a_fault_names_similar_values() {
    let company = company();
    for (selector, expected) in [
        (
            "['web-prd']",
            "did you mean web-prod (100000000002) or web-dev (100000000003)? Correct the id or the name in the blueprint",
        ),
        (
            "['qqq']",
            "correct the id or the name in the blueprint; names are compared exactly",
        ),
        (
            "{ ou = ['Developmnt'] }",
            "did you mean Workloads/Development? Correct the blueprint",
        ),
        (
            "{ ou = ['Workloads/Prod'] }",
            "did you mean Workloads/Production, Workloads or Workloads/Development? Correct the unit in the blueprint",
        ),
        (
            "{ tag = { team = 'webb' } }",
            "did you mean web? Correct the blueprint",
        ),
        (
            "{ tag = { teem = 'web' } }",
            "did you mean team? Correct the blueprint",
        ),
        (
            "{ name = ['Management'] }",
            "name the account by its id: 100000000001",
        ),
        ("['twin']", "use the account id in the blueprint"),
        (
            "{ ou = ['Production'] }",
            "use the path or the id of the unit",
        ),
        ("['new-dev']", "run again once the account is active"),
    ] {
        let found = select(&super::tests::selector(selector), &company);
        assert_eq!(found.faults[0].help, expected, "{selector}");
    }
}

#[test]
fn tags_are_needed_only_for_the_accounts_that_match_the_other_keys() {
    let company = company();
    let count = |toml: &str| needs_tags(&selector(toml), &company).len();
    assert_eq!(count("['web-*']"), 0);
    assert_eq!(count("{ ou = ['Workloads'] }"), 0);
    assert_eq!(count("{ tag = { team = 'web' } }"), 18);
    assert_eq!(
        count("{ ou = ['Workloads/Production'], tag = { team = 'web' } }"),
        2
    );
    assert_eq!(
        count("{ ou = ['Workloads/Production'], except = { tag = { team = 'web' } } }"),
        2
    );
    let mut accounts = company.accounts().to_vec();
    for account in &mut accounts {
        account.tags = None;
    }
    let unread = Organization::new(account_id(1), accounts, company.units().to_vec());
    assert_eq!(
        outcome(
            "{ ou = ['Security'], name = ['Audit'], tag = { team = 'web' } }",
            &unread
        ),
        "! the tags of account Audit (100000000007) are not known"
    );
}
