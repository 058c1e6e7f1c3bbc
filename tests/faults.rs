//! Sources that hang, refuse, drip and lie: named within 15 s on every screen that uses them, their data kept, and back soon
//! after. Once over all troubles with the demo world in virtual time, once over real servers behind a proxy that lies.
#![cfg(test)]

#[path = "faults/proxy.rs"]
mod proxy;
#[path = "support/real.rs"]
mod real;
#[path = "support/skip.rs"]
mod skip;
#[path = "faults/troubled.rs"]
mod troubled;
#[path = "faults/watch.rs"]
mod watch;

use std::sync::Arc;
use std::time::Duration;

use burnwatch::backend::{self, Means, Source};
use burnwatch::config::settings::{LimitSettings, Settings, SourceKind, SourceSettings};
use burnwatch::model::source::{SourceId, Trouble};
use burnwatch::runtime::Clock;
use futures_util::future::join_all;
use tokio::sync::watch::Sender;

use proxy::{Fault, Proxy};
use real::real;
use troubled::{Mood, demo};
use watch::{Play, play};

/// Every way of giving no answer, with what the Sources screen says of it.
fn troubles() -> Vec<(Mood, &'static str)> {
    let with = |trouble, words| (Mood::Fails(trouble), words);
    let text = || "of a test".to_owned();
    vec![
        (Mood::Hangs, "no whole answer within 15s"),
        (Mood::Panics, "burnwatch failed while asking"),
        with(Trouble::Unreachable { reason: text() }, "cannot connect (of a test)"),
        with(Trouble::Certificate { reason: text() }, "certificate"),
        with(Trouble::TimedOut { after: Duration::from_secs(10) }, "no whole answer within 10s"),
        with(Trouble::Unauthorised, "401"),
        with(Trouble::Forbidden, "403"),
        with(
            Trouble::Redirected { to: "sso.example.com/login".into() },
            "redirects to sso.example.com/login",
        ),
        with(Trouble::RateLimited, "429"),
        with(Trouble::Refused { status: 503, message: text() }, "503: of a test"),
        with(Trouble::Garbled { reason: text() }, "makes no sense (of a test)"),
        with(Trouble::TooLarge { limit: 1 << 26 }, "larger than 64 MiB"),
        with(Trouble::BadQuery { message: text() }, "refuses the query"),
        with(Trouble::NoSecret { reason: text() }, "no credentials"),
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
        for (mood, words) in troubles() {
            let what = format!("{source} {mood:?}");
            let start = jiff::Timestamp::from_second(1_768_445_520).expect("a moment");
            let clock = Clock::scaled(start, 1.0);
            let (sources, moods) = demo(source, clock);
            let (service, alert) = ("checkout", "PersistentVolumeFillingUp");
            let change = |ill: bool| {
                moods.send(if ill { mood.clone() } else { Mood::Answers }).ok();
            };
            let limits = LimitSettings::default();
            play(Play { what, source, words, service, alert, sources, limits, clock, change }).await;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a real server runs by the real clock")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

fn connect(name: &str, kind: SourceKind, url: &str, settings: &Settings) -> Arc<dyn Source> {
    let source = SourceSettings::new(kind, url);
    let means = Means { settings, packs: &[], slos: &[], now };
    backend::connect(&SourceId::new(name), &source, means).expect("an address")
}

/// Every fault of the proxy at once, each before its own state, in front of one of the two servers.
async fn through_the_proxy(ill: &'static str) {
    let Some(prometheus) = real("BURNWATCH_TEST_PROMETHEUS") else { return };
    let Some(alertmanager) = real("BURNWATCH_TEST_ALERTMANAGER") else { return };
    let mut settings = Settings::default();
    settings.limits.body_mib = 4;
    let plays = Fault::ALL.map(|(fault, words)| {
        let (settings, is_prometheus) = (&settings, ill == "prom");
        let (prometheus, alertmanager) = (prometheus.clone(), alertmanager.clone());
        async move {
            let behind = if is_prometheus { &prometheus } else { &alertmanager };
            let proxy = Proxy::start(behind).await;
            let (mut prom, mut am) = (prometheus.clone(), alertmanager.clone());
            *(if is_prometheus { &mut prom } else { &mut am }) = proxy.url.clone();
            let sources = vec![
                connect("prom", SourceKind::Prometheus, &prom, settings),
                connect("am", SourceKind::Alertmanager, &am, settings),
            ];
            let faults: &Sender<Fault> = &proxy.fault;
            let change = |ill: bool| {
                faults.send(if ill { fault } else { Fault::None }).ok();
            };
            let (what, limits) = (format!("{ill} {fault:?}"), settings.limits);
            let (service, alert, clock) = ("prometheus", "AlwaysFiring", Clock::real());
            play(Play { what, source: ill, words, service, alert, sources, limits, clock, change }).await;
        }
    });
    join_all(plays).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_prometheus_behind_every_fault_is_named_in_time_and_comes_back() {
    through_the_proxy("prom").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_alertmanager_behind_every_fault_is_named_in_time_and_comes_back() {
    through_the_proxy("am").await;
}
