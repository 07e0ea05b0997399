//! Selectors of the users and groups of Okta that are provisioned into AWS.

use std::fmt;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

use super::{
    access::non_empty, accounts::is_pattern, select::matches_text, shape::named_or_filter,
};

/// Users or groups of Okta: a list, or a filter.
///
/// ```
/// let blueprint = okta_aws_sso::Blueprint::from_toml(
///     r#"
///     [provisioning]
///     assign_groups = ["aws-users", "partner-*"]
///     push_groups = { search = 'profile.name sw "aws-"', except = ["aws-users"] }
///     "#,
/// )?;
/// let selector = &blueprint.provisioning.push_groups;
/// assert_eq!(selector.to_string(), r#"search profile.name sw "aws-", except aws-users"#);
/// # Ok::<(), okta_aws_sso::blueprint::ParseBlueprintError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Principals {
    /// Exact names of groups or logins of users, and patterns with `*` and `?`. An exact name has priority over a pattern.
    Named(Vec<String>),
    /// All users or groups that a filter matches.
    Where(PrincipalFilter),
}

/// A filter of users or groups of Okta. A user or group must match `search` and one of `name`; then those of `except` are left
/// out.
///
/// Deactivated users never match. Fields may be added: end with `..PrincipalFilter::default()`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = filter_schema)]
pub struct PrincipalFilter {
    /// A search expression of Okta, such as `profile.department eq "Engineering"` for users or `profile.name sw "aws-"` for
    /// groups. Okta's search sees changes with a delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = r"\S"))]
    pub search: Option<String>,
    /// Names of groups or logins of users, which may contain `*` and `?`.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "non_empty"
    )]
    #[schemars(extend("minItems" = 1))]
    pub name: Vec<String>,
    /// Names or logins that are left out, which may contain `*` and `?`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
}

impl Principals {
    /// Returns the search expression.
    pub(crate) fn search(&self) -> Option<&str> {
        match self {
            Self::Named(_) => None,
            Self::Where(filter) => filter.search.as_deref(),
        }
    }

    /// Returns the names and patterns, one of which must match.
    pub(crate) fn names(&self) -> &[String] {
        match self {
            Self::Named(names) => names,
            Self::Where(filter) => &filter.name,
        }
    }

    /// Returns the names and patterns that are left out.
    pub(crate) fn except(&self) -> &[String] {
        match self {
            Self::Named(_) => &[],
            Self::Where(filter) => &filter.except,
        }
    }

    /// Returns the users or groups that the selector names exactly, each with its position.
    pub(crate) fn exact(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_exact = |name: &str| self.search().is_none() && !is_pattern(name);
        let names = self.names().iter().map(String::as_str).enumerate();
        names.filter(move |(_, name)| is_exact(name) && !self.leaves_out(name))
    }

    /// Returns whether the selector can match users or groups that it does not name exactly.
    pub(crate) fn is_open(&self) -> bool {
        self.search().is_some() || self.names().iter().any(|name| is_pattern(name))
    }

    /// Returns whether one of the names and patterns matches a name, or there are none.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        let names = self.names();
        names.is_empty() || names.iter().any(|pattern| matches_text(pattern, name))
    }

    /// Returns whether `except` matches a name.
    pub(crate) fn leaves_out(&self, name: &str) -> bool {
        let mut except = self.except().iter();
        except.any(|pattern| matches_text(pattern, name))
    }

    /// Returns the key, the message and the help of a violated rule of a filter.
    pub(super) fn violation(
        &self,
    ) -> Option<(&'static [&'static str], &'static str, &'static str)> {
        let Self::Where(filter) = self else {
            return None;
        };
        match filter.search.as_deref() {
            None if filter.name.is_empty() => Some((
                &[],
                "a filter has neither `search` nor `name`",
                "add one, such as `name = [\"aws-*\"]`",
            )),
            Some(search) if search.trim().is_empty() => Some((
                &["search"],
                "the search expression is empty",
                "write an expression such as `profile.name sw \"aws-\"`, or leave the key out",
            )),
            _ => None,
        }
    }
}

impl Default for Principals {
    fn default() -> Self {
        Self::Named(Vec::new())
    }
}

impl From<Vec<String>> for Principals {
    fn from(names: Vec<String>) -> Self {
        Self::Named(names)
    }
}

impl<'de> Deserialize<'de> for Principals {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let what = "a list of names, or a table such as { name = [\"aws-*\"] }";
        named_or_filter(deserializer, Self::Named, Self::Where, what)
    }
}

/// Writes the selector for a reader, such as `search profile.name sw "aws-", except aws-legacy-*`.
impl fmt::Display for Principals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let filter = match self {
            Self::Named(names) => return f.write_str(&names.join(", ")),
            Self::Where(filter) => filter,
        };
        let search = filter
            .search
            .iter()
            .map(|search| format!("search {search}"));
        let list = |key: &str, names: &[String]| {
            (!names.is_empty()).then(|| format!("{key} {}", names.join(" | ")))
        };
        let parts: Vec<String> = search
            .chain(list("name", &filter.name))
            .chain(list("except", &filter.except))
            .collect();
        f.write_str(&parts.join(", "))
    }
}

/// Adds to the schema of a filter that it has `search` or `name`.
fn filter_schema(schema: &mut Schema) {
    schema.insert(
        "anyOf".to_owned(),
        json!([{"required": ["search"]}, {"required": ["name"]}]),
    );
}
