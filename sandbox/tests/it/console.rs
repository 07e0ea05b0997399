//! Tests of the console over HTTP, from a new sandbox to a signed-in user.

use okta_aws_sandbox::Sandbox;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{client, get, identity_center, okta, sandbox, send, write};

async fn console(sandbox: &Sandbox, page: &str, form: &Value) -> (u16, Value) {
    let client = client();
    let request = client
        .post(format!("{}{page}", sandbox.console_url()))
        .json(form);
    let response = send(request).await;
    (
        response.status().as_u16(),
        response.json().await.expect("JSON"),
    )
}

async fn submit(sandbox: &Sandbox, page: &str, form: &Value) -> Value {
    let (status, body) = console(sandbox, page, form).await;
    assert_eq!(status, 200, "{page}: {body}");
    body
}

async fn metadata(sandbox: &Sandbox, app: &str) -> String {
    let path = format!("/api/v1/apps/{app}/sso/saml/metadata");
    let request = okta(sandbox, Method::GET, &path).header("accept", "application/xml");
    send(request).await.text().await.expect("a body")
}

/// Starts a device authorization and returns the user code.
async fn user_code(sandbox: &Sandbox) -> String {
    let client = client();
    let call = async |path: &str, body: Value| -> Value {
        let request = client
            .post(format!("{}{path}", sandbox.aws_endpoint_url()))
            .json(&body);
        send(request).await.json().await.expect("JSON")
    };
    let registered = call(
        "/client/register",
        json!({ "clientName": "test", "clientType": "public" }),
    )
    .await;
    let portal = submit(sandbox, "/aws/access-portal", &json!({})).await;
    let device = call(
        "/device_authorization",
        json!({
            "clientId": registered["clientId"],
            "clientSecret": registered["clientSecret"],
            "startUrl": portal["portal_url"],
        }),
    )
    .await;
    device["userCode"]
        .as_str()
        .unwrap_or_else(|| panic!("no code in {device}"))
        .to_owned()
}

#[tokio::test]
async fn the_manual_steps_lead_to_a_signed_in_user() {
    let sandbox = sandbox().await;
    let enabled = submit(&sandbox, "/aws/enable-identity-center", &json!({})).await;
    assert_eq!(enabled["region"], "us-east-1");
    assert!(
        enabled["instance_arn"]
            .as_str()
            .expect("an ARN")
            .starts_with("arn:aws:sso:::instance/ssoins-")
    );

    let app = identity_center(&sandbox).await;
    let form = json!({ "idp_metadata": metadata(&sandbox, &app).await });
    let provider = submit(&sandbox, "/aws/identity-source", &form).await;
    assert!(
        provider["sp_metadata"]
            .as_str()
            .expect("XML")
            .contains(provider["acs_url"].as_str().expect("a URL"))
    );
    let path = format!("/api/v1/apps/{app}");
    let mut document = get(&sandbox, &path).await;
    document["settings"]["app"] =
        json!({ "acsURL": provider["acs_url"], "entityID": provider["issuer_url"] });
    write(&sandbox, Method::PUT, &path, &document).await;

    let scim = submit(&sandbox, "/aws/automatic-provisioning", &json!({})).await;
    let endpoint = scim["scim_endpoint"].as_str().expect("a URL");
    assert!(endpoint.ends_with("/scim/v2/"), "{endpoint}");
    let form = json!({
        "base_url": endpoint.trim_end_matches('/'), "api_token": scim["access_token"],
        "create": true, "update": true, "deactivate": true,
    });
    let features = submit(&sandbox, "/okta/provisioning", &form).await;
    assert_eq!(get(&sandbox, &path).await["features"], features["features"]);

    let ada = sandbox.user_id("ada.lovelace@example.com").expect("Ada");
    let code = user_code(&sandbox).await;
    let form = json!({ "user_code": code, "login": "ada.lovelace@example.com" });
    let (status, refused) = console(&sandbox, "/sign-in", &form).await;
    assert_eq!(status, 400);
    assert_eq!(
        refused["error"],
        "ada.lovelace@example.com is not assigned to amazon_aws_sso"
    );
    write(
        &sandbox,
        Method::POST,
        &format!("{path}/users"),
        &json!({ "id": ada }),
    )
    .await;
    let signed_in = submit(&sandbox, "/sign-in", &form).await;
    assert_eq!(
        signed_in,
        json!({ "signed_in_as": "ada.lovelace@example.com" })
    );

    let client = client();
    let count = send(client.get(format!("{}/writes", sandbox.console_url()))).await;
    assert_eq!(
        count.json::<Value>().await.expect("JSON"),
        json!({ "count": 3 })
    );
    assert_eq!(sandbox.writes().len(), 3);
}

#[tokio::test]
async fn an_invalid_form_is_rejected_with_an_error_message() {
    let sandbox = sandbox().await;
    let (status, body) = console(&sandbox, "/aws/access-portal", &json!({})).await;
    assert_eq!(
        (status, body),
        (
            400,
            json!({ "error": "IAM Identity Center is not enabled" })
        )
    );
    let (status, body) = console(&sandbox, "/sign-in", &json!({ "user": "ada" })).await;
    assert_eq!(status, 400);
    assert!(
        body["error"]
            .as_str()
            .expect("a message")
            .starts_with("invalid form: unknown field `user`")
    );
    let (status, _) = console(&sandbox, "/aws/close-account", &json!({})).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_third_token_is_refused_until_the_others_are_deleted() {
    let sandbox = crate::client::builder()
        .stage(okta_aws_sandbox::Stage::Federated)
        .start()
        .await
        .expect("a sandbox");
    let page = "/aws/automatic-provisioning";
    let tokens = [
        submit(&sandbox, page, &json!({})).await,
        submit(&sandbox, page, &json!({})).await,
    ];
    assert_ne!(tokens[0]["access_token"], tokens[1]["access_token"]);
    let (status, _) = console(&sandbox, page, &json!({})).await;
    assert_eq!(status, 400);
    let deleted = submit(&sandbox, "/aws/delete-scim-tokens", &json!({})).await;
    assert_eq!(deleted, json!({ "deleted": 2 }));
    submit(&sandbox, page, &json!({})).await;
}

#[tokio::test]
async fn the_console_advances_the_clock_and_injects_faults() {
    let sandbox = sandbox().await;
    let now = submit(&sandbox, "/advance", &json!({ "seconds": 60 })).await;
    assert_eq!(now, json!({ "now": "2026-06-01T12:01:00Z" }));
    submit(
        &sandbox,
        "/faults",
        &json!({ "service": "okta", "kind": "fail", "status": 503, "body": "<p>later</p>" }),
    )
    .await;
    assert_eq!(
        send(okta(&sandbox, Method::GET, "/api/v1/users/me"))
            .await
            .status(),
        503
    );
    let client = client();
    let requests = send(client.get(format!("{}/requests", sandbox.console_url()))).await;
    let requests: Value = requests.json().await.expect("JSON");
    assert_eq!(
        requests,
        json!([{ "service": "okta", "method": "GET", "path": "/api/v1/users/me", "write": false, "status": 503 }])
    );
}
