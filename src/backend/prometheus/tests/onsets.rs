//! First bad minutes against a double of a server whose service `cart` fails for ten minutes before each hour is full.

use serde_json::{Value, json};

use super::shop::{shop, success};
use super::*;
use crate::backend::kit::double::ReceivedRequest;
use crate::model::detection::{Onset, OnsetQuery, OnsetSnapshot};
use crate::model::labels::Text;
use crate::model::why::WhySignal;

const HOUR: i64 = 3600;

fn hour(hour: i64) -> Timestamp {
    Timestamp::from_second((now().as_second() / HOUR - 1 - hour) * HOUR).unwrap()
}

fn wanted(service: &str, hours: i64) -> OnsetQuery {
    let triggered = hour(hours);
    OnsetQuery { service: Text::from(service), triggered, until: triggered }
}

/// The part of a query that this word marks, if the query has it.
fn has_part(query: &str, word: &str) -> bool {
    query.contains(&format!("\"burnwatch_part\", \"{word}\""))
}

fn failing(asked: &ReceivedRequest) -> CannedResponse {
    let query = asked.parameter("query");
    if !(asked.path.ends_with("query_range") && query.contains("burnwatch_part")) {
        return shop(asked);
    }
    let [start, end, step] =
        ["start", "end", "step"].map(|name| asked.parameter(name).parse::<i64>().unwrap());
    let line = |service: &str, part: &str, value: &dyn Fn(i64) -> f64| {
        let points = (0..=(end - start) / step).map(|point| start + point * step);
        let values: Vec<Value> = points.map(|at| json!([at, value(at).to_string()])).collect();
        json!({ "metric": { "service": service, "burnwatch_part": part }, "values": values })
    };
    let bad = |at: i64| if at % HOUR > HOUR - 600 || at % HOUR == 0 { 8.0 } else { 0.01 };
    let mut lines = Vec::new();
    if query.contains("cart") {
        lines.push(line("cart", "0", &|_| 50.0));
        lines.push(line("cart", "1", &bad));
    }
    assert!(has_part(query, "0") && has_part(query, "1"), "{query}");
    success(&json!({ "resultType": "matrix", "result": lines }))
}

async fn found(double: &Double, wanted: Vec<OnsetQuery>) -> OnsetSnapshot {
    let answer = ask(&source(double), Query::Onsets { wanted: wanted.into() }.now()).await.answer;
    let Answer::Onsets(snapshot) = answer else { panic!("{answer:?}") };
    snapshot
}

fn ranges(double: &Double) -> usize {
    let is_it = |asked: &ReceivedRequest| asked.parameter("query").contains("burnwatch_part");
    double.asked().iter().filter(|asked| is_it(asked)).count()
}

#[tokio::test]
async fn the_first_bad_minute_is_read_for_each_incident_and_those_near_each_other_are_one_query() {
    let double = Double::start(failing).await;
    let snapshot = found(&double, vec![wanted("cart", 0), wanted("cart", 2), wanted("ghost", 1)]).await;
    let minutes = |query: &OnsetQuery| match snapshot.onsets[query] {
        Onset::At(at, WhySignal::Errors) => Some(query.triggered.duration_since(at).as_mins()),
        Onset::At(..) | Onset::NothingChanged | Onset::NoData | Onset::NotRead | Onset::Failed => None,
    };
    for hours in [0, 2] {
        let found = minutes(&wanted("cart", hours)).unwrap();
        assert!((9..=11).contains(&found), "{found} minutes before the page");
    }
    assert_eq!(snapshot.onsets[&wanted("ghost", 1)], Onset::NoData);
    assert_eq!(ranges(&double), 1);
}

#[tokio::test]
async fn a_hundred_incidents_of_a_month_cost_a_few_queries_and_the_rest_is_said_to_be_left_out() {
    let double = Double::start(failing).await;
    let snapshot = found(&double, (0..100).map(|day| wanted("cart", 10 * day)).collect()).await;
    let read = snapshot.onsets.values().filter(|onset| matches!(onset, Onset::At(..))).count();
    assert_eq!((read, ranges(&double), snapshot.onsets.len()), (12, 12, 100));
    // the latest ones are read
    assert_eq!(snapshot.onsets[&wanted("cart", 120)], Onset::NotRead);
    assert!(matches!(snapshot.onsets[&wanted("cart", 110)], Onset::At(..)));
}

#[tokio::test]
async fn a_query_that_fails_is_said_and_does_not_count_as_no_change() {
    let double = Double::start(|asked| {
        if asked.path.ends_with("query_range") {
            return CannedResponse::new(503, "text/plain", "overloaded");
        }
        shop(asked)
    })
    .await;
    let reply = ask(&source(&double), Query::Onsets { wanted: vec![wanted("cart", 0)].into() }.now()).await;
    let Answer::Onsets(snapshot) = &reply.answer else { panic!() };
    assert_eq!(snapshot.onsets[&wanted("cart", 0)], Onset::Failed);
    assert!(reply.warnings.iter().any(|warning| warning.to_string().contains("overloaded")));
}
