//! Tests of the provisioning settings, over the API and in the form of the console.

use okta_aws_sandbox::{ProvisioningForm, Stage};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{builder, get, identity_center, okta, post, refusal, sandbox, send, write};

fn token_connection() -> Value {
    json!({
        "baseUrl": "http://127.0.0.1:1/tenant/scim/v2",
        "profile": { "authScheme": "TOKEN", "token": "secret" },
    })
}

#[tokio::test]
async fn an_unsupported_connection_reports_success_and_changes_nothing() {
    let sandbox = sandbox().await;
    let path = format!(
        "/api/v1/apps/{}/connections/default",
        identity_center(&sandbox).await
    );
    let unknown = json!({ "status": "UNKNOWN", "profile": { "authScheme": "UNKNOWN" } });
    assert_eq!(get(&sandbox, &path).await, unknown);
    assert_eq!(
        post(
            &sandbox,
            &format!("{path}?activate=true"),
            &token_connection()
        )
        .await,
        unknown
    );
    let activate = okta(
        &sandbox,
        Method::POST,
        &format!("{path}/lifecycle/activate"),
    );
    assert_eq!(
        send(activate.header("content-length", "0")).await.status(),
        204
    );
    assert_eq!(get(&sandbox, &path).await, unknown);
}

#[tokio::test]
async fn a_supported_connection_never_returns_its_token() {
    let sandbox = builder()
        .connections_supported(true)
        .start()
        .await
        .expect("a sandbox");
    let app = identity_center(&sandbox).await;
    let path = format!("/api/v1/apps/{app}/connections/default");
    let set = post(&sandbox, &path, &token_connection()).await;
    assert_eq!(set["status"], "DISABLED");
    assert_eq!(set["profile"], json!({ "authScheme": "TOKEN" }));
    assert!(!set.to_string().contains("secret"));
    let activate = okta(
        &sandbox,
        Method::POST,
        &format!("{path}/lifecycle/activate"),
    );
    assert_eq!(
        send(activate.header("content-length", "0")).await.status(),
        204
    );
    assert_eq!(get(&sandbox, &path).await["status"], "ENABLED");

    let mut slash = token_connection();
    slash["baseUrl"] = "http://127.0.0.1:1/tenant/scim/v2/".into();
    let (status, code, _, cause) = refusal(okta(&sandbox, Method::POST, &path).json(&slash)).await;
    assert_eq!((status, code.as_str()), (400, "E0000001"));
    assert_eq!(cause, "Base URL: Does not match required pattern");

    let features = json!({ "create": { "lifecycleCreate": { "status": "ENABLED" } } });
    let feature = format!("/api/v1/apps/{app}/features/USER_PROVISIONING");
    let written = write(&sandbox, Method::PUT, &feature, &features).await;
    assert_eq!(
        written["capabilities"]["create"]["lifecycleCreate"]["status"],
        "ENABLED"
    );
    let features = get(&sandbox, &format!("/api/v1/apps/{app}")).await["features"].to_string();
    assert!(
        features.contains("PUSH_NEW_USERS") && !features.contains("PUSH_PROFILE_UPDATES"),
        "{features}"
    );
}

#[tokio::test]
async fn features_are_refused_until_provisioning_is_enabled() {
    let sandbox = builder()
        .stage(Stage::Federated)
        .start()
        .await
        .expect("a sandbox");
    let app = get(
        &sandbox,
        "/api/v1/apps?filter=name%20eq%20%22amazon_aws_sso%22",
    )
    .await;
    let path = format!("/api/v1/apps/{}", app[0]["id"].as_str().expect("an id"));
    for below in ["features", "features/USER_PROVISIONING"] {
        let (status, code, summary, cause) =
            refusal(okta(&sandbox, Method::GET, &format!("{path}/{below}"))).await;
        assert_eq!((status, code.as_str()), (400, "E0000001"));
        assert_eq!(summary, "Api validation failed: feature");
        assert_eq!(cause, "Provisioning is not enabled for the app instance.");
    }
    let provisioning = sandbox
        .console()
        .enable_automatic_provisioning()
        .expect("a token");
    let base_url = provisioning.scim_endpoint.trim_end_matches('/');
    let form = ProvisioningForm {
        deactivate: false,
        ..ProvisioningForm::new(base_url, &provisioning.access_token)
    };
    let features = sandbox
        .console()
        .configure_provisioning(&form)
        .expect("features");
    assert_eq!(get(&sandbox, &path).await["features"], json!(features));
    assert!(features.contains(&"PUSH_PROFILE_UPDATES".to_owned()));
    assert!(!features.contains(&"PUSH_USER_DEACTIVATION".to_owned()));
    let feature = get(&sandbox, &format!("{path}/features/USER_PROVISIONING")).await;
    assert_eq!(
        feature["capabilities"]["update"]["lifecycleDeactivate"]["status"],
        "DISABLED"
    );
}

#[tokio::test]
async fn the_provisioning_form_rejects_a_trailing_slash_and_tests_the_token() {
    let sandbox = builder()
        .stage(Stage::Federated)
        .start()
        .await
        .expect("a sandbox");
    let provisioning = sandbox
        .console()
        .enable_automatic_provisioning()
        .expect("a token");
    let base_url = provisioning.scim_endpoint.trim_end_matches('/');
    let error_of = |url: &str, token: &str| {
        let result = sandbox
            .console()
            .configure_provisioning(&ProvisioningForm::new(url, token));
        result.expect_err("a refusal").to_string()
    };
    assert_eq!(
        error_of(&provisioning.scim_endpoint, &provisioning.access_token),
        "Base URL: Does not match required pattern"
    );
    assert_eq!(
        error_of(base_url, "wrong"),
        "Error authenticating: Unauthorized"
    );
    assert_eq!(
        error_of("http://127.0.0.1:1/scim/v2", &provisioning.access_token),
        "Error authenticating: Connection refused"
    );
}
