//! Computation of the patch that changes one resource into another.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{AbsentAttributes, ListedRemoval, Options, Path, value::as_list};
use crate::{
    Op, PatchOp, PatchOperation, Schemas,
    filter::{AttributePath, Filter, is_date_time, is_name},
    names,
    schema::{
        declares,
        definition::{self, Definition},
    },
};

impl PatchOp {
    /// Returns the patch that changes `before` into `after`; `None` if the two are equivalent.
    ///
    /// The patch changes only the differences, down to a single sub-attribute or member. Members are
    /// identified by their `value` alone. They are added and removed individually, so that concurrent
    /// changes by another client are kept. Other lists are replaced if an element was removed from them. The
    /// comparison ignores the order of lists, read-only attributes, `id`, `meta`, and `schemas` (which
    /// depends on the other attributes).
    ///
    /// [`apply`](Self::apply) with the same options changes `before` into `after`, with one exception: if
    /// `after` lacks a required attribute, the patch removes the attribute, and `apply` refuses the removal.
    ///
    /// # Errors
    ///
    /// Fails if a resource is not an object, or if an attribute that differs has a name that a path cannot
    /// contain.
    pub fn diff<T: Serialize + ?Sized>(
        before: &T,
        after: &T,
        options: &Options,
    ) -> Result<Option<Self>, DiffError> {
        let (before, after) = (object(before)?, object(after)?);
        let schemas = options.schemas.clone().unwrap_or_else(|| {
            let of = |resource: &Map<String, Value>| Schemas::of(&resource.clone().into());
            let schemas = of(&before);
            if schemas == Schemas::unknown() {
                of(&after)
            } else {
                schemas
            }
        });
        let mut differences = Differences {
            schemas: &schemas,
            options,
            operations: Vec::new(),
        };
        differences.attributes(None, &before, &after)?;
        differences.extensions(&before, &after)?;
        let operations = differences.operations;
        Ok((!operations.is_empty()).then(|| Self::new(operations)))
    }
}

/// The error of [`PatchOp::diff`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiffError {
    /// A resource cannot be serialized as JSON.
    #[error("a resource cannot be serialized as JSON")]
    Json(#[from] serde_json::Error),
    /// A resource is not an object.
    #[error("a resource is not a JSON object")]
    NotAnObject,
    /// An attribute that differs has a name that a path cannot contain.
    #[error("the attribute {name:?} differs, but a path cannot contain its name")]
    #[non_exhaustive]
    NoPath {
        /// The name.
        name: String,
    },
}

struct Differences<'a> {
    schemas: &'a Schemas,
    options: &'a Options,
    operations: Vec<PatchOperation>,
}

/// An attribute with its values before and after.
struct Pair<'a> {
    /// The path of the attribute.
    path: String,
    name: &'a str,
    definition: Option<&'a Definition>,
    before: Option<&'a Value>,
    after: Option<&'a Value>,
}

impl Differences<'_> {
    /// Compares the attributes of the two resources, or of an extension that both resources have.
    fn attributes(
        &mut self,
        extension: Option<&str>,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
    ) -> Result<(), DiffError> {
        let definitions = self.schemas.clone();
        let definitions = definitions.attributes(extension);
        for name in names_of(before, after) {
            let definition = definitions.and_then(|known| definition::find(known, name));
            let skipped = extension.is_none()
                && ["schemas", "id", "meta"]
                    .iter()
                    .any(|skipped| skipped.eq_ignore_ascii_case(name));
            if skipped || definition.is_some_and(Definition::is_read_only) {
                continue;
            }
            let (before, after) = (value_of(before, name), value_of(after, name));
            if extension.is_none() && names::is_urn(name) && (is_object(before) || is_object(after))
            {
                continue;
            }
            let path = match extension {
                Some(urn) => format!("{urn}:{name}"),
                None => name.to_owned(),
            };
            self.attribute(&Pair {
                path,
                name,
                definition,
                before,
                after,
            })?;
        }
        Ok(())
    }

    fn extensions(
        &mut self,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
    ) -> Result<(), DiffError> {
        for urn in names_of(before, after).filter(|name| names::is_urn(name)) {
            let count_before = self.operations.len();
            let (old, new) = (value_of(before, urn), value_of(after, urn));
            match (old, new) {
                (Some(Value::Object(old)), Some(Value::Object(new))) if !new.is_empty() => {
                    // A path to a single attribute starts with the URN, so the server must already know the
                    // URN.
                    let declared = !old.values().all(names::is_unassigned)
                        || declares(Some(before), urn)
                        || self.schemas.attributes(Some(urn)).is_some();
                    if declared {
                        self.attributes(Some(urn), old, new)?;
                    } else {
                        self.new_extension(urn, new);
                    }
                }
                (old, Some(Value::Object(new))) if old.is_none_or(names::is_unassigned) => {
                    self.new_extension(urn, new);
                }
                (Some(Value::Object(old)), new) if new.is_none_or(names::is_unassigned) => {
                    let is_kept = new.is_none() && self.options.absent == AbsentAttributes::Keep;
                    if !is_kept && !old.values().all(names::is_unassigned) {
                        self.operations.push(PatchOperation::remove(urn));
                    }
                }
                (old, new) if is_object(old) || is_object(new) => return Err(no_path(urn)),
                // A value that is not an object is an ordinary attribute; `attributes` compares it.
                _ => {}
            }
            if self.operations.len() > count_before && Path::parse(urn).is_err() {
                return Err(no_path(urn));
            }
        }
        Ok(())
    }

    fn new_extension(&mut self, urn: &str, attributes: &Map<String, Value>) {
        let definitions = self.schemas.attributes(Some(urn));
        let mut written = Map::new();
        for (name, value) in attributes {
            let definition = definitions.and_then(|known| definition::find(known, name));
            if definition.is_some_and(Definition::is_read_only) {
                continue;
            }
            if let Some(value) = without_unassigned(value, definition) {
                written.insert(name.clone(), value);
            }
        }
        if !written.is_empty() {
            // The operation has no path, because some servers do not accept the URN of an extension as a
            // path. The operation is `replace`, because `add` would drop duplicate elements of a list.
            self.operations.push(PatchOperation {
                op: Op::Replace,
                path: None,
                value: Some(json!({ urn: written })),
            });
        }
    }

    fn attribute(&mut self, pair: &Pair<'_>) -> Result<(), DiffError> {
        let assigned = |value: Option<&Value>| {
            value.and_then(|value| without_unassigned(value, pair.definition))
        };
        let (before, after) = (assigned(pair.before), assigned(pair.after));
        let keep_absent = self.options.absent == AbsentAttributes::Keep;
        let (before, after) = match (before, after) {
            (_, None) if pair.after.is_none() && keep_absent => return Ok(()),
            (None, None) => return Ok(()),
            // `{"givenName": null}` changes only one sub-attribute.
            (Some(_), None)
                if keep_absent && has_sub_attributes(pair.after) && is_object(pair.before) =>
            {
                return self.sub_attributes(pair);
            }
            (Some(before), None) => {
                check_name(pair)?;
                self.removal(pair, before);
                return Ok(());
            }
            // `add` cannot create duplicate elements, so `list` chooses between `add` and `replace`.
            (None, Some(Value::Array(after))) => return self.list(pair, &[], after),
            (None, Some(after)) => {
                check_name(pair)?;
                self.operations
                    .push(PatchOperation::add(&*pair.path, after));
                return Ok(());
            }
            (Some(before), Some(after)) => (before, after),
        };
        let multi_valued = match pair.definition {
            Some(definition) => definition.multi_valued,
            None => before.is_array() && after.is_array(),
        };
        if multi_valued {
            return self.list(pair, &as_list(before), as_list(after));
        }
        if before.is_object() && after.is_object() {
            return self.sub_attributes(pair);
        }
        if !names::is_same(&before, &after) {
            check_name(pair)?;
            // If there is no schema, `replace` with a single value keeps a list: the value becomes its only
            // element. The list is therefore removed first.
            if before.is_array() {
                self.operations.push(PatchOperation::remove(&*pair.path));
            }
            self.operations
                .push(PatchOperation::replace(&*pair.path, after));
        }
        Ok(())
    }

    fn removal(&mut self, pair: &Pair<'_>, before: Value) {
        let members = definition::is_reference_list(pair.definition, pair.name);
        let ids = members.then(|| ids(&as_list(before))).flatten();
        match ids {
            // A server that requires a removal to list the members does not accept a removal without a
            // list.
            Some(ids) if self.options.listed_removal == ListedRemoval::RemoveListed => {
                let all: Vec<&str> = ids.iter().map(String::as_str).collect();
                self.operations.push(listed_removal(&pair.path, &all));
            }
            _ => self.operations.push(PatchOperation::remove(&*pair.path)),
        }
    }

    fn sub_attributes(&mut self, pair: &Pair<'_>) -> Result<(), DiffError> {
        let (Some(Value::Object(before)), Some(Value::Object(after))) = (pair.before, pair.after)
        else {
            return Ok(());
        };
        let mut changed: Vec<(&str, Value)> = Vec::new();
        let mut operations = Vec::new();
        let is_reference = pair.definition.is_some_and(Definition::is_reference);
        // With a new `value`, a server drops the `$ref` of a reference, unless the patch sets it.
        let drops_uri =
            is_reference && !is_same(value_of(before, "value"), value_of(after, "value"));
        for name in names_of(before, after) {
            let definition = pair.definition.and_then(|known| known.sub_attribute(name));
            if definition.is_some_and(Definition::is_read_only) {
                continue;
            }
            let (old, new) = (value_of(before, name), value_of(after, name));
            let is_kept = new.is_none() && self.options.absent == AbsentAttributes::Keep;
            let old = old.and_then(|old| without_unassigned(old, definition));
            let new = new.and_then(|new| without_unassigned(new, definition));
            let is_dropped = drops_uri && new.is_some() && name.eq_ignore_ascii_case("$ref");
            if is_kept || !is_dropped && is_same(old.as_ref(), new.as_ref()) {
                continue;
            }
            check_name(pair)?;
            if !is_name(name) {
                return Err(no_path(name));
            }
            // `replace` would merge an object or a list with the existing value, so the existing value is
            // removed first.
            let is_composite = old
                .as_ref()
                .is_some_and(|old| old.is_object() || old.is_array());
            if new.is_none() || is_composite {
                let path = format!("{}.{name}", pair.path);
                operations.push(PatchOperation::remove(path));
            }
            changed.extend(new.map(|new| (name, new)));
        }
        let change = match changed.as_slice() {
            [] => None,
            [(name, value)] => Some(PatchOperation::replace(
                format!("{}.{name}", pair.path),
                value.clone(),
            )),
            several => {
                let values = several
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.clone()));
                let values: Map<String, Value> = values.collect();
                Some(PatchOperation::replace(&*pair.path, values))
            }
        };
        self.operations.extend(operations);
        self.operations.extend(change);
        Ok(())
    }

    fn list(
        &mut self,
        pair: &Pair<'_>,
        before: &[Value],
        after: Vec<Value>,
    ) -> Result<(), DiffError> {
        if definition::is_reference_list(pair.definition, pair.name)
            && let (Some(old), Some(new)) = (ids(before), ids(&after))
        {
            return self.members(pair, &old, &new, after);
        }
        let mut unmatched: HashMap<String, usize> = HashMap::new();
        for element in before {
            *unmatched.entry(names::identity(element)).or_default() += 1;
        }
        let known: HashSet<String> = unmatched.keys().cloned().collect();
        let mut added = Vec::new();
        for element in &after {
            match unmatched.get_mut(&names::identity(element)) {
                Some(count) if *count > 0 => *count -= 1,
                _ => added.push(element.clone()),
            }
        }
        let only_added = unmatched.values().all(|count| *count == 0);
        if only_added && added.is_empty() {
            return Ok(());
        }
        check_name(pair)?;
        // `add` skips an element that already exists, even if `after` has it twice.
        let mut seen = known;
        let new = added
            .iter()
            .all(|element| seen.insert(names::identity(element)));
        self.operations.push(if only_added && new {
            PatchOperation::add(&*pair.path, added)
        } else {
            PatchOperation::replace(&*pair.path, after)
        });
        Ok(())
    }

    fn members(
        &mut self,
        pair: &Pair<'_>,
        old: &[String],
        new: &[String],
        after: Vec<Value>,
    ) -> Result<(), DiffError> {
        let (before_ids, after_ids): (HashSet<&String>, HashSet<&String>) =
            (old.iter().collect(), new.iter().collect());
        let mut seen = HashSet::new();
        let removed = old
            .iter()
            .filter(|id| !after_ids.contains(id) && seen.insert(*id));
        let removed: Vec<&str> = removed.map(String::as_str).collect();
        let added = after.iter().zip(new);
        let added = added.filter(|(_, id)| !before_ids.contains(id) && seen.insert(*id));
        let added: Vec<Value> = added.map(|(element, _)| element.clone()).collect();
        if removed.is_empty() && added.is_empty() {
            return Ok(());
        }
        check_name(pair)?;
        match self.options.listed_removal {
            _ if removed.is_empty() => {}
            ListedRemoval::RemoveListed => {
                self.operations.push(listed_removal(&pair.path, &removed));
            }
            ListedRemoval::Refuse => {
                // A filter ignores case and compares dateTimes by time, so it could also match a member that stays.
                let staying = old.iter().filter(|id| after_ids.contains(id));
                let staying: HashSet<String> = staying.map(|id| id.to_lowercase()).collect();
                let ambiguous =
                    |id: &&str| staying.contains(&id.to_lowercase()) || is_date_time(id);
                if removed.iter().any(ambiguous) {
                    self.operations
                        .push(PatchOperation::replace(&*pair.path, after));
                    return Ok(());
                }
                let removals = removed.iter().map(|id| {
                    let filter = Filter::eq(AttributePath::VALUE, *id);
                    PatchOperation::remove(format!("{}[{filter}]", pair.path))
                });
                self.operations.extend(removals);
            }
        }
        if !added.is_empty() {
            self.operations
                .push(PatchOperation::add(&*pair.path, added));
        }
        Ok(())
    }
}

fn listed_removal(path: &str, ids: &[&str]) -> PatchOperation {
    let listed: Value = ids.iter().map(|id| json!({ "value": id })).collect();
    PatchOperation {
        value: Some(listed),
        ..PatchOperation::remove(path)
    }
}

/// Returns the `value` of every element, if every element has a string as its `value`.
fn ids(list: &[Value]) -> Option<Vec<String>> {
    let id = |element: &Value| {
        let value = names::assigned(element.as_object()?, "value")?;
        value.as_str().map(str::to_owned)
    };
    list.iter().map(id).collect()
}

/// Returns a value without its unassigned and read-only parts; `None` if no part remains.
fn without_unassigned(value: &Value, definition: Option<&Definition>) -> Option<Value> {
    let value = match value {
        Value::Object(attributes) => {
            let kept = attributes.iter().filter_map(|(name, value)| {
                let known = definition.and_then(|known| known.sub_attribute(name));
                let writable = !known.is_some_and(Definition::is_read_only);
                (writable && !names::is_unassigned(value)).then(|| (name.clone(), value.clone()))
            });
            kept.collect::<Map<_, _>>().into()
        }
        Value::Array(list) => list
            .iter()
            .filter_map(|element| without_unassigned(element, definition))
            .collect(),
        value => value.clone(),
    };
    (!names::is_unassigned(&value)).then_some(value)
}

fn check_name(pair: &Pair<'_>) -> Result<(), DiffError> {
    if is_name(pair.name) {
        Ok(())
    } else {
        Err(no_path(pair.name))
    }
}

fn no_path(name: &str) -> DiffError {
    DiffError::NoPath {
        name: name.to_owned(),
    }
}

fn object<T: Serialize + ?Sized>(resource: &T) -> Result<Map<String, Value>, DiffError> {
    match serde_json::to_value(resource)? {
        Value::Object(attributes) => Ok(attributes),
        _ => Err(DiffError::NotAnObject),
    }
}

/// Returns the names that are in at least one of the two objects, each once.
fn names_of<'m>(
    before: &'m Map<String, Value>,
    after: &'m Map<String, Value>,
) -> impl Iterator<Item = &'m str> {
    let new = after
        .keys()
        .filter(|name| names::find(before, name).is_none());
    before.keys().chain(new).map(String::as_str)
}

fn value_of<'m>(attributes: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    names::find(attributes, name).map(|(_, value)| value)
}

fn is_object(value: Option<&Value>) -> bool {
    value.is_some_and(Value::is_object)
}

/// Returns whether two values are equivalent, or both are absent.
fn is_same(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => names::is_same(left, right),
        (left, right) => left.is_none() && right.is_none(),
    }
}

/// Returns whether a value is an object with at least one sub-attribute, which may be `null`.
fn has_sub_attributes(value: Option<&Value>) -> bool {
    value
        .and_then(Value::as_object)
        .is_some_and(|attributes| !attributes.is_empty())
}
