//! Matches the entities, roles and keys of two documents.
//!
//! [`diff`](crate::diff()) and [`rollover`](crate::rollover::rollover()) both use these functions, so that one
//! question has one answer: what counts as the same key for one counts as the same key for the other.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    Certificate, Document, EntityDescriptor, KeyDescriptor, KeyUse, Role, RoleDescriptor,
    diff::meaning::meaning, reader::chars::collapse, rollover::fingerprint_sha256,
    tree::NamespaceId,
};

/// The item of the old and of the new document; one of the two is missing if it was added or removed.
pub(crate) type Pair<T> = (Option<T>, Option<T>);

/// Matches entities by entityID, in the order of the old document; added entities follow.
///
/// If each document describes one entity, the two are always matched. If an entityID occurs several
/// times, the first occurrences are matched, then the second ones.
pub(crate) fn entities<'a>(
    old: &'a Document,
    new: &'a Document,
) -> Vec<Pair<EntityDescriptor<'a>>> {
    if let (Ok(old), Ok(new)) = (old.entity(), new.entity()) {
        return vec![(Some(old), Some(new))];
    }
    let mut unmatched: BTreeMap<&str, Vec<EntityDescriptor<'_>>> = BTreeMap::new();
    for entity in new.entities() {
        let list = unmatched.entry(entity.entity_id()).or_default();
        list.push(entity);
    }
    for list in unmatched.values_mut() {
        list.reverse();
    }
    let mut take = |entity: &EntityDescriptor<'_>| unmatched.get_mut(entity.entity_id())?.pop();
    let mut pairs: Vec<_> = old
        .entities()
        .map(|entity| (Some(entity), take(&entity)))
        .collect();
    pairs.extend(
        new.entities()
            .filter_map(|entity| Some((None, Some(take(&entity)?)))),
    );
    pairs
}

/// Matches roles by type, and by protocol if there are several of one type. Added roles are last.
pub(crate) fn roles<'a>(
    old: EntityDescriptor<'a>,
    new: EntityDescriptor<'a>,
) -> Vec<Pair<RoleDescriptor<'a>>> {
    let list = |entity: EntityDescriptor<'a>| entity.roles().map(Role::descriptor);
    let kind = |role: &RoleDescriptor<'a>| (role.element().local_name(), role.extension_type());
    let mut unmatched: Vec<RoleDescriptor<'a>> = list(new).collect();
    let mut pairs = Vec::new();
    for role in list(old) {
        let shares_protocol = |other: &RoleDescriptor<'a>| {
            other.protocols().any(|p| role.protocols().any(|q| p == q))
        };
        let same = |other: &&RoleDescriptor<'a>| kind(other) == kind(&role);
        let found = unmatched
            .iter()
            .position(|other| same(&other) && shares_protocol(other))
            .or_else(|| unmatched.iter().position(|other| same(&other)));
        pairs.push((Some(role), found.map(|at| unmatched.remove(at))));
    }
    pairs.extend(unmatched.into_iter().map(|role| (None, Some(role))));
    pairs
}

/// The keys of a role for one use.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// The keys, each once, in the order of the document.
    pub(crate) list: Vec<Key>,
    /// The certificates that cannot be read. They give no key.
    pub(crate) unreadable: Vec<Unreadable>,
}

/// A key of a role. Keys are compared by public key; a key can have several certificates.
#[derive(Debug)]
pub(crate) struct Key {
    identity: Identity,
    /// The certificates of the key; empty if the document has the bare key.
    pub(crate) certificates: Vec<Certificate>,
    name: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Identity {
    /// The `SubjectPublicKeyInfo`.
    PublicKey(Vec<u8>),
    /// A normalized `KeyInfo` that has no `SubjectPublicKeyInfo`, such as a `KeyName` alone.
    KeyInfo(String),
}

/// A certificate that cannot be read.
#[derive(Debug)]
pub(crate) struct Unreadable {
    text: String,
    /// The reason, with the causes.
    pub(crate) reason: String,
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.identity == other.identity
    }
}

impl PartialEq for Unreadable {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Keys {
    pub(crate) fn of(role: RoleDescriptor<'_>, wanted: KeyUse) -> Self {
        let mut keys = Self::default();
        for key in role.key_descriptors().filter(|key| key.allows_use(wanted)) {
            keys.add(key);
        }
        keys
    }

    fn add(&mut self, key: KeyDescriptor<'_>) {
        let mut has_certificate = false;
        for (element, certificate) in key.certificate_elements().zip(key.certificates()) {
            has_certificate = true;
            match certificate {
                Ok(certificate) => {
                    let identity = Identity::PublicKey(certificate.public_key_der().to_vec());
                    self.push(
                        identity,
                        certificate.fingerprint_sha256(),
                        Some(certificate),
                    );
                }
                Err(error) => self.unreadable.push(Unreadable {
                    text: collapse(element.text()).to_owned(),
                    reason: reason(&error),
                }),
            }
        }
        if has_certificate {
            return;
        }
        let Some(info) = key.key_info() else { return };
        let encoded = info.child_in(NamespaceId::SIGNATURE_11, "DEREncodedKeyValue");
        let der = encoded.and_then(|element| {
            let text: String = element.text().split_ascii_whitespace().collect();
            STANDARD.decode(text).ok()
        });
        let (name, identity) = if let Some(der) = der {
            (fingerprint_sha256(&der), Identity::PublicKey(der))
        } else {
            let content = meaning(info);
            let name = fingerprint_sha256(content.as_bytes());
            (name, Identity::KeyInfo(content))
        };
        self.push(identity, name, None);
    }

    fn push(&mut self, identity: Identity, name: String, certificate: Option<Certificate>) {
        match self.list.iter_mut().find(|key| key.identity == identity) {
            Some(known) => {
                let other = certificate.filter(|other| !known.certificates.contains(other));
                known.certificates.extend(other);
            }
            None => self.list.push(Key {
                identity,
                certificates: certificate.into_iter().collect(),
                name,
            }),
        }
    }

    /// Returns the keys that are also in other keys.
    pub(crate) fn shared_with<'k>(&'k self, others: &Self) -> Vec<&'k Key> {
        let shared = self.list.iter().filter(|key| others.list.contains(key));
        shared.collect()
    }

    /// Returns the keys that are not in other keys.
    pub(crate) fn missing_in<'k>(&'k self, others: &Self) -> Vec<&'k Key> {
        let missing = self.list.iter().filter(|key| !others.list.contains(key));
        missing.collect()
    }

    /// Returns the unreadable certificates that are not in other keys.
    pub(crate) fn unreadable_missing_in<'k>(&'k self, others: &Self) -> Vec<&'k Unreadable> {
        let missing = self.unreadable.iter();
        missing
            .filter(|other| !others.unreadable.contains(other))
            .collect()
    }

    /// Returns this key, with the certificates that it has here.
    pub(crate) fn find(&self, key: &Key) -> Option<&Key> {
        self.list.iter().find(|other| *other == key)
    }
}

impl Key {
    /// Returns the SHA-256 fingerprint of the first certificate, or of the bare key.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the certificates that the same key does not have in another document.
    pub(crate) fn certificates_missing_in(&self, other: &Self) -> Vec<String> {
        let own = self.certificates.iter();
        own.filter(|certificate| !other.certificates.contains(certificate))
            .map(Certificate::fingerprint_sha256)
            .collect()
    }
}

/// Returns the text of an error with the texts of its causes.
pub(crate) fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
