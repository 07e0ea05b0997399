//! A user as the identity store keeps it.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// What can be said about a user, before or after there is one.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// The attributes as SCIM writes them, `userName` among them; without what the fields below hold.
    pub(crate) attributes: Map<String, Value>,
    /// The id that the identity provider gave the user through SCIM.
    pub(crate) external_id: Option<String>,
    /// Whether the user may sign in.
    pub(crate) active: bool,
}

/// A user.
#[derive(Clone, Debug)]
pub(crate) struct User {
    /// Its place among the users.
    pub(crate) place: u64,
    /// Its id.
    pub(crate) id: String,
    /// When it was created.
    pub(crate) created: Timestamp,
    /// When it was changed last.
    pub(crate) updated: Timestamp,
    /// How often it was changed.
    pub(crate) revision: u64,
    draft: Draft,
}

impl Draft {
    /// The name; empty if there is none yet.
    pub(crate) fn user_name(&self) -> &str {
        text(&self.attributes, "userName")
    }

    /// The address of the only email there can be.
    pub(crate) fn email(&self) -> Option<&str> {
        self.attributes
            .get("emails")?
            .get(0)?
            .get("value")?
            .as_str()
    }

    /// The attributes no other user may have, folded for comparison.
    pub(super) fn keys(&self) -> Vec<(&'static str, String)> {
        let mut keys = vec![("userName", super::fold("userName", self.user_name()))];
        if let Some(email) = self.email() {
            keys.push(("emails.value", super::fold("emails.value", email)));
        }
        if let Some(id) = &self.external_id {
            keys.push(("externalId", id.clone()));
        }
        keys
    }
}

impl User {
    pub(super) fn new(place: u64, id: String, draft: Draft, now: Timestamp) -> Self {
        Self {
            place,
            id,
            created: now,
            updated: now,
            revision: 1,
            draft,
        }
    }

    pub(super) fn replace(&mut self, draft: Draft, now: Timestamp) {
        self.draft = draft;
        self.updated = now;
        self.revision += 1;
    }

    /// Everything that can be changed about the user.
    pub(crate) fn draft(&self) -> &Draft {
        &self.draft
    }

    /// The attributes as SCIM writes them.
    pub(crate) fn attributes(&self) -> &Map<String, Value> {
        &self.draft.attributes
    }

    /// The name, which a SAML assertion has to carry.
    pub(crate) fn user_name(&self) -> &str {
        self.draft.user_name()
    }

    /// The id that the identity provider gave the user.
    pub(crate) fn external_id(&self) -> Option<&str> {
        self.draft.external_id.as_deref()
    }

    /// Whether the user may sign in.
    pub(crate) fn is_active(&self) -> bool {
        self.draft.active
    }
}

fn text<'a>(attributes: &'a Map<String, Value>, name: &str) -> &'a str {
    attributes
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}
