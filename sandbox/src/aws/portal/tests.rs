//! Signing in with a device, and what a signed-in user may do.

use serde_json::{Value, json};

use crate::aws::harness::Harness;
use crate::aws::seed::AccessKey;

const WEB: &str = "200000000002";

/// Ada, in a group that may administer an account.
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

/// Registers a client and starts the authorization of a device.
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
    let mut ask = start;
    ask["grantType"] = "urn:ietf:params:oauth:grant-type:device_code".into();
    ask["deviceCode"] = device["deviceCode"].clone();
    (device, ask)
}

#[track_caller]
fn refused(answer: &(u16, String, Value), status: u16, code: &str, error: &str) {
    assert_eq!(
        (answer.0, answer.1.as_str(), &answer.2["error"]),
        (status, code, &json!(error))
    );
}

#[test]
fn a_device_waits_until_its_user_has_signed_in() {
    let mut harness = fixture();
    let (device, ask) = device(&mut harness);
    assert_eq!(device["expiresIn"], 600);
    assert_eq!(device["interval"], 1);
    let code = device["userCode"].as_str().expect("a code").to_owned();
    assert_eq!(code.len(), 9);
    let page = device["verificationUriComplete"].as_str().expect("a page");
    assert!(
        page.ends_with(&format!("awsapps.com/start/#/device?user_code={code}")),
        "{page}"
    );
    let pending = harness.rest("POST", "/token", None, &ask);
    refused(
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
    let (status, _, token) = harness.rest("POST", "/token", None, &ask);
    assert_eq!(status, 200);
    assert_eq!(token["tokenType"], "Bearer");
    assert_eq!(token["expiresIn"], 28_800);
    let again = harness.rest("POST", "/token", None, &ask);
    refused(&again, 400, "InvalidGrantException", "invalid_grant");
}

#[test]
fn a_device_that_asks_too_often_is_told_to_slow_down() {
    let mut harness = fixture();
    let (_, ask) = device(&mut harness);
    let first = harness.rest("POST", "/token", None, &ask);
    refused(
        &first,
        400,
        "AuthorizationPendingException",
        "authorization_pending",
    );
    let second = harness.rest("POST", "/token", None, &ask);
    refused(&second, 400, "SlowDownException", "slow_down");
    harness.advance(1);
    let third = harness.rest("POST", "/token", None, &ask);
    refused(
        &third,
        400,
        "AuthorizationPendingException",
        "authorization_pending",
    );
}

#[test]
fn a_device_waits_ten_minutes() {
    let mut harness = fixture();
    let (device, ask) = device(&mut harness);
    harness.advance(600);
    let late = harness.rest("POST", "/token", None, &ask);
    refused(&late, 400, "ExpiredTokenException", "expired_token");
    let code = device["userCode"].as_str().expect("a code");
    let assertion = harness.assertion("ada@example.com");
    let error = harness
        .cloud
        .approve_device(code, &assertion, harness.now)
        .expect_err("a refusal");
    assert_eq!(
        error,
        "Invalid code: no device waits for this code, or it has expired"
    );
}

#[test]
fn the_start_url_is_that_of_the_access_portal() {
    let mut harness = fixture();
    let (_, ask) = device(&mut harness);
    let (store, instance) = (harness.store(), harness.instance());
    let instance = instance.rsplit('/').next().expect("an id");
    for good in [
        format!("https://{store}.awsapps.com/start"),
        format!("https://{store}.awsapps.com/start/#/"),
        format!("https://{instance}.eu-central-1.portal.amazonaws.com"),
        format!("https://{instance}.portal.eu-central-1.app.aws/"),
    ] {
        let mut start = ask.clone();
        start["startUrl"] = good.as_str().into();
        assert_eq!(
            harness
                .rest("POST", "/device_authorization", None, &start)
                .0,
            200,
            "{good}"
        );
    }
    let mut start = ask;
    start["startUrl"] = "https://d-0000000000.awsapps.com/start".into();
    let answer = harness.rest("POST", "/device_authorization", None, &start);
    refused(&answer, 400, "InvalidRequestException", "invalid_request");
    assert_eq!(answer.2["error_description"], "Invalid start url provided");
}

#[test]
fn clients_are_public_and_registered() {
    let mut harness = fixture();
    let confidential = json!({ "clientName": "t", "clientType": "confidential" });
    let answer = harness.rest("POST", "/client/register", None, &confidential);
    refused(
        &answer,
        400,
        "InvalidClientMetadataException",
        "invalid_client_metadata",
    );
    let answer = harness.rest(
        "POST",
        "/client/register",
        None,
        &json!({ "clientType": "public" }),
    );
    refused(&answer, 400, "InvalidRequestException", "invalid_request");
    let (_, mut ask) = device(&mut harness);
    ask["clientSecret"] = "another".into();
    let answer = harness.rest("POST", "/token", None, &ask);
    refused(&answer, 401, "InvalidClientException", "invalid_client");
}

#[test]
fn there_is_one_grant_type() {
    let mut harness = fixture();
    let (_, mut ask) = device(&mut harness);
    ask["grantType"] = "refresh_token".into();
    let answer = harness.rest("POST", "/token", None, &ask);
    refused(
        &answer,
        400,
        "UnsupportedGrantTypeException",
        "unsupported_grant_type",
    );
}

#[test]
fn a_sign_in_is_checked_like_a_saml_response() {
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
            "no user is named eve@example.com: users are not created by signing in".to_owned(),
        ),
        (
            crate::aws::Assertion {
                name_id: "Ada@example.com".to_owned(),
                ..good.clone()
            },
            "no user is named Ada@example.com: users are not created by signing in".to_owned(),
        ),
    ];
    for (assertion, reason) in table {
        let error = harness
            .cloud
            .approve_device(&code, &assertion, harness.now)
            .expect_err("a refusal");
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
        .expect_err("a refusal");
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
fn a_user_has_what_the_groups_have() {
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
fn a_role_that_is_not_assigned_is_forbidden() {
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
fn credentials_of_a_role_prove_who_uses_it_until_they_expire() {
    let mut harness = fixture();
    let token = harness.sign_in("ada@example.com");
    let path = format!("/federation/credentials?account_id={WEB}&role_name=Admin");
    let (_, _, answer) = harness.rest("GET", &path, Some(&token), &Value::Null);
    let credentials = &answer["roleCredentials"];
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
fn a_session_ends_by_logging_out_or_after_eight_hours() {
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
fn without_a_token_nobody_is_signed_in() {
    let mut harness = fixture();
    let answer = harness.rest("GET", "/assignment/accounts", None, &Value::Null);
    assert_eq!(
        (answer.0, answer.1.as_str()),
        (401, "UnauthorizedException")
    );
}

#[test]
fn pages_of_the_portal_have_bounds_and_tokens() {
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
