//! Tests of collisions: examples, and a property with random resources.

use proptest::prelude::*;

use super::*;

fn key(name: u8) -> Key {
    (NameKind::Email, name.to_string())
}

fn ids() -> Vec<ExternalId> {
    (0..8).map(|id| ExternalId::new(id.to_string())).collect()
}

/// Returns the left-out resources. A claimant is its wanted values and its account.
fn left_out(claimants: &[(&[u8], Option<usize>)], accounts: &[&[u8]]) -> Vec<(usize, Holder)> {
    let ids = ids();
    let claimants: Vec<Claimant<'_>> = claimants
        .iter()
        .zip(&ids)
        .map(|((wanted, account), id)| Claimant {
            id,
            wanted: wanted.iter().copied().map(key).collect(),
            account: *account,
        })
        .collect();
    let accounts: Vec<Vec<Key>> = accounts
        .iter()
        .map(|keys| keys.iter().copied().map(key).collect())
        .collect();
    let found = collisions(&claimants, &accounts).into_iter();
    found.map(|(index, found)| (index, found.holder)).collect()
}

#[test]
fn the_user_that_has_the_value_in_the_target_keeps_it() {
    assert_eq!(
        left_out(&[(&[1], None), (&[1], Some(0))], &[&[1]]),
        [(0, Holder::Claimant(1))]
    );
}

#[test]
fn of_two_new_users_the_one_with_the_lower_id_gets_the_value() {
    assert_eq!(
        left_out(&[(&[1], None), (&[1], None)], &[]),
        [(1, Holder::Claimant(0))]
    );
}

#[test]
fn an_account_that_the_run_does_not_write_keeps_its_value() {
    assert_eq!(
        left_out(&[(&[1], None)], &[&[1]]),
        [(0, Holder::Account(0))]
    );
    // Users that swap values or pass them on do not collide.
    assert_eq!(
        left_out(&[(&[2], Some(0)), (&[1], Some(1))], &[&[1], &[2]]),
        []
    );
    assert_eq!(left_out(&[(&[2], Some(0)), (&[1], None)], &[&[1]]), []);
}

#[test]
fn a_user_that_is_left_out_keeps_the_values_of_its_account() {
    // User 0 cannot get the value 3 of an unmanaged account, so user 1 cannot get the value 1 of user 0.
    assert_eq!(
        left_out(&[(&[3], Some(0)), (&[1], None)], &[&[1], &[3]]),
        [(0, Holder::Account(1)), (1, Holder::Account(0))]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_written_users_have_unique_values_and_the_result_does_not_depend_on_the_order(
        wanted in prop::collection::vec(prop::collection::btree_set(0..6_u8, 0..3), 0..8),
        accounts in prop::collection::btree_map(0..6_u8, 0..5_usize, 0..6),
        matched in prop::collection::vec(prop::option::of(0..5_usize), 8),
        seed in 0..8_usize,
    ) {
        let ids = ids();
        let mut taken = HashSet::new();
        let claimants: Vec<Claimant<'_>> = wanted.iter().zip(&ids).zip(&matched)
            .map(|((wanted, id), account)| Claimant {
                id,
                wanted: wanted.iter().copied().map(key).collect(),
                account: account.filter(|account| taken.insert(*account)),
            })
            .collect();
        let mut held: Vec<Vec<Key>> = vec![Vec::new(); 5];
        for (name, account) in &accounts {
            held[*account].push(key(*name));
        }
        let found = collisions(&claimants, &held);
        // After the run, no two resources have the same value.
        let writes = |index: usize| !claimants[index].wanted.is_empty() && !found.contains_key(&index);
        let mut after: Vec<&Key> = Vec::new();
        for (account, keys) in held.iter().enumerate() {
            let written = (0..claimants.len()).any(|index| writes(index) && claimants[index].account == Some(account));
            if !written {
                after.extend(keys);
            }
        }
        for (index, claimant) in claimants.iter().enumerate() {
            if writes(index) {
                after.extend(&claimant.wanted);
            }
        }
        let unique: HashSet<&Key> = after.iter().copied().collect();
        prop_assert_eq!(unique.len(), after.len());
        // A user that keeps its values is never left out.
        for index in found.keys() {
            let claimant = &claimants[*index];
            let kept = claimant.account.is_some_and(|account| claimant.wanted.iter().all(|key| held[account].contains(key)));
            prop_assert!(!kept);
        }
        // The same users are left out in any order.
        let mut rotated = claimants.clone();
        rotated.rotate_left(seed.min(claimants.len()));
        let again: HashSet<&ExternalId> = collisions(&rotated, &held).keys().map(|index| rotated[*index].id).collect();
        let first: HashSet<&ExternalId> = found.keys().map(|index| claimants[*index].id).collect();
        prop_assert_eq!(again, first);
    }
}
