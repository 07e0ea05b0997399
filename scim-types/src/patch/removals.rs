//! Consecutive removals of elements, applied in one pass over the list.
//!
//! A client sends one operation for each removed member to a server that follows the RFC. Applied one by one, each
//! operation would examine all members of the group.

use std::collections::HashMap;

use serde_json::Value;

use super::{Path, path::Kind};
use crate::{
    Op, PatchOperation,
    filter::{AttributePath, EvaluateFilterError, Filter, Limits},
};

/// Returns the removals at the start of `operations`: their number, the first path, and all their filters.
///
/// Returns `None` if there are fewer than two removals. All removals have the form `members[value eq "…"]`, with the
/// same list and the same attribute. Together they remove every element that at least one of them selects, because an
/// earlier removal does not change the selection of a later removal.
pub(super) fn leading_removals(
    operations: &[PatchOperation],
    limits: Limits,
) -> Option<(usize, Path, AnyOf)> {
    let mut paths = operations.iter().map_while(|operation| {
        let path = operation
            .path
            .as_deref()
            .filter(|_| is_removal(operation))?;
        Path::parse_within(path, limits).ok()
    });
    let first = paths.next()?;
    let (list, (by, text)) = (list_path(&first)?, compared_string(&first)?);
    let mut any = AnyOf::default();
    any.insert(text, first.filter()?);
    let mut count = 1;
    for path in paths {
        match (compared_string(&path), path.filter()) {
            (Some((other, text)), Some(filter))
                if other == by && list_path(&path) == Some(list) =>
            {
                any.insert(text, filter);
            }
            _ => break,
        }
        count += 1;
    }
    (count > 1).then_some((count, first, any))
}

/// Several filters, at least one of which must match an element.
#[derive(Debug, Default)]
pub(super) struct AnyOf {
    /// The filters, grouped by the string that they compare with, in lower case.
    filters: HashMap<String, Vec<Filter>>,
}

impl AnyOf {
    fn insert(&mut self, text: &str, filter: &Filter) {
        let same = self.filters.entry(text.to_ascii_lowercase()).or_default();
        same.push(filter.clone());
    }

    pub(super) fn matches(
        &self,
        element: &Value,
        matches: impl Fn(&Filter) -> Result<bool, EvaluateFilterError>,
    ) -> Result<bool, EvaluateFilterError> {
        let mut filters = self.filters.values().flatten();
        let first = filters.next();
        match first.and_then(|filter| filter.ascii_value(element)) {
            // All filters compare the same attribute, so only filters with this string can match.
            Some(text) => {
                let same = self.filters.get(&text.to_ascii_lowercase());
                any(same.into_iter().flatten().map(&matches))
            }
            None => any(first.into_iter().chain(filters).map(&matches)),
        }
    }
}

fn any(
    mut matches: impl Iterator<Item = Result<bool, EvaluateFilterError>>,
) -> Result<bool, EvaluateFilterError> {
    matches.try_fold(false, |any, matches| Ok(any || matches?))
}

fn is_removal(operation: &PatchOperation) -> bool {
    operation.op == Op::Remove && operation.value.as_ref().is_none_or(Value::is_null)
}

fn list_path(path: &Path) -> Option<&AttributePath> {
    match path.kind() {
        Kind::ValuePath {
            attribute,
            sub_attribute: None,
            ..
        } => Some(attribute),
        _ => None,
    }
}

fn compared_string(path: &Path) -> Option<(&AttributePath, &str)> {
    path.filter()?.ascii_literal()
}
