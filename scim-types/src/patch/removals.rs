//! Removals of elements that follow each other, done in one pass over the list.
//!
//! A server that goes by the RFC is sent one operation for each member to be removed, and each would look at all members
//! of the group.

use std::collections::HashMap;

use serde_json::Value;

use super::{Path, path::Kind};
use crate::{
    Op, PatchOperation, Schemas,
    filter::{AttributePath, EvaluateFilterError, Filter, Limits},
};

/// The removals that some operations begin with, and how many they are.
///
/// They are of one form, `members[value eq "…"]`, of one list and by one attribute: what all of them choose is what any
/// of them does, whatever was removed before.
pub(super) fn at_start_of(
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
    let (list, (by, text)) = (list_of(&first)?, text_of(&first)?);
    let mut any = AnyOf::default();
    any.insert(text, first.filter()?);
    let mut count = 1;
    for path in paths {
        match (text_of(&path), path.filter()) {
            (Some((other, text)), Some(filter)) if other == by && list_of(&path) == Some(list) => {
                any.insert(text, filter);
            }
            _ => break,
        }
        count += 1;
    }
    (count > 1).then_some((count, first, any))
}

/// Filters of which one has to choose an element.
#[derive(Debug, Default)]
pub(super) struct AnyOf {
    /// By their texts, in lower case.
    filters: HashMap<String, Vec<Filter>>,
}

impl AnyOf {
    fn insert(&mut self, text: &str, filter: &Filter) {
        let same = self.filters.entry(text.to_ascii_lowercase()).or_default();
        same.push(filter.clone());
    }

    pub(super) fn chooses(
        &self,
        element: &Value,
        of: &AttributePath,
        schemas: &Schemas,
    ) -> Result<bool, EvaluateFilterError> {
        let chooses = |filter: &Filter| filter.matches_element(element, of, schemas);
        let mut filters = self.filters.values().flatten();
        let first = filters.next();
        match first.and_then(|filter| filter.plain_value(element)) {
            // Another text is another value to all of them.
            Some(text) => {
                let same = self.filters.get(&text.to_ascii_lowercase());
                any(same.into_iter().flatten().map(chooses))
            }
            None => any(first.into_iter().chain(filters).map(chooses)),
        }
    }
}

fn any(
    mut chosen: impl Iterator<Item = Result<bool, EvaluateFilterError>>,
) -> Result<bool, EvaluateFilterError> {
    chosen.try_fold(false, |any, one| Ok(any || one?))
}

fn is_removal(operation: &PatchOperation) -> bool {
    operation.op == Op::Remove && operation.value.as_ref().is_none_or(Value::is_null)
}

fn list_of(path: &Path) -> Option<&AttributePath> {
    match path.kind() {
        Kind::Elements {
            attribute,
            sub_attribute: None,
            ..
        } => Some(attribute),
        _ => None,
    }
}

fn text_of(path: &Path) -> Option<(&AttributePath, &str)> {
    path.filter()?.plain_text()
}
