//! The accounts that a selector of the blueprint matches.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Name, count};
use crate::text::{Shown, abbreviated};

/// The accounts that a selector of the blueprint matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Selection {
    /// The selector, such as `ou Production, except Audit`.
    pub selector: String,
    /// The places of the entries that have the selector, such as `access[2] (company.toml:40)`.
    pub entries: Vec<String>,
    /// The ids of the matched accounts.
    pub matched: Vec<Name>,
    /// The matched accounts that the last match did not have. It is empty for the first match.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new: Vec<SelectedAccount>,
    /// The accounts that the selector would match and that are skipped, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SelectedAccount>,
    /// The accounts of the last match whose access is kept although they are not matched, because the selector has a problem
    /// or the account is not active.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<SelectedAccount>,
    /// Whether the match has grown by more than half and by at least 10 accounts, for example because a unit was moved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub grown: bool,
}

/// An account of a selection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SelectedAccount {
    /// The id.
    pub id: Name,
    /// The name; the id if the account has no name.
    pub name: Name,
    /// The reason why the account is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl SelectedAccount {
    pub(crate) fn new(id: &str, name: Option<&str>, reason: Option<String>) -> Self {
        Self {
            id: id.into(),
            name: name.unwrap_or(id).into(),
            reason,
        }
    }
}

/// Writes the selection on one line, such as `ou Production: 312 accounts, 2 new (web-14, web-15), 1 skipped (web-02 is
/// suspended)`.
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let matched = count(self.matched.len(), "account");
        write!(f, "{}: {matched}", Shown(&self.selector))?;
        for (what, accounts) in [
            ("new", &self.new),
            ("skipped", &self.skipped),
            ("kept", &self.kept),
        ] {
            if accounts.is_empty() {
                continue;
            }
            let names: Vec<String> = accounts
                .iter()
                .map(|account| match &account.reason {
                    Some(reason) => format!("{} {reason}", account.name),
                    None => account.name.to_string(),
                })
                .collect();
            write!(
                f,
                ", {} {what} ({})",
                accounts.len(),
                abbreviated(&names, 10)
            )?;
        }
        Ok(())
    }
}
