//! The Okta org: its state and its API below `/api/v1`.

mod admin;
mod app_document;
mod apps;
mod assignments;
mod catalog;
mod csrs;
mod domains;
mod expression;
mod filter;
mod grants;
mod group_lists;
mod group_rules;
mod groups;
mod id_generator;
mod keys;
mod limits;
mod mappings;
mod metadata;
mod oauth;
mod paging;
mod policies;
mod provisioning;
mod pushes;
mod query;
mod reply;
mod schemas;
mod search_index;
mod settings;
mod system_log;
mod timestamps;
mod user_lifecycle;
mod user_lists;
mod user_profile;
mod user_store;
mod users;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use self::{
    admin::Admin,
    domains::Domain,
    group_rules::Rule,
    groups::Kind,
    id_generator::IdGenerator,
    limits::RateLimitStatus,
    mappings::Mapping,
    oauth::{OAuth, Route, Scheme},
    policies::Policy,
    pushes::RemovedPush,
    query::Call,
    reply::{Body, Refusal, Reply},
    schemas::Schema,
    search_index::SearchIndex,
    settings::Settings,
    system_log::SystemLog,
    user_store::Users,
};
pub(crate) use self::{
    apps::App,
    assignments::SyncStatus,
    catalog::IDENTITY_CENTER,
    csrs::issue_certificate,
    domains::DnsRecord,
    groups::Group,
    limits::{LimitSettings, Limits},
    metadata::entity_id,
    oauth::Rights,
    provisioning::{Connection, ProvisioningFeatures, check_base_url, credentials_refused},
    pushes::Status as PushStatus,
    system_log::Subject,
    users::User,
};
pub use self::{
    limits::{OktaBucket, OktaRateLimits},
    oauth::{ServiceApp, ServiceAppCredentials},
};
use crate::{builder::Behavior, company::Company, record::method_writes, secret::Hidden};

/// The settings of an org.
#[derive(Debug)]
pub(crate) struct Setup {
    /// The authority of the listener, such as `127.0.0.1:4242`.
    pub(crate) authority: String,
    pub(crate) tls: bool,
    pub(crate) token: Hidden,
    pub(crate) token_rights: Rights,
    pub(crate) service_apps: Vec<ServiceApp>,
    pub(crate) page_size: Option<usize>,
    pub(crate) rate_limits: LimitSettings,
    pub(crate) behavior: Behavior,
    pub(crate) certificate_delay: SignedDuration,
    pub(crate) search_delay: SignedDuration,
    pub(crate) system_log_delay: SignedDuration,
    /// The expression that new applications have for the attribute `displayName`; `None` if they lack the attribute.
    pub(crate) display_name_mapping: Option<String>,
}

/// The state of an org.
#[derive(Debug)]
pub(crate) struct Org {
    id: String,
    pub(crate) subdomain: String,
    authority: String,
    tls: bool,
    token: Hidden,
    token_rights: Rights,
    pub(crate) oauth: OAuth,
    page_size: Option<usize>,
    behavior: Behavior,
    certificate_delay: SignedDuration,
    pub(crate) limits: Limits,
    ids: IdGenerator,
    /// The number of signing keys generated so far.
    key_count: usize,
    created: Timestamp,
    settings: Settings,
    display_name_mapping: Option<String>,
    pub(crate) users: Users,
    /// The id of the group `Everyone`.
    everyone: String,
    pub(crate) groups: BTreeMap<String, Group>,
    group_search: SearchIndex<Group>,
    rules: BTreeMap<String, Rule>,
    user_schema: Schema,
    mappings: BTreeMap<String, Mapping>,
    policies: BTreeMap<String, Policy>,
    admin: Admin,
    system_log: SystemLog,
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
    let (bucket, principal) = (OktaBucket::of(call.method, call.path), org.principal(&call));
    let rate_limit = org.limits.record(bucket, principal, now);
    let mut reply = org.reply(&call, &rate_limit);
    if org.tls {
        reply.secure_links(&call.host);
    }
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
            tls: setup.tls,
            token: setup.token,
            token_rights: setup.token_rights,
            oauth: OAuth::new(now),
            page_size: setup.page_size,
            behavior: setup.behavior,
            certificate_delay: setup.certificate_delay,
            limits: Limits::new(setup.rate_limits),
            ids,
            key_count: 0,
            created: now,
            settings: Settings::new(&company.subdomain, now),
            display_name_mapping: setup.display_name_mapping,
            users: Users::new(setup.search_delay),
            everyone: String::new(),
            groups: BTreeMap::new(),
            group_search: SearchIndex::new(setup.search_delay),
            rules: BTreeMap::new(),
            user_schema: Schema::of_users(now),
            mappings: BTreeMap::new(),
            policies: BTreeMap::new(),
            admin: Admin::default(),
            system_log: SystemLog::new(setup.system_log_delay),
            apps: BTreeMap::new(),
            domains: BTreeMap::new(),
            dns: Vec::new(),
            changes: 0,
            removed_pushes: Vec::new(),
        };
        let everyone = org.ids.id("00g");
        let group = Group::new(everyone.clone(), Kind::BuiltIn, "Everyone", now)
            .with_description(Some("All users in your organization".to_owned()));
        org.everyone.clone_from(&everyone);
        org.groups.insert(everyone, group);
        for person in &company.people {
            let user = User::new(org.ids.id("00u"), person, now);
            org.insert_user(user, None);
        }
        for team in &company.teams {
            org.add_team(team, now);
        }
        org.install_applications(now);
        for app in setup.service_apps {
            org.oauth.register(app, &mut org.ids);
        }
        org.add_policies(now);
        org.add_api_token(now);
        let policy = org.default_policy();
        for app in org.apps.values_mut() {
            app.policy.clone_from(&policy);
        }
        org
    }

    /// Adds a user, also to the group `Everyone`, and returns the user's id.
    pub(crate) fn add_person(&mut self, person: &crate::company::Person, now: Timestamp) -> String {
        let id = self.ids.id("00u");
        self.insert_user(User::new(id.clone(), person, now), Some(now));
        self.refresh_user(&id, now);
        id
    }

    /// Adds a group and returns its id. Ignores logins that no user has.
    ///
    /// A group of a directory belongs to the directory's application, which is added if it does not exist.
    pub(crate) fn add_team(&mut self, team: &crate::company::Team, now: Timestamp) -> String {
        let kind = match &team.directory {
            None => Kind::Okta,
            Some(directory) => Kind::App {
                app: self.directory(directory, now),
            },
        };
        let id = self.ids.id("00g");
        let mut group = Group::new(id.clone(), kind, &team.name, now)
            .with_description(team.description.clone());
        let members = team.members.iter();
        let members = members.filter_map(|login| self.users.by_login(login));
        group.members = members.map(|user| user.id.clone()).collect();
        self.groups.insert(id.clone(), group);
        id
    }

    /// Returns the id of the directory's application with this label.
    fn directory(&mut self, label: &str, now: Timestamp) -> String {
        let is_directory = |app: &&App| app.name == catalog::DIRECTORY && app.label() == label;
        if let Some(app) = self.apps.values().find(is_directory) {
            return app.id.clone();
        }
        let added = self.install(catalog::DIRECTORY, label, &json!({}), now);
        added.unwrap_or_default()
    }

    /// Changes a user and refreshes the assignments that depend on it.
    pub(crate) fn change_user(
        &mut self,
        login: &str,
        now: Timestamp,
        change: impl FnOnce(&mut User),
    ) -> Option<String> {
        let id = self.user(login).ok()?.id.clone();
        self.users.edit(&id, now, change)?;
        self.refresh_user(&id, now);
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
            document["mappedProperties"] = self.mapped_properties(&app.id);
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

    /// Returns the URL of a path on the host of the request.
    fn url(&self, call: &Call<'_>, path: &str) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{path}", call.host)
    }

    fn reply(&mut self, call: &Call<'_>, rate_limit: &RateLimitStatus) -> Reply {
        let is_oauth = call.path.starts_with("/oauth2/");
        let checked = check_length(call)
            .map_err(|refusal| self.refuse(&refusal))
            .and_then(|()| {
                if is_oauth {
                    return Ok(());
                }
                self.authorize(call)
            });
        if let Err(reply) = checked {
            return reply;
        }
        if rate_limit.exceeded {
            return self.refuse(&Refusal::too_many_requests());
        }
        if is_oauth {
            return self.oauth_endpoint(call);
        }
        self.dispatch(call)
            .unwrap_or_else(|refusal| self.refuse(&refusal))
    }

    /// Returns the API token or the app for which a request counts.
    fn principal(&self, call: &Call<'_>) -> Option<String> {
        let authorization = call.header("authorization")?;
        match Scheme::parse(authorization) {
            Some((_, token)) => self.oauth.client_of(token),
            None => self.is_api_token(authorization).then(|| "SSWS".to_owned()),
        }
    }

    fn is_api_token(&self, authorization: &str) -> bool {
        // Okta accepts the token with and without a space after the scheme: its own Python SDK (3.4)
        // sends no space and works.
        let token = authorization.strip_prefix("SSWS").map(str::trim_start);
        token == Some(&*self.token)
    }

    /// Checks that the credentials of a request are valid and allow its operation.
    fn authorize(&mut self, call: &Call<'_>) -> Result<(), Reply> {
        let authorization = call.header("authorization").unwrap_or_default();
        if let Some((scheme, token)) = Scheme::parse(authorization) {
            return self.check_access_token(call, scheme, token);
        }
        if !self.is_api_token(authorization) {
            return Err(self.refuse(&Refusal::token()));
        }
        let route = Route::of(call.method, call.path);
        if route.is_some_and(|route| !self.token_rights.allow(route)) {
            return Err(self.refuse(&Refusal::permission()));
        }
        Ok(())
    }

    /// Returns the reply for a refusal.
    fn refuse(&mut self, refusal: &Refusal) -> Reply {
        let error_id = format!("oae{}", self.ids.opaque(22));
        Reply::with_status(refusal.status, refusal.envelope(&error_id))
    }

    fn dispatch(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let is_metadata = call.segments.last().is_some_and(|last| last == "metadata");
        if !is_metadata && !call.accepts("application/json") {
            return Err(Refusal::media_type());
        }
        if Route::of(call.method, call.path).is_none() {
            return Err(if Route::has_path(call.path) {
                Refusal::method()
            } else {
                Refusal::not_found(call.path, "Endpoint")
            });
        }
        let first = call.segments.first().map(String::as_str);
        match (first.unwrap_or_default(), call.segments.len()) {
            ("users", _) => self.users_endpoint(call),
            ("groups", _) => self.groups_endpoint(call),
            ("apps", _) => self.apps_endpoint(call),
            ("domains", _) => self.domains_endpoint(call),
            ("mappings", _) => self.mappings_endpoint(call),
            ("meta", _) if call.segments.get(1).is_some_and(|kind| kind == "schemas") => {
                self.schemas_endpoint(call)
            }
            ("policies", _) => self.policies_endpoint(call),
            ("logs", _) => self.logs_endpoint(call),
            ("api-tokens", _) => self.api_tokens_endpoint(call),
            ("principal-rate-limits", _) => self.rate_limits_endpoint(call),
            ("brands", _) => self.brands_endpoint(call),
            ("org", 1) => self.org_endpoint(call),
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }

    /// Builds the HTTP response, with the headers that every response of Okta has.
    fn response(
        &mut self,
        reply: Reply,
        rate_limit: &RateLimitStatus,
        now: Timestamp,
    ) -> Response<Bytes> {
        let request_id = self.ids.opaque(27);
        let (kind, body) = match reply.body {
            Body::Empty => (None, Bytes::new()),
            Body::Json(text) => (Some("application/json"), text),
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
        if let Some(etag) = &reply.etag {
            append("etag", etag);
        }
        for (relation, address) in &reply.links {
            append("link", &format!("<{address}>; rel=\"{relation}\""));
        }
        for (name, value) in &reply.headers {
            append(name, value);
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
    let reply = org.refuse(&Refusal::too_many_requests());
    org.response(reply, &rate_limit, now)
}

/// Refuses a write without a length.
fn check_length(call: &Call<'_>) -> Result<(), Refusal> {
    let has_length =
        call.header("content-length").is_some() || call.header("transfer-encoding").is_some();
    let needs_length = matches!(*call.method, Method::POST | Method::PUT | Method::PATCH);
    if needs_length && !has_length {
        let summary = "The Content-Length header is required";
        return Err(Refusal::new(
            StatusCode::LENGTH_REQUIRED,
            "E0000003",
            summary,
        ));
    }
    Ok(())
}

/// Formats a time for the `Date` header.
pub(crate) fn date(now: Timestamp) -> String {
    now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
