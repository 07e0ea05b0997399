//! Tests of the order of conflicting changes, against a model of a target that enforces unique names.

use proptest::prelude::*;

use super::*;

fn names(entries: &[(NameKind, &str)]) -> Names {
    let entries = entries.iter();
    entries
        .map(|(kind, name)| (*kind, (*name).to_owned()))
        .collect()
}

fn group(held: &str, wanted: &str) -> Claim {
    let kind = NameKind::GroupName;
    let held = [(kind, held)];
    Claim {
        held: names(if held[0].1.is_empty() { &[] } else { &held }),
        wanted: names(&[(kind, wanted)]),
        settled: false,
    }
}

fn user(held: [&str; 2], wanted: [&str; 2]) -> Claim {
    let both =
        |[name, email]: [&str; 2]| names(&[(NameKind::UserName, name), (NameKind::Email, email)]);
    Claim {
        held: both(held),
        wanted: both(wanted),
        settled: false,
    }
}

/// Shows the writes: one line per group, with the new names of each write.
fn show(claims: &[Claim]) -> Vec<String> {
    let groups = resolve(claims).into_iter().map(|group| {
        let writes = group.into_iter().map(|write| {
            let (index, names, mark) = match &write {
                Write::Change(index) => (index, &claims[*index].wanted, ""),
                Write::Rename(index, names) => (index, names, " for now"),
            };
            let names: Vec<&str> = names.values().map(String::as_str).collect();
            format!("{index} = {}{mark}", names.join("/"))
        });
        writes.collect::<Vec<_>>().join(", ")
    });
    groups.collect()
}

#[test]
fn the_holder_of_a_name_is_written_before_the_claimant() {
    let claims = [group("", "a"), group("a", "b"), group("b", "c")];
    assert_eq!(show(&claims), ["2 = c", "1 = b", "0 = a"]);
}

#[test]
fn two_swaps_are_written_side_by_side_with_one_temporary_name_each() {
    let claims = [
        group("a", "b"),
        group("b", "a"),
        group("c", "d"),
        group("d", "c"),
    ];
    assert_eq!(
        show(&claims),
        [
            "0 = renaming-a for now, 2 = renaming-c for now",
            "1 = a, 3 = c",
            "0 = b, 2 = d",
        ]
    );
}

#[test]
fn a_rename_takes_the_free_names_at_once_and_prefers_the_claim_that_wants_one() {
    let claims = [user(["a", "x"], ["b", "x"]), user(["b", "y"], ["a", "z"])];
    assert_eq!(
        show(&claims),
        ["1 = renaming-b/z for now", "0 = b/x", "1 = a/z"]
    );
}

#[test]
fn a_temporary_name_that_is_taken_gets_the_prefix_again() {
    let claims = [
        user(["a", "x"], ["b", "y"]),
        user(["b", "y"], ["a", "x"]),
        user(["renaming-a", "p"], ["renaming-a", "q"]),
        user(["n", "q"], ["n", "p"]),
    ];
    assert_eq!(
        show(&claims)[0],
        "0 = renaming-renaming-a/renaming-x for now, 2 = renaming-a/renaming-p for now"
    );
}

/// The temporary email address of the second cycle is the address that the first cycle releases at the same time.
#[test]
fn a_temporary_name_is_not_a_name_that_another_rename_of_the_same_group_releases() {
    let kind = NameKind::UserName;
    let without_email = |held, wanted| Claim {
        held: names(&[(kind, held)]),
        wanted: names(&[(kind, wanted)]),
        settled: false,
    };
    let claims = [
        user(["a", "renaming-x"], ["b", "free"]),
        without_email("b", "a"),
        user(["c", "x"], ["d", "y"]),
        Claim {
            held: user(["d", "y"], ["d", "y"]).held,
            ..without_email("d", "c")
        },
    ];
    assert_eq!(
        show(&claims)[0],
        "0 = renaming-a/free for now, 2 = renaming-c/renaming-renaming-x for now"
    );
    execute_in_reverse(&claims).expect("no conflict");
}

#[test]
fn a_change_that_waits_for_a_settled_claim_is_not_written_and_its_cycle_is_left_alone() {
    let settled = Claim {
        settled: true,
        ..group("c", "d")
    };
    assert_eq!(show(&[group("b", "c"), settled.clone()]), [""; 0]);
    let cycle = [
        user(["a", "x"], ["b", "taken"]),
        user(["b", "y"], ["a", "y"]),
        Claim {
            settled: true,
            ..user(["other", "taken"], ["other", "free"])
        },
    ];
    assert_eq!(show(&cycle), [""; 0]);
}

#[test]
fn of_two_claims_for_one_name_the_first_one_is_written() {
    let claims = [group("", "a"), group("b", "A"), group("c", "b")];
    assert_eq!(show(&claims), ["0 = a"]);
}

/// The names of the resources in the target, which rejects a name that another resource has.
struct Target(Vec<Names>);

impl Target {
    /// Returns the index of a resource that has one of the names.
    fn holder(&self, index: usize, names: &Names) -> Option<usize> {
        let wanted: HashSet<Key> = keys(names).collect();
        let others = self.0.iter().enumerate();
        others
            .filter(|(other, _)| *other != index)
            .find(|(_, held)| keys(held).any(|key| wanted.contains(&key)))
            .map(|(other, _)| other)
    }

    /// Returns whether the resources wait for each other in a cycle through this one.
    fn in_a_cycle(&self, claims: &[Claim], done: &HashSet<usize>, first: usize) -> bool {
        let blockers = |index: usize| {
            let wanted: HashSet<Key> = keys(&claims[index].wanted).collect();
            let others = (0..self.0.len()).filter(move |other| *other != index);
            others.filter(move |other| keys(&self.0[*other]).any(|key| wanted.contains(&key)))
        };
        let (mut seen, mut next) = (HashSet::new(), vec![first]);
        while let Some(index) = next.pop() {
            for blocker in blockers(index).filter(|index| !done.contains(index)) {
                if blocker == first {
                    return true;
                }
                if seen.insert(blocker) {
                    next.push(blocker);
                }
            }
        }
        false
    }
}

/// Claims of up to ten resources. All current names of a kind differ, and all wanted names of a kind differ.
fn any_claims(kinds: &'static [NameKind]) -> impl Strategy<Value = Vec<Claim>> {
    let pool: Vec<String> = (0..14)
        .map(|number| match number {
            // A name that an interrupted run has left behind.
            12 | 13 => format!("renaming-n{}", number - 12),
            _ => format!("n{number}"),
        })
        .collect();
    let shuffled = Just(pool).prop_shuffle();
    let permutations = prop::collection::vec((shuffled.clone(), shuffled), kinds.len());
    let flags = prop::collection::vec(any::<(bool, bool, bool)>(), 10);
    (0..=10_usize, permutations, flags).prop_map(|(size, permutations, flags)| {
        let claim = |index: usize| {
            let (creates, keeps, upper) = flags[index];
            let mut claim = Claim {
                held: Names::new(),
                wanted: Names::new(),
                settled: false,
            };
            for (kind, (held, wanted)) in kinds.iter().zip(&permutations) {
                // A quarter of the resources is new, and half of the users has an email address.
                if !(creates && keeps) {
                    claim.held.insert(*kind, held[index].clone());
                }
                if *kind != NameKind::Email || keeps {
                    let name = &wanted[index];
                    let name = if upper {
                        name.to_uppercase()
                    } else {
                        name.clone()
                    };
                    claim.wanted.insert(*kind, name);
                }
            }
            claim
        };
        (0..size).map(claim).collect()
    })
}

/// Executes the writes one by one. Returns the number of temporary names.
fn execute(claims: &[Claim]) -> Result<usize, TestCaseError> {
    let mut target = Target(claims.iter().map(|claim| claim.held.clone()).collect());
    let (mut done, mut renamed) = (HashSet::new(), HashSet::new());
    for write in resolve(claims).into_iter().flatten() {
        let (index, names) = match write {
            Write::Change(index) => {
                prop_assert!(done.insert(index), "claim {index} is written twice");
                (index, claims[index].wanted.clone())
            }
            Write::Rename(index, names) => {
                prop_assert!(renamed.insert(index), "claim {index} is renamed twice");
                prop_assert!(
                    target.in_a_cycle(claims, &done, index),
                    "claim {index} is renamed without a cycle"
                );
                (index, names)
            }
        };
        prop_assert_eq!(
            target.holder(index, &names),
            None,
            "claim {} conflicts",
            index
        );
        target.0[index] = names;
    }
    let wanted: Vec<Names> = claims.iter().map(|claim| claim.wanted.clone()).collect();
    prop_assert_eq!(target.0, wanted);
    Ok(renamed.len())
}

/// Executes the writes of each group in reverse order: they may be sent in any order.
fn execute_in_reverse(claims: &[Claim]) -> Result<(), TestCaseError> {
    let mut target = Target(claims.iter().map(|claim| claim.held.clone()).collect());
    let groups = resolve(claims).into_iter();
    for write in groups.flat_map(|group| group.into_iter().rev()) {
        let (index, names) = match write {
            Write::Change(index) => (index, claims[index].wanted.clone()),
            Write::Rename(index, names) => (index, names),
        };
        prop_assert_eq!(
            target.holder(index, &names),
            None,
            "claim {} conflicts",
            index
        );
        target.0[index] = names;
    }
    Ok(())
}

/// Returns the number of cycles of claims with one name each.
fn count_cycles(claims: &[Claim]) -> usize {
    let holders: HashMap<Key, usize> = claims
        .iter()
        .enumerate()
        .flat_map(|(index, claim)| keys(&claim.held).map(move |key| (key, index)))
        .collect();
    let blocker = |index: usize| {
        let key = keys(&claims[index].wanted).next()?;
        holders.get(&key).copied().filter(|holder| *holder != index)
    };
    let mut cycles = HashSet::new();
    for first in 0..claims.len() {
        let mut members = vec![first];
        let mut next = blocker(first);
        while let Some(index) = next.filter(|index| !members.contains(index)) {
            members.push(index);
            next = blocker(index);
        }
        if next == Some(first) {
            members.sort_unstable();
            cycles.insert(members);
        }
    }
    cycles.len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_writes_never_conflict_and_give_every_group_its_name_with_one_temporary_name_per_cycle(
        claims in any_claims(&[NameKind::GroupName]),
    ) {
        prop_assert_eq!(execute(&claims)?, count_cycles(&claims));
        prop_assert_eq!(resolve(&claims), resolve(&claims));
    }

    #[test]
    fn the_writes_never_conflict_and_give_every_user_its_names_with_temporary_names_only_in_cycles(
        claims in any_claims(&[NameKind::UserName, NameKind::Email]),
    ) {
        execute(&claims)?;
        prop_assert_eq!(resolve(&claims), resolve(&claims));
    }

    #[test]
    fn the_order_is_also_without_conflict_in_reverse_within_each_group_of_writes(
        claims in any_claims(&[NameKind::UserName, NameKind::Email]),
    ) {
        execute_in_reverse(&claims)?;
    }
}
