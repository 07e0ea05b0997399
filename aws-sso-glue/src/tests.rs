//! Tests of the behavior that all calls share.

use std::{
    error::Error as _,
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
    thread,
    time::{Duration, SystemTime},
};

use aws_credential_types::{
    credential_fn::provide_credentials_fn,
    provider::{SharedCredentialsProvider, error::CredentialsError},
};
use http::StatusCode;
use rest_core::{ManualClock, Secret};
use url::Url;

use crate::{
    Aws, ConnectOptions, Credentials, Error, IdentityCenter, SignIn,
    replay::{Replay, SET, block_on, capture_log},
};

fn call_error(replay: &Replay) -> Error {
    let (aws, _) = replay.connect();
    block_on(aws.instances()).expect_err("must be refused")
}

#[test]
fn an_error_contains_all_facts_of_the_refusal() {
    let replay = Replay::new().refuse(400, "AccessDeniedException", "User x may not");
    let error = call_error(&replay);
    assert_eq!(error.to_string(), "AWS refused sso-admin ListInstances");
    let source = error.source().expect("a source").to_string();
    assert_eq!(
        source,
        "400 Bad Request: User x may not (AccessDeniedException, request request-1)"
    );
    assert_eq!(
        (error.service(), error.operation()),
        ("sso-admin", "ListInstances")
    );
    assert_eq!(error.status(), Some(StatusCode::BAD_REQUEST));
    assert_eq!(error.code(), Some("AccessDeniedException"));
    assert_eq!(error.message(), Some("User x may not"));
    assert_eq!(error.request_id(), Some("request-1"));
    assert!(error.is_access_denied() && !error.is_not_found() && !error.is_no_response());
    assert!(
        error
            .help()
            .expect("help")
            .starts_with("allow `sso:ListInstances` to the caller")
    );
}

#[test]
fn a_refusal_because_of_a_kms_key_has_help_about_the_key() {
    let body = r#"{"__type": "AccessDeniedException", "Reason": "KMS_AccessDeniedException"}"#;
    let error = call_error(&Replay::new().respond(400, vec![], body));
    assert_eq!(error.reason(), Some("KMS_AccessDeniedException"));
    assert!(error.help().expect("help").contains("kms:Decrypt"));
}

#[test]
fn an_error_for_an_html_page_of_a_proxy_keeps_the_status() {
    let replay = Replay::new().respond(403, vec![], "<html>Blocked</html>");
    let error = call_error(&replay);
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
    assert_eq!(error.code(), None);
    assert_eq!(
        error.source().expect("a source").to_string(),
        "403 Forbidden (request request-1)"
    );
}

#[test]
fn a_response_that_is_not_json_is_an_error_with_status_and_request_id() {
    let replay = Replay::new().json("<html>Welcome</html>");
    let error = call_error(&replay);
    assert_eq!(
        error.to_string(),
        "AWS's response to sso-admin ListInstances could not be decoded"
    );
    assert_eq!(error.status(), Some(StatusCode::OK));
    assert_eq!(error.request_id(), Some("request-1"));
}

#[test]
fn a_lost_connection_is_retried_and_the_error_keeps_the_cause() {
    let replay = (0..6).fold(Replay::new(), |replay, _| replay.hang_up());
    let error = call_error(&replay);
    assert_eq!(replay.requests().len(), 6);
    assert_eq!(
        error.to_string(),
        "AWS did not answer sso-admin ListInstances"
    );
    assert!(error.is_no_response());
    let chain: Vec<_> = std::iter::successors(error.source(), |&error| error.source())
        .map(ToString::to_string)
        .collect();
    assert!(
        chain.contains(&"connection reset by peer".to_owned()),
        "{chain:?}"
    );
}

#[test]
fn a_throttled_call_waits_for_the_time_in_the_header() {
    let replay = Replay::new()
        .refuse_with_retry_after(3000, "ThrottlingException")
        .json(r#"{"Instances": []}"#);
    let (aws, clock) = replay.connect();
    block_on(aws.instances()).expect("a list");
    assert_eq!(clock.slept(), [Duration::from_secs(3)]);
}

#[test]
fn a_call_that_stays_throttled_fails_with_help() {
    let replay = (0..6).fold(Replay::new(), |replay, _| {
        replay.refuse(400, "ThrottlingException", "Rate exceeded")
    });
    let (aws, clock) = replay.connect();
    let error = block_on(aws.instances()).expect_err("must be refused");
    assert!(error.is_throttled());
    assert!(
        error
            .help()
            .expect("help")
            .starts_with("AWS allows 20 IAM Identity Center calls")
    );
    for (pause, limit) in clock.slept().iter().zip([1, 2, 4, 8, 16]) {
        assert!(*pause <= Duration::from_secs(limit), "{:?}", clock.slept());
    }
    assert_eq!(replay.requests().len(), 6);
}

#[test]
fn too_many_outstanding_writes_have_their_own_help() {
    let message = "There are too many requests processing. Please try again later.";
    let replay = (0..6).fold(Replay::new(), |replay, _| {
        replay.refuse(400, "ThrottlingException", message)
    });
    assert!(
        call_error(&replay)
            .help()
            .expect("help")
            .starts_with("too many account assignments")
    );
}

#[test]
fn a_validation_error_is_not_retried() {
    let replay = Replay::new().refuse(400, "ValidationException", "no");
    let (aws, clock) = replay.connect();
    block_on(aws.instances()).expect_err("must be refused");
    assert!(clock.slept().is_empty());
}

#[test]
fn calls_to_sso_admin_share_one_rate_limit_across_regions() {
    let replay = (0..8).fold(Replay::new(), |replay, _| {
        replay.json(r#"{"Instances": []}"#)
    });
    let (aws, clock) = replay.connect();
    let eu = aws.in_region("eu-west-1");
    for aws in [&aws, &eu, &aws, &eu, &aws, &eu, &aws, &eu] {
        block_on(aws.instances()).expect("a list");
    }
    // Five calls are sent at once, then one call per fifteenth of a second.
    assert_eq!(clock.slept(), [Duration::from_secs(1) / 15; 3]);
}

#[test]
fn retries_are_rate_limited_too() {
    let replay = (0..6).fold(Replay::new(), |replay, _| {
        replay.refuse_with_retry_after(1, "ThrottlingException")
    });
    let (aws, clock) = replay.connect();
    block_on(aws.instances()).expect_err("must be refused");
    let millisecond = Duration::from_millis(1);
    let limited = (Duration::from_secs(1) / 15).abs_diff(5 * millisecond);
    assert_eq!(
        clock.slept(),
        [
            millisecond,
            millisecond,
            millisecond,
            millisecond,
            millisecond,
            limited
        ]
    );
}

#[test]
fn a_call_logs_one_span_with_service_and_operation_and_nothing_else() {
    let replay = Replay::new().json(r#"{"Instances": []}"#);
    let (aws, _) = replay.connect();
    let log = capture_log(|| {
        block_on(aws.instances()).expect("a list");
    });
    assert_eq!(log.lines().count(), 1, "{log}");
    let span = r#"DEBUG aws{service="sso-admin" operation="ListInstances"}"#;
    assert!(log.contains(span), "{log}");
}

#[test]
fn missing_credentials_count_as_unauthenticated_and_not_as_no_response() {
    let config = aws_config::SdkConfig::builder()
        .region(aws_config::Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(provide_credentials_fn(
            async || Err(CredentialsError::not_loaded("the profile has none")),
        )))
        .build();
    let replay = Replay::new();
    let aws =
        Aws::assemble(config, replay.client(), &ConnectOptions::default()).expect("a connection");
    let error = block_on(aws.instances()).expect_err("no credentials");
    assert_eq!(
        error.to_string(),
        "sso-admin ListInstances could not be sent to AWS"
    );
    assert!(error.is_unauthenticated() && !error.is_no_response());
    assert!(
        error
            .help()
            .expect("help")
            .starts_with("no usable AWS credentials were found")
    );
}

/// This test uses a real connection, which takes real time. The manual clock does not advance.
#[test]
fn a_manual_clock_does_not_time_out_a_real_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut request = vec![0; 8192];
        let length = stream.read(&mut request).expect("a request");
        let body = format!(r#"{{"PermissionSets": ["{SET}"]}}"#);
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("a response");
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_hours(500_000));
    let connect = ConnectOptions {
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(Url::parse(&url).expect("a URL")),
        credentials: Some(Credentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: Secret::new("hunter2"),
            session_token: None,
        }),
        clock: Arc::new(clock.clone()),
        ..ConnectOptions::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let instances = runtime.expect("a runtime").block_on(async {
        let aws = Aws::connect(connect).await.expect("a connection");
        aws.instances().await
    });
    assert_eq!(instances.expect("a list"), []);
    let request = server.join().expect("a request");
    assert!(request.starts_with("POST / HTTP/1.1"), "{request}");
    assert!(
        request.contains("20270115"),
        "signed with the clock's date: {request}"
    );
    assert!(!request.contains("hunter2"));
    assert!(clock.slept().is_empty());
}

#[test]
fn futures_of_calls_are_send() {
    fn send<T: Send>(_: T) {}
    fn all(aws: &Aws, center: &IdentityCenter, sign_in: &SignIn) {
        send(aws.instances());
        send(aws.organizations().accounts());
        send(center.permission_sets().list());
        send(center.permission_sets().find("Admin"));
        send(center.assignments().in_progress());
        send(center.identity_store().users());
        send(sign_in.start());
    }
    let _ = all;
}
