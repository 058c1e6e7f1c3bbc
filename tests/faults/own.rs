//! A Prometheus of our own, that can be killed and started again with its data.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// The server; it ends when it is dropped.
pub(crate) struct OwnPrometheus {
    folder: TempDir,
    port: u16,
    running: Option<Child>,
}

impl OwnPrometheus {
    /// None where the program is missing.
    pub(crate) fn start() -> Option<Self> {
        let folder = TempDir::new().expect("a folder can be made");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it listens").port();
        drop(listener);
        let scrapes = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nscrape_configs:\n  - {{ job_name: prometheus, \
             static_configs: [{{ targets: [\"127.0.0.1:{port}\"] }}] }}\n"
        );
        std::fs::write(folder.path().join("prometheus.yml"), scrapes).expect("it can be written");
        let mut own = Self { folder, port, running: None };
        own.again().then_some(own)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Whether it has something to tell.
    pub(crate) fn has_data(&self) -> bool {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.write_all(
                b"GET /api/v1/query?query=rate(prometheus_http_requests_total[5s]) HTTP/1.0\r\n\r\n",
            )?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().is_ok_and(|answer| answer.contains("\"value\""))
    }

    /// As `kill -9` does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().and_then(|()| child.wait()).expect("a child can be killed");
        }
    }

    /// Starts it with the data that it had; false where the program is missing.
    pub(crate) fn again(&mut self) -> bool {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let started = Command::new("prometheus")
            .arg(format!("--config.file={}", path("prometheus.yml")))
            .arg(format!("--storage.tsdb.path={}", path("data")))
            .arg(format!("--web.listen-address=127.0.0.1:{}", self.port))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.running = started.ok();
        self.running.is_some()
    }
}

impl Drop for OwnPrometheus {
    fn drop(&mut self) {
        self.kill();
    }
}
