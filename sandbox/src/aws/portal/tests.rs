//! Tests of the device sign-in, and of the access of a signed-in user.

use serde_json::{Value, json};

use crate::aws::harness::Harness;
use crate::aws::seed::AccessKey;

const WEB: &str = "200000000002";

/// Returns an organization in which Ada is in a group with `AdministratorAccess` to one account.
fn fixture() -> Harness {
    let mut harness = Harness::provisioned();
    let ada = harness.user("ada@example.com");
    let admins = harness.group("admins", &[&ada]);
    let set = harness.permission_set("Admin");
    let policy = json!({ "PermissionSetArn": set, "ManagedPolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess" });
    harness
        .sso("AttachManagedPolicyToPermissionSet", policy)
        .expect("a policy");
    assert_eq!(
        harness.assign(WEB, &set, "GROUP", &admins)["Status"],
        "SUCCEEDED"
    );
    harness
}

/// Registers a client and starts a device authorization; returns the device and the body of its token
/// request.
fn device(harness: &mut Harness) -> (Value, Value) {
    let (_, _, client) = harness.rest(
        "POST",
        "/client/register",
        None,
        &json!({ "clientName": "t", "clientType": "public" }),
    );
    let start = json!({
        "clientId": client["clientId"],
        "clientSecret": client["clientSecret"],
        "startUrl": harness.cloud.portal_url().expect("a portal"),
    });
    let (_, _, device) = harness.rest("POST", "/device_authorization", None, &start);
    let mut token_request = start;
    token_request["grantType"] = "urn:ietf:params:oauth:grant-type:device_code".into();
    token_request["deviceCode"] = device["deviceCode"].clone();
    (device, token_request)
}

#[track_caller]
fn assert_error(response: &(u16, String, Value), status: u16, code: &str, error: &str) {
    assert_eq!(
        (response.0, response.1.as_str(), &response.2["error"]),
        (status, code, &json!(error))
    );
}

#[test]
fn a_device_gets_a_token_after_its_user_has_signed_in() {
    let mut harness = fixture();
    let (device, token_request) = device(&mut harness);
    assert_eq!(device["expiresIn"], 600);
    assert_eq!(device["interval"], 1);
    let code = device["userCode"].as_str().expect("a code").to_owned();
    assert_eq!(code.len(), 9);
    let page = device["verificationUriComplete"].as_str().expect("a page");
    assert!(
        page.ends_with(&format!("awsapps.com/start/#/device?user_code={code}")),
        "{page}"
    );
    let pending = harness.rest("POST", "/token", None, &token_request);
    assert_error(
        &pending,
        400,
        "AuthorizationPendingException",
        "authorization_pending",
    );
    let assertion = harness.assertion("ada@example.com");
    harness
        .cloud
        .approve_device(&code, &assertion, harness.now)
        .expect("an approval");
    let (status, _, token) = harness.rest("POST", "/token", None, &token_request);
    assert_eq!(status, 200);
    assert_eq!(token["tokenType"], "Bearer");
    assert_eq!(token["expiresIn"], 28_800);
    let again = harness.rest("POST", "/token", None, &token_request);
    assert_error(&again, 400, "InvalidGrantException", "invalid_grant");
}

#[test]
fn polling_too_often_returns_slow_down() {
    let mut harness = fixture();
    let (_, token_request) = device(&mut harness);
    let first = harness.rest("POST", "/token", None, &token_request);
    assert_error(
        &first,
        400,
        "AuthorizationPendingException",
        "authorization_pending",
    );
    let second = harness.rest("POST", "/token", None, &token_request);
    assert_error(&second, 400, "SlowDownException", "slow_down");
    harness.advance(1);
    let third = harness.rest("POST", "/token", None, &token_request);
    assert_error(
        &third,
        400,
        "AuthorizationPendingException",
        "authorization_pending",
    );
}

#[test]
fn a_device_code_expires_after_ten_minutes() {
    let mut harness = fixture();
    let (device, token_request) = device(&mut harness);
    harness.advance(600);
    let late = harness.rest("POST", "/token", None, &token_request);
    assert_error(&late, 400, "ExpiredTokenException", "expired_token");
    let code = device["userCode"].as_str().expect("a code");
    let assertion = harness.assertion("ada@example.com");
    let error = harness
        .cloud
        .approve_device(code, &assertion, harness.now)
        .expect_err("the request must fail");
    assert_eq!(
        error,
        "Invalid code: no device waits for this code, or it has expired"
    );
}

#[test]
fn the_start_url_must_be_a_url_of_the_access_portal() {
    let mut harness = fixture();
    let (_, token_request) = device(&mut harness);
    let (store, instance) = (harness.store(), harness.instance());
    let instance = instance.rsplit('/').next().expect("an id");
    for good in [
        format!("https://{store}.awsapps.com/start"),
        format!("https://{store}.awsapps.com/start/#/"),
        format!("https://{instance}.eu-central-1.portal.amazonaws.com"),
        format!("https://{instance}.portal.eu-central-1.app.aws/"),
    ] {
        let mut start = token_request.clone();
        start["startUrl"] = good.as_str().into();
        assert_eq!(
            harness
                .rest("POST", "/device_authorization", None, &start)
                .0,
            200,
            "{good}"
        );
    }
    let mut start = token_request;
    start["startUrl"] = "https://d-0000000000.awsapps.com/start".into();
    let response = harness.rest("POST", "/device_authorization", None, &start);
    assert_error(&response, 400, "InvalidRequestException", "invalid_request");
    assert_eq!(
        response.2["error_description"],
        "Invalid start url provided"
    );
}

#[test]
fn only_registered_public_clients_are_accepted() {
    let mut harness = fixture();
    let confidential = json!({ "clientName": "t", "clientType": "confidential" });
    let response = harness.rest("POST", "/client/register", None, &confidential);
    assert_error(
        &response,
        400,
        "InvalidClientMetadataException",
        "invalid_client_metadata",
    );
    let response = harness.rest(
        "POST",
        "/client/register",
        None,
        &json!({ "clientType": "public" }),
    );
    assert_error(&response, 400, "InvalidRequestException", "invalid_request");
    let (_, mut token_request) = device(&mut harness);
    token_request["clientSecret"] = "another".into();
    let response = harness.rest("POST", "/token", None, &token_request);
    assert_error(&response, 401, "InvalidClientException", "invalid_client");
}

#[test]
fn only_the_device_code_grant_is_supported() {
    let mut harness = fixture();
    let (_, mut token_request) = device(&mut harness);
    token_request["grantType"] = "refresh_token".into();
    let response = harness.rest("POST", "/token", None, &token_request);
    assert_error(
        &response,
        400,
        "UnsupportedGrantTypeException",
        "unsupported_grant_type",
    );
}

#[test]
fn sign_in_rejects_an_assertion_with_wrong_values() {
    let mut harness = fixture();
    let (device, _) = device(&mut harness);
    let code = device["userCode"].as_str().expect("a code").to_owned();
    let good = harness.assertion("ada@example.com");
    let store = harness.store();
    let issuer = format!("https://eu-central-1.signin.aws.amazon.com/platform/saml/{store}");
    let table = [
        (
            crate::aws::Assertion { issuer: "http://www.okta.com/exk2".to_owned(), ..good.clone() },
            "the assertion was issued by http://www.okta.com/exk2, the identity source is http://www.okta.com/exk1".to_owned(),
        ),
        (
            crate::aws::Assertion { certificate_der: vec![1], ..good.clone() },
            "the assertion is signed with a certificate that is not in the identity source".to_owned(),
        ),
        (
            crate::aws::Assertion { audience: "https://example.com".to_owned(), ..good.clone() },
            format!("the audience of the assertion is https://example.com, the issuer URL is {issuer}"),
        ),
        (
            crate::aws::Assertion { recipient: "https://signin.aws.amazon.com/saml".to_owned(), ..good.clone() },
            format!("the response was sent to https://signin.aws.amazon.com/saml, the ACS URL is {}", good.recipient),
        ),
        (
            crate::aws::Assertion { name_id: "eve@example.com".to_owned(), ..good.clone() },
            "the user eve@example.com does not exist: sign-in does not create users".to_owned(),
        ),
        (
            crate::aws::Assertion {
                name_id: "Ada@example.com".to_owned(),
                ..good.clone()
            },
            "the user Ada@example.com does not exist: sign-in does not create users".to_owned(),
        ),
    ];
    for (assertion, reason) in table {
        let error = harness
            .cloud
            .approve_device(&code, &assertion, harness.now)
            .expect_err("the request must fail");
        let page = "It's not you, it's us: We couldn't complete your request right now. Please try again later.";
        assert_eq!(error, format!("{page} ({reason})"));
    }
    harness
        .cloud
        .approve_device(&code, &good, harness.now)
        .expect("an approval");
}

#[test]
fn a_disabled_user_cannot_sign_in() {
    let mut harness = fixture();
    let id = harness.cloud.users()[0].id.clone();
    let disable = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "path": "active", "value": false }],
    });
    let token = harness.sign_in("ada@example.com");
    assert_eq!(
        harness.scim("PATCH", &format!("/Users/{id}"), &disable).0,
        200
    );
    let (device, _) = device(&mut harness);
    let code = device["userCode"].as_str().expect("a code").to_owned();
    let assertion = harness.assertion("ada@example.com");
    let error = harness
        .cloud
        .approve_device(&code, &assertion, harness.now)
        .expect_err("the request must fail");
    assert!(
        error.ends_with("(the user ada@example.com is disabled)"),
        "{error}"
    );
    let (status, code, body) =
        harness.rest("GET", "/assignment/accounts", Some(&token), &Value::Null);
    assert_eq!((status, code.as_str()), (401, "UnauthorizedException"));
    assert_eq!(body["message"], "Session token not found or invalid");
}

#[test]
fn a_user_has_the_assignments_of_the_users_groups() {
    let mut harness = fixture();
    let token = harness.sign_in("ada@example.com");
    let (_, _, accounts) = harness.rest("GET", "/assignment/accounts", Some(&token), &Value::Null);
    assert_eq!(
        accounts,
        json!({
            "accountList": [{
                "accountId": WEB, "accountName": "Web Production", "emailAddress": "aws+web-production@example.com",
            }],
            "nextToken": null,
        })
    );
    let path = format!("/assignment/roles?account_id={WEB}");
    let (_, _, roles) = harness.rest("GET", &path, Some(&token), &Value::Null);
    assert_eq!(
        roles["roleList"],
        json!([{ "roleName": "Admin", "accountId": WEB }])
    );
}

#[test]
fn an_unassigned_role_is_forbidden() {
    let mut harness = fixture();
    let token = harness.sign_in("ada@example.com");
    for path in [
        format!("/federation/credentials?account_id={WEB}&role_name=Reader"),
        "/federation/credentials?account_id=111122223333&role_name=Admin".to_owned(),
        "/assignment/roles?account_id=111122223333".to_owned(),
    ] {
        let (status, code, body) = harness.rest("GET", &path, Some(&token), &Value::Null);
        assert_eq!(
            (status, code.as_str(), &body["message"]),
            (403, "ForbiddenException", &json!("No access")),
            "{path}"
        );
    }
}

#[test]
fn role_credentials_identify_the_caller_until_they_expire() {
    let mut harness = fixture();
    let token = harness.sign_in("ada@example.com");
    let path = format!("/federation/credentials?account_id={WEB}&role_name=Admin");
    let (_, _, response) = harness.rest("GET", &path, Some(&token), &Value::Null);
    let credentials = &response["roleCredentials"];
    let member = |name: &str| credentials[name].as_str().expect("a text").to_owned();
    assert!(member("accessKeyId").starts_with("ASIA"));
    assert_eq!(
        credentials["expiration"],
        harness.now.as_millisecond() + 3_600_000
    );
    let key = AccessKey {
        id: member("accessKeyId"),
        secret: member("secretAccessKey"),
        account: String::new(),
        user: String::new(),
    };
    harness.key = (key, Some(member("sessionToken")));
    let (status, body) = harness.sts();
    assert_eq!(status, 200, "{body}");
    let role = "<Arn>arn:aws:sts::200000000002:assumed-role/AWSReservedSSO_Admin_";
    assert!(
        body.contains(role) && body.contains("/ada@example.com</Arn>"),
        "{body}"
    );
    assert!(
        body.contains("<UserId>AROA") && body.contains(":ada@example.com</UserId>"),
        "{body}"
    );
    harness.key.1 = None;
    assert!(
        harness
            .sts()
            .1
            .contains("<Code>InvalidClientTokenId</Code>")
    );
    harness.key.1 = Some(member("sessionToken"));
    harness.advance(3600);
    assert!(harness.sts().1.contains("<Code>ExpiredToken</Code>"));
}

#[test]
fn a_session_ends_at_logout_or_after_eight_hours() {
    let mut harness = fixture();
    let token = harness.sign_in("ada@example.com");
    assert_eq!(
        harness
            .rest("POST", "/logout", Some(&token), &Value::Null)
            .0,
        200
    );
    assert_eq!(
        harness
            .rest("GET", "/assignment/accounts", Some(&token), &Value::Null)
            .0,
        401
    );
    let token = harness.sign_in("ada@example.com");
    harness.advance(8 * 3600 - 1);
    assert_eq!(
        harness
            .rest("GET", "/assignment/accounts", Some(&token), &Value::Null)
            .0,
        200
    );
    harness.advance(1);
    assert_eq!(
        harness
            .rest("GET", "/assignment/accounts", Some(&token), &Value::Null)
            .0,
        401
    );
}

#[test]
fn a_request_without_a_token_is_unauthorized() {
    let mut harness = fixture();
    let response = harness.rest("GET", "/assignment/accounts", None, &Value::Null);
    assert_eq!(
        (response.0, response.1.as_str()),
        (401, "UnauthorizedException")
    );
}

#[test]
fn page_sizes_and_tokens_of_the_portal_are_checked() {
    let mut harness = fixture();
    let token = harness.sign_in("ada@example.com");
    for path in [
        "/assignment/accounts?max_result=0",
        "/assignment/accounts?max_result=101",
        "/assignment/accounts?next_token=x",
    ] {
        let (status, code, _) = harness.rest("GET", path, Some(&token), &Value::Null);
        assert_eq!(
            (status, code.as_str()),
            (400, "InvalidRequestException"),
            "{path}"
        );
    }
}
