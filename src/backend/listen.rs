//! Receives webhooks about changes and appends them as JSON lines to a file that a source of kind `file` follows.
//!
//! A small HTTP/1.1 server: one request per connection, every part of it bounded. What a sender may do is decided before its body
//! is read, except for the signature over the body.

mod access;
mod argo;
mod generic;
mod github;
mod gitlab;
mod request;
mod store;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout};

use super::Clock;
use super::kit::change_lines::of_fields;
use crate::config::secret::Secret;
use crate::model::source::SourceId;
pub use generic::FieldMap;
use request::{Request, RequestError};
use store::{ChangeStore, StoreError};

/// Connections at the same time; another one is refused at once.
const CONNECTIONS: usize = 32;
/// The time for a request and its answer.
const TIME: Duration = Duration::from_secs(10);
/// Requests at once, and per second in the long run.
const BURST: f64 = 100.0;
const PER_SECOND: f64 = 20.0;
/// Most changes of one request.
const MAX_CHANGES: usize = 100;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// Host and port; port 0 is a free one.
    Tcp(Vec<SocketAddr>),
    Unix(PathBuf),
}

impl ListenAddress {
    /// Reads `127.0.0.1:9414`, `localhost:9414`, `[::1]:9414` or `unix:PATH`.
    ///
    /// # Errors
    /// Why the text is no address.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() {
                Err("unix: needs the path of the socket, like unix:/run/burnwatch/changes.sock".to_owned())
            } else {
                Ok(Self::Unix(PathBuf::from(path)))
            };
        }
        let addresses = text.to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        let unfit = || format!("`{text}` is neither host:port, like 127.0.0.1:9414, nor unix:PATH");
        let addresses = addresses.ok().filter(|all| !all.is_empty()).ok_or_else(unfit)?;
        Ok(Self::Tcp(addresses))
    }

    /// Whether only programs of this machine can connect.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(all) => all.iter().all(|address| address.ip().is_loopback()),
            Self::Unix(_) => true,
        }
    }
}

/// What the receiver accepts, and where it writes.
pub struct ListenOptions {
    /// The file to append to.
    pub file: PathBuf,
    /// Any of them authenticates a sender; none: every local program may send.
    pub secrets: Vec<Secret>,
    /// Where generic JSON has its fields.
    pub fields: FieldMap,
    /// The most bytes of a body.
    pub max_body: usize,
    /// The most bytes of the file: it is then renamed to `FILE.1`, which replaces an older one.
    pub max_file: u64,
    pub clock: Clock,
}

/// A socket that is ready for connections.
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

/// The receiver, bound to its address.
pub struct WebhookListener {
    socket: Socket,
    receiver: Arc<WebhookReceiver>,
}

struct WebhookReceiver {
    options: ListenOptions,
    store: Mutex<ChangeStore>,
    slots: Arc<Semaphore>,
    rate: Mutex<(f64, Instant)>,
}

/// The answer to a request: status, and a JSON object.
#[derive(Debug, Clone, PartialEq)]
struct Response {
    status: u16,
    body: Value,
}

impl Response {
    fn refused(status: u16, why: impl Into<String>) -> Self {
        Self { status, body: json!({ "error": why.into() }) }
    }

    fn ignored(why: impl Into<String>) -> Self {
        Self { status: 200, body: json!({ "ignored": why.into() }) }
    }
}

/// What a format makes of a request.
#[derive(Debug, Clone, PartialEq)]
enum Reading {
    /// The fields of the lines to append.
    Changes(Vec<Map<String, Value>>),
    /// The event is no change, with the reason.
    Ignored(String),
    /// The body is not as the format requires it, with the reason.
    Unfit(String),
}

impl WebhookListener {
    /// Binds the address and opens the file.
    ///
    /// # Errors
    /// Why the address or the file cannot be used, as text.
    pub async fn bind(address: &ListenAddress, options: ListenOptions) -> Result<Self, String> {
        let file = options.file.display().to_string();
        let store =
            ChangeStore::open(&options.file, options.max_file).map_err(|error| format!("{file}: {error}"))?;
        let socket = match address {
            ListenAddress::Tcp(all) => {
                let listener = TcpListener::bind(all.as_slice()).await;
                let shown: Vec<String> = all.iter().map(ToString::to_string).collect();
                Socket::Tcp(
                    listener.map_err(|error| format!("cannot listen on {}: {error}", shown.join(", ")))?,
                )
            }
            ListenAddress::Unix(path) => {
                let listener = unix(path).await;
                let listener =
                    listener.map_err(|error| format!("cannot listen on {}: {error}", path.display()))?;
                Socket::Unix(listener, path.clone())
            }
        };
        let receiver = WebhookReceiver {
            options,
            store: Mutex::new(store),
            slots: Arc::new(Semaphore::new(CONNECTIONS)),
            rate: Mutex::new((BURST, Instant::now())),
        };
        Ok(Self { socket, receiver: Arc::new(receiver) })
    }

    /// The address for senders: `http://127.0.0.1:9414/` or `unix:PATH`.
    pub fn address(&self) -> String {
        match &self.socket {
            Socket::Tcp(listener) => listener
                .local_addr()
                .map_or_else(|error| error.to_string(), |address| format!("http://{address}/")),
            Socket::Unix(_, path) => format!("unix:{}", path.display()),
        }
    }

    /// Answers requests until the future is dropped; `report` gets a line about each of them.
    pub async fn serve(&self, report: impl Fn(&str) + Clone + Send + 'static) {
        loop {
            match &self.socket {
                Socket::Tcp(listener) => match listener.accept().await {
                    Ok((stream, _)) => self.start(stream, &report),
                    Err(error) => failed(&error, &report).await,
                },
                Socket::Unix(listener, _) => match listener.accept().await {
                    Ok((stream, _)) => self.start(stream, &report),
                    Err(error) => failed(&error, &report).await,
                },
            }
        }
    }

    fn start<S>(&self, mut stream: S, report: &(impl Fn(&str) + Clone + Send + 'static))
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let receiver = Arc::clone(&self.receiver);
        let report = report.clone();
        let slot = Arc::clone(&receiver.slots).try_acquire_owned();
        tokio::spawn(async move {
            let answering = async {
                let response = match slot {
                    Ok(_) => receiver.answer(&mut stream).await,
                    Err(_) => Response::refused(503, "too many connections; try again later"),
                };
                send(&mut stream, &response).await.ok();
                response
            };
            match timeout(TIME, answering).await {
                Ok(Response { status, body }) => report(&format!("{status} {body}")),
                Err(_) => report("no complete request in time"),
            }
        });
    }
}

impl Drop for WebhookListener {
    fn drop(&mut self) {
        if let Socket::Unix(_, path) = &self.socket {
            std::fs::remove_file(path).ok();
        }
    }
}

/// Waits a little after a failed `accept`, for example without free file descriptors.
async fn failed(error: &io::Error, report: &impl Fn(&str)) {
    report(&format!("cannot accept a connection: {error}"));
    tokio::time::sleep(Duration::from_millis(200)).await;
}

/// Binds a socket that only this user can connect to. A socket that a program left behind is replaced, a used one is not.
async fn unix(path: &Path) -> io::Result<UnixListener> {
    if let Ok(known) = std::fs::symlink_metadata(path) {
        if !known.file_type().is_socket() {
            return Err(io::Error::other("there is a file that is not a socket"));
        }
        if UnixStream::connect(path).await.is_ok() {
            return Err(io::Error::other("another program listens there"));
        }
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), response: &Response) -> io::Result<()> {
    let body = format!("{}\n", response.body);
    let reason = match response.status {
        200 => "OK",
        201 => "Created",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        411 => "Length Required",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Error",
    };
    let more = match response.status {
        401 => "WWW-Authenticate: Bearer\r\n",
        405 => "Allow: POST\r\n",
        429 | 503 => "Retry-After: 5\r\n",
        _ => "",
    };
    let head = format!(
        "HTTP/1.1 {} {reason}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{more}Connection: close\r\n\r\n",
        response.status,
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

impl WebhookReceiver {
    async fn answer(&self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Response {
        let mut request = match Request::head(stream).await {
            Ok(request) => request,
            Err(error) => return error.response(),
        };
        if let Some(refusal) = access::before_body(&request, &self.options.secrets) {
            return refusal;
        }
        if !self.takes_part().await {
            return Response::refused(429, "too many requests; try again in some seconds");
        }
        if let Err(error) = request.read_body(stream, self.options.max_body).await {
            return error.response();
        }
        if let Some(refusal) = access::after_body(&request, &self.options.secrets) {
            return refusal;
        }
        self.take(&request).await
    }

    /// Takes one request out of the allowance; false if there is none.
    async fn takes_part(&self) -> bool {
        let mut rate = self.rate.lock().await;
        let (left, since) = *rate;
        let now = Instant::now();
        let left = (left + now.duration_since(since).as_secs_f64() * PER_SECOND).min(BURST);
        *rate = (if left >= 1.0 { left - 1.0 } else { left }, now);
        left >= 1.0
    }

    /// Reads the body and writes its changes.
    async fn take(&self, request: &Request) -> Response {
        let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
            return Response::refused(400, "the body is not JSON");
        };
        let reading = if let Some(event) = request.header("x-gitlab-event") {
            gitlab::read(event, &body)
        } else if let Some(event) = request.header("x-github-event") {
            github::read(event, &body)
        } else if let Some(application) = argo::application(&body) {
            argo::read(application)
        } else {
            generic::read(&body, &self.options.fields)
        };
        let mut lines = match reading {
            Reading::Changes(lines) => lines,
            Reading::Ignored(why) => return Response::ignored(why),
            Reading::Unfit(why) => return Response::refused(400, why),
        };
        if lines.len() > MAX_CHANGES {
            return Response::refused(413, format!("more than {MAX_CHANGES} changes in one request"));
        }
        let now = self.options.clock.now();
        for fields in &mut lines {
            if !fields.contains_key("time") {
                fields.insert("time".to_owned(), now.to_string().into());
            }
            // what `kind = "file"` would leave out is refused here, where the sender can see it
            if let Err(why) = of_fields(fields.clone(), &SourceId::new("webhook"), now) {
                return Response::refused(400, format!("a change {}", why.words()));
            }
        }
        let delivery = ["idempotency-key", "x-github-delivery", "x-gitlab-event-uuid"];
        let delivery = delivery.iter().find_map(|name| request.header(name));
        match self.store.lock().await.append(lines, delivery) {
            Ok(0) => Response { status: 200, body: json!({ "written": 0, "repeated": true }) },
            Ok(written) => Response { status: 201, body: json!({ "written": written }) },
            Err(error @ StoreError::Io(_)) => Response::refused(503, format!("cannot be written: {error}")),
        }
    }
}

impl RequestError {
    fn response(&self) -> Response {
        Response::refused(self.status(), self.to_string())
    }
}

/// The text at the first of these JSON pointers that has one.
fn text(body: &Value, pointers: &[&str]) -> Option<String> {
    pointers.iter().find_map(|pointer| match body.pointer(pointer)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

/// The fields that have a value.
fn line<const N: usize>(fields: [(&str, Option<String>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
}
