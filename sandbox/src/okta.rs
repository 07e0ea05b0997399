//! The Okta org: its state and its API below `/api/v1`.

mod app_document;
mod apps;
mod assignments;
mod catalog;
mod domains;
mod filter;
mod groups;
mod id_generator;
mod keys;
mod limits;
mod metadata;
mod paging;
mod provisioning;
mod pushes;
mod query;
mod reply;
mod timestamps;
mod users;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub use self::limits::OktaRateLimits;
pub(crate) use self::{
    apps::App,
    assignments::SyncStatus,
    catalog::IDENTITY_CENTER,
    domains::DnsRecord,
    groups::Group,
    metadata::entity_id,
    provisioning::{Connection, ProvisioningFeatures, check_base_url, credentials_refused},
    pushes::Status as PushStatus,
    users::User,
};
use self::{
    domains::Domain,
    groups::Kind,
    id_generator::IdGenerator,
    limits::{Bucket, Limits, RateLimitStatus},
    pushes::RemovedPush,
    query::Call,
    reply::{Body, Refusal, Reply},
};
use crate::{company::Company, record::method_writes};

/// The settings of an org.
#[derive(Debug)]
pub(crate) struct Setup {
    /// The authority of the listener, such as `127.0.0.1:4242`.
    pub(crate) authority: String,
    pub(crate) token: String,
    pub(crate) page_size: Option<usize>,
    pub(crate) rate_limits: OktaRateLimits,
    pub(crate) connections_supported: bool,
    pub(crate) certificate_delay: SignedDuration,
}

/// The state of an org.
#[derive(Debug)]
pub(crate) struct Org {
    id: String,
    pub(crate) subdomain: String,
    authority: String,
    token: String,
    page_size: Option<usize>,
    connections_supported: bool,
    certificate_delay: SignedDuration,
    limits: Limits,
    ids: IdGenerator,
    /// The number of signing keys generated so far.
    key_count: usize,
    created: Timestamp,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) apps: BTreeMap<String, App>,
    pub(crate) domains: BTreeMap<String, Domain>,
    /// The published DNS records.
    pub(crate) dns: Vec<DnsRecord>,
    /// A counter that grows whenever the input of the provisioning engine may have changed.
    pub(crate) changes: u64,
    /// Deleted mappings that the provisioning engine has not processed yet.
    pub(crate) removed_pushes: Vec<RemovedPush>,
}

/// Handles one request to an org.
pub(crate) fn handle(
    org: &mut Org,
    now: Timestamp,
    request: &http::Request<Bytes>,
) -> Response<Bytes> {
    org.complete_due_domains(now);
    org.changes += u64::from(method_writes(request.method()));
    let call = Call::new(now, org.link_host(request), request);
    let rate_limit = org
        .limits
        .record(Bucket::of(call.method, &call.segments), now);
    let reply = org
        .check(request, &rate_limit)
        .and_then(|()| org.dispatch(&call));
    org.response(reply, &rate_limit, now)
}

impl Org {
    /// Creates an org with the company's people and groups, and the default applications.
    pub(crate) fn new(company: &Company, setup: Setup, now: Timestamp) -> Self {
        let mut ids = IdGenerator::new();
        let mut org = Self {
            id: ids.id("00o"),
            subdomain: company.subdomain.clone(),
            authority: setup.authority,
            token: setup.token,
            page_size: setup.page_size,
            connections_supported: setup.connections_supported,
            certificate_delay: setup.certificate_delay,
            limits: Limits::new(setup.rate_limits),
            ids,
            key_count: 0,
            created: now,
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            apps: BTreeMap::new(),
            domains: BTreeMap::new(),
            dns: Vec::new(),
            changes: 0,
            removed_pushes: Vec::new(),
        };
        let everyone = org.ids.id("00g");
        let group = Group::new(everyone.clone(), Kind::BuiltIn, "Everyone", now)
            .with_description(Some("All users in your organization".to_owned()));
        org.groups.insert(everyone, group);
        for person in &company.people {
            org.add_person(person, now);
        }
        for team in &company.teams {
            org.add_team(team, now);
        }
        org.install_applications(now);
        org
    }

    /// Adds a user, also to the group `Everyone`, and returns the user's id.
    pub(crate) fn add_person(&mut self, person: &crate::company::Person, now: Timestamp) -> String {
        let id = self.ids.id("00u");
        self.users
            .insert(id.clone(), User::new(id.clone(), person, now));
        let everyone = self
            .groups
            .values_mut()
            .find(|group| group.kind == Kind::BuiltIn);
        if let Some(everyone) = everyone {
            everyone.members.insert(id.clone());
        }
        self.refresh_assignments(now);
        id
    }

    /// Adds a group and returns its id. Ignores logins that no user has.
    pub(crate) fn add_team(&mut self, team: &crate::company::Team, now: Timestamp) -> String {
        let id = self.ids.id("00g");
        let mut group = Group::new(id.clone(), Kind::Okta, &team.name, now)
            .with_description(team.description.clone());
        let members = team
            .members
            .iter()
            .filter_map(|login| self.user(login).ok());
        group.members = members.map(|user| user.id.clone()).collect();
        self.groups.insert(id.clone(), group);
        id
    }

    /// Changes a user and refreshes the assignments that depend on it.
    pub(crate) fn change_user(
        &mut self,
        login: &str,
        now: Timestamp,
        change: impl FnOnce(&mut User),
    ) -> Option<String> {
        let id = self.user(login).ok()?.id.clone();
        change(self.users.get_mut(&id)?);
        self.refresh_assignments(now);
        Some(id)
    }

    /// Returns the visible state of the org, for a comparison before and after an action.
    pub(crate) fn snapshot(&self) -> Value {
        let host = &self.authority;
        let apps = self.apps.values().map(|app| {
            let mut document = app.document(&self.id, host);
            document["assignedUsers"] = app.users.keys().cloned().collect();
            document["assignedGroups"] = app.groups.keys().cloned().collect();
            document["pushedGroups"] = app
                .pushes
                .values()
                .map(|push| push.source.clone())
                .collect();
            document["keys"] = app.keys.iter().map(|key| key.kid.clone()).collect();
            document
        });
        let groups = self.groups.values().map(|group| {
            let mut document = group.document(host);
            document["members"] = group.members.iter().cloned().collect();
            document
        });
        json!({
            "apps": apps.collect::<Vec<_>>(),
            "groups": groups.collect::<Vec<_>>(),
            "users": self.users.values().map(|user| user.document(host)).collect::<Vec<_>>(),
            "domains": self.domains.values().map(|domain| domain.document(&self.subdomain, host)).collect::<Vec<_>>(),
        })
    }

    /// Adds an application, as an administrator does, and returns its id.
    pub(crate) fn install(
        &mut self,
        name: &str,
        label: &str,
        settings: &Value,
        now: Timestamp,
    ) -> Option<String> {
        let entry = catalog::find(name)?;
        let body = json!({
            "label": label,
            "signOnMode": entry.sign_on_mode,
            "settings": { "app": settings },
        });
        self.add_app(entry, body.as_object()?, true, now).ok()
    }

    /// Adds the applications that every org has, and two more.
    fn install_applications(&mut self, now: Timestamp) {
        let intranet =
            json!({ "url": "https://intranet.example.com", "requestIntegration": false });
        let federation = json!({ "awsEnvironmentType": "aws.amazon", "sessionDuration": 3600, "joinAllRoles": false });
        let installed = [
            ("saasure", "Okta Admin Console", json!({})),
            ("okta_browser_plugin", "Okta Browser Plugin", json!({})),
            ("bookmark", "Intranet", intranet),
            ("amazon_aws", "AWS Account Federation", federation),
        ];
        for (name, label, settings) in installed {
            let added = self.install(name, label, &settings, now);
            debug_assert!(added.is_some(), "{name} cannot be added");
        }
    }

    /// Returns the host for links: the request's host if it is this listener or a custom domain.
    ///
    /// Otherwise returns the listener's own authority.
    fn link_host(&self, request: &http::Request<Bytes>) -> String {
        let requested = request
            .headers()
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let requested = requested.unwrap_or(&self.authority).to_lowercase();
        let port = self.authority.rsplit(':').next().unwrap_or_default();
        let is_listener = requested == self.authority || requested == format!("localhost:{port}");
        let is_custom = self.domains.values().any(|domain| domain.name == requested);
        if is_listener || is_custom {
            return requested;
        }
        self.authority.clone()
    }

    /// Checks the parts that are common to all requests: length, token and rate limit.
    fn check(
        &self,
        request: &http::Request<Bytes>,
        rate_limit: &RateLimitStatus,
    ) -> Result<(), Refusal> {
        let headers = request.headers();
        let has_length = headers.contains_key(header::CONTENT_LENGTH)
            || headers.contains_key(header::TRANSFER_ENCODING);
        let needs_length = matches!(
            *request.method(),
            Method::POST | Method::PUT | Method::PATCH
        );
        if needs_length && !has_length {
            let summary = "The Content-Length header is required";
            return Err(Refusal::new(
                StatusCode::LENGTH_REQUIRED,
                "E0000003",
                summary,
            ));
        }
        let authorization = headers.get(header::AUTHORIZATION);
        // Okta accepts the token with and without a space after the scheme: its own Python SDK (3.4)
        // sends no space and works.
        let token = authorization
            .and_then(|value| value.to_str().ok()?.strip_prefix("SSWS"))
            .map(str::trim_start);
        if token != Some(self.token.as_str()) {
            return Err(Refusal::token());
        }
        if rate_limit.exceeded {
            return Err(Refusal::too_many_requests());
        }
        Ok(())
    }

    fn dispatch(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let is_metadata = call.segments.last().is_some_and(|last| last == "metadata");
        if !is_metadata && !call.accepts("application/json") {
            return Err(Refusal::media_type());
        }
        let first = call.segments.first().map(String::as_str);
        match (first.unwrap_or_default(), call.segments.len()) {
            ("users", _) => self.users_endpoint(call),
            ("groups", _) => self.groups_endpoint(call),
            ("apps", _) => self.apps_endpoint(call),
            ("domains", _) => self.domains_endpoint(call),
            ("org", 1) if call.method == Method::GET => Ok(Reply::ok(self.org_document())),
            ("org", 1) => Err(Refusal::method()),
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }

    fn org_document(&self) -> Value {
        json!({
            "id": self.id,
            "subdomain": self.subdomain,
            "companyName": self.subdomain,
            "status": "ACTIVE",
            "created": timestamps::millis(self.created),
            "lastUpdated": timestamps::millis(self.created),
            "website": null,
            "supportPhoneNumber": null,
            "expiresAt": null,
        })
    }

    /// Builds the HTTP response, with the headers that every response of Okta has.
    fn response(
        &mut self,
        reply: Result<Reply, Refusal>,
        rate_limit: &RateLimitStatus,
        now: Timestamp,
    ) -> Response<Bytes> {
        let request_id = self.ids.opaque(27);
        let reply = reply.unwrap_or_else(|refusal| {
            let error_id = format!("oae{}", self.ids.opaque(22));
            Reply::with_status(refusal.status, refusal.envelope(&error_id))
        });
        let (kind, body) = match reply.body {
            Body::Empty => (None, Bytes::new()),
            Body::Json(document) => (Some("application/json"), document.to_string().into()),
            // Okta's header names the wrong encoding: the document is UTF-8, as it declares itself.
            Body::Xml(document) => (Some("application/xml;charset=ISO-8859-1"), document),
        };
        let mut response = Response::new(body);
        *response.status_mut() = reply.status;
        let headers = response.headers_mut();
        rate_limit.write(headers);
        let mut append = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.append(name, value);
            }
        };
        append("date", &date(now));
        append("x-okta-request-id", &request_id);
        if let Some(kind) = kind {
            append("content-type", kind);
        }
        for (relation, address) in &reply.links {
            append("link", &format!("<{address}>; rel=\"{relation}\""));
        }
        response
    }
}

/// Returns Okta's response to a request that a fault throttles.
///
/// Without `seconds`, returns the response of the concurrency limit, whose rate-limit headers are zero.
pub(crate) fn throttled(org: &mut Org, now: Timestamp, seconds: Option<u32>) -> Response<Bytes> {
    let rate_limit = RateLimitStatus {
        limit: seconds.map_or(0, |_| 600),
        remaining: 0,
        reset: crate::clock::after(now, SignedDuration::from_secs(seconds.unwrap_or(60).into())),
        exceeded: true,
    };
    org.response(Err(Refusal::too_many_requests()), &rate_limit, now)
}

/// Formats a time for the `Date` header.
pub(crate) fn date(now: Timestamp) -> String {
    now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
