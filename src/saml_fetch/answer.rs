//! The answers of a server that are no current metadata, as errors.

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::{
    StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, LOCATION},
};
use rest_core::{Response, Vendor, headers, to_single_line};

use super::{FetchError, FetchErrorKind, MetadataUrl, check::Fault, url::shown};
use crate::error::ServiceResponse;

/// The conventions of a web server that serves metadata.
#[derive(Debug)]
pub(super) struct MetadataServer;

impl Vendor for MetadataServer {
    /// Returns the id that Okta, AWS or another server gives to a request.
    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        let names = ["x-okta-request-id", "x-amzn-requestid", "x-request-id"];
        let id = names
            .iter()
            .find_map(|name| headers::text(headers, *name))?;
        Some(to_single_line(id))
    }
}

impl FetchError {
    /// Returns the error of a call.
    pub(super) fn of_call(url: &MetadataUrl, max_bytes: usize, error: rest_core::Error) -> Self {
        match error {
            rest_core::Error::Refused(response) if is_redirect(response.status()) => {
                redirected(url, &response)
            }
            rest_core::Error::Refused(response) => refused(url, &response),
            rest_core::Error::Transport(error) if error.is_body_too_large() => {
                let summary = format!(
                    "the SAML metadata of {url} is larger than the limit of {max_bytes} bytes"
                );
                Self::new(FetchErrorKind::TooLarge, summary).with_help(
                    "check that the URL is that of metadata; if it is, raise the limit (`FetcherBuilder::max_bytes`), or download it and pass the file",
                )
            }
            rest_core::Error::Request(error) => Self::options(&error.to_string())
                .with_help("correct the URL")
                .with_source(error),
            error => {
                let summary = format!("the SAML metadata of {url} could not be fetched");
                Self::new(FetchErrorKind::Unreachable, summary)
                    .with_help(
                        "check the host of the URL, the connection and the proxy, then run again",
                    )
                    .with_source(error)
            }
        }
    }

    /// Returns the error of a document that was sent with status 200 and cannot be used.
    pub(super) fn of_document(url: &MetadataUrl, response: &Received, fault: Fault) -> Self {
        let error = match &fault {
            Fault::Signature(error) => Self::new(
                FetchErrorKind::NotVerified,
                format!("the SAML metadata of {url} is not signed with the pinned key: {error}"),
            )
            .with_help(
                "do not use the document; ask its publisher over another channel whether the key has changed, and pin the new key",
            ),
            fault => Self::new(
                FetchErrorKind::NotMetadata,
                format!("the answer of {url} is not usable as SAML metadata: {fault}"),
            )
            .with_help("open the URL in a browser: it must show XML without a sign-in; correct the URL if it is another page"),
        };
        error
            .with_response(response.described(url))
            .with_source(fault)
    }

    /// Returns the error of a document that has expired.
    pub(super) fn expired(url: &MetadataUrl, response: &Received, at: Timestamp) -> Self {
        Self::new(
            FetchErrorKind::Expired,
            format!("the SAML metadata of {url} expired at {at}"),
        )
        .with_response(response.described(url))
        .with_help("ask the publisher for current metadata; if it is current, check the clock of this machine")
    }
}

/// The facts of a response that errors name.
pub(super) struct Received {
    status: u16,
    request_id: Option<String>,
    content: String,
}

impl Received {
    pub(super) fn new(response: &Response) -> Self {
        Self {
            status: response.status().as_u16(),
            request_id: response.request_id().map(ToOwned::to_owned),
            content: content(response.headers(), response.body()),
        }
    }

    fn described(&self, url: &MetadataUrl) -> ServiceResponse {
        ServiceResponse {
            call: format!("GET {url}"),
            status: Some(self.status),
            code: None,
            message: Some(self.content.clone()),
            request_id: self.request_id.clone(),
        }
    }
}

/// Returns whether a status means that the document is at the address of `Location`.
fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn redirected(url: &MetadataUrl, response: &Response) -> FetchError {
    let location = headers::text(response.headers(), LOCATION);
    let target = location.and_then(|location| url.url().join(location).ok());
    let (summary, help) = match target {
        Some(target) => (
            format!("{url} redirects to {}", shown(&target)),
            "check the new address, and pass it instead if it is the publisher's; redirects are not followed, because they can lead to \
             another server, or to a sign-in page",
        ),
        None => (
            format!("{url} redirects without an address"),
            "ask the publisher for the URL of the metadata",
        ),
    };
    FetchError::new(FetchErrorKind::Redirected, summary)
        .with_response(Received::new(response).described(url))
        .with_help(help)
}

fn refused(url: &MetadataUrl, response: &Response) -> FetchError {
    let status = response.status();
    let help = match status.as_u16() {
        304 => {
            "the request had no condition, so a proxy or the server is at fault; ask the publisher of the metadata"
        }
        401 | 403 => "pass a URL that needs no sign-in, or allow this machine to read it",
        404 | 410 => {
            "check the path of the URL, and whether the publisher still has the metadata there"
        }
        429 | 500.. => "run again later; with the request id, the publisher finds the request",
        _ => "check the URL, then ask the publisher of the metadata",
    };
    let summary = format!("the server refused the SAML metadata of {url} with {status}");
    FetchError::new(FetchErrorKind::Refused, summary)
        .with_response(Received::new(response).described(url))
        .with_help(help)
}

/// Describes a body without its content, such as `text/html, first element <html>, 512 bytes`.
fn content(headers: &HeaderMap, body: &Bytes) -> String {
    let text = |name| headers::text(headers, name).map(to_single_line);
    let kind = text(CONTENT_TYPE).unwrap_or_else(|| "no content type".to_owned());
    let encoding = text(CONTENT_ENCODING).map(|encoding| format!(", content encoding {encoding}"));
    let element = first_element(body).map(|name| format!(", first element <{name}>"));
    let length = body.len();
    let bytes = if length == 1 { "byte" } else { "bytes" };
    format!(
        "{kind}{}{}, {length} {bytes}",
        encoding.unwrap_or_default(),
        element.unwrap_or_default()
    )
}

/// Returns the name in the first start tag of the first 4 KiB.
fn first_element(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&body[..body.len().min(4 << 10)]);
    let tag = text
        .split('<')
        .skip(1)
        .find(|tag| tag.starts_with(|c: char| c.is_alphabetic()))?;
    let end = tag.find(|c: char| !c.is_alphanumeric() && !matches!(c, ':' | '-' | '_' | '.'));
    let name = &tag[..end.unwrap_or(tag.len())];
    Some(name.chars().take(60).collect())
}
