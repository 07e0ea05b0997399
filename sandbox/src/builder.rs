//! How a sandbox is described and started.

use std::{io, time::Duration};

use url::Url;

use crate::{
    Clock, Company, ProvisioningForm, RateLimits, Sandbox, ScimRates,
    aws::{self, AccessKey, BaseUrls, Cloud, Seed},
    clock::{SandboxClock, signed},
    company::AccountState,
    faults::Faults,
    okta::{self, Org},
    provisioning_engine::ProvisioningEngine,
    scim::generic::{self, Directory},
    scim_rates::ScimLimits,
    server::{Addresses, Listeners, Ports, Shared},
    state::SandboxState,
};

/// A sandbox that is not started yet.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is started"]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting with a setter of its own"
)]
pub struct SandboxBuilder {
    company: Company,
    clock: Clock,
    stage: Stage,
    provisioning_delay: Duration,
    operation_delay: Duration,
    certificate_delay: Duration,
    page_size: Option<usize>,
    rate_limits: RateLimits,
    scim_rates: Option<ScimRates>,
    connections_supported: bool,
    permission_sets: bool,
    all_features: bool,
    account_status: bool,
    scim_profile: ScimProfile,
    ports: Ports,
}

/// Whose SCIM service is behind the SCIM listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScimProfile {
    /// AWS's, once automatic provisioning is enabled: its dialect, its limits, its words.
    #[default]
    Aws,
    /// One that does what RFC 7643, 7644 and 9865 say, and has nothing to do with Okta or AWS.
    ///
    /// It answers from the start, at [`Sandbox::scim_url`] for [`Sandbox::SCIM_TOKEN`].
    Generic,
}

/// How far a company is with the integration when the sandbox starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// Okta has people, AWS has accounts, and nothing connects them.
    #[default]
    Nothing,
    /// Identity Center is enabled.
    IdentityCenter,
    /// Okta has the application, and Identity Center has Okta as its identity source.
    Federated,
    /// Provisioning is configured and all three boxes are ticked; nobody is assigned yet.
    Provisioned,
}

impl SandboxBuilder {
    /// The company; forty people, six groups and twelve accounts by default.
    pub fn company(mut self, company: Company) -> Self {
        self.company = company;
        self
    }

    /// Where the time comes from; the machine's clock by default.
    pub fn clock(mut self, clock: impl Into<Clock>) -> Self {
        self.clock = clock.into();
        self
    }

    /// How far the company is already; at the very start by default.
    pub fn stage(mut self, stage: Stage) -> Self {
        self.stage = stage;
        self
    }

    /// How long Okta waits before it provisions a change; nothing by default.
    pub fn provisioning_delay(mut self, delay: Duration) -> Self {
        self.provisioning_delay = delay;
        self
    }

    /// How long an asynchronous operation of AWS takes; nothing by default.
    pub fn operation_delay(mut self, delay: Duration) -> Self {
        self.operation_delay = delay;
        self
    }

    /// How long Okta takes to get a certificate for a proved domain; nothing by default.
    pub fn certificate_delay(mut self, delay: Duration) -> Self {
        self.certificate_delay = delay;
        self
    }

    /// The most items in a page of any list, or nothing for the vendors' own numbers.
    ///
    /// It is one by default, so that a client that forgets the second page is found out. A page
    /// never has more items than were asked for.
    pub fn page_size(mut self, size: Option<usize>) -> Self {
        self.page_size = size;
        self
    }

    /// How many requests Okta takes in a minute; more than any test makes by default.
    pub fn rate_limits(mut self, limits: RateLimits) -> Self {
        self.rate_limits = limits;
        self
    }

    /// How many requests a second the SCIM endpoint takes before it answers 429; as many as come by default.
    pub fn scim_rates(mut self, rates: Option<ScimRates>) -> Self {
        self.scim_rates = rates;
        self
    }

    /// Whether Okta's connections API works for Identity Center; by default, as far as is known, it does not.
    ///
    /// Where it does not, it answers 200 and `UNKNOWN` and does nothing. Where it does, a
    /// connection is not tested before it is enabled: wrong credentials show when users fail.
    pub fn connections_supported(mut self, supported: bool) -> Self {
        self.connections_supported = supported;
        self
    }

    /// Whether Identity Center is enabled with permission sets; it is by default.
    pub fn permission_sets(mut self, enabled: bool) -> Self {
        self.permission_sets = enabled;
        self
    }

    /// Whether the AWS organization has all features enabled; it has by default.
    ///
    /// Without them Identity Center cannot be enabled.
    pub fn all_features(mut self, enabled: bool) -> Self {
        self.all_features = enabled;
        self
    }

    /// Whether AWS still sends the status of accounts, which it has announced to retire; it does by default.
    pub fn account_status(mut self, sent: bool) -> Self {
        self.account_status = sent;
        self
    }

    /// Whose SCIM service is behind the SCIM listener; AWS's by default.
    pub fn scim_profile(mut self, profile: ScimProfile) -> Self {
        self.scim_profile = profile;
        self
    }

    /// Fixed ports for Okta, AWS, SCIM and the console, in this order; any free ones by default.
    pub fn ports(mut self, [okta, aws, scim, console]: [u16; 4]) -> Self {
        self.ports = Ports {
            okta,
            aws,
            scim,
            console,
        };
        self
    }

    /// Starts the listeners.
    ///
    /// # Errors
    ///
    /// If a port cannot be opened.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn start(self) -> io::Result<Sandbox> {
        let listeners = Listeners::bind(self.ports).await?;
        let addresses = listeners.addresses()?;
        let mut state = self.state(addresses);
        bring_to(&mut state, self.stage).map_err(io::Error::other)?;
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
            rate_limits: RateLimits::default(),
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

/// Does what has been done by a stage, the way a person would.
fn bring_to(state: &mut SandboxState, stage: Stage) -> Result<(), crate::Refused> {
    if stage >= Stage::IdentityCenter {
        state.enable_identity_center(None)?;
    }
    if stage >= Stage::Federated {
        state.federate()?;
    }
    if stage >= Stage::Provisioned {
        let shown = state.enable_automatic_provisioning()?;
        let base_url = shown.scim_endpoint.trim_end_matches('/');
        state.configure_provisioning(&ProvisioningForm::new(base_url, shown.access_token))?;
    }
    Ok(())
}
