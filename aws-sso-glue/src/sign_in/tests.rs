//! Tests of the sign-in and of sessions at an access portal.

use std::time::{Duration, SystemTime};

use url::Url;

use super::{DeviceAuthorization, PollResult, SignIn};
use crate::{
    Session,
    replay::{Replay, block_on, capture_log},
};

const CLIENT: &str = r#"{"clientId": "client-1", "clientSecret": "hunter-client"}"#;
const AUTHORIZATION: &str = r#"{"deviceCode": "hunter-device", "userCode": "ABCD-EFGH",
    "verificationUri": "https://device.sso.eu-west-1.amazonaws.com/",
    "verificationUriComplete": "https://device.sso.eu-west-1.amazonaws.com/?user_code=ABCD-EFGH",
    "expiresIn": 600, "interval": 1}"#;
const TOKEN: &str = r#"{"accessToken": "hunter-token", "tokenType": "Bearer", "expiresIn": 28800}"#;

fn refusal(replay: Replay, error: &str, code: &str) -> Replay {
    let body =
        serde_json::json!({"error": error, "error_description": "no such portal"}).to_string();
    replay.respond(400, vec![("x-amzn-errortype", code.to_owned())], &body)
}

fn sign_in(replay: &Replay) -> SignIn {
    let (aws, _) = replay.connect();
    aws.sign_in(
        &Url::parse("https://d-9067642ac7.awsapps.com/start").expect("a URL"),
        "eu-west-1",
    )
}

fn started(replay: &Replay) -> (SignIn, DeviceAuthorization) {
    let sign_in = sign_in(replay);
    let authorization = block_on(sign_in.start()).expect("a start");
    (sign_in, authorization)
}

fn session(replay: &Replay) -> Session {
    let (sign_in, authorization) = started(replay);
    match block_on(sign_in.poll(&authorization)).expect("a response") {
        PollResult::Done(session) => session,
        other => panic!("not signed in: {other:?}"),
    }
}

/// Returns a fake with the responses for the start of a sign-in.
fn start_responses() -> Replay {
    Replay::new().json(CLIENT).json(AUTHORIZATION)
}

#[test]
fn a_start_registers_a_client_and_returns_the_code_and_urls() {
    let replay = start_responses();
    let (_, authorization) = started(&replay);
    assert_eq!(authorization.user_code, "ABCD-EFGH");
    assert_eq!(
        authorization.verification_uri_complete.as_str(),
        "https://device.sso.eu-west-1.amazonaws.com/?user_code=ABCD-EFGH"
    );
    assert_eq!(authorization.expires_in, Duration::from_mins(10));
    assert_eq!(authorization.interval, Duration::from_secs(1));
    let requests = replay.requests();
    assert_eq!(
        requests[0].uri,
        "https://oidc.eu-west-1.amazonaws.com/client/register"
    );
    assert!(
        requests[0]
            .body
            .contains(r#""scopes":["sso:account:access"]"#)
    );
    assert!(
        requests[1]
            .body
            .contains("https://d-9067642ac7.awsapps.com/start")
    );
    assert!(
        requests
            .iter()
            .all(|request| request.header("authorization").is_empty())
    );
}

#[test]
fn the_default_interval_is_five_seconds() {
    let replay = Replay::new()
        .json(CLIENT)
        .json(&AUTHORIZATION.replace(r#", "interval": 1"#, ""));
    assert_eq!(started(&replay).1.interval, Duration::from_secs(5));
}

#[test]
fn a_poll_distinguishes_all_results_of_the_protocol_and_never_waits() {
    let mut replay = start_responses();
    for (error, code) in [
        ("authorization_pending", "AuthorizationPendingException"),
        ("slow_down", "SlowDownException"),
        ("expired_token", "ExpiredTokenException"),
        ("access_denied", "AccessDeniedException"),
    ] {
        replay = refusal(replay, error, code);
    }
    let (aws, clock) = replay.json(TOKEN).connect();
    let start_url = Url::parse("https://d-9067642ac7.awsapps.com/start").expect("a URL");
    let sign_in = aws.sign_in(&start_url, "eu-west-1");
    let authorization = block_on(sign_in.start()).expect("a start");
    let poll = || block_on(sign_in.poll(&authorization)).expect("a response");
    assert!(matches!(poll(), PollResult::Pending));
    assert!(matches!(poll(), PollResult::SlowDown));
    assert!(matches!(poll(), PollResult::Expired));
    assert!(matches!(poll(), PollResult::Denied));
    let PollResult::Done(session) = poll() else {
        panic!("not signed in")
    };
    let in_eight_hours = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000 + 8);
    assert_eq!(session.expires_at(), in_eight_hours);
    assert!(clock.slept().is_empty());
}

#[test]
fn access_denied_by_a_kms_key_is_an_error_instead_of_a_denial_by_the_user() {
    let body = r#"{"error": "access_denied", "reason": "KMS_AccessDeniedException"}"#;
    let code = ("x-amzn-errortype", "AccessDeniedException".to_owned());
    let (sign_in, authorization) = started(&start_responses().respond(400, vec![code], body));
    let error = block_on(sign_in.poll(&authorization)).expect_err("a refusal");
    assert_eq!(error.reason(), Some("KMS_AccessDeniedException"));
    assert!(error.help().expect("help").contains("kms:Decrypt"));
}

#[test]
fn an_error_about_a_truncated_response_does_not_contain_the_token() {
    let (sign_in, authorization) = started(&start_responses().json(&TOKEN[..TOKEN.len() - 20]));
    let error = block_on(sign_in.poll(&authorization)).expect_err("a truncated response");
    assert_eq!(
        error.to_string(),
        "AWS's response to sso-oidc CreateToken could not be decoded"
    );
    assert!(!format!("{error:?}").contains("hunter"), "{error:?}");
}

#[test]
fn another_refusal_is_an_error_with_the_message_of_the_service() {
    let replay = refusal(
        Replay::new().json(CLIENT),
        "invalid_request",
        "InvalidRequestException",
    );
    let error = block_on(sign_in(&replay).start()).expect_err("a refusal");
    assert_eq!(
        error.to_string(),
        "AWS refused sso-oidc StartDeviceAuthorization"
    );
    assert_eq!(error.message(), Some("no such portal"));
    assert!(
        error
            .help()
            .expect("help")
            .starts_with("check the start URL of the access portal")
    );
}

#[test]
fn a_region_that_is_not_a_host_label_is_never_contacted() {
    let replay = Replay::new();
    let (aws, _) = replay.connect();
    let start_url = Url::parse("https://d-9067642ac7.awsapps.com/start").expect("a URL");
    let error = block_on(aws.sign_in(&start_url, "evil.example/#").start()).expect_err("no region");
    assert_eq!(
        error.to_string(),
        "sso-oidc RegisterClient could not be sent to AWS"
    );
    assert_eq!(replay.requests().len(), 0);
}

#[test]
fn a_session_lists_accounts_and_roles_over_pages_and_returns_keys() {
    let replay = start_responses()
        .json(TOKEN)
        .json(r#"{"accountList": [], "nextToken": "t"}"#)
        .json(
            r#"{"accountList": [{"accountId": "111111111111", "accountName": "main",
                "emailAddress": "aws@example.com"}]}"#,
        )
        .json(r#"{"roleList": [{"roleName": "Admin", "accountId": "111111111111"}]}"#)
        .json(
            r#"{"roleCredentials": {"accessKeyId": "ASIA1", "secretAccessKey": "hunter-key",
                "sessionToken": "hunter-session", "expiration": 1800003600000}}"#,
        )
        .json("");
    let session = session(&replay);
    let accounts = block_on(session.accounts().try_collect()).expect("accounts");
    assert_eq!(accounts[0].name.as_deref(), Some("main"));
    let account = &accounts[0].id;
    assert_eq!(
        block_on(session.roles(account).try_collect()).expect("roles"),
        ["Admin"]
    );
    let credentials = block_on(session.credentials(account, "Admin")).expect("credentials");
    assert_eq!(credentials.access_key_id, "ASIA1");
    assert_eq!(credentials.secret_access_key.expose(), "hunter-key");
    assert_eq!(
        credentials.session_token.expect("a token").expose(),
        "hunter-session"
    );
    block_on(session.logout()).expect("a logout");
    let requests = &replay.requests()[3..];
    assert_eq!(
        requests[1].uri,
        "https://portal.sso.eu-west-1.amazonaws.com/assignment/accounts?next_token=t"
    );
    assert!(
        requests
            .iter()
            .all(|request| request.header("x-amz-sso_bearer_token") == "hunter-token")
    );
    assert!(requests[4].uri.ends_with("/logout"));
    assert_eq!(requests[4].method, "POST");
}

#[test]
fn an_ended_session_and_an_unassigned_role_are_different_errors() {
    let replay = start_responses()
        .json(TOKEN)
        .refuse(
            401,
            "UnauthorizedException",
            "Session token not found or invalid",
        )
        .refuse(403, "ForbiddenException", "No access");
    let session = session(&replay);
    let error = block_on(session.accounts().try_collect()).expect_err("a refusal");
    assert!(error.is_unauthenticated());
    assert!(
        error
            .help()
            .expect("help")
            .starts_with("the access portal session has ended")
    );
    let account = "111111111111".parse().expect("an id");
    let error = block_on(session.credentials(&account, "Admin")).expect_err("a refusal");
    assert!(error.is_permission_denied());
    let help = "the user who signed in is not assigned to this account and role";
    assert_eq!(error.help(), Some(help));
}

#[test]
fn the_log_contains_no_secret() {
    let replay = start_responses()
        .json(TOKEN)
        .json(r#"{"accountList": []}"#)
        .json("");
    let log = capture_log(|| {
        let session = session(&replay);
        block_on(session.accounts().try_collect()).expect("accounts");
        block_on(session.logout()).expect("a logout");
    });
    assert!(log.contains("CreateToken"), "{log}");
    assert!(!log.contains("hunter"), "{log}");
}

#[test]
fn debug_output_contains_no_secret() {
    let replay = start_responses().json(TOKEN);
    let (sign_in, authorization) = started(&replay);
    let polled = block_on(sign_in.poll(&authorization)).expect("a response");
    let output = format!("{sign_in:?} {authorization:?} {polled:?}");
    assert!(output.contains("ABCD-EFGH"), "{output}");
    assert!(!output.contains("hunter"), "{output}");
}
