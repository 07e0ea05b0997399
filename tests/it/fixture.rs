//! The test fixture: a company in a sandbox, clients for it, and a manual clock that does not sleep.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use okta_aws_sso::{
    Blueprint, CheckOutcome, CompleteReport, Operator, Pipeline, Plan, Report, Result, StateStore,
    WaitPolicy,
    aws::{
        Assignment, Aws, ConnectOptions, Credentials, IdentityCenter, OperationStatus, Principal,
    },
    okta,
    operator::{Answers, ManualStep, SandboxOperator, ScriptedOperator},
    plan::StepPlan,
    state::Facts,
    steps,
};
use rest_core::{Clock, ManualClock, Secret};
use sandbox::{Sandbox, SandboxBuilder};

/// The start time of every test.
pub(crate) const START: &str = "2026-11-24T09:00:00Z";

/// The smallest blueprint: one user, one account, one role.
pub(crate) const SEED: &str = r#"
[[access]]
user = "ada.lovelace@example.com"
account = "Sandbox"
permission_set = "AdministratorAccess"
"#;

/// A blueprint with a user, a pushed group, an assigned group and a custom permission set.
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

/// The settings of a custom domain, for the start of a blueprint.
pub(crate) const WITH_DOMAIN: &str = "[okta]\ncustom_domain = \"login.example.com\"\n";

/// The attributes that Okta's provisioning sends, each with a value for every user.
pub(crate) const ALL_ATTRIBUTES: [(&str, &str); 23] = [
    ("streetAddress", "12 St James's Square"),
    ("city", "London"),
    ("state", "LDN"),
    ("zipCode", "SW1Y 4JH"),
    ("countryCode", "GB"),
    ("postalAddress", "12 St James's Square, London"),
    ("costCenter", "1815"),
    ("department", "Engines"),
    ("division", "Analysis"),
    ("employeeNumber", "1"),
    ("managerId", "charles@example.com"),
    ("organization", "Babbage"),
    ("locale", "en_GB"),
    ("honorificPrefix", "Lady"),
    ("honorificSuffix", "II"),
    ("middleName", "King"),
    ("nickName", "Enchantress"),
    ("primaryPhone", "+44 20 7946 0000"),
    ("preferredLanguage", "en-GB"),
    ("profileUrl", "https://example.com/ada"),
    ("timezone", "Europe/London"),
    ("title", "Countess"),
    ("userType", "Employee"),
];

/// Returns the blueprint with provisioning mode `direct`.
pub(crate) fn direct(blueprint: &str) -> String {
    if blueprint.contains("[provisioning]") {
        blueprint.replace("[provisioning]", "[provisioning]\nmode = \"direct\"")
    } else {
        format!("[provisioning]\nmode = \"direct\"\n{blueprint}")
    }
}

/// Returns [`TEAM`] with one more group that has access.
pub(crate) fn team_and_auditors() -> String {
    format!(
        "{TEAM}\n[[access]]\ngroup = \"auditors\"\naccount = \"Sandbox\"\npermission_set = \"Deploy\"\n"
    )
}

/// A company with a few users and accounts, so that a failed assertion stays readable.
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
    pub(crate) operator: Arc<dyn Operator>,
    pub(crate) blueprint: Blueprint,
}

impl Fixture {
    /// Creates a fixture with a small company, two empty tenants and a blueprint.
    pub(crate) async fn new(blueprint: &str) -> Self {
        Self::with_sandbox(Sandbox::builder().company(company()), blueprint).await
    }

    /// Creates a fixture from a sandbox; Okta provisions after 40 s of the manual clock.
    pub(crate) async fn with_sandbox(sandbox: SandboxBuilder, blueprint: &str) -> Self {
        Self::with_provisioning_delay(sandbox, blueprint, Duration::from_secs(40)).await
    }

    /// Creates a fixture from a sandbox with a manual clock and this provisioning delay.
    pub(crate) async fn with_provisioning_delay(
        sandbox: SandboxBuilder,
        blueprint: &str,
        provisioning: Duration,
    ) -> Self {
        let start: jiff::Timestamp = START.parse().expect("a timestamp");
        let sandbox = sandbox
            .clock(sandbox::Clock::Manual(start))
            .provisioning_delay(provisioning)
            .operation_delay(Duration::from_secs(5))
            .certificate_delay(Duration::from_secs(5))
            .start()
            .await
            .expect("the sandbox starts");
        let clock = ManualClock::new(start.try_into().expect("a timestamp after 1970"));
        clock.on_sleep(sandbox.advance_fn());
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let okta = okta::Client::builder(&sandbox.okta_url(), Secret::new(sandbox.okta_token()))
            .clock(shared.clone())
            .build()
            .expect("an Okta client");
        let aws = aws(&sandbox, sandbox.aws_secret_access_key(), shared).await;
        let operator = SandboxOperator::new(sandbox.console_url().parse().expect("a URL"))
            .expect("an operator");
        Self {
            okta,
            aws,
            clock,
            store: StateStore::memory(),
            operator: Arc::new(operator),
            blueprint: Blueprint::from_toml(blueprint).expect("a blueprint"),
            sandbox,
        }
    }

    pub(crate) fn pipeline(&self) -> Pipeline {
        self.pipeline_of(steps::default_steps(&self.blueprint, &self.okta, &self.aws))
    }

    /// Returns a pipeline of these steps alone.
    pub(crate) fn pipeline_of(&self, steps: impl Into<steps::Steps>) -> Pipeline {
        Pipeline::new(steps)
            .blueprint(&self.blueprint)
            .store(self.store.clone())
            .operator(self.operator.clone())
            .clock(Arc::new(self.clock.clone()))
            .wait_policy(WaitPolicy::default())
    }

    /// Records the manual steps that the operator is asked for. The operator only says that it is done if `forgets` returns
    /// true.
    pub(crate) fn watch_operator(
        &mut self,
        forgets: impl Fn(&ManualStep) -> bool + Send + Sync + 'static,
    ) -> Arc<Mutex<Vec<ManualStep>>> {
        let (operator, asked) = (
            self.operator.clone(),
            Arc::<Mutex<Vec<ManualStep>>>::default(),
        );
        let (forgets, log) = (Arc::new(forgets), asked.clone());
        self.operator = Arc::new(ScriptedOperator::new(move |manual_step| {
            log.lock().expect("a lock").push(manual_step.clone());
            let (operator, forgets) = (operator.clone(), forgets.clone());
            async move {
                if forgets(&manual_step) {
                    return Ok(Answers::default());
                }
                operator.ask(&manual_step).await
            }
        }));
        asked
    }

    /// Creates a group in AWS by hand, with these users of AWS as members, and returns its id.
    pub(crate) async fn create_aws_group(&self, name: &str, users: &[&str]) -> String {
        let store = self.identity_store().await;
        let sdk = self.aws.sdk().identity_store();
        let group = sdk.create_group().identity_store_id(store);
        group.display_name(name).send().await.expect("a group");
        for user in users {
            self.add_to_aws_group(name, user).await;
        }
        self.aws_group(name)
    }

    /// Adds a user of AWS to a group of AWS by hand.
    pub(crate) async fn add_to_aws_group(&self, group: &str, user: &str) {
        use aws_sdk_identitystore::types::MemberId;
        let users = self.sandbox.identity_users();
        let user = users.into_iter().find(|known| known.user_name == user);
        let sdk = self.aws.sdk().identity_store();
        sdk.create_group_membership()
            .identity_store_id(self.identity_store().await)
            .group_id(self.aws_group(group))
            .member_id(MemberId::UserId(user.expect("a user").id))
            .send()
            .await
            .expect("a membership");
    }

    /// Removes a user of AWS from a group of AWS by hand.
    pub(crate) async fn remove_from_aws_group(&self, group: &str, user: &str) {
        use aws_sdk_identitystore::types::MemberId;
        let users = self.sandbox.identity_users();
        let user = users.into_iter().find(|known| known.user_name == user);
        let store = self.identity_store().await;
        let sdk = self.aws.sdk().identity_store();
        let membership = sdk
            .get_group_membership_id()
            .identity_store_id(&store)
            .group_id(self.aws_group(group))
            .member_id(MemberId::UserId(user.expect("a user").id))
            .send()
            .await
            .expect("a membership");
        sdk.delete_group_membership()
            .identity_store_id(&store)
            .membership_id(membership.membership_id)
            .send()
            .await
            .expect("a removal");
    }

    /// Deletes a group of AWS by hand.
    pub(crate) async fn delete_aws_group(&self, name: &str) {
        let sdk = self.aws.sdk().identity_store();
        sdk.delete_group()
            .identity_store_id(self.identity_store().await)
            .group_id(self.aws_group(name))
            .send()
            .await
            .expect("a removal");
    }

    fn aws_group(&self, name: &str) -> String {
        let groups = self.sandbox.identity_groups();
        let group = groups.into_iter().find(|group| group.display_name == name);
        group.expect("a group").id
    }

    /// Returns a SCIM client with a new access token.
    pub(crate) fn scim(&self) -> okta_aws_sso::scim::Client {
        let shown = self.sandbox.console().enable_automatic_provisioning();
        let shown = shown.expect("a token");
        let endpoint: okta_aws_sso::scim::Endpoint =
            shown.scim_endpoint.parse().expect("an endpoint");
        okta_aws_sso::scim::Client::builder(&endpoint, Secret::new(shown.access_token))
            .build()
            .expect("a client")
    }

    /// Returns the calls of the instance that the pipeline finds.
    pub(crate) async fn center(&self) -> IdentityCenter {
        let instances = self.aws.instances().try_collect().await;
        self.aws.identity_center(&instances.expect("instances")[0])
    }

    /// Creates or deletes an assignment, as an administrator does in the console.
    pub(crate) async fn change_assignment(&self, assignment: &Assignment, exists: bool) {
        let center = self.center().await;
        let assignments = center.assignments();
        let operation = if exists {
            assignments.start_create(assignment).await
        } else {
            assignments.start_delete(assignment).await
        };
        let operation = operation.expect("an operation");
        loop {
            let status = assignments.status(&operation).await.expect("a status");
            match status {
                OperationStatus::InProgress => self.clock.sleep(Duration::from_secs(5)).await,
                status => return assert_eq!(status, OperationStatus::Succeeded),
            }
        }
    }

    /// Returns an assignment by names: a group, or else a user.
    pub(crate) async fn assignment(&self, name: &str, set: &str, account: &str) -> Assignment {
        let center = self.center().await;
        let set = center.permission_sets().find(set).await;
        let store = center.identity_store();
        let group = store.group_by_name(name).await.expect("a response");
        let principal = if let Some(group) = group {
            Principal::Group(group.id)
        } else {
            let user = store.user_by_name(name).await.expect("a response");
            Principal::User(user.expect("a group or a user").id)
        };
        let accounts = self.aws.organizations().accounts().try_collect().await;
        let accounts = accounts.expect("accounts").into_iter();
        let mut accounts = accounts.filter(|found| found.name.as_deref() == Some(account));
        Assignment {
            account: accounts.next().expect("an account").id,
            permission_set: set.expect("a response").expect("a set").arn,
            principal,
        }
    }

    /// Returns the id of the account of this name.
    pub(crate) async fn account(&self, name: &str) -> String {
        let accounts = self.aws.organizations().accounts().try_collect().await;
        let accounts = accounts.expect("accounts").into_iter();
        let mut accounts = accounts.filter(|found| found.name.as_deref() == Some(name));
        accounts.next().expect("an account").id.to_string()
    }

    /// Returns the app that the state knows.
    pub(crate) async fn app(&self) -> okta::Id<okta::App> {
        let state = self.store.load().await.expect("a store").expect("a state");
        state.facts.app.expect("an app")
    }

    /// Returns the id of the identity store that the state knows.
    pub(crate) async fn identity_store(&self) -> String {
        let state = self.store.load().await.expect("a store").expect("a state");
        let instance = state.facts.instance.expect("an instance");
        instance.identity_store.to_string()
    }

    /// Moves the clocks of the run and of the sandbox.
    pub(crate) fn pass(&self, time: Duration) {
        self.sandbox.advance(time);
        self.clock.advance(time);
    }

    /// Plans and applies the blueprint.
    pub(crate) async fn run(&self) -> Result<(Plan, CompleteReport)> {
        let pipeline = self.pipeline();
        let plan = pipeline.plan().await?;
        let report = apply(&pipeline, &plan).await?;
        Ok((plan, report))
    }

    /// Changes the facts of the saved state.
    pub(crate) async fn edit_facts(&self, edit: impl FnOnce(&mut Facts)) {
        let state = self.store.load().await.expect("a store");
        let mut state = state.expect("a state");
        edit(&mut state.facts);
        let lock = self.store.lock(Arc::new(self.clock.clone())).await;
        let lock = lock.expect("a free lock");
        lock.save(&mut state).await.expect("a save");
        lock.release().await.expect("a release");
    }

    /// Returns the names of the failed checks of a verification.
    pub(crate) async fn failed_checks(&self) -> Vec<String> {
        let found = self.pipeline().verify().await.expect("a verification");
        let failed = found
            .checks
            .into_iter()
            .filter(|check| check.outcome == CheckOutcome::Failed);
        failed.map(|check| check.what).collect()
    }

    /// Returns the account assignments in AWS, one line each, sorted.
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

/// Sets the template from which Okta makes the user names of the app.
pub(crate) async fn set_user_name_template(
    okta: &okta::Client,
    app: &okta::Id<okta::App>,
    template: &str,
) {
    let app = okta.apps().get(app).await.expect("the app");
    let mut edit = app.edit();
    let set = edit.set("/credentials/userNameTemplate/template", template);
    set.expect("a template");
    let replaced = okta.apps().replace(app.id(), &edit).await;
    replaced.expect("the app");
}

/// Returns the changes and the problems of a step, one line each.
pub(crate) fn lines(plan: &Plan, step: &'static str) -> Vec<String> {
    let step = plan
        .step(&okta_aws_sso::plan::StepId::new(step))
        .expect("the step");
    let changes = step.changes.iter().map(ToString::to_string);
    let problems = step
        .problems
        .iter()
        .map(|problem| format!("problem: {problem}"));
    changes.chain(problems).collect()
}

/// Returns the text of the first note with this code.
pub(crate) fn note(plan: &Plan, code: &str) -> Option<String> {
    let mut notes = plan.steps.iter().flat_map(|step| &step.notes);
    let note = notes.find(|note| note.code.as_str() == code)?;
    Some(note.text.clone())
}

/// Returns the text of a step's plan without indentation, for a snapshot.
pub(crate) fn unindented(step: &StepPlan) -> String {
    let text = step.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    lines.join("\n")
}

/// Applies a plan. A change that is not made is an error.
pub(crate) async fn apply(pipeline: &Pipeline, plan: &Plan) -> Result<CompleteReport> {
    pipeline.apply(plan).await.and_then(Report::complete)
}

/// Connects to the AWS organization of the sandbox.
pub(crate) async fn aws(sandbox: &Sandbox, secret: &str, clock: Arc<dyn Clock>) -> Aws {
    let options = aws_options(sandbox, secret, clock);
    Aws::connect(options).await.expect("a connection")
}

/// Returns the options of a connection to the AWS organization of the sandbox.
pub(crate) fn aws_options(
    sandbox: &Sandbox,
    secret: &str,
    clock: Arc<dyn Clock>,
) -> ConnectOptions {
    ConnectOptions {
        region: Some(sandbox.aws_region().to_owned()),
        endpoint_url: Some(sandbox.aws_endpoint_url().parse().expect("a URL")),
        credentials: Some(
            Credentials {
                access_key_id: sandbox.aws_access_key_id().to_owned(),
                secret_access_key: Secret::new(secret),
                session_token: None,
            }
            .into(),
        ),
        clock,
        ..ConnectOptions::default()
    }
}
