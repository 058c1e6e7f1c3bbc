//! A server with hostile answers. For `#[path = "support/liar.rs"] mod liar;`.
//!
//! The answers are the templates of the fuzz targets, with every `@` replaced by a text of their hostile corpus. Below
//! `/broken`, `/moved` and `/garbled` every request fails in its own way.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

/// The beginning of every hostile text.
pub(crate) const MARK: &str = "EVIL";

/// The hostile texts, in the order of their names.
pub(crate) fn corpus() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/hostile");
    let mut paths: Vec<_> =
        folder.read_dir().expect("it is there").map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    let text = |path| {
        let bytes = std::fs::read(path).expect("a file");
        format!("{MARK}{}", String::from_utf8_lossy(&bytes))
    };
    let mut corpus: Vec<String> = paths.into_iter().map(text).collect();
    corpus.push(format!("{MARK}{}", "\u{1b}[31m\u{202e}long ".repeat(20_000)));
    corpus
}

/// A server on a loopback port, until the test ends.
pub(crate) struct HostileServer {
    pub(crate) url: String,
}

impl HostileServer {
    pub(crate) fn start(now: jiff::Timestamp) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let place = Arc::new(AtomicUsize::new(0));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let place = Arc::clone(&place);
                // clients may close a connection at any time
                std::thread::spawn(move || drop(serve(&stream, &place, now)));
            }
        });
        Self { url }
    }
}

fn serve(stream: &TcpStream, place: &AtomicUsize, now: jiff::Timestamp) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let texts = corpus();
    loop {
        let (mut first, mut length) = (String::new(), 0);
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        reader.by_ref().take(length).read_to_end(&mut Vec::new())?;
        let path = first.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default();
        let nth = |number: usize| texts[number % texts.len()].as_str();
        let here = place.fetch_add(1, Ordering::Relaxed);
        let (status, body) = match path {
            path if path.starts_with("/broken") => ("500 \u{1b}[31mno", nth(here).to_owned()),
            path if path.starts_with("/moved") => {
                ("302 x\r\nLocation: http://evil.example/\u{9b}2J\u{202e}x", String::new())
            }
            path if path.starts_with("/garbled") => ("200 OK", format!("{{{}", nth(here))),
            "/a.md" => ("200 OK", texts.join("\n\n")),
            path => match template(path) {
                Some(template) => ("200 OK", filled(&template, &texts, place, now).to_string()),
                None => ("404 Not Found", nth(here).to_owned()),
            },
        };
        let mut out = stream;
        write!(out, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nX-Evil: \u{9b}2J\r\n\r\n", body.len())?;
        out.write_all(body.as_bytes())?;
    }
}

/// The answer template of a path, as in the fuzz target `screen`.
fn template(path: &str) -> Option<String> {
    let name = match path.rsplit('/').next()? {
        "query" => "vector",
        "query_range" => return None,
        "me" => "user",
        name if path.contains("/incidents/P") && !["notes", "alerts", "log_entries"].contains(&name) => {
            "incident"
        }
        name => name,
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/templates").join(format!("{name}.json"));
    std::fs::read_to_string(file).ok()
}

fn filled(template: &str, texts: &[String], place: &AtomicUsize, now: jiff::Timestamp) -> Value {
    // replaces the fixed dates of the templates by the last minutes
    let day = now.strftime("%Y-%m-%dT%H").to_string();
    let recent = template.replace("2026-01-14T02", &day).replace("1768359127", &now.as_second().to_string());
    let mut value = serde_json::from_str(&recent).expect("a template is JSON");
    fill(&mut value, texts, place);
    value
}

fn fill(value: &mut Value, texts: &[String], place: &AtomicUsize) {
    let next = || texts[place.fetch_add(1, Ordering::Relaxed) % texts.len()].as_str();
    match value {
        Value::String(text) if text.contains('@') => *text = text.replace('@', next()),
        Value::Array(list) => list.iter_mut().for_each(|value| fill(value, texts, place)),
        Value::Object(fields) => {
            for (name, mut value) in std::mem::take(fields) {
                fill(&mut value, texts, place);
                let name = if name.contains('@') { name.replace('@', next()) } else { name };
                fields.insert(name, value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
