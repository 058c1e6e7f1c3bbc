//! A server behind Grafana, through its proxy and without it: the same answers as directly.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use super::*;
use crate::backend::kit::double::ReceivedRequest;
use crate::backend::kit::tests::contract::Description;
use crate::config::settings::SourceSettings;
use crate::model::ask::SeriesKey;

/// What answers behind Grafana.
type Upstream = Arc<dyn Fn(&ReceivedRequest) -> CannedResponse + Send + Sync>;

fn behind(asked: &ReceivedRequest, path: &str) -> ReceivedRequest {
    ReceivedRequest { path: format!("/{path}"), ..asked.clone() }
}

/// A Grafana with one data source; without a proxy if it is forbidden.
async fn grafana(upstream: Upstream, has_proxy: bool) -> Double {
    Double::start(move |asked| {
        let path = asked.path.trim_start_matches('/');
        if let Some(path) = path.strip_prefix("api/datasources/proxy/uid/prom/") {
            let refused =
                CannedResponse::new(403, "application/json", r#"{"message":"non allow-listed path"}"#);
            return if has_proxy { upstream(&behind(asked, path)) } else { refused };
        }
        if let Some(path) = path.strip_prefix("api/datasources/uid/prom/resources/") {
            return upstream(&behind(asked, path));
        }
        if path == "api/ds/query" {
            return CannedResponse::json(&results(&upstream, &asked.json()).to_string());
        }
        CannedResponse::new(404, "application/json", r#"{"message":"Not found"}"#)
    })
    .await
}

/// The answer of Grafana to one query, as its data source for Prometheus makes it.
fn results(upstream: &Upstream, body: &Value) -> Value {
    let query = &body["queries"][0];
    let seconds = |key: &str| body[key].as_str().unwrap().parse::<f64>().unwrap() / 1000.0;
    let is_range = query["range"] == true;
    let step = query["interval"].as_str().unwrap().trim_end_matches('s').to_owned();
    let own = |name: &str, value: String| (name.to_owned(), value);
    let mut parameters = vec![own("query", query["expr"].as_str().unwrap().to_owned())];
    if is_range {
        parameters.extend([
            own("start", seconds("from").to_string()),
            own("end", seconds("to").to_string()),
            own("step", step),
        ]);
    } else {
        parameters.push(own("time", seconds("to").to_string()));
    }
    let path = if is_range { "/api/v1/query_range" } else { "/api/v1/query" };
    let asked =
        ReceivedRequest { method: "GET".into(), path: path.into(), parameters, ..ReceivedRequest::default() };
    let answer: Value = serde_json::from_slice(&upstream(&asked).body).unwrap();
    if answer["status"] != "success" {
        return json!({"results": {"A": {"status": 400, "error": format!("bad_data: {}", answer["error"].as_str().unwrap())}}});
    }
    let kind = answer["data"]["resultType"].as_str().unwrap();
    let point = |point: &Value| {
        (point[0].as_f64().unwrap() * 1000.0, point[1].as_str().unwrap().parse::<f64>().unwrap())
    };
    let frame = |one: &Value| {
        let points: Vec<(f64, f64)> = one["values"]
            .as_array()
            .map_or_else(|| vec![point(&one["value"])], |all| all.iter().map(point).collect());
        let (times, values): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
        let rows = |is: fn(f64) -> bool| -> Vec<usize> {
            values.iter().enumerate().filter(|(_, value)| is(**value)).map(|(row, _)| row).collect()
        };
        json!({
            "schema": {"refId": "A", "meta": {"type": "timeseries-multi", "custom": {"resultType": kind}}, "fields": [
                {"name": "Time", "type": "time", "typeInfo": {"frame": "time.Time"}},
                {"name": "Value", "type": "number", "labels": one["metric"], "typeInfo": {"frame": "float64"}},
            ]},
            "data": {"values": [times, values], "entities": [null, {
                "NaN": rows(f64::is_nan), "Inf": rows(|value| value == f64::INFINITY),
                "NegInf": rows(|value| value == f64::NEG_INFINITY),
            }]},
        })
    };
    let frames: Vec<Value> = match kind {
        "scalar" => vec![frame(&json!({"metric": {}, "value": answer["data"]["result"]}))],
        _ => answer["data"]["result"].as_array().unwrap().iter().map(frame).collect(),
    };
    json!({"results": {"A": {"status": 200, "frames": frames}}})
}

fn at_address(double: &Double, path: &str, data_source: Option<&str>, clock: Clock) -> Prometheus {
    let mut source: SourceSettings = double.source("prometheus");
    source.url = format!("{}{path}", source.url);
    source.own.extend(data_source.map(|uid| ("grafana_data_source".to_owned(), uid.into())));
    let settings = settings();
    Prometheus::new(&SourceId::new("prom"), &source, SourceDeps::new(&settings, clock)).unwrap()
}

/// The server directly, through the proxy, and without it.
async fn three(upstream: &Upstream, clock: Clock) -> [(Double, Prometheus); 3] {
    let own = Arc::clone(upstream);
    let direct = Double::start(move |asked| own(asked)).await;
    let proxied = grafana(Arc::clone(upstream), true).await;
    let without = grafana(Arc::clone(upstream), false).await;
    let sources = [
        at_address(&direct, "", None, clock),
        at_address(&proxied, "/api/datasources/proxy/uid/prom", None, clock),
        at_address(&without, "", Some("prom"), clock),
    ];
    let [a, b, c] = sources;
    [(direct, a), (proxied, b), (without, c)]
}

#[tokio::test]
async fn services_and_charts_are_the_same_through_grafana_with_and_without_its_proxy() {
    let upstream: Upstream = Arc::new(shop);
    let mut seen = Vec::new();
    for (double, source) in three(&upstream, Clock::fixed(now())).await {
        let snapshot = services(&source).await;
        assert_eq!(snapshot.warnings, []);
        let reply = ask(&source, Query::Trends { time_range: time_range() }.now()).await;
        let Answer::Trends(trends) = reply.answer else { panic!() };
        seen.push((format!("{:?}", snapshot.readings), format!("{trends:?}")));
        drop(double);
    }
    assert!(seen[0].0.contains("cart"));
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
}

#[tokio::test]
async fn a_query_that_grafana_refuses_has_the_words_of_the_server_and_valid_requests() {
    let upstream: Upstream = Arc::new(|asked| match asked.parameter("query") {
        "broken(" => CannedResponse::json(r#"{"status":"error","error":"1:8: parse error: unclosed"}"#),
        _ => shop(asked),
    });
    let double = grafana(upstream, false).await;
    let source = at_address(&double, "", Some("prom"), Clock::fixed(now()));
    let series = SeriesKey::over("broken(".into(), time_range().window);
    let asked = Query::Series { series, time_range: time_range() }.now();
    let error = source.answer(&asked, None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadQuery { message: "1:8: parse error: unclosed".into() });
    let Some(description) = Description::find("grafana") else { return };
    for one in double.asked().iter().filter(|one| one.path == "/api/ds/query") {
        assert_eq!(description.failure(one), None);
    }
}

/// Asks a real server, without a library: the double answers within a thread of its own runtime.
fn forwarded(address: &str, asked: &ReceivedRequest) -> CannedResponse {
    let query: String =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&asked.parameters).finish();
    let mut stream = TcpStream::connect(address).unwrap();
    let head =
        format!("GET {}?{query} HTTP/1.0\r\nHost: {address}\r\nAccept: application/json\r\n\r\n", asked.path);
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8(answer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    CannedResponse::new(status, "application/json", body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_prometheus_gives_the_same_numbers_through_grafana() {
    let Ok(address) = std::env::var("BURNWATCH_TEST_PROMETHEUS") else {
        println!("skipped: BURNWATCH_TEST_PROMETHEUS is not set, tests/run without --quick sets it");
        return;
    };
    let address = address.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let upstream: Upstream = Arc::new(move |asked| forwarded(&address, asked));
    let clock = Clock::real();
    let end = clock.now() - Duration::from_secs(5);
    let window = TimeGrid::stepped(end, Duration::from_secs(60), Duration::from_secs(5));
    let range = QueryRange { window, tail: window };
    let sources = three(&upstream, clock).await;
    for query in
        ["up", "rate(prometheus_http_requests_total[1m])", "prometheus_http_request_duration_seconds_bucket"]
    {
        let mut seen = Vec::new();
        for (_, source) in &sources {
            let series = SeriesKey::over(query.into(), window);
            let reply = ask(source, Query::Series { series, time_range: range }.now()).await;
            let Answer::Series(matrix) = reply.answer else { panic!() };
            seen.push(matrix.lines);
        }
        assert!(!seen[0].is_empty(), "{query}");
        for other in &seen[1..] {
            assert_eq!(other.len(), seen[0].len(), "{query}");
            for (one, direct) in other.iter().zip(&seen[0]) {
                assert_eq!(one.labels, direct.labels, "{query}");
                // a number in JSON may differ in its last bit from the same number as text
                let is_same = |(a, b): (&f64, &f64)| {
                    (a.is_nan() && b.is_nan())
                        || a.to_bits() == b.to_bits()
                        || (a - b).abs() < f64::MIN_POSITIVE
                        || ((a - b) / b).abs() < 1e-12
                };
                assert!(one.values.iter().zip(&direct.values).all(is_same), "{query}: {one:?} {direct:?}");
            }
        }
    }
}
