use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::{Host, Origin, Url};

/// The base URL of a SCIM service.
///
/// AWS IAM Identity Center shows it with a slash at the end; `Display` writes that form. Okta refuses
/// the slash; [`without_slash`](Self::without_slash) writes what it takes.
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
    /// Reads an endpoint, with or without slashes at its end, and with the spaces of a paste around it.
    ///
    /// # Errors
    ///
    /// When the text is not a URL, is not `https` (`http` is allowed on this machine alone), or has a
    /// user name, a query or a fragment.
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
            _ => return Err(error("it must begin with https://")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(error("a user name or password does not belong into it"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(error("nothing may follow its path, neither `?` nor `#`"));
        }
        let path = format!("{}/", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(Self(url))
    }

    /// Returns the URL, with a slash at its end.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Returns the text without a slash at its end, as Okta wants it.
    #[must_use]
    pub fn without_slash(&self) -> String {
        self.0.as_str().trim_end_matches('/').to_owned()
    }

    /// Returns scheme, host and port: where the token may be sent.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.0.origin()
    }

    /// Returns the AWS Region in the host of an IAM Identity Center endpoint; `None` for any other.
    ///
    /// SCIM works in the primary Region of an instance only, so it is that one.
    #[must_use]
    pub fn aws_region(&self) -> Option<&str> {
        let rest = self.0.host_str()?.strip_prefix("scim.")?;
        let suffixes = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"];
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

/// A text that cannot be the base URL of a SCIM service.
///
/// It does not show the text, into which a token may have been pasted by mistake.
#[derive(Debug, thiserror::Error)]
#[error("the text is no SCIM endpoint: {problem}")]
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
    fn refused(text: &str, problem: &str) {
        let message = format!("the text is no SCIM endpoint: {problem}");
        assert_eq!(Endpoint::parse(text).unwrap_err().to_string(), message);
    }

    #[test]
    fn an_endpoint_has_one_form_however_many_slashes_end_it() {
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
    fn plain_http_is_for_this_machine_alone() {
        check(
            "http://127.0.0.1:8080/scim/v2",
            "http://127.0.0.1:8080/scim/v2/",
        );
        check("http://[::1]:8080/", "http://[::1]:8080/");
        check("http://localhost/v2", "http://localhost/v2/");
        refused("http://scim.example/v2", "it must begin with https://");
        refused("http://127.0.0.1.example/v2", "it must begin with https://");
        refused("ftp://scim.example/v2", "it must begin with https://");
    }

    #[test]
    fn what_is_more_than_a_base_url_is_refused() {
        refused(
            "https://a:b@scim.example/",
            "a user name or password does not belong into it",
        );
        refused(
            "https://scim.example/v2?x",
            "nothing may follow its path, neither `?` nor `#`",
        );
        refused(
            "https://scim.example/v2#x",
            "nothing may follow its path, neither `?` nor `#`",
        );
    }

    #[test]
    fn a_token_that_was_pasted_instead_is_not_shown() {
        refused("4f8a-secret", "it is not a URL");
        assert!(!format!("{:?}", Endpoint::parse("4f8a-secret").unwrap_err()).contains("4f8a"));
    }

    #[test]
    fn the_region_is_read_from_hosts_of_aws_alone() {
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
        assert_eq!(
            region("https://scim.eu-west-1.amazonaws.com.example/t/"),
            None
        );
        assert_eq!(region("https://scim.a.b.amazonaws.com/t/"), None);
        assert_eq!(region("https://example.com/scim.x.amazonaws.com/"), None);
    }

    #[test]
    fn an_endpoint_is_a_text_in_json() {
        let endpoint: Endpoint = serde_json::from_str(r#""https://scim.example/v2""#).unwrap();
        assert_eq!(
            serde_json::to_string(&endpoint).unwrap(),
            r#""https://scim.example/v2/""#
        );
        let error = serde_json::from_str::<Endpoint>(r#""x""#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the text is no SCIM endpoint: it is not a URL"
        );
    }
}
