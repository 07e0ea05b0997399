//! `/api/v1/groups/rules`: rules that add users to groups, and remove the users that no longer match.

use std::collections::{BTreeMap, BTreeSet};

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Org,
    expression::{Context, Expression},
    groups::{Group, Kind},
    paging::{After, PageSizes, page},
    query::Call,
    reply::{Refusal, Reply},
    timestamps::millis,
    users::User,
};

/// One group rule.
#[derive(Debug)]
pub(super) struct Rule {
    id: String,
    name: String,
    status: Status,
    expression: String,
    condition: Expression,
    excluded: BTreeSet<String>,
    groups: Vec<String>,
    /// The users that the rule added to its groups.
    added: BTreeSet<String>,
    created: Timestamp,
    updated: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Active,
    Inactive,
    /// A group of the rule was deleted.
    Invalid,
}

/// The content of a request that creates or replaces a rule.
struct Draft {
    name: String,
    expression: String,
    condition: Expression,
    excluded: BTreeSet<String>,
    groups: Vec<String>,
}

impl Rule {
    fn document(&self) -> Value {
        json!({
            "type": "group_rule",
            "id": self.id,
            "status": match self.status {
                Status::Active => "ACTIVE",
                Status::Inactive => "INACTIVE",
                Status::Invalid => "INVALID",
            },
            "name": self.name,
            "created": millis(self.created),
            "lastUpdated": millis(self.updated),
            "conditions": {
                "people": {
                    "users": { "exclude": self.excluded },
                    "groups": { "exclude": [] },
                },
                "expression": { "value": self.expression, "type": LANGUAGE },
            },
            "actions": { "assignUserToGroups": { "groupIds": self.groups } },
            "allGroupsValid": self.status != Status::Invalid,
        })
    }
}

/// The attributes and memberships of a user.
struct UserContext<'a> {
    user: &'a User,
    groups: &'a BTreeMap<String, Group>,
}

impl Context for UserContext<'_> {
    fn attribute(&self, object: &str, name: &str) -> Value {
        let value = self.user.profile.get(name).filter(|_| object == "user");
        value.cloned().unwrap_or_default()
    }

    fn is_member(&self, is_wanted: &dyn Fn(&str, &str) -> bool) -> bool {
        self.groups
            .values()
            .any(|group| is_wanted(&group.id, &group.name) && group.members.contains(&self.user.id))
    }
}

impl Org {
    pub(super) fn rules_endpoint(
        &mut self,
        call: &Call<'_>,
        path: &[&str],
    ) -> Result<Reply, Refusal> {
        match (call.method, path) {
            (&Method::GET, []) => self.list_rules(call),
            (&Method::POST, []) => self.create_rule(call),
            (&Method::GET, [rule]) => {
                call.allow_only(&["expand"])?;
                Ok(Reply::ok(self.rule_document(call, self.rule(rule)?)))
            }
            (&Method::PUT, [rule]) => self.replace_rule(call, rule),
            (&Method::DELETE, [rule]) => self.delete_rule(call, rule),
            (&Method::POST, [rule, "lifecycle", verb @ ("activate" | "deactivate")]) => {
                call.allow_only(&[])?;
                self.set_rule_active(rule, *verb == "activate", call.now)
            }
            (_, [] | [_] | [_, "lifecycle", "activate" | "deactivate"]) => Err(Refusal::method()),
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }

    fn rule(&self, id: &str) -> Result<&Rule, Refusal> {
        self.rules
            .get(id)
            .ok_or_else(|| Refusal::not_found(id, "GroupRule"))
    }

    fn rule_document(&self, call: &Call<'_>, rule: &Rule) -> Value {
        let mut document = rule.document();
        if call.parameter("expand") == Some("groupIdToGroupNameMap") {
            let groups = rule.groups.iter().filter_map(|id| self.groups.get(id));
            let names: Map<String, Value> = groups
                .map(|group| (group.id.clone(), group.name.as_str().into()))
                .collect();
            document["_embedded"] = json!({ "groupIdToGroupNameMap": names });
        }
        document
    }

    fn list_rules(&self, call: &Call<'_>) -> Result<Reply, Refusal> {
        call.allow_only(&["limit", "after", "search", "expand"])?;
        let keyword = call.parameter("search").map(str::to_lowercase);
        let wanted = |rule: &Rule| {
            (keyword.as_ref()).is_none_or(|keyword| rule.name.to_lowercase().contains(keyword))
        };
        let found = |after: After<'_>| {
            let rules = self.rules.range::<str, _>(after);
            rules.filter(|(_, rule)| wanted(rule))
        };
        page(
            call,
            PageSizes::new(50, 200),
            self.page_size,
            found,
            |rule| self.rule_document(call, rule),
        )
    }

    fn create_rule(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let draft = self.read_rule(&call.json_object()?, None)?;
        let rule = Rule {
            id: self.ids.id("0pr"),
            name: draft.name,
            status: Status::Inactive,
            expression: draft.expression,
            condition: draft.condition,
            excluded: draft.excluded,
            groups: draft.groups,
            added: BTreeSet::new(),
            created: call.now,
            updated: call.now,
        };
        let document = rule.document();
        self.rules.insert(rule.id.clone(), rule);
        Ok(Reply::ok(document))
    }

    fn replace_rule(&mut self, call: &Call<'_>, id: &str) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let body = call.json_object()?;
        self.check_rule_is_inactive(id)?;
        let draft = self.read_rule(&body, Some(id))?;
        let rule = self.rule_mut(id)?;
        if draft.groups != rule.groups {
            return Err(Refusal::invalid(
                "actions",
                "actions: The groups of a rule cannot be changed",
            ));
        }
        rule.name = draft.name;
        rule.expression = draft.expression;
        rule.condition = draft.condition;
        rule.excluded = draft.excluded;
        rule.updated = call.now;
        Ok(Reply::ok(rule.document()))
    }

    fn delete_rule(&mut self, call: &Call<'_>, id: &str) -> Result<Reply, Refusal> {
        call.allow_only(&["removeUsers"])?;
        let remove_users = call.bool_parameter("removeUsers", false)?;
        self.check_rule_is_inactive(id)?;
        if let Some(rule) = self.rules.remove(id).filter(|_| remove_users) {
            for user in &rule.added {
                for group in &rule.groups {
                    self.change_membership(group, user, false, call.now);
                }
                self.refresh_user(user, call.now);
            }
        }
        Ok(Reply::empty(StatusCode::ACCEPTED))
    }

    fn set_rule_active(
        &mut self,
        id: &str,
        active: bool,
        now: Timestamp,
    ) -> Result<Reply, Refusal> {
        let rule = self.rule_mut(id)?;
        if rule.status == Status::Invalid {
            let cause = "status: A group of the rule does not exist";
            return Err(Refusal::invalid("status", cause));
        }
        rule.status = if active {
            Status::Active
        } else {
            Status::Inactive
        };
        rule.updated = now;
        if active {
            let users: Vec<String> = self.users.values().map(|user| user.id.clone()).collect();
            for user in &users {
                self.refresh_user(user, now);
            }
        }
        Ok(Reply::no_content())
    }

    fn rule_mut(&mut self, id: &str) -> Result<&mut Rule, Refusal> {
        self.rules
            .get_mut(id)
            .ok_or_else(|| Refusal::not_found(id, "GroupRule"))
    }

    /// Refuses a change of an active rule: "You can only update rules with a group whose status is set to
    /// `INACTIVE`" (Okta's API reference, "Replace a group rule").
    fn check_rule_is_inactive(&self, id: &str) -> Result<(), Refusal> {
        if self.rule(id)?.status != Status::Active {
            return Ok(());
        }
        let cause = "status: The rule must be inactive to be changed";
        Err(Refusal::invalid("status", cause))
    }

    fn read_rule(&self, body: &Map<String, Value>, id: Option<&str>) -> Result<Draft, Refusal> {
        let name = body.get("name").and_then(Value::as_str);
        let Some(name) = name.filter(|name| !name.trim().is_empty()) else {
            return Err(Refusal::blank("name"));
        };
        // Source: `GroupRule` in Okta's API description.
        if name.chars().count() > 50 {
            return Err(Refusal::invalid("name", "name: The field is too long"));
        }
        let is_taken = |rule: &Rule| rule.name == name && Some(rule.id.as_str()) != id;
        if self.rules.values().any(is_taken) {
            return Err(Refusal::invalid(
                "name",
                "name: Policy rule name already in use",
            ));
        }
        if body.get("type").and_then(Value::as_str) != Some("group_rule") {
            return Err(Refusal::not_allowed("type"));
        }
        let null = Value::Null;
        let conditions = body.get("conditions").unwrap_or(&null);
        let expression = &conditions["expression"];
        let Some(text) = expression["value"].as_str() else {
            return Err(Refusal::blank("conditions.expression.value"));
        };
        if expression["type"] != LANGUAGE {
            return Err(Refusal::not_allowed("conditions.expression.type"));
        }
        let condition = Expression::parse(text)
            .map_err(|cause| Refusal::invalid("validateRule", format!("expression: {cause}")))?;
        let texts = |value: &Value| -> Vec<String> {
            let items = value.as_array().into_iter().flatten();
            items
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect()
        };
        let actions = body.get("actions").unwrap_or(&null);
        let groups = texts(&actions["assignUserToGroups"]["groupIds"]);
        if groups.is_empty() {
            return Err(Refusal::blank("actions.assignUserToGroups.groupIds"));
        }
        let is_usable = |id: &String| {
            let group = self.groups.get(id);
            group.is_some_and(|group| group.kind == Kind::Okta)
        };
        if id.is_none() && !groups.iter().all(is_usable) {
            let cause = "groupIds: Each group must exist and be of type OKTA_GROUP";
            return Err(Refusal::invalid("groupIds", cause));
        }
        let excluded = texts(&conditions["people"]["users"]["exclude"]);
        Ok(Draft {
            name: name.to_owned(),
            expression: text.to_owned(),
            condition,
            excluded: excluded.into_iter().collect(),
            groups,
        })
    }

    /// Applies the active rules to a user.
    pub(super) fn apply_rules(&mut self, id: &str, now: Timestamp) {
        let Some(user) = self.users.get(id) else {
            for rule in self.rules.values_mut() {
                rule.added.remove(id);
            }
            return;
        };
        let context = UserContext {
            user,
            groups: &self.groups,
        };
        let mut changes: Vec<(String, bool)> = Vec::new();
        for rule in self.rules.values_mut() {
            if rule.status != Status::Active || user.is_deprovisioned() {
                continue;
            }
            let matches = rule.condition.is_true(&context) && !rule.excluded.contains(id);
            let is_new = |group: &&String| {
                let group = self.groups.get(*group);
                group.is_some_and(|group| !group.members.contains(id))
            };
            if matches {
                let missing: Vec<&String> = rule.groups.iter().filter(is_new).collect();
                if !missing.is_empty() {
                    rule.added.insert(id.to_owned());
                }
                changes.extend(missing.into_iter().map(|group| (group.clone(), true)));
            } else if rule.added.remove(id) {
                changes.extend(rule.groups.iter().map(|group| (group.clone(), false)));
            }
        }
        for (group, member) in changes {
            self.change_membership(&group, id, member, now);
        }
    }

    /// Excludes a user from the active rules that would add the user to the group again.
    pub(super) fn exclude_from_rules(&mut self, group: &str, user: &str) {
        for rule in self.rules.values_mut() {
            let adds_to_group = rule.groups.iter().any(|id| id == group);
            if adds_to_group && rule.added.remove(user) {
                rule.excluded.insert(user.to_owned());
            }
        }
    }

    /// Marks the rules that add users to a deleted group as invalid.
    pub(super) fn invalidate_rules(&mut self, group: &str) {
        for rule in self.rules.values_mut() {
            if rule.groups.iter().any(|id| id == group) {
                rule.status = Status::Invalid;
            }
        }
    }
}

const LANGUAGE: &str = "urn:okta:expression:1.0";
