//! Rules for membership changes in a group patch, and the check before a patch is sent.

use scim_types::{Op, PatchOp, PatchOperation, ResourceId, patch::Path};
use serde_json::Value;

use super::Rules;

/// Form of the operations that remove members from a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemberRemoval {
    /// One operation for each member: `members[value eq "…"]`, as the RFC says.
    ByFilter,
    /// One operation whose value is a list of members, as the AWS SCIM developer guide says.
    ByList,
}

impl MemberRemoval {
    pub(crate) fn operations(self, ids: &[ResourceId]) -> Vec<PatchOperation> {
        match self {
            Self::ByFilter => ids.iter().map(PatchOperation::remove_member).collect(),
            Self::ByList => vec![PatchOperation::remove_listed_members(ids)],
        }
    }
}

/// Returns the problem of a group patch that the server would refuse or misread.
pub(crate) fn check_group_patch(rules: &Rules, patch: &PatchOp) -> Option<String> {
    let mut changes = 0;
    for operation in &patch.operations {
        match membership(operation) {
            Membership::Changed(count) => changes += count,
            Membership::RemovedByList(count) => match rules.member_removal {
                MemberRemoval::ByList => changes += count,
                MemberRemoval::ByFilter => {
                    return Some(
                        "a server that follows RFC 7644 ignores the list of members to remove, and \
                         removes all members; remove each member by its own path"
                            .to_owned(),
                    );
                }
            },
            Membership::Replaced if rules.max_member_changes.is_some() => {
                return Some(format!(
                    "{} does not support replacing or removing all members at once",
                    rules.name
                ));
            }
            Membership::None | Membership::Replaced => {}
        }
    }
    let limit = rules.max_member_changes.filter(|limit| changes > *limit)?;
    Some(format!(
        "{} allows at most {limit} membership changes per request, but this request has {changes}",
        rules.name
    ))
}

/// Effect of an operation on the members of a group.
#[derive(Debug, PartialEq)]
enum Membership {
    None,
    /// Adds or removes this number of members.
    Changed(usize),
    /// Removes this number of members, whose ids are in the operation's value.
    RemovedByList(usize),
    /// Replaces or removes all members.
    Replaced,
}

fn membership(operation: &PatchOperation) -> Membership {
    let Some((members, has_filter)) = members(operation) else {
        return Membership::None;
    };
    let listed = members.map_or(0, count);
    match operation.op {
        _ if has_filter => Membership::Changed(1),
        Op::Add => Membership::Changed(listed),
        Op::Remove if listed > 0 => Membership::RemovedByList(listed),
        Op::Remove | Op::Replace => Membership::Replaced,
    }
}

/// Returns the members in an operation's value, and whether its path has a filter that selects one
/// member. Returns `None` if the operation does not concern members.
fn members(operation: &PatchOperation) -> Option<(Option<&Value>, bool)> {
    let is_members = |name: &str| name.eq_ignore_ascii_case("members");
    let value = operation.value.as_ref();
    let Some(path) = &operation.path else {
        let (_, members) = value?
            .as_object()?
            .iter()
            .find(|(name, _)| is_members(name))?;
        return Some((Some(members), false));
    };
    // The server rejects an invalid path, so it counts as an operation without members.
    let path = Path::parse(path).ok()?;
    is_members(path.attribute()?.name()).then_some((value, path.filter().is_some()))
}

fn count(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::Array(list) => list.len(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Dialect;

    fn ids(count: usize) -> Vec<ResourceId> {
        (0..count)
            .map(|number| ResourceId::parse(format!("u{number}")).unwrap())
            .collect()
    }

    #[track_caller]
    fn check(dialect: Dialect, operations: Vec<PatchOperation>, expected: Option<&str>) {
        let problem = check_group_patch(dialect.rules(), &PatchOp::new(operations));
        assert_eq!(problem.as_deref(), expected);
    }

    const TOO_MANY: Option<&str> = Some(
        "AWS IAM Identity Center allows at most 100 membership changes per request, but this request \
         has 101",
    );
    const ALL: Option<&str> =
        Some("AWS IAM Identity Center does not support replacing or removing all members at once");

    #[test]
    fn additions_and_removals_count_together_for_aws() {
        let (add, remove) = (
            PatchOperation::add_members(&ids(60)),
            PatchOperation::remove_listed_members(&ids(41)),
        );
        check(
            Dialect::AwsIdentityCenter,
            vec![add.clone(), remove],
            TOO_MANY,
        );
        let mut removals: Vec<_> = ids(40).iter().map(PatchOperation::remove_member).collect();
        removals.push(add);
        check(Dialect::AwsIdentityCenter, removals.clone(), None);
        removals.push(PatchOperation::remove(
            "urn:ietf:params:scim:schemas:core:2.0:Group:MEMBERS[value eq \"a:b\"]",
        ));
        check(Dialect::AwsIdentityCenter, removals.clone(), TOO_MANY);
        check(Dialect::Generic, removals, None);
    }

    #[test]
    fn a_bracket_in_a_quoted_string_does_not_end_a_path() {
        let one_member = PatchOperation::remove(r#"members[value eq "a]b[c"]"#);
        check(Dialect::AwsIdentityCenter, vec![one_member], None);
        let email = PatchOperation::remove(r#"emails[display eq "members["]"#);
        check(Dialect::AwsIdentityCenter, vec![email], None);
        let all_members = PatchOperation::remove("members.value");
        check(Dialect::AwsIdentityCenter, vec![all_members], ALL);
    }

    #[test]
    fn members_in_an_operation_without_a_path_are_counted() {
        let value: Vec<Value> = ids(101).iter().map(|id| json!({"value": id})).collect();
        let add = PatchOperation {
            op: Op::Add,
            path: None,
            value: Some(json!({"Members": value})),
        };
        check(Dialect::AwsIdentityCenter, vec![add], TOO_MANY);
    }

    #[test]
    fn aws_does_not_support_replacing_or_removing_all_members() {
        check(
            Dialect::AwsIdentityCenter,
            vec![PatchOperation::replace("members", json!([]))],
            ALL,
        );
        check(
            Dialect::AwsIdentityCenter,
            vec![PatchOperation::remove("members")],
            ALL,
        );
        let replace = PatchOperation {
            op: Op::Replace,
            path: None,
            value: Some(json!({"members": []})),
        };
        check(Dialect::AwsIdentityCenter, vec![replace.clone()], ALL);
        check(
            Dialect::Generic,
            vec![replace, PatchOperation::remove("members")],
            None,
        );
    }

    #[test]
    fn a_list_of_members_to_remove_is_never_sent_to_a_generic_server() {
        check(
            Dialect::Generic,
            vec![PatchOperation::remove_listed_members(&ids(1))],
            Some(
                "a server that follows RFC 7644 ignores the list of members to remove, and removes \
                 all members; remove each member by its own path",
            ),
        );
    }

    #[test]
    fn changes_of_other_attributes_are_not_counted() {
        let rename = PatchOperation {
            op: Op::Replace,
            path: None,
            value: Some(json!({"displayName": "a"})),
        };
        let number = PatchOperation::replace("externalId", "members");
        check(Dialect::AwsIdentityCenter, vec![rename, number], None);
    }
}
