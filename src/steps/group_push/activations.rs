//! The memory of the pushes that were activated again, so that each finding is repaired once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use okta_client::{Id, PushMapping, User};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::super::ids;
use crate::{context::Context, error::Result, text::hex};

/// Members that are missing in AWS after a push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::steps) struct Finding {
    /// The beginning of a digest over the ids of the members.
    members: String,
    /// The time of the last push before the group was pushed again; after a run has waited in vain, the time of that push.
    last_push: Option<String>,
    /// Whether a run has waited for the members in vain.
    #[serde(default)]
    in_vain: bool,
}

/// The findings of a plan, by mapping. The apply records them.
#[derive(Default)]
struct Planned(Mutex<BTreeMap<String, Finding>>);

/// The findings for which a group was pushed again, by mapping. They are saved with the state.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::steps) struct Activations(BTreeMap<String, Finding>);

impl Finding {
    pub(in crate::steps) fn new<'a>(
        missing: impl Iterator<Item = &'a Id<User>>,
        mapping: &PushMapping,
    ) -> Self {
        let ids: BTreeSet<&str> = missing.map(Id::as_str).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        Self {
            members: hex(&Sha256::digest(ids.join("\n"))[..8]),
            last_push: mapping.last_push.clone(),
            in_vain: false,
        }
    }

    /// Keeps the finding of a plan for the apply of the same context.
    pub(super) fn keep_for_apply(self, cx: &Context, mapping: &Id<PushMapping>) {
        let planned = cx.run_memory::<Planned>();
        let mut planned = planned.0.lock().unwrap_or_else(PoisonError::into_inner);
        planned.insert(mapping.to_string(), self);
    }
}

impl Activations {
    pub(in crate::steps) fn load(cx: &Context) -> Result<Self> {
        Ok(cx.memory(&ids::APP_ACCESS)?.unwrap_or_default())
    }

    pub(in crate::steps) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether the group was pushed again for a finding.
    ///
    /// Until a run has waited for the members, the push may be in progress.
    pub(super) fn contains(&self, mapping: &Id<PushMapping>, finding: &Finding) -> bool {
        self.0.get(mapping.as_str()).is_some_and(|known| {
            known.members == finding.members
                && (!known.in_vain || known.last_push == finding.last_push)
        })
    }

    /// Records that the group of a mapping is pushed again.
    pub(super) fn record(cx: &Context, mapping: &PushMapping) -> Result<()> {
        let planned = cx.run_memory::<Planned>();
        let mut planned = planned.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(finding) = planned.remove(mapping.id.as_str()) else {
            return Ok(());
        };
        let mut all = Self::load(cx)?;
        all.0.insert(mapping.id.to_string(), finding);
        all.save(cx)
    }

    /// Records the result of a push that was activated again: the members that are still missing, if any.
    pub(in crate::steps) fn settle(&mut self, mapping: &PushMapping, missing: Vec<&Id<User>>) {
        let Some(known) = self.0.get_mut(mapping.id.as_str()) else {
            return;
        };
        if missing.is_empty() {
            self.0.remove(mapping.id.as_str());
            return;
        }
        *known = Finding {
            in_vain: true,
            ..Finding::new(missing.into_iter(), mapping)
        };
    }

    pub(in crate::steps) fn save(mut self, cx: &Context) -> Result<()> {
        // The memory of a step is limited. A group that is not in it is pushed again once more.
        while self.0.len() > MAX_FINDINGS {
            self.0.pop_first();
        }
        cx.remember(&ids::APP_ACCESS, &self)
    }
}

/// Maximum number of findings. 400 of them have about 50 KiB of JSON.
const MAX_FINDINGS: usize = 400;
