//! Fakes of Okta and of AWS IAM Identity Center (with Organizations and SCIM) over loopback HTTP.
//!
//! The sandbox is for tests and examples. It serves real HTTP on `127.0.0.1` and is as strict as the
//! vendors. Its response shapes, error codes and quirks were recorded from the vendors. The sandbox
//! shares no types with the clients, because a misspelled field in a shared type would go unnoticed.
//! Dropping the sandbox stops it.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use okta_aws_sandbox::{Company, Sandbox};
//!
//! let sandbox = Sandbox::builder()
//!     .company(Company::small(3, 2))
//!     .start()
//!     .await?;
//! assert!(sandbox.okta_url().starts_with("http://127.0.0.1:"));
//! assert_eq!(sandbox.requests().len(), 0);
//! # Ok(())
//! # }
//! ```
//!
//! # The state
//!
//! A new sandbox has a company in Okta and an AWS organization with all features enabled. Nothing
//! connects the two: Okta has no Identity Center application, and Identity Center is not enabled.
//! The listeners serve the public APIs. [`Console`] performs the actions that need a vendor's
//! console, in process or over HTTP. [`Stage`] selects a later starting point, and
//! [`Company::estate`] fills Identity Center with users, groups, permission sets and assignments.
//!
//! After provisioning is configured, Okta creates assigned users and pushes groups automatically,
//! with a delay. The sandbox has its own time ([`Clock`]) and never sleeps: work that is due runs
//! when a request arrives or the clock is advanced.
//!
//! # Rights and operations in AWS
//!
//! [`SandboxBuilder::limit_aws_caller`] gives the caller of the AWS services exactly the rights of an [`IamPolicy`].
//! [`OperationDurations`] and [`OperationFault`] control the asynchronous operations of Identity Center, and
//! [`Sandbox::start_foreign_operations`] starts operations of another tool.
//!
//! # Users and groups in AWS
//!
//! The identity store and SCIM check the length and the characters of each text as AWS documents them.
//! [`Sandbox::delete_identity_user`] and the other methods for the identity store change it by hand, and [`IdentityUser`] has all
//! attributes of a user. [`SandboxBuilder::unknown_members`] and [`SandboxBuilder::drop_user_attribute`] set behavior of SCIM services
//! that is not known or that differs.
//!
//! # Limits
//!
//! An access token of Okta is opaque, and the algorithm ES512 is not accepted, because the JOSE crate does not have it.
//! The Okta org covers users, groups, group rules, applications, profile mappings, schemas, app sign-in policies,
//! the System Log, API tokens, domains, the default brand and the settings of the org. It has no authorization
//! servers, factors or admin roles, and checks no passwords. A certificate signing request is JSON, and its certificate
//! is published in DER. The AWS part covers only what the integration uses. Unlike Okta, the sandbox rejects unknown parameters of an Okta endpoint.

mod aws;
mod aws_switches;
mod builder;
mod characters;
mod clock;
mod company;
mod console;
mod faults;
mod iam_policy;
mod identity_center;
mod identity_switches;
mod in_flight;
mod oddity;
mod okta;
mod operations;
mod paging;
mod provisioning_engine;
mod record;
mod scim;
mod secret;
mod server;
mod state;
mod throttled;
mod tls;
mod token_bucket;
mod user_attributes;
mod view;

use std::{sync::MutexGuard, thread, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

pub use self::{
    builder::{AppCreation, SandboxBuilder, ScimProfile, Stage},
    clock::Clock,
    company::{
        AccountSeed, AccountState, BoundarySeed, Company, Estate, PermissionSetSeed, Person,
        PersonStatus, PrincipalSeed, Team,
    },
    console::{
        AutomaticProvisioning, Console, ConsoleError, DnsRecord, IdentityCenter, ProvisioningForm,
        ServiceProvider,
    },
    faults::Fault,
    iam_policy::{IamPolicy, IamPolicyError},
    identity_center::{IdentityCenterQuotas, UnknownPolicies},
    in_flight::HeldRequests,
    oddity::Oddity,
    okta::{OktaBucket, OktaRateLimits, ServiceApp, ServiceAppCredentials},
    operations::{OperationDurations, OperationFault, OperationKind},
    record::{RecordedRequest, Service},
    scim::{ScimRateLimits, UnknownMembers},
    view::{AcceptedOperation, Assignment, IdentityGroup, IdentityUser, PermissionSet},
};
use self::{
    server::{Addresses, Shared},
    state::SandboxState,
    tls::Tls,
};

/// A running sandbox that serves the APIs of both vendors.
///
/// # Panics
///
/// Dropping the sandbox panics if an injected [`Fault`] was never triggered, or an [`OperationFault`] never applied.
#[derive(Debug)]
pub struct Sandbox {
    state: Shared,
    addresses: Addresses,
    region: String,
    scim_profile: ScimProfile,
    okta_tls: Option<Tls>,
    // Dropping this sender stops the listeners.
    _stop: watch::Sender<()>,
}

impl Sandbox {
    /// The API token of the Okta org.
    pub const OKTA_TOKEN: &str = "00sandbox-ssws-token-of-ada-lovelace_0000";
    /// The access key id of the administrator of the management account.
    pub const AWS_ACCESS_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
    /// The secret access key that belongs to [`AWS_ACCESS_KEY_ID`](Self::AWS_ACCESS_KEY_ID).
    pub const AWS_SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    /// The prefix of every SCIM access token. Tests search printed output for it.
    pub const SCIM_TOKEN_MARK: &str = aws::SCIM_TOKEN_MARK;

    /// The bearer token of the SCIM service with [`ScimProfile::Generic`].
    pub const SCIM_TOKEN: &str = "sandbox-scim-token-of-the-generic-profile";

    /// Starts a sandbox with the default settings.
    ///
    /// # Panics
    ///
    /// Panics if no port can be opened on the loopback interface.
    pub async fn start() -> Self {
        Self::builder()
            .start()
            .await
            .expect("a port can be opened on the loopback interface")
    }

    /// Returns a builder with the default settings.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// Returns the URL of the Okta org, without a trailing slash.
    #[must_use]
    pub fn okta_url(&self) -> String {
        let scheme = if self.okta_tls.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.addresses.okta)
    }

    /// Returns the certificate of the authority that signed Okta's certificate, in PEM.
    ///
    /// Returns `None` without [`SandboxBuilder::okta_tls`].
    #[must_use]
    pub fn okta_ca_pem(&self) -> Option<&str> {
        self.okta_tls.as_ref().map(|tls| tls.ca_pem.as_str())
    }

    /// Returns the API token of the Okta org.
    #[must_use]
    pub fn okta_token(&self) -> &'static str {
        Self::OKTA_TOKEN
    }

    /// Returns the credentials of the service app with this name.
    ///
    /// # Panics
    ///
    /// Panics if [`SandboxBuilder::service_app`] has added no app with this name.
    #[must_use]
    pub fn service_app(&self, name: &str) -> ServiceAppCredentials {
        let state = self.state();
        let mut apps = state.org.service_apps();
        let app = apps.find(|(each, _)| *each == name);
        app.unwrap_or_else(|| panic!("Okta has no service app {name}"))
            .1
    }

    /// Revokes all access tokens of the Okta org, so that every request with one is refused with 401.
    pub fn revoke_okta_access_tokens(&self) {
        self.state().org.oauth.revoke_tokens();
    }

    /// Replaces the DPoP nonce of the Okta org, and refuses the earlier ones with `use_dpop_nonce`.
    ///
    /// Without this, Okta renews the nonce every 24 hours and accepts the old one for three more days.
    pub fn rotate_okta_dpop_nonce(&self) {
        let mut state = self.state();
        let now = state.now();
        state.org.oauth.revoke_nonces(now);
    }

    /// Counts requests of other clients for the Okta org's current limit of a bucket.
    pub fn use_okta_bucket(&self, bucket: OktaBucket, requests: u32) {
        let mut state = self.state();
        let now = state.now();
        state.org.limits.record_foreign(bucket, requests, now);
    }

    /// Holds the responses of Okta until the returned value is dropped, so that requests are in flight together.
    ///
    /// Okta processes a held request when it arrives. Requests above the limit of
    /// [`okta_concurrency`](SandboxBuilder::okta_concurrency) are refused at once.
    pub fn hold_okta(&self) -> HeldRequests {
        HeldRequests::new(&self.state().in_flight)
    }

    /// Returns the endpoint URL of all AWS services, without a trailing slash.
    #[must_use]
    pub fn aws_endpoint_url(&self) -> String {
        format!("http://{}", self.addresses.aws)
    }

    /// Returns the company's AWS Region.
    #[must_use]
    pub fn aws_region(&self) -> &str {
        &self.region
    }

    /// Returns the access key id of the administrator of the management account.
    #[must_use]
    pub fn aws_access_key_id(&self) -> &'static str {
        Self::AWS_ACCESS_KEY_ID
    }

    /// Returns the access key id of an administrator of an account that was registered with
    /// [`SandboxBuilder::delegated_administrator`]. Its secret is [`aws_secret_access_key`](Self::aws_secret_access_key).
    #[must_use]
    pub fn delegated_access_key(&self, account: &str) -> String {
        builder::delegated_key_id(account)
    }

    /// Returns the secret access key that belongs to the access key id.
    #[must_use]
    pub fn aws_secret_access_key(&self) -> &'static str {
        Self::AWS_SECRET_ACCESS_KEY
    }

    /// Returns the URL of the SCIM service with [`ScimProfile::Generic`], without a trailing slash.
    ///
    /// Returns `None` with [`ScimProfile::Aws`]: [`Console::enable_automatic_provisioning`] returns the
    /// URL of AWS's SCIM endpoint.
    #[must_use]
    pub fn scim_url(&self) -> Option<String> {
        let url = format!("http://{}{}", self.addresses.scim, scim::generic::ROOT);
        (self.scim_profile == ScimProfile::Generic).then_some(url)
    }

    /// Returns the URL of the console over HTTP, without a trailing slash.
    #[must_use]
    pub fn console_url(&self) -> String {
        format!("http://{}", self.addresses.console)
    }

    /// Returns the URLs and credentials that a client in another process needs.
    ///
    /// If the Okta org has a service app, `okta` has the `client_id`, `private_key` (a JWK as text) and `scopes` of
    /// the first one.
    #[must_use]
    pub fn ready(&self) -> Value {
        let mut ready = json!({
            "okta": { "org_url": self.okta_url(), "api_token": self.okta_token() },
            "aws": {
                "endpoint_url": self.aws_endpoint_url(),
                "region": self.aws_region(),
                "access_key_id": self.aws_access_key_id(),
                "secret_access_key": self.aws_secret_access_key(),
            },
            "console_url": self.console_url(),
        });
        if let Some((_, app)) = self.state().org.service_apps().next() {
            ready["okta"]["client_id"] = app.client_id().into();
            ready["okta"]["private_key"] = app.private_key().into();
            ready["okta"]["scopes"] = app.scopes().into();
        }
        if let Some(url) = self.scim_url() {
            ready["scim"] = json!({ "url": url, "token": Self::SCIM_TOKEN });
        }
        ready
    }

    /// Returns the current time of the sandbox.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.state().now()
    }

    /// Advances the clock and runs the work that becomes due.
    pub fn advance(&self, by: Duration) {
        self.state().advance(by);
    }

    /// Returns a function that advances this sandbox. A client's clock calls it instead of sleeping.
    pub fn advance_fn(&self) -> impl Fn(Duration) + Clone + Send + Sync + 'static {
        let state = self.state.clone();
        move |by| state.lock().advance(by)
    }

    /// Queues a fault for the next matching request.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Removes the queued faults, of requests and of operations.
    pub fn clear_faults(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.cloud.operations.clear();
    }

    /// Returns the recorded requests to Okta, AWS and SCIM.
    ///
    /// Requests to the console and Okta's own provisioning requests are not included.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state().log.clone()
    }

    /// Returns the recorded requests that change data, including rejected ones.
    #[must_use]
    pub fn writes(&self) -> Vec<RecordedRequest> {
        let mut requests = self.requests();
        requests.retain(|request| request.write);
        requests
    }

    /// Returns the requests that Okta's provisioning sent to the SCIM endpoint.
    #[must_use]
    pub fn provisioning_requests(&self) -> Vec<RecordedRequest> {
        self.state().provisioning_engine.sent.clone()
    }

    /// Clears the recorded requests.
    pub fn clear_requests(&self) {
        let mut state = self.state();
        state.log.clear();
        state.provisioning_engine.sent.clear();
    }

    /// Returns the vendors' consoles, for actions that no public API offers.
    #[must_use]
    pub fn console(&self) -> Console<'_> {
        Console::new(self)
    }

    /// Returns the certificate in DER, valid for one year, that a certification authority issues for a certificate
    /// signing request (PKCS #10 in Base64, as Okta's API returns it).
    ///
    /// # Panics
    ///
    /// Panics if the request cannot be read.
    #[must_use]
    pub fn issue_certificate(&self, csr: &str) -> Vec<u8> {
        okta::issue_certificate(csr, self.now()).expect("the certificate signing request is valid")
    }

    /// Adds a user to Okta and returns the user's id.
    #[must_use = "the API identifies the user by this id"]
    pub fn add_user(&self, person: &Person) -> String {
        self.change(|state, now| state.org.add_person(person, now))
    }

    /// Adds a group to Okta, with the users of these logins as members, and returns the group's id.
    #[must_use = "the API identifies the group by this id"]
    pub fn add_group(&self, name: &str, logins: &[&str]) -> String {
        self.change(|state, now| state.org.add_team(&Team::new(name, logins), now))
    }

    /// Adds a group that is imported from the Active Directory instance with this label, and returns its id.
    ///
    /// Such groups may have the name of another group.
    #[must_use = "the API identifies the group by this id"]
    pub fn import_group(&self, directory: &str, name: &str, logins: &[&str]) -> String {
        let team = Team::new(name, logins).imported_from(directory);
        self.change(|state, now| state.org.add_team(&team, now))
    }

    /// Adds an app sign-in policy to Okta, and returns its id. Okta accepts two policies of one name.
    #[must_use = "the API identifies the policy by this id"]
    pub fn add_sign_on_policy(&self, name: &str, active: bool) -> String {
        self.change(|state, now| state.org.add_policy(name, false, active, now))
    }

    /// Adds a user to an Okta group, or removes the user from it.
    ///
    /// # Panics
    ///
    /// Panics if the group or the user does not exist, or if the group cannot be edited.
    pub fn set_group_member(&self, group: &str, login: &str, member: bool) {
        let id = self.group_id(group);
        let id = id.unwrap_or_else(|| panic!("Okta has no group {group}"));
        let result = self.change(|state, now| state.org.set_membership(&id, login, member, now));
        assert!(
            result.is_ok(),
            "cannot change the membership of {login} in {group}"
        );
    }

    /// Sets the status of an Okta user.
    ///
    /// # Panics
    ///
    /// Panics if no user has this login.
    pub fn set_user_status(&self, login: &str, status: PersonStatus) {
        self.change_user(login, |user, now| user.set_status(status, now));
    }

    /// Sets a profile attribute of an Okta user, such as `displayName`.
    ///
    /// # Panics
    ///
    /// Panics if no user has this login.
    pub fn set_user_attribute(&self, login: &str, name: &str, value: &str) {
        self.change_user(login, |user, now| user.set_attribute(name, value, now));
    }

    /// Returns the id of the Okta user with this login.
    #[must_use]
    pub fn user_id(&self, login: &str) -> Option<String> {
        let state = self.state();
        let user = state.org.users.by_login(login);
        user.map(|user| user.id.clone())
    }

    /// Returns the id of the first Okta group with this name.
    #[must_use]
    pub fn group_id(&self, name: &str) -> Option<String> {
        let state = self.state();
        let group = state.org.groups.values().find(|group| group.name == name);
        group.map(|group| group.id.clone())
    }

    /// Returns the number of Okta app instances with this catalog name.
    #[must_use]
    pub fn app_count(&self, name: &str) -> usize {
        self.state()
            .org
            .apps
            .values()
            .filter(|app| app.name == name)
            .count()
    }

    /// Returns the visible state of Okta: `apps`, `groups`, `users`, `domains`.
    ///
    /// In addition to the fields of the API, applications have `assignedUsers`, `assignedGroups`,
    /// `pushedGroups` and `keys`, and groups have `members`.
    #[must_use]
    pub fn okta_snapshot(&self) -> Value {
        self.current_state().org.snapshot()
    }

    /// Returns the visible state of Identity Center: `permission_sets`, `assignments`, `users`, `groups`.
    #[must_use]
    pub fn aws_snapshot(&self) -> Value {
        self.current_state().aws_snapshot()
    }

    /// Returns the permission sets, oldest first.
    #[must_use]
    pub fn permission_sets(&self) -> Vec<PermissionSet> {
        self.current_state().permission_sets()
    }

    /// Returns the account assignments, oldest first.
    #[must_use]
    pub fn assignments(&self) -> Vec<Assignment> {
        self.current_state().assignments()
    }

    /// Returns the asynchronous operations of Identity Center that AWS has accepted since the start, oldest first: creations and
    /// deletions of assignments, and provisionings. Refused requests are not among them; operations that AWS has forgotten are.
    #[must_use]
    pub fn operations(&self) -> Vec<AcceptedOperation> {
        self.current_state().operations()
    }

    /// Returns the users of the identity store with all attributes, oldest first.
    #[must_use]
    pub fn identity_users(&self) -> Vec<IdentityUser> {
        self.current_state().identity_users()
    }

    /// Returns the groups of the identity store, oldest first.
    #[must_use]
    pub fn identity_groups(&self) -> Vec<IdentityGroup> {
        self.current_state().identity_groups()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, SandboxState> {
        self.state.lock()
    }

    /// Runs the work that is due, and returns the state.
    fn current_state(&self) -> MutexGuard<'_, SandboxState> {
        let mut state = self.state();
        state.run_due_work();
        state
    }

    fn change_user(&self, login: &str, change: impl FnOnce(&mut okta::User, Timestamp)) {
        let changed =
            self.change(|state, now| state.org.change_user(login, now, |user| change(user, now)));
        assert!(changed.is_some(), "Okta has no user {login}");
    }

    fn change<T>(&self, change: impl FnOnce(&mut SandboxState, Timestamp) -> T) -> T {
        let mut state = self.current_state();
        let now = state.now();
        let result = change(&mut state, now);
        state.run_due_work();
        result
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let state = self.state.lock();
        let pending = state.faults.pending();
        assert!(
            pending.is_empty() || thread::panicking(),
            "no request triggered these injected faults: {pending:?}"
        );
        let pending: Vec<_> = state.cloud.operations.pending().collect();
        assert!(
            pending.is_empty() || thread::panicking(),
            "these injected faults applied to no operation: {pending:?}"
        );
    }
}

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
