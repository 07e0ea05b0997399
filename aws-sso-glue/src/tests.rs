//! What holds for every call.

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
    Aws, Connect, Credentials, Error, IdentityCenter, SignIn,
    replay::{Replay, SET, block_on, logged},
};

fn refused(replay: &Replay) -> Error {
    let (aws, _) = replay.connect();
    block_on(aws.instances()).expect_err("must be refused")
}

#[test]
fn a_refusal_keeps_every_fact() {
    let replay = Replay::new().refuse(400, "AccessDeniedException", "User x may not");
    let error = refused(&replay);
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
    assert!(error.is_access_denied() && !error.is_not_found() && !error.is_unreached());
    assert!(
        error
            .help()
            .expect("help")
            .starts_with("allow `sso:ListInstances` to the caller")
    );
}

#[test]
fn a_refusal_by_an_encrypted_instance_names_the_key() {
    let body = r#"{"__type": "AccessDeniedException", "Reason": "KMS_AccessDeniedException"}"#;
    let error = refused(&Replay::new().answer(400, vec![], body));
    assert_eq!(error.reason(), Some("KMS_AccessDeniedException"));
    assert!(error.help().expect("help").contains("kms:Decrypt"));
}

#[test]
fn an_html_page_from_a_proxy_keeps_the_status() {
    let replay = Replay::new().answer(403, vec![], "<html>Blocked</html>");
    let error = refused(&replay);
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
    assert_eq!(error.code(), None);
    assert_eq!(
        error.source().expect("a source").to_string(),
        "403 Forbidden (request request-1)"
    );
}

#[test]
fn an_answer_that_is_no_json_is_unreadable_and_keeps_status_and_request_id() {
    let replay = Replay::new().json("<html>Welcome</html>");
    let error = refused(&replay);
    assert_eq!(
        error.to_string(),
        "AWS's answer to sso-admin ListInstances could not be read"
    );
    assert_eq!(error.status(), Some(StatusCode::OK));
    assert_eq!(error.request_id(), Some("request-1"));
}

#[test]
fn a_lost_connection_is_tried_again_and_keeps_its_cause() {
    let replay = (0..6).fold(Replay::new(), |replay, _| replay.hang_up());
    let error = refused(&replay);
    assert_eq!(replay.requests().len(), 6);
    assert_eq!(
        error.to_string(),
        "AWS did not answer sso-admin ListInstances"
    );
    assert!(error.is_unreached());
    let chain: Vec<_> = std::iter::successors(error.source(), |&error| error.source())
        .map(ToString::to_string)
        .collect();
    assert!(
        chain.contains(&"connection reset by peer".to_owned()),
        "{chain:?}"
    );
}

#[test]
fn a_throttled_call_waits_as_long_as_the_header_asks() {
    let replay = Replay::new()
        .refuse_for(3000, "ThrottlingException")
        .json(r#"{"Instances": []}"#);
    let (aws, clock) = replay.connect();
    block_on(aws.instances()).expect("a list");
    assert_eq!(clock.slept(), [Duration::from_secs(3)]);
}

#[test]
fn a_call_that_stays_throttled_is_given_up_with_advice() {
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
fn too_many_outstanding_writes_are_told_from_too_many_calls() {
    let words = "There are too many requests processing. Please try again later.";
    let replay = (0..6).fold(Replay::new(), |replay, _| {
        replay.refuse(400, "ThrottlingException", words)
    });
    assert!(
        refused(&replay)
            .help()
            .expect("help")
            .starts_with("too many account assignments")
    );
}

#[test]
fn a_call_that_nobody_may_repeat_is_made_once() {
    let replay = Replay::new().refuse(400, "ValidationException", "no");
    let (aws, clock) = replay.connect();
    block_on(aws.instances()).expect_err("must be refused");
    assert!(clock.slept().is_empty());
}

#[test]
fn calls_to_sso_admin_are_paced_in_every_region_together() {
    let replay = (0..8).fold(Replay::new(), |replay, _| {
        replay.json(r#"{"Instances": []}"#)
    });
    let (aws, clock) = replay.connect();
    let elsewhere = aws.in_region("eu-west-1");
    for aws in [
        &aws, &elsewhere, &aws, &elsewhere, &aws, &elsewhere, &aws, &elsewhere,
    ] {
        block_on(aws.instances()).expect("a list");
    }
    // Five at once, then one each fifteenth of a second.
    assert_eq!(clock.slept(), [Duration::from_secs(1) / 15; 3]);
}

#[test]
fn attempts_after_the_first_are_paced_too() {
    let replay = (0..6).fold(Replay::new(), |replay, _| {
        replay.refuse_for(1, "ThrottlingException")
    });
    let (aws, clock) = replay.connect();
    block_on(aws.instances()).expect_err("must be refused");
    let millisecond = Duration::from_millis(1);
    let turn = (Duration::from_secs(1) / 15).abs_diff(5 * millisecond);
    assert_eq!(
        clock.slept(),
        [
            millisecond,
            millisecond,
            millisecond,
            millisecond,
            millisecond,
            turn
        ]
    );
}

#[test]
fn a_span_names_service_and_operation_and_nothing_else_is_logged() {
    let replay = Replay::new().json(r#"{"Instances": []}"#);
    let (aws, _) = replay.connect();
    let log = logged(|| {
        block_on(aws.instances()).expect("a list");
    });
    assert_eq!(log.lines().count(), 1, "{log}");
    let span = r#"DEBUG aws{service="sso-admin" operation="ListInstances"}"#;
    assert!(log.contains(span), "{log}");
}

#[test]
fn missing_credentials_are_told_from_a_network_that_is_down() {
    let config = aws_config::SdkConfig::builder()
        .region(aws_config::Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(provide_credentials_fn(
            async || Err(CredentialsError::not_loaded("the profile has none")),
        )))
        .build();
    let replay = Replay::new();
    let aws = Aws::assemble(config, replay.client(), &Connect::default()).expect("a connection");
    let error = block_on(aws.instances()).expect_err("no credentials");
    assert_eq!(
        error.to_string(),
        "sso-admin ListInstances could not be sent to AWS"
    );
    assert!(error.is_unauthenticated() && !error.is_unreached());
    assert!(
        error
            .help()
            .expect("help")
            .starts_with("no usable AWS credentials were found")
    );
}

/// The connection is real, and takes longer than no time; the clock knows nothing of it.
#[test]
fn a_clock_that_stands_still_does_not_time_out_a_real_connection() {
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
        .expect("an answer");
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_hours(500_000));
    let connect = Connect {
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(Url::parse(&url).expect("a URL")),
        credentials: Some(Credentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: Secret::new("hunter2"),
            session_token: None,
        }),
        clock: Arc::new(clock.clone()),
        ..Connect::default()
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
fn every_call_can_move_between_threads() {
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
