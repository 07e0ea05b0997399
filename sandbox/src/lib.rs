//! An Okta org, an AWS organization with IAM Identity Center and its SCIM endpoint, over loopback HTTP.
//!
//! The sandbox is for tests and examples: real HTTP on `127.0.0.1`, as strict as the vendors are,
//! with the shapes, codes and oddities that were recorded from them. It shares no type with any
//! client, so that a field that is misspelled on both sides does not pass. It stops when it is
//! dropped.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use sandbox::{Company, Sandbox};
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
//! At the start there is a company in Okta and an AWS organization with all features, and nothing
//! that connects the two: no application in Okta, no Identity Center. What can be done through
//! public APIs is done through the listeners; what a person does at a console is done through
//! [`Console`], in process or over HTTP. [`Stage`] starts further along the way.
//!
//! Once provisioning is configured, Okta creates users and pushes groups by itself, some time
//! after they were assigned. Time is the sandbox's own ([`Clock`]): nothing sleeps, and what is
//! due is done when a request arrives or the clock is advanced.
//!
//! # What it is not
//!
//! It has no policies, schemas, mappings or logs in Okta, and knows nothing of AWS beyond what the
//! integration touches. Parameters of an Okta endpoint that it does not know are refused, which
//! Okta itself does not do.

mod aws;
mod builder;
mod clock;
mod company;
mod console;
mod faults;
mod okta;
mod provisioning_engine;
mod record;
mod scim;
mod scim_rates;
mod server;
mod state;
mod throttled;
mod view;

use std::{sync::MutexGuard, thread, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

pub use self::{
    builder::{SandboxBuilder, ScimProfile, Stage},
    clock::Clock,
    company::{AccountSeed, AccountState, Company, Person, PersonStatus, Team},
    console::{
        AutomaticProvisioning, Console, DnsRecord, IdentityCenter, ProvisioningForm, Refused,
        ServiceProvider,
    },
    faults::Fault,
    okta::RateLimits,
    record::{Recorded, Service},
    scim_rates::ScimRates,
    view::{Assignment, IdentityGroup, IdentityUser, PermissionSet},
};
use self::{
    server::{Addresses, Shared},
    state::SandboxState,
};

/// A running imitation of both vendors.
///
/// # Panics
///
/// Dropping it panics if a [`Fault`] was injected that no request has met.
#[derive(Debug)]
pub struct Sandbox {
    state: Shared,
    addresses: Addresses,
    region: String,
    scim_profile: ScimProfile,
    // The listeners stop when this is dropped.
    _stop: watch::Sender<()>,
}

impl Sandbox {
    /// The API token of the Okta org.
    pub const OKTA_TOKEN: &str = "00sandbox-ssws-token-of-ada-lovelace_0000";
    /// The access key id of the administrator of the management account.
    pub const AWS_ACCESS_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
    /// The secret access key that belongs to it.
    pub const AWS_SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    /// What every SCIM access token begins with, so that a test can look for one in what was printed.
    pub const SCIM_TOKEN_MARK: &str = "SandboxScimToken";

    /// The bearer token of the SCIM service with [`ScimProfile::Generic`].
    pub const SCIM_TOKEN: &str = "sandbox-scim-token-of-the-generic-profile";

    /// Starts a sandbox with everything as it is by default.
    ///
    /// # Panics
    ///
    /// If no port can be opened on the loopback interface.
    pub async fn start() -> Self {
        Self::builder()
            .start()
            .await
            .expect("a port can be opened on the loopback interface")
    }

    /// Starts to describe a sandbox.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// The address of the Okta org, without a slash at the end.
    #[must_use]
    pub fn okta_url(&self) -> String {
        format!("http://{}", self.addresses.okta)
    }

    /// The API token of the Okta org.
    #[must_use]
    pub fn okta_token(&self) -> &'static str {
        Self::OKTA_TOKEN
    }

    /// The address every AWS service answers at, without a slash at the end.
    #[must_use]
    pub fn aws_endpoint_url(&self) -> String {
        format!("http://{}", self.addresses.aws)
    }

    /// The Region of the company.
    #[must_use]
    pub fn aws_region(&self) -> &str {
        &self.region
    }

    /// The access key id of an administrator of the management account.
    #[must_use]
    pub fn aws_access_key_id(&self) -> &'static str {
        Self::AWS_ACCESS_KEY_ID
    }

    /// The secret access key that belongs to it.
    #[must_use]
    pub fn aws_secret_access_key(&self) -> &'static str {
        Self::AWS_SECRET_ACCESS_KEY
    }

    /// The address of the SCIM service with [`ScimProfile::Generic`], without a slash at the end.
    ///
    /// AWS shows its own once automatic provisioning is enabled, and so there is none here for it.
    #[must_use]
    pub fn scim_url(&self) -> Option<String> {
        let url = format!("http://{}{}", self.addresses.scim, scim::generic::ROOT);
        (self.scim_profile == ScimProfile::Generic).then_some(url)
    }

    /// The address of the console over HTTP, without a slash at the end.
    #[must_use]
    pub fn console_url(&self) -> String {
        format!("http://{}", self.addresses.console)
    }

    /// Everything a client in another process needs to know to reach the sandbox.
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
        if let Some(url) = self.scim_url() {
            ready["scim"] = json!({ "url": url, "token": Self::SCIM_TOKEN });
        }
        ready
    }

    /// The sandbox's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.state().now()
    }

    /// Moves the clock forward and does what has become due.
    pub fn advance(&self, by: Duration) {
        self.state().advance(by);
    }

    /// A function that advances this sandbox, to be called by a client's clock instead of sleeping.
    pub fn advancer(&self) -> impl Fn(Duration) + Clone + Send + Sync + 'static {
        let state = self.state.clone();
        move |by| state.lock().advance(by)
    }

    /// Queues something that goes wrong for the next request it fits.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Takes back the faults that no request has met.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Every request to Okta, AWS and SCIM so far; neither the console's nor what Okta sent itself.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.state().log.clone()
    }

    /// The requests that changed something, or would have if they had been accepted.
    #[must_use]
    pub fn writes(&self) -> Vec<Recorded> {
        let mut requests = self.requests();
        requests.retain(|request| request.write);
        requests
    }

    /// Every request that Okta sent to the SCIM endpoint by itself.
    #[must_use]
    pub fn provisioning_requests(&self) -> Vec<Recorded> {
        self.state().provisioning_engine.sent.clone()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        let mut state = self.state();
        state.log.clear();
        state.provisioning_engine.sent.clear();
    }

    /// What a person does at the vendors' consoles.
    #[must_use]
    pub fn console(&self) -> Console<'_> {
        Console::new(self)
    }

    /// Adds a user to Okta and returns the id.
    #[must_use = "the id is how the API knows the user"]
    pub fn add_user(&self, person: &Person) -> String {
        self.change(|state, now| state.org.add_person(person, now))
    }

    /// Adds a group to Okta with the users of these logins, and returns the id.
    #[must_use = "the id is how the API knows the group"]
    pub fn add_group(&self, name: &str, logins: &[&str]) -> String {
        self.change(|state, now| state.org.add_team(&Team::new(name, logins), now))
    }

    /// Puts a user into a group of Okta, or takes it out.
    ///
    /// # Panics
    ///
    /// If there is no such group or user, or the group is not one that can be edited.
    pub fn set_member(&self, group: &str, login: &str, member: bool) {
        let id = self.group_id(group);
        let id = id.unwrap_or_else(|| panic!("there is no group {group} in Okta"));
        let set = self.change(|state, now| state.org.set_membership(&id, login, member, now));
        assert!(set.is_ok(), "{login} cannot be a member of {group}");
    }

    /// Changes the status of an Okta user.
    ///
    /// # Panics
    ///
    /// If there is no user of this login.
    pub fn set_user_status(&self, login: &str, status: PersonStatus) {
        self.change_user(login, |user, now| user.set_status(status, now));
    }

    /// Changes a profile attribute of an Okta user, such as `displayName`.
    ///
    /// # Panics
    ///
    /// If there is no user of this login.
    pub fn set_user_attribute(&self, login: &str, name: &str, value: &str) {
        self.change_user(login, |user, now| user.set_attribute(name, value, now));
    }

    /// The id of the Okta user of this login.
    #[must_use]
    pub fn user_id(&self, login: &str) -> Option<String> {
        let state = self.state();
        let user = state.org.users.values().find(|user| user.login() == login);
        user.map(|user| user.id.clone())
    }

    /// The id of the first Okta group of this name.
    #[must_use]
    pub fn group_id(&self, name: &str) -> Option<String> {
        let state = self.state();
        let group = state.org.groups.values().find(|group| group.name == name);
        group.map(|group| group.id.clone())
    }

    /// How many instances of the catalog application of this name there are in Okta.
    #[must_use]
    pub fn app_count(&self, name: &str) -> usize {
        self.state()
            .org
            .apps
            .values()
            .filter(|app| app.name == name)
            .count()
    }

    /// Everything that can be seen in Okta: `apps`, `groups`, `users`, `domains`.
    ///
    /// Applications have `assignedUsers`, `assignedGroups`, `pushedGroups` and `keys` besides what
    /// the API shows, and groups have `members`.
    #[must_use]
    pub fn okta_snapshot(&self) -> Value {
        self.settled().org.snapshot()
    }

    /// Everything that can be seen in Identity Center: `permission_sets`, `assignments`, `users`, `groups`.
    #[must_use]
    pub fn aws_snapshot(&self) -> Value {
        self.settled().aws_snapshot()
    }

    /// The permission sets, oldest first.
    #[must_use]
    pub fn permission_sets(&self) -> Vec<PermissionSet> {
        self.settled().permission_sets()
    }

    /// The account assignments that exist, oldest first.
    #[must_use]
    pub fn assignments(&self) -> Vec<Assignment> {
        self.settled().assignments()
    }

    /// The users of the identity store, oldest first.
    #[must_use]
    pub fn identity_users(&self) -> Vec<IdentityUser> {
        self.settled().identity_users()
    }

    /// The groups of the identity store, oldest first.
    #[must_use]
    pub fn identity_groups(&self) -> Vec<IdentityGroup> {
        self.settled().identity_groups()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, SandboxState> {
        self.state.lock()
    }

    fn settled(&self) -> MutexGuard<'_, SandboxState> {
        let mut state = self.state();
        state.settle();
        state
    }

    fn change_user(&self, login: &str, change: impl FnOnce(&mut okta::User, Timestamp)) {
        let changed =
            self.change(|state, now| state.org.change_user(login, now, |user| change(user, now)));
        assert!(changed.is_some(), "there is no user {login} in Okta");
    }

    fn change<T>(&self, change: impl FnOnce(&mut SandboxState, Timestamp) -> T) -> T {
        let mut state = self.settled();
        let now = state.now();
        let result = change(&mut state, now);
        state.settle();
        result
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let state = self.state.lock();
        let unmet = state.faults.waiting();
        assert!(
            unmet.is_empty() || thread::panicking(),
            "faults were injected that no request has met: {unmet:?}"
        );
    }
}
