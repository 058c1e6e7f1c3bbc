//! A proxy in front of a real server that can hang, refuse, answer slowly or answer wrongly.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch::{Receiver, Sender, channel};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};

use crate::clock;
use crate::fault::Fault;
use crate::lock::TlsCertificates;

/// A running proxy; it ends when it is dropped.
pub(crate) struct Proxy {
    pub(crate) url: String,
    pub(crate) fault: Sender<Fault>,
    task: JoinHandle<()>,
}

/// The settings for the proxy's connections.
#[derive(Clone)]
struct Served {
    /// Host and port of the real server.
    server: String,
    locks: Option<TlsCertificates>,
    since: Instant,
}

impl Proxy {
    /// Starts a proxy for the server at this address; with `locks` it accepts HTTPS only.
    pub(crate) async fn start(server: &str, locks: Option<TlsCertificates>) -> Self {
        let server = server.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let (fault, faults) = channel(Fault::None);
        let scheme = if locks.is_some() { "https" } else { "http" };
        let served = Served { server, locks, since: Instant::now() };
        let task = tokio::spawn(listen(listener, served, faults));
        Self { url: format!("{scheme}://{address}"), fault, task }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(mut listener: TcpListener, served: Served, mut faults: Receiver<Fault>) {
    let address = listener.local_addr().expect("it listens");
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            changed = faults.changed() => {
                if changed.is_err() {
                    return;
                }
                if *faults.borrow() == Fault::Refuses {
                    drop(listener);
                    if faults.wait_for(|fault| *fault != Fault::Refuses).await.is_err() {
                        return;
                    }
                    listener = TcpListener::bind(address).await.expect("its own port");
                }
            }
            Ok((stream, _)) = listener.accept() => {
                let fault = *faults.borrow();
                let served = served.clone();
                // clients may close a connection at any time
                connections.spawn(async move { serve(stream, &served, fault).await.ok() });
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Serves one request and closes the connection.
async fn serve(mut client: TcpStream, served: &Served, fault: Fault) -> std::io::Result<()> {
    if let Some(locks) = &served.locks {
        let Some(mut client) = locks.open(client, fault).await? else { return Ok(()) };
        return pass(&mut client, &served.server).await;
    }
    match fault {
        Fault::Late => sleep(Duration::from_secs(2)).await,
        Fault::Jitters => sleep(Duration::from_millis(fastrand::u64(..3000))).await,
        Fault::Ahead | Fault::Behind => {
            let (_, request) = request(&mut client).await?;
            let answer = clock::answer(&served.server, request, fault).await?;
            client.write_all(&answer).await?;
            return client.shutdown().await;
        }
        Fault::None => {}
        // not every other second: a client with an interval of six seconds would always find it working
        Fault::Flaps if served.since.elapsed().as_secs().is_multiple_of(4) => {}
        _ => return lie(client, served, fault).await,
    }
    pass(&mut client, &served.server).await
}

/// Forwards the request to the server, and its answer to the client.
async fn pass(client: &mut (impl AsyncRead + AsyncWrite + Unpin), server: &str) -> std::io::Result<()> {
    let (_, request) = request(client).await?;
    let mut server = TcpStream::connect(server).await?;
    server.write_all(&request).await?;
    tokio::io::copy(&mut server, client).await?;
    client.shutdown().await
}

async fn lie(mut client: TcpStream, served: &Served, fault: Fault) -> std::io::Result<()> {
    let (path, request) = request(&mut client).await?;
    if let Some(answer) = fault.answer(&path) {
        client.write_all(&answer).await?;
        return client.shutdown().await;
    }
    match fault {
        Fault::Vanishes | Fault::Flaps => Ok(()),
        Fault::Resets => {
            client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n{\"status\":").await?;
            // so that the client reads the answer before the connection breaks
            sleep(Duration::from_millis(50)).await;
            client.set_zero_linger()
        }
        Fault::Drips => {
            client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n").await?;
            loop {
                client.write_all(b" ").await?;
                sleep(Duration::from_millis(500)).await;
            }
        }
        Fault::HangsInHead => {
            client.write_all(b"HTTP/1.1 200 OK\r\nContent-Ty").await?;
            std::future::pending().await
        }
        Fault::HangsInBody => {
            client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n{\"status\":").await?;
            std::future::pending().await
        }
        Fault::Twice => {
            let mut server = TcpStream::connect(&served.server).await?;
            server.write_all(&request).await?;
            let mut answer = Vec::new();
            server.read_to_end(&mut answer).await?;
            client.write_all(&answer.repeat(2)).await?;
            client.shutdown().await
        }
        Fault::Floods => {
            client.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[").await?;
            let chunk = vec![b' '; 64 * 1024];
            for _ in 0..8000 {
                client.write_all(&chunk).await?;
            }
            Ok(())
        }
        // never answers, not even after the end of the fault
        _ => std::future::pending().await,
    }
}

/// Reads a request: its path, and the whole request with `Connection: close`.
async fn request(client: &mut (impl AsyncRead + Unpin)) -> std::io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if client.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        let body = end + 4;
        while bytes.len() < body + length.unwrap_or(0) {
            if client.read_buf(&mut bytes).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        let target = head.split_whitespace().nth(1).unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default().to_owned();
        let mut whole = format!("{head}\r\nConnection: close\r\n\r\n").into_bytes();
        whole.extend_from_slice(&bytes[body..]);
        return Ok((path, whole));
    }
}
