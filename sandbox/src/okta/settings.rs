//! `/api/v1/org`: the general settings of the org.

use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Org,
    query::Call,
    reply::{Refusal, Reply},
    timestamps::millis,
};

/// The general settings of an org that an administrator can change.
#[derive(Debug)]
pub(super) struct Settings {
    values: Map<String, Value>,
    updated: Timestamp,
}

impl Settings {
    pub(super) fn new(company: &str, now: Timestamp) -> Self {
        let mut values: Map<_, _> = ["website", "supportPhoneNumber"]
            .map(|name| (name.to_owned(), Value::Null))
            .into_iter()
            .collect();
        values.insert("companyName".to_owned(), company.into());
        Self {
            values,
            updated: now,
        }
    }
}

impl Org {
    /// Handles `/org`. A partial update ignores read-only properties, as Okta does.
    pub(super) fn org_endpoint(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        match *call.method {
            Method::GET => {}
            Method::POST => {
                let sent = call.json_object()?;
                let is_text = |value: &Value| value.is_string() || value.is_null();
                let writable = WRITABLE.iter().filter_map(|name| sent.get_key_value(*name));
                let changed: Map<_, _> = writable
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect();
                if let Some((name, _)) = changed.iter().find(|(_, value)| !is_text(value)) {
                    return Err(Refusal::not_allowed(name));
                }
                self.settings.values.extend(changed);
                self.settings.updated = call.now;
            }
            _ => return Err(Refusal::method()),
        }
        let mut document = json!({
            "id": self.id,
            "subdomain": self.subdomain,
            "status": "ACTIVE",
            "created": millis(self.created),
            "lastUpdated": millis(self.settings.updated),
            "expiresAt": null,
        });
        if let Value::Object(document) = &mut document {
            document.extend(self.settings.values.clone());
        }
        Ok(Reply::ok(document))
    }
}

/// Source: `OrgSetting` in Okta's API description, without its read-only properties.
const WRITABLE: [&str; 11] = [
    "address1",
    "address2",
    "city",
    "companyName",
    "country",
    "endUserSupportHelpURL",
    "phoneNumber",
    "postalCode",
    "state",
    "supportPhoneNumber",
    "website",
];
