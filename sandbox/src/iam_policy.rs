//! Identity-based IAM policies: the document, and the decision about an action on a resource.

use std::{fmt, str::FromStr, sync::Arc};

use serde_json::{Map, Value};

/// An identity-based IAM policy, parsed from its JSON document.
///
/// The elements `Version`, `Id`, `Statement`, `Sid`, `Effect`, `Action` and `Resource` are supported. An explicit deny
/// wins, and an action that no statement allows is denied.
///
/// ```
/// use okta_aws_sandbox::IamPolicy;
///
/// let policy: Result<IamPolicy, _> = r#"{
///     "Version": "2012-10-17",
///     "Statement": { "Effect": "Allow", "Action": "sso:List*", "Resource": "*" }
/// }"#
/// .parse();
/// assert!(policy.is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct IamPolicy {
    statements: Arc<[Statement]>,
}

/// The reason why the sandbox does not accept an IAM policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IamPolicyError(String);

/// The decision of a policy about an action on a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// A statement allows the action, and none denies it.
    Allowed,
    /// A statement denies the action.
    ExplicitlyDenied,
    /// No statement matches.
    ImplicitlyDenied,
}

#[derive(Clone, Debug)]
struct Statement {
    allows: bool,
    /// The patterns of the actions, in lower case.
    actions: Vec<String>,
    resources: Vec<String>,
}

impl IamPolicy {
    /// Returns the decision about an action, such as `sso:ListInstances`, on a resource: an ARN or `*`.
    pub(crate) fn decide(&self, action: &str, resource: &str) -> Decision {
        let action = action.to_lowercase();
        let (mut allowed, mut denied) = (false, false);
        for statement in self.statements.iter() {
            if statement.matches(&action, resource) {
                allowed |= statement.allows;
                denied |= !statement.allows;
            }
        }
        match (denied, allowed) {
            (true, _) => Decision::ExplicitlyDenied,
            (false, true) => Decision::Allowed,
            (false, false) => Decision::ImplicitlyDenied,
        }
    }
}

impl FromStr for IamPolicy {
    type Err = IamPolicyError;

    /// Parses a policy document.
    ///
    /// # Errors
    ///
    /// Fails if IAM would refuse the document, or if it has an element that the sandbox does not support: `Condition`,
    /// `NotAction`, `NotResource` or a policy variable.
    fn from_str(text: &str) -> Result<Self, IamPolicyError> {
        let document: Value = serde_json::from_str(text)
            .map_err(|error| IamPolicyError(format!("the policy is not JSON: {error}")))?;
        let document = object(&document, "the policy")?;
        for (name, value) in document {
            match (name.as_str(), value.as_str()) {
                ("Statement", _)
                | ("Id", Some(_))
                | ("Version", Some("2012-10-17" | "2008-10-17")) => {}
                ("Version" | "Id", _) => {
                    return Err(IamPolicyError(format!(
                        "the policy has an invalid {name}: {value}"
                    )));
                }
                _ => {
                    return Err(IamPolicyError(format!(
                        "the policy has an unknown element {name}"
                    )));
                }
            }
        }
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) if !statements.is_empty() => statements
                .iter()
                .enumerate()
                .map(|(index, statement)| {
                    Statement::parse(statement, &format!("statement {}", index + 1))
                })
                .collect::<Result<Vec<_>, _>>()?,
            Some(statement @ Value::Object(_)) => {
                vec![Statement::parse(statement, "the statement")?]
            }
            _ => return Err(IamPolicyError("the policy has no Statement".to_owned())),
        };
        Ok(Self {
            statements: statements.into(),
        })
    }
}

impl Statement {
    fn parse(statement: &Value, at: &str) -> Result<Self, IamPolicyError> {
        let statement = object(statement, at)?;
        for (name, value) in statement {
            match name.as_str() {
                "Effect" | "Action" | "Resource" => {}
                "Sid" if value.is_string() => {}
                "Condition" | "NotAction" | "NotResource" => {
                    return Err(IamPolicyError(format!(
                        "{at} has {name}, which the sandbox does not support"
                    )));
                }
                "Principal" | "NotPrincipal" => {
                    return Err(IamPolicyError(format!(
                        "{at} has {name}, which an identity-based policy cannot have"
                    )));
                }
                _ => {
                    return Err(IamPolicyError(format!(
                        "{at} has an invalid element {name}: {value}"
                    )));
                }
            }
        }
        let allows = match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => {
                return Err(IamPolicyError(format!(
                    "the Effect of {at} must be Allow or Deny"
                )));
            }
        };
        let actions = texts(statement, "Action", at)?;
        let resources = texts(statement, "Resource", at)?;
        for action in &actions {
            let well_formed = action
                .split_once(':')
                .is_some_and(|(service, name)| !service.is_empty() && !name.is_empty());
            if action != "*" && !well_formed {
                return Err(IamPolicyError(format!(
                    "the action {action} of {at} has no service prefix, as in sso:ListInstances"
                )));
            }
        }
        for resource in &resources {
            if resource.contains("${") {
                return Err(IamPolicyError(format!(
                    "the resource {resource} of {at} has a policy variable, which the sandbox does not support"
                )));
            }
            if resource != "*" && !resource.starts_with("arn:") {
                return Err(IamPolicyError(format!(
                    "the resource {resource} of {at} is neither an ARN nor *"
                )));
            }
        }
        Ok(Self {
            allows,
            actions: actions.iter().map(|action| action.to_lowercase()).collect(),
            resources,
        })
    }

    fn matches(&self, action: &str, resource: &str) -> bool {
        self.actions
            .iter()
            .any(|pattern| glob(pattern.as_bytes(), action.as_bytes()))
            && self
                .resources
                .iter()
                .any(|pattern| glob(pattern.as_bytes(), resource.as_bytes()))
    }
}

fn object<'v>(value: &'v Value, at: &str) -> Result<&'v Map<String, Value>, IamPolicyError> {
    value
        .as_object()
        .ok_or_else(|| IamPolicyError(format!("{at} is not a JSON object")))
}

/// Reads an element that is a string or a list of strings.
fn texts(
    statement: &Map<String, Value>,
    name: &str,
    at: &str,
) -> Result<Vec<String>, IamPolicyError> {
    let texts = match statement.get(name) {
        Some(Value::String(text)) => Some(vec![text.clone()]),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(ToOwned::to_owned))
            .collect(),
        _ => None,
    };
    texts.filter(|texts| !texts.is_empty()).ok_or_else(|| {
        IamPolicyError(format!(
            "the {name} of {at} must be a string or a list of strings"
        ))
    })
}

/// Returns whether a text matches a pattern with the wildcards `*` and `?`.
///
/// A wildcard matches within a segment, which ends at a colon. A `*` at the end of a segment also matches colons ("if you
/// use a wildcard (*) as the last character of a resource ARN segment, it can expand to match beyond the colon
/// boundaries", IAM user guide, JSON policy elements: Resource).
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => {
            let ends_segment = rest.first().is_none_or(|next| *next == b':');
            (0..=text.len())
                .take_while(|end| ends_segment || !text[..*end].contains(&b':'))
                .any(|end| glob(rest, &text[end..]))
        }
        [b'?', rest @ ..] => {
            text.first().is_some_and(|byte| *byte != b':') && glob(rest, &text[1..])
        }
        [byte, rest @ ..] => text.first() == Some(byte) && glob(rest, &text[1..]),
    }
}

impl fmt::Display for IamPolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for IamPolicyError {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SET: &str = "arn:aws:sso:::permissionSet/ssoins-7223000000000000/ps-1111222233334444";

    fn statement(effect: &str, action: &Value, resource: &Value) -> Value {
        json!({ "Effect": effect, "Action": action, "Resource": resource })
    }

    #[track_caller]
    fn decision(statements: &Value, action: &str, resource: &str) -> Decision {
        let document = json!({ "Version": "2012-10-17", "Statement": statements });
        let policy: IamPolicy = document.to_string().parse().expect("a valid policy");
        policy.decide(action, resource)
    }

    #[track_caller]
    fn check_match(action: &Value, resource: &Value, called: (&str, &str), expected: bool) {
        let statement = statement("Allow", action, resource);
        let allowed = decision(&statement, called.0, called.1) == Decision::Allowed;
        assert_eq!(allowed, expected, "{action} on {resource}: {called:?}");
    }

    #[test]
    fn actions_are_case_insensitive_and_have_wildcards() {
        for (action, called, expected) in [
            (json!("*"), "sso:ListInstances", true),
            (json!("sso:*"), "sso:ListInstances", true),
            (json!("SSO:listinstances"), "sso:ListInstances", true),
            (json!("sso:List*"), "sso:DescribeInstance", false),
            (json!("sso:*Instance*"), "sso:DescribeInstance", true),
            (json!("sso:ListInstance?"), "sso:ListInstances", true),
            (json!("sso:ListInstances?"), "sso:ListInstances", false),
            (json!("sso:ListInstance"), "sso:ListInstances", false),
            (json!("identitystore:*"), "sso:ListInstances", false),
            (
                json!(["sts:*", "sso:ListInstances"]),
                "sso:ListInstances",
                true,
            ),
        ] {
            check_match(&action, &json!("*"), (called, "*"), expected);
        }
    }

    #[test]
    fn resources_are_case_sensitive_and_their_wildcards_stay_in_a_segment() {
        for (resource, called, expected) in [
            (json!("*"), SET, true),
            (json!(SET), SET, true),
            (json!(SET.to_lowercase()), SET, false),
            (
                json!("arn:aws:sso:::permissionSet/ssoins-7223000000000000/*"),
                SET,
                true,
            ),
            (
                json!("arn:aws:sso:::permissionSet/*/ps-1111222233334444"),
                SET,
                true,
            ),
            (
                json!("arn:aws:sso:::permissionSet/*/ps-111122223333444?"),
                SET,
                true,
            ),
            (
                json!("arn:aws:sso:::permissionSet/*/ps-111122223333?"),
                SET,
                false,
            ),
            (json!("arn:aws:sso:::instance/*"), SET, false),
            (json!("arn:aws-cn:sso:::permissionSet/*"), SET, false),
            (json!("arn:*:sso:::permissionSet/*"), SET, true),
            (json!("arn:aws:sso:*"), SET, true),
            (json!("arn:aws:s*permissionSet/*"), SET, false),
            (json!("arn:aws:sso?::permissionSet/*"), SET, false),
            (json!("arn:aws:sso:::*"), "*", false),
            (json!(["arn:aws:sso:::instance/*", SET]), SET, true),
        ] {
            check_match(&json!("sso:*"), &resource, ("sso:X", called), expected);
        }
    }

    #[test]
    fn an_explicit_deny_wins_and_the_default_is_a_deny() {
        let all = json!("*");
        let allow = statement("Allow", &json!("sso:*"), &all);
        let deny = statement("Deny", &json!("sso:Delete*"), &all);
        for statements in [json!([allow, deny]), json!([deny, allow])] {
            for (action, expected) in [
                ("sso:ListInstances", Decision::Allowed),
                ("sso:DeletePermissionSet", Decision::ExplicitlyDenied),
                ("identitystore:ListUsers", Decision::ImplicitlyDenied),
            ] {
                assert_eq!(decision(&statements, action, "*"), expected, "{action}");
            }
        }
        assert_eq!(
            decision(&deny, "sso:DeletePermissionSet", "*"),
            Decision::ExplicitlyDenied
        );
    }

    #[test]
    fn a_document_that_the_sandbox_cannot_enforce_is_refused_with_the_reason() {
        let with = |name: &str, value: Value| {
            let mut statement = statement("Allow", &json!("sso:*"), &json!("*"));
            statement[name] = value;
            json!({ "Statement": [statement] }).to_string()
        };
        for (document, message) in [
            (
                "{".to_owned(),
                "the policy is not JSON: EOF while parsing an object at line 1 column 1",
            ),
            ("[]".to_owned(), "the policy is not a JSON object"),
            ("{}".to_owned(), "the policy has no Statement"),
            (
                r#"{"Statement":[]}"#.to_owned(),
                "the policy has no Statement",
            ),
            (
                r#"{"Version":"2012-10-18"}"#.to_owned(),
                "the policy has an invalid Version: \"2012-10-18\"",
            ),
            (
                r#"{"Statements":[]}"#.to_owned(),
                "the policy has an unknown element Statements",
            ),
            (
                with("Condition", json!({})),
                "statement 1 has Condition, which the sandbox does not support",
            ),
            (
                with("NotAction", json!("sso:*")),
                "statement 1 has NotAction, which the sandbox does not support",
            ),
            (
                with("NotResource", json!("*")),
                "statement 1 has NotResource, which the sandbox does not support",
            ),
            (
                with("Principal", json!("*")),
                "statement 1 has Principal, which an identity-based policy cannot have",
            ),
            (
                with("Sid", json!(1)),
                "statement 1 has an invalid element Sid: 1",
            ),
            (
                with("Effect", json!("allow")),
                "the Effect of statement 1 must be Allow or Deny",
            ),
            (
                with("Action", json!([])),
                "the Action of statement 1 must be a string or a list of strings",
            ),
            (
                with("Action", json!(["sso:*", 1])),
                "the Action of statement 1 must be a string or a list of strings",
            ),
            (
                with("Action", json!("ListInstances")),
                "the action ListInstances of statement 1 has no service prefix, as in sso:ListInstances",
            ),
            (
                with("Resource", Value::Null),
                "the Resource of statement 1 must be a string or a list of strings",
            ),
            (
                with("Resource", json!("ssoins-1")),
                "the resource ssoins-1 of statement 1 is neither an ARN nor *",
            ),
            (
                with("Resource", json!("arn:aws:iam::1:user/${aws:username}")),
                "the resource arn:aws:iam::1:user/${aws:username} of statement 1 has a policy variable, which the \
                 sandbox does not support",
            ),
        ] {
            let error = document
                .parse::<IamPolicy>()
                .expect_err("an invalid policy");
            assert_eq!(error.to_string(), message);
        }
    }
}
