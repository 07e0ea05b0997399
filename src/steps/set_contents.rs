//! The contents of a permission set, compared with those of the blueprint.
//!
//! The policies and the boundary of a described set are exactly those of the blueprint. A property or tag that the blueprint
//! does not set keeps AWS's value.

use std::collections::BTreeSet;

use aws_sso_glue::{Boundary, PermissionSetContents};
use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};

use crate::policy_document::{self, same, takes_access_away};
use crate::{
    blueprint::{PermissionSetSpec, PermissionsBoundary},
    plan::{Action, Change, Note, PolicyRef, Subject, Value},
    text::hex,
};

/// Returns the changes that create a permission set with its contents.
pub(super) fn create_changes(name: &str, set: &PermissionSetSpec) -> Vec<Change> {
    let mut change = Change::new(Action::Create, Subject::permission_set(name));
    for (field, value) in [
        ("description", &set.description),
        ("session duration", &set.session_duration),
        ("relay state", &set.relay_state),
    ] {
        if let Some(value) = value {
            change = change.with(field, value);
        }
    }
    for (key, value) in &set.tags {
        change = change.with(tag_field(key), value);
    }
    let mut changes = vec![change];
    if let Some(boundary) = boundary(set) {
        let text = boundary_text(&boundary).to_owned();
        changes
            .push(policy_change(Action::Create, name, PolicyRef::Boundary {}).with("policy", text));
    }
    if let Some(policy) = &set.inline_policy {
        let inline = policy_change(Action::Create, name, PolicyRef::Inline {});
        changes.push(inline.with("policy", digest(policy)));
    }
    let distinct = |policies: &[String]| policies.iter().cloned().collect::<BTreeSet<_>>();
    for arn in distinct(&set.managed_policies) {
        changes.push(policy_change(Action::Create, name, managed(&arn)));
    }
    for policy in distinct(&set.customer_managed_policies) {
        changes.push(policy_change(
            Action::Create,
            name,
            customer_managed(&policy),
        ));
    }
    changes
}

/// Returns the changes that give an existing permission set the contents of the blueprint, in the order in which they are
/// made: what is added comes before what is removed. None of them has an effect in an account before the set is provisioned.
pub(super) fn update_changes(
    name: &str,
    desired: &PermissionSetSpec,
    current: &PermissionSetContents,
) -> Vec<Change> {
    let mut changes = Vec::new();
    changes.extend(property_change(name, desired, current));
    let wanted = boundary(desired);
    if wanted.is_some() && wanted != current.boundary {
        changes.push(boundary_change(name, wanted.as_ref(), current));
    }
    let has_inline = desired.inline_policy.is_some();
    let inline = inline_change(name, desired, current);
    changes.extend(inline.clone().filter(|_| has_inline));
    let set = |policies: &[String]| policies.iter().cloned().collect::<BTreeSet<_>>();
    let (policies, references) = (
        set(&desired.managed_policies),
        set(&desired.customer_managed_policies),
    );
    for arn in policies.difference(&current.managed_policies) {
        // This policy denies everything, so attaching it takes access away.
        let action = if arn.ends_with(DENY_ALL) {
            Action::Remove
        } else {
            Action::Create
        };
        changes.push(policy_change(action, name, managed(arn)).with("attached", "yes"));
    }
    for policy in references.difference(&current.customer_managed_policies) {
        let change = policy_change(Action::Create, name, customer_managed(policy));
        changes.push(change.with("attached", "yes"));
    }
    let detached = |policy| {
        let change = policy_change(Action::Remove, name, policy);
        change.field("attached", Value::Known("yes".to_owned()), Value::Absent)
    };
    for arn in current.managed_policies.difference(&policies) {
        changes.push(detached(managed(arn)));
    }
    for policy in current.customer_managed_policies.difference(&references) {
        changes.push(detached(customer_managed(policy)));
    }
    changes.extend(inline.filter(|_| !has_inline));
    if wanted.is_none() && current.boundary.is_some() {
        changes.push(boundary_change(name, None, current));
    }
    changes
}

/// Compares a value of the blueprint with the value of AWS.
type IsSame = fn(&str, &str) -> bool;

/// Returns the change of the properties and tags, or `None` if those of the blueprint are there.
fn property_change(
    name: &str,
    desired: &PermissionSetSpec,
    current: &PermissionSetContents,
) -> Option<Change> {
    let mut change = Change::new(Action::Update, Subject::permission_set(name));
    let set = &current.set;
    let is_same = |left: &str, right: &str| left == right;
    let properties: [(_, _, _, IsSame); 3] = [
        (
            "description",
            &desired.description,
            &set.description,
            is_same,
        ),
        (
            "session duration",
            &desired.session_duration,
            &set.session_duration,
            is_same_duration,
        ),
        (
            "relay state",
            &desired.relay_state,
            &set.relay_state,
            is_same,
        ),
    ];
    for (field, desired, current, is_same) in properties {
        if let Some(value) = desired
            && !current
                .as_ref()
                .is_some_and(|current| is_same(value, current))
        {
            change = change.from_to(field, current.clone(), value);
        }
    }
    for (key, value) in &desired.tags {
        let current = current.tags.as_ref().and_then(|tags| tags.get(key));
        if current != Some(value) {
            change = change.from_to(tag_field(key), current.cloned(), value);
        }
    }
    (!change.fields.is_empty()).then_some(change)
}

/// Returns the change of the boundary. A boundary limits access, so that setting one takes access away.
fn boundary_change(
    name: &str,
    wanted: Option<&Boundary>,
    current: &PermissionSetContents,
) -> Change {
    let text = |boundary| Value::Known(boundary_text(boundary).to_owned());
    let (before, after) = (
        current.boundary.as_ref().map_or(Value::Absent, text),
        wanted.map_or(Value::Absent, text),
    );
    let widens = after == Value::Absent;
    let change = policy_change(Action::Remove, name, PolicyRef::Boundary {});
    let change = change.field("policy", before, after);
    if widens {
        let why = "without its boundary, the set gives more than before";
        return change.because(Note::new("widens-access", why));
    }
    change
}

/// Returns the change of the inline policy, or `None` if it is the same.
fn inline_change(
    name: &str,
    desired: &PermissionSetSpec,
    current: &PermissionSetContents,
) -> Option<Change> {
    let change = |action| policy_change(action, name, PolicyRef::Inline {});
    match (&desired.inline_policy, &current.inline_policy) {
        (Some(policy), None) => {
            let action = if takes_access_away(EMPTY, policy) {
                Action::Remove
            } else {
                Action::Create
            };
            Some(change(action).with("policy", digest(policy)))
        }
        (Some(policy), Some(before)) if !same(policy, before) => {
            let action = if takes_access_away(before, policy) {
                Action::Remove
            } else {
                Action::Update
            };
            Some(change(action).from_to("policy", Some(digest(before)), digest(policy)))
        }
        (None, Some(before)) => {
            let before = Value::Known(digest(before));
            Some(change(Action::Remove).field("policy", before, Value::Absent))
        }
        _ => None,
    }
}

/// Returns the change that takes over a set of this name. The blueprint's access depends on its contents.
pub(super) fn adoption(current: &PermissionSetContents) -> Change {
    let list = |policies: &BTreeSet<String>| {
        let policies: Vec<&str> = policies.iter().map(String::as_str).collect();
        match policies.as_slice() {
            [] => "none".to_owned(),
            some => some.join(", "),
        }
    };
    let none = || "none".to_owned();
    let subject = Subject::permission_set(current.set.name.clone());
    let mut change = Change::new(Action::Adopt, subject)
        .with("managed policies", list(&current.managed_policies))
        .with(
            "customer-managed policies",
            list(&current.customer_managed_policies),
        )
        .with(
            "inline policy",
            current.inline_policy.as_deref().map_or_else(none, digest),
        );
    if let Some(boundary) = &current.boundary {
        change = change.with("permissions boundary", boundary_text(boundary));
    }
    match &current.set.session_duration {
        Some(duration) => change.with("session duration", duration),
        None => change,
    }
}

/// Returns the policies of a set for a message, or `None` if they are exactly the managed policies of the blueprint.
pub(super) fn other_policies(
    desired: &PermissionSetSpec,
    current: &PermissionSetContents,
) -> Option<String> {
    let expected: BTreeSet<String> = desired.managed_policies.iter().cloned().collect();
    let matches = current.managed_policies == expected
        && current.inline_policy.is_none()
        && current.customer_managed_policies.is_empty()
        && current.boundary.is_none();
    if matches {
        return None;
    }
    let inline = current.inline_policy.as_ref();
    let boundary = current.boundary.as_ref();
    let has: Vec<String> = current
        .managed_policies
        .iter()
        .chain(&current.customer_managed_policies)
        .cloned()
        .chain(inline.map(|_| "an inline policy".to_owned()))
        .chain(boundary.map(|boundary| format!("the boundary {}", boundary_text(boundary))))
        .collect();
    Some(has.join(", "))
}

/// Returns the digest of what a set gives. Policies in other words have the same digest.
pub(super) fn contents_digest(current: &PermissionSetContents) -> String {
    let inline = current.inline_policy.as_deref();
    let parts = serde_json::json!([
        current.managed_policies,
        current.customer_managed_policies,
        inline.map(policy_document::canonical),
        current.boundary.as_ref().map(boundary_text),
        current.set.session_duration,
        current.set.relay_state,
    ]);
    hex(&Sha256::digest(parts.to_string()))
}

/// Returns whether a set gives all rights: the managed policy `AdministratorAccess`, or an inline statement that allows every
/// action on every resource without a condition.
pub(super) fn is_administrator(current: &PermissionSetContents) -> bool {
    let mut managed = current.managed_policies.iter();
    let inline = current.inline_policy.as_deref();
    managed.any(|arn| arn.ends_with(ADMINISTRATOR_POLICY))
        || inline.is_some_and(policy_document::allows_everything)
}

/// Returns whether a change is a removal only because it adds something that limits access: a policy that denies, or a
/// boundary.
pub(super) fn adds_limit(change: &Change) -> bool {
    let mut fields = change.fields.iter();
    change.action == Action::Remove && fields.all(|field| field.before == Value::Absent)
}

/// Returns the boundary of the blueprint in AWS's terms.
pub(super) fn boundary(desired: &PermissionSetSpec) -> Option<Boundary> {
    let boundary = desired.permissions_boundary.as_ref()?;
    Some(match boundary {
        PermissionsBoundary::ManagedPolicy(arn) => Boundary::ManagedPolicy(arn.clone()),
        PermissionsBoundary::CustomerManagedPolicy(policy) => {
            Boundary::CustomerManagedPolicy(policy.clone())
        }
    })
}

fn boundary_text(boundary: &Boundary) -> &str {
    match boundary {
        Boundary::ManagedPolicy(policy) | Boundary::CustomerManagedPolicy(policy) => policy,
        _ => "an unknown policy",
    }
}

fn policy_change(action: Action, name: &str, policy: PolicyRef) -> Change {
    let subject = Subject::Policy {
        permission_set: name.into(),
        policy,
    };
    Change::new(action, subject)
}

fn managed(arn: &str) -> PolicyRef {
    PolicyRef::Managed { arn: arn.into() }
}

/// Returns the reference to a policy that is given as path and name.
fn customer_managed(policy: &str) -> PolicyRef {
    let name = policy.rsplit('/').next().unwrap_or(policy);
    PolicyRef::CustomerManaged {
        name: name.into(),
        path: policy.strip_suffix(name).unwrap_or("/").into(),
    }
}

fn tag_field(key: &str) -> String {
    format!("tag {key}")
}

/// Returns whether two durations in ISO 8601 are equal, such as `PT90M` and `PT1H30M`.
fn is_same_duration(left: &str, right: &str) -> bool {
    let parse = |text: &str| text.parse::<SignedDuration>().ok();
    left == right || parse(left).is_some_and(|left| parse(right) == Some(left))
}

/// Returns the description of a policy in a plan: a digest, which distinguishes policies, and the length.
fn digest(policy: &str) -> String {
    let canonical = serde_json::from_str::<serde_json::Value>(policy)
        .map_or_else(|_not_json| policy.to_owned(), |json| json.to_string());
    let sha256 = hex(&Sha256::digest(&canonical));
    format!(
        "sha256 {} ({} characters)",
        &sha256[..16],
        canonical.chars().count()
    )
}

/// The end of the ARN of AWS's policy that denies everything.
const DENY_ALL: &str = ":policy/AWSDenyAll";
/// The end of the ARN of AWS's policy `AdministratorAccess`, which has another beginning in each partition.
pub(super) const ADMINISTRATOR_POLICY: &str = ":iam::aws:policy/AdministratorAccess";
/// A policy document without statements.
const EMPTY: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;
