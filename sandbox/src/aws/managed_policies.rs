//! The AWS managed policies that exist.

use std::collections::HashSet;
use std::sync::LazyLock;

/// The paths and names of the AWS managed policies, sorted (AWS managed policy reference guide, November 2026).
const NAMES: &str = include_str!("managed_policies/names.txt");

static POLICIES: LazyLock<HashSet<&str>> = LazyLock::new(|| NAMES.lines().collect());

/// Returns whether an ARN is that of an AWS managed policy in this partition.
///
/// The table has the policies of the commercial partition. The other partitions have most of them.
pub(super) fn exists(arn: &str, partition: &str) -> bool {
    name(arn, partition).is_some_and(|name| POLICIES.contains(name))
}

/// Returns whether only a service-linked role can have the policy, and no role of a permission set.
pub(super) fn is_service_linked(arn: &str) -> bool {
    arn.contains(":policy/aws-service-role/")
}

/// Returns the path and the name of an AWS managed policy of this partition.
fn name<'a>(arn: &'a str, partition: &str) -> Option<&'a str> {
    let rest = arn.strip_prefix("arn:")?.strip_prefix(partition)?;
    rest.strip_prefix(":iam::aws:policy/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_exists_only_with_its_path() {
        for (policy, found) in [
            ("AdministratorAccess", true),
            ("job-function/ViewOnlyAccess", true),
            ("ViewOnlyAccess", false),
            ("service-role/AWSLambdaBasicExecutionRole", true),
            ("aws-service-role/AWSSSOServiceRolePolicy", true),
            ("AdministratorAcces", false),
            ("", false),
        ] {
            let arn = format!("arn:aws:iam::aws:policy/{policy}");
            assert_eq!(exists(&arn, "aws"), found, "{policy}");
            assert!(!exists(&arn, "aws-us-gov"), "{policy}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_has_no_duplicates() {
        assert!(NAMES.lines().is_sorted_by(|before, after| before < after));
    }
}
