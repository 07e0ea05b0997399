//! A parsed request to Okta: path, query and body, with strict checks.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::reply::Refusal;

/// A parsed request.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) now: Timestamp,
    pub(super) method: &'a Method,
    /// The host for links in the reply, without a scheme.
    pub(super) host: String,
    /// The path as sent.
    pub(super) path: &'a str,
    /// The decoded segments of the path after `/api/v1/`.
    pub(super) segments: Vec<String>,
    query: Vec<(String, String)>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a Bytes,
}

impl<'a> Call<'a> {
    /// Parses a request. A path outside of `/api/v1` has no segments.
    pub(super) fn new(now: Timestamp, host: String, request: &'a http::Request<Bytes>) -> Self {
        let path = request.uri().path();
        let below = path
            .strip_prefix("/api/v1")
            .filter(|below| below.starts_with('/'));
        let query = request.uri().query().unwrap_or_default();
        Self {
            now,
            method: request.method(),
            host,
            path,
            segments: below
                .unwrap_or_default()
                .split('/')
                .skip(1)
                .map(decode)
                .collect(),
            query: url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            headers: request.headers(),
            body: request.body(),
        }
    }

    /// Returns the first value of this query parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Rejects query parameters that the endpoint does not know.
    ///
    /// Okta ignores them and would answer a misspelled `filter` with the full list.
    pub(super) fn allow_only(&self, known: &[&str]) -> Result<(), Refusal> {
        match self
            .query
            .iter()
            .find(|(key, _)| !known.contains(&key.as_str()))
        {
            None => Ok(()),
            Some((key, _)) => Err(Refusal::invalid(
                "query",
                format!("{key}: the sandbox does not support this parameter of the endpoint"),
            )),
        }
    }

    /// Returns the value of a boolean query parameter, or the default if the parameter is missing.
    pub(super) fn bool_parameter(&self, name: &str, default: bool) -> Result<bool, Refusal> {
        match self.parameter(name) {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(Refusal::invalid(
                name,
                format!("{name}: must be true or false"),
            )),
        }
    }

    /// Returns a serializer with all query parameters except the `excluded` ones.
    pub(super) fn query_without(
        &self,
        excluded: &[&str],
    ) -> url::form_urlencoded::Serializer<'static, String> {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in &self.query {
            if !excluded.contains(&key.as_str()) {
                query.append_pair(key, value);
            }
        }
        query
    }

    /// Returns the value of a header, or an empty text if the request has it several times.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().unwrap_or_default();
        Some(if values.next().is_none() { value } else { "" })
    }

    /// Returns the fields of a body with form encoding.
    pub(super) fn form(&self) -> Option<BTreeMap<String, String>> {
        let fields = url::form_urlencoded::parse(self.body).into_owned();
        (self.media_type() == "application/x-www-form-urlencoded").then(|| fields.collect())
    }

    /// Returns the body as JSON.
    pub(super) fn json(&self) -> Result<Value, Refusal> {
        if self.media_type() != "application/json" {
            return Err(Refusal::media_type());
        }
        serde_json::from_slice(self.body).map_err(|_error| Refusal::malformed())
    }

    /// Returns the body as a JSON object.
    pub(super) fn json_object(&self) -> Result<Map<String, Value>, Refusal> {
        match self.json()? {
            Value::Object(object) => Ok(object),
            _ => Err(Refusal::malformed()),
        }
    }

    /// Returns the body as a JSON object; an empty body is an empty object.
    pub(super) fn optional_json_object(&self) -> Result<Map<String, Value>, Refusal> {
        if self.body.is_empty() {
            return Ok(Map::new());
        }
        self.json_object()
    }

    /// Returns whether the `Accept` header allows this media type.
    pub(super) fn accepts(&self, kind: &str) -> bool {
        if !self.headers.contains_key(header::ACCEPT) {
            return true;
        }
        let accept = self.headers.get_all(header::ACCEPT).iter();
        let mut ranges = accept
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|range| range.split(';').next().unwrap_or_default().trim());
        let family = kind.split('/').next().unwrap_or_default();
        ranges.any(|range| range == "*/*" || range == kind || range == format!("{family}/*"))
    }

    /// Returns whether the request does not want a part of a user's document.
    ///
    /// Source: header `Content-Type: application/json; okta-response=…` of "List all users".
    pub(super) fn omits(&self, part: &str) -> bool {
        let kind = self.headers.get(header::CONTENT_TYPE);
        let omitted = kind.and_then(|kind| kind.to_str().ok()?.split_once("okta-response="));
        omitted.is_some_and(|(_, omitted)| omitted.split([',', '"', ' ']).any(|name| name == part))
    }

    pub(super) fn media_type(&self) -> &str {
        let kind = self.headers.get(header::CONTENT_TYPE);
        let kind = kind
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        kind.split(';').next().unwrap_or_default().trim()
    }
}

/// Decodes the percent-encoding of a path segment.
fn decode(segment: &str) -> String {
    // The decoder is for form encoding, where a plus sign is a space. In a path it is a plus sign.
    let pair = format!("x={}", segment.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_segment_is_decoded_and_a_plus_sign_is_kept() {
        assert_eq!(decode("ada%40example.com"), "ada@example.com");
        assert_eq!(decode("ada+aws@example.com"), "ada+aws@example.com");
        assert_eq!(decode("a=b&c"), "a=b&c");
    }
}
