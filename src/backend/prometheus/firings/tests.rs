use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::backend::kit::double::{CannedResponse, Double, ReceivedRequest};
use crate::backend::prometheus::Prometheus;
use crate::backend::{Clock, Source, SourceDeps};
use crate::config::settings::{ConfigDuration, LimitSettings, Settings};
use crate::model::ask::{Answer, Query};
use crate::model::fingerprint::Fingerprint;
use crate::model::source::SourceId;

const END: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

/// The history of one series of a rule: when its condition held, and the evaluation interval.
#[derive(Clone)]
struct Series {
    labels: Vec<(&'static str, &'static str)>,
    /// The start and end of each firing, in seconds before the end of the range; the condition began `hold` earlier.
    spans: Vec<(i64, i64)>,
    hold: i64,
    every: i64,
    has_state: bool,
}

impl Series {
    fn of(spans: &[(i64, i64)]) -> Self {
        let labels = vec![("alertname", "Slow"), ("service", "shop")];
        Self { labels, spans: spans.to_vec(), hold: 0, every: 15, has_state: true }
    }

    fn metric(&self, name: &str) -> Value {
        let mut metric: serde_json::Map<String, Value> =
            self.labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        metric.insert("__name__".into(), json!(name));
        if name == "ALERTS" {
            metric.insert("alertstate".into(), json!("firing"));
        }
        Value::Object(metric)
    }

    /// The samples of one of the two series: Unix seconds and values.
    fn samples(&self, name: &str) -> Vec<(i64, i64)> {
        let mut all = Vec::new();
        for (from, to) in &self.spans {
            let (begin, end) = (END - from, END - to);
            // the alert fires at the first evaluation after its `for`
            let active = begin - (self.hold + self.every - 1) / self.every * self.every;
            let first = if name == "ALERTS" { begin } else { active };
            let value = if name == "ALERTS" { 1 } else { active };
            all.extend(
                (0..).map(|i| first + i * self.every).take_while(|at| *at < end).map(|at| (at, value)),
            );
        }
        if name == "ALERTS_FOR_STATE" && !self.has_state { Vec::new() } else { all }
    }
}

/// Answers as a Prometheus with these series would.
fn answer_series(all: &[Series], asked: &ReceivedRequest) -> CannedResponse {
    let success =
        |data: &Value| CannedResponse::json(&json!({ "status": "success", "data": data }).to_string());
    let query = asked.parameter("query").to_owned();
    let name = if query.contains("ALERTS_FOR_STATE") { "ALERTS_FOR_STATE" } else { "ALERTS" };
    let length = |text: &str| duration::parse(text).unwrap().as_secs().cast_signed();
    let range = query.rsplit_once('[').map_or("", |(_, rest)| rest.trim_end_matches([')', ']']));
    match asked.path.as_str() {
        "/api/v1/status/buildinfo" => {
            success(&json!({ "version": "3.1.0", "revision": "abc", "goVersion": "go1.23" }))
        }
        "/api/v1/rules" => success(
            &json!({ "groups": [{ "name": "g", "interval": all.first().map_or(0, |one| one.every), "rules": [
            { "name": "Slow", "query": "up", "duration": all.first().map_or(0, |one| one.hold), "type": "alerting" }] }] }),
        ),
        "/api/v1/query_range" => {
            let [start, end, step] =
                ["start", "end", "step"].map(|name| asked.parameter(name).parse::<i64>().unwrap());
            let over = length(range);
            let lines = all.iter().filter_map(|one| {
                let samples = one.samples(name);
                let points: Vec<Value> = (0..=(end - start) / step)
                    .map(|i| start + i * step)
                    .filter_map(|at| {
                        let within =
                            samples.iter().filter(|(moment, _)| (at - over + 1..=at).contains(moment));
                        let (count, most) =
                            within.fold((0, 0), |(n, most), (_, value)| (n + 1, most.max(*value)));
                        let value = if name == "ALERTS" { count } else { most };
                        (count > 0).then(|| json!([at, value.to_string()]))
                    })
                    .collect();
                (!points.is_empty()).then(|| json!({ "metric": one.metric(name), "values": points }))
            });
            success(&json!({ "resultType": "matrix", "result": lines.collect::<Vec<_>>() }))
        }
        "/api/v1/query" if query.ends_with(']') => {
            let at: i64 = asked.parameter("time").parse().unwrap();
            let lines = all.iter().filter_map(|one| {
                let samples = one.samples(name);
                let within =
                    samples.into_iter().filter(|(moment, _)| (at - length(range) + 1..=at).contains(moment));
                let values: Vec<Value> = within.map(|(at, value)| json!([at, value.to_string()])).collect();
                (!values.is_empty()).then(|| json!({ "metric": one.metric(name), "values": values }))
            });
            success(&json!({ "resultType": "matrix", "result": lines.collect::<Vec<_>>() }))
        }
        _ => CannedResponse::new(404, "text/plain", "404 page not found"),
    }
}

fn source(double: &Double) -> Prometheus {
    // on a busy machine, the test server computes its answers slowly
    let limits =
        LimitSettings { timeout: ConfigDuration(Duration::from_secs(60)), ..LimitSettings::default() };
    let settings = Settings { limits, ..Settings::default() };
    let deps = SourceDeps::new(&settings, Clock::fixed(Timestamp::from_second(END).unwrap()));
    Prometheus::new(&SourceId::new("prom"), &double.source("prometheus"), deps).unwrap()
}

/// The firings of these series in the last `length` seconds, and the number of queries.
async fn found(all: Vec<Series>, labels: &Labels, seconds: i64) -> (FiringSnapshot, usize) {
    let all = Arc::new(all);
    let double = Double::start(move |asked| answer_series(&all, asked)).await;
    let until = Timestamp::from_second(END).unwrap();
    let from = Timestamp::from_second(END - seconds).unwrap();
    let ask =
        Query::Firings { fingerprint: Fingerprint::of(labels), labels: labels.clone(), from, until }.now();
    let Answer::Firings(snapshot) = source(&double).answer(&ask, None).await.unwrap().answer else {
        panic!()
    };
    let queries = double.asked().iter().filter(|asked| asked.path.contains("/query")).count();
    (snapshot, queries)
}

/// Converts to seconds before the end.
fn spans(snapshot: &FiringSnapshot) -> Vec<(i64, i64)> {
    let before = |at: Timestamp| END - at.as_second();
    snapshot.firings.iter().map(|firing| (before(firing.from), before(firing.to))).collect()
}

fn of_shop() -> Labels {
    Labels::from_iter([("alertname", "Slow"), ("service", "shop"), ("cluster", "added")])
}

#[tokio::test]
async fn several_short_firings_are_several_each_from_its_first_evaluation_to_the_one_after_its_last() {
    for every in [5, 15, 60, 300] {
        for hold in [0, 60, 600] {
            for seconds in [7200, 12 * 3600, 7 * DAY] {
                for labels in [Labels::default(), of_shop()] {
                    let held = (hold + every - 1) / every * every;
                    let spans_told = [
                        (6000 + 3 * every, 6000),
                        (6000 - every - held, 6000 - 2 * every - held),
                        (2000 + every, 2000),
                        (1000, 1000 - 2 * every),
                    ];
                    let series = Series { hold, every, ..Series::of(&spans_told) };
                    let (snapshot, queries) = found(vec![series], &labels, seconds).await;
                    let what = format!("every {every}, for {hold}, over {seconds}, {labels}");
                    assert_eq!(spans(&snapshot), spans_told, "{what}");
                    assert!(
                        snapshot.is_whole
                            && snapshot.firings.iter().all(|firing| !firing.is_about && !firing.is_open),
                        "{what}"
                    );
                    assert!(queries <= 4, "{queries} queries: {what}");
                }
            }
        }
    }
}

#[tokio::test]
async fn two_firings_with_a_single_evaluation_between_are_two_and_one_that_missed_an_evaluation_is_one() {
    let together = Series::of(&[(3000, 2400), (2385, 2010)]);
    let (snapshot, _) = found(vec![together.clone()], &of_shop(), 7200).await;
    assert_eq!(spans(&snapshot), [(3000, 2400), (2385, 2010)]);
    // without the active time, the evaluations are enough
    let (snapshot, _) = found(vec![Series { has_state: false, ..together }], &of_shop(), 7200).await;
    assert_eq!(spans(&snapshot), [(3000, 2400), (2385, 2010)]);
}

#[tokio::test]
async fn one_that_fires_still_is_open_and_one_that_began_before_has_its_true_beginning() {
    let series = Series { hold: 120, ..Series::of(&[(9000, 8000), (7500, -60)]) };
    for labels in [Labels::default(), of_shop()] {
        let (snapshot, _) = found(vec![series.clone()], &labels, 3600).await;
        assert_eq!(spans(&snapshot), [(7500, 0)]);
        let [firing] = &snapshot.firings[..] else { panic!() };
        assert!(firing.is_open && !firing.is_about, "{firing:?}");
    }
}

#[tokio::test]
async fn an_alert_has_its_own_firings_and_not_those_of_other_labels() {
    let series = |pod: Option<&'static str>, at: i64| {
        let mut one = Series::of(&[(at, at - 60)]);
        one.labels.extend(pod.map(|pod| ("pod", pod)));
        one
    };
    let all = vec![series(Some("a"), 3000), series(Some("b"), 2000), series(None, 1000)];
    for (pod, expected) in [(Some("a"), 3000), (Some("b"), 2000), (None, 1000)] {
        let pod = pod.map(|pod| ("pod", pod));
        let labels = [("alertname", "Slow"), ("service", "shop"), ("cluster", "x")];
        let labels = labels.into_iter().chain(pod).collect::<Labels>();
        let (snapshot, _) = found(all.clone(), &labels, 7200).await;
        assert_eq!(spans(&snapshot), [(expected, expected - 60)], "{pod:?}");
    }
    let (snapshot, _) = found(all, &Labels::default(), 7200).await;
    assert_eq!(snapshot.firings.len(), 3);
}

#[tokio::test]
async fn where_there_are_too_many_samples_only_edges_are_read_and_all_is_exact_still() {
    // evaluated every second, with three short gaps
    let answer_series = [(80_000, 50_007), (50_000, 20_011), (19_987, 5000), (4000, 3333)];
    let series = Series { every: 1, ..Series::of(&answer_series) };
    let (snapshot, queries) = found(vec![series], &of_shop(), 7 * DAY).await;
    assert_eq!(spans(&snapshot), answer_series);
    assert!(snapshot.firings.iter().all(|firing| !firing.is_about), "{:?}", snapshot.firings);
    assert!(queries <= 2 + 2 * REQUESTS, "{queries}");
}

#[tokio::test]
async fn what_flaps_for_days_is_told_about_by_bounded_requests() {
    let answer_series: Vec<(i64, i64)> =
        (0..600).map(|i| (7 * DAY - 500 - i * 1000, 7 * DAY - 700 - i * 1000)).collect();
    let series = Series { every: 1, ..Series::of(&answer_series) };
    let (snapshot, queries) = found(vec![series], &of_shop(), 7 * DAY).await;
    assert!(!snapshot.is_whole && queries <= 2 + 2 * REQUESTS, "{queries}");
    assert!(snapshot.firings.iter().any(|firing| firing.is_about));
    assert!(snapshot.firings.iter().any(|firing| !firing.is_about));
}
