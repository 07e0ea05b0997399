//! The stored resources, and their representation for clients.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    reply::Refusal,
    schema::{Resource, empty_object},
};

/// All users and groups, oldest first.
#[derive(Debug, Default)]
pub(super) struct Store {
    resources: BTreeMap<u64, StoredResource>,
    positions: HashMap<String, u64>,
    next: u64,
}

/// A stored resource.
#[derive(Debug)]
pub(super) struct StoredResource {
    pub(super) resource: Resource,
    pub(super) id: String,
    pub(super) attributes: Map<String, Value>,
    created: Timestamp,
    modified: Timestamp,
    version: u64,
}

impl StoredResource {
    pub(super) fn version(&self) -> String {
        format!("W/\"{}\"", self.version)
    }
}

impl Store {
    pub(super) fn get(&self, resource: Resource, id: &str) -> Result<&StoredResource, Refusal> {
        let position = self.positions.get(id);
        position
            .and_then(|position| self.resources.get(position))
            .filter(|stored| stored.resource == resource)
            .ok_or_else(|| absent(id))
    }

    /// Returns the resources of a type at or after a position, each with its position.
    pub(super) fn resources_from(
        &self,
        resource: Resource,
        first: u64,
    ) -> impl Iterator<Item = (u64, &StoredResource)> {
        self.resources
            .range(first..)
            .filter(move |(_, stored)| stored.resource == resource)
            .map(|(position, stored)| (*position, stored))
    }

    pub(super) fn create(
        &mut self,
        resource: Resource,
        attributes: Map<String, Value>,
        now: Timestamp,
    ) -> Result<&StoredResource, Refusal> {
        self.check(resource, None, &attributes)?;
        self.next += 1;
        let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, &self.next.to_be_bytes()).to_string();
        self.positions.insert(id.clone(), self.next);
        let stored = StoredResource {
            resource,
            id,
            attributes,
            created: now,
            modified: now,
            version: 1,
        };
        Ok(self.resources.entry(self.next).or_insert(stored))
    }

    pub(super) fn replace(
        &mut self,
        resource: Resource,
        id: &str,
        attributes: Map<String, Value>,
        now: Timestamp,
    ) -> Result<&StoredResource, Refusal> {
        self.check(resource, Some(id), &attributes)?;
        let stored = self
            .positions
            .get(id)
            .and_then(|position| self.resources.get_mut(position))
            .filter(|stored| stored.resource == resource)
            .ok_or_else(|| absent(id))?;
        if stored.attributes != attributes {
            stored.attributes = attributes;
            stored.modified = now;
            stored.version += 1;
        }
        Ok(stored)
    }

    /// Deletes a resource and its group memberships.
    pub(super) fn delete(&mut self, resource: Resource, id: &str) -> Result<(), Refusal> {
        self.get(resource, id)?;
        if let Some(position) = self.positions.remove(id) {
            self.resources.remove(&position);
        }
        for stored in self.resources.values_mut() {
            if let Some(Value::Array(members)) = stored.attributes.get_mut("members") {
                members.retain(|member| member["value"] != id);
                if members.is_empty() {
                    stored.attributes.remove("members");
                }
            }
        }
        Ok(())
    }

    /// Rejects a duplicate `userName` and members that do not exist.
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
            let duplicate = self
                .resources
                .values()
                .filter(|stored| stored.resource == resource && Some(stored.id.as_str()) != id)
                .any(|stored| name(&stored.attributes).as_ref() == Some(&wanted));
            if duplicate {
                return Err(Refusal {
                    kind: Some("uniqueness"),
                    ..Refusal::new(409, format!("another user has the userName {wanted}"))
                });
            }
        }
        let members = attributes.get("members").and_then(Value::as_array);
        for member in members.into_iter().flatten() {
            let id = member["value"].as_str().unwrap_or_default();
            if !self.positions.contains_key(id) {
                return Err(Refusal::value(format!("the member `{id}` does not exist")));
            }
        }
        Ok(())
    }

    /// Returns the representation of a resource, including the attributes that the server adds.
    pub(super) fn render(&self, stored: &StoredResource, base: &str) -> Map<String, Value> {
        let mut rendered = empty_object();
        let mut schemas = vec![stored.resource.schema().urn];
        schemas.extend(
            stored
                .resource
                .extension()
                .map(|extension| extension.urn)
                .filter(|urn| stored.attributes.contains_key(*urn)),
        );
        rendered.insert("schemas".to_owned(), schemas.into());
        rendered.insert("id".to_owned(), stored.id.as_str().into());
        rendered.extend(stored.attributes.clone());
        if let Some(Value::Array(members)) = rendered.get_mut("members") {
            for member in members {
                self.describe_member(member, base);
            }
        }
        if stored.resource == Resource::User {
            let groups = self.groups_of(&stored.id, base);
            if !groups.is_empty() {
                rendered.insert("groups".to_owned(), groups.into());
            }
        }
        let meta = json!({
            "resourceType": stored.resource.schema().name,
            "created": stored.created,
            "lastModified": stored.modified,
            "location": location(stored, base),
            "version": stored.version(),
        });
        rendered.insert("meta".to_owned(), meta);
        rendered
    }

    /// Adds the location, the type and the display name to a group member.
    fn describe_member(&self, member: &mut Value, base: &str) {
        let position = member["value"]
            .as_str()
            .and_then(|id| self.positions.get(id));
        if let Some(stored) = position.and_then(|position| self.resources.get(position)) {
            member["$ref"] = location(stored, base).into();
            member["type"] = stored.resource.schema().name.into();
            if let Some(display) = stored.attributes.get("displayName") {
                member["display"] = display.clone();
            }
        }
    }

    fn groups_of(&self, id: &str, base: &str) -> Vec<Value> {
        let groups = self
            .resources_from(Resource::Group, 0)
            .filter(|(_, group)| {
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

fn location(stored: &StoredResource, base: &str) -> String {
    format!("{base}/{}/{}", stored.resource.endpoint(), stored.id)
}

fn absent(id: &str) -> Refusal {
    Refusal::new(404, format!("the resource {id} does not exist"))
}
