//! Group rules: they add users to groups by an expression.

use rest_core::{Call, Idempotency, Pager};
use serde_json::{Value, json};

use crate::{
    Client, Edit, Error, Group, Id, User, client::join, json::resource, open_enum::open_enum,
};

/// Calls for group rules.
///
/// Okta answers 423 (`E0000239`) while it reorders rules; such calls are tried again.
#[derive(Debug, Clone, Copy)]
pub struct GroupRules<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the calls for group rules.
    #[must_use]
    pub fn group_rules(&self) -> GroupRules<'_> {
        GroupRules { client: self }
    }
}

impl GroupRules<'_> {
    /// Lists the rules that match `options`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # rule(&okta).await?;
    /// let options = ListGroupRules { search: Some("Engineers".to_owned()), ..ListGroupRules::default() };
    /// let rules = okta.group_rules().list(options).try_collect().await?;
    /// assert_eq!(rules[0].status, GroupRuleStatus::Inactive);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading a page fails if the request fails.
    ///
    /// Scope: `okta.groups.read`.
    pub fn list(&self, options: ListGroupRules) -> Pager<GroupRule, Error> {
        self.client.list(move || {
            let expand = options.with_group_names.then_some("groupIdToGroupNameMap");
            Call::get(RULES)
                .query("limit", options.limit.unwrap_or(PAGE).to_string())
                .query_opt("search", options.search.clone())
                .query_opt("expand", expand)
        })
    }

    /// Returns a rule. Use [`get_opt`](Self::get_opt) if the rule may not exist.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = rule(&okta).await?;
    /// let rule = okta.group_rules().get(&id).await?;
    /// assert_eq!(rule.expression.as_deref(), Some("user.department==\"Engineering\""));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the rule does not exist.
    ///
    /// Scope: `okta.groups.read`.
    pub async fn get(&self, id: &Id<GroupRule>) -> Result<GroupRule, Error> {
        self.client.read(Call::get(path(id, &[]))).await
    }

    /// Returns a rule, or `None` if the rule does not exist.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = rule(&okta).await?;
    /// let rule = okta.group_rules().get_opt(&id).await?;
    /// assert_eq!(rule.expect("the rule").name, "Engineers");
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    ///
    /// Scope: `okta.groups.read`.
    pub async fn get_opt(&self, id: &Id<GroupRule>) -> Result<Option<GroupRule>, Error> {
        self.client.read_opt(Call::get(path(id, &[]))).await
    }

    /// Creates a rule, which is [`Inactive`](GroupRuleStatus::Inactive) until it is activated.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let group = okta.groups().create("engineers", None).await?.id;
    /// let rule = NewGroupRule {
    ///     name: "Engineers".to_owned(),
    ///     expression: "user.department==\"Engineering\"".to_owned(),
    ///     groups: vec![group],
    ///     ..NewGroupRule::default()
    /// };
    /// let rule = okta.group_rules().create(&rule).await?;
    /// assert_eq!(rule.status, GroupRuleStatus::Inactive);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if Okta rejects the expression, or if the name is already in use. If
    /// [`Error::may_have_acted`], Okta may have created the rule: check with [`list`](Self::list).
    ///
    /// Scope: `okta.groups.manage`.
    pub async fn create(&self, rule: &NewGroupRule) -> Result<GroupRule, Error> {
        self.client.read(Call::post(RULES).json(&rule.body())).await
    }

    /// Replaces a rule with an edit from [`GroupRule::edit`]. The rule must be
    /// [`Inactive`](GroupRuleStatus::Inactive). Okta does not change the groups of a rule.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = rule(&okta).await?;
    /// let mut edit = okta.group_rules().get(&id).await?.edit();
    /// edit.set_expression("user.department==\"Platform\"");
    /// let rule = okta.group_rules().replace(&id, &edit).await?;
    /// assert_eq!(rule.expression.as_deref(), Some("user.department==\"Platform\""));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the rule does not exist or is active, or if Okta rejects the expression.
    ///
    /// Scope: `okta.groups.manage`.
    pub async fn replace(
        &self,
        id: &Id<GroupRule>,
        edit: &Edit<GroupRule>,
    ) -> Result<GroupRule, Error> {
        self.client.read(Call::put(path(id, &[])).json(edit)).await
    }

    /// Deletes a rule, which must be [`Inactive`](GroupRuleStatus::Inactive). Okta carries it out later (status 202).
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = rule(&okta).await?;
    /// okta.group_rules().delete(&id, RuleMembers::Remove).await?;
    /// assert_eq!(okta.group_rules().get_opt(&id).await?, None);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the rule does not exist or is active.
    ///
    /// Scope: `okta.groups.manage`.
    pub async fn delete(&self, id: &Id<GroupRule>, members: RuleMembers) -> Result<(), Error> {
        let remove = match members {
            RuleMembers::Keep => "false",
            RuleMembers::Remove => "true",
        };
        self.client
            .delete_idempotent(Call::delete(path(id, &[])).query("removeUsers", remove))
            .await
    }

    /// Activates a rule. Okta then adds the matching users to the groups.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = rule(&okta).await?;
    /// # let group = okta.group_rules().get(&id).await?.groups.remove(0);
    /// okta.group_rules().activate(&id).await?;
    /// let members = okta.groups().members(&group).try_collect().await?;
    /// assert!(members.iter().any(|user| user.profile.login == "barbara.liskov@example.com"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the rule does not exist, or if its expression is invalid.
    ///
    /// Scope: `okta.groups.manage`.
    pub async fn activate(&self, id: &Id<GroupRule>) -> Result<(), Error> {
        self.lifecycle(id, "activate").await
    }

    /// Deactivates a rule. The users that it added stay in the groups.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = rule(&okta).await?;
    /// # okta.group_rules().activate(&id).await?;
    /// okta.group_rules().deactivate(&id).await?;
    /// assert_eq!(okta.group_rules().get(&id).await?.status, GroupRuleStatus::Inactive);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the rule does not exist.
    ///
    /// Scope: `okta.groups.manage`.
    pub async fn deactivate(&self, id: &Id<GroupRule>) -> Result<(), Error> {
        self.lifecycle(id, "deactivate").await
    }

    async fn lifecycle(&self, id: &Id<GroupRule>, action: &str) -> Result<(), Error> {
        let call =
            Call::post(path(id, &["lifecycle", action])).with_idempotency(Idempotency::Idempotent);
        self.client.send_discard(call).await
    }
}

/// Options of [`GroupRules::list`].
///
/// Fields may be added: end with `..ListGroupRules::default()`.
#[derive(Debug, Clone, Default)]
pub struct ListGroupRules {
    /// A keyword in the names of the rules.
    pub search: Option<String>,
    /// Whether each item contains the names of the groups: `/_embedded/groupIdToGroupNameMap` of [`GroupRule::raw`].
    pub with_group_names: bool,
    /// Number of rules per page (default: 200, Okta's maximum).
    pub limit: Option<u32>,
}

/// A new group rule.
///
/// Fields may be added: end with `..NewGroupRule::default()`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewGroupRule {
    /// The name, at most 50 characters.
    pub name: String,
    /// The condition in Okta's expression language, such as `user.department=="Engineering"`.
    pub expression: String,
    /// The groups to which Okta adds the users.
    pub groups: Vec<Id<Group>>,
    /// The users that the rule does not add.
    pub excluded_users: Vec<Id<User>>,
}

impl NewGroupRule {
    fn body(&self) -> Value {
        let mut conditions = json!({
            "expression": { "type": "urn:okta:expression:1.0", "value": self.expression },
        });
        if !self.excluded_users.is_empty() {
            conditions["people"] = json!({ "users": { "exclude": self.excluded_users } });
        }
        json!({
            "type": "group_rule",
            "name": self.name,
            "conditions": conditions,
            "actions": { "assignUserToGroups": { "groupIds": self.groups } },
        })
    }
}

/// Whether the users that a rule added stay in the groups when the rule is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleMembers {
    /// The users stay.
    Keep,
    /// The users are removed.
    Remove,
}

resource! {
    /// A group rule.
    resource GroupRule {
        /// The id.
        pub id: Id<GroupRule> = "/id",
        /// The name.
        pub name: String = "/name",
        /// Whether the rule is applied.
        pub status: GroupRuleStatus = "/status",
        /// The condition in Okta's expression language.
        pub expression: Option<String> = "/conditions/expression/value",
        /// The groups to which Okta adds the users.
        pub groups: Vec<Id<Group>> = "/actions/assignUserToGroups/groupIds",
        /// The users that the rule does not add.
        pub excluded_users: Vec<Id<User>> = "/conditions/people/users/exclude",
        /// Time of the last change, in Okta's format.
        pub last_updated: Option<String> = "/lastUpdated",
    }
}

impl GroupRule {
    /// Returns the document for [`GroupRules::replace`]: all fields except those that are read-only.
    #[must_use]
    pub fn edit(&self) -> Edit<Self> {
        Edit::of(
            &self.raw,
            &["created", "lastUpdated", "status", "_links", "_embedded"],
        )
    }
}

impl Edit<GroupRule> {
    /// Sets the name.
    pub fn set_rule_name(&mut self, name: &str) {
        self.set_text("/name", name);
    }

    /// Sets the condition.
    pub fn set_expression(&mut self, expression: &str) {
        self.set_text("/conditions/expression/value", expression);
    }
}

open_enum! {
    /// Status of a group rule.
    GroupRuleStatus {
        /// The rule is applied.
        Active = "ACTIVE",
        /// The rule is not applied.
        Inactive = "INACTIVE",
        /// The rule is not applied, because something that it uses was deleted.
        Invalid = "INVALID",
    }
}

fn path(id: &Id<GroupRule>, rest: &[&str]) -> Vec<String> {
    join(&[&RULES, &[id.as_str()], rest])
}

const RULES: [&str; 4] = ["api", "v1", "groups", "rules"];
const PAGE: u32 = 200;
