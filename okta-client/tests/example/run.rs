// The hidden set-up of the examples in the docs. Each example includes this file.

use okta_client::*;

/// Runs an example with the client of an org that provisions users and groups to AWS.
#[tokio::main(flavor = "current_thread")]
async fn run(example: impl AsyncFnOnce(Client, sandbox::Sandbox) -> Made<()>) {
    let sandbox = sandbox::Sandbox::builder()
        .stage(sandbox::Stage::Provisioned)
        .connections_supported(true)
        .start()
        .await
        .expect("the sandbox starts");
    let token = Secret::new(sandbox.okta_token());
    let okta = Client::builder(&sandbox.okta_url(), token)
        .build()
        .expect("a client");
    example(okta, sandbox).await.expect("the example succeeds");
}

type Made<T> = Result<T, Box<dyn std::error::Error>>;

/// Returns the app for AWS. No user or group is assigned to it.
async fn aws(okta: &Client) -> Made<Id<App>> {
    app(okta, "AWS IAM Identity Center").await
}

/// Returns an app without SAML and provisioning.
async fn bookmark(okta: &Client) -> Made<Id<App>> {
    app(okta, "Intranet").await
}

/// Returns an OAuth 2.0 app.
async fn oauth_app(okta: &Client) -> Made<Id<App>> {
    app(okta, "Okta Admin Console").await
}

async fn app(okta: &Client, label: &str) -> Made<Id<App>> {
    let app = okta.apps().only_by_label(label).await?;
    Ok(app.expect("the app").id().clone())
}

/// Returns the group `aws-users`.
async fn group(okta: &Client) -> Made<Id<Group>> {
    Ok(okta.groups().named("aws-users").await?.remove(0).id)
}

/// Returns Grace Hopper, a member of `aws-users`.
async fn grace(okta: &Client) -> Made<Id<User>> {
    let login = UserRef::login("grace.hopper@example.com");
    Ok(okta.users().get(&login).await?.id)
}

/// Creates a push mapping of the group `aws-users`.
async fn push(okta: &Client) -> Made<Id<PushMapping>> {
    let mapping = NewPushMapping {
        source_group: group(okta).await?,
        target: PushTarget::NewGroup("aws-users".to_owned()),
    };
    let app = aws(okta).await?;
    Ok(okta.push_mappings(&app).create(&mapping).await?.id)
}

/// Returns the mapping from Okta's attributes to those of the app for AWS.
async fn mapping(okta: &Client) -> Made<Id<ProfileMapping>> {
    let to_app = ListProfileMappings {
        target: Some(aws(okta).await?.into()),
        ..ListProfileMappings::default()
    };
    let mut mappings = okta.profile_mappings().list(to_app);
    Ok(mappings.try_next().await?.expect("a mapping").id)
}

/// Creates an inactive rule for the group `engineers`.
async fn rule(okta: &Client) -> Made<Id<GroupRule>> {
    let rule = NewGroupRule {
        name: "Engineers".to_owned(),
        expression: "user.department==\"Engineering\"".to_owned(),
        groups: vec![okta.groups().create("engineers", None).await?.id],
        ..NewGroupRule::default()
    };
    Ok(okta.group_rules().create(&rule).await?.id)
}

/// Creates a limit of 80 % for the API token.
async fn limit(okta: &Client) -> Made<Id<PrincipalRateLimit>> {
    let token = okta.api_tokens().list().try_next().await?;
    let limit = NewPrincipalRateLimit {
        principal_id: token.expect("a token").id.to_string(),
        principal_type: PrincipalType::SswsToken,
        percentage: 80,
        concurrency_percentage: 50,
    };
    Ok(okta.principal_rate_limits().create(&limit).await?.id)
}

/// Creates a custom domain.
async fn domain(okta: &Client, certificate: CertificateSource) -> Made<Domain> {
    let new = NewDomain {
        name: "login.example.com".to_owned(),
        certificate,
    };
    Ok(okta.domains().create(&new).await?)
}

/// Publishes the DNS records of a domain.
fn publish(sandbox: &sandbox::Sandbox, domain: &Domain) {
    for record in &domain.dns_records {
        let value = record.values.join(" ");
        let record = sandbox::DnsRecord::new(&record.kind, &record.name, value);
        sandbox.console().publish_dns(&[record]);
    }
}
