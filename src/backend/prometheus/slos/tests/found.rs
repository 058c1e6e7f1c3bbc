//! Tests of SLOs that are discovered by their recorded series.

use super::*;
use crate::model::labels::Labels;
use crate::model::slo::{BurnSeverity, InvalidRatio};
use crate::model::warning::Warning;

/// The recorded series of one Sloth SLO; all error ratios are equal.
pub(super) fn sloth(id: &str, error: f64) -> Vec<(Value, f64)> {
    let series = |name: &str, value: f64| {
        let labels = json!({ "__name__": name, "sloth_id": id, "sloth_service": "shop", "sloth_slo": "works", "tier": "1" });
        (labels, value)
    };
    let mut all =
        vec![series("slo:objective:ratio", 0.999_000_000_000_000_1), series("slo:time_period:days", 30.0)];
    all.push((
        json!({ "__name__": "sloth_slo_info", "sloth_id": id, "sloth_service": "shop", "sloth_slo": "works",
            "tier": "1", "sloth_mode": "x", "sloth_version": "y", "sloth_spec": "z", "sloth_objective": "99.9" }),
        1.0,
    ));
    for lookback in ["5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"] {
        let (mut labels, value) = series(&format!("slo:sli_error:ratio_rate{lookback}"), error);
        labels["sloth_window"] = json!(lookback);
        all.push((labels, value));
    }
    all
}

#[tokio::test]
async fn sloth_tells_all_of_an_slo_by_its_series() {
    let double = keeping(sloth("shop-works", 0.002), no_rules()).await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    assert_eq!(snapshot.at, "2026-03-01T12:00:00Z".parse().unwrap());
    assert_eq!(snapshot.warnings, []);
    let (reading, group) = only(&snapshot);
    let slo = &reading.slo;
    assert_eq!((&*slo.id, &*slo.name, slo.service.as_deref()), ("shop-works", "works", Some("shop")));
    assert_eq!(slo.objective.ratio_text(), "0.999");
    assert_eq!(slo.window.to_string(), "30d");
    assert_eq!(slo.labels, Labels::from_iter([("tier", "1")]));
    assert_eq!(slo.pairs.iter().map(|pair| pair.factor.round()).collect::<Vec<_>>(), [14.0, 6.0, 3.0, 1.0]);
    assert_eq!((group.labels.len(), group.is_time_weighted, reading.failure.as_deref()), (0, true, None));
    assert_eq!(errors(group).len(), 7);
    assert_eq!((group.over(HOUR).error(), group.window.error()), (Some(0.002), Some(0.002)));
    let recorded = slo.recorded.as_ref().unwrap();
    assert_eq!((&*recorded.id, recorded.lookbacks.len()), ("shop-works", 7));
    assert_eq!(recorded.labels.value("sloth_service"), "shop");
}

#[tokio::test]
async fn a_refresh_costs_the_same_for_ten_slos_and_for_a_thousand() {
    let mut costs = Vec::new();
    for count in [10, 1000] {
        let series = (0..count).flat_map(|number| sloth(&format!("slo-{number}"), 0.001)).collect();
        let double = keeping(series, no_rules()).await;
        let source = source(&double, &[], true);
        let first = reply(&source, None).await.requests;
        let before = double.asked().len();
        let again = reply(&source, None).await;
        assert_eq!(double.asked().len() - before, again.requests as usize);
        let past = reply(&source, Some(now() - 24 * HOUR)).await.requests;
        let Answer::Slos(snapshot) = again.answer else { panic!() };
        assert_eq!(snapshot.readings.len(), count);
        costs.push((first, again.requests, past));
    }
    // identity 4, discovery 4, short lookbacks 5, long ones 2, the window, and the extent of the data; the server has no data
    // for the extent, so the five ranges are checked closely
    assert_eq!(costs, [(22, 5, 14), (22, 5, 14)]);
}

#[tokio::test]
async fn all_queries_of_a_round_mean_one_moment() {
    let double = keeping(sloth("a", 0.001), no_rules()).await;
    let source = source(&double, &[], true);
    snapshot(&source).await;
    let before = double.asked().len();
    reply(&source, Some(Timestamp::from_second(1_700_000_000).unwrap())).await;
    assert!(double.asked()[before..].iter().all(|asked| asked.parameter("time") == "1700000000"));
}

#[tokio::test]
async fn what_is_unchanged_is_said_to_be() {
    let double = keeping(sloth("a", 0.001), no_rules()).await;
    let source = source(&double, &[], true);
    let first = reply(&source, None).await;
    let again = source.answer(&Query::Slos.now(), first.digest).await.unwrap();
    assert!(matches!(again.answer, Answer::Unchanged));
}

#[tokio::test]
async fn no_traffic_nothing_and_missing_partners_are_told_apart() {
    let mut series = sloth("quiet", f64::NAN);
    series.extend(
        sloth("gone", 0.1)
            .into_iter()
            .filter(|(labels, _)| !labels["__name__"].as_str().unwrap().ends_with("_rate5m")),
    );
    series.extend(sloth("lost", 0.1).into_iter().filter(|(labels, _)| {
        !labels["__name__"].as_str().unwrap().starts_with("slo:objective")
            && labels.get("sloth_objective").is_none()
    }));
    let double = keeping(series, no_rules()).await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    let [gone, quiet] = &snapshot.readings[..] else { panic!("{snapshot:?}") };
    assert_eq!(quiet.groups[0].over(5 * MINUTE), MeasuredRatio::NoTraffic);
    assert_eq!(quiet.groups[0].window, MeasuredRatio::NoTraffic);
    // a burn condition needs this lookback, so its absence is reported
    assert_eq!(gone.groups[0].over(5 * MINUTE), MeasuredRatio::Absent);
    assert_eq!(gone.groups[0].over(HOUR).error(), Some(0.1));
    assert_eq!(snapshot.warnings, [Warning::notice("1 SLO of Sloth without an objective, not shown: lost")]);
}

#[tokio::test]
async fn groups_of_an_slo_stay_apart() {
    let mut series = sloth("shop", 0.001);
    series.retain(|(labels, _)| !labels["__name__"].as_str().unwrap().contains("ratio_rate"));
    for (handler, error) in [("/a", 0.5), ("/b", 0.25)] {
        for (mut labels, value) in sloth("shop", error).into_iter().skip(3) {
            labels["handler"] = json!(handler);
            series.push((labels, value));
        }
    }
    let double = keeping(series, no_rules()).await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    let groups = &snapshot.readings[0].groups;
    let shown: Vec<_> = groups.iter().map(|group| (group.labels.to_string(), group.window.error())).collect();
    assert_eq!(shown, [(r#"{handler="/a"}"#.into(), Some(0.5)), (r#"{handler="/b"}"#.into(), Some(0.25))]);
}

#[tokio::test]
async fn hostile_labels_are_kept_and_odd_values_said() {
    let double = keeping(sloth("a\"b\\c\u{1b}[31m{}", 1.5), no_rules()).await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    let (reading, group) = only(&snapshot);
    assert_eq!(&*reading.slo.id, "a\"b\\c\u{1b}[31m{}");
    assert_eq!(group.over(HOUR), MeasuredRatio::Odd(InvalidRatio::AboveOne(1.5)));
}

/// The recorded series of one Pyrra SLO over four weeks.
pub(super) fn pyrra(id: &str, error: f64, is_generic: bool) -> Vec<(Value, f64)> {
    let mut all = Vec::new();
    for lookback in ["5m", "30m", "1h", "2h", "6h", "1d", "4d"] {
        let name = format!("http_requests:burnrate{lookback}");
        all.push((json!({ "__name__": name, "slo": id, "job": "api" }), error));
    }
    if is_generic {
        let generic =
            [("pyrra_objective", 0.995), ("pyrra_window", 2_419_200.0), ("pyrra_availability", 1.0 - error)];
        all.extend(generic.map(|(name, value)| (json!({ "__name__": name, "slo": id }), value)));
    }
    all
}

pub(super) fn pyrra_rules(id: &str, factors: [f64; 4]) -> Value {
    let pairs = [("5m", "1h", "2d"), ("30m", "6h", "4d"), ("2h", "1d", "2w"), ("6h", "4d", "4w")];
    let rules = pairs.iter().zip(factors).map(|((short, long, lasts), factor)| {
        let side = |lookback: &str| {
            format!("http_requests:burnrate{lookback}{{job=\"api\",slo=\"{id}\"}} > ({factor} * (1-0.995))")
        };
        json!({ "type": "alerting", "name": "ErrorBudgetBurn", "duration": 120.0, "alerts": [],
            "query": format!("{} and {}", side(short), side(long)),
            "labels": { "severity": if factor > 3.0 { "critical" } else { "warning" }, "slo": id,
                "short": short, "long": long, "exhaustion": lasts } })
    });
    json!({ "groups": [{ "name": "x", "rules": rules.collect::<Vec<_>>() }] })
}

#[tokio::test]
async fn a_burn_rate_of_pyrra_is_an_error_ratio() {
    let double = keeping(pyrra("errors", 0.01, true), no_rules()).await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    let (reading, group) = only(&snapshot);
    assert_eq!(reading.slo.objective.ratio_text(), "0.995");
    assert_eq!(reading.slo.pairs.iter().map(|pair| pair.factor).collect::<Vec<_>>(), [14.0, 7.0, 2.0, 1.0]);
    assert_eq!(errors(group), [5, 30, 60, 120, 360, 1440, 5760].map(|minutes| (minutes, 0.01)).into());
    assert!((group.window.error().unwrap() - 0.01).abs() < 1e-12 && !group.is_time_weighted);
    assert_eq!(reading.slo.labels, Labels::from_iter([("job", "api")]));
}

#[tokio::test]
async fn without_generic_rules_the_alerts_of_pyrra_tell_objective_window_and_pairs() {
    let double = keeping(pyrra("errors", 0.01, false), pyrra_rules("errors", [15.0, 7.0, 2.0, 1.0])).await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    let (reading, group) = only(&snapshot);
    let slo = &reading.slo;
    assert_eq!((slo.objective.ratio_text().as_str(), slo.window.to_string().as_str()), ("0.995", "28d"));
    let pairs: Vec<_> = slo.pairs.iter().map(|pair| (pair.severity, pair.factor, pair.long)).collect();
    assert_eq!(pairs[0], (BurnSeverity::Page, 15.0, HOUR));
    assert_eq!(pairs[3], (BurnSeverity::Ticket, 1.0, 4 * DAY));
    assert_eq!(slo.pairs[0].hold, 2 * MINUTE);
    assert_eq!(slo.alerting.name.as_deref(), Some("ErrorBudgetBurn"));
    assert_eq!(group.over(HOUR).error(), Some(0.01));
}

#[tokio::test]
async fn without_generic_rules_the_increases_of_pyrra_tell_the_budget() {
    let labels = |name: &str, more: Value| {
        let mut labels = json!({ "__name__": name, "slo": "errors", "job": "api" });
        labels.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        labels
    };
    let increase = |more: Value, value: f64| (labels("http_requests:increase4w", more), value);
    let mut ratio_rules = pyrra_rules("errors", [14.0, 7.0, 2.0, 1.0]);
    let burn_rate = json!({ "type": "recording", "name": "http_requests:burnrate5m", "labels": { "slo": "errors" },
        "query": "sum(rate(http_requests_total{code=~\"5..\",job=\"api\"}[5m])) / sum(rate(http_requests_total{job=\"api\"}[5m]))" });
    ratio_rules["groups"][0]["rules"].as_array_mut().unwrap().push(burn_rate);
    let ratio = vec![
        increase(json!({ "code": "200" }), 900.0),
        increase(json!({ "code": "500" }), 60.0),
        increase(json!({ "code": "503" }), 40.0),
    ];
    let latency = vec![
        increase(json!({ "code": "200" }), 1000.0),
        increase(json!({ "code": "200", "le": "1" }), 900.0),
    ];
    let gauge = vec![
        (labels("http_requests:count4w", json!({})), 1000.0),
        (labels("http_requests:sum4w", json!({})), 900.0),
    ];
    for (more, rules) in [
        (ratio, ratio_rules),
        (latency, pyrra_rules("errors", [14.0, 7.0, 2.0, 1.0])),
        (gauge, pyrra_rules("errors", [14.0, 7.0, 2.0, 1.0])),
    ] {
        let double = keeping([pyrra("errors", 0.01, false), more].concat(), rules).await;
        let snapshot = snapshot(&source(&double, &[], true)).await;
        let MeasuredRatio::Ratio { error, events } = only(&snapshot).1.window else { panic!("{snapshot:?}") };
        assert!((error - 0.1).abs() < 1e-12 && events == Some(1000.0), "{error} of {events:?}");
    }
}

#[tokio::test]
async fn an_slo_without_objective_is_named_and_not_made_up() {
    let double = keeping(pyrra("errors", 0.01, false), no_rules()).await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    assert_eq!(snapshot.readings.len(), 0);
    assert_eq!(
        snapshot.warnings,
        [Warning::notice("1 SLO of Pyrra without an objective, not shown: errors")]
    );
}

#[tokio::test]
async fn own_pairs_of_sloth_are_read_from_its_alerts() {
    let side = |lookback: &str, factor: &str| {
        format!(
            "max(slo:sli_error:ratio_rate{lookback}{{sloth_id=\"shop\"}} > ({factor} * 0.0009999999999999432)) without (sloth_window)"
        )
    };
    let query = format!(
        "({} and {}) or ({} and {})",
        side("5m", "9.9"),
        side("1h", "9.9"),
        side("30m", "5"),
        side("6h", "5")
    );
    let rules = json!({ "groups": [{ "name": "x", "rules": [{ "type": "alerting", "name": "High", "query": query,
        "duration": 0, "labels": { "sloth_severity": "page" } }] }] });
    let double = keeping(sloth("shop", 0.001), rules).await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    let pairs: Vec<_> = snapshot.readings[0].slo.pairs.iter().map(|pair| (pair.factor, pair.long)).collect();
    assert_eq!(pairs, [(9.9, HOUR), (5.0, 6 * HOUR)]);
}

#[tokio::test]
async fn grafana_tells_what_is_good() {
    let labels = |name: &str| {
        json!({ "__name__": name, "grafana_slo_uuid": "u1", "grafana_slo_name": "Works",
        "grafana_slo_service": "shop", "grafana_slo_team": "web" })
    };
    let mut series = vec![
        (labels("grafana_slo_objective"), 0.99),
        (labels("grafana_slo_objective_window_seconds"), 2_419_200.0),
        (labels("grafana_slo_info"), 1.0),
    ];
    for lookback in ["5m", "30m", "1h", "2h", "6h", "1d", "3d", "window"] {
        series.push((labels(&format!("grafana_slo_sli_{lookback}")), 0.75));
    }
    let double = keeping(series, no_rules()).await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    let (reading, group) = only(&snapshot);
    assert_eq!((&*reading.slo.id, &*reading.slo.name), ("u1", "Works"));
    assert_eq!(reading.slo.labels, Labels::from_iter([("team", "web")]));
    assert_eq!((group.over(HOUR).error(), group.window.error()), (Some(0.25), Some(0.25)));
}

#[tokio::test]
async fn three_families_live_side_by_side() {
    let mut series = sloth("shop", 0.001);
    series.extend(pyrra("shop", 0.01, true));
    // not from Pyrra: kubernetes-mixin
    series.push((json!({ "__name__": "apiserver_request:burnrate1d", "verb": "read" }), 0.5));
    let double = keeping(series, no_rules()).await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    let ids: Vec<_> = snapshot.readings.iter().map(|reading| &*reading.slo.id).collect();
    assert_eq!(ids, ["shop", "shop@pyrra"].map(|id| id));
}

#[tokio::test]
async fn what_was_found_outlives_a_failure_to_look_again() {
    let fails = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let failing = Arc::clone(&fails);
    let series = sloth("shop", 0.001);
    let double = Double::start(move |asked| {
        let query = asked.parameter("query");
        if query.contains("sloth_slo_info") && failing.load(std::sync::atomic::Ordering::Relaxed) {
            return CannedResponse::new(500, "text/plain", "");
        }
        if asked.path != "/api/v1/query" || query.contains("_over_time") || query.contains("offset") {
            return otherwise(asked);
        }
        vector(series.iter().cloned())
    })
    .await;
    tokio::time::pause();
    let source = source(&double, &[], true);
    assert_eq!(snapshot(&source).await.readings.len(), 1);
    fails.store(true, std::sync::atomic::Ordering::Relaxed);
    tokio::time::advance(2 * HOUR).await;
    assert_eq!(snapshot(&source).await.readings.len(), 1);
}

#[tokio::test]
async fn families_side_by_side_cost_a_constant_number_of_requests_too() {
    let mut costs = Vec::new();
    for count in [10, 500] {
        let both = (0..count)
            .flat_map(|n| [sloth(&format!("s{n}"), 0.001), pyrra(&format!("p{n}"), 0.001, true)].concat());
        let double = keeping(both.collect(), no_rules()).await;
        let source = source(&double, &[], true);
        assert_eq!(snapshot(&source).await.readings.len(), 2 * count);
        costs.push((reply(&source, None).await.requests, reply(&source, Some(now() - DAY)).await.requests));
    }
    // one query for all short lookbacks of Pyrra and one for the long ones; then the window and the extent of the data
    assert_eq!(costs, [(6, 23), (6, 23)]);
}

#[tokio::test]
async fn series_that_stopped_are_told_since_when_though_the_mean_over_the_window_goes_on() {
    let mut series = sloth("shop-works", 0.0005);
    series.retain(|(labels, _)| {
        let name = labels["__name__"].as_str().unwrap_or_default();
        !name.starts_with("slo:sli_error:") || name.ends_with("30d")
    });
    let double = Double::start(move |asked| {
        let query = if asked.path == "/api/v1/query" { asked.parameter("query") } else { "" };
        if query.contains("max_over_time((max without (sloth_window) (timestamp(slo:sli_error:ratio_rate5m") {
            return vector(vec![(json!({ "sloth_id": "shop-works" }), 1_772_300_000.0)]);
        }
        if query.contains("timestamp(") { vector(vec![]) } else { kept(&series, asked) }
    })
    .await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    assert_eq!(only(&snapshot).1.newest, Timestamp::from_second(1_772_300_000).ok());
}
