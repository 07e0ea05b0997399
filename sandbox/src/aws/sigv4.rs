//! AWS Signature Version 4, verified like the AWS services do.
//!
//! Source: "Create a signed AWS API request", IAM User Guide. The date of a request has to match the
//! credential scope. It does not have to match the sandbox's clock, because a test can advance that clock,
//! but not the clock of the client that signs.

use axum::body::Bytes;
use axum::http::Request;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::ids::hex_of;

/// The parsed `Authorization` header.
#[derive(Debug)]
pub(crate) struct Authorization<'r> {
    /// The id of the access key.
    pub(crate) key: &'r str,
    /// The Region in the credential scope.
    pub(crate) region: &'r str,
    /// The session token, if the key belongs to a role session.
    pub(crate) session_token: Option<&'r str>,
    date: &'r str,
    timestamp: &'r str,
    service: &'r str,
    signed_headers: Vec<&'r str>,
    signature: &'r str,
}

/// Reason why a signature is rejected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SignatureError {
    /// There is no `Authorization` header.
    Missing,
    /// The header does not have the required format.
    Incomplete(String),
    /// The scope or the signed headers are wrong.
    Scope(String),
    /// The signature was made with another secret or for another request.
    Mismatch,
}

impl<'r> Authorization<'r> {
    /// Reads the `Authorization` header of a request to a service.
    ///
    /// # Errors
    ///
    /// Returns an error unless the header is complete, its scope names `service`, and the host and the date
    /// are signed.
    pub(crate) fn read(request: &'r Request<Bytes>, service: &str) -> Result<Self, SignatureError> {
        let header = header(request, "authorization").ok_or(SignatureError::Missing)?;
        let fields = header.strip_prefix("AWS4-HMAC-SHA256 ").ok_or_else(|| {
            SignatureError::Incomplete("Unsupported Authorization header scheme.".to_owned())
        })?;
        let field = |name: &str| {
            fields
                .split(',')
                .find_map(|part| part.trim().strip_prefix(name))
                .ok_or_else(|| {
                    SignatureError::Incomplete(format!(
                        "Authorization header requires '{name}' parameter."
                    ))
                })
        };
        let credential = field("Credential=")?;
        let signed_headers: Vec<&str> = field("SignedHeaders=")?.split(';').collect();
        let signature = field("Signature=")?;
        let parts: Vec<&str> = credential.split('/').collect();
        let &[key, date, region, scope, "aws4_request"] = parts.as_slice() else {
            return Err(SignatureError::Incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. \
                 keyid/date/region/service/term, got '{credential}'"
            )));
        };
        let timestamp = self::header(request, "x-amz-date").ok_or_else(|| {
            SignatureError::Incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".to_owned())
        })?;
        let authorization = Self {
            key,
            region,
            session_token: self::header(request, "x-amz-security-token"),
            date,
            timestamp,
            service: scope,
            signed_headers,
            signature,
        };
        authorization.check_scope(service)?;
        Ok(authorization)
    }

    /// Compares the signature with the expected signature of this secret.
    ///
    /// # Errors
    ///
    /// Returns [`SignatureError::Mismatch`] if they differ.
    pub(crate) fn verify(
        &self,
        request: &Request<Bytes>,
        secret: &str,
    ) -> Result<(), SignatureError> {
        if self.signature_of(request, secret) == self.signature {
            Ok(())
        } else {
            Err(SignatureError::Mismatch)
        }
    }

    /// Computes the signature of a request with this secret.
    pub(crate) fn signature_of(&self, request: &Request<Bytes>, secret: &str) -> String {
        let canonical = self.canonical_request(request);
        let scope = format!(
            "{}/{}/{}/aws4_request",
            self.date, self.region, self.service
        );
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            self.timestamp,
            hex_of(&Sha256::digest(canonical.as_bytes()))
        );
        let mut key = hmac(format!("AWS4{secret}").as_bytes(), self.date);
        for part in [self.region, self.service, "aws4_request"] {
            key = hmac(&key, part);
        }
        hex_of(&hmac(&key, &to_sign))
    }

    fn check_scope(&self, service: &str) -> Result<(), SignatureError> {
        if self.service != service {
            return Err(SignatureError::Scope(format!(
                "Credential should be scoped to correct service: '{service}'. "
            )));
        }
        if !is_region(self.region) {
            return Err(SignatureError::Scope(format!(
                "Credential should be scoped to a valid region, not '{}'. ",
                self.region
            )));
        }
        if self.timestamp.get(..8) != Some(self.date) {
            return Err(SignatureError::Scope(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '{}' != '{}', from '{}'.",
                self.date,
                self.timestamp.get(..8).unwrap_or_default(),
                self.timestamp
            )));
        }
        for wanted in ["host", "x-amz-date"] {
            if !self.signed_headers.contains(&wanted) {
                return Err(SignatureError::Scope(format!(
                    "'{wanted}' must be a 'SignedHeader' in the AWS Authorization."
                )));
            }
        }
        Ok(())
    }

    fn canonical_request(&self, request: &Request<Bytes>) -> String {
        let path: Vec<String> = request
            .uri()
            .path()
            .split('/')
            .map(|part| encode(part.as_bytes()))
            .collect();
        let mut query: Vec<(String, String)> =
            url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
                .map(|(name, value)| (encode(name.as_bytes()), encode(value.as_bytes())))
                .collect();
        query.sort();
        let query: Vec<String> = query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let headers: Vec<String> = self
            .signed_headers
            .iter()
            .map(|name| format!("{name}:{}", canonical_header(request, name)))
            .collect();
        format!(
            "{}\n{}\n{}\n{}\n\n{}\n{}",
            request.method(),
            path.join("/"),
            query.join("&"),
            headers.join("\n"),
            self.signed_headers.join(";"),
            hex_of(&Sha256::digest(request.body())),
        )
    }
}

/// Returns whether a text has the form of a Region name, such as `us-east-1` or `us-gov-west-1`.
pub(crate) fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    (3..=4).contains(&parts.len())
        && parts.last().is_some_and(|number| {
            number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit())
        })
        && parts[..parts.len() - 1]
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase()))
}

fn header<'r>(request: &'r Request<Bytes>, name: &str) -> Option<&'r str> {
    request.headers().get(name)?.to_str().ok()
}

/// Returns all values of a header, trimmed, with each run of spaces reduced to one space.
fn canonical_header(request: &Request<Bytes>, name: &str) -> String {
    let values: Vec<String> = request
        .headers()
        .get_all(name)
        .iter()
        .map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect();
    values.join(",")
}

/// Percent-encodes all characters except the unreserved characters of RFC 3986.
fn encode(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|&byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC accepts keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the request of the example "`GET` vanilla query" from AWS's public test suite for
    /// signatures.
    fn example(signature: &str) -> Request<Bytes> {
        Request::builder()
            .method("GET")
            .uri("/?Param2=value2&Param1=value1")
            .header("host", "example.amazonaws.com")
            .header("x-amz-date", "20150830T123600Z")
            .header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                     SignedHeaders=host;x-amz-date, Signature={signature}"
                ),
            )
            .body(Bytes::new())
            .expect("a request")
    }

    const SIGNATURE: &str = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    #[test]
    fn the_published_example_verifies() {
        let request = example(SIGNATURE);
        let authorization = Authorization::read(&request, "service").expect("a complete header");
        assert_eq!(authorization.verify(&request, SECRET), Ok(()));
        assert_eq!(authorization.region, "us-east-1");
    }

    #[test]
    fn a_signature_with_another_secret_is_rejected() {
        let request = example(SIGNATURE);
        let authorization = Authorization::read(&request, "service").expect("a complete header");
        assert_eq!(
            authorization.verify(&request, "another"),
            Err(SignatureError::Mismatch)
        );
    }

    #[test]
    fn a_modified_request_is_rejected() {
        let mut request = example(SIGNATURE);
        *request.body_mut() = Bytes::from_static(b"changed");
        let authorization = Authorization::read(&request, "service").expect("a complete header");
        assert_eq!(
            authorization.verify(&request, SECRET),
            Err(SignatureError::Mismatch)
        );
    }

    #[test]
    fn a_credential_for_another_service_is_rejected() {
        let request = example(SIGNATURE);
        assert_eq!(
            Authorization::read(&request, "sso").map(|_| ()),
            Err(SignatureError::Scope(
                "Credential should be scoped to correct service: 'sso'. ".to_owned()
            ))
        );
    }

    #[test]
    fn a_request_without_the_header_is_unsigned() {
        let request = Request::new(Bytes::new());
        assert_eq!(
            Authorization::read(&request, "sso").map(|_| ()),
            Err(SignatureError::Missing)
        );
    }

    #[test]
    fn a_bearer_token_is_not_a_signature() {
        let mut request = Request::new(Bytes::new());
        let value = axum::http::HeaderValue::from_static("Bearer abc");
        request.headers_mut().insert("authorization", value);
        assert_eq!(
            Authorization::read(&request, "sso").map(|_| ()),
            Err(SignatureError::Incomplete(
                "Unsupported Authorization header scheme.".to_owned()
            ))
        );
    }

    #[test]
    fn region_names_are_recognized_by_their_form() {
        for good in ["us-east-1", "eu-central-1", "us-gov-west-1"] {
            assert!(is_region(good), "{good}");
        }
        for bad in [
            "",
            "us-east",
            "useast1",
            "us-east-1x",
            "US-EAST-1",
            "aws-global",
        ] {
            assert!(!is_region(bad), "{bad}");
        }
    }
}
