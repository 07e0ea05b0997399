//! `/api/v1/policies` and `…/apps/{id}/policies`: app sign-in policies, and the policy of an application.

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Org,
    paging::{After, PageSizes, page},
    query::Call,
    reply::{Refusal, Reply},
    timestamps::millis,
};

/// One app sign-in policy.
#[derive(Debug)]
pub(super) struct Policy {
    id: String,
    name: String,
    is_default: bool,
    is_active: bool,
    created: Timestamp,
}

impl Policy {
    fn status(&self) -> &'static str {
        if self.is_active { "ACTIVE" } else { "INACTIVE" }
    }

    fn document(&self, host: &str) -> Value {
        let address = format!("http://{host}/api/v1/policies/{}", self.id);
        json!({
            "id": self.id,
            "status": self.status(),
            "name": self.name,
            "priority": 1,
            "system": self.is_default,
            "type": "ACCESS_POLICY",
            "conditions": null,
            "created": millis(self.created),
            "lastUpdated": millis(self.created),
            "_links": {
                "self": { "href": address, "hints": { "allow": ["GET", "PUT", "DELETE"] } },
                "rules": { "href": format!("{address}/rules"), "hints": { "allow": ["GET", "POST"] } },
                "mappings": { "href": format!("{address}/mappings"), "hints": { "allow": ["GET", "POST"] } },
            },
        })
    }
}

impl Org {
    /// Adds the policies that every org has, and one more. The first is the default policy of new applications.
    pub(super) fn add_policies(&mut self, now: Timestamp) {
        for (name, is_default) in [("Any two factors", true), ("Phishing resistant", false)] {
            self.add_policy(name, is_default, true, now);
        }
    }

    /// Adds a policy, and returns its id. Okta accepts two policies of one name.
    pub(crate) fn add_policy(
        &mut self,
        name: &str,
        is_default: bool,
        is_active: bool,
        now: Timestamp,
    ) -> String {
        let id = self.ids.id("rst");
        let policy = Policy {
            id: id.clone(),
            name: name.to_owned(),
            is_default,
            is_active,
            created: now,
        };
        self.policies.insert(id.clone(), policy);
        id
    }

    pub(super) fn default_policy(&self) -> String {
        let mut policies = self.policies.values();
        let policy = policies.find(|policy| policy.is_default);
        policy.map(|policy| policy.id.clone()).unwrap_or_default()
    }

    pub(super) fn policies_endpoint(&self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let path: Vec<&str> = call.segments.iter().skip(1).map(String::as_str).collect();
        match (call.method, path.as_slice()) {
            (&Method::GET, []) => self.list_policies(call),
            (&Method::GET, [id]) => {
                call.allow_only(&[])?;
                Ok(Reply::ok(self.policy(id)?.document(&call.host)))
            }
            (_, [] | [_]) => Err(Refusal::method()),
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }

    fn policy(&self, id: &str) -> Result<&Policy, Refusal> {
        self.policies
            .get(id)
            .ok_or_else(|| Refusal::not_found(id, "Policy"))
    }

    /// Lists the policies of a type, which is a required parameter. The sandbox has app sign-in policies only.
    fn list_policies(&self, call: &Call<'_>) -> Result<Reply, Refusal> {
        call.allow_only(&["type", "status", "q", "limit", "after"])?;
        let Some(kind) = call.parameter("type") else {
            return Err(Refusal::missing_parameter("type"));
        };
        if !TYPES.contains(&kind) {
            return Err(Refusal::not_allowed("type"));
        }
        let prefix = call.parameter("q").unwrap_or_default().to_lowercase();
        let status = call.parameter("status");
        let is_wanted = |policy: &Policy| {
            kind == "ACCESS_POLICY"
                && status.is_none_or(|status| status == policy.status())
                && policy.name.to_lowercase().starts_with(&prefix)
        };
        let found = |after: After<'_>| {
            let policies = self.policies.range::<str, _>(after);
            policies.filter(move |(_, policy)| is_wanted(policy))
        };
        let sizes = PageSizes::new(200, 200).clamped();
        page(call, sizes, self.page_size, found, |policy| {
            policy.document(&call.host)
        })
    }

    /// Assigns an application to a policy, which replaces the policy of the application.
    pub(super) fn assign_policy(
        &mut self,
        call: &Call<'_>,
        app: &str,
        policy: &str,
    ) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let policy = self.policy(policy).map(|policy| policy.id.clone());
        let app = self.app_mut(app)?;
        app.policy = policy?;
        Ok(Reply::no_content())
    }
}

/// Source: `PolicyType` in Okta's API description.
const TYPES: [&str; 12] = [
    "ACCESS_POLICY",
    "CLIENT_UPDATE",
    "DEVICE_SIGNAL_COLLECTION",
    "ENTITY_RISK",
    "IDENTITY_CLAIM_SOURCING",
    "IDP_DISCOVERY",
    "MFA_ENROLL",
    "OKTA_SIGN_ON",
    "PASSWORD",
    "POST_AUTH_SESSION",
    "PROFILE_ENROLLMENT",
    "SESSION_VIOLATION_DETECTION",
];
