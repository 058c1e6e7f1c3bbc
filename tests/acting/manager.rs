//! A fake Alertmanager that keeps silences, and delays or loses its answers as the test chooses.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

/// The reaction to a posted silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Post {
    /// Creates it and answers.
    Tells,
    /// Creates it and never answers.
    Does,
    /// Creates it and breaks the connection in the middle of the answer.
    Breaks,
    /// Creates it, and a gateway answers 502.
    Gateway,
    /// Does not create it and answers 500.
    Fails,
    /// Neither creates it nor answers.
    Hangs,
    /// Refuses this many requests with 429.
    Limits(u32),
    /// Refuses it.
    Refuses,
}

#[derive(Debug)]
struct World {
    post: Post,
    /// The received requests as `METHOD path`.
    heard: Vec<String>,
    silences: Vec<Value>,
}

/// A running fake; its threads end with the test.
#[derive(Clone)]
pub(crate) struct Manager {
    address: String,
    world: Arc<(Mutex<World>, Condvar)>,
}

impl Manager {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let world = World { post: Post::Tells, heard: Vec::new(), silences: Vec::new() };
        let manager = Self { address, world: Arc::new((Mutex::new(world), Condvar::new())) };
        let serving = manager.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.serve(&stream));
            }
        });
        manager
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn now(&self, post: Post) {
        self.world.0.lock().unwrap().post = post;
    }

    /// The comments of all silences that were created.
    pub(crate) fn made(&self) -> Vec<String> {
        let world = self.world.0.lock().unwrap();
        world.silences.iter().map(|silence| silence["comment"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn posts(&self) -> usize {
        let world = self.world.0.lock().unwrap();
        world.heard.iter().filter(|heard| heard.starts_with("POST")).count()
    }

    /// Waits until this many requests with this beginning have come.
    pub(crate) fn wait_for(&self, beginning: &str, times: usize) {
        let (world, changed) = &*self.world;
        let enough = |world: &mut World| {
            world.heard.iter().filter(|heard| heard.starts_with(beginning)).count() < times
        };
        let wait = Duration::from_secs(20);
        let (_world, waited) = changed.wait_timeout_while(world.lock().unwrap(), wait, enough).unwrap();
        assert!(!waited.timed_out(), "{beginning} did not come");
    }

    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some((method, path, body)) = request(&mut reader) {
            let answer = self.answer(&method, &path, &body);
            let Some((status, body)) = answer else {
                // waits until the client has closed the connection
                reader.read_to_end(&mut Vec::new()).ok();
                return;
            };
            let text = body.to_string();
            let breaks = method == "POST" && self.world.0.lock().unwrap().post == Post::Breaks;
            let missing = if breaks { 9 } else { 0 };
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{text}",
                text.len() + missing
            );
            if (&mut &*stream).write_all(head.as_bytes()).is_err() || breaks {
                return;
            }
        }
    }

    fn answer(&self, method: &str, path: &str, body: &Value) -> Option<(&'static str, Value)> {
        let (world, changed) = &*self.world;
        let mut world = world.lock().unwrap();
        world.heard.push(format!("{method} {path}"));
        changed.notify_all();
        let path = path.split('?').next().unwrap_or_default();
        match (method, path.trim_start_matches("/api/v2/")) {
            ("GET", "status") => {
                let version = json!({ "version": "0.28.0" });
                let cluster = json!({ "status": "ready", "peers": [] });
                Some((
                    "200 OK",
                    json!({ "versionInfo": version, "cluster": cluster, "config": {}, "uptime": "" }),
                ))
            }
            ("GET", "alerts/groups") => Some(("200 OK", groups(&world.silences))),
            ("GET", "silences") => Some(("200 OK", world.silences.clone().into())),
            ("POST", "silences") => {
                let post = world.post;
                if let Post::Tells | Post::Does | Post::Breaks | Post::Gateway = post {
                    let mut silence = body.clone();
                    let mut id = format!("5113-{}", world.silences.len());
                    // as Alertmanager: the id stays while the matchers are the same; otherwise the old silence expires
                    if let Some(at) = world.silences.iter().position(|old| old["id"] == silence["id"]) {
                        if world.silences[at]["matchers"] == silence["matchers"] {
                            id = world.silences.remove(at)["id"].as_str().unwrap().to_owned();
                        } else {
                            world.silences[at]["status"]["state"] = "expired".into();
                        }
                    }
                    silence["id"] = id.into();
                    silence["status"] = json!({ "state": "active" });
                    silence["updatedAt"] = silence["startsAt"].clone();
                    world.silences.push(silence);
                }
                match post {
                    Post::Tells => Some(("200 OK", json!({ "silenceID": world.silences.last()?["id"] }))),
                    Post::Does | Post::Hangs => None,
                    Post::Breaks => Some(("200 OK", json!({ "silenceID": "511" }))),
                    Post::Gateway => Some(("502 Bad Gateway", json!("no answer from behind"))),
                    Post::Fails => Some(("500 Internal Server Error", json!("out of order"))),
                    Post::Limits(times) => {
                        world.post = if times > 1 { Post::Limits(times - 1) } else { Post::Tells };
                        Some(("429 Too Many Requests\r\nretry-after: 1", json!("slow down")))
                    }
                    Post::Refuses => Some(("400 Bad Request", json!("no such thing"))),
                }
            }
            ("GET", "receivers") => Some(("200 OK", json!([{ "name": "pager" }]))),
            ("DELETE", path) => {
                let id = path.trim_start_matches("silence/");
                let found = world.silences.iter_mut().find(|silence| silence["id"] == id)?;
                found["status"]["state"] = "expired".into();
                Some(("200 OK", json!({})))
            }
            ("GET", path) if path.starts_with("silence/") => {
                let id = path.trim_start_matches("silence/");
                let found = world.silences.iter().find(|silence| silence["id"] == id);
                Some(
                    found
                        .map_or(("404 Not Found", json!("not found")), |silence| ("200 OK", silence.clone())),
                )
            }
            _ => Some(("404 Not Found", json!("not found"))),
        }
    }
}

/// Reads the next request: method, path, body.
fn request(reader: &mut BufReader<&TcpStream>) -> Option<(String, String, Value)> {
    let mut line = String::new();
    let mut read = |reader: &mut BufReader<&TcpStream>| {
        line.clear();
        reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0).map(|_| line.trim_end().to_owned())
    };
    let first = read(reader)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut length = 0;
    loop {
        let header = read(reader)?;
        if header.is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((method, path, serde_json::from_slice(&body).unwrap_or_default()))
}

/// The silences whose matchers (only `=`) match these labels.
fn hiding(silences: &[Value], labels: &Value) -> Vec<Value> {
    let is_fulfilled = |matcher: &Value| labels[matcher["name"].as_str().unwrap()] == matcher["value"];
    let hides = |silence: &&Value| {
        silence["status"]["state"] == "active"
            && silence["matchers"].as_array().unwrap().iter().all(is_fulfilled)
    };
    silences.iter().filter(hides).map(|silence| silence["id"].clone()).collect()
}

/// Two alerts of the service cart and one of search.
fn groups(silences: &[Value]) -> Value {
    let since = "2026-01-01T00:00:00.000Z".parse::<Timestamp>().unwrap().to_string();
    let alert = |name: &str, service: &str, fingerprint: &str| {
        let labels = json!({ "alertname": name, "service": service, "severity": "page" });
        let silenced_by = hiding(silences, &labels);
        let state = if silenced_by.is_empty() { "active" } else { "suppressed" };
        json!({
            "labels": labels,
            "annotations": {}, "fingerprint": fingerprint, "receivers": [{ "name": "pager" }],
            "startsAt": since, "updatedAt": since, "endsAt": "2099-01-01T00:00:00.000Z",
            "status": { "inhibitedBy": [], "silencedBy": silenced_by, "state": state },
        })
    };
    let alerts = [
        alert("Slow", "cart", "00000000000000a1"),
        alert("Down", "cart", "00000000000000a2"),
        alert("Slow", "search", "00000000000000a3"),
        alert("Odd", "search", "00000000000000a4"),
    ];
    json!([{ "labels": {}, "receiver": { "name": "pager" }, "alerts": alerts }])
}
