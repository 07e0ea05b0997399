//! An Okta org: what `/api/v1` answers, and the state behind it.

mod answer;
mod app_document;
mod apps;
mod assignments;
mod catalog;
mod domains;
mod filter;
mod groups;
mod keys;
mod limits;
mod metadata;
mod mint;
mod moment;
mod paging;
mod provisioning;
mod pushes;
mod query;
mod users;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub use self::limits::RateLimits;
use self::{
    answer::{Body, Refusal, Reply},
    domains::Domain,
    groups::Kind,
    limits::{Bucket, Limits, Standing},
    mint::Mint,
    pushes::Removed,
    query::Call,
};
pub(crate) use self::{
    apps::App,
    assignments::Sync,
    catalog::IDENTITY_CENTER,
    domains::DnsRecord,
    groups::Group,
    metadata::entity_id,
    provisioning::{Connection, Switches, check_base_url, credentials_refused},
    pushes::Status as PushStatus,
    users::User,
};
use crate::{company::Company, record::method_writes};

/// How an org is set up.
#[derive(Debug)]
pub(crate) struct Setup {
    /// The address of the listener, without a scheme: `127.0.0.1:4242`.
    pub(crate) authority: String,
    pub(crate) token: String,
    pub(crate) page_size: Option<usize>,
    pub(crate) rate_limits: RateLimits,
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
    mint: Mint,
    keys_made: usize,
    created: Timestamp,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) apps: BTreeMap<String, App>,
    pub(crate) domains: BTreeMap<String, Domain>,
    /// What the state's name servers say.
    pub(crate) dns: Vec<DnsRecord>,
    /// How often anything may have changed that provisioning has to look at.
    pub(crate) changes: u64,
    /// Deleted mappings whose far end is yet to be dealt with.
    pub(crate) removed_pushes: Vec<Removed>,
}

/// Answers one request to an org.
pub(crate) fn handle(
    org: &mut Org,
    now: Timestamp,
    request: &http::Request<Bytes>,
) -> Response<Bytes> {
    org.settle_domains(now);
    org.changes += u64::from(method_writes(request.method()));
    let call = Call::new(now, org.host_of(request), request);
    let standing = org
        .limits
        .count(Bucket::of(call.method, &call.segments), now);
    let reply = org
        .check(request, &standing)
        .and_then(|()| org.answer(&call));
    org.write(reply, &standing, now)
}

impl Org {
    /// An org with the company's people and groups, and the applications every org has.
    pub(crate) fn new(company: &Company, setup: Setup, now: Timestamp) -> Self {
        let mut mint = Mint::new();
        let mut org = Self {
            id: mint.id("00o"),
            subdomain: company.subdomain.clone(),
            authority: setup.authority,
            token: setup.token,
            page_size: setup.page_size,
            connections_supported: setup.connections_supported,
            certificate_delay: setup.certificate_delay,
            limits: Limits::new(setup.rate_limits),
            mint,
            keys_made: 0,
            created: now,
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            apps: BTreeMap::new(),
            domains: BTreeMap::new(),
            dns: Vec::new(),
            changes: 0,
            removed_pushes: Vec::new(),
        };
        let everyone = org.mint.id("00g");
        let group = Group::new(everyone.clone(), Kind::BuiltIn, "Everyone", now)
            .described(Some("All users in your organization".to_owned()));
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

    /// Adds a user, who is in the group of everyone, and returns the id.
    pub(crate) fn add_person(&mut self, person: &crate::company::Person, now: Timestamp) -> String {
        let id = self.mint.id("00u");
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

    /// Adds a group and returns its id; logins nobody has are left out.
    pub(crate) fn add_team(&mut self, team: &crate::company::Team, now: Timestamp) -> String {
        let id = self.mint.id("00g");
        let mut group =
            Group::new(id.clone(), Kind::Okta, &team.name, now).described(team.description.clone());
        let members = team
            .members
            .iter()
            .filter_map(|login| self.user(login).ok());
        group.members = members.map(|user| user.id.clone()).collect();
        self.groups.insert(id.clone(), group);
        id
    }

    /// Changes a user, and what depends on it.
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

    /// Everything that can be seen of the org, for comparison before and after.
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
            "domains": self.domains.values().map(|domain| domain.name.clone()).collect::<Vec<_>>(),
        })
    }

    /// Adds an application the way an administrator does, and returns its id.
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

    /// The applications every org has, and two that this one has added.
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

    /// The host to put into links: what the request named, if it is this listener or a custom domain.
    fn host_of(&self, request: &http::Request<Bytes>) -> String {
        let named = request
            .headers()
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let named = named.unwrap_or(&self.authority).to_lowercase();
        let port = self.authority.rsplit(':').next().unwrap_or_default();
        let is_ours = named == self.authority || named == format!("localhost:{port}");
        let is_custom = self.domains.values().any(|domain| domain.name == named);
        if is_ours || is_custom {
            return named;
        }
        self.authority.clone()
    }

    /// What is checked before it matters what is asked for.
    fn check(&self, request: &http::Request<Bytes>, standing: &Standing) -> Result<(), Refusal> {
        let headers = request.headers();
        let length_is_told = headers.contains_key(header::CONTENT_LENGTH)
            || headers.contains_key(header::TRANSFER_ENCODING);
        let needs_length = matches!(
            *request.method(),
            Method::POST | Method::PUT | Method::PATCH
        );
        if needs_length && !length_is_told {
            let summary = "The Content-Length header is required";
            return Err(Refusal::new(
                StatusCode::LENGTH_REQUIRED,
                "E0000003",
                summary,
            ));
        }
        let authorization = headers.get(header::AUTHORIZATION);
        // Okta's own Python SDK (3.4) sends no space after the scheme, and works: Okta takes both.
        let token = authorization
            .and_then(|value| value.to_str().ok()?.strip_prefix("SSWS"))
            .map(str::trim_start);
        if token != Some(self.token.as_str()) {
            return Err(Refusal::token());
        }
        if standing.exceeded {
            return Err(Refusal::too_many_requests());
        }
        Ok(())
    }

    fn answer(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
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
            "created": moment::millis(self.created),
            "lastUpdated": moment::millis(self.created),
            "website": null,
            "supportPhoneNumber": null,
            "expiresAt": null,
        })
    }

    /// Puts on an answer what every answer of Okta carries.
    fn write(
        &mut self,
        reply: Result<Reply, Refusal>,
        standing: &Standing,
        now: Timestamp,
    ) -> Response<Bytes> {
        let request_id = self.mint.opaque(27);
        let reply = reply.unwrap_or_else(|refusal| {
            let error_id = format!("oae{}", self.mint.opaque(22));
            Reply::with_status(refusal.status, refusal.envelope(&error_id))
        });
        let (kind, body) = match reply.body {
            Body::Nothing => (None, Bytes::new()),
            Body::Json(document) => (Some("application/json"), document.to_string().into()),
            // What the header says of the encoding is not true: the document is UTF-8, as it says itself.
            Body::Xml(document) => (Some("application/xml;charset=ISO-8859-1"), document),
        };
        let mut response = Response::new(body);
        *response.status_mut() = reply.status;
        let headers = response.headers_mut();
        standing.write(headers);
        let mut put = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.append(name, value);
            }
        };
        put("date", &date(now));
        put("x-okta-request-id", &request_id);
        if let Some(kind) = kind {
            put("content-type", kind);
        }
        for (relation, address) in &reply.links {
            put("link", &format!("<{address}>; rel=\"{relation}\""));
        }
        response
    }
}

/// Refuses a request that meets a fault, in Okta's words.
///
/// Without a wait it is the limit of requests at once, whose headers say zero.
pub(crate) fn throttled(org: &mut Org, now: Timestamp, seconds: Option<u32>) -> Response<Bytes> {
    let standing = Standing {
        limit: seconds.map_or(0, |_| 600),
        remaining: 0,
        reset: crate::clock::after(now, SignedDuration::from_secs(seconds.unwrap_or(60).into())),
        exceeded: true,
    };
    org.write(Err(Refusal::too_many_requests()), &standing, now)
}

/// A moment in the form of the `Date` header.
pub(crate) fn date(now: Timestamp) -> String {
    now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
