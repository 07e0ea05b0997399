//! The finished parts of a long read, kept beside the state: the next plan goes on where a plan was ended.

use std::{
    collections::HashMap,
    mem::take,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_sso_glue::{
    AccountId, InstanceArn, PermissionSetArn, PermissionSetContents,
    estate::{FinishedList, ListKey, ReadLog},
};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{StateStore, now};
use crate::{Clock, error::Result};

/// A read that takes longer keeps its parts.
pub(crate) const LONG_READ: Duration = Duration::from_mins(2);

/// The age from which on a part is read again.
const MAX_AGE: SignedDuration = SignedDuration::from_mins(30);

/// Number of parts in a file: a read that is ended loses fewer than that.
const PARTS: usize = 100;

/// The folder of the files, beside the state.
const FOLDER: &str = "estate-read";

/// The finished parts of a read.
pub(crate) struct KeptReads {
    store: StateStore,
    instance: InstanceArn,
    clock: Arc<dyn Clock>,
    /// Two reads at a time write different files.
    id: Uuid,
    parts: Mutex<Parts>,
}

/// A permission set that was read whole.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct FinishedSet {
    pub(crate) contents: PermissionSetContents,
    /// The accounts that do not have the latest version of the set.
    pub(crate) outdated: Vec<AccountId>,
}

#[derive(Default)]
struct Parts {
    earlier_lists: HashMap<ListKey, FinishedList>,
    earlier_sets: HashMap<PermissionSetArn, FinishedSet>,
    /// The parts that no file has yet.
    unsaved: Option<File>,
    files: usize,
}

/// The document of a file.
#[derive(Serialize, Deserialize)]
struct File {
    instance: InstanceArn,
    /// The time at which the first part was read.
    read_at: Timestamp,
    lists: Vec<FinishedList>,
    sets: Vec<FinishedSet>,
}

impl KeptReads {
    /// Returns what earlier reads of the instance have kept and is young enough.
    pub(crate) async fn open(
        store: StateStore,
        clock: Arc<dyn Clock>,
        instance: &InstanceArn,
    ) -> Self {
        let mut parts = Parts::default();
        let files = store.files(FOLDER).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "what an earlier read has finished cannot be found");
            Vec::new()
        });
        for name in files {
            match read_file(&store, &name).await {
                Ok(Some(file)) if is_usable(&file, instance, now(&*clock)) => {
                    let lists = file.lists.into_iter().map(|list| (list.key(), list));
                    parts.earlier_lists.extend(lists);
                    let sets = file.sets.into_iter();
                    let sets = sets.map(|set| (set.contents.set.arn.clone(), set));
                    parts.earlier_sets.extend(sets);
                }
                found => {
                    if let Err(error) = found {
                        tracing::warn!(%error, file = name, "what an earlier read has finished cannot be used");
                    }
                    remove(&store, &name).await;
                }
            }
        }
        Self {
            store,
            instance: instance.clone(),
            clock,
            id: Uuid::new_v4(),
            parts: Mutex::new(parts),
        }
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes and returns the set that an earlier read has finished.
    pub(crate) fn take_set(&self, arn: &PermissionSetArn) -> Option<FinishedSet> {
        self.parts().earlier_sets.remove(arn)
    }

    pub(crate) async fn keep_set(&self, set: FinishedSet) {
        self.add(|file| file.sets.push(set)).await;
    }

    /// Removes all files: the read has ended.
    pub(crate) async fn clear(&self) {
        *self.parts() = Parts::default();
        let files = self.store.files(FOLDER).await.unwrap_or_default();
        for name in files {
            remove(&self.store, &name).await;
        }
    }

    /// Adds a part, and saves a file if it is full.
    async fn add(&self, add: impl FnOnce(&mut File)) {
        let (full, number) = {
            let mut parts = self.parts();
            let file = parts.unsaved.get_or_insert_with(|| File {
                instance: self.instance.clone(),
                read_at: now(&*self.clock),
                lists: Vec::new(),
                sets: Vec::new(),
            });
            add(file);
            if file.lists.len() + file.sets.len() < PARTS {
                return;
            }
            parts.files += 1;
            (take(&mut parts.unsaved), parts.files)
        };
        let bytes = serde_json::to_vec(&full).expect("a file is always JSON");
        let name = format!("{FOLDER}/{}-{number}.json", self.id);
        if let Err(error) = self.store.write(&name, bytes).await {
            tracing::warn!(%error, "what the read has finished cannot be kept for the next plan");
        }
    }
}

impl ReadLog for KeptReads {
    fn take(&self, key: &ListKey) -> Option<FinishedList> {
        self.parts().earlier_lists.remove(key)
    }

    fn keep(&self, list: FinishedList) -> BoxFuture<'_, ()> {
        Box::pin(self.add(|file| file.lists.push(list)))
    }
}

async fn read_file(store: &StateStore, name: &str) -> Result<Option<File>> {
    let Some(bytes) = store.read(name).await? else {
        return Ok(None);
    };
    // A file of another version counts as none.
    Ok(serde_json::from_slice(&bytes).ok())
}

fn is_usable(file: &File, instance: &InstanceArn, now: Timestamp) -> bool {
    let age = now.duration_since(file.read_at);
    file.instance == *instance && !age.is_negative() && age < MAX_AGE
}

async fn remove(store: &StateStore, name: &str) {
    if let Err(error) = store.remove(name).await {
        tracing::warn!(%error, file = name, "a file of an earlier read cannot be removed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_used_for_its_instance_for_half_an_hour() {
        let instance = |id: &str| {
            let arn = format!("arn:aws:sso:::instance/ssoins-{id}");
            InstanceArn::parse(&arn).expect("an ARN")
        };
        let ours = instance("1234567890abcdef");
        let read_at = Timestamp::UNIX_EPOCH;
        let file = File {
            instance: ours.clone(),
            read_at,
            lists: Vec::new(),
            sets: Vec::new(),
        };
        for (minutes, usable) in [(-1, false), (0, true), (29, true), (30, false)] {
            let now = read_at + SignedDuration::from_mins(minutes);
            assert_eq!(is_usable(&file, &ours, now), usable, "{minutes}");
        }
        assert!(!is_usable(&file, &instance("fedcba0987654321"), read_at));
    }
}
