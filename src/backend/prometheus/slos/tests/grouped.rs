//! Tests of grouped SLOs of Pyrra without its generic rules.

use super::found::{pyrra, pyrra_rules, sloth};
use super::*;
use crate::config::definitions::{DEFAULT_PERIOD, parse};
use crate::model::warning::Warning;

/// The series of an SLO over four weeks, grouped by handler: the error ratios of two groups, and events by code.
fn grouped(id: &str, ratios: [f64; 2]) -> Vec<(Value, f64)> {
    let handlers = ["/a", "/b"].into_iter().zip(ratios);
    let of = |(handler, error): (&str, f64)| {
        let mut series = pyrra(id, error, false);
        for (code, events) in [("200", 1000.0 * (1.0 - error)), ("500", 1000.0 * error)] {
            series.push((
                json!({ "__name__": "http_requests:increase4w", "slo": id, "job": "api", "code": code }),
                events,
            ));
        }
        for (labels, _) in &mut series {
            labels["handler"] = json!(handler);
        }
        series
    };
    handlers.flat_map(of).collect()
}

const FACTORS: [f64; 4] = [14.0, 7.0, 2.0, 1.0];

/// A definition file for Pyrra.
fn defined(indicator: &str, window: &str) -> Arc<Slo> {
    let text = format!(
        "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: {{name: errors}}\nspec:\n  target: '99'\n  \
         window: {window}\n  indicator: {indicator}\n"
    );
    let read = parse(std::path::Path::new("a.yaml"), &text, DEFAULT_PERIOD);
    assert_eq!(read.findings, []);
    Arc::new(read.slos.into_iter().next().unwrap())
}

const RATIO: &str = "{ratio: {errors: {metric: 'http_requests_total{job=\"api\",code=~\"5..|429\"}'}, total: {metric: \
                     'http_requests_total{job=\"api\"}'}, grouping: [handler]}}";

/// The error ratio of each group over the window.
fn windows(reading: &SloReading) -> Vec<(String, Option<f64>)> {
    let rounded = |error: f64| (error * 1e9).round() / 1e9;
    reading.groups.iter().map(|group| (group.labels.to_string(), group.window.error().map(rounded))).collect()
}

#[tokio::test]
async fn the_alerts_of_pyrra_tell_of_a_grouped_slo_and_its_increases_tell_the_budget() {
    let double = keeping(grouped("errors", [0.001, 0.2]), pyrra_rules("errors", FACTORS)).await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    assert_eq!(snapshot.warnings, []);
    let [reading] = &snapshot.readings[..] else { panic!("{snapshot:?}") };
    assert_eq!(reading.slo.window.to_string(), "28d");
    let ratios = [(r#"{handler="/a"}"#.to_owned(), Some(0.001)), (r#"{handler="/b"}"#.to_owned(), Some(0.2))];
    assert_eq!(windows(reading), ratios);
    assert!(
        reading.remark.as_deref().is_some_and(|said| said.contains("status codes of 500 and above")),
        "{reading:?}"
    );
    assert_eq!(reading.groups[1].over(HOUR).error(), Some(0.2));
}

#[tokio::test]
async fn a_definition_tells_what_the_series_of_a_grouped_slo_do_not() {
    let mut series = grouped("errors", [0.001, 0.2]);
    // the definition counts these as errors, too
    series.push((
        json!({ "__name__": "http_requests:increase4w", "slo": "errors", "job": "api", "code": "429", "handler": "/a" }),
        1000.0,
    ));
    let double = keeping(series, no_rules()).await;
    let snapshot = snapshot(&source(&double, &[defined(RATIO, "4w")], true)).await;
    assert_eq!(snapshot.warnings, []);
    let [reading] = &snapshot.readings[..] else { panic!("{snapshot:?}") };
    assert_eq!(reading.slo.objective.ratio_text(), "0.99");
    let ratios =
        [(r#"{handler="/a"}"#.to_owned(), Some(0.5005)), (r#"{handler="/b"}"#.to_owned(), Some(0.2))];
    assert_eq!((windows(reading), reading.remark.as_deref()), (ratios.to_vec(), None));
    assert_eq!(reading.groups[0].over(5 * MINUTE).error(), Some(0.001));
}

#[tokio::test]
async fn two_labels_make_groups_of_both() {
    let mut series = grouped("errors", [0.001, 0.2]);
    for (labels, _) in &mut series {
        labels["region"] = if labels["handler"] == "/a" { json!("eu") } else { json!("us") };
    }
    let two = RATIO.replace("[handler]", "[handler, region]");
    for definitions in [vec![], vec![defined(&two, "4w")]] {
        let rules = if definitions.is_empty() { pyrra_rules("errors", FACTORS) } else { no_rules() };
        let double = keeping(series.clone(), rules).await;
        let snapshot = snapshot(&source(&double, &definitions, true)).await;
        let labels: Vec<_> = windows(&snapshot.readings[0]).into_iter().map(|(labels, _)| labels).collect();
        assert_eq!(labels, [r#"{handler="/a", region="eu"}"#, r#"{handler="/b", region="us"}"#]);
    }
}

#[tokio::test]
async fn windows_of_two_weeks_and_of_thirty_days_are_read_by_their_own_series() {
    for (window, written) in [("2w", "2w"), ("30d", "30d")] {
        let mut series = grouped("errors", [0.001, 0.2]);
        for (labels, _) in &mut series {
            if labels["__name__"] == "http_requests:increase4w" {
                labels["__name__"] = json!(format!("http_requests:increase{written}"));
            }
        }
        let double = keeping(series, no_rules()).await;
        let snapshot = snapshot(&source(&double, &[defined(RATIO, window)], true)).await;
        let [reading] = &snapshot.readings[..] else { panic!("{snapshot:?}") };
        assert_eq!(windows(reading)[1].1, Some(0.2), "{window}");
    }
}

#[tokio::test]
async fn why_there_is_no_budget_is_said_in_words() {
    let without = |what: &'static str| {
        let mut series = grouped("errors", [0.001, 0.2]);
        series.retain(|(labels, _)| what != "events" || labels["__name__"] != "http_requests:increase4w");
        for (labels, _) in &mut series {
            labels.as_object_mut().unwrap().remove("code");
        }
        series
    };
    for (what, said) in [
        ("events", "no recorded series has the number of events"),
        ("codes", "which events are errors is unknown"),
    ] {
        let double = keeping(without(what), pyrra_rules("errors", FACTORS)).await;
        let snapshot = snapshot(&source(&double, &[], true)).await;
        let [reading] = &snapshot.readings[..] else { panic!("{snapshot:?}") };
        assert_eq!(reading.groups[0].window, MeasuredRatio::Unknown);
        assert!(reading.remark.as_deref().is_some_and(|remark| remark.contains(said)), "{what}: {reading:?}");
    }
}

#[tokio::test]
async fn a_definition_gives_the_objective_of_series_of_sloth_too() {
    let mut series = sloth("shop-works", 0.001);
    series.retain(|(labels, _)| labels["__name__"].as_str().unwrap().starts_with("slo:sli_error"));
    let text = "version: prometheus/v1\nservice: shop\nslos:\n  - name: works\n    objective: 99\n    sli: {plugin: {id: a}}\n    \
                alerting: {name: A}\n";
    let read = parse(std::path::Path::new("a.yaml"), text, DEFAULT_PERIOD);
    let slo = Arc::new(read.slos.into_iter().next().unwrap());
    let double = keeping(series.clone(), no_rules()).await;
    let with = snapshot(&source(&double, &[slo], true)).await;
    let (reading, group) = only(&with);
    assert_eq!((reading.slo.objective.ratio_text().as_str(), group.window.error()), ("0.99", Some(0.001)));
    assert_eq!(with.warnings, []);
    let double = keeping(series, no_rules()).await;
    let without = snapshot(&source(&double, &[], true)).await;
    assert_eq!(
        without.warnings,
        [Warning::notice("1 SLO of Sloth without an objective, not shown: shop-works")]
    );
}
