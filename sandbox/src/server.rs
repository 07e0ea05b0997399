//! The four loopback listeners.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, State, connect_info::Connected},
    response::Response,
    serve::{IncomingStream, Listener},
};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{Request, StatusCode, header};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpListener,
    sync::{mpsc, watch},
};

use crate::{
    console,
    record::Service,
    state::{Delivery, SandboxState},
    tls::{Connection, Tls},
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
    pub(crate) fn serve(
        self,
        state: &Shared,
        okta_tls: Option<&Tls>,
    ) -> io::Result<watch::Sender<()>> {
        let (stop, stopped) = watch::channel(());
        let endpoints = [
            (self.okta, okta_tls, Endpoint::Vendor(Service::Okta)),
            (self.aws, None, Endpoint::Vendor(Service::Aws)),
            (self.scim, None, Endpoint::Vendor(Service::Scim)),
            (self.console, None, Endpoint::Console),
        ];
        for (listener, tls, endpoint) in endpoints {
            let listener = ControlledListener::new(listener, tls)?;
            let router = Router::new()
                .fallback(handle)
                .with_state((state.clone(), endpoint));
            let mut stopped = stopped.clone();
            tokio::spawn(async move {
                let service = router.into_make_service_with_connect_info::<ConnectionControl>();
                axum::serve(listener, service)
                    .with_graceful_shutdown(async move {
                        // The sender never sends: this returns when the sender is dropped.
                        let _ = stopped.changed().await;
                    })
                    .await
            });
        }
        Ok(stop)
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
    ConnectInfo(control): ConnectInfo<ConnectionControl>,
    request: axum::extract::Request,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return status(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let request: Request<Bytes> = Request::from_parts(head, body);
    let mut ticket = None;
    let delivery = match endpoint {
        Endpoint::Vendor(Service::Okta) => {
            let in_flight = state.lock().in_flight.clone();
            ticket = in_flight.enter();
            let one_too_many = ticket.is_none();
            state.lock().handle(Service::Okta, &request, one_too_many)
        }
        Endpoint::Vendor(service) => state.lock().handle(service, &request, false),
        Endpoint::Console => Delivery::Complete(console::handle(&mut state.lock(), &request)),
    };
    if let Some(ticket) = &ticket {
        ticket.released().await;
    }
    match delivery {
        Delivery::Complete(response) => response.map(Body::from),
        Delivery::Truncated(response) if !response.body().is_empty() => {
            let length = response.body().len();
            let mut truncated = response.map(|body| broken_body(&body));
            truncated
                .headers_mut()
                .insert(header::CONTENT_LENGTH, length.into());
            truncated
        }
        Delivery::Repeated(response) => {
            control.set(REPEAT);
            response.map(Body::from)
        }
        Delivery::Close | Delivery::Truncated(_) => {
            control.set(CLOSED);
            status(StatusCode::NO_CONTENT)
        }
        // This future is dropped with the connection, when the client closes it without waiting for the response.
        Delivery::Stall => std::future::pending().await,
    }
}

/// Returns a body that breaks the connection after its first half.
fn broken_body(body: &Bytes) -> Body {
    let half = stream::iter([Ok(body.slice(..body.len() / 2))]);
    // The pause makes hyper send the half before it sees the error.
    let end = stream::once(async {
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    });
    Body::from_stream(half.chain(end))
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// A listener whose connections have a [`ConnectionControl`].
struct ControlledListener {
    incoming: Incoming,
    address: SocketAddr,
}

/// The source of the connections of a listener.
enum Incoming {
    Plain(TcpListener),
    Tls(mpsc::Receiver<Connection>),
}

impl ControlledListener {
    fn new(listener: TcpListener, tls: Option<&Tls>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let incoming = match tls {
            None => Incoming::Plain(listener),
            Some(tls) => Incoming::Tls(tls.connections(listener)),
        };
        Ok(Self { incoming, address })
    }
}

impl Listener for ControlledListener {
    type Io = ControlledStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // Without `TCP_NODELAY`, the second copy of a repeated response waits until the client has sent its next
        // request. Setting it fails only if the client has closed the connection.
        let (stream, address): (Box<dyn Stream>, _) = match &mut self.incoming {
            Incoming::Plain(listener) => {
                let (stream, address) = Listener::accept(listener).await;
                let _ = stream.set_nodelay(true);
                (Box::new(stream), address)
            }
            Incoming::Tls(connections) => {
                let Some((stream, address)) = connections.recv().await else {
                    // The task that accepts connections ends only after this listener.
                    return std::future::pending().await;
                };
                let _ = stream.get_ref().0.set_nodelay(true);
                (Box::new(stream), address)
            }
        };
        let stream = ControlledStream {
            stream,
            control: ConnectionControl::default(),
            repeated: Vec::new(),
        };
        (stream, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

/// A connection, with TLS or without.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection that its [`ConnectionControl`] can close, or on which it can repeat a response.
struct ControlledStream {
    stream: Box<dyn Stream>,
    control: ConnectionControl,
    /// The bytes that the next flush writes again.
    repeated: Vec<u8>,
}

/// A handle that sets the mode of one connection.
#[derive(Clone, Debug, Default)]
struct ConnectionControl(Arc<AtomicU8>);

/// The connection rejects all writes.
const CLOSED: u8 = 1;
/// The connection writes all bytes up to the next flush twice.
const REPEAT: u8 = 2;

impl ConnectionControl {
    fn set(&self, mode: u8) {
        self.0.store(mode, Ordering::SeqCst);
    }

    fn is(&self, mode: u8) -> bool {
        self.0.load(Ordering::SeqCst) == mode
    }
}

impl ControlledStream {
    /// Keeps the bytes that were written of `parts`, if the control says so.
    fn keep(&mut self, parts: &[io::IoSlice<'_>], written: usize) {
        if self.control.is(REPEAT) {
            let bytes = parts.iter().flat_map(|part| part.iter()).take(written);
            self.repeated.extend(bytes);
        }
    }
}

impl Connected<IncomingStream<'_, ControlledListener>> for ConnectionControl {
    fn connect_info(stream: IncomingStream<'_, ControlledListener>) -> Self {
        stream.io().control.clone()
    }
}

impl AsyncRead for ControlledStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ControlledStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(bytes)])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while !this.repeated.is_empty() {
            let written = ready!(Pin::new(&mut this.stream).poll_write(cx, &this.repeated))?;
            this.repeated.drain(..written);
            this.control.set(0);
        }
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.control.is(CLOSED) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, parts))?;
        self.keep(parts, written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// The largest request body that a listener reads, in bytes.
const MAX_BODY_BYTES: usize = 4 << 20;
