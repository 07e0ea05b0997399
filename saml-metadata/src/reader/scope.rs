//! Which namespaces and prefixes are in force.

use std::collections::HashMap;

use crate::{
    Limit, Limits,
    error::Fault,
    names::namespace,
    tree::{NamespaceId, Slice},
};

/// A namespace declaration in force.
#[derive(Debug, Clone, Copy)]
struct Binding {
    /// The prefix in the text; empty for the default namespace.
    prefix: Slice,
    key: u64,
    namespace: NamespaceId,
}

/// Returns a number that short prefixes have for themselves, and all long ones in common.
fn key(prefix: &str) -> u64 {
    if prefix.len() > size_of::<u64>() {
        return LONG;
    }
    // No character of a prefix is U+0000, so none is lost in front.
    let join = |key, byte| key << 8 | u64::from(byte);
    prefix.bytes().fold(0, join)
}

/// The key of long prefixes; no UTF-8 has these bytes.
const LONG: u64 = u64::MAX;

/// The declarations in force, and the numbers given to namespaces.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    bindings: Vec<Binding>,
    /// Numbers of the namespaces that are not in the table of known ones.
    numbers: HashMap<Box<str>, NamespaceId>,
    /// The same in order of their numbers.
    pub(crate) namespaces: Vec<Box<str>>,
}

impl Scope {
    /// Returns how many declarations are in force, for [`Scope::leave`].
    pub(crate) fn depth(&self) -> usize {
        self.bindings.len()
    }

    /// Forgets the declarations made since `depth` was taken.
    pub(crate) fn leave(&mut self, depth: usize) {
        self.bindings.truncate(depth);
    }

    /// Forgets the namespaces numbered since there were `count`; no declaration has them any more.
    pub(crate) fn forget_namespaces(&mut self, count: usize) {
        for uri in self.namespaces.drain(count..) {
            self.numbers.remove(&uri);
        }
    }

    /// Takes a declaration into force; `prefix` is empty for `xmlns="…"`.
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
            ("xmlns", _) => Some("the prefix `xmlns` may not be declared".to_owned()),
            ("xml", _) => Some("the prefix `xml` may not be bound to another namespace".to_owned()),
            (_, namespace::XML) => Some(format!("`{uri}` belongs to the prefix `xml`")),
            (_, namespace::XMLNS) => Some(format!("`{uri}` belongs to the prefix `xmlns`")),
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

    /// Returns the namespace of a prefix; the empty prefix asks for the default namespace.
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
