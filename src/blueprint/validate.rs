//! Validation of a blueprint without any service.

use std::collections::BTreeSet;

use super::{Access, Blueprint, PermissionSetSpec, ProvisioningMode};

/// One component of the path to a value in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    Key(String),
    Index(usize),
}

/// A violated rule: the path of the value, the message, and what to do.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) at: Vec<At>,
    pub(super) message: String,
    pub(super) help: String,
}

/// Returns the violated rules: at most one for each access entry and each permission set.
pub(super) fn problems(blueprint: &Blueprint) -> Vec<Problem> {
    let access = blueprint.access.iter().enumerate();
    let access = access.filter_map(|(index, access)| access_entry(blueprint, index, access));
    let sets = blueprint.permission_sets.iter();
    let sets = sets.filter_map(|(name, set)| permission_set(name, set));
    custom_domain(blueprint)
        .into_iter()
        .chain(app(blueprint))
        .chain(sign_on_policy(blueprint))
        .chain(group_ids(blueprint))
        .chain(portal_url(blueprint))
        .chain(access)
        .chain(assigned_and_pushed_groups(blueprint))
        .chain(sets)
        .collect()
}

impl Problem {
    /// Returns the path of the value, such as `access[2].group`.
    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for at in &self.at {
            match at {
                At::Index(index) => path = format!("{path}[{index}]"),
                At::Key(key) if path.is_empty() => path.clone_from(key),
                At::Key(key) => path = format!("{path}.{key}"),
            }
        }
        path
    }
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

fn custom_domain(blueprint: &Blueprint) -> Option<Problem> {
    let domain = blueprint.okta.custom_domain.as_deref()?;
    let at = ["okta", "custom_domain"];
    if domain.contains("://") || domain.contains('/') {
        return Some(problem(
            &at,
            format!("`{domain}` is a URL, not a host"),
            "enter only the host, such as `login.example.com`",
        ));
    }
    if domain.split('.').count() < 3 {
        // Okta refuses an apex domain, because it needs a CNAME record, which an apex cannot have.
        return Some(problem(
            &at,
            format!("`{domain}` is not a subdomain"),
            "use a subdomain, such as `login.example.com`: Okta needs a CNAME record, which an apex domain cannot have",
        ));
    }
    None
}

fn app(blueprint: &Blueprint) -> Option<Problem> {
    let okta = &blueprint.okta;
    let label = &okta.app_label;
    if label.is_empty() || label.chars().count() > 100 || label.contains(char::is_control) {
        return Some(problem(
            &["okta", "app_label"],
            "the label is empty, has more than 100 characters, or has control characters",
            "use the label of the app in Okta, on one line",
        ));
    }
    let id = okta.app_id.as_deref()?;
    let is_id = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric());
    (!is_id).then(|| {
        problem(
            &["okta", "app_id"],
            format!("`{id}` is not the id of an app"),
            "use an id such as `0oa1gjh63g214q0Hq0g4`, from the address of the app in Okta's admin console",
        )
    })
}

fn sign_on_policy(blueprint: &Blueprint) -> Option<Problem> {
    let policy = blueprint.okta.sign_on_policy.as_deref()?;
    policy.trim().is_empty().then(|| {
        problem(
            &["okta", "sign_on_policy"],
            "the name of the sign-on policy is empty",
            "use the name of a policy under Security > App sign-in policies in Okta, or leave the key out",
        )
    })
}

/// Returns the first id of a group that is not an id, or is of a group that the blueprint does not name.
fn group_ids(blueprint: &Blueprint) -> Option<Problem> {
    let mut named = blueprint.assigned_groups();
    named.extend(blueprint.pushed_groups());
    blueprint.okta.group_ids.iter().find_map(|(name, id)| {
        let at = ["okta", "group_ids", name.as_str()];
        let is_id = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric());
        if !is_id {
            return Some(problem(
                &at,
                format!("`{id}` is not the id of a group"),
                "use an id such as `00g1gjh63g214q0Hq0g4`, from the address of the group in Okta's admin console",
            ));
        }
        (!named.contains(name.as_str())).then(|| {
            problem(
                &at,
                format!("the blueprint names no group `{name}`"),
                "use the name of a group in `access` or `provisioning.assign_groups`, or remove the id",
            )
        })
    })
}

fn portal_url(blueprint: &Blueprint) -> Option<Problem> {
    let url = blueprint.aws.portal_url.as_ref()?;
    let is_plain = url.scheme() == "https"
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    (!is_plain).then(|| {
        problem(
            &["aws", "portal_url"],
            format!("`{url}` is not an access portal: it has a port, a query, a fragment or credentials, or is not https"),
            "copy the AWS access portal URL from IAM Identity Center > Dashboard in the console",
        )
    })
}

fn access_entry(blueprint: &Blueprint, index: usize, access: &Access) -> Option<Problem> {
    let number = index.to_string();
    let at = ["access", number.as_str()];
    match (&access.user, &access.group) {
        (Some(_), Some(_)) => {
            return Some(problem(
                &["access", &number, "group"],
                "an access entry has both `user` and `group`",
                "write one entry for the user and one for the group",
            ));
        }
        (None, None) => {
            return Some(problem(
                &at,
                "an access entry has neither `user` nor `group`",
                "add `user = \"…\"` or `group = \"…\"`",
            ));
        }
        _ => {}
    }
    if access.accounts().next().is_none() {
        return Some(problem(
            &at,
            "an access entry has no account",
            "add `account = \"…\"` or `accounts = [\"…\"]`, with ids or names",
        ));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = access.accounts().find(|account| !seen.insert(*account)) {
        return Some(problem(
            &at,
            format!("account `{twice}` is listed twice"),
            "remove one of the two",
        ));
    }
    let name = &access.permission_set;
    if !blueprint.permission_sets.contains_key(name) && well_known_policy(name).is_none() {
        return Some(problem(
            &["access", &number, "permission_set"],
            format!(
                "permission set `{name}` is not described, and no AWS managed policy for a job function has this name"
            ),
            format!(
                "add a table `[permission_sets.{name}]`, or use one of {}",
                WELL_KNOWN.map(|(name, _)| name).join(", ")
            ),
        ));
    }
    None
}

/// Returns a problem for each group that is both assigned and pushed.
///
/// Okta and AWS do not support such a group: members are missing in AWS, or stay there after they leave the group.
///
/// Sources: AWS "Configure SAML and SCIM with Okta"; Okta "Group Push troubleshooting".
fn assigned_and_pushed_groups(blueprint: &Blueprint) -> Vec<Problem> {
    if blueprint.provisioning.mode == ProvisioningMode::Direct {
        // Direct mode pushes no group.
        return Vec::new();
    }
    let pushed = blueprint.pushed_groups();
    let groups = blueprint.provisioning.assign_groups.iter().enumerate();
    let both = groups.filter(|(_, group)| pushed.contains(group.as_str()));
    let problems = both.map(|(index, group)| problem(
        &["provisioning", "assign_groups", &index.to_string()],
        format!("group `{group}` would be assigned to the app and pushed to AWS"),
        "use two groups, because Okta and AWS do not support one group for both (members are missing in AWS, or stay there after they leave): assign all users through a separate group, and push the groups that get access",
    ));
    problems.collect()
}

fn permission_set(name: &str, set: &PermissionSetSpec) -> Option<Problem> {
    let at = ["permission_sets", name];
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if name.is_empty() || name.len() > 32 || !name.chars().all(is_allowed) {
        return Some(problem(
            &at,
            format!("`{name}` is not a valid name of a permission set"),
            "use 1 to 32 letters, digits and _+=,.@- (the name cannot be changed later)",
        ));
    }
    if let Some(text) = &set.description
        && !(1..=700).contains(&text.chars().count())
    {
        return Some(problem(
            &["permission_sets", name, "description"],
            "the description does not have 1 to 700 characters, the limits of AWS",
            "shorten the description, or leave the key out",
        ));
    }
    if let Some(duration) = &set.session_duration
        && !is_valid_session_duration(duration)
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
                format!("`{arn}` is not the ARN of an AWS managed policy"),
                "use an ARN such as `arn:aws:iam::aws:policy/ReadOnlyAccess`",
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

fn is_valid_session_duration(text: &str) -> bool {
    let Ok(span) = text.parse::<jiff::SignedDuration>() else {
        return false;
    };
    text.starts_with('P') && (3600..=12 * 3600).contains(&span.as_secs())
}

/// The AWS managed policies for job functions, each with the name of the permission set that gets the policy
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

/// Returns the ARN of the AWS managed policy for the job function with this name.
pub(crate) fn well_known_policy(name: &str) -> Option<String> {
    let (_, path) = WELL_KNOWN.iter().find(|(known, _)| *known == name)?;
    Some(format!("arn:aws:iam::aws:policy/{path}"))
}
