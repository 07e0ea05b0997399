//! The base URL of a SCIM service, parsed and checked.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The base URL of a SCIM service.
///
/// AWS IAM Identity Center shows the URL with a trailing slash, and `Display` writes this form. Okta
/// rejects the trailing slash; use [`without_slash`](Self::without_slash) for Okta.
///
/// ```
/// use scim_client::Endpoint;
///
/// let endpoint = Endpoint::parse("https://scim.us-east-1.amazonaws.com/TENANT/scim/v2")?;
/// assert_eq!(endpoint.to_string(), "https://scim.us-east-1.amazonaws.com/TENANT/scim/v2/");
/// assert_eq!(endpoint.without_slash(), "https://scim.us-east-1.amazonaws.com/TENANT/scim/v2");
/// assert_eq!(endpoint.aws_region(), Some("us-east-1"));
/// # Ok::<(), scim_client::ParseEndpointError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint(Url);

impl Endpoint {
    /// Parses an endpoint. Surrounding whitespace and trailing slashes are accepted.
    ///
    /// # Errors
    ///
    /// Fails if the text is not a URL, does not use `https` (`http` is allowed only for loopback), or
    /// contains a user name, a password, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, ParseEndpointError> {
        let text = text.trim();
        let error = |problem| ParseEndpointError {
            problem,
            source: None,
        };
        let mut url = Url::parse(text).map_err(|source| ParseEndpointError {
            problem: "it is not a URL",
            source: Some(source),
        })?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            _ => return Err(error("it must start with https://")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(error("it must not contain a user name or a password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(error("it must not contain a query or a fragment"));
        }
        let path = format!("{}/", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(Self(url))
    }

    /// Returns the URL with a trailing slash.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Returns the URL without a trailing slash, as Okta requires it.
    #[must_use]
    pub fn without_slash(&self) -> String {
        self.0.as_str().trim_end_matches('/').to_owned()
    }

    /// Returns the AWS Region of an IAM Identity Center endpoint; `None` for other endpoints.
    ///
    /// The Region is the primary Region of the instance, because SCIM works only there.
    #[must_use]
    pub fn aws_region(&self) -> Option<&str> {
        let rest = self.0.host_str()?.strip_prefix("scim.")?;
        // The dual-stack endpoints of China are in the list "Beijing Region Endpoints" of its guide.
        let suffixes = [
            ".amazonaws.com",
            ".amazonaws.com.cn",
            ".api.aws",
            ".api.amazonwebservices.com.cn",
        ];
        let region = suffixes
            .iter()
            .find_map(|suffix| rest.strip_suffix(suffix))?;
        (!region.is_empty() && !region.contains('.')).then_some(region)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Endpoint")
            .field(&self.0.as_str())
            .finish()
    }
}

impl FromStr for Endpoint {
    type Err = ParseEndpointError;

    fn from_str(text: &str) -> Result<Self, ParseEndpointError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Endpoint {
    type Error = ParseEndpointError;

    fn try_from(text: String) -> Result<Self, ParseEndpointError> {
        Self::parse(&text)
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.to_string()
    }
}

/// The error of [`Endpoint::parse`].
///
/// The message does not contain the parsed text, which may be a token that was pasted by mistake.
#[derive(Debug, thiserror::Error)]
#[error("the text is not a SCIM endpoint: {problem}")]
pub struct ParseEndpointError {
    problem: &'static str,
    source: Option<url::ParseError>,
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, with_slash: &str) {
        let endpoint = Endpoint::parse(text).unwrap();
        assert_eq!(endpoint.to_string(), with_slash);
        assert_eq!(endpoint.without_slash(), with_slash.trim_end_matches('/'));
    }

    #[track_caller]
    fn check_error(text: &str, problem: &str) {
        let message = format!("the text is not a SCIM endpoint: {problem}");
        assert_eq!(Endpoint::parse(text).unwrap_err().to_string(), message);
    }

    #[test]
    fn an_endpoint_is_normalized_to_one_trailing_slash() {
        check("https://scim.example/t/v2", "https://scim.example/t/v2/");
        check("https://scim.example/t/v2/", "https://scim.example/t/v2/");
        check(
            " https://scim.example/t/v2//\n",
            "https://scim.example/t/v2/",
        );
        check("https://scim.example", "https://scim.example/");
        check("HTTPS://Scim.Example:443/t", "https://scim.example/t/");
    }

    #[test]
    fn plain_http_is_allowed_only_for_loopback() {
        check(
            "http://127.0.0.1:8080/scim/v2",
            "http://127.0.0.1:8080/scim/v2/",
        );
        check("http://[::1]:8080/", "http://[::1]:8080/");
        check("http://localhost/v2", "http://localhost/v2/");
        check_error("http://scim.example/v2", "it must start with https://");
        check_error("http://127.0.0.1.example/v2", "it must start with https://");
        check_error("ftp://scim.example/v2", "it must start with https://");
    }

    #[test]
    fn a_url_with_more_than_a_base_url_is_an_error() {
        check_error(
            "https://a:b@scim.example/",
            "it must not contain a user name or a password",
        );
        check_error(
            "https://scim.example/v2?x",
            "it must not contain a query or a fragment",
        );
        check_error(
            "https://scim.example/v2#x",
            "it must not contain a query or a fragment",
        );
    }

    #[test]
    fn the_error_does_not_contain_a_token_that_was_pasted_by_mistake() {
        check_error("4f8a-secret", "it is not a URL");
        assert!(!format!("{:?}", Endpoint::parse("4f8a-secret").unwrap_err()).contains("4f8a"));
    }

    #[test]
    fn the_region_is_read_only_from_hosts_of_aws() {
        let region = |text: &str| {
            Endpoint::parse(text)
                .unwrap()
                .aws_region()
                .map(str::to_owned)
        };
        assert_eq!(
            region("https://scim.eu-west-1.amazonaws.com/t/").as_deref(),
            Some("eu-west-1")
        );
        assert_eq!(
            region("https://scim.eu-west-1.api.aws/t/").as_deref(),
            Some("eu-west-1")
        );
        for china in ["amazonaws.com.cn", "api.amazonwebservices.com.cn"] {
            assert_eq!(
                region(&format!("https://scim.cn-north-1.{china}/t/")).as_deref(),
                Some("cn-north-1")
            );
        }
        assert_eq!(
            region("https://scim.eu-west-1.amazonaws.com.example/t/"),
            None
        );
        assert_eq!(region("https://scim.a.b.amazonaws.com/t/"), None);
        assert_eq!(region("https://example.com/scim.x.amazonaws.com/"), None);
    }

    #[test]
    fn an_endpoint_is_serialized_as_a_string() {
        let endpoint: Endpoint = serde_json::from_str(r#""https://scim.example/v2""#).unwrap();
        assert_eq!(
            serde_json::to_string(&endpoint).unwrap(),
            r#""https://scim.example/v2/""#
        );
        let error = serde_json::from_str::<Endpoint>(r#""x""#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the text is not a SCIM endpoint: it is not a URL"
        );
    }
}
