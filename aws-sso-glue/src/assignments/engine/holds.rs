//! Deletes that wait for the creates that replace them.

use std::collections::HashMap;

use super::{Action, Item, ItemIx};

/// The creates that deletes wait for, in groups of creates that share a principal or a pair of
/// account and permission set.
#[derive(Debug, Default)]
pub(super) struct Holds {
    groups: HashMap<Key, Group>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Principal(u32),
    Pair { account: u32, permission_set: u32 },
}

#[derive(Debug, Default)]
struct Group {
    /// The number of creates that have not ended.
    open: u32,
    deletes: Vec<ItemIx>,
}

impl Holds {
    /// Collects the deletes that must wait.
    pub(super) fn new(items: &[Item]) -> Self {
        let mut groups: HashMap<Key, Group> = HashMap::new();
        for (item, index) in items.iter().zip(0..) {
            if item.action == Action::Delete {
                for key in keys(*item) {
                    groups.entry(key).or_default().deletes.push(index);
                }
            }
        }
        for item in items.iter().filter(|item| item.action == Action::Create) {
            for key in keys(*item) {
                groups.entry(key).and_modify(|group| group.open += 1);
            }
        }
        groups.retain(|_, group| group.open > 0);
        groups.shrink_to_fit();
        Self { groups }
    }

    /// Returns a delete once for each group that it waits for.
    pub(super) fn held(&self) -> impl Iterator<Item = ItemIx> {
        self.groups
            .values()
            .flat_map(|group| group.deletes.iter().copied())
    }

    /// Records the end of a create. Returns the deletes that no longer wait in one of their groups:
    /// after a failure all at once, as they must not be sent.
    pub(super) fn ended(&mut self, create: Item, succeeded: bool) -> Vec<ItemIx> {
        let mut deletes = Vec::new();
        for key in keys(create) {
            if let Some(group) = self.groups.get_mut(&key) {
                group.open = group.open.saturating_sub(1);
                if group.open == 0 || !succeeded {
                    deletes.append(&mut group.deletes);
                }
            }
        }
        deletes
    }
}

fn keys(item: Item) -> [Key; 2] {
    let Item {
        account,
        permission_set,
        principal,
        ..
    } = item;
    [
        Key::Principal(principal),
        Key::Pair {
            account,
            permission_set,
        },
    ]
}
