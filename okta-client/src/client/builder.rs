//! Setting up a client.

use std::sync::Arc;

use rest_core::{Clock, RetryPolicy, Secret, Service, SystemClock, Transport};
use url::{Host, Url};

use super::Client;
use crate::vendor::Okta;

/// Collects what a [`Client`] is made of; only [`build`](Self::build) can fail.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    org_url: String,
    token: Secret,
    transport: Option<Arc<dyn Transport>>,
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
            clock: Arc::new(SystemClock),
            retry: RetryPolicy::default(),
            user_agent: concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    /// Sets where the time comes from; the machine's clock unless told otherwise.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets what carries the requests; HTTP unless told otherwise.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Sets how often and how patiently calls are repeated.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets the `User-Agent` header.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Returns the client; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the org URL is not the address of an org, or if a part of the client
    /// cannot be set up.
    pub fn build(self) -> Result<Client, BuildError> {
        let base = check(&self.org_url)?;
        let mut service = Service::builder(base)
            .authorization("SSWS", self.token)
            .vendor(Arc::new(Okta))
            .clock(self.clock)
            .retry(self.retry)
            .user_agent(self.user_agent);
        if let Some(transport) = self.transport {
            service = service.transport(transport);
        }
        Ok(Client {
            service: service.build()?,
        })
    }
}

/// Why a client could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The org URL is not an address.
    #[error("{org_url:?} is not the address of an Okta org, such as https://acme.okta.com")]
    #[non_exhaustive]
    OrgUrl {
        /// The text.
        org_url: String,
        /// What is wrong with it.
        source: url::ParseError,
    },
    /// The org URL would send the token in the clear.
    #[error("{host} has to be spoken to over https, because a token is sent to it")]
    #[non_exhaustive]
    NotHttps {
        /// The host.
        host: String,
    },
    /// The org URL has more than a host in it.
    #[error("the address of an Okta org ends after the host: https://{host}")]
    #[non_exhaustive]
    MoreThanHost {
        /// The host.
        host: String,
    },
    /// The org URL is that of the Admin Console, which does not serve the API.
    #[error("{host} is the Admin Console; the API is at https://{api_host}")]
    #[non_exhaustive]
    AdminConsole {
        /// The host.
        host: String,
        /// The host to use.
        api_host: String,
    },
    /// Another part of the client cannot be set up.
    #[error("the client could not be set up")]
    Service(#[from] rest_core::BuildError),
}

/// Returns the org's address, if `org_url` is fit to send a token to.
fn check(org_url: &str) -> Result<Url, BuildError> {
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
    let user = !url.username().is_empty() || url.password().is_some();
    if user || url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(BuildError::MoreThanHost { host });
    }
    if let Some(api_host) = behind_admin_console(&host) {
        return Err(BuildError::AdminConsole { host, api_host });
    }
    Ok(url)
}

/// Returns the org's host if `host` is that of its Admin Console.
fn behind_admin_console(host: &str) -> Option<String> {
    let (org, rest) = host.split_once("-admin.")?;
    // Elsewhere, `login-admin` may be the name of a custom domain.
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
            .expect("a client");
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
    fn an_org_has_one_address_however_it_is_written() {
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
    fn a_token_is_sent_in_the_clear_to_loopback_only() {
        check("http://127.0.0.1:8080", "http://127.0.0.1:8080/");
        check("http://localhost:8080/", "http://localhost:8080/");
        check("http://[::1]:8080/", "http://[::1]:8080/");
        let text = "acme.okta.com has to be spoken to over https, because a token is sent to it";
        check_error("http://acme.okta.com", text);
        check_error(
            "http://127.0.0.1.example.net",
            "127.0.0.1.example.net has to be spoken to over https, because a token is sent to it",
        );
    }

    #[test]
    fn the_admin_console_is_pointed_out() {
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
    fn what_is_not_an_address_of_an_org_is_refused() {
        check_error(
            "acme.okta.com",
            "\"acme.okta.com\" is not the address of an Okta org, such as https://acme.okta.com",
        );
        let text = "the address of an Okta org ends after the host: https://acme.okta.com";
        check_error("https://acme.okta.com/api/v1", text);
        check_error("https://acme.okta.com/?x", text);
        check_error("https://ada:pw@acme.okta.com", text);
    }

    #[test]
    fn a_token_that_cannot_be_sent_is_refused_without_being_shown() {
        let token = Secret::new("00abc\n");
        let error = Client::builder("https://acme.okta.com", token)
            .build()
            .expect_err("an error");
        assert_eq!(error.to_string(), "the client could not be set up");
        let source = error.source().expect("a source").to_string();
        assert!(
            source.starts_with("the secret has a space, a line break"),
            "{source}"
        );
        assert!(!format!("{error:?}").contains("00abc"));
    }
}
