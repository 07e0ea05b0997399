//! The actions in AWS of each step.

use super::{
    ActionPart,
    conditions::{
        Condition, Input, changes_many, has_account_tags, has_units, is_okta_mode, is_organization,
        pushes_groups, removes_access, removes_access_of_groups,
    },
};
use crate::{
    plan::{Action, Change, Kind, PolicyRef, StepId, Subject, Value},
    steps::ids,
};

/// An action that a step calls, or that AWS carries out with the rights of the caller.
pub(super) struct Use {
    pub(super) step: StepId,
    pub(super) part: ActionPart,
    pub(super) action: &'static str,
    pub(super) condition: Condition,
    /// The condition for a reader.
    pub(super) when: &'static str,
    /// The effect without the action, if the step does without it.
    pub(super) optional: Option<&'static str>,
}

/// The table while it is built: the rows of one step.
struct Rows {
    rows: Vec<Use>,
    step: StepId,
}

type IsNeeded = fn(&Input<'_>) -> bool;
type IsNeededFor = fn(&Input<'_>, &Change) -> Option<bool>;

impl Rows {
    fn step(&mut self, step: StepId) {
        self.step = step;
    }

    fn read(&mut self, actions: &[&'static str], when: &'static str, holds: IsNeeded) {
        self.add(ActionPart::Read, actions, when, &|| Condition::Step(holds));
    }

    fn write(
        &mut self,
        actions: &[&'static str],
        kind: Kind,
        when: &'static str,
        holds: IsNeededFor,
    ) {
        let condition = || Condition::Change(kind, holds);
        self.add(ActionPart::Write, actions, when, &condition);
    }

    /// Makes the last rows optional, as many as `actions` has.
    fn optional(&mut self, number: usize, effect: &'static str) {
        for row in self.rows.iter_mut().rev().take(number) {
            row.optional = Some(effect);
        }
    }

    fn add(
        &mut self,
        part: ActionPart,
        actions: &[&'static str],
        when: &'static str,
        condition: &dyn Fn() -> Condition,
    ) {
        let step = &self.step;
        let rows = actions.iter().map(|action| Use {
            step: step.clone(),
            part,
            action,
            condition: condition(),
            when,
            optional: None,
        });
        self.rows.extend(rows);
    }
}

/// Returns the actions of each step of this crate, in the order of the steps.
///
/// `sts:GetCallerIdentity` needs no permission (STS API reference), and the calls of the access portal have no IAM action.
pub(super) fn uses() -> Vec<Use> {
    let mut rows = Rows {
        rows: Vec::new(),
        step: ids::CATALOG_APP,
    };
    catalog_app(&mut rows);
    organization(&mut rows);
    identity_center(&mut rows);
    identity_source(&mut rows);
    users_and_groups(&mut rows);
    permission_sets(&mut rows);
    account_assignments(&mut rows);
    retired_permission_sets(&mut rows);
    sign_in(&mut rows);
    rows.rows
}

const ALWAYS: &str = "always";

fn catalog_app(rows: &mut Rows) {
    rows.step(ids::CATALOG_APP);
    rows.read(
        &["sso:ListInstances"],
        "an app with this label exists and has URLs of AWS",
        |input| input.has_change_of(Kind::App),
    );
}

fn organization(rows: &mut Rows) {
    rows.step(ids::ORGANIZATION);
    rows.read(&["organizations:DescribeOrganization"], ALWAYS, |_| true);
    rows.read(
        &["organizations:ListAWSServiceAccessForOrganization"],
        "the caller acts for the organization",
        is_organization,
    );
    rows.read(
        &["organizations:ListDelegatedAdministrators"],
        OTHER_CALLER,
        |input| input.target.is_delegated(),
    );
    rows.write(
        &["organizations:EnableAWSServiceAccess"],
        Kind::TrustedAccess,
        "trusted access is not enabled",
        |_, change| Some(change.action == Action::Create),
    );
}

const OTHER_CALLER: &str = "the caller is not the management account";

fn identity_center(rows: &mut Rows) {
    rows.step(ids::IDENTITY_CENTER);
    rows.read(&["sso:ListInstances"], ALWAYS, |_| true);
    rows.read(
        &["sso:DescribeInstance"],
        "the caller acts for the organization",
        is_organization,
    );
    rows.write(
        &["sso:UpdateInstance"],
        Kind::IdentityCenter,
        "permission sets are off",
        |_, change| Some(change.action == Action::Update),
    );
    rows.write(
        &["sso:UpdateInstance"],
        Kind::IdentityCenter,
        "the organization has no instance yet",
        |_, change| {
            let is_new = matches!(change.action, Action::ManualStep | Action::Wait);
            Some(is_new)
        },
    );
    rows.optional(
        1,
        "turns permission sets on; not needed if the operator enables the instance with permission sets",
    );
}

fn identity_source(rows: &mut Rows) {
    rows.step(ids::IDENTITY_SOURCE);
    rows.read(
        &[
            "identitystore:ListUsers",
            "identitystore:ListGroups",
            "sso:ListInstances",
        ],
        "the identity source is not known yet",
        |input| input.has_change_of(Kind::IdentitySource),
    );
}

fn users_and_groups(rows: &mut Rows) {
    rows.step(ids::SCIM_ENDPOINT);
    rows.read(
        &["identitystore:DescribeUser"],
        "the plan asks for the endpoint; called if AWS has a user",
        |input| input.has_change_of(Kind::ScimEndpoint),
    );

    rows.step(ids::APP_ACCESS);
    rows.read(
        &["identitystore:ListUsers", "identitystore:ListGroups"],
        "mode `okta`",
        is_okta_mode,
    );
    rows.read(
        &["identitystore:ListGroupMemberships"],
        "mode `okta`, with groups that are pushed",
        |input| is_okta_mode(input) && pushes_groups(input),
    );
    rows.read(
        &[
            "identitystore:ListGroupMembershipsForMember",
            "identitystore:DescribeGroup",
        ],
        "a user is adopted",
        |input| input.has_change(Action::Adopt, Kind::User),
    );
    rows.read(
        &["sso:ListAccountAssignmentsForPrincipal"],
        "a user or group is adopted",
        |input| {
            input.has_change(Action::Adopt, Kind::User)
                || input.has_change(Action::Adopt, Kind::Group)
        },
    );
    rows.optional(
        1,
        "shows the assignments of a user or group that is adopted; without it, the plan says that they are not known",
    );

    rows.step(ids::DIRECTORY_SYNC);
    rows.read(
        &["identitystore:ListUsers", "identitystore:ListGroups"],
        "planned without the SCIM token",
        |_| true,
    );
    rows.read(
        &["identitystore:ListGroupMemberships"],
        "planned without the SCIM token, with groups that are pushed",
        pushes_groups,
    );
    rows.read(
        &["identitystore:DescribeUser"],
        "a group is adopted that has other members",
        |input| input.has_change(Action::Adopt, Kind::Group),
    );

    rows.step(ids::ARRIVAL);
    rows.read(
        &["identitystore:ListUsers", "identitystore:ListGroups"],
        ALWAYS,
        |_| true,
    );
    rows.read(
        &["identitystore:ListGroupMemberships"],
        "groups are pushed",
        pushes_groups,
    );
}

const CONTENTS: [&str; 4] = [
    "sso:ListManagedPoliciesInPermissionSet",
    "sso:ListCustomerManagedPolicyReferencesInPermissionSet",
    "sso:GetInlinePolicyForPermissionSet",
    "sso:GetPermissionsBoundaryForPermissionSet",
];

fn permission_sets(rows: &mut Rows) {
    rows.step(ids::PERMISSION_SETS);
    rows.read(
        &["sso:ListPermissionSets", "sso:DescribePermissionSet"],
        ALWAYS,
        is_organization,
    );
    rows.read(&CONTENTS, ALWAYS, is_organization);
    rows.read(
        &["sso:ListAccountsForProvisionedPermissionSet"],
        ALWAYS,
        is_organization,
    );
    rows.read(
        &["sso:ListTagsForResource"],
        "a permission set of the blueprint has tags, or a permission set that AWS has is changed or provisioned",
        |input| is_organization(input) && (input.has_set_tags() || input.edits_a_set()),
    );
    rows.read(
        &["sso:ListPermissionSetsProvisionedToAccount"],
        OTHER_CALLER,
        |input| is_organization(input) && input.target.is_delegated(),
    );
    rows.optional(
        1,
        "shows the changes that only the management account may make; without it, AWS may refuse them in the run",
    );

    let kind = Kind::PermissionSet;
    rows.write(
        &["sso:CreatePermissionSet"],
        kind,
        "a permission set is created",
        |_, change| Some(change.action == Action::Create),
    );
    rows.write(
        &["sso:UpdatePermissionSet"],
        kind,
        "the description, the session duration or the relay state changes",
        |_, change| {
            let mut fields = change.fields.iter();
            let has_property = fields.any(|field| !field.name.starts_with("tag "));
            Some(change.action == Action::Update && has_property)
        },
    );
    rows.write(
        &["sso:TagResource"],
        kind,
        "a permission set is created, or one with tags is changed",
        |input, change| {
            let Subject::PermissionSet { name } = &change.subject else {
                return Some(false);
            };
            Some(match change.action {
                Action::Create => true,
                Action::Update => input.tags_of(name),
                _ => false,
            })
        },
    );
    policies(rows);
    rows.write(
        &[
            "sso:ProvisionPermissionSet",
            "sso:DescribePermissionSetProvisioningStatus",
            "sso:ListPermissionSetProvisioningStatus",
        ],
        Kind::Provisioning,
        "a permission set that accounts have is changed",
        |_, _| Some(true),
    );
    for (actions, effect) in [
        (ROLE_READS, None),
        (ROLE_CHANGES, None),
        (GUIDE_READS, Some(OF_THE_GUIDE)),
        (BOUNDARY_CHANGES, Some(OF_BOUNDARIES)),
    ] {
        rows.write(
            actions,
            Kind::Provisioning,
            "the management account has the permission set",
            if effect == Some(OF_BOUNDARIES) {
                |input, change| match &change.subject {
                    Subject::Provisioning { permission_set }
                        if changes_boundary(input, permission_set) =>
                    {
                        input.is_in_management(change)
                    }
                    _ => Some(false),
                }
            } else {
                |input, change| input.is_in_management(change)
            },
        );
        if let Some(effect) = effect {
            rows.optional(actions.len(), effect);
        }
    }
}

/// Returns whether a set has a boundary, or loses it.
fn changes_boundary(input: &Input<'_>, set: &str) -> bool {
    let set_of_blueprint = input.sets.get(set);
    let mut changes = input.plan.changes();
    set_of_blueprint.is_some_and(|set| set.permissions_boundary.is_some())
        || changes.any(|(_, change)| {
            matches!(
                &change.subject,
                Subject::Policy { permission_set, policy: PolicyRef::Boundary {} } if **permission_set == *set
            )
        })
}

/// Returns whether a change takes a policy away from its set, and does not give it.
fn is_detached(change: &Change) -> bool {
    let mut fields = change.fields.iter();
    fields.any(|field| field.after == Value::Absent)
}

fn policies(rows: &mut Rows) {
    let kind = Kind::Policy;
    let attached = "such a policy is attached or changed";
    let detached = "such a policy is detached";
    macro_rules! policy {
        ($action:literal, $policy:pat, $when:expr, $is_detached:literal) => {
            rows.write(&[$action], kind, $when, |_, change| {
                let is_of_kind = matches!(
                    &change.subject,
                    Subject::Policy {
                        policy: $policy,
                        ..
                    }
                );
                Some(is_of_kind && is_detached(change) == $is_detached)
            });
        };
    }
    policy!(
        "sso:AttachManagedPolicyToPermissionSet",
        PolicyRef::Managed { .. },
        attached,
        false
    );
    policy!(
        "sso:DetachManagedPolicyFromPermissionSet",
        PolicyRef::Managed { .. },
        detached,
        true
    );
    policy!(
        "sso:AttachCustomerManagedPolicyReferenceToPermissionSet",
        PolicyRef::CustomerManaged { .. },
        attached,
        false
    );
    policy!(
        "sso:DetachCustomerManagedPolicyReferenceFromPermissionSet",
        PolicyRef::CustomerManaged { .. },
        detached,
        true
    );
    policy!(
        "sso:PutInlinePolicyToPermissionSet",
        PolicyRef::Inline {},
        attached,
        false
    );
    policy!(
        "sso:DeleteInlinePolicyFromPermissionSet",
        PolicyRef::Inline {},
        detached,
        true
    );
    policy!(
        "sso:PutPermissionsBoundaryToPermissionSet",
        PolicyRef::Boundary {},
        attached,
        false
    );
    policy!(
        "sso:DeletePermissionsBoundaryFromPermissionSet",
        PolicyRef::Boundary {},
        detached,
        true
    );
}

/// The actions with which AWS reads a role in the management account before it changes the role.
const ROLE_READS: &[&str] = &[
    "iam:GetSAMLProvider",
    "iam:GetRole",
    "iam:ListRolePolicies",
    "iam:ListAttachedRolePolicies",
];
/// The actions with which AWS creates a role or changes it. UNVERIFIED: which operation needs which of them.
const ROLE_CHANGES: &[&str] = &[
    "iam:CreateRole",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePolicy",
    "iam:DeleteRolePolicy",
];
/// The actions with which AWS deletes a role after its last assignment.
const ROLE_DELETION: &[&str] = &[
    "iam:DetachRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:DeleteRole",
];
const GUIDE_READS: &[&str] = &["iam:ListRoles", "iam:ListPolicies"];
/// UNVERIFIED: the user guide does not list them, and the service-linked role has them for the other accounts.
const BOUNDARY_CHANGES: &[&str] = &[
    "iam:PutRolePermissionsBoundary",
    "iam:DeleteRolePermissionsBoundary",
];

const OF_THE_GUIDE: &str = "AWS's user guide lists it for assignments in the management account; without it, AWS may report the change as failed";
const OF_BOUNDARIES: &str = "AWS may need it for the boundary of a role in the management account; without it, AWS may report the change as failed";
const OF_PROVISIONINGS: &str = "finds the accounts in which AWS provisions permission sets, which are changed last; without it, AWS may refuse an assignment there for a while, and the run tries again";
const OF_OTHER_OPERATIONS: &str = "finds the operations that AWS is already carrying out; without it, AWS may refuse an assignment for a while, and the run tries again";

/// Adds the reads of the accounts that the selectors of the blueprint need.
fn accounts(rows: &mut Rows) {
    rows.read(&["organizations:ListAccounts"], ALWAYS, |input| {
        is_organization(input)
    });
    let units = "an entry selects accounts by organizational unit";
    rows.read(
        &[
            "organizations:ListRoots",
            "organizations:ListOrganizationalUnitsForParent",
        ],
        units,
        has_units,
    );
    rows.read(&["organizations:ListAccountsForParent"], units, |input| {
        has_units(input)
    });
    rows.optional(
        1,
        "reads the accounts of each unit; needed only in partitions of AWS that do not report the path of an account",
    );
    rows.read(
        &["organizations:ListTagsForResource"],
        "an entry selects accounts by tag",
        has_account_tags,
    );
    rows.read(
        &["organizations:DescribeAccount"],
        "an account of the blueprint does not exist or is not active",
        |input| input.problem_accounts().next().is_some(),
    );
    rows.optional(
        1,
        "shows AWS's response about the account in the problem of the plan",
    );
}

fn account_assignments(rows: &mut Rows) {
    rows.step(ids::ACCOUNT_ASSIGNMENTS);
    accounts(rows);
    rows.read(
        &["identitystore:ListUsers", "identitystore:ListGroups"],
        ALWAYS,
        is_organization,
    );
    rows.read(
        &[
            "sso:ListPermissionSets",
            "sso:DescribePermissionSet",
            "sso:ListAccountsForProvisionedPermissionSet",
            "sso:ListAccountAssignments",
        ],
        ALWAYS,
        is_organization,
    );
    rows.read(
        &["sso:ListAccountAssignmentsForPrincipal"],
        "the caller is the management account",
        |input| is_organization(input) && !input.target.is_delegated(),
    );
    rows.optional(
        1,
        "reads the assignments of a user or group with one call; without it, they are read for each permission set and account, which takes many calls",
    );
    rows.read(&CONTENTS, "the plan removes access", |input| {
        removes_access(input)
    });
    rows.read(
        &["identitystore:ListGroupMemberships"],
        "the plan removes access, and a group has access; called if an administrator is among them",
        removes_access_of_groups,
    );
    let kind = Kind::Assignment;
    let created: IsNeededFor = |_, change| Some(change.action == Action::Create);
    let removed: IsNeededFor = |_, change| Some(change.action == Action::Remove);
    let [creations, deletions] = [
        "sso:ListAccountAssignmentCreationStatus",
        "sso:ListAccountAssignmentDeletionStatus",
    ];
    for (actions, other, status, when, if_failed, holds) in [
        (
            ["sso:CreateAccountAssignment", creations],
            deletions,
            "sso:DescribeAccountAssignmentCreationStatus",
            "an assignment is created",
            "an assignment is created; called if the operation fails",
            created,
        ),
        (
            ["sso:DeleteAccountAssignment", deletions],
            creations,
            "sso:DescribeAccountAssignmentDeletionStatus",
            "an assignment is removed",
            "an assignment is removed; called if the operation fails",
            removed,
        ),
    ] {
        rows.write(&actions, kind, when, holds);
        rows.write(&[status], kind, if_failed, holds);
        rows.write(&[other], kind, when, holds);
        rows.optional(1, OF_OTHER_OPERATIONS);
    }
    let of_many: IsNeededFor = |input, change| {
        let changed = matches!(change.action, Action::Create | Action::Remove);
        Some(changed && changes_many(input))
    };
    rows.write(
        &["sso:ListPermissionSetProvisioningStatus"],
        kind,
        "more than 15 assignments are created or removed",
        of_many,
    );
    rows.write(
        &[
            "sso:DescribePermissionSetProvisioningStatus",
            "sso:ListAccountsForProvisionedPermissionSet",
        ],
        kind,
        "more than 15 assignments are created or removed; called if AWS provisions a permission set",
        of_many,
    );
    rows.optional(3, OF_PROVISIONINGS);
    roles_of_assignments(rows, kind);
}

/// Adds the actions for the roles of assignments in the management account.
fn roles_of_assignments(rows: &mut Rows, kind: Kind) {
    let created: IsNeededFor = |input, change| match change.action {
        Action::Create => input.is_in_management(change),
        _ => Some(false),
    };
    let removed: IsNeededFor = |input, change| match change.action {
        Action::Remove => input.is_in_management(change),
        _ => Some(false),
    };
    let changed: IsNeededFor = |input, change| match change.action {
        Action::Create | Action::Remove => input.is_in_management(change),
        _ => Some(false),
    };
    let with_boundary: IsNeededFor = |input, change| match &change.subject {
        Subject::Assignment { permission_set, .. }
            if change.action == Action::Create && changes_boundary(input, permission_set) =>
        {
            input.is_in_management(change)
        }
        _ => Some(false),
    };
    let changed_there = "an assignment in the management account is created or removed";
    let created_there = "an assignment in the management account is created";
    rows.write(ROLE_READS, kind, changed_there, changed);
    rows.write(GUIDE_READS, kind, changed_there, changed);
    rows.optional(GUIDE_READS.len(), OF_THE_GUIDE);
    rows.write(ROLE_CHANGES, kind, created_there, created);
    rows.write(BOUNDARY_CHANGES, kind, created_there, with_boundary);
    rows.optional(BOUNDARY_CHANGES.len(), OF_BOUNDARIES);
    rows.write(
        ROLE_DELETION,
        kind,
        "an assignment in the management account is removed",
        removed,
    );
}

fn retired_permission_sets(rows: &mut Rows) {
    rows.step(ids::RETIRED_PERMISSION_SETS);
    accounts(rows);
    rows.read(
        &["identitystore:ListUsers", "identitystore:ListGroups"],
        ALWAYS,
        is_organization,
    );
    rows.read(
        &[
            "sso:ListPermissionSets",
            "sso:DescribePermissionSet",
            "sso:ListAccountsForProvisionedPermissionSet",
            "sso:ListAccountAssignments",
        ],
        ALWAYS,
        is_organization,
    );
    rows.read(
        &["sso:ListPermissionSetsProvisionedToAccount"],
        OTHER_CALLER,
        |input| is_organization(input) && input.target.is_delegated(),
    );
    rows.optional(
        1,
        "shows the deletions that only the management account may make; without it, AWS may refuse them in the run",
    );
    rows.read(
        &["sso:ListTagsForResource"],
        "the blueprint deletes permission sets",
        is_organization,
    );
    rows.write(
        &["sso:DeletePermissionSet"],
        Kind::PermissionSet,
        "a permission set is deleted",
        |_, change| Some(change.action == Action::Remove),
    );
}

fn sign_in(rows: &mut Rows) {
    rows.step(ids::SIGN_IN);
    accounts(rows);
}
