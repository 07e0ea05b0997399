//! The engine of every SCIM service: it answers one request, by the rules of a profile.

use axum::body::Bytes;
use axum::http::{Method, Request, Response, header};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    document,
    filter::Filter,
    options::{ScimOptions, UnknownMembers},
    patch::{self, member_ids},
    profile::{Profile, ResourceType},
    query::Query,
    reply::{self, Answer, Refusal},
    schema::Returned,
    store::{MemberChange, Record, Resource, Selection, Store, Taken},
};
use crate::paging;

/// One request to a SCIM service.
pub(crate) struct Exchange<'e> {
    /// The rules of the service.
    pub(crate) profile: &'static Profile,
    /// The users and groups.
    pub(crate) store: &'e mut dyn Store,
    /// The URL of the service, for the locations of resources.
    pub(crate) base: &'e str,
    /// The request.
    pub(crate) request: &'e Request<Bytes>,
    /// The path below the URL of the service; `None` if the path is outside of it.
    pub(crate) below: Option<&'e str>,
    /// Whether the credentials of the request are valid.
    pub(crate) authorized: bool,
    /// The behavior that differs from the profile.
    pub(crate) options: &'e ScimOptions,
    /// The maximum page size, in addition to the profile's.
    pub(crate) max_page_size: Option<usize>,
    /// The current time.
    pub(crate) now: Timestamp,
    /// The id of the request, which the response contains.
    pub(crate) request_id: &'e str,
}

/// Resources as clients see them, with their positions.
type Rendered<'r> = Box<dyn Iterator<Item = (u64, Map<String, Value>)> + 'r>;

const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// Returns the bearer token of a request.
pub(crate) fn bearer_token(request: &Request<Bytes>) -> Option<&str> {
    header(request, header::AUTHORIZATION)?.strip_prefix("Bearer ")
}

/// Returns an error response that does not depend on the request, with a text of its own.
pub(crate) fn error_response(
    profile: &Profile,
    status: u16,
    detail: &str,
    request_id: &str,
    now: Timestamp,
) -> Response<Bytes> {
    reply::response(
        profile,
        request_id,
        now,
        Err(Refusal::exact(status, detail)),
    )
}

impl Exchange<'_> {
    /// Performs the request and returns the response.
    pub(crate) fn respond(mut self) -> Response<Bytes> {
        let outcome = self.call();
        reply::response(self.profile, self.request_id, self.now, outcome)
    }

    fn call(&mut self) -> Result<Answer, Refusal> {
        let (profile, request) = (self.profile, self.request);
        let path = request.uri().path();
        let no_resource = || Refusal::new(404, format!("no resource exists at {path}"));
        let below = self.below.ok_or_else(no_resource)?;
        if !self.authorized {
            return Err(Refusal::new(401, "the bearer token is missing or wrong"));
        }
        let mut parts: Vec<&str> = below.split('/').skip(1).collect();
        if profile.empty_segments {
            parts.retain(|part| !part.is_empty());
        } else if parts.contains(&"") {
            return Err(no_resource());
        }
        let query = Query::of_url(profile, request.uri().query().unwrap_or_default());
        let method = request.method();
        let not_allowed =
            |status| Refusal::new(status, format!("{method} is not allowed for this path"));
        let discovery = &profile.discovery;
        match parts.as_slice() {
            ["Users", rest @ ..] => {
                self.resources(profile.resource_type(Resource::User), rest, &query)
            }
            ["Groups", rest @ ..] => {
                self.resources(profile.resource_type(Resource::Group), rest, &query)
            }
            ["ServiceProviderConfig" | "Schemas" | "ResourceTypes", ..]
                if method != Method::GET =>
            {
                Err(not_allowed(discovery.other_methods_status))
            }
            ["ServiceProviderConfig"] => Ok(Answer::Body((discovery.config)(self.base))),
            ["Schemas", id @ ..] => self.describe((discovery.schemas)(self.base), id, &query),
            ["ResourceTypes", id @ ..] if id.is_empty() || discovery.single_resource_types => {
                self.describe((discovery.resource_types)(self.base), id, &query)
            }
            [".search"] if profile.search && method == Method::POST => {
                self.search(&Query::of_body(&self.body()?))
            }
            [".search"] if profile.search => Err(not_allowed(405)),
            // A service without such a feature returns 501 (RFC 7644 sections 3.11 and 3.12).
            [endpoint @ ("Me" | "Bulk" | ".search"), ..] => {
                Err(Refusal::new(501, format!("/{endpoint} is not implemented")))
            }
            _ => Err(no_resource()),
        }
    }

    fn resources(
        &mut self,
        resource_type: ResourceType,
        rest: &[&str],
        query: &Query,
    ) -> Result<Answer, Refusal> {
        let rules = resource_type.rules();
        match (rest, self.request.method()) {
            ([], &Method::GET) => self.list(resource_type, query),
            ([".search"], &Method::POST) if self.profile.search => {
                self.list(resource_type, &Query::of_body(&self.body()?))
            }
            ([], &Method::POST) => self.create(resource_type, query),
            ([id], &Method::GET) => {
                let record = self.found(resource_type, id)?;
                if self.profile.versions
                    && header(self.request, header::IF_NONE_MATCH) == Some(&version(&record))
                {
                    return Ok(Answer::NotModified);
                }
                self.show(resource_type, &record, query).map(Answer::Body)
            }
            ([id], &Method::PUT) if rules.put => self.replace(resource_type, id, query),
            ([id], &Method::PATCH) => self.patch(resource_type, id, query),
            ([id], &Method::DELETE) => {
                self.found_current(resource_type, id)?;
                self.store.delete(resource_type.resource, id);
                Ok(Answer::NoContent)
            }
            ([] | [_], method) => Err(Refusal::new(
                405,
                format!("{method} is not allowed for this path"),
            )),
            _ => Err(Refusal::new(404, "a resource has no paths below it")),
        }
    }

    fn create(&mut self, resource_type: ResourceType, query: &Query) -> Result<Answer, Refusal> {
        let rules = resource_type.rules();
        let mut attributes = document::read(resource_type, &self.body()?)?;
        self.options
            .drop_from(resource_type.resource, &mut attributes);
        let members = attributes.get("members");
        if let (Some(limits), Some(members)) = (rules.members, members)
            && member_ids(members).count() > limits.max_changes
        {
            return Err(Refusal::value("the request adds too many members"));
        }
        self.check_members(members.into_iter().flat_map(member_ids))?;
        let id = self
            .store
            .create(resource_type.resource, attributes, self.now)
            .map_err(|Taken(attribute)| Refusal::duplicate(attribute))?;
        let record = self.found(resource_type, &id)?;
        let mut shown = self.show(resource_type, &record, query)?;
        if let Some(shown) = shown.as_object_mut() {
            shown.retain(|name, _| !rules.not_in_create_response.contains(&name.as_str()));
        }
        Ok(Answer::Created(shown))
    }

    fn replace(
        &mut self,
        resource_type: ResourceType,
        id: &str,
        query: &Query,
    ) -> Result<Answer, Refusal> {
        let body = self.body()?;
        let record = self.found_current(resource_type, id)?;
        if self.profile.put_compares_id && body.get("id").is_some_and(|named| named != id) {
            return Err(Refusal::mutability("id"));
        }
        let mut attributes = document::read(resource_type, &body)?;
        // Responses never contain the password, so a client cannot send it back. A request without a
        // password keeps the stored one.
        if let (false, Some(secret)) = (
            attributes.contains_key("password"),
            record.attributes.get("password"),
        ) {
            attributes.insert("password".to_owned(), secret.clone());
        }
        self.check_members(attributes.get("members").into_iter().flat_map(member_ids))?;
        self.store_change(resource_type, id, attributes)?;
        let record = self.found(resource_type, id)?;
        self.show(resource_type, &record, query).map(Answer::Body)
    }

    fn patch(
        &mut self,
        resource_type: ResourceType,
        id: &str,
        query: &Query,
    ) -> Result<Answer, Refusal> {
        let body = self.body()?;
        let record = self.found_current(resource_type, id)?;
        let rendered = self.render(resource_type, &record);
        let options = self.options;
        let dropped = options.dropped(resource_type.resource);
        let patched = patch::patched(resource_type, &record.attributes, &rendered, &body, dropped)?;
        let changes = patched.member_changes;
        let added = changes.iter().filter_map(|change| match change {
            MemberChange::Add(id) => Some(id.as_str()),
            MemberChange::Remove(_) => None,
        });
        let members = patched.attributes.get("members").into_iter();
        self.check_members(members.flat_map(member_ids).chain(added))?;
        self.store_change(resource_type, id, patched.attributes)?;
        self.store.change_members(id, &changes, self.now);
        if !resource_type.rules().patch_returns_resource {
            return Ok(Answer::NoContent);
        }
        let record = self.found(resource_type, id)?;
        self.show(resource_type, &record, query).map(Answer::Body)
    }

    fn store_change(
        &mut self,
        resource_type: ResourceType,
        id: &str,
        mut attributes: Map<String, Value>,
    ) -> Result<(), Refusal> {
        self.options
            .drop_from(resource_type.resource, &mut attributes);
        self.store
            .replace(resource_type.resource, id, attributes, self.now)
            .map_err(|Taken(attribute)| Refusal::duplicate(attribute))
    }

    fn found(&self, resource_type: ResourceType, id: &str) -> Result<Record, Refusal> {
        self.store
            .get(resource_type.resource, id)
            .ok_or_else(|| Refusal::absent(id))
    }

    /// Returns a resource for a write; fails if the client's `If-Match` names another version (RFC 7644
    /// section 3.14).
    fn found_current(&self, resource_type: ResourceType, id: &str) -> Result<Record, Refusal> {
        let record = self.found(resource_type, id)?;
        let current = version(&record);
        match header(self.request, header::IF_MATCH).filter(|_| self.profile.versions) {
            Some(wanted) if wanted != "*" && wanted != current => Err(Refusal::new(
                412,
                format!("the current version of the resource is {current}"),
            )),
            _ => Ok(record),
        }
    }

    fn check_members<'m>(&self, mut ids: impl Iterator<Item = &'m str>) -> Result<(), Refusal> {
        match ids.find(|id| !self.store.can_be_member(id)) {
            None => Ok(()),
            Some(id)
                if self.profile.unknown_member_is_not_found
                    && self.options.unknown_members == UnknownMembers::NotFound =>
            {
                Err(Refusal::absent(id))
            }
            Some(id) => Err(Refusal::value(format!("the member `{id}` does not exist"))),
        }
    }

    /// Returns a resource as clients see it.
    fn render(&self, resource_type: ResourceType, record: &Record) -> Map<String, Value> {
        let mut rendered = self.store.expand(resource_type.resource, record);
        let schema = resource_type.schema();
        let mut schemas = vec![schema.urn];
        let extension = resource_type.rules().extension;
        schemas.extend(
            extension
                .map(|extension| extension.urn)
                .filter(|urn| rendered.contains_key(*urn)),
        );
        for attribute in schema.attributes {
            if attribute.returned == Returned::Empty {
                rendered.insert(attribute.name.to_owned(), json!([]));
            }
        }
        let time = |time: Timestamp| time.strftime(self.profile.time_format).to_string();
        let mut meta = json!({
            "resourceType": schema.name,
            "created": time(record.created),
            "lastModified": time(record.modified),
        });
        if self.profile.versions {
            let endpoint = resource_type.endpoint();
            meta["location"] = format!("{}/{endpoint}/{}", self.base, record.id).into();
            meta["version"] = version(record).into();
        }
        rendered.insert("schemas".to_owned(), schemas.into());
        rendered.insert("id".to_owned(), record.id.as_str().into());
        rendered.insert("meta".to_owned(), meta);
        rendered
    }

    /// Returns the part of a resource that the client asked for.
    fn show(
        &self,
        resource_type: ResourceType,
        record: &Record,
        query: &Query,
    ) -> Result<Value, Refusal> {
        self.part(resource_type, self.render(resource_type, record), query)
    }

    fn part(
        &self,
        resource_type: ResourceType,
        rendered: Map<String, Value>,
        query: &Query,
    ) -> Result<Value, Refusal> {
        if self.profile.projection {
            query.part(resource_type, &rendered)
        } else {
            Ok(rendered.into())
        }
    }

    fn list(&self, resource_type: ResourceType, query: &Query) -> Result<Answer, Refusal> {
        let paging = self.profile.paging;
        let endpoint = resource_type.endpoint();
        let (count, start) = (query.count(paging)?, query.start(paging)?);
        let filter = query.filter(resource_type)?;
        let mut matching = self.matching(resource_type, filter.as_ref())?;
        let after = query.position(endpoint, paging, self.now)?;
        let with_cursor = query.cursor.is_some();
        if with_cursor && count == 0 {
            return Err(Refusal::bad(
                "invalidCount",
                "`count` must be at least 1 with a cursor",
            ));
        }
        let mut total = None;
        if paging.index {
            let all: Vec<_> = matching.collect();
            total = Some(all.len());
            let skipped = if with_cursor { 0 } else { start - 1 };
            matching = Box::new(all.into_iter().skip(skipped));
        }
        let size = self.max_page_size.map_or(count, |max| max.min(count));
        let is_before = |position: &u64| after.is_some_and(|after| *position <= after);
        let page = paging::slice(matching, is_before, size);
        let number = page.items.len();
        let resources: Result<Vec<Value>, Refusal> = page
            .items
            .into_iter()
            .map(|rendered| self.part(resource_type, rendered, query))
            .collect();
        let mut response = json!({
            "schemas": [LIST_RESPONSE],
            "itemsPerPage": number,
            "Resources": resources?,
        });
        if with_cursor {
            if let Some(position) = page.last {
                response["nextCursor"] = query.cursor_after(position, endpoint, self.now).into();
            }
            match total {
                // Only the first page contains the total.
                Some(total) if after.is_none() => response["totalResults"] = total.into(),
                Some(_) => {}
                // Without totals, `itemsPerPage` is the requested number.
                None => response["itemsPerPage"] = count.into(),
            }
        } else {
            response["totalResults"] = total.unwrap_or(number).into();
            response["startIndex"] = start.into();
        }
        Ok(Answer::Body(response))
    }

    /// Returns the resources that match a filter, through an index of the store if there is one.
    fn matching<'m>(
        &'m self,
        resource_type: ResourceType,
        filter: Option<&'m Filter>,
    ) -> Result<Rendered<'m>, Refusal> {
        let resource = resource_type.resource;
        let mut conditions = filter.map(Filter::conjuncts).unwrap_or_default();
        let mut records = None;
        // Memberships come first: the store resolves them, because resources may not contain them.
        conditions.sort_by_key(|condition| {
            !condition
                .equality()
                .is_some_and(|(target, _)| target.attribute.multi_valued)
        });
        for index in 0..conditions.len() {
            let Some((target, value)) = conditions[index].equality() else {
                continue;
            };
            match self.store.select(resource, &target.name(), value) {
                Selection::Unindexed => {}
                Selection::UnknownId => return Err(Refusal::absent(value)),
                Selection::Records(found) => {
                    conditions.remove(index);
                    records = Some(found);
                    break;
                }
            }
        }
        let records = records.unwrap_or_else(|| self.store.list(resource));
        let rendered = records
            .map(move |record| (record.position, self.render(resource_type, &record)))
            .filter(move |(_, rendered)| {
                conditions
                    .iter()
                    .all(|condition| condition.matches(rendered))
            });
        Ok(Box::new(rendered))
    }

    /// Searches all resource types; types without the filter's attributes have no matches.
    fn search(&self, query: &Query) -> Result<Answer, Refusal> {
        let mut found = Vec::new();
        let mut error = None;
        for resource in [Resource::User, Resource::Group] {
            let resource_type = self.profile.resource_type(resource);
            match query.filter(resource_type) {
                Err(refusal) => error = Some(refusal),
                Ok(filter) => {
                    for (_, rendered) in self.matching(resource_type, filter.as_ref())? {
                        found.push(self.part(resource_type, rendered, query)?);
                    }
                }
            }
        }
        match error {
            Some(refusal) if found.is_empty() => Err(refusal),
            _ => self.page(found, query),
        }
    }

    /// Returns all schemas or resource types, or only the one with this id.
    fn describe(&self, all: Vec<Value>, id: &[&str], query: &Query) -> Result<Answer, Refusal> {
        match id {
            // With 403, a client cannot mistake the full list for the result of its filter. The service ignores
            // all other list parameters (RFC 7644 section 4).
            [] if query.filter.is_some() && self.profile.discovery.rejects_filters => Err(
                Refusal::new(403, "schemas and resource types cannot be filtered"),
            ),
            [] => self.page(all, &Query::default()),
            [id] => {
                let resource_type = self.profile.resource_type(Resource::User);
                all.into_iter()
                    .find(|item| {
                        item["id"]
                            .as_str()
                            .is_some_and(|known| resource_type.is_name(known, id))
                    })
                    .map(Answer::Body)
                    .ok_or_else(|| Refusal::absent(id))
            }
            _ => Err(Refusal::new(404, "this resource has no paths below it")),
        }
    }

    fn page(&self, all: Vec<Value>, query: &Query) -> Result<Answer, Refusal> {
        let paging = self.profile.paging;
        let (total, start) = (all.len(), query.start(paging)?);
        let page: Vec<Value> = all
            .into_iter()
            .skip(start - 1)
            .take(query.count(paging)?)
            .collect();
        Ok(Answer::Body(json!({
            "schemas": [LIST_RESPONSE],
            "totalResults": total,
            "startIndex": start,
            "itemsPerPage": page.len(),
            "Resources": page,
        })))
    }

    /// Reads the JSON object in the body of the request.
    fn body(&self) -> Result<Map<String, Value>, Refusal> {
        let content_type = header(self.request, header::CONTENT_TYPE).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !["application/scim+json", "application/json"].contains(&essence) {
            return Err(Refusal::new(
                415,
                format!("the content type `{content_type}` is not application/scim+json"),
            ));
        }
        serde_json::from_slice(self.request.body())
            .map_err(|error| Refusal::syntax(format!("the body is not a JSON object: {error}")))
    }
}

fn version(record: &Record) -> String {
    format!("W/\"{}\"", record.version)
}

fn header(request: &Request<Bytes>, name: header::HeaderName) -> Option<&str> {
    request.headers().get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests;
