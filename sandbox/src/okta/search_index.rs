//! The delay of the parameter `search`, which reads an eventually consistent copy of the data.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::clock::after;

/// The versions of the objects that `search` still finds, although they are outdated.
#[derive(Debug)]
pub(super) struct SearchIndex<T> {
    delay: SignedDuration,
    /// For each object, the outdated versions and the times until which they are found. `None` is the time
    /// before the object was created.
    outdated: BTreeMap<String, Vec<(Timestamp, Option<T>)>>,
}

impl<T: Clone> SearchIndex<T> {
    pub(super) fn new(delay: SignedDuration) -> Self {
        Self {
            delay,
            outdated: BTreeMap::new(),
        }
    }

    /// Keeps the version of an object before a change at `now`. Does nothing without a delay.
    pub(super) fn record(&mut self, id: &str, old: Option<&T>, now: Timestamp) {
        if self.delay.is_zero() {
            return;
        }
        let versions = self.outdated.entry(id.to_owned()).or_default();
        versions.retain(|(until, _)| *until > now);
        versions.push((after(now, self.delay), old.cloned()));
    }

    /// Returns the objects as `search` finds them at `now`, in the order of their ids.
    pub(super) fn view<'a>(
        &'a self,
        current: &'a BTreeMap<String, T>,
        now: Timestamp,
    ) -> BTreeMap<&'a str, &'a T> {
        let mut view: BTreeMap<&str, &T> = current
            .iter()
            .map(|(id, object)| (id.as_str(), object))
            .collect();
        for (id, versions) in &self.outdated {
            match versions.iter().find(|(until, _)| *until > now) {
                Some((_, Some(old))) => view.insert(id, old),
                Some((_, None)) => view.remove(id.as_str()),
                None => continue,
            };
        }
        view
    }

    /// Returns whether `search` finds all objects as they are.
    pub(super) fn is_current(&self, now: Timestamp) -> bool {
        let mut versions = self.outdated.values().flatten();
        !versions.any(|(until, _)| *until > now)
    }
}
