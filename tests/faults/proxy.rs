//! A proxy in front of a sandbox, for the faults of a program in another process.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use sandbox::{Sandbox, Service};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use crate::kinds::{Effect, Kind};

/// The fault of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ProxyFault {
    /// The program is killed. The service has processed the request if `process` is true.
    Kill { process: bool },
    /// The response has this kind of fault.
    Response(&'static Kind),
}

/// A running proxy. It forwards all requests to Okta, AWS and the consoles.
#[derive(Debug)]
pub(crate) struct Proxy {
    shared: Arc<Shared>,
    ready: String,
}

#[derive(Debug, Default)]
struct Shared {
    /// The first line of each request, with the operation of AWS.
    requests: Mutex<Vec<String>>,
    faults: Mutex<BTreeMap<usize, ProxyFault>>,
    kill: Notify,
}

impl Proxy {
    /// Starts a proxy on the runtime of the sandbox.
    pub(crate) async fn start(sandbox: &Sandbox) -> Self {
        let shared = Arc::<Shared>::default();
        let mut ready = sandbox.ready().to_string();
        for (service, url) in [
            (Some(Service::Okta), sandbox.okta_url()),
            (Some(Service::Aws), sandbox.aws_endpoint_url()),
            (None, sandbox.console_url()),
        ] {
            let upstream: SocketAddr = url["http://".len()..].parse().expect("an address");
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("an address");
            ready = ready.replace(&upstream.to_string(), &address.to_string());
            let endpoint = Endpoint {
                service,
                upstream,
                address,
                shared: Arc::clone(&shared),
            };
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let endpoint = endpoint.clone();
                    tokio::spawn(async move { endpoint.serve(stream).await });
                }
            });
        }
        Self { shared, ready }
    }

    /// Returns the document with the URLs of the proxy and the credentials of the sandbox.
    pub(crate) fn ready(&self) -> &str {
        &self.ready
    }

    /// Returns the first lines of the requests so far, with the operations of AWS.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().expect("no panic").clone()
    }

    /// Sets the faults, by the number of requests before them.
    pub(crate) fn set_faults(&self, faults: BTreeMap<usize, ProxyFault>) {
        *self.shared.faults.lock().expect("no panic") = faults;
    }

    /// Removes the faults that no request has triggered, and returns their number.
    pub(crate) fn clear_faults(&self) -> usize {
        let mut faults = self.shared.faults.lock().expect("no panic");
        std::mem::take(&mut *faults).len()
    }

    /// Waits until a request comes at which the program has to be killed.
    pub(crate) async fn killed(&self) {
        self.shared.kill.notified().await;
    }
}

/// One listener of the proxy.
#[derive(Clone, Debug)]
struct Endpoint {
    /// The service behind the listener; `None` for the consoles.
    service: Option<Service>,
    upstream: SocketAddr,
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Endpoint {
    /// Serves the requests of a connection until the client or a fault closes it.
    async fn serve(self, mut client: TcpStream) -> io::Result<()> {
        while let Some(request) = read_message(&mut client).await? {
            let fault = self.record(&request);
            match fault {
                None => {
                    let response = self.forward(&request).await?;
                    client.write_all(&response).await?;
                }
                Some(ProxyFault::Kill { process }) => {
                    if process {
                        self.forward(&request).await?;
                    }
                    self.shared.kill.notify_one();
                    // The killed program closes the connection.
                    read_message(&mut client).await?;
                }
                Some(ProxyFault::Response(kind)) => {
                    if self.fail(kind, &request, &mut client).await? {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Counts a request and returns its fault.
    fn record(&self, request: &[u8]) -> Option<ProxyFault> {
        let mut requests = self.shared.requests.lock().expect("no panic");
        let index = requests.len();
        requests.push(summary(request));
        self.shared.faults.lock().expect("no panic").remove(&index)
    }

    /// Responds to a request with a fault. Returns whether the connection ends.
    async fn fail(&self, kind: &Kind, request: &[u8], client: &mut TcpStream) -> io::Result<bool> {
        let response = if kind.process {
            self.forward(request).await?
        } else {
            Vec::new()
        };
        let body = body_start(&response).unwrap_or_default();
        let half = body + (response.len() - body) / 2;
        match kind.effect {
            Effect::Close => return Ok(true),
            Effect::Truncate => {
                client.write_all(&response[..half]).await?;
                return Ok(true);
            }
            Effect::Halve => {
                let head = String::from_utf8_lossy(&response[..body]).into_owned();
                let (old, new) = (response.len() - body, half - body);
                let length = |length: usize| format!("content-length: {length}\r\n");
                let head = head.replace(&length(old), &length(new));
                client.write_all(head.as_bytes()).await?;
                client.write_all(&response[body..half]).await?;
            }
            Effect::Repeat => {
                let twice = [&response[..], &response[..]].concat();
                client.write_all(&twice).await?;
            }
            Effect::Stall => {
                read_message(client).await?;
                return Ok(true);
            }
            Effect::Page(_) | Effect::Throttle(_) | Effect::ErrorBody => {
                // The consoles have no error format of their own.
                let service = self.service.unwrap_or(Service::Okta);
                let answer = kind.answer(service, now()).expect("an answer");
                let headers = answer.headers.iter();
                let headers = headers.map(|(name, value)| format!("{name}: {value}\r\n"));
                let headers = headers.collect::<Vec<_>>().concat();
                let (status, body) = (answer.status, answer.body);
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status} Fault\r\n{headers}content-length: {length}\r\n\r\n{body}"
                );
                client.write_all(head.as_bytes()).await?;
            }
        }
        Ok(false)
    }

    /// Sends a request to the sandbox and returns the response, in which the sandbox has the address of the proxy.
    async fn forward(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let mut upstream = TcpStream::connect(self.upstream).await?;
        // The signature of a request to AWS covers the name of the host.
        let request = match self.service {
            Some(Service::Aws) => request.to_vec(),
            _ => replace(request, self.address, self.upstream),
        };
        upstream.write_all(&request).await?;
        let response = read_message(&mut upstream).await?;
        let response = response.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(replace(&response, self.upstream, self.address))
    }
}

/// Returns the first line of a request, with the operation of AWS.
fn summary(request: &[u8]) -> String {
    let head = body_start(request).unwrap_or(request.len());
    let head = String::from_utf8_lossy(&request[..head]);
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default().to_owned();
    let target = lines.find_map(|line| line.strip_prefix("x-amz-target: "));
    let operation = target.and_then(|target| target.split('.').next_back());
    operation.map_or_else(|| first.clone(), |operation| format!("{first} {operation}"))
}

/// Replaces an address of a message by another one, and corrects the length of the body.
fn replace(message: &[u8], from: SocketAddr, to: SocketAddr) -> Vec<u8> {
    let Some(body) = body_start(message) else {
        return message.to_vec();
    };
    let change = |part: &[u8]| {
        let text = String::from_utf8(part.to_vec()).expect("all messages are text");
        text.replace(&from.to_string(), &to.to_string())
    };
    let (head, new) = (change(&message[..body]), change(&message[body..]));
    let length = |length: usize| format!("content-length: {length}\r\n");
    let head = head.replace(&length(message.len() - body), &length(new.len()));
    (head + &new).into_bytes()
}

/// Returns the position after the empty line that ends the head.
fn body_start(message: &[u8]) -> Option<usize> {
    let end = message.windows(4).position(|part| part == b"\r\n\r\n");
    end.map(|end| end + 4)
}

/// Reads one request or response with its body. Returns `None` if the connection ends before it.
async fn read_message(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut message = Vec::new();
    loop {
        if let Some(body) = body_start(&message) {
            let head = String::from_utf8_lossy(&message[..body]).to_lowercase();
            assert!(!head.contains("transfer-encoding:"), "{head}");
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"));
            let length = length.map_or(0, |length| length.trim().parse().expect("a length"));
            if message.len() >= body + length {
                return Ok(Some(message));
            }
        }
        if stream.read_buf(&mut message).await? == 0 {
            return Ok(None);
        }
    }
}

/// Returns the time of the operating system, which the program uses too.
fn now() -> jiff::Timestamp {
    use rest_core::Clock as _;
    let now = rest_core::SystemClock.now();
    now.try_into().expect("a time of this century")
}

impl ProxyFault {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kill { process: false } => "kill-before",
            Self::Kill { process: true } => "kill-after",
            Self::Response(kind) => kind.name,
        }
    }
}
