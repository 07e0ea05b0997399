use std::{collections::HashSet, hash::Hash};

/// So many items are found sooner in a list than in a table.
const FEW: usize = 32;

/// What has been met so far: a short list most of the time, a table once there is more.
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

    /// Notes an item, and returns whether it is a new one.
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

    /// Forgets all.
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
    fn an_item_is_new_once_however_many_there_are() {
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
