//! A fake Prometheus and a fake Alertmanager with a fleet of web services and ten alerts for each of them.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use url::Url;

/// Alerts of each service.
const ALERTS: usize = 10;
/// The time of the samples that are asked for without a time.
pub(crate) const NOW: i64 = 1_768_359_127;

/// The JSON of a query's result with these labels: one value, or one for each timestamp of `range`.
fn series(range: Option<&[i64]>, labels: impl Iterator<Item = String>) -> String {
    let kind = if range.is_some() { "matrix" } else { "vector" };
    let mut json = format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":["#);
    for (n, labels) in labels.enumerate() {
        let comma = if n == 0 { "" } else { "," };
        write!(json, r#"{comma}{{"metric":{{{labels}}},"#).unwrap();
        if let Some(moments) = range {
            let points: Vec<String> = moments.iter().map(|at| format!(r#"[{at},"0.{n}"]"#)).collect();
            write!(json, r#""values":[{}]}}"#, points.join(",")).unwrap();
        } else {
            write!(json, r#""value":[{NOW},"0.{n}"]}}"#).unwrap();
        }
    }
    json.push_str("]}}");
    json
}

/// The answer to a query about a fleet of web services.
fn queried(range: Option<&[i64]>, query: &str, services: usize) -> String {
    let service = |n: usize| format!(r#""service":"service-{n}""#);
    let each = || (0..services).map(service);
    if query.starts_with("count by (__name__)") {
        let names = ["http_requests_total", "http_request_duration_seconds_bucket"];
        series(range, names.iter().map(|name| format!(r#""__name__":"{name}""#)))
    } else if query.starts_with("count by (code,") {
        series(range, ["200", "500"].iter().map(|code| format!(r#""code":"{code}""#)))
    } else if query.starts_with("count by (le)") {
        series(range, ["0.25", "1.0", "+Inf"].iter().map(|le| format!(r#""le":"{le}""#)))
    } else if query.contains("up == 0") || query.contains(r#"code="""#) {
        series(range, std::iter::empty())
    } else if query.contains("_bucket") && !query.starts_with("histogram_quantile") {
        let bounds = |n: usize| ["0.25", "1.0", "+Inf"].map(|le| format!(r#"{},"le":"{le}""#, service(n)));
        series(range, (0..services).flat_map(bounds))
    } else {
        series(range, each())
    }
}

fn alerts(services: usize) -> String {
    let alert = |n: usize| {
        format!(
            r#"{{"labels":{{"alertname":"Burn","service":"service-{}","pod":"pod-{n:05}","severity":"page"}},
            "annotations":{{"summary":"service-{} is burning on pod-{n:05}"}},"startsAt":"2026-01-14T02:00:00Z",
            "updatedAt":"2026-01-14T02:00:00Z","fingerprint":"{n:016x}","receivers":[{{"name":"pager"}}],
            "status":{{"state":"active","silencedBy":[],"inhibitedBy":[]}}}}"#,
            n / ALERTS,
            n / ALERTS,
        )
    };
    let all: Vec<String> = (0..services * ALERTS).map(alert).collect();
    format!(r#"[{{"labels":{{}},"receiver":{{"name":"pager"}},"alerts":[{}]}}]"#, all.join(","))
}

/// The answer to a request; its parameters are in the URL or in the form.
fn answered(path: &str, form: &str, services: usize) -> String {
    let url = Url::parse("http://double").unwrap().join(path).unwrap();
    let asked = Url::parse(&format!("http://double/?{form}")).unwrap();
    let parameter = |wanted: &str| {
        let found = url.query_pairs().chain(asked.query_pairs()).find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let query = parameter("query");
    // burnwatch asks for whole seconds
    let second = |wanted: &str| parameter(wanted).parse().unwrap_or(NOW);
    let moments = || -> Vec<i64> {
        let step = parameter("step").trim_end_matches('s').parse().unwrap_or(60);
        (second("start")..=second("end")).step_by(step).collect()
    };
    let data = |data: &str| format!(r#"{{"status":"success","data":{data}}}"#);
    match url.path() {
        "/api/v1/query" => queried(None, &query, services),
        "/api/v1/query_range" => queried(Some(&moments()), &query, services),
        "/api/v1/status/buildinfo" => {
            data(r#"{"version":"3.1.0","revision":"abc","goVersion":"go1.23","branch":"HEAD"}"#)
        }
        "/api/v1/rules" => data(r#"{"groups":[]}"#),
        "/api/v1/targets" => data(r#"{"activeTargets":[{"scrapeInterval":"15s"}]}"#),
        "/api/v2/alerts/groups" => alerts(services),
        "/api/v2/silences" => "[]".to_owned(),
        _ => String::new(),
    }
}

fn converse(mut stream: TcpStream, services: usize) -> Option<()> {
    let (mut seen, mut chunk) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let end = loop {
            if let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
            seen.extend_from_slice(chunk.get(..read)?);
        };
        let head = String::from_utf8_lossy(seen.get(..end)?).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
        while seen.len() < end + length {
            let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
            seen.extend_from_slice(chunk.get(..read)?);
        }
        let line = String::from_utf8_lossy(seen.get(..end)?).into_owned();
        let path = line.split(' ').nth(1)?;
        let form = String::from_utf8_lossy(seen.get(end..end + length)?).into_owned();
        let body = answered(path, &form, services);
        let status = if body.is_empty() { "404 Not Found" } else { "200 OK" };
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).ok()?;
        seen.drain(..end + length);
    }
}

/// Starts the servers, both at the returned address, for as long as the process lives.
pub(crate) fn serve(services: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || converse(stream, services));
        }
    });
    address
}
