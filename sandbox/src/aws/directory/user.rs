//! A user in the identity store.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// The editable data of a user, before and after creation.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// The attributes in SCIM format, including `userName`; the fields below are not repeated here.
    pub(crate) attributes: Map<String, Value>,
    /// The external id, which the identity provider sets through SCIM.
    pub(crate) external_id: Option<String>,
    /// Whether the user may sign in.
    pub(crate) active: bool,
}

/// A user.
#[derive(Clone, Debug)]
pub(crate) struct User {
    /// The position in creation order.
    pub(crate) position: u64,
    /// The user's id.
    pub(crate) id: String,
    /// The creation time.
    pub(crate) created: Timestamp,
    /// The time of the last change.
    pub(crate) updated: Timestamp,
    /// The revision number, which starts at 1 and increases with every change.
    pub(crate) revision: u64,
    draft: Draft,
}

impl Draft {
    /// Returns the user name; empty if none is set.
    pub(crate) fn user_name(&self) -> &str {
        text(&self.attributes, "userName")
    }

    /// Returns the email address; AWS allows at most one.
    pub(crate) fn email(&self) -> Option<&str> {
        self.attributes
            .get("emails")?
            .get(0)?
            .get("value")?
            .as_str()
    }

    /// Returns the attributes that are unique among users, normalized for comparison.
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
    pub(super) fn new(position: u64, id: String, draft: Draft, now: Timestamp) -> Self {
        Self {
            position,
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

    /// Returns the editable data of the user.
    pub(crate) fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Returns the attributes in SCIM format.
    pub(crate) fn attributes(&self) -> &Map<String, Value> {
        &self.draft.attributes
    }

    /// Returns the user name, which a SAML assertion has to contain.
    pub(crate) fn user_name(&self) -> &str {
        self.draft.user_name()
    }

    /// Returns the external id, which the identity provider set.
    pub(crate) fn external_id(&self) -> Option<&str> {
        self.draft.external_id.as_deref()
    }

    /// Returns whether the user may sign in.
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
