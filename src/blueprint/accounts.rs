//! Selectors of accounts.

use std::{collections::BTreeMap, fmt};

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

use super::{
    access::{OneOrMany, non_empty},
    shape::named_or_filter,
};

/// The accounts of an access entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Accounts {
    /// Ids (12 digits), exact names, and patterns of names with `*` and `?`. An exact name has priority over a pattern.
    Named(Vec<String>),
    /// All accounts that a filter matches.
    Where(AccountFilter),
}

/// A filter of accounts. It matches active accounts only, and never the management account.
///
/// An account must match each key that is given, and one value of each key. Then the accounts of `except` are left out.
/// Fields may be added: end with `..AccountFilter::default()`.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
#[schemars(transform = filter_schema)]
pub struct AccountFilter {
    /// Whether all accounts match. It excludes `ou`, `tag` and `name`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// Organizational units: an id (`ou-…` or `r-…`), a path from the root (`Workloads/Production`), or a name. Accounts
    /// in units below them match too.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "non_empty"
    )]
    #[schemars(extend("minItems" = 1))]
    pub ou: Vec<String>,
    /// Tags: each key with one or more values. A value may contain `*` and `?`.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "non_empty"
    )]
    #[schemars(extend("minProperties" = 1))]
    pub tag: BTreeMap<String, OneOrMany>,
    /// Names of accounts, which may contain `*` and `?`.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "non_empty"
    )]
    #[schemars(extend("minItems" = 1))]
    pub name: Vec<String>,
    /// The accounts that are left out: a list of ids, names and patterns, or a filter without `except`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except: Option<Box<Accounts>>,
}

impl Accounts {
    /// Returns whether the selector names no account.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Named(names) if names.is_empty())
    }

    /// Returns whether the selector can match accounts that it does not name exactly.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Named(names) => names.iter().any(|name| is_pattern(name)),
            Self::Where(_) => true,
        }
    }

    /// Returns whether units have to be read to resolve the selector.
    pub(super) fn needs_units(&self) -> bool {
        match self {
            Self::Named(_) => false,
            Self::Where(filter) => {
                let except = filter.except.as_ref();
                !filter.ou.is_empty() || except.is_some_and(|except| except.needs_units())
            }
        }
    }

    /// Returns the text that identifies the selector in the state.
    pub(super) fn key(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Returns the text of the selector with this key.
    pub(crate) fn text_of_key(key: &str) -> String {
        let selector: Result<Self, _> = serde_json::from_str(key);
        selector.map_or_else(|_unknown| key.to_owned(), |selector| selector.to_string())
    }
}

/// Returns whether a text is a pattern of names.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

impl Default for Accounts {
    fn default() -> Self {
        Self::Named(Vec::new())
    }
}

impl<'de> Deserialize<'de> for Accounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let what = "a list of accounts, or a table such as { ou = [\"Production\"] }";
        named_or_filter(deserializer, Self::Named, Self::Where, what)
    }
}

/// Writes the selector for a reader, such as `ou Production, tag team = web | app, except Audit`.
impl fmt::Display for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let filter = match self {
            Self::Named(names) => return f.write_str(&names.join(", ")),
            Self::Where(filter) => filter,
        };
        let mut parts = Vec::new();
        if filter.all {
            parts.push("all accounts".to_owned());
        }
        if !filter.ou.is_empty() {
            parts.push(format!("ou {}", filter.ou.join(" | ")));
        }
        for (key, OneOrMany(values)) in &filter.tag {
            parts.push(format!("tag {key} = {}", values.join(" | ")));
        }
        if !filter.name.is_empty() {
            parts.push(format!("name {}", filter.name.join(" | ")));
        }
        if let Some(except) = &filter.except {
            parts.push(format!("except {except}"));
        }
        f.write_str(&parts.join(", "))
    }
}

/// Adds to the schema of a filter: `all` alone or one of the other keys, and no `except` in `except`.
fn filter_schema(schema: &mut Schema) {
    let all = json!({"required": ["all"], "properties": {"all": {"const": true}}});
    let others =
        json!({"anyOf": [{"required": ["ou"]}, {"required": ["tag"]}, {"required": ["name"]}]});
    schema.insert("oneOf".to_owned(), json!([all, others]));
    schema.insert(
        "not".to_owned(),
        json!({"properties": {"except": {"type": "object", "required": ["except"]}}, "required": ["except"]}),
    );
}
