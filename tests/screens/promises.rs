//! A source with SLOs in every state; its series are the same at every moment.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "fixtures of tests")]

use std::sync::Arc;
use std::time::Duration;

use burnwatch::testing::backend::{Answering, Clock, Source};
use burnwatch::testing::model::alert::{Alert, AlertSnapshot};
use burnwatch::testing::model::ask::{Answer, Ask, AskKind, Query, Reply};
use burnwatch::testing::model::fixtures;
use burnwatch::testing::model::labels::Labels;
use burnwatch::testing::model::rule::RuleSnapshot;
use burnwatch::testing::model::series::{Matrix, Series, TimeGrid};
use burnwatch::testing::model::service::{ServiceReading, ServiceSnapshot, Signals};
use burnwatch::testing::model::slo::{
    Calendar, CalendarUnit, DataExtent, DefinitionOrigin, Evaluation, EventSide, Family, GroupReading,
    InvalidRatio, MeasuredRatio, Objective, RecordedSeries, Sli, Slo, SloAlerting, SloReading, SloSnapshot,
    Template, Window,
};
use burnwatch::testing::model::source::ProbeReport;
use burnwatch::testing::model::source_info::SourceInfo;
use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// The recorded lookbacks, in seconds.
const LOOKBACKS: [u64; 7] = [300, 1800, 3600, 7200, 21_600, 86_400, 259_200];

/// A source with these SLOs.
pub(crate) struct SloSource {
    info: SourceInfo,
    readings: Vec<SloReading>,
    clock: Clock,
    alerts: Vec<Arc<Alert>>,
}

impl SloSource {
    pub(crate) fn new(readings: Vec<SloReading>, clock: Clock) -> Self {
        let answers = vec![
            AskKind::Probe,
            AskKind::Services,
            AskKind::Alerts,
            AskKind::Rules,
            AskKind::Slos,
            AskKind::Series,
        ];
        let source = fixtures::source("prom", "prometheus", answers);
        let info = SourceInfo { address: "http://prom:9090".into(), ..source };
        let began = clock.now() - Duration::from_secs(400);
        Self { info, readings, clock, alerts: vec![alert(began)] }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn reply(&self, ask: &Ask) -> Answer {
        match &ask.query {
            Query::Probe => Answer::Probe(ProbeReport {
                flavour: "Prometheus".into(),
                version: "3.0".into(),
                facts: Vec::new(),
                warnings: Vec::new(),
                refuses: None,
                clock_ahead_seconds: None,
            }),
            Query::Services => {
                let signals =
                    Signals { request_rate: Some(120.0), error_ratio: Some(0.02), ..Signals::default() };
                let reading =
                    |name: &str| ServiceReading { name: name.into(), signals, ..ServiceReading::default() };
                Answer::Services(ServiceSnapshot {
                    readings: vec![reading("cart"), reading("shop")],
                    lookback: Duration::from_secs(60),
                })
            }
            Query::Alerts => Answer::Alerts(AlertSnapshot { alerts: self.alerts.clone() }),
            Query::Rules => Answer::Rules(RuleSnapshot::default()),
            Query::Slos => Answer::Slos(SloSnapshot {
                at: ask.at.past().unwrap_or_else(|| self.now()),
                readings: self.readings.clone(),
            }),
            Query::Series { series: key, time_range } => Answer::Series(series(&key.query, time_range.tail)),
            _ => Answer::Unchanged,
        }
    }
}

impl Source for SloSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn answer<'a>(&'a self, ask: &'a Ask, _known: Option<u64>) -> Answering<'a> {
        Box::pin(async move { Ok(Reply::free(self.reply(ask))) })
    }
}

/// Few errors, except for two hours four and nine days ago, when alerts fired.
fn series(query: &str, span: TimeGrid) -> Matrix {
    let at = |second: i64| match (1_768_359_127 - second) / HOUR {
        97 => 0.35,
        216 => 0.12,
        _ => 0.0002,
    };
    let line = |labels: Labels, value: &dyn Fn(f64) -> f64| Series {
        values: (0..span.count()).map(|i| value(at(span.at(i).as_second()))).collect(),
        labels,
    };
    let ratio = |labels| line(labels, &|error| error);
    let mut lines = match query {
        _ if query.contains("ALERTS") => {
            let named = |name: &str| Labels::from_iter([("alertname", name)]);
            let fired = |error: f64| if error > 0.1 { 1.0 } else { f64::NAN };
            vec![line(named("DatabaseDown"), &fired), line(named("ShopErrorBudgetBurn"), &fired)]
        }
        _ if ["gone", "never", "idle"].iter().any(|word| query.contains(word)) => Vec::new(),
        _ if query.contains("by-region") => {
            ["ap", "eu", "us"].map(|region| ratio(Labels::from_iter([("region", region)]))).to_vec()
        }
        _ if query.starts_with("bad") => vec![line(Labels::default(), &|error| error * 50.0)],
        _ if query.starts_with("all") => vec![line(Labels::default(), &|_| 50.0)],
        _ => vec![ratio(Labels::default())],
    };
    lines.sort_by(|a, b| a.labels.cmp(&b.labels));
    Matrix { span, lines }
}

fn alert(starts_at: Timestamp) -> Arc<Alert> {
    let labels = Labels::from_iter([
        ("alertname", "ShopErrorBudgetBurn"),
        ("service", "shop"),
        ("severity", "page"),
        ("sloth_id", "shop-paging"),
    ]);
    let annotations = Labels::from_iter([("summary", "shop burns its budget")]);
    Arc::new(Alert { annotations, ..fixtures::alert(labels, starts_at, "prom") })
}

/// An SLO of 99.9 % over 30 days, recorded by Sloth's rules.
pub(crate) fn slo(id: &str) -> Slo {
    let lookbacks = LOOKBACKS.map(Duration::from_secs).to_vec();
    Slo {
        service: Some("shop".into()),
        description: "99.9% of the requests do not fail.".into(),
        labels: Labels::from_iter([("team", "store"), ("tier", "1")]),
        alerting: SloAlerting { name: Some("ShopErrorBudgetBurn".into()), ..SloAlerting::default() },
        recorded: Some(RecordedSeries {
            family: Family::Sloth,
            id: id.into(),
            labels: Labels::default(),
            metric: "".into(),
            lookbacks,
            plugins: Vec::new(),
        }),
        ..fixtures::slo(id)
    }
}

/// The error ratio of this burn rate at 99.9 %, with this many events.
fn burning(burn: f64, events: f64) -> MeasuredRatio {
    MeasuredRatio::Ratio { error: (burn * 0.001).min(1.0), events: Some(events) }
}

fn measured(labels: Labels, window: MeasuredRatio, burns: [f64; 7]) -> GroupReading {
    let recent = LOOKBACKS.into_iter().zip(burns);
    let recent =
        recent.map(|(seconds, burn)| (Duration::from_secs(seconds), burning(burn, 100.0 * seconds as f64)));
    GroupReading { labels, ..fixtures::group(window, recent.collect()) }
}

fn missing(what: MeasuredRatio) -> GroupReading {
    fixtures::group(what, LOOKBACKS.map(|seconds| (Duration::from_secs(seconds), what)).to_vec())
}

/// An SLO that has spent this share of its budget, with a burn rate for each lookback.
pub(crate) fn recorded(id: &str, spent: f64, burns: [f64; 7]) -> SloReading {
    reading(slo(id), vec![measured(Labels::default(), burning(spent, 41_230_118.0), burns)])
}

fn reading(slo: Slo, groups: Vec<GroupReading>) -> SloReading {
    SloReading { evaluation: Evaluation::Recorded, ..fixtures::reading(slo, groups) }
}

/// Data for only the last seconds of a month.
fn young(seconds: u64) -> DataExtent {
    let known = Duration::from_secs(seconds);
    let reaches =
        [HOUR, 6 * HOUR, DAY, 3 * DAY, 30 * DAY].map(|reach| Duration::from_secs(reach.unsigned_abs()));
    DataExtent { known, at_most: false, recent: reaches.map(|reach| (reach, reach.min(known))).to_vec() }
}

/// An SLO in every state, and one of each kind.
pub(crate) fn all(now: Timestamp) -> Vec<SloReading> {
    let calm = [0.2; 7];
    let ago = |seconds: i64| Timestamp::from_second(now.as_second() - seconds).unwrap();
    let mut all = vec![
        recorded("shop-paging", 0.762, [17.2, 16.4, 16.1, 9.0, 5.8, 2.1, 0.9]),
        recorded("shop-ticket", 0.5, [3.4, 3.3, 3.5, 3.4, 3.1, 3.2, 0.8]),
        recorded("shop-exhausted", 1.37, [0.4, 0.4, 0.5, 0.5, 0.5, 0.5, 0.6]),
        recorded("shop-burning", 0.31, [2.5, 2.2, 1.9, 1.4, 1.1, 0.6, 0.5]),
        recorded("shop-fine", 0.2, calm),
    ];
    let odd = |id: &str, odd: InvalidRatio| reading(slo(id), vec![missing(MeasuredRatio::Odd(odd))]);
    all.push(odd("cart-several", InvalidRatio::Several(3)));
    all.push(odd("cart-above-one", InvalidRatio::AboveOne(1.7)));
    let mut gone = reading(slo("cart-gone"), vec![missing(MeasuredRatio::Absent)]);
    gone.groups[0].newest = Some(ago(2 * HOUR + 60));
    all.push(gone);
    all.push(reading(slo("cart-never"), vec![missing(MeasuredRatio::Absent)]));
    all.push(reading(slo("cart-idle"), vec![missing(MeasuredRatio::NoTraffic)]));
    let mut refused = reading(slo("cart-refused"), Vec::new());
    refused.failure = Some("422: query processing would load too many samples into memory".into());
    all.push(refused);
    let mut partial = recorded("shop-partial", 0.4, calm);
    partial.groups[0].extent = Some(young(6 * DAY.unsigned_abs()));
    partial.groups[0].is_time_weighted = true;
    all.push(partial);
    let mut new = recorded("shop-new", 8.1, [8.1; 7]);
    new.groups[0].extent = Some(young(89 * 60));
    all.push(new);
    let mut few = recorded("cart-few", 0.4, [40.0, 12.0, 8.0, 4.0, 2.0, 0.8, 0.4]);
    for (lookback, measured) in &mut few.groups[0].recent {
        let error = measured.error().unwrap();
        *measured = MeasuredRatio::Ratio { error, events: Some(lookback.as_secs() as f64 / 360.0) };
    }
    all.push(few);
    let by_region = |region: &str, spent, burns| {
        measured(Labels::from_iter([("region", region)]), burning(spent, 1e6), burns)
    };
    let mut grouped = slo("shop-by-region");
    grouped.grouping = vec!["region".into()];
    all.push(reading(
        grouped,
        vec![
            by_region("ap", 0.1, calm),
            by_region("eu", 0.64, [2.0, 2.0, 1.8, 1.5, 1.2, 1.0, 0.7]),
            by_region("us", 0.3, calm),
        ],
    ));
    let mut calendar = recorded("shop-month", 0.7, [3.3, 3.2, 3.2, 2.0, 1.1, 0.9, 0.8]);
    calendar.slo = Arc::new(Slo {
        window: Window::Calendar(Calendar {
            count: 1,
            unit: CalendarUnit::Month,
            start: date(2024, 1, 1).at(0, 0, 0, 0),
            zone: TimeZone::get("Europe/Berlin").unwrap(),
        }),
        ..slo("shop-month")
    });
    all.push(calendar);
    let template = |text: &str| Template::parse(text).unwrap();
    let mut live = recorded("cart-live", 0.1, calm);
    live.evaluation = Evaluation::Live;
    live.slo = Arc::new(Slo {
        service: Some("cart".into()),
        objective: Objective::percent("90").unwrap(),
        recorded: None,
        sli: Some(Sli::Events {
            side: EventSide::Bad,
            part: template("bad_total[{{.window}}]"),
            total: template("all_total[{{.window}}]"),
        }),
        origin: DefinitionOrigin::File {
            path: "slos/cart.yaml".into(),
            line: 7,
            form: burnwatch::testing::model::slo::Form::OpenSlo,
        },
        ..slo("cart-live")
    });
    all.push(live);
    all.sort_by(|a, b| a.slo.id.cmp(&b.slo.id));
    all
}
