//! A set of items that is fast for few items and for many.

use std::{collections::HashSet, hash::Hash};

/// Up to this many items, a search in a list is faster than in a table.
const FEW: usize = 32;

/// The items that were seen so far: a list of a few items, or a table of many.
pub(super) struct Seen<T> {
    few: Vec<T>,
    many: Option<HashSet<T>>,
}

impl<T: Eq + Hash> Seen<T> {
    pub(super) fn new() -> Self {
        Self {
            few: Vec::new(),
            many: None,
        }
    }

    /// Adds an item, and returns whether it is new.
    pub(super) fn insert(&mut self, item: T) -> bool {
        if self.many.is_some() || self.few.len() == FEW {
            return self.insert_many(item);
        }
        let is_new = !self.few.contains(&item);
        if is_new {
            self.few.push(item);
        }
        is_new
    }

    /// Removes all items.
    pub(super) fn clear(&mut self) {
        self.few.clear();
        self.many = None;
    }

    #[cold]
    fn insert_many(&mut self, item: T) -> bool {
        let many = self.many.get_or_insert_default();
        many.extend(self.few.drain(..));
        many.insert(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_new_only_once() {
        let mut seen = Seen::new();
        for number in 0..FEW * 3 {
            assert!(seen.insert(number), "{number}");
        }
        for number in 0..FEW * 3 {
            assert!(!seen.insert(number), "{number}");
        }
        seen.clear();
        assert!(seen.insert(0) && !seen.insert(0));
    }
}
