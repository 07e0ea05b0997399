//! Start tags: names, attributes, namespace declarations.

use std::collections::HashSet;

use super::{
    Reader,
    chars::{NameScan, is_space, scan_name, split_name},
    escape::{decode_attribute, reference, shorten},
};
use crate::{
    Limit,
    error::Fault,
    local_name::LocalName,
    tree::{AttributeRecord, DECODED, NamespaceId, Slice, to_u32},
};

/// Maximum number of attributes for which the reader finds duplicates by comparing each pair.
const FEW: usize = 12;

/// The parts of a start tag. The attributes of the tag are the last attributes in the reader's
/// state.
pub(super) struct Tag {
    pub(super) name: Slice,
    pub(super) prefix_len: u32,
    pub(super) namespace: NamespaceId,
    pub(super) first_attribute: u32,
    pub(super) attributes: u32,
}

impl Reader<'_> {
    /// Parses a start tag; `start..end` is the text between `<` and `>` or `/>`.
    ///
    /// Adds the namespaces that the tag declares to the scope.
    pub(super) fn tag(&mut self, start: usize, end: usize) -> Result<Tag, Fault> {
        let text = self.text;
        let bytes = &text.as_bytes()[..end];
        let scan = scan_name(&bytes[start..]);
        // Several characters end the name of an attribute, but only white space ends the name of
        // an element.
        let is_whole = bytes.get(start + scan.len).is_none_or(|b| is_space(*b));
        let name_end = match scan.prefix_len {
            Some(_) if is_whole => start + scan.len,
            _ => start + find(&bytes[start..], is_space),
        };
        let name = start..name_end;
        let prefix_len = match scan.prefix_len.filter(|_| is_whole) {
            Some(prefix_len) => prefix_len,
            None => prefix_len(&text[name.clone()]).map_err(|reason| {
                let message = format!(
                    "the element name `{}` {reason}",
                    shorten(&text[name.clone()])
                );
                Fault::malformed(start, message)
            })?,
        };
        let first = self.state.attributes.len();
        if self.attributes(name_end, end)? {
            self.declarations(first)?;
            self.resolve_attributes(first)?;
        }
        self.check_duplicates(first)?;
        let prefix = &text[start..start + prefix_len.saturating_sub(1)];
        if prefix == "xmlns" {
            let message = "an element must not have the prefix `xmlns`";
            return Err(Fault::namespace(start, message));
        }
        let namespace = self.resolve(prefix, start)?;
        Ok(Tag {
            name: Slice::new(name),
            prefix_len: to_u32(prefix_len),
            namespace,
            first_attribute: to_u32(first),
            attributes: to_u32(self.state.attributes.len() - first),
        })
    }

    /// Reads `name="value"` pairs up to `end`.
    ///
    /// Returns whether an attribute has a prefix or is the declaration `xmlns`.
    fn attributes(&mut self, start: usize, end: usize) -> Result<bool, Fault> {
        let text = self.text;
        let bytes = &text.as_bytes()[..end];
        let first = self.state.attributes.len();
        let mut at = start;
        let mut has_namespaces = false;
        loop {
            let name_start = at + find(&bytes[at..], |b| !is_space(b));
            if name_start == end {
                return Ok(has_namespaces);
            }
            if name_start == at {
                return Err(Fault::malformed(
                    at,
                    "a space is missing before an attribute",
                ));
            }
            if self.state.attributes.len() - first >= self.limits.attributes {
                let limit = self.limits.attributes;
                return Err(Fault::limit(Limit::Attributes, limit, name_start));
            }
            let NameScan {
                len,
                prefix_len: known,
            } = scan_name(&bytes[name_start..]);
            let name_end = match known {
                Some(_) => name_start + len,
                None => name_start + find(&bytes[name_start..], ends_name),
            };
            let name = &text[name_start..name_end];
            let prefix_len = match known {
                Some(prefix_len) => prefix_len,
                None => prefix_len(name).map_err(|reason| {
                    let message = format!("the attribute name `{}` {reason}", shorten(name));
                    Fault::malformed(name_start, message)
                })?,
            };
            has_namespaces |= prefix_len > 0 || name == "xmlns";
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
            let value = &text[open + 1..end];
            // The end of the value is searched only up to the limit, so an overlong value fails early.
            let limit = self.limits.attribute_length;
            let near = &value[..value.floor_char_boundary(limit.saturating_add(1))];
            let Some(length) = memchr::memchr(quote, near.as_bytes()) else {
                if memchr::memchr(quote, value.as_bytes()).is_some() {
                    return Err(Fault::limit(Limit::AttributeLength, limit, open + 1));
                }
                let message = format!("the value of the attribute `{}` has no end", shorten(name));
                return Err(Fault::malformed(name_start, message));
            };
            let close = open + 1 + length;
            let value = self.value(name, open + 1, close)?;
            self.state.attributes.push(AttributeRecord {
                name: Slice::new(name_start..name_end),
                prefix_len: to_u32(prefix_len),
                namespace: NamespaceId::NONE,
                local_name: LocalName::of(&name[prefix_len..]),
                raw: Slice::new(open + 1..close),
                value,
            });
            at = close + 1;
        }
    }

    /// Checks an attribute value and returns the slice of its decoded text.
    fn value(&mut self, name: &str, start: usize, end: usize) -> Result<Slice, Fault> {
        if end - start > self.limits.attribute_length {
            let limit = self.limits.attribute_length;
            return Err(Fault::limit(Limit::AttributeLength, limit, start));
        }
        let raw = &self.text[start..end];
        // Without a branch in the loop, the CPU checks many bytes at once. Most values return here.
        let special = |b: u8| b == b'<' || b == b'&' || b < b' ';
        if !raw.bytes().fold(false, |found, b| found | special(b)) {
            return Ok(Slice::new(start..end));
        }
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
                    let after = &raw[at + 1..];
                    let Some((name, _)) = after.split_once(';') else {
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

    /// Adds the tag's namespace declarations to the scope.
    fn declarations(&mut self, first: usize) -> Result<(), Fault> {
        let text = self.text;
        for number in first..self.state.attributes.len() {
            let attribute = self.state.attributes[number];
            let range = attribute.name.range();
            // The first letter rules out most attributes.
            if text.as_bytes()[range.start] != b'x' {
                continue;
            }
            let prefix = match &text[range.clone()] {
                "xmlns" => range.end..range.end,
                name if name.starts_with("xmlns:") => range.start + "xmlns:".len()..range.end,
                _ => continue,
            };
            let value = attribute.value.range();
            let uri = match value.start.checked_sub(DECODED) {
                Some(start) => &self.state.decoded[start..start + value.len()],
                None => &text[value],
            };
            self.state
                .scope
                .declare(text, Slice::new(prefix), uri, self.limits)?;
            self.state.attributes[number].namespace = NamespaceId::XMLNS;
        }
        Ok(())
    }

    /// Sets the namespace of prefixed attributes; the default namespace does not apply to attributes.
    fn resolve_attributes(&mut self, first: usize) -> Result<(), Fault> {
        for at in first..self.state.attributes.len() {
            let attribute = self.state.attributes[at];
            if attribute.prefix_len == 0 || attribute.namespace == NamespaceId::XMLNS {
                continue;
            }
            let start = attribute.name.start as usize;
            let prefix = &self.text[start..start + attribute.prefix_len as usize - 1];
            self.state.attributes[at].namespace = self.resolve(prefix, start)?;
        }
        Ok(())
    }

    fn resolve(&self, prefix: &str, at: usize) -> Result<NamespaceId, Fault> {
        self.state.scope.resolve(self.text, prefix).ok_or_else(|| {
            let message = format!("the prefix `{}` is not declared", shorten(prefix));
            Fault::namespace(at, message)
        })
    }

    /// Fails if two attributes have the same name, as written or after resolving namespaces.
    fn check_duplicates(&self, first: usize) -> Result<(), Fault> {
        let attributes = &self.state.attributes[first..];
        let key = |attribute: &AttributeRecord| {
            let name = &self.text[attribute.name.range()];
            (attribute.namespace, &name[attribute.prefix_len as usize..])
        };
        let local_len = |attribute: &AttributeRecord| attribute.name.len - attribute.prefix_len;
        let twice = if attributes.len() <= FEW {
            (1..attributes.len()).find(|at| {
                let this = &attributes[*at];
                attributes[..*at]
                    .iter()
                    .any(|other| local_len(other) == local_len(this) && key(other) == key(this))
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
                "the attribute `{}` appears twice, with two prefixes of one namespace",
                shorten(name)
            );
            Fault::namespace(at, message)
        })
    }
}

/// Returns the length of a name's prefix including its colon, or the reason why the name is invalid.
fn prefix_len(name: &str) -> Result<usize, &'static str> {
    let (prefix, _) = split_name(name)?;
    Ok(if prefix.is_empty() {
        0
    } else {
        prefix.len() + 1
    })
}

/// Returns whether a byte ends the name of an attribute.
fn ends_name(byte: u8) -> bool {
    is_space(byte) || matches!(byte, b'=' | b'"' | b'\'')
}

/// Returns the offset of the first byte that matches, or the length.
fn find(bytes: &[u8], matches: impl Fn(u8) -> bool) -> usize {
    bytes
        .iter()
        .position(|b| matches(*b))
        .unwrap_or(bytes.len())
}
