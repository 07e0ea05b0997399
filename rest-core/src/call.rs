//! Defines [`Call`], a request that is not sent yet.

use std::fmt;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE},
};
use serde::Serialize;
use url::{Url, form_urlencoded};

use crate::{error::RequestError, retry::Idempotency};

/// A request that is not authorized or sent yet.
///
/// Building a call sends nothing and cannot fail. If the call is invalid,
/// [`Service::send`](crate::Service::send) returns the error before it sends anything.
///
/// By default, every method except `POST` and `PATCH` is idempotent, as HTTP defines `GET`, `HEAD`,
/// `PUT` and `DELETE`. [`with_idempotency`](Self::with_idempotency) overrides the default.
#[must_use = "a call does nothing until it is sent"]
pub struct Call {
    method: Method,
    target: Target,
    query: Vec<(String, Option<String>)>,
    headers: HeaderMap,
    body: Option<Result<Bytes, serde_json::Error>>,
    pub(crate) idempotency: Idempotency,
}

impl Call {
    /// Returns a call of `method` at `path`, the path segments below the service's base URL.
    ///
    /// Each segment is percent-encoded, so it stays one segment of the path. Sending fails if a
    /// segment is empty, is `.` or `..`, or contains a control character.
    pub fn new(method: Method, path: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let path = path.into_iter().map(Into::into).collect();
        Self::with_target(method, Target::Path(path))
    }

    /// Returns a `GET` of `path`.
    pub fn get(path: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::new(Method::GET, path)
    }

    /// Returns a `POST` to `path`.
    pub fn post(path: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::new(Method::POST, path)
    }

    /// Returns a `PUT` to `path`.
    pub fn put(path: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::new(Method::PUT, path)
    }

    /// Returns a `PATCH` of `path`.
    pub fn patch(path: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::new(Method::PATCH, path)
    }

    /// Returns a `DELETE` of `path`.
    pub fn delete(path: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Returns a `GET` of a URL that the server sent, such as the URL of the next page.
    ///
    /// The URL is used unchanged, so [`query`](Self::query) adds nothing to it. Sending fails if
    /// the URL has another origin than the service.
    pub fn get_link(link: impl Into<String>) -> Self {
        Self::with_target(Method::GET, Target::Link(link.into()))
    }

    fn with_target(method: Method, target: Target) -> Self {
        let idempotency = if method == Method::POST || method == Method::PATCH {
            Idempotency::NotIdempotent
        } else {
            Idempotency::Idempotent
        };
        Self {
            method,
            target,
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: None,
            idempotency,
        }
    }

    /// Adds a query parameter. The name and the value are percent-encoded, spaces as `%20`.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), Some(value.into())));
        self
    }

    /// Adds a query parameter without a value, such as `?cursor`.
    pub fn query_key(mut self, name: impl Into<String>) -> Self {
        self.query.push((name.into(), None));
        self
    }

    /// Adds a query parameter if `value` is `Some`.
    pub fn query_opt(self, name: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Sets a header. It replaces an earlier header of the same name.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets the `Accept` header (default: `application/json`).
    pub fn accept(self, media_type: &'static str) -> Self {
        self.header(ACCEPT, HeaderValue::from_static(media_type))
    }

    /// Sets the body to `body` as JSON.
    pub fn json(self, body: &(impl Serialize + ?Sized)) -> Self {
        self.json_as("application/json", body)
    }

    /// Sets the body to `body` as JSON with a special media type, such as
    /// `application/merge-patch+json`.
    pub fn json_as(mut self, media_type: &'static str, body: &(impl Serialize + ?Sized)) -> Self {
        self.body = Some(serde_json::to_vec(body).map(Bytes::from));
        self.header(CONTENT_TYPE, HeaderValue::from_static(media_type))
    }

    /// Sets the body to bytes of another media type than JSON.
    pub fn body(mut self, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.body = Some(Ok(body.into()));
        self.header(CONTENT_TYPE, HeaderValue::from_static(media_type))
    }

    /// Sets whether sending the call twice is safe.
    pub fn with_idempotency(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = idempotency;
        self
    }

    /// Returns whether the call is idempotent.
    #[must_use]
    pub fn idempotency(&self) -> Idempotency {
        self.idempotency
    }

    /// Returns the method and the path, such as `POST /api/v1/apps`, without the query.
    ///
    /// The path is relative to the base URL; the path of a link is absolute.
    #[must_use]
    pub fn operation(&self) -> String {
        match &self.target {
            Target::Path(path) => format!("{} /{}", self.method, path.join("/")),
            Target::Link(link) => {
                let link = link.split(['?', '#']).next().unwrap_or_default();
                let path = link.split_once("://").map_or(link, |(_, rest)| {
                    rest.find('/').map_or("/", |slash| &rest[slash..])
                });
                format!("{} {path}", self.method)
            }
        }
    }

    /// Returns the URL of the call, and the request without its authorization.
    ///
    /// The URL always has the origin of `base`. A link to another origin is an error.
    pub(crate) fn prepare(self, base: &Url) -> Result<(Url, Request<Bytes>), RequestError> {
        let url = match &self.target {
            Target::Path(path) => {
                let mut url = append_path(base, path)?;
                if !self.query.is_empty() {
                    url.set_query(Some(&encode(&self.query)));
                }
                url
            }
            Target::Link(link) => {
                let mut url = base.join(link)?;
                url.set_fragment(None);
                url
            }
        };
        check_origin(base, &url)?;
        let body = self.body.transpose()?;
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = url.as_str().parse::<Uri>()?;
        *request.headers_mut() = self.headers;
        let headers = request.headers_mut();
        headers
            .entry(ACCEPT)
            .or_insert(HeaderValue::from_static("application/json"));
        if let Some(body) = body {
            *request.body_mut() = body;
        } else if matches!(self.method, Method::POST | Method::PUT | Method::PATCH) {
            // Some servers answer 411 if a request has neither a body nor a `Content-Length`.
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        *request.method_mut() = self.method;
        Ok((url, request))
    }
}

impl fmt::Debug for Call {
    /// Omits the query, the headers and the body, which may contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("operation", &self.operation())
            .field("idempotency", &self.idempotency)
            .finish_non_exhaustive()
    }
}

enum Target {
    Path(Vec<String>),
    Link(String),
}

/// Appends `path` to `base`. The result is always below `base`.
fn append_path(base: &Url, path: &[String]) -> Result<Url, RequestError> {
    let segment_error = |segment: &String| RequestError::Segment {
        segment: segment.clone(),
    };
    let mut url = base.clone();
    for segment in path {
        // The `url` crate silently drops dot segments and line breaks, which changes the path.
        let is_dropped = matches!(segment.as_str(), "" | "." | "..");
        if is_dropped || segment.chars().any(char::is_control) {
            return Err(segment_error(segment));
        }
        url.path_segments_mut()
            .map_err(|()| RequestError::Link(url::ParseError::RelativeUrlWithCannotBeABaseBase))?
            .pop_if_empty()
            .push(segment);
        // Defense in depth: if the segment is missing from the URL for any other reason, fail.
        if url
            .path_segments()
            .and_then(Iterator::last)
            .is_none_or(str::is_empty)
        {
            return Err(segment_error(segment));
        }
    }
    Ok(url)
}

/// Fails if `url` does not have the origin of `base`.
fn check_origin(base: &Url, url: &Url) -> Result<(), RequestError> {
    // Origins are compared instead of text prefixes, because `http://127.0.0.1:80@example.net/`
    // starts like a local URL. A URL with a user name is rejected: servers send no such links.
    if url.origin() == base.origin() && url.username().is_empty() && url.password().is_none() {
        return Ok(());
    }
    Err(RequestError::ForeignOrigin {
        own: base.origin().ascii_serialization(),
        other: url.origin().ascii_serialization(),
    })
}

fn encode(query: &[(String, Option<String>)]) -> String {
    // The serializer writes spaces as `+`, which only form parsers reliably decode. A `+` in a
    // value is already `%2B`, so every remaining `+` is a space.
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    for (name, value) in query {
        match value {
            Some(value) => encoded.append_pair(name, value),
            None => encoded.append_key_only(name),
        };
    }
    encoded.finish().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use http::Method;
    use url::Url;

    use super::Call;
    use crate::retry::Idempotency;

    const BASE: &str = "https://api.example.com/tenant/v2/";

    fn address(base: &str, call: Call) -> Result<String, String> {
        let base = Url::parse(base).expect("a valid base URL");
        call.prepare(&base)
            .map(|(url, _)| url.into())
            .map_err(|error| error.to_string())
    }

    #[track_caller]
    fn check(call: Call, expected: &str) {
        assert_eq!(address(BASE, call).as_deref(), Ok(expected));
    }

    #[test]
    fn a_path_is_appended_to_the_base_url() {
        check(
            Call::get(["Users", "7"]),
            "https://api.example.com/tenant/v2/Users/7",
        );
        let without_slash = address("https://api.example.com/v2", Call::get(["Users"]));
        assert_eq!(
            without_slash.as_deref(),
            Ok("https://api.example.com/v2/Users")
        );
    }

    #[test]
    fn a_segment_with_reserved_characters_stays_one_segment() {
        let below = "https://api.example.com/tenant/v2/";
        for (segment, encoded) in [
            ("a/b", "a%2Fb"),
            ("a?b", "a%3Fb"),
            ("a#b", "a%23b"),
            ("a\\..\\b", "a%5C..%5Cb"),
            ("%2e%2e", "%252e%252e"),
            ("../..", "..%2F.."),
            ("...", "..."),
            ("ä b", "%C3%A4%20b"),
            ("ada@example.com", "ada@example.com"),
        ] {
            check(Call::get([segment]), &format!("{below}{encoded}"));
        }
    }

    #[test]
    fn a_segment_that_would_change_the_path_is_an_error() {
        for segment in ["", ".", "..", ".\t.", "\n", "a\0"] {
            assert_eq!(
                address(BASE, Call::get(["Users", segment, "x"])),
                Err(format!("{segment:?} cannot be used as a path segment"))
            );
        }
    }

    #[test]
    fn a_query_is_encoded_with_spaces_as_percent_20() {
        check(
            Call::get(["apps"])
                .query("filter", "name eq \"a+b&c\"")
                .query_key("cursor")
                .query("limit", "20"),
            "https://api.example.com/tenant/v2/apps?filter=name%20eq%20%22a%2Bb%26c%22&cursor&limit=20",
        );
        let call = Call::get(["apps"]).query_opt("q", None::<String>);
        check(call, "https://api.example.com/tenant/v2/apps");
    }

    #[test]
    fn a_link_is_used_unchanged_except_for_its_fragment() {
        check(
            Call::get_link("https://api.example.com/tenant/v2/x?after=%2F+1#top"),
            "https://api.example.com/tenant/v2/x?after=%2F+1",
        );
        check(
            Call::get_link("/other?a=1"),
            "https://api.example.com/other?a=1",
        );
    }

    #[test]
    fn the_operation_omits_the_query() {
        assert_eq!(
            Call::post(["api", "v1", "apps"])
                .query("q", "x")
                .operation(),
            "POST /api/v1/apps"
        );
        assert_eq!(
            Call::get_link("https://a.example/x/y?after=1").operation(),
            "GET /x/y"
        );
        assert_eq!(Call::get_link("https://a.example").operation(), "GET /");
        assert_eq!(Call::get_link("/x?after=1").operation(), "GET /x");
    }

    #[test]
    fn only_post_and_patch_are_not_idempotent_by_default() {
        for (method, idempotency) in [
            (Method::GET, Idempotency::Idempotent),
            (Method::HEAD, Idempotency::Idempotent),
            (Method::PUT, Idempotency::Idempotent),
            (Method::DELETE, Idempotency::Idempotent),
            (Method::POST, Idempotency::NotIdempotent),
            (Method::PATCH, Idempotency::NotIdempotent),
        ] {
            assert_eq!(Call::new(method, ["x"]).idempotency, idempotency);
        }
        assert_eq!(
            Call::post(["x"])
                .with_idempotency(Idempotency::Idempotent)
                .idempotency,
            Idempotency::Idempotent
        );
    }

    #[test]
    fn a_write_without_a_body_has_content_length_zero() {
        let base = Url::parse(BASE).expect("a valid base URL");
        let length = |call: Call| {
            let (_, request) = call.prepare(&base).expect("a valid call");
            request.headers().get("content-length").cloned()
        };
        assert_eq!(length(Call::post(["x"])).expect("a header"), "0");
        assert_eq!(length(Call::put(["x"])).expect("a header"), "0");
        assert_eq!(length(Call::get(["x"])), None);
        // With a body, the transport sets the length.
        assert_eq!(length(Call::post(["x"]).json(&1)), None);
    }

    #[test]
    fn debug_output_omits_the_query_and_the_body() {
        let call = Call::post(["x"]).query("token", "hunter2").json("hunter2");
        assert_eq!(
            format!("{call:?}"),
            "Call { operation: \"POST /x\", idempotency: NotIdempotent, .. }"
        );
    }
}
