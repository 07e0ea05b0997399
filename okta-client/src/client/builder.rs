//! The builder of [`Client`].

use std::{error, sync::Arc, time::Duration};

use rest_core::{
    Clock, HttpOptions, HttpTransport, RetryPolicy, Secret, Service, ServiceBuilder, SystemClock,
    Transport, TransportError,
};
use url::{Host, Url};

use super::Client;
use crate::{
    Credential, KeyError,
    auth::{EndpointError, ServerTime, TokenAuthorizer, TokenEndpoint},
    vendor::Okta,
};

/// Configures and builds a [`Client`]. Only [`build`](Self::build) can fail.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    org_url: String,
    credential: Credential,
    transport: Option<Arc<dyn Transport>>,
    http: Option<reqwest::ClientBuilder>,
    ca_bundle: Option<Vec<u8>>,
    // It may contain a password.
    proxy: Option<Secret>,
    connect_timeout: Option<Duration>,
    request_timeout: Option<Duration>,
    clock: Arc<dyn Clock>,
    retry: RetryPolicy,
    user_agent: String,
    rate_limit_share: f64,
}

impl ClientBuilder {
    pub(super) fn new(org_url: &str, credential: Credential) -> Self {
        Self {
            org_url: org_url.to_owned(),
            credential,
            transport: None,
            http: None,
            ca_bundle: None,
            proxy: None,
            connect_timeout: None,
            request_timeout: None,
            clock: Arc::new(SystemClock),
            retry: RetryPolicy::default(),
            user_agent: concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")).to_owned(),
            rate_limit_share: 1.0,
        }
    }

    /// Sets the clock (default: the operating system's clock).
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Adds the certificates in a PEM text as roots, such as the one of a proxy that inspects TLS
    /// (default: the roots of the operating system alone).
    pub fn ca_bundle(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_bundle = Some(pem.into());
        self
    }

    /// Sets the proxy for HTTPS, such as `http://proxy.example.com:8080` or
    /// `http://user:password@proxy.example.com:8080` (default: the proxy of the environment).
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(Secret::new(url));
        self
    }

    /// Sets the timeout for opening a connection, including the TLS handshake (default: 10 s).
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// Sets the timeout of one attempt of a request, until its response is complete (default: 1 min).
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = Some(timeout);
        self
    }

    /// Sets the HTTP client, for settings that this builder lacks; see
    /// [`HttpTransport::with_client`](rest_core::HttpTransport::with_client). The CA bundle, the proxy
    /// and the timeouts of this builder are added to it, if they are set.
    pub fn http(mut self, client: reqwest::ClientBuilder) -> Self {
        self.http = Some(client);
        self
    }

    /// Sets the transport (default: HTTP). It takes the place of the HTTP client and its settings.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Sets the retry policy of calls and of token requests (default: [`RetryPolicy::default`]).
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets the `User-Agent` header (default: the name and version of this crate).
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Sets the share of each rate limit that this client uses, from 0 to 1 (default: 1).
    ///
    /// The limit is that of the `X-Rate-Limit-Limit` header, which is already the token's part of the org's limit
    /// (default: 50 %, "Token and OAuth app rate limits"). With 0.5, half of the token's limit is left for other programs with the same
    /// token. At least one request of each window is used. Clones, and clients with the same org URL, token
    /// and clock in this process, count their requests together.
    pub fn rate_limit_share(mut self, share: f64) -> Self {
        self.rate_limit_share = share;
        self
    }

    /// Builds the client without sending a request.
    ///
    /// A token is accepted as people paste it: with spaces or line breaks around it, and after `SSWS`
    /// or `Bearer`.
    ///
    /// # Errors
    ///
    /// Fails if the org URL is not the URL of an Okta org, if the credential cannot be used, or if the
    /// CA bundle, the proxy or the user agent is not valid.
    pub fn build(mut self) -> Result<Client, BuildError> {
        let base = parse_org_url(&self.org_url)?;
        let transport = self.take_transport()?;
        let service = || {
            Service::builder(base.clone())
                .vendor(Arc::new(Okta))
                .transport(Arc::clone(&transport))
                .clock(Arc::clone(&self.clock))
                .retry(self.retry.clone())
                .rate_limit_share(self.rate_limit_share)
                .user_agent(self.user_agent.clone())
        };
        let time = Arc::new(ServerTime::new(Arc::clone(&self.clock)));
        let with_tokens = |source| {
            let authorizer = TokenAuthorizer::new(source, Arc::clone(&time));
            service().authorizer(Arc::new(authorizer))
        };
        let authorized: ServiceBuilder = match self.credential {
            Credential::ApiToken(token) => {
                service().authorization("SSWS", pasted_token("SSWS ", &token))
            }
            Credential::Bearer(token) => {
                service().authorization("Bearer", pasted_token("Bearer ", &token))
            }
            Credential::ServiceApp(app) => {
                if app.client_id().is_empty() || app.scopes().is_empty() {
                    return Err(BuildError::ServiceApp);
                }
                let endpoint = TokenEndpoint::new(service(), app, Arc::clone(&time))?;
                with_tokens(Arc::new(endpoint))
            }
            Credential::Source(source) => with_tokens(source),
        };
        Ok(Client {
            service: authorized.build()?,
        })
    }

    fn take_transport(&mut self) -> Result<Arc<dyn Transport>, BuildError> {
        if let Some(transport) = self.transport.take() {
            return Ok(transport);
        }
        let mut options = HttpOptions::default();
        let is_plain = self.http.is_none() && self.ca_bundle.is_none() && self.proxy.is_none();
        if is_plain {
            options.connect_timeout = self.connect_timeout.unwrap_or(options.connect_timeout);
            options.total_timeout = self.request_timeout.unwrap_or(options.total_timeout);
            return Ok(Arc::new(HttpTransport::new(options)));
        }
        let (mut client, connect_timeout, request_timeout) = match self.http.take() {
            Some(client) => (client, self.connect_timeout, self.request_timeout),
            None => (
                reqwest::ClientBuilder::new(),
                self.connect_timeout.or(Some(options.connect_timeout)),
                self.request_timeout.or(Some(options.total_timeout)),
            ),
        };
        if let Some(timeout) = connect_timeout {
            client = client.connect_timeout(timeout);
        }
        if let Some(timeout) = request_timeout {
            client = client.timeout(timeout);
        }
        if let Some(pem) = &self.ca_bundle {
            let roots = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|error| BuildError::CaBundle(Some(error.into())))?;
            if roots.is_empty() {
                return Err(BuildError::CaBundle(None));
            }
            client = client.tls_certs_merge(roots);
        }
        if let Some(url) = &self.proxy {
            // The error could repeat the URL, which may contain a password.
            let proxy = reqwest::Proxy::https(url.expose()).map_err(|_error| BuildError::Proxy)?;
            client = client.proxy(proxy);
        }
        let transport = HttpTransport::with_client(client, options).map_err(BuildError::Http)?;
        Ok(Arc::new(transport))
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
    /// The org URL has no scheme.
    #[error("{org_url:?} lacks its scheme: use {suggestion}")]
    #[non_exhaustive]
    NoScheme {
        /// The org URL as given.
        org_url: String,
        /// The URL to use.
        suggestion: String,
    },
    /// The org URL does not use https, so the token would be sent unencrypted.
    #[error("the org URL must use https, because a token is sent to {host}: use https://{host}")]
    #[non_exhaustive]
    NotHttps {
        /// The host.
        host: String,
    },
    /// The org URL contains more than a scheme, a host and a port.
    #[error("the org URL must have only a scheme, a host and a port: use https://{host}")]
    #[non_exhaustive]
    MoreThanHost {
        /// The host.
        host: String,
    },
    /// The org URL is the URL of the Admin Console, which does not serve the API.
    #[error("{host} is the Admin Console, which does not serve the API: use https://{api_host}")]
    #[non_exhaustive]
    AdminConsole {
        /// The host.
        host: String,
        /// The host to use.
        api_host: String,
    },
    /// A service app has no client id, or no scopes. Okta issues no token without a scope.
    #[error("the service app needs a client id and at least one scope, such as okta.users.read")]
    ServiceApp,
    /// A key for proofs of possession could not be made.
    #[error("no key for proofs of possession could be made")]
    Key(#[source] KeyError),
    /// The CA bundle has no certificate in PEM, or one that cannot be read.
    #[error("the CA bundle is not a list of certificates in PEM")]
    CaBundle(#[source] Option<Box<dyn error::Error + Send + Sync>>),
    /// The URL of the proxy is not valid. The message does not repeat it, because it may contain a
    /// password.
    #[error("the proxy is not a URL, such as http://proxy.example.com:8080")]
    Proxy,
    /// The HTTP client cannot be built.
    #[error("the HTTP client could not be built")]
    Http(#[source] TransportError),
    /// The token, the user agent or another setting is not valid. The source contains the reason.
    #[error("the client could not be built")]
    Service(#[from] rest_core::BuildError),
}

impl From<EndpointError> for BuildError {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::Key(error) => Self::Key(error),
            EndpointError::Service(error) => Self::Service(error),
        }
    }
}

/// Returns the token without what is often pasted with it: white space, and its `scheme`.
fn pasted_token(scheme: &str, token: &Secret) -> Secret {
    let text = token.expose().trim();
    Secret::new(text.strip_prefix(scheme).map_or(text, str::trim_start))
}

/// Parses the org URL, and checks that it is safe to send a token to it.
///
/// The checks are in an order in which the URL that the error suggests passes all of them.
fn parse_org_url(org_url: &str) -> Result<Url, BuildError> {
    let org_url = org_url.trim();
    let not_a_url = |source| BuildError::OrgUrl {
        org_url: org_url.to_owned(),
        source,
    };
    if !org_url.contains("://") {
        let url = Url::parse(&format!("https://{org_url}")).map_err(not_a_url)?;
        let host = url.host_str().unwrap_or_default();
        let api_host = api_host_of_admin_console(host);
        return Err(BuildError::NoScheme {
            org_url: org_url.to_owned(),
            suggestion: match (api_host, url.port()) {
                (Some(api_host), _) => format!("https://{api_host}"),
                (None, Some(port)) => format!("https://{host}:{port}"),
                (None, None) => format!("https://{host}"),
            },
        });
    }
    let url = Url::parse(org_url).map_err(not_a_url)?;
    let Some(host) = url.host() else {
        return Err(not_a_url(url::ParseError::EmptyHost));
    };
    let loopback = match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let host = host.to_string();
    if let Some(api_host) = api_host_of_admin_console(&host) {
        return Err(BuildError::AdminConsole { host, api_host });
    }
    if url.scheme() != "https" && !(loopback && url.scheme() == "http") {
        return Err(BuildError::NotHttps { host });
    }
    let has_user = !url.username().is_empty() || url.password().is_some();
    if has_user || url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(BuildError::MoreThanHost { host });
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
        for host in ["acme.okta.com", "127.0.0.1.example.net"] {
            let text = format!(
                "the org URL must use https, because a token is sent to {host}: use https://{host}"
            );
            check_error(&format!("http://{host}"), &text);
        }
    }

    /// Each error suggests a URL that is accepted.
    #[test]
    fn a_url_as_people_paste_it_leads_to_the_org_url_at_once() {
        for (pasted, org_url) in [
            ("acme.okta.com", "https://acme.okta.com"),
            ("acme.okta.com:443", "https://acme.okta.com"),
            ("login.example.com:8443", "https://login.example.com:8443"),
            ("acme.okta.com/app/UserHome", "https://acme.okta.com"),
            (
                "acme-admin.okta.com/admin/dashboard",
                "https://acme.okta.com",
            ),
            ("https://acme-admin.okta.com", "https://acme.okta.com"),
            ("http://acme-admin.okta.com/admin", "https://acme.okta.com"),
            (
                "https://trial-1-admin.okta.com/admin/getting-started",
                "https://trial-1.okta.com",
            ),
            (
                "https://dev-1-admin.oktapreview.com/",
                "https://dev-1.oktapreview.com",
            ),
            ("https://acme.okta.com/api/v1", "https://acme.okta.com"),
            ("https://acme.okta.com/?x", "https://acme.okta.com"),
            ("https://ada:pw@acme.okta.com", "https://acme.okta.com"),
            ("http://acme.okta.com/api/v1", "https://acme.okta.com"),
        ] {
            let error = Client::builder(pasted, Secret::new("00abc")).build();
            let error = error.expect_err(pasted).to_string();
            assert!(
                error.ends_with(&format!(": use {org_url}")),
                "{pasted}: {error}"
            );
            assert!(!error.contains("pw"), "{error}");
            check(org_url, &format!("{org_url}/"));
        }
    }

    #[test]
    fn a_text_that_is_no_url_is_an_error() {
        for text in ["https://", "", "the org", "https://acme okta.com"] {
            let error = Client::builder(text, Secret::new("00abc")).build();
            let error = error.expect_err(text).to_string();
            assert!(
                error.ends_with("is not the URL of an Okta org, such as https://acme.okta.com"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn a_token_is_accepted_as_people_paste_it() {
        for pasted in ["00abc", " 00abc\n", "SSWS 00abc", "SSWS  00abc\r\n"] {
            let token = super::pasted_token("SSWS ", &Secret::new(pasted));
            assert_eq!(token.expose(), "00abc");
        }
        let two = Client::builder("https://acme.okta.com", Secret::new("00abc 00def"));
        two.build().expect_err("two words");
    }

    #[test]
    fn the_error_for_an_invalid_token_does_not_contain_the_token() {
        let token = Secret::new("00abc\n00def");
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
