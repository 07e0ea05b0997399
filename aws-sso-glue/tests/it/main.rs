//! Tests of the calls against the sandbox's AWS, which shares no type with this crate.

use std::{
    slice::from_ref,
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_sso_glue::{
    AccountState, Assignment, Aws, ConnectOptions, Credentials, IdentityCenter, NewPermissionSet,
    Operation, OperationKind, OperationStatus, PollResult, Principal, UpdatePermissionSet,
};
use bytes::Bytes;
use rest_core::{Clock as _, HttpTransport, ManualClock, Secret, Transport as _};
use sandbox::{AccountSeed, Company, Fault, Sandbox, Service, Stage};
use serde_json::{Value, json};

mod estate;

const ADA: &str = "ada.lovelace@example.com";
const GRACE: &str = "grace.hopper@example.com";
const OPERATION_DELAY: Duration = Duration::from_secs(20);

/// A sandbox and a connection to it, with a common clock.
struct Fixture {
    sandbox: Sandbox,
    aws: Aws,
    clock: ManualClock,
}

impl Fixture {
    async fn at(stage: Stage) -> Self {
        let start = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
        let company = Company::empty()
            .person(sandbox::Person::new(GRACE, "Grace", "Hopper"))
            .team("people", &[ADA])
            .team("admins", &[ADA])
            .account(AccountSeed::new("222233334444", "Sandbox", "Workloads"))
            .account(AccountSeed::new("333344445555", "Old", "Workloads").suspended());
        let sandbox = Sandbox::builder()
            .company(company)
            .stage(stage)
            .clock(start)
            .operation_delay(OPERATION_DELAY)
            .start()
            .await
            .expect("a sandbox");
        let clock = ManualClock::new(start);
        clock.on_sleep(sandbox.advance_fn());
        let connect = ConnectOptions {
            region: Some(sandbox.aws_region().to_owned()),
            endpoint_url: Some(sandbox.aws_endpoint_url().parse().expect("a URL")),
            credentials: Some(
                Credentials {
                    access_key_id: sandbox.aws_access_key_id().to_owned(),
                    secret_access_key: Secret::new(sandbox.aws_secret_access_key()),
                    session_token: None,
                }
                .into(),
            ),
            clock: Arc::new(clock.clone()),
            ..ConnectOptions::default()
        };
        let aws = Aws::connect(connect).await.expect("a connection");
        Self {
            sandbox,
            aws,
            clock,
        }
    }

    async fn center(&self) -> IdentityCenter {
        let instances = self.aws.instances().try_collect().await.expect("instances");
        assert_eq!(instances.len(), 1);
        self.aws.identity_center(&instances[0])
    }

    /// Polls until a write is done, like a caller of this crate does.
    async fn wait_until_done(
        &self,
        center: &IdentityCenter,
        operation: &Operation,
    ) -> OperationStatus {
        for _ in 0..10 {
            let status = center
                .assignments()
                .status(operation)
                .await
                .expect("a status");
            if status != OperationStatus::InProgress {
                return status;
            }
            self.clock.sleep(Duration::from_secs(5)).await;
        }
        panic!("the operation is never done: {operation:?}");
    }

    /// Assigns the group "people" to the app, which provisions its members, and pushes "admins".
    ///
    /// AWS advises against one group for both, because its members may be pushed before they exist.
    async fn provision(&self) {
        let apps = "apps?filter=name%20eq%20%22amazon_aws_sso%22";
        let apps = self.okta("GET", apps, None).await;
        let app = apps[0]["id"].as_str().expect("an application");
        let people = self.sandbox.group_id("people").expect("a group");
        let path = format!("apps/{app}/groups/{people}");
        self.okta("PUT", &path, Some(json!({}))).await;
        let admins = self.sandbox.group_id("admins").expect("a group");
        let mapping = json!({"sourceGroupId": admins, "targetGroupName": "admins"});
        let path = format!("apps/{app}/group-push/mappings");
        self.okta("POST", &path, Some(mapping)).await;
    }

    async fn okta(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let request = http::Request::builder()
            .method(method)
            .uri(format!(
                "{}/api/v1/{path}",
                self.sandbox.okta_url().trim_end_matches('/')
            ))
            .header(
                "authorization",
                format!("SSWS {}", self.sandbox.okta_token()),
            )
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .body(body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string())))
            .expect("a request");
        let response = HttpTransport::default()
            .send(request)
            .await
            .expect("a response");
        let body = String::from_utf8_lossy(response.body()).into_owned();
        assert!(
            response.status().is_success(),
            "{method} {path}: {} {body}",
            response.status()
        );
        serde_json::from_str(&body).unwrap_or_default()
    }
}

fn admin() -> NewPermissionSet {
    NewPermissionSet {
        name: "Admin".to_owned(),
        description: Some("Everything".to_owned()),
        session_duration: Some("PT8H".to_owned()),
        ..NewPermissionSet::default()
    }
}

#[tokio::test]
async fn the_organization_and_its_accounts_are_read_with_one_item_per_page() {
    let fixture = Fixture::at(Stage::Initial).await;
    let caller = fixture.aws.caller().await.expect("a caller");
    assert_eq!(caller.account.as_str(), "111122223333");
    let organizations = fixture.aws.organizations();
    let organization = organizations.describe().await.expect("an organization");
    assert_eq!(organization.management_account, caller.account);
    assert!(organization.all_features);
    let accounts = organizations
        .accounts()
        .try_collect()
        .await
        .expect("accounts");
    let mut states: Vec<_> = accounts
        .iter()
        .map(|account| (account.id.as_str(), &account.state))
        .collect();
    states.sort_unstable();
    assert_eq!(
        states,
        [
            ("111122223333", &AccountState::Active),
            ("222233334444", &AccountState::Active),
            ("333344445555", &AccountState::Suspended)
        ]
    );
    let missing = "999999999999".parse().expect("an id");
    assert_eq!(
        organizations
            .account_opt(&missing)
            .await
            .expect("a response"),
        None
    );
    organizations
        .enable_trusted_access("sso.amazonaws.com")
        .await
        .expect("a response");
    let services = organizations
        .trusted_services()
        .try_collect()
        .await
        .expect("services");
    assert!(
        services.contains(&"sso.amazonaws.com".to_owned()),
        "{services:?}"
    );
    assert_eq!(
        fixture
            .aws
            .instances()
            .try_collect()
            .await
            .expect("instances"),
        []
    );
}

#[tokio::test]
async fn a_permission_set_is_created_changed_and_deleted() {
    let fixture = Fixture::at(Stage::IdentityCenter).await;
    let center = fixture.center().await;
    let sets = center.permission_sets();
    let set = sets.create(&admin()).await.expect("a set");
    assert_eq!(
        sets.find("Admin").await.expect("a response").as_ref(),
        Some(&set)
    );
    assert_eq!(
        sets.list().try_collect().await.expect("sets"),
        from_ref(&set)
    );

    let relay = UpdatePermissionSet {
        relay_state: Some("https://console.aws.amazon.com/ec2".to_owned()),
        ..UpdatePermissionSet::default()
    };
    sets.update(&set.arn, &relay).await.expect("a set");
    let shorter = UpdatePermissionSet {
        session_duration: Some("PT1H".to_owned()),
        ..UpdatePermissionSet::default()
    };
    let updated = sets.update(&set.arn, &shorter).await.expect("a set");
    assert_eq!(sets.get(&set.arn).await.expect("a set"), updated);
    assert_eq!(updated.relay_state, relay.relay_state);
    assert_eq!(updated.description.as_deref(), Some("Everything"));

    let policy = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    for _ in 0..2 {
        sets.attach_managed_policy(&set.arn, policy)
            .await
            .expect("no error");
    }
    assert_eq!(
        sets.managed_policies(&set.arn)
            .try_collect()
            .await
            .expect("policies"),
        [policy]
    );
    for _ in 0..2 {
        sets.detach_managed_policy(&set.arn, policy)
            .await
            .expect("no error");
    }
    assert_eq!(
        sets.managed_policies(&set.arn)
            .try_collect()
            .await
            .expect("policies"),
        [""; 0]
    );

    let inline = r#"{"Version":"2012-10-17","Statement":[]}"#;
    sets.put_inline_policy(&set.arn, inline)
        .await
        .expect("no error");
    assert_eq!(
        sets.inline_policy(&set.arn)
            .await
            .expect("a response")
            .as_deref(),
        Some(inline)
    );
    for _ in 0..2 {
        sets.delete_inline_policy(&set.arn).await.expect("no error");
    }
    assert_eq!(
        sets.inline_policy(&set.arn).await.expect("a response"),
        None
    );

    for _ in 0..2 {
        sets.delete(&set.arn).await.expect("no error");
    }
    assert_eq!(sets.get_opt(&set.arn).await.expect("a response"), None);
}

#[tokio::test]
async fn a_creation_with_a_lost_response_creates_one_permission_set() {
    let fixture = Fixture::at(Stage::IdentityCenter).await;
    let center = fixture.center().await;
    fixture
        .sandbox
        .inject(Fault::close_after_processing(Service::Aws).on("CreatePermissionSet"));
    let set = center
        .permission_sets()
        .create(&admin())
        .await
        .expect("a set");
    assert_eq!(set.session_duration.as_deref(), Some("PT8H"));
    assert_eq!(fixture.sandbox.permission_sets().len(), 1);
}

#[tokio::test]
async fn an_error_page_of_a_proxy_is_retried() {
    let fixture = Fixture::at(Stage::IdentityCenter).await;
    fixture
        .sandbox
        .inject(Fault::fail(Service::Aws, 503, "<html>down</html>").on("ListInstances"));
    fixture.center().await;
    assert_eq!(fixture.clock.slept().len(), 1);
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "one story, in the order of an operator"
)]
async fn users_and_groups_are_found_and_assignments_are_created_and_deleted() {
    let fixture = Fixture::at(Stage::Provisioned).await;
    fixture.provision().await;
    let center = fixture.center().await;
    let store = center.identity_store();
    let user = store
        .user_by_name(ADA)
        .await
        .expect("a response")
        .expect("a user");
    assert_eq!(user.user_name, ADA);
    assert_eq!(user.active, Some(true));
    assert_eq!(user.external_ids.len(), 1);
    let group = store
        .group_by_name("admins")
        .await
        .expect("a response")
        .expect("a group");
    assert_eq!(
        store.users().try_collect().await.expect("users"),
        from_ref(&user)
    );
    assert_eq!(
        store.groups().try_collect().await.expect("groups"),
        from_ref(&group)
    );
    assert_eq!(
        store
            .members(&group.id)
            .try_collect()
            .await
            .expect("members"),
        from_ref(&user.id)
    );
    assert!(
        store
            .is_member(&user.id, &group.id)
            .await
            .expect("a response")
    );
    assert_eq!(
        store.group_by_name("unknown").await.expect("a response"),
        None
    );

    let set = center
        .permission_sets()
        .create(&admin())
        .await
        .expect("a set");
    let assignment = Assignment {
        account: "222233334444".parse().expect("an id"),
        permission_set: set.arn.clone(),
        principal: Principal::Group(group.id),
    };
    let assignments = center.assignments();
    let started = assignments
        .start_create(&assignment)
        .await
        .expect("an operation");
    assert_eq!(
        assignments
            .in_progress(OperationKind::Create)
            .try_collect()
            .await
            .expect("operations"),
        from_ref(&started)
    );
    assert_eq!(
        fixture.wait_until_done(&center, &started).await,
        OperationStatus::Succeeded
    );
    assert_eq!(
        assignments
            .in_progress(OperationKind::Create)
            .try_collect()
            .await
            .expect("operations"),
        []
    );
    let of_group = assignments
        .for_principal(&assignment.principal)
        .try_collect()
        .await
        .expect("assignments");
    assert_eq!(of_group, from_ref(&assignment));
    let principals = assignments
        .list(&assignment.account, &set.arn)
        .try_collect()
        .await
        .expect("principals");
    assert_eq!(principals, from_ref(&assignment.principal));

    let sets = center.permission_sets();
    assert_eq!(
        sets.accounts(&set.arn)
            .try_collect()
            .await
            .expect("accounts"),
        from_ref(&assignment.account)
    );
    sets.put_inline_policy(&set.arn, r#"{"Version":"2012-10-17","Statement":[]}"#)
        .await
        .expect("no error");
    let outdated = sets
        .outdated_accounts(&set.arn)
        .try_collect()
        .await
        .expect("accounts");
    assert_eq!(outdated, from_ref(&assignment.account));
    let id = sets.start_provisioning(&set.arn).await.expect("an id");
    let status = sets.provisioning_status(&id).await.expect("a status");
    assert_eq!(status, OperationStatus::InProgress);
    fixture.clock.sleep(OPERATION_DELAY).await;
    let status = sets.provisioning_status(&id).await.expect("a status");
    assert_eq!(status, OperationStatus::Succeeded);
    assert_eq!(
        sets.outdated_accounts(&set.arn)
            .try_collect()
            .await
            .expect("accounts"),
        []
    );

    let error = sets.delete(&set.arn).await.expect_err("it is assigned");
    assert!(error.is_conflict(), "{error:?}");
    let started = assignments
        .start_delete(&assignment)
        .await
        .expect("an operation");
    assert_eq!(
        fixture.wait_until_done(&center, &started).await,
        OperationStatus::Succeeded
    );
    sets.delete(&set.arn).await.expect("no error");
}

#[tokio::test]
async fn a_user_signs_in_and_gets_keys_that_aws_accepts() {
    let fixture = Fixture::at(Stage::Provisioned).await;
    fixture.provision().await;
    let center = fixture.center().await;
    let set = center
        .permission_sets()
        .create(&admin())
        .await
        .expect("a set");
    let group = center
        .identity_store()
        .group_by_name("admins")
        .await
        .expect("a response");
    let assignment = Assignment {
        account: "222233334444".parse().expect("an id"),
        permission_set: set.arn,
        principal: Principal::Group(group.expect("a group").id),
    };
    let started = center
        .assignments()
        .start_create(&assignment)
        .await
        .expect("an operation");
    assert_eq!(
        fixture.wait_until_done(&center, &started).await,
        OperationStatus::Succeeded
    );

    let portal = fixture
        .sandbox
        .console()
        .access_portal()
        .expect("an address");
    let portal = portal.parse().expect("a URL");
    let sign_in = fixture.aws.sign_in(&portal, center.region());
    let authorization = sign_in.start().await.expect("a start");
    let polled = sign_in.poll(&authorization).await.expect("a response");
    assert!(matches!(polled, PollResult::Pending), "{polled:?}");
    fixture
        .sandbox
        .console()
        .sign_in(&authorization.user_code, ADA)
        .expect("a sign-in");
    fixture.clock.sleep(authorization.interval).await;
    let session = match sign_in.poll(&authorization).await.expect("a response") {
        PollResult::Done(session) => session,
        other => panic!("not signed in: {other:?}"),
    };
    let accounts = session.accounts().try_collect().await.expect("accounts");
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0].id, assignment.account);
    assert_eq!(
        session
            .roles(&assignment.account)
            .try_collect()
            .await
            .expect("roles"),
        ["Admin"]
    );
    let credentials = session
        .credentials(&assignment.account, "Admin")
        .await
        .expect("credentials");
    let caller = fixture
        .aws
        .verify_credentials(credentials)
        .await
        .expect("a caller");
    assert_eq!(caller.account, assignment.account);
    assert!(
        caller.arn.contains("AWSReservedSSO_Admin_"),
        "{}",
        caller.arn
    );
    let error = session
        .credentials(&assignment.account, "Reader")
        .await
        .expect_err("no role");
    assert!(error.is_permission_denied(), "{error:?}");
    session.logout().await.expect("a logout");
}

#[tokio::test]
async fn a_sign_in_that_takes_too_long_expires() {
    let fixture = Fixture::at(Stage::Provisioned).await;
    let center = fixture.center().await;
    let portal = fixture
        .sandbox
        .console()
        .access_portal()
        .expect("an address");
    let sign_in = fixture
        .aws
        .sign_in(&portal.parse().expect("a URL"), center.region());
    let authorization = sign_in.start().await.expect("a start");
    fixture
        .clock
        .sleep(authorization.expires_in + Duration::from_secs(1))
        .await;
    let polled = sign_in.poll(&authorization).await.expect("a response");
    assert!(matches!(polled, PollResult::Expired), "{polled:?}");
}

#[tokio::test]
async fn a_wrong_secret_key_is_unauthenticated_and_not_access_denied() {
    let fixture = Fixture::at(Stage::Initial).await;
    let credentials = Credentials {
        access_key_id: fixture.sandbox.aws_access_key_id().to_owned(),
        secret_access_key: Secret::new("mistyped"),
        session_token: None,
    };
    let error = fixture
        .aws
        .verify_credentials(credentials)
        .await
        .expect_err("a refusal");
    assert!(
        error.is_unauthenticated() && !error.is_permission_denied(),
        "{error:?}"
    );
    assert!(
        error
            .help()
            .expect("help")
            .starts_with("the secret access key does not belong")
    );
}
