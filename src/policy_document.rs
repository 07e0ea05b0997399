//! IAM policy documents: their grammar, and what they allow and deny, compared statement by statement.
//!
//! The normal form ignores what has no effect: the order and the spelling of lists, `Id` and `Sid`, the case of actions and of
//! the service prefix of condition keys. Everything else counts, also where two documents may have the same effect: a false
//! difference costs a call, a false equality hides access.

use std::collections::BTreeSet;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A policy document as sets of statements in their normal form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PolicyDocument {
    /// A document without a version has the one of 2008, in which variables are plain text.
    version: String,
    allowed: BTreeSet<String>,
    denied: BTreeSet<String>,
}

impl PolicyDocument {
    /// Reads a document; `None` if it is not a policy document, or if it repeats a key.
    pub(crate) fn parse(text: &str) -> Option<Self> {
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
        let statements = as_list(object.get("Statement")?);
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
pub(crate) fn takes_access_away(before: &str, after: &str) -> bool {
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
pub(crate) fn same(left: &str, right: &str) -> bool {
    left == right
        || PolicyDocument::parse(left)
            .is_some_and(|left| PolicyDocument::parse(right) == Some(left))
}

/// Returns a text that is equal for documents that are the [`same`]. A document that cannot be read is returned as it is.
pub(crate) fn canonical(text: &str) -> String {
    PolicyDocument::parse(text).map_or_else(|| text.to_owned(), |document| format!("{document:?}"))
}

/// Returns whether a statement of the document allows every action on every resource without a condition.
pub(crate) fn allows_everything(text: &str) -> bool {
    let everything = r#"{"Action":["*"],"Effect":"Allow","Resource":["*"]}"#;
    PolicyDocument::parse(text).is_some_and(|document| document.allowed.contains(everything))
}

/// Returns the first rule of the IAM policy grammar that the inline policy of a permission set breaks.
///
/// Sources: service model "SSO Admin", `PermissionSetPolicyDocument`, for the characters, quotas of IAM Identity Center for
/// the size, IAM user guide "Grammar of the IAM JSON policy language" for the rest. An identity-based policy has no
/// principal.
pub(crate) fn grammar_violation(text: &str) -> Option<String> {
    check_text(text).and_then(|()| check_document(text)).err()
}

fn check_text(text: &str) -> Result<(), String> {
    let is_allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}');
    if let Some(c) = text.chars().find(|c| !is_allowed(*c)) {
        return Err(format!(
            "has the character U+{:04X}, which AWS does not accept: write it as \\u{:04x}",
            u32::from(c),
            u32::from(c)
        ));
    }
    let size = text.chars().filter(|c| !c.is_whitespace()).count();
    if size > 10_240 {
        return Err(format!(
            "has {size} characters without white space, and AWS accepts at most 10,240: move statements into a customer \
             managed policy"
        ));
    }
    let size = text.chars().count();
    if size > 32_768 {
        return Err(format!(
            "has {size} characters with white space, and AWS accepts at most 32,768: remove white space"
        ));
    }
    Ok(())
}

fn check_document(text: &str) -> Result<(), String> {
    let Unambiguous(json) =
        serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
    let object = json.as_object().ok_or("is not a JSON object")?;
    check_keys(object, &["Version", "Id", "Statement"])?;
    if let Some(version) = object.get("Version")
        && !["2012-10-17", OLD_VERSION].contains(&version.as_str().unwrap_or_default())
    {
        return Err(format!(
            "has the version {version}, and AWS knows 2012-10-17 and 2008-10-17"
        ));
    }
    let statements = object.get("Statement").map_or(&[][..], as_list);
    if statements.is_empty() {
        return Err("has no statement: list at least one under `Statement`".to_owned());
    }
    for (number, statement) in (1..).zip(statements) {
        check_statement(statement)
            .map_err(|wrong| format!("has a statement ({number}) that {wrong}"))?;
    }
    Ok(())
}

fn check_statement(statement: &Value) -> Result<(), String> {
    let object = statement.as_object().ok_or("is not a JSON object")?;
    if let Some(key) = ["Principal", "NotPrincipal"]
        .into_iter()
        .find(|key| object.contains_key(*key))
    {
        return Err(format!(
            "has `{key}`, which only the policy of a resource has: remove it"
        ));
    }
    let keys = [
        "Sid",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    ];
    check_keys(object, &keys)?;
    if !matches!(
        object.get("Effect").and_then(Value::as_str),
        Some("Allow" | "Deny")
    ) {
        return Err("has no `Effect`: write `Allow` or `Deny`".to_owned());
    }
    let is_sid = |sid: &str| sid.chars().all(|c| c.is_ascii_alphanumeric());
    if let Some(sid) = object.get("Sid")
        && !sid.as_str().is_some_and(is_sid)
    {
        return Err(format!("has the `Sid` {sid}: use letters and digits"));
    }
    for [key, other] in [["Action", "NotAction"], ["Resource", "NotResource"]] {
        let lists = [key, other].map(|key| object.get(key));
        let list = match lists {
            [Some(list), None] | [None, Some(list)] => list,
            [Some(_), Some(_)] => {
                return Err(format!("has both `{key}` and `{other}`: keep one of them"));
            }
            [None, None] => return Err(format!("has neither `{key}` nor `{other}`")),
        };
        let texts = texts(list).ok_or_else(|| {
            format!("has an empty `{key}`, or one that is not a text or a list of texts")
        })?;
        let is_action = |text: &str| {
            text == "*"
                || text
                    .split_once(':')
                    .is_some_and(|(service, name)| !service.is_empty() && !name.is_empty())
        };
        if key == "Action"
            && let Some(action) = texts.iter().find(|text| !is_action(text))
        {
            return Err(format!(
                "has the action `{action}`: write the service before it, such as `s3:GetObject`, or `*`"
            ));
        }
    }
    let is_condition = |condition: &Value| {
        let operators = condition.as_object();
        operators.is_some_and(|operators| {
            operators.values().all(|keys| {
                keys.as_object().is_some_and(|keys| {
                    keys.values()
                        .all(|value| sorted(value, str::to_owned).is_some())
                })
            })
        })
    };
    if object
        .get("Condition")
        .is_some_and(|condition| !is_condition(condition))
    {
        return Err(
            "has a `Condition` that is not an object of operators, each with keys and their values"
                .to_owned(),
        );
    }
    Ok(())
}

/// Checks that an object has no other keys. AWS reads them in their exact case.
fn check_keys(object: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    let Some(key) = object.keys().find(|key| !known.contains(&key.as_str())) else {
        return Ok(());
    };
    let spelled = known.iter().find(|known| known.eq_ignore_ascii_case(key));
    Err(match spelled {
        Some(spelled) => format!("has the key `{key}`: AWS reads only `{spelled}`"),
        None => format!(
            "has the key `{key}`, and AWS knows only {}",
            known.join(", ")
        ),
    })
}

/// Returns a list, or one value as a list.
fn as_list(value: &Value) -> &[Value] {
    match value {
        Value::Array(list) => list,
        one => std::slice::from_ref(one),
    }
}

/// Returns a text or a list of texts as a list; `None` if it is empty or something else.
fn texts(value: &Value) -> Option<Vec<&str>> {
    let texts: Option<Vec<&str>> = as_list(value).iter().map(Value::as_str).collect();
    texts.filter(|texts| !texts.is_empty())
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
    let texts: Option<BTreeSet<String>> = as_list(value)
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
            if entries.contains_key(&key) {
                return Err(A::Error::custom(format_args!(
                    "the key `{key}` is repeated"
                )));
            }
            entries.insert(key, value);
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
    fn a_document_that_aws_refuses_is_named_with_the_rule() {
        for valid in [
            policy(READ),
            policy(&format!("[{READ},{DENY}]")),
            r#"{"Statement":{"Sid":"a1","Effect":"Deny","NotAction":["*","a:B*"],"NotResource":["*"]}}"#.to_owned(),
            policy(r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:a":true}}}"#),
        ] {
            assert_eq!(grammar_violation(&valid), None, "{valid}");
        }
        let statement = |from: &str, to: &str| policy(&READ.replace(from, to));
        let action = r#""Action":"s3:Get*""#;
        for (document, rule) in [
            ("{".to_owned(), "is not JSON"),
            ("[]".to_owned(), "not a JSON object"),
            ("{}".to_owned(), "no statement"),
            (policy("[]"), "no statement"),
            (
                policy(READ).replace("Statement", "statement"),
                "only `Statement`",
            ),
            (
                policy(READ).replace("2012-10-17", "2012-10-18"),
                "the version \"2012-10-18\"",
            ),
            (
                policy(READ).replacen('{', r#"{"Statements":[],"#, 1),
                "the key `Statements`",
            ),
            (
                policy(READ).replacen('{', r#"{"Version":"2012-10-17","#, 1),
                "`Version` is repeated",
            ),
            (policy("[1]"), "(1) that is not a JSON object"),
            (
                policy(&format!("[{READ},{}]", READ.replace("Allow", "allow"))),
                "(2) that has no `Effect`",
            ),
            (
                statement(action, "\"Sid\":\"a b\",\"Action\":\"*\""),
                "the `Sid` \"a b\"",
            ),
            (
                statement(action, "\"Principal\":\"*\",\"Action\":\"*\""),
                "`Principal`",
            ),
            (statement(action, "\"action\":\"*\""), "only `Action`"),
            (
                statement(&format!("{action},"), ""),
                "neither `Action` nor `NotAction`",
            ),
            (
                statement(action, "\"Action\":\"*\",\"NotAction\":\"a:b\""),
                "both `Action` and `NotAction`",
            ),
            (statement(r#","Resource":"*""#, ""), "neither `Resource`"),
            (statement(action, "\"Action\":[]"), "an empty `Action`"),
            (statement(action, "\"Action\":[1]"), "not a text"),
            (statement("s3:Get*", "GetObject"), "the action `GetObject`"),
            (
                statement("s3:Get*", ":GetObject"),
                "the action `:GetObject`",
            ),
            (
                statement(action, "\"Condition\":[],\"Action\":\"*\""),
                "`Condition`",
            ),
            (
                statement(action, "\"Condition\":{\"Bool\":\"a\"},\"Action\":\"*\""),
                "`Condition`",
            ),
            (statement("s3:Get*", "s3:Get\u{2013}"), "U+2013"),
            (
                statement("s3:Get*", &format!("s3:{}", "a".repeat(10_240))),
                "without white space",
            ),
            (policy(READ) + &" ".repeat(32_768), "with white space"),
        ] {
            let found = grammar_violation(&document);
            assert!(
                found.as_ref().is_some_and(|found| found.contains(rule)),
                "{document:.200}: {found:?}"
            );
        }
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
