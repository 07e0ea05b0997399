//! The responses of AWS to throttled requests, which differ by protocol.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::json;

use crate::aws;

/// Returns the response of an AWS API to a throttled request.
///
/// The status is 400 with an exception, except for sign-in and the access portal, which answer 429.
pub(crate) fn aws(request: &Request<Bytes>, request_id: &str) -> Response<Bytes> {
    let (status, exception) = match aws::service(request) {
        Some("organizations") => (StatusCode::BAD_REQUEST, "TooManyRequestsException"),
        Some("sso" | "sso-oidc") => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException"),
        Some("sts") => return sts(request_id),
        _ => (StatusCode::BAD_REQUEST, "ThrottlingException"),
    };
    // The models of the portal and of sign-in spell the member in lower case.
    let message = if status == StatusCode::BAD_REQUEST {
        "Message"
    } else {
        "message"
    };
    let body = json!({ "__type": exception, message: "Rate exceeded" });
    let mut response = response(
        status,
        "application/x-amz-json-1.1",
        body.to_string(),
        request_id,
    );
    if status == StatusCode::TOO_MANY_REQUESTS {
        // The REST protocol names the exception in a header.
        let headers = response.headers_mut();
        headers.insert(
            "x-amzn-errortype",
            HeaderValue::from_static("TooManyRequestsException"),
        );
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
    }
    response
}

fn sts(request_id: &str) -> Response<Bytes> {
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>Throttling</Code><Message>Rate exceeded</Message></Error>\
         <RequestId>{request_id}</RequestId></ErrorResponse>"
    );
    response(StatusCode::BAD_REQUEST, "text/xml", body, request_id)
}

fn response(
    status: StatusCode,
    kind: &'static str,
    body: String,
    request_id: &str,
) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}
