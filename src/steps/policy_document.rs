//! Compares IAM policy documents by what they allow and deny, statement by statement.
//!
//! The normal form ignores what has no effect: the order and the spelling of lists, `Id` and `Sid`, the case of actions and of
//! the service prefix of condition keys. Everything else counts, also where two documents may have the same effect: a false
//! difference costs a call, a false equality hides access.

use std::collections::BTreeSet;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A policy document as sets of statements in their normal form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PolicyDocument {
    /// A document without a version has the one of 2008, in which variables are plain text.
    version: String,
    allowed: BTreeSet<String>,
    denied: BTreeSet<String>,
}

impl PolicyDocument {
    /// Reads a document; `None` if it is not a policy document, or if it repeats a key.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let Unambiguous(json) = serde_json::from_str(text).ok()?;
        let object = json.as_object()?;
        let is_known = |key: &String| ["Version", "Id", "Statement"].contains(&key.as_str());
        if !object.keys().all(is_known) {
            return None;
        }
        let version = match object.get("Version") {
            None => OLD_VERSION,
            Some(version) => version.as_str()?,
        };
        let statements = match object.get("Statement")? {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut document = Self {
            version: version.to_owned(),
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
/// denies is new. A document that cannot be read, and another version, count as such a change.
pub(super) fn takes_access_away(before: &str, after: &str) -> bool {
    let (Some(before), Some(after)) = (PolicyDocument::parse(before), PolicyDocument::parse(after))
    else {
        return true;
    };
    let gives_all = before.allowed.is_subset(&after.allowed);
    let denies_no_more = after.denied.is_subset(&before.denied);
    let is_same_version = before.version == after.version || before.allowed.is_empty();
    !(gives_all && denies_no_more && is_same_version)
}

/// Returns whether two documents allow and deny the same.
pub(super) fn same(left: &str, right: &str) -> bool {
    left == right
        || PolicyDocument::parse(left)
            .is_some_and(|left| PolicyDocument::parse(right) == Some(left))
}

/// Returns a text that is equal for documents that are the [`same`]. A document that cannot be read is returned as it is.
pub(super) fn canonical(text: &str) -> String {
    PolicyDocument::parse(text).map_or_else(|| text.to_owned(), |document| format!("{document:?}"))
}

/// Returns whether a statement of the document allows every action on every resource without a condition.
pub(super) fn allows_everything(text: &str) -> bool {
    let everything = r#"{"Action":["*"],"Effect":"Allow","Resource":["*"]}"#;
    PolicyDocument::parse(text).is_some_and(|document| document.allowed.contains(everything))
}

/// Returns a text that is equal for statements with the same meaning: without `Sid`, a single value as a list, lists
/// sorted, actions and the prefix of condition keys in lower case.
fn normal_form(statement: &Value) -> Option<String> {
    let mut object = statement.as_object()?.clone();
    object.remove("Sid");
    for (key, value) in &mut object {
        match key.as_str() {
            "Action" | "NotAction" => *value = sorted(value, str::to_ascii_lowercase)?,
            "Resource" | "NotResource" => *value = sorted(value, str::to_owned)?,
            "Condition" => {
                for keys in value.as_object_mut()?.values_mut() {
                    *keys = Value::Object(folded(keys.as_object()?)?);
                }
            }
            _ => {}
        }
    }
    // The keys of a map of serde_json are sorted.
    serde_json::to_string(&object).ok()
}

/// Returns the keys of a condition operator with their values, in lower case up to the first `/`: what follows is the name of a
/// tag, whose case counts. `None` if two keys become equal.
fn folded(keys: &Map<String, Value>) -> Option<Map<String, Value>> {
    let mut folded = Map::new();
    for (key, values) in keys {
        let end = key.find('/').unwrap_or(key.len());
        let key = key[..end].to_ascii_lowercase() + &key[end..];
        let values = sorted(values, str::to_owned)?;
        if folded.insert(key, values).is_some() {
            return None;
        }
    }
    Some(folded)
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

/// JSON without repeated keys. A reader may take either value of a repeated key.
struct Unambiguous(Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UnambiguousVisitor).map(Self)
    }
}

struct UnambiguousVisitor;

impl<'de> Visitor<'de> for UnambiguousVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON without repeated keys")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Unambiguous(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Map::new();
        while let Some((key, Unambiguous(value))) = map.next_entry::<String, Unambiguous>()? {
            if entries.insert(key, value).is_some() {
                return Err(A::Error::custom("a key is repeated"));
            }
        }
        Ok(Value::Object(entries))
    }
}

/// The version of a document without a version (IAM user guide, "IAM JSON policy elements: Version").
const OLD_VERSION: &str = "2008-10-17";

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
    fn what_may_have_another_effect_is_different() {
        let statement = r#"{"Effect":"Allow","Action":["s3:Get*"],"Resource":["arn:aws:s3:::a"],"Condition":{"StringEquals":{"aws:ResourceTag/Team":["x"]}}}"#;
        let one = policy(statement);
        let other_words = policy(
            r#"[{"Sid":"1","Condition":{"StringEquals":{"AWS:resourcetag/Team":"x"}},"Resource":"arn:aws:s3:::a","Action":"S3:get*","Effect":"Allow"}]"#,
        );
        assert!(same(&one, &other_words));
        assert_eq!(canonical(&one), canonical(&other_words));
        for (from, to) in [
            ("\"Action\"", "\"NotAction\""),
            ("\"Resource\"", "\"NotResource\""),
            ("Allow", "Deny"),
            ("StringEquals", "StringEqualsIfExists"),
            ("StringEquals", "ForAllValues:StringEquals"),
            (":::a", ":::A"),
            ("Tag/Team", "Tag/team"),
            ("[\"x\"]", "[\"X\"]"),
            ("s3:Get*", "s3:*"),
        ] {
            let changed = policy(&statement.replace(from, to));
            assert_ne!(one, changed, "{from}");
            assert!(!same(&one, &changed), "{from} -> {to}");
            assert_ne!(canonical(&one), canonical(&changed), "{from} -> {to}");
        }
        // A document without a version has the one of 2008.
        let old = one.replace(r#""Version":"2012-10-17","#, "");
        assert!(!same(&one, &old));
        assert!(takes_access_away(&one, &old));
        assert!(same(
            &old,
            &old.replacen('{', r#"{"Version":"2008-10-17","#, 1)
        ));
    }

    #[test]
    fn a_document_that_repeats_a_key_equals_no_other_document() {
        let twice = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let once = twice.replace(r#""Effect":"Deny","#, "");
        assert!(!same(twice, &once));
        let folded = policy(
            r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:a":"true","AWS:A":"false"}}}"#,
        );
        assert_eq!(PolicyDocument::parse(&folded), None);
        assert_eq!(
            PolicyDocument::parse(r#"{"Statement":[],"Statements":[]}"#),
            None
        );
    }

    #[test]
    fn a_statement_without_limits_allows_everything() {
        assert!(allows_everything(&policy(
            r#"[{"Sid":"x","Resource":"*","Action":["*"],"Effect":"Allow"}]"#
        )));
        for limited in [
            r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::a"}"#,
            r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:a":"true"}}}"#,
            r#"{"Effect":"Allow","NotAction":"*","Resource":"*"}"#,
        ] {
            assert!(!allows_everything(&policy(limited)), "{limited}");
        }
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
