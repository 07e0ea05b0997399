//! Matches the entities, roles and keys of two documents.
//!
//! [`diff`](crate::diff()) and [`rollover`](crate::rollover::rollover()) both use these functions, so that
//! both results agree: two keys that are the same for one are the same for the other.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::{
    Certificate, Document, EntityDescriptor, KeyDescriptor, KeyUse, Role, RoleDescriptor, base64,
    diff::meaning::meaning, error::with_causes, reader::chars::collapse,
    rollover::fingerprint_sha256, tree::NamespaceId,
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
    let added: Vec<RoleDescriptor<'a>> = list(new).collect();
    let mut unmatched = Unmatched::of(&added);
    let mut pairs: Vec<Pair<RoleDescriptor<'a>>> = list(old)
        .map(|role| (Some(role), unmatched.take(role).map(|at| added[at])))
        .collect();
    let rest = added.iter().zip(&unmatched.is_matched);
    pairs.extend(
        rest.filter(|(_, is_matched)| !**is_matched)
            .map(|(role, _)| (None, Some(*role))),
    );
    pairs
}

/// The element name and the type of a role.
type Kind<'a> = (&'a str, Option<(&'a str, &'a str)>);

/// The roles of the new document that are not matched yet, by kind, and by kind and protocol.
struct Unmatched<'a> {
    is_matched: Vec<bool>,
    by_kind: HashMap<(Kind<'a>, Option<&'a str>), VecDeque<usize>>,
}

impl<'a> Unmatched<'a> {
    fn of(roles: &[RoleDescriptor<'a>]) -> Self {
        let mut by_kind: HashMap<_, VecDeque<usize>> = HashMap::new();
        for (at, role) in roles.iter().enumerate() {
            for protocol in role.protocols().map(Some).chain([None]) {
                let list = by_kind.entry((kind(*role), protocol)).or_default();
                list.push_back(at);
            }
        }
        Self {
            is_matched: vec![false; roles.len()],
            by_kind,
        }
    }

    /// Takes the first role of the same kind that shares a protocol, or else the first of the kind.
    fn take(&mut self, role: RoleDescriptor<'a>) -> Option<usize> {
        let kind = kind(role);
        let shared = role.protocols().filter_map(|p| self.first(kind, Some(p)));
        let found = shared.min().or_else(|| self.first(kind, None))?;
        self.is_matched[found] = true;
        Some(found)
    }

    fn first(&mut self, kind: Kind<'a>, protocol: Option<&'a str>) -> Option<usize> {
        let list = self.by_kind.get_mut(&(kind, protocol))?;
        while list.front().is_some_and(|at| self.is_matched[*at]) {
            list.pop_front();
        }
        list.front().copied()
    }
}

fn kind(role: RoleDescriptor<'_>) -> Kind<'_> {
    (role.element().local_name(), role.extension_type())
}

/// The keys of a role for one use.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// The keys, each once, in the order of the document.
    pub(crate) list: Vec<Key>,
    /// The certificates that cannot be read. They give no key.
    pub(crate) unreadable: Vec<Unreadable>,
    /// The places of the keys in the list.
    places: HashMap<Identity, usize>,
}

/// A key of a role. Keys are compared by public key; a key can have several certificates.
#[derive(Debug)]
pub(crate) struct Key {
    identity: Identity,
    /// The certificates of the key; empty if the document has the bare key.
    pub(crate) certificates: Vec<Certificate>,
    /// The SHA-256 fingerprints of the certificates.
    fingerprints: HashSet<String>,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Identity {
    /// The `SubjectPublicKeyInfo`.
    PublicKey(Vec<u8>),
    /// A normalized `KeyInfo` that has a `KeyValue` and no `SubjectPublicKeyInfo`.
    KeyInfo(String),
}

/// A certificate that cannot be read.
#[derive(Debug)]
pub(crate) struct Unreadable {
    text: String,
    /// The reason, with the causes.
    pub(crate) reason: String,
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
                    let fingerprint = certificate.fingerprint_sha256();
                    self.push(identity, fingerprint, Some(certificate));
                }
                Err(error) => self.unreadable.push(Unreadable {
                    text: collapse(element.text()).to_owned(),
                    reason: with_causes(&error),
                }),
            }
        }
        // A name alone is no key: partners cannot verify a signature with it.
        if has_certificate || !key.has_bare_key() {
            return;
        }
        let Some(info) = key.key_info() else { return };
        let encoded = info.child_in(NamespaceId::SIGNATURE_11, name!("DEREncodedKeyValue"));
        let der = encoded.and_then(|element| base64::decode(element.text()).ok());
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
        let place = self.places.entry(identity.clone());
        let place = *place.or_insert(self.list.len());
        if place == self.list.len() {
            self.list.push(Key {
                identity,
                certificates: Vec::new(),
                fingerprints: HashSet::new(),
                name: name.clone(),
            });
        }
        if let Some(certificate) = certificate {
            let key = &mut self.list[place];
            if key.fingerprints.insert(name) {
                key.certificates.push(certificate);
            }
        }
    }

    /// Returns the keys that are also in other keys.
    pub(crate) fn shared_with<'k>(&'k self, others: &Self) -> Vec<&'k Key> {
        let shared = self.list.iter().filter(|key| others.find(key).is_some());
        shared.collect()
    }

    /// Returns the keys that are not in other keys.
    pub(crate) fn missing_in<'k>(&'k self, others: &Self) -> Vec<&'k Key> {
        let missing = self.list.iter().filter(|key| others.find(key).is_none());
        missing.collect()
    }

    /// Returns the unreadable certificates that are not in other keys.
    pub(crate) fn unreadable_missing_in<'k>(&'k self, others: &Self) -> Vec<&'k Unreadable> {
        let known: HashSet<&str> = others.unreadable.iter().map(|c| c.text.as_str()).collect();
        let missing = self.unreadable.iter();
        missing
            .filter(|own| !known.contains(own.text.as_str()))
            .collect()
    }

    /// Returns this key, with the certificates that it has here.
    pub(crate) fn find(&self, key: &Key) -> Option<&Key> {
        let place = self.places.get(&key.identity)?;
        self.list.get(*place)
    }
}

impl Key {
    /// Returns the SHA-256 fingerprint of the first certificate, or of the bare key.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the certificates that the same key does not have in another document.
    pub(crate) fn certificates_missing_in(&self, other: &Self) -> Vec<String> {
        let own = self
            .certificates
            .iter()
            .map(Certificate::fingerprint_sha256);
        own.filter(|fingerprint| !other.fingerprints.contains(fingerprint))
            .collect()
    }
}
