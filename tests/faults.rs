//! Sources with faults (they hang, refuse, answer slowly or wrongly): every screen that uses a source reports the fault within
//! 15 s, the old data stay visible, and the source recovers soon after the fault. Run with the demo world in virtual time, and
//! with real servers behind a faulty proxy and burnwatch in a terminal.
#![cfg(test)]

#[path = "faults/clock.rs"]
mod clock;
#[path = "faults/endless.rs"]
mod endless;
#[path = "faults/fault.rs"]
mod fault;
#[path = "pty/harness.rs"]
#[expect(dead_code, reason = "of a terminal only what is needed here")]
mod harness;
#[path = "faults/lane.rs"]
mod lane;
#[path = "faults/lock.rs"]
mod lock;
#[path = "faults/long.rs"]
mod long;
#[path = "faults/names.rs"]
mod names;
#[path = "faults/own.rs"]
mod own;
#[path = "faults/page.rs"]
mod page;
#[path = "support/pager.rs"]
#[expect(dead_code, reason = "nothing is changed here")]
mod pager;
#[path = "faults/proc.rs"]
mod proc;
#[path = "faults/proxy.rs"]
mod proxy;
#[path = "support/real.rs"]
mod real;
#[path = "support/skip.rs"]
mod skip;
#[path = "faults/table.rs"]
mod table;
#[path = "faults/troubled.rs"]
mod troubled;
#[path = "faults/watch.rs"]
mod watch;

use std::cell::RefCell;
use std::time::Duration;

use burnwatch::testing::backend::Clock;
use burnwatch::testing::config::settings::LimitSettings;
use burnwatch::testing::model::source::ErrorKind;
use futures_util::future::{LocalBoxFuture, join_all};
use tokio::time::{Instant, sleep};

use fault::{Fault, Seen};
use lane::{Addresses, Cell, FaultySource, TerminalRun};
use lock::TlsCertificates;
use names::Names;
use own::Own;
use pager::{Account, Pager};
use proc::Footprint;
use proxy::Proxy;
use real::real;
use troubled::{Mood, demo};
use watch::{Play, play};

/// How many terminals test the faults of one source in parallel.
const LANES: usize = 6;
/// How many KiB larger a process may be at the end than after its first fault.
const GROWTH: u64 = 24 * 1024;

/// Every way to fail, with the text on the Sources screen.
fn failures() -> Vec<(Mood, &'static str)> {
    let with = |failure, words| (Mood::Fails(failure), words);
    let text = || "of a test".to_owned();
    vec![
        (Mood::Hangs, "no complete answer within 15s"),
        (Mood::Panics, "internal error of burnwatch"),
        with(ErrorKind::Unreachable { reason: text() }, "cannot connect (of a test)"),
        with(ErrorKind::Certificate { reason: text() }, "certificate"),
        with(ErrorKind::TimedOut { after: Duration::from_secs(10) }, "no complete answer within 10s"),
        with(ErrorKind::Unauthorised { message: String::new() }, "401"),
        with(ErrorKind::Forbidden { message: String::new() }, "403"),
        with(
            ErrorKind::Redirected { to: "sso.example.com/login".into() },
            "redirects to sso.example.com/login",
        ),
        with(ErrorKind::RateLimited { message: String::new() }, "429"),
        with(ErrorKind::Refused { status: 503, message: text() }, "503: of a test"),
        with(ErrorKind::Garbled { reason: text() }, "cannot be understood (of a test)"),
        with(ErrorKind::TooLarge { limit: 1 << 26 }, "larger than 64 MiB"),
        with(ErrorKind::BadQuery { message: text() }, "rejects the query"),
        with(ErrorKind::NoSecret { reason: text() }, "no credentials"),
    ]
}

#[tokio::test(start_paused = true)]
async fn every_trouble_of_every_source_is_named_in_time_and_ends() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload().downcast_ref() != Some(&troubled::BUG) {
            usual(panic);
        }
    }));
    for source in ["prom-eu", "alertmanager"] {
        for (mood, words) in failures() {
            let what = format!("{source} {mood:?}");
            let start = jiff::Timestamp::from_second(1_768_445_520).expect("a moment");
            let clock = Clock::started_at(start);
            let (sources, moods) = demo(source, clock);
            let (service, alert) = ("checkout", "PersistentVolumeFillingUp");
            let change = |ill: bool| {
                moods.send(if ill { mood.clone() } else { Mood::Answers }).ok();
            };
            let limits = LimitSettings::default();
            Box::pin(play(Play { what, source, words, service, alert, sources, limits, clock, change }))
                .await;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "real servers run by the real clock")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// The results of the faults of one terminal.
#[derive(Default)]
struct Outcome {
    cells: Vec<Cell>,
    broken: Vec<String>,
}

impl Outcome {
    fn take(&mut self, who: FaultySource, fault: Fault, played: Result<Cell, String>) {
        match played {
            Ok(cell) => self.cells.push(cell),
            Err(why) => self.broken.push(format!("{} {fault:?}: {why}", who.id())),
        }
    }

    /// Measures the process: memory and files must not grow from fault to fault.
    fn measure(&mut self, who: FaultySource) {
        let held: Vec<Footprint> = self.cells.iter().filter_map(|cell| cell.footprint).collect();
        let (Some(first), Some(last)) = (held.first(), held.last()) else { return };
        if last.memory > first.memory + GROWTH
            || last.threads > first.threads + 4
            || last.files > first.files + 12
        {
            self.broken.push(format!("{} grew from {first:?} to {last:?}", who.id()));
        }
    }
}

/// The addresses of the sources; each terminal has a paging system of its own.
fn addresses(prom: &str, am: &str) -> (Addresses, Pager) {
    let pager = Pager::start(Account::new(now(), &["Q1"]));
    (Addresses { prom: prom.into(), am: am.into(), pd: pager.url.clone() }, pager)
}

fn behind(who: FaultySource, addresses: &Addresses) -> &str {
    match who {
        FaultySource::Prometheus => &addresses.prom,
        FaultySource::Alertmanager => &addresses.am,
        FaultySource::PagerDuty => &addresses.pd,
    }
}

/// Runs some faults of one source, one after the other.
async fn one_after_the_other(
    who: FaultySource,
    faults: Vec<Fault>,
    (addresses, pager): (Addresses, Pager),
    locks: Option<(TlsCertificates, String)>,
) -> Outcome {
    let (locks, authority) = locks.unzip();
    let proxy = Proxy::start(behind(who, &addresses), locks).await;
    let addresses = addresses.with(who, &proxy.url);
    let mut lane = TerminalRun::start(who, &addresses, authority.as_deref()).await;
    let mut outcome = Outcome::default();
    for fault in faults {
        pager.account().now = now();
        let played = lane.play(fault, &proxy.fault).await;
        proxy.fault.send(Fault::None).ok();
        outcome.take(who, fault, played);
    }
    outcome.measure(who);
    outcome
}

async fn in_no_dns(who: FaultySource, (addresses, _pager): (Addresses, Pager)) -> Outcome {
    let scheme = if who == FaultySource::PagerDuty { "https" } else { "http" };
    let addresses = addresses.with(who, &format!("{scheme}://no-such-host.invalid:9"));
    let mut outcome = Outcome::default();
    let Seen::Doubt(words) = Fault::NoSuchHost.seen() else { return outcome };
    let mut lane = TerminalRun::start(who, &addresses, None).await;
    let played = lane.play_absent(Fault::NoSuchHost, words).await;
    outcome.take(who, Fault::NoSuchHost, played);
    outcome
}

async fn gone_from_dns_and_back(
    who: FaultySource,
    (addresses, _pager): (Addresses, Pager),
    (locks, authority): (TlsCertificates, String),
) -> Outcome {
    let mut outcome = Outcome::default();
    let Some(names) = Names::new() else { return outcome };
    let proxy = Proxy::start(behind(who, &addresses), Some(locks)).await;
    let addresses = addresses.with(who, &proxy.url.replace("127.0.0.1", names::HOST));
    let mut lane = TerminalRun::start_among(who, &addresses, Some(&authority), Some(&names)).await;
    lane.known().await;
    let played = lane.play_with(Fault::NameGone, || names.forget(), || names.tell()).await;
    outcome.take(who, Fault::NameGone, played);
    outcome
}

async fn killed_and_started_again(who: FaultySource, (addresses, _pager): (Addresses, Pager)) -> Outcome {
    let mut outcome = Outcome::default();
    let Some(own) = Own::start(who) else { return outcome };
    let fault = Fault::Restarts;
    let begun = Instant::now();
    while !own.has_data() && begun.elapsed() < Duration::from_secs(30) {
        sleep(Duration::from_millis(200)).await;
    }
    let addresses = addresses.with(who, &own.url());
    let own = RefCell::new(own);
    let mut lane = TerminalRun::start(who, &addresses, None).await;
    lane.known().await;
    let again = || assert!(own.borrow_mut().again(), "it was there before");
    let played = lane.play_with(fault, || own.borrow_mut().kill(), again).await;
    outcome.take(who, fault, played);
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_faults_and_sources() {
    let Some(prom) = real("BURNWATCH_TEST_PROMETHEUS") else { return };
    let Some(am) = real("BURNWATCH_TEST_ALERTMANAGER") else { return };
    let locks = TlsCertificates::new();
    let mut lanes: Vec<LocalBoxFuture<'_, Outcome>> = Vec::new();
    for who in FaultySource::ALL {
        for lane in 0..LANES {
            let faults = Fault::PLAIN.into_iter().skip(lane).step_by(LANES).collect();
            lanes.push(Box::pin(one_after_the_other(who, faults, addresses(&prom, &am), None)));
        }
        let faults = Fault::LOCKED.to_vec();
        lanes.push(Box::pin(one_after_the_other(who, faults, addresses(&prom, &am), Some(locks.clone()))));
        lanes.push(Box::pin(in_no_dns(who, addresses(&prom, &am))));
        lanes.push(Box::pin(gone_from_dns_and_back(who, addresses(&prom, &am), locks.clone())));
        lanes.push(Box::pin(killed_and_started_again(who, addresses(&prom, &am))));
    }
    let outcomes = join_all(lanes).await;
    let (cells, broken): (Vec<_>, Vec<_>) =
        outcomes.into_iter().map(|outcome| (outcome.cells, outcome.broken)).unzip();
    let cells = cells.concat();
    println!("{}", table::printed(&cells));
    table::keep(&cells);
    let broken = broken.concat();
    assert!(broken.is_empty(), "{} promises broken:\n\n{}", broken.len(), broken.join("\n\n"));
}
