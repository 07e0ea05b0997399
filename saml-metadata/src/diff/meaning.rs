//! Normalized texts of elements, which are equal if the elements mean the same.

use std::{collections::HashMap, fmt::Write as _, hash::Hash};

use super::ChangeKind;
use crate::{
    Element,
    reader::{
        chars::{collapse, is_blank},
        escape::shorten,
    },
    tree::NamespaceId,
};

/// Returns the items that are only in the first list and only in the second list.
///
/// The lists are multisets: an item that occurs twice in one list and once in the other is returned
/// once.
pub(super) fn differences<T: Eq + Hash + Clone>(before: &[T], after: &[T]) -> (Vec<T>, Vec<T>) {
    let mut counts: HashMap<&T, usize> = HashMap::new();
    for item in after {
        *counts.entry(item).or_default() += 1;
    }
    let mut removed = Vec::new();
    for item in before {
        match counts.get_mut(item) {
            Some(count) if *count > 0 => *count -= 1,
            _ => removed.push(item.clone()),
        }
    }
    let mut added = Vec::new();
    for item in after.iter().rev() {
        if let Some(count) = counts.get_mut(item).filter(|count| **count > 0) {
            *count -= 1;
            added.push(item.clone());
        }
    }
    added.reverse();
    (removed, added)
}

/// Writes an element as normalized text: `{namespace}name @… text`. Two elements with the same
/// meaning have the same text.
pub(crate) fn meaning(element: Element<'_>) -> String {
    let mut text = String::new();
    let depth_of_root = element.ancestors().count();
    for inner in element.descendants() {
        let depth = inner.ancestors().count() - depth_of_root;
        let _ = write!(
            text,
            "\n{depth} {{{}}}{}",
            inner.namespace(),
            inner.local_name()
        );
        let mut attributes: Vec<_> = inner
            .attributes()
            .map(|a| format!(" {{{}}}{}={:?}", a.namespace(), a.local_name(), a.value()))
            .collect();
        attributes.sort();
        text.extend(attributes);
        if inner.is_in(NamespaceId::SIGNATURE, name!("X509Certificate")) {
            // Line breaks in base64 have no meaning.
            let compact: String = inner.text().split_ascii_whitespace().collect();
            let _ = write!(text, " {compact:?}");
        } else if !is_blank(inner.text()) {
            let _ = write!(text, " {:?}", collapse(inner.text()));
        }
    }
    text
}

/// Returns the local name of a normalized element, and the kind of its change.
pub(super) fn classify(meaning: &str) -> (&str, ChangeKind) {
    let line = meaning.trim_start().lines().next().unwrap_or_default();
    let name = line.split_once('}').map_or("", |(_, rest)| rest);
    let name = &name[..name.find(' ').unwrap_or(name.len())];
    let kind = match name {
        "ContactPerson" => ChangeKind::Contact,
        "Organization" => ChangeKind::Organization,
        _ => ChangeKind::Other,
    };
    (name, kind)
}

/// Returns the texts in a normalized element, shortened.
pub(super) fn summary(meaning: &str) -> String {
    let texts = meaning.lines().filter_map(|line| {
        let (_, text) = line.rsplit_once(" \"")?;
        text.strip_suffix('"')
    });
    let texts: Vec<&str> = texts.collect();
    if texts.is_empty() {
        let lines: Vec<&str> = meaning.trim_start().lines().collect();
        return shorten(&lines.join(" "));
    }
    shorten(&texts.join(", "))
}
