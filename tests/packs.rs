//! Packs with the metrics of exporters: expositions are loaded into a real Prometheus as ten minutes of samples, and the
//! services that burnwatch discovers are checked.
//!
//! Each file in `tests/packs/` is one situation. `# target LABELS` begins the exposition of a target; a value `100+2` is 100 ten
//! minutes ago and increases by two each second; `INDAYS3` is the timestamp in three days.
#![cfg(test)]

#[path = "support/real.rs"]
mod real;
#[path = "support/skip.rs"]
mod skip;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use burnwatch::testing::backend::{Clock, SourceDeps, connect, kind};
use burnwatch::testing::config::settings::{Settings, SourceSettings};
use burnwatch::testing::model::ask::{Answer, Query};
use burnwatch::testing::model::assessment::{Case, assess};
use burnwatch::testing::model::health::{Health, Thresholds};
use burnwatch::testing::model::service::{ServiceReading, ServiceSnapshot};
use burnwatch::testing::model::source::SourceId;
use jiff::Timestamp;

/// How far the samples go back, and their distance, in seconds.
const BACK: i64 = 600;
const STEP: i64 = 15;

#[expect(clippy::disallowed_methods, reason = "a real server runs by the real clock")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// A running Prometheus with the loaded samples; ends when it is dropped.
struct Store {
    child: Child,
    folder: PathBuf,
    url: String,
}

impl Drop for Store {
    fn drop(&mut self) {
        // a failure to clean up must not panic at the end of a test
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// The series of an exposition, each with its first value and its increase per second.
fn series(exposition: &str, end: f64) -> Vec<(String, f64, f64)> {
    let mut target = String::new();
    let mut all = Vec::new();
    for line in exposition.lines() {
        if let Some(labels) = line.strip_prefix("# target ") {
            target = labels.trim().to_owned();
            all.push((format!("up{{{target}}}"), 1.0, 0.0));
        } else if let Some(labels) = line.strip_prefix("# dead ") {
            all.push((format!("up{{{}}}", labels.trim()), 0.0, 0.0));
        } else if !line.starts_with('#') && !line.trim().is_empty() {
            let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
            let (first, rise) = match value.rsplit_once('+') {
                Some((first, rise)) if !first.is_empty() && !first.ends_with('e') => (first, rise),
                _ => (value, "0"),
            };
            let name = match name.split_once('{') {
                Some((metric, labels)) => format!("{metric}{{{target},{labels}"),
                None => format!("{name}{{{target}}}"),
            };
            let number = |text: &str| match text.trim().strip_prefix("INDAYS") {
                Some(days) => end + 86_400.0 * days.parse::<f64>().unwrap(),
                None => text.trim().parse().unwrap_or_else(|_| panic!("{line}")),
            };
            all.push((name, number(first), number(rise)));
        }
    }
    all
}

/// The samples in `OpenMetrics` format, with timestamps.
fn open_metrics(exposition: &str, end: i64) -> String {
    let mut by_metric: BTreeMap<String, String> = BTreeMap::new();
    for (name, first, rise) in series(exposition, end as f64) {
        let metric = name.split('{').next().unwrap_or_default().to_owned();
        let lines = by_metric.entry(metric).or_default();
        for at in (0..=BACK).step_by(usize::try_from(STEP).unwrap()) {
            let value = first + rise * f64::from(i32::try_from(at).unwrap());
            writeln!(lines, "{name} {value} {}", end - BACK + at).unwrap();
        }
    }
    let mut out = String::new();
    for (metric, lines) in by_metric {
        write!(out, "# TYPE {metric} unknown\n{lines}").unwrap();
    }
    out + "# EOF\n"
}

/// Starts a Prometheus with this exposition; None if Prometheus is not installed.
async fn store(exposition: &str) -> Option<Store> {
    real::real("BURNWATCH_TEST_PROMETHEUS")?;
    let folder = tempfile::tempdir().unwrap().keep();
    let file = folder.join("samples");
    std::fs::write(&file, open_metrics(exposition, now().as_second())).unwrap();
    let made = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"])
        .args([&file, &folder.join("data")])
        .output()
        .expect("promtool comes with prometheus");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    std::fs::write(folder.join("empty.yml"), "scrape_configs: []\n").unwrap();
    for port in free_ports() {
        let mut child = Command::new("prometheus")
            .arg(format!("--config.file={}", folder.join("empty.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--log.level=error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("tests/run started one");
        let url = format!("http://127.0.0.1:{port}");
        if is_ready(&mut child, port).await {
            return Some(Store { child, folder, url });
        }
        drop(child.kill());
        drop(child.wait());
    }
    panic!("no Prometheus starts")
}

fn free_ports() -> impl Iterator<Item = u16> {
    (0..5).map(|_| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    })
}

async fn is_ready(child: &mut Child, port: u16) -> bool {
    use std::io::{Read as _, Write as _};
    for _ in 0..300 {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) {
            let mut answer = String::new();
            let asked = stream.write_all(b"GET /-/ready HTTP/1.0\r\n\r\n").is_ok();
            if asked && stream.read_to_string(&mut answer).is_ok() && answer.contains(" 200 ") {
                return true;
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

async fn snapshot(url: &str) -> ServiceSnapshot {
    let settings = Settings::default();
    let source = SourceSettings::new(kind("prometheus"), url);
    let deps = SourceDeps::new(&settings, Clock::real());
    let source = connect(&SourceId::new("real"), &source, deps);
    let reply = source.answer(&Query::Services.now(), None).await.unwrap();
    assert!(reply.warnings.is_empty(), "{:?}", reply.warnings);
    let Answer::Services(snapshot) = reply.answer else { panic!() };
    snapshot
}

fn reading<'a>(snapshot: &'a ServiceSnapshot, name: &str) -> &'a ServiceReading {
    let known = || snapshot.readings.iter().map(|reading| &*reading.name).collect::<Vec<_>>().join(", ");
    snapshot
        .readings
        .iter()
        .find(|reading| &*reading.name == name)
        .unwrap_or_else(|| panic!("no {name} in {}", known()))
}

/// The health of a service with its reasons, as text.
fn verdict(snapshot: &ServiceSnapshot, name: &str) -> String {
    let thresholds = Thresholds::default();
    let case = Case {
        lookback: snapshot.lookback,
        alerts: &[],
        soon_full: &[],
        thresholds: &thresholds,
        before: None,
        now: now(),
    };
    let (health, reasons) = assess(reading(snapshot, name), case);
    let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    format!("{} {}", health.word(), reasons.join(", ")).trim_end().to_owned()
}

/// The named signals of a service that are no reason for its health.
fn printed(snapshot: &ServiceSnapshot, name: &str) -> Vec<String> {
    let named = &reading(snapshot, name).named;
    let mut printed: Vec<String> =
        named.iter().filter(|signal| signal.health.is_none()).map(ToString::to_string).collect();
    printed.sort();
    printed
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packs")
}

/// Each line of a file that begins with `#: NAME` is the expected result for this service.
#[tokio::test]
async fn each_situation_is_judged_as_its_file_says() {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 5);
    let mut wrong = String::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let Some(store) = store(&text).await else { return };
        let snapshot = snapshot(&store.url).await;
        let mut expectations = 0;
        for line in text.lines().filter_map(|line| line.strip_prefix("#: ")) {
            expectations += 1;
            let (name, expected) = line.split_once(' ').unwrap();
            let signals = reading(&snapshot, name).signals;
            let found = match expected.split_once(' ').map_or(expected, |(word, _)| word) {
                "rate" => format!("rate {:.1}", signals.request_rate.unwrap_or(f64::NAN)),
                "errors" => format!(
                    "errors {}",
                    signals.error_ratio.map_or("-".into(), |ratio| format!("{ratio:.3}"))
                ),
                "saturation" => format!(
                    "saturation {}",
                    signals.saturation.map_or("-".into(), |ratio| format!("{ratio:.3}"))
                ),
                "told" => format!("told {}", printed(&snapshot, name).join(", ")),
                "targets" => format!(
                    "targets {}/{}",
                    reading(&snapshot, name).targets.up,
                    reading(&snapshot, name).targets.total
                ),
                "labels" => format!("labels {}", reading(&snapshot, name).labels),
                _ => verdict(&snapshot, name),
            };
            if found != expected {
                writeln!(wrong, "{}: {name}\n  is        {found}\n  should be {expected}", file.display())
                    .unwrap();
            }
        }
        assert!(expectations > 0, "{} expects nothing", file.display());
        // services that the file does not mention must be healthy
        for reading in &snapshot.readings {
            let is_named = text.lines().any(|line| line.starts_with(&format!("#: {} ", reading.name)));
            let verdict = verdict(&snapshot, &reading.name);
            if !is_named && verdict != Health::Healthy.word() {
                writeln!(wrong, "{}: {} is {verdict}", file.display(), reading.name).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
