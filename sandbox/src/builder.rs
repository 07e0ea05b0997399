//! The builder of a sandbox.

use std::{io, time::Duration};

use url::Url;

use crate::{
    Clock, Company, OktaRateLimits, ProvisioningForm, Sandbox, ScimRateLimits,
    aws::{self, AccessKey, BaseUrls, Cloud, Seed},
    clock::{SandboxClock, signed},
    company::AccountState,
    faults::Faults,
    okta::{self, Org},
    provisioning_engine::ProvisioningEngine,
    scim::{
        ScimLimits,
        generic::{self, Directory},
    },
    server::{Addresses, Listeners, Ports, Shared},
    state::SandboxState,
};

/// A builder for a [`Sandbox`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is started"]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each bool is an independent setting with its own setter"
)]
pub struct SandboxBuilder {
    company: Company,
    clock: Clock,
    stage: Stage,
    provisioning_delay: Duration,
    operation_delay: Duration,
    certificate_delay: Duration,
    page_size: Option<usize>,
    rate_limits: OktaRateLimits,
    scim_rates: Option<ScimRateLimits>,
    connections_supported: bool,
    permission_sets: bool,
    all_features: bool,
    account_status: bool,
    scim_profile: ScimProfile,
    ports: Ports,
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

    /// Sets the time that Okta needs to obtain a certificate for a verified domain; default: zero.
    pub fn certificate_delay(mut self, delay: Duration) -> Self {
        self.certificate_delay = delay;
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
        self.rate_limits = limits;
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
        self.connections_supported = supported;
        self
    }

    /// Sets whether Identity Center is enabled with permission sets; default: true.
    pub fn permission_sets(mut self, enabled: bool) -> Self {
        self.permission_sets = enabled;
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
    pub async fn start(self) -> io::Result<Sandbox> {
        let listeners = Listeners::bind(self.ports).await?;
        let addresses = listeners.addresses()?;
        let mut state = self.state(addresses);
        advance_to_stage(&mut state, self.stage).map_err(io::Error::other)?;
        let state = Shared::new(state);
        Ok(Sandbox {
            _stop: listeners.serve(&state),
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
            token: Sandbox::OKTA_TOKEN.to_owned(),
            page_size: self.page_size,
            rate_limits: self.rate_limits,
            connections_supported: self.connections_supported,
            certificate_delay: signed(self.certificate_delay),
        };
        let now = clock.now();
        SandboxState {
            org: Org::new(&self.company, setup, now),
            cloud: Cloud::new(self.seed(addresses)),
            generic_scim: (self.scim_profile == ScimProfile::Generic).then(|| {
                let base = format!("http://{}{}", addresses.scim, generic::ROOT);
                Directory::new(base, Sandbox::SCIM_TOKEN)
            }),
            provisioning_engine: ProvisioningEngine::new(
                addresses.scim.to_string(),
                signed(self.provisioning_delay),
            ),
            clock,
            faults: Faults::default(),
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
                state: match account.state {
                    AccountState::Active => "ACTIVE".to_owned(),
                    AccountState::Suspended => "SUSPENDED".to_owned(),
                },
                ..aws::AccountSeed::new(&account.id, &account.name, &account.unit)
            });
        Seed {
            accounts: accounts.collect(),
            keys: vec![AccessKey {
                id: Sandbox::AWS_ACCESS_KEY_ID.to_owned(),
                secret: Sandbox::AWS_SECRET_ACCESS_KEY.to_owned(),
                account: management.clone(),
                user: "integration".to_owned(),
            }],
            management_account: management,
            page_size: self.page_size,
            operation_delay: self.operation_delay,
            permission_sets: self.permission_sets,
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
            certificate_delay: Duration::ZERO,
            page_size: Some(1),
            rate_limits: OktaRateLimits::default(),
            scim_rates: None,
            connections_supported: false,
            permission_sets: true,
            all_features: true,
            account_status: true,
            scim_profile: ScimProfile::default(),
            ports: Ports::default(),
        }
    }
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
