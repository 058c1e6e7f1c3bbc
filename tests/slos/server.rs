//! A Prometheus of the test with a month of history, and its own results.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

use crate::definitions::ratio;
use crate::skip::skip;

const STEP: i64 = 300;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// A running server; ends when it is dropped.
pub(crate) struct Server {
    url: String,
    child: Child,
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Server {
    /// Starts a server whose history ends now; None if Prometheus is not installed.
    pub(crate) fn start(now: Timestamp) -> Option<Self> {
        if Command::new("promtool")
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_err()
        {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "promtool is not there");
            skip("promtool and prometheus are not installed");
            return None;
        }
        let folder = TempDir::new().unwrap();
        let path = folder.path();
        std::fs::write(path.join("history.txt"), history(now.as_second())).unwrap();
        let made = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "--quiet", "--max-block-duration=768h", "openmetrics"])
            .args([path.join("history.txt"), path.join("data")])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        std::fs::write(path.join("rules.yml"), rules()).unwrap();
        let config =
            format!("global: {{ evaluation_interval: 1s }}\nrule_files: [{:?}]\n", path.join("rules.yml"));
        std::fs::write(path.join("prometheus.yml"), config).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", path.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", path.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .args(["--storage.tsdb.retention.time=60d", "--log.level=error"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { url: format!("http://{address}"), child, _folder: folder };
        server.wait();
        Some(server)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Waits until its last rule has a value.
    fn wait(&self) {
        for _ in 0..300 {
            let answer = get(&self.url, "/api/v1/query?query=rules_are_done");
            if answer.is_some_and(|answer| answer.contains("rules_are_done")) {
                // queries use whole seconds, so wait for the next one
                wait(Duration::from_secs(1));
                return;
            }
            wait(Duration::from_millis(100));
        }
        panic!("the server at {} does not come up", self.url);
    }
}

#[expect(clippy::disallowed_methods, reason = "a real server needs its time")]
pub(crate) fn wait(time: Duration) {
    std::thread::sleep(time);
}

fn get(url: &str, path: &str) -> Option<String> {
    let host = url.strip_prefix("http://")?;
    let mut stream = TcpStream::connect(host).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// The single value of the server's answer to a query.
pub(crate) fn single(url: &str, query: &str, at: Timestamp) -> f64 {
    let at = at.as_second().to_string();
    let query_string = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("query", query)
        .append_pair("time", &at)
        .finish();
    let answer = get(url, &format!("/api/v1/query?{query_string}")).expect("the server answers");
    let (_, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
    let body: Value = serde_json::from_str(body).expect("the body is JSON");
    match body["data"]["result"].as_array().map(Vec::as_slice) {
        Some([one]) => one["value"][1].as_str().and_then(|value| value.parse().ok()).expect("a number"),
        _ => panic!("{query}: {body}"),
    }
}

/// A counter with a different increase at each step.
struct Counter {
    value: f64,
    seed: u64,
}

impl Counter {
    fn next(&mut self, mean: f64, step: i64) -> f64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let share = (self.seed >> 40) as f64 / f64::from(1 << 24);
        self.value += (mean * step as f64 * (0.5 + share)).floor();
        self.value
    }
}

/// The sample times: every five minutes, and every minute in the last hours.
fn times(from: i64, to: i64, now: i64) -> Vec<i64> {
    let dense = now - 8 * HOUR;
    let sparse = (from..to.min(dense)).step_by(usize::try_from(STEP).unwrap());
    sparse.chain((dense.max(from)..=to).step_by(60)).collect()
}

fn history(now: i64) -> String {
    let mut out = String::new();
    let month = now - 31 * DAY;
    let lives = [
        ("checkout", month, now),
        ("cart", month, now),
        ("search", month, now),
        ("young", now - 10 * DAY, now),
        ("gone", month, now - 5 * HOUR),
    ];
    let mut seed = 1;
    let mut counter = |series: &str, from: i64, to: i64, mean: &dyn Fn(i64) -> f64| {
        seed += 1;
        let (mut counter, mut before) = (Counter { value: 0.0, seed }, from);
        for time in times(from, to, now) {
            let value = counter.next(mean(time), time - before);
            // a counter reset in the middle
            if before < now - 3 * DAY && time >= now - 3 * DAY {
                counter.value = 0.0;
            }
            before = time;
            writeln!(out, "{series} {value} {time}").unwrap();
        }
    };
    for (job, from, to) in lives {
        let of = |code: &str| format!("http_requests_total{{job=\"{job}\",code=\"{code}\"}}");
        counter(&of("200"), from, to, &|_| 40.0);
        // an incident every week, and one now
        let failing = |time: i64| if (now - time) % (7 * DAY) < HOUR { 2.0 } else { 0.03 };
        counter(&of("500"), from, to, &failing);
    }
    for (le, mean) in [("0.5", 30.0), ("1.0", 38.0), ("2.0", 39.5), ("+Inf", 40.0)] {
        counter(&format!("request_seconds_bucket{{job=\"checkout\",le=\"{le}\"}}"), month, now, &|_| mean);
    }
    counter("request_seconds_count{job=\"checkout\"}", month, now, &|_| 42.0);
    for time in times(month, now, now) {
        writeln!(out, "probe_success{{job=\"checkout\"}} {} {time}", u8::from(time % 13 != 0)).unwrap();
    }
    out + "# EOF\n"
}

fn rules() -> String {
    let mut rules = String::from("groups:\n- name: sloth\n  rules:\n");
    let own = "sloth_id: shop-availability, sloth_service: shop, sloth_slo: availability, team: web";
    let mut record = |name: &str, expr: &str, labels: &str| {
        writeln!(rules, "  - {{ record: {name:?}, expr: {expr:?}, labels: {{ {labels} }} }}").unwrap();
    };
    for lookback in ["5m", "30m", "1h", "6h", "30d"] {
        let labels = format!("{own}, sloth_window: {lookback}");
        record(&format!("slo:sli_error:ratio_rate{lookback}"), &ratio("checkout", lookback), &labels);
    }
    record("slo:objective:ratio", "vector(0.9990000000000001)", own);
    record("slo:time_period:days", "vector(30)", own);
    record("sloth_slo_info", "vector(1)", &format!("{own}, sloth_objective: \"99.9\""));
    for lookback in ["5m", "30m", "1h", "2h", "6h", "1d", "4d"] {
        let labels = "slo: checkout-errors, job: checkout";
        record(&format!("http_requests:burnrate{lookback}"), &ratio("checkout", lookback), labels);
    }
    record("pyrra_objective", "vector(0.99)", "slo: checkout-errors");
    record("pyrra_window", "vector(2419200)", "slo: checkout-errors");
    record("pyrra_availability", &format!("1 - ({})", ratio("checkout", "4w")), "slo: checkout-errors");
    let side = |lookback: &str, factor: &str| {
        format!(
            "max(slo:sli_error:ratio_rate{lookback}{{sloth_id=\"shop-availability\"}} > ({factor} * 0.0009999999999999432)) without (sloth_window)"
        )
    };
    let fast = format!("({} and {})", side("5m", "14.4"), side("1h", "14.4"));
    let slow = format!("({} and {})", side("30m", "6"), side("6h", "6"));
    let expr = format!("{fast} or {slow}");
    writeln!(rules, "  - {{ alert: Burns, expr: {expr:?}, labels: {{ sloth_severity: page }} }}").unwrap();
    rules + "  - { record: rules_are_done, expr: vector(1) }\n"
}
