//! The permission sets of an instance, by ARN and by name.

use std::collections::{BTreeMap, HashMap};

use super::PermissionSet;

/// The index of a permission set, which is its position in creation order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SetIx(pub(crate) u32);

/// The permission sets of an instance, oldest first.
#[derive(Debug, Default)]
pub(crate) struct PermissionSets {
    sets: BTreeMap<SetIx, PermissionSet>,
    by_arn: HashMap<String, SetIx>,
    by_name: HashMap<String, SetIx>,
    last: u32,
}

impl PermissionSets {
    /// Returns the number of permission sets.
    pub(crate) fn len(&self) -> usize {
        self.sets.len()
    }

    /// Returns the permission sets from an index on, oldest first.
    pub(crate) fn from(&self, from: SetIx) -> impl Iterator<Item = (SetIx, &PermissionSet)> {
        self.sets.range(from..).map(|(ix, set)| (*ix, set))
    }

    /// Returns the index of the permission set with this ARN.
    pub(crate) fn ix(&self, arn: &str) -> Option<SetIx> {
        self.by_arn.get(arn).copied()
    }

    /// Returns the index of the permission set with this name.
    pub(crate) fn ix_by_name(&self, name: &str) -> Option<SetIx> {
        self.by_name.get(name).copied()
    }

    /// Returns a permission set. A deleted set has no roles and no assignments, so no row has its index.
    pub(crate) fn at(&self, ix: SetIx) -> &PermissionSet {
        &self.sets[&ix]
    }

    /// Returns a permission set for a change.
    pub(crate) fn at_mut(&mut self, ix: SetIx) -> &mut PermissionSet {
        self.sets
            .get_mut(&ix)
            .expect("every index is of an existing permission set")
    }

    /// Adds a permission set.
    pub(crate) fn add(&mut self, set: PermissionSet) -> SetIx {
        self.last += 1;
        let ix = SetIx(self.last);
        self.by_arn.insert(set.arn.clone(), ix);
        self.by_name.insert(set.name.clone(), ix);
        self.sets.insert(ix, set);
        ix
    }

    /// Removes a permission set.
    pub(crate) fn remove(&mut self, ix: SetIx) {
        if let Some(set) = self.sets.remove(&ix) {
            self.by_arn.remove(&set.arn);
            self.by_name.remove(&set.name);
        }
    }
}
