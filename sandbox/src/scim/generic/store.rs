//! The resources, and how they are shown.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    reply::Refusal,
    schema::{Resource, nothing},
};

/// All users and groups, oldest first.
#[derive(Debug, Default)]
pub(super) struct Store {
    kept: BTreeMap<u64, Kept>,
    numbers: HashMap<String, u64>,
    next: u64,
}

/// A resource, as it was written.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) resource: Resource,
    pub(super) id: String,
    pub(super) attributes: Map<String, Value>,
    created: Timestamp,
    modified: Timestamp,
    version: u64,
}

impl Kept {
    pub(super) fn version(&self) -> String {
        format!("W/\"{}\"", self.version)
    }
}

impl Store {
    pub(super) fn get(&self, resource: Resource, id: &str) -> Result<&Kept, Refusal> {
        let number = self.numbers.get(id);
        number
            .and_then(|number| self.kept.get(number))
            .filter(|kept| kept.resource == resource)
            .ok_or_else(|| absent(id))
    }

    /// The resources of a kind from a number on, each with its number.
    pub(super) fn from(
        &self,
        resource: Resource,
        first: u64,
    ) -> impl Iterator<Item = (u64, &Kept)> {
        self.kept
            .range(first..)
            .filter(move |(_, kept)| kept.resource == resource)
            .map(|(number, kept)| (*number, kept))
    }

    pub(super) fn create(
        &mut self,
        resource: Resource,
        attributes: Map<String, Value>,
        now: Timestamp,
    ) -> Result<&Kept, Refusal> {
        self.check(resource, None, &attributes)?;
        self.next += 1;
        let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, &self.next.to_be_bytes()).to_string();
        self.numbers.insert(id.clone(), self.next);
        let kept = Kept {
            resource,
            id,
            attributes,
            created: now,
            modified: now,
            version: 1,
        };
        Ok(self.kept.entry(self.next).or_insert(kept))
    }

    pub(super) fn replace(
        &mut self,
        resource: Resource,
        id: &str,
        attributes: Map<String, Value>,
        now: Timestamp,
    ) -> Result<&Kept, Refusal> {
        self.check(resource, Some(id), &attributes)?;
        let kept = self
            .numbers
            .get(id)
            .and_then(|number| self.kept.get_mut(number))
            .filter(|kept| kept.resource == resource)
            .ok_or_else(|| absent(id))?;
        if kept.attributes != attributes {
            kept.attributes = attributes;
            kept.modified = now;
            kept.version += 1;
        }
        Ok(kept)
    }

    /// Deletes a resource, and its memberships with it.
    pub(super) fn delete(&mut self, resource: Resource, id: &str) -> Result<(), Refusal> {
        self.get(resource, id)?;
        if let Some(number) = self.numbers.remove(id) {
            self.kept.remove(&number);
        }
        for kept in self.kept.values_mut() {
            if let Some(Value::Array(members)) = kept.attributes.get_mut("members") {
                members.retain(|member| member["value"] != id);
                if members.is_empty() {
                    kept.attributes.remove("members");
                }
            }
        }
        Ok(())
    }

    /// Refuses a name that is taken and members that do not exist.
    fn check(
        &self,
        resource: Resource,
        id: Option<&str>,
        attributes: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        let name = |attributes: &Map<String, Value>| {
            attributes
                .get("userName")
                .and_then(Value::as_str)
                .map(str::to_lowercase)
        };
        if let Some(wanted) = name(attributes) {
            let taken = self
                .kept
                .values()
                .filter(|kept| kept.resource == resource && Some(kept.id.as_str()) != id)
                .any(|kept| name(&kept.attributes).as_ref() == Some(&wanted));
            if taken {
                return Err(Refusal {
                    kind: Some("uniqueness"),
                    ..Refusal::new(409, format!("the userName {wanted} is taken"))
                });
            }
        }
        let members = attributes.get("members").and_then(Value::as_array);
        for member in members.into_iter().flatten() {
            let id = member["value"].as_str().unwrap_or_default();
            if !self.numbers.contains_key(id) {
                return Err(Refusal::value(format!("there is no member `{id}`")));
            }
        }
        Ok(())
    }

    /// A resource as it is shown, with all that the server knows.
    pub(super) fn shown(&self, kept: &Kept, base: &str) -> Map<String, Value> {
        let mut shown = nothing();
        let mut schemas = vec![kept.resource.schema().urn];
        schemas.extend(
            kept.resource
                .extension()
                .map(|extension| extension.urn)
                .filter(|urn| kept.attributes.contains_key(*urn)),
        );
        shown.insert("schemas".to_owned(), schemas.into());
        shown.insert("id".to_owned(), kept.id.as_str().into());
        shown.extend(kept.attributes.clone());
        if let Some(Value::Array(members)) = shown.get_mut("members") {
            for member in members {
                self.introduce(member, base);
            }
        }
        if kept.resource == Resource::User {
            let groups = self.groups_of(&kept.id, base);
            if !groups.is_empty() {
                shown.insert("groups".to_owned(), groups.into());
            }
        }
        let meta = json!({
            "resourceType": kept.resource.schema().name,
            "created": kept.created,
            "lastModified": kept.modified,
            "location": location(kept, base),
            "version": kept.version(),
        });
        shown.insert("meta".to_owned(), meta);
        shown
    }

    /// Says who a member is.
    fn introduce(&self, member: &mut Value, base: &str) {
        let number = member["value"].as_str().and_then(|id| self.numbers.get(id));
        if let Some(kept) = number.and_then(|number| self.kept.get(number)) {
            member["$ref"] = location(kept, base).into();
            member["type"] = kept.resource.schema().name.into();
            if let Some(display) = kept.attributes.get("displayName") {
                member["display"] = display.clone();
            }
        }
    }

    fn groups_of(&self, id: &str, base: &str) -> Vec<Value> {
        let groups = self.from(Resource::Group, 0).filter(|(_, group)| {
            let members = group.attributes.get("members").and_then(Value::as_array);
            members.is_some_and(|members| members.iter().any(|member| member["value"] == id))
        });
        groups
            .map(|(_, group)| {
                json!({
                    "value": group.id,
                    "$ref": location(group, base),
                    "display": group.attributes.get("displayName"),
                    "type": "direct",
                })
            })
            .collect()
    }
}

fn location(kept: &Kept, base: &str) -> String {
    format!("{base}/{}/{}", kept.resource.endpoint(), kept.id)
}

fn absent(id: &str) -> Refusal {
    Refusal::new(404, format!("there is no resource {id}"))
}
