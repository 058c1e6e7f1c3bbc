//! A test double of an HTTP server: a function computes each response, and the double records every request.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::backend;
use crate::config::settings::SourceSettings;
use crate::model::warning::Warning;

/// A decoded answer together with its warnings; derefs to the answer.
#[derive(Debug)]
pub(crate) struct SnapshotWithWarnings<T> {
    snapshot: T,
    pub(crate) warnings: Vec<Warning>,
}

impl<T> SnapshotWithWarnings<T> {
    pub(crate) fn new(snapshot: T, warnings: Vec<Warning>) -> Self {
        Self { snapshot, warnings }
    }
}

impl<T> std::ops::Deref for SnapshotWithWarnings<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.snapshot
    }
}

/// One recorded request.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReceivedRequest {
    pub(crate) method: String,
    /// The path without the query.
    pub(crate) path: String,
    /// The raw query, not decoded.
    pub(crate) query: String,
    /// Header names in lower case, with their values.
    pub(crate) headers: Vec<(String, String)>,
    /// Decoded parameters of the query and of a form body.
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl ReceivedRequest {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null if the body is not JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The value of a parameter; empty if there is none.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str())
    }
}

/// The response that the double sends.
#[derive(Debug, Clone)]
pub(crate) struct CannedResponse {
    status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// A `Content-Length` that differs from the real length of the body.
    length: Option<usize>,
    /// The pause before each byte of the body.
    with_byte_delay: Option<Duration>,
    /// The connection stays open and nothing is sent.
    hangs: bool,
    /// The connection is closed and nothing is sent.
    closes_connection: bool,
}

impl CannedResponse {
    pub(crate) fn json(body: &str) -> Self {
        Self::new(200, "application/json", body)
    }

    pub(crate) fn new(status: u16, content_type: &str, body: &str) -> Self {
        let headers = vec![("Content-Type".into(), content_type.into())];
        Self {
            status,
            headers,
            body: body.into(),
            length: None,
            with_byte_delay: None,
            hangs: false,
            closes_connection: false,
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Compresses the body.
    pub(crate) fn gzip(mut self) -> Self {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&self.body).unwrap();
        self.body = encoder.finish().unwrap();
        self.header("Content-Encoding", "gzip")
    }

    /// Sends a wrong `Content-Length`.
    pub(crate) fn with_claimed_length(mut self, length: usize) -> Self {
        self.length = Some(length);
        self
    }

    /// Sends the body byte by byte, with this pause before each.
    pub(crate) fn with_byte_delay(mut self, pause: Duration) -> Self {
        self.with_byte_delay = Some(pause);
        self
    }

    /// Closes the connection without a response.
    pub(crate) fn close_connection() -> Self {
        Self { closes_connection: true, ..Self::json("") }
    }

    /// Keeps the connection open without a response.
    pub(crate) fn hang() -> Self {
        Self { hangs: true, ..Self::json("") }
    }
}

/// The running test server; it stops when it is dropped.
pub(crate) struct Double {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<ReceivedRequest>>>,
    task: JoinHandle<()>,
}

impl Double {
    pub(crate) async fn start(
        answer: impl Fn(&ReceivedRequest) -> CannedResponse + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                connections.spawn(async move {
                    // some tests drop the connection before the response is complete
                    drop(serve(stream, &log, &*answer).await);
                });
            }
        });
        Self { url, asked, task }
    }

    /// All requests so far, in the order of arrival.
    pub(crate) fn asked(&self) -> Vec<ReceivedRequest> {
        self.asked.lock().unwrap().clone()
    }

    /// Settings of a source of this kind with the address of this server.
    pub(crate) fn source(&self, kind: &str) -> SourceSettings {
        SourceSettings::new(backend::kind(kind), &self.url)
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers one request and closes the connection.
async fn serve(
    mut stream: TcpStream,
    log: &Mutex<Vec<ReceivedRequest>>,
    answer: &(dyn Fn(&ReceivedRequest) -> CannedResponse + Send + Sync),
) -> std::io::Result<()> {
    let asked = read(&mut stream).await?;
    let canned = answer(&asked);
    log.lock().unwrap().push(asked);
    if canned.closes_connection {
        return Ok(());
    }
    if canned.hangs {
        std::future::pending::<()>().await;
    }
    let length = canned.length.unwrap_or(canned.body.len());
    let mut head =
        format!("HTTP/1.1 {} X\r\nConnection: close\r\nContent-Length: {length}\r\n", canned.status);
    for (name, value) in &canned.headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    match canned.with_byte_delay {
        None => stream.write_all(&canned.body).await?,
        Some(pause) => {
            for byte in canned.body {
                tokio::time::sleep(pause).await;
                stream.write_all(&[byte]).await?;
            }
        }
    }
    stream.shutdown().await
}

/// Reads one request to the end of its body.
async fn read(stream: &mut TcpStream) -> std::io::Result<ReceivedRequest> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.lines();
    let mut request = lines.next().unwrap_or_default().split(' ');
    let method = request.next().unwrap_or_default().to_owned();
    let target = request.next().unwrap_or_default();
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, v)| v.parse().unwrap());
    while bytes.len() < head_end + 4 + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            break;
        }
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let is_form = headers.iter().any(|(_, value)| value == "application/x-www-form-urlencoded");
    let form = if is_form { &bytes[head_end + 4..] } else { &[] };
    let parameters = url::form_urlencoded::parse(query.as_bytes())
        .chain(url::form_urlencoded::parse(form))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let body = bytes[head_end + 4..].to_vec();
    Ok(ReceivedRequest { method, path: path.to_owned(), query: query.to_owned(), headers, parameters, body })
}
