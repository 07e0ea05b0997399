//! A SCIM service provider that follows RFC 7643, RFC 7644 and RFC 9865.
//!
//! The service is strict about client mistakes that are easy to overlook. It rejects attributes that no
//! schema defines, filters on them, values of the wrong type, and a remove operation with a list of values.
//! Public conformance checkers for SCIM service providers, such as scim2-tester, run against it. It is
//! independent of AWS and has a separate directory.

mod document;
mod filter;
mod patch;
mod path;
mod query;
mod reply;
mod schema;
mod store;

use axum::body::Bytes;
use axum::http::{Method, Request, Response, header};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use query::Query;
use reply::{Answer, Refusal};
use schema::Resource;
use store::Store;

/// The service provider with its users and groups.
#[derive(Debug)]
pub(crate) struct Directory {
    base: String,
    token: String,
    store: Store,
    requests: u64,
}

/// The path of the service below its host.
pub(crate) const ROOT: &str = "/scim/v2";

impl Directory {
    /// Returns a service with an empty directory at the URL `base`; clients must send `token`.
    pub(crate) fn new(base: String, token: &str) -> Self {
        Self {
            base,
            token: token.to_owned(),
            store: Store::default(),
            requests: 0,
        }
    }

    /// Handles one request; its path starts at the root of the listener.
    pub(crate) fn handle(&mut self, now: Timestamp, request: &Request<Bytes>) -> Response<Bytes> {
        self.requests += 1;
        let id = format!("generic-{}", self.requests);
        let outcome = self.call(now, request);
        reply::response(&id, outcome)
    }

    fn call(&mut self, now: Timestamp, request: &Request<Bytes>) -> Result<Answer, Refusal> {
        let path = request.uri().path();
        let Some(rest) = path.strip_prefix(ROOT) else {
            return Err(Refusal::new(404, format!("no resource exists at {path}")));
        };
        let token = header(request, header::AUTHORIZATION);
        if token.and_then(|text| text.strip_prefix("Bearer ")) != Some(&self.token) {
            return Err(Refusal::new(401, "the bearer token is missing or wrong"));
        }
        let query = Query::of_url(request.uri().query().unwrap_or_default())?;
        let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
        let method = request.method();
        match (parts.as_slice(), method) {
            (["ServiceProviderConfig"], &Method::GET) => {
                Ok(Answer::Body(schema::service_provider_config(&self.base)))
            }
            (["Schemas", id @ ..], &Method::GET) => {
                discovery(schema::schemas(&self.base), id, &query)
            }
            (["ResourceTypes", id @ ..], &Method::GET) => {
                discovery(schema::resource_types(&self.base), id, &query)
            }
            ([".search"], &Method::POST) => self.search(&Query::of_body(&body(request)?)),
            ([endpoint, rest @ ..], method) => match Resource::of_endpoint(endpoint) {
                Some(resource) => self.resources(resource, method, rest, &query, now, request),
                None if [
                    "ServiceProviderConfig",
                    "Schemas",
                    "ResourceTypes",
                    ".search",
                ]
                .contains(endpoint) =>
                {
                    Err(Refusal::new(
                        405,
                        format!("{method} is not allowed for this path"),
                    ))
                }
                // A service without such a feature returns 501 (RFC 7644 sections 3.11 and 3.12).
                None if ["Me", "Bulk"].contains(endpoint) => {
                    Err(Refusal::new(501, format!("/{endpoint} is not implemented")))
                }
                None => Err(Refusal::new(404, format!("no resource exists at {path}"))),
            },
            ([], _) => Err(Refusal::new(404, "no resource exists at the root")),
        }
    }

    fn resources(
        &mut self,
        resource: Resource,
        method: &Method,
        rest: &[&str],
        query: &Query,
        now: Timestamp,
        request: &Request<Bytes>,
    ) -> Result<Answer, Refusal> {
        match (rest, method) {
            ([], &Method::GET) => self.list(resource, query, now),
            ([".search"], &Method::POST) => {
                self.list(resource, &Query::of_body(&body(request)?), now)
            }
            ([], &Method::POST) => {
                let attributes = document::read(resource, &body(request)?)?;
                let id = self.store.create(resource, attributes, now)?.id.clone();
                self.render(resource, &id, query).map(Answer::Created)
            }
            ([id], &Method::GET) => {
                let stored = self.store.get(resource, id)?;
                if header(request, header::IF_NONE_MATCH) == Some(&stored.version()) {
                    return Ok(Answer::NotModified);
                }
                self.render(resource, id, query).map(Answer::Body)
            }
            ([id], &Method::PUT) => {
                self.check_version(resource, id, request)?;
                let mut attributes = document::read(resource, &body(request)?)?;
                // Responses never contain the password, so a client cannot send it back. A request without a
                // password keeps the stored one.
                let known = &self.store.get(resource, id)?.attributes;
                if let (false, Some(secret)) =
                    (attributes.contains_key("password"), known.get("password"))
                {
                    attributes.insert("password".to_owned(), secret.clone());
                }
                self.store.replace(resource, id, attributes, now)?;
                self.render(resource, id, query).map(Answer::Body)
            }
            ([id], &Method::PATCH) => {
                self.check_version(resource, id, request)?;
                let stored = self.store.get(resource, id)?;
                let rendered = self.store.render(stored, &self.base);
                let attributes =
                    patch::patched(resource, &stored.attributes, &rendered, &body(request)?)?;
                self.store.replace(resource, id, attributes, now)?;
                self.render(resource, id, query).map(Answer::Body)
            }
            ([id], &Method::DELETE) => {
                self.check_version(resource, id, request)?;
                self.store.delete(resource, id)?;
                Ok(Answer::NoContent)
            }
            ([] | [_], _) => Err(Refusal::new(
                405,
                format!("{method} is not allowed for this path"),
            )),
            _ => Err(Refusal::new(404, "a resource has no paths below it")),
        }
    }

    /// Rejects a write to a version other than the client's `If-Match` version (RFC 7644 section 3.14).
    fn check_version(
        &self,
        resource: Resource,
        id: &str,
        request: &Request<Bytes>,
    ) -> Result<(), Refusal> {
        let stored = self.store.get(resource, id)?;
        match header(request, header::IF_MATCH) {
            Some(wanted) if wanted != "*" && wanted != stored.version() => Err(Refusal::new(
                412,
                format!(
                    "the current version of the resource is {}",
                    stored.version()
                ),
            )),
            _ => Ok(()),
        }
    }

    fn render(&self, resource: Resource, id: &str, query: &Query) -> Result<Value, Refusal> {
        let stored = self.store.get(resource, id)?;
        query.part(resource, &self.store.render(stored, &self.base))
    }

    fn list(&self, resource: Resource, query: &Query, now: Timestamp) -> Result<Answer, Refusal> {
        let filter = query.filter(resource)?;
        let endpoint = resource.endpoint();
        let first = match query.cursor.as_deref() {
            None | Some("") => 0,
            Some(cursor) => query.position(cursor, endpoint, now)?,
        };
        let matching = self
            .store
            .resources_from(resource, first)
            .map(|(position, stored)| (position, self.store.render(stored, &self.base)))
            .filter(|(_, rendered)| {
                filter
                    .as_ref()
                    .is_none_or(|filter| filter.matches(rendered))
            });
        let mut matching: Vec<(u64, Map<String, Value>)> = matching.collect();
        let total = matching.len();
        let count = query.count();
        let mut response = json!({ "schemas": [LIST_RESPONSE] });
        if query.cursor.is_some() {
            if count == 0 {
                return Err(Refusal::bad(
                    "invalidCount",
                    "`count` must be at least 1 with a cursor",
                ));
            }
            if let Some((position, _)) = matching.get(count) {
                response["nextCursor"] = query.cursor_to(*position, endpoint, now).into();
            }
            // With cursors, only the first page contains the total; later pages count only the remaining
            // resources.
            if first == 0 {
                response["totalResults"] = total.into();
            }
        } else {
            matching.drain(..total.min(query.start() - 1));
            response["totalResults"] = total.into();
            response["startIndex"] = query.start().into();
        }
        matching.truncate(count);
        response["itemsPerPage"] = matching.len().into();
        let parts: Result<Vec<Value>, Refusal> = matching
            .iter()
            .map(|(_, rendered)| query.part(resource, rendered))
            .collect();
        response["Resources"] = parts?.into();
        Ok(Answer::Body(response))
    }

    /// Searches all resource types; types without the filter's attributes have no matches.
    fn search(&self, query: &Query) -> Result<Answer, Refusal> {
        let mut found = Vec::new();
        let mut error = None;
        for resource in [Resource::User, Resource::Group] {
            match query.filter(resource) {
                Err(refusal) => error = Some(refusal),
                Ok(filter) => {
                    for (_, stored) in self.store.resources_from(resource, 0) {
                        let rendered = self.store.render(stored, &self.base);
                        if filter
                            .as_ref()
                            .is_none_or(|filter| filter.matches(&rendered))
                        {
                            found.push(query.part(resource, &rendered)?);
                        }
                    }
                }
            }
        }
        match error {
            Some(refusal) if found.is_empty() => Err(refusal),
            _ => Ok(page(found, query)),
        }
    }
}

const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// Returns all schemas or resource types, or only the one with this id.
fn discovery(all: Vec<Value>, id: &[&str], query: &Query) -> Result<Answer, Refusal> {
    match id {
        // With 403, a client cannot mistake the full list for the result of its filter. The service ignores
        // all other list parameters (RFC 7644 section 4).
        [] if query.filter.is_some() => Err(Refusal::new(
            403,
            "schemas and resource types cannot be filtered",
        )),
        [] => Ok(page(all, &Query::default())),
        [id] => all
            .into_iter()
            .find(|item| {
                item["id"]
                    .as_str()
                    .is_some_and(|known| known.eq_ignore_ascii_case(id))
            })
            .map(Answer::Body)
            .ok_or_else(|| Refusal::new(404, format!("{id} does not exist"))),
        _ => Err(Refusal::new(404, "this resource has no paths below it")),
    }
}

fn page(all: Vec<Value>, query: &Query) -> Answer {
    let total = all.len();
    let page: Vec<Value> = all
        .into_iter()
        .skip(query.start() - 1)
        .take(query.count())
        .collect();
    Answer::Body(json!({
        "schemas": [LIST_RESPONSE],
        "totalResults": total,
        "startIndex": query.start(),
        "itemsPerPage": page.len(),
        "Resources": page,
    }))
}

fn header(request: &Request<Bytes>, name: header::HeaderName) -> Option<&str> {
    request.headers().get(name)?.to_str().ok()
}

/// Reads the JSON object in the body of a request.
fn body(request: &Request<Bytes>) -> Result<Map<String, Value>, Refusal> {
    let content_type = header(request, header::CONTENT_TYPE).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !["application/scim+json", "application/json"].contains(&essence) {
        return Err(Refusal::new(
            415,
            format!("the content type `{content_type}` is not application/scim+json"),
        ));
    }
    serde_json::from_slice(request.body())
        .map_err(|error| Refusal::syntax(format!("the body is not a JSON object: {error}")))
}

#[cfg(test)]
mod tests;
