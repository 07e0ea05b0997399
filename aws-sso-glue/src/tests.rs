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
use rest_core::{Clock as _, ManualClock, Reachability, Secret};
use url::Url;

use crate::{
    AccountId, Aws, ConnectOptions, Credentials, Error, IdentityCenter, OperationKind, SignIn,
    replay::{Replay, SET, block_on, capture_log},
};

fn keys() -> Credentials {
    Credentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: Secret::new("hunter2"),
        session_token: None,
    }
}

fn call_error(replay: &Replay) -> Error {
    let (aws, _) = replay.connect();
    block_on(aws.instances().try_collect()).expect_err("must be refused")
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
        ("sso-admin", Some("sso-admin ListInstances"))
    );
    assert_eq!(error.status(), Some(400));
    assert_eq!(error.code(), Some("AccessDeniedException"));
    assert_eq!(error.message(), Some("User x may not"));
    assert_eq!(error.request_id(), Some("request-1"));
    assert!(error.is_permission_denied() && !error.is_not_found() && !error.may_have_acted());
    assert!(
        error
            .help()
            .expect("help")
            .starts_with("allow `sso:ListInstances` to the caller")
    );
}

/// One refusal for each predicate: the code, and the names of the predicates that are true.
#[test]
fn every_kind_of_refusal_has_its_predicate() {
    for (status, code, expected) in [
        (400, "ResourceNotFoundException", "not found"),
        (400, "AccountNotFoundException", "not found"),
        (409, "ConflictException", "conflict"),
        (400, "ConcurrentModificationException", "conflict"),
        (400, "ThrottlingException", "throttled"),
        (400, "TooManyRequestsException", "throttled"),
        (429, "Unknown", "throttled"),
        (400, "UnrecognizedClientException", "unauthenticated"),
        (403, "ExpiredTokenException", "unauthenticated"),
        (403, "SignatureDoesNotMatch", "unauthenticated"),
        (401, "Unknown", "unauthenticated"),
        (400, "AccessDeniedException", "permission denied"),
        (403, "ForbiddenException", "permission denied"),
        (403, "Unknown", "permission denied"),
        (404, "Unknown", ""),
        (400, "ValidationException", ""),
    ] {
        let replay = Replay::new().refuse(status, code, "no").endless();
        let error = call_error(&replay);
        let predicates = [
            (error.is_not_found(), "not found"),
            (error.is_conflict(), "conflict"),
            (error.is_throttled(), "throttled"),
            (error.is_unauthenticated(), "unauthenticated"),
            (error.is_permission_denied(), "permission denied"),
            (error.may_have_acted(), "may have acted"),
        ];
        let found: Vec<&str> = predicates
            .into_iter()
            .filter_map(|(is, name)| is.then_some(name))
            .collect();
        assert_eq!(found.join(", "), expected, "{status} {code}");
    }
}

#[test]
fn a_write_without_a_result_may_have_acted_unless_it_is_idempotent() {
    type Answer = fn(Replay) -> Replay;
    let arn = crate::PermissionSetArn::parse(SET).expect("an ARN");
    let new = crate::NewPermissionSet {
        name: "Admin".to_owned(),
        ..crate::NewPermissionSet::default()
    };
    let answers: [(Answer, bool); 5] = [
        (Replay::hang_up, true),
        (|replay| replay.refuse(500, "Internal", ""), true),
        (|replay| replay.json("{}"), true),
        (
            |replay| replay.refuse(400, "ValidationException", ""),
            false,
        ),
        (
            |replay| replay.refuse(400, "ThrottlingException", ""),
            false,
        ),
    ];
    for (answer, expected) in answers {
        let replay = || answer(Replay::new()).endless();
        let (center, _) = replay().center();
        let error =
            block_on(center.permission_sets().start_provisioning(&arn)).expect_err("no result");
        assert_eq!(error.may_have_acted(), expected, "{error}");
        let (center, _) = replay().center();
        let error = block_on(center.permission_sets().create(&new)).expect_err("no result");
        assert!(!error.may_have_acted(), "{error}");
    }
}

#[test]
fn a_response_without_a_required_field_is_an_error_with_status_and_request_id() {
    let (aws, _) = Replay::new().json("{}").connect();
    let error = block_on(aws.organizations().describe()).expect_err("no organization");
    assert_eq!(
        error.source().expect("a source").to_string(),
        "the response has no Organization"
    );
    assert_eq!(
        (error.status(), error.request_id()),
        (Some(200), Some("request-1"))
    );
    assert_eq!(
        error.operation(),
        Some("organizations DescribeOrganization")
    );
}

#[test]
fn a_message_of_aws_is_one_line_without_control_characters() {
    let error = call_error(&Replay::new().refuse(400, "Validation\nException", "a\r\n\u{1b}[31mb"));
    assert_eq!(error.message(), Some("a [31mb"));
    assert_eq!(error.code(), Some("Validation Exception"));
}

#[test]
fn an_item_that_cannot_be_read_is_an_error_of_its_own_with_place_and_raw_text() {
    let replay = Replay::new().json(
        r#"{"Accounts": [{"Id": "111111111111"}, {"Name": "without id"}, {"Id": "222222222222"}]}"#,
    );
    let (aws, _) = replay.connect();
    let list = block_on(aws.organizations().accounts().collect_partial()).expect("a list");
    let ids: Vec<&str> = list
        .items
        .iter()
        .map(|account| account.id.as_str())
        .collect();
    assert_eq!(ids, ["111111111111", "222222222222"]);
    let error = Error::from(rest_core::ListError::Item(list.errors[0].clone()));
    assert_eq!(
        error.to_string(),
        "item 2 of page 1 of organizations ListAccounts could not be read"
    );
    assert_eq!(error.operation(), Some("organizations ListAccounts"));
    assert_eq!(
        error.source().expect("a source").to_string(),
        "the response has no Id"
    );
    let item = error.item().expect("an item");
    assert!(item.raw().contains("Account { id: None"), "{}", item.raw());
    assert_eq!(replay.requests().len(), 1);
}

#[test]
fn a_page_error_keeps_the_place_and_a_saved_position_resumes_the_list() {
    let page = |id: &str, next: &str| format!(r#"{{"Accounts": [{{"Id": "{id}"}}]{next}}}"#);
    let replay = Replay::new()
        .json(&page("111111111111", r#", "NextToken": "t1""#))
        .refuse(400, "ValidationException", "no")
        .json(&page("222222222222", ""))
        .json(&page("222222222222", ""));
    let (aws, _) = replay.connect();
    let mut accounts = aws.organizations().accounts();
    let id = |account: Option<crate::Account>| account.map(|account| account.id.to_string());
    assert!(block_on(accounts.try_next()).expect("an account").is_some());
    let position = accounts.position();
    block_on(accounts.try_next()).expect_err("a page error");
    let second = Some("222222222222".to_owned());
    assert_eq!(
        id(block_on(accounts.try_next()).expect("an account")),
        second
    );
    let mut resumed = aws.organizations().accounts().resume(position);
    assert_eq!(
        id(block_on(resumed.try_next()).expect("an account")),
        second
    );
    for request in &replay.requests()[1..] {
        assert_eq!(request.body, r#"{"NextToken":"t1","MaxResults":20}"#);
    }
}

#[test]
fn a_configuration_of_the_caller_keeps_its_region_credentials_endpoint_and_client() {
    let replay = Replay::new().json(r#"{"Accounts": []}"#);
    let config = aws_config::SdkConfig::builder()
        .region(aws_config::Region::new("eu-west-3"))
        .endpoint_url("https://proxy.example.com/aws")
        .credentials_provider(SharedCredentialsProvider::from(keys()))
        .http_client(replay.client())
        .build();
    let connect = ConnectOptions {
        sdk_config: Some(config),
        ..ConnectOptions::default()
    };
    let aws = block_on(Aws::connect(connect)).expect("a connection");
    assert_eq!(aws.region(), "eu-west-3");
    block_on(aws.organizations().accounts().try_collect()).expect("a list");
    let request = &replay.requests()[0];
    assert!(
        request.uri.starts_with("https://proxy.example.com/aws"),
        "{request:?}"
    );
    assert!(
        request.header("authorization").contains("AKIDEXAMPLE/"),
        "{request:?}"
    );
    assert!(request.header("authorization").contains("/eu-west-3/"));
}

#[test]
fn a_raw_call_of_the_sdk_has_the_retries_and_the_rate_limit_of_the_connection() {
    let throttled = Replay::new().refuse_with_retry_after(3000, "ThrottlingException");
    let replay = throttled.json(r#"{"Instances": []}"#).endless();
    let (aws, clock) = replay.connect();
    // The refusal lowers the limit to 12 calls.
    for _ in 0..13 {
        block_on(aws.sdk().sso_admin().list_instances().send()).expect("a response");
    }
    assert_eq!(clock.slept(), [3, 1].map(Duration::from_secs));
}

#[test]
fn an_endpoint_that_is_not_https_is_refused_wherever_it_comes_from() {
    let config = aws_config::SdkConfig::builder()
        .region(aws_config::Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::from(keys()))
        .build();
    let http = "http://user:hunter2@aws.example.com/";
    let connect = |config: aws_config::SdkConfig| ConnectOptions {
        sdk_config: Some(config),
        ..ConnectOptions::default()
    };
    let from_config = connect(config.to_builder().endpoint_url(http).build());
    let error = block_on(Aws::connect(from_config)).expect_err("plain http");
    assert_eq!(
        error.to_string(),
        "the endpoint override for `aws.example.com` is neither https nor on this machine"
    );
    assert_eq!(error.operation(), None);

    // An endpoint of one service is known only when a request is sent.
    let aws = block_on(Aws::connect(connect(config))).expect("a connection");
    let client = aws.sdk().organizations();
    let overridden = aws_sdk_organizations::Client::from_conf(
        client.config().to_builder().endpoint_url(http).build(),
    );
    let error = block_on(overridden.list_roots().send()).expect_err("plain http");
    let chain: Vec<_> = std::iter::successors(error.source(), |&error| error.source())
        .map(ToString::to_string)
        .collect();
    assert!(
        chain
            .iter()
            .any(|text| text.contains("neither https nor on this machine")),
        "{chain:?}"
    );
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[test]
fn an_account_that_is_not_found_is_none_and_its_error_names_the_operation() {
    let replay = Replay::new().refuse(400, "AccountNotFoundException", "no such account");
    let (aws, _) = replay.connect();
    let id = AccountId::parse("111111111111").expect("an id");
    let error = block_on(aws.organizations().account(&id)).expect_err("no account");
    assert!(error.is_not_found());
    assert_eq!(error.operation(), Some("organizations DescribeAccount"));
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
    assert_eq!(error.status(), Some(403));
    assert_eq!(error.code(), None);
    assert_eq!(
        error.source().expect("a source").to_string(),
        "403 Forbidden (request request-1)"
    );
    assert!(error.help().expect("help").contains("proxy"));
}

#[test]
fn a_response_that_is_not_json_is_an_error_with_status_and_request_id() {
    let replay = Replay::new().json("<html>Welcome</html>");
    let error = call_error(&replay);
    assert_eq!(
        error.to_string(),
        "AWS's response to sso-admin ListInstances could not be decoded"
    );
    assert_eq!(error.status(), Some(200));
    assert_eq!(error.request_id(), Some("request-1"));
}

#[test]
fn after_a_call_found_aws_unreachable_the_next_call_of_the_scope_is_not_sent() {
    type Answer = fn(Replay) -> Replay;
    let answers: [(Answer, &str); 2] = [
        (Replay::hang_up, "connection reset by peer"),
        (|replay| replay.xml(502, "<html>Bad gateway"), "502"),
    ];
    for (answer, cause) in answers {
        let replay = (0..6).fold(Replay::new(), |replay, _| answer(replay));
        let replay = replay.json(r#"{"Accounts":[]}"#);
        let (aws, _) = replay.connect();
        let error = block_on(Reachability::scope(async {
            let first = aws.instances().try_collect().await;
            first.expect_err("no answer");
            // Each service of AWS has its own endpoint.
            let other = aws.organizations().accounts().try_collect().await;
            other.expect("a list");
            aws.instances().try_collect().await.expect_err("no answer")
        }));
        assert_eq!(replay.requests().len(), 7, "one call to each service");
        assert_eq!(
            error.to_string(),
            "AWS is unreachable, so sso-admin ListInstances was not sent"
        );
        let causes = std::iter::successors(error.source(), |&error| error.source());
        let causes: Vec<String> = causes.map(ToString::to_string).collect();
        assert!(causes.iter().any(|text| text.contains(cause)), "{causes:?}");
        assert!(error.help().is_some_and(|help| help.ends_with("run again")));
        assert!(!error.may_have_acted());
    }
}

#[test]
fn an_error_with_a_code_of_aws_does_not_make_it_unreachable() {
    let replay = (0..6).fold(Replay::new(), |replay, _| {
        replay.refuse(500, "Internal", "")
    });
    let replay = replay.json(r#"{"Instances":[]}"#);
    let (aws, _) = replay.connect();
    block_on(Reachability::scope(async {
        let first = aws.instances().try_collect().await;
        first.expect_err("a server error");
        aws.instances().try_collect().await.expect("a list");
    }));
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
    assert!(!error.may_have_acted(), "a read changes nothing");
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
    block_on(aws.instances().try_collect()).expect("a list");
    assert_eq!(clock.slept(), [Duration::from_secs(3)]);
}

#[test]
fn a_call_that_is_throttled_for_15_minutes_fails_with_help() {
    let replay = Replay::new().refuse(400, "ThrottlingException", "Rate exceeded");
    let replay = replay.endless();
    let (aws, clock) = replay.connect();
    let error = block_on(aws.instances().try_collect()).expect_err("must be refused");
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
    let minutes = clock.elapsed().as_secs() / 60;
    assert_eq!(minutes, 15, "{:?}", clock.elapsed());
}

#[test]
fn throttled_attempts_are_not_counted() {
    let throttle = |replay: Replay| replay.refuse(400, "ThrottlingException", "Rate exceeded");
    let fail = |replay: Replay| replay.refuse(500, "InternalServerException", "");
    let replay = (0..50).fold(Replay::new(), |replay, _| throttle(replay));
    let replay = (0..5).fold(replay, |replay, _| throttle(fail(replay)));
    let (aws, _) = replay.json(r#"{"Instances": []}"#).connect();
    block_on(aws.instances().try_collect()).expect("a list");
}

#[test]
fn a_throttled_call_uses_no_retry_quota_of_other_calls() {
    let throttle = |replay: Replay| replay.refuse(400, "ThrottlingException", "Rate exceeded");
    let replay = (0..200).fold(Replay::new(), |replay, _| throttle(replay));
    let options = ConnectOptions {
        throttling_timeout: Duration::from_hours(9),
        ..ConnectOptions::default()
    };
    let (aws, _) = replay.json(r#"{"Instances": []}"#).connect_with(options);
    block_on(aws.instances().try_collect()).expect("a list");
}

#[test]
fn a_refusal_of_the_rate_lowers_the_limit_of_the_service_alone() {
    let replay = Replay::new()
        .refuse(400, "ThrottlingException", "Rate exceeded")
        .json(r#"{"Instances": []}"#);
    let (aws, _) = replay.connect();
    block_on(aws.in_region("eu-west-1").instances().try_collect()).expect("a list");
    assert_eq!(aws.sso_admin_calls_per_second(), Some(12));
    let replay = Replay::new()
        .refuse(400, "TooManyRequestsException", "Rate exceeded")
        .json(r#"{"Organization": {}}"#);
    let (aws, _) = replay.connect();
    let _incomplete = block_on(aws.organizations().describe());
    assert_eq!(aws.sso_admin_calls_per_second(), Some(18));
}

#[test]
fn too_many_outstanding_writes_do_not_lower_the_limit_of_calls() {
    let message = "There are too many requests processing. Please try again later.";
    let replay = Replay::new()
        .refuse(400, "ThrottlingException", message)
        .json(r#"{"Instances": []}"#);
    let (aws, _) = replay.connect();
    block_on(aws.instances().try_collect()).expect("a list");
    assert_eq!(aws.sso_admin_calls_per_second(), Some(18));
}

#[test]
fn too_many_outstanding_writes_have_their_own_help() {
    let message = "There are too many requests processing. Please try again later.";
    let replay = Replay::new().refuse(400, "ThrottlingException", message);
    let replay = replay.endless();
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
    block_on(aws.instances().try_collect()).expect_err("must be refused");
    assert!(clock.slept().is_empty());
}

#[test]
fn calls_to_sso_admin_share_one_rate_limit_across_regions() {
    let replay = Replay::new().json(r#"{"Instances": []}"#).endless();
    let (aws, clock) = replay.connect();
    let eu = aws.in_region("eu-west-1");
    for _ in 0..10 {
        for aws in [&aws, &eu] {
            block_on(aws.instances().try_collect()).expect("a list");
        }
    }
    // 18 calls are sent at once.
    assert_eq!(clock.slept(), [Duration::from_secs(1)]);
}

#[test]
fn each_service_has_a_limit_of_its_own() {
    let replay = Replay::new()
        .json(r#"{"Users": [], "Instances": []}"#)
        .endless();
    let (center, clock) = replay.center();
    for _ in 0..18 {
        block_on(center.aws().instances().try_collect()).expect("a list");
        block_on(center.identity_store().users().try_collect()).expect("a list");
    }
    assert!(clock.slept().is_empty());
    block_on(center.identity_store().users().try_collect()).expect("a list");
    assert_eq!(clock.slept(), [Duration::from_secs(1)]);
}

#[test]
fn retries_are_rate_limited_too() {
    let throttle = |replay: Replay| replay.refuse_with_retry_after(1, "ThrottlingException");
    let replay = (0..20).fold(Replay::new(), |replay, _| throttle(replay));
    let (aws, clock) = replay.json(r#"{"Instances": []}"#).connect();
    block_on(aws.instances().try_collect()).expect("a list");
    // A refusal in the first second lowers the limit to 12 calls, and one in the next second to 8.
    let elapsed = clock.elapsed().as_secs_f64();
    assert!((2.0..2.1).contains(&elapsed), "{elapsed}");
}

#[test]
fn a_call_logs_one_span_with_service_and_operation_and_nothing_else() {
    let replay = Replay::new().json(r#"{"Instances": []}"#);
    let (aws, _) = replay.connect();
    let log = capture_log(|| {
        block_on(aws.instances().try_collect()).expect("a list");
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
        .http_client(Replay::new().client())
        .build();
    let aws = Aws::assemble(config, &ConnectOptions::default()).expect("a connection");
    let error = block_on(aws.instances().try_collect()).expect_err("no credentials");
    assert_eq!(
        error.to_string(),
        "sso-admin ListInstances could not be sent to AWS"
    );
    assert!(error.is_unauthenticated() && !error.may_have_acted());
    assert!(
        error
            .help()
            .expect("help")
            .starts_with("no usable AWS credentials were found")
    );
}

/// This test uses a real connection, which takes real time. The manual clock does not advance.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test may block its thread")]
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
        credentials: Some(keys().into()),
        clock: Arc::new(clock.clone()),
        ..ConnectOptions::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let instances = runtime.expect("a runtime").block_on(async {
        let aws = Aws::connect(connect).await.expect("a connection");
        aws.instances().try_collect().await
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
        send(center.assignments().in_progress(OperationKind::Create));
        send(center.identity_store().users());
        send(sign_in.start());
    }
    let _ = all;
}
