//! Checks the records of a source, without I/O: a contradiction concerns only the records that contradict each other.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use scim_types::ExternalId;

use super::{
    directory::{Directory, Group, User},
    profile::name_key,
};
use crate::{
    error::{Error, ErrorKind, Result},
    plan::count,
    text::abbreviated,
};

/// A directory without contradictions: ids are unique, and members are users.
///
/// Records that were left out are named in [`Directory::remarks`]. The sync does not remove the resources that they may describe.
#[derive(Clone, Debug, Default)]
pub(super) struct Usable {
    pub(super) directory: Directory,
    /// The ids of users whose accounts are not removed.
    pub(super) protected_users: BTreeSet<ExternalId>,
    /// The [name keys](name_key) of users whose accounts are not removed.
    pub(super) protected_names: BTreeSet<String>,
    /// The ids of groups that are not removed.
    pub(super) protected_groups: BTreeSet<ExternalId>,
    /// The names, in lower case, of groups that are not removed.
    pub(super) protected_group_names: BTreeSet<String>,
    /// The ids of groups that lose no member, because not all their members are known.
    pub(super) open_groups: BTreeSet<ExternalId>,
    /// The groups that are left out, with the reason.
    pub(super) left_out_groups: BTreeMap<ExternalId, String>,
}

/// Returns the usable records of a directory.
///
/// # Errors
///
/// Fails if the directory has users, and no record of a user is usable.
pub(super) fn usable(source: &Directory) -> Result<Usable> {
    let mut usable = Usable {
        directory: Directory {
            users: Vec::new(),
            groups: Vec::new(),
            remarks: source.remarks.clone(),
            incomplete: source.incomplete.clone(),
        },
        ..Usable::default()
    };
    usable.add_users(&source.users);
    if usable.directory.users.is_empty() && !source.users.is_empty() {
        let problems = abbreviated(&usable.directory.remarks, MAX_NAMED);
        return Err(Error::new(
            ErrorKind::UnusableSubject,
            format!("no user of the source is usable: {problems}"),
        )
        .with_help("give every user of the source an id that never changes; nothing was written"));
    }
    usable.add_groups(&source.groups);
    Ok(usable)
}

impl Usable {
    fn remark(&mut self, remark: String) {
        self.directory.remarks.push(remark);
    }

    fn add_users(&mut self, users: &[User]) {
        let mut by_id: HashMap<&ExternalId, Vec<&User>> = HashMap::new();
        let mut active_names: HashMap<String, &ExternalId> = HashMap::new();
        for user in users {
            by_id.entry(&user.id).or_default().push(user);
            let name = user.profile.user_name.to_lowercase();
            if user.profile.active && !name.is_empty() && !user.id.as_str().is_empty() {
                active_names.entry(name).or_insert(&user.id);
            }
        }
        let mut done = HashSet::new();
        for user in users {
            let name = &user.profile.user_name;
            if user.id.as_str().is_empty() {
                self.protected_names.insert(name_key(name));
                self.remark(format!(
                    "user {name} is left out: the record has no id in the source; give every user an id that never changes"
                ));
                continue;
            }
            if !done.insert(&user.id) {
                continue;
            }
            let user = self.one_record(&by_id[&user.id]);
            let namesake = active_names.get(&user.profile.user_name.to_lowercase());
            if let Some(namesake) = namesake.filter(|_| !user.profile.active)
                && **namesake != user.id
            {
                self.remark(format!(
                    "user {name}: the inactive record {} is left out, because the active record {namesake} has the same user name; remove one of them from the source",
                    user.id
                ));
                self.protected_users.insert(user.id);
                continue;
            }
            self.directory.users.push(user);
        }
    }

    /// Returns the record that counts among the records with one id.
    fn one_record(&mut self, records: &[&User]) -> User {
        let first = records[0];
        if records.iter().all(|record| *record == first) {
            return first.clone();
        }
        let (name, id) = (&first.profile.user_name, &first.id);
        let number = records.len();
        let mut active = records.iter().filter(|record| record.profile.active);
        match (active.next(), active.next()) {
            // The records agree that the user is inactive.
            (None, _) => first.clone(),
            (Some(active), None) => {
                self.remark(format!(
                    "user {}: {number} records of the source have the id {id}; the active one counts; remove the others from the source",
                    active.profile.user_name
                ));
                (*active).clone()
            }
            (Some(_), Some(_)) => {
                let mut user = first.clone();
                // The user must not look inactive: that would deactivate the account.
                user.profile.active = true;
                user.problems = vec![format!(
                    "{number} active records of the source have the id {id} of {name} and differ; remove all but one"
                )];
                user
            }
        }
    }

    fn add_groups(&mut self, groups: &[Group]) {
        let mut by_id: BTreeMap<&ExternalId, Vec<&Group>> = BTreeMap::new();
        for group in groups {
            by_id.entry(&group.id).or_default().push(group);
        }
        let mut used: Vec<&Group> = Vec::new();
        for group in groups {
            let name = &group.name;
            let records = by_id.get(&group.id).map_or(&[][..], Vec::as_slice);
            if group.id.as_str().is_empty() {
                self.protected_group_names.insert(name.to_lowercase());
                self.remark(format!(
                    "group {name} is left out: the record has no id in the source; give every group an id that never changes"
                ));
            } else if records.iter().any(|record| *record != group) {
                if by_id.remove(&group.id).is_some() {
                    self.protected_groups.insert(group.id.clone());
                    self.remark(format!(
                        "group {name} is left out: several records of the source have the id {} and differ; remove all but one",
                        group.id
                    ));
                }
            } else if by_id.remove(&group.id).is_some()
                && !self.protected_groups.contains(&group.id)
            {
                used.push(group);
            }
        }
        self.flatten(&used);
    }

    /// Adds the groups with the members of their nested groups.
    fn flatten(&mut self, groups: &[&Group]) {
        let users: HashSet<ExternalId> = self
            .directory
            .users
            .iter()
            .map(|user| user.id.clone())
            .collect();
        let by_id: HashMap<&ExternalId, &Group> =
            groups.iter().map(|group| (&group.id, *group)).collect();
        let nested = |group: &Group| -> Vec<ExternalId> {
            let members = group.members.iter();
            members
                .filter(|id| !users.contains(*id) && by_id.contains_key(id))
                .cloned()
                .collect()
        };
        let mut cycles = BTreeSet::new();
        for group in groups {
            let mut members = BTreeSet::new();
            let mut seen: HashSet<ExternalId> = [group.id.clone()].into();
            // The groups to read, each with the path to it.
            let mut paths: Vec<Vec<ExternalId>> = vec![vec![group.id.clone()]];
            let mut is_open = false;
            while let Some(path) = paths.pop() {
                let Some(current) = path.last().and_then(|id| by_id.get(id)) else {
                    continue;
                };
                let direct = current.members.iter();
                members.extend(direct.filter(|id| users.contains(*id)).cloned());
                is_open |= current
                    .members
                    .iter()
                    .any(|id| !users.contains(id) && self.protected_groups.contains(id));
                for inner in nested(current) {
                    if inner == group.id {
                        cycles.insert(canonical(&path));
                    }
                    if seen.insert(inner.clone()) {
                        let mut path = path.clone();
                        path.push(inner);
                        paths.push(path);
                    }
                }
            }
            let unknown: Vec<String> = group
                .members
                .iter()
                .filter(|id| !users.contains(*id) && !by_id.contains_key(id))
                .filter(|id| !self.protected_users.contains(*id))
                .map(|id| format!("`{id}`"))
                .collect();
            if !unknown.is_empty() {
                self.remark(format!(
                    "group {}: {} not in the source: {}",
                    group.name,
                    match unknown.len() {
                        1 => "1 member is".to_owned(),
                        number => format!("{} are", count(number, "member")),
                    },
                    abbreviated(&unknown, MAX_NAMED)
                ));
            }
            if is_open {
                self.open_groups.insert(group.id.clone());
            }
            self.directory.groups.push(Group {
                id: group.id.clone(),
                name: group.name.clone(),
                members,
            });
        }
        for cycle in cycles {
            let names = cycle.iter().chain(cycle.first());
            let names: Vec<&str> = names
                .filter_map(|id| Some(by_id.get(id)?.name.as_str()))
                .collect();
            self.remark(format!(
                "groups of the source contain each other: {}; each group counts once",
                names.join(" > ")
            ));
        }
    }
}

/// Returns the cycle with its lowest id first, so that it is the same from every group in it.
fn canonical(path: &[ExternalId]) -> Vec<ExternalId> {
    let lowest = path.iter().enumerate().min_by_key(|(_, id)| *id);
    let mut cycle = path.to_vec();
    cycle.rotate_left(lowest.map_or(0, |(index, _)| index));
    cycle
}

/// Maximum number of names or ids in one remark.
const MAX_NAMED: usize = 20;

#[cfg(test)]
mod tests;
