//! The namespaces and prefixes in scope.

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

/// The key of all long prefixes; these bytes never occur in UTF-8.
const LONG: u64 = u64::MAX;

/// The declarations in scope, and the ids of the namespaces.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    bindings: Vec<Binding>,
    /// Ids of the namespaces that are not in the table of known namespaces.
    numbers: HashMap<Box<str>, NamespaceId>,
    /// The same namespaces in order of their ids.
    pub(crate) namespaces: Vec<Box<str>>,
}

impl Scope {
    /// Returns the number of declarations in scope, for [`Scope::leave`].
    pub(crate) fn depth(&self) -> usize {
        self.bindings.len()
    }

    /// Removes the declarations after the first `depth`.
    pub(crate) fn leave(&mut self, depth: usize) {
        self.bindings.truncate(depth);
    }

    /// Removes the namespaces after the first `count`; no declaration in scope may use them.
    pub(crate) fn forget_namespaces(&mut self, count: usize) {
        for uri in self.namespaces.drain(count..) {
            self.numbers.remove(&uri);
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
        let wrong = match (name, uri) {
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
        if let Some(message) = wrong {
            return Err(Fault::namespace(at, message));
        }
        if self.bindings.len() >= limits.namespace_bindings {
            let limit = limits.namespace_bindings;
            return Err(Fault::limit(Limit::NamespaceBindings, limit, at));
        }
        let namespace = self.number(uri);
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

    fn number(&mut self, uri: &str) -> NamespaceId {
        if let Some(known) = namespace::KNOWN.iter().position(|(known, _)| *known == uri) {
            return NamespaceId(crate::tree::number(known));
        }
        if let Some(number) = self.numbers.get(uri) {
            return *number;
        }
        let next = namespace::KNOWN.len() + self.namespaces.len();
        let number = NamespaceId(crate::tree::number(next));
        self.numbers.insert(uri.into(), number);
        self.namespaces.push(uri.into());
        number
    }
}
