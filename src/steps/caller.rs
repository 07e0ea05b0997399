//! The rights of the caller's account: what only the management account may change, and what an account instance lacks.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use aws_sso_glue::{AccountId, Aws, InstanceArn, PermissionSetArn};

use super::{app_lists::Cached, estate::SHARED, ids, lookup};
use crate::{
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, Note},
    state::{InstanceFact, OrganizationFact},
    step::Planned,
};

/// The changes that only the management account may make.
///
/// A delegated administrator cannot assign access in the management account, and cannot change, provision or assign the
/// permission sets that are provisioned there, in no account.
///
/// Sources: IAM Identity Center user guide, "Delegated administration"; landing-zone-accelerator-on-aws, issue 274, and
/// terraform-aws-sso-elevator, issue 101, for the assignments of such a set in other accounts.
#[derive(Clone, Debug)]
pub(super) struct ManagementOnly {
    account: AccountId,
    /// The permission sets that are provisioned in the management account; `None` if AWS does not let the caller list them.
    sets: Option<Arc<BTreeSet<PermissionSetArn>>>,
}

/// The permission sets that are provisioned in the management account.
#[derive(Default)]
struct InManagement(Cached<InstanceArn, Option<Arc<BTreeSet<PermissionSetArn>>>>);

impl ManagementOnly {
    /// Returns what the caller may not change, or `None` if the caller is the management account, or if it is not known yet.
    /// One list of AWS tells it.
    pub(super) async fn read(aws: &Aws, cx: &Context) -> Result<Option<Self>> {
        let organization = cx.facts(|facts| facts.organization.clone());
        let delegated = organization.filter(|known| known.caller != known.management_account);
        let instance = cx.facts(|facts| facts.instance.clone());
        let (Some(known), Some(instance), Some(center)) = (
            delegated,
            instance,
            lookup::assignable_identity_center(aws, cx),
        ) else {
            return Ok(None);
        };
        let account = known.management_account;
        let read = async {
            let sets = center.permission_sets().provisioned_in(&account);
            match sets.try_collect().await {
                Ok(sets) => Ok(Some(Arc::new(sets.into_iter().collect()))),
                Err(error) if error.is_permission_denied() => Ok(None),
                Err(error) => Err(Error::service(
                    format!(
                        "the permission sets in the management account {account} could not be listed"
                    ),
                    error,
                )),
            }
        };
        let shared = cx.shared_reads::<InManagement>();
        let sets = shared.0.get(instance.arn, cx, SHARED, read).await?;
        Ok(Some(Self {
            sets: Option::clone(&sets),
            account,
        }))
    }

    /// Returns whether only the management account may change this permission set.
    fn has(&self, set: &PermissionSetArn) -> bool {
        self.sets.as_ref().is_some_and(|sets| sets.contains(set))
    }

    /// Makes problems of the planned changes from an index on, which are of this permission set, if only the management account
    /// may make them. An adoption writes nothing to AWS, and stays a change.
    pub(super) fn refuse_edits(
        &self,
        planned: &mut Planned,
        first: usize,
        name: &str,
        set: &PermissionSetArn,
    ) {
        if !self.has(set) {
            return;
        }
        let changes = planned.changes.split_off(first);
        for change in changes {
            if change.action == Action::Adopt {
                planned.changes.push(change);
            } else {
                self.refuse(planned, change, &Self::provisioned(name));
            }
        }
    }

    /// Plans a change of an assignment, or makes a problem of it if only the management account may make it.
    pub(super) fn plan_assignment(
        &self,
        planned: &mut Planned,
        change: Change,
        account: &AccountId,
        (name, set): (&str, Option<&PermissionSetArn>),
    ) {
        if *account == self.account {
            self.refuse(planned, change, "it is in the management account");
        } else if set.is_some_and(|set| self.has(set)) {
            self.refuse(planned, change, &Self::provisioned(name));
        } else {
            planned.changes.push(change);
        }
    }

    fn provisioned(name: &str) -> String {
        format!("permission set {name} is provisioned in the management account")
    }

    fn refuse(&self, planned: &mut Planned, change: Change, why: &str) {
        let account = &self.account;
        let message = format!(
            "only the management account {account} may make this change, not a delegated administrator: {change} ({why})"
        );
        let help = format!(
            "run again with credentials of account {account}, with the same state; or use a permission set that is not provisioned there, and leave account {account} out of `access`"
        );
        let error = Error::new(ErrorKind::UnusableSubject, message).with_help(help);
        planned.problem(change.subject, &error);
    }

    /// Returns a note if it is not known which permission sets are provisioned in the management account.
    pub(super) fn note(&self) -> Option<Note> {
        let account = &self.account;
        let text = format!(
            "AWS does not let the caller list the permission sets in the management account {account}: AWS may refuse changes of such a set. Grant sso:ListPermissionSetsProvisionedToAccount to see them in the plan"
        );
        self.sets
            .is_none()
            .then(|| Note::new("management-sets-unknown", text))
    }
}

/// Returns the note about assignments that were read pair by pair, because AWS refused the list by principal.
///
/// "This action must be called from the management account" (API reference, `ListAccountAssignmentsForPrincipal`).
pub(super) fn read_by_pair(cx: &Context) -> Note {
    let organization = cx.facts(|facts| facts.organization.clone());
    let why = match organization {
        Some(known) if known.caller != known.management_account => format!(
            "AWS lets only the management account {} list the assignments of a user or group, and the run has credentials of account {}",
            known.management_account, known.caller
        ),
        _ => "the credentials lack sso:ListAccountAssignmentsForPrincipal".to_owned(),
    };
    let text = format!(
        "the assignments were read with one call for each permission set and account: {why}"
    );
    Note::new("read-by-pair", text)
}

/// Whether this context turns on the permission sets of the instance, or waits for the instance.
#[derive(Default)]
struct TurnsOn(AtomicBool);

/// Records that the plan of the step `identity-center` leads to an instance with permission sets.
pub(super) fn plans_permission_sets(cx: &Context) {
    cx.run_memory::<TurnsOn>().0.store(true, Ordering::Relaxed);
}

/// Returns the reason why the instance has no permission sets. Returns `None` if it has them, if the plan leads to them, or if the
/// instance is not known yet.
pub(super) fn without_permission_sets(cx: &Context) -> Option<Error> {
    let (instance, organization) =
        cx.facts(|facts| (facts.instance.clone(), facts.organization.clone()));
    let instance = instance.filter(|instance| !instance.permission_sets)?;
    if let Some(organization) = organization
        && is_account_instance(&instance, &organization)
    {
        return Some(
            Error::new(ErrorKind::UnusableSubject, account_instance(&instance)).with_help(format!(
                "to give access to accounts, use the organization instance, with credentials of the management account {} or of a delegated administrator of Identity Center; this run only provisions users and groups",
                organization.management_account
            )),
        );
    }
    if cx.run_memory::<TurnsOn>().0.load(Ordering::Relaxed) {
        return None;
    }
    Some(
        Error::new(
            ErrorKind::UnusableSubject,
            format!(
                "instance {} of the organization has no permission sets: they are turned off",
                instance.arn
            ),
        )
        .with_help(format!(
            "run step {}, which turns permission sets on, or turn them on in the console of IAM Identity Center; they cannot be turned off again",
            ids::IDENTITY_CENTER
        )),
    )
}

/// Returns whether an instance belongs to a member account, and not to the organization.
pub(super) fn is_account_instance(
    instance: &InstanceFact,
    organization: &OrganizationFact,
) -> bool {
    instance.owner != organization.management_account
}

/// Returns what an account instance is, for a message.
pub(super) fn account_instance(instance: &InstanceFact) -> String {
    format!(
        "instance {} is an account instance of account {}: it has users and groups for the applications of this account, and neither permission sets nor account assignments",
        instance.arn, instance.owner
    )
}
