//! `/api/v1/api-tokens`, `/api/v1/principal-rate-limits` and `/api/v1/brands`.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{
    Org,
    filter::{Filter, Grammar},
    paging::{After, PageSizes, page},
    query::Call,
    reply::{Refusal, Reply},
    timestamps::millis,
};
use crate::clock::after;

/// The metadata of the API tokens and the settings of their rate limits, by id.
#[derive(Debug, Default)]
pub(super) struct Admin {
    tokens: BTreeMap<String, Value>,
    rate_limits: BTreeMap<String, Value>,
}

impl Org {
    /// Adds the metadata of the API token.
    pub(super) fn add_api_token(&mut self, now: Timestamp) {
        let id = self.ids.id("00T");
        let token = json!({
            "id": id,
            "name": "sandbox",
            "userId": self.owner(),
            "clientName": "Okta API",
            "tokenWindow": "P30D",
            "network": { "connection": "ANYWHERE" },
            "created": millis(now),
            "lastUpdated": millis(now),
            "expiresAt": millis(after(now, SignedDuration::from_hours(30 * 24))),
        });
        self.admin.tokens.insert(id, token);
    }

    /// Returns the id of the administrator that owns the API token.
    fn owner(&self) -> String {
        let owner = self.users.values().next();
        owner.map(|user| user.id.clone()).unwrap_or_default()
    }

    pub(super) fn api_tokens_endpoint(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let path: Vec<&str> = call.segments.iter().skip(1).map(String::as_str).collect();
        let document = |token: &Value| {
            let api = format!("http://{}/api/v1", call.host);
            let text = |name: &str| token[name].as_str().unwrap_or_default();
            let mut document = token.clone();
            document["_links"] = json!({
                "self": {
                    "href": format!("{api}/api-tokens/{}", text("id")),
                    "hints": { "allow": ["GET", "DELETE"] },
                },
                "user": {
                    "href": format!("{api}/users/{}", text("userId")),
                    "hints": { "allow": ["GET"] },
                },
            });
            document
        };
        let missing = |id: &str| Refusal::not_found(id, "ApiToken");
        match (call.method, path.as_slice()) {
            (&Method::GET, []) => Ok(Reply::ok(
                self.admin.tokens.values().map(document).collect(),
            )),
            (&Method::DELETE, ["current"]) => {
                self.admin.tokens.clear();
                self.token = self.ids.opaque(42).into();
                Ok(Reply::no_content())
            }
            (&Method::GET, [id]) => {
                let token = self.admin.tokens.get(*id).ok_or_else(|| missing(id))?;
                Ok(Reply::ok(document(token)))
            }
            (&Method::DELETE, [id]) => {
                self.admin.tokens.remove(*id).ok_or_else(|| missing(id))?;
                // The sandbox has one token. No request knows the new one.
                self.token = self.ids.opaque(42).into();
                Ok(Reply::no_content())
            }
            (_, [] | [_]) => Err(Refusal::method()),
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }

    pub(super) fn rate_limits_endpoint(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let path: Vec<&str> = call.segments.iter().skip(1).map(String::as_str).collect();
        let missing = |id: &str| Refusal::not_found(id, "PrincipalRateLimitEntity");
        match (call.method, path.as_slice()) {
            (&Method::GET, []) => {
                call.allow_only(&["filter", "limit", "after"])?;
                let Some(filter) = call.parameter("filter") else {
                    return Err(Refusal::missing_parameter("filter"));
                };
                let filter = Filter::parse(filter, FILTER)?;
                let found = |after: After<'_>| {
                    let limits = self.admin.rate_limits.range::<str, _>(after);
                    limits.filter(|(_, limit)| filter.matches(*limit))
                };
                page(
                    call,
                    PageSizes::new(20, 50),
                    self.page_size,
                    found,
                    Value::clone,
                )
            }
            (&Method::POST, []) => {
                let principal = self.checked_rate_limit(call)?;
                let is_taken = |limit: &Value| limit["principalId"] == principal["principalId"];
                if self.admin.rate_limits.values().any(is_taken) {
                    let cause = "principalId: The principal has a rate limit already";
                    return Err(Refusal::invalid("principalId", cause));
                }
                let id = self.ids.id("prl");
                let limit = self.rate_limit_document(&id, &principal, None, call.now);
                self.admin.rate_limits.insert(id, limit.clone());
                Ok(Reply::with_status(StatusCode::CREATED, limit))
            }
            (&Method::GET, [id]) => {
                call.allow_only(&[])?;
                let limit = self.admin.rate_limits.get(*id).ok_or_else(|| missing(id))?;
                Ok(Reply::ok(limit.clone()))
            }
            (&Method::PUT, [id]) => {
                let old = self.admin.rate_limits.get(*id).ok_or_else(|| missing(id))?;
                let principal = self.checked_rate_limit(call)?;
                if old["principalId"] != principal["principalId"] {
                    return Err(Refusal::not_allowed("principalId"));
                }
                let limit = self.rate_limit_document(id, &principal, Some(old), call.now);
                self.admin
                    .rate_limits
                    .insert((*id).to_owned(), limit.clone());
                Ok(Reply::ok(limit))
            }
            (_, [] | [_]) => Err(Refusal::method()),
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }

    fn checked_rate_limit(&self, call: &Call<'_>) -> Result<Map<String, Value>, Refusal> {
        call.allow_only(&[])?;
        let body = call.json_object()?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let Some(principal) = text("principalId") else {
            return Err(Refusal::blank("principalId"));
        };
        match text("principalType") {
            Some("SSWS_TOKEN") if !self.admin.tokens.contains_key(principal) => {
                return Err(Refusal::not_found(principal, "ApiToken"));
            }
            Some("SSWS_TOKEN" | "OAUTH_CLIENT") => {}
            Some(_) => return Err(Refusal::not_allowed("principalType")),
            None => return Err(Refusal::blank("principalType")),
        }
        for name in ["defaultPercentage", "defaultConcurrencyPercentage"] {
            let value = body.get(name).filter(|value| !value.is_null());
            let is_valid = |value: &Value| value.as_u64().is_some_and(|value| value <= 100);
            if value.is_some_and(|value| !is_valid(value)) {
                return Err(Refusal::not_allowed(name));
            }
        }
        Ok(body)
    }

    fn rate_limit_document(
        &self,
        id: &str,
        sent: &Map<String, Value>,
        old: Option<&Value>,
        now: Timestamp,
    ) -> Value {
        let percentage = |name: &str, default: u64| {
            let sent = sent.get(name).and_then(Value::as_u64);
            sent.or_else(|| old?[name].as_u64()).unwrap_or(default)
        };
        let created = old.map_or_else(|| millis(now).into(), |old| old["createdDate"].clone());
        json!({
            "id": id,
            "orgId": self.id,
            "principalId": sent.get("principalId"),
            "principalType": sent.get("principalType"),
            "defaultPercentage": percentage("defaultPercentage", 50),
            "defaultConcurrencyPercentage": percentage("defaultConcurrencyPercentage", 75),
            "createdDate": created,
            "createdBy": self.owner(),
            "lastUpdate": millis(now),
            "lastUpdatedBy": self.owner(),
        })
    }

    /// Handles `/brands`: the org has the default brand only, which cannot be changed here.
    pub(super) fn brands_endpoint(&self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let path: Vec<&str> = call.segments.iter().skip(1).map(String::as_str).collect();
        let address = format!("http://{}/api/v1/brands/{DEFAULT_BRAND}", call.host);
        let brand = json!({
            "id": DEFAULT_BRAND,
            "name": "Okta Default",
            "isDefault": true,
            "agreeToCustomPrivacyPolicy": false,
            "removePoweredByOkta": false,
            "customPrivacyPolicyUrl": null,
            "locale": "en",
            "defaultApp": { "appInstanceId": null, "appLinkName": null, "classicApplicationUri": null },
            "_links": {
                "self": { "href": address, "hints": { "allow": ["GET", "PUT"] } },
                "themes": { "href": format!("{address}/themes"), "hints": { "allow": ["GET"] } },
            },
        });
        match (call.method, path.as_slice()) {
            (&Method::GET, []) => {
                call.allow_only(&["limit", "after", "q", "expand"])?;
                Ok(Reply::ok(json!([brand])))
            }
            (&Method::GET, [DEFAULT_BRAND]) => Ok(Reply::ok(brand)),
            (&Method::GET, [DEFAULT_BRAND, "domains"]) => {
                let domains = self.domains.values();
                let domains = domains.map(|domain| domain.document(&self.subdomain, &call.host));
                Ok(Reply::ok(json!({ "domains": domains.collect::<Vec<_>>() })))
            }
            (_, [] | [DEFAULT_BRAND]) => Err(Refusal::method()),
            (_, [id, ..]) => Err(Refusal::not_found(id, "Brand")),
        }
    }
}

/// The id of the default brand, which custom domains have.
pub(super) const DEFAULT_BRAND: &str = "bnd1k3a9vYqWm4Zt70h8";

const FILTER: Grammar = Grammar {
    attributes: &["principalType"],
    operators: &["eq"],
    contains: &[],
    timestamps: &[],
    ignore_case: false,
};
