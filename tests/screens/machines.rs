//! A service with many machines: each of them can be reached at every size.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use burnwatch::testing::app::screens::service;
use burnwatch::testing::app::selection::Selection;
use burnwatch::testing::backend::{Answering, Source};
use burnwatch::testing::model::ask::{Answer, Ask, AskKind, Query, Reply};
use burnwatch::testing::model::fixtures;
use burnwatch::testing::model::health::Health;
use burnwatch::testing::model::host::{self, Host, NamedSignal, Usage};
use burnwatch::testing::model::labels::Text;
use burnwatch::testing::model::service::{DownTarget, ScrapeTargets, ServiceReading, ServiceSnapshot};
use burnwatch::testing::model::source_info::SourceInfo;

use crate::stage::Stage;

const MACHINES: usize = 30;

/// A source with this service.
pub(crate) struct MachineSource(SourceInfo);

impl MachineSource {
    pub(crate) fn new() -> Self {
        let source = fixtures::source("prom", "prometheus", vec![AskKind::Services]);
        Self(SourceInfo { address: "http://prom:9090".into(), ..source })
    }
}

impl Source for MachineSource {
    fn info(&self) -> &SourceInfo {
        &self.0
    }

    fn answer<'a>(&'a self, ask: &'a Ask, _known: Option<u64>) -> Answering<'a> {
        let answer = match &ask.query {
            Query::Services => Answer::Services(ServiceSnapshot {
                readings: vec![node()],
                lookback: Duration::from_secs(60),
            }),
            _ => Answer::Unchanged,
        };
        Box::pin(async move { Ok(Reply::free(answer)) })
    }
}

/// One disk is full, one machine is down, each has a load.
fn node() -> ServiceReading {
    let usage =
        |resource: &str, part: &str, ratio| Usage { resource: resource.into(), part: part.into(), ratio };
    let mut hosts: Vec<Host> = (1..=MACHINES)
        .map(|number| Host {
            instance: format!("10.0.0.{number}:9100").into(),
            name: format!("web-{number:02}").into(),
            usages: vec![
                usage("disk", "/", if number == 17 { 0.979 } else { 0.5 }),
                usage("memory", "", 0.3),
            ],
        })
        .collect();
    host::order(&mut hosts);
    let signal = |name: &str, number: usize, health| NamedSignal {
        name: name.into(),
        host: format!("web-{number:02}").into(),
        part: Text::default(),
        value: 1.0,
        words: format!("{name} on web-{number:02}").into(),
        health,
    };
    let mut named = vec![signal("clock is not synchronised", 4, Some(Health::Degraded))];
    named.extend((1..=10).map(|number| signal("load 0.2", number, None)));
    let down = vec![DownTarget { job: "node".into(), instance: "10.0.0.31:9100".into() }];
    ServiceReading {
        name: "node".into(),
        targets: ScrapeTargets { up: 30, total: 31, down },
        hosts: Arc::from(hosts),
        named,
        ..ServiceReading::default()
    }
}

/// The page of the service, with the cursor in the list of machines.
fn among_the_machines(size: (u16, u16)) -> Stage {
    let mut stage = Stage::machines(size);
    stage.press(&["2", "enter", "shift-tab"]);
    assert_eq!(stage.state().panel(), service::PARTS, "{size:?}");
    stage
}

/// The visible rows of the list, and the one with the cursor.
fn rows(stage: &Stage) -> (Vec<String>, String) {
    let text = stage.text();
    let rows = text.lines().skip_while(|line| !line.contains("Targets, signals")).skip(1);
    let rows: Vec<String> = rows.map(str::to_owned).collect();
    let chosen = rows.iter().find(|row| row.starts_with('\u{258c}')).cloned().unwrap_or_default();
    (rows, chosen)
}

#[test]
fn every_machine_can_be_seen_and_the_cursor_is_always_in_sight() {
    for size in [(200, 50), (120, 36), (80, 24), (40, 10)] {
        let mut stage = among_the_machines(size);
        let mut seen = BTreeSet::new();
        // one is down, one is not synchronised, ten have a load
        for _ in 0..MACHINES + 12 {
            let (shown, chosen) = rows(&stage);
            assert!(!chosen.is_empty(), "{size:?}:\n{}", stage.picture());
            seen.extend(
                (1..=MACHINES).filter(|n| shown.iter().any(|row| row.contains(&format!("(10.0.0.{n}:")))),
            );
            stage.press(&["down"]);
        }
        assert_eq!(seen.len(), MACHINES, "{size:?}: {seen:?}");
        stage.press(&["home"]);
        assert!(rows(&stage).1.contains("10.0.0.31"), "{size:?}");
    }
}

#[test]
fn what_is_bad_stands_first_among_the_machines() {
    let stage = among_the_machines((120, 36));
    let (shown, _) = rows(&stage);
    for (row, words) in
        shown.iter().zip(["target down", "clock", "web-17 (10.0.0.17:9100)  disk 97.9% /", "load"])
    {
        assert!(row.contains(words), "{words}: {row}");
    }
    insta::assert_snapshot!("machines_120x36", stage.body());
    insta::assert_snapshot!("machines_40x10", among_the_machines((40, 10)).body());
}

#[test]
fn keys_among_the_machines_mean_their_service_and_copy_takes_the_row() {
    let mut stage = among_the_machines((80, 24));
    assert_eq!(stage.state().selection(), Selection::Services(vec!["node".into()]));
    stage.press(&["down", "down"]);
    assert_eq!(
        stage.state().screen().copied(&stage.state().shared, stage.now()).as_deref(),
        Some("web-17 (10.0.0.17:9100): disk 97.9% /, memory 30.0%")
    );
}

#[test]
fn a_filter_finds_the_service_of_a_machine_by_its_name_and_by_its_address() {
    for (filter, found) in [("web-17", 1), ("10.0.0.17", 1), ("web-99", 0)] {
        let mut stage = Stage::machines((120, 36));
        let typed: Vec<String> = filter.chars().map(|c| c.to_string()).collect();
        stage.press(&["2", "/"]);
        stage.press(&typed.iter().map(String::as_str).collect::<Vec<_>>());
        stage.press(&["enter"]);
        assert_eq!(stage.state().screens.services.rows.list.rows().len(), found, "{filter}");
    }
}
