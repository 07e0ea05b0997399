//! Matches the parts of two documents, and collects the changes.

use std::collections::BTreeMap;

use super::{
    Change, ChangeKind, Impact,
    endpoint::ComparedEndpoint,
    impact::{
        Impacts, NONE, attribute, endpoint_added, endpoint_changed, endpoint_removed, key_added,
        key_removed,
    },
    meaning::{classify, differences, meaning, summary},
};
use crate::{
    Document, Element, EntityDescriptor, KeyDescriptor, KeyUse, Role, RoleDescriptor,
    reader::chars::collapse, rollover::fingerprint_sha256, tree::NamespaceId,
};

pub(super) fn documents(old: &Document, new: &Document) -> Vec<Change> {
    let mut changes = Vec::new();
    if let (Some(before), Some(after)) = (old.group(), new.group()) {
        let mut comparison = Comparison::new(&mut changes, before.name().unwrap_or_default());
        comparison.attributes(before.element(), after.element());
        comparison.rest(before.element(), after.element());
    }
    if let (Ok(before), Ok(after)) = (old.entity(), new.entity()) {
        Comparison::new(&mut changes, before.entity_id()).entity(before, after);
        return changes;
    }
    let mut known: BTreeMap<&str, Vec<EntityDescriptor<'_>>> = BTreeMap::new();
    for entity in new.entities() {
        known.entry(entity.entity_id()).or_default().push(entity);
    }
    for list in known.values_mut() {
        list.reverse();
    }
    for before in old.entities() {
        let id = before.entity_id();
        let after = known.get_mut(id).and_then(Vec::pop);
        let mut comparison = Comparison::new(&mut changes, id);
        if let Some(after) = after {
            comparison.entity(before, after);
        } else {
            let removed = Impact::Breaks("the partner no longer knows the entity");
            let values = (Some(id), None);
            comparison.add(
                ChangeKind::EntityRemoved,
                id,
                values,
                (Impact::None, removed),
            );
        }
    }
    for after in new.entities() {
        let id = after.entity_id();
        if known.get_mut(id).and_then(Vec::pop).is_some() {
            const UNKNOWN: &str = "the partner does not know the entity yet";
            let impacts = (Impact::Breaks(UNKNOWN), Impact::None);
            Comparison::new(&mut changes, id).add(
                ChangeKind::EntityAdded,
                id,
                (None, Some(id)),
                impacts,
            );
        }
    }
    changes
}

fn roles(entity: Element<'_>) -> Vec<RoleDescriptor<'_>> {
    let roles = entity.children().filter_map(Role::of);
    roles.map(Role::descriptor).collect()
}

struct Comparison<'c> {
    changes: &'c mut Vec<Change>,
    entity: String,
    role: Option<String>,
}

impl<'c> Comparison<'c> {
    fn new(changes: &'c mut Vec<Change>, entity: &str) -> Self {
        Self {
            changes,
            entity: entity.to_owned(),
            role: None,
        }
    }

    fn add(
        &mut self,
        kind: ChangeKind,
        subject: &str,
        (before, after): (Option<&str>, Option<&str>),
        (partner_lags, partner_leads): Impacts,
    ) {
        self.changes.push(Change {
            entity: self.entity.clone(),
            role: self.role.clone(),
            kind,
            subject: subject.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            partner_lags,
            partner_leads,
        });
    }

    fn entity(&mut self, old: EntityDescriptor<'_>, new: EntityDescriptor<'_>) {
        let (before, after) = (old.entity_id(), new.entity_id());
        if before != after {
            const UNKNOWN: Impact =
                Impact::Breaks("messages contain an issuer that the partner does not know");
            let values = (Some(before), Some(after));
            self.add(ChangeKind::EntityId, "entityID", values, (UNKNOWN, UNKNOWN));
        }
        let (old, new) = (old.element(), new.element());
        self.attributes(old, new);
        self.roles(old, new);
        self.rest(old, new);
    }

    fn roles(&mut self, old: Element<'_>, new: Element<'_>) {
        let (before, after) = (roles(old), roles(new));
        let kind = |role: &RoleDescriptor<'_>| {
            (
                role.element().local_name().to_owned(),
                role.extension_type()
                    .map(|t| (t.0.to_owned(), t.1.to_owned())),
            )
        };
        let mut free: Vec<bool> = vec![true; after.len()];
        for role in &before {
            let same = |at: &usize| free[*at] && kind(&after[*at]) == kind(role);
            let of_kind: Vec<usize> = (0..after.len()).filter(same).collect();
            // If several roles have the same type, a shared protocol selects one.
            let found = of_kind
                .iter()
                .find(|at| {
                    after[**at]
                        .protocols()
                        .any(|p| role.protocols().any(|q| p == q))
                })
                .or(of_kind.first())
                .copied();
            let name = role.element().local_name();
            if let Some(at) = found {
                free[at] = false;
                self.role = Some(name.to_owned());
                self.role(*role, after[at]);
                self.role = None;
            } else {
                let impacts = if is_sign_in(name) {
                    const MISSING: Impact = Impact::Breaks("one side does not have the role");
                    (MISSING, MISSING)
                } else {
                    NONE
                };
                self.add(ChangeKind::RoleRemoved, name, (Some(name), None), impacts);
            }
        }
        for (role, _) in after.iter().zip(free).filter(|(_, free)| *free) {
            let name = role.element().local_name();
            self.add(ChangeKind::RoleAdded, name, (None, Some(name)), NONE);
        }
    }

    fn role(&mut self, old: RoleDescriptor<'_>, new: RoleDescriptor<'_>) {
        self.attributes(old.element(), new.element());
        self.keys(old, new);
        self.endpoints(old.element(), new.element());
        self.formats(old.element(), new.element());
        self.rest(old.element(), new.element());
    }

    fn attributes(&mut self, old: Element<'_>, new: Element<'_>) {
        let values = |element: Element<'_>| -> BTreeMap<(String, String), String> {
            let attributes = element.attributes();
            attributes
                .map(|a| {
                    (
                        (a.namespace().to_owned(), a.local_name().to_owned()),
                        collapse(a.value()).to_owned(),
                    )
                })
                .collect()
        };
        let (before, after) = (values(old), values(new));
        let mut names: Vec<&(String, String)> = before.keys().chain(after.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let (old_value, new_value) = (before.get(name), after.get(name));
            if old_value == new_value || name.1 == "entityID" {
                continue;
            }
            let values = (old_value.map(String::as_str), new_value.map(String::as_str));
            let (kind, impacts) = attribute(&name.1, values.0, values.1);
            self.add(kind, &name.1, values, impacts);
        }
    }

    fn keys(&mut self, old: RoleDescriptor<'_>, new: RoleDescriptor<'_>) {
        let before = self.changes.len();
        self.keys_of_uses(old, new);
        if self.changes.len() > before {
            return;
        }
        // The keys are the same, but other content of their KeyDescriptors may differ.
        let list = |role: RoleDescriptor<'_>| -> Vec<String> {
            let keys = role.key_descriptors();
            keys.map(|key| meaning(key.element())).collect()
        };
        let (removed, added) = differences(&list(old), &list(new));
        if !removed.is_empty() || !added.is_empty() {
            self.add(ChangeKind::Other, "KeyDescriptor", (None, None), NONE);
        }
    }

    fn keys_of_uses(&mut self, old: RoleDescriptor<'_>, new: RoleDescriptor<'_>) {
        for (wanted, name) in [
            (KeyUse::Signing, "signing"),
            (KeyUse::Encryption, "encryption"),
        ] {
            let keys = |role: RoleDescriptor<'_>| -> Vec<String> {
                let keys = role.key_descriptors().filter(|key| key.allows_use(wanted));
                let mut keys: Vec<String> = keys.flat_map(key_names).collect();
                keys.sort();
                keys.dedup();
                keys
            };
            let (before, after) = (keys(old), keys(new));
            let keeps_one = before.iter().any(|key| after.contains(key));
            for key in after.iter().filter(|key| !before.contains(key)) {
                let impacts = key_added(wanted, before.is_empty(), keeps_one);
                self.add(ChangeKind::KeyAdded, name, (None, Some(key)), impacts);
            }
            for key in before.iter().filter(|key| !after.contains(key)) {
                let impacts = key_removed(wanted, keeps_one);
                self.add(ChangeKind::KeyRemoved, name, (Some(key), None), impacts);
            }
        }
    }

    fn endpoints(&mut self, old: Element<'_>, new: Element<'_>) {
        let list = |role: Element<'_>| -> Vec<ComparedEndpoint> {
            role.children().filter_map(ComparedEndpoint::of).collect()
        };
        let (mut before, mut after) = (list(old), list(new));
        // Ignores endpoints that are the same on both sides.
        before.retain(
            |endpoint| match after.iter().position(|other| other == endpoint) {
                Some(at) => {
                    after.remove(at);
                    false
                }
                None => true,
            },
        );
        for endpoint in before {
            let same = |other: &ComparedEndpoint| {
                other.name == endpoint.name && other.binding == endpoint.binding
            };
            let found = after
                .iter()
                .position(|other| same(other) && other.location == endpoint.location)
                .or_else(|| {
                    after
                        .iter()
                        .position(|other| same(other) && other.index == endpoint.index)
                })
                .or_else(|| after.iter().position(same));
            if let Some(at) = found {
                let other = after.remove(at);
                if endpoint.location == other.location && endpoint.details() == other.details() {
                    self.add(ChangeKind::Other, &endpoint.name, (None, None), NONE);
                    continue;
                }
                let impacts = endpoint_changed(&endpoint, &other);
                let (old_value, new_value) = if endpoint.location == other.location {
                    (endpoint.details(), other.details())
                } else {
                    (endpoint.location, other.location)
                };
                let values = (Some(old_value.as_str()), Some(new_value.as_str()));
                self.add(ChangeKind::EndpointChanged, &endpoint.name, values, impacts);
            } else {
                let values = (Some(endpoint.location.as_str()), None);
                self.add(
                    ChangeKind::EndpointRemoved,
                    &endpoint.name,
                    values,
                    endpoint_removed(&endpoint),
                );
            }
        }
        for endpoint in after {
            let values = (None, Some(endpoint.location.as_str()));
            self.add(
                ChangeKind::EndpointAdded,
                &endpoint.name,
                values,
                endpoint_added(&endpoint),
            );
        }
    }

    fn formats(&mut self, old: Element<'_>, new: Element<'_>) {
        let list = |role: Element<'_>| -> Vec<String> {
            role.children_in(NamespaceId::METADATA, "NameIDFormat")
                .map(|format| collapse(format.text()).to_owned())
                .collect()
        };
        let (removed, added) = differences(&list(old), &list(new));
        for format in removed {
            const MAY: Impact =
                Impact::May("one side may use a format that the other does not accept");
            let values = (Some(format.as_str()), None);
            self.add(
                ChangeKind::NameIdFormatRemoved,
                "NameIDFormat",
                values,
                (MAY, MAY),
            );
        }
        for format in added {
            let impacts = (
                Impact::None,
                Impact::May("the partner may request a format that is not supported yet"),
            );
            let values = (None, Some(format.as_str()));
            self.add(
                ChangeKind::NameIdFormatAdded,
                "NameIDFormat",
                values,
                impacts,
            );
        }
    }

    /// Compares the children that no other function compares.
    fn rest(&mut self, old: Element<'_>, new: Element<'_>) {
        let list = |element: Element<'_>| -> Vec<String> {
            element
                .children()
                .filter(|child| !is_compared(*child))
                .map(meaning)
                .collect()
        };
        let (removed, mut added) = differences(&list(old), &list(new));
        for meaning in removed {
            let (name, kind) = classify(&meaning);
            let before = summary(&meaning);
            // A new child with the same name counts as the new value of the removed one.
            let same = added.iter().position(|other| classify(other).0 == name);
            let after = same.map(|at| summary(&added.remove(at)));
            self.add(kind, name, (Some(&before), after.as_deref()), NONE);
        }
        for meaning in added {
            let (name, kind) = classify(&meaning);
            self.add(kind, name, (None, Some(&summary(&meaning))), NONE);
        }
    }
}

/// Returns the fingerprint of each certificate of a key, or of other content if there is none.
fn key_names(key: KeyDescriptor<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (element, certificate) in key.certificate_elements().zip(key.certificates()) {
        names.push(match certificate {
            Ok(certificate) => certificate.fingerprint_sha256(),
            Err(_) => fingerprint_sha256(collapse(element.text()).as_bytes()),
        });
    }
    if names.is_empty() {
        let info = key.key_info().map(meaning).unwrap_or_default();
        names.push(fingerprint_sha256(info.as_bytes()));
    }
    names
}

fn is_sign_in(role: &str) -> bool {
    matches!(role, "IDPSSODescriptor" | "SPSSODescriptor")
}

/// Returns whether a separate function compares this child.
fn is_compared(child: Element<'_>) -> bool {
    child.namespace_id() == NamespaceId::METADATA
        && (Role::of(child).is_some()
            || ComparedEndpoint::of(child).is_some()
            || matches!(
                child.local_name(),
                "KeyDescriptor" | "NameIDFormat" | "EntityDescriptor" | "EntitiesDescriptor"
            ))
}
