//! The HTTP client that the SDK clients of all AWS services share.

use std::{sync::OnceLock, time::Duration};

use aws_smithy_http_client::{
    Connector,
    proxy::ProxyConfig,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    connector_metadata::ConnectorMetadata,
    http::{HttpClient, HttpConnectorSettings, SharedHttpConnector},
    runtime_components::RuntimeComponents,
};

/// An HTTPS client whose timeouts always use the operating system's clock.
///
/// The SDK's default HTTP client measures its timeouts with the configured clock. With a manual
/// clock in a test, every connection would time out before it is established.
#[derive(Debug)]
pub(crate) struct Https {
    proxy: Proxy,
    connector: OnceLock<SharedHttpConnector>,
}

/// Whether connections use the proxies of `HTTPS_PROXY` and `HTTP_PROXY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proxy {
    FromEnvironment,
    Never,
}

impl Https {
    pub(crate) fn new(proxy: Proxy) -> Self {
        Self {
            proxy,
            connector: OnceLock::new(),
        }
    }
}

impl HttpClient for Https {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.connector.get_or_init(|| connector(self.proxy)).clone()
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("hyper", Some("1.x".into())))
    }
}

fn connector(proxy: Proxy) -> SharedHttpConnector {
    let proxy = match proxy {
        Proxy::FromEnvironment => ProxyConfig::from_env(),
        Proxy::Never => ProxyConfig::disabled(),
    };
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .build();
    let connector = Connector::builder()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .connector_settings(settings)
        .proxy_config(proxy)
        .build();
    SharedHttpConnector::new(connector)
}

/// Timeout for opening a connection: the SDK's default since its behavior version of January 2026.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);
/// Timeout for the header of a response. [`Limits`](crate::transport::Limits) has the timeouts for all
/// HTTP clients.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
