//! What a blueprint cannot ask for, decided without any service.

use std::collections::BTreeSet;

use super::{Access, Blueprint, PermissionSetSpec, ProvisioningMode};

/// A step on the way to a value in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    Key(String),
    Index(usize),
}

/// Something that cannot be, where it stands, and what to do about it.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) at: Vec<At>,
    pub(super) message: String,
    pub(super) help: String,
}

/// The first thing in a blueprint that cannot be.
pub(super) fn first_problem(blueprint: &Blueprint) -> Option<Problem> {
    domain(blueprint)
        .or_else(|| {
            blueprint
                .access
                .iter()
                .enumerate()
                .find_map(|(index, access)| line(blueprint, index, access))
        })
        .or_else(|| same_group_twice(blueprint))
        .or_else(|| {
            blueprint
                .permission_sets
                .iter()
                .find_map(|(name, set)| permission_set(name, set))
        })
}

fn problem(at: &[&str], message: impl Into<String>, help: impl Into<String>) -> Problem {
    let at = at.iter().map(|part| {
        part.parse().map_or_else(
            |_not_a_number: std::num::ParseIntError| At::Key((*part).to_owned()),
            At::Index,
        )
    });
    Problem {
        at: at.collect(),
        message: message.into(),
        help: help.into(),
    }
}

fn domain(blueprint: &Blueprint) -> Option<Problem> {
    let domain = blueprint.okta.custom_domain.as_deref()?;
    let at = ["okta", "custom_domain"];
    if domain.contains("://") || domain.contains('/') {
        return Some(problem(
            &at,
            format!("`{domain}` is an address, not a host"),
            "give the host alone, such as `login.example.com`",
        ));
    }
    if domain.split('.').count() < 3 {
        // Okta does not take an apex domain: it needs a CNAME, and an apex cannot have one.
        return Some(problem(
            &at,
            format!("`{domain}` is not below a domain of yours"),
            "use a host below it, such as `login.example.com`: Okta needs a CNAME record, which an apex cannot have",
        ));
    }
    None
}

fn line(blueprint: &Blueprint, index: usize, access: &Access) -> Option<Problem> {
    let number = index.to_string();
    let at = ["access", number.as_str()];
    match (&access.user, &access.group) {
        (Some(_), Some(_)) => {
            return Some(problem(
                &["access", &number, "group"],
                "one line of access is for a user or for a group, not for both",
                "write two lines",
            ));
        }
        (None, None) => {
            return Some(problem(
                &at,
                "this line of access is for nobody",
                "add `user = \"…\"` or `group = \"…\"`",
            ));
        }
        _ => {}
    }
    if access.accounts().next().is_none() {
        return Some(problem(
            &at,
            "this line of access names no account",
            "add `account = \"…\"` or `accounts = [\"…\"]`, by id or by name",
        ));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = access.accounts().find(|account| !seen.insert(*account)) {
        return Some(problem(
            &at,
            format!("account `{twice}` is named twice"),
            "name it once",
        ));
    }
    let name = &access.permission_set;
    if !blueprint.permission_sets.contains_key(name) && well_known_policy(name).is_none() {
        return Some(problem(
            &["access", &number, "permission_set"],
            format!(
                "permission set `{name}` is not described, and AWS manages no policy of that name for a job"
            ),
            format!(
                "add a table `[permission_sets.{name}]`, or use one of {}",
                WELL_KNOWN.map(|(name, _)| name).join(", ")
            ),
        ));
    }
    None
}

/// Okta and AWS both say that one group cannot be assigned and pushed: members go missing or linger
/// (AWS "Configure SAML and SCIM with Okta", Okta "Group Push troubleshooting").
fn same_group_twice(blueprint: &Blueprint) -> Option<Problem> {
    if blueprint.provisioning.mode == ProvisioningMode::Direct {
        // Nothing is pushed, so there is nothing to go wrong.
        return None;
    }
    let pushed = blueprint.pushed_groups();
    let (index, group) = blueprint
        .provisioning
        .assign_groups
        .iter()
        .enumerate()
        .find(|(_, group)| pushed.contains(group.as_str()))?;
    Some(problem(
        &["provisioning", "assign_groups", &index.to_string()],
        format!("group `{group}` would be assigned to the app and pushed to AWS"),
        "use two groups: Okta and AWS do not support one group for both, as its members go missing or linger in AWS; assign everybody through a group of its own, and push the groups that get access",
    ))
}

fn permission_set(name: &str, set: &PermissionSetSpec) -> Option<Problem> {
    let at = ["permission_sets", name];
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if name.is_empty() || name.len() > 32 || !name.chars().all(fits) {
        return Some(problem(
            &at,
            format!("`{name}` cannot be the name of a permission set"),
            "use 1 to 32 letters, digits and _+=,.@- (it cannot be changed later)",
        ));
    }
    if set
        .description
        .as_ref()
        .is_some_and(|text| text.chars().count() > 700)
    {
        return Some(problem(
            &["permission_sets", name, "description"],
            "the description is longer than the 700 characters AWS takes",
            "shorten it",
        ));
    }
    if let Some(duration) = &set.session_duration
        && !session_duration_fits(duration)
    {
        return Some(problem(
            &["permission_sets", name, "session_duration"],
            format!("`{duration}` is not a session duration from PT1H to PT12H"),
            "write an ISO 8601 duration such as `PT8H`",
        ));
    }
    for (index, arn) in set.managed_policies.iter().enumerate() {
        let managed = arn
            .strip_prefix("arn:")
            .and_then(|rest| rest.split_once(":iam::aws:policy/"));
        if managed.is_none() {
            return Some(problem(
                &[
                    "permission_sets",
                    name,
                    "managed_policies",
                    &index.to_string(),
                ],
                format!("`{arn}` is not the ARN of a policy that AWS manages"),
                "such an ARN looks like `arn:aws:iam::aws:policy/ReadOnlyAccess`",
            ));
        }
    }
    let Some(policy) = &set.inline_policy else {
        return None;
    };
    match serde_json::from_str::<serde_json::Value>(policy) {
        Ok(serde_json::Value::Object(_)) => None,
        Ok(_) => Some(problem(
            &["permission_sets", name, "inline_policy"],
            "the inline policy is not a JSON object",
            "write the whole policy document",
        )),
        Err(error) => Some(problem(
            &["permission_sets", name, "inline_policy"],
            format!("the inline policy is not JSON: {error}"),
            "write the whole policy document",
        )),
    }
}

fn session_duration_fits(text: &str) -> bool {
    let Ok(span) = text.parse::<jiff::SignedDuration>() else {
        return false;
    };
    text.starts_with('P') && (3600..=12 * 3600).contains(&span.as_secs())
}

/// The policies that AWS manages for a job and that are good for a permission set under the same name
/// (IAM user guide, "AWS managed policies for job functions").
const WELL_KNOWN: [(&str, &str); 8] = [
    ("AdministratorAccess", "AdministratorAccess"),
    ("PowerUserAccess", "PowerUserAccess"),
    ("ReadOnlyAccess", "ReadOnlyAccess"),
    ("SecurityAudit", "SecurityAudit"),
    ("ViewOnlyAccess", "job-function/ViewOnlyAccess"),
    ("Billing", "job-function/Billing"),
    ("NetworkAdministrator", "job-function/NetworkAdministrator"),
    (
        "DatabaseAdministrator",
        "job-function/DatabaseAdministrator",
    ),
];

/// The ARN of the policy that AWS manages for a job of that name.
pub(crate) fn well_known_policy(name: &str) -> Option<String> {
    let (_, path) = WELL_KNOWN.iter().find(|(known, _)| *known == name)?;
    Some(format!("arn:aws:iam::aws:policy/{path}"))
}
