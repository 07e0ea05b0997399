//! The builder of [`Client`].

use std::sync::Arc;

use rest_core::{Clock, RetryPolicy, Secret, Service, SystemClock, Transport};
use url::{Host, Url};

use super::Client;
use crate::vendor::Okta;

/// Configures and builds a [`Client`]. Only [`build`](Self::build) can fail.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    org_url: String,
    token: Secret,
    transport: Option<Arc<dyn Transport>>,
    http: Option<reqwest::ClientBuilder>,
    clock: Arc<dyn Clock>,
    retry: RetryPolicy,
    user_agent: String,
}

impl ClientBuilder {
    pub(super) fn new(org_url: &str, token: Secret) -> Self {
        Self {
            org_url: org_url.to_owned(),
            token,
            transport: None,
            http: None,
            clock: Arc::new(SystemClock),
            retry: RetryPolicy::default(),
            user_agent: concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    /// Sets the clock (default: the operating system's clock).
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the HTTP client, for its proxies, certificates, timeouts and name resolution; see
    /// [`HttpTransport::with_client`](rest_core::HttpTransport::with_client). It takes the place of a transport.
    pub fn http(mut self, client: reqwest::ClientBuilder) -> Self {
        self.http = Some(client);
        self
    }

    /// Sets the transport (default: HTTP).
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Sets the retry policy (default: [`RetryPolicy::default`]).
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets the `User-Agent` header (default: the name and version of this crate).
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Builds the client without sending a request.
    ///
    /// # Errors
    ///
    /// Fails if the org URL is not the URL of an Okta org, or if the token or the user agent cannot
    /// be sent in a header.
    pub fn build(self) -> Result<Client, BuildError> {
        let base = parse_org_url(&self.org_url)?;
        let mut service = Service::builder(base)
            .authorization("SSWS", self.token)
            .vendor(Arc::new(Okta))
            .clock(self.clock)
            .retry(self.retry)
            .user_agent(self.user_agent);
        if let Some(transport) = self.transport {
            service = service.transport(transport);
        }
        if let Some(client) = self.http {
            service = service.http(client);
        }
        Ok(Client {
            service: service.build()?,
        })
    }
}

/// The error of [`ClientBuilder::build`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The org URL is not a valid URL.
    #[error("{org_url:?} is not the URL of an Okta org, such as https://acme.okta.com")]
    #[non_exhaustive]
    OrgUrl {
        /// The org URL as given.
        org_url: String,
        /// The cause.
        source: url::ParseError,
    },
    /// The org URL does not use https, so the token would be sent unencrypted.
    #[error("the org URL must use https, because a token is sent to {host}")]
    #[non_exhaustive]
    NotHttps {
        /// The host.
        host: String,
    },
    /// The org URL contains more than a scheme, a host and a port.
    #[error("the org URL must have only a scheme, a host and a port, such as https://{host}")]
    #[non_exhaustive]
    MoreThanHost {
        /// The host.
        host: String,
    },
    /// The org URL is the URL of the Admin Console, which does not serve the API.
    #[error("{host} is the Admin Console; the API is at https://{api_host}")]
    #[non_exhaustive]
    AdminConsole {
        /// The host.
        host: String,
        /// The host to use.
        api_host: String,
    },
    /// The token, the user agent or another setting is not valid. The source contains the reason.
    #[error("the client could not be built")]
    Service(#[from] rest_core::BuildError),
}

/// Parses the org URL, and checks that it is safe to send a token to it.
fn parse_org_url(org_url: &str) -> Result<Url, BuildError> {
    let org_url = org_url.trim();
    let url = Url::parse(org_url).map_err(|source| BuildError::OrgUrl {
        org_url: org_url.to_owned(),
        source,
    })?;
    let Some(host) = url.host() else {
        let source = url::ParseError::EmptyHost;
        return Err(BuildError::OrgUrl {
            org_url: org_url.to_owned(),
            source,
        });
    };
    let loopback = match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let host = host.to_string();
    if url.scheme() != "https" && !(loopback && url.scheme() == "http") {
        return Err(BuildError::NotHttps { host });
    }
    let has_user = !url.username().is_empty() || url.password().is_some();
    if has_user || url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(BuildError::MoreThanHost { host });
    }
    if let Some(api_host) = api_host_of_admin_console(&host) {
        return Err(BuildError::AdminConsole { host, api_host });
    }
    Ok(url)
}

/// Returns the org's API host if `host` is the host of its Admin Console.
fn api_host_of_admin_console(host: &str) -> Option<String> {
    let (org, rest) = host.split_once("-admin.")?;
    // `-admin` marks the Admin Console only on Okta's own domains: `login-admin.example.com` may be
    // the custom domain of an org.
    let is_okta = OKTA_DOMAINS.contains(&rest);
    (is_okta && !org.is_empty() && !org.contains('.')).then(|| format!("{org}.{rest}"))
}

const OKTA_DOMAINS: [&str; 5] = [
    "okta.com",
    "oktapreview.com",
    "okta-emea.com",
    "okta-gov.com",
    "okta.mil",
];

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use rest_core::Secret;

    use crate::Client;

    #[track_caller]
    fn check(org_url: &str, expected: &str) {
        let client = Client::builder(org_url, Secret::new("00abc"))
            .build()
            .expect("a valid client");
        assert_eq!(client.org_url().as_str(), expected);
    }

    #[track_caller]
    fn check_error(org_url: &str, expected: &str) {
        let error = Client::builder(org_url, Secret::new("00abc"))
            .build()
            .expect_err("an error");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn the_org_url_is_normalized() {
        check("https://acme.okta.com", "https://acme.okta.com/");
        check(" https://ACME.okta.com/\n", "https://acme.okta.com/");
        check(
            "https://login.example.com:8443",
            "https://login.example.com:8443/",
        );
        check(
            "https://login-admin.example.com",
            "https://login-admin.example.com/",
        );
    }

    #[test]
    fn plain_http_is_allowed_only_for_loopback() {
        check("http://127.0.0.1:8080", "http://127.0.0.1:8080/");
        check("http://localhost:8080/", "http://localhost:8080/");
        check("http://[::1]:8080/", "http://[::1]:8080/");
        let text = "the org URL must use https, because a token is sent to acme.okta.com";
        check_error("http://acme.okta.com", text);
        check_error(
            "http://127.0.0.1.example.net",
            "the org URL must use https, because a token is sent to 127.0.0.1.example.net",
        );
    }

    #[test]
    fn the_url_of_the_admin_console_is_an_error() {
        check_error(
            "https://acme-admin.okta.com",
            "acme-admin.okta.com is the Admin Console; the API is at https://acme.okta.com",
        );
        check_error(
            "https://dev-1-admin.oktapreview.com/",
            "dev-1-admin.oktapreview.com is the Admin Console; the API is at \
             https://dev-1.oktapreview.com",
        );
    }

    #[test]
    fn a_url_that_is_not_an_org_url_is_an_error() {
        check_error(
            "acme.okta.com",
            "\"acme.okta.com\" is not the URL of an Okta org, such as https://acme.okta.com",
        );
        let text =
            "the org URL must have only a scheme, a host and a port, such as https://acme.okta.com";
        check_error("https://acme.okta.com/api/v1", text);
        check_error("https://acme.okta.com/?x", text);
        check_error("https://ada:pw@acme.okta.com", text);
    }

    #[test]
    fn the_error_for_an_invalid_token_does_not_contain_the_token() {
        let token = Secret::new("00abc\n");
        let error = Client::builder("https://acme.okta.com", token)
            .build()
            .expect_err("an error");
        assert_eq!(error.to_string(), "the client could not be built");
        let source = error.source().expect("a source").to_string();
        assert!(
            source.starts_with("the secret has a space, a line break"),
            "{source}"
        );
        assert!(!format!("{error:?}").contains("00abc"));
    }
}
