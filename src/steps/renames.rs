//! Permission sets with another name: AWS cannot rename a set, so that the set of the new name replaces the old one.

use std::collections::{BTreeMap, BTreeSet};

use aws_sso_glue::{AccountId, PermissionSetArn, Principal, estate::AssignmentRef};

use super::owned_access::InAws;
use crate::{
    blueprint::{Blueprint, Expansion, PrincipalSpec},
    plan::{Note, Subject, count},
};

/// The renamed sets of a blueprint, by their old names.
pub(super) struct Renames<'a>(BTreeMap<&'a str, Rename<'a>>);

struct Rename<'a> {
    new_name: &'a str,
    /// The set of the new name, if AWS has it.
    new: Option<&'a PermissionSetArn>,
    /// Whether AWS has every assignment of the new set that the blueprint gives, and there is one.
    is_complete: bool,
    in_aws: &'a InAws,
}

/// Whether an assignment of an old set is replaced by one of the new set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replaced {
    Yes,
    /// Not all assignments of the new set are there.
    NotYet,
}

impl<'a> Renames<'a> {
    /// `principals` are the users and groups of the blueprint that AWS has.
    pub(super) fn new(
        blueprint: &'a Blueprint,
        access: &Expansion,
        in_aws: &'a InAws,
        principals: &BTreeMap<PrincipalSpec, Principal>,
    ) -> Self {
        let renames = blueprint.renamed_sets().map(|(old, new_name)| {
            let new = in_aws.sets.by_name(new_name).map(|set| &set.arn);
            let mut rows = access
                .rows()
                .filter(|row| row.permission_set == new_name)
                .peekable();
            let is_given = rows.peek().is_some();
            let is_there = |principal: &PrincipalSpec, account: &AccountId| {
                let ids = new.zip(principals.get(principal));
                ids.is_some_and(|(set, principal)| {
                    let one = AssignmentRef::new(account, set, principal);
                    in_aws.assignments.contains(one) == Some(true)
                })
            };
            let rename = Rename {
                new_name,
                new,
                is_complete: is_given && rows.all(|row| is_there(row.principal, &row.account.id)),
                in_aws,
            };
            (old, rename)
        });
        Self(renames.collect())
    }

    /// Returns the new name of a set, if it has one.
    pub(super) fn new_name(&self, set: &str) -> Option<&'a str> {
        self.0.get(set).map(|rename| rename.new_name)
    }

    /// Returns whether an assignment of an old set is replaced. `None`: its set has no new name, or nothing replaces it.
    pub(super) fn state(&self, row: AssignmentRef<'_>, set: &str) -> Option<Replaced> {
        let rename = self.0.get(set)?;
        if !rename.is_complete {
            return Some(Replaced::NotYet);
        }
        let new = AssignmentRef::new(row.account, rename.new?, row.principal);
        let is_there = rename.in_aws.assignments.contains(new) == Some(true);
        is_there.then_some(Replaced::Yes)
    }

    /// Returns a note about the effects of each new name on what names the roles of the old set.
    pub(super) fn notes(&self, in_aws: &InAws) -> Vec<Note> {
        let notes = self.0.iter().filter_map(|(old, rename)| {
            let arn = &in_aws.sets.by_name(old)?.arn;
            let rows = in_aws.assignments.iter();
            let accounts: BTreeSet<&AccountId> = rows
                .filter(|row| row.permission_set == arn)
                .map(|row| row.account)
                .collect();
            (!accounts.is_empty()).then(|| {
                let subject = Subject::permission_set(rename.new_name);
                Note::new("renamed-set", impact(old, rename.new_name, accounts.len()))
                    .about(subject)
            })
        });
        notes.collect()
    }
}

/// Returns the effects of a new name on what names the roles of the old set.
fn impact(old: &str, new: &str, accounts: usize) -> String {
    format!(
        "permission set {old} becomes {new}: role ARNs AWSReservedSSO_{old}_… in {} change: EKS access entries, aws-auth, \
         bucket, key and trust policies that name them stop matching; the assignments of {old} are removed by a run after all \
         those of {new} are there",
        count(accounts, "account")
    )
}
