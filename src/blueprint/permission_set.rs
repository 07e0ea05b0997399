//! The permission sets.

use std::{borrow::Cow, collections::BTreeMap};

use aws_sso_glue::Partition;
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};

use super::{
    shape::{Shape, expected},
    text::nearest,
};
use crate::policy_document;

/// A permission set: the permissions of a role.
///
/// Fields may be added: end with `..PermissionSetSpec::default()`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PermissionSetSpec {
    /// The description, 1 to 700 characters of Latin-1.
    #[schemars(extend("minLength" = 1, "maxLength" = 700, "pattern" = r"^[\t\n\r\u0020-\u007e\u00a1-\u00ff]*$"))]
    pub description: Option<String>,
    /// The session duration from 1 to 12 hours, such as `8h`, `90m` or `PT8H` (ISO 8601).
    #[schemars(extend("pattern" = r"^(PT(?=[0-9])(([0-9]|1[0-2])H)?([0-9]+M)?([0-9]+S)?|([1-9]|1[0-2])h([0-9]+m)?|[0-9]+m)$"))]
    pub session_duration: Option<String>,
    /// AWS managed policies, each by its ARN, its path and name (`job-function/Billing`) or its name.
    #[schemars(inner(regex(
        pattern = r"^(arn:[^:]*:iam::aws:policy/)?([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]+$"
    )))]
    pub managed_policies: Vec<String>,
    /// Customer managed policies, each by its name, or by its path and name (`/teams/Deploy`). Each account needs its own
    /// policy of this name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = r"^(/([\u0021-\u007e]+/)?)?[A-Za-z0-9_+=,.@-]{1,128}$")))]
    pub customer_managed_policies: Vec<String>,
    /// The permissions boundary: a policy that limits the permissions of the set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<PermissionsBoundary>,
    /// The inline policy document: a table, or a JSON string.
    #[serde(deserialize_with = "inline_policy")]
    #[schemars(extend("type" = ["string", "object", "null"], "pattern" = r"^\s*\{", "maxLength" = 32_768, "contentMediaType" = "application/json",
        "required" = ["Statement"], "propertyNames" = {"enum": ["Version", "Id", "Statement"]}))]
    pub inline_policy: Option<String>,
    /// The URL that opens after the sign-in, 1 to 240 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = r#"^[A-Za-z0-9&$@#/%?=~_'"|!:,.;*+\[\] (){}-]{1,240}$"#))]
    pub relay_state: Option<String>,
    /// The tags, at most 74: a run adds the tag `okta-aws-sso:blueprint` to the sets that it creates.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 74, "propertyNames" = {"pattern": "^(?!aws:|okta-aws-sso:).{1,128}$"}, "additionalProperties" = {"type": "string", "maxLength": 256}))]
    pub tags: BTreeMap<String, String>,
    /// Whether the set exists and is only used (default: no). Such an entry describes nothing else, and the set is not edited.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existing: bool,
    /// The name that the set had before. AWS has no new name for a set, so a run creates this one with its assignments, and a
    /// later run removes the assignments of the old set that are replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = r"^[A-Za-z0-9_+=,.@-]{1,32}$"))]
    pub renamed_from: Option<String>,
}

/// A policy that limits the permissions of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PermissionsBoundary {
    /// An AWS managed policy, in the forms of [`PermissionSetSpec::managed_policies`].
    ManagedPolicy(String),
    /// A customer managed policy, in the forms of [`PermissionSetSpec::customer_managed_policies`].
    CustomerManagedPolicy(String),
}

/// A violated rule: the keys below the permission set, the message, and what to do.
pub(super) type Violation = (Vec<String>, String, String);

impl PermissionSetSpec {
    /// Returns the set as AWS has it in this partition: with the ARNs of its managed policies, the paths of its customer managed
    /// policies, and the session duration in ISO 8601.
    pub(super) fn normalized(&self, partition: &Partition) -> Self {
        let mut set = self.clone();
        for policy in &mut set.managed_policies {
            *policy = managed_policy_arn(policy, partition).into_owned();
        }
        for policy in &mut set.customer_managed_policies {
            *policy = with_path(policy);
        }
        match &mut set.permissions_boundary {
            Some(PermissionsBoundary::ManagedPolicy(policy)) => {
                *policy = managed_policy_arn(policy, partition).into_owned();
            }
            Some(PermissionsBoundary::CustomerManagedPolicy(policy)) => *policy = with_path(policy),
            None => {}
        }
        if let Some(duration) = &mut set.session_duration
            && !duration.starts_with('P')
            && let Ok(span) = duration.parse::<SignedDuration>()
        {
            *duration = span.to_string();
        }
        set
    }

    /// Returns the AWS managed policies of the set and its boundary.
    fn all_managed_policies(&self) -> impl Iterator<Item = &String> {
        let boundary = match &self.permissions_boundary {
            Some(PermissionsBoundary::ManagedPolicy(policy)) => Some(policy),
            _ => None,
        };
        self.managed_policies.iter().chain(boundary)
    }

    /// Returns the ARNs of AWS managed policies of other partitions. AWS does not have such a policy in this partition.
    pub(crate) fn foreign_policies(&self, partition: &Partition) -> impl Iterator<Item = &String> {
        let is_foreign =
            |arn: &&String| Partition::of_arn(arn).is_some_and(|found| found != *partition);
        self.all_managed_policies().filter(is_foreign)
    }

    /// Returns a warning for each name of a managed policy that this version does not know. AWS adds policies, so such a
    /// name may be right.
    pub(super) fn unknown_policies(&self, partition: &Partition) -> impl Iterator<Item = String> {
        let names = self.all_managed_policies();
        let unknown = names.filter(|name| !name.contains(['/', ':']) && path_of(name).is_none());
        unknown.map(move |name| {
            let names = nearest(name, KNOWN.lines().map(file_name));
            let help = if names.is_empty() {
                String::new()
            } else {
                format!("; similar names: {}", names.join(", "))
            };
            format!(
                "`{name}` is not a known AWS managed policy, so `{}` is used{help}",
                managed_policy_arn(name, partition)
            )
        })
    }

    /// Returns a warning if the set has more policies than an account accepts for a role without a raised quota.
    pub(super) fn many_policies(&self) -> Option<String> {
        let policies = self.managed_policies.len() + self.customer_managed_policies.len();
        (policies > DEFAULT_POLICIES).then(|| {
            format!(
                "the set has {policies} policies, and IAM attaches at most {DEFAULT_POLICIES} to a role by default: raise the \
                 quota \"Managed policies attached to an IAM role\" in each account of the set, or join policies"
            )
        })
    }

    /// Returns a warning if the relay state leads to the AWS console of another partition, where the user cannot sign in.
    pub(super) fn foreign_relay_state(&self, partition: &Partition) -> Option<String> {
        let url = self.relay_state.as_deref()?;
        let console = Partition::of_console_url(&url.parse().ok()?)?;
        (console != *partition).then(|| {
            format!(
                "the relay state `{url}` leads to the AWS console of partition {console}, and the instance is in partition \
                 {partition}: use the address of the console there"
            )
        })
    }

    /// Returns the first rule of AWS that the set violates.
    ///
    /// Sources: the service model "SSO Admin" for the texts, and the quotas of IAM Identity Center for the numbers.
    pub(super) fn violation(&self) -> Option<Violation> {
        self.existing_violation()
            .or_else(|| self.attribute_violation())
            .or_else(|| self.policy_violation())
    }

    fn existing_violation(&self) -> Option<Violation> {
        let only_existing = Self {
            existing: true,
            ..Self::default()
        };
        (self.existing && *self != only_existing).then(|| {
            violation(
                &["existing"],
                "a permission set with `existing = true` is described",
                "remove the other keys, or remove `existing` to let the run edit the set",
            )
        })
    }

    fn attribute_violation(&self) -> Option<Violation> {
        if let Some(text) = &self.description
            && !(1..=700).contains(&text.chars().count())
        {
            return Some(violation(
                &["description"],
                "the description does not have 1 to 700 characters, the limits of AWS",
                "shorten the description, or leave the key out",
            ));
        }
        // Service model "SSO Admin", `PermissionSetDescription`.
        let is_allowed =
            |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}');
        if let Some(text) = &self.description
            && let Some(c) = text.chars().find(|c| !is_allowed(*c))
        {
            return Some(violation(
                &["description"],
                format!(
                    "the description has the character U+{:04X}, which AWS does not accept",
                    u32::from(c)
                ),
                "use characters of Latin-1, such as `-` for a dash",
            ));
        }
        if let Some(duration) = &self.session_duration
            && !is_valid_session_duration(duration)
        {
            return Some(violation(
                &["session_duration"],
                format!("`{duration}` is not a session duration from 1 to 12 hours"),
                "write a duration such as `8h`, `90m` or `PT8H`",
            ));
        }
        if let Some(url) = &self.relay_state
            && (!(1..=240).contains(&url.len())
                || !url
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || RELAY_STATE.contains(c)))
        {
            return Some(violation(
                &["relay_state"],
                "the relay state does not have 1 to 240 letters, digits and characters of URLs, the limits of AWS",
                "use the URL of a page of the AWS console",
            ));
        }
        let wrong_tag = self.tags.iter().find(|(key, value)| {
            !(1..=128).contains(&key.chars().count())
                || key.starts_with("aws:")
                || key.starts_with(OWN_TAGS)
                || value.chars().count() > 256
        });
        if let Some((key, _)) = wrong_tag {
            return Some(violation(
                &["tags", key],
                format!("`{key}` is not a valid tag"),
                "use a key of 1 to 128 characters that starts with neither `aws:` nor `okta-aws-sso:`, and a value of at most 256 characters",
            ));
        }
        (self.tags.len() > 74).then(|| {
            violation(
                &["tags"],
                format!(
                    "the set has {} tags, and AWS accepts at most 75, one of which names the blueprint",
                    self.tags.len()
                ),
                "remove tags",
            )
        })
    }

    fn policy_violation(&self) -> Option<Violation> {
        for (index, policy) in self.managed_policies.iter().enumerate() {
            if !is_managed_policy(policy) {
                return Some(violation(
                    &["managed_policies", &index.to_string()],
                    format!("`{policy}` is not an AWS managed policy"),
                    MANAGED_HELP,
                ));
            }
        }
        for (index, policy) in self.customer_managed_policies.iter().enumerate() {
            if !is_customer_managed_policy(policy) {
                return Some(violation(
                    &["customer_managed_policies", &index.to_string()],
                    format!("`{policy}` is not the name of a customer managed policy"),
                    CUSTOMER_HELP,
                ));
            }
        }
        let boundary = ["permissions_boundary"];
        match &self.permissions_boundary {
            Some(PermissionsBoundary::ManagedPolicy(policy)) if !is_managed_policy(policy) => {
                let message = format!("`{policy}` is not an AWS managed policy");
                return Some(violation(&boundary, message, MANAGED_HELP));
            }
            Some(PermissionsBoundary::CustomerManagedPolicy(policy))
                if !is_customer_managed_policy(policy) =>
            {
                let message = format!("`{policy}` is not the name of a customer managed policy");
                return Some(violation(&boundary, message, CUSTOMER_HELP));
            }
            _ => {}
        }
        let policies = self.managed_policies.len() + self.customer_managed_policies.len();
        if policies > 20 {
            return Some(violation(
                &[],
                format!(
                    "the set has {policies} policies, and AWS attaches at most 20 to a permission set"
                ),
                "join policies, or use the inline policy",
            ));
        }
        let wrong = policy_document::grammar_violation(self.inline_policy.as_ref()?)?;
        Some(violation(
            &["inline_policy"],
            format!("the inline policy {wrong}"),
            "write the whole policy document as AWS takes it for a permission set",
        ))
    }
}

fn violation(at: &[&str], message: impl Into<String>, help: impl Into<String>) -> Violation {
    let at = at.iter().map(|key| (*key).to_owned());
    (at.collect(), message.into(), help.into())
}

/// Returns the ARN of an AWS managed policy in a partition. A name without a path that this version does not know gets the root
/// path. An ARN stays as it is.
pub(super) fn managed_policy_arn<'p>(policy: &'p str, partition: &Partition) -> Cow<'p, str> {
    if policy.starts_with("arn:") {
        return Cow::Borrowed(policy);
    }
    let path = path_of(policy).unwrap_or(policy);
    Cow::Owned(partition.managed_policy_arn(path))
}

/// Returns the path and name of a known managed policy with this name.
fn path_of(name: &str) -> Option<&'static str> {
    KNOWN.lines().find(|path| file_name(path) == name)
}

/// Returns a customer managed policy as path and name. The default path is `/` (IAM identifiers).
fn with_path(policy: &str) -> String {
    if policy.starts_with('/') {
        policy.to_owned()
    } else {
        format!("/{policy}")
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_managed_policy(policy: &str) -> bool {
    let path = match policy.strip_prefix("arn:") {
        None => policy,
        Some(rest) => match rest.split_once(":iam::aws:policy/") {
            Some((partition, path)) if !partition.contains(':') => path,
            _ => return false,
        },
    };
    path.split('/').all(is_policy_name)
}

fn is_customer_managed_policy(policy: &str) -> bool {
    let (path, name) = policy.rsplit_once('/').unwrap_or(("", policy));
    let has_path = policy.contains('/');
    let is_path = path.is_empty()
        || path.len() <= 510
            && path.starts_with('/')
            && path.bytes().all(|byte| byte.is_ascii_graphic());
    is_policy_name(name) && name.len() <= 128 && (!has_path || is_path)
}

fn is_policy_name(name: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    !name.is_empty() && name.chars().all(is_allowed)
}

fn is_valid_session_duration(text: &str) -> bool {
    let is_short = |c: char| c.is_ascii_digit() || c == 'h' || c == 'm';
    let Ok(span) = text.parse::<SignedDuration>() else {
        return false;
    };
    (text.starts_with('P') || text.chars().all(is_short))
        && (3600..=12 * 3600).contains(&span.as_secs())
}

/// Reads a policy document: a text, or a table, which becomes a text.
fn inline_policy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Shape::<IgnoredAny, serde_json::Value>::deserialize(deserializer)? {
        Shape::Null => Ok(None),
        Shape::Text(text) => Ok(Some(text)),
        Shape::Table(document) => Ok(Some(document.to_string())),
        Shape::List(_) => Err(expected("a policy document as a table or as a JSON string")),
    }
}

/// The tag of the permission sets that a run creates. Its value is the name of the blueprint.
pub(crate) const OWNER_TAG: &str = "okta-aws-sso:blueprint";
/// The start of the keys of tags that only runs write.
const OWN_TAGS: &str = "okta-aws-sso:";
const MANAGED_HELP: &str = "use an ARN such as `arn:aws:iam::aws:policy/ReadOnlyAccess`, or a name such as `job-function/Billing`";
const CUSTOMER_HELP: &str = "use 1 to 128 letters, digits and _+=,.@- for the name, after a path such as `/teams/` if the policy has one";
/// The default of the IAM quota "Managed policies attached to an IAM role" (footnote of the quotas of IAM Identity Center).
const DEFAULT_POLICIES: usize = 10;
/// The characters of a relay state besides letters and digits (service model "SSO Admin", `RelayState`).
const RELAY_STATE: &str = "&$@#/%?=~-_'\"|!:,.;*+[] (){}";
/// The AWS managed policies that a permission set can have, each with its path, as of September 2026, sorted by name.
const KNOWN: &str = include_str!("managed_policies.txt");

#[cfg(test)]
mod tests {
    use aws_sso_glue::Partition;

    use super::{PermissionsBoundary, managed_policy_arn};
    use crate::Blueprint;

    #[test]
    fn a_managed_policy_is_found_by_its_name() {
        for (policy, arn) in [
            ("ReadOnlyAccess", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
            ("Billing", "arn:aws:iam::aws:policy/job-function/Billing"),
            (
                "job-function/Billing",
                "arn:aws:iam::aws:policy/job-function/Billing",
            ),
            (
                "AWSGlueServiceRole",
                "arn:aws:iam::aws:policy/service-role/AWSGlueServiceRole",
            ),
            ("FuturePolicy", "arn:aws:iam::aws:policy/FuturePolicy"),
            (
                "arn:aws-us-gov:iam::aws:policy/X",
                "arn:aws-us-gov:iam::aws:policy/X",
            ),
        ] {
            assert_eq!(managed_policy_arn(policy, &Partition::Aws), arn);
        }
    }

    #[test]
    fn a_name_becomes_an_arn_of_the_partition_and_an_arn_stays() {
        let blueprint = Blueprint::from_toml(
            "
            [permission_sets.Dev]
            managed_policies = ['Billing', 'arn:aws:iam::aws:policy/ReadOnlyAccess']
            permissions_boundary = { managed_policy = 'PowerUserAccess' }
            [permission_sets.SecurityAudit]
            [[access]]
            group = 'a'
            account = 'x'
            permission_set = 'AdministratorAccess'",
        )
        .expect("a blueprint");
        let china = blueprint.desired_permission_sets_in(&Partition::AwsCn);
        assert_eq!(
            china["Dev"].managed_policies,
            [
                "arn:aws-cn:iam::aws:policy/job-function/Billing",
                "arn:aws:iam::aws:policy/ReadOnlyAccess"
            ]
        );
        assert_eq!(
            china["Dev"].permissions_boundary,
            Some(PermissionsBoundary::ManagedPolicy(
                "arn:aws-cn:iam::aws:policy/PowerUserAccess".to_owned()
            ))
        );
        for well_known in ["SecurityAudit", "AdministratorAccess"] {
            assert_eq!(
                china[well_known].managed_policies,
                [format!("arn:aws-cn:iam::aws:policy/{well_known}")]
            );
        }
        let foreign: Vec<&String> = china["Dev"].foreign_policies(&Partition::AwsCn).collect();
        assert_eq!(foreign, ["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
        let commercial = blueprint.desired_permission_sets();
        assert_eq!(
            commercial,
            blueprint.desired_permission_sets_in(&Partition::Aws)
        );
        assert_eq!(
            commercial["Dev"].foreign_policies(&Partition::Aws).count(),
            0
        );
    }

    #[test]
    fn a_set_has_arns_and_iso_durations() {
        let blueprint = Blueprint::from_toml(
            "
            [permission_sets.Dev]
            session_duration = '1h30m'
            managed_policies = ['job-function/Billing', 'ReadOnlyAcess']
            customer_managed_policies = ['Deploy', '/teams/web/Deploy']
            permissions_boundary = { managed_policy = 'PowerUserAccess' }
            inline_policy = { Version = '2012-10-17', Statement = [{ Effect = 'Deny', Action = 'iam:*', Resource = '*' }] }
            relay_state = 'https://console.aws.amazon.com/s3/'
            tags = { owner = 'web' }
            [permission_sets.Old]
            session_duration = 'PT90M'
            [permission_sets.Used]
            existing = true",
        )
        .expect("a blueprint");
        let sets = blueprint.desired_permission_sets();
        let dev = &sets["Dev"];
        assert_eq!(dev.session_duration.as_deref(), Some("PT1H30M"));
        assert_eq!(
            dev.managed_policies,
            [
                "arn:aws:iam::aws:policy/job-function/Billing",
                "arn:aws:iam::aws:policy/ReadOnlyAcess"
            ]
        );
        assert_eq!(
            dev.customer_managed_policies,
            ["/Deploy", "/teams/web/Deploy"]
        );
        assert_eq!(
            dev.permissions_boundary,
            Some(PermissionsBoundary::ManagedPolicy(
                "arn:aws:iam::aws:policy/PowerUserAccess".to_owned()
            ))
        );
        let policy: serde_json::Value =
            serde_json::from_str(dev.inline_policy.as_deref().expect("a policy")).expect("JSON");
        assert_eq!(policy["Statement"][0]["Action"], "iam:*");
        // A duration in ISO 8601 is sent as it is written.
        assert_eq!(sets["Old"].session_duration.as_deref(), Some("PT90M"));
        assert!(sets["Used"].existing);
        let warnings: Vec<String> = blueprint
            .warnings()
            .into_iter()
            .map(|note| note.text)
            .collect();
        assert_eq!(warnings.len(), 1);
        assert!(
            warnings[0].contains("similar names: ReadOnlyAccess"),
            "{warnings:?}"
        );
    }

    #[test]
    fn more_policies_than_a_role_has_by_default_are_a_warning() {
        let warnings = |policies: usize| {
            let names: Vec<String> = (0..policies).map(|n| format!("'/teams/P{n}'")).collect();
            let names = names.join(", ");
            let text = format!("[permission_sets.Dev]\ncustomer_managed_policies = [{names}]");
            let blueprint = Blueprint::from_toml(&text).expect("a blueprint");
            let warnings = blueprint.warnings().into_iter();
            warnings.map(|note| note.text).collect::<Vec<_>>()
        };
        assert_eq!(warnings(10), Vec::<String>::new());
        let eleven = warnings(11);
        assert_eq!(eleven.len(), 1);
        assert!(
            eleven[0].starts_with("the set has 11 policies"),
            "{eleven:?}"
        );
    }

    #[test]
    fn an_old_blueprint_keeps_its_digest() {
        let text = "[permission_sets.A]\nsession_duration = \"PT8H\"\n[[access]]\ngroup = \"a\"\naccounts = [\"x\", \"y\"]\npermission_set = \"A\"\n";
        let json = serde_json::to_value(Blueprint::from_toml(text).expect("a blueprint"));
        let json = json.expect("JSON");
        assert_eq!(
            json["access"][0].to_string(),
            r#"{"accounts":["x","y"],"group":"a","permission_set":"A"}"#
        );
        assert_eq!(
            json["permission_sets"]["A"].to_string(),
            r#"{"description":null,"inline_policy":null,"managed_policies":[],"session_duration":"PT8H"}"#
        );
        assert_eq!(json.as_object().expect("a table").len(), 6);
    }
}
