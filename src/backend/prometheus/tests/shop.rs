//! A test server with the metrics of a shop: answers all queries of discovery, services and charts.

use serde_json::{Value, json};

use crate::backend::kit::double::{CannedResponse, ReceivedRequest};

pub(super) fn success(data: &Value) -> CannedResponse {
    CannedResponse::json(&json!({ "status": "success", "data": data }).to_string())
}

/// The answer to an instant or range query: the labels and the value of each series; the value is the same at every point.
pub(super) fn series(asked: &ReceivedRequest, all: &[(Value, &str)]) -> CannedResponse {
    if !asked.path.ends_with("query_range") {
        let result: Vec<_> = all
            .iter()
            .map(|(labels, value)| json!({ "metric": labels, "value": [1.5, value], "more": 1 }))
            .collect();
        return success(&json!({ "resultType": "vector", "result": result }));
    }
    let [start, end, step] =
        ["start", "end", "step"].map(|name| asked.parameter(name).parse::<f64>().unwrap());
    let points = std::iter::successors(Some(start), |at| Some(at + step)).take_while(|at| *at <= end);
    let points: Vec<f64> = points.collect();
    let line = |(labels, value): &(Value, &str)| json!({ "metric": labels, "values": points.iter().map(|at| json!([at, value])).collect::<Vec<_>>() });
    success(&json!({ "resultType": "matrix", "result": all.iter().map(line).collect::<Vec<_>>() }))
}

/// A server with `cart` (10 requests/s, one of them fails), `idle` (no traffic) and `mail` (only targets, one of them down).
pub(super) fn shop(asked: &ReceivedRequest) -> CannedResponse {
    let query = asked.parameter("query");
    let by_service = |all: &[(&str, &str)]| {
        let all: Vec<_> =
            all.iter().map(|(service, value)| (json!({ "service": service }), *value)).collect();
        series(asked, &all)
    };
    match asked.path.as_str() {
        "/api/v1/status/buildinfo" => {
            success(&json!({ "version": "3.1.0", "revision": "abc", "goVersion": "go1.23", "new": {} }))
        }
        "/api/v1/rules" => success(&json!({ "groups": [] })),
        "/api/v1/targets" => success(&json!({ "activeTargets": [
            { "scrapeInterval": "30s" }, { "scrapeInterval": "30s" }, { "scrapeInterval": "5s" }] })),
        "/api/v1/query" | "/api/v1/query_range" => match query {
            // the server has no timestamps
            _ if query.starts_with("max by") && query.contains("timestamp(") => series(asked, &[]),
            _ if query.starts_with("count by (__name__)") => {
                let names =
                    ["http_requests_total", "http_request_duration_seconds_bucket", "queue_saturation_ratio"];
                series(asked, &names.map(|name| (json!({ "__name__": name }), "9")))
            }
            _ if query.starts_with("count by (code,") => series(asked, &[(json!({ "code": "200" }), "3")]),
            _ if query.contains("code=\"\"") => series(asked, &[]),
            _ if query.contains("up == 0") => {
                series(asked, &[(json!({ "service": "mail", "instance": "m:2", "job": "mail" }), "1")])
            }
            _ if query.contains("(up)") && query.contains("team") => {
                let target =
                    |service: &str, team: &str| json!({ "service": service, "team": team, "tier": "1" });
                series(
                    asked,
                    &[(target("cart", "web"), "3"), (target("mail", "a"), "1"), (target("mail", "b"), "1")],
                )
            }
            _ if query.starts_with("count by (service,") && query.contains("\"up\"") => {
                by_service(&[("cart", "3"), ("mail", "2")])
            }
            _ if query.starts_with("count by (service,") => by_service(&[("cart", "3"), ("idle", "3")]),
            _ if query.starts_with("count by (le)") => {
                series(asked, &["0.25", "1.0", "+Inf"].map(|le| (json!({ "le": le }), "1")))
            }
            _ if query.contains("code=~\"5..\"") => by_service(&[("cart", "1")]),
            _ if query.starts_with("histogram_quantile(0.95") => {
                by_service(&[("cart", "0.4"), ("idle", "NaN")])
            }
            _ if query.starts_with("histogram_quantile") => by_service(&[("cart", "+Inf"), ("idle", "NaN")]),
            _ if query.contains("_bucket") => {
                let bucket = |le: &str| json!({ "service": "cart", "le": le });
                series(asked, &[(bucket("0.25"), "6"), (bucket("1.0"), "8"), (bucket("+Inf"), "10")])
            }
            _ if query.contains("http_requests_total") => by_service(&[("cart", "10"), ("idle", "0")]),
            _ if query.starts_with("max by (__name__)") => {
                series(asked, &[(json!({ "__name__": "queue_saturation_ratio" }), "0.5")])
            }
            _ if query.contains("_saturation_ratio") => by_service(&[("cart", "0.5")]),
            "1" => success(&json!({ "resultType": "scalar", "result": [1, "1"] }))
                .header("Date", "Sun, 01 Mar 2026 12:01:00 GMT"),
            other => CannedResponse::new(
                400,
                "application/json",
                &json!({ "error": format!("what is {other}?") }).to_string(),
            ),
        },
        _ => CannedResponse::new(404, "text/plain", "404 page not found"),
    }
}
