//! One call as a value: what to ask for, and what was answered.

use std::fmt;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE},
};
use serde::{Serialize, de::DeserializeOwned};
use url::{Url, form_urlencoded};

use crate::{
    error::RequestError,
    link::{self, LinkError},
    retry::Idempotency,
};

/// A request before it is authorized and sent.
///
/// Building one does nothing and cannot fail: whatever is wrong with it is reported by
/// [`Service::send`](crate::Service::send) before anything leaves.
///
/// `GET`, `HEAD`, `PUT` and `DELETE` are taken to be harmless to repeat, as HTTP defines them;
/// `POST` and `PATCH` are not, unless [`idempotency`](Self::idempotency) says so.
#[must_use = "a call does nothing until it is sent"]
pub struct Call {
    method: Method,
    target: Target,
    query: Vec<(String, Option<String>)>,
    headers: HeaderMap,
    body: Option<Result<Bytes, serde_json::Error>>,
    idempotency: Idempotency,
}

impl Call {
    /// Returns a call of `method` at `path`, the segments below the service's base address.
    ///
    /// Segments are percent-encoded, so none of them can end the path or add to it. An empty one,
    /// `.` and `..` are refused when the call is sent.
    pub fn new(method: Method, path: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let path = path.into_iter().map(Into::into).collect();
        Self::to(method, Target::Path(path))
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

    /// Returns a `GET` of an address that the server handed out, such as a next page.
    ///
    /// The address is used as it is, so [`query`](Self::query) adds nothing to it. One of another
    /// origin is refused when the call is sent.
    pub fn get_link(link: impl Into<String>) -> Self {
        Self::to(Method::GET, Target::Link(link.into()))
    }

    fn to(method: Method, target: Target) -> Self {
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

    /// Adds a query parameter; name and value are percent-encoded, spaces as `%20`.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), Some(value.into())));
        self
    }

    /// Adds a query parameter that is a bare name, such as `?cursor`.
    pub fn query_key(mut self, name: impl Into<String>) -> Self {
        self.query.push((name.into(), None));
        self
    }

    /// Adds a query parameter if there is a value for it.
    pub fn query_opt(self, name: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Sets a header, replacing an earlier one of the same name.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets what kind of answer is asked for; `application/json` unless told otherwise.
    pub fn accept(self, media_type: &'static str) -> Self {
        self.header(ACCEPT, HeaderValue::from_static(media_type))
    }

    /// Sends `body` as JSON.
    pub fn json(self, body: &(impl Serialize + ?Sized)) -> Self {
        self.json_as("application/json", body)
    }

    /// Sends `body` as JSON under a media type of its own, such as `application/merge-patch+json`.
    pub fn json_as(mut self, media_type: &'static str, body: &(impl Serialize + ?Sized)) -> Self {
        self.body = Some(serde_json::to_vec(body).map(Bytes::from));
        self.header(CONTENT_TYPE, HeaderValue::from_static(media_type))
    }

    /// Says what sending the call twice would do.
    pub fn idempotency(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = idempotency;
        self
    }

    /// Returns what the call does, such as `POST /api/v1/apps`: the method and the path below the
    /// base address, never the query.
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

    pub(crate) fn idempotency_class(&self) -> Idempotency {
        self.idempotency
    }

    /// Returns where the call goes, and the request without its authorization.
    ///
    /// Every request that comes out of here is for the origin of `base`.
    pub(crate) fn prepare(self, base: &Url) -> Result<(Url, Request<Bytes>), RequestError> {
        let url = match &self.target {
            Target::Path(path) => {
                let mut url = below(base, path)?;
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
            // Some servers answer 411 to a request without a body that does not say so.
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        *request.method_mut() = self.method;
        Ok((url, request))
    }
}

impl fmt::Debug for Call {
    /// Leaves out the query, the headers and the body, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("operation", &self.operation())
            .field("idempotency", &self.idempotency)
            .finish_non_exhaustive()
    }
}

/// What a server answered, whole and undecoded.
pub struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) request_id: Option<String>,
    pub(crate) attempts: u32,
}

impl Response {
    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the body, byte for byte as it was sent.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns the body, giving up the rest.
    #[must_use]
    pub fn into_body(self) -> Bytes {
        self.body
    }

    /// Returns the vendor's number for the request, if it has one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Returns how often the request was sent, the answered time included.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns the body read as JSON.
    ///
    /// # Errors
    ///
    /// What is wrong with the body, if it is not such JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// Returns the address of the next page from the `Link` headers.
    ///
    /// # Errors
    ///
    /// [`LinkError`] if the headers cannot be read; a list must not end because of that.
    pub fn next_link(&self) -> Result<Option<String>, LinkError> {
        link::next_link(&self.headers)
    }
}

impl fmt::Debug for Response {
    /// Leaves out the headers and the body, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("request_id", &self.request_id)
            .field("attempts", &self.attempts)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

enum Target {
    Path(Vec<String>),
    Link(String),
}

/// Returns `base` with `path` below it, and nowhere else.
fn below(base: &Url, path: &[String]) -> Result<Url, RequestError> {
    let refuse = |segment: &String| RequestError::Segment {
        segment: segment.clone(),
    };
    let mut url = base.clone();
    for segment in path {
        // The `url` crate drops dots and line breaks silently, and with them the meaning.
        let lost = matches!(segment.as_str(), "" | "." | "..");
        if lost || segment.chars().any(char::is_control) {
            return Err(refuse(segment));
        }
        url.path_segments_mut()
            .map_err(|()| RequestError::Link(url::ParseError::RelativeUrlWithCannotBeABaseBase))?
            .pop_if_empty()
            .push(segment);
        // Belt and braces: whatever the reason, a segment that is not there at all is an error.
        if url
            .path_segments()
            .and_then(Iterator::last)
            .is_none_or(str::is_empty)
        {
            return Err(refuse(segment));
        }
    }
    Ok(url)
}

/// Refuses an address that is not of the service's own origin.
fn check_origin(base: &Url, url: &Url) -> Result<(), RequestError> {
    // Origins are compared, not texts: `http://127.0.0.1:80@example.net/` begins like us. And a
    // link with a user name in it is none that a server hands out.
    if url.origin() == base.origin() && url.username().is_empty() && url.password().is_none() {
        return Ok(());
    }
    Err(RequestError::ForeignOrigin {
        own: base.origin().ascii_serialization(),
        other: url.origin().ascii_serialization(),
    })
}

fn encode(query: &[(String, Option<String>)]) -> String {
    // Spaces come as `+`, which only forms understand for certain; a `+` of a value is `%2B`.
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
        let base = Url::parse(base).expect("a base");
        call.prepare(&base)
            .map(|(url, _)| url.into())
            .map_err(|error| error.to_string())
    }

    #[track_caller]
    fn check(call: Call, expected: &str) {
        assert_eq!(address(BASE, call).as_deref(), Ok(expected));
    }

    #[test]
    fn a_path_is_put_below_the_base_address() {
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
    fn a_segment_cannot_end_the_path_or_add_to_it() {
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
    fn a_segment_that_would_lead_elsewhere_is_refused() {
        for segment in ["", ".", "..", ".\t.", "\n", "a\0"] {
            assert_eq!(
                address(BASE, Call::get(["Users", segment, "x"])),
                Err(format!("{segment:?} cannot be a part of an address"))
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
    fn a_link_is_followed_as_it_is() {
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
    fn what_a_call_does_is_said_without_its_query() {
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
    fn only_post_and_patch_are_harmful_to_repeat() {
        for (method, idempotency) in [
            (Method::GET, Idempotency::Idempotent),
            (Method::HEAD, Idempotency::Idempotent),
            (Method::PUT, Idempotency::Idempotent),
            (Method::DELETE, Idempotency::Idempotent),
            (Method::POST, Idempotency::NotIdempotent),
            (Method::PATCH, Idempotency::NotIdempotent),
        ] {
            assert_eq!(Call::new(method, ["x"]).idempotency_class(), idempotency);
        }
        assert_eq!(
            Call::post(["x"])
                .idempotency(Idempotency::Idempotent)
                .idempotency_class(),
            Idempotency::Idempotent
        );
    }

    #[test]
    fn a_write_without_a_body_says_so() {
        let base = Url::parse(BASE).expect("a base");
        let length = |call: Call| {
            let (_, request) = call.prepare(&base).expect("a request");
            request.headers().get("content-length").cloned()
        };
        assert_eq!(length(Call::post(["x"])).expect("a header"), "0");
        assert_eq!(length(Call::put(["x"])).expect("a header"), "0");
        assert_eq!(length(Call::get(["x"])), None);
        // With a body, the length is the transport's business.
        assert_eq!(length(Call::post(["x"]).json(&1)), None);
    }

    #[test]
    fn debug_output_shows_neither_query_nor_body() {
        let call = Call::post(["x"]).query("token", "hunter2").json("hunter2");
        assert_eq!(
            format!("{call:?}"),
            "Call { operation: \"POST /x\", idempotency: NotIdempotent, .. }"
        );
    }
}
