//! Decides which calls of `ProvisionPermissionSet` bring the accounts of a permission set up to
//! date, without I/O.

use std::{collections::VecDeque, time::Duration};

/// The accounts of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target<A> {
    /// All accounts in which the permission set is provisioned.
    AllAccounts,
    /// One account.
    Account(A),
}

/// Returns the calls for the accounts that do not have the latest version, out of the number of
/// accounts in which the set is provisioned.
pub(super) fn calls<A>(
    outdated: impl IntoIterator<Item = A, IntoIter: ExactSizeIterator>,
    provisioned: usize,
) -> VecDeque<Target<A>> {
    let outdated = outdated.into_iter();
    if outdated.len() > MAX_SINGLE && provisioned <= MAX_ACCOUNTS {
        return VecDeque::from([Target::AllAccounts]);
    }
    outdated.map(Target::Account).collect()
}

/// Returns the number of provisionings that can start while AWS carries out this number of them.
pub(super) fn free(in_progress: usize) -> usize {
    MAX_IN_PROGRESS.saturating_sub(in_progress)
}

/// Returns the pause after this number of refusals or looks in a row: it doubles up to a limit.
pub(super) fn pause(first: Duration, number: u32, longest: Duration) -> Duration {
    first.saturating_mul(1 << number.min(16)).min(longest)
}

/// The largest number of accounts for which a call for each account is worth it: such a call leaves the other accounts
/// alone.
pub(super) const MAX_SINGLE: usize = 5;
/// A call for all accounts covers at most 3,500 accounts (IAM Identity Center quotas).
pub(super) const MAX_ACCOUNTS: usize = 3_500;
/// AWS carries out at most 3 provisionings at a time (IAM Identity Center quotas).
pub(super) const MAX_IN_PROGRESS: usize = 3;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_outdated_account_is_in_a_call_and_no_call_has_more_accounts_than_aws_allows() {
        for outdated in (0..60).chain(3_490..3_510).chain([9_000]) {
            for more in [0, 1, 7, 3_494, 3_500, 5_000] {
                let provisioned = outdated + more;
                let calls = calls(0..outdated, provisioned);
                let case = format!("{outdated} of {provisioned}");
                let all = calls.contains(&Target::AllAccounts);
                let single: BTreeSet<usize> = calls
                    .iter()
                    .filter_map(|call| match call {
                        Target::Account(account) => Some(*account),
                        Target::AllAccounts => None,
                    })
                    .collect();
                // Either one call for all accounts that AWS accepts, or one call for each account.
                if all {
                    assert_eq!(calls.len(), 1, "{case}");
                    assert!(outdated > 5 && provisioned <= 3_500, "{case}");
                } else {
                    assert_eq!(single, (0..outdated).collect(), "{case}");
                    assert_eq!(calls.len(), outdated, "{case}");
                    assert!(outdated <= 5 || provisioned > 3_500, "{case}");
                }
            }
        }
    }

    #[test]
    fn what_others_provision_takes_slots_of_the_quota() {
        let free: Vec<usize> = (0..6).map(free).collect();
        assert_eq!(free, [3, 2, 1, 0, 0, 0]);
    }

    #[test]
    fn pauses_double_up_to_their_limit() {
        let seconds = Duration::from_secs;
        let pauses: Vec<u64> = (0..5)
            .map(|number| pause(seconds(2), number, seconds(16)).as_secs())
            .collect();
        assert_eq!(pauses, [2, 4, 8, 16, 16]);
        assert_eq!(pause(seconds(1), 99, seconds(10)), seconds(10));
    }
}
