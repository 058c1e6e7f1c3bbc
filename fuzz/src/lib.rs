//! Shared code of the fuzz targets: servers whose answers are parts of the input, and checks of the results.

#[path = "../../tests/support/escapes.rs"]
mod escapes;
mod stage;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::str::Chars;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use burnwatch::testing::backend::{self, Clock, SourceDeps, Received, Receiving, LocalServer, Source, Transport, connect};
use burnwatch::testing::config::settings::{Settings, SourceSettings};
use burnwatch::testing::model::ask::{Answered, Ask, Query, SeriesKey};
use burnwatch::testing::model::fingerprint::Fingerprint;
use burnwatch::testing::model::labels::Labels;
use burnwatch::testing::model::series::TimeGrid;
use burnwatch::testing::model::source::SourceId;
use burnwatch::testing::model::text::is_harmless;
use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue};

pub use stage::Stage;

/// Separates the parts of an input; does not occur in JSON.
pub const SEPARATOR: u8 = 0x1e;

/// An arbitrary moment: 2026-01-14 02:52:07 UTC.
pub const NOW: i64 = 1_768_359_127;

/// The current time in all targets.
pub fn now() -> Timestamp {
    Timestamp::from_second(NOW).expect("a moment")
}

/// The parts of an input.
pub fn parts(input: &[u8]) -> Vec<Vec<u8>> {
    input.split(|byte| *byte == SEPARATOR).map(<[u8]>::to_vec).collect()
}

/// The parts of an input as texts.
pub fn texts(input: &[u8]) -> Vec<String> {
    input.split(|byte| *byte == SEPARATOR).map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

/// Labels from texts: a name, a value, a name, and so on.
pub fn labels(texts: &[String]) -> Labels {
    texts.chunks_exact(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect()
}

/// Runs a future to completion on this thread.
pub fn wait<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// A server's answer with these bytes; `!` and a digit at the beginning choose a failure instead.
pub fn received(part: &[u8]) -> Received {
    let mut headers = HeaderMap::new();
    let (status, body) = match part {
        [b'!', digit, body @ ..] => {
            let status = [400, 401, 403, 404, 405, 422, 429, 500, 503, 302];
            let line = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
            if let Ok(value) = HeaderValue::from_bytes(line) {
                for name in ["location", "retry-after", "ratelimit-reset", "date", "content-type"] {
                    headers.insert(name, value.clone());
                }
            }
            (status[usize::from(digit % 10)], body)
        }
        _ => (200, part),
    };
    let status = StatusCode::from_u16(status).expect("a status");
    Received { status, headers, body: body.to_vec() }
}

/// A server that answers by a function of the path.
struct Answers<F>(Mutex<F>);

impl<F: FnMut(&str) -> Received + Send> LocalServer for Answers<F> {
    fn answer(&self, request: reqwest::Request) -> Receiving<'_> {
        let received = self.0.lock().expect("no panic before")(request.url().path());
        Box::pin(std::future::ready(Ok(received)))
    }
}

/// A transport to a server that answers each path by this function.
pub fn answering(answer: impl FnMut(&str) -> Received + Send + 'static) -> Transport {
    Transport::Local(Arc::new(Answers(Mutex::new(answer))))
}

/// A transport to a server that answers with these parts in turn; there must be at least one.
pub fn in_turns(parts: Vec<Vec<u8>>) -> Transport {
    let mut next = 0;
    answering(move |_| {
        let part = &parts[next % parts.len()];
        next += 1;
        assert!(next < 400, "one question takes {next} requests");
        received(part)
    })
}

/// A source of this kind behind a transport.
pub fn source(kind: &str, transport: &Transport) -> Arc<dyn Source> {
    static SETTINGS: LazyLock<Settings> = LazyLock::new(Settings::default);
    let settings = SourceSettings::new(backend::kind(kind), "http://127.0.0.1:9");
    let deps = SourceDeps { transport, ..SourceDeps::new(&SETTINGS, Clock::fixed(now())) };
    connect(&SourceId::new("source"), &settings, deps)
}

/// A question whose kind this byte chooses.
pub fn ask(byte: u8) -> Ask {
    let span = TimeGrid::ending(now(), Duration::from_secs(3600), 60, Duration::from_secs(15));
    let time_range = burnwatch::testing::app::range::time_range(span, None);
    let labels = Labels::from_iter([("alertname", "A"), ("job", "j")]);
    match byte % 14 {
        0 => Query::Probe.now(),
        1 => Query::Services.now(),
        2 => Query::Trends { time_range }.now(),
        3 => Query::Detail { service: "j".into(), time_range }.now(),
        4 => Query::Alerts.now(),
        5 => Query::Rules.now(),
        6 => Query::Silences.now(),
        7 => Query::Slos.now(),
        8 => Query::Incidents.now(),
        9 => Query::Incident { id: "P1".into() }.now(),
        10 => Query::Steps { since: now() - jiff::SignedDuration::from_hours(24) }.now(),
        11 => Query::OnCall.now(),
        12 => Query::Series { series: SeriesKey::over("up".into(), time_range.window), time_range }.now(),
        _ => Query::Firings {
            fingerprint: Fingerprint::of(&labels),
            labels,
            from: span.start(),
            until: span.end(),
        }.now(),
    }
}

/// Asks a source of this kind the question that the first byte chooses; the rest of the input are the answers, in turn.
pub fn interview(kind: &str, input: &[u8]) -> Option<Answered> {
    let (first, rest) = input.split_first()?;
    let ask = ask(*first);
    let source = source(kind, &in_turns(parts(rest)));
    if !source.info().answers.contains(&ask.kind()) {
        return None;
    }
    Some(wait(source.answer(&ask, None)))
}

/// Checks that no text in a value has control characters, except line breaks.
///
/// # Panics
/// If a text has one.
pub fn assert_clean(value: &impl Debug) {
    let shown = format!("{value:?}");
    let mut chars = shown.chars();
    while let Some(c) = chars.next() {
        let c = if c == '\\' { escaped(&mut chars) } else { c };
        assert!(is_harmless(c) || c == '\n', "{c:?} stands in {shown}");
    }
}

/// Decodes an escape of the `Debug` format to its character.
fn escaped(chars: &mut Chars<'_>) -> char {
    match chars.next() {
        Some('n') | None => '\n',
        Some('t') => '\t',
        Some('r') => '\r',
        Some('0') => '\0',
        Some('u') => {
            let code: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
            u32::from_str_radix(&code, 16).ok().and_then(char::from_u32).unwrap_or('\0')
        }
        Some(other) => other,
    }
}

/// Checks that output for a terminal has only escape sequences that burnwatch uses.
///
/// # Panics
/// If it has another one.
pub fn assert_ours(written: &[u8]) {
    let forbidden_sequences = escapes::forbidden_sequences(written);
    assert!(forbidden_sequences.is_empty(), "{}", forbidden_sequences.join("\n"));
}

/// Builds a map as in `[ui.keys]` from texts.
pub fn replaced(texts: &[String]) -> BTreeMap<String, Vec<String>> {
    texts.chunks_exact(2).map(|pair| (pair[0].clone(), vec![pair[1].clone()])).collect()
}
