//! The namespace declarations that canonicalization writes on an element.

use super::{C14nError, Method};
use crate::{
    Element,
    reader::escape::shorten,
    tree::{AttributeRecord, NamespaceId},
};

/// A prefix and its namespace; the prefix is empty for the default namespace.
type Declaration<'a> = (&'a str, &'a str);

/// The declarations written so far on the open elements.
pub(super) struct Namespaces<'a> {
    written: Vec<Declaration<'a>>,
    /// The declarations that the current element needs. The vector is reused to save allocations.
    needed: Vec<Declaration<'a>>,
}

impl<'a> Namespaces<'a> {
    pub(super) fn new() -> Self {
        Self {
            written: Vec::new(),
            needed: Vec::new(),
        }
    }

    /// Continues inside open elements on which these declarations were written.
    pub(super) fn from_written(written: &'a [(String, String)]) -> Self {
        let written = written.iter().map(|(prefix, uri)| (&**prefix, &**uri));
        Self {
            written: written.collect(),
            needed: Vec::new(),
        }
    }

    /// Returns copies of the declarations written after the first `depth`.
    pub(super) fn written_since(&self, depth: usize) -> impl Iterator<Item = (String, String)> {
        let new = self.written[depth..].iter();
        new.map(|&(prefix, uri)| (prefix.to_owned(), uri.to_owned()))
    }

    pub(super) fn depth(&self) -> usize {
        self.written.len()
    }

    pub(super) fn leave(&mut self, depth: usize) {
        self.written.truncate(depth);
    }

    /// Returns the declarations to write on an element, in order.
    ///
    /// `is_apex` is true for the outermost element written: this element also gets the declarations
    /// of its ancestors.
    pub(super) fn enter(
        &mut self,
        method: &Method,
        element: Element<'a>,
        is_apex: bool,
    ) -> Result<&[Declaration<'a>], C14nError> {
        let document = element.document();
        let (tree, text) = (&document.tree, document.text());
        let records = tree.attributes_of(tree.node(element.id()));
        self.needed.clear();
        if method.exclusive {
            let name = element.qualified_name();
            let prefix = name.split_once(':').map_or("", |(prefix, _)| prefix);
            self.need(prefix, element.namespace());
            for record in records {
                if record.prefix_len > 0 && record.namespace != NamespaceId::XMLNS {
                    let prefix = &text[record.name.range()][..record.prefix_len as usize - 1];
                    self.need(prefix, tree.namespace(record.namespace));
                }
            }
        }
        for record in records {
            if record.namespace == NamespaceId::XMLNS {
                let declaration = declaration(element, record)?;
                self.need_declared(method, declaration);
            }
        }
        if is_apex && (!method.exclusive || !method.prefixes.is_empty()) {
            let mut known: Vec<&str> = element.namespace_declarations().map(|(p, _)| p).collect();
            let around = std::iter::successors(tree.node(element.id()).parent.some(), |id| {
                tree.node(*id).parent.some()
            });
            for ancestor in around.map(|id| Element::new(document, id)) {
                for record in tree.attributes_of(tree.node(ancestor.id())) {
                    if record.namespace != NamespaceId::XMLNS {
                        continue;
                    }
                    let declaration = declaration(ancestor, record)?;
                    if !known.contains(&declaration.0) {
                        known.push(declaration.0);
                        self.need_declared(method, declaration);
                    }
                }
            }
        }
        if self.needed.len() > 1 {
            self.needed.sort_unstable();
            self.needed.dedup();
        }
        let start = self.written.len();
        for &(prefix, uri) in &self.needed {
            let before = self.written[..start].iter().rev();
            let before = before.into_iter().find(|(written, _)| *written == prefix);
            let is_new = match before {
                Some((_, written)) => !is_same(written, uri),
                None => !(prefix.is_empty() && uri.is_empty()),
            };
            if is_new {
                self.written.push((prefix, uri));
            }
        }
        Ok(&self.written[start..])
    }

    fn need(&mut self, prefix: &'a str, uri: &'a str) {
        // The prefix `xml` is bound without being declared.
        if prefix != "xml" {
            self.needed.push((prefix, uri));
        }
    }

    fn need_declared(&mut self, method: &Method, (prefix, uri): Declaration<'a>) {
        if !method.exclusive || method.prefixes.iter().any(|listed| listed == prefix) {
            self.need(prefix, uri);
        }
    }
}

fn declaration<'a>(
    element: Element<'a>,
    record: &'a AttributeRecord,
) -> Result<Declaration<'a>, C14nError> {
    let document = element.document();
    let name = &document.text()[record.name.range()];
    let uri = document.tree.str(document.text(), record.value);
    if is_relative(uri) {
        return Err(C14nError::RelativeNamespace {
            uri: shorten(uri),
            offset: record.name.range().start,
        });
    }
    Ok((name.strip_prefix("xmlns:").unwrap_or_default(), uri))
}

/// Compares two URIs; most equal URIs share one memory address.
fn is_same(a: &str, b: &str) -> bool {
    std::ptr::eq(a, b) || a == b
}

fn is_relative(uri: &str) -> bool {
    let Some((scheme, _)) = uri.split_once(':') else {
        return !uri.is_empty();
    };
    let part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.bytes().all(part)
}
