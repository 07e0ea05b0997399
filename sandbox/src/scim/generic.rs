//! A SCIM service provider that does what the RFCs say: 7643, 7644 and 9865.
//!
//! It is strict where a client could be wrong without noticing: an attribute that no schema has, a
//! filter on one, a value of another type, a list of values to remove are refused. It is what other
//! people's judges of service providers are run against, and it has nothing to do with AWS: its
//! directory is its own.

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

/// The directory of a service provider.
#[derive(Debug)]
pub(crate) struct Directory {
    base: String,
    token: String,
    store: Store,
    requests: u64,
}

/// Where the service is below its host.
pub(crate) const ROOT: &str = "/scim/v2";

impl Directory {
    /// An empty directory, at `base`, for whoever has the token.
    pub(crate) fn new(base: String, token: &str) -> Self {
        Self {
            base,
            token: token.to_owned(),
            store: Store::default(),
            requests: 0,
        }
    }

    /// Answers one request; its path begins at the root of the listener.
    pub(crate) fn handle(&mut self, now: Timestamp, request: &Request<Bytes>) -> Response<Bytes> {
        self.requests += 1;
        let id = format!("generic-{}", self.requests);
        let outcome = self.call(now, request);
        reply::response(&id, outcome)
    }

    fn call(&mut self, now: Timestamp, request: &Request<Bytes>) -> Result<Answer, Refusal> {
        let path = request.uri().path();
        let Some(rest) = path.strip_prefix(ROOT) else {
            return Err(Refusal::new(404, format!("there is nothing at {path}")));
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
                described(schema::shown(&self.base), id, &query)
            }
            (["ResourceTypes", id @ ..], &Method::GET) => {
                described(schema::resource_types(&self.base), id, &query)
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
                    Err(Refusal::new(405, format!("{method} is not allowed here")))
                }
                // 501 is what a service answers that has no such feature (RFC 7644 sections 3.11 and 3.12).
                None if ["Me", "Bulk"].contains(endpoint) => {
                    Err(Refusal::new(501, format!("/{endpoint} is not implemented")))
                }
                None => Err(Refusal::new(404, format!("there is nothing at {path}"))),
            },
            ([], _) => Err(Refusal::new(404, "there is nothing at the root")),
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
                self.one(resource, &id, query).map(Answer::Created)
            }
            ([id], &Method::GET) => {
                let kept = self.store.get(resource, id)?;
                if header(request, header::IF_NONE_MATCH) == Some(&kept.version()) {
                    return Ok(Answer::NotModified);
                }
                self.one(resource, id, query).map(Answer::Body)
            }
            ([id], &Method::PUT) => {
                self.expected(resource, id, request)?;
                let mut attributes = document::read(resource, &body(request)?)?;
                // What is never shown cannot be sent back, and stays unless it is set.
                let known = &self.store.get(resource, id)?.attributes;
                if let (false, Some(secret)) =
                    (attributes.contains_key("password"), known.get("password"))
                {
                    attributes.insert("password".to_owned(), secret.clone());
                }
                self.store.replace(resource, id, attributes, now)?;
                self.one(resource, id, query).map(Answer::Body)
            }
            ([id], &Method::PATCH) => {
                self.expected(resource, id, request)?;
                let kept = self.store.get(resource, id)?;
                let shown = self.store.shown(kept, &self.base);
                let attributes =
                    patch::patched(resource, &kept.attributes, &shown, &body(request)?)?;
                self.store.replace(resource, id, attributes, now)?;
                self.one(resource, id, query).map(Answer::Body)
            }
            ([id], &Method::DELETE) => {
                self.expected(resource, id, request)?;
                self.store.delete(resource, id)?;
                Ok(Answer::NoContent)
            }
            ([] | [_], _) => Err(Refusal::new(405, format!("{method} is not allowed here"))),
            _ => Err(Refusal::new(404, "there is nothing behind a resource")),
        }
    }

    /// Refuses to write over a version that the client has not seen (RFC 7644 section 3.14).
    fn expected(
        &self,
        resource: Resource,
        id: &str,
        request: &Request<Bytes>,
    ) -> Result<(), Refusal> {
        let kept = self.store.get(resource, id)?;
        match header(request, header::IF_MATCH) {
            Some(wanted) if wanted != "*" && wanted != kept.version() => Err(Refusal::new(
                412,
                format!("the resource has version {}", kept.version()),
            )),
            _ => Ok(()),
        }
    }

    fn one(&self, resource: Resource, id: &str, query: &Query) -> Result<Value, Refusal> {
        let kept = self.store.get(resource, id)?;
        query.part(resource, &self.store.shown(kept, &self.base))
    }

    fn list(&self, resource: Resource, query: &Query, now: Timestamp) -> Result<Answer, Refusal> {
        let filter = query.filter(resource)?;
        let endpoint = resource.endpoint();
        let first = match query.cursor.as_deref() {
            None | Some("") => 0,
            Some(cursor) => query.place(cursor, endpoint, now)?,
        };
        let fitting = self
            .store
            .from(resource, first)
            .map(|(number, kept)| (number, self.store.shown(kept, &self.base)))
            .filter(|(_, shown)| filter.as_ref().is_none_or(|filter| filter.fits(shown)));
        let mut fitting: Vec<(u64, Map<String, Value>)> = fitting.collect();
        let total = fitting.len();
        let count = query.count();
        let mut answer = json!({ "schemas": [LIST_RESPONSE] });
        if query.cursor.is_some() {
            if count == 0 {
                return Err(Refusal::bad(
                    "invalidCount",
                    "a page by cursor has one resource or more",
                ));
            }
            if let Some((number, _)) = fitting.get(count) {
                answer["nextCursor"] = query.cursor_to(*number, endpoint, now).into();
            }
            // Where a walk began somewhere else, how many there are in all is not counted again.
            if first == 0 {
                answer["totalResults"] = total.into();
            }
        } else {
            fitting.drain(..total.min(query.start() - 1));
            answer["totalResults"] = total.into();
            answer["startIndex"] = query.start().into();
        }
        fitting.truncate(count);
        answer["itemsPerPage"] = fitting.len().into();
        let parts: Result<Vec<Value>, Refusal> = fitting
            .iter()
            .map(|(_, shown)| query.part(resource, shown))
            .collect();
        answer["Resources"] = parts?.into();
        Ok(Answer::Body(answer))
    }

    /// A search over everything: what does not know an attribute does not fit.
    fn search(&self, query: &Query) -> Result<Answer, Refusal> {
        let mut found = Vec::new();
        let mut refused = None;
        for resource in [Resource::User, Resource::Group] {
            match query.filter(resource) {
                Err(refusal) => refused = Some(refusal),
                Ok(filter) => {
                    for (_, kept) in self.store.from(resource, 0) {
                        let shown = self.store.shown(kept, &self.base);
                        if filter.as_ref().is_none_or(|filter| filter.fits(&shown)) {
                            found.push(query.part(resource, &shown)?);
                        }
                    }
                }
            }
        }
        match refused {
            Some(refusal) if found.is_empty() => Err(refusal),
            _ => Ok(page(found, query)),
        }
    }
}

const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// Schemas or resource types: all, or the one with this id.
fn described(all: Vec<Value>, id: &[&str], query: &Query) -> Result<Answer, Refusal> {
    match id {
        // 403, so that no client takes what it gets for what its filter finds; all else a list can be asked for is ignored
        // (RFC 7644 section 4).
        [] if query.filter.is_some() => {
            Err(Refusal::new(403, "what the service is cannot be filtered"))
        }
        [] => Ok(page(all, &Query::default())),
        [id] => all
            .into_iter()
            .find(|one| {
                one["id"]
                    .as_str()
                    .is_some_and(|known| known.eq_ignore_ascii_case(id))
            })
            .map(Answer::Body)
            .ok_or_else(|| Refusal::new(404, format!("there is no {id}"))),
        _ => Err(Refusal::new(404, "there is nothing behind it")),
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

/// The object in the body of a request.
fn body(request: &Request<Bytes>) -> Result<Map<String, Value>, Refusal> {
    let content_type = header(request, header::CONTENT_TYPE).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !["application/scim+json", "application/json"].contains(&essence) {
        return Err(Refusal::new(
            415,
            format!("`{content_type}` is not application/scim+json"),
        ));
    }
    serde_json::from_slice(request.body())
        .map_err(|error| Refusal::syntax(format!("the body is not a JSON object: {error}")))
}

#[cfg(test)]
mod tests;
