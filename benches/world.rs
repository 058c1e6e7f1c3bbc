//! What the loop does on its one thread, at two sizes of a fleet: taking an answer in, a key, a letter of a filter, a frame.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{Read, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use burnwatch::app::commands::KeyMap;
use burnwatch::app::event::{Arrival, Effect, Event};
use burnwatch::app::look::{Charset, Colours};
use burnwatch::app::state::{Look, Setup, State};
use burnwatch::app::theme::Theme;
use burnwatch::app::{render, update};
use burnwatch::backend::{Means, connect};
use burnwatch::config::settings::{Settings, SourceKind, SourceSettings};
use burnwatch::model::alert::{AlertBoard, AlertState};
use burnwatch::model::ask::{Answer, Ask, AskKind, Reply};
use burnwatch::model::guard::Guard;
use burnwatch::model::labels::{Interner, Labels};
use burnwatch::model::service::{Reading, ServiceBoard, Signals};
use burnwatch::model::slo::{
    Alerting, Budgeting, Evaluation, Family, GroupReading, Measured, Objective, Origin, Recorded, Slo,
    SloBoard, SloReading, Window, standard,
};
use burnwatch::model::source::{Kind, SourceId, SourceInfo};
use burnwatch::model::world::Judgement;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

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

/// Answers every request with this body, for ever.
fn serve(body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = vec![0; 8192];
            while matches!(stream.read(&mut request), Ok(1..)) {
                if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).is_err()
                {
                    break;
                }
            }
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
    services: ServiceBoard,
    slos: SloBoard,
    buffer: Buffer,
}

impl Fleet {
    fn new(services: usize, alerts: AlertBoard) -> Self {
        let answers = [
            (Kind::Prometheus, vec![AskKind::Services, AskKind::Slos]),
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
        let look = Look::new(vec![Theme::probe()], None, Colours::True, Charset::Unicode, TimeZone::UTC);
        let state = State::new(Setup {
            context: "bench".into(),
            contexts: vec!["bench".into()],
            sources: sources.to_vec(),
            guard: Guard::default(),
            production: false,
            person: "ana".into(),
            judgement: Judgement::default(),
            findings: Vec::new(),
            interval: Duration::from_secs(5),
            manners: burnwatch::model::notify::Manners::default(),
            look,
            keys: KeyMap::default(),
            size: SIZE,
        });
        let buffer = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
        let slos = promises(services.readings.len());
        let mut fleet = Self { state, now: now(), alerts, services, slos, buffer };
        fleet.answer(AskKind::Services);
        fleet.answer(AskKind::Slos);
        fleet.answer(AskKind::Alerts);
        fleet
    }

    /// Lets all questions of this kind be asked again, and answers them.
    fn answer(&mut self, kind: AskKind) {
        self.now += SignedDuration::from_mins(2);
        let asked = update(&mut self.state, Event::Tick, self.now);
        for effect in asked {
            let Effect::Fetch(question) = effect else { continue };
            let answer = match question.ask.kind() {
                asked if asked != kind => Answer::Unchanged,
                AskKind::Alerts => Answer::Alerts(self.alerts.clone()),
                AskKind::Slos => Answer::Slos(SloBoard { at: self.now, ..self.slos.clone() }),
                _ => Answer::Services(self.services.clone()),
            };
            let arrival = Arrival { question, answered: Ok(Reply::free(answer)), took: Duration::ZERO };
            update(&mut self.state, Event::Answered(Box::new(arrival)), self.now);
        }
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

fn fetched(runtime: &tokio::runtime::Runtime, address: &str) -> AlertBoard {
    let settings = Settings::default();
    let source = SourceSettings::new(SourceKind::Alertmanager, address);
    let source =
        connect(&SourceId::new("am"), &source, Means { settings: &settings, packs: &[], slos: &[], now })
            .unwrap();
    match runtime.block_on(source.answer(&Ask::Alerts, None)).unwrap().answer {
        Answer::Alerts(board) => board,
        other => panic!("{other:?}"),
    }
}

fn benches(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut group = criterion.benchmark_group("world");
    group.sample_size(20).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    for (services, alerts) in FLEETS {
        let name = |what: &str| BenchmarkId::new(what, format!("{services} services, {alerts} alerts"));
        let address = serve(groups(services, alerts));
        group.bench_function(name("fetch and decode alerts"), |b| b.iter(|| fetched(&runtime, &address)));
        let board = fetched(&runtime, &address);
        assert_eq!(board.alerts.len(), alerts);
        assert!(board.alerts.iter().all(|alert| alert.state == AlertState::Firing));
        let mut fleet = Fleet::new(services, board);
        for (screen, key) in [("overview", "1"), ("services", "2"), ("slos", "3"), ("alerts", "4")] {
            fleet.press(key);
            for kind in [AskKind::Services, AskKind::Slos, AskKind::Alerts] {
                group.bench_function(name(&format!("{screen}: {} arrive", kind.word())), |b| {
                    b.iter(|| fleet.answer(kind));
                });
            }
            group.bench_function(name(&format!("{screen}: frame")), |b| b.iter(|| fleet.draw()));
            group.bench_function(name(&format!("{screen}: key and frame")), |b| {
                b.iter(|| {
                    fleet.press("down");
                    fleet.draw();
                });
            });
            fleet.press("/");
            fleet.press("s");
            fleet.press("e");
            group.bench_function(name(&format!("{screen}: two letters of a filter, with frames")), |b| {
                b.iter(|| {
                    fleet.press("1");
                    fleet.draw();
                    fleet.press("backspace");
                    fleet.draw();
                });
            });
            fleet.press("esc");
        }
        fleet.press("3");
        fleet.press("enter");
        group.bench_function(name("SLO: frame"), |b| b.iter(|| fleet.draw()));
        fleet.press("4");
        fleet.press("down");
        fleet.press("enter");
        group.bench_function(name("alert: frame"), |b| b.iter(|| fleet.draw()));
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
