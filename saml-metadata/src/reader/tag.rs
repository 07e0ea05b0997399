//! Start tags: names, attributes, namespace declarations.

use std::collections::HashSet;

use super::{
    Reader,
    chars::{is_space, split_name},
    escape::{decode_attribute, reference, shorten},
};
use crate::{
    Limit,
    error::Fault,
    tree::{AttributeRecord, NamespaceId, Slice, number},
};

/// Elements with this many attributes or fewer are compared pair by pair.
const FEW: usize = 12;

/// A start tag taken apart. Its attributes are the last ones of the reader.
pub(super) struct Tag {
    pub(super) name: Slice,
    pub(super) prefix_len: u32,
    pub(super) namespace: NamespaceId,
    pub(super) first_attribute: u32,
    pub(super) attributes: u32,
}

impl Reader<'_> {
    /// Takes a start tag apart; `start..end` is what stands between `<` and `>` or `/>`.
    ///
    /// The namespaces it declares are in force afterwards.
    pub(super) fn tag(&mut self, start: usize, end: usize) -> Result<Tag, Fault> {
        let text = self.text;
        let bytes = &text.as_bytes()[..end];
        let name_end = start + find(&bytes[start..], is_space);
        let name = start..name_end;
        let prefix_len = prefix_len(&text[name.clone()]).map_err(|wrong| {
            let message = format!(
                "the element name `{}` {wrong}",
                shorten(&text[name.clone()])
            );
            Fault::malformed(start, message)
        })?;
        let first = self.attributes.len();
        self.attributes(name_end, end)?;
        self.declarations(first)?;
        self.resolve_attributes(first)?;
        self.check_duplicates(first)?;
        let prefix = &text[start..start + prefix_len.saturating_sub(1)];
        if prefix == "xmlns" {
            let message = "an element must not have the prefix `xmlns`";
            return Err(Fault::namespace(start, message));
        }
        let namespace = self.resolve(prefix, start)?;
        Ok(Tag {
            name: Slice::new(name),
            prefix_len: number(prefix_len),
            namespace,
            first_attribute: number(first),
            attributes: number(self.attributes.len() - first),
        })
    }

    /// Reads `name="value"` pairs up to `end`.
    fn attributes(&mut self, start: usize, end: usize) -> Result<(), Fault> {
        let text = self.text;
        let bytes = &text.as_bytes()[..end];
        let first = self.attributes.len();
        let mut at = start;
        loop {
            let name_start = at + find(&bytes[at..], |b| !is_space(b));
            if name_start == end {
                return Ok(());
            }
            if name_start == at {
                return Err(Fault::malformed(
                    at,
                    "a space is missing before an attribute",
                ));
            }
            if self.attributes.len() - first >= self.limits.attributes {
                let limit = self.limits.attributes;
                return Err(Fault::limit(Limit::Attributes, limit, name_start));
            }
            let name_end = name_start
                + find(&bytes[name_start..], |b| {
                    is_space(b) || matches!(b, b'=' | b'"' | b'\'')
                });
            let name = &text[name_start..name_end];
            let prefix_len = prefix_len(name).map_err(|wrong| {
                let message = format!("the attribute name `{}` {wrong}", shorten(name));
                Fault::malformed(name_start, message)
            })?;
            let equals = name_end + find(&bytes[name_end..], |b| !is_space(b));
            if bytes.get(equals) != Some(&b'=') {
                let message = format!("the attribute `{}` has no value", shorten(name));
                return Err(Fault::malformed(name_start, message));
            }
            let open = equals + 1 + find(&bytes[equals + 1..], |b| !is_space(b));
            let Some(quote @ (b'"' | b'\'')) = bytes.get(open).copied() else {
                let message = format!(
                    "the value of the attribute `{}` has no quotes",
                    shorten(name)
                );
                return Err(Fault::malformed(name_start, message));
            };
            let close = open + 1 + find(&bytes[open + 1..], |b| b == quote);
            if close == end {
                let message = format!("the value of the attribute `{}` has no end", shorten(name));
                return Err(Fault::malformed(name_start, message));
            }
            let value = self.value(name, open + 1, close)?;
            self.attributes.push(AttributeRecord {
                name: Slice::new(name_start..name_end),
                prefix_len: number(prefix_len),
                namespace: NamespaceId::NONE,
                raw: Slice::new(open + 1..close),
                value,
            });
            at = close + 1;
        }
    }

    /// Checks an attribute value and returns where its meaning is kept.
    fn value(&mut self, name: &str, start: usize, end: usize) -> Result<Slice, Fault> {
        if end - start > self.limits.attribute_length {
            let limit = self.limits.attribute_length;
            return Err(Fault::limit(Limit::AttributeLength, limit, start));
        }
        let raw = &self.text[start..end];
        let mut plain = true;
        for (at, byte) in raw.bytes().enumerate() {
            match byte {
                b'<' => {
                    let message = format!(
                        "the value of the attribute `{}` contains `<`",
                        shorten(name)
                    );
                    return Err(Fault::malformed(start + at, message));
                }
                b'&' => {
                    plain = false;
                    let behind = &raw[at + 1..];
                    let Some((name, _)) = behind.split_once(';') else {
                        let message = "`&` starts a reference that has no `;`";
                        return Err(Fault::malformed(start + at, message));
                    };
                    reference(name).map_err(|message| Fault::malformed(start + at, message))?;
                }
                b'\t' | b'\n' | b'\r' => plain = false,
                _ => {}
            }
        }
        if plain {
            return Ok(Slice::new(start..end));
        }
        Ok(self.decode(|to| decode_attribute(raw, to)))
    }

    /// Takes the tag's namespace declarations into force.
    fn declarations(&mut self, first: usize) -> Result<(), Fault> {
        let text = self.text;
        for number in first..self.attributes.len() {
            let attribute = self.attributes[number];
            let range = attribute.name.range();
            let prefix = match &text[range.clone()] {
                "xmlns" => range.end..range.end,
                name if name.starts_with("xmlns:") => range.start + "xmlns:".len()..range.end,
                _ => continue,
            };
            let value = attribute.value.range();
            let uri = match value.start.checked_sub(text.len()) {
                Some(start) => &self.decoded[start..start + value.len()],
                None => &text[value],
            };
            self.scope
                .declare(text, Slice::new(prefix), uri, self.limits)?;
            self.attributes[number].namespace = NamespaceId::XMLNS;
        }
        Ok(())
    }

    /// Gives prefixed attributes their namespace; the default namespace is not for attributes.
    fn resolve_attributes(&mut self, first: usize) -> Result<(), Fault> {
        for at in first..self.attributes.len() {
            let attribute = self.attributes[at];
            if attribute.prefix_len == 0 || attribute.namespace == NamespaceId::XMLNS {
                continue;
            }
            let start = attribute.name.start as usize;
            let prefix = &self.text[start..start + attribute.prefix_len as usize - 1];
            self.attributes[at].namespace = self.resolve(prefix, start)?;
        }
        Ok(())
    }

    fn resolve(&self, prefix: &str, at: usize) -> Result<NamespaceId, Fault> {
        self.scope.resolve(self.text, prefix).ok_or_else(|| {
            let message = format!("the prefix `{}` is not declared", shorten(prefix));
            Fault::namespace(at, message)
        })
    }

    /// Refuses two attributes of one name, as written or after namespaces are resolved.
    fn check_duplicates(&self, first: usize) -> Result<(), Fault> {
        let attributes = &self.attributes[first..];
        let key = |attribute: &AttributeRecord| {
            let name = &self.text[attribute.name.range()];
            (attribute.namespace, &name[attribute.prefix_len as usize..])
        };
        let twice = if attributes.len() <= FEW {
            (1..attributes.len()).find(|at| {
                let this = key(&attributes[*at]);
                attributes[..*at].iter().any(|other| key(other) == this)
            })
        } else {
            let mut seen = HashSet::with_capacity(attributes.len());
            attributes
                .iter()
                .position(|attribute| !seen.insert(key(attribute)))
        };
        let Some(attribute) = twice.map(|at| attributes[at]) else {
            return Ok(());
        };
        let at = attribute.name.start as usize;
        let name = &self.text[attribute.name.range()];
        let literal = attributes
            .iter()
            .filter(|a| &self.text[a.name.range()] == name);
        Err(if literal.count() > 1 {
            let message = format!("the attribute `{}` appears twice", shorten(name));
            Fault::malformed(at, message)
        } else {
            let message = format!(
                "the attribute `{}` appears twice, under two prefixes of one namespace",
                shorten(name)
            );
            Fault::namespace(at, message)
        })
    }
}

/// Returns the length of a name's prefix with its colon, or what is wrong with the name.
fn prefix_len(name: &str) -> Result<usize, &'static str> {
    let (prefix, _) = split_name(name)?;
    Ok(if prefix.is_empty() {
        0
    } else {
        prefix.len() + 1
    })
}

/// Returns where the first such byte is, or the length.
fn find(bytes: &[u8], what: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|b| what(*b)).unwrap_or(bytes.len())
}
