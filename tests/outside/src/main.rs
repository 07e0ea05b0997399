//! An embedding program: everything that a user of the facade writes, with the facade and tokio alone.
//!
//! `outside READY_FILE` runs against a sandbox whose addresses are in the file, and prints what it has done: the directory
//! sync if the sandbox has a SCIM service as the RFCs define it, else the integration.

mod readme;

use std::{collections::BTreeMap, sync::Arc};

use okta_aws_sso::{
    Applied, Blueprint, BoxFuture, Context, Operator, Pipeline, Planned, Result, Secret,
    StateStore, Step,
    aws::{Aws, ConnectOptions, Credentials},
    deps::{aws_config, reqwest, serde_json},
    okta,
    operator::{Answers, AskKind, ManualStep, ManualStepKind, OperatorError, SandboxOperator},
    plan::{Action, Change, StepId, Subject},
    scim::{self, scim_types::ExternalId},
    steps::{self, ids},
    sync::{Directory, DirectorySync, Group, Source, User, UserProfile},
};

const BLUEPRINT: &str = r#"
[sign_in]
skip = true

[[access]]
user = "ada.lovelace@example.com"
account = "Sandbox"
permission_set = "AdministratorAccess"
"#;

/// A source of the directory sync that is not Okta.
struct Team;

impl Source for Team {
    fn name(&self) -> String {
        "the team list".to_owned()
    }

    fn read(&self) -> BoxFuture<'_, Result<Directory>> {
        let profile = UserProfile {
            user_name: "grace@example.com".to_owned(),
            given_name: "Grace".to_owned(),
            family_name: "Hopper".to_owned(),
            display_name: "Grace Hopper".to_owned(),
            active: true,
            ..UserProfile::default()
        };
        let grace = User::new(ExternalId::new("hr-1"), profile);
        let group = Group {
            id: ExternalId::new("hr-g1"),
            name: "navy".to_owned(),
            members: [grace.id.clone()].into(),
        };
        let directory = Directory {
            users: vec![grace],
            groups: vec![group],
            ..Directory::default()
        };
        Box::pin(std::future::ready(Ok(directory)))
    }

    fn may_have_issued(&self, id: &ExternalId) -> bool {
        id.as_str().starts_with("hr-")
    }
}

/// A step that asks for an approval once and remembers it.
struct Approval;

const APPROVAL: StepId = StepId::new("approval");

impl Step for Approval {
    fn id(&self) -> StepId {
        APPROVAL
    }

    fn title(&self) -> String {
        "Approval of the access".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let approved: Option<BTreeMap<String, String>> = cx.memory(&APPROVAL)?;
            Ok(match approved {
                Some(_) => Planned::nothing(),
                None => {
                    let subject = Subject::custom(APPROVAL, "approval");
                    Planned::one(Change::new(Action::ManualStep, subject))
                }
            })
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let manual_step = ManualStep::new(
                ManualStepKind::Custom("approval"),
                "Approve the access",
                "the ticket system",
            )
            .ask("ticket", AskKind::Text, "Number of the approved ticket");
            let ticket = cx
                .manual_step(manual_step, async |answers| {
                    answers.get("ticket").map(ToOwned::to_owned).ok_or_else(|| {
                        okta_aws_sso::Error::new(
                            okta_aws_sso::ErrorKind::InvalidAnswer,
                            "no ticket was entered",
                        )
                    })
                })
                .await?;
            cx.remember(&APPROVAL, &BTreeMap::from([("ticket", ticket)]))?;
            Ok(Applied::Done)
        })
    }
}

/// Answers the approval; the sandbox's consoles answer the other manual steps.
struct Approver(SandboxOperator);

impl Operator for Approver {
    fn ask<'a>(
        &'a self,
        manual_step: &'a ManualStep,
    ) -> BoxFuture<'a, Result<Answers, OperatorError>> {
        if manual_step.kind == ManualStepKind::Custom("approval") {
            let answers = Answers::default().text("ticket", "T-1");
            return Box::pin(std::future::ready(Ok(answers)));
        }
        self.0.ask(manual_step)
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    readme::is_a_program();
    let path = std::env::args().nth(1).ok_or("usage: outside READY_FILE")?;
    let ready: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let text = |pointer: &str| {
        let value = ready.pointer(pointer).and_then(serde_json::Value::as_str);
        value.unwrap_or_default().to_owned()
    };

    // A sandbox with a SCIM service of its own is for the sync.
    if ready.pointer("/scim").is_some() {
        return sync(&text("/scim/url"), text("/scim/token")).await;
    }

    // The caller's own HTTP client, and a call that the client does not model.
    let http = reqwest::Client::builder().pool_max_idle_per_host(2);
    let okta = okta::Client::builder(&text("/okta/org_url"), Secret::new(text("/okta/api_token")))
        .http(http)
        .build()?;
    let org = okta.send(okta::Call::get(["api", "v1", "org"])).await?;
    println!("okta: {}", org.json::<serde_json::Value>()?["status"]);

    // The caller's own configuration of the SDK, and a call of the SDK itself.
    let credentials = Credentials {
        access_key_id: text("/aws/access_key_id"),
        secret_access_key: Secret::new(text("/aws/secret_access_key")),
        session_token: None,
    };
    let sdk_config = aws_config::SdkConfig::builder()
        .region(aws_config::Region::new(text("/aws/region")))
        .endpoint_url(text("/aws/endpoint_url"))
        .credentials_provider(okta_aws_sso::aws::SharedCredentialsProvider::from(
            credentials,
        ))
        .build();
    let aws = Aws::connect(ConnectOptions {
        sdk_config: Some(sdk_config),
        ..ConnectOptions::default()
    })
    .await?;
    let organization = aws
        .sdk()
        .organizations()
        .describe_organization()
        .send()
        .await?;
    println!(
        "aws: {}",
        organization
            .organization()
            .and_then(|found| found.id())
            .unwrap_or_default()
    );

    // The integration with a step of its own.
    let blueprint = Blueprint::from_toml(BLUEPRINT)?;
    let operator = Arc::new(Approver(SandboxOperator::new(
        text("/console_url").parse()?,
    )?));
    let store = StateStore::memory();
    let pipeline = || -> Result<Pipeline> {
        let steps = steps::default_steps(&blueprint, &okta, &aws)
            .insert_before(&ids::PERMISSION_SETS, Approval)?;
        Ok(Pipeline::new(steps)
            .blueprint(&blueprint)
            .store(store.clone())
            .operator(operator.clone()))
    };
    let plan = pipeline()?.plan().await?;
    pipeline()?.apply(&plan).await?.complete()?;
    let again = pipeline()?.plan().await?;
    println!("integration: {}", again.summary());

    let state = store.load().await?.ok_or("no state")?;
    println!("memory: {}", state.facts.memory[&APPROVAL]["ticket"]);
    Ok(())
}

/// Runs the directory sync with a source of its own.
async fn sync(url: &str, token: String) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let endpoint = scim::Endpoint::parse(url)?;
    let target = scim::Client::builder(&endpoint, Secret::new(token)).build()?;
    let sync = DirectorySync::new(Team, &target).store(StateStore::memory());
    let plan = sync.plan().await?;
    sync.apply_plan(&plan).await?.complete()?;
    println!("sync: {}", plan.summary());
    Ok(())
}
