//! Property tests with random organizations and filters.

use proptest::{collection::vec, prelude::*, sample::subsequence};

use super::*;
use crate::blueprint::{Access, AccountFilter, Accounts, OneOrMany};

const UNITS: [&str; 4] = ["A", "A/B", "C", "C/D"];
const STATES: [&str; 4] = [ACTIVE, ACTIVE, "SUSPENDED", "OTHER"];
const TEAMS: [&str; 3] = ["web", "app", "ops"];

/// An account: the positions of its unit, state and team.
type Seed = (usize, usize, usize);

fn random_organization(seeds: &[Seed]) -> Arc<Organization> {
    let names: Vec<String> = seeds
        .iter()
        .enumerate()
        .map(|(position, (_, _, team))| format!("{}-{position}", TEAMS[*team]))
        .collect();
    let tags: Vec<[(&str, &str); 1]> = seeds
        .iter()
        .map(|(_, _, team)| [("team", TEAMS[*team])])
        .collect();
    let accounts: Vec<_> = seeds
        .iter()
        .enumerate()
        .map(|(position, (unit, state, _))| {
            let number = u32::try_from(position).expect("a small number") + 1;
            (
                number,
                &*names[position],
                UNITS[*unit],
                STATES[*state],
                &tags[position][..],
            )
        })
        .collect();
    organization(&UNITS, &accounts)
}

fn names(of: &[&str]) -> Vec<String> {
    of.iter().map(|text| (*text).to_owned()).collect()
}

fn filter() -> impl Strategy<Value = AccountFilter> {
    let units = subsequence(UNITS.to_vec(), 0..=2);
    let teams = subsequence(TEAMS.to_vec(), 0..=2);
    let patterns = subsequence(vec!["web-*", "*-1?", "ops-?", "*"], 0..=2);
    let except = subsequence(vec!["app-*", "*-2", "zzz-*"], 0..=2);
    (units, teams, patterns, except).prop_map(|(units, teams, patterns, except)| AccountFilter {
        all: units.is_empty() && teams.is_empty() && patterns.is_empty(),
        ou: names(&units),
        tag: (!teams.is_empty())
            .then(|| ("team".to_owned(), OneOrMany(names(&teams))))
            .into_iter()
            .collect(),
        name: names(&patterns),
        except: (!except.is_empty()).then(|| Box::new(Accounts::Named(names(&except)))),
    })
}

/// Returns whether a filter matches an account, directly from its definition.
fn matches(filter: &AccountFilter, position: usize, seed: Seed) -> bool {
    let (unit, team) = (UNITS[seed.0], TEAMS[seed.2]);
    let name = format!("{team}-{position}");
    let like = |pattern: &String| wildmatch::WildMatch::new(pattern).matches(&name);
    let in_unit = |wanted: &String| unit == wanted || unit.starts_with(&format!("{wanted}/"));
    let is_excepted =
        matches!(filter.except.as_deref(), Some(Accounts::Named(names)) if names.iter().any(like));
    (filter.ou.is_empty() || filter.ou.iter().any(in_unit))
        && filter
            .tag
            .values()
            .all(|OneOrMany(teams)| teams.iter().any(|wanted| wanted == team))
        && (filter.name.is_empty() || filter.name.iter().any(like))
        && !is_excepted
        && STATES[seed.1] == ACTIVE
        && position != 0
}

fn access_of(accounts: Accounts) -> Blueprint {
    Blueprint {
        access: vec![Access {
            group: Some("a".to_owned()),
            permission_set: Some("Billing".to_owned()),
            accounts,
            ..Access::default()
        }],
        ..Blueprint::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_filter_matches_exactly_the_active_accounts_with_all_keys(
        seeds in vec((0..4_usize, 0..4_usize, 0..3_usize), 1..30),
        filter in filter(),
    ) {
        let organization = random_organization(&seeds);
        let blueprint = access_of(Accounts::Where(filter.clone()));
        prop_assert_eq!(blueprint.validate(), []);
        let access = blueprint.expand(&organization, today(), &EarlierMatches::new());
        let matched: Vec<AccountId> = access.rows().map(|row| row.account.id.clone()).collect();
        let expected: Vec<AccountId> = seeds
            .iter()
            .enumerate()
            .filter(|(position, seed)| matches(&filter, *position, **seed))
            .map(|(position, _)| account_id(u32::try_from(position).expect("a small number") + 1))
            .collect();
        prop_assert_eq!(&matched, &expected);
        // Nothing is lost without a problem.
        prop_assert_eq!(matched.is_empty(), !access.problems.is_empty());
        // A list of the matched ids gives the same rows.
        let ids = matched.iter().map(ToString::to_string).collect();
        let named = access_of(Accounts::Named(ids)).expand(&organization, today(), &EarlierMatches::new());
        prop_assert_eq!(texts(access.rows()), texts(named.rows()));
    }

    #[test]
    fn a_problem_or_a_state_takes_no_access_away(
        before in vec((0..4_usize, 0..2_usize, 0..3_usize), 2..30),
        states in vec(0..4_usize, 30),
        filter in filter(),
        typo in any::<bool>(),
    ) {
        let blueprint = access_of(Accounts::Where(filter.clone()));
        let first = blueprint.expand(&random_organization(&before), today(), &EarlierMatches::new());
        let given = texts(first.rows());
        let after: Vec<Seed> = before
            .iter()
            .zip(&states)
            .map(|((unit, _, team), state)| (*unit, *state, *team))
            .collect();
        let mut organization = random_organization(&after);
        if typo {
            // The units have other names.
            let mut units = organization.units().to_vec();
            for unit in &mut units {
                unit.name.push('x');
            }
            let accounts = organization.accounts().to_vec();
            organization = Arc::new(Organization::new(account_id(1), accounts, units));
        }
        let second = blueprint.expand(&organization, today(), &first.matches);
        let mut held = texts(second.rows());
        held.extend(texts(second.kept()));
        held.sort();
        for row in given {
            prop_assert!(held.contains(&row), "{row} of {filter:?}");
        }
    }
}
