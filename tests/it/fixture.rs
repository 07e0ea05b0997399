//! A company in a sandbox, our clients, and a clock that does not sleep.

use std::{sync::Arc, time::Duration};

use okta_aws_sso::{
    Blueprint, CheckOutcome, Operator, Pipeline, Plan, Report, Result, StateStore, WaitPolicy,
    aws::{Aws, ConnectOptions, Credentials},
    okta,
    operator::SandboxOperator,
    steps,
};
use rest_core::{Clock, ManualClock, Secret};
use sandbox::{Sandbox, SandboxBuilder};

/// Where every story begins.
pub(crate) const START: &str = "2026-11-24T09:00:00Z";

/// The seed story: one user, one account, one role.
pub(crate) const SEED: &str = r#"
[[access]]
user = "ada.lovelace@example.com"
account = "Sandbox"
permission_set = "AdministratorAccess"
"#;

/// A bit of everything: a user, a pushed group, an assigned group, a permission set of one's own.
pub(crate) const TEAM: &str = r#"
[provisioning]
assign_groups = ["aws-users"]

[permission_sets.Deploy]
description = "Deploys"
session_duration = "PT4H"
managed_policies = ["arn:aws:iam::aws:policy/PowerUserAccess"]
inline_policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:*","Resource":"*"}]}'

[[access]]
user = "ada.lovelace@example.com"
account = "Sandbox"
permission_set = "AdministratorAccess"

[[access]]
group = "deployers"
accounts = ["Sandbox", "Workload 0003"]
permission_set = "Deploy"
"#;

/// A company small enough to read.
pub(crate) fn company() -> sandbox::Company {
    sandbox::Company::small(3, 3).team(
        "deployers",
        &["person.00002@example.com", "person.00003@example.com"],
    )
}

pub(crate) struct Fixture {
    pub(crate) sandbox: Sandbox,
    pub(crate) okta: okta::Client,
    pub(crate) aws: Aws,
    pub(crate) clock: ManualClock,
    pub(crate) store: StateStore,
    pub(crate) person: Arc<dyn Operator>,
    pub(crate) blueprint: Blueprint,
}

impl Fixture {
    /// A small company at the very start, and a blueprint for it.
    pub(crate) async fn new(blueprint: &str) -> Self {
        Self::of(Sandbox::builder().company(company()), blueprint).await
    }

    /// A sandbox with a clock of ours in which everything takes a while.
    pub(crate) async fn of(sandbox: SandboxBuilder, blueprint: &str) -> Self {
        Self::slow(sandbox, blueprint, Duration::from_secs(40)).await
    }

    /// A sandbox in which Okta takes its time to provision.
    pub(crate) async fn slow(
        sandbox: SandboxBuilder,
        blueprint: &str,
        provisioning: Duration,
    ) -> Self {
        let start: jiff::Timestamp = START.parse().expect("a moment");
        let sandbox = sandbox
            .clock(sandbox::Clock::Manual(start))
            .provisioning_delay(provisioning)
            .operation_delay(Duration::from_secs(5))
            .certificate_delay(Duration::from_mins(1))
            .start()
            .await
            .expect("a sandbox");
        let clock = ManualClock::new(start.try_into().expect("a moment after 1970"));
        clock.on_sleep(sandbox.advance_fn());
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let okta = okta::Client::builder(&sandbox.okta_url(), Secret::new(sandbox.okta_token()))
            .clock(shared.clone())
            .build()
            .expect("a client of Okta");
        let aws = aws(&sandbox, sandbox.aws_secret_access_key(), shared).await;
        let person =
            SandboxOperator::new(sandbox.console_url().parse().expect("a URL")).expect("a person");
        Self {
            okta,
            aws,
            clock,
            store: StateStore::memory(),
            person: Arc::new(person),
            blueprint: Blueprint::from_toml(blueprint).expect("a blueprint"),
            sandbox,
        }
    }

    pub(crate) fn pipeline(&self) -> Pipeline {
        Pipeline::new(steps::default_steps(&self.blueprint, &self.okta, &self.aws))
            .blueprint(&self.blueprint)
            .store(self.store.clone())
            .operator(self.person.clone())
            .clock(Arc::new(self.clock.clone()))
            .wait_policy(WaitPolicy::default())
    }

    /// Plans and applies, as a tool would.
    pub(crate) async fn run(&self) -> Result<(Plan, Report)> {
        let pipeline = self.pipeline();
        let plan = pipeline.plan().await?;
        let report = pipeline.apply(&plan).await?;
        Ok((plan, report))
    }

    /// What a verification finds not to be so.
    pub(crate) async fn failed_checks(&self) -> Vec<String> {
        let found = self.pipeline().verify().await.expect("a verification");
        let failed = found
            .checks
            .into_iter()
            .filter(|check| check.outcome == CheckOutcome::Failed);
        failed.map(|check| check.what).collect()
    }

    /// What AWS has in the end: each assignment in one line, sorted.
    pub(crate) fn assignments(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .sandbox
            .assignments()
            .iter()
            .map(|found| {
                format!(
                    "{} {}: {} in {}",
                    found.principal_kind, found.principal, found.permission_set, found.account
                )
            })
            .collect();
        lines.sort();
        lines
    }
}

/// A connection to the sandbox's AWS.
pub(crate) async fn aws(sandbox: &Sandbox, secret: &str, clock: Arc<dyn Clock>) -> Aws {
    Aws::connect(ConnectOptions {
        region: Some(sandbox.aws_region().to_owned()),
        endpoint_url: Some(sandbox.aws_endpoint_url().parse().expect("a URL")),
        credentials: Some(Credentials {
            access_key_id: sandbox.aws_access_key_id().to_owned(),
            secret_access_key: Secret::new(secret),
            session_token: None,
        }),
        clock,
        ..ConnectOptions::default()
    })
    .await
    .expect("a connection")
}
