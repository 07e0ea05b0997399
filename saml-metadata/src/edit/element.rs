//! New elements, to be inserted into a document.

use std::fmt::Write as _;

use crate::{
    Certificate, Element, KeyUse, base64,
    names::namespace,
    reader::{
        chars::{is_char, is_ncname},
        escape::{escape_attribute, escape_text, shorten},
    },
};

use super::EditError;

/// A new element for [`Edit::insert`](super::Edit::insert) or
/// [`Edit::replace`](super::Edit::replace).
///
/// Names are given by namespace. The element uses the prefixes that are in scope in the document; a
/// missing prefix is declared on the new element. Values are escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an element does nothing until it is inserted into a document"]
pub struct NewElement {
    pub(super) namespace: String,
    pub(super) name: String,
    attributes: Vec<(String, String, String)>,
    content: Vec<Content>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Element(NewElement),
    Text(String),
}

impl NewElement {
    /// Creates an element with a namespace, which may be empty, and a local name.
    pub fn new(namespace: impl Into<String>, local_name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: local_name.into(),
            attributes: Vec::new(),
            content: Vec::new(),
        }
    }

    /// Creates an element of SAML metadata.
    pub fn metadata(local_name: impl Into<String>) -> Self {
        Self::new(namespace::METADATA, local_name)
    }

    /// Creates an endpoint, such as a `SingleSignOnService` (MD 2.2.2).
    pub fn endpoint(
        local_name: impl Into<String>,
        binding: impl Into<String>,
        location: impl Into<String>,
    ) -> Self {
        Self::metadata(local_name)
            .attribute("Binding", binding)
            .attribute("Location", location)
    }

    /// Creates an endpoint with an index, such as an `AssertionConsumerService` (MD 2.2.3).
    pub fn indexed_endpoint(
        local_name: impl Into<String>,
        binding: impl Into<String>,
        location: impl Into<String>,
        index: u16,
    ) -> Self {
        Self::endpoint(local_name, binding, location).attribute("index", index.to_string())
    }

    /// Creates a `KeyDescriptor` with a certificate, for one use or for both (MD 2.4.1.1).
    pub fn key_descriptor(key_use: Option<KeyUse>, certificate: &Certificate) -> Self {
        let text = base64::encode_lines(certificate.der(), 76);
        let certificate = Self::new(namespace::SIGNATURE, "X509Certificate").text(text);
        let data = Self::new(namespace::SIGNATURE, "X509Data").child(certificate);
        let info = Self::new(namespace::SIGNATURE, "KeyInfo").child(data);
        let key = Self::metadata("KeyDescriptor");
        let key = match key_use {
            None => key,
            Some(KeyUse::Signing) => key.attribute("use", "signing"),
            Some(KeyUse::Encryption) => key.attribute("use", "encryption"),
        };
        key.child(info)
    }

    /// Creates a `NameIDFormat`.
    pub fn name_id_format(format: impl Into<String>) -> Self {
        Self::metadata("NameIDFormat").text(format)
    }

    /// Adds an attribute without a namespace.
    pub fn attribute(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attribute_in("", name, value)
    }

    /// Adds an attribute with a namespace.
    pub fn attribute_in(
        mut self,
        namespace: impl Into<String>,
        local_name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        let attribute = (namespace.into(), local_name.into(), value.into());
        self.attributes.push(attribute);
        self
    }

    /// Adds a child element.
    pub fn child(mut self, child: Self) -> Self {
        self.content.push(Content::Element(child));
        self
    }

    /// Adds text content.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.content.push(Content::Text(text.into()));
        self
    }

    /// Checks the names and values of the element and its content.
    pub(super) fn check(&self) -> Result<(), EditError> {
        let mut rest = vec![self];
        while let Some(element) = rest.pop() {
            let names = element.attributes.iter().map(|(_, name, _)| name);
            for name in names.chain([&element.name]) {
                if !is_ncname(name) || name == "xmlns" {
                    let name = shorten(name);
                    return Err(EditError::NewName { name });
                }
            }
            let mut values: Vec<&str> = vec![&element.namespace];
            for (namespace, _, value) in &element.attributes {
                values.extend([namespace.as_str(), value]);
            }
            for content in &element.content {
                match content {
                    Content::Element(child) => rest.push(child),
                    Content::Text(text) => values.push(text),
                }
            }
            let forbidden = values.iter().flat_map(|v| v.chars()).find(|c| !is_char(*c));
            if let Some(character) = forbidden {
                return Err(EditError::Character { character });
            }
        }
        Ok(())
    }

    /// Writes the element, given the prefixes in scope.
    pub(super) fn write(&self, prefixes: &mut Prefixes, to: &mut String) {
        let before = prefixes.bound.len();
        let prefix = prefixes.for_element(&self.namespace);
        let attributes: Vec<(String, &str)> = self
            .attributes
            .iter()
            .map(|(namespace, name, value)| {
                let prefix = prefixes.for_attribute(namespace);
                (qualified(&prefix, name), value.as_str())
            })
            .collect();
        let name = qualified(&prefix, &self.name);
        to.push('<');
        to.push_str(&name);
        for (prefix, uri) in &prefixes.bound[before..] {
            to.push_str(if prefix.is_empty() {
                " xmlns"
            } else {
                " xmlns:"
            });
            write_attribute(prefix, uri, to);
        }
        for (name, value) in attributes {
            to.push(' ');
            write_attribute(&name, value, to);
        }
        if self.content.is_empty() {
            to.push_str("/>");
        } else {
            to.push('>');
            for content in &self.content {
                match content {
                    Content::Element(child) => child.write(prefixes, to),
                    Content::Text(text) => escape_text(text, to),
                }
            }
            let _ = write!(to, "</{name}>");
        }
        prefixes.bound.truncate(before);
    }
}

fn write_attribute(name: &str, value: &str, to: &mut String) {
    to.push_str(name);
    to.push_str("=\"");
    escape_attribute(value, to);
    to.push('"');
}

fn qualified(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}:{name}")
    }
}

/// The prefixes in scope, the innermost last.
#[derive(Debug)]
pub(super) struct Prefixes {
    bound: Vec<(String, String)>,
}

impl Prefixes {
    /// Returns the prefixes in scope inside an element; without an element, none.
    pub(super) fn inside(element: Option<Element<'_>>) -> Self {
        let mut bound = Vec::new();
        let around = element.into_iter().flat_map(Element::ancestors);
        for (prefix, uri) in around.flat_map(Element::namespace_declarations) {
            bound.push((prefix.to_owned(), uri.to_owned()));
        }
        bound.reverse();
        Self { bound }
    }

    fn uri(&self, prefix: &str) -> Option<&str> {
        let bound = self.bound.iter().rev().find(|(own, _)| own == prefix);
        bound.map(|(_, uri)| uri.as_str())
    }

    fn prefix(&self, uri: &str, may_be_empty: bool) -> Option<String> {
        let mut known = self.bound.iter().rev().filter(|(_, own)| own == uri);
        known
            .find(|(prefix, _)| {
                // An inner declaration may have bound the prefix to another namespace.
                (may_be_empty || !prefix.is_empty()) && self.uri(prefix) == Some(uri)
            })
            .map(|(prefix, _)| prefix.clone())
    }

    fn for_element(&mut self, uri: &str) -> String {
        if !uri.is_empty() {
            return self.for_name(uri, true);
        }
        if self.uri("").is_some_and(|default| !default.is_empty()) {
            self.bound.push((String::new(), String::new()));
        }
        String::new()
    }

    fn for_attribute(&mut self, uri: &str) -> String {
        if uri.is_empty() {
            return String::new();
        }
        self.for_name(uri, false)
    }

    /// Returns a prefix in scope for a namespace, or declares a new one.
    fn for_name(&mut self, uri: &str, may_be_empty: bool) -> String {
        if uri == namespace::XML {
            return "xml".to_owned();
        }
        if let Some(prefix) = self.prefix(uri, may_be_empty) {
            return prefix;
        }
        let usual = namespace::KNOWN.iter().find(|(known, _)| *known == uri);
        let usual = usual.map(|(_, prefix)| (*prefix).to_owned());
        let free = |prefix: &String| self.uri(prefix).is_none();
        // One of these numbers is free: each declaration uses at most one.
        let numbered = || {
            (1..=self.bound.len() + 1)
                .map(|n| format!("ns{n}"))
                .find(free)
        };
        let prefix = usual.filter(free).or_else(numbered).unwrap_or_default();
        self.bound.push((prefix.clone(), uri.to_owned()));
        prefix
    }
}
