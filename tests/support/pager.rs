//! A fake paging system that implements PagerDuty's API and keeps its state. For `#[path = "support/pager.rs"] mod pager;`.
//!
//! An acknowledgement adds a log entry and changes the status and the list; writes need a `From` header, rate limits are counted,
//! and tests can cause faults. It listens on a loopback port until it is dropped.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

#[path = "pager/account.rs"]
mod account;

pub(crate) use account::Account;

/// A fault of the next write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// 429 with this `Retry-After` in seconds; nothing is done.
    Busy(u64),
    /// The write is done, and no answer is sent.
    TakenAndSilent,
    /// The write is done, and the connection breaks.
    TakenAndGone,
    /// The write is done, and the answer is incomplete.
    TakenAndGarbled,
    /// The connection breaks before anything is done.
    Lost,
    /// A gateway answers 502; nothing is done.
    Gateway,
    /// Another user resolves the incident first.
    Conflict,
}

/// A received request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn parameters<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_write(&self) -> bool {
        self.method != "GET"
    }
}

/// The running paging system.
pub(crate) struct Pager {
    /// Its URL.
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    account: Mutex<Account>,
    faults: Mutex<VecDeque<Fault>>,
    requests: Mutex<Vec<Request>>,
    is_over: AtomicBool,
}

enum Answer {
    /// Status, body, and `Retry-After` in seconds.
    Sent(u16, Vec<u8>, Option<u64>),
    /// The connection is closed.
    Gone,
    /// The connection stays open without an answer.
    Silent,
}

impl Pager {
    pub(crate) fn start(account: Account) -> Self {
        Self::start_at("127.0.0.1:0", account)
    }

    /// Starts at a given address, for instance that of an earlier one.
    pub(crate) fn start_at(address: &str, account: Account) -> Self {
        let listener = TcpListener::bind(address).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let shared = Arc::new(Shared {
            account: Mutex::new(account),
            faults: Mutex::default(),
            requests: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let serving = Arc::clone(&serving);
                // clients may close a connection at any time
                std::thread::spawn(move || drop(serving.serve(&stream)));
            }
        });
        Self { url, shared }
    }

    /// The state of the account.
    pub(crate) fn account(&self) -> MutexGuard<'_, Account> {
        self.shared.account.lock().expect("no test died within")
    }

    /// Sets the faults of the next writes, one after the other.
    pub(crate) fn faults(&self, faults: &[Fault]) {
        self.shared.faults.lock().expect("no test died within").extend(faults);
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().expect("no test died within").clone()
    }

    /// All requests so far that are not GET.
    pub(crate) fn writes(&self) -> Vec<Request> {
        self.requests().into_iter().filter(Request::is_write).collect()
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        let address = self.url.trim_start_matches("http://");
        // a connection makes the listener notice the end
        drop(TcpStream::connect(address));
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        let request = read(stream)?;
        self.requests.lock().expect("no test died within").push(request.clone());
        let fault = if request.is_write() {
            self.faults.lock().expect("no test died within").pop_front()
        } else {
            None
        };
        let mut stream = stream;
        let (status, body, retry_after) = match self.answer(&request, fault) {
            Answer::Sent(status, body, retry_after) => (status, body, retry_after),
            Answer::Gone => return Ok(()),
            Answer::Silent => return stream.read(&mut [0]).map(drop),
        };
        let account = self.account.lock().expect("no test died within");
        let date = account.now.strftime("%a, %d %b %Y %H:%M:%S GMT");
        let limits = format!(
            "ratelimit-limit: 960\r\nratelimit-remaining: {}\r\nratelimit-reset: 30\r\n",
            960_usize.saturating_sub(self.requests.lock().expect("no test died within").len())
        );
        drop(account);
        let wait = retry_after.map_or_else(String::new, |seconds| format!("Retry-After: {seconds}\r\n"));
        write!(
            stream,
            "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Type: application/json\r\nDate: {date}\r\n{limits}{wait}Content-Length: {}\r\n\r\n",
            body.len()
        )?;
        stream.write_all(&body)
    }

    fn answer(&self, request: &Request, fault: Option<Fault>) -> Answer {
        let mut account = self.account.lock().expect("no test died within");
        match fault {
            Some(Fault::Busy(seconds)) => {
                let body = json!({ "error": { "message": "Rate Limit Exceeded", "code": 2020 } });
                return Answer::Sent(429, body.to_string().into_bytes(), Some(seconds));
            }
            Some(Fault::Lost) => return Answer::Gone,
            Some(Fault::Gateway) => return Answer::Sent(502, b"Bad Gateway".to_vec(), None),
            Some(Fault::Conflict) => account.resolve_all_by_another(),
            Some(Fault::TakenAndSilent | Fault::TakenAndGone | Fault::TakenAndGarbled) | None => {}
        }
        let (status, body) = account.answer(request);
        let body = body.to_string().into_bytes();
        match fault {
            Some(Fault::TakenAndGone) => Answer::Gone,
            Some(Fault::TakenAndSilent) => Answer::Silent,
            Some(Fault::TakenAndGarbled) => Answer::Sent(status, body.into_iter().take(20).collect(), None),
            _ => Answer::Sent(status, body, None),
        }
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let (method, path) = (method.to_owned(), path.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, length)| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = serde_json::from_slice(&body).unwrap_or_default();
    Ok(Request { method, path, query, headers, body })
}
