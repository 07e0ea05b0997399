//! The namespace declarations in scope, and the ids of the namespaces.

use std::collections::HashMap;

use crate::{
    Limit, Limits,
    error::Fault,
    names::namespace,
    tree::{NamespaceId, Slice},
};

/// A namespace declaration in scope.
#[derive(Debug, Clone, Copy)]
struct Binding {
    /// The prefix in the text; empty for the default namespace.
    prefix: Slice,
    /// The prefix's [`key`], which makes the lookup fast.
    key: u64,
    namespace: NamespaceId,
}

/// Returns a key for comparing prefixes: unique for a prefix of at most 8 bytes, [`LONG`] otherwise.
fn key(prefix: &str) -> u64 {
    if prefix.len() > size_of::<u64>() {
        return LONG;
    }
    // A prefix has no U+0000, so two different prefixes never have the same key.
    let join = |key, byte| key << 8 | u64::from(byte);
    prefix.bytes().fold(0, join)
}

/// The key of every prefix of more than 8 bytes. Its bytes (0xFF) never occur in UTF-8, so no
/// shorter prefix has this key.
const LONG: u64 = u64::MAX;

/// The declarations in scope, and the ids of the namespaces.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    bindings: Vec<Binding>,
    /// Ids of the namespaces that are not in the table of known namespaces.
    ids: HashMap<Box<str>, NamespaceId>,
    /// The keys of `ids`, in order of the ids.
    pub(crate) namespaces: Vec<Box<str>>,
}

impl Scope {
    /// Returns the number of declarations in scope, to pass to [`Scope::leave`] later.
    pub(crate) fn depth(&self) -> usize {
        self.bindings.len()
    }

    /// Removes the declarations after the first `depth`.
    pub(crate) fn leave(&mut self, depth: usize) {
        self.bindings.truncate(depth);
    }

    /// Removes all entries of `namespaces` after the first `count`. The caller must ensure that no
    /// declaration in scope uses a removed namespace.
    pub(crate) fn forget_namespaces(&mut self, count: usize) {
        for uri in self.namespaces.drain(count..) {
            self.ids.remove(&uri);
        }
    }

    /// Adds a declaration to the scope; `prefix` is empty for `xmlns="…"`.
    pub(crate) fn declare(
        &mut self,
        text: &str,
        prefix: Slice,
        uri: &str,
        limits: &Limits,
    ) -> Result<(), Fault> {
        let at = prefix.start as usize;
        let name = &text[prefix.range()];
        let error = match (name, uri) {
            ("xml", namespace::XML) => return Ok(()),
            ("xmlns", _) => Some("the prefix `xmlns` must not be declared".to_owned()),
            ("xml", _) => {
                Some("the prefix `xml` must not be bound to another namespace".to_owned())
            }
            (_, namespace::XML) => Some(format!("`{uri}` is reserved for the prefix `xml`")),
            (_, namespace::XMLNS) => Some(format!("`{uri}` is reserved for the prefix `xmlns`")),
            (prefix, "") if !prefix.is_empty() => Some(format!(
                "the prefix `{prefix}` is bound to an empty namespace"
            )),
            _ => None,
        };
        if let Some(message) = error {
            return Err(Fault::namespace(at, message));
        }
        if self.bindings.len() >= limits.namespace_bindings {
            let limit = limits.namespace_bindings;
            return Err(Fault::limit(Limit::NamespaceBindings, limit, at));
        }
        let namespace = self.id_of(uri);
        self.bindings.push(Binding {
            prefix,
            key: key(name),
            namespace,
        });
        Ok(())
    }

    /// Returns the namespace of a prefix; the empty prefix means the default namespace.
    pub(crate) fn resolve(&self, text: &str, prefix: &str) -> Option<NamespaceId> {
        let key = key(prefix);
        let found = self
            .bindings
            .iter()
            .rev()
            .find(|binding| {
                let is_same = || text.as_bytes()[binding.prefix.range()] == *prefix.as_bytes();
                binding.key == key && (key != LONG || is_same())
            })
            .map(|binding| binding.namespace);
        match prefix {
            _ if found.is_some() => found,
            "" => Some(NamespaceId::NONE),
            "xml" => Some(NamespaceId::XML),
            "xmlns" => Some(NamespaceId::XMLNS),
            _ => None,
        }
    }

    /// Returns the id of a namespace, and assigns the next id to a new namespace.
    fn id_of(&mut self, uri: &str) -> NamespaceId {
        if let Some(index) = namespace::KNOWN.iter().position(|(known, _)| *known == uri) {
            return NamespaceId(crate::tree::to_u32(index));
        }
        if let Some(id) = self.ids.get(uri) {
            return *id;
        }
        let next = namespace::KNOWN.len() + self.namespaces.len();
        let id = NamespaceId(crate::tree::to_u32(next));
        self.ids.insert(uri.into(), id);
        self.namespaces.push(uri.into());
        id
    }
}
