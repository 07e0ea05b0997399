//! PATCH (RFC 7644 section 3.5.2): a request applies all of its operations or none.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{
    document::{self, object_of, single, value_of},
    filter::{Filter, Target},
    path::Path,
    profile::{MemberRules, ResourceType},
    reply::Refusal,
    schema::{Attribute, Kind, Mutability},
    store::MemberChange,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Add,
    Replace,
    Remove,
}

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The result of a PATCH request.
#[derive(Debug)]
pub(super) struct Patched {
    /// The attributes of the resource after the request.
    pub(super) attributes: Map<String, Value>,
    /// The changes of members in a service with member rules; `attributes` does not contain them.
    pub(super) member_changes: Vec<MemberChange>,
}

/// Returns a resource after a PATCH request; `representation` is the resource as clients see it.
///
/// The service has not kept the `dropped` attributes, so the resource may lack them although they are required.
pub(super) fn patched(
    resource_type: ResourceType,
    before: &Map<String, Value>,
    representation: &Map<String, Value>,
    body: &Map<String, Value>,
    dropped: &[String],
) -> Result<Patched, Refusal> {
    let schemas = body.get("schemas").and_then(Value::as_array);
    if !schemas.is_some_and(|schemas| schemas.iter().any(|schema| schema == PATCH_OP)) {
        return Err(Refusal::syntax(format!(
            "`schemas` must contain {PATCH_OP}"
        )));
    }
    let operations = body
        .get("Operations")
        .and_then(Value::as_array)
        .filter(|operations| !operations.is_empty())
        .ok_or_else(|| Refusal::syntax("`Operations` must be a list of at least one operation"))?;
    let operations: Vec<Operation<'_>> = operations
        .iter()
        .map(|operation| Operation::read(operation, resource_type))
        .collect::<Result<_, _>>()?;
    let mut patch = Patch {
        resource_type,
        representation,
        after: before.clone(),
        changed_once: Vec::new(),
        member_changes: Vec::new(),
    };
    for operation in &operations {
        patch.apply(operation)?;
    }
    if let Some(rules) = resource_type.rules().members
        && patch.member_changes.len() > rules.max_changes
    {
        return Err(Refusal::value("the request changes too many members"));
    }
    Ok(Patched {
        attributes: document::attributes(resource_type, &patch.after, dropped)?,
        member_changes: patch.member_changes,
    })
}

/// One operation of a request.
enum Operation<'b> {
    Remove(Path, Option<&'b Value>),
    Set(Verb, Path, &'b Value),
    /// An operation without a path: the value names the attributes.
    SetAll(Verb, &'b Value),
}

impl<'b> Operation<'b> {
    fn read(operation: &'b Value, resource_type: ResourceType) -> Result<Self, Refusal> {
        let verb = match operation["op"]
            .as_str()
            .map(str::to_ascii_lowercase)
            .as_deref()
        {
            Some("add") => Verb::Add,
            Some("replace") => Verb::Replace,
            Some("remove") => Verb::Remove,
            _ => return Err(Refusal::syntax("`op` must be add, remove or replace")),
        };
        let path = match operation.get("path") {
            None | Some(Value::Null) => None,
            Some(Value::String(path)) => Some(Path::read(path, resource_type)?),
            Some(_) => return Err(Refusal::path("`path` must be a string")),
        };
        let null_is_missing = resource_type.profile.patch.null_is_missing;
        let value = operation
            .get("value")
            .filter(|value| !(null_is_missing && value.is_null()));
        match (verb, path, value) {
            (Verb::Remove, None, _) => Err(Refusal::bad("noTarget", "`remove` needs a path")),
            (Verb::Remove, Some(path), value) => Ok(Self::Remove(path, value)),
            (_, _, None) => Err(Refusal::value("`value` is missing")),
            (verb, Some(path), Some(value)) => Ok(Self::Set(verb, path, value)),
            (verb, None, Some(value)) => Ok(Self::SetAll(verb, value)),
        }
    }
}

/// A request in progress.
struct Patch<'p> {
    resource_type: ResourceType,
    representation: &'p Map<String, Value>,
    after: Map<String, Value>,
    /// The changed attributes among those that a request can change only once.
    changed_once: Vec<&'static str>,
    member_changes: Vec<MemberChange>,
}

impl Patch<'_> {
    fn apply(&mut self, operation: &Operation<'_>) -> Result<(), Refusal> {
        match operation {
            Operation::Remove(path, value) => self.remove(path, *value),
            Operation::Set(verb, path, value) => self.set(*verb, path, value),
            Operation::SetAll(verb, value) => self.set_all(*verb, value),
        }
    }

    fn set_all(&mut self, verb: Verb, value: &Value) -> Result<(), Refusal> {
        let resource_type = self.resource_type;
        let single_attribute = resource_type.profile.patch.single_attribute_message;
        let object = value
            .as_object()
            .ok_or_else(|| Refusal::value("without a path, `value` must be an object"))?;
        let attributes = object.iter().filter(|(name, _)| {
            let is_id = single_attribute.is_some() && *name == "id";
            !resource_type.is_name("schemas", name) && !is_id
        });
        if let Some(message) = single_attribute
            && attributes.clone().count() != 1
        {
            return Err(Refusal::exact(400, message));
        }
        for (name, value) in attributes {
            // Clients send read-only attributes back; an unchanged read-only attribute is not an error.
            let path = Path::read(name, resource_type)?;
            if let Path::Attribute { target, .. } = &path
                && target.attribute.mutability == Mutability::ReadOnly
                && self.representation.get(target.attribute.name) == Some(value)
            {
                continue;
            }
            self.set(verb, &path, value)?;
        }
        Ok(())
    }

    fn set(&mut self, verb: Verb, path: &Path, value: &Value) -> Result<(), Refusal> {
        let resource_type = self.resource_type;
        let rules = &resource_type.profile.patch;
        let (target, filter) = match path {
            Path::Attribute { target, filter } => (target, filter.as_ref()),
            Path::Extension(extension) => {
                let object = value
                    .as_object()
                    .ok_or_else(|| Refusal::value("an extension must be an object"))?;
                if verb == Verb::Replace && rules.replaces_extension {
                    self.after.remove(extension.urn);
                }
                for (name, value) in object {
                    if name == "schemas" && rules.ignores_extension_schemas {
                        continue;
                    }
                    let attribute =
                        resource_type
                            .named(extension.attributes, name)
                            .ok_or_else(|| {
                                Refusal::path(format!("the attribute `{name}` does not exist"))
                            })?;
                    let target = Target {
                        holder: Some(extension.urn),
                        attribute,
                        sub_attribute: None,
                    };
                    let filter = None;
                    self.set(verb, &Path::Attribute { target, filter }, value)?;
                }
                return Ok(());
            }
        };
        // Null means "no value" (RFC 7643 section 2.5), also in an `add` operation.
        let (admitted, verb) = if value.is_null() {
            (Verb::Remove, Verb::Replace)
        } else {
            (verb, verb)
        };
        self.admit(admitted, target)?;
        if let Some(members) = self.member_rules(target) {
            return self.change_members(members, verb, target, filter, Some(value));
        }
        let attribute = target.attribute;
        let holder = holder(&mut self.after, target)?;
        if let Some(filter) = filter {
            return set_selected(resource_type, holder, target, filter, verb, value);
        }
        if let Some(inner) = target.sub_attribute {
            return set_inner(resource_type, holder, attribute, inner, value);
        }
        let adapted = match value {
            // A client may add a single value without a list around it.
            Value::Object(_)
                if attribute.multi_valued && verb == Verb::Add && rules.wraps_values =>
            {
                Some(json!([value]))
            }
            Value::String(text) if rules.boolean_texts.contains(&attribute.name) => {
                text.to_ascii_lowercase().parse().map(Value::Bool).ok()
            }
            _ => None,
        };
        let value = adapted.as_ref().unwrap_or(value);
        if attribute.kind == Kind::Complex
            && let (Some(Value::Object(known)), Value::Object(more)) =
                (holder.get_mut(attribute.name), value)
            && !more.is_empty()
        {
            return merge(resource_type, attribute, known, more);
        }
        match (
            holder.get_mut(attribute.name),
            value_of(resource_type, attribute, value)?,
        ) {
            (_, None) if verb == Verb::Replace => {
                holder.remove(attribute.name);
            }
            (_, None) => {}
            (Some(Value::Array(known)), Some(Value::Array(more))) if verb == Verb::Add => {
                add(known, more);
            }
            (_, Some(value)) => {
                holder.insert(attribute.name.to_owned(), value);
            }
        }
        Ok(())
    }

    fn remove(&mut self, path: &Path, value: Option<&Value>) -> Result<(), Refusal> {
        let resource_type = self.resource_type;
        let member_rules = match path {
            Path::Attribute { target, .. } => self.member_rules(target),
            Path::Extension(_) => None,
        };
        let may_have_value =
            member_rules.is_some() || resource_type.profile.patch.remove_ignores_value;
        // The RFC does not define a `value` for `remove`. Given a list of values, one server in four removes
        // all values of the attribute.
        if !may_have_value && value.is_some_and(|value| !value.is_null()) {
            return Err(Refusal::value(
                "`remove` must not have a value; select the values with a filter in the path",
            ));
        }
        let (target, filter) = match path {
            Path::Attribute { target, filter } => (target, filter.as_ref()),
            Path::Extension(extension) => {
                self.after.remove(extension.urn);
                return Ok(());
            }
        };
        self.admit(Verb::Remove, target)?;
        if let Some(rules) = member_rules {
            return self.change_members(rules, Verb::Remove, target, filter, value);
        }
        let attribute = target.attribute;
        if attribute.required && filter.is_none() && target.sub_attribute.is_none() {
            return Err(Refusal::mutability(attribute.name));
        }
        let holder = holder(&mut self.after, target)?;
        if let Some(value) = holder.get_mut(attribute.name) {
            remove_from(value, target, filter)?;
        } else if filter.is_some() && target.sub_attribute.is_some() {
            return Err(no_target(attribute));
        }
        // An empty list or object counts as missing, so it is removed (RFC 7643 section 2.5).
        holder.retain(|_, value| match value {
            Value::Null => false,
            Value::Array(items) => !items.is_empty(),
            Value::Object(object) => !object.is_empty(),
            _ => true,
        });
        let holder = target
            .holder
            .filter(|holder| self.after[*holder].as_object().is_some_and(Map::is_empty));
        if let Some(holder) = holder {
            self.after.remove(holder);
        }
        Ok(())
    }

    /// Rejects a change that the schema or the profile does not allow.
    fn admit(&mut self, verb: Verb, target: &Target) -> Result<(), Refusal> {
        let rules = &self.resource_type.profile.patch;
        let name = target.attribute.name;
        let is_locked = |attribute: &Attribute| {
            matches!(
                attribute.mutability,
                Mutability::ReadOnly | Mutability::FilterOnly
            )
        };
        if is_locked(target.attribute) || target.sub_attribute.is_some_and(is_locked) {
            return Err(Refusal::mutability(target.last().name));
        }
        if rules.excluded.contains(&name) {
            return Err(Refusal::mutability(name));
        }
        if rules.once.contains(&name) {
            if verb == Verb::Remove || self.changed_once.contains(&name) {
                return Err(Refusal::mutability(name));
            }
            self.changed_once.push(name);
        }
        Ok(())
    }

    fn member_rules(&self, target: &Target) -> Option<MemberRules> {
        let rules = self.resource_type.rules().members;
        rules.filter(|_| target.attribute.name == "members")
    }

    /// Adds or removes single members: a service with member rules does not replace or remove all of them.
    fn change_members(
        &mut self,
        rules: MemberRules,
        verb: Verb,
        target: &Target,
        filter: Option<&Filter>,
        value: Option<&Value>,
    ) -> Result<(), Refusal> {
        let unsupported = || Refusal::path("the service does not support this change of members");
        match (verb, filter, target.sub_attribute, value) {
            (Verb::Replace, None, None, _) => Err(Refusal::exact(400, rules.replace_message)),
            (Verb::Remove, Some(filter), None, _) => match filter.equality() {
                Some((target, id)) if target.attribute.name == "value" => {
                    self.member_changes
                        .push(MemberChange::Remove(id.to_owned()));
                    Ok(())
                }
                _ => Err(unsupported()),
            },
            (Verb::Add | Verb::Remove, None, None, Some(value)) => {
                let members = value_of(self.resource_type, target.attribute, value)?
                    .ok_or_else(|| Refusal::value("`value` must name a member"))?;
                let change = match verb {
                    Verb::Remove => MemberChange::Remove,
                    _ => MemberChange::Add,
                };
                let ids = member_ids(&members).map(str::to_owned);
                self.member_changes.extend(ids.map(change));
                Ok(())
            }
            _ => Err(unsupported()),
        }
    }
}

/// Returns the ids in a list of group members.
pub(crate) fn member_ids(members: &Value) -> impl Iterator<Item = &str> {
    let members = members.as_array().map(Vec::as_slice).unwrap_or_default();
    members
        .iter()
        .map(|member| member["value"].as_str().unwrap_or_default())
}

/// Changes the sub-attributes of a complex attribute that `more` contains; null removes a sub-attribute.
fn merge(
    resource_type: ResourceType,
    attribute: &Attribute,
    known: &mut Map<String, Value>,
    more: &Map<String, Value>,
) -> Result<(), Refusal> {
    let inner = attribute.sub_attributes;
    known.extend(object_of(resource_type, inner, attribute.open, more)?);
    for (name, _) in more.iter().filter(|(_, value)| value.is_null()) {
        if let Some(attribute) = resource_type.named(inner, name) {
            known.remove(attribute.name);
        }
    }
    Ok(())
}

/// Sets a sub-attribute of an attribute, in all of its values.
fn set_inner(
    resource_type: ResourceType,
    holder: &mut Map<String, Value>,
    attribute: &Attribute,
    inner: &Attribute,
    value: &Value,
) -> Result<(), Refusal> {
    let Some(value) = value_of(resource_type, inner, value)? else {
        return Ok(());
    };
    match holder.get_mut(attribute.name) {
        Some(Value::Array(items)) => items
            .iter_mut()
            .try_for_each(|item| set_sub_attribute(item, inner, value.clone())),
        None if attribute.multi_valued => Err(no_target(attribute)),
        _ => {
            let outer = holder
                .entry(attribute.name)
                .or_insert_with(|| Map::new().into());
            set_sub_attribute(outer, inner, value)
        }
    }
}

/// Adds values to a list: a value is not added twice, and a new primary value replaces the old one as
/// primary.
fn add(known: &mut Vec<Value>, more: Vec<Value>) {
    // Equal values have the same `value`, so only those are compared.
    let mut by_value: HashMap<String, Vec<usize>> = HashMap::new();
    let key = |item: &Value| item["value"].as_str().unwrap_or_default().to_owned();
    for (index, item) in known.iter().enumerate() {
        by_value.entry(key(item)).or_default().push(index);
    }
    for value in more {
        let candidates = by_value.entry(key(&value)).or_default();
        let is_same = |index: &usize| {
            let item = &known[*index];
            *item == value || is_same_member(item, &value)
        };
        if candidates.iter().any(is_same) {
            continue;
        }
        candidates.push(known.len());
        if value["primary"] == true {
            for item in known.iter_mut().filter(|item| item["primary"] == true) {
                item["primary"] = false.into();
            }
        }
        known.push(value);
    }
}

/// Returns whether two values are the same group member: the ids must be equal, and also the types if both
/// values have a type.
fn is_same_member(item: &Value, value: &Value) -> bool {
    let is_member = |value: &Value| {
        value.as_object().is_some_and(|object| {
            object.contains_key("value")
                && object
                    .keys()
                    .all(|key| ["value", "$ref", "type"].contains(&key.as_str()))
        })
    };
    is_member(item) && is_member(value) && item["value"] == value["value"] && {
        let kind = |value: &Value| value.get("type").cloned();
        kind(item).is_none() || kind(value).is_none() || kind(item) == kind(value)
    }
}

fn set_selected(
    resource_type: ResourceType,
    holder: &mut Map<String, Value>,
    target: &Target,
    filter: &Filter,
    verb: Verb,
    value: &Value,
) -> Result<(), Refusal> {
    let attribute = target.attribute;
    let items = holder.get_mut(attribute.name).and_then(Value::as_array_mut);
    let selected: Vec<&mut Value> = items
        .map(|items| {
            items
                .iter_mut()
                .filter(|item| matches(filter, item))
                .collect()
        })
        .unwrap_or_default();
    if selected.is_empty() {
        return Err(no_target(attribute));
    }
    let merges = resource_type.profile.patch.merges_selected;
    for item in selected {
        if let Some(inner) = target.sub_attribute {
            let value = value_of(resource_type, inner, value)?
                .ok_or_else(|| Refusal::value(format!("`{}` must have a value", inner.name)))?;
            set_sub_attribute(item, inner, value)?;
            continue;
        }
        let new = single(resource_type, attribute, value)?
            .ok_or_else(|| Refusal::value(format!("`{}` must have a value", attribute.name)))?;
        match (verb, item.as_object_mut(), new) {
            (Verb::Add, Some(known), Value::Object(more)) if merges => known.extend(more),
            (_, _, new) => *item = new,
        }
    }
    Ok(())
}

/// Removes values, or a sub-attribute of them; a filter selects the values.
fn remove_from(value: &mut Value, target: &Target, filter: Option<&Filter>) -> Result<(), Refusal> {
    let is_selected = |item: &Value| filter.is_none_or(|filter| matches(filter, item));
    match (value, target.sub_attribute) {
        (Value::Array(items), None) => items.retain(|item| !is_selected(item)),
        (Value::Array(items), Some(inner)) => {
            if filter.is_some() && !items.iter().any(is_selected) {
                return Err(no_target(target.attribute));
            }
            for item in items.iter_mut().filter(|item| is_selected(item)) {
                remove_sub_attribute(item, inner);
            }
            items.retain(|item| item.as_object().is_none_or(|item| !item.is_empty()));
        }
        (value, Some(inner)) => remove_sub_attribute(value, inner),
        (value, None) => *value = Value::Null,
    }
    Ok(())
}

fn no_target(attribute: &Attribute) -> Refusal {
    let name = attribute.name;
    Refusal::bad("noTarget", format!("the path selects no value of `{name}`"))
}

/// Returns the object that contains the attribute: the resource or one of its extensions.
fn holder<'a>(
    after: &'a mut Map<String, Value>,
    target: &Target,
) -> Result<&'a mut Map<String, Value>, Refusal> {
    let Some(urn) = target.holder else {
        return Ok(after);
    };
    after
        .entry(urn)
        .or_insert_with(|| Map::new().into())
        .as_object_mut()
        .ok_or_else(|| Refusal::value("an extension must be an object"))
}

fn matches(filter: &Filter, item: &Value) -> bool {
    item.as_object().is_some_and(|item| filter.matches(item))
}

fn set_sub_attribute(holder: &mut Value, inner: &Attribute, value: Value) -> Result<(), Refusal> {
    let object = holder
        .as_object_mut()
        .ok_or_else(|| Refusal::path(format!("the parent of `{}` is not an object", inner.name)))?;
    let changed = object.get(inner.name).is_some_and(|known| *known != value);
    if inner.mutability == Mutability::Immutable && changed {
        return Err(Refusal::mutability(inner.name));
    }
    object.insert(inner.name.to_owned(), value);
    Ok(())
}

fn remove_sub_attribute(holder: &mut Value, inner: &Attribute) {
    if let Some(object) = holder.as_object_mut() {
        object.remove(inner.name);
    }
}
