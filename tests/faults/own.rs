//! Servers of the test that can be killed and started again.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::lane::FaultySource;
use crate::now;
use crate::pager::{Account, Pager};

const CONFIGURATION: &str = "configuration.yml";
const RECEIVER: &str = "route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n";
const ALERT: &str = r#"[{"labels": {"alertname": "AlwaysFiring", "severity": "critical"}}]"#;

/// A running server; it ends when it is dropped.
pub(crate) struct Own {
    who: FaultySource,
    folder: TempDir,
    port: u16,
    running: Option<Running>,
    is_over: Arc<AtomicBool>,
}

enum Running {
    Process(Child),
    Double { _pager: Pager },
}

impl Own {
    /// None if the program is not installed.
    pub(crate) fn start(who: FaultySource) -> Option<Self> {
        let folder = TempDir::new().expect("a folder can be made");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it listens").port();
        drop(listener);
        let scrapes = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nscrape_configs:\n  - {{ job_name: prometheus, \
             static_configs: [{{ targets: [\"127.0.0.1:{port}\"] }}] }}\n"
        );
        let text = if who == FaultySource::Prometheus { &scrapes } else { RECEIVER };
        std::fs::write(folder.path().join(CONFIGURATION), text).expect("it can be written");
        let is_over = Arc::new(AtomicBool::new(false));
        let mut own = Self { who, folder, port, running: None, is_over: Arc::clone(&is_over) };
        if !own.again() {
            return None;
        }
        if who == FaultySource::Alertmanager {
            // an Alertmanager forgets its alerts when it ends, so they are sent again regularly
            std::thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    exchange(port, &post("/api/v2/alerts", ALERT)).ok();
                    std::thread::park_timeout(Duration::from_millis(500));
                }
            });
        }
        Some(own)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Whether the server has data.
    pub(crate) fn has_data(&self) -> bool {
        let (path, reported) = match self.who {
            FaultySource::Prometheus => {
                ("/api/v1/query?query=rate(prometheus_http_requests_total[5s])", "\"value\"")
            }
            FaultySource::Alertmanager => ("/api/v2/alerts", "AlwaysFiring"),
            FaultySource::PagerDuty => return true,
        };
        exchange(self.port, &format!("GET {path} HTTP/1.0\r\n\r\n"))
            .is_ok_and(|answer| answer.contains(reported))
    }

    /// As `kill -9` does.
    pub(crate) fn kill(&mut self) {
        if let Some(Running::Process(mut child)) = self.running.take() {
            child.kill().and_then(|()| child.wait()).expect("a child can be killed");
        }
    }

    /// Starts the server with its old data; false if the program is not installed.
    pub(crate) fn again(&mut self) -> bool {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let file = format!("--config.file={}", path(CONFIGURATION));
        let address = format!("127.0.0.1:{}", self.port);
        let listen = format!("--web.listen-address={address}");
        let (programs, data, more): (&[&str], _, _) = match self.who {
            FaultySource::Prometheus => (&["prometheus"], "--storage.tsdb.path", None),
            FaultySource::Alertmanager => (
                &["prometheus-alertmanager", "alertmanager"],
                "--storage.path",
                Some("--cluster.listen-address="),
            ),
            FaultySource::PagerDuty => {
                let pager = Pager::start_at(&address, Account::new(now(), &["Q1"]));
                self.running = Some(Running::Double { _pager: pager });
                return true;
            }
        };
        let start = |program: &&str| {
            Command::new(program)
                .args([&file, &format!("{data}={}", path("data")), &listen])
                .args(more)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .ok()
        };
        self.running = programs.iter().find_map(start).map(Running::Process);
        self.running.is_some()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.kill();
    }
}

fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn exchange(port: u16, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
