//! Filling Identity Center with the access that exists when the sandbox starts.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::center::{Assignment, Boundary, Center, MAX_POLICIES, PolicyReference, Principal};
use super::cloud::Cloud;
use super::directory::{Directory, Draft};
use super::identity_source::not_enabled;
use super::managed_policies;
use super::rules::{
    DESCRIPTION, INLINE_POLICY, PERMISSION_SET_NAME, PRINCIPAL_ID, RELAY_STATE, SESSION_DURATION,
};
use crate::company::{
    BoundarySeed, Estate, PermissionSetSeed, Person, PersonStatus, PrincipalText, RowKind,
};
use crate::user_attributes::OPTIONAL;

impl Cloud {
    /// Adds the users, groups, permission sets and assignments of an estate to Identity Center.
    ///
    /// # Errors
    ///
    /// Returns a message if Identity Center is not enabled, if a name is unknown or used twice, or if AWS would refuse a
    /// value.
    pub(crate) fn seed_estate(&mut self, estate: &Estate, now: Timestamp) -> Result<(), String> {
        let Self {
            organization,
            center,
            ..
        } = self;
        let center = center.as_mut().ok_or_else(not_enabled)?;
        if center.is_account_instance() && !(estate.sets.is_empty() && estate.rows.is_empty()) {
            return Err("an account instance has no permission sets".to_owned());
        }
        for person in &estate.users {
            center.directory.add_person(person, now)?;
        }
        for group in &estate.groups {
            let members = group.members.iter().map(String::as_str);
            center.directory.add_group(&group.name, members, now)?;
        }
        for set in &estate.sets {
            center.seed_set(set, now)?;
        }
        let accounts = resolve(&estate.accounts.values, |id| {
            let known = organization.account_ix(id);
            known.ok_or_else(|| format!("the organization has no account {id}"))
        })?;
        let sets = resolve(&estate.set_names.values, |name| {
            let known = center.sets.ix_by_name(name);
            known.ok_or_else(|| format!("Identity Center has no permission set {name}"))
        })?;
        let principals = resolve(&estate.principals.values, |principal| {
            let principal = center.seeded_principal(principal)?;
            Ok(center.access.intern(&principal))
        })?;
        let mut assignments = Vec::new();
        let mut only_provisioned = Vec::new();
        for row in &estate.rows {
            let (account, set) = (accounts[row.account as usize], sets[row.set as usize]);
            let version = center.sets.at(set).version;
            match row.kind {
                RowKind::Assigned(principal) => assignments.push(Assignment {
                    account,
                    set,
                    principal: principals[principal as usize],
                }),
                RowKind::Provisioned => only_provisioned.push((set, account, version)),
                RowKind::Outdated => only_provisioned.push((set, account, version - 1)),
            }
        }
        let Center { access, sets, .. } = center;
        access.fill(&assignments, |set| sets.at(set).version);
        for (set, account, version) in only_provisioned {
            access.provision(set, account, version);
        }
        Ok(())
    }
}

impl Directory {
    /// Adds a user as an administrator of AWS does, without an external id, and returns the user's id.
    pub(crate) fn add_person(&mut self, person: &Person, now: Timestamp) -> Result<String, String> {
        let created = self.create_user(draft(person), now);
        let created = created.map_err(|_taken| {
            let login = &person.login;
            format!("two users have the login or the address of {login}")
        })?;
        Ok(created.id.clone())
    }

    /// Adds a group as an administrator of AWS does, without an external id, and returns the group's id.
    pub(crate) fn add_group<'m>(
        &mut self,
        name: &str,
        members: impl IntoIterator<Item = &'m str>,
        now: Timestamp,
    ) -> Result<String, String> {
        let created = self.create_group(name, None, None, now);
        let created = created.map_err(|_taken| format!("two groups have the name {name}"))?;
        let id = created.id.clone();
        for member in members {
            let user = self.user_by("userName", member);
            let user = user
                .map(|user| user.id.clone())
                .ok_or_else(|| format!("the member {member} of the group {name} does not exist"))?;
            self.join(&id, &user, now);
        }
        Ok(id)
    }
}

/// Returns the index of each value.
fn resolve<T, U>(
    values: &[T],
    resolve: impl FnMut(&T) -> Result<U, String>,
) -> Result<Vec<U>, String> {
    values.iter().map(resolve).collect()
}

impl Center {
    fn seed_set(&mut self, seed: &PermissionSetSeed, now: Timestamp) -> Result<(), String> {
        let name = &seed.name;
        let texts = [
            (&PERMISSION_SET_NAME, Some(name)),
            (&DESCRIPTION, seed.description.as_ref()),
            (&SESSION_DURATION, Some(&seed.session_duration)),
            (&RELAY_STATE, seed.relay_state.as_ref()),
            (&INLINE_POLICY, seed.inline_policy.as_ref()),
        ];
        let refused = texts
            .into_iter()
            .find_map(|(rule, text)| text.filter(|text| !rule.accepts(text)));
        if let Some(text) = refused {
            return Err(format!("AWS refuses {text:?} in the permission set {name}"));
        }
        if seed.managed_policies.len() + seed.customer_managed_policies.len() > MAX_POLICIES {
            return Err(format!(
                "the permission set {name} has more than {MAX_POLICIES} policies"
            ));
        }
        if self.sets.ix_by_name(name).is_some() {
            return Err(format!("two permission sets have the name {name}"));
        }
        let partition = self.partition().name();
        let managed = |policy: &String| {
            let arn = format!("arn:{partition}:iam::aws:policy/{policy}");
            if managed_policies::exists(&arn, partition) {
                Ok(arn)
            } else {
                Err(format!("AWS has no managed policy {policy}"))
            }
        };
        let policies: Result<Vec<String>, String> =
            seed.managed_policies.iter().map(managed).collect();
        let boundary = match &seed.permissions_boundary {
            None => None,
            Some(BoundarySeed::Managed(policy)) => Some(Boundary::Managed(managed(policy)?)),
            Some(BoundarySeed::Customer(policy)) => Some(Boundary::Customer(reference(policy))),
        };
        let customer = seed.customer_managed_policies.iter();
        let set = self.add_permission_set(name, now);
        let set = self.sets.at_mut(set);
        set.description.clone_from(&seed.description);
        set.session_duration.clone_from(&seed.session_duration);
        set.relay_state.clone_from(&seed.relay_state);
        set.managed = policies?;
        set.customer = customer.map(|policy| reference(policy)).collect();
        set.inline.clone_from(&seed.inline_policy);
        set.boundary = boundary;
        set.tags = seed.tags.iter().cloned().collect();
        set.record_provisioning();
        // A role with the earlier version is outdated.
        set.version += 1;
        set.record_provisioning();
        Ok(())
    }

    fn seeded_principal(&self, text: &PrincipalText) -> Result<Principal, String> {
        let directory = &self.directory;
        match text {
            PrincipalText::Id(kind, id) if PRINCIPAL_ID.accepts(id) => Ok(Principal {
                kind,
                id: id.as_str().into(),
            }),
            PrincipalText::Id(_, id) => Err(format!("{id} is not the id of a user or group")),
            PrincipalText::Name(kind, name) => {
                let id = match *kind {
                    "USER" => directory.user_by("userName", name).map(|user| &user.id),
                    _ => directory
                        .group_by("displayName", name)
                        .map(|group| &group.id),
                };
                let id = id.ok_or_else(|| format!("the identity store has no {kind} {name}"))?;
                Ok(Principal {
                    kind,
                    id: id.as_str().into(),
                })
            }
        }
    }
}

fn draft(person: &Person) -> Draft {
    let mut attributes = json!({
        "userName": person.login,
        "name": { "givenName": person.first_name, "familyName": person.last_name },
        "emails": [{ "value": person.email, "type": "work", "primary": true }],
    });
    if let Some(name) = &person.display_name {
        attributes["displayName"] = name.as_str().into();
    }
    for attribute in &OPTIONAL {
        if let Some(text) = person.attribute(attribute.okta) {
            attribute.set(&mut attributes, text);
        }
    }
    let Value::Object(attributes) = attributes else {
        unreachable!("the attributes are an object");
    };
    Draft {
        attributes,
        external_id: None,
        active: !matches!(
            person.status,
            PersonStatus::Suspended | PersonStatus::Deprovisioned
        ),
    }
}

/// Returns the reference to the customer managed policy with a path and a name, such as `/ops/BreakGlass`.
fn reference(policy: &str) -> PolicyReference {
    let (path, name) = policy.rsplit_once('/').unwrap_or(("", policy));
    PolicyReference {
        name: name.to_owned(),
        path: format!("{path}/"),
    }
}

#[cfg(test)]
mod tests;
