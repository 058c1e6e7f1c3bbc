//! Measures the work of the event loop's thread for two sizes of a fleet: applying an answer, a key, a letter of a filter, a
//! frame; and the parsing of answers, which runs on other threads.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench"
)]

#[path = "world/fleet.rs"]
mod fleet;
#[path = "world/logs.rs"]
mod logs;
#[path = "world/sent.rs"]
mod sent;
#[path = "world/table.rs"]
mod table;

use std::alloc::System;
use std::env;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use burnwatch::testing::backend::{self, Clock, Source, SourceDeps, connect};
use burnwatch::testing::config::settings::{Settings, SourceSettings};
use burnwatch::testing::model::alert::{Alert, AlertSnapshot, AlertState};
use burnwatch::testing::model::ask::{Answer, AskKind, Query, QueryRange, SeriesKey};
use burnwatch::testing::model::matcher;
use burnwatch::testing::model::rule::RuleSnapshot;
use burnwatch::testing::model::series::TimeGrid;
use burnwatch::testing::model::source::SourceId;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use fleet::{Fleet, changed, now, raised};
use logs::Logs;
use sent::{groups, matrix, serve};
use table::Table;

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The numbers of services and alerts.
const FLEETS: [(usize, usize); 2] = [(100, 1_000), (1_000, 10_000)];

fn source(kind: &str, address: &str) -> Arc<dyn Source> {
    let settings = Settings::default();
    let source = SourceSettings::new(backend::kind(kind), address);
    let deps = SourceDeps::new(&settings, Clock::fixed(now()));
    connect(&SourceId::new(address), &source, deps)
}

fn alerts_of(answer: Answer) -> AlertSnapshot {
    match answer {
        Answer::Alerts(snapshot) => snapshot,
        other => panic!("{other:?}"),
    }
}

/// The time grid of a range query over an hour.
fn hour() -> TimeGrid {
    let hour = Duration::from_secs(3600);
    TimeGrid::ending(now() + hour, hour, 240, Duration::from_secs(15))
}

fn decoding(table: &mut Table, services: usize, alerts: usize) -> AlertSnapshot {
    let mut runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (one, other) =
        (groups(services, alerts), groups(services, alerts).replace("has a problem", "is ill"));
    let size = one.len();
    let first = one.clone();
    let changing = source("alertmanager", &serve(vec![one, other]));
    table.line(
        "read alerts, all of them changed",
        &mut runtime,
        |_, _| (),
        |runtime, ()| {
            black_box(alerts_of(
                runtime.block_on(changing.answer(&Query::Alerts.now(), None)).unwrap().answer,
            ));
        },
    );
    table.speed("alerts", size);
    let still = source("alertmanager", &serve(vec![first]));
    let reply = runtime.block_on(still.answer(&Query::Alerts.now(), None)).unwrap();
    table.line(
        "recognise the same alerts",
        &mut runtime,
        |_, _| reply.digest,
        |runtime, known| {
            let answer = runtime.block_on(still.answer(&Query::Alerts.now(), known)).unwrap().answer;
            assert!(matches!(answer, Answer::Unchanged));
        },
    );
    table.speed("the same alerts", size);
    let body = matrix(services, 240);
    let size = body.len();
    let prometheus = source("prometheus", &serve(vec![body]));
    let time_range = QueryRange { window: hour(), tail: hour() };
    let ask = Query::Series { series: SeriesKey::over("rate".into(), time_range.window), time_range }.now();
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
        table.line(
            &format!("{screen}: a filter is begun, and frame"),
            fleet,
            |fleet, round| {
                if round > 0 {
                    fleet.press("esc");
                }
            },
            |fleet, ()| {
                fleet.press("/");
                fleet.draw();
            },
        );
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
    // the alerts are unchanged, and the rules have them, too
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
    fleet.rules = RuleSnapshot::default();
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

/// The keys of the screen of logs with 10,000 loaded lines.
fn logs(table: &mut Table) {
    let mut logs = Logs::new(10_000);
    table.line("Logs: frame", &mut logs, |_, _| (), |logs, ()| logs.draw());
    for (what, keys) in [("move", ["up", "down"]), ("a page", ["pageup", "pagedown"]), ("wrap", ["W", "W"])] {
        table.line(
            &format!("Logs: {what}, and frame"),
            &mut logs,
            |_, round| keys[round % 2],
            |logs, key| {
                logs.press(key);
                logs.draw();
            },
        );
    }
    logs.press("/");
    let typed = ["r", "e", "q", "u", "e", "s", "t", "7"];
    table.line(
        "Logs: a letter of a filter, and frame",
        &mut logs,
        |logs, round| {
            if round % typed.len() == 0 {
                logs.press("ctrl-u");
            }
            typed[round % typed.len()]
        },
        |logs, letter| {
            logs.press(letter);
            logs.draw();
        },
    );
}

fn main() {
    if env::args().any(|argument| argument == "--list" || argument == "--test") {
        return;
    }
    let rounds = env::var("BURNWATCH_BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(36);
    let mut table = Table::new(rounds);
    for (services, alerts) in FLEETS {
        let snapshot = decoding(&mut table, services, alerts);
        assert_eq!(snapshot.alerts.len(), alerts);
        assert!(snapshot.alerts.iter().all(|alert| alert.state == AlertState::Firing));
        let mut fleet = Fleet::new(services, snapshot);
        screens(&mut table, &mut fleet);
        matchers(&mut table, &mut fleet);
        logs(&mut table);
    }
    table.print();
}
