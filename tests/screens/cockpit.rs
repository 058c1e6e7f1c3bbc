//! The page of an incident with everything that sources can tell about it: charts, causes, changes, logs.

use std::sync::Arc;
use std::time::Duration;

use burnwatch::testing::app::place::Place;
use burnwatch::testing::app::screens::incident::CockpitPanel;
use burnwatch::testing::backend::{Answering, Source};
use burnwatch::testing::model::ask::{Answer, Ask, AskKind, Query, Reply};
use burnwatch::testing::model::change::{Change, ChangeKind, ChangeSnapshot};
use burnwatch::testing::model::fixtures;
use burnwatch::testing::model::labels::{Labels, Text};
use burnwatch::testing::model::log::{
    Comparer, LogHistogram, LogLine, LogLines, LogSplit, ReadLines, SampledLines,
};
use burnwatch::testing::model::series::{Matrix, Series, TimeGrid};
use burnwatch::testing::model::service::{ServiceDetail, ServiceReading, ServiceSnapshot, Signals};
use burnwatch::testing::model::signal::UnknownSignals;
use burnwatch::testing::model::source::SourceId;
use burnwatch::testing::model::source_info::SourceInfo;
use jiff::{SignedDuration, Timestamp};

use crate::pager::{Pager, incidents, on_call};
use crate::stage::Stage;
use crate::why::analysis_since;
use crate::{SIZES, in_ascii_too};

/// The incident of the pager began this many seconds ago.
const BEGAN: i64 = 12 * 60;

/// A source with the metrics, changes and logs of `checkout`, which fails since a deployment.
struct CheckoutSource(SourceInfo);

impl CheckoutSource {
    fn new(answers: Vec<AskKind>) -> Self {
        Self(fixtures::source("prom", "prometheus", answers))
    }
}

fn ago(seconds: i64) -> Timestamp {
    Stage::start() - SignedDuration::from_secs(seconds)
}

fn matrix(span: TimeGrid, labels: &[(&str, &str)], value: impl Fn(Timestamp) -> f64) -> Matrix {
    let values = (0..span.count()).map(|at| value(span.at(at))).collect();
    Matrix { span, lines: vec![Series { labels: labels.iter().copied().collect(), values }] }
}

fn detail(span: TimeGrid) -> ServiceDetail {
    let is_bad = |at: Timestamp| at > ago(BEGAN + 30);
    ServiceDetail {
        request_rate: matrix(span, &[], |_| 340.0),
        error_ratio: matrix(span, &[], |at| if is_bad(at) { 0.227 } else { 0.001 }),
        latency: matrix(span, &[("quantile", "0.95")], |at| if is_bad(at) { 0.41 } else { 0.18 }),
        saturation: matrix(span, &[("resource", "cpu")], |_| 0.35),
        buckets: Matrix::empty(span),
        queries: Vec::new(),
        unknown: UnknownSignals::default(),
    }
}

fn changes() -> Vec<Change> {
    let change = |seconds, service: &str, kind, title: &str| Change {
        service: Some(service.into()),
        ..Change::new(ago(seconds), kind, title, SourceId::new("prom"))
    };
    vec![
        change(BEGAN + 35, "checkout", ChangeKind::Deploy, "4.18.2 -> 4.19.0"),
        change(BEGAN + 600, "checkout", ChangeKind::Flag, "flag new_totals on"),
        change(BEGAN + 1400, "mail-relay", ChangeKind::Restart, "restarted"),
    ]
}

/// Usual lines, and two patterns that begin with the incident.
fn lines() -> Vec<LogLine> {
    let line = |seconds: i64, text: String| {
        LogLine::new(
            ago(seconds),
            Labels::from_iter([("app", "checkout")]),
            Labels::default(),
            text.as_bytes(),
        )
    };
    let usual = (0..300).map(|n| line(n * 6, format!("INFO request {n} done")));
    let failed = (0..90).map(|n| line(n * 8, format!("ERROR POST /charge: nil amount in order {n}")));
    let upstream = (0..12).map(|n| line(n * 50, format!("WARN upstream risk-score: 502, try {n}")));
    usual.chain(failed).chain(upstream).collect()
}

fn patterns(split: LogSplit) -> Answer {
    let mut comparer = Comparer::default();
    let (mut before, mut after) = (0_u64, 0_u64);
    for line in lines().into_iter().filter(|line| (split.from..split.until).contains(&line.at)) {
        let is_after = line.at >= split.at;
        *(if is_after { &mut after } else { &mut before }) += 1;
        comparer.add(&Arc::new(line), is_after);
    }
    let covered = Duration::from_secs(900);
    let [before, after] = [before, after].map(|lines| SampledLines { lines, covered, is_cut: false });
    Answer::LogPatterns(comparer.compare("{app=\"checkout\"}".into(), split, before, after))
}

impl Source for CheckoutSource {
    fn info(&self) -> &SourceInfo {
        &self.0
    }

    fn answer<'a>(&'a self, ask: &'a Ask, _known: Option<u64>) -> Answering<'a> {
        let query: Text = "{app=\"checkout\"}".into();
        let answer = match &ask.query {
            Query::Services => {
                let reading = |name: &str, error_ratio| {
                    let (request_rate, error_ratio) = (Some(340.0), Some(error_ratio));
                    let signals = Signals { request_rate, error_ratio, ..Signals::default() };
                    ServiceReading { name: name.into(), signals, ..ServiceReading::default() }
                };
                let readings = vec![reading("checkout", 0.227), reading("ledger", 0.05), reading("tax", 0.0)];
                Answer::Services(ServiceSnapshot { readings, lookback: Duration::from_secs(60) })
            }
            Query::Detail { time_range, .. } => Answer::Detail(detail(time_range.window)),
            Query::Why { .. } => Answer::Why(analysis_since(BEGAN + 30)),
            Query::Changes { since } => Answer::Changes(ChangeSnapshot::new(
                changes(),
                *since,
                Stage::start(),
                vec!["deploys".into()],
            )),
            Query::LogPatterns { split, .. } => patterns(*split),
            Query::LogCounts { window, .. } => Answer::LogCounts(LogHistogram::new(query, *window)),
            Query::LogLines { page, .. } => {
                Answer::LogLines(LogLines::of_page(query, Vec::new(), page, ReadLines::default()))
            }
            _ => Answer::Unchanged,
        };
        Box::pin(async move { Ok(Reply::free(answer)) })
    }
}

const ALL: [AskKind; 7] = [
    AskKind::Services,
    AskKind::Detail,
    AskKind::Why,
    AskKind::Changes,
    AskKind::LogLines,
    AskKind::LogCounts,
    AskKind::LogPatterns,
];

/// The stage on the page of the incident of `checkout`.
fn stage_with(size: (u16, u16), answers: &[AskKind]) -> Stage {
    let pager: Arc<dyn Source> = Arc::new(Pager::new(incidents(), on_call()));
    let mut stage = Stage::sources(size, vec![pager, Arc::new(CheckoutSource::new(answers.to_vec()))]);
    stage.press(&["5", "enter"]);
    stage
}

fn focused(stage: &Stage) -> CockpitPanel {
    CockpitPanel::at(stage.state().panel())
}

#[test]
fn all_that_is_known_about_an_incident() {
    for (width, height) in SIZES {
        let stage = stage_with((width, height), &ALL);
        insta::assert_snapshot!(format!("cockpit_{width}x{height}"), stage.body());
    }
}

#[test]
fn what_decides_is_on_the_screen_at_every_size() {
    for (size, expected) in [
        ((200, 50), &["22.7%", "94%", "4.19.0", "nil amount", "(new)", "level 2", "ledger", "similar"][..]),
        ((120, 36), &["22.7%", "94%", "4.19.0", "nil amount", "(new)", "escalates"]),
        ((80, 24), &["94%", "4.19.0", "22.7%", "escalates"]),
        ((40, 10), &["94%", "4.19.0", "escalates"]),
    ] {
        let stage = stage_with(size, &ALL);
        for words in expected {
            assert!(stage.text().contains(words), "{words:?} at {size:?}:\n{}", stage.text());
        }
    }
}

#[test]
fn without_colour_and_unicode_the_cockpit_says_the_same() {
    for size in [(200, 50), (80, 24)] {
        in_ascii_too(|| stage_with(size, &ALL), &[]);
    }
}

#[test]
fn each_panel_says_what_is_missing() {
    let stage = stage_with((200, 50), &[AskKind::Services]);
    for words in [
        "No source can compare labels",
        "No source of changes is configured",
        "No source of logs is configured",
        "No source of SLOs is configured",
        "No source of runbooks is configured",
        "No source has the history",
    ] {
        assert!(stage.text().contains(words), "{words:?} in\n{}", stage.text());
    }
    let mut stage = Stage::sources(
        (200, 50),
        vec![Arc::new(Pager::new(incidents(), on_call())), Arc::new(CheckoutSource::new(ALL.to_vec()))],
    );
    stage.press(&["5"]);
    stage.answer(false);
    stage.press(&["enter"]);
    assert!(stage.text().matches("loading").count() >= 3, "{}", stage.text());
}

#[test]
fn tab_goes_through_all_panels_and_enter_and_escape_come_back_to_the_same() {
    for size in [(200, 50), (120, 36), (80, 24), (40, 10)] {
        let mut stage = stage_with(size, &ALL);
        let incident = stage.state().place().clone();
        let mut seen = vec![focused(&stage)];
        loop {
            stage.press(&["tab"]);
            if focused(&stage) == CockpitPanel::Page {
                break;
            }
            seen.push(focused(&stage));
            assert!(seen.len() < 20, "{seen:?}");
            let panel = focused(&stage);
            stage.press(&["enter"]);
            if stage.state().place() != &incident {
                stage.press(&["esc"]);
            }
            assert_eq!((stage.state().place(), focused(&stage)), (&incident, panel), "{size:?}");
        }
        for panel in [CockpitPanel::Why, CockpitPanel::Logs, CockpitPanel::People, CockpitPanel::Similar] {
            assert!(seen.contains(&panel), "{panel:?} at {size:?}: {seen:?}");
        }
    }
}

#[test]
fn enter_opens_what_the_panel_is_about() {
    let mut stage = stage_with((200, 50), &ALL);
    let incident = stage.state().place().clone();
    let mut opened = Vec::new();
    for _ in 0..12 {
        stage.press(&["tab"]);
        let panel = focused(&stage);
        stage.press(&["enter"]);
        let is_right = match panel {
            CockpitPanel::Page | CockpitPanel::Chart => matches!(stage.state().place(), Place::Service(_)),
            CockpitPanel::Alerts => matches!(stage.state().place(), Place::Alert(_)),
            CockpitPanel::Why => matches!(stage.state().place(), Place::Why(_)),
            CockpitPanel::Changes => matches!(stage.state().place(), Place::Timeline),
            CockpitPanel::Logs => matches!(stage.state().place(), Place::Logs(_)),
            CockpitPanel::People => matches!(stage.state().place(), Place::Policy(_) | Place::OnCall),
            CockpitPanel::Dependencies => {
                matches!(stage.state().place(), Place::Service(name) if &**name == "ledger")
            }
            CockpitPanel::Runbook => matches!(stage.state().place(), Place::Runbook(_)),
            // the earlier incident and the SLO are not listed by these sources
            CockpitPanel::Similar | CockpitPanel::Slo => stage.state().place() == &incident,
            CockpitPanel::Signals => false,
        };
        assert!(is_right, "{panel:?}: {}", stage.text());
        opened.push(panel);
        if stage.state().place() != &incident {
            stage.press(&["esc"]);
        }
    }
    assert!(opened.contains(&CockpitPanel::Runbook), "{opened:?}");
}

#[test]
fn the_key_of_logs_opens_the_selection_of_the_panel() {
    let mut stage = stage_with((120, 36), &ALL);
    let incident = stage.state().place().clone();
    stage.press(&["L"]);
    let Place::Logs(by_key) = stage.state().place().clone() else { panic!("{}", stage.text()) };
    stage.press(&["esc"]);
    while focused(&stage) != CockpitPanel::Logs {
        stage.press(&["tab"]);
    }
    stage.press(&["enter"]);
    assert_eq!(stage.state().place(), &Place::Logs(by_key));
    stage.press(&["esc"]);
    assert_eq!(stage.state().place(), &incident);
}

#[test]
fn logs_without_a_selection_ask_for_a_service() {
    let mut stage = stage_with((120, 36), &ALL);
    stage.press(&["6", "L"]);
    for words in ["Logs of which service?", "checkout", "ledger"] {
        assert!(stage.text().contains(words), "{words}: {}", stage.text());
    }
    stage.press(&["enter"]);
    let Place::Logs(subject) = stage.state().place() else { panic!("{}", stage.text()) };
    assert_eq!(&*subject.title, "checkout", "the worst comes first");
}

#[test]
fn any_size_can_be_drawn() {
    for size in [(0, 0), (1, 1), (20, 5), (100, 26), (160, 40), (161, 12), (59, 60), (300, 100)] {
        let mut stage = stage_with(size, &ALL);
        for _ in 0..12 {
            stage.press(&["tab"]);
            stage.draw();
        }
    }
}
