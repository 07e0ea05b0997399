//! Matches the parts of two documents, and collects the changes.

use std::collections::BTreeMap;

use super::{
    Change, ChangeKind, Impact,
    endpoint::ComparedEndpoint,
    impact::{
        Impacts, NONE, UNREADABLE, attribute, certificate_changed, endpoint_added,
        endpoint_changed, endpoint_removed, key_added, key_removed,
    },
    meaning::{classify, differences, meaning, summary},
};
use crate::{
    Document, Element, EntityDescriptor, KeyDescriptor, KeyUse, Role, RoleDescriptor,
    matching::{self, Keys},
    reader::chars::collapse,
    tree::NamespaceId,
};

pub(super) fn documents(old: &Document, new: &Document) -> Vec<Change> {
    let mut changes = Vec::new();
    if let (Some(before), Some(after)) = (old.group(), new.group()) {
        let mut collector = Collector::new(&mut changes, before.name().unwrap_or_default());
        collector.attributes(before.element(), after.element());
        collector.rest(before.element(), after.element());
    }
    for pair in matching::entities(old, new) {
        let id = pair.0.or(pair.1).map_or("", EntityDescriptor::entity_id);
        let mut collector = Collector::new(&mut changes, id);
        match pair {
            (Some(before), Some(after)) => collector.entity(before, after),
            (Some(_), None) => {
                let removed = Impact::Breaks("the partner no longer knows the entity");
                let values = (Some(id), None);
                let impacts = (Impact::None, removed);
                collector.add(ChangeKind::EntityRemoved, id, values, impacts);
            }
            _ => {
                const UNKNOWN: &str = "the partner does not know the entity yet";
                let impacts = (Impact::Breaks(UNKNOWN), Impact::None);
                collector.add(ChangeKind::EntityAdded, id, (None, Some(id)), impacts);
            }
        }
    }
    changes
}

struct Collector<'c> {
    changes: &'c mut Vec<Change>,
    entity: String,
    role: Option<String>,
}

impl<'c> Collector<'c> {
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
    ) -> &mut Change {
        self.changes.push(Change {
            entity: self.entity.clone(),
            role: self.role.clone(),
            kind,
            subject: subject.to_owned(),
            binding: None,
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            partner_lags,
            partner_leads,
        });
        self.changes.last_mut().expect("a change was just added")
    }

    fn endpoint(
        &mut self,
        kind: ChangeKind,
        endpoint: &ComparedEndpoint,
        values: (Option<&str>, Option<&str>),
        impacts: Impacts,
    ) {
        let change = self.add(kind, &endpoint.name, values, impacts);
        change.binding = Some(endpoint.binding.clone()).filter(|binding| !binding.is_empty());
    }

    fn entity(&mut self, old: EntityDescriptor<'_>, new: EntityDescriptor<'_>) {
        let (before, after) = (old.entity_id(), new.entity_id());
        if before != after {
            const UNKNOWN: Impact =
                Impact::Breaks("messages contain an issuer that the partner does not know");
            let values = (Some(before), Some(after));
            self.add(ChangeKind::EntityId, "entityID", values, (UNKNOWN, UNKNOWN));
        }
        self.attributes(old.element(), new.element());
        self.roles(old, new);
        self.rest(old.element(), new.element());
    }

    fn roles(&mut self, old: EntityDescriptor<'_>, new: EntityDescriptor<'_>) {
        for pair in matching::roles(old, new) {
            let name = |role: RoleDescriptor<'_>| role.element().local_name().to_owned();
            match pair {
                (Some(before), Some(after)) => {
                    self.role = Some(name(before));
                    self.role(before, after);
                    self.role = None;
                }
                (Some(before), None) => {
                    let name = name(before);
                    let impacts = if is_sign_in(&name) {
                        const MISSING: Impact = Impact::Breaks("one side does not have the role");
                        (MISSING, MISSING)
                    } else {
                        NONE
                    };
                    self.add(ChangeKind::RoleRemoved, &name, (Some(&name), None), impacts);
                }
                (None, Some(after)) => {
                    let name = name(after);
                    self.add(ChangeKind::RoleAdded, &name, (None, Some(&name)), NONE);
                }
                (None, None) => {}
            }
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
        // If the keys are the same, other content of their KeyDescriptors may differ. A KeyDescriptor
        // without a key, such as one with only a name, is compared in any case.
        let is_same = self.changes.len() == before;
        let has_key = |key: &KeyDescriptor<'_>| {
            key.certificate_elements().next().is_some() || key.has_bare_key()
        };
        let list = |role: RoleDescriptor<'_>| -> Vec<String> {
            let keys = role
                .key_descriptors()
                .filter(|key| is_same || !has_key(key));
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
            let (before, after) = (Keys::of(old, wanted), Keys::of(new, wanted));
            let shared = after.shared_with(&before);
            for key in after.missing_in(&before) {
                let impacts = key_added(wanted, before.list.is_empty(), !shared.is_empty());
                self.add(
                    ChangeKind::KeyAdded,
                    name,
                    (None, Some(key.name())),
                    impacts,
                );
            }
            for key in before.missing_in(&after) {
                let impacts = key_removed(wanted, !shared.is_empty());
                self.add(
                    ChangeKind::KeyRemoved,
                    name,
                    (Some(key.name()), None),
                    impacts,
                );
            }
            for (key, old_key) in shared
                .iter()
                .filter_map(|key| Some((*key, before.find(key)?)))
            {
                let list = |fingerprints: Vec<String>| {
                    (!fingerprints.is_empty()).then(|| fingerprints.join(", "))
                };
                let removed = list(old_key.certificates_missing_in(key));
                let added = list(key.certificates_missing_in(old_key));
                if removed.is_some() || added.is_some() {
                    let values = (removed.as_deref(), added.as_deref());
                    let impacts = certificate_changed(wanted);
                    self.add(ChangeKind::Certificate, name, values, impacts);
                }
            }
            for unreadable in after.unreadable_missing_in(&before) {
                let values = (None, Some(unreadable.reason.as_str()));
                let impacts = (Impact::None, UNREADABLE);
                self.add(ChangeKind::UnreadableKey, name, values, impacts);
            }
            for unreadable in before.unreadable_missing_in(&after) {
                let values = (Some(unreadable.reason.as_str()), None);
                self.add(ChangeKind::UnreadableKey, name, values, NONE);
            }
        }
    }

    fn endpoints(&mut self, old: Element<'_>, new: Element<'_>) {
        let list = |role: Element<'_>| -> Vec<ComparedEndpoint> {
            role.children().filter_map(ComparedEndpoint::of).collect()
        };
        let (before, mut after) = differences(&list(old), &list(new));
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
                    self.endpoint(ChangeKind::Other, &endpoint, (None, None), NONE);
                    continue;
                }
                let impacts = endpoint_changed(&endpoint, &other);
                let (old_value, new_value) = if endpoint.location == other.location {
                    (endpoint.details(), other.details())
                } else {
                    (endpoint.location.clone(), other.location)
                };
                let values = (Some(old_value.as_str()), Some(new_value.as_str()));
                self.endpoint(ChangeKind::EndpointChanged, &endpoint, values, impacts);
            } else {
                let values = (Some(endpoint.location.as_str()), None);
                let impacts = endpoint_removed(&endpoint);
                self.endpoint(ChangeKind::EndpointRemoved, &endpoint, values, impacts);
            }
        }
        for endpoint in after {
            let values = (None, Some(endpoint.location.as_str()));
            let impacts = endpoint_added(&endpoint);
            self.endpoint(ChangeKind::EndpointAdded, &endpoint, values, impacts);
        }
    }

    fn formats(&mut self, old: Element<'_>, new: Element<'_>) {
        let list = |role: Element<'_>| -> Vec<String> {
            role.children_in(NamespaceId::METADATA, name!("NameIDFormat"))
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
