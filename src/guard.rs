//! The guard: limits on the removals of a plan (blast radius).

mod history;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use history::{RemovalHistory, Removed};

use crate::{
    blueprint::{
        CONTROL_TOWER_GROUPS, CONTROL_TOWER_SETS, Protect, is_of_control_tower, is_pattern,
        matches_any,
    },
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, Hazard, Kind, Plan, StepId, Subject, Value, count, protected_name},
    text::abbreviated,
};

#[doc = include_str!("../docs/GUARD.md")]
///
/// Fields may be added: end with `..Guard::default()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The limits by kind (default: none). A kind without a limit allows no removal.
    pub limits: BTreeMap<Kind, KindLimit>,
    /// The number of removals that this run may make above the limits of their kinds (default: 0).
    pub max_removals: usize,
    /// The ids of the approved removals, as [`Plan::removals_id`] returns them (default: none). An approved plan may exceed all
    /// limits.
    pub approved: BTreeSet<String>,
    /// The ids of the allowed hazards, such as `emptied-group:aws-auditors` (default: none).
    pub allowed: BTreeSet<String>,
    /// The names of protected users, groups and permission sets, in any letter case, which may contain `*` and `?` (default: the
    /// groups and permission sets of AWS Control Tower). A run also protects what
    /// [`Blueprint::protect`](crate::Blueprint::protect) names.
    pub protected: BTreeSet<String>,
    /// The treatment of a plan that exceeds a limit (default: [`Excess::RefusePlan`]).
    pub excess: Excess,
}

/// A limit on the removals of one kind. The smallest of the four numbers applies.
///
/// A share is a part of all objects of this kind in AWS, rounded down. A share of 100 percent is no limit. If the number of all
/// objects is not known, any smaller share allows no removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindLimit {
    /// Maximum number of removals in a run.
    pub per_run: u32,
    /// Maximum share of removals in a run, in percent.
    pub per_run_percent: u8,
    /// Maximum number of removals in 7 days.
    pub per_window: u32,
    /// Maximum share of removals in 7 days, in percent.
    pub per_window_percent: u8,
}

/// The treatment of a plan that exceeds a limit, or has a hazard that is not allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Excess {
    /// Refuses the plan: nothing is changed.
    #[default]
    RefusePlan,
    /// Makes all changes except the removals and the dangerous adoptions. The report lists these as skipped.
    ///
    /// The plan is still refused if the source is empty or has new ids, or if a protected object would be changed.
    WithholdRemovals,
}

/// The changes that the guard holds back, by step, action and subject.
#[derive(Debug, Default)]
pub(crate) struct Withheld(BTreeSet<(StepId, Action, Subject)>);

impl Withheld {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contains(&self, step: &StepId, change: &Change) -> bool {
        // A plan without removals is the usual case.
        !self.0.is_empty()
            && self
                .0
                .contains(&(step.clone(), change.action, change.subject.clone()))
    }
}

impl Default for Guard {
    fn default() -> Self {
        let protected = CONTROL_TOWER_GROUPS.iter().chain(&CONTROL_TOWER_SETS);
        Self {
            limits: BTreeMap::new(),
            max_removals: 0,
            approved: BTreeSet::new(),
            allowed: BTreeSet::new(),
            protected: protected.map(|name| (*name).to_owned()).collect(),
            excess: Excess::default(),
        }
    }
}

impl KindLimit {
    /// Returns a limit of this number in one run, without a limit on shares and on the window.
    #[must_use]
    pub const fn per_run(removals: u32) -> Self {
        Self {
            per_run: removals,
            per_run_percent: 100,
            per_window: u32::MAX,
            per_window_percent: 100,
        }
    }

    /// Returns the number of removals that the limit allows now.
    fn allows(&self, total: Option<u64>, window: Option<Removed>) -> u64 {
        let share = |percent: u8| match (percent, total) {
            (100.., _) => u64::MAX,
            (_, None) => 0,
            (percent, Some(total)) => total * u64::from(percent) / 100,
        };
        let in_run = u64::from(self.per_run).min(share(self.per_run_percent));
        let number = match (self.per_window, window) {
            (u32::MAX, _) => u64::MAX,
            (_, None) => 0,
            (limit, Some(window)) => u64::from(limit).saturating_sub(window.removals),
        };
        let part = match (self.per_window_percent, window, total) {
            (100.., ..) => u64::MAX,
            (_, None, _) | (_, _, None) => 0,
            (percent, Some(window), Some(total)) => {
                let left = (u64::from(percent) * 10_000).saturating_sub(window.parts_per_million);
                total * left / 1_000_000
            }
        };
        in_run.min(number).min(part)
    }
}

impl Guard {
    /// Returns a guard for scheduled runs: a few users and memberships may leave, at most a small share of all.
    #[must_use]
    pub fn daily() -> Self {
        let membership = KindLimit {
            per_run: 10,
            per_run_percent: 5,
            per_window: 30,
            per_window_percent: 15,
        };
        let user = KindLimit {
            per_run: 5,
            per_window: 15,
            ..membership
        };
        Self {
            limits: BTreeMap::from([(Kind::Membership, membership), (Kind::User, user)]),
            ..Self::default()
        }
    }

    /// Protects what a blueprint [names](crate::Blueprint::protect), too. A pipeline does this by itself.
    #[must_use]
    pub fn protect(mut self, protect: &Protect) -> Self {
        if !protect.control_tower {
            self.protected.retain(|name| !is_of_control_tower(name));
        }
        let named = [&protect.groups, &protect.users, &protect.permission_sets];
        self.protected.extend(named.into_iter().flatten().cloned());
        self
    }

    /// Checks that a plan stays within the limits, with the removals of the last 7 days.
    ///
    /// # Errors
    ///
    /// Fails with [`ErrorKind::GuardRejected`] if the plan removes more than the limits allow, has a hazard that is not allowed,
    /// or changes a protected object. The error lists the removals and hazards, and names the options that lead out.
    pub fn check(&self, plan: &Plan, history: &RemovalHistory, today: Date) -> Result<()> {
        let refuse = Self {
            excess: Excess::RefusePlan,
            ..self.clone()
        };
        refuse.decide(plan, &[], history, today).map(|_| ())
    }

    /// Returns the changes that the guard holds back. `found` are hazards that were found since the plan was made.
    pub(crate) fn decide(
        &self,
        plan: &Plan,
        found: &[Hazard],
        history: &RemovalHistory,
        today: Date,
    ) -> Result<Withheld> {
        let mut refusal = Refusal::default();
        let is_approved = plan
            .removals_id()
            .is_some_and(|id| self.approved.contains(&id));
        let mut excess = self.excess_removals(plan, history, today);
        let over: u64 = excess.iter().map(|excess| excess.over).sum();
        if is_approved || over <= self.max_removals as u64 {
            excess.clear();
        } else {
            refusal.removals(plan, &excess);
        }
        let protected = self.protected_changes(plan);
        let mut hazards: Vec<&Hazard> = Vec::new();
        for hazard in plan.hazards().chain(found).chain(&protected) {
            // Most hazards of the plan are found again.
            if !self.allows(hazard) && !hazards.contains(&hazard) {
                refusal.hazard(hazard);
                hazards.push(hazard);
            }
        }
        if refusal.reasons.is_empty() {
            return Ok(Withheld::default());
        }
        let refuses =
            self.excess == Excess::RefusePlan || hazards.iter().any(|hazard| hazard.refuses_plan());
        if refuses {
            return Err(refusal.into_error());
        }
        let is_over = |kind| excess.iter().any(|excess| excess.kind == kind);
        let holds = |change: &Change| {
            (change.action == Action::Remove && is_over(change.subject.kind()))
                || hazards.iter().any(|hazard| hazard.concerns(change))
        };
        let held = plan.changes().filter(|(_, change)| holds(change));
        Ok(Withheld(
            held.map(|(step, change)| (step.step.clone(), change.action, change.subject.clone()))
                .collect(),
        ))
    }

    /// Returns whether the guard protects more than what AWS Control Tower has.
    pub(crate) fn protects_more(&self) -> bool {
        let mut names = self.protected.iter();
        names.any(|name| !is_of_control_tower(name))
    }

    /// Returns whether a hazard is allowed by its id.
    pub(crate) fn allows(&self, hazard: &Hazard) -> bool {
        hazard.id().is_some_and(|id| self.allowed.contains(&id))
    }

    /// Returns the kinds whose removals exceed their limit.
    fn excess_removals(
        &self,
        plan: &Plan,
        history: &RemovalHistory,
        today: Date,
    ) -> Vec<Excessive> {
        let totals = plan.totals();
        plan.removal_counts()
            .into_iter()
            .filter_map(|(kind, removals)| {
                let total = totals.get(&kind).copied();
                let limit = self.limits.get(&kind);
                let window = history.in_window(kind, today);
                let allowed = limit.map_or(0, |limit| limit.allows(total, window));
                let over = removals.saturating_sub(allowed);
                (over > 0).then_some(Excessive {
                    kind,
                    removals,
                    total,
                    allowed,
                    over,
                    no_history: limit.is_some() && window.is_none(),
                })
            })
            .collect()
    }

    /// Returns a hazard for each protected name that a change of the plan writes to, or takes away from a user or group.
    fn protected_changes(&self, plan: &Plan) -> Vec<Hazard> {
        let (patterns, names): (Vec<String>, Vec<String>) = self
            .protected
            .iter()
            // AWS compares names of users and groups in any letter case.
            .map(|name| name.to_lowercase())
            .partition(|name| is_pattern(name));
        let names: BTreeSet<String> = names.into_iter().collect();
        let is_protected = |name: &str| names.contains(name) || matches_any(&patterns, name);
        let mut seen = BTreeSet::new();
        plan.changes()
            .filter(|(_, change)| change.action.writes())
            .flat_map(|(_, change)| {
                let subject = Some(change.subject.clone());
                subject.into_iter().chain(renamed_from(change))
            })
            .filter(|subject| {
                let name = protected_name(subject).map(|name| name.to_lowercase());
                name.is_some_and(|name| is_protected(&name) && seen.insert(name))
            })
            .map(|subject| Hazard::TouchesProtected { subject })
            .collect()
    }
}

/// Returns the user or group with the name that a change takes from it.
fn renamed_from(change: &Change) -> Option<Subject> {
    let before = |field: &str| {
        let mut fields = change.fields.iter();
        let field = fields.find(|known| known.name == field)?;
        match &field.before {
            Value::Known(before) => Some(before.as_str()),
            _ => None,
        }
    };
    match &change.subject {
        Subject::User { .. } => before("userName").map(Subject::user),
        Subject::Group { .. } => before("displayName").map(Subject::group),
        _ => None,
    }
}

/// The removals of one kind, which exceed their limit.
struct Excessive {
    kind: Kind,
    removals: u64,
    total: Option<u64>,
    allowed: u64,
    over: u64,
    /// Whether a limit of the window is used up because the history is too short.
    no_history: bool,
}

/// The reasons for which a plan is refused, and the options that lead out.
#[derive(Default)]
struct Refusal {
    reasons: Vec<String>,
    options: Vec<String>,
    other_caller: bool,
}

impl Refusal {
    fn removals(&mut self, plan: &Plan, excess: &[Excessive]) {
        for Excessive {
            kind,
            removals,
            total,
            allowed,
            no_history,
            ..
        } in excess
        {
            let of = total
                .map(|total| format!(" of {total}"))
                .unwrap_or_default();
            let short = if *no_history {
                " (the history of removals is shorter than 7 days)"
            } else {
                ""
            };
            let removed: Vec<String> = plan
                .removals()
                .filter(|(_, change)| change.subject.kind() == *kind)
                .map(|(_, change)| change.subject.to_string())
                .collect();
            self.reasons.push(format!(
                "the plan removes {}{of}, and the guard allows {allowed} in this run{short}: {}",
                kind.count(*removals),
                abbreviated(&removed, MAX_NAMES)
            ));
        }
        if let Some(id) = plan.removals_id() {
            self.options.push(format!("--approve {id}"));
        }
    }

    fn hazard(&mut self, hazard: &Hazard) {
        self.reasons.push(hazard.to_string());
        match hazard.id() {
            Some(id) => self.options.push(format!("--allow {}", quoted(&id))),
            None => self.other_caller = true,
        }
    }

    fn into_error(self) -> Error {
        let mut help =
            "correct the cause in Okta, the files or the blueprint, and plan again; nothing was changed"
                .to_owned();
        if self.other_caller {
            help.push_str("; run with the credentials of another administrator");
        }
        if !self.options.is_empty() {
            let options = self.options.join(" ");
            help = format!("{help}; if this is meant, review the plan and pass {options}");
        }
        Error::new(ErrorKind::GuardRejected, self.reasons.join("; ")).with_help(help)
    }
}

/// Returns an argument as a shell needs it.
fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:@/".contains(c);
    if argument.chars().all(is_plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', "'\\''"))
    }
}

impl Plan {
    /// Returns the number of removals by kind.
    pub(crate) fn removal_counts(&self) -> BTreeMap<Kind, u64> {
        let mut counts = BTreeMap::new();
        for (_, change) in self.removals() {
            *counts.entry(change.subject.kind()).or_default() += 1;
        }
        counts
    }
}

impl Kind {
    /// Returns a number with the name of the kind, such as `2 memberships`.
    fn count(self, number: u64) -> String {
        let name = self.to_string().replace('-', " ");
        let name = match name.as_str() {
            "policy" if number != 1 => return format!("{number} policies"),
            name => name.to_owned(),
        };
        count(usize::try_from(number).unwrap_or(usize::MAX), &name)
    }
}

/// Writes the name of the kind in kebab case, as in a plan.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A unit variant serializes as a string.
        self.serialize(f)
    }
}

impl std::str::FromStr for Kind {
    type Err = Error;

    /// Reads the name of a kind in kebab case, such as `membership`.
    fn from_str(name: &str) -> Result<Self> {
        use serde::de::{IntoDeserializer as _, value};
        Self::deserialize(name.into_deserializer()).map_err(|error: value::Error| {
            Error::new(
                ErrorKind::Pipeline,
                format!("not a kind of subject: {error}"),
            )
            .with_help("use a kind of the plan, such as membership, user or policy")
        })
    }
}

/// The number of removals of a kind that a refusal names.
const MAX_NAMES: usize = 100;

/// The number of days of the window.
const WINDOW_DAYS: i64 = 7;

#[cfg(test)]
mod tests;
