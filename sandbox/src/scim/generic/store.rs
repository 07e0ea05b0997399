//! The users and groups of the service, in memory.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::scim::{MemberChange, Record, Records, Resource, Selection, Store, Taken, endpoint};

/// All users and groups, oldest first.
#[derive(Debug, Default)]
pub(in crate::scim) struct MemoryStore {
    /// The URL of the service, for references between resources.
    pub(super) base: String,
    records: BTreeMap<u64, (Resource, Record)>,
    positions: HashMap<String, u64>,
    last_position: u64,
}

impl MemoryStore {
    pub(in crate::scim) fn new(base: String) -> Self {
        Self {
            base,
            ..Self::default()
        }
    }

    fn find(&self, id: &str) -> Option<&(Resource, Record)> {
        self.records.get(self.positions.get(id)?)
    }

    fn of_type(&self, resource: Resource) -> impl Iterator<Item = &Record> {
        self.records
            .values()
            .filter(move |(found, _)| *found == resource)
            .map(|(_, record)| record)
    }

    fn update(&mut self, id: &str, attributes: Map<String, Value>, now: Timestamp) {
        let position = self.positions.get(id);
        let found = position.and_then(|position| self.records.get_mut(position));
        if let Some((_, record)) = found
            && record.attributes != attributes
        {
            record.attributes = attributes;
            record.modified = now;
            record.version += 1;
        }
    }

    /// Rejects a `userName` that another user has.
    fn require_unique(
        &self,
        resource: Resource,
        id: Option<&str>,
        attributes: &Map<String, Value>,
    ) -> Result<(), Taken> {
        let name = |attributes: &Map<String, Value>| {
            attributes
                .get("userName")
                .and_then(Value::as_str)
                .map(str::to_lowercase)
        };
        let Some(wanted) = name(attributes) else {
            return Ok(());
        };
        let is_taken = self
            .of_type(resource)
            .filter(|record| Some(record.id.as_str()) != id)
            .any(|record| name(&record.attributes).as_ref() == Some(&wanted));
        if is_taken {
            return Err(Taken("userName"));
        }
        Ok(())
    }

    /// Adds the location, the type and the display name to a group member.
    fn describe_member(&self, member: &mut Value) {
        let found = member["value"].as_str().and_then(|id| self.find(id));
        if let Some((resource, record)) = found {
            member["$ref"] = self.location(*resource, &record.id).into();
            member["type"] = type_name(*resource).into();
            if let Some(display) = record.attributes.get("displayName") {
                member["display"] = display.clone();
            }
        }
    }

    fn groups_of(&self, id: &str) -> Vec<Value> {
        self.of_type(Resource::Group)
            .filter(|group| {
                let members = group.attributes.get("members").and_then(Value::as_array);
                members.is_some_and(|members| members.iter().any(|member| member["value"] == id))
            })
            .map(|group| {
                json!({
                    "value": group.id,
                    "$ref": self.location(Resource::Group, &group.id),
                    "display": group.attributes.get("displayName"),
                    "type": "direct",
                })
            })
            .collect()
    }

    fn location(&self, resource: Resource, id: &str) -> String {
        format!("{}/{}/{id}", self.base, endpoint(resource))
    }
}

impl Store for MemoryStore {
    fn get(&self, resource: Resource, id: &str) -> Option<Record> {
        let (found, record) = self.find(id)?;
        (*found == resource).then(|| record.clone())
    }

    fn list(&self, resource: Resource) -> Records<'_> {
        Box::new(self.of_type(resource).cloned())
    }

    fn select(&self, resource: Resource, attribute: &str, value: &str) -> Selection<'_> {
        match attribute {
            "id" => Selection::Records(Box::new(self.get(resource, value).into_iter())),
            _ => Selection::Unindexed,
        }
    }

    fn can_be_member(&self, id: &str) -> bool {
        self.positions.contains_key(id)
    }

    fn create(
        &mut self,
        resource: Resource,
        attributes: Map<String, Value>,
        now: Timestamp,
    ) -> Result<String, Taken> {
        self.require_unique(resource, None, &attributes)?;
        self.last_position += 1;
        let position = self.last_position;
        let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, &position.to_be_bytes()).to_string();
        self.positions.insert(id.clone(), position);
        let record = Record {
            position,
            id: id.clone(),
            attributes,
            created: now,
            modified: now,
            version: 1,
        };
        self.records.insert(position, (resource, record));
        Ok(id)
    }

    fn replace(
        &mut self,
        resource: Resource,
        id: &str,
        attributes: Map<String, Value>,
        now: Timestamp,
    ) -> Result<(), Taken> {
        self.require_unique(resource, Some(id), &attributes)?;
        self.update(id, attributes, now);
        Ok(())
    }

    fn change_members(&mut self, group: &str, changes: &[MemberChange], now: Timestamp) {
        let Some(Record { mut attributes, .. }) = self.get(Resource::Group, group) else {
            return;
        };
        let mut members = match attributes.remove("members") {
            Some(Value::Array(members)) => members,
            _ => Vec::new(),
        };
        for change in changes {
            let (MemberChange::Add(id) | MemberChange::Remove(id)) = change;
            members.retain(|member| member["value"] != id.as_str());
            if let MemberChange::Add(id) = change {
                members.push(json!({ "value": id }));
            }
        }
        if !members.is_empty() {
            attributes.insert("members".to_owned(), members.into());
        }
        self.update(group, attributes, now);
    }

    fn delete(&mut self, resource: Resource, id: &str) -> bool {
        if self.get(resource, id).is_none() {
            return false;
        }
        if let Some(position) = self.positions.remove(id) {
            self.records.remove(&position);
        }
        for (_, record) in self.records.values_mut() {
            if let Some(Value::Array(members)) = record.attributes.get_mut("members") {
                members.retain(|member| member["value"] != id);
                if members.is_empty() {
                    record.attributes.remove("members");
                }
            }
        }
        true
    }

    fn expand(&self, resource: Resource, record: &Record) -> Map<String, Value> {
        let mut expanded = record.attributes.clone();
        if let Some(Value::Array(members)) = expanded.get_mut("members") {
            for member in members {
                self.describe_member(member);
            }
        }
        if resource == Resource::User {
            let groups = self.groups_of(&record.id);
            if !groups.is_empty() {
                expanded.insert("groups".to_owned(), groups.into());
            }
        }
        expanded
    }
}

fn type_name(resource: Resource) -> &'static str {
    match resource {
        Resource::User => "User",
        Resource::Group => "Group",
    }
}
