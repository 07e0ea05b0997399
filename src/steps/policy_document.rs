//! Compares IAM policy documents by what they allow and deny, statement by statement.

use std::collections::BTreeSet;

use serde_json::Value;

/// A policy document as a set of statements, independent of the order and the spelling of lists.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PolicyDocument {
    allowed: BTreeSet<String>,
    denied: BTreeSet<String>,
}

impl PolicyDocument {
    /// Reads a document; `None` if it is not a policy document.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let json: Value = serde_json::from_str(text).ok()?;
        let statements = match json.get("Statement")? {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut document = Self {
            allowed: BTreeSet::new(),
            denied: BTreeSet::new(),
        };
        for statement in statements {
            let effect = statement.get("Effect")?.as_str()?;
            let set = match effect {
                "Allow" => &mut document.allowed,
                "Deny" => &mut document.denied,
                _ => return None,
            };
            set.insert(normal_form(statement)?);
        }
        Some(document)
    }
}

/// Returns whether a changed policy document can take access away: a statement that allows is missing, or a statement that
/// denies is new. A document that cannot be read counts as such a change.
pub(super) fn takes_access_away(before: &str, after: &str) -> bool {
    let (Some(before), Some(after)) = (PolicyDocument::parse(before), PolicyDocument::parse(after))
    else {
        return true;
    };
    !before.allowed.is_subset(&after.allowed) || !after.denied.is_subset(&before.denied)
}

/// Returns whether two documents allow and deny the same.
pub(super) fn same(left: &str, right: &str) -> bool {
    left == right
        || PolicyDocument::parse(left)
            .is_some_and(|left| PolicyDocument::parse(right) == Some(left))
}

/// Returns a text that is equal for statements with the same meaning: without `Sid`, a single value as a list, lists
/// sorted, actions in lower case.
fn normal_form(statement: &Value) -> Option<String> {
    let mut object = statement.as_object()?.clone();
    object.remove("Sid");
    for (key, value) in &mut object {
        match key.as_str() {
            "Action" | "NotAction" => *value = sorted(value, str::to_ascii_lowercase)?,
            "Resource" | "NotResource" => *value = sorted(value, str::to_owned)?,
            "Condition" => {
                for operator in value.as_object_mut()?.values_mut() {
                    for values in operator.as_object_mut()?.values_mut() {
                        *values = sorted(values, str::to_owned)?;
                    }
                }
            }
            _ => {}
        }
    }
    // The keys of a map of serde_json are sorted.
    serde_json::to_string(&object).ok()
}

/// Returns a value or a list of values as a sorted list without duplicates.
fn sorted(value: &Value, normalize: fn(&str) -> String) -> Option<Value> {
    let values = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let texts: Option<BTreeSet<String>> = values
        .iter()
        .map(|value| match value {
            Value::String(text) => Some(normalize(text)),
            Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
            _ => None,
        })
        .collect();
    Some(texts?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(statements: &str) -> String {
        format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#)
    }

    const READ: &str = r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}"#;
    const WRITE: &str = r#"{"Effect":"Allow","Action":"s3:Put*","Resource":"*"}"#;
    const DENY: &str = r#"{"Effect":"Deny","Action":"iam:*","Resource":"*"}"#;

    #[test]
    fn the_same_policy_in_other_words_is_the_same() {
        let one = policy(
            r#"[{"Sid":"A","Effect":"Allow","Action":["s3:Put*","s3:Get*"],"Resource":"*"}]"#,
        );
        for other in [
            r#"{"Effect":"Allow","Action":["S3:get*","s3:put*"],"Resource":["*"]}"#,
            r#"[{"Resource":"*","Action":["s3:Get*","s3:Put*","s3:Get*"],"Effect":"Allow","Sid":"B"}]"#,
        ] {
            assert!(same(&one, &policy(other)), "{other}");
        }
        assert!(!same(&one, &policy(READ)));
        let condition = |value: &str| {
            policy(&format!(
                r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{"Bool":{{"aws:SecureTransport":{value}}}}}}}"#
            ))
        };
        assert!(same(&condition("true"), &condition("\"true\"")));
        assert!(!same(&condition("true"), &condition("false")));
    }

    #[test]
    fn an_allow_that_goes_and_a_deny_that_comes_take_access_away() {
        let both = policy(&format!("[{READ},{WRITE}]"));
        let read = policy(READ);
        let denied = policy(&format!("[{READ},{DENY}]"));
        assert!(!takes_access_away(&read, &both), "an allow is added");
        assert!(takes_access_away(&both, &read), "an allow goes");
        assert!(takes_access_away(&read, &denied), "a deny is added");
        assert!(!takes_access_away(&denied, &read), "a deny goes");
        assert!(!takes_access_away(
            &both,
            &policy(&format!("[{WRITE},{READ}]"))
        ));
        let wider = DENY.replace("iam:*", "*");
        assert!(
            takes_access_away(&denied, &policy(&format!("[{READ},{wider}]"))),
            "a deny is widened"
        );
        let narrower = READ.replace("\"Resource\":\"*\"", "\"Resource\":\"arn:aws:s3:::a\"");
        assert!(
            takes_access_away(&read, &policy(&narrower)),
            "an allow is narrowed"
        );
        assert!(takes_access_away(&read, "{}"), "not a policy");
    }
}
