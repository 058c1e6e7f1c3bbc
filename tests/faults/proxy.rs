//! A proxy in front of a real server that can be told to hang, refuse, drip and lie.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

/// What is wrong with the way to the server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    None,
    /// It takes the request and says nothing.
    Hangs,
    /// Nobody listens.
    Refuses,
    /// It takes the request and goes away.
    Vanishes,
    /// A byte now and then.
    Drips,
    Html,
    HalfJson,
    WrongType,
    /// 500 MB without a length.
    Floods,
    /// A login page.
    Redirects,
    AskedTooOften,
    Broken,
    StartingUp,
}

impl Fault {
    /// Every fault, with what is said of it.
    pub(crate) const ALL: [(Self, &'static str); 12] = [
        (Self::Hangs, "no whole answer within 10s"),
        (Self::Refuses, "cannot connect (connection refused"),
        (Self::Vanishes, "cannot connect"),
        (Self::Drips, "no whole answer within 10s"),
        (Self::Html, "HTML where JSON is expected"),
        (Self::HalfJson, "JSON cut off"),
        (Self::WrongType, "makes no sense"),
        (Self::Floods, "larger than 4 MiB"),
        (Self::Redirects, "redirects to sso.example.com/login"),
        (Self::AskedTooOften, "429"),
        (Self::Broken, "500"),
        (Self::StartingUp, "503: Service Unavailable"),
    ];

    /// What is answered in the server's place, where something is.
    fn answer(self) -> Option<String> {
        let (head, body) = match self {
            Self::Html => ("200 OK\r\nContent-Type: text/html", "<!doctype html><title>Log in</title>"),
            Self::HalfJson => ("200 OK", "{\"status\":\"success\",\"data\":{\"resultType\":\"vec"),
            Self::WrongType => ("200 OK", "{\"status\":\"success\",\"data\":17}"),
            Self::Redirects => ("302 Found\r\nLocation: https://sso.example.com/login?next=secret", ""),
            Self::AskedTooOften => ("429 Too Many Requests\r\nRetry-After: 4", "slow down"),
            Self::Broken => ("500 Internal Server Error", "<html>oops</html>"),
            Self::StartingUp => ("503 Service Unavailable", "Service Unavailable"),
            Self::None | Self::Hangs | Self::Refuses | Self::Vanishes | Self::Drips | Self::Floods => {
                return None;
            }
        };
        let length = body.len();
        Some(format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"))
    }
}

/// The running proxy; ends when it is dropped.
pub(crate) struct Proxy {
    pub(crate) url: String,
    pub(crate) fault: Sender<Fault>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// In front of the server at this address.
    pub(crate) async fn start(server: &str) -> Self {
        let server = server.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let (fault, faults) = channel(Fault::None);
        let task = tokio::spawn(listen(listener, server, faults));
        Self { url: format!("http://{address}"), fault, task }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(mut listener: TcpListener, server: String, mut faults: Receiver<Fault>) {
    let address = listener.local_addr().expect("it listens");
    let mut connections = tokio::task::JoinSet::new();
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
                let server = server.clone();
                // a client that goes away in the middle is part of the tests
                connections.spawn(async move { serve(stream, &server, fault).await.ok() });
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

/// One request and its answer; then the connection ends.
async fn serve(mut client: TcpStream, server: &str, fault: Fault) -> std::io::Result<()> {
    let request = request(&mut client).await?;
    if let Some(answer) = fault.answer() {
        client.write_all(answer.as_bytes()).await?;
        return client.shutdown().await;
    }
    match fault {
        Fault::Vanishes => Ok(()),
        Fault::Drips => {
            client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n").await?;
            loop {
                client.write_all(b" ").await?;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
        Fault::Floods => {
            client.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[").await?;
            let chunk = vec![b' '; 64 * 1024];
            for _ in 0..8000 {
                client.write_all(&chunk).await?;
            }
            Ok(())
        }
        Fault::None => {
            let mut server = TcpStream::connect(server).await?;
            server.write_all(&request).await?;
            tokio::io::copy(&mut server, &mut client).await?;
            client.shutdown().await
        }
        _ => std::future::pending().await,
    }
}

/// The whole request, told to be the last on its connection.
async fn request(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
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
        let mut whole = format!("{head}\r\nConnection: close\r\n\r\n").into_bytes();
        whole.extend_from_slice(&bytes[body..]);
        return Ok(whole);
    }
}
