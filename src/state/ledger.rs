//! The ledger: what the runs of one blueprint have made, so that a later run can remove it.

use std::collections::BTreeMap;

use aws_sso_glue::{
    InstanceArn, PermissionSetArn,
    estate::{AssignmentRef, AssignmentSet},
};
use okta_client::{App, Group, Id, User};
use serde::{Deserialize, Serialize};

use super::StateStore;
use crate::error::{Error, ErrorKind, Result};

/// The things that the runs of one blueprint have made in one instance and in one app.
///
/// Mode `managed` removes what is in the ledger and no longer in the blueprint. A run adds a thing before it creates it, so that
/// one that was created right before a crash is not forgotten. A ledger that is lost, or an older copy of it, only means that less
/// is removed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ledger {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance: Option<InstanceArn>,
    pub(crate) assignments: AssignmentSet,
    #[serde(default, skip_serializing_if = "MadeSets::is_empty")]
    pub(crate) permission_sets: MadeSets,
    #[serde(default, skip_serializing_if = "MadeInApp::is_empty")]
    in_app: MadeInApp,
}

/// The permission sets that the runs of a blueprint have created, by name. The ARN is not known until AWS has answered.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct MadeSets(BTreeMap<String, Option<PermissionSetArn>>);

/// The assignments to an app and its pushed groups that the runs of a blueprint have made, by their ids in Okta, with the login or
/// the name at that time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MadeInApp {
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<Id<App>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) users: BTreeMap<Id<User>, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) groups: BTreeMap<Id<Group>, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) pushes: BTreeMap<Id<Group>, String>,
}

/// The ledgers of other blueprints in a state store, by the name of the blueprint.
#[derive(Clone, Debug, Default)]
pub(crate) struct OtherLedgers(Vec<(String, Ledger)>);

impl Ledger {
    const VERSION: u32 = 1;

    /// Returns an empty ledger, which belongs to no instance yet.
    pub(crate) fn new() -> Self {
        Self {
            version: Self::VERSION,
            ..Self::default()
        }
    }

    /// Returns the name of the file of a blueprint's ledger, beside the state.
    pub(crate) fn file(blueprint: &str) -> String {
        format!("{FOLDER}/{blueprint}.json")
    }

    /// Returns whether the ledger is of this instance, or of none yet.
    pub(crate) fn is_of(&self, instance: &InstanceArn) -> bool {
        self.instance.as_ref().is_none_or(|known| known == instance)
    }

    /// Makes the ledger one of this instance, if it is of none yet.
    pub(crate) fn set_instance(&mut self, instance: Option<&InstanceArn>) {
        if self.instance.is_none() {
            self.instance = instance.cloned();
        }
    }

    /// Returns what runs have made in an app, or `None` if they have made nothing there.
    pub(crate) fn in_app(&self, app: &Id<App>) -> Option<&MadeInApp> {
        let known = &self.in_app;
        (known.app.as_ref() == Some(app)).then_some(known)
    }

    /// Returns what runs have made in an app, to change it. The entries of an app that was replaced are forgotten.
    pub(crate) fn in_app_mut(&mut self, app: &Id<App>) -> &mut MadeInApp {
        if self.in_app.app.as_ref() != Some(app) {
            self.in_app = MadeInApp {
                app: Some(app.clone()),
                ..MadeInApp::default()
            };
        }
        &mut self.in_app
    }

    /// Reads the ledger in a file; `None` if the store has no such file.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read.
    pub(crate) async fn read(store: &StateStore, file: &str) -> Result<Option<Self>> {
        let json = store.read(file).await?;
        json.map(|json| Self::from_json(file, &json)).transpose()
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

impl MadeSets {
    /// Records that a run is about to create a set.
    pub(crate) fn start(&mut self, name: &str) {
        self.0.insert(name.to_owned(), None);
    }

    /// Records a set that a run has created.
    pub(crate) fn insert(&mut self, name: &str, arn: &PermissionSetArn) {
        self.0.insert(name.to_owned(), Some(arn.clone()));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Returns whether a run was about to create a set of this name, and its end is not known.
    pub(crate) fn has_started(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Option::is_none)
    }

    /// Returns whether runs have created this set. AWS does not change the name of a set, so another ARN is another set.
    pub(crate) fn contains(&self, name: &str, arn: &PermissionSetArn) -> bool {
        let made = self.0.get(name);
        made.is_some_and(|made| made.as_ref().is_none_or(|made| made == arn))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl MadeInApp {
    fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty() && self.pushes.is_empty()
    }
}

impl OtherLedgers {
    /// Reads the ledgers of all other blueprints than this one.
    ///
    /// # Errors
    ///
    /// Fails if a ledger cannot be read: without it, the run could remove what another blueprint has made.
    pub(crate) async fn read(store: &StateStore, blueprint: &str) -> Result<Self> {
        let own = Ledger::file(blueprint);
        let mut others = Vec::new();
        for file in store.files(FOLDER).await? {
            if file == own {
                continue;
            }
            if let Some(ledger) = Ledger::read(store, &file).await? {
                let name = file.rsplit('/').next().unwrap_or(&file);
                let name = name.strip_suffix(".json").unwrap_or(name);
                others.push((name.to_owned(), ledger));
            }
        }
        others.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(Self(others))
    }

    /// Returns the name of another blueprint whose ledger has something.
    pub(crate) fn owner(&self, has: impl Fn(&Ledger) -> bool) -> Option<&str> {
        let mut others = self.0.iter();
        let owner = others.find(|(_, ledger)| has(ledger));
        owner.map(|(name, _)| name.as_str())
    }

    /// Returns the name of another blueprint whose runs have made an assignment.
    pub(crate) fn owner_of(&self, assignment: AssignmentRef<'_>) -> Option<&str> {
        self.owner(|ledger| ledger.assignments.contains(assignment))
    }
}

/// The folder of the ledgers, beside the state.
const FOLDER: &str = "ledger";
