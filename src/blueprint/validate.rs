//! Validation of a blueprint without any service.

use std::collections::BTreeSet;

use aws_sso_glue::Partition;

use super::{
    Access, AccountFilter, Accounts, Blueprint, Ownership, PermissionSetSpec, PrincipalSpec,
    Principals, ProvisioningMode, Scope, permission_set::managed_policy_arn, rounds::rounds,
    text::suggestion,
};

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
    let sets = sets.filter_map(|(name, set)| {
        permission_set(name, set).or_else(|| renamed(blueprint, name, set))
    });
    let include = (!blueprint.include.is_empty()).then(|| {
        problem(
            &["include"],
            "a text or a value cannot include files, because it has no folder",
            "read the file with `Blueprint::load`",
        )
    });
    name(blueprint)
        .into_iter()
        .chain(custom_domain(blueprint))
        .chain(scope(blueprint))
        .chain(app(blueprint))
        .chain(sign_on_policy(blueprint))
        .chain(group_ids(blueprint))
        .chain(portal_url(blueprint))
        .chain(access)
        .chain(attributes(blueprint))
        .chain(provisioning(blueprint))
        .chain(assigned_and_pushed_groups(blueprint))
        .chain(sets)
        .chain(include)
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

    /// Returns the problem at the same place below another one.
    pub(super) fn below(mut self, at: &[&str]) -> Self {
        let above = problem(at, "", "").at;
        self.at.splice(0..0, above);
        self
    }
}

pub(super) fn problem(at: &[&str], message: impl Into<String>, help: impl Into<String>) -> Problem {
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
    let pushed = blueprint.pushed_groups();
    named.extend(pushed.iter().map(String::as_str));
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
        let provisioning = &blueprint.provisioning;
        let mut selectors = [&provisioning.assign_groups, &provisioning.push_groups].into_iter();
        let is_selected = selectors.any(|selector| selector.is_open() && selector.has_name(name));
        (!named.contains(name.as_str()) && !is_selected).then(|| {
            problem(
                &at,
                format!("the blueprint names no group `{name}`"),
                "use the name of a group in `access` or `provisioning.assign_groups`, or remove the id",
            )
        })
    })
}

/// Returns the first attribute that is taken from something else than an attribute of Okta.
fn attributes(blueprint: &Blueprint) -> Option<Problem> {
    let mut attributes = blueprint.provisioning.attributes.iter();
    attributes.find_map(|(attribute, name)| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        (!name.chars().all(is_name)).then(|| {
            problem(
                &["provisioning", "attributes", attribute.key()],
                format!("`{name}` is not the variable name of an attribute in Okta"),
                "use a name such as `mobilePhone`, from Directory > Profile Editor > User in Okta; expressions are not supported",
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

/// Returns the first problem of an entry of access, after `for`.
fn access_entry(blueprint: &Blueprint, index: usize, access: &Access) -> Option<Problem> {
    let number = index.to_string();
    let at = ["access", number.as_str()];
    let entries = match rounds(access, &blueprint.lists) {
        Ok(entries) => entries,
        Err(wrong) => {
            return Some(problem(
                &["access", &number, "for"],
                wrong.message,
                wrong.help,
            ));
        }
    };
    let found = entries.iter().find_map(|access| {
        principals(access)
            .or_else(|| accounts(access))
            .or_else(|| permission_sets(blueprint, access))
    });
    found.map(|found| found.below(&at))
}

/// Returns a problem of the users and groups of an entry.
fn principals(access: &Access) -> Option<Problem> {
    let has_many = !access.users.is_empty() || !access.groups.is_empty();
    match (&access.user, &access.group) {
        (Some(_), Some(_)) => {
            return Some(problem(
                &["group"],
                "an access entry has both `user` and `group`",
                "write one entry for the user and one for the group, or use `users` and `groups`",
            ));
        }
        (Some(_), None) | (None, Some(_)) if has_many => {
            return Some(problem(
                &[if access.user.is_some() {
                    "user"
                } else {
                    "group"
                }],
                "an access entry has `users` or `groups` besides `user` or `group`",
                "move the user or the group into the table",
            ));
        }
        (None, None) if !has_many => {
            return Some(problem(
                &[],
                "an access entry has neither `user` nor `group`",
                "add `user = \"…\"` or `group = \"…\"`, or a table `users` or `groups`",
            ));
        }
        _ => {}
    }
    let empty = access
        .users
        .iter()
        .chain(&access.groups)
        .find(|(_, sets)| sets.0.is_empty());
    if let Some((name, _)) = empty {
        return Some(problem(
            &[],
            format!("`{name}` has no permission set in an access entry"),
            "name a permission set, or remove the user or the group",
        ));
    }
    match &access.permission_set {
        Some(_) if has_many => Some(problem(
            &["permission_set"],
            "an access entry has `permission_set` besides `users` or `groups`, which name their own",
            "remove `permission_set`",
        )),
        None if !has_many => Some(problem(
            &[],
            "an access entry has no `permission_set`",
            "add `permission_set = \"…\"`",
        )),
        _ => None,
    }
}

/// Returns a problem of the name, which is the name of a file.
fn name(blueprint: &Blueprint) -> Option<Problem> {
    let name = blueprint.name.as_ref()?;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let is_valid = (1..=64).contains(&name.len()) && name.chars().all(is_allowed);
    (!is_valid).then(|| {
        problem(
            &["name"],
            format!("the name `{name}` cannot be the name of a file"),
            "use 1 to 64 letters, digits, `-` and `_`",
        )
    })
}

/// Returns a problem of the scope, which only mode `exclusive` has.
fn scope(blueprint: &Blueprint) -> Option<Problem> {
    let is_exclusive = blueprint.ownership.access == Ownership::Exclusive;
    if !is_exclusive && blueprint.scope != Scope::default() {
        return Some(problem(
            &["scope"],
            "`scope` has no effect without the mode `exclusive`",
            "add `access = \"exclusive\"` to `ownership`, or remove `scope`",
        ));
    }
    match &blueprint.scope.accounts {
        Some(Accounts::Where(filter)) => {
            account_filter(filter).map(|problem| problem.below(&["scope"]))
        }
        Some(Accounts::Named(names)) if names.is_empty() => Some(problem(
            &["scope", "accounts"],
            "the scope has no account",
            "name accounts, or remove `accounts` for all accounts",
        )),
        _ => None,
    }
}

/// Returns a problem of the accounts of an entry.
fn accounts(access: &Access) -> Option<Problem> {
    match (&access.account, &access.accounts) {
        (Some(_), Accounts::Where(_)) => {
            return Some(problem(
                &["account"],
                "an access entry has `account` besides a filter of accounts",
                "write one entry for the account and one for the filter",
            ));
        }
        (None, Accounts::Where(filter)) => return account_filter(filter),
        _ => {}
    }
    let selector = access.selector();
    let Accounts::Named(names) = &*selector else {
        return None;
    };
    if names.is_empty() {
        return Some(problem(
            &[],
            "an access entry has no account",
            "add `account = \"…\"` or `accounts = [\"…\"]`, with ids or names, or a filter",
        ));
    }
    let mut seen = BTreeSet::new();
    let twice = names.iter().find(|account| !seen.insert(*account))?;
    Some(problem(
        &[],
        format!("account `{twice}` is listed twice"),
        "remove one of the two",
    ))
}

/// Returns a problem of a filter of accounts.
fn account_filter(filter: &AccountFilter) -> Option<Problem> {
    let at = ["accounts"];
    let has_keys = |filter: &AccountFilter| {
        !filter.ou.is_empty() || !filter.tag.is_empty() || !filter.name.is_empty()
    };
    let shape = |filter: &AccountFilter| match (filter.all, has_keys(filter)) {
        (true, true) => Some((
            "a filter has `all` besides `ou`, `tag` or `name`",
            "remove `all`: the other keys match fewer accounts",
        )),
        (false, false) => Some((
            "a filter has none of `all`, `ou`, `tag` and `name`",
            "add one, such as `ou = [\"…\"]`, or `all = true` for all accounts",
        )),
        _ => None,
    };
    if let Some((message, help)) = shape(filter) {
        return Some(problem(&at, message, help));
    }
    let Some(Accounts::Where(except)) = filter.except.as_deref() else {
        return None;
    };
    let at = ["accounts", "except"];
    if except.except.is_some() {
        return Some(problem(
            &at,
            "`except` has an `except` of its own",
            "write the accounts that are left out as one list or filter",
        ));
    }
    shape(except).map(|(message, help)| problem(&at, message, help))
}

/// Returns a problem if a permission set of an entry is neither described nor well known.
fn permission_sets(blueprint: &Blueprint, access: &Access) -> Option<Problem> {
    let is_unknown =
        |name: &&str| !blueprint.permission_sets.contains_key(*name) && !WELL_KNOWN.contains(name);
    let (principal, name) = access.grants().find(|(_, name)| is_unknown(name))?;
    let at: &[&str] = match &principal {
        _ if access.permission_set.is_some() => &["permission_set"],
        PrincipalSpec::User(login) => &["users", login],
        PrincipalSpec::Group(name) => &["groups", name],
    };
    let described = blueprint.permission_sets.keys().map(String::as_str);
    let similar =
        suggestion(name, described).map_or_else(String::new, |similar| format!("{similar} Or "));
    Some(problem(
        at,
        format!(
            "permission set `{name}` is not described, and no AWS managed policy for a job function has this name"
        ),
        format!(
            "{similar}add a table `[permission_sets.{name}]`, or use one of {}",
            WELL_KNOWN.join(", ")
        ),
    ))
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
    let selector = &blueprint.provisioning.assign_groups;
    let at: &[&str] = match selector {
        Principals::Named(_) => &["provisioning", "assign_groups"],
        Principals::Where(_) => &["provisioning", "assign_groups", "name"],
    };
    let both = selector
        .exact()
        .filter(|(_, group)| pushed.contains(*group));
    let problems = both.map(|(index, group)| {
        let (message, help) = both_assigned_and_pushed(group);
        problem(&[at, &[index.to_string().as_str()]].concat(), message, help)
    });
    problems.collect()
}

/// Returns the message and the help for a group that is both assigned and pushed.
pub(crate) fn both_assigned_and_pushed(group: &str) -> (String, &'static str) {
    (
        format!("group `{group}` would be assigned to the app and pushed to AWS"),
        "use two groups, because Okta and AWS do not support one group for both (members are missing in AWS, or stay there after they leave): assign all users through a separate group, and push the groups that get access",
    )
}

/// Returns the violated rules of the selectors of `provisioning`.
fn provisioning(blueprint: &Blueprint) -> impl Iterator<Item = Problem> {
    let provisioning = &blueprint.provisioning;
    let selectors = [
        ("assign_groups", &provisioning.assign_groups),
        ("assign_users", &provisioning.assign_users),
        ("push_groups", &provisioning.push_groups),
    ];
    selectors.into_iter().filter_map(|(key, selector)| {
        let (below, message, help) = selector.violation()?;
        Some(problem(
            &[&["provisioning", key], below].concat(),
            message,
            help,
        ))
    })
}

fn is_set_name(name: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    (1..=32).contains(&name.len()) && name.chars().all(is_allowed)
}

fn permission_set(name: &str, set: &PermissionSetSpec) -> Option<Problem> {
    let at = ["permission_sets", name];
    if !is_set_name(name) {
        return Some(problem(
            &at,
            format!("`{name}` is not a valid name of a permission set"),
            "use 1 to 32 letters, digits and _+=,.@- (the name cannot be changed later)",
        ));
    }
    let (below, message, help) = set.violation()?;
    let below: Vec<&str> = below.iter().map(String::as_str).collect();
    Some(problem(&[&at[..], &below].concat(), message, help))
}

/// Returns a problem of the old name of a permission set: a set of the blueprint that is still in use, or the old name of
/// another set.
fn renamed(blueprint: &Blueprint, name: &str, set: &PermissionSetSpec) -> Option<Problem> {
    let old = set.renamed_from.as_deref()?;
    let at = ["permission_sets", name, "renamed_from"];
    let wrong = |message: String, help: &str| Some(problem(&at, message, help));
    if !is_set_name(old) {
        return wrong(
            format!("`{old}` is not a valid name of a permission set"),
            "use the name that the set has in AWS",
        );
    }
    if old == name {
        return wrong(
            format!("permission set `{name}` is renamed from its own name"),
            "use the name that the set had before, or remove the key",
        );
    }
    if blueprint.permission_sets.contains_key(old) {
        return wrong(
            format!("permission set `{old}`, the old name of `{name}`, is described"),
            "remove the entry of the old name, or remove `renamed_from`",
        );
    }
    let gives_old = |access: &Access| access.grants().any(|(_, given)| given == old);
    if blueprint.entries().any(|(_, access)| gives_old(&access)) {
        return wrong(
            format!("`access` still gives permission set `{old}`, the old name of `{name}`"),
            "give the new name in `access`, or remove `renamed_from`",
        );
    }
    let mut others = blueprint.permission_sets.iter();
    let (other, _) =
        others.find(|(other, set)| *other != name && set.renamed_from.as_deref() == Some(old))?;
    wrong(
        format!("permission sets `{other}` and `{name}` have the same old name `{old}`"),
        "keep `renamed_from` of one of them",
    )
}

/// The names of permission sets that need no entry: each is the name of an AWS managed policy for a job function (IAM user
/// guide, "AWS managed policies for job functions").
const WELL_KNOWN: [&str; 8] = [
    "AdministratorAccess",
    "PowerUserAccess",
    "ReadOnlyAccess",
    "SecurityAudit",
    "ViewOnlyAccess",
    "Billing",
    "NetworkAdministrator",
    "DatabaseAdministrator",
];

/// Returns the ARN of the AWS managed policy for the job function with this name.
pub(super) fn well_known_policy(name: &str, partition: &Partition) -> Option<String> {
    let is_known = WELL_KNOWN.contains(&name);
    is_known.then(|| managed_policy_arn(name, partition).into_owned())
}
