//! `…/apps/{id}/grants`: the scopes of Okta's API that an OAuth 2.0 application may request.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    Org,
    query::Call,
    reply::{Refusal, Reply},
    timestamps::millis,
};

impl Org {
    pub(super) fn grants_endpoint(
        &mut self,
        call: &Call<'_>,
        app: &str,
        path: &[&str],
    ) -> Result<Reply, Refusal> {
        let owner = self.users.values().next().map(|user| user.id.clone());
        let id = self.ids.id("oag");
        let app = self.app_mut(app)?;
        if app.catalog_entry.sign_on_mode != Some("OPENID_CONNECT") {
            let cause = "Only an OAuth 2.0 application has grants";
            return Err(Refusal::invalid("app", cause));
        }
        let missing = |id: &str| Refusal::not_found(id, "OAuth2ScopeConsentGrant");
        match (call.method, path) {
            (&Method::GET, []) => {
                call.allow_only(&["expand"])?;
                Ok(Reply::ok(app.grants.values().cloned().collect()))
            }
            (&Method::POST, []) => {
                call.allow_only(&[])?;
                let body = call.json_object()?;
                let text = |name: &str| body.get(name).and_then(Value::as_str);
                let Some(scope) = text("scopeId").filter(|scope| scope.starts_with("okta.")) else {
                    return Err(Refusal::blank("scopeId"));
                };
                let Some(issuer) = text("issuer") else {
                    return Err(Refusal::blank("issuer"));
                };
                let is_same = |grant: &Value| grant["scopeId"] == scope;
                if app.grants.values().any(is_same) {
                    let cause = "scopeId: The scope is granted already";
                    return Err(Refusal::invalid("scopeId", cause));
                }
                let address = format!("http://{}/api/v1/apps/{}", call.host, app.id);
                let grant = json!({
                    "id": id,
                    "status": "ACTIVE",
                    "created": millis(call.now),
                    "createdBy": { "id": owner, "type": "User" },
                    "lastUpdated": millis(call.now),
                    "issuer": issuer,
                    "clientId": app.id,
                    "scopeId": scope,
                    "source": "ADMIN",
                    "_embedded": { "scope": { "id": scope } },
                    "_links": {
                        "app": { "href": address },
                        "self": { "href": format!("{address}/grants/{id}") },
                    },
                });
                app.grants.insert(id, grant.clone());
                Ok(Reply::with_status(StatusCode::CREATED, grant))
            }
            (&Method::GET, [grant]) => {
                let found = app.grants.get(*grant).ok_or_else(|| missing(grant))?;
                Ok(Reply::ok(found.clone()))
            }
            (&Method::DELETE, [grant]) => {
                app.grants.remove(*grant).ok_or_else(|| missing(grant))?;
                Ok(Reply::no_content())
            }
            (_, [] | [_]) => Err(Refusal::method()),
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }
}
