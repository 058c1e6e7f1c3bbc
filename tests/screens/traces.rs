//! Traces: the list of a service's traces, and one trace as a waterfall.

#![expect(clippy::unwrap_used, reason = "fixtures of tests")]

use std::sync::Arc;
use std::time::Duration;

use burnwatch::testing::app::display_settings::{Charset, Colours};
use burnwatch::testing::app::event::{Effect, Event};
use burnwatch::testing::app::place::Place;
use burnwatch::testing::app::theme::Role;
use burnwatch::testing::backend::{Answering, Source};
use burnwatch::testing::model::ask::{Answer, Ask, AskKind, Query, Reply};
use burnwatch::testing::model::fixtures;
use burnwatch::testing::model::labels::Text;
use burnwatch::testing::model::service::{ServiceReading, ServiceSnapshot};
use burnwatch::testing::model::source_info::SourceInfo;
use burnwatch::testing::model::trace::{
    Span, SpanEvent, SpanKind, SpanStatus, Trace, TraceId, TraceSearch, TraceSnapshot, TraceSummary,
};

use crate::stage::Stage;
use crate::{SIZES, in_ascii_too};

/// The trace of a failed order.
const ORDER: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A source of services and traces.
pub(crate) struct TraceSource {
    info: SourceInfo,
    traces: Vec<Arc<Trace>>,
}

impl TraceSource {
    pub(crate) fn new(traces: Vec<Trace>) -> Self {
        let answers = vec![AskKind::Services, AskKind::Trace, AskKind::Traces];
        let info = fixtures::source("tempo", "tempo", answers);
        Self { info, traces: traces.into_iter().map(Arc::new).collect() }
    }
}

impl Source for TraceSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn answer<'a>(&'a self, ask: &'a Ask, _known: Option<u64>) -> Answering<'a> {
        let answer = match &ask.query {
            Query::Services => {
                let reading = |name: &str| ServiceReading { name: name.into(), ..ServiceReading::default() };
                let readings = vec![reading("checkout"), reading("payments")];
                Answer::Services(ServiceSnapshot { readings, lookback: Duration::from_secs(60) })
            }
            Query::Trace { id } => {
                let found = self.traces.iter().find(|trace| trace.id == *id).cloned();
                Answer::Trace(TraceSearch { found })
            }
            Query::Traces { service, from, until } => {
                let all = self.traces.iter().filter(|trace| trace.service_index(service).is_some());
                let mut traces: Vec<TraceSummary> =
                    all.map(|trace| TraceSummary::of(trace, service)).collect();
                traces.sort_by_key(TraceSummary::rank);
                let traces = traces.into_iter().map(Arc::new).collect();
                Answer::Traces(TraceSnapshot { from: *from, until: *until, traces, is_cut: false })
            }
            _ => Answer::Unchanged,
        };
        Box::pin(async move { Ok(Reply::free(answer)) })
    }
}

/// A span that begins some milliseconds after the last minute before the start of the test.
fn span(id: u64, parent: u64, service: &str, operation: &str, from: u64, millis: u64) -> Span {
    let span = fixtures::span(id, (parent > 0).then_some(parent), service, operation, 0, millis);
    Span {
        starts_at: Stage::start() - Duration::from_secs(60) + Duration::from_millis(from),
        attributes: vec![("http.request.method".into(), "POST".into())],
        resource: Arc::from([(Text::from("k8s.pod.name"), Text::from(format!("{service}-7d9f-0")))]),
        ..span
    }
}

fn failed(span: Span, message: &str) -> Span {
    Span { status: SpanStatus::Error, message: message.into(), ..span }
}

/// An order that fails because the card service does not answer; its mail is sent later, and one clock is behind.
fn order() -> Trace {
    let timed_out = SpanEvent {
        at: Stage::start() - Duration::from_secs(60) + Duration::from_millis(860),
        name: "exception".into(),
        attributes: vec![("exception.type".into(), "TimeoutError".into())],
    };
    let authorise = failed(span(6, 5, "cards", "POST /authorise", 60, 800), "no answer within 800 ms");
    let spans = vec![
        failed(span(1, 0, "checkout", "POST /order", 0, 900), "payment failed"),
        span(2, 1, "cart", "GET /cart", 4, 30),
        span(3, 2, "cart-db", "SELECT cart_items", 8, 20),
        failed(span(5, 1, "payments", "charge", 40, 850), "card service timed out"),
        Span { kind: SpanKind::Client, events: vec![timed_out], ..authorise },
        span(7, 5, "fraud", "score \x1b[2J", 30, 25),
        Span { kind: SpanKind::Consumer, ..span(8, 1, "mail", "send apology", 895, 200) },
    ];
    let trace = Trace::new(TraceId::parse(ORDER).unwrap(), spans).unwrap();
    Trace { link: Some(format!("https://tempo.example.net/trace/{ORDER}").into()), ..trace }
}

/// Three more orders, which succeed.
fn others() -> Vec<Trace> {
    let of = |number: u64, millis| {
        let id = number * 10;
        let spans = vec![
            span(id, 0, "checkout", "POST /order", number * 1000, millis),
            span(id + 1, id, "payments", "charge", number * 1000 + 5, millis / 2),
        ];
        Trace::new(TraceId::new(number.into()).unwrap(), spans).unwrap()
    };
    vec![of(1, 120), of(2, 4300), of(3, 80)]
}

fn stage(size: (u16, u16)) -> Stage {
    let traces = others().into_iter().chain([order()]).collect();
    Stage::source(size, Arc::new(TraceSource::new(traces)))
}

/// The keys to the list of traces of the first service, and on to its first trace.
const LIST: [&str; 2] = ["2", "X"];
const OPEN: [&str; 3] = ["2", "X", "enter"];

fn open(size: (u16, u16)) -> Stage {
    let mut stage = stage(size);
    stage.press(&OPEN);
    stage
}

#[test]
fn the_traces_of_a_service() {
    for (width, height) in SIZES {
        let mut stage = stage((width, height));
        stage.press(&LIST);
        insta::assert_snapshot!(format!("traces_{width}x{height}"), stage.body());
    }
}

#[test]
fn a_trace_as_a_waterfall() {
    for (width, height) in SIZES {
        let mut stage = open((width, height));
        insta::assert_snapshot!(format!("trace_{width}x{height}"), stage.body());
        stage.press(&["enter"]);
        insta::assert_snapshot!(format!("trace_details_{width}x{height}"), stage.body());
    }
}

#[test]
fn without_colour_and_unicode_it_says_the_same() {
    for (name, keys) in [("ascii_traces", &LIST[..]), ("ascii_trace", &OPEN)] {
        let plain = in_ascii_too(|| stage((120, 36)), keys);
        insta::assert_snapshot!(name, plain.body());
    }
    let mut plain = open((120, 36));
    plain.look(Charset::Ascii, Colours::None);
    let text = plain.body_text();
    assert!(text.contains("==") && text.contains("--"), "the critical path needs no colour\n{text}");
}

#[test]
fn failed_ones_come_first_then_the_slowest() {
    let mut stage = stage((120, 36));
    stage.press(&LIST);
    let text = stage.body_text();
    let (_, rows) = text.split_once('\n').unwrap();
    let order: Vec<usize> =
        ["1.09s", "4.30s", "120ms", "80ms"].iter().map(|took| rows.find(took).unwrap()).collect();
    assert!(order.is_sorted(), "{text}");
    assert!(text.contains("Traces of checkout 4") && text.contains("1 failed"), "{text}");
}

#[test]
fn the_cursor_begins_where_the_failure_began_and_the_reason_is_said() {
    let stage = open((120, 36));
    let text = stage.body_text();
    assert!(text.contains("failed first in cards POST /authorise: no answer within 800 ms"), "{text}");
    let current = text.lines().find(|line| line.starts_with('▌')).unwrap();
    assert!(current.contains("POST /authorise"), "{current}");
    assert!(text.contains("fraud score") && text.contains("begins 10ms before its parent"), "{text}");
    assert!(!text.contains('\x1b'), "{text:?}");
}

#[test]
fn a_span_is_collapsed_and_expanded() {
    let mut stage = open((120, 36));
    stage.press(&["g", "left"]);
    let folded = stage.body_text();
    assert!(folded.contains("POST /order +6") && !folded.contains("authorise  "), "{folded}");
    stage.press(&["right"]);
    assert!(stage.body_text().contains("SELECT cart_items"), "{}", stage.body_text());
    // left on a span without spans below goes to its parent
    stage.press(&["down", "down", "left"]);
    let text = stage.body_text();
    assert!(text.lines().any(|line| line.starts_with('▌') && line.contains("GET /cart")), "{text}");
}

#[test]
fn a_filter_shows_what_matches_with_its_ancestors() {
    let mut stage = open((120, 36));
    stage.press(&["/"]);
    for letter in "select".chars() {
        stage.press(&[&letter.to_string()]);
    }
    stage.press(&["enter"]);
    let text = stage.body_text();
    let rows = |text: &str| {
        ["POST /order", "GET /cart", "SELECT cart_items", "charge"].map(|row| text.matches(row).count())
    };
    // the first operation is in the summary, too
    assert_eq!(rows(&text), [2, 1, 1, 0], "{text}");
    stage.press(&["esc", "/"]);
    for letter in "k8s.pod.name=\"mail-7d9f-0\"".chars() {
        stage.press(&[&letter.to_string()]);
    }
    stage.press(&["enter"]);
    assert!(stage.body_text().contains("send apology") && !stage.body_text().contains("GET /cart"));
}

#[test]
fn details_show_attributes_and_events_and_esc_closes_them_first() {
    let mut stage = open((120, 36));
    stage.press(&["enter"]);
    let text = stage.body_text();
    for said in [
        "error: no answer within 800 ms",
        "Event exception at 860ms",
        "TimeoutError",
        "http.request.method",
        "cards-7d9f-0",
    ] {
        assert!(text.contains(said), "{said:?} in\n{text}");
    }
    stage.press(&["esc"]);
    assert!(!stage.body_text().contains("TimeoutError"));
    assert!(matches!(stage.state().place(), Place::Trace(_)));
    stage.press(&["esc"]);
    assert!(matches!(stage.state().place(), Place::Traces(_)));
}

#[test]
fn the_details_follow_the_cursor_and_scroll_while_they_have_the_focus() {
    let mut stage = open((80, 24));
    stage.press(&["g", "enter"]);
    let before = stage.body_text();
    assert!(before.contains("checkout POST /order"), "{before}");
    stage.press(&["down"]);
    assert!(stage.body_text().contains("cart GET /cart"), "{}", stage.body_text());
    stage.press(&["tab", "down", "down", "down"]);
    let scrolled = stage.body_text();
    assert!(!scrolled.contains("\n cart GET /cart\n"), "{scrolled}");
    assert!(scrolled.contains("GET /cart"), "the span stays in the list\n{scrolled}");
}

#[test]
fn the_id_is_copied_and_the_page_of_the_source_is_a_link() {
    let mut stage = open((120, 36));
    let effects = stage.effects_of(Event::Key("y".parse().unwrap()));
    assert!(effects.contains(&Effect::Copy(ORDER.to_owned())), "{effects:?}");
    stage.press(&["o"]);
    assert!(stage.text().contains("trace at tempo  https://tempo.example.net/trace/"), "{}", stage.text());
}

#[test]
fn a_pasted_id_opens_its_trace_and_one_that_no_source_has_is_said() {
    let mut stage = stage((120, 36));
    stage.press(&[":"]);
    stage.send(Event::Pasted(ORDER.to_uppercase()));
    stage.press(&["enter"]);
    assert!(stage.body_text().contains("POST /order"), "{}", stage.body_text());
    stage.press(&[":"]);
    stage.send(Event::Pasted("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()));
    stage.press(&["enter"]);
    let text = stage.body_text();
    assert!(text.contains("No trace has this id") && text.contains("asks again"), "{text}");
}

#[test]
fn without_a_source_and_with_a_dead_one_it_says_what_to_do() {
    let mut stage = Stage::machines((120, 36));
    stage.press(&LIST);
    let text = stage.body_text();
    assert!(text.contains("No source of traces is configured") && text.contains("--tempo URL"), "{text}");
    let mut stage = self::stage((120, 36));
    stage.press(&["2"]);
    stage.kill("tempo", 1);
    stage.press(&["X"]);
    stage.wait(30);
    let text = stage.text();
    assert!(text.contains("connection refused") && stage.shows(Role::Trouble), "{text}");
}

#[test]
fn a_service_without_traces_says_so_with_the_time_range() {
    let mut stage = Stage::source((120, 36), Arc::new(TraceSource::new(Vec::new())));
    stage.press(&LIST);
    assert!(stage.body_text().contains("No traces of checkout, last 1h."), "{}", stage.body_text());
    stage.press(&["1", "9", "X"]);
    assert!(stage.text().contains("Traces need a service"), "{}", stage.text());
}

#[test]
fn ten_thousand_spans_are_drawn_and_moved_in() {
    let mut spans = vec![span(1, 0, "checkout", "POST /bulk", 0, 60_000)];
    // a long chain, and many siblings
    spans.extend((2..400).map(|n| span(n, n - 1, "payments", "nested", n, 50_000)));
    spans.extend((400..10_000).map(|n| span(n, 1, "cart-db", "query", n * 5, 3)));
    let trace = Trace::new(TraceId::parse(ORDER).unwrap(), spans).unwrap();
    let mut stage = Stage::source((120, 36), Arc::new(TraceSource::new(vec![trace])));
    stage.press(&OPEN);
    assert!(stage.body_text().contains("9999 spans"), "{}", stage.body_text());
    for keys in [
        &["pagedown", "pagedown"][..],
        &["G"],
        &["left", "left"],
        &["g", "left"],
        &["right"],
        &["/", "n", "enter"],
    ] {
        stage.press(keys);
        stage.draw();
    }
}

#[test]
fn no_size_makes_it_fail() {
    let mut stage = stage((80, 24));
    for keys in [&["2", "X"][..], &["enter"], &["g"], &["enter"], &["tab"]] {
        stage.press(keys);
        for width in (0..=64).step_by(3).chain([79, 80, 119, 120, 200]) {
            for height in (0..=20).chain([24, 60]) {
                stage.resize((width, height));
                stage.draw();
            }
        }
        stage.resize((80, 24));
    }
}
