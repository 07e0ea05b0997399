//! The four loopback listeners.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, State, connect_info::Connected},
    response::Response,
    serve::{IncomingStream, Listener},
};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{
    console,
    record::Service,
    state::{Delivery, SandboxState},
};

/// The state, which the listeners and the test share.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Arc<Mutex<SandboxState>>);

impl Shared {
    pub(crate) fn new(state: SandboxState) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    /// Locks the state. If a handler panicked, the state is as the panic left it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, SandboxState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The port of each listener; 0 selects any free port.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ports {
    pub(crate) okta: u16,
    pub(crate) aws: u16,
    pub(crate) scim: u16,
    pub(crate) console: u16,
}

/// The bound listeners, before they serve requests.
#[derive(Debug)]
pub(crate) struct Listeners {
    okta: TcpListener,
    aws: TcpListener,
    scim: TcpListener,
    console: TcpListener,
}

/// The addresses of the listeners.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) okta: SocketAddr,
    pub(crate) aws: SocketAddr,
    pub(crate) scim: SocketAddr,
    pub(crate) console: SocketAddr,
}

impl Listeners {
    pub(crate) async fn bind(ports: Ports) -> io::Result<Self> {
        let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        Ok(Self {
            okta: bind(ports.okta).await?,
            aws: bind(ports.aws).await?,
            scim: bind(ports.scim).await?,
            console: bind(ports.console).await?,
        })
    }

    pub(crate) fn addresses(&self) -> io::Result<Addresses> {
        Ok(Addresses {
            okta: self.okta.local_addr()?,
            aws: self.aws.local_addr()?,
            scim: self.scim.local_addr()?,
            console: self.console.local_addr()?,
        })
    }

    /// Serves requests until the returned sender is dropped.
    pub(crate) fn serve(self, state: &Shared) -> watch::Sender<()> {
        let (stop, stopped) = watch::channel(());
        let endpoints = [
            (self.okta, Endpoint::Vendor(Service::Okta)),
            (self.aws, Endpoint::Vendor(Service::Aws)),
            (self.scim, Endpoint::Vendor(Service::Scim)),
            (self.console, Endpoint::Console),
        ];
        for (listener, endpoint) in endpoints {
            let router = Router::new()
                .fallback(handle)
                .with_state((state.clone(), endpoint));
            let mut stopped = stopped.clone();
            tokio::spawn(async move {
                let service = router.into_make_service_with_connect_info::<ConnectionCloser>();
                axum::serve(ClosableListener(listener), service)
                    .with_graceful_shutdown(async move {
                        // The sender never sends: this returns when the sender is dropped.
                        let _ = stopped.changed().await;
                    })
                    .await
            });
        }
        stop
    }
}

/// The service behind a listener.
#[derive(Clone, Copy, Debug)]
enum Endpoint {
    Vendor(Service),
    Console,
}

async fn handle(
    State((state, endpoint)): State<(Shared, Endpoint)>,
    ConnectInfo(closer): ConnectInfo<ConnectionCloser>,
    request: axum::extract::Request,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return status(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let request: Request<Bytes> = Request::from_parts(head, body);
    let delivery = match endpoint {
        Endpoint::Vendor(service) => state.lock().handle(service, &request),
        Endpoint::Console => Delivery::Complete(console::handle(&mut state.lock(), &request)),
    };
    match delivery {
        Delivery::Complete(response) => response.map(Body::from),
        // hyper breaks the connection if the body is shorter than its declared length.
        Delivery::Truncated(response) if !response.body().is_empty() => {
            let length = response.body().len();
            let mut truncated = response.map(|body| Body::from(body.slice(..body.len() / 2)));
            truncated
                .headers_mut()
                .insert(header::CONTENT_LENGTH, length.into());
            truncated
        }
        Delivery::Close | Delivery::Truncated(_) => {
            closer.close();
            status(StatusCode::NO_CONTENT)
        }
        // This future is dropped with the connection, when the client closes it without waiting for the response.
        Delivery::Stall => std::future::pending().await,
    }
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// A listener whose connections can be closed without a response.
struct ClosableListener(TcpListener);

impl Listener for ClosableListener {
    type Io = ClosableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        let stream = ClosableStream {
            stream,
            closer: ConnectionCloser::default(),
        };
        (stream, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// A connection that rejects all writes after its [`ConnectionCloser`] closed it.
struct ClosableStream {
    stream: TcpStream,
    closer: ConnectionCloser,
}

/// A handle that closes one connection.
#[derive(Clone, Debug, Default)]
struct ConnectionCloser(Arc<AtomicBool>);

impl ConnectionCloser {
    fn close(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn check_open(&self) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }
}

impl Connected<IncomingStream<'_, ClosableListener>> for ConnectionCloser {
    fn connect_info(stream: IncomingStream<'_, ClosableListener>) -> Self {
        stream.io().closer.clone()
    }
}

impl AsyncRead for ClosableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ClosableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.closer.check_open()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.closer.check_open()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// The largest request body that a listener reads, in bytes.
const MAX_BODY_BYTES: usize = 4 << 20;
