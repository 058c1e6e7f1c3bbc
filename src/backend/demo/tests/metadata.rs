//! The simulated server's answers about labels, series, types and exemplars.

use reqwest::{Method, Request};
use serde_json::{Value, json};

use super::*;
use crate::backend::LocalServer;
use crate::backend::demo::prometheus::PrometheusServer;

/// The answer of the server in Europe, in the third minute of the demo.
fn get(path: &str, parameters: &[(&str, &str)]) -> (u16, Value) {
    let world = Arc::new(DemoWorld::new(0, DemoTimeline::new(start(), 1.0)));
    let server = PrometheusServer::new(world, Region::Eu, Clock::fixed(at(180)));
    let url = url::Url::parse_with_params(&format!("http://prom-eu.demo/api/v1/{path}"), parameters).unwrap();
    let received = wait(server.answer(Request::new(Method::GET, url))).unwrap();
    (received.status.as_u16(), serde_json::from_slice(&received.body).unwrap())
}

fn data(path: &str, parameters: &[(&str, &str)]) -> Value {
    let (status, body) = get(path, parameters);
    assert_eq!((status, &body["status"]), (200, &json!("success")), "{path}: {body}");
    body["data"].clone()
}

const PAYMENTS: (&str, &str) = ("match[]", r#"http_requests_total{service="payments"}"#);

#[test]
fn the_names_of_labels_are_those_of_the_chosen_series() {
    let expected = [
        "__name__",
        "code",
        "method",
        "namespace",
        "pod",
        "region",
        "route",
        "service",
        "team",
        "version",
        "zone",
    ];
    assert_eq!(data("labels", &[PAYMENTS]), json!(expected));
    let all = data("labels", &[]);
    for name in ["alertname", "client", "image", "le", "sloth_id", "zone"] {
        assert!(all.as_array().unwrap().contains(&json!(name)), "{name}");
    }
    // a service without routes
    let redis = data("labels", &[("match[]", r#"http_requests_total{service="redis-carts"}"#)]);
    assert!(!redis.as_array().unwrap().contains(&json!("route")));
    assert_eq!(data("labels", &[("match[]", "nothing")]), json!([]));
}

#[test]
fn the_values_of_a_label_are_those_with_samples_in_the_range() {
    assert_eq!(data("label/version/values", &[PAYMENTS]), json!(["4.18.2", "4.19.0"]));
    let start = at(-600).to_string();
    let before = [PAYMENTS, ("start", &start), ("end", "1772533810.5")];
    assert_eq!(data("label/version/values", &before), json!(["4.18.2"]));
    assert_eq!(data("label/code/values", &[PAYMENTS]), json!(["200", "404", "500", "503", "504"]));
    assert_eq!(data("label/none/values", &[]), json!([]));
    let names = data("label/__name__/values", &[]);
    let names: Vec<&str> = names.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(names.is_sorted() && names.contains(&"http_requests_total") && names.contains(&"up"));
}

#[test]
fn a_limit_cuts_and_says_so() {
    let (_, body) = get("label/pod/values", &[PAYMENTS, ("limit", "2")]);
    assert_eq!(body["data"].as_array().unwrap().len(), 2);
    assert_eq!(body["warnings"], json!(["results truncated due to limit"]));
    let (_, body) = get("label/pod/values", &[PAYMENTS, ("limit", "9")]);
    assert_eq!((body["data"].as_array().unwrap().len(), body.get("warnings")), (9, None));
    let (_, body) = get("label/pod/values", &[PAYMENTS, ("limit", "0")]);
    assert_eq!(body["data"].as_array().unwrap().len(), 9);
}

#[test]
fn series_are_listed_with_all_labels() {
    let edges = data("series", &[("match[]", r#"traces_service_graph_request_total{client="auth"}"#)]);
    let expected = json!([{
        "__name__": "traces_service_graph_request_total", "client": "auth", "server": "redis-sessions",
        "connection_type": "database", "region": "eu-west-1", "job": "tempo",
    }]);
    assert_eq!(edges, expected);
    // nine pods, four routes and five codes; both versions ran within the range
    assert_eq!(data("series", &[PAYMENTS]).as_array().unwrap().len(), 360);
    let two = [("match[]", "up{service=\"cart\"}"), ("match[]", "up{service=\"auth\"}")];
    assert_eq!(data("series", &two).as_array().unwrap().len(), 14);
}

#[test]
fn types_and_help_texts_are_there_for_metrics_that_exist() {
    let all = data("metadata", &[]);
    assert_eq!(all["http_requests_total"][0]["type"], "counter");
    let names = data("label/__name__/values", &[]);
    let names: Vec<&str> = names.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let elsewhere = ["http_server_requests_seconds_count", "backup_last_success_timestamp_seconds"];
    for (name, about) in all.as_object().unwrap() {
        let is_histogram = about[0]["type"] == "histogram";
        let stored = if is_histogram { format!("{name}_bucket") } else { name.clone() };
        assert!(names.contains(&&*stored) || elsewhere.contains(&&**name), "{name}");
    }
    let one = data("metadata", &[("metric", "http_request_duration_seconds")]);
    assert_eq!(one.as_object().unwrap().len(), 1);
    assert_eq!(data("metadata", &[("limit", "3")]).as_object().unwrap().len(), 3);
    assert_eq!(data("metadata", &[("metric", "none")]), json!({}));
}

#[test]
fn exemplars_are_requests_of_the_series_of_a_query() {
    let query = r#"histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket{service="payments"}[1m])))"#;
    let (start, end) = (at(0).to_string(), at(180).to_string());
    let found = data("query_exemplars", &[("query", query), ("start", &start), ("end", &end)]);
    let series = found.as_array().unwrap();
    let exemplars: usize = series.iter().map(|series| series["exemplars"].as_array().unwrap().len()).sum();
    assert!((5..=10).contains(&exemplars), "{found}");
    for one in series {
        assert_eq!(one["seriesLabels"]["service"], "payments");
        let le = one["seriesLabels"]["le"].as_str().unwrap().parse::<f64>().unwrap();
        for exemplar in one["exemplars"].as_array().unwrap() {
            let value: f64 = exemplar["value"].as_str().unwrap().parse().unwrap();
            assert!(value <= le && exemplar["labels"]["trace_id"].as_str().unwrap().len() == 32);
            let moment = exemplar["timestamp"].as_f64().unwrap();
            let (from, until) = (at(-20).as_second() as f64, at(180).as_second() as f64);
            assert!((from..until + 1.0).contains(&moment), "{moment}");
        }
    }
    assert_eq!(data("query_exemplars", &[("query", "up"), ("start", &start), ("end", &end)]), json!([]));
}

#[test]
fn what_is_asked_wrongly_is_refused_as_prometheus_does() {
    for (path, parameters, text) in [
        ("series", vec![], "no match[] parameter provided"),
        ("series", vec![("match[]", "up{")], "invalid parameter \"match[]\""),
        ("labels", vec![("match[]", "rate(up[1m])")], "invalid parameter \"match[]\""),
        ("labels", vec![("start", "yesterday")], "invalid parameter \"start\": cannot parse \"yesterday\""),
        ("labels", vec![("start", "20"), ("end", "10")], "end timestamp must not be before start time"),
        ("label/a/values", vec![("limit", "many")], "invalid parameter \"limit\""),
        ("query_exemplars", vec![("query", "sum(")], "invalid parameter \"query\""),
    ] {
        let (status, body) = get(path, &parameters);
        assert_eq!((status, &body["errorType"]), (400, &json!("bad_data")), "{path} {parameters:?}");
        assert!(body["error"].as_str().unwrap().contains(text), "{body}");
    }
}
