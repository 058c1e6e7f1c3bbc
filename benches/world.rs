//! What the loop does on its one thread, at two sizes of a fleet: taking an answer in, a key, a letter of a filter, a frame;
//! and what is done beside it: reading answers.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench"
)]

use std::alloc::System;
use std::env;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{Read, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use burnwatch::app::event::{Arrival, Effect, Event};
use burnwatch::app::look::{Charset, Colours};
use burnwatch::app::state::{Look, Setup, State};
use burnwatch::app::{render, update};
use burnwatch::backend::{Means, Source, connect};
use burnwatch::config::settings::{Settings, SourceKind, SourceSettings};
use burnwatch::model::alert::{Alert, AlertBoard, AlertState};
use burnwatch::model::ask::{Answer, Ask, AskKind, Question, Reply, Stretch};
use burnwatch::model::labels::{Interner, Labels};
use burnwatch::model::matcher;
use burnwatch::model::rule::RuleBoard;
use burnwatch::model::series::Span;
use burnwatch::model::service::{Reading, ServiceBoard, Signals};
use burnwatch::model::slo::{
    Alerting, Budgeting, Evaluation, Family, GroupReading, Measured, Objective, Origin, Recorded, Slo,
    SloBoard, SloReading, Window, standard,
};
use burnwatch::model::source::{Kind, SourceId, SourceInfo};
use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Services and alerts.
const FLEETS: [(usize, usize); 2] = [(100, 1_000), (1_000, 10_000)];
const SIZE: (u16, u16) = (200, 60);
const NOW: i64 = 1_768_359_127;
/// The lookbacks of each SLO, in seconds.
const LOOKBACKS: [u64; 7] = [300, 1800, 3600, 7200, 21_600, 86_400, 259_200];

/// What an Alertmanager sends for so many alerts: 13 labels and 4 annotations each, about 1 KiB.
fn groups(services: usize, alerts: usize) -> String {
    let mut json = String::from("[");
    for service in 0..services {
        let comma = if service == 0 { "" } else { "," };
        write!(json, r#"{comma}{{"labels":{{"service":"service-{service}"}},"receiver":{{"name":"tickets"}},"alerts":["#)
            .unwrap();
        for (place, n) in (service..alerts).step_by(services).enumerate() {
            let comma = if place == 0 { "" } else { "," };
            let severity = if n % 3 == 0 { "page" } else { "ticket" };
            let (zone, minute, kind) = (n % 3, n % 60, n % 12);
            write!(
                json,
                r#"{comma}{{"labels":{{"alertname":"Alert{kind}","service":"service-{service}","severity":"{severity}",
                "instance":"10.0.{}.{}:9090","pod":"service-{service}-{n:05x}","namespace":"team-{}","cluster":"c{zone}",
                "region":"eu-west-{zone}","zone":"{zone}","job":"fleet","env":"prod","team":"team-{}","tier":"{}"}},
                "annotations":{{"summary":"service-{service} has a problem of kind {kind} on pod {n:05x}",
                "description":"The ratio of failed requests of service-{service} has been above its threshold for long",
                "runbook_url":"https://runbooks.example.com/alert{kind}","dashboard":"https://grafana.example.com/d/{kind}"}},
                "startsAt":"2026-01-14T02:{minute:02}:00.000Z","endsAt":"2026-01-14T06:00:00.000Z",
                "updatedAt":"2026-01-14T02:{minute:02}:30.000Z","fingerprint":"{:016x}","receivers":[{{"name":"tickets"}}],
                "status":{{"state":"active","silencedBy":[],"inhibitedBy":[],"mutedBy":[]}},
                "generatorURL":"http://prometheus.example.com/graph?g0.expr={kind}"}}"#,
                n / 250, n % 250, service % 8, service % 8, service % 3,
                (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            )
            .unwrap();
        }
        json.push_str("]}");
    }
    json.push(']');
    json
}

/// Answers every request with one of these bodies in turn, for ever.
fn serve(bodies: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (bodies, turn) = (Arc::new(bodies), Arc::new(AtomicUsize::new(0)));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, bodies, turn) = (stream.unwrap(), Arc::clone(&bodies), Arc::clone(&turn));
            thread::spawn(move || {
                let mut request = vec![0; 8192];
                while matches!(stream.read(&mut request), Ok(1..)) {
                    let body = &bodies[turn.fetch_add(1, Ordering::Relaxed) % bodies.len()];
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                    let sent = stream.write_all(head.as_bytes());
                    if sent.and_then(|()| stream.write_all(body.as_bytes())).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

/// An SLO for each service, one in ten of them burning.
fn promises(services: usize) -> SloBoard {
    let window = Duration::from_secs(30 * 86_400);
    let reading = |n: usize| {
        let slo = Slo {
            id: format!("service-{n}-availability").into(),
            name: "availability".into(),
            service: Some(format!("service-{n}").into()),
            description: "".into(),
            labels: Labels::from_iter([("team", format!("team-{}", n % 8)), ("tier", (n % 3).to_string())]),
            objective: Objective::percent("99.9").unwrap(),
            window: Window::Rolling(window),
            budgeting: Budgeting::Occurrences,
            sli: None,
            grouping: Vec::new(),
            pairs: standard(window).to_vec(),
            // names that many alerts have
            alerting: Alerting { name: Some(format!("Alert{}", n % 12).into()), ..Alerting::default() },
            recorded: Some(Recorded {
                family: Family::Sloth,
                id: format!("service-{n}-availability").into(),
                labels: Labels::default(),
                metric: "".into(),
                lookbacks: LOOKBACKS.map(Duration::from_secs).to_vec(),
            }),
            origin: Origin::Series,
        };
        let error = if n.is_multiple_of(10) { 0.02 } else { 0.0002 + n as f64 * 1e-7 };
        let measured = Measured::Ratio { error, events: None };
        let group = GroupReading {
            labels: Labels::default(),
            recent: LOOKBACKS.map(|seconds| (Duration::from_secs(seconds), measured)).to_vec(),
            window: measured,
            is_time_weighted: true,
            first: None,
            newest: None,
        };
        SloReading {
            slo: Arc::new(slo),
            evaluation: Evaluation::Recorded,
            groups: vec![group],
            trouble: None,
        }
    };
    let mut readings: Vec<SloReading> = (0..services).map(reading).collect();
    readings.sort_by(|a, b| a.slo.id.cmp(&b.slo.id));
    SloBoard { at: now(), readings, warnings: Vec::new() }
}

/// A state with all answers of a fleet.
struct Fleet {
    state: State,
    now: Timestamp,
    alerts: AlertBoard,
    rules: RuleBoard,
    services: ServiceBoard,
    slos: SloBoard,
    buffer: Buffer,
}

impl Fleet {
    fn new(services: usize, alerts: AlertBoard) -> Self {
        let answers = [
            (Kind::Prometheus, vec![AskKind::Services, AskKind::Slos, AskKind::Rules]),
            (Kind::Alertmanager, vec![AskKind::Alerts]),
        ];
        let sources = answers.map(|(kind, answers)| SourceInfo {
            id: SourceId::new(kind.name()),
            kind,
            address: "".into(),
            answers,
            acts: Vec::new(),
        });
        let mut interner = Interner::default();
        let reading = |n: usize| Reading {
            name: interner.text(&format!("service-{n}")),
            labels: Labels::from_iter([("team", format!("team-{}", n % 8))]),
            signals: Signals {
                request_rate: Some(n as f64),
                error_ratio: Some(if n.is_multiple_of(10) { 0.2 } else { 0.0 }),
                p95: Some(0.2),
                ..Signals::default()
            },
            ..Reading::default()
        };
        let mut readings: Vec<Reading> = (0..services).map(reading).collect();
        readings.sort_by(|a, b| a.name.cmp(&b.name));
        let services = ServiceBoard { readings, lookback: Duration::from_secs(60), warnings: vec![] };
        let look = Look::probe(Colours::True, Charset::Unicode);
        let state = State::new(Setup::new("bench", sources.to_vec(), look, SIZE));
        let buffer = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
        let slos = promises(services.readings.len());
        let rules = RuleBoard::default();
        let mut fleet = Self { state, now: now(), alerts, rules, services, slos, buffer };
        for kind in [AskKind::Services, AskKind::Slos, AskKind::Rules, AskKind::Alerts] {
            fleet.answer(kind);
        }
        fleet
    }

    /// The questions of this kind, which are due by then.
    fn asked(&mut self, kind: AskKind) -> Vec<Question> {
        self.now += SignedDuration::from_mins(2);
        let mut wanted = Vec::new();
        for effect in update(&mut self.state, Event::Tick, self.now) {
            match effect {
                Effect::Fetch(question) if question.ask.kind() == kind => wanted.push(question),
                Effect::Fetch(question) => self.reply(question, Answer::Unchanged),
                _ => {}
            }
        }
        wanted
    }

    fn reply(&mut self, question: Question, answer: Answer) {
        let arrival = Arrival { question, answered: Ok(Reply::free(answer)), took: Duration::ZERO };
        update(&mut self.state, Event::Answered(Box::new(arrival)), self.now);
    }

    /// Answers these questions, which are all of one kind.
    fn give(&mut self, questions: Vec<Question>) {
        for question in questions {
            let answer = match question.ask.kind() {
                AskKind::Alerts => Answer::Alerts(self.alerts.clone()),
                AskKind::Rules => Answer::Rules(self.rules.clone()),
                AskKind::Slos => Answer::Slos(SloBoard { at: self.now, ..self.slos.clone() }),
                _ => Answer::Services(self.services.clone()),
            };
            self.reply(question, answer);
        }
    }

    fn answer(&mut self, kind: AskKind) {
        let questions = self.asked(kind);
        self.give(questions);
    }

    fn press(&mut self, key: &str) {
        update(&mut self.state, Event::Key(key.parse().unwrap()), self.now);
    }

    fn draw(&mut self) {
        self.buffer.reset();
        render(&self.state, self.now, &mut self.buffer);
        black_box(&self.buffer);
    }
}

/// The same alerts with another annotation, of every so many.
fn changed(board: &AlertBoard, every: usize) -> AlertBoard {
    let change = |(n, alert): (usize, &Arc<Alert>)| {
        if !n.is_multiple_of(every) {
            return Arc::clone(alert);
        }
        let pairs = alert.annotations.iter().map(|(name, value)| (name.clone(), value.clone()));
        let annotations = Labels::new(pairs.chain([("value".into(), "0.07".into())]).collect());
        Arc::new(Alert { annotations, ..(**alert).clone() })
    };
    AlertBoard { alerts: board.alerts.iter().enumerate().map(change).collect() }
}

/// What the rules hold that made these alerts.
fn raised(board: &AlertBoard) -> RuleBoard {
    let of = |alert: &Arc<Alert>| {
        Arc::new(Alert { receivers: Arc::from([]), value: Some(0.07), ..(**alert).clone() })
    };
    RuleBoard { alerts: board.alerts.iter().map(of).collect(), ..RuleBoard::default() }
}

fn source(kind: SourceKind, address: &str) -> Arc<dyn Source> {
    let settings = Settings::default();
    let source = SourceSettings::new(kind, address);
    let means = Means { settings: &settings, packs: &[], slos: &[], now };
    connect(&SourceId::new(address), &source, means).unwrap()
}

fn alerts_of(answer: Answer) -> AlertBoard {
    match answer {
        Answer::Alerts(board) => board,
        other => panic!("{other:?}"),
    }
}

/// What one piece of work takes.
struct Figures {
    median: Duration,
    most: Duration,
    allocations: usize,
    /// In bytes; whether it was kept or not.
    allocated: usize,
}

/// Called before and after each piece of work: there callgrind dumps what it counted, see `benches/run`.
#[inline(never)]
fn lap(name: &str) {
    black_box(name);
}

/// Lines with their figures for each fleet.
struct Table {
    rounds: usize,
    lines: Vec<(String, Vec<Figures>)>,
    speeds: Vec<String>,
    /// The line that was measured last.
    last: String,
}

impl Table {
    /// Does `work` with what `prepare` made for it, as often as there are rounds.
    fn line<T, P>(
        &mut self,
        what: &str,
        subject: &mut T,
        mut prepare: impl FnMut(&mut T, usize) -> P,
        mut work: impl FnMut(&mut T, P),
    ) {
        let (mut times, mut counts) = (Vec::new(), Vec::new());
        for round in 0..self.rounds {
            let prepared = prepare(subject, round);
            lap("");
            let (region, began) = (Region::new(COUNTING), Instant::now());
            work(subject, prepared);
            let (took, change) = (began.elapsed(), region.change());
            lap(what);
            times.push(took);
            counts.push((change.allocations + change.reallocations, change.bytes_allocated));
        }
        times.sort_unstable();
        counts.sort_unstable();
        let (allocations, allocated) = counts[counts.len() / 2];
        let (median, most) = (times[times.len() / 2], times[times.len() - 1]);
        let figures = Figures { median, most, allocations, allocated };
        what.clone_into(&mut self.last);
        match self.lines.iter_mut().find(|(known, _)| known == what) {
            Some((_, all)) => all.push(figures),
            None => self.lines.push((what.to_owned(), vec![figures])),
        }
    }

    /// Says how fast so many bytes were read in the line before.
    fn speed(&mut self, what: &str, bytes: usize) {
        let Some(last) = self.lines.iter().find(|(line, _)| *line == self.last) else { return };
        let Some(last) = last.1.last() else { return };
        let speed = bytes as f64 / 1e6 / last.median.as_secs_f64();
        self.speeds.push(format!("{what}, {:.1} MB: {speed:.0} MB/s", bytes as f64 / 1e6));
    }

    fn print(&self) {
        let of = |(services, alerts): (usize, usize)| format!("{services}, {services}, {alerts}");
        println!(
            "| services, SLOs, alerts | {} | {} | ratio | most | allocations | KiB |",
            of(FLEETS[0]),
            of(FLEETS[1])
        );
        println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        for (what, figures) in &self.lines {
            let [small, large] = figures.as_slice() else { continue };
            let (before, after) = (milliseconds(small.median), milliseconds(large.median));
            println!(
                "| {what} | {before:.2} ms | {after:.2} ms | {:.1} | {:.1} ms | {} | {} |",
                after / before,
                milliseconds(large.most),
                large.allocations,
                large.allocated / 1024,
            );
        }
        println!("\nread over loopback: {}", self.speeds.join("; "));
    }
}

/// A matrix of so many series, as a Prometheus sends it.
fn matrix(series: usize, points: u32) -> String {
    let mut json = String::from(r#"{"status":"success","data":{"resultType":"matrix","result":["#);
    for n in 0..series {
        let comma = if n == 0 { "" } else { "," };
        write!(json, r#"{comma}{{"metric":{{"service":"service-{n}","zone":"z{}"}},"values":["#, n % 3)
            .unwrap();
        for point in 0..points {
            let comma = if point == 0 { "" } else { "," };
            write!(json, r#"{comma}[{},"{}.{point:03}"]"#, NOW + i64::from(point) * 15, n * 7).unwrap();
        }
        json.push_str("]}");
    }
    json.push_str("]}}");
    json
}

/// An hour of a value for each service.
fn hour() -> Span {
    let hour = Duration::from_secs(3600);
    Span::ending(now() + hour, hour, 240, Duration::from_secs(15))
}

fn decoding(table: &mut Table, services: usize, alerts: usize) -> AlertBoard {
    let mut runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (one, other) =
        (groups(services, alerts), groups(services, alerts).replace("has a problem", "is ill"));
    let size = one.len();
    let first = one.clone();
    let changing = source(SourceKind::Alertmanager, &serve(vec![one, other]));
    table.line(
        "read alerts, all of them changed",
        &mut runtime,
        |_, _| (),
        |runtime, ()| {
            black_box(alerts_of(runtime.block_on(changing.answer(&Ask::Alerts, None)).unwrap().answer));
        },
    );
    table.speed("alerts", size);
    let still = source(SourceKind::Alertmanager, &serve(vec![first]));
    let reply = runtime.block_on(still.answer(&Ask::Alerts, None)).unwrap();
    table.line(
        "recognise the same alerts",
        &mut runtime,
        |_, _| reply.digest,
        |runtime, known| {
            let answer = runtime.block_on(still.answer(&Ask::Alerts, known)).unwrap().answer;
            assert!(matches!(answer, Answer::Unchanged));
        },
    );
    table.speed("the same alerts", size);
    let body = matrix(services, 240);
    let size = body.len();
    let prometheus = source(SourceKind::Prometheus, &serve(vec![body]));
    let stretch = Stretch { window: hour(), tail: hour() };
    let ask = Ask::Series { query: "rate".into(), stretch };
    runtime.block_on(prometheus.answer(&ask, None)).unwrap();
    let read = "read a matrix, a series of 240 points for each service";
    table.line(
        read,
        &mut runtime,
        |_, _| (),
        |runtime, ()| match runtime.block_on(prometheus.answer(&ask, None)).unwrap().answer {
            Answer::Series(matrix) => assert_eq!(matrix.lines.len(), services),
            other => panic!("{other:?}"),
        },
    );
    table.speed("the matrix", size);
    alerts_of(reply.answer)
}

fn screens(table: &mut Table, fleet: &mut Fleet) {
    for (screen, key) in [("Overview", "1"), ("Services", "2"), ("SLOs", "3"), ("Alerts", "4")] {
        fleet.press(key);
        let (same, some, all) =
            (fleet.alerts.clone(), changed(&fleet.alerts, 100), changed(&fleet.alerts, 1));
        for kind in [AskKind::Services, AskKind::Slos] {
            table.line(
                &format!("{screen}: {} arrive", kind.word()),
                fleet,
                |fleet, _| fleet.asked(kind),
                Fleet::give,
            );
        }
        for (what, other) in [
            ("the same alerts arrive", &same),
            ("alerts arrive, 1 % changed", &some),
            ("alerts arrive, all changed", &all),
        ] {
            table.line(
                &format!("{screen}: {what}"),
                fleet,
                |fleet, round| {
                    fleet.alerts = if round % 2 == 0 { other.clone() } else { same.clone() };
                    fleet.asked(AskKind::Alerts)
                },
                Fleet::give,
            );
        }
        table.line(&format!("{screen}: frame"), fleet, |_, _| (), |fleet, ()| fleet.draw());
        table.line(
            &format!("{screen}: move and frame"),
            fleet,
            |_, _| (),
            |fleet, ()| {
                fleet.press("down");
                fleet.draw();
            },
        );
        fleet.press("/");
        let typed = ["s", "e", "r", "v", "i", "c", "e", "-", "7"];
        table.line(
            &format!("{screen}: a letter of a filter, and frame"),
            fleet,
            |fleet, round| {
                if round % typed.len() == 0 {
                    fleet.press("ctrl-u");
                }
                typed[round % typed.len()]
            },
            |fleet, letter| {
                fleet.press(letter);
                fleet.draw();
            },
        );
        fleet.press("esc");
        fleet.press("esc");
    }
    // by now the alerts are as they were, and rules hold them as well
    fleet.press("4");
    fleet.rules = raised(&fleet.alerts);
    fleet.answer(AskKind::Rules);
    let (same, all) = (fleet.alerts.clone(), changed(&fleet.alerts, 1));
    table.line(
        "Alerts: alerts arrive, all changed, that rules hold, too",
        fleet,
        |fleet, round| {
            fleet.alerts = if round % 2 == 0 { all.clone() } else { same.clone() };
            fleet.asked(AskKind::Alerts)
        },
        Fleet::give,
    );
    fleet.rules = RuleBoard::default();
    fleet.answer(AskKind::Rules);
    fleet.press("3");
    fleet.press("enter");
    table.line("one SLO: frame", fleet, |_, _| (), |fleet, ()| fleet.draw());
    fleet.press("4");
    fleet.press("down");
    fleet.press("enter");
    table.line("one alert: frame", fleet, |_, _| (), |fleet, ()| fleet.draw());
}

fn matchers(table: &mut Table, fleet: &mut Fleet) {
    let wanted = matcher::parse(r#"{severity="page", service=~"service-.*[05]", env!="test"}"#).unwrap();
    table.line(
        "three matchers over all alerts",
        fleet,
        |_, _| (),
        |fleet, ()| {
            let passing = |alert: &&Arc<Alert>| wanted.iter().all(|matcher| matcher.matches(&alert.labels));
            assert_ne!(fleet.alerts.alerts.iter().filter(passing).count(), 0);
        },
    );
}

fn main() {
    if env::args().any(|argument| argument == "--list" || argument == "--test") {
        return;
    }
    let rounds = env::var("BURNWATCH_BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(36);
    let mut table = Table { rounds, lines: Vec::new(), speeds: Vec::new(), last: String::new() };
    for (services, alerts) in FLEETS {
        let board = decoding(&mut table, services, alerts);
        assert_eq!(board.alerts.len(), alerts);
        assert!(board.alerts.iter().all(|alert| alert.state == AlertState::Firing));
        let mut fleet = Fleet::new(services, board);
        screens(&mut table, &mut fleet);
        matchers(&mut table, &mut fleet);
    }
    table.print();
}
