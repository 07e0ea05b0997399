//! The four listeners on loopback.

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

/// The state, as the listeners and the test share it.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Arc<Mutex<SandboxState>>);

impl Shared {
    pub(crate) fn new(state: SandboxState) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    /// The state. A handler that panicked has left it as it was when it did.
    pub(crate) fn lock(&self) -> MutexGuard<'_, SandboxState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which port each listener is to have; 0 for any.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ports {
    pub(crate) okta: u16,
    pub(crate) aws: u16,
    pub(crate) scim: u16,
    pub(crate) console: u16,
}

/// Bound listeners that do not answer yet.
#[derive(Debug)]
pub(crate) struct Listeners {
    okta: TcpListener,
    aws: TcpListener,
    scim: TcpListener,
    console: TcpListener,
}

/// Where the listeners are.
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

    /// Answers until the sender is dropped.
    pub(crate) fn serve(self, state: &Shared) -> watch::Sender<()> {
        let (stop, stopped) = watch::channel(());
        let doors = [
            (self.okta, Door::Vendor(Service::Okta)),
            (self.aws, Door::Vendor(Service::Aws)),
            (self.scim, Door::Vendor(Service::Scim)),
            (self.console, Door::Console),
        ];
        for (listener, door) in doors {
            let router = Router::new()
                .fallback(answer)
                .with_state((state.clone(), door));
            let mut stopped = stopped.clone();
            tokio::spawn(async move {
                let service = router.into_make_service_with_connect_info::<Cut>();
                axum::serve(Lines(listener), service)
                    .with_graceful_shutdown(async move {
                        // The only thing that ever happens to the sender is that it is dropped.
                        let _ = stopped.changed().await;
                    })
                    .await
            });
        }
        stop
    }
}

/// What is behind a listener.
#[derive(Clone, Copy, Debug)]
enum Door {
    Vendor(Service),
    Console,
}

async fn answer(
    State((state, door)): State<(Shared, Door)>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: axum::extract::Request,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return status(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let request: Request<Bytes> = Request::from_parts(head, body);
    let answer = match door {
        Door::Vendor(service) => state.lock().answer(service, &request),
        Door::Console => Delivery::Send(console::handle(&mut state.lock(), &request)),
    };
    match answer {
        Delivery::Send(response) => response.map(Body::from),
        // A body that is shorter than its length says makes hyper break the connection off.
        Delivery::Half(response) if !response.body().is_empty() => {
            let length = response.body().len();
            let mut half = response.map(|body| Body::from(body.slice(..body.len() / 2)));
            half.headers_mut()
                .insert(header::CONTENT_LENGTH, length.into());
            half
        }
        Delivery::HangUp | Delivery::Half(_) => {
            cut.now();
            status(StatusCode::NO_CONTENT)
        }
        // Dropped with the connection, which the client closes when it gives up.
        Delivery::Stall => std::future::pending().await,
    }
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// A listener whose connections can be cut.
struct Lines(TcpListener);

impl Listener for Lines {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        let line = Line {
            stream,
            cut: Cut::default(),
        };
        (line, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// A connection that can be cut: from then on nothing is written to it.
struct Line {
    stream: TcpStream,
    cut: Cut,
}

/// The handle that cuts one connection.
#[derive(Clone, Debug, Default)]
struct Cut(Arc<AtomicBool>);

impl Cut {
    fn now(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }
}

impl Connected<IncomingStream<'_, Lines>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Self {
        stream.io().cut.clone()
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.cut.check()?;
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
        self.cut.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// What a listener reads of a body at most, in bytes.
const LARGEST_BODY: usize = 4 << 20;
