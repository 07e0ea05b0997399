//! One request as the Okta half reads it: path, query and body, each strict.

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::answer::Refusal;

/// A request, taken apart.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) now: Timestamp,
    pub(super) method: &'a Method,
    /// The host the request names, without a scheme.
    pub(super) host: String,
    /// The path as it was sent.
    pub(super) path: &'a str,
    /// The decoded parts of the path after `/api/v1/`.
    pub(super) segments: Vec<String>,
    query: Vec<(String, String)>,
    headers: &'a HeaderMap,
    body: &'a Bytes,
}

impl<'a> Call<'a> {
    /// Takes a request apart; a path that is not below `/api/v1` has no parts.
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

    /// The query's value of this name.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Refuses parameters the endpoint does not know.
    ///
    /// Okta ignores them, which hides a misspelled `filter` behind a full list; the sandbox does not.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        match self
            .query
            .iter()
            .find(|(key, _)| !known.contains(&key.as_str()))
        {
            None => Ok(()),
            Some((key, _)) => Err(Refusal::invalid(
                "query",
                format!("{key}: the sandbox knows no such parameter of this endpoint"),
            )),
        }
    }

    /// The query's value of this name as a truth value.
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, Refusal> {
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

    /// The query but for these parameters, ready to be written again.
    pub(super) fn query_without(
        &self,
        left_out: &[&str],
    ) -> url::form_urlencoded::Serializer<'static, String> {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in &self.query {
            if !left_out.contains(&key.as_str()) {
                query.append_pair(key, value);
            }
        }
        query
    }

    /// The body as a JSON object.
    pub(super) fn object(&self) -> Result<Map<String, Value>, Refusal> {
        if !self.is_json() {
            return Err(Refusal::media_type());
        }
        match serde_json::from_slice(self.body) {
            Ok(Value::Object(object)) => Ok(object),
            _ => Err(Refusal::malformed()),
        }
    }

    /// The body as a JSON object, or an empty one if nothing was sent.
    pub(super) fn object_or_nothing(&self) -> Result<Map<String, Value>, Refusal> {
        if self.body.is_empty() {
            return Ok(Map::new());
        }
        self.object()
    }

    /// Whether the caller takes an answer of this type.
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

    fn is_json(&self) -> bool {
        let kind = self.headers.get(header::CONTENT_TYPE);
        let kind = kind
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        kind.split(';').next().unwrap_or_default().trim() == "application/json"
    }
}

/// A part of a path without its percent-encoding.
fn decode(part: &str) -> String {
    // A plus sign is itself in a path, and a space in the form encoding that the decoder is made for.
    let part = format!("x={}", part.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(part.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_path_is_decoded_and_a_plus_stays_a_plus() {
        assert_eq!(decode("ada%40example.com"), "ada@example.com");
        assert_eq!(decode("ada+aws@example.com"), "ada+aws@example.com");
        assert_eq!(decode("a=b&c"), "a=b&c");
    }
}
