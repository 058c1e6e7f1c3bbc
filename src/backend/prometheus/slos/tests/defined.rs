//! Tests of SLOs from definition files, measured by their own queries or by recorded series.

use super::*;
use crate::backend::prometheus::call::QuestionRequests;
use crate::backend::prometheus::slos::query_cache::QueryCache;
use crate::backend::prometheus::slos::registry::SloRegistry;
use crate::backend::prometheus::slos::{read, subqueries};
use crate::model::fixtures;
use crate::model::labels::Labels;
use crate::model::slo::query::{self, RatioQuery};
use crate::model::slo::{
    Calendar, CalendarUnit, Evaluation, EventSide, Family, InvalidRatio, RecordedSeries, Selector, Sli,
    Template, Window,
};

fn slo(id: &str, sli: Option<Sli>) -> Slo {
    Slo { sli, ..fixtures::slo(id) }
}

fn counters(part: &str, total: &str) -> Sli {
    let selector = |text: &str| Selector::parse(text).unwrap();
    Sli::Counters { side: EventSide::Bad, part: selector(part), total: selector(total) }
}

fn events(part: &str, total: &str) -> Sli {
    let template = |text: &str| Template::parse(text).unwrap();
    Sli::Events { side: EventSide::Bad, part: template(part), total: template(total) }
}

/// The parts of a joined query: `label_replace(QUERY, "burnwatch_slo", "N", "", "")`.
fn parts(query: &str) -> Vec<(String, String)> {
    let parts = query.split(" or label_replace(").map(|part| part.trim_start_matches("label_replace("));
    let part = |part: &str| {
        let (query, rest) = part.rsplit_once(r#", "burnwatch_slo", ""#)?;
        Some((query.trim().to_owned(), rest.split('"').next()?.to_owned()))
    };
    parts.filter_map(part).collect()
}

/// A server that answers single and joined queries; it refuses queries for which the function returns `None`.
async fn answering(answer: impl Fn(&str) -> Option<Vec<(Value, f64)>> + Send + Sync + 'static) -> Double {
    Double::start(move |asked| {
        if asked.path != "/api/v1/query" {
            return otherwise(asked);
        }
        let query = asked.parameter("query");
        if !query.starts_with("label_replace(") {
            return answer(query).map_or_else(|| refuse("it is broken"), vector);
        }
        let mut all = Vec::new();
        for (query, tag) in parts(query) {
            let Some(series) = answer(&query) else { return refuse("one of many is broken") };
            all.extend(series.into_iter().map(|(mut labels, value)| {
                labels["burnwatch_slo"] = json!(tag);
                (labels, value)
            }));
        }
        vector(all)
    })
    .await
}

#[expect(clippy::unnecessary_wraps, reason = "as the others answer")]
fn one(value: f64) -> Option<Vec<(Value, f64)>> {
    Some(vec![(json!({}), value)])
}

#[tokio::test]
async fn missing_and_zero_are_told_apart_by_asking_for_part_and_total_alone() {
    let double = answering(|query| match query {
        _ if query.contains("bad_total") => Some(vec![]),
        _ if query.contains("gone_total") => Some(vec![]),
        _ if query.contains("idle_total") => one(0.0),
        _ => one(10.0),
    })
    .await;
    let definitions = ["all_total", "gone_total", "idle_total"]
        .map(|total| Arc::new(slo(total, Some(counters("bad_total", total)))));
    let snapshot = snapshot(&source(&double, &definitions, false)).await;
    let [all, gone, idle] = &snapshot.readings[..] else { panic!("{snapshot:?}") };
    assert_eq!(all.groups[0].over(HOUR), MeasuredRatio::Ratio { error: 0.0, events: Some(36_000.0) });
    assert_eq!(gone.groups[0].over(HOUR), MeasuredRatio::Absent);
    assert_eq!(idle.groups[0].over(HOUR), MeasuredRatio::NoTraffic);
    assert_eq!((all.evaluation, all.groups[0].window.error()), (Evaluation::Live, Some(0.0)));
}

#[tokio::test]
async fn where_there_are_no_data_the_last_ones_are_looked_for() {
    let double = answering(|query| match query {
        _ if query.starts_with("max_over_time((max (timestamp(") && query.contains("[1d:5m]") => {
            one(1_772_300_000.0)
        }
        // 100 of 120 checks have data
        _ if query.starts_with("count_over_time((") && query.ends_with("[30d:6h])") => one(100.0),
        _ if query.contains("[30d]") => one(1.0),
        _ => Some(vec![]),
    })
    .await;
    let snapshot =
        snapshot(&source(&double, &[Arc::new(slo("a", Some(counters("bad", "all"))))], false)).await;
    let (_, group) = only(&snapshot);
    assert_eq!(group.newest, Timestamp::from_second(1_772_300_000).ok());
    assert_eq!(group.extent.as_ref().map(|extent| extent.known), Some(25 * DAY));
}

#[tokio::test]
async fn what_differs_in_one_value_only_is_one_query() {
    let double = Double::start(|asked| {
        let query = asked.parameter("query");
        if !query.contains("sum by (job)") {
            return otherwise(asked);
        }
        let (_, rest) = query.split_once("job=~\"").unwrap();
        let values = rest.split('"').next().unwrap().replace("\\\\", "\\");
        assert!(query.len() < 64 * 1024);
        let value = if query.contains("5..") { 1.0 } else { 10.0 };
        vector(values.split('|').map(|job| (json!({ "job": job.replace('\\', "") }), value)))
    })
    .await;
    let count = 600;
    let definitions: Vec<_> = (0..count)
        .map(|number| {
            let total = format!("http_total{{env=\"prod\",job=\"a.{number}\"}}");
            let part = format!("http_total{{code=~\"5..\",env=\"prod\",job=\"a.{number}\"}}");
            Arc::new(slo(&format!("slo-{number}"), Some(counters(&part, &total))))
        })
        .collect();
    let source = source(&double, &definitions, false);
    let first = snapshot(&source).await;
    assert!(
        first.readings.iter().all(|reading| reading.groups[0].over(HOUR).error() == Some(0.1)),
        "{first:?}"
    );
    let again = reply(&source, None).await;
    // part and total: two chunks of 500 for 5m, 30m and 1h, three of 250 for 2h and 6h
    assert_eq!(again.requests, 2 * (3 * 2 + 2 * 3));
    let escaped = double.asked().iter().any(|asked| asked.parameter("query").contains(r"a\\.0|a\\.1"));
    assert!(escaped, "values are taken as they are");
}

#[tokio::test]
async fn one_broken_definition_does_not_take_the_others_down() {
    let double = answering(|query| match query {
        _ if query.contains("broken") => None,
        _ if query.contains("bad") => one(1.0),
        _ => one(4.0),
    })
    .await;
    let sli = |total: &str| {
        Some(events("max(rate(bad[{{.window}}]))", &format!("max(rate({total}[{{{{.window}}}}]))")))
    };
    let definitions = ["a", "broken", "c"].map(|total| Arc::new(slo(total, sli(total))));
    let source = source(&double, &definitions, false);
    let first = snapshot(&source).await;
    let [a, broken, c] = &first.readings[..] else { panic!("{first:?}") };
    assert_eq!((a.groups[0].over(HOUR).error(), a.failure.as_deref()), (Some(0.25), None));
    assert_eq!((c.groups[0].window.error(), c.failure.as_deref()), (Some(0.25), None));
    assert_eq!(
        (broken.groups[0].over(HOUR), broken.failure.as_deref()),
        (MeasuredRatio::Unknown, Some("it is broken"))
    );
    // the next round does not send it again
    assert_eq!(reply(&source, None).await.requests, 1);
    let again = snapshot(&source).await;
    assert_eq!(only_trouble(&again), ["broken"]);
}

#[tokio::test]
async fn which_of_many_is_broken_takes_few_requests_to_find_out() {
    let double = answering(|query| {
        if query.contains("broken") { None } else { one(if query.contains("bad") { 1.0 } else { 4.0 }) }
    })
    .await;
    let sli = |total: &str| {
        Some(events("max(rate(bad[{{.window}}]))", &format!("max(rate({total}[{{{{.window}}}}]))")))
    };
    let definitions: Vec<_> = (0..90)
        .map(|number| if number == 41 { "broken".to_owned() } else { format!("total_{number}") })
        .map(|total| Arc::new(slo(&total, sli(&total))))
        .collect();
    let source = source(&double, &definitions, false);
    let before = double.asked().len();
    let first = snapshot(&source).await;
    assert_eq!(only_trouble(&first), ["broken"]);
    assert!(
        first.readings.iter().filter(|reading| reading.groups[0].over(HOUR).error() == Some(0.25)).count()
            == 89
    );
    let requests = double.asked().len() - before;
    assert!(requests < 300, "{requests}");
}

fn only_trouble(snapshot: &SloSnapshot) -> Vec<&str> {
    snapshot
        .readings
        .iter()
        .filter(|reading| reading.failure.is_some())
        .map(|reading| &*reading.slo.id)
        .collect()
}

#[tokio::test]
async fn a_threshold_without_a_bucket_is_no_outage() {
    let double = answering(|query| if query.contains("le=") { Some(vec![]) } else { one(10.0) }).await;
    let selector = |text: &str| Selector::parse(text).unwrap();
    let (fast, total) = (selector(r#"h_bucket{le="0.333"}"#), selector("h_count"));
    let snapshot =
        snapshot(&source(&double, &[Arc::new(slo("x", Some(Sli::Latency { fast, total })))], false)).await;
    assert_eq!(only(&snapshot).1.over(HOUR), MeasuredRatio::Odd(InvalidRatio::NoBucket));
    assert_eq!(only(&snapshot).1.window, MeasuredRatio::Odd(InvalidRatio::NoBucket));
}

#[tokio::test]
async fn a_query_that_returns_several_series_is_said_to() {
    let double = answering(|query| {
        let several = |names: [&str; 3]| names.map(|name| (json!({ "pod": name }), 1.0)).to_vec();
        if query.contains("total") { Some(several(["a", "b", "c"])) } else { one(0.0) }
    })
    .await;
    let sli = Some(events("max(rate(bad[{{.window}}]))", "rate(total[{{.window}}])"));
    let first = snapshot(&source(&double, &[Arc::new(slo("x", sli))], false)).await;
    assert_eq!(only(&first).1.over(HOUR), MeasuredRatio::Odd(InvalidRatio::Several(3)));
    // sums by a label are expected to be several values
    let sli =
        Some(events("sum by (pod) (rate(bad[{{.window}}]))", "sum by (pod) (rate(total[{{.window}}]))"));
    let second = snapshot(&source(&double, &[Arc::new(slo("x", sli))], false)).await;
    let groups: Vec<_> = second.readings[0].groups.iter().map(|group| group.labels.value("pod")).collect();
    assert_eq!(groups, ["", "a", "b", "c"]);
}

#[tokio::test]
async fn a_hostile_query_stays_within_itself() {
    let queries = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&queries);
    let double = answering(move |query| {
        seen.lock().unwrap().push(query.to_owned());
        one(1.0)
    })
    .await;
    let hostile = "up), \"burnwatch_slo\", \"0\", \"\", \"\") or label_replace((up";
    let sli = |total: &str| Some(Sli::Ratio { error: Template::parse(total).unwrap() });
    let definitions =
        [slo("a", sli(hostile)), slo("b", sli("max(up) # {{.window}}")), slo("c", sli("1 - 0.5"))];
    let snapshot = snapshot(&source(&double, &definitions.map(Arc::new), false)).await;
    assert_eq!(snapshot.readings.len(), 3);
    assert!(double.asked().iter().all(|asked| {
        let query = asked.parameter("query");
        !query.starts_with("label_replace(")
            || !query.contains("burnwatch_slo\", \"0\", \"\", \"\") or label_replace((up")
    }));
}

#[tokio::test]
async fn long_lookbacks_are_asked_rarely_and_the_past_anew() {
    let double = answering(|query| match query {
        // there were data for the whole window
        _ if query.starts_with("count_over_time((") => one(1e9),
        _ => one(if query.contains("bad") { 1.0 } else { 4.0 }),
    })
    .await;
    let source = source(&double, &[Arc::new(slo("x", Some(counters("bad", "all"))))], false);
    snapshot(&source).await;
    let before = double.asked().len();
    snapshot(&source).await;
    let again: Vec<_> =
        double.asked()[before..].iter().map(|asked| asked.parameter("query").to_owned()).collect();
    assert!(again.len() == 1 && again.iter().all(|query| !query.contains("d]")), "{again:?}");
    assert_eq!(reply(&source, Some(now() - DAY)).await.requests, 4);
}

#[tokio::test]
async fn a_calendar_window_is_asked_for_as_far_as_it_has_passed() {
    let double = answering(|query| one(if query.contains("bad") { 1.0 } else { 4.0 })).await;
    let calendar = Calendar {
        count: 1,
        unit: CalendarUnit::Month,
        start: jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0),
        zone: jiff::tz::TimeZone::UTC,
    };
    let window = Window::Calendar(calendar);
    let slo = Slo { window, ..slo("x", Some(counters("bad", "all"))) };
    let snapshot = snapshot(&source(&double, &[Arc::new(slo)], false)).await;
    let (_, group) = only(&snapshot);
    assert_eq!(group.window, MeasuredRatio::Ratio { error: 0.25, events: Some(4.0 * 12.0 * 3600.0) });
    assert!(double.asked().iter().any(|asked| asked.parameter("query").contains("rate(all[12h])")));
}

#[tokio::test]
async fn recorded_series_win_for_what_they_cover() {
    let mut series = Vec::new();
    let labels = |name: &str| json!({ "__name__": name, "sloth_id": "shop-works", "sloth_service": "shop" });
    series.push((labels("slo:objective:ratio"), 0.99));
    series.push((labels("slo:time_period:days"), 30.0));
    series.push((labels("slo:sli_error:ratio_rate5m"), 0.5));
    let keeping = keeping(series, no_rules()).await;
    let recorded = RecordedSeries {
        family: Family::Sloth,
        id: "shop-works".into(),
        labels: Labels::default(),
        metric: "".into(),
        lookbacks: Vec::new(),
        plugins: Vec::new(),
    };
    let defined = Slo {
        recorded: Some(recorded),
        description: "from a file".into(),
        ..slo("mine", Some(counters("bad", "all")))
    };
    let snapshot = snapshot(&source(&keeping, &[Arc::new(defined)], true)).await;
    let (reading, group) = only(&snapshot);
    assert_eq!((&*reading.slo.id, &*reading.slo.description), ("mine", "from a file"));
    assert_eq!(reading.slo.objective.ratio_text(), "0.999");
    assert_eq!((reading.evaluation, group.over(5 * MINUTE).error()), (Evaluation::Recorded, Some(0.5)));
    assert_eq!(reading.slo.recorded.as_ref().unwrap().lookbacks, [5 * MINUTE]);
    // not recorded, so it is queried
    let live = query::measure(&reading.slo, HOUR).unwrap();
    let RatioQuery::Counts { total, .. } = live else { panic!() };
    let asked = keeping.asked();
    assert!(asked.iter().any(|asked| asked.parameter("query").contains(&total)));
}

#[tokio::test]
async fn without_query_and_series_there_is_nothing_to_ask() {
    let double = answering(|_| one(1.0)).await;
    let source = source(&double, &[Arc::new(slo("plugin", None))], false);
    let snapshot = snapshot(&source).await;
    let (reading, group) = only(&snapshot);
    assert!(reading.slo.recorded.is_none());
    assert_eq!((group.window, group.over(HOUR)), (MeasuredRatio::Unknown, MeasuredRatio::Unknown));
}

#[tokio::test]
async fn a_server_that_is_gone_is_the_sources_trouble() {
    let double = Double::start(|asked| match asked.path.as_str() {
        "/api/v1/query" => CannedResponse::new(429, "text/plain", ""),
        _ => otherwise(asked),
    })
    .await;
    let source = source(&double, &[Arc::new(slo("x", Some(counters("bad", "all"))))], false);
    let error = source.answer(&Query::Slos.now(), None).await.unwrap_err();
    assert_eq!(error.kind, crate::model::source::ErrorKind::RateLimited { message: String::new() });
}

#[tokio::test]
async fn what_is_too_much_for_one_query_is_asked_in_smaller_ones() {
    let double = Double::start(|asked| {
        let query = asked.parameter("query");
        let parts = parts(query);
        match parts.len() {
            0 => otherwise(asked),
            9.. => refuse("query processing would load too many samples into memory in query execution"),
            _ => vector(parts.into_iter().map(|(query, tag)| {
                (json!({ "burnwatch_slo": tag }), if query.contains("bad") { 1.0 } else { 4.0 })
            })),
        }
    })
    .await;
    let sli = |name: &str| {
        Some(events("max(rate(bad[{{.window}}]))", &format!("max(rate({name}[{{{{.window}}}}]))")))
    };
    let definitions = ["a", "b", "c"].map(|name| Arc::new(slo(name, sli(name))));
    let mut cache = QueryCache::default();
    let source = source(&double, &definitions, false);
    let first = snapshot(&source).await;
    assert_eq!(
        first.readings[0].failure.as_deref().map(|said| said.contains("too many samples")),
        Some(true)
    );
    let slo_registry = SloRegistry::make(&definitions, &[], false);
    let call = QuestionRequests::new(&source.server, crate::model::ask::Weight::Slos);
    let mut at = now();
    for _ in 0..2 {
        let subqueries = subqueries(&slo_registry, at);
        cache.fill(&call, &subqueries, at, MINUTE).await.unwrap();
        at += 2 * MINUTE;
    }
    let subqueries = subqueries(&slo_registry, at);
    let snapshot = read(&slo_registry, &cache, &subqueries, at, &[]);
    assert!(
        snapshot.readings.iter().all(|reading| reading.groups[0].over(HOUR).error() == Some(0.25)),
        "{snapshot:?}"
    );
}

#[tokio::test]
async fn what_takes_too_long_is_said_and_the_rest_is_there() {
    let double = Double::start(|asked| {
        let query = asked.parameter("query");
        if query.contains("[30d]") {
            return CannedResponse::hang();
        }
        vector(parts(query).into_iter().map(|(query, tag)| {
            (json!({ "burnwatch_slo": tag }), if query.contains("bad") { 1.0 } else { 4.0 })
        }))
    })
    .await;
    let definitions = [Arc::new(slo("x", Some(counters("bad", "all"))))];
    let source = source(&double, &definitions, false);
    let slo_registry = SloRegistry::make(&definitions, &[], false);
    let call = QuestionRequests::new(&source.server, crate::model::ask::Weight::Slos);
    let (mut cache, at) = (QueryCache::default(), now());
    let subqueries = subqueries(&slo_registry, at);
    cache.fill(&call, &subqueries, at, Duration::from_millis(300)).await.unwrap();
    let snapshot = read(&slo_registry, &cache, &subqueries, at, &[]);
    let (reading, group) = only(&snapshot);
    assert_eq!((group.over(HOUR).error(), group.window), (Some(0.25), MeasuredRatio::Unknown));
    assert!(reading.failure.as_deref().unwrap().starts_with("no complete answer within"), "{reading:?}");
}
