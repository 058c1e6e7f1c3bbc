//! Tests of SLOs with data for a part of their window, with gaps, and without current data.

use super::found::{pyrra, sloth};
use super::*;
use crate::model::slo::InvalidRatio;
use crate::model::warning::Warning;

/// A server with these series that answers queries about the past with the results of `past`.
async fn remembering(
    series: Vec<(Value, f64)>,
    past: impl Fn(&str) -> Vec<(Value, f64)> + Send + Sync + 'static,
) -> Double {
    Double::start(move |asked| {
        let query = asked.parameter("query");
        if asked.path == "/api/v1/query" && query.contains("_over_time") {
            return vector(past(query));
        }
        kept(&series, asked)
    })
    .await
}

fn of_slo(id: &str, value: f64) -> Vec<(Value, f64)> {
    vec![(json!({ "sloth_id": id, "sloth_service": "shop", "sloth_slo": "works", "tier": "1" }), value)]
}

#[tokio::test]
async fn what_has_few_minutes_of_data_is_looked_at_closely() {
    let double = remembering(sloth("shop", 0.048), |query| match query {
        // 41 of 240 checks in the last hour have data, earlier ones have none
        _ if query.contains("[1h:15s])") => of_slo("shop", 41.0),
        _ => vec![],
    })
    .await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    let extent = only(&snapshot).1.extent.clone().unwrap();
    assert_eq!((extent.known.as_secs(), extent.at_most), (630, false));
    assert_eq!(extent.within(HOUR).map(|known| known.as_secs()), Some(630));
}

#[tokio::test]
async fn what_has_data_all_along_is_not_looked_at_closely() {
    let double = remembering(sloth("shop", 0.048), |query| match query {
        _ if query.contains("[30d:6h])") => of_slo("shop", 120.0),
        _ => vec![],
    })
    .await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    assert_eq!(only(&snapshot).1.extent, None);
    assert!(!double.asked().iter().any(|asked| asked.parameter("query").contains("[1h:15s]")));
}

#[tokio::test]
async fn each_slo_is_looked_at_over_its_own_window() {
    let mut week = sloth("week", 0.001);
    for (labels, value) in &mut week {
        if labels["__name__"] == "slo:time_period:days" {
            *value = 7.0;
        }
    }
    let double = remembering([sloth("month", 0.001), week].concat(), |query| match query {
        _ if query.contains("[30d:6h])") => [of_slo("month", 120.0), of_slo("week", 28.0)].concat(),
        _ if query.contains("[7d:1h24m])") => [of_slo("month", 120.0), of_slo("week", 120.0)].concat(),
        _ => vec![],
    })
    .await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    assert!(snapshot.readings.iter().all(|reading| reading.groups[0].extent.is_none()), "{snapshot:?}");
}

#[tokio::test]
async fn an_slo_that_ended_days_ago_is_listed_with_the_time_of_its_last_sample() {
    let (seen, last) = (1_772_150_000.0, 1_772_158_650.0);
    let gone: Vec<_> = sloth("shop", 0.001).into_iter().take(3).collect();
    let double = remembering(vec![], move |query| match query {
        _ if query.contains("last_over_time(") => gone.clone(),
        _ if query.starts_with("max_over_time((") && query.contains("[6h:1m] offset ") => {
            of_slo("shop", last)
        }
        _ if query.starts_with("max_over_time((") && query.contains("[30d:6h])") => of_slo("shop", seen),
        _ => vec![],
    })
    .await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    let (reading, group) = only(&snapshot);
    assert_eq!(&*reading.slo.id, "shop");
    assert_eq!(group.window, MeasuredRatio::Absent);
    assert_eq!(group.newest, Timestamp::from_second(1_772_158_650).ok());
}

#[tokio::test]
async fn an_slo_of_pyrra_that_ended_days_ago_is_listed_too() {
    let all = pyrra("errors", 0.01, true);
    let double = remembering(vec![], move |query| match query {
        _ if query.contains("last_over_time(") => all.clone(),
        _ => vec![],
    })
    .await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    assert_eq!(&*only(&snapshot).0.slo.id, "errors");
}

#[tokio::test]
async fn an_slo_that_came_and_went_within_two_hours_is_listed_too() {
    let all = pyrra("errors", 0.01, true);
    let double = remembering(vec![], move |query| {
        // a coarse check may fall before and after it; in the last hours every sample counts
        let is_close = query.contains(r#"slo!=""}[2h])"#) && query.contains(r#""}[7d:2h])"#);
        if is_close { all.clone() } else { vec![] }
    })
    .await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    assert_eq!(&*only(&snapshot).0.slo.id, "errors");
}

#[tokio::test]
async fn a_recorded_nan_is_no_idleness_where_shorter_ratios_are_numbers() {
    let mut series = sloth("shop", 0.0002);
    for (labels, value) in &mut series {
        if labels["__name__"] == "slo:sli_error:ratio_rate30d" {
            *value = f64::NAN;
        }
    }
    let double = keeping(series, no_rules()).await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    assert_eq!(only(&snapshot).1.window, MeasuredRatio::Odd(InvalidRatio::Nan));
}

#[tokio::test]
async fn an_objective_that_is_no_number_is_named_as_such() {
    let mut series = sloth("shop", 0.0002);
    for (labels, value) in &mut series {
        if labels["__name__"] == "slo:objective:ratio" {
            *value = f64::NAN;
        }
        labels.as_object_mut().unwrap().remove("sloth_objective");
    }
    let double = keeping(series, no_rules()).await;
    let snapshot = snapshot(&source(&double, &[], true)).await;
    let said =
        "1 SLO of Sloth without an objective between 0 and 1 (slo:objective:ratio is NaN), not shown: shop";
    assert_eq!(snapshot.warnings, [Warning::notice(said)]);
}
