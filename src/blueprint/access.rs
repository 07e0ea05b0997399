//! The entries of access.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, IgnoredAny},
};
use serde_json::json;

use super::{
    accounts::Accounts,
    shape::{Shape, expected},
};

/// One entry of access: users or groups, their roles, and the accounts.
///
/// An entry has exactly one of `user` and `group`, with `permission_set`; or it has `users` or `groups`, with the permission
/// sets of each. Fields may be added: end with `..Access::default()`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = access_schema)]
pub struct Access {
    /// The login of an Okta user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The name of an Okta group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The permission sets of several Okta users, by login.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "non_empty"
    )]
    #[schemars(extend("minProperties" = 1))]
    pub users: BTreeMap<String, OneOrMany>,
    /// The permission sets of several Okta groups, by name.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "non_empty"
    )]
    #[schemars(extend("minProperties" = 1))]
    pub groups: BTreeMap<String, OneOrMany>,
    /// The id or name of an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The accounts: a list of ids, names and patterns, or a filter.
    #[serde(default, skip_serializing_if = "Accounts::is_empty")]
    #[schemars(extend("uniqueItems" = true))]
    pub accounts: Accounts,
    /// The name of the permission set of `user` or `group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission_set: Option<String>,
    /// Repeats the entry for each value of a list: the name of a list in `lists`, or a table with one list. `{name}` in the
    /// texts of the entry stands for the value, and `{{` for a brace.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub for_each: Option<ForEach>,
    /// The last day of the access, in UTC. A run after that day plans to remove exactly what only this entry gives.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "date"
    )]
    #[schemars(with = "Option<String>", extend("format" = "date", "pattern" = r"^\d{4}-\d{2}-\d{2}$"))]
    pub until: Option<Date>,
    /// Whether the access is never removed (default: no), for break-glass access.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
    /// The reason for the access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The owner of the access, such as an email address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// A user or a group, by its name in Okta.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PrincipalSpec {
    /// A user's login.
    User(String),
    /// A group's name.
    Group(String),
}

/// One text or a list of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct OneOrMany(pub Vec<String>);

/// The values for which an entry is repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
#[non_exhaustive]
pub enum ForEach {
    /// The name of a list in `lists`, which is also the name of the placeholder.
    List(String),
    /// The name of the placeholder, with the values. The table has exactly one entry.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
    Inline(BTreeMap<String, Vec<String>>),
}

impl Access {
    /// Returns each user or group of the entry with each of its permission sets.
    pub fn grants(&self) -> impl Iterator<Item = (PrincipalSpec, &str)> {
        let user = self.user.iter().cloned().map(PrincipalSpec::User);
        let group = self.group.iter().cloned().map(PrincipalSpec::Group);
        let set = self.permission_set.as_deref().unwrap_or_default();
        let users = self.users.iter();
        let users = users.map(|(login, sets)| (PrincipalSpec::User(login.clone()), sets));
        let groups = self.groups.iter();
        let groups = groups.map(|(name, sets)| (PrincipalSpec::Group(name.clone()), sets));
        let many = users
            .chain(groups)
            .flat_map(|(principal, OneOrMany(sets))| {
                sets.iter()
                    .map(move |set| (principal.clone(), set.as_str()))
            });
        user.chain(group)
            .map(move |principal| (principal, set))
            .chain(many)
    }

    /// Returns the users and groups of the entry.
    pub(crate) fn principals(&self) -> impl Iterator<Item = PrincipalSpec> {
        let users = self.user.iter().chain(self.users.keys());
        let groups = self.group.iter().chain(self.groups.keys());
        users
            .cloned()
            .map(PrincipalSpec::User)
            .chain(groups.cloned().map(PrincipalSpec::Group))
    }

    /// Returns the selector of all accounts of the entry: `account` together with `accounts`.
    #[must_use]
    pub fn selector(&self) -> Cow<'_, Accounts> {
        match (&self.account, &self.accounts) {
            (Some(account), Accounts::Named(others)) => {
                let all = std::iter::once(account).chain(others).cloned();
                Cow::Owned(Accounts::Named(all.collect()))
            }
            (_, accounts) => Cow::Borrowed(accounts),
        }
    }
}

impl std::fmt::Display for PrincipalSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(login) => write!(f, "user {login}"),
            Self::Group(name) => write!(f, "group {name}"),
        }
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts: Vec<String> = match Shape::<_>::deserialize(deserializer)? {
            Shape::Text(text) => vec![text],
            Shape::List(texts) => texts,
            _ => return Err(expected("a string or a list of strings")),
        };
        if texts.is_empty() {
            return Err(D::Error::custom(EMPTY));
        }
        Ok(Self(texts))
    }
}

impl JsonSchema for OneOrMany {
    fn schema_name() -> Cow<'static, str> {
        "OneOrMany".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "One text or a list of texts.",
            "type": ["string", "array"],
            "items": {"type": "string"},
            "minItems": 1,
        })
    }
}

impl<'de> Deserialize<'de> for ForEach {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let each = match Shape::<IgnoredAny, _>::deserialize(deserializer)? {
            Shape::Text(name) => Self::List(name),
            Shape::Table(lists) => Self::Inline(lists),
            _ => {
                return Err(expected(
                    "the name of a list, or a table such as { region = [\"eu\", \"us\"] }",
                ));
            }
        };
        match &each {
            Self::Inline(lists) if lists.len() != 1 => {
                Err(D::Error::custom("the table must have exactly one list"))
            }
            _ => Ok(each),
        }
    }
}

/// Reads a value that must not be empty. An empty list would mean the same as no list, and so match more than it says.
pub(super) fn non_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
    for<'a> &'a T: IntoIterator,
{
    let value = T::deserialize(deserializer)?;
    if (&value).into_iter().next().is_none() {
        return Err(D::Error::custom(EMPTY));
    }
    Ok(value)
}

const EMPTY: &str = "the value is empty: add a value, or remove the key";

/// Reads a date of TOML, or the text of a date.
fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let text = match Shape::<IgnoredAny, toml::value::Datetime>::deserialize(deserializer)? {
        Shape::Null => None,
        Shape::Text(text) => Some(text),
        Shape::Table(date) => Some(date.to_string()),
        Shape::List(_) => return Err(expected("a date such as 2027-03-31")),
    };
    let parse = |text: String| {
        // A time of day would be ignored.
        let is_date = text.len() == "2027-03-31".len();
        let date = text.parse().ok().filter(|_| is_date);
        date.ok_or_else(|| D::Error::custom(format!("`{text}` is not a date such as 2027-03-31")))
    };
    text.map(parse).transpose()
}

/// Adds to the schema of an access entry: users or groups with their permission sets, and accounts.
fn access_schema(schema: &mut Schema) {
    let has =
        |key: &str, kind: &str| json!({"required": [key], "properties": {key: {"type": kind}}});
    let text = |key: &str| has(key, "string");
    let many = json!({"anyOf": [has("users", "object"), has("groups", "object")]});
    let one = |key: &str| json!({"allOf": [text(key), text("permission_set"), {"not": many}]});
    let singular = json!({"anyOf": [text("user"), text("group"), text("permission_set")]});
    schema.insert(
        "oneOf".to_owned(),
        json!([one("user"), one("group"), {"allOf": [many, {"not": singular}]}]),
    );
    let no_filter = json!({"properties": {"accounts": {"type": "array"}}});
    let list = json!({"required": ["accounts"], "properties": {"accounts": {"type": "array", "minItems": 1}}});
    let filter = json!({"allOf": [has("accounts", "object"), {"not": text("account")}]});
    schema.insert(
        "anyOf".to_owned(),
        json!([{"allOf": [text("account"), no_filter]}, list, filter]),
    );
}
