//! Tests of the behavior that all services share: dispatch, signatures and request ids.

use axum::body::Bytes;
use axum::http::{HeaderValue, Method, Request};
use serde_json::{Value, json};

use super::call::Access;
use super::harness::{Harness, outcome};
use super::{is_write, operation, service};

fn list_instances(harness: &Harness) -> Request<Bytes> {
    let head = Request::post("/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "SWBExternalService.ListInstances");
    harness.signed("sso", head, "{}")
}

#[track_caller]
fn assert_error(harness: &mut Harness, request: &Request<Bytes>, code: &str, message: &str) {
    let refusal = outcome(&harness.send(request)).expect_err("the request must fail");
    assert_eq!(refusal, (code.to_owned(), message.to_owned()));
}

#[test]
fn each_response_has_a_unique_request_id() {
    let mut harness = Harness::new();
    let request = list_instances(&harness);
    let first = harness.send(&request);
    let second = harness.send(&request);
    assert_eq!(first.status(), 200);
    assert_eq!(
        first.headers()["content-type"],
        "application/x-amz-json-1.1"
    );
    assert_eq!(first.headers()["x-amzn-requestid"].len(), 36);
    assert_ne!(
        first.headers()["x-amzn-requestid"],
        second.headers()["x-amzn-requestid"]
    );
}

#[test]
fn a_request_without_a_signature_is_rejected() {
    let mut harness = Harness::new();
    let mut request = list_instances(&harness);
    request.headers_mut().remove("authorization");
    assert_error(
        &mut harness,
        &request,
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
    );
}

#[test]
fn an_unknown_access_key_is_rejected() {
    let mut harness = Harness::new();
    harness.key.0.id = "AKIAUNKNOWN".to_owned();
    let request = list_instances(&harness);
    assert_error(
        &mut harness,
        &request,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    );
}

#[test]
fn a_session_token_with_a_users_access_key_is_rejected() {
    let mut harness = Harness::new();
    harness.key.1 = Some("token".to_owned());
    let request = list_instances(&harness);
    assert_error(
        &mut harness,
        &request,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    );
}

#[test]
fn a_signature_with_another_secret_is_rejected() {
    let mut harness = Harness::new();
    harness.key.0.secret = "another".to_owned();
    let request = list_instances(&harness);
    assert_error(
        &mut harness,
        &request,
        "InvalidSignatureException",
        super::MISMATCH,
    );
}

#[test]
fn a_signature_for_another_service_is_rejected() {
    let mut harness = Harness::new();
    let head = Request::post("/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "SWBExternalService.ListInstances");
    let request = harness.signed("organizations", head, "{}");
    assert_error(
        &mut harness,
        &request,
        "InvalidSignatureException",
        "Credential should be scoped to correct service: 'sso'. ",
    );
}

#[test]
fn a_signature_for_another_day_is_rejected() {
    let mut harness = Harness::new();
    let mut request = list_instances(&harness);
    let timestamp = HeaderValue::from_static("20261125T000000Z");
    request.headers_mut().insert("x-amz-date", timestamp);
    assert_error(
        &mut harness,
        &request,
        "InvalidSignatureException",
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
         '20261124' != '20261125', from '20261125T000000Z'.",
    );
}

#[test]
fn an_unknown_operation_is_rejected() {
    let mut harness = Harness::new();
    for target in [
        "SWBExternalService.ListEverything",
        "AWSIdentityStore.Nothing",
        "Nonsense.ListInstances",
        "Nonsense",
    ] {
        let head = Request::post("/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target);
        let service = if target.starts_with("AWS") {
            "identitystore"
        } else {
            "sso"
        };
        let request = harness.signed(service, head, "{}");
        let response = harness.send(&request);
        assert_eq!(response.status(), 400, "{target}");
        let (code, _) = outcome(&response).expect_err("the request must fail");
        assert_eq!(code, "UnknownOperationException", "{target}");
    }
}

#[test]
fn the_json_services_accept_one_content_type_one_path_and_one_method() {
    let mut harness = Harness::new();
    let head = Request::post("/")
        .header("content-type", "application/json")
        .header("x-amz-target", "SWBExternalService.ListInstances");
    let request = harness.signed("sso", head, "{}");
    assert_error(&mut harness, &request, "UnknownOperationException", "");
    let mut request = list_instances(&harness);
    *request.method_mut() = Method::GET;
    assert_error(&mut harness, &request, "UnknownOperationException", "");
    let mut request = list_instances(&harness);
    *request.uri_mut() = "/control/".parse().expect("a path");
    assert_error(&mut harness, &request, "UnknownOperationException", "");
}

#[test]
fn a_body_that_is_not_json_is_a_serialization_error() {
    let mut harness = Harness::new();
    let head = Request::post("/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "SWBExternalService.ListInstances");
    let request = harness.signed("sso", head, "<xml/>");
    let (code, _) = outcome(&harness.send(&request)).expect_err("the request must fail");
    assert_eq!(code, "SerializationException");
}

#[test]
fn sts_returns_the_caller_identity_as_xml() {
    let mut harness = Harness::new();
    let (status, body) = harness.sts();
    assert_eq!(status, 200);
    assert!(
        body.contains("<Arn>arn:aws:iam::111122223333:user/integration</Arn>"),
        "{body}"
    );
    assert!(body.contains("<Account>111122223333</Account>"), "{body}");
    assert!(body.contains("<UserId>AIDA"), "{body}");
}

#[test]
fn sts_has_its_own_error_codes() {
    let mut harness = Harness::new();
    harness.key.0.id = "AKIAUNKNOWN".to_owned();
    let (status, body) = harness.sts();
    assert_eq!(status, 403);
    assert!(body.contains("<Code>InvalidClientTokenId</Code>"), "{body}");
    assert!(
        body.contains("<Message>The security token included in the request is invalid.</Message>"),
        "{body}"
    );
    let mut harness = Harness::new();
    harness.key.0.secret = "another".to_owned();
    let (status, body) = harness.sts();
    assert_eq!(status, 403);
    assert!(
        body.contains("<Code>SignatureDoesNotMatch</Code>"),
        "{body}"
    );
}

#[test]
fn sts_supports_only_get_caller_identity() {
    let mut harness = Harness::new();
    let head = Request::post("/").header(
        "content-type",
        "application/x-www-form-urlencoded; charset=utf-8",
    );
    let request = harness.signed("sts", head, "Action=AssumeRole&Version=2011-06-15");
    let response = harness.send(&request);
    assert_eq!(response.status(), 400);
    let body = String::from_utf8_lossy(response.body()).into_owned();
    assert!(body.contains("<Code>InvalidAction</Code>"), "{body}");
    assert!(
        body.contains(
            "<Message>Could not find operation AssumeRole for version 2011-06-15</Message>"
        ),
        "{body}"
    );
}

#[test]
fn requests_are_classified_by_service_operation_and_write_access() {
    let of = |method: &str, path: &str, target: &str| {
        Request::builder()
            .method(method)
            .uri(path)
            .header("x-amz-target", target)
            .body(Bytes::new())
            .expect("a request")
    };
    let table = [
        (
            "POST",
            "/",
            "SWBExternalService.ListInstances",
            Some("sso-admin"),
            Some("ListInstances"),
            false,
        ),
        (
            "POST",
            "/",
            "SWBExternalService.CreatePermissionSet",
            Some("sso-admin"),
            Some("CreatePermissionSet"),
            true,
        ),
        (
            "POST",
            "/",
            "SWBExternalService.ProvisionPermissionSet",
            Some("sso-admin"),
            Some("ProvisionPermissionSet"),
            true,
        ),
        (
            "POST",
            "/",
            "AWSIdentityStore.IsMemberInGroups",
            Some("identitystore"),
            Some("IsMemberInGroups"),
            false,
        ),
        (
            "POST",
            "/",
            "AWSIdentityStore.DeleteUser",
            Some("identitystore"),
            Some("DeleteUser"),
            true,
        ),
        (
            "POST",
            "/",
            "AWSOrganizationsV20161128.EnableAWSServiceAccess",
            Some("organizations"),
            Some("EnableAWSServiceAccess"),
            true,
        ),
        (
            "POST",
            "/token",
            "",
            Some("sso-oidc"),
            Some("CreateToken"),
            false,
        ),
        (
            "GET",
            "/assignment/accounts?max_result=1",
            "",
            Some("sso"),
            Some("ListAccounts"),
            false,
        ),
        ("POST", "/", "Nonsense.Create", None, None, false),
    ];
    for (method, path, target, service_name, operation_name, write) in table {
        let request = of(method, path, target);
        assert_eq!(service(&request), service_name, "{target}{path}");
        assert_eq!(
            operation(&request).as_deref(),
            operation_name,
            "{target}{path}"
        );
        assert_eq!(is_write(&request), write, "{target}{path}");
    }
}

#[test]
fn pagination_returns_every_item_once_with_a_page_size_of_one() {
    let mut seed = super::harness::seed();
    seed.page_size = Some(1);
    let mut harness = Harness::with(seed);
    harness.enable();
    let arns: Vec<String> = ["A", "B", "C"]
        .iter()
        .map(|name| harness.permission_set(name))
        .collect();
    let mut walked = Vec::new();
    let mut body = json!({});
    loop {
        let page = harness
            .sso("ListPermissionSets", body.clone())
            .expect("a page");
        let items = page["PermissionSets"].as_array().expect("a list").clone();
        assert!(items.len() <= 1);
        walked.extend(items);
        match page.get("NextToken") {
            Some(token) => body["NextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!(
        walked,
        arns.iter()
            .map(|arn| Value::from(arn.as_str()))
            .collect::<Vec<_>>()
    );
}

#[test]
fn every_list_checks_the_page_size_together_with_its_other_members() {
    let mut harness = Harness::with_identity_center();
    for service in super::JSON_SERVICES {
        for operation in service.operations {
            let body = json!({ "MaxResults": 1000 });
            let result = harness.json(service.signing_name, service.target, operation.name, &body);
            let (_, message) = result.err().unwrap_or_default();
            assert_eq!(
                message.contains("Value '1000' at 'maxResults'"),
                operation.access == Access::List,
                "{}: {message}",
                operation.name
            );
        }
    }
}
