//! The builder of a sandbox.

use std::{io, time::Duration};

use url::Url;

use crate::{
    Clock, Company, IamPolicy, IdentityCenterQuotas, OktaBucket, OktaRateLimits,
    OperationDurations, ProvisioningForm, Sandbox, ScimRateLimits, ServiceApp, UnknownMembers,
    UnknownPolicies,
    aws::{self, AccessKey, BaseUrls, Cloud, InstanceOptions, Seed},
    clock::{SandboxClock, signed},
    faults::Faults,
    in_flight::InFlight,
    okta::{self, LimitSettings, Org, Rights},
    provisioning_engine::ProvisioningEngine,
    scim::{
        ScimLimits, ScimOptions,
        generic::{self, Directory},
    },
    server::{Addresses, Listeners, Ports, Shared},
    state::SandboxState,
    tls::Tls,
};

/// A builder for a [`Sandbox`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is started"]
pub struct SandboxBuilder {
    company: Company,
    clock: Clock,
    stage: Stage,
    provisioning_delay: Duration,
    operation_delay: Duration,
    operation_durations: Option<OperationDurations>,
    certificate_delay: Duration,
    behavior: Behavior,
    search_delay: Duration,
    /// The time until a query of Okta's System Log returns an event.
    system_log_delay: Duration,
    display_name_mapping: Option<String>,
    page_size: Option<usize>,
    limits: LimitSettings,
    concurrency: Option<usize>,
    token_rights: Rights,
    service_apps: Vec<ServiceApp>,
    scim_rates: Option<ScimRateLimits>,
    instance: InstanceOptions,
    delegated_administrators: Vec<String>,
    caller_policy: Option<IamPolicy>,
    all_features: bool,
    account_status: bool,
    scim_profile: ScimProfile,
    scim_options: ScimOptions,
    okta_tls: bool,
    ports: Ports,
}

/// The behavior of an Okta org in places where orgs differ or Okta's documentation is silent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Behavior {
    pub(crate) app_creation: AppCreation,
    pub(crate) app_defaults: bool,
    pub(crate) new_dns_values: bool,
    pub(crate) connections_supported: bool,
}

/// The way in which Okta's API accepts a new Identity Center application without ACS URL and entity id.
///
/// The behavior of a real org is not known: an update with blank settings is refused, and most public configurations
/// have both settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AppCreation {
    /// Okta creates the application without the settings.
    #[default]
    Accepted,
    /// Okta refuses an application without the settings, as it does in an update.
    NeedsSettings,
    /// Okta refuses every application. It can only be added in the Admin Console.
    Refused,
}

/// The SCIM service behind the SCIM listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScimProfile {
    /// The SCIM endpoint of AWS: its dialect, its limits, its error texts.
    ///
    /// It is available after automatic provisioning is enabled.
    #[default]
    Aws,
    /// A SCIM service that follows RFC 7643, 7644 and 9865, independent of Okta and AWS.
    ///
    /// It is available from the start, at [`Sandbox::scim_url`] with [`Sandbox::SCIM_TOKEN`].
    Generic,
}

/// The stage of the integration when the sandbox starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// Okta has users, AWS has accounts, and nothing connects them.
    #[default]
    Initial,
    /// Identity Center is enabled.
    IdentityCenter,
    /// Okta has the application, and Okta is the identity source of Identity Center.
    Federated,
    /// Provisioning is configured with all three checkboxes selected; no user is assigned yet.
    Provisioned,
}

impl SandboxBuilder {
    /// Sets the company; default: 40 people, 6 groups and 12 accounts.
    pub fn company(mut self, company: Company) -> Self {
        self.company = company;
        self
    }

    /// Sets the source of time; default: the machine's clock.
    pub fn clock(mut self, clock: impl Into<Clock>) -> Self {
        self.clock = clock.into();
        self
    }

    /// Sets the stage of the integration; default: [`Stage::Initial`].
    pub fn stage(mut self, stage: Stage) -> Self {
        self.stage = stage;
        self
    }

    /// Sets the time that Okta waits before it provisions a change; default: zero.
    pub fn provisioning_delay(mut self, delay: Duration) -> Self {
        self.provisioning_delay = delay;
        self
    }

    /// Sets the duration of an asynchronous operation of AWS; default: zero.
    pub fn operation_delay(mut self, delay: Duration) -> Self {
        self.operation_delay = delay;
        self
    }

    /// Sets the durations of the asynchronous operations of Identity Center; default: the
    /// [`operation_delay`](Self::operation_delay), which also applies to creations and closures of accounts.
    ///
    /// [`Sandbox::set_operation_durations`] changes them at run time.
    pub fn operation_durations(mut self, durations: OperationDurations) -> Self {
        self.operation_durations = Some(durations);
        self
    }

    /// Sets the time after which AWS forgets an operation of Identity Center that has ended; default: never.
    ///
    /// A request for the status of a forgotten operation is refused with `ResourceNotFoundException`. AWS documents no
    /// time.
    pub fn operation_retention(mut self, retention: Duration) -> Self {
        self.instance.operation_retention = Some(retention);
        self
    }

    /// Sets the time until the lists of operations have a new operation; default: zero.
    ///
    /// The status of one operation can be read at once. A delay of AWS is not documented.
    pub fn operation_list_delay(mut self, delay: Duration) -> Self {
        self.instance.operation_list_delay = delay;
        self
    }

    /// Sets the time that Okta needs to obtain a certificate for a verified domain; default: zero.
    pub fn certificate_delay(mut self, delay: Duration) -> Self {
        self.certificate_delay = delay;
        self
    }

    /// Sets the way in which Okta's API accepts a new Identity Center application; default: [`AppCreation::Accepted`].
    pub fn app_creation(mut self, creation: AppCreation) -> Self {
        self.behavior.app_creation = creation;
        self
    }

    /// Sets whether an update of an application adds the defaults that Okta fills in; default: false.
    ///
    /// The defaults are `settings.signOn.honorForceAuthn`, `licensing`, and `null` in place of an empty list of attribute
    /// statements.
    pub fn app_defaults(mut self, added: bool) -> Self {
        self.behavior.app_defaults = added;
        self
    }

    /// Sets whether Okta requires a new value of a domain's TXT record after a verification that failed; default: false.
    pub fn new_dns_values(mut self, required: bool) -> Self {
        self.behavior.new_dns_values = required;
        self
    }

    /// Sets the time that a change needs until Okta's parameter `search` finds it; default: zero.
    ///
    /// `filter`, `q` and look-ups by id or login find a change at once. Source: "the `search` parameter results
    /// are sourced from an eventually consistent datasource" (Okta's API reference, "List all users").
    pub fn search_delay(mut self, delay: Duration) -> Self {
        self.search_delay = delay;
        self
    }

    /// Sets the time that an event needs until a query of the System Log returns it; default: zero.
    ///
    /// Source: "Some events may be delayed" (Okta, "System Log query").
    pub fn system_log_delay(mut self, delay: Duration) -> Self {
        self.system_log_delay = delay;
        self
    }

    /// Sets the expression that the profile mapping of a new application has for `displayName`; default:
    /// `user.displayName`, which is empty for a user without a display name.
    pub fn display_name_mapping(mut self, expression: &str) -> Self {
        self.display_name_mapping = Some(expression.to_owned());
        self
    }

    /// Leaves the attribute `displayName` out of the users of new applications, and out of their profile mapping; default: they
    /// have it.
    pub fn without_app_display_name(mut self) -> Self {
        self.display_name_mapping = None;
        self
    }

    /// Sets the maximum page size of every list; `None` keeps the vendors' page sizes.
    ///
    /// Default: 1, so that tests detect a client that does not read the second page. A page never
    /// has more items than the request allows.
    pub fn page_size(mut self, size: Option<usize>) -> Self {
        self.page_size = size;
        self
    }

    /// Sets Okta's limit of requests per minute; default: more than any test sends.
    pub fn rate_limits(mut self, limits: OktaRateLimits) -> Self {
        self.limits.rates = limits;
        self
    }

    /// Sets the limit of one bucket, in requests per minute and API token or app.
    ///
    /// The org's limit is twice as high, as with Okta's default share of 50 % for a token or an app.
    pub fn bucket_limit(mut self, bucket: OktaBucket, per_minute: u32) -> Self {
        self.limits.custom.insert(bucket, per_minute);
        self
    }

    /// Lets other clients of the Okta org send this number of requests at the start of each minute; default: none.
    ///
    /// They count for the org's limit of the bucket. [`Sandbox::use_okta_bucket`] sends requests once.
    pub fn foreign_traffic(mut self, bucket: OktaBucket, per_minute: u32) -> Self {
        self.limits.foreign.insert(bucket, per_minute);
        self
    }

    /// Sets the number of requests that the Okta org handles at the same time; default: unlimited.
    ///
    /// Okta's limit is 35 for a free Integrator org, and 75 for other orgs. More requests are refused with 429 and a
    /// limit of zero. The sandbox answers at once, so requests overlap only while [`Sandbox::hold_okta`] holds them.
    pub fn okta_concurrency(mut self, requests: usize) -> Self {
        self.concurrency = Some(requests);
        self
    }

    /// Limits the admin role of the owner of the API token to the operations of these scopes; default: all rights.
    ///
    /// Okta refuses a call without the right with 403 and `E0000006`.
    pub fn okta_token_role<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.token_rights = Rights::of(scopes);
        self
    }

    /// Adds a service app to the Okta org; default: none.
    ///
    /// [`Sandbox::service_app`] returns its credentials.
    pub fn service_app(mut self, app: ServiceApp) -> Self {
        self.service_apps.push(app);
        self
    }

    /// Sets the rates above which the SCIM endpoint answers 429; default: unlimited.
    pub fn scim_rates(mut self, rates: Option<ScimRateLimits>) -> Self {
        self.scim_rates = rates;
        self
    }

    /// Sets whether Okta's connections API works for Identity Center; default: false, the known behavior.
    ///
    /// An unsupported API answers 200 and `UNKNOWN` and changes nothing. A supported API enables a
    /// connection without a test of the credentials. Wrong credentials are detected only when the provisioning
    /// of users fails.
    pub fn connections_supported(mut self, supported: bool) -> Self {
        self.behavior.connections_supported = supported;
        self
    }

    /// Sets whether Identity Center is enabled with permission sets; default: true.
    pub fn permission_sets(mut self, enabled: bool) -> Self {
        self.instance.permission_sets = enabled;
        self
    }

    /// Sets the quotas of Identity Center; default: [`IdentityCenterQuotas::AWS`].
    pub fn identity_center_quotas(mut self, quotas: IdentityCenterQuotas) -> Self {
        self.instance.quotas = quotas;
        self
    }

    /// Sets whether the deletion of an assignment of a deleted user or group ends as `FAILED`; default: false.
    ///
    /// AWS keeps such assignments. A user of the public Terraform provider has reported that they cannot be deleted
    /// (terraform-provider-aws, issue 19341).
    pub fn orphan_deletion_fails(mut self, fails: bool) -> Self {
        self.instance.orphan_deletion_fails = fails;
        self
    }

    /// Sets the time at which AWS refuses an AWS managed policy that does not exist; default:
    /// [`UnknownPolicies::RefusedAtAttach`].
    pub fn unknown_policies(mut self, refused: UnknownPolicies) -> Self {
        self.instance.unknown_policies = refused;
        self
    }

    /// Makes the instance of Identity Center an account instance of a member account; default: the instance of the
    /// organization.
    ///
    /// An account instance has users and groups, and neither permission sets nor account assignments. The access key of
    /// the sandbox then belongs to an administrator of this account.
    pub fn account_instance(mut self, account: &str) -> Self {
        self.instance.account = Some(account.to_owned());
        self
    }

    /// Registers an account as a delegated administrator of Identity Center, which trusts the organization for this; default: none.
    ///
    /// Requests with the access key of [`Sandbox::delegated_access_key`] come from an administrator of this account.
    pub fn delegated_administrator(mut self, account: &str) -> Self {
        self.delegated_administrators.push(account.to_owned());
        self
    }

    /// Gives the users of the sandbox's AWS access keys exactly the rights of this IAM policy; default: all rights.
    ///
    /// The policy applies to `sso-admin`, `identitystore`, `organizations` and `sts`. A call needs the right on all
    /// resources that the Service Authorization Reference has for the operation, and is refused with
    /// `AccessDeniedException`. The rules about accounts stay: a member account that is not a delegated administrator gets
    /// no access from a policy. Credentials of the access portal keep the rights of their permission set.
    ///
    /// In the management account, Identity Center changes roles with the rights of the caller. An operation there ends as
    /// `FAILED` if the policy lacks an `iam` action on the roles below `aws-reserved/sso.amazonaws.com/` (user guide,
    /// "Identity-based policy examples").
    ///
    /// [`Sandbox::limit_aws_caller`] changes the policy at run time.
    pub fn limit_aws_caller(mut self, policy: IamPolicy) -> Self {
        self.caller_policy = Some(policy);
        self
    }

    /// Adds a Region to which the instance of Identity Center is replicated; default: none.
    ///
    /// In this Region, the instance and the identity store can be read. Permission sets and assignments only exist in the
    /// company's Region.
    pub fn additional_region(mut self, region: &str) -> Self {
        self.instance.additional_regions.push(region.to_owned());
        self
    }

    /// Sets whether the AWS organization has all features enabled; default: true.
    ///
    /// Identity Center cannot be enabled without all features.
    pub fn all_features(mut self, enabled: bool) -> Self {
        self.all_features = enabled;
        self
    }

    /// Sets whether AWS sends the status of accounts; default: true.
    ///
    /// AWS has announced that it will retire this field.
    pub fn account_status(mut self, sent: bool) -> Self {
        self.account_status = sent;
        self
    }

    /// Sets the SCIM service behind the SCIM listener; default: [`ScimProfile::Aws`].
    pub fn scim_profile(mut self, profile: ScimProfile) -> Self {
        self.scim_profile = profile;
        self
    }

    /// Sets AWS's answer to a SCIM request that adds a user who does not exist to a group; default:
    /// [`UnknownMembers::NotFound`].
    pub fn unknown_members(mut self, answer: UnknownMembers) -> Self {
        self.scim_options.unknown_members = answer;
        self
    }

    /// Lets the SCIM service accept an attribute of users, such as `displayName`, and not keep it; default: it keeps all.
    ///
    /// The name is one of the top level of a SCIM user. The attribute is missing in the service and in its responses.
    pub fn drop_user_attribute(mut self, name: &str) -> Self {
        self.scim_options.dropped_of_users.push(name.to_owned());
        self
    }

    /// Lets the SCIM service accept an attribute of groups, such as `externalId`, and not keep it; default: it keeps all.
    pub fn drop_group_attribute(mut self, name: &str) -> Self {
        self.scim_options.dropped_of_groups.push(name.to_owned());
        self
    }

    /// Sets whether Okta is served with TLS; default: false.
    ///
    /// The certificate is for `localhost` and `127.0.0.1`. [`Sandbox::okta_ca_pem`] returns the certificate of its
    /// authority, which is generated for the sandbox.
    pub fn okta_tls(mut self, enabled: bool) -> Self {
        self.okta_tls = enabled;
        self
    }

    /// Sets fixed ports for Okta, AWS, SCIM and the console, in this order; default: any free ports.
    pub fn ports(mut self, [okta, aws, scim, console]: [u16; 4]) -> Self {
        self.ports = Ports {
            okta,
            aws,
            scim,
            console,
        };
        self
    }

    /// Starts the sandbox and its listeners.
    ///
    /// # Errors
    ///
    /// Returns an error if a port cannot be opened or the stage cannot be reached.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    pub async fn start(mut self) -> io::Result<Sandbox> {
        let estate = std::mem::take(&mut self.company.estate);
        if !estate.is_empty() {
            self.stage = self.stage.max(Stage::IdentityCenter);
        }
        let listeners = Listeners::bind(self.ports).await?;
        let addresses = listeners.addresses()?;
        let mut state = self.state(addresses);
        let now = state.now();
        for account in &self.delegated_administrators {
            let registered = state.cloud.delegate(account, now);
            registered.map_err(io::Error::other)?;
        }
        advance_to_stage(&mut state, self.stage).map_err(io::Error::other)?;
        if !estate.is_empty() {
            let now = state.now();
            let seeded = state.cloud.seed_estate(&estate, now);
            seeded.map_err(io::Error::other)?;
        }
        let state = Shared::new(state);
        let okta_tls = self.okta_tls.then(Tls::generate).transpose()?;
        Ok(Sandbox {
            _stop: listeners.serve(&state, okta_tls.as_ref())?,
            okta_tls,
            scim_profile: self.scim_profile,
            state,
            addresses,
            region: self.company.region,
        })
    }

    fn state(&self, addresses: Addresses) -> SandboxState {
        let clock = SandboxClock::new(self.clock);
        let setup = okta::Setup {
            authority: addresses.okta.to_string(),
            tls: self.okta_tls,
            token: Sandbox::OKTA_TOKEN.to_owned().into(),
            token_rights: self.token_rights.clone(),
            service_apps: self.service_apps.clone(),
            page_size: self.page_size,
            rate_limits: self.limits.clone(),
            behavior: self.behavior,
            certificate_delay: signed(self.certificate_delay),
            search_delay: signed(self.search_delay),
            system_log_delay: signed(self.system_log_delay),
            display_name_mapping: self.display_name_mapping.clone(),
        };
        let now = clock.now();
        SandboxState {
            org: Org::new(&self.company, setup, now),
            cloud: Cloud::new(self.seed(addresses)),
            generic_scim: (self.scim_profile == ScimProfile::Generic).then(|| {
                let base = format!("http://{}{}", addresses.scim, generic::ROOT);
                Directory::new(base, Sandbox::SCIM_TOKEN, self.scim_options.clone())
            }),
            provisioning_engine: ProvisioningEngine::new(
                addresses.scim.to_string(),
                signed(self.provisioning_delay),
            ),
            clock,
            faults: Faults::default(),
            in_flight: InFlight::new(self.concurrency),
            scim_rates: ScimLimits::new(self.scim_rates),
            log: Vec::new(),
            region: self.company.region.clone(),
        }
    }

    fn seed(&self, addresses: Addresses) -> Seed {
        let management = self.company.accounts.first();
        let management = management
            .map(|account| account.id.clone())
            .unwrap_or_default();
        let accounts = self
            .company
            .accounts
            .iter()
            .map(|account| aws::AccountSeed {
                email: account.email.clone(),
                state: account.state.name().to_owned(),
                tags: account.tags.clone(),
                policies: account.policies.clone(),
                ..aws::AccountSeed::new(&account.id, &account.name, &account.unit)
            });
        Seed {
            accounts: accounts.collect(),
            keys: std::iter::once(AccessKey {
                id: Sandbox::AWS_ACCESS_KEY_ID.to_owned(),
                secret: Sandbox::AWS_SECRET_ACCESS_KEY.to_owned(),
                account: self
                    .instance
                    .account
                    .clone()
                    .unwrap_or_else(|| management.clone()),
                user: "integration".to_owned(),
            })
            .chain(
                self.delegated_administrators
                    .iter()
                    .map(|account| AccessKey {
                        id: delegated_key_id(account),
                        secret: Sandbox::AWS_SECRET_ACCESS_KEY.to_owned(),
                        account: account.clone(),
                        user: "integration".to_owned(),
                    }),
            )
            .collect(),
            management_account: management,
            caller_policy: self.caller_policy.clone(),
            page_size: self.page_size,
            operation_delay: self.operation_delay,
            operation_durations: self.operation_durations.clone(),
            region: self.company.region.clone(),
            instance: self.instance.clone(),
            scim: self.scim_options.clone(),
            all_features: self.all_features,
            account_status: self.account_status,
            base_urls: BaseUrls {
                scim: Url::parse(&format!("http://{}", addresses.scim)).ok(),
            },
            ..Seed::default()
        }
    }
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        Self {
            company: Company::default(),
            clock: Clock::default(),
            stage: Stage::default(),
            provisioning_delay: Duration::ZERO,
            operation_delay: Duration::ZERO,
            operation_durations: None,
            certificate_delay: Duration::ZERO,
            behavior: Behavior::default(),
            search_delay: Duration::ZERO,
            system_log_delay: Duration::ZERO,
            display_name_mapping: Some("user.displayName".to_owned()),
            page_size: Some(1),
            limits: LimitSettings::default(),
            concurrency: None,
            token_rights: Rights::default(),
            service_apps: Vec::new(),
            scim_rates: None,
            instance: InstanceOptions::default(),
            delegated_administrators: Vec::new(),
            caller_policy: None,
            all_features: true,
            account_status: true,
            scim_profile: ScimProfile::default(),
            scim_options: ScimOptions::default(),
            okta_tls: false,
            ports: Ports::default(),
        }
    }
}

/// Returns the id of the access key of a delegated administrator's account.
pub(crate) fn delegated_key_id(account: &str) -> String {
    format!("AKIADLGT{account}")
}

/// Performs the actions that lead to a stage, in the same way as an operator.
fn advance_to_stage(state: &mut SandboxState, target: Stage) -> Result<(), crate::ConsoleError> {
    if target >= Stage::IdentityCenter {
        state.enable_identity_center(None)?;
    }
    if target >= Stage::Federated {
        state.federate()?;
    }
    if target >= Stage::Provisioned {
        let provisioning = state.enable_automatic_provisioning()?;
        let base_url = provisioning.scim_endpoint.trim_end_matches('/');
        state
            .configure_provisioning(&ProvisioningForm::new(base_url, provisioning.access_token))?;
    }
    Ok(())
}
