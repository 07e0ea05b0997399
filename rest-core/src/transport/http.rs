//! The default transport: HTTP over reqwest and rustls.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, Response, Uri, uri::Scheme};
use reqwest::{Client, ClientBuilder, redirect};

use super::{Transport, TransportError};

/// Limits of an [`HttpTransport`].
///
/// Fields may be added: end with `..HttpOptions::default()`.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Timeout for opening a connection, including the TLS handshake (default: 10 s).
    pub connect_timeout: Duration,
    /// Timeout for one exchange, from the first byte sent to the last byte received (default:
    /// 1 min).
    pub total_timeout: Duration,
    /// Maximum size of a response body in bytes (default: 16 MiB).
    ///
    /// A larger body is an error: see [`TransportError::is_body_too_large`].
    pub max_body: usize,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            // Management APIs answer within 30 s or not at all.
            total_timeout: Duration::from_mins(1),
            // A full page of large entries (200 entries of 8 kB) is one tenth of this.
            max_body: 16 * 1024 * 1024,
        }
    }
}

/// A transport for HTTP/1.1 and HTTP/2 over reqwest and rustls.
///
/// Redirects are not followed; the redirect itself is returned as the response. Proxies from the
/// environment are used for HTTPS, but never for plain HTTP, which is meant for loopback.
/// Certificates are verified against the operating system's root certificates, which are loaded
/// for the first HTTPS request. Clones share one connection pool.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    shared: Arc<Shared>,
}

impl HttpTransport {
    /// Returns a transport with these limits. No connection is opened yet.
    #[must_use]
    pub fn new(options: HttpOptions) -> Self {
        let shared = Shared {
            options,
            tls: OnceLock::new(),
            plain: OnceLock::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Returns a transport with a caller's client, for its proxies, certificates, timeouts and
    /// name resolution.
    ///
    /// Its redirects and its retries are switched off: a redirect could carry the secret to another
    /// server, and a retry could repeat a write. [`HttpOptions::max_body`] applies, the timeouts of
    /// the options do not. A proxy of the client also gets the requests over plain HTTP.
    ///
    /// # Errors
    ///
    /// Fails if the client cannot be built.
    pub fn with_client(
        client: reqwest::ClientBuilder,
        options: HttpOptions,
    ) -> Result<Self, TransportError> {
        let client = client
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .build()
            .map_err(not_sent)?;
        let shared = Shared {
            options,
            tls: OnceLock::from(client.clone()),
            plain: OnceLock::from(client),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let client = self.shared.client(request.uri())?;
        let request = reqwest::Request::try_from(request).map_err(not_sent)?;
        let mut received = client.execute(request).await.map_err(classify)?;
        let max_body = self.shared.options.max_body;
        let too_large = || TransportError::body_too_large(max_body);

        // Checking the announced length avoids reading a large body. The check in the loop enforces
        // the limit.
        let announced = received.content_length().unwrap_or(0);
        let announced = usize::try_from(announced).unwrap_or(usize::MAX);
        if announced > max_body {
            return Err(too_large());
        }
        let mut headers = std::mem::take(received.headers_mut());
        detach(&mut headers);
        let mut body = BytesMut::with_capacity(announced);
        while let Some(chunk) = received.chunk().await.map_err(classify)? {
            if body.len() + chunk.len() > max_body {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }

        let mut response = Response::new(body.freeze());
        *response.status_mut() = received.status();
        *response.version_mut() = received.version();
        *response.headers_mut() = headers;
        Ok(response)
    }
}

impl Default for HttpTransport {
    fn default() -> Self {
        Self::new(HttpOptions::default())
    }
}

impl Transport for HttpTransport {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.exchange(request))
    }
}

#[derive(Debug)]
struct Shared {
    options: HttpOptions,
    tls: OnceLock<Client>,
    plain: OnceLock<Client>,
}

impl Shared {
    fn client(&self, uri: &Uri) -> Result<&Client, TransportError> {
        let plain = uri.scheme() == Some(&Scheme::HTTP);
        let cell = if plain { &self.plain } else { &self.tls };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let mut builder = ClientBuilder::new()
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.options.connect_timeout)
            .timeout(self.options.total_timeout);
        if plain {
            // A proxy would see the unencrypted request, and plain HTTP needs no root certificates.
            builder = builder.no_proxy().tls_certs_only([]);
        }
        let client = builder.build().map_err(not_sent)?;
        Ok(cell.get_or_init(|| client))
    }
}

/// Copies the values, which are parts of the connection's read buffer. The connection can then reuse the buffer for the body
/// instead of allocating another one.
fn detach(headers: &mut HeaderMap) {
    for value in headers.values_mut() {
        if let Ok(copy) = HeaderValue::from_bytes(value.as_bytes()) {
            *value = copy;
        }
    }
}

// The URL is removed from reqwest's errors, because its query may contain secrets.

fn not_sent(error: reqwest::Error) -> TransportError {
    TransportError::not_sent(error.without_url())
}

fn classify(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_connect() || error.is_builder() {
        // A connect timeout is both `is_connect` and `is_timeout`, and nothing was sent.
        TransportError::not_sent(error)
    } else if error.is_timeout() {
        TransportError::timeout(error)
    } else {
        TransportError::maybe_sent(error)
    }
}
