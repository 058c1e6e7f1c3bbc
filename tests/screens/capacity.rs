//! Resources with a limit: a source with one in each state, the list, and the page of each.

#![expect(clippy::unwrap_used, reason = "fixtures of tests")]

use std::sync::Arc;
use std::time::Duration;

use burnwatch::testing::app::display_settings::{Charset, Colours};
use burnwatch::testing::app::place::Place;
use burnwatch::testing::backend::{Answering, Source};
use burnwatch::testing::model::ask::{Answer, Ask, AskKind, Query, Reply};
use burnwatch::testing::model::capacity::{
    CapacityKey, CapacityReading, CapacitySnapshot, CapacityUnit, CapacityUse, LOOKBACKS, Outlook, UsageLine,
    forecast, lookback_grid,
};
use burnwatch::testing::model::fixtures;
use burnwatch::testing::model::health::Health;
use burnwatch::testing::model::service::{ScrapeTargets, ServiceReading, ServiceSnapshot};
use burnwatch::testing::model::source::SourceId;
use burnwatch::testing::model::source_info::SourceInfo;
use jiff::{SignedDuration, Timestamp};

use crate::stage::Stage;
use crate::{SIZES, in_ascii_too};

const GIB: f64 = 1_073_741_824.0;

/// A source with these resources.
pub(crate) struct CapacitySource(SourceInfo);

impl CapacitySource {
    pub(crate) fn new() -> Self {
        let kinds = vec![AskKind::Services, AskKind::Filling, AskKind::Capacity];
        let source = fixtures::source("prom", "prometheus", kinds);
        Self(SourceInfo { address: "http://prom:9090".into(), ..source })
    }
}

impl Source for CapacitySource {
    fn info(&self) -> &SourceInfo {
        &self.0
    }

    fn answer<'a>(&'a self, ask: &'a Ask, _known: Option<u64>) -> Answering<'a> {
        let readings: Vec<_> = all(Stage::start()).into_iter().map(Arc::new).collect();
        let answer = match &ask.query {
            Query::Services => Answer::Services(ServiceSnapshot {
                readings: ["ledger", "users"].map(service).to_vec(),
                lookback: Duration::from_secs(60),
            }),
            Query::Filling => Answer::Filling(CapacitySnapshot { readings }),
            Query::Capacity => Answer::Capacity(CapacitySnapshot { readings }),
            _ => Answer::Unchanged,
        };
        Box::pin(async move { Ok(Reply::free(answer)) })
    }
}

fn service(name: &str) -> ServiceReading {
    let targets = ScrapeTargets { up: 1, total: 1, down: Vec::new() };
    ServiceReading { name: name.into(), targets, ..ServiceReading::default() }
}

fn bare(service: &str, resource: &str, place: (&str, &str), at: Timestamp) -> CapacityReading {
    CapacityReading {
        key: CapacityKey {
            source: SourceId::new("prom"),
            service: service.into(),
            resource: resource.into(),
            instance: place.0.into(),
            part: place.1.into(),
        },
        host: place.0.into(),
        unit: CapacityUnit::Count,
        amount: CapacityUse::Amount { used: 0.0, limit: None },
        is_warned: true,
        history: Vec::new(),
        limits: None,
        trend: None,
        outlook: Outlook::Unknown,
        query: "max by (service, instance) (usage)".into(),
        at,
    }
}

/// A resource whose usage is a function of the days from now; it is known since so many days.
fn grown(
    bare: CapacityReading,
    (unit, limit): (CapacityUnit, Option<f64>),
    known: f64,
    usage: impl Fn(f64) -> f64,
) -> CapacityReading {
    let at = bare.at;
    let history = LOOKBACKS.map(|lookback| {
        let span = lookback_grid(lookback, at);
        let day = |index: usize| span.at(index).duration_since(at).as_secs_f64() / 86_400.0;
        let value = |index| if day(index) < -known { f64::NAN } else { usage(day(index)) };
        UsageLine { span, values: (0..span.count()).map(value).collect() }
    });
    let amount = CapacityUse::Amount { used: usage(0.0), limit };
    let (trend, outlook) = forecast(&history, usage(0.0), limit, at);
    CapacityReading { unit, amount, history: history.to_vec(), trend, outlook, ..bare }
}

/// One resource in each state.
fn all(at: Timestamp) -> Vec<CapacityReading> {
    let bytes = |limit: f64| (CapacityUnit::Bytes, Some(limit * GIB));
    let count = |limit: f64| (CapacityUnit::Count, Some(limit));
    let wave = |day: f64| (day * std::f64::consts::TAU).sin();
    let disk = |service: &str, host: &str, part: &str| bare(service, "disk", (host, part), at);
    let ends = at.checked_add(SignedDuration::from_hours(6 * 24)).unwrap();
    vec![
        grown(disk("ledger", "ledger-db-0", "/data"), bytes(500.0), 0.9, |day| (390.0 + 36.7 * day) * GIB),
        grown(disk("web", "web-17", "/var/log"), bytes(20.0), 40.0, |day| {
            (8.0 + 6.0 * day.rem_euclid(1.0)) * GIB
        }),
        grown(disk("archive", "archive-1", "/"), bytes(100.0), 40.0, |_| 101.0 * GIB),
        grown(disk("young", "young-1", "/"), bytes(100.0), 0.003, |_| 30.0 * GIB),
        grown(bare("users", "connections", ("users-db-0", ""), at), count(200.0), 40.0, |day| {
            120.0 + 30.0 * wave(day) + 1.5 * day
        }),
        grown(bare("relay", "queue", ("", "mails"), at), (CapacityUnit::Count, None), 40.0, |day| {
            900.0 + 10.0 * day
        }),
        CapacityReading {
            amount: CapacityUse::Until(ends),
            outlook: Outlook::Ends(ends),
            is_warned: false,
            ..bare("cart", "certificate", ("https://cart.example.net", ""), at)
        },
    ]
}

fn list(size: (u16, u16)) -> Stage {
    let mut stage = Stage::capacity(size);
    stage.press(&["C"]);
    stage
}

#[test]
fn the_list_at_all_sizes() {
    for (width, height) in SIZES {
        insta::assert_snapshot!(format!("capacity_{width}x{height}"), list((width, height)).body());
    }
}

#[test]
fn the_least_time_left_stands_first_and_what_is_soon_is_counted() {
    let text = list((200, 50)).text();
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words} in\n{text}"));
    let rows = ["archive-1", "ledger-db-0", "cart.example.net", "users-db-0", "young-1"];
    assert!(rows.windows(2).all(|pair| place(pair[0]) < place(pair[1])), "{text}");
    for words in [
        "1 within 1d or full",
        "2 soon",
        "101 GiB of 100 GiB",
        "2d23h (2d-4d)",
        "needs 10m of history",
        "no limit known",
        "daily",
    ] {
        place(words);
    }
}

#[test]
fn the_page_of_a_resource_at_all_sizes() {
    for (width, height) in SIZES {
        let mut stage = list((width, height));
        stage.press(&["down", "enter"]);
        assert!(matches!(stage.state().place(), Place::Resource(key) if &*key.service == "ledger"));
        insta::assert_snapshot!(format!("resource_{width}x{height}"), stage.body());
    }
}

#[test]
fn the_page_tells_the_forecast_in_words() {
    let mut stage = list((120, 36));
    stage.press(&["down", "enter"]);
    let text = stage.text();
    for words in [
        "full on",
        "In nine of ten cases",
        "390 GiB of 500 GiB",
        "36.7 GiB",
        "The trend is that of the last 21h",
    ] {
        assert!(text.contains(words), "{words} in\n{text}");
    }
    // Enter leads to the service, Esc back to the page and to the list
    stage.press(&["enter"]);
    assert!(matches!(stage.state().place(), Place::Service(name) if &**name == "ledger"));
    stage.press(&["esc", "esc"]);
    assert_eq!(*stage.state().place(), Place::Capacity);
}

#[test]
fn every_state_has_a_page() {
    for row in 0..all(Stage::start()).len() {
        let mut stage = list((120, 36));
        stage.press(&vec!["down"; row]);
        stage.press(&["enter"]);
        assert!(matches!(stage.state().place(), Place::Resource(_)), "{row}");
        assert!(stage.text().contains("Numbers"), "{row}: {}", stage.text());
    }
}

#[test]
fn without_colour_and_in_ascii_all_words_stay() {
    in_ascii_too(|| Stage::capacity((120, 36)), &["C"]);
    in_ascii_too(|| Stage::capacity((120, 36)), &["C", "down", "enter"]);
}

#[test]
fn a_filter_an_order_and_groups_work_as_on_other_lists() {
    let mut stage = list((120, 36));
    stage.press(&["/", "l", "e", "d", "g", "enter"]);
    assert!(stage.text().contains("Capacity 1/7") && !stage.text().contains("archive-1"), "{}", stage.text());
    stage.press(&["esc", "b", "down", "enter"]);
    assert!(stage.text().contains("grouped by service"), "{}", stage.text());
    stage.press(&["b", "enter", "S", "down", "enter"]);
    assert!(stage.text().contains("by used share"), "{}", stage.text());
}

#[test]
fn a_service_says_what_will_soon_be_full() {
    let stage = Stage::capacity((200, 50));
    let service = stage.state().shared.world.service("ledger").unwrap();
    assert_eq!(service.health, Health::Degraded);
    let why: Vec<String> = service.reasons.iter().map(|reason| reason.words(stage.now())).collect();
    assert_eq!(why, ["disk full in 2d23h on ledger-db-0 /data"]);
    // a growth of months is no reason
    assert_eq!(stage.state().shared.world.service("users").unwrap().health, Health::Healthy);
    let mut page = Stage::capacity((120, 36));
    page.press(&["2"]);
    assert!(page.text().contains("full in 2d23h"), "{}", page.text());
}

#[test]
fn before_the_answer_the_list_says_that_it_loads() {
    let mut stage = Stage::unanswered((80, 24));
    stage.press(&["C"]);
    assert!(stage.text().contains("Loading the usage of resources"), "{}", stage.text());
}

#[test]
fn any_size_will_do() {
    let mut stage = list((120, 36));
    for keys in [&[][..], &["down", "enter"]] {
        stage.press(keys);
        for size in [(1, 1), (5, 3), (20, 4), (39, 9), (60, 12), (300, 80)] {
            stage.resize(size);
            stage.draw();
        }
    }
}

#[test]
fn look_is_kept_in_ascii() {
    let mut stage = Stage::capacity((80, 24));
    stage.look(Charset::Ascii, Colours::None);
    stage.press(&["C", "down", "enter"]);
    insta::assert_snapshot!("resource_ascii_80x24", stage.body());
}
