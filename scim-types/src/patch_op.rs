//! Patch requests and their operations.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    ResourceId,
    attribute::{Element, NullableValue, complex, document},
    filter::{AttributePath, Filter},
};

document! {
    /// A patch: changes to parts of a resource (RFC 7644 section 3.5.2).
    pub struct PatchOp of PATCH_OP {
        /// The operations, in the order of application. If one fails, none is applied.
        pub operations: Vec<PatchOperation> = "Operations",
    }
}

impl PatchOp {
    /// Returns a patch with these operations.
    #[must_use]
    pub fn new(operations: Vec<PatchOperation>) -> Self {
        Self {
            operations,
            ..Self::default()
        }
    }
}

impl From<PatchOperation> for PatchOp {
    fn from(operation: PatchOperation) -> Self {
        Self::new(vec![operation])
    }
}

/// One operation of a patch.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct PatchOperation {
    /// The kind of the operation.
    pub op: Op,
    /// The path of the target; `None` for the resource itself. An empty path is parsed as `None`.
    pub path: Option<String>,
    /// The value; `Some(Value::Null)` is an explicit `null`.
    pub value: Option<Value>,
}

impl PatchOperation {
    /// Returns an operation that adds a value at a path.
    pub fn add(path: impl Into<String>, value: impl Into<Value>) -> Self {
        Self {
            op: Op::Add,
            path: Some(path.into()),
            value: Some(value.into()),
        }
    }

    /// Returns an operation that replaces the value at a path.
    pub fn replace(path: impl Into<String>, value: impl Into<Value>) -> Self {
        Self {
            op: Op::Replace,
            path: Some(path.into()),
            value: Some(value.into()),
        }
    }

    /// Returns an operation that removes the value at a path.
    pub fn remove(path: impl Into<String>) -> Self {
        Self {
            op: Op::Remove,
            path: Some(path.into()),
            value: None,
        }
    }

    /// Returns an operation that adds members to a group.
    pub fn add_members<'a>(ids: impl IntoIterator<Item = &'a ResourceId>) -> Self {
        Self::add(MEMBERS, references(ids))
    }

    /// Returns an operation that removes one member from a group, in the form of the RFC.
    #[must_use]
    pub fn remove_member(id: &ResourceId) -> Self {
        let filter = Filter::eq(AttributePath::VALUE, id);
        Self::remove(format!("{MEMBERS}[{filter}]"))
    }

    /// Returns an operation that removes members from a group, in the form of AWS IAM Identity Center.
    ///
    /// Never send this operation to another server: a server that follows the RFC ignores the value and removes *all*
    /// members (RFC 7644 section 3.5.2.2).
    pub fn remove_listed_members<'a>(ids: impl IntoIterator<Item = &'a ResourceId>) -> Self {
        Self {
            value: Some(references(ids)),
            ..Self::remove(MEMBERS)
        }
    }
}

/// The kind of a patch operation. Serialization writes lower case; parsing accepts any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    /// Adds a value and keeps the existing values.
    Add,
    /// Removes values.
    Remove,
    /// Replaces values.
    Replace,
}

impl fmt::Display for Op {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
        })
    }
}

impl FromStr for Op {
    type Err = ParseOpError;

    fn from_str(text: &str) -> Result<Self, ParseOpError> {
        // Microsoft Entra sends "Add", "Replace" and "Remove".
        match text {
            _ if text.eq_ignore_ascii_case("add") => Ok(Self::Add),
            _ if text.eq_ignore_ascii_case("remove") => Ok(Self::Remove),
            _ if text.eq_ignore_ascii_case("replace") => Ok(Self::Replace),
            _ => Err(ParseOpError {
                text: text.to_owned(),
            }),
        }
    }
}

/// The error of `Op::from_str`: the string is not `add`, `remove` or `replace`.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is not a patch operation: expected add, remove or replace")]
pub struct ParseOpError {
    text: String,
}

impl Element for PatchOperation {
    fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

impl Element for Op {
    fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

complex! {
    struct Parts {
        pub op: Option<Op> = "op",
        pub path: Option<String> = "path",
        pub value: NullableValue = "value",
    }
}

impl TryFrom<Parts> for PatchOperation {
    type Error = &'static str;

    fn try_from(parts: Parts) -> Result<Self, &'static str> {
        let op = parts.op.ok_or("a patch operation has no `op`")?;
        let path = parts.path.filter(|path| !path.is_empty());
        Ok(Self {
            op,
            path,
            value: parts.value.0,
        })
    }
}

impl From<PatchOperation> for Parts {
    fn from(operation: PatchOperation) -> Self {
        let PatchOperation { op, path, value } = operation;
        Self {
            op: Some(op),
            path,
            value: NullableValue(value),
            ..Self::default()
        }
    }
}

fn references<'a>(ids: impl IntoIterator<Item = &'a ResourceId>) -> Value {
    ids.into_iter().map(|id| json!({ "value": id })).collect()
}

const MEMBERS: &str = "members";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(read: &str, written: &str) {
        let operation: PatchOperation = serde_json::from_str(read).unwrap();
        assert_eq!(serde_json::to_string(&operation).unwrap(), written);
    }

    #[track_caller]
    fn check_error(text: &str, message: &str) {
        assert_eq!(
            serde_json::from_str::<PatchOperation>(text)
                .unwrap_err()
                .to_string(),
            message
        );
    }

    #[track_caller]
    fn check_written(operation: &PatchOperation, expected: &str) {
        assert_eq!(serde_json::to_string(operation).unwrap(), expected);
    }

    fn id(text: &str) -> ResourceId {
        ResourceId::parse(text).unwrap()
    }

    #[test]
    fn an_op_is_read_in_any_case_and_written_in_lower_case() {
        check(
            r#"{"OP":"Replace","path":"active","value":"False"}"#,
            r#"{"op":"replace","path":"active","value":"False"}"#,
        );
        check_error(
            r#"{"op":"move"}"#,
            r#""move" is not a patch operation: expected add, remove or replace at line 1 column 13"#,
        );
        check_error("{}", "a patch operation has no `op`");
    }

    #[test]
    fn an_empty_path_counts_as_absent() {
        check(
            r#"{"op":"add","path":"","value":{}}"#,
            r#"{"op":"add","value":{}}"#,
        );
    }

    #[test]
    fn an_explicit_null_is_preserved() {
        check(
            r#"{"op":"replace","path":"title","value":null}"#,
            r#"{"op":"replace","path":"title","value":null}"#,
        );
        check(
            r#"{"op":"remove","path":"title"}"#,
            r#"{"op":"remove","path":"title"}"#,
        );
    }

    #[test]
    fn the_name_operations_is_read_in_lower_case_too() {
        let patch: PatchOp =
            serde_json::from_str(r#"{"operations":[{"op":"remove","path":"title"}]}"#).unwrap();
        assert_eq!(
            serde_json::to_string(&patch).unwrap(),
            concat!(
                r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"#,
                r#""Operations":[{"op":"remove","path":"title"}]}"#
            )
        );
    }

    #[test]
    fn members_are_removed_in_the_forms_of_the_rfc_and_of_aws() {
        check_written(
            &PatchOperation::add_members([&id("a"), &id("b")]),
            r#"{"op":"add","path":"members","value":[{"value":"a"},{"value":"b"}]}"#,
        );
        check_written(
            &PatchOperation::remove_member(&id(r#"a"b"#)),
            r#"{"op":"remove","path":"members[value eq \"a\\\"b\"]"}"#,
        );
        check_written(
            &PatchOperation::remove_listed_members([&id("a")]),
            r#"{"op":"remove","path":"members","value":[{"value":"a"}]}"#,
        );
    }
}
