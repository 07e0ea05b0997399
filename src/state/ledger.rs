//! The ledger: what the runs of one blueprint have made, so that a later run can remove it.

use std::sync::Arc;

use aws_sso_glue::{
    InstanceArn,
    estate::{AssignmentRef, AssignmentSet},
};
use serde::{Deserialize, Serialize};

use super::StateStore;
use crate::error::{Error, ErrorKind, Result};

/// The assignments that the runs of one blueprint have made in one instance.
///
/// Mode `managed` removes what is in the ledger and no longer in the blueprint. A run adds an assignment before it creates it, so
/// that an assignment that was created right before a crash is not forgotten. A ledger that is lost, or an older copy of it, only
/// means that less is removed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ledger {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance: Option<InstanceArn>,
    pub(crate) assignments: AssignmentSet,
}

/// The ledgers of a state store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledgers {
    /// The ledger of this blueprint, as the state store has it; `None`: it has none.
    pub(crate) own: Option<Arc<Ledger>>,
    /// The ledgers of other blueprints, by name.
    pub(crate) others: Vec<(String, Arc<Ledger>)>,
}

impl Ledger {
    const VERSION: u32 = 1;

    /// Returns an empty ledger for an instance.
    pub(crate) fn new(instance: &InstanceArn) -> Self {
        Self {
            version: Self::VERSION,
            instance: Some(instance.clone()),
            ..Self::default()
        }
    }

    /// Returns the name of the file of a blueprint's ledger, beside the state.
    pub(crate) fn file(blueprint: &str) -> String {
        format!("{FOLDER}/{blueprint}.json")
    }

    /// Returns whether the ledger is of this instance.
    pub(crate) fn is_of(&self, instance: &InstanceArn) -> bool {
        self.instance.as_ref() == Some(instance)
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a ledger is always JSON")
    }

    fn from_json(file: &str, json: &[u8]) -> Result<Self> {
        let unreadable = |why: String| {
            Error::new(ErrorKind::State, format!("{file} is not a valid ledger: {why}")).with_help(
                "restore it from a backup, or move it away: a run without a ledger removes nothing that earlier runs have made",
            )
        };
        let ledger: Self =
            serde_json::from_slice(json).map_err(|error| unreadable(error.to_string()))?;
        if ledger.version != Self::VERSION {
            return Err(unreadable(format!(
                "it has format version {}, and this version of the crate reads version {}",
                ledger.version,
                Self::VERSION
            )));
        }
        Ok(ledger)
    }
}

impl Ledgers {
    /// Reads the ledgers of a store.
    ///
    /// # Errors
    ///
    /// Fails if a ledger cannot be read: without it, the run could remove what another blueprint has made.
    pub(crate) async fn read(store: &StateStore, blueprint: &str) -> Result<Self> {
        let own = Ledger::file(blueprint);
        let mut ledgers = Self::default();
        for file in store.files(FOLDER).await? {
            let Some(json) = store.read(&file).await? else {
                continue;
            };
            let ledger = Arc::new(Ledger::from_json(&file, &json)?);
            if file == own {
                ledgers.own = Some(ledger);
            } else {
                let name = file.rsplit('/').next().unwrap_or(&file);
                let name = name.strip_suffix(".json").unwrap_or(name);
                ledgers.others.push((name.to_owned(), ledger));
            }
        }
        ledgers.others.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(ledgers)
    }

    /// Returns the name of another blueprint whose runs have made an assignment.
    pub(crate) fn other_owner(&self, assignment: AssignmentRef<'_>) -> Option<&str> {
        let mut others = self.others.iter();
        let owner = others.find(|(_, ledger)| ledger.assignments.contains(assignment));
        owner.map(|(name, _)| name.as_str())
    }
}

/// The folder of the ledgers, beside the state.
const FOLDER: &str = "ledger";
